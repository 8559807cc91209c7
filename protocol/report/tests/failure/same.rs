//! Which failure reports are the same one.
#![expect(clippy::disallowed_methods, reason = "cases are files")]

use std::path::Path;

use super::{found, one};

fn mail(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/failure").join(name);
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn packing_makes_no_other_report() {
    let standard = mail("01-standard.eml");
    let content = one(standard.as_bytes()).content;
    let cases = [
        ("with CRLF", standard.replace('\n', "\r\n")),
        ("in base64, in another container", mail("02-base64.eml")),
        ("in base64 without a word", mail("03-unlabelled-base64.eml")),
        ("under other labels", mail("04-wrong-labels.eml")),
        ("sent again later", standard.replace("Date: Mon, 01 Dec 2025 10:05:00", "Date: Tue, 02 Dec 2025 12:05:00")),
        ("folded elsewhere", standard.replace("dmarc=fail header.from", "dmarc=fail\n header.from")),
    ];
    for (why, mail) in cases {
        assert_eq!(one(mail.as_bytes()).content, content, "{why}");
    }
    let forwarded = found(mail("17-forwarded.eml").as_bytes());
    assert_eq!(forwarded.len(), 1);
    assert_eq!(forwarded[0].1.as_ref().unwrap().content, content, "forwarded as an attachment");
}

#[test]
fn every_fact_makes_another_report() {
    let standard = mail("01-standard.eml");
    let content = one(standard.as_bytes()).content;
    let changes = [
        ("From: \"Failure reports\" <noreply@receiver.example>", "From: <noreply@other.example>"),
        ("User-Agent: Filter/1.0", "User-Agent: Filter/1.1"),
        ("Auth-Failure: dmarc", "Auth-Failure: spf"),
        ("dmarc=fail header", "dmarc=none header"),
        ("Identity-Alignment: dkim, spf", "Identity-Alignment: spf"),
        ("Arrival-Date: Mon, 01 Dec 2025 10:00:00", "Arrival-Date: Mon, 01 Dec 2025 10:00:01"),
        ("Source-IP: 192.0.2.7", "Source-IP: 192.0.2.8"),
        ("Reported-Domain: sender", "Reported-Domain: www.sender"),
        ("Original-Mail-From: <b", "Original-Mail-From: <c"),
        ("Original-Rcpt-To: <r", "Original-Rcpt-To: <s"),
        ("Delivery-Result: reject", "Delivery-Result: spam"),
        ("DKIM-Domain: s", "DKIM-Domain: t"),
        ("DKIM-Selector: k1", "DKIM-Selector: k2"),
        ("DKIM-Identity: @", "DKIM-Identity: a@"),
        ("v=spf1 -all", "v=spf1 ~all"),
        ("Original-Envelope-Id: 1234", "Original-Envelope-Id: 1235"),
        ("Incidents: 3", "Incidents: 4"),
        ("<visualstudio@", "<vst@"),
        ("X-Internal: nobody", "X-Internal: somebody"),
    ];
    for (from, to) in changes {
        assert!(standard.contains(from), "{from}");
        assert_ne!(one(standard.replacen(from, to, 1).as_bytes()).content, content, "{from} → {to}");
    }
}

/// Nothing tells two messages apart but the mails that speak of them.
#[test]
fn without_any_fact_the_mail_counts() {
    let bare = |date: &str| {
        format!(
            "From: a@b.example\nDate: {date}\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\
             Content-Type: message/feedback-report\n\nFeedback-Type: auth-failure\nReported-Domain: c.example\n--b--\n"
        )
    };
    let (first, second) = (bare("Mon, 01 Dec 2025 10:05:00 +0000"), bare("Mon, 01 Dec 2025 10:05:01 +0000"));
    assert_ne!(one(first.as_bytes()).content, one(second.as_bytes()).content);
}
