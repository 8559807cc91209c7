//! What a company sends by itself: from hosts of its own, from a mailbox provider, and from machines that nobody set up.

use std::collections::BTreeSet;
use std::net::IpAddr;

use report::AuthResult::{self, Fail, None as Nothing, Pass, PermError, TempError};
use report::{Alignment, Text};

use super::build::{Build, Signing, Trace, within};
use crate::book::{Cidr, Service};
use crate::cast::{always, bounce, is, mail, phase};
use crate::flow::{Authentication, Class, Flow, Phase, Signature, Who};
use crate::records::{ALWAYS, terms};
use crate::volume::{Season, Volume};

/// A mailbox provider: hosts the mail of companies and people, and forwards for them.
#[derive(Debug, Clone)]
pub(super) struct Provider {
    pub(super) name: &'static str,
    pub(super) domain: &'static str,
    pub(super) hosts: Vec<IpAddr>,
    /// It forwards in the name of the tenant who set the forwarding up, and not in its own.
    pub(super) tenants: bool,
}

/// The two that everybody uses.
pub(super) fn providers(build: &mut Build) -> [Provider; 2] {
    let mut provider = |name: &'static str, domain: &'static str, host: &str, tenants| {
        let mut hosts = Vec::new();
        for n in 0..5_u32 {
            let some = build.hosts(26, name, domain);
            build.company.book.hosts(&some, &format!("mail-{}", char::from(b'a' + u8::try_from(n).unwrap_or(0))), host);
            hosts.extend(some);
        }
        let some = build.hosts6(24, name, domain);
        build.company.book.hosts(&some, "mail-s", host);
        hosts.extend(some);
        let include = Text::new(format!("_spf.{domain}"));
        let service = Service { name: name.into(), kind: "mailbox_provider", domain: domain.into(), include };
        build.company.book.service(domain.replace('.', "-"), service);
        Provider { name, domain, hosts, tenants }
    };
    [
        provider("BigOffice", "bigoffice.example", "outbound.protection.bigoffice.example", true),
        provider("BigMail", "bigmail.example", "bigmail.example", false),
    ]
}

/// Nearly all as it should be, and a few per mille with a bad day.
pub(super) fn signed(signing: &[Signing], who: &Who, spf: AuthResult) -> Vec<Authentication> {
    let mut mix = Vec::new();
    for one in signing {
        let part =
            |share: f64, result| mail(share * one.share, who.clone(), spf).signed(who.clone(), &one.selector, result);
        mix.push(part(0.985, one.result));
        mix.push(part(0.005, Fail));
        mix.push(part(0.003, TempError));
    }
    if let Some(one) = signing.first() {
        mix.push(mail(0.004, who.clone(), TempError).signed(who.clone(), &one.selector, one.result));
    }
    mix.push(mail(if signing.is_empty() { 1.0 } else { 0.003 }, who.clone(), spf));
    mix
}

impl Build {
    /// The selectors of the main domain: one key for years, or a rotation that may go wrong.
    pub(super) fn keys(&mut self, old: &str) {
        let mut dice = self.dice("keys");
        let bits = if dice.chance(0.4) { 1024 } else { 2048 };
        let apex = self.apex.clone();
        self.company.records.key_bits(&apex, old, bits);
        self.company.records.key(&apex, old, ALWAYS, 0);
        let one = |selector: &str, share, result| Signing { selector: selector.into(), share, result };
        self.signing.push((ALWAYS, vec![one(old, 1.0, Pass)]));
        let day = 18 + i32::try_from(dice.below(50)).unwrap_or(0);
        let new = Text::new(format!("k{}", 2026 + dice.below(3)));
        let found = match dice.below(3) {
            // Everything as it should be: published, then used.
            0 => {
                self.company.records.key(&apex, &new, day - 7, 0);
                self.event(day, format!("{new} signs at the first hosts"));
                Pass
            }
            // Used three days before somebody noticed that it stands nowhere.
            1 => {
                self.company.records.key(&apex, &new, day + 3, 0);
                self.event(day, format!("{new} signs at the first hosts, and is published three days later"));
                PermError
            }
            // The record has another key for three days.
            _ => {
                self.company.records.key(&apex, &new, day - 2, 7);
                self.company.records.key(&apex, &new, day + 3, 0);
                self.event(
                    day,
                    format!("{new} signs at the first hosts, and its record has another key for three days"),
                );
                Fail
            }
        };
        self.signing.push((day, vec![one(old, 0.6, Pass), one(&new, 0.4, found)]));
        self.signing.push((day + 3, vec![one(old, 0.6, Pass), one(&new, 0.4, Pass)]));
        self.signing.push((day + 20, vec![one(&new, 1.0, Pass)]));
        // Later ones go well: one a year, in the same month.
        for year in 1..4 {
            let day = day + 20 + 365 * year;
            let next = Text::new(format!("k{}y{year}", 2026 + year));
            self.company.records.key(&apex, &next, day - 7, 0);
            self.signing.push((day, vec![one(&next, 1.0, Pass)]));
        }
        self.traces.push(Trace { weight: 1.0, signatures: None });
    }

