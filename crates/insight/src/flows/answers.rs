//! The answers about flows, as plain data: what pages draw, commands print and the API returns.

use report::{Day, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::class::{Diagnosis, FlowClass, FlowEvidence};
use super::results::FlowResult;
use super::spikes::ClassSpike;
use crate::{Dispositions, Outcomes};

/// One flow: a mail stream in our name, with what it was taken for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FlowLine {
    /// Its lasting id: ten letters and digits.
    pub id: String,
    /// The organizational domain in whose name it sends.
    #[schemars(with = "String")]
    pub organizational_domain: Text,
    /// Who sends, in a few words.
    pub name: String,
    /// What it is, as of its newest phase.
    pub class: FlowClass,
    /// How sure, in per cent.
    pub confidence: u8,
    /// The rule that decided.
    pub rule: String,
    /// Why, in one sentence.
    pub why: String,
    /// What is wrong, where something of ours or for us does not pass.
    pub diagnosis: Option<Diagnosis>,
    /// Messages in the period asked for.
    pub messages: u64,
    /// Of these: fail DMARC.
    pub failing: u64,
    /// All its messages by outcome, whatever the period.
    pub outcomes: Outcomes,
    /// All its messages by what receivers did, whatever the period.
    pub dispositions: Dispositions,
    /// First day it was seen.
    #[schemars(with = "String")]
    pub first_day: Day,
    /// Last day it was seen.
    #[schemars(with = "String")]
    pub last_day: Day,
    /// Days with at least one message.
    pub active_days: u32,
    /// Addresses.
    pub sources: u64,
    /// Networks (/24 or /48).
    pub networks: u64,
    /// The most reporters that saw the same of it on one day.
    pub reporters: u32,
    /// Messages from addresses of good standing.
    pub good: u64,
    /// Messages from addresses of bad standing.
    pub suspicious: u64,
    /// The number of the decision in force, where somebody decided.
    pub decision: Option<u64>,
    /// How many flows it stands for: more than one where small ones are kept together by class. Of those only networks can be decided about.
    pub together: u64,
    /// The author domains it uses, most messages first.
    #[schemars(with = "Vec<String>")]
    pub domains: Vec<Text>,
    /// How it fared over time.
    pub phases: Vec<FlowPhase>,
}

/// A time in which a flow stayed as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FlowPhase {
    /// First day with a message.
    #[schemars(with = "String")]
    pub first_day: Day,
    /// Last day with a message.
    #[schemars(with = "String")]
    pub last_day: Day,
    /// What it was then.
    pub class: FlowClass,
    /// Messages.
    pub messages: u64,
    /// Of these: fail.
    pub failing: u64,
}

/// The flows of a scope.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Flows {
    /// First and last day shown; absent when the ledger is empty.
    #[schemars(with = "Option<(String, String)>")]
    pub days: Option<(Day, Day)>,
    /// Whether reports came since this was worked out.
    pub stale: bool,
    /// This page's lines.
    pub lines: Vec<FlowLine>,
    /// How many lines there are on all pages.
    pub lines_total: usize,
    /// Messages by class on all pages, in the period.
    pub classes: ClassCounts,
    /// Of these: fail DMARC.
    pub failing: ClassCounts,
}

/// Messages by class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ClassCounts {
    /// Our own, passing.
    pub own: u64,
    /// A service's for us, passing.
    pub third_party: u64,
    /// Passed on intact.
    pub forwarder_intact: u64,
    /// Our own, not passing.
    pub own_misconfigured: u64,
    /// A service's for us, not passing.
    pub third_party_unaligned: u64,
    /// Passed on and broken.
    pub forwarder_broken: u64,
    /// Nobody knows.
    pub unknown: u64,
    /// Without any right.
    pub spoofer: u64,
}

impl ClassCounts {
    /// Adds messages to a class.
    pub fn add(&mut self, class: FlowClass, messages: u64) {
        let slot = match class {
            FlowClass::Own => &mut self.own,
            FlowClass::ThirdParty => &mut self.third_party,
            FlowClass::ForwarderIntact => &mut self.forwarder_intact,
            FlowClass::OwnMisconfigured => &mut self.own_misconfigured,
            FlowClass::ThirdPartyUnaligned => &mut self.third_party_unaligned,
            FlowClass::ForwarderBroken => &mut self.forwarder_broken,
            FlowClass::Unknown => &mut self.unknown,
            FlowClass::Spoofer => &mut self.spoofer,
        };
        *slot = slot.saturating_add(messages);
    }

