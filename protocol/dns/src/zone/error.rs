//! What is wrong in a zone text, and where: a line and a column to read, a span to point at.

use std::ops::Range;

use thiserror::Error;

use crate::NameError;

/// The first thing in a zone text that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct ZoneError {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The bytes of the text to point at.
    pub span: Range<usize>,
    /// What is wrong there.
    pub problem: Problem,
}

impl ZoneError {
    pub(super) fn new(text: &str, span: Range<usize>, problem: Problem) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self { line, column, span, problem }
    }
}

/// What is wrong in a zone text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Problem {
    /// A name that is none.
    #[error("this is no domain name: {0}")]
    Name(NameError),
    /// The very first record, or the first after nothing, begins with a blank.
    #[error("the line begins with a blank, which means “the same owner as before”, but there is no record before it")]
    NoOwner,
    /// Neither a time to live, a class nor a type that is known.
    #[error(
        "`{0}` is no record type that is known here: A, AAAA, TXT, MX, PTR, CNAME, NS and SOA are read, others only make the name exist"
    )]
    UnknownType(String),
    /// Something that changes answers and is not done here; to ignore it would be a silent wrong answer.
    #[error("{0} is not supported here: write out the records that it stands for")]
    NotSupported(&'static str),
    /// A record of another class.
    #[error("class {0}: only IN is known here")]
    Class(String),
    /// No number, or one out of range.
    #[error("`{found}` is no {what}: a whole number from 0 to {max} is allowed")]
    Number {
        /// What it was to be.
        what: &'static str,
        /// What stands there.
        found: String,
        /// The largest that is allowed.
        max: u32,
    },
    /// No time to live.
    #[error("`{0}` is no time to live: seconds up to 2147483647, or such as `1h30m`")]
    Ttl(String),
    /// No address of the family that the type asks for.
    #[error("`{found}` is no {family} address")]
    Address {
        /// IPv4 or IPv6.
        family: &'static str,
        /// What stands there.
        found: String,
    },
    /// The entry ends too early.
    #[error("{0} is missing at the end")]
    Missing(&'static str),
    /// The entry goes on too long.
    #[error("`{0}` is too much: the entry is complete before it")]
    Extra(String),
    /// RFC 1035 §3.3: a character-string has at most 255 octets.
    #[error(
        "this string has {0} octets, 255 are allowed: part it into several strings, they are joined without a space"
    )]
    StringTooLong(usize),
    /// A TXT record beyond what a DNS message can carry.
    #[error("this text needs {0} octets, 65535 are allowed")]
    TextTooLong(usize),
    /// A backslash with nothing useful after it.
    #[error("a backslash needs three digits up to 255, or one character, after it")]
    BadEscape,
    /// A quote that is not closed on its line.
    #[error("the quote is not closed on this line")]
    UnclosedQuote,
    /// A parenthesis that is never closed.
    #[error("the parenthesis is never closed")]
    UnclosedParenthesis,
    /// A parenthesis inside another.
    #[error("a parenthesis is open already")]
    NestedParenthesis,
    /// A closing parenthesis without an opening one.
    #[error("no parenthesis is open")]
    StrayParenthesis,
    /// RFC 1034 §3.6.2: no other data beside an alias.
    #[error("a name with a CNAME record has no other records (RFC 1034 §3.6.2)")]
    AliasAndOther,
    /// A directive that is not known.
    #[error(
        "`{0}` is no directive: `$ORIGIN`, `$TTL`, `;@ servfail`, `;@ timeout`, `;@ delay`, `;@ nodata` and `;@ exists` are known"
    )]
    UnknownDirective(String),
    /// `;@` behind a record or between parentheses.
    #[error("a directive stands on a line of its own")]
    DirectiveInside,
}
