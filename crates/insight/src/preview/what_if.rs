//! What would be different: records, alignment, sources, receivers. Plain data, from options of a command or fields of a form.

use std::net::IpAddr;

use report::{Alignment, Policy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Period};

/// Longest text of a record or of zone records, in bytes: a zone of some thousand lines.
const TEXT_MAX: usize = 1 << 20;
/// Most includes, ranges or flows named at once: what somebody would still type.
const NAMED_MAX: usize = 100;

/// By which standard receivers judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Receivers {
    /// RFC 9989: `t` and `np` count, `pct` does not.
    #[default]
    Rfc9989,
    /// RFC 7489: `pct` counts, `t` and `np` do not.
    Rfc7489,
}

impl Receivers {
    /// The word in URLs and commands.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Rfc9989 => "rfc9989",
            Self::Rfc7489 => "rfc7489",
        }
    }

    /// The inverse of [`Self::word`].
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Rfc9989, Self::Rfc7489].into_iter().find(|one| one.word() == word)
    }

    pub(crate) const fn standard(self) -> dmarc::Standard {
        match self {
            Self::Rfc9989 => dmarc::Standard::Rfc9989,
            Self::Rfc7489 => dmarc::Standard::Rfc7489,
        }
    }
}

/// What would be different, and for whose mail. What is not set stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WhatIf {
    /// Whose records are changed; mail in its name counts, and with `subdomains` that in the names below it.
    pub domain: String,
    /// The names below it too.
    pub subdomains: bool,
    /// The days that are replayed; `None` is the last thirty.
    pub period: Option<Period>,
    /// `p`.
    pub p: Option<Policy>,
    /// `sp`.
    pub sp: Option<Policy>,
    /// `np`.
    pub np: Option<Policy>,
    /// `adkim`.
    pub adkim: Option<Alignment>,
    /// `aspf`.
    pub aspf: Option<Alignment>,
    /// `pct`.
    pub pct: Option<u8>,
    /// `t`. A policy that is changed is changed in full: without this and `pct`, both go.
    pub testing: Option<bool>,
    /// The SPF record of the domain.
    pub spf: Option<String>,
    /// Includes taken out of it.
    pub remove_includes: Vec<String>,
    /// Ranges put into it, as `192.0.2.0/24`.
    pub add_ranges: Vec<String>,
    /// Records in master-file form that replace those of the same name and type.
    pub change: Option<String>,
    /// Flows, by id, whose mail gets an aligned signature.
    pub dkim_for: Vec<String>,
    /// By which standard receivers judge.
    pub receivers: Receivers,
    /// What stands in DNS now, in master-file form, where it is not known from anywhere else.
    pub zone: Option<String>,
}

/// A range to be added to an SPF record.
pub(crate) type Range = (IpAddr, u8);

impl WhatIf {
    /// Whether it says something about SPF.
    pub(crate) fn changes_spf(&self) -> bool {
        self.spf.is_some() || self.edits_spf() || self.change.is_some()
    }

    /// Whether it changes some terms of the record.
    pub(crate) fn edits_spf(&self) -> bool {
        !self.remove_includes.is_empty() || !self.add_ranges.is_empty()
    }

    /// Whether it says something about the DMARC record.
    pub(crate) fn changes_dmarc(&self) -> bool {
        self.changes_policy() || self.adkim.is_some() || self.aspf.is_some()
    }

    /// Whether it says something about what is asked of receivers.
    pub(crate) fn changes_policy(&self) -> bool {
        let policies = [self.p, self.sp, self.np];
        policies.iter().any(Option::is_some) || self.pct.is_some() || self.testing.is_some()
    }

    /// The ranges to add, read.
    pub(crate) fn ranges(&self) -> Result<Vec<Range>, Error> {
        let read = |text: &String| {
            crate::parse_network(text)
                .ok_or_else(|| wrong(format!("`{text}` is no range: write it as 192.0.2.0/24 or 2001:db8::/48")))
        };
        self.add_ranges.iter().map(read).collect()
    }

    /// Refuses what is too long or makes no sense before anything is read.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.domain.is_empty() {
            return Err(wrong("no domain is named: say whose records would be different"));
        }
        let texts = [&self.spf, &self.change, &self.zone];
        if texts.into_iter().flatten().any(|text| text.len() > TEXT_MAX) {
            return Err(wrong("a record or zone text is longer than 1 MiB: give only the records that matter"));
        }
        let lists = [&self.remove_includes, &self.add_ranges, &self.dkim_for];
        if lists.into_iter().any(|list| list.len() > NAMED_MAX) {
            return Err(wrong("more than 100 includes, ranges or flows are named: put them into a zone text instead"));
        }
        if self.pct.is_some_and(|pct| pct > 100) {
            return Err(wrong("pct is a percentage, from 0 to 100"));
        }
        if self.spf.is_some() && self.edits_spf() {
            return Err(wrong("either the whole SPF record is given, or what is changed in it, not both"));
        }
        self.ranges().map(drop)
    }

    /// In a few words, for headings and change requests.
    #[must_use]
    pub fn words(&self) -> String {
        let mut parts = Vec::new();
        let policies = [("p", self.p), ("sp", self.sp), ("np", self.np)];
        parts.extend(policies.iter().filter_map(|(tag, policy)| Some(format!("{tag}={}", (*policy)?))));
        let modes = [("adkim", self.adkim), ("aspf", self.aspf)];
        parts.extend(modes.iter().filter_map(|(tag, mode)| Some(format!("{tag}={}", (*mode)?))));
        parts.extend(self.pct.map(|pct| format!("pct={pct}")));
        parts.extend(self.testing.map(|testing| format!("t={}", if testing { "y" } else { "n" })));
        parts.extend(self.spf.as_ref().map(|_| "another SPF record".to_owned()));
        parts.extend(self.remove_includes.iter().map(|name| format!("SPF without include:{name}")));
        parts.extend(self.add_ranges.iter().map(|range| format!("SPF with {range}")));
        parts.extend(self.change.as_ref().map(|_| "other records in the zone".to_owned()));
        parts.extend(self.dkim_for.iter().map(|flow| format!("DKIM for {flow}")));
        if parts.is_empty() { "nothing changed".to_owned() } else { parts.join(", ") }
    }
}

pub(crate) fn wrong(what: impl Into<String>) -> Error {
    Error::WhatIf { what: what.into() }
}
