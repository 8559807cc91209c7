//! Arguments of the commands about what is published in DNS, and of the inventories.

use clap::{Args, Subcommand};

use super::{DnsArgs, Format, ScopedArgs, TextOrJson};

#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    #[command(flatten)]
    pub(crate) dns: DnsArgs,
    /// Note the answers as of the end of this day, as 2021-03-01: to bring in zones that were kept elsewhere, the oldest first.
    #[arg(long, value_name = "DAY", requires = "zone")]
    pub(crate) at: Option<report::Day>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    pub(crate) format: TextOrJson,
}

#[derive(Debug, Args)]
pub(crate) struct DnsHistoryArgs {
    /// The domain; all of them, without it.
    #[arg(value_name = "DOMAIN")]
    pub(crate) domain: Option<String>,
    /// How to print; `csv` is what stood where, `text` begins with what changed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Subcommand)]
pub(crate) enum InventoryCommand {
    /// The DKIM keys that sign in our name: how strong, how old, how much they carry.
    Dkim(ScopedArgs),
    /// An SPF record joined with traffic: what each term costs, and what mail it let pass. Needs --domain.
    Spf(ScopedArgs),
    /// The names that our hosts greet with, and which of them have no SPF.
    Helo(ScopedArgs),
}
