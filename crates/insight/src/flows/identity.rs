//! Which flow a cell belongs to: an organizational domain and the best evidence there is of who sends.
//!
//! In: a cell, and [`Facts`] of all cells. Out: an [`Identity`] in numbers, and the words and the lasting id of a flow. A cell goes where the
//! stream goes that it is a part of: mail whose signature broke on a bad day stays with its key, mail that somebody passed on goes to who
//! passed it on.

use std::collections::HashMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::cell::{Cell, Names, Own, Spf, Whose};
use super::day::address;
use super::knowledge::{Facts, Home, Knowledge, SourceFacts, most, network};
use super::space::{Space, stands_for_nobody};
use super::vocabulary::Vocabulary;

/// Where mail comes from, as closely as it can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Place {
    /// Known by who SPF passed for: an organizational domain.
    Organization(u32),
    /// A known service, whose hosts have names that lead back to them: its number in [`Places`].
    Service(u32),
    /// A /24 or /48.
    Network(u128),
}

/// Who sends, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Identity {
    /// Signs with a key of ours, from where that key is at home.
    Key(u32),
    /// SPF passes for a name below ours that is no author domain; nothing of ours signs.
    Envelope(u32),
    /// Authenticates as somebody else.
    Foreign(u32),
    /// Passes on mail that we signed.
    Forwarder { by: Place, broken: bool },
    /// Unsigned mail from a place. `listed`: from addresses that pass SPF for us.
    Unsigned { from: Place, listed: bool, bounce: bool },
}

/// Services of sources, from their profiles.
#[derive(Debug, Default)]
pub(crate) struct Places {
    of: HashMap<u128, Place>,
    names: Names,
}

impl Places {
    /// From sources and their services.
    pub(crate) fn new<'a>(services: impl Iterator<Item = (u128, &'a str)>) -> Self {
        let mut places = Self::default();
        for (source, service) in services {
            let number = places.names.number(service);
            places.of.insert(source, Place::Service(number));
        }
        places
    }

    /// Where a source is.
    fn place(&self, source: u128) -> Place {
        self.of.get(&source).copied().unwrap_or(Place::Network(network(source)))
    }
}

/// The flow of a cell.
pub(crate) fn identify(cell: &Cell, known: Knowledge<'_>, places: &Places, space: &Space) -> Identity {
    let shape = cell.shape;
    let foreign =
        (shape.spf() == Spf::Pass && shape.whose() == Whose::Foreign).then(|| known.words.organization(cell.spf));
    let own_space = space.has(cell.source);
    match shape.own() {
        Own::Pass => {
            let key = complete(cell, known);
            if own_space || known.at_home(cell, key, foreign) {
                return Identity::Key(key);
            }
            return Identity::Forwarder { by: by(cell, foreign, known, places), broken: !shape.passes() };
        }
        Own::Broken | Own::Temporary => {
            let key = complete(cell, known);
            // A key that the source also verifies with; else the one it verifies with most: after a rotation gone wrong the new one never
            // verified, and the mail is the same.
            let verified = Some(key).filter(|key| signs_with(known, cell.source, *key));
            if let Some(key) = verified.or_else(|| known.key_of(cell.source))
                && (own_space || known.at_home(cell, key, foreign))
            {
                return Identity::Key(key);
            }
            if !own_space && !shape.spf_aligned() && shape.own() == Own::Broken {
                return Identity::Forwarder { by: by(cell, foreign, known, places), broken: true };
            }
        }
        Own::Absent => {
            // A receiver whose DNS does not answer may not even see that it is signed: what the source sends otherwise says what it is.
            if shape.spf() == Spf::TempError
                && matches!(shape.whose(), Whose::Ours | Whose::Below)
                && !shape.passes()
                && let Some(key) = known.mainly_signed(cell.source)
                && (own_space || known.at_home(cell, key, foreign))
            {
                return Identity::Key(key);
            }
        }
    }
    if shape.spf() == Spf::Pass && shape.whose() == Whose::Below && !shape.bounce() && !own_space {
        // With strict alignment such mail passes by its signature alone: without one it is still the same stream.
        if !shape.spf_aligned()
            && let Some(key) = known.key_of(cell.source)
            && known.at_home(cell, key, foreign)
        {
            return Identity::Key(key);
        }
        return Identity::Envelope(cell.spf);
    }
    if !shape.passes()
        && let Some(identity) = unaligned(cell, foreign, own_space, known, places)
    {
        return identity;
    }
    // On our own machines SPF may also pass for the name of the machine alone.
    let passes = |source: &SourceFacts| source.direct > 0 || (own_space && source.below > 0);
    let listed = known.sources.get(&cell.source).is_some_and(passes) && !stands_for_nobody(cell.source);
    // Not every reporter says that SPF was about the greeting; the names are the same. Of a stranger's greetings nothing is known beside.
    let bounce = !matches!(shape.whose(), Whose::Ours | Whose::Foreign)
        && (shape.bounce() || known.facts.greetings.contains(&cell.spf));
    // Our own machines are told apart by their networks: whose they are is known, and what is wrong differs from one to the next.
    let from = if own_space { Place::Network(network(cell.source)) } else { places.place(cell.source) };
    Identity::Unsigned { from, listed, bounce }
}

