//! Those who use a company's names without any right: loud hosts, botnets, hired networks, broken-in websites, borrowed names.

use std::sync::Arc;

use report::AuthResult::{self, Fail, Neutral, None as Nothing, Pass, SoftFail, TempError};
use report::Text;

use super::build::Build;
use super::own::Provider;
use crate::book::Cidr;
use crate::cast::{always, bounce, is, mail};
use crate::estate::Role;
use crate::flow::{Authentication, Class, Flow, Who};
use crate::volume::Volume;

fn spoofer(id: impl Into<Text>, volume: Volume, diagnosis: &'static str, mix: Vec<Authentication>) -> Flow {
    Flow::new(id, volume, always(Class::Spoofer, diagnosis, mix)).for_people()
}

/// What one kit of a botnet writes into the envelope: our name, or that of one of its victims.
fn kit(deny: AuthResult, victims: &[Text]) -> Vec<Authentication> {
    let third = (victims.len() / 3).max(1);
    let mut mix = vec![mail(0.55, Who::Author, deny), mail(0.01, Who::Author, TempError)];
    for (some, (weight, result)) in victims.chunks(third).zip([(0.22, SoftFail), (0.12, Fail), (0.10, Nothing)]) {
        mix.push(mail(weight, Who::OfAddress(some.into()), result));
    }
    mix
}

/// A number of machines.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand at most; it saturates")]
fn whole(number: f64) -> usize {
    number.clamp(0.0, 4_000.0) as usize
}

impl Build {
    /// Everything that is usual, `per_day` messages of it altogether.
    pub(super) fn hostile(&mut self, per_day: f64, providers: &[Provider; 2]) {
        self.loud(per_day * 0.28);
        self.botnets(per_day * 0.34);
        self.snowshoe(per_day * 0.16);
        self.forged(per_day * 0.07, providers);
        self.broken_in(per_day * 0.08);
        self.copied(per_day * 0.03);
        self.invented(per_day * 0.04);
    }

    /// Domains of others that kits borrow for their envelopes.
    fn victims(&mut self, count: usize) -> Arc<[Text]> {
        (0..count).map(|_| self.firm().1).collect::<Vec<_>>().into()
    }

    fn mood(&self, what: &str, per_day: f64) -> Volume {
        let mut dice = self.dice(what);
        let volume = Volume::crime(per_day * (0.4 + 1.2 * dice.unit())).noise(0.1 + 0.3 * dice.unit());
        match dice.below(4) {
            0 => volume.curve(&[(0, 1.2), (40, 1.0), (90, 0.7), (400, 0.9), (800, 1.1)]),
            1 => {
                let day = i32::try_from(dice.below(40)).unwrap_or(0);
                volume.curve(&[(day, 0.0), (day + 3, 1.0), (day + 50, 1.1), (day + 300, 0.5)])
            }
            2 => volume.active(0.35 + 0.4 * dice.unit()),
            _ => volume,
        }
    }

    fn loud(&mut self, per_day: f64) {
        let mut dice = self.dice("loud");
        let count = 2 + dice.index(4);
        for n in 0..count {
            let (name, domain) = self.firm();
            let hosts = if n == 1 {
                self.hosts6(1, &name, &domain)
            } else {
                self.hosts(1 + u32::try_from(dice.below(3)).unwrap_or(0), &name, &domain)
            };
            match dice.below(3) {
                0 => {}
                1 => self.company.book.hosts(&hosts, "vps", &domain),
                _ => self
                    .company
                    .book
                    .list(Cidr::around(hosts[0], if hosts[0].is_ipv4() { 24 } else { 48 }), "SBL910001"),
            }
            let mix = match dice.below(4) {
                0 => vec![mail(1.0, is(&format!("vps.{domain}")), Pass)],
                1 => vec![mail(0.5, Who::Author, self.deny), mail(0.5, is("returns.cheap-racks.test"), Nothing)],
                2 => vec![bounce(1.0, Nothing)],
                _ => vec![mail(1.0, Who::Author, self.deny)],
            };
            let volume = self.mood(&format!("loud {n}"), per_day / 3.5);
            let flow = spoofer(format!("spoof-loud-{n}"), volume, "loud_host", mix).from(hosts);
            self.flows.push(flow.helo(vec!["localhost.localdomain.test".into()]));
        }
    }

