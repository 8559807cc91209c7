//! One organizational domain: from its cells to its flows with verdicts.
//!
//! In: cells in parts, and what all organizational domains together show. Out: flows, one by one, and the flow of each cell. Twice through each
//! part: for what the cells say about sources and keys, and for the flows, which are put together from all parts before any is judged.

use report::{Day, Text};

use super::Map;
use super::around::Arounds;
use super::assess::{AssessedFlow, Ground, InForce, Networks, OfOrganization, facts};
use super::cell::{Cell, Spf, Whose};
use super::class::{FlowClass, Verdict, rule_for};
use super::decisions::DECIDED;
use super::features::{DayCount, Features, Known};
use super::identity::{Identity, Places, Sender, identify};
use super::knowledge::{Facts, Knowledge, Sources, network};
use super::lanes::{Lanes, joined};
use super::parts::Parts;
use super::phases::{Phase, phases};
use super::rules::{Case, Finding, Who, diagnose};
use super::series::{self, Addresses, AllSeries, OfAuthor, Pairs};
use super::snapshot::KeyDays;
use super::space::{Space, stands_for_nobody};
use super::vocabulary::Vocabulary;

/// A flow, what its messages add up to, and where they come from.
pub(crate) struct Flow {
    pub(crate) identity: Identity,
    pub(crate) features: Features,
    pub(crate) addresses: Addresses,
}

/// Flows by number.
#[derive(Default)]
struct Flows {
    index: Map<Identity, u32>,
    list: Vec<Flow>,
    series: AllSeries,
}

impl Flows {
    fn number(&mut self, identity: Identity) -> u32 {
        let next = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        let number = *self.index.entry(identity).or_insert(next);
        if number == next {
            let (features, addresses) = (Features::default(), Addresses::default());
            self.list.push(Flow { identity, features, addresses });
        }
        number
    }

    /// Adds those of the next part; gives the numbers by which they are known here.
    fn plus(&mut self, part: Self) -> Vec<u32> {
        let mut add = |more: Flow| {
            let number = self.number(more.identity);
            let flow = &mut self.list[number as usize];
            flow.features.plus(more.features);
            flow.addresses.append(&more.addresses);
            number
        };
        let numbers: Vec<u32> = part.list.into_iter().map(&mut add).collect();
        self.series.plus(part.series, &numbers);
        numbers
    }
}

/// What the flows of all organizational domains are judged by.
#[derive(Clone, Copy)]
pub(crate) struct World<'a> {
    pub(crate) ground: &'a Ground<'a>,
    pub(crate) places: &'a Places,
    pub(crate) space: &'a Space,
    pub(crate) networks: &'a Networks,
}

/// A part under way.
struct Judging<'a> {
    world: World<'a>,
    knowledge: Knowledge<'a>,
    known: Map<u128, Known>,
    flows: Flows,
    pairs: Pairs,
    lanes: Lanes,
}

impl<'a> Judging<'a> {
    /// The flows of a part, and of each of its cells.
    fn part(
        parts: &'a Parts,
        part: usize,
        facts: &'a Facts,
        sources: &'a Sources,
        world: World<'a>,
    ) -> (Flows, Vec<u8>) {
        let mut judging = Self {
            world,
            knowledge: Knowledge { words: &parts.words, facts, sources },
            known: Map::default(),
            flows: Flows::default(),
            pairs: Pairs::default(),
            lanes: Lanes::default(),
        };
        parts.visit(part, |day, cell| judging.add(day, cell));
        let Self { mut flows, pairs, lanes, .. } = judging;
        for (flow, addresses) in pairs.by_flow() {
            flows.list[flow as usize].addresses = addresses;
        }
        (flows, lanes.packed())
    }

