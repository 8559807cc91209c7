//! New sources become profiles: each once, many at a time, as fast as DNS answers and no faster than the caller stores.
//!
//! In: a channel of sources, what they are enriched with, a clock. Out: a channel of profiles, in the order in which they are done. Nothing
//! is kept here between runs: the caller stores each profile as it comes and offers only sources that have none, so that after a crash at
//! most what was under way is asked again.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dns::{Lookup, Name};
use report::Day;
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::catalogue::{Catalogue, ServiceMatch};
use crate::names::{NameLimits, Named, Names, names};
use crate::network::{Network, Networks};
use crate::recent::Recent;
use crate::reputation::{Evidence, FileList, Gap, Grade, Local, Standing, ZoneList, grade, standing};
use crate::time::Clock;

/// How much is under way at once, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct WorkLimits {
    /// Sources under way at once. Each has one question out at a time; a resolver nearby answers in some 30 ms and a source needs about
    /// three, so that 64 make some 700 sources a second: 100,000 within three minutes, and far from the 1,024 questions at once that
    /// resolvers and our own connection take.
    pub at_once: usize,
    /// Time for one source. Half of it is for its names; a name server that is silent costs six seconds a question.
    pub time: Duration,
    /// Sources of which a run remembers that it had them.
    pub remembered: usize,
    /// Services named in one profile; forwarders carry the signatures of many.
    pub services: usize,
}

impl Default for WorkLimits {
    fn default() -> Self {
        Self { at_once: 64, time: Duration::from_mins(1), remembered: 500_000, services: 20 }
    }
}

/// A source to be enriched, and what our reports say of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its address.
    pub address: IpAddr,
    /// Numbers about it.
    pub local: Local,
    /// Domains for which DKIM passed on its messages.
    pub dkim_passed: Vec<String>,
    /// Domains for which SPF passed on its messages.
    pub spf_passed: Vec<String>,
    /// Whether messages of it fail DMARC. Only then lists over DNS are asked.
    pub failing: bool,
    /// Whether somebody has decided what it is. Then they are not asked.
    pub decided: bool,
}

impl Source {
    /// One of which nothing is known but its address.
    #[must_use]
    pub fn new(address: IpAddr) -> Self {
        let local = Local::default();
        Self { address, local, dkim_passed: Vec::new(), spf_passed: Vec::new(), failing: false, decided: false }
    }
}

/// What was learned about a source: to be stored as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Its address; an IPv4 address is never written as IPv6.
    pub address: IpAddr,
    /// Its names, confirmed and claimed.
    pub names: Names,
    /// What its names say; none where the questions failed.
    pub named: Option<Named>,
    /// Its network, where a file knows it.
    pub network: Option<Network>,
    /// Known services behind it, those that it belongs to first.
    pub services: Vec<ServiceMatch>,
    /// What the evidence adds up to; none where there is none.
    pub grade: Option<Grade>,
    /// The evidence.
    pub evidence: Vec<Evidence>,
    /// What could not be learned, and why: asking again another day may help.
    pub gaps: Vec<Gap>,
    /// The day on which all this was so.
    pub learned: Day,
}

impl Profile {
    /// The band of the source: by its grade, or by its names.
    #[must_use]
    pub fn standing(&self) -> Standing {
        standing(self.grade, self.named.as_ref().map(|named| named.grade))
    }
}

/// What sources are enriched with.
#[derive(Debug)]
pub struct Enricher<L> {
    /// Whom to ask for names and lists: a resolver of one's own.
    pub dns: L,
    /// Known services.
    pub catalogue: Catalogue,
    /// Files of networks.
    pub networks: Networks,
    /// Lists as files.
    pub files: Vec<FileList>,
    /// Lists over DNS that the operator switched on; none by default.
    pub zones: Vec<ZoneList>,
    /// Our own domains: names of sources below them are ours.
    pub own: Vec<Name>,
    /// How many names of a source are looked at.
    pub name_limits: NameLimits,
    /// How much is under way at once.
    pub work_limits: WorkLimits,
    /// What time it is.
    pub clock: Clock,
}

impl<L: Lookup> Enricher<L> {
    /// One that asks DNS for names and nobody else: what is on by default.
    pub fn new(dns: L, clock: Clock) -> Self {
        Self {
            dns,
            catalogue: Catalogue::bundled(),
            networks: Networks::open(&[], crate::NetworkLimits::default()),
            files: Vec::new(),
            zones: Vec::new(),
            own: Vec::new(),
            name_limits: NameLimits::default(),
            work_limits: WorkLimits::default(),
            clock,
        }
    }

