//! What holds for every record and every client: nothing panics, what is written reads the same, a mistake is never overlooked.

use std::net::{IpAddr, Ipv4Addr};

use dns::{Data, Fault, Name, Zone, now};
use message::ReversePath;
use proptest::prelude::*;
use spf::{Client, Limits, Outcome, Record, SpfResult, check_mail_from, compile};

/// Names that records and zones of these tests share, so that terms lead somewhere.
const NAMES: [&str; 6] = ["a.test", "b.test", "c.a.test", "_spf.a.test", "nx.test", "d.e.test"];

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(&NAMES[..]).prop_map(str::to_owned)
}

fn spec() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => name(),
        1 => prop::sample::select(vec!["%{d}", "%{l}.a.test", "%{ir}.%{v}.a.test", "%{d2}", "%{p}.test", "%{h1r-}.a.test", "a..test",
            "%{S}.%{O}.test", "x%%y%_z%-.a.test", "a.test."]).prop_map(str::to_owned),
    ]
}

fn prefix() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just(String::new()),
        1 => (0..=32u8).prop_map(|v4| format!("/{v4}")),
        1 => (0..=128u8).prop_map(|v6| format!("//{v6}")),
        1 => (0..=32u8, 0..=128u8).prop_map(|(v4, v6)| format!("/{v4}//{v6}")),
    ]
}

/// One term in order.
fn term() -> impl Strategy<Value = String> {
    let mechanism = prop_oneof![
        4 => (any::<Ipv4Addr>(), 0..=32u8).prop_map(|(ip, prefix)| format!("ip4:{ip}/{prefix}")),
        2 => (any::<std::net::Ipv6Addr>(), 0..=128u8).prop_map(|(ip, prefix)| format!("ip6:{ip}/{prefix}")),
        2 => (spec(), prefix()).prop_map(|(spec, prefix)| format!("a:{spec}{prefix}")),
        2 => (spec(), prefix()).prop_map(|(spec, prefix)| format!("mx:{spec}{prefix}")),
        1 => prefix().prop_map(|prefix| format!("a{prefix}")),
        1 => prefix().prop_map(|prefix| format!("MX{prefix}")),
        3 => spec().prop_map(|spec| format!("include:{spec}")),
        1 => spec().prop_map(|spec| format!("exists:{spec}")),
        1 => Just("ptr".to_owned()),
        1 => spec().prop_map(|spec| format!("Ptr:{spec}")),
        1 => Just("all".to_owned()),
    ];
    let directive = (prop::sample::select(vec!["", "+", "-", "~", "?"]), mechanism);
    prop_oneof![
        12 => directive.prop_map(|(qualifier, mechanism)| format!("{qualifier}{mechanism}")),
        1 => Just("moo=%{l}/x:y".to_owned()),
    ]
}

/// A record in order, its modifiers at any place.
fn record() -> impl Strategy<Value = String> {
    let modifiers =
        (prop::option::weighted(0.2, spec()), prop::option::weighted(0.2, spec()), any::<prop::sample::Index>());
    (prop::collection::vec(term(), 0..8), modifiers).prop_map(|(mut terms, (redirect, explanation, at))| {
        let at = at.index(terms.len() + 1);
        if let Some(spec) = redirect {
            terms.insert(at, format!("redirect={spec}"));
        }
        if let Some(spec) = explanation {
            terms.push(format!("exp={spec}"));
        }
        terms.insert(0, "v=spf1".to_owned());
        terms.join(" ")
    })
}

/// A zone in which these names have records of all kinds, or not.
fn zone() -> impl Strategy<Value = Zone> {
    let node = (name(), record(), prop::collection::vec(any::<u8>(), 0..3), prop::collection::vec(name(), 0..3));
    prop::collection::vec(node, 1..8).prop_map(|nodes| {
        let mut zone = Zone::new();
        for (name, record, hosts, exchangers) in nodes {
            let name = Name::parse(&name).expect("a name");
            zone.add(&name, 60, Data::Txt(record.into_bytes().into()));
            for host in hosts {
                zone.add(&name, 60, Data::A(Ipv4Addr::new(192, 0, 2, host)));
                zone.add(
                    &Name::parse(&format!("{host}.2.0.192.in-addr.arpa")).expect("a name"),
                    60,
                    Data::Ptr(name.clone()),
                );
            }
            for exchanger in exchangers {
                zone.add(&name, 60, Data::Mx(10, Name::parse(&exchanger).expect("a name")));
            }
        }
        zone
    })
}

fn client_address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![any::<u8>().prop_map(|last| IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))), any::<IpAddr>()]
}

/// Something that makes any record wrong, wherever it stands.
fn mistake() -> impl Strategy<Value = String> {
    let mistakes = vec![
        "ip4:192.0.2.0/33",
        "ip6:2001:db8::/129",
        "a/032",
        "include:",
        "include",
        "all/24",
        "foo",
        "exists:%{x}.test",
        "a:test",
        "exists:%{c}.a.test",
        "+redirect=a.test",
        "mx:a.test:25",
        "ip4:192.0.2",
        "\u{e9}",
        "\t",
        "-",
        "a:%",
        "=",
        "exp=",
        "%{l}",
    ];
    prop::sample::select(mistakes).prop_map(str::to_owned)
}

