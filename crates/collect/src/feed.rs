//! Files to items to raw copies: whatever arrives is kept in the ledger before anything looks into it.
//!
//! In: files and folders, or what the ledger has left over. Out: items in the order in which they are met, on their way to be read.
//! A mailbox is as many items as it has messages; every other file is one. What cannot be read is passed on as such.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use message::Mailbox;
use report::{Rejection, RejectionKind};
use store::{KeptState, Ledger, RawKey};

use crate::clock::now;
use crate::desk::{KeepError, Receipt, receipt};
use crate::pipeline::{Closed, Sender};
use crate::walk::{Entry, walk};

/// An item up to this size is read from memory, with others beside it. A larger one is read from the ledger's copy, alone.
/// Nearly all reports of the world are below 100 KB packed.
pub(crate) const SMALL_BYTES_MAX: usize = 256 << 10;

/// One thing that arrived.
pub(crate) struct Item {
    /// Where it came from, for people.
    pub(crate) origin: String,
    /// Its bytes, as they came.
    pub(crate) size: u64,
    /// What is to be done with it.
    pub(crate) content: Content,
}

/// What is to be done with an item.
pub(crate) enum Content {
    /// To be read from memory.
    Small(RawKey, Vec<u8>),
    /// To be read from the ledger.
    Large(RawKey),
    /// Its bytes have come before.
    Repeated(RawKey),
    /// It could not be read from where it lay.
    Unreadable(Rejection),
}

/// Why feeding ended early.
pub(crate) enum Stop {
    /// The ledger failed.
    Ledger(store::Error),
    /// Nobody takes items any more; whoever did has the reason.
    Closed,
}

impl From<store::Error> for Stop {
    fn from(error: store::Error) -> Self {
        Self::Ledger(error)
    }
}

impl From<Closed> for Stop {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

/// Feeds files.
pub(crate) struct Files<'a> {
    pub(crate) ledger: &'a Ledger,
    /// Seconds since 1970, the time of arrival that is noted.
    pub(crate) received: i64,
    pub(crate) out: Sender,
}

