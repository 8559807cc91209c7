//! The workbench on which a company is put together: names nobody else has, addresses nobody else has, and what is there already.
//!
//! In: kind and seed. Out: a `World`, piece by piece. Every piece draws from a stream of random numbers of its own, by name, so that a
//! change in one leaves the others as they were.

use std::collections::BTreeSet;
use std::net::IpAddr;

use report::{AuthResult, Policy, Text};

use super::{Company, Kind};
use crate::book::{Cidr, Service};
use crate::estate::{Domain, Estate, Record, Role};
use crate::flow::{Flow, Signature};
use crate::random::{Random, hash};
use crate::records::ALWAYS;

/// Beginnings and ends of the names of firms.
const BEGINNINGS: [&str; 40] = [
    "paper", "desk", "ask", "hire", "bright", "swift", "parcel", "ledger", "ping", "nova", "quill", "stack", "field",
    "harbor", "maple", "orbit", "pixel", "raven", "silver", "tide", "umbra", "velvet", "willow", "zephyr", "amber",
    "birch", "cobalt", "delta", "ember", "flint", "grove", "hazel", "iron", "jade", "kite", "lumen", "mint", "north",
    "opal", "pine",
];
const ENDS: [&str; 24] = [
    "mill", "bird", "loop", "hub", "kit", "wise", "flow", "dock", "post", "grid", "bay", "forge", "line", "nest",
    "port", "ray", "spark", "trail", "vault", "yard", "well", "cast", "lane", "point",
];

/// What some names have behind that.
const MORE: [&str; 8] = ["", "", "", "soft", "media", "labs", "works", "team"];

/// A signature that the company's own hosts make, its share, and what receivers find.
#[derive(Debug, Clone)]
pub(super) struct Signing {
    pub(super) selector: Text,
    pub(super) share: f64,
    pub(super) result: AuthResult,
}

/// Mail that people get and may forward: what it is signed with.
#[derive(Debug, Clone)]
pub(super) struct Trace {
    pub(super) weight: f64,
    /// `None`: as the company's own hosts sign on that day.
    pub(super) signatures: Option<Vec<Signature>>,
}

/// What is there so far.
pub(super) struct Build {
    seed: u64,
    pub(super) estate: Estate,
    pub(super) flows: Vec<Flow>,
    pub(super) company: Company,
    /// The main domain, and its first label.
    pub(super) apex: Text,
    pub(super) label: Text,
    /// What SPF says about whoever is not listed.
    pub(super) deny: AuthResult,
    /// How the company's own hosts sign, from which day on.
    pub(super) signing: Vec<(i32, Vec<Signing>)>,
    pub(super) traces: Vec<Trace>,
    /// Terms of the main domain's SPF record: from, until, text.
    terms: Vec<(i32, i32, String)>,
    words: Random,
    names: BTreeSet<String>,
    plan: Random,
    /// Blocks of 256 addresses that are somebody's.
    taken: BTreeSet<u32>,
    /// How many IPv6 networks are somebody's.
    wide: u16,
}

impl Build {
    pub(super) fn new(kind: Kind, seed: u64, ending: &str) -> Self {
        let seed = seed ^ hash(kind.word());
        let mut words = Random::at(seed, &[hash("words")]);
        let stem = two_words(&mut words);
        let label = Text::new(format!("{stem}{ending}"));
        let apex = Text::new(format!("{label}.{}", if words.chance(0.6) { "example" } else { "test" }));
        let rua = Text::new(format!("dmarc-rua@{apex}"));
        Self {
            seed,
            estate: Estate { domains: Vec::new(), rua },
            flows: Vec::new(),
            company: Company::default(),
            names: [stem].into(),
            apex,
            label,
            deny: AuthResult::SoftFail,
            signing: Vec::new(),
            traces: Vec::new(),
            terms: Vec::new(),
            words,
            plan: Random::at(seed, &[hash("plan")]),
            taken: BTreeSet::new(),
            wide: 0,
        }
    }

    /// Random numbers for one piece.
    pub(super) fn dice(&self, what: &str) -> Random {
        Random::at(self.seed, &[hash(what)])
    }

    /// The name of a firm, and its domain.
    pub(super) fn firm(&mut self) -> (Text, Text) {
        loop {
            let name = format!("{}{}", two_words(&mut self.words), MORE[self.words.index(MORE.len())]);
            if self.names.insert(name.clone()) {
                let mut shown = name.clone();
                if let Some(first) = shown.get_mut(..1) {
                    first.make_ascii_uppercase();
                }
                let top = if self.words.chance(0.7) { "example" } else { "test" };
                return (Text::new(shown), Text::new(format!("{name}.{top}")));
            }
        }
    }

    /// A free range of IPv4 addresses, from 24 bits to 16. The plan has room for some thousand networks, and a company has a few hundred.
    pub(super) fn block(&mut self, bits: u8) -> Cidr {
        let count = 1_u32 << (24 - bits.clamp(10, 24));
        loop {
            // 198.18.0.0/15 has 512 blocks of 256, 100.64.0.0/10 has 16,384, and three are for documentation.
            let first = match self.plan.below(40) {
                0 => [0x00c0_0002, 0x00c6_3364, 0x00cb_0071][self.plan.index(3)],
                1..=12 => 0x00c6_1200 + u32::try_from(self.plan.below(512)).unwrap_or(0),
                _ => 0x0064_4000 + u32::try_from(self.plan.below(16_384)).unwrap_or(0),
            };
            let first = first / count * count;
            let documented = matches!(first, 0x00c0_0002 | 0x00c6_3364 | 0x00cb_0071);
            let inside = documented && count == 1
                || (0x00c6_1200..=0x00c6_1400 - count).contains(&first)
                || (0x0064_4000..=0x0064_8000_u32.wrapping_sub(count)).contains(&first);
            if inside && (first..first + count).all(|block| !self.taken.contains(&block)) {
                self.taken.extend(first..first + count);
                return Cidr { first: IpAddr::from((first << 8).to_be_bytes()), bits };
            }
        }
    }

