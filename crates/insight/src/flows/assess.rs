//! The whole judgement: from kept cells to flows with verdicts, phases and daily classes.
//!
//! In: packed cells by organizational domain, what is known of sources, what was declared and decided. Out: [`OfOrganization`], one for each,
//! worked out on all cores. First what all of them together show of networks; then each anew, once through its cells for what they say about
//! sources and keys, and once for its flows, which are handed over one by one: of a botnet there are a million, and hardly any is kept. Memory
//! is what the sources of few organizations take, and what is kept of each.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use enrich::{Catalogue, ServiceKind};
use rayon::prelude::*;
use report::{Day, Text};

use super::Map;
use super::around::Arounds;
use super::cell::{Cell, Names, Spf, Whose};
use super::class::{FlowClass, Verdict, rule_for};
use super::day::Kept;
use super::features::{DayCount, Features, Known};
use super::identity::{Identity, Places, Sender, identify};
use super::knowledge::{Facts, KeyFacts, neighbourhood, network};
use super::lanes::Lanes;
use super::phases::{Phase, phases};
use super::rules::{Case, Finding, Thresholds, Who, diagnose};
use super::series::{self, AllSeries, OfAuthor, Pairs};
use super::snapshot::KeyDays;
use super::space::{Senders, Space, stands_for_nobody};

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
}

/// A flow with its verdict.
#[derive(Debug, Clone)]
pub(crate) struct AssessedFlow {
    pub(crate) id: String,
    pub(crate) sender: Sender,
    pub(crate) features: Features,
    pub(crate) verdict: Verdict,
    /// The number of the decision in force.
    pub(crate) decision: Option<u64>,
    pub(crate) phases: Vec<(Phase, FlowClass)>,
    /// Author domains with their counts day by day.
    pub(crate) authors: Vec<(Text, Vec<DayCount>)>,
    /// Addresses with messages and failures.
    pub(crate) sources: Vec<(u128, u64, u64)>,
}

impl AssessedFlow {
    /// The class on a day: that of the phase the day is in, or before.
    pub(crate) fn class_on(&self, day: Day) -> FlowClass {
        let after = self.phases.partition_point(|(phase, _)| phase.first <= day);
        self.phases.get(after.saturating_sub(1)).map_or(self.verdict.class, |(_, class)| *class)
    }
}

/// The flows in the name of one organizational domain, but for the flows themselves.
pub(crate) struct OfOrganization {
    pub(crate) name: Text,
    /// The flow of each cell.
    pub(crate) lanes: Lanes,
    facts: Facts,
    places: Places,
    index: Map<Identity, u32>,
}

impl OfOrganization {
    /// When keys were used.
    pub(crate) fn key_days(&self) -> Vec<KeyDays> {
        let named = self.facts.keys.iter().filter(|key| key.selector != 0);
        let days = |key: &KeyFacts| {
            let (first, last) = key.days?;
            let name = |number| self.facts.names.name(number).clone();
            Some(KeyDays { domain: name(key.domain), selector: name(key.selector), first, last })
        };
        named.filter_map(days).collect()
    }

    /// The number of the flow that a cell, whose names are in `names`, belongs to.
    pub(crate) fn flow_of(&mut self, cell: &Cell, names: &Names, space: &Space) -> Option<usize> {
        let mut own = |number: u32| self.facts.names.number(names.name(number));
        let cell = Cell {
            author: own(cell.author),
            own_domain: own(cell.own_domain),
            own_selector: own(cell.own_selector),
            other: own(cell.other),
            spf: own(cell.spf),
            ..*cell
        };
        let identity = identify(&cell, &mut self.facts, &self.places, space);
        self.index.get(&identity).map(|at| *at as usize)
    }
}

/// What all organizational domains together show of networks.
#[derive(Default)]
pub(crate) struct Networks {
    /// Messages that pass; messages of services that send for us.
    passing: Map<u128, (u64, u64)>,
    /// Messages of servers that send in our own name; messages that somebody else stands behind.
    own: Map<u128, (u64, u64)>,
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
) -> Result<(Vec<T>, Space), E> {
    let declared = Space::declared(&ground.organisation.networks);
    let shared = |source: u128| ground.profiles.get(&source).is_some_and(|p| p.known.service.is_some());
    let around = match &declared {
        Some(_) => HashSet::new(),
        None => around_senders(organizations, &read)?,
    };
    let add = |mut all: Together, name: &Text| {
        all.add(&facts(&read(name)?, ground), declared.as_ref(), &around, shared);
        Ok(all)
    };
    let together = organizations.par_iter().try_fold(Together::default, add);
    let Together { senders, mut networks } = together.try_reduce(Together::default, |a, b| Ok(a.plus(b)))?;
    let space = declared.unwrap_or_else(|| {
        let space = Space::inferred(&senders, shared);
        // Whole networks are inferred to be ours.
        networks.names.retain(|near, _| !space.has(*near));
        space
    });
    let one = |name: &Text| {
        let (kept, mut taker) = (read(name)?, begin(name));
        let of = flows(name, facts(&kept, ground), kept, (ground, &space, &networks), &mut taker);
        Ok(keep(of, taker))
    };
    let found = organizations.par_iter().map(one).collect::<Result<Vec<T>, E>>()?;
    Ok((found, space))
}

