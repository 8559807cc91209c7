//! One table of measurements: ours, a peer's, the physical limit, and the ratios.
//!
//! The programs in the excluded package `bench/` measure; each prints one JSON object a line (`what`, `unit`, `ours`, and where
//! there are such: `peer`, `peer_name`, `limit`, `limit_name`, and `goal` with `met`), or a table of its own. This only builds them, runs
//! them, and draws the common table.

use std::fmt::Write as _;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::run::{built, cargo, command, output, root, run as start, succeeds};
use crate::test;

/// The programs, in the order of the table, and whether each is to be held on one core: what the whole product does is measured as it
/// runs, on all cores, and says so. The mailbox needs a Dovecot, and a peer in `PARSEDMARC_PYTHON`; it says so too.
const PROGRAMS: [(&str, bool); 10] = [
    ("reader", true),
    ("import", false),
    ("mailbox", false),
    ("ledger", false),
    ("classify", false),
    ("preview", false),
    ("directory", true),
    ("spf", true),
    ("dkim", true),
    ("verdict", true),
];

/// Runs the programs called for, or all, and prints the table.
pub(crate) fn run(names: &[&str]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| PROGRAMS.iter().all(|(program, _)| program != *name)) {
        bail!("no benchmark is called {unknown}: there are {}", PROGRAMS.map(|(name, _)| name).join(", "));
    }
    let manifest = root().join("bench/Cargo.toml");
    let manifest = manifest.to_str().context("the path of the checkout is not UTF-8")?;
    start(cargo(&["build", "--release", "--manifest-path", manifest]))?;
    let pin = succeeds(command("taskset", &["-c", "0", "true"]));
    let (mut lines, mut rest) = (Vec::new(), String::new());
    for (program, one_core) in PROGRAMS.into_iter().filter(|(program, _)| names.is_empty() || names.contains(program)) {
        let path = built("bench").join("release").join(program);
        if !path.exists() {
            eprintln!("bench: {program} is not there");
            continue;
        }
        let path = path.to_str().context("the path of the checkout is not UTF-8")?;
        let mut job = if one_core && pin { command("taskset", &["-c", "0", path]) } else { command(path, &[]) };
        job.envs(test::suites()?.map(|suites| ("LAMPPOST_SUITES", suites)));
        for line in output(job)?.lines() {
            if line.starts_with('{') {
                lines.push(serde_json::from_str(line).with_context(|| format!("{program} printed {line}"))?);
            } else {
                rest.extend([line, "\n"]);
            }
        }
    }
    println!("{}\n{rest}", table(&lines));
    Ok(())
}

fn table(lines: &[Value]) -> String {
    let mut text = String::from(
        "| what | unit | ours | peer | ours/peer | limit | ours/limit | goal |\n| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |\n",
    );
    for line in lines {
        let word = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        let ours = line["ours"].as_f64();
        let against = |value: &str, name: &str| {
            let cell = line[value].as_f64().map_or_else(|| "—".into(), |n| format!("{} {}", number(n), word(name)));
            let ratio = ours.zip(line[value].as_f64()).map_or_else(|| "—".into(), |(a, b)| format!("{:.2}", a / b));
            (cell, ratio)
        };
        let (peer, to_peer) = against("peer", "peer_name");
        let (limit, to_limit) = against("limit", "limit_name");
        let ours = ours.map_or_else(|| "—".into(), number);
        let (what, unit) = (word("what"), word("unit"));
        let goal = match line["met"].as_bool() {
            Some(true) => format!("{}: met", word("goal")),
            Some(false) => format!("{}: **missed**", word("goal")),
            None => "—".into(),
        };
        let _ = writeln!(text, "| {what} | {unit} | {ours} | {peer} | {to_peer} | {limit} | {to_limit} | {goal} |");
    }
    text
}

/// Three figures that count, thousands parted by commas.
fn number(n: f64) -> String {
    if n < 100.0 {
        return format!("{n:.2}");
    }
    let digits = format!("{n:.0}");
    let mut parted = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            parted.push(',');
        }
        parted.push(digit);
    }
    parted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_table() {
        let lines = [
            serde_json::json!({"what":"rows read","unit":"rows/s","ours":450_000.0,"peer":225_000.0,"peer_name":"mail-auth","limit":600_000.0,"limit_name":"inflate + scan","goal":"400,000","met":true}),
            serde_json::json!({"what":"backup","unit":"MB/s","ours":12.5,"goal":"20","met":false}),
        ];
        let text = table(&lines);
        assert!(
            text.contains(
                "| rows read | rows/s | 450,000 | 225,000 mail-auth | 2.00 | 600,000 inflate + scan | 0.75 | 400,000: met |"
            ),
            "{text}"
        );
        assert!(text.contains("| backup | MB/s | 12.50 | — | — | — | — | 20: **missed** |"), "{text}");
    }
}