    /// A network of somebody's with some hosts in it, from a place in it that nobody could guess.
    pub(super) fn hosts(&mut self, count: u32, organization: &str, domain: &str) -> Vec<IpAddr> {
        let block = self.block(24);
        self.company.book.net(block, organization, domain);
        let start = 2 + self.plan.below(u64::from(250_u32.saturating_sub(count).max(1)));
        within(block, u32::try_from(start).unwrap_or(2), count)
    }

    /// Addresses of an IPv6 network of somebody's.
    pub(super) fn hosts6(&mut self, count: u32, organization: &str, domain: &str) -> Vec<IpAddr> {
        self.wide += 1;
        let number = u32::from(self.wide) * 0x101 + u32::try_from(self.seed % 97).unwrap_or(0);
        let first = format!("2001:db8:{:x}::{:x}", number & 0xffff, 0x11 + self.plan.below(200));
        let hosts = crate::address::row6(&first, count);
        if let Some(first) = hosts.first() {
            self.company.book.net(Cidr::around(*first, 48), organization, domain);
        }
        hosts
    }

    /// Addresses strewn over a range.
    pub(super) fn strewn(&mut self, range: Cidr, count: usize) -> Vec<IpAddr> {
        let IpAddr::V4(first) = range.first else { return Vec::new() };
        crate::address::strewn(self.seed ^ self.plan.next(), first.octets(), range.bits, count)
    }

    /// Lines of customers of providers all over the world: `networks` ranges of 4,096 addresses.
    pub(super) fn lines(&mut self, networks: u32, each: usize) -> Vec<IpAddr> {
        let mut lines = Vec::new();
        for _ in 0..networks {
            let range = self.block(20);
            lines.extend(self.strewn(range, each));
        }
        super::access::lines(&mut self.company.book, &lines, 20);
        lines
    }

    /// Adds a domain.
    pub(super) fn domain(&mut self, name: impl Into<Text>, role: Role, records: Vec<(i32, Record)>) -> usize {
        self.estate.domains.push(Domain { name: name.into(), role, records });
        self.estate.domains.len() - 1
    }

    /// A subdomain of the main domain without a DMARC record, and with an SPF record that lists nobody if `spf`.
    pub(super) fn subdomain(&mut self, label: &str, spf: bool) -> usize {
        let name = Text::new(format!("{label}.{}", self.apex));
        if let Some(known) = self.estate.domains.iter().position(|domain| domain.name == name) {
            return known;
        }
        if spf {
            self.company.records.txt(name.clone(), ALWAYS, format!("v=spf1 {}", self.all()));
        }
        self.domain(name, Role::Subdomain, Vec::new())
    }

    pub(super) fn parked(&mut self, name: &str) -> usize {
        let reject = Record {
            sp: Some(Policy::Reject),
            adkim: Some(report::Alignment::Strict),
            aspf: Some(report::Alignment::Strict),
            ..Record::of(Policy::Reject)
        };
        self.domain(name, Role::Parked, vec![(ALWAYS, reject)])
    }

    pub(super) fn event(&mut self, day: i32, what: impl Into<Text>) {
        self.company.events.push((day, what.into()));
    }

    /// A term of the main domain's SPF record, from one day to before another.
    pub(super) fn term(&mut self, from: i32, until: i32, text: impl Into<String>) {
        self.terms.push((from, until, text.into()));
    }

    /// How SPF records of ours end.
    pub(super) fn all(&self) -> &'static str {
        if self.deny == AuthResult::Fail { "-all" } else { "~all" }
    }

    pub(super) fn service(&mut self, domain: &Text, name: &Text, kind: &'static str) {
        let include = Text::new(format!("_spf.{domain}"));
        let service = Service { name: name.clone(), kind, domain: domain.clone(), include };
        self.company.book.service(Text::new(domain.replace('.', "-")), service);
    }

    /// How the company's own hosts sign on a day.
    pub(super) fn signing_on(&self, day: i32) -> &[Signing] {
        self.signing.iter().rev().find(|(from, _)| *from <= day).map_or(&[], |(_, signing)| signing)
    }

    /// Writes the main domain's SPF record; nothing may be added to it after this.
    pub(super) fn publish(&mut self) {
        let days: BTreeSet<i32> = self.terms.iter().flat_map(|(from, until, _)| [*from, *until]).collect();
        for day in days.into_iter().filter(|day| *day < i32::MAX) {
            let there = self.terms.iter().filter(|(from, until, _)| *from <= day && day < *until);
            let mut text = String::from("v=spf1");
            for (.., term) in there {
                if !text.contains(&format!(" {term}")) {
                    text.push(' ');
                    text.push_str(term);
                }
            }
            let text = format!("{text} {}", self.all());
            self.company.records.txt(self.apex.clone(), day, text);
        }
    }
}

fn two_words(words: &mut Random) -> String {
    format!("{}{}", BEGINNINGS[words.index(BEGINNINGS.len())], ENDS[words.index(ENDS.len())])
}

/// `count` addresses of a range in a row.
pub(super) fn within(range: Cidr, start: u32, count: u32) -> Vec<IpAddr> {
    let IpAddr::V4(first) = range.first else { return Vec::new() };
    crate::address::row((first.to_bits() + start).to_be_bytes(), count)
}
