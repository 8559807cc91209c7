//! What the reports say about sources, keys and domains before any flow is looked at: who sends directly, and whose machines are ours.
//!
//! In: all cells of an organizational domain, once through, part by part. Out: [`Facts`] of all of them, and of each part its [`Sources`]: there
//! are millions, and nobody needs to know those of all parts at once. A source sends *directly* where SPF passes for a name of ours; a
//! forwarder never can, unless our record names it. A key is *at home* where its mail comes from directly.

use std::collections::{HashMap, HashSet};

use report::Day;

use super::Map;
use super::cell::{Cell, Own, Spf, Whose};
use super::features::DayCount;
use super::parts::Parts;
use super::rhythm::{Rhythm, rhythm};
use super::series::add_days;
use super::vocabulary::Vocabulary;
use crate::counts::float;

/// Sums by name, few of them: the largest is what matters.
pub(crate) type Sums = Vec<(u32, u64)>;

pub(crate) fn add(sums: &mut Sums, name: u32, messages: u64) {
    if let Some((_, sum)) = sums.iter_mut().find(|(known, _)| *known == name) {
        *sum += messages;
    } else if sums.len() < 64 {
        // A forwarder has thousands of names; the first ones it was seen with include those it has most.
        sums.push((name, messages));
    }
}

pub(crate) fn add_all(sums: &mut Sums, more: Sums) {
    for (name, messages) in more {
        add(sums, name, messages);
    }
}

pub(crate) fn most(sums: &Sums) -> Option<(u32, u64)> {
    sums.iter().copied().max_by_key(|(name, sum)| (*sum, std::cmp::Reverse(*name)))
}

/// What is known of one source.
#[derive(Debug, Clone, Default)]
pub(crate) struct SourceFacts {
    pub(crate) messages: u64,
    pub(crate) passing: u64,
    /// SPF passed for the author domain or its organizational domain.
    pub(crate) direct: u64,
    /// SPF passed for another name below.
    pub(crate) below: u64,
    /// A signature of ours verified, or did not.
    pub(crate) intact: u64,
    pub(crate) broken: u64,
    /// Somebody else's signature verified on mail that passes SPF for us.
    pub(crate) also_signed: u64,
    /// SPF passed for somebody else, by organizational domain.
    pub(crate) foreign: Sums,
    /// Somebody else's signature verified and nothing of ours did.
    pub(crate) foreign_signed: u64,
    /// With which keys of ours its mail is signed, by number of the key.
    pub(crate) keys: Sums,
    /// Nothing passed and the envelope sender was ours.
    pub(crate) lying: u64,
}

impl SourceFacts {
    pub(crate) fn foreign_sum(&self) -> u64 {
        self.foreign.iter().map(|(_, sum)| sum).sum()
    }
}

/// Where a key of ours is used from.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyFacts {
    pub(crate) messages: u64,
    /// With SPF passing for a name of ours.
    pub(crate) direct: u64,
    /// With SPF passing for somebody else, by organizational domain.
    pub(crate) foreign: Sums,
    /// The same where the one in the envelope signs too.
    pub(crate) foreign_signed: Sums,
    /// By /24 or /48.
    pub(crate) networks: Map<u128, u64>,
    /// First and last day on which a signature with it verified.
    pub(crate) days: Option<(Day, Day)>,
}

impl KeyFacts {
    fn plus(&mut self, other: Self) {
        self.messages += other.messages;
        self.direct += other.direct;
        add_all(&mut self.foreign, other.foreign);
        add_all(&mut self.foreign_signed, other.foreign_signed);
        for (network, messages) in other.networks {
            *self.networks.entry(network).or_default() += messages;
        }
        let of_both = self.days.into_iter().chain(other.days);
        self.days = of_both.reduce(|(first, last), (begin, end)| (first.min(begin), last.max(end)));
    }
}

/// Where the mail signed with a key comes from when nobody passes it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// From sources that our SPF record names.
    Direct,
    /// From a service that has an envelope sender of its own: this organizational domain.
    Service(u32),
    /// Neither: from the network that most of it comes from.
    Network(u128),
}

/// What is known of an author domain.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct AuthorFacts {
    pub(crate) messages: u64,
    pub(crate) passing: u64,
}

/// A part of a whole, or a rate: close enough for comparing.
pub(crate) fn share(part: u64, whole: u64) -> f64 {
    float(part) / float(whole.max(1))
}

/// What is known of each source of a part.
pub(crate) type Sources = Map<u128, SourceFacts>;

