//! Locks, torn files, large items, compaction under readers, retention of files, backup, and the check that finds what is wrong.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use report::{Day, Interval};

use super::support::{DAY, Dice, EPOCH, Whole, directory, parse, report, take};
use crate::disk::Disk;
use crate::intake::Batching;
use crate::ledger::Tuning;
use crate::spool::SpoolLimits;
use crate::{
    Column, Condition, Error, KeptState, Ledger, Measure, Question, RawKey, ReportFilter, Test, Value, compact,
};

const SMALL_BATCHES: Batching = Batching { reports: 2, rows: 1_000, text_bytes: 48 << 20, age: Duration::MAX };

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

fn raw(ledger: &Ledger, key: &RawKey) -> Vec<u8> {
    let mut bytes = Vec::new();
    ledger.raw(key).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn one_process_writes() {
    let dir = directory();
    if let Ok(dir) = std::env::var("LEDGER_LOCKED_DIR") {
        // This is the second process.
        let locked = matches!(Ledger::open(Path::new(&dir)), Err(Error::Locked { .. }));
        let reads = Ledger::read(Path::new(&dir)).unwrap().counters().unwrap().reports == 1;
        assert!(locked && reads, "locked: {locked}, reads: {reads}");
        return;
    }
    assert!(matches!(Ledger::read(dir.path()), Err(Error::Missing { .. })));
    let ledger = Ledger::open(dir.path()).unwrap();
    fill(&ledger, &mut Dice(1), 0..1, 3);
    let error = Ledger::open(dir.path()).err().unwrap().to_string();
    assert!(error.contains(&dir.path().display().to_string()) && error.contains("another process"), "{error}");
    let second = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::upkeep::one_process_writes"])
        .env("LEDGER_LOCKED_DIR", dir.path())
        .output()
        .unwrap();
    assert!(second.status.success(), "{}", String::from_utf8_lossy(&second.stdout));
    let reader = Ledger::read(dir.path()).unwrap();
    assert!(matches!(reader.intake(), Err(Error::ReadOnly { .. })));
    assert!(matches!(reader.keep(&mut &b"x"[..], "", 0), Err(Error::ReadOnly { .. })));
    drop(ledger);
    Ledger::open(dir.path()).unwrap();
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
    assert_eq!(ledger.keep(&mut &b"one"[..], "there", 6).unwrap().state, KeptState::Known { reports: 1, rejected: 0 });
}

#[test]
fn a_torn_tail_is_cut_and_what_was_before_it_kept() {
    let dir = directory();
    let items: Vec<Vec<u8>> = (0..5_u8).map(|n| vec![n; 3_000 + usize::from(n)]).collect();
    let keys: Vec<RawKey> = {
        let ledger = Ledger::open(dir.path()).unwrap();
        let keys = items.iter().map(|item| ledger.keep(&mut &item[..], "o", 1).unwrap().key).collect();
        ledger.sync_spool().unwrap();
        keys
    };
    let pack = dir.path().join("spool/00000001.pack");
    let whole = fs::read(&pack).unwrap();
    // Every length the file may have after a crash, and a tail of zeros as some file systems leave.
    let mut cut = 0;
    for length in (0..=whole.len()).rev().step_by(7) {
        for zeros in [0, 300] {
            let mut bytes = whole[..length].to_vec();
            bytes.extend(vec![0; zeros]);
            fs::write(&pack, bytes).unwrap();
            let ledger = Ledger::open(dir.path()).unwrap();
            let found: Vec<RawKey> = ledger.pending().unwrap().into_iter().map(|p| p.key).collect();
            assert_eq!(found, keys[..found.len()], "{length} bytes");
            assert!(found.len() < keys.len() || length == whole.len());
            cut += usize::from(found.len() < keys.len());
            // What is kept next is readable, and so is what was kept before.
            let next = ledger.keep(&mut &b"after the crash"[..], "o", 2).unwrap().key;
            assert_eq!(raw(&ledger, &next), b"after the crash");
            for (key, item) in found.iter().zip(&items) {
                assert_eq!(raw(&ledger, key), *item);
            }
        }
    }
    assert!(cut > 50, "{cut}");
}

#[test]
fn one_damaged_entry_costs_one_item() {
    let dir = directory();
    let keys: Vec<RawKey> = {
        let ledger = Ledger::open(dir.path()).unwrap();
        let keys = (0..5_u8).map(|n| ledger.keep(&mut &[n; 3_000][..], "o", 1).unwrap().key).collect();
        ledger.sync_spool().unwrap();
        keys
    };
    let pack = dir.path().join("spool/00000001.pack");
    let mut bytes = fs::read(&pack).unwrap();
    // In the frame of the third: entries are equally long here.
    let at = bytes.len() / 5 * 2 + 80;
    bytes[at] ^= 1;
    fs::write(&pack, bytes).unwrap();
    let ledger = Ledger::open(dir.path()).unwrap();
    let found: Vec<RawKey> = ledger.pending().unwrap().into_iter().map(|p| p.key).collect();
    assert_eq!(found, [keys[0], keys[1], keys[3], keys[4]]);
}

#[test]
fn large_items_stream_into_files_of_their_own() {
    let dir = directory();
    let tuning = Tuning {
        spool: SpoolLimits { small: 10_000, pack_bytes: 40_000, ..SpoolLimits::default() },
        ..Tuning::default()
    };
    let mut dice = Dice(4);
    let mut noise = |bytes: usize| (0..bytes).map(|_| dice.next().to_le_bytes()[0]).collect::<Vec<u8>>();
    let items: Vec<Vec<u8>> =
        [0, 1, 9_999, 10_000, 10_001, 300_000, 8_000, 8_000, 8_000, 8_000, 8_000, 8_000].map(&mut noise).into();
    let mut keys = Vec::new();
    {
        let ledger = Ledger::open_on(dir.path(), &Disk::default(), tuning).unwrap();
        for item in &items {
            let kept = ledger.keep(&mut &item[..], "file", 1).unwrap();
            assert_eq!(kept.state, KeptState::New);
            assert_eq!(ledger.keep(&mut &item[..], "file", 1).unwrap().state, KeptState::Pending);
            keys.push(kept.key);
        }
        ledger.sync_spool().unwrap();
    }
    let names =
        || fs::read_dir(dir.path().join("spool")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    assert_eq!(names().filter(|name| ends(name, "item")).count(), 2);
    assert!(names().filter(|name| ends(name, "pack")).count() > 1, "packs are closed at their size");
    // Something left over from a crash in the middle of a stream.
    fs::File::create(dir.path().join("spool/77.tmp")).unwrap().write_all(b"half").unwrap();
    let ledger = Ledger::open_on(dir.path(), &Disk::default(), tuning).unwrap();
    assert_eq!(names().filter(|name| ends(name, "tmp")).count(), 0);
    assert_eq!(ledger.pending().unwrap().len(), items.len());
    for (key, item) in keys.iter().zip(&items) {
        assert_eq!(raw(&ledger, key), *item);
        assert_eq!(key.to_string().parse::<RawKey>().unwrap(), *key);
    }
    // An item that breaks off is the caller's error, and leaves nothing.
    for bytes in [5, 50_000] {
        assert!(matches!(ledger.keep(&mut BreaksOff(bytes), "line", 1), Err(Error::Item { .. })));
    }
    assert_eq!(names().filter(|name| ends(name, "tmp")).count(), 0);
    assert_eq!(ledger.pending().unwrap().len(), items.len());
}

#[test]
fn keeping_from_many_threads_keeps_each_once() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    let new = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (ledger, new) = (&ledger, &new);
            scope.spawn(move || {
                let mut dice = Dice(thread);
                for _ in 0..300 {
                    let item = dice.below(100).to_le_bytes();
                    let kept = ledger.keep(&mut &item[..], "o", 1).unwrap();
                    new.fetch_add(usize::from(kept.state == KeptState::New), Ordering::Relaxed);
                    assert_eq!(raw(ledger, &kept.key), item);
                }
            });
        }
        // Meanwhile outcomes are committed.
        let mut intake = ledger.intake_with(SMALL_BATCHES).unwrap();
        for _ in 0..50 {
            for pending in ledger.pending().unwrap().into_iter().take(5) {
                parse(&mut intake, &pending.key, &[]).unwrap();
            }
            intake.commit().unwrap();
        }
    });
    assert_eq!(new.into_inner(), 100);
    assert_eq!(ledger.pending().unwrap().len() as u64 + ledger.counters().unwrap().items, 100);
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
    assert_eq!(fs::read_dir(dir.path().join("segments")).unwrap().count(), 1, "files nobody reads any more are gone");
    assert_eq!(ledger.check().unwrap().faults, [""; 0]);
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
        (
            "a rollup that counts too much",
            "UPDATE trend SET messages_low = messages_low + 1 WHERE day = 20090",
            "rollup says",
        ),
        ("a rollup that lacks a day", "DELETE FROM trend WHERE day = 20091", "rollup says 0"),
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
    }
}

/// An input that breaks off after so many bytes.
struct BreaksOff(usize);

impl Read for BreaksOff {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.0.min(buffer.len());
        self.0 -= n;
        if n == 0 { Err(std::io::Error::other("line cut")) } else { Ok(n) }
    }
}

/// Whether a file has this extension.
fn ends(name: &str, extension: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|found| found == extension)
}
