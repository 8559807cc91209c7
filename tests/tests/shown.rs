//! `report show` over every sample there is: real reports with their known numbers, and hostile files with their known fate.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use e2e::{Finished, finish, lamppost, suites};
use serde_json::Value;

/// So many files go to one call: a command line has its limits, and one call for each would measure the start of processes.
const FILES_PER_CALL: usize = 300;

fn show(folder: &Path, files: &[String]) -> Finished {
    let mut command = Command::new(lamppost());
    command.current_dir(folder).args(["report", "show", "--format", "json"]).args(files);
    finish(command)
}

/// Everything shown of `files`, by file name.
fn shown(folder: &Path, files: &[String]) -> BTreeMap<String, Vec<Value>> {
    let mut by_file: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for files in files.chunks(FILES_PER_CALL) {
        let finished = show(folder, files);
        let rejected = finished.json_lines().iter().any(|line| !line["rejected"].is_null());
        assert_eq!(finished.code, Some(if rejected { 3 } else { 0 }), "{}", finished.stderr);
        for line in finished.json_lines() {
            by_file.entry(line["file"].as_str().expect("each line names its file").to_owned()).or_default().push(line);
        }
    }
    by_file
}

/// The manifest's numbers against what was shown; the names of those that differ.
fn differences(expected: &Value, shown: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(|text| text.trim().to_owned()).unwrap_or_default();
    let pairs = [
        ("report_id", expected["report_id"].clone(), shown["report_id"].clone()),
        ("domain", expected["domain"].clone(), shown["policy_published"]["domain"].clone()),
        ("p", expected["p"].clone(), shown["policy_published"]["p"].clone()),
        ("begin", text(&expected["begin"]).into(), shown["interval"]["begin"].to_string().into()),
        ("end", text(&expected["end"]).into(), shown["interval"]["end"].to_string().into()),
        ("messages", expected["messages"].clone(), shown["totals"]["messages"].clone()),
        ("dkim_aligned", expected["dkim_aligned"].clone(), shown["totals"]["dkim_aligned"].clone()),
        ("spf_aligned", expected["spf_aligned"].clone(), shown["totals"]["spf_aligned"].clone()),
        ("dmarc_pass", expected["dmarc_pass"].clone(), shown["totals"]["dmarc_pass"].clone()),
        ("source_ips", expected["source_ips"].clone(), shown["totals"]["sources"].clone()),
    ];
    let mut different: Vec<String> = pairs
        .into_iter()
        .filter(|(_, expected, shown)| expected != shown)
        .map(|(name, expected, shown)| format!("{name}: {expected} ≠ {shown}"))
        .collect();
    // An empty name is filled from the contact address.
    if !text(&expected["org"]).is_empty() && text(&expected["org"]) != text(&shown["reporter"]["organization"]) {
        different.push(format!("org: {} ≠ {}", expected["org"], shown["reporter"]["organization"]));
    }
    let rows = expected["records"].as_u64().unwrap_or_default() - expected["bad_rows"].as_u64().unwrap_or_default();
    if shown["totals"]["rows"] != rows || shown["rows"].as_array().map(Vec::len) != usize::try_from(rows).ok() {
        different.push(format!("rows: {rows} ≠ {}", shown["totals"]["rows"]));
    }
    let dispositions = |value: &Value| -> BTreeMap<String, u64> {
        let counts = value.as_object().into_iter().flatten();
        counts.filter_map(|(word, n)| Some((word.clone(), n.as_u64()?))).filter(|(_, n)| *n > 0).collect()
    };
    if dispositions(&expected["disposition"]) != dispositions(&shown["totals"]["disposition"]) {
        different.push(format!("disposition: {} ≠ {}", expected["disposition"], shown["totals"]["disposition"]));
    }
    different
}

