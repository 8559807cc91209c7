//! The truth about every flow: kept while reports are written, and written out as one JSON object a line.

use std::collections::BTreeMap;
use std::io::{self, Write};

use report::{Day, Outcome, Row};
use serde::Serialize;

use crate::flow::{Class, Envelope, Flow, Who};
use crate::traffic::World;

/// What is known of one flow.
#[derive(Debug, Clone, Default)]
struct Known {
    /// (sent, reported) of each day.
    days: Vec<[u64; 2]>,
    /// (sent, reported) by author domain.
    authors: BTreeMap<usize, [u64; 2]>,
    /// Reported by outcome, in the order of [`Outcome::ALL`].
    outcomes: [u64; 6],
}

/// What is known of all flows.
pub(crate) struct Truth(Vec<Known>);

impl Truth {
    pub(crate) fn new(flows: usize, days: usize) -> Self {
        Self(vec![Known { days: vec![[0; 2]; days], ..Known::default() }; flows])
    }

    /// Messages were sent, seen by a reporter or not.
    pub(crate) fn sent(&mut self, flow: usize, day: usize, author: usize, messages: u64) {
        self.count(flow, day, author, 0, messages);
    }

    /// A row is in a report that stands.
    pub(crate) fn reported(&mut self, flow: usize, day: usize, author: usize, row: &Row) {
        self.count(flow, day, author, 1, row.count);
        let outcome = row.outcome();
        if let Some(at) = Outcome::ALL.iter().position(|o| *o == outcome) {
            self.0[flow].outcomes[at] += row.count;
        }
    }

    /// Messages of a flow in the reports about a day of the story.
    pub(crate) fn reported_on(&self, flow: usize, day: usize) -> u64 {
        self.0.get(flow).and_then(|known| known.days.get(day)).map_or(0, |[_, reported]| *reported)
    }

    fn count(&mut self, flow: usize, day: usize, author: usize, what: usize, messages: u64) {
        let known = &mut self.0[flow];
        known.days[day][what] += messages;
        known.authors.entry(author).or_default()[what] += messages;
    }

    /// Writes one line a flow.
    pub(crate) fn write(&self, out: &mut dyn Write, world: &World, first: Day) -> io::Result<()> {
        for (flow, known) in world.flows.iter().zip(&self.0) {
            serde_json::to_writer(&mut *out, &Line::of(flow, known, world, first))?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }
}

/// One line of `truth.jsonl`.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    /// What it is at first; the phases say how that changes.
    class: Class,
    diagnosis: &'a str,
    step: u8,
    team: Option<&'a str>,
    local_part: Option<&'a str>,
    service: Option<&'a str>,
    author_domains: Vec<Author<'a>>,
    sources: &'a [std::net::IpAddr],
    helo: &'a [report::Text],
    phases: Vec<PhaseLine<'a>>,
    sent: u64,
    reported: u64,
    outcomes: BTreeMap<&'static str, u64>,
    days: Vec<DayLine>,
}

#[derive(Serialize)]
struct Author<'a> {
    domain: &'a str,
    sent: u64,
    reported: u64,
}

#[derive(Serialize)]
struct PhaseLine<'a> {
    /// First day; absent where it was always so.
    from: Option<Day>,
    class: Class,
    diagnosis: &'a str,
    authentication: Vec<AuthenticationLine<'a>>,
}

#[derive(Serialize)]
struct AuthenticationLine<'a> {
    /// The share of the flow's messages.
    share: f64,
    /// `author` is the author domain itself, `organization` the organizational domain above it, empty the null path.
    envelope_from: &'a str,
    spf: report::AuthResult,
    dkim: Vec<SignatureLine<'a>>,
}

#[derive(Serialize)]
struct SignatureLine<'a> {
    domain: &'a str,
    selector: &'a str,
    result: report::AuthResult,
}

#[derive(Serialize)]
struct DayLine {
    day: Day,
    sent: u64,
    reported: u64,
}

impl<'a> Line<'a> {
    fn of(flow: &'a Flow, known: &Known, world: &'a World, first: Day) -> Self {
        let domain = |at: usize| world.estate.domains[at].name.as_str();
        let mut days = Vec::new();
        for (n, [sent, reported]) in (0..).zip(&known.days) {
            if *sent > 0 {
                days.push(DayLine { day: first.plus(n), sent: *sent, reported: *reported });
            }
        }
        Self {
            id: &flow.id,
            class: flow.phases[0].class,
            diagnosis: flow.phases[0].diagnosis,
            step: flow.step,
            team: flow.team.as_deref(),
            local_part: flow.local_part.as_deref(),
            service: flow.service.as_deref(),
            author_domains: flow
                .authors
                .iter()
                .map(|(at, _)| {
                    let [sent, reported] = known.authors.get(at).copied().unwrap_or_default();
                    Author { domain: domain(*at), sent, reported }
                })
                .collect(),
            sources: &flow.addresses.all,
            helo: &flow.addresses.helo,
            phases: phases(flow, first),
            sent: known.days.iter().map(|[sent, _]| sent).sum(),
            reported: known.days.iter().map(|[_, reported]| reported).sum(),
            outcomes: Outcome::ALL
                .iter()
                .map(|outcome| outcome.word())
                .zip(known.outcomes)
                .filter(|(_, n)| *n > 0)
                .collect(),
            days,
        }
    }
}

fn phases(flow: &Flow, first: Day) -> Vec<PhaseLine<'_>> {
    let phase = |phase: &'_ crate::flow::Phase| (phase.from > i32::MIN).then(|| first.plus(phase.from));
    flow.phases
        .iter()
        .map(|p| PhaseLine {
            from: phase(p),
            class: p.class,
            diagnosis: p.diagnosis,
            authentication: authentication(&p.mix),
        })
        .collect()
}

fn authentication(mix: &[crate::flow::Authentication]) -> Vec<AuthenticationLine<'_>> {
    let total: f64 = mix.iter().map(|part| part.weight).sum();
    mix.iter()
        .map(|part| AuthenticationLine {
            // Thousandths, so that the text does not depend on how a float is printed to its last digit.
            share: (part.weight / total * 1000.0).round() / 1000.0,
            envelope_from: match &part.envelope {
                Envelope::Domain(who) => word(who),
                Envelope::Null => "",
            },
            spf: part.spf,
            dkim: part
                .dkim
                .iter()
                .map(|s| SignatureLine { domain: word(&s.by), selector: &s.selector, result: s.result })
                .collect(),
        })
        .collect()
}

fn word(who: &Who) -> &str {
    match who {
        Who::Author => "author",
        Who::Organization => "organization",
        Who::Is(name) => name,
        Who::OfAddress(_) => "of the address",
    }
}
