//! What is known around each flow: what others near it do, what its sender does beside, and how that compares with our own mail.
//!
//! In: all flows in the name of one organizational domain, with what they add up to. Out: an [`Around`] for each, which the rules look at
//! beside the flow's own features.

use std::collections::HashMap;

use enrich::ServiceKind;
use report::Text;

use super::Map;
use super::assess::{Ground, Networks};
use super::cell::Names;
use super::crowd::{Crowds, Near, lasts};
use super::features::{DayCount, Features};
use super::identity::{Identity, Place, service_of};
use super::judging::Flow;
use super::knowledge::{Facts, most, neighbourhood, network};
use super::rhythm::{Beat, Rhythm, held_days, rhythm, working_days};
use super::rules::Around;
use super::series::{self, Addresses, ByFlow};
use super::strangers::Strangers;
use super::vocabulary::Vocabulary;
use crate::counts::float;

/// Messages with our signature whole, from which on a sender that hands them on says how much comes without.
const HANDED_ON: u64 = 200;
/// So many such senders it takes to say what is usual.
const HANDING_ON: usize = 4;

/// What is known around each flow.
pub(crate) struct Arounds<'a> {
    name: &'a Text,
    words: &'a Vocabulary,
    facts: &'a Facts,
    networks: &'a Networks,
    ground: &'a Ground<'a>,
    crowds: Crowds,
    strangers: Strangers,
    ours: Beat,
    signs_all: bool,
    signs_most: bool,
    silent: bool,
    /// Mail with our signatures, by who passed it on: intact, altered.
    carried: HashMap<Place, (u64, u64)>,
    /// Of each flow: messages from networks that pass on mail of ours intact.
    on_carriers: Vec<u64>,
    /// Of each flow: messages that its sender or its networks hand on with our signature whole.
    handed_on: Vec<u64>,
    /// Messages without our signature for each that is handed on with it.
    unsigned: Option<f64>,
    /// And from the neighbourhood of our own servers.
    near_ours: Vec<u64>,
    near: Vec<Near>,
}

impl<'a> Arounds<'a> {
    /// From the flows, their addresses and their days.
    pub(crate) fn new(
        name: &'a Text,
        (words, facts): (&'a Vocabulary, &'a Facts),
        (flows, of_authors): (&[Flow], &ByFlow),
        networks: &'a Networks,
        ground: &'a Ground<'_>,
    ) -> Self {
        let (carried, carriers) = (carried(flows), carriers(flows));
        let handed_on = handed_on(flows, &carried, &carriers);
        let mut around = Self {
            name,
            words,
            facts,
            networks,
            ground,
            crowds: Crowds::default(),
            strangers: Strangers::default(),
            ours: facts.our_rhythm().map(|found| found.beat).unwrap_or_default(),
            signs_all: facts.signs_all(),
            signs_most: facts.signs_most(),
            silent: facts.authors.values().all(|author| author.passing == 0),
            carried,
            on_carriers: on_carriers(flows, &carriers),
            unsigned: unsigned(flows, &handed_on),
            handed_on,
            near_ours: of_each(flows, |source| networks.ours.contains(&neighbourhood(source))),
            near: near(flows, ground),
        };
        for ((at, Flow { identity, features: f, .. }), of_authors) in
            flows.iter().enumerate().zip(series::each(of_authors))
        {
            match *identity {
                Identity::Unsigned { listed: false, from: Place::Network(_), .. } => {
                    let days = series::days(of_authors);
                    if around.may_be_crowd(at, f, &days) {
                        around.crowds.add(around.near[at], f, &days);
                    }
                }
                Identity::Foreign(organization) if around.is_stranger(organization, f) => {
                    around.strangers.add(f, &series::days(of_authors));
                }
                _ => {}
            }
        }
        around.crowds.settle();
        around.strangers.settle();
        around
    }

    /// Nothing passes, nothing speaks for it: one of many, perhaps.
    fn may_be_crowd(&self, at: usize, f: &Features, days: &[DayCount]) -> bool {
        // A few messages keep office hours by chance.
        let office = || f.messages >= 100 && rhythm(days).is_some_and(|found| found.beat == Beat::Office);
        f.passing() * 50 <= f.messages
            && f.ours == 0
            // Bots sit on lines, which have names made of their addresses, or none.
            && f.own_name * 2 < f.messages
            && f.graded_good * 10 < f.messages * 3
            && self.on_carriers[at] * 2 < f.messages
            && !office()
    }

