//! Raw text between tags, made into what it says: encoding, references, line ends, characters.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};

use super::flaws::Flaws;
use super::scan;
use crate::FlawKind;

/// Bytes of the longest reference that means anything: `&#x10FFFF;` with some leading zeros.
const REFERENCE_BYTES_MAX: usize = 16;

/// How long the text up to the next `<` is, if it says what it is: printable ASCII without a reference. Nearly every text is.
#[inline]
pub(super) fn plain_len(raw: &[u8]) -> Option<usize> {
    let len = scan::not_plain(raw)?;
    (raw[len] == b'<').then_some(len)
}

/// XML's white space.
#[inline]
pub(super) fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\r' | b'\n')
}

/// How much white space the text begins with. Most of a report is the indentation of its lines, so it is read in steps.
#[inline]
pub(super) fn spaces(text: &[u8]) -> usize {
    let mut len = 1;
    while text[len..].starts_with(b"    ") {
        len += 4;
    }
    len + text[len..].iter().position(|b| !is_space(*b)).unwrap_or(text.len() - len)
}

/// Without XML's white space at both ends.
#[inline]
pub(super) fn trimmed(mut raw: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = raw
        && is_space(*first)
    {
        raw = rest;
    }
    while let [rest @ .., last] = raw
        && is_space(*last)
    {
        raw = rest;
    }
    raw
}

/// Appends what `raw` says to `out`. `references` is false inside CDATA.
pub(super) fn cook(raw: &[u8], references: bool, encoding: &'static Encoding, out: &mut String, flaws: &mut Flaws) {
    let text = decode(raw, encoding, flaws);
    let mut rest = &*text;
    while let Some(at) = rest.find(|c| c == '&' || c == '\r' || !is_xml(c)) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let consumed = if rest.starts_with("\r\n") {
            // XML 1.0 §2.11: "translating both the two-character sequence #xD #xA and any #xD … to a single #xA"
            1
        } else if rest.starts_with('\r') {
            out.push('\n');
            1
        } else if rest.starts_with('&') {
            reference(rest, references, out, flaws)
        } else {
            flaws.note(FlawKind::InvalidCharacter, Some(&text));
            out.push(char::REPLACEMENT_CHARACTER);
            rest.chars().next().map_or(1, char::len_utf8)
        };
        rest = &rest[consumed..];
    }
    out.push_str(rest);
}

/// UTF-8 where it is; otherwise what the declaration says, otherwise what can be saved.
fn decode<'a>(raw: &'a [u8], encoding: &'static Encoding, flaws: &mut Flaws) -> Cow<'a, str> {
    // Labels lie more often than bytes: text that is valid UTF-8 by accident is rare.
    if let Ok(text) = str::from_utf8(raw) {
        return Cow::Borrowed(text);
    }
    if encoding != UTF_8 {
        let (text, replaced) = encoding.decode_without_bom_handling(raw);
        if replaced {
            flaws.note(FlawKind::InvalidUtf8, Some(&text));
        }
        return text;
    }
    let text = String::from_utf8_lossy(raw);
    flaws.note(FlawKind::InvalidUtf8, Some(&text));
    text
}

/// Appends what the reference at the start of `rest` stands for; returns its length. What is none is text.
fn reference(rest: &str, references: bool, out: &mut String, flaws: &mut Flaws) -> usize {
    let end = rest.bytes().take(REFERENCE_BYTES_MAX).position(|b| b == b';');
    let meant = end.and_then(|end| referent(&rest[1..end]));
    match (meant, end) {
        (Some(c), Some(end)) if references => {
            if is_xml(c) {
                out.push(c);
            } else {
                flaws.note(FlawKind::InvalidCharacter, Some(&rest[..=end]));
                out.push(char::REPLACEMENT_CHARACTER);
            }
            end + 1
        }
        _ => {
            if references {
                flaws.note(FlawKind::StrayAmpersand, Some(rest));
            }
            out.push('&');
            1
        }
    }
}

/// The character between `&` and `;`.
fn referent(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            code.ok().and_then(char::from_u32)
        }
    }
}

/// XML 1.0 §2.2: "Char ::= #x9 | #xA | #xD | [#x20-#xD7FF] | [#xE000-#xFFFD] | [#x10000-#x10FFFF]"
pub(super) fn is_xml(c: char) -> bool {
    !matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
}
