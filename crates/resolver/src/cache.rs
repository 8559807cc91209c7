//! Answers kept for as long as they may be, with what evaluators parsed of them; failures too (RFC 2308, RFC 9520).
//!
//! In: questions. Out: kept answers, or those from below, asked once however many wait for it. Bounded by memory, not by entries: a
//! stranger decides how large an answer is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dns::{Data, Lookup, Name, RecordType, Response};
use tokio::time::Instant;

/// How much is kept, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct CacheLimits {
    /// Memory, roughly: some 100,000 usual answers with their parsed records.
    pub octets_max: u64,
    /// Answers, whatever their time to live says: a day, so that a mistake of years does not stay.
    pub answer_seconds_max: u32,
    /// Absence. RFC 2308 §5: "values of one to three hours have been found to work well".
    pub absence_seconds_max: u32,
    /// Failures. RFC 9520 §3.2: "Resolution failures MUST NOT be cached for longer than 5 minutes".
    pub failure_seconds_max: u32,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self {
            octets_max: 64 << 20,
            answer_seconds_max: 24 * 60 * 60,
            absence_seconds_max: 60 * 60,
            failure_seconds_max: 5 * 60,
        }
    }
}

/// What a cache did so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Questions.
    pub asked: u64,
    /// Questions that went further down.
    pub passed_on: u64,
    /// Of these: those that failed.
    pub failed: u64,
}

/// A source of answers that remembers.
#[derive(Debug)]
pub struct Cache<L> {
    below: L,
    limits: CacheLimits,
    kept: moka::future::Cache<(Name, RecordType), Kept>,
    asked: AtomicU64,
    passed_on: AtomicU64,
    failed: AtomicU64,
}

#[derive(Debug, Clone)]
struct Kept {
    response: Response,
    until: Instant,
    /// Failures one after the other, this one included.
    failures: u32,
}

impl Kept {
    fn is_over(&self) -> bool {
        self.until <= Instant::now()
    }

    /// The answer with the time that is left of it.
    fn answer(self) -> Response {
        let left = self.until.saturating_duration_since(Instant::now());
        // A second that has begun counts: who asks just after the answer came sees its time to live.
        self.response.at_most(u32::try_from(left.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX))
    }
}

impl<L: Lookup> Cache<L> {
    /// An empty cache.
    pub fn new(below: L, limits: CacheLimits) -> Self {
        let kept = moka::future::Cache::builder()
            .max_capacity(limits.octets_max)
            .weigher(|(name, _): &(Name, RecordType), kept: &Kept| weight(name, &kept.response))
            // What is over is of no use but for the count of failures.
            .time_to_live(Duration::from_secs(u64::from(limits.answer_seconds_max)))
            .build();
        Self { below, limits, kept, asked: 0.into(), passed_on: 0.into(), failed: 0.into() }
    }

    /// What it did so far.
    pub fn counts(&self) -> Counts {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts { asked: of(&self.asked), passed_on: of(&self.passed_on), failed: of(&self.failed) }
    }

    async fn ask(&self, name: &Name, kind: RecordType, failures_before: u32) -> Kept {
        self.passed_on.fetch_add(1, Ordering::Relaxed);
        let response = self.below.lookup(name, kind).await;
        let limits = &self.limits;
        let (seconds, failures) = match &response {
            Response::Found(records) => (records.ttl().min(limits.answer_seconds_max), 0),
            Response::NxDomain { ttl } | Response::NoData { ttl } => ((*ttl).min(limits.absence_seconds_max), 0),
            Response::ServFail(_) | Response::Timeout => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                // RFC 9520 §3.2: "Resolution failures MUST be cached … for at least 1 second" and "an exponential backoff algorithm".
                let backoff = 1_u32.checked_shl(failures_before).unwrap_or(u32::MAX);
                (backoff.min(limits.failure_seconds_max), failures_before.saturating_add(1))
            }
        };
        Kept { response, until: Instant::now() + Duration::from_secs(u64::from(seconds)), failures }
    }
}

impl<L: Lookup> Lookup for Cache<L> {
    async fn lookup(&self, name: &Name, kind: RecordType) -> Response {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let key = (name.clone(), kind);
        let failures = match self.kept.get(&key).await {
            Some(kept) if !kept.is_over() => return kept.answer(),
            kept => kept.map_or(0, |kept| kept.failures),
        };
        // On the heap: an evaluation holds dozens of such futures, and most of them end above.
        Box::pin(async move {
            // Whoever comes meanwhile waits for the same answer.
            let entry = self.kept.entry(key).or_insert_with_if(self.ask(name, kind, failures), Kept::is_over);
            entry.await.into_value().answer()
        })
        .await
    }
}

