//! Samples from failure reports: what is in the ledger, and forgetting them in time.

use std::io::Write;
use std::time::Duration;

use insight::{SampleFilter, Scope};
use store::Ledger;

use super::Done;
use super::answers::{lower, period_of, print};
use super::report_lists::{ended, time};
use crate::cli::{SamplesArgs, SamplesView};
use crate::table::{Align::Fixed, Align::Left, Align::Right, Table};
use crate::term::Cell;

/// How often a running program looks for samples that have to go.
const LOOKS: Duration = Duration::from_hours(6);

const DAY_SECONDS: i64 = 86_400;

pub(super) fn samples(ledger: &Ledger, args: &SamplesArgs, out: &mut impl Write) -> anyhow::Result<Done> {
    let scope = Scope {
        period: period_of(&args.period),
        domain: args.domain.as_deref().map(lower),
        subdomains: args.subdomains,
        network: args.source,
        ..Scope::default()
    };
    let filter = SampleFilter { local_part: args.local_part.clone(), offset: args.offset, limit: args.limit };
    match args.view {
        SamplesView::List => {
            let answer = insight::samples(ledger, &scope, &filter)?;
            print(&answer, args.format, list, |a, table, out| ended(table, a.lines_total, "samples", out), out)
        }
        SamplesView::LocalParts => {
            let answer = insight::local_parts(ledger, &scope, &filter)?;
            print(&answer, args.format, authors, |a, table, out| ended(table, a.lines_total, "authors", out), out)
        }
    }
}

fn list(answer: &insight::Samples) -> Table {
    let mut table = Table::new(&[
        ("Sample", Right),
        ("Arrived", Fixed),
        ("Author", Left),
        ("Source", Fixed),
        ("Failure", Fixed),
        ("DKIM", Fixed),
        ("SPF", Fixed),
        ("Delivery", Fixed),
        ("Subject", Left),
        ("Reporter", Left),
        ("Messages", Right),
    ])
    .yielding(&["Messages", "Failure", "Reporter", "Delivery", "Sample", "Subject"]);
    let failed = |failed: Option<bool>| failed.map_or("", |failed| if failed { "failed" } else { "aligned" });
    for line in &answer.lines {
        table.line([
            Cell::Id(line.id),
            line.arrived.map_or_else(|| line.day.to_string(), time).into(),
            format!("{}@{}", line.local_part, line.domain).into(),
            line.source.clone().unwrap_or_default().into(),
            line.auth_failure.clone().into(),
            failed(line.dkim_failed).into(),
            failed(line.spf_failed).into(),
            line.delivery.clone().unwrap_or_default().into(),
            line.subject.clone().unwrap_or_default().into(),
            line.reporter.clone().into(),
            line.incidents.into(),
        ]);
    }
    table
}

fn authors(answer: &insight::LocalParts) -> Table {
    let mut table = Table::new(&[
        ("Local part", Left),
        ("Author domain", Left),
        ("Messages", Right),
        ("Samples", Right),
        ("Sources", Right),
        ("First day", Fixed),
        ("Last day", Fixed),
    ])
    .yielding(&["First day", "Samples"]);
    for line in &answer.lines {
        table.line([
            line.local_part.clone().into(),
            line.domain.clone().into(),
            line.messages.into(),
            line.samples.into(),
            line.sources.into(),
            line.first_day.to_string().into(),
            line.last_day.to_string().into(),
        ]);
    }
    table
}

/// Forgets samples that were received more than so many days ago; 0 keeps all.
pub(super) fn forget_old(ledger: &Ledger, days: u16) -> Result<(), store::Error> {
    if days > 0 {
        let gone = ledger.retain_samples(super::now() - i64::from(days) * DAY_SECONDS)?;
        if gone > 0 {
            tracing::info!(
                "{gone} samples from failure reports were received more than {days} days ago and are forgotten"
            );
        }
    }
    Ok(())
}

/// The same again and again, for as long as the program runs.
pub(super) async fn keep_forgetting(ledger: Ledger, days: u16) {
    loop {
        tokio::time::sleep(LOOKS).await;
        let ledger = ledger.clone();
        match tokio::task::spawn_blocking(move || forget_old(&ledger, days)).await {
            Ok(Ok(())) => {}
            // The next look tries again.
            Ok(Err(error)) => tracing::error!("samples that have to go are still there: {error}"),
            Err(error) => tracing::error!("a defect of this program was met ({error}); please report it"),
        }
    }
}
