//! The door of the ledger: one writer, any number of readers, raw copies in and out, questions.
//!
//! In: a data directory. What is taken in goes through [`crate::Intake`]; lists beside questions are in `lists`, upkeep in
//! `maintain`, `backup` and `check`.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use report::{Day, Text};
use rusqlite::Connection;
use sha2::{Digest, Sha256};

use crate::catalog::{self, Catalog};
use crate::catalog_read;
use crate::disk::Disk;
use crate::field::SortedBy;
use crate::segment::{Part, Segment, SegmentEntry};
use crate::segment_write::Layout;
use crate::spool::{self, Appended, Spool, SpoolLimits};
use crate::{Counters, Error, Kept, KeptState, Pending, RawKey};

/// The ledger in one data directory. Cheap to clone; may be shared between threads.
#[derive(Clone)]
pub struct Ledger {
    pub(crate) inner: Arc<Inner>,
}

/// What tests make small.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tuning {
    pub(crate) spool: SpoolLimits,
    pub(crate) layout: Layout,
}

pub(crate) struct Inner {
    pub(crate) dir: PathBuf,
    pub(crate) disk: Disk,
    pub(crate) layout: Layout,
    pub(crate) catalog: Catalog,
    /// Segments that were read, with their indexes.
    segments: Mutex<HashMap<(u64, SortedBy), Arc<Segment>>>,
    /// Derived values that were decoded.
    pub(crate) decoded: crate::derived::Decoded,
    pub(crate) remembered: crate::remembered::Remembered,
    writer: Option<Writer>,
}

/// What only the one writer has.
pub(crate) struct Writer {
    pub(crate) spool: Spool,
    connection: Mutex<Connection>,
    known: Mutex<Known>,
    /// Held while it matters that the list of segments does not change otherwise.
    maintenance: Mutex<()>,
    /// Held by compaction, retention, rebuild and backup: one of them at a time.
    upkeep: Mutex<()>,
    pub(crate) intake_open: AtomicBool,
    pub(crate) next_report: AtomicU64,
    pub(crate) next_segment: AtomicU64,
    /// Locked as long as it is open.
    _lock: File,
}

/// Numbers that names have in the catalog.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) domains: HashMap<Text, i64>,
    pub(crate) reporters: HashMap<String, i64>,
    pub(crate) policies: HashMap<String, i64>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves nothing half done: changes are transactions, caches are only added to.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Writer {
    pub(crate) fn connection(&self) -> MutexGuard<'_, Connection> {
        lock(&self.connection)
    }

    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        lock(&self.known)
    }

    pub(crate) fn upkeep(&self) -> MutexGuard<'_, ()> {
        lock(&self.upkeep)
    }

    pub(crate) fn maintenance(&self) -> MutexGuard<'_, ()> {
        lock(&self.maintenance)
    }
}

impl Inner {
    pub(crate) fn writer(&self) -> Result<&Writer, Error> {
        self.writer.as_ref().ok_or_else(|| Error::ReadOnly { dir: self.dir.clone() })
    }

    pub(crate) fn segments_dir(&self) -> PathBuf {
        self.rows_dir(SortedBy::Domain)
    }

    /// Where files in that order are.
    pub(crate) fn rows_dir(&self, sorted: SortedBy) -> PathBuf {
        rows_dir(&self.dir, sorted)
    }

    pub(crate) fn spool_dir(&self) -> PathBuf {
        self.dir.join("spool")
    }

    /// The segments of this moment.
    pub(crate) fn snapshot(&self) -> Result<Vec<Part>, Error> {
        Ok(self.parts(self.catalog.read(catalog_read::segments)?))
    }

    /// Segments as listed at one moment, ready to be read.
    pub(crate) fn parts(&self, listed: Vec<(SegmentEntry, Vec<u64>)>) -> Vec<Part> {
        let mut held = lock(&self.segments);
        let mut file = |id: u64, sorted: SortedBy| {
            let open = || Arc::new(Segment::new(&self.rows_dir(sorted), sorted, &self.disk, id));
            held.entry((id, sorted)).or_insert_with(open).clone()
        };
        let mut parts = Vec::with_capacity(listed.len());
        for (entry, dead) in listed {
            let segment = file(entry.id, SortedBy::Domain);
            let by_source = (entry.by_source > 0).then(|| file(entry.id, SortedBy::Source));
            parts.push(Part { segment, entry, dead: dead.into(), by_source });
        }
        if held.len() > parts.len() * 2 {
            let listed: HashSet<u64> = parts.iter().map(|part| part.entry.id).collect();
            held.retain(|(id, _), _| listed.contains(id));
        }
        parts
    }

