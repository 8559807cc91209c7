//! A flow: one stream of mail in the company's name, with what it looks like to a receiver and what it truly is.

use std::net::IpAddr;

use report::{AuthResult, Day, Text};
use serde::Serialize;

/// What a flow truly is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Our own hosts, as they should be.
    Own,
    /// Our own hosts, with something wrong.
    OwnMisconfigured,
    /// Somebody who sends for us, as it should be.
    ThirdParty,
    /// Somebody who sends for us, under a name that is not ours.
    ThirdPartyUnaligned,
    /// Passed on unchanged.
    ForwarderIntact,
    /// Passed on with a broken signature.
    ForwarderBroken,
    /// Sent for a team of ours that had told nobody.
    UnauthorisedCampaign,
    /// Not ours at all.
    Spoofer,
}

/// How much of a flow there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Volume {
    /// Messages on a working day.
    pub(crate) messages: u64,
    /// Whether it rests when the company does. Spoofers do not.
    pub(crate) rests: bool,
    /// Addresses that take part on one day; the rest have their turn on others.
    pub(crate) addresses_a_day: usize,
}

/// What a receiver can verify of a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Credentials {
    /// Signatures: domain, selector, result, aligned or not.
    pub(crate) dkim: Vec<Signature>,
    /// SPF: domain checked.
    pub(crate) spf_domain: Text,
    /// SPF: its result.
    pub(crate) spf: AuthResult,
    /// SPF: whether its domain is aligned.
    pub(crate) spf_aligned: bool,
    /// Whether the envelope sender is empty, so that SPF was about the HELO name.
    pub(crate) null_sender: bool,
    /// SPF permerror at receivers that count look-ups strictly; the result above at the others.
    pub(crate) strict_permerror: bool,
    /// What forwarders and lists look like to receivers that say so.
    pub(crate) passed_on: Option<PassedOn>,
}

/// One signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) domain: Text,
    pub(crate) selector: Text,
    pub(crate) result: AuthResult,
    pub(crate) aligned: bool,
}

/// How a message was passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PassedOn {
    Forwarder,
    List,
}

/// A flow over time.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    pub(crate) id: String,
    pub(crate) class: Class,
    /// What is wrong with it, where something is.
    pub(crate) diagnosis: Option<&'static str>,
    /// Who answers for it.
    pub(crate) team: Option<String>,
    pub(crate) author_domain: Text,
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) volume: Volume,
    /// First and last day on which it sends.
    pub(crate) from: Option<Day>,
    pub(crate) to: Option<Day>,
    /// From this day on it looks like this; sorted, the first from the beginning.
    pub(crate) phases: Vec<(Option<Day>, Credentials)>,
    /// Weekdays out of seven on which it sends at all; 7 is every day.
    pub(crate) days_a_week: u64,
}

impl Flow {
    /// What it looks like on a day.
    pub(crate) fn credentials(&self, on: Day) -> Option<&Credentials> {
        self.phases.iter().rev().find(|(from, _)| from.is_none_or(|from| from <= on)).map(|(_, look)| look)
    }

    /// Whether it sends at all on a day.
    pub(crate) fn active(&self, on: Day) -> bool {
        self.from.is_none_or(|from| from <= on) && self.to.is_none_or(|to| on <= to)
    }
}

impl Credentials {
    pub(crate) fn dkim_aligned(&self) -> bool {
        self.dkim.iter().any(|signature| signature.aligned && signature.result == AuthResult::Pass)
    }
}
