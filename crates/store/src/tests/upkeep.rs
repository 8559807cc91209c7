//! Order of calls, compaction under readers, retention of files, backup, and the check that finds what is wrong.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use report::{Day, Interval};

use super::support::{DAY, Dice, EPOCH, SMALL_BATCHES, Whole, directory, parse, raw, report, take};
use crate::disk::Disk;
use crate::ledger::Tuning;
use crate::spool::SpoolLimits;
use crate::staged::Batching;
use crate::{
    Column, Compacted, Condition, Error, KeptState, Ledger, Measure, Question, RawKey, ReportFilter, Test, Value,
    compact,
};

fn totals(ledger: &Ledger) -> Vec<Value> {
    // By reporter, so that the segments are asked and not the rollup.
    let filter = vec![Condition { column: Column::Reporter, test: Test::NotIn(Vec::new()) }];
    let measures = vec![Measure::Messages, Measure::Rows, Measure::Distinct(Column::Source)];
    ledger.ask(&Question { filter, measures, ..Question::default() }).unwrap().totals
}

fn fill(ledger: &Ledger, dice: &mut Dice, days: std::ops::Range<i64>, rows: usize) -> Vec<Whole> {
    let wholes: Vec<Whole> = days.map(|day| report(dice, day, rows)).collect();
    let mut intake = ledger.intake_with(SMALL_BATCHES).unwrap();
    for whole in &wholes {
        take(ledger, &mut intake, whole).unwrap();
    }
    intake.finish().unwrap();
    wholes
}

#[test]
fn calls_out_of_order_are_refused_and_change_nothing() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    let whole = report(&mut Dice(1), 0, 2);
    let key = ledger.keep(&mut &b"one"[..], "", 0).unwrap().key;
    let misuse = |result: Result<(), Error>| assert!(matches!(result, Err(Error::Misuse { .. })), "{result:?}");
    let mut intake = ledger.intake().unwrap();
    misuse(ledger.intake().map(drop));
    misuse(intake.begin_report(&whole.report, None));
    misuse(intake.row(&whole.rows[0]));
    misuse(intake.end_report(&whole.finished()).map(drop));
    misuse(intake.end_item());
    misuse(intake.begin_item(&RawKey([7; 32])));
    intake.begin_item(&key).unwrap();
    misuse(intake.begin_item(&key));
    misuse(intake.commit());
    misuse(intake.repeated_item(&key).map(drop));
    intake.begin_report(&whole.report, None).unwrap();
    misuse(intake.begin_report(&whole.report, None));
    misuse(intake.end_item());
    for row in &whole.rows {
        intake.row(row).unwrap();
    }
    intake.end_report(&whole.finished()).unwrap();
    intake.end_item().unwrap();
    misuse(intake.begin_item(&key));
    assert_eq!(intake.finish().unwrap().rows, 2);
    let mut intake = ledger.intake().unwrap();
    misuse(intake.begin_item(&key));
    drop(intake);
    assert_eq!(ledger.counters().unwrap().rows, 2);
}

#[test]
fn what_is_not_committed_is_gone_when_the_intake_is_dropped() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    let whole = report(&mut Dice(1), 0, 900);
    let key = ledger.keep(&mut &b"one"[..], "here", 5).unwrap().key;
    // More rows than a batch, so that some are in a file already.
    let mut intake = ledger.intake_with(Batching { rows: 100, ..SMALL_BATCHES }).unwrap();
    intake.begin_item(&key).unwrap();
    intake.begin_report(&whole.report, None).unwrap();
    for row in &whole.rows {
        intake.row(row).unwrap();
    }
    assert!(fs::read_dir(dir.path().join("segments")).unwrap().count() > 4);
    drop(intake);
    assert_eq!(fs::read_dir(dir.path().join("segments")).unwrap().count(), 0);
    let pending = ledger.pending().unwrap();
    assert_eq!((pending.len(), pending[0].key, &*pending[0].origin, pending[0].received), (1, key, "here", 5));
    assert_eq!(ledger.keep(&mut &b"one"[..], "there", 6).unwrap().state, KeptState::Pending);
    let mut intake = ledger.intake().unwrap();
    parse(&mut intake, &key, &[whole]).unwrap();
    intake.finish().unwrap();
    assert_eq!(
        ledger.keep(&mut &b"one"[..], "there", 6).unwrap().state,
        KeptState::Known { reports: 1, rejected: 0, samples: 0 }
    );
}

