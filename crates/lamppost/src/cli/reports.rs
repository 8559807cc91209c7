//! Arguments of the commands about single reports and messages.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::scope::network;
use super::{Format, PagedArgs, PeriodArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    /// Print what is in report files; archives and mails are opened.
    Show(ShowArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Files; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// How to print; `parsedmarc` is the shape of parsedmarc's JSON.
    #[arg(long, value_enum, default_value_t = ShowFormat::Text)]
    pub(crate) format: ShowFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowFormat {
    /// For people.
    Text,
    /// One object a report, one report a line.
    Json,
    /// One line a row.
    Csv,
    /// As parsedmarc writes it.
    Parsedmarc,
}

#[derive(Debug, Args)]
pub(crate) struct ReportsArgs {
    /// What to list.
    #[arg(value_enum, default_value_t = ReportsView::List)]
    pub(crate) view: ReportsView,
    #[command(flatten)]
    pub(crate) paged: PagedArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportsView {
    /// The reports taken in, the newest first.
    List,
    /// What each reporter sent, and when.
    Arrivals,
    /// Which reporters have sent what they usually send, and which are silent.
    Expected,
    /// What could not be taken in, and why.
    Rejected,
    /// Reports whose identity came with two contents.
    Conflicts,
    /// What was odd about the reports taken in.
    Flaws,
}

#[derive(Debug, Args)]
pub(crate) struct SamplesArgs {
    /// What to list.
    #[arg(value_enum, default_value_t = SamplesView::List)]
    pub(crate) view: SamplesView,
    /// Author domain.
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) domain: Option<String>,
    /// With --domain: the subdomains of its organizational domain too.
    #[arg(long, requires = "domain")]
    pub(crate) subdomains: bool,
    /// Where the messages came from: an address, or a network as 192.0.2.0/24.
    #[arg(long, value_name = "NETWORK", value_parser = network)]
    pub(crate) source: Option<(std::net::IpAddr, u8)>,
    /// What stands before the @ of the author's address.
    #[arg(long, value_name = "TEXT")]
    pub(crate) local_part: Option<String>,
    #[command(flatten)]
    pub(crate) period: PeriodArgs,
    /// How many lines.
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub(crate) limit: usize,
    /// Lines to pass over; not with local-parts.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) offset: usize,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SamplesView {
    /// The messages, the newest first.
    List,
    /// Who they were written as.
    LocalParts,
}
