//! The shared words of an aggregate report: who reported, over which time, about which policy, and one row per source.
//!
//! Both generations (RFC 7489 Appendix C and RFC 9990 Appendix A) are held in the same types: what only one of them knows is optional.
//! Nothing here reads or writes; see `read` and `write`.

use std::net::IpAddr;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// Text from a report. Up to 24 bytes live inside the value, which is nearly every domain and selector.
pub type Text = CompactString;

/// One aggregate report without its rows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Report {
    /// Which generation the report speaks.
    pub dialect: Dialect,
    /// The text of `version`, if there was one. It does not tell the generations apart.
    pub version: Option<Text>,
    /// Who sent it.
    pub reporter: Reporter,
    /// `report_metadata/report_id`, as written. It is unique neither over time nor between reporters.
    pub report_id: Text,
    /// The time the rows are about.
    pub interval: Interval,
    /// `report_metadata/error`, in order.
    pub errors: Vec<Text>,
    /// The policy the reporter found.
    pub policy: PolicyPublished,
}

/// The generation of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// RFC 7489 and the drafts before it.
    #[default]
    Rfc7489,
    /// RFC 9990: its namespace, or an element only it has: `testing`, `discovery_method`, `generator`, or `np` without a `pct`.
    Rfc9990,
}

/// The organisation that sent a report.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reporter {
    /// `org_name`; where that is empty, the domain of `email`.
    pub organization: Text,
    /// `email`, may be empty.
    pub email: Text,
    /// `extra_contact_info`.
    pub extra_contact: Option<Text>,
    /// `generator` (RFC 9990).
    pub generator: Option<Text>,
}

/// A time span in seconds since 1970-01-01 UTC: `begin` is in it, `end` is its last second or the first one after it
/// (reporters do both).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Interval {
    /// First second.
    pub begin: i64,
    /// Last second, or the one after.
    pub end: i64,
}

/// `policy_published`: the policy as the reporter discovered it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PolicyPublished {
    /// The DMARC policy domain, lower case.
    pub domain: Text,
    /// `p`; absent in a few reports.
    pub p: Option<Policy>,
    /// `sp`.
    pub sp: Option<Policy>,
    /// `np` (RFC 9990).
    pub np: Option<Policy>,
    /// `adkim`.
    pub adkim: Option<Alignment>,
    /// `aspf`.
    pub aspf: Option<Alignment>,
    /// `pct` (RFC 7489).
    pub pct: Option<u8>,
    /// `fo`, as written.
    pub fo: Option<Text>,
    /// `testing` (RFC 9990): the record said `t=y`.
    pub testing: Option<bool>,
    /// `discovery_method` (RFC 9990).
    pub discovery_method: Option<DiscoveryMethod>,
}

/// What a Domain Owner asks receivers to do with mail that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// Nothing: monitoring mode.
    None,
    /// Treat it as suspicious.
    Quarantine,
    /// Refuse it.
    Reject,
}

/// How strictly an authenticated domain must match the author domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Alignment {
    /// The organizational domains are equal.
    #[serde(rename = "r")]
    Relaxed,
    /// The domains are equal.
    #[serde(rename = "s")]
    Strict,
}

/// How the policy domain was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DiscoveryMethod {
    /// By a public suffix list (RFC 7489).
    Psl,
    /// By walking up the DNS tree (RFC 9989).
    TreeWalk,
}

/// One row: how many messages came from one source with one combination of results.
///
/// The same type whether the row was received or will be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The sending address. An IPv4-mapped IPv6 address is held as IPv4.
    pub source: IpAddr,
    /// Messages, not rows.
    pub count: u64,
    /// The RFC5322.From domain (`header_from`): lower case A-labels without a trailing dot. It, and not the report's
    /// policy domain, says whose mail this was.
    pub author_domain: Text,
    /// `envelope_from`; empty means the null reverse-path `<>`.
    pub envelope_from: Option<Text>,
    /// `envelope_to`.
    pub envelope_to: Option<Text>,
    /// What the receiver did.
    pub disposition: Disposition,
    /// `policy_evaluated/dkim` is pass: an *aligned* signature verified.
    pub dkim_aligned: bool,
    /// `policy_evaluated/spf` is pass: SPF passed for an *aligned* domain.
    pub spf_aligned: bool,
    /// Why the receiver did something else than was asked.
    pub overrides: Vec<Override>,
    /// Every DKIM signature the reporter lists, in its order.
    pub dkim: Vec<DkimResult>,
    /// Every SPF check the reporter lists, in its order.
    pub spf: Vec<SpfResult>,
}

