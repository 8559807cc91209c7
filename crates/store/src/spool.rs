//! The spool: a raw copy of every item, compressed, addressed by the SHA-256 of its bytes.
//!
//! Small items are appended to packs (`spool/00000001.pack`), each as one entry; a large item streams into a file of
//! its own (`spool/<sha256>.item`) that holds one entry of the same form. `entry` knows the form. Nothing is ever changed in place;
//! a torn tail is recognised by its checksums and cut when the ledger is opened.
//!
//! Appended bytes gather in memory and reach the file in large writes; [`Spool::sync`] makes all of them durable. It does not know
//! what became of an item: the catalog does.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zstd::bulk::Compressor;

use crate::disk::{Disk, DiskFile};
use crate::spool_entry::{self as entry, Header};
use crate::spool_stream::Streamed;
use crate::{Error, RawKey};

/// What the spool holds in memory, and how large its files become.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SpoolLimits {
    /// Items up to this many bytes are compressed in memory and appended to a pack: all but the rarest report.
    pub(crate) small: usize,
    /// A pack is closed at this size: large enough that there are few, small enough that retention can drop old ones.
    pub(crate) pack_bytes: u64,
    /// Appended bytes gather to this size before they are written.
    pub(crate) buffer_bytes: usize,
}

impl Default for SpoolLimits {
    fn default() -> Self {
        Self { small: 4 << 20, pack_bytes: 256 << 20, buffer_bytes: 1 << 20 }
    }
}

/// Level 1: report mails are mostly base64 of compressed data, where higher levels gain next to nothing.
pub(crate) const LEVEL: i32 = 1;

/// Where an entry is. Pack 0 means a file of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) pack: u32,
    pub(crate) offset: u64,
}

impl Place {
    const OWN_FILE: Self = Self { pack: 0, offset: 0 };
}

/// An item that is in the spool and whose outcome is not committed.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) place: Place,
    pub(crate) size: u64,
    pub(crate) received: i64,
    pub(crate) origin: Arc<str>,
}

/// What an append found.
pub(crate) enum Appended {
    /// The item was not there.
    New,
    /// The item is there and waits for its outcome.
    Waiting,
    /// Something was committed since the caller looked into the catalog: look again.
    LookAgain,
}

pub(crate) struct Spool {
    pub(crate) dir: PathBuf,
    pub(crate) disk: Disk,
    pub(crate) limits: SpoolLimits,
    state: Mutex<State>,
    compressors: Mutex<Vec<Compressor<'static>>>,
}

struct State {
    /// The open pack.
    pack: u32,
    file: Option<DiskFile>,
    /// Bytes of the open pack that are in the file for good: an entry boundary.
    written: u64,
    /// Entries behind them that are not in the file yet.
    buffer: Vec<u8>,
    /// Something was written and not synced.
    dirty: bool,
    /// A file was made and its name not synced.
    dirty_dir: bool,
    /// A sync failed: what the file holds is unknown from then on.
    lost: bool,
    waiting: HashMap<RawKey, Waiting>,
    /// The places of those waiting in packs.
    places: BTreeMap<Place, RawKey>,
    /// Counts commits.
    generation: u64,
}

/// An entry found while looking through the spool.
pub(crate) struct Found {
    pub(crate) key: RawKey,
    pub(crate) waiting: Waiting,
}

