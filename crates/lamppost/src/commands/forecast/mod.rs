//! Previews of a model company held against what truly came: forecasts from the first days, the truth of the days after them.
//!
//! In: a folder whose reports are in the ledger, and one of the same company with more days. Out: for each policy what was forecast, the
//! bound, and the harm that truly came. The truth is worked out another way than the preview: row by row from the words of the truth, by
//! `spf` and `dmarc` as a receiver runs them, with the classes that the generator knows.

mod truth;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write;
use std::path::Path;

use ::scenario::Class;
use anyhow::{Context, bail};
use dmarc::{Rules, Walker};
use dns::{Data, Name, Overlay, RecordType, Suffixes, Zone};
use insight::{Preview, WhatIf, rate};
use report::{Alignment, Policy, Text};
use serde::Serialize;
use spf::Limits;
use store::Ledger;

use self::truth::{Came, Span, came, changed, checks, stopped};
use super::Done;
use crate::cli::TextOrJson;
use crate::config::Config;

/// What changed by more than this part of all is a change in kind.
const IN_KIND: f64 = 0.25;
/// A stream that was so much smaller before is new.
const NEARLY_NEW: f64 = 0.15;
/// Streams that are named for each policy.
const STREAMS: usize = 12;
/// A forecast that is off by no more is right.
const RIGHT: f64 = 0.15;
/// Messages a day below which chance alone is more than that.
const ENOUGH: f64 = 20.0;

/// One policy of one company. All figures are messages a day.
#[derive(Debug, Serialize)]
pub(crate) struct Pair {
    policy: &'static str,
    what: String,
    /// Legitimate mail that the preview expects to be stopped.
    expected: f64,
    at_most: Option<f64>,
    /// What it would have been over the days shown, by the classes that flows were given.
    seen: f64,
    /// What truly came: mail of legitimate streams that fails and would be stopped; without `unidentified`.
    truth: f64,
    /// By how much of `truth` the expectation is too high or too low, where there is enough of it.
    off: Option<f64>,
    /// Whether that is at most 0.15.
    right: Option<bool>,
    /// What came beside it of streams of which nobody in the company knows: a preview counts it as unknown, not as harm.
    unidentified: f64,
    /// The same over all days that the ledger has.
    before: f64,
    /// Of `truth`: by the day-long campaigns that nobody set up.
    campaigns: f64,
    /// Of `truth`: streams that were not there before, or nearly so: nobody could foresee them.
    began: f64,
    /// Of `truth`: streams that began or changed in the later days.
    news: f64,
    /// Of `before`: streams that changed or ended in the later days.
    olds: f64,
    /// Whether such streams make up so much of it that no forecast can be had.
    changed: bool,
    /// Unknown mail that the preview expects to be stopped.
    unknown: f64,
    /// Whether `truth` and `unidentified` together lie below the bound.
    held: bool,
    /// The streams that make up most of it.
    streams: Vec<Stream>,
}

/// What was stopped of a stream, in messages a day.
#[derive(Debug, Serialize)]
pub(crate) struct Stream {
    name: String,
    before: f64,
    after: f64,
    changed: bool,
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
    if ledger.span()?.is_none() {
        bail!("the ledger is empty: import {} first", folder.display());
    }
    let span = Span::read(folder, later)?;
    let (came, changed) = (came(folder, later)?, changed(later, &span)?);
    let text = zone_text(folder)?;
    let zone = Zone::parse(&text).map_err(|e| anyhow::anyhow!("{}: {e}", folder.display()))?;
    let domain = primary(&came)?;
    let mut pairs = Vec::new();
    for (policy, what_if) in policies(&domain, &text, &zone, &came) {
        let preview = insight::preview(ledger, &what_if)?;
        let streams = harmed(&preview, &what_if, &zone, &came)?;
        pairs.push(pair(policy, &preview, &streams, &changed, &span));
    }
    match format {
        TextOrJson::Json => writeln!(out, "{}", serde_json::to_string(&pairs)?)?,
        TextOrJson::Text => print(&domain, &span, &pairs, out)?,
    }
    Ok(Done::Well)
}

