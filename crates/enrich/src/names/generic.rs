//! Names that a network gives to all its addresses, and names of mail servers, told apart by how they are made.
//!
//! In: a name and its address. Out: what about the name says so. Only the labels before the organizational domain are looked at: a
//! company may be called `cable.example`. The patterns are our own.

use std::net::IpAddr;

use dns::{Name, organizational_domain};

/// Words of lines that are let to customers, each with what it says. A line that is called static may well be a mail server's.
const WORDS: [(&str, &str); 34] = [
    ("adsl", "names a customer's line (DSL)"),
    ("dsl", "names a customer's line (DSL)"),
    ("sdsl", "names a customer's line (DSL)"),
    ("vdsl", "names a customer's line (DSL)"),
    ("xdsl", "names a customer's line (DSL)"),
    ("dyn", "names an address that changes hands"),
    ("dynamic", "names an address that changes hands"),
    ("dynip", "names an address that changes hands"),
    ("dhcp", "names an address that is handed out anew (DHCP)"),
    ("pool", "names a pool of addresses"),
    ("pools", "names a pool of addresses"),
    ("ippool", "names a pool of addresses"),
    ("ppp", "names a dial-up line (PPP)"),
    ("pppoe", "names a customer's line (PPPoE)"),
    ("dial", "names a dial-up line"),
    ("dialin", "names a dial-up line"),
    ("dialup", "names a dial-up line"),
    ("cable", "names a customer's line (cable)"),
    ("catv", "names a customer's line (cable)"),
    ("docsis", "names a customer's line (cable)"),
    ("hfc", "names a customer's line (cable)"),
    ("cpe", "names equipment at a customer's"),
    ("cust", "names a customer's line"),
    ("customer", "names a customer's line"),
    ("customers", "names a customer's line"),
    ("broadband", "names a customer's line"),
    ("ftth", "names a customer's line (fibre)"),
    ("fttx", "names a customer's line (fibre)"),
    ("gpon", "names a customer's line (fibre)"),
    ("residential", "names a customer's line"),
    ("subscriber", "names a customer's line"),
    ("wlan", "names a wireless line"),
    ("gprs", "names a mobile line"),
    ("mobile", "names a mobile line"),
];

/// Words of lines that stay with one customer.
const LASTING: [&str; 2] = ["static", "fixed"];

/// Beginnings of names that mail servers have.
const MAIL_HOSTS: [&str; 8] = ["mail", "smtp", "mx", "mta", "out", "outbound", "relay", "mailout"];

/// The labels before the organizational domain, as text.
fn host_part(name: &Name) -> String {
    let keep = name.labels().count() - organizational_domain(name).labels().count();
    let labels: Vec<_> = name.labels().take(keep).map(String::from_utf8_lossy).collect();
    labels.join(".")
}

/// Whether the name has its own address in it, or one like it.
pub(super) fn has_address(name: &Name, address: IpAddr) -> Option<&'static str> {
    let host = host_part(name);
    let found = match address.to_canonical() {
        IpAddr::V4(address) => {
            let octets = address.octets();
            let hexadecimal = address.to_bits();
            has_octets(&host, octets)
                || has_hexadecimal(&host, &format!("{hexadecimal:08x}"))
                || has_hexadecimal(&host, &format!("{:08x}", hexadecimal.swap_bytes()))
                || has_digits(&host, &octets.map(|octet| format!("{octet:03}")).concat())
        }
        IpAddr::V6(address) => {
            let groups = address.segments();
            has_groups(&host, groups)
                || has_hexadecimal(&host, &format!("{:032x}", address.to_bits()))
                || has_hexadecimal(&host, &format!("{:016x}", address.to_bits() & u128::from(u64::MAX)))
        }
    };
    if found {
        return Some("is made of its address");
    }
    four_numbers(&host).then_some("is made of an address")
}

/// Whether it has a word of lines that are let to customers.
pub(super) fn has_generic_word(name: &Name) -> Option<&'static str> {
    let host = host_part(name);
    let words = || host.split(|c: char| !c.is_ascii_alphabetic());
    if words().any(|word| LASTING.contains(&word)) {
        return None;
    }
    words().find_map(|word| WORDS.iter().find(|(known, _)| *known == word)).map(|(_, why)| *why)
}

/// Whether one of its parts is what mail servers are called: `mail`, `smtp3`, `mx-out`.
pub(super) fn is_mail_host(name: &Name) -> bool {
    let host = host_part(name);
    let mut parts = host.split(['.', '-']).map(|part| part.trim_end_matches(|c: char| c.is_ascii_digit()));
    parts.any(|part| MAIL_HOSTS.contains(&part))
}

/// Three octets of the address in a row, forwards or backwards, whatever stands between them.
fn has_octets(host: &str, octets: [u8; 4]) -> bool {
    let numbers: Vec<Option<u8>> = runs(host, |c| c.is_ascii_digit()).map(|run| run.parse().ok()).collect();
    let [a, b, c, d] = octets.map(Some);
    let rows = [[a, b, c], [b, c, d], [d, c, b], [c, b, a]];
    numbers.windows(3).any(|three| rows.iter().any(|row| three == row))
}