#[test]
fn readers_see_every_row_once_while_segments_are_merged() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    let mut dice = Dice(9);
    fill(&ledger, &mut dice, 0..10, 40);
    let expected = totals(&ledger);
    // Another process, as far as locks and caches go.
    let other = Ledger::read(dir.path()).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for reader in [&ledger, &other, &other] {
            let (expected, done) = (&expected, &done);
            scope.spawn(move || {
                let mut asked = 0;
                while !done.load(Ordering::Relaxed) || asked == 0 {
                    assert_eq!(totals(reader), *expected);
                    asked += 1;
                }
            });
        }
        for rows in [30, 1_000, 90, 50, 700, 20, 10_000] {
            compact::compact(&ledger.inner, rows).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(ledger.counters().unwrap().segments, 1);
    for files in ["segments", "by-source"] {
        assert_eq!(fs::read_dir(dir.path().join(files)).unwrap().count(), 1, "files nobody reads any more are gone");
    }
    assert_eq!(ledger.check().unwrap().faults, [""; 0]);
}

#[test]
fn compaction_is_due_when_many_segments_came_together() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    let mut dice = Dice(3);
    fill(&ledger, &mut dice, 0..20, 3);
    assert_eq!(ledger.counters().unwrap().segments, 10);
    assert_eq!(ledger.compact_where_due(|| true).unwrap(), None, "ten are quickly read");
    fill(&ledger, &mut dice, 20..40, 3);
    let done = ledger.compact_where_due(|| true).unwrap().unwrap();
    assert_eq!((done.before, done.after, done.rows), (20, 1, 120));
    assert_eq!(ledger.compact_where_due(|| true).unwrap(), None, "and then it is done");
}

#[test]
fn compaction_that_is_told_to_stop_leaves_the_rest_for_later() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    fill(&ledger, &mut Dice(5), 0..12, 40);
    let expected = totals(&ledger);
    let mut steps = 0;
    loop {
        let done = compact::compact_while(&ledger.inner, 100, &|| false).unwrap();
        assert_eq!(totals(&ledger), expected, "after step {steps}");
        assert_eq!(ledger.check().unwrap().faults, [""; 0]);
        if done == Compacted::default() {
            break;
        }
        steps += 1;
    }
    assert!(steps > 2, "{steps} steps");
    assert_eq!(compact::compact(&ledger.inner, 100).unwrap(), Compacted::default(), "nothing is left");
}

