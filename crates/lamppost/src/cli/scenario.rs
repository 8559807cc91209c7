//! Arguments of the commands about model companies.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::TextOrJson;

/// Which model company.
#[derive(Debug, Args)]
pub(crate) struct CompanyArgs {
    /// Which company: halden (a large manufacturer), firm (forty people), shop, university, bank, group, or any but the first, as the
    /// seed has it.
    #[arg(long, default_value = "halden", value_name = "COMPANY")]
    pub(crate) company: scenario::Kind,
    /// Another seed is another company; of halden, the same one with other numbers.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) seed: u64,
    /// Days of reports.
    #[arg(long, default_value_t = 90, value_name = "D", value_parser = clap::value_parser!(u16).range(1..=3660))]
    pub(crate) days: u16,
    /// Size: 1 is some 4 million messages in 90 days.
    #[arg(long, default_value_t = 1.0, value_name = "S", value_parser = scale)]
    pub(crate) scale: f64,
    /// Let more go wrong than the story has: records broken, reporters silent, waves of spoofing; incidents.jsonl says what and when.
    #[arg(long)]
    pub(crate) incidents: bool,
}

fn scale(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(scale) if (0.001..=1000.0).contains(&scale) => Ok(scale),
        _ => Err("a number from 0.001 to 1000".to_owned()),
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum ScenarioCommand {
    /// Write the model company's reports, with the truth about every flow beside them.
    Generate {
        #[command(flatten)]
        company: CompanyArgs,
        /// First day.
        #[arg(long, value_name = "DAY", default_value = "2025-10-22")]
        from: report::Day,
        /// Directory to write into; created if it is not there.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Hold what lamppost makes of a model company's reports against the truth.
    Score {
        /// Directory that `generate` wrote; its reports must be in the ledger.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// How to print.
        #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
        format: TextOrJson,
    },
    /// Hold what previews forecast against the truth of the days that came after.
    Forecast {
        /// Directory that `generate` wrote; its reports must be in the ledger.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// The same company generated with more days.
        #[arg(long, value_name = "DIR")]
        later: PathBuf,
        /// How to print.
        #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
        format: TextOrJson,
    },
}
