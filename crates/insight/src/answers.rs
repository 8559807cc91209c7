//! The answers, as plain data: what the portal draws, the commands print and the API returns.

use std::net::IpAddr;

use report::{Day, Disposition, Outcome, PolicyPublished, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Messages by [`Outcome`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Outcomes {
    /// Aligned DKIM and SPF.
    pub both: u64,
    /// Aligned DKIM alone.
    pub dkim_only: u64,
    /// Aligned SPF alone.
    pub spf_only: u64,
    /// Fails; the receiver says it was forwarded or came through a list.
    pub forwarded: u64,
    /// Fails; SPF or DKIM passed for another domain.
    pub unaligned: u64,
    /// Fails; nothing passed.
    pub unauthenticated: u64,
}

/// Messages by what receivers did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Dispositions {
    /// Delivered.
    pub none: u64,
    /// Delivered, having passed under an enforcing policy.
    pub pass: u64,
    /// Put aside.
    pub quarantine: u64,
    /// Refused.
    pub reject: u64,
}

/// All domains, heaviest first.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Portfolio {
    /// First and last day shown; absent when the ledger is empty.
    #[schemars(with = "Option<(String, String)>")]
    pub days: Option<(Day, Day)>,
    /// One line a domain.
    pub domains: Vec<DomainLine>,
    /// How many author domains there are on all pages.
    pub domains_total: usize,
    /// Over all domains.
    pub totals: Outcomes,
    /// What receivers are asked to do with failing mail: one line a policy, the strictest first, whichever policy is chosen.
    pub policies: Vec<PolicyShare>,
}

/// How much mail a policy applies to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PolicyShare {
    /// The policy that applies; `None` where no report names one.
    #[schemars(with = "Option<String>")]
    pub applies: Option<report::Policy>,
    /// Author domains.
    pub domains: usize,
    /// Messages in their name.
    pub messages: u64,
}

/// How the portfolio is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainOrder {
    /// Sorted by what; ties by name.
    pub sort: DomainSort,
    /// Largest first.
    pub descending: bool,
    /// Only names that contain this text.
    pub search: Option<String>,
    /// Only names to which this policy applies.
    pub policy: Option<Applies>,
    /// Lines to pass over.
    pub offset: usize,
    /// Lines to return.
    pub limit: usize,
}

/// A policy to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applies {
    /// The one that reports name.
    Seen(report::Policy),
    /// No report names one.
    Unseen,
}

impl From<Option<report::Policy>> for Applies {
    fn from(policy: Option<report::Policy>) -> Self {
        policy.map_or(Self::Unseen, Self::Seen)
    }
}

impl Default for DomainOrder {
    fn default() -> Self {
        Self { sort: DomainSort::Messages, descending: true, search: None, policy: None, offset: 0, limit: 100 }
    }
}

/// What domains can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DomainSort {
    /// All messages.
    #[default]
    Messages,
    /// Messages that fail.
    Failing,
    /// Share of messages that pass.
    PassShare,
    /// Last day with a message.
    LastDay,
    /// The name.
    Domain,
}

/// One domain of the portfolio.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DomainLine {
    /// The author domain.
    #[schemars(with = "String")]
    pub domain: Text,
    /// Its organizational domain.
    #[schemars(with = "String")]
    pub organizational_domain: Text,
    /// The policy that most reporters last saw for it, its own or inherited; `None` if no report names one.
    pub policy: Option<PolicySeen>,
    /// Messages by outcome.
    pub outcomes: Outcomes,
    /// Messages that failed, for each day shown: the sparkline.
    pub failing_by_day: Vec<u64>,
    /// All messages, for each day shown.
    pub messages_by_day: Vec<u64>,
    /// Last day with a message.
    #[schemars(with = "String")]
    pub last_day: Day,
}

