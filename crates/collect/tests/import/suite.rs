//! Every sample of the suites through the import, held against what the suites say is in it.

#![expect(clippy::unwrap_used, reason = "a suite that cannot be read fails the test")]

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use crate::support::{Place, counted, everything, reports, suites};
use report::RejectionKind as Kind;
use serde_json::Value;

fn number(value: &Value, key: &str) -> u64 {
    match &value[key] {
        Value::String(text) => text.parse().unwrap(),
        other => other.as_u64().unwrap_or_else(|| panic!("no number {key} in {value}")),
    }
}

/// Why each hostile or broken sample is refused. What the suite refuses and is not here fails.
const REFUSED: &[(&str, Kind)] = &[
    ("bomb-200M.zip", Kind::ExpandedSizeLimit),
    ("bomb-256M.xml.gz", Kind::ExpandedSizeLimit),
    ("date-iso.xml", Kind::ImplausibleTime),
    ("date-ms.xml", Kind::ImplausibleTime),
    ("ip-hostname.xml", Kind::AllRowsInvalid),
    ("kddi-unclosed-report-id.xml", Kind::NotWellFormed),
    ("mail-not-report.eml", Kind::NoReport),
    ("many-members.zip", Kind::MemberLimit),
    ("nested-200.gz", Kind::NestingLimit),
];

#[test]
fn hostile_and_broken_samples_end_as_the_suite_says() {
    let Some(suites) = suites() else { return };
    let folder = suites.join("malformed");
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    for case in &cases {
        let file = case["file"].as_str().unwrap();
        let place = Place::new();
        let summary = place.import(&folder.join(file));
        let said = format!("{file} ({}): {summary:?}", case["why"]);
        match case["expect"]["outcome"].as_str().unwrap() {
            "accept" => {
                assert_eq!((summary.reports, summary.new, summary.rejected), (1, 1, 0), "{said}");
                let expected = (number(&case["expect"], "records"), number(&case["expect"], "messages"));
                assert_eq!((summary.rows, summary.messages), expected, "{said}");
                assert_eq!(counted(&place.ledger), expected, "{said}");
            }
            "reject" => {
                assert_eq!((summary.reports, summary.rejected, summary.rejections.len()), (0, 1, 1), "{said}");
                let (_, kind) = REFUSED.iter().find(|(name, _)| *name == file).expect(&said);
                assert_eq!(summary.rejections[0].rejection.kind, *kind, "{said}");
                let (known, count) = place.ledger.rejections(0, 10).unwrap();
                assert_eq!((known[0].rejection.kind, count), (*kind, 1), "{said}");
                assert_eq!(counted(&place.ledger), (0, 0), "{said}");
            }
            other => panic!("{other}"),
        }
    }
    println!("{} hostile and broken samples", cases.len());
}

/// What lies beside the real reports and is none.
const NO_REPORTS: &[(&str, &str)] = &[
    ("LICENSE", "no report in it, only text"),
    ("Apache-2.0.txt", "no report in it, only text"),
    ("MIT.txt", "no report in it, only text"),
    ("manifest.jsonl", "no report in it, only JSON"),
    ("example.eml", "no report in it, only text, a TLS report, which is another kind"),
    ("microsoft.eml", "no report in it, only text, a TLS report, which is another kind"),
    ("empty.xml", "nothing in it"),
];

