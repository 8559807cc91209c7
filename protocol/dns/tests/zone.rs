//! Zone texts as data: `testdata/zone` says what is asked and what the answer is, or why a text is refused.
#![expect(clippy::disallowed_methods, reason = "cases are files")]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use dns::{Data, Fault, Lookup as _, Name, RecordType, Response, Zone, now};
use proptest::prelude::*;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// An answer in the words of the expectations.
fn in_words(response: &Response) -> String {
    let data = |data: &Data| match data {
        Data::A(address) => address.to_string(),
        Data::Aaaa(address) => address.to_string(),
        Data::Txt(_) => {
            // As the zone writes it.
            let mut zone = Zone::new();
            zone.add(&Name::root(), 0, data.clone());
            zone.to_string().trim_start_matches(". 0 IN TXT ").trim_end().to_owned()
        }
        Data::Mx(preference, host) => format!("{preference} {host}"),
        Data::Ptr(name) | Data::Cname(name) | Data::Ns(name) => name.to_string(),
        other => panic!("{other:?}"),
    };
    match response {
        Response::Found(records) => {
            let all: Vec<String> = records.records().iter().map(data).collect();
            format!("found {} {}", records.ttl(), all.join(" | "))
        }
        Response::NxDomain { ttl } => format!("nxdomain {ttl}"),
        Response::NoData { ttl } => format!("nodata {ttl}"),
        Response::ServFail(_) => "servfail".to_owned(),
        Response::Timeout => "timeout".to_owned(),
    }
}

/// What comes of a text, asked the questions that the expectation asks.
fn outcome(text: &str, expected: &str) -> String {
    let zone = match Zone::parse(text) {
        Ok(zone) => zone,
        Err(error) => {
            let pointed_at = &text[error.span.clone()];
            return format!("error {}:{} “{pointed_at}” {}\n", error.line, error.column, error.problem);
        }
    };
    let mut out = String::new();
    for line in expected.lines() {
        let mut words = line.splitn(3, ' ');
        let (asked, kind) = (words.next().expect("a name"), words.next().expect("a type"));
        let kind: RecordType = kind.parse().unwrap_or_else(|()| panic!("{line}"));
        let answer = zone.answer(&name(asked), kind);
        writeln!(out, "{asked} {kind} {}", in_words(&answer)).expect("a string takes it");
    }
    let written = zone.to_string();
    let again = Zone::parse(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
    assert_eq!(again.to_string(), written, "write, read, write");
    out
}

#[test]
fn cases() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/zone"));
    let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut count = 0;
    for path in entries.filter(|path| path.extension().is_some_and(|extension| extension == "zone")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let expected = std::fs::read_to_string(path.with_extension("expected")).unwrap();
        assert_eq!(outcome(&text, &expected), expected, "{}", path.display());
        count += 1;
    }
    println!("{count} zone texts");
    assert!(count >= 28, "only {count} cases were found in {}", folder.display());
}

#[test]
fn time_runs_out() {
    let text = "a. A 192.0.2.1\nb. CNAME a.\n;@ delay a. 400\n;@ delay b. 300\n";
    let zone = Zone::parse(text).unwrap();
    let within = zone.within(Duration::from_secs(1));
    let ask = |asked: &str| now(within.lookup(&name(asked), RecordType::A));
    assert_ne!(ask("b"), Response::Timeout, "700 ms: both delays of an alias count");
    assert_ne!(ask("c"), Response::Timeout, "700 ms");
    assert_eq!(ask("a"), Response::Timeout, "1100 ms");
    assert_eq!(ask("c"), Response::Timeout, "the time is up for all that follows");
    assert_eq!(within.spent(), Duration::from_millis(1100));
}

fn any_label() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "*", "_dmarc", "@", "x\u{e9}"]).prop_map(|label| label.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..=63),
    ]
}

fn any_owner() -> impl Strategy<Value = Name> {
    prop::collection::vec(any_label(), 0..4)
        .prop_map(|labels| Name::from_labels(&labels).unwrap_or_else(|_| name("a.b")))
}

