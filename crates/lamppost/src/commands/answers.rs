//! The ledger's answers, as text, JSON or CSV: the same that the portal draws.

use std::io::Write;

use insight::{DomainOrder, GroupBy, Outcomes, Period, Scope, SortBy, SourceOrder, commas};
use report::{Day, Text};
use serde::Serialize;
use store::Ledger;

use super::Done;
use crate::cli::{
    self, Applies, DomainSort, DomainsArgs, Format, Group, PagedArgs, PeriodArgs, ScopeArgs, ScopedArgs, Sort,
    SourceArgs, SourcesArgs,
};
use crate::table::{Align::Drawn, Align::Fixed, Align::Left, Align::Right, Table};
use crate::term::{Cell, percent, shown, whole};

/// A domain as people write it.
pub(super) fn lower(text: &str) -> Text {
    Text::new(text.trim_end_matches('.').to_lowercase())
}

/// The period that the options name.
pub(super) fn period_of(args: &PeriodArgs) -> Period {
    match (args.since, args.until, args.days) {
        (None, None, None) => Period::default(),
        (None, None, Some(0)) => Period::All,
        (None, None, Some(days)) => Period::Last(days),
        (since, until, _) => Period::Days(since.unwrap_or(Day(0)), until.unwrap_or_else(|| Day::of(super::now()))),
    }
}

/// The part of the ledger that the options name.
fn scope(args: &ScopeArgs) -> Scope {
    let mut outcomes: Vec<_> = args.outcome.iter().flat_map(|cli::Outcomes(outcomes)| outcomes.clone()).collect();
    outcomes.sort_unstable();
    outcomes.dedup();
    Scope {
        period: period_of(&args.period),
        domain: args.domain.as_deref().map(lower),
        subdomains: args.subdomains,
        reporter: args.reporter.as_ref().map(Text::from),
        network: args.network,
        outcomes,
        disposition: args.disposition,
        spf_domain: args.spf_domain.as_deref().map(lower),
        dkim_domain: args.dkim_domain.as_deref().map(lower),
    }
}

/// The same, having said so where the period is longer than what one answer holds.
pub(super) fn scope_in(ledger: &Ledger, args: &ScopeArgs) -> anyhow::Result<Scope> {
    let scope = scope(args);
    if let Some((first, last)) = scope.period.cut(ledger)? {
        eprintln!(
            "lamppost: only the newest {} days of {first} to {last} are counted; name an earlier --until to see what lies before.",
            commas(u64::from(insight::DAYS_MAX.unsigned_abs()))
        );
    }
    Ok(scope)
}

/// Prints an answer in the format asked for.
pub(super) fn print<T: Serialize>(
    answer: &T,
    format: Format,
    table: impl FnOnce(&T) -> Table,
    text: impl FnOnce(&T, &Table, &mut dyn Write) -> std::io::Result<()>,
    out: &mut impl Write,
) -> anyhow::Result<Done> {
    match format {
        Format::Json => {
            serde_json::to_writer(&mut *out, answer)?;
            writeln!(out)?;
        }
        Format::Csv => table(answer).csv(out)?,
        Format::Text => text(answer, &table(answer), out)?,
    }
    Ok(Done::Well)
}

fn period(days: Option<(Day, Day)>) -> String {
    days.map_or_else(|| "the ledger is empty".to_owned(), |(from, to)| format!("{from} to {to}"))
}

pub(super) fn domains(ledger: &Ledger, args: &DomainsArgs, out: &mut impl Write) -> anyhow::Result<Done> {
    let paged = &args.paged;
    let order = DomainOrder {
        sort: match args.sort {
            DomainSort::Messages => insight::DomainSort::Messages,
            DomainSort::Failing => insight::DomainSort::Failing,
            DomainSort::PassShare => insight::DomainSort::PassShare,
            DomainSort::LastDay => insight::DomainSort::LastDay,
            DomainSort::Domain => insight::DomainSort::Domain,
        },
        descending: !args.ascending,
        search: args.search.clone(),
        policy: args.policy.map(|applies| match applies {
            Applies::None => insight::Applies::Seen(report::Policy::None),
            Applies::Quarantine => insight::Applies::Seen(report::Policy::Quarantine),
            Applies::Reject => insight::Applies::Seen(report::Policy::Reject),
            Applies::Unseen => insight::Applies::Unseen,
        }),
        offset: paged.offset,
        limit: paged.limit,
    };
    let answer = insight::portfolio(ledger, &scope_in(ledger, &paged.scoped.scope)?, &order)?;
    let text = |answer: &insight::Portfolio, table: &Table, mut out: &mut dyn Write| {
        writeln!(out, "{} of {} domains, {}\n", answer.domains.len(), answer.domains_total, period(answer.days))?;
        table.text(&mut out)?;
        totals(&answer.totals, out)
    };
    print(&answer, paged.scoped.format, domains_table, text, out)
}

