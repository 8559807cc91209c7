//! Whose machines are ours: address space that was declared, or that the reports show to be ours alone.
//!
//! In: what is declared, and the facts of all organizational domains. Out: [`Space`]. Without a declaration a network counts as ours where
//! several of its addresses pass SPF for our own names and nobody else's mail was ever seen from it: a relay and the printer beside it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashSet};
use std::net::IpAddr;

use super::day::number;
use super::knowledge::{SourceFacts, Sources, is_v4, neighbourhood, network};
use super::pack::{Reader, Writer};

/// Messages that make an address count as one of our own senders.
const OWN_MIN: u64 = 10;
/// One message of somebody else in so many of ours makes a network count as shared; fewer are strays of ours that sign as another.
const SHARED_ONE_IN: u64 = 100;
/// Networks of ours in a neighbourhood (/16) that make all of it ours.
const NETWORKS_MIN: usize = 3;
/// Addresses that only ever fail, for each of our own senders in a neighbourhood: more are no strays of ours.
const STRAYS_MAX: usize = 10;
/// Messages that make one address alone stand for its network.
const ALONE_MIN: u64 = 1_000;

/// Address space that is ours.
#[derive(Debug, Clone, Default)]
pub(crate) struct Space {
    /// First and last addresses, ascending, without overlaps.
    ranges: Vec<(u128, u128)>,
    /// Whether somebody declared it.
    declared: bool,
}

impl Space {
    pub(crate) fn has(&self, source: u128) -> bool {
        let after = self.ranges.partition_point(|(first, _)| *first <= source);
        self.ranges[..after].last().is_some_and(|(_, last)| source <= *last)
    }

    /// Whether it is ours by declaration rather than by inference.
    pub(crate) fn is_declared(&self, source: u128) -> bool {
        self.declared && self.has(source)
    }

    /// What is declared; `None` where nothing is.
    pub(crate) fn declared(networks: &[(IpAddr, u8)]) -> Option<Self> {
        let range = |&(address, length): &(IpAddr, u8)| {
            let bits = u32::from(length) + if address.is_ipv4() { 96 } else { 0 };
            let mask = if bits == 0 { 0 } else { u128::MAX << (128 - bits.min(128)) };
            let first = number(address) & mask;
            (first, first | !mask)
        };
        (!networks.is_empty()).then(|| Self { ranges: apart(networks.iter().map(range).collect()), declared: true })
    }

    /// What the senders of all organizational domains show: whole networks. `shared` says that a source belongs to a service.
    pub(crate) fn inferred(senders: &Senders, shared: impl Fn(u128) -> bool) -> Self {
        Self { ranges: apart(inferred(senders, shared)), declared: false }
    }
}

/// The same addresses in ranges that do not overlap, ascending.
fn apart(mut ranges: Vec<(u128, u128)>) -> Vec<(u128, u128)> {
    ranges.sort_unstable();
    ranges.dedup_by(|(first, last), (_, before)| {
        let overlaps = *first <= *before;
        if overlaps {
            *before = (*before).max(*last);
        }
        overlaps
    });
    ranges
}

/// What the organizational domains show of each source around which something passes SPF for our own names: no other is ever ours, and there
/// are very many others.
#[derive(Debug, Default)]
pub(crate) struct Senders(Vec<List>);

/// Sources, ascending, packed: there are many of those as well.
#[derive(Debug, Default)]
struct List {
    packed: Writer,
    last: u128,
}

/// Messages of one source, as [`SourceFacts`] has them.
#[derive(Debug, Default, Clone, Copy)]
struct Sender {
    messages: u64,
    direct: u64,
    below: u64,
    also_signed: u64,
    /// Somebody else signed them or stands in their envelope.
    foreign: u64,
    passing: u64,
}

impl Sender {
    fn write(&self, list: &mut Writer) {
        let Self { messages, direct, below, also_signed, foreign, passing } = *self;
        list.sparse(&[messages, direct, below, also_signed, foreign, passing]);
    }

    fn read(list: &mut Reader<'_>) -> Option<Self> {
        let [messages, direct, below, also_signed, foreign, passing] = list.sparse()?;
        Some(Self { messages, direct, below, also_signed, foreign, passing })
    }

    fn plus(&mut self, other: &Self) {
        self.messages += other.messages;
        self.direct += other.direct;
        self.below += other.below;
        self.also_signed += other.also_signed;
        self.foreign += other.foreign;
        self.passing += other.passing;
    }
}

impl From<&SourceFacts> for Sender {
    fn from(facts: &SourceFacts) -> Self {
        let SourceFacts { messages, direct, below, also_signed, passing, .. } = *facts;
        Self { messages, direct, below, also_signed, foreign: facts.foreign_signed + facts.foreign_sum(), passing }
    }
}