/// Mail that does not pass and carries nothing of ours.
fn unaligned(
    cell: &Cell,
    foreign: Option<u32>,
    own_space: bool,
    known: Knowledge<'_>,
    places: &Places,
) -> Option<Identity> {
    let shape = cell.shape;
    let other = (cell.other != 0).then(|| known.words.organization(cell.other));
    if shape.says_forwarded() && !own_space {
        return Some(Identity::Forwarder { by: by(cell, foreign, known, places), broken: true });
    }
    if let Some(organization) = other.or(foreign) {
        return Some(Identity::Foreign(organization));
    }
    let source = known.sources.get(&cell.source)?;
    if own_space || source.direct > 0 {
        return None;
    }
    // The service's mail on a day on which its DNS did not answer, or from a host that a reporter judged otherwise.
    if shape.whose() == Whose::Below && source.below > 0 && !shape.bounce() {
        return Some(Identity::Envelope(cell.spf));
    }
    // What else the source sends says who it is.
    if let Some((organization, sum)) = most(&source.foreign)
        && sum * 2 >= source.messages
    {
        let forwards = (source.intact + source.broken) * 2 >= source.messages;
        return Some(if forwards {
            Identity::Forwarder { by: Place::Organization(organization), broken: true }
        } else {
            Identity::Foreign(organization)
        });
    }
    None
}

/// Who passed it on.
fn by(cell: &Cell, foreign: Option<u32>, known: Knowledge<'_>, places: &Places) -> Place {
    let usual = || known.sources.get(&cell.source).and_then(|source| most(&source.foreign)).map(|(name, _)| name);
    foreign.or_else(usual).map_or_else(|| places.place(cell.source), Place::Organization)
}

/// The key of a signature. A third of the world's reports leave the selector out: then it is the one that the source signs with.
fn complete(cell: &Cell, known: Knowledge<'_>) -> u32 {
    if cell.own_selector == 0
        && let Some(key) = known.key_of(cell.source)
        && known.words.of_key(key).0 == cell.own_domain
    {
        return key_with_selector(known, cell.source, key);
    }
    known.words.key(cell.own_domain, cell.own_selector)
}

/// The most used key of a source that has a selector, else `key`.
fn key_with_selector(known: Knowledge<'_>, source: u128, key: u32) -> u32 {
    let keys = known.sources.get(&source).map(|facts| facts.keys.as_slice()).unwrap_or_default();
    let (domain, _) = known.words.of_key(key);
    let named = |number: &u32| {
        let (of, selector) = known.words.of_key(*number);
        selector != 0 && of == domain
    };
    keys.iter().filter(|(number, _)| named(number)).max_by_key(|(_, sum)| *sum).map_or(key, |(number, _)| *number)
}

