//! SPF with warm, parsed records: evaluations with their trace against mail-auth's without one, and the compiled form.
//!
//! The domain has networks of its own and three providers, one of which includes three more records, as the large ones do. Clients are
//! spread over all of them; one in four is nobody's. Both sides answer from a hash map in memory. Processor time of one thread is
//! measured, so that a busy machine does not matter. One line of JSON a measurement; see `cargo xtask bench`.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bench::peer::Peer;
use cpu_time::ThreadTime;
use dns::{Data, Name, Zone, now};
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{Parameters, Txt};
use message::ReversePath;
use spf::{Client, Limits, check_mail_from, compile};

/// Runs of each; the median counts.
const RUNS: usize = 9;
const EVALUATIONS: usize = 100_000;
const ADDRESSES: usize = 5_000_000;

fn main() {
    let records = records();
    let clients = clients();
    let zone = zone(&records);
    let parsed = |text: &str| Txt::Spf(Arc::new(mail_auth::spf::Spf::parse(text.as_bytes()).expect("a record")));
    let peer = Peer::new(records.iter().map(|(name, record)| ((*name).to_owned(), parsed(record))));
    for ip in &clients {
        assert_eq!(ours(&zone, *ip).as_str(), theirs(&peer, *ip), "both must say the same about {ip}");
    }
    let name = Name::parse(DOMAIN).expect("a name");
    let compiled = now(compile(&zone, &name, &Limits::default()));
    let many: Vec<IpAddr> = clients.iter().copied().cycle().take(4096).collect();
    let path = ReversePath::parse(Some(FROM.as_bytes()));
    let evaluations: Vec<spf::Evaluation> = clients
        .iter()
        .map(|ip| now(check_mail_from(&zone, &Client::new(*ip, HELO), &path, &Limits::default())))
        .collect();
    let mut recorded: Vec<Vec<spf::Visit>> =
        evaluations.iter().map(|evaluation| evaluation.trace.visits().to_vec()).collect();
    let [evaluating, parsed, their_time, looking_up, copying, recording] = medians([
        &mut || clients.iter().cycle().take(EVALUATIONS).for_each(|ip| _ = black_box(ours(&zone, *ip))),
        &mut || {
            let mut client = Client::new(clients[0], HELO);
            for ip in clients.iter().cycle().take(EVALUATIONS) {
                client.ip = *ip;
                black_box(now(check_mail_from(&zone, &client, &path, &Limits::default())));
            }
        },
        &mut || clients.iter().cycle().take(EVALUATIONS).for_each(|ip| _ = black_box(theirs(&peer, *ip))),
        &mut || {
            let mut sum = 0;
            for ip in many.iter().cycle().take(ADDRESSES) {
                sum += compiled.index(*ip);
            }
            black_box(sum);
        },
        &mut || {
            evaluations
                .iter()
                .cycle()
                .take(EVALUATIONS)
                .for_each(|evaluation| drop(black_box(evaluation.trace.clone())))
        },
        // As an evaluation does it: memory is got, each visit is moved to its place, and at last the memory is given back.
        &mut || {
            for n in 0..EVALUATIONS {
                let at = n % recorded.len();
                let mut trace = Vec::with_capacity(12);
                recorded[at].drain(..).for_each(|visit| trace.push(black_box(visit)));
                recorded[at] = black_box(trace);
            }
        },
    ]);
    let rate = |count: usize, time: Duration| count as f64 / time.as_secs_f64();
    let line = |what: &str, ours: f64, peer: Option<f64>, goal: Option<f64>| {
        let line = serde_json::json!({
            "what": what, "unit": "per s", "ours": ours, "peer": peer, "peer_name": peer.map(|_| "mail-auth"),
            "goal": goal.map(|goal| format!("{} million", goal / 1e6)), "met": goal.map(|goal| ours >= goal),
        });
        println!("{line}");
    };
    let their_rate = rate(EVALUATIONS, their_time);
    line(
        "SPF evaluations, records warm, envelope read each time",
        rate(EVALUATIONS, evaluating),
        Some(their_rate),
        Some(1e6),
    );
    line("SPF evaluations, records warm, envelope read once", rate(EVALUATIONS, parsed), Some(their_rate), Some(1e6));
    // What the trace costs: names and records are held by an evaluation in any case, so it has to move them into place. A copy counts
    // them as well.
    let share = 100.0 * recording.as_secs_f64() / (evaluating - recording).as_secs_f64();
    let line_of_share = serde_json::json!({
        "what": "SPF, what an evaluation with its trace takes more than one without", "unit": "%",
        "ours": share, "goal": "5", "met": share < 5.0,
    });
    println!("{line_of_share}");
    line("SPF traces copied and dropped", rate(EVALUATIONS, copying), None, None);
    line("SPF compiled, addresses", rate(ADDRESSES, looking_up), None, Some(1e7));
}

