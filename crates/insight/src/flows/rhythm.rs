//! The rhythm of a stream: whether it keeps office hours, keeps none, or cannot be told.
//!
//! In: messages day by day. Out: how much a weekend day brings of a weekday, and what follows from it, if anything: mail of people, and of
//! machines that serve people, is rarer at weekends. How much days differ among themselves says how sure that is.

use report::Day;

use super::features::DayCount;
use crate::counts::float;

/// Shorter than this there is no week to speak of.
const DAYS_MIN: i32 = 14;
/// Fewer messages may fall on weekdays by chance.
const MESSAGES_MIN: u64 = 12;
/// A day counts at most so many times the mean of the days with mail: one mailing is no rhythm.
const DAY_MAX: f64 = 3.0;
/// Offices lie near 0.3; up to this a week is an office's.
const OFFICE: f64 = 0.55;
/// From here on a week is flat.
const FLAT: f64 = 0.6;
/// And what it may be by chance lies on that side of the middle, by two standard errors.
const MIDDLE: (f64, f64) = (0.45, 0.65);

/// What the days say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Beat {
    /// Too little is known, or it lies between the two.
    #[default]
    Unclear,
    /// Weekends bring much less.
    Office,
    /// Weekends bring as much, or nearly.
    Flat,
}

/// A rhythm.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Rhythm {
    /// A weekend day for each weekday.
    pub(crate) ratio: f64,
    pub(crate) beat: Beat,
}

/// Days of one kind.
#[derive(Default)]
struct Days {
    many: f64,
    sum: f64,
    squares: f64,
}

impl Days {
    fn add(&mut self, messages: f64) {
        self.sum += messages;
        self.squares += messages * messages;
    }

    /// Mean, and the variance of the mean: at least that of one busy day more or less.
    fn mean(&self) -> (f64, f64) {
        let mean = self.sum / self.many;
        let variance = (self.squares / self.many - mean * mean).max(1.0 / self.many);
        (mean, variance / self.many)
    }
}

/// Whether much was sent on working days and next to nothing on the weekends between them: somebody worked with it, however short it was.
pub(crate) fn working_days(days: &[DayCount]) -> bool {
    const WEEK: usize = 5;
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return false };
    let sum = |weekends: bool| -> u64 {
        days.iter().filter(|day| !weekends || day.day.is_weekend()).map(|day| day.messages).sum()
    };
    let weekends = (first.day.0..=last.day.0).filter(|day| Day(*day).is_weekend()).count();
    // Two of seven days would bring two sevenths. Where reporters' days end in the morning, some of a Friday is told as a Saturday's.
    weekends >= 2 && days.len() >= WEEK && sum(false) >= 100 && sum(true) * 20 <= sum(false)
}

/// On how many days receivers held the larger part back.
pub(crate) fn held_days(days: &[DayCount]) -> usize {
    days.iter().filter(|day| (day.failing - day.delivered.min(day.failing)) * 2 > day.messages).count()
}

/// The rhythm of days in ascending order, where there is enough of them.
pub(crate) fn rhythm(days: &[DayCount]) -> Option<Rhythm> {
    let (first, last) = (days.first()?.day, days.last()?.day);
    let messages: u64 = days.iter().map(|day| day.messages).sum();
    if last.0 - first.0 + 1 < DAYS_MIN || messages < MESSAGES_MIN {
        return None;
    }
    // In days on which it sends, so that a burst weighs as much as it lasts.
    let usual = (float(messages) / float(days.len() as u64)).max(1.0);
    let (mut weekdays, mut weekends) = (Days::default(), Days::default());
    for n in first.0..=last.0 {
        if Day(n).is_weekend() { weekends.many += 1.0 } else { weekdays.many += 1.0 }
    }
    for day in days {
        let of = if day.day.is_weekend() { &mut weekends } else { &mut weekdays };
        of.add((float(day.messages) / usual).min(DAY_MAX));
    }
    let ((weekday, of_weekday), (weekend, of_weekend)) = (weekdays.mean(), weekends.mean());
    let weekday = weekday.max(1e-9);
    let ratio = weekend / weekday;
    let error = 2.0 * (of_weekend + ratio * ratio * of_weekday).sqrt() / weekday;
    let beat = if ratio <= OFFICE && ratio + error <= MIDDLE.1 {
        Beat::Office
    } else if ratio >= FLAT && ratio - error >= MIDDLE.0 {
        Beat::Flat
    } else {
        Beat::Unclear
    };
    Some(Rhythm { ratio, beat })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_must_be_seen_to_be_believed() {
        // Why; days; messages on weekdays and at weekends, one number for each day in turn; the beat.
        type Case<'a> = (&'a str, i32, &'a [u64], &'a [u64], Option<Beat>);
        let cases: [Case<'_>; 9] = [
            ("an office", 60, &[100, 110, 90], &[30], Some(Beat::Office)),
            ("a machine", 60, &[100, 110, 90], &[100, 95], Some(Beat::Flat)),
            ("nearly flat is flat where days are much alike", 90, &[100, 110, 90], &[70], Some(Beat::Flat)),
            ("between the two", 60, &[100, 110, 90], &[57], Some(Beat::Unclear)),
            ("a few, all of them on weekdays", 60, &[1, 0, 0], &[0], Some(Beat::Office)),
            ("fewer say nothing", 30, &[1, 0, 0, 0], &[0], None),
            ("ten days are no two weeks", 10, &[100], &[100], None),
            ("bursts have moods and no week", 60, &[900, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[0], Some(Beat::Unclear)),
            ("one very large mailing makes no office of a flat week", 60, &[20; 42], &[20], Some(Beat::Unclear)),
        ];
        for (why, many, weekdays, weekends, expected) in cases {
            let (mut on, mut off) = (weekdays.iter().cycle(), weekends.iter().cycle());
            let mut days: Vec<DayCount> = (0..many)
                .map(|n| {
                    let day = Day(20_383 + n);
                    let next = if day.is_weekend() { off.next() } else { on.next() };
                    DayCount { day, messages: *next.expect("it never ends"), ..DayCount::default() }
                })
                .filter(|day| day.messages > 0)
                .collect();
            if why.starts_with("one very large") {
                days[5].messages = 5_000;
            }
            assert_eq!(rhythm(&days).map(|found| found.beat), expected, "{why}: {:?}", rhythm(&days));
        }
    }
}
