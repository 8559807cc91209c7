//! Absolute domain names, built from labels: any octets that DNS allows, in lower case (RFC 1035 §3.1, RFC 4343).
//!
//! In: labels as bytes, presentation text with `\DDD`, or a name with U-labels. Out: one value that compares, hashes and prints the
//! same wherever it came from. Host name rules (letters, digits, hyphen) are not applied: SPF and DKIM ask for names that break them.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use thiserror::Error;

/// RFC 1035 §2.3.4: "labels 63 octets or less".
pub const LABEL_OCTETS_MAX: usize = 63;
const LABEL_MAX: u8 = 63;

/// RFC 1035 §2.3.4: "names 255 octets or less", with the length octet of every label and the empty label of the root.
pub const NAME_OCTETS_MAX: usize = 255;

/// An absolute domain name in lower case. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// The wire form without the final empty label: each label after its length octet.
    wire: Arc<[u8]>,
}

/// Why something is no domain name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NameError {
    /// Nothing at all; the root is written as one dot.
    #[error("the name is empty: write `.` for the root")]
    Empty,
    /// Two dots in a row, or one at the beginning.
    #[error("label {0} is empty: one dot parts two labels")]
    EmptyLabel(usize),
    /// A label is too long.
    #[error("label {label} has {octets} octets: at most {LABEL_OCTETS_MAX} are allowed")]
    LabelTooLong {
        /// Counted from 1, from the left.
        label: usize,
        /// How many it has.
        octets: usize,
    },
    /// The name is too long as a whole.
    #[error("the name needs more than {NAME_OCTETS_MAX} octets")]
    TooLong,
    /// A character beyond ASCII where presentation text is asked for.
    #[error("`{0}` is not ASCII: write the A-label (xn--…)")]
    NotAscii(char),
    /// A backslash that is followed by neither three digits up to 255 nor a character.
    #[error("a backslash needs three digits up to 255, or one character, after it")]
    BadEscape,
    /// The name with U-labels has no A-label form.
    #[error("not a valid internationalised name (IDNA 2008, UTS 46)")]
    NotIdna,
}

impl Name {
    /// The root.
    #[must_use]
    pub fn root() -> Self {
        Self { wire: Arc::from([]) }
    }

    /// From labels, left to right. No labels: the root.
    ///
    /// # Errors
    /// An empty or too long label, or too many octets in all.
    pub fn from_labels<I>(labels: I) -> Result<Self, NameError>
    where
        I: IntoIterator<Item: AsRef<[u8]>>,
    {
        let mut wire = Wire::new();
        for label in labels {
            wire.push(label.as_ref())?;
        }
        Ok(wire.name())
    }

