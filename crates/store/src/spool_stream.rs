//! A large item on its way into the spool: streamed into a file of its own, compressed and hashed as it comes, so that memory stays
//! bounded whatever its size.

use std::io::{self, Read};
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::disk::{Disk, DiskFile};
use crate::spool::{LEVEL, Spool};
use crate::spool_entry::{self as entry, Header};
use crate::{Error, RawKey};

impl Spool {
    /// Streams a large item into a file of its own. The file counts once it is handed to [`Self::adopt`].
    pub(crate) fn stream(&self, item: &mut dyn Read, origin: &str, received: i64) -> Result<Streamed, Error> {
        static NUMBER: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = self.dir.join(format!("{number}.tmp"));
        let mut file = self.disk.create(&path)?;
        let mut header = Header {
            key: RawKey([0; 32]),
            raw_len: 0,
            frame_len: 0,
            frame_crc: 0,
            received,
            origin: entry::cut_origin(origin),
        };
        match stream_into(&mut file, item, &mut header) {
            Ok(()) => Ok(Streamed {
                path,
                file,
                key: header.key,
                size: header.raw_len,
                received,
                origin: header.origin,
                disk: self.disk.clone(),
            }),
            Err(error) => {
                drop(self.disk.remove(&path));
                Err(match error {
                    StreamError::Item(source) => Error::Item { origin: origin.to_owned(), source },
                    StreamError::Disk(error) => error,
                })
            }
        }
    }
}

/// A large item in a file that has no name yet.
pub(crate) struct Streamed {
    pub(crate) path: PathBuf,
    pub(crate) file: DiskFile,
    pub(crate) key: RawKey,
    pub(crate) size: u64,
    pub(crate) received: i64,
    pub(crate) origin: String,
    disk: Disk,
}

impl Drop for Streamed {
    fn drop(&mut self) {
        // Renamed away if it was adopted; otherwise it is of no use to anybody.
        drop(self.disk.remove(&self.path));
    }
}

enum StreamError {
    Item(io::Error),
    Disk(Error),
}

fn stream_into(file: &mut DiskFile, item: &mut dyn Read, header: &mut Header) -> Result<(), StreamError> {
    let mut place_holder = Vec::new();
    header.put(&mut place_holder);
    file.put(&place_holder).map_err(StreamError::Disk)?;
    let path = file.path().to_owned();
    let disk = |e| StreamError::Disk(Error::io("write", &path, e));
    let mut hash = Sha256::new();
    let mut counted = entry::Counted::new(&mut *file);
    let mut encoder = zstd::stream::write::Encoder::new(&mut counted, LEVEL).map_err(disk)?;
    encoder.include_checksum(true).map_err(disk)?;
    let mut buffer = vec![0; 1 << 17];
    loop {
        let n = match item.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(StreamError::Item(e)),
        };
        hash.update(&buffer[..n]);
        header.raw_len += n as u64;
        io::Write::write_all(&mut encoder, &buffer[..n]).map_err(disk)?;
    }
    encoder.finish().map_err(disk)?;
    (header.frame_len, header.frame_crc) = counted.done();
    header.key = RawKey(hash.finalize().into());
    let mut start = Vec::new();
    header.put(&mut start);
    file.put_at_start(&start).map_err(StreamError::Disk)
}
