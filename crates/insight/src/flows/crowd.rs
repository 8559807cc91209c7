//! Crowds: networks near each other that send the same unsigned mail in our name, looked at as one.
//!
//! In: flows of networks from which nothing passes. Out: for each, what its crowd does. One household among a thousand says nothing by
//! itself: whether the thousand keep office hours does.

use std::collections::{BTreeMap, HashMap};

use report::{Day, Text};

use super::features::{DayCount, Features};
use super::identity::Place;
use super::knowledge::{Week, neighbourhood};
use super::rules::Around;

/// Fewer networks at once than this are no crowd of their own, and are looked at with all other small ones.
const SMALL: u64 = 20;

/// What a crowd does together.
#[derive(Debug, Clone, Default)]
struct Crowd {
    week: Week,
    messages: u64,
    sightings: u64,
    /// Networks by day.
    by_day: BTreeMap<Day, u64>,
    peak: u64,
    ratio: Option<f64>,
    first: Option<Day>,
    last: Option<Day>,
}

impl Crowd {
    fn add(&mut self, f: &Features, authors: &[(Text, Vec<DayCount>)]) {
        self.week.plus(f.week);
        self.messages += f.messages;
        self.sightings += f.sightings;
        self.first = self.first.min(f.first).or(f.first);
        self.last = self.last.max(f.last);
        let mut days: Vec<Day> = authors.iter().flat_map(|(_, days)| days).map(|day| day.day).collect();
        days.sort_unstable();
        days.dedup();
        for day in days {
            *self.by_day.entry(day).or_default() += f.networks.max(1);
        }
    }

    fn plus(&mut self, other: &Self) {
        self.week.plus(other.week);
        self.messages += other.messages;
        self.sightings += other.sightings;
        self.first = self.first.min(other.first).or(other.first);
        self.last = self.last.max(other.last);
        for (day, networks) in &other.by_day {
            *self.by_day.entry(*day).or_default() += networks;
        }
    }

    fn settle(&mut self) {
        self.peak = self.by_day.values().copied().max().unwrap_or(0);
        self.ratio = self.first.zip(self.last).and_then(|days| {
            let active = u32::try_from(self.by_day.len()).unwrap_or(u32::MAX);
            self.week.ratio(days, active)
        });
    }
}

/// All crowds of an organizational domain.
#[derive(Debug, Default)]
pub(crate) struct Crowds {
    near: HashMap<Place, Crowd>,
    rest: Crowd,
    all: Crowd,
}

/// Where a place counts to: an autonomous system, or the /16 or /32 around a network.
fn around(place: Place) -> Place {
    match place {
        Place::Network(first) => Place::Network(neighbourhood(first)),
        other => other,
    }
}

impl Crowds {
    pub(crate) fn add(&mut self, from: Place, f: &Features, authors: &[(Text, Vec<DayCount>)]) {
        self.near.entry(around(from)).or_default().add(f, authors);
    }

    pub(crate) fn settle(&mut self) {
        let mut near: Vec<_> = self.near.iter_mut().collect();
        near.sort_unstable_by_key(|(place, _)| **place);
        for (_, crowd) in near {
            crowd.settle();
            self.all.plus(crowd);
            if crowd.peak < SMALL {
                self.rest.plus(crowd);
            }
        }
        self.rest.settle();
        self.all.settle();
    }

    /// Says what the crowd around a place does.
    pub(crate) fn fill(&self, from: Place, f: &Features, into: &mut Around) {
        let Some(near) = self.near.get(&around(from)) else { return };
        let crowd = if near.peak < SMALL { &self.rest } else { near };
        // One loud address in a quiet crowd is none of it.
        if f.messages > 20 * f.sightings.max(1) {
            return;
        }
        into.crowd = crowd.peak;
        into.crowd_all = self.all.peak;
        into.crowd_week = crowd.ratio;
        into.crowd_messages = crowd.messages;
        into.crowd_sightings = crowd.sightings;
    }
}