impl Spool {
    /// Opens the spool and looks through what lies behind `checkpoint`; `known` says whether an item's outcome is committed.
    pub(crate) fn open(
        dir: &Path,
        disk: &Disk,
        limits: SpoolLimits,
        checkpoint: Place,
        known: &mut dyn FnMut(&RawKey) -> Result<bool, Error>,
    ) -> Result<Self, Error> {
        disk.make_dir(dir)?;
        let mut state = State {
            pack: checkpoint.pack.max(1),
            file: None,
            written: 0,
            buffer: Vec::new(),
            dirty: false,
            dirty_dir: true,
            lost: false,
            waiting: HashMap::new(),
            places: BTreeMap::new(),
            generation: 0,
        };
        let (packs, own) = list(dir)?;
        for &pack in packs.iter().filter(|&&pack| pack >= checkpoint.pack) {
            let from = if pack == checkpoint.pack { checkpoint.offset } else { 0 };
            let mut found = Vec::new();
            let end = entry::scan(&pack_path(dir, pack), from, &mut |offset, header| {
                found.push((Place { pack, offset }, header));
            })?;
            for (place, header) in found {
                state.add_unless_known(place, &header, known)?;
            }
            (state.pack, state.written) = (pack, end);
        }
        for path in own {
            match entry::read_header(&mut open_file(&path)?) {
                Ok(Some((header, _))) => state.add_unless_known(Place::OWN_FILE, &header, known)?,
                Ok(None) => tracing::warn!("{} holds no raw copy and is left alone", path.display()),
                Err(e) => return Err(Error::io("read", &path, e)),
            }
        }
        let path = pack_path(dir, state.pack);
        if path.exists() {
            state.file = Some(disk.reopen(&path, state.written)?);
        }
        Ok(Self {
            dir: dir.to_owned(),
            disk: disk.clone(),
            limits,
            state: Mutex::new(state),
            compressors: Mutex::default(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of the state is complete before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Commits so far: to be read before looking into the catalog, and handed to [`Self::append`] and [`Self::adopt`].
    pub(crate) fn generation(&self) -> u64 {
        self.state().generation
    }

    pub(crate) fn waiting(&self, key: &RawKey) -> Option<Waiting> {
        self.state().waiting.get(key).cloned()
    }

    /// All that wait, in the order in which they came.
    pub(crate) fn all_waiting(&self) -> Vec<Found> {
        let mut all: Vec<_> =
            self.state().waiting.iter().map(|(&key, waiting)| Found { key, waiting: waiting.clone() }).collect();
        all.sort_unstable_by_key(|found| (found.waiting.received, found.waiting.place, found.key));
        all
    }

    /// Appends a small item, unless it is there.
    pub(crate) fn append(
        &self,
        key: &RawKey,
        raw: &[u8],
        origin: &str,
        received: i64,
        generation: u64,
    ) -> Result<Appended, Error> {
        let frame = self.compress(raw).map_err(|e| Error::io("compress an item for", &self.dir, e))?;
        let header = Header {
            key: *key,
            raw_len: raw.len() as u64,
            frame_len: frame.len() as u64,
            frame_crc: crc32fast::hash(&frame),
            received,
            origin: entry::cut_origin(origin),
        };
        let mut state = self.state();
        if state.waiting.contains_key(key) {
            return Ok(Appended::Waiting);
        }
        if state.generation != generation {
            return Ok(Appended::LookAgain);
        }
        state.check()?;
        if state.written + state.buffer.len() as u64 >= self.limits.pack_bytes {
            self.roll(&mut state)?;
        } else if state.buffer.len() >= self.limits.buffer_bytes {
            self.write(&mut state)?;
        }
        let place = Place { pack: state.pack, offset: state.written + state.buffer.len() as u64 };
        header.put(&mut state.buffer);
        state.buffer.extend_from_slice(&frame);
        state.add(place, *key, raw.len() as u64, received, &header.origin);
        Ok(Appended::New)
    }

    /// Takes a streamed item over, unless it is there.
    pub(crate) fn adopt(&self, streamed: &mut Streamed, generation: u64) -> Result<Appended, Error> {
        streamed.file.sync()?;
        let mut state = self.state();
        if state.waiting.contains_key(&streamed.key) {
            return Ok(Appended::Waiting);
        }
        if state.generation != generation {
            return Ok(Appended::LookAgain);
        }
        self.disk.rename(&streamed.path, &own_path(&self.dir, &streamed.key))?;
        state.dirty_dir = true;
        state.add(Place::OWN_FILE, streamed.key, streamed.size, streamed.received, &streamed.origin);
        Ok(Appended::New)
    }

    /// Brings everything kept so far to disk.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        let mut state = self.state();
        self.write(&mut state)?;
        self.sync_locked(&mut state)
    }

    fn sync_locked(&self, state: &mut State) -> Result<(), Error> {
        if state.dirty
            && let Some(file) = &state.file
        {
            // After a failed sync the kernel may have dropped what it could not write and report success the next time.
            file.sync().inspect_err(|_| state.lost = true)?;
        }
        state.dirty = false;
        if state.dirty_dir {
            self.disk.sync_dir(&self.dir).inspect_err(|_| state.lost = true)?;
            state.dirty_dir = false;
        }
        Ok(())
    }

    /// Writes what has gathered. On failure it stays gathered, and the file is cut back to its last whole entry.
    fn write(&self, state: &mut State) -> Result<(), Error> {
        state.check()?;
        if state.buffer.is_empty() {
            return Ok(());
        }
        if state.file.is_none() {
            state.file = Some(self.disk.create(&pack_path(&self.dir, state.pack))?);
            state.dirty_dir = true;
        }
        let written = state.written;
        if let Some(file) = &mut state.file
            && let Err(error) = file.put(&state.buffer)
        {
            state.lost = file.cut(written).is_err();
            return Err(error);
        }
        state.written += state.buffer.len() as u64;
        state.buffer.clear();
        state.dirty = true;
        Ok(())
    }

    /// Closes the open pack and starts the next one.
    fn roll(&self, state: &mut State) -> Result<(), Error> {
        self.write(state)?;
        self.sync_locked(state)?;
        state.file = None;
        state.pack += 1;
        state.written = 0;
        Ok(())
    }

    /// From where on the spool has to be looked through after a crash, if the outcomes of `settled` are committed.
    pub(crate) fn checkpoint(&self, settled: &dyn Fn(&RawKey) -> bool) -> Place {
        let state = self.state();
        let first = state.places.iter().find(|(_, key)| !settled(key)).map(|(&place, _)| place);
        first.unwrap_or(Place { pack: state.pack, offset: state.written + state.buffer.len() as u64 })
    }

    /// The outcomes of these items are committed.
    pub(crate) fn settle<'a>(&self, keys: impl IntoIterator<Item = &'a RawKey>) {
        let mut state = self.state();
        state.generation += 1;
        for key in keys {
            if let Some(waiting) = state.waiting.remove(key) {
                state.places.remove(&waiting.place);
            }
        }
    }

    /// Removes files that no longer belong to the ledger, unless an item of that name has come again.
    pub(crate) fn remove(&self, names: &[String]) -> Result<(), Error> {
        // An item that comes again is given its name under this lock too.
        let state = self.state();
        for name in names {
            let key = name.strip_suffix(".item").and_then(|key| key.parse::<RawKey>().ok());
            if key.is_none_or(|key| !state.waiting.contains_key(&key)) {
                self.disk.remove(&self.dir.join(name))?;
            }
        }
        Ok(())
    }

    /// The bytes of an item as they were received.
    pub(crate) fn raw(&self, key: &RawKey, place: Place) -> Result<Box<dyn BufRead + Send>, Error> {
        {
            let mut state = self.state();
            if place.pack == state.pack && place.offset >= state.written {
                self.write(&mut state)?;
            }
        }
        read_raw(&self.dir, key, place)
    }

    fn compress(&self, raw: &[u8]) -> io::Result<Vec<u8>> {
        let taken = self.compressors.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut compressor = taken.map_or_else(new_compressor, Ok)?;
        let frame = compressor.compress(raw);
        self.compressors.lock().unwrap_or_else(PoisonError::into_inner).push(compressor);
        frame
    }
}

fn new_compressor() -> io::Result<Compressor<'static>> {
    let mut new = Compressor::new(LEVEL)?;
    new.set_parameter(zstd::zstd_safe::CParameter::ChecksumFlag(true))?;
    Ok(new)
}

impl State {
    fn check(&self) -> Result<(), Error> {
        if self.lost {
            let what =
                "the disk failed while raw copies were brought to it: open the ledger anew, it recovers by itself";
            return Err(Error::Misuse { what });
        }
        Ok(())
    }

