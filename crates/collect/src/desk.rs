//! Where everything that arrives by itself is handed in: kept for good first, acknowledged then, read in the background.
//!
//! In: items from any number of sources at once, as bytes, in pieces, or as files. Out: a [`Receipt`] for each, once its raw copy is on
//! disk; many that arrive together share one sync. What is in an item is found out by the [`crate::taker`] behind the desk; who wants
//! to know waits for its [`Outcome`]. The desk knows nothing of protocols.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use store::{Kept, KeptState, Ledger, RawKey};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot, watch};

use crate::arrival::Arrival;
use crate::clock::now;
use crate::feed;
use crate::take::Outcome;

/// How much may be under way at the desk.
#[derive(Debug, Clone)]
pub struct DeskLimits {
    /// Items above 256 KiB that are taken in at the same time, each with a thread and some 4 MiB. Almost all reports are smaller.
    pub large_at_once: usize,
    /// How long a large item waits for its turn before its sender is told to come again.
    pub large_wait: Duration,
    /// Items that are kept and not yet read before mailboxes and folders are left waiting: a minute or so of work.
    pub backlog_pull: u64,
    /// Items that are kept and not yet read before senders are told to come again: each costs some 300 bytes of memory.
    pub backlog_push: u64,
}

impl Default for DeskLimits {
    fn default() -> Self {
        Self { large_at_once: 8, large_wait: Duration::from_secs(30), backlog_pull: 20_000, backlog_push: 200_000 }
    }
}

/// An item that is kept for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The name of the raw copy.
    pub key: RawKey,
    /// What the ledger knew of it before.
    pub state: KeptState,
    /// Its bytes.
    pub size: u64,
}

/// Why an item was not kept. Nothing of it is left behind.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum KeepError {
    /// The disk is full.
    #[error(
        "there is no space for raw copies: make room on the disk of the data directory; what is refused comes again"
    )]
    Full,
    /// Too much is under way.
    #[error("too much arrives at once: it is refused for now and comes again")]
    Busy,
    /// Whoever handed it in could not be read to the end.
    #[error("it could not be read: {0}")]
    Item(String),
    /// The ledger failed.
    #[error("{0}")]
    Ledger(String),
}

impl From<store::Error> for KeepError {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::DiskFull { .. } => Self::Full,
            store::Error::Item { source, .. } => Self::Item(source.to_string()),
            other => Self::Ledger(other.to_string()),
        }
    }
}

type Synced = oneshot::Sender<Result<(), KeepError>>;

/// The desk. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) ledger: Ledger,
    pub(crate) limits: DeskLimits,
    pub(crate) large: Arc<Semaphore>,
    syncs: mpsc::UnboundedSender<Synced>,
    /// Wakes the taker.
    arrived: crossbeam_channel::Sender<()>,
    /// Items kept and not yet read, roughly.
    pub(crate) backlog: AtomicU64,
    /// The taker has read some.
    pub(crate) drained: Notify,
    awaited: Mutex<HashMap<RawKey, Vec<oneshot::Sender<Outcome>>>>,
    /// The disk failed in a way from which only a new start recovers.
    pub(crate) lost: watch::Sender<Option<String>>,
}

