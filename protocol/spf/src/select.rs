//! Which of a name's TXT records is its SPF record (RFC 7208 §4.5).
//!
//! In: the records of one answer. Out: the one SPF record, parsed, or why there is none to evaluate. Kept with the answer, so that a
//! record is parsed once for as long as DNS lets it be kept.

use std::sync::Arc;

use dns::{Data, Records};

use crate::parse::is_spf;
use crate::{Record, SyntaxError};

/// What the TXT records of a name come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// None of them is an SPF record. RFC 7208 §4.5: "If the resultant record set includes no records, `check_host()` produces the "none"
    /// result."
    Nothing,
    /// One, in order.
    Record(Record),
    /// One, with mistakes: a permanent error.
    Faulty {
        /// Its text, as bytes: they may be anything.
        text: Box<[u8]>,
        /// At least one.
        errors: Vec<SyntaxError>,
    },
    /// More than one. RFC 7208 §4.5: "`check_host()` produces the "permerror" result".
    Several(Vec<Box<[u8]>>),
}

impl Selection {
    /// Selects among the records of one TXT answer.
    #[must_use]
    pub fn of(data: &[Data]) -> Self {
        let texts = || {
            data.iter().filter_map(|data| match data {
                Data::Txt(text) if is_spf(text) => Some(text),
                _ => None,
            })
        };
        match (texts().next(), texts().nth(1)) {
            (None, _) => Self::Nothing,
            (Some(text), None) => match Record::parse(text) {
                Ok(record) => Self::Record(record),
                Err(errors) => Self::Faulty { text: text.clone(), errors },
            },
            (Some(_), Some(_)) => Self::Several(texts().cloned().collect()),
        }
    }

    /// The same for an answer, which keeps it.
    #[must_use]
    pub fn cached(records: &Records) -> Arc<Self> {
        records.parsed(Self::of)
    }

    /// The record, where there is one in order.
    #[must_use]
    pub const fn record(&self) -> Option<&Record> {
        match self {
            Self::Record(record) => Some(record),
            _ => None,
        }
    }
}
