//! The cards: what to do, gathered from flows, spikes and reporters, those that harm most first.

use std::collections::BTreeMap;

use report::{Day, Text};

use super::{TodayCard, TodayFlow, TodayKind};
use crate::rate;
use crate::two_lists::{a_day, leans};
use crate::{ClassSpike, Diagnosis, Expected, FlowClass, FlowLine, Punctuality, commas};

/// Wanted messages a day that fail, below which nobody is bothered: mail of our own and of services, which can be mended.
const OURS: f64 = 1.0;
/// The same for what is passed on, which cannot, and for what nobody knows.
const OTHERS: f64 = 10.0;
/// What began within so many days is told with its beginning.
const NEW: i32 = 28;
/// Flows named on a card.
const NAMED: usize = 3;
/// Of a reporter that sends fewer reports in four weeks, silence is no news.
const HEARD: u64 = 20;

/// One matter: what it is about, in whose name, and what is wrong; a service's mail stands for itself.
type Matter = (TodayKind, Text, Option<Diagnosis>, String);

/// A flow of a matter.
struct Part {
    failing: u64,
    since: Option<Day>,
    sources: u64,
    flow: TodayFlow,
    together: u64,
}

/// What was gathered.
#[derive(Default)]
pub(super) struct Gathered {
    matters: BTreeMap<Matter, Vec<Part>>,
    cards: Vec<TodayCard>,
    days: usize,
    /// Failing messages that nobody is bothered about: passed on, unknown.
    small: (u64, u64),
}

impl Gathered {
    /// Adds a flow that is of a class now, with what of it failed in the judged days.
    pub(super) fn add(&mut self, line: &FlowLine, class: FlowClass, failing: u64, days: (Day, Day)) {
        self.days = crate::scope::length(days);
        let kind = match class {
            FlowClass::OwnMisconfigured => TodayKind::OwnMisconfigured,
            FlowClass::ThirdPartyUnaligned => TodayKind::ThirdPartyUnaligned,
            FlowClass::ForwarderBroken => TodayKind::Forwarder,
            // Bad standing is an answer, if not a proof: it is among what a stricter policy would stop.
            FlowClass::Unknown if leans(line) != Some(false) => TodayKind::Unknown,
            _ => return,
        };
        if failing == 0 {
            return;
        }
        let diagnosis = line.diagnosis.filter(|_| kind == TodayKind::OwnMisconfigured);
        let alone = if kind == TodayKind::ThirdPartyUnaligned { line.id.clone() } else { String::new() };
        let began = line.phases.last().map_or(line.first_day, |phase| phase.first_day);
        let part = Part {
            failing,
            since: Some(began).filter(|day| *day > days.1.plus(-NEW)),
            sources: line.sources,
            flow: TodayFlow {
                flow: line.id.clone(),
                name: line.name.clone(),
                rule: line.rule.clone(),
                why: line.why.clone(),
            },
            together: line.together,
        };
        self.matters.entry((kind, line.organizational_domain.clone(), diagnosis, alone)).or_default().push(part);
    }

    /// Adds days that stand out.
    pub(super) fn spikes(&mut self, spikes: impl Iterator<Item = ClassSpike>) {
        for spike in spikes {
            let class = spike.classes.first().map(|rise| rise.class);
            let flows: Vec<TodayFlow> = spike
                .flows
                .iter()
                .filter(|rise| Some(rise.class) == class)
                .take(NAMED)
                .map(|rise| TodayFlow {
                    flow: rise.flow.clone(),
                    name: rise.name.clone(),
                    rule: String::new(),
                    why: String::new(),
                })
                .collect();
            let wanted: u64 = spike
                .classes
                .iter()
                .filter(|rise| rise.class.is_legitimate())
                .map(|rise| rise.failing.saturating_sub(rise.usual))
                .sum();
            let what = spike.sentence.split_once(':').map_or("Far more failed than usual", |(what, _)| what).to_owned();
            self.cards.push(TodayCard {
                kind: TodayKind::Spike,
                organizational_domain: None,
                title: what,
                text: format!(
                    "{} messages failed in one day, usually {}. {}",
                    commas(spike.failing),
                    commas(spike.usual),
                    spike.sentence
                ),
                remedy: match class {
                    Some(class) if class.is_legitimate() => "Look at the flow, and talk to who sends it.".to_owned(),
                    Some(FlowClass::Spoofer) => "Nothing: a stricter policy is what stops it.".to_owned(),
                    _ => "Look at the flows of the day, and say what they are.".to_owned(),
                },
                a_day: a_day(wanted, self.days.max(1)),
                since: Some(spike.day),
                class,
                flows_total: flows.len() as u64,
                flows,
            });
        }
    }

    /// Adds reporters that have fallen silent.
    pub(super) fn silent(&mut self, expected: &Expected) {
        let silent: Vec<_> = expected
            .reporters
            .iter()
            .filter(|line| line.state == Punctuality::Silent && line.usual_reports >= HEARD)
            .collect();
        let Some(first) = silent.iter().max_by_key(|line| line.usual_reports) else { return };
        let since = silent.iter().filter_map(|line| line.silent_since).min();
        let who = Text::new(&first.reporter);
        let title = match silent.len() {
            1 => format!("{who} has fallen silent"),
            n => format!("{n} reporters have fallen silent, {who} among them"),
        };
        self.cards.push(TodayCard {
            kind: TodayKind::Reporters,
            organizational_domain: None,
            text: format!(
                "It usually sends {} reports in four weeks. What it would tell is missing from every number here.",
                commas(first.usual_reports)
            ),
            title,
            remedy: "See whether the mailbox still takes its mail, and whether rua= still names it.".to_owned(),
            a_day: 0.0,
            since,
            class: None,
            flows: Vec::new(),
            flows_total: 0,
        });
    }

