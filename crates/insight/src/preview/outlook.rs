//! What one flow is to be expected to do: as it is now, over the working days, weekends and holidays that come.
//!
//! In: a flow's days, and the calendar. Out: an [`Outlook`]. Nothing is guessed that was not seen: what happened once is a chance, and part
//! of the bound; what happened twice comes again.

use report::Day;

use super::forecast::{Calendar, Series, count};
use super::level::{lasts, level};
use crate::flows::{DayCount, phases};
use crate::rounded;

/// Days that are looked ahead.
pub(super) const AHEAD: usize = 30;
/// Days back that say how a flow fares, at most: what it was two months ago is another season.
const BACK: usize = 56;
/// Active days from which on a flow counts as one that goes on, not as something that happened once.
const GOES_ON: usize = 3;
/// How unlikely silence must be before a flow counts as ended.
const ENDED: f64 = 0.01;
/// Days of silence below which it is only a quiet time, however regular the flow was.
const SILENT: usize = 2;
/// However regular, a day without mail is no wonder.
const REGULAR: f64 = 0.98;

/// What is to be expected of a flow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Outlook {
    /// It goes on: so much a day, on the mean of the next thirty days; as it was since a day. Where its level fell, it may rise to where
    /// it was.
    GoesOn { ahead: f64, at_its_highest: f64, since: usize },
    /// It has ended. How many days ago it was last seen.
    Ended { silent: usize },
    /// It was there on a day or two.
    Occasional,
}

/// A day of rest, as far as mail in most of the world goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rest {
    None,
    /// Between the years: half of the people are there.
    Half,
    Full,
}

pub(super) fn rest(day: Day) -> Rest {
    match day.date().map(|date| (date.month(), date.day())) {
        Some((12, 25 | 26) | (1, 1)) => Rest::Full,
        Some((12, 24..) | (1, 2)) => Rest::Half,
        _ => Rest::None,
    }
}

/// The mean over the days that come of what brings so much on a working day and so much on a weekend.
fn over_the_days_that_come(working: f64, weekend: f64, calendar: &Calendar) -> f64 {
    let of = |(at, rest): (usize, &Rest)| {
        let usual = if calendar.is_weekend(at) { weekend } else { working };
        match rest {
            Rest::None => usual,
            Rest::Half => usual.min(f64::midpoint(working, weekend)),
            Rest::Full => usual.min(weekend),
        }
    };
    let ahead = calendar.rests.iter().enumerate().skip(calendar.days);
    ahead.map(of).sum::<f64>() / count(AHEAD)
}

/// What is to be expected of a flow.
pub(super) fn outlook(series: &Series, calendar: &Calendar) -> Outlook {
    let active: Vec<usize> = (0..calendar.days).filter(|at| series.messages[*at] > 0).collect();
    let (Some(&began), Some(&last)) = (active.first(), active.last()) else { return Outlook::Occasional };
    // Two days old, and no burst that ebbs: it has only begun.
    let fresh = active.len() == 2 && began + 2 == calendar.days && lasts(&series.stopped, calendar);
    if active.len() < GOES_ON && !fresh {
        return Outlook::Occasional;
    }
    let silent = calendar.days - 1 - last;
    if silent >= SILENT && silence(&active, (began, last), calendar) < ENDED {
        return Outlook::Ended { silent };
    }
    let counts = active.iter().map(|at| DayCount {
        day: Day(i32::try_from(*at).unwrap_or(0)),
        messages: series.messages[*at],
        failing: rounded(series.stopped[*at]),
        delivered: 0,
    });
    let changed =
        phases(&counts.collect::<Vec<_>>()).last().map_or(0, |phase| usize::try_from(phase.first.0).unwrap_or(0));
    let since = changed.max(began).max(calendar.days.saturating_sub(BACK));
    let level = level(&series.stopped, since, calendar);
    let as_before = over_the_days_that_come(level.working, level.weekend, calendar);
    let ahead = as_before * level.times + level.mailings;
    Outlook::GoesOn { ahead, at_its_highest: ahead.max(as_before + level.mailings), since }
}

/// How likely it is that a flow as regular as this one was silent for so long by chance.
fn silence(active: &[usize], (began, last): (usize, usize), calendar: &Calendar) -> f64 {
    let rate = |weekend: bool| {
        let days = (began..=last).filter(|at| calendar.is_weekend(*at) == weekend).count();
        let with_mail = active.iter().filter(|at| calendar.is_weekend(**at) == weekend).count();
        (count(with_mail) / count(days.max(1))).min(REGULAR)
    };
    let rates = [rate(false), rate(true)];
    (last + 1..calendar.days).map(|at| 1.0 - rates[usize::from(calendar.is_weekend(at))]).product()
}
