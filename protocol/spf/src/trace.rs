//! What an evaluation did: which records it read, what it asked, and where it ended. Always kept, rendered only when asked for.
//!
//! In: events, in order. Out: records and questions as lists; the tree of terms is put together from them and from the records' own
//! text. Terms that ask nothing and do not match leave no event: they follow from where their record ended.

use std::fmt;
use std::sync::Arc;

use dns::{Name, RecordType, Response};

use crate::{Record, Selection, SpfResult};

/// What one evaluation did.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    pub(crate) visits: Vec<Visit>,
    pub(crate) questions: Vec<Question>,
}

/// A record that was looked for.
#[derive(Debug, Clone)]
pub struct Visit {
    /// Where.
    pub domain: Name,
    /// What DNS said about its TXT records.
    pub answer: Answer,
    /// What was made of them, where there were any.
    pub selection: Option<Arc<Selection>>,
    /// The visit and the term of its record that led here; none for the first.
    pub from: Option<(u16, u16)>,
    /// Where the evaluation of this record ended.
    pub end: End,
}

/// Where the evaluation of one record ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Before its first term: there was nothing to evaluate.
    Unread,
    /// This term matched, with this result.
    Matched(u16, SpfResult),
    /// No term matched, and nothing else decides.
    NothingMatched,
    /// No term matched; this `redirect` handed on.
    Redirected(u16),
    /// This term ended the whole evaluation with an error.
    Failed(u16),
}

/// One question that a term asked, apart from the TXT records that are [`Visit`]s.
#[derive(Debug, Clone)]
pub struct Question {
    /// The visit whose record asked.
    pub visit: u16,
    /// The term that asked.
    pub term: u16,
    /// About what.
    pub name: Name,
    /// For what.
    pub kind: RecordType,
    /// What DNS said.
    pub answer: Answer,
    /// Whether it counts as a void lookup where there was no answer.
    pub may_be_void: bool,
}

/// A DNS answer in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// So many records, for so many seconds.
    Found {
        /// Records.
        count: u32,
        /// Seconds that they may be kept.
        ttl: u32,
    },
    /// The name does not exist.
    NxDomain {
        /// Seconds that this may be kept.
        ttl: u32,
    },
    /// The name has no such records.
    NoData {
        /// Seconds that this may be kept.
        ttl: u32,
    },
    /// DNS failed, in words.
    ServFail(Arc<str>),
    /// The time was up.
    Timeout,
}

impl Answer {
    /// The short form of an answer.
    #[must_use]
    pub fn of(response: &Response) -> Self {
        match response {
            Response::Found(records) => {
                Self::Found { count: u32::try_from(records.records().len()).unwrap_or(u32::MAX), ttl: records.ttl() }
            }
            Response::NxDomain { ttl } => Self::NxDomain { ttl: *ttl },
            Response::NoData { ttl } => Self::NoData { ttl: *ttl },
            Response::ServFail(reason) => Self::ServFail(Arc::clone(reason)),
            Response::Timeout => Self::Timeout,
        }
    }

    /// RFC 7208 §4.6.4: "either a positive answer (RCODE 0) with an answer count of 0, or a "Name Error" (RCODE 3) answer".
    #[must_use]
    pub const fn is_void(&self) -> bool {
        matches!(self, Self::NxDomain { .. } | Self::NoData { .. })
    }

    /// Whether DNS failed.
    #[must_use]
    pub const fn is_failure(&self) -> bool {
        matches!(self, Self::ServFail(_) | Self::Timeout)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found { count: 1, ttl } => write!(f, "1 record, kept {ttl} s"),
            Self::Found { count, ttl } => write!(f, "{count} records, kept {ttl} s"),
            Self::NxDomain { .. } => f.write_str("no such name"),
            Self::NoData { .. } => f.write_str("no such records"),
            Self::ServFail(reason) => write!(f, "failed ({reason})"),
            Self::Timeout => f.write_str("timed out"),
        }
    }
}

impl Trace {
    /// The records that were looked for, in order; the first is the domain's own.
    #[must_use]
    pub fn visits(&self) -> &[Visit] {
        &self.visits
    }

    /// The other questions, in order.
    #[must_use]
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// The record of a visit, where it is in order.
    #[must_use]
    pub fn record(&self, visit: u16) -> Option<&Record> {
        self.visits.get(usize::from(visit))?.selection.as_deref()?.record()
    }

    /// The record that a term led to, where it was looked for.
    #[must_use]
    pub fn led_to(&self, visit: u16, term: u16) -> Option<u16> {
        let at = self.visits.iter().position(|other| other.from == Some((visit, term)))?;
        u16::try_from(at).ok()
    }

    /// What a term asked.
    pub fn asked(&self, visit: u16, term: u16) -> impl Iterator<Item = &Question> {
        self.questions.iter().filter(move |question| question.visit == visit && question.term == term)
    }
}
