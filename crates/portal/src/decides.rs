//! Decisions that are made in the portal: a form's, or a program's as JSON; taken down by whoever writes the ledger, and in force on every
//! page when the answer comes.
//!
//! In: a small request with a body. Out: the way back to the flow, or what the decision changed as JSON. As with files, only pages of ours
//! and programs decide: a page elsewhere cannot.

use std::sync::Arc;
use std::time::Duration;

use axum::Form;
use axum::body::to_bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use insight::{Decided, FlowClass, NewDecision, Scope, Target};
use report::Day;
use tokio::time::timeout;

use crate::answer::{api_problem, elsewhere, page_problem};
use crate::links;
use crate::upload::is_foreign;
use crate::web::{Site, defect};

/// The place of the list and of the form.
pub(crate) const PAGE: &str = "/decisions";
/// The place for programs.
pub(crate) const API: &str = "/api/v1/decisions";
/// Bytes of a request: a note has at most 2,000 and may be percent-encoded threefold.
pub(crate) const BYTES_MAX: usize = 16 << 10;
/// How long a request may take to come.
const SILENCE: Duration = Duration::from_secs(30);

/// Whether this request may have a body.
pub(crate) fn is_decision(request: &Request) -> bool {
    request.method() == Method::POST && [PAGE, API].contains(&request.uri().path())
}

/// Why a decision was not taken.
struct Refused(StatusCode, String);

/// Answers a form: back to where it stood.
pub(crate) async fn by_hand(State(site): State<Arc<Site>>, request: Request) -> Response {
    match read_form(request).await {
        Ok((fields, flow)) => {
            let answered = site.blocking(move |site| {
                let back = flow.map_or_else(links::decisions, |flow| links::flow(&flow, &Scope::default()));
                match new_decision(site, &fields).and_then(|new| take(site, &new)) {
                    Ok(_) => elsewhere(&back),
                    Err(refused) => refused.page(site),
                }
            });
            answered.await.unwrap_or_else(defect)
        }
        Err(refused) => site.blocking(move |site| refused.page(site)).await.unwrap_or_else(defect),
    }
}

/// Answers a program.
pub(crate) async fn by_program(State(site): State<Arc<Site>>, request: Request) -> Response {
    let new = match read_json(request).await {
        Ok(new) => new,
        Err(refused) => return refused.problem(),
    };
    let answered = site.blocking(move |site| match take(site, &new) {
        Ok(decided) => {
            let body = serde_json::to_vec(&decided).unwrap_or_default();
            ([(header::CONTENT_TYPE, "application/json")], body).into_response()
        }
        Err(refused) => refused.problem(),
    });
    answered.await.unwrap_or_else(defect)
}

impl Refused {
    fn bad(what: &str) -> Self {
        Self(StatusCode::BAD_REQUEST, what.to_owned())
    }

    fn page(self, site: &Site) -> Response {
        page_problem(&site.around_or_nothing(), self.0, ("Why was it not decided?", &self.1))
    }

    fn problem(self) -> Response {
        api_problem(self.0, self.1)
    }
}

fn ours(request: &Request) -> Result<(), Refused> {
    if is_foreign(request.headers()) {
        let what =
            "Only a page of this portal may decide, and this came from elsewhere. Open the flow here and decide there.";
        return Err(Refused(StatusCode::FORBIDDEN, what.to_owned()));
    }
    Ok(())
}

/// The form's fields, and the flow whose page it stood on.
async fn read_form(request: Request) -> Result<(Vec<(String, String)>, Option<String>), Refused> {
    ours(&request)?;
    let form = timeout(SILENCE, Form::<Vec<(String, String)>>::from_request(request, &())).await;
    let form = form.map_err(|_| Refused::bad("Nothing came for too long. Send it again."))?;
    let Form(fields) =
        form.map_err(|error| Refused(error.status(), format!("The form could not be read: {error}.")))?;
    let is_id = |id: &String| id.len() == 10 && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let flow = fields.iter().find(|(name, _)| name == "flow").map(|(_, value)| value.clone()).filter(is_id);
    Ok((fields, flow))
}

async fn read_json(request: Request) -> Result<NewDecision, Refused> {
    ours(&request)?;
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    // What a form of another page could send is refused by its kind already.
    if !kind.trim_start().to_ascii_lowercase().starts_with("application/json") {
        return Err(Refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "A decision is sent as application/json.".to_owned()));
    }
    let body = timeout(SILENCE, to_bytes(request.into_body(), BYTES_MAX)).await;
    let body = body.map_err(|_| Refused::bad("Nothing came for too long. Send it again."))?;
    let body = body.map_err(|_| {
        Refused(StatusCode::PAYLOAD_TOO_LARGE, format!("A decision has at most {BYTES_MAX} bytes: shorten the note."))
    })?;
    serde_json::from_slice(&body).map_err(|error| {
        let shape = r#"{"target": {"flow": "…"}, "class": "third_party", "note": "…", "who": "…", "expires": "2027-01-31"}"#;
        Refused::bad(&format!(
            "This is no decision: {error}. Send {shape}; a network as {{\"network\": \"192.0.2.0/24\"}}, and no class to take back what is in force."
        ))
    })
}

/// What a form says, as a decision.
fn new_decision(site: &Site, fields: &[(String, String)]) -> Result<NewDecision, Refused> {
    let field = |name: &str| {
        let found = fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim());
        found.filter(|value| !value.is_empty())
    };
    let note = field("note").map(str::to_owned);
    let who = field("who").map(str::to_owned);
    if let Some(number) = field("undo") {
        let all = insight::decisions(&site.ledger, crate::web::today());
        let all = all.map_err(|error| Refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
        let undone = all.into_iter().find(|decision| decision.id.to_string() == number && decision.in_force);
        let undone = undone.ok_or_else(|| {
            Refused::bad("That decision is not in force: it was taken back or replaced before, or has ended.")
        })?;
        return Ok(NewDecision { target: undone.target, class: None, note, who, expires: None });
    }
    let class = field("class").and_then(FlowClass::from_word);
    let class = class.ok_or_else(|| Refused::bad("Choose what it is."))?;
    let target = match field("about") {
        Some("network") => {
            let network = field("network");
            Target::Network(
                network.ok_or_else(|| Refused::bad("Name the address or the network that is meant."))?.to_owned(),
            )
        }
        _ => Target::Flow(field("flow").unwrap_or_default().to_owned()),
    };
    let day = |text: &str| text.parse::<Day>().map_err(|_| Refused::bad("The last day is written as 2027-01-31."));
    let expires = field("expires").map(day).transpose()?;
    Ok(NewDecision { target, class: Some(class), note, who, expires })
}

fn take(site: &Site, new: &NewDecision) -> Result<Decided, Refused> {
    let Some(decide) = &site.options.program.decide else {
        let what = "This portal only shows. Decide with `lamppost decide`.";
        return Err(Refused(StatusCode::SERVICE_UNAVAILABLE, what.to_owned()));
    };
    decide(new).map_err(|error| {
        if let insight::Error::Decision { .. } = &error {
            return Refused::bad(&format!("{error}."));
        }
        tracing::error!(%error, "a decision could not be taken down");
        Refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    })
}
