//! Canonicalization: the form of header fields and body that is hashed, so that harmless changes on the way do no harm
//! (RFC 6376 §3.4).
//!
//! In: fields as they stand, and the body in pieces cut anywhere, lines ending in CRLF. Out: the canonical bytes, in pieces. The
//! body is never held: only white space and line ends whose fate is open are counted until it is decided.

use std::ops::Range;

use message::{BLOCK_BYTES, Bytes, are, at_most, marks, places};

/// One of the two algorithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Canon {
    /// Nothing may change but empty lines at the end of the body.
    #[default]
    Simple,
    /// White space may change, and the case of field names.
    Relaxed,
}

impl Canon {
    /// The word in `c=`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Relaxed => "relaxed",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &[u8]) -> Option<Self> {
        [Self::Simple, Self::Relaxed].into_iter().find(|canon| word.eq_ignore_ascii_case(canon.as_str().as_bytes()))
    }

    /// Writes one header field, with its final CRLF.
    pub fn field(self, raw: &[u8], name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        match self {
            // RFC 6376 §3.4.1: it "does not change header fields in any way".
            Self::Simple => out.extend_from_slice(raw),
            Self::Relaxed => {
                relaxed_name(name, out);
                relaxed_value(value, 0..value.len(), out);
                out.extend_from_slice(b"\r\n");
            }
        }
    }
}

/// RFC 6376 §3.4.2: "Convert all header field names … to lowercase", "Delete any WSP characters remaining before and after the
/// colon".
pub(crate) fn relaxed_name(name: &[u8], out: &mut Vec<u8>) {
    out.extend(name.iter().map(u8::to_ascii_lowercase));
    out.push(b':');
}

