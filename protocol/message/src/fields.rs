//! The header of a message as authentication sees it: its fields with their bytes and places, and everything odd about it by name.
//!
//! In: lines, one at a time, from [`crate::HeaderReader`]. Out: a [`Header`] whose lines all end in CRLF. Nothing is decoded,
//! repaired or guessed: where two readers could see two different headers, an [`Anomaly`] says so, and [`crate::author()`] refuses
//! what it must. RFC 5322 §2.2, §3.6.8, §4.5.

use std::borrow::Cow;
use std::fmt;

use crate::names::{name_length, same_name};
use crate::places::{are, places};

/// What the header of a message may consist of. A message beyond it has no verdict: refuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderLimits {
    /// Bytes of the header. Large providers stop at 256 to 500 KiB; the header is held in memory.
    pub bytes: usize,
    /// Fields. Mail that crossed many relays has about 150; each costs some 40 bytes of memory beside its own.
    pub fields: usize,
}

impl Default for HeaderLimits {
    fn default() -> Self {
        Self { bytes: 1 << 20, fields: 4_000 }
    }
}

/// The limit that a header went over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// [`HeaderLimits::bytes`].
    #[error("the header has more than {0} bytes: refuse the message, or raise the limit")]
    Bytes(usize),
    /// [`HeaderLimits::fields`].
    #[error("the header has more than {0} fields: refuse the message, or raise the limit")]
    Fields(usize),
}

/// What can be odd about a header or a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AnomalyKind {
    /// A CR that no LF follows. Some readers end the line there.
    BareCr,
    /// An LF that no CR precedes, in a message whose lines end in CRLF. Some readers end the line there.
    BareLf,
    /// A CRLF in a message whose lines end in LF.
    MixedLineEnds,
    /// A NUL byte. Some readers stop there.
    Nul,
    /// White space between a field name and its colon. Some readers do not see the field.
    SpaceBeforeColon,
    /// The first line begins with white space. Some readers take it for a field, some drop it; it is left out.
    FirstLineContinuation,
    /// The colon stands on the line after the name. Some readers do not see the field.
    FoldedName,
    /// A line without a colon. The header ends before it here; some readers go on.
    MissingColon,
    /// A line whose colon follows something that is no field name. The header ends before it here; some readers go on.
    BadName,
    /// The message ends inside the header.
    MissingBlankLine,
    /// A line of an mbox file, `From ` and an address, in front of the first field. It is left out.
    MboxLine,
}

impl AnomalyKind {
    /// The name in logs and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BareCr => "bare_cr",
            Self::BareLf => "bare_lf",
            Self::MixedLineEnds => "mixed_line_ends",
            Self::Nul => "nul",
            Self::SpaceBeforeColon => "space_before_colon",
            Self::FirstLineContinuation => "first_line_continuation",
            Self::FoldedName => "folded_name",
            Self::MissingColon => "missing_colon",
            Self::BadName => "bad_name",
            Self::MissingBlankLine => "missing_blank_line",
            Self::MboxLine => "mbox_line",
        }
    }
}

impl fmt::Display for AnomalyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One kind of oddness: where it was first met, and how often. There is one of these for each kind at most, so that a thousand
/// harmless ones cannot push a grave one out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anomaly {
    /// What.
    pub kind: AnomalyKind,
    /// Where first: bytes from the beginning of [`Header::bytes`], or of the body.
    pub at: usize,
    /// How often.
    pub count: u32,
}

/// How the lines of the message ended as it came in; decided by the first line and never again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnds {
    /// CRLF, as on the wire. A lone LF is an anomaly and ends no line.
    Crlf,
    /// LF, as in files. Each was made into CRLF, once, on the way in.
    Lf,
}

/// One header field, as it stands. Lines end in CRLF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name as written, without white space around it.
    pub name: &'a [u8],
    /// Everything after the colon, folded lines and the final line end included.
    pub value: &'a [u8],
    /// The whole field, from its name to its final line end.
    pub raw: &'a [u8],
    /// Where it begins in [`Header::bytes`].
    pub at: usize,
}

impl Field<'_> {
    /// Whether this is the field of that name; case does not matter (RFC 5322 §1.2.2).
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        same_name(self.name, name.as_bytes())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    start: usize,
    name_end: usize,
    /// Where the value begins; `usize::MAX` while the colon of a folded name is awaited.
    value: usize,
    end: usize,
}

const NO_COLON_YET: usize = usize::MAX;

/// Room for the fields of most headers, so that they do not move while they are read.
const FIELDS_USUAL: usize = 32;

/// The header of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'m> {
    /// Those of the message where it was in memory as a whole, and its header was plain.
    bytes: Cow<'m, [u8]>,
    spans: Vec<Span>,
    anomalies: Vec<Anomaly>,
    line_ends: LineEnds,
}

/// What a line did to the header.
pub(crate) enum Line {
    Taken,
    /// The line at this offset is no part of the header: the body begins there.
    EndsHeaderAt(usize),
}

