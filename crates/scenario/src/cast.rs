//! Everybody who sends mail in the company's name, and how.
//!
//! In: the domains and the seed. Out: all [`Flow`]s of the story. Which flow plays which part is told in `docs/concepts/scenario.md`.

mod mediators;
mod own;
mod services;
mod spoofers;
mod strays;

use report::{AuthResult, Text};

use crate::estate::Estate;
use crate::flow::{Addresses, Authentication, Class, Envelope, Flow, Phase, Reach, Signature, Who};
use crate::volume::Volume;

pub(crate) use own::helo_names;
pub(crate) use services::known_services;

/// All flows. `seed` decides which addresses are strewn where.
pub(crate) fn cast(estate: &Estate, seed: u64) -> Vec<Flow> {
    let mut flows = own::flows(estate);
    flows.extend(strays::flows(estate, seed));
    flows.extend(services::flows(estate));
    flows.extend(mediators::flows(estate, seed));
    flows.extend(spoofers::flows(estate, seed));
    flows
}

/// A part of a stream with an envelope sender.
pub(crate) fn mail(weight: f64, envelope: Who, spf: AuthResult) -> Authentication {
    Authentication { weight, envelope: Envelope::Domain(envelope), spf, dkim: Vec::new() }
}

/// A part of a stream with a null envelope sender.
pub(crate) fn bounce(weight: f64, spf: AuthResult) -> Authentication {
    Authentication { weight, envelope: Envelope::Null, spf, dkim: Vec::new() }
}

impl Authentication {
    pub(crate) fn signed(mut self, by: Who, selector: &str, result: AuthResult) -> Self {
        self.dkim.push(Signature { by, selector: selector.into(), result });
        self
    }
}

pub(crate) fn is(name: &str) -> Who {
    Who::Is(name.into())
}

pub(crate) fn phase(from: i32, class: Class, diagnosis: &'static str, mix: Vec<Authentication>) -> Phase {
    Phase { from, class, diagnosis, mix }
}

/// A stream that stays as it is.
pub(crate) fn always(class: Class, diagnosis: &'static str, mix: Vec<Authentication>) -> Vec<Phase> {
    vec![phase(i32::MIN, class, diagnosis, mix)]
}

impl Flow {
    pub(crate) fn new(id: impl Into<Text>, volume: Volume, phases: Vec<Phase>) -> Self {
        Self {
            id: id.into(),
            step: 0,
            team: None,
            local_part: None,
            service: None,
            authors: vec![(0, 1.0)],
            addresses: Addresses::default(),
            volume,
            reach: Reach::Business,
            mediator: None,
            phases,
        }
    }

    pub(crate) fn step(mut self, step: u8) -> Self {
        self.step = step;
        self
    }

    pub(crate) fn team(mut self, team: impl Into<Text>, local_part: impl Into<Text>) -> Self {
        (self.team, self.local_part) = (Some(team.into()), Some(local_part.into()));
        self
    }

    pub(crate) fn service(mut self, service: impl Into<Text>) -> Self {
        self.service = Some(service.into());
        self
    }

    fn authors(mut self, estate: &Estate, authors: &[(&str, f64)]) -> Self {
        self.authors = authors.iter().map(|(name, weight)| (estate.index(name), *weight)).collect();
        self
    }

    pub(crate) fn from(mut self, addresses: Vec<std::net::IpAddr>) -> Self {
        self.addresses.all = addresses;
        self
    }

    pub(crate) fn helo(mut self, names: Vec<Text>) -> Self {
        self.addresses.helo = names;
        self
    }

    pub(crate) fn a_day(mut self, addresses: usize) -> Self {
        self.addresses.a_day = addresses;
        self
    }

    pub(crate) fn for_people(mut self) -> Self {
        self.reach = Reach::Consumer;
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::IpAddr;

    use super::*;
    use crate::estate::estate;

    #[test]
    fn the_cast_is_complete_and_sound() {
        let estate = estate();
        let flows = cast(&estate, 1);
        let ids: BTreeSet<_> = flows.iter().map(|flow| flow.id.as_str()).collect();
        assert_eq!(ids.len(), flows.len(), "every flow has a name of its own");
        let classes: BTreeSet<_> = flows.iter().flat_map(|f| f.phases.iter().map(|p| p.class)).collect();
        assert_eq!(classes, Class::ALL.into(), "every class is there");
        let teams: BTreeSet<_> =
            flows.iter().filter(|f| f.service.is_some()).filter_map(|f| f.team.as_deref()).collect();
        assert!(teams.len() >= 25, "{} teams use services", teams.len());
        for flow in &flows {
            assert!(
                !flow.addresses.all.is_empty() && !flow.authors.is_empty() && !flow.phases.is_empty(),
                "{}",
                flow.id
            );
            assert_eq!(flow.phases[0].from, i32::MIN, "{}", flow.id);
            assert!(
                flow.phases.is_sorted_by_key(|p| p.from) && flow.volume.curve.is_sorted_by_key(|p| p.0),
                "{}",
                flow.id
            );
            assert!(
                flow.addresses.helo.len() < 2 || flow.addresses.helo.len() == flow.addresses.all.len(),
                "{}",
                flow.id
            );
            let null = flow.phases.iter().flat_map(|p| &p.mix).any(|a| a.envelope == Envelope::Null);
            assert!(!null || !flow.addresses.helo.is_empty(), "{}: a null path needs a greeting", flow.id);
        }
    }

    #[test]
    fn our_own_address_space_holds_our_own_machines_and_no_others() {
        let estate = estate();
        for flow in cast(&estate, 1) {
            let ours = matches!(flow.phases[0].class, Class::Own | Class::OwnMisconfigured) && flow.service.is_none();
            for address in &flow.addresses.all {
                let inside = match address {
                    IpAddr::V4(v4) => v4.octets()[..2] == [198, 18],
                    IpAddr::V6(v6) => v6.segments()[..3] == [0x2001, 0xdb8, 0x4a1],
                };
                // A subsidiary that was just bought still has its old provider.
                assert!(inside == ours || flow.id == "averin-corporate", "{}: {address}", flow.id);
            }
        }
    }
}
