//! Previews, readiness and waivers: as text, JSON or CSV.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use insight::{
    Estimate, GateState, NewWaiver, Preview, PreviewFlow, Readiness, ReadinessAsk, Waiver, WhatIf, commas, rate,
    rounded,
};
use report::Day;
use store::Ledger;

use super::Done;
use super::answers::{lower, period_of, print};
use super::flows::refresh;
use crate::cli::{PreviewArgs, ReadinessArgs, WaiveArgs};
use crate::config::Config;
use crate::table::{Align::Drawn, Align::Fixed, Align::Left, Align::Right, Table};
use crate::term::{Cell, percent, shown, whole};

pub(super) fn preview(
    ledger: &Ledger,
    config: &Config,
    args: &PreviewArgs,
    out: &mut impl Write,
) -> anyhow::Result<Done> {
    refresh(ledger, config)?;
    let answer = insight::preview(ledger, &what_if(args)?)?;
    print(&answer, args.format, flows_table, preview_text, out)
}

fn what_if(args: &PreviewArgs) -> anyhow::Result<WhatIf> {
    let named = args.period.since.is_some() || args.period.until.is_some() || args.period.days.is_some();
    Ok(WhatIf {
        domain: lower(&args.domain).to_string(),
        subdomains: !args.without_subdomains,
        period: named.then(|| period_of(&args.period)),
        p: args.policy,
        sp: args.subdomain_policy,
        np: args.np,
        adkim: args.adkim,
        aspf: args.aspf,
        pct: args.pct,
        testing: args.t,
        spf: args.spf.clone(),
        remove_includes: args.remove_include.clone(),
        add_ranges: args.add_range.clone(),
        change: args.change.as_ref().map(read).transpose()?,
        dkim_for: args.dkim_for.clone(),
        receivers: args.standard,
        zone: zones(&args.zone)?,
    })
}

fn read(file: impl AsRef<Path>) -> anyhow::Result<String> {
    let file = file.as_ref();
    std::fs::read_to_string(file).with_context(|| format!("cannot read the zone {}", file.display()))
}

/// The texts of zone files, one after the other.
fn zones(files: &[PathBuf]) -> anyhow::Result<Option<String>> {
    let texts = files.iter().map(read).collect::<anyhow::Result<Vec<_>>>()?;
    // Each begins at the root again, whatever the one before said.
    Ok((!texts.is_empty()).then(|| texts.join("\n$ORIGIN .\n")))
}

pub(super) fn most(estimate: &Estimate) -> String {
    estimate.at_most.map_or_else(|| "?".to_owned(), rate)
}

fn flows_table(answer: &Preview) -> Table {
    let mut table = Table::new(&[
        ("Flow", Fixed),
        ("Class", Fixed),
        ("Who", Left),
        ("Seen a day", Right),
        ("Expected", Right),
        ("At most", Right),
        ("Of", Right),
        ("Owner", Left),
        ("Problem", Left),
        ("", Drawn),
    ])
    .yielding(&["", "Problem", "Owner", "Of"]);
    let largest = answer.flows.iter().map(|flow| rounded(flow.stopped.seen * 10.0)).max().unwrap_or(0);
    let mut line = |flow: &PreviewFlow| {
        table.line([
            flow.id.clone().into(),
            flow.class.label().into(),
            flow.name.clone().into(),
            rate(flow.stopped.seen).into(),
            rate(flow.stopped.expected).into(),
            most(&flow.stopped).into(),
            rate(flow.messages).into(),
            flow.owner.clone().unwrap_or_default().into(),
            flow.diagnosis.map_or("", insight::Diagnosis::label).into(),
            Cell::Bar(rounded(flow.stopped.seen * 10.0), largest),
        ]);
    };
    answer.flows.iter().chain(&answer.unknown_flows).for_each(&mut line);
    table
}

