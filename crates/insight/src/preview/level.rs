//! How much a flow brings as it is now.
//!
//! In: a flow's days since it fares as it does, and the calendar. Out: a [`Level`]. Single days far above the others are mailings and none
//! of its level; days of rest say nothing of it; and a level that has shifted counts from there on.

use super::forecast::{Calendar, count};
use super::outlook::Rest;
use crate::counts::median;

/// A week counts half as much as one that is so many days younger: the level of most flows changes within weeks.
const HALF: f64 = 10.0;
/// So many times the usual day is a mailing that somebody ordered, and no day of the flow.
const PEAK: f64 = 4.0;
/// A peak has so many messages more than the usual day: small flows have large days by chance.
const PEAK_MESSAGES: f64 = 20.0;
/// Days with mail that it takes to say what is usual.
const USUAL: usize = 5;
/// Messages, and weekend days, from which on a flow's own weekends say more than those of all mail.
const OWN_WEEK: (f64, usize) = (60.0, 4);
/// Days on each side of a shift of level, at least.
const SHIFT_DAYS: usize = 3;
/// A shift is so large a part of the higher level, at least: less is what weeks do.
const SHIFT_PART: f64 = 0.2;
/// So many standard errors apart are levels that differ: one of fifty places being so by chance is one in a thousand.
const SHIFT_SURE: f64 = 4.5;
/// Messages a day below which a shift cannot be told from chance.
const SHIFT_USUAL: f64 = 3.0;

/// What a flow brings in messages a day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    /// On a working day, over all the time it fares as it does.
    pub(super) working: f64,
    /// On a day of a weekend.
    pub(super) weekend: f64,
    /// Since the level has shifted, so many times as much of both.
    pub(super) times: f64,
    /// Beside that, by mailings that somebody orders, on the mean day.
    pub(super) mailings: f64,
}

/// What a flow brings on a day, as on a working day: so that a Sunday is compared with a Monday.
fn as_working(stopped: &[f64], at: usize, calendar: &Calendar) -> f64 {
    stopped[at] / if calendar.is_weekend(at) { calendar.weekend } else { 1.0 }
}

/// Whether what came on the last two days is no burst that ebbs: on both something, on the last no less than half of the day before.
pub(super) fn lasts(stopped: &[f64], calendar: &Calendar) -> bool {
    let Some(before) = calendar.days.checked_sub(2) else { return false };
    let [before, last] = [before, before + 1].map(|at| as_working(stopped, at, calendar));
    before > 0.0 && last * 2.0 >= before
}

/// The level of a flow that fares as it does now since a day.
pub(super) fn level(stopped: &[f64], since: usize, calendar: &Calendar) -> Level {
    let as_working = |at: usize| as_working(stopped, at, calendar);
    let usual: Vec<f64> = (since..calendar.days).map(as_working).filter(|of| *of > 0.0).collect();
    let middle = median(usual.iter().copied());
    let cap = if usual.len() >= USUAL { (middle * PEAK).max(middle + PEAK_MESSAGES) } else { f64::INFINITY };
    // Where there are only days of rest, they are all that is known.
    let works = |at: &usize| matches!(calendar.rests[*at], Rest::None);
    let has_worked = (since..calendar.days).any(|at| works(&at));
    let days: Vec<usize> = (since..calendar.days).filter(|at| !has_worked || works(at)).collect();
    // Two days in a row are no mailing, but how it is now.
    let newest = calendar.days.saturating_sub(2);
    let has_risen = lasts(stopped, calendar)
        && (newest..calendar.days).all(|at| as_working(at) > cap)
        && days.iter().any(|at| *at < newest && stopped[*at] > 0.0);
    let until = if has_risen { newest } else { calendar.days };
    let (mut peaks, mut peak_days) = (0.0, 0_usize);
    let mut flat = stopped.to_vec();
    for at in (since..until).filter(|at| as_working(*at) > cap) {
        let usual = middle * stopped[at] / as_working(at);
        peaks += stopped[at] - usual;
        peak_days += 1;
        flat[at] = usual;
    }
    let before = days.partition_point(|at| *at < until);
    let (working, weekend) = week(&flat, &days[..before], calendar);
    let usual = |at: usize| if calendar.is_weekend(at) { weekend } else { working };
    let shifted = if has_risen { before } else { shift(&days, |at| (flat[at], usual(at))) };
    let sum = |of: &dyn Fn(usize) -> f64| days[shifted..].iter().map(|at| weight(*at, calendar) * of(*at)).sum::<f64>();
    let times = if shifted == 0 { 1.0 } else { sum(&|at| flat[at]) / sum(&usual).max(f64::MIN_POSITIVE) };
    // What was ordered twice is ordered again; what was ordered once is a chance.
    let mailings = if peak_days >= 2 { peaks / count(calendar.days - since) } else { 0.0 };
    Level { working, weekend, times, mailings }
}

