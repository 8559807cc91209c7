//! Rounds over zones that change between them: what is kept, what counts as a change, and what is only a failure.

use std::collections::BTreeMap;
use std::sync::Arc;

use dns::Zone;
use insight::{History, RecordKind, WatchTargets, dns_history};
use report::Day;
use store::{Ledger, PublishedState};
use watch::{Error, RoundLimits, RoundSummary, round};

const ZONE: &str = "$TTL 60
contoso.example. TXT \"v=spf1 include:spf.vendor.example a:out.contoso.example -all\"
contoso.example. TXT \"some-site-verification=1\"
contoso.example. MX 10 mx.contoso.example.
_dmarc.contoso.example. TXT \"v=DMARC1; p=none\"
s1._domainkey.contoso.example. TXT \"v=DKIM1; p=AAAA\"
out.contoso.example. A 203.0.113.5
spf.vendor.example. TXT \"v=spf1 ip4:192.0.2.0/24 -all\"
";

fn targets() -> WatchTargets {
    WatchTargets {
        domains: vec!["contoso.example".to_owned()],
        spf_names: vec!["out.contoso.example".to_owned()],
        selectors: BTreeMap::from([("contoso.example".to_owned(), vec!["s1".to_owned(), "s2".to_owned()])]),
    }
}

async fn look(ledger: &Ledger, zone: &str, at: i64) -> Result<RoundSummary, Error> {
    let zone = Arc::new(Zone::parse(zone).expect("a zone"));
    round(ledger, zone, &targets(), &RecordKind::ALL, at, RoundLimits::default()).await
}

fn ledger() -> (tempfile::TempDir, Ledger) {
    let dir = tempfile::tempdir().expect("a directory");
    let ledger = Ledger::open(dir.path()).expect("a ledger");
    (dir, ledger)
}

#[tokio::test]
async fn everything_that_a_domain_publishes_is_seen_once() {
    let (_dir, ledger) = ledger();
    let first = look(&ledger, ZONE, 1).await.expect("a round");
    let lines = dns_history(&ledger, Some("contoso.example")).expect("a history").lines;
    let seen: Vec<String> = lines
        .iter()
        .map(|line| {
            format!("{} {} {} {}", line.kind.label(), line.name, line.record_type, line.value.replace('\n', " | "))
        })
        .collect();
    assert_eq!(
        seen,
        [
            "DKIM s1._domainkey.contoso.example TXT v=DKIM1; p=AAAA",
            "DKIM s2._domainkey.contoso.example TXT ",
            "DMARC _dmarc.contoso.example TXT v=DMARC1; p=none",
            "MX contoso.example MX 10 mx.contoso.example",
            "SPF contoso.example TXT v=spf1 include:spf.vendor.example a:out.contoso.example -all",
            "SPF out.contoso.example A 203.0.113.5",
            "SPF out.contoso.example AAAA ",
            "SPF spf.vendor.example TXT v=spf1 ip4:192.0.2.0/24 -all",
        ],
        "a token beside the record is none of it"
    );
    let again = look(&ledger, ZONE, 2).await.expect("a round");
    assert_eq!((again.added, again.same), (0, first.added), "nothing has changed");
}

/// Why, what is replaced by what in the zone of the second round, and the changes that must be told.
const CASES: [(&str, &str, &str, &[&str]); 8] = [
    ("another policy", "p=none", "p=reject", &["DMARC of contoso.example: p=none removed; p=reject added"]),
    (
        "what a vendor includes",
        "192.0.2.0/24",
        "198.51.100.0/24",
        &["SPF of contoso.example includes spf.vendor.example: ip4:192.0.2.0/24 removed; ip4:198.51.100.0/24 added"],
    ),
    (
        "the address of a host that is named",
        "203.0.113.5",
        "203.0.113.6",
        &["SPF of contoso.example uses out.contoso.example A: 203.0.113.5 removed; 203.0.113.6 added"],
    ),
    ("another key", "p=AAAA", "p=BBBB", &["DKIM key s1 of contoso.example: another key"]),
    ("a key that is gone", "s1._domainkey", "s9._domainkey", &["DKIM key s1 of contoso.example: gone"]),
    (
        "a record that is gone",
        "_dmarc.contoso.example. TXT \"v=DMARC1; p=none\"",
        "",
        &["DMARC of contoso.example: gone"],
    ),
    (
        "where mail goes",
        "MX 10 mx",
        "MX 20 mx",
        &["MX of contoso.example: 10 mx.contoso.example removed; 20 mx.contoso.example added"],
    ),
    ("a token that is no record of ours", "verification=1", "verification=2", &[]),
];

#[tokio::test]
async fn what_changes_between_rounds_is_told() {
    for (why, before, after, expected) in CASES {
        let (_dir, ledger) = ledger();
        look(&ledger, ZONE, 1).await.expect("a round");
        look(&ledger, &ZONE.replace(before, after), 2).await.expect("a round");
        let told: Vec<String> = dns_history(&ledger, Some("contoso.example"))
            .expect("a history")
            .changes
            .into_iter()
            .map(|c| c.what)
            .collect();
        assert_eq!(told, expected, "{why}");
    }
}

#[tokio::test]
async fn a_failure_is_not_taken_for_gone() {
    let (_dir, ledger) = ledger();
    look(&ledger, ZONE, 1).await.expect("a round");
    let failing = format!("{ZONE};@ servfail _dmarc.contoso.example\n;@ timeout spf.vendor.example\n");
    let summary = look(&ledger, &failing, 86_400 * 3).await.expect("a round");
    assert_eq!((summary.added, summary.failed), (2, 2));
    let history = dns_history(&ledger, Some("contoso.example")).expect("a history");
    assert_eq!(history.changes, []);
    let still: Vec<_> = history.lines.iter().filter(|l| l.name == "_dmarc.contoso.example" && l.still).collect();
    let states: Vec<_> = still.iter().map(|line| line.state).collect();
    assert_eq!(
        states,
        [PublishedState::Failed, PublishedState::Found],
        "the record is taken to stand, the failure is seen"
    );
    // Evaluated as of then, the record that was last seen counts.
    let then = History::read(&ledger, Some("contoso.example")).expect("a history").as_of(Day(9));
    let compiled =
        dns::now(spf::compile(&then, &dns::Name::parse("contoso.example").expect("a name"), &spf::Limits::default()));
    let answer = compiled.answer("192.0.2.7".parse().expect("an address")).result();
    assert_eq!(answer, Some(spf::SpfResult::Pass));
}

#[tokio::test]
async fn where_dns_does_not_answer_at_all_nothing_is_noted() {
    let (_dir, ledger) = ledger();
    let silent = ";@ servfail contoso.example\n;@ servfail _dmarc.contoso.example\n;@ servfail out.contoso.example\n\
                  ;@ timeout s1._domainkey.contoso.example\n;@ timeout s2._domainkey.contoso.example\n";
    assert!(matches!(look(&ledger, silent, 1).await, Err(Error::Silent(_))));
    assert_eq!(dns_history(&ledger, None).expect("a history").lines, []);
}

#[tokio::test]
async fn a_round_is_bounded() {
    let (_dir, ledger) = ledger();
    let zone = Arc::new(Zone::parse(ZONE).expect("a zone"));
    let limits = RoundLimits { jobs: 2, at_once: 1 };
    let summary = round(&ledger, zone, &targets(), &RecordKind::ALL, 1, limits).await.expect("a round");
    assert_eq!((summary.jobs, summary.left_out), (2, 3));
}
