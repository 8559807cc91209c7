//! Decisions made in the portal: by a page of ours, by a program, and by whom nobody asked.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Method;
use insight::{Decided, Period, Scope};
use portal::program::Program;
use serde_json::{Value, json};

use crate::ledger;
use crate::schema::faults;
use crate::support::{Answer, Portal};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");

/// Where, with which fields, what; the status, and what is said.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, u16, &'a str);

/// A portal that takes decisions as the program does.
fn portal(dir: &tempfile::TempDir) -> Portal {
    let ledger = ledger::filled(dir.path());
    let written = ledger.clone();
    let decide = move |new: &insight::NewDecision| {
        let totals = || insight::class_trend(&written, &Scope { period: Period::All, ..Scope::default() });
        let before = totals()?.totals;
        let decision = insight::decide(&written, new, 1_766_000_000)?;
        ledger::judge(&written);
        Ok(Decided { decision, before, after: totals()?.totals })
    };
    Portal::with(ledger, "127.0.0.1:8025", Program { decide: Some(Arc::new(decide)), ..Program::default() })
}

fn post(portal: &Portal, url: &str, fields: &[(&str, &str)], body: &str) -> Answer {
    portal.send(Method::POST, url, fields, Body::from(body.to_owned()))
}

/// The flow that an address belongs to, as the API has it.
fn flow_of(portal: &Portal, address: &str) -> Value {
    portal.get(&format!("/api/v1/sources/{address}/flows")).json()[0].clone()
}

#[test]
fn a_decision_is_seen_everywhere_at_once_and_can_be_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let portal = portal(&dir);
    let flow = flow_of(&portal, "203.0.113.7");
    let id = flow["id"].as_str().unwrap();
    assert_ne!(flow["class"], "third_party_unaligned", "{flow}");
    let messages = |class: &str| portal.get("/api/v1/trend/classes?days=all").json()["totals"][class].as_u64().unwrap();
    let before = messages("third_party_unaligned");

    let form = format!("flow={id}&about=flow&class=third_party&note=the+%3Cb%3Eprinter&who=M.+Okafor&network=");
    let answer = post(&portal, "/decisions", &[FORM, ("sec-fetch-site", "same-origin")], &form);
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, &*format!("/flows/{id}")));

    let page = portal.get(&format!("/flows/{id}")).text();
    for text in ["Third party, unaligned", "D0", "M. Okafor", "the &lt;b&gt;printer", "Take back"] {
        assert!(page.contains(text), "the flow's page lacks {text}");
    }
    assert!(portal.get("/sources/203.0.113.7").text().contains("Third party, unaligned"));
    assert!(portal.get("/flows?class=third_party_unaligned").text().contains(id));
    assert!(portal.get("/decisions").text().contains("M. Okafor"));
    assert_eq!(flow_of(&portal, "203.0.113.7")["class"], "third_party_unaligned");
    assert!(messages("third_party_unaligned") > before);

    let decisions = portal.get("/api/v1/decisions").json();
    let number = decisions[0]["id"].as_u64().unwrap();
    let answer = post(&portal, "/decisions", &[FORM], &format!("undo={number}&flow={id}"));
    assert_eq!(answer.status.as_u16(), 303);
    assert_eq!(messages("third_party_unaligned"), before);
    let answer = post(&portal, "/decisions", &[FORM], &format!("undo={number}"));
    assert_eq!(answer.status.as_u16(), 400, "what was taken back cannot be taken back again");
}

#[test]
fn a_program_decides_in_json_and_hears_what_changed() {
    let dir = tempfile::tempdir().unwrap();
    let portal = portal(&dir);
    let document = portal.get("/api/openapi.json").json();
    let operation = &document["paths"]["/api/v1/decisions"]["post"];
    let schema = |part: &Value| part["content"]["application/json"]["schema"].clone();
    let new = json!({
        "target": {"network": "203.0.113.0/24"}, "class": "own", "note": null, "who": "a script", "expires": "2030-01-31"
    });
    assert!(faults(&document, &schema(&operation["requestBody"]), &new).is_empty());
    let answer = post(&portal, "/api/v1/decisions", &[JSON], &new.to_string());
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    let decided = answer.json();
    assert!(faults(&document, &schema(&operation["responses"]["200"]), &decided).is_empty());
    assert_ne!(decided["before"], decided["after"], "{decided}");
    assert_eq!(flow_of(&portal, "203.0.113.7")["class"], "own_misconfigured");
}

#[test]
fn nobody_decides_from_elsewhere_and_nonsense_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let portal = portal(&dir);
    let id = flow_of(&portal, "203.0.113.7")["id"].as_str().unwrap().to_owned();
    let form = format!("flow={id}&class=own");
    let new = json!({"target": {"flow": id}, "class": "own"}).to_string();
    let evil = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
    let foreign = [("origin", "https://evil.example"), ("sec-fetch-site", "")];
    let too_long = format!("flow={id}&class=own&note={}", "x".repeat(3_000));
    let cases: [Case<'_>; 12] = [
        ("/decisions", &[FORM, evil[0], evil[1]], &form, 403, "Only a page of this portal"),
        ("/decisions", &[FORM, foreign[0]], &form, 403, "Only a page of this portal"),
        ("/api/v1/decisions", &[JSON, evil[0], evil[1]], &new, 403, "Only a page of this portal"),
        ("/api/v1/decisions", &[("content-type", "text/plain")], &new, 415, "application/json"),
        ("/api/v1/decisions", &[JSON], "{}", 400, "missing field `target`"),
        ("/api/v1/decisions", &[JSON], r#"{"target": {"flow": "x"}, "class": "own"}"#, 400, "ten letters"),
        ("/decisions", &[FORM], "flow=aaaaaaaaaa&class=friend", 400, "Choose what it is"),
        ("/decisions", &[FORM], "class=own&about=network&network=", 400, "Name the address"),
        ("/decisions", &[FORM], "class=own&about=network&network=192.0.2.0%2F99", 400, "192.0.2.0/24"),
        ("/decisions", &[FORM], &format!("{form}&expires=soon"), 400, "2027-01-31"),
        ("/decisions", &[FORM], &too_long, 400, "2,000 bytes"),
        ("/decisions", &[FORM], &"x".repeat(20_000), 413, ""),
    ];
    for (url, fields, body, status, says) in cases {
        let answer = post(&portal, url, fields, body);
        let context = format!("{url} {}", body.chars().take(60).collect::<String>());
        assert_eq!(answer.status.as_u16(), status, "{context}: {}", answer.text());
        assert!(answer.text().contains(says), "{context}: {}", answer.text());
    }
    assert_eq!(portal.get("/api/v1/decisions").json(), json!([]), "nothing was taken down");

    let shows = Portal::on(ledger::empty(&dir.path().join("other")), "127.0.0.1:8025");
    assert_eq!(post(&shows, "/decisions", &[FORM], "class=own").status.as_u16(), 413, "it only shows");
}
