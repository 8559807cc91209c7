//! Time as it comes in: a moment, given by whoever has a clock. Nothing in this room reads one.

use std::fmt;
use std::sync::Arc;

use report::Day;

/// Seconds of a day.
pub(crate) const DAY_SECONDS: i64 = 24 * 60 * 60;

/// A moment, in seconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(i64);

impl Moment {
    /// From seconds since 1970-01-01 UTC.
    #[must_use]
    pub const fn of(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Its UTC day.
    #[must_use]
    pub fn day(self) -> Day {
        Day::of(self.0)
    }

    /// In seconds since 1970-01-01 UTC.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// The second when something that holds for `seconds` from now is over; a day at most.
    pub(crate) fn plus(self, seconds: i64) -> i64 {
        self.0.saturating_add(seconds.clamp(0, DAY_SECONDS))
    }

    /// The same for a whole day.
    pub(crate) fn plus_day(self) -> i64 {
        self.plus(DAY_SECONDS)
    }
}

/// Where the time comes from.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> i64 + Send + Sync>);

impl Clock {
    /// One that asks `now` for the seconds since 1970-01-01 UTC.
    pub fn new(now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment((self.0)())
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now().0)
    }
}
