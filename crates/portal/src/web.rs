//! The web layer: routes into handlers, failures into answers, and what every response carries.
//!
//! In: HTTP requests. Out: responses with a strict policy on each of them. Only GET and HEAD are answered, and POST
//! where files are handed in or something is decided. A handler that panics costs its own request and nothing else.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::HttpBody;
use axum::extract::{DefaultBodyLimit, Query, RawPathParams, Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use store::Ledger;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::answer::{Form, api_failure, csv, page_failure, plain};
use crate::around::Around;
use crate::ask::Ask;
use crate::call::{Call, Failure, Reply};
use crate::metrics::{self, Figures, Requests};
use crate::program::Program;
use crate::upload::{self, Inbox, UploadLimits};
use crate::{api, assets, changes, decides, pages, says, site};

/// What the portal has to know of where it is served.
#[derive(Clone)]
pub struct Options {
    /// The address it listens on. On a loopback address only requests that name it as their host are answered, so that no
    /// web site can reach the portal through a name of its own (DNS rebinding).
    pub address: SocketAddr,
    /// What the program knows beside the ledger.
    pub program: Program,
    /// Where files go that are handed in. Without it the portal only shows.
    pub inbox: Option<Arc<dyn Inbox>>,
}

impl Options {
    /// A portal at this address over a ledger and nothing else; it only shows.
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        Self { address, program: Program::default(), inbox: None }
    }
}

/// Names of each kind that are kept around a page, to offer and to search.
const NAMES_MAX: usize = 500;
/// How long the names around a page are kept: new reports may take this long to change a list of names.
const NAMES_KEPT: Duration = Duration::from_secs(10);
/// Questions asked of the ledger at the same time: each may hold a day's rows in memory.
const QUESTIONS_AT_ONCE: usize = 16;

pub(crate) struct Site {
    pub(crate) ledger: Ledger,
    pub(crate) options: Options,
    /// Turns of those who hand in.
    pub(crate) uploads: Semaphore,
    pub(crate) upload_limits: UploadLimits,
    around: Mutex<Option<(Instant, Arc<Around>)>>,
    permits: Semaphore,
    api: Vec<api::Route>,
    document: Vec<u8>,
    requests: Requests,
}

/// The portal over a ledger.
pub fn router(ledger: Ledger, options: Options) -> Router {
    let site = Arc::new(Site::new(ledger, options));
    let mut router = Router::new();
    for route in &site::ROUTES {
        let place = site.requests.place(route.path);
        let answer = move |State(site): State<Arc<Site>>, path, uri| {
            counted(Arc::clone(&site), place, page(site, route, path, uri))
        };
        router = router.route(route.path, get(answer));
    }
    for (index, route) in site.api.iter().enumerate() {
        let place = site.requests.place(route.path);
        let answer = move |State(site): State<Arc<Site>>, path, uri| {
            counted(Arc::clone(&site), place, program(site, index, path, uri))
        };
        router = router.route(route.path, get(answer));
    }
    if site.options.inbox.is_some() {
        let bytes_max = DefaultBodyLimit::max(site.upload_limits.request_bytes);
        router = router.route(upload::PAGE, post(upload::by_hand).layer(bytes_max));
        router = router.route(upload::API, post(upload::by_program).layer(bytes_max));
    }
    if site.options.program.decide.is_some() {
        let bytes_max = DefaultBodyLimit::max(changes::BYTES_MAX);
        router = router.route(decides::PAGE, post(decides::by_hand).layer(bytes_max));
        router = router.route(decides::API, post(decides::by_program).layer(bytes_max));
    }
    if site.options.program.say.is_some() {
        let bytes_max = DefaultBodyLimit::max(changes::BYTES_MAX);
        router = router.route(says::PAGE, post(says::by_hand).layer(bytes_max));
        router = router.route(says::API, post(says::by_program).layer(bytes_max));
    }
    router
        .route("/api", get(api_page))
        .route("/api/openapi.json", get(openapi))
        .route("/assets/{name}", get(asset))
        .route("/metrics", get(metrics))
        .fallback(|State(site): State<Arc<Site>>, uri| counted(Arc::clone(&site), usize::MAX, missing(site, uri)))
        .method_not_allowed_fallback(only_reading)
        .layer(CatchPanicLayer::custom(|_| {
            plain(
                StatusCode::INTERNAL_SERVER_ERROR,
                "A defect of this program was met while answering. The log says more.",
            )
        }))
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn_with_state(Arc::clone(&site), guard))
        .with_state(site)
}

impl Site {
    fn new(ledger: Ledger, options: Options) -> Self {
        let api = api::routes();
        let document = api::document(&api).to_string().into_bytes();
        let permits = Semaphore::new(QUESTIONS_AT_ONCE);
        let requests =
            Requests::new(site::ROUTES.iter().map(|route| route.path).chain(api.iter().map(|route| route.path)));
        let upload_limits = UploadLimits::default();
        let uploads = Semaphore::new(upload_limits.at_once);
        Self { ledger, options, uploads, upload_limits, around: Mutex::new(None), permits, api, document, requests }
    }

