//! Tag lists, the syntax that DKIM signatures, key records and ARC fields share (RFC 6376 §3.2).
//!
//! In: bytes. Out: the tags in order, or why it is no tag list. Strict: one mistake anywhere and there is no list, because readers
//! that carry on disagree about what it says. Values come out as they stand, with the white space inside them.

use std::ops::Range;

use message::{BLOCK_BYTES, are, at_most, marks, places};

/// Tags that are read. The standards define about twenty in all; unknown ones are to be ignored, not collected.
const TAGS_MAX: usize = 64;

/// The tags of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagList<'a> {
    bytes: &'a [u8],
    tags: Vec<Tag<'a>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Tag<'a> {
    name: &'a [u8],
    /// See [`mark`].
    mark: u32,
    /// Without the white space around it.
    value: &'a [u8],
    /// Everything between `=` and `;`.
    whole: Range<usize>,
}

/// Name, value, and the place of everything between `=` and `;`.
type Parts<'a> = (&'a [u8], &'a [u8], Range<usize>);

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Bytes of a name that its mark says everything about.
const MARKED: usize = 3;

/// A name's length and its first bytes: all that there is to compare, for nearly all names.
fn mark(name: &[u8]) -> u32 {
    let at = |place: usize| name.get(place).copied().unwrap_or_default();
    u32::from_le_bytes([u8::try_from(name.len()).unwrap_or(u8::MAX), at(0), at(1), at(2)])
}

/// Why some bytes are no tag list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// A part without `=`, or an empty one.
    #[error("a part of the tag list is no tag")]
    NoTag,
    /// A tag name that is none.
    #[error("a tag has a name that is no name")]
    Name,
    /// A character that no value may have: control characters, or white space that is no folding.
    #[error("a tag has a value with a character that may not be in it")]
    Value,
    /// A tag that is there twice.
    #[error("a tag is there twice")]
    Duplicate,
    /// More tags than are read.
    #[error("there are more than {TAGS_MAX} tags")]
    TooMany,
}

impl<'a> TagList<'a> {
    /// Reads a tag list. A final line end, as header fields have it, is white space.
    ///
    /// # Errors
    /// The first mistake.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, TagError> {
        let mut list = Self { bytes, tags: Vec::with_capacity(12) };
        let plain = is_plain(bytes);
        let mut start = 0;
        for end in places(bytes, 0..bytes.len(), |b, _| are(b, b';')) {
            list.tag(start..end, plain)?;
            start = end + 1;
        }
        // RFC 6376 §3.2: "tag-list = tag-spec *( ";" tag-spec ) [ ";" ]", so nothing may follow the last semicolon only.
        if start == 0 || !trimmed(bytes, start..bytes.len())?.is_empty() {
            list.tag(start..bytes.len(), plain)?;
        }
        Ok(list)
    }

    /// `plain`: no value has anything in it that it may not have.
    fn tag(&mut self, part: Range<usize>, plain: bool) -> Result<(), TagError> {
        let regular = if plain { self.regular(&part) } else { None };
        let (name, value, whole) = match regular {
            Some(regular) => regular,
            None => self.any(&part)?,
        };
        // RFC 6376 §3.2: "Tags with duplicate names MUST NOT occur within a single tag-list; if a tag name does occur more than
        // once, the entire tag-list is invalid."
        let mark = mark(name);
        if self.named(name, mark).is_some() {
            return Err(TagError::Duplicate);
        }
        if self.tags.len() == TAGS_MAX {
            return Err(TagError::TooMany);
        }
        self.tags.push(Tag { name, mark, value, whole });
        Ok(())
    }

    /// Name, value, and the place of the whole value of a tag in a plain list, as nearly all are: a short name right before its `=`.
    fn regular(&self, part: &Range<usize>) -> Option<Parts<'a>> {
        let text = self.bytes[part.clone()].trim_ascii_start();
        let (name, value) = match text {
            [a, b'=', value @ ..] if a.is_ascii_alphabetic() => (&text[..1], value),
            [a, b, b'=', value @ ..] if a.is_ascii_alphabetic() && is_name_byte(*b) => (&text[..2], value),
            _ => return None,
        };
        // In a plain list, all white space is folding.
        Some((name, value.trim_ascii(), part.end - value.len()..part.end))
    }

    /// The same of any tag.
    fn any(&self, part: &Range<usize>) -> Result<Parts<'a>, TagError> {
        let equals = self.bytes[part.clone()].iter().position(|b| *b == b'=').ok_or(TagError::NoTag)? + part.start;
        let name = &self.bytes[trimmed(self.bytes, part.start..equals)?];
        // RFC 6376 §3.2: "tag-name = ALPHA *ALNUMPUNC", "ALNUMPUNC = ALPHA / DIGIT / "_"".
        let legal = name.first().is_some_and(u8::is_ascii_alphabetic) && name.iter().all(|b| is_name_byte(*b));
        if !legal {
            return Err(TagError::Name);
        }
        let whole = equals + 1..part.end;
        let value = &self.bytes[trimmed(self.bytes, whole.clone())?];
        legal_value(value)?;
        Ok((name, value, whole))
    }

    fn find(&self, name: &str) -> Option<&Tag<'a>> {
        // RFC 6376 §3.2: "Tags MUST be interpreted in a case-sensitive manner."
        self.named(name.as_bytes(), mark(name.as_bytes()))
    }

    fn named(&self, name: &[u8], mark: u32) -> Option<&Tag<'a>> {
        self.tags.iter().find(|tag| tag.mark == mark && (name.len() <= MARKED || tag.name == name))
    }

    /// The value of a tag, without the white space around it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.find(name).map(|tag| tag.value)
    }

    /// Where everything between `=` and `;` of a tag lies in the bytes that were read.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<Range<usize>> {
        self.find(name).map(|tag| tag.whole.clone())
    }

    /// The name of the first tag.
    #[must_use]
    pub fn first_name(&self) -> &'a [u8] {
        self.tags.first().map_or(&[], |tag| tag.name)
    }
}

