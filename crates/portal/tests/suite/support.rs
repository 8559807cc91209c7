//! Asking the router without a socket, and reading what a page links to.

use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use portal::Options;
use store::Ledger;
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// A portal as a browser on the same machine sees it.
pub(crate) struct Portal {
    router: Router,
    runtime: Runtime,
    pub(crate) host: String,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// One header field; empty where it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

impl Portal {
    /// On this loopback address.
    pub(crate) fn on(ledger: Ledger, address: &str) -> Self {
        Self::with(ledger, address, portal::program::Program::default())
    }

    /// The same, of a program that knows this beside the ledger.
    pub(crate) fn with(ledger: Ledger, address: &str, program: portal::program::Program) -> Self {
        Self::as_said(ledger, Options { program, ..Options::at(address.parse().unwrap()) })
    }

    /// With everything there is.
    pub(crate) fn as_said(ledger: Ledger, options: Options) -> Self {
        let address: SocketAddr = options.address;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
        Self { router: portal::router(ledger, options), runtime, host: address.to_string() }
    }

    /// A GET.
    pub(crate) fn get(&self, url: &str) -> Answer {
        self.ask(Method::GET, url, &[])
    }

    /// Any request without a body; fields given replace the usual ones.
    pub(crate) fn ask(&self, method: Method, url: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(method, url, fields, Body::empty())
    }

    /// A request that has a body.
    pub(crate) fn ask_with_body(&self, method: Method, url: &str, body: Body) -> Answer {
        self.send(method, url, &[], body)
    }

    pub(crate) fn send(&self, method: Method, url: &str, fields: &[(&str, &str)], body: Body) -> Answer {
        let mut request = Request::builder().method(method).uri(url);
        if !fields.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", &self.host);
        }
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, *value);
        }
        let request = request.body(body).unwrap();
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let body = to_bytes(body, 64 << 20).await.unwrap().to_vec();
            Answer { status: parts.status, headers: parts.headers, body }
        })
    }
}

/// The values of an attribute, unescaped.
pub(crate) fn attributes(page: &str, name: &str) -> Vec<String> {
    let needle = format!(" {name}=\"");
    let values = page.match_indices(&needle).filter_map(|(at, _)| page[at + needle.len()..].split('"').next());
    values
        .map(|value| value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"))
        .collect()
}
