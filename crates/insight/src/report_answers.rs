//! The answers about reports themselves: which came, what was odd, what was refused.

use report::{Day, Flaw, FlawKind, Report, Text};
use schemars::JsonSchema;
use serde::Serialize;

/// Which reports are asked for. Everything unset means no limit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReportFilter {
    /// Days they are about, both included.
    pub days: Option<(Day, Day)>,
    /// Reporter organisation.
    pub reporter: Option<Text>,
    /// Policy domain.
    pub policy_domain: Option<Text>,
    /// Only those with this flaw.
    pub flaw: Option<FlawKind>,
}

/// A page of reports, the newest taken in first.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Reports {
    /// This page's.
    pub lines: Vec<ReportLine>,
    /// How many there are on all pages.
    pub lines_total: usize,
}

/// One report in a list.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReportLine {
    /// Its number in the ledger: `/reports/N`.
    pub id: u64,
    /// Who sent it.
    pub reporter: String,
    /// The reporter's own name for it.
    pub report_id: String,
    /// The policy domain it is about.
    pub policy_domain: String,
    /// First second covered, since 1970 UTC.
    pub begin: i64,
    /// Last second covered, or the one after.
    pub end: i64,
    /// Rows in it.
    pub rows: u64,
    /// Messages in it.
    pub messages: u64,
    /// Kinds of flaw in it.
    pub flaws: u64,
    /// When it was taken in, seconds since 1970 UTC.
    pub received: i64,
    /// The report that took its place, if the same identity came again with other content.
    pub superseded_by: Option<u64>,
}

/// One report with all that is known of it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReportDetail {
    /// As in the list.
    pub line: ReportLine,
    /// Its header: reporter, interval, policy published, errors.
    #[schemars(with = "serde_json::Value")]
    pub header: Report,
    /// The policy published as a record's tags.
    pub policy: String,
    /// What was odd about it.
    #[schemars(with = "Vec<serde_json::Value>")]
    pub flaws: Vec<Flaw>,
    /// Where the item came from: a path, or a mailbox.
    pub origin: String,
    /// The member of the item, where the item held several.
    pub member: Option<String>,
    /// SHA-256 of the item's bytes, hex.
    pub item: String,
    /// Bytes of the item as received.
    pub item_bytes: u64,
    /// SHA-256 of the report's canonical content, hex.
    pub content: String,
    /// Rows counted from other reports with the same identity: their numbers.
    pub conflicts_with: Vec<u64>,
}

/// A page of items, or members of items, that could not be taken in.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Rejections {
    /// This page's, the newest first.
    pub lines: Vec<RejectionLine>,
    /// How many there are on all pages.
    pub lines_total: usize,
}

/// One rejection. The raw copy is kept.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RejectionLine {
    /// Where it came from.
    pub origin: String,
    /// The member, where the item held several.
    pub member: Option<String>,
    /// The named reason.
    pub kind: String,
    /// One sentence.
    pub message: String,
    /// When, seconds since 1970 UTC.
    pub received: i64,
    /// SHA-256 of the item's bytes, hex.
    pub item: String,
    /// Bytes of the item as received.
    pub item_bytes: u64,
}

/// A page of reports whose identity came with two contents.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Conflicts {
    /// This page's, the newest first.
    pub lines: Vec<ConflictLine>,
    /// How many there are on all pages.
    pub lines_total: usize,
}

/// The same identity with two contents: the newer counts, both raw copies are kept.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ConflictLine {
    /// The report that counts.
    pub counts: ReportLine,
    /// The report it took the place of.
    pub superseded: ReportLine,
}

/// Which flaws reports have, most reports first.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Flaws {
    /// One line a kind of flaw and reporter.
    pub lines: Vec<FlawLine>,
}

/// One kind of flaw of one reporter.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FlawLine {
    /// The kind.
    pub kind: String,
    /// Who writes it so.
    pub reporter: String,
    /// In how many reports.
    pub reports: u64,
    /// An example, as written.
    pub example: Option<String>,
    /// A report that has it.
    pub report: u64,
}

/// The XML behind a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawXml {
    /// The bytes, at most as many as asked for.
    pub bytes: Vec<u8>,
    /// Whether there is more.
    pub cut: bool,
}
