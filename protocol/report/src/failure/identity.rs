//! What makes two failure reports the same: a hash over all they say, whatever mail they came in.
//!
//! In: a report. Out: a SHA-256. Every field goes in with its length before it, so that no two different reports can run together.

use sha2::{Digest, Sha256};

use super::FailureReport;
use super::original::Carrier;

/// The hash of what a report says.
pub(super) fn content(report: &FailureReport, carrier: &Carrier) -> [u8; 32] {
    let mut hash = Sha256::new();
    // The serialised form names every field, so that one that is added to the type is in the hash. It always succeeds: plain data.
    let all = serde_json::to_vec(report).unwrap_or_default();
    hash.update((all.len() as u64).to_be_bytes());
    hash.update(&all);
    if report.arrived.is_none() && report.envelope_id.is_none() && report.header.is_empty() {
        // Nothing tells this message from the next one: then the mails do.
        hash.update(carrier.date.unwrap_or_default().to_be_bytes());
    }
    hash.finalize().into()
}
