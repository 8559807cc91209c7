//! 100,000 new sources against a DNS server on loopback: how long that takes, and how much memory.
//!
//! `cargo run -p enrich --example hundred_thousand [COUNT]`. Half of the sources fail and are asked about at two lists; an eighth has a
//! broken name server. The zone and its server live in the same process and are measured before the work begins.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement that cannot go on ends")]

#[path = "../../resolver/tests/network/server.rs"]
mod server;
#[path = "../tests/shared/world.rs"]
mod world;

use std::sync::Arc;
use std::time::Instant;

use enrich::{Clock, Enricher, Progress, ZoneLimits, ZoneList, enrich};
use resolver::{Network, NetworkLimits};
use tokio::sync::mpsc;

/// Memory that this process uses now and used at most, in MB.
fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.trim().split(' ').next().and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or_default() / 1_024
    };
    (of("VmRSS:"), of("VmHWM:"))
}

#[tokio::main]
async fn main() {
    let count = std::env::args().nth(1).map_or(100_000, |count| count.parse().unwrap());
    let server = server::start(world::zone(count)).await;
    let network = Network::servers(&[server], NetworkLimits::default()).unwrap();
    let limits = ZoneLimits { daily: 1_000_000, ..ZoneLimits::default() };
    let zones = world::lists(|definition| ZoneList::new(definition, None, limits).unwrap());
    let enricher = Arc::new(Enricher { zones, ..Enricher::new(network, Clock::new(|| 20_000 * 86_400)) });
    let (offer, offered) = mpsc::channel(64);
    let (give, mut given) = mpsc::channel(64);
    let progress = Arc::new(Progress::default());
    let (before, _) = memory();
    let began = Instant::now();
    tokio::spawn(async move {
        for source in world::sources(count) {
            offer.send(source).await.unwrap();
        }
    });
    tokio::spawn(enrich(Arc::clone(&enricher), offered, give, Arc::clone(&progress)));
    let mut graded = 0_u32;
    while let Some(profile) = given.recv().await {
        graded += u32::from(profile.grade.is_some());
    }
    let seconds = began.elapsed().as_secs_f64();
    let (after, most) = memory();
    let questions: u32 = enricher.zones.iter().map(ZoneList::questions).sum();
    println!("{:?}", progress.counts());
    println!("{graded} grades, {questions} questions to lists");
    println!("{seconds:.1} s: {:.0} sources a second", f64::from(count) / seconds);
    println!("memory: {before} MB with the zone before, {after} MB after, {most} MB at most");
}