    /// From presentation text (RFC 1035 §5.1: `\DDD` and `\X`), with or without the final dot.
    ///
    /// # Errors
    /// What is wrong with the first bad label.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let mut wire = Wire::new();
        wire.read(text)?;
        Ok(wire.name())
    }

    /// From presentation text that is relative to `origin` unless it ends with a dot; `@` is the origin itself.
    ///
    /// # Errors
    /// What is wrong with the first bad label.
    pub fn parse_relative(text: &str, origin: &Self) -> Result<Self, NameError> {
        if text == "@" {
            return Ok(origin.clone());
        }
        let mut wire = Wire::new();
        if !wire.read(text)? {
            wire.append(origin)?;
        }
        Ok(wire.name())
    }

    /// From a name that may have U-labels, by UTS 46 without transitional processing (RFC 8616 §4 asks for A-labels).
    ///
    /// # Errors
    /// Where there is no A-label form, or it is no name.
    pub fn from_unicode(text: &str) -> Result<Self, NameError> {
        if text.is_ascii() {
            return Self::from_labels(dotted(text.as_bytes())?);
        }
        let ascii = idna::domain_to_ascii_cow(text.as_bytes(), idna::AsciiDenyList::EMPTY);
        let ascii = ascii.map_err(|_| NameError::NotIdna)?;
        Self::from_labels(dotted(ascii.as_bytes())?)
    }

    /// From bytes that are labels with dots between them and nothing else: a backslash is a backslash. One final dot is allowed.
    ///
    /// # Errors
    /// What is wrong with the first bad label.
    pub fn from_dotted(bytes: &[u8]) -> Result<Self, NameError> {
        let mut wire = Wire::new();
        if wire.dotted(bytes) {
            return Ok(wire.name());
        }
        Self::from_labels(dotted(bytes)?)
    }

    /// The same from several such texts, none with a final dot, each below the one that follows.
    ///
    /// # Errors
    /// What is wrong with the first bad label.
    pub fn from_dotted_parts(parts: &[&[u8]]) -> Result<Self, NameError> {
        let mut wire = Wire::new();
        if parts.iter().all(|part| wire.dotted(part)) {
            return Ok(wire.name());
        }
        Self::from_labels(dotted(&parts.join(&b'.'))?)
    }

    /// Its labels, left to right, without the root's.
    #[must_use]
    pub fn labels(&self) -> Labels<'_> {
        Labels { rest: &self.wire }
    }

    /// Without its first label; the root has no parent.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let first = *self.wire.first()?;
        Some(Self { wire: Arc::from(&self.wire[usize::from(first) + 1..]) })
    }

    /// Its last `count` labels; itself if it has no more.
    #[must_use]
    pub fn last(&self, count: usize) -> Self {
        let mut labels = self.labels();
        let drop = self.labels().count().saturating_sub(count);
        for _ in 0..drop {
            labels.next();
        }
        Self { wire: Arc::from(labels.rest) }
    }

    /// Itself, its parent, and so on to the root.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self.clone()), Self::parent)
    }

    /// The wire form without the final empty label.
    pub(crate) fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// Whether it is `other` or below it.
    #[must_use]
    pub fn is_subdomain_of(&self, other: &Self) -> bool {
        let mut labels = self.labels();
        loop {
            if labels.rest == &*other.wire {
                return true;
            }
            if labels.next().is_none() {
                return false;
            }
        }
    }

    /// Whether it is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.wire.is_empty()
    }

    /// How many octets it needs in a message, with the root's label.
    #[must_use]
    pub fn wire_len(&self) -> usize {
        self.wire.len() + 1
    }

    /// With one more label in front.
    ///
    /// # Errors
    /// A bad label, or too many octets in all.
    pub fn child(&self, label: impl AsRef<[u8]>) -> Result<Self, NameError> {
        let mut wire = Wire::new();
        wire.push(label.as_ref())?;
        wire.append(self)?;
        Ok(wire.name())
    }
}

/// Compares and hashes as the name does, so that a map of names can be asked about parts of one.
impl Borrow<[u8]> for Name {
    fn borrow(&self) -> &[u8] {
        &self.wire
    }
}

/// The wire forms of what a name's wire form is below: its parent's, and so on to the root's.
pub(crate) fn above(wire: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::successors(Some(wire), |wire| wire.get(usize::from(*wire.first()?) + 1..)).skip(1)
}

/// The labels between the dots; the final dot may be there or not.
fn dotted(bytes: &[u8]) -> Result<impl Iterator<Item = &[u8]>, NameError> {
    if bytes.is_empty() {
        return Err(NameError::Empty);
    }
    let bytes = bytes.strip_suffix(b".").unwrap_or(bytes);
    Ok(bytes.split(|byte| *byte == b'.').take(if bytes.is_empty() { 0 } else { usize::MAX }))
}

/// The labels of a name, left to right.
#[derive(Debug, Clone)]
pub struct Labels<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.rest.split_first()?;
        let (label, rest) = rest.split_at_checked(usize::from(*length))?;
        self.rest = rest;
        Some(label)
    }
}

/// A name while it is put together: on the stack, so that a name costs one allocation.
struct Wire {
    bytes: [u8; NAME_OCTETS_MAX],
    length: usize,
    labels: usize,
}

impl Wire {
    fn new() -> Self {
        Self { bytes: [0; NAME_OCTETS_MAX], length: 0, labels: 0 }
    }

    fn name(&self) -> Name {
        Name { wire: Arc::from(&self.bytes[..self.length]) }
    }

    fn push(&mut self, label: &[u8]) -> Result<(), NameError> {
        self.labels += 1;
        if label.is_empty() {
            return Err(NameError::EmptyLabel(self.labels));
        }
        let octets = label.len();
        let length = u8::try_from(octets).ok().filter(|length| usize::from(*length) <= LABEL_OCTETS_MAX);
        let Some(length) = length else {
            return Err(NameError::LabelTooLong { label: self.labels, octets });
        };
        // One octet stays free for the root's label.
        if self.length + 1 + octets >= NAME_OCTETS_MAX {
            return Err(NameError::TooLong);
        }
        self.bytes[self.length] = length;
        for (to, from) in self.bytes[self.length + 1..].iter_mut().zip(label) {
            // RFC 4343 §3: comparison ignores the case of ASCII letters only.
            *to = from.to_ascii_lowercase();
        }
        self.length += 1 + octets;
        Ok(())
    }

