//! Zones and messages as data: `testdata/dmarc` says what DMARC makes of them, and why.
#![expect(clippy::disallowed_methods, reason = "cases are files")]

use std::fmt::Write as _;
use std::path::PathBuf;

use dmarc::{Evaluation, Policy, Record, Verdict};
use dns::Zone;

use crate::common::{folder, read, unescape};

/// Lines of a block that ask; the others are answers.
fn questions<'b>(block: &'b str, words: &[&str]) -> Vec<&'b str> {
    block.lines().filter(|line| words.iter().any(|word| line.starts_with(word))).collect()
}

fn verdict_line(out: &mut String, verdict: &Verdict) {
    let author = verdict.author_domain.as_ref().map_or("-", |domain| domain.as_str());
    let word = |policy: Option<Policy>| policy.map_or("-", Policy::as_str);
    let policy = word(verdict.policy.map(|requested| requested.policy));
    let (standard, result, asked) = (verdict.standard.as_str(), verdict.result, word(verdict.requested_disposition));
    writeln!(out, "> {standard} {author}: {result} policy={policy} asked={asked}: {}", verdict.why()).expect("text");
}

fn answers(evaluation: &Evaluation) -> String {
    let mut out = String::new();
    let flags = |flags: &[message::AuthorFlag]| {
        flags.iter().map(|flag| [" ", flag.name()].concat()).collect::<Vec<_>>().concat()
    };
    let from = match &evaluation.author {
        Ok(author) => format!("ok {}{}", author.domain, flags(&author.flags)),
        Err(refused) => format!("refuse {}", refused.name()),
    };
    writeln!(out, "> from {from}").expect("text");
    verdict_line(&mut out, &evaluation.dmarc);
    for other in evaluation.candidates.iter().chain(&evaluation.other) {
        verdict_line(&mut out, other);
    }
    if let Some(difference) = evaluation.difference() {
        writeln!(out, "> {difference}").expect("text");
    }
    out
}

fn messages(zone: &Zone, expected: &str) -> String {
    let (blocks, trace) = expected.split_once("---\n").map_or((expected, None), |(a, b)| (a, Some(b)));
    let (mut out, mut last) = (Vec::new(), None);
    for block in blocks.trim_end().split("\n\n") {
        let asked = questions(block, &["#", "client", "settings", "header"]).join("\n");
        let (sent, settings) = read(&asked);
        let evaluation = sent.evaluate(zone, &settings);
        out.push(format!("{asked}\n{}", answers(&evaluation)));
        last = Some(evaluation);
    }
    let mut out = out.join("\n");
    if let (Some(_), Some(last)) = (trace, last) {
        write!(out, "---\n{}", last.to_text()).expect("text");
    }
    out
}

fn records(expected: &str) -> String {
    let block = |block: &str| {
        let mut out = questions(block, &["#", "<"]).join("\n");
        out.push('\n');
        let text = block.lines().find_map(|line| line.strip_prefix("< ")).unwrap_or_default();
        match Record::parse(unescape(text)) {
            Ok((record, findings)) => {
                writeln!(out, "> {record}").expect("text");
                for finding in findings {
                    let (span, mark) =
                        (&finding.span, if finding.problem.is_error() { "" } else { "(only a remark) " });
                    writeln!(out, "? {}..{} {mark}{finding}", span.start, span.end).expect("text");
                }
            }
            Err(why) => writeln!(out, "! {why}").expect("text"),
        }
        out
    };
    expected.trim_end().split("\n\n").map(block).collect::<Vec<_>>().join("\n")
}

fn compare(path: &PathBuf, found: &str) {
    let expected = std::fs::read_to_string(path).expect("a file of cases");
    for (found, expected) in found.split("\n\n").zip(expected.split("\n\n")) {
        assert_eq!(found.trim_end(), expected.trim_end(), "{}", path.display());
    }
    assert_eq!(found, expected, "{}", path.display());
}

#[test]
fn all_records() {
    let path = folder().join("records.expected");
    let expected = std::fs::read_to_string(&path).expect("a file of cases");
    compare(&path, &records(&expected));
    let cases = expected.lines().filter(|line| line.starts_with('<')).count();
    println!("{cases} records");
    assert!(cases >= 45, "only {cases} records");
}

#[test]
fn all_messages() {
    let mut cases = 0;
    for name in ["01-envelope", "02-from", "03-records", "04-discovery", "05-generations"] {
        let zone = std::fs::read_to_string(folder().join(name).with_extension("zone")).expect("a file of cases");
        let zone = Zone::parse(&zone).unwrap_or_else(|error| panic!("{name}: {error}"));
        let path = folder().join(name).with_extension("expected");
        let expected = std::fs::read_to_string(&path).expect("a file of cases");
        compare(&path, &messages(&zone, &expected));
        cases += expected.lines().filter(|line| line.starts_with("header ")).count();
    }
    println!("{cases} messages");
    assert!(cases >= 110, "only {cases} messages");
}
