//! The address plan of the model world.
//!
//! The ranges kept for documentation (RFC 5737, RFC 3849) are too few for a large company and its enemies, so two more that never stand
//! for anybody on the Internet are used: 198.18.0.0/15, kept for benchmarks (RFC 2544), and 100.64.0.0/10, the shared address space
//! (RFC 6598).
//!
//! | range | who |
//! | --- | --- |
//! | 198.18.0.0/16, 2001:db8:4a1::/48 | the company's own address space |
//! | 198.19.0.0/16, 198.51.100.0/24 | services that send for it; one /24 each |
//! | 100.64.0.0/12 | mailbox providers, universities, list hosts: those who forward |
//! | 100.80.0.0 to 100.127.255.255, 2001:db8:9e::/48 | networks with abused or hired machines |
//! | 192.0.2.0/24, 203.0.113.0/24 | networks hired for nothing else |

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::random::Random;

/// `count` addresses in a row.
pub(crate) fn row(first: [u8; 4], count: u32) -> Vec<IpAddr> {
    let first = u32::from(Ipv4Addr::from(first));
    (0..count).map(|n| IpAddr::V4(Ipv4Addr::from(first + n))).collect()
}

/// `count` IPv6 addresses in a row.
pub(crate) fn row6(first: &str, count: u32) -> Vec<IpAddr> {
    let first = first.parse::<Ipv6Addr>().map_or(0, u128::from);
    (0..count).map(|n| IpAddr::V6(Ipv6Addr::from(first + u128::from(n)))).collect()
}

/// `count` different addresses strewn over a network, in the order of their discovery.
pub(crate) fn strewn(seed: u64, network: [u8; 4], bits: u8, count: usize) -> Vec<IpAddr> {
    let base = u32::from(Ipv4Addr::from(network));
    let room = 1_u64 << (32 - bits);
    let mut random = Random::at(seed, &[u64::from(base), u64::from(bits)]);
    let mut taken = std::collections::BTreeSet::new();
    let mut addresses = Vec::with_capacity(count);
    // Half a network is never strewn, so this ends soon.
    while addresses.len() < count.min(usize::try_from(room / 2).unwrap_or(usize::MAX)) {
        let host = u32::try_from(random.below(room)).unwrap_or(0);
        let ends = host & 0xff;
        if ends != 0 && ends != 255 && taken.insert(host) {
            addresses.push(IpAddr::V4(Ipv4Addr::from(base + host)));
        }
    }
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strewn_addresses_differ_and_stay_inside() {
        let addresses = strewn(1, [100, 96, 0, 0], 12, 5_000);
        let different: std::collections::BTreeSet<_> = addresses.iter().collect();
        assert_eq!(different.len(), 5_000);
        assert!(
            addresses
                .iter()
                .all(|a| matches!(a, IpAddr::V4(v4) if v4.octets()[0] == 100 && v4.octets()[1] & 0xf0 == 96))
        );
        assert_eq!(row([198, 18, 10, 250], 8).last().unwrap().to_string(), "198.18.11.1");
        assert_eq!(row6("2001:db8::11", 2)[1].to_string(), "2001:db8::12");
    }
}
