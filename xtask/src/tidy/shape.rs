//! Sizes and openings: how long a file may be, and what it begins with.

use super::Finding;
use super::tree::Tree;

const LINES_MAX: usize = 1000;
const LINES_TO_SPLIT: usize = 500;
const LIB_LINES_MAX: usize = 150;
const MAP_LINES_MAX: usize = 200;
/// Of a hundred functions, how many may be longer than clippy's `too-many-lines-threshold`.
const LONG_FUNCTIONS_PERCENT_MAX: usize = 2;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.ending("rs") {
        let lines = file.text.lines().count();
        if lines > LINES_MAX {
            findings.push(Finding::new(&file.path, 0, format!("{lines} lines, {LINES_MAX} are allowed: split it")));
        }
        if file.path.ends_with("/lib.rs") && lines > LIB_LINES_MAX {
            let message = format!("{lines} lines: a lib.rs is map and re-exports, {LIB_LINES_MAX} at most");
            findings.push(Finding::new(&file.path, 0, message));
        }
        if !file.text.starts_with("//!") || file.text.starts_with("//! skeleton") {
            findings.push(Finding::new(&file.path, 1, "begins without a `//!` sentence that says what it is"));
        }
    }
    if let Some(map) = tree.file("ARCHITECTURE.md") {
        let lines = map.text.lines().count();
        if lines > MAP_LINES_MAX {
            findings.push(Finding::new(&map.path, 0, format!("{lines} lines, {MAP_LINES_MAX} are allowed")));
        }
    }
    findings.extend(long_functions(tree));
    findings.extend(testdata(tree));
    findings.extend(manifests(tree));
    findings.extend(clippy_settings(tree));
    findings
}

/// Files that are allowed but long.
pub(super) fn notes(tree: &Tree) -> Vec<String> {
    let lines = |text: &str| text.lines().count();
    let long = tree.ending("rs").filter(|file| lines(&file.text) > LINES_TO_SPLIT);
    long.map(|file| format!("{}: {} lines, look for the split", file.path, lines(&file.text))).collect()
}

/// clippy holds functions to 70 lines; exceptions are counted here.
fn long_functions(tree: &Tree) -> Option<Finding> {
    let marker = concat!("clippy::too_many", "_lines");
    let count = |needle: &str| tree.ending("rs").map(|file| file.text.matches(needle).count()).sum::<usize>();
    let (functions, long) = (count("fn "), count(marker));
    (long * 100 > functions * LONG_FUNCTIONS_PERCENT_MAX).then(|| {
        Finding::new(".", 0, format!("{long} of {functions} functions are excepted from the limit of 70 lines"))
    })
}

/// A folder of cases says what they are.
fn testdata(tree: &Tree) -> Vec<Finding> {
    let folders = tree.paths.iter().filter(|path| {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        let is_kind = parent == "testdata" || parent.ends_with("/testdata");
        is_kind && tree.paths.iter().any(|other| other.starts_with(&format!("{path}/")))
    });
    folders
        .filter(|path| !tree.exists(&format!("{path}/README.md")))
        .map(|path| Finding::new(path, 0, "test data without a README.md"))
        .collect()
}

/// Every member keeps the workspace's lints and is never published by accident.
fn manifests(tree: &Tree) -> Vec<Finding> {
    let members = tree.ending("toml").filter(|file| file.path.ends_with("/Cargo.toml"));
    let members = members.filter(|file| !file.path.starts_with("bench/") && !file.path.starts_with("fuzz/"));
    members
        .flat_map(|file| {
            let wanted = ["[lints]\nworkspace = true", "publish.workspace = true"];
            wanted
                .into_iter()
                .filter(|text| !file.text.contains(text))
                .map(|text| Finding::new(&file.path, 0, format!("lacks `{}`", text.replace('\n', " "))))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The nearest clippy.toml replaces the root's, so the one of the protocol shelf repeats its settings.
fn clippy_settings(tree: &Tree) -> Vec<Finding> {
    let (Some(root), Some(shelf)) = (tree.file("clippy.toml"), tree.file("protocol/clippy.toml")) else {
        return vec![Finding::new(
            "protocol/clippy.toml",
            0,
            "missing: it keeps files, sockets and clocks off the shelf",
        )];
    };
    let settings = root.lines().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    settings
        .filter(|(_, line)| !shelf.text.lines().any(|other| other == *line))
        .map(|(at, line)| Finding::new("clippy.toml", at, format!("protocol/clippy.toml does not repeat `{line}`")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIPPY: (&str, &str) = ("clippy.toml", "a = 1\n");
    const SHELF: (&str, &str) = ("protocol/clippy.toml", "a = 1\nb = 2\n");

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let all: Vec<_> = files.iter().copied().chain([CLIPPY, SHELF]).collect();
        check(&Tree::of(&all)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn good_files_pass() {
        let body = "//! What it is.\n".to_owned() + &"\n".repeat(999);
        assert_eq!(found(&[("a/src/x.rs", &body)]), Vec::<String>::new());
    }

    #[test]
    fn bad_files_are_found() {
        let long = "//! What it is.\n".to_owned() + &"\n".repeat(1000);
        let lib = "//! What it is.\n".to_owned() + &"\n".repeat(150);
        let map = "\n".repeat(201);
        let many = format!("//! X.\n{}\nfn a() {{}}\n", concat!("#[ex", "pect(clippy::too_many", "_lines)]"));
        let cases: [(&str, &str, &str); 8] = [
            ("a/src/x.rs", &long, "1001 lines"),
            ("a/src/lib.rs", &lib, "151 lines"),
            ("a/src/x.rs", "use x;\n", "begins without"),
            ("a/src/x.rs", "//! skeleton\n", "begins without"),
            ("ARCHITECTURE.md", &map, "201 lines"),
            ("a/src/x.rs", &many, "1 of 1 functions"),
            ("testdata/zip/01.zip", "", "README.md"),
            ("a/Cargo.toml", "publish.workspace = true\n", "[lints]"),
        ];
        for (path, text, expected) in cases {
            let found = found(&[(path, text)]);
            assert!(found.len() == 1 && found[0].contains(expected), "{path} {expected}: {found:?}");
        }
    }

    #[test]
    fn the_shelf_repeats_the_settings() {
        let tree = Tree::of(&[("clippy.toml", "a = 1\n# why\nc = 3\n"), SHELF]);
        assert_eq!(check(&tree), [Finding::new("clippy.toml", 3, "protocol/clippy.toml does not repeat `c = 3`")]);
        assert_eq!(check(&Tree::of(&[CLIPPY])).len(), 1);
    }

    #[test]
    fn long_files_are_noted() {
        let long = "//!\n".repeat(501);
        assert_eq!(notes(&Tree::of(&[("a/x.rs", &long), ("a/y.rs", "//!\n")])).len(), 1);
    }
}
