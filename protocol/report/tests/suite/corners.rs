//! Corner cases: one report, one edit each, and exactly what the edit changes in what is read. See `testdata/reports`.

use std::fmt::Write;

use serde::Deserialize;

use crate::summary::{difference, summary};
use crate::support::read;

/// A report of the first generation without a flaw.
pub(crate) const BASE: &str = include_str!("../../../../testdata/reports/base.xml");

#[derive(Deserialize)]
struct Case {
    why: String,
    replace: String,
    with: String,
    changes: String,
}

/// Every case, and the text of its report.
fn cases() -> Vec<(Case, String)> {
    let lines = include_str!("../../../../testdata/reports/corners.jsonl").lines();
    let cases = lines.map(|line| serde_json::from_str::<Case>(line).unwrap_or_else(|error| panic!("{line}: {error}")));
    cases
        .map(|case| {
            assert!(BASE.contains(&case.replace), "{}: {} is not in the report", case.why, case.replace);
            let places = if case.replace.ends_with("s>") { 2 } else { 1 };
            let text = BASE.replacen(&case.replace, &case.with, places);
            (case, text)
        })
        .collect()
}

/// The text of every case.
pub(crate) fn texts() -> Vec<String> {
    cases().into_iter().map(|(_, text)| text).collect()
}

#[test]
fn one_oddity_changes_what_it_should() {
    let base = summary(&read(BASE.as_bytes()));
    let mut wrong = String::new();
    let cases = cases();
    for (Case { why, changes, .. }, text) in &cases {
        let changed = difference(&base, &summary(&read(text.as_bytes())));
        if changed != *changes {
            writeln!(wrong, "{why}\n  expected {changes}\n  got      {changed}").unwrap();
        }
    }
    println!("{} corner cases", cases.len());
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(cases.len() > 180, "only {} ran", cases.len());
}

#[test]
fn time_that_has_not_come_is_refused_by_whoever_knows_the_time() {
    let open = |latest| report::Reader::open(BASE.as_bytes(), &report::Limits { latest, ..report::Limits::default() });
    assert!(open(1_700_086_399).is_ok(), "it ends in the last second there is");
    let refused = open(1_700_086_398).err().map(|rejection| rejection.kind);
    assert_eq!(refused, Some(report::RejectionKind::ImplausibleTime));
}
