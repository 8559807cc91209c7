//! The disk fails, or the machine stops, at every single operation of an import: nothing is lost and nothing is counted twice.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use super::model::Model;
use super::support::{Dice, EPOCH, Whole, directory, parse, report, row};
use crate::fault::{Fault, Faults};
use crate::ledger::Tuning;
use crate::segment_write::Layout;
use crate::spool::SpoolLimits;
use crate::staged::Batching;
use crate::{Error, KeptState, Ledger, Measure, Question, RawKey, Value};

/// Small enough that packs are rolled and an item gets a file of its own.
const TUNING: Tuning = Tuning {
    spool: SpoolLimits { small: 20_000, pack_bytes: 6_000, buffer_bytes: 3_000 },
    layout: Layout { group_rows_max: 1_000, group_rows_min: 8, page_rows: 16 },
};
const BATCHING: Batching = Batching { reports: 3, rows: 60, text_bytes: 48 << 20, age: Duration::MAX };

/// An item: its bytes and the reports in it.
struct Item {
    bytes: Vec<u8>,
    reports: Vec<Whole>,
}

/// New reports, a duplicate, two conflicts (one within a batch), several reports in an item, a report larger than a batch.
fn items() -> Vec<Item> {
    let mut dice = Dice(7);
    let mut wholes: Vec<Vec<Whole>> = (0..8).map(|day| vec![report(&mut dice, day % 3, 9)]).collect();
    wholes[3].push(report(&mut dice, 2, 4));
    wholes.push(vec![report(&mut dice, 1, 150)]);
    let mut changed = wholes[0][0].clone();
    changed.rows.push(row(&mut dice, "example.com"));
    wholes.insert(5, vec![changed.clone()]);
    wholes.insert(6, vec![wholes[1][0].clone()]);
    let mut once_more = wholes[8][0].clone();
    once_more.rows.pop();
    wholes.insert(9, vec![once_more]);
    let item =
        |(number, reports): (usize, Vec<Whole>)| Item { bytes: format!("{number} {reports:?}").into_bytes(), reports };
    wholes.into_iter().enumerate().map(item).collect()
}

/// Keeps and takes in what is not taken in yet, and compacts.
fn import(ledger: &Ledger, items: &[Item]) -> Result<(), Error> {
    let mut intake = ledger.intake_with(BATCHING)?;
    for item in items {
        let kept = ledger.keep(&mut &item.bytes[..], "somewhere", EPOCH)?;
        match kept.state {
            KeptState::New | KeptState::Pending => drop(parse(&mut intake, &kept.key, &item.reports)?),
            KeptState::Known { .. } => {}
        }
    }
    intake.finish()?;
    crate::compact::compact(&ledger.inner, 100)?;
    Ok(())
}

fn open(dir: &Path, at: u64, fault: Fault) -> Result<Ledger, Error> {
    Ledger::open_on(dir, &Faults::disk(at, fault).0, TUNING)
}

fn messages(ledger: &Ledger) -> Value {
    let all = Question { measures: vec![Measure::Messages], ..Question::default() };
    ledger.ask(&all).unwrap().totals[0].clone()
}

/// Messages that count after the first so many items.
fn expected(items: &[Item]) -> Value {
    let mut model = Model::default();
    let mut id = 0;
    for whole in items.iter().flat_map(|item| &item.reports) {
        id += 1;
        model.put(whole, id);
    }
    Value::Number(model.counts.values().map(|(_, whole)| whole.messages()).sum())
}

