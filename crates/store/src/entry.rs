//! What goes into the ledger and comes out of it beside rows: items, reports, policies, arrivals, rejections, conflicts, flaws.
//!
//! Plain data, without behaviour.

use std::fmt;
use std::str::FromStr;

use report::{Day, Dialect, Flaw, FlawKind, PolicyPublished, Rejection, Report, Text};

/// The name of a raw copy: SHA-256 of the item's bytes. Written in hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RawKey(pub [u8; 32]);

impl fmt::Display for RawKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A text that is no raw key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a raw copy is named by 64 hexadecimal digits")]
pub struct NoRawKey;

impl FromStr for RawKey {
    type Err = NoRawKey;

    fn from_str(text: &str) -> Result<Self, NoRawKey> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(NoRawKey);
        }
        let digit = |at: usize| char::from(digits[at]).to_digit(16).and_then(|d| u8::try_from(d).ok()).ok_or(NoRawKey);
        let mut key = [0; 32];
        for (at, byte) in key.iter_mut().enumerate() {
            *byte = digit(2 * at)? << 4 | digit(2 * at + 1)?;
        }
        Ok(Self(key))
    }
}

/// An item after [`crate::Ledger::keep`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// The name of the raw copy.
    pub key: RawKey,
    /// What the ledger knew of it before.
    pub state: KeptState,
}

/// What the ledger knew of an item when it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptState {
    /// Nothing.
    New,
    /// The same bytes are in the spool, and what came of them is not committed yet.
    Pending,
    /// The same bytes were taken in before.
    Known {
        /// Reports that were in it, duplicates and conflicts included.
        reports: u64,
        /// Rejections of it or of its members.
        rejected: u64,
        /// Failure reports that were in it, those that had come before included.
        samples: u64,
    },
}

/// A raw item that has no committed outcome: it has to be read (again).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The name of the raw copy.
    pub key: RawKey,
    /// Where it came from, as given to `keep`.
    pub origin: String,
    /// When it came, seconds since 1970 UTC.
    pub received: i64,
    /// Its bytes, as received.
    pub size: u64,
}

/// What became of a report at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is new and will count with the next commit.
    New {
        /// Its number in the ledger.
        id: u64,
    },
    /// The same report was taken in before; nothing changes.
    Duplicate {
        /// The number of the one that counts.
        id: u64,
    },
    /// Same identity, other content: this one counts from the next commit on, and the older one no longer does. Both raw copies stay.
    Conflict {
        /// Its number in the ledger.
        id: u64,
        /// The number of the one it takes the place of.
        replaces: u64,
    },
}

/// A report as the catalog knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportEntry {
    /// Its number in the ledger, counted from 1 in order of taking in.
    pub id: u64,
    /// First UTC day it is about.
    pub day: Day,
    /// Its header.
    pub report: Report,
    /// Rows in it.
    pub rows: u64,
    /// Messages in it.
    pub messages: u64,
    /// Rows that were left out, because nothing could be counted from them.
    pub bad_rows: u64,
    /// What was odd, one entry a kind.
    pub flaws: Vec<Flaw>,
    /// SHA-256 of its canonical content.
    pub content: [u8; 32],
    /// The item it came in.
    pub item: RawKey,
    /// Bytes of that item, as received.
    pub item_bytes: u64,
    /// Where the item came from.
    pub origin: String,
    /// The member of the item, where the item held several.
    pub member: Option<String>,
    /// When the item came, seconds since 1970 UTC.
    pub received: i64,
    /// The report that took its place, if the same identity came again with other content. It does not count any more.
    pub superseded_by: Option<u64>,
}

/// Which reports to list. Everything unset means no limit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReportFilter {
    /// Days they are about (their first day), both included.
    pub days: Option<(Day, Day)>,
    /// Reporter organisation.
    pub reporter: Option<Text>,
    /// Policy domain.
    pub policy_domain: Option<Text>,
    /// Only those with this flaw.
    pub flaw: Option<FlawKind>,
    /// Only those out of this item.
    pub item: Option<RawKey>,
}