    fn botnets(&mut self, per_day: f64) {
        let victims = self.victims(60);
        let deny = self.deny;
        let bots = 80 + whole(per_day * 1.5);
        let steady = self.lines(8, bots / 8);
        let volume = self.mood("botnet", per_day * 0.6);
        let flow = spoofer("spoof-botnet", volume, "botnet", kit(deny, &victims));
        self.flows.push(flow.from(steady).a_day(20 + whole(per_day * 0.4)));
        let burst = self.lines(4, 20 + whole(per_day * 0.2));
        let mut volume = Volume::crime(per_day * 3.0).noise(0.3).active(0.08);
        volume.seasons.clear();
        let flow = spoofer("spoof-botnet-bursts", volume, "botnet_burst", kit(deny, &victims));
        self.flows.push(flow.from(burst).a_day(20 + whole(per_day * 0.2)));
    }

    fn snowshoe(&mut self, per_day: f64) {
        let mut dice = self.dice("snowshoe");
        for n in 0..=dice.index(3) {
            let (name, domain) = self.firm();
            let size = 40 + u32::try_from(dice.below(180)).unwrap_or(0);
            let hosts = self.hosts(size, &name, &domain);
            self.company.book.hosts(&hosts, "m", &domain);
            if dice.chance(0.5) {
                self.company.book.list(Cidr::around(hosts[0], 24), "SBL920002");
            }
            let part = mail(1.0, is(&domain), Pass);
            let mix = vec![if dice.chance(0.6) { part.signed(is(&domain), "mail", Pass) } else { part }];
            let volume = self.mood(&format!("snowshoe {n}"), per_day / 2.0);
            let window = usize::try_from(size).unwrap_or(0) / 3;
            self.flows.push(
                spoofer(format!("spoof-snowshoe-{n}"), volume, "snowshoe_own_domain", mix).from(hosts).a_day(window),
            );
        }
    }

    /// Hosts whose PTR records say that they are a provider's, or ours. The names do not lead back.
    fn forged(&mut self, per_day: f64, providers: &[Provider; 2]) {
        let mut dice = self.dice("forged");
        for n in 0..2_u32 {
            let (name, domain) = self.firm();
            let hosts = self.hosts(2 + u32::try_from(dice.below(4)).unwrap_or(0), &name, &domain);
            for (host, number) in hosts.iter().zip(1..) {
                let claimed = match n {
                    0 => {
                        let provider = &providers[dice.index(2)];
                        let of = self.company.book.names().get(&provider.hosts[dice.index(provider.hosts.len())]);
                        of.map_or_else(Text::default, |host| host.name.clone())
                    }
                    _ => Text::new(format!("mail{number}.{}", self.apex)),
                };
                self.company.book.name(*host, claimed, false);
            }
            let volume = self.mood(&format!("forged {n}"), per_day / 2.0);
            let mix = vec![mail(1.0, Who::Author, self.deny)];
            self.flows.push(spoofer(format!("spoof-forged-name-{n}"), volume, "forged_ptr", mix).from(hosts));
        }
    }