    /// Authenticates as somebody who has nothing to do with us, as far as one sees.
    fn is_stranger(&self, organization: u32, f: &Features) -> bool {
        let carries = self.carried.get(&Place::Organization(organization)).is_some_and(|(intact, _)| *intact > 0);
        !self.facts.vendors.contains_key(&organization)
            && !carries
            && f.passing() == 0
            && f.ours == 0
            && f.says_forwarded * 5 < f.messages
            && self.service(top(self.words, &f.signers).as_deref(), top(self.words, &f.envelopes).as_deref()).is_none()
    }

    pub(crate) fn of(&self, at: usize, identity: Identity, f: &Features, days: &[DayCount]) -> Around {
        let mut around = Around {
            // A domain without mail of its own has no week: then a flat one is not told from ours, and nothing follows from it.
            ours: self.ours,
            rhythm: rhythm(days),
            silent: self.silent,
            signs_all: self.signs_all,
            signs_most: self.signs_most,
            working_days: working_days(days),
            held_days: held_days(days),
            declared: !self.ground.organisation.networks.is_empty(),
            on_carriers: self.on_carriers[at],
            fits: self.fits(at, f),
            near_ours: self.near_ours[at],
            ..Around::default()
        };
        let (signer, envelope) = (top(self.words, &f.signers), top(self.words, &f.envelopes));
        around.signer_is_ours = signer.as_deref().is_some_and(|signer| self.is_ours(signer));
        around.list_name = envelope.as_deref().is_some_and(is_list);
        match identity {
            Identity::Key(key) => {
                around.home_is_service = service_of(self.facts, key).is_some();
                around.service = self.service(signer.as_deref(), None);
            }
            Identity::Foreign(organization) => {
                around.vendor = self.facts.vendors.contains_key(&organization);
                around.service = self.service(signer.as_deref(), envelope.as_deref());
                let (intact, altered) =
                    self.carried.get(&Place::Organization(organization)).copied().unwrap_or_default();
                around.carries = intact + altered;
                if self.is_stranger(organization, f) {
                    around.strangers = self.strangers.like(f, around.rhythm);
                }
            }
            Identity::Forwarder { by, .. } => {
                let (intact, altered) = self.carried.get(&by).copied().unwrap_or_default();
                (around.carries, around.alters) = (intact, altered);
                around.service = self.service(signer.as_deref(), envelope.as_deref());
            }
            Identity::Unsigned { from, .. } => {
                around.service = self.service(signer.as_deref(), None);
                if self.may_be_crowd(at, f, days) {
                    self.crowds.fill(self.near[at], f, &mut around);
                }
                around.lasting = lasts(f);
                if let Place::Network(near) = from {
                    around.organizations = self.networks.names.get(&near).copied().unwrap_or_default();
                }
            }
            Identity::Envelope(_) => {}
        }
        around
    }

    /// How much of a flow can be ours, by what is handed on from the same place with our signature whole, and what comes without one where
    /// nothing else does; 1 or more where that cannot be said.
    fn fits(&self, at: usize, f: &Features) -> f64 {
        let usual = self.unsigned.filter(|_| self.handed_on[at] >= HANDED_ON);
        usual.map_or(1.0, |usual| usual * float(self.handed_on[at]) / float(f.messages))
    }

    /// Whether a name is that of one of us, or one that a provider made for us: `example-com.provider.net`, `example.provider.net`.
    fn is_ours(&self, signer: &str) -> bool {
        let organization = store::organizational_domain(signer);
        if self.ground.organisation.domains.iter().any(|domain| *domain == *organization) {
            return true;
        }
        let ours = self.name.split('.').next().unwrap_or_default();
        let (first, rest) = signer.split_once('.').unwrap_or_default();
        ours.len() >= 4 && rest.contains('.') && first.contains(ours)
    }

    /// The kind of service that signs with one of these names or has its bounces there.
    fn service(&self, signer: Option<&str>, envelope: Option<&str>) -> Option<ServiceKind> {
        let list = |name: Option<&str>| name.map(str::to_owned).into_iter().collect::<Vec<_>>();
        self.ground.catalogue.find(&[], &list(signer), &list(envelope)).first().map(|found| found.kind)
    }
}

/// Whether an envelope is a list's by its name: what list servers are called everywhere.
fn is_list(envelope: &str) -> bool {
    const LISTS: [&str; 8] = ["list", "lists", "listserv", "mailman", "sympa", "majordomo", "groups", "lyris"];
    envelope.split('.').next().is_some_and(|first| LISTS.contains(&first))
}

