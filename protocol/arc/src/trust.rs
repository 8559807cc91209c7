//! What a chain is worth: the words of trusted sealers, from the newest back to the first that is not trusted.
//!
//! In: a [`Validation`] and the domains of trusted sealers. Out: the results that may be believed, or nothing. Anybody can seal
//! anything; a trusted sealer on top vouches for its own set, and only for as much of what is below as it is itself trusted.
//! RFC 8617 §7.2; the comment for aggregate reports is that of §7.2.2.

use authres::{ResultWord, Results};
use message::Domain;

use crate::set::Set;
use crate::validate::Validation;

/// What trusted sealers say.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'v> {
    /// The oldest set in an unbroken row of trusted ones from the newest down: its results are nearest to the author.
    pub set: &'v Set,
    all: &'v [Set],
}

/// What may be believed of a chain.
///
/// Nothing, unless the chain holds, its newest sealer is trusted, and its newest message signature covers From, without which
/// the seal could have been put on another author's mail. `trusted` are domains as in `d=` of the seal, not identifiers of results.
#[must_use]
pub fn evidence<'v>(validation: &'v Validation, trusted: &[Domain]) -> Option<Evidence<'v>> {
    if validation.result != ResultWord::Pass {
        return None;
    }
    let newest = validation.sets.last()?;
    if !newest.signed_names.contains(b"from") {
        return None;
    }
    let row = validation.sets.iter().rev().take_while(|set| trusted.contains(&set.sealer));
    row.last().map(|set| Evidence { set, all: &validation.sets })
}

impl<'v> Evidence<'v> {
    /// What the sealer found of the message.
    #[must_use]
    pub fn results(&self) -> &'v Results {
        &self.set.results
    }

    /// The comment of an override in an aggregate report, which is of type `local_policy`: RFC 8617 §7.2.2, "arc=pass as\[2\].d=… as\[2\].s=…
    /// as\[1\].d=… as\[1\].s=…".
    #[must_use]
    pub fn report_comment(&self) -> String {
        let seals = self.all.iter().rev().map(|set| {
            let Set { instance, sealer, selector, .. } = set;
            format!(" as[{instance}].d={sealer} as[{instance}].s={selector}")
        });
        format!("arc=pass{}", seals.collect::<Vec<_>>().concat())
    }
}
