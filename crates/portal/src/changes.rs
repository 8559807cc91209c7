//! Small requests that change something: a form's fields, or a program's JSON; only from pages of ours and from programs.
//!
//! In: a request with a body of a few kilobytes. Out: what it says, or why it is refused, as a page or as a problem. A page elsewhere
//! cannot change anything here: browsers say where a request comes from, and a form cannot send JSON.

use std::time::Duration;

use axum::Form;
use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::answer::{api_problem, page_problem};
use crate::upload::is_foreign;
use crate::web::Site;

/// Bytes of a request: a note has at most 2,000 and may be percent-encoded threefold.
pub(crate) const BYTES_MAX: usize = 16 << 10;
/// How long a request may take to come.
const SILENCE: Duration = Duration::from_secs(30);

/// Whether a request may have a body because it changes something at one of these places.
pub(crate) fn is_for(request: &Request, places: [&str; 2]) -> bool {
    request.method() == Method::POST && places.contains(&request.uri().path())
}

/// Why nothing was changed.
pub(crate) struct Refused(pub(crate) StatusCode, pub(crate) String);

impl Refused {
    pub(crate) fn bad(what: &str) -> Self {
        Self(StatusCode::BAD_REQUEST, what.to_owned())
    }

    /// What the ledger says to it.
    pub(crate) fn of(error: &insight::Error) -> Self {
        if let insight::Error::Decision { .. } = error {
            return Self::bad(&format!("{error}."));
        }
        tracing::error!(%error, "what was sent could not be taken down");
        Self(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }

    pub(crate) fn page(self, site: &Site, title: &str) -> Response {
        page_problem(&site.around_or_nothing(), self.0, (title, &self.1))
    }

    pub(crate) fn problem(self) -> Response {
        api_problem(self.0, self.1)
    }
}

fn ours(request: &Request) -> Result<(), Refused> {
    if is_foreign(request.headers()) {
        let what = "Only a page of this portal may change something, and this came from elsewhere. Open the page here and do it there.";
        return Err(Refused(StatusCode::FORBIDDEN, what.to_owned()));
    }
    Ok(())
}

/// The fields of a form.
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(crate) async fn read(request: Request) -> Result<Self, Refused> {
        ours(&request)?;
        let form = timeout(SILENCE, Form::<Vec<(String, String)>>::from_request(request, &())).await;
        let form = form.map_err(|_| Refused::bad("Nothing came for too long. Send it again."))?;
        let Form(fields) =
            form.map_err(|error| Refused(error.status(), format!("The form could not be read: {error}.")))?;
        Ok(Self(fields))
    }

    /// What was filled in.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim());
        found.filter(|value| !value.is_empty())
    }
}

/// What a program sends. `what`: what is sent, with its article; `shape`: what it looks like.
pub(crate) async fn read_json<T: DeserializeOwned>(request: Request, what: &str, shape: &str) -> Result<T, Refused> {
    ours(&request)?;
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    // What a form of another page could send is refused by its kind already.
    if !kind.trim_start().to_ascii_lowercase().starts_with("application/json") {
        let what = format!("What is sent here is sent as application/json: {shape}");
        return Err(Refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, what));
    }
    let body = timeout(SILENCE, to_bytes(request.into_body(), BYTES_MAX)).await;
    let body = body.map_err(|_| Refused::bad("Nothing came for too long. Send it again."))?;
    let body = body.map_err(|_| {
        Refused(StatusCode::PAYLOAD_TOO_LARGE, format!("At most {BYTES_MAX} bytes are taken here: shorten the note."))
    })?;
    serde_json::from_slice(&body).map_err(|error| Refused::bad(&format!("This is not {what}: {error}. Send {shape}")))
}
