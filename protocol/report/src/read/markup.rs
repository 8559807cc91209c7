//! The XML of a report as a sequence of elements and texts: a scanner that knows the names of a report and forgives what reporters get wrong.
//!
//! In: the window of [`Input`]. Out: [`Token`]s for structure, and whole texts for the elements at the ends of it, borrowed from the window
//! where they say what they are. It is no general XML processor: it resolves no entities beyond XML's five, refuses every declaration, takes
//! prefixes from the root element alone, and does not report attributes. XML 1.0, Namespaces in XML 1.0.

use std::io::BufRead;

use encoding_rs::{Encoding, UTF_8};
use memchr::{memchr, memmem};

use super::flaws::Flaws;
use super::input::{Input, Mark};
use super::limits::Limits;
use super::name::Name;
use super::scan;
use super::tag::{self, Tag};
use super::text::{is_space, plain_len, spaces, trimmed};
use crate::{FlawKind, Rejection, RejectionKind, Text};

/// A piece of structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// A start tag. What follows must be read with `child`, `leaf` or `skip`.
    Open(Name),
    /// An end tag.
    Close(Name),
    /// Text that is not white space; skipped, its beginning is in `scratch`.
    Text,
    /// The end of the input.
    End,
}

/// The scanner.
pub(super) struct Markup<R> {
    pub(super) input: Input<R>,
    /// What was odd so far.
    pub(super) flaws: Flaws,
    /// The root element is in the namespace of RFC 9990.
    pub(super) rfc9990: bool,
    /// The first namespace that the root element names.
    pub(super) namespace: Option<Text>,
    pub(super) encoding: &'static Encoding,
    /// Prefixes that stand for a namespace of reports.
    prefixes: Vec<Box<[u8]>>,
    pub(super) scratch: String,
    /// The element opened last was an empty one: `<p/>`.
    pub(super) empty: bool,
    /// The name of the last unknown tag, with its prefix, and the one being skipped.
    pub(super) unknown: Vec<u8>,
    skipped: Vec<u8>,
    pub(super) field_bytes: usize,
    /// Where the header or the row being read began.
    part_start: u64,
    part_bytes: u64,
    results: usize,
    nesting: usize,
    /// The start of the report has been found.
    pub(super) found: bool,
    /// Elements open around the report, such as an `<xs:schema>`.
    pub(super) surrounding: u64,
}

impl<R: BufRead> Markup<R> {
    pub(super) fn open(input: R, limits: &Limits) -> Result<Self, Rejection> {
        Ok(Self {
            input: Input::open(input, limits)?,
            flaws: Flaws::default(),
            rfc9990: false,
            namespace: None,
            encoding: UTF_8,
            prefixes: Vec::new(),
            scratch: String::new(),
            empty: false,
            unknown: Vec::new(),
            skipped: Vec::new(),
            field_bytes: limits.field_bytes,
            part_start: 0,
            part_bytes: limits.part_bytes,
            results: limits.results,
            nesting: limits.nesting,
            found: false,
            surrounding: 0,
        })
    }

    /// The next element inside `own`; `None` at its end.
    #[inline]
    pub(super) fn child(&mut self, own: Name) -> Result<Option<Name>, Rejection> {
        if std::mem::take(&mut self.empty) {
            return Ok(None);
        }
        loop {
            match self.token()? {
                Token::Open(name) => return Ok(Some(name)),
                Token::Close(name) if name == own => return Ok(None),
                Token::Close(name) => return Err(self.mismatch(own, name)),
                Token::Text => self.flaws.note(FlawKind::StrayText, Some(self.scratch.trim())),
                // All rows are there, only the end of the report is not.
                Token::End if own == Name::Feedback && self.flaws.row > 0 => {
                    self.flaws.note(FlawKind::UnclosedElement, Some(own.word()));
                    return Ok(None);
                }
                Token::End => return Err(self.cut_off(own)),
            }
        }
    }

    /// The text of the element `own`, which was opened last, without white space around it.
    #[inline]
    pub(super) fn leaf(&mut self, own: Name) -> Result<(&str, &mut Flaws), Rejection> {
        if std::mem::take(&mut self.empty) {
            return Ok(("", &mut self.flaws));
        }
        let rest = self.input.rest();
        if let Some(len) = plain_len(rest)
            && let Some(tag_len) = tag::closes(&rest[len..], own)
        {
            let text = self.input.pass(len, len + tag_len);
            // Printable ASCII cannot fail.
            return Ok((str::from_utf8(trimmed(text)).unwrap_or_default(), &mut self.flaws));
        }
        self.cooked_leaf(own)?;
        Ok((self.scratch.trim(), &mut self.flaws))
    }

    /// Notes that the header, or the next row, begins here.
    pub(super) fn begin_part(&mut self) {
        self.part_start = self.input.passed();
    }