    /// What was looked at and needs nobody. Call it before [`Self::cards`].
    pub(super) fn quiet(&mut self, unauthorised: u64, days: usize) -> Vec<String> {
        for ((kind, ..), parts) in &self.matters {
            let failing: u64 = parts.iter().map(|part| part.failing).sum();
            if a_day(failing, days) < OTHERS {
                match kind {
                    TodayKind::Forwarder => self.small.0 += failing,
                    TodayKind::Unknown => self.small.1 += failing,
                    _ => {}
                }
            }
        }
        let told = |n: u64, what: &str| (n > 0).then(|| format!("{} a day {what}", rate(a_day(n, days))));
        [
            told(unauthorised, "sent without any right: spoofing, for a stricter policy to stop."),
            told(self.small.0, "through forwarders that alter mail: below the limit, and never an SPF matter."),
            told(self.small.1, "of which nobody knows what they are: too few to ask about."),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// All cards, those that harm most first.
    pub(super) fn cards(mut self) -> Vec<TodayCard> {
        let days = self.days.max(1);
        for ((kind, domain, diagnosis, _), mut parts) in std::mem::take(&mut self.matters) {
            let failing: u64 = parts.iter().map(|part| part.failing).sum();
            let floor = if matches!(kind, TodayKind::Forwarder | TodayKind::Unknown) { OTHERS } else { OURS };
            let each = a_day(failing, days);
            if each >= floor {
                parts.sort_by_key(|part| std::cmp::Reverse(part.failing));
                self.cards.push(card(kind, domain, diagnosis, &parts, each));
            }
        }
        // Of what nobody knows it is not said that it is wanted: it comes after what is.
        let rank = |card: &TodayCard| if card.kind == TodayKind::Unknown { card.a_day / 10.0 } else { card.a_day };
        self.cards.sort_by(|a, b| rank(b).total_cmp(&rank(a)).then(a.kind.cmp(&b.kind)).then(a.title.cmp(&b.title)));
        self.cards
    }
}

fn card(kind: TodayKind, domain: Text, diagnosis: Option<Diagnosis>, parts: &[Part], each: f64) -> TodayCard {
    let flows_total: u64 = parts.iter().map(|part| part.together).sum();
    let sources: u64 = parts.iter().map(|part| part.sources).sum();
    let from = if sources == 1 { "one address".to_owned() } else { format!("{} addresses", commas(sources)) };
    let name = parts.first().map_or_else(Text::default, |part| Text::new(&part.flow.name));
    let many = if flows_total == 1 { format!("{name}") } else { format!("{} flows", commas(flows_total)) };
    let (class, title, text, remedy) = match kind {
        TodayKind::OwnMisconfigured => (
            FlowClass::OwnMisconfigured,
            diagnosis.map_or_else(|| "Our own mail fails".to_owned(), |diagnosis| capital(diagnosis.label())),
            format!("Mail of our own from {from}, {many}, fails in the name of {domain}."),
            diagnosis.map_or("Look at the evidence of the flow.", Diagnosis::remedy),
        ),
        TodayKind::ThirdPartyUnaligned => (
            FlowClass::ThirdPartyUnaligned,
            format!("A service is not set up: {name}"),
            format!("A service sends for us from {from}, and fails in the name of {domain}."),
            "Let it sign with a key of the author domain, or give it an envelope sender below it.",
        ),
        TodayKind::Forwarder => (
            FlowClass::ForwarderBroken,
            "Forwarders and lists alter our mail".to_owned(),
            format!("{many} from {from} pass on mail of {domain} that no longer verifies."),
            "Never an SPF entry. Sign all mail, and keep people who need lists on a domain with a softer policy.",
        ),
        _ => (
            FlowClass::Unknown,
            "Nobody knows who sends this".to_owned(),
            format!("{many} from {from} send in the name of {domain}, and nothing says whether they may."),
            "Look at them, the largest first, and say what they are.",
        ),
    };
    TodayCard {
        kind,
        organizational_domain: Some(domain),
        title,
        text,
        remedy: remedy.to_owned(),
        a_day: each,
        since: parts.first().and_then(|part| part.since),
        class: Some(class),
        flows: parts.iter().take(NAMED).map(|part| part.flow.clone()).collect(),
        flows_total,
    }
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The first few. Silent reporters are told among them whatever else there is: without their reports all other numbers are too low.
pub(super) fn first(mut cards: Vec<TodayCard>, most: usize) -> Vec<TodayCard> {
    if let Some(at) = cards.iter().position(|card| card.kind == TodayKind::Reporters).filter(|at| *at >= most) {
        let silent = cards.remove(at);
        cards.insert(most - 1, silent);
    }
    cards.truncate(most);
    cards
}
