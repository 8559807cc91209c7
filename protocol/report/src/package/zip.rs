//! A zip archive in memory, read one member at a time.
//!
//! In: the archive's bytes. Out: each member's name and content, in the order of the central directory. Nothing is ever written, so
//! a member's name may be anything. Stored and deflated members are read; PKWARE's APPNOTE 6.3 has the numbers used here.
//!
//! Why not a library: sizes and counts are written by strangers. Here the directory is walked without building a list of it,
//! deflate says itself where it ends, and a size is used only where nothing else is there, for members that are stored.

use std::io::{self, Read};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use memchr::memmem;

use super::meter::Decompress;
use crate::{Rejection, RejectionKind};

/// The end record is at most this far from the end of the archive: its own 22 bytes, a comment of 64 KiB, and as much junk again,
/// which mail gateways append.
const END_SEARCHED_BYTES: usize = 128 << 10;

/// An archive whose directory was found.
pub(super) struct Archive<'a> {
    bytes: &'a [u8],
    /// The central directory, and whatever follows it.
    directory: &'a [u8],
    /// Members by the end record; zip64 archives that do not fit it say 65,535.
    pub(super) stated_members: u64,
    /// How far everything stands behind its stated offset, because something was put in front of the archive.
    shift: usize,
}

/// A member, as the central directory describes it.
pub(super) struct Member<'a> {
    /// Its name, in whatever encoding.
    pub(super) name: &'a [u8],
    /// Whether a password is needed.
    pub(super) encrypted: bool,
    method: u16,
    checksum: u32,
    /// From the first byte of its data: to its end if it is stored, else to the end of the archive.
    data: &'a [u8],
}

fn damaged(what: &str) -> Rejection {
    Rejection::new(RejectionKind::Damaged, format!("The zip archive is damaged: {what}. Ask for the report again."))
}

/// The little-endian number in `bytes` at `at`.
fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(N)?)?;
    Some(field.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte)))
}

fn offset(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(number::<4>(bytes, at)?).ok()
}

impl<'a> Archive<'a> {
    /// Finds the central directory.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Rejection> {
        let tail_at = bytes.len().saturating_sub(END_SEARCHED_BYTES);
        // The last end record that a directory belongs to; its signature may stand by chance in the comment behind it.
        memmem::rfind_iter(&bytes[tail_at..], b"PK\x05\x06")
            .find_map(|at| Self::from_end_record(bytes, tail_at + at))
            .ok_or_else(|| damaged("it has no directory, so its end is missing"))
    }

    fn from_end_record(bytes: &'a [u8], end_at: usize) -> Option<Self> {
        let end = &bytes[end_at..];
        let mut stated_members = number::<2>(end, 10)?;
        let (mut size, mut at) = (offset(end, 12)?, offset(end, 16)?);
        let mut directory_end = end_at;
        // APPNOTE 4.4.1.4: a field of all ones means that the zip64 end record has the value.
        if let Some((zip64_at, members, zip64_size, zip64_offset)) = zip64_end_record(bytes, end_at) {
            (stated_members, size, at, directory_end) = (members, zip64_size, zip64_offset, zip64_at);
        }
        let starts = |at: usize| bytes.get(at..).is_some_and(|directory| directory.starts_with(b"PK\x01\x02"));
        let (start, shift) = match directory_end.checked_sub(size) {
            Some(start) if starts(start) => (start, start.saturating_sub(at)),
            _ if starts(at) => (at, 0),
            _ if stated_members == 0 => (end_at, 0),
            _ => return None,
        };
        Some(Self { bytes, directory: &bytes[start..directory_end.max(start)], stated_members, shift })
    }

    /// The members in the order of the directory. It ends with the directory, whatever number of members the end record states.
    pub(super) fn members(&self) -> impl Iterator<Item = Result<Member<'a>, Rejection>> {
        let mut rest = self.directory;
        std::iter::from_fn(move || {
            if !rest.starts_with(b"PK\x01\x02") {
                return None;
            }
            let entry = rest;
            let Some(length) = entry_length(entry) else {
                rest = &[];
                return Some(Err(damaged("its directory is cut off")));
            };
            rest = entry.get(length..).unwrap_or_default();
            Some(self.member(entry).ok_or_else(|| damaged("its directory points outside of it")))
        })
    }

    fn member(&self, entry: &'a [u8]) -> Option<Member<'a>> {
        let name_length = usize::try_from(number::<2>(entry, 28)?).ok()?;
        let name = entry.get(46..46 + name_length)?;
        let extra_length = usize::try_from(number::<2>(entry, 30)?).ok()?;
        let extra = entry.get(46 + name_length..46 + name_length + extra_length).unwrap_or_default();
        let (mut size, mut at) = (number::<4>(entry, 20)?, number::<4>(entry, 42)?);
        zip64_extra(extra, number::<4>(entry, 24)?, &mut size, &mut at);
        let local = self.bytes.get(usize::try_from(at).ok()?.checked_add(self.shift)?..)?;
        if !local.starts_with(b"PK\x03\x04") {
            return None;
        }
        let skipped = 30 + usize::try_from(number::<2>(local, 26)? + number::<2>(local, 28)?).ok()?;
        let data = local.get(skipped..)?;
        let method = u16::try_from(number::<2>(entry, 10)?).ok()?;
        let data = if method == 0 { data.get(..usize::try_from(size).ok()?)? } else { data };
        // APPNOTE 4.4.4: bit 0 of the general purpose flags. AES is method 99.
        let encrypted = number::<2>(entry, 8)? & 1 == 1 || method == 99;
        Some(Member { name, encrypted, method, checksum: u32::try_from(number::<4>(entry, 16)?).ok()?, data })
    }
}

