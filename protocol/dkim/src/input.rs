//! The header as a signature covers it: the fields it names, from the bottom up, then its own field without the signature.
//!
//! In: a header, names, and the field of the signature. Out: the bytes that are hashed. RFC 6376 §3.5 (`h=`), §3.7, §5.4.2.

use std::ops::Range;

use aws_lc_rs::digest::{Digest, SHA256, digest};
use message::{Field, Header};

use crate::canon::{Canon, relaxed_name, relaxed_value};

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

/// The fields of a header, ready to be picked by name.
#[derive(Debug)]
pub struct SignedFields<'h> {
    header: &'h Header,
    /// A hash of each field's name in lower case: most comparisons end here.
    names: Vec<u32>,
    /// Names of [`SINGLE`] that are there more than once, with their number.
    repeated: Vec<(&'static str, usize)>,
}

/// FNV-1a over the name in lower case.
fn name_hash(name: &[u8]) -> u32 {
    name.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193))
}

impl<'h> SignedFields<'h> {
    /// The fields of a header.
    #[must_use]
    pub fn new(header: &'h Header) -> Self {
        let names: Vec<_> = header.fields().map(|field| name_hash(field.name)).collect();
        let mut fields = Self { header, names, repeated: Vec::new() };
        fields.repeated =
            SINGLE.iter().map(|name| (*name, fields.count(name.as_bytes()))).filter(|(_, n)| *n > 1).collect();
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
        self.upward(name).count()
    }

    fn upward(&self, name: &[u8]) -> impl Iterator<Item = Field<'h>> {
        let hash = name_hash(name);
        let places = self.names.iter().enumerate().rev().filter(move |(_, other)| **other == hash);
        let fields = places.filter_map(|(index, _)| self.header.field(index));
        fields.filter(move |field| field.name.eq_ignore_ascii_case(name))
    }

    /// Writes the fields that are named, in the order of the names.
    ///
    /// RFC 6376 §5.4.2: signers that name a field twice "MUST sign such header fields in order from the bottom of the header field
    /// block to the top". §5.4: a name without a field left counts as an empty string, so that none can be added later.
    pub fn write(&self, names: &[Box<[u8]>], canon: Canon, out: &mut Vec<u8>) {
        for (at, name) in names.iter().enumerate() {
            let taken = names[..at].iter().filter(|earlier| *earlier == name).count();
            if let Some(field) = self.upward(name).nth(taken) {
                canon.field(field.raw, field.name, field.value, out);
            }
        }
    }

    /// The hash over the named fields and the signature's own.
    #[must_use]
    pub fn hash(&self, names: &[Box<[u8]>], canon: Canon, own: &Field<'_>, signature: &Range<usize>) -> Digest {
        let mut input = Vec::with_capacity(2 << 10);
        self.write(names, canon, &mut input);
        write_own(own, signature, canon, &mut input);
        digest(&SHA256, &input)
    }

    /// Names of fields that a message has once, that this one has more often than are signed.
    #[must_use]
    pub fn unsigned_repetitions(&self, names: &[Box<[u8]>]) -> Vec<&'static str> {
        let signed = |name: &str| names.iter().filter(|signed| ***signed == *name.as_bytes()).count();
        self.repeated.iter().filter(|(name, count)| signed(name) < *count).map(|(name, _)| *name).collect()
    }
}

/// Writes the field of the signature itself, as if `b=` were empty, without its final line end.
///
/// RFC 6376 §3.7: "with the value of the "b=" tag (including all surrounding whitespace) deleted", and "without a trailing CRLF".
/// `signature` is the place of that value in the field's value.
pub fn write_own(own: &Field<'_>, signature: &Range<usize>, canon: Canon, out: &mut Vec<u8>) {
    let kept = [&own.value[..signature.start], &own.value[signature.end..]].concat();
    match canon {
        Canon::Simple => {
            let name = own.raw.len() - own.value.len();
            out.extend_from_slice(&own.raw[..name]);
            out.extend_from_slice(kept.strip_suffix(b"\r\n").unwrap_or(&kept));
        }
        Canon::Relaxed => {
            relaxed_name(own.name, out);
            relaxed_value(&kept, out);
        }
    }
}
