//! Links between documents lead somewhere: to a file that is there, and to a heading in it.

use super::Finding;
use super::tree::{File, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.ending("md") {
        for (at, target) in links(file) {
            if let Some(reason) = broken(tree, file, target) {
                findings.push(Finding::new(&file.path, at, format!("link to {target}: {reason}")));
            }
        }
    }
    findings
}

/// Targets of `[…](…)`, outside of code.
fn links(file: &File) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (at, line) in file.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for rest in line.split("](").skip(1) {
            if let Some((target, _)) = rest.split_once(')') {
                found.push((at, target));
            }
        }
    }
    found
}

fn broken(tree: &Tree, file: &File, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let full = if path.is_empty() { file.path.clone() } else { resolve(&file.path, path) };
    if !full.is_empty() && !tree.exists(&full) {
        return Some(format!("there is no {full}"));
    }
    let anchor = anchor?;
    let there = tree.file(&full)?.lines().any(|(_, line)| heading(line).is_some_and(|slug| slug == anchor));
    (!there).then(|| format!("{full} has no heading #{anchor}"))
}

/// `path` as seen from the folder of `from`.
fn resolve(from: &str, path: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

/// The anchor that a heading gets on the usual forges.
fn heading(line: &str) -> Option<String> {
    let text = line.trim_start_matches('#');
    if text.len() == line.len() || !text.starts_with(' ') {
        return None;
    }
    let kept = text.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    Some(kept.map(|c| if c == ' ' { '-' } else { c }).flat_map(char::to_lowercase).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_somewhere() {
        let there = ("docs/there.md", "# The `six` outcomes: what they say\n");
        let cases = [
            ("[a](docs/there.md)", 0, "a file"),
            ("[a](docs)", 0, "a folder"),
            ("[a](docs/there.md#the-six-outcomes-what-they-say)", 0, "a heading"),
            ("[a](https://example.org/x.md)", 0, "elsewhere"),
            ("```\n[a](gone.md)\n```", 0, "in code"),
            ("# Here\n[a](#here)", 0, "a heading in the same file"),
            ("[a](gone.md)", 1, "no such file"),
            ("[a](docs/there.md#gone)", 1, "no such heading"),
            ("[a](#gone) and [b](gone.md)", 2, "two in one line"),
        ];
        for (text, expected, why) in cases {
            assert_eq!(check(&Tree::of(&[there, ("README.md", text)])).len(), expected, "{why}");
        }
        assert_eq!(check(&Tree::of(&[there, ("docs/x/y.md", "[a](../there.md)")])), [], "from a folder");
    }
}
