//! How much one message may ask of DNS, and how long that may take in all.
//!
//! In: questions of one evaluation. Out: answers from below while the budget lasts, then failures, which make a verdict temperror and
//! never a pass. The evaluators have limits of their own (ten lookups, ten signatures); this one holds whatever they forget.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use dns::{Lookup, Name, RecordType, Response};
use tokio::time::{Instant, timeout_at};

/// What one message may spend.
#[derive(Debug, Clone, Copy)]
pub struct BudgetLimits {
    /// Questions. Two SPF identities may ask some 120 each at worst (ten `mx` of ten hosts), ten signatures one each, discovery eight a
    /// name; honest mail asks about twenty.
    pub questions_max: u32,
    /// Time in all. RFC 7208 §4.6.4: "this limit SHOULD allow at least 20 seconds".
    pub time_max: Duration,
}

impl Default for BudgetLimits {
    fn default() -> Self {
        Self { questions_max: 300, time_max: Duration::from_secs(20) }
    }
}

/// A source of answers for one message.
#[derive(Debug)]
pub struct Budget<L> {
    below: L,
    left: AtomicU32,
    limits: BudgetLimits,
    deadline: Instant,
}

impl<L: Lookup> Budget<L> {
    /// A fresh budget; its time begins now.
    pub fn new(below: L, limits: BudgetLimits) -> Self {
        let deadline = Instant::now() + limits.time_max;
        Self { below, left: AtomicU32::new(limits.questions_max), limits, deadline }
    }

    /// Questions asked so far.
    pub fn spent(&self) -> u32 {
        self.limits.questions_max - self.left.load(Ordering::Relaxed)
    }
}

impl<L: Lookup> Lookup for Budget<L> {
    async fn lookup(&self, name: &Name, kind: RecordType) -> Response {
        let one_less = |left: u32| left.checked_sub(1);
        if self.left.try_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_err() {
            return Response::ServFail(
                format!("more than {} DNS questions for one message", self.limits.questions_max).into(),
            );
        }
        // An answer that is at hand is given also when time is up: it costs nothing.
        timeout_at(self.deadline, self.below.lookup(name, kind)).await.unwrap_or(Response::Timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers after a while.
    struct Slow(Duration);

    impl Lookup for Slow {
        async fn lookup(&self, _: &Name, _: RecordType) -> Response {
            tokio::time::sleep(self.0).await;
            Response::NxDomain { ttl: 1 }
        }
    }

    async fn ask(budget: &Budget<Slow>, times: usize) -> Vec<Response> {
        let mut answers = Vec::new();
        for _ in 0..times {
            answers.push(budget.lookup(&Name::root(), RecordType::A).await);
        }
        answers
    }

    #[tokio::test(start_paused = true)]
    async fn time_is_for_all_questions_together() {
        let limits = BudgetLimits { questions_max: 100, time_max: Duration::from_secs(20) };
        let budget = Budget::new(Slow(Duration::from_secs(8)), limits);
        let began = Instant::now();
        let none = Response::NxDomain { ttl: 1 };
        assert_eq!(ask(&budget, 4).await, [none.clone(), none, Response::Timeout, Response::Timeout]);
        assert_eq!(began.elapsed().as_secs(), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn questions_run_out() {
        let limits = BudgetLimits { questions_max: 2, time_max: Duration::from_secs(20) };
        let budget = Budget::new(Slow(Duration::ZERO), limits);
        let answers = ask(&budget, 4).await;
        assert!(matches!(answers[1], Response::NxDomain { .. }));
        assert!(matches!(&answers[2], Response::ServFail(why) if why.contains("more than 2")));
        assert!(matches!(answers[3], Response::ServFail(_)), "the count must not wrap around");
        assert_eq!(budget.spent(), 2);
    }
}
