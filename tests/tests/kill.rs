//! `lamppost import`, killed without warning at random moments: nothing is lost and nothing is taken in twice, to the row.
//!
//! A folder of reports, one in ten a duplicate, is imported undisturbed once. Then it is imported again and again into fresh
//! ledgers by processes that get SIGKILL at random moments, until one comes to its end; each ledger must say what the undisturbed one
//! says. The moments come from a seed, which `LAMPPOST_KILL_SEED` sets; `LAMPPOST_KILLS` asks for more than the hundred kills.

#![expect(clippy::unwrap_used, reason = "what a test builds for itself does not fail")]

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use e2e::pace::{Random, seed, setting};
use e2e::{DEADLINE, lamppost};
use flate2::Compression;
use flate2::write::GzEncoder;
use store::{Answer, Column, Counters, Ledger, Measure, Question, ReportFilter};
use tempfile::TempDir;

/// Kills, spread over as many ledgers as it takes.
const KILLS: u64 = 100;

/// After so many kills a ledger's import may come to its end, so that all parts of it are met and none for ever.
const KILLS_PER_LEDGER: u64 = 6;

/// Small and large reports, bare and packed, duplicates, conflicts, broken ones, and a mailbox.
fn fill(folder: &Path) {
    let options = scenario::load::Options {
        rows: 20_000,
        days: 12,
        reporters: 7,
        domains: 6,
        sources: 900,
        ..Default::default()
    };
    let mut random = Random(42);
    let mut written: Vec<Vec<u8>> = Vec::new();
    let mut mailbox = Vec::new();
    for (number, (report, rows)) in (0_u64..).zip(scenario::load::reports(&options)) {
        let mut xml = Vec::new();
        report::write(&mut xml, &report, rows).unwrap();
        match number % 10 {
            // The same report in another wrapping: other bytes, same content.
            3 => xml = gzip(&written[usize::try_from(random.below(written.len() as u64)).unwrap()]),
            4 => xml = gzip(&xml),
            5 if number % 50 == 5 => {
                // The same identity with another content: the last row is missing.
                let text = String::from_utf8(xml.clone()).unwrap();
                let cut = text.rfind("<record>").unwrap();
                let other = format!("{}{}", &text[..cut], "</feedback>");
                fs::write(folder.join(format!("{number:04}-other.xml")), other).unwrap();
            }
            6 if number % 50 == 6 => xml.truncate(xml.len() / 2),
            7 => {
                mailbox.extend_from_slice(
                    b"From a@b.example Thu Jan  1 00:00:00 1970\nSubject: x\nContent-Type: text/xml\n\n",
                );
                mailbox.extend_from_slice(&xml);
                mailbox.extend_from_slice(b"\n\n");
                continue;
            }
            _ => written.push(xml.clone()),
        }
        fs::write(folder.join(format!("{number:04}")), xml).unwrap();
    }
    fs::write(folder.join("mailbox"), mailbox).unwrap();
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Imports; kills the process after `patience`. True if it had come to its end before.
fn import(ledger: &Path, folder: &Path, patience: Duration) -> bool {
    let mut command = Command::new(lamppost());
    command.arg("--data").arg(ledger).args(["import", "--format", "json"]).arg(folder);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut output = child.stdout.take().unwrap();
    let (send, ended) = channel();
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = output.read_to_string(&mut text);
        let _ = send.send(());
    });
    let stopped = ended.recv_timeout(patience) == Err(RecvTimeoutError::Timeout);
    if stopped {
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    reading.join().unwrap();
    // It may have ended between the last look and the signal.
    match status.code() {
        None => false,
        // Three: done, and something was refused.
        Some(code) => {
            assert_eq!(code, 3, "the import failed");
            true
        }
    }
}

/// Everything a ledger says that does not depend on when it was said.
#[derive(Debug, PartialEq)]
struct Said {
    rows: Answer,
    trend: Answer,
    reports: Vec<Entry>,
    refused: Vec<(store::RawKey, Option<String>, String)>,
    counters: Counters,
}

