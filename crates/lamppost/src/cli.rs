//! The command line: what can be asked of the program, in the words of `--help`.
//!
//! Only shapes and help texts; what a command does is in `commands`.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

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
    /// Look at report files without taking them in.
    #[command(subcommand)]
    Report(ReportCommand),
    /// The domains mail is sent in the name of.
    Domains(DomainsArgs),
    /// What happened to mail in our name, day by day.
    Trend(TrendArgs),
    /// The streams of mail in our name: what each is taken for, and how sure that is.
    Flows(FlowsArgs),
    /// One flow, with all reasons for what it is taken for.
    Flow(FlowArgs),
    /// Say what a flow or a network is; holds for all addresses it ever has.
    Decide(DecideArgs),
    /// What was decided about flows, by whom and why.
    Decisions(DecisionsArgs),
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
}

fn scale(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(scale) if (0.001..=1000.0).contains(&scale) => Ok(scale),
        _ => Err("a number from 0.001 to 1000".to_owned()),
    }
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

/// Where DNS answers come from; without any of these, from the servers that this machine asks.
#[derive(Debug, Args)]
pub(crate) struct DnsArgs {
    /// Answer DNS from this zone file only (RFC 1035 §5; `;@ servfail NAME`, `;@ timeout NAME` make it misbehave); may be given
    /// more than once.
    #[arg(long, value_name = "FILE", help_heading = "DNS")]
    pub(crate) zone: Vec<PathBuf>,
    /// Ask this recursive resolver; may be given more than once.
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = server, conflicts_with = "zone", help_heading = "DNS")]
    pub(crate) resolver: Vec<std::net::SocketAddr>,
}

fn server(text: &str) -> Result<std::net::SocketAddr, String> {
    let with_port = text.parse().or_else(|_| text.parse::<std::net::IpAddr>().map(|address| (address, 53).into()));
    with_port.map_err(|_| "an address, as 127.0.0.1, 127.0.0.1:5353 or [::1]:53".to_owned())
}

/// What the client said in SMTP.
#[derive(Debug, Args)]
pub(crate) struct EnvelopeArgs {
    /// Address of the client that sent the message.
    #[arg(long, value_name = "IP", help_heading = "Envelope")]
    pub(crate) ip: std::net::IpAddr,
    /// Name it gave in HELO or EHLO.
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true, help_heading = "Envelope")]
    pub(crate) helo: String,
    /// Address it gave in MAIL FROM; `<>` is the null path of bounces.
    #[arg(long, value_name = "ADDRESS", help_heading = "Envelope")]
    pub(crate) mail_from: Option<String>,
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

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The message as a file, with its header; `-` is standard input.
    pub(crate) message: PathBuf,
    #[command(flatten)]
    pub(crate) envelope: EnvelopeArgs,
    #[command(flatten)]
    pub(crate) dns: DnsArgs,
    /// Time of arrival, as 2026-05-01T12:00:00Z or in seconds since 1970; now, without it.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) at: Option<i64>,
    /// By which rules: those of 2026, those of 2015, or both and where they differ.
    #[arg(long, value_enum, default_value_t = Standard::Rfc9989)]
    pub(crate) standard: Standard,
    /// Name under which the verdict is written into Authentication-Results.
    #[arg(long, value_name = "NAME", default_value = "localhost")]
    pub(crate) authserv_id: String,
    /// How to print.
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    pub(crate) format: TextOrJson,
}

fn time(text: &str) -> Result<i64, String> {
    let seconds = text.parse().ok();
    let seconds = seconds.or_else(|| text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second));
    seconds.ok_or_else(|| "a time, as 2026-05-01T12:00:00Z, or seconds since 1970".to_owned())
}

/// Rules of DMARC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Standard {
    /// RFC 9989 (2026): a walk up the tree, np, t.
    Rfc9989,
    /// RFC 7489 (2015): the public suffix list, pct.
    Rfc7489,
    /// Both, and where they differ.
    Both,
}

#[derive(Debug, Args)]
pub(crate) struct SpfArgs {
    #[command(flatten)]
    pub(crate) envelope: EnvelopeArgs,
    #[command(flatten)]
    pub(crate) dns: DnsArgs,
    /// How to print.
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    pub(crate) format: TextOrJson,
}

