//! Who may depend on whom: one direction, from the protocol shelf to the binary, checked from `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::Value;

use super::Finding;
use super::tree::Tree;
use crate::run::{cargo, host, output};

/// Each package of the workspace and the packages of the workspace it may depend on.
const MAY_USE: [(&str, &[&str]); 23] = [
    ("message", &[]),
    ("dns", &[]),
    ("authres", &[]),
    ("spf", &["dns", "message", "authres"]),
    ("dkim", &["dns", "authres", "message"]),
    ("arc", &["dns", "authres", "message", "dkim"]),
    ("dmarc", &["dns", "authres", "message", "spf", "dkim", "arc"]),
    ("lint", &["dns", "message", "spf", "dkim", "dmarc"]),
    ("lookalike", &["dns"]),
    ("report", &["message"]),
    ("smtp", &[]),
    ("resolver", &["dns"]),
    ("wire", &[]),
    ("store", &["dns", "message", "report"]),
    ("collect", &["message", "authres", "dns", "dmarc", "report", "smtp", "wire", "store"]),
    (
        "insight",
        &["message", "authres", "dns", "spf", "dkim", "dmarc", "lint", "report", "store", "enrich", "lookalike"],
    ),
    ("enrich", &["dns", "message", "report", "store"]),
    ("scenario", &["message", "report", "store"]),
    ("watch", &["dns", "spf", "report", "wire", "store", "insight"]),
    ("portal", &["message", "report", "store", "insight"]),
    (
        "lamppost",
        &[
            "message",
            "authres",
            "dns",
            "spf",
            "dkim",
            "dmarc",
            "lint",
            "lookalike",
            "report",
            "resolver",
            "store",
            "collect",
            "insight",
            "enrich",
            "scenario",
            "portal",
            "watch",
        ],
    ),
    ("xtask", &[]),
    // The end-to-end tests look at the product from outside, through the binary; they may write and read reports themselves.
    ("e2e", &["report", "scenario", "store"]),
];

/// Libraries that belong to one room, by the beginning of their name.
const ONLY_IN: [(&str, &[&str]); 18] = [
    ("maud", &["portal"]),
    ("axum", &["portal"]),
    ("tower-http", &["portal"]),
    ("tokio", &["resolver", "wire", "collect", "enrich", "portal", "watch", "lamppost"]),
    ("hickory", &["resolver"]),
    ("moka", &["resolver"]),
    ("ldap3", &["enrich"]),
    ("maxminddb", &["enrich"]),
    ("psl", &["dns"]),
    ("rusqlite", &["store"]),
    ("parquet", &["store"]),
    ("arrow-", &["store"]),
    ("zstd", &["store"]),
    ("quick-xml", &["report"]),
    ("mail-parser", &["message"]),
    ("clap", &["lamppost"]),
    ("toml", &["enrich", "lamppost"]),
    ("anyhow", &["lamppost", "xtask"]),
];

/// What nothing on the protocol shelf may reach, however indirectly: it would bring files, sockets or an async runtime.
const OFF_THE_SHELF: [&str; 8] = ["tokio", "mio", "socket2", "rusqlite", "libsqlite3-sys", "hyper", "axum", "tempfile"];

pub(super) fn check(_tree: &Tree) -> Result<Vec<Finding>> {
    let host = host()?;
    let text = output(cargo(&["metadata", "--format-version", "1", "--locked", "--filter-platform", &host]))?;
    Ok(judge(&serde_json::from_str(&text).context("cargo metadata")?))
}

/// One package, as far as the rules go.
struct Package<'a> {
    name: &'a str,
    on_shelf: bool,
    /// Name and kind (`null`, `dev`, `build`) of each dependency.
    needs: Vec<(&'a str, Option<&'a str>)>,
}

fn judge(metadata: &Value) -> Vec<Finding> {
    let members: BTreeSet<&str> = list(&metadata["workspace_members"]).filter_map(Value::as_str).collect();
    let packages = list(&metadata["packages"]).filter(|p| p["id"].as_str().is_some_and(|id| members.contains(id)));
    let mut findings = Vec::new();
    for package in packages {
        let manifest = package["manifest_path"].as_str().unwrap_or_default();
        let package = Package {
            name: package["name"].as_str().unwrap_or_default(),
            on_shelf: manifest.contains("/protocol/"),
            needs: list(&package["dependencies"])
                .filter_map(|d| Some((d["name"].as_str()?, d["kind"].as_str())))
                .collect(),
        };
        findings.extend(rooms(&package));
        findings.extend(owners(&package));
    }
    findings.extend(shelf(metadata, &members));
    findings
}

