//! Lists asked over DNS: each switched on by the operator, tested before it is believed, asked within a budget, and about the same
//! source not again before its answer is over.
//!
//! In: an address, a [`Lookup`], the time. Out: evidence, or why there is none. Errors of a list are never listings; a list that fails
//! its test, answers with an error, or is silent for long is switched off with its reason, and tested again later.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex as Lock, PoisonError};

use dns::{Data, Lookup, Name, RecordType, Response};
use report::Day;
use thiserror::Error;
use tokio::sync::{Mutex, OnceCell};

use super::Gap;
use super::grade::{Evidence, Value};
use super::lists::{ListDefinition, Said};
use crate::recent::Recent;
use crate::reverse;
use crate::time::{Clock, DAY_SECONDS, Moment};

/// How much a list is asked, and how much of its answers is looked at.
#[derive(Debug, Clone, Copy)]
pub struct ZoneLimits {
    /// Questions to one list on one UTC day, its tests included. Free use of the lists ends at 100,000 to 300,000 questions a day, and a
    /// mail server nearby asks the same ones.
    pub daily: u32,
    /// Answers that are remembered at least: some 200 bytes each. A day of a large company has fewer new failing sources.
    pub remembered: usize,
    /// Records of one answer that are looked at. Lists give up to five.
    pub records: usize,
    /// Failures in a row after which a list is left alone for a while: each may cost seconds.
    pub failures: u32,
    /// Seconds for which it is left alone then, and after a test without an answer.
    pub pause_seconds: i64,
}

impl Default for ZoneLimits {
    fn default() -> Self {
        Self { daily: 50_000, remembered: 100_000, records: 16, failures: 20, pause_seconds: 3_600 }
    }
}

/// Why a list cannot be switched on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ZoneListError {
    /// It needs a key.
    #[error("the list `{0}` needs a key of yours: see {1}")]
    NoKey(String, String),
    /// It has no place for a key.
    #[error("the list `{0}` takes no key")]
    NeedsNoKey(String),
    /// The key is no part of a name. It is not repeated here: it is a secret.
    #[error("the key of the list `{0}` has characters beyond letters, digits and hyphens, or more than 63 of them")]
    BadKey(String),
    /// The zone is no name.
    #[error("the zone of the list `{0}` is no domain name")]
    BadZone(String),
}

/// A list that is switched on.
pub struct ZoneList {
    definition: ListDefinition,
    zone: Name,
    limits: ZoneLimits,
    health: Mutex<Health>,
    spent: Lock<Spent>,
    failures: AtomicU32,
    answers: Recent<IpAddr, Arc<OnceCell<Answer>>>,
    asked: AtomicU32,
}

/// Whether it may be asked, and until when that is known, in seconds since 1970.
#[derive(Debug, Clone)]
enum Health {
    Untested,
    Ready { until: i64 },
    Off { until: i64, why: Arc<str> },
}

#[derive(Debug, Clone, Copy)]
struct Spent {
    day: Day,
    questions: u32,
}

/// How a list fares at a moment, for pages and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneState {
    /// Questions sent on this UTC day, tests included.
    pub questions_today: u32,
    /// Questions that may be sent on one day.
    pub questions_daily: u32,
    /// How its test went.
    pub test: ZoneTest,
}

/// How the test of a list went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZoneTest {
    /// Not yet: it is tested before the first question.
    Untested,
    /// It is being tested.
    UnderWay,
    /// It answers as it must, until this second since 1970 holds.
    Ready(i64),
    /// It is switched off until this second, and why.
    Off(i64, Arc<str>),
}

/// An answer that is kept: the listings in it, none where there are none.
#[derive(Debug)]
struct Answer {
    listings: Vec<(Value, bool, String)>,
    day: Day,
    expires: i64,
}

/// What one question came to.
enum Asked {
    Listed(Vec<Said>, u32),
    Absent,
    Failed(String),
}

// RFC 5782 §5: "IPv4-based DNSxLs MUST contain an entry for 127.0.0.2 for testing purposes."
const ALWAYS_LISTED: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
// RFC 5782 §5: "IPv4-based DNSxLs MUST NOT contain an entry for 127.0.0.1."
const NEVER_LISTED: Ipv4Addr = Ipv4Addr::LOCALHOST;

