//! A zone laid over another source of answers: the same evaluator, other DNS. This is how what-if works.
//!
//! In: a [`Zone`] with the records that are to be different, and the [`Lookup`] below. Out: answers as if the change were published.
//! The zone replaces whole record sets: other types at the same name, and names that it does not have, are answered from below.

use crate::zone::{ALIASES_MAX, Step, too_many_aliases};
use crate::{Lookup, Name, RecordType, Response, Zone};

/// A [`Zone`] over another [`Lookup`].
#[derive(Debug, Clone, Copy)]
pub struct Overlay<'a, L> {
    zone: &'a Zone,
    below: L,
}

impl<'a, L: Lookup> Overlay<'a, L> {
    /// Lays `zone` over `below`.
    #[must_use]
    pub const fn new(zone: &'a Zone, below: L) -> Self {
        Self { zone, below }
    }

    async fn answer(&self, name: &Name, kind: RecordType) -> Response {
        let mut ttl = u32::MAX;
        let mut at = name.clone();
        for _ in 0..=ALIASES_MAX {
            let (response, exists) = match self.zone.step(&at, kind) {
                Step::Answer(response) => (response, true),
                Step::Alias(target, alias_ttl) => {
                    ttl = ttl.min(alias_ttl);
                    at = target;
                    continue;
                }
                Step::Empty => (self.below.lookup(&at, kind).await, true),
                Step::Absent => (self.below.lookup(&at, kind).await, false),
            };
            return match response {
                // RFC 8020: what the zone has at or below a name makes the name exist.
                Response::NxDomain { ttl } if exists => Response::NoData { ttl },
                other => other,
            }
            .at_most(ttl);
        }
        too_many_aliases(name)
    }
}

impl<L: Lookup> Lookup for Overlay<'_, L> {
    fn lookup(&self, name: &Name, kind: RecordType) -> impl Future<Output = Response> + Send {
        self.answer(name, kind)
    }
}