    fn known(&mut self, source: u128) -> Known {
        let World { ground, space, networks, .. } = self.world;
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

    fn add(&mut self, day: Day, cell: &Cell) {
        let Knowledge { words, facts, .. } = self.knowledge;
        let silent = facts.authors.get(&cell.author).is_some_and(|author| author.passing == 0);
        let flow = self.flows.number(identify(cell, self.knowledge, self.world.places, self.world.space));
        self.lanes.add(day, flow, 1);
        let known = self.known(cell.source);
        let (messages, failing) = (cell.total(), if cell.shape.passes() { 0 } else { cell.total() });
        let (new, new_today) = self.pairs.add(flow, cell.source, day, messages, failing);
        let features = &mut self.flows.list[flow as usize].features;
        features.add(cell, &known, silent);
        features.sources += u64::from(new);
        features.sightings += u64::from(new_today);
        let shape = cell.shape;
        if !shape.passes() && shape.whose() == Whose::Foreign && shape.spf() != Spf::Pass && cell.other == 0 {
            features.borrow(words.organization(cell.spf), messages);
        }
        // Neither quarantined nor rejected.
        let delivered = if shape.passes() { 0 } else { cell.messages[0] + cell.messages[1] };
        self.flows.series.add(flow, cell.author, DayCount { day, messages, failing, delivered });
    }
}

/// Judges one organizational domain; `taker` takes its flows in the order of their numbers.
pub(crate) fn flows(
    name: &Text,
    parts: Parts,
    world: World<'_>,
    taker: &mut impl Extend<AssessedFlow>,
) -> OfOrganization {
    let World { ground, places, networks, .. } = world;
    // Where there is one part only, its sources are at hand still.
    let mut at_hand = None;
    let facts = facts(&parts, ground, |sources| at_hand = (parts.len() == 1).then_some(sources));
    let part = |part: usize| match &at_hand {
        Some(sources) => Judging::part(&parts, part, &facts, sources, world),
        None => Judging::part(&parts, part, &facts, &Facts::of(&parts, part).1, world),
    };
    let (mut all, mut lanes) = (Flows::default(), Vec::new());
    parts.each(part, |(flows, of_cells)| lanes.push((of_cells, all.plus(flows))));
    drop(at_hand);
    let words = parts.into_words();
    let Flows { list: mut flows, series, .. } = all;
    let series = series.by_flow();
    for (Flow { features, addresses, .. }, of_authors) in flows.iter_mut().zip(series::each(&series)) {
        features.networks = addresses.networks().count() as u64;
        features.when(&series::days(of_authors));
    }
    let around = Arounds::new(name, (&words, &facts), (&flows, &series), networks, ground);
    for ((at, flow), of_authors) in flows.into_iter().enumerate().zip(series::each(&series)) {
        let Flow { identity, features, addresses } = flow;
        let authors = authors(of_authors, &words);
        let days = series::together(&authors);
        let around = around.of(at, identity, &features, &days);
        let finding = Case::new(identity, &features, &around, &ground.thresholds).decide();
        let sender = Sender::of(identity, &words, places);
        taker.extend([judged(name, sender, features, finding, (authors, &days), addresses, ground)]);
    }
    OfOrganization { name: name.clone(), lanes: joined(&lanes), keys: key_days(&words, &facts) }
}

/// When keys were used.
fn key_days(words: &Vocabulary, facts: &Facts) -> Vec<KeyDays> {
    let days = |(number, key): (u32, &super::knowledge::KeyFacts)| {
        let (domain, selector) = words.of_key(number);
        let (first, last) = key.days.filter(|_| selector != 0)?;
        Some(KeyDays { domain: words.name(domain).clone(), selector: words.name(selector).clone(), first, last })
    };
    (0..).zip(&facts.keys).filter_map(days).collect()
}

/// The author domains of a flow with their days.
fn authors(of_flow: &[(u32, OfAuthor)], words: &Vocabulary) -> Vec<(Text, Vec<DayCount>)> {
    of_flow.iter().map(|(_, of)| (words.name(of.author).clone(), of.days())).collect()
}

/// Puts a verdict on a flow: by a decision on a network if there is one, and phase by phase. Decisions on flows come afterwards.
fn judged(
    organization: &Text,
    sender: Sender,
    features: Features,
    mut finding: Finding,
    (authors, days): (Vec<(Text, Vec<DayCount>)>, &[DayCount]),
    sources: Addresses,
    ground: &Ground<'_>,
) -> AssessedFlow {
    let id = sender.id(organization);
    let decided = ground.decided.of(&sources, features.messages);
    if let Some((class, _)) = decided {
        finding.who = Who::decided(class, features.messages, features.failing);
        (finding.confidence, finding.rule, finding.why) = DECIDED;
    }
    let class = |phase: &Phase| finding.who.class(phase.messages, phase.failing, &ground.thresholds);
    let phases: Vec<(Phase, FlowClass)> = phases(days).into_iter().map(|phase| (phase, class(&phase))).collect();
    let class = phases.last().map_or(FlowClass::Unknown, |(_, class)| *class);
    let diagnosis = diagnose(&features, matches!(sender, Sender::Unsigned { bounce: true, .. }));
    let rule = rule_for(finding.rule, class);
    let verdict = Verdict {
        class,
        confidence: finding.confidence,
        rule: rule.to_owned(),
        why: finding.why.to_owned(),
        evidence: finding.evidence,
        diagnosis: diagnosis.filter(|_| class.is_misconfigured()),
    };
    let decision = decided.map(|(_, number)| number);
    let named = ground.decided.flows.contains_key(&id);
    AssessedFlow { id, sender, features, verdict, diagnosis, decision, named, phases, authors, sources }
}

impl InForce {
    /// The decision on a network which half of the messages of a flow come from.
    pub(crate) fn of(&self, sources: &Addresses, messages: u64) -> Option<(FlowClass, u64)> {
        let inside = |first: u128, last: u128| -> u64 {
            sources.iter().filter(|(source, ..)| (first..=last).contains(source)).map(|(_, n, _)| n).sum()
        };
        let found = self.networks.iter().find(|(first, last, ..)| inside(*first, *last) * 2 > messages)?;
        Some((found.2, found.3))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::assess::{Organisation, assess};
    use super::super::day::Kept;
    use super::super::lanes;
    use super::super::sheet::{Sheet, SheetRow};
    use super::*;

    /// Own servers, a service, forwarders, strangers and a botnet, in many neighbourhoods on many days, with the same numbers every time.
    fn sheet() -> Sheet {
        let mut sheet = Sheet::default();
        let mut state = 7_u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for day in 0..60 {
            for _ in 0..150 {
                let domain = ["example.com", "news.example.com", "example.net"][usize::try_from(next(3)).unwrap()];
                let (around, near, host) = (next(4), next(3), next(5));
                let (dkim, spf, passes): (&str, &str, bool) = match next(7) {
                    0 => ("", "pass mfrom example.com", domain != "example.net"),
                    1 => ("pass d=example.com s=k1", "pass mfrom bounce.service.example", domain != "example.net"),
                    2 => ("fail d=example.com s=k1", "pass mfrom lists.forwarder.example", false),
                    3 => ("pass d=example.com s=k2", "pass mfrom forwarder.example", domain != "example.net"),
                    4 => ("pass d=stranger.example s=a", "pass mfrom stranger.example", false),
                    _ => ("", "fail mfrom example.com", false),
                };
                sheet.add(&SheetRow {
                    day: Day(20_000 + day),
                    source: std::net::Ipv4Addr::from(
                        u32::try_from(0x0a00_0000 + (around << 16) + (near << 8) + host).unwrap(),
                    )
                    .into(),
                    domain,
                    dkim,
                    spf,
                    envelope_from: domain,
                    overrides: "",
                    outcome: if passes { report::Outcome::DkimOnly } else { report::Outcome::Unauthenticated },
                    disposition: report::Disposition::None,
                    messages: 1 + next(40),
                });
            }
        }
        sheet
    }

    /// Everything that is worked out: flows by id, the flow of each cell by id, days of keys.
    type Judged = Vec<(BTreeMap<String, String>, BTreeMap<Day, Vec<(String, u32)>>, Vec<KeyDays>)>;

    fn judged(part: u64) -> Judged {
        let organisation = Organisation::default();
        let catalogue = enrich::Catalogue::bundled();
        let ground = Ground {
            organisation: &organisation,
            catalogue: &catalogue,
            profiles: [].into(),
            decided: InForce::default(),
            thresholds: super::super::rules::Thresholds::default(),
            part,
        };
        let packed = sheet().packed();
        let names: Vec<Text> = packed.names().cloned().collect();
        let keep = |mut of: OfOrganization, flows: Vec<AssessedFlow>| {
            let ids: Vec<String> = flows.iter().map(|flow| flow.id.clone()).collect();
            let with_ids =
                |runs: Vec<(u32, u32)>| runs.into_iter().map(|(flow, n)| (ids[flow as usize].clone(), n)).collect();
            let lanes = lanes::days(&of.lanes).map(|day| day.expect("a day"));
            let lanes = lanes.map(|(day, runs)| (day, with_ids(runs))).collect();
            of.keys.sort_by(|a, b| a.selector.cmp(&b.selector));
            let told = |mut flow: AssessedFlow| {
                flow.authors.sort_by(|a, b| a.0.cmp(&b.0));
                let addresses: Vec<_> = flow.sources.iter().collect();
                let (f, verdict) = (&flow.features, &flow.verdict);
                let sums =
                    (f.messages, f.failing, f.outcomes, f.sources, f.networks, f.sightings, f.active_days, f.weeks);
                let when = (f.first, f.last, f.results.lines());
                let text = format!("{sums:?} {when:?} {verdict:?} {:?} {:?} {addresses:?}", flow.phases, flow.authors);
                (flow.id, text)
            };
            (flows.into_iter().map(told).collect(), lanes, of.keys)
        };
        let read = |name: &Text| -> Result<Kept, std::convert::Infallible> { Ok(packed.kept(name)) };
        let Ok(judged) = assess(&names, &ground, read, |_| Vec::new(), keep);
        judged
    }

    #[test]
    fn in_however_many_parts_the_same_comes_of_it() {
        let whole = judged(u64::MAX);
        assert_eq!(whole.len(), 2, "organizational domains");
        let kinds = whole[0].0.values().filter(|text| !text.contains("C7-crowd")).count();
        assert!(whole[0].0.len() > 12 && kinds > 3, "flows of many kinds: {kinds} of {}", whole[0].0.len());
        assert!(whole[0].2.len() == 2, "keys: {:?}", whole[0].2);
        for part in [1, 500, 3_000] {
            let parts = judged(part);
            for ((flows, lanes, keys), (more_flows, more_lanes, more_keys)) in whole.iter().zip(&parts) {
                assert_eq!(flows, more_flows, "parts of {part}");
                assert_eq!(lanes, more_lanes, "parts of {part}");
                assert_eq!(keys, more_keys, "parts of {part}");
            }
        }
    }
}
