//! Arguments of the commands about flows and decisions.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::{Format, PagedArgs, ScopedArgs};

#[derive(Debug, Args)]
pub(crate) struct TodayArgs {
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
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