impl Desk {
    /// A desk before this ledger; the receiver tells of items for the taker.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn open(ledger: Ledger, limits: DeskLimits) -> std::io::Result<(Self, crossbeam_channel::Receiver<()>)> {
        let (syncs, requests) = mpsc::unbounded_channel();
        let (arrived, wakes) = crossbeam_channel::bounded(1);
        let (lost, _) = watch::channel(None);
        let syncing = (ledger.clone(), lost.clone());
        std::thread::Builder::new().name("sync".to_owned()).spawn(move || sync(&syncing.0, requests, &syncing.1))?;
        let inner = Inner {
            ledger,
            large: Arc::new(Semaphore::new(limits.large_at_once)),
            limits,
            syncs,
            arrived,
            backlog: AtomicU64::new(0),
            drained: Notify::new(),
            awaited: Mutex::default(),
            lost,
        };
        Ok((Self { inner: Arc::new(inner) }, wakes))
    }

    /// Begins an item that comes in pieces. `origin` says where it came from, for people.
    #[must_use]
    pub fn arrival(&self, origin: String) -> Arrival {
        Arrival::new(self.clone(), origin)
    }

    /// Keeps an item.
    ///
    /// # Errors
    /// Why it is not kept.
    pub async fn keep(&self, bytes: Vec<u8>, origin: String) -> Result<Receipt, KeepError> {
        let mut receipts = self.keep_all(vec![(origin, bytes)]).await?;
        receipts.pop().ok_or(KeepError::Busy)
    }

    /// Keeps items, each with its origin, and syncs once for all.
    ///
    /// # Errors
    /// Why one of them is not kept; none of them may be acknowledged then.
    pub async fn keep_all(&self, items: Vec<(String, Vec<u8>)>) -> Result<Vec<Receipt>, KeepError> {
        let ledger = self.inner.ledger.clone();
        let keep = move || {
            let received = now();
            let keep_one = |(origin, bytes): (String, Vec<u8>)| {
                let kept = ledger.keep(&mut &bytes[..], &origin, received)?;
                Ok(receipt(kept, bytes.len() as u64))
            };
            items.into_iter().map(keep_one).collect::<Result<Vec<_>, KeepError>>()
        };
        let receipts = blocking(keep).await?;
        self.settle(&receipts).await?;
        Ok(receipts)
    }

    /// Keeps files, each with its origin, and syncs once for all. A mailbox is as many items as it has messages.
    ///
    /// # Errors
    /// The outer one is the ledger's, and none may be acknowledged then; the inner ones are of files that cannot be read.
    pub async fn keep_files(&self, files: Vec<(String, PathBuf)>) -> Result<Vec<FileKept>, KeepError> {
        let ledger = self.inner.ledger.clone();
        let keep_one = move |(origin, path): &(String, PathBuf)| match feed::keep_file(&ledger, origin, path) {
            Err(KeepError::Item(why)) => Ok(Err(why)),
            kept => kept.map(Ok),
        };
        let files: Vec<FileKept> = blocking(move || files.iter().map(keep_one).collect()).await?;
        let receipts: Vec<Receipt> = files.iter().filter_map(|file| file.as_ref().ok()).flatten().copied().collect();
        self.settle(&receipts).await?;
        Ok(files)
    }

    /// Waits until there is room for more; what pulls items asks before it does.
    pub async fn room(&self) {
        loop {
            let drained = self.inner.drained.notified();
            if self.inner.backlog.load(Ordering::Relaxed) < self.inner.limits.backlog_pull {
                return;
            }
            drained.await;
        }
    }

    /// Whether senders have to come again later.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.inner.backlog.load(Ordering::Relaxed) >= self.inner.limits.backlog_push
    }

    /// Items that are kept and not yet read, roughly.
    #[must_use]
    pub fn backlog(&self) -> u64 {
        self.inner.backlog.load(Ordering::Relaxed)
    }

    /// What is found in a kept item, once it counts. Nothing if it takes longer than `patience`: the item is safe all the same.
    pub async fn outcome(&self, receipt: &Receipt, patience: Duration) -> Option<Outcome> {
        if let KeptState::Known { reports, rejected } = receipt.state {
            return Some(Outcome::known(reports, rejected));
        }
        let (tell, told) = oneshot::channel();
        self.awaited().entry(receipt.key).or_default().push(tell);
        // It may have been read between its receipt and the line above.
        let (ledger, key) = (self.inner.ledger.clone(), receipt.key);
        let again = blocking(move || Ok(ledger.keep(&mut ledger.raw(&key)?, "", 0)?)).await;
        if let Ok(Kept { state: KeptState::Known { reports, rejected }, .. }) = again
            && self.awaited().remove(&receipt.key).is_some()
        {
            return Some(Outcome::known(reports, rejected));
        }
        self.wake();
        let outcome = tokio::time::timeout(patience, told).await.ok()?.ok();
        if outcome.is_none() {
            self.awaited().remove(&receipt.key);
        }
        outcome
    }

    /// Whether somebody waits for an outcome.
    pub(crate) fn is_awaited(&self) -> bool {
        !self.awaited().is_empty()
    }

    /// Tells those who wait.
    pub(crate) fn tell(&self, outcomes: Vec<(RawKey, Outcome)>) {
        let mut awaited = self.awaited();
        for (key, outcome) in outcomes {
            for tell in awaited.remove(&key).unwrap_or_default() {
                // Who has lost patience is not told.
                let _ = tell.send(outcome.clone());
            }
        }
        // What nobody waits for any more.
        awaited.retain(|_, waiting| waiting.iter().any(|tell| !tell.is_closed()));
    }

    /// Brings what was kept to disk for good, with what others kept meanwhile, and has it read.
    pub(crate) async fn settle(&self, receipts: &[Receipt]) -> Result<(), KeepError> {
        let new = receipts.iter().filter(|receipt| receipt.state == KeptState::New).count() as u64;
        self.inner.backlog.fetch_add(new, Ordering::Relaxed);
        // Items that came before and wait may be on their way to disk too. Only what has an outcome is there for sure.
        if receipts.iter().all(|receipt| matches!(receipt.state, KeptState::Known { .. })) {
            return Ok(());
        }
        let (tell, told) = oneshot::channel();
        let gone = || KeepError::Ledger("the program is ending".to_owned());
        self.inner.syncs.send(tell).map_err(|_| gone())?;
        told.await.map_err(|_| gone())??;
        self.wake();
        Ok(())
    }

    pub(crate) fn wake(&self) {
        // One wake-up that waits is as good as several.
        let _ = self.inner.arrived.try_send(());
    }

    fn awaited(&self) -> MutexGuard<'_, HashMap<RawKey, Vec<oneshot::Sender<Outcome>>>> {
        // Every change is complete before anything can panic.
        self.inner.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came of one file: its items, or why it cannot be read.
pub type FileKept = Result<Vec<Receipt>, String>;

pub(crate) fn receipt(kept: Kept, size: u64) -> Receipt {
    Receipt { key: kept.key, state: kept.state, size }
}

/// Runs what waits for the disk where it holds nobody up.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeepError> + Send + 'static,
) -> Result<T, KeepError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(KeepError::Ledger(format!("a defect of this program was met ({error}); please report it"))),
    }
}

/// Syncs for as many as wait, again and again, until the desk is gone.
fn sync(ledger: &Ledger, mut requests: mpsc::UnboundedReceiver<Synced>, lost: &watch::Sender<Option<String>>) {
    let mut waiting = Vec::new();
    while let Some(first) = requests.blocking_recv() {
        waiting.push(first);
        while let Ok(more) = requests.try_recv() {
            waiting.push(more);
        }
        let result = ledger.sync_spool().map_err(KeepError::from);
        if let Err(KeepError::Ledger(message)) = &result {
            lost.send_replace(Some(message.clone()));
        }
        for tell in waiting.drain(..) {
            // Who has hung up meanwhile gets no answer, and the item is kept all the same.
            let _ = tell.send(result.clone());
        }
    }
}
