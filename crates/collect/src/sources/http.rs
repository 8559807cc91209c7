//! HTTP push: `POST /reports` with a token; the body is whatever a file could be. Answered when it is on disk.
//!
//! It listens on an address of its own and knows one path: what the portal shows cannot be reached here, and the portal, which has no
//! user accounts yet, need not be reachable from elsewhere for it. One request a connection, so that a limit on connections is one on
//! everything. RFC 9110, RFC 6750 (token), RFC 7240 (`Prefer: wait`), RFC 9457 (errors).

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{
    ALLOW, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use store::KeptState;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout, timeout_at};

use super::context::Context;
use super::listen::{self, Doors, Place};
use crate::desk::{KeepError, Receipt};
use crate::health::{Activity, Mishap};
use crate::take::Outcome;
use crate::tls::Certified;
use wire::Secret;
use wire::Wire;

/// HTTP push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Its name, for pages and messages.
    pub name: String,
    /// Address and port to listen on.
    pub listen: Option<SocketAddr>,
    /// The token that senders show as `Authorization: Bearer …`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
    /// A file with the certificate and those that vouch for it (PEM). Without it only this machine may send.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// A file with its private key (PEM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Bytes of a body at most.
    pub body_bytes_max: u64,
    /// Connections at the same time, in all.
    pub connections_max: u32,
    /// Connections at the same time from one address.
    pub connections_per_address_max: u32,
    /// Seconds a client may be silent.
    pub timeout_seconds: u32,
    /// Seconds a client may take for one request.
    pub request_seconds_max: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: String::new(),
            listen: None,
            token: None,
            certificate: None,
            key: None,
            body_bytes_max: 50 << 20,
            connections_max: 200,
            connections_per_address_max: 50,
            timeout_seconds: 30,
            request_seconds_max: 600,
        }
    }
}

impl Settings {
    pub(super) fn check(&self) -> Result<(), String> {
        let wrong = |what: &str| Err(what.to_owned());
        let Some(listen) = self.listen else {
            return wrong("it needs `listen`: an address and a port, such as \"127.0.0.1:8426\"");
        };
        if self.token.is_none() {
            return wrong("it needs a `token`, such as { file = \"/run/secrets/push\" }");
        }
        if self.certificate.is_some() != self.key.is_some() {
            return wrong("`certificate` and `key` go together");
        }
        if self.certificate.is_none() && !listen.ip().is_loopback() {
            return wrong(
                "without `certificate` the token could be read on its way: listen on 127.0.0.1 only, behind a proxy that encrypts",
            );
        }
        let numbers =
            [self.connections_max, self.connections_per_address_max, self.timeout_seconds, self.request_seconds_max];
        if numbers.contains(&0) || self.body_bytes_max == 0 {
            return wrong("a limit of 0 would let nothing in: leave it out for the default");
        }
        Ok(())
    }
}

/// Types of bodies that may be reports. What it is shows in its bytes; a type that says it is something else is refused.
const TYPES: [&str; 10] = [
    "application/xml",
    "text/xml",
    "application/gzip",
    "application/x-gzip",
    "application/zip",
    "application/x-zip-compressed",
    "message/rfc822",
    "application/octet-stream",
    "text/plain",
    // What curl says unless it is told otherwise.
    "application/x-www-form-urlencoded",
];

/// Seconds a client may wait for what is found, whatever it prefers.
const WAIT_SECONDS_MAX: u64 = 60;

/// Bytes of a request's head at most. RFC 9112 §3 recommends 8,000 for its first line.
const HEAD_BYTES_MAX: usize = 16 << 10;

const TOO_MANY_HERE: &[u8] =
    b"HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/problem+json\r\ncontent-length: 100\r\n\
    retry-after: 30\r\nconnection: close\r\n\r\n\
    {\"type\":\"about:blank\",\"title\":\"Too Many Requests\",\"status\":429,\"detail\":\"too many at the same time\"}";
