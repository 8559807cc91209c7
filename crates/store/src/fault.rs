//! Faults planted in the disk, for tests: an error at operation *n*, or a crash at it, after which nothing more reaches the disk.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::disk::Disk;

/// What happens at the planted operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// This one operation fails, later ones work.
    Once(io::ErrorKind),
    /// Nothing works any more.
    Crash,
}

/// Counts operations and fails as planted.
#[derive(Debug)]
pub(crate) struct Faults {
    at: u64,
    fault: Fault,
    count: AtomicU64,
}

impl Faults {
    /// A disk that fails at operation `at`, counted from 0.
    pub(crate) fn disk(at: u64, fault: Fault) -> (Disk, Arc<Self>) {
        let faults = Arc::new(Self { at, fault, count: AtomicU64::new(0) });
        (Disk { faults: Some(faults.clone()) }, faults)
    }

    /// Operations so far.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    pub(crate) fn step(&self) -> io::Result<()> {
        let now = self.count.fetch_add(1, Ordering::SeqCst);
        match self.fault {
            Fault::Once(kind) if now == self.at => Err(io::Error::new(kind, "planted")),
            Fault::Crash if now >= self.at => Err(io::Error::other("crashed")),
            _ => Ok(()),
        }
    }
}
