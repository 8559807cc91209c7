//! Expected versus received: which reporters have sent what they usually send, and which have fallen silent.
//!
//! In: who reported on which day. Out: for each reporter its rhythm, what should be in by now, what is, and the days that are missing.
//! “Now” is the newest day of the ledger; days that are still coming in are nobody's fault. Who is new or has no rhythm misses nothing:
//! silence is told only of those of whom something else is known.

use std::collections::BTreeMap;

use report::{Day, Text};
use schemars::JsonSchema;
use serde::Serialize;
use store::Ledger;

use crate::incomplete::incomplete;
use crate::{Error, Scope};

/// Days whose weekdays say what is usual: each weekday four times.
const HISTORY: i32 = 28;
/// Of the four times that a weekday was there, how often a reporter must have reported on it for it to be expected.
const OFTEN: usize = 3;
/// The newest days that are held against it, for reporters that still report: a week, so that each weekday is there once.
const RECENT: i32 = 7;
/// Reports come a day or two after the day they are about.
const LATE: i32 = 2;
/// Days for which silence is remembered; who has not been heard of for longer is gone.
const REMEMBERED: i32 = 90;

/// What reporters usually send, and what has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Expected {
    /// The newest day of the ledger; absent when it is empty.
    #[schemars(with = "Option<String>")]
    pub newest: Option<Day>,
    /// The last day whose reports should be in.
    #[schemars(with = "Option<String>")]
    pub until: Option<Day>,
    /// One line a reporter: those that miss most first.
    pub reporters: Vec<ExpectedLine>,
}

/// How a reporter stands against what it usually sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Punctuality {
    /// It has a rhythm, and nothing has come since a day on which it should have.
    Silent,
    /// It has a rhythm and still reports, but days are missing.
    Gaps,
    /// Everything that should be in is.
    OnTime,
    /// It has no rhythm: nothing can be expected of it.
    Irregular,
    /// It has not been known for long enough to have one.
    New,
}

/// One reporter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExpectedLine {
    /// The organisation.
    pub reporter: String,
    /// How it stands.
    pub state: Punctuality,
    /// Days with a report, of the 28 before those that are judged.
    pub usual_days: u64,
    /// Reports on these.
    pub usual_reports: u64,
    /// The days that are judged: the last week, or since it was last heard of.
    #[schemars(with = "(String, String)")]
    pub judged: (Day, Day),
    /// Days of these on which a report was to be expected.
    pub expected_days: u64,
    /// Reports to be expected on these.
    pub expected_reports: u64,
    /// Reports about the judged days.
    pub received_reports: u64,
    /// Expected days without a report.
    pub missing_days: u64,
    /// The first of them.
    #[schemars(with = "Option<String>")]
    pub first_missing: Option<Day>,
    /// Since when nothing has come at all: the first expected day after the last report.
    #[schemars(with = "Option<String>")]
    pub silent_since: Option<Day>,
    /// The newest day it reported on.
    #[schemars(with = "String")]
    pub last_day: Day,
}

/// What reporters usually send, and what has come.
///
/// # Errors
/// When the ledger cannot be read.
pub fn expected(ledger: &Ledger) -> Result<Expected, Error> {
    let Some((_, newest)) = ledger.span()? else {
        return Ok(Expected { newest: None, until: None, reporters: Vec::new() });
    };
    let first = newest.plus(1 - REMEMBERED - HISTORY);
    let mut heard: BTreeMap<Text, BTreeMap<Day, u64>> = BTreeMap::new();
    for arrival in ledger.arrivals(Some((first, newest)))? {
        *heard.entry(arrival.reporter).or_default().entry(arrival.day).or_default() += arrival.reports;
    }
    let coming = incomplete(ledger, &Scope::default(), (newest.plus(-LATE), newest))?;
    let until = coming.first().map_or(newest, |late| late.day.plus(-1)).min(newest.plus(-LATE));
    let mut reporters: Vec<_> = heard.iter().filter_map(|(reporter, days)| judge(reporter, days, until)).collect();
    reporters.sort_by(|a, b| {
        let order = |line: &ExpectedLine| (line.state, std::cmp::Reverse(line.missing_days));
        order(a)
            .cmp(&order(b))
            .then_with(|| b.usual_reports.cmp(&a.usual_reports))
            .then_with(|| a.reporter.cmp(&b.reporter))
    });
    Ok(Expected { newest: Some(newest), until: Some(until), reporters })
}

