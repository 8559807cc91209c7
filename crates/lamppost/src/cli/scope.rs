//! Arguments that many commands share: which part of the ledger is meant, and which page of an answer.

use clap::Args;

use super::Format;

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

pub(super) fn network(text: &str) -> Result<(std::net::IpAddr, u8), String> {
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
