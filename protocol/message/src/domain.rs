//! A domain name as authentication compares it: lower-case A-labels, no final dot.
//!
//! In: the bytes that stand where a domain name is expected (header field, envelope, HELO), U-labels included. Out: one
//! [`Domain`], or why there is none. It is made once and then shared by SPF, DKIM, DMARC, header, report and log. Address
//! literals are not domain names. RFC 5890, RFC 5891 by way of UTS-46; RFC 1035 §2.3.4 for the sizes.

use std::fmt;
use std::sync::Arc;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

use crate::unseen::is_invisible;

/// RFC 1035 §2.3.4: 255 octets on the wire, which leaves 253 for text without the final dot.
const TEXT_BYTES_MAX: usize = 253;

/// RFC 1035 §2.3.4: "labels: 63 octets or less".
const LABEL_BYTES_MAX: usize = 63;

/// What may stand for a domain name before IDNA: a U-label can be four times as long as its A-label in bytes.
const INPUT_BYTES_MAX: usize = 4 * TEXT_BYTES_MAX;

/// No ASCII but letters, digits, hyphen, underscore (which real hosts have) and the dot. RFC 5322 would allow `'` and `{` in a
/// dot-atom; no host name has them, and `d=legit.example'a.attack.example` lives from readers that stop there.
const NOT_IN_NAMES: AsciiDenyList = AsciiDenyList::new(true, "!\"#$%&'()*+,/:;<=>?@[\\]^`{|}~");

/// What a byte is in a name: letters, digits, hyphen, underscore and the dot are what they look like, [`OTHER`] is the rest.
const KIND: [u8; 256] = {
    let mut table = [OTHER; 256];
    let mut byte = 0;
    while byte < 128 {
        let [b, ..] = usize::to_le_bytes(byte);
        table[byte] = match b {
            b'A'..=b'Z' => UPPER,
            b'-' => HYPHEN,
            b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' => 0,
            _ => OTHER,
        };
        byte += 1;
    }
    table
};
const UPPER: u8 = 1;
const HYPHEN: u8 = 2;
const OTHER: u8 = 4;

/// A domain name in its one form: lower-case A-labels, at least one, no final dot, within the sizes of RFC 1035. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Domain(Arc<str>);

/// Why some bytes are no domain name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    /// Nothing, or only a dot.
    #[error("the domain name is empty")]
    Empty,
    /// Two dots in a row, or one in front.
    #[error("the domain name has an empty label")]
    EmptyLabel,
    /// A label of more than 63 or a name of more than 253 bytes.
    #[error("the domain name is longer than the 63 bytes of a label or the 253 of a name")]
    TooLong,
    /// A byte that no name has: control characters, NUL, quotes, brackets, bytes that are not UTF-8.
    #[error("the domain name has a character that no name may have")]
    Character,
    /// A character nobody sees: soft hyphen, zero-width space, a direction mark.
    #[error("the domain name has a character that nobody sees")]
    Invisible,
    /// Not valid under IDNA.
    #[error("the domain name is not valid as an internationalised name (IDNA)")]
    Idna,
    /// `[192.0.2.1]`.
    #[error("an address in brackets stands where a domain name should")]
    AddressLiteral,
}

impl Domain {
    /// Reads a domain name. One final dot is taken off.
    ///
    /// # Errors
    /// Whatever makes it no domain name; nothing is repaired.
    pub fn parse(bytes: &[u8]) -> Result<Self, DomainError> {
        if bytes.len() > INPUT_BYTES_MAX {
            return Err(DomainError::TooLong);
        }
        if bytes.starts_with(b"[") {
            return Err(DomainError::AddressLiteral);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| DomainError::Character)?;
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(DomainError::Empty);
        }
        let kinds = text.bytes().fold(0, |kinds, b| kinds | KIND[usize::from(b)]);
        if kinds & OTHER == 0 && (kinds & HYPHEN == 0 || !has_ace_label(text)) {
            sized(text)?;
            let is_lower = kinds & UPPER == 0;
            return Ok(Self(if is_lower { text.into() } else { text.to_ascii_lowercase().into() }));
        }
        let ascii = a_labels(text)?;
        sized(&ascii)?;
        Ok(Self(ascii.into()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name has more than one label.
    #[must_use]
    pub fn is_multi_label(&self) -> bool {
        self.0.contains('.')
    }
}

fn has_ace_label(text: &str) -> bool {
    text.split('.').any(|label| label.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("xn--")))
}

fn a_labels(text: &str) -> Result<String, DomainError> {
    // UTS-46 maps some of these to nothing, IDNA 2008 allows none (RFC 5892 §2.6 and §2.8). Whoever writes them wants to be
    // taken for somebody else.
    if text.chars().any(is_invisible) {
        return Err(DomainError::Invisible);
    }
    if text.bytes().any(|b| b.is_ascii_control() || b == b' ') {
        return Err(DomainError::Character);
    }
    // RFC 5891 §4.2.3.1 forbids hyphens in third and fourth place; real hosts that are no A-labels have them.
    let ascii = Uts46::new().to_ascii(text.as_bytes(), NOT_IN_NAMES, Hyphens::Allow, DnsLength::Ignore);
    ascii.map(|name| name.strip_suffix('.').unwrap_or(&name).to_owned()).map_err(|_| {
        let ascii_only = text.is_ascii() && !has_ace_label(text);
        if ascii_only { DomainError::Character } else { DomainError::Idna }
    })
}

fn sized(ascii: &str) -> Result<(), DomainError> {
    if ascii.is_empty() {
        return Err(DomainError::Empty);
    }
    let mut longest = 0;
    for label in ascii.as_bytes().split(|b| *b == b'.') {
        if label.is_empty() {
            return Err(DomainError::EmptyLabel);
        }
        longest = longest.max(label.len());
    }
    if ascii.len() > TEXT_BYTES_MAX || longest > LABEL_BYTES_MAX {
        return Err(DomainError::TooLong);
    }
    Ok(())
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Domain({})", self.0)
    }
}

