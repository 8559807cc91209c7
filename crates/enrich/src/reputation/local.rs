//! What our own reports say about a source: always on, private, and the only evidence of many good sources.
//!
//! In: plain numbers about one source, counted by the caller over the period it looks at. Out: evidence. Nothing leaves the machine.

use serde::{Deserialize, Serialize};

use super::grade::{Evidence, Value};
use crate::time::Moment;

/// What the reports of our own domains say about one source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Local {
    /// Messages that passed DMARC: aligned by DKIM or by SPF.
    pub aligned_messages: u64,
    /// Days with at least one of these.
    pub aligned_days: u32,
    /// Pairs of reporter and day on which a receiver named a reason that forwarders have: `trusted_forwarder`, `mailing_list`,
    /// `forwarded`, or `local_policy` with `arc=pass`.
    pub override_reporter_days: u32,
    /// Messages that our own receiver gave a verdict on.
    pub judged_messages: u64,
    /// Of these: spam.
    pub spam_messages: u64,
}

/// Who passes for a month, and often, is somebody whom we let send.
const LONG: (u32, u64) = (30, 1_000);
/// A week is a beginning.
const SHORT: (u32, u64) = (7, 100);
/// One receiver on one day may err, or be made to: three agree.
const OVERRIDES_MIN: u32 = 3;
/// Fewer verdicts than this say nothing about a share.
const JUDGED_MIN: u64 = 10;

impl Local {
    /// What follows from the numbers: up to three pieces of evidence, for a day.
    #[must_use]
    pub fn evidence(&self, now: Moment) -> Vec<Evidence> {
        let mut found = Vec::new();
        let mut add = |value: f64, detail: String| {
            let source = String::from("local");
            let (day, expires) = (now.day(), now.plus_day());
            found.push(Evidence { source, value: Value::of(value), hard: false, detail, day, expires });
        };
        let reached = |(days, messages)| self.aligned_days >= days && self.aligned_messages >= messages;
        let passed = [(LONG, 4.0), (SHORT, 2.0)].into_iter().find(|(least, _)| reached(*least));
        if let Some((_, value)) = passed {
            let (messages, days) = (self.aligned_messages, self.aligned_days);
            add(value, format!("{messages} messages passed DMARC for your domains, on {days} days"));
        }
        if self.override_reporter_days >= OVERRIDES_MIN {
            let times = self.override_reporter_days;
            add(1.5, format!("receivers called it a forwarder or a list {times} times, counted by receiver and day"));
        }
        let (spam, judged) = (self.spam_messages.min(self.judged_messages), self.judged_messages);
        if judged >= JUDGED_MIN && spam > judged / 2 {
            add(-5.0, format!("our own receiver took {spam} of its {judged} messages for spam"));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_values() {
        let none = Local::default();
        let passed = |aligned_days, aligned_messages| Local { aligned_messages, aligned_days, ..none };
        let overridden = |override_reporter_days| Local { override_reporter_days, ..none };
        let judged = |spam_messages, judged_messages| Local { judged_messages, spam_messages, ..none };
        let cases: &[(&str, Local, &[f64])] = &[
            ("nothing known", none, &[]),
            ("a month and a thousand", passed(30, 1_000), &[4.0]),
            ("a thousand within a week: one campaign", passed(7, 1_000), &[2.0]),
            ("a month of little", passed(30, 999), &[2.0]),
            ("a week and a hundred", passed(7, 100), &[2.0]),
            ("too few days: a botnet may pass for an hour", passed(6, 1_000_000), &[]),
            ("too few messages", passed(60, 99), &[]),
            ("three receivers' words", overridden(3), &[1.5]),
            ("one receiver, twice", overridden(2), &[]),
            ("more than half is spam", judged(6, 11), &[-5.0]),
            ("half is not more than half", judged(5, 10), &[]),
            ("two of three say nothing yet", judged(2, 3), &[]),
            ("more spam than messages is a mistake, not a crash", judged(u64::MAX, 10), &[-5.0]),
        ];
        let now = Moment::of(86_400 * 20_000);
        for (why, local, expected) in cases {
            let found: Vec<Value> = local.evidence(now).iter().map(|evidence| evidence.value).collect();
            let expected: Vec<Value> = expected.iter().copied().map(Value::of).collect();
            assert_eq!(found, expected, "{why}");
        }
        let all = Local { aligned_days: 30, aligned_messages: 1_000, ..Local { spam_messages: 9, ..overridden(3) } };
        let all = Local { judged_messages: 10, ..all };
        assert_eq!(all.evidence(now).len(), 3);
    }
}
