//! The inventories: DKIM keys, SPF terms with their traffic, greetings without SPF.

use std::io::Write;

use anyhow::bail;
use insight::{DkimInventory, HeloInventory, InventoryFinding, KeyLimits, KeyState, SpfInventory, commas};
use report::Day;
use store::Ledger;

use super::Done;
use super::answers::{print, scope_in};
use crate::cli::InventoryCommand;
use crate::config::Config;
use crate::organisation::Ground;
use crate::table::{Align::Fixed, Align::Left, Align::Right, Table};
use crate::term::{Cell, percent, whole};

pub(super) fn inventory(
    ledger: &Ledger,
    config: &Config,
    command: &InventoryCommand,
    out: &mut impl Write,
) -> anyhow::Result<Done> {
    if let Err(error) = Ground::new(config)?.refresh(ledger) {
        eprintln!("lamppost: what is shown may be out of date, flows cannot be judged anew: {error:#}");
    }
    match command {
        InventoryCommand::Dkim(args) => {
            let answer = insight::dkim_inventory(ledger, &scope_in(ledger, &args.scope)?, &KeyLimits::default())?;
            print(&answer, args.format, dkim_table, dkim_text, out)
        }
        InventoryCommand::Helo(args) => {
            let answer = insight::helo_inventory(ledger, &scope_in(ledger, &args.scope)?)?;
            print(&answer, args.format, helo_table, helo_text, out)
        }
        InventoryCommand::Spf(args) => {
            let Some(domain) = args.scope.domain.as_deref() else {
                bail!("an SPF record is a domain's: name it with --domain");
            };
            let answer = insight::spf_inventory(ledger, domain, &scope_in(ledger, &args.scope)?)?;
            print(&answer, args.format, spf_table, spf_text, out)
        }
    }
}

/// Findings in a cell.
fn said(findings: &[InventoryFinding]) -> Cell {
    findings.iter().map(|finding| finding.what.clone()).collect::<Vec<_>>().join("; ").into()
}

/// Findings with their remedies, a line each.
fn remedies<'a>(
    of: impl Iterator<Item = (String, &'a [InventoryFinding])>,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    for (name, findings) in of {
        for finding in findings {
            writeln!(out, "{}: {}\n    {}", whole(&name), whole(&finding.what), whole(&finding.remedy))?;
        }
    }
    Ok(())
}

fn day(day: Option<Day>) -> Cell {
    day.map(|day| day.to_string()).unwrap_or_default().into()
}

fn not_watched(out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "Nobody has looked at DNS yet: `lamppost serve` does by itself, `lamppost watch` once, by hand.\n")
}

fn dkim_table(answer: &DkimInventory) -> Table {
    let mut table = Table::new(&[
        ("Domain", Left),
        ("Selector", Fixed),
        ("Key", Fixed),
        ("Messages", Right),
        ("Share", Right),
        ("Verified", Right),
        ("First seen", Fixed),
        ("Last in mail", Fixed),
        ("Findings", Left),
    ])
    .yielding(&["Last in mail", "Verified", "Share"]);
    for key in &answer.keys {
        let kind = match (key.state, &key.key_type, key.bits) {
            (KeyState::Published, Some(kind), Some(bits)) => format!("{kind} {bits}"),
            (KeyState::Published, ..) => "published".to_owned(),
            (KeyState::Revoked, ..) => "revoked".to_owned(),
            (KeyState::Broken, ..) => "broken".to_owned(),
            (KeyState::Missing, ..) => "missing".to_owned(),
            (KeyState::Unknown, ..) => "?".to_owned(),
        };
        table.line([
            key.domain.clone().into(),
            key.selector.clone().into(),
            kind.into(),
            key.messages.into(),
            Cell::Share(key.messages, answer.signed),
            Cell::Share(key.passing, key.messages),
            day([key.first_in_mail, key.first_in_dns].into_iter().flatten().min()),
            day(key.last_in_mail),
            said(&key.findings),
        ]);
    }
    table
}

fn dkim_text(answer: &DkimInventory, table: &Table, mut out: &mut dyn Write) -> std::io::Result<()> {
    let Some((first, last)) = answer.days else { return writeln!(out, "the ledger is empty") };
    writeln!(
        out,
        "{} keys, {first} to {last}; {} of {} messages are signed by us ({})\n",
        answer.keys.len(),
        commas(answer.signed),
        commas(answer.messages),
        percent(answer.signed, answer.messages)
    )?;
    if answer.looked_at.is_none() {
        not_watched(out)?;
    }
    table.text(&mut out)?;
    writeln!(out)?;
    remedies(
        answer.keys.iter().map(|key| (format!("{} of {}", key.selector, key.domain), key.findings.as_slice())),
        out,
    )
}

