//! Parts of large companies: departments, subsidiaries, the university's own lists, and the bank's gateway.

use std::net::IpAddr;

use report::AuthResult::{Fail, None as Nothing, Pass, TempError};
use report::{Policy, Text};

use super::build::{Build, within};
use super::own::{Provider, signed};
use crate::book::Cidr;
use crate::cast::{always, mail, phase};
use crate::estate::{Record, Role};
use crate::flow::{Class, Flow, Who};
use crate::records::{ALWAYS, terms};
use crate::volume::{Season, Volume};

/// A department with a server of its own.
pub(super) fn department(build: &mut Build, name: &'static str, hosts: Vec<IpAddr>, per_day: f64) {
    let mut dice = build.dice(name);
    let author = build.subdomain(name, false);
    let domain = build.estate.domains[author].name.clone();
    build.company.book.hosts(&hosts, "mail", &domain);
    let listed: Vec<Cidr> = hosts.iter().map(|host| Cidr::around(*host, 32)).collect();
    let all = build.all();
    let spf = |records: &mut crate::records::Records, from| {
        records.txt(domain.clone(), from, format!("v=spf1 {} {all}", terms(&listed)));
    };
    let phases = match dice.below(4) {
        // A record of its own, and perhaps a key.
        0 | 1 => {
            spf(&mut build.company.records, ALWAYS);
            let part = mail(1.0, Who::Author, Pass);
            let part = if dice.chance(0.5) { part.signed(Who::Author, "dept", Pass) } else { part };
            always(Class::Own, "authenticated", vec![part, mail(0.01, Who::Author, TempError)])
        }
        // Nothing at all until somebody looks.
        2 => {
            let day = 20 + i32::try_from(dice.below(50)).unwrap_or(0);
            spf(&mut build.company.records, day);
            build.event(day, format!("{domain} gets an SPF record"));
            let mut phases =
                always(Class::OwnMisconfigured, "unlisted_and_unsigned", vec![mail(1.0, Who::Author, Nothing)]);
            phases.push(phase(day, Class::Own, "unsigned", vec![mail(1.0, Who::Author, Pass)]));
            phases
        }
        // The record of a server that was replaced.
        _ => {
            build.company.records.txt(domain.clone(), ALWAYS, format!("v=spf1 ip4:198.51.100.9 {all}"));
            always(Class::OwnMisconfigured, "spf_lists_old_server", vec![mail(1.0, Who::Author, build.deny)])
        }
    };
    let volume = Volume::office(per_day).season(Season::Terms);
    let mut flow = Flow::new(format!("own-department-{name}"), volume, phases).team(name, "postmaster").from(hosts);
    flow.authors = vec![(author, 1.0)];
    build.flows.push(flow);
}

impl Build {
    /// The university's own list server: envelopes of its own below ours, signatures of the members broken on the way.
    pub(super) fn own_lists(&mut self, network: Cidr) {
        let hosts = within(network, 340, 2);
        let lists = Text::new(format!("lists.{}", self.apex));
        self.company.book.hosts(&hosts, "lists", &lists);
        let phases = self.signing.iter().map(|(from, signing)| {
            let mut mix: Vec<_> = signing
                .iter()
                .map(|one| {
                    mail(0.7 * one.share, Who::Is(lists.clone()), Pass).signed(Who::Organization, &one.selector, Fail)
                })
                .collect();
            mix.push(mail(0.3, Who::Is(lists.clone()), Pass));
            phase(*from, Class::Own, "own_list", mix)
        });
        let volume = Volume::office(2_800.0).season(Season::Terms).noise(0.15);
        self.flows.push(Flow::new("own-lists", volume, phases.collect()).team("Messaging", "listmaster").from(hosts));
    }

