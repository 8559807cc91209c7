//! What one flow is to be expected to do: as it is now, over the working days, weekends and holidays that come.
//!
//! In: a flow's days, and the calendar. Out: an [`Outlook`]. Nothing is guessed that was not seen: what happened once is a chance, and part
//! of the bound; what happened twice comes again.

use report::Day;

use super::forecast::{Calendar, Series, count};
use crate::counts::median;
use crate::flows::{DayCount, phases};
use crate::rounded;

/// Days that are looked ahead.
pub(super) const AHEAD: usize = 30;
/// Days back that say how a flow fares, at most: what it was two months ago is another season.
const BACK: usize = 56;
/// A week counts half as much as one that is so many days younger: the level of most flows changes within weeks.
const HALF: f64 = 10.0;
/// Active days from which on a flow counts as one that goes on, not as something that happened once.
const GOES_ON: usize = 3;
/// How unlikely silence must be before a flow counts as ended.
const ENDED: f64 = 0.01;
/// Days of silence below which it is only a quiet time, however regular the flow was.
const SILENT: usize = 3;
/// However regular, a day without mail is no wonder.
const REGULAR: f64 = 0.98;
/// So many times the usual day is a mailing that somebody ordered, and no day of the flow.
const PEAK: f64 = 4.0;
/// A peak has so many messages more than the usual day: small flows have large days by chance.
const PEAK_MESSAGES: f64 = 20.0;
/// Days with mail that it takes to say what is usual.
const USUAL: usize = 5;
/// Messages, and weekend days, from which on a flow's own weekends say more than those of all mail.
const OWN_WEEK: (f64, usize) = (60.0, 4);

/// What is to be expected of a flow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Outlook {
    /// It goes on: so much a day, on the mean of the next thirty days; as it was since a day.
    GoesOn { ahead: f64, since: usize },
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
    (calendar.days..).zip(&calendar.rests).map(of).sum::<f64>() / count(AHEAD)
}

/// What is to be expected of a flow.
pub(super) fn outlook(series: &Series, calendar: &Calendar) -> Outlook {
    let active: Vec<usize> = (0..calendar.days).filter(|at| series.messages[*at] > 0).collect();
    let (Some(&began), Some(&last)) = (active.first(), active.last()) else { return Outlook::Occasional };
    if active.len() < GOES_ON {
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
    Outlook::GoesOn { ahead: level(&series.stopped, since, calendar), since }
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

/// How much a day it brings from here on.
fn level(stopped: &[f64], since: usize, calendar: &Calendar) -> f64 {
    let share = |at: usize| if calendar.is_weekend(at) { calendar.weekend } else { 1.0 };
    // As on working days, so that a Sunday is compared with a Monday.
    let usual: Vec<f64> = (since..calendar.days).map(|at| stopped[at] / share(at)).filter(|of| *of > 0.0).collect();
    let middle = median(usual.iter().copied());
    let cap = if usual.len() >= USUAL { (middle * PEAK).max(middle + PEAK_MESSAGES) } else { f64::INFINITY };
    let (mut peaks, mut peak_days) = (0.0, 0_usize);
    let (mut sums, mut weights) = ([0.0; 2], [0.0; 2]);
    for (at, of) in stopped.iter().enumerate().skip(since) {
        let mut of = *of;
        if of / share(at) > cap {
            peaks += of - middle * share(at);
            peak_days += 1;
            of = middle * share(at);
        }
        // By whole weeks, so that the day of the week on which something is sent makes no difference.
        let weight = 0.5_f64.powf(count((calendar.days - 1 - at) / 7 * 7) / HALF);
        let kind = usize::from(calendar.is_weekend(at));
        sums[kind] += weight * of;
        weights[kind] += weight;
    }
    let days = since..calendar.days;
    let all: f64 = stopped[days.clone()].iter().sum();
    let weekends = days.clone().filter(|at| calendar.is_weekend(*at)).count();
    let own = all >= OWN_WEEK.0 && weekends >= OWN_WEEK.1 && weights[0] > 0.0;
    let (working, weekend) = if own {
        (sums[0] / weights[0], sums[1] / weights[1])
    } else {
        let working = (sums[0] + sums[1]) / (weights[0] + calendar.weekend * weights[1]).max(f64::MIN_POSITIVE);
        (working, working * calendar.weekend)
    };
    // What was ordered twice is ordered again; what was ordered once is a chance.
    let again = if peak_days >= 2 { peaks / count(days.len()) } else { 0.0 };
    over_the_days_that_come(working, weekend, calendar) + again
}
