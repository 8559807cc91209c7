//! What arrives by itself: settings of each kind of source, and [`Collecting`], which runs all of them beside each other.
//!
//! | module | is |
//! | --- | --- |
//! | `folder` | watched folders and Maildirs |
//! | `http` | HTTP push |
//! | `imap`, `oauth` | mailboxes, and tokens for those that take no passwords |
//! | `s3` | buckets of object storage |
//! | `smtp` | SMTP and LMTP: mail that is handed to us |
//! | `listen`, `context` | what those that listen share, and those that fetch |
//!
//! In: settings as values. Out: items at the [`crate::Desk`], and [`Health`]. A source that fails tries again, later and later, and holds
//! up no other; nothing is acknowledged, moved or deleted before its raw copy is on disk.

mod context;
pub mod folder;
pub mod http;
pub mod imap;
mod listen;
pub mod oauth;
pub mod s3;
pub mod smtp;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Ledger;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::carrier::Judge;
use crate::desk::{Desk, DeskLimits};
use crate::health::{Board, Health};
use crate::import::Options;
use crate::taker;
use context::Context;

/// All sources, by kind; each may be there many times over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Watched folders and Maildirs.
    pub folder: Vec<folder::Settings>,
    /// HTTP push: `POST /reports` with a token.
    pub http: Vec<http::Settings>,
    /// Mailboxes.
    pub imap: Vec<imap::Settings>,
    /// Mail from our own mail server (RFC 2033).
    pub lmtp: Vec<smtp::Settings>,
    /// Buckets of object storage that speaks S3.
    pub s3: Vec<s3::Settings>,
    /// Mail from anybody (RFC 5321): point the rua address at it.
    pub smtp: Vec<smtp::Settings>,
}

/// Why collecting cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A setting is wrong.
    #[error("[[source.{kind}]] {name:?}: {what}")]
    Setting {
        /// The kind of source.
        kind: &'static str,
        /// Its name.
        name: String,
        /// What is wrong, and what is right.
        what: String,
    },
    /// The system gives no thread.
    #[error("cannot start a thread: {0}; raise the limit on processes or memory")]
    Thread(#[from] std::io::Error),
}

impl Settings {
    /// Whether nothing is configured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Kind, name and what is wrong of each.
    fn all(&self) -> Vec<(&'static str, &str, Result<(), String>)> {
        let mut all = Vec::new();
        all.extend(self.folder.iter().map(|s| ("folder", s.name.as_str(), s.check())));
        all.extend(self.http.iter().map(|s| ("http", s.name.as_str(), s.check())));
        all.extend(self.imap.iter().map(|s| ("imap", s.name.as_str(), s.check())));
        all.extend(self.lmtp.iter().map(|s| ("lmtp", s.name.as_str(), s.check())));
        all.extend(self.s3.iter().map(|s| ("s3", s.name.as_str(), s.check())));
        all.extend(self.smtp.iter().map(|s| ("smtp", s.name.as_str(), s.check())));
        all
    }

    /// Name and place of each: what it reads, or the address on which it is to listen. Without secrets, for pages.
    #[must_use]
    pub fn places(&self) -> Vec<(String, String)> {
        let listen = |address: Option<SocketAddr>| address.map_or_else(String::new, |address| address.to_string());
        let mut all = Vec::new();
        all.extend(self.folder.iter().map(|s| (s.name.clone(), s.path.display().to_string())));
        all.extend(self.http.iter().map(|s| (s.name.clone(), listen(s.listen))));
        all.extend(self.imap.iter().map(|s| (s.name.clone(), s.place())));
        all.extend(self.s3.iter().map(|s| (s.name.clone(), s.place())));
        all.extend(self.lmtp.iter().chain(&self.smtp).map(|s| (s.name.clone(), listen(s.listen))));
        all
    }

    /// Whether everything in it is as it must be, as far as that can be seen without starting it.
    ///
    /// # Errors
    /// The first setting that is wrong.
    pub fn check(&self) -> Result<(), StartError> {
        let mut names = BTreeSet::new();
        for (kind, name, checked) in self.all() {
            let wrong = |what: String| StartError::Setting { kind, name: name.to_owned(), what };
            let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if name.is_empty() || name.len() > 64 || !name.chars().all(is_plain) {
                return Err(wrong("it needs a `name` of letters, digits, `-` and `_`, 64 at most".to_owned()));
            }
            if !names.insert(name) {
                return Err(wrong("another source has the same name, and both would write to one file".to_owned()));
            }
            checked.map_err(wrong)?;
        }
        Ok(())
    }
}

/// All sources at work, and the ledger's writer behind them.
pub struct Collecting {
    desk: Desk,
    boards: Vec<Board>,
    listening: Vec<(String, SocketAddr)>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    taker: Option<JoinHandle<()>>,
    /// Dropped, it stops the taker.
    taker_stop: Option<crossbeam_channel::Sender<()>>,
}

