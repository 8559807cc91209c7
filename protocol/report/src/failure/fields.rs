//! The fields of a failure report, whoever wrote them and in what form, and what they mean.
//!
//! In: names and values. Out: a [`FailureReport`] filled in, with flaws for what is missing, odd or repeated. The first of a field
//! that may stand once counts. RFC 5965 §3, RFC 6591 §3, RFC 6692, RFC 9991 §4.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::original::Carrier;
use super::types::domain_text;
use super::{AuthFailure, Delivery, FailureReport, Flaws, Limits, Mailbox, Mechanisms};
use crate::{FlawKind, Rejection, RejectionKind, Text};

/// 1990-01-01: no mail that anybody reports is older.
const EARLIEST: i64 = 631_152_000;

/// Fields that may stand several times (RFC 5965 §3.3, RFC 6591 §3.2).
const SEVERAL: [&str; 5] = ["authentication-results", "original-rcpt-to", "reported-domain", "reported-uri", "spf-dns"];

/// Feedback that is no failure of authentication, and what it is (RFC 5965 §7.3 and what was registered later).
const OTHERS: [(&str, &str); 7] = [
    ("abuse", "a complaint of a recipient"),
    ("fraud", "a complaint about fraud"),
    ("virus", "a report of a virus"),
    ("not-spam", "a report that something is no spam"),
    ("opt-out", "a wish to be taken off a list"),
    ("opt-out-list", "a wish to be taken off a list"),
    ("other", "feedback of another kind"),
];

/// The fields of one report.
pub(super) struct Fields<'f> {
    limits: &'f Limits,
    pub(super) flaws: &'f mut Flaws,
    /// Values by name in lower case.
    all: BTreeMap<String, Vec<String>>,
    taken: usize,
    /// They stood in a feedback part.
    in_part: bool,
}

impl<'f> Fields<'f> {
    pub(super) fn new(limits: &'f Limits, flaws: &'f mut Flaws) -> Self {
        Self { limits, flaws, all: BTreeMap::new(), taken: 0, in_part: false }
    }

    /// Takes the fields of a feedback part.
    pub(super) fn feedback(&mut self, bytes: &[u8]) {
        self.in_part = true;
        for (name, value) in message::raw_fields(bytes) {
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            let value = unfolded(value);
            self.take(&name, &value);
        }
    }

    /// Takes one field.
    pub(super) fn take(&mut self, name: &str, value: &str) {
        self.taken += 1;
        if self.taken > self.limits.fields || name.is_empty() || name.len() > 80 {
            return;
        }
        // RFC 6591's appendix and a few reporters call it so.
        let name = if name == "received-date" { "arrival-date" } else { name };
        let values = self.all.entry(name.to_owned()).or_default();
        let most = if SEVERAL.contains(&name) { self.limits.values } else { 1 };
        if values.len() >= most {
            if values.first().is_none_or(|first| first != value) {
                self.flaws.add(FlawKind::RepeatedElement, name, Some(value));
            }
            return;
        }
        let cut = value.floor_char_boundary(self.limits.field_bytes);
        if cut < value.len() {
            self.flaws.add(FlawKind::LongText, name, Some(value));
        }
        values.push(value[..cut].to_owned());
    }

    /// Takes one field unless it is there.
    pub(super) fn take_if_missing(&mut self, name: &str, value: &str) {
        if !self.all.contains_key(name) {
            self.take(name, value);
        }
    }

    /// The value of a field that stands once and says something.
    fn one(&self, name: &str) -> Option<&str> {
        self.all.get(name)?.first().map(String::as_str).filter(|value| !value.is_empty())
    }

    fn text(&self, name: &str) -> Option<Text> {
        self.one(name).map(Text::new)
    }

