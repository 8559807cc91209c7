//! A file that comes in pieces and may be a mailbox: each of its items is kept as it passes, and its outcome can be waited for.
//!
//! In: pieces in order. Out: what was kept, and why not more. What comes by hand comes this way: an upload, an import by another
//! process. Memory stays bounded whatever the size; one that is dropped before [`FileArrival::finish`] leaves nothing of its last item.

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::arrival::{Piece, Pieces};
use crate::desk::{Desk, KeepError, Receipt};
use crate::feed;
use crate::take::Outcome;

/// Pieces on their way to the ledger: enough to keep it busy.
const PIECES_WAITING: usize = 4;

/// A file that is coming.
pub struct FileArrival {
    to: mpsc::Sender<Piece>,
    kept: JoinHandle<FileItems>,
    size: u64,
}

/// One item of it, kept.
#[derive(Debug)]
pub struct FileItem {
    /// The file; of a mailbox, with the number of the message.
    pub origin: String,
    /// Its receipt. It is on disk for good once its outcome is there, or [`Desk::secure`] was done.
    pub receipt: Receipt,
    /// What is found in it.
    pub(crate) outcome: oneshot::Receiver<Outcome>,
}

/// What was kept of a file.
#[derive(Debug, Default)]
pub struct FileItems {
    /// In the order of the file.
    pub items: Vec<FileItem>,
    /// Where keeping ended early: at what, and why.
    pub failed: Option<(String, KeepError)>,
}

impl FileArrival {
    pub(crate) fn new(desk: Desk, origin: String) -> Self {
        let (to, pieces) = mpsc::channel(PIECES_WAITING);
        let kept = tokio::task::spawn_blocking(move || {
            let mut items = Vec::new();
            let mut each = |origin: String, receipt: Receipt| {
                let outcome = desk.watch(&origin, &receipt);
                items.push(FileItem { origin, receipt, outcome });
            };
            let failed = feed::keep_all(&desk.inner.ledger, &origin, &mut Pieces::new(pieces), &mut each).err();
            // Also where nobody waits for it any more.
            desk.arrived(items.iter().map(|item| &item.receipt));
            FileItems { items, failed }
        });
        Self { to, kept, size: 0 }
    }

    /// Bytes so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Takes the next piece. Where nothing more can be kept, [`Self::finish`] says why.
    pub async fn write(&mut self, piece: Vec<u8>) {
        self.size += piece.len() as u64;
        let _ = self.to.send(Piece::Bytes(piece)).await;
    }

    /// Ends the file; what was kept is read and counted. Where it is not complete its last item is not kept.
    pub async fn finish(self, complete: bool) -> FileItems {
        if complete {
            let _ = self.to.send(Piece::End).await;
        }
        drop(self.to);
        let defect = |error| KeepError::Ledger(format!("a defect of this program was met ({error})"));
        self.kept
            .await
            .unwrap_or_else(|error| FileItems { items: Vec::new(), failed: Some((String::new(), defect(error))) })
    }
}
