//! Learning who is behind sources, once, for whoever does not run `serve`.

use std::io::Write;
use std::sync::Arc;

use anyhow::Context;
use enrich::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use insight::commas;
use serde_json::json;
use store::Ledger;

use super::{Done, lookup};
use crate::cli::{EnrichArgs, TextOrJson};
use crate::config::Config;
use crate::enrichment;

pub(super) fn enrich(args: &EnrichArgs, config: &Config, out: &mut impl Write) -> anyhow::Result<Done> {
    let ledger = Ledger::open(&config.data)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
    let progress = Arc::new(Progress::default());
    let counts = runtime.block_on(async {
        let enricher =
            Arc::new(enrichment::enricher(&config.enrichment, &config.organisation, lookup::source(&args.dns)?)?);
        let bar = bar();
        let run = enrichment::run(&ledger, enricher, Arc::clone(&progress), |_| {});
        tokio::pin!(run);
        let mut tick = tokio::time::interval(std::time::Duration::from_millis(200));
        let counts = loop {
            tokio::select! {
                counts = &mut run => break counts?,
                _ = tick.tick() => bar.set_position(progress.counts().done),
            }
        };
        bar.finish_and_clear();
        anyhow::Ok(counts)
    })?;
    match args.format {
        TextOrJson::Json => {
            writeln!(
                out,
                "{}",
                json!({"sources": counts.done, "with_gaps": counts.with_gaps, "broken": counts.broken})
            )?;
        }
        TextOrJson::Text if counts.done == 0 => {
            writeln!(out, "Nothing new: every source of the last 30 days has its profile.")?;
        }
        TextOrJson::Text => {
            writeln!(out, "Learned about {} sources.", commas(counts.done))?;
            if counts.with_gaps > 0 {
                writeln!(
                    out,
                    "About {} of them something could not be learned: their pages say what.",
                    commas(counts.with_gaps)
                )?;
            }
        }
    }
    Ok(Done::Well)
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} sources, {per_sec}") {
        bar.set_style(style);
    }
    bar
}
