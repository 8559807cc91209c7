//! A mail stream with the truth about it: who sends, from where, in whose name, how it authenticates, and how that changes.

use std::net::IpAddr;
use std::sync::Arc;

use report::{AuthResult, Text};
use serde::{Deserialize, Serialize};

use crate::volume::Volume;

/// What a stream is, in truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The company's own servers, set up well enough to pass.
    Own,
    /// The company's own servers, not set up.
    OwnMisconfigured,
    /// A service that sends for the company and passes.
    ThirdParty,
    /// A service that sends for the company and does not pass.
    ThirdPartyUnaligned,
    /// Forwarded mail whose signature survives.
    ForwarderIntact,
    /// Forwarded or list mail that was changed on the way.
    ForwarderBroken,
    /// Mail that nobody of the company sent or wanted.
    Spoofer,
    /// One large mailing that the company itself ordered and nobody set up.
    Campaign,
    /// Legitimate, but nobody has been found who answers for it.
    Unidentified,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Own,
        Self::OwnMisconfigured,
        Self::ThirdParty,
        Self::ThirdPartyUnaligned,
        Self::ForwarderIntact,
        Self::ForwarderBroken,
        Self::Spoofer,
        Self::Campaign,
        Self::Unidentified,
    ];

    /// As it is written.
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
            Self::Campaign => "campaign",
            Self::Unidentified => "unidentified",
        }
    }
}

/// Whose name stands somewhere in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Who {
    /// The author domain.
    Author,
    /// The organizational domain above it.
    Organization,
    /// This one.
    Is(Text),
    /// One for each of the flow's addresses, taking turns where there are fewer.
    OfAddress(Arc<[Text]>),
}

/// The envelope sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Envelope {
    Domain(Who),
    /// `<>`: SPF looks at the greeting.
    Null,
}

/// One DKIM signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) by: Who,
    pub(crate) selector: Text,
    pub(crate) result: AuthResult,
}

/// How a part of a stream authenticates.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Authentication {
    /// The part, relative to the others.
    pub(crate) weight: f64,
    pub(crate) envelope: Envelope,
    pub(crate) spf: AuthResult,
    pub(crate) dkim: Vec<Signature>,
}

/// A time in which a stream stays as it is.
#[derive(Debug, Clone)]
pub(crate) struct Phase {
    /// First day of the story.
    pub(crate) from: i32,
    pub(crate) class: Class,
    /// What exactly is wrong, or why it passes, in a word.
    pub(crate) diagnosis: &'static str,
    pub(crate) mix: Vec<Authentication>,
}

/// Where the addresses of a stream are, and how they take turns.
#[derive(Debug, Clone, Default)]
pub(crate) struct Addresses {
    pub(crate) all: Vec<IpAddr>,
    /// The greeting of each; of all if there is one; empty if nobody cares.
    pub(crate) helo: Vec<Text>,
    /// How many are in use on one day, a window that moves on; all if 0.
    pub(crate) a_day: usize,
}

/// Which receivers a stream goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Mostly other companies.
    Business,
    /// Mostly people with a free mailbox.
    Consumer,
}

/// What receivers can recognise about forwarded mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mediator {
    /// A forwarder, by name.
    Forwarder(Text),
    /// A mailing list, by name.
    List(Text),
}

/// A mail stream.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    pub(crate) id: Text,
    /// The step of the story in which it plays, 0 for the background.
    pub(crate) step: u8,
    /// The team answerable for it.
    pub(crate) team: Option<Text>,
    /// The local part it writes as.
    pub(crate) local_part: Option<Text>,
    /// The company behind the machines, where it is another.
    pub(crate) service: Option<Text>,
    /// Author domains (index in the estate) and their weights.
    pub(crate) authors: Vec<(usize, f64)>,
    pub(crate) addresses: Addresses,
    pub(crate) volume: Volume,
    pub(crate) reach: Reach,
    pub(crate) mediator: Option<Mediator>,
    /// In order; the first begins with the story.
    pub(crate) phases: Vec<Phase>,
}

impl Flow {
    /// The phase a day of the story is in.
    pub(crate) fn phase(&self, story: i32) -> &Phase {
        let after = self.phases.partition_point(|phase| phase.from <= story);
        &self.phases[after.saturating_sub(1)]
    }
}
