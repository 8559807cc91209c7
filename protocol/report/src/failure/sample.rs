//! What of a failure report may be kept: who sent in whose name and how it failed, and nothing of who should have read it.
//!
//! In: a [`Failure`]. Out: a [`Sample`]. Recipients are reduced to their domain, the envelope sender to its own (bounce addresses hold
//! recipients'), the header to the fields that say how the message came and failed, every other address in them without its local
//! part. Lengths and numbers are bounded, so that a sample has at most some 20 KB. RFC 9991's privacy considerations ask for no less.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{AuthFailure, Delivery, Failure, FailureReport, HeaderField, Mechanisms, Shape, redact};
use crate::{Flaw, Text};

/// Fields of the header that are kept. From, Sender and Reply-To are the sender's own words about itself and stay as they are.
const KEPT: [&str; 19] = [
    "from",
    "sender",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "received",
    "return-path",
    "authentication-results",
    "arc-authentication-results",
    "received-spf",
    "dkim-signature",
    "list-id",
    "x-mailer",
    "user-agent",
    "x-originating-ip",
    "auto-submitted",
    "precedence",
    "feedback-id",
];

/// Those of them whose addresses stay whole.
const WHOLE: [&str; 4] = ["from", "sender", "reply-to", "message-id"];

/// Fields kept at most: a dozen relays with their results.
const FIELDS_MAX: usize = 40;

/// Bytes kept of a value.
const VALUE_BYTES_MAX: usize = 600;

/// Texts kept of a kind that may be there several times.
const TEXTS_MAX: usize = 10;

/// What is kept of a failure report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// When the message arrived, seconds since 1970 UTC.
    pub arrived: Option<i64>,
    /// Who reported it: a domain.
    pub reporter: Text,
    /// The program that did.
    pub user_agent: Option<Text>,
    /// How the report was written.
    pub shape: Shape,
    /// Where the message came from.
    pub source: Option<IpAddr>,
    /// The port there.
    pub source_port: Option<u16>,
    /// Messages that the report stands for.
    pub incidents: u64,
    /// The author domain.
    pub domain: Text,
    /// The author's local part; empty where it is not known.
    pub local_part: Text,
    /// The subject, cut.
    pub subject: Option<Text>,
    /// What failed.
    pub auth_failure: AuthFailure,
    /// The mechanisms that gave no aligned identity.
    pub failed: Option<Mechanisms>,
    /// What became of the message.
    pub delivery: Option<Delivery>,
    /// Domains the report says it is about.
    pub reported_domains: Vec<Text>,
    /// Domain of the envelope sender; empty for `<>`.
    pub envelope_from: Option<Text>,
    /// Domains of the recipients.
    pub envelope_to: Vec<Text>,
    /// Domain that SPF was about.
    pub spf_domain: Option<Text>,
    /// Signatures of the message, that which failed first: domain and selector of each.
    pub dkim: Vec<(Text, Text)>,
    /// `i=` of the one that failed.
    pub dkim_identity: Option<Text>,
    /// What the receiver's filters said.
    pub authentication_results: Vec<Text>,
    /// Hosts of the URIs that the report names.
    pub uri_hosts: Vec<Text>,
    /// Fields of the message's header.
    pub header: Vec<HeaderField>,
    /// What was odd about the report.
    pub flaws: Vec<Flaw>,
}

impl Sample {
    /// What may be kept of a report.
    #[must_use]
    pub fn of(failure: &Failure) -> Self {
        let report = &failure.report;
        let redacted = |text: &Text| cut(&redact(text));
        let some = |texts: &[Text]| texts.iter().take(TEXTS_MAX).map(redacted).collect();
        let subject = report.header.iter().find(|field| field.name.eq_ignore_ascii_case("subject"));
        let mut flaws = failure.flaws.clone();
        for flaw in &mut flaws {
            flaw.value = flaw.value.as_ref().map(redacted);
        }
        Self {
            arrived: report.arrived,
            reporter: cut(&report.reporter),
            user_agent: report.user_agent.as_ref().map(redacted),
            shape: report.shape,
            source: report.source,
            source_port: report.source_port,
            incidents: report.incidents,
            domain: cut(&report.author.domain),
            local_part: cut(&report.author.local_part),
            subject: subject.map(|field| redacted(&field.value)),
            auth_failure: match &report.auth_failure {
                AuthFailure::Unknown(word) => AuthFailure::Unknown(redacted(word)),
                known => known.clone(),
            },
            failed: report.failed,
            delivery: report.delivery.clone(),
            reported_domains: some(&report.reported_domains),
            envelope_from: report.mail_from.as_ref().map(|path| cut(&path.domain)),
            envelope_to: recipients(report),
            spf_domain: spf_domain(report),
            dkim: signatures(report),
            dkim_identity: report.dkim_identity.as_ref().map(|identity| cut(identity)),
            authentication_results: some(&report.authentication_results),
            uri_hosts: report.reported_uris.iter().filter_map(|uri| host(uri)).take(TEXTS_MAX).collect(),
            header: kept(&report.header),
            flaws,
        }
    }
}

