//! Services that send for a company: set up well, half, or not at all, and what happens to that over time.

use std::net::IpAddr;

use report::AuthResult::{Fail, Pass};
use report::Text;

use super::build::{Build, Trace};
use crate::book::Cidr;
use crate::cast::{always, is, mail, phase};
use crate::flow::{Authentication, Class, Flow, Phase, Signature, Who};
use crate::records::ALWAYS;
use crate::volume::Volume;

/// How a service is set up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Set {
    /// Signs as the author domain; envelope below ours.
    Both,
    /// Signs as the author domain; envelope of its own.
    Signed,
    /// The same, and for three days from this one the key in DNS is another.
    SignedWrongKey(i32),
    /// Envelope below ours; signs as itself.
    EnvelopeOnly,
    /// Envelope with our main domain, whose SPF record includes it; signs as itself.
    Included,
    /// Signs and bounces as itself.
    Unaligned,
    /// Bounces as itself, signs nothing.
    UnalignedUnsigned,
    /// Envelope with our main domain, which does not list it; signs as itself.
    NotListed,
    /// A web server's own mail: envelope with the name of its hosting provider.
    WebHost,
    /// Unaligned, from this day on set up with signature and envelope.
    Moves(i32),
    /// Begins on this day, and is set up so many days later.
    Begins(i32, i32),
    /// Is set up, and ends on this day.
    Ends(i32),
    /// Is set up, and sends from other addresses from this day on.
    ChangesAddresses(i32),
    /// Is included in SPF and signs as itself; from this day on it sends from addresses that the record lacks for so many days.
    OutgrowsSpf(i32, i32),
}

/// One service.
#[derive(Debug, Clone)]
pub(super) struct Vendor {
    /// What it does: part of the flow's name.
    pub(super) what: &'static str,
    pub(super) team: &'static str,
    pub(super) local_part: &'static str,
    /// As the catalogue of services calls it.
    pub(super) kind: &'static str,
    pub(super) volume: Volume,
    pub(super) set: Set,
    pub(super) hosts: u32,
    /// Sends to people rather than to companies.
    pub(super) people: bool,
    /// The author domain.
    pub(super) author: usize,
}

/// Vendor by its parts, in the order in which one would tell them.
pub(super) fn vendor(
    what: &'static str,
    team: &'static str,
    local_part: &'static str,
    volume: Volume,
    set: Set,
) -> Vendor {
    Vendor { what, team, local_part, kind: "saas", volume, set, hosts: 2, people: false, author: 0 }
}

impl Vendor {
    pub(super) fn kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    pub(super) fn hosts(mut self, hosts: u32) -> Self {
        self.hosts = hosts;
        self
    }

    pub(super) fn people(mut self) -> Self {
        self.people = true;
        self
    }

    pub(super) fn author(mut self, author: usize) -> Self {
        self.author = author;
        self
    }
}

/// Names in what a service sends.
struct Marks {
    ours: Who,
    bounce: Who,
    own: Who,
    selector: String,
}

impl Marks {
    fn aligned(&self) -> Vec<Authentication> {
        vec![
            mail(0.986, self.ours.clone(), Pass).signed(Who::Author, &self.selector, Pass).signed(
                self.own.clone(),
                "mta",
                Pass,
            ),
            mail(0.008, self.ours.clone(), Pass).signed(Who::Author, &self.selector, Fail).signed(
                self.own.clone(),
                "mta",
                Pass,
            ),
            mail(0.006, self.ours.clone(), Pass).signed(self.own.clone(), "mta", Pass),
        ]
    }

    fn signed(&self, result: report::AuthResult) -> Vec<Authentication> {
        vec![
            mail(0.992, self.bounce.clone(), Pass).signed(Who::Author, &self.selector, result),
            mail(0.008, self.bounce.clone(), Pass).signed(Who::Author, &self.selector, Fail),
        ]
    }

    fn unaligned(&self) -> Vec<Authentication> {
        vec![
            mail(0.97, self.bounce.clone(), Pass).signed(self.own.clone(), "mta", Pass),
            mail(0.02, self.bounce.clone(), Pass).signed(self.own.clone(), "mta", Fail),
            mail(0.01, self.bounce.clone(), Pass),
        ]
    }

    fn envelope(&self, envelope: Who, spf: report::AuthResult) -> Vec<Authentication> {
        vec![mail(0.99, envelope.clone(), spf).signed(self.own.clone(), "mta", Pass), mail(0.01, envelope, spf)]
    }
}

impl Build {
    /// Adds a service with addresses of its own.
    pub(super) fn hire(&mut self, vendor: &Vendor) {
        let (name, domain) = self.firm();
        let hosts = self.hosts(vendor.hosts, &name, &domain);
        self.company.book.hosts(&hosts, "mta", &domain);
        // Not everybody is so well known that a catalogue has them.
        if self.dice(&format!("{} known", vendor.what)).chance(0.7) {
            self.service(&domain, &name, vendor.kind);
        }
        self.hire_at(vendor, &name, &domain, hosts);
    }