/// What the receiver did with the messages of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Disposition {
    /// Delivered as if there were no policy.
    #[default]
    None,
    /// RFC 9990: passed DMARC under an enforcing policy.
    Pass,
    /// Put aside.
    Quarantine,
    /// Refused.
    Reject,
}

/// One `reason` of a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Override {
    /// `type`.
    #[serde(rename = "type")]
    pub kind: OverrideKind,
    /// `comment`, e.g. `arc=pass as[1].d=…`.
    pub comment: Option<Text>,
}

/// The kinds of override of both generations, with room for what nobody specified.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OverrideKind {
    /// RFC 7489 only.
    Forwarded,
    /// RFC 7489 only: left out by `pct`.
    SampledOut,
    /// A forwarder the receiver trusts.
    TrustedForwarder,
    /// A mailing list.
    MailingList,
    /// The receiver's own rule, ARC among them.
    LocalPolicy,
    /// RFC 9990 only: the record said `t=y`.
    PolicyTestMode,
    /// `other`, and what was empty.
    Other,
    /// Anything else, as written.
    Unknown(Text),
}

/// One DKIM signature of a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DkimResult {
    /// `d=`, lower case; may be empty.
    pub domain: Text,
    /// `s=`, lower case; a third of the world's reports leave it out.
    pub selector: Option<Text>,
    /// What the verifier said.
    pub result: AuthResult,
    /// Free text for people.
    pub human_result: Option<Text>,
}

/// One SPF check of a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SpfResult {
    /// The domain checked, lower case; may be empty.
    pub domain: Text,
    /// Which identity was checked, where the report says so.
    pub scope: Option<SpfScope>,
    /// What `check_host` said.
    pub result: AuthResult,
    /// Free text for people.
    pub human_result: Option<Text>,
}

/// The identity an SPF check was about (RFC 7208 §2.3, §2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpfScope {
    /// The SMTP greeting.
    Helo,
    /// The envelope sender.
    Mfrom,
}

/// Result words shared by SPF and DKIM (RFC 8601 §2.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthResult {
    /// Nothing to check.
    #[default]
    None,
    /// Checked, no statement.
    Neutral,
    /// Verified.
    Pass,
    /// Refuted.
    Fail,
    /// SPF only: probably not authorised.
    SoftFail,
    /// DKIM only: verified but not acceptable here.
    Policy,
    /// Try again later.
    TempError,
    /// Cannot be checked as published.
    PermError,
}

/// What one row says about a message, from what a reporter *states*: no opinion of ours is in it.
///
/// The first three pass DMARC. The last three fail it, and differ in what else is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Aligned DKIM and aligned SPF.
    Both,
    /// Aligned DKIM alone: what survives forwarding.
    DkimOnly,
    /// Aligned SPF alone: breaks when forwarded.
    SpfOnly,
    /// Fails, and the receiver says it came through a forwarder or a list (override `forwarded`, `trusted_forwarder`,
    /// `mailing_list`, or `local_policy` on the strength of ARC).
    Forwarded,
    /// Fails, but SPF or DKIM passed for some other domain: somebody stands behind it.
    Unaligned,
    /// Fails, and nothing passed for anybody.
    Unauthenticated,
}

impl Outcome {
    /// All, in the order in which charts stack them.
    pub const ALL: [Self; 6] =
        [Self::Both, Self::DkimOnly, Self::SpfOnly, Self::Forwarded, Self::Unaligned, Self::Unauthenticated];

    /// Whether DMARC passes.
    #[must_use]
    pub fn passes(self) -> bool {
        matches!(self, Self::Both | Self::DkimOnly | Self::SpfOnly)
    }

    /// The word used in URLs, JSON and segments.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::DkimOnly => "dkim_only",
            Self::SpfOnly => "spf_only",
            Self::Forwarded => "forwarded",
            Self::Unaligned => "unaligned",
            Self::Unauthenticated => "unauthenticated",
        }
    }

    /// The inverse of [`Outcome::word`].
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.word() == word)
    }
}

