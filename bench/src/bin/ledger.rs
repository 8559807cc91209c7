//! How fast the ledger takes rows in, and how fast it answers what the portal asks.
//!
//! Synthetic reports go straight into an intake, so that neither reading nor unpacking is measured. One company: one domain holds
//! 30 % of the rows, 2,000 others share the rest; a million sources, a few of which send most; 300 reporters.
//!
//! `ledger [DIR] --rows 10000000 --days 365 [--order day|reporter] [--runs 15] [--keep]` prints a table in Markdown.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bench::peak_memory;
use cpu_time::ProcessTime;
use insight::{GroupBy, Period, Scope, SortBy, SourceOrder};
use report::{
    Alignment, AuthResult, Disposition, DispositionTotals, DkimResult, Finished, Identity, Interval, Override,
    OverrideKind, Policy, PolicyPublished, Report, Reporter, Row, SpfResult, SpfScope, Text, Totals,
};
use store::{Ledger, RawKey};

const DAY: i64 = 86_400;
/// 2025-01-01.
const FIRST: i64 = 20_089 * DAY;
const DOMAINS: usize = 2_000;
const SOURCES: f64 = 1_000_000.0;
/// Ways in which mail is sent: who signs, whose envelope, with what result.
const FLOWS: usize = 20_000;
const REPORTERS: u64 = 300;
const LARGE: u64 = 3_000;

fn main() {
    let options = Options::parse();
    println!("| what | figure |\n| --- | --- |");
    if !options.dir.join("catalog.sqlite").exists() {
        small_reports(&options);
        let ledger = Ledger::open(&options.dir).expect("ledger");
        import(&ledger, &options);
        let (time, compacted) = timed(|| ledger.compact().expect("compact"));
        println!(
            "| compaction: {} segments to {}, {} rows | {} |",
            compacted.before,
            compacted.after,
            compacted.rows,
            time.text()
        );
    }
    let ledger = Ledger::read(&options.dir).expect("ledger");
    let counters = ledger.counters().expect("counters");
    let per_row = counters.segment_bytes as f64 / counters.rows as f64;
    println!("| rows; segments; bytes a row | {}; {}; {per_row:.1} |", counters.rows, counters.segments);
    let catalog = std::fs::metadata(options.dir.join("catalog.sqlite")).map_or(0, |m| m.len());
    println!("| catalog | {} MB |", catalog >> 20);
    println!("| peak memory after taking in | {} MB |", peak_memory() >> 20);
    questions(&ledger, &options);
    println!("| peak memory | {} MB |", peak_memory() >> 20);
}

struct Options {
    dir: PathBuf,
    rows: u64,
    days: u64,
    by_reporter: bool,
    runs: usize,
}

/// Where the ledger goes if no directory is named; the system clears it away.
fn scratch() -> PathBuf {
    tempfile::tempdir().expect("a temporary directory").keep()
}

impl Options {
    fn parse() -> Self {
        let mut arguments = std::env::args().skip(1);
        let mut options = Self {
            dir: arguments.next().map_or_else(scratch, PathBuf::from),
            rows: 1_000_000,
            days: 365,
            by_reporter: false,
            runs: 15,
        };
        while let Some(name) = arguments.next() {
            let value = arguments.next().expect("a value");
            match &*name {
                "--rows" => options.rows = value.parse().expect("rows"),
                "--days" => options.days = value.parse().expect("days"),
                "--runs" => options.runs = value.parse().expect("runs"),
                "--order" => options.by_reporter = value == "reporter",
                _ => panic!("unknown option {name}"),
            }
        }
        options
    }
}

/// Wall and processor time.
struct Took(Duration, Duration);

impl Took {
    fn text(&self) -> String {
        format!("{:.2} s, {:.2} s of processor", self.0.as_secs_f64(), self.1.as_secs_f64())
    }
}

