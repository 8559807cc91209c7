//! From the ledger: sources that nothing is known of yet, with what our own reports say of them.
//!
//! In: the ledger, the day from which a profile is still fresh. Out: [`Source`]s, those with most failing messages first. Asked once a
//! run, in a handful of questions for a thousand sources each; never for a page.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use report::{Day, Outcome};
use store::{Column, Condition, Direction, Key, Ledger, Measure, Question, Test, Value};

use crate::reputation::Local;
use crate::worker::Source;

/// How much of the ledger is looked at.
#[derive(Debug, Clone, Copy)]
pub struct GatherLimits {
    /// Days back from the newest in the ledger: what a month of reports says is what counts for a grade.
    pub days: u16,
    /// Days back in which a source counts of which nothing is known at all: it is learned about once. As many as flows are judged by, so
    /// that a ledger whose reports of a year were taken in at once is judged as one that grew day by day.
    pub history: u16,
    /// Sources of one run. A large company has some 100,000 new ones a month; the rest waits for the next run.
    pub sources: usize,
    /// Domains for which DKIM or SPF passed, by source: a forwarder has thousands, and a few name the service.
    pub domains: usize,
}

impl Default for GatherLimits {
    fn default() -> Self {
        Self { days: 30, history: 400, sources: 100_000, domains: 20 }
    }
}

/// Sources that a question names at a time.
const CHUNK: usize = 1_000;

/// Reasons of receivers that speak of forwarders and lists.
const FORWARDING: [&str; 3] = ["forwarded", "mailing_list", "trusted_forwarder"];

/// The sources of the last days that have no profile learned on `fresh` or later, then those of earlier days that have none.
///
/// # Errors
/// The ledger's.
pub fn gather(ledger: &Ledger, fresh: Day, limits: GatherLimits) -> Result<Vec<Source>, store::Error> {
    let Some((_, last)) = ledger.span()? else { return Ok(Vec::new()) };
    let back = |days: u16| last.plus(1 - i32::from(days.max(1)));
    let mut sources = window(ledger, (back(limits.days), last), fresh, limits)?;
    let room = limits.sources - sources.len();
    if limits.history > limits.days && room > 0 {
        let limits = GatherLimits { sources: room, ..limits };
        // What was learned once, whenever that was, is enough for a source that is gone.
        let earlier = (back(limits.history), back(limits.days).plus(-1));
        let known: HashSet<IpAddr> = sources.iter().map(|source| source.address).collect();
        let found = window(ledger, earlier, Day(i32::MIN), limits)?;
        sources.extend(found.into_iter().filter(|source| !known.contains(&source.address)));
    }
    Ok(sources)
}

/// The sources of some days that have no profile learned on `fresh` or later, those with most failing messages first.
fn window(ledger: &Ledger, days: (Day, Day), fresh: Day, limits: GatherLimits) -> Result<Vec<Source>, store::Error> {
    let days = Some(days);
    let ranked = Question {
        days,
        group: vec![Column::Source],
        measures: vec![Measure::Failing],
        order: vec![
            (Key::Measure(Measure::Failing), Direction::Descending),
            (Key::Measure(Measure::Messages), Direction::Descending),
        ],
        ..Question::default()
    };
    let lines = ledger.ask(&ranked)?.lines;
    let addresses: Vec<IpAddr> = lines.iter().filter_map(|line| address(line.key.first())).collect();
    let failing: HashSet<IpAddr> = lines
        .iter()
        .filter(|line| number(line.measures.first()) > 0)
        .filter_map(|line| address(line.key.first()))
        .collect();
    let mut new = ledger.without_profile(&addresses, fresh)?;
    new.truncate(limits.sources);
    let mut sources = Vec::with_capacity(new.len());
    for chunk in new.chunks(CHUNK) {
        let asking = Asking { ledger, days, chunk };
        let mut locals = asking.locals()?;
        let mut dkim = asking.passed((Column::DkimDomain, Column::DkimResult), limits.domains)?;
        let mut spf = asking.passed((Column::SpfDomain, Column::SpfResult), limits.domains)?;
        sources.extend(chunk.iter().map(|address| Source {
            local: locals.remove(address).unwrap_or_default(),
            dkim_passed: dkim.remove(address).unwrap_or_default(),
            spf_passed: spf.remove(address).unwrap_or_default(),
            failing: failing.contains(address),
            ..Source::new(*address)
        }));
    }
    Ok(sources)
}

