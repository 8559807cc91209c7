//! What CI runs, in the order in which a mistake is cheapest to find.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::run::{cargo, command, in_ci, run as start, succeeds};
use crate::{fuzz, test, tidy};

type Step = fn() -> Result<()>;

/// Runs every step, stops at the first that fails, and says how long each took.
fn steps(list: &[(&'static str, Step)]) -> Result<()> {
    let mut times: Vec<(&str, Duration)> = Vec::new();
    for (name, step) in list {
        println!("\n── {name} ──");
        let begin = Instant::now();
        let done = step();
        times.push((name, begin.elapsed()));
        if done.is_err() {
            print_times(&times);
            return done;
        }
    }
    print_times(&times);
    Ok(())
}

/// `cargo xtask ci`.
pub(crate) fn run() -> Result<()> {
    steps(&[
        ("fmt", || start(cargo(&["fmt", "--all", "--check"]))),
        ("tidy", tidy::run),
        ("clippy", || start(cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))),
        ("test", test::run),
        ("doc", doc),
        ("fuzz", || fuzz::run(fuzz::SECONDS, &[])),
        ("deny", deny),
    ])
}

fn doc() -> Result<()> {
    let mut command = cargo(&["doc", "--workspace", "--no-deps", "--document-private-items"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    start(command)
}

/// Licences, bans and sources always; advisories where their database can be reached.
fn deny() -> Result<()> {
    if !succeeds(cargo(&["deny", "--version"])) {
        if in_ci() {
            bail!("cargo-deny is missing: `cargo install cargo-deny --locked`");
        }
        println!("skipped: cargo-deny is not installed (`cargo install cargo-deny --locked`)");
        return Ok(());
    }
    start(cargo(&["deny", "--all-features", "check", "licenses", "bans", "sources"]))?;
    // `timeout`, because a network that swallows packets would hold the fetch for minutes.
    if succeeds(command("timeout", &["60", "cargo", "deny", "fetch", "db"])) {
        start(cargo(&["deny", "--all-features", "check", "--disable-fetch", "advisories"]))
    } else {
        println!("advisories: not checked, their database cannot be fetched from here");
        Ok(())
    }
}

fn print_times(times: &[(&str, Duration)]) {
    println!();
    for (name, time) in times {
        println!("{name:<8} {:>6.1} s", time.as_secs_f64());
    }
    let total: Duration = times.iter().map(|(_, time)| *time).sum();
    println!("{:<8} {:>6.1} s", "total", total.as_secs_f64());
}
