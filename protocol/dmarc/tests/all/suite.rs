//! The cases of RFC 9989's Appendix B and those transcribed from mailauth (MIT).
#![expect(clippy::disallowed_methods, reason = "the suite is a file")]

use std::path::PathBuf;

use authres::ResultWord;
use dmarc::{Identifier, Method, Rules, Standard, Verdict, Walker, verdict};
use dns::{Data, Name, Suffixes, Zone, now};
use message::Domain;
use serde_json::Value;

/// The cases; none where the suite is not there.
fn cases() -> Option<Vec<Value>> {
    let folder = std::env::var_os("LAMPPOST_SUITES")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/suites")), PathBuf::from);
    let path = folder.join("dmarc/rfc9989-given.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        assert_ne!(std::env::var("LAMPPOST_CI").as_deref(), Ok("1"), "no suite at {}", path.display());
        eprintln!("SKIPPED: no suite at {}: set LAMPPOST_SUITES", path.display());
        return None;
    };
    Some(serde_json::from_str::<Vec<Value>>(&text).expect("a list of cases"))
}

fn name(value: &Value) -> Name {
    Name::parse(value.as_str().expect("a name")).expect("a name")
}

fn strings(value: &Value) -> Vec<Name> {
    value.as_array().into_iter().flatten().map(name).collect()
}

/// Names with records, those that exist without, and the rest, which does not.
fn zone(case: &Value) -> Zone {
    let mut zone = Zone::new();
    for (owner, texts) in case["zone_txt"].as_object().expect("a zone") {
        let owner = Name::parse(owner).expect("a name");
        for text in texts.as_array().expect("texts") {
            zone.add(&owner, 300, Data::Txt(text.as_str().expect("a text").as_bytes().into()));
        }
    }
    for existing in strings(&case["exists"]) {
        zone.exists(&existing);
    }
    for absent in strings(&case["nxdomain"]) {
        assert!(matches!(zone.answer(&absent, dns::RecordType::A), dns::Response::NxDomain { .. }), "{absent}");
    }
    zone
}

fn evaluate(case: &Value) -> Verdict {
    let identifier = |method, value: &Value| Identifier {
        method,
        domain: Some(name(&value["domain"])),
        result: ResultWord::parse(value["result"].as_str().expect("a word")).expect("a word"),
    };
    let mut identifiers = Vec::new();
    if case["spf"].is_object() {
        identifiers.push(identifier(Method::Spf, &case["spf"]));
    }
    identifiers.extend(case["dkim"].as_array().expect("a list").iter().map(|value| identifier(Method::Dkim, value)));
    let author = Domain::parse(case["from_domain"].as_str().expect("a name").as_bytes()).expect("a domain");
    let rules = Rules { standard: Standard::Rfc9989, suffixes: &Suffixes::default(), sample: 0 };
    let zone = zone(case);
    now(verdict(&author, &identifiers, &mut Walker::new(&zone), &rules))
}

/// One expectation as what was found, in the same shape.
fn found(verdict: &Verdict, key: &str) -> Value {
    let json = verdict.to_json();
    match key {
        "result" => json["result"].clone(),
        "org" => json["organizational_domain"].clone(),
        "policy_domain" => json["policy_domain"].clone(),
        "policy" => json["policy"].clone(),
        "published" => json["published_policy"].clone(),
        "spf_aligned" => json["spf_aligned"].clone(),
        "dkim_aligned" => json["dkim_aligned"].clone(),
        "author_queries" => {
            json["discovery"].as_array().expect("steps").iter().map(|step| step["name"].clone()).collect()
        }
        "override_reason" if json["test_mode"] == true => "policy_test_mode".into(),
        other => panic!("what is {other}?"),
    }
}

#[test]
fn rfc_9989() {
    let Some(cases) = cases() else { return };
    let (mut differences, mut expectations, mut scored) = (Vec::new(), 0, 0);
    for case in cases.iter().filter(|case| case["ambiguous"].is_null()) {
        let verdict = evaluate(case);
        scored += 1;
        for (key, expected) in case["expect"].as_object().expect("expectations") {
            expectations += 1;
            let found = found(&verdict, key);
            if found != *expected {
                differences.push(format!("{}: {key} is {found}, not {expected} ({})", case["id"], verdict.why()));
            }
        }
    }
    println!("rfc9989-given.json: {scored} cases, {expectations} expectations, {} differ", differences.len());
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(scored >= 26, "only {scored} cases");
}
