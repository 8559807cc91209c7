//! The look-alikes that we make of a domain against those that dnstwist makes: how many of its names, family by family, are among ours.
//!
//! In: ten domains of every shape. Out: a table, and failure where less than 98 of 100 of a family's names are found in the same family of
//! ours. dnstwist is asked for names only, never for DNS. `cargo xtask differential lookalike` starts it.

use std::collections::{BTreeMap, HashMap};
use std::process::ExitCode;

use bench::differential::Oracle;
use dns::{Name, Suffixes};
use lookalike::{Brand, Candidate, Families, Family, Limits, Words, generate};
use serde_json::json;

const ORACLE: &str = include_str!("../lookalike_differential.py");

/// Short and long, with hyphens and digits, under one label and two.
const DOMAINS: [&str; 10] = [
    "paypal.com",
    "microsoft.com",
    "example.co.uk",
    "ing.de",
    "bank-of-iceland.is",
    "deutsche-post.de",
    "a1telekom.at",
    "mercury.co.nz",
    "polish.pl",
    "shoppe.fr",
];

/// What both are given beside the domain.
const WORDS: [&str; 4] = ["login", "support", "invoice", "mail"];
const SUFFIXES: [&str; 6] = ["net", "org", "co.uk", "shop", "xyz", "com"];

/// What must be found of each family.
const RECALL: f64 = 0.98;

/// Names of a family: how many of dnstwist, how many of those we make at all, how many in the same family.
#[derive(Default)]
struct Tally {
    theirs: usize,
    found: usize,
    same: usize,
    missed: Vec<String>,
}

fn main() -> ExitCode {
    match compare() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("lookalike_differential: {error}");
            ExitCode::from(2)
        }
    }
}

fn compare() -> Result<bool, String> {
    let mut peer = Oracle::start(ORACLE)?;
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let mut added: BTreeMap<Family, usize> = BTreeMap::new();
    let (mut ours_all, mut theirs_all) = (0, 0);
    let words = Words { words: WORDS.map(str::to_owned).into(), suffixes: SUFFIXES.map(str::to_owned).into() };
    for domain in DOMAINS {
        let name = Name::parse(domain).map_err(|error| error.to_string())?;
        let brand = Brand::new(&name, &Suffixes::default()).map_err(|error| error.to_string())?;
        let ours = generate(&brand, &words, &Limits::default());
        let known: HashMap<String, Families> = ours.iter().map(|c| (c.name.to_string(), c.families)).collect();
        let answer = peer.ask(&json!({"domain": domain, "words": WORDS, "suffixes": SUFFIXES}))?;
        let theirs = answer.as_array().ok_or_else(|| format!("dnstwist: {answer}"))?;
        let mut named = std::collections::HashSet::new();
        for pair in theirs {
            let (Some(family), Some(name)) = (pair[0].as_str(), pair[1].as_str()) else { continue };
            if family == "*original" {
                continue;
            }
            named.insert(name.to_owned());
            let tally = tallies.entry(family.to_owned()).or_default();
            tally.theirs += 1;
            match known.get(name) {
                Some(families) => {
                    tally.found += 1;
                    tally.same += usize::from(families.iter().any(|ours| ours.as_str() == family));
                }
                None => tally.missed.push(name.to_owned()),
            }
        }
        let more = ours.iter().filter(|c| !named.contains(&c.name.to_string()));
        for family in more.flat_map(|Candidate { families, .. }| families.iter()) {
            *added.entry(family).or_default() += 1;
        }
        (ours_all, theirs_all) = (ours_all + ours.len(), theirs_all + named.len());
    }
    Ok(told(&tallies, &added, (ours_all, theirs_all)))
}

/// Prints the table; says whether all is well.
#[expect(clippy::cast_precision_loss, reason = "thousands of names")]
fn told(tallies: &BTreeMap<String, Tally>, added: &BTreeMap<Family, usize>, (ours, theirs): (usize, usize)) -> bool {
    let mut well = true;
    println!("| family | dnstwist | found | in the same family | more of ours |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (name, tally) in tallies {
        let more = Family::ALL.into_iter().find(|family| family.as_str() == name).and_then(|family| added.get(&family));
        let share = |part: usize| part as f64 / tally.theirs.max(1) as f64;
        println!(
            "| {name} | {} | {:.4} | {:.4} | {} |",
            tally.theirs,
            share(tally.found),
            share(tally.same),
            more.unwrap_or(&0)
        );
        if share(tally.same) < RECALL {
            well = false;
        }
        if !tally.missed.is_empty() {
            eprintln!("{name}: not found: {:?}", &tally.missed[..tally.missed.len().min(10)]);
        }
    }
    for family in Family::ALL.into_iter().filter(|family| !tallies.contains_key(family.as_str())) {
        println!("| {family} | 0 | | | {} |", added.get(&family).unwrap_or(&0));
    }
    println!("\n{} domains, {theirs} names of dnstwist, {ours} of ours", DOMAINS.len());
    well
}
