//! UTC days, and how the messages of a row that spans several of them are shared out.
//!
//! Whole numbers in, whole numbers out: the shares of a row always add up to its count.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Interval;

const SECONDS_PER_DAY: i64 = 86_400;

/// A UTC day, counted from 1970-01-01. Written `2025-12-23`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Day(pub i32);

impl Day {
    /// The day that `seconds` since 1970-01-01 UTC falls on; clamped to what a day can hold.
    #[must_use]
    pub fn of(seconds: i64) -> Self {
        let day = seconds.div_euclid(SECONDS_PER_DAY);
        Self(i32::try_from(day).unwrap_or(if day < 0 { i32::MIN } else { i32::MAX }))
    }

    /// Its first second since 1970-01-01 UTC.
    #[must_use]
    pub fn begin(self) -> i64 {
        i64::from(self.0) * SECONDS_PER_DAY
    }

    /// The day `days` later (or earlier, if negative).
    #[must_use]
    pub fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// Days since Monday, 0 to 6. 1970-01-01 was a Thursday.
    #[must_use]
    pub fn since_monday(self) -> i32 {
        (self.0.rem_euclid(7) + 3) % 7
    }

    /// Whether it is a Saturday or a Sunday.
    #[must_use]
    pub fn is_weekend(self) -> bool {
        self.since_monday() > 4
    }

    /// As a calendar date, where the calendar reaches that far (years −9999 to 9999).
    #[must_use]
    pub fn date(self) -> Option<jiff::civil::Date> {
        jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().try_days(self.0).ok()?).ok()
    }

    /// The day of a calendar date.
    #[must_use]
    pub fn from_date(date: jiff::civil::Date) -> Self {
        let since = date.duration_since(jiff::civil::date(1970, 1, 1));
        Self::of(since.as_secs())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.date() {
            Some(date) => write!(f, "{date}"),
            None => write!(f, "day {}", self.0),
        }
    }
}

/// A text that is no day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is no day: write it as 2025-12-23")]
pub struct NoDay(String);

impl FromStr for Day {
    type Err = NoDay;

    fn from_str(text: &str) -> Result<Self, NoDay> {
        text.parse::<jiff::civil::Date>().map(Self::from_date).map_err(|_| NoDay(text.chars().take(40).collect()))
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Interval {
    /// First and last UTC day with at least one second of the interval. An end exactly at midnight belongs to the day before.
    #[must_use]
    pub fn days(self) -> (Day, Day) {
        let first = Day::of(self.begin);
        (first, Day::of(self.end.max(self.begin + 1) - 1).max(first))
    }

    /// Shares `count` messages out over the UTC days of the interval, in proportion to the seconds each day has of it.
    ///
    /// The shares add up to `count` exactly; where a share is no whole number, `salt` decides which day gets the odd message,
    /// so that over many rows with different salts no day is favoured. Days with a share of zero are left out.
    pub fn share(self, count: u64, salt: u64) -> impl Iterator<Item = (Day, u64)> {
        let (first, last) = self.days();
        let total = u128::from(self.end.abs_diff(self.begin)).max(1);
        // Systematic rounding: the running total, shifted by the same fraction for every day, is cut to whole messages.
        let shift = u128::from(salt) % total;
        let up_to = move |day: Day| -> u128 {
            let seconds = (day.plus(1).begin() - self.begin).clamp(0, i64::try_from(total).unwrap_or(i64::MAX));
            let seconds = if day == last { total } else { u128::from(seconds.unsigned_abs()) };
            (u128::from(count) * seconds + shift) / total
        };
        (first.0..=last.0)
            .scan(0, move |before, day| {
                let running = up_to(Day(day));
                let share = running - *before;
                *before = running;
                Some((Day(day), u64::try_from(share).unwrap_or(u64::MAX)))
            })
            .filter(move |&(_, share)| share > 0 || count == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Why, begin, end, count, salt, shares.
    type Case<'a> = (&'a str, i64, i64, u64, u64, &'a [(i32, u64)]);

    fn shares(begin: i64, end: i64, count: u64, salt: u64) -> Vec<(i32, u64)> {
        Interval { begin, end }.share(count, salt).map(|(day, n)| (day.0, n)).collect()
    }

    #[test]
    fn weekdays_are_those_of_the_calendar() {
        for day in (-800..800).map(Day).chain([Day(i32::MIN), Day(i32::MAX)]) {
            let Some(date) = day.date() else { continue };
            assert_eq!(day.since_monday(), i32::from(date.weekday().to_monday_zero_offset()), "{day}");
        }
        assert_eq!(Day(-3).since_monday(), 0, "1969-12-29 was a Monday");
        let week: Vec<bool> = (0..7).map(|day| Day(day).is_weekend()).collect();
        assert_eq!(week, [false, false, true, true, false, false, false], "from a Thursday on");
    }

    #[test]
    fn days_are_shared_by_seconds_and_add_up() {
        let d = SECONDS_PER_DAY;
        let cases: &[Case<'_>] = &[
            ("one whole day, end exclusive", 0, d, 7, 3, &[(0, 7)]),
            ("one whole day, end inclusive", 0, d - 1, 7, 3, &[(0, 7)]),
            ("zero span", 5, 5, 7, 3, &[(0, 7)]),
            ("end before begin is taken as its begin", 5, -9, 7, 3, &[(0, 7)]),
            ("two equal halves", d / 2, d + d / 2, 10, 0, &[(0, 5), (1, 5)]),
            ("two equal halves, any salt", d / 2, d + d / 2, 10, 99_999, &[(0, 5), (1, 5)]),
            ("a quarter and three", d - d / 4, d + 3 * d / 4, 8, 17, &[(0, 2), (1, 6)]),
            ("before 1970", -d, 0, 4, 1, &[(-1, 4)]),
            ("huge counts", 0, 2 * d, u64::MAX - 1, 0, &[(0, u64::MAX / 2), (1, u64::MAX / 2)]),
        ];
        for (why, begin, end, count, salt, expected) in cases {
            assert_eq!(shares(*begin, *end, *count, *salt), *expected, "{why}");
        }
    }

    #[test]
    fn sums_are_exact_and_no_day_is_favoured() {
        let d = SECONDS_PER_DAY;
        let mut first_day = 0;
        for salt in 0..10_000_u64 {
            let got = shares(d * 7 / 24, d * 31 / 24, 1, salt.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            assert_eq!(got.iter().map(|(_, n)| n).sum::<u64>(), 1);
            first_day += u64::from(got[0].0 == 0);
        }
        // 17 of 24 hours lie on the first day.
        assert!((6_900..7_270).contains(&first_day), "{first_day}");
    }

    #[test]
    fn written_and_read() {
        assert_eq!(Day::of(1_766_448_000).to_string(), "2025-12-23");
        assert_eq!("2025-12-23".parse::<Day>().unwrap(), Day::of(1_766_448_000));
        assert!("23.12.2025".parse::<Day>().is_err());
    }
}
