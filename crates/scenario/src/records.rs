//! DNS over the story: records of the company, those of everybody who sends in its name, and the days on which they change.
//!
//! In: what the company publishes, said outright, and the cast. Out: for each name the texts that stood there and since when. What others
//! publish follows from the cast: where SPF passes for a domain, its record has the addresses; where a signature passes, its key is there.
//! RFC 7208 §3, RFC 6376 §3.6.1, RFC 7505 (domains that take no mail).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use report::{AuthResult, Text};

use crate::book::{Book, Cidr};
use crate::estate::{Estate, Role, organizational};
use crate::flow::{Authentication, Envelope, Flow, Who};
use crate::random::{Random, hash, mix};

/// Types that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Txt,
    Mx,
}

impl Kind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Txt => "TXT",
            Self::Mx => "MX",
        }
    }
}

/// The texts at a name and since which day of the story each.
type Versions = BTreeMap<i32, String>;

/// All records.
#[derive(Debug, Clone, Default)]
pub(crate) struct Records {
    sets: BTreeMap<(Text, Kind), Versions>,
    bits: BTreeMap<Text, u16>,
}

/// From the first day on, and before.
pub(crate) const ALWAYS: i32 = i32::MIN;

/// When keys were made that nothing is said of and that are there from the first day: some not long ago, some long.
const KEY_AGES: [i32; 4] = [-45, -160, -300, -640];

impl Records {
    /// From that day on this stands there.
    pub(crate) fn set(&mut self, name: impl Into<Text>, kind: Kind, from: i32, text: impl Into<String>) {
        self.sets.entry((name.into(), kind)).or_default().insert(from, text.into());
    }

    pub(crate) fn txt(&mut self, name: impl Into<Text>, from: i32, text: impl Into<String>) {
        self.set(name, Kind::Txt, from, text);
    }

    /// How many bits the key of a selector has; 2048 unless said.
    pub(crate) fn key_bits(&mut self, domain: &str, selector: &str, bits: u16) {
        self.bits.insert(key_name(domain, selector), bits);
    }

    /// A key from that day on. Another `edition` is another key.
    pub(crate) fn key(&mut self, domain: &str, selector: &str, from: i32, edition: u64) {
        let name = key_name(domain, selector);
        let text = key(&name, self.bits.get(&name).copied().unwrap_or(2048), edition);
        self.txt(name, from, text);
    }

    fn has(&self, name: &str, kind: Kind) -> bool {
        self.sets.contains_key(&(Text::new(name), kind))
    }

    /// In the order of names: name, kind, versions in order.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&Text, Kind, &Versions)> {
        self.sets.iter().map(|((name, kind), versions)| (name, *kind, versions))
    }

    /// The days on which something changes, after the first.
    pub(crate) fn days(&self) -> BTreeSet<i32> {
        self.sets.values().flat_map(|versions| versions.keys().copied()).filter(|day| *day > 0).collect()
    }

    /// The days before the first on which something changed that is known of.
    pub(crate) fn before(&self) -> BTreeSet<i32> {
        self.sets
            .values()
            .flat_map(|versions| versions.keys().copied())
            .filter(|day| (ALWAYS + 1..0).contains(day))
            .collect()
    }

    /// What stands at names on one day.
    pub(crate) fn on(&self, day: i32) -> impl Iterator<Item = (&Text, Kind, &str)> {
        self.all().filter_map(move |(name, kind, versions)| {
            let (_, text) = versions.range(..=day).next_back()?;
            Some((name, kind, text.as_str()))
        })
    }

    /// Adds what follows from the estate and the cast, where nothing has been said outright.
    pub(crate) fn derive(&mut self, estate: &Estate, flows: &[Flow], book: &Book) {
        self.estate(estate);
        let mut senders: BTreeMap<Text, Sender> = BTreeMap::new();
        let mut keys: BTreeMap<Text, (Text, Text, i32)> = BTreeMap::new();
        for flow in flows {
            for phase in &flow.phases {
                for part in &phase.mix {
                    look(estate, flow, part, phase.from, &mut senders);
                    for signature in part.dkim.iter().filter(|s| s.result == AuthResult::Pass) {
                        for domain in named(estate, flow, &signature.by) {
                            let name = key_name(&domain, &signature.selector);
                            let known = keys.entry(name).or_insert((domain, signature.selector.clone(), phase.from));
                            known.2 = known.2.min(phase.from);
                        }
                    }
                }
            }
        }
        for (name, (domain, selector, from)) in keys {
            if !self.has(&name, Kind::Txt) {
                let age = KEY_AGES[usize::try_from(mix(hash(&name)) % KEY_AGES.len() as u64).unwrap_or(0)];
                self.key(&domain, &selector, if from == ALWAYS { age } else { from }, 0);
            }
        }
        for (domain, sender) in senders {
            if !self.has(&domain, Kind::Txt) {
                sender.publish(&domain, self);
            }
        }
        for service in book.services().values() {
            let hosts = book.names().iter().filter(|(_, host)| host.leads_back && below(&host.name, &service.domain));
            let ranges: BTreeSet<Cidr> = hosts.map(|(address, _)| wide(*address)).collect();
            if !service.include.is_empty() && !self.has(&service.include, Kind::Txt) && !ranges.is_empty() {
                self.txt(service.include.clone(), ALWAYS, format!("v=spf1 {} ~all", terms(&ranges)));
            }
            self.txt(
                format!("_dmarc.{}", service.domain),
                ALWAYS,
                format!("v=DMARC1; p=reject; rua=mailto:dmarc@{}", service.domain),
            );
        }
    }

    /// DMARC records, and what domains that send nothing say.
    fn estate(&mut self, estate: &Estate) {
        for domain in &estate.domains {
            let at = format!("_dmarc.{}", domain.name);
            for (from, record) in &domain.records {
                self.txt(at.as_str(), *from, record.text(&estate.rua));
            }
            match domain.role {
                Role::Parked => {
                    self.txt(domain.name.clone(), ALWAYS, "v=spf1 -all");
                    // RFC 7505 §3: a single MX record with preference 0 and the root for a name.
                    self.set(domain.name.clone(), Kind::Mx, ALWAYS, "0 .");
                }
                Role::Invented => {}
                _ if self.has(&domain.name, Kind::Mx) => {}
                _ => {
                    self.set(domain.name.clone(), Kind::Mx, ALWAYS, format!("10 mx.{}.", organizational(&domain.name)));
                }
            }
        }
    }
}

