//! The public RFC 7208 suite (openspf.org, BSD) and the cases of mail-auth (Apache-2.0/MIT) that an RFC 7208 oracle confirms.
#![expect(clippy::disallowed_methods, reason = "the suites are files")]

use std::net::IpAddr;
use std::path::PathBuf;

use dns::{Data, Fault, Name, RecordType, Response, Zone, now};
use message::ReversePath;
use serde_json::Value;
use spf::{Client, Evaluation, Limits, check_mail_from};

/// The lines of a suite; none where it is not there.
fn suite(file: &str) -> Option<Vec<Value>> {
    let folder = std::env::var_os("LAMPPOST_SUITES")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/suites")), PathBuf::from);
    let path = folder.join("spf").join(file);
    let Ok(text) = std::fs::read_to_string(&path) else {
        assert_ne!(std::env::var("LAMPPOST_CI").as_deref(), Ok("1"), "no suite at {}", path.display());
        eprintln!("SKIPPED: no suite at {}: set LAMPPOST_SUITES", path.display());
        return None;
    };
    Some(text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect())
}

/// The suites write bytes beyond ASCII as the characters of the same numbers.
fn bytes(value: &Value) -> Box<[u8]> {
    let strings: Vec<&str> = match value {
        Value::Array(strings) => strings.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    };
    strings.concat().chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

/// The zone of a case: `SPF` is served as TXT unless the name has a TXT of its own.
fn zone(case: &Value) -> Zone {
    let mut zone = Zone::new();
    for (name, entries) in case["zone"].as_object().expect("a zone") {
        let Ok(name) = Name::parse(name) else { continue };
        let entries = entries.as_array().expect("a list");
        let has_text = entries.iter().any(|entry| entry.get("TXT").is_some());
        for entry in entries {
            let Some(record) = entry.as_object() else { continue };
            for (kind, value) in record {
                let kind = if kind == "SPF" && !has_text { "TXT" } else { kind };
                add(&mut zone, &name, kind, value);
            }
        }
        // `TIMEOUT` beside records: questions for which there are none of them time out.
        if entries.iter().any(|entry| entry == "TIMEOUT") {
            let silent =
                RecordType::ALL.into_iter().filter(|kind| !matches!(zone.answer(&name, *kind), Response::Found(_)));
            silent.collect::<Vec<_>>().into_iter().for_each(|kind| zone.fail(&name, Some(kind), Fault::Timeout));
        }
    }
    zone
}

fn add(zone: &mut Zone, name: &Name, kind: &str, value: &Value) {
    let text = value.as_str().unwrap_or_default();
    let target = |text: &str| Name::parse(if text.is_empty() { "." } else { text }).expect("a name");
    if text == "TIMEOUT" {
        if let Ok(kind) = kind.parse::<RecordType>() {
            zone.fail(name, Some(kind), Fault::Timeout);
        }
        return;
    }
    let data = match kind {
        "A" => Data::A(text.parse().expect("an address")),
        "AAAA" => Data::Aaaa(text.parse().expect("an address")),
        // "NONE" only says that nothing is to be served.
        "TXT" if text == "NONE" => return zone.exists(name),
        "TXT" => Data::Txt(bytes(value)),
        "MX" => {
            let preference = value[0].as_u64().and_then(|number| u16::try_from(number).ok()).expect("a preference");
            Data::Mx(preference, target(value[1].as_str().expect("a host")))
        }
        "PTR" => Data::Ptr(target(text)),
        "CNAME" => Data::Cname(target(text)),
        _ => return zone.exists(name),
    };
    zone.add(name, 300, data);
}

fn evaluate(case: &Value) -> Evaluation {
    let ip: IpAddr = case["ip"].as_str().expect("an address").parse().expect("an address");
    let client = Client::new(ip, case["helo"].as_str().unwrap_or_default());
    let mail_from = ReversePath::parse(Some(case["mail_from"].as_str().unwrap_or_default().as_bytes()));
    now(check_mail_from(&zone(case), &client, &mail_from, &Limits::default()))
}

/// Runs a suite; returns what differs.
fn differences(cases: &[Value]) -> Vec<String> {
    let mut out = Vec::new();
    for case in cases {
        let evaluation = evaluate(case);
        let accepted = case["accept"].as_array().expect("results");
        if !accepted.iter().any(|result| result == evaluation.result.as_str()) {
            out.push(format!("{}: {} ({:?}), not {accepted:?}", case["id"], evaluation.result, evaluation.reason));
        }
        if let Some(expected) = case["explanation"].as_str().filter(|_| evaluation.result == spf::SpfResult::Fail) {
            // DEFAULT: the receiver's own words, so there are none of the domain's.
            let expected = Some(expected).filter(|text| *text != "DEFAULT");
            if evaluation.explanation.as_deref() != expected {
                out.push(format!("{}: {:?}, not {expected:?}", case["id"], evaluation.explanation));
            }
        }
    }
    out
}

/// Runs a suite and says how it went; nothing where it is not there.
fn run(file: &str, least: usize) -> String {
    let Some(cases) = suite(file) else { return String::new() };
    let differences = differences(&cases);
    assert!(cases.len() >= least, "{file}: only {} cases", cases.len());
    assert!(differences.is_empty(), "{file}:\n{}", differences.join("\n"));
    format!("{file}: {} cases, all as expected", cases.len())
}

#[test]
fn openspf() {
    println!("{}", run("openspf-rfc7208.jsonl", 203));
}

#[test]
fn mail_auth() {
    println!("{}", run("mail-auth.jsonl", 118));
}