/// A policy as reporters saw it in DNS.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PolicySeen {
    /// Where it is published; another name than the domain's own means it is inherited.
    #[schemars(with = "String")]
    pub policy_domain: Text,
    /// The tags, e.g. `p=none; sp=reject; adkim=r; aspf=r; pct=100`.
    pub record: String,
    /// `p`, or what applies to this name (`sp` where inherited).
    #[schemars(with = "Option<String>")]
    pub applies: Option<report::Policy>,
    /// First day it was seen without a break.
    #[schemars(with = "String")]
    pub from: Day,
    /// Last day it was seen.
    #[schemars(with = "String")]
    pub to: Day,
}

/// What happened, day by day.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Trend {
    /// The author domain, or `None` for all.
    #[schemars(with = "Option<String>")]
    pub domain: Option<Text>,
    /// Every day of the period, also those without a message.
    pub days: Vec<TrendDay>,
    /// Sums over the days.
    pub totals: TrendTotals,
    /// Policies seen published over the period, in order of time; empty when no single domain is shown.
    pub policies: Vec<PolicySeen>,
    /// What changed in DNS over the period, in order of time; empty when no single domain is shown.
    pub dns: Vec<crate::DnsChange>,
    /// Days that stand out, largest first; at most three.
    pub spikes: Vec<Spike>,
    /// The newest days, where fewer reporters than usual have reported yet: their numbers will rise.
    pub incomplete: Vec<IncompleteDay>,
}

/// A day that is still coming in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IncompleteDay {
    /// The day.
    #[schemars(with = "String")]
    pub day: Day,
    /// Reporters with a report that begins on it.
    pub reporters: u64,
    /// Reporters on a usual day: the median of the two weeks before.
    pub usual: u64,
}

/// One day of a trend.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TrendDay {
    /// The day.
    #[schemars(with = "String")]
    pub day: Day,
    /// What happened on it.
    #[serde(flatten)]
    pub counts: TrendTotals,
}

/// The counts of a day or of a period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TrendTotals {
    /// Messages.
    pub messages: u64,
    /// Messages that pass DMARC.
    pub dmarc_pass: u64,
    /// Messages with aligned DKIM.
    pub dkim_aligned: u64,
    /// Messages with aligned SPF.
    pub spf_aligned: u64,
    /// Messages by what receivers did.
    pub disposition: Dispositions,
    /// Messages by alignment.
    pub outcome: Alignments,
    /// The failing ones (`outcome.neither`), by what else is known.
    pub failing: Failing,
}

/// Messages by which mechanisms were aligned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Alignments {
    /// DKIM and SPF.
    pub both: u64,
    /// DKIM alone.
    pub dkim_only: u64,
    /// SPF alone.
    pub spf_only: u64,
    /// None: DMARC fails.
    pub neither: u64,
}

/// Failing messages by what else is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Failing {
    /// The receiver says it was forwarded or came through a list.
    pub forwarded: u64,
    /// SPF or DKIM passed for another domain.
    pub unaligned: u64,
    /// Nothing passed.
    pub unauthenticated: u64,
}

/// A day on which far more mail failed than usual, and what made the difference.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Spike {
    /// The day.
    #[schemars(with = "String")]
    pub day: Day,
    /// The outcome that rose most.
    #[schemars(with = "String")]
    pub outcome: Outcome,
    /// Failing messages on that day.
    pub failing: u64,
    /// Failing messages on a usual day: the median of up to 28 days around it, same kind of day (working day or weekend).
    pub usual: u64,
    /// What the extra messages have in common, most telling first.
    pub findings: Vec<Finding>,
    /// `true` if one network, or one SPF or DKIM domain, accounts for most of the excess: one campaign, not many spoofers.
    pub one_campaign: bool,
    /// One sentence for people.
    pub sentence: String,
}

/// One thing that extra messages have in common.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Finding {
    /// `network`, `source`, `spf_domain`, `dkim_domain`, `envelope_from`, `reporter`, `domain`.
    pub dimension: String,
    /// The value they share, e.g. `203.0.113.0/24`.
    pub value: String,
    /// Messages with this value on the day.
    pub messages: u64,
    /// Messages with this value on a usual day.
    pub usual: u64,
    /// Share of the day's excess that this value explains, 0 to 1.
    pub share: f64,
}

