//! Which fields of a message from outside claim to be ours, and must go before anybody behind the border believes them.
//!
//! In: the fields of a message, top to bottom, and our names. Out: the positions of the forged ones, last to first, so that taking
//! one out moves none of the others: counting from the front removed the wrong ones once (CVE-2022-48521). RFC 8601 §5: border
//! servers "MUST delete" such fields.

use std::collections::HashMap;

use crate::lexer::Lexer;
use crate::parse::{Flaw, parse};

/// Our own names: what stands first in our Authentication-Results.
#[derive(Debug, Clone)]
pub struct OurIds {
    /// A-labels, lower case, no final dot.
    ids: Vec<String>,
    /// The same with U-labels, where they differ.
    unicode: Vec<String>,
    /// Names of fields that are believed inside and are never anybody else's, lower case.
    private_fields: Vec<String>,
}

/// A field to be taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removal {
    /// Its place among all fields, from 0.
    pub index: usize,
    /// Its place among the fields of the same name, from 1, as milters count.
    pub ordinal: usize,
    /// What it claims.
    pub claim: Claim,
}

/// What a forged field claims to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claim {
    /// Our Authentication-Results.
    AuthenticationResults,
    /// Our ARC-Authentication-Results. A chain that we sealed ourselves, on a message that comes back, has it by right: keep it
    /// where the chain validates.
    ArcAuthenticationResults,
    /// What our SPF or DMARC filter wrote: Received-SPF or DMARC-Filter with our name in it.
    Filter,
    /// A field that is believed inside by its name alone.
    Private,
    /// One of these, on a line that only a lone CR or LF makes one.
    HiddenLine,
}

impl OurIds {
    /// Our identifiers, and the names of fields that only we write.
    #[must_use]
    pub fn new<'a>(ids: impl IntoIterator<Item = &'a str>, private_fields: &[&str]) -> Self {
        let ids: Vec<_> = ids.into_iter().map(canonical).filter(|id| !id.is_empty()).collect();
        let unicode = ids.iter().map(|id| idna::domain_to_unicode(id).0).filter(|id| !ids.contains(id)).collect();
        let private_fields = private_fields.iter().map(|name| name.to_ascii_lowercase()).collect();
        Self { ids, unicode, private_fields }
    }

    /// Whether a field of the syntax of Authentication-Results says that we wrote it, or could be read so.
    #[must_use]
    pub fn claimed_by(&self, value: &[u8]) -> bool {
        let (results, flaws) = parse(value);
        let id = canonical(&results.authserv_id);
        // RFC 8601 §5: so are others "within its trust boundary".
        let is_ours =
            |ours: &String| id.strip_suffix(ours.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        if self.ids.iter().any(is_ours) {
            return true;
        }
        // Not every reader stops where this one stops: a field that breaks the rules must not have our name in it anywhere.
        let clear =
            !results.authserv_id.is_empty() && flaws.iter().all(|flaw| matches!(flaw, Flaw::Method | Flaw::Property));
        let plain = results.authserv_id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
        !(clear && plain) && self.named_in(value)
    }

    /// Whether one of our names stands somewhere in a text, whatever is strewn into it.
    fn named_in(&self, value: &[u8]) -> bool {
        let (mut whole, mut bare, mut depth) = (Vec::new(), Vec::new(), 0_usize);
        for &byte in value {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | 0 | b'\\' | b'"' => continue,
                b'(' => depth += 1,
                b')' => depth = depth.saturating_sub(1),
                _ if depth == 0 => bare.push(byte),
                _ => {}
            }
            whole.push(byte);
        }
        [whole, bare].iter().any(|text| {
            let text = String::from_utf8_lossy(text).to_lowercase();
            self.ids.iter().chain(&self.unicode).any(|ours| text.contains(ours.as_str()))
        })
    }

    /// What a field of this name would claim to be.
    fn kind(&self, name: &[u8]) -> Option<Claim> {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if self.private_fields.iter().any(|private| is(private)) {
            Some(Claim::Private)
        } else if is("authentication-results") {
            Some(Claim::AuthenticationResults)
        } else if is("arc-authentication-results") {
            Some(Claim::ArcAuthenticationResults)
        } else if is("received-spf") || is("dmarc-filter") {
            Some(Claim::Filter)
        } else {
            None
        }
    }

    fn claim(&self, name: &[u8], value: &[u8]) -> Option<Claim> {
        let claim = self.kind(name)?;
        let ours = match claim {
            Claim::AuthenticationResults => self.claimed_by(value),
            Claim::ArcAuthenticationResults => self.claimed_by(after_instance(value)),
            Claim::Filter => self.named_in(value),
            Claim::Private | Claim::HiddenLine => true,
        };
        ours.then_some(claim)
    }

    /// Whether a lone CR or LF makes a line of this value one of those fields, with our name in it.
    fn hides_claim(&self, value: &[u8]) -> bool {
        let body = value.strip_suffix(b"\r\n").unwrap_or(value);
        let mut lines = body.split(|b| matches!(b, b'\r' | b'\n'));
        lines.next();
        let mut kinds = lines.filter_map(|line| {
            let colon = memchr::memchr(b':', line)?;
            self.kind(line[..colon].trim_ascii_end())
        });
        kinds.any(|kind| kind == Claim::Private || self.named_in(value))
    }
}

/// The fields that claim to be ours, last to first.
///
/// `fields` are name and value of each field, top to bottom, with or without white space around.
#[must_use]
pub fn forged<'a>(fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>, ours: &OurIds) -> Vec<Removal> {
    let mut removals = Vec::new();
    let mut seen: HashMap<Vec<u8>, usize> = HashMap::new();
    for (index, (name, value)) in fields.into_iter().enumerate() {
        let name = name.trim_ascii_end();
        let ordinal = seen.entry(name.to_ascii_lowercase()).or_default();
        *ordinal += 1;
        let claim = ours.claim(name, value).or_else(|| ours.hides_claim(value).then_some(Claim::HiddenLine));
        removals.extend(claim.map(|claim| Removal { index, ordinal: *ordinal, claim }));
    }
    removals.reverse();
    removals
}

/// RFC 8617 §4.1.1: ARC-Authentication-Results begins with `i=N;`.
fn after_instance(value: &[u8]) -> &[u8] {
    let mut lexer = Lexer::new(value);
    lexer.white();
    let instance = lexer.run(b";");
    lexer.white();
    if instance.first().is_some_and(|b| b.eq_ignore_ascii_case(&b'i')) && lexer.take(b';') {
        &value[lexer.at..]
    } else {
        value
    }
}

/// A name as it is compared: A-labels, lower case, no final dots.
fn canonical(id: &str) -> String {
    let id = id.trim().trim_end_matches('.');
    idna::domain_to_ascii(id).unwrap_or_else(|_| id.to_lowercase())
}
