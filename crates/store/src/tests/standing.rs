//! Who stands for an item: kept with it, through a rebuild; an item that was refused is taken in once somebody vouches for it.

use report::{Rejection, RejectionKind};

use super::support::{Dice, directory, report, take};
use crate::Ledger;

#[test]
fn an_item_that_was_refused_is_taken_in_once_somebody_vouches_for_it() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    let key = ledger.keep(&mut &b"a mail"[..], "smtp:in", 0).unwrap().key;
    let mut intake = ledger.intake().unwrap();
    intake.begin_item(&key).unwrap();
    intake.standing("nobody".to_owned()).unwrap();
    intake.reject(None, &Rejection::new(RejectionKind::UnauthenticatedReporter, "who knows")).unwrap();
    intake.end_item().unwrap();
    intake.finish().unwrap();
    assert_eq!(ledger.standing(&key).unwrap().as_deref(), Some("nobody"));
    assert_eq!((ledger.counters().unwrap().rejected, ledger.pending().unwrap().len()), (1, 0));

    // What was noted stays through a rebuild.
    ledger.forget_derived().unwrap();
    let mut intake = ledger.intake().unwrap();
    intake.begin_item(&key).unwrap();
    intake.reject(None, &Rejection::new(RejectionKind::UnauthenticatedReporter, "who knows")).unwrap();
    intake.end_item().unwrap();
    intake.finish().unwrap();
    assert_eq!(ledger.standing(&key).unwrap().as_deref(), Some("nobody"));

    assert!(ledger.reconsider(&key, "us").unwrap());
    assert!(!ledger.reconsider(&key, "us").unwrap(), "it is pending already");
    let counters = ledger.counters().unwrap();
    assert_eq!((counters.rejected, counters.items), (0, 0));
    drop(ledger);
    // Also after a restart.
    let ledger = Ledger::open(dir.path()).unwrap();
    let pending = ledger.pending().unwrap();
    assert_eq!((pending.len(), pending[0].key), (1, key));
    let mut intake = ledger.intake().unwrap();
    let whole = report(&mut Dice(1), 0, 2);
    intake.begin_item(&key).unwrap();
    intake.begin_report(&whole.report, None).unwrap();
    for row in &whole.rows {
        intake.row(row).unwrap();
    }
    intake.end_report(&whole.finished()).unwrap();
    intake.end_item().unwrap();
    intake.finish().unwrap();
    let counters = ledger.counters().unwrap();
    assert_eq!((counters.rejected, counters.items, counters.reports), (0, 1, 1));
    assert_eq!(ledger.standing(&key).unwrap().as_deref(), Some("us"));
    assert!(ledger.pending().unwrap().is_empty());
    assert!(!ledger.reconsider(&key, "us").unwrap(), "what counts is not taken back");
    ledger.check().unwrap();
}

#[test]
fn what_was_taken_in_has_no_standing_of_its_own() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    let mut intake = ledger.intake().unwrap();
    take(&ledger, &mut intake, &report(&mut Dice(1), 0, 2)).unwrap();
    intake.finish().unwrap();
    let key = ledger.reports(&crate::ReportFilter::default(), 0, 1).unwrap().0[0].item;
    assert_eq!(ledger.standing(&key).unwrap(), None);
}