    /// Adds a service that sends through somebody's addresses.
    pub(super) fn hire_at(&mut self, vendor: &Vendor, name: &Text, domain: &Text, hosts: Vec<IpAddr>) {
        let author = self.estate.domains[vendor.author].name.clone();
        let apex = Text::new(crate::estate::organizational(&author));
        let stem = domain.split('.').next().unwrap_or_default().to_owned();
        let mut dice = self.dice(vendor.what);
        let below = match dice.below(3) {
            0 => format!("{stem}.bnc.{apex}"),
            1 => format!("em{}.{apex}", 1_000 + dice.below(9_000)),
            _ => format!("bounce-{stem}.{apex}"),
        };
        let marks = Marks {
            ours: is(&below),
            bounce: is(&format!("bounce.{domain}")),
            own: Who::Is(domain.clone()),
            selector: format!("{}{}", &stem[..stem.len().min(5)], 1 + dice.below(3)),
        };
        self.records_for(vendor, domain, &author, &marks);
        let phases = self.phases(vendor, &marks, domain);
        let mut volume = vendor.volume.clone();
        match vendor.set {
            Set::Begins(day, _) => volume = volume.from(day),
            Set::Ends(day) => volume = volume.until(day),
            _ => {}
        }
        self.event_of(vendor, name);
        // What is forwarded here is mail of the main domain: what a service signs as another author is not among it.
        if vendor.author == 0 && vendor.people && matches!(vendor.set, Set::Both | Set::Signed) {
            let ours = Signature { by: Who::Is(author), selector: marks.selector.as_str().into(), result: Pass };
            let mut signatures = vec![ours];
            if vendor.set == Set::Both {
                signatures.push(Signature { by: Who::Is(domain.clone()), selector: "mta".into(), result: Pass });
            }
            self.traces.push(Trace { weight: 0.5, signatures: Some(signatures) });
        }
        let flow = |id: String, volume: Volume, phases: Vec<Phase>, hosts: Vec<IpAddr>| {
            let mut flow =
                Flow::new(id, volume, phases).team(vendor.team, vendor.local_part).service(name.clone()).from(hosts);
            flow.authors = vec![(vendor.author, 1.0)];
            if vendor.people { flow.for_people() } else { flow }
        };
        if let Set::ChangesAddresses(day) | Set::OutgrowsSpf(day, _) = vendor.set {
            let new = self.hosts(vendor.hosts + 1, name, domain);
            self.company.book.hosts(&new, "out", domain);
            let before = volume.clone().curve(&[(day - 1, 1.0), (day + 2, 0.4), (day + 9, 0.0)]);
            let after = volume.curve(&[(day - 1, 0.0), (day + 2, 0.6), (day + 9, 1.0)]);
            let phases_after = match vendor.set {
                Set::OutgrowsSpf(_, lasts) => {
                    let lacking = marks.envelope(Who::Organization, self.deny);
                    let listed = marks.envelope(Who::Organization, Pass);
                    self.term(day + lasts, i32::MAX, crate::records::terms(&[Cidr::around(new[0], 24)]));
                    vec![
                        phase(ALWAYS, Class::ThirdPartyUnaligned, "spf_lacks_new_addresses", lacking),
                        phase(day + lasts, Class::ThirdParty, "envelope_only", listed),
                    ]
                }
                _ => phases.clone(),
            };
            self.flows.push(flow(format!("service-{}", vendor.what), before, phases, hosts));
            self.flows.push(flow(format!("service-{}-new-addresses", vendor.what), after, phases_after, new));
            return;
        }
        self.flows.push(flow(format!("service-{}", vendor.what), volume, phases, hosts));
    }

    /// What stands in DNS for it that does not follow from the mail itself.
    fn records_for(&mut self, vendor: &Vendor, domain: &Text, author: &Text, marks: &Marks) {
        match vendor.set {
            Set::Included | Set::OutgrowsSpf(..) => self.term(ALWAYS, i32::MAX, format!("include:_spf.{domain}")),
            Set::SignedWrongKey(day) => {
                self.company.records.key(author, &marks.selector, ALWAYS, 0);
                self.company.records.key(author, &marks.selector, day, 5);
                self.company.records.key(author, &marks.selector, day + 3, 0);
            }
            _ => {}
        }
        if matches!(vendor.set, Set::Included | Set::OutgrowsSpf(..)) {
            // An include that is used must be there, whether a catalogue knows the service or not.
            let ranges: std::collections::BTreeSet<Cidr> = self
                .company
                .book
                .names()
                .iter()
                .filter(|(_, host)| host.name.ends_with(domain.as_str()))
                .map(|(a, _)| Cidr::around(*a, 24))
                .collect();
            self.company.records.txt(
                format!("_spf.{domain}"),
                ALWAYS,
                format!("v=spf1 {} ~all", crate::records::terms(&ranges)),
            );
        }
    }