#[derive(Debug, Args)]
pub(crate) struct LintArgs {
    /// The domains.
    #[arg(required = true, value_name = "DOMAIN")]
    pub(crate) domains: Vec<String>,
    /// A DKIM selector that the domains use; usual ones are tried besides. May be given more than once.
    #[arg(long, value_name = "SELECTOR")]
    pub(crate) selector: Vec<String>,
    #[command(flatten)]
    pub(crate) dns: DnsArgs,
    /// How to print; `json` is one object a line, one line a domain.
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    pub(crate) format: TextOrJson,
}

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

/// Which days.
#[derive(Debug, Args)]
pub(crate) struct PeriodArgs {
    /// First day, as 2025-12-23.
    #[arg(long, value_name = "DAY")]
    pub(crate) since: Option<report::Day>,
    /// Last day.
    #[arg(long, value_name = "DAY")]
    pub(crate) until: Option<report::Day>,
    /// The last so many days of the ledger; 0 is all of them. [default: 90]
    #[arg(long, value_name = "N", conflicts_with_all = ["since", "until"])]
    pub(crate) days: Option<u16>,
}

/// Which part of the ledger.
#[derive(Debug, Args)]
pub(crate) struct ScopeArgs {
    /// Author domain.
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) domain: Option<String>,
    /// With --domain: the subdomains of its organizational domain too.
    #[arg(long, requires = "domain")]
    pub(crate) subdomains: bool,
    #[command(flatten)]
    pub(crate) period: PeriodArgs,
    /// Reporter organisation.
    #[arg(long, value_name = "NAME")]
    pub(crate) reporter: Option<String>,
    /// An address, or a network as 192.0.2.0/24.
    #[arg(long, value_name = "NETWORK", value_parser = network)]
    pub(crate) network: Option<(std::net::IpAddr, u8)>,
    /// Only this outcome; may be given more than once.
    #[arg(long, value_name = "OUTCOME", value_parser = outcome)]
    pub(crate) outcome: Vec<Outcomes>,
    /// Only what receivers did this with: none, pass, quarantine, reject.
    #[arg(long, value_name = "DISPOSITION", value_parser = disposition)]
    pub(crate) disposition: Option<report::Disposition>,
    /// Domain that SPF was about.
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) spf_domain: Option<String>,
    /// Domain that signed.
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) dkim_domain: Option<String>,
}

/// One outcome, or all that pass, or all that fail.
#[derive(Debug, Clone)]
pub(crate) struct Outcomes(pub(crate) Vec<report::Outcome>);

fn outcome(text: &str) -> Result<Outcomes, String> {
    let some = |passes: bool| report::Outcome::ALL.into_iter().filter(|o| o.passes() == passes).collect();
    match text {
        "passing" => Ok(Outcomes(some(true))),
        "failing" => Ok(Outcomes(some(false))),
        word => report::Outcome::from_word(word).map(|outcome| Outcomes(vec![outcome])).ok_or_else(|| {
            "one of failing, passing, both, dkim_only, spf_only, forwarded, unaligned, unauthenticated".to_owned()
        }),
    }
}

fn disposition(text: &str) -> Result<report::Disposition, String> {
    report::Disposition::from_word(text).ok_or_else(|| "one of none, pass, quarantine, reject".to_owned())
}

