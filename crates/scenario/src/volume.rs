//! How much a flow sends on a day: weekdays, holidays, slow changes, and noise.
//!
//! In: the flow's habits, a calendar day, the day of the story. Out: the mean number of messages. No messages are drawn here.

use jiff::civil::Weekday;
use report::Day;

use crate::random::Random;

/// What the calendar does to a flow beside weekends and holidays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Season {
    /// So many times as much on the last two days of a month and the first of the next.
    MonthEnd(f64),
    /// Only in the second week of January, April, July and October, Monday to Friday.
    Quarterly,
    /// Only on this day of the week.
    Only(Weekday),
    /// So many times as much around the last Friday of November, half of it until Christmas and in the January sales.
    Sales(f64),
    /// When nobody studies: July, August, Christmas.
    Terms,
    /// So many times as much in July.
    July(f64),
    /// Grows by this part a year.
    Yearly(f64),
}

impl Season {
    fn factor(self, date: jiff::civil::Date, story: i32) -> f64 {
        let (month, day) = (date.month(), date.day());
        match self {
            Self::MonthEnd(times) if day == 1 || day + 1 >= date.days_in_month() => times,
            Self::Quarterly if matches!(month, 1 | 4 | 7 | 10) && (8..=14).contains(&day) => {
                f64::from(u8::from(!matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)))
            }
            Self::Quarterly => 0.0,
            Self::Only(weekday) => f64::from(u8::from(weekday == date.weekday())),
            Self::Sales(times) => match (month, day) {
                (11, 20..) | (12, 1..=2) => times,
                (12, 3..=22) | (1, 2..=14) => 1.0 + (times - 1.0) * 0.5,
                _ => 1.0,
            },
            Self::Terms => match (month, day) {
                (7, _) => 0.35,
                (8, _) => 0.55,
                (12, 20..) | (1, 1..=6) => 0.4,
                _ => 1.0,
            },
            Self::July(times) if month == 7 => times,
            Self::Yearly(part) => (1.0 + part * f64::from(story) / 365.0).max(0.1),
            Self::MonthEnd(_) | Self::July(_) => 1.0,
        }
    }
}

/// How much a flow sends.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Volume {
    /// Messages on an ordinary working day, at scale 1.
    pub(crate) per_day: f64,
    /// A Saturday or Sunday as a part of a working day.
    pub(crate) weekend: f64,
    /// A day between Christmas and New Year as a part of a working day.
    pub(crate) holidays: f64,
    /// Factors at days of the story, straight lines between them; nothing before the first if that is 0.
    pub(crate) curve: Vec<(i32, f64)>,
    /// The day of the month on which it sends ten times as much.
    pub(crate) payday: Option<i8>,
    /// What else the calendar does to it.
    pub(crate) seasons: Vec<Season>,
    /// The share of days on which it sends at all.
    pub(crate) active: f64,
    /// Relative standard deviation of a day.
    pub(crate) noise: f64,
}

impl Volume {
    /// People at work: quiet at weekends and over Christmas.
    pub(crate) fn office(per_day: f64) -> Self {
        Self {
            per_day,
            weekend: 0.3,
            holidays: 0.62,
            curve: Vec::new(),
            payday: None,
            seasons: Vec::new(),
            active: 1.0,
            noise: 0.05,
        }
    }

    /// Machines: nearly the same every day.
    pub(crate) fn machine(per_day: f64) -> Self {
        Self { weekend: 0.85, holidays: 0.9, noise: 0.08, ..Self::office(per_day) }
    }

    /// Crime: no holidays, and moods.
    pub(crate) fn crime(per_day: f64) -> Self {
        Self { weekend: 0.86, holidays: 1.02, noise: 0.15, ..Self::office(per_day) }
    }

    pub(crate) fn curve(mut self, curve: &[(i32, f64)]) -> Self {
        self.curve = curve.to_vec();
        self
    }

    /// Starts on a day of the story.
    pub(crate) fn from(self, day: i32) -> Self {
        self.curve(&[(day - 1, 0.0), (day, 1.0)])
    }

    /// Ends on a day of the story, having run down over the three weeks before it.
    pub(crate) fn until(self, day: i32) -> Self {
        self.curve(&[(day - 21, 1.0), (day - 14, 0.8), (day - 7, 0.35), (day - 1, 0.06), (day, 0.0)])
    }

    pub(crate) fn weekend(mut self, weekend: f64) -> Self {
        self.weekend = weekend;
        self
    }

    pub(crate) fn noise(mut self, noise: f64) -> Self {
        self.noise = noise;
        self
    }

    pub(crate) fn active(mut self, share: f64) -> Self {
        self.active = share;
        self
    }

    pub(crate) fn payday(mut self, day: i8) -> Self {
        self.payday = Some(day);
        self
    }

