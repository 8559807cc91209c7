//! The header as a signature covers it: the fields it names, from the bottom up, then its own field without the signature.
//!
//! In: a header, names, and the field of the signature. Out: the bytes that are hashed. RFC 6376 §3.5 (`h=`), §3.7, §5.4.2.

use std::ops::Range;

use aws_lc_rs::digest::{Digest, SHA256, digest};
use message::{Field, Header, same_name};

use crate::canon::{Canon, append, relaxed_name, relaxed_value};
use crate::field_names::{FieldNames, Mark};

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
    header: &'h Header<'h>,
    chains: Chains,
    /// Names of [`SINGLE`] that are there more than once, with their number.
    repeated: Vec<(&'static str, usize)>,
}

/// Fields by the marks of their names: those with one slot in a chain, from the bottom of the header up. First for each slot where its
/// chain begins, then for each field, [`SLOTS`] behind its number, where the chain goes on; 0 is the end.
#[derive(Debug, Clone)]
struct Chains(Vec<Link>);

#[derive(Debug, Clone, Copy)]
struct Link {
    /// Of the field's name.
    mark: Mark,
    next: usize,
}

/// About as many as most headers have different names, as a power of two.
const SLOT_BITS: u32 = 4;
const SLOTS: usize = 1 << SLOT_BITS;

impl Chains {
    /// The fields of a header, and whether two may have one name of [`SINGLE`].
    fn new(header: &Header) -> (Self, bool) {
        let names = header.names();
        let mut links = Vec::with_capacity(SLOTS + names.len());
        links.resize(SLOTS, Link { mark: Mark::of(b""), next: 0 });
        let mut chains = Self(links);
        let mut repeated = false;
        for mark in names.map(Mark::of) {
            repeated |= chains.marked(mark).next().is_some() && SINGLE_MARKS.contains(&mark);
            let field = chains.0.len();
            let next = std::mem::replace(&mut chains.0[mark.slot(SLOT_BITS)].next, field);
            chains.0.push(Link { mark, next });
        }
        (chains, repeated)
    }

    /// The fields with a mark, from the bottom of the header up: where the link to each is, and its number.
    fn marked(&self, mark: Mark) -> impl Iterator<Item = (usize, usize)> {
        let mut at = mark.slot(SLOT_BITS);
        std::iter::from_fn(move || {
            loop {
                let here = at;
                at = self.0.get(here)?.next;
                let field = at.checked_sub(SLOTS)?;
                if self.0.get(at)?.mark == mark {
                    return Some((here, field));
                }
            }
        })
    }

    /// Takes the field out that this link leads to.
    fn take(&mut self, link: usize) {
        self.0[link].next = self.0[self.0[link].next].next;
    }
}

impl<'h> SignedFields<'h> {
    /// The fields of a header.
    #[must_use]
    pub fn new(header: &'h Header<'h>) -> Self {
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
    pub fn header(&self) -> &'h Header<'h> {
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
    fn write(&self, names: &FieldNames, canon: Canon, out: &mut Vec<u8>) {
        let mut left = self.chains.clone();
        let (header, text) = (self.header.bytes(), names.text());
        for (mark, name) in names.marked() {
            let found = left
                .marked(mark)
                .filter_map(|(link, field)| Some((link, self.header.field(field)?)))
                .find(|(_, field)| same_name(&text[name.clone()], field.name));
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

    /// What is signed: the named fields and the signature's own.
    #[must_use]
    pub fn input(&self, names: &FieldNames, canon: Canon, own: &Field<'_>, signature: &Range<usize>) -> Vec<u8> {
        let mut input = Vec::with_capacity(1 << 10);
        self.write(names, canon, &mut input);
        write_own(own, signature, canon, &mut input);
        input
    }

    /// The hash of what is signed.
    #[must_use]
    pub fn hash(&self, names: &FieldNames, canon: Canon, own: &Field<'_>, signature: &Range<usize>) -> Digest {
        digest(&SHA256, &self.input(names, canon, own, signature))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of the fields that are written, one after the other.
    fn written(header: &Header, names: &str) -> String {
        let mut out = Vec::new();
        let names = FieldNames::parse(names.as_bytes()).unwrap();
        SignedFields::new(header).write(&names, Canon::Relaxed, &mut out);
        let text = String::from_utf8(out).unwrap();
        text.lines().map(|line| line.split_once(':').unwrap().1).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn fields_are_taken_from_the_bottom_up() {
        // The names of x1a2y and x3a4y have one mark.
        let text = "From: 1\r\nx1a2y: 2\r\nX3A4Y: 3\r\nTo: 4\r\nx1a2y: 5\r\nfrom: 6\r\nX3a4y: 7\r\nX1A2Y: 8\r\n\r\n";
        let (header, ..) = message::split(text.as_bytes(), &message::HeaderLimits::default()).unwrap();
        let cases = [
            ("the last of two", "from", "6"),
            ("both, and no more", "from:from:from:to", "6 1 4"),
            ("none", "subject", ""),
            ("of one mark: the first name", "x1a2y:x1a2y:x1a2y:x1a2y", "8 5 2"),
            ("of one mark: the other", "X3A4Y:x3a4y:x3a4y", "7 3"),
            ("of one mark: in turn", "x3a4y:x1a2y:x3a4y:x1a2y:x1a2y", "7 8 3 5 2"),
            ("a name of that mark that is not there", "x5a6y:x1a2y", "8"),
        ];
        for (why, names, expected) in cases {
            assert_eq!(written(&header, names), expected, "{why}");
        }
        let fields = SignedFields::new(&header);
        assert_eq!(
            [b"FROM".as_slice(), b"x1a2y", b"x3a4y", b"x5a6y", b""].map(|name| fields.count(name)),
            [2, 3, 2, 0, 0]
        );
        let names = |list: &str| FieldNames::parse(list.as_bytes()).unwrap();
        assert_eq!(fields.unsigned_repetitions(&names("from:to")), ["from"]);
        assert_eq!(fields.unsigned_repetitions(&names("from:from")), [""; 0]);
    }

    #[test]
    fn a_field_is_taken_from_any_number_of_others() {
        let fields: Vec<String> = (0..300).map(|n| format!("X-{}: {n}\r\n", n % 100)).collect();
        let text = fields.concat() + "\r\n";
        let (header, ..) = message::split(text.as_bytes(), &message::HeaderLimits::default()).unwrap();
        for n in 0..100 {
            let name = format!("x-{n}");
            let expected = format!("{} {} {n}", n + 200, n + 100);
            assert_eq!(written(&header, &format!("{name}:{name}:{name}:{name}")), expected, "{name}");
            assert_eq!(SignedFields::new(&header).count(name.as_bytes()), 3);
        }
    }
}
