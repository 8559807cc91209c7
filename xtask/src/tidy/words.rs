//! One word for one thing: the field's standard terms, in code, pages and documents alike.

use super::Finding;
use super::tree::Tree;

/// What is not written, and what is. Written in two halves, so that this file passes itself.
const WORDS: [(&str, &str); 10] = [
    (concat!("from", " domain"), "author domain"),
    (concat!("root", " domain"), "organizational domain"),
    (concat!("organi", "sational domain"), "organizational domain, as RFC 9989 spells it"),
    (concat!("foren", "sic"), "failure report"),
    (concat!("foren", "sics"), "failure reports"),
    (concat!("white", "list"), "allow list"),
    (concat!("white", "lists"), "allow lists"),
    (concat!("white", "listed"), "on the allow list"),
    (concat!("black", "list"), "block list"),
    (concat!("black", "listed"), "on the block list"),
];

/// Places on one person's machine: nobody else has them.
const PLACES: [&str; 4] =
    [concat!("/wo", "rk/"), concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("C:", "\\Users")];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        for (at, line) in file.lines() {
            // In capitals it is SQL's FROM.
            let lower = line.replace("FROM ", "").to_lowercase();
            for (word, instead) in WORDS {
                if contains_word(&lower, word) {
                    findings.push(Finding::new(&file.path, at, format!("“{word}”: the word is “{instead}”")));
                }
            }
            for place in PLACES {
                if line.contains(place) {
                    findings.push(Finding::new(&file.path, at, format!("{place} is a place on one machine")));
                }
            }
        }
    }
    findings
}

/// Whole words only. `_` and a leading dot belong to a word: names in other formats (`header_from`, `RFC5322.From`) stay as they are.
fn contains_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(|c| part(c) || c == '.') && !after.is_some_and(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_and_only_whole() {
        for (word, _) in WORDS {
            let good = format!("x_{word}_y, RFC5322.{word}\n");
            let (first, rest) = word.split_at(1);
            let bad = format!("fine\nThe {}{rest}.\n", first.to_uppercase());
            assert_eq!(check(&Tree::of(&[("a.md", &good)])), [], "{word}");
            let found = check(&Tree::of(&[("a.md", &bad)]));
            assert!(!found.is_empty() && found.iter().all(|finding| finding.line == 2), "{word}: {found:?}");
        }
    }

    #[test]
    fn a_query_is_no_sentence() {
        let query = concat!("SELECT name FR", "OM domain\n");
        assert_eq!(check(&Tree::of(&[("a.rs", query)])), []);
    }

    #[test]
    fn places_are_found() {
        for place in PLACES {
            assert_eq!(check(&Tree::of(&[("a.rs", &format!("{place}x"))])).len(), 1);
        }
    }
}