/// After whatever happened: the ledger is sound and holds whole batches only; then the rest is taken in, and all is there once.
fn recovers(dir: &Path, items: &[Item], what: &str) {
    let ledger = Ledger::open_on(dir, &crate::disk::Disk::default(), TUNING).unwrap_or_else(|e| panic!("{what}: {e}"));
    assert_eq!(ledger.check().unwrap().faults, [""; 0], "{what}");
    let committed = usize::try_from(ledger.counters().unwrap().items).unwrap();
    assert_eq!(messages(&ledger), expected(&items[..committed]), "{what}: after {committed} items");
    // Everything kept and not committed is pending, in the order in which it came.
    let pending = ledger.pending().unwrap();
    let mut intake = ledger.intake_with(BATCHING).unwrap();
    for (one, item) in pending.iter().zip(&items[committed..]) {
        let mut raw = Vec::new();
        std::io::Read::read_to_end(&mut ledger.raw(&one.key).unwrap(), &mut raw).unwrap();
        assert_eq!(raw, item.bytes, "{what}");
        parse(&mut intake, &one.key, &item.reports).unwrap();
    }
    intake.finish().unwrap();
    import(&ledger, items).unwrap();
    assert_eq!(messages(&ledger), expected(items), "{what}: after taking in the rest");
    assert_eq!(ledger.counters().unwrap().items, items.len() as u64, "{what}");
    assert_eq!(ledger.check().unwrap().faults, [""; 0], "{what}");
}

#[test]
fn nothing_is_lost_or_doubled_wherever_the_disk_fails() {
    let items = items();
    let dir = directory();
    let (disk, faults) = Faults::disk(u64::MAX, Fault::Crash);
    import(&Ledger::open_on(dir.path(), &disk, TUNING).unwrap(), &items).unwrap();
    let operations = faults.count();
    assert!(operations > 60, "{operations}");
    let mut failed = 0;
    for at in 0..operations {
        for fault in [Fault::Once(ErrorKind::StorageFull), Fault::Once(ErrorKind::Other), Fault::Crash] {
            let what = format!("operation {at} of {operations}, {fault:?}");
            let dir = directory();
            let result = open(dir.path(), at, fault).and_then(|ledger| {
                let result = import(&ledger, &items);
                if result.is_err() && fault != Fault::Crash {
                    carries_on(&ledger, &items, &what);
                }
                result
            });
            match result {
                Ok(()) => {}
                Err(Error::DiskFull { .. }) if fault == Fault::Once(ErrorKind::StorageFull) => failed += 1,
                Err(Error::Io { .. }) if fault != Fault::Once(ErrorKind::StorageFull) => failed += 1,
                Err(other) => panic!("{what}: {other}"),
            }
            recovers(dir.path(), &items, &what);
        }
    }
    println!("{operations} operations, {failed} failures");
    assert!(failed > operations * 2, "most operations matter: {failed}");
}

/// After an error the same process can go on, unless raw copies are in doubt.
fn carries_on(ledger: &Ledger, items: &[Item], what: &str) {
    match import(ledger, items) {
        Ok(()) => assert_eq!(messages(ledger), expected(items), "{what}: in the same process"),
        Err(Error::Misuse { what: sentence }) => {
            assert!(sentence.contains("open the ledger anew"), "{what}: {sentence}");
        }
        Err(other) => panic!("{what}: in the same process: {other}"),
    }
}

#[test]
fn a_failed_transaction_leaves_everything_pending() {
    let items = items();
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    {
        // As good as any reason for which SQLite says no.
        let connection = ledger.inner.writer().unwrap().connection();
        connection
            .execute_batch("CREATE TEMP TRIGGER no BEFORE INSERT ON arrival BEGIN SELECT raise(ABORT, 'no'); END")
            .unwrap();
    }
    let mut intake = ledger.intake_with(BATCHING).unwrap();
    let keys: Vec<RawKey> =
        items[..3].iter().map(|item| ledger.keep(&mut &item.bytes[..], "somewhere", EPOCH).unwrap().key).collect();
    parse(&mut intake, &keys[0], &items[0].reports).unwrap();
    parse(&mut intake, &keys[1], &items[1].reports).unwrap();
    assert!(matches!(parse(&mut intake, &keys[2], &items[2].reports), Err(Error::Catalog { .. })));
    assert!(matches!(intake.begin_item(&keys[2]), Err(Error::Misuse { .. })), "a failed intake takes nothing more");
    drop(intake);
    assert_eq!(ledger.pending().unwrap().iter().map(|p| p.key).collect::<Vec<_>>(), keys);
    assert_eq!(messages(&ledger), Value::Number(0));
    ledger.inner.writer().unwrap().connection().execute_batch("DROP TRIGGER no").unwrap();
    import(&ledger, &items).unwrap();
    assert_eq!(messages(&ledger), expected(&items));
    assert_eq!(ledger.check().unwrap().faults, [""; 0]);
}
