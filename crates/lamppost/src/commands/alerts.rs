//! Alerts: listed, acknowledged, silenced; channels tried; the digest of the week.

use std::io::Write;

use anyhow::{Context, bail};
use insight::{AlertLine, AlertState, Alerts, NewWord, Word};
use store::Ledger;
use watch::channel::{Channel, test_notice};

use super::Done;
use super::answers::print;
use super::report_lists::time;
use crate::alerting;
use crate::cli::{AlertsArgs, AlertsCommand, DigestArgs, TextOrJson, WordArgs};
use crate::config::Config;
use crate::organisation::Ground;
use crate::table::{Align::Fixed, Align::Left, Align::Right, Table};
use crate::term::{Cell, whole};

pub(super) fn alerts(
    ledger: &Ledger,
    config: &Config,
    args: &AlertsArgs,
    out: &mut impl Write,
) -> anyhow::Result<Done> {
    match &args.command {
        None => list(ledger, config, args, out),
        Some(AlertsCommand::Acknowledge(word)) => say(ledger, word, Word::Acknowledge, None, out),
        Some(AlertsCommand::Silence { word, days }) => {
            let until = super::now() + i64::from(*days) * 86_400;
            say(ledger, word, Word::Silence, Some(until), out)
        }
        Some(AlertsCommand::Undo(word)) => say(ledger, word, Word::Undo, None, out),
        Some(AlertsCommand::Test { channel }) => test(config, channel, out),
    }
}

/// Brings alerts up to date. On a disk that cannot be written to, those that are there are shown.
fn refresh(ledger: &Ledger, config: &Config, send: bool) -> anyhow::Result<()> {
    let looked = || {
        Ground::new(config)?.refresh(ledger)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(alerting::look(ledger, &config.alerts, &[], send))
    };
    match looked() {
        Ok(done) if send && (done.failed > 0 || done.given_up > 0) => {
            bail!(
                "{} notices could not be sent; they are tried again: `lamppost alerts --format json` says why",
                done.failed
            )
        }
        Ok(_) => Ok(()),
        Err(error) if send => Err(error),
        Err(error) => {
            eprintln!("lamppost: the alerts shown may be out of date, the rules cannot be asked: {error:#}");
            Ok(())
        }
    }
}

fn list(ledger: &Ledger, config: &Config, args: &AlertsArgs, out: &mut impl Write) -> anyhow::Result<Done> {
    refresh(ledger, config, args.send)?;
    let answer = insight::alerts(ledger, super::now(), args.all)?;
    print(&answer, args.format, table, text, out)
}

fn word(state: AlertState) -> &'static str {
    match state {
        AlertState::Open => "open",
        AlertState::Acknowledged => "acknowledged",
        AlertState::Silenced => "silenced",
        AlertState::Resolved => "resolved",
    }
}

fn table(answer: &Alerts) -> Table {
    let mut table = Table::new(&[
        ("Alert", Right),
        ("Severity", Fixed),
        ("State", Fixed),
        ("Rule", Fixed),
        ("Domain", Left),
        ("What", Left),
        ("Opened", Fixed),
        ("Last day", Fixed),
        ("Resolved", Fixed),
    ])
    .yielding(&["Resolved", "Last day", "Domain", "Opened", "Rule"]);
    for line in &answer.lines {
        table.line([
            Cell::Id(line.id),
            line.severity.word().into(),
            word(line.state).into(),
            line.rule.word().into(),
            line.domain.clone().into(),
            line.sentence.clone().into(),
            time(line.opened).into(),
            line.last_day.map(|day| day.to_string()).unwrap_or_default().into(),
            line.resolved.map(time).unwrap_or_default().into(),
        ]);
    }
    table
}

fn text(answer: &Alerts, _: &Table, out: &mut dyn Write) -> std::io::Result<()> {
    let open: Vec<&AlertLine> = answer.lines.iter().filter(|line| line.state != AlertState::Resolved).collect();
    for line in &open {
        writeln!(out, "{}  {} {}: {}", line.id, line.severity.word(), word(line.state), whole(&line.sentence))?;
        for evidence in &line.evidence {
            writeln!(out, "     {}", whole(evidence))?;
        }
        writeln!(out, "     What to do: {}", whole(&line.remedy))?;
        for said in &line.words {
            let who = said.who.as_deref().unwrap_or("somebody");
            let note = said.note.as_deref().map(|note| format!(": {}", whole(note))).unwrap_or_default();
            writeln!(out, "     {:?} by {}, {}{note}", said.word, whole(who), time(said.at))?;
        }
        writeln!(out)?;
    }
    let over: Vec<&AlertLine> = answer.lines.iter().filter(|line| line.state == AlertState::Resolved).collect();
    if !over.is_empty() {
        writeln!(out, "Over:")?;
        for line in &over {
            let resolved = line.resolved.map(time).unwrap_or_default();
            writeln!(out, "{}  {}, resolved {resolved}: {}", line.id, line.severity.word(), whole(&line.sentence))?;
        }
        writeln!(out)?;
    }
    match answer.judged {
        Some(day) => writeln!(out, "{} open, {} over. Days up to {day} are judged.", open.len(), over.len())?,
        None => writeln!(out, "Nothing has been judged yet.")?,
    }
    if !answer.unsent.is_empty() {
        writeln!(out, "{} notices are not sent yet.", answer.unsent.len())?;
    }
    Ok(())
}

fn say(ledger: &Ledger, args: &WordArgs, word: Word, until: Option<i64>, out: &mut impl Write) -> anyhow::Result<Done> {
    let who = args.who.clone().or_else(|| std::env::var("USER").ok()).filter(|who| !who.is_empty());
    let new = NewWord { alert: args.alert, word, until, note: args.note.clone(), who };
    insight::say(ledger, &new, super::now())?;
    match (word, until) {
        (Word::Acknowledge, _) => {
            writeln!(out, "Alert {} is acknowledged: no more notices until it is over.", args.alert)?;
        }
        (Word::Silence, Some(until)) => {
            writeln!(out, "Nobody is told of what alert {} is about until {}.", args.alert, time(until))?;
        }
        _ => writeln!(out, "What was said to alert {} is taken back.", args.alert)?,
    }
    Ok(Done::Well)
}

fn test(config: &Config, name: &str, out: &mut impl Write) -> anyhow::Result<Done> {
    let channels = config.alerts.channel.channels();
    let Some(channel) = channels.iter().find(|channel| channel.name() == name) else {
        let known: Vec<&str> = channels.iter().map(Channel::name).collect();
        if known.is_empty() {
            bail!("no channel is configured: add one under [alerts.channel], `lamppost config reference` shows how");
        }
        bail!("no channel is called {name}: there are {}", known.join(", "));
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let sent = runtime.block_on(channel.send(&test_notice(super::now()), &config.alerts.url));
    sent.map_err(anyhow::Error::msg).with_context(|| format!("the channel {name} did not take a test"))?;
    writeln!(out, "The channel {name} took a test: see whether it arrived.")?;
    Ok(Done::Well)
}

pub(super) fn digest(
    ledger: &Ledger,
    config: &Config,
    args: &DigestArgs,
    out: &mut impl Write,
) -> anyhow::Result<Done> {
    refresh(ledger, config, false)?;
    let week = insight::digest(ledger, super::now())?;
    match args.format {
        TextOrJson::Json => {
            serde_json::to_writer_pretty(&mut *out, &week)?;
            writeln!(out)?;
        }
        TextOrJson::Text => {
            for line in watch::channel::digest_lines(&week) {
                writeln!(out, "{}", whole(&line))?;
            }
        }
    }
    Ok(Done::Well)
}
