//! The company's domains, and the DMARC record of each over the story.
//!
//! In: nothing. Out: domains; for an author domain and a day, the record that a receiver finds. All names end in `.example` or `.test`
//! (RFC 2606) and are invented. RFC 7489 §6.3, RFC 9989 §4.7 (the tags).

use std::fmt::Write as _;

use report::{Alignment, Policy, Text};
use serde::Serialize;

use crate::story;

/// What a domain is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// The one everybody knows.
    Primary,
    /// A part of the primary domain.
    Subdomain,
    /// A subsidiary that sends mail.
    Subsidiary,
    /// Kept so that nobody else has it; sends nothing.
    Parked,
    /// Does not exist; only spoofers use it.
    Invented,
}

/// A DMARC record.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Record {
    pub(crate) p: Option<Policy>,
    pub(crate) sp: Option<Policy>,
    pub(crate) np: Option<Policy>,
    pub(crate) adkim: Option<Alignment>,
    pub(crate) aspf: Option<Alignment>,
    pub(crate) pct: Option<u8>,
    pub(crate) testing: bool,
    pub(crate) fo: Option<Text>,
}

impl Record {
    pub(crate) fn of(p: Policy) -> Self {
        Self { p: Some(p), ..Self::default() }
    }

    /// As it stands in DNS.
    pub(crate) fn text(&self, rua: &str) -> String {
        let mut text = "v=DMARC1".to_owned();
        let mut tag = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                let _ = write!(text, "; {name}={value}");
            }
        };
        tag("p", self.p.map(Policy::word));
        tag("sp", self.sp.map(Policy::word));
        tag("np", self.np.map(Policy::word));
        tag("adkim", self.adkim.map(Alignment::word));
        tag("aspf", self.aspf.map(Alignment::word));
        tag("t", self.testing.then_some("y"));
        tag("pct", self.pct.map(|pct| pct.to_string()).as_deref());
        tag("fo", self.fo.as_deref());
        tag("rua", Some(&format!("mailto:{rua}")));
        text
    }
}

/// One domain.
#[derive(Debug, Clone)]
pub(crate) struct Domain {
    pub(crate) name: Text,
    pub(crate) role: Role,
    /// From which day of the story which record stands at `_dmarc`; empty where there is none.
    pub(crate) records: Vec<(i32, Record)>,
}

/// What a receiver finds for an author domain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<'a> {
    /// Where the record is.
    pub(crate) policy_domain: usize,
    pub(crate) record: &'a Record,
    /// What it asks for this author domain, for receivers that do not know `np`.
    pub(crate) asks: Policy,
    /// The same for receivers that do.
    pub(crate) asks_np: Policy,
}

/// All domains.
#[derive(Debug, Clone)]
pub(crate) struct Estate {
    pub(crate) domains: Vec<Domain>,
    /// Where aggregate reports are to go.
    pub(crate) rua: Text,
}

impl Estate {
    /// The index of a domain that is known to be there.
    pub(crate) fn index(&self, name: &str) -> usize {
        self.domains.iter().position(|domain| domain.name == name).unwrap_or_default()
    }

    /// The record that applies to an author domain; `None` before there is one. `story` may be a day behind for receivers with old
    /// answers in their cache.
    pub(crate) fn find(&self, author: usize, story: i32) -> Option<Found<'_>> {
        let domain = &self.domains[author];
        if let Some(record) = in_force(&domain.records, story) {
            let p = record.p.unwrap_or(Policy::None);
            return Some(Found { policy_domain: author, record, asks: p, asks_np: p });
        }
        let parent = self.domains.iter().position(|d| d.name == organizational(&domain.name))?;
        let record = in_force(&self.domains[parent].records, story)?;
        let asks = record.sp.or(record.p).unwrap_or(Policy::None);
        // RFC 9989 §4.7, np: for names that do not exist; without it `sp` is used.
        let asks_np = if domain.role == Role::Invented { record.np.unwrap_or(asks) } else { asks };
        Some(Found { policy_domain: parent, record, asks, asks_np })
    }
}

fn in_force(records: &[(i32, Record)], story: i32) -> Option<&Record> {
    records.iter().rev().find(|(from, _)| *from <= story).map(|(_, record)| record)
}

/// The organizational domain of a name in this world, where every top-level label is a public suffix and no other is.
pub(crate) fn organizational(name: &str) -> &str {
    let mut dots = name.rmatch_indices('.').map(|(at, _)| at);
    match (dots.next(), dots.next()) {
        (Some(_), Some(second)) => &name[second + 1..],
        _ => name,
    }
}

/// Domains that send nothing, and since which day of the story they say so with `p=reject`; 0 is from before it.
const PARKED: [(&str, i32); 11] = [
    ("haldenworks.example", 0),
    ("halden-works.example", 0),
    ("halden-group.test", 0),
    ("haldenworks.test", 0),
    ("halden-career.example", 27),
    ("halden-invest.example", 0),
    ("haldencloud.example", 0),
    ("halden-spares.test", 27),
    ("norrvik-marine.example", 0),
    ("tellusmetrics.test", 0),
    ("solhemhomes.example", 34),
];