/// A report's entry without its times of arrival.
#[derive(Debug, PartialEq)]
struct Entry {
    id: u64,
    header: report::Report,
    sums: (u64, u64),
    content: [u8; 32],
    item: store::RawKey,
    member: Option<String>,
    superseded_by: Option<u64>,
}

fn said(ledger: &Path) -> Said {
    use Column as C;
    let ledger = Ledger::open(ledger).unwrap();
    assert!(ledger.pending().unwrap().is_empty(), "nothing is left over");
    assert_eq!(ledger.check().unwrap().faults, Vec::<String>::new(), "files, catalog and rollups agree");
    let ask = |group: Vec<Column>| {
        let measures = vec![Measure::Messages, Measure::Rows];
        ledger.ask(&Question { group, measures, ..Question::default() }).unwrap()
    };
    let (entries, _) = ledger.reports(&ReportFilter::default(), 0, 1_000_000).unwrap();
    let reports = entries
        .into_iter()
        .map(|e| Entry {
            id: e.id,
            header: e.report,
            sums: (e.rows, e.messages),
            content: e.content,
            item: e.item,
            member: e.member,
            superseded_by: e.superseded_by,
        })
        .collect();
    let (refused, _) = ledger.rejections(0, 1_000_000).unwrap();
    let rows = vec![
        C::Day,
        C::Report,
        C::Reporter,
        C::Domain,
        C::PolicyDomain,
        C::Source,
        C::Disposition,
        C::Outcome,
        C::Dkim,
        C::Spf,
        C::EnvelopeFrom,
        C::EnvelopeTo,
        C::Overrides,
    ];
    Said {
        rows: ask(rows),
        trend: ask(vec![C::Day, C::Domain, C::Outcome, C::Disposition]),
        reports,
        refused: refused.into_iter().map(|r| (r.item, r.member, r.rejection.message)).collect(),
        // What came again after a kill counts as a duplicate, and files are cut where a batch happened to end.
        counters: Counters { duplicates: 0, segments: 0, segment_bytes: 0, ..ledger.counters().unwrap() },
    }
}

#[test]
fn killed_at_any_moment_the_ledger_is_the_same_in_the_end() {
    let place = TempDir::new().unwrap();
    let folder = place.path().join("reports");
    fs::create_dir(&folder).unwrap();
    fill(&folder);
    let ledger = place.path().join("undisturbed");
    let begun = Instant::now();
    assert!(import(&ledger, &folder, DEADLINE));
    let whole = begun.elapsed();
    let expected = said(&ledger);
    assert!(expected.counters.rows > 12_000 && expected.counters.conflicts > 5 && expected.counters.rejected > 5);

    let seed = seed();
    let mut random = Random(seed);
    let (mut kills, mut ledgers) = (0, 0);
    while kills < setting("LAMPPOST_KILLS", KILLS) {
        let ledger = place.path().join("killed");
        let mut of_this = 0;
        loop {
            let share = u32::try_from(random.below(1_000)).unwrap();
            let patience = if of_this < KILLS_PER_LEDGER { whole * share / 1_000 } else { DEADLINE };
            if import(&ledger, &folder, patience) {
                break;
            }
            (kills, of_this) = (kills + 1, of_this + 1);
        }
        ledgers += 1;
        let found = said(&ledger);
        assert!(
            found == expected,
            "after {of_this} kills, {kills} in all, seed {seed}: {}",
            difference(&found, &expected)
        );
        fs::remove_dir_all(&ledger).unwrap();
    }
    eprintln!("{kills} kills in {ledgers} ledgers, seed {seed}; undisturbed it took {whole:?}");
}

/// Where two ledgers differ, in few words.
fn difference(found: &Said, expected: &Said) -> String {
    let counters = format!("{:?} instead of {:?}", found.counters, expected.counters);
    let rows = found.rows.lines.iter().zip(&expected.rows.lines).find(|(a, b)| a != b);
    let reports = found.reports.iter().zip(&expected.reports).find(|(a, b)| a != b);
    format!("{counters}; first row: {rows:?}; first report: {reports:?}; refused: {}", found.refused.len())
}
