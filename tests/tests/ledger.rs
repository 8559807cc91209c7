//! Reports into the ledger and answers out of it, by command: to the message, twice, copied, rebuilt, and on a full disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::{Finished, Server, finish, get, lamppost, suites};
use serde_json::Value;
use tempfile::TempDir;

/// Runs with this ledger.
fn on(ledger: &Path, args: &[&str]) -> Finished {
    let mut command = Command::new(lamppost());
    command.arg("--data").arg(ledger).args(args);
    finish(command)
}

fn import(ledger: &Path, path: &Path) -> Value {
    let finished = on(ledger, &["import", "--format", "json", path.to_str().expect("a path in UTF-8")]);
    assert!(matches!(finished.code, Some(0 | 3)), "{:?} {}", finished.code, finished.stderr);
    let summary: Value = serde_json::from_str(finished.stdout.lines().last().unwrap_or_default())
        .unwrap_or_else(|error| panic!("the last line is no summary ({error}): {}", finished.stdout));
    assert_eq!(finished.code == Some(3), summary["rejected"] != 0, "{summary}");
    summary
}

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_else(|| panic!("no number {key} in {value}"))
}

/// The answers that must not change when a ledger is copied or worked out again.
fn answers(ledger: &Path) -> Vec<Value> {
    let questions: [&[&str]; 9] = [
        &["trend", "--days", "0"],
        &["domains", "--days", "0", "--limit", "100000"],
        &["sources", "--days", "0", "--limit", "100000"],
        &["sources", "--days", "0", "--limit", "100000", "--group", "dkim-domain"],
        &["rows", "--days", "0", "--limit", "1000"],
        &["reports", "arrivals", "--days", "0"],
        &["reports", "flaws", "--days", "0"],
        &["samples", "--days", "0", "--limit", "1000"],
        &["samples", "local-parts", "--days", "0"],
    ];
    let mut answers: Vec<Value> =
        questions.iter().map(|q| on(ledger, &[q, &["--format", "json"][..]].concat()).expect(0).json()).collect();
    answers.iter_mut().for_each(without_arrival_times);
    answers
}

/// Numbers of reports and times of arrival are the ledger's own, not the reports'.
fn without_arrival_times(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for key in ["last_received", "received", "report", "id"] {
                map.remove(key);
            }
            map.values_mut().for_each(without_arrival_times);
        }
        Value::Array(list) => list.iter_mut().for_each(without_arrival_times),
        _ => {}
    }
}

/// Every file below `folder`.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut queue = vec![folder.to_owned()];
    while let Some(at) = queue.pop() {
        for entry in fs::read_dir(&at).expect("a readable folder") {
            let entry = entry.expect("a readable entry");
            if entry.path().is_dir() { queue.push(entry.path()) } else { files.push(entry.path()) }
        }
    }
    files
}

/// What each report is, as `report show` tells it; the import is held against this.
struct Read {
    key: String,
    content: String,
    rows: u64,
    messages: u64,
    flaws: u64,
}

fn read_all(folder: &Path) -> (Vec<Read>, u64) {
    let (mut reports, mut rejected) = (Vec::new(), 0);
    for files in files_below(folder).chunks(300) {
        let mut command = Command::new(lamppost());
        command.args(["report", "show", "--format", "json"]).args(files);
        for line in finish(command).json_lines() {
            if !line["rejected"].is_null() {
                rejected += 1;
                continue;
            }
            let key = [
                &line["reporter"]["organization"],
                &line["report_id"],
                &line["policy_published"]["domain"],
                &line["interval"],
            ];
            reports.push(Read {
                key: format!("{key:?}"),
                content: line["identity"].to_string(),
                rows: number(&line["totals"], "rows"),
                messages: number(&line["totals"], "messages"),
                flaws: line["flaws"].as_array().map_or(0, Vec::len) as u64,
            });
        }
    }
    (reports, rejected)
}

/// Periods are ten years at most; the samples go back to 1979.
const DECADES: [(&str, &str); 6] = [
    ("1970-01-01", "1979-12-31"),
    ("1980-01-01", "1989-12-31"),
    ("1990-01-01", "1999-12-31"),
    ("2000-01-01", "2009-12-31"),
    ("2010-01-01", "2019-12-31"),
    ("2020-01-01", "2029-12-31"),
];

