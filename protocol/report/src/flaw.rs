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

/// Makes the enum and, from the same lines, the sentences for people.
macro_rules! flaws {
    ($($(#[doc = $line:literal])+ $kind:ident,)+) => {
        /// The oddities that are tolerated.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum FlawKind {
            $($(#[doc = $line])+ $kind,)+
        }

        impl FlawKind {
            /// Every kind, in the order of this list.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// What was found and how it was taken, in one sentence for people; code stands in backquotes.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$kind => concat!($($line),+).trim_ascii_start(),)+ }
            }
        }
    };
}

flaws! {
    // --- the bytes and the XML
    /// Bytes that are not valid in the text's encoding, replaced by U+FFFD.
    InvalidUtf8,
    /// A character that XML does not allow, replaced by U+FFFD.
    InvalidCharacter,
    /// The declaration names an encoding nobody knows; read as UTF-8.
    UnknownEncoding,
    /// UTF-16 without a byte order mark.
    EncodingWithoutMark,
    /// White space before the XML declaration.
    SpaceBeforeDeclaration,
    /// Text or elements before or around `<feedback>`, an `<xs:schema>` for example.
    ContentBeforeReport,
    /// Text or elements after `</feedback>`, not read.
    ContentAfterReport,
    /// A second `<feedback>` in the same document, not read.
    SecondReport,
    /// A raw `<` inside a text, taken as text.
    StrayMarkup,
    /// A raw `&`, or an entity XML does not have, taken as text.
    StrayAmpersand,
    /// Text between elements, where none belongs.
    StrayText,
    /// The end tag of an outer element is missing.
    UnclosedElement,
    /// A known element where it does not belong, not read.
    MisplacedElement,
    /// An element that may stand once stands again: the first one counts.
    RepeatedElement,
    /// Rows before the report's metadata or policy.
    RowsBeforeHeader,
    // --- the header
    /// No `org_name`, or an empty one: the domain of `email` is taken.
    MissingOrganization,
    /// No `email`, or an empty one.
    MissingEmail,
    /// No `report_id`, or an empty one.
    MissingReportId,
    /// A fraction of a second in `begin` or `end`, cut off.
    FractionalTime,
    /// An interval that begins before DMARC was first published (January 2012).
    EarlyTime,
    /// `begin` and `end` are the same second.
    ZeroSpan,
    /// `end` lies before `begin`.
    EndBeforeBegin,
    /// An interval of more than eight days.
    LongSpan,
    /// An empty `p`, `sp` or `np`: taken as absent.
    EmptyPolicy,
    /// No `p`.
    MissingPolicy,
    /// A `p`, `sp` or `np` nobody specified: taken as absent.
    UnknownPolicy,
    /// An `adkim` or `aspf` that is neither `r` nor `s`: taken as absent.
    UnknownAlignment,
    /// A `pct` that is no number from 0 to 100: taken as absent.
    UnknownPercentage,
    /// A `testing` that is neither `y` nor `n`: taken as absent.
    UnknownTesting,
    /// A `discovery_method` nobody specified: taken as absent.
    UnknownDiscoveryMethod,
    // --- the rows
    /// A row whose `source_ip` is missing or no address: the row is left out and counted in `bad_rows`.
    BadSource,
    /// A row whose `count` is missing, negative, no number or beyond belief: the row is left out and counted in
    /// `bad_rows`.
    BadCount,
    /// A row of nothing but empty elements and a count of zero: left out and counted in `bad_rows`.
    EmptyRow,
    /// A whole number of messages written with a fraction (`3.0`).
    FractionalCount,
    /// A row of no messages.
    ZeroCount,
    /// An address in brackets, with a prefix or leading zeros; read all the same.
    OddSource,
    /// An IPv4-mapped IPv6 address, held as IPv4.
    MappedSource,
    /// No `policy_evaluated`, or no `dkim` or `spf` in it: not aligned.
    MissingEvaluation,
    /// A `policy_evaluated` result that is neither pass nor fail: taken as fail.
    OddEvaluation,
    /// A `disposition` that is missing, empty or unknown: taken as none.
    UnknownDisposition,
    /// A `reason` without a type: taken as `other`, or left out if its comment is empty too.
    EmptyReason,
    /// A `reason` type nobody specified, kept as written.
    UnknownReason,
    /// `<identities>` instead of `<identifiers>`.
    Identities,
    /// No `header_from`, or an empty one: the policy domain is taken.
    MissingAuthorDomain,
    /// No `auth_results`, or nothing in it.
    MissingAuthResults,
    /// A `<dkim>` with nothing in it, left out.
    EmptyDkim,
    /// An `<spf>` with nothing in it, left out.
    EmptySpf,
    /// `<dkim>` without a selector.
    MissingSelector,
    /// `<dkim>` without a domain.
    MissingDkimDomain,
    /// `<spf>` without a domain.
    MissingSpfDomain,
    /// An `<spf>` scope nobody specified: taken as absent.
    UnknownScope,
    /// A `<dkim>` or `<spf>` without a result: taken as none.
    MissingResult,
    /// A result word from elsewhere with a known meaning: `hardfail` as fail, `unknown` and `error` as temperror, a
    /// DKIM `invalid` or `unknown` as neutral.
    OddResult,
    /// A result word without a known meaning: taken as neutral.
    UnknownResult,
    // --- words and domains
    /// A word of the standard in capitals or with other separators.
    MixedCase,
    /// A domain that is none, kept as text.
    BadDomain,
    /// A mail address where a domain belongs: its domain is taken.
    AddressAsDomain,
    /// A domain in Unicode, held as A-labels.
    UnicodeDomain,
    // --- failure reports
    /// A failure report without its `message/feedback-report` part: what the text says is taken.
    MissingFeedback,
    /// A part of a failure report under another label than the standard's.
    MislabelledPart,
    /// A `message/feedback-report` part in base64, which nothing calls for.
    EncodedFeedback,
    /// No `Feedback-Type`: taken as an authentication failure, because the rest says so.
    MissingFeedbackType,
    /// No `Auth-Failure`: taken as `dmarc`.
    MissingAuthFailure,
    /// An `Auth-Failure` nobody specified, kept as written.
    UnknownAuthFailure,
    /// No `Identity-Alignment`: which mechanisms failed is not known.
    MissingAlignment,
    /// An `Identity-Alignment` that is no list of `dkim` and `spf`: what is known in it is taken.
    OddAlignment,
    /// A `Delivery-Result` nobody specified: taken as `other`.
    UnknownDelivery,
    /// No `Arrival-Date`: another date of the mail is taken.
    MissingArrival,
    /// An `Arrival-Date` that is none, or lies before 1990 or in the future: another date of the mail is taken.
    BadArrival,
    /// No `Source-IP`, or one that is no address: the source is not known.
    MissingSource,
    /// No header of the message that failed.
    MissingOriginal,
    /// The message that failed has no author, or several: the first domain named is taken.
    OddAuthor,
    /// A number that is none: taken as 1 where it counts incidents, else as absent.
    OddNumber,
    /// A text longer than any report needs, cut.
    LongText,
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
    /// No report anywhere in it.
    NoReport,
    /// Its bytes could not be read: a damaged archive, a failing disk.
    Unreadable,
    /// The XML cannot be read to its end.
    NotWellFormed,
    /// A DOCTYPE, ENTITY or other declaration, which no report needs and attacks do.
    Doctype,
    /// A name, tag or text longer than any report has.
    FieldTooLong,
    /// Elements nested deeper than any report does.
    TooDeep,
    /// More signatures, SPF checks, override reasons or errors in one place than allowed.
    TooManyResults,
    /// A row or a header larger than any report has.
    PartTooLong,
    /// More rows than allowed.
    TooManyRows,
    /// Expands to more bytes than allowed.
    ExpandedSizeLimit,
    /// More rows before the report's metadata and policy than can be held back.
    HeaderAfterRows,
    /// A part without which nothing can be said: metadata, date range, policy or its domain.
    MissingPart,
    /// A date range that is no seconds since 1970, or lies outside 1970 to 2100 or in the future.
    ImplausibleTime,
    /// Rows, but not one that can be counted.
    AllRowsInvalid,
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
    /// The mail that carried it is not from whom it says, so anybody may have written it.
    UnauthenticatedReporter,
    /// It is about a domain that is none of ours.
    ForeignDomain,
    /// A complaint of a recipient or another kind of feedback, not a failure of authentication.
    OtherFeedback,
    /// A defect of this program was met while reading it.
    InternalError,
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
