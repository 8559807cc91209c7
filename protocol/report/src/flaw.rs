//! What was odd about a report that was taken in all the same, and why one was not.
//!
//! A sloppy report is data with [`Flaw`]s, never lost. A [`Rejection`] is named, and its raw copy is kept by whoever read it.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use crate::Text;

/// One kind of oddity in one report: the place where it was first seen, and how often it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flaw {
    /// What is odd.
    pub kind: FlawKind,
    /// Where it was first seen: `header`, or `row N` counted from 1.
    #[serde(rename = "where")]
    pub place: Text,
    /// The text that was there, cut to 200 bytes.
    pub value: Option<Text>,
    /// How many times.
    pub count: NonZeroU64,
}

/// The oddities that are tolerated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FlawKind {
    /// Bytes that are not valid in the text's encoding, replaced.
    InvalidUtf8,
    /// `<dkim>` without a selector.
    MissingSelector,
    // The reader adds the others here, each with a line of its own.
}

/// Why something could not be taken in as a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Rejection {
    /// The name of the reason.
    pub kind: RejectionKind,
    /// One sentence for people: what was found, what is allowed, what to do.
    pub message: String,
}

/// The named reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RejectionKind {
    /// No aggregate report anywhere in it.
    NoReport,
    /// The XML cannot be read to its end.
    NotWellFormed,
    /// Expands to more bytes than allowed.
    ExpandedSizeLimit,
    /// More members in one archive, or parts in one mail, than allowed.
    MemberLimit,
    /// More containers inside each other than allowed.
    NestingLimit,
    /// A mail or zip archive is larger than may be held in memory.
    ContainerSizeLimit,
    /// A member of an archive is encrypted.
    Encrypted,
    /// A member of an archive is compressed in a way that is not read.
    UnsupportedCompression,
    /// Compressed data that cannot be expanded to its end, or an archive without a directory.
    Damaged,
    /// The operating system could not read it.
    Unreadable,
    /// A defect of this program was met while reading it.
    InternalError,
    // The reader adds the others here.
}

impl Rejection {
    /// A rejection with its sentence.
    pub fn new(kind: RejectionKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// The rejection that an I/O error carries.
    ///
    /// # Errors
    /// The error itself, where it carries none.
    pub fn carried(error: std::io::Error) -> Result<Self, std::io::Error> {
        error.downcast::<Self>()
    }
}

/// A rejection may have to travel through `std::io::Read` on its way out of a decompressor.
impl From<Rejection> for std::io::Error {
    fn from(rejection: Rejection) -> Self {
        Self::other(rejection)
    }
}