fn preview_text(answer: &Preview, table: &Table, mut out: &mut dyn Write) -> std::io::Result<()> {
    let (first, last) = answer.days;
    writeln!(out, "What if {}: {}", shown(&answer.domain), shown(&answer.what))?;
    writeln!(out, "Replayed over {first} to {last}, receivers by {}.\n", answer.receivers.word())?;
    for change in &answer.changed {
        writeln!(out, "{} TXT", shown(&change.name))?;
        writeln!(out, "  - {}", change.before.as_deref().map_or_else(|| "(not known)".to_owned(), whole))?;
        writeln!(out, "  + {}\n", whole(&change.after))?;
    }
    writeln!(out, "{:<30}{:>12}{:>12}{:>12}", "messages a day", "seen", "expected", "at most")?;
    let mut line = |label: &str, of: &Estimate| {
        writeln!(out, "{label:<30}{:>12}{:>12}{:>12}", rate(of.seen), rate(of.expected), most(of))
    };
    line("legitimate mail stopped", &answer.harm)?;
    line("  of that rejected", &answer.rejected)?;
    line("unknown mail stopped", &answer.unknown)?;
    line("spoofed mail stopped", &answer.spoofed)?;
    writeln!(out, "{:<30}{:>12}", "  of that delivered now", rate(answer.spoofed_delivered_now))?;
    let untouched = (answer.legitimate - answer.harm.seen).max(0.0);
    let share = percent(rounded(untouched * 100.0), rounded(answer.legitimate * 100.0));
    writeln!(
        out,
        "{:<30}{:>12}  of {} ({share})",
        "legitimate mail untouched",
        rate(untouched),
        rate(answer.legitimate)
    )?;
    writeln!(out, "\n{}\n", answer.bound)?;
    classes(answer, out)?;
    if answer.flows_total > 0 {
        let shown = answer.flows.len();
        writeln!(out, "\n{} flows would be harmed; the first {shown}, then unknown ones:\n", answer.flows_total)?;
        table.text(&mut out)?;
    }
    if answer.tags.len() > 1 {
        writeln!(
            out,
            "\n{:<12}{:>10}{:>14}{:>12}{:>12}{:>12}",
            "decided by", "names", "legitimate", "harm", "at most", "spoofed"
        )?;
        for tag in &answer.tags {
            let (harm, most, spoofed) = (rate(tag.harm.expected), most(&tag.harm), rate(tag.spoofed.expected));
            let (domains, legitimate) = (tag.domains, rate(tag.legitimate));
            writeln!(out, "{:<12}{domains:>10}{legitimate:>14}{harm:>12}{most:>12}{spoofed:>12}", tag.tag.word())?;
        }
    }
    writeln!(out, "\nHow far records and reports agree, in messages:")?;
    for line in &answer.agreement {
        writeln!(out, "  {:>12}  {}", commas(line.messages), line.words)?;
    }
    writeln!(out)?;
    answer.notes.iter().try_for_each(|note| writeln!(out, "Note: {}", whole(note)))
}

fn classes(answer: &Preview, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{:<28}{:>12}{:>12}{:>12}{:>12}", "class", "a day", "stopped", "expected", "at most")?;
    for line in &answer.classes {
        let of = &line.stopped;
        writeln!(
            out,
            "{:<28}{:>12}{:>12}{:>12}{:>12}",
            line.class.label(),
            rate(line.messages),
            rate(of.seen),
            rate(of.expected),
            most(of)
        )?;
    }
    Ok(())
}

pub(super) fn readiness(
    ledger: &Ledger,
    config: &Config,
    args: &ReadinessArgs,
    out: &mut impl Write,
) -> anyhow::Result<Done> {
    refresh(ledger, config)?;
    let zone = zones(&args.zone)?;
    let ask = ReadinessAsk {
        domain: &args.domain,
        step: args.step,
        thresholds: &config.readiness,
        zone: zone.as_deref(),
        today: Day::of(super::now()),
    };
    let answer = insight::readiness(ledger, &ask)?;
    print(&answer, args.format, gates_table, readiness_text, out)
}

fn gates_table(answer: &Readiness) -> Table {
    let mut table = Table::new(&[
        ("Gate", Fixed),
        ("State", Fixed),
        ("About", Fixed),
        ("Measured", Left),
        ("Needed", Left),
        ("Answers for it", Left),
    ])
    .yielding(&["Answers for it"]);
    for gate in &answer.gates {
        table.line([
            gate.id.clone().into(),
            gate.state.label().into(),
            gate.title.clone().into(),
            gate.measured.clone().into(),
            gate.needed.clone().into(),
            gate.waiver.as_ref().and_then(|waiver| waiver.owner.clone()).unwrap_or_default().into(),
        ]);
    }
    table
}

