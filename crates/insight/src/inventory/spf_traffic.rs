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

use crate::by_address::{Ranges, Summing};
use crate::flows::cell::Spf;
use crate::flows::pack::{Kind, Skimmed};
use crate::flows::{Map, address};
use crate::published::History;
use crate::{Error, cores};

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

/// What is told of a source on the days of a stretch.
#[derive(Clone, Copy)]
struct Told {
    /// The way down that lets it pass.
    way: u32,
    /// Whether it passes by the record with its limits.
    explained: bool,
    /// Messages that pass in reports but not by the record.
    passed: u64,
}

/// The same, with the source, and the number of the stretch.
type Line = (u128, u32, Told);

/// The cells of the domain's organization beside the record.
struct Cells<'a> {
    record: &'a Record,
    domain: &'a str,
    /// The last day that is not one of the last.
    before: Day,
}

/// What one core has seen.
struct Seen {
    traffic: Traffic,
    ways: Vec<Sum>,
    /// A day with its stretch.
    day: (Day, u32),
    /// Sources of a range, by stretch.
    sources: Map<(u128, u32), Told>,
}

/// The number of the domain among kinds; all other names have another one.
const DOMAIN: u32 = 1;

impl Summing for Cells<'_> {
    type State = Seen;
    type Sums = Vec<Line>;

    fn begin(&self) -> Seen {
        Seen {
            traffic: Traffic::default(),
            ways: vec![Sum::default(); self.record.ways.len()],
            day: (Day(i32::MIN), 0),
            sources: Map::default(),
        }
    }

    fn wants(&self, _: Day) -> bool {
        true
    }

    fn number(&self, name: &str) -> u32 {
        if name == self.domain { DOMAIN } else { 0 }
    }

    fn add(&self, seen: &mut Seen, day: Day, cell: &Skimmed, kind: &Kind) {
        let (total, shape) = (cell.messages, kind.shape());
        let about = kind.spf() == DOMAIN;
        let passed = about && shape.spf() == Spf::Pass;
        let sum = Sum {
            messages: total,
            aligned: if passed && shape.spf_aligned() { total } else { 0 },
            evaluated: if about { total } else { 0 },
        };
        let traffic = &mut seen.traffic;
        traffic.messages = traffic.messages.saturating_add(total);
        traffic.evaluated = traffic.evaluated.saturating_add(sum.evaluated);
        traffic.passed = traffic.passed.saturating_add(if passed { total } else { 0 });
        if about && shape.spf() == Spf::PermError {
            traffic.permerror = traffic.permerror.saturating_add(total);
            traffic.permerror_lately += if day > self.before { total } else { 0 };
        }
        if seen.day.0 != day {
            seen.day = (day, u32::try_from(self.record.at(day)).unwrap_or(u32::MAX));
        }
        let stretch = seen.day.1;
        let told = seen.sources.entry((cell.source, stretch)).or_insert_with(|| {
            let (of, address) = (&self.record.stretches[stretch as usize], address(cell.source));
            let explained = of.strict.answer(address).outcome == Outcome::Result(SpfResult::Pass);
            Told { way: of.ways[of.whole.index(address)], explained, passed: 0 }
        });
        if let Some(sums) = seen.ways.get_mut(told.way as usize) {
            sums.add(sum);
        }
        if passed && !told.explained {
            told.passed = told.passed.saturating_add(total);
        }
    }

    fn end(&self, seen: &mut Seen) -> Vec<Line> {
        let lines = seen.sources.drain().map(|((source, stretch), told)| (source, stretch, told));
        lines.filter(|(.., told)| told.way != NOWHERE || told.passed > 0).collect()
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
    let cells = Cells { record: &record, domain: &text, before: period.1.plus(-LATELY_DAYS) };
    let ranges = Ranges::of_day(ledger, &organization, period.1)?;
    let found = ranges.summed(ledger, &organization, period, &cells)?;
    let mut traffic = Traffic { assumed: record.first == 0, ..Traffic::default() };
    for Seen { traffic: of, ways, .. } in found.states {
        traffic.messages = traffic.messages.saturating_add(of.messages);
        traffic.evaluated = traffic.evaluated.saturating_add(of.evaluated);
        traffic.passed = traffic.passed.saturating_add(of.passed);
        traffic.permerror = traffic.permerror.saturating_add(of.permerror);
        traffic.permerror_lately += of.permerror_lately;
        for (way, sum) in record.ways.iter().zip(ways) {
            (1..=way.len()).for_each(|to| traffic.paths.entry(way[..to].to_vec()).or_default().add(sum));
        }
    }
    traffic.tell(&record, &found.by_range, most)?;
    Ok(traffic)
}

