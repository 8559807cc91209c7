//! The answer of a preview, as plain data.

use report::{Day, Text};
use schemars::JsonSchema;
use serde::Serialize;

use super::differences::Difference;
use super::forecast::Estimate;
use super::mailer::Tag;
use super::what_if::Receivers;
use super::world::Changed;
use crate::{Diagnosis, FlowClass};

/// What would happen to mail under other records. All figures are messages per day as reporters see them.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Preview {
    /// Whose records would be different.
    pub domain: String,
    /// Whether mail in the names below it counts.
    pub subdomains: bool,
    /// What would be different, in a few words.
    pub what: String,
    /// By which standard receivers judge.
    pub receivers: Receivers,
    /// The days shown.
    #[schemars(with = "(String, String)")]
    pub days: (Day, Day),
    /// The days that expectation and bound rest on.
    #[schemars(with = "(String, String)")]
    pub rests_on: (Day, Day),
    /// Of these: days with reports.
    pub days_with_reports: u64,
    /// Whether reports came since flows were judged.
    pub stale: bool,
    /// The records that would be different, before and after.
    pub changed: Vec<Changed>,
    /// Where the DMARC record of now was known from.
    pub record_known_from: String,
    /// Wanted mail that would be quarantined or rejected: all legitimate classes.
    pub harm: Estimate,
    /// Of `harm`: rejected.
    pub rejected: Estimate,
    /// Mail of which it is not known whether it is wanted, that would be quarantined or rejected.
    pub unknown: Estimate,
    /// Spoofed mail that would be quarantined or rejected.
    pub spoofed: Estimate,
    /// Of this: delivered now, over the days shown.
    pub spoofed_delivered_now: f64,
    /// Wanted mail, over the days shown.
    pub legitimate: f64,
    /// Of this: fails now.
    pub legitimate_failing_now: f64,
    /// By class; those without mail are left out.
    pub classes: Vec<PreviewClass>,
    /// Legitimate flows that would be harmed, most first, at most twenty.
    pub flows: Vec<PreviewFlow>,
    /// How many there are.
    pub flows_total: usize,
    /// Flows of unknown senders that would be stopped, most first, at most ten.
    pub unknown_flows: Vec<PreviewFlow>,
    /// By who answers for the flow.
    pub owners: Vec<PreviewOwner>,
    /// By the tag of the record that decides.
    pub tags: Vec<PreviewTag>,
    /// By author domain: those with most harm, then most mail, at most fifty.
    pub domains: Vec<PreviewDomain>,
    /// How many there are.
    pub domains_total: usize,
    /// Reporters with most failing mail, and what they did where a policy asked for something; at most twenty.
    pub reporters: Vec<PreviewReporter>,
    /// How replay and reports agree over the days shown, with the records as they are.
    pub agreement: Vec<PreviewAgreement>,
    /// What should be known when reading the figures.
    pub notes: Vec<String>,
    /// What `at_most` bounds, in a sentence.
    pub bound: String,
    /// All of it in short, to be pasted into a change request.
    pub change_request: String,
}

/// One class.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PreviewClass {
    /// The class, as its flows are now.
    pub class: FlowClass,
    /// Flows with mail in the days shown.
    pub flows: u64,
    /// Of these: some of it would be stopped.
    pub flows_stopped: u64,
    /// Messages.
    pub messages: f64,
    /// Would be quarantined or rejected.
    pub stopped: Estimate,
    /// Would fail and passes now.
    pub broken: f64,
    /// Would pass and fails now.
    pub mended: f64,
}

/// One flow that would be stopped, in whole or in part.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PreviewFlow {
    /// Its id.
    pub id: String,
    /// Who sends.
    pub name: String,
    /// What it is.
    pub class: FlowClass,
    /// Who answers for it, where somebody decided about it and left a name.
    pub owner: Option<String>,
    /// What is wrong with it, where that is known.
    pub diagnosis: Option<Diagnosis>,
    /// Messages.
    pub messages: f64,
    /// Would be quarantined or rejected.
    pub stopped: Estimate,
    /// Of `stopped`, over the days shown: receivers knew it as forwarded, and may spare it.
    pub known_forwarded: f64,
    /// Would fail and passes now.
    pub broken: f64,
    /// First day it was seen.
    #[schemars(with = "String")]
    pub first_day: Day,
    /// Last day it was seen.
    #[schemars(with = "String")]
    pub last_day: Day,
}

/// One owner.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PreviewOwner {
    /// The name; absent where nobody is known.
    pub owner: Option<String>,
    /// Harmed flows.
    pub flows: u64,
    /// Would be quarantined or rejected.
    pub stopped: Estimate,
}

/// What one tag of the record does.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PreviewTag {
    /// The tag.
    pub tag: Tag,
    /// Author domains it decides about.
    pub domains: u64,
    /// Wanted mail.
    pub legitimate: f64,
    /// Of this: would be stopped.
    pub harm: Estimate,
    /// Unknown mail that would be stopped.
    pub unknown: Estimate,
    /// Spoofed mail that would be stopped.
    pub spoofed: Estimate,
}

/// One author domain, over the days shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PreviewDomain {
    /// The name.
    #[schemars(with = "String")]
    pub domain: Text,
    /// The tag that decides.
    pub tag: Tag,
    /// Wanted mail.
    pub legitimate: f64,
    /// Of this: would be stopped.
    pub harm: f64,
    /// Unknown mail that would be stopped.
    pub unknown: f64,
    /// Spoofed mail that would be stopped.
    pub spoofed: f64,
}

/// One reporter.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PreviewReporter {
    /// The organisation.
    pub reporter: String,
    /// Failing messages over the days shown.
    pub failing: u64,
    /// Of these: under a policy of quarantine or reject, as the report says.
    pub asked: u64,
    /// Of these: quarantined or rejected.
    pub obeyed: u64,
    /// Whether it will obey: absent where nothing was asked of it yet.
    pub obeys: Option<bool>,
}

/// Messages by how replay and reports agree.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PreviewAgreement {
    /// How.
    pub how: Difference,
    /// In a sentence.
    pub words: String,
    /// Messages over the days shown.
    pub messages: u64,
}
