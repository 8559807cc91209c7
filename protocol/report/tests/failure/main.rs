//! Failure reports: what is read from the shapes they come in, what is refused, what is the same, and what may be kept of it.

#![expect(clippy::unwrap_used, reason = "what a test builds for itself does not fail")]

mod cases;
mod same;
mod suite;

use report::failure::{Failure, Limits, read};
use report::package::{Found, PackageLimits, open};
use report::{Rejection, RejectionKind};

/// 2026-01-01: what a case says about 2099 is in the future.
const NOW: i64 = 1_767_225_600;

fn limits() -> Limits {
    Limits { latest: NOW, ..Limits::default() }
}

/// Everything that an item holds, through the opener of containers.
fn found(item: &[u8]) -> Vec<(Option<String>, Result<Failure, Rejection>)> {
    let mut all = Vec::new();
    let limits = PackageLimits { failure: limits(), ..PackageLimits::default() };
    open(&mut &item[..], &limits, &mut |found| match found {
        Found::Failure { member, failure } => all.push((member.map(str::to_owned), Ok(*failure))),
        Found::Rejected { member, rejection } => all.push((member.map(str::to_owned), Err(rejection))),
        Found::Report { .. } => panic!("no aggregate report is in it"),
    })
    .unwrap();
    all
}

/// The one report of a mail.
fn one(mail: &[u8]) -> Failure {
    let mut all = read(mail, &limits()).expect("it is a failure report");
    assert_eq!(all.len(), 1);
    all.pop().unwrap().unwrap()
}

#[test]
fn other_mail_is_none() {
    let cases = [
        ("an aggregate report", "From: a@b.example\nSubject: Report Domain: x\nContent-Type: text/xml\n\n<feedback/>"),
        (
            "a mail that speaks of them",
            "From: a@b.example\nSubject: x\n\nPlease send us a message/feedback-report, with\nFeedback-Type: auth-failure.\n",
        ),
        (
            "a bounce",
            "From: a@b.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nfeedback-report\n--b--",
        ),
        (
            "a report without anything in it",
            "From: a@b.example\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\nhello\n--b--",
        ),
        ("nothing", ""),
    ];
    for (why, mail) in cases {
        assert!(read(mail.as_bytes(), &limits()).is_none(), "{why}");
    }
}

/// A message inside a failure report or a bounce is not the reporter's: an aggregate report in it must not count as one it sent.
#[test]
fn nothing_is_taken_from_the_message_that_failed() {
    let forged = "From: a@victim.example\nContent-Type: application/octet-stream; name=report.xml\n\n<feedback><version>1.0</version></feedback>\n";
    for kind in ["feedback-report", "delivery-status", "disposition-notification", "\"\""] {
        let mail = format!(
            "From: noreply@receiver.example\nContent-Type: multipart/report; report-type={kind}; boundary=b\n\n--b\n\nhello\n--b\n\
             Content-Type: message/rfc822\n\n{forged}\n--b--\n"
        );
        let found = found(mail.as_bytes());
        assert!(
            found
                .iter()
                .all(|(_, one)| one.is_err() || one.as_ref().is_ok_and(|f| f.report.author.domain == "victim.example")),
            "{kind}"
        );
        assert!(!found.is_empty(), "{kind}");
    }
}

#[test]
fn limits_hold() {
    let feedback = |fields: &str| {
        format!(
            "From: a@b.example\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\
             Content-Type: message/feedback-report\n\nFeedback-Type: auth-failure\nReported-Domain: c.example\n{fields}\n--b--\n"
        )
    };
    let long = one(feedback(&format!("User-Agent: {}", "x".repeat(100_000))).as_bytes());
    assert_eq!(long.report.user_agent.unwrap().len(), Limits::default().field_bytes);
    assert!(long.flaws.iter().any(|flaw| flaw.kind == report::FlawKind::LongText));
    let many =
        one(feedback(&"Original-Rcpt-To: x@y.example\nReported-URI: u:v\nReported-Domain: z.example\n".repeat(1_000))
            .as_bytes());
    assert!(
        many.report.rcpt_to.len() <= 20
            && many.report.reported_uris.len() <= 20
            && many.report.reported_domains.len() <= 20
    );
    let part =
        "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: auth-failure\nReported-Domain: c.example\n";
    let mail = format!("From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n{}--b--\n", part.repeat(150));
    let all = read(mail.as_bytes(), &limits()).unwrap();
    assert_eq!(all.len(), 101);
    let last = all.last().unwrap().as_ref().unwrap_err();
    assert_eq!(last.kind, RejectionKind::MemberLimit);
    let header = format!(
        "{}--b\nContent-Type: text/rfc822-headers\n\nFrom: d@e.example\n{}\n--b--\n",
        feedback("").replace("--b--\n", ""),
        "X-Y: z\n".repeat(200_000)
    );
    assert!(one(header.as_bytes()).report.header.len() < 100_000, "a header has an end");
}