/// What is known of sources, summed over ranges of addresses.
#[derive(Default)]
struct Sources {
    /// By the ways down that let one pass: how many.
    below: Map<Vec<u32>, u64>,
    /// Those that pass in reports but not by the record: how many messages, and the last stretch on which there are some.
    unexplained: Vec<(Reverse<u64>, IpAddr, u32)>,
    unexplained_total: usize,
}

impl Sources {
    /// Adds the sources of a range, and of those that are not explained keeps so many.
    fn add(&mut self, stretches: &[Vec<Line>], most: usize) {
        let mut lines: Vec<&Line> = stretches.iter().flatten().collect();
        lines.sort_unstable_by_key(|(source, stretch, _)| (*source, *stretch));
        let mut ways = Vec::new();
        for of_source in lines.chunk_by(|a, b| a.0 == b.0) {
            ways.clear();
            ways.extend(of_source.iter().map(|(.., told)| told.way).filter(|way| *way != NOWHERE));
            ways.sort_unstable();
            ways.dedup();
            if let Some(sources) = self.below.get_mut(&ways) {
                *sources += 1;
            } else if !ways.is_empty() {
                self.below.insert(ways.clone(), 1);
            }
            let with = of_source.iter().filter(|(.., told)| told.passed > 0);
            if let Some((source, last, _)) = with.clone().next_back() {
                let passed = with.fold(0_u64, |sum, (.., told)| sum.saturating_add(told.passed));
                self.unexplained.push((Reverse(passed), address(*source), *last));
                self.unexplained_total += 1;
            }
        }
        if self.unexplained.len() > most {
            self.unexplained.select_nth_unstable(most);
            self.unexplained.truncate(most);
        }
    }
}

impl Traffic {
    /// Counts sources, and names those that are not explained.
    fn tell(&mut self, record: &Record, lines: &[Vec<Vec<Line>>], most: usize) -> Result<(), Error> {
        let work = |sources: &mut Sources, stretches: &Vec<Vec<Line>>| {
            sources.add(stretches, most);
            Ok(())
        };
        let mut unexplained = Vec::new();
        for sources in cores::each(lines, Sources::default, work, |sources| sources)? {
            unexplained.extend(sources.unexplained);
            self.unexplained_total += sources.unexplained_total;
            for (ways, sources) in sources.below {
                // A term that leads to several ways has the source once.
                let ways = ways.iter().filter_map(|way| record.ways.get(*way as usize));
                let terms: HashSet<&[_]> = ways.flat_map(|way| (1..=way.len()).map(|to| &way[..to])).collect();
                for term in terms {
                    *self.sources.entry(term.to_vec()).or_default() += sources;
                }
            }
        }
        unexplained.sort_unstable();
        unexplained.truncate(most);
        let tell = |(Reverse(passed), address, stretch): (Reverse<u64>, IpAddr, u32)| {
            let decision = record.stretches[stretch as usize].strict.answer(address).clone();
            Unexplained { address, passed, decision }
        };
        self.unexplained = unexplained.into_iter().map(tell).collect();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use store::{Look, PublishedState};

    use super::*;
    use crate::flows::cell::{Cell, Names, Shape};
    use crate::flows::day::{CELLS, number};
    use crate::flows::pack::pack;

    const OURS: &str = "contoso.example";
    const DAYS: (i32, i32) = (20_100, 20_160);

    /// Moment in days, name, record.
    const RECORDS: [(i32, &str, &str); 4] = [
        (20_090, OURS, "v=spf1 include:a.test ip4:192.0.2.16/28 ip6:2001:db8::/126 -all"),
        (20_090, "a.test", "v=spf1 ip4:192.0.2.0/29 ip4:192.0.2.32/30 -all"),
        (20_130, OURS, "v=spf1 ip4:192.0.2.0/30 include:a.test ip4:192.0.2.16/28 -all"),
        (20_145, "a.test", "v=spf1 ip4:192.0.2.0/28 -all"),
    ];

    fn days() -> Vec<(Day, Names, Vec<Cell>)> {
        let mut state = 11_u64;
        let mut below = move |end: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % end
        };
        let of_day = |day| {
            let mut names = Names::default();
            let (other, ours) = (names.number("vendor.test"), names.number(OURS));
            let mut cells: Vec<Cell> = (0..25)
                .map(|_| Cell {
                    source: match below(50) {
                        host @ 0..40 => number(IpAddr::from([192, 0, 2, host.to_le_bytes()[0]])),
                        host => 0x2001_0db8_u128 << 96 | u128::from(host - 40),
                    },
                    author: ours,
                    spf: [ours, other][usize::from(below(3) == 0)],
                    // Outcome, and what SPF said.
                    shape: Shape(
                        u32::try_from(below(6) | [1, 1, 7, 2][usize::from(below(4).to_le_bytes()[0])] << 5).unwrap(),
                    ),
                    messages: [1 + below(9), 0, 0, below(2)],
                    ..Cell::default()
                })
                .collect();
            cells.sort_by_key(|cell| cell.source);
            (Day(day), names, cells)
        };
        (DAYS.0..=DAYS.1).map(of_day).collect()
    }