/// What the cells of an organizational domain say, but of single sources.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Of each key, by number.
    pub(crate) keys: Vec<KeyFacts>,
    /// Of each key that ever verified.
    homes: Vec<Option<Home>>,
    /// Services that use a key beside where it is at home, by key and organizational domain.
    guests: HashSet<(u32, u32)>,
    pub(crate) authors: Map<u32, AuthorFacts>,
    /// Mail that passes, day by day.
    passing: Vec<DayCount>,
    /// Mail that SPF passes for our own name, and of this what a signature of ours is on.
    direct: (u64, u64),
    /// All mail that passes, and of this what carries a signature of ours.
    signed: (u64, u64),
    /// Organizational domains that sign, or have the envelope of, mail that passes for us beside our own: services that work for us.
    pub(crate) vendors: HashMap<u32, u64>,
    /// Names below ours that servers greet with, where a report says so.
    pub(crate) greetings: HashSet<u32>,
}

impl Facts {
    /// What a part of the cells says, and what it says of its sources.
    pub(crate) fn of(parts: &Parts, part: usize) -> (Self, Sources) {
        let keys = vec![KeyFacts::default(); parts.words.keys()];
        let (mut facts, mut sources) = (Self { keys, ..Self::default() }, Sources::default());
        parts.visit(part, |day, cell| facts.add(&mut sources, &parts.words, day, cell));
        (facts, sources)
    }

    /// Adds what another part says.
    pub(crate) fn plus(&mut self, other: Self) {
        self.keys.resize_with(other.keys.len(), KeyFacts::default);
        for (key, more) in self.keys.iter_mut().zip(other.keys) {
            key.plus(more);
        }
        for (author, more) in other.authors {
            let sums = self.authors.entry(author).or_default();
            sums.messages += more.messages;
            sums.passing += more.passing;
        }
        add_days(&mut self.passing, &other.passing);
        for (sums, more) in [(&mut self.direct, other.direct), (&mut self.signed, other.signed)] {
            *sums = (sums.0 + more.0, sums.1 + more.1);
        }
        for (vendor, messages) in other.vendors {
            *self.vendors.entry(vendor).or_default() += messages;
        }
        self.greetings.extend(other.greetings);
    }

    /// Takes a cell into account.
    fn add(&mut self, sources: &mut Sources, words: &Vocabulary, day: Day, cell: &Cell) {
        let (messages, shape) = (cell.total(), cell.shape);
        if shape.bounce() && shape.whose() == Whose::Below {
            self.greetings.insert(cell.spf);
        }
        let foreign =
            (shape.spf() == Spf::Pass && shape.whose() == Whose::Foreign).then(|| words.organization(cell.spf));
        let other = (cell.other != 0).then(|| words.organization(cell.other));
        let key = (shape.own() == Own::Pass).then(|| words.key(cell.own_domain, cell.own_selector));
        let direct = shape.spf() == Spf::Pass && matches!(shape.whose(), Whose::Ours | Whose::Below);

        let source = sources.entry(cell.source).or_default();
        source.messages += messages;
        match (direct, shape.whose()) {
            (true, Whose::Ours) => {
                source.direct += messages;
                self.direct.0 += messages;
                self.direct.1 += if shape.own() == Own::Absent { 0 } else { messages };
            }
            (true, _) => source.below += messages,
            _ => {}
        }
        match shape.own() {
            Own::Pass => source.intact += messages,
            Own::Broken => source.broken += messages,
            Own::Absent | Own::Temporary => {}
        }
        if let Some(organization) = foreign {
            add(&mut source.foreign, organization, messages);
        }
        if other.is_some() {
            if direct {
                source.also_signed += messages;
            } else if key.is_none() {
                source.foreign_signed += messages;
            }
        }
        if let Some(key) = key {
            add(&mut source.keys, key, messages);
        }
        if shape.passes() {
            source.passing += messages;
            self.signed.0 += messages;
            self.signed.1 += if shape.own() == Own::Absent { 0 } else { messages };
            match self.passing.last_mut() {
                Some(last) if last.day == day => last.messages += messages,
                _ => self.passing.push(DayCount { day, messages, ..DayCount::default() }),
            }
        } else if cell.other == 0 && foreign.is_none() && matches!(shape.whose(), Whose::Ours | Whose::Below) {
            source.lying += messages;
        }
        let author = self.authors.entry(cell.author).or_default();
        author.messages += messages;
        author.passing += if shape.passes() { messages } else { 0 };
        if let Some(key) = key.and_then(|key| self.keys.get_mut(key as usize)) {
            key.messages += messages;
            let (first, last) = key.days.unwrap_or((day, day));
            key.days = Some((first.min(day), last.max(day)));
            key.direct += if direct { messages } else { 0 };
            if let Some(organization) = foreign {
                add(&mut key.foreign, organization, messages);
                if shape.other_like_spf() {
                    add(&mut key.foreign_signed, organization, messages);
                }
            }
            *key.networks.entry(network(cell.source)).or_default() += messages;
        }
        if direct && let Some(organization) = other {
            *self.vendors.entry(organization).or_default() += messages;
        }
    }

