//! Backup: a consistent copy of the whole ledger, made while it is in use.
//!
//! The catalog is copied as of one moment; segments and closed packs never change, so that links to them will do where the copy is
//! on the same file system. What is behind the moment in the last pack is cut, or pending, when the copy is opened.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use rusqlite::Connection;

use crate::catalog::{self, Catalog};
use crate::field::SortedBy;
use crate::ledger::{Ledger, rows_dir};
use crate::segment::path_in;
use crate::{Error, catalog_read, spool};

/// How often a backup starts anew when segments are merged away under it by another process.
const TRIES: usize = 5;

impl Ledger {
    /// Makes a consistent copy in the directory `to`, which must be new or empty, while the ledger is in use. The copy opens as a
    /// ledger.
    ///
    /// # Errors
    /// What the disk gives; then the copy is not complete and not to be used.
    pub fn backup(&self, to: &Path) -> Result<(), Error> {
        let upkeep = match self.inner.writer() {
            Ok(writer) => {
                writer.spool.sync()?;
                Some(writer.upkeep())
            }
            Err(_) => None,
        };
        fs::create_dir_all(to).map_err(|e| Error::io("create", to, e))?;
        let mut there = fs::read_dir(to).map_err(|e| Error::io("list", to, e))?;
        if there.next().is_some() {
            let source = io::Error::new(io::ErrorKind::AlreadyExists, "a backup needs a new or empty directory");
            return Err(Error::io("write a backup to", to, source));
        }
        let mut tries = 0;
        let copied = loop {
            tries += 1;
            match self.copy(to) {
                Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound && tries < TRIES => {
                    for part in ["catalog.sqlite", "segments", "by-source", "spool"] {
                        remove(&to.join(part))?;
                    }
                }
                other => break other,
            }
        };
        drop(upkeep);
        copied
    }

    fn copy(&self, to: &Path) -> Result<(), Error> {
        let inner = &self.inner;
        let failed = |e| inner.catalog.failed(e);
        let catalog = Catalog::path_in(to);
        inner.catalog.copy_to(&catalog)?;
        sync(&catalog)?;
        let copy = Connection::open(&catalog).map_err(failed)?;
        let segments = catalog_read::segments(&copy).map_err(failed)?;
        drop(copy);
        for sorted in SortedBy::BOTH {
            let (from_dir, to_dir) = (inner.rows_dir(sorted), rows_dir(to, sorted));
            fs::create_dir_all(&to_dir).map_err(|e| Error::io("create", &to_dir, e))?;
            for (entry, _) in &segments {
                if sorted == SortedBy::Domain || entry.by_source > 0 {
                    link(&path_in(&from_dir, entry.id), &path_in(&to_dir, entry.id))?;
                }
            }
            sync(&to_dir)?;
        }
        let (from_dir, to_dir) = (inner.spool_dir(), to.join("spool"));
        fs::create_dir_all(&to_dir).map_err(|e| Error::io("create", &to_dir, e))?;
        let (packs, own) = spool::list(&from_dir)?;
        for &pack in &packs {
            let name = spool::pack_name(pack);
            // The last pack is still appended to, and cut after a crash: a link would change with it.
            let take = if Some(&pack) == packs.last() { copy_file } else { link };
            take(&from_dir.join(&name), &to_dir.join(&name))?;
        }
        for path in own {
            link(&path, &to_dir.join(path.file_name().unwrap_or_default()))?;
        }
        sync(&to_dir)?;
        sync(to)
    }
}

impl Catalog {
    /// Writes a consistent copy.
    fn copy_to(&self, to: &Path) -> Result<(), Error> {
        self.outside(|connection| {
            // The copy is written elsewhere, but SQLite lets no connection make one that may only query.
            connection.pragma_update(None, "query_only", false)?;
            let copied = catalog::copy_to(connection, to);
            connection.pragma_update(None, "query_only", true)?;
            copied
        })
    }
}

/// A second name for a file, or a copy where the file system cannot do that.
fn link(from: &Path, to: &Path) -> Result<(), Error> {
    match fs::hard_link(from, to) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Err(Error::io("link", from, e)),
        Err(_) => copy_file(from, to),
    }
}

fn copy_file(from: &Path, to: &Path) -> Result<(), Error> {
    fs::copy(from, to).map_err(|e| Error::io("copy", from, e))?;
    sync(to)
}

fn sync(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|e| Error::io("sync", path, e))
}

fn remove(path: &Path) -> Result<(), Error> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path, e)),
        _ => Ok(()),
    }
}