    #[test]
    fn mail_is_summed_by_the_record_of_its_day() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path()).unwrap();
        for (day, name, record) in RECORDS {
            let (domain, kind, record_type) = (OURS.to_owned(), "spf".to_owned(), "TXT".to_owned());
            let (state, name, value) = (PublishedState::Found, name.to_owned(), record.to_owned());
            let look = Look { domain, kind, name, record_type, state, value };
            ledger.note_published(i64::from(day) * 86_400, [&look]).unwrap();
        }
        let days = days();
        for (day, names, cells) in &days {
            ledger.put_derived(CELLS.values, [(OURS, i64::from(day.0), 1, pack(names, cells))]).unwrap();
        }
        let (history, domain) = (History::read(&ledger, Some(OURS)).unwrap(), Name::from_unicode(OURS).unwrap());

        // The plain way: each cell by the record as it was on its day.
        let mut expected = Traffic::default();
        let mut sources: BTreeMap<Path, HashSet<u128>> = BTreeMap::new();
        let mut unexplained: BTreeMap<u128, (u64, Day)> = BTreeMap::new();
        for (day, names, cells) in &days {
            let record = dns::now(spf::compile(&history.as_of(*day), &domain, &lifted()));
            for cell in cells {
                let about = names.name(cell.spf) == OURS;
                let passed = about && cell.shape.spf() == Spf::Pass;
                let only = |yes: bool| if yes { cell.total() } else { 0 };
                expected.messages += cell.total();
                expected.evaluated += only(about);
                expected.passed += only(passed);
                let broken = about && cell.shape.spf() == Spf::PermError;
                expected.permerror += only(broken);
                expected.permerror_lately += only(broken && day.0 > DAYS.1 - LATELY_DAYS);
                let decision = record.answer(address(cell.source));
                if decision.outcome == Outcome::Result(SpfResult::Pass) {
                    let way: Path = decision.path.iter().map(|step| (step.domain.clone(), step.text.clone())).collect();
                    let aligned = only(passed && cell.shape.spf_aligned());
                    for to in 1..=way.len() {
                        let sum = Sum { messages: cell.total(), aligned, evaluated: only(about) };
                        expected.paths.entry(way[..to].to_vec()).or_default().add(sum);
                        sources.entry(way[..to].to_vec()).or_default().insert(cell.source);
                    }
                } else if passed {
                    let (sum, last) = unexplained.entry(cell.source).or_default();
                    (*sum, *last) = (*sum + cell.total(), *day);
                }
            }
        }
        let mut unexplained: Vec<_> = unexplained.into_iter().collect();
        unexplained.sort_by_key(|(source, (sum, _))| (Reverse(*sum), *source));
        assert!(
            unexplained.len() > 20 && sources.len() == 7 && expected.permerror_lately > 0,
            "there is enough of each"
        );

        for most in [5, 1_000] {
            let found = traffic(&ledger, &history, &domain, (Day(DAYS.0), Day(DAYS.1)), most).unwrap();
            let sums = |t: &Traffic| (t.messages, t.evaluated, t.passed, t.permerror, t.permerror_lately);
            assert_eq!(sums(&found), sums(&expected));
            assert_eq!(found.paths, expected.paths);
            let of_path = |(path, sources): (&Path, &HashSet<u128>)| (path.clone(), sources.len() as u64);
            assert_eq!(found.sources, sources.iter().map(of_path).collect());
            assert_eq!(found.unexplained_total, unexplained.len());
            assert_eq!(found.unexplained.len(), most.min(unexplained.len()));
            for (found, (source, (passed, last))) in found.unexplained.iter().zip(&unexplained) {
                assert_eq!((number(found.address), found.passed), (*source, *passed));
                let then = dns::now(spf::compile(&history.as_of(*last), &domain, &Limits::default()));
                assert_eq!(found.decision, *then.answer(found.address), "by the last record it was sent under");
            }
            assert!(!found.assumed);
        }
    }
}