fn below(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// What SPF says for one envelope domain.
#[derive(Debug, Default)]
struct Sender {
    /// Those for which it passes, and since when.
    passes: BTreeMap<IpAddr, i32>,
    /// The result for everybody else; `None` if nobody else was seen.
    others: Option<AuthResult>,
    broken: bool,
}

/// The domains that a name stands for in a flow.
fn named(estate: &Estate, flow: &Flow, who: &Who) -> Vec<Text> {
    let authors = flow.authors.iter().map(|(author, _)| estate.domains[*author].name.clone());
    match who {
        Who::Author => authors.collect(),
        Who::Organization => authors.map(|name| Text::new(organizational(&name))).collect(),
        Who::Is(name) => vec![name.clone()],
        Who::OfAddress(names) => names.to_vec(),
    }
}

fn look(estate: &Estate, flow: &Flow, part: &Authentication, from: i32, senders: &mut BTreeMap<Text, Sender>) {
    let all = &flow.addresses.all;
    let mut see = |domain: Text, address: IpAddr| {
        let sender = senders.entry(domain).or_default();
        match part.spf {
            AuthResult::Pass => {
                let known = sender.passes.entry(address).or_insert(from);
                *known = (*known).min(from);
            }
            AuthResult::PermError => sender.broken = true,
            AuthResult::None | AuthResult::TempError => {}
            result => sender.others = Some(result),
        }
    };
    match &part.envelope {
        Envelope::Domain(Who::OfAddress(names)) => {
            for (address, name) in all.iter().zip(names.iter().cycle()) {
                see(name.clone(), *address);
            }
        }
        Envelope::Domain(who) => {
            for domain in named(estate, flow, who) {
                for address in all {
                    see(domain.clone(), *address);
                }
            }
        }
        // RFC 7208 §2.4: with a null path the greeting is looked at.
        Envelope::Null => {
            let names = &flow.addresses.helo;
            for (address, name) in all.iter().zip(names.iter().cycle()) {
                see(name.clone(), *address);
            }
        }
    }
}

impl Sender {
    fn publish(&self, domain: &str, records: &mut Records) {
        if self.passes.is_empty() && self.others.is_none() && !self.broken {
            return;
        }
        let end = match self.others {
            Some(AuthResult::Fail) => "-all",
            Some(AuthResult::Neutral) => "?all",
            Some(_) => "~all",
            None if mix(hash(domain)).is_multiple_of(2) => "~all",
            None => "-all",
        };
        if self.broken && self.passes.is_empty() {
            // RFC 7208 §5.2: an include of a name without a record is a permerror.
            records.txt(domain, ALWAYS, format!("v=spf1 include:_spf.gone.{} {end}", organizational(domain)));
            return;
        }
        let days: BTreeSet<i32> = self.passes.values().copied().chain([ALWAYS]).collect();
        for day in days {
            let there: Vec<IpAddr> =
                self.passes.iter().filter(|(_, from)| **from <= day).map(|(address, _)| *address).collect();
            let ranges: BTreeSet<Cidr> = match there.len() {
                0..=8 => there.iter().map(|a| Cidr::around(*a, if a.is_ipv4() { 32 } else { 128 })).collect(),
                _ => there.iter().map(|a| wide(*a)).collect(),
            };
            let terms = terms(&ranges);
            let text = if terms.is_empty() { format!("v=spf1 {end}") } else { format!("v=spf1 {terms} {end}") };
            records.txt(domain, day, text);
        }
    }
}

fn wide(address: IpAddr) -> Cidr {
    Cidr::around(address, if address.is_ipv4() { 24 } else { 64 })
}

/// `ip4:… ip6:…`
pub(crate) fn terms<'a>(ranges: impl IntoIterator<Item = &'a Cidr>) -> String {
    let term = |range: &Cidr| match range {
        Cidr { first: IpAddr::V4(first), bits: 32 } => format!("ip4:{first}"),
        Cidr { first: IpAddr::V6(first), bits: 128 } => format!("ip6:{first}"),
        Cidr { first: IpAddr::V4(_), .. } => format!("ip4:{range}"),
        Cidr { first: IpAddr::V6(_), .. } => format!("ip6:{range}"),
    };
    ranges.into_iter().map(term).collect::<Vec<_>>().join(" ")
}

