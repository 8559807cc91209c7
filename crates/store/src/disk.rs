//! The one seam to the disk: every file the ledger makes, fills, syncs, renames or removes goes through here.
//!
//! In: paths and bytes. Out: [`Error`]s that name the file. The catalog's own files are SQLite's business, but the moment of its
//! commit passes here too. In tests a fault can be planted at operation *n*, as an error or as the moment of a crash.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::Error;

/// How to reach the disk. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk {
    #[cfg(test)]
    pub(crate) faults: Option<std::sync::Arc<crate::fault::Faults>>,
}

/// A file being written.
#[derive(Debug)]
pub(crate) struct DiskFile {
    file: File,
    path: PathBuf,
    disk: Disk,
}

impl Disk {
    /// Passes a point at which the disk may fail.
    #[cfg_attr(not(test), expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "only tests plant faults"))]
    fn step(&self) -> io::Result<()> {
        #[cfg(test)]
        if let Some(faults) = &self.faults {
            return faults.step();
        }
        Ok(())
    }

    /// The point just before the catalog commits.
    pub(crate) fn before_commit(&self, catalog: &Path) -> Result<(), Error> {
        self.step().map_err(|e| Error::io("commit to", catalog, e))
    }

    /// Makes a new, empty file; replaces what was there.
    pub(crate) fn create(&self, path: &Path) -> Result<DiskFile, Error> {
        self.step()
            .and_then(|()| OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path))
            .map(|file| DiskFile { file, path: path.to_owned(), disk: self.clone() })
            .map_err(|e| Error::io("create", path, e))
    }

    /// Opens a file to go on writing at `length`; whatever lies behind is cut off.
    pub(crate) fn reopen(&self, path: &Path, length: u64) -> Result<DiskFile, Error> {
        let open = || {
            self.step()?;
            let file = OpenOptions::new().read(true).write(true).open(path)?;
            let mut file = DiskFile { file, path: path.to_owned(), disk: self.clone() };
            file.cut_raw(length)?;
            Ok(file)
        };
        open().map_err(|e| Error::io("open", path, e))
    }

    /// Gives a finished file its name.
    pub(crate) fn rename(&self, from: &Path, to: &Path) -> Result<(), Error> {
        self.step().and_then(|()| fs::rename(from, to)).map_err(|e| Error::io("rename", from, e))
    }

    /// Removes a file; one that is not there is fine.
    pub(crate) fn remove(&self, path: &Path) -> Result<(), Error> {
        match self.step().and_then(|()| fs::remove_file(path)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path, e)),
            _ => Ok(()),
        }
    }

    /// Makes a directory and those above it.
    pub(crate) fn make_dir(&self, path: &Path) -> Result<(), Error> {
        self.step().and_then(|()| fs::create_dir_all(path)).map_err(|e| Error::io("create", path, e))
    }

    /// Brings the names in a directory to disk.
    pub(crate) fn sync_dir(&self, path: &Path) -> Result<(), Error> {
        self.step()
            .and_then(|()| File::open(path))
            .and_then(|dir| dir.sync_all())
            .map_err(|e| Error::io("sync", path, e))
    }
}

impl DiskFile {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its bytes.
    pub(crate) fn length(&self) -> io::Result<u64> {
        self.file.metadata().map(|data| data.len())
    }

    /// Writes all of `bytes` at the present position.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.write_all(bytes).map_err(|e| Error::io("write", &self.path, e))
    }

    /// Writes all of `bytes` at the beginning; the position is moved.
    pub(crate) fn put_at_start(&mut self, bytes: &[u8]) -> Result<(), Error> {
        use std::io::Seek as _;
        self.file.rewind().and_then(|()| self.write_all(bytes)).map_err(|e| Error::io("write", &self.path, e))
    }

    /// Brings the contents to disk.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        self.disk.step().and_then(|()| self.file.sync_data()).map_err(|e| Error::io("sync", &self.path, e))
    }

    /// Cuts everything off behind `length` and goes on writing there.
    pub(crate) fn cut(&mut self, length: u64) -> Result<(), Error> {
        self.cut_raw(length).map_err(|e| Error::io("truncate", &self.path, e))
    }

    fn cut_raw(&mut self, length: u64) -> io::Result<()> {
        use std::io::{Seek as _, SeekFrom};
        self.disk.step()?;
        self.file.set_len(length)?;
        self.file.seek(SeekFrom::Start(length)).map(drop)
    }
}

impl Write for DiskFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Err(fault) = self.disk.step() {
            // A disk that fills up, or a crash, leaves part of a write behind.
            let _torn = self.file.write(&bytes[..bytes.len() / 2]);
            return Err(fault);
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
