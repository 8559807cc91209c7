//! Which of a name's TXT records is its DMARC record (RFC 9989 §4.10 steps 2 and 6).
//!
//! In: the records of one answer. Out: the one DMARC record, read, or why there is none. Kept with the answer, so that a record is
//! read once for as long as DNS lets it be kept.

use std::sync::Arc;

use dns::{Data, Records};

use crate::{Finding, NotRecord, Record};

/// Texts that are kept because they are nearly records, or several: enough to see what is the matter.
const TEXTS_MAX: usize = 4;

/// A record as it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Its text.
    pub text: Box<str>,
    /// What it says.
    pub record: Record,
    /// What is odd about it; places are bytes of [`Published::text`] unless it has bytes that are not UTF-8.
    pub findings: Vec<Finding>,
}

/// What the TXT records of a name come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// None of them is a DMARC record; these are nearly ones.
    Nothing(Vec<(Box<str>, NotRecord)>),
    /// One.
    Record(Arc<Published>),
    /// Several, at most four of them here. RFC 9989 §4.10: "they are all discarded".
    Several(Vec<Box<str>>),
}

impl Selection {
    /// Selects among the records of one TXT answer.
    #[must_use]
    pub fn of(data: &[Data]) -> Self {
        let texts = data.iter().filter_map(|data| match data {
            Data::Txt(text) => Some(text),
            _ => None,
        });
        let mut found = Vec::new();
        let mut near = Vec::new();
        for text in texts {
            let shown = || Box::from(String::from_utf8_lossy(text));
            match Record::parse(text) {
                // "Records that do not start with a "v" tag that identifies the current version of DMARC are discarded."
                Err(why) if !matches!(why, NotRecord::PolicyTwice(_)) => {
                    if why.is_near_miss() && near.len() < TEXTS_MAX {
                        near.push((shown(), why));
                    }
                }
                // One that is invalid for another reason still counts as one of several.
                parsed => found.push((shown(), parsed)),
            }
        }
        if found.len() > 1 {
            return Self::Several(found.into_iter().take(TEXTS_MAX).map(|(text, _)| text).collect());
        }
        match found.pop() {
            Some((text, Ok((record, findings)))) => Self::Record(Arc::new(Published { text, record, findings })),
            Some((text, Err(why))) => {
                near.insert(0, (text, why));
                Self::Nothing(near)
            }
            None => Self::Nothing(near),
        }
    }

    /// The same for an answer, which keeps it.
    #[must_use]
    pub fn cached(records: &Records) -> Arc<Self> {
        records.parsed(Self::of)
    }

    /// The record, where there is one.
    #[must_use]
    pub const fn published(&self) -> Option<&Arc<Published>> {
        match self {
            Self::Record(published) => Some(published),
            Self::Nothing(_) | Self::Several(_) => None,
        }
    }
}
