//! An item that comes in pieces: in memory while it is small, streamed to the ledger once it is not.
//!
//! In: pieces in order. Out: a receipt when all of it is on disk. One that is dropped before [`Arrival::finish`] leaves nothing behind.

use std::io::{self, Read};

use store::Kept;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinHandle;

use crate::clock::now;
use crate::desk::{Desk, KeepError, Receipt, receipt};
use crate::feed::SMALL_BYTES_MAX;

/// Pieces on their way to the ledger: enough to keep it busy.
const PIECES_WAITING: usize = 4;

/// A part of something that comes.
pub(crate) enum Piece {
    Bytes(Vec<u8>),
    End,
}

/// An item that is coming.
pub struct Arrival {
    desk: Desk,
    origin: String,
    held: Vec<u8>,
    size: u64,
    stream: Option<Stream>,
}

struct Stream {
    to: mpsc::Sender<Piece>,
    kept: JoinHandle<Result<Kept, store::Error>>,
    _turn: OwnedSemaphorePermit,
}

impl Arrival {
    pub(crate) fn new(desk: Desk, origin: String) -> Self {
        Self { desk, origin, held: Vec::new(), size: 0, stream: None }
    }

    /// Bytes so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// Why it cannot be kept.
    pub async fn write(&mut self, piece: &[u8]) -> Result<(), KeepError> {
        self.size += piece.len() as u64;
        self.held.extend_from_slice(piece);
        if self.held.len() <= SMALL_BYTES_MAX {
            return Ok(());
        }
        if self.stream.is_none() {
            self.stream = Some(self.begin().await?);
        }
        let held = std::mem::take(&mut self.held);
        self.pass_on(Piece::Bytes(held)).await
    }

    /// Keeps it for good.
    ///
    /// # Errors
    /// Why it is not kept.
    pub async fn finish(mut self) -> Result<Receipt, KeepError> {
        let held = std::mem::take(&mut self.held);
        if self.stream.is_none() {
            let (desk, origin) = (self.desk.clone(), std::mem::take(&mut self.origin));
            return desk.keep(held, origin).await;
        }
        self.pass_on(Piece::Bytes(held)).await?;
        self.pass_on(Piece::End).await?;
        let kept = self.outcome().await?;
        let receipt = receipt(kept, self.size);
        self.desk.settle(&[receipt]).await?;
        Ok(receipt)
    }

    async fn begin(&self) -> Result<Stream, KeepError> {
        let inner = &self.desk.inner;
        let turn = tokio::time::timeout(inner.limits.large_wait, inner.large.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(KeepError::Busy) };
        let (to, pieces) = mpsc::channel(PIECES_WAITING);
        let (ledger, origin) = (inner.ledger.clone(), self.origin.clone());
        let kept = tokio::task::spawn_blocking(move || ledger.keep(&mut Pieces::new(pieces), &origin, now()));
        Ok(Stream { to, kept, _turn: turn })
    }

    async fn pass_on(&mut self, piece: Piece) -> Result<(), KeepError> {
        let Some(stream) = &self.stream else { return Ok(()) };
        if stream.to.send(piece).await.is_ok() {
            return Ok(());
        }
        // The ledger listens no more: it has failed, and says why.
        Err(self.outcome().await.err().unwrap_or(KeepError::Busy))
    }

    async fn outcome(&mut self) -> Result<Kept, KeepError> {
        let Some(stream) = self.stream.take() else { return Err(KeepError::Busy) };
        drop(stream.to);
        match stream.kept.await {
            Ok(kept) => Ok(kept?),
            Err(error) => Err(KeepError::Ledger(format!("a defect of this program was met ({error})"))),
        }
    }
}

/// Pieces as the ledger reads them. Without their end it is an error, so that half an item is never kept for a whole one.
pub(crate) struct Pieces {
    come: mpsc::Receiver<Piece>,
    open: io::Cursor<Vec<u8>>,
    /// The end has come: there is nothing behind it, however often somebody reads.
    ended: bool,
}

impl Pieces {
    pub(crate) fn new(pieces: mpsc::Receiver<Piece>) -> Self {
        Self { come: pieces, open: io::Cursor::default(), ended: false }
    }
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.open.read(into)?;
            if count > 0 || into.is_empty() || self.ended {
                return Ok(count);
            }
            match self.come.blocking_recv() {
                Some(Piece::Bytes(bytes)) => self.open = io::Cursor::new(bytes),
                Some(Piece::End) => {
                    self.come.close();
                    self.ended = true;
                }
                None => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the sender broke off")),
            }
        }
    }
}
