//! The reader of aggregate reports against mail-auth's, and against the least that has to be done: expanding the bytes and finding the tags.
//!
//! One line of JSON for each kind of reports; see `cargo xtask bench`.

use std::hint::black_box;
use std::io::{BufReader, Read};

use bench::{Sample, generated_report, medians, real_reports};
use flate2::bufread::GzDecoder;
use quick_xml::events::Event;
use report::{Limits, Reader, Row};

/// Runs of each; the median counts.
const RUNS: usize = 7;
/// Rows that each run should at least read, so that a run is long enough to measure.
const ROWS_MIN: u64 = 100_000;

fn main() {
    let small = real_reports();
    let large: Vec<Sample> = (0..10).map(|seed| generated_report(10_000, seed)).collect();
    let mixed: Vec<&Sample> = small.iter().chain(&large).collect();
    measure("aggregate reports, mixed, gzip", &mixed, true);
    measure("aggregate reports, mixed, plain", &mixed, false);
    if !small.is_empty() {
        measure("aggregate reports, small real ones, gzip", &small.iter().collect::<Vec<_>>(), true);
    }
    measure("aggregate reports, 10,000 rows each, gzip", &large.iter().collect::<Vec<_>>(), true);
}

fn measure(what: &str, samples: &[&Sample], gzip: bool) {
    let once: u64 = samples.iter().map(|sample| ours(sample, gzip)).sum();
    let theirs_once: u64 = samples.iter().map(|sample| theirs(sample, gzip)).sum();
    let times = ROWS_MIN.div_ceil(once);
    let repeat = |job: fn(&Sample, bool) -> u64| {
        move || {
            for _ in 0..times {
                for sample in samples {
                    black_box(job(sample, gzip));
                }
            }
        }
    };
    let medians = medians(RUNS, &mut [&mut repeat(ours), &mut repeat(theirs), &mut repeat(limit)]);
    let rate = |rows: u64, at: usize| (rows * times) as f64 / medians[at].as_secs_f64();
    let bytes: usize = samples.iter().map(|sample| sample.xml.len()).sum();
    let line = serde_json::json!({
        "what": what,
        "unit": "rows/s",
        "ours": rate(once, 0),
        "peer": rate(theirs_once, 1),
        "peer_name": "mail-auth 0.13.3",
        "limit": rate(once, 2),
        "limit_name": if gzip { "inflate + XML events" } else { "XML events" },
        "reports": samples.len(),
        "rows": once,
        "rows_peer": theirs_once,
        "bytes": bytes,
        "reports_per_second": (samples.len() as u64 * times) as f64 / medians[0].as_secs_f64(),
        "megabytes_per_second": (bytes as u64 * times) as f64 / medians[0].as_secs_f64() / 1e6,
    });
    println!("{line}");
}

fn ours(sample: &Sample, gzip: bool) -> u64 {
    if gzip {
        rows(BufReader::with_capacity(32 << 10, GzDecoder::new(sample.gzip.as_slice())))
    } else {
        rows(sample.xml.as_slice())
    }
}

fn rows(input: impl std::io::BufRead) -> u64 {
    let Ok(mut reader) = Reader::open(input, &Limits::default()) else { return 0 };
    let mut row = Row::default();
    while matches!(reader.next_row(&mut row), Ok(true)) {
        black_box(&row);
    }
    reader.finish().map_or(0, |finished| finished.totals.rows)
}

fn inflated<'a>(sample: &'a Sample, gzip: bool, buffer: &'a mut Vec<u8>) -> &'a [u8] {
    if !gzip {
        return &sample.xml;
    }
    GzDecoder::new(sample.gzip.as_slice()).read_to_end(buffer).expect("our own gzip");
    buffer
}

fn theirs(sample: &Sample, gzip: bool) -> u64 {
    let mut buffer = Vec::new();
    let xml = inflated(sample, gzip, &mut buffer);
    mail_auth::report::Report::parse_xml(xml).map_or(0, |report| black_box(report).records().len() as u64)
}

/// The bytes expanded, and every event of their XML looked for, with nothing done about it.
fn limit(sample: &Sample, gzip: bool) -> u64 {
    let mut buffer = Vec::new();
    let xml = inflated(sample, gzip, &mut buffer);
    let mut reader = quick_xml::Reader::from_reader(xml);
    reader.config_mut().check_end_names = false;
    let mut events = 0;
    while !matches!(reader.read_event(), Ok(Event::Eof) | Err(_)) {
        events += 1;
    }
    events
}
