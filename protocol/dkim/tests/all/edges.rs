//! Messages at the edges of canonicalization, signed by dkimpy 1.1.8 with the Ed25519 key of RFC 8032 §7.1 (test 1): what another
//! implementation hashed is what is hashed here, in each form. Left out: white space behind the last line end in relaxed form, which
//! dkimpy keeps (docs/known-differences.md).

use crate::common::{NOW, shown, txt, verify, zone};
use serde_json::Value;

const KEY: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

#[test]
fn dkimpy_hashed_the_same() {
    let zone = zone(&txt("brisbane._domainkey.football.example.com", KEY));
    let (mut cases, mut wrong) = (0, Vec::new());
    for line in include_str!("data/dkimpy.jsonl").lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let message = case["message"].as_str().unwrap();
        let (why, form) = (case["why"].as_str().unwrap(), case["form"].as_str().unwrap());
        assert!(message.contains(&format!("c={form};")), "{why}");
        let found: Vec<_> = verify(message.as_bytes(), &zone, NOW).iter().map(shown).collect();
        if found != ["pass 256"] {
            wrong.push((why.to_owned(), form.to_owned(), found));
        }
        // What only the relaxed form forgives must break the other: otherwise the case would say nothing.
        if form == "simple/simple" {
            let changed = message.replacen("b@other.test", " b@other.test", 1);
            assert!(shown(&verify(changed.as_bytes(), &zone, NOW)[0]).starts_with("fail"), "{why}");
        }
        cases += 1;
    }
    println!("{cases} messages that dkimpy signed");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(cases, 42);
}
