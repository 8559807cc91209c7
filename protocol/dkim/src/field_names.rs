//! Names of header fields in a row, as a signature has them in `h=`.
//!
//! In: the value of `h=`, or names one by one. Out: the names in lower case, in order. They share one piece of memory: a signature has
//! some twenty, and a piece for each would cost more than reading them.

use std::fmt;
use std::ops::Range;

use message::{are, places};

/// Names that are read. Real signatures have about 30, with over-signing 60; each costs a search through the header.
const NAMES_MAX: usize = 500;

/// Names in most signatures.
const NAMES_USUAL: usize = 32;

/// Names of header fields in order, in lower case. A name may be there many times.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct FieldNames {
    /// All of them, a colon after each but the last.
    text: Vec<u8>,
    names: Vec<Listed>,
}

/// One of the names.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Listed {
    mark: Mark,
    /// Where it ends in the text.
    end: usize,
}

/// What tells nearly all names apart, whatever their case: the length, and the first, middle and last byte in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark(u32);

impl Mark {
    pub(crate) const fn of(name: &[u8]) -> Self {
        if name.is_empty() {
            return Self(0);
        }
        let length = name.len();
        let [short, ..] = length.to_le_bytes();
        Self(u32::from_le_bytes([short, name[0] | 0x20, name[length / 2] | 0x20, name[length - 1] | 0x20]))
    }

    /// A number below 2 to the power of `bits`, which other marks seldom have.
    pub(crate) const fn slot(self, bits: u32) -> usize {
        (self.0.wrapping_mul(0x9e37_79b9) >> (u32::BITS - bits)) as usize
    }
}

impl FieldNames {
    /// Reads the value of `h=`; none where it is no list of field names, or a very long one.
    #[must_use]
    pub fn parse(list: &[u8]) -> Option<Self> {
        let mut text = Vec::with_capacity(list.len());
        // RFC 6376 §3.5: "hdr-name *( [FWS] ":" [FWS] hdr-name )", so that of two pieces with white space between one has a colon there.
        for piece in pieces(list) {
            let parted = text.is_empty() || text.ends_with(b":") || piece.starts_with(b":");
            if !parted {
                return None;
            }
            text.extend_from_slice(piece);
        }
        // RFC 5322 §3.6.8: "field-name = 1*ftext". RFC 6376 §3.5 has semicolons end the list. Without a branch in it, this takes many
        // bytes at once.
        let is_odd = |b: u8| !matches!(b, b'!'..=b':' | b'<'..=b'~');
        if text.iter().fold(0, |odd, b| odd | u8::from(is_odd(*b))) != 0 {
            return None;
        }
        text.make_ascii_lowercase();
        let mut names = Vec::with_capacity(NAMES_USUAL);
        let mut start = 0;
        for end in places(&text, 0..text.len(), |b, _| are(b, b':')).chain([text.len()]) {
            let name = text.get(start..end).filter(|name| !name.is_empty())?;
            if names.len() == NAMES_MAX {
                return None;
            }
            names.push(Listed { mark: Mark::of(name), end });
            start = end + 1;
        }
        Some(Self { text, names })
    }

    /// The names in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.marked().map(|(_, name)| &self.text[name])
    }

    /// The names in order: the mark of each, and where it stands in [`FieldNames::text`].
    pub(crate) fn marked(&self) -> impl Iterator<Item = (Mark, Range<usize>)> {
        let mut start = 0;
        self.names.iter().map(move |listed| (listed.mark, std::mem::replace(&mut start, listed.end + 1)..listed.end))
    }

    /// All of them, a colon after each but the last.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Whether a name, given in lower case, is one of them.
    #[must_use]
    pub fn contains(&self, name: &[u8]) -> bool {
        let mark = Mark::of(name);
        self.marked().any(|(other, place)| other == mark && self.text[place] == *name)
    }

    /// Adds a name so many times.
    pub fn push(&mut self, name: &[u8], times: usize) {
        for _ in 0..times {
            if !self.names.is_empty() {
                self.text.push(b':');
            }
            self.text.extend(name.iter().map(u8::to_ascii_lowercase));
            self.names.push(Listed { mark: Mark::of(name), end: self.text.len() });
        }
    }
}

/// The pieces of a list between white space. Each run of it has a space or a tab in it (RFC 6376 §2.8).
fn pieces(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = memchr::memchr2_iter(b' ', b'\t', list).chain([list.len()]);
    let mut start = 0;
    let all = ends.map(move |end| list[std::mem::replace(&mut start, end + 1)..end].trim_ascii());
    all.filter(|piece| !piece.is_empty())
}

