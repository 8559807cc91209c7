//! How numbers, days and times are written: one way for every page.
//!
//! In: counts, days, seconds since 1970 UTC. Out: text with thousands commas, narrow no-break spaces and UTC dates. No locale
//! and no time zone but UTC: the same ledger reads the same everywhere.

use jiff::civil::{Date, Weekday};
use jiff::{Timestamp, tz::TimeZone};
use report::Day;

/// Narrow no-break space, before `%` and after a shortened number.
const THIN: char = '\u{202f}';

/// `1234567` as `1,234,567`.
pub(crate) use insight::commas as count;
pub(crate) use insight::{rate, rounded};

/// Three digits and a letter, for chips and legends: `550 k`, `2.86 M`.
pub(crate) fn short(n: u64) -> String {
    let (unit, letter) = match n {
        0..=9_999 => return count(n),
        10_000..=999_499 => (1_000.0, 'k'),
        999_500..=999_499_999 => (1e6, 'M'),
        _ => (1e9, 'G'),
    };
    let value = as_f64(n) / unit;
    // Three digits; but thousands are never split: `53 k`, not `53.2 k`.
    let decimals = match letter {
        'k' => 0,
        _ if value < 9.995 => 2,
        _ => usize::from(value < 99.95),
    };
    format!("{value:.decimals$}{THIN}{letter}")
}

/// Messages a day over `days`: whole numbers from 10 up, one decimal below, so that small flows do not vanish.
pub(crate) fn per_day(n: u64, days: usize) -> String {
    rate(as_f64(n) / as_f64(days.max(1) as u64))
}

/// A count as a float; above 2^53 the last digits do not matter to a drawing.
#[expect(clippy::cast_precision_loss, reason = "shares and drawings need three digits, not nineteen")]
pub(crate) fn as_f64(n: u64) -> f64 {
    n as f64
}

/// A number with its sign and one decimal: `+3.4`, `−8.2`.
pub(crate) fn signed(number: f64) -> String {
    if number < 0.0 { format!("−{:.1}", -number) } else { format!("+{number:.1}") }
}

/// `part` of `whole` in percent with one decimal and without the sign; `—` of nothing.
///
/// 100.0 and 0.0 are said only where they are exact: one failure in a million is 99.9.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    match (part, whole) {
        (_, 0) => "—".to_owned(),
        (0, _) => "0.0".to_owned(),
        (part, whole) if part >= whole => "100.0".to_owned(),
        (part, whole) => format!("{:.1}", (as_f64(part) / as_f64(whole) * 100.0).clamp(0.1, 99.9)),
    }
}

/// The same with its sign: `84.0 %`.
pub(crate) fn percent_sign(part: u64, whole: u64) -> String {
    if whole == 0 { "—".to_owned() } else { format!("{}{THIN}%", percent(part, whole)) }
}

/// `1 day`, `14 days`, `1,204 days`.
pub(crate) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{}\u{a0}{}", count(n), if n == 1 { one } else { many })
}

/// `Tue 19 Jan`; a day beyond the calendar is given by its number.
pub(crate) fn weekday(day: Day) -> String {
    day.date().map_or_else(|| day.to_string(), |date| format!("{} {}", weekday_name(date.weekday()), day_month(date)))
}

/// `19 Jan`.
pub(crate) fn day(day: Day) -> String {
    day.date().map_or_else(|| day.to_string(), day_month)
}

/// `19 Jan 2027`.
pub(crate) fn day_year(day: Day) -> String {
    day.date().map_or_else(|| day.to_string(), |date| format!("{} {}", day_month(date), date.year()))
}

/// `Tue 19 Jan 2027`.
pub(crate) fn weekday_year(day: Day) -> String {
    day.date().map_or_else(|| day.to_string(), |date| format!("{} {}", weekday(day), date.year()))
}

/// Two days with the year where it is needed: `21 Oct 2026 to 18 Jan 2027`, `3 to 9 Mar 2026`.
pub(crate) fn span(first: Day, last: Day) -> String {
    match (first.date(), last.date()) {
        (Some(a), Some(b)) if a == b => weekday_year(first),
        (Some(a), Some(b)) if (a.year(), a.month()) == (b.year(), b.month()) => {
            format!("{} to {}", a.day(), day_year(last))
        }
        (Some(a), Some(b)) if a.year() == b.year() => format!("{} to {}", day_month(a), day_year(last)),
        _ => format!("{} to {}", day_year(first), day_year(last)),
    }
}

/// `Oct 2026`.
pub(crate) fn month_year(day: Day) -> String {
    day.date().map_or_else(|| day.to_string(), |date| format!("{} {}", month_name(date), date.year()))
}

/// `Tue 19 Jan 2027, 09:12 UTC`.
pub(crate) fn moment(seconds: i64) -> String {
    let day = Day::of(seconds);
    match Timestamp::from_second(seconds) {
        Ok(at) => {
            let at = at.to_zoned(TimeZone::UTC);
            format!("{}, {:02}:{:02} UTC", weekday_year(day), at.hour(), at.minute())
        }
        Err(_) => format!("{seconds} s since 1970"),
    }
}