    /// Messages of a class.
    #[must_use]
    pub fn get(&self, class: FlowClass) -> u64 {
        match class {
            FlowClass::Own => self.own,
            FlowClass::ThirdParty => self.third_party,
            FlowClass::ForwarderIntact => self.forwarder_intact,
            FlowClass::OwnMisconfigured => self.own_misconfigured,
            FlowClass::ThirdPartyUnaligned => self.third_party_unaligned,
            FlowClass::ForwarderBroken => self.forwarder_broken,
            FlowClass::Unknown => self.unknown,
            FlowClass::Spoofer => self.spoofer,
        }
    }

    /// Messages of all classes.
    #[must_use]
    pub fn messages(&self) -> u64 {
        FlowClass::ALL.iter().fold(0, |sum, class| sum.saturating_add(self.get(*class)))
    }
}

/// How a list of flows is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowOrder {
    /// Only these classes; empty is any.
    pub classes: Vec<FlowClass>,
    /// Sorted by what; ties by id.
    pub sort: FlowSort,
    /// Largest first.
    pub descending: bool,
    /// Only names that contain this text.
    pub search: Option<String>,
    /// Lines to pass over.
    pub offset: usize,
    /// Lines to return.
    pub limit: usize,
}

impl Default for FlowOrder {
    fn default() -> Self {
        Self { classes: Vec::new(), sort: FlowSort::Messages, descending: true, search: None, offset: 0, limit: 50 }
    }
}

/// What flows can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FlowSort {
    /// All messages.
    #[default]
    Messages,
    /// Messages that fail.
    Failing,
    /// The class, in the order of charts.
    Class,
    /// How sure the verdict is.
    Confidence,
    /// First seen.
    FirstDay,
    /// Last seen.
    LastDay,
    /// Number of addresses.
    Sources,
    /// The name.
    Name,
}

/// One flow with all that is known of it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Flow {
    /// First and last day shown.
    #[schemars(with = "(String, String)")]
    pub days: (Day, Day),
    /// Whether reports came since this was worked out.
    pub stale: bool,
    /// The flow.
    pub flow: FlowLine,
    /// What the verdict rests on.
    pub evidence: Vec<FlowEvidence>,
    /// What is wrong, in words.
    pub problem: Option<String>,
    /// What to do about it.
    pub remedy: Option<String>,
    /// How SPF and DKIM came out, whatever the period; most messages first.
    pub results: Vec<FlowResult>,
    /// Every day of the period.
    pub by_day: Vec<FlowDay>,
    /// Its addresses, most messages first; at most 100.
    pub addresses: Vec<FlowSource>,
    /// Decisions about it, the newest first.
    pub decisions: Vec<super::decisions::Decision>,
}

/// One day of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FlowDay {
    /// The day.
    #[schemars(with = "String")]
    pub day: Day,
    /// Messages.
    pub messages: u64,
    /// Of these: fail.
    pub failing: u64,
    /// Of these: held back by no receiver.
    pub delivered: u64,
    /// What the flow was on that day.
    pub class: FlowClass,
}

/// One address of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FlowSource {
    /// The address.
    #[schemars(with = "String")]
    pub address: std::net::IpAddr,
    /// Its messages in this flow.
    pub messages: u64,
    /// Of these: fail.
    pub failing: u64,
}

/// What an address is taken for: the flow that most of its messages belong to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceFlow {
    /// The flow.
    pub flow: String,
    /// What it is, as of its newest phase.
    pub class: FlowClass,
    /// How sure, in per cent.
    pub confidence: u8,
    /// The rule that decided.
    pub rule: String,
    /// Why, in one sentence.
    pub why: String,
    /// How many flows the address belongs to.
    pub flows: u64,
}

/// What happened, day by day and class by class.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ClassTrend {
    /// The author domain, or `None` for all.
    #[schemars(with = "Option<String>")]
    pub domain: Option<Text>,
    /// Whether reports came since this was worked out.
    pub stale: bool,
    /// Every day of the period.
    pub days: Vec<ClassDay>,
    /// Messages over the period.
    pub totals: ClassCounts,
    /// Of these: fail DMARC.
    pub failing: ClassCounts,
    /// The days on which far more failed than usual, the largest first; at most three.
    pub spikes: Vec<ClassSpike>,
}

/// One day by class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClassDay {
    /// The day.
    #[schemars(with = "String")]
    pub day: Day,
    /// Messages.
    pub classes: ClassCounts,
    /// Of these: fail DMARC.
    pub failing: ClassCounts,
}
