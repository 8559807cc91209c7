//! From what was seen to what is to be expected, and the most it may be.
//!
//! In: what would have been stopped of each flow, day by day. Out: an [`Estimate`]: the mean per day of the next thirty days, and a bound
//! that holds for it in 95 of 100 cases. A single day may lie above: mail comes in bursts. How it is worked out, and how often it held, is
//! in `docs/concepts/preview.md`.

use std::cell::OnceCell;

use report::Day;
use schemars::JsonSchema;
use serde::Serialize;

use super::outlook::{AHEAD, Outlook, Rest, outlook, rest};
use crate::counts::{float, median};

/// Days of a month as it is counted here: four weeks, so that each weekday is there as often.
const MONTH: usize = 28;
/// Days with reports below which nothing is bounded: two weeks, of which something like a spread can be had.
const ENOUGH: usize = 14;
/// What was last seen within a week may be back, and is part of the spread; what is silent for longer is not.
const SILENT: usize = 7;
/// Months differ by season, holidays and sales, which weeks close together do not show: so much of the mean, at least, as the spread of
/// weeks.
const SEASON: f64 = 0.15;
/// Weeks are not independent: a bad week is likelier after a bad one. What a spread of independent weeks is multiplied by.
const ALIKE: f64 = 1.3;

/// So many messages per day.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, JsonSchema)]
pub struct Estimate {
    /// What it would have been over the days shown.
    pub seen: f64,
    /// What is to be expected of the next thirty days, with each flow as it is since its last change.
    pub expected: f64,
    /// The mean per day of the next thirty days lies below this in 95 of 100 cases; absent where there are too few days to say.
    pub at_most: Option<f64>,
}

/// One flow, day by day over all days that are known: those without mail are zero.
#[derive(Debug, Clone, Default)]
pub(crate) struct Series {
    pub(super) messages: Vec<u64>,
    pub(super) stopped: Vec<f64>,
    /// So much of it is what its class says, as far as one knows.
    pub(super) part: f64,
    /// Worked out once: a flow is part of several sums.
    told: OnceCell<Told>,
}

/// What is to be expected of a flow, and what it brings on a mean day.
#[derive(Debug, Clone, Copy)]
struct Told {
    outlook: Outlook,
    usual: f64,
}

impl Series {
    pub(crate) fn new(messages: Vec<u64>, stopped: Vec<f64>, part: f64) -> Self {
        Self { messages, stopped, part, told: OnceCell::new() }
    }

    fn told(&self, calendar: &Calendar) -> Told {
        *self.told.get_or_init(|| Told { outlook: outlook(self, calendar), usual: usual(self, calendar) })
    }
}

/// The days of all series.
#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    pub(super) days: usize,
    /// Days with reports.
    pub(crate) covered: usize,
    /// Days shown, at the end.
    shown: usize,
    /// How much mail a weekend day brings, as a part of a working day.
    pub(super) weekend: f64,
    /// Which days are of weekends, also of those that come.
    weekends: Vec<bool>,
    /// Which days are holidays, also of those that come.
    pub(super) rests: Vec<Rest>,
}

impl Calendar {
    /// `volume`: wanted mail of all flows, by day.
    pub(crate) fn new(first: Day, shown: usize, volume: &[f64]) -> Self {
        let mut of = [(0.0, 0.0); 2];
        for (at, messages) in volume.iter().enumerate().filter(|(_, messages)| **messages > 0.0) {
            let kind = &mut of[usize::from(first.plus(i32::try_from(at).unwrap_or(i32::MAX)).is_weekend())];
            *kind = (kind.0 + messages, kind.1 + 1.0);
        }
        // A week that was not seen in full says nothing about its days.
        let known = of.iter().all(|(_, days)| *days > 0.0);
        let weekend = if known { of[1].0 / of[1].1 / (of[0].0 / of[0].1) } else { 1.0 };
        let covered = volume.iter().filter(|messages| **messages > 0.0).count();
        let days = volume.len();
        let day = |at: usize| first.plus(i32::try_from(at).unwrap_or(i32::MAX));
        let weekends = (0..days + AHEAD).map(|at| day(at).is_weekend()).collect();
        let rests = (0..days + AHEAD).map(|at| rest(day(at))).collect();
        Self { days, covered, shown: shown.min(days), weekend, weekends, rests }
    }

