//! What stands between `<` and `>`.

use memchr::memchr;

use super::name::Name;
use super::text::is_space;

/// The inside of a start tag, taken apart.
pub(super) struct Tag<'a> {
    /// Up to the first space, with its prefix.
    pub(super) name: &'a [u8],
    pub(super) prefix: Option<&'a [u8]>,
    pub(super) local: &'a [u8],
    /// It ends in `/`.
    pub(super) empty: bool,
    attributes: &'a [u8],
}

impl<'a> Tag<'a> {
    pub(super) fn of(inside: &'a [u8]) -> Self {
        let (inside, empty) = match inside {
            [inside @ .., b'/'] => (inside, true),
            _ => (inside, false),
        };
        let (name, attributes) = inside.split_at(name_len(inside));
        let (prefix, local) = match memchr(b':', name) {
            Some(at) => (Some(&name[..at]), &name[at + 1..]),
            None => (None, name),
        };
        Self { name, prefix, local, empty, attributes }
    }

    /// Whether the element says to be in a namespace that has nothing to do with DMARC.
    /// Reporters misspell the right ones (`http//dmarc.org/…`), so the word alone decides.
    pub(super) fn is_foreign(&self) -> bool {
        attribute(self.attributes, b"xmlns").is_some_and(|uri| !uri.is_empty() && !mentions(uri, b"dmarc"))
    }

    /// The first namespace it names.
    pub(super) fn namespace(&self) -> Option<&'a [u8]> {
        namespaces(self.attributes).next().map(|(_, uri)| uri)
    }

    /// RFC 9990 §3.1.1: the namespace is `urn:ietf:params:xml:ns:dmarc-2.0`.
    pub(super) fn says_rfc9990(&self) -> bool {
        namespaces(self.attributes).any(|(_, uri)| mentions(uri, b"dmarc-2.0"))
    }

    /// The prefixes that the element gives to namespaces of reports, and its own.
    pub(super) fn report_prefixes(&self) -> impl Iterator<Item = &'a [u8]> {
        let named = namespaces(self.attributes).filter(|(_, uri)| mentions(uri, b"dmarc")).map(|(prefix, _)| prefix);
        self.prefix.into_iter().chain(named.filter(|prefix| !prefix.is_empty()))
    }
}

/// The length of the end tag of `name` at the start of `text`, if it is there without any ornament.
#[inline]
pub(super) fn closes(text: &[u8], name: Name) -> Option<usize> {
    let word = name.word().as_bytes();
    let rest = text.strip_prefix(b"</")?.strip_prefix(word)?;
    (*rest.first()? == b'>').then_some(word.len() + 3)
}

/// Whether a name may begin so.
#[inline]
pub(super) fn starts_name(b: u8) -> bool {
    b.is_ascii_alphabetic() || b == b'_' || b == b':' || b >= 0x80
}

/// How long the name at the start of `inside` is.
pub(super) fn name_len(inside: &[u8]) -> usize {
    inside.iter().position(|&b| is_space(b) || matches!(b, b'/' | b'<' | b'>')).unwrap_or(inside.len())
}

/// Where the tag that begins with `text` ends, when a `>` in quotes does not count.
pub(super) fn quoted_end(text: &[u8]) -> Option<usize> {
    let mut quote = None;
    text.iter().position(|&b| {
        match quote {
            Some(open) if open == b => quote = None,
            None if matches!(b, b'"' | b'\'') => quote = Some(b),
            _ => {}
        }
        quote.is_none() && b == b'>'
    })
}

/// The value of the attribute `name`.
pub(super) fn attribute<'a>(attributes: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    pairs(attributes).find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// Namespace declarations: (prefix, URI), the prefix empty for the default one.
fn namespaces(attributes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    pairs(attributes).filter_map(|(key, uri)| match key.strip_prefix(b"xmlns")? {
        [] => Some((&[][..], uri)),
        [b':', prefix @ ..] => Some((prefix, uri)),
        _ => None,
    })
}

/// `name="value"`, as far as they can be read.
fn pairs(mut rest: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let equals = memchr(b'=', rest)?;
        let key = rest[..equals].trim_ascii();
        let value = rest[equals + 1..].trim_ascii_start();
        let quote = *value.first().filter(|b| matches!(b, b'"' | b'\''))?;
        let len = memchr(quote, &value[1..])?;
        rest = &value[len + 2..];
        Some((key, &value[1..=len]))
    })
}

fn mentions(uri: &[u8], word: &[u8]) -> bool {
    uri.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word))
}
