//! The answer of readiness, as plain data.

use report::{Day, Policy};
use schemars::JsonSchema;
use serde::Serialize;

use super::waivers::Waiver;
use crate::{Estimate, FlowClass, Tag};

/// Whether a policy may be tightened.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Readiness {
    /// The domain.
    pub domain: String,
    /// The step: quarantine or reject.
    #[schemars(with = "String")]
    pub step: Policy,
    /// What it comes to.
    pub result: Outlook,
    /// The same in a sentence.
    pub words: String,
    /// The gates, from G0 to G10.
    pub gates: Vec<Gate>,
    /// The parts of a record that may be tightened by themselves, the safest first.
    pub parts: Vec<Part>,
    /// Author domains with most legitimate mail, each of which could go first with a record of its own.
    pub names: Vec<Name>,
    /// The days of reports that the figures are about.
    #[schemars(with = "(String, String)")]
    pub days: (Day, Day),
    /// The day that calendar and waivers are held against.
    #[schemars(with = "String")]
    pub today: Day,
    /// Legitimate mail a day that would be stopped.
    pub harm: Estimate,
    /// What that bound bounds.
    pub bound: String,
}

/// What the gates come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Outlook {
    /// All gates pass, or somebody answers for them.
    Ready {
        /// Gates that are waived.
        waivers: u32,
    },
    /// These gates do not pass.
    Blocked {
        /// Their numbers.
        by: Vec<String>,
    },
    /// There are too few days of reports.
    NotEnoughData {
        /// The first day on which there could be enough, where that can be said.
        #[schemars(with = "Option<String>")]
        until: Option<Day>,
    },
}

/// How a gate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateState {
    /// It passes.
    Pass,
    /// It passes, and something is worth a look.
    Warn,
    /// It does not pass.
    Fail,
    /// It does not pass, and somebody answers for that.
    Waived,
    /// What it needs is not known here.
    Unknown,
    /// This program does not measure it.
    NotMeasured,
}

impl GateState {
    /// For people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Pass => "Passes",
            Self::Warn => "Passes, warns",
            Self::Fail => "Fails",
            Self::Waived => "Waived",
            Self::Unknown => "Not known",
            Self::NotMeasured => "Not measured here",
        }
    }
}

/// One gate.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Gate {
    /// Its number, `G0` to `G10`.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// How it stands.
    pub state: GateState,
    /// What was measured.
    pub measured: String,
    /// What is needed.
    pub needed: String,
    /// What it rests on, sentence by sentence, and what to do.
    pub why: Vec<String>,
    /// Flows that stand in the way, the largest first; at most ten.
    pub flows: Vec<GateFlow>,
    /// Where to look.
    pub see: See,
    /// The waiver in force.
    pub waiver: Option<Waiver>,
}

/// A flow that stands in the way.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct GateFlow {
    /// Its id.
    pub id: String,
    /// Who sends.
    pub name: String,
    /// What it is.
    pub class: FlowClass,
    /// The figure that matters, in words.
    pub figure: String,
}

/// Where the evidence of a gate lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum See {
    /// Which reports came.
    Reports,
    /// Flows.
    Flows,
    /// The preview of this step.
    Preview,
    /// What is published in DNS.
    Dns,
    /// Nowhere.
    Nowhere,
}

/// A part of the record that may be tightened by itself.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Part {
    /// Its tag.
    pub tag: Tag,
    /// What it would be set to, as in a record.
    pub set: String,
    /// Author domains seen that it decides about.
    pub names: u64,
    /// Legitimate mail a day.
    pub legitimate: f64,
    /// Of this: would be stopped.
    pub harm: Estimate,
    /// Spoofed mail a day that would be stopped.
    pub spoofed: f64,
    /// So much harm is allowed.
    pub limit: f64,
    /// Whether the bound lies within it.
    pub safe: bool,
    /// The same in a sentence.
    pub words: String,
}

/// One author domain.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Name {
    /// The name.
    pub domain: String,
    /// The tag that decides about it.
    pub tag: Tag,
    /// Legitimate mail a day.
    pub legitimate: f64,
    /// Of this: would be stopped, over the days shown.
    pub harm: f64,
    /// Spoofed mail a day that would be stopped.
    pub spoofed: f64,
}