    pub(super) fn is_weekend(&self, at: usize) -> bool {
        self.weekends[at]
    }

    /// Whether there are enough days for a bound.
    pub(crate) const fn is_enough(&self) -> bool {
        self.covered >= ENOUGH
    }
}

pub(super) fn count(n: usize) -> f64 {
    float(n as u64)
}

/// What is to be expected of some flows together, and the most of it.
pub(crate) fn estimate<'a>(flows: impl IntoIterator<Item = &'a Series>, calendar: &Calendar) -> Estimate {
    let mut sum = vec![0.0_f64; calendar.days];
    // The same as if each flow had always been as it is now.
    let mut as_now = vec![0.0_f64; calendar.days];
    let mut occasional = vec![0.0_f64; calendar.days];
    let mut newcomers = vec![0.0_f64; calendar.days.div_ceil(MONTH)];
    let (mut ahead, mut highest, mut largest) = (0.0, 0.0, 0.0_f64);
    for series in flows {
        // Of what is not stopped at all there is no series.
        if series.stopped.is_empty() {
            continue;
        }
        let told = series.told(calendar);
        largest = largest.max(told.usual);
        let add = |to: &mut [f64], from: usize| {
            to.iter_mut().zip(&series.stopped).skip(from).for_each(|(sum, stopped)| *sum += stopped);
        };
        add(&mut sum, 0);
        match told.outlook {
            Outlook::GoesOn { ahead: of, at_its_highest, since } => {
                ahead += of * series.part;
                highest += at_its_highest;
                let level = series.stopped[since..].iter().sum::<f64>() / count(calendar.days - since);
                as_now[..since].iter_mut().for_each(|sum| *sum += level);
                add(&mut as_now, since);
            }
            Outlook::Ended { silent } if silent >= SILENT => {}
            Outlook::Ended { .. } => add(&mut as_now, 0),
            Outlook::Occasional => {
                add(&mut as_now, 0);
                add(&mut occasional, 0);
            }
        }
        let mut first = None;
        for (at, stopped) in series.stopped.iter().enumerate().filter(|(_, stopped)| **stopped > 0.0) {
            // Months are counted from the newest day back, so that the last one is whole.
            let month = (calendar.days - 1 - at) / MONTH;
            if *first.get_or_insert(month) == month {
                newcomers[month] += stopped;
            }
        }
    }
    let now_and_then = median_week(&occasional);
    let shown = &sum[calendar.days - calendar.shown..];
    let seen = if shown.is_empty() { 0.0 } else { shown.iter().sum::<f64>() / count(shown.len()) };
    let newcomer = newcomer(&newcomers, largest, calendar);
    let at_most = calendar.is_enough().then(|| at_most(&as_now, newcomer, highest + now_and_then, calendar));
    Estimate { seen, expected: ahead + now_and_then, at_most }
}

/// The mean days of whole weeks, the newest first.
fn weeks(days: &[f64]) -> Vec<f64> {
    days.rchunks_exact(7).map(|week| week.iter().sum::<f64>() / 7.0).collect()
}

/// What comes now and then is expected as in its middle week: a rare large mailing is a chance, and part of the bound.
fn median_week(days: &[f64]) -> f64 {
    median(weeks(days))
}

/// What a flow brings on a mean day between its first and its last, of the days that are known.
fn usual(series: &Series, calendar: &Calendar) -> f64 {
    let harmed = |at: &usize| series.stopped[*at] > 0.0;
    let (first, last) = ((0..calendar.days).find(harmed), (0..calendar.days).rfind(harmed));
    let Some((first, last)) = first.zip(last) else { return 0.0 };
    // What came once came once in a month.
    series.stopped[first..=last].iter().sum::<f64>() / count((last - first + 1).max(MONTH.min(calendar.days)))
}

