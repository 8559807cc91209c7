//! A domain's SPF, worked out once for all addresses: which term decides about this one, millions of times a second.
//!
//! In: what [`crate::compile()`] found. Out: a [`Decision`] per address, by binary search. An answer is what `check_host()` would say with
//! the same DNS answers; where that depends on the message (macros, `ptr`), the decision says so instead of guessing.

use std::net::IpAddr;

use dns::Name;

use crate::SpfResult;

/// The answers for all addresses.
#[derive(Debug, Clone)]
pub struct Compiled {
    pub(crate) domain: Name,
    pub(crate) decisions: Vec<Decision>,
    pub(crate) v4: Table<u32>,
    pub(crate) v6: Table<u128>,
    pub(crate) ttl: Option<u32>,
}

/// Where each run of addresses begins, and which decision it has. The first begins at zero.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table<T> {
    pub(crate) starts: Vec<T>,
    pub(crate) decisions: Vec<u32>,
}

/// What SPF says about an address, and which terms say so.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Decision {
    /// What `check_host()` says.
    pub outcome: Outcome,
    /// The terms from the domain's own record down includes and redirects; the last decided. Empty where no term did.
    pub path: Vec<Step>,
}

/// A term of a record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Step {
    /// Whose record.
    pub domain: Name,
    /// Which term, from 0.
    pub term: u16,
    /// As it was written.
    pub text: Box<str>,
}

/// What `check_host()` says about an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// This, because a directive matches, or none does.
    Result(SpfResult),
    /// An error, for this reason.
    Error(SpfResult, Trouble),
    /// It depends on the message: the last term of the path cannot be worked out beforehand.
    Depends(Dependence),
}

/// Why there is no result but an error, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// No SPF record.
    NoRecord,
    /// A record with mistakes.
    Faulty,
    /// More than one record.
    Several,
    /// One term too many that asks DNS.
    TooManyLookups,
    /// One lookup without an answer too many.
    TooManyVoids,
    /// An `mx` with too many hosts.
    TooManyMxHosts,
    /// DNS failed.
    DnsFailed,
}

/// What a term depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dependence {
    /// A macro whose value comes with the message: this letter.
    Macro(u8),
    /// The names of the client's address.
    Ptr,
}

impl Compiled {
    /// Whose it is.
    #[must_use]
    pub const fn domain(&self) -> &Name {
        &self.domain
    }

    /// Seconds that all of this may be kept: the least of all answers; none where DNS failed.
    #[must_use]
    pub const fn ttl(&self) -> Option<u32> {
        self.ttl
    }

    /// What SPF says about an address.
    #[must_use]
    pub fn answer(&self, ip: IpAddr) -> &Decision {
        &self.decisions[self.index(ip)]
    }

    /// The number of the decision about an address, for counting by decision; see [`Self::decisions`].
    #[must_use]
    pub fn index(&self, ip: IpAddr) -> usize {
        let found = match ip.to_canonical() {
            IpAddr::V4(ip) => self.v4.find(ip.to_bits()),
            IpAddr::V6(ip) => self.v6.find(ip.to_bits()),
        };
        found as usize
    }

    /// All decisions that some address has.
    #[must_use]
    pub fn decisions(&self) -> &[Decision] {
        &self.decisions
    }

    /// The decisions that depend on the message, as the terms that do; empty where every address has its answer.
    pub fn not_compiled(&self) -> impl Iterator<Item = &Decision> {
        self.decisions.iter().filter(|decision| matches!(decision.outcome, Outcome::Depends(_)))
    }

    /// The runs of addresses with the number of their decision, IPv4 first.
    pub fn runs(&self) -> impl Iterator<Item = (IpAddr, IpAddr, usize)> + '_ {
        let v4 = self.v4.runs(u32::MAX, |at| at - 1).map(|(a, b, decision)| (ip4(a), ip4(b), decision));
        let v6 = self.v6.runs(u128::MAX, |at| at - 1).map(|(a, b, decision)| (ip6(a), ip6(b), decision));
        v4.chain(v6)
    }
}

fn ip4(bits: u32) -> IpAddr {
    IpAddr::V4(bits.into())
}

fn ip6(bits: u128) -> IpAddr {
    IpAddr::V6(bits.into())
}

impl<T: Copy + Ord> Table<T> {
    fn find(&self, address: T) -> u32 {
        // The first run begins at zero, so there is always one before.
        let behind = self.starts.partition_point(|start| *start <= address);
        self.decisions[behind.saturating_sub(1)]
    }

    fn runs(&self, last: T, before: impl Fn(T) -> T) -> impl Iterator<Item = (T, T, usize)> {
        let ends = self.starts.iter().skip(1).map(move |start| before(*start)).chain([last]);
        self.starts
            .iter()
            .zip(ends)
            .zip(&self.decisions)
            .map(|((start, end), decision)| (*start, end, *decision as usize))
    }
}

impl Decision {
    /// The term that decided.
    #[must_use]
    pub fn decided_by(&self) -> Option<&Step> {
        self.path.last()
    }

    /// The result, where it does not depend on the message.
    #[must_use]
    pub const fn result(&self) -> Option<SpfResult> {
        match self.outcome {
            Outcome::Result(result) | Outcome::Error(result, _) => Some(result),
            Outcome::Depends(_) => None,
        }
    }
}
