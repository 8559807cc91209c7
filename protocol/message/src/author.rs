//! The verdict on `From`: whose mail a message says it is, or the name of the ambiguity that leaves it open.
//!
//! In: a [`Header`]. Out: one [`Author`] with one author domain, or a [`Refusal`]. Nothing is guessed: where two readers could
//! see two authors, the message has none, and the refusal says which domains were in play, so that who accepts it nevertheless
//! can hold it to the strictest of their policies. `Sender` and `Resent-From` are never looked at.
//!
//! RFC 5322 §3.6.2, §3.4; RFC 9989 §5.3.1 and §11.5 leave the answer to messages without exactly one author domain to the receiver.

use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;
use memchr::memchr_iter;

use crate::domain::{Domain, DomainError};
use crate::fields::{AnomalyKind, Field, Header};
use crate::mailbox::{List, Mailbox, SyntaxError, list};
use crate::unseen::is_invisible;

/// A From field of more bytes than this is refused. Real ones with long encoded names have some hundred.
const FROM_BYTES_MAX: usize = 16 << 10;

/// Author domains that a refusal names: each costs whoever evaluates them a walk through the DNS.
const CANDIDATES_MAX: usize = 10;

/// The one author of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The author domain.
    pub domain: Domain,
    /// The local part, quotes undone; bytes that are not UTF-8 replaced.
    pub local_part: String,
    /// The display name with quotes and encoded words undone, if there is one.
    pub display_name: Option<String>,
    /// What is odd about it without leaving the author in doubt.
    pub flags: Vec<AuthorFlag>,
}

/// What people should know of an author field that is not ambiguous.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AuthorFlag {
    /// The display name or a comment shows an address at another domain.
    DisplayNameAddress,
    /// The display name or a comment has characters that nobody sees, or that turn the direction of writing.
    DisplayNameInvisible,
    /// The display name has brackets or `@` outside quotes.
    UnquotedDisplayName,
    /// Encoded words stand in the list where an address belongs; they are no address.
    StrayEncodedWord,
    /// A source route stood in front of the address; it was passed over.
    SourceRoute,
    /// The local part begins or ends with a dot, or has two in a row.
    IrregularLocalPart,
}

impl AuthorFlag {
    /// The name in logs and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DisplayNameAddress => "display_name_address",
            Self::DisplayNameInvisible => "display_name_invisible",
            Self::UnquotedDisplayName => "unquoted_display_name",
            Self::StrayEncodedWord => "stray_encoded_word",
            Self::SourceRoute => "source_route",
            Self::IrregularLocalPart => "irregular_local_part",
        }
    }
}

/// Why a message has no one author.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{ambiguity}")]
pub struct Refusal {
    /// What leaves the author open.
    pub ambiguity: Ambiguity,
    /// Every domain that some reader could take for the author's, at most ten, each once. Whoever accepts the message must
    /// evaluate each of them and apply the strictest policy that fails.
    pub candidates: Vec<Domain>,
}

/// What can leave the author of a message open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Ambiguity {
    /// No From field.
    #[error("there is no From field; a message must have one")]
    Missing,
    /// Two From fields or more.
    #[error("there is more than one From field; a message must have one")]
    Repeated,
    /// The first line of the message begins with white space.
    #[error("the first line begins with white space, so that readers differ on what it belongs to")]
    FirstLineContinuation,
    /// The header is broken off by a line that is no field.
    #[error("a line that is no header field stands in the header; readers differ on whether it ends there")]
    BrokenHeader,
    /// `From` and its colon are on two lines.
    #[error("the colon of From stands on another line; not every reader sees such a field")]
    FoldedName,
    /// `From :`.
    #[error("white space stands before the colon of From; not every reader sees such a field")]
    SpaceBeforeColon,
    /// A NUL byte in the header.
    #[error("the header has a NUL byte; some readers stop there")]
    Nul,
    /// A CR or LF that stands alone, in From or in front of something that looks like From.
    #[error("a lone CR or LF would make a From field for some readers and not for others")]
    HiddenLine,
    /// The From field is very long.
    #[error("the From field has more than {FROM_BYTES_MAX} bytes")]
    TooLong,
    /// A From field without any address.
    #[error("the From field is empty")]
    Empty,
    /// More than one mailbox.
    #[error("the From field names more than one mailbox; exactly one is accepted")]
    MultipleMailboxes,
    /// Group syntax.
    #[error("the From field holds a group; exactly one mailbox is accepted")]
    Group,
    /// The value is no list of mailboxes.
    #[error("the From field is not a list of mailboxes: {0}")]
    Syntax(SyntaxError),
    /// `a@[192.0.2.1]`.
    #[error("the author's domain is an address in brackets, which has no policy")]
    DomainLiteral,
    /// The domain is none.
    #[error("the author's domain is none: {0}")]
    Domain(DomainError),
}

