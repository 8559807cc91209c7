//! The header as a signature covers it: the fields it names, from the bottom up, then its own field without the signature.
//!
//! In: a header, names, and the field of the signature. Out: the bytes that are hashed. RFC 6376 §3.5 (`h=`), §3.7, §5.4.2.

use std::ops::Range;

use aws_lc_rs::digest::{Digest, SHA256, digest};
use message::{Field, Header};

use crate::canon::{Canon, relaxed_name, relaxed_value};
use crate::field_names::{FieldNames, Mark};
use crate::places::append;

/// Fields that a message has once (RFC 5322 §3.6, RFC 2045 §3): a second one, unsigned, is read by some programs instead.
const SINGLE: [&str; 14] = [
    "date",
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "message-id",
    "in-reply-to",
    "references",
    "subject",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "content-disposition",
];

/// The marks of [`SINGLE`].
const SINGLE_MARKS: [Mark; SINGLE.len()] = {
    let mut marks = [Mark::of(b""); SINGLE.len()];
    let mut at = 0;
    while at < marks.len() {
        marks[at] = Mark::of(SINGLE[at].as_bytes());
        at += 1;
    }
    marks
};

/// The fields of a header, ready to be picked by name.
#[derive(Debug)]
pub struct SignedFields<'h> {
    header: &'h Header,
    chains: Chains,
    /// Names of [`SINGLE`] that are there more than once, with their number.
    repeated: Vec<(&'static str, usize)>,
}

/// Fields by the marks of their names: those with one slot in a chain, from the bottom of the header up.
#[derive(Debug, Clone)]
struct Chains {
    /// A link for each slot to the last of its fields, then one for each field to the next above it.
    links: Vec<Link>,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    /// The mark of the field that the link leads to, and its place among the links.
    mark: Mark,
    to: usize,
}

/// More than most headers have different names, as a power of two.
const SLOT_BITS: u32 = 5;
const SLOTS: usize = 1 << SLOT_BITS;

/// Where a chain ends.
const END: Link = Link { mark: Mark::of(b""), to: 0 };

impl Chains {
    /// The fields of a header, and whether two may have one name of [`SINGLE`].
    fn new(header: &Header) -> (Self, bool) {
        let names = header.names();
        let mut chains = Self { links: Vec::with_capacity(SLOTS + names.len()) };
        chains.links.resize(SLOTS, END);
        let mut repeated = false;
        for name in names {
            let mark = Mark::of(name);
            repeated |= chains.marked(mark).next().is_some() && SINGLE_MARKS.contains(&mark);
            let to = chains.links.len();
            let above = std::mem::replace(&mut chains.links[mark.slot(SLOT_BITS)], Link { mark, to });
            chains.links.push(above);
        }
        (chains, repeated)
    }

    /// The fields with a mark, from the bottom of the header up: the place of the link that leads to each, and its number.
    fn marked(&self, mark: Mark) -> impl Iterator<Item = (usize, usize)> {
        let mut at = mark.slot(SLOT_BITS);
        std::iter::from_fn(move || {
            loop {
                let (link, here) = (self.links.get(at)?, at);
                let field = link.to.checked_sub(SLOTS)?;
                at = link.to;
                if link.mark == mark {
                    return Some((here, field));
                }
            }
        })
    }

    /// Takes the field out that a link leads to.
    fn take(&mut self, at: usize) {
        self.links[at] = self.links[self.links[at].to];
    }
}

/// Whether a name is the lower case of another.
fn is_lower_of(lower: &[u8], name: &[u8]) -> bool {
    lower.len() == name.len() && lower.iter().zip(name).all(|(lower, b)| *lower == b.to_ascii_lowercase())
}

impl<'h> SignedFields<'h> {
    /// The fields of a header.
    #[must_use]
    pub fn new(header: &'h Header) -> Self {
        let (chains, repeated) = Chains::new(header);
        let mut fields = Self { header, chains, repeated: Vec::new() };
        // Nearly every header has only fields like Received more than once.
        if repeated {
            let counts = SINGLE.into_iter().map(|name| (name, fields.count(name.as_bytes())));
            fields.repeated = counts.filter(|(_, count)| *count > 1).collect();
        }
        fields
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &'h Header {
        self.header
    }

    /// How many fields there are of a name.
    #[must_use]
    pub fn count(&self, name: &[u8]) -> usize {
        let fields = self.chains.marked(Mark::of(name)).filter_map(|(_, field)| self.header.field(field));
        fields.filter(|field| field.name.eq_ignore_ascii_case(name)).count()
    }

    /// Writes the fields that are named, in the order of the names.
    ///
    /// RFC 6376 §5.4.2: signers that name a field twice "MUST sign such header fields in order from the bottom of the header field
    /// block to the top". §5.4: a name without a field left counts as an empty string, so that none can be added later.
    pub fn write(&self, names: &FieldNames, canon: Canon, out: &mut Vec<u8>) {
        let mut left = self.chains.clone();
        let (header, text) = (self.header.bytes(), names.text());
        for (mark, name) in names.marked() {
            let found = left
                .marked(mark)
                .filter_map(|(link, field)| Some((link, self.header.field(field)?)))
                .find(|(_, field)| is_lower_of(&text[name.clone()], field.name));
            let Some((link, field)) = found else { continue };
            left.take(link);
            match canon {
                Canon::Simple => out.extend_from_slice(field.raw),
                // The name is known in lower case.
                Canon::Relaxed => {
                    append(out, text, name);
                    out.push(b':');
                    let end = field.at + field.raw.len();
                    relaxed_value(header, end - field.value.len()..end, out);
                    out.extend_from_slice(b"\r\n");
                }
            }
        }
    }

    /// The hash over the named fields and the signature's own.
    #[must_use]
    pub fn hash(&self, names: &FieldNames, canon: Canon, own: &Field<'_>, signature: &Range<usize>) -> Digest {
        let mut input = Vec::with_capacity(2 << 10);
        self.write(names, canon, &mut input);
        write_own(own, signature, canon, &mut input);
        digest(&SHA256, &input)
    }

    /// Names of fields that a message has once, that this one has more often than are signed.
    #[must_use]
    pub fn unsigned_repetitions(&self, names: &FieldNames) -> Vec<&'static str> {
        let signed = |name: &str| names.iter().filter(|signed| *signed == name.as_bytes()).count();
        self.repeated.iter().filter(|(name, count)| signed(name) < *count).map(|(name, _)| *name).collect()
    }
}

/// Writes the field of the signature itself, as if `b=` were empty, without its final line end.
///
/// RFC 6376 §3.7: "with the value of the "b=" tag (including all surrounding whitespace) deleted", and "without a trailing CRLF".
/// `signature` is the place of that value in the field's value.
pub fn write_own(own: &Field<'_>, signature: &Range<usize>, canon: Canon, out: &mut Vec<u8>) {
    match canon {
        Canon::Simple => {
            let (before, after) = (&own.value[..signature.start], &own.value[signature.end..]);
            let name = own.raw.len() - own.value.len();
            out.extend_from_slice(&own.raw[..name]);
            out.extend_from_slice(before);
            out.extend_from_slice(after.strip_suffix(b"\r\n").unwrap_or(after));
        }
        // What is before ends in "=", what is after begins with ";" if it is not empty: no white space meets there.
        Canon::Relaxed => {
            relaxed_name(own.name, out);
            relaxed_value(own.value, 0..signature.start, out);
            relaxed_value(own.value, signature.end..own.value.len(), out);
        }
    }
}
