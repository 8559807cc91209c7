//! Thousands of new sources against a DNS server on loopback: names, forged names, lists and faults; killed in the middle and begun again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

#[path = "../../resolver/tests/network/server.rs"]
mod server;
#[path = "shared/world.rs"]
mod world;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dns::{Lookup, Name, RecordType, Response, Zone};
use enrich::{
    Band, Clock, Enricher, NameGrade, Profile, Progress, ProgressCounts, Source, WorkLimits, ZoneLimits, ZoneList,
    enrich,
};
use report::Day;
use resolver::{Network, NetworkLimits};
use tokio::sync::mpsc;
use world::{Kind, address, kind, lists, sources, zone};

/// Some noon.
const NOON: i64 = 20_000 * 86_400 + 43_200;

fn clock() -> Clock {
    Clock::new(|| NOON)
}

fn enricher<L: Lookup>(dns: L) -> Enricher<L> {
    let zones = lists(|definition| ZoneList::new(definition, None, ZoneLimits::default()).unwrap());
    let own = vec![Name::parse("ours.example").unwrap()];
    Enricher { zones, own, ..Enricher::new(dns, clock()) }
}

/// Runs sources through, and takes the first so many profiles; then everything is dropped as if killed.
async fn run<L>(enricher: &Arc<Enricher<L>>, sources: Vec<Source>, most: usize) -> (Vec<Profile>, ProgressCounts)
where
    L: Lookup + Send + Sync + 'static,
{
    let (offer, offered) = mpsc::channel(16);
    let (give, mut given) = mpsc::channel(16);
    let progress = Arc::new(Progress::default());
    let offering = tokio::spawn(async move {
        for source in sources {
            if offer.send(source).await.is_err() {
                break;
            }
        }
    });
    let working = tokio::spawn(enrich(Arc::clone(enricher), offered, give, Arc::clone(&progress)));
    let mut profiles = Vec::new();
    while profiles.len() < most {
        let Some(profile) = given.recv().await else { break };
        profiles.push(profile);
    }
    if profiles.len() == most {
        working.abort();
    } else {
        working.await.unwrap();
    }
    offering.abort();
    (profiles, progress.counts())
}

/// What must be so of a profile, by what its source was made to be.
fn check(number: u32, profile: &Profile) {
    let why = format!("{number} {:?}: {profile:#?}", kind(number));
    let named = profile.named.as_ref().map(|named| named.grade);
    let tenths = profile.grade.map(enrich::Grade::in_tenths);
    let expected = match kind(number) {
        Kind::MailHost => (Some(NameGrade::MailHost), None, Band::Neutral, 0),
        Kind::Known | Kind::Ours => (Some(NameGrade::Known), None, Band::Good, 0),
        Kind::Generic => (Some(NameGrade::Generic), Some(-82), Band::Suspicious, 0),
        Kind::Forged => (Some(NameGrade::Unconfirmed), None, Band::Suspicious, 0),
        Kind::Nameless => (Some(NameGrade::Unconfirmed), Some(-40), Band::Suspicious, 0),
        Kind::Broken => (None, None, Band::Unknown, 1),
        Kind::Forwarder => (Some(NameGrade::MailHost), Some(50), Band::Good, 0),
    };
    assert_eq!((named, tenths, profile.standing().band, profile.gaps.len()), expected, "{why}");
    assert_eq!(profile.learned, Day::of(NOON), "{why}");
    if kind(number) == Kind::Forged {
        assert!(profile.names.confirmed.is_empty() && profile.services.is_empty(), "a forged name is no name: {why}");
        assert_eq!(profile.names.claimed.len(), 1, "{why}");
    }
    if kind(number) == Kind::Known {
        assert!(profile.services[0].is_operator() && profile.services[0].id == "sendgrid", "{why}");
    }
    let stored = serde_json::to_string(profile).unwrap();
    assert_eq!(&serde_json::from_str::<Profile>(&stored).unwrap(), profile, "stored and read back");
}

