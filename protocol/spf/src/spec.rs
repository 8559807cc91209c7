//! Names with macros in them: read once, expanded for each message (RFC 7208 §7).
//!
//! In: the text of a domain-spec or of an explanation. Out: its parts; with the values of one message, bytes or a DNS name. A name
//! without macros is made when the record is read, so that evaluation takes it as it is.

use std::fmt;

use dns::Name;

use crate::{Problem, Span, SyntaxError};

/// RFC 7208 §7.3: "if the expanded domain name exceeds 253 characters …, the left side is truncated to fit".
const NAME_CHARACTERS_MAX: usize = 253;

/// A domain name with macros, or an explanation text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainSpec {
    text: Box<str>,
    parts: Box<[Part]>,
    fixed: Fixed,
}

/// What a text comes out as, whatever the message.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fixed {
    /// It has macros, or is no name.
    No,
    /// This name.
    Name(Name),
    /// No name: an empty or too long label.
    Unusable,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Text(Box<str>),
    Macro(Macro),
}

/// `%{…}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Macro {
    /// In lower case.
    pub(crate) letter: u8,
    /// Written in upper case: the value is URL-escaped.
    escape: bool,
    /// Labels that are kept, from the right; 0 keeps all.
    keep: u16,
    reverse: bool,
    /// None: the dot.
    delimiters: [bool; DELIMITERS.len()],
}

const DELIMITERS: [u8; 7] = *b".-+,/_=";

/// Where macros are used: it decides which letters are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// A name that must end as one.
    Name,
    /// The value of an unknown modifier.
    Modifier,
    /// The text of an explanation: spaces, and the macros c, r and t.
    Explanation,
}

/// The values of one message, as bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Values<'a> {
    /// `l`; what the sender's mailbox has before its `@`.
    pub(crate) local_part: &'a str,
    /// `o`
    pub(crate) sender_domain: &'a str,
    /// `d`
    pub(crate) domain: &'a Name,
    /// `i`, `c` and `v`
    pub(crate) ip: std::net::IpAddr,
    /// `p`, where it was asked for and validated.
    pub(crate) validated: Option<&'a Name>,
    /// `h`
    pub(crate) helo: &'a str,
    /// `r`
    pub(crate) receiver: &'a str,
    /// `t`, in seconds since 1970.
    pub(crate) time: u64,
}

impl DomainSpec {
    /// Reads `text`, which stands at `offset` in the record.
    pub(crate) fn parse(text: &str, offset: usize, purpose: Use) -> Result<Self, SyntaxError> {
        let error =
            |start: usize, end: usize, problem| SyntaxError { span: Span::new(offset + start, offset + end), problem };
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        // Where the last macro ends: a name must end with it, or with a top-level label behind it.
        let mut macros_end = 0;
        while let Some(at) = rest.find('%') {
            literal.push_str(&rest[..at]);
            let start = text.len() - rest.len() + at;
            let after = &rest[at + 1..];
            let length = match after.as_bytes().first() {
                Some(b'%') => push(&mut literal, "%"),
                Some(b'_') => push(&mut literal, " "),
                Some(b'-') => push(&mut literal, "%20"),
                Some(b'{') => {
                    let length = after.find('}').map_or(after.len(), |end| end + 1);
                    let read = Macro::parse(&after[1..length], purpose);
                    let read = read.map_err(|problem| error(start, start + 1 + length, problem))?;
                    if !literal.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut literal).into()));
                    }
                    parts.push(Part::Macro(read));
                    length
                }
                _ => return Err(error(start, (start + 2).min(text.len()), Problem::Percent)),
            };
            rest = &after[length..];
            macros_end = text.len() - rest.len();
        }
        literal.push_str(rest);
        if purpose == Use::Name && !ends_as_name(&text[macros_end..], macros_end > 0) {
            return Err(error(0, text.len(), Problem::TopLabel));
        }
        if !literal.is_empty() {
            parts.push(Part::Text(literal.into()));
        }
        let mut spec = Self { text: text.into(), parts: parts.into(), fixed: Fixed::No };
        if spec.letters().next().is_none() && purpose == Use::Name {
            spec.fixed = name_of(&spec.literal()).map_or(Fixed::Unusable, Fixed::Name);
        }
        Ok(spec)
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The macro letters in it, in lower case, in order.
    pub(crate) fn letters(&self) -> impl Iterator<Item = u8> {
        self.parts.iter().filter_map(|part| match part {
            Part::Macro(found) => Some(found.letter),
            Part::Text(_) => None,
        })
    }

    pub(crate) fn has(&self, letter: u8) -> bool {
        self.fixed == Fixed::No && self.letters().any(|found| found == letter)
    }

    fn literal(&self) -> Vec<u8> {
        match &*self.parts {
            [Part::Text(text)] => text.as_bytes().to_vec(),
            _ => Vec::new(),
        }
    }

    /// The name for one message; none where it comes out as no name, or where a macro has no value.
    pub(crate) fn name(&self, values: &Values<'_>) -> Option<Name> {
        match &self.fixed {
            Fixed::Name(name) => Some(name.clone()),
            Fixed::Unusable => None,
            Fixed::No => name_of(&self.expand(values)?),
        }
    }

    /// The name where only the domain matters.
    pub(crate) fn name_for(&self, domain: &Name) -> Option<Name> {
        let ip = std::net::Ipv4Addr::UNSPECIFIED.into();
        self.name(&Values {
            local_part: "",
            sender_domain: "",
            domain,
            ip,
            validated: None,
            helo: "",
            receiver: "",
            time: 0,
        })
    }

    /// The text for one message; none where RFC 8616 §4 says that a macro has no value.
    pub(crate) fn expand(&self, values: &Values<'_>) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(self.text.len() + 32);
        for part in &self.parts {
            match part {
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::Macro(found) => found.expand(values, &mut out)?,
            }
        }
        Some(out)
    }
}

