//! The whole judgement: from kept cells to flows with verdicts, phases and daily classes.
//!
//! In: packed cells by organizational domain, what is known of sources, what was declared and decided. Out: [`OfOrganization`], one for each,
//! worked out on all cores. First what all of them together show of networks, then the flows of each anew, which are handed over one by one: of a
//! botnet there are a million, and hardly any is kept. Memory is what the cells of one large organizational domain take, what is known of the
//! sources of as many of its parts as there are cores, and what is kept of each.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use enrich::{Catalogue, ServiceKind};
use rayon::prelude::*;
use report::{Day, Text};

use super::Map;
use super::cell::{Cell, Spf, Whose};
use super::class::{Diagnosis, FlowClass, Verdict};
use super::day::Kept;
use super::features::{DayCount, Features, Known};
use super::identity::{Places, Sender};
use super::judging::{World, flows};
use super::knowledge::{Facts, Sources, neighbourhood, network};
use super::parts::{Crowding, Parts};
use super::phases::Phase;
use super::rules::Thresholds;
use super::series::Addresses;
use super::snapshot::KeyDays;
use super::space::{Senders, Space};

/// What was declared about the organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Organisation {
    /// Our organizational domains; where none is named, all that the ledger has reports for.
    pub domains: Vec<String>,
    /// Our networks; where none is named, they are inferred.
    pub networks: Vec<(IpAddr, u8)>,
}

/// What is known of a source from its profile.
#[derive(Debug, Clone, Default)]
pub(crate) struct Profiled {
    pub(crate) known: Known,
    /// The service that runs it.
    pub(crate) service: Option<String>,
    /// Its autonomous system: number and organisation.
    pub(crate) system: Option<String>,
}

/// What somebody decided, in force.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct InForce {
    /// By flow.
    pub(crate) flows: HashMap<String, (FlowClass, u64)>,
    /// By network, the longest first.
    pub(crate) networks: Vec<(u128, u128, FlowClass, u64)>,
}

/// Everything that the judgement rests on beside cells.
pub(crate) struct Ground<'a> {
    pub(crate) organisation: &'a Organisation,
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) profiles: HashMap<u128, Profiled>,
    pub(crate) decided: InForce,
    pub(crate) thresholds: Thresholds,
    /// Cells of a part.
    pub(crate) part: u64,
}

/// A flow with its verdict.
#[derive(Debug, Clone)]
pub(crate) struct AssessedFlow {
    pub(crate) id: String,
    pub(crate) sender: Sender,
    pub(crate) features: Features,
    pub(crate) verdict: Verdict,
    /// What is wrong with what fails of it, whoever sends it.
    pub(crate) diagnosis: Option<Diagnosis>,
    /// The number of the decision in force on a network that it comes from.
    pub(crate) decision: Option<u64>,
    /// Somebody decided about the flow itself.
    pub(crate) named: bool,
    pub(crate) phases: Vec<(Phase, FlowClass)>,
    /// Author domains with their counts day by day.
    pub(crate) authors: Vec<(Text, Vec<DayCount>)>,
    /// Addresses with messages and failures.
    pub(crate) sources: Addresses,
}

impl AssessedFlow {
    /// The class on a day: that of the phase the day is in, or before.
    pub(crate) fn class_on(&self, day: Day) -> FlowClass {
        let after = self.phases.partition_point(|(phase, _)| phase.first <= day);
        self.phases.get(after.saturating_sub(1)).map_or(self.verdict.class, |(_, class)| *class)
    }
}

/// What is worked out of one organizational domain beside its flows.
pub(crate) struct OfOrganization {
    pub(crate) name: Text,
    /// The flow of each cell, packed.
    pub(crate) lanes: Vec<u8>,
    /// When keys were used.
    pub(crate) keys: Vec<KeyDays>,
}