    fn corporate_phases(&self, spf: AuthResult) -> Vec<Phase> {
        let phases = self.signing.iter().map(|(from, signing)| {
            let bad = signing.iter().any(|one| one.result != Pass);
            let diagnosis = if bad { "new_key_cannot_be_used" } else { "authenticated" };
            phase(*from, Class::Own, diagnosis, signed(signing, &Who::Organization, spf))
        });
        phases.collect()
    }

    /// Mail of people through hosts of the company's own; bounces come from the same hosts.
    pub(super) fn relays(
        &mut self,
        id: &str,
        per_day: f64,
        network: Cidr,
        start: u32,
        count: u32,
        with_v6: bool,
    ) -> Vec<IpAddr> {
        let apex = self.apex.clone();
        let mut dice = self.dice(id);
        let label = ["out", "mx", "smtp", "relay", "mailgw"][dice.index(5)];
        let mut hosts = within(network, start, count);
        if with_v6 {
            hosts.extend(self.hosts6(count.min(3), &self.company.name.clone(), &apex));
        }
        self.company.book.hosts(&hosts, label, &apex);
        let ranges: Vec<Cidr> = hosts
            .iter()
            .map(|a| Cidr::around(*a, if a.is_ipv4() { 28 } else { 64 }))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        self.term(ALWAYS, i32::MAX, terms(&ranges));
        let flow = Flow::new(id, Volume::office(per_day), self.corporate_phases(Pass))
            .team("Messaging", "postmaster")
            .from(hosts.clone());
        self.flows.push(flow);
        let greetings: Vec<Text> = (1..=hosts.len()).map(|n| Text::new(format!("{label}{n}.{apex}"))).collect();
        let mut phases = always(Class::OwnMisconfigured, "helo_without_spf", vec![bounce(1.0, Nothing)]);
        if dice.chance(0.7) {
            let day = 20 + i32::try_from(dice.below(45)).unwrap_or(0);
            // With strict alignment a HELO name below the author domain is not the author domain.
            let strict = self.estate.find(0, 0).is_some_and(|found| found.record.aspf == Some(Alignment::Strict));
            let (class, diagnosis) =
                if strict { (Class::OwnMisconfigured, "not_aligned_strictly") } else { (Class::Own, "unsigned") };
            phases.push(phase(day, class, diagnosis, vec![bounce(1.0, Pass)]));
            for name in &greetings {
                self.company.records.txt(name.clone(), day, "v=spf1 a -all");
            }
            self.event(day, "the HELO names of the outbound hosts get SPF records");
        }
        let bounces =
            Flow::new(format!("{id}-bounces"), Volume::office(per_day * 0.018).noise(0.12).weekend(0.5), phases)
                .team("Messaging", "mailer-daemon")
                .from(hosts.clone())
                .helo(greetings);
        self.flows.push(bounces);
        hosts
    }

    /// Programs of the company's own that send through hosts in SPF and sign nothing.
    pub(super) fn applications(&mut self, id: &str, team: &str, local_part: &str, per_day: f64, hosts: Vec<IpAddr>) {
        let ranges: BTreeSet<Cidr> = hosts.iter().map(|host| Cidr::around(*host, 29)).collect();
        self.term(ALWAYS, i32::MAX, terms(&ranges));
        let mix = vec![mail(0.996, Who::Organization, Pass), mail(0.004, Who::Organization, TempError)];
        let volume = Volume::machine(per_day).season(Season::MonthEnd(1.6));
        self.flows.push(Flow::new(id, volume, always(Class::Own, "unsigned", mix)).team(team, local_part).from(hosts));
        self.traces.push(Trace { weight: 0.06, signatures: Some(Vec::new()) });
    }

    /// Hosts that stand behind the tenth look-up of the SPF record until it is trimmed.
    pub(super) fn beyond_the_limit(&mut self, id: &str, per_day: f64, network: Cidr, start: u32) {
        let mut dice = self.dice(id);
        let until = 12 + i32::try_from(dice.below(30)).unwrap_or(0);
        let hosts = within(network, start, 3);
        let apex = self.apex.clone();
        self.company.book.hosts(&hosts, "app", &apex);
        self.company.over_limit.push((apex, until));
        self.event(until, "the SPF record is trimmed from 13 look-ups to 9");
        for n in 0..11 {
            let (_, domain) = self.firm();
            let include = format!("_spf.{domain}");
            self.company.records.txt(include.as_str(), ALWAYS, format!("v=spf1 ip4:198.51.100.{} ~all", 200 + n));
            self.term(ALWAYS, if n < 7 { i32::MAX } else { until }, format!("include:{include}"));
        }
        self.term(ALWAYS, i32::MAX, terms(&[Cidr::around(hosts[0], 28)]));
        let fails = vec![mail(0.97, Who::Organization, PermError), mail(0.03, Who::Organization, TempError)];
        let mut phases = always(Class::OwnMisconfigured, "spf_permerror", fails);
        phases.push(phase(until, Class::Own, "unsigned", vec![mail(1.0, Who::Organization, Pass)]));
        self.flows.push(
            Flow::new(id, Volume::office(per_day).noise(0.1), phases)
                .team("Enterprise Applications", "erp")
                .from(hosts),
        );
    }

