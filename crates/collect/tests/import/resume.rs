//! Imports that were stopped in the middle, and everything worked out again: to the row the same as if nothing had happened.

#![expect(clippy::unwrap_used, reason = "what a test builds for itself does not fail")]

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::support::{Made, Place, counted, everything, gzip, reports};
use collect::{Options, Progress, State, import, rebuild, resume};
use store::Ledger;

/// A folder with what makes trouble: large and small reports, several in one item, duplicates, conflicts, things refused.
fn fill(place: &Place) {
    for number in 0..120_u32 {
        let id = number.to_string();
        let rows = if number % 40 == 9 { 3_000 } else { number % 4 + 1 };
        let rows: Vec<_> =
            (0..rows).map(|row| (format!("10.1.{}.{}", row / 250, row % 250), u64::from(row + number))).collect();
        let made = Made { id: &id, begin: 1_766_448_000 + i64::from(number % 9) * 86_400, rows, ..Made::default() };
        let xml = made.xml();
        match number % 12 {
            3 => place.file(&format!("{number:03}.txt"), format!("no report {number}")),
            4 => place.file(&format!("{number:03}.xml"), &xml[..xml.len() - 30]),
            5 => {
                let conflict = Made { rows: vec![("192.0.2.77".into(), 1)], ..made.clone() };
                place.file(&format!("{number:03}-b.gz"), gzip(conflict.xml().as_bytes()));
                place.file(&format!("{number:03}-a.gz"), gzip(xml.as_bytes()))
            }
            6 => {
                place.file(&format!("{number:03}-again.xml"), &xml);
                place.file(&format!("{number:03}.xml"), xml.replace("><", "> <"))
            }
            7 => {
                let other = Made { id: "in the same archive", ..made.clone() }.xml();
                let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
                for (name, bytes) in [("a.xml", &xml), ("b.xml", &xml[..200].to_owned()), ("c.xml", &other)] {
                    archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
                    std::io::Write::write_all(&mut archive, bytes.as_bytes()).unwrap();
                }
                place.file(&format!("{number:03}.zip"), archive.finish().unwrap().into_inner())
            }
            _ => place.file(&format!("{number:03}.xml"), xml),
        };
    }
}

/// What a ledger says, without times of arrival.
fn said(ledger: &Ledger) -> (impl PartialEq + std::fmt::Debug + use<>, store::Counters) {
    let reports: Vec<_> = reports(ledger)
        .into_iter()
        .map(|e| (e.report, e.rows, e.messages, e.content, e.item, e.member, e.superseded_by.is_some()))
        .collect();
    let (rejections, count) = ledger.rejections(0, 100_000).unwrap();
    let rejections: Vec<_> = rejections.into_iter().map(|r| (r.item, r.member, r.rejection)).collect();
    let policies = ledger.policies(None, None).unwrap();
    // How rows are cut into files depends on when a batch was full.
    let counters = store::Counters { segments: 0, segment_bytes: 0, ..ledger.counters().unwrap() };
    ((reports, rejections, count, policies, everything(ledger)), counters)
}

/// Stops the import, as far as that is possible from inside, at the n-th sign of life.
struct Stop {
    at: usize,
    now: Cell<usize>,
}

impl Progress for Stop {
    fn advanced(&self, _: &State<'_>) {
        self.now.set(self.now.get() + 1);
        assert!(self.now.get() != self.at, "stopped here on purpose");
    }
}