/// A line end, and the white space after it.
const FOLD_BYTES: usize = 3;

/// Length of the folding white space here: one space, tab, or line end that white space (or nothing more) follows.
fn folding(bytes: &[u8]) -> usize {
    match bytes {
        [b' ' | b'\t', ..] => 1,
        [b'\r', b'\n', b' ' | b'\t', ..] => FOLD_BYTES,
        [b'\r', b'\n'] => 2,
        _ => 0,
    }
}

/// Whether no part of a list can have a value with a character that may not be in it: nearly every list is so, and looked at in one
/// go. RFC 6376 §3.2: graphic characters of US-ASCII, and white space that is folding.
fn is_plain(bytes: &[u8]) -> bool {
    let text = bytes.strip_suffix(b"\r\n").unwrap_or(bytes);
    let strange = |b| !at_most(b, b'~') | at_most(b, 0x1f) & !(are(b, b'\t') | are(b, b'\r') | are(b, b'\n'));
    // A CR or LF that stands alone, or a line end before something else than white space.
    let torn = |a, b| are(a, b'\r') ^ are(b, b'\n') | are(a, b'\n') & !(are(b, b' ') | are(b, b'\t'));
    let wrong = |at: usize| marks(&text[at..], |a, b| strange(a) | torn(a, b)) != 0;
    !text.starts_with(b"\n") && !(0..text.len()).step_by(BLOCK_BYTES).any(wrong)
}

/// RFC 6376 §3.2: "VALCHAR = %x21-3A / %x3C-7E", with folding white space between; RFC 8616 §5 adds UTF-8.
fn legal_value(value: &[u8]) -> Result<(), TagError> {
    let is_legal = |b: u8| matches!(b, b'!'..=b'~' | b' ' | b'\t' | b'\r' | b'\n' | 0x80..);
    // Each CR begins a fold, whose white space is in the value too, and no LF stands outside of one.
    let mut folds = memchr::memchr_iter(b'\r', value);
    let folded = folds.clone().count() == memchr::memchr_iter(b'\n', value).count();
    let legal = value.iter().all(|b| is_legal(*b))
        && folded
        && folds.all(|at| folding(&value[at..]) == FOLD_BYTES)
        && std::str::from_utf8(value).is_ok();
    if legal { Ok(()) } else { Err(TagError::Value) }
}

fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// The range without white space at its ends.
fn trimmed(bytes: &[u8], mut range: Range<usize>) -> Result<Range<usize>, TagError> {
    while range.start < range.end && is_white(bytes[range.start]) {
        let white = folding(&bytes[range.start..]);
        if white == 0 {
            return Err(TagError::Value);
        }
        range.start = (range.start + white).min(range.end);
    }
    while range.start < range.end && matches!(bytes[range.end - 1], b' ' | b'\t') {
        range.end -= 1;
        // The line end of a fold goes with the white space after it.
        if bytes[range.start..range.end].ends_with(b"\r\n") {
            range.end -= 2;
        }
    }
    // The line end of the field.
    if range.end == bytes.len() && bytes[range.clone()].ends_with(b"\r\n") {
        range.end -= 2;
        return trimmed(bytes, range);
    }
    Ok(range)
}

/// The same without any white space.
#[must_use]
pub fn without_white(value: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(value.len().next_multiple_of(16));
    let mut rest = value;
    while !rest.is_empty() {
        // Without a branch in it, this takes all of a block at once.
        let may_be_white = |block: &[u8; 16]| block.iter().fold(0, |any, b| any | u8::from(*b <= b' ')) != 0;
        let plain = rest.as_chunks::<16>().0.iter().take_while(|block| !may_be_white(block)).count() * 16;
        let end = rest[plain..].iter().position(|b| is_white(*b)).map_or(rest.len(), |at| plain + at);
        kept.extend_from_slice(&rest[..end]);
        let white = rest[end..].iter().take_while(|b| is_white(**b)).count();
        rest = &rest[end + white..];
    }
    kept
}

