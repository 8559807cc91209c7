//! Alerts and their notices: one open alert a cause, all or nothing, sent at least once and by one at a time.

use super::support::directory;
use crate::{AlertChange, AlertEntry, Ledger};

fn opened(cause: &str, at: i64) -> AlertChange {
    AlertChange {
        open: vec![(cause.to_owned(), at, "{}".to_owned())],
        notices: vec![("mail".to_owned(), at, format!("\"{cause}\""))],
        marks: vec![("judged".to_owned(), at)],
        ..AlertChange::default()
    }
}

#[test]
fn an_alert_and_its_notice_are_there_together_or_not_at_all() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    ledger
        .change_alerts(0, 10, |then| {
            assert!(then.alerts.is_empty() && then.marks.is_empty());
            opened("spf", 10)
        })
        .unwrap();
    // The same cause again: refused as a whole, the notice with it.
    assert!(ledger.change_alerts(0, 11, |_| opened("spf", 11)).is_err());
    let then = ledger.alerts(0).unwrap();
    assert_eq!((then.alerts.len(), then.unsent.len(), then.marks["judged"]), (1, 1, 10));

    // Resolved, it makes room for another one of its cause; both are there.
    let resolved = AlertEntry { resolved: Some(12), ..then.alerts[0].clone() };
    ledger.change_alerts(0, 12, |_| AlertChange { put: vec![resolved], ..AlertChange::default() }).unwrap();
    ledger.change_alerts(0, 13, |_| opened("spf", 13)).unwrap();
    assert_eq!(ledger.alerts(0).unwrap().alerts.len(), 2);
    assert_eq!(ledger.alerts(12).unwrap().alerts.len(), 1, "resolved too long ago");

    // A rebuild cannot work any of it out again, and leaves it.
    ledger.add_alert_word(14, "\"silence\"").unwrap();
    ledger.forget_derived().unwrap();
    let then = ledger.alerts(0).unwrap();
    assert_eq!((then.alerts.len(), then.unsent.len(), then.words.len()), (2, 2, 1));

    // After more than a year, what was resolved is forgotten.
    ledger.change_alerts(0, 13 + 500 * 86_400, |_| AlertChange::default()).unwrap();
    assert_eq!(ledger.alerts(0).unwrap().alerts.len(), 1, "the open one stays");
}

#[test]
fn a_notice_is_taken_by_one_at_a_time_and_again_if_he_is_killed() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    for at in [10, 20] {
        ledger.change_alerts(0, at, |_| opened(&format!("at {at}"), at)).unwrap();
    }
    let taken = |now: i64| ledger.claim_notices(now, now + 60, 9).unwrap();
    assert!(taken(9).is_empty(), "nothing is due");
    let first = taken(10);
    assert_eq!((first.len(), first[0].tries), (1, 1));
    assert!(taken(15).is_empty(), "another process gets nothing while somebody is at it");
    // Killed before it was marked: due again, the same one.
    drop(ledger);
    let ledger = Ledger::open(dir.path()).unwrap();
    let taken = |now: i64| ledger.claim_notices(now, now + 60, 9).unwrap();
    let again = taken(70);
    assert_eq!((again.len(), again[0].id, again[0].tries), (2, first[0].id, 2));
    ledger.notice_sent(again[0].id, 71).unwrap();
    ledger.notice_failed(again[1].id, "refused", Some(100), 71).unwrap();
    assert!(taken(99).is_empty());
    let last = taken(200);
    assert_eq!((last.len(), last[0].id, last[0].problem.as_deref()), (1, again[1].id, Some("refused")));
    ledger.notice_failed(last[0].id, "refused for good", None, 201).unwrap();
    assert!(taken(100_000).is_empty(), "given up");
    let all = ledger.notices(9).unwrap();
    assert_eq!((all[0].given_up, all[1].sent), (Some(201), Some(71)));
    // What is no longer true need not be sent; what was sent stays.
    let drop = AlertChange { drop: all.iter().map(|notice| notice.id).collect(), ..AlertChange::default() };
    ledger.change_alerts(0, 300, |_| drop).unwrap();
    assert_eq!(ledger.notices(9).unwrap().len(), 1);
}
