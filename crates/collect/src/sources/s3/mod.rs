//! Object storage that speaks S3: listed, fetched, and once kept for good left, deleted or moved to another prefix.
//!
//! | module | is |
//! | --- | --- |
//! | `client` | requests with their signature, answers, and what a refusal means |
//! | `objects` | one look: what is new, fetching it, acknowledging it |
//! | `taken` | what was taken and stays where it is, between looks and restarts |
//!
//! In: a bucket. Out: items. The protocol is Amazon's; requests are signed by its Signature Version 4, in the query. An object is told
//! from another by key, `ETag` and size; reading one twice is harmless.

mod client;
mod objects;
mod taken;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::context::Context;
use client::Client;
use taken::Taken;
use wire::Secret;

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Its name, for pages and messages.
    pub name: String,
    /// URL of the server; Amazon's for the region if not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The region the bucket is in; what servers of others call theirs, if they have any.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// Where the bucket's name stands: `path` or `host`.
    pub addressing: Addressing,
    /// What the keys of reports begin with, such as `dmarc/`; all objects of the bucket if empty.
    pub prefix: String,
    /// The access key: the one of the two that is no secret.
    pub access_key: String,
    /// The secret key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_key: Option<Secret>,
    /// The token that goes with temporary keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_token: Option<Secret>,
    /// A file with the authorities to trust (PEM), instead of the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Whether the objects are mail from anybody, as Amazon SES stores it: then a report counts only if DMARC passes for the mail.
    pub mail: bool,
    /// What becomes of an object once it is kept for good.
    pub after: After,
    /// What the keys of objects that are moved begin with, instead of `prefix`.
    pub done: String,
    /// Seconds between two looks.
    pub poll_seconds: u32,
    /// Bytes of an object at most; a larger one is not fetched and stays where it is.
    pub object_bytes_max: u64,
}

/// Where a bucket's name stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Addressing {
    /// In the path: `https://s3.example/bucket/key`.
    Path,
    /// In the host: `https://bucket.s3.example/key`.
    Host,
}

/// What becomes of an object once it is kept for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum After {
    /// It stays; that it was taken is remembered in the data directory. Keys that may only read are enough.
    Leave,
    /// It is deleted.
    Delete,
    /// It is moved: its key begins with `done` then.
    Move,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: String::new(),
            endpoint: None,
            region: "us-east-1".to_owned(),
            bucket: String::new(),
            addressing: Addressing::Path,
            prefix: String::new(),
            access_key: String::new(),
            secret_key: None,
            session_token: None,
            ca: None,
            mail: false,
            after: After::Leave,
            done: "done/".to_owned(),
            poll_seconds: 300,
            object_bytes_max: 50 << 20,
        }
    }
}

impl Settings {
    /// Where the bucket is, for people.
    pub(super) fn place(&self) -> String {
        client::bucket(self)
            .map_or_else(|_| self.bucket.clone(), |bucket| format!("{}{}", bucket.base_url(), self.prefix))
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let wrong = |what: &str| Err(what.to_owned());
        if self.bucket.is_empty() {
            return wrong("it needs a `bucket`");
        }
        if self.region.is_empty() {
            return wrong("`region` is empty: leave it out if the server has none");
        }
        if self.access_key.is_empty() || self.secret_key.is_none() {
            return wrong("it needs `access_key` and `secret_key`, such as { file = \"/run/secrets/s3\" }");
        }
        if self.after == After::Move && (self.done.is_empty() || self.prefix.starts_with(&self.done)) {
            return wrong("`prefix` begins with `done`, so what is moved would be read again: choose another `done`");
        }
        if self.poll_seconds == 0 || self.object_bytes_max == 0 {
            return wrong("`poll_seconds` and `object_bytes_max` must be at least 1");
        }
        client::bucket(self).map(drop)
    }
}

/// One bucket, ready to be looked into.
pub(super) struct Source {
    settings: Settings,
    client: Client,
    context: Context,
    /// What was taken and is still there.
    taken: Mutex<Taken>,
}

impl Source {
    pub(super) fn open(settings: &Settings, dir: &Path, context: Context) -> Result<Self, String> {
        let path = dir.join("sources").join(format!("{}.taken", settings.name));
        let client = Client::new(settings)?;
        Ok(Self { settings: settings.clone(), client, context, taken: Mutex::new(Taken::new(path)) })
    }

    /// Runs until told to stop.
    pub(super) async fn run(self) {
        let rest = Duration::from_secs(u64::from(self.settings.poll_seconds));
        let source = Arc::new(self);
        source.context.keep_trying(rest, || objects::look(source.clone())).await;
    }
}
