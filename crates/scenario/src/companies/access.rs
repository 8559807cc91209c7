//! Providers of lines: whose addresses taken-over machines, home servers and small offices have.

use std::net::IpAddr;

use crate::book::{Book, Cidr};
use crate::random::{hash, mix};

/// Names of the providers, and how their lines are called.
const PROVIDERS: [(&str, &str); 12] = [
    ("Cheapline Broadband", "dyn.cheapline.test"),
    ("Kabelwerk", "pool.kabelwerk.test"),
    ("Andes Fibra", "cliente.andesfibra.test"),
    ("Mekong Telecom", "dynamic.mekongtel.test"),
    ("Baltnet", "dsl.baltnet.test"),
    ("Ganges Online", "broadband.gangesonline.test"),
    ("Prairie Cable", "cust.prairiecable.test"),
    ("Lagos Link", "mobile.lagoslink.test"),
    ("Anadolu Net", "dsl.anadolunet.test"),
    ("Pampa Telco", "ppp.pampatelco.test"),
    ("Volga Svyaz", "pppoe.volgasvyaz.test"),
    ("Java Data", "fiber.javadata.test"),
];

/// Gives lines their names and networks: each range of that length belongs to one provider; one line in three has no name.
pub(super) fn lines(book: &mut Book, addresses: &[IpAddr], bits: u8) {
    for address in addresses {
        let range = Cidr::around(*address, if address.is_ipv4() { bits } else { 48 });
        let at = usize::try_from(mix(hash(&range.to_string()))).unwrap_or(0) % PROVIDERS.len();
        let (organization, domain) = PROVIDERS[at];
        book.net(range, organization, domain.split_once('.').map_or(domain, |(_, rest)| rest));
        book.lines(&[*address], domain, 3);
    }
}