proptest! {
    /// Any bytes can be parsed, mistakes point inside them, and what is in order is written so that it reads the same.
    #[test]
    fn any_text(text in prop_oneof![
        record(),
        r"v=spf1( [a-z0-9:/.%{}=+~?-]{0,12}){0,6}",
        r"v=spf1 \PC{0,40}",
        prop::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
    ]) {
        match Record::parse(&text) {
            Ok(record) => {
                let written = record.to_string();
                let again = Record::parse(&written);
                prop_assert_eq!(again.as_ref().map(ToString::to_string), Ok(written));
                let kinds = |record: &Record| record.terms().iter().map(|term| term.kind.clone()).collect::<Vec<_>>();
                prop_assert_eq!(again.as_ref().map(kinds), Ok(kinds(&record)));
                for term in record.terms() {
                    prop_assert!(!record.text_of(term).is_empty());
                }
            }
            Err(errors) => {
                prop_assert!(!errors.is_empty());
                for error in errors {
                    prop_assert!(error.span.end as usize <= text.len() && error.span.start <= error.span.end);
                }
            }
        }
    }

    /// Any zone can be asked about; limits are kept; the tree counts what the evaluation counted; both outputs can be made.
    #[test]
    fn any_zone(zone in zone(), ip in client_address(), domain in name(), helo in "[a-z.]{0,10}") {
        let client = Client::new(ip, &helo);
        let path = ReversePath::parse(Some(format!("someone@{domain}").as_bytes()));
        let limits = Limits::default();
        let evaluation = now(check_mail_from(&zone, &client, &path, &limits));
        prop_assert!(evaluation.lookups <= limits.lookups_max);
        prop_assert!(evaluation.void_lookups <= limits.voids_max + 1);
        if let Some(tree) = evaluation.tree() {
            let most = tree.terms.iter().map(|term| (term.after.lookups, term.after.voids)).max().unwrap_or_default();
            prop_assert_eq!(most, (evaluation.lookups, evaluation.void_lookups), "{}", evaluation.to_text());
        }
        prop_assert!(evaluation.result != SpfResult::TempError, "nothing fails here");
        prop_assert!(!evaluation.why().is_empty());
        prop_assert!(evaluation.to_json().is_object());
        if let Some((visit, term)) = evaluation.matched().last() {
            let record = evaluation.trace.record(*visit).expect("a record");
            prop_assert!(usize::from(*term) < record.terms().len());
        }
    }

    /// RFC 7208 §4.6: one mistake anywhere, and the result is permerror, whatever else would match.
    #[test]
    fn a_mistake_is_never_overlooked(record in record(), mistake in mistake(), at in any::<prop::sample::Index>(), ip in client_address()) {
        let mut words: Vec<&str> = record.split(' ').collect();
        let at = 1 + at.index(words.len());
        words.insert(at, &mistake);
        let mut zone = Zone::new();
        zone.add(&Name::parse("a.test").unwrap(), 60, Data::Txt(words.join(" ").into_bytes().into()));
        let client = Client::new(ip, "b.test");
        let path = ReversePath::parse(Some(b"someone@a.test"));
        let evaluation = now(check_mail_from(&zone, &client, &path, &Limits::default()));
        prop_assert_eq!(evaluation.result, SpfResult::PermError, "{}", words.join(" "));
        prop_assert_eq!(evaluation.lookups, 0);
    }

    /// The compiled form says what an evaluation says, for every address, down to the term; or that it depends on the message.
    #[test]
    fn compiled_is_evaluated(zone in zone(), ips in prop::collection::vec(client_address(), 8), fault in prop::option::weighted(0.2, name())) {
        let mut zone = zone;
        if let Some(name) = fault {
            zone.fail(&Name::parse(&name).unwrap(), None, Fault::ServFail);
        }
        let limits = Limits::default();
        for domain in NAMES {
            let path = ReversePath::parse(Some(format!("someone@{domain}").as_bytes()));
            let compiled = now(compile(&zone, &Name::parse(domain).unwrap(), &limits));
            // Besides some addresses, both ends of each run: that is where off-by-one mistakes live.
            let ends = compiled.runs().take(40).flat_map(|(first, last, _)| [first, last]);
            for ip in ips.iter().copied().chain(ends) {
                // An IPv4-mapped address is an IPv4 address, wherever it lies.
                let evaluation = now(check_mail_from(&zone, &Client::new(ip, "b.test"), &path, &limits));
                let decision = compiled.answer(ip);
                let told = || format!("{domain} {ip}: {decision:?}\n{}\n{zone}", evaluation.to_text());
                if let Some(result) = decision.result() {
                    prop_assert_eq!(result, evaluation.result, "{}", told());
                }
                if let Outcome::Result(_) = decision.outcome {
                    let terms: Vec<u16> = decision.path.iter().map(|step| step.term).collect();
                    let matched: Vec<u16> = evaluation.matched().into_iter().map(|(_, term)| term).collect();
                    // A redirect in which nothing matches decides nothing.
                    prop_assert_eq!(terms, matched, "{}", told());
                }
            }
        }
    }
}
