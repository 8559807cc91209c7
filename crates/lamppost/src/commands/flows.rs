//! Flows, one flow, the trend by class, and decisions on them: as text, JSON or CSV.

use std::io::Write;

use anyhow::bail;
use insight::{FlowClass, FlowOrder, NewDecision, Target, commas};
use report::Day;
use store::Ledger;

use super::Done;
use super::answers::{print, scope_in};
use crate::cli::{DecideArgs, DecisionsArgs, FlowArgs, FlowSort, FlowsArgs, ScopedArgs};
use crate::config::Config;
use crate::organisation::Ground;
use crate::table::{Align::Drawn, Align::Fixed, Align::Left, Align::Right, Table};
use crate::term::{Cell, percent, shown, whole};

/// Brings the flows up to date. On a disk that cannot be written to, those that are there are shown.
pub(super) fn refresh(ledger: &Ledger, config: &Config) -> anyhow::Result<()> {
    if let Err(error) = Ground::new(config)?.refresh(ledger) {
        eprintln!("lamppost: the flows shown may be out of date, they cannot be judged anew: {error:#}");
    }
    Ok(())
}

fn today() -> Day {
    Day::of(super::now())
}

pub(super) fn flows(ledger: &Ledger, config: &Config, args: &FlowsArgs, out: &mut impl Write) -> anyhow::Result<Done> {
    refresh(ledger, config)?;
    let paged = &args.paged;
    let order = FlowOrder {
        classes: args.class.clone(),
        sort: match args.sort {
            FlowSort::Messages => insight::FlowSort::Messages,
            FlowSort::Failing => insight::FlowSort::Failing,
            FlowSort::Class => insight::FlowSort::Class,
            FlowSort::Confidence => insight::FlowSort::Confidence,
            FlowSort::FirstDay => insight::FlowSort::FirstDay,
            FlowSort::LastDay => insight::FlowSort::LastDay,
            FlowSort::Sources => insight::FlowSort::Sources,
            FlowSort::Name => insight::FlowSort::Name,
        },
        descending: !args.ascending,
        search: args.search.clone(),
        offset: paged.offset,
        limit: paged.limit,
    };
    let answer = insight::flows(ledger, &scope_in(ledger, &paged.scoped.scope)?, &order)?;
    print(&answer, paged.scoped.format, flows_table, flows_text, out)
}

fn flows_table(answer: &insight::Flows) -> Table {
    let mut table = Table::new(&[
        ("Flow", Fixed),
        ("Class", Fixed),
        ("Sure", Right),
        ("Who", Left),
        ("In the name of", Left),
        ("Messages", Right),
        ("Fail", Right),
        ("Addresses", Right),
        ("First day", Fixed),
        ("Last day", Fixed),
        ("Rule", Fixed),
        ("Problem", Left),
    ])
    .yielding(&["First day", "Addresses", "Problem", "Rule", "Last day", "In the name of", "Sure"]);
    for line in &answer.lines {
        table.line([
            line.id.clone().into(),
            line.class.label().into(),
            Cell::Share(u64::from(line.confidence), 100),
            line.name.clone().into(),
            line.organizational_domain.to_string().into(),
            line.messages.into(),
            line.failing.into(),
            line.sources.into(),
            line.first_day.to_string().into(),
            line.last_day.to_string().into(),
            line.rule.clone().into(),
            line.diagnosis.map_or("", insight::Diagnosis::label).into(),
        ]);
    }
    table
}

fn flows_text(answer: &insight::Flows, table: &Table, mut out: &mut dyn Write) -> std::io::Result<()> {
    match answer.days {
        Some((first, last)) => {
            writeln!(
                out,
                "{} of {} flows, {first} to {last}\n",
                answer.lines.len(),
                commas(answer.lines_total as u64)
            )?;
        }
        None => writeln!(out, "the ledger is empty\n")?,
    }
    table.text(&mut out)?;
    writeln!(out)?;
    classes(&answer.classes, &answer.failing, out)?;
    writeln!(out, "`lamppost flow ID` says why; `lamppost decide ID CLASS` says otherwise.")
}