/// An empty row of no messages, to be filled.
impl Default for Row {
    fn default() -> Self {
        Self {
            source: IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
            count: 0,
            author_domain: Text::default(),
            envelope_from: None,
            envelope_to: None,
            disposition: Disposition::None,
            dkim_aligned: false,
            spf_aligned: false,
            overrides: Vec::new(),
            dkim: Vec::new(),
            spf: Vec::new(),
        }
    }
}

impl Row {
    /// Makes it an empty row again, keeping the room of its lists.
    pub fn clear(&mut self) {
        self.source = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);
        self.count = 0;
        self.author_domain.clear();
        self.envelope_from = None;
        self.envelope_to = None;
        self.disposition = Disposition::None;
        self.dkim_aligned = false;
        self.spf_aligned = false;
        self.overrides.clear();
        self.dkim.clear();
        self.spf.clear();
    }

    /// What this row says about its messages.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match (self.dkim_aligned, self.spf_aligned) {
            (true, true) => Outcome::Both,
            (true, false) => Outcome::DkimOnly,
            (false, true) => Outcome::SpfOnly,
            (false, false) if self.overrides.iter().any(Override::says_forwarded) => Outcome::Forwarded,
            (false, false) if self.something_passed() => Outcome::Unaligned,
            (false, false) => Outcome::Unauthenticated,
        }
    }

    fn something_passed(&self) -> bool {
        self.dkim.iter().any(|d| d.result == AuthResult::Pass) || self.spf.iter().any(|s| s.result == AuthResult::Pass)
    }
}

impl Override {
    /// Whether the receiver took the message for forwarded or list mail.
    #[must_use]
    pub fn says_forwarded(&self) -> bool {
        match self.kind {
            OverrideKind::Forwarded | OverrideKind::TrustedForwarder | OverrideKind::MailingList => true,
            // RFC 8617 §7.2.2: ARC is reported as a local policy with "arc=pass" in the comment.
            OverrideKind::LocalPolicy => self.comment.as_deref().is_some_and(|c| c.contains("arc=pass")),
            _ => false,
        }
    }
}

impl Interval {
    /// Seconds covered; zero where begin and end are equal.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.end - self.begin
    }
}

/// Words and their values, both ways, for the enums that stand in XML, JSON, SQL and URLs.
macro_rules! words {
    ($type:ty { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $type {
            /// The standard's word.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
            /// The inverse of `word`; exact, lower case only.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}
words!(Dialect { Rfc7489 = "rfc7489", Rfc9990 = "rfc9990" });
words!(Policy { None = "none", Quarantine = "quarantine", Reject = "reject" });
words!(Alignment { Relaxed = "r", Strict = "s" });
words!(DiscoveryMethod { Psl = "psl", TreeWalk = "treewalk" });
words!(Disposition { None = "none", Pass = "pass", Quarantine = "quarantine", Reject = "reject" });
words!(SpfScope { Helo = "helo", Mfrom = "mfrom" });
words!(AuthResult {
    None = "none",
    Neutral = "neutral",
    Pass = "pass",
    Fail = "fail",
    SoftFail = "softfail",
    Policy = "policy",
    TempError = "temperror",
    PermError = "permerror",
});

impl OverrideKind {
    /// The standard's word, or the unknown one as written.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Forwarded => "forwarded",
            Self::SampledOut => "sampled_out",
            Self::TrustedForwarder => "trusted_forwarder",
            Self::MailingList => "mailing_list",
            Self::LocalPolicy => "local_policy",
            Self::PolicyTestMode => "policy_test_mode",
            Self::Other => "other",
            Self::Unknown(word) => word,
        }
    }

    /// The inverse of [`OverrideKind::word`]; lower case expected, never fails.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        match word {
            "forwarded" => Self::Forwarded,
            "sampled_out" => Self::SampledOut,
            "trusted_forwarder" => Self::TrustedForwarder,
            "mailing_list" => Self::MailingList,
            "local_policy" => Self::LocalPolicy,
            "policy_test_mode" => Self::PolicyTestMode,
            "other" | "" => Self::Other,
            other => Self::Unknown(Text::new(other)),
        }
    }
}

impl Serialize for OverrideKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for OverrideKind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::deserialize(deserializer).map(|word| Self::from_word(&word))
    }
}
