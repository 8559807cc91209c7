//! The walk over the MIME tree of a message: every leaf, decoded, one at a time (RFC 2045, RFC 2046).
//!
//! In: the bytes of a message. Out: a call for each leaf in order, messages inside the message included, whatever their label and
//! encoding; [`walk`] also calls for those messages themselves, and can be told to pass them over. What is not encoded is not
//! copied. A limit ends the walk with its name; the leaves before it have been seen.
//!
//! Forgiving where mail in the wild needs it: a multipart whose delimiter never comes is a leaf, one that is cut off ends with
//! the message, `ContentType:` is read as `Content-Type:`.

use std::borrow::Cow;

use mail_parser::parsers::MessageStream;
use mail_parser::{ContentType, HeaderValue};
use memchr::memmem;

use crate::header::{Field, fields, split};
use crate::transfer::{base64, quoted_printable};

/// What a message may consist of. The defaults suit report mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Leaves and multiparts together. A report mail has two or three; a digest of forwarded ones a few hundred. A part costs
    /// its author six bytes, so without a limit 10 MB of them would be more than a million calls.
    pub parts: usize,
    /// Multiparts and messages inside each other. A report that was forwarded twice as an attachment has six.
    pub depth: usize,
    /// Bytes of decoded copies held at the same time: a leaf, and the encoded messages that it is inside of.
    pub decoded_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { parts: 1_000, depth: 12, decoded_bytes: 64 << 20 }
    }
}

/// The limit that ended a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// [`Limits::parts`].
    #[error("The mail has more than the {0} parts that are allowed.")]
    Parts(usize),
    /// [`Limits::depth`].
    #[error("The mail has parts inside each other more than {0} deep.")]
    Depth(usize),
    /// [`Limits::decoded_bytes`].
    #[error("An attachment of the mail needs more than the {0} bytes of memory that are left for it.")]
    DecodedBytes(usize),
}

/// A leaf of the tree, or a message inside the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// Its label, `type/subtype` in lower case; `text/plain` where there is none. Reporters label wrongly: look at the bytes.
    pub media_type: String,
    /// The file name it is labelled with, RFC 2231 and RFC 2047 undone.
    pub name: Option<String>,
    /// Its content, with the transfer encoding undone.
    pub bytes: Cow<'a, [u8]>,
    /// It is a message of its own, with parts that come after it.
    pub is_message: bool,
}

/// How a walk goes on after a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// With what comes next; from a message with its parts.
    On,
    /// From a message past its parts.
    Over,
    /// Not at all.
    Stop,
}

/// Walks over the leaves of a message. `visit` says whether to go on.
///
/// # Errors
/// The limit that was met; nothing else is an error.
pub fn parts(message: &[u8], limits: &Limits, visit: &mut dyn FnMut(Part<'_>) -> bool) -> Result<(), Error> {
    walk(message, limits, &mut |part| if part.is_message || visit(part) { Step::On } else { Step::Stop })
}

/// Walks over the leaves of a message, and over the messages inside of it, each of which comes before its own leaves. `visit` says
/// how to go on.
///
/// # Errors
/// The limit that was met; nothing else is an error.
pub fn walk(message: &[u8], limits: &Limits, visit: &mut dyn FnMut(Part<'_>) -> Step) -> Result<(), Error> {
    let mut walk = Walk { limits, visit, parts: 0, decoded: 0 };
    walk.message(message, 0).map(|_| ())
}

/// What a message that is a `multipart/report` reports, in lower case: its `report-type` (RFC 6522 §3), empty where it names none.
/// Nothing where it is no such message.
#[must_use]
pub fn report_type(message: &[u8]) -> Option<String> {
    let label = Label::read(split(message.trim_ascii_start()).0);
    if label.media_type()? != "multipart/report" {
        return None;
    }
    let named = label.content_type.as_ref().and_then(|c| c.attribute("report-type")).unwrap_or_default();
    Some(named.trim().to_ascii_lowercase())
}

struct Walk<'l, 'v> {
    limits: &'l Limits,
    visit: &'v mut dyn FnMut(Part<'_>) -> Step,
    parts: usize,
    /// Bytes of decoded copies held now.
    decoded: usize,
}

/// What the header of a part says about it.
#[derive(Default)]
struct Label<'a> {
    content_type: Option<ContentType<'a>>,
    disposition: Option<ContentType<'a>>,
    encoding: Encoding,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    #[default]
    None,
    Base64,
    QuotedPrintable,
}

