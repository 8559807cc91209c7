//! What is said to alerts in the portal: by a page of ours, by a program, and by whom nobody asked.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Method;
use insight::Watching;
use portal::program::Program;
use serde_json::{Value, json};
use store::Ledger;

use crate::ledger;
use crate::schema::faults;
use crate::support::{Answer, Portal};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");

/// Where, with which fields, what; the status, and what is said.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, u16, &'a str);

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// A ledger in which a source of reports fails since two hours: one alert.
fn alarmed(dir: &tempfile::TempDir) -> Ledger {
    let ledger = ledger::empty(dir.path());
    let trouble = insight::SourceTrouble {
        name: "mailbox".to_owned(),
        kind: "imap".to_owned(),
        since: now() - 7_200,
        problem: "<b>no</b>".to_owned(),
    };
    insight::watch_over(&ledger, &Watching::default(), now(), &[trouble]).unwrap();
    ledger
}

fn portal(ledger: Ledger) -> Portal {
    let written = ledger.clone();
    let say = move |new: &insight::NewWord| insight::say(&written, new, now());
    Portal::with(ledger, "127.0.0.1:8025", Program { say: Some(Arc::new(say)), ..Program::default() })
}

fn post(portal: &Portal, url: &str, fields: &[(&str, &str)], body: &str) -> Answer {
    portal.send(Method::POST, url, fields, Body::from(body.to_owned()))
}

fn alert(portal: &Portal) -> Value {
    portal.get("/api/v1/alerts").json()["lines"][0].clone()
}

#[test]
fn an_alert_is_acknowledged_silenced_and_taken_back_by_forms() {
    let dir = tempfile::tempdir().unwrap();
    let portal = portal(alarmed(&dir));
    let id = alert(&portal)["id"].as_u64().unwrap();
    let page = portal.get("/alerts").text();
    assert!(page.contains("Acknowledge or silence") && !page.contains("lamppost alerts acknowledge"));

    let own = [FORM, ("sec-fetch-site", "same-origin")];
    let answer =
        post(&portal, "/alerts", &own, &format!("alert={id}&days=7&note=the+%3Cb%3E&who=M.+Okafor&word=acknowledge"));
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/alerts"));
    assert_eq!(alert(&portal)["state"], "acknowledged");
    let page = portal.get("/alerts").text();
    for text in ["Acknowledged", "M. Okafor", "the &lt;b&gt;", "Take back"] {
        assert!(page.contains(text), "the page lacks {text}");
    }
    assert_eq!(post(&portal, "/alerts", &own, &format!("alert={id}&word=undo")).status.as_u16(), 303);
    assert_eq!(alert(&portal)["state"], "open");

    assert_eq!(post(&portal, "/alerts", &own, &format!("alert={id}&word=silence&days=3")).status.as_u16(), 303);
    let silenced = alert(&portal);
    assert_eq!(silenced["state"], "silenced");
    let until = silenced["words"][0]["until"].as_i64().unwrap();
    assert!((until - now() - 3 * 86_400).abs() < 600, "{until}");
}

#[test]
fn a_program_says_it_in_json() {
    let dir = tempfile::tempdir().unwrap();
    let portal = portal(alarmed(&dir));
    let id = alert(&portal)["id"].as_u64().unwrap();
    let document = portal.get("/api/openapi.json").json();
    let operation = &document["paths"]["/api/v1/alerts"]["post"];
    let schema = |part: &Value| part["content"]["application/json"]["schema"].clone();
    let new = json!({"alert": id, "word": "silence", "until": now() + 600, "note": null, "who": "a script"});
    assert!(faults(&document, &schema(&operation["requestBody"]), &new).is_empty());
    let answer = post(&portal, "/api/v1/alerts", &[JSON], &new.to_string());
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    assert!(faults(&document, &schema(&operation["responses"]["200"]), &answer.json()).is_empty());
    assert_eq!(alert(&portal)["state"], "silenced");
}

#[test]
fn nobody_says_it_from_elsewhere_and_nonsense_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let portal = portal(alarmed(&dir));
    let id = alert(&portal)["id"].as_u64().unwrap();
    let form = format!("alert={id}&word=acknowledge");
    let new = json!({"alert": id, "word": "acknowledge"}).to_string();
    let evil = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
    let past = json!({"alert": id, "word": "silence", "until": 1_000}).to_string();
    let cases: [Case<'_>; 11] = [
        ("/alerts", &[FORM, evil[0], evil[1]], &form, 403, "Only a page of this portal"),
        ("/alerts", &[FORM, ("origin", "https://evil.example")], &form, 403, "Only a page of this portal"),
        ("/api/v1/alerts", &[JSON, evil[0], evil[1]], &new, 403, "Only a page of this portal"),
        ("/api/v1/alerts", &[("content-type", "text/plain")], &new, 415, "application/json"),
        ("/api/v1/alerts", &[JSON], "{}", 400, "missing field `alert`"),
        ("/api/v1/alerts", &[JSON], &past, 400, "still to come"),
        ("/alerts", &[FORM], "alert=999&word=acknowledge", 400, "no alert with this number"),
        ("/alerts", &[FORM], "word=acknowledge", 400, "which alert"),
        ("/alerts", &[FORM], &format!("alert={id}&word=shout"), 400, "Choose what"),
        ("/alerts", &[FORM], &format!("alert={id}&word=silence&days=9999"), 400, "1 to 366 days"),
        ("/alerts", &[FORM], &format!("{form}&note={}", "x".repeat(3_000)), 400, "2,000 bytes"),
    ];
    for (url, fields, body, status, says) in cases {
        let answer = post(&portal, url, fields, body);
        let context = format!("{url} {}", body.chars().take(60).collect::<String>());
        assert_eq!(answer.status.as_u16(), status, "{context}: {}", answer.text());
        assert!(answer.text().contains(says), "{context}: {}", answer.text());
    }
    assert_eq!(alert(&portal)["state"], "open", "nothing was taken down");

    let shows = Portal::on(alarmed(&tempfile::tempdir_in(dir.path()).unwrap()), "127.0.0.1:8025");
    assert_eq!(post(&shows, "/alerts", &[FORM], &form).status.as_u16(), 413, "it only shows");
    assert!(shows.get("/alerts").text().contains("lamppost alerts acknowledge"), "and says how else");
}