/// Subdomains of the primary domain that appear as author domains, without records of their own.
const SUBDOMAINS: [&str; 7] = [
    "corp.halden.example",
    "notify.halden.example",
    "labs.halden.example",
    "hpc.halden.example",
    "plant-gavle.halden.example",
    "fax.halden.example",
    "service.halden.example",
];

/// Subdomains that spoofers made up.
const INVENTED: [&str; 4] =
    ["hr-portal.halden.example", "secure.halden.example", "accounts.halden.example", "mail-halden.norrvik.example"];

/// The domains of the story.
pub(crate) fn estate() -> Estate {
    use Policy::{None, Quarantine, Reject};
    let fo = |fo: &str| Some(Text::new(fo));
    let named = |name: &str, role, records: Vec<(i32, Record)>| Domain { name: name.into(), role, records };
    let primary = vec![
        (i32::MIN, Record { fo: fo("1"), ..Record::of(None) }),
        (story::NP_PUBLISHED, Record { sp: Some(None), np: Some(Reject), fo: fo("1"), ..Record::of(None) }),
        (
            story::QUARANTINE_TESTED,
            Record {
                sp: Some(None),
                np: Some(Reject),
                fo: fo("1"),
                testing: true,
                pct: Some(0),
                ..Record::of(Quarantine)
            },
        ),
    ];
    let customers =
        vec![(story::DELEGATED, Record::of(Quarantine)), (75, Record { fo: fo("1"), ..Record::of(Reject) })];
    let norrvik = vec![
        (i32::MIN, Record { sp: Some(None), ..Record::of(None) }),
        (45, Record { pct: Some(10), ..Record::of(Quarantine) }),
        (59, Record { pct: Some(50), ..Record::of(Quarantine) }),
        (73, Record::of(Quarantine)),
    ];
    let strict = Some(Alignment::Strict);
    let tellus = vec![(i32::MIN, Record::of(Quarantine)), (66, Record { adkim: strict, ..Record::of(Reject) })];
    let solhem = vec![(i32::MIN, Record::of(None))];
    let averin = vec![(story::AVERIN_BOUGHT, Record { fo: fo("1:d:s"), ..Record::of(None) })];
    let mut domains = vec![
        named("halden.example", Role::Primary, primary),
        named("email.halden.example", Role::Subdomain, customers),
        named("norrvik.example", Role::Subsidiary, norrvik),
        named("tellus.example", Role::Subsidiary, tellus),
        named("solhem.example", Role::Subsidiary, solhem),
        named("averin.test", Role::Subsidiary, averin),
    ];
    domains.extend(SUBDOMAINS.map(|name| named(name, Role::Subdomain, Vec::new())));
    domains.extend(INVENTED.map(|name| named(name, Role::Invented, Vec::new())));
    domains.extend(PARKED.map(|(name, since)| {
        let reject = Record { sp: Some(Reject), adkim: strict, aspf: strict, ..Record::of(Reject) };
        let before = (i32::MIN, Record::of(None));
        named(name, Role::Parked, if since == 0 { vec![(i32::MIN, reject)] } else { vec![before, (since, reject)] })
    }));
    Estate { domains, rua: "dmarc-rua@halden.example".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_found_as_receivers_find_it() {
        let estate = estate();
        let cases = [
            (
                "the primary domain in October",
                "halden.example",
                0,
                Some(("halden.example", Policy::None, Policy::None)),
            ),
            (
                "before its own record a subdomain inherits",
                "email.halden.example",
                3,
                Some(("halden.example", Policy::None, Policy::None)),
            ),
            (
                "then it has its own",
                "email.halden.example",
                80,
                Some(("email.halden.example", Policy::Reject, Policy::Reject)),
            ),
            ("a subdomain gets sp", "labs.halden.example", 85, Some(("halden.example", Policy::None, Policy::None))),
            (
                "a name that is not there gets np",
                "secure.halden.example",
                85,
                Some(("halden.example", Policy::None, Policy::Reject)),
            ),
            ("np is not there yet", "secure.halden.example", 3, Some(("halden.example", Policy::None, Policy::None))),
            (
                "an invented name elsewhere",
                "mail-halden.norrvik.example",
                85,
                Some(("norrvik.example", Policy::Quarantine, Policy::Quarantine)),
            ),
            (
                "a parked domain",
                "haldencloud.example",
                3,
                Some(("haldencloud.example", Policy::Reject, Policy::Reject)),
            ),
            ("a company not bought yet", "averin.test", 3, None),
        ];
        for (why, author, day, expected) in cases {
            let found = estate.find(estate.index(author), day);
            let found = found.map(|f| (estate.domains[f.policy_domain].name.as_str(), f.asks, f.asks_np));
            assert_eq!(found, expected, "{why}");
        }
    }

    #[test]
    fn records_are_written_as_in_dns() {
        let estate = estate();
        let found = estate.find(0, 85).unwrap();
        assert_eq!(
            found.record.text(&estate.rua),
            "v=DMARC1; p=quarantine; sp=none; np=reject; t=y; pct=0; fo=1; rua=mailto:dmarc-rua@halden.example"
        );
    }
}