impl Walk<'_, '_> {
    /// `false`: the visitor has seen enough.
    fn message(&mut self, bytes: &[u8], depth: usize) -> Result<bool, Error> {
        self.part(bytes.trim_ascii_start(), depth, "text/plain")
    }

    fn part(&mut self, bytes: &[u8], depth: usize, default_type: &str) -> Result<bool, Error> {
        self.parts += 1;
        if self.parts > self.limits.parts {
            return Err(Error::Parts(self.limits.parts));
        }
        if depth > self.limits.depth {
            return Err(Error::Depth(self.limits.depth));
        }
        let (header, body) = split(bytes);
        let label = Label::read(header);
        let media_type = label.media_type().unwrap_or_else(|| default_type.to_owned());
        if media_type.starts_with("multipart/")
            && let Some(boundary) = label.content_type.as_ref().and_then(|c| c.attribute("boundary"))
            && !boundary.is_empty()
        {
            let mut sections = Sections::new(body, boundary);
            if let Some(first) = sections.next() {
                // RFC 2046 §5.1.5: in a digest, "the default Content-Type value for a body part is changed … to 'message/rfc822'".
                let default_type = if media_type == "multipart/digest" { "message/rfc822" } else { "text/plain" };
                for section in std::iter::once(first).chain(sections) {
                    if !self.part(section, depth + 1, default_type)? {
                        return Ok(false);
                    }
                }
                return Ok(true);
            }
        }
        let bytes = self.decode(body, label.encoding)?;
        let copied = if matches!(bytes, Cow::Owned(_)) { bytes.len() } else { 0 };
        self.decoded += copied;
        let go_on = if matches!(media_type.as_str(), "message/rfc822" | "message/global") {
            let part = Part { media_type, name: label.name(), bytes: Cow::Borrowed(&bytes), is_message: true };
            match (self.visit)(part) {
                Step::On => self.message(&bytes, depth + 1),
                step => Ok(step == Step::Over),
            }
        } else {
            Ok((self.visit)(Part { media_type, name: label.name(), bytes, is_message: false }) != Step::Stop)
        };
        self.decoded -= copied;
        go_on
    }

    fn decode<'b>(&self, body: &'b [u8], encoding: Encoding) -> Result<Cow<'b, [u8]>, Error> {
        let needed = match encoding {
            Encoding::None => return Ok(body.into()),
            Encoding::Base64 => body.len() / 4 * 3,
            Encoding::QuotedPrintable => body.len(),
        };
        if self.decoded + needed > self.limits.decoded_bytes {
            return Err(Error::DecodedBytes(self.limits.decoded_bytes));
        }
        Ok(if encoding == Encoding::Base64 { base64(body) } else { quoted_printable(body) }.into())
    }
}

impl<'a> Label<'a> {
    fn read(header: &'a [u8]) -> Self {
        let mut label = Self::default();
        for Field { name, value } in fields(header) {
            // Trustwave's gateway writes `ContentType:`.
            if name.eq_ignore_ascii_case(b"content-type") || name.eq_ignore_ascii_case(b"contenttype") {
                label.content_type = label.content_type.or_else(|| parameters(value));
            } else if name.eq_ignore_ascii_case(b"content-disposition") {
                label.disposition = label.disposition.or_else(|| parameters(value));
            } else if name.eq_ignore_ascii_case(b"content-transfer-encoding") {
                label.encoding = Encoding::of(value);
            }
        }
        label
    }

