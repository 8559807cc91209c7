//! Where everything that arrives by itself is handed in: kept for good first, acknowledged then, read in the background.
//!
//! In: items from any number of sources at once, as bytes, in pieces, or as files. Out: a [`Receipt`] for each, once its raw copy is on
//! disk; many that arrive together share one sync. What is in an item is found out by the [`crate::taker`] behind the desk; who wants
//! to know waits for its [`Outcome`]. The desk knows nothing of protocols.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use store::{Kept, KeptState, Ledger, RawKey};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot, watch};

use crate::arrival::Arrival;
use crate::clock::now;
use crate::feed;
use crate::file_arrival::{FileArrival, FileItem};
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
    awaited: Mutex<Awaited>,
    /// Brought again by hand: to be counted as that.
    repeats: Mutex<VecDeque<Repeat>>,
    /// Those who wait and have nothing more to bring.
    hurry: AtomicU64,
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
            repeats: Mutex::default(),
            hurry: AtomicU64::new(0),
            lost,
        };
        Ok((Self { inner: Arc::new(inner) }, wakes))
    }

    /// Begins an item that comes in pieces. `origin` says where it came from, for people.
    #[must_use]
    pub fn arrival(&self, origin: String) -> Arrival {
        Arrival::new(self.clone(), origin)
    }

    /// Begins a file that comes in pieces and may be a mailbox. `origin` says where it came from, for people.
    #[must_use]
    pub fn file(&self, origin: String) -> FileArrival {
        FileArrival::new(self.clone(), origin)
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
        if let KeptState::Known { reports, rejected, samples } = receipt.state {
            return Some(Outcome::known(reports, samples, rejected));
        }
        let _hurry = self.hurry();
        self.wake();
        let mut told = self.awaited().wait(receipt.key);
        self.told(&mut told, receipt, patience).await
    }

    /// What is found in an item of a file, once it counts. Nothing if it takes longer than `patience`: ask again then.
    pub async fn outcome_of(&self, item: &mut FileItem, patience: Duration) -> Option<Outcome> {
        self.told(&mut item.outcome, &item.receipt, patience).await
    }

    async fn told(
        &self,
        told: &mut oneshot::Receiver<Outcome>,
        receipt: &Receipt,
        patience: Duration,
    ) -> Option<Outcome> {
        // One that was closed has nothing more to say, and may not be asked again.
        if !told.is_terminated()
            && let Ok(Ok(outcome)) = tokio::time::timeout(patience, &mut *told).await
        {
            return Some(outcome);
        }
        // Between its receipt and the question so much may have been read that its outcome is no longer remembered.
        let (ledger, key) = (self.inner.ledger.clone(), receipt.key);
        match blocking(move || Ok(ledger.keep(&mut ledger.raw(&key)?, "", 0)?)).await {
            Ok(Kept { state: KeptState::Known { reports, rejected, samples }, .. }) => {
                Some(Outcome::known(reports, samples, rejected))
            }
            _ => None,
        }
    }

    /// Begins to wait for what is found in an item that was just kept. One that had come before is counted as such.
    pub(crate) fn watch(&self, origin: &str, receipt: &Receipt) -> oneshot::Receiver<Outcome> {
        if receipt.state == KeptState::New {
            return self.awaited().wait(receipt.key);
        }
        let (tell, told) = oneshot::channel();
        self.repeats().push_back(Repeat { receipt: *receipt, origin: origin.to_owned(), tell });
        told
    }

    /// Some of what was brought again.
    pub(crate) fn take_repeats(&self, max: usize) -> Vec<Repeat> {
        let mut repeats = self.repeats();
        let count = repeats.len().min(max);
        repeats.drain(..count).collect()
    }

    /// For the next round.
    pub(crate) fn put_back(&self, repeats: Vec<Repeat>) {
        let mut waiting = self.repeats();
        for repeat in repeats.into_iter().rev() {
            waiting.push_front(repeat);
        }
    }

    pub(crate) fn has_repeats(&self) -> bool {
        !self.repeats().is_empty()
    }

    /// As long as this lives, what is kept is read at once, without waiting for more to come with it.
    #[must_use]
    pub fn hurry(&self) -> Hurry {
        self.inner.hurry.fetch_add(1, Ordering::Relaxed);
        self.wake();
        Hurry(self.clone())
    }

    /// Whether somebody waits who has nothing more to bring.
    pub(crate) fn is_in_hurry(&self) -> bool {
        self.inner.hurry.load(Ordering::Relaxed) > 0
    }

    /// Tells those who wait.
    pub(crate) fn tell(&self, outcomes: Vec<(RawKey, Outcome)>) {
        let mut awaited = self.awaited();
        for (key, outcome) in outcomes {
            awaited.tell(key, outcome);
        }
        // What nobody waits for any more.
        awaited.waiting.retain(|_, waiting| waiting.iter().any(|tell| !tell.is_closed()));
    }

    /// Items are kept and to be read; they are on disk for good once they are read, or after [`Self::secure`].
    pub(crate) fn arrived<'a>(&self, receipts: impl IntoIterator<Item = &'a Receipt>) {
        let new = receipts.into_iter().filter(|receipt| receipt.state == KeptState::New).count() as u64;
        self.inner.backlog.fetch_add(new, Ordering::Relaxed);
        self.wake();
    }

    /// Brings everything that was kept until now to disk for good, with what others kept meanwhile.
    ///
    /// # Errors
    /// Why it may not be taken for safe.
    pub async fn secure(&self) -> Result<(), KeepError> {
        let (tell, told) = oneshot::channel();
        let gone = || KeepError::Ledger("the program is ending".to_owned());
        self.inner.syncs.send(tell).map_err(|_| gone())?;
        told.await.map_err(|_| gone())?
    }

    /// Brings what was kept to disk for good, with what others kept meanwhile, and has it read.
    pub(crate) async fn settle(&self, receipts: &[Receipt]) -> Result<(), KeepError> {
        self.arrived(receipts);
        // Items that came before and wait may be on their way to disk too. Only what has an outcome is there for sure.
        if receipts.iter().all(|receipt| matches!(receipt.state, KeptState::Known { .. })) {
            return Ok(());
        }
        self.secure().await?;
        self.wake();
        Ok(())
    }

    pub(crate) fn wake(&self) {
        // One wake-up that waits is as good as several.
        let _ = self.inner.arrived.try_send(());
    }

    fn awaited(&self) -> MutexGuard<'_, Awaited> {
        // Every change is complete before anything can panic.
        self.inner.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn repeats(&self) -> MutexGuard<'_, VecDeque<Repeat>> {
        // Every change is complete before anything can panic.
        self.inner.repeats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody waits; see [`Desk::hurry`].