fn push(to: &mut String, text: &str) -> usize {
    to.push_str(text);
    1
}

impl fmt::Display for DomainSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// RFC 7208 §7.1: `domain-end = ( "." toplabel [ "." ] ) / macro-expand`; `tail` is what follows the last macro.
fn ends_as_name(tail: &str, after_macro: bool) -> bool {
    if tail.is_empty() {
        return after_macro;
    }
    let tail = tail.strip_suffix('.').unwrap_or(tail);
    let Some((_, label)) = tail.rsplit_once('.') else {
        return false;
    };
    let bytes = label.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    let inner = bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    let edges = first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric();
    // "toplabel = ( *alphanum ALPHA *alphanum ) / ( 1*alphanum "-" *( alphanum / "-" ) alphanum )"
    inner && edges && bytes.iter().any(|byte| byte.is_ascii_alphabetic() || *byte == b'-')
}

/// The name that bytes spell, cut from the left by whole labels where they are too many.
fn name_of(bytes: &[u8]) -> Option<Name> {
    let mut bytes = bytes.strip_suffix(b".").unwrap_or(bytes);
    while bytes.len() > NAME_CHARACTERS_MAX {
        let dot = bytes.iter().position(|byte| *byte == b'.')?;
        bytes = &bytes[dot + 1..];
    }
    Name::from_dotted(bytes).ok().filter(|name| !name.is_root())
}

impl Macro {
    /// Reads what stands between the braces, with the closing one.
    fn parse(text: &str, purpose: Use) -> Result<Self, Problem> {
        let Some((letter, rest)) = text.strip_suffix('}').and_then(|inner| inner.split_at_checked(1)) else {
            return Err(Problem::MacroForm);
        };
        let letter = letter.as_bytes().first().copied().ok_or(Problem::MacroForm)?;
        let lower = letter.to_ascii_lowercase();
        match lower {
            // RFC 7208 §7.2: "The following macro letters are allowed only in "exp" text".
            b'c' | b'r' | b't' if purpose == Use::Name => return Err(Problem::ExplanationMacro(char::from(letter))),
            b's' | b'l' | b'o' | b'd' | b'i' | b'p' | b'v' | b'h' | b'c' | b'r' | b't' => {}
            _ => return Err(Problem::MacroLetter(char::from(letter))),
        }
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = rest.split_at(digits);
        let keep = match number.trim_start_matches('0') {
            "" if number.is_empty() => 0,
            // RFC 7208 §7.3: "If a DIGIT is specified, the value MUST be nonzero."
            "" => return Err(Problem::MacroZero),
            // More labels than a name can have are all of them.
            number => number.parse().unwrap_or(u16::MAX),
        };
        let (reverse, rest) = match rest.strip_prefix(['r', 'R']) {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let mut delimiters = [false; DELIMITERS.len()];
        for byte in rest.bytes() {
            let at = DELIMITERS.iter().position(|delimiter| *delimiter == byte).ok_or(Problem::MacroForm)?;
            delimiters[at] = true;
        }
        Ok(Self { letter: lower, escape: letter.is_ascii_uppercase(), keep, reverse, delimiters })
    }

    fn expand(&self, values: &Values<'_>, out: &mut Vec<u8>) -> Option<()> {
        let mut value = Vec::new();
        self.value(values, &mut value)?;
        let parted = self.keep > 0 || self.reverse || self.delimiters.contains(&true);
        if parted {
            value = self.transform(&value);
        }
        if self.escape {
            for byte in value {
                // RFC 3986 §2.3: what needs no escape.
                if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                    out.push(byte);
                } else {
                    out.extend_from_slice(format!("%{byte:02X}").as_bytes());
                }
            }
        } else {
            out.append(&mut value);
        }
        Some(())
    }

