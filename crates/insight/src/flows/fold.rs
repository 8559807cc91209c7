//! From the flows of each organizational domain to what is kept of them: those that somebody may look at one by one, the others together.
//!
//! In: flows as they are judged, one after the other. Out: [`Folded`], a fraction of their memory. Up to [`FlowLimits::flows`] are kept one by
//! one; which ones is known in the end only, but one that is smaller than so many others is put together with its like at once.

use std::cmp::Reverse;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::{Mutex, PoisonError};

use report::Text;

use super::answers::{FlowLine, FlowPhase, FlowSource};
use super::assess::AssessedFlow;
use super::class::{Diagnosis, FlowClass};
use super::day::address;
use super::features::DayCount;
use super::identity::Sender;
use super::results::add_lines;
use super::series::{Addresses, add_days};
use super::snapshot::{FlowLimits, KeyDays, More};
use crate::{Dispositions, Outcomes};

/// A flow with fewer messages of which nothing is known is kept with all others like it.
const SMALL: u64 = 10;

/// Records of one organizational domain that come before small ones are put together.
const TOGETHER: usize = 10_000;

/// A flow on its way into the snapshot.
pub(crate) struct Record {
    pub(crate) line: FlowLine,
    pub(crate) more: More,
    /// What is wrong with what fails of it, whoever sends it.
    pub(crate) diagnosis: Option<Diagnosis>,
    /// Somebody decided about it: it is kept by itself.
    named: bool,
    /// It is kept with its like, or stands for those that are.
    small: bool,
    pub(crate) authors: Vec<(Text, Vec<DayCount>)>,
    pub(crate) sources: Addresses,
    /// The flows it is made of, by their places among those of the organizational domain.
    pub(crate) parts: Vec<usize>,
}

/// What is kept of the flows of one organizational domain, until those of all are there.
pub(crate) struct Folded {
    pub(crate) name: Text,
    pub(crate) records: Vec<Record>,
    /// The flow of each cell, by its place among `flows` flows.
    pub(crate) lanes: Vec<u8>,
    pub(crate) flows: usize,
    pub(crate) keys: Vec<KeyDays>,
}

/// The sizes of the largest flows so far: one that is smaller is not kept one by one, whatever comes after it.
pub(crate) struct Largest {
    limit: usize,
    /// One more than the limit.
    sizes: Mutex<BinaryHeap<Reverse<u64>>>,
}

impl Largest {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, sizes: Mutex::default() }
    }

    /// Takes one more flow into account, and gives the messages up to which flows are kept together.
    pub(crate) fn least(&self, more: Option<u64>) -> u64 {
        let mut sizes = self.sizes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(size) = more {
            sizes.push(Reverse(size));
            if sizes.len() > self.limit + 1 {
                sizes.pop();
            }
        }
        sizes.peek().filter(|_| sizes.len() > self.limit).map_or(0, |Reverse(least)| *least)
    }
}

/// The flows of one organizational domain on their way, in the order of their numbers.
pub(crate) struct Folding<'a> {
    name: Text,
    limits: FlowLimits,
    largest: &'a Largest,
    records: Vec<Record>,
    flows: usize,
    /// How many records there are when small ones are put together next.
    full: usize,
}

impl<'a> Folding<'a> {
    pub(crate) fn new(name: &Text, limits: FlowLimits, largest: &'a Largest) -> Self {
        Self { name: name.clone(), limits, largest, records: Vec::new(), flows: 0, full: TOGETHER }
    }

    /// Puts those together that are small by now.
    fn fold(&mut self) {
        self.records = folded(std::mem::take(&mut self.records), self.largest.least(None), self.limits);
        self.full = self.records.len() + TOGETHER;
    }

    pub(crate) fn finish(mut self, lanes: Vec<u8>, keys: Vec<KeyDays>) -> Folded {
        self.fold();
        Folded { name: self.name, records: self.records, lanes, flows: self.flows, keys }
    }
}

impl Extend<AssessedFlow> for Folding<'_> {
    fn extend<I: IntoIterator<Item = AssessedFlow>>(&mut self, flows: I) {
        for flow in flows {
            let small = is_small(&flow);
            self.largest.least((!small).then_some(flow.features.messages));
            self.records.push(Record { small, parts: vec![self.flows], ..record(&self.name, flow, self.limits) });
            self.flows += 1;
            if self.records.len() == self.full {
                self.fold();
            }
        }
    }
}

