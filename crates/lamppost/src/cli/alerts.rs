//! Arguments of the commands about alerts.

use clap::{Args, Subcommand};

use super::{Format, TextOrJson};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct AlertsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<AlertsCommand>,
    /// Also those resolved more than two weeks ago.
    #[arg(long)]
    pub(crate) all: bool,
    /// Send what is to be sent: for those who import by a timer and run no `serve`.
    #[arg(long)]
    pub(crate) send: bool,
    /// How it is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AlertsCommand {
    /// Say that somebody knows: no more notices of this alert until it is over.
    Acknowledge(WordArgs),
    /// No notices of this cause for some days.
    Silence {
        #[command(flatten)]
        word: WordArgs,
        /// For so many days.
        #[arg(long, default_value_t = 7, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=366))]
        days: u16,
    },
    /// Take back an acknowledgement or a silence.
    Undo(WordArgs),
    /// Send a notice that says that it is a test.
    Test {
        /// The channel, by its name in the configuration.
        #[arg(value_name = "CHANNEL")]
        channel: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct WordArgs {
    /// The alert, by number as `lamppost alerts` lists it.
    #[arg(value_name = "ALERT")]
    pub(crate) alert: u64,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Who says so; by default the user who is logged in.
    #[arg(long, value_name = "NAME")]
    pub(crate) who: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DigestArgs {
    /// How it is printed.
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    pub(crate) format: TextOrJson,
}
