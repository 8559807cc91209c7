//! What a domain publishes about its mail, and what is wrong with it: severity, place and remedy of each finding.
//!
//! | module | holds |
//! | --- | --- |
//! | `finding` | a finding: how bad, about what, where, what to do |
//! | `spf` | the tree of SPF records: lookups, voids, ranges |
//! | `dmarc` | the policy that counts for the domain, and who may receive its reports |
//! | `dkim` | the keys at known selectors |
//! | `mail` | where mail for the domain goes, and how: MX, MTA-STS, TLS-RPT |
//! | `parked` | what a domain without mail should publish |
//! | `text`, `json` | all of it for people and for programs |
//!
//! In: a domain and a [`dns::Lookup`]. Out: a [`Lint`]. No sockets, no files, no clock: what is not in DNS (the policy file of MTA-STS)
//! is not looked at, and that is said.

mod dkim;
mod dmarc;
mod finding;
mod json;
mod mail;
mod parked;
mod spf;
mod text;

pub use dkim::{Selector, SelectorState};
pub use finding::{About, Finding, Place, Severity};
pub use mail::Mail;

use dns::{Lookup, Name, RecordType, Response};

use crate::finding::Findings;

/// What to look at beyond the domain itself.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// DKIM selectors that the domain is known to use: a key that is missing there is a finding. Usual names are tried besides.
    pub selectors: Vec<String>,
}

/// What a domain publishes.
#[derive(Debug)]
pub struct Lint {
    /// Which domain.
    pub domain: Name,
    /// Its SPF.
    pub spf: ::spf::Survey,
    /// Its DMARC: the policy that counts for it, and how that was found.
    pub dmarc: ::dmarc::Discovery,
    /// Its DKIM keys, as far as their names are known.
    pub dkim: Vec<Selector>,
    /// Where its mail goes.
    pub mail: Mail,
    /// What there is to say, the worst first.
    pub findings: Vec<Finding>,
}

/// Looks at a domain.
pub async fn lint<L: Lookup>(lookup: &L, domain: &Name, settings: &Settings) -> Lint {
    let mut findings = Vec::new();
    let spf = spf::look(lookup, domain, &mut findings).await;
    let dmarc = dmarc::look(lookup, domain, &mut findings).await;
    let mail = mail::look(lookup, domain, &mut findings).await;
    let dkim = dkim::look(lookup, domain, &settings.selectors, &mut findings).await;
    let signs = dkim.iter().any(|selector| matches!(selector.state, SelectorState::Key { .. }));
    if !signs {
        parked::look(lookup, domain, (&spf, &dmarc, &mail), &mut findings).await;
    }
    // RFC 8020 §2: then nothing is below it either, and what is missing need not be listed.
    if matches!(lookup.lookup(domain, RecordType::A).await, Response::NxDomain { .. }) {
        findings.retain(|finding| finding.about == About::Dmarc);
        Findings { about: About::Name, all: &mut findings }.error(
            "no-such-name",
            format!("{domain} does not exist"),
            "look at the spelling, and whether the domain is still registered",
            None,
        );
    }
    findings.sort_by_key(|finding| finding.severity);
    Lint { domain: domain.clone(), spf, dmarc, dkim, mail, findings }
}
