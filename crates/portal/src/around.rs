//! What is around a page: the names the filter bar offers, the days the ledger holds, and the time.
//!
//! In: the ledger's own lists, taken once and kept for some seconds. Out: plain data that every page is drawn with.

use insight::Period;
use report::{Day, Text};

use crate::ask::EVER;

/// What every page is drawn with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Around {
    /// Author domains, those with the most mail first.
    pub(crate) domains: Vec<Text>,
    /// How many author domains there are.
    pub(crate) domains_total: usize,
    /// Reporters, those with the most mail first.
    pub(crate) reporters: Vec<Text>,
    /// First and last day in the ledger; `None` when it is empty.
    pub(crate) days: Option<(Day, Day)>,
    /// When the newest report was taken in, seconds since 1970 UTC.
    pub(crate) last_received: Option<i64>,
    /// The time, seconds since 1970 UTC.
    pub(crate) now: i64,
    /// Whether files can be handed in here.
    pub(crate) uploads: bool,
    /// Whether flows can be decided about here.
    pub(crate) decides: bool,
    /// Whether something can be said to alerts here.
    pub(crate) says: bool,
}

impl Around {
    /// From what the ledger knows.
    pub(crate) fn of(known: insight::Known, now: i64) -> Self {
        let insight::Known { days, domains, domains_total, reporters, last_received } = known;
        Self { domains, domains_total, reporters, days, last_received, now, ..Self::default() }
    }

    /// The days a period stands for, cut to those in the ledger. A period that lies outside of them stays as it is.
    pub(crate) fn resolve(&self, period: Period) -> Option<(Day, Day)> {
        let (oldest, newest) = self.days?;
        Some(match period {
            Period::All => (oldest, newest),
            Period::Last(days) => (newest.plus(1 - i32::from(days)), newest),
            Period::Days(since, until) => {
                let since = if since == EVER.0 { oldest.min(until) } else { since };
                (since, if until == EVER.1 { newest.max(since) } else { until })
            }
        })
    }

    /// The periods of the same length just before and just after this one, where the ledger has any of their days.
    #[expect(clippy::type_complexity, reason = "two optional pairs of days, named where they are taken apart")]
    pub(crate) fn neighbours(&self, period: Period) -> (Option<(Day, Day)>, Option<(Day, Day)>) {
        let (Some((oldest, newest)), Some((first, last))) = (self.days, self.resolve(period)) else {
            return (None, None);
        };
        let length = last.0.saturating_sub(first.0).saturating_add(1);
        let earlier = (first > oldest).then(|| (first.plus(-length), first.plus(-1)));
        let later = (last < newest).then(|| (last.plus(1), last.plus(length)));
        (earlier, later)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_move_by_their_own_length_and_stop_at_the_ends() {
        let around = Around { days: Some((Day(100), Day(189))), ..Around::default() };
        assert_eq!(around.resolve(Period::Last(7)), Some((Day(183), Day(189))));
        assert_eq!(around.neighbours(Period::Last(7)), (Some((Day(176), Day(182))), None));
        assert_eq!(
            around.neighbours(Period::Days(Day(110), Day(119))),
            (Some((Day(100), Day(109))), Some((Day(120), Day(129))))
        );
        assert_eq!(around.neighbours(Period::All), (None, None));
        assert_eq!(around.resolve(Period::Days(Day(150), EVER.1)), Some((Day(150), Day(189))));
        assert_eq!(around.resolve(Period::Days(EVER.0, Day(150))), Some((Day(100), Day(150))));
        assert_eq!(Around::default().resolve(Period::All), None);
    }
}