    /// Refuses what has grown too large: a list of `count` things, or all of the header or row they are in.
    #[inline]
    pub(super) fn check_room(&self, count: usize, things: &str) -> Result<(), Rejection> {
        if count > self.results {
            let (place, max) = (self.flaws.place(), self.results);
            let message = format!("There are more than the {max} {things} {place} that are allowed.");
            return Err(Rejection::new(RejectionKind::TooManyResults, message));
        }
        if self.is_part_too_long() {
            let (place, max) = (self.flaws.place(), self.part_bytes);
            let message = format!("There is more {place} than the {max} bytes that are allowed.");
            return Err(Rejection::new(RejectionKind::PartTooLong, message));
        }
        Ok(())
    }

    /// Whether the header or row being read has more bytes than allowed.
    #[inline]
    pub(super) fn is_part_too_long(&self) -> bool {
        self.input.passed() - self.part_start > self.part_bytes
    }

    /// Reads over the element that was opened last, whatever is in it.
    pub(super) fn skip(&mut self, own: Name) -> Result<(), Rejection> {
        if std::mem::take(&mut self.empty) {
            return Ok(());
        }
        std::mem::swap(&mut self.unknown, &mut self.skipped);
        let mut depth = 1;
        while depth > 0 {
            match self.token()? {
                Token::Open(_) if std::mem::take(&mut self.empty) => {}
                Token::Open(_) if depth == self.nesting => {
                    return Err(Rejection::new(
                        RejectionKind::TooDeep,
                        format!(
                            "Elements are nested more than {} deep {}, which no report needs.",
                            self.nesting,
                            self.flaws.place()
                        ),
                    ));
                }
                Token::Open(_) => depth += 1,
                Token::Close(name) => {
                    depth -= 1;
                    let same = match (own, name) {
                        (Name::Unknown, Name::Unknown) => self.unknown == self.skipped,
                        // One of our names in another's namespace.
                        (Name::Unknown, name) => self.skipped.ends_with(name.word().as_bytes()),
                        (own, name) => own == name,
                    };
                    if depth == 0 && !same {
                        return Err(self.mismatch(own, name));
                    }
                }
                Token::Text => {}
                Token::End => return Err(self.cut_off(own)),
            }
        }
        Ok(())
    }

    /// The next tag, or text where there is any.
    #[inline]
    pub(super) fn token(&mut self) -> Result<Token, Rejection> {
        loop {
            let rest = self.input.rest();
            match (rest.first(), rest.get(1)) {
                (Some(b'<'), Some(b'/')) => return self.close_tag(),
                (Some(b'<'), Some(b'!')) => {
                    if self.declaration()? {
                        return Ok(Token::Text);
                    }
                }
                (Some(b'<'), Some(b'?')) => self.instruction()?,
                (Some(b'<'), Some(first)) if tag::starts_name(*first) => return self.open_tag(),
                (Some(b'<'), Some(_)) => return self.stray_bracket(),
                (Some(b'<'), None) => {
                    if !self.input.more()? {
                        return self.stray_bracket();
                    }
                }
                (Some(b), _) if is_space(*b) => {
                    let spaces = spaces(rest);
                    self.input.consume(spaces);
                }
                (Some(_), _) => {
                    self.skip_text()?;
                    return Ok(Token::Text);
                }
                (None, _) => {
                    if !self.input.more()? {
                        return Ok(Token::End);
                    }
                }
            }
        }
    }

    fn open_tag(&mut self) -> Result<Token, Rejection> {
        let Some(end) = self.tag_end()? else { return self.stray_bracket() };
        let inside = &self.input.rest()[1..end];
        let name = Name::of(inside);
        if name != Name::Unknown {
            self.input.consume(end + 1);
            return Ok(Token::Open(name));
        }
        // It has attributes, a prefix, no content, or is none of ours.
        let end = self.quoted_tag_end(end)?;
        let tag = Tag::of(&self.input.rest()[1..end]);
        let name = if tag.local == b"feedback" {
            Name::Feedback
        } else if tag.prefix.is_some_and(|prefix| !self.prefixes.iter().any(|ours| **ours == *prefix))
            || tag.is_foreign()
        {
            Name::Unknown
        } else {
            Name::of(tag.local)
        };
        if name == Name::Feedback {
            self.rfc9990 |= tag.says_rfc9990();
            self.namespace = tag.namespace().map(Text::from_utf8_lossy);
            self.prefixes.extend(tag.report_prefixes().map(Box::from));
        }
        self.unknown.clear();
        self.unknown.extend_from_slice(tag.name);
        self.empty = tag.empty;
        self.input.consume(end + 1);
        Ok(Token::Open(name))
    }

    fn close_tag(&mut self) -> Result<Token, Rejection> {
        let Some(end) = self.tag_end()? else { return self.stray_bracket() };
        let inside = trimmed(&self.input.rest()[2..end]);
        let mut name = Name::of(inside);
        if name == Name::Unknown {
            name = self.prefixed(inside);
            self.unknown.clear();
            self.unknown.extend_from_slice(inside);
        }
        self.input.consume(end + 1);
        Ok(Token::Close(name))
    }

