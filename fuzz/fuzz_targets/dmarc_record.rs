//! Any bytes as a DMARC record: read, written, read again; and the policy of a domain that has it.

#![no_main]

use authres::ResultWord;
use dmarc::{Identifier, Method, Record, Rules, Standard, Walker, verdict};
use dns::{Data, Name, Suffixes, Zone, now};
use libfuzzer_sys::fuzz_target;
use message::Domain;

fuzz_target!(|bytes: &[u8]| {
    let parsed = Record::parse(bytes);
    if let Ok((record, findings)) = &parsed {
        let written = record.to_string();
        let (again, _) = Record::parse(&written).expect("what is written is a record");
        assert_eq!(again, *record, "{written}");
        assert_eq!(again.to_string(), written);
        assert!(findings.iter().all(|finding| finding.span.start <= finding.span.end && finding.span.end <= bytes.len()));
        assert!(findings.len() <= 40 && record.aggregate_uris.len() <= 20 && record.failure_uris.len() <= 20);
    }
    // The organizational domain has the record, and somebody else a pass.
    let mut zone = Zone::new();
    zone.add(&Name::parse("_dmarc.legit.test").expect("a name"), 60, Data::Txt(bytes.into()));
    let identifier = |domain: &str| Identifier {
        method: Method::Dkim,
        domain: Name::parse(domain).ok(),
        result: ResultWord::Pass,
    };
    let author = Domain::parse(b"mail.legit.test").expect("a domain");
    for standard in [Standard::Rfc9989, Standard::Rfc7489] {
        let rules = Rules { standard, suffixes: &Suffixes::default(), sample: 0 };
        let judge = |domain: &str| now(verdict(&author, &[identifier(domain)], &mut Walker::new(&zone), &rules));
        let found = judge("attack.example");
        assert_ne!(found.result, ResultWord::Pass);
        assert!(parsed.is_ok() || found.result == ResultWord::None);
        let _ = (found.why(), found.to_json());
        let own = judge("mail.legit.test");
        assert_eq!(own.result == ResultWord::Pass, found.result == ResultWord::Fail);
    }
});
