//! Failing sources by what is known of them: good beside bad.

use std::io::Write;

use insight::{GradedSource, Reputation, commas};
use store::Ledger;

use super::Done;
use super::answers::{print, scope_in};
use crate::cli::ScopedArgs;
use crate::table::{Align::Fixed, Align::Left, Align::Right, Table};

pub(super) fn reputation(ledger: &Ledger, args: &ScopedArgs, out: &mut impl Write) -> anyhow::Result<Done> {
    let answer = insight::reputation(ledger, &scope_in(ledger, &args.scope)?)?;
    print(&answer, args.format, table, text, out)
}

fn table(answer: &Reputation) -> Table {
    let mut table = Table::new(&[
        ("Side", Fixed),
        ("Source", Fixed),
        ("Grade", Right),
        ("Name", Left),
        ("Fail", Right),
        ("Last day", Fixed),
        ("Evidence", Left),
    ])
    .yielding(&["Last day", "Evidence"]);
    let lines = answer.good.iter().map(|line| ("good", line)).chain(answer.bad.iter().map(|line| ("bad", line)));
    for (side, line) in lines {
        table.line([
            side.to_owned().into(),
            line.address.to_string().into(),
            line.profile.grade.map_or_else(|| "–".to_owned(), |grade| format!("{grade:+.1}")).into(),
            name(line).into(),
            line.failing.into(),
            line.last_day.to_string().into(),
            evidence(line).into(),
        ]);
    }
    table
}

fn name(line: &GradedSource) -> String {
    let profile = &line.profile;
    let claimed = || profile.claimed.first().map(|name| format!("claims {name}"));
    profile.name.clone().or_else(|| profile.organisation.clone()).or_else(claimed).unwrap_or_default()
}

/// Each piece with its value; where there is none, what the name says.
fn evidence(line: &GradedSource) -> String {
    let profile = &line.profile;
    let pieces: Vec<_> =
        profile.evidence.iter().map(|one| format!("{} {:+}: {}", one.source, one.value, one.detail)).collect();
    if pieces.is_empty() { profile.name_reason.clone().unwrap_or_default() } else { pieces.join("; ") }
}

fn text(answer: &Reputation, table: &Table, mut out: &mut dyn Write) -> std::io::Result<()> {
    table.text(&mut out)?;
    writeln!(out)?;
    for line in &answer.bands {
        writeln!(
            out,
            "{}: {} failing messages of {} sources",
            line.band,
            commas(line.failing),
            commas(line.sources as u64)
        )?;
    }
    if answer.looked_at < answer.sources {
        writeln!(
            out,
            "The {} of {} sources that fail most were looked at.",
            commas(answer.looked_at as u64),
            commas(answer.sources as u64)
        )?;
    }
    Ok(())
}
