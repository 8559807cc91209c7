//! Today: what needs somebody? A verdict for each organizational domain, and at most five things to do, those that harm most first.
//!
//! In: the snapshot of flows, arrivals of reports. Out: plain data. Judged is the newest week whose reports are in; that nothing is to be
//! done is a result too.

use std::collections::BTreeMap;

use report::{Day, Text};
use schemars::JsonSchema;
use serde::Serialize;
use store::Ledger;

mod cards;
mod domains;

use cards::Gathered;
use domains::Judging;

use crate::flows::{class_on, load, stale, within};
use crate::two_lists::{a_day, complete};
use crate::{Error, Expected, FlowClass, Period, Punctuality, Scope, class_trend, expected};

/// Days that are judged: a week, so that each weekday counts once.
const JUDGED: i32 = 7;
/// Weeks drawn.
const WEEKS: usize = 12;
/// Cards at most.
const CARDS: usize = 5;
/// Domains listed.
const DOMAINS: usize = 50;
/// Reporters named in the strip.
const REPORTERS: usize = 6;

/// What needs somebody.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Today {
    /// The days that are judged; absent when the ledger is empty.
    #[schemars(with = "Option<(String, String)>")]
    pub days: Option<(Day, Day)>,
    /// Whether reports came since the flows were judged.
    pub stale: bool,
    /// How the domains fare, in one sentence.
    pub sentence: String,
    /// Wanted messages that fail a day.
    pub at_risk_a_day: f64,
    /// Organizational domains, those that need somebody first; at most 50.
    pub domains: Vec<TodayDomain>,
    /// How many there are.
    pub domains_total: usize,
    /// What to do, those that harm most first; at most five.
    pub cards: Vec<TodayCard>,
    /// How many there are in all.
    pub cards_total: usize,
    /// What was looked at and needs nobody, in words.
    pub quiet: Vec<String>,
    /// Reports received against those to be expected: the reporters that usually send most, then the others together.
    pub reporters: Vec<TodayReporter>,
}

/// How a domain fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TodayState {
    /// Wanted mail fails: somebody has to act.
    Act,
    /// Something is worth a look.
    Watch,
    /// Too few days to say.
    NotEnoughData,
    /// No action required.
    Healthy,
}

/// One organizational domain.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TodayDomain {
    /// Its name.
    #[schemars(with = "String")]
    pub organizational_domain: Text,
    /// How it fares.
    pub state: TodayState,
    /// Why, in one sentence.
    pub because: String,
    /// Wanted messages in the judged days.
    pub wanted: u64,
    /// Of these: fail.
    pub wanted_failing: u64,
    /// Messages a day that are sent without any right.
    pub unauthorised_a_day: f64,
    /// Of these: held back by no receiver.
    pub delivered_a_day: f64,
    /// The newest weeks, oldest first; the last one ends with the judged days.
    pub weeks: Vec<TodayWeek>,
}

/// A week of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TodayWeek {
    /// Its first day.
    #[schemars(with = "String")]
    pub first_day: Day,
    /// Wanted messages.
    pub wanted: u64,
    /// Of these: fail.
    pub wanted_failing: u64,
    /// Messages sent without any right.
    pub unauthorised: u64,
    /// Of these: held back by no receiver.
    pub delivered: u64,
}

/// What a card is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TodayKind {
    /// Our own mail that does not pass.
    OwnMisconfigured,
    /// A service's mail for us that does not pass.
    ThirdPartyUnaligned,
    /// A day on which far more failed than usual.
    Spike,
    /// Reporters that have fallen silent.
    Reporters,
    /// Mail that is passed on and altered.
    Forwarder,
    /// Mail of which nobody knows what it is.
    Unknown,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TodayCard {
    /// What it is about.
    pub kind: TodayKind,
    /// The domain; absent where it is about all.
    #[schemars(with = "Option<String>")]
    pub organizational_domain: Option<Text>,
    /// What is the matter, in a few words.
    pub title: String,
    /// The same with its figures.
    pub text: String,
    /// What to do.
    pub remedy: String,
    /// Wanted messages a day that fail for it; 0 where none do.
    pub a_day: f64,
    /// Since when, where it began within the last four weeks; of a spike the day.
    #[schemars(with = "Option<String>")]
    pub since: Option<Day>,
    /// The class that all its flows have, where it is about flows.
    pub class: Option<FlowClass>,
    /// Its flows, those that fail most first; at most three.
    pub flows: Vec<TodayFlow>,
    /// How many there are.
    pub flows_total: u64,
}

/// A flow on a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TodayFlow {
    /// Its id.
    pub flow: String,
    /// Who sends, in a few words.
    pub name: String,
    /// The rule that decided what it is.
    pub rule: String,
    /// Why, in one sentence.
    pub why: String,
}

/// Reports of one reporter against those to be expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TodayReporter {
    /// The organisation; absent for all others together.
    pub reporter: Option<String>,
    /// How many reporters it stands for.
    pub reporters: u64,
    /// How it stands; of several, the worst.
    pub state: Punctuality,
    /// Reports received for the days that are judged.
    pub received: u64,
    /// Reports to be expected.
    pub expected: u64,
    /// Since when nothing has come.
    #[schemars(with = "Option<String>")]
    pub silent_since: Option<Day>,
}

