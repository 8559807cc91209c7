//! What is wrong or odd in a record, and where: for those who publish it. Receivers carry on (RFC 9989 §4.7).

use std::ops::Range;

use thiserror::Error;

/// One remark on a record.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{problem}")]
pub struct Finding {
    /// Bytes of the record's text.
    pub span: Range<usize>,
    /// What.
    pub problem: Problem,
}

/// What is wrong or odd.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Problem {
    /// `p`, `sp` or `np` with a value that is no policy.
    #[error(
        "`{found}` is no policy for `{tag}`: none, quarantine and reject are. Receivers act as if the record said p=none, and without a valid rua ignore it"
    )]
    Policy {
        /// Which.
        tag: &'static str,
        /// What stands there.
        found: String,
    },
    /// No `p`.
    #[error(
        "there is no `p`: receivers act as if it said p=none, and without a valid rua ignore the record. Write the policy that is meant"
    )]
    NoPolicy,
    /// A value that its tag does not have.
    #[error("`{found}` is no value of `{tag}`, so `{default}` counts: {allowed} are allowed")]
    Value {
        /// Whose.
        tag: &'static str,
        /// What stands there.
        found: String,
        /// What may stand there.
        allowed: &'static str,
        /// What counts instead.
        default: &'static str,
    },
    /// A tag that stands there twice.
    #[error("`{0}` stands in the record twice, so neither counts: keep one")]
    Twice(&'static str),
    /// The version again.
    #[error("the version stands in the record twice: keep the first")]
    VersionTwice,
    /// A part without `=`.
    #[error("`{0}` is no tag: tags are name=value, with `;` between them")]
    NoTag(String),
    /// Two semicolons in a row.
    #[error("there is nothing between two semicolons")]
    EmptyPart,
    /// A tag that nobody knows.
    #[error("the tag `{0}` is not known and means nothing")]
    Unknown(String),
    /// A known tag in upper case.
    #[error("tag names are lower case: `{0}` is not taken for `{1}`")]
    NameCase(String, &'static str),
    /// A byte that no value has.
    #[error("the value of `{0}` has a character that no value may have: only printable US-ASCII")]
    Character(String),
    /// A tag of the first generation.
    #[error("{0}")]
    Historic(&'static str),
    /// `p` is not the second tag.
    #[error("`p` is not the second tag: RFC 9989 does not mind, receivers that follow RFC 7489 may")]
    PolicyNotSecond,
    /// A report URI that is none.
    #[error("`{found}` is not used as a destination: {why}")]
    Uri {
        /// What stands there.
        found: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// `!10m`.
    #[error("a size after `!` means nothing any more (RFC 9989); receivers that follow RFC 7489 may obey it")]
    UriSize,
    /// Too many URIs.
    #[error("only the first {max} destinations of `{tag}` are used")]
    TooManyUris {
        /// `rua` or `ruf`.
        tag: &'static str,
        /// How many.
        max: usize,
    },
    /// `fo` without `ruf`.
    #[error("`fo` means nothing without `ruf`")]
    FailureOptionsAlone,
    /// `fo=0:1`.
    #[error("RFC 9989 knows `fo` as 0, as 1, or as d and s: some receivers may take another combination for 0")]
    FailureOptionsMixed,
    /// `ruf` in a record with `psd=y`.
    #[error("`ruf` of a public suffix domain (psd=y) must not be used by receivers")]
    FailureUriOfSuffix,
}

impl Problem {
    /// Whether something that was published does not take effect. The rest is good to know.
    #[must_use]
    pub const fn is_error(&self) -> bool {
        match self {
            Self::Policy { .. }
            | Self::NoPolicy
            | Self::Value { .. }
            | Self::Twice(_)
            | Self::NoTag(_)
            | Self::NameCase(..)
            | Self::Character(_)
            | Self::Uri { .. }
            | Self::TooManyUris { .. }
            | Self::FailureUriOfSuffix => true,
            Self::EmptyPart
            | Self::VersionTwice
            | Self::Unknown(_)
            | Self::Historic(_)
            | Self::PolicyNotSecond
            | Self::UriSize
            | Self::FailureOptionsAlone
            | Self::FailureOptionsMixed => false,
        }
    }
}

/// Why a text is no DMARC record at all.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotRecord {
    /// It is about something else.
    #[error("it does not begin with v=DMARC1")]
    Other,
    /// White space in front.
    #[error("white space stands before v=DMARC1: take it away")]
    LeadingSpace,
    /// `v=dmarc1`, `V=DMARC1`.
    #[error("v=DMARC1 must be written exactly so, in this case")]
    Case,
    /// `v=DMARC1 p=reject`, `v=DMARC1x`.
    #[error("after v=DMARC1 nothing but a semicolon may follow: is one missing?")]
    AfterVersion,
    /// `p=reject; v=DMARC1`.
    #[error("v=DMARC1 must be the first tag")]
    VersionNotFirst,
    /// RFC 6376 §3.2: "if a tag name does occur more than once, the entire tag-list is invalid". Which of two policies is meant
    /// nobody can say; for other tags their default serves.
    #[error("`{0}` stands in the record twice, which makes it invalid: keep one")]
    PolicyTwice(&'static str),
}

impl NotRecord {
    /// Whether the text was meant to be a record.
    #[must_use]
    pub const fn is_near_miss(&self) -> bool {
        !matches!(self, Self::Other)
    }
}
