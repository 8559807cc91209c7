//! `docs/reference/limits.md`, written from the code: every `Limits` struct, its numbers, and the reason for each.
//!
//! `cargo xtask docs` writes it; `tidy` compares.

use std::fmt::Write as _;

use super::Finding;
use super::tree::{File, Tree};

/// Where the page is.
pub(crate) const PAGE: &str = "docs/reference/limits.md";

const HEAD: &str = "\
<!-- Written by `cargo xtask docs` from the `Limits` structs in the code. Change it there. -->
# Limits

Whatever comes from outside has a limit. A report that breaks one is refused by name; nothing else is held up, and its raw copy is kept.
None can be configured: they are far above what real reports and messages need, and one that breaks them is worth a bug report.
";

/// The page as it should be.
pub(crate) fn page(tree: &Tree) -> String {
    let mut page = HEAD.to_owned();
    let rooms = tree.ending("rs").filter(|file| file.path.starts_with("protocol/") || file.path.starts_with("crates/"));
    for file in rooms {
        for limits in structs(file) {
            let _ = write!(page, "\n## `{}::{}`\n{}\n\n", room(&file.path), limits.name, limits.about);
            page.push_str("| what | at most | why |\n| --- | --- | --- |\n");
            for field in &limits.fields {
                let _ = writeln!(page, "| `{}` | {} | {} |", field.name, field.value, field.why);
            }
        }
    }
    page
}

pub(super) fn check(tree: &Tree) -> Option<Finding> {
    let there = tree.file(PAGE).map_or("", |file| &file.text);
    (there != page(tree)).then(|| Finding::new(PAGE, 0, "differs from the code: `cargo xtask docs` writes it"))
}

struct Limits {
    name: String,
    about: String,
    fields: Vec<Field>,
}

struct Field {
    name: String,
    why: String,
    value: String,
}

fn room(path: &str) -> &str {
    path.split('/').nth(1).unwrap_or_default()
}

/// Public structs whose name ends in `Limits` and that say their defaults.
fn structs(file: &File) -> Vec<Limits> {
    let lines: Vec<&str> = file.text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = line.strip_prefix("pub struct ").and_then(|rest| rest.strip_suffix("Limits {")) else {
            continue;
        };
        let name = format!("{name}Limits");
        let Some((_, defaults)) = file.text.split_once(&format!("impl Default for {name} {{")) else { continue };
        let defaults = defaults.split("\n}").next().unwrap_or_default();
        let mut limits = Limits { about: doc_above(&lines[..at]), name, fields: Vec::new() };
        for (below, line) in lines.iter().enumerate().skip(at + 1).take_while(|(_, line)| **line != "}") {
            let Some((name, _)) = line.trim().strip_prefix("pub ").and_then(|rest| rest.split_once(':')) else {
                continue;
            };
            limits.fields.push(Field {
                name: name.to_owned(),
                why: doc_above(&lines[..below]),
                value: value(name, defaults),
            });
        }
        found.push(limits);
    }
    found
}

/// The `///` lines that end here, as one line.
fn doc_above(lines: &[&str]) -> String {
    let code = |line: &&&str| !line.trim().starts_with("#[");
    let doc = lines.iter().rev().skip_while(|line| !code(line)).map_while(|line| line.trim().strip_prefix("///"));
    let mut doc: Vec<&str> = doc.map(str::trim).collect();
    doc.reverse();
    // Links to items mean nothing outside of the code's own documentation.
    doc.join(" ").replace("[`crate::", "[`").replace("[`", "`").replace("`]", "`").replace('|', "\\|")
}

/// The default of a field, for people.
fn value(name: &str, defaults: &str) -> String {
    let found = defaults.split([',', '{', '\n']).find_map(|part| part.trim().strip_prefix(&format!("{name}: ")));
    let text = found.unwrap_or("?").trim_end_matches([' ', '}']);
    match number(text) {
        Some(n) if name.ends_with("bytes") => bytes(n),
        Some(n) => commas(n),
        None => format!("`{}`", text.trim_end_matches("::default()")),
    }
}

/// `10_000`, `64 << 10`.
fn number(text: &str) -> Option<u64> {
    let plain = |text: &str| text.trim().replace('_', "").parse::<u64>().ok();
    match text.split_once("<<") {
        Some((n, shift)) => plain(n)?.checked_shl(plain(shift)?.try_into().ok()?),
        None => plain(text),
    }
}

fn bytes(n: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let unit = units.into_iter().find(|(shift, _)| n >= 1 << shift && n.is_multiple_of(1 << shift));
    unit.map_or_else(|| format!("{} bytes", commas(n)), |(shift, unit)| format!("{} {unit}", commas(n >> shift)))
}

fn commas(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "\
//! X.

/// Limits of a thing.
#[derive(Debug)]
pub struct ThingLimits {
    /// Bytes of it: see [`crate::Thing`],
    /// or not.
    pub thing_bytes: u64,
    /// How many.
    pub many: usize,
    /// Of another.
    pub other: other::Limits,
}

impl Default for ThingLimits {
    fn default() -> Self {
        Self { thing_bytes: 64 << 20, many: 10_000, other: other::Limits::default() }
    }
}
";

    #[test]
    fn the_page_comes_from_the_code() {
        let tree = Tree::of(&[("protocol/a/src/x.rs", CODE)]);
        let page = page(&tree);
        let wanted = "## `a::ThingLimits`\nLimits of a thing.\n\n| what | at most | why |\n| --- | --- | --- |\n\
                      | `thing_bytes` | 64 MiB | Bytes of it: see `Thing`, or not. |\n\
                      | `many` | 10,000 | How many. |\n| `other` | `other::Limits` | Of another. |\n";
        assert!(page.ends_with(wanted), "{page}");
        assert!(check(&tree).is_some(), "no page");
        assert!(check(&Tree::of(&[("protocol/a/src/x.rs", CODE), (PAGE, &page)])).is_none());
        let changed = CODE.replace("10_000", "10_001");
        assert!(check(&Tree::of(&[("protocol/a/src/x.rs", &changed), (PAGE, &page)])).is_some(), "a number changed");
    }
}
