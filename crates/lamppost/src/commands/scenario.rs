//! The model companies as files, and what lamppost makes of them beside the truth.

use std::io::Write;
use std::path::Path;

use ::scenario::score::{Answer, Scorer};
use insight::commas;
use report::Day;

use super::Done;
use crate::cli::{CompanyArgs, TextOrJson};
use crate::config::Config;
use crate::enrichment;
use crate::progress::Bar;

/// The options of the model company.
pub(super) fn options(company: &CompanyArgs, from: Day) -> scenario::Options {
    let (days, scale, incidents) = (company.days, company.scale, company.incidents);
    scenario::Options { company: company.company, seed: company.seed, days, scale, from, incidents }
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

/// Holds what lamppost makes of a model company's reports against the truth.
pub(super) fn score(folder: &Path, format: TextOrJson, config: &Config, out: &mut impl Write) -> anyhow::Result<Done> {
    let mut scorer = Scorer::open(folder)?;
    let ledger = super::read(&config.data)?;
    let catalogue = enrichment::catalogue(&config.enrichment)?;
    insight::judge_rows(&ledger, &config.organisation.declared()?, &catalogue, |judged| {
        let row = &judged.row;
        scorer.answer(&Answer {
            domain: row.domain,
            source: row.source,
            dkim: row.dkim,
            spf: row.spf,
            envelope_from: row.envelope_from,
            overrides: row.overrides,
            messages: row.messages,
            class: judged.class.word(),
            rule: judged.rule,
            why: judged.why,
        });
    })?;
    let score = scorer.finish();
    match format {
        TextOrJson::Json => writeln!(out, "{}", serde_json::to_string(&score)?)?,
        TextOrJson::Text => write!(out, "{score}")?,
    }
    Ok(Done::Well)
}
