//! What our domains publish: a round by hand, and the history.

use std::io::Write;
use std::sync::Arc;

use anyhow::Context;
use dns::Zone;
use insight::{DnsHistory, RecordKind, commas};
use report::Day;
use serde_json::json;
use store::{Ledger, PublishedState};
use watch::{RoundLimits, RoundSummary, round, targets};

use super::answers::print;
use super::{Done, lookup};
use crate::cli::{DnsHistoryArgs, TextOrJson, WatchArgs};
use crate::config::Config;
use crate::organisation::Ground;
use crate::table::{Align::Fixed, Align::Left, Table};
use crate::term::whole;
use crate::watching::{OwnZones, moment_of};

pub(super) fn watch(ledger: &Ledger, config: &Config, args: &WatchArgs, out: &mut impl Write) -> anyhow::Result<Done> {
    // Which names mail is about is read from what flows are judged from.
    Ground::new(config)?.refresh(ledger)?;
    let declared: Vec<String> = config.organisation.declared()?.domains;
    let names = targets(ledger, &declared)?;
    let at = args.at.map_or_else(super::now, moment_of);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
    let summary = runtime.block_on(async {
        let limits = RoundLimits::default();
        if args.dns.zone.is_empty() {
            let source = Arc::new(lookup::source(&args.dns)?);
            return Ok(round(ledger, source, &names, &RecordKind::ALL, at, limits).await?);
        }
        let mut zone = Zone::new();
        for file in &args.dns.zone {
            lookup::read(&mut zone, file)?;
        }
        let zones = Arc::new(OwnZones::new(zone, &names));
        anyhow::Ok(round(ledger, zones, &names, &RecordKind::ALL, at, limits).await?)
    })?;
    tell(summary, names.domains.len(), args.format, out)?;
    Ok(Done::Well)
}

fn tell(summary: RoundSummary, domains: usize, format: TextOrJson, out: &mut impl Write) -> std::io::Result<()> {
    let RoundSummary { jobs, left_out, added, same, late, failed } = summary;
    if format == TextOrJson::Json {
        let told = json!({
            "domains": domains, "looks": jobs, "left_out": left_out, "new": added, "same": same, "late": late, "failed": failed,
        });
        return writeln!(out, "{told}");
    }
    writeln!(
        out,
        "Looked at {} domains: {} answers are new or other ones, {} as before.",
        commas(domains as u64),
        commas(added),
        commas(same)
    )?;
    if failed > 0 {
        writeln!(out, "{} questions failed; what was known before is taken to stand.", commas(failed))?;
    }
    if late > 0 {
        writeln!(
            out,
            "{} answers are older than what is known, and were left out: begin with the oldest.",
            commas(late)
        )?;
    }
    if left_out > 0 {
        writeln!(out, "{} names were left out, a round is full at {}.", commas(left_out as u64), commas(jobs as u64))?;
    }
    writeln!(out, "`lamppost dns` shows the history.")
}

pub(super) fn history(ledger: &Ledger, args: &DnsHistoryArgs, out: &mut impl Write) -> anyhow::Result<Done> {
    let domain = args.domain.as_deref().map(|text| {
        let name = dns::Name::from_unicode(text).with_context(|| format!("`{text}` is no domain"));
        name.map(|name| name.to_string())
    });
    let answer = insight::dns_history(ledger, domain.transpose()?.as_deref())?;
    print(&answer, args.format, table, text, out)
}

fn table(answer: &DnsHistory) -> Table {
    let mut table = Table::new(&[
        ("Domain", Fixed),
        ("What", Fixed),
        ("Name", Left),
        ("Type", Fixed),
        ("First seen", Fixed),
        ("Last seen", Fixed),
        ("Still", Fixed),
        ("State", Fixed),
        ("Value", Left),
    ])
    .yielding(&["Domain", "Type", "State", "Still"]);
    for line in &answer.lines {
        let state = match line.state {
            PublishedState::Found => "found",
            PublishedState::Nothing => "nothing",
            PublishedState::Failed => "failed",
        };
        table.line([
            line.domain.clone().into(),
            line.kind.label().into(),
            line.name.clone().into(),
            line.record_type.clone().into(),
            Day::of(line.first_seen).to_string().into(),
            Day::of(line.last_seen).to_string().into(),
            if line.still { "yes" } else { "" }.into(),
            state.into(),
            line.value.replace('\n', " | ").into(),
        ]);
    }
    table
}

fn text(answer: &DnsHistory, table: &Table, mut out: &mut dyn Write) -> std::io::Result<()> {
    let (Some(since), Some(looked_at)) = (answer.since, answer.looked_at) else {
        return writeln!(
            out,
            "Nobody has looked at DNS yet: `lamppost serve` does by itself, `lamppost watch` once, by hand."
        );
    };
    writeln!(out, "Watched since {}, last looked at on {}.\n", Day::of(since), Day::of(looked_at))?;
    if answer.changes.is_empty() {
        writeln!(out, "Nothing has changed since.\n")?;
    }
    for change in &answer.changes {
        writeln!(out, "{}  {}", change.day, whole(&change.what))?;
    }
    if !answer.changes.is_empty() {
        writeln!(out)?;
    }
    table.text(&mut out)
}
