//! The header as a signature covers it: the fields it names, from the bottom up, then its own field without the signature.
//!
//! In: a header, names, and the field of the signature. Out: the bytes that are hashed. RFC 6376 §3.5 (`h=`), §3.7, §5.4.2.

use std::ops::Range;

use aws_lc_rs::digest::{Digest, SHA256, digest};
use message::{Field, Header};

use crate::canon::{Canon, relaxed_name, relaxed_value};
use crate::field_names::FieldNames;

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
const SINGLE_MARKS: [u32; SINGLE.len()] = {
    let mut marks = [0; SINGLE.len()];
    let mut at = 0;
    while at < marks.len() {
        marks[at] = mark(SINGLE[at].as_bytes());
        at += 1;
    }
    marks
};

/// The fields of a header, ready to be picked by name.
#[derive(Debug)]
pub struct SignedFields<'h> {
    header: &'h Header,
    /// A mark of each field's name: most comparisons end here.
    marks: Vec<u32>,
    /// Names of [`SINGLE`] that are there more than once, with their number.
    repeated: Vec<(&'static str, usize)>,
}

/// The mark of no name: names have no NUL in them.
const TAKEN: u32 = 0xff;

/// The length of a name, and its first, middle and last byte in lower case: nearly always enough to tell two names apart.
const fn mark(name: &[u8]) -> u32 {
    if name.is_empty() {
        return 0;
    }
    let length = name.len();
    u32::from_le_bytes([length.to_le_bytes()[0], name[0] | 0x20, name[length / 2] | 0x20, name[length - 1] | 0x20])
}

/// Whether a name is the lower case of another.
fn is_lower_of(lower: &[u8], name: &[u8]) -> bool {
    lower.len() == name.len() && lower.iter().zip(name).all(|(lower, b)| *lower == b.to_ascii_lowercase())
}

impl<'h> SignedFields<'h> {
    /// The fields of a header.
    #[must_use]
    pub fn new(header: &'h Header) -> Self {
        let marks: Vec<_> = header.names().map(mark).collect();
        let mut fields = Self { header, marks, repeated: Vec::new() };
        for (name, mark) in SINGLE.into_iter().zip(SINGLE_MARKS) {
            // Few names have a mark in common, fewer fields are there twice. Counted in 32 bits, marks are compared many at once.
            if fields.marks.iter().map(|other| u32::from(*other == mark)).sum::<u32>() > 1 {
                let count = fields.count(name.as_bytes());
                fields.repeated.extend((count > 1).then_some((name, count)));
            }
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
        let mark = mark(name);
        let alike = self.marks.iter().enumerate().filter(|(_, other)| **other == mark);
        let fields = alike.filter_map(|(index, _)| self.header.field(index));
        fields.filter(|field| field.name.eq_ignore_ascii_case(name)).count()
    }

    /// Writes the fields that are named, in the order of the names.
    ///
    /// RFC 6376 §5.4.2: signers that name a field twice "MUST sign such header fields in order from the bottom of the header field
    /// block to the top". §5.4: a name without a field left counts as an empty string, so that none can be added later.
    pub fn write(&self, names: &FieldNames, canon: Canon, out: &mut Vec<u8>) {
        // Fields that are still to be taken.
        let mut left = self.marks.clone();
        for name in names.iter() {
            let (mark, mut end) = (mark(name), left.len());
            while let Some(at) = left[..end].iter().rposition(|other| *other == mark) {
                end = at;
                let Some(field) = self.header.field(at).filter(|field| is_lower_of(name, field.name)) else {
                    continue;
                };
                left[at] = TAKEN;
                canon.field_named(field.raw, name, field.value, out);
                break;
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
    let (before, after) = (&own.value[..signature.start], &own.value[signature.end..]);
    match canon {
        Canon::Simple => {
            let name = own.raw.len() - own.value.len();
            out.extend_from_slice(&own.raw[..name]);
            out.extend_from_slice(before);
            out.extend_from_slice(after.strip_suffix(b"\r\n").unwrap_or(after));
        }
        // What is before ends in "=", what is after begins with ";" if it is not empty: no white space meets there.
        Canon::Relaxed => {
            relaxed_name(own.name, out);
            relaxed_value(before, out);
            relaxed_value(after, out);
        }
    }
}
