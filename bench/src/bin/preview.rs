//! How fast a preview is: a ledger of ten million rows about one domain, other policies and other SPF records.
//!
//! Rows are those of `scenario::load`, all in the name of one organizational domain, over thirty days. They are taken in once, and flows
//! are judged once; then previews are timed by the clock, on all cores, as a page would wait for them.
//!
//! `preview [DIR] [--rows 10000000] [--days 30] [--runs 7] [--domains 1] [--sources 200000]` prints a table in Markdown, with the memory that
//! taking in and judging took. A directory that has a ledger is used as it is.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bench::peak_memory;
use insight::{Organisation, WhatIf};
use report::{DispositionTotals, Finished, Identity, Policy, Row, Totals};
use scenario::load;
use store::Ledger;

/// 2025-10-22.
const RECEIVED: i64 = 1_761_091_200;

fn main() {
    let mut options = load::Options { rows: 10_000_000, domains: 1, ..load::Options::default() };
    let (mut dir, mut runs) = (None, 7_usize);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().and_then(|value| value.parse::<u64>().ok()).expect("a number");
        match &*argument {
            "--rows" => options.rows = value(),
            "--days" => options.days = u16::try_from(value()).expect("days"),
            "--domains" => options.domains = u32::try_from(value()).expect("domains"),
            "--sources" => options.sources = u32::try_from(value()).expect("sources"),
            "--runs" => runs = usize::try_from(value()).expect("runs"),
            path => dir = Some(PathBuf::from(path)),
        }
    }
    let dir = dir.unwrap_or_else(|| tempfile::tempdir().expect("a temporary directory").keep());
    println!("| what | figure |\n| --- | --- |");
    if !dir.join("catalog.sqlite").exists() {
        let start = Instant::now();
        take(&Ledger::open(&dir).expect("a ledger"), &options);
        println!("| taking in | {:.1} s |", start.elapsed().as_secs_f64());
        println!("| peak memory, taken in | {} MB |", peak_memory() / 1_000_000);
    }
    let ledger = Ledger::open(&dir).expect("a ledger");
    let start = Instant::now();
    let (organisation, catalogue) = (Organisation::default(), enrich::Catalogue::bundled());
    let (_, last) = ledger.span().expect("days").expect("rows");
    insight::refresh_flows(&ledger, &organisation, &catalogue, last).expect("judged");
    println!("| cells of all days, and judging | {:.1} s |", start.elapsed().as_secs_f64());
    println!("| peak memory, judged | {} MB |", peak_memory() / 1_000_000);
    let known = insight::known(&ledger, 1).expect("known");
    let domain = store::organizational_domain(known.domains.first().expect("a domain")).to_string();
    println!("| rows; domain; cores | {}; {domain}; {} |", ledger.counters().expect("counters").rows, cores());
    let zone = format!(
        "{domain}. TXT \"v=spf1 include:a.test include:b.test ip4:198.51.100.0/24 ~all\"\n\
         a.test. TXT \"v=spf1 ip4:0.0.0.0/2 -all\"\nb.test. TXT \"v=spf1 ip4:64.0.0.0/3 -all\"\n"
    );
    let base = WhatIf { domain, subdomains: true, zone: Some(zone), ..WhatIf::default() };
    let all = |policy| WhatIf { p: Some(policy), sp: Some(policy), np: Some(policy), ..base.clone() };
    let strict = Some(report::Alignment::Strict);
    let cases = [
        ("p=reject", all(Policy::Reject)),
        ("strict alignment", WhatIf { adkim: strict, aspf: strict, ..all(Policy::Quarantine) }),
        ("an include removed", WhatIf { remove_includes: vec!["a.test".to_owned()], ..all(Policy::Quarantine) }),
    ];
    for (name, what_if) in cases {
        let mut times: Vec<Duration> = (0..runs)
            .map(|_| {
                let start = Instant::now();
                std::hint::black_box(insight::preview(&ledger, &what_if).expect("a preview"));
                start.elapsed()
            })
            .collect();
        times.sort_unstable();
        println!("| **preview: {name}**, median of {runs} | {:.2} s |", times[runs / 2].as_secs_f64());
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Takes the rows in, neither written as files nor read.
fn take(ledger: &Ledger, options: &load::Options) {
    let mut intake = ledger.intake().expect("an intake");
    let mut row = Row::default();
    for (number, (report, mut rows)) in (0_u64..).zip(load::reports(options)) {
        let bytes = number.to_le_bytes();
        let kept = ledger.keep(&mut &bytes[..], "bench", RECEIVED).expect("kept").key;
        let (mut key, mut content) = ([0; 16], [0; 32]);
        key[..8].copy_from_slice(&bytes);
        content[..8].copy_from_slice(&bytes);
        let totals = Totals { disposition: DispositionTotals::default(), ..Totals::default() };
        intake.begin_item(&kept).expect("item");
        intake.begin_report(&report, None).expect("report");
        while rows.fill(&mut row) {
            intake.row(&row).expect("row");
        }
        let identity = Identity { key, content };
        intake.end_report(&Finished { flaws: Vec::new(), totals, bad_rows: 0, identity }).expect("end");
        intake.end_item().expect("end");
    }
    intake.finish().expect("finished");
}
