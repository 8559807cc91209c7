//! What can go wrong with the ledger, in sentences for people: what happened, what is intact, what to do.

use std::io;
use std::path::{Path, PathBuf};

/// Any failure of the ledger. Whatever it is, everything committed before it is intact.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process writes to this ledger.
    #[error(
        "the ledger in {dir} is being written by another process: stop that process, or give this one another --data directory"
    )]
    Locked {
        /// The data directory.
        dir: PathBuf,
    },
    /// There is no ledger here.
    #[error("there is no ledger in {dir}: `lamppost import` makes one, or name another --data directory")]
    Missing {
        /// The data directory.
        dir: PathBuf,
    },
    /// This ledger was written by a newer version.
    #[error(
        "the ledger in {dir} has schema version {found}, and this program knows versions up to {known}: use the newer program"
    )]
    Newer {
        /// The data directory.
        dir: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version this program knows.
        known: i64,
    },
    /// This ledger was written by an older version, and only its writer brings it forward.
    #[error(
        "the ledger in {dir} has schema version {found}, and this program needs {known}: open it once for writing, e.g. with `lamppost import`"
    )]
    Older {
        /// The data directory.
        dir: PathBuf,
        /// Its version.
        found: i64,
        /// The version this program needs.
        known: i64,
    },
    /// The disk is full.
    #[error(
        "no space left while writing {path}: everything committed before is intact, and what was not is taken in again once there is space"
    )]
    DiskFull {
        /// What was being written.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file could not be read or written.
    #[error("cannot {act} {path}: {source}")]
    Io {
        /// What was tried, e.g. `write`.
        act: &'static str,
        /// With which file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// An item could not be read from whoever handed it in.
    #[error("cannot read the item from {origin}: {source}")]
    Item {
        /// Where the item came from.
        origin: String,
        /// The cause.
        source: io::Error,
    },
    /// The catalog refused.
    #[error("the catalog {path} cannot be used: {source}")]
    Catalog {
        /// The catalog's file.
        path: PathBuf,
        /// The cause.
        source: rusqlite::Error,
    },
    /// A file of rows is damaged or missing.
    #[error(
        "the segment {path} cannot be used: {what}; `lamppost rebuild` makes all segments anew from the raw copies"
    )]
    Segment {
        /// The segment's file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A raw copy is damaged or missing.
    #[error("the raw copy {key} in {path} cannot be read: {what}")]
    Raw {
        /// Which item.
        key: crate::RawKey,
        /// The pack it is in.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The catalog says something that cannot be.
    #[error("the catalog is inconsistent: {what}; `lamppost rebuild` makes it anew from the raw copies")]
    Inconsistent {
        /// What it says.
        what: String,
    },
    /// A question that cannot be asked.
    #[error("this cannot be asked: {what}")]
    Question {
        /// Why not.
        what: String,
    },
    /// A call that is not allowed now: a mistake of the caller.
    #[error("{what}")]
    Misuse {
        /// What was done wrong.
        what: &'static str,
    },
    /// Writing through a ledger that was opened for reading.
    #[error("the ledger in {dir} is open for reading only")]
    ReadOnly {
        /// The data directory.
        dir: PathBuf,
    },
}

impl Error {
    /// An I/O error with what was tried; a full disk is named as such.
    pub(crate) fn io(act: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path, source },
            _ => Self::Io { act, path, source },
        }
    }
}
