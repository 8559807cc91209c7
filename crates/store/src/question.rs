//! The one way to ask the ledger: filter → group → measures → order → page.
//!
//! A [`Question`] is plain data. The embedded executor answers it from rollups where they suffice and from segments where they do
//! not; `sql` renders the same question for an engine that reads the segments by itself. Both give the same [`Answer`].

use std::net::IpAddr;

use report::Day;

/// What is asked of the rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Question {
    /// First and last day, both included; `None` is all there is.
    pub days: Option<(Day, Day)>,
    /// Conditions that must all hold.
    pub filter: Vec<Condition>,
    /// The columns to group by; none gives one line of totals.
    pub group: Vec<Column>,
    /// What to compute for each group.
    pub measures: Vec<Measure>,
    /// Sort keys. The group columns always follow in ascending order, so that the order is total and pages are stable.
    pub order: Vec<(Key, Direction)>,
    /// Groups to pass over.
    pub offset: usize,
    /// Groups to return; `None` is all.
    pub limit: Option<usize>,
}

/// A column of a row in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// UTC day (the row's share of it).
    Day,
    /// The report the row is from: its number in the catalog.
    Report,
    /// Reporter organisation.
    Reporter,
    /// Author domain.
    Domain,
    /// Organizational domain of the author domain, by public suffix list, computed when taken in.
    OrgDomain,
    /// Policy domain of the report.
    PolicyDomain,
    /// Source address.
    Source,
    /// The /24 (IPv4) or /48 (IPv6) around the source.
    Network,
    /// What receivers did.
    Disposition,
    /// [`report::Outcome`].
    Outcome,
    /// Domain of the most telling signature: aligned pass, else pass, else the first.
    DkimDomain,
    /// Its selector.
    DkimSelector,
    /// Its result.
    DkimResult,
    /// All signatures: `pass d=example.com s=s1; fail d=…`, in the reporter's order.
    Dkim,
    /// Domain of the most telling SPF check: pass, else mfrom scope, else the first.
    SpfDomain,
    /// Its result.
    SpfResult,
    /// All checks: `pass mfrom example.com; none helo …`.
    Spf,
    /// Envelope sender domain; empty for `<>`, `-` where unknown.
    EnvelopeFrom,
    /// Envelope recipient domain; `-` where unknown.
    EnvelopeTo,
    /// Override kinds, sorted and joined with `,`; empty if there are none.
    Overrides,
    /// `none`, `quarantine`, `reject`: `p` of the policy published; `-` where absent.
    Policy,
}

/// A condition on one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The column.
    pub column: Column,
    /// What must hold of it.
    pub test: Test,
}

/// What can be asked of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// One of these. An empty list holds for nothing.
    In(Vec<Value>),
    /// None of these.
    NotIn(Vec<Value>),
    /// [`Column::Source`] only: inside this network.
    Within(IpAddr, u8),
}

/// What can be computed for a group. All but `Rows` and the distinct counts are in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Messages.
    Messages,
    /// Rows.
    Rows,
    /// Messages with this outcome.
    Outcome(report::Outcome),
    /// Messages with this disposition.
    Disposition(report::Disposition),
    /// Messages that pass DMARC.
    Passing,
    /// Messages that fail DMARC.
    Failing,
    /// First day.
    FirstDay,
    /// Last day.
    LastDay,
    /// How many different values of this column.
    Distinct(Column),
}

/// Something to sort by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A group column.
    Column(Column),
    /// A measure, whether or not it is among those returned.
    Measure(Measure),
}

/// Which way to sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Small first.
    Ascending,
    /// Large first.
    Descending,
}

/// A value of a column or a measure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// [`Column::Day`] and the measures of days.
    Day(Day),
    /// [`Column::Report`] and counts. Sums saturate rather than wrap.
    Number(u64),
    /// [`Column::Source`]; IPv4 is never held as mapped IPv6.
    Address(IpAddr),
    /// [`Column::Network`].
    Network(IpAddr, u8),
    /// Every other column: the words and names as documented there.
    Text(report::Text),
    /// The first and last day where no row passed the filter.
    Absent,
}

/// The groups found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// One line a group on this page: the group columns' values, then the measures', in the question's order.
    pub lines: Vec<Line>,
    /// How many groups there are in all.
    pub groups: usize,
    /// The measures over everything that passed the filter.
    pub totals: Vec<Value>,
}

/// One group of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Values of the group columns.
    pub key: Vec<Value>,
    /// Values of the measures.
    pub measures: Vec<Value>,
}
