//! The reports in the ledger, and what could not be taken in.

use std::io::Write;

use insight::ReportFilter;
use store::Ledger;

use super::Done;
use super::answers::{print, scope_in};
use crate::cli::{ReportsArgs, ReportsView};
use crate::table::{Align::Drawn, Align::Fixed, Align::Left, Align::Right, Table};
use crate::term::{Cell, commas};

pub(super) fn reports(ledger: &Ledger, args: &ReportsArgs, out: &mut impl Write) -> anyhow::Result<Done> {
    let (format, offset, limit) = (args.paged.scoped.format, args.paged.offset, args.paged.limit);
    let scope = scope_in(ledger, &args.paged.scoped.scope)?;
    match args.view {
        ReportsView::List => {
            let days = scope.period.days(ledger)?;
            let filter = ReportFilter { days, reporter: scope.reporter, policy_domain: scope.domain, flaw: None };
            let answer = insight::reports(ledger, &filter, offset, limit)?;
            print(&answer, format, list, |a, table, out| ended(table, a.lines_total, "reports", out), out)
        }
        ReportsView::Arrivals => {
            let answer = insight::arrivals(ledger, scope.period)?;
            print(&answer, format, arrivals, |a, table, out| ended(table, a.reporters.len(), "reporters", out), out)
        }
        ReportsView::Rejected => {
            let answer = insight::rejections(ledger, offset, limit)?;
            print(&answer, format, rejected, |a, table, out| ended(table, a.lines_total, "rejections", out), out)
        }
        ReportsView::Conflicts => {
            let answer = insight::conflicts(ledger, offset, limit)?;
            print(&answer, format, conflicts, |a, table, out| ended(table, a.lines_total, "conflicts", out), out)
        }
        ReportsView::Flaws => {
            let answer = insight::flaws(ledger, scope.period)?;
            print(&answer, format, flaws, |a, table, out| ended(table, a.lines.len(), "flaws by reporter", out), out)
        }
    }
}

fn ended(table: &Table, all: usize, what: &str, mut out: &mut dyn Write) -> std::io::Result<()> {
    table.text(&mut out)?;
    writeln!(out, "\n{} {what} in all.", commas(all as u64))
}

fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

fn list(answer: &insight::Reports) -> Table {
    let mut table = Table::new(&[
        ("Report", Right),
        ("Reporter", Left),
        ("Policy domain", Left),
        ("Begin", Fixed),
        ("End", Fixed),
        ("Rows", Right),
        ("Messages", Right),
        ("Flaws", Right),
        ("Received", Fixed),
        ("Report ID", Left),
    ])
    .yielding(&["Received", "Report ID", "End", "Flaws", "Rows"]);
    for line in &answer.lines {
        table.line([
            Cell::Id(line.id),
            line.reporter.clone().into(),
            line.policy_domain.clone().into(),
            time(line.begin).into(),
            time(line.end).into(),
            line.rows.into(),
            line.messages.into(),
            line.flaws.into(),
            time(line.received).into(),
            line.report_id.clone().into(),
        ]);
    }
    table
}

fn arrivals(answer: &insight::Arrivals) -> Table {
    let mut table = Table::new(&[
        ("Reporter", Left),
        ("Reports", Right),
        ("Messages", Right),
        ("Days", Right),
        ("With flaws", Right),
        ("Dialect", Fixed),
        ("Last day", Fixed),
        ("Reports, by day", Drawn),
    ])
    .yielding(&["Reports, by day", "Dialect"]);
    for line in &answer.reporters {
        let days = line.by_day.iter().filter(|n| **n > 0).count();
        table.line([
            line.reporter.clone().into(),
            line.reports.into(),
            line.messages.into(),
            format!("{days}/{}", line.by_day.len()).into(),
            line.flawed.into(),
            line.dialect.to_string().into(),
            line.last_day.to_string().into(),
            Cell::Days(line.by_day.clone()),
        ]);
    }
    table
}

fn rejected(answer: &insight::Rejections) -> Table {
    let mut table = Table::new(&[
        ("Received", Fixed),
        ("Origin", Left),
        ("Member", Left),
        ("Kind", Fixed),
        ("Why", Left),
        ("Item", Left),
    ])
    .yielding(&["Item", "Received", "Member", "Kind"]);
    for line in &answer.lines {
        table.line([
            time(line.received).into(),
            line.origin.clone().into(),
            line.member.clone().unwrap_or_default().into(),
            line.kind.clone().into(),
            line.message.clone().into(),
            line.item.clone().into(),
        ]);
    }
    table
}

fn conflicts(answer: &insight::Conflicts) -> Table {
    let mut table = Table::new(&[
        ("Counts", Right),
        ("Superseded", Right),
        ("Reporter", Left),
        ("Policy domain", Left),
        ("Messages", Right),
        ("Before", Right),
        ("Report ID", Left),
    ])
    .yielding(&["Report ID"]);
    for line in &answer.lines {
        table.line([
            Cell::Id(line.counts.id),
            Cell::Id(line.superseded.id),
            line.counts.reporter.clone().into(),
            line.counts.policy_domain.clone().into(),
            line.counts.messages.into(),
            line.superseded.messages.into(),
            line.counts.report_id.clone().into(),
        ]);
    }
    table
}

fn flaws(answer: &insight::Flaws) -> Table {
    let mut table =
        Table::new(&[("Flaw", Fixed), ("Reporter", Left), ("Reports", Right), ("Example", Left), ("In report", Right)]);
    for line in &answer.lines {
        table.line([
            line.kind.clone().into(),
            line.reporter.clone().into(),
            line.reports.into(),
            line.example.clone().unwrap_or_default().into(),
            Cell::Id(line.report),
        ]);
    }
    table
}
