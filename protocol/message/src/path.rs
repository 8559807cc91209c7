//! The names of the SMTP envelope: MAIL FROM and HELO, as SPF needs them.
//!
//! In: the bytes that the client sent. Out: a [`ReversePath`] or the [`Domain`] of the HELO name, or why there is none. A path that
//! is not valid has no identity: SPF answers `none` for it and never falls back to HELO, which only the null path does.
//! RFC 5321 §4.1.2, §4.1.3; RFC 7208 §2.3, §2.4, §4.3.

use crate::domain::{Domain, DomainError};
use crate::mailbox::is_atext;

/// RFC 5321 §4.5.3.1.3: a path has at most 256 octets. UTF-8 and old source routes get some room.
const PATH_BYTES_MAX: usize = 1024;

/// What stood in MAIL FROM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReversePath {
    /// The client never said it, or the milter was not told.
    Missing,
    /// `<>`. RFC 7208 §2.4: the identity is "postmaster" at the HELO name.
    Null,
    /// A mailbox.
    Mailbox {
        /// The local part as it stands, quotes undone; bytes that are not UTF-8 replaced. Empty where there was nothing before the
        /// `@`: RFC 7208 §4.3 has a word to substitute for it.
        local_part: String,
        /// The domain of the SPF identity.
        domain: Domain,
    },
    /// Something else: no identity.
    Invalid(PathError),
}

/// Why a path or a HELO name gives no identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Longer than any valid one.
    #[error("it has more than {PATH_BYTES_MAX} bytes")]
    TooLong,
    /// NUL or another control character.
    #[error("it has a control character")]
    Control,
    /// Brackets that do not match.
    #[error("its angle brackets do not match")]
    Brackets,
    /// No `@`.
    #[error("it is no mailbox")]
    NoMailbox,
    /// A quoted local part that does not end, or is followed by something else than `@`.
    #[error("its quoted local part does not end before the @")]
    Quotes,
    /// An unquoted local part with something in it that RFC 5321 allows in quotes only.
    #[error("its local part has a character that may stand in quotes only")]
    LocalPart,
    /// The domain is none.
    #[error("{0}")]
    Domain(#[from] DomainError),
    /// RFC 7208 §4.3: a domain that "is not a multi-label domain name" has no result.
    #[error("its domain has one label only")]
    SingleLabel,
}

impl ReversePath {
    /// Reads the path of MAIL FROM, with or without its angle brackets, without parameters; `None` where there was none.
    #[must_use]
    pub fn parse(path: Option<&[u8]>) -> Self {
        let Some(path) = path else { return Self::Missing };
        match mailbox(path) {
            Ok(None) => Self::Null,
            Ok(Some((local_part, domain))) => Self::Mailbox { local_part, domain },
            Err(error) => Self::Invalid(error),
        }
    }

    /// The domain of its mailbox.
    #[must_use]
    pub fn domain(&self) -> Option<&Domain> {
        match self {
            Self::Mailbox { domain, .. } => Some(domain),
            _ => None,
        }
    }
}

/// Reads the name of HELO or EHLO.
///
/// # Errors
/// Whatever makes it no identity: address literals, single labels, empty or overlong labels. RFC 7208 §2.3 tells to ask the DNS for
/// none of them.
pub fn helo(name: &[u8]) -> Result<Domain, PathError> {
    bounded(name)?;
    multi_label(name)
}

fn bounded(bytes: &[u8]) -> Result<(), PathError> {
    if bytes.len() > PATH_BYTES_MAX {
        return Err(PathError::TooLong);
    }
    if bytes.iter().any(u8::is_ascii_control) {
        return Err(PathError::Control);
    }
    Ok(())
}

fn multi_label(name: &[u8]) -> Result<Domain, PathError> {
    let domain = Domain::parse(name)?;
    if domain.is_multi_label() { Ok(domain) } else { Err(PathError::SingleLabel) }
}

fn mailbox(path: &[u8]) -> Result<Option<(String, Domain)>, PathError> {
    bounded(path)?;
    let path = path.trim_ascii();
    let inner = match (path.strip_prefix(b"<"), path.strip_suffix(b">")) {
        (Some(rest), Some(_)) if path.len() > 1 => &rest[..rest.len() - 1],
        (None, None) => path,
        _ => return Err(PathError::Brackets),
    };
    if inner.is_empty() {
        return Ok(None);
    }
    // RFC 5321 §4.1.1.3: receivers "MUST recognize source route syntax but SHOULD strip off the source route specification".
    let route = if inner.starts_with(b"@") { inner.iter().position(|&b| b == b':') } else { None };
    let address = route.map_or(inner, |colon| &inner[colon + 1..]);
    let (local, domain) = cut(address)?;
    Ok(Some((local, multi_label(domain)?)))
}