impl Ambiguity {
    /// The name in logs and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Repeated => "repeated",
            Self::FirstLineContinuation => "first_line_continuation",
            Self::BrokenHeader => "broken_header",
            Self::FoldedName => "folded_name",
            Self::SpaceBeforeColon => "space_before_colon",
            Self::Nul => "nul",
            Self::HiddenLine => "hidden_line",
            Self::TooLong => "too_long",
            Self::Empty => "empty",
            Self::MultipleMailboxes => "multiple_mailboxes",
            Self::Group => "group",
            Self::Syntax(_) => "syntax",
            Self::DomainLiteral => "domain_literal",
            Self::Domain(DomainError::Invisible) => "invisible_character",
            Self::Domain(_) => "invalid_domain",
        }
    }
}

/// The author of a message, or why it has none.
///
/// # Errors
/// The ambiguity, with the domains in play.
pub fn author(header: &Header) -> Result<Author, Refusal> {
    let refuse = |ambiguity| {
        let mut candidates = Vec::new();
        // A From field that only a lone CR or LF makes one stands inside another field.
        let all = if ambiguity == Ambiguity::HiddenLine { header.bytes() } else { &[] };
        for from in hidden_froms(all).chain(header.named("from").map(|field| field.value)) {
            let from = &from[..from.len().min(FROM_BYTES_MAX)];
            domains_in(from, &mut candidates);
        }
        Refusal { ambiguity, candidates }
    };
    let author = whole_header(header).and_then(only_from).and_then(|field| from_value(field.value));
    author.map_err(refuse)
}

/// Is the header one that all readers cut into fields in the same way, as far as From goes?
fn whole_header<'h>(header: &'h Header<'h>) -> Result<&'h Header<'h>, Ambiguity> {
    if header.has(AnomalyKind::Nul) {
        return Err(Ambiguity::Nul);
    }
    if header.has(AnomalyKind::FirstLineContinuation) {
        return Err(Ambiguity::FirstLineContinuation);
    }
    let lone = header.has(AnomalyKind::BareCr) || header.has(AnomalyKind::BareLf);
    if lone && hidden_froms(header.bytes()).next().is_some() {
        return Err(Ambiguity::HiddenLine);
    }
    if header.has(AnomalyKind::MissingColon) || header.has(AnomalyKind::BadName) {
        return Err(Ambiguity::BrokenHeader);
    }
    Ok(header)
}

/// Texts after a lone CR or LF that are a From field to whoever ends lines there.
fn hidden_froms(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lone = move |at: &usize| match header[*at] {
        b'\r' => header.get(at + 1) != Some(&b'\n'),
        _ => *at == 0 || header[at - 1] != b'\r',
    };
    memchr::memchr2_iter(b'\r', b'\n', header).filter(lone).filter_map(move |at| {
        let (name, rest) = header[at + 1..].split_at_checked(4)?;
        let rest = rest.trim_ascii_start();
        let value = rest.strip_prefix(b":").filter(|_| name.eq_ignore_ascii_case(b"from"))?;
        Some(value.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default())
    })
}