/// Some sources, and the days they are asked about.
struct Asking<'a> {
    ledger: &'a Ledger,
    days: Option<(Day, Day)>,
    chunk: &'a [IpAddr],
}

impl Asking<'_> {
    fn question(&self, column: Column, test: Test) -> Question {
        let these = Test::In(self.chunk.iter().copied().map(Value::Address).collect());
        let filter = vec![Condition { column: Column::Source, test: these }, Condition { column, test }];
        Question { days: self.days, filter, ..Question::default() }
    }

    /// What passed, and what receivers said of forwarding.
    fn locals(&self) -> Result<HashMap<IpAddr, Local>, store::Error> {
        let mut locals: HashMap<IpAddr, Local> = HashMap::new();
        let passing = Outcome::ALL.into_iter().filter(|outcome| outcome.passes());
        let passing = Test::In(passing.map(|outcome| Value::Text(outcome.word().into())).collect());
        let group = vec![Column::Source];
        let measures = vec![Measure::Messages, Measure::Distinct(Column::Day)];
        for line in self.ledger.ask(&Question { group, measures, ..self.question(Column::Outcome, passing) })?.lines {
            let Some(address) = address(line.key.first()) else { continue };
            let local = locals.entry(address).or_default();
            local.aligned_messages = number(line.measures.first());
            local.aligned_days = u32::try_from(number(line.measures.get(1))).unwrap_or(u32::MAX);
        }
        let any = Test::NotIn(vec![Value::Text("".into())]);
        let group = vec![Column::Source, Column::Reporter, Column::Day, Column::Overrides];
        let measures = vec![Measure::Messages];
        let answer = self.ledger.ask(&Question { group, measures, ..self.question(Column::Overrides, any) })?;
        let mut counted = HashSet::new();
        for line in &answer.lines {
            let [source, reporter, day, Value::Text(kinds)] = line.key.as_slice() else { continue };
            let forwards = kinds.split(',').any(|kind| FORWARDING.contains(&kind));
            if let Some(address) = address(Some(source)).filter(|_| forwards)
                && counted.insert((address, reporter, day))
            {
                locals.entry(address).or_default().override_reporter_days += 1;
            }
        }
        Ok(locals)
    }

    /// Domains for which a method passed, the most frequent first.
    fn passed(
        &self,
        (domain, result): (Column, Column),
        domains: usize,
    ) -> Result<HashMap<IpAddr, Vec<String>>, store::Error> {
        let pass = Test::In(vec![Value::Text("pass".into())]);
        let question = Question {
            group: vec![Column::Source, domain],
            measures: vec![Measure::Messages],
            order: vec![(Key::Measure(Measure::Messages), Direction::Descending)],
            ..self.question(result, pass)
        };
        let mut found: HashMap<IpAddr, Vec<String>> = HashMap::new();
        for line in self.ledger.ask(&question)?.lines {
            let [source, Value::Text(domain)] = line.key.as_slice() else { continue };
            let Some(address) = address(Some(source)) else { continue };
            let of_source = found.entry(address).or_default();
            if of_source.len() < domains && !domain.is_empty() && *domain != "-" {
                of_source.push(domain.to_string());
            }
        }
        Ok(found)
    }
}

fn address(value: Option<&Value>) -> Option<IpAddr> {
    match value {
        Some(Value::Address(address)) => Some(*address),
        _ => None,
    }
}

fn number(value: Option<&Value>) -> u64 {
    match value {
        Some(Value::Number(number)) => *number,
        _ => 0,
    }
}
