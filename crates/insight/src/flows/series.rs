//! Where and when each flow was seen: messages by address, and day by day in the name of each author domain.
//!
//! In: cells, one after the other. Out: slices, one for each flow in the order of their numbers. A botnet is a million addresses in nearly as
//! many flows of a day or two: days stay packed until a flow is looked at.

use report::{Day, Text};

use super::Map;
use super::features::DayCount;
use super::knowledge::network;
use super::pack::{Reader, Writer};

/// Counts day by day, packed. Days come in ascending order.
#[derive(Debug, Clone, Default)]
struct Series {
    open: Option<DayCount>,
    last: i32,
    packed: Vec<u8>,
}

impl Series {
    fn add(&mut self, more: DayCount) {
        match &mut self.open {
            Some(open) if open.day == more.day => open.plus(more),
            _ => {
                self.close();
                self.open = Some(more);
            }
        }
    }

    fn close(&mut self) {
        let Some(done) = self.open.take() else { return };
        let mut writer = Writer(std::mem::take(&mut self.packed));
        writer.number(u64::from(done.day.0.wrapping_sub(self.last).cast_unsigned()));
        writer.number(done.messages);
        writer.number(done.failing);
        writer.number(done.delivered);
        (self.packed, self.last) = (writer.0, done.day.0);
    }
}

/// Days of flows in the name of author domains, by flow: each has some.
pub(crate) type ByFlow = Vec<(u32, OfAuthor)>;

/// Those of each flow, in the order of their numbers.
pub(crate) fn each(all: &ByFlow) -> impl Iterator<Item = &[(u32, OfAuthor)]> {
    all.chunk_by(|a, b| a.0 == b.0)
}

/// The days of a flow in the name of one author domain, packed.
#[derive(Debug)]
pub(crate) struct OfAuthor {
    pub(crate) author: u32,
    packed: Box<[u8]>,
}

impl OfAuthor {
    /// The days, ascending.
    pub(crate) fn days(&self) -> Vec<DayCount> {
        unpacked(&self.packed)
    }
}

fn unpacked(packed: &[u8]) -> Vec<DayCount> {
    let (mut reader, mut last, mut days) = (Reader(packed), 0_i32, Vec::new());
    while let Some(step) = reader.number() {
        last = last.wrapping_add(u32::try_from(step).unwrap_or(0).cast_signed());
        let (Some(messages), Some(failing)) = (reader.number(), reader.number()) else { break };
        let Some(delivered) = reader.number() else { break };
        days.push(DayCount { day: Day(last), messages, failing, delivered });
    }
    days
}

/// The days of flows while cells come in, by flow and author domain.
#[derive(Debug, Default)]
pub(crate) struct AllSeries(Map<(u32, u32), Series>);

impl AllSeries {
    pub(crate) fn add(&mut self, flow: u32, author: u32, more: DayCount) {
        self.0.entry((flow, author)).or_default().add(more);
    }

    /// Adds those of another part, whose flows have these numbers here.
    pub(crate) fn plus(&mut self, other: Self, numbers: &[u32]) {
        for ((flow, author), mut more) in other.0 {
            let series = self.0.entry((numbers[flow as usize], author)).or_default();
            if series.open.is_none() && series.packed.is_empty() {
                *series = more;
                continue;
            }
            series.close();
            more.close();
            let mut days = unpacked(&series.packed);
            add_days(&mut days, &unpacked(&more.packed));
            *series = Series::default();
            for day in days {
                series.add(day);
            }
        }
    }

    pub(crate) fn by_flow(self) -> ByFlow {
        let closed = |((flow, author), mut series): ((u32, u32), Series)| {
            series.close();
            (flow, OfAuthor { author, packed: series.packed.into() })
        };
        let mut all: ByFlow = self.0.into_iter().map(closed).collect();
        all.sort_unstable_by_key(|(flow, of)| (*flow, of.author));
        all
    }
}

/// The days of a flow, all author domains together, ascending.
pub(crate) fn days(of_flow: &[(u32, OfAuthor)]) -> Vec<DayCount> {
    summed(of_flow.iter().map(|(_, of)| of.days()))
}

/// The days of all author domains together, ascending.
pub(crate) fn together(authors: &[(Text, Vec<DayCount>)]) -> Vec<DayCount> {
    summed(authors.iter().map(|(_, days)| days.clone()))
}

fn summed(all: impl Iterator<Item = Vec<DayCount>>) -> Vec<DayCount> {
    all.reduce(|mut sum, more| {
        add_days(&mut sum, &more);
        sum
    })
    .unwrap_or_default()
}

/// Adds days to others; both are ascending, and so is what comes of them.
pub(crate) fn add_days(sum: &mut Vec<DayCount>, more: &[DayCount]) {
    for day in more {
        match sum.binary_search_by_key(&day.day, |known| known.day) {
            Ok(at) => sum[at].plus(*day),
            Err(at) => sum.insert(at, *day),
        }
    }
}

/// Addresses of a flow with messages and failures, packed: there may be millions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Addresses {
    packed: Vec<u8>,
    last: u128,
}

/// An address, its messages, and those that fail.
pub(crate) type OfAddress = (u128, u64, u64);

impl Addresses {
    fn push(&mut self, (source, messages, failing): OfAddress) {
        let mut writer = Writer(std::mem::take(&mut self.packed));
        writer.step(self.last, source);
        writer.number(messages);
        writer.number(failing);
        (self.packed, self.last) = (writer.0, source);
    }

    /// Adds others behind them.
    pub(crate) fn append(&mut self, others: &Self) {
        others.iter().for_each(|one| self.push(one));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = OfAddress> {
        let (mut reader, mut last) = (Reader(&self.packed), 0);
        std::iter::from_fn(move || {
            last = reader.step(last)?;
            Some((last, reader.number()?, reader.number()?))
        })
    }

    /// The networks they are in, each once. They are ascending.
    pub(crate) fn networks(&self) -> impl Iterator<Item = u128> {
        let mut last = None;
        self.iter().map(|(source, ..)| network(source)).filter(move |of| last.replace(*of) != Some(*of))
    }
}

/// Which flows come from which addresses while cells of a part come in: messages, those that fail, and the last day.
#[derive(Debug, Default)]
pub(crate) struct Pairs(Map<(u32, u128), (u64, u64, Option<Day>)>);

impl Pairs {
    /// Adds messages; says whether the address is new to the flow, and to its day.
    pub(crate) fn add(&mut self, flow: u32, source: u128, day: Day, messages: u64, failing: u64) -> (bool, bool) {
        let seen = self.0.entry((flow, source)).or_default();
        let (new, new_today) = (seen.2.is_none(), seen.2 != Some(day));
        *seen = (seen.0 + messages, seen.1 + failing, Some(day));
        (new, new_today)
    }

    /// The flows with their addresses, both ascending.
    pub(crate) fn by_flow(self) -> impl Iterator<Item = (u32, Addresses)> {
        let mut all: Vec<_> = self.0.into_iter().collect();
        all.sort_unstable_by_key(|(flow_and_source, _)| *flow_and_source);
        let mut all = all.into_iter().peekable();
        std::iter::from_fn(move || {
            let ((flow, _), _) = *all.peek()?;
            let mut addresses = Addresses::default();
            while let Some(((_, source), (messages, failing, _))) = all.next_if(|((of, _), _)| *of == flow) {
                addresses.push((source, messages, failing));
            }
            addresses.packed.shrink_to_fit();
            Some((flow, addresses))
        })
    }
}
