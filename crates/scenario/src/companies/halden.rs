//! Halden Works: who is behind its addresses, and what its DNS says. Its mail is told in `cast`.

use std::collections::BTreeSet;

use report::{AuthResult, Text};

use super::{Company, access};
use crate::book::{Book, Cidr, Service};
use crate::cast::{cast, helo_names, known_services};
use crate::estate::{Estate, Role, estate, organizational};
use crate::flow::{Envelope, Flow, Who};
use crate::records::{ALWAYS, Records};
use crate::reporter::reporters;
use crate::story;
use crate::traffic::World;

pub(super) fn world(seed: u64, scale: f64) -> World {
    let estate = estate();
    let flows = cast(&estate, seed);
    let company = Company {
        name: "Halden Works".into(),
        about: "A manufacturer with two data centres, four subsidiaries, eleven parked domains, and more machines than anybody has counted."
            .into(),
        networks: ["198.18.0.0/16", "2001:db8:4a1::/48"].iter().filter_map(|range| Cidr::parse(range)).collect(),
        over_limit: vec![("halden.example".into(), story::SPF_TRIMMED)],
        broken_spf: Vec::new(),
        planted: Vec::new(),
        book: book(&flows),
        records: records(&estate, &flows),
        events: events(),
        people: 1_200,
    };
    World { seed, scale, company, estate, flows, reporters: reporters() }
}

fn events() -> Vec<(i32, Text)> {
    [
        (story::SPF_TRIMMED, "SPF of halden.example trimmed from 14 look-ups to 9"),
        (story::HELO_PUBLISHED, "SPF for 18 HELO names: bounces authenticate"),
        (story::NP_PUBLISHED, "sp=none and np=reject published"),
        (story::AVERIN_BOUGHT, "averin.test bought; its first DMARC record published"),
        (story::DELEGATED, "email.halden.example delegated; services move to it"),
        (story::CAMPAIGN, "an unannounced mailing of Brand Marketing"),
        (story::KEY_ROTATED, "s2026a signs at the first hosts"),
        (story::NEW_ADDRESS, "Deskpilot sends from a new address"),
        (story::QUARANTINE_TESTED, "p=quarantine; t=y; pct=0 published"),
        (story::NEW_PRINTER, "a new printer sends past the relay"),
    ]
    .map(|(day, what)| (day, what.into()))
    .into()
}

/// Look-ups of the apex record before it was trimmed, in order; the second site stands behind them all.
const INCLUDES: [&str; 14] = [
    "_spf.bigoffice.example",
    "_spf.paperplane.example",
    "_spf.deskpilot.example",
    "_spf.pipelane.example",
    "_spf.hirewell.example",
    "_spf.askbird.example",
    "_spf.roomly.example",
    "_spf.kurslandet.test",
    "_spf.nimbus.example",
    "_spf.signoria.example",
    "_spf.newswire.test",
    "_spf.oldagency.test",
    "_spf.faktura-direkt.example",
    "_spf.pulsewatch.example",
];

fn records(estate: &Estate, flows: &[Flow]) -> Records {
    let mut records = Records::default();
    let spf = |includes: &[&str]| {
        let includes = includes.join(" include:");
        format!("v=spf1 ip4:198.18.10.0/24 ip6:2001:db8:4a1:10::/64 include:{includes} ip4:198.18.42.0/24 ~all")
    };
    records.txt("halden.example", ALWAYS, spf(&INCLUDES));
    records.txt("halden.example", story::SPF_TRIMMED, spf(&INCLUDES[..9]));
    records.txt("_spf.bigoffice.example", ALWAYS, "v=spf1 ip4:198.19.200.0/24 ~all");
    records.txt("_spf.oldagency.test", ALWAYS, "v=spf1 ip4:198.19.250.0/24 ~all");
    for name in helo_names().into_iter().collect::<BTreeSet<_>>() {
        records.txt(name, story::HELO_PUBLISHED, "v=spf1 a -all");
    }
    for (selector, bits, from) in [("s2021", 1024, story::KEY_OF_2021), ("2023q2", 2048, story::KEY_OF_2023)] {
        records.key_bits("halden.example", selector, bits);
        records.key("halden.example", selector, from, 0);
    }
    records.key("halden.example", "s2026a", story::KEY_ROTATED - 1, 0);
    records.key("solhem.example", "sol1", 36, 0);
    for domain in estate.domains.iter().filter(|domain| domain.role == Role::Subdomain) {
        let nobody = flows.iter().any(|flow| {
            let writes = flow.authors.iter().any(|(at, _)| estate.domains[*at].name == domain.name);
            let parts = || flow.phases.iter().flat_map(|phase| &phase.mix);
            let none = |part: &crate::flow::Authentication| {
                part.envelope == Envelope::Domain(Who::Author) && part.spf == AuthResult::None
            };
            writes && parts().any(none)
        });
        // Where receivers found nothing, nothing stands.
        if !nobody {
            records.txt(domain.name.clone(), ALWAYS, "v=spf1 ~all");
        }
    }
    records
}

