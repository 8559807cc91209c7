//! Failure reports: what a receiver says about single messages that failed, read from the mail it says so in.
//!
//! In: the bytes of a mail. Out: a [`Failure`] for each report in it – the [`FailureReport`], what was odd, and a hash that is the
//! same for the same report – or a named [`Rejection`]. [`Sample`] is what of it may be kept: without recipients, without body.
//!
//! Real ones differ from the standards in every way there is: no `message/feedback-report` part, other labels, base64, plain text
//! with the fields and the header in it, fields missing and repeated, several in one mail. All these are read, with flaws.
//! The body of the message that failed is never looked at.
//!
//! | module | holds |
//! | --- | --- |
//! | `types` | [`FailureReport`] and its words |
//! | `find` | whether a mail is one, and its parts |
//! | `fields` | the fields of a feedback part, or of a text that stands for one |
//! | `plain` | reports in plain text |
//! | `original` | the header of the message that failed |
//! | `identity` | the hash |
//! | `sample`, `redact` | what may be kept |
//!
//! RFC 5965 (the container), RFC 6591 and RFC 9991 (the fields), RFC 6692 (the port), RFC 6590 (redaction).

mod fields;
mod find;
mod identity;
mod original;
mod plain;
mod redact;
mod sample;
mod types;

use std::num::NonZeroU64;

use crate::{Flaw, FlawKind, Rejection, RejectionKind, Text};

pub use redact::redact;
pub use sample::Sample;
pub use types::{AuthFailure, Delivery, FailureReport, HeaderField, Mailbox, Mechanisms, Shape};

/// What a failure report may hold. Real ones have a few kilobytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Reports in one mail. The standard has one; gateways that gather them have been told of, with dozens.
    pub reports: usize,
    /// Bytes of one text that are read; what is longer is cut and noted. The longest thing reported is a DNS record.
    pub field_bytes: usize,
    /// Fields of one feedback part that are looked at. The standards have two dozen names.
    pub fields: usize,
    /// Values of one field that may stand several times: domains, URIs, recipients, results.
    pub values: usize,
    /// Bytes of the header of the message that failed. Large providers stop at 256 KiB to 500 KiB.
    pub header_bytes: usize,
    /// Bytes of text parts that are searched for fields.
    pub text_bytes: usize,
    /// The last second, since 1970 UTC, at which a message may have arrived. Whoever knows the time sets it.
    pub latest: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            reports: 100,
            field_bytes: 4 << 10,
            fields: 500,
            values: 20,
            header_bytes: 512 << 10,
            text_bytes: 256 << 10,
            latest: i64::MAX,
        }
    }
}

/// One report that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What it says.
    pub report: FailureReport,
    /// What was odd, one entry a kind.
    pub flaws: Vec<Flaw>,
    /// SHA-256 of what it says: the same for the same report, however it came.
    pub content: [u8; 32],
}

/// Reads the failure reports of a mail. Nothing where it is no such mail.
#[must_use]
pub fn read(mail: &[u8], limits: &Limits) -> Option<Vec<Result<Failure, Rejection>>> {
    let found = find::find(mail, limits)?;
    let carrier = original::Carrier::of(mail);
    let mut all = Vec::new();
    for parts in &found.reports {
        if all.len() == limits.reports {
            let message =
                format!("The mail has more than the {} failure reports that are allowed in one.", limits.reports);
            all.push(Err(Rejection::new(RejectionKind::MemberLimit, message)));
            break;
        }
        all.push(one(&found, parts, &carrier, limits));
    }
    Some(all)
}

/// Whether [`read`] would find failure reports in this mail.
#[must_use]
pub fn is_failure(mail: &[u8], limits: &Limits) -> bool {
    find::find(mail, limits).is_some()
}

fn one(
    found: &find::Found,
    parts: &find::Parts,
    carrier: &original::Carrier,
    limits: &Limits,
) -> Result<Failure, Rejection> {
    let mut flaws = Flaws::default();
    let mut report = FailureReport { reporter: carrier.domain.clone(), shape: parts.shape, ..FailureReport::default() };
    if parts.mislabelled {
        flaws.add(FlawKind::MislabelledPart, "mail", None);
    }
    if parts.encoded {
        flaws.add(FlawKind::EncodedFeedback, "mail", None);
    }
    let mut fields = fields::Fields::new(limits, &mut flaws);
    if let Some(feedback) = &parts.feedback {
        fields.feedback(feedback);
    } else {
        fields.flaws.add(FlawKind::MissingFeedback, "mail", None);
        plain::fields(&found.text, &mut fields);
    }
    fields.fill(&mut report, carrier)?;
    original::fill(parts.original.as_deref().unwrap_or_default(), &mut report, limits, &mut flaws)?;
    let content = identity::content(&report, carrier);
    Ok(Failure { report, flaws: flaws.all, content })
}

/// What was odd about one report.
#[derive(Debug, Default)]
struct Flaws {
    all: Vec<Flaw>,
}

/// Bytes of a text that a flaw quotes.
const QUOTED_BYTES_MAX: usize = 200;

impl Flaws {
    /// Notes an oddity; of one kind the first is quoted and the others are counted.
    fn add(&mut self, kind: FlawKind, place: &str, value: Option<&str>) {
        if let Some(flaw) = self.all.iter_mut().find(|flaw| flaw.kind == kind) {
            flaw.count = flaw.count.saturating_add(1);
            return;
        }
        let value = value.map(|text| Text::new(&text[..text.floor_char_boundary(QUOTED_BYTES_MAX)]));
        self.all.push(Flaw { kind, place: place.into(), value, count: NonZeroU64::MIN });
    }
}