impl<'m> Header<'m> {
    /// The fields, top to bottom.
    #[must_use]
    pub fn fields(&self) -> impl DoubleEndedIterator<Item = Field<'_>> + ExactSizeIterator + Clone {
        self.spans.iter().map(|span| self.at(span))
    }

    /// The field at a place, counted from 0.
    #[inline]
    #[must_use]
    pub fn field(&self, index: usize) -> Option<Field<'_>> {
        self.spans.get(index).map(|span| self.at(span))
    }

    #[inline]
    fn at(&self, span: &Span) -> Field<'_> {
        Field {
            name: &self.bytes[span.start..span.name_end],
            value: &self.bytes[span.value..span.end],
            raw: &self.bytes[span.start..span.end],
            at: span.start,
        }
    }

    /// The names of the fields as written, top to bottom.
    #[must_use]
    pub fn names(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.spans.iter().map(|span| &self.bytes[span.start..span.name_end])
    }

    /// The fields of one name with their places, top to bottom.
    pub fn numbered<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (usize, Field<'a>)> {
        let mut spans = self.spans.iter().enumerate();
        let is = |span: &Span| {
            span.name_end - span.start == name.len()
                && same_name(&self.bytes[span.start..span.name_end], name.as_bytes())
        };
        std::iter::from_fn(move || {
            let (index, span) = spans.find(|(_, span)| is(span))?;
            Some((index, self.at(span)))
        })
    }

    /// The fields of one name, top to bottom.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Field<'a>> {
        self.numbered(name).map(|(_, field)| field)
    }

    /// The fields as they stand, one after the other, each line ending in CRLF; without the empty line.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What is odd about it, each kind once.
    #[must_use]
    pub fn anomalies(&self) -> &[Anomaly] {
        &self.anomalies
    }

    /// Whether one kind of oddness was met.
    #[must_use]
    pub fn has(&self, kind: AnomalyKind) -> bool {
        self.anomalies.iter().any(|anomaly| anomaly.kind == kind)
    }

    /// How its lines ended as it came in.
    #[must_use]
    pub fn line_ends(&self) -> LineEnds {
        self.line_ends
    }

    pub(crate) fn new() -> Self {
        Self { bytes: Cow::Borrowed(&[]), spans: Vec::new(), anomalies: Vec::new(), line_ends: LineEnds::Crlf }
    }

    /// The header at the beginning of `piece`, and where the body begins there, if all of the header is there and none of it is odd.
    /// Nearly every header is so, and takes half the time of one that is read line by line, with the same outcome.
    pub(crate) fn plain(piece: &'m [u8], limits: &HeaderLimits) -> Option<(Self, usize)> {
        let mut spans: Vec<Span> = Vec::with_capacity(FIELDS_USUAL);
        let (mut start, mut lines) = (0, 0);
        for at in places(piece, 0..piece.len(), |b, _| are(b, b'\n')) {
            let end = at + 1;
            let line = piece.get(start..end)?;
            if !line.ends_with(b"\r\n") {
                return None;
            }
            match line {
                [b'\r', b'\n'] => {
                    let bytes = piece.get(..start)?;
                    // Each LF has its CR, so that there are as many CRs as lines if none stands alone.
                    let whole = memchr::memchr_iter(b'\r', bytes).count() == lines;
                    if !whole || end > limits.bytes || memchr::memchr(0, bytes).is_some() {
                        return None;
                    }
                    return Some((Self { bytes: Cow::Borrowed(bytes), spans, ..Self::new() }, end));
                }
                [b' ' | b'\t', ..] => spans.last_mut()?.end = end,
                line => {
                    let name = name_length(&piece[start..]);
                    let is_field = name > 0 && line.get(name) == Some(&b':') && spans.len() < limits.fields;
                    if !is_field || end > limits.bytes {
                        return None;
                    }
                    spans.push(Span { start, name_end: start + name, value: start + name + 1, end });
                }
            }
            start = end;
            lines += 1;
        }
        None
    }

    pub(crate) fn set_line_ends(&mut self, line_ends: LineEnds) {
        self.line_ends = line_ends;
    }

    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        self.bytes.to_mut()
    }

    /// The same with bytes of its own.
    pub(crate) fn into_owned(self) -> Header<'static> {
        let Self { bytes, spans, anomalies, line_ends } = self;
        Header { bytes: Cow::Owned(bytes.into_owned()), spans, anomalies, line_ends }
    }

    /// Cuts off what turned out not to be header, and hands it over.
    pub(crate) fn cut(&mut self, at: usize) -> Vec<u8> {
        self.buffer().split_off(at)
    }

    pub(crate) fn note(&mut self, kind: AnomalyKind, at: usize) {
        match self.anomalies.iter_mut().find(|anomaly| anomaly.kind == kind) {
            Some(anomaly) => anomaly.count = anomaly.count.saturating_add(1),
            None => self.anomalies.push(Anomaly { kind, at, count: 1 }),
        }
    }

    /// Takes the line that begins at `start` and ends the buffer.
    pub(crate) fn line(&mut self, start: usize, limits: &HeaderLimits) -> Result<Line, HeaderError> {
        let end = self.bytes.len();
        let line = &self.bytes[start..];
        // RFC 5322 §2.2.3: a line that begins with white space continues the field before it.
        if matches!(line.first(), Some(b' ' | b'\t')) {
            return Ok(self.continuation(start, end));
        }
        if let Some(folded) = self.awaits_colon() {
            self.note(AnomalyKind::MissingColon, folded);
            self.spans.pop();
            return Ok(Line::EndsHeaderAt(folded));
        }
        let name = name_length(line);
        let after = &line[name..];
        let spaces = after.iter().position(|&b| !matches!(b, b' ' | b'\t')).unwrap_or(after.len());
        let value = match after.get(spaces) {
            Some(b':') if name > 0 => start + name + spaces + 1,
            Some(b'\r') if name > 0 && after[spaces..] == *b"\r\n" => NO_COLON_YET,
            _ if start == 0 && is_mbox_line(line) => {
                self.note(AnomalyKind::MboxLine, 0);
                self.buffer().clear();
                return Ok(Line::Taken);
            }
            _ => {
                let colon = line.contains(&b':');
                self.note(if colon { AnomalyKind::BadName } else { AnomalyKind::MissingColon }, start);
                return Ok(Line::EndsHeaderAt(start));
            }
        };
        if self.spans.len() == limits.fields {
            return Err(HeaderError::Fields(limits.fields));
        }
        // RFC 5322 §4.5 lets white space stand before the colon in old messages; not every reader does.
        if spaces > 0 && value != NO_COLON_YET {
            self.note(AnomalyKind::SpaceBeforeColon, start);
        }
        self.spans.push(Span { start, name_end: start + name, value, end });
        Ok(Line::Taken)
    }

    fn continuation(&mut self, start: usize, end: usize) -> Line {
        let awaited = self.awaits_colon();
        let line = &self.bytes[start..end];
        let spaces = line.iter().position(|&b| !matches!(b, b' ' | b'\t')).unwrap_or(line.len());
        let colon = line.get(spaces) == Some(&b':');
        let Some(last) = self.spans.last_mut() else {
            // Left out: whoever puts a field on top of this header must not have it continued by a stranger.
            self.note(AnomalyKind::FirstLineContinuation, start);
            self.buffer().truncate(start);
            return Line::Taken;
        };
        last.end = end;
        let Some(folded) = awaited else { return Line::Taken };
        if colon {
            last.value = start + spaces + 1;
            self.note(AnomalyKind::FoldedName, folded);
            return Line::Taken;
        }
        self.spans.pop();
        self.note(AnomalyKind::MissingColon, folded);
        Line::EndsHeaderAt(folded)
    }

    fn awaits_colon(&self) -> Option<usize> {
        self.spans.last().filter(|span| span.value == NO_COLON_YET).map(|span| span.start)
    }

    /// Ends the header. `Some`: the last line was no part of it, the body begins there.
    pub(crate) fn close(&mut self) -> Option<usize> {
        let end = self.awaits_colon();
        if let Some(at) = end {
            self.spans.pop();
            self.note(AnomalyKind::MissingColon, at);
        }
        let header = &self.bytes[..end.unwrap_or(self.bytes.len())];
        let mut found = Vec::new();
        strange_bytes(header, |kind, at| found.push((kind, at)));
        for (kind, at) in found {
            self.note(kind, at);
        }
        end
    }
}