fn key_name(domain: &str, selector: &str) -> Text {
    Text::new(format!("{selector}._domainkey.{domain}"))
}

/// An RSA key record (RFC 6376 §3.6.1). Nobody has the private half: the modulus is only odd and of the right length.
fn key(name: &str, bits: u16, edition: u64) -> String {
    let mut random = Random::at(hash(name), &[edition]);
    let mut modulus: Vec<u8> = (0..usize::from(bits / 64)).flat_map(|_| random.next().to_be_bytes()).collect();
    if let Some(first) = modulus.first_mut() {
        *first |= 0x80;
    }
    if let Some(last) = modulus.last_mut() {
        *last |= 1;
    }
    format!("v=DKIM1; k=rsa; p={}", crate::container::base64_line(&public_key(&modulus)))
}

/// `SubjectPublicKeyInfo` (RFC 5280 §4.1) with an `RSAPublicKey` (RFC 8017 §A.1.1) of exponent 65537.
fn public_key(modulus: &[u8]) -> Vec<u8> {
    /// `rsaEncryption` and NULL (RFC 8017 §A.1).
    const ALGORITHM: [u8; 15] = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
    let mut positive = vec![0];
    positive.extend(modulus);
    let numbers = [der(2, &positive), der(2, &[1, 0, 1])].concat();
    let mut bits = vec![0];
    bits.extend(der(0x30, &numbers));
    der(0x30, &[ALGORITHM.to_vec(), der(3, &bits)].concat())
}

/// One element in DER.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    match length.to_be_bytes() {
        [.., low] if length < 128 => out.push(low),
        [.., low] if length < 256 => out.extend([0x81, low]),
        [.., high, low] => out.extend([0x82, high, low]),
    }
    out.extend(content);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_what_stood_there_on_the_day() {
        let mut records = Records::default();
        records.txt("a.example", ALWAYS, "old");
        records.txt("a.example", 10, "new");
        let on = |day| records.on(day).map(|(_, _, text)| text.to_owned()).collect::<Vec<_>>();
        assert_eq!([on(0), on(9), on(10), on(20)], ["old", "old", "new", "new"].map(|text| vec![text.to_owned()]));
        assert_eq!(records.days(), [10].into());
    }

    #[test]
    fn keys_have_their_length_and_differ() {
        let [short, long, other] = [("a", 1024, 0), ("a", 2048, 0), ("a", 2048, 1)].map(|(n, bits, e)| key(n, bits, e));
        // 162 and 294 octets are what SubjectPublicKeyInfo needs for 1024 and 2048 bits.
        assert_eq!([short.len(), long.len()], [18 + 216, 18 + 392]);
        assert_ne!(long, other);
        assert!(long.starts_with("v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA"), "{long}");
    }
}