#[test]
fn retention_removes_files_and_only_those_nothing_is_left_in() {
    let dir = directory();
    let tuning =
        Tuning { spool: SpoolLimits { small: 20_000, pack_bytes: 700, buffer_bytes: 200 }, ..Tuning::default() };
    let ledger = Ledger::open_on(dir.path(), &Disk::default(), tuning).unwrap();
    let mut dice = Dice(2);
    let mut wholes = fill(&ledger, &mut dice, 0..6, 4);
    // One over the cut, and one large enough for a file of its own.
    let mut over = report(&mut dice, 2, 5);
    over.report.interval = Interval { begin: EPOCH + 2 * DAY, end: EPOCH + 5 * DAY };
    let large = report(&mut dice, 1, 100);
    let mut intake = ledger.intake().unwrap();
    for whole in [&over, &large] {
        take(&ledger, &mut intake, whole).unwrap();
    }
    intake.finish().unwrap();
    let own = |ext: &str| {
        let names = fs::read_dir(dir.path().join("spool")).unwrap();
        names.filter(|e| e.as_ref().unwrap().path().extension().is_some_and(|e| e == ext)).count()
    };
    assert_eq!(own("item"), 1);
    let packs = own("pack");

    let oldest = Day::of(EPOCH).plus(4);
    let retained = ledger.retain(oldest).unwrap();
    assert_eq!(retained.reports, 5, "four small ones and the large one");
    assert_eq!(own("item"), 0);
    assert_eq!(packs - own("pack"), usize::try_from(retained.packs).unwrap());
    assert!(retained.packs >= 2, "{retained:?}");
    assert_eq!(ledger.span().unwrap(), Some((oldest, oldest.plus(1))));
    assert_eq!(ledger.check().unwrap().faults, [""; 0]);
    let (left, total) = ledger.reports(&ReportFilter::default(), 0, 10).unwrap();
    assert_eq!(total, 3);
    for entry in &left {
        assert!(!raw(&ledger, &entry.item).is_empty(), "raw copies of what is left stay readable");
    }
    // What was forgotten is new when it comes again.
    wholes.truncate(1);
    let mut intake = ledger.intake().unwrap();
    assert!(matches!(take(&ledger, &mut intake, &wholes[0]).unwrap(), Some(crate::Taken::New { .. })));
    intake.finish().unwrap();
    assert_eq!(ledger.compact().unwrap().after, 1);
    assert_eq!(ledger.check().unwrap().faults, [""; 0]);
    drop(ledger);
    assert_eq!(Ledger::open(dir.path()).unwrap().pending().unwrap(), []);
}

#[test]
fn a_backup_made_in_use_opens_as_a_ledger() {
    let (dir, to) = (directory(), directory());
    let to = to.path().join("copy");
    let ledger = Ledger::open(dir.path()).unwrap();
    let mut dice = Dice(3);
    fill(&ledger, &mut dice, 0..6, 20);
    let waiting = ledger.keep(&mut &b"not read yet"[..], "o", 1).unwrap().key;
    let mut intake = ledger.intake().unwrap();
    take(&ledger, &mut intake, &report(&mut dice, 3, 7)).unwrap();
    let (before, answer) = (ledger.counters().unwrap(), totals(&ledger));
    ledger.backup(&to).unwrap();
    assert!(matches!(ledger.backup(&to), Err(Error::Io { .. })), "a backup is never written over");
    intake.finish().unwrap();
    ledger.compact().unwrap();
    drop(ledger);

    let copy = Ledger::open(&to).unwrap();
    assert_eq!((copy.counters().unwrap(), totals(&copy)), (before, answer));
    assert_eq!(copy.check().unwrap().faults, [""; 0]);
    assert_eq!(raw(&copy, &waiting), b"not read yet");
    assert_eq!(copy.pending().unwrap().len(), 2, "what was kept and not committed");
    // The copy lives a life of its own.
    fill(&copy, &mut dice, 8..9, 5);
    let original = Ledger::open(dir.path()).unwrap();
    assert_eq!(original.check().unwrap().faults, [""; 0]);
    assert_eq!(original.counters().unwrap().reports, before.reports + 1);
    // A reader makes one too.
    let second = to.with_file_name("second");
    Ledger::read(dir.path()).unwrap().backup(&second).unwrap();
    assert_eq!(totals(&Ledger::open(&second).unwrap()), totals(&original));
}

