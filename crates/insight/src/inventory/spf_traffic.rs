//! What mail the terms of an SPF record let pass: by the records of stretches of days on which DNS was the same, on all cores.
//!
//! In: the cells of a domain's organization, and the history of DNS. Out: messages by the path of terms that let their source pass, on the
//! record of their day. The limits are lifted for that, so that what stands behind the tenth look-up is counted too; what receivers made
//! of it is in the cells.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use dns::Name;
use report::{Day, Text};
use spf::{Compiled, Decision, Limits, Outcome, SpfResult};
use store::Ledger;

use super::cells::visit;
use crate::Error;
use crate::flows::cell::{Cell, Names, Spf};
use crate::flows::day::address;
use crate::published::History;

/// A term, by the record that it stands in and its text; from the domain's own record down. Its place there is another one after each change.
pub(super) type Path = Vec<(Name, Box<str>)>;

/// Days at the end of a period that say how things are now.
const LATELY_DAYS: i32 = 7;

/// Messages in our name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    /// From addresses that the term lets pass.
    pub(super) messages: u64,
    /// Of these: SPF passed for the domain itself and was aligned.
    pub(super) aligned: u64,
    /// Of these: the envelope sender was of the domain, whatever came of it.
    pub(super) evaluated: u64,
}

impl Sum {
    pub(super) fn add(&mut self, other: Self) {
        self.messages = self.messages.saturating_add(other.messages);
        self.aligned = self.aligned.saturating_add(other.aligned);
        self.evaluated = self.evaluated.saturating_add(other.evaluated);
    }
}

/// Mail that the record says something else about than reports do.
#[derive(Debug, Clone)]
pub(super) struct Unexplained {
    pub(super) address: IpAddr,
    pub(super) passed: u64,
    /// The last record's word on it.
    pub(super) decision: Decision,
}

/// All mail of a period beside the records of its days.
#[derive(Default)]
pub(super) struct Traffic {
    /// Messages in the organization's name.
    pub(super) messages: u64,
    /// Of these: SPF was about the domain.
    pub(super) evaluated: u64,
    /// Of these: it passed.
    pub(super) passed: u64,
    /// Of these: receivers met a permanent error.
    pub(super) permerror: u64,
    /// Of these: on the last days of the period.
    pub(super) permerror_lately: u64,
    /// By path, each with all that is below it.
    pub(super) paths: HashMap<Path, Sum>,
    /// The number of sources below a path.
    pub(super) sources: HashMap<Path, u64>,
    /// Sources that pass in reports but not by the record: those of most messages, the first first.
    pub(super) unexplained: Vec<Unexplained>,
    /// How many there are.
    pub(super) unexplained_total: usize,
    /// Whether the records of some days are not known, so that the first known was taken.
    pub(super) assumed: bool,
}

/// Limits that nothing honest meets: what they would cut off is counted, and told apart by the tree.
pub(super) fn lifted() -> Limits {
    Limits { lookups_max: 100, voids_max: 100, ..Limits::default() }
}

/// Days on which DNS was the same.
struct Stretch {
    /// What the limits would cut off is there too.
    whole: Compiled,
    strict: Compiled,
    /// By decision of the whole: the way down that lets pass.
    ways: Vec<u32>,
}

/// The records of a period.
struct Record {
    turns: Vec<Day>,
    /// The number of the first stretch.
    first: usize,
    stretches: Vec<Stretch>,
    /// All ways down to a term that lets pass.
    ways: Vec<Path>,
}

impl Record {
    fn new(history: &History, domain: &Name, period: (Day, Day)) -> Self {
        let turns: Vec<Day> = history.turns().into_iter().filter(|turn| *turn <= period.1).collect();
        let first = turns.partition_point(|turn| *turn <= period.0);
        let mut record = Self { first, stretches: Vec::new(), ways: Vec::new(), turns };
        for number in first..=record.turns.len() {
            // Before the first look, the first that is known.
            let day = number.checked_sub(1).and_then(|at| record.turns.get(at)).copied().unwrap_or(period.0);
            let then = history.as_of(day);
            let whole = dns::now(spf::compile(&then, domain, &lifted()));
            let strict = dns::now(spf::compile(&then, domain, &Limits::default()));
            let ways = whole.decisions().iter().map(|decision| record.way(decision)).collect();
            record.stretches.push(Stretch { whole, strict, ways });
        }
        record
    }