fn rooms(package: &Package<'_>) -> Vec<Finding> {
    let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == package.name) else {
        return vec![Finding::new(package.name, 0, "has no place in the order of rooms (xtask/src/tidy/arrows.rs)")];
    };
    let is_room = |name: &str| MAY_USE.iter().any(|(room, _)| *room == name);
    let bad = package.needs.iter().filter(|(name, kind)| {
        // Tests of a room may use rooms above it to make their data; tests on the shelf may not.
        let test_only = *kind == Some("dev") && !package.on_shelf;
        is_room(name) && *name != package.name && !allowed.contains(name) && !test_only
    });
    bad.map(|(name, _)| Finding::new(package.name, 0, format!("depends on {name}: that arrow points the wrong way")))
        .collect()
}

fn owners(package: &Package<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, kind) in &package.needs {
        for (library, rooms) in ONLY_IN {
            let is_it = if library.ends_with('-') { name.starts_with(library) } else { *name == library };
            if is_it && *kind != Some("dev") && !rooms.contains(&package.name) {
                let message = format!("depends on {name}, which belongs to {} alone", rooms.join(" and "));
                findings.push(Finding::new(package.name, 0, message));
            }
        }
    }
    findings
}

/// Follows the resolved graph from each package of the shelf, without its tests.
fn shelf(metadata: &Value, members: &BTreeSet<&str>) -> Vec<Finding> {
    let names: BTreeMap<&str, (&str, &str)> = list(&metadata["packages"])
        .filter_map(|p| Some((p["id"].as_str()?, (p["name"].as_str()?, p["manifest_path"].as_str()?))))
        .collect();
    let needs: BTreeMap<&str, Vec<&str>> = list(&metadata["resolve"]["nodes"])
        .filter_map(|node| {
            let normal =
                list(&node["deps"]).filter(|d| list(&d["dep_kinds"]).any(|kind| kind["kind"].as_str() != Some("dev")));
            Some((node["id"].as_str()?, normal.filter_map(|d| d["pkg"].as_str()).collect()))
        })
        .collect();
    let mut findings = Vec::new();
    for (id, (name, manifest)) in names.iter().filter(|(id, _)| members.contains(*id)) {
        if !manifest.contains("/protocol/") {
            continue;
        }
        let (mut seen, mut queue) = (BTreeSet::new(), vec![*id]);
        while let Some(at) = queue.pop() {
            if seen.insert(at) {
                queue.extend(needs.get(at).into_iter().flatten());
            }
        }
        let reached = seen.iter().filter_map(|id| names.get(id)).map(|(name, _)| *name);
        for found in reached.filter(|name| OFF_THE_SHELF.contains(name)) {
            findings.push(Finding::new(
                name,
                0,
                format!("reaches {found}: the protocol shelf is bytes in, values out"),
            ));
        }
    }
    findings
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// One package of the workspace with one dependency, and what is found.
    fn found(name: &str, folder: &str, needs: &str, kind: Option<&str>) -> Vec<String> {
        let metadata = json!({
            "workspace_members": ["a"],
            "packages": [
                {"id": "a", "name": name, "manifest_path": format!("/x/{folder}/{name}/Cargo.toml"),
                 "dependencies": [{"name": needs, "kind": kind}]},
                {"id": "b", "name": needs, "manifest_path": "/y/Cargo.toml", "dependencies": []},
            ],
            "resolve": {"nodes": [{"id": "a", "deps": [{"pkg": "b", "dep_kinds": [{"kind": kind}]}]}, {"id": "b", "deps": []}]},
        });
        judge(&metadata).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn arrows() {
        let tests = Some("dev");
        let cases = [
            ("store", "crates", "report", None, 0, "the right way"),
            ("report", "protocol", "store", None, 1, "off the shelf"),
            ("report", "protocol", "scenario", tests, 1, "off the shelf, for tests"),
            ("store", "crates", "scenario", tests, 0, "a room's tests make their data with a room above"),
            ("store", "crates", "insight", None, 1, "upward"),
            ("collect", "crates", "insight", None, 1, "sideways"),
            ("insight", "crates", "collect", None, 1, "sideways"),
            ("insight", "crates", "rusqlite", None, 1, "SQL outside the store"),
            ("lamppost", "crates", "axum", None, 1, "pages outside the portal"),
            ("collect", "crates", "arrow-array", None, 1, "a family of libraries"),
            ("message", "protocol", "mio", None, 1, "sockets on the shelf"),
            ("cellar", "crates", "serde", None, 1, "a room that is not in the order"),
        ];
        for (name, folder, needs, kind, expected, why) in cases {
            let found = found(name, folder, needs, kind);
            assert_eq!(found.len(), expected, "{why}: {found:?}");
        }
    }
}
