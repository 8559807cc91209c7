//! The history of DNS: what changed in words, what stood on a day, and records of then evaluated over it.

use insight::{History, RecordKind, dns_changes, dns_history, record_as_of};
use report::Day;
use store::PublishedState::{self, Failed, Found, Nothing};
use store::{Ledger, Look};

const DAY: i64 = 86_400;

/// One look: moment, kind, name, type, state, value.
type At<'a> = (i64, &'a str, &'a str, &'a str, PublishedState, &'a str);

fn ledger(looks: &[At<'_>]) -> (tempfile::TempDir, Ledger) {
    let dir = tempfile::tempdir().expect("a directory");
    let ledger = Ledger::open(dir.path()).expect("a ledger");
    for (at, kind, name, record_type, state, value) in looks {
        let look = Look {
            domain: "contoso.example".to_owned(),
            kind: (*kind).to_owned(),
            name: (*name).to_owned(),
            record_type: (*record_type).to_owned(),
            state: *state,
            value: (*value).to_owned(),
        };
        ledger.note_published(*at, [&look]).expect("noted");
    }
    (dir, ledger)
}

/// Why, looks in the order of their time, and the changes that must be told.
const CASES: [(&str, &[At<'_>], &[&str]); 9] = [
    ("the beginning is no change", &[(1, "spf", "contoso.example", "TXT", Found, "v=spf1 -all")], &[]),
    (
        "terms that went and came",
        &[
            (1, "spf", "contoso.example", "TXT", Found, "v=spf1 include:a.example ip4:192.0.2.1 -all"),
            (2, "spf", "contoso.example", "TXT", Found, "v=spf1 ip4:192.0.2.1 mx -all"),
        ],
        &["SPF of contoso.example: include:a.example removed; mx added"],
    ),
    (
        "what a vendor changed",
        &[
            (1, "spf", "contoso.example", "TXT", Found, "v=spf1 include:v.example -all"),
            (1, "spf", "v.example", "TXT", Found, "v=spf1 ip4:192.0.2.1 -all"),
            (2, "spf", "v.example", "TXT", Found, "v=spf1 ip4:192.0.2.2 -all"),
        ],
        &["SPF of contoso.example includes v.example: ip4:192.0.2.1 removed; ip4:192.0.2.2 added"],
    ),
    (
        "what an include newly leads to is told by the record that includes it",
        &[
            (1, "spf", "contoso.example", "TXT", Found, "v=spf1 -all"),
            (2, "spf", "contoso.example", "TXT", Found, "v=spf1 include:v.example -all"),
            (2, "spf", "v.example", "TXT", Found, "v=spf1 -all"),
        ],
        &["SPF of contoso.example: include:v.example added"],
    ),
    (
        "a failure is no change, nor is the answer after it",
        &[
            (1, "dmarc", "_dmarc.contoso.example", "TXT", Found, "v=DMARC1; p=none"),
            (2, "dmarc", "_dmarc.contoso.example", "TXT", Failed, "timeout"),
            (3, "dmarc", "_dmarc.contoso.example", "TXT", Found, "v=DMARC1; p=none"),
        ],
        &[],
    ),
    (
        "gone and back, with another policy",
        &[
            (1, "dmarc", "_dmarc.contoso.example", "TXT", Found, "v=DMARC1; p=none"),
            (2, "dmarc", "_dmarc.contoso.example", "TXT", Nothing, ""),
            (3, "dmarc", "_dmarc.contoso.example", "TXT", Found, "v=DMARC1; p=none"),
            (4, "dmarc", "_dmarc.contoso.example", "TXT", Found, "v=DMARC1; p=reject"),
        ],
        &[
            "DMARC of contoso.example: gone",
            "DMARC of contoso.example: published",
            "DMARC of contoso.example: p=none removed; p=reject added",
        ],
    ),
    (
        "keys",
        &[
            (1, "dkim", "s1._domainkey.contoso.example", "TXT", Found, "v=DKIM1; p=AAAA"),
            (2, "dkim", "s1._domainkey.contoso.example", "TXT", Found, "v=DKIM1; t=y; p=AAAA"),
            (3, "dkim", "s1._domainkey.contoso.example", "TXT", Found, "v=DKIM1; p=BBBB"),
            (4, "dkim", "s1._domainkey.contoso.example", "TXT", Found, "v=DKIM1; p="),
        ],
        &[
            "DKIM key s1 of contoso.example: its tags changed",
            "DKIM key s1 of contoso.example: another key",
            "DKIM key s1 of contoso.example: revoked",
        ],
    ),
    (
        "a selector that was not known before",
        &[
            (1, "dkim", "s1._domainkey.contoso.example", "TXT", Found, "v=DKIM1; p=AAAA"),
            (2, "dkim", "s2._domainkey.contoso.example", "TXT", Found, "v=DKIM1; p=BBBB"),
        ],
        &["DKIM key s2 of contoso.example: first seen"],
    ),
    (
        "what others keep in the table is not told",
        &[
            (1, "lookalike", "contos0.example", "MX", Found, "10 a.example"),
            (2, "lookalike", "contos0.example", "MX", Nothing, ""),
        ],
        &[],
    ),
];

#[test]
fn changes_are_told_in_words() {
    for (why, looks, expected) in CASES {
        let (_dir, ledger) = ledger(looks);
        let history = dns_history(&ledger, None).unwrap();
        let told: Vec<String> = history.changes.into_iter().rev().map(|change| change.what).collect();
        assert_eq!(told, expected, "{why}");
    }
}

#[test]
fn records_are_those_of_the_end_of_the_day() {
    let root = "contoso.example";
    let (_dir, ledger) = ledger(&[
        (10 * DAY, "spf", root, "TXT", Found, "v=spf1 -all"),
        (12 * DAY, "spf", root, "TXT", Failed, "SERVFAIL"),
        (15 * DAY + 9, "spf", root, "TXT", Found, "v=spf1 ?all"),
        (20 * DAY, "spf", root, "TXT", Nothing, ""),
    ]);
    let cases = [
        (3, Found, "v=spf1 -all", true),
        (10, Found, "v=spf1 -all", false),
        (14, Found, "v=spf1 -all", false),
        (15, Found, "v=spf1 ?all", false),
        (20, Nothing, "", false),
        (90, Nothing, "", false),
    ];
    for (day, state, value, assumed) in cases {
        let record = record_as_of(&ledger, root, RecordKind::Spf, Day(day)).unwrap().unwrap();
        assert_eq!((record.state, record.value.as_str(), record.assumed), (state, value, assumed), "day {day}");
    }
    assert!(record_as_of(&ledger, root, RecordKind::Dmarc, Day(20)).unwrap().is_none(), "nobody looked");
    let on = |days| dns_changes(&ledger, Some(root), false, days).unwrap().len();
    assert_eq!([on((Day(0), Day(14))), on((Day(15), Day(15))), on((Day(0), Day(99)))], [0, 1, 2]);
}

#[test]
fn a_name_that_nothing_leads_to_any_more_does_not_still_stand() {
    let root = "contoso.example";
    let (_dir, ledger) = ledger(&[
        (1, "spf", root, "TXT", Found, "v=spf1 include:v.example -all"),
        (1, "spf", "v.example", "TXT", Found, "v=spf1 -all"),
        (2, "spf", root, "TXT", Found, "v=spf1 -all"),
    ]);
    let lines = dns_history(&ledger, Some(root)).unwrap().lines;
    let still: Vec<_> =
        lines.iter().filter(|line| line.still).map(|line| (line.name.as_str(), line.first_seen)).collect();
    assert_eq!(still, [(root, 2)]);
}

#[test]
fn spf_of_then_is_evaluated_over_what_was_known_then() {
    let root = "contoso.example";
    let (_dir, ledger) = ledger(&[
        (0, "spf", root, "TXT", Found, "v=spf1 include:v.example a:out.contoso.example -all"),
        (0, "spf", "v.example", "TXT", Found, "v=spf1 ip4:192.0.2.0/24 -all"),
        (0, "spf", "out.contoso.example", "A", Found, "203.0.113.5"),
        (5 * DAY, "spf", "v.example", "TXT", Found, "v=spf1 ip4:198.51.100.0/24 -all"),
    ]);
    let history = History::read(&ledger, Some(root)).unwrap();
    let name = dns::Name::parse(root).unwrap();
    let passes = |day, address: &str| {
        let compiled = dns::now(spf::compile(&history.as_of(Day(day)), &name, &spf::Limits::default()));
        compiled.answer(address.parse().unwrap()).result()
    };
    let pass = Some(spf::SpfResult::Pass);
    assert_eq!([passes(4, "192.0.2.9"), passes(5, "198.51.100.9"), passes(5, "203.0.113.5")], [pass; 3]);
    assert_eq!(passes(5, "192.0.2.9"), Some(spf::SpfResult::Fail));
    // Nobody asked for the IPv6 addresses of the host: nothing is guessed.
    assert_eq!(passes(5, "2001:db8::1"), Some(spf::SpfResult::TempError));
}