    fn media_type(&self) -> Option<String> {
        let content_type = self.content_type.as_ref()?;
        Some(format!("{}/{}", content_type.ctype(), content_type.subtype()?).to_ascii_lowercase())
    }

    fn name(&self) -> Option<String> {
        let named = |field: &Option<ContentType<'_>>, attribute| {
            field.as_ref().and_then(|c| c.attribute(attribute)).filter(|name| !name.is_empty()).map(str::to_owned)
        };
        named(&self.disposition, "filename").or_else(|| named(&self.content_type, "name"))
    }
}

impl Encoding {
    fn of(value: &[u8]) -> Self {
        let starts = |word: &[u8]| value.trim_ascii().get(..word.len()).is_some_and(|v| v.eq_ignore_ascii_case(word));
        if starts(b"base64") {
            Self::Base64
        } else if starts(b"quoted-printable") {
            Self::QuotedPrintable
        } else {
            Self::None
        }
    }
}

/// A value with parameters: Content-Type or Content-Disposition. No real one is longer than a few hundred bytes; what is longer
/// than 16 KiB is not read.
fn parameters(value: &[u8]) -> Option<ContentType<'static>> {
    let value = value.get(..16 << 10).unwrap_or(value);
    // The library takes a value as complete at its line end.
    let mut value = value.trim_ascii_end().to_vec();
    value.push(b'\n');
    match MessageStream::new(&value).parse_content_type().into_owned() {
        HeaderValue::ContentType(content_type) => Some(content_type),
        _ => None,
    }
}

/// The sections between the delimiter lines of a multipart body (RFC 2046 §5.1.1).
struct Sections<'b> {
    /// What follows the last delimiter line.
    rest: Option<&'b [u8]>,
    delimiter: Vec<u8>,
}

impl<'b> Sections<'b> {
    fn new(body: &'b [u8], boundary: &str) -> Self {
        let delimiter = [b"--", boundary.trim_ascii_end().as_bytes()].concat();
        let mut sections = Self { rest: None, delimiter };
        // RFC 2046 §5.1.1: what comes before the first delimiter line, the preamble, is "to be ignored".
        sections.rest = sections.delimiter_line(body).and_then(|(_, after)| after);
        sections
    }

    /// The next delimiter line in `bytes`: what is before it, and what follows it unless it is the closing one.
    fn delimiter_line(&self, bytes: &'b [u8]) -> Option<(&'b [u8], Option<&'b [u8]>)> {
        memmem::find_iter(bytes, &self.delimiter).find_map(|at| {
            // RFC 2046 §5.1.1: the delimiter "MUST occur at the beginning of a line", and the line end before it belongs to it.
            let before = &bytes[..at];
            if !(before.is_empty() || before.ends_with(b"\n")) {
                return None;
            }
            let tail = &bytes[at + self.delimiter.len()..];
            let end = memchr::memchr(b'\n', tail).map_or(tail.len(), |at| at + 1);
            let (line, after) = tail.split_at(end);
            let before = before.strip_suffix(b"\n").map_or(before, |b| b.strip_suffix(b"\r").unwrap_or(b));
            match line.trim_ascii() {
                b"" => Some((before, Some(after))),
                [b'-', b'-', ..] => Some((before, None)),
                // Another boundary that begins with ours.
                _ => None,
            }
        })
    }
}

impl<'b> Iterator for Sections<'b> {
    type Item = &'b [u8];

    fn next(&mut self) -> Option<&'b [u8]> {
        let bytes = self.rest.take()?;
        let Some((section, after)) = self.delimiter_line(bytes) else {
            // The closing delimiter is missing: the message was cut off.
            return Some(bytes);
        };
        self.rest = after;
        Some(section)
    }
}
