//! Report URIs: where reports are to be sent (RFC 9989 §4.7 `rua`, `ruf`; RFC 3986; RFC 6068 for `mailto`).
//!
//! In: the value of a tag. Out: destinations, and what was wrong with the others. Only `mailto` can be sent to; other schemes are
//! kept as text, since somebody else may know them. Sizes (`!10m`, RFC 7489 §6.4) are read and mean nothing to RFC 9989.

use std::fmt;
use std::ops::Range;

use message::Domain;

use crate::{Finding, Problem};

/// Destinations that are used of one tag. Each is a report sent, and real records have a handful: more would make whoever sends
/// reports a tool for flooding others.
pub(crate) const URIS_MAX: usize = 20;

/// A destination of reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportUri {
    /// The URI as published, without the size.
    pub uri: Box<str>,
    /// The mailbox of a `mailto`; none for schemes that are not supported.
    pub mailbox: Option<Mailbox>,
    /// The largest report that is wanted, in bytes. RFC 9989 §4.7: to be ignored.
    pub size_max: Option<u64>,
}

/// The mailbox of a `mailto` URI, percent signs undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Before the `@`.
    pub local_part: Box<str>,
    /// After it.
    pub domain: Domain,
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local_part, self.domain.as_str())
    }
}

impl fmt::Display for ReportUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.uri)?;
        let Some(size) = self.size_max else { return Ok(()) };
        let units = [(40, "t"), (30, "g"), (20, "m"), (10, "k")];
        match units.into_iter().find(|(bits, _)| size > 0 && size.trailing_zeros() >= *bits) {
            Some((bits, unit)) => write!(f, "!{}{unit}", size >> bits),
            None => write!(f, "!{size}"),
        }
    }
}

/// Reads a list of URIs. `text` stands at `at` in the record.
pub(crate) fn list(tag: &'static str, text: &str, at: usize, findings: &mut Vec<Finding>) -> Vec<ReportUri> {
    let mut uris: Vec<ReportUri> = Vec::new();
    let mut start = at;
    for part in text.split(',') {
        let uri = part.trim_matches([' ', '\t']);
        let lead = part.len() - part.trim_start_matches([' ', '\t']).len();
        let span = start + lead..start + lead + uri.len();
        start += part.len() + 1;
        match one(uri, &span, findings) {
            Ok(_) if uris.len() == URIS_MAX => {
                let problem = Problem::TooManyUris { tag, max: URIS_MAX };
                findings.push(Finding { span, problem });
                break;
            }
            Ok(found) => uris.push(found),
            Err(why) => findings.push(Finding { span, problem: Problem::Uri { found: uri.to_owned(), why } }),
        }
    }
    uris
}

fn one(text: &str, span: &Range<usize>, findings: &mut Vec<Finding>) -> Result<ReportUri, &'static str> {
    let (uri, size_max) = match text.split_once('!') {
        None => (text, None),
        Some((uri, size)) => {
            let sign = span.start + uri.len();
            findings.push(Finding { span: sign..span.end, problem: Problem::UriSize });
            (uri.trim_end_matches([' ', '\t']), bytes(size))
        }
    };
    if uri.is_empty() {
        return Err("it is empty");
    }
    let Some((scheme, rest)) = uri.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else {
        return Err(if uri.contains('@') { "`mailto:` is missing in front" } else { "it is no URI" });
    };
    // RFC 3986 §2: a URI has none of these but percent-encoded.
    if !rest.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b)) {
        return Err("it has a character that must be percent-encoded");
    }
    let uri = uri.into();
    if !scheme.eq_ignore_ascii_case("mailto") {
        // RFC 9989 §4.7: "URIs involving schemes not supported by Mail Receivers MUST be ignored."
        let problem =
            Problem::Uri { found: text.to_owned(), why: "receivers need not support other schemes than mailto" };
        findings.push(Finding { span: span.clone(), problem });
        return Ok(ReportUri { uri, mailbox: None, size_max });
    }
    Ok(ReportUri { uri, mailbox: Some(mailbox(rest)?), size_max })
}

/// RFC 3986 §3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

fn mailbox(rest: &str) -> Result<Mailbox, &'static str> {
    if rest.starts_with("//") {
        return Err("no slashes follow `mailto:`");
    }
    // RFC 6068 §2: header fields after the question mark.
    let to = rest.split_once('?').map_or(rest, |(to, _)| to);
    let decoded = percent_decoded(to).ok_or("a percent sign needs two hexadecimal digits after it")?;
    let (local, domain) = decoded.rsplit_once('@').ok_or("there is no address in it")?;
    let quoted = local.len() > 2 && local.starts_with('"') && local.ends_with('"');
    let plain = !local.is_empty() && !local.contains(|c: char| c == '@' || c == ',' || c == '"' || c.is_whitespace());
    if local.contains(char::is_control) || !(quoted || plain) {
        return Err("it has to name one address, local part and domain");
    }
    let domain = Domain::parse(domain.as_bytes()).map_err(|_| "its domain is none")?;
    Ok(Mailbox { local_part: local.into(), domain })
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit = |b: Option<u8>| char::from(b?).to_digit(16);
        let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
        out.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(out).ok()
}

/// RFC 7489 §6.4: a number, and `k`, `m`, `g` or `t` for powers of 1024. What is none of that is no limit.
fn bytes(size: &str) -> Option<u64> {
    let size = size.trim_matches([' ', '\t']);
    let digits = size.len() - size.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let number: u64 = size[..digits].parse().ok()?;
    let bits = match size[digits..].trim_start().to_ascii_lowercase().as_str() {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return None,
    };
    number.checked_mul(1 << bits)
}
