//! Previews of a model company held against what truly came: forecasts from the first days, the truth of the days after them.
//!
//! In: a folder whose reports are in the ledger, and one of the same company with more days. Out: for each policy what was forecast, the
//! bound, and the harm that truly came. The truth is worked out another way than the preview: row by row from the words of the truth, by
//! `spf` and `dmarc` as a receiver runs them, with the classes that the generator knows.

use std::collections::HashMap;
use std::io::Write;
use std::net::IpAddr;
use std::path::Path;

use ::scenario::{Behind, Class};
use anyhow::{Context, bail};
use dmarc::{Identifier, Method, Rules, Walker};
use dns::{Data, Name, Overlay, RecordType, Suffixes, Zone};
use insight::{Preview, WhatIf};
use message::{Domain, ReversePath};
use report::{Alignment, Day, Policy, Text};
use serde::Serialize;
use spf::{Client, Limits};
use store::Ledger;

use super::Done;
use super::foresight::figure;
use crate::cli::TextOrJson;
use crate::config::Config;

/// One policy of one company.
#[derive(Debug, Serialize)]
pub(crate) struct Pair {
    policy: &'static str,
    what: String,
    /// Legitimate mail a day that the preview expects to be stopped.
    expected: f64,
    at_most: Option<f64>,
    /// What truly came: mail of legitimate streams that fails and would be stopped.
    truth: f64,
    /// Of this: streams of which nobody in the company knows.
    unidentified: f64,
    /// Of `truth`: by the day-long campaigns that nobody set up.
    campaigns: f64,
    /// Unknown mail that the preview expects to be stopped.
    unknown: f64,
    held: bool,
}

/// Holds previews against the days that came after.
pub(super) fn forecast(
    ledger: &Ledger,
    config: &Config,
    (folder, later): (&Path, &Path),
    format: TextOrJson,
    out: &mut impl Write,
) -> anyhow::Result<Done> {
    super::flows::refresh(ledger, config)?;
    let Some((_, last)) = ledger.span()? else { bail!("the ledger is empty: import {} first", folder.display()) };
    let came = after(folder, later)?;
    let text = zone_text(folder)?;
    let zone = Zone::parse(&text).map_err(|e| anyhow::anyhow!("{}: {e}", folder.display()))?;
    let domain = primary(&came)?;
    let days = days_after(later, last)?;
    let mut pairs = Vec::new();
    for (policy, what_if) in policies(&domain, &text, &zone, &came) {
        let preview = insight::preview(ledger, &what_if)?;
        pairs.push(pair(policy, &preview, &what_if, &zone, &came, days)?);
    }
    match format {
        TextOrJson::Json => writeln!(out, "{}", serde_json::to_string(&pairs)?)?,
        TextOrJson::Text => {
            writeln!(out, "{domain}, {days:.0} days after {last}; messages a day\n")?;
            writeln!(
                out,
                "{:<12}{:>10}{:>10}{:>10}{:>14}{:>11}  held",
                "policy", "expected", "at most", "truth", "unidentified", "campaigns"
            )?;
            for pair in &pairs {
                writeln!(
                    out,
                    "{:<12}{:>10}{:>10}{:>10}{:>14}{:>11}  {}",
                    pair.policy,
                    figure(pair.expected),
                    pair.at_most.map_or_else(|| "?".to_owned(), figure),
                    figure(pair.truth),
                    figure(pair.unidentified),
                    figure(pair.campaigns),
                    if pair.held { "yes" } else { "NO" }
                )?;
            }
        }
    }
    Ok(Done::Well)
}

/// A cell of the truth with what came in the later days.
struct Came {
    domain: Text,
    source: IpAddr,
    dkim: Text,
    spf: Text,
    behind: Vec<(Class, u64)>,
}

type Key = (Text, IpAddr, Text, Text, Text, Text);