    pub(crate) fn season(mut self, season: Season) -> Self {
        self.seasons.push(season);
        self
    }

    /// Whether something is sent on every working day.
    pub(crate) fn is_daily(&self) -> bool {
        self.seasons.is_empty() && self.active >= 1.0 && self.payday.is_none()
    }

    /// Whether anything is sent on one of the first days.
    pub(crate) fn begins_before(&self, days: i32) -> bool {
        self.curve.is_empty() || (0..days).any(|day| line(&self.curve, day) > 0.0)
    }

    /// The mean for one day: `day` of the calendar, `story` days after the beginning. `random` is the flow's own for that day.
    pub(crate) fn mean(&self, day: Day, story: i32, random: &mut Random) -> f64 {
        if !random.chance(self.active) {
            return 0.0;
        }
        let noise = (1.0 + self.noise * random.normal()).max(0.3);
        self.per_day * self.calendar(day, story) * line(&self.curve, story) * noise
    }

    fn calendar(&self, day: Day, story: i32) -> f64 {
        let Some(date) = day.date() else { return 1.0 };
        let mut factor = match date.weekday() {
            Weekday::Saturday | Weekday::Sunday => self.weekend,
            // Mondays and Fridays are a little quieter than the days between.
            Weekday::Monday | Weekday::Friday => 1.0 - 0.06 * (1.0 - self.weekend),
            _ => 1.0,
        };
        if let (12, 24..) | (1, 1..=2) = (date.month(), date.day()) {
            factor *= self.holidays;
        }
        // The public holidays themselves are like weekends.
        if matches!((date.month(), date.day()), (12, 25 | 26) | (1, 1 | 6)) && factor > self.weekend {
            factor = self.weekend * 1.1;
        }
        if self.payday.is_some_and(|payday| payday == date.day()) {
            factor *= 10.0;
        }
        self.seasons.iter().fold(factor, |factor, season| factor * season.factor(date, story))
    }
}

/// The value at `x` of straight lines through `points`, flat outside them; 1 if there are none.
fn line(points: &[(i32, f64)], x: i32) -> f64 {
    let after = points.partition_point(|(at, _)| *at <= x);
    match (after.checked_sub(1).and_then(|n| points.get(n)), points.get(after)) {
        (Some(&(x0, y0)), Some(&(x1, y1))) => y0 + (y1 - y0) * f64::from(x - x0) / f64::from(x1 - x0),
        (Some(&(_, y)), None) | (None, Some(&(_, y))) => y,
        (None, None) => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_has_its_week_its_holidays_and_its_end() {
        let quiet = Volume::office(1_000.0).noise(0.0);
        let mean = |volume: &Volume, day: &str, story| {
            format!("{:.1}", volume.mean(day.parse().unwrap(), story, &mut Random::at(1, &[])))
        };
        let cases = [
            ("a Wednesday", &quiet, "2025-11-05", 14, "1000.0"),
            ("a Saturday", &quiet, "2025-11-08", 17, "300.0"),
            ("a Monday", &quiet, "2025-11-10", 19, "958.0"),
            ("Christmas Day, a Thursday", &quiet, "2025-12-25", 64, "330.0"),
            ("between the years", &quiet, "2025-12-30", 69, "620.0"),
            ("payday", &quiet.clone().payday(25), "2025-11-25", 34, "10000.0"),
            ("before it begins", &quiet.clone().from(15), "2025-11-05", 14, "0.0"),
            ("when it begins", &quiet.clone().from(15), "2025-11-06", 15, "1000.0"),
            ("before it ends", &quiet.clone().until(30), "2025-11-19", 28, "108.3"),
            ("before a month end", &quiet.clone().season(Season::MonthEnd(3.0)), "2025-11-27", 36, "1000.0"),
            ("month end", &quiet.clone().season(Season::MonthEnd(3.0)), "2025-12-30", 69, "1860.0"),
            ("a quarter begins", &quiet.clone().season(Season::Quarterly), "2026-01-13", 83, "1000.0"),
            ("the quarter goes on", &quiet.clone().season(Season::Quarterly), "2026-02-11", 112, "0.0"),
            ("not its day", &quiet.clone().season(Season::Only(Weekday::Tuesday)), "2025-11-05", 14, "0.0"),
            ("sales", &quiet.clone().season(Season::Sales(3.0)), "2025-11-26", 35, "3000.0"),
            ("before Christmas", &quiet.clone().season(Season::Sales(3.0)), "2025-12-10", 49, "2000.0"),
            ("two years later", &quiet.clone().season(Season::Yearly(0.1)), "2027-10-20", 728, "1199.5"),
            ("after it ended", &quiet.clone().until(30), "2025-11-26", 35, "0.0"),
        ];
        for (why, volume, day, story, expected) in cases {
            assert_eq!(mean(volume, day, story), expected, "{why}");
        }
    }
}
