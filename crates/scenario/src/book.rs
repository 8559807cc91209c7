//! What anybody can find out about addresses: their names and whether those lead back, their networks, and who is on a list of bad ones.
//!
//! In: what the cast says about its addresses. Out: names, networks and lists, each address in at most one name and one network.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use report::Text;

use crate::random::{hash, mix};

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cidr {
    pub(crate) first: IpAddr,
    pub(crate) bits: u8,
}

impl Cidr {
    /// The range of that length around an address.
    pub(crate) fn around(address: IpAddr, bits: u8) -> Self {
        let first = match address {
            IpAddr::V4(v4) => {
                IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(masked(v4.to_bits().into(), bits, 32)).unwrap_or(0)))
            }
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(masked(v6.to_bits(), bits, 128))),
        };
        Self { first, bits }
    }

    /// `192.0.2.0/24`
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (first, bits) = text.split_once('/')?;
        Some(Self { first: first.parse().ok()?, bits: bits.parse().ok()? })
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        self.first.is_ipv4() == address.is_ipv4() && Self::around(address, self.bits) == *self
    }
}

impl std::fmt::Display for Cidr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

fn masked(address: u128, bits: u8, of: u32) -> u128 {
    let low = of - u32::from(bits);
    if low >= 128 { 0 } else { address >> low << low }
}

/// The name in an address's PTR record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostName {
    pub(crate) name: Text,
    /// Whether the name has the address in turn. Whoever holds an address may write any name there.
    pub(crate) leads_back: bool,
}

/// A network as registries know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Net {
    pub(crate) range: Cidr,
    /// Of the autonomous system: one of those for private use (RFC 6996).
    pub(crate) number: u32,
    pub(crate) organization: Text,
    pub(crate) domain: Text,
    pub(crate) country: &'static str,
}

/// What the operator of a mail service publishes about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) name: Text,
    /// As the catalogue of services calls it.
    pub(crate) kind: &'static str,
    /// The domain that its hosts' names, its own keys and its bounces are below.
    pub(crate) domain: Text,
    /// What customers include; empty if nothing.
    pub(crate) include: Text,
}

/// All of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Book {
    names: BTreeMap<IpAddr, HostName>,
    nets: BTreeMap<Cidr, Net>,
    listed: BTreeMap<Cidr, Text>,
    services: BTreeMap<Text, Service>,
}

const COUNTRIES: [&str; 12] = ["SE", "DE", "NL", "US", "GB", "FR", "FI", "PL", "IN", "BR", "VN", "RO"];

impl Book {
    /// Gives an address a name, unless it has one.
    pub(crate) fn name(&mut self, address: IpAddr, name: impl Into<Text>, leads_back: bool) {
        self.names.entry(address).or_insert_with(|| HostName { name: name.into(), leads_back });
    }

    /// Hosts with names that lead back: `label1.domain`, `label2.domain`, …
    pub(crate) fn hosts(&mut self, addresses: &[IpAddr], label: &str, domain: &str) {
        for (address, number) in addresses.iter().zip(1_u32..) {
            self.name(*address, format!("{label}{number}.{domain}"), true);
        }
    }

    /// Customers' lines: names made of the address. One line in `nameless` has none.
    pub(crate) fn lines(&mut self, addresses: &[IpAddr], domain: &str, nameless: u64) {
        for address in addresses {
            let text = address.to_string();
            if !mix(hash(&text)).is_multiple_of(nameless.max(1)) || nameless == 0 {
                self.name(*address, format!("{}.{domain}", text.replace(['.', ':'], "-").trim_matches('-')), true);
            }
        }
    }

    /// A network, unless it is known.
    pub(crate) fn net(&mut self, range: Cidr, organization: impl Into<Text>, domain: impl Into<Text>) {
        let (organization, domain) = (organization.into(), domain.into());
        let spread = mix(hash(&organization));
        let number = 64_512 + u32::try_from(spread % 1_022).unwrap_or(0);
        let country = COUNTRIES[usize::try_from(spread >> 32).unwrap_or(0) % COUNTRIES.len()];
        self.nets.entry(range).or_insert(Net { range, number, organization, domain, country });
    }

    /// The /24 (IPv4) or /48 (IPv6) networks around addresses.
    pub(crate) fn nets_around(&mut self, addresses: &[IpAddr], organization: &str, domain: &str) {
        for address in addresses {
            let bits = if address.is_ipv4() { 24 } else { 48 };
            self.net(Cidr::around(*address, bits), organization, domain);
        }
    }

    /// A network that a public list of criminal networks has.
    pub(crate) fn list(&mut self, range: Cidr, why: impl Into<Text>) {
        self.listed.insert(range, why.into());
    }

    /// A mail service that is publicly known.
    pub(crate) fn service(&mut self, id: impl Into<Text>, service: Service) {
        self.services.entry(id.into()).or_insert(service);
    }

    pub(crate) fn names(&self) -> &BTreeMap<IpAddr, HostName> {
        &self.names
    }

    /// In the order of their ranges, the wide before the narrow.
    pub(crate) fn nets(&self) -> impl Iterator<Item = &Net> {
        self.nets.values()
    }

    pub(crate) fn listed(&self) -> &BTreeMap<Cidr, Text> {
        &self.listed
    }

    pub(crate) fn services(&self) -> &BTreeMap<Text, Service> {
        &self.services
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_what_is_in_them() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let range = Cidr::around(address("198.18.7.99"), 24);
        assert_eq!(range.to_string(), "198.18.7.0/24");
        assert!(range.contains(address("198.18.7.1")) && !range.contains(address("198.18.8.1")));
        assert!(!range.contains(address("2001:db8::1")));
        assert_eq!(Cidr::around(address("2001:db8:4a1:10::11"), 48).to_string(), "2001:db8:4a1::/48");
    }

    #[test]
    fn the_first_name_of_an_address_stays() {
        let mut book = Book::default();
        let addresses = ["192.0.2.1", "2001:db8::5"].map(|text| text.parse().unwrap());
        book.lines(&addresses, "dyn.cheapline.test", 0);
        book.hosts(&addresses, "mx", "late.example");
        let names: Vec<&str> = book.names().values().map(|host| host.name.as_str()).collect();
        assert_eq!(names, ["192-0-2-1.dyn.cheapline.test", "2001-db8--5.dyn.cheapline.test"]);
    }
}
