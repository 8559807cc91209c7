//! Never open: nothing that an attacker writes, and nothing wrong in a record beside its policy, makes mail of a `p=reject` domain pass
//! or go without a policy.
#![expect(clippy::disallowed_methods, reason = "cases are files")]

use authres::ResultWord;
use dmarc::{AmbiguousAuthor, Evaluation, Policy, PolicyTag, Record, Settings, Standard, Verdict};

use crate::common::{Sent, folder, key, key_record, read, signed, unescape, zone};

/// Whether this verdict lets mail through that must not get through.
fn is_open(verdict: &Verdict) -> bool {
    let is_victim = verdict
        .author_domain
        .as_ref()
        .is_some_and(|domain| domain.as_str() == "legit.test" || domain.as_str().ends_with(".legit.test"));
    let closed = match verdict.result {
        ResultWord::Fail => verdict.requested_disposition == Some(Policy::Reject),
        ResultWord::TempError | ResultWord::PermError => verdict.requested_disposition.is_none(),
        _ => false,
    };
    is_victim && !closed
}

/// Nothing of a message may be open: no verdict for the victim, and no pass where readers differ on the author.
fn closed(evaluation: &Evaluation, why: &str) {
    let verdicts = evaluation.candidates.iter().chain([&evaluation.dmarc]).chain(&evaluation.other);
    for verdict in verdicts {
        assert!(!is_open(verdict), "{why}\n{}", evaluation.to_text());
    }
    if evaluation.author.is_err() {
        assert_ne!(evaluation.dmarc.result, ResultWord::Pass, "{why}\n{}", evaluation.to_text());
        let json = evaluation.to_json("mx.test");
        assert_eq!(json["from"]["verdict"], "refuse", "{why}");
    }
}

/// The header and envelope of every attack in the files.
fn attacks() -> Vec<(String, Sent)> {
    let mut all = Vec::new();
    for file in ["01-envelope.expected", "02-from.expected"] {
        let text = std::fs::read_to_string(folder().join(file)).expect("a file of cases");
        for block in text.split("\n\n") {
            let (mut sent, _) = read(block);
            // Whoever attacks does not send from the hosts of legit.test.
            "192.0.2.9".clone_into(&mut sent.ip);
            all.push((block.lines().next().unwrap_or_default().to_owned(), sent));
        }
    }
    let header = "From: admin@legit.test\r\nTo: b@other.test\r\nContent-Type: text/plain\r\n";
    let body = "Hi.\r\n";
    let signatures = [
        ("by the attacker", signed("attack.test", "", "from:to", None, header, body)),
        ("by the public suffix", signed("test", "", "from:to", None, header, body)),
        ("without From", signed("legit.test", "", "to", None, header, body)),
        ("l=0", signed("legit.test", "", "from:to", Some(0), header, body)),
        ("l= beyond", signed("legit.test", "", "from:to", Some(99), header, body)),
        ("another body", signed("legit.test", "", "from:to", None, header, body) + "Buy!\r\n"),
        ("d= twice", signed("legit.test", " d=attack.test;", "from:to", None, header, body)),
        ("a quote in d=", signed("legit.test'a.attack.test", "", "from:to", None, header, body)),
        ("i= elsewhere", signed("attack.test", " i=@legit.test;", "from:to", None, header, body)),
        ("expired", signed("legit.test", " t=1; x=2;", "from:to", None, header, body)),
        ("from the future", signed("legit.test", " t=1900000000;", "from:to", None, header, body)),
    ];
    all.extend(signatures.map(|(why, message)| (why.to_owned(), Sent::by_attacker(message))));
    all
}

/// The texts in the file of records that ask to reject, read as receivers of both generations do.
fn records() -> Vec<String> {
    let text = std::fs::read_to_string(folder().join("records.expected")).expect("a file of cases");
    let texts = text.lines().filter_map(|line| line.strip_prefix("< "));
    let asks = |text: &&str| match Record::parse(unescape(text)) {
        // With test mode or another policy below it, they ask for something else.
        Ok((record, _)) => {
            record.policy == PolicyTag::Is(Policy::Reject)
                && record.has_valid_policies(Standard::Rfc9989)
                && record.subdomain_policy.policy().is_none_or(|policy| policy == Policy::Reject)
                && record.nonexistent_policy.policy().is_none_or(|policy| policy == Policy::Reject)
                && !record.test_mode
        }
        Err(_) => false,
    };
    texts.filter(asks).map(str::to_owned).collect()
}

#[test]
fn never_open() {
    let (attacks, records) = (attacks(), records());
    let mut evaluations = 0;
    for record in &records {
        let quoted = record.replace('"', "\\\"");
        let text = format!(
            "_dmarc.legit.test. 60 IN TXT \"{quoted}\"\nlegit.test. 60 IN TXT \"v=spf1 ip4:203.0.113.1 -all\"\n\
             attack.test. 60 IN TXT \"v=spf1 +all\"\nany.attack.test. 60 IN TXT \"v=spf1 +all\"\n"
        );
        let keys =
            ["legit.test", "attack.test", "test"].map(|domain| key_record(&format!("sel._domainkey.{domain}"), key()));
        let zone = zone(&(text + &keys.concat()));
        for (why, sent) in &attacks {
            for ambiguous_author in [AmbiguousAuthor::Refuse, AmbiguousAuthor::Strictest] {
                for standard in [Standard::Rfc9989, Standard::Rfc7489] {
                    // In the sample, since RFC 7489 has domains ask for less outside of it.
                    let settings =
                        Settings { ambiguous_author, standard, both: true, sample: Some(0), ..Settings::default() };
                    closed(&sent.evaluate(&zone, &settings), &format!("{why}\n{record}"));
                    evaluations += 1;
                }
            }
        }
    }
    println!("{} attacks on {} records, {evaluations} evaluations", attacks.len(), records.len());
    assert!(attacks.len() >= 60 && records.len() >= 12, "{} attacks on {} records", attacks.len(), records.len());
}

#[test]
fn a_mistake_in_another_tag_costs_no_policy() {
    let tags =
        ["adkim", "aspf", "psd", "t", "rua", "ruf", "fo", "pct", "rf", "ri", "x", "sP", "1", "", "=", " ", "\u{fc}"];
    let values = ["", "bogus", "yes", "\0", "-1", "999", "s s", "r;;", "mailto:", "!", "\u{fc}", "=", "y n"];
    for tag in tags {
        for value in values {
            for text in [format!("v=DMARC1; p=reject; {tag}={value}"), format!("v=DMARC1; {tag}={value}; p=reject")] {
                let (record, _) = Record::parse(&text).unwrap_or_else(|why| panic!("{text:?}: {why}"));
                assert_eq!(record.policy, PolicyTag::Is(Policy::Reject), "{text:?}");
                assert!(record.has_valid_policies(Standard::Rfc9989), "{text:?}");
                assert!(!record.test_mode, "{text:?}");
                assert_eq!(record.percent, None, "{text:?}");
            }
        }
    }
}