fn timed<T>(act: impl FnOnce() -> T) -> (Took, T) {
    let (wall, cpu) = (Instant::now(), ProcessTime::now());
    let result = act();
    (Took(wall.elapsed(), cpu.elapsed()), result)
}

/// Repeatable numbers.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    fn fraction(&mut self) -> f64 {
        self.next() as f64 / u64::MAX as f64
    }

    /// A rank from 1 on, each as likely as 1 / rank.
    fn zipf(&mut self, end: f64) -> u64 {
        end.powf(self.fraction()) as u64
    }
}

fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn domain(number: usize) -> Text {
    match number {
        0 => "example.com".into(),
        n if n % 4 == 0 => format!("mail.d{}.example.net", n / 4).into(),
        n => format!("d{n}.example.org").into(),
    }
}

/// Rows to be given another source, count and author domain.
fn flows() -> Vec<Row> {
    let mut dice = Dice(11);
    let result = |dice: &mut Dice| {
        [AuthResult::Pass, AuthResult::Pass, AuthResult::Pass, AuthResult::Fail, AuthResult::None]
            [dice.below(5) as usize]
    };
    let mut flow = |n: usize| {
        let esp: Text = format!("esp{}.example", n % 700).into();
        let dkim = (0..dice.below(3)).map(|i| DkimResult {
            domain: if i == 0 { esp.clone() } else { domain(n % DOMAINS) },
            selector: Some(format!("s{}", n % 40).into()),
            result: result(&mut dice),
            human_result: None,
        });
        let dkim: Vec<_> = dkim.collect();
        let envelope: Text = format!("bounce{}.{esp}", n % 9).into();
        let spf = SpfResult {
            domain: envelope.clone(),
            scope: Some(SpfScope::Mfrom),
            result: result(&mut dice),
            human_result: None,
        };
        let overrides =
            if n % 30 == 0 { vec![Override { kind: OverrideKind::Forwarded, comment: None }] } else { Vec::new() };
        Row {
            source: Ipv4Addr::UNSPECIFIED.into(),
            count: 0,
            author_domain: Text::default(),
            envelope_from: (n % 3 > 0).then_some(envelope),
            envelope_to: None,
            disposition: [Disposition::None, Disposition::None, Disposition::Quarantine, Disposition::Reject]
                [dice.below(4) as usize],
            dkim_aligned: dice.below(3) > 0,
            spf_aligned: dice.below(3) > 0,
            overrides,
            dkim,
            spf: vec![spf],
        }
    };
    (0..FLOWS).map(&mut flow).collect()
}

/// One report to be made: by whom, about what, with how many rows.
#[derive(Clone, Copy)]
struct Job {
    reporter: u64,
    day: u64,
    domain: usize,
    rows: u64,
    number: u64,
}

/// The reports of all days: large ones of a few reporters, small ones of all.
fn jobs(options: &Options) -> Vec<Job> {
    let mut dice = Dice(3);
    let mut jobs = Vec::new();
    let a_day = options.rows / options.days;
    for day in 0..options.days {
        let mut left = a_day;
        while left > 0 {
            let large = left > LARGE && dice.below(12) == 0;
            let rows = if large { LARGE / 2 + dice.below(LARGE) } else { dice.zipf(60.0) }.min(left);
            let domain =
                if dice.below(100) < 30 { 0 } else { 1 + dice.zipf(DOMAINS as f64 - 1.0) as usize % (DOMAINS - 1) };
            let reporter = if large { dice.below(8) } else { dice.below(REPORTERS) };
            jobs.push(Job { reporter, day, domain, rows, number: jobs.len() as u64 });
            left -= rows;
        }
    }
    if options.by_reporter {
        jobs.sort_by_key(|job| (job.reporter, job.number));
    }
    jobs
}

