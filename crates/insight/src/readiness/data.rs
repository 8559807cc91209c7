//! G0: whether there are enough reports to go by.

use std::collections::BTreeMap;

use report::{Day, Policy, Text};
use store::Ledger;

use super::answers::{GateState, See};
use super::assemble::{Draft, Ground};
use crate::{Error, PolicySeen, heard};

/// Days back that are looked at: enough for what is needed, and to see a month end.
const BACK: i32 = 91;
/// Share of the usual volume whose reporters must be heard of on a day, and share of days on which.
const USUAL: f64 = 0.8;
/// Days without any report that a row of days may have between: a gap of more than 48 hours breaks it.
const GAP: i32 = 2;

/// Reports of the domain by day and reporter.
struct Seen {
    /// Messages.
    days: BTreeMap<Day, BTreeMap<Text, u64>>,
}

pub(super) fn gate(ledger: &Ledger, ground: &Ground<'_>) -> Result<(Draft, Option<Day>), Error> {
    let last = ground.days.1;
    let seen = read(ledger, ground, (last.plus(1 - BACK), last))?;
    let needed = i32::from(ground.needed.days);
    let first = seen.unbroken(last);
    let mut why = Vec::new();
    let mut until = None;
    let run = first.map_or(0, |first| last.0 - first.0 + 1);
    if run < needed {
        until = first.map(|first| first.plus(needed));
        why.push(match first {
            Some(first) => format!("Reports without a gap of more than two days begin on {first}."),
            None => "There are no reports.".to_owned(),
        });
    }
    let (covered, of) = seen.covered(last.plus(1 - needed), last);
    let covers = f64::from(covered) >= USUAL * f64::from(of.max(1));
    why.push(format!("On {covered} of {of} days reporters of at least 80 % of the usual volume were heard of."));
    let mut passes = run >= needed && covers;
    let mut measured = format!("{run} days in a row");
    let text_needed = if ground.step == Policy::Reject {
        let at = at_quarantine(&crate::policies(ledger, ground.domain, (last.plus(1 - BACK), last))?, last);
        measured = format!("{measured}, {at} days at quarantine in full");
        passes &= at >= needed;
        if at < needed {
            why.push("RFC 9989 §7.4: reports at quarantine come before reject.".to_owned());
        }
        format!("≥ {needed} days in a row, and ≥ {needed} at quarantine")
    } else {
        let month_end = first.is_some_and(|first| (first.0..=last.0).any(|day| ends_month(Day(day))));
        passes &= month_end;
        if !month_end {
            why.push("No month end is among them: invoices, payrolls and statements are not seen yet.".to_owned());
            let next = (1..32).map(|n| last.plus(n)).find(|day| ends_month(*day));
            until = until.max(next.map(|day| day.plus(1)));
        }
        format!("≥ {needed} days in a row with a month end, 80 % of volume on 80 % of days")
    };
    let state = if passes { GateState::Pass } else { GateState::Fail };
    // Of days that are there but do not suffice nobody can say when they will.
    let until = until.filter(|_| !passes);
    let draft = Draft {
        id: "G0",
        title: "Enough data",
        state,
        measured,
        needed: text_needed,
        why,
        flows: Vec::new(),
        see: See::Reports,
    };
    Ok((draft, until))
}

fn read(ledger: &Ledger, ground: &Ground<'_>, days: (Day, Day)) -> Result<Seen, Error> {
    let mut seen = Seen { days: BTreeMap::new() };
    heard::each(ledger, (ground.domain, ground.is_organizational()), days, |heard| {
        *seen.days.entry(heard.day).or_default().entry(Text::new(heard.reporter)).or_default() += heard.messages;
    })?;
    Ok(seen)
}

impl Seen {
    /// The first day of the row of days that ends with the newest, with no gap of more than two days.
    fn unbroken(&self, last: Day) -> Option<Day> {
        let mut first = last.plus(1);
        for (day, _) in self.days.range(..=last).rev() {
            if first.0 - day.0 - 1 > GAP {
                break;
            }
            first = *day;
        }
        (first <= last).then_some(first)
    }

    /// On how many of these days reporters of most of the usual volume were heard of.
    fn covered(&self, first: Day, last: Day) -> (u32, u32) {
        let mut usual: BTreeMap<&str, u64> = BTreeMap::new();
        for reporters in self.days.range(first..=last).map(|(_, reporters)| reporters) {
            for (reporter, messages) in reporters {
                *usual.entry(reporter).or_default() += messages;
            }
        }
        let all: u64 = usual.values().sum();
        let covered = |reporters: &BTreeMap<Text, u64>| {
            let heard: u64 = reporters.keys().filter_map(|reporter| usual.get(reporter.as_str())).sum();
            heard * 5 >= all * 4
        };
        let days = self.days.range(first..=last).filter(|(_, reporters)| covered(reporters)).count();
        (u32::try_from(days).unwrap_or(0), u32::try_from(last.0 - first.0 + 1).unwrap_or(0))
    }
}

/// Days in a row, up to the newest, on which quarantine or more was asked for in full.
fn at_quarantine(policies: &[PolicySeen], last: Day) -> i32 {
    let mut begin = None;
    for seen in policies.iter().rev() {
        if !crate::enforces(seen) || !crate::trend::in_full(seen) {
            break;
        }
        begin = Some(seen.from);
    }
    begin.map_or(0, |begin| last.0 - begin.0 + 1)
}

fn ends_month(day: Day) -> bool {
    day.plus(1).date().is_some_and(|date| date.day() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(days: &[(i32, &[(&str, u64)])]) -> Seen {
        let of = |reporters: &[(&str, u64)]| reporters.iter().map(|(name, n)| (Text::new(name), *n)).collect();
        Seen { days: days.iter().map(|(day, reporters)| (Day(*day), of(reporters))).collect() }
    }

    #[test]
    fn a_gap_of_more_than_two_days_begins_anew() {
        let one: &[(&str, u64)] = &[("a", 1)];
        assert_eq!(seen(&[(1, one), (2, one), (5, one)]).unbroken(Day(6)), Some(Day(1)), "two days missing");
        assert_eq!(seen(&[(1, one), (5, one), (6, one)]).unbroken(Day(6)), Some(Day(5)), "three days missing");
        assert_eq!(seen(&[(1, one)]).unbroken(Day(6)), None, "nothing lately");
    }

    #[test]
    fn days_without_the_large_reporters_do_not_count() {
        let both: &[(&str, u64)] = &[("large", 90), ("small", 10)];
        let small: &[(&str, u64)] = &[("small", 10)];
        assert_eq!(seen(&[(1, both), (2, small), (3, both)]).covered(Day(1), Day(4)), (2, 4));
    }

    #[test]
    fn quarantine_in_name_only_is_none() {
        let policy = |record: &str, applies, from, to| PolicySeen {
            policy_domain: "example.com".into(),
            record: record.to_owned(),
            applies: Some(applies),
            from: Day(from),
            to: Day(to),
        };
        let tested = [policy("p=quarantine; pct=0; t=y", Policy::Quarantine, 1, 50)];
        assert_eq!(at_quarantine(&tested, Day(50)), 0);
        let real = [policy("p=none", Policy::None, 1, 9), policy("p=quarantine", Policy::Quarantine, 10, 50)];
        assert_eq!(at_quarantine(&real, Day(50)), 41);
    }

    #[test]
    fn months_end_in_february_too() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        assert!(ends_month(day("2026-02-28")) && !ends_month(day("2028-02-28")) && ends_month(day("2025-12-31")));
    }
}
