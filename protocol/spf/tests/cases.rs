//! Zones and clients as data: `testdata/spf` says what SPF makes of them, why, and what the trace looks like.
#![expect(clippy::disallowed_methods, reason = "cases are files")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dns::{Zone, now};
use message::ReversePath;
use spf::{Client, Evaluation, Limits, check_helo, check_mail_from};

/// RFC 7208 §4.6.4: "Such a limit SHOULD allow at least 20 seconds."
const BUDGET: Duration = Duration::from_secs(20);

/// `\DDD` is an octet; what it makes is UTF-8.
fn unescape(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|digits| *first == b'\\' && digits.iter().all(u8::is_ascii_digit));
        if let Some(digits) = digits {
            let number = std::str::from_utf8(digits).expect("digits").parse().expect("an octet");
            out.push(number);
            rest = &after[3..];
        } else {
            out.push(*first);
            rest = after;
        }
    }
    String::from_utf8(out).expect("UTF-8")
}

fn evaluate(zone: &Zone, [ip, helo, mail_from]: [&str; 3]) -> Evaluation {
    let helo = unescape(helo);
    let client = Client::new(ip.parse().expect("an address"), &helo);
    let within = zone.within(BUDGET);
    let limits = Limits::default();
    let from = unescape(mail_from);
    match mail_from {
        "HELO" => now(check_helo(&within, &client, &limits)),
        "MISSING" => now(check_mail_from(&within, &client, &ReversePath::Missing, &limits)),
        _ => now(check_mail_from(&within, &client, &ReversePath::parse(Some(from.as_bytes())), &limits)),
    }
}

/// What comes of the questions of a case, written as its expectation is.
fn outcome(zone: &Zone, expected: &str) -> String {
    let (questions, trace) = expected.split_once("---\n").map_or((expected, None), |(a, b)| (a, Some(b)));
    let mut out = String::new();
    let mut last = None;
    for line in questions.lines() {
        let columns: Vec<&str> = line.split(" | ").collect();
        let asked = [columns[0], columns[1], columns[2]];
        let evaluation = evaluate(zone, asked);
        check_shape(&evaluation);
        let explanation = evaluation.explanation.as_ref().map_or(String::new(), |text| format!(" | {text}"));
        let (asked, result, why) = (asked.join(" | "), evaluation.result, evaluation.why());
        writeln!(out, "{asked} | {result} | {why}{explanation}").expect("a string takes it");
        last = Some(evaluation);
    }
    if let (Some(_), Some(last)) = (trace, last) {
        out.push_str("---\n");
        out.push_str(&last.to_text());
    }
    out
}

/// What must hold for every evaluation.
fn check_shape(evaluation: &Evaluation) {
    assert!(evaluation.lookups <= evaluation.limits.lookups_max, "{}", evaluation.to_text());
    if let Some(tree) = evaluation.tree() {
        let spent = tree.terms.iter().map(|term| term.after).max_by_key(|spent| spent.lookups).unwrap_or_default();
        let counted = (evaluation.lookups, evaluation.void_lookups);
        assert_eq!(
            (spent.lookups, spent.voids),
            counted,
            "the tree counts as the evaluation did\n{}",
            evaluation.to_text()
        );
    }
    let json = evaluation.to_json();
    assert_eq!(json["result"], evaluation.result.as_str());
}

fn cases(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder of cases").map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "zone")).collect();
    paths.sort();
    paths
}

#[test]
fn all_cases() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/spf"));
    let paths = cases(&folder);
    let mut questions = 0;
    for path in &paths {
        let zone = std::fs::read_to_string(path).unwrap();
        let zone = Zone::parse(&zone).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let expected = std::fs::read_to_string(path.with_extension("expected")).unwrap();
        let found = outcome(&zone, &expected);

        assert_eq!(found, expected, "{}", path.display());
        questions += expected.lines().filter(|line| line.contains(" | ")).count();
    }
    println!("{} zones, {questions} questions", paths.len());
    assert!(paths.len() >= 17, "only {} cases were found in {}", paths.len(), folder.display());
}