impl Senders {
    /// One list of the sources of all parts, which come one after the other. `around`: the neighbourhoods in which something passes.
    pub(crate) fn add(&mut self, sources: &Sources, around: &HashSet<u128>) {
        let mut near: Vec<_> = sources.iter().filter(|(source, _)| around.contains(&neighbourhood(**source))).collect();
        near.sort_unstable_by_key(|(source, _)| **source);
        let mut list = self.0.pop().unwrap_or_default();
        for (source, facts) in near {
            list.packed.step(std::mem::replace(&mut list.last, *source), *source);
            Sender::from(facts).write(&mut list.packed);
        }
        self.0.push(list);
    }

    pub(crate) fn plus(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Each source once, with what all lists together show of it.
    fn visit(&self, mut visit: impl FnMut(u128, &Sender)) {
        let mut lists: Vec<Reader<'_>> = self.0.iter().map(|list| Reader(&list.packed.0)).collect();
        let firsts = lists.iter_mut().enumerate().filter_map(|(at, list)| Some(Reverse((list.step(0)?, at))));
        let mut next: BinaryHeap<Reverse<(u128, usize)>> = firsts.collect();
        let mut open: Option<(u128, Sender)> = None;
        while let Some(Reverse((source, at))) = next.pop() {
            let sender = Sender::read(&mut lists[at]).unwrap_or_default();
            match &mut open {
                Some((same, sum)) if *same == source => sum.plus(&sender),
                _ => {
                    if let Some((done, sum)) = open.replace((source, sender)) {
                        visit(done, &sum);
                    }
                }
            }
            next.extend(lists[at].step(source).map(|source| Reverse((source, at))));
        }
        if let Some((done, sum)) = open {
            visit(done, &sum);
        }
    }
}

/// What is seen of a network or a neighbourhood.
#[derive(Debug, Default)]
struct Seen {
    /// Addresses that pass SPF for our own names.
    own: usize,
    own_messages: u64,
    networks: HashSet<u128>,
    /// Addresses of which nothing ever passed.
    strays: usize,
    /// Messages that somebody else stands behind.
    shared: u64,
}

/// Addresses that no mail comes from: reports that were made unrecognisable have them.
pub(crate) fn stands_for_nobody(source: u128) -> bool {
    let address = super::day::address(source);
    address.is_loopback() || address.is_unspecified() || address.is_multicast()
}

fn inferred(senders: &Senders, shared: impl Fn(u128) -> bool) -> Vec<(u128, u128)> {
    let (mut networks, mut neighbourhoods) = (BTreeMap::<u128, Seen>::new(), BTreeMap::<u128, Seen>::new());
    senders.visit(|source, facts| {
        if stands_for_nobody(source) {
            return;
        }
        let (near, around) = (network(source), neighbourhood(source));
        let somebody = shared(source) || facts.also_signed * 2 > facts.messages || facts.below * 2 > facts.messages;
        let own = !somebody
            && facts.direct >= OWN_MIN
            && facts.direct * 2 >= facts.messages
            && facts.foreign * 10 <= facts.messages;
        let foreign = if somebody {
            facts.messages
        } else if own {
            0
        } else {
            facts.foreign
        };
        for seen in [networks.entry(near).or_default(), neighbourhoods.entry(around).or_default()] {
            seen.shared += foreign;
            if own {
                seen.own += 1;
                seen.own_messages += facts.direct;
                seen.networks.insert(near);
            } else if facts.passing == 0 {
                seen.strays += 1;
            }
        }
    });
    let alone = |seen: &Seen| seen.shared * SHARED_ONE_IN <= seen.own_messages && seen.strays <= STRAYS_MAX * seen.own;
    let mut ranges = Vec::new();
    for (first, seen) in &neighbourhoods {
        if is_v4(*first) && alone(seen) && seen.networks.len() >= NETWORKS_MIN {
            ranges.push((*first, *first | 0xffff));
        }
    }
    for (first, seen) in &networks {
        if alone(seen) && (seen.own >= 2 || (seen.own == 1 && seen.own_messages >= ALONE_MIN)) {
            ranges.push((*first, *first | if is_v4(*first) { 0xff } else { u128::MAX >> 48 }));
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_networks_may_contain_each_other() {
        let networks =
            ["192.0.2.0/24", "192.0.2.128/25", "198.51.100.7/32", "10.0.0.0/8", "10.9.0.0/16", "2001:db8::/32"];
        let network = |text: &&str| {
            let (address, length) = text.split_once('/').expect("a network");
            (address.parse().expect("an address"), length.parse().expect("a length"))
        };
        let space = Space::declared(&networks.iter().map(network).collect::<Vec<_>>()).expect("they are declared");
        let cases = [
            ("192.0.2.0", true),
            ("192.0.2.255", true),
            ("192.0.3.0", false),
            ("192.0.1.255", false),
            ("198.51.100.7", true),
            ("198.51.100.8", false),
            ("10.9.1.1", true),
            ("10.255.255.255", true),
            ("11.0.0.0", false),
            ("2001:db8:ffff::1", true),
            ("2001:db9::", false),
            ("::1", false),
        ];
        for (address, ours) in cases {
            let source = number(address.parse().expect("an address"));
            assert_eq!((space.has(source), space.is_declared(source)), (ours, ours), "{address}");
        }
        assert!(Space::declared(&[]).is_none(), "nothing was declared");
    }
}
