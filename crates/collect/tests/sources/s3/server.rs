//! A server that plays S3: buckets of one, pages of ten keys, presigned requests (AWS Signature Version 4) checked by arithmetic of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

pub(crate) const ACCESS: &str = "AKIATEST";
pub(crate) const SECRET: &str = "s3cret/of+the+bucket";
const REGION: &str = "eu-test-1";
const PAGE: usize = 10;

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Vec<u8>>,
    counts: BTreeMap<&'static str, u64>,
    /// Keys whose body is cut short, once each.
    cut: BTreeSet<String>,
    forbidden: BTreeSet<String>,
    replace: BTreeMap<String, Vec<u8>>,
    /// Requests that are answered with 503.
    busy: u32,
}

#[derive(Clone)]
pub(crate) struct Server {
    port: u16,
    state: Arc<Mutex<State>>,
}

fn tag(bytes: &[u8]) -> String {
    Sha256::digest(bytes)[..16].iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let this = Self { port, state: Arc::default() };
        let of = this.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let of = of.clone();
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let of = of.clone();
                        async move { Ok::<_, std::convert::Infallible>(of.answer(&request)) }
                    });
                    // One that ends with an error was cut short on purpose.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(Piped::over(stream)), service)
                        .await;
                });
            }
        });
        this
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap())
    }

    pub(crate) fn put(&self, key: &str, bytes: Vec<u8>) {
        self.with(|state| state.objects.insert(key.to_owned(), bytes));
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.with(|state| state.objects.keys().cloned().collect())
    }

    pub(crate) fn bytes(&self, key: &str) -> Vec<u8> {
        self.with(|state| state.objects[key].clone())
    }

    /// Requests of a kind that were let in.
    pub(crate) fn count(&self, kind: &str) -> u64 {
        self.with(|state| state.counts.get(kind).copied().unwrap_or(0))
    }

    pub(crate) fn cut_short(&self, key: &str) {
        self.with(|state| state.cut.insert(key.to_owned()));
    }

    pub(crate) fn busy(&self, requests: u32) {
        self.with(|state| state.busy = requests);
    }

    pub(crate) fn forbid(&self, key: &str) {
        self.with(|state| state.forbidden.insert(key.to_owned()));
    }

    pub(crate) fn allow(&self, key: &str) {
        self.with(|state| state.forbidden.remove(key));
    }

    pub(crate) fn replace_after_get(&self, key: &str, bytes: Vec<u8>) {
        self.with(|state| state.replace.insert(key.to_owned(), bytes));
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if let Err((status, code, more)) = signed(request) {
            return refusal(status, code, &more);
        }
        let path = decode(request.uri().path());
        let Some(key) = path.strip_prefix("/reports/") else { return refusal(404, "NoSuchBucket", "") };
        let mut state = self.state.lock().unwrap();
        if state.busy > 0 {
            state.busy -= 1;
            return refusal(503, "SlowDown", "");
        }
        let kind = match *request.method() {
            Method::GET if key.is_empty() => "LIST",
            Method::GET => "GET",
            Method::HEAD => "HEAD",
            Method::PUT => "PUT",
            Method::DELETE => "DELETE",
            _ => "OTHER",
        };
        *state.counts.entry(kind).or_default() += 1;
        if state.forbidden.contains(key) {
            return refusal(403, "AccessDenied", "");
        }
        match kind {
            "LIST" => list(&state, request),
            "GET" | "HEAD" => match state.objects.get(key).cloned() {
                None => refusal(404, "NoSuchKey", ""),
                Some(bytes) => {
                    let answer = Response::builder().header("etag", format!("\"{}\"", tag(&bytes)));
                    if kind == "HEAD" {
                        return answer.header("content-length", bytes.len()).body(Full::default()).unwrap();
                    }
                    if let Some(other) = state.replace.remove(key) {
                        state.objects.insert(key.to_owned(), other);
                    }
                    if state.cut.remove(key) {
                        // What comes after this is missing: the pipe below breaks the connection off.
                        let answer = answer.header("x-cut-short", "yes").header("content-length", bytes.len());
                        return answer.body(Full::from(bytes)).unwrap();
                    }
                    answer.body(Full::from(bytes)).unwrap()
                }
            },
            "PUT" => copy(&mut state, key, request),
            "DELETE" => {
                state.objects.remove(key);
                Response::builder().status(204).body(Full::default()).unwrap()
            }
            _ => refusal(405, "MethodNotAllowed", ""),
        }
    }
}

fn refusal(status: u16, code: &str, more: &str) -> Response<Full<Bytes>> {
    let text = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>no</Message>{more}</Error>");
    Response::builder().status(status).body(Full::from(text)).unwrap()
}

