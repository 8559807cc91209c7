//! What each command does: one module a group of commands, each a few calls into the rooms.

mod accept;
mod alerts;
mod answers;
mod check;
mod demo;
mod dns;
mod enrich;
mod flows;
mod forecast;
mod foresight;
mod import;
mod inventory;
mod keep;
mod lint;
mod lookalikes;
mod lookup;
mod manual;
mod owner;
mod report_lists;
mod reputation;
mod samples;
mod scenario;
mod serve;
mod show;
mod spf;
mod today;

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, bail};
use store::Ledger;

use crate::cli::{Cli, Command, ConfigCommand, ReportCommand, ScenarioCommand, TrendBy};
use crate::config::{self, Config, Loaded};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// As asked.
    Well,
    /// As asked, but some input could not be taken in.
    WithRejections,
}

impl Done {
    /// Well, unless something was rejected.
    fn unless(rejected: bool) -> Self {
        if rejected { Self::WithRejections } else { Self::Well }
    }
}

/// Runs the command.
pub(crate) fn run(cli: &Cli) -> anyhow::Result<Done> {
    let out = &mut io::stdout().lock();
    let loaded = || config::load(cli.config.as_deref(), cli.data.as_deref());
    let ledger = || loaded().and_then(|loaded| read(&loaded.config.data));
    match &cli.command {
        Command::Demo(args) => demo::demo(args, out),
        Command::Import(args) => import::import(args, &loaded()?.config, out),
        Command::Serve(args) => serve::serve(args, &loaded()?.config, out),
        Command::Enrich(args) => enrich::enrich(args, &loaded()?.config, out),
        Command::Owner(args) => owner::owner(args, &loaded()?.config, out),
        Command::Check(args) => check::check(args, out),
        Command::Spf(args) => spf::spf(args, out),
        Command::Lint(args) => lint::lint(args, out),
        Command::Watch(args) => over(&loaded()?, |ledger, config| dns::watch(ledger, config, args, out)),
        Command::Dns(args) => dns::history(&ledger()?, args, out),
        Command::Inventory(command) => {
            over(&loaded()?, |ledger, config| inventory::inventory(ledger, config, command, out))
        }
        Command::Lookalikes(args) => lookalikes::lookalikes(args, &loaded()?.config, out),
        Command::Report(ReportCommand::Show(args)) => show::show(args, out),
        Command::Today(args) => over(&loaded()?, |ledger, config| today::today(ledger, config, args, out)),
        Command::Domains(args) => answers::domains(&ledger()?, args, out),
        Command::Trend(args) if args.by == TrendBy::Class => {
            over(&loaded()?, |ledger, config| flows::trend(ledger, config, &args.scoped, out))
        }
        Command::Trend(args) => answers::trend(&ledger()?, &args.scoped, out),
        Command::Flows(args) => over(&loaded()?, |ledger, config| flows::flows(ledger, config, args, out)),
        Command::Flow(args) => over(&loaded()?, |ledger, config| flows::flow(ledger, config, args, out)),
        Command::Lists(args) => over(&loaded()?, |ledger, config| today::lists(ledger, config, args, out)),
        Command::Decide(args) => over(&loaded()?, |ledger, config| flows::decide(ledger, config, args, out)),
        Command::Alerts(args) => over(&loaded()?, |ledger, config| alerts::alerts(ledger, config, args, out)),
        Command::Digest(args) => over(&loaded()?, |ledger, config| alerts::digest(ledger, config, args, out)),
        Command::Decisions(args) => flows::decisions(&ledger()?, args, out),
        Command::Preview(args) => over(&loaded()?, |ledger, config| foresight::preview(ledger, config, args, out)),
        Command::Readiness(args) => over(&loaded()?, |ledger, config| foresight::readiness(ledger, config, args, out)),
        Command::Waive(args) => foresight::waive(&ledger()?, args, out),
        Command::Sources(args) => answers::sources(&ledger()?, args, out),
        Command::Source(args) => answers::source(&ledger()?, args, out),
        Command::Reputation(args) => reputation::reputation(&ledger()?, args, out),
        Command::Rows(args) => answers::rows(&ledger()?, args, out),
        Command::Reports(args) => report_lists::reports(&ledger()?, args, out),
        Command::Samples(args) => samples::samples(&ledger()?, args, out),
        Command::Accept { items } => accept::accept(items, &loaded()?.config.data, out),
        Command::Scenario(ScenarioCommand::Generate { company, from, out: to }) => {
            scenario::generate(company, *from, to, out)
        }
        Command::Scenario(ScenarioCommand::Score { folder, format }) => {
            scenario::score(folder, *format, &loaded()?.config, out)
        }
        Command::Scenario(ScenarioCommand::Forecast { folder, later, format }) => over(&loaded()?, |ledger, config| {
            forecast::forecast(ledger, config, (folder.as_path(), later.as_path()), *format, out)
        }),
        Command::Config(ConfigCommand::Check) => check(&loaded()?, out),
        Command::Config(ConfigCommand::Reference) => {
            write!(out, "{}", crate::reference::text())?;
            Ok(Done::Well)
        }
        Command::Config(ConfigCommand::Lists) => lists(out),
        Command::Backup { to } => keep::backup(&loaded()?.config.data, to, out),
        Command::Rebuild => import::rebuild(&loaded()?.config, out),
        Command::Completions { shell } => manual::completions(*shell, out),
        Command::Manual { to } => manual::pages(to),
    }
}

/// Runs a command that reads the ledger and the settings.
fn over(loaded: &Loaded, command: impl FnOnce(&Ledger, &Config) -> anyhow::Result<Done>) -> anyhow::Result<Done> {
    command(&read(&loaded.config.data)?, &loaded.config)
}

/// Opens a ledger for reading; says how to get one where there is none.
fn read(data: &Path) -> anyhow::Result<Ledger> {
    if !data.is_dir() {
        bail!(
            "there is no ledger in {}: take reports in with `lamppost import PATH…`, or say with --data where the ledger is",
            data.display()
        );
    }
    Ok(Ledger::read(data)?)
}

fn check(loaded: &Loaded, out: &mut impl Write) -> anyhow::Result<Done> {
    match &loaded.file {
        Some(file) => writeln!(out, "# {} is in order; with it this is in force:", file.display())?,
        None => writeln!(out, "# There is no lamppost.toml here, so the defaults are in force:")?,
    }
    write!(out, "{}", toml::to_string(&loaded.config).context("the configuration cannot be printed")?)?;
    Ok(Done::Well)
}

fn lists(out: &mut impl Write) -> anyhow::Result<Done> {
    for list in ::enrich::ListDefinition::bundled() {
        let key = if list.needs_key() { "; needs a key" } else { "" };
        writeln!(out, "{}: {}{key}\n    {}\n    {}\n", list.id, list.title, list.terms, list.homepage)?;
    }
    Ok(Done::Well)
}

/// Seconds since 1970 UTC: when something was received.
fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