fn by_address(profiles: &[Profile]) -> HashMap<IpAddr, &Profile> {
    let map: HashMap<_, _> = profiles.iter().map(|profile| (profile.address, profile)).collect();
    assert_eq!(map.len(), profiles.len(), "each source once");
    map
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_over_the_network() {
    const COUNT: u32 = 4_000;
    let server = server::start(zone(COUNT)).await;
    let enricher = Arc::new(enricher(Network::servers(&[server], NetworkLimits::default()).unwrap()));
    // Each source is offered twice.
    let offered = sources(COUNT).flat_map(|source| [source.clone(), source]).collect();
    let (profiles, counts) = run(&enricher, offered, usize::MAX).await;
    let profiles = by_address(&profiles);
    assert_eq!(profiles.len(), COUNT as usize);
    for number in 0..COUNT {
        check(number, profiles[&address(number)]);
    }
    let broken = (0..COUNT).filter(|number| kind(*number) == Kind::Broken).count();
    let (all, broken) = (u64::from(COUNT), broken as u64);
    assert_eq!(counts, ProgressCounts { taken: 2 * all, repeated: all, done: all, with_gaps: broken, broken: 0 });
    let failing = sources(COUNT).filter(|source| source.failing).count();
    for list in &enricher.zones {
        assert_eq!(list.questions() as usize, failing + 2, "{list:?}: only sources that fail, once each, and its test");
    }
}

/// Counts how many questions are out at once.
struct Crowd {
    zone: Zone,
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Lookup for Crowd {
    async fn lookup(&self, name: &Name, kind: RecordType) -> Response {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(30)).await;
        self.now.fetch_sub(1, Ordering::SeqCst);
        self.zone.answer(name, kind)
    }
}

fn crowd(count: u32) -> Crowd {
    Crowd { zone: zone(count), now: 0.into(), most: 0.into() }
}

#[tokio::test(start_paused = true)]
async fn no_more_at_once_than_allowed_and_no_fewer() {
    const COUNT: u32 = 2_000;
    let enricher = Arc::new(enricher(crowd(COUNT)));
    let began = tokio::time::Instant::now();
    let (profiles, _) = run(&enricher, sources(COUNT).collect(), usize::MAX).await;
    assert_eq!(profiles.len(), COUNT as usize);
    assert_eq!(enricher.dns.most.load(Ordering::SeqCst), WorkLimits::default().at_once);
    let seconds = began.elapsed().as_secs_f64();
    println!("{COUNT} sources in {seconds:.1} s of 30 ms answers");
    assert!(seconds < f64::from(COUNT) * 0.03 * 4.0 / 64.0 * 1.2, "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn nobody_takes_the_profiles_so_nothing_more_is_asked() {
    const COUNT: u32 = 2_000;
    let enricher = Arc::new(enricher(crowd(COUNT)));
    let (offer, offered) = mpsc::channel(COUNT as usize);
    for source in sources(COUNT) {
        offer.send(source).await.unwrap();
    }
    let (give, mut given) = mpsc::channel(1);
    let progress = Arc::new(Progress::default());
    let working = tokio::spawn(enrich(Arc::clone(&enricher), offered, give, Arc::clone(&progress)));
    tokio::time::sleep(Duration::from_mins(10)).await;
    let at_once = WorkLimits::default().at_once as u64;
    assert!(progress.counts().taken <= at_once + 1, "{:?}: work waits for the caller", progress.counts());
    // He stops taking any: the run ends by itself, though there are more sources.
    given.close();
    while given.recv().await.is_some() {}
    working.await.unwrap();
    assert!(!offer.is_closed() || progress.counts().taken < u64::from(COUNT));
}

#[tokio::test(start_paused = true)]
async fn killed_again_and_again_it_still_gets_there() {
    const COUNT: u32 = 1_500;
    let enricher = Arc::new(enricher(crowd(COUNT)));
    let mut stored: HashMap<IpAddr, Profile> = HashMap::new();
    let (mut runs, mut taken) = (0, 0);
    // The caller offers what it has not stored, and is killed after some profiles.
    while stored.len() < COUNT as usize {
        let left = sources(COUNT).filter(|source| !stored.contains_key(&source.address)).collect();
        let (profiles, counts) = run(&enricher, left, 137).await;
        stored.extend(profiles.into_iter().map(|profile| (profile.address, profile)));
        runs += 1;
        taken += counts.taken;
    }
    for number in 0..COUNT {
        check(number, &stored[&address(number)]);
    }
    let lost = taken - u64::from(COUNT);
    println!("{runs} runs, {lost} sources asked again");
    let at_once = WorkLimits::default().at_once as u64;
    // Under way, or done and in the channel when it was killed.
    assert!(runs > 10 && lost <= (runs - 1) * (at_once + 16), "{lost} in {runs} runs");
}

/// Panics over one source.
struct Trap(Zone);

impl Lookup for Trap {
    async fn lookup(&self, name: &Name, kind: RecordType) -> Response {
        assert_ne!(name.to_string(), "7.0.18.198.in-addr.arpa", "the trap");
        self.0.answer(name, kind)
    }
}

#[tokio::test]
async fn a_defect_over_one_source_costs_that_source() {
    assert_eq!(address(7).to_string(), "198.18.0.7");
    let enricher = Arc::new(enricher(Trap(zone(100))));
    let (profiles, counts) = run(&enricher, sources(100).collect(), usize::MAX).await;
    assert_eq!((profiles.len(), counts.broken, counts.done), (99, 1, 99));
}

/// Never answers.
struct Silence;

impl Lookup for Silence {
    async fn lookup(&self, _: &Name, _: RecordType) -> Response {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn silence_costs_a_minute_and_no_more() {
    let enricher = Arc::new(enricher(Silence));
    let began = tokio::time::Instant::now();
    let profile = enricher.profile(&Source { failing: true, ..Source::new("198.18.0.1".parse().unwrap()) }).await;
    assert_eq!(began.elapsed(), WorkLimits::default().time);
    assert_eq!((profile.named, profile.grade), (None, None));
    assert_eq!(profile.gaps.len(), 1 + enricher.zones.len(), "{:?}", profile.gaps);
}

#[tokio::test]
async fn lists_are_asked_about_public_addresses_that_fail_and_are_undecided() {
    let cases = [
        ("198.18.0.1", true, false, true, "fails, undecided"),
        ("198.18.0.1", false, false, false, "passes"),
        ("198.18.0.1", true, true, false, "decided"),
        ("10.1.2.3", true, false, false, "private"),
        ("127.0.0.2", true, false, false, "loopback"),
        ("100.64.0.1", true, false, false, "shared"),
        ("169.254.0.1", true, false, false, "link-local"),
        ("fd00::1", true, false, false, "unique local"),
        ("fe80::1", true, false, false, "link-local, IPv6"),
        ("::ffff:10.1.2.3", true, false, false, "private, written as IPv6"),
        ("2001:db8::1", true, false, true, "IPv6"),
    ];
    for (address, failing, decided, asked, why) in cases {
        let enricher = enricher(zone(10));
        enricher.profile(&Source { failing, decided, ..Source::new(address.parse().unwrap()) }).await;
        assert_eq!(enricher.zones[0].questions() > 0, asked, "{why}");
    }
}
