//! Files that are handed in by hand: a form's, or a program's; streamed on as they come, and answered with what became of each.
//!
//! In: a request with a body, and the [`Inbox`] that whoever writes the ledger has given. Out: a page, or the same as JSON. Only requests
//! that come from a page of ours, or from no browser at all, are taken: a page elsewhere cannot hand in anything. RFC 7578 (forms).

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::multipart::Field;
use axum::extract::{FromRequest, Multipart, Request, State};
use axum::http::header::{self, HeaderMap, HeaderName};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::timeout;

use crate::answer::{api_problem, page_problem};
use crate::call::Reply;
use crate::web::{Site, defect};
use crate::{ask, pages};

/// The place of the form.
pub(crate) const PAGE: &str = "/reports/upload";
/// The place for programs.
pub(crate) const API: &str = "/api/v1/reports";

/// Something that will be known.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where files go that are handed in.
pub trait Inbox: Send + Sync {
    /// A file begins. The name is the sender's and may be anything.
    fn begin(&self, name: &str) -> Box<dyn Incoming>;
}

/// A file that is coming. One that is dropped leaves nothing behind.
pub trait Incoming: Send {
    /// Takes its next piece.
    fn write(&mut self, piece: Vec<u8>) -> Later<'_, ()>;

    /// It is complete: keeps it. Then waits until what is in it counts.
    fn finish(self: Box<Self>) -> Later<'static, Later<'static, Became>>;
}

/// What became of a file that was handed in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Became {
    /// Its name, as given.
    pub name: String,
    /// Its bytes.
    pub bytes: u64,
    /// Reports in it, duplicates and conflicts included.
    pub reports: u64,
    /// Reports that count now and did not before.
    pub new: u64,
    /// Reports that had been taken in before.
    pub duplicates: u64,
    /// Reports that took the place of another with the same identity; they are among the new ones.
    pub conflicts: u64,
    /// Failure reports in it, those that had come before included.
    pub samples: u64,
    /// The numbers of the first of its reports; of a duplicate, of the report that counts.
    pub named: Vec<u64>,
    /// Refusals of it or of its members.
    pub rejected: u64,
    /// The first of these.
    pub refusals: Vec<Refusal>,
    /// It is kept and not read yet: look again later.
    pub waiting: bool,
}

/// Why something was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Refusal {
    /// The member of an archive or of a mail, or the message of a mailbox; null for the file itself.
    pub member: Option<String>,
    /// One sentence for people: what was found, what is allowed, what to do.
    pub message: String,
}

/// What became of everything that one request handed in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Uploaded {
    /// The files, in their order.
    pub(crate) files: Vec<Became>,
}

/// How much may be handed in.
#[derive(Debug, Clone, Copy)]
pub struct UploadLimits {
    /// Bytes of one file: more than a year's reports of most companies in one archive. What is larger is imported.
    pub file_bytes: u64,
    /// Bytes of one request.
    pub request_bytes: usize,
    /// Files of one request: the page that answers lists all of them.
    pub files: usize,
    /// Requests at the same time; each holds a few hundred kilobytes and a thread.
    pub at_once: usize,
    /// How long nothing may come.
    pub silence: Duration,
    /// Characters of a file's name that are kept: file systems have names of 255 bytes.
    pub name_chars: usize,
}

impl Default for UploadLimits {
    fn default() -> Self {
        Self {
            file_bytes: 256 << 20,
            request_bytes: 1 << 30,
            files: 1_000,
            at_once: 4,
            silence: Duration::from_secs(30),
            name_chars: 255,
        }
    }
}

/// Why a request as a whole is refused.
struct Refused(StatusCode, String);

impl Refused {
    fn unreadable(why: &dyn std::fmt::Display) -> Self {
        Self(
            StatusCode::BAD_REQUEST,
            format!("What was sent could not be read to its end: {why}. Send it again; what came before counts once."),
        )
    }
}

