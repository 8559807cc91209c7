//! The model company as files.

use std::io::Write;
use std::path::Path;

use report::Day;

use super::Done;
use crate::cli::CompanyArgs;
use crate::progress::Bar;
use crate::term::commas;

/// The options of the model company.
pub(super) fn options(company: &CompanyArgs, from: Day) -> scenario::Options {
    scenario::Options { company: company.company, seed: company.seed, days: company.days, scale: company.scale, from }
}

pub(super) fn generate(company: &CompanyArgs, from: Day, to: &Path, out: &mut impl Write) -> anyhow::Result<Done> {
    let bar = Bar::new("Writing reports", u64::from(company.days), "days");
    let summary = scenario::generate(&options(company, from), to, &mut |days| bar.at(days))?;
    bar.done();
    writeln!(
        out,
        "{} reports with {} rows and {} messages are in {}; the truth about them is in truth.jsonl there, and README.md says what else.",
        commas(summary.reports),
        commas(summary.rows),
        commas(summary.messages),
        to.display()
    )?;
    Ok(Done::Well)
}