    fn phases(&self, vendor: &Vendor, marks: &Marks, domain: &Text) -> Vec<Phase> {
        let strict = |mix: Vec<Authentication>, diagnosis| {
            // With strict alignment an envelope below ours is not ours.
            let record = self.estate.find(vendor.author, 0).map(|found| found.record.aspf);
            if record == Some(Some(report::Alignment::Strict)) {
                always(Class::ThirdPartyUnaligned, "not_aligned_strictly", mix)
            } else {
                always(Class::ThirdParty, diagnosis, mix)
            }
        };
        let passes = |diagnosis, mix| always(Class::ThirdParty, diagnosis, mix);
        let fails = |diagnosis, mix| always(Class::ThirdPartyUnaligned, diagnosis, mix);
        match vendor.set {
            Set::Both | Set::Ends(_) | Set::ChangesAddresses(_) => passes("authenticated", marks.aligned()),
            Set::Signed => passes("signed_only", marks.signed(Pass)),
            Set::SignedWrongKey(day) => {
                let mut phases = passes("signed_only", marks.signed(Pass));
                phases.push(phase(day, Class::ThirdPartyUnaligned, "wrong_key_published", marks.signed(Fail)));
                phases.push(phase(day + 3, Class::ThirdParty, "signed_only", marks.signed(Pass)));
                phases
            }
            Set::EnvelopeOnly => strict(marks.envelope(marks.ours.clone(), Pass), "envelope_only"),
            Set::Included | Set::OutgrowsSpf(..) => {
                let organization = vendor.author == 0;
                let mix = marks.envelope(Who::Organization, Pass);
                if organization { passes("envelope_only", mix) } else { strict(mix, "envelope_only") }
            }
            Set::Unaligned => fails("bounce_and_signature_of_its_own", marks.unaligned()),
            Set::UnalignedUnsigned => fails("bounce_of_its_own", vec![mail(1.0, marks.bounce.clone(), Pass)]),
            Set::NotListed => fails("spf_lacks_it", marks.envelope(Who::Organization, self.deny)),
            Set::WebHost => fails("web_server", vec![mail(1.0, is(&format!("web.{domain}")), Pass)]),
            Set::Moves(day) => {
                let mut phases = fails("bounce_and_signature_of_its_own", marks.unaligned());
                phases.push(phase(day, Class::ThirdParty, "authenticated", marks.aligned()));
                phases
            }
            Set::Begins(day, after) => {
                let mut phases = fails("new_and_not_set_up", marks.unaligned());
                phases.push(phase(day + after, Class::ThirdParty, "authenticated", marks.aligned()));
                phases
            }
        }
    }

    fn event_of(&mut self, vendor: &Vendor, name: &Text) {
        let what = vendor.what;
        match vendor.set {
            Set::Moves(day) => self.event(day, format!("{name} ({what}) is set up")),
            Set::Begins(day, after) => {
                self.event(day, format!("{name} begins to send for {} ({what})", vendor.team));
                self.event(day + after, format!("{name} ({what}) is set up"));
            }
            Set::Ends(day) => self.event(day, format!("{name} ({what}) sends no more")),
            Set::ChangesAddresses(day) => self.event(day, format!("{name} ({what}) moves to other addresses")),
            Set::OutgrowsSpf(day, lasts) => {
                self.event(day, format!("{name} ({what}) moves to addresses that SPF lacks for {lasts} days"));
            }
            Set::SignedWrongKey(day) => {
                self.event(day, format!("the key of {name} ({what}) in DNS is wrong for three days"));
            }
            _ => {}
        }
    }

    /// A mailing that one team ordered and told nobody about: one day, a network of its own, our envelope, no signature.
    pub(super) fn campaign(&mut self, day: i32, messages: f64) {
        let (name, domain) = self.firm();
        let hosts = self.hosts(6, &name, &domain);
        self.company.book.hosts(&hosts, "bulk", &domain);
        let offers = format!("offers.{}", self.apex);
        self.company.records.txt(offers.as_str(), ALWAYS, format!("v=spf1 {}", self.all()));
        let volume =
            Volume::machine(messages).noise(0.0).weekend(1.0).curve(&[(day - 1, 0.0), (day, 1.0), (day + 1, 0.0)]);
        let mix = vec![mail(1.0, is(&offers), self.deny)];
        self.flows.push(
            Flow::new("campaign-offers", volume, always(Class::Campaign, "unannounced_bulk_mailing", mix))
                .team("Brand Marketing", "offers")
                .service(name)
                .from(hosts)
                .for_people(),
        );
        self.event(day, "an unannounced mailing of Brand Marketing");
    }
}