const TOO_MANY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\ncontent-length: 102\r\n\
    retry-after: 30\r\nconnection: close\r\n\r\n\
    {\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,\"detail\":\"too many at the same time\"}";

/// A listening source.
pub(super) struct Server {
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    settings: Settings,
    token: Secret,
    certified: Option<Certified>,
    context: Context,
    doors: Doors,
}

impl Server {
    pub(super) async fn open(settings: &Settings, context: Context) -> Result<Self, String> {
        let certified = Certified::open(settings.certificate.as_deref(), settings.key.as_deref(), &context.board)?;
        let token = settings.token.clone().ok_or("it needs a `token`")?;
        token.open()?;
        let (listener, address) = listen::bind(settings.listen).await?;
        let doors = Doors::new(settings.connections_max, settings.connections_per_address_max);
        let shared = Shared { settings: settings.clone(), token, certified, context, doors };
        Ok(Self { listener, address, shared: Arc::new(shared) })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Runs until told to stop.
    pub(super) async fn run(self) {
        let Self { listener, shared, .. } = self;
        let (context, of) = (shared.context.clone(), shared.clone());
        let refusals = (TOO_MANY, TOO_MANY_HERE);
        listen::accept(listener, &context, &shared.doors, refusals, |stream, ip, place| {
            connection(of.clone(), stream, ip, place)
        })
        .await;
    }
}

async fn connection(shared: Arc<Shared>, stream: TcpStream, ip: IpAddr, place: Place) {
    let _ = stream.set_nodelay(true);
    let silent = Duration::from_secs(u64::from(shared.settings.timeout_seconds));
    let stream: Box<dyn Wire> = match &shared.certified {
        None => Box::new(stream),
        Some(certified) => match timeout(silent, certified.acceptor().accept(stream)).await {
            Ok(Ok(stream)) => Box::new(stream),
            _ => return,
        },
    };
    let answer = service_fn(|request| {
        let shared = shared.clone();
        async move { Ok::<_, Infallible>(answer(&shared, ip, request).await) }
    });
    let mut server = hyper::server::conn::http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(silent).keep_alive(false).max_buf_size(HEAD_BYTES_MAX);
    // Who has said all there is to say may close that half, and is answered on the other.
    server.half_close(true);
    let all = Duration::from_secs(u64::from(shared.settings.request_seconds_max) + WAIT_SECONDS_MAX);
    match timeout(all, server.serve_connection(TokioIo::new(stream), answer).without_shutdown()).await {
        Ok(Ok(parts)) => listen::part(parts.io.into_inner()).await,
        Ok(Err(error)) => tracing::debug!("source {}: {ip} broke off: {error}", shared.context.name),
        Err(_) => tracing::debug!("source {}: {ip} took too long", shared.context.name),
    }
    drop(place);
}

/// An answer that is no success: status, what is wrong, and a field that goes with it.
struct Problem(StatusCode, String, Option<(HeaderName, &'static str)>);

impl Problem {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self(status, detail.into(), None)
    }
}

impl From<KeepError> for Problem {
    fn from(error: KeepError) -> Self {
        let status = match &error {
            KeepError::Item(_) => StatusCode::BAD_REQUEST,
            KeepError::Full | KeepError::Busy | KeepError::Ledger(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self(status, error.to_string(), Some((RETRY_AFTER, "30")))
    }
}

type Answer = Response<Full<Bytes>>;

async fn answer(shared: &Shared, ip: IpAddr, request: Request<Incoming>) -> Answer {
    match take(shared, ip, request).await {
        Ok(answer) => answer,
        Err(Problem(status, detail, field)) => {
            let board = &shared.context.board;
            if status.is_server_error() {
                board.failed(&format!("something from {ip} was put off: {detail}"));
            } else {
                board.refused(Mishap::now(format!("something from {ip}: {detail}")));
            }
            let title = status.canonical_reason().unwrap_or_default();
            let body = json!({"type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail});
            let mut answer = json_answer(status, "application/problem+json", &body);
            if let Some((name, value)) = field {
                answer.headers_mut().insert(name, hyper::header::HeaderValue::from_static(value));
            }
            answer
        }
    }
}

fn json_answer(status: StatusCode, kind: &'static str, body: &serde_json::Value) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(format!("{body}\n"))));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(kind));
    answer
}

async fn take(shared: &Shared, ip: IpAddr, request: Request<Incoming>) -> Result<Answer, Problem> {
    if request.uri().path() != "/reports" {
        return Err(Problem::new(StatusCode::NOT_FOUND, "reports go to /reports"));
    }
    if request.method() != Method::POST {
        return Err(Problem(
            StatusCode::METHOD_NOT_ALLOWED,
            "reports are sent by POST".to_owned(),
            Some((ALLOW, "POST")),
        ));
    }
    authorised(shared, request.headers())?;
    let max = shared.settings.body_bytes_max;
    acceptable(request.headers(), max)?;
    if shared.context.desk.is_full() {
        return Err(KeepError::Busy.into());
    }
    let patience = preferred_wait(request.headers());
    let receipt = read(shared, ip, request.into_body()).await?;
    shared.context.board.kept(&[receipt]);
    shared.context.board.is(Activity::Waiting);
    let found = match patience {
        Some(patience) => shared.context.desk.outcome(&receipt, patience).await,
        None => None,
    };
    let status = if found.is_some() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok(json_answer(status, "application/json", &described(&receipt, found.as_ref())))
}

/// A receipt, and what was found, as the answer says it.
fn described(receipt: &Receipt, found: Option<&Outcome>) -> serde_json::Value {
    let known = matches!(receipt.state, KeptState::Known { .. });
    let found = found.map(|found| {
        let rejections = found
            .rejections
            .iter()
            .map(|(member, rejection)| json!({"member": member, "kind": rejection.kind, "message": rejection.message}));
        json!({
            "reports": found.reports, "new": found.new, "duplicates": found.duplicates, "conflicts": found.conflicts,
            "samples": found.samples, "rejected": found.rejected, "rejections": rejections.collect::<Vec<_>>(),
        })
    });
    json!({"receipt": receipt.key.to_string(), "bytes": receipt.size, "known": known, "found": found})
}

fn authorised(shared: &Shared, headers: &HeaderMap) -> Result<(), Problem> {
    let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    let expected = shared.token.open().map_err(KeepError::Ledger)?;
    // Of two digests the time to compare them says nothing about the token.
    if shown.is_some_and(|shown| Sha256::digest(shown) == Sha256::digest(expected.expose())) {
        return Ok(());
    }
    let detail = "the token is missing or another one: send `Authorization: Bearer …`";
    Err(Problem(StatusCode::UNAUTHORIZED, detail.to_owned(), Some((WWW_AUTHENTICATE, "Bearer"))))
}

fn acceptable(headers: &HeaderMap, max: u64) -> Result<(), Problem> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if text(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > max) {
        return Err(too_large(max));
    }
    let kind = text(CONTENT_TYPE).map_or("", |kind| kind.split(';').next().unwrap_or_default().trim());
    if !kind.is_empty() && !TYPES.iter().any(|known| known.eq_ignore_ascii_case(kind)) {
        let detail = "this is no type of a report: XML, gzip, zip or a message, without a form around it";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let encoding = text(CONTENT_ENCODING).unwrap_or("identity");
    if !["identity", "gzip", "x-gzip"].iter().any(|known| known.eq_ignore_ascii_case(encoding)) {
        let detail = "the content encoding is none that can be undone: gzip, or none";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    Ok(())
}

fn too_large(max: u64) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {max} bytes"))
}

/// RFC 7240 §4.3: `wait=10` is how many seconds the client would wait.
fn preferred_wait(headers: &HeaderMap) -> Option<Duration> {
    let preferences = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let wait = preferences.flat_map(|value| value.split(',')).find_map(|one| one.trim().strip_prefix("wait="))?;
    wait.trim().parse().ok().map(|seconds: u64| Duration::from_secs(seconds.min(WAIT_SECONDS_MAX)))
}

async fn read(shared: &Shared, ip: IpAddr, mut body: Incoming) -> Result<Receipt, Problem> {
    let settings = &shared.settings;
    let silent = Duration::from_secs(u64::from(settings.timeout_seconds));
    let end = Instant::now() + Duration::from_secs(u64::from(settings.request_seconds_max));
    let mut arrival = shared.context.desk.arrival(shared.context.origin(format!("from {ip}")));
    while !body.is_end_stream() {
        let frame = timeout_at(end.min(Instant::now() + silent), body.frame()).await;
        let frame = frame.map_err(|_| Problem::new(StatusCode::REQUEST_TIMEOUT, "the body took too long"))?;
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.to_string()))?;
        if let Some(piece) = frame.data_ref() {
            if arrival.size() + piece.len() as u64 > settings.body_bytes_max {
                return Err(too_large(settings.body_bytes_max));
            }
            arrival.write(piece).await?;
        }
    }
    if arrival.size() == 0 {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "the body is empty"));
    }
    Ok(arrival.finish().await?)
}
