//! The classes of flows, what can be wrong with one of our own, and a verdict with its reasons: plain data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a flow is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FlowClass {
    /// Our own servers, and it passes.
    Own,
    /// Our own servers, and it does not pass.
    OwnMisconfigured,
    /// A service that sends for us, and it passes.
    ThirdParty,
    /// A service that sends for us, and it does not pass.
    ThirdPartyUnaligned,
    /// Passed on by somebody, with our signature intact.
    ForwarderIntact,
    /// Passed on by somebody, and altered or without what would let it pass.
    ForwarderBroken,
    /// Sent in our name by somebody who has no right to.
    Spoofer,
    /// Not enough is known to say. Unknown is not a threat.
    Unknown,
}

impl FlowClass {
    /// Whether it is ours, or a service's for us, and fails: then it is said what is wrong.
    pub(crate) fn is_misconfigured(self) -> bool {
        matches!(self, Self::OwnMisconfigured | Self::ThirdPartyUnaligned)
    }

    /// All, in the order in which charts stack them.
    pub const ALL: [Self; 8] = [
        Self::Own,
        Self::ThirdParty,
        Self::ForwarderIntact,
        Self::OwnMisconfigured,
        Self::ThirdPartyUnaligned,
        Self::ForwarderBroken,
        Self::Unknown,
        Self::Spoofer,
    ];

    /// The word in URLs, JSON and commands.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::OwnMisconfigured => "own_misconfigured",
            Self::ThirdParty => "third_party",
            Self::ThirdPartyUnaligned => "third_party_unaligned",
            Self::ForwarderIntact => "forwarder_intact",
            Self::ForwarderBroken => "forwarder_broken",
            Self::Spoofer => "spoofer",
            Self::Unknown => "unknown",
        }
    }

    /// The inverse of [`Self::word`].
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.word() == word)
    }

    /// For people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Own => "Own",
            Self::OwnMisconfigured => "Own, misconfigured",
            Self::ThirdParty => "Third party",
            Self::ThirdPartyUnaligned => "Third party, unaligned",
            Self::ForwarderIntact => "Forwarder",
            Self::ForwarderBroken => "Forwarder or list, broken",
            Self::Spoofer => "Spoofer",
            Self::Unknown => "Unknown",
        }
    }

    /// Whether somebody wanted this mail, so that blocking it would hurt.
    #[must_use]
    pub const fn is_legitimate(self) -> bool {
        !matches!(self, Self::Spoofer | Self::Unknown)
    }

    /// Its place in [`Self::ALL`].
    #[must_use]
    pub fn place(self) -> usize {
        Self::ALL.iter().position(|class| *class == self).unwrap_or(6)
    }
}

/// What is wrong with mail that is ours, or a service's for us, and does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Diagnosis {
    /// SPF gives permerror: most often more than ten look-ups.
    SpfPermerror,
    /// Bounces: the name in the greeting has no SPF record.
    HeloWithoutSpf,
    /// The server is not in SPF and does not sign.
    UnlistedUnsigned,
    /// It signs as another domain.
    SignsAsAnother,
    /// Its signature is there and does not verify: a wrong key, or something alters the mail.
    BrokenSignature,
    /// SPF passes, for an envelope sender that is not ours.
    UnalignedBounceDomain,
    /// SPF or DKIM could not be looked up.
    DnsTrouble,
    /// SPF or DKIM passes for the author domain, and DMARC fails all the same.
    ReportsContradict,
}

impl Diagnosis {
    /// What is wrong, in words.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::SpfPermerror => "SPF permerror: too many look-ups, or a mistake in the record",
            Self::HeloWithoutSpf => "bounces: the HELO name has no SPF record",
            Self::UnlistedUnsigned => "server neither in SPF nor signing",
            Self::SignsAsAnother => "signs with another domain",
            Self::BrokenSignature => "signature does not verify: wrong key, or altered on the way",
            Self::UnalignedBounceDomain => "envelope sender of another domain",
            Self::DnsTrouble => "SPF or DKIM could not be looked up",
            Self::ReportsContradict => {
                "the reports contradict themselves: SPF or DKIM passes for the author domain, and DMARC fails"
            }
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::SpfPermerror => "Trim the SPF record to ten look-ups (`lamppost lint` shows what each term costs).",
            Self::HeloWithoutSpf => {
                "Publish an SPF record for the HELO name of each outbound server, e.g. `v=spf1 a -all`, and sign bounces."
            }
            Self::UnlistedUnsigned => "Send it through the relay that signs, or list the server and let it sign.",
            Self::SignsAsAnother => "Let it sign with a key of the author domain.",
            Self::BrokenSignature => {
                "Compare the key in DNS with the signer's, and look for a gateway behind the signer that rewrites mail."
            }
            Self::UnalignedBounceDomain => "Give it an envelope sender below the author domain, or let it sign.",
            Self::DnsTrouble => "Look at the name servers of the domain: answers were late or missing.",
            Self::ReportsContradict => {
                "Nothing to mend at the sender. Look at the report itself, and ask its reporter."
            }
        }
    }
}

/// The name of a rule about our own mail: C1 where it passes, C2 where it does not. Others have one name.
pub(crate) fn rule_for(rule: &str, class: FlowClass) -> &str {
    const BOTH: [(&str, &str); 3] =
        [("C1-own-network", "C2-own-network"), ("C1-own-key", "C2-own-key"), ("C1-listed", "C2-listed")];
    let pair = BOTH.into_iter().find(|(passing, failing)| rule == *passing || rule == *failing);
    match (pair, class) {
        (Some((_, failing)), FlowClass::OwnMisconfigured) => failing,
        (Some((passing, _)), _) => passing,
        (None, _) => rule,
    }
}

/// One thing a verdict rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FlowEvidence {
    /// What was looked at, in one word.
    pub fact: String,
    /// What was found, with its figures, for people.
    pub text: String,
    /// Messages it is about, of all messages of the flow.
    pub messages: u64,
}

/// What a flow was taken for, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The class.
    pub class: FlowClass,
    /// How sure, in per cent.
    pub confidence: u8,
    /// The rule that decided.
    pub rule: String,
    /// In one sentence.
    pub why: String,
    /// What it rests on.
    pub evidence: Vec<FlowEvidence>,
    /// What is wrong, where something of ours or for us does not pass.
    pub diagnosis: Option<Diagnosis>,
}
