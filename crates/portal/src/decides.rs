//! Decisions that are made in the portal: a form's, or a program's as JSON; taken down by whoever writes the ledger, and in force on every
//! page when the answer comes.
//!
//! In: a small request with a body. Out: the way back to the flow, or what the decision changed as JSON. As with files, only pages of ours
//! and programs decide: a page elsewhere cannot.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use insight::{Decided, FlowClass, NewDecision, Scope, Target};
use report::Day;

use crate::answer::elsewhere;
use crate::changes::{Fields, Refused, read_json};
use crate::links;
use crate::web::{Site, defect};

/// The place of the list and of the form.
pub(crate) const PAGE: &str = "/decisions";
/// The place for programs.
pub(crate) const API: &str = "/api/v1/decisions";
/// What programs send.
const SHAPE: &str = r#"{"target": {"flow": "…"}, "class": "third_party", "note": "…", "who": "…", "expires": "2027-01-31"}; a network as {"network": "192.0.2.0/24"}, and no class to take back what is in force."#;
/// What a page is called that says why nothing was decided.
const TITLE: &str = "Why was it not decided?";

/// Answers a form: back to where it stood.
pub(crate) async fn by_hand(State(site): State<Arc<Site>>, request: Request) -> Response {
    let fields = Fields::read(request).await;
    let answered = site.blocking(move |site| {
        let taken = fields.and_then(|fields| {
            new_decision(site, &fields).and_then(|new| take(site, &new))?;
            Ok(came_from(&fields).map_or_else(links::decisions, |flow| links::flow(flow, &Scope::default())))
        });
        taken.map_or_else(|refused| refused.page(site, TITLE), |back| elsewhere(&back))
    });
    answered.await.unwrap_or_else(defect)
}

/// The flow whose page the form stood on.
fn came_from(fields: &Fields) -> Option<&str> {
    let is_id = |id: &&str| id.len() == 10 && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    fields.get("flow").filter(is_id)
}

/// Answers a program.
pub(crate) async fn by_program(State(site): State<Arc<Site>>, request: Request) -> Response {
    let new = match read_json(request, "a decision", SHAPE).await {
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

/// What a form says, as a decision.
fn new_decision(site: &Site, fields: &Fields) -> Result<NewDecision, Refused> {
    let field = |name: &str| fields.get(name);
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
    decide(new).map_err(|error| Refused::of(&error))
}