/// How much a day counts. By whole weeks, so that the day of the week on which something is sent makes no difference.
fn weight(at: usize, calendar: &Calendar) -> f64 {
    0.5_f64.powf(count((calendar.days - 1 - at) / 7 * 7) / HALF)
}

/// What comes on a working day and on one of a weekend.
fn week(flat: &[f64], days: &[usize], calendar: &Calendar) -> (f64, f64) {
    let (mut sums, mut weights) = ([0.0; 2], [0.0; 2]);
    for at in days.iter().copied() {
        let (kind, weight) = (usize::from(calendar.is_weekend(at)), weight(at, calendar));
        sums[kind] += weight * flat[at];
        weights[kind] += weight;
    }
    let all: f64 = days.iter().map(|at| flat[*at]).sum();
    let weekends = days.iter().filter(|at| calendar.is_weekend(**at)).count();
    if all >= OWN_WEEK.0 && weekends >= OWN_WEEK.1 && weights[0] > 0.0 {
        return (sums[0] / weights[0], sums[1] / weights[1]);
    }
    let working = (sums[0] + sums[1]) / (weights[0] + calendar.weekend * weights[1]).max(f64::MIN_POSITIVE);
    (working, working * calendar.weekend)
}

/// One day against what is usual on such a day.
struct Part {
    /// Its place among all days.
    place: usize,
    /// What came, as a part of what is usual.
    came: f64,
    /// The variance of that if the mail is single messages and all else is chance.
    chance: f64,
}

/// The place in `days` from which on the level is what it is now, or 0. `of`: what came on a day, and what comes on one of its kind in the
/// mean.
fn shift(days: &[usize], of: impl Fn(usize) -> (f64, f64)) -> usize {
    let part = |(place, at): (usize, &usize)| {
        let (came, usual) = of(*at);
        (usual >= SHIFT_USUAL).then(|| Part { place, came: came / usual, chance: 1.0 / usual })
    };
    let parts: Vec<Part> = days.iter().enumerate().filter_map(part).collect();
    let mut from = 0;
    while let Some(at) = split(&parts[from..]) {
        from += at;
    }
    if from == 0 { 0 } else { parts[from].place }
}

/// Where the days before differ most from those behind it, if that cannot be chance: by Student's t of both means, the spread within both.
fn split(parts: &[Part]) -> Option<usize> {
    let n = count(parts.len());
    let add = |sum: (f64, f64), part: &Part| (sum.0 + part.came, sum.1 + part.came * part.came);
    let all = parts.iter().fold((0.0, 0.0), add);
    let chance = parts.iter().map(|part| part.chance).sum::<f64>() / n;
    let mut sum = 0.0;
    let mut best: Option<(f64, usize)> = None;
    for (at, part) in parts.iter().enumerate() {
        if at >= SHIFT_DAYS && parts.len() - at >= SHIFT_DAYS {
            let (before, behind) = (count(at), count(parts.len() - at));
            let means = (sum / before, (all.0 - sum) / behind);
            let squares = all.1 - before * means.0 * means.0 - behind * means.1 * means.1;
            // No mean is surer than counts are.
            let variance = (squares / (n - 2.0)).max(chance);
            let apart = (means.0 - means.1).abs();
            let score = apart / (variance * (1.0 / before + 1.0 / behind)).sqrt();
            let is_shift = score >= SHIFT_SURE && apart >= SHIFT_PART * means.0.max(means.1);
            if is_shift && best.is_none_or(|(most, _)| score > most) {
                best = Some((score, at));
            }
        }
        sum += part.came;
    }
    best.map(|(_, at)| at)
}

