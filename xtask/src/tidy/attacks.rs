//! `docs/internals/attacks.md` names the test that holds each attack: the tests must be there, and bear the attack's number.
//!
//! A code span like `path.rs::name` is a test, one that begins with `testdata/` a case. Those above a table are for all of its rows.

use super::Finding;
use super::tree::Tree;

const PAGE: &str = "docs/internals/attacks.md";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.file(PAGE) else {
        return vec![Finding::new(PAGE, 0, "is not there: it names the tests that hold against attacks")];
    };
    let mut findings = Vec::new();
    let mut section: Vec<&str> = Vec::new();
    for (number, line) in page.lines() {
        if line.starts_with("## ") {
            section.clear();
        }
        let here = tests(line);
        findings.extend(here.iter().filter_map(|test| missing(tree, test)).map(|why| Finding::new(PAGE, number, why)));
        match line.strip_prefix("| ").and_then(|rest| rest.split_once(" |")) {
            Some((id, _)) if is_id(id) => {
                let found = section.iter().chain(&here).any(|test| bears(tree, test, id));
                findings
                    .extend((!found).then(|| Finding::new(PAGE, number, format!("no test of the section bears {id}"))));
            }
            _ => section.extend(here),
        }
    }
    findings
}

/// The code spans of a line that are tests or cases.
fn tests(line: &str) -> Vec<&str> {
    let spans = line.split('`').skip(1).step_by(2);
    spans.filter(|span| span.contains(".rs::") || span.starts_with("testdata/")).collect()
}

fn is_id(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_uppercase()) && text.len() > 1 && chars.all(|c| c.is_ascii_digit())
}

fn missing(tree: &Tree, span: &str) -> Option<String> {
    let Some((path, name)) = span.split_once("::") else {
        return (!tree.exists(span)).then(|| format!("{span} is not there"));
    };
    let there = tree.file(path).is_some_and(|file| file.text.contains(&format!("fn {name}(")));
    (!there).then(|| format!("there is no test {span}"))
}

/// Whether the file of a test has the number in it. Test data is not read here: that it is there is enough.
fn bears(tree: &Tree, span: &str, id: &str) -> bool {
    let Some((path, _)) = span.split_once("::") else { return true };
    let text = tree.file(path).map_or("", |file| &file.text);
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| word == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(page: &str) -> Vec<String> {
        let tree = Tree::of(&[
            (PAGE, page),
            ("protocol/a/tests/a.rs", "#[test]\nfn cases() { /* X1 nothing */ }"),
            ("testdata/a/1.zone", ""),
        ]);
        check(&tree).into_iter().map(|finding| format!("{}: {}", finding.line, finding.message)).collect()
    }

    #[test]
    fn tests_and_numbers_must_be_there() {
        assert_eq!(found("## A\nBy `protocol/a/tests/a.rs::cases`.\n\n| X1 | y | z |\n"), [""; 0]);
        assert_eq!(found("## A\n| X2 | y | `testdata/a/1.zone` |\n"), [""; 0], "a case of its own");
        assert_eq!(found("| X12 | y | `protocol/a/tests/a.rs::cases` |\n"), ["1: no test of the section bears X12"]);
        assert_eq!(
            found("By `protocol/a/tests/a.rs::cases`.\n## B\n| X1 | y | z |\n"),
            ["3: no test of the section bears X1"],
            "the test of another section"
        );
        let gone = ["1: there is no test protocol/a/tests/a.rs::other", "1: testdata/a/2.zone is not there"];
        assert_eq!(found("`protocol/a/tests/a.rs::other` `testdata/a/2.zone` `plain`\n"), gone);
    }
}
