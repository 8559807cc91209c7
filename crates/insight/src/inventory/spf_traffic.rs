//! What mail the terms of an SPF record let pass: by source and by stretches of days on which DNS was the same, never by row.
//!
//! In: the cells of a domain's organization, and the history of DNS. Out: messages by the path of terms that let their source pass, on the
//! record of their day. The limits are lifted for that, so that what stands behind the tenth look-up is counted too; what receivers made
//! of it is in the cells.

use std::collections::HashMap;
use std::net::IpAddr;

use dns::Name;
use report::{Day, Text};
use spf::{Compiled, Decision, Limits, Outcome, SpfResult};
use store::Ledger;

use super::cells::visit;
use crate::Error;
use crate::flows::Map;
use crate::flows::cell::Spf;
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

/// A source on days with the same DNS.
#[derive(Debug, Clone, Copy, Default)]
struct OfSource {
    sum: Sum,
    /// SPF passed for the domain, says the report.
    passed: u64,
    /// It was a permanent error, says the report.
    permerror: u64,
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
    /// Sources that pass in reports but not by the record, most messages first.
    pub(super) unexplained: Vec<Unexplained>,
    /// Whether the records of some days are not known, so that the first known was taken.
    pub(super) assumed: bool,
}

/// Limits that nothing honest meets: what they would cut off is counted, and told apart by the tree.
pub(super) fn lifted() -> Limits {
    Limits { lookups_max: 100, voids_max: 100, ..Limits::default() }
}

/// Sums the mail of a period.
pub(super) fn traffic(ledger: &Ledger, history: &History, domain: &Name, period: (Day, Day)) -> Result<Traffic, Error> {
    let mut traffic = Traffic::default();
    let text = domain.to_string();
    let turns: Vec<Day> = history.turns().into_iter().filter(|turn| *turn <= period.1).collect();
    // A stretch begins with each day on which something in DNS began to be otherwise.
    let stretch = |day: Day| turns.partition_point(|turn| *turn <= day);
    traffic.assumed = stretch(period.0) == 0;
    let mut sources: Map<(usize, u128), OfSource> = Map::default();
    let mut lately = 0_u64;
    let organization: Text = store::organizational_domain(&text);
    visit(ledger, &organization, period, &mut |day, cell, names| {
        let total = cell.total();
        let about = names.name(cell.spf) == text.as_str();
        let passed = about && cell.shape.spf() == Spf::Pass;
        let of = sources.entry((stretch(day), cell.source)).or_default();
        of.sum.add(Sum {
            messages: total,
            aligned: if passed && cell.shape.spf_aligned() { total } else { 0 },
            evaluated: if about { total } else { 0 },
        });
        of.passed += if passed { total } else { 0 };
        let permerror = if about && cell.shape.spf() == Spf::PermError { total } else { 0 };
        of.permerror += permerror;
        if day > period.1.plus(-LATELY_DAYS) {
            lately += permerror;
        }
    })?;
    traffic.permerror_lately = lately;
    let mut sources: Vec<_> = sources.into_iter().collect();
    sources.sort_unstable_by_key(|(of, _)| *of);
    let mut at: Option<(usize, Compiled, Compiled)> = None;
    let mut unexplained: HashMap<u128, Unexplained> = HashMap::new();
    let mut counted: std::collections::HashSet<(Path, u128)> = std::collections::HashSet::new();
    for ((number, source), of) in sources {
        if at.as_ref().is_none_or(|(known, ..)| *known != number) {
            // Before the first look, the first that is known.
            let day = number.checked_sub(1).and_then(|at| turns.get(at)).copied().unwrap_or(period.1);
            let then = history.as_of(if number == 0 { period.0 } else { day });
            let whole = dns::now(spf::compile(&then, domain, &lifted()));
            let strict = dns::now(spf::compile(&then, domain, &Limits::default()));
            at = Some((number, whole, strict));
        }
        let Some((_, whole, strict)) = &at else { continue };
        traffic.messages = traffic.messages.saturating_add(of.sum.messages);
        traffic.evaluated = traffic.evaluated.saturating_add(of.sum.evaluated);
        traffic.passed = traffic.passed.saturating_add(of.passed);
        traffic.permerror = traffic.permerror.saturating_add(of.permerror);
        let decision = whole.answer(address(source));
        if decision.outcome == Outcome::Result(SpfResult::Pass) {
            let mut path = Path::new();
            for step in &decision.path {
                path.push((step.domain.clone(), step.text.clone()));
                traffic.paths.entry(path.clone()).or_default().add(of.sum);
                if counted.insert((path.clone(), source)) {
                    *traffic.sources.entry(path.clone()).or_default() += 1;
                }
            }
        }
        let said = strict.answer(address(source));
        if of.passed > 0 && said.outcome != Outcome::Result(SpfResult::Pass) {
            let new = Unexplained { address: address(source), passed: 0, decision: said.clone() };
            let known = unexplained.entry(source).or_insert(new);
            known.passed += of.passed;
            known.decision = said.clone();
        }
    }
    traffic.unexplained = unexplained.into_values().collect();
    traffic.unexplained.sort_by(|a, b| b.passed.cmp(&a.passed).then_with(|| a.address.cmp(&b.address)));
    Ok(traffic)
}