    /// Learns what there is to learn about one source.
    pub async fn profile(&self, source: &Source) -> Profile {
        let address = source.address.to_canonical();
        let began = Instant::now();
        let limits = self.work_limits;
        let mut gaps = Vec::new();

        let asked = timeout_at(began + limits.time / 2, names(&self.dns, address, self.name_limits)).await;
        let (names, gap) = asked.unwrap_or_else(|_| {
            let why = String::from("its names did not come in time");
            (Names::default(), Some(Gap { source: String::from("ptr"), why }))
        });
        let said = names.grade(address, gap.is_some(), |name| self.knows(name));
        gaps.extend(gap);

        let network = self.networks.find(address);
        let mut services = self.catalogue.find(&names.confirmed, &source.dkim_passed, &source.spf_passed);
        services.truncate(limits.services);

        let now = self.clock.now();
        let mut evidence = source.local.evidence(now);
        let asn = network.as_ref().and_then(|network| network.asn);
        evidence.extend(self.files.iter().filter_map(|list| list.evidence(address, asn, now)));
        if source.failing && !source.decided && is_public(address) {
            for list in &self.zones {
                match timeout_at(began + limits.time, list.ask(&self.dns, address, &self.clock)).await {
                    Ok(Ok(found)) => evidence.extend(found),
                    Ok(Err(gap)) => gaps.push(gap),
                    Err(_) => {
                        let why = String::from("no time was left to ask it");
                        gaps.push(Gap { source: list.definition().id.clone(), why });
                    }
                }
            }
        }
        let learned = self.clock.now().day();
        Profile { address, names, named: said, network, services, grade: grade(&evidence), evidence, gaps, learned }
    }

    /// Whether a confirmed name is of a known service, or ours.
    fn knows(&self, name: &Name) -> bool {
        self.catalogue.by_host(name).is_some() || self.own.iter().any(|own| name.is_subdomain_of(own))
    }
}

/// Whether an address means the same everywhere. Others are nobody's business outside, and no list knows them.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            // RFC 6598 §7: 100.64.0.0/10 is shared between a provider and its customers.
            let shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_multicast()
                || shared)
        }
        IpAddr::V6(v6) => {
            let local = v6.is_unique_local() || v6.is_unicast_link_local();
            !(local || v6.is_loopback() || v6.is_unspecified() || v6.is_multicast())
        }
    }
}

/// How far a run is; may be read at any time.
#[derive(Debug, Default)]
pub struct Progress {
    taken: AtomicU64,
    repeated: AtomicU64,
    done: AtomicU64,
    with_gaps: AtomicU64,
    broken: AtomicU64,
}

/// The numbers of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressCounts {
    /// Sources taken in.
    pub taken: u64,
    /// Of these: had already in this run, and left out.
    pub repeated: u64,
    /// Profiles handed over.
    pub done: u64,
    /// Of these: something could not be learned.
    pub with_gaps: u64,
    /// Sources over which the work itself broke: a defect of this program, which costs nothing but that source.
    pub broken: u64,
}

impl Progress {
    /// The numbers now.
    pub fn counts(&self) -> ProgressCounts {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ProgressCounts {
            taken: of(&self.taken),
            repeated: of(&self.repeated),
            done: of(&self.done),
            with_gaps: of(&self.with_gaps),
            broken: of(&self.broken),
        }
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Enriches sources until there are no more, or nobody takes the profiles.
///
/// A source is taken in when there is room for it, and has its room until its profile is taken: neither channel nor work grows. Dropping
/// the future ends all that is under way.
pub async fn enrich<L>(
    enricher: Arc<Enricher<L>>,
    mut sources: mpsc::Receiver<Source>,
    profiles: mpsc::Sender<Profile>,
    progress: Arc<Progress>,
) where
    L: Lookup + Send + Sync + 'static,
{
    let room = Arc::new(Semaphore::new(enricher.work_limits.at_once.max(1)));
    let seen = Recent::new(enricher.work_limits.remembered);
    let mut tasks = JoinSet::new();
    while let Ok(permit) = Arc::clone(&room).acquire_owned().await {
        while let Some(ended) = tasks.try_join_next() {
            note(&progress, &ended);
        }
        let next = tokio::select! {
            next = sources.recv() => next,
            () = profiles.closed() => None,
        };
        let Some(source) = next else { break };
        count(&progress.taken);
        let mut new = false;
        seen.get_or(source.address.to_canonical(), |()| true, || new = true);
        if !new {
            count(&progress.repeated);
            continue;
        }
        let (enricher, profiles, progress) = (Arc::clone(&enricher), profiles.clone(), Arc::clone(&progress));
        tasks.spawn(async move {
            let profile = enricher.profile(&source).await;
            let gaps = !profile.gaps.is_empty();
            if profiles.send(profile).await.is_ok() {
                count(&progress.done);
                if gaps {
                    count(&progress.with_gaps);
                }
            }
            drop(permit);
        });
    }
    while let Some(ended) = tasks.join_next().await {
        note(&progress, &ended);
    }
}

fn note(progress: &Progress, ended: &Result<(), tokio::task::JoinError>) {
    if ended.as_ref().is_err_and(tokio::task::JoinError::is_panic) {
        count(&progress.broken);
    }
}