fn domains_table(answer: &insight::Portfolio) -> Table {
    let mut table = Table::new(&[
        ("Domain", Left),
        ("Policy", Left),
        ("Messages", Right),
        ("Fail", Right),
        ("Pass", Right),
        ("Last day", Fixed),
        ("Failing, by day", Drawn),
    ])
    .yielding(&["Failing, by day", "Policy"]);
    for line in &answer.domains {
        let policy = line.policy.as_ref().map_or_else(|| "–".to_owned(), |seen| seen.record.clone());
        let outcomes = &line.outcomes;
        table.line([
            line.domain.to_string().into(),
            policy.into(),
            outcomes.messages().into(),
            outcomes.failing().into(),
            Cell::Share(outcomes.passing(), outcomes.messages()),
            line.last_day.to_string().into(),
            Cell::Days(line.failing_by_day.clone()),
        ]);
    }
    table
}

fn totals(outcomes: &Outcomes, out: &mut dyn Write) -> std::io::Result<()> {
    let messages = outcomes.messages();
    writeln!(
        out,
        "\n{} messages: {} pass ({}), {} fail.",
        commas(messages),
        commas(outcomes.passing()),
        percent(outcomes.passing(), messages),
        commas(outcomes.failing()),
    )
}

pub(super) fn trend(ledger: &Ledger, args: &ScopedArgs, out: &mut impl Write) -> anyhow::Result<Done> {
    let answer = insight::trend(ledger, &scope_in(ledger, &args.scope)?)?;
    print(&answer, args.format, trend_table, trend_text, out)
}

fn trend_table(answer: &insight::Trend) -> Table {
    let mut table = Table::new(&[
        ("Day", Fixed),
        ("Messages", Right),
        ("Pass", Right),
        ("Both", Right),
        ("DKIM only", Right),
        ("SPF only", Right),
        ("Fail", Right),
        ("Forwarded", Right),
        ("Unaligned", Right),
        ("Unauthenticated", Right),
        ("Failing", Drawn),
    ])
    .yielding(&["SPF only", "DKIM only", "Both", "Failing", "Forwarded", "Unaligned", "Unauthenticated"]);
    let max = answer.days.iter().map(|day| day.counts.outcome.neither).max().unwrap_or(0);
    for day in &answer.days {
        let outcomes = day.counts.outcomes();
        table.line([
            day.day.to_string().into(),
            outcomes.messages().into(),
            Cell::Share(outcomes.passing(), outcomes.messages()),
            outcomes.both.into(),
            outcomes.dkim_only.into(),
            outcomes.spf_only.into(),
            outcomes.failing().into(),
            outcomes.forwarded.into(),
            outcomes.unaligned.into(),
            outcomes.unauthenticated.into(),
            Cell::Bar(outcomes.failing(), max),
        ]);
    }
    table
}

fn trend_text(answer: &insight::Trend, table: &Table, mut out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{}", answer.domain.as_deref().map_or_else(|| "All domains".to_owned(), shown))?;
    for policy in &answer.policies {
        writeln!(
            out,
            "{} to {}  {}  ({})",
            policy.from,
            policy.to,
            whole(&policy.record),
            shown(&policy.policy_domain)
        )?;
    }
    writeln!(out)?;
    table.text(&mut out)?;
    totals(&answer.totals.outcomes(), out)?;
    for late in &answer.incomplete {
        let (reporters, usual) = (commas(late.reporters), commas(late.usual));
        writeln!(
            out,
            "{} is still coming in: {reporters} of usually {usual} reporters have reported on it.",
            late.day
        )?;
    }
    for spike in &answer.spikes {
        writeln!(out, "{} stands out. {}", spike.day, whole(&spike.sentence))?;
    }
    Ok(())
}

pub(super) fn sources(ledger: &Ledger, args: &SourcesArgs, out: &mut impl Write) -> anyhow::Result<Done> {
    let paged = &args.paged;
    let order = SourceOrder {
        group: match args.group {
            Group::Address => GroupBy::Address,
            Group::Network => GroupBy::Network,
            Group::SpfDomain => GroupBy::SpfDomain,
            Group::DkimDomain => GroupBy::DkimDomain,
            Group::Reporter => GroupBy::Reporter,
            Group::Domain => GroupBy::Domain,
        },
        sort: match args.sort {
            Sort::Failing => SortBy::Failing,
            Sort::Messages => SortBy::Messages,
            Sort::Passing => SortBy::Passing,
            Sort::FirstDay => SortBy::FirstDay,
            Sort::LastDay => SortBy::LastDay,
            Sort::ActiveDays => SortBy::ActiveDays,
            Sort::Reporters => SortBy::Reporters,
            Sort::Key => SortBy::Key,
        },
        descending: !args.ascending,
        offset: paged.offset,
        limit: paged.limit,
    };
    let answer = insight::sources(ledger, &scope_in(ledger, &paged.scoped.scope)?, order)?;
    print(&answer, paged.scoped.format, sources_table, sources_text, out)
}

