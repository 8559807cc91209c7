//! One entry of the spool: a fixed header, the origin, one zstd frame; both parts under a checksum.
//!
//! | bytes | what (little endian) |
//! | --- | --- |
//! | 4 | `LPS1` |
//! | 4 | length of the origin |
//! | 8 | length of the raw bytes |
//! | 8 | length of the frame |
//! | 8 | received, seconds since 1970 UTC |
//! | 32 | SHA-256 of the raw bytes |
//! | 4 | CRC-32 of the frame |
//! | 4 | CRC-32 of all of the above and the origin |
//! | … | origin (UTF-8), frame |

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::{Error, RawKey};

const MAGIC: [u8; 4] = *b"LPS1";
/// Length of the header without the origin.
pub(crate) const HEADER: usize = 72;
/// An origin is a path or a mailbox with a message's number; a longer one is cut.
const ORIGIN_BYTES: usize = 4096;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) key: RawKey,
    pub(crate) raw_len: u64,
    pub(crate) frame_len: u64,
    pub(crate) frame_crc: u32,
    pub(crate) received: i64,
    pub(crate) origin: String,
}

/// The origin, cut at a character's boundary if it is too long.
pub(crate) fn cut_origin(origin: &str) -> String {
    origin[..origin.floor_char_boundary(ORIGIN_BYTES)].to_owned()
}

impl Header {
    /// Appends the header and the origin.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&u32::try_from(self.origin.len()).unwrap_or(0).to_le_bytes());
        out.extend_from_slice(&self.raw_len.to_le_bytes());
        out.extend_from_slice(&self.frame_len.to_le_bytes());
        out.extend_from_slice(&self.received.to_le_bytes());
        out.extend_from_slice(&self.key.0);
        out.extend_from_slice(&self.frame_crc.to_le_bytes());
        let crc = checksum(&out[start..], self.origin.as_bytes());
        out.extend_from_slice(&crc.to_le_bytes());
        out.extend_from_slice(self.origin.as_bytes());
    }
}

fn checksum(header: &[u8], origin: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(header);
    crc.update(origin);
    crc.finalize()
}

/// Reads a header and its origin; also says how many bytes they take. `None` if there is no sound one.
pub(crate) fn read_header(input: &mut impl Read) -> io::Result<Option<(Header, u64)>> {
    let mut fixed = [0; HEADER];
    if !fill(input, &mut fixed)? || fixed[..4] != MAGIC {
        return Ok(None);
    }
    let origin_len = u32::from_le_bytes(part(&fixed, 4)) as usize;
    let mut origin = vec![0; origin_len.min(ORIGIN_BYTES + 1)];
    if origin_len > ORIGIN_BYTES || !fill(input, &mut origin)? {
        return Ok(None);
    }
    if checksum(&fixed[..HEADER - 4], &origin) != u32::from_le_bytes(part(&fixed, 68)) {
        return Ok(None);
    }
    let header = Header {
        key: RawKey(part(&fixed, 32)),
        raw_len: u64::from_le_bytes(part(&fixed, 8)),
        frame_len: u64::from_le_bytes(part(&fixed, 16)),
        received: i64::from_le_bytes(part(&fixed, 24)),
        frame_crc: u32::from_le_bytes(part(&fixed, 64)),
        origin: String::from_utf8_lossy(&origin).into_owned(),
    };
    Ok(Some((header, (HEADER + origin_len) as u64)))
}

fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut part = [0; N];
    part.copy_from_slice(&bytes[at..at + N]);
    part
}

/// Fills the buffer; `false` if the input ends before.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match input.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(e) => Err(e),
    }
}

/// Looks through a pack from an entry's boundary on and visits every sound entry. Gives the end of the last one: what lies behind
/// was torn off by a crash.
///
/// An entry whose frame is damaged but whose header is sound is passed over, so that one bad block costs one item.
pub(crate) fn scan(path: &Path, from: u64, visit: &mut dyn FnMut(u64, Header)) -> Result<u64, Error> {
    let failed = |e| Error::io("read", path, e);
    let file = match File::open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(0),
        other => other.map_err(failed)?,
    };
    let length = file.metadata().map_err(failed)?.len();
    let mut input = BufReader::with_capacity(1 << 18, file);
    input.seek(SeekFrom::Start(from)).map_err(failed)?;
    let (mut at, mut sound) = (from.min(length), from.min(length));
    while at < length {
        let Some((header, bytes)) = read_header(&mut input).map_err(failed)? else { break };
        let end = at.saturating_add(bytes).saturating_add(header.frame_len);
        if end > length {
            break;
        }
        if frame_crc(&mut input, header.frame_len).map_err(failed)? == header.frame_crc {
            visit(at, header);
            sound = end;
        } else {
            tracing::warn!("the raw copy {} at {at} in {} is damaged and passed over", header.key, path.display());
        }
        at = end;
    }
    Ok(sound)
}

/// Reads a frame and gives its checksum.
pub(crate) fn frame_crc(input: &mut impl Read, length: u64) -> io::Result<u32> {
    let mut crc = crc32fast::Hasher::new();
    let mut buffer = [0; 1 << 14];
    let mut left = input.take(length);
    loop {
        match left.read(&mut buffer)? {
            0 => return Ok(crc.finalize()),
            n => crc.update(&buffer[..n]),
        }
    }
}

/// Counts and checksums what is written through it.
pub(crate) struct Counted<W> {
    inner: W,
    length: u64,
    crc: crc32fast::Hasher,
}

impl<W: Write> Counted<W> {
    pub(crate) fn new(inner: W) -> Self {
        Self { inner, length: 0, crc: crc32fast::Hasher::new() }
    }

    /// Bytes written and their checksum.
    pub(crate) fn done(self) -> (u64, u32) {
        (self.length, self.crc.finalize())
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.length += n as u64;
        self.crc.update(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
