//! Lines as the TXT records of a few names that refer to each other: parsed, written, evaluated and compiled.

#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use dns::{Data, Name, Zone, now};
use libfuzzer_sys::fuzz_target;
use message::ReversePath;
use spf::{Client, Limits, Outcome, Record, check_mail_from, compile, survey};

const NAMES: [&str; 4] = ["a.test", "b.test", "c.a.test", "exp.a.test"];

fuzz_target!(|bytes: &[u8]| {
    let mut zone = Zone::new();
    for (line, name) in bytes.split(|byte| *byte == b'\n').zip(NAMES.iter().cycle()).take(8) {
        let name = Name::parse(name).expect("a name");
        zone.add(&name, 60, Data::Txt(line.into()));
        zone.add(&name, 60, Data::A(Ipv4Addr::new(192, 0, 2, 1)));
        zone.add(&name, 60, Data::Mx(10, name.clone()));
        if let Ok(record) = Record::parse(line) {
            let written = record.to_string();
            let again = Record::parse(&written).expect("what is written is in order");
            assert_eq!(again.to_string(), written);
            assert_eq!(again.terms().len(), record.terms().len());
        }
    }
    zone.add(&Name::parse("1.2.0.192.in-addr.arpa").expect("a name"), 60, Data::Ptr(Name::parse("c.a.test").expect("a name")));
    let limits = Limits::default();
    let domain = Name::parse("a.test").expect("a name");
    let compiled = now(compile(&zone, &domain, &limits));
    let _ = now(survey(&zone, &domain, &limits));
    let path = ReversePath::parse(Some(b"<local.part@a.test>"));
    let ends = compiled.runs().take(8).map(|(first, _, _)| first);
    let some = [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    for ip in ends.chain(some) {
        let evaluation = now(check_mail_from(&zone, &Client::new(ip, "helo.a.test"), &path, &limits));
        assert!(evaluation.lookups <= limits.lookups_max);
        if let Some(tree) = evaluation.tree() {
            let most = tree.terms.iter().map(|term| (term.after.lookups, term.after.voids)).max().unwrap_or_default();
            assert_eq!(most, (evaluation.lookups, evaluation.void_lookups));
        }
        assert!(evaluation.explanation.as_ref().is_none_or(|text| text.bytes().all(|byte| (b' '..=b'~').contains(&byte))));
        let _ = (evaluation.to_text(), evaluation.to_json());
        let decision = compiled.answer(ip);
        if !matches!(decision.outcome, Outcome::Depends(_)) {
            assert_eq!(decision.result(), Some(evaluation.result), "{decision:?}\n{}", evaluation.to_text());
        }
    }
});