/// Whether a request that hands in comes from elsewhere. Browsers say where a request comes from; whoever is none says nothing.
pub(crate) fn is_foreign(headers: &HeaderMap) -> bool {
    let field = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = field(HeaderName::from_static("sec-fetch-site")) {
        return site != "same-origin" && site != "none";
    }
    // Older browsers. A page of ours that is open in one says nothing of where it is (`Referrer-Policy`): then it is refused too.
    let own = field(header::HOST).map(|host| format!("http://{host}"));
    field(header::ORIGIN).is_some_and(|origin| own.as_deref() != Some(origin))
}

/// Whether this request may have a body.
pub(crate) fn is_upload(request: &Request) -> bool {
    request.method() == Method::POST && [PAGE, API].contains(&request.uri().path())
}

/// Answers a form.
pub(crate) async fn by_hand(State(site): State<Arc<Site>>, request: Request) -> Response {
    match take(&site, request).await {
        Ok(uploaded) => {
            let answered = site.blocking(move |site| {
                site.framed(|around| {
                    let here = pages::Here { around, ask: &ask::Ask::default() };
                    Ok(Reply::Page(pages::upload::page(here, &uploaded.files)))
                })
            });
            answered.await.unwrap_or_else(defect)
        }
        Err(Refused(status, what)) => site
            .blocking(move |site| page_problem(&site.around_or_nothing(), status, ("Why was it not taken in?", &what)))
            .await
            .unwrap_or_else(defect),
    }
}

/// Answers a program: a form, or a file as the body.
pub(crate) async fn by_program(State(site): State<Arc<Site>>, request: Request) -> Response {
    match take(&site, request).await {
        Ok(uploaded) => {
            let body = serde_json::to_vec(&uploaded).unwrap_or_default();
            ([(header::CONTENT_TYPE, "application/json")], body).into_response()
        }
        Err(Refused(status, what)) => api_problem(status, what),
    }
}

async fn take(site: &Site, request: Request) -> Result<Uploaded, Refused> {
    if is_foreign(request.headers()) {
        let what = "Only a page of this portal may hand in files, and this came from elsewhere. Open the page and choose the files there.";
        return Err(Refused(StatusCode::FORBIDDEN, what.to_owned()));
    }
    let Some(inbox) = &site.options.inbox else {
        let what = "This portal only shows; the program that writes the ledger takes reports in.";
        return Err(Refused(StatusCode::SERVICE_UNAVAILABLE, what.to_owned()));
    };
    let Ok(_turn) = site.uploads.try_acquire() else {
        let what = "Several uploads are under way. Send it again when they are through.";
        return Err(Refused(StatusCode::SERVICE_UNAVAILABLE, what.to_owned()));
    };
    let mut desk = Desk { inbox: inbox.as_ref(), limits: site.upload_limits, taken: Vec::new() };
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.trim_start().to_ascii_lowercase().starts_with("multipart/form-data") {
        let mut form =
            Multipart::from_request(request, &()).await.map_err(|error| Refused::unreadable(&error.body_text()))?;
        while let Some(field) = timeout(desk.limits.silence, form.next_field())
            .await
            .map_err(|_| Refused::unreadable(&"nothing came for too long"))?
            .map_err(|error| Refused(error.status(), format!("The form could not be read: {}.", error.body_text())))?
        {
            // Without a name it is no file, and where none was chosen the name is empty.
            let name = field.file_name().unwrap_or_default().to_owned();
            desk.file(&name, Pieces::Field(Box::new(field))).await?;
        }
    } else {
        desk.file("", Pieces::Body(request.into_body())).await?;
    }
    if desk.taken.is_empty() {
        let what = "There was no file in it. Choose one or more: XML, gzip, zip, a mail or a mailbox.";
        return Err(Refused(StatusCode::BAD_REQUEST, what.to_owned()));
    }
    let mut files = Vec::new();
    for taken in desk.taken {
        files.push(match taken {
            Taken::Kept(later) => later.await,
            Taken::Refused(became) => became,
        });
    }
    Ok(Uploaded { files })
}