/// What is in the later truth and not in the earlier one: more days do not change what was before.
fn after(folder: &Path, later: &Path) -> anyhow::Result<Vec<Came>> {
    let mut before: HashMap<(Key, Text, Class), u64> = HashMap::new();
    let key = |cell: &::scenario::Cell| -> Key {
        let [dkim, spf, envelope, overrides] = [&cell.dkim, &cell.spf, &cell.envelope_from, &cell.overrides];
        (cell.domain.clone(), cell.source, dkim.clone(), spf.clone(), envelope.clone(), overrides.clone())
    };
    for cell in ::scenario::truth_cells(folder)? {
        let key = key(&cell);
        for Behind { flow, class, messages, .. } in cell.truth {
            *before.entry((key.clone(), flow, class)).or_default() += messages;
        }
    }
    let mut came = Vec::new();
    for cell in ::scenario::truth_cells(later)? {
        let key = key(&cell);
        let mut behind: Vec<(Class, u64)> = Vec::new();
        for Behind { flow, class, messages, .. } in cell.truth {
            let was = before.get(&(key.clone(), flow, class)).copied().unwrap_or(0);
            if messages > was {
                behind.push((class, messages - was));
            }
        }
        if !behind.is_empty() {
            came.push(Came { domain: cell.domain, source: cell.source, dkim: cell.dkim, spf: cell.spf, behind });
        }
    }
    Ok(came)
}

fn zone_text(folder: &Path) -> anyhow::Result<String> {
    let read = |name: &str| {
        let path = folder.join("dns").join(name);
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    Ok(format!("{}\n$ORIGIN .\n{}", read("names.zone")?, read("current.zone")?))
}

/// The organizational domain with most legitimate mail.
fn primary(came: &[Came]) -> anyhow::Result<String> {
    let mut sums: HashMap<Text, u64> = HashMap::new();
    for cell in came {
        let wanted: u64 = cell.behind.iter().filter(|(class, _)| *class != Class::Spoofer).map(|(_, n)| n).sum();
        *sums.entry(store::organizational_domain(&cell.domain)).or_default() += wanted;
    }
    let most = sums.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0)));
    Ok(most.context("nothing came in the later days")?.0.to_string())
}

/// How many days the later truth has beyond the ledger.
fn days_after(later: &Path, last: Day) -> anyhow::Result<f64> {
    let path = later.join("company.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let company: serde_json::Value = serde_json::from_str(&text)?;
    let end =
        company["last_day"].as_str().and_then(|day| day.parse::<Day>().ok()).context("company.json has no last_day")?;
    if end <= last {
        bail!("{} ends on {end}, no later than the ledger on {last}: generate it with more --days", later.display());
    }
    Ok(f64::from(end.0 - last.0))
}

/// The changes that are previewed.
fn policies(domain: &str, text: &str, zone: &Zone, came: &[Came]) -> Vec<(&'static str, WhatIf)> {
    let base = WhatIf { domain: domain.to_owned(), subdomains: true, zone: Some(text.to_owned()), ..WhatIf::default() };
    let all = |policy| WhatIf { p: Some(policy), sp: Some(policy), np: Some(policy), ..base.clone() };
    let strict = Some(Alignment::Strict);
    let mut list = vec![
        ("quarantine", WhatIf { p: Some(Policy::Quarantine), ..base.clone() }),
        ("reject", all(Policy::Reject)),
        ("sp", WhatIf { sp: Some(Policy::Quarantine), ..base.clone() }),
        ("strict", WhatIf { adkim: strict, aspf: strict, ..all(Policy::Quarantine) }),
    ];
    if let Some(name) = busiest_include(domain, zone, came) {
        list.push(("include", WhatIf { remove_includes: vec![name], ..all(Policy::Quarantine) }));
    }
    list
}

/// The include by which most mail passes.
fn busiest_include(domain: &str, zone: &Zone, came: &[Came]) -> Option<String> {
    let name = Name::parse(domain).ok()?;
    let compiled = dns::now(spf::compile(zone, &name, &Limits::default()));
    let mut sums: HashMap<String, u64> = HashMap::new();
    for cell in came.iter().filter(|cell| checks(&cell.spf).any(|(result, of)| result == "pass" && of == domain)) {
        let path = &compiled.answer(cell.source).path;
        let include = path.first().and_then(|step| step.text.split_once("include:"));
        if let Some((_, name)) = include {
            *sums.entry(name.to_owned()).or_default() += cell.behind.iter().map(|(_, n)| n).sum::<u64>();
        }
    }
    sums.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0))).map(|(name, _)| name)
}