fn print(domain: &str, span: &Span, pairs: &[Pair], out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "{domain}, {:.0} days after {}; messages a day\n", span.after(), span.last)?;
    writeln!(
        out,
        "{:<12}{:>10}{:>10}{:>10}{:>8}{:>10}{:>10}{:>14}{:>11}  held  changed in kind",
        "policy", "expected", "at most", "truth", "off", "began", "before", "unidentified", "campaigns"
    )?;
    for pair in pairs {
        writeln!(
            out,
            "{:<12}{:>10}{:>10}{:>10}{:>8}{:>10}{:>10}{:>14}{:>11}  {:<4}  {}",
            pair.policy,
            rate(pair.expected),
            pair.at_most.map_or_else(|| "?".to_owned(), rate),
            rate(pair.truth),
            pair.off.map_or_else(String::new, |off| format!("{:+.0} %", off * 100.0)),
            rate(pair.began),
            rate(pair.before),
            rate(pair.unidentified),
            rate(pair.campaigns),
            if pair.held { "yes" } else { "NO" },
            if pair.changed { "yes" } else { "no" }
        )?;
    }
    Ok(())
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
        let wanted: u64 = cell.behind.iter().filter(|part| part.class != Class::Spoofer).map(|part| part.after).sum();
        *sums.entry(store::organizational_domain(&cell.domain)).or_default() += wanted;
    }
    let most = sums.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0)));
    Ok(most.context("nothing came in the later days")?.0.to_string())
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
            *sums.entry(name.to_owned()).or_default() += cell.behind.iter().map(|part| part.after).sum::<u64>();
        }
    }
    sums.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0))).map(|(name, _)| name)
}

/// Messages of a stream that would be stopped.
#[derive(Default)]
struct Harmed {
    before: u64,
    after: u64,
}

/// Streams of legitimate mail that the previewed records stop, by name.
fn harmed(
    preview: &Preview,
    what_if: &WhatIf,
    zone: &Zone,
    came: &[Came],
) -> anyhow::Result<BTreeMap<(Text, Class), Harmed>> {
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
    let mut streams: BTreeMap<(Text, Class), Harmed> = BTreeMap::new();
    for cell in came {
        let within = cell.domain == what_if.domain || cell.domain.ends_with(&format!(".{}", what_if.domain));
        let wanted = cell.behind.iter().any(|part| part.class != Class::Spoofer);
        if !within || !wanted || !stopped(cell, what_if, spf_changes, &dns, &mut walker, &rules) {
            continue;
        }
        for part in cell.behind.iter().filter(|part| part.class != Class::Spoofer) {
            let stream = streams.entry((part.flow.clone(), part.class)).or_default();
            stream.before += part.before;
            stream.after += part.after;
        }
    }
    Ok(streams)
}

fn pair(
    policy: &'static str,
    preview: &Preview,
    streams: &BTreeMap<(Text, Class), Harmed>,
    changed: &HashSet<Text>,
    span: &Span,
) -> Pair {
    let count = |messages: u64| f64::from(u32::try_from(messages).unwrap_or(u32::MAX));
    let (before, after) = (|n: u64| count(n) / span.before(), |n: u64| count(n) / span.after());
    let sum = |wanted: &dyn Fn(&Text, Class) -> bool| {
        let wanted = streams.iter().filter(|((name, class), _)| wanted(name, *class));
        wanted.fold((0.0, 0.0), |sum, (_, of)| (sum.0 + before(of.before), sum.1 + after(of.after)))
    };
    let named = |class| class != Class::Unidentified;
    let (all_before, truth) = sum(&|_, class| named(class));
    let unidentified = sum(&|_, class| !named(class)).1;
    let (olds, news) = sum(&|name, class| named(class) && changed.contains(name));
    let new = |((name, _), of): &(&(Text, Class), &Harmed)| {
        changed.contains(name) && before(of.before) < NEARLY_NEW * after(of.after)
    };
    let began = streams.iter().filter(new).map(|(_, of)| after(of.after)).sum();
    let off = (truth > ENOUGH).then(|| preview.harm.expected / truth - 1.0);
    let mut listed: Vec<Stream> = streams
        .iter()
        .map(|((name, class), of)| Stream {
            name: format!("{name} ({class:?})"),
            before: before(of.before),
            after: after(of.after),
            changed: changed.contains(name),
        })
        .collect();
    listed.sort_by(|a, b| b.before.max(b.after).total_cmp(&a.before.max(a.after)));
    listed.truncate(STREAMS);
    Pair {
        policy,
        what: preview.what.clone(),
        expected: preview.harm.expected,
        at_most: preview.harm.at_most,
        seen: preview.harm.seen,
        truth,
        off,
        right: off.map(|off| off.abs() <= RIGHT),
        before: all_before,
        unidentified,
        campaigns: sum(&|_, class| class == Class::Campaign).1,
        began,
        news,
        olds,
        changed: news > IN_KIND * truth || olds > IN_KIND * all_before,
        unknown: preview.unknown.expected,
        held: preview.harm.at_most.is_none_or(|most| truth + unidentified <= most),
        streams: listed,
    }
}
