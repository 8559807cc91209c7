//! Arguments of the commands that ask DNS: `check`, `spf`, `lint`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::TextOrJson;

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