pub struct Hurry(Desk);

impl Drop for Hurry {
    fn drop(&mut self) {
        self.0.inner.hurry.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An item that was brought by hand and had come before.
pub(crate) struct Repeat {
    pub(crate) receipt: Receipt,
    pub(crate) origin: String,
    /// Where to say what is known of it.
    pub(crate) tell: oneshot::Sender<Outcome>,
}

/// Outcomes remembered for those who ask a moment after they have come.
const RECENT_MAX: usize = 4_096;

/// Rejections remembered of each of these.
const RECENT_REJECTIONS_MAX: usize = 3;

/// Who waits for which outcome, and outcomes nobody has asked for yet.
#[derive(Default)]
struct Awaited {
    waiting: HashMap<RawKey, Vec<oneshot::Sender<Outcome>>>,
    recent: HashMap<RawKey, Outcome>,
    /// Of those, the oldest first.
    order: VecDeque<RawKey>,
}

impl Awaited {
    fn wait(&mut self, key: RawKey) -> oneshot::Receiver<Outcome> {
        let (tell, told) = oneshot::channel();
        match self.recent.get(&key) {
            // The receiver is in our hands.
            Some(outcome) => drop(tell.send(outcome.clone())),
            None => self.waiting.entry(key).or_default().push(tell),
        }
        told
    }

    fn tell(&mut self, key: RawKey, mut outcome: Outcome) {
        for tell in self.waiting.remove(&key).unwrap_or_default() {
            // Who has lost patience is not told.
            let _ = tell.send(outcome.clone());
        }
        outcome.rejections.truncate(RECENT_REJECTIONS_MAX);
        if self.recent.insert(key, outcome).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > RECENT_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.recent.remove(&oldest);
        }
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