/// What was taken of a request so far.
struct Desk<'a> {
    inbox: &'a dyn Inbox,
    limits: UploadLimits,
    taken: Vec<Taken>,
}

enum Taken {
    Kept(Later<'static, Became>),
    Refused(Became),
}

impl Desk<'_> {
    /// Takes one file.
    async fn file(&mut self, name: &str, mut pieces: Pieces<'_>) -> Result<(), Refused> {
        if self.taken.len() >= self.limits.files {
            let what = format!("More than {} files came at once; the first of them are taken in.", self.limits.files);
            return Err(Refused(StatusCode::PAYLOAD_TOO_LARGE, what));
        }
        let name: String = name.chars().take(self.limits.name_chars).collect();
        let mut coming = None;
        let (mut bytes, max) = (0_u64, self.limits.file_bytes);
        loop {
            let next = timeout(self.limits.silence, pieces.next()).await;
            let next = next.map_err(|_| Refused::unreadable(&"nothing came for too long"))?;
            let Some(piece) = next? else { break };
            bytes += piece.len() as u64;
            if bytes > max {
                // The rest is read all the same, so that whoever sends it gets to hear why it is not taken.
                coming = None;
            } else if !piece.is_empty() {
                coming.get_or_insert_with(|| self.inbox.begin(&name)).write(piece.to_vec()).await;
            }
        }
        if bytes > max {
            let message = format!("It is larger than {max} bytes: take it in with `lamppost import`.");
            let refusals = vec![Refusal { member: None, message }];
            self.taken.push(Taken::Refused(Became { name, bytes, rejected: 1, refusals, ..Became::default() }));
        } else if let Some(coming) = coming {
            self.taken.push(Taken::Kept(coming.finish().await));
        } else if !name.is_empty() {
            let message = "It is empty.".to_owned();
            let refusals = vec![Refusal { member: None, message }];
            self.taken.push(Taken::Refused(Became { name, rejected: 1, refusals, ..Became::default() }));
        }
        Ok(())
    }
}

/// What a file comes in.
enum Pieces<'a> {
    Field(Box<Field<'a>>),
    Body(Body),
}

impl Pieces<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>, Refused> {
        match self {
            Self::Field(field) => field.chunk().await.map_err(|error| match error.status() {
                StatusCode::PAYLOAD_TOO_LARGE => Refused(
                    error.status(),
                    "Too much came at once: send fewer files, or use `lamppost import`.".to_owned(),
                ),
                _ => Refused::unreadable(&error.body_text()),
            }),
            Self::Body(body) => loop {
                match body.frame().await {
                    None => return Ok(None),
                    Some(Err(error)) => return Err(Refused::unreadable(&error)),
                    Some(Ok(frame)) => {
                        if let Ok(bytes) = frame.into_data() {
                            return Ok(Some(bytes));
                        }
                    }
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_ours_and_programs_hand_in() {
        let cases: [(&[(&str, &str)], bool); 9] = [
            (&[], false),
            (&[("sec-fetch-site", "same-origin"), ("origin", "null")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "cross-site")], true),
            (&[("sec-fetch-site", "same-site"), ("origin", "http://127.0.0.1:8025")], true),
            (&[("origin", "http://127.0.0.1:8025")], false),
            (&[("origin", "http://127.0.0.1:9999")], true),
            (&[("origin", "https://evil.example")], true),
            (&[("origin", "null")], true),
        ];
        for (fields, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert("host", "127.0.0.1:8025".parse().unwrap());
            for (name, value) in fields {
                headers.insert(*name, value.parse().unwrap());
            }
            assert_eq!(is_foreign(&headers), expected, "{fields:?}");
        }
    }
}