    /// The name of an end tag that may have a prefix.
    pub(super) fn prefixed(&self, name: &[u8]) -> Name {
        match memchr(b':', name) {
            Some(at) if self.prefixes.iter().any(|ours| **ours == name[..at]) => Name::of(&name[at + 1..]),
            Some(at) if &name[at + 1..] == b"feedback" => Name::Feedback,
            Some(_) => Name::Unknown,
            None => Name::of(name),
        }
    }

    /// Where the tag that begins here has its first `>`; nowhere if a `<` comes first, which is allowed nowhere in a tag.
    #[inline]
    pub(super) fn tag_end(&mut self) -> Result<Option<usize>, Rejection> {
        loop {
            let rest = self.input.rest();
            if let Some(at) = scan::bracket(&rest[1..]) {
                return Ok((rest[at + 1] == b'>').then_some(at + 1));
            }
            if !self.input.more()? {
                return Err(self.broken("a tag has no end"));
            }
        }
    }

    /// Where the tag that begins here ends, when a `>` in quotes does not count. `end` is where the first `>` is.
    fn quoted_tag_end(&mut self, end: usize) -> Result<usize, Rejection> {
        if !self.input.rest()[..end].iter().any(|b| matches!(b, b'"' | b'\'')) {
            return Ok(end);
        }
        loop {
            if let Some(end) = tag::quoted_end(self.input.rest()) {
                return Ok(end);
            }
            if !self.input.more()? {
                return Err(self.broken("the quotes of an attribute are not closed"));
            }
        }
    }

    /// A comment (false), or CDATA, which is text (true).
    pub(super) fn declaration(&mut self) -> Result<bool, Rejection> {
        self.fill(CDATA.len())?;
        if self.input.rest().starts_with(COMMENT) {
            self.input.consume(COMMENT.len());
            self.skip_past(b"-->")?;
            return Ok(false);
        }
        if self.input.rest().starts_with(CDATA) {
            self.scratch.clear();
            self.scratch.push_str("CDATA");
            self.skip_past(b"]]>")?;
            return Ok(true);
        }
        Err(Rejection::new(
            RejectionKind::Doctype,
            "It has a DOCTYPE or another declaration, which no report needs and attacks on XML readers do. It was not read.",
        ))
    }

    /// Reads over a processing instruction; an XML declaration says which encoding it thinks the bytes have.
    pub(super) fn instruction(&mut self) -> Result<(), Rejection> {
        self.fill(6)?;
        if !matches!(self.input.rest(), [b'<', b'?', b'x', b'm', b'l', space, ..] if is_space(*space)) {
            return self.skip_past(b"?>");
        }
        let Some(end) = self.tag_end()? else { return self.skip_past(b"?>") };
        if let Some(label) = tag::attribute(&self.input.rest()[5..end], b"encoding")
            && self.input.mark == Mark::Absent
        {
            match Encoding::for_label(label) {
                Some(encoding) if encoding.is_ascii_compatible() => self.encoding = encoding,
                // UTF-16 by its label, but bytes say otherwise, or we would not have read the label.
                Some(_) => {}
                None => self.flaws.note(FlawKind::UnknownEncoding, Some(&String::from_utf8_lossy(label))),
            }
        }
        self.input.consume(end + 1);
        Ok(())
    }

    /// Reads over everything up to and including `end`, without keeping it.
    fn skip_past(&mut self, end: &[u8]) -> Result<(), Rejection> {
        loop {
            let rest = self.input.rest();
            if let Some(at) = memmem::find(rest, end) {
                self.input.consume(at + end.len());
                return Ok(());
            }
            // Its beginning may be here already.
            self.input.consume(rest.len().saturating_sub(end.len() - 1));
            if !self.input.more()? {
                return Err(self.broken("a comment, CDATA section or processing instruction has no end"));
            }
        }
    }

    /// Reads over text up to the next tag, without keeping more than its beginning.
    fn skip_text(&mut self) -> Result<(), Rejection> {
        self.fill(SHOWN_BYTES)?;
        let shown = &self.input.rest()[..self.input.rest().len().min(SHOWN_BYTES)];
        let shown = &shown[..memchr(b'<', shown).unwrap_or(shown.len())];
        self.scratch.clear();
        self.scratch.push_str(&String::from_utf8_lossy(shown));
        loop {
            if let Some(len) = memchr(b'<', self.input.rest()) {
                self.input.consume(len);
                return Ok(());
            }
            self.input.consume(self.input.rest().len());
            self.check_found()?;
            if !self.input.more()? {
                return Ok(());
            }
        }
    }

    /// Gets `count` bytes into the window, or as many as there are.
    pub(super) fn fill(&mut self, count: usize) -> Result<(), Rejection> {
        while self.input.rest().len() < count && self.input.more()? {}
        Ok(())
    }

    fn stray_bracket(&mut self) -> Result<Token, Rejection> {
        self.flaws.note(FlawKind::StrayMarkup, None);
        self.input.consume(1);
        self.skip_text()?;
        Ok(Token::Text)
    }
}

/// Bytes of odd text that are shown.
pub(super) const SHOWN_BYTES: usize = 60;
pub(super) const COMMENT: &[u8] = b"<!--";
pub(super) const CDATA: &[u8] = b"<![CDATA[";
