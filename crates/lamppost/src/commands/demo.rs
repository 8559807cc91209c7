//! The model company in a portal: made, taken in and shown in a temporary directory that goes with the program.

use std::io::{ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::Context;
use store::Ledger;

use super::{Done, import, scenario, serve};
use crate::cli::DemoArgs;
use crate::config::Config;
use crate::config::DEFAULT_PORT;
use crate::progress::{Bar, ImportBar};
use crate::{enrichment, reporters, watching};

/// The first day: 90 days from here hold the December campaign and end in January.
const FROM: &str = "2025-10-22";

pub(super) fn demo(args: &DemoArgs, out: &mut impl Write) -> anyhow::Result<Done> {
    let listener = listen(args.port)?;
    let directory = tempfile::Builder::new().prefix("lamppost-demo-").tempdir().context("no temporary directory")?;
    let (reports, data) = (directory.path().join("company"), directory.path().join("data"));
    writeln!(out, "The model company, {} days of it, in {}", args.company.days, directory.path().display())?;

    let bar = Bar::new("Writing reports", u64::from(args.company.days), "days");
    let options = scenario::options(&args.company, FROM.parse()?);
    ::scenario::generate(&options, &reports, &mut |days| bar.at(days))?;
    bar.done();

    let ledger = Ledger::open(&data)?;
    let bar = ImportBar::new("Taking in");
    let summary = collect::import(
        &ledger,
        &[reports.join("reports"), reports.join("failures")],
        &collect::Options::default(),
        &bar,
    )?;
    bar.done();
    import::text(&summary, &data, out)?;
    // The model company's addresses are nobody's: there is nothing to learn about them.
    let enrichment = enrichment::Settings { enabled: false, ..enrichment::Settings::default() };
    let reporter = reporters::Settings { authenticate: false, ..reporters::Settings::default() };
    // Nor is there in DNS: its zones come with it, those of years ago too.
    let watch = watching::Settings { enabled: false, ..watching::Settings::default() };
    let config = Config { data, reporter, enrichment, watch, ..Config::default() };
    crate::organisation::Ground::new(&config)?.refresh(&ledger)?;
    watching::company(&ledger, &reports, FROM.parse::<report::Day>()?.plus(i32::from(args.company.days) - 1))?;
    serve::portal(ledger, listener, &config, out)?;
    Ok(Done::Well)
}

/// The port asked for; else the usual one, or a free one where that is taken.
fn listen(port: Option<u16>) -> anyhow::Result<TcpListener> {
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match port {
        Some(port) => serve::bind(local(port)),
        None => match TcpListener::bind(local(DEFAULT_PORT)) {
            Ok(listener) => Ok(listener),
            Err(error) if error.kind() == ErrorKind::AddrInUse => serve::bind(local(0)),
            Err(_) => serve::bind(local(DEFAULT_PORT)),
        },
    }
}
