//! Arguments of the commands that look ahead: previews, readiness, waivers.

use std::path::PathBuf;

use clap::Args;

use super::{Format, PeriodArgs};

#[derive(Debug, Args)]
pub(crate) struct PreviewArgs {
    /// Whose records would be different.
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) domain: String,
    /// Only mail in the name of the domain itself, not of the names below it.
    #[arg(long)]
    pub(crate) without_subdomains: bool,
    /// `p`: none, quarantine or reject. A policy that is changed is changed in full: t and pct go unless they are given.
    #[arg(long, value_name = "POLICY", value_parser = policy)]
    pub(crate) policy: Option<report::Policy>,
    /// `sp`, for names below that exist.
    #[arg(long, value_name = "POLICY", value_parser = policy)]
    pub(crate) subdomain_policy: Option<report::Policy>,
    /// `np`, for names below that do not exist.
    #[arg(long, value_name = "POLICY", value_parser = policy)]
    pub(crate) np: Option<report::Policy>,
    /// `adkim`: r (relaxed) or s (strict).
    #[arg(long, value_name = "MODE", value_parser = alignment)]
    pub(crate) adkim: Option<report::Alignment>,
    /// `aspf`: r (relaxed) or s (strict).
    #[arg(long, value_name = "MODE", value_parser = alignment)]
    pub(crate) aspf: Option<report::Alignment>,
    /// `pct`, which only receivers by RFC 7489 obey.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) pct: Option<u8>,
    /// `t`: y lowers the policy by one step; only receivers by RFC 9989 obey it.
    #[arg(long, value_name = "y|n", value_parser = yes)]
    pub(crate) t: Option<bool>,
    /// Another SPF record for the domain.
    #[arg(long, value_name = "RECORD", conflicts_with_all = ["remove_include", "add_range"])]
    pub(crate) spf: Option<String>,
    /// The SPF record without this include; may be given more than once.
    #[arg(long, value_name = "NAME")]
    pub(crate) remove_include: Vec<String>,
    /// The SPF record with this address or network; may be given more than once.
    #[arg(long, value_name = "NETWORK")]
    pub(crate) add_range: Vec<String>,
    /// Zone file with records that would be different; each replaces those of its name and type.
    #[arg(long, value_name = "FILE")]
    pub(crate) change: Option<PathBuf>,
    /// The flow's mail would carry an aligned signature; may be given more than once.
    #[arg(long, value_name = "FLOW")]
    pub(crate) dkim_for: Vec<String>,
    /// By which standard receivers judge: rfc9989 or rfc7489.
    #[arg(long, value_name = "STANDARD", default_value = "rfc9989", value_parser = receivers)]
    pub(crate) standard: insight::Receivers,
    /// Zone file with what stands in DNS now, where the ledger does not know; may be given more than once.
    #[arg(long, value_name = "FILE")]
    pub(crate) zone: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) period: PeriodArgs,
    /// How to print; `csv` has the flows that would be harmed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct ReadinessArgs {
    /// The domain.
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) domain: String,
    /// The step: quarantine or reject.
    #[arg(long = "for", value_name = "POLICY", default_value = "quarantine", value_parser = step)]
    pub(crate) step: report::Policy,
    /// Zone file with what stands in DNS now, where the ledger does not know; may be given more than once.
    #[arg(long, value_name = "FILE")]
    pub(crate) zone: Vec<PathBuf>,
    /// How to print; `csv` has the gates.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct WaiveArgs {
    /// The gate, G0 to G10, as `lamppost readiness` prints them; without it the waivers are listed.
    #[arg(value_name = "GATE", requires = "domain")]
    pub(crate) gate: Option<String>,
    /// The domain it is for; names below it are included.
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) domain: Option<String>,
    /// Who answers for it.
    #[arg(long, value_name = "NAME")]
    pub(crate) owner: Option<String>,
    /// The last day on which it holds, as 2026-12-23.
    #[arg(long, value_name = "DAY")]
    pub(crate) expires: Option<report::Day>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Take back the waiver in force.
    #[arg(long, conflicts_with_all = ["owner", "expires"], requires = "gate")]
    pub(crate) undo: bool,
    /// How to print the list.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

fn step(text: &str) -> Result<report::Policy, String> {
    policy(text).ok().filter(|step| *step != report::Policy::None).ok_or_else(|| "one of quarantine, reject".to_owned())
}

fn policy(text: &str) -> Result<report::Policy, String> {
    report::Policy::from_word(&text.to_lowercase()).ok_or_else(|| "one of none, quarantine, reject".to_owned())
}

fn alignment(text: &str) -> Result<report::Alignment, String> {
    match text {
        "r" | "relaxed" => Ok(report::Alignment::Relaxed),
        "s" | "strict" => Ok(report::Alignment::Strict),
        _ => Err("r (relaxed) or s (strict)".to_owned()),
    }
}

fn yes(text: &str) -> Result<bool, String> {
    match text {
        "y" => Ok(true),
        "n" => Ok(false),
        _ => Err("y or n".to_owned()),
    }
}

fn receivers(text: &str) -> Result<insight::Receivers, String> {
    insight::Receivers::from_word(text).ok_or_else(|| "one of rfc9989, rfc7489".to_owned())
}
