//! All that rules look at: what the ledger knows as of a moment, as plain data. Nothing here reads; tests make it up.

use std::collections::{BTreeMap, BTreeSet};

use report::{Day, Policy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::counts::{float, median};
use crate::{Diagnosis, ExpectedLine, FlowClass};

/// Days before the judged ones that say what is usual.
pub(crate) const USUAL: i32 = 28;

/// Everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// The moment, in seconds since 1970 UTC.
    pub(crate) now: i64,
    /// First day of the ledger.
    pub(crate) first: Day,
    /// The days that are judged: complete enough, and not judged before they were.
    pub(crate) judged: (Day, Day),
    /// By organizational domain.
    pub(crate) domains: BTreeMap<String, DomainFacts>,
    pub(crate) flows: Vec<FlowFacts>,
    pub(crate) reports: ReportFacts,
    pub(crate) sources: Vec<SourceTrouble>,
    pub(crate) listed: Vec<ListedAddress>,
    pub(crate) records: Vec<RecordFact>,
    pub(crate) lookalikes: Vec<LookalikeFact>,
    /// Causes of which an alert is open: they are kept open by less than what opens them, so that nothing flaps.
    pub(crate) open: BTreeSet<String>,
}

/// One organizational domain.
#[derive(Debug, Clone, Default)]
pub(crate) struct DomainFacts {
    /// Days of the ledger's end, each with what there was.
    pub(crate) days: BTreeMap<Day, DayFacts>,
    /// The policy that applies, as reporters last saw it.
    pub(crate) policy: Option<Policy>,
    /// Author domains below it that were first seen on one of the judged days, with the messages of streams of ours on it.
    pub(crate) new_subdomains: Vec<(String, Day, u64)>,
}

/// One day of an organizational domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DayFacts {
    /// Our own mail: all, failing.
    pub(crate) own: (u64, u64),
    /// Mail of services for us: all, failing.
    pub(crate) third: (u64, u64),
    /// Mail of forwarders and lists: all.
    pub(crate) forwarded: u64,
    pub(crate) unknown: u64,
    /// Fails, and is nobody's of ours: spoofed, or nobody knows.
    pub(crate) unauthorised: u64,
    /// Spoofed, and delivered.
    pub(crate) spoof_delivered: u64,
    /// Signed mail straight from our own hosts by (domain, selector): all, with a signature that does not verify.
    pub(crate) signed: BTreeMap<(String, String), (u64, u64)>,
    /// Messages with a signature of ours that verifies, by name of the key in DNS.
    pub(crate) keys: BTreeMap<String, u64>,
    /// SPF by name checked.
    pub(crate) spf: BTreeMap<String, SpfFacts>,
}

/// How SPF came out for a name of ours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SpfFacts {
    pub(crate) messages: u64,
    pub(crate) pass: u64,
    pub(crate) permerror: u64,
    /// Of these: fail DMARC.
    pub(crate) permerror_failing: u64,
    pub(crate) none: u64,
    /// The most reporters that said the same on that day: permerror, none.
    pub(crate) reporters: (u32, u32),
}

/// One flow.
#[derive(Debug, Clone)]
pub(crate) struct FlowFacts {
    pub(crate) id: String,
    pub(crate) domain: String,
    pub(crate) name: String,
    pub(crate) class: FlowClass,
    pub(crate) diagnosis: Option<Diagnosis>,
    pub(crate) why: String,
    pub(crate) first_day: Day,
    /// Looks as if somebody of ours wanted it, although nobody knows.
    pub(crate) promising: bool,
    /// Its days within the usual ones and the judged ones: all, failing.
    pub(crate) days: BTreeMap<Day, (u64, u64)>,
}

/// How reports come.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReportFacts {
    /// When the newest report came.
    pub(crate) last_received: Option<i64>,
    /// Days on which reports came, of the 28 before the newest came.
    pub(crate) days_of_receipt: usize,
    /// The longest time between two receipts in these days, in seconds.
    pub(crate) longest_gap: i64,
    /// Seconds between the end of a day and the reports about it: the median of what came in the last three days.
    pub(crate) lag: Option<i64>,
    /// Reporters against what they usually send.
    pub(crate) expected: Vec<ExpectedLine>,
    /// Messages of each reporter over the usual days.
    pub(crate) messages: BTreeMap<String, u64>,
}

/// A source of reports that does not work, as the program tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceTrouble {
    /// Its name in the settings.
    pub name: String,
    /// What kind of source it is.
    pub kind: String,
    /// Since when it fails, in seconds since 1970 UTC.
    pub since: i64,
    /// What it said last.
    pub problem: String,
}

/// An address of ours on a blocking list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListedAddress {
    pub(crate) domain: String,
    pub(crate) address: String,
    pub(crate) list: String,
    pub(crate) said: String,
    pub(crate) day: Day,
}

/// A change of what is published in DNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordFact {
    pub(crate) domain: String,
    /// The name asked.
    pub(crate) name: String,
    pub(crate) kind: RecordKind,
    pub(crate) trouble: RecordTrouble,
    /// When it was first seen so, in seconds since 1970 UTC.
    pub(crate) since: i64,
    pub(crate) before: String,
    pub(crate) after: String,
}

/// Which record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordKind {
    Dmarc,
    Spf,
    Dkim,
}

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RecordTrouble {
    /// There was one, and there is none.
    Gone,
    /// There are several where one may be.
    Multiple,
    /// It says something else than before.
    Changed,
    /// With what it includes now, it needs so many look-ups.
    OverLimit(u32),
    /// A key is so many months old.
    Old(u32),
}

/// What is new of a name that could be taken for ours.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct LookalikeFact {
    /// The domain of ours.
    pub(crate) domain: String,
    /// The name that somebody registered.
    pub(crate) registered: String,
    /// The name, or the one below it that most mail has, as DNS has it, and as people see it.
    pub(crate) name: String,
    pub(crate) unicode: String,
    /// What changed in DNS, the newest first, each with its day.
    pub(crate) changes: Vec<String>,
    /// In our mail, and not before: messages, the first day, and where it stands.
    pub(crate) mail: Option<(u64, Day, Vec<String>)>,
    pub(crate) score: u8,
    pub(crate) actions: Vec<String>,
}

/// The days of the same kind, weekend or not, before a day, the newest first.
pub(crate) fn alike<T>(days: &BTreeMap<Day, T>, day: Day) -> impl Iterator<Item = &T> {
    let before = days.range(day.plus(-USUAL)..day).rev();
    before.filter(move |(other, _)| other.is_weekend() == day.is_weekend()).map(|(_, of)| of)
}

/// Median, and a standard deviation that a few wild days do not change: 1.4826 × the median absolute deviation.
pub(crate) fn usual(values: &[f64]) -> (f64, f64) {
    let middle = median(values.iter().copied());
    (middle, 1.4826 * median(values.iter().map(|value| (value - middle).abs())))
}

/// A share in per cent; 100 of none.
pub(crate) fn percent(part: u64, all: u64) -> f64 {
    if all == 0 { 100.0 } else { float(part) * 100.0 / float(all) }
}
