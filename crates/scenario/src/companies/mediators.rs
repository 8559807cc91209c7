//! Those who pass a company's mail on: providers, universities, lists of three kinds, gateways, calendars, and senders nobody can place.

use std::net::IpAddr;
use std::sync::Arc;

use report::AuthResult::{self, Fail, Neutral, None as Nothing, Pass, SoftFail};
use report::Text;

use super::build::Build;
use super::own::Provider;
use crate::cast::{always, bounce, is, mail, phase};
use crate::flow::{Authentication, Class, Flow, Mediator, Phase, Signature, Who};
use crate::records::ALWAYS;
use crate::volume::Volume;

/// How a forwarder treats the envelope.
#[derive(Debug, Clone)]
pub(super) enum Envelopes {
    /// Leaves it alone: SPF fails.
    Kept,
    /// Writes its own name there (SRS).
    Rewritten(Who),
    /// Some of its hosts do this, some that: the share that is rewritten.
    Both(Who, f64),
}

fn forwarded(share: f64, envelopes: &Envelopes, signatures: &[Signature], deny: AuthResult) -> Vec<Authentication> {
    let part = |weight: f64, envelope: &Who, spf| Authentication {
        dkim: signatures.to_vec(),
        ..mail(weight, envelope.clone(), spf)
    };
    match envelopes {
        Envelopes::Kept => vec![part(share, &Who::Organization, deny)],
        Envelopes::Rewritten(by) => vec![part(share, by, Pass)],
        Envelopes::Both(by, rewritten) => {
            vec![part(share * rewritten, by, Pass), part(share * (1.0 - rewritten), &Who::Organization, deny)]
        }
    }
}

impl Build {
    /// What mail is signed with when it is forwarded on a day, with shares. `whole`: only what can survive.
    fn forwardable(&self, day: i32) -> Vec<(f64, Vec<Signature>)> {
        let mut all = Vec::new();
        for trace in &self.traces {
            match &trace.signatures {
                Some(signatures) => all.push((trace.weight, signatures.clone())),
                None => {
                    for one in self.signing_on(day) {
                        let by = Who::Organization;
                        let signature = Signature { by, selector: one.selector.clone(), result: one.result };
                        all.push((trace.weight * one.share, vec![signature]));
                    }
                }
            }
        }
        all
    }

    /// The days on which forwarded mail changes.
    fn days(&self) -> Vec<i32> {
        let days: Vec<i32> = self.signing.iter().map(|(from, _)| *from).collect();
        if days.is_empty() { vec![ALWAYS] } else { days }
    }

    /// Adds a forwarder: what it passes on with a signature that fits, what had none, and what did not fit in the first place.
    pub(super) fn forwarder(&mut self, id: &str, by: &Text, hosts: &[IpAddr], per_day: f64, envelopes: &Envelopes) {
        let deny = self.deny;
        let survives = |signatures: &[Signature]| signatures.first().is_some_and(|s| s.result == Pass);
        let pick = |day: i32, wanted: &dyn Fn(&[Signature]) -> bool| -> Vec<(f64, Vec<Signature>)> {
            self.forwardable(day).into_iter().filter(|(_, signatures)| wanted(signatures)).collect()
        };
        let flow = |id: String, per_day: f64, phases: Vec<Phase>| {
            let mut flow = Flow::new(id, Volume::office(per_day).weekend(0.45).noise(0.15), phases)
                .service(by.clone())
                .from(hosts.to_vec());
            flow.addresses.a_day = if hosts.len() > 60 { 50 } else { 0 };
            flow.mediator = Some(Mediator::Forwarder(by.clone()));
            flow.for_people()
        };
        let mut phases = Vec::new();
        for day in self.days() {
            let mix: Vec<Authentication> = pick(day, &survives)
                .iter()
                .flat_map(|(share, signatures)| forwarded(*share, envelopes, signatures, deny))
                .collect();
            phases.push(phase(day, Class::ForwarderIntact, "signature_survives", mix));
        }
        let intact = flow(format!("forwarder-{id}"), per_day, phases);
        let unsigned = forwarded(1.0, envelopes, &[], deny);
        let unsigned = flow(
            format!("forwarder-{id}-unsigned"),
            per_day * 0.05,
            always(Class::ForwarderBroken, "nothing_to_survive", unsigned),
        );
        // While the new key cannot be used, nothing saves what was signed with it.
        let bad =
            self.signing.iter().find(|(_, signing)| signing.iter().any(|one| one.result != Pass)).map(|(day, _)| *day);
        let broken = bad.map(|day| {
            let mix: Vec<Authentication> =
                pick(day, &|signatures| signatures.first().is_some_and(|s| s.result != Pass))
                    .iter()
                    .flat_map(|(share, signatures)| forwarded(*share, envelopes, signatures, deny))
                    .collect();
            let mut flow = flow(
                format!("forwarder-{id}-bad-key"),
                per_day * 0.3,
                always(Class::ForwarderBroken, "new_key_cannot_be_used", mix),
            );
            flow.volume = flow.volume.curve(&[(day - 1, 0.0), (day, 1.0), (day + 2, 1.0), (day + 3, 0.0)]);
            flow
        });
        self.flows.extend([intact, unsigned].into_iter().chain(broken));
    }