    /// Lets go of segments that are listed no longer; their files go when nobody reads them any more.
    pub(crate) fn doom(&self, ids: &[u64]) {
        let mut held = lock(&self.segments);
        for (&id, sorted) in ids.iter().flat_map(|id| SortedBy::BOTH.map(|sorted| (id, sorted))) {
            match held.remove(&(id, sorted)) {
                Some(segment) => segment.doom(),
                None => {
                    if let Err(error) = self.disk.remove(&crate::segment::path_in(&self.rows_dir(sorted), id)) {
                        tracing::warn!("{error}");
                    }
                }
            }
        }
    }
}

impl Ledger {
    /// Opens the ledger as its one writer: makes it if there is none, brings an older one forward, and removes what a crash left behind.
    ///
    /// # Errors
    /// [`Error::Locked`] if another process writes to it, [`Error::Newer`] if a newer program wrote it, and what the disk gives.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        Self::open_on(dir, &Disk::default(), Tuning::default())
    }

    pub(crate) fn open_on(dir: &Path, disk: &Disk, tuning: Tuning) -> Result<Self, Error> {
        disk.make_dir(dir)?;
        let lock_path = dir.join("lock");
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(|e| Error::io("open", &lock_path, e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Locked { dir: dir.to_owned() }),
            Err(TryLockError::Error(e)) => return Err(Error::io("lock", &lock_path, e)),
        }
        let connection = catalog::writer(dir)?;
        let catalog = Catalog::new(dir);
        let start = catalog_read::start(&connection).map_err(|e| catalog.failed(e))?;
        let mut known = |key: &RawKey| -> Result<bool, Error> {
            let state = catalog_read::item_state(&connection, key).map_err(|e| catalog.failed(e))?;
            Ok(state.is_some())
        };
        let garbage = catalog_read::garbage(&connection).map_err(|e| catalog.failed(e))?;
        for name in garbage {
            disk.remove(&dir.join("spool").join(name))?;
        }
        connection.execute("DELETE FROM garbage", []).map_err(|e| catalog.failed(e))?;
        let spool = Spool::open(&dir.join("spool"), disk, tuning.spool, start.checkpoint, &mut known)?;
        let listed = catalog_read::segments(&connection).map_err(|e| catalog.failed(e))?;
        let next_segment = remove_orphans(disk, dir, &listed)?;
        remove_unfinished(disk, &dir.join("spool"))?;
        disk.sync_dir(dir)?;
        let writer = Writer {
            spool,
            connection: Mutex::new(connection),
            known: Mutex::default(),
            maintenance: Mutex::default(),
            upkeep: Mutex::default(),
            intake_open: AtomicBool::new(false),
            next_report: AtomicU64::new(start.next_report),
            next_segment: AtomicU64::new(start.next_segment.max(next_segment)),
            _lock: lock,
        };
        Ok(Self::new(dir, disk, tuning.layout, catalog, Some(writer)))
    }

    /// Opens the ledger for reading, also while another process writes.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Older`] or [`Error::Newer`], and what the disk gives.
    pub fn read(dir: &Path) -> Result<Self, Error> {
        if catalog::check_version(dir)?.is_none() {
            return Err(Error::Missing { dir: dir.to_owned() });
        }
        Ok(Self::new(dir, &Disk::default(), Layout::default(), Catalog::new(dir), None))
    }

    fn new(dir: &Path, disk: &Disk, layout: Layout, catalog: Catalog, writer: Option<Writer>) -> Self {
        let inner = Inner {
            dir: dir.to_owned(),
            disk: disk.clone(),
            layout,
            catalog,
            segments: Mutex::default(),
            decoded: crate::derived::Decoded::default(),
            remembered: crate::remembered::Remembered::default(),
            writer,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Keeps a raw copy of an item, unless the same bytes are there already. Streams: memory stays bounded whatever the size.
    /// May be called from several threads. The copy is on disk for good after the next [`Self::sync_spool`] or commit.
    ///
    /// # Errors
    /// [`Error::Item`] if the item cannot be read, and what the disk gives; then nothing of it is kept.
    pub fn keep(&self, mut item: &mut dyn Read, origin: &str, received: i64) -> Result<Kept, Error> {
        let spool = &self.inner.writer()?.spool;
        let mut start = Vec::new();
        let unreadable = |source| Error::Item { origin: origin.to_owned(), source };
        let small = spool.limits.small;
        (&mut item).take(small as u64 + 1).read_to_end(&mut start).map_err(unreadable)?;
        if start.len() > small {
            let mut streamed = spool.stream(&mut start.chain(item), origin, received)?;
            let key = streamed.key;
            let state = self.keep_unless_there(&key, |generation| spool.adopt(&mut streamed, generation))?;
            return Ok(Kept { key, state });
        }
        let key = RawKey(Sha256::digest(&start).into());
        let state =
            self.keep_unless_there(&key, |generation| spool.append(&key, &start, origin, received, generation))?;
        Ok(Kept { key, state })
    }

    fn keep_unless_there(
        &self,
        key: &RawKey,
        mut keep: impl FnMut(u64) -> Result<Appended, Error>,
    ) -> Result<KeptState, Error> {
        let spool = &self.inner.writer()?.spool;
        loop {
            let generation = spool.generation();
            if spool.waiting(key).is_some() {
                return Ok(KeptState::Pending);
            }
            if let Some(state) = self.inner.catalog.read(|c| catalog_read::item_state(c, key))? {
                return Ok(state);
            }
            match keep(generation)? {
                Appended::New => return Ok(KeptState::New),
                Appended::Waiting => return Ok(KeptState::Pending),
                Appended::LookAgain => {}
            }
        }
    }

    /// Brings every raw copy kept so far to disk. After this a mailbox or an HTTP client may be answered.
    ///
    /// # Errors
    /// What the disk gives; then nothing kept since the last success may be taken for safe.
    pub fn sync_spool(&self) -> Result<(), Error> {
        self.inner.writer()?.spool.sync()
    }

    /// Raw items without a committed outcome, in the order in which they came: after a crash, or after [`Self::forget_derived`].
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn pending(&self) -> Result<Vec<Pending>, Error> {
        let mut all = self.inner.catalog.read(crate::lists::pending)?;
        let waiting = self.inner.writer()?.spool.all_waiting().into_iter().map(|found| Pending {
            key: found.key,
            origin: found.waiting.origin.to_string(),
            received: found.waiting.received,
            size: found.waiting.size,
        });
        all.extend(waiting);
        Ok(all)
    }

    /// The bytes of an item as they were received.
    ///
    /// # Errors
    /// [`Error::Raw`] if there is no such copy, or it is damaged.
    pub fn raw(&self, key: &RawKey) -> Result<Box<dyn BufRead + Send>, Error> {
        if let Some(writer) = &self.inner.writer
            && let Some(waiting) = writer.spool.waiting(key)
        {
            return writer.spool.raw(key, waiting.place);
        }
        let place = self.inner.catalog.read(|c| catalog_read::item_place(c, key))?;
        match place {
            Some(place) => spool::read_raw(&self.inner.spool_dir(), key, place),
            None => Err(Error::Raw {
                key: *key,
                path: self.inner.spool_dir(),
                what: "it is not, or no longer, in this ledger".to_owned(),
            }),
        }
    }

    /// First and last day with a row.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn span(&self) -> Result<Option<(Day, Day)>, Error> {
        self.inner.catalog.read(catalog_read::span)
    }

    /// What the ledger holds, and what it has seen since it began.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn counters(&self) -> Result<Counters, Error> {
        self.inner.catalog.read(catalog_read::counters)
    }
}