/// A policy as reporters saw it on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyOfDay {
    /// The first day of the reports.
    pub day: Day,
    /// The policy published, with its domain.
    pub policy: PolicyPublished,
    /// How many reports say so.
    pub reports: u64,
}

/// What came from one reporter about one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The first day of the reports.
    pub day: Day,
    /// Reporter organisation.
    pub reporter: Text,
    /// Reports, without duplicates and superseded ones.
    pub reports: u64,
    /// Messages in them.
    pub messages: u64,
    /// Reports with at least one flaw.
    pub flawed: u64,
    /// When the newest of them came, seconds since 1970 UTC.
    pub last_received: i64,
    /// The generation of the newest.
    pub dialect: Dialect,
}

/// An item, or a member of one, that could not be taken in. Its raw copy is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectionEntry {
    /// The item.
    pub item: RawKey,
    /// Bytes of the item, as received.
    pub item_bytes: u64,
    /// Where the item came from.
    pub origin: String,
    /// The member, where the item held several.
    pub member: Option<String>,
    /// When the item came, seconds since 1970 UTC.
    pub received: i64,
    /// Why.
    pub rejection: Rejection,
}

/// One identity with two contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictEntry {
    /// The report that took over. It may have been superseded itself since.
    pub counts: ReportEntry,
    /// The one it took the place of.
    pub superseded: ReportEntry,
}

/// One kind of flaw of one reporter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlawEntry {
    /// The kind.
    pub kind: FlawKind,
    /// Who writes it so.
    pub reporter: Text,
    /// In how many reports.
    pub reports: u64,
    /// The newest report that has it.
    pub report: u64,
    /// The flaw as it stands in that report.
    pub example: Flaw,
}

/// What the ledger holds, and what it has seen since it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Items with a committed outcome.
    pub items: u64,
    /// Bytes of these, as received.
    pub item_bytes: u64,
    /// Reports that count.
    pub reports: u64,
    /// Rows of these.
    pub rows: u64,
    /// Messages of these. Saturates.
    pub messages: u64,
    /// Reports that came again and changed nothing.
    pub duplicates: u64,
    /// Reports whose identity had come with another content.
    pub conflicts: u64,
    /// Items, or members of items, that could not be taken in.
    pub rejected: u64,
    /// Reports with at least one flaw, of those that count.
    pub flawed: u64,
    /// Files of rows.
    pub segments: u64,
    /// Their bytes.
    pub segment_bytes: u64,
    /// Samples from failure reports.
    pub samples: u64,
}

/// What one intake took in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IntakeTotals {
    /// Items, repeated ones included.
    pub items: u64,
    /// Reports read, duplicates and conflicts included.
    pub reports: u64,
    /// Reports that count now and did not before: new ones and those of a conflict.
    pub new: u64,
    /// Reports that changed nothing.
    pub duplicates: u64,
    /// Reports that took the place of another; also among the new ones.
    pub conflicts: u64,
    /// Items, or members of items, that could not be taken in.
    pub rejected: u64,
    /// Rows of the new ones.
    pub rows: u64,
    /// Messages of the new ones. Saturates.
    pub messages: u64,
    /// Flaws of the new ones: kinds, summed over reports.
    pub flaws: u64,
    /// Failure reports that were new.
    pub samples: u64,
    /// Failure reports that had come before.
    pub samples_repeated: u64,
}

/// What a compaction did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compacted {
    /// Segments read and dropped.
    pub before: u64,
    /// Segments written instead.
    pub after: u64,
    /// Rows written.
    pub rows: u64,
}

/// What retention dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retained {
    /// Reports forgotten.
    pub reports: u64,
    /// Rows dropped.
    pub rows: u64,
    /// Packs of raw copies removed.
    pub packs: u64,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// Segments read.
    pub segments: u64,
    /// Rows read.
    pub rows: u64,
    /// Raw copies read and hashed.
    pub items: u64,
    /// What is wrong, one sentence each; empty if nothing is.
    pub faults: Vec<String>,
}
