//! A world of invented sources, and the zone that has their names and listings.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use dns::Zone;
use enrich::{ListDefinition, Source, ZoneList};

/// What a source is made to be; each eighth one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Named like a mail server.
    MailHost,
    /// A known service's.
    Known,
    /// Below a domain of ours.
    Ours,
    /// A customer's line, hijacked.
    Generic,
    /// Claims to be a known service's.
    Forged,
    /// Without a name, and not to send mail.
    Nameless,
    /// Its name server fails.
    Broken,
    /// Fails, and has a good reputation.
    Forwarder,
}

pub(crate) fn kind(number: u32) -> Kind {
    use Kind::{Broken, Forged, Forwarder, Generic, Known, MailHost, Nameless, Ours};
    [MailHost, Known, Ours, Generic, Forged, Nameless, Broken, Forwarder][number as usize % 8]
}

/// RFC 2544's range, for measurements, has room for 131,072.
pub(crate) fn address(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 0).to_bits() + number).into()
}

/// So many sources; all but the first three kinds fail.
pub(crate) fn sources(count: u32) -> impl Iterator<Item = Source> {
    (0..count).map(|number| {
        let failing = !matches!(kind(number), Kind::MailHost | Kind::Known | Kind::Ours);
        Source { failing, ..Source::new(address(number)) }
    })
}

/// The lists that are switched on in this world.
pub(crate) fn lists(open: impl Fn(ListDefinition) -> ZoneList) -> Vec<ZoneList> {
    let on = |list: &ListDefinition| ["spamhaus-zen", "dnswl"].contains(&list.id.as_str());
    ListDefinition::bundled().into_iter().filter(on).map(open).collect()
}

/// Names and listings of so many sources.
pub(crate) fn zone(count: u32) -> Zone {
    let mut text =
        String::from("$TTL 3600\n2.0.0.127.zen.spamhaus.org. A 127.0.0.2\n2.0.0.127.list.dnswl.org. A 127.0.10.0\n");
    for number in 0..count {
        let IpAddr::V4(address) = address(number) else { continue };
        let [a, b, c, d] = address.octets();
        let reversed = format!("{d}.{c}.{b}.{a}");
        let name = match kind(number) {
            Kind::MailHost => Some(format!("mail{number}.sender.example.")),
            Kind::Known => Some(format!("o{number}.outbound-mail.sendgrid.net.")),
            Kind::Ours => Some(format!("host{number}.ours.example.")),
            Kind::Generic => Some(format!("{a}-{b}-{c}-{d}.isp.example.")),
            Kind::Forged => Some(format!("x{number}.outbound-mail.sendgrid.net.")),
            Kind::Forwarder => Some(format!("smtp{number}.forwarder.example.")),
            Kind::Nameless => None,
            Kind::Broken => {
                writeln!(text, ";@ servfail {reversed}.in-addr.arpa.").expect("a string takes it");
                None
            }
        };
        if let Some(name) = name {
            writeln!(text, "{reversed}.in-addr.arpa. PTR {name}").expect("a string takes it");
            let back = if kind(number) == Kind::Forged { "192.0.2.1".to_owned() } else { address.to_string() };
            writeln!(text, "{name} A {back}").expect("a string takes it");
        }
        let listings: &[&str] = match kind(number) {
            Kind::Generic => &["zen.spamhaus.org. A 127.0.0.4", "zen.spamhaus.org. A 127.0.0.10"],
            Kind::Nameless => &["zen.spamhaus.org. A 127.0.0.10"],
            Kind::Forwarder => &["list.dnswl.org. A 127.0.5.2"],
            _ => &[],
        };
        for listing in listings {
            writeln!(text, "{reversed}.{listing}").expect("a string takes it");
        }
    }
    Zone::parse(&text).unwrap_or_else(|error| panic!("{error}"))
}
