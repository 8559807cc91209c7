//! A zone that takes time: its delays are added up, and once they exceed a budget every question times out.
//!
//! In: a [`Zone`] with delays, and a budget. Out: the same answers until the time is up. No clock is read and nothing waits; a
//! question that the zone lets time out takes no time.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Zone;
use crate::{Lookup, Name, RecordType, Response};

/// A [`Zone`] and the time that is left; made by [`Zone::within`].
#[derive(Debug)]
pub struct Within<'a> {
    zone: &'a Zone,
    budget: Duration,
    spent_microseconds: AtomicU64,
}

impl<'a> Within<'a> {
    pub(super) const fn new(zone: &'a Zone, budget: Duration) -> Self {
        Self { zone, budget, spent_microseconds: AtomicU64::new(0) }
    }

    /// What the questions so far have taken.
    #[must_use]
    pub fn spent(&self) -> Duration {
        Duration::from_micros(self.spent_microseconds.load(Ordering::Relaxed))
    }

    fn answer(&self, name: &Name, kind: RecordType) -> Response {
        let (response, delay) = self.zone.answer_and_delay(name, kind);
        let delay = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
        let add = |spent: u64| Some(spent.saturating_add(delay));
        let before = self.spent_microseconds.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).unwrap_or(0);
        if Duration::from_micros(before.saturating_add(delay)) > self.budget { Response::Timeout } else { response }
    }
}

impl Lookup for Within<'_> {
    fn lookup(&self, name: &Name, kind: RecordType) -> impl Future<Output = Response> + Send {
        std::future::ready(self.answer(name, kind))
    }
}