    /// What is around every page: read again when it is older than [`NAMES_KEPT`].
    fn around(&self) -> Result<Arc<Around>, insight::Error> {
        let now = now();
        let kept = self.around.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((read, around)) = kept
            && read.elapsed() < NAMES_KEPT
            && around.days.is_some()
        {
            return Ok(Arc::new(Around { now, ..(*around).clone() }));
        }
        let known = insight::known(&self.ledger, NAMES_MAX)?;
        let uploads = self.options.inbox.is_some();
        let (decides, says) = (self.options.program.decide.is_some(), self.options.program.say.is_some());
        let around = Arc::new(Around { uploads, decides, says, ..Around::of(known, now) });
        *self.around.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), Arc::clone(&around)));
        Ok(around)
    }

    /// The same; nothing where the ledger cannot be read.
    pub(crate) fn around_or_nothing(&self) -> Arc<Around> {
        self.around().unwrap_or_else(|_| Arc::new(Around { now: now(), ..Around::default() }))
    }

    /// An answer or the page that says why there is none.
    pub(crate) fn framed(&self, answer: impl FnOnce(&Around) -> Result<Reply, Failure>) -> Response {
        match self.around() {
            Ok(around) => {
                answer(&around).map_or_else(|failure| page_failure(&around, &failure), IntoResponse::into_response)
            }
            Err(error) => page_failure(&Around { now: now(), ..Around::default() }, &Failure::Ledger(error)),
        }
    }

    /// Runs a question off the reactor. `None` if it panicked.
    pub(crate) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Option<T> {
        let _permit = self.permits.acquire().await.ok()?;
        let site = Arc::clone(self);
        tokio::task::spawn_blocking(move || work(&site)).await.ok()
    }
}

/// Seconds since 1970 UTC.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(since).unwrap_or(i64::MAX)
}

/// The UTC day it is.
pub(crate) fn today() -> report::Day {
    report::Day::of(now())
}

fn pairs(uri: &Uri) -> Vec<(String, String)> {
    Query::<Vec<(String, String)>>::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default()
}

fn path_values(path: &RawPathParams) -> Vec<String> {
    path.iter().map(|(_, value)| value.to_owned()).collect()
}

async fn page(site: Arc<Site>, route: &'static site::Route, path: RawPathParams, uri: Uri) -> Response {
    let path = path_values(&path);
    let form = Form::of(pairs(&uri));
    if form.changed {
        return form.tidied(route.path, &path).into_response();
    }
    let answered = site.blocking(move |site| {
        site.framed(|around| {
            let ask = Ask::parse(&form.pairs, &route.all_params())?;
            (route.answer)(&Call { ledger: &site.ledger, program: &site.options.program, around, ask, path })
        })
    });
    answered.await.unwrap_or_else(defect)
}

async fn program(site: Arc<Site>, index: usize, path: RawPathParams, uri: Uri) -> Response {
    let path = path_values(&path);
    let answered = site.blocking(move |site| {
        let answer = || {
            let route = site.api.get(index).ok_or_else(|| Failure::Missing("such route".to_owned()))?;
            let ask = Ask::parse(&pairs(&uri), &route.params)?;
            let around = site.around()?;
            (route.answer)(&Call { ledger: &site.ledger, program: &site.options.program, around: &around, ask, path })
        };
        match answer() {
            Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
            Err(failure) => api_failure(&failure),
        }
    });
    answered.await.unwrap_or_else(defect)
}

/// A panic was met: said plainly, because nothing more is known.
pub(crate) fn defect() -> Response {
    plain(StatusCode::INTERNAL_SERVER_ERROR, "A defect of this program was met while answering. The log says more.")
}

async fn api_page(State(site): State<Arc<Site>>) -> Response {
    let answered = site.blocking(|site| {
        site.framed(|around| {
            let here = pages::Here { around, ask: &Ask::default() };
            Ok(Reply::Page(pages::api::page(here, &api::shown(&site.api))))
        })
    });
    answered.await.unwrap_or_else(defect)
}

async fn openapi(State(site): State<Arc<Site>>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], site.document.clone()).into_response()
}