/// mbox files put `From `, an address and a date in front of each message.
fn is_mbox_line(line: &[u8]) -> bool {
    line.starts_with(b"From ") || line.starts_with(b">From ")
}

/// 1 if of two neighbours the first is a CR without its LF, or the second an LF without its CR. Without a branch in it, a loop over
/// this runs at the speed of memory.
pub(crate) fn stands_alone(first: u8, second: u8) -> u8 {
    u8::from(first == b'\r') ^ u8::from(second == b'\n')
}

/// Calls for each bare CR, bare LF and NUL of a text that begins at the beginning of a line.
pub(crate) fn strange_bytes(text: &[u8], mut found: impl FnMut(AnomalyKind, usize)) {
    // Nearly no header has anything to find.
    let ends = text.iter().zip(text.get(1..).unwrap_or_default());
    let strange = ends.fold(0, |strange, (&a, &b)| strange | u8::from(a == 0) | stands_alone(a, b));
    let edges = matches!(text.first(), Some(b'\n')) || matches!(text.last(), Some(b'\r' | 0));
    if strange == 0 && !edges {
        return;
    }
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            0 => found(AnomalyKind::Nul, at),
            b'\r' if text.get(at + 1) != Some(&b'\n') => found(AnomalyKind::BareCr, at),
            b'\n' if at == 0 || text[at - 1] != b'\r' => found(AnomalyKind::BareLf, at),
            _ => {}
        }
    }
}