#[test]
fn real_reports_show_their_known_numbers() {
    let Some(suites) = suites() else { return };
    let folder = suites.join("reports");
    let manifest = fs::read_to_string(folder.join("manifest.jsonl")).unwrap();
    let expected: Vec<Value> = manifest.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // Lines with an `error` say only that another program could not read the file.
    let expected: Vec<Value> = expected.into_iter().filter(|line| line.get("error").is_none()).collect();
    let files: Vec<String> = expected.iter().map(|line| line["file"].as_str().unwrap().to_owned()).collect();
    let shown = shown(&folder, &files);
    let mut wrong = Vec::new();
    for expected in &expected {
        let file = expected["file"].as_str().unwrap();
        match shown.get(file).map(Vec::as_slice) {
            Some([one]) if one["rejected"].is_null() => {
                wrong.extend(differences(expected, one).into_iter().map(|difference| format!("{file}: {difference}")));
            }
            other => wrong.push(format!("{file}: {other:?}")),
        }
    }
    println!("real reports: {} cases ran", expected.len());
    assert!(expected.len() >= 1769);
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn hostile_files_meet_their_known_fate() {
    let Some(suites) = suites() else { return };
    let folder = suites.join("malformed");
    let manifest: Value = serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    let cases = manifest.as_array().unwrap();
    let files: Vec<String> = cases.iter().map(|case| case["file"].as_str().unwrap().to_owned()).collect();
    let shown = shown(&folder, &files);
    let mut wrong = Vec::new();
    for case in cases {
        let (file, expected) = (case["file"].as_str().unwrap(), &case["expect"]);
        let lines = shown.get(file).cloned().unwrap_or_default();
        let read: Vec<&Value> = lines.iter().filter(|line| line["rejected"].is_null()).collect();
        let sum = |name: &str| read.iter().filter_map(|line| line["totals"][name].as_u64()).sum::<u64>();
        let fits = match expected["outcome"].as_str() {
            Some("accept") => {
                read.len() == 1 && expected["records"] == sum("rows") && expected["messages"] == sum("messages")
            }
            // What is refused is refused by name, and a row that cannot be counted may leave the report standing without it.
            Some("reject") => !lines.is_empty() && sum("messages") == 0,
            _ => !lines.is_empty(),
        };
        if !fits && case["optional"] != true {
            wrong.push(format!("{file}: expected {expected}, got {lines:?}"));
        }
    }
    println!("hostile files: {} cases ran", cases.len());
    assert!(cases.len() >= 42);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// The shape that `docs/reference/json.md` promises, key by key.
#[test]
fn the_json_has_every_promised_key() {
    let Some(suites) = suites() else { return };
    let file = "parsedmarc/rfc9990-sample.xml".to_owned();
    let finished = show(&suites.join("reports"), &[file]).expect(0);
    let line = finished.json();
    let keys = |value: &Value| value.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    let has = |value: &Value, wanted: &[&str]| {
        let there = keys(value);
        for key in wanted {
            assert!(there.iter().any(|k| k == key), "lacks {key}: {value}");
        }
    };
    has(
        &line,
        &[
            "file",
            "member",
            "reporter",
            "report_id",
            "interval",
            "policy_published",
            "rows",
            "totals",
            "flaws",
            "identity",
        ],
    );
    has(&line["reporter"], &["organization", "email", "generator"]);
    has(&line["interval"], &["begin", "end"]);
    let policy = ["domain", "p", "sp", "np", "adkim", "aspf", "pct", "fo", "testing", "discovery_method"];
    has(&line["policy_published"], &policy);
    let row = &line["rows"][0];
    has(row, &["source", "count", "author_domain", "envelope_from", "envelope_to", "evaluated", "dkim", "spf"]);
    has(&row["evaluated"], &["disposition", "dkim", "spf", "overrides"]);
    has(&row["dkim"][0], &["domain", "selector", "result", "human_result"]);
    has(&row["spf"][0], &["domain", "scope", "result", "human_result"]);
    has(&line["totals"], &["rows", "messages", "dkim_aligned", "spf_aligned", "dmarc_pass", "sources", "disposition"]);
    assert!(line["identity"].as_str().is_some_and(|text| text.starts_with("sha256:") && text.len() == 71), "{line}");
}