/// Something new fails every month: as much as in the month in which most did, the oldest left out, where everything is new; and at least
/// one more flow as large as the largest that fails.
fn newcomer(newcomers: &[f64], largest: f64, calendar: &Calendar) -> f64 {
    let months = calendar.days / MONTH;
    let most = newcomers.iter().take(months.saturating_sub(1)).fold(0.0_f64, |most, month| most.max(*month));
    (most / count(MONTH)).max(largest)
}

fn at_most(sum: &[f64], newcomer: f64, ahead: f64, calendar: &Calendar) -> f64 {
    let weeks = weeks(sum);
    let n = count(weeks.len());
    let mean = weeks.iter().sum::<f64>() / n;
    let variance = weeks.iter().map(|week| (week - mean).powi(2)).sum::<f64>() / (n - 1.0);
    // No less than what chance alone does to counts, and than what seasons do.
    let spread = (variance * ALIKE).max(ahead.max(mean) / 7.0).sqrt().max(SEASON * ahead);
    let reach = student(weeks.len() - 1) * spread * (1.0 / n + 7.0 / count(AHEAD)).sqrt();
    // The rule of three: nothing in so many days may still be so much.
    let none = 3.0 / count(calendar.covered.max(1));
    (ahead + reach + newcomer).max(none)
}

