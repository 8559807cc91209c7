//! Arguments of `lookalikes`.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use lookalike::Family;

use super::{DnsArgs, Format};

#[derive(Debug, Args)]
pub(crate) struct LookalikesArgs {
    /// The domain of ours.
    #[arg(value_name = "DOMAIN")]
    pub(crate) domain: String,
    /// Only names made in this way; may be given more than once.
    #[arg(long, value_name = "FAMILY", value_parser = family())]
    pub(crate) family: Vec<Family>,
    /// At most so many names, the most alike first.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// A word to try beside the name, with the usual ones; may be given more than once.
    #[arg(long, value_name = "WORD")]
    pub(crate) word: Vec<String>,
    /// Ask DNS which of the names exist, and show those with their score. So does --zone.
    #[arg(long)]
    pub(crate) resolve: bool,
    /// Keep what was seen in the ledger, for the portal and for what changes.
    #[arg(long)]
    pub(crate) keep: bool,
    /// Print the records that this name of yours should have while it has no mail, instead; may be given more than once.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["resolve", "zone", "keep", "family", "limit", "word"])]
    pub(crate) park: Vec<String>,
    /// Where DMARC reports about parked names go; without it dmarc-reports at the domain.
    #[arg(long, value_name = "ADDRESS", requires = "park")]
    pub(crate) rua: Option<String>,
    #[command(flatten)]
    pub(crate) dns: DnsArgs,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

fn family() -> impl TypedValueParser<Value = Family> {
    let words = Family::ALL.map(Family::as_str);
    PossibleValuesParser::new(words)
        .map(|word| Family::ALL.into_iter().find(|family| family.as_str() == word).unwrap_or(Family::Homoglyph))
}
