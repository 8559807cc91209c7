//! `docs/standards.tsv` and the code tell the same story: every RFC that is quoted is registered, every registered one is quoted.
//!
//! Columns: number, title, status (`yes`, `partial`, `no`), rooms that obey it (folders, parted by commas; `-` for none), note.

use std::collections::BTreeSet;

use super::Finding;
use super::tree::Tree;

const REGISTER: &str = "docs/standards.tsv";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(register) = tree.file(REGISTER) else {
        return vec![Finding::new(REGISTER, 0, "missing")];
    };
    let mut findings = Vec::new();
    let mut registered = BTreeSet::new();
    let lines = register.lines().filter(|(_, line)| !line.starts_with('#') && !line.is_empty());
    for (at, line) in lines {
        let columns: Vec<&str> = line.split('\t').collect();
        let [number, _title, status, rooms, _note] = columns[..] else {
            findings.push(Finding::new(
                REGISTER,
                at,
                "five columns, parted by tabs: number, title, status, rooms, note",
            ));
            continue;
        };
        if !registered.insert(number.to_owned()) {
            findings.push(Finding::new(REGISTER, at, format!("RFC {number} stands here twice")));
        }
        match status {
            "yes" | "partial" => {
                for room in rooms.split(',').map(str::trim) {
                    if !quoted_in(tree, number, room) {
                        let message =
                            format!("RFC {number} is registered as {status} in {room}, which quotes it nowhere");
                        findings.push(Finding::new(REGISTER, at, message));
                    }
                }
            }
            "no" => {}
            other => findings.push(Finding::new(REGISTER, at, format!("status is yes, partial or no, not “{other}”"))),
        }
    }
    for file in tree.ending("rs").chain(tree.ending("md")) {
        for (at, line) in file.lines() {
            for number in numbers(line).filter(|number| !registered.contains(*number)) {
                findings.push(Finding::new(&file.path, at, format!("RFC {number} is not in {REGISTER}")));
            }
        }
    }
    findings
}

fn quoted_in(tree: &Tree, number: &str, room: &str) -> bool {
    let prefix = format!("{room}/");
    let mut files = tree.ending("rs").filter(|file| file.path.starts_with(&prefix));
    files.any(|file| numbers(&file.text).any(|quoted| quoted == number))
}

/// The numbers after `RFC `.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    text.split("RFC ").skip(1).filter_map(|rest| {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        (digits > 0).then(|| &rest[..digits])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found for a register and one line of code in room `a`.
    fn found(register: &str, code: &str) -> Vec<Finding> {
        check(&Tree::of(&[(REGISTER, &register.replace(' ', "\t")), ("a/src/x.rs", code)]))
    }

    #[test]
    fn both_ways() {
        // Put together here, so that this file quotes no RFC of its own.
        let code = format!("// {} 77 §1", "RFC");
        assert_eq!(found("77 Title yes a note\n", &code), []);
        assert_eq!(found("77 Title no - note\n", &code), []);
        assert_eq!(found("", &code)[0].path, "a/src/x.rs", "quoted but not registered");
        assert_eq!(found("77 Title yes b note\n", &code)[0].line, 1, "registered in a room that does not quote it");
        assert_eq!(found("77 Title yes a,b note\n", &code).len(), 1, "one of two rooms quotes it");
        assert_eq!(found("7 Title partial a note\n", &code).len(), 2, "a number that begins like another");
        assert_eq!(found("77 Title perhaps a note\n", &code).len(), 1);
        assert_eq!(found("77 Title yes\n77 Title yes a note\n", &code).len(), 1, "too few columns");
        assert_eq!(found("77 Title yes a n\n77 Title yes a n\n", &code).len(), 1, "twice");
        assert_eq!(check(&Tree::default()).len(), 1, "no register");
    }
}
