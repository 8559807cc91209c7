//! What a rule finds: plain data. Everything in it may come from a report and is hostile text.

use report::Day;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Look at it this week.
    Amber,
    /// Look at it now.
    Red,
}

impl Severity {
    /// The word in URLs, JSON and commands.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Amber => "amber",
            Self::Red => "red",
        }
    }
}

/// The rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertRule {
    /// Our own mail passes much less than before.
    OwnDrop,
    /// A flow of ours, or of a service for us, that passed, and does not.
    FlowFails,
    /// A new flow that looks legitimate, and fails.
    NewFlow,
    /// Receivers find a mistake in an SPF record of ours, or more than ten look-ups.
    SpfPermerror,
    /// Receivers find no SPF record where they found one.
    SpfMissing,
    /// Signatures of ours stopped verifying.
    DkimBroken,
    /// A wave of unauthorised mail.
    Campaign,
    /// Spoofed mail is delivered under a policy that asks for something else.
    DeliveredSpoof,
    /// More mail than before of which nobody knows whose it is.
    UnknownShare,
    /// A subdomain that was never seen sends.
    NewSubdomain,
    /// A reporter that matters fell silent.
    ReporterSilent,
    /// No reports come at all.
    NoReports,
    /// Reports come late.
    ReportLag,
    /// A source of reports fails.
    SourceFailing,
    /// An address of ours is newly on a blocking list.
    Listed,
    /// The DMARC record is gone, there are several, or it changed.
    DmarcRecord,
    /// The SPF record is gone, there are several, it is broken, or it changed.
    SpfRecord,
    /// A DKIM key that is in use is gone, or was changed.
    DkimRecord,
    /// What an SPF record includes has changed, and it needs more than ten look-ups now.
    SpfInclude,
    /// A DKIM key is old.
    KeyAge,
    /// A name that could be taken for ours began to exist, takes mail, changed, or stands in mail in our name.
    Lookalike,
}

impl AlertRule {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::OwnDrop,
        Self::FlowFails,
        Self::NewFlow,
        Self::SpfPermerror,
        Self::SpfMissing,
        Self::DkimBroken,
        Self::Campaign,
        Self::DeliveredSpoof,
        Self::UnknownShare,
        Self::NewSubdomain,
        Self::ReporterSilent,
        Self::NoReports,
        Self::ReportLag,
        Self::SourceFailing,
        Self::Listed,
        Self::DmarcRecord,
        Self::SpfRecord,
        Self::DkimRecord,
        Self::SpfInclude,
        Self::KeyAge,
        Self::Lookalike,
    ];

    /// The word in JSON, settings and causes.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::OwnDrop => "own_drop",
            Self::FlowFails => "flow_fails",
            Self::NewFlow => "new_flow",
            Self::SpfPermerror => "spf_permerror",
            Self::SpfMissing => "spf_missing",
            Self::DkimBroken => "dkim_broken",
            Self::Campaign => "campaign",
            Self::DeliveredSpoof => "delivered_spoof",
            Self::UnknownShare => "unknown_share",
            Self::NewSubdomain => "new_subdomain",
            Self::ReporterSilent => "reporter_silent",
            Self::NoReports => "no_reports",
            Self::ReportLag => "report_lag",
            Self::SourceFailing => "source_failing",
            Self::Listed => "listed",
            Self::DmarcRecord => "dmarc_record",
            Self::SpfRecord => "spf_record",
            Self::DkimRecord => "dkim_record",
            Self::SpfInclude => "spf_include",
            Self::KeyAge => "key_age",
            Self::Lookalike => "lookalike",
        }
    }

    /// For people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::OwnDrop => "Own mail stopped passing",
            Self::FlowFails => "A stream of mail stopped passing",
            Self::NewFlow => "A new sender fails",
            Self::SpfPermerror => "SPF permerror at receivers",
            Self::SpfMissing => "SPF record gone",
            Self::DkimBroken => "Signatures stopped verifying",
            Self::Campaign => "A wave of unauthorised mail",
            Self::DeliveredSpoof => "Spoofed mail is delivered",
            Self::UnknownShare => "Much mail of unknown origin",
            Self::NewSubdomain => "A new subdomain sends",
            Self::ReporterSilent => "A reporter fell silent",
            Self::NoReports => "No reports come in",
            Self::ReportLag => "Reports come late",
            Self::SourceFailing => "A source of reports fails",
            Self::Listed => "An own address is on a blocking list",
            Self::DmarcRecord => "DMARC record",
            Self::SpfRecord => "SPF record",
            Self::DkimRecord => "DKIM key",
            Self::SpfInclude => "SPF include",
            Self::KeyAge => "Old DKIM key",
            Self::Lookalike => "A name like ours",
        }
    }
}

/// What a rule found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    pub(crate) rule: AlertRule,
    pub(crate) severity: Severity,
    /// Whose mail it is about; empty where it is about the program or all domains.
    pub(crate) domain: String,
    /// What of it: a flow, a reporter, a record. Together with rule and domain it is the cause.
    pub(crate) subject: String,
    /// The last day of data on which it held; `None` where it is so now, whatever the data says.
    pub(crate) day: Option<Day>,
    /// What is wrong, with its figures.
    pub(crate) sentence: String,
    /// What it rests on.
    pub(crate) evidence: Vec<String>,
    /// What to do.
    pub(crate) remedy: String,
    /// Where to look, as a path of the portal.
    pub(crate) link: String,
    /// Messages it is about: by this it is seen what follows from what.
    pub(crate) messages: u64,
}

impl Finding {
    /// What is wrong where: one alert is open for it at a time.
    pub(crate) fn cause(&self) -> String {
        cause(self.rule, &self.domain, &self.subject)
    }
}

/// The cause of what a rule finds.
pub(crate) fn cause(rule: AlertRule, domain: &str, subject: &str) -> String {
    let mut cause = rule.word().to_owned();
    for part in [domain, subject].into_iter().filter(|part| !part.is_empty()) {
        cause.push(' ');
        cause.push_str(part);
    }
    cause
}
