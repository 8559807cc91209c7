//! Known mail services: who they are, and by which evidence their mail is told.
//!
//! In: the bundled `data/services.toml`, a file of the operator's over it, and evidence about a source. Out: the services that match,
//! each with what matched. Never by a name that does not lead back, never by a name alone that somebody else could write.

mod read;

use std::collections::HashMap;

use dns::Name;
use serde::{Deserialize, Serialize};

pub use read::{CatalogueError, CatalogueLimits};

/// What a service does with mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceKind {
    /// Mailboxes of people and companies; forwards for them too.
    MailboxProvider,
    /// Sends campaigns for its customers.
    Marketing,
    /// Sends single messages for its customers' programs.
    Transactional,
    /// Does something else, and sends mail about it, often in its customers' names.
    Saas,
    /// Takes other people's mail in, looks at it, and hands it on.
    SecurityGateway,
    /// Mailing lists.
    ListHost,
    /// Websites and their mail.
    WebHost,
    /// Lines and mailboxes of households.
    Isp,
    /// Schools, universities, and the networks between them.
    Education,
    /// Forwards mail and keeps none.
    Forwarder,
}

/// One mail service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Short and lasting: what is stored.
    pub id: String,
    /// For people.
    pub name: String,
    /// What it does.
    pub kind: ServiceKind,
    /// Names of its sending hosts: a name and all below it; `mail-*.example.com` is a beginning of the label below.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Domains that it signs with by its own keys.
    #[serde(default)]
    pub dkim: Vec<String>,
    /// Domains in its own MAIL FROM addresses.
    #[serde(default)]
    pub mail_from: Vec<String>,
    /// Names that its customers include in their SPF records.
    #[serde(default)]
    pub spf_include: Vec<String>,
    /// Where it publishes this.
    pub source: String,
}

/// What about a source showed a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// A name of the source that leads back to it: the source is the service's own.
    Host,
    /// SPF passed for a MAIL FROM domain of the service: it says that the source sends for it.
    MailFrom,
    /// A signature of the service passed: the *message* was there. The source may be a forwarder.
    Dkim,
}

/// A service that matched, and by what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceMatch {
    /// Its id.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// What it does.
    pub kind: ServiceKind,
    /// What showed it; the strongest, where several did.
    pub by: Shown,
    /// The name or domain that did.
    pub found: String,
}

impl ServiceMatch {
    /// Whether the source itself is the service's, not only a message that came through it.
    #[must_use]
    pub const fn is_operator(&self) -> bool {
        matches!(self.by, Shown::Host | Shown::MailFrom)
    }
}

/// Known mail services, ready to be asked.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    services: Vec<Service>,
    hosts: Index,
    dkim: Index,
    mail_from: Index,
    spf_include: Index,
}

/// Names with the services that have them: a name and all below it.
#[derive(Debug, Clone, Default)]
struct Index(HashMap<Name, Vec<Entry>>);

#[derive(Debug, Clone)]
struct Entry {
    service: usize,
    /// How the label below the name must begin; any name fits otherwise.
    begins: Option<Box<[u8]>>,
}

impl Index {
    /// The services of the longest pattern that a name fits.
    fn find(&self, name: &Name) -> impl Iterator<Item = usize> {
        let labels: Vec<&[u8]> = name.labels().collect();
        let fits = |entry: &&Entry, depth: usize| {
            let below = depth.checked_sub(1).and_then(|at| labels.get(at));
            entry.begins.as_deref().is_none_or(|begins| below.is_some_and(|label| label.starts_with(begins)))
        };
        let mut found = Vec::new();
        for (depth, ancestor) in name.ancestors().enumerate() {
            let Some(entries) = self.0.get(&ancestor) else { continue };
            found.extend(entries.iter().filter(|entry| fits(entry, depth)).map(|entry| entry.service));
            if !found.is_empty() {
                break;
            }
        }
        found.into_iter()
    }
}