    fn value(&self, values: &Values<'_>, out: &mut Vec<u8>) -> Option<()> {
        match self.letter {
            // RFC 8616 §4: a term with these macros matches nothing where the local part is not ASCII.
            b's' | b'l' if !values.local_part.is_ascii() => return None,
            b's' => {
                out.extend_from_slice(values.local_part.as_bytes());
                out.push(b'@');
                out.extend_from_slice(values.sender_domain.as_bytes());
            }
            b'l' => out.extend_from_slice(values.local_part.as_bytes()),
            b'o' => out.extend_from_slice(values.sender_domain.as_bytes()),
            b'd' => write_name(values.domain, out),
            b'i' => write_address(values.ip, out),
            // RFC 7208 §7.3: "If there are no validated domain names or if a DNS error occurs, the string "unknown" is used."
            b'p' => match values.validated {
                Some(name) => write_name(name, out),
                None => out.extend_from_slice(b"unknown"),
            },
            b'v' => out.extend_from_slice(if values.ip.is_ipv4() { b"in-addr" } else { b"ip6" }),
            b'h' => out.extend_from_slice(values.helo.as_bytes()),
            b'c' => out.extend_from_slice(values.ip.to_string().as_bytes()),
            b'r' => out.extend_from_slice(values.receiver.as_bytes()),
            _ => out.extend_from_slice(values.time.to_string().as_bytes()),
        }
        Some(())
    }

    /// RFC 7208 §7.3: splits at the delimiters, reverses, keeps so many from the right, joins with dots.
    fn transform(&self, value: &[u8]) -> Vec<u8> {
        let none = !self.delimiters.contains(&true);
        let parts_at = |byte: &u8| {
            let found = DELIMITERS.iter().zip(self.delimiters).any(|(delimiter, on)| on && delimiter == byte);
            found || none && *byte == b'.'
        };
        let mut parts: Vec<&[u8]> = value.split(parts_at).collect();
        if self.reverse {
            parts.reverse();
        }
        let keep = if self.keep == 0 { parts.len() } else { usize::from(self.keep) };
        parts[parts.len().saturating_sub(keep)..].join(&b'.')
    }
}

/// The labels with dots between them, bytes as they are.
pub(crate) fn write_name(name: &Name, out: &mut Vec<u8>) {
    for (at, label) in name.labels().enumerate() {
        if at > 0 {
            out.push(b'.');
        }
        out.extend_from_slice(label);
    }
}

/// RFC 7208 §7.3, `i`: dotted decimal, or the 32 hexadecimal digits of an IPv6 address with dots between them.
pub(crate) fn write_address(ip: std::net::IpAddr, out: &mut Vec<u8>) {
    match ip {
        std::net::IpAddr::V4(ip) => out.extend_from_slice(ip.to_string().as_bytes()),
        std::net::IpAddr::V6(ip) => {
            const HEX: [u8; 16] = *b"0123456789ABCDEF";
            for (at, octet) in ip.octets().into_iter().enumerate() {
                if at > 0 {
                    out.push(b'.');
                }
                out.extend([HEX[usize::from(octet >> 4)], b'.', HEX[usize::from(octet & 15)]]);
            }
        }
    }
}
