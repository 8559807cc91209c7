//! A short run of every fuzz target, so that none rots; long runs are for `cargo fuzz`, see fuzz/README.md.
//!
//! The targets are ordinary programs of the excluded package `fuzz/`. What makes them feel their way is the compiler's coverage
//! instrumentation, which `cargo fuzz` switches on by flags; so do we, and need no further tool. What is built for the host (build
//! scripts) must not be instrumented, hence the named target.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::run::{built, cargo, command, host, root, run as start};
use crate::test;

/// Seconds for each target in CI.
pub(crate) const SECONDS: u32 = 10;

const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Builds the targets and runs each for so many seconds, or only those that are named.
pub(crate) fn run(seconds: u32, only: &[&str]) -> Result<()> {
    let host = host()?;
    let manifest = root().join("fuzz/Cargo.toml");
    let manifest = manifest.to_str().context("the path of the checkout is not UTF-8")?;
    let mut build = cargo(&["build", "--quiet", "--release", "--target", &host, "--manifest-path", manifest]);
    // The flags are for nightly compilers; they mean the same to a stable one that is told so.
    build.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", COVERAGE);
    start(build)?;
    let suites = test::suites()?;
    let mut targets = 0;
    for entry in std::fs::read_dir(root().join("fuzz/fuzz_targets")).context("fuzz/fuzz_targets")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let Some(name) = name.strip_suffix(".rs").filter(|name| only.is_empty() || only.contains(name)) else {
            continue;
        };
        let program = built("fuzz").join(&host).join("release").join(name);
        one(&program, name, seconds, seeds(name, suites.as_deref()).as_deref())?;
        targets += 1;
    }
    if targets == 0 {
        bail!("no such fuzz target");
    }
    Ok(())
}

/// Where a target begins: at samples of what it reads.
fn seeds(target: &str, suites: Option<&Path>) -> Option<PathBuf> {
    let ours = match target {
        "zone" => root().join("testdata/zone"),
        "failure" => root().join("testdata/failure"),
        _ => root().join("fuzz/seeds").join(target),
    };
    // What reads reports begins at those of the suites that are made to be read wrongly.
    if ours.is_dir() { Some(ours) } else { suites.map(|suites| suites.join("malformed")) }
}

fn one(program: &Path, name: &str, seconds: u32, seeds: Option<&Path>) -> Result<()> {
    let found = root().join("fuzz/corpus").join(name);
    let failures = root().join("fuzz/artifacts").join(name);
    for folder in [&found, &failures] {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut job = command(program.to_str().context("the path of the checkout is not UTF-8")?, &[]);
    job.arg(&found).args(seeds).arg(format!("-artifact_prefix={}/", failures.display()));
    job.arg(format!("-max_total_time={seconds}"));
    job.args([
        "-max_len=65536",
        "-timeout=25",
        "-rss_limit_mb=2048",
        "-verbosity=0",
        "-print_final_stats=1",
        "-seed=1",
    ]);
    let ran = job.output().with_context(|| format!("cannot start the fuzz target {name}"))?;
    let said = String::from_utf8_lossy(&ran.stderr);
    if !ran.status.success() {
        bail!("fuzz target {name} found something (input in {}):\n{said}", failures.display());
    }
    let number =
        |stat: &str| said.lines().find_map(|line| line.strip_prefix(stat)?.strip_prefix(':')).unwrap_or("?").trim();
    let (runs, new) = (number("stat::number_of_executed_units"), number("stat::new_units_added"));
    println!("fuzz target {name}: {runs} runs, {new} new inputs, nothing found");
    Ok(())
}