/// Sums by class, a line each.
fn classes(all: &insight::ClassCounts, failing: &insight::ClassCounts, out: &mut dyn Write) -> std::io::Result<()> {
    for class in FlowClass::ALL.into_iter().filter(|class| all.get(*class) > 0) {
        let messages = all.get(class);
        writeln!(
            out,
            "{:<26} {:>13} messages ({}), {} fail",
            class.label(),
            commas(messages),
            percent(messages, all.messages()),
            commas(failing.get(class))
        )?;
    }
    Ok(())
}

pub(super) fn flow(ledger: &Ledger, config: &Config, args: &FlowArgs, out: &mut impl Write) -> anyhow::Result<Done> {
    refresh(ledger, config)?;
    let scope = scope_in(ledger, &args.scoped.scope)?;
    let Some(answer) = insight::flow(ledger, &args.flow, &scope, today())? else {
        bail!("no flow is called {}: `lamppost flows` lists them", shown(&args.flow));
    };
    print(&answer, args.scoped.format, flow_table, flow_text, out)
}

fn flow_table(answer: &insight::Flow) -> Table {
    let mut table = Table::new(&[("Address", Fixed), ("Messages", Right), ("Fail", Right)]);
    for line in &answer.addresses {
        table.line([line.address.to_string().into(), line.messages.into(), line.failing.into()]);
    }
    table
}

fn flow_text(answer: &insight::Flow, table: &Table, mut out: &mut dyn Write) -> std::io::Result<()> {
    let line = &answer.flow;
    writeln!(out, "{}  {}  in the name of {}", line.id, shown(&line.name), shown(&line.organizational_domain))?;
    writeln!(out, "{} ({} % sure, rule {}): {}.", line.class.label(), line.confidence, line.rule, line.why)?;
    if let (Some(problem), Some(remedy)) = (&answer.problem, &answer.remedy) {
        writeln!(out, "Problem: {problem}. {remedy}")?;
    }
    writeln!(out, "\nWhy")?;
    for evidence in &answer.evidence {
        writeln!(out, "  {}", whole(&evidence.text))?;
    }
    writeln!(out, "\nOver time")?;
    for phase in &line.phases {
        let (messages, failing) = (commas(phase.messages), commas(phase.failing));
        let label = phase.class.label();
        writeln!(out, "  {} to {}  {label}, {messages} messages, {failing} fail", phase.first_day, phase.last_day)?;
    }
    let days: Vec<u64> = answer.by_day.iter().map(|day| day.messages).collect();
    writeln!(
        out,
        "  {} to {}: {} messages, {} fail  {}",
        answer.days.0,
        answer.days.1,
        commas(line.messages),
        commas(line.failing),
        Cell::Days(days).text()
    )?;
    for decision in &answer.decisions {
        writeln!(out, "{}", decision_text(decision))?;
    }
    writeln!(out, "\n{} addresses in {} networks; those with most messages:", commas(line.sources), line.networks)?;
    table.text(&mut out)
}

pub(super) fn trend(ledger: &Ledger, config: &Config, args: &ScopedArgs, out: &mut impl Write) -> anyhow::Result<Done> {
    refresh(ledger, config)?;
    let answer = insight::class_trend(ledger, &scope_in(ledger, &args.scope)?)?;
    let text = |answer: &insight::ClassTrend, table: &Table, mut out: &mut dyn Write| {
        writeln!(out, "{}\n", answer.domain.as_deref().map_or_else(|| "All domains".to_owned(), shown))?;
        table.text(&mut out)?;
        writeln!(out)?;
        classes(&answer.totals, &answer.failing, out)
    };
    print(&answer, args.format, trend_table, text, out)
}