    /// Adds the labels between the dots of a text in one go; false where something is wrong with one of them, or with all.
    fn dotted(&mut self, text: &[u8]) -> bool {
        // As in `push`, one octet stays free for the root's label.
        let Some(room) = self.bytes[..NAME_OCTETS_MAX - 1].get_mut(self.length..=self.length + text.len()) else {
            return false;
        };
        // Each length takes the place of the dot in front of its label.
        let mut label = 0;
        let mut length = 0;
        for (at, byte) in text.iter().enumerate() {
            if *byte == b'.' {
                if !matches!(length, 1..=LABEL_MAX) {
                    return false;
                }
                room[label] = length;
                (label, length) = (at + 1, 0);
            } else {
                room[at + 1] = byte.to_ascii_lowercase();
                length = length.saturating_add(1);
            }
        }
        room[label] = length;
        if !matches!(length, 1..=LABEL_MAX) {
            return false;
        }
        self.length += room.len();
        true
    }

    /// Adds all labels of a name.
    fn append(&mut self, name: &Name) -> Result<(), NameError> {
        let end = self.length + name.wire.len();
        // As in `push`; a name without labels fits always.
        let room = self.bytes[..NAME_OCTETS_MAX - 1].get_mut(self.length..end).ok_or(NameError::TooLong)?;
        room.copy_from_slice(&name.wire);
        self.length = end;
        Ok(())
    }

    /// Reads presentation text; says whether it ended with a dot.
    fn read(&mut self, text: &str) -> Result<bool, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text == "." {
            return Ok(true);
        }
        let mut label = Vec::with_capacity(LABEL_OCTETS_MAX);
        let mut rest = text.as_bytes();
        while let Some(octet) = unescape(rest)? {
            if octet.byte == b'.' && !octet.escaped {
                self.push(&label)?;
                label.clear();
            } else if octet.byte.is_ascii() || octet.escaped {
                label.push(octet.byte);
            } else {
                let at = text.len() - rest.len();
                return Err(NameError::NotAscii(text[at..].chars().next().unwrap_or(char::REPLACEMENT_CHARACTER)));
            }
            rest = octet.rest;
        }
        if label.is_empty() {
            return Ok(true);
        }
        self.push(&label)?;
        Ok(false)
    }
}

/// One octet of presentation text.
pub(crate) struct Octet<'a> {
    pub(crate) byte: u8,
    /// Whether it stood after a backslash: an escaped dot parts no labels.
    pub(crate) escaped: bool,
    /// What follows.
    pub(crate) rest: &'a [u8],
}

/// The first octet of presentation text (RFC 1035 §5.1: `\DDD` and `\X`).
pub(crate) fn unescape(text: &[u8]) -> Result<Option<Octet<'_>>, NameError> {
    let octet = |byte, escaped, rest| Ok(Some(Octet { byte, escaped, rest }));
    match text {
        [] => Ok(None),
        [b'\\', a @ b'0'..=b'9', rest @ ..] => {
            let [b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] = rest else {
                return Err(NameError::BadEscape);
            };
            let number = u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0');
            octet(u8::try_from(number).map_err(|_| NameError::BadEscape)?, true, rest)
        }
        [b'\\', byte, rest @ ..] if byte.is_ascii() => octet(*byte, true, rest),
        [b'\\', ..] => Err(NameError::BadEscape),
        [byte, rest @ ..] => octet(*byte, false, rest),
    }
}

impl fmt::Display for Name {
    /// Presentation text without the final dot (`.` for the root); [`Name::parse`] reads it back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str(".");
        }
        for (at, label) in self.labels().enumerate() {
            if at > 0 {
                f.write_str(".")?;
            }
            for byte in label {
                match byte {
                    b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$' => write!(f, "\\{}", char::from(*byte))?,
                    0x21..=0x7e => write!(f, "{}", char::from(*byte))?,
                    _ => write!(f, "\\{byte:03}")?,
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl std::str::FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}