/// What sources can be grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// One line an address.
    #[default]
    Address,
    /// The /24 or /48.
    Network,
    /// Domain that SPF was about.
    SpfDomain,
    /// Domain that signed.
    DkimDomain,
    /// Reporter.
    Reporter,
    /// Author domain.
    Domain,
}

/// What sources can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SortBy {
    /// Messages that fail.
    #[default]
    Failing,
    /// All messages.
    Messages,
    /// Messages that pass.
    Passing,
    /// First seen in the period.
    FirstDay,
    /// Last seen in the period.
    LastDay,
    /// Active days.
    ActiveDays,
    /// Number of reporters.
    Reporters,
    /// The group's own value (address, name).
    Key,
}

/// How a list of sources is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SourceOrder {
    /// One line per what.
    pub group: GroupBy,
    /// Sorted by what.
    pub sort: SortBy,
    /// Largest first.
    pub descending: bool,
    /// Lines to pass over.
    pub offset: usize,
    /// Lines to return.
    pub limit: usize,
}

/// The sources of a scope.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Sources {
    /// First and last day; absent when the ledger is empty.
    #[schemars(with = "Option<(String, String)>")]
    pub days: Option<(Day, Day)>,
    /// How it is grouped and sorted.
    pub order: SourceOrder,
    /// This page's lines.
    pub lines: Vec<SourceLine>,
    /// How many lines there are on all pages.
    pub lines_total: usize,
    /// Sums over all pages.
    pub totals: Outcomes,
}

/// One source, or one group of sources.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SourceLine {
    /// The address, network or name the line stands for; `-` where the reports name none.
    pub key: String,
    /// How many addresses it has.
    pub addresses: u64,
    /// Messages by outcome.
    pub outcomes: Outcomes,
    /// Messages by disposition.
    pub dispositions: Dispositions,
    /// How many reporters saw it.
    pub reporters: u64,
    /// First day in the period.
    #[schemars(with = "String")]
    pub first_day: Day,
    /// Last day in the period.
    #[schemars(with = "String")]
    pub last_day: Day,
    /// Days with at least one message.
    pub active_days: u64,
    /// Messages for each day of the period.
    pub by_day: Vec<u64>,
    /// The most frequent SPF domain and result, e.g. `pass bounce.example.net`; empty where grouped by it.
    pub spf: String,
    /// The most frequent signing domain and result; empty where grouped by it.
    pub dkim: String,
    /// Who is behind the address, where that was learned; absent where lines are not addresses.
    pub profile: Option<crate::Profile>,
    /// What it is taken for, where lines are addresses.
    pub flow: Option<crate::SourceFlow>,
}

/// One address and its history.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Source {
    /// The address.
    #[schemars(with = "String")]
    pub address: IpAddr,
    /// The /24 or /48 around it.
    pub network: String,
    /// Messages by outcome in the scope.
    pub outcomes: Outcomes,
    /// Messages by disposition in the scope.
    pub dispositions: Dispositions,
    /// First day in the whole ledger.
    #[schemars(with = "Option<String>")]
    pub first_day: Option<Day>,
    /// Last day in the whole ledger.
    #[schemars(with = "Option<String>")]
    pub last_day: Option<Day>,
    /// Every day of the period.
    pub days: Vec<SourceDay>,
    /// What it claimed and how that came out, most messages first; at most 50.
    pub authentications: Vec<AuthenticationLine>,
    /// Who reported it, most messages first; at most 50.
    pub reporters: Vec<CountLine>,
    /// Override kinds given, most messages first.
    pub overrides: Vec<CountLine>,
    /// Other addresses seen in the same network in the period.
    pub neighbours: u64,
    /// Who is behind it, where that was learned.
    pub profile: Option<crate::Profile>,
    /// Its grades over time, the newest first.
    pub grades: Vec<crate::GradeLine>,
}

/// One day of a source.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SourceDay {
    /// The day.
    #[schemars(with = "String")]
    pub day: Day,
    /// Messages by outcome.
    pub outcomes: Outcomes,
}