/// Octets that an answer takes, roughly: twice its text, because what is parsed of it is kept as well.
fn weight(name: &Name, response: &Response) -> u32 {
    let of = |data: &Data| match data {
        Data::Txt(text) => 64 + 2 * text.len(),
        _ => 64,
    };
    let octets = 256 + name.wire_len() + response.records().iter().map(of).sum::<usize>();
    u32::try_from(octets).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use dns::Records;

    use super::*;

    /// Answers each question with the next of these, after a second.
    struct Script(Mutex<Vec<Response>>);

    impl Lookup for Script {
        async fn lookup(&self, _: &Name, _: RecordType) -> Response {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let mut left = self.0.lock().unwrap();
            if left.is_empty() { Response::ServFail("asked too often".into()) } else { left.remove(0) }
        }
    }

    fn cache(script: impl Into<Vec<Response>>) -> Cache<Script> {
        Cache::new(Script(Mutex::new(script.into())), CacheLimits::default())
    }

    fn found(ttl: u32) -> Response {
        Response::Found(Records::new([Data::Txt((*b"v=spf1 -all").into())], ttl, None))
    }

    async fn ask(cache: &Cache<Script>) -> Response {
        cache.lookup(&Name::parse("a.test").unwrap(), RecordType::Txt).await
    }

    async fn pass(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_counts_down_and_is_asked_for_again() {
        let cache = cache([found(60), found(60)]);
        assert_eq!(ask(&cache).await.ttl(), Some(60));
        pass(20).await;
        assert_eq!(ask(&cache).await.ttl(), Some(40));
        pass(40).await;
        assert_eq!(ask(&cache).await.ttl(), Some(60));
        assert_eq!(cache.counts(), Counts { asked: 3, passed_on: 2, failed: 0 });
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_parsed_is_kept_with_the_answer() {
        let cache = cache([found(60)]);
        let mut parses = 0;
        for _ in 0..3 {
            let Response::Found(records) = ask(&cache).await else { panic!("found before") };
            records.parsed(|data| {
                parses += 1;
                data.len()
            });
        }
        assert_eq!(parses, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn absence_is_kept_but_not_for_longer_than_an_hour() {
        let cache = cache([Response::NxDomain { ttl: 100_000 }, found(1)]);
        assert_eq!(ask(&cache).await, Response::NxDomain { ttl: 3_600 });
        pass(3_599).await;
        assert_eq!(ask(&cache).await, Response::NxDomain { ttl: 1 });
        pass(1).await;
        assert_eq!(ask(&cache).await.ttl(), Some(1));
    }

    #[tokio::test(start_paused = true)]
    async fn failures_are_asked_for_less_and_less_often() {
        let fails = || Response::ServFail("REFUSED".into());
        let cache = cache([fails(), Response::Timeout, fails(), found(1), fails(), fails()]);
        // Kept for 1, 2 and 4 seconds; the answer begins the count anew.
        for kept in [1, 2, 4] {
            assert!(ask(&cache).await.ttl().is_none());
            let before = cache.counts().passed_on;
            pass(kept - 1).await;
            assert!(ask(&cache).await.ttl().is_none());
            assert_eq!(cache.counts().passed_on, before, "{kept}");
            pass(1).await;
        }
        assert_eq!(ask(&cache).await.ttl(), Some(1));
        pass(1).await;
        assert_eq!(ask(&cache).await, fails());
        pass(1).await;
        assert_eq!(ask(&cache).await, fails());
        assert_eq!(cache.counts().passed_on, 6);
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_ask_at_the_same_time_wait_for_one_answer() {
        let cache = cache([found(0)]);
        let answers = tokio::join!(ask(&cache), ask(&cache), ask(&cache));
        assert_eq!(answers, (found(0), found(0), found(0)));
        assert_eq!(cache.counts().passed_on, 1);
        // A time to live of nothing is for those who waited, not for those who come later.
        assert!(matches!(ask(&cache).await, Response::ServFail(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn large_answers_push_each_other_out() {
        let text = vec![b'a'; 60_000].into_boxed_slice();
        let large = || Response::Found(Records::new([Data::Txt(text.clone())], 3_600, None));
        let limits = CacheLimits { octets_max: 1 << 20, ..CacheLimits::default() };
        let cache = Cache::new(Script(Mutex::new((0..100).map(|_| large()).collect())), limits);
        for n in 0..100 {
            cache.lookup(&Name::parse(&format!("n{n}.test")).unwrap(), RecordType::Txt).await;
        }
        cache.kept.run_pending_tasks().await;
        assert!(cache.kept.weighted_size() <= 1 << 20, "{}", cache.kept.weighted_size());
        assert!(cache.kept.entry_count() > 0);
    }
}
