//! The command line: what can be asked of the program, in the words of `--help`.
//!
//! Only shapes and help texts; what a command does is in `commands`. Here: all commands, and the arguments of those that run or look after
//! the program; beside it, the arguments of the others.

mod alerts;
mod answers;
mod dns;
mod evaluate;
mod flows;
mod foresight;
mod lookalikes;
mod reports;
mod scenario;
mod scope;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use alerts::*;
pub(crate) use answers::*;
pub(crate) use dns::*;
pub(crate) use evaluate::*;
pub(crate) use flows::*;
pub(crate) use foresight::*;
pub(crate) use lookalikes::*;
pub(crate) use reports::*;
pub(crate) use scenario::*;
pub(crate) use scope::*;

/// Find out who sends mail in your name, from DMARC reports.
#[derive(Debug, Parser)]
#[command(
    name = "lamppost",
    version,
    propagate_version = true,
    after_help = "Start with `lamppost demo`, or `lamppost import PATH…` and then `lamppost serve`.\n\
                  Exit status: 0 done, 1 failed, 2 wrong usage, 3 done but some input was rejected."
)]
pub(crate) struct Cli {
    /// Directory that holds the ledger.
    #[arg(long, global = true, value_name = "DIR", env = "LAMPPOST_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Configuration file; without it `lamppost.toml` is read if it is there.
    #[arg(long, global = true, value_name = "FILE", env = "LAMPPOST_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Say more on standard error; twice for everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the model company in a portal on this machine; nothing is kept.
    Demo(DemoArgs),
    /// Take reports in: files, directories, mbox, Maildir, mails, archives; `-` is standard input.
    Import(ImportArgs),
    /// Run the portal, and everything else that the configuration enables.
    ///
    /// Reports are taken in from the sources that are configured, new sources of mail are learned about once an hour, the directory is loaded
    /// once a day, and days beyond the retention are forgotten. How it fares is told on the portal's pages and, for Prometheus,
    /// at /metrics on the same address.
    Serve(ServeArgs),
    /// Learn who is behind the sources in the ledger: names, networks, services, reputation.
    Enrich(EnrichArgs),
    /// Say who may be behind an address, as the directory has it.
    Owner(OwnerArgs),
    /// Say what SPF, DKIM, ARC and DMARC make of a message, and why.
    Check(CheckArgs),
    /// Say what SPF makes of a client, with the tree of terms and what each spent.
    Spf(SpfArgs),
    /// Look at what domains publish about their mail: SPF, DMARC, DKIM, MX, MTA-STS, TLS-RPT; with a remedy for each finding.
    Lint(LintArgs),
    /// Look once at what our domains publish in DNS, and keep what changed; `serve` does it by itself.
    Watch(WatchArgs),
    /// What our domains published in DNS, and when it changed.
    Dns(DnsHistoryArgs),
    /// What mail in our name rests on: DKIM keys, SPF terms with their traffic, greetings without SPF.
    #[command(subcommand)]
    Inventory(InventoryCommand),
    /// Names that could be taken for a domain of ours: how each is made, and which of them exist.
    Lookalikes(LookalikesArgs),
    /// Look at report files without taking them in.
    #[command(subcommand)]
    Report(ReportCommand),
    /// What needs somebody: how the domains fare, and what to do first.
    ///
    /// What fails of the sources of reports is known to a running `serve` alone, and told on its page.
    Today(TodayArgs),
    /// The domains mail is sent in the name of.
    Domains(DomainsArgs),
    /// What happened to mail in our name, day by day.
    Trend(TrendArgs),
    /// The streams of mail in our name: what each is taken for, and how sure that is.
    Flows(FlowsArgs),
    /// One flow, with all reasons for what it is taken for.
    Flow(FlowArgs),
    /// Good sources that fail beside bad ones, and whether it looks safe to tighten the policy.
    Lists(ScopedArgs),
    /// Say what a flow or a network is; holds for all addresses it ever has.
    Decide(DecideArgs),
    /// What was decided about flows, by whom and why.
    Decisions(DecisionsArgs),
    /// What would happen to mail under other records: harm and benefit a day, with a bound.
    Preview(PreviewArgs),
    /// Whether a policy may be tightened: eleven gates, each with what was measured and what stands in the way.
    Readiness(ReadinessArgs),
    /// Answer for a gate that does not pass, until a day; without a gate, list who answers for what.
    Waive(WaiveArgs),
    /// What has become wrong, and what to do about it; acknowledge, silence, try channels.
    Alerts(AlertsArgs),
    /// The week: what changed, what is open, how legitimate mail fared, what was stopped, who is new.
    Digest(DigestArgs),
    /// Who sends mail in our name.
    Sources(SourcesArgs),
    /// One sending address and its history.
    Source(SourceArgs),
    /// Failing sources with a good reputation beside those with a bad one.
    Reputation(ScopedArgs),
    /// The rows behind the numbers, the newest first.
    Rows(PagedArgs),
    /// The reports in the ledger, and those that could not be taken in.
    Reports(ReportsArgs),
    /// Single messages that failed, from failure reports; who should have read them is not kept.
    Samples(SamplesArgs),
    /// Take in reports that were refused because nobody stood for the mail they came in.
    Accept {
        /// The item, as `lamppost reports rejected` lists it, or the first digits of it.
        #[arg(required = true, value_name = "ITEM")]
        items: Vec<String>,
    },
    /// The model company as files.
    #[command(subcommand)]
    Scenario(ScenarioCommand),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Copy the ledger, also while it is in use; the copy opens as a ledger.
    Backup {
        /// Directory to create; it must not exist yet.
        to: PathBuf,
    },
    /// Work everything out again from the raw copies of what was received.
    Rebuild,
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the manual pages into a directory.
    #[command(hide = true)]
    Manual {
        /// The directory.
        to: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Port of the portal on 127.0.0.1; 0 takes a free one. Without it 8425, or a free one if that is taken.
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    #[command(flatten)]
    pub(crate) company: CompanyArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// What to take in; directories with all that is below them.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// How to print the summary.
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    pub(crate) format: TextOrJson,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Address of the portal; only loopback addresses for now. Wins over `portal.listen` of the configuration.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<std::net::SocketAddr>,
}

#[derive(Debug, Args)]
pub(crate) struct EnrichArgs {
    #[command(flatten)]
    pub(crate) dns: DnsArgs,
    /// How to print.
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    pub(crate) format: TextOrJson,
}

#[derive(Debug, Args)]
pub(crate) struct OwnerArgs {
    /// Addresses, or what stands before their `@`.
    #[arg(required = true, value_name = "ADDRESS")]
    pub(crate) addresses: Vec<String>,
    /// How to print; `json` is one object a line, one line an address.
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    pub(crate) format: TextOrJson,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextOrJson {
    /// For people.
    Text,
    /// One object on the last line.
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One object.
    Json,
    /// Comma-separated values, guarded against spreadsheet formulas.
    Csv,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check the configuration file and print what is in force.
    Check,
    /// Print every key of the configuration file with what it means and its default.
    Reference,
    /// Print the DNS lists that enrichment may ask, each with its terms; none is asked unless it is switched on.
    Lists,
}
