//! Channels: how people are told. Mail, webhooks, syslog.
//!
//! | module | is |
//! | --- | --- |
//! | `text` | a notice as plain text: what came from reports can break out of nothing |
//! | [`mail`], `submission` | mail, and the dialogue in which it is handed to a server |
//! | [`webhook`] | JSON over HTTP: plain, and as Slack, Teams and Matrix take it |
//! | [`syslog`] | RFC 5424 over UDP, TCP and TLS, with CEF if wanted |
//! | `deliver` | from the ledger's notices to channels: each at least once, with the same id |
//!
//! In: [`insight::Notice`]s. Out: messages on the way. Nothing here decides what is worth telling.

mod deliver;
pub mod mail;
mod submission;
pub mod syslog;
mod text;
pub mod webhook;

use std::collections::BTreeSet;

use insight::{ChannelWants, Notice, NoticeKind, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use deliver::{Delivered, deliver};

/// Channels, as they are configured; each kind may be there many times over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Mail.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mail: Vec<mail::Settings>,
    /// Webhooks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub webhook: Vec<webhook::Settings>,
    /// Syslog.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub syslog: Vec<syslog::Settings>,
}

/// What a channel wants to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Wants {
    /// Alerts from this severity on: `amber`, `red`.
    pub severity: Severity,
    /// Also when they are over.
    pub resolved: bool,
    /// The weekly digest.
    pub digest: bool,
}

impl Default for Wants {
    fn default() -> Self {
        Self { severity: Severity::Amber, resolved: true, digest: true }
    }
}

/// One channel, ready to send.
#[derive(Debug, Clone)]
pub enum Channel {
    /// Mail.
    Mail(mail::Settings),
    /// A webhook.
    Webhook(webhook::Settings),
    /// Syslog.
    Syslog(syslog::Settings),
}

impl Settings {
    /// All channels.
    #[must_use]
    pub fn channels(&self) -> Vec<Channel> {
        let mail = self.mail.iter().cloned().map(Channel::Mail);
        let webhook = self.webhook.iter().cloned().map(Channel::Webhook);
        mail.chain(webhook).chain(self.syslog.iter().cloned().map(Channel::Syslog)).collect()
    }

    /// Whether the settings make sense.
    ///
    /// # Errors
    /// What is wrong, and with which channel, in words for people.
    pub fn check(&self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        for channel in self.channels() {
            let name = channel.name();
            // It stands in the id of a mail.
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)) {
                return Err(format!(
                    "a channel under [alerts] is called `{}`: it needs a `name` of letters, digits, `-` and `_`",
                    name.escape_debug()
                ));
            }
            if !names.insert(name.to_owned()) {
                return Err(format!("two channels under [alerts] have the same name, {name}"));
            }
            let checked = match &channel {
                Channel::Mail(settings) => settings.check(),
                Channel::Webhook(settings) => settings.check(),
                Channel::Syslog(settings) => settings.check(),
            };
            checked.map_err(|what| format!("the channel {name} under [alerts]: {what}"))?;
        }
        Ok(())
    }
}

impl Channel {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Mail(settings) => &settings.name,
            Self::Webhook(settings) => &settings.name,
            Self::Syslog(settings) => &settings.name,
        }
    }

    /// What it is told.
    #[must_use]
    pub fn wants(&self) -> ChannelWants {
        let wants = match self {
            Self::Mail(settings) => &settings.wants,
            Self::Webhook(settings) => &settings.wants,
            Self::Syslog(settings) => &settings.wants,
        };
        let Wants { severity, resolved, digest } = *wants;
        ChannelWants { name: self.name().to_owned(), least: severity, resolved, digest }
    }

    /// Hands a notice over. `base` is where the portal is, for links; empty where nobody said.
    ///
    /// # Errors
    /// Why it was not taken, in words for people. It may have been all the same, where the answer was lost.
    pub async fn send(&self, notice: &Notice, base: &str) -> Result<(), String> {
        match self {
            Self::Mail(settings) => mail::send(settings, notice, base).await,
            Self::Webhook(settings) => webhook::send(settings, notice, base).await,
            Self::Syslog(settings) => syslog::send(settings, notice, base).await,
        }
    }
}

/// A digest as lines of text.
#[must_use]
pub fn digest_lines(digest: &insight::Digest) -> Vec<String> {
    text::digest_lines(digest)
}

/// A notice by which somebody tries a channel. Its id is made of the moment.
#[must_use]
pub fn test_notice(now: i64) -> Notice {
    Notice { id: format!("test-{now}"), kind: NoticeKind::Test, at: now, alerts: Vec::new(), digest: None }
}