impl Catalogue {
    /// All services, in the order of their ids.
    #[must_use]
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// One service by its id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Service> {
        self.services.binary_search_by(|service| service.id.as_str().cmp(id)).ok().map(|at| &self.services[at])
    }

    /// The service that a confirmed name of a source belongs to.
    #[must_use]
    pub fn by_host(&self, name: &Name) -> Option<&Service> {
        self.hosts.find(name).next().map(|at| &self.services[at])
    }

    /// The service whose SPF records this name is: what an `include:` of a customer means.
    #[must_use]
    pub fn by_spf_include(&self, name: &Name) -> Option<&Service> {
        self.spf_include.find(name).next().map(|at| &self.services[at])
    }

    /// The services behind a source: its **confirmed** names, and the domains for which DKIM and SPF **passed** there.
    ///
    /// Each service once, by the strongest of what showed it; those that the source belongs to come first. What is no name is left out.
    #[must_use]
    pub fn find(&self, confirmed: &[String], dkim_passed: &[String], spf_passed: &[String]) -> Vec<ServiceMatch> {
        let mut matches: Vec<ServiceMatch> = Vec::new();
        let evidence = [
            (Shown::Host, &self.hosts, confirmed),
            (Shown::MailFrom, &self.mail_from, spf_passed),
            (Shown::Dkim, &self.dkim, dkim_passed),
        ];
        for (by, index, found) in evidence {
            for text in found {
                let Ok(name) = Name::parse(text) else { continue };
                for at in index.find(&name) {
                    let Service { id, name, kind, .. } = &self.services[at];
                    if !matches.iter().any(|other| other.id == *id) {
                        let (id, name, found) = (id.clone(), name.clone(), text.clone());
                        matches.push(ServiceMatch { id, name, kind: *kind, by, found });
                    }
                }
            }
        }
        matches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = r#"
[[service]]
id = "bulk"
name = "Bulk"
kind = "marketing"
hosts = ["out.bulk.example", "bulk-mail.example"]
dkim = ["bulk.example"]
mail_from = ["bounce.bulk.example"]
spf_include = ["spf.bulk.example"]
source = "its handbook"

[[service]]
id = "people"
name = "People Mail"
kind = "mailbox_provider"
hosts = ["mail-*.people.example"]
dkim = ["people.example"]
source = "its handbook"
"#;

    /// Why; confirmed names, DKIM domains, SPF domains; services with what showed them, and whether the source is theirs.
    type Case<'a> = (&'a str, &'a [&'a str], &'a [&'a str], &'a [&'a str], &'a [(&'a str, Shown, bool)]);

    fn strings(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn services_are_found_by_what_passed() {
        let catalogue = Catalogue::read(OURS, CatalogueLimits::default()).unwrap();
        let cases: &[Case<'_>] = &[
            ("nothing", &[], &[], &[], &[]),
            ("a host", &["a.out.bulk.example"], &[], &[], &[("bulk", Shown::Host, true)]),
            ("the name itself, in capitals", &["OUT.Bulk.Example"], &[], &[], &[("bulk", Shown::Host, true)]),
            ("not another label with the same end", &["shout.bulk.example"], &[], &[], &[]),
            ("not a name above", &["bulk.example"], &[], &[], &[]),
            ("not a name with it in front", &["out.bulk.example.evil.example"], &[], &[], &[]),
            ("a beginning", &["mail-7.people.example"], &[], &[], &[("people", Shown::Host, true)]),
            ("below it", &["x.mail-7.people.example"], &[], &[], &[("people", Shown::Host, true)]),
            ("another beginning: a customer's machine", &["vm-7.people.example"], &[], &[], &[]),
            ("a beginning needs a label", &["people.example"], &[], &[], &[]),
            (
                "a signature shows the message, not the source",
                &[],
                &["bulk.example"],
                &[],
                &[("bulk", Shown::Dkim, false)],
            ),
            ("below a signing domain", &[], &["eu.bulk.example"], &[], &[("bulk", Shown::Dkim, false)]),
            ("SPF", &[], &[], &["bounce.bulk.example"], &[("bulk", Shown::MailFrom, true)]),
            ("SPF for a customer's domain", &[], &[], &["customer.example"], &[]),
            (
                "each once, by the strongest",
                &["out.bulk.example"],
                &["bulk.example"],
                &["bounce.bulk.example"],
                &[("bulk", Shown::Host, true)],
            ),
            (
                "one behind the other",
                &["mail-1.people.example"],
                &["bulk.example"],
                &[],
                &[("people", Shown::Host, true), ("bulk", Shown::Dkim, false)],
            ),
            ("what is no name", &["", "..", "a b"], &["\u{0}"], &[&"x".repeat(300)], &[]),
        ];
        for (why, hosts, dkim, spf, expected) in cases {
            let found = catalogue.find(&strings(hosts), &strings(dkim), &strings(spf));
            let found: Vec<_> = found.iter().map(|m| (m.id.as_str(), m.by, m.is_operator())).collect();
            assert_eq!(found, *expected, "{why}");
        }
        let include = catalogue.by_spf_include(&Name::parse("spf.bulk.example").unwrap());
        assert_eq!(include.map(|service| service.id.as_str()), Some("bulk"));
    }

    #[test]
    fn the_bundled_services_are_told_by_their_hosts() {
        let catalogue = Catalogue::bundled();
        let cases = [
            ("mail-yw1-f170.google.com", Some("google")),
            ("12.34.bc.googleusercontent.com", None),
            ("mail-db8eur05on2071.outbound.protection.outlook.com", Some("microsoft-365")),
            ("a10-20.smtp-out.amazonses.com", Some("amazon-ses")),
            ("ec2-192-0-2-1.compute-1.amazonaws.com", None),
            ("o1.sg.outbound-mail.sendgrid.net", Some("sendgrid")),
            ("mx0a-00123401.pphosted.com", Some("proofpoint")),
            ("amazonses.com.attacker.example", None),
        ];
        for (name, expected) in cases {
            let found = catalogue.by_host(&Name::parse(name).unwrap()).map(|service| service.id.as_str());
            assert_eq!(found, expected, "{name}");
        }
    }
}
