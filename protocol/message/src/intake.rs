//! A message on its way in, piece by piece: first its header, then its body as a stream with CRLF at the end of each line.
//!
//! In: the bytes of a message, cut anywhere. Out: a [`Header`], then calls with pieces of the body. The header is held, the body
//! is not. Where the pieces are cut changes nothing.
//!
//! The first line end decides ([`LineEnds`]): with CRLF, a lone LF is a byte like others, and an anomaly; with LF, the message is
//! a file, and every LF becomes CRLF here, once. What is downstream never asks again. RFC 5322 §2.1, §2.3; RFC 6376 §5.3.

use memchr::memchr;

use crate::fields::{AnomalyKind, Header, HeaderError, HeaderLimits, Line, LineEnds, stands_alone};

/// Reads the header of a message.
#[derive(Debug)]
pub struct HeaderReader {
    header: Header<'static>,
    limits: HeaderLimits,
    /// Where the line that is being read begins in the header's buffer.
    line: usize,
    decided: bool,
}

/// What a piece of the message led to.
#[derive(Debug)]
pub enum Progress {
    /// The header goes on in the next piece.
    More,
    /// The header is complete. Feed the body with the bytes of this piece from `rest` on, then with those that follow.
    Done {
        /// The header.
        header: Header<'static>,
        /// The body, to be fed.
        body: Body,
        /// Where the body goes on in the piece.
        rest: usize,
    },
}

impl HeaderReader {
    /// A reader at the beginning of a message.
    #[must_use]
    pub fn new(limits: HeaderLimits) -> Self {
        Self { header: Header::new(), limits, line: 0, decided: false }
    }

    /// Takes the next piece. After [`Progress::Done`] the reader is empty and is to be dropped.
    ///
    /// # Errors
    /// The limit that the header went over.
    pub fn feed(&mut self, piece: &[u8]) -> Result<Progress, HeaderError> {
        if !self.decided
            && self.header.buffer().is_empty()
            && let Some((header, rest)) = Header::plain(piece, &self.limits)
        {
            let body = Body::new(header.line_ends(), Vec::new());
            return Ok(Progress::Done { header: header.into_owned(), body, rest });
        }
        self.read(piece)
    }

    /// Takes the next piece line by line.
    fn read(&mut self, piece: &[u8]) -> Result<Progress, HeaderError> {
        let mut rest = 0;
        while let Some(end) = memchr(b'\n', &piece[rest..]) {
            let (text, next) = (&piece[rest..rest + end], rest + end + 1);
            self.take(text)?;
            rest = next;
            if !self.line_end() {
                continue;
            }
            let start = self.line;
            if self.header.buffer()[start..] == *b"\r\n" {
                let (header, body) = self.done(start, false);
                return Ok(Progress::Done { header, body, rest });
            }
            if let Line::EndsHeaderAt(at) = self.header.line(start, &self.limits)? {
                let (header, body) = self.done(at, true);
                return Ok(Progress::Done { header, body, rest });
            }
            self.line = self.header.buffer().len();
        }
        self.take(&piece[rest..])?;
        Ok(Progress::More)
    }

    /// The message ended without an empty line: everything so far is its header.
    ///
    /// # Errors
    /// The limit that the header went over.
    pub fn finish(mut self) -> Result<(Header<'static>, Body), HeaderError> {
        let start = self.line;
        let mut end = None;
        if self.header.buffer().len() > start {
            if self.header.buffer().ends_with(b"\r") {
                self.header.buffer().pop();
            }
            self.header.buffer().extend_from_slice(b"\r\n");
            if let Line::EndsHeaderAt(at) = self.header.line(start, &self.limits)? {
                end = Some(at);
            }
        }
        let at = end.unwrap_or(self.header.buffer().len());
        let (mut header, body) = self.done(at, end.is_some());
        if body.begun.is_empty() {
            header.note(AnomalyKind::MissingBlankLine, at);
        }
        Ok((header, body))
    }

    fn take(&mut self, text: &[u8]) -> Result<(), HeaderError> {
        if self.header.buffer().len() + text.len() > self.limits.bytes {
            return Err(HeaderError::Bytes(self.limits.bytes));
        }
        self.header.buffer().extend_from_slice(text);
        Ok(())
    }

    /// An LF follows what was taken. Whether it ends the line.
    fn line_end(&mut self) -> bool {
        let after_cr = self.header.buffer().ends_with(b"\r");
        if !self.decided {
            self.decided = true;
            self.header.set_line_ends(if after_cr { LineEnds::Crlf } else { LineEnds::Lf });
        }
        let at = self.header.buffer().len();
        if self.header.line_ends() == LineEnds::Lf {
            if after_cr {
                self.header.note(AnomalyKind::MixedLineEnds, at - 1);
            } else {
                self.header.buffer().push(b'\r');
            }
            self.header.buffer().push(b'\n');
            return true;
        }
        self.header.buffer().push(b'\n');
        after_cr
    }