    fn add(&mut self, place: Place, key: RawKey, size: u64, received: i64, origin: &str) {
        self.waiting.insert(key, Waiting { place, size, received, origin: origin.into() });
        if place != Place::OWN_FILE {
            self.places.insert(place, key);
        }
    }

    fn add_unless_known(
        &mut self,
        place: Place,
        header: &Header,
        known: &mut dyn FnMut(&RawKey) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        if !self.waiting.contains_key(&header.key) && !known(&header.key)? {
            self.add(place, header.key, header.raw_len, header.received, &header.origin);
        }
        Ok(())
    }
}

/// Opens a raw copy where the catalog says it is.
pub(crate) fn read_raw(dir: &Path, key: &RawKey, place: Place) -> Result<Box<dyn BufRead + Send>, Error> {
    let path = path_of(dir, key, place);
    let bad = |what: String| Error::Raw { key: *key, path: path.clone(), what };
    let mut file = File::open(&path).map_err(|e| bad(e.to_string()))?;
    file.seek(SeekFrom::Start(place.offset)).map_err(|e| bad(e.to_string()))?;
    match entry::read_header(&mut file) {
        Ok(Some((header, _))) if header.key == *key => {
            let frame = BufReader::with_capacity(1 << 16, file.take(header.frame_len));
            let decoder = zstd::stream::read::Decoder::with_buffer(frame).map_err(|e| bad(e.to_string()))?;
            Ok(Box::new(BufReader::with_capacity(1 << 16, decoder.single_frame())))
        }
        Ok(_) => Err(bad(format!("there is another entry, or none, at {}", place.offset))),
        Err(e) => Err(bad(e.to_string())),
    }
}

fn path_of(dir: &Path, key: &RawKey, place: Place) -> PathBuf {
    if place.pack == 0 { own_path(dir, key) } else { pack_path(dir, place.pack) }
}

pub(crate) fn pack_name(pack: u32) -> String {
    format!("{pack:08}.pack")
}

pub(crate) fn own_name(key: &RawKey) -> String {
    format!("{key}.item")
}

fn pack_path(dir: &Path, pack: u32) -> PathBuf {
    dir.join(pack_name(pack))
}

fn own_path(dir: &Path, key: &RawKey) -> PathBuf {
    dir.join(own_name(key))
}

fn open_file(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|e| Error::io("open", path, e))
}

/// The packs in ascending order, and the items in files of their own.
pub(crate) fn list(dir: &Path) -> Result<(Vec<u32>, Vec<PathBuf>), Error> {
    let failed = |e| Error::io("list", dir, e);
    let (mut packs, mut own) = (Vec::new(), Vec::new());
    for found in fs::read_dir(dir).map_err(failed)? {
        let path = found.map_err(failed)?.path();
        let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
        match path.extension().and_then(|e| e.to_str()) {
            Some("pack") => packs.extend(stem.parse::<u32>()),
            Some("item") => own.push(path),
            _ => {}
        }
    }
    packs.sort_unstable();
    own.sort_unstable();
    Ok((packs, own))
}