impl ZoneList {
    /// Switches a list on: to be called only for those that the operator named, having seen their terms.
    ///
    /// # Errors
    /// A key is missing or no key.
    pub fn new(definition: ListDefinition, key: Option<&str>, limits: ZoneLimits) -> Result<Self, ZoneListError> {
        let id = || definition.id.clone();
        let zone = match key {
            None if definition.needs_key() => return Err(ZoneListError::NoKey(id(), definition.homepage.clone())),
            Some(_) if !definition.needs_key() => return Err(ZoneListError::NeedsNoKey(id())),
            None => definition.zone.clone(),
            Some(key) => {
                let good = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
                if key.is_empty() || key.len() > dns::LABEL_OCTETS_MAX || !key.bytes().all(good) {
                    return Err(ZoneListError::BadKey(id()));
                }
                definition.zone.replace("<key>", key)
            }
        };
        let zone = Name::parse(&zone).map_err(|_| ZoneListError::BadZone(id()))?;
        Ok(Self {
            zone,
            definition,
            limits,
            health: Mutex::new(Health::Untested),
            spent: Lock::new(Spent { day: Day(i32::MIN), questions: 0 }),
            failures: AtomicU32::new(0),
            answers: Recent::new(limits.remembered),
            asked: AtomicU32::new(0),
        })
    }

    /// What it is.
    #[must_use]
    pub fn definition(&self) -> &ListDefinition {
        &self.definition
    }

    /// Why it is switched off at the moment, if it is.
    pub async fn off(&self) -> Option<Arc<str>> {
        match &*self.health.lock().await {
            Health::Off { why, .. } => Some(Arc::clone(why)),
            _ => None,
        }
    }

    /// How it fares. Waits for nobody.
    #[must_use]
    pub fn state(&self, now: Moment) -> ZoneState {
        let spent = *self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let test = match self.health.try_lock().as_deref() {
            // Whoever tests it holds this meanwhile.
            Err(_) => ZoneTest::UnderWay,
            Ok(Health::Ready { until }) if now.seconds() < *until => ZoneTest::Ready(*until),
            Ok(Health::Off { until, why }) if now.seconds() < *until => ZoneTest::Off(*until, Arc::clone(why)),
            Ok(_) => ZoneTest::Untested,
        };
        let questions_today = if spent.day == now.day() { spent.questions } else { 0 };
        ZoneState { questions_today, questions_daily: self.limits.daily, test }
    }

    /// Questions sent so far, tests included.
    #[must_use]
    pub fn questions(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }

    /// What the list says about an address.
    ///
    /// # Errors
    /// Why nothing was learned: it is switched off, its budget is spent, or it did not answer.
    pub async fn ask(&self, dns: &impl Lookup, address: IpAddr, clock: &Clock) -> Result<Vec<Evidence>, Gap> {
        let address = address.to_canonical();
        if address.is_ipv6() && !self.definition.ipv6 {
            return Ok(Vec::new());
        }
        // Who has one address of a /64 has them all, and lists name no less: one question serves for all of it.
        let network = match address {
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
            v4 @ IpAddr::V4(_) => v4,
        };
        let now = clock.now();
        let good = |cell: &Arc<OnceCell<Answer>>| cell.get().is_none_or(|answer| answer.expires > now.seconds());
        let cell = self.answers.get_or(network, good, Arc::default);
        let answer = cell.get_or_try_init(|| self.learn(dns, address, clock)).await?;
        let evidence = |(value, hard, detail): &(Value, bool, String)| Evidence {
            source: self.definition.id.clone(),
            value: *value,
            hard: *hard,
            detail: detail.clone(),
            day: answer.day,
            expires: answer.expires,
        };
        Ok(answer.listings.iter().map(evidence).collect())
    }

    async fn learn(&self, dns: &impl Lookup, address: IpAddr, clock: &Clock) -> Result<Answer, Gap> {
        self.ready(dns, clock).await?;
        let asked = self.question(dns, address, clock.now()).await?;
        let now = clock.now();
        let (said, expires) = match asked {
            Asked::Absent => (Vec::new(), now.plus_day()),
            Asked::Listed(said, ttl) => (said, now.plus(i64::from(ttl))),
            Asked::Failed(why) => {
                if self.failures.fetch_add(1, Ordering::Relaxed) + 1 >= self.limits.failures {
                    self.failures.store(0, Ordering::Relaxed);
                    let why = format!("{} questions in a row failed, the last one: {why}", self.limits.failures);
                    self.switch_off(why, now.seconds().saturating_add(self.limits.pause_seconds)).await;
                }
                return Err(self.gap(&why));
            }
        };
        self.failures.store(0, Ordering::Relaxed);
        // One error spoils the whole answer: somebody else answers, or the list does not answer us.
        if let Some(why) = said.iter().find_map(|said| if let Said::Error(why) = said { Some(why) } else { None }) {
            self.switch_off(why.clone(), tomorrow(now)).await;
            return Err(self.gap(why));
        }
        let listing =
            |said| if let Said::Listed { value, hard, detail } = said { Some((value, hard, detail)) } else { None };
        Ok(Answer { listings: said.into_iter().filter_map(listing).collect(), day: now.day(), expires })
    }