/// The neighbourhoods of all sources that pass SPF for our own names.
fn around_senders<E: Send>(
    organizations: &[Text],
    read: impl Fn(&Text) -> Result<Kept, E> + Sync,
) -> Result<HashSet<u128>, E> {
    let add = |mut around: HashSet<u128>, name: &Text| {
        let add = |around: &mut HashSet<u128>, _, cell: &Cell| {
            if cell.shape.spf() == Spf::Pass && cell.shape.whose() == Whose::Ours {
                around.insert(neighbourhood(cell.source));
            }
        };
        // Whose name it is, is in the shape.
        read(name)?.visit(&mut around, |_, _| 0, add);
        Ok(around)
    };
    let of_some = organizations.par_iter().try_fold(HashSet::new, add);
    of_some.try_reduce(HashSet::new, |a, b| Ok(a.into_iter().chain(b).collect()))
}

/// What the cells of one organizational domain say.
fn facts(kept: &Kept, ground: &Ground<'_>) -> Facts {
    let mut facts = Facts::default();
    kept.visit(&mut facts, |facts, name| facts.names.number(name), Facts::add);
    facts.settle(|domain| {
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
    fn add(&mut self, facts: &Facts, declared: Option<&Space>, around: &HashSet<u128>, shared: impl Fn(u128) -> bool) {
        self.networks.add(facts, declared, shared);
        self.senders.add(facts, around);
    }

    fn plus(mut self, other: Self) -> Self {
        self.networks.plus(other.networks);
        self.senders.plus(other.senders);
        self
    }
}

impl Networks {
    fn add(&mut self, facts: &Facts, declared: Option<&Space>, shared: impl Fn(u128) -> bool) {
        let mut lying = HashSet::new();
        for (source, facts) in &facts.sources {
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

/// One organizational domain under way.
struct Judging<'a> {
    facts: Facts,
    ground: &'a Ground<'a>,
    space: &'a Space,
    networks: &'a Networks,
    known: Map<u128, Known>,
    index: Map<Identity, u32>,
    flows: Vec<(Identity, Features)>,
    series: AllSeries,
    pairs: Pairs,
    lanes: Lanes,
}

impl Judging<'_> {
    fn known(&mut self, source: u128) -> Known {
        let (ground, space, networks) = (self.ground, self.space, self.networks);
        *self.known.entry(source).or_insert_with(|| {
            let mut known = ground.profiles.get(&source).map(|profiled| profiled.known).unwrap_or_default();
            known.ours = space.has(source);
            known.declared = space.is_declared(source);
            let (passing, vendor) = networks.passing.get(&network(source)).copied().unwrap_or_default();
            // An address that stands for nobody has no neighbours.
            let somebody = !stands_for_nobody(source);
            known.passes_nearby = passing > 0 && somebody;
            known.beside_a_vendor = vendor >= 100 && somebody;
            let (own, others) = networks.own.get(&network(source)).copied().unwrap_or_default();
            known.beside_ours = own >= 100 && others * 100 <= own && somebody;
            known
        })
    }

    fn add(&mut self, day: Day, cell: &Cell, identity: Identity) {
        let silent = self.facts.authors.get(&cell.author).is_some_and(|author| author.passing == 0);
        let next = u32::try_from(self.flows.len()).unwrap_or(u32::MAX);
        let flow = *self.index.entry(identity).or_insert(next);
        if flow == next {
            self.flows.push((identity, Features::default()));
        }
        self.lanes.add(day, flow);
        let known = self.known(cell.source);
        let (messages, failing) = (cell.total(), if cell.shape.passes() { 0 } else { cell.total() });
        let (new, new_today) = self.pairs.add(flow, cell.source, day, messages, failing);
        let features = &mut self.flows[flow as usize].1;
        features.add(day, cell, &known, silent);
        features.sources += u64::from(new);
        features.sightings += u64::from(new_today);
        let shape = cell.shape;
        if !shape.passes() && shape.whose() == Whose::Foreign && shape.spf() != Spf::Pass && cell.other == 0 {
            let organization = self.facts.organization(cell.spf);
            self.flows[flow as usize].1.borrow(organization, messages);
        }
        // Neither quarantined nor rejected.
        let delivered = if shape.passes() { 0 } else { cell.messages[0] + cell.messages[1] };
        let count = DayCount { day, messages, failing, delivered };
        self.series.add(flow, cell.author, count);
    }
}

fn flows(
    name: &Text,
    facts: Facts,
    kept: Kept,
    (ground, space, networks): (&Ground<'_>, &Space, &Networks),
    taker: &mut impl Extend<AssessedFlow>,
) -> OfOrganization {
    let places = places(&facts, ground);
    let mut judging = Judging {
        facts,
        ground,
        space,
        networks,
        known: Map::default(),
        index: Map::default(),
        flows: Vec::new(),
        series: AllSeries::default(),
        pairs: Pairs::default(),
        lanes: Lanes::default(),
    };
    kept.visit(
        &mut judging,
        |judging, name| judging.facts.names.number(name),
        |judging, day, cell| {
            let identity = identify(cell, &mut judging.facts, &places, space);
            judging.add(day, cell, identity);
        },
    );
    drop(kept);
    let Judging { facts, index, mut flows, series, pairs, lanes, .. } = judging;
    let (pairs, series) = (pairs.by_flow(), series.by_flow());
    for ((_, features), pairs) in flows.iter_mut().zip(series::each(&pairs)) {
        features.networks = series::networks(pairs);
    }
    let around = Arounds::new(name, &facts, (&flows, &pairs, &series), networks, ground);
    let of_flow = series::each(&pairs).zip(series::each(&series));
    for ((at, (identity, features)), (pairs, of_authors)) in flows.into_iter().enumerate().zip(of_flow) {
        let authors = authors(of_authors, &facts);
        let days = series::together(&authors);
        let around = around.of(at, identity, &features, &days);
        let finding = Case::new(identity, &features, &around, &ground.thresholds).decide();
        let mut sources: Vec<_> = pairs.iter().map(|(_, pair)| (pair.source, pair.messages, pair.failing)).collect();
        sources.sort_unstable_by_key(|(source, messages, _)| (std::cmp::Reverse(*messages), *source));
        let sender = Sender::of(identity, &facts, &places);
        taker.extend([judged(name, sender, features, finding, (authors, &days), sources, ground)]);
    }
    OfOrganization { name: name.clone(), lanes, index, facts, places }
}

/// The author domains of a flow with their days.
fn authors(of_flow: &[(u32, OfAuthor)], facts: &Facts) -> Vec<(Text, Vec<DayCount>)> {
    of_flow.iter().map(|(_, of)| (facts.names.name(of.author).clone(), of.days())).collect()
}

/// Services of the sources.
fn places(facts: &Facts, ground: &Ground<'_>) -> Places {
    let mut places = Places::default();
    let mut sources: Vec<&u128> = facts.sources.keys().collect();
    sources.sort_unstable();
    for source in sources {
        if let Some(service) = ground.profiles.get(source).and_then(|profiled| profiled.service.as_deref()) {
            places.put(*source, service);
        }
    }
    places
}

/// Puts a verdict on a flow: by decision if there is one, and phase by phase.
fn judged(
    organization: &Text,
    sender: Sender,
    features: Features,
    mut finding: Finding,
    (authors, days): (Vec<(Text, Vec<DayCount>)>, &[DayCount]),
    sources: Vec<(u128, u64, u64)>,
    ground: &Ground<'_>,
) -> AssessedFlow {
    let id = sender.id(organization);
    let decided = ground.decided.of(&id, &sources, features.messages);
    if let Some((class, _)) = decided {
        finding.who = match class {
            FlowClass::Own | FlowClass::OwnMisconfigured => Who::Own,
            FlowClass::ThirdParty | FlowClass::ThirdPartyUnaligned => Who::Service,
            FlowClass::ForwarderIntact => Who::Forwarder { broken: features.failing * 2 > features.messages },
            FlowClass::ForwarderBroken => Who::Forwarder { broken: true },
            FlowClass::Spoofer => Who::Spoofer,
            FlowClass::Unknown => Who::Unknown,
        };
        (finding.confidence, finding.rule, finding.why) = (100, "D0", "somebody decided so");
    }
    let class = |phase: &Phase| finding.who.class(phase.messages, phase.failing, &ground.thresholds);
    let phases: Vec<(Phase, FlowClass)> = phases(days).into_iter().map(|phase| (phase, class(&phase))).collect();
    let class = phases.last().map_or(FlowClass::Unknown, |(_, class)| *class);
    let diagnosis = matches!(class, FlowClass::OwnMisconfigured | FlowClass::ThirdPartyUnaligned)
        .then(|| diagnose(&features, matches!(sender, Sender::Unsigned { bounce: true, .. })))
        .flatten();
    let rule = rule_for(finding.rule, class);
    let verdict = Verdict {
        class,
        confidence: finding.confidence,
        rule: rule.to_owned(),
        why: finding.why.to_owned(),
        evidence: finding.evidence,
        diagnosis,
    };
    let decision = decided.map(|(_, number)| number);
    AssessedFlow { id, sender, features, verdict, decision, phases, authors, sources }
}

impl InForce {
    /// The decision on a flow: its own, else that on a network which half of its messages come from.
    pub(crate) fn of(&self, id: &str, sources: &[(u128, u64, u64)], messages: u64) -> Option<(FlowClass, u64)> {
        if let Some(decided) = self.flows.get(id) {
            return Some(*decided);
        }
        let inside = |first: u128, last: u128| -> u64 {
            sources.iter().filter(|(source, ..)| (first..=last).contains(source)).map(|(_, n, _)| n).sum()
        };
        let found = self.networks.iter().find(|(first, last, ..)| inside(*first, *last) * 2 > messages)?;
        Some((found.2, found.3))
    }
}