    fn several(&self, name: &str) -> impl Iterator<Item = &str> {
        self.all.get(name).into_iter().flatten().map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Fills a report in.
    ///
    /// # Errors
    /// When it is feedback of another kind.
    pub(super) fn fill(&mut self, report: &mut FailureReport, carrier: &Carrier) -> Result<(), Rejection> {
        self.kind()?;
        report.user_agent = self.text("user-agent");
        report.reporting_mta =
            self.one("reporting-mta").map(|mta| Text::new(mta.rsplit(';').next().unwrap_or(mta).trim()));
        report.arrived = self.arrived(carrier);
        self.source(report);
        report.incidents = self.number("incidents").unwrap_or(1).max(1);
        report.auth_failure = self.auth_failure();
        report.failed = self.failed();
        report.delivery = self.delivery();
        report.reported_domains = self.several("reported-domain").map(domain_text).collect();
        report.reported_domains.dedup();
        report.reported_uris = self.several("reported-uri").map(Text::new).collect();
        report.envelope_id = self.text("original-envelope-id");
        // An empty one is the null path.
        report.mail_from =
            self.all.get("original-mail-from").and_then(|all| all.first()).map(|path| Mailbox::read(path));
        report.rcpt_to = self.several("original-rcpt-to").map(Mailbox::read).collect();
        report.authentication_results = self.several("authentication-results").map(Text::new).collect();
        report.dkim_domain = self.one("dkim-domain").map(domain_text);
        report.dkim_selector = self.text("dkim-selector");
        report.dkim_identity = self.text("dkim-identity");
        report.dkim_selector_dns = self.text("dkim-selector-dns");
        report.spf_dns = self.several("spf-dns").map(Text::new).collect();
        Ok(())
    }

    /// RFC 6591 §3: the feedback type of these reports is `auth-failure`.
    fn kind(&mut self) -> Result<(), Rejection> {
        match self.one("feedback-type").map(str::to_ascii_lowercase) {
            Some(kind) if kind == "auth-failure" || kind == "dmarc" => Ok(()),
            Some(kind) => {
                if let Some((_, what)) = OTHERS.iter().find(|(word, _)| *word == kind) {
                    let message =
                        format!("It is {what} (feedback type {kind}), not a report that authentication failed.");
                    return Err(Rejection::new(RejectionKind::OtherFeedback, message));
                }
                self.flaws.add(FlawKind::MissingFeedbackType, "feedback", Some(&kind));
                Ok(())
            }
            None => {
                if self.in_part {
                    self.flaws.add(FlawKind::MissingFeedbackType, "feedback", None);
                }
                Ok(())
            }
        }
    }

    fn arrived(&mut self, carrier: &Carrier) -> Option<i64> {
        let possible = |seconds: &i64| (EARLIEST..=self.limits.latest).contains(seconds);
        let said = self.one("arrival-date").map(str::to_owned);
        if let Some(arrived) = said.as_deref().and_then(|date| message::date(date.as_bytes())).filter(possible) {
            return Some(arrived);
        }
        let otherwise = carrier.date.filter(possible);
        let kind = if said.is_some() { FlawKind::BadArrival } else { FlawKind::MissingArrival };
        self.flaws.add(kind, "arrival-date", said.as_deref());
        otherwise
    }

    fn source(&mut self, report: &mut FailureReport) {
        let said = self.one("source-ip").map(str::to_owned);
        // "192.0.2.1 (name.example)", "[192.0.2.1]", "IPv6:2001:db8::1" are all met.
        let first = said.as_deref().and_then(|text| text.split([' ', '\t', '(', ';', ',']).next()).unwrap_or_default();
        let bare = first.trim_matches(['[', ']', '"']);
        let bare = bare.strip_prefix("IPv6:").unwrap_or(bare);
        match bare.parse::<IpAddr>() {
            Ok(address) => {
                if said.as_deref() != Some(bare) {
                    self.flaws.add(FlawKind::OddSource, "source-ip", said.as_deref());
                }
                if address.to_canonical() != address {
                    self.flaws.add(FlawKind::MappedSource, "source-ip", said.as_deref());
                }
                report.source = Some(address.to_canonical());
            }
            Err(_) => self.flaws.add(FlawKind::MissingSource, "source-ip", said.as_deref()),
        }
        report.source_port = self.number("source-port").and_then(|port| u16::try_from(port).ok());
    }

    fn number(&mut self, name: &str) -> Option<u64> {
        let text = self.one(name)?;
        let number = text.parse().ok();
        if number.is_none() {
            let text = text.to_owned();
            self.flaws.add(FlawKind::OddNumber, name, Some(&text));
        }
        number
    }

    fn auth_failure(&mut self) -> AuthFailure {
        let Some(word) = self.one("auth-failure").map(str::to_owned) else {
            if self.in_part {
                self.flaws.add(FlawKind::MissingAuthFailure, "feedback", None);
            }
            return AuthFailure::Dmarc;
        };
        let failure = AuthFailure::of(word.trim());
        if matches!(failure, AuthFailure::Unknown(_)) {
            self.flaws.add(FlawKind::UnknownAuthFailure, "auth-failure", Some(&word));
        }
        failure
    }

    /// RFC 9991 §4: `Identity-Alignment` lists the mechanisms that *failed* to give an aligned identity, or says `none`.
    fn failed(&mut self) -> Option<Mechanisms> {
        let of_exim = |name: &str| self.one(name).map(|word| !word.eq_ignore_ascii_case("yes"));
        if let (Some(dkim), Some(spf)) = (of_exim("dkim-alignment"), of_exim("spf-alignment")) {
            return Some(Mechanisms { dkim, spf });
        }
        let Some(said) = self.one("identity-alignment").map(str::to_ascii_lowercase) else {
            self.flaws.add(FlawKind::MissingAlignment, "feedback", None);
            return None;
        };
        let mut failed = Mechanisms::default();
        let (mut known, mut odd) = (false, !said.chars().all(|c| c.is_ascii_lowercase() || ", ".contains(c)));
        for word in said.split(|c: char| !c.is_ascii_lowercase()).filter(|word| !word.is_empty()) {
            match word {
                "dkim" => failed.dkim = true,
                "spf" => failed.spf = true,
                "none" => {}
                _ => {
                    odd = true;
                    continue;
                }
            }
            known = true;
        }
        if odd || !known {
            self.flaws.add(FlawKind::OddAlignment, "identity-alignment", Some(&said));
        }
        known.then_some(failed)
    }

    fn delivery(&mut self) -> Option<Delivery> {
        if let Some(word) = self.one("dmarc-results") {
            return Some(match word.to_ascii_lowercase().as_str() {
                "reject" => Delivery::Reject,
                "quarantine" => Delivery::Spam,
                "accept" | "none" => Delivery::Delivered,
                _ => Delivery::Other,
            });
        }
        let word = self.one("delivery-result")?.to_owned();
        let delivery = Delivery::of(word.trim());
        if matches!(delivery, Delivery::Unknown(_)) {
            self.flaws.add(FlawKind::UnknownDelivery, "delivery-result", Some(&word));
            return Some(Delivery::Other);
        }
        Some(delivery)
    }
}

/// A value as one line of text.
fn unfolded(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