/// Three groups of an IPv6 address in a row, not all of them zero.
fn has_groups(host: &str, groups: [u16; 8]) -> bool {
    let parse = |run: &str| if run.len() <= 4 { u16::from_str_radix(run, 16).ok() } else { None };
    let numbers: Vec<Option<u16>> = runs(host, |c| c.is_ascii_hexdigit()).map(parse).collect();
    let mut rows = groups.windows(3).filter(|row| row.iter().filter(|group| **group != 0).count() >= 2);
    rows.any(|row| numbers.windows(3).any(|three| three.iter().zip(row).all(|(found, group)| *found == Some(*group))))
}

fn has_hexadecimal(host: &str, address: &str) -> bool {
    // An address like 0.0.0.1 is in many a word.
    address.trim_matches('0').len() >= 4 && runs(host, |c| c.is_ascii_hexdigit()).any(|run| run.contains(address))
}

fn has_digits(host: &str, address: &str) -> bool {
    runs(host, |c| c.is_ascii_digit()).any(|run| run == address)
}

/// Four numbers up to 255 with one hyphen or dot between each: the address of somebody, once.
fn four_numbers(host: &str) -> bool {
    let mut row = 0;
    for part in host.split(['-', '.']) {
        // `host192-0-2-1` and `192-0-2-1x` too.
        let digits = if row == 0 { part.trim_start_matches(|c: char| c.is_ascii_alphabetic()) } else { part };
        let lasts = digits.parse::<u8>().is_ok() && digits.bytes().all(|b| b.is_ascii_digit());
        row = if lasts { row + 1 } else { 0 };
        if row == 4 {
            return true;
        }
    }
    false
}

/// The longest runs of such characters.
fn runs(text: &str, of: impl Fn(char) -> bool) -> impl Iterator<Item = &str> {
    text.split(move |c: char| !of(c)).filter(|run| !run.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, address: &str, expected: &str) {
        let name = Name::parse(name).unwrap();
        let found = if has_address(&name, address.parse().unwrap()).is_some() {
            "address"
        } else if is_mail_host(&name) {
            "mail"
        } else if has_generic_word(&name).is_some() {
            "word"
        } else {
            "plain"
        };
        assert_eq!(found, expected, "{name} {address}");
    }

    #[test]
    fn names_are_told_apart() {
        let cases = [
            // Made of the address, in the ways that networks do it.
            ("192-0-2-77.isp.example", "192.0.2.77", "address"),
            ("77.2.0.192.isp.example", "192.0.2.77", "address"),
            ("host77-2-0.isp.example", "192.0.2.77", "address"),
            ("p192x0x2x77.isp.example", "192.0.2.77", "address"),
            ("192-000-002-077.isp.example", "192.0.2.77", "address"),
            ("192000002077.isp.example", "192.0.2.77", "address"),
            ("c000024d.isp.example", "192.0.2.77", "address"),
            ("x4d0200c0.isp.example", "192.0.2.77", "address"),
            ("ip-c000024d-x.isp.example", "192.0.2.77", "address"),
            ("static-192-0-2-77.isp.example", "192.0.2.77", "address"),
            ("mail-192-0-2-77.isp.example", "192.0.2.77", "address"),
            ("10-1-2-3.old-pool.isp.example", "192.0.2.77", "address"),
            ("2001-db8-1-2--77.isp.example", "2001:db8:1:2::77", "address"),
            ("20010db8000100020000000000000077.isp.example", "2001:db8:1:2::77", "address"),
            ("x-021122fffe334455.isp.example", "2001:db8::211:22ff:fe33:4455", "address"),
            ("7.7.0.0.isp.example", "2001:db8::77", "address"),
            // Not made of it.
            ("mx2.dc0.isp.example", "192.0.2.77", "mail"),
            ("web02.isp.example", "192.0.2.77", "plain"),
            ("deadbeef.isp.example", "192.0.2.77", "plain"),
            ("0-0-0.isp.example", "2001:db8::1", "plain"),
            ("00000001.isp.example", "0.0.0.1", "plain"),
            // Mail servers.
            ("mail.sender.example", "192.0.2.77", "mail"),
            ("smtp-out7.sender.example", "192.0.2.77", "mail"),
            ("eu-mta12.sender.example", "192.0.2.77", "mail"),
            ("relay.cust.isp.example", "192.0.2.77", "mail"),
            ("mailbox.sender.example", "192.0.2.77", "plain"),
            ("mail.example", "192.0.2.77", "plain"),
            ("without.example", "192.0.2.77", "plain"),
            // Words.
            ("abc.dsl.isp.example", "192.0.2.77", "word"),
            ("adsl17.isp.example", "192.0.2.77", "word"),
            ("x.dyn.isp.example", "192.0.2.77", "word"),
            ("pool-7.isp.example", "192.0.2.77", "word"),
            ("a.cust.isp.example", "192.0.2.77", "word"),
            ("static.dsl.isp.example", "192.0.2.77", "plain"),
            ("www.cable.co.uk", "192.0.2.77", "plain"),
            ("dsl.example", "192.0.2.77", "plain"),
            ("dynamics.isp.example", "192.0.2.77", "plain"),
            ("liverpool.isp.example", "192.0.2.77", "plain"),
            // Odd, but no reason to stumble.
            (r"\000\255.isp.example", "192.0.2.77", "plain"),
            ("com", "192.0.2.77", "plain"),
            (".", "192.0.2.77", "plain"),
        ];
        for (name, address, expected) in cases {
            check(name, address, expected);
        }
    }

    #[test]
    fn every_word_counts() {
        for (word, why) in WORDS {
            assert_eq!(has_generic_word(&Name::parse(&format!("a.{word}.isp.example")).unwrap()), Some(why));
        }
    }
}