fn sources_table(answer: &insight::Sources) -> Table {
    // Addresses and networks are never cut, names may be.
    let key = if matches!(answer.order.group, GroupBy::Address | GroupBy::Network) { Fixed } else { Left };
    let mut table = Table::new(&[
        ("Source", key),
        ("Messages", Right),
        ("Fail", Right),
        ("Pass", Right),
        ("SPF", Left),
        ("DKIM", Left),
        ("Reporters", Right),
        ("Days", Right),
        ("First day", Fixed),
        ("Last day", Fixed),
        ("Class", Fixed),
        ("Messages, by day", Drawn),
    ])
    .yielding(&["Messages, by day", "First day", "Reporters", "Last day", "DKIM", "Days", "SPF", "Class"]);
    for line in &answer.lines {
        table.line([
            line.key.clone().into(),
            line.outcomes.messages().into(),
            line.outcomes.failing().into(),
            Cell::Share(line.outcomes.passing(), line.outcomes.messages()),
            line.spf.clone().into(),
            line.dkim.clone().into(),
            line.reporters.into(),
            line.active_days.into(),
            line.first_day.to_string().into(),
            line.last_day.to_string().into(),
            line.flow.as_ref().map_or("", |flow| flow.class.label()).into(),
            Cell::Days(line.by_day.clone()),
        ]);
    }
    table
}

fn sources_text(answer: &insight::Sources, table: &Table, mut out: &mut dyn Write) -> std::io::Result<()> {
    let (shown, all) = (answer.lines.len(), commas(answer.lines_total as u64));
    writeln!(out, "{shown} of {all} sources, {}\n", period(answer.days))?;
    table.text(&mut out)?;
    totals(&answer.totals, out)
}

pub(super) fn source(ledger: &Ledger, args: &SourceArgs, out: &mut impl Write) -> anyhow::Result<Done> {
    let answer = insight::source(ledger, args.address.to_canonical(), &scope_in(ledger, &args.scoped.scope)?)?;
    print(&answer, args.scoped.format, source_table, source_text, out)
}

fn source_table(answer: &insight::Source) -> Table {
    let mut table = Table::new(&[
        ("Author domain", Left),
        ("SPF", Left),
        ("DKIM", Left),
        ("Outcome", Fixed),
        ("Messages", Right),
        ("First day", Fixed),
        ("Last day", Fixed),
    ])
    .yielding(&["First day", "Last day"]);
    for line in &answer.authentications {
        table.line([
            line.domain.clone().into(),
            line.spf.clone().into(),
            line.dkim.clone().into(),
            Cell::Outcome(line.outcome),
            line.messages.into(),
            line.first_day.to_string().into(),
            line.last_day.to_string().into(),
        ]);
    }
    table
}

fn source_text(answer: &insight::Source, table: &Table, mut out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{}  in {}, with {} other addresses seen there", answer.address, answer.network, answer.neighbours)?;
    match (answer.first_day, answer.last_day) {
        (Some(first), Some(last)) => writeln!(out, "first seen {first}, last seen {last}\n")?,
        _ => return writeln!(out, "never seen: no report names it"),
    }
    table.text(&mut out)?;
    writeln!(out)?;
    for (what, lines) in [("Reporters", &answer.reporters), ("Overrides", &answer.overrides)] {
        if !lines.is_empty() {
            let list: Vec<String> =
                lines.iter().map(|l| format!("{} {}", shown(&l.name), commas(l.messages))).collect();
            writeln!(out, "{what}: {}", list.join(", "))?;
        }
    }
    totals(&answer.outcomes, out)
}

pub(super) fn rows(ledger: &Ledger, args: &PagedArgs, out: &mut impl Write) -> anyhow::Result<Done> {
    let answer = insight::rows(ledger, &scope_in(ledger, &args.scoped.scope)?, args.offset, args.limit)?;
    let text = |answer: &insight::Rows, table: &Table, mut out: &mut dyn Write| {
        table.text(&mut out)?;
        let (shown, all) = (answer.lines.len(), commas(answer.lines_total as u64));
        writeln!(out, "\n{shown} of {all} rows, {} messages in all.", commas(answer.messages_total))
    };
    print(&answer, args.scoped.format, rows_table, text, out)
}

fn rows_table(answer: &insight::Rows) -> Table {
    let mut table = Table::new(&[
        ("Day", Fixed),
        ("Report", Right),
        ("Reporter", Left),
        ("Source", Fixed),
        ("Author domain", Left),
        ("Messages", Right),
        ("Outcome", Fixed),
        ("Disposition", Fixed),
        ("SPF", Left),
        ("DKIM", Left),
        ("Overrides", Left),
    ])
    .yielding(&["Overrides", "Disposition", "Reporter", "DKIM", "SPF", "Report", "Author domain"]);
    for line in &answer.lines {
        table.line([
            line.day.to_string().into(),
            Cell::Id(line.report),
            line.reporter.clone().into(),
            line.source.to_string().into(),
            line.domain.clone().into(),
            line.messages.into(),
            Cell::Outcome(line.outcome),
            line.disposition.word().into(),
            line.spf.clone().into(),
            line.dkim.clone().into(),
            line.overrides.clone().into(),
        ]);
    }
    table
}
