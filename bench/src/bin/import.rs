//! The whole path, measured: files → raw copies → rows → durable, as `lamppost import` goes it.
//!
//! One report of a million rows, 50,000 small files, and the same as one mailbox; on one core and on all. Every measurement is a
//! process of its own, so that its peak memory is its own; the figure is the median of three. One JSON object a line.
//!
//! The peer, parsedmarc, reads the same files and keeps nothing. It is measured where `PARSEDMARC_PYTHON` names a Python that has it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use bench::{peak_memory, report_mail};
use collect::{Options, import};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use store::Ledger;

const ROWS: u64 = 1_000_000;
const SMALL: u64 = 50_000;
/// Of these the peer gets as many as it reads in a bearable time.
const PEER_SMALL: u64 = 1_000;
const PEER_ROWS: u64 = 20_000;
const RUNS: usize = 3;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, input, ledger] = &arguments[..]
        && word == "--measure"
    {
        return measure(input.as_ref(), ledger.as_ref());
    }
    let folder = tempfile::tempdir()?;
    let large = folder.path().join("large.xml.gz");
    large_report(&large, ROWS)?;
    let small = folder.path().join("small");
    let mailbox = folder.path().join("mailbox");
    small_reports(&small, &mailbox, SMALL)?;
    let peer_large = folder.path().join("peer.xml.gz");
    large_report(&peer_large, PEER_ROWS)?;
    let peer_small = folder.path().join("peer-small");
    small_reports(&peer_small, &folder.path().join("peer-mailbox"), PEER_SMALL)?;

    let peer_rows = peer(&peer_large, PEER_ROWS);
    let peer_reports = peer(&peer_small, PEER_SMALL);
    let size = std::fs::metadata(&large)?.len();
    eprintln!("one report of {ROWS} rows: {size} bytes as gzip; {SMALL} small reports");
    for (input, what, unit, peer) in [
        (&large, "one report of 1,000,000 rows, file to durable", "rows/s", peer_rows),
        (&small, "50,000 small report files, file to durable", "reports/s", peer_reports),
        (&mailbox, "50,000 small reports in a mailbox, file to durable", "reports/s", None),
    ] {
        let amount = if unit == "rows/s" { ROWS } else { SMALL };
        for one_core in [true, false] {
            let mut runs: Vec<(f64, u64)> =
                (0..RUNS).map(|_| run(input, folder.path(), one_core)).collect::<io::Result<_>>()?;
            runs.sort_by(|a, b| a.0.total_cmp(&b.0));
            let (seconds, memory) = runs[RUNS / 2];
            let cores = if one_core { "one core" } else { "all cores" };
            let peer = peer.filter(|_| one_core);
            let peer_name = peer.map(|_| "parsedmarc (reads only)");
            let ours = amount as f64 / seconds;
            println!(
                "{}",
                json!({"what": format!("{what}, {cores}"), "unit": unit, "ours": ours, "peer": peer, "peer_name": peer_name})
            );
            println!(
                "{}",
                json!({"what": format!("its peak memory, {cores}"), "unit": "MB", "ours": memory as f64 / 1e6})
            );
        }
    }
    Ok(())
}

/// Imports once, and says how long that took and how much memory.
fn measure(input: &Path, ledger: &Path) -> io::Result<()> {
    let ledger = Ledger::open(ledger).map_err(io::Error::other)?;
    let begun = Instant::now();
    let summary = import(&ledger, &[input.to_owned()], &Options::default(), &()).map_err(io::Error::other)?;
    let seconds = begun.elapsed().as_secs_f64();
    println!("{}", json!({"seconds": seconds, "memory": peak_memory(), "reports": summary.new, "rows": summary.rows}));
    Ok(())
}

fn run(input: &Path, folder: &Path, one_core: bool) -> io::Result<(f64, u64)> {
    let ledger = folder.join("ledger");
    let own = std::env::current_exe()?;
    let mut command = if one_core { Command::new("taskset") } else { Command::new(&own) };
    if one_core {
        command.args(["-c", "0"]).arg(&own);
    }
    let output = command.arg("--measure").arg(input).arg(&ledger).output()?;
    std::fs::remove_dir_all(&ledger)?;
    let said: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))?;
    eprintln!("{} {}: {said}", input.display(), if one_core { "one core" } else { "all cores" });
    Ok((said["seconds"].as_f64().unwrap_or(f64::NAN), said["memory"].as_u64().unwrap_or_default()))
}

/// How many a second the peer reads, in one process, without looking anything up.
fn peer(input: &Path, amount: u64) -> Option<f64> {
    const SCRIPT: &str = "
import glob, os, sys, time, parsedmarc
paths = sorted(glob.glob(os.path.join(sys.argv[1], '*'))) if os.path.isdir(sys.argv[1]) else [sys.argv[1]]
begun = time.perf_counter()
for path in paths:
    parsedmarc.parse_report_file(path, offline=True)
print(time.perf_counter() - begun)
";
    let python = std::env::var_os("PARSEDMARC_PYTHON")?;
    let output = Command::new(python).args(["-c", SCRIPT]).arg(input).output().ok()?;
    let seconds: f64 = String::from_utf8_lossy(&output.stdout).trim().parse().ok()?;
    Some(amount as f64 / seconds)
}

fn large_report(path: &Path, rows: u64) -> io::Result<()> {
    let mut out = GzEncoder::new(BufWriter::new(File::create(path)?), Compression::default());
    scenario::load::large_report(1, rows, &mut out)?;
    out.finish()?.flush()
}

/// As files, and as mails with the same attached in one mailbox.
fn small_reports(folder: &Path, mailbox: &Path, count: u64) -> io::Result<()> {
    std::fs::create_dir(folder)?;
    let mut mailbox = BufWriter::new(File::create(mailbox)?);
    for (number, bytes) in scenario::load::small_reports(2, count).enumerate() {
        std::fs::write(folder.join(report_mail::name(number as u64, &bytes)), &bytes)?;
        writeln!(
            mailbox,
            "From dmarc@example.org Thu Jan  1 00:00:00 1970\n{}",
            report_mail::mail(number as u64, &bytes)
        )?;
    }
    mailbox.flush()
}
