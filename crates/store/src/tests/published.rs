//! What was published: a line for each change, failures beside it, kept by rebuild and backup.

use super::support::directory;
use crate::published::{Look, Noted, PublishedFilter, PublishedState};
use crate::{Ledger, PublishedEntry};

fn look(name: &str, state: PublishedState, value: &str) -> Look {
    Look {
        domain: "contoso.example".to_owned(),
        kind: "spf".to_owned(),
        name: name.to_owned(),
        record_type: "TXT".to_owned(),
        state,
        value: value.to_owned(),
    }
}

fn found(value: &str) -> Look {
    look("contoso.example", PublishedState::Found, value)
}

fn lines(ledger: &Ledger, filter: &PublishedFilter<'_>) -> Vec<(String, i64, i64, bool)> {
    let line = |e: PublishedEntry| (e.look.value, e.first_seen, e.last_seen, e.newest);
    ledger.published(filter).unwrap().into_iter().map(line).collect()
}

/// Why, looks in the order of their time, and the lines that must be there then: text, first, last, newest.
type Case<'a> = (&'a str, Vec<(i64, Look)>, &'a [(&'a str, i64, i64, bool)]);

#[test]
fn a_line_is_added_only_when_the_answer_is_another_one() {
    use PublishedState::{Failed, Nothing};
    let nothing = || look("contoso.example", Nothing, "");
    let failed = |why| look("contoso.example", Failed, why);
    let cases: [Case<'_>; 6] = [
        ("the same answer again", vec![(1, found("a")), (5, found("a"))], &[("a", 1, 5, true)]),
        ("another answer", vec![(1, found("a")), (2, found("b"))], &[("a", 1, 1, false), ("b", 2, 2, true)]),
        (
            "one that returns is a change too",
            vec![(1, found("a")), (2, nothing()), (3, found("a"))],
            &[("a", 1, 1, false), ("", 2, 2, false), ("a", 3, 3, true)],
        ),
        (
            "a failure ends nothing, and is one failure while it lasts",
            vec![(1, found("a")), (2, failed("timeout")), (3, failed("SERVFAIL")), (4, found("a"))],
            &[("a", 1, 4, true), ("timeout", 2, 3, false)],
        ),
        (
            "a failure after an answer is another one",
            vec![(1, failed("timeout")), (2, found("a")), (3, failed("timeout"))],
            &[("timeout", 1, 1, false), ("a", 2, 2, false), ("timeout", 3, 3, true)],
        ),
        ("what is older than what is known is left out", vec![(5, found("a")), (4, found("b"))], &[("a", 5, 5, true)]),
    ];
    for (why, looks, expected) in cases {
        let dir = directory();
        let ledger = Ledger::open(dir.path()).unwrap();
        for (at, look) in &looks {
            ledger.note_published(*at, [look]).unwrap();
        }
        let expected: Vec<_> = expected.iter().map(|&(text, a, b, newest)| (text.to_owned(), a, b, newest)).collect();
        assert_eq!(lines(&ledger, &PublishedFilter::default()), expected, "{why}");
    }
}

#[test]
fn names_types_and_purposes_are_apart() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    let mut looks: Vec<Look> = (0..5).map(|_| found("same")).collect();
    looks[1].name = "other".to_owned();
    looks[2].kind = "dmarc".to_owned();
    looks[3].record_type = "MX".to_owned();
    looks[4].domain = "other".to_owned();
    let noted = ledger.note_published(9, &looks).unwrap();
    assert_eq!(noted, Noted { added: 5, same: 0, late: 0 });
    assert_eq!(ledger.note_published(12, &looks).unwrap(), Noted { added: 0, same: 5, late: 0 });
    let of = |filter: PublishedFilter<'_>| ledger.published(&filter).unwrap().len();
    assert_eq!(of(PublishedFilter { domain: Some("contoso.example"), ..Default::default() }), 4);
    assert_eq!(of(PublishedFilter { kind: Some("spf"), ..Default::default() }), 4);
    assert_eq!(of(PublishedFilter { since: Some(9), until: Some(9), ..Default::default() }), 5);
    assert_eq!(of(PublishedFilter { since: Some(10), ..Default::default() }), 0);
    assert_eq!(of(PublishedFilter { until: Some(8), ..Default::default() }), 0);
    let looked = [("contoso.example".to_owned(), 12), ("other".to_owned(), 12)];
    assert_eq!(ledger.published_looks("spf").unwrap(), looked);
}

#[test]
fn a_value_without_end_is_cut_and_still_the_same() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    let endless = found(&"ä".repeat(20_000));
    ledger.note_published(1, [&endless]).unwrap();
    ledger.note_published(2, [&endless]).unwrap();
    let kept = lines(&ledger, &PublishedFilter::default());
    assert_eq!((kept.len(), kept[0].0.len(), kept[0].2), (1, 16 << 10, 2));
}

#[test]
fn history_is_written_beside_the_writer_and_outlives_a_rebuild() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    Ledger::read(dir.path()).unwrap().note_published(7, [&found("a")]).unwrap();
    ledger.forget_derived().unwrap();
    let copy = directory();
    let copy = copy.path().join("copy");
    ledger.backup(&copy).unwrap();
    assert_eq!(lines(&Ledger::read(&copy).unwrap(), &PublishedFilter::default()), [("a".to_owned(), 7, 7, true)]);
}
