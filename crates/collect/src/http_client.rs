//! One HTTP request, for token endpoints and object storage: HTTP/1.1, no redirects, a limit on the answer.
//!
//! In: a method, a URL, fields, a body. Out: status, fields and body. `http` is allowed to this machine only.

use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio_rustls::TlsConnector;

use crate::wire::{self, Wire, timed};

/// How long a request and its answer may take.
const ANSWER: Duration = Duration::from_mins(1);

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

/// Asks, on a connection of its own. The answer's body has at most `bytes_max`.
pub(crate) async fn ask(
    connector: &TlsConnector,
    method: Method,
    url: &str,
    fields: &[(&str, &str)],
    body: Vec<u8>,
    bytes_max: usize,
) -> Result<Answer, String> {
    let uri: Uri = url.parse().map_err(|_| format!("{url} is no URL"))?;
    let host = uri.host().ok_or_else(|| format!("{url} has no host"))?.to_owned();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let secure = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        _ => return Err(format!("{url} begins with neither https nor http")),
    };
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let stream = wire::connect(bare, port).await?;
    let stream: Box<dyn Wire> = if secure {
        wire::encrypt(connector, bare, stream).await?
    } else if wire::is_local(&stream) {
        Box::new(stream)
    } else {
        return Err(format!("{url}: without encryption only this machine is asked"));
    };
    let authority = uri.authority().map_or(host.as_str(), hyper::http::uri::Authority::as_str);
    let path = uri.path_and_query().map_or("/", hyper::http::uri::PathAndQuery::as_str);
    let mut request = Request::builder().method(method).uri(path).header(HOST, authority);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Bytes::from(body))).map_err(|error| error.to_string())?;
    let exchange = async {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
        let connection = tokio::spawn(connection);
        let answer = sender.send_request(request).await.map_err(|e| e.to_string())?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), bytes_max).collect().await.map_err(|e| e.to_string())?;
        connection.abort();
        Ok::<_, String>(Answer { status, body: body.to_bytes() })
    };
    timed(&format!("asking {bare}"), ANSWER, exchange).await
}