/// What all organizational domains together show of networks.
#[derive(Default)]
pub(crate) struct Networks {
    /// Messages that pass; messages of services that send for us.
    pub(crate) passing: Map<u128, (u64, u64)>,
    /// Messages of servers that send in our own name; messages that somebody else stands behind.
    pub(crate) own: Map<u128, (u64, u64)>,
    /// Organizational domains in whose name nothing of a network passes.
    pub(crate) names: Map<u128, u64>,
    /// Neighbourhoods of servers that send in our own name, and are no service's.
    pub(crate) ours: HashSet<u128>,
}

/// Judges all organizational domains, and gives what `keep` keeps of each, in their order. `read` gives the cells of one, `begin` what takes
/// its flows in the order of their numbers.
pub(crate) fn assess<F: Extend<AssessedFlow>, T: Send, E: Send>(
    organizations: &[Text],
    ground: &Ground<'_>,
    read: impl Fn(&Text) -> Result<Kept, E> + Sync,
    begin: impl Fn(&Text) -> F + Sync,
    keep: impl Fn(OfOrganization, F) -> T + Sync,
) -> Result<Vec<T>, E> {
    let declared = Space::declared(&ground.organisation.networks);
    let shared = |source: u128| ground.profiles.get(&source).is_some_and(|p| p.known.service.is_some());
    let (cuts, around) = survey(organizations, ground.part, &read)?;
    let around = if declared.is_some() { HashSet::new() } else { around };
    let organizations: Vec<Cut<'_>> = organizations.iter().zip(&cuts).collect();

    let together = Mutex::new(Together::default());
    one_by_one(&organizations, |(name, cuts)| {
        let parts = Parts::new(read(name)?, cuts);
        let mut of_one = Together::default();
        let sources = |part| Facts::of(&parts, part).1;
        parts.each(sources, |sources| of_one.add(&sources, declared.as_ref(), &around, shared));
        together.lock().unwrap_or_else(PoisonError::into_inner).plus(of_one);
        Ok(())
    })?;
    let Together { senders, mut networks } = together.into_inner().unwrap_or_else(PoisonError::into_inner);
    let space = declared.unwrap_or_else(|| {
        let space = Space::inferred(&senders, shared);
        // Whole networks are inferred to be ours.
        networks.names.retain(|near, _| !space.has(*near));
        space
    });
    drop(senders);

    let services = ground.profiles.iter().filter_map(|(source, known)| Some((*source, known.service.as_deref()?)));
    let world = World { ground, places: &Places::new(services), space: &space, networks: &networks };
    one_by_one(&organizations, |(name, cuts)| {
        let mut taker = begin(name);
        let of = flows(name, Parts::new(read(name)?, cuts), world, &mut taker);
        Ok(keep(of, taker))
    })
}

/// An organizational domain, and where its cells are cut into parts.
type Cut<'a> = (&'a Text, &'a Vec<u128>);

/// Those that are cut one after the other, for their parts are worked on together; then the others side by side. Gives what comes of them in
/// their order.
fn one_by_one<T: Send, E: Send>(
    organizations: &[Cut<'_>],
    work: impl Fn(Cut<'_>) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let (large, small): (Vec<_>, Vec<_>) =
        organizations.iter().enumerate().partition(|(_, (_, cuts))| !cuts.is_empty());
    let work = |(at, cut): (usize, &Cut<'_>)| Ok((at, work(*cut)?));
    let mut done = large.into_iter().map(work).collect::<Result<Vec<_>, E>>()?;
    done.extend(small.into_par_iter().map(work).collect::<Result<Vec<_>, E>>()?);
    done.sort_unstable_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, of)| of).collect())
}

