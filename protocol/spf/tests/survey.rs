//! What a survey finds in a tree of records: each finding, and nothing in a tree that is in order.

use dns::{Name, Zone, now};
use spf::{Finding, Limits, Survey, survey};

fn surveyed(zone: &str, domain: &str) -> Survey {
    let zone = Zone::parse(zone).unwrap_or_else(|error| panic!("{error}"));
    now(survey(&zone, &Name::parse(domain).expect("a name"), &Limits::default()))
}

/// Findings in short: the kind, and the texts of the terms.
fn in_short(survey: &Survey) -> Vec<String> {
    let short = |finding: &Finding| match finding {
        Finding::Faulty(name, errors) => format!("faulty {name} {}", errors.len()),
        Finding::Several(name) => format!("several {name}"),
        Finding::NoRecord(name, by) => format!("no record {name} {}", by.as_ref().map_or("-", |step| &step.text)),
        Finding::DnsFailed(name, kind) => format!("failed {name} {kind}"),
        Finding::TooManyLookups(step) => format!("too many {} of {}", step.text, step.domain),
        Finding::Void(step, name, kind) => format!("void {} {name} {kind}", step.text),
        Finding::TooManyVoids(kind, count) => format!("voids {kind} {count}"),
        Finding::TooManyMxHosts(step, count) => format!("hosts {} {count}", step.text),
        Finding::Loop(step) => format!("loop {} of {}", step.text, step.domain),
        Finding::PassAll(step) => format!("pass all {} of {}", step.text, step.domain),
        Finding::NobodyFails(name) => format!("nobody fails {name}"),
        Finding::Ptr(step) => format!("ptr {}", step.text),
        Finding::Wide(step, bits) => format!("wide {} {bits}", step.text),
        Finding::Covered(step, before) => format!("covered {} by {}", step.text, before.text),
        Finding::Overlap(step, before) => format!("overlap {} with {}", step.text, before.text),
        Finding::NeverReached(step) => format!("never {}", step.text),
        Finding::HostBits(step) => format!("host bits {}", step.text),
        Finding::MechanismAsModifier(step) => format!("modifier {}", step.text),
        Finding::LongAnswer(name, octets) => format!("long {name} {octets}"),
        other => format!("{other:?}"),
    };
    survey.findings.iter().map(short).collect()
}