fn header(job: &Job) -> (Report, Finished) {
    let name = format!("reporter{}.example", job.reporter);
    let begin = FIRST + job.day as i64 * DAY;
    let report = Report {
        reporter: Reporter {
            email: format!("noreply@{name}").into(),
            organization: name.into(),
            extra_contact: None,
            generator: None,
        },
        report_id: format!("{:016x}{:08x}", mix(job.number), job.number).into(),
        interval: Interval { begin, end: begin + DAY - 1 },
        policy: PolicyPublished {
            domain: domain(job.domain),
            p: Some(Policy::None),
            sp: Some(Policy::None),
            adkim: Some(Alignment::Relaxed),
            aspf: Some(Alignment::Relaxed),
            pct: Some(100),
            ..PolicyPublished::default()
        },
        ..Report::default()
    };
    let mut key = [0; 16];
    key[..8].copy_from_slice(&mix(job.number).to_le_bytes());
    let mut content = [0; 32];
    content[..8].copy_from_slice(&job.number.to_le_bytes());
    let totals = Totals { disposition: DispositionTotals::default(), ..Totals::default() };
    (report, Finished { flaws: Vec::new(), totals, bad_rows: 0, identity: Identity { key, content } })
}

/// The rows of a report, one after the other in place of each other.
fn rows(job: &Job, flows: &mut [Row], visit: &mut dyn FnMut(&Row)) {
    let mut dice = Dice(mix(job.number));
    let name = domain(job.domain);
    for _ in 0..job.rows {
        let rank = mix(dice.zipf(SOURCES) ^ (job.domain as u64) << 40);
        let row = &mut flows[rank as usize % FLOWS];
        row.source = IpAddr::V4(Ipv4Addr::from_bits((rank >> 32) as u32 | 0x0100_0000));
        row.count = dice.zipf(300.0);
        if row.author_domain != name {
            row.author_domain.clone_from(&name);
        }
        visit(row);
    }
}

fn keep(ledger: &Ledger, job: &Job) -> RawKey {
    let bytes = mix(job.number ^ 0xabcd).to_le_bytes().repeat(8);
    ledger.keep(&mut &bytes[..], "bench", FIRST).expect("keep").key
}

fn import(ledger: &Ledger, options: &Options) {
    let (mut flows, jobs) = (flows(), jobs(options));
    let (making, made) = timed(|| {
        let mut made = 0;
        for job in &jobs {
            std::hint::black_box(header(job));
            rows(job, &mut flows, &mut |row| made += u64::from(std::hint::black_box(row).count > 0));
        }
        made
    });
    let (taking, ()) = timed(|| take(ledger, &jobs, &mut flows));
    let seconds = taking.1.as_secs_f64() - making.1.as_secs_f64();
    println!("| reports; rows | {}; {made} |", jobs.len());
    println!("| making them | {} |", making.text());
    println!("| taking them in, making included | {} |", taking.text());
    println!(
        "| **rows a second of processor, making not included** | {:.0} ({:.2} µs a row) |",
        made as f64 / seconds,
        seconds * 1e6 / made as f64
    );
}

fn take(ledger: &Ledger, jobs: &[Job], flows: &mut [Row]) {
    let mut intake = ledger.intake().expect("intake");
    for job in jobs {
        let (report, finished) = header(job);
        intake.begin_item(&keep(ledger, job)).expect("item");
        intake.begin_report(&report, None).expect("report");
        rows(job, flows, &mut |row| intake.row(row).expect("row"));
        intake.end_report(&finished).expect("end");
        intake.end_item().expect("end");
    }
    intake.finish().expect("finish");
}

