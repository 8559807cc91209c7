//! Mailboxes by IMAP (RFC 3501): found, fetched in batches, and once kept for good moved, deleted, marked or left.
//!
//! | module | is |
//! | --- | --- |
//! | `login` | from a host name to a session: TLS, password or token |
//! | `folder` | one folder: what is new in it, fetching, acknowledging |
//!
//! In: a mailbox. Out: items. Every folder has a connection of its own and waits with IDLE where the server can; after IDLE, and every
//! few minutes anyway, it looks again, because not every server tells. Numbers of messages are trusted only within one session and,
//! where messages are left in place, under one UIDVALIDITY; reading something twice is harmless.

mod folder;
mod login;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::context::Context;
use super::oauth::{self, Tokens};
use wire::Secret;

/// A mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Its name, for pages and messages.
    pub name: String,
    /// The server.
    pub host: String,
    /// Its port; 993 with TLS from the beginning and 143 otherwise, if not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How the connection is encrypted.
    pub tls: TlsMode,
    /// A file with the authorities to trust (PEM), instead of the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// The user.
    pub user: String,
    /// The password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// Instead of a password: tokens (XOAUTH2), as Microsoft 365 and Gmail want them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oauth: Option<oauth::Settings>,
    /// The folders to read.
    pub folders: Vec<String>,
    /// What becomes of a message once it is kept for good.
    pub after: After,
    /// The folder messages are moved to; it is made if it is not there.
    pub done: String,
    /// Seconds between two looks where the server has no IDLE.
    pub poll_seconds: u32,
    /// Bytes of a message at most; a larger one is not fetched and stays where it is.
    pub message_bytes_max: u32,
}

/// How a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TlsMode {
    /// From the beginning.
    Implicit,
    /// By STARTTLS, before anything else is said.
    Starttls,
    /// Not at all: to this machine only.
    None,
}

/// What becomes of a message once it is kept for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum After {
    /// It is moved to the folder `done`.
    Move,
    /// It is deleted.
    Delete,
    /// It is marked as seen; messages that are seen already are not read.
    Seen,
    /// It stays as it is; how far the folder was read is remembered in the data directory.
    Leave,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: String::new(),
            host: String::new(),
            port: None,
            tls: TlsMode::Implicit,
            ca: None,
            user: String::new(),
            password: None,
            oauth: None,
            folders: vec!["INBOX".to_owned()],
            after: After::Move,
            done: "lamppost".to_owned(),
            poll_seconds: 60,
            message_bytes_max: 50 << 20,
        }
    }
}

impl Settings {
    /// Whose mailbox it is, where, and which folders of it.
    pub(super) fn place(&self) -> String {
        format!("{} at {}: {}", self.user, self.host, self.folders.join(", "))
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let wrong = |what: &str| Err(what.to_owned());
        if self.host.is_empty() || self.user.is_empty() {
            return wrong("it needs `host` and `user`");
        }
        match (&self.password, &self.oauth) {
            (Some(_), Some(_)) => return wrong("it has both `password` and `oauth`: one of them"),
            (None, None) => return wrong("it needs `password`, such as { file = \"/run/secrets/imap\" }, or `oauth`"),
            (None, Some(oauth)) => oauth.check()?,
            (Some(_), None) => {}
        }
        if self.folders.is_empty() || self.folders.iter().any(String::is_empty) {
            return wrong("`folders` is empty, so there is nothing to read");
        }
        if self.after == After::Move && (self.done.is_empty() || self.folders.contains(&self.done)) {
            return wrong("`done` must be another folder than those that are read");
        }
        // Names and passwords go into quoted strings.
        let texts = self.folders.iter().chain([&self.done, &self.user]);
        if texts.into_iter().any(|text| text.chars().any(char::is_control)) {
            return wrong("a name has a control character in it");
        }
        if self.poll_seconds == 0 || self.message_bytes_max == 0 {
            return wrong("`poll_seconds` and `message_bytes_max` must be at least 1");
        }
        Ok(())
    }
}

/// One mailbox, ready to be connected to.
pub(super) struct Source {
    pub(super) settings: Settings,
    pub(super) connector: tokio_rustls::TlsConnector,
    pub(super) tokens: Option<Tokens>,
    pub(super) context: Context,
    /// Where is noted how far folders were read.
    pub(super) notes: PathBuf,
}

impl Source {
    pub(super) fn open(settings: &Settings, dir: &Path, context: Context) -> Result<Self, String> {
        let connector = wire::connector(settings.ca.as_deref())?;
        if let Some(secret) = &settings.password {
            secret.open()?;
        }
        let tokens = settings.oauth.clone().map(|oauth| Tokens::new(oauth, connector.clone()));
        let notes = dir.join("sources").join(format!("{}.json", settings.name));
        Ok(Self { settings: settings.clone(), connector, tokens, context, notes })
    }

    /// Runs until told to stop.
    pub(super) async fn run(self) {
        let source = Arc::new(self);
        let mut folders = JoinSet::new();
        for name in &source.settings.folders {
            let (source, name) = (source.clone(), name.clone());
            folders.spawn(async move {
                let context = source.context.clone();
                let tries = folder::Tries::default();
                let pass = || folder::run(source.clone(), name.clone(), tries.clone());
                context.keep_trying(Duration::from_secs(1), pass).await;
            });
        }
        while folders.join_next().await.is_some() {}
    }
}
