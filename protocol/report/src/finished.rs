//! What is known of a report only after its last row: its totals, its flaws and its identity.

use serde::{Deserialize, Serialize};

use crate::{Disposition, Flaw};

/// The end of a report that was read completely.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    /// What was odd, one entry a kind.
    pub flaws: Vec<Flaw>,
    /// Sums over the rows.
    pub totals: Totals,
    /// Rows left out because nothing could be counted from them.
    pub bad_rows: u64,
    /// What tells this report from others.
    pub identity: Identity,
}

/// Sums over the rows of one report, in messages unless said otherwise. They saturate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Rows.
    pub rows: u64,
    /// Messages.
    pub messages: u64,
    /// Messages with `policy_evaluated/dkim` pass.
    pub dkim_aligned: u64,
    /// Messages with `policy_evaluated/spf` pass.
    pub spf_aligned: u64,
    /// Messages with either.
    pub dmarc_pass: u64,
    /// Different source addresses.
    pub sources: u64,
    /// Messages by what the receiver did.
    pub disposition: DispositionTotals,
}

/// Messages by [`crate::Disposition`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DispositionTotals {
    /// Delivered as if there were no policy.
    pub none: u64,
    /// Passed under an enforcing policy.
    pub pass: u64,
    /// Put aside.
    pub quarantine: u64,
    /// Refused.
    pub reject: u64,
}

impl DispositionTotals {
    /// The dispositions that occurred, with their messages.
    pub fn occurred(self) -> impl Iterator<Item = (Disposition, u64)> {
        let all = [
            (Disposition::None, self.none),
            (Disposition::Pass, self.pass),
            (Disposition::Quarantine, self.quarantine),
            (Disposition::Reject, self.reject),
        ];
        all.into_iter().filter(|(_, messages)| *messages > 0)
    }
}

/// What tells a report from every other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// Hash of (organisation, report id, policy domain, begin, end).
    pub key: [u8; 16],
    /// SHA-256 of the canonical content: equal for two copies of a report however they were packed or indented.
    pub content: [u8; 32],
}
