//! What people say to alerts in the portal: that they know, that they do not want to hear of it for a while; and taking it back.
//!
//! In: a small request with a body, a form's or a program's. Out: the way back to the alerts, or the number of what was said as JSON.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use insight::{NewWord, Word};

use crate::answer::elsewhere;
use crate::changes::{Fields, Refused, read_json};
use crate::links;
use crate::web::{Site, defect, now};

/// The place of the list and of the forms.
pub(crate) const PAGE: &str = "/alerts";
/// The place for programs.
pub(crate) const API: &str = "/api/v1/alerts";
/// What programs send.
const SHAPE: &str = r#"{"alert": 12, "word": "silence", "until": 1798761600, "note": "…", "who": "…"}; `acknowledge` and `undo` have no `until`."#;
/// What a page is called that says why nothing was taken down.
const TITLE: &str = "Why was it not taken down?";
/// Days of the longest silence by a form: whoever wants to hear of something never again switches its rule off.
const DAYS_MAX: i64 = 366;
const DAY: i64 = 86_400;

/// Answers a form: back to the alerts.
pub(crate) async fn by_hand(State(site): State<Arc<Site>>, request: Request) -> Response {
    let fields = Fields::read(request).await;
    let answered = site.blocking(move |site| {
        let taken = fields.and_then(|fields| new_word(&fields, now())).and_then(|new| take(site, &new));
        taken.map_or_else(|refused| refused.page(site, TITLE), |_| elsewhere(&links::alerts()))
    });
    answered.await.unwrap_or_else(defect)
}

/// Answers a program.
pub(crate) async fn by_program(State(site): State<Arc<Site>>, request: Request) -> Response {
    let new: NewWord = match read_json(request, "anything that can be said to an alert", SHAPE).await {
        Ok(new) => new,
        Err(refused) => return refused.problem(),
    };
    let answered = site.blocking(move |site| match take(site, &new) {
        Ok(number) => {
            let body = serde_json::json!({ "number": number }).to_string();
            ([(header::CONTENT_TYPE, "application/json")], body).into_response()
        }
        Err(refused) => refused.problem(),
    });
    answered.await.unwrap_or_else(defect)
}

/// What a form says.
fn new_word(fields: &Fields, now: i64) -> Result<NewWord, Refused> {
    let alert = fields.get("alert").and_then(|number| number.parse().ok());
    let alert = alert.ok_or_else(|| Refused::bad("It is not said which alert is meant."))?;
    let word = match fields.get("word") {
        Some("acknowledge") => Word::Acknowledge,
        Some("silence") => Word::Silence,
        Some("undo") => Word::Undo,
        _ => {
            return Err(Refused::bad(
                "Choose what is to be said to it: that you know of it, or silence for some days.",
            ));
        }
    };
    let until = if word == Word::Silence {
        let days = fields.get("days").and_then(|days| days.parse::<i64>().ok());
        let days = days.filter(|days| (1..=DAYS_MAX).contains(days));
        Some(now + DAY * days.ok_or_else(|| Refused::bad("Silence is for 1 to 366 days."))?)
    } else {
        None
    };
    let text = |name: &str| fields.get(name).map(str::to_owned);
    Ok(NewWord { alert, word, until, note: text("note"), who: text("who") })
}

fn take(site: &Site, new: &NewWord) -> Result<u64, Refused> {
    let Some(say) = &site.options.program.say else {
        let what = "This portal only shows. Use `lamppost alerts acknowledge` and `lamppost alerts silence`.";
        return Err(Refused(StatusCode::SERVICE_UNAVAILABLE, what.to_owned()));
    };
    say(new).map_err(|error| Refused::of(&error))
}