/// `pass mfrom example.com; none helo …` as results with domains.
fn checks(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("; ").filter_map(|one| Some((one.split(' ').next()?, one.split(' ').next_back()?)))
}

/// `pass d=example.com s=s1; …` as results with domains.
fn signatures(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("; ").filter_map(|one| {
        let mut words = one.split(' ');
        Some((words.next()?, words.find_map(|word| word.strip_prefix("d="))?))
    })
}

fn pair(
    policy: &'static str,
    preview: &Preview,
    what_if: &WhatIf,
    zone: &Zone,
    came: &[Came],
    days: f64,
) -> anyhow::Result<Pair> {
    let mut change = Zone::new();
    for changed in &preview.changed {
        let name = Name::parse(&changed.name).with_context(|| format!("`{}` is no name", changed.name))?;
        change.take_away(&name, RecordType::Txt);
        change.add(&name, 3600, Data::Txt(changed.after.clone().into_bytes().into()));
    }
    let dns = Overlay::new(&change, zone);
    let spf_changes = !what_if.remove_includes.is_empty();
    let suffixes = Suffixes::default();
    let rules = Rules { standard: dmarc::Standard::Rfc9989, suffixes: &suffixes, sample: 0 };
    let mut walker = Walker::new(&dns);
    let (mut truth, mut unidentified, mut campaigns) = (0_u64, 0_u64, 0_u64);
    for cell in came {
        let within = cell.domain == what_if.domain || cell.domain.ends_with(&format!(".{}", what_if.domain));
        let wanted = cell.behind.iter().any(|(class, _)| *class != Class::Spoofer);
        if !within || !wanted || !stopped(cell, what_if, spf_changes, &dns, &mut walker, &rules) {
            continue;
        }
        for (class, messages) in &cell.behind {
            match class {
                Class::Spoofer => continue,
                Class::Unidentified => unidentified += messages,
                Class::Campaign => campaigns += messages,
                _ => {}
            }
            truth += messages;
        }
    }
    let a_day = |messages: u64| f64::from(u32::try_from(messages).unwrap_or(u32::MAX)) / days;
    let truth = a_day(truth);
    Ok(Pair {
        policy,
        what: preview.what.clone(),
        expected: preview.harm.expected,
        at_most: preview.harm.at_most,
        truth,
        unidentified: a_day(unidentified),
        campaigns: a_day(campaigns),
        unknown: preview.unknown.expected,
        held: preview.harm.at_most.is_none_or(|most| truth <= most),
    })
}

/// Whether a receiver that obeys would quarantine or reject it.
fn stopped<'z>(
    cell: &Came,
    what_if: &WhatIf,
    spf_changes: bool,
    dns: &Overlay<'z, &'z Zone>,
    walker: &mut Walker<'_, Overlay<'z, &'z Zone>>,
    rules: &Rules<'_>,
) -> bool {
    let Ok(author) = Domain::parse(cell.domain.as_bytes()) else { return false };
    let mut identifiers = Vec::new();
    let mut add = |method, domain: &str| {
        let domain = Name::parse(domain).ok();
        identifiers.push(Identifier { method, domain, result: authres::ResultWord::Pass });
    };
    for (_, domain) in signatures(&cell.dkim).filter(|(result, _)| *result == "pass") {
        add(Method::Dkim, domain);
    }
    for (result, domain) in checks(&cell.spf) {
        let passes = if spf_changes && domain == what_if.domain && result == "pass" {
            let client = Client::new(cell.source, domain);
            let path = format!("somebody@{domain}");
            let path = ReversePath::parse(Some(path.as_bytes()));
            let found = dns::now(spf::check_mail_from(dns, &client, &path, &Limits::default()));
            found.result == spf::SpfResult::Pass
        } else {
            result == "pass"
        };
        if passes {
            add(Method::Spf, domain);
        }
    }
    let verdict = dns::now(dmarc::verdict(&author, &identifiers, walker, rules));
    verdict.requested_disposition.is_some_and(|asked| asked != dmarc::Policy::None)
}