#[test]
fn findings() {
    let long = format!("v=spf1 {} -all", "ip4:192.0.2.1 ".repeat(40).trim_end());
    let long = format!("a.test. TXT \"{}\" \"{}\" \"{}\"", &long[..200], &long[200..400], &long[400..]);
    let hosts = (0..11).map(|n| format!("a.test. MX {n} m{n}.test.\n")).collect::<Vec<_>>().concat();
    let cases: [(&str, String, &[&str]); 17] = [
        ("in order", "a.test. TXT \"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/48 -all\"".into(), &[]),
        ("no record", "b.test. A 192.0.2.1".into(), &["no record a.test -"]),
        (
            "an include that leads nowhere",
            "a.test. TXT \"v=spf1 include:b.test -all\"".into(),
            &["no record b.test include:b.test"],
        ),
        ("mistakes in an included record", "a.test. TXT \"v=spf1 include:b.test -all\"\nb.test. TXT \"v=spf1 x y\"".into(), &["faulty b.test 2"]),
        ("S7 two records", "a.test. TXT \"v=spf1 -all\"\na.test. TXT \"v=spf1 ~all\"".into(), &["several a.test"]),
        ("DNS that fails", "a.test. TXT \"v=spf1 a -all\"\n;@ servfail a.test A\na.test. AAAA ::1".into(), &["failed a.test A"]),
        (
            "voids, for one family and for both",
            "a.test. TXT \"v=spf1 a:four.test a:four2.test a:no.test -all\"\nfour.test. A 192.0.2.1\nfour2.test. A 192.0.2.2".into(),
            &[
                "void a:four.test four.test AAAA",
                "void a:four2.test four2.test AAAA",
                "void a:no.test no.test A",
                "void a:no.test no.test AAAA",
                "voids AAAA 3",
            ],
        ),
        ("S15 too many hosts", format!("a.test. TXT \"v=spf1 mx -all\"\n{hosts}"), &["hosts mx 11"]),
        (
            "S3 records that lead to each other",
            "a.test. TXT \"v=spf1 include:b.test -all\"\nb.test. TXT \"v=spf1 include:a.test -all\"".into(),
            &["loop include:a.test of b.test"],
        ),
        ("S19 everybody passes, in an included record", "a.test. TXT \"v=spf1 include:b.test -all\"\nb.test. TXT \"v=spf1 +all\"".into(), &["pass all +all of b.test"]),
        ("no end", "a.test. TXT \"v=spf1 ip4:192.0.2.1\"".into(), &["nobody fails a.test"]),
        ("an end that says nothing", "a.test. TXT \"v=spf1 ip4:192.0.2.1 ?all\"".into(), &["nobody fails a.test"]),
        ("names of the client", "a.test. TXT \"v=spf1 ptr exists:%{p}.test -all\"".into(), &["ptr ptr", "ptr exists:%{p}.test"]),
        (
            "S18 wide networks and stray bits",
            "a.test. TXT \"v=spf1 ip4:10.1.2.3/8 ip6:2001:db8::/31 -all\"".into(),
            &["wide ip4:10.1.2.3/8 8", "host bits ip4:10.1.2.3/8", "wide ip6:2001:db8::/31 31"],
        ),
        (
            "what is named twice, across records",
            "a.test. TXT \"v=spf1 ip4:192.0.2.0/25 include:b.test ip4:192.0.2.7 -all\"\nb.test. TXT \"v=spf1 ip4:192.0.2.0/24 -all\"".into(),
            &["overlap ip4:192.0.2.0/24 with ip4:192.0.2.0/25", "covered ip4:192.0.2.7 by ip4:192.0.2.0/25"],
        ),
        (
            "what is never evaluated, and a slip of the pen",
            "a.test. TXT \"v=spf1 ip4=192.0.2.1 -all a redirect=b.test\"".into(),
            &["modifier ip4=192.0.2.1", "never a", "never redirect=b.test"],
        ),
        ("a long record", long, &["long a.test 579"]),
    ];
    for (why, zone, expected) in cases {
        let mut found = in_short(&surveyed(&zone, "a.test"));
        if why == "a long record" {
            found.retain(|finding| !finding.starts_with("covered"));
        }
        assert_eq!(found, expected, "{why}");
    }
}

#[test]
fn what_spent_the_ten() {
    let mut zone = String::from(
        "a.test. TXT \"v=spf1 include:b.test include:c.test a mx -all\"\na.test. A 192.0.2.1\na.test. AAAA ::1\na.test. MX 1 a.test.\n",
    );
    zone.push_str("b.test. TXT \"v=spf1 a:a.test a:a.test a:a.test redirect=d.test\"\n");
    zone.push_str("c.test. TXT \"v=spf1 a:a.test a:a.test a:a.test ~all\"\nd.test. TXT \"v=spf1 mx:a.test -all\"");
    let survey = surveyed(&zone, "a.test");
    let spent: Vec<&str> = survey.asking.iter().map(|step| &*step.text).collect();
    let expected = [
        "include:b.test",
        "a:a.test",
        "a:a.test",
        "a:a.test",
        "redirect=d.test",
        "mx:a.test",
        "include:c.test",
        "a:a.test",
        "a:a.test",
        "a:a.test",
        "a",
        "mx",
    ];
    assert_eq!(spent, expected);
    assert!(
        in_short(&survey).contains(&"too many a of a.test".to_owned()),
        "the eleventh is named: {:?}",
        survey.findings
    );
    let records: Vec<String> = survey.records.iter().map(|record| record.domain.to_string()).collect();
    assert_eq!(records, ["a.test", "b.test", "d.test", "c.test"]);
}

#[test]
fn hostile_trees_end() {
    let zone = "a.test. TXT \"v=spf1 include:%{d} include:b.test include:b.test include:b.test -all\"\n\
                b.test. TXT \"v=spf1 include:c.test include:c.test include:c.test -all\"\n\
                c.test. TXT \"v=spf1 include:e.test include:e.test include:e.test -all\"\n\
                e.test. TXT \"v=spf1 a:a.test a:a.test a:a.test a:a.test a:a.test -all\"";
    let survey = surveyed(zone, "a.test");
    assert!(survey.cut, "it says that it did not see everything");
    assert_eq!(survey.lookups(), 100);
}
