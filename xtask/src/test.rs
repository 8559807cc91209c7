//! The one test command: README, CONTRIBUTING and CI all run this.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::run::{cargo, command, in_ci, output, root, run as start, succeeds};

/// What the end-to-end tests need beside Rust: a browser, a second reader of XML for the schema checks, a mail server to fetch reports
/// from, one that hands them over, and a directory server.
const PACKAGES: [&str; 5] = ["chromium", "libxml2-utils", "dovecot-imapd", "postfix", "slapd"];

/// Fetches [`PACKAGES`] with apt-get, if they are not there yet.
pub(crate) fn install() -> Result<()> {
    if PACKAGES.iter().all(|package| succeeds(command("dpkg", &["-s", package]))) {
        println!("already installed: {}", PACKAGES.join(", "));
        return Ok(());
    }
    println!("installing {} with apt-get", PACKAGES.join(", "));
    let is_root = output(command("id", &["-u"]))?.trim() == "0";
    let as_root = |args: &[&str]| {
        let mut all = if is_root { vec![] } else { vec!["sudo"] };
        all.extend(args);
        start(command(all[0], &all[1..]))
    };
    // Not asked, it would become a mail server for the whole network.
    as_root(&["sh", "-c", "echo postfix postfix/main_mailer_type select Local only | debconf-set-selections"])?;
    // The directory server would ask for a password on its way in.
    let apt = |args: &[&str]| as_root(&[&["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"][..], args].concat());
    apt(&["update", "-q"])?;
    apt(&[&["install", "-y", "-q", "--no-install-recommends"], PACKAGES.as_slice()].concat())
}

/// Builds everything once, then runs every test of the workspace.
pub(crate) fn run() -> Result<()> {
    let suites = suites()?;
    // The end-to-end tests start the binary `lamppost`. `cargo test` builds a package's binary only for its own integration tests,
    // so everything is built first; with all targets chosen, features unify as they do for `cargo test` and nothing is built twice.
    step(&["build", "--workspace", "--all-targets"], suites.as_ref())?;
    step(&["test", "--workspace", "--no-fail-fast"], suites.as_ref())
}

fn step(args: &[&str], suites: Option<&PathBuf>) -> Result<()> {
    let mut command = cargo(args);
    if let Some(suites) = suites {
        command.env("LAMPPOST_SUITES", suites);
    }
    start(command)
}

/// The folder of conformance suites and real samples: `LAMPPOST_SUITES`, or `../shared/suites` beside the checkout.
pub(crate) fn suites() -> Result<Option<PathBuf>> {
    let given = std::env::var_os("LAMPPOST_SUITES").map(PathBuf::from);
    let folder = given.unwrap_or_else(|| root().join("../shared/suites"));
    if let Ok(folder) = folder.canonicalize() {
        println!("suites: {}", folder.display());
        return Ok(Some(folder));
    }
    if in_ci() {
        bail!(
            "no suites at {}: set LAMPPOST_SUITES to their folder (LAMPPOST_CI=1 allows no skipping)",
            folder.display()
        );
    }
    println!(
        "no suites at {}: tests over real reports will be skipped; set LAMPPOST_SUITES to run them",
        folder.display()
    );
    Ok(None)
}
