//! SPF text to a record, strictly: the whole text is in order, or there is no record (RFC 7208 §4.5, §4.6, §12).
//!
//! In: the bytes of one TXT record. Out: a [`Record`], or every mistake with its place. RFC 7208 §4.6: "if there are any syntax errors
//! anywhere in the record, `check_host()` returns immediately with the result "permerror", without further interpretation or evaluation."

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::error::Octet;
use crate::spec::Use;
use crate::{DomainSpec, DualPrefix, Mechanism, Problem, Qualifier, Record, Span, SyntaxError, Term, TermKind};

/// Mistakes that are reported for one record: enough to repair it, bounded for hostile ones.
const ERRORS_MAX: usize = 16;

/// RFC 7208 §4.5: "discard records that do not begin with a version section of exactly "v=spf1"", which "is terminated by either an SP
/// character or the end of the record". Its case does not matter: ABNF strings have none (RFC 5234 §2.3).
#[must_use]
pub fn is_spf(text: &[u8]) -> bool {
    text.get(..6).is_some_and(|version| version.eq_ignore_ascii_case(b"v=spf1"))
        && matches!(text.get(6), None | Some(b' '))
}

impl Record {
    /// Reads a record.
    ///
    /// # Errors
    /// Every mistake in it, up to sixteen.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, Vec<SyntaxError>> {
        let bytes = text.as_ref();
        if !is_spf(bytes) {
            return Err(vec![SyntaxError { span: Span::new(0, bytes.len().min(6)), problem: Problem::Version }]);
        }
        let mut errors: Vec<SyntaxError> = Vec::new();
        let text = std::str::from_utf8(bytes).ok().filter(|_| bytes.iter().all(|byte| (b' '..=b'~').contains(byte)));
        let Some(text) = text else {
            let bad = bytes.iter().enumerate().filter(|(_, byte)| !(b' '..=b'~').contains(*byte));
            let errors =
                bad.map(|(at, byte)| SyntaxError { span: Span::new(at, at + 1), problem: Problem::Byte(Octet(*byte)) });
            return Err(errors.take(ERRORS_MAX).collect());
        };
        let mut terms = Vec::with_capacity(text.len() / 16);
        let (mut redirect, mut explanation, mut has_all) = (None, None, false);
        let mut at = 6;
        for word in text[6..].split(' ') {
            let (start, end) = (at, at + word.len());
            at = end + 1;
            if word.is_empty() {
                continue;
            }
            let span = Span::new(start, end);
            let index = u16::try_from(terms.len()).unwrap_or(u16::MAX);
            let kind = term(word, start).and_then(|kind| {
                // RFC 7208 §6: "These two modifiers MUST NOT appear in a record more than once each."
                let (name, slot) = match &kind {
                    TermKind::Redirect(_) => ("redirect", &mut redirect),
                    TermKind::Explanation(_) => ("exp", &mut explanation),
                    TermKind::Directive(_, Mechanism::All) => {
                        has_all = true;
                        return Ok(kind);
                    }
                    _ => return Ok(kind),
                };
                match slot.replace(index) {
                    Some(_) => Err(SyntaxError { span, problem: Problem::Twice(name) }),
                    None => Ok(kind),
                }
            });
            match kind {
                Ok(kind) => terms.push(Term { span, kind }),
                Err(error) => errors.push(error),
            }
            if errors.len() == ERRORS_MAX {
                break;
            }
        }
        if errors.is_empty() {
            Ok(Self { text: text.into(), terms: terms.into(), redirect, explanation, has_all })
        } else {
            Err(errors)
        }
    }
}

/// One term, which stands at `offset`.
fn term(word: &str, offset: usize) -> Result<TermKind, SyntaxError> {
    let error =
        |start: usize, end: usize, problem| SyntaxError { span: Span::new(offset + start, offset + end), problem };
    if let Some((name, value)) = modifier(word) {
        let from = offset + name.len() + 1;
        let spec = |known: &'static str| {
            if value.is_empty() {
                return Err(error(0, word.len(), Problem::NameMissing(known)));
            }
            DomainSpec::parse(value, from, Use::Name).map(Box::new)
        };
        return if name.eq_ignore_ascii_case("redirect") {
            spec("redirect=").map(TermKind::Redirect)
        } else if name.eq_ignore_ascii_case("exp") {
            spec("exp=").map(TermKind::Explanation)
        } else {
            DomainSpec::parse(value, from, Use::Modifier)
                .map(|_| TermKind::Unknown { name: name.into(), value: value.into() })
        };
    }
    let qualifier = match word.as_bytes().first() {
        Some(b'+') => Some(Qualifier::Pass),
        Some(b'-') => Some(Qualifier::Fail),
        Some(b'~') => Some(Qualifier::SoftFail),
        Some(b'?') => Some(Qualifier::Neutral),
        _ => None,
    };
    let skipped = usize::from(qualifier.is_some());
    if skipped > 0 && modifier(&word[1..]).is_some() {
        let sign = word.chars().next().unwrap_or_default();
        return Err(error(0, 1, Problem::QualifiedModifier(sign)));
    }
    let mechanism = mechanism(&word[skipped..], offset + skipped)?;
    Ok(TermKind::Directive(qualifier.unwrap_or(Qualifier::Pass), mechanism))
}