/// The length of a directory entry with its name, extra field and comment.
fn entry_length(entry: &[u8]) -> Option<usize> {
    let lengths = number::<2>(entry, 28)? + number::<2>(entry, 30)? + number::<2>(entry, 32)?;
    Some(46 + usize::try_from(lengths).ok()?)
}

/// Where the zip64 end record stands, and the members, size and offset of the directory it states (APPNOTE 4.3.14, 4.3.15).
fn zip64_end_record(bytes: &[u8], end_at: usize) -> Option<(usize, u64, usize, usize)> {
    let locator = &bytes[end_at.checked_sub(20)?..end_at];
    if !locator.starts_with(b"PK\x06\x07") {
        return None;
    }
    let at = usize::try_from(number::<8>(locator, 8)?).ok()?;
    let record = bytes.get(at..)?;
    if !record.starts_with(b"PK\x06\x06") {
        return None;
    }
    let size = usize::try_from(number::<8>(record, 40)?).ok()?;
    Some((at, number::<8>(record, 32)?, size, usize::try_from(number::<8>(record, 48)?).ok()?))
}

/// Takes size and offset from the zip64 extra field where the entry has all ones instead (APPNOTE 4.5.3).
fn zip64_extra(mut extra: &[u8], expanded: u64, size: &mut u64, at: &mut u64) {
    const ALL_ONES: u64 = 0xffff_ffff;
    while let (Some(id), Some(length)) = (number::<2>(extra, 0), number::<2>(extra, 2)) {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some(field) = extra.get(4..4 + length) else { return };
        if id == 1 {
            let mut position = if expanded == ALL_ONES { 8 } else { 0 };
            for value in [size, at] {
                if *value == ALL_ONES
                    && let Some(wide) = number::<8>(field, position)
                {
                    *value = wide;
                    position += 8;
                }
            }
            return;
        }
        extra = &extra[4 + length..];
    }
}

impl<'a> Member<'a> {
    /// Its content. The checksum is compared at the end.
    pub(super) fn content(&self) -> Result<Content<'a>, Rejection> {
        let data = match self.method {
            0 => Data::Stored(self.data),
            8 => Data::Deflated(DeflateDecoder::new(self.data)),
            other => {
                let name = match other {
                    9 => "deflate64",
                    12 => "bzip2",
                    14 => "LZMA",
                    93 => "zstd",
                    95 => "xz",
                    98 => "PPMd",
                    _ => "an unknown way",
                };
                let message = format!(
                    "It is compressed with {name} (method {other}), and only deflate is read. Unpack it first."
                );
                return Err(Rejection::new(RejectionKind::UnsupportedCompression, message));
            }
        };
        Ok(Content { data, crc: Crc::new(), checksum: self.checksum })
    }
}

/// The content of a member.
pub(super) struct Content<'a> {
    data: Data<'a>,
    crc: Crc,
    checksum: u32,
}

enum Data<'a> {
    Stored(&'a [u8]),
    Deflated(DeflateDecoder<&'a [u8]>),
}

impl Read for Content<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.data {
            Data::Stored(bytes) => bytes.read(into)?,
            Data::Deflated(decoder) => decoder.read(into)?,
        };
        self.crc.update(&into[..count]);
        if count == 0 && !into.is_empty() && self.crc.sum() != self.checksum {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its checksum does not match"));
        }
        Ok(count)
    }
}

impl Decompress for Content<'_> {
    fn taken(&self) -> u64 {
        match &self.data {
            // What is stored does not expand.
            Data::Stored(_) => u64::MAX,
            Data::Deflated(decoder) => decoder.total_in(),
        }
    }
}