/// One reporter by the days it reported on, with how many reports, against what should be in until a day. `None` if it never reported.
fn judge(reporter: &str, days: &BTreeMap<Day, u64>, until: Day) -> Option<ExpectedLine> {
    let (&first_day, &last_day) = (days.keys().next()?, days.keys().next_back()?);
    let begin = until.plus(1 - RECENT).min(last_day.plus(1));
    let history = (begin.plus(-HISTORY), begin.plus(-1));
    let reports = |(from, to): (Day, Day)| -> u64 { days.range(from..=to).map(|(_, reports)| *reports).sum() };
    let rhythm = Rhythm::of(days, history);
    let mut line = ExpectedLine {
        reporter: reporter.to_owned(),
        state: Punctuality::OnTime,
        usual_days: days.range(history.0..=history.1).count() as u64,
        usual_reports: reports(history),
        judged: (begin, until),
        expected_days: 0,
        expected_reports: 0,
        received_reports: reports((begin, until)),
        missing_days: 0,
        first_missing: None,
        silent_since: None,
        last_day,
    };
    if rhythm.is_none() {
        line.state = if first_day > history.0 { Punctuality::New } else { Punctuality::Irregular };
        return Some(line);
    }
    let mut tenths = 0;
    for day in (begin.0..=until.0).map(Day) {
        let Some(usual) = rhythm.on(day) else { continue };
        tenths += usual;
        line.expected_days += 1;
        if !days.contains_key(&day) {
            line.missing_days += 1;
            line.first_missing.get_or_insert(day);
            if day > last_day {
                line.silent_since.get_or_insert(day);
            }
        }
    }
    line.expected_reports = (tenths + 5) / 10;
    line.state = match (line.silent_since, line.missing_days) {
        (Some(_), _) => Punctuality::Silent,
        (None, 0) => Punctuality::OnTime,
        (None, _) => Punctuality::Gaps,
    };
    Some(line)
}

/// On which weekdays a reporter reports, and how many reports it usually sends then, in tenths.
struct Rhythm([Option<u64>; 7]);

impl Rhythm {
    fn of(days: &BTreeMap<Day, u64>, history: (Day, Day)) -> Self {
        let mut weekdays = [(0_usize, 0_u64); 7];
        for (day, reports) in days.range(history.0..=history.1) {
            let of_weekday = &mut weekdays[weekday(*day)];
            *of_weekday = (of_weekday.0 + 1, of_weekday.1 + reports);
        }
        Self(weekdays.map(|(times, reports)| (times >= OFTEN).then(|| reports * 10 / times as u64)))
    }

