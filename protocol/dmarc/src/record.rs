//! A DMARC policy record as a value, and as text again (RFC 9989 §4.7, §4.8; RFC 7489 §6.3 for `pct`).
//!
//! In: what [`Record::parse`] read, or a record put together by hand. Out: text that is read back as the same record. What a tag
//! could not be read as is not in here, but for `p`, `sp` and `np`: that one of these is unreadable decides whether there is DMARC.

use std::fmt;

use crate::ReportUri;

/// What a Domain Owner asks for mail that fails. The order is that of strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Policy {
    /// Nothing: only reports are wanted.
    None,
    /// Treat it as suspicious.
    Quarantine,
    /// It is not by the domain.
    Reject,
}

impl Policy {
    /// All of them, the strictest last.
    pub const ALL: [Self; 3] = [Self::None, Self::Quarantine, Self::Reject];

    /// The word in the record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    /// Reads the word, in any case: strings in an ABNF have none (RFC 5234 §2.3).
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| word.eq_ignore_ascii_case(policy.as_str()))
    }

    /// RFC 9989 §4.7 (`t`): "one level below the specified policy"; none stays none.
    #[must_use]
    pub const fn one_level_lower(self) -> Self {
        match self {
            Self::Reject => Self::Quarantine,
            Self::Quarantine | Self::None => Self::None,
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How much like the author domain an authenticated domain must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AlignmentMode {
    /// The same organizational domain.
    #[default]
    Relaxed,
    /// The same domain.
    Strict,
}

impl AlignmentMode {
    /// `r` or `s`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Relaxed => "r",
            Self::Strict => "s",
        }
    }
}

/// `psd`: whether the domain is a public suffix domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PublicSuffix {
    /// `y`: others register names below it.
    Yes,
    /// `n`: it is an organizational domain.
    No,
    /// `u`: it does not say.
    #[default]
    Unknown,
}

/// `p`, `sp` or `np` as published.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PolicyTag {
    /// Not there.
    #[default]
    Absent,
    /// There, with a value that is no policy. RFC 9989 §4.10.1 has consequences for that.
    Unreadable(Box<str>),
    /// There.
    Is(Policy),
}

impl PolicyTag {
    /// The policy, where it is one.
    #[must_use]
    pub const fn policy(&self) -> Option<Policy> {
        match self {
            Self::Is(policy) => Some(*policy),
            Self::Absent | Self::Unreadable(_) => None,
        }
    }

    const fn is_unreadable(&self) -> bool {
        matches!(self, Self::Unreadable(_))
    }
}

/// `fo`: for which failures failure reports are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "four independent letters of one tag")]
pub struct FailureOptions {
    /// `0`: all mechanisms fail to give an aligned pass.
    pub all: bool,
    /// `1`: any mechanism does.
    pub any: bool,
    /// `d`: a signature fails, aligned or not.
    pub dkim: bool,
    /// `s`: SPF fails, aligned or not.
    pub spf: bool,
}

impl Default for FailureOptions {
    /// `0`.
    fn default() -> Self {
        Self { all: true, any: false, dkim: false, spf: false }
    }
}

impl fmt::Display for FailureOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = [(self.all, "0"), (self.any, "1"), (self.dkim, "d"), (self.spf, "s")];
        let letters: Vec<_> = letters.into_iter().filter(|(set, _)| *set).map(|(_, letter)| letter).collect();
        f.write_str(&letters.join(":"))
    }
}

/// A DMARC policy record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// `p`.
    pub policy: PolicyTag,
    /// `sp`: for subdomains, where the record is that of an organizational or public suffix domain.
    pub subdomain_policy: PolicyTag,
    /// `np`: for subdomains that do not exist.
    pub nonexistent_policy: PolicyTag,
    /// `adkim`.
    pub dkim_alignment: AlignmentMode,
    /// `aspf`.
    pub spf_alignment: AlignmentMode,
    /// `psd`.
    pub public_suffix: PublicSuffix,
    /// `t=y`.
    pub test_mode: bool,
    /// `rua`: where aggregate reports go. Malformed ones are not in here.
    pub aggregate_uris: Vec<ReportUri>,
    /// `ruf` as published: see [`Record::failure_destinations`].
    pub failure_uris: Vec<ReportUri>,
    /// `fo`.
    pub failure_options: FailureOptions,
    /// `pct`, for receivers of the first generation only.
    pub percent: Option<u8>,
    /// Tags that mean nothing here, as published: `rf`, `ri`, and unknown ones.
    pub other: Vec<(Box<str>, Box<str>)>,
}

impl Record {
    /// Where failure reports may be sent. RFC 9989 §4.7, RFC 9991 §5: those of a public suffix domain's record must not be used.
    #[must_use]
    pub fn failure_destinations(&self) -> &[ReportUri] {
        if self.public_suffix == PublicSuffix::Yes { &[] } else { &self.failure_uris }
    }

    /// Whether the policies are in order, as receivers of one generation see it. RFC 9989 §4.10.1: a record that "does not contain a
    /// valid "p" tag, or contains an "sp" or "np" tag that is not valid". RFC 7489 §6.6.3 says so of `p` and `sp`.
    #[must_use]
    pub fn has_valid_policies(&self, standard: crate::Standard) -> bool {
        let np_counts = standard == crate::Standard::Rfc9989;
        self.policy.policy().is_some()
            && !self.subdomain_policy.is_unreadable()
            && !(np_counts && self.nonexistent_policy.is_unreadable())
    }
}

impl fmt::Display for Record {
    /// The record in one order, defaults left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("v=DMARC1")?;
        let policies = [("p", &self.policy), ("sp", &self.subdomain_policy), ("np", &self.nonexistent_policy)];
        for (name, tag) in policies {
            match tag {
                PolicyTag::Absent => {}
                PolicyTag::Unreadable(text) => write!(f, "; {name}={text}")?,
                PolicyTag::Is(policy) => write!(f, "; {name}={policy}")?,
            }
        }
        for (name, mode) in [("adkim", self.dkim_alignment), ("aspf", self.spf_alignment)] {
            if mode != AlignmentMode::default() {
                write!(f, "; {name}={}", mode.as_str())?;
            }
        }
        match self.public_suffix {
            PublicSuffix::Yes => f.write_str("; psd=y")?,
            PublicSuffix::No => f.write_str("; psd=n")?,
            PublicSuffix::Unknown => {}
        }
        if self.test_mode {
            f.write_str("; t=y")?;
        }
        if let Some(percent) = self.percent {
            write!(f, "; pct={percent}")?;
        }
        for (name, uris) in [("rua", &self.aggregate_uris), ("ruf", &self.failure_uris)] {
            for (at, uri) in uris.iter().enumerate() {
                if at == 0 {
                    write!(f, "; {name}={uri}")?;
                } else {
                    write!(f, ",{uri}")?;
                }
            }
        }
        if self.failure_options != FailureOptions::default() {
            write!(f, "; fo={}", self.failure_options)?;
        }
        for (name, value) in &self.other {
            write!(f, "; {name}={value}")?;
        }
        Ok(())
    }
}