/// One combination of author domain, SPF and DKIM.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AuthenticationLine {
    /// Author domain.
    pub domain: String,
    /// All SPF checks, `pass mfrom example.com`.
    pub spf: String,
    /// All signatures, `pass d=example.com s=s1`.
    pub dkim: String,
    /// What came of it.
    #[schemars(with = "String")]
    pub outcome: Outcome,
    /// Messages.
    pub messages: u64,
    /// First day.
    #[schemars(with = "String")]
    pub first_day: Day,
    /// Last day.
    #[schemars(with = "String")]
    pub last_day: Day,
}

/// A name and its messages.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CountLine {
    /// The name.
    pub name: String,
    /// Messages.
    pub messages: u64,
}

/// The rows behind a number.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Rows {
    /// This page's rows: newest day first, then most messages.
    pub lines: Vec<RowLine>,
    /// How many there are on all pages.
    pub lines_total: usize,
    /// Messages on all pages.
    pub messages_total: u64,
}

/// One row as stored: a share of one row of one report on one day. Equal rows of one report and day stand as one.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RowLine {
    /// The day.
    #[schemars(with = "String")]
    pub day: Day,
    /// Number of the report in the ledger: `/reports/N`.
    pub report: u64,
    /// Who reported it.
    pub reporter: String,
    /// The address.
    #[schemars(with = "String")]
    pub source: IpAddr,
    /// Author domain.
    pub domain: String,
    /// Messages.
    pub messages: u64,
    /// What came of it.
    #[schemars(with = "String")]
    pub outcome: Outcome,
    /// What the receiver did.
    #[schemars(with = "String")]
    pub disposition: Disposition,
    /// All SPF checks.
    pub spf: String,
    /// All signatures.
    pub dkim: String,
    /// Envelope sender domain: empty for `<>`, `-` where unknown.
    pub envelope_from: String,
    /// Override kinds.
    pub overrides: String,
}

/// Who sent reports, and when.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Arrivals {
    /// First and last day; absent when the ledger is empty.
    #[schemars(with = "Option<(String, String)>")]
    pub days: Option<(Day, Day)>,
    /// One line a reporter, most messages first.
    pub reporters: Vec<ReporterLine>,
    /// Reports in the period.
    pub reports: u64,
    /// Reports that came again and changed nothing, since the ledger began.
    pub duplicates: u64,
    /// Items that could not be taken in, since the ledger began.
    pub rejected: u64,
    /// Reports whose identity came with two contents, since the ledger began.
    pub conflicts: u64,
}

/// One reporter's arrivals.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReporterLine {
    /// The organisation.
    pub reporter: String,
    /// Reports in the period.
    pub reports: u64,
    /// Messages in them.
    pub messages: u64,
    /// Reports with at least one flaw.
    pub flawed: u64,
    /// Reports for each day of the period, by the day they are about; a gap is a day without a report.
    pub by_day: Vec<u64>,
    /// Newest day reported on.
    #[schemars(with = "String")]
    pub last_day: Day,
    /// When the newest one was taken in, seconds since 1970 UTC.
    pub last_received: i64,
    /// `rfc7489` or `rfc9990`, by its newest report.
    #[schemars(with = "String")]
    pub dialect: report::Dialect,
}

/// How a policy reads as a record's tags, in the order of RFC 9989 §4.7.
#[must_use]
pub fn policy_text(policy: &PolicyPublished) -> String {
    let mut tags = Vec::new();
    tags.extend(policy.p.map(|p| format!("p={p}")));
    tags.extend(policy.sp.map(|p| format!("sp={p}")));
    tags.extend(policy.np.map(|p| format!("np={p}")));
    tags.extend(policy.adkim.map(|a| format!("adkim={a}")));
    tags.extend(policy.aspf.map(|a| format!("aspf={a}")));
    tags.extend(policy.pct.map(|pct| format!("pct={pct}")));
    tags.extend(policy.fo.as_ref().map(|fo| format!("fo={fo}")));
    tags.extend(policy.testing.map(|t| format!("t={}", if t { "y" } else { "n" })));
    tags.join("; ")
}