/// Reports of three rows, as most are.
fn small_reports(options: &Options) {
    const REPORTS: u64 = 40_000;
    let dir = options.dir.with_extension("small");
    let ledger = Ledger::open(&dir).expect("ledger");
    let mut flows = flows();
    let job =
        |number| Job { reporter: number % REPORTERS, day: number % 2, domain: number as usize % 50, rows: 3, number };
    let jobs: Vec<Job> = (0..REPORTS).map(job).collect();
    let (took, ()) = timed(|| take(&ledger, &jobs, &mut flows));
    let each = took.1.as_secs_f64() * 1e6 / REPORTS as f64;
    println!("| **small reports (3 rows) a second of processor** | {:.0} ({each:.1} µs each) |", 1e6 / each);
    drop(ledger);
    std::fs::remove_dir_all(dir).expect("remove");
}

fn questions(ledger: &Ledger, options: &Options) {
    let scope = |days, domain: Option<&str>| Scope {
        period: Period::Last(days),
        domain: domain.map(Text::new),
        ..Scope::default()
    };
    let largest = Some("example.com");
    let order = SourceOrder { group: GroupBy::Address, sort: SortBy::Failing, descending: true, offset: 0, limit: 50 };
    // Asked elsewhere: what this one was asked before it has in memory.
    let other = Ledger::read(&options.dir).expect("ledger");
    let top = insight::sources(&other, &scope(30, largest), order).expect("sources");
    let popular: IpAddr = top.lines.first().expect("a source").key.parse().expect("an address");
    let last = insight::sources(
        &other,
        &scope(1, Some("d7.example.org")),
        SourceOrder { sort: SortBy::Messages, descending: false, ..order },
    )
    .expect("sources");
    let rare: IpAddr = last.lines.first().map_or(popular, |line| line.key.parse().expect("an address"));
    println!("\n| question | p50 ms | p95 ms |\n| --- | --- | --- |");
    let ask = |what: &str, question: &dyn Fn()| {
        let mut times: Vec<f64> = (0..options.runs)
            .map(|_| {
                let start = Instant::now();
                question();
                start.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!("| {what} | {:.1} | {:.1} |", times[times.len() / 2], times[times.len() * 95 / 100]);
    };
    ask("trend, 90 days, largest domain", &|| drop(insight::trend(ledger, &scope(90, largest)).expect("trend")));
    ask("trend, 365 days, largest domain", &|| drop(insight::trend(ledger, &scope(365, largest)).expect("trend")));
    ask("trend, 365 days, all domains", &|| drop(insight::trend(ledger, &scope(365, None)).expect("trend")));
    let domains = insight::DomainOrder::default();
    ask("portfolio, 90 days", &|| drop(insight::portfolio(ledger, &scope(90, None), &domains).expect("portfolio")));
    ask("portfolio, 365 days", &|| drop(insight::portfolio(ledger, &scope(365, None), &domains).expect("portfolio")));
    ask("sources, 30 days, largest domain", &|| {
        drop(insight::sources(ledger, &scope(30, largest), order).expect("sources"))
    });
    ask("sources, 90 days, largest domain", &|| {
        drop(insight::sources(ledger, &scope(90, largest), order).expect("sources"))
    });
    ask("sources, 90 days, small domain", &|| {
        drop(insight::sources(ledger, &scope(90, Some("d7.example.org")), order).expect("sources"));
    });
    let network = SourceOrder { group: GroupBy::Network, ..order };
    ask("networks, 30 days, largest domain", &|| {
        drop(insight::sources(ledger, &scope(30, largest), network).expect("sources"))
    });
    ask("one source, popular, 365 days", &|| {
        drop(insight::source(ledger, popular, &scope(365, None)).expect("source"))
    });
    ask("one source, rare, 365 days", &|| drop(insight::source(ledger, rare, &scope(365, None)).expect("source")));
    ask("rows of a day, largest domain", &|| drop(insight::rows(ledger, &scope(1, largest), 0, 50).expect("rows")));
    ask("arrivals, 90 days", &|| drop(insight::arrivals(ledger, Period::Last(90)).expect("arrivals")));
    ask("reports, newest", &|| {
        drop(insight::reports(ledger, &insight::ReportFilter::default(), 0, 50).expect("reports"))
    });
}