fn is_wsp(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// A part of a text without the white space around it, and without the line ends in that.
fn trimmed(text: &[u8], part: Range<usize>) -> Range<usize> {
    let mut value = &text[part.clone()];
    while let [b' ' | b'\t', rest @ ..] | [b'\r', b'\n', rest @ ..] = value {
        value = rest;
    }
    let start = part.end - value.len();
    while let [rest @ .., b' ' | b'\t'] | [rest @ .., b'\r', b'\n'] = value {
        value = rest;
    }
    start..start + value.len()
}

/// Writes a part of a text. Copies of one fixed length take a fraction of the time, so that some bytes too many are copied where there
/// are such, to be written over.
#[inline]
pub(crate) fn append(out: &mut Vec<u8>, text: &[u8], part: Range<usize>) {
    let length = part.end - part.start;
    let text = &text[part.start..];
    match text.first_chunk::<COPIED_BYTES>() {
        Some(block) if length <= COPIED_BYTES => {
            let begin = out.len();
            out.extend_from_slice(block);
            out.truncate(begin + length);
        }
        _ => out.extend_from_slice(&text[..length]),
    }
}

/// RFC 6376 §3.4.2: "Unfold", "Convert all sequences of one or more WSP characters to a single SP", "Delete all WSP characters at
/// the end of each unfolded header field value", and those after the colon. Without a line end. The value is a part of a text.
pub(crate) fn relaxed_value(text: &[u8], value: Range<usize>, out: &mut Vec<u8>) {
    let begin = out.len();
    let value = trimmed(text, value);
    let mut written = value.start;
    // White space beside white space or a line end, which is all that has to change, and some that need not.
    let white = |b| at_most(b, b' ');
    for place in places(text, value.clone(), |a, b| are(a, b'\t') | white(a) & white(b)) {
        // Those side by side belong to one run.
        if place >= written {
            append(out, text, written..place);
            written = white_run(&text[..value.end], place, begin, out);
        }
    }
    append(out, text, written..value.end);
}

/// Writes what is left of the white space and line ends at `at`, and answers where they end.
fn white_run(value: &[u8], mut at: usize, begin: usize, out: &mut Vec<u8>) -> usize {
    let mut white = false;
    loop {
        match value.get(at) {
            Some(b' ' | b'\t') => {
                white = true;
                at += 1;
            }
            Some(b'\r') if value.get(at + 1) == Some(&b'\n') => at += 2,
            _ => break,
        }
    }
    if white && out.len() > begin && at < value.len() {
        out.push(b' ');
    }
    // A lone CR is text.
    if value.get(at) == Some(&b'\r') {
        out.push(b'\r');
        at += 1;
    }
    at
}

/// Bytes that are looked at for anything that the relaxed form changes before white space is searched for again.
const STRETCH_BYTES: usize = 4 * BLOCK_BYTES;

/// Bytes that are copied where fewer are meant: more than most lines have between two changes.
const COPIED_BYTES: usize = 64;

/// Bytes put together before they are written.
const SMALL_BYTES: usize = 4 << 10;

/// More bytes than these are written as they are.
const LONG_BYTES: usize = 256;

/// Line ends that are written together when text follows many of them.
const LINE_ENDS: [u8; 512] = {
    let mut ends = [b'\r'; 512];
    let mut at = 1;
    while at < ends.len() {
        ends[at] = b'\n';
        at += 2;
    }
    ends
};

/// A body on its way to its canonical form.
#[derive(Debug, Clone)]
pub struct BodyCanon {
    canon: Canon,
    /// Line ends that came in and were not written: they count only if text follows.
    lines: u64,
    /// White space after them, relaxed only.
    white: bool,
    /// A CR whose LF has not come.
    cr: bool,
    /// Something was written.
    any: bool,
    /// Where small pieces are put together.
    small: Small,
}

impl BodyCanon {
    /// The beginning of a body.
    #[must_use]
    pub fn new(canon: Canon) -> Self {
        Self { canon, lines: 0, white: false, cr: false, any: false, small: Small::default() }
    }

    /// Which form.
    pub(crate) fn canon(&self) -> Canon {
        self.canon
    }

    /// Takes the next piece, and calls with canonical bytes.
    pub fn feed(&mut self, piece: &[u8], mut out: impl FnMut(&[u8])) {
        // Where text ends in this piece; what follows is open.
        let relaxed = self.canon == Canon::Relaxed;
        let open = piece.iter().rev().take_while(|b| matches!(b, b'\r' | b'\n') || (relaxed && is_wsp(**b))).count();
        let (text, open) = piece.split_at(piece.len() - open);
        // What is open is decided by the first byte of text, if there is any.
        let begun = if self.is_open() { self.bytes(text, true, &mut out) } else { 0 };
        let text = &text[begun..];
        if !text.is_empty() {
            self.any = true;
            if relaxed { self.relaxed(text, &mut out) } else { out(text) }
        }
        self.bytes(open, false, &mut out);
    }

    /// The body has ended.
    pub fn finish(mut self, mut out: impl FnMut(&[u8])) {
        if self.cr {
            self.cr = false;
            self.text(b'\r', &mut out);
            self.flush_small(&mut out);
        }
        // RFC 6376 §3.4.3: "converts "*CRLF" at the end of the body to a single "CRLF"", also where there is no body. §3.4.4: "If
        // the body is non-empty but does not end with a CRLF, a CRLF is added"; an empty one stays empty.
        if self.any || self.canon == Canon::Simple {
            out(&LINE_ENDS[..2]);
        }
    }

    /// Writes text in relaxed form. It begins with nothing open and ends in neither white space nor a line end, so each line end in it
    /// counts, and each run of white space has its end in it.
    ///
    /// RFC 6376 §3.4.4: "Ignore all whitespace at the end of lines."; "Reduce all sequences of WSP within a line to a single SP
    /// character." Of a run its last space stays, unless a line ends there.
    fn relaxed(&mut self, text: &[u8], out: &mut impl FnMut(&[u8])) {
        let (mut written, mut begin) = (0, 0);
        // Stretches without any white space, as in base64, are passed over.
        while let Some(white) = memchr::memchr2(b' ', b'\t', &text[begin..]) {
            let at = begin + white;
            begin = text.len().min(at + STRETCH_BYTES);
            for place in (at..begin).step_by(BLOCK_BYTES) {
                let marked = marks(&text[place..], changed);
                // Marks side by side go together.
                let mut firsts = marked & !(marked << 1);
                while firsts != 0 {
                    let first = firsts.trailing_zeros();
                    firsts &= firsts - 1;
                    self.append(text, written..place + first as usize, out);
                    written = place + (first + (marked >> first).trailing_ones()) as usize;
                    // After a tab, and before a CR that is no line end, a space is missing.
                    if !matches!(text[written..], [b' ' | b'\t', ..] | [b'\r', b'\n', ..]) {
                        self.small.push(b' ');
                    }
                }
            }
        }
        self.append(text, written..text.len(), out);
        self.flush_small(out);
    }

    /// Writes text as it is: what is short together with what was before it, because a hash takes long pieces faster.
    fn append(&mut self, text: &[u8], part: Range<usize>, out: &mut impl FnMut(&[u8])) {
        if self.small.filled > SMALL_BYTES {
            self.flush_small(out);
        }
        if part.len() > LONG_BYTES {
            self.flush_small(out);
            out(&text[part]);
        } else {
            self.small.append(text, part);
        }
    }

    fn is_open(&self) -> bool {
        self.lines > 0 || self.white || self.cr
    }

    /// Goes through bytes one by one; all of them, or up to where nothing is open any more. Answers how many.
    fn bytes(&mut self, bytes: &[u8], until_closed: bool, out: &mut impl FnMut(&[u8])) -> usize {
        let mut taken = bytes.len();
        for (at, &byte) in bytes.iter().enumerate() {
            if self.cr {
                self.cr = false;
                if byte == b'\n' {
                    // RFC 6376 §3.4.4: "Ignore all whitespace at the end of lines."
                    self.white = false;
                    self.lines += 1;
                    continue;
                }
                self.text(b'\r', out);
            }
            match byte {
                b'\r' => self.cr = true,
                b' ' | b'\t' if self.canon == Canon::Relaxed => self.white = true,
                _ => {
                    self.text(byte, out);
                    if until_closed {
                        taken = at + 1;
                        break;
                    }
                }
            }
        }
        self.flush_small(out);
        taken
    }

    /// Writes a byte of text, and before it what it makes count.
    fn text(&mut self, byte: u8, out: &mut impl FnMut(&[u8])) {
        if self.lines > 0 {
            self.flush_small(out);
            self.any = true;
            let mut bytes = self.lines * 2;
            while bytes > 0 {
                let some = bytes.min(LINE_ENDS.len() as u64);
                out(&LINE_ENDS[..usize::try_from(some).unwrap_or(LINE_ENDS.len())]);
                bytes -= some;
            }
            self.lines = 0;
        }
        // RFC 6376 §3.4.4: "Reduce all sequences of WSP within a line to a single SP character."
        if std::mem::take(&mut self.white) {
            self.small.push(b' ');
        }
        self.small.push(byte);
    }

    fn flush_small(&mut self, out: &mut impl FnMut(&[u8])) {
        if self.small.filled > 0 {
            out(&self.small.bytes[..self.small.filled]);
            self.small.filled = 0;
            self.any = true;
        }
    }
}

/// Small pieces on their way to become a larger one. Their memory is got with the first of them and kept.
#[derive(Debug, Clone, Default)]
struct Small {
    bytes: Vec<u8>,
    filled: usize,
}

impl Small {
    fn room(&mut self, length: usize) {
        if self.bytes.len() < self.filled + length {
            self.bytes.resize((self.filled + length).max(SMALL_BYTES + 2 * LONG_BYTES), 0);
        }
    }

    fn push(&mut self, byte: u8) {
        self.room(1);
        self.bytes[self.filled] = byte;
        self.filled += 1;
    }

    /// Adds part of a text. Copies of one fixed length take a fraction of the time, so that some bytes too many are copied where there
    /// are such, to be written over.
    fn append(&mut self, text: &[u8], part: Range<usize>) {
        let length = part.len();
        self.room(length.max(COPIED_BYTES));
        let to = &mut self.bytes[self.filled..];
        match (to.first_chunk_mut::<COPIED_BYTES>(), text[part.start..].first_chunk::<COPIED_BYTES>()) {
            (Some(to), Some(from)) if length <= COPIED_BYTES => *to = *from,
            _ => to[..length].copy_from_slice(&text[part]),
        }
        self.filled += length;
    }
}

/// What the relaxed form may change of neighbours: a tab, or a space before white space or a CR.
fn changed(first: Bytes, second: Bytes) -> Bytes {
    are(first, b'\t') | are(first, b' ') & (are(second, b' ') | are(second, b'\t') | are(second, b'\r'))
}