/// A flow as it is kept.
pub(crate) fn record(organization: &Text, flow: AssessedFlow, limits: FlowLimits) -> Record {
    let f = &flow.features;
    let mut outcomes = Outcomes::default();
    for (outcome, messages) in report::Outcome::ALL.into_iter().zip(f.outcomes) {
        outcomes.add(outcome, messages);
    }
    let [none, pass, quarantine, reject] = f.dispositions;
    let mut domains: Vec<(u64, &Text)> =
        flow.authors.iter().map(|(author, days)| (days.iter().map(|day| day.messages).sum(), author)).collect();
    domains.sort_by(|a, b| b.cmp(a));
    let phase = |(phase, class): &(super::phases::Phase, FlowClass)| FlowPhase {
        first_day: phase.first,
        last_day: phase.last,
        class: *class,
        messages: phase.messages,
        failing: phase.failing,
    };
    let line = FlowLine {
        id: flow.id,
        organizational_domain: organization.clone(),
        name: flow.sender.words(),
        class: flow.verdict.class,
        confidence: flow.verdict.confidence,
        rule: flow.verdict.rule,
        why: flow.verdict.why,
        diagnosis: flow.verdict.diagnosis,
        messages: f.messages,
        failing: f.failing,
        outcomes,
        dispositions: Dispositions { none, pass, quarantine, reject },
        first_day: f.first.unwrap_or_default(),
        last_day: f.last.unwrap_or_default(),
        active_days: f.active_days,
        sources: f.sources,
        networks: f.networks,
        reporters: f.reporters,
        good: f.good,
        suspicious: f.suspicious,
        decision: flow.decision,
        together: 1,
        domains: domains.into_iter().map(|(_, author)| author.clone()).collect(),
        phases: flow.phases.iter().map(phase).collect(),
    };
    let more = More { evidence: flow.verdict.evidence, results: f.results.lines(), ..More::default() };
    let AssessedFlow { diagnosis, named, authors, sources, .. } = flow;
    let (small, parts) = (false, Vec::new());
    let mut record = Record { line, more, diagnosis, named, small, authors, sources: Addresses::default(), parts };
    for (source, messages, failing) in sources.iter() {
        record.more.addresses.push(FlowSource { address: address(source), messages, failing });
        record.few_addresses(limits);
    }
    record.most_addresses(limits);
    Record { sources, ..record }
}

/// Flows that nobody looks at one by one: the networks of a crowd, and what is too small to say anything about.
fn is_small(flow: &AssessedFlow) -> bool {
    let rule = flow.verdict.rule.as_str();
    !flow.named
        && flow.decision.is_none()
        && (matches!(rule, "C7-crowd" | "C7-silent-name") || (rule == "U1" && flow.features.messages < SMALL))
}

/// Puts those together that have up to `least` messages, are small by themselves, or stand for small ones already, by class. What comes of it
/// does not depend on their order.
pub(crate) fn folded(records: impl IntoIterator<Item = Record>, least: u64, limits: FlowLimits) -> Vec<Record> {
    let mut kept = Vec::new();
    let mut rest: BTreeMap<(Text, FlowClass), Record> = BTreeMap::new();
    for mut record in records {
        record.small |= !record.named && record.line.decision.is_none() && record.line.messages <= least;
        if !record.small {
            kept.push(record);
            continue;
        }
        record.more.evidence = Vec::new();
        match rest.entry((record.line.organizational_domain.clone(), record.line.class)) {
            Entry::Vacant(entry) => {
                let sender = Sender::Rest { class: record.line.class.word().to_owned() };
                record.line.id = sender.id(&record.line.organizational_domain);
                record.line.name = sender.words();
                record.line.domains.sort_unstable();
                entry.insert(record);
            }
            Entry::Occupied(mut entry) => entry.get_mut().plus(record, limits),
        }
    }
    for record in rest.values_mut() {
        record.most_addresses(limits);
    }
    kept.extend(rest.into_values());
    kept
}

impl Record {
    fn plus(&mut self, mut other: Self, limits: FlowLimits) {
        let (line, more) = (&mut self.line, &mut other.line);
        line.messages += more.messages;
        line.failing += more.failing;
        for outcome in report::Outcome::ALL {
            line.outcomes.add(outcome, more.outcomes.get(outcome));
        }
        line.dispositions.none += more.dispositions.none;
        line.dispositions.pass += more.dispositions.pass;
        line.dispositions.quarantine += more.dispositions.quarantine;
        line.dispositions.reject += more.dispositions.reject;
        line.first_day = line.first_day.min(more.first_day);
        line.last_day = line.last_day.max(more.last_day);
        line.active_days = line.active_days.max(more.active_days);
        line.sources += more.sources;
        line.networks += more.networks;
        line.reporters = line.reporters.max(more.reporters);
        line.good += more.good;
        line.suspicious += more.suspicious;
        line.confidence = line.confidence.min(more.confidence);
        if (&more.rule, &more.why) < (&line.rule, &line.why) {
            (line.rule, line.why) = (std::mem::take(&mut more.rule), std::mem::take(&mut more.why));
        }
        for domain in std::mem::take(&mut more.domains) {
            if let Err(at) = line.domains.binary_search(&domain) {
                line.domains.insert(at, domain);
            }
        }
        line.together += more.together;
        line.phases = vec![FlowPhase {
            first_day: line.first_day,
            last_day: line.last_day,
            class: line.class,
            messages: line.messages,
            failing: line.failing,
        }];
        add_lines(&mut self.more.results, &other.more.results);
        self.more.addresses.append(&mut other.more.addresses);
        self.few_addresses(limits);
        for (author, days) in other.authors {
            match self.authors.iter_mut().find(|(known, _)| *known == author) {
                Some((_, sums)) => add_days(sums, &days),
                None => self.authors.push((author, days)),
            }
        }
        self.sources.append(&other.sources);
        self.parts.extend(other.parts);
    }

