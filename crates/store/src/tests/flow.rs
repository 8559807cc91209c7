//! Items in, answers out.

use report::Day;

use super::support::{Dice, directory, report, take};
use crate::{Column, Condition, Ledger, Measure, Question, ReportFilter, Taken, Test, Value};

#[test]
fn what_is_taken_in_is_found() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    let mut dice = Dice(1);
    let wholes: Vec<_> = (0..40).map(|at| report(&mut dice, at % 5, 30)).collect();
    let mut intake = ledger.intake().unwrap();
    for whole in &wholes {
        assert!(matches!(take(&ledger, &mut intake, whole).unwrap(), Some(Taken::New { .. })));
    }
    let totals = intake.finish().unwrap();
    assert_eq!((totals.new, totals.rows), (40, 1200));

    let ledger = {
        drop(ledger);
        Ledger::open(dir.path()).unwrap()
    };
    assert_eq!(ledger.pending().unwrap(), []);
    assert_eq!(ledger.span().unwrap(), Some((Day(20_089), Day(20_093))));
    let messages: u64 = wholes.iter().map(super::support::Whole::messages).sum();
    let all = Question { measures: vec![Measure::Messages, Measure::Rows], ..Question::default() };
    assert_eq!(ledger.ask(&all).unwrap().totals, [Value::Number(messages), Value::Number(1200)]);
    let other =
        Question { filter: vec![Condition { column: Column::Reporter, test: Test::NotIn(vec![]) }], ..all.clone() };
    assert_eq!(ledger.ask(&other).unwrap().totals, [Value::Number(messages), Value::Number(1200)]);
    let (page, total) = ledger.reports(&ReportFilter::default(), 0, 7).unwrap();
    assert_eq!((page.len(), total), (7, 40));
    assert_eq!(page[0].report, wholes[39].report);
    assert_eq!(page[0].flaws, wholes[39].flaws);
    let mut raw = String::new();
    std::io::Read::read_to_string(&mut ledger.raw(&page[0].item).unwrap(), &mut raw).unwrap();
    assert_eq!(raw.as_bytes(), wholes[39].bytes());
    assert_eq!(ledger.counters().unwrap().messages, messages);
    assert_eq!(ledger.arrivals(None).unwrap().iter().map(|a| a.reports).sum::<u64>(), 40);
    assert!(!ledger.policies(None, None).unwrap().is_empty());
    assert_eq!(ledger.flaws(None).unwrap().iter().map(|f| f.reports).sum::<u64>(), ledger.counters().unwrap().flawed);
}
