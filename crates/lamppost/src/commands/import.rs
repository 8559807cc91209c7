//! Taking reports in, and working everything out again.

use std::io::Write;
use std::path::Path;

use collect::Summary;
use insight::commas;
use store::Ledger;

use super::Done;
use crate::cli::{ImportArgs, TextOrJson};
use crate::config::Config;
use crate::organisation;
use crate::progress::ImportBar;
use crate::term::{shown, whole};

/// Rejections named in the summary; the rest are counted, and all are in the ledger.
const NAMED_MAX: usize = 200;

pub(super) fn import(args: &ImportArgs, config: &Config, out: &mut impl Write) -> anyhow::Result<Done> {
    let data = config.data.as_path();
    let bar = ImportBar::new("Taking in");
    let summary = match Ledger::open(data) {
        Ok(ledger) => {
            let summary = collect::import(&ledger, &args.paths, &collect::Options::default(), &bar)?;
            bar.done();
            told(args, &summary, data, out)?;
            compact(&ledger);
            organisation::after_changes(&ledger, config);
            summary
        }
        // Another process writes: if it is `serve`, it takes the files as its own.
        #[cfg(unix)]
        Err(locked @ store::Error::Locked { .. }) => {
            let summary = collect::hand_over(data, &args.paths, &bar).map_err(|error| match error {
                collect::HandOverError::Nobody => anyhow::Error::from(locked).context(error),
                other => other.into(),
            })?;
            bar.done();
            told(args, &summary, data, out)?;
            summary
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Done::unless(summary.rejected > 0))
}

/// Says what was done, in the form asked for.
fn told(args: &ImportArgs, summary: &Summary, data: &Path, out: &mut impl Write) -> anyhow::Result<()> {
    match args.format {
        TextOrJson::Text => text(summary, data, out)?,
        TextOrJson::Json => {
            let totals = serde_json::json!({
                "files": summary.files,
                "reports": summary.reports,
                "new": summary.new,
                "duplicates": summary.duplicates,
                "conflicts": summary.conflicts,
                "samples": summary.samples,
                "samples_repeated": summary.samples_repeated,
                "rejected": summary.rejected,
                "rows": summary.rows,
                "messages": summary.messages,
                "flaws": summary.flaws,
                "seconds": summary.seconds,
            });
            writeln!(out, "{totals}")?;
        }
    }
    Ok(())
}

/// Sorts what was taken in. All of it counts already: where this fails, answers are slower, and the next import tries again.
fn compact(ledger: &Ledger) {
    if let Err(error) = ledger.compact_where_due(|| true) {
        tracing::warn!("everything is taken in, but not sorted yet: {error}");
    }
}

pub(super) fn rebuild(config: &Config, out: &mut impl Write) -> anyhow::Result<Done> {
    let data = config.data.as_path();
    let ledger = Ledger::open(data)?;
    let bar = ImportBar::new("Working out again");
    let summary = collect::rebuild(&ledger, &bar)?;
    bar.done();
    text(&summary, data, out)?;
    compact(&ledger);
    organisation::after_changes(&ledger, config);
    Ok(Done::unless(summary.rejected > 0))
}

/// The summary for people: what came, what is new, and every rejection by name.
pub(super) fn text(summary: &Summary, data: &Path, out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(
        out,
        "{} files in {:.1} s: {} reports, {} new, {} duplicates, {} conflicts, {} rejected.",
        commas(summary.files),
        summary.seconds,
        commas(summary.reports),
        commas(summary.new),
        commas(summary.duplicates),
        commas(summary.conflicts),
        commas(summary.rejected),
    )?;
    writeln!(
        out,
        "Taken in: {} rows with {} messages; {} flaws (`lamppost reports flaws`).",
        commas(summary.rows),
        commas(summary.messages),
        commas(summary.flaws)
    )?;
    if summary.samples + summary.samples_repeated > 0 {
        writeln!(
            out,
            "Samples from failure reports: {} new, {} known (`lamppost samples`).",
            commas(summary.samples),
            commas(summary.samples_repeated)
        )?;
    }
    if summary.rejected > 0 {
        writeln!(out, "\nRejected, with the raw copies kept:")?;
    }
    for rejected in summary.rejections.iter().take(NAMED_MAX) {
        let member = rejected.member.as_deref().map(|member| format!(" › {}", shown(member))).unwrap_or_default();
        writeln!(out, "  {}{member}\n      {}", whole(&rejected.origin), whole(&rejected.rejection.message))?;
    }
    if summary.rejections.len() > NAMED_MAX {
        writeln!(
            out,
            "  … and {} more: `lamppost reports rejected`",
            commas((summary.rejections.len() - NAMED_MAX) as u64)
        )?;
    }
    writeln!(out, "\nThe ledger is in {}. Look at it with `lamppost serve` or `lamppost trend`.", data.display())?;
    Ok(())
}