#[test]
fn real_reports_are_taken_in_to_the_message() {
    let Some(suites) = suites() else { return };
    let folder = suites.join("reports");
    let place = Place::new();
    let summary = place.import(&folder);
    let manifest = std::fs::read_to_string(folder.join("manifest.jsonl")).unwrap();
    let expected: BTreeMap<String, Value> = manifest
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|case| case["error"].is_null())
        .map(|case| (folder.join(case["file"].as_str().unwrap()).to_string_lossy().into_owned(), case))
        .collect();
    let all = reports(&place.ledger);
    let mut compared = 0;
    for entry in &all {
        let Some(case) = expected.get(&entry.origin) else { continue };
        compared += 1;
        let said = &entry.origin;
        assert_eq!(entry.report.report_id, case["report_id"].as_str().unwrap(), "{said}");
        assert_eq!(entry.report.policy.domain, case["domain"].as_str().unwrap().to_lowercase(), "{said}");
        assert_eq!(entry.messages, number(case, "messages"), "{said}");
        assert_eq!(entry.rows + entry.bad_rows, number(case, "records"), "{said}");
    }
    assert_eq!((summary.reports, all.len() as u64), (summary.new + summary.duplicates, summary.new));
    // Those of the manifest that are not entries are copies of one that is.
    let entered: HashSet<_> =
        all.iter().map(|e| (e.report.report_id.as_str(), e.report.policy.domain.as_str(), e.messages)).collect();
    for (file, case) in &expected {
        let domain = case["domain"].as_str().unwrap().to_lowercase();
        assert!(entered.contains(&(case["report_id"].as_str().unwrap(), &domain, number(case, "messages"))), "{file}");
    }
    let rows: u64 = all.iter().filter(|e| e.superseded_by.is_none()).map(|e| e.rows).sum();
    let messages: u64 = all.iter().filter(|e| e.superseded_by.is_none()).map(|e| e.messages).sum();
    assert_eq!(counted(&place.ledger), (rows, messages));
    let sum: u64 = everything(&place.ledger).lines.iter().map(|line| amount(&line.measures[0])).sum();
    assert_eq!(sum, messages, "the rows in the ledger add up to what the reports say");
    for rejected in &summary.rejections {
        println!("{}: {:?}: {}", rejected.origin, rejected.rejection.kind, rejected.rejection.message);
        let name = Path::new(&rejected.origin).file_name().unwrap().to_string_lossy().into_owned();
        let (_, what) = NO_REPORTS.iter().find(|(no_report, _)| *no_report == name).expect(&name);
        assert_eq!(rejected.rejection.message, format!("There is {what}."));
    }

    assert_eq!(summary.rejections.len(), NO_REPORTS.len() + 4, "LICENSE is there five times");

    let before = everything(&place.ledger);
    let again = place.import(&folder);
    assert_eq!((again.new, again.rows, again.messages, again.flaws), (0, 0, 0, 0), "{again:?}");
    assert_eq!((again.reports, again.duplicates), (summary.reports, summary.reports), "{again:?}");
    assert_eq!(again.rejections, summary.rejections, "what was refused is refused again, for the same reasons");
    assert_eq!(everything(&place.ledger), before, "a second time changes nothing");
    println!("{} real reports in {} files, {compared} held against the manifest", summary.reports, summary.files);
}

fn amount(value: &store::Value) -> u64 {
    match value {
        store::Value::Number(number) => *number,
        other => panic!("{other:?} is no number"),
    }
}

/// The containers among the real reports, each by itself: name, reports, rows, messages.
const CONTAINERS: &[(&str, u64)] = &[
    ("mox/google.eml", 1),
    ("mox/mailru.eml", 1),
    ("mox/outlook.eml", 1),
    ("mox/xs4all.eml", 1),
    ("mox/yahoo.eml", 1),
    ("parsedmarc/Report domain- borschow.com Submitter- google.com Report-ID- 949348866075514174.eml", 1),
    ("parsedmarc/estadocuenta1.infonacot.gob.mx!example.com!1536853302!1536939702!2940.xml.zip", 1),
    ("parsedmarc/fastmail.com!example.com!1516060800!1516147199!102675056.xml.gz", 1),
    ("parsedmarc/mimecast-weird-gzip.eml", 1),
    ("parsedmarc/nice-input.xml.gz", 1),
    ("parsedmarc/nice-input.xml.zip", 1),
    ("parsedmarc/twilight.eml", 1),
    ("tierpod/test.xml.gz", 1),
    ("tierpod/test.xml.gz.gz", 1),
    ("tierpod/test.xml.zip", 1),
];

#[test]
fn every_real_container_opens() {
    let Some(suites) = suites() else { return };
    for (name, count) in CONTAINERS {
        let place = Place::new();
        let summary = place.import(&suites.join("reports").join(name));
        assert_eq!((summary.reports, summary.rejected), (*count, 0), "{name}: {summary:?}");
        assert!(summary.rows > 0 && summary.messages > 0, "{name}: {summary:?}");
    }
    println!("{} containers", CONTAINERS.len());
}
