//! Zone texts as data: `testdata/zone` says what is asked and what the answer is, or why a text is refused.
#![expect(clippy::disallowed_methods, reason = "cases are files")]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use dns::{Data, Lookup as _, Name, RecordType, Response, Zone, now};
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

proptest! {
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
