//! `docs/reference` says what the binary says. `LAMPPOST_BLESS=1 cargo test -p e2e --test reference` writes it anew.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use e2e::{Server, get, run};
use serde_json::Value;
use tempfile::TempDir;

/// Compares a page of `docs/reference` with what it should be, or writes it.
fn hold_against(page: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference").join(page);
    if std::env::var_os("LAMPPOST_BLESS").is_some() {
        fs::write(&path, text).expect("the page can be written");
        return;
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    let differs = there.lines().zip(text.lines()).find(|(a, b)| a != b);
    assert!(
        there == text,
        "docs/reference/{page} differs from the program, first at {differs:?}; LAMPPOST_BLESS=1 cargo test -p e2e --test reference writes it"
    );
}

fn commands_of(help: &str) -> Vec<String> {
    let listed = help.split("Commands:\n").nth(1).unwrap_or_default();
    let lines = listed.lines().take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

fn describe(page: &mut String, path: &[String]) {
    let help = run(path.iter().map(String::as_str).chain(["--help"])).expect(0).stdout;
    let name = [&["lamppost".to_owned()], path].concat().join(" ");
    // Help wraps to the terminal, and there is none here; the width is clap's own.
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    let _ = write!(page, "\n## {name}\n```text\n{}\n```\n", help.join("\n").trim());
    for command in commands_of(&help.join("\n")) {
        describe(page, &[path, &[command]].concat());
    }
}

#[test]
fn commands() {
    let mut page = String::from(
        "<!-- Written from the program's own help: LAMPPOST_BLESS=1 cargo test -p e2e --test reference -->\n# Commands\n",
    );
    describe(&mut page, &[]);
    hold_against("commands.md", &page);
}

#[test]
fn api() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(["demo", "--port", "0", "--days", "5", "--scale", "0.01"], folder.path());
    let described = get(&server.address, "/api/openapi.json").json();
    let mut page = String::from(
        "<!-- Written from the program's own OpenAPI document: LAMPPOST_BLESS=1 cargo test -p e2e --test reference -->\n# API\n\n\
         The portal answers under `/api/v1`, with JSON, to GET, and where it says so to POST. `/api/openapi.json` describes it for programs, with the schema of \
         every answer; this page is a digest of it. The answers are those of the [commands](commands.md) with `--format json`.\n",
    );
    let paths = described["paths"].as_object().expect("paths");
    for (path, operations) in paths {
        let get = &operations["get"];
        let _ = write!(page, "\n## `{path}`\n{}\n", text(&get["summary"]));
        if let Some(more) = get["description"].as_str() {
            let _ = write!(page, "\n{more}\n");
        }
        let parameters = get["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        if !parameters.is_empty() {
            page.push_str("\n| parameter | what |\n| --- | --- |\n");
        }
        for parameter in parameters {
            let parameter = resolve(&described, parameter);
            let what = text(&parameter["description"]).replace('|', "\\|");
            let _ = writeln!(page, "| `{}` | {what} |", text(&parameter["name"]));
        }
        let post = &operations["post"];
        if post.is_object() {
            let types: Vec<_> =
                post["requestBody"]["content"].as_object().into_iter().flat_map(|all| all.keys()).collect();
            let types = types.iter().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(" or ");
            let _ = write!(page, "\nBy POST, with a body of {types}: {}\n", text(&post["summary"]));
        }
    }
    assert!(paths.len() >= 8, "{} paths", paths.len());
    hold_against("api.md", &page);
}

#[test]
fn metrics() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(["demo", "--port", "0", "--days", "5", "--scale", "0.01"], folder.path());
    let told = get(&server.address, "/metrics").text();
    let mut page = String::from(
        "<!-- Written from the program's own /metrics: LAMPPOST_BLESS=1 cargo test -p e2e --test reference -->\n# Metrics\n\n\
         `serve` tells at `/metrics`, on the portal's own address, how it fares, in the text format that Prometheus reads. Names in labels \
         are those of the configuration, kinds, and routes of the portal; no text from a report is ever one. Totals count since the program \
         started unless they say otherwise; what is not known, such as the last success of a source that had none, has no line.\n\n\
         ```yaml\nscrape_configs:\n  - job_name: lamppost\n    static_configs:\n      - targets: [\"127.0.0.1:8425\"]\n```\n\n\
         | metric | kind | what |\n| --- | --- | --- |\n",
    );
    let mut lines = told.lines().filter(|line| line.starts_with("# "));
    let mut families = 0;
    while let (Some(help), Some(kind)) = (lines.next(), lines.next()) {
        let (name, what) =
            help.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')).expect("a family begins with help");
        let kind = kind.strip_prefix(&format!("# TYPE {name} ")).expect("then comes its type");
        let _ = writeln!(page, "| `{name}` | {kind} | {what} |");
        families += 1;
    }
    assert!(families > 30, "{families} families");
    hold_against("metrics.md", &page);
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Follows a `$ref` inside the document.
fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str().and_then(|path| path.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).unwrap_or(value),
        None => value,
    }
}

#[test]
fn manual() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/man");
    let folder = TempDir::new().unwrap();
    let written = folder.path().join("man");
    let _ = run(["manual".as_ref(), written.as_os_str()]).expect(0);
    let list = |folder: &Path| -> Vec<_> {
        let files = fs::read_dir(folder).map(|files| files.flatten().collect::<Vec<_>>()).unwrap_or_default();
        let mut names: Vec<_> = files.iter().map(|file| file.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    if std::env::var_os("LAMPPOST_BLESS").is_some() {
        let _ = fs::remove_dir_all(&pages);
        fs::create_dir_all(&pages).unwrap();
        for name in list(&written) {
            fs::copy(written.join(&name), pages.join(&name)).unwrap();
        }
    }
    assert_eq!(list(&pages), list(&written), "LAMPPOST_BLESS=1 cargo test -p e2e --test reference writes them");
    for name in list(&written) {
        let text = |folder: &Path| fs::read_to_string(folder.join(&name)).unwrap();
        assert!(text(&pages) == text(&written), "packaging/man/{name} differs from the program: bless it");
    }
}
