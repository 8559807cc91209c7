//! Every mail of `testdata/failure`, and what is read from it.
#![expect(clippy::disallowed_methods, reason = "cases are files")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use report::failure::{Failure, Mailbox, Sample};

use super::found;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/failure")
}

fn address(mailbox: &Mailbox) -> String {
    format!("{}@{}", mailbox.local_part, mailbox.domain)
}

/// What a report says, a line a fact; what it does not say is left out.
fn described(failure: &Failure) -> String {
    let report = &failure.report;
    let mut text = String::new();
    let mut say = |what: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            writeln!(text, "{what}: {value}").unwrap();
        }
    };
    say("shape", Some(format!("{:?}", report.shape).to_lowercase()));
    say("reporter", Some(report.reporter.to_string()));
    say("user agent", report.user_agent.as_ref().map(ToString::to_string));
    say("arrived", report.arrived.map(|seconds| seconds.to_string()));
    say("source", report.source.map(|source| source.to_string()));
    say("source port", report.source_port.map(|port| port.to_string()));
    say("incidents", Some(report.incidents.to_string()));
    say("failure", Some(report.auth_failure.word().to_owned()));
    say("failed", report.failed.map(|failed| format!("dkim {} spf {}", failed.dkim, failed.spf)));
    say("delivery", report.delivery.as_ref().map(|delivery| delivery.word().to_owned()));
    say("reported", Some(report.reported_domains.join(" ")));
    say("uris", Some(report.reported_uris.join(" ")));
    say("envelope id", report.envelope_id.as_ref().map(ToString::to_string));
    say("envelope sender", report.mail_from.as_ref().map(address));
    say("recipients", Some(report.rcpt_to.iter().map(address).collect::<Vec<_>>().join(" ")));
    say("dkim domain", report.dkim_domain.as_ref().map(ToString::to_string));
    say("dkim selector", report.dkim_selector.as_ref().map(ToString::to_string));
    say("dkim identity", report.dkim_identity.as_ref().map(ToString::to_string));
    say("spf dns", Some(report.spf_dns.join(" ")));
    say("author", Some(address(&report.author)));
    say("header", Some(format!("{} fields", report.header.len())));
    for flaw in &failure.flaws {
        say("flaw", Some(format!("{:?} in {} {}", flaw.kind, flaw.place, flaw.value.as_deref().unwrap_or("-"))));
    }
    let sample = Sample::of(failure);
    say("kept subject", sample.subject.as_ref().map(ToString::to_string));
    say("kept sender", sample.envelope_from.as_ref().map(|domain| format!("“{domain}”")));
    say("kept recipients", Some(sample.envelope_to.join(" ")));
    say("kept spf", sample.spf_domain.as_ref().map(ToString::to_string));
    say("kept dkim", Some(sample.dkim.iter().map(|(d, s)| format!("{d}/{s}")).collect::<Vec<_>>().join(" ")));
    say("kept hosts", Some(sample.uri_hosts.join(" ")));
    say("kept fields", Some(sample.header.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(" ")));
    text
}

/// What is in an item, as the files have it.
fn all(item: &[u8]) -> String {
    let mut text = String::new();
    for (member, one) in found(item) {
        if let Some(member) = member {
            writeln!(text, "member: {member}").unwrap();
        }
        match one {
            Ok(failure) => text += &described(&failure),
            Err(rejection) => writeln!(text, "refused: {:?}: {}", rejection.kind, rejection.message).unwrap(),
        }
        text.push('\n');
    }
    text
}

#[test]
fn every_shape_is_read_as_it_says() {
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|ending| ending == "eml"));
    names.sort();
    let mut differing = Vec::new();
    for path in &names {
        let mail = std::fs::read(path).unwrap();
        let found = all(&mail);
        let expected = std::fs::read_to_string(path.with_extension("expected")).unwrap_or_default();
        if found != expected {
            println!("{}:\n{found}", path.display());
            differing.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
        let crlf = String::from_utf8(mail).unwrap().replace('\n', "\r\n");
        assert_eq!(all(crlf.as_bytes()), found, "{}: with CRLF", path.display());
    }
    println!("{} failure reports read", names.len());
    assert!(names.len() >= 17);
    assert_eq!(differing, [""; 0]);
}

#[test]
fn nobody_who_should_have_read_it_is_in_a_sample() {
    let mut samples = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "eml") {
            continue;
        }
        for (_, one) in found(&std::fs::read(&path).unwrap()) {
            let Ok(failure) = one else { continue };
            let sample = Sample::of(&failure);
            let json = serde_json::to_string(&sample).unwrap();
            for secret in
                ["recipient", "Recipient", "g9YVlCOnnMRSHaF1CBJ7Z0bnKrM", "nobody's business", "nobody needs this"]
            {
                assert!(!json.contains(secret), "{}: {secret} in {json}", path.display());
            }
            assert_eq!(serde_json::from_str::<Sample>(&json).unwrap(), sample, "it is kept as JSON");
            samples += 1;
        }
    }
    assert!(samples >= 15, "{samples}");
}