fn readiness_text(answer: &Readiness, table: &Table, mut out: &mut dyn Write) -> std::io::Result<()> {
    let (first, last) = answer.days;
    writeln!(out, "{}: {}", shown(&answer.domain), answer.words)?;
    writeln!(out, "Figures are of {first} to {last}.\n")?;
    table.text(&mut out)?;
    let open = |state: GateState| !matches!(state, GateState::Pass | GateState::NotMeasured);
    for gate in answer.gates.iter().filter(|gate| open(gate.state)) {
        writeln!(out, "\n{} {}: {}, needed {}", gate.id, gate.title, gate.measured, gate.needed)?;
        gate.why.iter().try_for_each(|line| writeln!(out, "  {}", whole(line)))?;
        for flow in &gate.flows {
            let name = shown(&flow.name);
            writeln!(out, "  {}  {:<26} {}  {name}", flow.id, flow.class.label(), flow.figure)?;
        }
        if let Some(waiver) = &gate.waiver {
            writeln!(out, "  {}", waiver_text(waiver))?;
        }
    }
    writeln!(out, "\nOne part at a time:")?;
    for part in &answer.parts {
        writeln!(out, "  {} {}", if part.safe { "yes" } else { "no " }, part.words)?;
    }
    if answer.names.len() > 1 {
        writeln!(out, "\nBy name (`lamppost readiness --domain NAME` asks about one):")?;
        writeln!(out, "  {:<40}{:>12}{:>12}{:>12}", "name", "legitimate", "harm", "spoofed")?;
        for name in &answer.names {
            let (legitimate, harm, spoofed) = (rate(name.legitimate), rate(name.harm), rate(name.spoofed));
            writeln!(out, "  {:<40}{legitimate:>12}{harm:>12}{spoofed:>12}", shown(&name.domain))?;
        }
    }
    Ok(())
}

fn waiver_text(waiver: &Waiver) -> String {
    let owner =
        waiver.owner.as_deref().map_or_else(|| "taken back".to_owned(), |who| format!("{} answers for it", shown(who)));
    let until = waiver.expires.map(|day| format!(" until {day}")).unwrap_or_default();
    let note = waiver.note.as_deref().map(|note| format!(": {}", whole(note))).unwrap_or_default();
    format!("{owner}{until}{note}")
}

pub(super) fn waive(ledger: &Ledger, args: &WaiveArgs, out: &mut impl Write) -> anyhow::Result<Done> {
    let (Some(gate), Some(domain)) = (&args.gate, &args.domain) else {
        return list(ledger, args, out);
    };
    if args.owner.is_none() && !args.undo {
        bail!("say who answers for it with --owner and until when with --expires, or --undo");
    }
    let new = NewWaiver {
        gate: gate.to_uppercase(),
        domain: lower(domain).to_string(),
        owner: args.owner.clone(),
        expires: args.expires,
        note: args.note.clone(),
    };
    let id = insight::waive(ledger, &new, super::now())?;
    match (&new.owner, new.expires) {
        (Some(owner), Some(day)) => {
            writeln!(
                out,
                "Waiver {id}: {} answers for {} of {} until {day}.",
                shown(owner),
                new.gate,
                shown(&new.domain)
            )?;
        }
        _ => writeln!(out, "Waiver {id}: nobody answers for {} of {} any more.", new.gate, shown(&new.domain))?,
    }
    Ok(Done::Well)
}

fn list(ledger: &Ledger, args: &WaiveArgs, out: &mut impl Write) -> anyhow::Result<Done> {
    let mut answer = insight::waivers(ledger, Day::of(super::now()))?;
    if let Some(domain) = &args.domain {
        answer.retain(|waiver| waiver.domain == lower(domain).as_str());
    }
    let text = |answer: &Vec<Waiver>, table: &Table, mut out: &mut dyn Write| {
        table.text(&mut out)?;
        writeln!(out, "\n{} waivers, the newest first.", answer.len())
    };
    print(&answer, args.format, |answer| waivers_table(answer), text, out)
}

fn waivers_table(answer: &[Waiver]) -> Table {
    let mut table = Table::new(&[
        ("Waiver", Right),
        ("When", Fixed),
        ("Gate", Fixed),
        ("Domain", Fixed),
        ("In force", Fixed),
        ("Until", Fixed),
        ("Owner", Left),
        ("Note", Left),
    ]);
    for waiver in answer {
        table.line([
            Cell::Id(waiver.id),
            Day::of(waiver.at).to_string().into(),
            waiver.gate.clone().into(),
            waiver.domain.clone().into(),
            if waiver.in_force { "yes" } else { "no" }.into(),
            waiver.expires.map(|day| day.to_string()).unwrap_or_default().into(),
            waiver.owner.clone().unwrap_or_else(|| "(taken back)".to_owned()).into(),
            waiver.note.clone().unwrap_or_default().into(),
        ]);
    }
    table
}
