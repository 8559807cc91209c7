//! What a domain without mail should publish, so that nobody else's mail is taken for its own: RFC 7208 §10.1.2, RFC 7505, and
//! M3AAWG's “Protecting Parked Domains”.

use dmarc::{Discovery, Policy};
use dns::{Lookup, Name, RecordType, Response};
use spf::{Mechanism, Qualifier, Record, Survey, TermKind};

use crate::Mail;
use crate::finding::{About, Finding, Findings};

/// A label that nobody uses as a selector: what answers for it is a wildcard.
const NO_SELECTOR: &str = "lamppost-no-such-selector";

/// Looks whether a domain that sends nothing says so everywhere.
pub(crate) async fn look<L: Lookup>(
    lookup: &L,
    domain: &Name,
    (spf, dmarc, mail): (&Survey, &Discovery, &Mail),
    findings: &mut Vec<Finding>,
) {
    let mut findings = Findings { about: About::Parked, all: findings };
    let sends_nothing = spf.records.len() == 1 && spf.records.first().is_some_and(|record| is_only_fail(&record.text));
    if !sends_nothing {
        if spf.records.is_empty() && !mail.receives() {
            let what =
                format!("{domain} has neither SPF nor MX, as a domain without mail; it does not say that it has none");
            findings.warning("parked-silent", what, PARKED, None);
        }
        return;
    }
    let policy = dmarc.published().map(|(name, published, _)| {
        let record = &published.record;
        let own = record.policy.policy().unwrap_or(Policy::None);
        if name == domain { own } else { record.subdomain_policy.policy().unwrap_or(own) }
    });
    if policy != Some(Policy::Reject) {
        let what =
            format!("{domain} sends no mail (SPF is -all), and DMARC does not ask to reject what claims to be from it");
        findings.warning("parked-policy", what, "publish `_dmarc TXT \"v=DMARC1; p=reject; rua=mailto:…\"`", None);
    }
    if !mail.null_mx && !mail.receives() {
        let what = format!("{domain} sends no mail, and does not say that it takes none");
        findings.notice("parked-mx", what, "publish `MX 0 .`", None);
    }
    let wildcard = Name::from_labels([NO_SELECTOR.as_bytes(), b"_domainkey"].into_iter().chain(domain.labels()));
    if let Ok(name) = wildcard
        && matches!(lookup.lookup(&name, RecordType::Txt).await, Response::NxDomain { .. } | Response::NoData { .. })
    {
        let what = format!("{domain} sends no mail, and does not revoke all DKIM keys");
        findings.notice("parked-dkim", what, "publish `*._domainkey TXT \"v=DKIM1; p=\"`", None);
    }
}

const PARKED: &str = "publish `TXT \"v=spf1 -all\"`, `_dmarc TXT \"v=DMARC1; p=reject; rua=mailto:…\"`, `MX 0 .` and \
     `*._domainkey TXT \"v=DKIM1; p=\"`";

/// `v=spf1 -all`, whatever modifiers stand beside.
fn is_only_fail(text: &[u8]) -> bool {
    let Ok(record) = Record::parse(text) else { return false };
    let mut directives = record.terms().iter().filter_map(|term| match &term.kind {
        TermKind::Directive(qualifier, mechanism) => Some((qualifier, mechanism)),
        _ => None,
    });
    matches!(directives.next(), Some((Qualifier::Fail, Mechanism::All))) && record.redirect().is_none()
}
