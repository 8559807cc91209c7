//! HTTP requests, for token endpoints and object storage: HTTP/1.1, no redirects, a limit on what is held in memory.
//!
//! In: a method, a URL, fields, a body. Out: status, fields and body. `http` is allowed to this machine only. What is said of a failure
//! names the server and never the query, in which a signature may be.

use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
pub use hyper::Method;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::HOST;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

use crate::{Wire, connect, encrypt, is_local, timed};

/// How long a request and its answer may take; of an answer that is read piece by piece, its head.
const ANSWER: Duration = Duration::from_mins(1);

/// How long a piece of an answer may take.
const PIECE: Duration = Duration::from_mins(1);

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its body.
    pub body: Bytes,
}

/// A connection, for one request after the other.
pub struct Connection {
    host: String,
    authority: String,
    sender: SendRequest<Full<Bytes>>,
    /// What moves the bytes.
    moving: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.moving.abort();
    }
}

impl Connection {
    /// Connects to the server of this URL.
    ///
    /// # Errors
    /// In words for people; they name the server and never the query.
    pub async fn open(connector: &TlsConnector, url: &str) -> Result<Self, String> {
        let bare = url.split('?').next().unwrap_or_default();
        let uri: Uri = url.parse().map_err(|_| format!("{bare} is no URL"))?;
        let host = uri.host().ok_or_else(|| format!("{bare} has no host"))?;
        let authority = uri.authority().map_or(host, hyper::http::uri::Authority::as_str).to_owned();
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(format!("{bare} begins with neither https nor http")),
        };
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let stream = connect(&host, port).await?;
        let stream: Box<dyn Wire> = if secure {
            encrypt(connector, &host, stream).await?
        } else if is_local(&stream) {
            Box::new(stream)
        } else {
            return Err(format!("{bare}: without encryption only this machine is asked"));
        };
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
        // How it ends is seen by whoever waits for an answer.
        let moving = tokio::spawn(async move { drop(connection.await) });
        Ok(Self { host, authority, sender, moving })
    }

    /// Asks; the body is still to come. The answer before must have been read to its end.
    ///
    /// # Errors
    /// In words for people; they name the server and never the query.
    pub async fn send(
        &mut self,
        method: Method,
        url: &str,
        fields: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Response<Incoming>, String> {
        let uri: Uri = url.parse().map_err(|_| "this is no URL".to_owned())?;
        let path = uri.path_and_query().map_or("/", hyper::http::uri::PathAndQuery::as_str);
        let mut request = Request::builder().method(method).uri(path).header(HOST, &self.authority);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|error| error.to_string())?;
        let sender = &mut self.sender;
        let exchange = async {
            sender.ready().await?;
            sender.send_request(request).await
        };
        timed(&format!("asking {}", self.host), ANSWER, exchange).await
    }
}

/// The next piece of a body; nothing at its end.
///
/// # Errors
/// In words for people; they name the server and never the query.
pub async fn piece(body: &mut Incoming) -> Result<Option<Bytes>, String> {
    loop {
        let next = async { body.frame().await.transpose() };
        match timed("the answer", PIECE, next).await? {
            None => return Ok(None),
            Some(frame) => {
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            }
        }
    }
}

/// A body of at most so many bytes.
///
/// # Errors
/// In words for people; they name the server and never the query.
pub async fn whole(body: Incoming, bytes_max: usize) -> Result<Bytes, String> {
    let collected = Limited::new(body, bytes_max).collect();
    Ok(timed("the answer", ANSWER, collected).await?.to_bytes())
}

/// Asks, on a connection of its own. The answer's body has at most `bytes_max`.
///
/// # Errors
/// In words for people; they name the server and never the query.
pub async fn ask(
    connector: &TlsConnector,
    method: Method,
    url: &str,
    fields: &[(&str, &str)],
    body: Vec<u8>,
    bytes_max: usize,
) -> Result<Answer, String> {
    let mut connection = Connection::open(connector, url).await?;
    let answer = connection.send(method, url, fields, body).await?;
    let status = answer.status();
    Ok(Answer { status, body: whole(answer.into_body(), bytes_max).await? })
}
