//! The company's files, read back as anybody would: they agree with the truth beside them, and the story is in them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use report::package::{self, Found, PackageLimits};
use report::{Day, Limits, Outcome, Reader, Row};
use scenario::{Options, Summary, generate};

fn options() -> Options {
    Options { seed: 1, days: 90, scale: 0.05, from: "2025-10-22".parse().unwrap() }
}

fn files(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[derive(Default)]
struct Read {
    summary: Summary,
    failing: BTreeMap<Day, u64>,
    outcomes: BTreeSet<Outcome>,
    flaws: BTreeSet<String>,
    keys: BTreeMap<[u8; 16], BTreeSet<[u8; 32]>>,
    ids: BTreeMap<(String, String), BTreeSet<i64>>,
}

/// Reads every report once: repeated ones and the superseded half of a conflict are left out.
fn read(out: &Path) -> Read {
    let mut read = Read::default();
    for path in files(&out.join("reports")) {
        read.summary.files += 1;
        let mut item = BufReader::new(File::open(&path).unwrap());
        package::open(&mut item, &PackageLimits::default(), &mut |found| {
            let Found::Report { xml, .. } = found else { panic!("{} holds no report", path.display()) };
            let mut reader = Reader::open(xml, &Limits::default()).unwrap();
            let (begin, reporter) = (reader.report().interval.begin, reader.report().reporter.organization.to_string());
            let id = reader.report().report_id.to_string();
            let (mut row, mut rows, mut messages, mut failing) = (Row::default(), 0, 0, 0);
            while reader.next_row(&mut row).unwrap() {
                rows += 1;
                messages += row.count;
                read.outcomes.insert(row.outcome());
                if !row.outcome().passes() {
                    failing += row.count;
                }
            }
            let finished = reader.finish().unwrap();
            read.flaws.extend(finished.flaws.iter().map(|flaw| format!("{:?}", flaw.kind)));
            read.ids.entry((reporter, id)).or_default().insert(begin);
            let contents = read.keys.entry(finished.identity.key).or_default();
            contents.insert(finished.identity.content);
            if contents.len() == 1 && !path.to_string_lossy().contains("-again") {
                read.summary.reports += 1;
                read.summary.rows += rows;
                read.summary.messages += messages;
                *read.failing.entry(Day::of(begin)).or_default() += failing;
            }
        })
        .unwrap();
    }
    read
}

#[test]
fn reports_agree_with_the_truth_and_tell_the_story() {
    let out = tempfile::tempdir().unwrap();
    let summary = generate(&options(), out.path(), &mut |_| ()).unwrap();
    let read = read(out.path());
    assert_eq!(read.summary, summary, "what can be read is what was written");

    let truth = fs::read_to_string(out.path().join("truth.jsonl")).unwrap();
    let truth: Vec<serde_json::Value> = truth.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let reported: u64 = truth.iter().map(|flow| flow["reported"].as_u64().unwrap()).sum();
    assert_eq!(reported, summary.messages, "the truth adds up to the reports");
    let classes: BTreeSet<&str> = truth.iter().map(|flow| flow["class"].as_str().unwrap()).collect();
    assert_eq!(classes.len(), 8, "every class is there: {classes:?}");
    let teams: BTreeSet<&str> = truth.iter().filter_map(|flow| flow["team"].as_str()).collect();
    assert!(teams.len() >= 25, "{} teams", teams.len());

    let mut loudest: Vec<(u64, Day)> = read.failing.iter().map(|(day, n)| (*n, *day)).collect();
    loudest.sort_unstable();
    let [.., second, first] = loudest[..] else { panic!("no days") };
    assert_eq!(first.1.to_string(), "2025-12-23");
    assert!(first.0 * 2 > second.0 * 3, "the campaign stands out: {first:?} after {second:?}");

    assert_eq!(read.outcomes.len(), 6, "{:?}", read.outcomes);
    assert!(read.flaws.len() >= 4, "sloppy reporters show: {:?}", read.flaws);
    assert_eq!(read.keys.values().filter(|contents| contents.len() > 1).count(), 1, "one conflict");
    assert!(read.ids.values().any(|begins| begins.len() > 30), "one reporter uses an id every day");
    assert!(read.summary.files > read.summary.reports + 1, "some reports are sent again");
}

#[test]
fn the_same_options_give_the_same_bytes() {
    let options = Options { days: 3, ..options() };
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    generate(&options, a.path(), &mut |_| ()).unwrap();
    generate(&options, b.path(), &mut |_| ()).unwrap();
    let all = |out: &Path| -> Vec<(PathBuf, Vec<u8>)> {
        files(out)
            .into_iter()
            .map(|path| (path.strip_prefix(out).unwrap().to_owned(), fs::read(&path).unwrap()))
            .collect()
    };
    assert!(all(a.path()) == all(b.path()));
    let other = tempfile::tempdir().unwrap();
    generate(&Options { seed: 2, ..options }, other.path(), &mut |_| ()).unwrap();
    assert!(all(a.path()) != all(other.path()), "another seed is another company");
}