/// Where to cut each organizational domain into parts, and the neighbourhoods of all sources that pass SPF for our own names.
fn survey<E: Send>(
    organizations: &[Text],
    part: u64,
    read: impl Fn(&Text) -> Result<Kept, E> + Sync,
) -> Result<(Vec<Vec<u128>>, HashSet<u128>), E> {
    let of = |name: &Text| {
        let add = |(crowding, around): &mut (Crowding, HashSet<u128>), _, cell: &Cell| {
            crowding.add(cell);
            if cell.shape.spf() == Spf::Pass && cell.shape.whose() == Whose::Ours {
                around.insert(neighbourhood(cell.source));
            }
        };
        let mut seen = (Crowding::default(), HashSet::new());
        // Whose name it is, is in the shape.
        read(name)?.visit(&mut seen, |_, _| 0, add);
        Ok((seen.0.cuts(part), seen.1))
    };
    let seen = organizations.par_iter().map(of).collect::<Result<Vec<_>, E>>()?;
    let (cuts, around): (Vec<_>, Vec<_>) = seen.into_iter().unzip();
    Ok((cuts, around.into_iter().flatten().collect()))
}

/// What the cells of all parts of one organizational domain say; `sources` is shown what they say of the sources of each part.
pub(crate) fn facts(parts: &Parts, ground: &Ground<'_>, mut sources: impl FnMut(Sources)) -> Facts {
    let mut facts = Facts::default();
    parts.each(
        |part| Facts::of(parts, part),
        |(of_part, of_sources)| {
            facts.plus(of_part);
            sources(of_sources);
        },
    );
    facts.settle(&parts.words, |domain| {
        use ServiceKind::{Marketing, Saas, Transactional};
        let found = ground.catalogue.find(&[], &[], &[domain.to_owned()]);
        found.first().is_some_and(|service| matches!(service.kind, Marketing | Saas | Transactional))
    });
    facts
}

/// What is put together from all organizational domains before the flows of any are looked at.
#[derive(Default)]
struct Together {
    /// Where nothing was declared.
    senders: Senders,
    networks: Networks,
}

impl Together {
    /// Adds what the sources of the next part show.
    fn add(
        &mut self,
        sources: &Sources,
        declared: Option<&Space>,
        around: &HashSet<u128>,
        shared: impl Fn(u128) -> bool,
    ) {
        self.networks.add(sources, declared, shared);
        self.senders.add(sources, around);
    }

    fn plus(&mut self, other: Self) {
        self.networks.plus(other.networks);
        self.senders.plus(other.senders);
    }
}

impl Networks {
    fn add(&mut self, sources: &Sources, declared: Option<&Space>, shared: impl Fn(u128) -> bool) {
        let mut lying = HashSet::new();
        for (source, facts) in sources {
            let near = network(*source);
            if facts.passing > 0 {
                let sums = self.passing.entry(near).or_default();
                sums.0 += facts.passing;
                // Not by our own machines: they pass as well, and say nothing about their neighbours' owners.
                if facts.passing * 2 > facts.messages
                    && (facts.below > facts.direct || facts.also_signed * 2 > facts.passing)
                {
                    sums.1 += facts.passing;
                }
            }
            let sends_as_us = facts.direct >= 10 && facts.direct * 2 >= facts.messages;
            let others = facts.foreign_sum() + facts.foreign_signed + facts.also_signed + facts.below;
            if sends_as_us && facts.also_signed * 2 <= facts.messages && !shared(*source) {
                self.ours.insert(neighbourhood(*source));
                self.own.entry(near).or_default().0 += facts.direct;
            } else if others > 0 {
                self.own.entry(near).or_default().1 += others;
            }
            if facts.passing == 0 && facts.lying > 0 && declared.is_none_or(|space| !space.has(*source)) {
                lying.insert(near);
            }
        }
        for near in lying {
            *self.names.entry(near).or_default() += 1;
        }
    }

    fn plus(&mut self, other: Self) {
        for (near, (passing, vendor)) in other.passing {
            let sums = self.passing.entry(near).or_default();
            *sums = (sums.0 + passing, sums.1 + vendor);
        }
        for (near, (own, others)) in other.own {
            let sums = self.own.entry(near).or_default();
            *sums = (sums.0 + own, sums.1 + others);
        }
        for (near, names) in other.names {
            *self.names.entry(near).or_default() += names;
        }
        self.ours.extend(other.ours);
    }
}
