//! Who is asked about: the client, its HELO name, and the reverse-path, each judged once (RFC 7208 §2.3, §2.4, §4.3).
//!
//! In: what the SMTP session said, as text. Out: a domain and a local part, or why there is none. What is no mailbox is never read as
//! some other mailbox, and never as the null reverse-path.

use std::net::IpAddr;

use dns::Name;
use thiserror::Error;

/// The SMTP client, and what macros may say about the session.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    /// Its address; an IPv4-mapped IPv6 address is the IPv4 address.
    pub ip: IpAddr,
    /// The argument of HELO or EHLO, as it was given.
    pub helo: &'a str,
    /// The host that checks, for `%{r}`.
    pub receiver: &'a str,
    /// Seconds since 1970, for `%{t}`.
    pub time: u64,
}

impl<'a> Client<'a> {
    /// A client as a host without a name sees it, at no time: both are used by explanations only.
    #[must_use]
    pub const fn new(ip: IpAddr, helo: &'a str) -> Self {
        Self { ip, helo, receiver: "unknown", time: 0 }
    }
}

/// Which of the session's names is checked (RFC 7208 §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Identity {
    /// The reverse-path of MAIL FROM; where it is null, `postmaster` at the HELO name.
    MailFrom,
    /// The HELO name.
    Helo,
}

impl Identity {
    /// As in aggregate reports and `Authentication-Results`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MailFrom => "mailfrom",
            Self::Helo => "helo",
        }
    }
}

/// The argument of MAIL FROM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReversePath<'a> {
    /// `<>`, or nothing.
    Null,
    /// A mailbox.
    Mailbox {
        /// Before the last `@`; may be empty.
        local_part: &'a str,
        /// Behind it.
        domain: &'a str,
    },
}

/// Why SPF has nothing to ask about: the result is none (RFC 7208 §4.3), and DNS is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum NoDomain {
    /// The reverse-path is no mailbox.
    #[error("the local part of the reverse-path has a character that stands for itself only within quotes")]
    LocalPart,
    /// A control character, NUL among them.
    #[error("a control character in the name")]
    Control,
    /// Nothing there.
    #[error("the name is empty")]
    Empty,
    /// `[192.0.2.1]`.
    #[error("an address literal is no domain")]
    Literal,
    /// Not of letters, digits, hyphens and underscores.
    #[error("a character that no mail domain has")]
    Character,
    /// A U-label without an A-label.
    #[error("no valid internationalised name")]
    Idna,
    /// An empty or too long label, or too many octets.
    #[error("an empty label, or one or the whole too long")]
    Label,
    /// RFC 7208 §4.3: "or is not a multi-label domain name".
    #[error("only one label")]
    SingleLabel,
    /// The last label is a number.
    #[error("the last label is a number, which no top-level domain is")]
    Number,
}

impl<'a> ReversePath<'a> {
    /// Reads the argument of MAIL FROM, with or without its angle brackets.
    ///
    /// # Errors
    /// Where it is neither null nor a mailbox. It must not be taken for null then: that would let the HELO name speak for it.
    pub fn parse(text: &'a str) -> Result<Self, NoDomain> {
        let text = text.trim_matches([' ', '\t']);
        let text = text.strip_prefix('<').and_then(|inner| inner.strip_suffix('>')).unwrap_or(text);
        if text.is_empty() {
            return Ok(Self::Null);
        }
        if text.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(NoDomain::Control);
        }
        // RFC 5321 §3.3, Appendix C: source routes are deprecated and say nothing about the mailbox.
        let text = match text.strip_prefix('@').and_then(|route| route.split_once(':')) {
            Some((route, mailbox)) if route.split(',').all(|hop| !hop.contains('"')) => mailbox,
            _ => text,
        };
        // A quoted local part may hold an `@`; a domain may not, so the last one parts them.
        let (local_part, domain) = text.rsplit_once('@').unwrap_or(("", text));
        if !is_local_part(local_part) {
            return Err(NoDomain::LocalPart);
        }
        Ok(Self::Mailbox { local_part, domain })
    }
}

/// RFC 5321 §4.1.2, read leniently: spaces and a second `@` are seen in mail and do no harm, but specials outside quotes are how one
/// program is made to see another mailbox than the next.
fn is_local_part(text: &str) -> bool {
    if let Some(inner) = text.strip_prefix('"') {
        let Some(inner) = inner.strip_suffix('"') else { return false };
        let mut escaped = false;
        let inside = inner.chars().all(|c| {
            let fine = escaped || c != '"';
            escaped = !escaped && c == '\\';
            fine
        });
        return inside && !escaped;
    }
    !text.contains(['(', ')', '<', '>', '[', ']', ':', ';', ',', '\\', '"'])
}

/// The domain to ask about. RFC 7208 §4.3: "If the <domain> is malformed … or is not a multi-label domain name, … `check_host()`
/// immediately returns the result "none"."
pub(crate) fn domain(text: &str) -> Result<Name, NoDomain> {
    if text.is_empty() {
        return Err(NoDomain::Empty);
    }
    if text.starts_with('[') {
        return Err(NoDomain::Literal);
    }
    let name = if text.is_ascii() {
        // Underscores are no letters of a host name, but domains that send mail have them.
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        match text.bytes().find(|byte| !is_letter(*byte)) {
            Some(byte) if byte.is_ascii_control() => return Err(NoDomain::Control),
            Some(_) => return Err(NoDomain::Character),
            None => Name::from_dotted(text.as_bytes()).map_err(|_| NoDomain::Label)?,
        }
    } else {
        // RFC 7208 §4.3: "Internationalized domain names MUST be encoded as A-labels".
        let name = Name::from_unicode(text).map_err(|_| NoDomain::Idna)?;
        let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !name.labels().flatten().all(is_letter) {
            return Err(NoDomain::Character);
        }
        name
    };
    let (count, last) = name.labels().fold((0, &[][..]), |(count, _), label| (count + 1, label));
    match count {
        0 => Err(NoDomain::Empty),
        1 => Err(NoDomain::SingleLabel),
        _ if last.iter().all(u8::is_ascii_digit) => Err(NoDomain::Number),
        _ => Ok(name),
    }
}