fn signs_with(known: Knowledge<'_>, source: u128, key: u32) -> bool {
    known.sources.get(&source).is_some_and(|facts| facts.keys.iter().any(|(number, _)| *number == key))
}

/// Who sends, in words that last: what a flow is known by from one run to the next.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sender {
    /// Signs with this key of ours.
    Key {
        /// `d=`.
        domain: String,
        /// `s=`; empty where no report names it.
        selector: String,
    },
    /// SPF passes for this name below ours.
    Envelope {
        /// The name.
        domain: String,
    },
    /// Authenticates as this organizational domain, not as us.
    Foreign {
        /// The organizational domain.
        domain: String,
    },
    /// Passes on mail that we signed.
    Forwarder {
        /// Who: an organizational domain, a service, a network.
        by: String,
        /// Whether our signature no longer verifies behind it.
        broken: bool,
    },
    /// Sends unsigned mail.
    Unsigned {
        /// From where: a service, a network.
        from: String,
        /// From addresses that pass SPF for us.
        listed: bool,
        /// With an empty envelope sender, as bounces have.
        bounce: bool,
    },
    /// What is left of very many small ones of one class.
    Rest {
        /// The class.
        class: String,
    },
}

impl Sender {
    pub(crate) fn of(identity: Identity, words: &Vocabulary, places: &Places) -> Self {
        let name = |number: u32| words.name(number).to_string();
        let place = |place: Place| match place {
            Place::Organization(number) => name(number),
            Place::Service(number) => places.names.name(number).to_string(),
            Place::Network(first) => network_text(first),
        };
        match identity {
            Identity::Key(key) => {
                let (domain, selector) = words.of_key(key);
                Self::Key { domain: name(domain), selector: name(selector) }
            }
            Identity::Envelope(domain) => Self::Envelope { domain: name(domain) },
            Identity::Foreign(domain) => Self::Foreign { domain: name(domain) },
            Identity::Forwarder { by, broken } => Self::Forwarder { by: place(by), broken },
            Identity::Unsigned { from, listed, bounce } => Self::Unsigned { from: place(from), listed, bounce },
        }
    }

    /// In a few words, for people.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Key { domain, selector } if selector.is_empty() => format!("signed by {domain}"),
            Self::Key { domain, selector } => format!("signed by {domain}, key {selector}"),
            Self::Envelope { domain } => format!("bounces to {domain}"),
            Self::Foreign { domain } => format!("sent as {domain}"),
            Self::Forwarder { by, broken: false } => format!("forwarded by {by}"),
            Self::Forwarder { by, broken: true } => format!("forwarded by {by}, altered"),
            Self::Unsigned { from, bounce: true, .. } => format!("bounces from {from}"),
            Self::Unsigned { from, listed: true, .. } => format!("unsigned from {from}, listed in SPF"),
            Self::Unsigned { from, .. } => format!("unsigned from {from}"),
            Self::Rest { class } => format!("many small ones: {class}"),
        }
    }

    /// The lasting id of the flow of this sender in the name of an organizational domain: ten letters and digits.
    #[must_use]
    pub fn id(&self, organization: &str) -> String {
        const LETTERS: &[u8; 32] = b"abcdefghijkmnopqrstuvwxyz2345678";
        let text = serde_json::to_string(&(organization, self)).unwrap_or_default();
        // Mixed: no secret is kept by it, and 50 bits tell a million flows apart.
        let hash = hash(&text);
        let hash = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        let hash = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        (0..10).map(|at| char::from(LETTERS[(hash >> (5 * at) & 31) as usize])).collect()
    }
}

/// FNV-1a of a text: the same on every machine and in every version.
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn network_text(first: u128) -> String {
    match address(first) {
        IpAddr::V4(v4) => format!("{v4}/24"),
        IpAddr::V6(v6) => format!("{v6}/48"),
    }
}

/// Whether a key is at home with a service.
pub(crate) fn service_of(facts: &Facts, key: u32) -> Option<u32> {
    match facts.home(key) {
        Some(Home::Service(organization)) => Some(organization),
        _ => None,
    }
}
