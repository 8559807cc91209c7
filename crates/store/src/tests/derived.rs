//! Derived values, versions of days, and decisions.

use std::collections::HashMap;

use report::Day;

use super::support::{Dice, EPOCH, directory, report, take};
use crate::{Column, DerivedKey, Ledger, Measure, Question, Value};

fn key(name: &str, number: i64) -> DerivedKey<'_> {
    DerivedKey { kind: "k", name, number }
}

fn versions(ledger: &Ledger) -> HashMap<Day, i64> {
    ledger.day_versions().unwrap().into_iter().collect()
}

#[test]
fn the_version_of_a_day_changes_with_its_rows_and_never_comes_back() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    let mut dice = Dice(5);
    let mut intake = ledger.intake().unwrap();
    let mut first = report(&mut dice, 0, 9);
    take(&ledger, &mut intake, &first).unwrap();
    take(&ledger, &mut intake, &report(&mut dice, 9, 9)).unwrap();
    intake.commit().unwrap();
    let one = versions(&ledger);
    let early = Day::of(EPOCH);
    let late = *one.keys().max().unwrap();
    let generation = ledger.generation().unwrap();
    first.rows.clear();
    take(&ledger, &mut intake, &first).unwrap();
    intake.finish().unwrap();
    let two = versions(&ledger);
    assert_eq!(two.get(&late), one.get(&late), "nothing happened on that day");
    assert!(one.contains_key(&early) && !two.contains_key(&early), "a correction without rows takes them off");
    assert!(ledger.generation().unwrap() > generation);
    ledger.compact().unwrap();
    assert_eq!(versions(&ledger), two, "the same rows in other files");
    let generation = ledger.generation().unwrap();
    ledger.forget_derived().unwrap();
    assert!(versions(&ledger).is_empty() && ledger.generation().unwrap() > generation, "a rebuild counts on");
}

#[test]
fn derived_values_are_kept_replaced_and_forgotten() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    let reader = Ledger::read(dir.path()).unwrap();
    // A reader puts them too: what is derived belongs to nobody.
    reader.put_derived("k", [("a", 1, 7, &b"one"[..]), ("a", 3, 7, b"three"), ("b", 1, 7, b"")]).unwrap();
    ledger.put_derived("k", [("a", 1, 8, &b"uno"[..])]).unwrap();
    let found = |from, to| -> Vec<(i64, i64, Vec<u8>)> {
        let about = ledger.derived_about("k", "a", from..=to).unwrap();
        about.into_iter().map(|d| (d.number, d.version, d.bytes)).collect()
    };
    assert_eq!(found(0, 9), [(1, 8, b"uno".to_vec()), (3, 7, b"three".to_vec())]);
    assert_eq!(found(2, 2), []);
    assert_eq!(ledger.derived(key("b", 1)).unwrap().unwrap().bytes, b"");
    assert_eq!(ledger.derived_version(key("a", 2)).unwrap(), None);
    ledger.drop_derived("k", 0..=1).unwrap();
    assert_eq!(found(0, 9).len(), 1);
    ledger.put_derived("other", [("a", 3, 7, &b"stays"[..])]).unwrap();
    ledger.replace_derived("k", [("a", 5, 9, &b"five"[..])]).unwrap();
    assert_eq!(found(0, 9), [(5, 9, b"five".to_vec())]);
    assert!(ledger.derived(DerivedKey { kind: "other", name: "a", number: 3 }).unwrap().is_some());
    ledger.forget_derived().unwrap();
    assert_eq!(found(0, 9), []);
}

#[test]
fn a_value_is_decoded_once_for_each_version() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    assert!(ledger.decoded(key("a", 0), text).unwrap().is_none());
    ledger.put_derived("k", [("a", 0, 1, &b"one"[..])]).unwrap();
    assert_eq!(*ledger.decoded(key("a", 0), text).unwrap().unwrap(), "one");
    let again = ledger.decoded(key("a", 0), |_| -> Option<String> { panic!("decoded twice") }).unwrap();
    assert_eq!(*again.unwrap(), "one");
    Ledger::read(dir.path()).unwrap().put_derived("k", [("a", 0, 2, &b"two"[..])]).unwrap();
    assert_eq!(*ledger.decoded(key("a", 0), text).unwrap().unwrap(), "two", "another process put a newer one");
}

#[test]
fn decisions_are_added_also_beside_the_writer_and_outlive_a_rebuild() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    let reader = Ledger::read(dir.path()).unwrap();
    assert_eq!((ledger.add_decision(10, "{}").unwrap(), reader.add_decision(5, "[]").unwrap()), (1, 2));
    ledger.forget_derived().unwrap();
    let copy = directory();
    let copy = copy.path().join("copy");
    ledger.backup(&copy).unwrap();
    let kept = Ledger::read(&copy).unwrap().decisions().unwrap();
    let kept: Vec<_> = kept.iter().map(|d| (d.id, d.at, d.decision.as_str())).collect();
    assert_eq!(kept, [(1, 10, "{}"), (2, 5, "[]")]);
}

#[test]
fn groups_are_the_lines_of_the_answer() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    let mut intake = ledger.intake().unwrap();
    let mut dice = Dice(3);
    for day in 0..4 {
        take(&ledger, &mut intake, &report(&mut dice, day, 40)).unwrap();
    }
    intake.finish().unwrap();
    let question = Question {
        group: vec![Column::Source, Column::Dkim, Column::Outcome],
        measures: vec![Measure::Messages, Measure::Distinct(Column::Reporter)],
        ..Question::default()
    };
    let answer = ledger.ask(&question).unwrap();
    let mut lines: Vec<(Vec<Value>, Vec<Value>)> = ledger
        .groups(&question, |groups| {
            let key = |group| (0..3).map(|at| groups.value(at, groups.code(group, at))).collect();
            let sums = |group| (0..2).map(|at| Value::Number(groups.sum(group, at))).collect();
            (0..groups.len()).map(|group| (key(group), sums(group))).collect()
        })
        .unwrap();
    lines.sort();
    let mut expected: Vec<_> = answer.lines.into_iter().map(|line| (line.key, line.measures)).collect();
    expected.sort();
    assert!(lines.len() > 20);
    assert_eq!(lines, expected);
}

#[test]
fn waivers_are_added_and_outlive_a_rebuild() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    let generation = ledger.generation().unwrap();
    assert_eq!((ledger.add_waiver(10, "{}").unwrap(), ledger.add_waiver(5, "[]").unwrap()), (1, 2));
    assert_eq!(ledger.generation().unwrap(), generation, "no flow is judged anew because of them");
    ledger.forget_derived().unwrap();
    let copy = directory();
    let copy = copy.path().join("copy");
    ledger.backup(&copy).unwrap();
    let kept = Ledger::read(&copy).unwrap().waivers().unwrap();
    let kept: Vec<_> = kept.iter().map(|w| (w.id, w.at, w.waiver.as_str())).collect();
    assert_eq!(kept, [(1, 10, "{}"), (2, 5, "[]")]);
}
