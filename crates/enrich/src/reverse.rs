//! The names under which addresses are looked up: backwards, below a zone (RFC 1035 §3.5, RFC 3596 §2.5, RFC 5782 §2.1, §2.4).
//!
//! In: an address and a zone. Out: a name to ask DNS for; none where the zone is too long for that.

use std::net::IpAddr;

use dns::Name;

/// The name of an address below a zone; none where that is longer than a name may be.
pub(crate) fn below(address: IpAddr, zone: &Name) -> Option<Name> {
    let labels = digits(address).into_iter().map(String::into_bytes).chain(zone.labels().map(<[u8]>::to_vec));
    Name::from_labels(labels).ok()
}

/// The name that PTR records of an address stand at.
pub(crate) fn ptr_name(address: IpAddr) -> Option<Name> {
    let zone = if address.is_ipv4() { ["in-addr", "arpa"] } else { ["ip6", "arpa"] };
    below(address, &Name::from_labels(zone).ok()?)
}

/// Octets of an IPv4 address, hexadecimal digits of an IPv6 address, the last one first.
fn digits(address: IpAddr) -> Vec<String> {
    match address {
        IpAddr::V4(address) => address.octets().iter().rev().map(u8::to_string).collect(),
        // RFC 3596 §2.5: "a sequence of nibbles separated by dots … encoded in reverse order, i.e., the low-order nibble is encoded first".
        IpAddr::V6(address) => {
            let nibbles = address.octets().into_iter().rev().flat_map(|octet| [octet & 15, octet >> 4]);
            nibbles.map(|nibble| format!("{nibble:x}")).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, expected: &str) {
        assert_eq!(ptr_name(address.parse().unwrap()).unwrap().to_string(), expected);
    }

    #[test]
    fn addresses_backwards() {
        check("192.0.2.1", "1.2.0.192.in-addr.arpa");
        // The example of RFC 3596 §2.5.
        check("4321:0:1:2:3:4:567:89ab", "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa");
        let long = Name::from_labels([vec![b'a'; 63], vec![b'b'; 63], vec![b'c'; 63]]).unwrap();
        assert!(below("::1".parse().unwrap(), &long).is_none(), "a zone that leaves no room");
        assert!(below("127.0.0.2".parse().unwrap(), &long).is_some());
    }
}