    /// Mail of people through a mailbox provider.
    pub(super) fn hosted(
        &mut self,
        id: &str,
        provider: &Provider,
        author: usize,
        per_day: f64,
        selector: &str,
        signs_from: i32,
    ) {
        let name = self.estate.domains[author].name.clone();
        let label = name.split('.').next().unwrap_or_default().to_owned();
        let tenant = is(&format!("{label}.tenants.{}", provider.domain));
        let who = if author == 0 { Who::Organization } else { Who::Author };
        // Until its own key is set up the provider signs with a name of its own.
        let foreign = vec![
            mail(0.995, who.clone(), Pass).signed(tenant.clone(), "selector1", Pass),
            mail(0.005, who.clone(), TempError).signed(tenant.clone(), "selector1", Pass),
        ];
        let ours = vec![
            mail(0.985, who.clone(), Pass).signed(who.clone(), selector, Pass),
            mail(0.006, who.clone(), Pass).signed(who.clone(), selector, Fail),
            mail(0.004, who.clone(), TempError).signed(who.clone(), selector, Pass),
            mail(0.005, who.clone(), Pass),
        ];
        let mut phases = Vec::new();
        if signs_from > 0 {
            phases.push(phase(ALWAYS, Class::Own, "signed_by_provider", foreign));
            phases.push(phase(signs_from, Class::Own, "authenticated", ours));
            self.company.records.key(&name, selector, signs_from - 1, 0);
            self.event(signs_from, format!("{} signs for {name}", provider.name));
            if author == 0 {
                let one = Signing { selector: selector.into(), share: 1.0, result: Pass };
                self.signing.extend([(ALWAYS, Vec::new()), (signs_from, vec![one])]);
                self.traces.push(Trace { weight: 1.0, signatures: None });
            }
        } else {
            phases.push(phase(ALWAYS, Class::Own, "authenticated", ours));
            if author == 0 {
                let signature = Signature { by: who.clone(), selector: selector.into(), result: Pass };
                self.traces.push(Trace { weight: 0.5, signatures: Some(vec![signature]) });
            }
        }
        let mut flow = Flow::new(id, Volume::office(per_day), phases)
            .team("IT", "postmaster")
            .service(provider.name)
            .from(provider.hosts.clone())
            .a_day(if per_day > 2_000.0 { 90 } else { 40 });
        flow.authors = vec![(author, 1.0)];
        self.flows.push(flow);
        let include = format!("include:_spf.{}", provider.domain);
        if author == 0 {
            self.term(ALWAYS, i32::MAX, include);
        } else {
            self.company.records.txt(name, ALWAYS, format!("v=spf1 {include} {}", self.all()));
        }
    }

    /// Somebody's program on a rented machine outside of SPF: only its signature carries it, and for three days that does not fit.
    pub(super) fn rented(&mut self, id: &str, team: &str, local_part: &str, per_day: f64) {
        let mut dice = self.dice(id);
        let hosts = self.hosts(2, "Nimbus Compute", "nimbuscompute.example");
        for host in &hosts {
            self.company.book.lines(&[*host], "compute.nimbuscompute.example", 0);
        }
        let selector = local_part;
        let day = 15 + i32::try_from(dice.below(60)).unwrap_or(0);
        let apex = self.apex.clone();
        self.company.records.key(&apex, selector, ALWAYS, 0);
        self.company.records.key(&apex, selector, day, 9);
        self.company.records.key(&apex, selector, day + 3, 0);
        let deny = self.deny;
        let with = |result| vec![mail(1.0, Who::Organization, deny).signed(Who::Organization, selector, result)];
        let phases = vec![
            phase(ALWAYS, Class::Own, "signed_only", with(Pass)),
            phase(day, Class::OwnMisconfigured, "wrong_key_published", with(Fail)),
            phase(day + 3, Class::Own, "signed_only", with(Pass)),
        ];
        self.event(day, format!("the record of {selector}._domainkey has a wrong key for three days"));
        self.flows.push(Flow::new(id, Volume::machine(per_day), phases).team(team, local_part).from(hosts));
    }
}

