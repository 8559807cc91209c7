//! What was added, changed or left unsigned, in the header and in the body.

use super::{BODY, GOOD, HEADER, NAMES, RELAXED, TAGS, one, standard_zone, with_tags};
use crate::common::{Hand, rsa, zone};
use dkim::Canon;

#[test]
fn body_lengths() {
    let tags = |length: u64| TAGS.replace("d=legit.test", &format!("d=legit.test; l={length}"));
    let whole = BODY.len() as u64;
    let partly = "policy 2048 [body_length]: the signature leaves the end of the body unsigned (l=)";
    let cases: &[(&str, u64, &str, &str)] = &[
        ("all of it", whole, "", "pass 2048 [body_length]"),
        ("D8 something was appended", whole, "An attachment.\r\n", partly),
        ("D8 empty lines were appended", whole, "\r\n\r\n", "pass 2048 [body_length]"),
        ("D9 l=0", 0, "", partly),
        (
            "D10 more than there is",
            whole + 1,
            "",
            "permerror 2048 [body_length]: the signature covers more body than there is (l=)",
        ),
    ];
    for (why, length, appended, expected) in cases {
        let (tags, signed) = (tags(*length), Some((*length).min(whole)));
        let mut message = Hand { tags: &tags, length: signed, ..GOOD }.message(rsa(), HEADER, BODY);
        message.extend_from_slice(appended.as_bytes());
        assert_eq!(one(&message, &zone(&standard_zone())), *expected, "{why}");
    }
    let negative = TAGS.replace("d=legit.test", "d=legit.test; l=-1");
    assert_eq!(with_tags(&negative), "permerror: the signature's l= is not a number");
}

/// D35: l= short, Content-Type unsigned, another boundary put in front. Never a pass, and both flags.
#[test]
fn the_meaning_of_the_body_is_not_turned() {
    let length = BODY.len() as u64;
    let tags = TAGS.replace("d=legit.test", &format!("d=legit.test; l={length}")).replace(":content-type", "");
    let hand = Hand { tags: &tags, names: "from:to:subject", length: Some(length), ..GOOD };
    let field = hand.field(rsa(), HEADER, BODY);
    let turned = HEADER.replace("text/plain", "multipart/mixed; boundary=attack");
    let message = [&field, &turned, "\r\n", BODY, "--attack\r\n\r\nPay here.\r\n--attack--\r\n"].concat();
    let expected =
        "policy 2048 [body_length content_type_unsigned]: the signature leaves the end of the body unsigned (l=)";
    assert_eq!(one(message.as_bytes(), &zone(&standard_zone())), expected);
}

/// D34: fields that are added to a message on its way.
#[test]
fn added_fields() {
    let over = TAGS.replace("h=from:", "h=from:from:subject:");
    let names = NAMES.replace("from:", "from:from:subject:");
    let cases: &[(&str, &Hand<'_>, &str, &str)] = &[
        ("a second Subject on top", &GOOD, "Subject: pay\r\n", "pass 2048 [unsigned_repetition]"),
        ("a second From on top", &GOOD, "From: x@attack.test\r\n", "pass 2048 [unsigned_repetition]"),
        ("a second Content-Type", &GOOD, "content-type: text/html\r\n", "pass 2048 [unsigned_repetition]"),
        ("a second Received", &GOOD, "Received: x\r\nReceived: y\r\n", "pass 2048"),
        ("a Cc that was not there", &GOOD, "Cc: c@other.test\r\n", "pass 2048"),
        (
            "over-signed: a second Subject on top",
            &Hand { tags: &over, names: &names, ..GOOD },
            "Subject: pay\r\n",
            "fail 2048: the signed header fields were changed, or the signature is not by this key",
        ),
        ("over-signed: nothing added", &Hand { tags: &over, names: &names, ..GOOD }, "", "pass 2048"),
    ];
    for (why, hand, added, expected) in cases {
        let field = hand.field(rsa(), HEADER, BODY);
        let message = [added, field.as_str(), HEADER, "\r\n", BODY].concat();
        assert_eq!(one(message.as_bytes(), &zone(&standard_zone())), *expected, "{why}");
    }
    // RFC 6376 §5.4.2: of several fields the lowest counts first.
    let twice = [GOOD.field(rsa(), HEADER, BODY).as_str(), HEADER, "Subject: below\r\n\r\n", BODY].concat();
    assert_eq!(
        one(twice.as_bytes(), &zone(&standard_zone())),
        "fail 2048 [unsigned_repetition]: the signed header fields were changed, or the signature is not by this key"
    );
}

#[test]
fn what_was_changed_is_told_apart() {
    let message = String::from_utf8(GOOD.message(rsa(), HEADER, BODY)).unwrap();
    let cases = [
        (
            "the body",
            message.replace("lost", "won"),
            "fail 2048: the body was changed; the signed header fields were not",
        ),
        (
            "the header",
            message.replace("hello", "hullo"),
            "fail 2048: the signed header fields were changed, or the signature is not by this key",
        ),
        ("both", message.replace("lost", "won").replace("hello", "hullo"), "fail 2048: the body was changed"),
        (
            "white space and case, which relaxed forgives",
            message.replace("We lost", "We  \tlost").replace("Subject: hello", "SUBJECT :\t hello \t"),
            "pass 2048",
        ),
        ("an unsigned field", format!("X-Spam: no\r\n{message}"), "pass 2048"),
    ];
    for (why, message, expected) in cases {
        assert_eq!(one(message.as_bytes(), &zone(&standard_zone())), expected, "{why}");
    }
}

/// D40: odd fields are canonicalized as RFC 6376 says, in both forms.
#[test]
fn odd_fields() {
    let odd = format!(
        "From: a@legit.test\r\nTo : b@other.test\r\nSUBJECT\t:\thell\u{fc}  \u{fc}\r\n\t {}\r\nContent-Type:\r\n text/plain\r\n",
        "long ".repeat(400)
    );
    for canon in [(Canon::Simple, Canon::Simple), (Canon::Relaxed, Canon::Simple), RELAXED] {
        let tags = TAGS.replace("relaxed/relaxed", &format!("{}/{}", canon.0.as_str(), canon.1.as_str()));
        let message = Hand { tags: &tags, canon, ..GOOD }.message(rsa(), &odd, BODY);
        assert_eq!(one(&message, &zone(&standard_zone())), "pass 2048", "{canon:?}");
    }
}

/// D38: bodies at the edges, in both forms.
#[test]
fn odd_bodies() {
    for body in
        ["", "\r\n", "\r\n\r\n", "x", "x\r\n\r\n", " \t\r\n", "x\r\n \t", "\tx  y\t\r\n\r\n \r\n", "lone\rcr and\nlf"]
    {
        for canon in [Canon::Simple, Canon::Relaxed] {
            let tags = TAGS.replace("relaxed/relaxed", &format!("relaxed/{}", canon.as_str()));
            let message = Hand { tags: &tags, canon: (Canon::Relaxed, canon), ..GOOD }.message(rsa(), HEADER, body);
            assert_eq!(one(&message, &zone(&standard_zone())), "pass 2048", "{body:?} {canon:?}");
        }
    }
}