impl AsRef<str> for Domain {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_for_each_name() {
        let long = format!("{}.{}.{}.{}", "a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(61));
        let longer = format!("{long}d");
        let label = format!("{}.test", "a".repeat(64));
        let cases: &[(&str, &[u8], Result<&str, DomainError>)] = &[
            ("plain", b"legit.test", Ok("legit.test")),
            ("upper case", b"LEGIT.Test", Ok("legit.test")),
            ("final dot", b"legit.test.", Ok("legit.test")),
            ("one label", b"localhost", Ok("localhost")),
            ("underscore", b"_spf.a_b.test", Ok("_spf.a_b.test")),
            ("hyphens in third and fourth place", b"r3---sn-x.test", Ok("r3---sn-x.test")),
            ("U-label", "b\u{fc}cher.test".as_bytes(), Ok("xn--bcher-kva.test")),
            ("U-label decomposed (NFD)", "bu\u{308}cher.test".as_bytes(), Ok("xn--bcher-kva.test")),
            ("U-label in upper case", "B\u{dc}CHER.TEST".as_bytes(), Ok("xn--bcher-kva.test")),
            ("sharp s is kept (non-transitional)", "stra\u{df}e.test".as_bytes(), Ok("xn--strae-oqa.test")),
            ("mixed script", "l\u{435}git.test".as_bytes(), Ok("xn--lgit-v4d.test")),
            ("A-label", b"XN--bcher-kva.test", Ok("xn--bcher-kva.test")),
            ("ideographic full stop", "legit\u{3002}test".as_bytes(), Ok("legit.test")),
            ("full-width letters", "\u{ff4c}egit.test".as_bytes(), Ok("legit.test")),
            ("253 bytes", long.as_bytes(), Ok(&long)),
            ("254 bytes", longer.as_bytes(), Err(DomainError::TooLong)),
            ("label of 64 bytes", label.as_bytes(), Err(DomainError::TooLong)),
            ("A-label that decodes to nothing legal", b"xn--a.test", Err(DomainError::Idna)),
            ("soft hyphen", "leg\u{ad}it.test".as_bytes(), Err(DomainError::Invisible)),
            ("zero-width space", "legit.test\u{200b}".as_bytes(), Err(DomainError::Invisible)),
            ("right-to-left override", "\u{202e}tset.tigel".as_bytes(), Err(DomainError::Invisible)),
            ("en quad", "legit.test\u{2000}".as_bytes(), Err(DomainError::Idna)),
            ("zero-width joiner without its context", "le\u{200d}git.test".as_bytes(), Err(DomainError::Idna)),
            ("NUL", b"legit\0.test", Err(DomainError::Character)),
            ("apostrophe", b"legit.test'a.attack.test", Err(DomainError::Character)),
            ("parenthesis", b"legit.test(a.attack.test", Err(DomainError::Character)),
            ("space", b"legit. test", Err(DomainError::Character)),
            ("not UTF-8", b"legit\xff.test", Err(DomainError::Character)),
            ("two dots", b"legit..test", Err(DomainError::EmptyLabel)),
            ("two final dots", b"legit.test..", Err(DomainError::EmptyLabel)),
            ("dot in front", b".legit.test", Err(DomainError::EmptyLabel)),
            ("only a dot", b".", Err(DomainError::Empty)),
            ("nothing", b"", Err(DomainError::Empty)),
            ("address", b"[192.0.2.1]", Err(DomainError::AddressLiteral)),
        ];
        for (why, bytes, expected) in cases {
            let found = Domain::parse(bytes);
            assert_eq!(found.as_ref().map(Domain::as_str), expected.as_ref().map(|name| *name), "{why}");
            if let Ok(domain) = found {
                assert_eq!(Domain::parse(domain.as_str().as_bytes()).as_ref(), Ok(&domain), "{why}: read again");
            }
        }
    }
}
