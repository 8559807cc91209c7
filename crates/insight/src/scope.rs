//! What a view is about: the filter bar as data, and as the part of a [`Question`] that says which rows count.

use std::net::IpAddr;

use report::{Day, Disposition, Outcome, Text};
use store::{Column, Condition, Ledger, Question, Test, Value};

use crate::Error;

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

/// The longest period that is drawn day by day: ten years. A report with an absurd date must not make a chart of a million days.
pub const DAYS_MAX: i32 = 3_660;

impl Default for Period {
    fn default() -> Self {
        Self::Last(90)
    }
}

impl Period {
    /// Its first and last day in this ledger, the newest [`DAYS_MAX`] of them; `None` while the ledger is empty and no days are
    /// fixed.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn days(self, ledger: &Ledger) -> Result<Option<(Day, Day)>, Error> {
        Ok(self.asked(ledger)?.map(|(from, to)| (from.max(to.plus(1 - DAYS_MAX)), to)))
    }

    /// All of its days, where they are more than [`Self::days`] gives.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn cut(self, ledger: &Ledger) -> Result<Option<(Day, Day)>, Error> {
        Ok(self.asked(ledger)?.filter(|(from, to)| *from < to.plus(1 - DAYS_MAX)))
    }

    fn asked(self, ledger: &Ledger) -> Result<Option<(Day, Day)>, Error> {
        Ok(match (self, ledger.span()?) {
            (Self::Days(from, to), _) => Some((from.min(to), from.max(to))),
            (_, None) => None,
            (Self::Last(days), Some((first, last))) => Some((last.plus(1 - i32::from(days.max(1))).max(first), last)),
            (Self::All, span) => span,
        })
    }
}

impl Scope {
    /// A question about these days of this scope, with nothing else in it yet.
    pub(crate) fn question(&self, days: (Day, Day)) -> Question {
        let mut filter = Vec::new();
        let mut one = |column, value: &Option<Text>| {
            if let Some(value) = value {
                filter.push(is(column, [Value::Text(value.clone())]));
            }
        };
        if self.subdomains {
            let organizational = self.domain.as_deref().map(store::organizational_domain);
            one(Column::OrgDomain, &organizational);
        } else {
            one(Column::Domain, &self.domain);
        }
        one(Column::Reporter, &self.reporter);
        one(Column::SpfDomain, &self.spf_domain);
        one(Column::DkimDomain, &self.dkim_domain);
        one(Column::Disposition, &self.disposition.map(|d| Text::const_new(d.word())));
        if !self.outcomes.is_empty() {
            let words = self.outcomes.iter().map(|o| Value::Text(Text::const_new(o.word())));
            filter.push(is(Column::Outcome, words));
        }
        if let Some((address, length)) = self.network {
            filter.push(Condition { column: Column::Source, test: Test::Within(address, length) });
        }
        Question { days: Some(days), filter, ..Question::default() }
    }
}

/// The condition that a column has one of these values.
pub(crate) fn is(column: Column, values: impl IntoIterator<Item = Value>) -> Condition {
    Condition { column, test: Test::In(values.into_iter().collect()) }
}

/// How many days from the first to the last, both included.
pub(crate) fn length((from, to): (Day, Day)) -> usize {
    usize::try_from(i64::from(to.0) - i64::from(from.0) + 1).unwrap_or(0)
}

/// The place of a day in a period.
pub(crate) fn place((from, to): (Day, Day), day: Day) -> Option<usize> {
    (from <= day && day <= to).then(|| length((from, day)) - 1)
}

/// A network as people write it: an address with or without a prefix length. Bits behind the prefix are cleared.
#[must_use]
pub fn parse_network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = match text.trim().split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u8>().ok()?)),
        None => (text.trim(), None),
    };
    let address = address.parse::<IpAddr>().ok()?.to_canonical();
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let length = length.unwrap_or(bits);
    (length <= bits).then(|| (cleared(address, length), length))
}

/// The address with the bits behind the prefix cleared.
pub(crate) fn cleared(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => IpAddr::V4((v4.to_bits() & u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)).into()),
        IpAddr::V6(v6) => {
            IpAddr::V6((v6.to_bits() & u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_as_people_write_them() {
        let cases = [
            ("192.0.2.7", Some("192.0.2.7/32")),
            (" 192.0.2.7/24 ", Some("192.0.2.0/24")),
            ("0.0.0.0/0", Some("0.0.0.0/0")),
            ("2001:db8:1:2::3/48", Some("2001:db8:1::/48")),
            ("::ffff:192.0.2.7", Some("192.0.2.7/32")),
            ("192.0.2.7/33", None),
            ("192.0.2/24", None),
            ("example.com", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let got = parse_network(text).map(|(address, length)| format!("{address}/{length}"));
            assert_eq!(got.as_deref(), expected, "{text}");
        }
    }
}