fn only_from<'h>(header: &'h Header<'_>) -> Result<Field<'h>, Ambiguity> {
    // RFC 5322 §3.6: From occurs once at least and once at most.
    let mut fields = header.named("from");
    let field = fields.next().ok_or(Ambiguity::Missing)?;
    if fields.next().is_some() {
        return Err(Ambiguity::Repeated);
    }
    match field.raw[field.name.len()..].first() {
        Some(b':') => Ok(field),
        Some(b'\r') => Err(Ambiguity::FoldedName),
        _ if field.raw[field.name.len()..field.raw.len() - field.value.len()].contains(&b'\n') => {
            Err(Ambiguity::FoldedName)
        }
        _ => Err(Ambiguity::SpaceBeforeColon),
    }
}

fn from_value(value: &[u8]) -> Result<Author, Ambiguity> {
    if value.len() > FROM_BYTES_MAX {
        return Err(Ambiguity::TooLong);
    }
    let list = list(value).map_err(Ambiguity::Syntax)?;
    if list.group {
        return Err(Ambiguity::Group);
    }
    match list.mailboxes.as_slice() {
        [] => Err(Ambiguity::Empty),
        [mailbox] => one(mailbox, &list),
        _ => Err(Ambiguity::MultipleMailboxes),
    }
}

fn one(mailbox: &Mailbox<'_>, list: &List<'_>) -> Result<Author, Ambiguity> {
    let domain = Domain::parse(mailbox.domain).map_err(|error| match error {
        DomainError::AddressLiteral => Ambiguity::DomainLiteral,
        other => Ambiguity::Domain(other),
    })?;
    let display = text(&mailbox.display);
    let comments = text(&list.comments);
    let stray: Vec<_> = list.stray_words.iter().map(|word| text(word)).collect();
    let shown = || [&display, &comments].into_iter().chain(&stray);
    let mut addresses = Vec::new();
    shown().for_each(|text| domains_in(text.as_bytes(), &mut addresses));
    let flags = [
        (AuthorFlag::DisplayNameAddress, addresses.iter().any(|shown| *shown != domain)),
        (AuthorFlag::DisplayNameInvisible, shown().any(|text| !text.is_ascii() && text.chars().any(is_invisible))),
        (AuthorFlag::UnquotedDisplayName, mailbox.unquoted),
        (AuthorFlag::StrayEncodedWord, !list.stray_words.is_empty()),
        (AuthorFlag::SourceRoute, mailbox.route),
        (AuthorFlag::IrregularLocalPart, mailbox.irregular_local),
    ];
    let flags = flags.into_iter().filter(|(_, found)| *found).map(|(flag, _)| flag).collect();
    Ok(Author {
        domain,
        local_part: String::from_utf8_lossy(&mailbox.local).into_owned(),
        display_name: Some(display).filter(|text| !text.is_empty()),
        flags,
    })
}

/// Text as a mail program would show it: encoded words (RFC 2047) undone.
fn text(raw: &[u8]) -> String {
    if raw.windows(2).any(|pair| pair == b"=?") {
        // The library takes a value as complete at its line end.
        let line = [raw, b"\n"].concat();
        if let HeaderValue::Text(text) = MessageStream::new(&line).parse_unstructured() {
            return text.into_owned();
        }
    }
    String::from_utf8_lossy(raw).into_owned()
}

/// Collects what stands after each `@` and is a domain name of two labels or more.
fn domains_in(text: &[u8], found: &mut Vec<Domain>) {
    // The full-width and the small sign look like the real one.
    let likenesses: &[&str] = if text.is_ascii() { &[] } else { &["\u{ff20}", "\u{fe6b}"] };
    let signs = memchr_iter(b'@', text).map(|at| at + 1);
    let like = likenesses.iter().flat_map(|sign| memchr::memmem::find_iter(text, sign).map(|at| at + sign.len()));
    for start in signs.chain(like) {
        let rest = &text[start..];
        let fits = |b: u8| b.is_ascii_alphanumeric() || b >= 0x80 || matches!(b, b'-' | b'_' | b'.');
        let end = rest.iter().position(|&b| !fits(b)).unwrap_or(rest.len());
        let Ok(domain) = Domain::parse(&rest[..end]) else { continue };
        if found.len() == CANDIDATES_MAX {
            return;
        }
        if domain.is_multi_label() && !found.contains(&domain) {
            found.push(domain);
        }
    }
}