/// The 95th percentile of Student's t.
fn student(freedom: usize) -> f64 {
    const T: [f64; 16] = [
        6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812, 1.796, 1.782, 1.771, 1.761, 1.753, 1.746,
    ];
    T[freedom.clamp(1, T.len()) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2025-03-03, a Monday; no holidays for months.
    const FIRST: Day = Day(20_150);

    fn series(days: usize, of: impl Fn(usize) -> (u64, f64)) -> Series {
        let (messages, stopped) = (0..days).map(of).unzip();
        Series::new(messages, stopped, 1.0)
    }

    fn estimate_of(days: usize, flows: &[Series]) -> Estimate {
        let volume: Vec<f64> = (0..days).map(|at| if at % 7 < 5 { 1_000.0 } else { 300.0 }).collect();
        estimate(flows, &Calendar::new(FIRST, 30, &volume))
    }

    #[test]
    fn what_goes_on_is_expected_and_what_ended_is_not() {
        let steady = series(84, |at| if at % 7 < 5 { (10, 10.0) } else { (3, 3.0) });
        let found = estimate_of(84, std::slice::from_ref(&steady));
        assert!(
            (found.expected - 244.0 / 30.0).abs() < 0.01,
            "{found:?}: 22 working days and 8 of weekends are to come"
        );
        let bound = found.at_most.unwrap();
        assert!((16.0..22.0).contains(&bound), "even what never changes may, and another like it: {bound}");

        let mended = series(84, |at| (10, if at < 60 { 10.0 } else { 0.0 }));
        let found = estimate_of(84, &[mended]);
        assert!(found.expected < 0.01 && found.seen > 1.0, "set up for good 24 days ago: {found:?}");
        assert!(found.at_most.unwrap() > 3.0, "what failed once may fail again: {found:?}");

        let gone = series(84, |at| if at < 60 { (10, 10.0) } else { (0, 0.0) });
        assert!(estimate_of(84, &[gone]).expected < 0.01, "silent for 24 days after 60 with mail");

        let weekly = series(84, |at| if at % 7 == 1 { (70, 70.0) } else { (0, 0.0) });
        assert!((estimate_of(84, &[weekly]).expected - 10.0).abs() < 1.0, "silence between is no end");

        let fresh = series(84, |at| if at >= 79 { (10, 10.0) } else { (0, 0.0) });
        let found = estimate_of(84, &[fresh]).expected;
        assert!((9.0..12.0).contains(&found), "five days old, and goes on: {found}");

        let once = series(84, |at| if at == 80 { (280, 280.0) } else { (0, 0.0) });
        let found = estimate_of(84, &[once]);
        assert!(found.expected < 0.01 && found.at_most.unwrap() > 10.0, "once is a chance: {found:?}");
        let moved = series(84, |at| if at < 79 { (10, 10.0) } else { (0, 0.0) });
        assert!(estimate_of(84, &[moved]).expected < 0.01, "five days without, of a flow of every day");
    }

    #[test]
    fn what_was_ordered_twice_comes_again_and_levels_follow() {
        let mailings =
            |days: &'static [usize]| series(84, move |at| if days.contains(&at) { (310, 310.0) } else { (10, 10.0) });
        let (twice, once) = (estimate_of(84, &[mailings(&[38, 70])]), estimate_of(84, &[mailings(&[70])]));
        assert!((twice.expected - 10.0 - 600.0 / 56.0).abs() < 0.01, "at the rate at which it came: {twice:?}");
        assert!((once.expected - 10.0).abs() < 0.01, "once is a chance: {once:?}");
        assert!(
            once.at_most.unwrap() > estimate_of(84, &[mailings(&[])]).at_most.unwrap(),
            "and in the bound: {once:?}"
        );
        let sales = series(84, |at| if at < 63 { (30, 30.0) } else { (10, 10.0) });
        let found = estimate_of(84, &[sales]).expected;
        assert!((10.0..15.0).contains(&found), "three weeks after the sales: {found}");
    }

    #[test]
    fn the_days_that_come_have_their_weekends_and_holidays() {
        // From Monday, 2025-10-06, eleven weeks: the last day is 2025-12-21, and the days that come are those around Christmas.
        let days = 77;
        let volume: Vec<f64> = (0..days).map(|at| if at % 7 < 5 { 1_000.0 } else { 300.0 }).collect();
        let calendar = Calendar::new(Day(20_367), 30, &volume);
        let office = series(days, |at| if at % 7 < 5 { (100, 100.0) } else { (30, 30.0) });
        // To 20 January: 30 days, of which 8 are of weekends. of the others three are holidays, and five between the years.
        let expected = (8.0_f64.mul_add(30.0, 3.0 * 30.0) + 5.0 * 65.0 + 14.0 * 100.0) / 30.0;
        let found = estimate([&office], &calendar).expected;
        assert!((found - expected).abs() < 0.01, "people are away: {found} and not {expected}");
        let machine = series(days, |_| (100, 100.0));
        assert!((estimate([&machine], &calendar).expected - 100.0).abs() < 0.01, "machines know no Sunday");
    }

    #[test]
    fn what_is_unlikely_to_be_legitimate_is_bounded_in_full() {
        let of = |part| Series { part, ..series(84, |_| (10, 10.0)) };
        let (sure, unlikely) = (estimate_of(84, &[of(1.0)]), estimate_of(84, &[of(0.1)]));
        assert!((unlikely.expected - 1.0).abs() < 0.01, "a tenth of ten: {unlikely:?}");
        assert_eq!((unlikely.at_most, unlikely.seen), (sure.at_most, sure.seen), "it may be all of it");
    }

    #[test]
    fn few_days_bound_nothing_and_quiet_ones_not_all() {
        let quiet = series(84, |_| (10, 0.0));
        assert!((estimate_of(84, &[quiet]).at_most.unwrap() - 3.0 / 84.0).abs() < 1e-9, "the rule of three");
        let short = series(10, |_| (10, 10.0));
        assert_eq!(estimate_of(10, &[short]).at_most, None);
        let two_weeks = series(14, |at| (10, if at < 7 { 10.0 } else { 8.0 }));
        let wide = estimate_of(14, &[two_weeks]).at_most.unwrap();
        assert!(wide > 14.0, "two weeks that differ by a fifth: {wide}");
    }

    #[test]
    fn newcomers_of_the_last_months_widen_the_bound() {
        let steady = || series(84, |_| (10, 10.0));
        let newcomer = series(84, |at| if at >= 40 { (5, 5.0) } else { (0, 0.0) });
        let without = estimate_of(84, &[steady()]).at_most.unwrap();
        let with = estimate_of(84, &[steady(), newcomer]).at_most.unwrap();
        assert!(with - without > 5.0 - 0.01, "its own five: {without} {with}");
        // A month in which three began says that three more may.
        let newcomers = || series(84, |at| if at >= 40 { (8, 8.0) } else { (0, 0.0) });
        let with = estimate_of(84, &[steady(), newcomers(), newcomers(), newcomers()]).at_most.unwrap();
        assert!(
            with > 10.0 + 24.0 + 13.0,
            "{with}: what there is, and what came in the days that were left of that month"
        );
    }
}
