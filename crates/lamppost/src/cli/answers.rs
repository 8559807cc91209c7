//! Arguments of the commands that answer from the ledger: domains, trend, sources.

use clap::{Args, ValueEnum};

use super::{PagedArgs, ScopedArgs};

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