/// Cuts an address into local part and domain.
fn cut(address: &[u8]) -> Result<(String, &[u8]), PathError> {
    if address.first() == Some(&b'"') {
        let mut local = Vec::new();
        let mut rest = address[1..].iter().copied().enumerate();
        while let Some((at, byte)) = rest.next() {
            match byte {
                b'"' => {
                    let domain = address[at + 2..].strip_prefix(b"@").ok_or(PathError::Quotes)?;
                    return Ok((String::from_utf8_lossy(&local).into_owned(), domain));
                }
                b'\\' => local.push(rest.next().ok_or(PathError::Quotes)?.1),
                _ => local.push(byte),
            }
        }
        return Err(PathError::Quotes);
    }
    // An unquoted local part has no `@`. Where one has it, mail goes to what follows the last: that is the identity.
    let sign = memchr::memrchr(b'@', address).ok_or(PathError::NoMailbox)?;
    let (local, domain) = (&address[..sign], &address[sign + 1..]);
    // A space does no harm, and the public suite of RFC 7208 has one.
    if !local.iter().all(|&b| is_atext(b) || matches!(b, b'.' | b'@' | b' ')) {
        return Err(PathError::LocalPart);
    }
    Ok((String::from_utf8_lossy(local).into_owned(), domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(path: Option<&[u8]>) -> String {
        match ReversePath::parse(path) {
            ReversePath::Missing => "missing".into(),
            ReversePath::Null => "null".into(),
            ReversePath::Mailbox { local_part, domain } => format!("{local_part} at {domain}"),
            ReversePath::Invalid(error) => format!("invalid: {error}"),
        }
    }

    #[test]
    fn mail_from() {
        let cases: &[(&str, Option<&[u8]>, &str)] = &[
            ("E1 a mailbox", Some(b"<any@nx.legit.test>"), "any at nx.legit.test"),
            ("without brackets", Some(b"any@legit.test"), "any at legit.test"),
            (
                "E2 a parenthesis in the local part",
                Some(b"<(any@legit.test>"),
                "invalid: its local part has a character that may stand in quotes only",
            ),
            (
                "E3 a parenthesis in the domain",
                Some(b"<any@legit.test(a.attack.test>"),
                "invalid: the domain name has a character that no name may have",
            ),
            (
                "E4 two signs: the last one counts",
                Some(b"<any@legit.test'@any.attack.test>"),
                "any@legit.test' at any.attack.test",
            ),
            ("E5 a source route", Some(b"<@legit.test,@any.test:'any@attack.test>"), "'any at attack.test"),
            ("E6 the null path", Some(b"<>"), "null"),
            ("the null path, bare", Some(b""), "null"),
            ("E8 never said", None, "missing"),
            ("E11 NUL", Some(b"<any@legit.test\0.attack.test>"), "invalid: it has a control character"),
            ("CR and LF", Some(b"<any@legit.test>\r\nX: y"), "invalid: it has a control character"),
            ("a quoted sign", Some(b"<\"s@attack.test\"@legit.test>"), "s@attack.test at legit.test"),
            (
                "quotes that do not end",
                Some(b"<\"s@attack.test>"),
                "invalid: its quoted local part does not end before the @",
            ),
            (
                "text after the quotes",
                Some(b"<\"s\"x@attack.test>"),
                "invalid: its quoted local part does not end before the @",
            ),
            ("a bracket short", Some(b"<a@legit.test"), "invalid: its angle brackets do not match"),
            ("no domain", Some(b"<postmaster>"), "invalid: it is no mailbox"),
            ("no local part", Some(b"<@legit.test>"), " at legit.test"),
            ("a space", Some(b"<a b@legit.test>"), "a b at legit.test"),
            ("one label", Some(b"<a@localhost>"), "invalid: its domain has one label only"),
            (
                "an address",
                Some(b"<a@[192.0.2.1]>"),
                "invalid: an address in brackets stands where a domain name should",
            ),
            ("a U-label", Some("<a@b\u{fc}cher.test>".as_bytes()), "a at xn--bcher-kva.test"),
            ("8 bits in the local part", Some(b"<\xfc@legit.test>"), "\u{fffd} at legit.test"),
            ("upper case, final dot", Some(b"<A@LEGIT.test.>"), "A at legit.test"),
        ];
        for (why, path, expected) in cases {
            assert_eq!(shown(*path), *expected, "{why}");
        }
        assert_eq!(ReversePath::parse(Some(&[b'a'; 2000])), ReversePath::Invalid(PathError::TooLong));
    }

    #[test]
    fn helo_names() {
        let long = [b"a".repeat(300).as_slice(), b".test"].concat();
        let cases: &[(&str, &[u8], Result<&str, PathError>)] = &[
            ("a name", b"Mail.Legit.test", Ok("mail.legit.test")),
            ("E7 a literal", b"[192.0.2.1]", Err(PathError::Domain(DomainError::AddressLiteral))),
            ("E7 one label", b"localhost", Err(PathError::SingleLabel)),
            ("E7 an empty label", b"a..b", Err(PathError::Domain(DomainError::EmptyLabel))),
            ("E7 300 characters", &long, Err(PathError::Domain(DomainError::TooLong))),
            ("E11 NUL", b"mail\0.legit.test", Err(PathError::Control)),
            ("an injected result", b"a.test; spf=pass", Err(PathError::Domain(DomainError::Character))),
            ("nothing", b"", Err(PathError::Domain(DomainError::Empty))),
        ];
        for (why, name, expected) in cases {
            assert_eq!(helo(name).as_ref().map(Domain::as_str), expected.as_ref().map(|name| *name), "{why}");
        }
    }
}
