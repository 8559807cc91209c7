//! A ledger that an earlier version wrote: it opens, keeps what it holds, and comes up to date.

use report::Day;
use rusqlite::{Connection, params};

use super::support::{Dice, EPOCH, directory, report, take};
use crate::catalog::Catalog;
use crate::trend::{self, Sum};
use crate::{Column, Condition, Error, Ledger, Measure, Question, Test, Value, compact};

/// Questions to the rollup, to the rows, and about one source.
fn answers(ledger: &Ledger) -> Vec<crate::Answer> {
    let source = Condition { column: Column::Source, test: Test::Within([192, 0, 2, 0].into(), 24) };
    let measures = vec![Measure::Messages, Measure::Rows, Measure::FirstDay, Measure::Failing];
    let question = |group: &[Column], filter: &[Condition]| Question {
        group: group.to_vec(),
        filter: filter.to_vec(),
        measures: measures.clone(),
        ..Question::default()
    };
    [
        question(&[Column::Day, Column::Domain, Column::Outcome, Column::Disposition], &[]),
        question(&[Column::Day], &[]),
        question(&[Column::Reporter, Column::Source], &[]),
        question(&[Column::Source, Column::Dkim, Column::Day], &[source]),
    ]
    .iter()
    .map(|question| ledger.ask(question).unwrap())
    .collect()
}

/// Turns a ledger back into what version 1 wrote: a line of the trend for each outcome and disposition, no files sorted by source.
fn back_to_version_1(dir: &std::path::Path) {
    let connection = Connection::open(Catalog::path_in(dir)).unwrap();
    let (trend, _) = trend::all(&connection).unwrap();
    connection
        .execute_batch(
            "DROP TABLE alert; DROP TABLE notice; DROP TABLE alert_word; DROP TABLE alert_mark;
             DROP TABLE waiver; DROP TABLE lookalike; DROP TABLE lookalike_change; DROP TABLE lookalike_pass; DROP TABLE published; DROP TABLE decision; DROP TABLE derived; DROP TABLE day_version;
             DROP TABLE sample; ALTER TABLE item DROP COLUMN samples; ALTER TABLE state DROP COLUMN samples;
             ALTER TABLE state DROP COLUMN profiles_put;
             ALTER TABLE item DROP COLUMN standing; DROP TABLE profile; DROP TABLE trend_day; DROP TABLE trend;
             CREATE TABLE trend (
                 day INTEGER NOT NULL, domain INTEGER NOT NULL, outcome INTEGER NOT NULL, disposition INTEGER NOT NULL,
                 rows INTEGER NOT NULL, messages_high INTEGER NOT NULL, messages_low INTEGER NOT NULL,
                 PRIMARY KEY (day, domain, outcome, disposition)
             ) WITHOUT ROWID;
             ALTER TABLE segment DROP COLUMN by_source; PRAGMA user_version = 1;",
        )
        .unwrap();
    for ((day, domain, outcome, disposition), sum) in trend {
        let Sum { rows, messages } = sum;
        // As that version added them up: halves of many counts, the lower ones more than 32 bits together.
        let high = messages >> 33;
        let halves = [high, messages - (high << 32)].map(|half| i64::try_from(half).unwrap());
        connection
            .execute(
                "INSERT INTO trend SELECT ?1, id, ?3, ?4, ?5, ?6, ?7 FROM domain WHERE name = ?2",
                params![day, domain.as_str(), outcome as u8, disposition as u8, rows, halves[0], halves[1]],
            )
            .unwrap();
    }
    drop(connection);
    std::fs::remove_dir_all(dir.join("by-source")).unwrap();
}

#[test]
fn a_ledger_of_version_1_is_brought_forward() {
    let dir = directory();
    let before = {
        let ledger = Ledger::open(dir.path()).unwrap();
        let mut dice = Dice(12);
        let mut intake = ledger.intake().unwrap();
        for day in 0..12 {
            let mut whole = report(&mut dice, day / 3, 30);
            whole.rows[0].count = u64::from(u32::MAX) * 9;
            take(&ledger, &mut intake, &whole).unwrap();
            if day % 4 == 3 {
                intake.commit().unwrap();
            }
        }
        intake.finish().unwrap();
        compact::compact(&ledger.inner, 100).unwrap();
        answers(&ledger)
    };
    back_to_version_1(dir.path());
    let error = Ledger::read(dir.path()).err().unwrap();
    assert!(matches!(error, Error::Older { found: 1, .. }), "a reader changes nothing: {error}");

    let ledger = Ledger::open(dir.path()).unwrap();
    assert!(dir.path().join("catalog-before-version-11.sqlite").exists());
    assert_eq!(answers(&ledger), before);
    assert_eq!(ledger.check().unwrap().faults, [""; 0]);
    assert!(ledger.inner.snapshot().unwrap().iter().all(|part| part.by_source.is_none()));
    // The next compaction sorts by source what is there already.
    compact::compact(&ledger.inner, 100).unwrap();
    assert!(ledger.inner.snapshot().unwrap().iter().all(|part| part.by_source.is_some()));
    assert_eq!(answers(&ledger), before);
    assert_eq!(ledger.check().unwrap().faults, [""; 0]);
    assert_eq!(compact::compact(&ledger.inner, 100).unwrap().before, 0, "and then all is done");
    // It goes on as any other.
    let mut intake = ledger.intake().unwrap();
    take(&ledger, &mut intake, &report(&mut Dice(13), 2, 9)).unwrap();
    intake.finish().unwrap();
    ledger.retain(Day::of(EPOCH).plus(2)).unwrap();
    assert_eq!(ledger.check().unwrap().faults, [""; 0]);
    drop(ledger);
    assert_eq!(Ledger::read(dir.path()).unwrap().check().unwrap().faults, [""; 0]);
}

#[test]
fn what_superseded_reports_said_is_in_no_answer() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    let mut dice = Dice(14);
    let mut whole = report(&mut dice, 0, 40);
    let other = report(&mut dice, 0, 40);
    let mut intake = ledger.intake().unwrap();
    take(&ledger, &mut intake, &whole).unwrap();
    take(&ledger, &mut intake, &other).unwrap();
    intake.commit().unwrap();
    ledger.compact().unwrap();
    let of_source = Question {
        filter: vec![Condition { column: Column::Source, test: Test::In(vec![Value::Address(whole.rows[0].source)]) }],
        measures: vec![Measure::Rows],
        ..Question::default()
    };
    let count = |wholes: [&super::support::Whole; 2]| {
        let rows = wholes.iter().flat_map(|w| &w.rows).filter(|row| row.source == whole.rows[0].source).count();
        vec![Value::Number(rows as u64)]
    };
    let (both, without) = (count([&whole, &other]), count([&other, &other]));
    assert_eq!(ledger.ask(&of_source).unwrap().totals, both);
    whole.rows.clear();
    take(&ledger, &mut intake, &whole).unwrap();
    intake.finish().unwrap();
    let Value::Number(doubled) = without[0] else { panic!() };
    let without = [Value::Number(doubled / 2)];
    assert_eq!(ledger.ask(&of_source).unwrap().totals, without, "the file sorted by source still has its rows");
    assert_eq!(ledger.check().unwrap().faults, [""; 0]);
    ledger.compact().unwrap();
    assert_eq!(ledger.ask(&of_source).unwrap().totals, without);
    assert_eq!(ledger.check().unwrap().faults, [""; 0]);
}
