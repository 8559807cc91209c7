//! What is wrong in an SPF record, and where: each mistake with the bytes to point at (RFC 7208 §12).

use std::fmt;

use thiserror::Error;

/// Bytes of a record's text, from `start` up to but not with `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// Of the first byte.
    pub start: u32,
    /// Behind the last byte.
    pub end: u32,
}

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Self {
        // A TXT record has at most 65,535 octets, so nothing is cut here.
        let short = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: short(start), end: short(end) }
    }

    /// As a range of bytes, within a text of `length` bytes.
    #[must_use]
    pub fn range(self, length: usize) -> std::ops::Range<usize> {
        let end = (self.end as usize).min(length);
        (self.start as usize).min(end)..end
    }
}

/// One mistake in a record.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{problem}")]
pub struct SyntaxError {
    /// Where it is.
    pub span: Span,
    /// What it is.
    pub problem: Problem,
}

/// What is wrong. Each is a permanent error for the whole record (RFC 7208 §4.6).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Problem {
    /// The text does not begin with the version.
    #[error("an SPF record begins with `v=spf1` and a space")]
    Version,
    /// A byte that no record may contain.
    #[error("{0} is not allowed: a record is printable US-ASCII, its terms parted by spaces")]
    Byte(Octet),
    /// A word that is neither a mechanism nor a modifier.
    #[error("`{0}` is no mechanism: all, include, a, mx, ptr, ip4, ip6 and exists are; a modifier has `=`")]
    Mechanism(String),
    /// A qualifier before a modifier.
    #[error("a modifier takes no qualifier: write it without `{0}`")]
    QualifiedModifier(char),
    /// Something after `all`.
    #[error("`all` stands alone: nothing may follow it in its term")]
    AllArgument,
    /// A mechanism that needs a name has none.
    #[error("`{0}` needs a domain name after it")]
    NameMissing(&'static str),
    /// The name does not end as a domain name does.
    #[error(
        "the name must end with a dot and a top-level label (letters, digits, hyphen; not digits alone), or with a macro"
    )]
    TopLabel,
    /// A percent sign that begins nothing.
    #[error("`%` begins a macro: `%{{letter}}`, `%%`, `%_` or `%-`")]
    Percent,
    /// An unknown macro letter.
    #[error("there is no macro `{0}`: s, l, o, d, i, p, v and h are allowed here")]
    MacroLetter(char),
    /// A macro letter that only explanations may have.
    #[error("the macro `{0}` is allowed in explanation texts only")]
    ExplanationMacro(char),
    /// A macro that goes on with something unknown, or does not end.
    #[error("a macro is a letter, digits, `r`, delimiters among . - + , / _ = and then `}}`")]
    MacroForm,
    /// `%{d0}`.
    #[error("a macro that keeps no labels means nothing: the number must not be 0")]
    MacroZero,
    /// A prefix length that is none.
    #[error("`{found}` is no prefix length: 0 to {max}, without leading zeros")]
    Prefix {
        /// What stands there.
        found: String,
        /// 32 or 128.
        max: u8,
    },
    /// An address that is none.
    #[error("`{found}` is no {family} address")]
    Address {
        /// IPv4 or IPv6.
        family: &'static str,
        /// What stands there.
        found: String,
    },
    /// A second `redirect` or `exp`.
    #[error("`{0}` stands in the record twice")]
    Twice(&'static str),
}

/// A byte in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Octet(pub u8);

impl fmt::Display for Octet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            b'\t' => f.write_str("a tab"),
            b'\r' => f.write_str("a carriage return"),
            b'\n' => f.write_str("a line feed"),
            0 => f.write_str("NUL"),
            byte if byte.is_ascii() => write!(f, "control character {byte:#04x}"),
            byte => write!(f, "byte {byte:#04x}, beyond US-ASCII,"),
        }
    }
}