fn helo_table(answer: &HeloInventory) -> Table {
    let mut table = Table::new(&[
        ("Name", Left),
        ("Messages", Right),
        ("Pass", Right),
        ("None", Right),
        ("Fail", Right),
        ("Error", Right),
        ("Addresses", Right),
        ("Record", Left),
        ("Findings", Left),
    ])
    .yielding(&["Error", "Addresses", "Record"]);
    for line in &answer.names {
        table.line([
            line.name.clone().into(),
            line.messages.into(),
            line.pass.into(),
            line.none.into(),
            line.fail.into(),
            line.error.into(),
            (line.sources_total as u64).into(),
            line.record.clone().unwrap_or_default().into(),
            said(&line.findings),
        ]);
    }
    table
}

fn helo_text(answer: &HeloInventory, table: &Table, mut out: &mut dyn Write) -> std::io::Result<()> {
    let Some((first, last)) = answer.days else { return writeln!(out, "the ledger is empty") };
    writeln!(
        out,
        "{} names of ours, {first} to {last}; {} of {} bounces and greetings had no SPF\n",
        answer.names.len(),
        commas(answer.none),
        commas(answer.messages)
    )?;
    if answer.looked_at.is_none() {
        not_watched(out)?;
    }
    table.text(&mut out)?;
    writeln!(out)?;
    remedies(answer.names.iter().map(|line| (line.name.clone(), line.findings.as_slice())), out)?;
    if answer.foreign > 0 {
        let foreign = commas(answer.foreign);
        writeln!(out, "{foreign} more bounces were judged by somebody else's name: those cannot align.")?;
    }
    Ok(())
}

fn spf_table(answer: &SpfInventory) -> Table {
    let mut table = Table::new(&[
        ("Term", Left),
        ("Cost", Right),
        ("Spent", Right),
        ("Messages", Right),
        ("Aligned", Right),
        ("Addresses", Right),
        ("Findings", Left),
    ])
    .yielding(&["Addresses"]);
    for line in &answer.lines {
        let count = |n: u64| if line.counted { Cell::from(n) } else { "".into() };
        table.line([
            format!("{}{}", "  ".repeat(line.depth), line.term).into(),
            (line.cost as u64).into(),
            (line.spent as u64).into(),
            count(line.messages),
            count(line.aligned),
            count(line.sources),
            said(&line.findings),
        ]);
    }
    table
}

fn spf_text(answer: &SpfInventory, table: &Table, mut out: &mut dyn Write) -> std::io::Result<()> {
    let Some((first, last)) = answer.days else { return writeln!(out, "the ledger is empty") };
    let Some(record) = &answer.record else {
        return match answer.since {
            None => writeln!(
                out,
                "Nothing is known of the SPF record of {}: `lamppost watch` looks at it, `lamppost serve` does by itself.",
                whole(&answer.domain)
            ),
            Some(_) => writeln!(out, "{} has no SPF record.", whole(&answer.domain)),
        };
    };
    writeln!(
        out,
        "{}: {} of {} look-ups, {first} to {last}\n{}\n",
        answer.domain,
        answer.lookups,
        answer.lookups_max,
        whole(record)
    )?;
    if answer.assumed {
        writeln!(out, "For the days before the first look, the first record that is known was taken.\n")?;
    }
    table.text(&mut out)?;
    writeln!(out)?;
    remedies(std::iter::once((answer.domain.clone(), answer.findings.as_slice())), out)?;
    remedies(answer.lines.iter().map(|line| (line.term.clone(), line.findings.as_slice())), out)?;
    for term in &answer.uncounted {
        writeln!(
            out,
            "{} of {}: what mail it lets pass cannot be counted, {}.",
            whole(&term.term),
            whole(&term.domain),
            term.why
        )?;
    }
    for source in &answer.unexplained {
        let passed = commas(source.passed);
        writeln!(
            out,
            "{} passed {passed} times, says who received it; the record says {}.",
            source.address,
            whole(&source.record_says)
        )?;
    }
    if let Some(proposal) = &answer.proposal {
        writeln!(
            out,
            "\nWithout the terms that buy nothing ({} look-ups, {} bytes):\n{}\n{} messages of the period would lose an aligned pass, {} a pass that never counted.",
            proposal.lookups,
            proposal.bytes,
            whole(&proposal.record),
            commas(proposal.loses),
            commas(proposal.loses_unaligned)
        )?;
    }
    Ok(())
}