    /// Mail of people through a gateway that somebody else runs; its addresses are in SPF by an include.
    pub(super) fn outbound_gateway(&mut self, id: &str, per_day: f64) {
        let (name, domain) = self.firm();
        let hosts = self.hosts(10, &name, &domain);
        self.company.book.hosts(&hosts, "out", &domain);
        self.service(&domain, &name, "security_gateway");
        self.term(ALWAYS, i32::MAX, format!("include:_spf.{domain}"));
        let phases = self.signing.iter().map(|(from, signing)| {
            let bad = signing.iter().any(|one| one.result != Pass);
            phase(
                *from,
                Class::Own,
                if bad { "new_key_cannot_be_used" } else { "authenticated" },
                signed(signing, &Who::Organization, Pass),
            )
        });
        let flow = Flow::new(id, Volume::office(per_day), phases.collect());
        self.flows.push(flow.team("Messaging", "postmaster").service(name).from(hosts));
    }

    /// The companies of a group; gives their domains.
    pub(super) fn companies(&mut self, providers: &[Provider; 2], network: Cidr) -> Vec<usize> {
        let mut dice = self.dice("companies");
        let count = 4 + dice.index(3);
        let bought = dice.index(count);
        let mut authors = Vec::new();
        for n in 0..count {
            let (name, domain) = self.firm();
            let policy = [Policy::None, Policy::None, Policy::Quarantine, Policy::Reject][dice.index(4)];
            let joins = if n == bought { 35 + i32::try_from(dice.below(35)).unwrap_or(0) } else { ALWAYS };
            let author = self.domain(domain.clone(), Role::Subsidiary, vec![(joins, Record::of(policy))]);
            if n == bought {
                self.event(joins, format!("{name} is bought; {domain} gets its first DMARC record"));
            }
            let per_day = 250.0 + 1_800.0 * dice.unit() * dice.unit();
            let id = format!("own-company-{n}");
            match n % 3 {
                0 => self.hosted(&id, &providers[dice.index(2)], author, per_day, "selector1", 0),
                1 => self.company_relays(
                    &id,
                    author,
                    &within(network, 1_000 + u32::try_from(n).unwrap_or(0) * 64, 2),
                    per_day,
                    dice.chance(0.6),
                ),
                _ => {
                    let (host_name, host_domain) = self.firm();
                    let hosts = self.hosts(3, &host_name, &host_domain);
                    self.company.book.hosts(&hosts, "smtp", &host_domain);
                    self.company_relays(&id, author, &hosts, per_day, dice.chance(0.5));
                }
            }
            authors.push(author);
        }
        authors
    }

    fn company_relays(&mut self, id: &str, author: usize, hosts: &[IpAddr], per_day: f64, signs: bool) {
        let domain = self.estate.domains[author].name.clone();
        self.company.book.hosts(hosts, "mail", &domain);
        let listed: Vec<Cidr> = hosts.iter().map(|host| Cidr::around(*host, 32)).collect();
        self.company.records.txt(domain.clone(), ALWAYS, format!("v=spf1 {} {}", terms(&listed), self.all()));
        let part = mail(0.99, Who::Author, Pass);
        let part = if signs { part.signed(Who::Author, "s1", Pass) } else { part };
        let phases = always(
            Class::Own,
            if signs { "authenticated" } else { "unsigned" },
            vec![part, mail(0.01, Who::Author, TempError)],
        );
        let mut flow =
            Flow::new(id, Volume::office(per_day), phases).team("Subsidiary IT", "postmaster").from(hosts.to_vec());
        flow.authors = vec![(author, 1.0)];
        self.flows.push(flow);
        // Every relay has somebody beside it who does not use it.
        let mut stray = Flow::new(
            format!("stray-{id}"),
            Volume::machine(per_day * 0.03).noise(0.3),
            always(Class::OwnMisconfigured, "unlisted_and_unsigned", vec![mail(1.0, Who::Author, self.deny)]),
        )
        .team("Subsidiary IT", "erp")
        .from(crate::address::row(next(hosts), 1));
        stray.authors = vec![(author, 1.0)];
        self.company
            .networks
            .extend((!self.company.networks.iter().any(|n| n.contains(hosts[0]))).then(|| Cidr::around(hosts[0], 28)));
        self.flows.push(stray);
    }
}

/// The address after the last one.
fn next(hosts: &[IpAddr]) -> [u8; 4] {
    match hosts.last() {
        Some(IpAddr::V4(last)) => (last.to_bits() + 1).to_be_bytes(),
        _ => [198, 51, 100, 250],
    }
}