fn network(text: &str) -> Result<(std::net::IpAddr, u8), String> {
    insight::parse_network(text).ok_or_else(|| "an address, or a network as 192.0.2.0/24 or 2001:db8::/48".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct ScopedArgs {
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct TrendArgs {
    #[command(flatten)]
    pub(crate) scoped: ScopedArgs,
    /// By what the days are divided; a class is of a whole flow, so that of the options only days and domain count then.
    #[arg(long, value_enum, default_value_t = TrendBy::Outcome)]
    pub(crate) by: TrendBy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TrendBy {
    /// What came of the mail.
    Outcome,
    /// Who sent it.
    Class,
}

#[derive(Debug, Args)]
pub(crate) struct FlowsArgs {
    #[command(flatten)]
    pub(crate) paged: PagedArgs,
    /// Only this class; may be given more than once.
    #[arg(long, value_name = "CLASS", value_parser = class())]
    pub(crate) class: Vec<insight::FlowClass>,
    /// Sort by this.
    #[arg(long, value_enum, default_value_t = FlowSort::Messages)]
    pub(crate) sort: FlowSort,
    /// Smallest first.
    #[arg(long)]
    pub(crate) ascending: bool,
    /// Only flows whose name contains this.
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FlowSort {
    Messages,
    Failing,
    Class,
    Confidence,
    FirstDay,
    LastDay,
    Sources,
    Name,
}

fn class() -> impl TypedValueParser<Value = insight::FlowClass> {
    let words = insight::FlowClass::ALL.map(insight::FlowClass::word);
    PossibleValuesParser::new(words)
        .map(|word| insight::FlowClass::from_word(&word).unwrap_or(insight::FlowClass::Unknown))
}

#[derive(Debug, Args)]
pub(crate) struct FlowArgs {
    /// The flow, as `lamppost flows` lists it, or the beginning of its id.
    #[arg(value_name = "FLOW")]
    pub(crate) flow: String,
    #[command(flatten)]
    pub(crate) scoped: ScopedArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DecideArgs {
    /// The flow, as `lamppost flows` lists it; or an address or a network, for flows of which most comes from there.
    #[arg(value_name = "FLOW|NETWORK")]
    pub(crate) target: String,
    /// What it is; whether it passes is seen by itself.
    #[arg(value_name = "CLASS", value_parser = class())]
    pub(crate) class: Option<insight::FlowClass>,
    /// Take back the decision in force.
    #[arg(long, conflicts_with = "class")]
    pub(crate) undo: bool,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Who decides; your user name, without it.
    #[arg(long, value_name = "NAME")]
    pub(crate) who: Option<String>,
    /// The last day on which it holds.
    #[arg(long, value_name = "DAY")]
    pub(crate) expires: Option<report::Day>,
}

#[derive(Debug, Args)]
pub(crate) struct DecisionsArgs {
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct PagedArgs {
    #[command(flatten)]
    pub(crate) scoped: ScopedArgs,
    /// How many lines.
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub(crate) limit: usize,
    /// Lines to pass over.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) offset: usize,
}

#[derive(Debug, Args)]
pub(crate) struct DomainsArgs {
    #[command(flatten)]
    pub(crate) paged: PagedArgs,
    /// Sort by this.
    #[arg(long, value_enum, default_value_t = DomainSort::Messages)]
    pub(crate) sort: DomainSort,
    /// Smallest first.
    #[arg(long)]
    pub(crate) ascending: bool,
    /// Only names that contain this.
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// Only names to which this policy applies, as most reporters last saw it.
    #[arg(long, value_enum)]
    pub(crate) policy: Option<Applies>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Applies {
    None,
    Quarantine,
    Reject,
    /// No report names one.
    Unseen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DomainSort {
    Messages,
    Failing,
    PassShare,
    LastDay,
    Domain,
}

#[derive(Debug, Args)]
pub(crate) struct SourcesArgs {
    #[command(flatten)]
    pub(crate) paged: PagedArgs,
    /// One line per what.
    #[arg(long, value_enum, default_value_t = Group::Address)]
    pub(crate) group: Group,
    /// Sort by this.
    #[arg(long, value_enum, default_value_t = Sort::Failing)]
    pub(crate) sort: Sort,
    /// Smallest first.
    #[arg(long)]
    pub(crate) ascending: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Group {
    Address,
    Network,
    SpfDomain,
    DkimDomain,
    Reporter,
    Domain,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sort {
    Failing,
    Messages,
    Passing,
    FirstDay,
    LastDay,
    ActiveDays,
    Reporters,
    Key,
}

#[derive(Debug, Args)]
pub(crate) struct SourceArgs {
    /// The address.
    pub(crate) address: std::net::IpAddr,
    #[command(flatten)]
    pub(crate) scoped: ScopedArgs,
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
