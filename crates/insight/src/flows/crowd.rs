//! Crowds: networks near each other that send the same unsigned mail in our name, looked at as one.
//!
//! In: flows of networks from which nothing passes. Out: for each, what its crowd does. One household among a thousand says nothing by
//! itself: whether the thousand keep office hours does.

use std::collections::{BTreeMap, HashMap};

use report::Day;

use super::features::{DayCount, Features};
use super::rhythm::{Beat, rhythm};
use super::rules::Around;

/// Fewer networks at once than this are no crowd of their own, and are looked at with all other small ones.
const SMALL: u64 = 20;

/// What a network is near to: an autonomous system by number, or where none is known the /16 or /32 around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(crate) struct Near {
    pub(crate) system: u32,
    pub(crate) neighbourhood: u128,
    /// Its addresses come back again and again, as lines of people do, and are looked at apart from those that come and go.
    pub(crate) lasting: bool,
    /// It uses names from which nothing ever passes.
    pub(crate) silent: bool,
}

/// Days on which an address was seen from which on it lasts.
const LASTING: u64 = 8;

/// Whether the addresses of a flow come back.
pub(crate) fn lasts(f: &Features) -> bool {
    f.sightings >= LASTING * f.sources
}

/// What a crowd does together.
#[derive(Debug, Clone, Default)]
struct Crowd {
    messages: u64,
    sightings: u64,
    /// Networks and messages by day.
    by_day: BTreeMap<Day, (u64, u64)>,
    peak: u64,
    beat: Beat,
}

impl Crowd {
    fn add(&mut self, f: &Features, days: &[DayCount]) {
        self.messages += f.messages;
        self.sightings += f.sightings;
        for day in days {
            let sums = self.by_day.entry(day.day).or_default();
            sums.0 += f.networks.max(1);
            sums.1 += day.messages;
        }
    }

    fn plus(&mut self, other: &Self) {
        self.messages += other.messages;
        self.sightings += other.sightings;
        for (day, (networks, messages)) in &other.by_day {
            let sums = self.by_day.entry(*day).or_default();
            sums.0 += networks;
            sums.1 += messages;
        }
    }

    fn settle(&mut self) {
        self.peak = self.by_day.values().map(|(networks, _)| *networks).max().unwrap_or(0);
        let days: Vec<DayCount> = self
            .by_day
            .iter()
            .map(|(day, (_, messages))| DayCount { day: *day, messages: *messages, ..DayCount::default() })
            .collect();
        self.beat = rhythm(&days).map(|found| found.beat).unwrap_or_default();
    }
}

/// All crowds of an organizational domain.
#[derive(Debug, Default)]
pub(crate) struct Crowds {
    near: HashMap<Near, Crowd>,
    /// Those that come and go, and those that last.
    rest: [Crowd; 2],
    all: Crowd,
}

/// One loud address in a quiet crowd is none of it; and a machine that sends every day is louder than people at home.
fn is_loud(f: &Features) -> bool {
    f.messages > if lasts(f) { 3 } else { 20 } * f.sightings.max(1)
}

impl Crowds {
    pub(crate) fn add(&mut self, near: Near, f: &Features, days: &[DayCount]) {
        if !is_loud(f) {
            self.near.entry(near).or_default().add(f, days);
        }
    }

    pub(crate) fn settle(&mut self) {
        let mut near: Vec<_> = self.near.iter_mut().collect();
        near.sort_unstable_by_key(|(near, _)| **near);
        for (near, crowd) in near {
            crowd.settle();
            self.all.plus(crowd);
            if crowd.peak < SMALL {
                self.rest[usize::from(near.lasting)].plus(crowd);
            }
        }
        self.rest.iter_mut().for_each(Crowd::settle);
        self.all.settle();
    }

    /// Says what the crowd around a network does.
    pub(crate) fn fill(&self, near: Near, f: &Features, into: &mut Around) {
        let Some(crowd) = self.near.get(&near).filter(|_| !is_loud(f)) else { return };
        let crowd = if crowd.peak < SMALL { &self.rest[usize::from(near.lasting)] } else { crowd };
        into.crowd = crowd.peak;
        into.crowd_all = self.all.peak;
        into.crowd_beat = crowd.beat;
        into.crowd_messages = crowd.messages;
        into.crowd_sightings = crowd.sightings;
    }
}
