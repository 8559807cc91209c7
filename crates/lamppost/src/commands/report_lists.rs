//! The reports in the ledger, and what could not be taken in.

use std::io::Write;

use insight::{Punctuality, ReportFilter, commas};
use store::Ledger;

use super::Done;
use super::answers::{print, scope_in};
use crate::cli::{ReportsArgs, ReportsView};
use crate::table::{Align::Drawn, Align::Fixed, Align::Left, Align::Right, Table};
use crate::term::Cell;

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
        ReportsView::Expected => {
            let answer = insight::expected(ledger)?;
            print(&answer, format, expected, due, out)
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

pub(super) fn ended(table: &Table, all: usize, what: &str, mut out: &mut dyn Write) -> std::io::Result<()> {
    table.text(&mut out)?;
    writeln!(out, "\n{} {what} in all.", commas(all as u64))
}

pub(super) fn time(seconds: i64) -> String {
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

fn expected(answer: &insight::Expected) -> Table {
    let mut table = Table::new(&[
        ("Reporter", Left),
        ("State", Fixed),
        ("Silent since", Fixed),
        ("Expected", Right),
        ("Received", Right),
        ("First missing", Fixed),
        ("Missing days", Right),
        ("Usually, of 28 days", Right),
        ("Last day", Fixed),
    ])
    .yielding(&["Usually, of 28 days", "Last day", "Missing days", "First missing"]);
    let day = |day: Option<report::Day>| day.map(|day| day.to_string()).unwrap_or_default();
    for line in &answer.reporters {
        let state = match line.state {
            Punctuality::Silent => "silent",
            Punctuality::Gaps => "gaps",
            Punctuality::OnTime => "on time",
            Punctuality::Irregular => "irregular",
            Punctuality::New => "new",
        };
        table.line([
            line.reporter.clone().into(),
            state.to_owned().into(),
            day(line.silent_since).into(),
            line.expected_reports.into(),
            // Silence is not nought.
            if line.silent_since.is_some() && line.received_reports == 0 {
                String::new().into()
            } else {
                line.received_reports.into()
            },
            day(line.first_missing).into(),
            line.missing_days.into(),
            line.usual_days.into(),
            line.last_day.to_string().into(),
        ]);
    }
    table
}

fn due(answer: &insight::Expected, table: &Table, mut out: &mut dyn Write) -> std::io::Result<()> {
    table.text(&mut out)?;
    let silent = answer.reporters.iter().filter(|line| line.state == Punctuality::Silent).count();
    match answer.until {
        Some(until) => writeln!(
            out,
            "\n{} of {} reporters are silent; reports about days up to {until} should be in.",
            commas(silent as u64),
            commas(answer.reporters.len() as u64)
        ),
        None => writeln!(out, "\nThe ledger is empty."),
    }
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