    /// Tests the list where that is due; fails where it is off.
    async fn ready(&self, dns: &impl Lookup, clock: &Clock) -> Result<(), Gap> {
        // Held while testing, so that it is tested once, however many wait for it.
        let mut health = self.health.lock().await;
        let now = clock.now();
        match &*health {
            Health::Ready { until } if now.seconds() < *until => return Ok(()),
            Health::Off { until, why } if now.seconds() < *until => return Err(self.gap(why)),
            _ => {}
        }
        *health = self.test(dns, now).await;
        match &*health {
            Health::Off { why, .. } => Err(self.gap(why)),
            _ => Ok(()),
        }
    }

    async fn test(&self, dns: &impl Lookup, now: Moment) -> Health {
        let soon = now.seconds().saturating_add(self.limits.pause_seconds);
        let off = |until: i64, why: String| Health::Off { until, why: why.into() };
        let mut outcomes = Vec::new();
        for address in [ALWAYS_LISTED, NEVER_LISTED] {
            match self.question(dns, address.into(), now).await {
                Ok(Asked::Failed(why)) => return off(soon, format!("its test failed: {why}")),
                Err(gap) => return off(tomorrow(now), gap.why),
                Ok(Asked::Absent) => outcomes.push(false),
                Ok(Asked::Listed(said, _)) => {
                    if let Some(Said::Error(why)) = said.iter().find(|said| matches!(said, Said::Error(_))) {
                        return off(tomorrow(now), why.clone());
                    }
                    outcomes.push(true);
                }
            }
        }
        match outcomes[..] {
            [true, false] => Health::Ready { until: tomorrow(now) },
            [_, true] => off(tomorrow(now), format!("it lists {NEVER_LISTED}, which no list may: it lists everything")),
            _ => off(
                tomorrow(now),
                format!("it does not list {ALWAYS_LISTED}, which every list does: it lists nothing, or not for us"),
            ),
        }
    }

    async fn question(&self, dns: &impl Lookup, address: IpAddr, now: Moment) -> Result<Asked, Gap> {
        self.spend(now)?;
        let Some(name) = reverse::below(address, &self.zone) else {
            return Ok(Asked::Failed(String::from("its zone is too long a name")));
        };
        self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(match dns.lookup(&name, RecordType::A).await {
            Response::Found(records) => {
                let addresses = records.records().iter().take(self.limits.records).filter_map(|data| match data {
                    Data::A(address) => Some(*address),
                    _ => None,
                });
                Asked::Listed(addresses.map(|answer| self.definition.decode(answer)).collect(), records.ttl())
            }
            Response::NxDomain { .. } | Response::NoData { .. } => Asked::Absent,
            // What a resolver says may name the zone, and with it the operator's key.
            Response::ServFail(_) if self.definition.needs_key() => Asked::Failed(String::from("DNS failed")),
            Response::ServFail(why) => Asked::Failed(format!("DNS failed: {why}")),
            Response::Timeout => Asked::Failed(String::from("no answer in time")),
        })
    }

    fn spend(&self, now: Moment) -> Result<(), Gap> {
        // A panic elsewhere leaves a number that counts.
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.day != now.day() {
            *spent = Spent { day: now.day(), questions: 0 };
        }
        if spent.questions >= self.limits.daily {
            return Err(self.gap(&format!("its budget of {} questions is spent for {}", self.limits.daily, spent.day)));
        }
        spent.questions += 1;
        Ok(())
    }

    async fn switch_off(&self, why: String, until: i64) {
        *self.health.lock().await = Health::Off { until, why: why.into() };
    }

    fn gap(&self, why: &str) -> Gap {
        Gap { source: self.definition.id.clone(), why: why.to_owned() }
    }
}

/// The first second of the next UTC day.
fn tomorrow(now: Moment) -> i64 {
    now.day().begin().saturating_add(DAY_SECONDS)
}

impl fmt::Debug for ZoneList {
    /// Without the zone: it may have the operator's key in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZoneList").field("id", &self.definition.id).finish_non_exhaustive()
    }
}
