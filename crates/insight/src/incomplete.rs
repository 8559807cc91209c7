//! Days at the end of the ledger that draw low because their reports are still to come.
//!
//! In: a scope and its days. Out: the newest days on which clearly fewer reporters have reported than usual. Counted from arrivals
//! alone, a handful of lines a day, so that it costs the same whatever the number of rows.

use std::collections::{BTreeMap, BTreeSet};

use report::{Day, Text};
use store::Ledger;

use crate::{Error, IncompleteDay, Scope};

/// Days that may be incomplete: most reports come within a day, nearly all within three.
const LATE: i32 = 3;
/// Days before those that say what is usual: two weeks, so that each weekday counts twice.
const USUAL: i32 = 14;
/// Days with reports that it takes to say what is usual.
const ENOUGH: usize = 3;

/// The days of a period that are still incomplete, oldest first.
pub(crate) fn incomplete(ledger: &Ledger, scope: &Scope, days: (Day, Day)) -> Result<Vec<IncompleteDay>, Error> {
    let Some((_, newest)) = ledger.span()? else { return Ok(Vec::new()) };
    if days.1 <= newest.plus(-LATE) {
        return Ok(Vec::new());
    }
    let mut heard: BTreeMap<Day, BTreeSet<Text>> = BTreeMap::new();
    for arrival in ledger.arrivals(Some((newest.plus(1 - LATE - USUAL), newest)))? {
        if scope.reporter.as_ref().is_none_or(|reporter| *reporter == arrival.reporter) {
            heard.entry(arrival.day).or_default().insert(arrival.reporter);
        }
    }
    let heard: BTreeMap<Day, u64> = heard.into_iter().map(|(day, reporters)| (day, reporters.len() as u64)).collect();
    let mut found = judge(&heard, newest);
    found.retain(|late| days.0 <= late.day && late.day <= days.1);
    Ok(found)
}

/// From the newest day back to the first that is complete.
fn judge(heard: &BTreeMap<Day, u64>, newest: Day) -> Vec<IncompleteDay> {
    let before = newest.plus(-LATE);
    let mut usual: Vec<u64> = heard.range(before.plus(1 - USUAL)..=before).map(|(_, reporters)| *reporters).collect();
    if usual.len() < ENOUGH {
        return Vec::new();
    }
    usual.sort_unstable();
    let usual = usual.get(usual.len() / 2).copied().unwrap_or_default();
    let mut found = Vec::new();
    for back in 0..LATE {
        let day = newest.plus(-back);
        let reporters = heard.get(&day).copied().unwrap_or_default();
        // Fewer than three in four: one small reporter that skips a day is nothing to speak of.
        if reporters * 4 >= usual * 3 {
            break;
        }
        found.push(IncompleteDay { day, reporters, usual });
    }
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_whose_reports_are_still_to_come() {
        let cases: [(&str, Vec<u64>, &[i32]); 7] = [
            ("all have reported", vec![9; 17], &[]),
            ("one of many has not", [vec![9; 16], vec![8]].concat(), &[]),
            ("nobody has", [vec![9; 16], vec![0]].concat(), &[16]),
            ("two days are coming in", [vec![9; 15], vec![5, 1]].concat(), &[15, 16]),
            ("a low day before a whole one is a gap, not a delay", [vec![9; 15], vec![2, 9]].concat(), &[]),
            ("one reporter alone that has not", [vec![1; 16], vec![0]].concat(), &[16]),
            ("too little to say what is usual", [vec![0; 12], vec![9, 9, 0, 0, 0]].concat(), &[]),
        ];
        for (why, reporters, expected) in cases {
            let heard = (0..).map(Day).zip(reporters.iter().copied()).filter(|(_, n)| *n > 0).collect();
            let newest = Day(i32::try_from(reporters.len()).unwrap() - 1);
            let found: Vec<i32> = judge(&heard, newest).iter().map(|late| late.day.0).collect();
            assert_eq!(found, expected, "{why}");
        }
    }
}