fn list(state: &State, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let query = query(request);
    let given = |name: &str| query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    assert_eq!((given("list-type"), given("encoding-type")), ("2", "url"));
    let (prefix, from) = (given("prefix"), given("continuation-token"));
    let after = from.strip_prefix("after ").unwrap_or("");
    let found: Vec<_> = state
        .objects
        .iter()
        .filter(|(key, _)| key.starts_with(prefix) && (after.is_empty() || key.as_str() > after))
        .collect();
    let mut text = String::from("<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (key, bytes) in found.iter().take(PAGE) {
        let (key, size, tag) = (encode(key), bytes.len(), tag(bytes));
        write!(text, "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00Z</LastModified>").unwrap();
        write!(text, "<ETag>&quot;{tag}&quot;</ETag><Size>{size}</Size></Contents>").unwrap();
    }
    write!(text, "<EncodingType>url</EncodingType><IsTruncated>{}</IsTruncated>", found.len() > PAGE).unwrap();
    if found.len() > PAGE {
        write!(text, "<NextContinuationToken>after {}</NextContinuationToken>", found[PAGE - 1].0).unwrap();
    }
    text += "</ListBucketResult>";
    Response::new(Full::from(text))
}

fn copy(state: &mut State, to: &str, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let field = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
    let from = decode(&field("x-amz-copy-source"));
    let Some(bytes) = from.strip_prefix("/reports/").and_then(|key| state.objects.get(key)).cloned() else {
        return refusal(404, "NoSuchKey", "");
    };
    if field("x-amz-copy-source-if-match") != format!("\"{}\"", tag(&bytes)) {
        return refusal(412, "PreconditionFailed", "");
    }
    state.objects.insert(to.to_owned(), bytes);
    Response::new(Full::from("<CopyObjectResult></CopyObjectResult>"))
}

fn query(request: &Request<Incoming>) -> Vec<(String, String)> {
    let pairs = request.uri().query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let digits = str::from_utf8(&after[..2]).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// RFC 3986: everything but what is unreserved.
fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").unwrap();
        }
        out
    })
}

/// HMAC with SHA-256.
fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; 64];
    if key.len() > 64 {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let padded = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Checks the signature as Amazon's documentation of Signature Version 4 for query parameters has it.
fn signed(request: &Request<Incoming>) -> Result<(), (u16, &'static str, String)> {
    let refused = |status, code| Err((status, code, String::new()));
    let pairs = query(request);
    let given = |name: &str| pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let credential = given("X-Amz-Credential").to_owned();
    let parts: Vec<&str> = credential.split('/').collect();
    let [key, day, region, service, last] = parts[..] else { return refused(403, "AccessDenied") };
    if key != ACCESS {
        return refused(403, "InvalidAccessKeyId");
    }
    if region != REGION {
        return Err((400, "AuthorizationQueryParametersError", format!("<Region>{REGION}</Region>")));
    }
    assert_eq!((given("X-Amz-Algorithm"), service, last), ("AWS4-HMAC-SHA256", "s3", "aws4_request"));
    assert!(given("X-Amz-Date").starts_with(day) && given("X-Amz-Date").ends_with('Z'));
    let names = given("X-Amz-SignedHeaders").to_owned();
    let mut fields = String::new();
    for name in names.split(';') {
        let value = request.headers().get(name).unwrap_or_else(|| panic!("{name} is signed and missing"));
        writeln!(fields, "{name}:{}", value.to_str().unwrap().trim()).unwrap();
    }
    for name in request.headers().keys().filter(|name| name.as_str().starts_with("x-amz-")) {
        assert!(names.split(';').any(|signed| signed == name.as_str()), "{name} must be signed");
    }
    let mut sorted: Vec<String> = pairs
        .iter()
        .filter(|(name, _)| name != "X-Amz-Signature")
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    sorted.sort();
    let path = decode(request.uri().path()).split('/').map(encode).collect::<Vec<_>>().join("/");
    let method = request.method();
    let canonical = format!("{method}\n{path}\n{}\n{fields}\n{names}\nUNSIGNED-PAYLOAD", sorted.join("&"));
    let scope = format!("{day}/{region}/{service}/{last}");
    let to_sign =
        format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{}", given("X-Amz-Date"), hex(&Sha256::digest(canonical.as_bytes())));
    let mut signing = hmac(format!("AWS4{SECRET}").as_bytes(), day.as_bytes());
    for part in [region, service, last] {
        signing = hmac(&signing, part.as_bytes());
    }
    if hex(&hmac(&signing, to_sign.as_bytes())) == given("X-Amz-Signature") {
        return Ok(());
    }
    refused(403, "SignatureDoesNotMatch")
}

/// A connection that breaks off in the middle of an answer that is marked so.
struct Piped;

impl Piped {
    fn over(mut stream: tokio::net::TcpStream) -> tokio::io::DuplexStream {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        tokio::spawn(async move {
            let (mut from_client, mut to_client) = stream.split();
            let (mut from_server, mut to_server) = tokio::io::split(theirs);
            let inward = async {
                let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
                let _ = to_server.shutdown().await;
            };
            let outward = async {
                let mut bytes = vec![0; 1 << 16];
                while let Ok(count @ 1..) = from_server.read(&mut bytes).await {
                    let cut = bytes[..count].windows(11).any(|part| part == b"x-cut-short");
                    let sent = if cut { count.min(400) } else { count };
                    if to_client.write_all(&bytes[..sent]).await.is_err() || cut {
                        break;
                    }
                }
            };
            tokio::select! {
                () = inward => {}
                () = outward => {}
            }
        });
        ours
    }
}