#[test]
fn the_check_finds_what_is_wrong() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    fill(&ledger, &mut Dice(5), 0..4, 20);
    let cases: &[(&str, &str, &str)] = &[
        ("a rollup that counts too much", "UPDATE trend SET sums = x'000101' WHERE day = 20090", "rollup says"),
        ("a rollup that lacks a day", "DELETE FROM trend WHERE day = 20091", "rollup says 0"),
        (
            "a day that is not the sum of its domains",
            "UPDATE trend_day SET sums = x'000101' WHERE day = 20090",
            "all domains",
        ),
        ("an arrival too many", "UPDATE arrival SET reports = 9", "days of reporters"),
        ("a policy too many", "UPDATE policy_seen SET reports = 9", "days of policies"),
        ("a counter that is off", "UPDATE state SET rows = rows + 1", "counts of reports"),
        ("a report counted that has no rows", "UPDATE report SET superseded_by = 1 WHERE id = 2", "do not agree"),
        ("a tombstone too many", "INSERT INTO tombstone VALUES (1, 1)", "rollup says"),
        ("a raw copy that is elsewhere", "UPDATE item SET offset = offset + 1", "cannot be read"),
    ];
    for (why, sql, sentence) in cases {
        let mut connection = ledger.inner.writer().unwrap().connection();
        let before = tempfile::NamedTempFile::new_in(dir.path()).unwrap();
        connection.backup("main", before.path(), None::<fn(rusqlite::backup::Progress)>).unwrap();
        connection.execute_batch(sql).unwrap();
        drop(connection);
        let faults = ledger.check().unwrap().faults;
        assert!(faults.iter().any(|fault| fault.contains(sentence)), "{why}: {faults:?}");
        connection = ledger.inner.writer().unwrap().connection();
        connection.restore("main", before.path(), None::<fn(_)>).unwrap();
        drop(connection);
        assert_eq!(ledger.check().unwrap().faults, [""; 0], "{why}: put right again");
    }
}

#[test]
fn the_check_compares_both_orders_of_a_segment() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    fill(&ledger, &mut Dice(5), 0..4, 20);
    compact::compact(&ledger.inner, 40).unwrap();
    assert_eq!(ledger.check().unwrap().faults, [""; 0]);
    let mut files: Vec<_> =
        fs::read_dir(dir.path().join("by-source")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let whole = fs::read(&files[0]).unwrap();
    for (other, sentence) in [(fs::read(&files[1]).unwrap(), "something else"), (whole[..99].to_vec(), "by-source")] {
        fs::write(&files[0], other).unwrap();
        // Opened anew: the index of a file is read once.
        let faults = Ledger::read(dir.path()).unwrap().check().unwrap().faults;
        assert!(faults.len() == 1 && faults[0].contains(sentence), "{faults:?}");
    }
    fs::write(&files[0], whole).unwrap();
    assert_eq!(Ledger::read(dir.path()).unwrap().check().unwrap().faults, [""; 0]);
}

#[test]
fn segments_of_an_earlier_form_are_written_anew_once() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    fill(&ledger, &mut Dice(5), 0..4, 20);
    ledger.compact().unwrap();
    let (before, answer) = (ledger.inner.snapshot().unwrap()[0].entry, totals(&ledger));
    assert_eq!(ledger.compact().unwrap().after, 0, "nothing to do");
    ledger.inner.writer().unwrap().connection().execute("UPDATE segment SET level = 1", []).unwrap();
    assert_eq!(ledger.compact().unwrap().after, 1);
    let after = ledger.inner.snapshot().unwrap()[0].entry;
    assert!(after.id > before.id && after.rows == before.rows, "{before:?} {after:?}");
    assert_eq!((ledger.compact().unwrap().after, totals(&ledger)), (0, answer), "once, and nothing is lost");
    assert_eq!(ledger.check().unwrap().faults, [""; 0]);
}

#[test]
fn a_missing_segment_is_named() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    fill(&ledger, &mut Dice(5), 0..1, 20);
    fs::remove_file(dir.path().join("segments/0000000001.parquet")).unwrap();
    let question = Question { group: vec![Column::Source], ..Question::default() };
    let error = ledger.ask(&question).unwrap_err().to_string();
    assert!(error.contains("missing") && error.contains("rebuild"), "{error}");
    fs::write(dir.path().join("segments/0000000001.parquet"), b"PAR1 not really PAR1").unwrap();
    let error = ledger.ask(&question).unwrap_err().to_string();
    assert!(error.contains("0000000001.parquet") && error.contains("rebuild"), "{error}");
}