/// `09:04` of the day of `now`, `Mon 18 Jan, 09:04` of the same year, else the whole.
pub(crate) fn moment_near(seconds: i64, now: i64) -> String {
    let (whole, day) = (moment(seconds), Day::of(seconds));
    let time = whole.rsplit_once(", ").map_or("", |(_, time)| time.trim_end_matches(" UTC"));
    let year = |day: Day| day.date().map(Date::year);
    if time.is_empty() || year(day) != year(Day::of(now)) {
        whole
    } else if day == Day::of(now) {
        time.to_owned()
    } else {
        format!("{}, {time}", weekday(day))
    }
}

/// `2027-01-19T09:12:00Z` for `<time datetime>`; nothing where the calendar ends.
pub(crate) fn machine(seconds: i64) -> Option<String> {
    Timestamp::from_second(seconds).ok().map(|at| at.to_string())
}

/// `413 B`, `1.2 kB`, `34 MB`.
pub(crate) fn bytes(n: u64) -> String {
    let value = as_f64(n);
    let (value, unit) = match n {
        0..=999 => return format!("{n}\u{a0}B"),
        1_000..=999_999 => (value / 1e3, "kB"),
        1_000_000..=999_999_999 => (value / 1e6, "MB"),
        _ => (value / 1e9, "GB"),
    };
    if value < 9.95 { format!("{value:.1}\u{a0}{unit}") } else { format!("{value:.0}\u{a0}{unit}") }
}

fn day_month(date: Date) -> String {
    format!("{} {}", date.day(), month_name(date))
}

/// `Jan`.
pub(crate) fn month_name(date: Date) -> &'static str {
    const NAMES: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    usize::try_from(date.month() - 1).ok().and_then(|index| NAMES.get(index)).copied().unwrap_or("?")
}

fn weekday_name(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "Mon",
        Weekday::Tuesday => "Tue",
        Weekday::Wednesday => "Wed",
        Weekday::Thursday => "Thu",
        Weekday::Friday => "Fri",
        Weekday::Saturday => "Sat",
        Weekday::Sunday => "Sun",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_the_tokens_say() {
        let cases = [
            (0, "0", "0"),
            (999, "999", "999"),
            (1_000, "1,000", "1,000"),
            (53_211, "53,211", "53\u{202f}k"),
            (549_755, "549,755", "550\u{202f}k"),
            (999_499, "999,499", "999\u{202f}k"),
            (999_600, "999,600", "1.00\u{202f}M"),
            (2_861_034, "2,861,034", "2.86\u{202f}M"),
            (28_610_340, "28,610,340", "28.6\u{202f}M"),
            (u64::MAX, "18,446,744,073,709,551,615", "18446744074\u{202f}G"),
        ];
        for (n, long, cut) in cases {
            assert_eq!((count(n).as_str(), short(n).as_str()), (long, cut));
        }
    }

    #[test]
    fn a_share_is_whole_only_where_it_is_exact() {
        let cases = [
            (0, 0, "—"),
            (0, 9, "0.0"),
            (9, 9, "100.0"),
            (999_999, 1_000_000, "99.9"),
            (1, 1_000_000, "0.1"),
            (84, 100, "84.0"),
        ];
        for (part, whole, expected) in cases {
            assert_eq!(percent(part, whole), expected, "{part} of {whole}");
        }
    }

    #[test]
    fn rates_keep_small_flows() {
        for (n, days, expected) in
            [(0, 90, "0"), (1, 90, "<0.1"), (540, 90, "6.0"), (900, 90, "10"), (569_880, 90, "6,332"), (5, 0, "5.0")]
        {
            assert_eq!(per_day(n, days), expected, "{n} in {days}");
        }
    }

    #[test]
    fn days_and_moments() {
        let tuesday: Day = "2027-01-19".parse().unwrap();
        assert_eq!(weekday_year(tuesday), "Tue 19 Jan 2027");
        assert_eq!(tuesday.since_monday(), 1);
        assert_eq!(span("2026-10-21".parse().unwrap(), tuesday), "21 Oct 2026 to 19 Jan 2027");
        assert_eq!(span("2027-01-03".parse().unwrap(), tuesday), "3 to 19 Jan 2027");
        assert_eq!(span(tuesday, tuesday), "Tue 19 Jan 2027");
        assert_eq!(moment(1_800_349_920), "Tue 19 Jan 2027, 09:12 UTC");
        assert_eq!(moment_near(1_800_349_440, 1_800_349_920), "09:04");
        assert_eq!(moment_near(1_800_249_440, 1_800_349_920), "Mon 18 Jan, 05:17");
        assert_eq!(moment_near(1_700_249_440, 1_800_349_920), "Fri 17 Nov 2023, 19:30 UTC");
        assert_eq!(moment(i64::MAX), "9223372036854775807 s since 1970");
        assert_eq!(day(Day(i32::MAX)), "day 2147483647");
    }
}
