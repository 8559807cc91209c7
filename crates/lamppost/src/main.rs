//! The one binary: command line, configuration, wiring, signals. What it shows comes from the rooms; nothing is worked out here.

mod cli;
mod commands;
mod config;
mod enrichment;
mod progress;
mod reference;
mod reporters;
mod table;
mod term;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

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

/// Log lines go to standard error; `RUST_LOG` decides if it is set.
fn log(verbose: u8) {
    let default = match verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .init();
}

/// Somebody read as much as they wanted, as `head` does: that is no failure.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe))
}
