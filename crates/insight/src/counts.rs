//! The small sums that answers are made of, and the measures that fill them.

use report::{Disposition, Outcome};
use store::{Measure, Value};

use crate::{Alignments, Dispositions, Failing, Outcomes, TrendTotals};

impl Outcomes {
    /// The count of one outcome.
    #[must_use]
    pub fn get(&self, outcome: Outcome) -> u64 {
        let mut copy = *self;
        *copy.slot(outcome)
    }

    /// Adds messages to one outcome.
    pub fn add(&mut self, outcome: Outcome, messages: u64) {
        let slot = self.slot(outcome);
        *slot = slot.saturating_add(messages);
    }

    fn slot(&mut self, outcome: Outcome) -> &mut u64 {
        match outcome {
            Outcome::Both => &mut self.both,
            Outcome::DkimOnly => &mut self.dkim_only,
            Outcome::SpfOnly => &mut self.spf_only,
            Outcome::Forwarded => &mut self.forwarded,
            Outcome::Unaligned => &mut self.unaligned,
            Outcome::Unauthenticated => &mut self.unauthenticated,
        }
    }

    /// Messages that pass DMARC.
    #[must_use]
    pub fn passing(&self) -> u64 {
        self.both.saturating_add(self.dkim_only).saturating_add(self.spf_only)
    }

    /// Messages that fail DMARC.
    #[must_use]
    pub fn failing(&self) -> u64 {
        self.forwarded.saturating_add(self.unaligned).saturating_add(self.unauthenticated)
    }

    /// All messages.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.passing().saturating_add(self.failing())
    }

    /// The measures that fill it, in order.
    pub(crate) fn measures() -> impl Iterator<Item = Measure> {
        Outcome::ALL.into_iter().map(Measure::Outcome)
    }

    /// From the values of [`Outcomes::measures`].
    pub(crate) fn of(values: &[Value]) -> Self {
        let mut outcomes = Self::default();
        for (outcome, value) in Outcome::ALL.into_iter().zip(values) {
            outcomes.add(outcome, number(value));
        }
        outcomes
    }
}

const DISPOSITIONS: [Disposition; 4] =
    [Disposition::None, Disposition::Pass, Disposition::Quarantine, Disposition::Reject];

impl Dispositions {
    /// Adds messages to one disposition.
    pub fn add(&mut self, disposition: Disposition, messages: u64) {
        let slot = match disposition {
            Disposition::None => &mut self.none,
            Disposition::Pass => &mut self.pass,
            Disposition::Quarantine => &mut self.quarantine,
            Disposition::Reject => &mut self.reject,
        };
        *slot = slot.saturating_add(messages);
    }

    /// The measures that fill it, in order.
    pub(crate) fn measures() -> impl Iterator<Item = Measure> {
        DISPOSITIONS.into_iter().map(Measure::Disposition)
    }

    /// From the values of [`Dispositions::measures`].
    pub(crate) fn of(values: &[Value]) -> Self {
        let mut dispositions = Self::default();
        for (disposition, value) in DISPOSITIONS.into_iter().zip(values) {
            dispositions.add(disposition, number(value));
        }
        dispositions
    }
}

impl TrendTotals {
    /// Adds messages with one outcome and one disposition.
    pub(crate) fn add(&mut self, outcome: Outcome, disposition: Disposition, messages: u64) {
        let bump = |slot: &mut u64| *slot = slot.saturating_add(messages);
        bump(&mut self.messages);
        self.disposition.add(disposition, messages);
        match outcome {
            Outcome::Both => bump(&mut self.outcome.both),
            Outcome::DkimOnly => bump(&mut self.outcome.dkim_only),
            Outcome::SpfOnly => bump(&mut self.outcome.spf_only),
            Outcome::Forwarded => bump(&mut self.failing.forwarded),
            Outcome::Unaligned => bump(&mut self.failing.unaligned),
            Outcome::Unauthenticated => bump(&mut self.failing.unauthenticated),
        }
        if outcome.passes() {
            bump(&mut self.dmarc_pass);
        } else {
            bump(&mut self.outcome.neither);
        }
        if matches!(outcome, Outcome::Both | Outcome::DkimOnly) {
            bump(&mut self.dkim_aligned);
        }
        if matches!(outcome, Outcome::Both | Outcome::SpfOnly) {
            bump(&mut self.spf_aligned);
        }
    }

    /// The same counts by outcome.
    #[must_use]
    pub fn outcomes(&self) -> Outcomes {
        let Alignments { both, dkim_only, spf_only, .. } = self.outcome;
        let Failing { forwarded, unaligned, unauthenticated } = self.failing;
        Outcomes { both, dkim_only, spf_only, forwarded, unaligned, unauthenticated }
    }
}

/// A count to reckon with.
#[expect(
    clippy::cast_precision_loss,
    reason = "no ledger has 2^53 messages, and beyond that a rounded share is as good"
)]
pub(crate) const fn float(count: u64) -> f64 {
    count as f64
}

/// The middle one; 0 of none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// A part of a whole; none of nothing.
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { float(part) / float(whole) }
}

/// A count; zero for what is none.
pub(crate) fn number(value: &Value) -> u64 {
    match value {
        Value::Number(n) => *n,
        _ => 0,
    }
}

/// A value as people read it.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Day(day) => day.to_string(),
        Value::Number(n) => n.to_string(),
        Value::Address(address) => address.to_string(),
        Value::Network(address, length) => format!("{address}/{length}"),
        Value::Text(text) => text.to_string(),
        Value::Absent => String::new(),
    }
}

/// A day; the first of 1970 for what is none.
pub(crate) fn day(value: &Value) -> report::Day {
    match value {
        Value::Day(day) => *day,
        _ => report::Day::default(),
    }
}

/// The outcome a column value names.
pub(crate) fn outcome(value: &Value) -> Outcome {
    match value {
        Value::Text(word) => Outcome::from_word(word).unwrap_or(Outcome::Unauthenticated),
        _ => Outcome::Unauthenticated,
    }
}

/// The disposition a column value names.
pub(crate) fn disposition(value: &Value) -> Disposition {
    match value {
        Value::Text(word) => Disposition::from_word(word).unwrap_or_default(),
        _ => Disposition::default(),
    }
}
