//! What makes two reports the same: a key over who, which and when, and a hash over everything they say.
//!
//! In: a header and its rows in order. Out: an [`Identity`]. Equal content hashes equally however it was packed, indented or
//! spelt; the generation of the format is not part of it. Every field goes in with its length before it, so that no two
//! different reports can run together. SHA-256 (FIPS 180-4).

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use crate::{Identity, PolicyPublished, Report, Row};

/// Bytes gathered before they are hashed: a few dozen rows.
const GATHERED_BYTES: usize = 4 << 10;

/// Takes a report in, row by row.
#[derive(Debug, Clone)]
pub(crate) struct Content {
    hash: Sha256,
    gathered: Vec<u8>,
}

impl Content {
    pub(crate) fn of(report: &Report) -> Self {
        let mut content = Self { hash: Sha256::new(), gathered: Vec::with_capacity(GATHERED_BYTES + 1024) };
        let reporter = &report.reporter;
        content.text(&reporter.organization);
        content.text(&reporter.email);
        content.option(reporter.extra_contact.as_deref());
        content.option(reporter.generator.as_deref());
        content.text(&report.report_id);
        content.number(report.interval.begin.cast_unsigned());
        content.number(report.interval.end.cast_unsigned());
        content.number(report.errors.len() as u64);
        for error in &report.errors {
            content.text(error);
        }
        content.policy(&report.policy);
        content
    }

    fn policy(&mut self, policy: &PolicyPublished) {
        self.text(&policy.domain);
        for p in [policy.p, policy.sp, policy.np] {
            self.option(p.map(crate::Policy::word));
        }
        for alignment in [policy.adkim, policy.aspf] {
            self.option(alignment.map(crate::Alignment::word));
        }
        self.number(policy.pct.map_or(0, |pct| u64::from(pct) + 1));
        self.option(policy.fo.as_deref());
        self.number(policy.testing.map_or(0, |testing| u64::from(testing) + 1));
        self.option(policy.discovery_method.map(crate::DiscoveryMethod::word));
    }

    /// Adds the next row.
    pub(crate) fn row(&mut self, row: &Row) {
        match row.source {
            IpAddr::V4(v4) => {
                self.gathered.push(4);
                self.gathered.extend_from_slice(&v4.octets());
            }
            IpAddr::V6(v6) => {
                self.gathered.push(6);
                self.gathered.extend_from_slice(&v6.octets());
            }
        }
        self.number(row.count);
        self.gathered.extend_from_slice(&[
            row.disposition as u8,
            u8::from(row.dkim_aligned),
            u8::from(row.spf_aligned),
        ]);
        self.text(&row.author_domain);
        self.option(row.envelope_from.as_deref());
        self.option(row.envelope_to.as_deref());
        self.number(row.overrides.len() as u64);
        for reason in &row.overrides {
            self.text(reason.kind.word());
            self.option(reason.comment.as_deref());
        }
        self.number(row.dkim.len() as u64);
        for dkim in &row.dkim {
            self.text(&dkim.domain);
            self.option(dkim.selector.as_deref());
            self.gathered.push(dkim.result as u8);
            self.option(dkim.human_result.as_deref());
        }
        self.number(row.spf.len() as u64);
        for spf in &row.spf {
            self.text(&spf.domain);
            self.gathered.push(spf.scope.map_or(u8::MAX, |scope| scope as u8));
            self.gathered.push(spf.result as u8);
            self.option(spf.human_result.as_deref());
        }
        if self.gathered.len() >= GATHERED_BYTES {
            self.hash.update(&self.gathered);
            self.gathered.clear();
        }
    }

    /// The identity of the report `content` was taken from.
    pub(crate) fn finish(mut self, report: &Report) -> Identity {
        self.hash.update(&self.gathered);
        Identity { key: key(report), content: self.hash.finalize().into() }
    }

    /// Seven bits to a byte, the highest bit set where more follow: most numbers are small.
    fn number(&mut self, mut number: u64) {
        while number > 0x7f {
            self.gathered.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.gathered.push(number.to_le_bytes()[0]);
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.gathered.extend_from_slice(text.as_bytes());
    }

    fn option(&mut self, text: Option<&str>) {
        self.gathered.push(u8::from(text.is_some()));
        if let Some(text) = text {
            self.text(text);
        }
    }
}

/// (organisation, report id, policy domain, begin, end): the id alone is unique neither over time nor between reporters.
fn key(report: &Report) -> [u8; 16] {
    let mut hash = Sha256::new();
    for text in [&report.reporter.organization, &report.report_id, &report.policy.domain] {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.update(report.interval.begin.to_be_bytes());
    hash.update(report.interval.end.to_be_bytes());
    let full: [u8; 32] = hash.finalize().into();
    let mut key = [0; 16];
    key.copy_from_slice(&full[..16]);
    key
}
