//! Ways around a rule: lints switched off, tests switched off, work left undone.

use super::Finding;
use super::tree::Tree;

/// What must not stand in code, and what to do instead. Written in two halves, so that this file passes itself.
const ESCAPES: [(&str, &str); 7] = [
    (concat!("#[al", "low("), "write `#[expect(…, reason = \"…\")]`, which fails when the reason is gone"),
    (concat!("#![al", "low("), "write `#![expect(…, reason = \"…\")]`, which fails when the reason is gone"),
    (concat!("#[ig", "nore"), "a test that does not run proves nothing: make it fast, or remove it"),
    (concat!("to", "do!("), "finish it, or describe it in docs/known-issues.md"),
    (concat!("unimpl", "emented!("), "finish it, or describe it in docs/known-issues.md"),
    (concat!("db", "g!("), "remove it"),
    (concat!("thread::sl", "eep("), "wait for what is awaited, with a deadline"),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.ending("rs") {
        let code = file.lines().filter(|(_, line)| !line.trim_start().starts_with("//"));
        for (at, line) in code {
            for (escape, instead) in ESCAPES {
                if line.contains(escape) {
                    findings.push(Finding::new(&file.path, at, format!("`{escape}…`: {instead}")));
                }
            }
        }
        findings.extend(unexplained(&file.path, &file.text));
    }
    findings
}

/// Exceptions from lints give their reason.
fn unexplained(path: &str, text: &str) -> Vec<Finding> {
    let openings = [concat!("#[ex", "pect("), concat!("#![ex", "pect(")];
    let places = openings.into_iter().flat_map(|opening| text.match_indices(opening));
    places
        .filter(|(at, _)| {
            let end = text[*at..].find(")]").map_or(text.len(), |length| at + length);
            !text[*at..end].contains("reason = ")
        })
        .map(|(at, _)| Finding::new(path, text[..at].matches('\n').count() + 1, "an exception without its reason"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_escape_is_found() {
        for (escape, _) in ESCAPES {
            let text = format!("//! X.\n    {escape}\n");
            let found = check(&Tree::of(&[("a/x.rs", &text)]));
            assert!(found.iter().any(|finding| finding.line == 2), "{escape}: {found:?}");
            assert_eq!(check(&Tree::of(&[("a/x.rs", &format!("//! X.\n// {escape}\n"))])), [], "in a comment");
        }
    }

    #[test]
    fn exceptions_give_reasons() {
        let bare = concat!("//! X.\n#[ex", "pect(clippy::a)]\nfn a() {}\n");
        assert_eq!(check(&Tree::of(&[("a/x.rs", bare)]))[0].line, 2);
        let explained = concat!("//! X.\n#[ex", "pect(\n    clippy::a,\n    reason = \"it is so\"\n)]\nfn a() {}\n");
        assert_eq!(check(&Tree::of(&[("a/x.rs", explained)])), []);
    }
}