fn any_data() -> impl Strategy<Value = Data> {
    prop_oneof![
        any::<std::net::Ipv4Addr>().prop_map(Data::A),
        any::<std::net::Ipv6Addr>().prop_map(Data::Aaaa),
        prop::collection::vec(any::<u8>(), 0..600).prop_map(|text| Data::Txt(text.into())),
        (any::<u16>(), any_owner()).prop_map(|(preference, host)| Data::Mx(preference, host)),
        any_owner().prop_map(Data::Ptr),
        any_owner().prop_map(Data::Cname),
        any_owner().prop_map(Data::Ns),
    ]
}

/// What is put into a zone, one after the other.
#[derive(Debug, Clone)]
enum Put {
    Record(u32, Data),
    Fault(Option<RecordType>, bool),
    Delay(u16),
    NegativeTtl(u32),
    Exists,
}

fn any_put() -> impl Strategy<Value = Put> {
    let kind = prop::option::of(prop::sample::select(&RecordType::ALL[..]));
    prop_oneof![
        // RFC 2181 §8: times to live are below 2^31.
        6 => (0..1_u32 << 31, any_data()).prop_map(|(ttl, data)| Put::Record(ttl, data)),
        1 => (kind, any::<bool>()).prop_map(|(kind, timeout)| Put::Fault(kind, timeout)),
        1 => any::<u16>().prop_map(Put::Delay),
        1 => (0..1_u32 << 31).prop_map(Put::NegativeTtl),
        1 => Just(Put::Exists),
    ]
}

/// A zone in which no alias has other data beside it, which master-file text refuses.
fn any_zone() -> impl Strategy<Value = Zone> {
    prop::collection::vec((any_owner(), any_put()), 0..20).prop_map(|puts| {
        let (mut zone, mut kinds) = (Zone::new(), std::collections::HashMap::<Name, bool>::new());
        for (owner, put) in puts {
            match put {
                Put::Record(ttl, data) => {
                    let alias = data.kind() == RecordType::Cname;
                    if kinds.get(&owner).is_none_or(|before| !alias && !before) {
                        kinds.insert(owner.clone(), alias);
                        zone.add(&owner, ttl, data);
                    }
                }
                Put::Fault(kind, timeout) => {
                    zone.fail(&owner, kind, if timeout { Fault::Timeout } else { Fault::ServFail });
                }
                Put::Delay(ms) => zone.delay(&owner, Duration::from_millis(ms.into())),
                Put::NegativeTtl(seconds) => zone.negative_ttl(&owner, seconds),
                Put::Exists => zone.exists(&owner),
            }
        }
        zone
    })
}

proptest! {
    /// A zone of any records, faults and delays is written so that what is read gives the same answers, and is written the same.
    #[test]
    fn any_zone_is_read_back(zone in any_zone(), asked in prop::collection::vec(any_owner(), 8)) {
        let written = zone.to_string();
        let read = Zone::parse(&written).map_err(|error| TestCaseError::fail(format!("{error}\n{written}")))?;
        prop_assert_eq!(read.to_string(), written.clone());
        for owner in &asked {
            for kind in RecordType::ALL {
                prop_assert_eq!(read.answer(owner, kind), zone.answer(owner, kind), "{} {}\n{}", owner, kind, &written);
            }
        }
    }

    /// Whatever the text, reading it does not panic, points inside it, and what was read is written so that it reads the same.
    #[test]
    fn any_text(text in r#"([a-z$;@."\\()\n 0-9é]|A |TXT |MX |IN |;@ servfail |\$ORIGIN |\$TTL |192\.0\.2\.1){0,60}"#) {
        match Zone::parse(&text) {
            Ok(zone) => {
                let written = zone.to_string();
                prop_assert_eq!(Zone::parse(&written).map(|zone| zone.to_string()), Ok(written));
            }
            Err(error) => {
                prop_assert!(text.get(error.span).is_some_and(|pointed_at| !pointed_at.is_empty()));
            }
        }
    }

    /// A name of any octets comes back from its text.
    #[test]
    fn any_name(labels in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..=63), 0..4)) {
        if let Ok(name) = Name::from_labels(&labels) {
            prop_assert_eq!(Name::parse(&name.to_string()), Ok(name.clone()));
            let lower: Vec<Vec<u8>> = labels.iter().map(|label| label.to_ascii_lowercase()).collect();
            prop_assert_eq!(name.labels().map(<[u8]>::to_vec).collect::<Vec<_>>(), lower);
        }
    }
}