#[test]
fn counts_beyond_64_bits_saturate_and_come_back() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    let mut dice = Dice(6);
    let mut huge = report(&mut dice, 0, 3);
    huge.rows[1] = huge.rows[0].clone();
    for row in &mut huge.rows {
        row.count = u64::MAX;
    }
    let modest = report(&mut dice, 0, 3);
    let mut intake = ledger.intake().unwrap();
    take(&ledger, &mut intake, &huge).unwrap();
    take(&ledger, &mut intake, &modest).unwrap();
    intake.commit().unwrap();
    let messages = Question { measures: vec![Measure::Messages], ..Question::default() };
    assert_eq!(ledger.ask(&messages).unwrap().totals, [Value::Number(u64::MAX)]);
    assert_eq!(totals(&ledger)[0], Value::Number(u64::MAX));
    assert_eq!(ledger.counters().unwrap().messages, u64::MAX);
    // Nor does adding equal rows up lose any.
    ledger.compact().unwrap();
    let source = Condition { column: Column::Source, test: Test::In(vec![Value::Address(huge.rows[0].source)]) };
    let of_source =
        Question { filter: vec![source], measures: vec![Measure::Messages, Measure::Rows], ..Question::default() };
    let same = huge.rows.iter().chain(&modest.rows).filter(|row| row.source == huge.rows[0].source).count();
    assert_eq!(ledger.ask(&of_source).unwrap().totals, [Value::Number(u64::MAX), Value::Number(same as u64)]);
    assert_eq!(ledger.check().unwrap().faults, [""; 0]);
    // The report is corrected: what it claimed is taken off again, to the message.
    let mut right = huge.clone();
    for row in &mut right.rows {
        row.count = 2;
    }
    take(&ledger, &mut intake, &right).unwrap();
    intake.finish().unwrap();
    let expected = Value::Number(6 + modest.messages());
    assert_eq!(ledger.ask(&messages).unwrap().totals, std::slice::from_ref(&expected));
    assert_eq!(totals(&ledger)[0], expected);
    assert_eq!(ledger.check().unwrap().faults, [""; 0]);
}

#[test]
fn an_absurd_interval_costs_one_day() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    let mut whole = report(&mut Dice(8), 0, 5);
    whole.report.interval.end = i64::MAX;
    let mut intake = ledger.intake().unwrap();
    take(&ledger, &mut intake, &whole).unwrap();
    intake.finish().unwrap();
    assert_eq!(ledger.span().unwrap(), Some((Day::of(EPOCH), Day::of(EPOCH))));
    assert_eq!(totals(&ledger)[0], Value::Number(whole.messages()));
}

#[test]
fn questions_that_make_no_sense_are_refused() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    let one = |column, test| Question { filter: vec![Condition { column, test }], ..Question::default() };
    let cases = [
        ("twice", Question { group: vec![Column::Day, Column::Day], ..Question::default() }),
        (
            "not grouped by",
            Question {
                order: vec![(crate::Key::Column(Column::Day), crate::Direction::Ascending)],
                ..Question::default()
            },
        ),
        ("another kind", one(Column::Day, Test::In(vec![Value::Number(3)]))),
        ("only a source", one(Column::Domain, Test::Within([10, 0, 0, 0].into(), 8))),
        ("no network", one(Column::Source, Test::Within([10, 0, 0, 0].into(), 33))),
    ];
    for (sentence, question) in cases {
        let error = ledger.ask(&question).unwrap_err().to_string();
        assert!(error.contains(sentence), "{error}");
        assert!(ledger.ask_together(&[question]).unwrap_err().to_string().contains(sentence));
    }
    let of_a_day = Question { days: Some((Day::of(EPOCH), Day::of(EPOCH))), ..Question::default() };
    let error = ledger.ask_together(&[Question::default(), of_a_day]).unwrap_err().to_string();
    assert!(error.contains("other days"), "{error}");
}