#[cfg(test)]
mod tests {
    use report::Day;

    use super::*;

    /// 2025-03-03, a Monday; no holidays for months.
    const SPRING: Day = Day(20_150);
    /// 2025-11-17, a Monday, nine weeks before 2026-01-18.
    const AUTUMN: Day = Day(20_409);
    const DAYS: usize = 63;

    fn calendar(first: Day) -> Calendar {
        let volume: Vec<f64> = (0..DAYS).map(|at| if at % 7 < 5 { 1_000.0 } else { 300.0 }).collect();
        Calendar::new(first, 30, &volume)
    }

    /// Something between 0.85 and 1.15 that looks like chance.
    fn noise(at: usize) -> f64 {
        0.15_f64.mul_add(f64::from(u8::try_from((at * 7919 + 13) % 101).unwrap()) / 50.0 - 1.0, 1.0)
    }

    /// Why; the first day; what comes on each; the level of working days from here on.
    type Case = (&'static str, Day, fn(usize) -> f64, std::ops::Range<f64>);

    #[test]
    fn the_level_is_what_it_is_now() {
        let cases: [Case; 11] = [
            ("noise is no shift", SPRING, |at| 100.0 * noise(at), 93.0..107.0),
            ("half as much for five days", SPRING, |at| if at < 58 { 100.0 } else { 50.0 } * noise(at), 45.0..56.0),
            ("twice as much for ten", SPRING, |at| if at < 53 { 100.0 } else { 200.0 } * noise(at), 185.0..215.0),
            (
                "two shifts: the last counts",
                SPRING,
                |at| [100.0, 300.0, 40.0][usize::from(at >= 20) + usize::from(at >= 45)] * noise(at),
                36.0..44.0,
            ),
            ("a tenth less is no shift", SPRING, |at| if at < 57 { 100.0 } else { 90.0 } * noise(at), 90.0..100.0),
            ("a handful of messages can be chance", SPRING, |at| if at < 58 { 4.0 } else { 2.0 }, 3.2..3.9),
            ("one day is a mailing", SPRING, |at| if at == 62 { 900.0 } else { 10.0 }, 9.0..11.0),
            ("two that stay are how it is now", SPRING, |at| if at > 60 { 900.0 } else { 10.0 }, 800.0..1_000.0),
            ("two that ebb are a mailing", SPRING, |at| [10.0, 3_000.0, 290.0][at.saturating_sub(60)], 9.0..11.0),
            (
                "people are away between the years, and back",
                AUTUMN,
                |at| 100.0 * if (37..47).contains(&at) { 0.2 } else { 1.0 },
                99.0..101.0,
            ),
            (
                "what is there on days of rest only",
                AUTUMN,
                |at| if (38..45).contains(&at) { 20.0 } else { 0.0 },
                0.0..0.1,
            ),
        ];
        for (why, first, of, expected) in cases {
            let stopped: Vec<f64> =
                (0..DAYS).map(|at| of(at) * if first == SPRING && at % 7 >= 5 { 0.3 } else { 1.0 }).collect();
            let found = level(&stopped, 0, &calendar(first));
            assert!(expected.contains(&(found.working * found.times)), "{why}: {found:?}");
        }
    }
}