    /// The way down of a decision.
    fn way(&mut self, decision: &Decision) -> u32 {
        if decision.outcome != Outcome::Result(SpfResult::Pass) {
            return NOWHERE;
        }
        let way: Path = decision.path.iter().map(|step| (step.domain.clone(), step.text.clone())).collect();
        let known = self.ways.iter().position(|known| *known == way);
        let place = known.unwrap_or(self.ways.len());
        if known.is_none() {
            self.ways.push(way);
        }
        u32::try_from(place).unwrap_or(NOWHERE)
    }

    /// The stretch of a day: it begins with each day on which something in DNS began to be otherwise.
    fn at(&self, day: Day) -> usize {
        self.turns.partition_point(|turn| *turn <= day).saturating_sub(self.first)
    }
}

/// No way down lets it pass.
const NOWHERE: u32 = u32::MAX;
/// Lines from which on those about the same are put together before all are there.
const MANY: usize = 1 << 20;

/// What is told of a source.
#[derive(Clone, Copy)]
struct Line {
    source: u128,
    /// The way down that lets it pass.
    way: u32,
    /// The last stretch with messages that pass in reports but not by the record.
    stretch: u32,
    /// How many there are.
    passed: u64,
}

/// Puts lines about the same together. Each day's come in order, which this sort makes use of.
fn put_together(lines: &mut Vec<Line>) {
    lines.sort_by_key(|line| (line.source, line.way));
    lines.dedup_by(|next, first| {
        let same = (next.source, next.way) == (first.source, first.way);
        if same {
            if next.passed > 0 {
                first.stretch = if first.passed > 0 { first.stretch.max(next.stretch) } else { next.stretch };
            }
            first.passed += next.passed;
        }
        same
    });
}

/// What one core has seen.
struct Seen<'a> {
    record: &'a Record,
    /// The number of the domain.
    domain: u32,
    /// The last day that is not one of the last.
    before: Day,
    traffic: Traffic,
    ways: Vec<Sum>,
    /// A day with its stretch.
    day: (Day, usize),
    /// The last source on it: the way down that lets it pass, and whether it passes by the record with its limits.
    last: (u128, u32, bool),
    lines: Vec<Line>,
    /// How many lines are too many.
    full: usize,
}

impl Seen<'_> {
    fn add(&mut self, day: Day, cell: &Cell) {
        let total = cell.total();
        let about = cell.spf == self.domain;
        let passed = about && cell.shape.spf() == Spf::Pass;
        let sum = Sum {
            messages: total,
            aligned: if passed && cell.shape.spf_aligned() { total } else { 0 },
            evaluated: if about { total } else { 0 },
        };
        let traffic = &mut self.traffic;
        traffic.messages = traffic.messages.saturating_add(total);
        traffic.evaluated = traffic.evaluated.saturating_add(sum.evaluated);
        traffic.passed = traffic.passed.saturating_add(if passed { total } else { 0 });
        if about && cell.shape.spf() == Spf::PermError {
            traffic.permerror = traffic.permerror.saturating_add(total);
            traffic.permerror_lately += if day > self.before { total } else { 0 };
        }
        if self.day.0 != day || self.last.0 != cell.source {
            self.day = (day, if self.day.0 == day { self.day.1 } else { self.record.at(day) });
            let of = &self.record.stretches[self.day.1];
            let address = address(cell.source);
            let explained = of.strict.answer(address).outcome == Outcome::Result(SpfResult::Pass);
            self.last = (cell.source, of.ways[of.whole.index(address)], explained);
        }
        let (source, way, explained) = self.last;
        if let Some(sums) = self.ways.get_mut(way as usize) {
            sums.add(sum);
        }
        let passed = if passed && !explained { total } else { 0 };
        if way == NOWHERE && passed == 0 {
            return;
        }
        self.lines.push(Line { source, way, stretch: u32::try_from(self.day.1).unwrap_or(0), passed });
        if self.lines.len() >= self.full {
            put_together(&mut self.lines);
            self.full = self.lines.len() * 2 + MANY;
        }
    }
}