#[test]
fn stopped_anywhere_and_begun_again_the_ledger_is_the_same() {
    let undisturbed = Place::new();
    fill(&undisturbed);
    let counter = Stop { at: usize::MAX, now: Cell::new(0) };
    let _ = import(&undisturbed.ledger, &[undisturbed.input()], &Options::default(), &counter).unwrap();
    let expected = said(&undisturbed.ledger);
    let signs = counter.now.get();
    assert!(signs > 15, "{signs} places to stop at are too few");
    for at in (1..=signs).step_by(3) {
        let ledger_folder = undisturbed.folder.path().join(format!("ledger-{at}"));
        let ledger = Ledger::open(&ledger_folder).unwrap();
        let stop = Stop { at, now: Cell::new(0) };
        let paths = [undisturbed.input()];
        let stopped = catch_unwind(AssertUnwindSafe(|| import(&ledger, &paths, &Options::default(), &stop)));
        assert!(stopped.is_err(), "{at}");
        drop(ledger);
        let ledger = Ledger::open(&ledger_folder).unwrap();
        let _ = import(&ledger, &paths, &Options::default(), &()).unwrap();
        let (found, counters) = said(&ledger);
        assert_eq!(found, expected.0, "stopped at {at} of {signs}");
        // What was taken in before came again, and that is counted.
        assert!(counters.duplicates >= expected.1.duplicates, "{counters:?}");
        assert_eq!(store::Counters { duplicates: expected.1.duplicates, ..counters }, expected.1, "stopped at {at}");
        assert!(ledger.pending().unwrap().is_empty());
    }
}

#[test]
fn what_was_kept_and_not_read_is_read_first() {
    let place = Place::new();
    let made = |id| Made { id, ..Made::default() };
    for (origin, id) in [("first", "1"), ("second", "2")] {
        let _ = place.ledger.keep(&mut made(id).xml().as_bytes(), origin, 1).unwrap();
    }
    // A large one is read from the ledger and not from memory.
    let rows: Vec<_> = (0..5_000_u32).map(|row| (format!("10.0.{}.{}", row / 250, row % 250), 1)).collect();
    let large = Made { id: "3", rows, ..Made::default() }.xml();
    assert!(large.len() > 1 << 20);
    let _ = place.ledger.keep(&mut large.as_bytes(), "third", 1).unwrap();
    place.file("0.xml", made("4").xml());
    place.file("2.xml", made("2").xml());
    let summary = place.import_all();
    assert_eq!((summary.files, summary.resumed, summary.items), (2, 3, 5), "{summary:?}");
    assert_eq!((summary.reports, summary.new, summary.duplicates), (5, 4, 1), "{summary:?}");
    let ids: Vec<_> = reports(&place.ledger).iter().map(|e| e.report.report_id.to_string()).collect();
    assert_eq!(ids, ["1", "2", "3", "4"], "in the order in which they came");
    assert_eq!(resume(&place.ledger, &Options::default(), &()).unwrap().resumed, 0);
}

#[test]
fn a_rebuild_changes_nothing() {
    let place = Place::new();
    fill(&place);
    let first = place.import_all();
    let expected = said(&place.ledger);
    let summary = rebuild(&place.ledger, &()).unwrap();
    assert_eq!(said(&place.ledger), expected);
    assert_eq!(
        (summary.files, summary.new, summary.rows, summary.rejected),
        (0, first.new, first.rows, first.rejected)
    );
    assert_eq!(summary.flaw_kinds, first.flaw_kinds);
    assert_eq!(place.ledger.check().unwrap().faults, Vec::<String>::new());
    assert!(counted(&place.ledger).0 > 6_000);
}

/// A stop in the middle of a rebuild leaves the rest pending; the next start goes on with it.
#[test]
fn a_rebuild_that_was_stopped_goes_on() {
    let place = Place::new();
    fill(&place);
    let _ = place.import_all();
    let expected = said(&place.ledger);
    for at in [1, 4, 9] {
        let stop = Stop { at, now: Cell::new(0) };
        let stopped = catch_unwind(AssertUnwindSafe(|| rebuild(&place.ledger, &stop)));
        assert!(stopped.is_err());
        let _ = resume(&place.ledger, &Options::default(), &()).unwrap();
        assert_eq!(said(&place.ledger), expected, "stopped at {at}");
    }
}

/// A ledger that cannot be written ends the import with its error, and does not hang or lose anything.
#[test]
fn the_ledger_s_error_ends_the_import() {
    let place = Place::new();
    fill(&place);
    drop(place.ledger);
    let folder: &Path = &place.folder.path().join("ledger");
    let reading = Ledger::read(folder).unwrap();
    let error = import(&reading, &[place.folder.path().join("in")], &Options::default(), &()).unwrap_err();
    assert!(error.to_string().contains("reading only"), "{error}");
}