#[test]
fn every_sample_is_taken_in_once_and_to_the_message() {
    let Some(suites) = suites() else { return };
    let samples = suites.join("reports");
    let (reports, rejected) = read_all(&samples);
    let folder = TempDir::new().unwrap();
    let ledger = folder.path().join("ledger");
    let first = import(&ledger, &samples);
    let distinct: BTreeSet<(&str, &str)> = reports.iter().map(|r| (r.key.as_str(), r.content.as_str())).collect();
    let keys: BTreeSet<&str> = reports.iter().map(|r| r.key.as_str()).collect();
    assert_eq!(number(&first, "reports"), reports.len() as u64, "{first}");
    assert_eq!(number(&first, "rejected"), rejected, "{first}");
    // A conflict is taken in and takes the place of another, so it is among the new.
    let conflicts = number(&first, "conflicts");
    assert_eq!(number(&first, "new"), keys.len() as u64 + conflicts, "{first}");
    assert_eq!(number(&first, "new") + number(&first, "duplicates"), reports.len() as u64, "{first}");
    assert_eq!(conflicts, (distinct.len() - keys.len()) as u64, "no content comes back once it was replaced: {first}");
    assert!(number(&first, "duplicates") > 0, "the samples hold the same report in several containers");

    // What counts: the newest content of each key. Which one that is shows in the ledger's own lists.
    let mut counted: BTreeMap<u64, u64> = BTreeMap::new();
    let (mut in_totals, mut in_days, mut in_domains) = (0, 0, 0);
    for (since, until) in DECADES {
        let ask = |what: &str| {
            let window = ["--since", since, "--until", until, "--format", "json", "--limit", "100000"];
            let window = if what == "trend" { &window[..6] } else { &window[..] };
            on(&ledger, &[&[what], window].concat()).expect(0).json()
        };
        let list = ask("reports");
        let lines = list["lines"].as_array().unwrap().iter().filter(|line| line["superseded_by"].is_null());
        counted.extend(lines.map(|line| (number(line, "id"), number(line, "messages"))));
        let trend = ask("trend");
        in_totals += number(&trend["totals"], "messages");
        in_days += trend["days"].as_array().unwrap().iter().map(|day| number(day, "messages")).sum::<u64>();
        let domains = ask("domains");
        let outcomes = domains["domains"].as_array().unwrap().iter().filter_map(|line| line["outcomes"].as_object());
        in_domains += outcomes.flat_map(|outcomes| outcomes.values().filter_map(Value::as_u64)).sum::<u64>();
    }
    assert_eq!(counted.len(), keys.len(), "every report once");
    let messages: u64 = counted.values().sum();
    assert_eq!((in_totals, in_days, in_domains), (messages, messages, messages), "however it is added up");
    let possible: u64 = {
        let by_content: BTreeMap<&str, u64> = reports.iter().map(|r| (r.content.as_str(), r.messages)).collect();
        by_content.values().sum()
    };
    assert!(messages <= possible && messages > 100_000, "{messages} of {possible}");

    // A second time changes nothing.
    let before = answers(&ledger);
    let second = import(&ledger, &samples);
    assert_eq!((number(&second, "new"), number(&second, "rows"), number(&second, "messages")), (0, 0, 0), "{second}");
    assert_eq!(number(&second, "reports"), number(&second, "duplicates") + number(&second, "conflicts"), "{second}");
    assert_eq!(answers(&ledger)[..5], before[..5], "nothing counts twice");
    println!("samples: {} reports, {} rejected; {first}", reports.len(), rejected);
    let (rows, flaws): (u64, u64) = reports.iter().fold((0, 0), |(rows, flaws), r| (rows + r.rows, flaws + r.flaws));
    assert!(number(&first, "rows") <= rows && number(&first, "flaws") <= flaws + rejected, "{first}");
}

/// A small model company in `folder`, imported.
fn company(folder: &Path) -> (PathBuf, Value) {
    let (out, ledger) = (folder.join("company"), folder.join("ledger"));
    let args = ["scenario", "generate", "--seed", "7", "--days", "20", "--scale", "0.05", "--out"];
    let mut command = Command::new(lamppost());
    command.args(args).arg(&out);
    let _ = finish(command).expect(0);
    let summary = import(&ledger, &out.join("reports"));
    assert!(number(&summary, "new") > 0, "{summary}");
    let failures = import(&ledger, &out.join("failures"));
    assert!(number(&failures, "samples") > 10 && number(&failures, "rejected") == 0, "{failures}");
    (ledger, summary)
}

