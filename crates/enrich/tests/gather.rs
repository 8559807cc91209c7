//! Which sources are learned about: those of the last days, and of earlier ones those that nothing is known of.

use std::net::{IpAddr, Ipv4Addr};

use enrich::{GatherLimits, gather};
use report::{Day, Finished, Identity, Interval, Report, Row, Totals};
use store::Ledger;

const LAST: i32 = 20_400;

fn address(n: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, n))
}

/// A report about a message of each address on a day.
fn report(ledger: &Ledger, day: i32, addresses: &[u8]) {
    let mut intake = ledger.intake().expect("an intake");
    let number = day.to_be_bytes();
    let key = ledger.keep(&mut &number[..], "test", 0).expect("kept").key;
    let begin = i64::from(day) * 86_400;
    let mut report = Report { interval: Interval { begin, end: begin + 86_399 }, ..Report::default() };
    report.policy.domain = "example.com".into();
    intake.begin_item(&key).expect("an item");
    intake.begin_report(&report, None).expect("a report");
    for n in addresses {
        let row = Row { source: address(*n), count: 1, author_domain: "example.com".into(), ..Row::default() };
        intake.row(&row).expect("a row");
    }
    let identity = Identity { key: [number[3]; 16], content: [number[3]; 32] };
    let finished = Finished { flaws: Vec::new(), totals: Totals::default(), bad_rows: 0, identity };
    intake.end_report(&finished).expect("its end");
    intake.end_item().expect("its end");
    intake.finish().expect("taken in");
}

#[test]
fn earlier_sources_are_learned_about_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let ledger = Ledger::open(dir.path()).expect("a ledger");
    report(&ledger, LAST - 500, &[9]);
    report(&ledger, LAST - 60, &[1, 2, 3]);
    report(&ledger, LAST, &[3, 4, 5]);
    let found = |limits| {
        let sources = gather(&ledger, Day(LAST - 29), limits).expect("sources");
        sources.iter().map(|source| source.address).collect::<Vec<_>>()
    };
    let all = GatherLimits::default();
    let expected = |numbers: &[u8]| numbers.iter().map(|n| address(*n)).collect::<Vec<_>>();
    let sorted = |mut found: Vec<IpAddr>| {
        found.sort_unstable();
        found
    };
    assert_eq!(sorted(found(all)), expected(&[1, 2, 3, 4, 5]), "each once, and none from before flows are judged");
    let few = found(GatherLimits { sources: 4, ..all });
    assert_eq!((sorted(few[..3].to_vec()), few.len()), (expected(&[3, 4, 5]), 4), "the latest first");
    let stale = Day(LAST - 60);
    ledger.put_profiles([(address(1), stale, "{}"), (address(4), stale, "{}")]).expect("profiles");
    assert_eq!(sorted(found(all)), expected(&[2, 3, 4, 5]), "who still sends is looked at again, who is gone is not");
}
