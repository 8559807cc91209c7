//! What a view is about: the filter bar as data.

use std::net::IpAddr;

use report::{Day, Disposition, Outcome, Text};

/// Which part of the ledger a view shows. Everything unset means no limit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// Days, both included.
    pub period: Period,
    /// Author domain.
    pub domain: Option<Text>,
    /// With `domain`: its subdomains too (all author domains with the same organizational domain).
    pub subdomains: bool,
    /// Reporter organisation.
    pub reporter: Option<Text>,
    /// One network, or one address with its full length.
    pub network: Option<(IpAddr, u8)>,
    /// Outcomes; empty is any.
    pub outcomes: Vec<Outcome>,
    /// What receivers did.
    pub disposition: Option<Disposition>,
    /// Domain of the most telling SPF check.
    pub spf_domain: Option<Text>,
    /// Domain of the most telling signature.
    pub dkim_domain: Option<Text>,
}

/// A period: the last so many days *of the data*, or fixed days.
///
/// The last day is the newest day in the ledger, not today, so that an imported archive shows what is in it and the same
/// ledger gives the same answer tomorrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// This many days, ending with the newest in the ledger.
    Last(u16),
    /// From the first to the second, both included.
    Days(Day, Day),
    /// All there is.
    All,
}

impl Default for Period {
    fn default() -> Self {
        Self::Last(90)
    }
}
