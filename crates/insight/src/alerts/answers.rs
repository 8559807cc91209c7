//! The answers about alerts, as plain data. Every text in them may come from a report.

use report::Day;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::{AlertRule, Severity};

/// Alerts: open ones first, then those that were resolved lately.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Alerts {
    /// The day up to which data was judged; absent before the first time.
    #[schemars(with = "Option<String>")]
    pub judged: Option<Day>,
    /// When the rules were last asked, in seconds since 1970 UTC.
    pub looked: Option<i64>,
    /// The alerts: red before amber, the newest first.
    pub lines: Vec<AlertLine>,
    /// Open ones that are red, and neither acknowledged nor silenced.
    pub red: usize,
    /// The same: amber.
    pub amber: usize,
    /// Notices that were not sent yet.
    pub unsent: Vec<UnsentNotice>,
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// It holds.
    Open,
    /// It holds, and somebody knows of it.
    Acknowledged,
    /// It holds, and nobody wants to hear of it for now.
    Silenced,
    /// It is over.
    Resolved,
}

/// One alert.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct AlertLine {
    /// Its number.
    pub id: u64,
    /// What is wrong where: rule, domain, and what of it.
    pub cause: String,
    /// The rule that found it.
    pub rule: AlertRule,
    /// What it is about, in a few words.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// Where it stands.
    pub state: AlertState,
    /// Whose mail it is about; empty where it is about all.
    pub domain: String,
    /// What is wrong, with its figures.
    pub sentence: String,
    /// What it rests on.
    pub evidence: Vec<String>,
    /// What to do.
    pub remedy: String,
    /// Where to look, as a path of the portal.
    pub link: String,
    /// First day of data on which it held; absent where it is not about days.
    #[schemars(with = "Option<String>")]
    pub first_day: Option<Day>,
    /// The last.
    #[schemars(with = "Option<String>")]
    pub last_day: Option<Day>,
    /// When it was opened, in seconds since 1970 UTC.
    pub opened: i64,
    /// When it was last found.
    pub seen: i64,
    /// When it was resolved.
    pub resolved: Option<i64>,
    /// When channels were told of it.
    pub told: Option<i64>,
    /// How often it came back after it was resolved.
    pub back: u32,
    /// What people said to it, the newest first.
    pub words: Vec<AlertSaid>,
}

/// What somebody said to an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertSaid {
    /// When, in seconds since 1970 UTC.
    pub at: i64,
    /// What.
    pub word: Word,
    /// Until when it holds, in seconds since 1970 UTC.
    pub until: Option<i64>,
    /// Why.
    pub note: Option<String>,
    /// Who.
    pub who: Option<String>,
}

/// What can be said to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// I know of it: no more notices until it is over.
    Acknowledge,
    /// Not now: no notices of this cause until a moment.
    Silence,
    /// Takes back what was said before.
    Undo,
}

/// Something to be said to an alert.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWord {
    /// The alert.
    pub alert: u64,
    /// What.
    pub word: Word,
    /// With [`Word::Silence`]: until when, in seconds since 1970 UTC.
    pub until: Option<i64>,
    /// Why.
    pub note: Option<String>,
    /// Who says so.
    pub who: Option<String>,
}

/// A notice that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UnsentNotice {
    /// The channel.
    pub channel: String,
    /// Not to be sent before, in seconds since 1970 UTC.
    pub due: i64,
    /// How often it was tried.
    pub tries: u32,
    /// Why the last try failed.
    pub problem: Option<String>,
}

/// An alert as channels are told of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NoticeAlert {
    /// What is wrong where.
    pub cause: String,
    /// The rule that found it.
    pub rule: AlertRule,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about, in a few words.
    pub title: String,
    /// Whose mail it is about.
    pub domain: String,
    /// What is wrong, with its figures.
    pub sentence: String,
    /// What it rests on.
    pub evidence: Vec<String>,
    /// What to do.
    pub remedy: String,
    /// Where to look, as a path of the portal.
    pub link: String,
    /// When it was opened, in seconds since 1970 UTC.
    pub opened: i64,
    /// When it was resolved.
    pub resolved: Option<i64>,
}