/// Where files in that order are in a data directory. In one of their own, so that whoever reads all segments reads every row once.
pub(crate) fn rows_dir(dir: &Path, sorted: SortedBy) -> PathBuf {
    dir.join(match sorted {
        SortedBy::Domain => "segments",
        SortedBy::Source => "by-source",
    })
}

/// Removes files of rows that no transaction names. Gives the number after the highest one seen.
fn remove_orphans(disk: &Disk, dir: &Path, listed: &[(SegmentEntry, Vec<u64>)]) -> Result<u64, Error> {
    let mut next = 1;
    for sorted in SortedBy::BOTH {
        let dir = rows_dir(dir, sorted);
        disk.make_dir(&dir)?;
        let named: HashSet<u64> = listed
            .iter()
            .filter(|(entry, _)| sorted == SortedBy::Domain || entry.by_source > 0)
            .map(|(entry, _)| entry.id)
            .collect();
        for path in files(&dir)? {
            let id = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<u64>().ok());
            next = next.max(id.map_or(0, |id| id.saturating_add(1)));
            if !id.is_some_and(|id| named.contains(&id)) {
                tracing::info!("removing {}: it was never committed", path.display());
                disk.remove(&path)?;
            }
        }
    }
    Ok(next)
}

/// Removes raw copies that were never finished.
fn remove_unfinished(disk: &Disk, dir: &Path) -> Result<(), Error> {
    for path in files(dir)?.into_iter().filter(|path| path.extension().is_some_and(|e| e == "tmp")) {
        disk.remove(&path)?;
    }
    Ok(())
}

fn files(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |e| Error::io("list", dir, e);
    fs::read_dir(dir).map_err(failed)?.map(|found| found.map(|entry| entry.path()).map_err(failed)).collect()
}