    /// Websites and mailboxes that somebody broke into: real hosts of real companies, SPF and DKIM of theirs.
    fn broken_in(&mut self, per_day: f64) {
        let (name, domain) = self.firm();
        let webs = self.hosts(24, &name, &domain);
        self.company.book.hosts(&webs, "server", &domain);
        let sites = self.victims(24);
        let mix = vec![mail(0.7, is(&format!("server.{domain}")), Pass), mail(0.3, Who::OfAddress(sites), Neutral)];
        let volume = self.mood("websites", per_day * 0.6);
        self.flows.push(spoofer("spoof-websites", volume, "broken_in_website", mix).from(webs).a_day(8));
        let mut hosts = Vec::new();
        let mut names: Vec<Text> = Vec::new();
        for _ in 0..10 {
            let (name, domain) = self.firm();
            let some = self.hosts(1, &name, &domain);
            self.company.book.name(some[0], format!("mail.{domain}"), true);
            hosts.extend(some);
            names.push(domain);
        }
        let owner = Who::OfAddress(names.into());
        let mix = vec![mail(1.0, owner.clone(), Pass).signed(owner, "default", Pass)];
        let volume = self.mood("mailboxes", per_day * 0.4);
        self.flows.push(spoofer("spoof-mailboxes", volume, "broken_in_mailbox", mix).from(hosts).a_day(3));
    }

    /// Signatures copied from real mail: most cannot fit; a few messages are sent again as they are, and fit.
    fn copied(&mut self, per_day: f64) {
        let Some(selector) = self.signing_on(0).first().map(|one| one.selector.clone()) else { return };
        let hosts = self.lines(2, 15);
        let fails = mail(0.97, Who::Author, self.deny).signed(Who::Organization, &selector, Fail);
        let again = mail(0.03, is("replayed.cheap-racks.test"), Nothing).signed(Who::Organization, &selector, Pass);
        let volume = self.mood("copied", per_day);
        self.flows.push(
            spoofer("spoof-copied-signature", volume, "copied_signature", vec![fails, again]).from(hosts).a_day(9),
        );
    }

    /// Subdomains that somebody made up.
    fn invented(&mut self, per_day: f64) {
        let authors: Vec<(usize, f64)> = ["secure", "hr-portal", "accounts"]
            .map(|label| (self.domain(format!("{label}.{}", self.apex), Role::Invented, Vec::new()), 1.0))
            .into();
        let hosts = self.lines(3, 40);
        let mix = vec![mail(0.6, Who::Author, Nothing), mail(0.4, is("webmail.cheap-racks.test"), Nothing)];
        let volume = self.mood("invented", per_day);
        let mut flow = spoofer("spoof-invented-names", volume, "names_that_do_not_exist", mix).from(hosts).a_day(30);
        flow.authors = authors;
        self.flows.push(flow);
    }

    /// Domains that send nothing, and who uses them in waves.
    pub(super) fn parked_domains(&mut self, count: usize, per_day: f64) {
        let label = self.label.clone();
        for n in 0..count {
            let (with, top) =
                [("online", "example"), ("group", "test"), ("pay", "example"), ("mail", "test"), ("info", "example")]
                    [n % 5];
            let number = if n < 5 { String::new() } else { (n / 5 + 1).to_string() };
            let domain = self.parked(&format!("{label}-{with}{number}.{top}"));
            let hosts = self.lines(1, 60);
            let mut volume =
                Volume::crime(per_day / f64::from(u32::try_from(n + 1).unwrap_or(1))).noise(0.5).active(0.25);
            volume.weekend = 1.0;
            let mix = vec![mail(0.85, Who::Author, Fail), mail(0.15, is("bulk.cheap-racks.test"), Nothing)];
            let mut flow = spoofer(format!("spoof-parked-{n}"), volume, "parked_domain", mix).from(hosts).a_day(20);
            flow.authors = vec![(domain, 1.0)];
            self.flows.push(flow);
        }
    }

    /// A customer of a service that both use sends in our name through the service's own hosts.
    pub(super) fn through_shared(&mut self, name: &str, domain: &Text, hosts: Vec<std::net::IpAddr>, per_day: f64) {
        let mix = vec![mail(1.0, is(&format!("bounce.{domain}")), Pass).signed(Who::Is(domain.clone()), "mta", Pass)];
        let volume = self.mood(name, per_day).active(0.3);
        self.flows
            .push(spoofer(format!("spoof-through-{name}"), volume, "customer_of_the_same_service", mix).from(hosts));
    }
}
