//! A sliding window over the bytes of a report, as UTF-8 or an ASCII-compatible encoding.
//!
//! In: any `BufRead`. Out: a slice that grows on demand up to the field limit. UTF-16 is turned into UTF-8 on the way.
//! Memory is one window whatever the size of the input.

use std::io::{BufRead, ErrorKind};

use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::limits::Limits;
use crate::{Rejection, RejectionKind};

/// Input bytes turned from UTF-16 at a time; each two become at most three.
const UTF16_STEP: usize = 2048;

/// The window. Positions are relative to its unread part.
pub(super) struct Input<R> {
    source: R,
    bytes: Vec<u8>,
    start: usize,
    ended: bool,
    /// Bytes taken from the source so far.
    taken: u64,
    taken_max: u64,
    window: usize,
    utf16: Option<Decoder>,
    /// What the start of the bytes tells of their encoding.
    pub(super) mark: Mark,
    /// UTF-16 that was none has been replaced.
    pub(super) replaced: bool,
}

/// What the first bytes say about the encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Nothing: the declaration decides.
    Absent,
    /// A byte order mark: it decides, whatever the declaration says.
    Present,
    /// UTF-16 without a mark.
    Guessed,
}

impl<R: BufRead> Input<R> {
    pub(super) fn open(source: R, limits: &Limits) -> Result<Self, Rejection> {
        let mut input = Self {
            source,
            bytes: Vec::new(),
            start: 0,
            ended: false,
            taken: 0,
            taken_max: limits.xml_bytes,
            window: limits.field_bytes,
            utf16: None,
            mark: Mark::Absent,
            replaced: false,
        };
        input.more()?;
        input.detect();
        Ok(input)
    }

    /// The unread bytes that are in memory.
    #[inline]
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Leaves the first `count` unread bytes behind.
    #[inline]
    pub(super) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.bytes.len());
    }

    /// Bytes read past so far, counted as they came.
    pub(super) fn passed(&self) -> u64 {
        self.taken.saturating_sub(self.rest().len() as u64)
    }

    /// The first `count` unread bytes, leaving the first `total` behind.
    #[inline]
    pub(super) fn pass(&mut self, count: usize, total: usize) -> &[u8] {
        let start = self.start;
        self.consume(total);
        &self.bytes[start..start + count]
    }

    /// Makes the rest longer, keeping what is unread. False at the end of the input.
    #[cold]
    pub(super) fn more(&mut self) -> Result<bool, Rejection> {
        if self.ended {
            return Ok(false);
        }
        self.bytes.drain(..self.start);
        self.start = 0;
        if self.bytes.len() >= self.window {
            let begin: String = String::from_utf8_lossy(&self.bytes).chars().take(40).collect();
            return Err(Rejection::new(
                RejectionKind::FieldTooLong,
                format!(
                    "A text or tag that begins with “{begin}” is longer than the {} bytes that are allowed. \
                     If the report is real, ask the reporter to leave that out.",
                    self.window
                ),
            ));
        }
        let before = self.bytes.len();
        while self.bytes.len() < self.window && !self.ended {
            self.take_some()?;
        }
        Ok(self.bytes.len() > before)
    }

    /// Moves bytes from the source to the window once.
    fn take_some(&mut self) -> Result<(), Rejection> {
        let room = self.window - self.bytes.len();
        let available = match self.source.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(from_io(error)),
        };
        self.ended = available.is_empty();
        let count = if let Some(decoder) = &mut self.utf16 {
            let piece = &available[..available.len().min(UTF16_STEP)];
            let mut utf8 = [0; UTF16_STEP * 2];
            let (_, count, written, replaced) = decoder.decode_to_utf8(piece, &mut utf8, self.ended);
            self.bytes.extend_from_slice(&utf8[..written]);
            self.replaced |= replaced;
            count
        } else {
            let piece = &available[..available.len().min(room)];
            self.bytes.extend_from_slice(piece);
            piece.len()
        };
        self.source.consume(count);
        self.taken += count as u64;
        if self.taken > self.taken_max {
            return Err(Rejection::new(
                RejectionKind::ExpandedSizeLimit,
                format!("The report has more than the {} bytes of XML that are allowed.", self.taken_max),
            ));
        }
        Ok(())
    }

    /// Looks at the first bytes, and starts over in UTF-8 if they are UTF-16.
    fn detect(&mut self) {
        let (encoding, mark_len): (&'static Encoding, usize) = match self.bytes.as_slice() {
            [0xef, 0xbb, 0xbf, ..] => (UTF_8, 3),
            [0xff, 0xfe, ..] => (UTF_16LE, 2),
            [0xfe, 0xff, ..] => (UTF_16BE, 2),
            [b'<', 0, ..] => (UTF_16LE, 0),
            [0, b'<', ..] => (UTF_16BE, 0),
            _ => return,
        };
        self.mark = if mark_len > 0 { Mark::Present } else { Mark::Guessed };
        self.start = mark_len;
        if encoding == UTF_8 {
            return;
        }
        let mut decoder = encoding.new_decoder_without_bom_handling();
        let room = decoder.max_utf8_buffer_length(self.bytes.len()).unwrap_or(self.bytes.len() * 3);
        let mut utf8 = vec![0; room];
        let (_, _, written, replaced) = decoder.decode_to_utf8(&self.bytes[mark_len..], &mut utf8, self.ended);
        utf8.truncate(written);
        self.replaced = replaced;
        self.bytes = utf8;
        self.start = 0;
        self.utf16 = Some(decoder);
    }
}

/// A rejection that travelled inside an I/O error comes out as itself.
fn from_io(error: std::io::Error) -> Rejection {
    Rejection::carried(error).unwrap_or_else(|error| {
        let message = format!("The bytes could not be read to their end ({error}). Fetch the file again.");
        Rejection::new(RejectionKind::Unreadable, message)
    })
}