async fn asset(uri: Uri) -> Response {
    match assets::find(uri.path()) {
        // The name changes with the content.
        Some(asset) => (
            [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")],
            asset.text,
        )
            .into_response(),
        None => plain(StatusCode::NOT_FOUND, "There is no such file. Reload the page that refers to it."),
    }
}

async fn metrics(State(site): State<Arc<Site>>) -> Response {
    let answered = site.blocking(|site| {
        let around = site.around()?;
        let program = &site.options.program;
        let alerts = insight::alerts(&site.ledger, around.now, false)?;
        let figures = Figures {
            alerts: (alerts.red, alerts.amber, alerts.unsent.len()),
            counters: site.ledger.counters().map_err(insight::Error::from)?,
            days: around.days,
            last_received: around.last_received,
            collecting: program.collecting.as_ref().map(|tell| tell()),
            learning: program.learning.as_ref().map(|tell| tell()),
            directory: program.directory.as_ref().map(|directory| (directory.state)()),
            dns: program.dns.as_ref().map(|tell| tell()).unwrap_or_default(),
            requests: &site.requests,
            now: around.now,
        };
        Ok::<_, insight::Error>(metrics::text(&figures))
    });
    match answered.await {
        Some(Ok(text)) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response(),
        Some(Err(error)) => api_failure(&Failure::Ledger(error)),
        None => defect(),
    }
}

/// Answers, and counts the answer with its time.
async fn counted(site: Arc<Site>, place: usize, answer: impl Future<Output = Response>) -> Response {
    let began = Instant::now();
    let response = answer.await;
    site.requests.answered(place, response.status().as_u16(), began.elapsed());
    response
}

async fn missing(site: Arc<Site>, uri: Uri) -> Response {
    let failure = Failure::Missing(format!("page {}", uri.path().chars().take(120).collect::<String>()));
    if uri.path().starts_with("/api/") {
        return api_failure(&failure);
    }
    site.blocking(move |site| site.framed(|_| Err(failure))).await.unwrap_or_else(defect)
}

async fn only_reading() -> Response {
    plain(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD are answered here.")
}

/// What every response carries. Text in reports is an attacker's: nothing inline runs, nothing foreign is fetched, nobody frames us.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Lets in who may come in, and sends everything out with its headers.
async fn guard(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let mut response = match refused(&site.options, &request) {
        Some(refusal) => refusal,
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn refused(options: &Options, request: &Request) -> Option<Response> {
    let address = options.address;
    let hands_in = options.inbox.is_some() && upload::is_upload(request);
    let program = &options.program;
    let decides = program.decide.is_some() && changes::is_for(request, [decides::PAGE, decides::API]);
    let says = program.say.is_some() && changes::is_for(request, [says::PAGE, says::API]);
    if !request.body().is_end_stream() && !hands_in && !decides && !says {
        return Some(plain(
            StatusCode::PAYLOAD_TOO_LARGE,
            "Requests have no body here: everything asked for is in the address.",
        ));
    }
    let header = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    if address.ip().is_loopback() && !header(header::HOST).is_some_and(|host| is_own(host, address.port())) {
        let own = format!("This portal is at http://127.0.0.1:{}/ and answers under no other name.", address.port());
        return Some(plain(StatusCode::MISDIRECTED_REQUEST, &own));
    }
    // Fetch metadata: a page of another site may lead here, but not read or embed what is here.
    let site = header(HeaderName::from_static("sec-fetch-site"));
    let mode = header(HeaderName::from_static("sec-fetch-mode"));
    (site == Some("cross-site") && mode != Some("navigate"))
        .then(|| plain(StatusCode::FORBIDDEN, "Another site may link to this portal, but not load it into itself."))
}

/// Whether a Host field names this machine itself and the port that is listened on.
fn is_own(host: &str, port: u16) -> bool {
    let (name, given) = match host.rsplit_once(':') {
        Some((name, given)) if !given.ends_with(']') => (name, given.parse().ok()),
        _ => (host, Some(80)),
    };
    given == Some(port) && ["127.0.0.1", "[::1]", "localhost"].iter().any(|own| name.eq_ignore_ascii_case(own))
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        match self {
            Self::Page(markup) => {
                ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], markup.into_string()).into_response()
            }
            Self::Csv(name, text) => csv(name, text),
            Self::Attachment(name, bytes) => crate::answer::attachment(&name, bytes),
            Self::Elsewhere(url) => crate::answer::elsewhere(&url),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_are_answered() {
        let cases = [
            ("127.0.0.1:8080", true),
            ("localhost:8080", true),
            ("LOCALHOST:8080", true),
            ("[::1]:8080", true),
            ("127.0.0.1", false),
            ("[::1]", false),
            ("127.0.0.1:8081", false),
            ("evil.example:8080", false),
            ("127.0.0.1.evil.example:8080", false),
            ("localhost.:8080", false),
            ("", false),
            (":8080", false),
        ];
        for (host, expected) in cases {
            assert_eq!(is_own(host, 8080), expected, "{host}");
        }
        assert!(is_own("localhost", 80), "the default port is not written");
    }

    #[test]
    fn a_panic_costs_its_own_request_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let address = "127.0.0.1:8025".parse().unwrap();
        let site = Arc::new(Site::new(Ledger::open(dir.path()).unwrap(), Options::at(address)));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let broken: fn(&Site) -> Response = |_| panic!("this is the panic that the test is about");
        for _ in 0..QUESTIONS_AT_ONCE * 2 {
            let answer = runtime.block_on(site.blocking(broken)).unwrap_or_else(defect);
            assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        }
        let after = runtime.block_on(site.blocking(|site| site.around().is_ok()));
        assert_eq!(after, Some(true), "no permit was lost");
    }
}