impl<'n> FromIterator<&'n str> for FieldNames {
    fn from_iter<I: IntoIterator<Item = &'n str>>(names: I) -> Self {
        let mut all = Self::default();
        names.into_iter().for_each(|name| all.push(name.as_bytes(), 1));
        all
    }
}

impl fmt::Debug for FieldNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_names() {
        let many = |count: usize| vec!["a"; count].join(":");
        let (most, too_many) = (many(NAMES_MAX), many(NAMES_MAX + 1));
        let long = format!("from:{}", "X".repeat(300));
        let cases: &[(&str, &str, Option<&str>)] = &[
            ("plain", "from:to", Some("from to")),
            ("upper case", "From:MIME-Version", Some("from mime-version")),
            ("one name", "from", Some("from")),
            ("one of one letter", "x", Some("x")),
            ("twice", "from:to:from", Some("from to from")),
            ("white space around the colon", "from : to\t:\tcc", Some("from to cc")),
            ("folded after a colon", "from:\r\n\tto:\r\n cc", Some("from to cc")),
            ("folded before a colon", "from\r\n\t:to", Some("from to")),
            ("folded on both sides, with much of it", "from \r\n \t:\r\n  \t to", Some("from to")),
            ("white space at the ends", " from:to\t", Some("from to")),
            ("all that a name may have", "!#9<=>?@[~:from", Some("!#9<=>?@[~ from")),
            ("a long name", &long, Some("from LONG")),
            ("as many as are read", &most, Some("MOST")),
            ("one more", &too_many, None),
            ("nothing", "", None),
            ("only white space", " \r\n ", None),
            ("only a colon", ":", None),
            ("an empty name in front", ":from", None),
            ("an empty name at the end", "from:", None),
            ("an empty name between", "from::to", None),
            ("an empty name between folds", "from:\r\n :to", None),
            ("an empty name behind a fold", "from:\r\n ", None),
            ("a space in a name", "fr om", None),
            ("a fold in a name", "from:t\r\n o", None),
            ("a lone line end", "from:t\no", None),
            ("a lone CR", "from:t\ro", None),
            ("a semicolon", "from;to", None),
            ("a control character", "from:a\0", None),
            ("DEL", "from:a\x7f", None),
            ("UTF-8", "from:\u{fc}", None),
        ];
        for (why, list, expected) in cases {
            let names = FieldNames::parse(list.as_bytes());
            let shown = names.map(|names| names.iter().map(String::from_utf8_lossy).collect::<Vec<_>>().join(" "));
            let shown = shown.map(|shown| match shown.len() {
                305 => shown.replace(&"x".repeat(300), "LONG"),
                999 => "MOST".to_owned(),
                _ => shown,
            });
            assert_eq!(shown.as_deref(), *expected, "{why}");
        }
    }

    #[test]
    fn colons_at_any_place() {
        // Text is searched in blocks of 64 bytes.
        for length in 50..80 {
            let long = "X".repeat(length);
            let names = FieldNames::parse(format!("{long}:from:\r\n\t{long}:To").as_bytes()).unwrap();
            let lower = long.to_lowercase();
            assert_eq!(names.iter().collect::<Vec<_>>(), [lower.as_bytes(), b"from", lower.as_bytes(), b"to"]);
            assert!(names.contains(lower.as_bytes()) && names.contains(b"to") && !names.contains(b"x"));
            for empty in [format!("{long}::to"), format!("{long}:to:"), format!(":{long}")] {
                assert_eq!(FieldNames::parse(empty.as_bytes()), None, "{empty}");
            }
        }
    }

    #[test]
    fn one_by_one_as_from_a_list() {
        let mut names = FieldNames::default();
        assert_eq!(names.iter().count(), 0);
        assert!(!names.contains(b""));
        names.push(b"From", 2);
        names.push(b"to", 0);
        names.push(b"Subject", 1);
        assert_eq!(Some(&names), FieldNames::parse(b"from:from:subject").as_ref());
        assert_eq!(names, ["from", "FROM", "subject"].into_iter().collect());
        assert!(names.contains(b"subject") && !names.contains(b"sub") && !names.contains(b"from:from"));
        assert_eq!(format!("{names:?}"), "\"from:from:subject\"");
    }
}
