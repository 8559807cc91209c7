//! Strangers: organizations that authenticate as themselves under our name, and have nothing else to do with us. Looked at one by one they
//! say little; together they show what they are: guests who pass invitations on, or mailboxes that somebody broke into.
//!
//! In: their flows. Out: for each, what those like it do together.

use std::collections::BTreeMap;

use report::Day;

use super::features::{DayCount, Features};
use super::rhythm::{Beat, Rhythm, rhythm};

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

/// All of them: those with few messages, and the busy ones that keep no office hours.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    few: Group,
    busy: Group,
}

fn is_small(f: &Features) -> bool {
    f.sources <= SOURCES_MAX && f.messages <= MAILBOX_MAX * u64::from(f.active_days.max(1))
}

impl Strangers {
    pub(crate) fn add(&mut self, f: &Features, days: &[DayCount]) {
        let office = rhythm(days).is_some_and(|found| found.beat == Beat::Office);
        let busy = f.messages >= BUSY;
        // Busy offices stand for themselves; few messages are judged by all alike, whatever they seem to be alone.
        if !is_small(f) || (busy && office) {
            return;
        }
        let group = if busy { &mut self.busy } else { &mut self.few };
        group.organizations += 1;
        for day in days {
            *group.days.entry(day.day).or_default() += day.messages;
        }
    }

    pub(crate) fn settle(&mut self) {
        for group in [&mut self.few, &mut self.busy] {
            let days: Vec<DayCount> = group
                .days
                .iter()
                .map(|(day, messages)| DayCount { day: *day, messages: *messages, ..DayCount::default() })
                .collect();
            group.beat = rhythm(&days).map(|found| found.beat).unwrap_or_default();
        }
    }

    pub(crate) fn like(&self, f: &Features, own: Option<Rhythm>) -> Option<Alike> {
        let busy = f.messages >= BUSY;
        let office = own.is_some_and(|found| found.beat == Beat::Office);
        if !is_small(f) || (busy && office) {
            return None;
        }
        let group = if busy { &self.busy } else { &self.few };
        Some(Alike { organizations: group.organizations, busy, beat: group.beat })
    }
}
