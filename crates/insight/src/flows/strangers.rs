//! Strangers: organizations that authenticate as themselves under our name, and have nothing else to do with us. Looked at one by one they
//! say little; together they show what they are: guests who pass invitations on, or mailboxes that somebody broke into.
//!
//! In: their flows. Out: for each, what those like it do together.

use std::collections::BTreeMap;

use report::Day;

use super::features::{DayCount, Features};
use super::rhythm::{Beat, Rhythm, rhythm};
use crate::scope::length;

/// From so many messages on, one stranger is busy.
const BUSY: u64 = 30;
/// From so many messages a day on, it is no mailbox but a sender of its own, and judged alone.
const MAILBOX_MAX: u64 = 30;
/// Mailboxes have one server, or two.
const SOURCES_MAX: u64 = 4;

/// What strangers like one do together.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Alike {
    /// How many there are.
    pub(crate) organizations: u64,
    pub(crate) busy: bool,
    pub(crate) beat: Beat,
}

#[derive(Debug, Default)]
struct Group {
    organizations: u64,
    days: BTreeMap<Day, u64>,
    beat: Beat,
}

impl Group {
    fn add(&mut self, days: &[DayCount]) {
        self.organizations += 1;
        for day in days {
            *self.days.entry(day.day).or_default() += day.messages;
        }
    }

    fn join(&mut self, other: &Self) {
        self.organizations += other.organizations;
        for (day, messages) in &other.days {
            *self.days.entry(*day).or_default() += messages;
        }
    }

    fn settle(&mut self) {
        let day = |(day, messages): (&Day, &u64)| DayCount { day: *day, messages: *messages, ..DayCount::default() };
        let days: Vec<DayCount> = self.days.iter().map(day).collect();
        self.beat = rhythm(&days).map(|found| found.beat).unwrap_or_default();
    }
}

/// All of them: those with few messages together, the busy ones with those that have about as many. Guests and mailboxes that somebody broke
/// into differ in how much they send, and next to the loud ones nobody would hear the others.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    few: Group,
    busy: BTreeMap<u32, OfSize>,
}

/// Busy ones of one size.
#[derive(Debug, Default)]
struct OfSize {
    all: Group,
    /// Those that keep no office hours, as far as one can tell.
    rest: Group,
}

fn is_small(f: &Features) -> bool {
    let days = f.first.zip(f.last).map_or(1, length);
    f.sources <= SOURCES_MAX && f.messages <= MAILBOX_MAX * days as u64
}

/// How often the messages can be halved.
fn size(f: &Features) -> u32 {
    f.messages.checked_ilog2().unwrap_or_default()
}

impl Strangers {
    pub(crate) fn add(&mut self, f: &Features, days: &[DayCount]) {
        if !is_small(f) {
            return;
        }
        if f.messages < BUSY {
            self.few.add(days);
            return;
        }
        let sized = self.busy.entry(size(f)).or_default();
        sized.all.add(days);
        if rhythm(days).is_none_or(|found| found.beat != Beat::Office) {
            sized.rest.add(days);
        }
    }

    pub(crate) fn settle(&mut self) {
        self.few.settle();
        let of_size = std::mem::take(&mut self.busy);
        for size in of_size.keys() {
            let mut near = OfSize::default();
            for (_, sized) in of_size.range(size.saturating_sub(1)..=size + 1) {
                near.all.join(&sized.all);
                near.rest.join(&sized.rest);
            }
            near.all.settle();
            near.rest.settle();
            self.busy.insert(*size, near);
        }
    }

    pub(crate) fn like(&self, f: &Features, own: Option<Rhythm>) -> Option<Alike> {
        let beat = own.map(|found| found.beat).unwrap_or_default();
        let busy = f.messages >= BUSY;
        // Busy offices stand for themselves; few messages are judged by all alike, whatever they seem to be alone.
        if !is_small(f) || (busy && beat == Beat::Office) {
            return None;
        }
        let group = match (busy, beat) {
            (false, _) => &self.few,
            // Whoever clearly keeps no hours is held against those that keep none; of whom one cannot tell, against all.
            (true, Beat::Flat) => &self.busy.get(&size(f))?.rest,
            (true, _) => &self.busy.get(&size(f))?.all,
        };
        Some(Alike { organizations: group.organizations, busy, beat: group.beat })
    }
}
