//! Decisions of people on what a flow or a network is: added one after the other, never changed; undone by another one.
//!
//! In: who decides what, and why. Out: the list, and which of them are in force. A decision binds to the flow: new addresses of it inherit
//! it, and it shows wherever the flow does, at once: decisions are laid over what was judged whenever flows are read. One on a network holds for
//! flows of which most comes from there; which those are, is found by judging anew.

use std::collections::HashSet;
use std::net::IpAddr;

use report::Day;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Ledger;

use super::answers::{ClassCounts, FlowLine};
use super::assess::InForce;
use super::class::{Diagnosis, FlowClass};
use super::day::number;
use super::rules::{Thresholds, Who};
use super::snapshot::lay_over;
use crate::{Error, parse_network};

/// What a decision is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A flow, by id.
    Flow(String),
    /// An address or a network, as `192.0.2.0/24`.
    Network(String),
}

/// A decision to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewDecision {
    /// What it is about.
    pub target: Target,
    /// What it is; `None` takes back the decision in force.
    pub class: Option<FlowClass>,
    /// Why.
    pub note: Option<String>,
    /// Who decides.
    pub who: Option<String>,
    /// The last day on which it holds.
    #[schemars(with = "Option<String>")]
    pub expires: Option<Day>,
}

/// What a decision changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Decided {
    /// Its number.
    pub decision: u64,
    /// All messages by class before it.
    pub before: ClassCounts,
    /// The same with it.
    pub after: ClassCounts,
}

/// A decision as it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Decision {
    /// Its number.
    pub id: u64,
    /// When, in seconds since 1970 UTC.
    pub at: i64,
    /// What it is about.
    pub target: Target,
    /// What it is; absent where it took back the one before.
    pub class: Option<FlowClass>,
    /// Why.
    pub note: Option<String>,
    /// Who decided.
    pub who: Option<String>,
    /// The last day on which it holds.
    #[schemars(with = "Option<String>")]
    pub expires: Option<Day>,
    /// Whether it holds: it is the newest about its target, took nothing back, and has not expired.
    pub in_force: bool,
}

/// How sure a decision is, its rule, and why.
pub(crate) const DECIDED: (u8, &str, &str) = (100, "D0", "somebody decided so");

/// Longest note and name of who decided, in bytes: a sentence or two.
const TEXT_MAX: usize = 2_000;

/// Adds a decision and gives its number.
///
/// # Errors
/// [`Error::Decision`] if it makes no sense, and when the ledger cannot be written.
pub fn decide(ledger: &Ledger, decision: &NewDecision, at: i64) -> Result<u64, Error> {
    let wrong = |what: &str| Err(Error::Decision { what: what.to_owned() });
    match &decision.target {
        Target::Flow(id) if !is_id(id) => {
            return wrong("a flow is named by its ten letters and digits, as `lamppost flows` prints them");
        }
        Target::Network(text) if parse_network(text).is_none() => {
            return wrong("a network is written as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/48");
        }
        _ => {}
    }
    if [&decision.note, &decision.who].into_iter().flatten().any(|text| text.len() > TEXT_MAX) {
        return wrong("the note, or the name of who decides, is longer than 2,000 bytes");
    }
    let now = decisions(ledger, Day::of(at))?;
    let held = now.iter().any(|known| known.in_force && known.target == decision.target);
    if decision.class.is_none() && !held {
        return wrong("there is no decision in force about it that could be undone");
    }
    let text = serde_json::to_string(decision).map_err(|e| Error::Decision { what: e.to_string() })?;
    let number = ledger.add_decision(at, &text)?;
    lay_over(ledger, &in_force(&decisions(ledger, Day::of(at))?))?;
    Ok(number)
}

/// A flow as it was judged, and as somebody decided it to be.
pub(crate) fn decided(judged: FlowLine, diagnosis: Option<Diagnosis>, (class, number): (FlowClass, u64)) -> FlowLine {
    let thresholds = Thresholds::default();
    let who = Who::decided(class, judged.messages, judged.failing);
    let mut line = judged;
    for phase in &mut line.phases {
        phase.class = who.class(phase.messages, phase.failing, &thresholds);
    }
    line.class = line.phases.last().map_or(FlowClass::Unknown, |phase| phase.class);
    line.diagnosis = diagnosis.filter(|_| line.class.is_misconfigured());
    let (confidence, rule, why) = DECIDED;
    FlowLine { confidence, rule: rule.to_owned(), why: why.to_owned(), decision: Some(number), ..line }
}

fn is_id(text: &str) -> bool {
    text.len() == 10 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// All decisions, the newest first. `today` says which have expired.
///
/// # Errors
/// When the ledger cannot be read.
pub fn decisions(ledger: &Ledger, today: Day) -> Result<Vec<Decision>, Error> {
    let mut seen: HashSet<Target> = HashSet::new();
    let mut all = Vec::new();
    for entry in ledger.decisions()?.into_iter().rev() {
        // One of another version of this program counts as none.
        let Ok(new) = serde_json::from_str::<NewDecision>(&entry.decision) else { continue };
        let newest = seen.insert(new.target.clone());
        let NewDecision { target, class, note, who, expires } = new;
        let in_force = newest && class.is_some() && expires.is_none_or(|last| today <= last);
        all.push(Decision { id: entry.id, at: entry.at, target, class, note, who, expires, in_force });
    }
    Ok(all)
}

/// Those in force, in the form in which they are applied.
pub(crate) fn in_force(decisions: &[Decision]) -> InForce {
    let mut applied = InForce::default();
    for decision in decisions.iter().filter(|decision| decision.in_force) {
        let Some(class) = decision.class else { continue };
        match &decision.target {
            Target::Flow(id) => drop(applied.flows.insert(id.clone(), (class, decision.id))),
            Target::Network(text) => {
                let Some((address, length)) = parse_network(text) else { continue };
                let (first, last) = range(address, length);
                applied.networks.push((first, last, class, decision.id));
            }
        }
    }
    applied.networks.sort_by_key(|(first, last, _, id)| (last - first, *id));
    applied
}

fn range(address: IpAddr, length: u8) -> (u128, u128) {
    let bits = u32::from(length) + if address.is_ipv4() { 96 } else { 0 };
    let mask = if bits == 0 { 0 } else { u128::MAX << (128 - bits.min(128)) };
    let first = number(address) & mask;
    (first, first | !mask)
}
