//! A [`Lint`] for programs: one object; fields may be added, never renamed.

use dkim::KeyKind;
use dmarc::PolicyAt;
use serde_json::{Value, json};

use crate::dkim::SelectorState;
use crate::finding::Finding;
use crate::{Lint, Selector};

impl Lint {
    /// All of it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "domain": self.domain.to_string(),
            "spf": {
                "records": self.spf.records.iter().map(|record| json!({
                    "domain": record.domain.to_string(),
                    "record": String::from_utf8_lossy(&record.text),
                    "reached_by": record.by.as_ref().map(|step| step.text.to_string()),
                })).collect::<Value>(),
                "lookups": self.spf.lookups(),
                "lookups_max": self.spf.limits().lookups_max,
                "asking": self.spf.asking.iter().map(|step| json!({
                    "domain": step.domain.to_string(), "term": step.text.to_string(),
                })).collect::<Value>(),
            },
            "dmarc": self.dmarc.published().map(|(name, published, at)| json!({
                "domain": name.to_string(),
                "record": &*published.text,
                "policy": published.record.policy.policy().map(|policy| policy.to_string()),
                "at": match at {
                    PolicyAt::Author => "author",
                    PolicyAt::Organizational => "organizational",
                    PolicyAt::PublicSuffix => "public_suffix",
                },
            })),
            "organizational_domain": self.dmarc.organizational_domain.as_ref().map(ToString::to_string),
            "dkim": self.dkim.iter().map(selector).collect::<Value>(),
            "mx": self.mail.exchangers.iter().map(|(preference, host)| json!({
                "preference": preference, "host": host.to_string(),
            })).collect::<Value>(),
            "null_mx": self.mail.null_mx,
            "mta_sts": self.mail.mta_sts,
            "tls_rpt": self.mail.tls_rpt,
            "findings": self.findings.iter().map(finding).collect::<Value>(),
        })
    }
}

fn selector(Selector { selector, state }: &Selector) -> Value {
    let (word, kind, bits) = match state {
        SelectorState::Key { kind: KeyKind::Rsa, bits, .. } => ("key", Some("rsa"), Some(bits)),
        SelectorState::Key { kind: KeyKind::Ed25519, bits, .. } => ("key", Some("ed25519"), Some(bits)),
        SelectorState::Revoked => ("revoked", None, None),
        SelectorState::Broken(_) => ("broken", None, None),
        SelectorState::Missing => ("missing", None, None),
        SelectorState::Failed => ("dns_failed", None, None),
    };
    json!({ "selector": selector, "state": word, "algorithm": kind, "key_bits": bits })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "id": finding.id,
        "severity": finding.severity.as_str(),
        "about": finding.about.as_str(),
        "what": finding.what,
        "fix": if finding.fix.is_empty() { Value::Null } else { finding.fix.clone().into() },
        "place": finding.place.as_ref().map(|place| json!({
            "name": place.name.to_string(),
            "record": String::from_utf8_lossy(&place.record),
            "span": [place.span.start, place.span.end],
        })),
    })
}
