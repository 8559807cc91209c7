//! What others read: the JSON of `lamppost check`, the text, the results field, and how much memory a message takes.
#![expect(clippy::disallowed_methods, reason = "cases are files")]

use dmarc::{Evaluation, Settings};
use serde_json::Value;

use crate::common::{Sent, folder, key, key_record, signed, zone};

/// A message with all there is: two signatures, one of them weak in what it covers, a field that claims to be ours, a lone LF.
fn evaluation() -> Evaluation {
    let header = "Authentication-Results: MX.receiver.test; dmarc=pass\r\nFrom: =?utf-8?q?Bank=1B=5B2J=E2=80=AE?= <a@news.example.com>\r\nTo: b@other.test\r\nContent-Type: text/plain\r\n";
    let body = "Hi.\nThere.\r\n";
    let both = signed("mailer.test", " t=1699990000;", "from:to", Some(4), header, body);
    let (second, _) = both.split_once("Authentication-Results").expect("a signature");
    let first = signed("example.com", " t=1699999900;", "from:to:content-type", None, header, body);
    let mut text = concat!(
        "_dmarc.example.com. 60 IN TXT \"v=DMARC1; p=reject; sp=quarantine; adkim=x; rua=mailto:d@example.com\"\n",
        "news.example.com. 60 IN TXT \"v=spf1 a -all\"\n",
        "news.example.com. 60 IN A 203.0.113.1\n",
        "attack.test. 60 IN TXT \"v=spf1 include:news.example.com ip4:192.0.2.9 -all\"\n",
    )
    .to_owned();
    for domain in ["example.com", "mailer.test"] {
        text.push_str(&key_record(&format!("sel._domainkey.{domain}"), key()));
    }
    let settings =
        Settings { ours: Some(authres::OurIds::new(["mx.receiver.test"], &[])), both: true, ..Settings::default() };
    Sent::by_attacker(second.to_owned() + &first).evaluate(&zone(&text), &settings)
}

fn compare(file: &str, found: &str) {
    let path = folder().join(file);
    assert_eq!(found, std::fs::read_to_string(&path).expect("a file of cases"), "{}", path.display());
}

#[test]
fn text_and_json_stay() {
    let evaluation = evaluation();
    let json = serde_json::to_string_pretty(&evaluation.to_json("mx.receiver.test")).unwrap();
    compare("shown.text", &evaluation.to_text());
    compare("shown.json", &(json + "\n"));
}

/// Names that commands and others rely upon: they may be joined by more, never renamed.
#[test]
fn promised_fields() {
    let promised = [
        ("/spf", "identity domain result explanation lookups void_lookups trace"),
        ("/spf_helo", "domain result"),
        ("/dkim/0", "domain selector algorithm key_bits result reason usable_for_dmarc"),
        ("/arc", "result instances sealer"),
        (
            "/dmarc",
            "standard author_domain organizational_domain policy_domain policy test_mode result spf_aligned dkim_aligned requested_disposition reason discovery",
        ),
        ("/from", "verdict reason"),
        ("", "spf spf_helo dkim arc dmarc from authentication_results"),
    ];
    let json = evaluation().to_json("mx.receiver.test");
    for (place, names) in promised {
        let object = json.pointer(place).and_then(Value::as_object).unwrap_or_else(|| panic!("no {place}"));
        for name in names.split(' ') {
            assert!(object.contains_key(name), "{place} has no {name}");
        }
    }
}

#[test]
fn results_field() {
    let field = evaluation().authentication_results("mx.receiver.test").field();
    let (results, flaws) = authres::parse(field.split_once(':').expect("a field").1.as_bytes());
    assert!(flaws.is_empty(), "{field}");
    let found: Vec<_> = results.methods.iter().map(|method| format!("{}={}", method.name, method.result)).collect();
    assert_eq!(found, ["spf=pass", "spf=pass", "dkim=policy", "dkim=pass", "dmarc=pass"], "{field}");
    let value = |at: usize, kind, name| results.methods[at].value(kind, name);
    assert_eq!(value(0, "smtp", "mailfrom"), Some("attack.test"));
    assert_eq!(value(1, "smtp", "helo"), Some("attack.test"));
    assert_eq!(value(3, "header", "d"), Some("example.com"));
    assert_eq!(value(3, "header", "b").map(str::len), Some(8), "RFC 6008: eight characters at least");
    assert_eq!(value(4, "header", "from"), Some("news.example.com"));
    assert_eq!(value(4, "policy", "dmarc"), Some("quarantine"), "after sp");
}

#[test]
fn forged_fields_are_found() {
    let evaluation = evaluation();
    assert_eq!(evaluation.forged.len(), 1);
    assert_eq!(evaluation.forged[0].index, 2, "below the two signatures");
}
