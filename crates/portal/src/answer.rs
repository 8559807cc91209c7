//! Answers that are no pages of their own: tables, downloads, redirections, failures; and what browsers' forms send, tidied up.

use axum::http::header;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::api::Problem;
use crate::around::Around;
use crate::ask::Ask;
use crate::call::{Failure, Reply};
use crate::pages::{self, Here};
use crate::url::Url;

/// A sentence.
pub(crate) fn plain(status: StatusCode, text: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{text}\n")).into_response()
}

/// A table, to be saved.
pub(crate) fn csv(name: &str, text: String) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    (headers, text).into_response()
}

/// A stranger's text, to be saved: never anything that a browser would draw. The name is ours.
pub(crate) fn attachment(name: &str, bytes: Vec<u8>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers =
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    (headers, bytes).into_response()
}

/// Go there instead.
pub(crate) fn elsewhere(url: &Url) -> Response {
    let mut response = plain(StatusCode::SEE_OTHER, "See the place named in Location.");
    if let Ok(value) = HeaderValue::from_str(url.as_str()) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

/// The status of a failure, its title, and what to do about it.
fn told(failure: &Failure) -> (StatusCode, &'static str, &'static str) {
    match failure {
        Failure::Query(_) | Failure::Path { .. } | Failure::Plan(_) => (
            StatusCode::BAD_REQUEST,
            "What was meant?",
            "Mend the address above, or begin again and use the filter bar.",
        ),
        Failure::Missing(_) => (
            StatusCode::NOT_FOUND,
            "Where is it?",
            "It may have been forgotten with older days, or the address has a slip of the pen.",
        ),
        Failure::Ledger(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "Why is there no answer?",
            "The ledger could not be read. Reload the page; if that does not help, the log says more and “lamppost doctor” looks for the cause.",
        ),
    }
}

/// A failure as a page.
pub(crate) fn page_failure(around: &Around, failure: &Failure) -> Response {
    log(failure);
    let (status, title, todo) = told(failure);
    let ask = Ask::default();
    let page = pages::error::page(Here { around, ask: &ask }, title, &failure.to_string(), todo);
    (status, Reply::Page(page)).into_response()
}

/// What was sent and not taken, as a page: its question and the answer to it.
pub(crate) fn page_problem(around: &Around, status: StatusCode, (title, what): (&str, &str)) -> Response {
    let ask = Ask::default();
    let here = Here { around, ask: &ask };
    let page = pages::error::page(here, title, what, "Go back and try again.");
    (status, Reply::Page(page)).into_response()
}

/// A failure as RFC 9457 has it.
pub(crate) fn api_failure(failure: &Failure) -> Response {
    log(failure);
    let (status, ..) = told(failure);
    let parameter = match failure {
        Failure::Query(error) => Some(error.parameter().to_owned()),
        _ => None,
    };
    problem(status, failure.to_string(), parameter)
}

/// Something else that went wrong, as RFC 9457 has it.
pub(crate) fn api_problem(status: StatusCode, detail: String) -> Response {
    problem(status, detail, None)
}

fn problem(status: StatusCode, detail: String, parameter: Option<String>) -> Response {
    let title = status.canonical_reason().unwrap_or("Error").to_owned();
    let problem = Problem { kind: "about:blank", title, status: status.as_u16(), detail, parameter };
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response()
}

/// Only what is not the client's own doing is worth a line in the log.
fn log(failure: &Failure) {
    if let Failure::Ledger(error) = failure {
        tracing::error!(%error, "a page could not be answered");
    }
}

/// What a form sent.
pub(crate) struct Form {
    /// The pairs that mean something.
    pub(crate) pairs: Vec<(String, String)>,
    /// Whether anything had to go: then the browser is sent to the address that says the same and can be passed on.
    pub(crate) changed: bool,
}

impl Form {
    /// Drops empty fields, and of a length of time and fixed days the one that was there before. Fixed days that were set
    /// before the form was sent come with `dates=set`: then the length was chosen now and wins. Otherwise the days do.
    pub(crate) fn of(pairs: Vec<(String, String)>) -> Self {
        let before = pairs.len();
        let given = |name: &str| pairs.iter().any(|(n, value)| n == name && !value.is_empty());
        let days = given("since") || given("until");
        let drop_days = days && given("days") && given("dates");
        let drop_length = days && given("days") && !given("dates");
        let kept: Vec<_> = pairs
            .into_iter()
            .filter(|(name, value)| {
                let name = name.as_str();
                let lost = (drop_days && matches!(name, "since" | "until")) || (drop_length && name == "days");
                !value.is_empty() && name != "dates" && !lost
            })
            .collect();
        Self { changed: kept.len() != before, pairs: kept }
    }

    /// The same place with what is left.
    pub(crate) fn tidied(&self, path: &str, values: &[String]) -> Response {
        let mut values = values.iter().map(String::as_str);
        let segments: Vec<&str> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| if segment.starts_with('{') { values.next().unwrap_or_default() } else { segment })
            .collect();
        let url = self.pairs.iter().fold(Url::path(&segments), |url, (name, value)| url.with_pair(name, value));
        elsewhere(&url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_length_and_days_the_newer_choice_wins() {
        let cases = [
            ("nothing to tidy", "days=30&domain=a", "days=30&domain=a", false),
            ("empty fields", "days=30&domain=&since=&until=", "days=30", true),
            ("days were typed beside a length", "days=90&since=2026-12-01&until=", "since=2026-12-01", true),
            ("a length was chosen where days were set", "days=30&since=2026-12-01&dates=set", "days=30", true),
            (
                "days were set and stay",
                "days=&since=2026-12-01&until=2026-12-02&dates=set",
                "since=2026-12-01&until=2026-12-02",
                true,
            ),
        ];
        for (why, sent, expected, changed) in cases {
            let pairs =
                sent.split('&').map(|pair| pair.split_once('=').unwrap()).map(|(n, v)| (n.to_owned(), v.to_owned()));
            let form = Form::of(pairs.collect());
            let kept = form.pairs.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join("&");
            assert_eq!((kept.as_str(), form.changed), (expected, changed), "{why}");
        }
    }
}