fn top(words: &Vocabulary, sums: &super::knowledge::Sums) -> Option<String> {
    most(sums).map(|(number, _)| words.name(number).to_string())
}

fn carried(flows: &[Flow]) -> HashMap<Place, (u64, u64)> {
    let mut carried: HashMap<Place, (u64, u64)> = HashMap::new();
    for flow in flows {
        if let Identity::Forwarder { by, broken } = flow.identity {
            let sums = carried.entry(by).or_default();
            if broken { sums.1 += flow.features.broken } else { sums.0 += flow.features.messages }
        }
    }
    carried
}

/// Mail with our signatures by the network that passed it on: intact, altered.
fn carriers(flows: &[Flow]) -> Map<u128, (u64, u64)> {
    let mut networks: Map<u128, (u64, u64)> = Map::default();
    for flow in flows {
        if let Identity::Forwarder { broken, .. } = flow.identity {
            for (source, messages, _) in flow.addresses.iter() {
                let sums = networks.entry(network(source)).or_default();
                if broken { sums.1 += messages } else { sums.0 += messages }
            }
        }
    }
    networks
}

/// What each flow's sender hands on with our signature whole: the organization that it is, or the networks that it comes from.
fn handed_on(flows: &[Flow], carried: &HashMap<Place, (u64, u64)>, carriers: &Map<u128, (u64, u64)>) -> Vec<u64> {
    let of = |flow: &Flow| match flow.identity {
        Identity::Foreign(organization) => {
            carried.get(&Place::Organization(organization)).map_or(0, |(intact, _)| *intact)
        }
        Identity::Unsigned { listed: false, bounce: false, .. } => {
            flow.addresses.networks().filter_map(|network| carriers.get(&network)).map(|(intact, _)| intact).sum()
        }
        _ => 0,
    };
    flows.iter().map(of).collect()
}

/// Messages without our signature for each that is handed on with it, where nothing else comes from there: by the lower quartile of those
/// that hand on enough. Mail of ours that is not signed is the same part of it everywhere; what spoofers send to the same mailboxes is not.
fn unsigned(flows: &[Flow], handed_on: &[u64]) -> Option<f64> {
    let enough = flows.iter().zip(handed_on).filter(|(_, whole)| **whole >= HANDED_ON);
    let mut parts: Vec<f64> = enough.map(|(flow, whole)| float(flow.features.messages) / float(*whole)).collect();
    parts.sort_by(f64::total_cmp);
    (parts.len() >= HANDING_ON).then(|| parts[parts.len() / 4])
}

fn on_carriers(flows: &[Flow], networks: &Map<u128, (u64, u64)>) -> Vec<u64> {
    // Intact and altered: a few that still verify among many that do not were copied.
    let carrier = |(intact, altered): &(u64, u64)| *intact > 0 && intact * 10 >= *altered;
    of_each(flows, |source| networks.get(&network(source)).is_some_and(carrier))
}

/// Of each flow: messages from such addresses.
fn of_each(flows: &[Flow], such: impl Fn(u128) -> bool) -> Vec<u64> {
    let of = |addresses: &Addresses| addresses.iter().filter(|(source, ..)| such(*source)).map(|(_, n, _)| n).sum();
    flows.iter().map(|flow| of(&flow.addresses)).collect()
}

/// What each flow is near to: its autonomous system where one is known, else the neighbourhood of its network.
fn near(flows: &[Flow], ground: &Ground<'_>) -> Vec<Near> {
    let mut names = Names::default();
    let near = |Flow { features: f, addresses, .. }: &Flow| {
        // Its first address stands for all of them.
        let source = addresses.iter().next().map(|(source, ..)| source).unwrap_or_default();
        let (lasting, silent) = (lasts(f), f.of_silent_names * 10 >= f.messages * 9);
        let system = ground.profiles.get(&source).and_then(|profiled| profiled.system.as_deref());
        match system {
            Some(system) => Near { system: names.number(system), neighbourhood: 0, lasting, silent },
            None => Near { system: 0, neighbourhood: neighbourhood(source), lasting, silent },
        }
    };
    flows.iter().map(near).collect()
}

/// A rhythm in words.
pub(crate) fn in_words(rhythm: Rhythm) -> String {
    let says = match rhythm.beat {
        Beat::Office => ": office hours",
        Beat::Flat => ": no office hours",
        Beat::Unclear => "",
    };
    format!("a weekend day brings {:.0} % of a weekday{says}", rhythm.ratio * 100.0)
}
