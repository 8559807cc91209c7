//! What needs somebody, and the two lists: as text, JSON or CSV.

use std::io::Write;

use insight::{Diagnosis, ListSide, Today, TodayState, TwoLists, commas, rate};
use store::Ledger;

use super::Done;
use super::answers::{print, scope_in};
use super::flows::refresh;
use crate::cli::{ScopedArgs, TodayArgs};
use crate::config::Config;
use crate::table::{Align::Drawn, Align::Fixed, Align::Left, Align::Right, Table};
use crate::term::{Cell, percent, shown, whole};

pub(super) fn today(ledger: &Ledger, config: &Config, args: &TodayArgs, out: &mut impl Write) -> anyhow::Result<Done> {
    refresh(ledger, config)?;
    let answer = insight::today(ledger)?;
    print(&answer, args.format, domains, today_text, out)
}

fn state(state: TodayState) -> &'static str {
    match state {
        TodayState::Act => "Act",
        TodayState::Watch => "Watch",
        TodayState::NotEnoughData => "Not enough data",
        TodayState::Healthy => "Healthy",
    }
}

fn domains(answer: &Today) -> Table {
    let mut table = Table::new(&[
        ("State", Fixed),
        ("Domain", Left),
        ("Because", Left),
        ("Wanted", Right),
        ("Fail", Right),
        ("Pass", Right),
        ("Spoofed a day", Right),
        ("Delivered", Right),
        ("Weeks", Drawn),
    ])
    .yielding(&["Weeks", "Delivered", "Wanted", "Fail"]);
    for line in &answer.domains {
        table.line([
            state(line.state).into(),
            line.organizational_domain.to_string().into(),
            line.because.clone().into(),
            line.wanted.into(),
            line.wanted_failing.into(),
            percent(line.wanted.saturating_sub(line.wanted_failing), line.wanted).into(),
            rate(line.unauthorised_a_day).into(),
            rate(line.delivered_a_day).into(),
            Cell::Days(line.weeks.iter().map(|week| week.unauthorised).collect()),
        ]);
    }
    table
}

fn today_text(answer: &Today, table: &Table, mut out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{}", answer.sentence)?;
    let Some((first, last)) = answer.days else { return Ok(()) };
    writeln!(out, "{first} to {last}: {} wanted messages a day fail.\n", rate(answer.at_risk_a_day))?;
    table.text(&mut out)?;
    if answer.cards_total == 0 {
        writeln!(out, "\nNo action required.")?;
    } else {
        writeln!(out, "\nWorst first ({} of {})", answer.cards.len(), answer.cards_total)?;
    }
    for card in &answer.cards {
        let since = card.since.map(|day| format!(", since {day}")).unwrap_or_default();
        writeln!(out, "\n{:>8} a day  {}{since}", rate(card.a_day), whole(&card.title))?;
        writeln!(out, "                {}", whole(&card.text))?;
        writeln!(out, "                {}", whole(&card.remedy))?;
        for flow in &card.flows {
            writeln!(out, "                lamppost flow {}  {}", flow.flow, shown(&flow.name))?;
        }
    }
    if !answer.reporters.is_empty() {
        writeln!(out, "\nReports received of expected")?;
        for line in &answer.reporters {
            let name = line.reporter.as_deref().map_or_else(|| format!("{} others", line.reporters), shown);
            let silent = line.silent_since.map(|day| format!(", silent since {day}")).unwrap_or_default();
            writeln!(out, "  {name}: {} of {}{silent}", commas(line.received), commas(line.expected))?;
        }
    }
    if !answer.quiet.is_empty() {
        writeln!(out, "\nNo action required")?;
    }
    answer.quiet.iter().try_for_each(|line| writeln!(out, "  {}", whole(line)))
}

pub(super) fn lists(ledger: &Ledger, config: &Config, args: &ScopedArgs, out: &mut impl Write) -> anyhow::Result<Done> {
    refresh(ledger, config)?;
    let answer = insight::two_lists(ledger, &scope_in(ledger, &args.scope)?)?;
    print(&answer, args.format, lists_table, lists_text, out)
}

fn lists_table(answer: &TwoLists) -> Table {
    let mut table = Table::new(&[
        ("List", Fixed),
        ("Flow", Fixed),
        ("Class", Fixed),
        ("Who", Left),
        ("In the name of", Left),
        ("Grade", Right),
        ("Fail", Right),
        ("A day", Right),
        ("Days", Drawn),
        ("Problem", Left),
    ])
    .yielding(&["Days", "Problem", "Grade", "Fail", "In the name of"]);
    for (list, side) in [("good", &answer.good), ("bad", &answer.bad), ("neither", &answer.neither)] {
        for line in &side.lines {
            table.line([
                list.into(),
                line.flow.clone().into(),
                line.class.label().into(),
                line.name.clone().into(),
                line.organizational_domain.to_string().into(),
                line.grade.map_or_else(|| "–".to_owned(), |grade| format!("{grade:+.1}")).into(),
                line.failing.into(),
                rate(line.a_day).into(),
                Cell::Days(line.by_day.clone()),
                line.diagnosis.map_or("", Diagnosis::label).into(),
            ]);
        }
    }
    table
}

fn lists_text(answer: &TwoLists, table: &Table, mut out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{}\n", if answer.days.is_none() { "the ledger is empty" } else { &answer.sentence })?;
    table.text(&mut out)?;
    writeln!(out)?;
    let side = |out: &mut dyn Write, name: &str, side: &ListSide| {
        writeln!(
            out,
            "{name}: {} failing messages of {} flows, {} a day; {} were held back by nobody",
            commas(side.failing),
            commas(side.flows),
            rate(side.a_day),
            commas(side.delivered)
        )
    };
    side(out, "Good", &answer.good)?;
    side(out, "Bad", &answer.bad)?;
    side(out, "Neither", &answer.neither)?;
    answer.obstacles.iter().skip(1).try_for_each(|obstacle| writeln!(out, "{}", whole(obstacle)))
}