/// The parts of a value between colons, without the white space around them.
pub fn colon_list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&b| b == b':').map(<[u8]>::trim_ascii)
}

/// A number in decimal digits and nothing else; more than 2⁶⁴ is 2⁶⁴.
#[must_use]
pub fn number(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(value.iter().fold(0_u64, |sum, digit| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &[u8]) -> Result<String, TagError> {
        let list = TagList::parse(bytes)?;
        let text = String::from_utf8_lossy;
        let tags: Vec<_> = list.tags.iter().map(|tag| format!("{}={}", text(tag.name), text(tag.value))).collect();
        Ok(tags.join("|"))
    }

    #[test]
    fn tag_lists() {
        let cases: &[(&str, &[u8], Result<&str, TagError>)] = &[
            ("plain", b"v=1; a=b;c=d", Ok("v=1|a=b|c=d")),
            ("final semicolon", b"v=1; ", Ok("v=1")),
            ("final semicolon and line end", b" v=1;\r\n", Ok("v=1")),
            ("line end of the field", b" v = 1 \r\n", Ok("v=1")),
            ("folded everywhere", b"\r\n\tv\r\n =\r\n 1\r\n\t ;\r\n a=\r\n\tb\r\n c\r\n", Ok("v=1|a=b\r\n c")),
            ("an equals sign in a value", b"b=ab==", Ok("b=ab==")),
            ("an empty value", b"p=; t=", Ok("p=|t=")),
            ("names keep their case", b"V=1; v=2", Ok("V=1|v=2")),
            ("underscore and digits in a name", b"a_1=x", Ok("a_1=x")),
            ("UTF-8 in a value", "i=\u{fc}@x".as_bytes(), Ok("i=\u{fc}@x")),
            ("the same tag twice", b"d=a;d=b", Err(TagError::Duplicate)),
            ("an empty part", b"v=1;;a=b", Err(TagError::NoTag)),
            ("an empty part in front", b";v=1", Err(TagError::NoTag)),
            ("two final semicolons", b"v=1;;", Err(TagError::NoTag)),
            ("nothing", b"", Err(TagError::NoTag)),
            ("no equals sign", b"v=1; a", Err(TagError::NoTag)),
            ("no name", b"=1", Err(TagError::Name)),
            ("a space in a name", b"a b=1", Err(TagError::Name)),
            ("a digit first", b"1a=1", Err(TagError::Name)),
            ("NUL", b"s=a\0b", Err(TagError::Value)),
            ("a lone LF", b"s=a\nb", Err(TagError::Value)),
            ("a lone LF at the end", b"s=a\n", Err(TagError::Value)),
            ("a lone LF in front of a name", b"s=a;\nb=c", Err(TagError::Value)),
            ("a lone CR", b"s=a\r b", Err(TagError::Value)),
            ("not UTF-8", b"s=\xff", Err(TagError::Value)),
            ("DEL", b"s=\x7f", Err(TagError::Value)),
            ("a form feed at the end", b"s=a\x0c", Err(TagError::Value)),
            ("a lone LF at the beginning", b"\ns=a", Err(TagError::Value)),
            ("a CR at the very end", b"s=a\r", Err(TagError::Value)),
            ("a line end before a semicolon", b"s=a\r\n;b=c", Err(TagError::Value)),
            ("a line end in a name", b"s=a;b\r\nc=d", Err(TagError::Name)),
            ("two line ends", b"s=a\r\n\r\n b", Err(TagError::Value)),
            ("UTF-8 behind a fold", "i=a\r\n \u{fc}; s=b\r\n".as_bytes(), Ok("i=a\r\n \u{fc}|s=b")),
            ("UTF-8, and a line end before a semicolon", "i=\u{fc}; s=a\r\n;b=c".as_bytes(), Err(TagError::Value)),
            ("UTF-8 and a lone LF", "i=\u{fc}; s=a\nb".as_bytes(), Err(TagError::Value)),
        ];
        for (why, bytes, expected) in cases {
            assert_eq!(shown(bytes).as_deref(), expected.as_ref().map(|text| *text), "{why}");
        }
        let long = "a".repeat(259);
        assert_eq!(shown(format!("aaa=1;{long}=2").as_bytes()), Ok(format!("aaa=1|{long}=2")), "names are told apart");
        assert_eq!(shown(format!("{long}=1;{long}=2").as_bytes()), Err(TagError::Duplicate));
        let many: Vec<_> = (0..100).map(|n| format!("a{n}=;")).collect();
        assert_eq!(shown(many.concat().as_bytes()), Err(TagError::TooMany));
    }

    #[test]
    fn numbers() {
        assert_eq!(number(b"0012"), Some(12));
        assert_eq!(number(b"99999999999999999999999999"), Some(u64::MAX));
        for bad in ["", "-1", "+1", "1 2", "1a", "0x1"] {
            assert_eq!(number(bad.as_bytes()), None, "{bad}");
        }
    }
}
