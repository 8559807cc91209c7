//! What the benchmarks share: reports to measure with, and medians of several runs.
//!
//! In: the suites (`LAMPPOST_SUITES`, default `../shared/suites`), where they are there. Out: numbers. Nothing here is part of the product.

pub mod differential;
pub mod mail;
pub mod peer;
pub mod report_mail;
pub mod timing;

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use cpu_time::ThreadTime;
use flate2::Compression;
use flate2::write::GzEncoder;
use report::{AuthResult, Disposition, DkimResult, Interval, Policy, Report, Row, SpfResult, SpfScope, Text};

/// A report as it arrives and as it is.
pub struct Sample {
    /// XML.
    pub xml: Vec<u8>,
    /// The same, compressed.
    pub gzip: Vec<u8>,
}

impl Sample {
    fn new(xml: Vec<u8>) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&xml).expect("memory does not fail");
        let gzip = encoder.finish().expect("memory does not fail");
        Self { xml, gzip }
    }
}

/// Every real report of the suites that is XML; none where there are no suites.
pub fn real_reports() -> Vec<Sample> {
    let suites = std::env::var_os("LAMPPOST_SUITES").map_or_else(|| PathBuf::from("../shared/suites"), PathBuf::from);
    let Ok(manifest) = std::fs::read_to_string(suites.join("reports/manifest.jsonl")) else {
        eprintln!("no suites at {}: only generated reports are measured (set LAMPPOST_SUITES)", suites.display());
        return Vec::new();
    };
    let lines = manifest.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let whole = lines.filter(|line| line.get("error").is_none());
    let files = whole.filter_map(|line| line["file"].as_str().map(|file| suites.join("reports").join(file)));
    files.filter_map(|file| std::fs::read(file).ok()).map(Sample::new).collect()
}

/// A generated report of so many rows, as varied as those of a large mailbox provider.
pub fn generated_report(rows: u64, seed: u64) -> Sample {
    let mut random = Random(seed);
    let mut report = Report::default();
    report.reporter.organization = Text::new("Large Provider");
    report.reporter.email = Text::new("noreply-dmarc@provider.example");
    report.report_id = Text::from(format!("{seed}.{rows}"));
    report.interval = Interval { begin: 1_766_448_000, end: 1_766_534_399 };
    report.policy.domain = Text::new("halden.example");
    report.policy.p = Some(Policy::Quarantine);
    let rows: Vec<Row> = (0..rows).map(|_| generated_row(&mut random)).collect();
    let mut xml = Vec::new();
    report::write(&mut xml, &report, &rows).expect("memory does not fail");
    Sample::new(xml)
}

fn generated_row(random: &mut Random) -> Row {
    const AUTHORS: [&str; 4] = ["halden.example", "news.halden.example", "shop.halden.example", "halden.example"];
    const SENDERS: [&str; 5] = [
        "halden.example",
        "bounces.mailer.example",
        "em1234.newsletter.example",
        "crm.example",
        "forwarder.example.net",
    ];
    const RESULTS: [AuthResult; 4] = [AuthResult::Pass, AuthResult::Pass, AuthResult::Fail, AuthResult::None];
    let author = AUTHORS[random.below(4)];
    let signatures = 1 + random.below(2);
    let dkim = (0..signatures)
        .map(|_| DkimResult {
            domain: Text::new(SENDERS[random.below(5)]),
            selector: Some(Text::from(format!("s{}", random.below(9)))),
            result: RESULTS[random.below(4)],
            human_result: None,
        })
        .collect();
    let sender = SENDERS[random.below(5)];
    Row {
        source: IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(random.below(1 << 32)).unwrap_or_default())),
        count: 1 + random.below(200) as u64,
        author_domain: Text::new(author),
        envelope_from: Some(Text::new(sender)),
        envelope_to: None,
        disposition: if random.below(8) == 0 { Disposition::Quarantine } else { Disposition::None },
        dkim_aligned: random.below(4) > 0,
        spf_aligned: random.below(3) > 0,
        overrides: Vec::new(),
        dkim,
        spf: vec![SpfResult {
            domain: Text::new(sender),
            scope: Some(SpfScope::Mfrom),
            result: RESULTS[random.below(4)],
            human_result: None,
        }],
    }
}

/// A small generator (SplitMix64): the same numbers everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

/// Runs each job in turn, several times over, so that all of them meet the same weather. The median of each, in time of this thread's
/// processor: what else runs on the machine does not count.
pub fn medians(runs: usize, jobs: &mut [&mut dyn FnMut()]) -> Vec<Duration> {
    let mut times = vec![Vec::new(); jobs.len()];
    for _ in 0..runs {
        for (job, times) in jobs.iter_mut().zip(&mut times) {
            let start = ThreadTime::now();
            job();
            times.push(start.elapsed());
        }
    }
    times
        .into_iter()
        .map(|mut times| {
            times.sort_unstable();
            times[times.len() / 2]
        })
        .collect()
}

/// The most memory this process has had, in bytes (Linux).
pub fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() * 1024
}