/// Sums the mail of a period. Of sources that pass but not by the record, so many are told at most.
pub(super) fn traffic(
    ledger: &Ledger,
    history: &History,
    domain: &Name,
    period: (Day, Day),
    most: usize,
) -> Result<Traffic, Error> {
    let text = domain.to_string();
    let record = Record::new(history, domain, period);
    let organization: Text = store::organizational_domain(&text);
    let begin = |names: &mut Names| Seen {
        record: &record,
        domain: names.number(&text),
        before: period.1.plus(-LATELY_DAYS),
        traffic: Traffic::default(),
        ways: vec![Sum::default(); record.ways.len()],
        day: (Day(i32::MIN), 0),
        last: (0, NOWHERE, false),
        lines: Vec::new(),
        full: MANY,
    };
    let end = |mut seen: Seen<'_>| {
        put_together(&mut seen.lines);
        (seen.traffic, seen.ways, seen.lines)
    };
    let parts = visit(ledger, &organization, period, begin, Seen::add, end)?;
    let mut traffic = Traffic { assumed: record.first == 0, ..Traffic::default() };
    let mut lines = Vec::new();
    for ((of, ways, mut of_core), _) in parts {
        traffic.messages = traffic.messages.saturating_add(of.messages);
        traffic.evaluated = traffic.evaluated.saturating_add(of.evaluated);
        traffic.passed = traffic.passed.saturating_add(of.passed);
        traffic.permerror = traffic.permerror.saturating_add(of.permerror);
        traffic.permerror_lately += of.permerror_lately;
        for (way, sum) in record.ways.iter().zip(ways) {
            (1..=way.len()).for_each(|to| traffic.paths.entry(way[..to].to_vec()).or_default().add(sum));
        }
        lines.append(&mut of_core);
    }
    put_together(&mut lines);
    traffic.tell(&record, &lines, most);
    Ok(traffic)
}

impl Traffic {
    /// Counts sources, and names those that are not explained.
    fn tell(&mut self, record: &Record, lines: &[Line], most: usize) {
        let mut unexplained: Vec<(Reverse<u64>, IpAddr, u32)> = Vec::new();
        let mut below: HashMap<Vec<u32>, u64> = HashMap::new();
        let mut alone = vec![0_u64; record.ways.len()];
        for of_source in lines.chunk_by(|a, b| a.source == b.source) {
            let ways = of_source.iter().map(|line| line.way).filter(|way| *way != NOWHERE);
            match (ways.clone().next(), ways.clone().nth(1)) {
                (Some(way), None) => alone[way as usize] += 1,
                (Some(_), Some(_)) => *below.entry(ways.collect()).or_default() += 1,
                (None, _) => {}
            }
            let with = of_source.iter().filter(|line| line.passed > 0);
            if let Some(last) = with.clone().map(|line| line.stretch).max() {
                let passed = with.map(|line| line.passed).sum();
                unexplained.push((Reverse(passed), address(of_source[0].source), last));
            }
        }
        for (ways, sources) in (0_u32..).zip(alone).map(|(way, sources)| (vec![way], sources)).chain(below) {
            // A term that leads to several ways has the source once.
            let ways = ways.iter().filter_map(|way| record.ways.get(*way as usize));
            let terms: HashSet<&[_]> = ways.flat_map(|way| (1..=way.len()).map(|to| &way[..to])).collect();
            for term in terms.into_iter().filter(|_| sources > 0) {
                *self.sources.entry(term.to_vec()).or_default() += sources;
            }
        }
        self.unexplained_total = unexplained.len();
        if unexplained.len() > most {
            unexplained.select_nth_unstable(most);
            unexplained.truncate(most);
        }
        unexplained.sort_unstable();
        let tell = |(Reverse(passed), address, stretch): (Reverse<u64>, IpAddr, u32)| {
            let decision = record.stretches[stretch as usize].strict.answer(address).clone();
            Unexplained { address, passed, decision }
        };
        self.unexplained = unexplained.into_iter().map(tell).collect();
    }
}
