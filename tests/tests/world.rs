//! A model company as its own world: what is beside its reports answers everything that enrichment, SPF and the directory ask.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use e2e::{Finished, finish, lamppost};
use serde_json::Value;

fn at(folder: &Path, args: &[&str]) -> Finished {
    let mut command = Command::new(lamppost());
    command.current_dir(folder).args(args);
    finish(command)
}

#[test]
fn a_company_answers_everything_from_its_own_files() {
    let folder = tempfile::tempdir().unwrap();
    let company = folder.path().join("company");
    let out = company.to_str().unwrap();
    let args = ["scenario", "generate", "--company", "firm", "--seed", "3", "--days", "40", "--out", out];
    let _ = at(folder.path(), &args).expect(0);
    let _ = at(&company, &["import", "reports"]).expect(0);
    let zones = ["--zone", "dns/names.zone", "--zone", "dns/current.zone"];
    let learned = at(&company, &[&["enrich", "--format", "json"][..], &zones].concat()).expect(0).json();
    assert!(learned["sources"].as_u64().unwrap() > 200, "{learned}");
    assert_eq!((learned["with_gaps"].as_u64(), learned["broken"].as_u64()), (Some(0), Some(0)), "{learned}");

    let truths: Vec<Value> = fs::read_to_string(company.join("truth.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let profile = |flow: &str| -> Value {
        let truth = truths.iter().find(|truth| truth["id"] == flow).unwrap_or_else(|| panic!("no {flow}"));
        let source = truth["sources"][0].as_str().unwrap();
        at(&company, &["source", source, "--format", "json"]).expect(0).json()["profile"].clone()
    };
    let forged = profile("spoof-forged-name-0");
    assert_eq!(forged["names"], serde_json::json!([]), "a forged name is no name: {forged}");
    assert!(forged["claimed"][0].as_str().unwrap().contains(".big"), "it claims to be a provider's: {forged}");
    assert!(forged["organisation"].is_string() && forged["country"].is_string(), "its network is known: {forged}");
    let own = profile("own-mailboxes");
    assert!(own["services"][0]["operator"].as_bool().unwrap(), "the provider is known by its name: {own}");
    let line = profile("spoof-botnet");
    assert_ne!(line["organisation"], forged["organisation"], "{line}");

    let domains: Value = serde_json::from_slice(&fs::read(company.join("company.json")).unwrap()).unwrap();
    let apex = domains["domains"][0]["name"].as_str().unwrap().to_owned();
    let published = at(&company, &[&["lint", apex.as_str(), "--format", "json"][..], &zones].concat());
    let said = &published.stdout;
    assert!(said.contains("include:_spf.big"), "its SPF record is there: {said} {}", published.stderr);
    owners(&company, &truths, &apex);
}

/// The directory knows some local parts at once, and others only under another name.
fn owners(company: &Path, truths: &[Value], apex: &str) {
    let local_parts: BTreeSet<&str> = truths.iter().filter_map(|truth| truth["local_part"].as_str()).collect();
    let addresses: Vec<String> = local_parts
        .into_iter()
        .filter(|part| !["postmaster", "mailer-daemon"].contains(part))
        .map(|part| format!("{part}@{apex}"))
        .collect();
    let args: Vec<&str> =
        ["owner", "--format", "json"].into_iter().chain(addresses.iter().map(String::as_str)).collect();
    let found = at(company, &args).expect(0).json_lines();
    let exact = found.iter().filter(|line| line["exact"] == true).count();
    assert!(exact >= 3 && exact < found.len(), "{exact} of {}", found.len());
}

/// What a preview expects comes, in months in which nothing is set up, breaks or is mended. Each company needs a rule that the others do not.
#[test]
fn what_previews_expect_comes() {
    let cases = [
        ("halden", "1", 90, "0.2", "a printer began two days before the end, a service nine"),
        ("shop", "6", 90, "0.2", "sales ended five days before"),
        ("university", "7", 120, "0.3", "forwarders hand on what spoofers sent to the same mailboxes"),
    ];
    for (company, seed, days, scale, why) in cases {
        let folder = tempfile::tempdir().unwrap();
        let generate = |days: u16, out: &str| {
            let days = days.to_string();
            let args = ["scenario", "generate", "--company", company, "--seed", seed, "--scale", scale];
            let _ = at(folder.path(), &[&args[..], &["--days", &days, "--out", out]].concat()).expect(0);
        };
        generate(days, "until");
        generate(days + 30, "later");
        let until = folder.path().join("until");
        let _ = at(&until, &["import", "reports"]).expect(0);
        let _ = at(&until, &["enrich", "--zone", "dns/names.zone", "--zone", "dns/current.zone"]).expect(0);
        let args = ["scenario", "forecast", ".", "--later", "../later", "--format", "json"];
        let pairs = at(&until, &args).expect(0).json();
        let pairs = pairs.as_array().unwrap();
        assert!(pairs.len() >= 4, "{company}: {pairs:?}");
        for pair in pairs {
            let [expected, at_most, truth, off] = ["expected", "at_most", "truth", "off"].map(|name| &pair[name]);
            let said =
                format!("{company}, {}: {expected} ≤ {at_most}, and {truth} came ({off}); {why}", pair["policy"]);
            assert_eq!((pair["held"].as_bool(), pair["right"].as_bool()), (Some(true), Some(true)), "{said}");
        }
    }
}