fn trend_table(answer: &insight::ClassTrend) -> Table {
    let mut table = Table::new(&[
        ("Day", Fixed),
        ("Messages", Right),
        ("Own", Right),
        ("Third party", Right),
        ("Forwarder", Right),
        ("Own misconfigured", Right),
        ("Third party unaligned", Right),
        ("Forwarder broken", Right),
        ("Unknown", Right),
        ("Spoofer", Right),
        ("Spoofed", Drawn),
    ])
    .yielding(&["Spoofed", "Forwarder", "Third party", "Own", "Forwarder broken"]);
    let max = answer.days.iter().map(|day| day.classes.spoofer).max().unwrap_or(0);
    for day in &answer.days {
        let counts = FlowClass::ALL.map(|class| Cell::from(day.classes.get(class)));
        let line = [Cell::from(day.day.to_string()), day.classes.messages().into()];
        table.line(line.into_iter().chain(counts).chain([Cell::Bar(day.classes.spoofer, max)]));
    }
    table
}

pub(super) fn decide(
    ledger: &Ledger,
    config: &Config,
    args: &DecideArgs,
    out: &mut impl Write,
) -> anyhow::Result<Done> {
    let target = if insight::parse_network(&args.target).is_some() {
        Target::Network(args.target.clone())
    } else {
        refresh(ledger, config)?;
        let whole = insight::Scope { period: insight::Period::All, ..insight::Scope::default() };
        let Some(flow) = insight::flow(ledger, &args.target, &whole, today())? else {
            bail!("no flow is called {}: `lamppost flows` lists them", shown(&args.target));
        };
        Target::Flow(flow.flow.id)
    };
    if args.class.is_none() != args.undo {
        bail!("say which class it is, one of {}, or --undo", words());
    }
    let who = args.who.clone().or_else(|| std::env::var("USER").ok()).filter(|who| !who.is_empty());
    let new = NewDecision { target, class: args.class, note: args.note.clone(), who, expires: args.expires };
    let insight::Decided { decision, before, after } = Ground::new(config)?.decide(ledger, &new)?;
    writeln!(out, "Decision {decision} is in force. What it changes:")?;
    let mut changed = false;
    for class in FlowClass::ALL {
        let (was, is) = (before.get(class), after.get(class));
        if was != is {
            changed = true;
            writeln!(out, "  {:<26} {:>13} → {} messages", class.label(), commas(was), commas(is))?;
        }
    }
    if !changed {
        writeln!(out, "  no message changes its class")?;
    }
    Ok(Done::Well)
}

/// The words of all classes.
pub(crate) fn words() -> String {
    FlowClass::ALL.map(FlowClass::word).join(", ")
}

pub(super) fn decisions(ledger: &Ledger, args: &DecisionsArgs, out: &mut impl Write) -> anyhow::Result<Done> {
    let answer = insight::decisions(ledger, today())?;
    let text = |answer: &Vec<insight::Decision>, table: &Table, mut out: &mut dyn Write| {
        table.text(&mut out)?;
        writeln!(out, "\n{} decisions, the newest first.", answer.len())
    };
    print(&answer, args.format, |answer| decisions_table(answer), text, out)
}

fn decisions_table(answer: &[insight::Decision]) -> Table {
    let mut table = Table::new(&[
        ("Decision", Right),
        ("When", Fixed),
        ("About", Fixed),
        ("Class", Fixed),
        ("In force", Fixed),
        ("Until", Fixed),
        ("Who", Left),
        ("Note", Left),
    ]);
    for decision in answer {
        let (Target::Flow(about) | Target::Network(about)) = &decision.target;
        table.line([
            Cell::Id(decision.id),
            Day::of(decision.at).to_string().into(),
            about.clone().into(),
            decision.class.map_or("(undone)", FlowClass::label).into(),
            if decision.in_force { "yes" } else { "no" }.into(),
            decision.expires.map(|day| day.to_string()).unwrap_or_default().into(),
            decision.who.clone().unwrap_or_default().into(),
            decision.note.clone().unwrap_or_default().into(),
        ]);
    }
    table
}

fn decision_text(decision: &insight::Decision) -> String {
    let what = decision.class.map_or("taken back", FlowClass::label);
    let state = if decision.in_force { "" } else { " (no longer in force)" };
    let who = decision.who.as_deref().map(|who| format!(" by {}", shown(who))).unwrap_or_default();
    let note = decision.note.as_deref().map(|note| format!(": {}", whole(note))).unwrap_or_default();
    format!("Decision {} of {}{who}, {what}{state}{note}", decision.id, Day::of(decision.at))
}