    /// Lets go of most that are not shown, now and then: most flows have one or two.
    fn few_addresses(&mut self, limits: FlowLimits) {
        if self.more.addresses.len() > 8 * limits.addresses {
            self.most_addresses(limits);
        }
    }

    /// The addresses that are shown of all there are.
    fn most_addresses(&mut self, limits: FlowLimits) {
        self.more.addresses.sort_unstable_by_key(|one| (Reverse(one.messages), one.address));
        self.more.addresses.truncate(limits.addresses);
    }
}

#[cfg(test)]
mod tests {
    use report::Day;

    use super::*;

    fn small(name: &str, messages: u64, rule: &str) -> Record {
        let line = FlowLine {
            id: name.to_owned(),
            organizational_domain: Text::new("example.com"),
            name: name.to_owned(),
            class: FlowClass::Unknown,
            confidence: 50,
            rule: rule.to_owned(),
            why: String::new(),
            diagnosis: None,
            messages,
            failing: messages,
            outcomes: Outcomes::default(),
            dispositions: Dispositions::default(),
            first_day: Day(20_000),
            last_day: Day(20_000),
            active_days: 1,
            sources: 1,
            networks: 1,
            reporters: 1,
            good: 0,
            suspicious: 0,
            decision: None,
            together: 1,
            domains: vec![Text::new(name)],
            phases: Vec::new(),
        };
        let source = FlowSource { address: std::net::Ipv4Addr::LOCALHOST.into(), messages, failing: messages };
        let more = More { addresses: vec![source], ..More::default() };
        let (authors, sources, parts) = (Vec::new(), Addresses::default(), Vec::new());
        Record { line, more, diagnosis: None, named: false, small: false, authors, sources, parts }
    }

    #[test]
    fn the_largest_are_known_by_the_smallest_of_them() {
        let largest = Largest::new(3);
        let after = |largest: &Largest, sizes: &[u64]| sizes.iter().map(|size| largest.least(Some(*size))).last();
        assert_eq!(after(&largest, &[5, 1, 9]), Some(0), "as many as may be: all are kept");
        assert_eq!(after(&largest, &[7]), Some(1), "one of four has to go");
        assert_eq!(after(&largest, &[2, 2]), Some(2));
        assert_eq!(largest.least(None), 2, "nothing more came");
        assert_eq!(after(&Largest::new(0), &[4, 6]), Some(6), "none is kept");
    }

    /// Organizational domains are judged side by side: which small flows are put together first is chance.
    #[test]
    fn in_whatever_order_small_ones_come_the_same_comes_of_it() {
        let limits = FlowLimits { addresses: 2, ..FlowLimits::default() };
        let all = [("c", 3, "U1"), ("a", 9, "C6-steady"), ("d", 1, "U3-broken"), ("b", 4, "U1")];
        let records = |order: [usize; 4]| order.map(|at| small(all[at].0, all[at].1, all[at].2));
        let at_once = |order| folded(records(order), 9, limits);
        let in_two_steps = |order| {
            let mut of = records(order).into_iter();
            let first = folded(of.by_ref().take(2), 9, limits);
            // What stands for small ones stays with them, however much it is.
            folded(first.into_iter().chain(of), 9, limits)
        };
        let expected = at_once([0, 1, 2, 3]);
        let line = &expected[0].line;
        assert_eq!((expected.len(), line.together, line.messages, line.rule.as_str()), (1, 4, 17, "C6-steady"));
        assert_eq!(line.domains, ["a", "b", "c", "d"]);
        let most: Vec<u64> = expected[0].more.addresses.iter().map(|one| one.messages).collect();
        assert_eq!(most, [9, 4], "the addresses with most");
        for order in [[3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]] {
            for found in [at_once(order), in_two_steps(order)] {
                assert_eq!(found.len(), 1, "{order:?}");
                assert_eq!(found[0].line, *line, "{order:?}");
                assert_eq!(found[0].more.addresses, expected[0].more.addresses, "{order:?}");
            }
        }
    }
}