#[test]
fn a_trend_has_its_promised_shape_and_adds_up() {
    let folder = TempDir::new().unwrap();
    let (ledger, summary) = company(folder.path());
    let trend = on(&ledger, &["trend", "--days", "0", "--format", "json"]).expect(0).json();
    assert!(trend["domain"].is_null());
    // The import counts both reports of a conflict as new; only the newer one counts afterwards.
    let conflicts = on(&ledger, &["reports", "conflicts", "--format", "json"]).expect(0).json();
    let superseded: u64 =
        conflicts["lines"].as_array().unwrap().iter().map(|line| number(&line["superseded"], "messages")).sum();
    assert_eq!(number(&trend["totals"], "messages") + superseded, number(&summary, "messages"));
    let days = trend["days"].as_array().unwrap();
    assert!(days.len() >= 20, "{} days", days.len());
    for day in days.iter().chain([&trend["totals"]]) {
        let outcome = &day["outcome"];
        let [both, dkim, spf, neither] = ["both", "dkim_only", "spf_only", "neither"].map(|key| number(outcome, key));
        assert_eq!(both + dkim + spf + neither, number(day, "messages"), "{day}");
        assert_eq!(both + dkim + spf, number(day, "dmarc_pass"), "{day}");
        assert_eq!(both + dkim, number(day, "dkim_aligned"), "{day}");
        assert_eq!(both + spf, number(day, "spf_aligned"), "{day}");
        let dispositions: u64 = day["disposition"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
        assert_eq!(dispositions, number(day, "messages"), "{day}");
    }
    assert_eq!(days[0]["day"].as_str().map(str::len), Some(10), "2025-12-23");
    // One domain at a time, all of them add up to the whole.
    let domains = on(&ledger, &["domains", "--days", "0", "--limit", "100000", "--format", "json"]).expect(0).json();
    let mut sum = 0;
    for line in domains["domains"].as_array().unwrap().iter().take(40) {
        let domain = line["domain"].as_str().unwrap();
        let trend = on(&ledger, &["trend", "--days", "0", "--domain", domain, "--format", "json"]).expect(0).json();
        assert_eq!(trend["domain"], domain);
        let outcomes: u64 = line["outcomes"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
        assert_eq!(number(&trend["totals"], "messages"), outcomes, "{domain}");
        sum += outcomes;
    }
    if domains["domains"].as_array().unwrap().len() <= 40 {
        assert_eq!(sum, number(&summary, "messages") - superseded);
    }
}

#[test]
fn commands_and_api_give_the_same_answers() {
    let folder = TempDir::new().unwrap();
    let (ledger, _) = company(folder.path());
    // Nobody is asked who is behind a source: what is learned between two questions would make two answers.
    fs::write(folder.path().join("lamppost.toml"), "[enrichment]\nenabled = false\n").unwrap();
    let server = Server::start(
        ["serve".as_ref(), "--data".as_ref(), ledger.as_os_str(), "--listen".as_ref(), "127.0.0.1:0".as_ref()],
        folder.path(),
    );
    let ask = |args: &[&str]| on(&ledger, &[args, &["--format", "json"]].concat()).expect(0).json();
    let top = ask(&["sources", "--limit", "1"]);
    let address = top["lines"][0]["key"].as_str().expect("a source");
    let source = format!("/api/v1/sources/{address}");
    let cases: [(&[&str], &str); 18] = [
        (&["domains"], "/api/v1/portfolio"),
        (&["trend"], "/api/v1/trend"),
        (&["trend", "--days", "7"], "/api/v1/trend?days=7"),
        (&["sources"], "/api/v1/sources"),
        (&["sources", "--group", "network", "--sort", "messages"], "/api/v1/sources?group=network&sort=messages"),
        (
            &["sources", "--network", "198.18.0.0/16", "--limit", "7", "--offset", "2"],
            "/api/v1/sources?network=198.18.0.0/16&limit=7&offset=2",
        ),
        (&["source", address], &source),
        (&["rows", "--disposition", "reject"], "/api/v1/rows?disposition=reject"),
        (&["rows", "--outcome", "failing"], "/api/v1/rows?outcome=failing"),
        (&["samples"], "/api/v1/samples"),
        (
            &["samples", "--source", "198.18.0.0/16", "--limit", "3", "--offset", "1"],
            "/api/v1/samples?network=198.18.0.0/16&limit=3&offset=1",
        ),
        (&["samples", "--local-part", "VST"], "/api/v1/samples?local_part=vst"),
        (&["samples", "local-parts"], "/api/v1/local-parts"),
        (&["reports"], "/api/v1/reports"),
        (&["reports", "arrivals"], "/api/v1/arrivals"),
        (&["reports", "rejected"], "/api/v1/rejections"),
        (&["reports", "conflicts"], "/api/v1/conflicts"),
        (&["reports", "flaws"], "/api/v1/flaws"),
    ];
    for (args, path) in cases {
        let answer = get(&server.address, path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(ask(args), answer.json(), "{args:?} and {path}");
    }
}

#[test]
fn csv_and_text_say_what_json_says() {
    let folder = TempDir::new().unwrap();
    let (ledger, _) = company(folder.path());
    for command in ["domains", "trend", "sources", "rows", "samples", "reports"] {
        let all = ["--days", "0"];
        let json = on(&ledger, &[&[command, "--format", "json"], &all[..]].concat()).expect(0).json();
        let lines = ["domains", "lines", "days"].iter().find_map(|key| json[key].as_array().map(Vec::len)).unwrap();
        let csv = on(&ledger, &[&[command, "--format", "csv"], &all[..]].concat()).expect(0).stdout;
        assert_eq!(csv.lines().count(), lines + 1, "{command}: a head and a line each");
        let text = on(&ledger, &[&[command], &all[..]].concat()).expect(0).stdout;
        assert!(text.lines().count() > lines.min(10), "{command}: {text}");
    }
}

#[test]
fn a_copy_opens_and_a_rebuild_gives_the_same_answers() {
    let folder = TempDir::new().unwrap();
    let (ledger, _) = company(folder.path());
    let before = answers(&ledger);
    let copy = folder.path().join("copy");
    let _ = on(&ledger, &["backup", copy.to_str().unwrap()]).expect(0);
    assert_eq!(answers(&copy), before, "the copy");
    let again = on(&ledger, &["backup", copy.to_str().unwrap()]);
    assert_eq!(again.code, Some(1), "a copy is never written over another: {}", again.stderr);
    let _ = on(&ledger, &["rebuild"]).expect(0);
    assert_eq!(answers(&ledger), before, "worked out again");
    let _ = on(&copy, &["rebuild"]).expect(0);
    assert_eq!(answers(&copy), before, "the copy worked out again: it has the raw reports too");
}

/// Imports on a file system of a few megabytes, then asks the ledger there. Needs a mount of its own: root, or user namespaces.
const ON_A_SMALL_DISK: &str = r#"
mount -t tmpfs -o size=3m tmpfs "$2" || exit 99
"$1" --data "$2/ledger" import --format json "$3/small" > "$3/first.out" 2>&1 || exit 98
"$1" --data "$2/ledger" trend --days 0 --format json > "$3/first.json" 2>> "$3/first.out" || exit 96
"$1" --data "$2/ledger" import "$3/large" > "$3/full.out" 2> "$3/full.err"; echo $? > "$3/full.code"
"$1" --data "$2/ledger" trend --days 0 --format json > "$3/after.json" 2> "$3/after.err" || exit 97
"#;

#[test]
fn a_full_disk_is_said_clearly_and_harms_nothing() {
    let folder = TempDir::new().unwrap();
    let generate = |name: &str, seed: &str, scale: &str| {
        let mut command = Command::new(lamppost());
        command.args(["scenario", "generate", "--days", "20", "--scale", scale, "--seed", seed, "--out"]);
        let out = folder.path().join(format!("{name}-company"));
        command.arg(&out);
        let _ = finish(command).expect(0);
        fs::rename(out.join("reports"), folder.path().join(name)).unwrap();
    };
    generate("small", "3", "0.02");
    generate("large", "4", "1");
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", ON_A_SMALL_DISK, "sh"]);
    command.arg(lamppost()).arg(&disk).arg(folder.path());
    let finished = finish(command);
    if !matches!(finished.code, Some(0 | 97 | 98)) {
        e2e::must_not_skip(&format!("no small disk can be mounted here: {}", finished.stderr));
        return;
    }
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    assert_eq!(finished.code, Some(0), "{}\n{}\n{}", finished.stderr, read("first.out"), read("after.err"));
    assert_eq!(read("full.code").trim(), "1", "{} {}", read("full.out"), read("full.err"));
    let said = read("full.err");
    assert!(said.contains("space"), "the reason is named: {said}");
    assert!(!said.contains("panicked"), "{said}");
    // What was in before is in still, and what came in after it is whole.
    let first: Value = serde_json::from_str(&read("first.json")).unwrap();
    let after: Value = serde_json::from_str(&read("after.json")).unwrap();
    assert!(number(&after["totals"], "messages") >= number(&first["totals"], "messages"), "{after}");
}