    /// After all cells: where each key is at home. `sends` says that a domain belongs to a service that sends for others.
    pub(crate) fn settle(&mut self, words: &Vocabulary, sends: impl Fn(&str) -> bool) {
        let home = |key: &KeyFacts| {
            // Mail that is passed on is a part of it; that a twentieth comes directly shows that it can.
            if key.direct * 20 >= key.messages {
                return Home::Direct;
            }
            match most(&key.foreign) {
                Some((organization, sum)) if sum * 2 >= key.messages => Home::Service(organization),
                _ => Home::Network(
                    key.networks.iter().max_by_key(|(net, sum)| (**sum, **net)).map_or(0, |(net, _)| *net),
                ),
            }
        };
        self.homes = self.keys.iter().map(|key| (key.messages > 0).then(|| home(key))).collect();
        for (number, key) in (0_u32..).zip(&self.keys) {
            // Who sends for others does not forward; and who passes on a tenth of all mail signed with a key, and signs it as itself, has
            // the key.
            let known = key.foreign.iter().filter(|(organization, _)| sends(words.name(*organization)));
            let signing = key.foreign_signed.iter().filter(|(_, sum)| sum * 10 >= key.messages);
            self.guests.extend(known.chain(signing).map(|(organization, _)| (number, *organization)));
        }
        for home in self.homes.iter().flatten() {
            if let Home::Service(organization) = home {
                *self.vendors.entry(*organization).or_default() += 1;
            }
        }
    }

    /// Where a key is at home; `None` where it never verified.
    pub(crate) fn home(&self, key: u32) -> Option<Home> {
        self.homes.get(key as usize).copied().flatten()
    }

    /// When our mail that passes is sent.
    pub(crate) fn our_rhythm(&self) -> Option<Rhythm> {
        rhythm(&self.passing)
    }

    /// Whether nearly all mail of our own leaves signed, so that what comes without a signature was never ours.
    pub(crate) fn signs_all(&self) -> bool {
        self.direct.0 >= 100 && self.direct.1 * 10 >= self.direct.0 * 9
    }

    /// Whether most mail in our name that passes bears a signature of ours: who passes on much of it shows that.
    pub(crate) fn signs_most(&self) -> bool {
        self.signed.0 >= 1_000 && self.signed.1 * 3 >= self.signed.0 * 2
    }
}

/// What is known while the flows of a part are told apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Knowledge<'a> {
    pub(crate) words: &'a Vocabulary,
    /// Of all parts.
    pub(crate) facts: &'a Facts,
    /// Of this part.
    pub(crate) sources: &'a Sources,
}

impl Knowledge<'_> {
    /// Whether a signature of ours on a cell was made where its key is at home, as far as one can tell: on the cell itself, or because the
    /// source sends such mail.
    pub(crate) fn at_home(&self, cell: &Cell, key: u32, foreign: Option<u32>) -> bool {
        let Some(source) = self.sources.get(&cell.source) else { return false };
        if foreign.is_some_and(|organization| self.facts.guests.contains(&(key, organization))) {
            return true;
        }
        match self.facts.home(key) {
            Some(Home::Direct) => {
                cell.shape.spf_aligned()
                    || (foreign.is_none() && (source.direct + source.below) * 100 >= source.messages)
            }
            Some(Home::Service(home)) => match foreign {
                Some(organization) => organization == home,
                None => source.foreign.iter().any(|(organization, _)| *organization == home),
            },
            Some(Home::Network(home)) => network(cell.source) == home,
            None => false,
        }
    }

    /// The key of ours that most of a source's mail is signed with.
    pub(crate) fn key_of(&self, source: u128) -> Option<u32> {
        self.sources.get(&source).and_then(|facts| most(&facts.keys)).map(|(key, _)| key)
    }

    /// The key of ours that nearly all mail of a source is signed with.
    pub(crate) fn mainly_signed(&self, source: u128) -> Option<u32> {
        let facts = self.sources.get(&source).filter(|facts| facts.intact * 10 >= facts.messages * 9)?;
        most(&facts.keys).map(|(key, _)| key)
    }
}

/// First address of the /24 or /48 around an address.
pub(crate) fn network(source: u128) -> u128 {
    if is_v4(source) { source & !0xff } else { source & !(u128::MAX >> 48) }
}

/// First address of the /16 or /32 around an address.
pub(crate) fn neighbourhood(source: u128) -> u128 {
    if is_v4(source) { source & !0xffff } else { source & !(u128::MAX >> 32) }
}

pub(crate) fn is_v4(source: u128) -> bool {
    source >> 32 == 0xffff
}