impl Collecting {
    /// Starts all sources; `dir` is the data directory, where some note how far they have read. To be called inside of a tokio
    /// runtime. `judge` says whose mail it is that reports come in; `domains` are our
    /// own, and reports by mail about others are refused unless it is empty.
    ///
    /// # Errors
    /// What is wrong with a source's settings, a missing secret or a taken port included; nothing runs then.
    pub async fn start(
        ledger: Ledger,
        dir: &Path,
        settings: &Settings,
        judge: Arc<dyn Judge>,
        domains: Vec<String>,
    ) -> Result<Self, StartError> {
        settings.check()?;
        let (desk, wakes) = Desk::open(ledger, DeskLimits::default())?;
        let (stop, stopped) = watch::channel(false);
        let mut this = Self {
            desk: desk.clone(),
            boards: Vec::new(),
            listening: Vec::new(),
            stop,
            tasks: JoinSet::new(),
            taker: None,
            taker_stop: None,
        };
        this.listen(settings, &stopped).await?;
        this.fetch(settings, dir, &stopped)?;
        this.taker = Some(this.start_taker(wakes, Options { judge: Some(judge), domains, ..Options::default() })?);
        #[cfg(unix)]
        match crate::handover::Door::open(dir, desk.clone()) {
            Ok(door) => drop(this.tasks.spawn(door.run(stopped))),
            Err(error) => tracing::warn!("`lamppost import` will be refused while this runs: {error}"),
        }
        // What an earlier run left over.
        desk.wake();
        Ok(this)
    }

    /// Starts the sources that others hand in at.
    async fn listen(&mut self, settings: &Settings, stopped: &watch::Receiver<bool>) -> Result<(), StartError> {
        for (kind, of_kind) in [("lmtp", &settings.lmtp), ("smtp", &settings.smtp)] {
            for source in of_kind {
                let context = self.context(kind, &source.name, stopped);
                let wrong = |what| StartError::Setting { kind, name: source.name.clone(), what };
                let server = smtp::Server::open(source, context).await.map_err(wrong)?;
                self.listening.push((source.name.clone(), server.address()));
                self.tasks.spawn(server.run());
            }
        }
        for source in &settings.http {
            let context = self.context("http", &source.name, stopped);
            let wrong = |what| StartError::Setting { kind: "http", name: source.name.clone(), what };
            let server = http::Server::open(source, context).await.map_err(wrong)?;
            self.listening.push((source.name.clone(), server.address()));
            self.tasks.spawn(server.run());
        }
        Ok(())
    }

    /// Starts the sources that are looked into.
    fn fetch(&mut self, settings: &Settings, dir: &Path, stopped: &watch::Receiver<bool>) -> Result<(), StartError> {
        for folder in &settings.folder {
            let context = self.context("folder", &folder.name, stopped);
            self.tasks.spawn(folder::run(folder.clone(), context));
        }
        for source in &settings.imap {
            let context = self.context("imap", &source.name, stopped);
            let wrong = |what| StartError::Setting { kind: "imap", name: source.name.clone(), what };
            self.tasks.spawn(imap::Source::open(source, dir, context).map_err(wrong)?.run());
        }
        for source in &settings.s3 {
            let context = self.context("s3", &source.name, stopped);
            let wrong = |what| StartError::Setting { kind: "s3", name: source.name.clone(), what };
            self.tasks.spawn(s3::Source::open(source, dir, context).map_err(wrong)?.run());
        }
        Ok(())
    }

    fn context(&mut self, kind: &'static str, name: &str, stopped: &watch::Receiver<bool>) -> Context {
        let board = Board::new(name, kind);
        self.boards.push(board.clone());
        Context { kind, name: name.to_owned(), desk: self.desk.clone(), board, stopped: stopped.clone() }
    }

    fn start_taker(
        &mut self,
        wakes: crossbeam_channel::Receiver<()>,
        options: Options,
    ) -> std::io::Result<JoinHandle<()>> {
        let board = Board::new("ledger", "ledger");
        self.boards.push(board.clone());
        let (running, stop) = crossbeam_channel::bounded(0);
        self.taker_stop = Some(running);
        let desk = self.desk.clone();
        let work = move || taker::work(&desk, &wakes, &options, &board, &stop);
        std::thread::Builder::new().name("take".to_owned()).spawn(work)
    }

    /// Where items are handed in by other rooms, such as an upload.
    #[must_use]
    pub fn desk(&self) -> Desk {
        self.desk.clone()
    }

    /// How every source is doing; the last one, `ledger`, is what takes in what they kept.
    #[must_use]
    pub fn health(&self) -> Vec<Health> {
        self.boards.iter().map(Board::read).collect()
    }

    /// The boards of all sources, to be read while they run; the last one is that of what takes in what they kept.
    #[must_use]
    pub fn boards(&self) -> Vec<Board> {
        self.boards.clone()
    }

    /// The sources that listen, and where: ports that the system chose included.
    #[must_use]
    pub fn listening(&self) -> &[(String, SocketAddr)] {
        &self.listening
    }

    /// Waits until the disk fails in a way from which only a new start recovers, and says how.
    pub async fn lost(&self) -> String {
        let mut lost = self.desk.inner.lost.subscribe();
        match lost.wait_for(Option::is_some).await {
            Ok(message) => message.clone().unwrap_or_default(),
            // The desk is in our hands, so it cannot be gone.
            Err(_) => std::future::pending().await,
        }
    }

    /// Stops all sources, then the writer behind them. What is kept and not yet taken in is taken in by the next start.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!("a source ended by a defect of this program: {error}");
            }
        }
        self.taker_stop = None;
        if let Some(taker) = self.taker.take() {
            let _ = tokio::task::spawn_blocking(move || taker.join()).await;
        }
    }
}

impl Drop for Collecting {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}