fn cut(text: &str) -> Text {
    Text::new(&text[..text.floor_char_boundary(VALUE_BYTES_MAX)])
}

fn kept(header: &[HeaderField]) -> Vec<HeaderField> {
    let is = |name: &str, list: &[&str]| list.iter().any(|one| one.eq_ignore_ascii_case(name));
    let fields = header.iter().filter(|field| is(&field.name, &KEPT)).take(FIELDS_MAX);
    fields
        .map(|field| HeaderField {
            name: cut(&field.name),
            value: if is(&field.name, &WHOLE) { cut(&field.value) } else { cut(&redact(&field.value)) },
        })
        .collect()
}

/// Domains of the envelope recipients, or of To and Cc where the report names none; each once.
fn recipients(report: &FailureReport) -> Vec<Text> {
    let mut domains: Vec<Text> = report.rcpt_to.iter().map(|to| cut(&to.domain)).collect();
    if domains.is_empty() {
        let fields = report
            .header
            .iter()
            .filter(|field| field.name.eq_ignore_ascii_case("to") || field.name.eq_ignore_ascii_case("cc"));
        let addresses = fields.flat_map(|field| field.value.split(','));
        domains = addresses.map(|one| cut(&super::Mailbox::read(one).domain)).take(TEXTS_MAX * 10).collect();
    }
    domains.retain(|domain| !domain.is_empty());
    domains.sort_unstable();
    domains.dedup();
    domains.truncate(TEXTS_MAX);
    domains
}

/// RFC 6591 §3.2.6: `SPF-DNS` names the domain whose record was used; else it was the envelope sender's.
fn spf_domain(report: &FailureReport) -> Option<Text> {
    let named = report.spf_dns.first().and_then(|dns| {
        let mut parts = dns.split(':').map(str::trim);
        parts.next().filter(|kind| kind.eq_ignore_ascii_case("txt") || kind.eq_ignore_ascii_case("spf"))?;
        parts.next().filter(|domain| !domain.is_empty()).map(super::types::domain_text)
    });
    let path = || report.mail_from.as_ref().map(|path| cut(&path.domain)).filter(|domain| !domain.is_empty());
    named.map(|domain| cut(&domain)).or_else(path)
}

/// The signature that the report names, then those in the header.
fn signatures(report: &FailureReport) -> Vec<(Text, Text)> {
    let mut all: Vec<(Text, Text)> = Vec::new();
    if let Some(domain) = &report.dkim_domain {
        all.push((cut(domain), report.dkim_selector.as_ref().map(|s| cut(s)).unwrap_or_default()));
    }
    for field in report.header.iter().filter(|field| field.name.eq_ignore_ascii_case("dkim-signature")) {
        let tag = |wanted: &str| {
            let tags = field.value.split(';').filter_map(|tag| tag.split_once('='));
            tags.map(|(name, value)| (name.trim(), value.trim()))
                .find(|(name, _)| *name == wanted)
                .map(|(_, value)| value)
        };
        if let Some(domain) = tag("d") {
            let one = (cut(&super::types::domain_text(domain)), cut(tag("s").unwrap_or_default()));
            // A report may name the domain without the selector.
            all.retain(|(domain, selector)| !(selector.is_empty() && *domain == one.0));
            if !all.contains(&one) {
                all.push(one);
            }
        }
    }
    all.truncate(TEXTS_MAX);
    all
}

/// The host of a URI; nothing else of it, because the rest may say who it was for.
fn host(uri: &str) -> Option<Text> {
    let rest = match uri.split_once("://") {
        Some((_, rest)) => rest,
        None => uri.strip_prefix("mailto:")?,
    };
    let authority = rest.split(['/', '?', '#', ' ']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    Some(cut(host)).filter(|host| !host.is_empty())
}