    /// A mailbox provider forwards for those who have a mailbox there.
    pub(super) fn provider_forwards(&mut self, provider: &Provider, per_day: f64) {
        let by = if provider.tenants {
            // Each tenant's own domain, through whatever host is free.
            let tenants: Vec<Text> = (0..90).map(|_| self.firm().1).collect();
            Who::OfAddress(tenants.into())
        } else {
            is(provider.domain)
        };
        let hosts = provider.hosts.clone();
        let id = provider.domain.split('.').next().unwrap_or_default();
        self.forwarder(id, &provider.domain.into(), &hosts, per_day, &Envelopes::Rewritten(by));
    }

    /// Universities, associations and small providers that forward; what spoofers send to the same mailboxes goes the same way.
    pub(super) fn forwarders(&mut self, count: usize, per_day: f64, spoofed: f64) {
        let mut dice = self.dice("forwarders");
        for n in 0..count {
            let (name, domain) = self.firm();
            let kind = ["education", "isp", "forwarder", "web_host"][n % 4];
            let mut hosts = self.hosts(1 + u32::try_from(dice.below(8)).unwrap_or(0), &name, &domain);
            if dice.chance(0.25) {
                hosts.extend(self.hosts6(2, &name, &domain));
            }
            self.company.book.hosts(&hosts, ["mx", "smtp", "fwd", "out"][dice.index(4)], &domain);
            if dice.chance(0.5) {
                self.service(&domain, &name, kind);
            }
            let by = is(&format!("fwd.{domain}"));
            let envelopes = match dice.below(3) {
                0 => Envelopes::Kept,
                1 => Envelopes::Rewritten(by.clone()),
                _ => Envelopes::Both(by.clone(), 0.3 + 0.5 * dice.unit()),
            };
            let share = per_day * (0.2 + 1.6 * dice.unit());
            self.forwarder(&format!("{kind}-{n}"), &domain, &hosts, share, &envelopes);
            if n % 2 == 0 && spoofed > 0.0 {
                let mix = forwarded(1.0, &envelopes, &[], self.deny);
                let flow = Flow::new(
                    format!("spoof-through-{kind}-{n}"),
                    Volume::crime(share * spoofed).noise(0.4),
                    always(Class::Spoofer, "spoofed_then_forwarded", mix),
                );
                self.flows.push(flow.from(hosts).for_people());
            }
        }
    }

    /// Mailing lists: some leave messages alone, most change them, some take the signature off.
    pub(super) fn lists(&mut self, count: usize, per_day: f64) {
        let mut dice = self.dice("lists");
        for n in 0..count {
            let (name, domain) = self.firm();
            let hosts = self.hosts(1 + u32::try_from(dice.below(2)).unwrap_or(0), &name, &domain);
            self.company.book.hosts(&hosts, "lists", &domain);
            if dice.chance(0.5) {
                self.service(&domain, &name, "list_host");
            }
            let by = Text::new(format!("lists.{domain}"));
            let style = dice.below(10);
            let signs = dice.chance(0.6);
            let mut phases = Vec::new();
            for day in self.days() {
                let part = mail(1.0, Who::Is(by.clone()), Pass);
                let (class, diagnosis, part) = match (style, self.signing_on(day).first()) {
                    (0..3, Some(one)) => {
                        let part = part.signed(Who::Organization, &one.selector, Pass);
                        (Class::ForwarderIntact, "list_leaves_it_alone", part)
                    }
                    (3..8, Some(one)) => {
                        let part = part.signed(Who::Organization, &one.selector, Fail);
                        (Class::ForwarderBroken, "list_changes_it", part)
                    }
                    _ => (Class::ForwarderBroken, "list_takes_signature_off", part),
                };
                let part = if signs { part.signed(Who::Is(by.clone()), "list", Pass) } else { part };
                phases.push(phase(day, class, diagnosis, vec![part]));
            }
            let volume = Volume::office(per_day * (0.1 + 2.0 * dice.unit() * dice.unit())).noise(0.4);
            let mut flow = Flow::new(format!("list-{n}"), volume, phases).service(by.clone()).from(hosts);
            flow.mediator = Some(Mediator::List(by));
            self.flows.push(flow);
        }
    }