/// What stands past the relays: name, team, local part, messages a day, how.
const STRAYS: [(&str, &str, &str, f64, How); 16] = [
    ("printers", "Facilities", "scan", 64.0, How::Apex),
    ("door-cameras", "Site Security", "cctv", 18.0, How::Apex),
    ("backup", "Storage", "backup", 11.0, How::Host),
    ("monitoring", "Operations", "nagios", 90.0, How::Host),
    ("build-servers", "Software", "jenkins", 52.0, How::Apex),
    ("telephony", "Telephony", "voicemail", 38.0, How::Sub("voice")),
    ("fax", "Telephony", "fax", 21.0, How::Sub("fax")),
    ("laboratory", "Laboratory", "labmon", 9.0, How::Sub("lab")),
    ("power-supplies", "Data Centre", "ups", 3.0, How::Null),
    ("time-clocks", "Personnel", "timeclock", 14.0, How::Apex),
    ("warehouse", "Logistics", "wms", 120.0, How::Apex),
    ("old-crm", "Sales", "crm", 33.0, How::WrongSigner),
    ("heating", "Facilities", "hvac", 4.0, How::Host),
    ("web-server", "Web", "www-data", 70.0, How::Host),
    ("file-server", "Storage", "quota", 25.0, How::Apex),
    ("database", "Databases", "oracle", 16.0, How::Null),
];

/// In whose name a machine sends.
#[derive(Debug, Clone, Copy)]
enum How {
    /// Envelope with the main domain.
    Apex,
    /// Envelope with the machine's own name, which has no SPF record.
    Host,
    /// Author and envelope with a subdomain.
    Sub(&'static str),
    /// No envelope sender; the greeting is a name of the inside.
    Null,
    /// Signs with a domain of the inside.
    WrongSigner,
}

impl Build {
    /// Machines on the company's own addresses that send past its relays; most move before the end.
    pub(super) fn strays(&mut self, count: usize, network: Cidr, factor: f64) {
        let mut dice = self.dice("strays");
        let mut left: Vec<usize> = (0..STRAYS.len()).collect();
        let (apex, deny) = (self.apex.clone(), self.deny);
        for n in 0..count.min(STRAYS.len()) {
            let (name, team, local_part, per_day, how) = STRAYS[left.swap_remove(dice.index(left.len()))];
            let hosts = self.strewn(network, 1 + dice.index(4));
            if dice.chance(0.5) {
                self.company.book.hosts(&hosts, &format!("{local_part}-"), &format!("int.{apex}"));
            }
            let host = Text::new(format!("{local_part}-1.int.{apex}"));
            let mut author = 0;
            let mut helo = Vec::new();
            let part = match how {
                How::Apex => mail(1.0, Who::Organization, deny),
                How::Host => mail(1.0, Who::Is(host), Nothing),
                How::Sub(label) => {
                    let listed = dice.chance(0.5);
                    author = self.subdomain(label, listed);
                    mail(1.0, Who::Author, if listed { deny } else { Nothing })
                }
                How::Null => {
                    helo.push(host);
                    bounce(1.0, Nothing)
                }
                How::WrongSigner => mail(1.0, Who::Organization, deny).signed(is("intern-it.test"), "default", Pass),
            };
            let diagnosis =
                if matches!(how, How::WrongSigner) { "signs_with_wrong_domain" } else { "unlisted_and_unsigned" };
            let volume = Volume::machine(per_day * factor * (0.5 + dice.unit())).noise(0.2);
            let volume = match dice.below(10) {
                0..4 => volume.until(25 + i32::try_from(dice.below(60)).unwrap_or(0)),
                4 => volume.from(30 + i32::try_from(dice.below(50)).unwrap_or(0)),
                _ => volume,
            };
            let phases = always(Class::OwnMisconfigured, diagnosis, vec![part]);
            let mut flow =
                Flow::new(format!("stray-{name}-{n}"), volume, phases).team(team, local_part).from(hosts).helo(helo);
            flow.authors = vec![(author, 1.0)];
            self.flows.push(flow);
        }
    }

    /// An office without address space of its own: its scanner sends over its line.
    pub(super) fn office_line(&mut self, per_day: f64) {
        let range = self.block(24);
        self.company.book.net(range, "Baltnet", "baltnet.test");
        let hosts = within(range, 41, 1);
        self.company.book.name(hosts[0], "static-41.business.baltnet.test", true);
        self.company.networks.push(Cidr::around(hosts[0], 29));
        let phases =
            always(Class::OwnMisconfigured, "unlisted_and_unsigned", vec![mail(1.0, Who::Organization, self.deny)]);
        self.flows
            .push(Flow::new("stray-scanner", Volume::office(per_day), phases).team("Office", "scanner").from(hosts));
    }
}
