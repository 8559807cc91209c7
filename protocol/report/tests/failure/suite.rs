//! The failure reports of mail-auth's tests, with what it reads from them.
#![expect(clippy::disallowed_methods, reason = "cases are files")]

use std::path::Path;

use report::RejectionKind;
use report::failure::AuthFailure;
use serde_json::Value;

use super::found;

#[test]
fn mail_auths_samples() {
    let suites = std::env::var("LAMPPOST_SUITES")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/suites").to_owned());
    let folder = Path::new(&suites).join("failure");
    if !folder.is_dir() {
        assert!(std::env::var_os("LAMPPOST_CI").is_none(), "no suites in {suites}");
        println!("skipped: no suites in {suites}");
        return;
    }
    let (mut read, mut refused) = (0, 0);
    for number in 1..=5 {
        let mail = std::fs::read(folder.join(format!("{number:03}.eml"))).unwrap();
        let json = std::fs::read(folder.join(format!("{number:03}.json"))).unwrap();
        let theirs: Value = serde_json::from_slice(&json).unwrap();
        let mut all = found(&mail);
        assert_eq!(all.len(), 1, "{number}");
        let one = all.pop().unwrap().1;
        if theirs["feedback_type"] != "AuthFailure" {
            assert_eq!(one.unwrap_err().kind, RejectionKind::OtherFeedback, "{number}: a complaint");
            refused += 1;
            continue;
        }
        read += 1;
        let ours = one.unwrap().report;
        let text = |key: &str| theirs[key].as_str().map(str::to_owned);
        let texts = |key: &str| -> Vec<String> {
            theirs[key]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one.as_str().unwrap().split_whitespace().collect::<Vec<_>>().join(" "))
                .collect()
        };
        let said = |text: &Option<report::Text>| text.as_ref().map(ToString::to_string);
        assert_eq!(ours.source.map(|source| source.to_string()), text("source_ip"), "{number}");
        if let Some(arrived) = theirs["arrival_date"].as_i64() {
            assert_eq!(ours.arrived, Some(arrived), "{number}");
        }
        assert_eq!(ours.authentication_results, texts("authentication_results"), "{number}");
        assert_eq!(ours.reported_domains, texts("reported_domain"), "{number}");
        assert_eq!(ours.reported_uris, texts("reported_uri"), "{number}");
        assert_eq!(said(&ours.user_agent), text("user_agent"), "{number}");
        assert_eq!(said(&ours.envelope_id), text("original_envelope_id"), "{number}");
        assert_eq!(said(&ours.dkim_domain), text("dkim_domain"), "{number}");
        assert_eq!(said(&ours.dkim_selector), text("dkim_selector"), "{number}");
        assert_eq!(said(&ours.dkim_identity), text("dkim_identity"), "{number}");
        assert_eq!(Some(ours.incidents), theirs["incidents"].as_u64(), "{number}");
        let path = ours.mail_from.map(|path| format!("{}@{}", path.local_part, path.domain));
        assert_eq!(path, text("original_mail_from").map(|path| path.trim_matches(['<', '>']).to_owned()), "{number}");
        let failure = match theirs["auth_failure"].as_str().unwrap() {
            "BodyHash" => AuthFailure::BodyHash,
            "Dmarc" => AuthFailure::Dmarc,
            other => panic!("{other}"),
        };
        assert_eq!(ours.auth_failure, failure, "{number}");
        assert!(!ours.author.local_part.is_empty() && !ours.header.is_empty(), "{number}");
    }
    println!("{read} failure reports read as mail-auth reads them, {refused} complaints refused");
    assert_eq!((read, refused), (3, 2));
}