fn book(flows: &[Flow]) -> Book {
    let mut book = Book::default();
    for range in ["198.18.0.0/16", "2001:db8:4a1::/48"].iter().filter_map(|range| Cidr::parse(range)) {
        book.net(range, "Halden Works", "halden.example");
    }
    for (name, domain, kind) in known_services() {
        let include = if INCLUDES.iter().any(|i| i.strip_prefix("_spf.") == Some(domain)) {
            Text::new(format!("_spf.{domain}"))
        } else {
            Text::default()
        };
        book.service(
            Text::new(domain.replace('.', "-")),
            Service { name: name.into(), kind, domain: domain.into(), include },
        );
    }
    for flow in flows {
        names(&mut book, flow);
    }
    book
}

/// Whose addresses a flow has.
fn names(book: &mut Book, flow: &Flow) {
    let all = &flow.addresses.all;
    let (kind, rest) = flow.id.split_once('-').unwrap_or((&flow.id, ""));
    match (kind, rest) {
        ("own", _) => {
            for (address, name) in all.iter().zip(hosts_of_site(flow)) {
                book.name(*address, name, true);
            }
        }
        ("stray", _) => {
            // Half of the machines on the inside have a name that anybody can ask for.
            if crate::random::hash(&flow.id).is_multiple_of(2) {
                book.hosts(all, &format!("{rest}-"), "corp.halden.example");
            }
        }
        ("tellus", _) => {
            book.nets_around(all, "BigOffice", "bigoffice.example");
            book.hosts(all, "mail-tel", "outbound.protection.bigoffice.example");
        }
        ("averin", _) => {
            book.nets_around(all, "Averin Hosting", "averin-hosting.test");
            book.hosts(all, "mx", "averin-hosting.test");
        }
        ("norrvik" | "solhem", "corporate" | "ship-links") => {
            book.hosts(all, if rest == "corporate" { "mail" } else { "sat" }, &format!("{kind}.example"));
        }
        ("unidentified", _) => unidentified(book, rest, all),
        ("spoof", _) => hostile(book, rest, flow),
        _ => mediator_or_service(book, flow),
    }
}

fn hosts_of_site(flow: &Flow) -> Vec<Text> {
    let names = helo_names();
    match flow.id.as_str() {
        id if id.ends_with("site-b") => names[16..].to_vec(),
        _ => names,
    }
}

fn mediator_or_service(book: &mut Book, flow: &Flow) {
    let all = &flow.addresses.all;
    let Some(service) = flow.service.as_deref() else { return };
    // Mediators are called by the domain of their hosts.
    if flow.mediator.is_some() {
        let wide = all.len() > 20;
        for address in all {
            let bits = if wide && address.is_ipv4() { 16 } else { 24 };
            let domain = organizational(service);
            book.net(Cidr::around(*address, if address.is_ipv4() { bits } else { 48 }), domain, domain);
        }
        if all.len() == 1 { book.name(all[0], service, true) } else { book.hosts(all, "out", service) }
    } else if let Some((name, domain, _)) = known_services().find(|(name, ..)| *name == service) {
        book.nets_around(all, name, domain);
        for address in all {
            let last = address.to_string().rsplit(['.', ':']).next().unwrap_or_default().to_owned();
            book.name(*address, format!("mta{last}.{domain}"), true);
        }
    }
}

fn unidentified(book: &mut Book, who: &str, all: &[std::net::IpAddr]) {
    match who {
        "web-forms" => {
            for address in all {
                book.net(Cidr::around(*address, 18), "Hostpark", "hostpark.example");
            }
            book.hosts(all, "web", "hostpark.example");
        }
        "old-agency" => {
            book.nets_around(all, "Pixelbureau", "pixelbureau.example");
            book.hosts(all, "mailer", "pixelbureau.example");
        }
        "plant-supplier" => {
            book.nets_around(all, "Supplier Parts", "supplier-parts.test");
            book.hosts(all, "mail", "supplier-parts.test");
        }
        _ => access::lines(book, all, 16),
    }
}

fn hostile(book: &mut Book, who: &str, flow: &Flow) {
    let all = &flow.addresses.all;
    match who {
        "loud-1" | "loud-2" => {
            book.nets_around(all, "Bulletproof Racks", "bulletproof-racks.test");
            book.list(Cidr::around(all[0], 24), "SBL900113");
        }
        // Says that it is a host of the provider next door; the name does not lead back.
        "loud-3" | "loud-4" => {
            book.nets_around(all, "Cheap Racks", "cheap-racks.test");
            for (address, n) in all.iter().zip(1..) {
                book.name(*address, format!("mail-tel{n}.outbound.protection.bigoffice.example"), false);
            }
        }
        "rented-server" => {
            book.nets_around(all, "Cheap Racks", "cheap-racks.test");
            book.name(all[0], "vps-77.cheap-racks.test", true);
        }
        "fake-bounces" => book.nets_around(all, "Bulletproof Racks", "bulletproof-racks.test"),
        "snowshoe-deals" => {
            book.nets_around(all, "Bright Deals", "bright-deals.test");
            book.hosts(all, "m", "bright-deals.test");
            book.list(Cidr::around(all[0], 24), "SBL900192");
        }
        "snowshoe-invoices" => {
            book.nets_around(all, "Invoice Portal", "invoice-portal.test");
            book.hosts(all, "host", "invoice-portal.test");
        }
        "copied-signature" | "loud-v6" => book.nets_around(all, "Cheap Racks", "cheap-racks.test"),
        _ => access::lines(book, all, 16),
    }
}
