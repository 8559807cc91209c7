//! A finding: how bad it is, what it is about, where it stands, and what to do about it.

use std::fmt;
use std::ops::Range;

use dns::Name;

/// How bad it is; the worst sorts first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Mail is refused, or protection is off, today.
    Error,
    /// It works until something small changes, or it is weaker than it looks.
    Warning,
    /// Worth knowing.
    Notice,
}

impl Severity {
    /// In one word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// What it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum About {
    /// The name itself.
    Name,
    /// Who may send: RFC 7208.
    Spf,
    /// What receivers shall do: RFC 9989.
    Dmarc,
    /// Keys: RFC 6376.
    Dkim,
    /// Where mail goes: RFC 5321.
    Mx,
    /// TLS for mail to the domain: RFC 8461.
    MtaSts,
    /// Reports about TLS: RFC 8460.
    TlsRpt,
    /// A domain without mail.
    Parked,
}

impl About {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Spf => "SPF",
            Self::Dmarc => "DMARC",
            Self::Dkim => "DKIM",
            Self::Mx => "MX",
            Self::MtaSts => "MTA-STS",
            Self::TlsRpt => "TLS-RPT",
            Self::Parked => "parked",
        }
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Something that the domain's owner may want to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its kind, for programs: never changes its meaning.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about.
    pub about: About,
    /// What it is, as a sentence without a full stop.
    pub what: String,
    /// What to do, the same; empty where there is nothing to do.
    pub fix: String,
    /// The record it stands in, where there is one.
    pub place: Option<Place>,
}

/// A part of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Whose record.
    pub name: Name,
    /// The whole record, as bytes.
    pub record: Box<[u8]>,
    /// The bytes to point at; may be empty.
    pub span: Range<usize>,
}

/// The findings of one subject, as they are gathered.
pub(crate) struct Findings<'a> {
    pub(crate) about: About,
    pub(crate) all: &'a mut Vec<Finding>,
}

impl Findings<'_> {
    pub(crate) fn add(&mut self, severity: Severity, id: &'static str, what: String, fix: &str, place: Option<Place>) {
        self.all.push(Finding { id, severity, about: self.about, what, fix: fix.to_owned(), place });
    }

    pub(crate) fn error(&mut self, id: &'static str, what: String, fix: &str, place: Option<Place>) {
        self.add(Severity::Error, id, what, fix, place);
    }

    pub(crate) fn warning(&mut self, id: &'static str, what: String, fix: &str, place: Option<Place>) {
        self.add(Severity::Warning, id, what, fix, place);
    }

    pub(crate) fn notice(&mut self, id: &'static str, what: String, fix: &str, place: Option<Place>) {
        self.add(Severity::Notice, id, what, fix, place);
    }
}
