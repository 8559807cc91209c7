//! The year of the company: working days, weekends, the quiet between the years, and the days on which something changed.

use jiff::civil::{Weekday, date};
use report::{Day, Policy, PolicyPublished};

/// What happened when. The story of the company in dates.
pub(crate) struct Story;

impl Story {
    /// The SPF record is trimmed from 14 look-ups to 9.
    pub(crate) const SPF_TRIMMED: (i16, i8, i8) = (2025, 11, 6);
    /// The HELO names of the outbound hosts get SPF records, so that bounces authenticate.
    pub(crate) const HELO_SPF: (i16, i8, i8) = (2025, 11, 24);
    /// `np=reject` is published.
    pub(crate) const NP_REJECT: (i16, i8, i8) = (2025, 12, 1);
    /// Three stray servers are moved to the relay.
    pub(crate) const STRAYS_FIXED: (i16, i8, i8) = (2025, 12, 9);
    /// A subdomain is delegated, and most unaligned vendors move to it.
    pub(crate) const SUBDOMAIN: (i16, i8, i8) = (2025, 12, 15);
    /// The day of the campaign that nobody had announced.
    pub(crate) const CAMPAIGN: (i16, i8, i8) = (2025, 12, 23);
    /// A new DKIM key begins to sign corporate mail.
    pub(crate) const NEW_KEY: (i16, i8, i8) = (2026, 1, 5);
    /// A vendor begins to send from a new network.
    pub(crate) const NEW_NETWORK: (i16, i8, i8) = (2026, 1, 10);
    /// `p=quarantine; t=y; pct=0` is published.
    pub(crate) const QUARANTINE: (i16, i8, i8) = (2026, 1, 12);
}

/// The day of a date of the story.
pub(crate) fn day((year, month, of_month): (i16, i8, i8)) -> Day {
    Day::from_date(date(year, month, of_month))
}

/// Whether nobody works.
pub(crate) fn weekend(on: Day) -> bool {
    on.date().is_some_and(|date| matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday))
}

/// How busy a company is on a day, in thousandths of a working day: weekends a third, the last week of the year half.
pub(crate) fn business_permille(on: Day) -> u64 {
    let Some(date) = on.date() else { return 1_000 };
    let quiet = matches!((date.month(), date.day()), (12, 24..=31) | (1, 1..=2));
    match (weekend(on), quiet) {
        (true, true) => 220,
        (true, false) => 330,
        (false, true) => 480,
        (false, false) => 1_000,
    }
}

/// What the company publishes on a day for the domains that send.
pub(crate) fn policy(domain: &str, on: Day) -> PolicyPublished {
    let mut policy = PolicyPublished { domain: domain.into(), p: Some(Policy::None), ..PolicyPublished::default() };
    policy.testing = Some(false);
    if on >= day(Story::NP_REJECT) {
        policy.np = Some(Policy::Reject);
    }
    if on >= day(Story::QUARANTINE) {
        (policy.p, policy.testing, policy.pct) = (Some(Policy::Quarantine), Some(true), Some(0));
    }
    policy
}

/// What the company publishes for the domains that never send.
pub(crate) fn parked_policy(domain: &str) -> PolicyPublished {
    PolicyPublished {
        domain: domain.into(),
        p: Some(Policy::Reject),
        sp: Some(Policy::Reject),
        adkim: Some(report::Alignment::Strict),
        aspf: Some(report::Alignment::Strict),
        testing: Some(false),
        ..PolicyPublished::default()
    }
}