const DOMAIN: &str = "example.com";
const HELO: &str = "mail.example.net";
const FROM: &str = "someone@example.com";

/// Names and their SPF records; 55 networks in all.
fn records() -> Vec<(&'static str, String)> {
    let networks = |first: u8, count: u8, bits: u8| {
        (0..count).map(|n| format!("ip4:{first}.{}.{}.0/{bits}", 10 + n * 3, n * 7)).collect::<Vec<_>>().join(" ")
    };
    vec![
        (
            DOMAIN,
            format!(
                "v=spf1 {} include:_spf.big.example include:spf.mailer.example include:crm.example -all",
                networks(20, 4, 24)
            ),
        ),
        ("_spf.big.example", "v=spf1 include:_a.big.example include:_b.big.example include:_c.big.example ~all".into()),
        ("_a.big.example", format!("v=spf1 {} ~all", networks(35, 12, 20))),
        ("_b.big.example", format!("v=spf1 ip6:2001:db8:1::/48 ip6:2001:db8:2::/48 {} ~all", networks(64, 8, 19))),
        ("_c.big.example", format!("v=spf1 {} ~all", networks(108, 10, 20))),
        ("spf.mailer.example", format!("v=spf1 {} ~all", networks(167, 12, 22))),
        ("crm.example", format!("v=spf1 {} -all", networks(198, 7, 24))),
    ]
}

/// Sixteen clients: three of each of the domain's own networks, the providers' first, middle and last; and nobody's.
fn clients() -> Vec<IpAddr> {
    let of = |first: u8, n: u8| IpAddr::V4(Ipv4Addr::new(first, 10 + n * 3, n * 7, 9));
    let mut all = vec![
        of(20, 0),
        of(20, 3),
        of(35, 2),
        of(35, 11),
        of(64, 0),
        of(64, 7),
        of(108, 0),
        of(108, 9),
        of(167, 1),
        of(167, 11),
    ];
    all.extend([of(198, 0), of(198, 6), of(9, 9), of(203, 1), of(1, 1), of(250, 2)]);
    all
}

fn zone(records: &[(&str, String)]) -> Zone {
    let mut zone = Zone::new();
    for (name, record) in records {
        zone.add(&Name::parse(name).expect("a name"), 300, Data::Txt(record.clone().into_bytes().into()));
    }
    zone
}

fn ours(zone: &Zone, ip: IpAddr) -> spf::SpfResult {
    let path = ReversePath::parse(Some(FROM.as_bytes()));
    let evaluation = now(check_mail_from(zone, &Client::new(ip, HELO), &path, &Limits::default()));
    black_box(&evaluation).result
}

fn theirs(peer: &Peer, ip: IpAddr) -> &'static str {
    let parameters = SpfParameters::verify_mail_from(ip, HELO, "mx.example.org", FROM);
    let output = now(peer.authenticator.verify_spf(Parameters::new(parameters).with_txt_cache(&peer.cache)));
    match output.result() {
        mail_auth::SpfResult::Pass => "pass",
        mail_auth::SpfResult::Fail => "fail",
        mail_auth::SpfResult::SoftFail => "softfail",
        mail_auth::SpfResult::Neutral => "neutral",
        _ => "error",
    }
}

/// The median of several runs of each, one after the other, so that what slows the machine slows all.
fn medians<const N: usize>(mut jobs: [&mut dyn FnMut(); N]) -> [Duration; N] {
    let mut times: [Vec<Duration>; N] = std::array::from_fn(|_| Vec::new());
    for _ in 0..RUNS {
        for (job, times) in jobs.iter_mut().zip(&mut times) {
            let start = ThreadTime::now();
            job();
            times.push(start.elapsed());
        }
    }
    times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2]
    })
}