impl Files<'_> {
    /// Feeds everything below `paths`.
    pub(crate) fn feed(mut self, paths: &[PathBuf]) -> Result<(), Stop> {
        let mut result = Ok(());
        let _ = walk(paths, &mut |entry| {
            result = self.entry(entry);
            if result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        result?;
        Ok(self.out.flush()?)
    }

    fn entry(&mut self, entry: Entry<'_>) -> Result<(), Stop> {
        match entry {
            Entry::Standard => self.file("-", &mut io::stdin().lock()),
            Entry::File(path) => match File::open(path) {
                Ok(mut file) => self.file(&path.to_string_lossy(), &mut file),
                Err(error) => self.unreadable(&path.to_string_lossy(), &error),
            },
            Entry::Unreadable(path, error) => self.unreadable(&path.to_string_lossy(), &error),
        }
    }

    fn file(&mut self, origin: &str, file: &mut dyn Read) -> Result<(), Stop> {
        match items(origin, file, &mut |origin, beginning, rest| self.item(origin, beginning, rest))? {
            Ok(()) => Ok(()),
            Err((origin, error)) => self.unreadable(&origin, &error),
        }
    }

    /// Keeps an item, of which the beginning was read already, and passes it on.
    fn item(&mut self, origin: String, beginning: Vec<u8>, rest: &mut dyn Read) -> Result<(), Stop> {
        let small = beginning.len() <= SMALL_BYTES_MAX;
        let mut counted = Counted { inner: (&beginning[..]).chain(rest), count: 0 };
        let kept = match self.ledger.keep(&mut counted, &origin, self.received) {
            Err(store::Error::Item { source, .. }) => return self.unreadable(&origin, &source),
            kept => kept?,
        };
        let size = counted.count;
        let content = match kept.state {
            KeptState::New if small => Content::Small(kept.key, beginning),
            KeptState::New => Content::Large(kept.key),
            KeptState::Pending | KeptState::Known { .. } => Content::Repeated(kept.key),
        };
        Ok(self.out.send(Item { origin, size, content })?)
    }

    fn unreadable(&mut self, origin: &str, error: &io::Error) -> Result<(), Stop> {
        let rejection = Rejection::new(RejectionKind::Unreadable, format!("It cannot be read: {error}."));
        let content = Content::Unreadable(rejection);
        Ok(self.out.send(Item { origin: origin.to_owned(), size: 0, content })?)
    }
}

/// The origin of something that could not be read further, and why.
type Unreadable = (String, io::Error);

/// What is done with an item: its origin, its beginning, more than [`SMALL_BYTES_MAX`] of it if there is more, and the rest.
type Each<'a, E> = &'a mut dyn FnMut(String, Vec<u8>, &mut dyn Read) -> Result<(), E>;

/// Calls `each` for every item of a file: the messages of a mailbox, or the file itself.
fn items<E>(origin: &str, file: &mut dyn Read, each: Each<'_, E>) -> Result<Result<(), Unreadable>, E> {
    let mut beginning = Vec::new();
    if let Err(error) = file.take(SMALL_BYTES_MAX as u64 + 1).read_to_end(&mut beginning) {
        return Ok(Err((origin.to_owned(), error)));
    }
    if !message::begins_mailbox(&beginning) {
        return each(origin.to_owned(), beginning, file).map(Ok);
    }
    let mut mailbox = Mailbox::new(BufReader::new(beginning.chain(file)));
    for number in 1_u64.. {
        let origin = format!("{origin}#{number}");
        match mailbox.next_message() {
            Ok(false) => break,
            Err(error) => return Ok(Err((origin, error))),
            Ok(true) => {}
        }
        let mut beginning = Vec::new();
        if let Err(error) = (&mut mailbox).take(SMALL_BYTES_MAX as u64 + 1).read_to_end(&mut beginning) {
            return Ok(Err((origin, error)));
        }
        each(origin, beginning, &mut mailbox)?;
    }
    Ok(Ok(()))
}

/// Keeps the items of a file.
pub(crate) fn keep_file(ledger: &Ledger, origin: &str, path: &Path) -> Result<Vec<Receipt>, KeepError> {
    let mut file = File::open(path).map_err(|error| KeepError::Item(error.to_string()))?;
    let mut receipts = Vec::new();
    let kept = keep_all(ledger, origin, &mut file, &mut |_, receipt| receipts.push(receipt));
    kept.map_err(|(_, error)| error)?;
    Ok(receipts)
}

/// Keeps the items of a file, and tells of each. Gives the one at which it ends early, and why.
pub(crate) fn keep_all(
    ledger: &Ledger,
    origin: &str,
    file: &mut dyn Read,
    each: &mut dyn FnMut(String, Receipt),
) -> Result<(), (String, KeepError)> {
    let received = now();
    let read = items(origin, file, &mut |origin, beginning, rest| {
        let mut counted = Counted { inner: (&beginning[..]).chain(rest), count: 0 };
        match ledger.keep(&mut counted, &origin, received) {
            Ok(kept) => each(origin, receipt(kept, counted.count)),
            Err(error) => return Err((origin, error.into())),
        }
        Ok(())
    })?;
    read.map_err(|(origin, error)| (origin, KeepError::Item(error.to_string())))
}

/// Feeds what the ledger keeps without knowing what is in it; says how many items these were.
pub(crate) fn feed_pending(ledger: &Ledger, pending: Vec<store::Pending>, out: &mut Sender) -> Result<(), Stop> {
    for store::Pending { key, origin, size, .. } in pending {
        let content = if size <= SMALL_BYTES_MAX as u64 {
            let mut bytes = Vec::new();
            let read = ledger.raw(&key)?.read_to_end(&mut bytes);
            read.map_err(|source| store::Error::Item { origin: origin.clone(), source })?;
            Content::Small(key, bytes)
        } else {
            Content::Large(key)
        };
        out.send(Item { origin, size, content })?;
    }
    Ok(out.flush()?)
}

/// How many files there are below `paths`, and their bytes, as far as can be seen.
pub(crate) fn survey(paths: &[PathBuf]) -> (u64, u64) {
    let (mut files, mut bytes) = (0, 0);
    let _ = walk(paths, &mut |entry| {
        files += 1;
        if let Entry::File(path) = entry {
            bytes += size_of_file(path);
        }
        ControlFlow::Continue(())
    });
    (files, bytes)
}

fn size_of_file(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Counts what is read.
struct Counted<R> {
    inner: R,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.count += count as u64;
        Ok(count)
    }
}
