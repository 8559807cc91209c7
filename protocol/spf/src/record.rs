//! An SPF record as a value: its terms in order, each with the place it stands at (RFC 7208 §4.6, §5, §6).
//!
//! In: the parser's terms. Out: terms to evaluate, and text again: what is written reads as the same record.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::{DomainSpec, Span, SpfResult};

/// A record whose whole text is in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub(crate) text: Box<str>,
    pub(crate) terms: Box<[Term]>,
    /// Which terms are `redirect` and `exp`, and whether there is an `all`: asked for at every evaluation.
    pub(crate) redirect: Option<u16>,
    pub(crate) explanation: Option<u16>,
    pub(crate) has_all: bool,
}

/// One term of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Where it stands in the record's text.
    pub span: Span,
    /// What it says.
    pub kind: TermKind,
}

/// What a term says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TermKind {
    /// A mechanism and what its match means.
    Directive(Qualifier, Mechanism),
    /// `redirect=`: the record of another name decides where nothing matched.
    Redirect(Box<DomainSpec>),
    /// `exp=`: where the explanation of a fail is found.
    Explanation(Box<DomainSpec>),
    /// A modifier that means nothing here. RFC 7208 §6: "Unrecognized modifiers MUST be ignored".
    Unknown {
        /// Its name as written.
        name: Box<str>,
        /// What follows `=`.
        value: Box<str>,
    },
}

/// What a match means (RFC 7208 §4.6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Qualifier {
    /// `+`, or nothing.
    Pass,
    /// `-`
    Fail,
    /// `~`
    SoftFail,
    /// `?`
    Neutral,
}

impl Qualifier {
    /// The result of a match.
    #[must_use]
    pub const fn result(self) -> SpfResult {
        match self {
            Self::Pass => SpfResult::Pass,
            Self::Fail => SpfResult::Fail,
            Self::SoftFail => SpfResult::SoftFail,
            Self::Neutral => SpfResult::Neutral,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "",
            Self::Fail => "-",
            Self::SoftFail => "~",
            Self::Neutral => "?",
        }
    }
}

/// Whom a directive is about (RFC 7208 §5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mechanism {
    /// Everybody.
    All,
    /// Those who pass by the record of another name.
    Include(Box<DomainSpec>),
    /// The addresses of a name.
    A(Option<Box<DomainSpec>>, DualPrefix),
    /// The addresses of a name's mail exchangers.
    Mx(Option<Box<DomainSpec>>, DualPrefix),
    /// Those whose address names itself so. RFC 7208 §5.5: "SHOULD NOT be published".
    Ptr(Option<Box<DomainSpec>>),
    /// An IPv4 network; bits behind the prefix are kept as written.
    Ip4(Ipv4Addr, u8),
    /// An IPv6 network; bits behind the prefix are kept as written.
    Ip6(Ipv6Addr, u8),
    /// Everybody, if a name has an IPv4 address.
    Exists(Box<DomainSpec>),
}

impl Mechanism {
    /// RFC 7208 §4.6.4: whether it counts against the limit of terms that ask DNS.
    #[must_use]
    pub const fn asks_dns(&self) -> bool {
        matches!(self, Self::Include(_) | Self::A(..) | Self::Mx(..) | Self::Ptr(_) | Self::Exists(_))
    }

    /// The name it is about, where it has one of its own.
    #[must_use]
    pub fn target(&self) -> Option<&DomainSpec> {
        match self {
            Self::Include(spec) | Self::Exists(spec) => Some(spec),
            Self::A(spec, _) | Self::Mx(spec, _) | Self::Ptr(spec) => spec.as_deref(),
            Self::All | Self::Ip4(..) | Self::Ip6(..) => None,
        }
    }
}

impl TermKind {
    /// RFC 7208 §4.6.4: whether it counts against the limit of terms that ask DNS; `exp` does not.
    #[must_use]
    pub const fn asks_dns(&self) -> bool {
        match self {
            Self::Directive(_, mechanism) => mechanism.asks_dns(),
            Self::Redirect(_) => true,
            Self::Explanation(_) | Self::Unknown { .. } => false,
        }
    }
}

/// How many bits of an address must be equal, for both families.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DualPrefix {
    /// 0 to 32.
    pub v4: u8,
    /// 0 to 128.
    pub v6: u8,
}

impl Default for DualPrefix {
    fn default() -> Self {
        Self { v4: 32, v6: 128 }
    }
}

impl Record {
    /// The text that was read.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The terms in order.
    #[must_use]
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// A term as it was written.
    #[must_use]
    pub fn text_of(&self, term: &Term) -> &str {
        self.text.get(term.span.range(self.text.len())).unwrap_or_default()
    }

    /// The `redirect` that counts. RFC 7208 §6.1: "Any "redirect" modifier MUST be ignored if there is an "all" mechanism anywhere in
    /// the record."
    #[must_use]
    pub fn redirect(&self) -> Option<(u16, &DomainSpec)> {
        let at = self.redirect.filter(|_| !self.has_all)?;
        match &self.terms.get(usize::from(at))?.kind {
            TermKind::Redirect(spec) => Some((at, spec)),
            _ => None,
        }
    }

    /// Where the explanation is found.
    #[must_use]
    pub fn explanation(&self) -> Option<&DomainSpec> {
        match &self.terms.get(usize::from(self.explanation?))?.kind {
            TermKind::Explanation(spec) => Some(spec),
            _ => None,
        }
    }
}

impl fmt::Display for Record {
    /// The record in its shortest form: one space between terms, no `+`, no prefix lengths that mean the whole address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("v=spf1")?;
        self.terms.iter().try_for_each(|term| write!(f, " {}", term.kind))
    }
}

impl fmt::Display for TermKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directive(qualifier, mechanism) => write!(f, "{}{mechanism}", qualifier.as_str()),
            Self::Redirect(spec) => write!(f, "redirect={spec}"),
            Self::Explanation(spec) => write!(f, "exp={spec}"),
            Self::Unknown { name, value } => write!(f, "{name}={value}"),
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |f: &mut fmt::Formatter<'_>, name: &str, spec: &Option<Box<DomainSpec>>| match spec {
            Some(spec) => write!(f, "{name}:{spec}"),
            None => f.write_str(name),
        };
        match self {
            Self::All => f.write_str("all"),
            Self::Include(spec) => write!(f, "include:{spec}"),
            Self::A(spec, prefix) => named(f, "a", spec).and_then(|()| write!(f, "{prefix}")),
            Self::Mx(spec, prefix) => named(f, "mx", spec).and_then(|()| write!(f, "{prefix}")),
            Self::Ptr(spec) => named(f, "ptr", spec),
            Self::Ip4(address, 32) => write!(f, "ip4:{address}"),
            Self::Ip4(address, prefix) => write!(f, "ip4:{address}/{prefix}"),
            Self::Ip6(address, 128) => write!(f, "ip6:{address}"),
            Self::Ip6(address, prefix) => write!(f, "ip6:{address}/{prefix}"),
            Self::Exists(spec) => write!(f, "exists:{spec}"),
        }
    }
}

impl fmt::Display for DualPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.v4 < 32 {
            write!(f, "/{}", self.v4)?;
        }
        if self.v6 < 128 {
            write!(f, "//{}", self.v6)?;
        }
        Ok(())
    }
}