/// RFC 7208 §12: `name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )`, before `=`.
fn modifier(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let mut bytes = name.bytes();
    let first = bytes.next()?.is_ascii_alphabetic();
    (first && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))).then_some((name, value))
}

/// A mechanism without its qualifier.
fn mechanism(word: &str, offset: usize) -> Result<Mechanism, SyntaxError> {
    let error =
        |start: usize, end: usize, problem| SyntaxError { span: Span::new(offset + start, offset + end), problem };
    let length = word.find([':', '/']).unwrap_or(word.len());
    let (name, rest) = word.split_at(length);
    let after_colon = rest.strip_prefix(':');
    let named = |known: &'static str| match after_colon {
        None | Some("") => Err(error(0, word.len(), Problem::NameMissing(known))),
        Some(text) => DomainSpec::parse(text, offset + length + 1, Use::Name).map(Box::new),
    };
    let lower = name.to_ascii_lowercase();
    Ok(match lower.as_str() {
        "all" if rest.is_empty() => Mechanism::All,
        "all" => return Err(error(length, word.len(), Problem::AllArgument)),
        "include" => Mechanism::Include(named("include:")?),
        "exists" => Mechanism::Exists(named("exists:")?),
        "ptr" if rest.is_empty() => Mechanism::Ptr(None),
        "ptr" => Mechanism::Ptr(Some(named("ptr:")?)),
        "a" | "mx" => {
            let (target, prefix) = dual_prefix(rest, offset + length)?;
            let spec = match target.strip_prefix(':') {
                Some("") => {
                    return Err(error(0, word.len(), Problem::NameMissing(if lower == "a" { "a:" } else { "mx:" })));
                }
                Some(text) => Some(Box::new(DomainSpec::parse(text, offset + length + 1, Use::Name)?)),
                None if target.is_empty() => None,
                None => {
                    return Err(error(length, word.len(), Problem::Prefix { found: target[1..].to_owned(), max: 32 }));
                }
            };
            if lower == "a" { Mechanism::A(spec, prefix) } else { Mechanism::Mx(spec, prefix) }
        }
        "ip4" => {
            let (address, prefix) = network(after_colon.unwrap_or_default(), offset + length + 1, 32)?;
            let parsed: Result<Ipv4Addr, _> = address.parse();
            let problem = || Problem::Address { family: "IPv4", found: address.to_owned() };
            Mechanism::Ip4(parsed.map_err(|_| error(0, word.len(), problem()))?, prefix)
        }
        "ip6" => {
            let (address, prefix) = network(after_colon.unwrap_or_default(), offset + length + 1, 128)?;
            let parsed: Result<Ipv6Addr, _> = address.parse();
            let problem = || Problem::Address { family: "IPv6", found: address.to_owned() };
            Mechanism::Ip6(parsed.map_err(|_| error(0, word.len(), problem()))?, prefix)
        }
        _ => return Err(error(0, length.max(1).min(word.len()), Problem::Mechanism(name.to_owned()))),
    })
}

/// An address and its prefix length, which stand at `offset`.
fn network(text: &str, offset: usize, max: u8) -> Result<(&str, u8), SyntaxError> {
    match text.split_once('/') {
        None => Ok((text, max)),
        Some((address, digits)) => Ok((address, prefix(digits, offset + address.len() + 1, max)?)),
    }
}

/// RFC 7208 §5.6: `"/" ("0" / %x31-39 0*1DIGIT)`: no leading zeros, in range.
fn prefix(digits: &str, offset: usize, max: u8) -> Result<u8, SyntaxError> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    digits.parse().ok().filter(|prefix| plain && *prefix <= max).ok_or_else(|| SyntaxError {
        span: Span::new(offset.saturating_sub(1), offset + digits.len()),
        problem: Problem::Prefix { found: digits.to_owned(), max },
    })
}

/// Takes `/24`, `//64` or `/24//64` off the end; what is left is the target with its colon.
fn dual_prefix(text: &str, offset: usize) -> Result<(&str, DualPrefix), SyntaxError> {
    let mut rest = text;
    let mut found = DualPrefix::default();
    // Behind the last slash stand digits alone, or it belongs to the name: `a:%{d}/24.example.com`.
    let digits_behind = |text: &str| {
        let at = text.rfind('/')?;
        (at + 1 < text.len() && text[at + 1..].bytes().all(|byte| byte.is_ascii_digit())).then_some(at)
    };
    if let Some(at) = digits_behind(rest)
        && let Some(before) = rest[..at].strip_suffix('/')
    {
        found.v6 = prefix(&rest[at + 1..], offset + at + 1, 128)?;
        rest = before;
    }
    if let Some(at) = digits_behind(rest) {
        found.v4 = prefix(&rest[at + 1..], offset + at + 1, 32)?;
        rest = &rest[..at];
    }
    Ok((rest, found))
}