    fn is_none(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    fn on(&self, day: Day) -> Option<u64> {
        self.0[weekday(day)]
    }
}

fn weekday(day: Day) -> usize {
    usize::try_from(day.since_monday()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Punctuality::{Gaps, Irregular, New, OnTime, Silent};
    use super::*;

    /// Reports on each day up to a day, counted back: the last number is about that day.
    fn heard(reports: impl IntoIterator<Item = u64>, last: i32) -> BTreeMap<Day, u64> {
        let reports: Vec<u64> = reports.into_iter().collect();
        let first = last + 1 - i32::try_from(reports.len()).unwrap();
        (first..).map(Day).zip(reports).filter(|(_, n)| *n > 0).collect()
    }

    /// So many days with as many reports each.
    fn daily(days: usize, reports: u64) -> Vec<u64> {
        vec![reports; days]
    }

    /// Day 1,000 is the last whose reports should be in.
    const UNTIL: Day = Day(1_000);

    /// A reporter's days, how it stands, and of the judged days: reports expected and received, the first missing day, silent since.
    type Case = (&'static str, Vec<u64>, Punctuality, (u64, u64), Option<i32>, Option<i32>);

    fn check(cases: impl IntoIterator<Item = Case>) {
        for (why, reports, state, reports_of, missing, silent) in cases {
            let line = judge("r", &heard(reports, UNTIL.0), UNTIL).unwrap();
            let found = (line.state, (line.expected_reports, line.received_reports));
            assert_eq!(found, (state, reports_of), "{why}: {line:?}");
            assert_eq!((line.first_missing, line.silent_since), (missing.map(Day), silent.map(Day)), "{why}: {line:?}");
        }
    }

    #[test]
    fn who_reports_every_day() {
        let then = |days: Vec<u64>, more: &[u64]| [days, more.to_vec()].concat();
        check([
            ("all there", daily(60, 1), OnTime, (7, 7), None, None),
            ("several a day, fewer on one that has some", then(daily(59, 3), &[1]), OnTime, (21, 19), None, None),
            ("the last day missing", then(daily(59, 1), &[0]), Silent, (7, 6), Some(1_000), Some(1_000)),
            ("silent for three days", then(daily(57, 2), &[0; 3]), Silent, (14, 8), Some(998), Some(998)),
            ("one day missing, and back", then(daily(57, 2), &[0, 2, 2]), Gaps, (14, 12), Some(998), None),
            ("silent for longer than any history", then(daily(35, 1), &[0; 80]), Silent, (80, 0), Some(921), Some(921)),
            ("a holiday, but not lately", then(then(daily(40, 1), &[0; 6]), &[1; 14]), OnTime, (7, 7), None, None),
            ("for just long enough to say so", daily(35, 1), OnTime, (7, 7), None, None),
        ]);
    }

    #[test]
    fn who_reports_on_some_weekdays() {
        // On one weekday only, the one that `UNTIL` is.
        let weekly = |more: &[u64]| [[0, 0, 0, 0, 0, 0, 1].repeat(6), more.to_vec()].concat();
        // Two days of each week are free, and the week ends with them.
        let workdays = |weeks: usize, more: &[u64]| [[2, 2, 2, 2, 2, 0, 0].repeat(weeks), more.to_vec()].concat();
        check([
            ("workdays, after a weekend", workdays(6, &[]), OnTime, (10, 10), None, None),
            ("workdays, a week missing", workdays(5, &[0; 7]), Silent, (10, 0), Some(994), Some(994)),
            ("once a week, all there", weekly(&[]), OnTime, (1, 1), None, None),
            ("once a week: six days after it is no silence", weekly(&[0; 6]), OnTime, (1, 1), None, None),
            ("once a week, and not this time", weekly(&[0; 7]), Silent, (1, 0), Some(1_000), Some(1_000)),
        ]);
    }

    #[test]
    fn of_whom_nothing_can_be_expected() {
        let now_and_then = |times: usize| [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0].repeat(times);
        check([
            ("now and then", now_and_then(6), Irregular, (0, 1), None, None),
            ("now and then, long silent", [now_and_then(4), vec![0; 40]].concat(), Irregular, (0, 0), None, None),
            ("since two weeks", daily(14, 1), New, (0, 7), None, None),
            ("once, today", vec![1], New, (0, 1), None, None),
        ]);
        assert_eq!(judge("r", &BTreeMap::new(), UNTIL), None, "who never reported is nobody");
    }

    #[test]
    fn what_came_early_is_no_silence() {
        // Reports about days that are still coming in: this reporter is faster than most.
        let line = judge("r", &heard(daily(60, 1), UNTIL.0 + 2), UNTIL).unwrap();
        assert_eq!((line.state, line.received_reports, line.last_day), (OnTime, 7, Day(1_002)));
        // A day was missed, and later ones are in: a gap, however late it is.
        let line = judge("r", &heard([daily(57, 1), vec![0, 1, 1, 1, 1]].concat(), UNTIL.0 + 2), UNTIL).unwrap();
        assert_eq!((line.state, line.first_missing, line.silent_since), (Gaps, Some(Day(998)), None));
    }
}