    /// Gateways that look at mail for its recipients and hand it on: envelope kept, and the body perhaps changed.
    pub(super) fn gateways(&mut self, count: usize, per_day: f64) {
        let mut dice = self.dice("gateways");
        for n in 0..count {
            let (name, domain) = self.firm();
            let hosts = self.hosts(2 + u32::try_from(dice.below(6)).unwrap_or(0), &name, &domain);
            self.company.book.hosts(&hosts, "filter", &domain);
            if dice.chance(0.6) {
                self.service(&domain, &name, "security_gateway");
            }
            let changes = dice.chance(0.6);
            let phases = self.days().into_iter().map(|day| {
                let part = mail(1.0, Who::Organization, self.deny);
                let (class, diagnosis, part) = match (self.signing_on(day).first(), changes) {
                    (Some(one), false) => (
                        Class::ForwarderIntact,
                        "gateway_hands_on",
                        part.signed(Who::Organization, &one.selector, Pass),
                    ),
                    (Some(one), true) => (
                        Class::ForwarderBroken,
                        "gateway_changes_links",
                        part.signed(Who::Organization, &one.selector, Fail),
                    ),
                    (None, _) => (Class::ForwarderBroken, "nothing_to_survive", part),
                };
                phase(day, class, diagnosis, vec![part])
            });
            let volume = Volume::office(per_day * (0.3 + 1.4 * dice.unit())).noise(0.2);
            let mut flow =
                Flow::new(format!("gateway-{n}"), volume, phases.collect()).service(domain.clone()).from(hosts);
            flow.mediator = Some(Mediator::Forwarder(domain));
            self.flows.push(flow);
        }
    }

    /// Invitations that guests pass on, and answers of machines elsewhere: our author, somebody else's server and envelope.
    pub(super) fn calendars(&mut self, guests: usize, per_day: f64) {
        let mut hosts = Vec::new();
        let mut names: Vec<Text> = Vec::new();
        for _ in 0..guests {
            let (name, domain) = self.firm();
            let some = self.hosts(1, &name, &domain);
            self.company.book.name(some[0], format!("mail.{domain}"), true);
            hosts.extend(some);
            names.push(domain);
        }
        let greetings: Vec<Text> = names.iter().map(|name| Text::new(format!("mail.{name}"))).collect();
        let guest = Who::OfAddress(Arc::from(names));
        let mix = vec![mail(0.6, guest.clone(), Pass).signed(guest.clone(), "s1", Pass), mail(0.4, guest, Pass)];
        let invites = Flow::new(
            "calendar-invitations",
            Volume::office(per_day).noise(0.3),
            always(Class::ForwarderBroken, "invitation_passed_on", mix),
        );
        let answers = vec![bounce(1.0, Nothing)];
        let answers = Flow::new(
            "automatic-answers",
            Volume::machine(per_day * 0.2).noise(0.4),
            always(Class::ForwarderBroken, "answered_in_our_name", answers),
        );
        self.flows.push(invites.from(hosts.clone()).a_day(guests / 2));
        self.flows.push(answers.from(hosts).helo(greetings).a_day(guests / 3));
    }

    /// Legitimate, and hard to place: forms that write as their visitor, a laptop with another provider's relay, a server at home.
    pub(super) fn unidentified(&mut self, per_day: f64) {
        let (name, domain) = self.firm();
        let hosts = self.hosts(6, &name, &domain);
        self.company.book.hosts(&hosts, "web", &domain);
        let nobody = |id: &str, per_day: f64, diagnosis, mix| {
            Flow::new(id, Volume::office(per_day).noise(0.4), always(Class::Unidentified, diagnosis, mix))
        };
        let forms = nobody(
            "unidentified-forms",
            per_day,
            "form_writes_as_its_visitor",
            vec![mail(1.0, is(&format!("forms.{domain}")), Pass)],
        );
        self.flows.push(forms.from(hosts));
        let (name, domain) = self.firm();
        let hosts = self.hosts(3, &name, &domain);
        self.company.book.hosts(&hosts, "smtp", &domain);
        let deny = self.deny;
        let laptop = nobody(
            "unidentified-laptops",
            per_day * 0.5,
            "laptop_through_another_provider",
            vec![mail(1.0, Who::Organization, deny)],
        );
        self.flows.push(laptop.from(hosts));
        let home = self.lines(1, 1);
        let server = nobody(
            "unidentified-home",
            per_day * 0.1,
            "server_at_home",
            vec![
                mail(1.0, Who::Organization, deny),
                mail(0.1, is("home-server.test"), if deny == SoftFail { Neutral } else { Nothing }),
            ],
        );
        self.flows.push(server.from(home));
    }
}
