//! The one binary: command line, configuration, wiring, signals. What it shows comes from the rooms; nothing is worked out here.

mod alerting;
mod arriving;
mod cli;
mod commands;
mod config;
mod directory;
mod enrichment;
mod learning;
mod lookalikes;
mod organisation;
mod progress;
mod reference;
mod reporters;
mod table;
mod term;
mod uploads;
mod watching;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::Parser;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

/// Done, but some input was rejected.
const REJECTED: u8 = 3;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    log(cli.verbose);
    match commands::run(&cli) {
        Ok(commands::Done::Well) => ExitCode::SUCCESS,
        Ok(commands::Done::WithRejections) => ExitCode::from(REJECTED),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lamppost: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Log lines go to standard error; `RUST_LOG` decides if it is set: a level, or levels by room such as `info,collect=debug`.
fn log(verbose: u8) {
    let level = match verbose {
        0 => Level::WARN,
        1 => Level::INFO,
        _ => Level::DEBUG,
    };
    let wanted = std::env::var("RUST_LOG").ok().filter(|levels| !levels.is_empty());
    let parsed = wanted.as_deref().map(str::parse::<Targets>);
    let levels = match &parsed {
        Some(Ok(levels)) => levels.clone(),
        _ => Targets::new().with_default(level),
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    tracing_subscriber::registry().with(lines).with(levels).init();
    if let Some(Err(error)) = parsed {
        tracing::warn!(
            "RUST_LOG is passed over: {error}; it takes a level, or levels by room such as info,collect=debug"
        );
    }
}

/// Somebody read as much as they wanted, as `head` does: that is no failure.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe))
}