/// What needs somebody, as of the newest day of the ledger.
///
/// # Errors
/// When the ledger cannot be read.
pub fn today(ledger: &Ledger) -> Result<Today, Error> {
    let mut found = Today {
        days: None,
        stale: false,
        sentence: "The ledger is empty.".to_owned(),
        at_risk_a_day: 0.0,
        domains: Vec::new(),
        domains_total: 0,
        cards: Vec::new(),
        cards_total: 0,
        quiet: Vec::new(),
        reporters: Vec::new(),
    };
    let Some((first, last)) = complete(ledger, Period::All)? else { return Ok(found) };
    let days = (last.plus(1 - JUDGED).max(first), last);
    found.days = Some(days);
    let expected = expected(ledger)?;
    found.reporters = reporters(&expected);
    let mut gathered = Gathered::default();
    let mut judging: BTreeMap<Text, Judging> = BTreeMap::new();
    if let Some((snapshot, counts)) = load(ledger)? {
        found.stale = stale(ledger)?;
        for (line, authors) in snapshot.flows.iter().zip(&counts.0) {
            let of = judging.entry(line.organizational_domain.clone()).or_insert_with(|| Judging::new(last));
            of.seen(line);
            let (from, mut failing) = (of.from(), 0);
            for day in authors.iter().flat_map(|(_, all)| within(all, (from, last))) {
                of.add(*day, class_on(line, day.day));
                failing += if day.day >= days.0 { day.failing } else { 0 };
            }
            gathered.add(line, class_on(line, last), failing, days);
        }
    }
    // The weeks around the judged one say what is usual.
    let near = Scope { period: Period::Days(last.plus(-41), last), ..Scope::default() };
    let spikes = class_trend(ledger, &near)?.spikes;
    gathered.spikes(spikes.into_iter().filter(|spike| days.0 <= spike.day));
    gathered.silent(&expected);
    let lengths = crate::scope::length(days);
    found.at_risk_a_day = a_day(judging.values().map(|of| of.this_week().wanted_failing).sum(), lengths);
    found.quiet = gathered.quiet(judging.values().map(|of| of.this_week().unauthorised).sum(), lengths);
    let cards = gathered.cards();
    found.domains = judging.into_iter().map(|(name, of)| of.judged(name, &cards, first, lengths)).collect();
    found.domains.sort_by(|a, b| {
        a.state.cmp(&b.state).then(b.wanted_failing.cmp(&a.wanted_failing)).then(b.wanted.cmp(&a.wanted))
    });
    found.domains_total = found.domains.len();
    found.cards_total = cards.len();
    found.sentence = sentence(&found.domains, &cards);
    found.cards = cards::first(cards, CARDS);
    found.domains.truncate(DOMAINS);
    Ok(found)
}

fn sentence(domains: &[TodayDomain], cards: &[TodayCard]) -> String {
    let of = |state| domains.iter().filter(|domain| domain.state == state).count();
    let many = |n: usize, one: &str, more: &str| {
        if n == 1 { format!("one domain {one}") } else { format!("{n} domains {more}") }
    };
    let mut parts = Vec::new();
    if of(TodayState::Act) > 0 {
        parts.push(many(of(TodayState::Act), "needs somebody", "need somebody"));
    }
    if of(TodayState::Watch) > 0 {
        parts.push(many(of(TodayState::Watch), "is worth a look", "are worth a look"));
    }
    let mut sentence = match (parts.is_empty(), cards.is_empty(), domains.is_empty()) {
        (_, _, true) => return "The flows are not judged yet.".to_owned(),
        (true, true, _) => return "No action required.".to_owned(),
        (true, false, _) => return "No domain needs somebody; something about the reports does.".to_owned(),
        _ => parts.join(", "),
    };
    sentence.push('.');
    sentence.replace_range(..1, &sentence[..1].to_uppercase());
    sentence
}

/// The reporters that usually send most, and all others as one.
fn reporters(expected: &Expected) -> Vec<TodayReporter> {
    let known = |state| !matches!(state, Punctuality::Irregular | Punctuality::New);
    let mut lines: Vec<_> = expected.reporters.iter().filter(|line| known(line.state)).collect();
    lines.sort_by(|a, b| b.usual_reports.cmp(&a.usual_reports).then_with(|| a.reporter.cmp(&b.reporter)));
    let (named, rest) = lines.split_at(lines.len().min(REPORTERS));
    let mut told: Vec<TodayReporter> = named
        .iter()
        .map(|line| TodayReporter {
            reporter: Some(line.reporter.clone()),
            reporters: 1,
            state: line.state,
            received: line.received_reports,
            expected: line.expected_reports,
            silent_since: line.silent_since,
        })
        .collect();
    if !rest.is_empty() {
        told.push(TodayReporter {
            reporter: None,
            reporters: rest.len() as u64,
            state: rest.iter().map(|line| line.state).min().unwrap_or(Punctuality::OnTime),
            received: rest.iter().map(|line| line.received_reports).sum(),
            expected: rest.iter().map(|line| line.expected_reports).sum(),
            silent_since: None,
        });
    }
    told
}
