//! The meters on everything that is expanded: how much went in, how much came out, and when that is enough.
//!
//! In: readers. Out: the same bytes, until a limit is met; the limit travels as an [`io::Error`] that carries a [`Rejection`].
//! Sizes that an archive states are never looked at, only bytes that were really read are counted.

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead, Read};

use super::PackageLimits;
use crate::{Rejection, RejectionKind};

/// What one item has cost so far.
pub(super) struct Meter<'l> {
    pub(super) limits: &'l PackageLimits,
    /// Bytes of the item that were read.
    input: Cell<u64>,
    /// Bytes that came out of all decompressors.
    output: Cell<u64>,
    /// Bytes of the item and of decoded copies that are in memory now.
    held: Cell<usize>,
    /// The error of the item's own reader, if it had one.
    failed: RefCell<Option<io::Error>>,
}

impl<'l> Meter<'l> {
    pub(super) fn new(limits: &'l PackageLimits) -> Self {
        Self {
            limits,
            input: Cell::default(),
            output: Cell::default(),
            held: Cell::default(),
            failed: RefCell::default(),
        }
    }

    /// The error of the item's own reader: nobody's fault but the disk's.
    ///
    /// # Errors
    /// That error.
    pub(super) fn check_source(&self) -> io::Result<()> {
        self.failed.take().map_or(Ok(()), Err)
    }

    /// Bytes that may still be held in memory.
    pub(super) fn spare(&self) -> usize {
        self.limits.held_bytes.saturating_sub(self.held.get())
    }

    /// Counts `bytes` as held for as long as `during` runs.
    pub(super) fn holding<T>(&self, bytes: usize, during: impl FnOnce() -> T) -> T {
        self.held.set(self.held.get() + bytes);
        let result = during();
        self.held.set(self.held.get() - bytes);
        result
    }

    /// Reads all there is into memory.
    ///
    /// # Errors
    /// The reader's, or a rejection where it is more than may be held.
    pub(super) fn hold(&self, input: &mut dyn Read, what: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let spare = self.spare();
        input.take(spare as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > spare {
            let message = format!(
                "{what} is too large: mails and zip archives are held in memory, {} bytes of them at most. Unpack it first.",
                self.limits.held_bytes
            );
            return Err(Rejection::new(RejectionKind::ContainerSizeLimit, message).into());
        }
        Ok(bytes)
    }
}

/// The item's own bytes, counted.
pub(super) struct Source<'a, 'm> {
    pub(super) inner: &'a mut dyn BufRead,
    pub(super) meter: &'m Meter<'m>,
}

impl BufRead for Source<'_, '_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let limit = self.meter.limits.expanded_bytes;
        if self.meter.input.get() > limit {
            let message = format!("It is larger than {limit} bytes, the most that is read of one item. Split it.");
            return Err(Rejection::new(RejectionKind::ExpandedSizeLimit, message).into());
        }
        match self.inner.fill_buf() {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                let copy = io::Error::new(error.kind(), error.to_string());
                *self.meter.failed.borrow_mut() = Some(error);
                Err(copy)
            }
            other => other,
        }
    }

    fn consume(&mut self, amount: usize) {
        self.meter.input.set(self.meter.input.get() + amount as u64);
        self.inner.consume(amount);
    }
}

impl Read for Source<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(into)?;
        self.consume(count);
        Ok(count)
    }
}

/// A decompressor that knows how many bytes it has taken in.
pub(super) trait Decompress: Read {
    /// Compressed bytes taken in so far.
    fn taken(&self) -> u64;
}

/// What comes out of a decompressor, metered.
pub(super) struct Expanded<'m, D> {
    pub(super) decompressor: D,
    pub(super) meter: &'m Meter<'m>,
    /// What is expanded, for people: `gzip data`.
    pub(super) what: &'static str,
    /// Bytes that came out of this one.
    pub(super) given: u64,
}

impl<D: Decompress> Expanded<'_, D> {
    /// Whether an error means that the compressed data is broken, rather than the disk, or a limit further in.
    fn blames_the_data(&self, error: &io::Error) -> bool {
        error.kind() != io::ErrorKind::Interrupted
            && error.get_ref().is_none_or(|inner| !inner.is::<Rejection>())
            && self.meter.failed.borrow().is_none()
    }

    fn check(&self) -> Result<(), Rejection> {
        let PackageLimits { expanded_bytes, ratio, ratio_from_bytes, .. } = *self.meter.limits;
        let all = self.meter.output.get();
        let reject = |message| Err(Rejection::new(RejectionKind::ExpandedSizeLimit, message));
        if all > expanded_bytes {
            return reject(format!(
                "It expands to more than {expanded_bytes} bytes, the most that is read of one item."
            ));
        }
        // Once for this decompressor alone, and once for the whole item, so that neither many members that share their compressed
        // bytes nor decompressors inside each other get past.
        for (given, taken) in [(self.given, self.decompressor.taken()), (all, self.meter.input.get())] {
            if given > ratio_from_bytes && given / ratio > taken {
                return reject(format!(
                    "{taken} bytes expand to {given} and more: above {ratio} to 1 this is no report but made to exhaust its reader."
                ));
            }
        }
        Ok(())
    }
}

impl<D: Decompress> Read for Expanded<'_, D> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = match self.decompressor.read(into) {
            Ok(count) => count,
            Err(error) if !self.blames_the_data(&error) => return Err(error),
            Err(error) => {
                let message = match error.kind() {
                    io::ErrorKind::UnexpectedEof => {
                        format!(
                            "The {} is cut off: {} bytes could be read. Ask for the report again.",
                            self.what, self.given
                        )
                    }
                    _ => format!(
                        "The {} is damaged after {} bytes ({error}). Ask for the report again.",
                        self.what, self.given
                    ),
                };
                return Err(Rejection::new(RejectionKind::Damaged, message).into());
            }
        };
        self.given += count as u64;
        self.meter.output.set(self.meter.output.get() + count as u64);
        self.check()?;
        Ok(count)
    }
}