    /// Cuts at `end`. What is cut off is the empty line, or, `with_body`, the beginning of the body.
    fn done(&mut self, end: usize, with_body: bool) -> (Header<'static>, Body) {
        let cut = self.header.cut(end);
        let mut header = std::mem::replace(&mut self.header, Header::new());
        let late = header.close().map(|at| header.cut(at));
        let begun = match late {
            // The name of a folded field, still without its colon at the empty line: it and the empty line are body.
            Some(mut late) => {
                late.extend_from_slice(&cut);
                late
            }
            None if with_body => cut,
            None => Vec::new(),
        };
        let body = Body::new(header.line_ends(), begun);
        (header, body)
    }
}

/// Reads a message that is in memory: its header, its body, and the bytes to feed the body with.
///
/// # Errors
/// The limit that the header went over.
pub fn split<'m>(message: &'m [u8], limits: &HeaderLimits) -> Result<(Header<'m>, Body, &'m [u8]), HeaderError> {
    if let Some((header, rest)) = Header::plain(message, limits) {
        let body = Body::new(header.line_ends(), Vec::new());
        return Ok((header, body, &message[rest..]));
    }
    let mut reader = HeaderReader::new(*limits);
    if let Progress::Done { header, body, rest } = reader.read(message)? {
        return Ok((header, body, &message[rest..]));
    }
    let (header, body) = reader.finish()?;
    Ok((header, body, &[]))
}

/// The body of a message on its way through: pieces in, the same bytes out with CRLF at the end of each line.
#[derive(Debug, Clone)]
pub struct Body {
    line_ends: LineEnds,
    /// What the header's reader had taken already. It stands in CRLF form.
    begun: Vec<u8>,
    /// The last byte that came in.
    last: u8,
    facts: BodyFacts,
}

/// What there is to say about a body that went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BodyFacts {
    /// Bytes that came out.
    pub bytes: u64,
    /// CRs that no LF follows. A relay that takes one for a line end could see another message in here (SMTP smuggling).
    pub bare_cr: u64,
    /// LFs that no CR precedes, in a message whose lines end in CRLF: the same danger.
    pub bare_lf: u64,
}

/// Pieces in which an LF body is made into a CRLF one.
const PIECE_BYTES: usize = 8 << 10;

impl Body {
    fn new(line_ends: LineEnds, begun: Vec<u8>) -> Self {
        Self { line_ends, begun, last: b'\n', facts: BodyFacts::default() }
    }

    /// Takes the next piece of the body, and calls with what is to be hashed or kept.
    pub fn feed(&mut self, piece: &[u8], mut out: impl FnMut(&[u8])) {
        self.begin(&mut out);
        if piece.is_empty() {
            return;
        }
        match self.line_ends {
            LineEnds::Crlf => {
                self.look(piece);
                self.facts.bytes += piece.len() as u64;
                out(piece);
            }
            LineEnds::Lf => self.convert(piece, &mut out),
        }
        self.last = piece[piece.len() - 1];
    }

    /// The message has ended.
    pub fn finish(mut self, mut out: impl FnMut(&[u8])) -> BodyFacts {
        self.begin(&mut out);
        self.facts.bare_cr += u64::from(self.last == b'\r');
        self.facts
    }

    fn begin(&mut self, out: &mut impl FnMut(&[u8])) {
        if !self.begun.is_empty() {
            let begun = std::mem::take(&mut self.begun);
            self.look(&begun);
            self.facts.bytes += begun.len() as u64;
            self.last = begun[begun.len() - 1];
            out(&begun);
        }
    }

    /// Counts the CRs and LFs that stand alone. A CR at the end is judged with the next piece.
    fn look(&mut self, piece: &[u8]) {
        let (mut before, mut at) = (self.last, 0);
        for block in piece.chunks(PIECE_BYTES) {
            let pairs = block.iter().zip(piece[at..].get(1..).unwrap_or_default());
            let odd = stands_alone(before, block[0]);
            if pairs.fold(odd, |odd, (&a, &b)| odd | stands_alone(a, b)) > 0 {
                let mut last = before;
                for &byte in block {
                    self.facts.bare_cr += u64::from(last == b'\r' && byte != b'\n');
                    self.facts.bare_lf += u64::from(last != b'\r' && byte == b'\n');
                    last = byte;
                }
            }
            before = block[block.len() - 1];
            at += block.len();
        }
    }

    fn convert(&mut self, piece: &[u8], out: &mut impl FnMut(&[u8])) {
        let mut buffer = Vec::with_capacity(PIECE_BYTES.min(piece.len()) * 2);
        let mut last = self.last;
        for part in piece.chunks(PIECE_BYTES) {
            buffer.clear();
            for line in part.split_inclusive(|&b| b == b'\n') {
                let text = line.strip_suffix(b"\n").unwrap_or(line);
                if !text.is_empty() {
                    self.facts.bare_cr += u64::from(last == b'\r');
                    let inner = &text[..text.len() - 1];
                    self.facts.bare_cr += memchr::memchr_iter(b'\r', inner).count() as u64;
                    last = text[text.len() - 1];
                }
                buffer.extend_from_slice(text);
                if text.len() < line.len() {
                    buffer.extend_from_slice(if last == b'\r' { b"\n" } else { b"\r\n" });
                    last = b'\n';
                }
            }
            self.facts.bytes += buffer.len() as u64;
            out(&buffer);
        }
    }
}
