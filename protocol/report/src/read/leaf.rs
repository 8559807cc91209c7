//! The rarer texts: with references, comments, CDATA, other encodings, or raw markup in them; and the sentences about broken XML.

use std::io::BufRead;

use memchr::{memchr, memmem};

use super::markup::{CDATA, COMMENT, Markup, SHOWN_BYTES, Token};
use super::name::Name;
use super::tag;
use super::text::{cook, trimmed};
use crate::{FlawKind, Rejection, RejectionKind};

impl<R: BufRead> Markup<R> {
    /// Puts what the element `own` says into `scratch`.
    #[cold]
    pub(super) fn cooked_leaf(&mut self, own: Name) -> Result<(), Rejection> {
        self.scratch.clear();
        loop {
            let Some(len) = memchr(b'<', self.input.rest()) else {
                if self.input.more()? {
                    continue;
                }
                return Err(self.cut_off(own));
            };
            self.append(len, true)?;
            self.fill(CDATA.len())?;
            let rest = self.input.rest();
            if rest.starts_with(b"</") {
                if self.ends_here(own)? {
                    return Ok(());
                }
            } else if rest.starts_with(COMMENT) {
                self.declaration()?;
            } else if rest.starts_with(CDATA) {
                self.append_cdata()?;
            } else if rest.starts_with(b"<!") {
                self.declaration()?;
            } else if rest.starts_with(b"<?") {
                self.instruction()?;
            } else {
                self.raw_bracket(own)?;
            }
        }
    }

    /// Cooks the next `len` bytes onto `scratch`.
    fn append(&mut self, len: usize, references: bool) -> Result<(), Rejection> {
        let raw = self.input.pass(len, len);
        cook(raw, references, self.encoding, &mut self.scratch, &mut self.flaws);
        if self.scratch.len() > self.field_bytes {
            return Err(Rejection::new(
                RejectionKind::FieldTooLong,
                format!(
                    "A text {} is longer than the {} bytes that are allowed.",
                    self.flaws.place(),
                    self.field_bytes
                ),
            ));
        }
        Ok(())
    }

    fn append_cdata(&mut self) -> Result<(), Rejection> {
        self.input.consume(CDATA.len());
        loop {
            if let Some(len) = memmem::find(self.input.rest(), b"]]>") {
                self.append(len, false)?;
                self.input.consume(3);
                return Ok(());
            }
            if !self.input.more()? {
                return Err(self.broken("a CDATA section has no end"));
            }
        }
    }

    /// At an end tag: whether it is that of `own`. That of another known element shows that `own` is never closed;
    /// that of no element is text.
    fn ends_here(&mut self, own: Name) -> Result<bool, Rejection> {
        let Some(end) = self.tag_end()? else {
            self.raw_bracket(own)?;
            return Ok(false);
        };
        let name = self.prefixed(trimmed(&self.input.rest()[2..end]));
        if name == own {
            self.input.consume(end + 1);
            return Ok(true);
        }
        if name != Name::Unknown {
            return Err(self.mismatch(own, name));
        }
        self.raw_bracket(own)?;
        Ok(false)
    }

    /// A `<` inside a text is text, such as `<postmaster@example.com>`, unless a known element begins there.
    fn raw_bracket(&mut self, own: Name) -> Result<(), Rejection> {
        self.fill(SHOWN_BYTES)?;
        let rest = self.input.rest();
        if rest.get(1).is_some_and(|b| tag::starts_name(*b)) {
            let len = tag::name_len(&rest[1..]);
            let inner = self.prefixed(&rest[1..=len]);
            if inner != Name::Unknown {
                let what = format!("<{}> is still open where <{}> begins", own.word(), inner.word());
                return Err(self.broken(&what));
            }
        }
        let shown = &rest[..rest.len().min(SHOWN_BYTES)];
        self.flaws.note(FlawKind::StrayMarkup, Some(&String::from_utf8_lossy(shown)));
        self.append(1, false)
    }

    /// Reads to the end of the input after the report, which may hold anything.
    pub(super) fn drain(&mut self) -> Result<(), Rejection> {
        loop {
            match self.token() {
                Ok(Token::End) => break,
                Ok(Token::Close(_)) if self.surrounding > 0 => {
                    self.surrounding -= 1;
                    continue;
                }
                Ok(Token::Open(Name::Feedback)) => self.flaws.note(FlawKind::SecondReport, None),
                Ok(Token::Text) => self.flaws.note(FlawKind::ContentAfterReport, Some(&self.scratch)),
                Ok(_) => self.flaws.note(FlawKind::ContentAfterReport, None),
                Err(rejection) if is_about_xml(rejection.kind) => self.flaws.note(FlawKind::ContentAfterReport, None),
                Err(rejection) => return Err(rejection),
            }
            self.drop_rest()?;
        }
        if self.surrounding > 0 {
            self.flaws.note(FlawKind::UnclosedElement, None);
        }
        if self.input.replaced {
            self.flaws.note(FlawKind::InvalidUtf8, None);
        }
        Ok(())
    }

    /// Reads over the rest of the input, looking only for another report in it.
    fn drop_rest(&mut self) -> Result<(), Rejection> {
        const START: &[u8] = b"<feedback";
        loop {
            let rest = self.input.rest();
            let found = memmem::find(rest, START);
            let end = found.map_or(rest.len().saturating_sub(START.len() - 1), |at| at + START.len());
            self.input.consume(end);
            if found.is_some() {
                self.flaws.note(FlawKind::SecondReport, None);
            } else if !self.input.more()? {
                self.input.consume(START.len());
                return Ok(());
            }
        }
    }

    /// Finds the start of the report, past a declaration and whatever stands around it.
    pub(super) fn find_report(&mut self) -> Result<(), Rejection> {
        if self.input.mark == super::input::Mark::Guessed {
            self.flaws.note(FlawKind::EncodingWithoutMark, None);
        }
        let spaces = self.input.rest().len() - self.input.rest().trim_ascii_start().len();
        if spaces > 0 && self.input.rest()[spaces..].starts_with(b"<?xml") {
            self.flaws.note(FlawKind::SpaceBeforeDeclaration, None);
        }
        loop {
            match self.token() {
                Ok(Token::Open(Name::Feedback)) => {
                    self.found = true;
                    return Ok(());
                }
                Ok(Token::Open(_)) => {
                    self.surrounding += u64::from(!std::mem::take(&mut self.empty));
                    self.flaws.note(FlawKind::ContentBeforeReport, Some(&String::from_utf8_lossy(&self.unknown)));
                }
                Ok(Token::Close(_)) => self.surrounding = self.surrounding.saturating_sub(1),
                Ok(Token::Text) => self.flaws.note(FlawKind::ContentBeforeReport, Some(&self.scratch)),
                Ok(Token::End) => return Err(no_report()),
                Err(rejection) if rejection.kind == RejectionKind::NotWellFormed => return Err(no_report()),
                Err(rejection) => return Err(rejection),
            }
            self.check_found()?;
        }
    }

    /// Gives up looking for the start of a report where too much has been there that is none.
    pub(super) fn check_found(&self) -> Result<(), Rejection> {
        if !self.found && self.input.passed() > CONTENT_BEFORE_BYTES_MAX { Err(no_report()) } else { Ok(()) }
    }

    pub(super) fn mismatch(&self, open: Name, found: Name) -> Rejection {
        self.broken(&format!("</{}> stands where </{}> should", found.word(), open.word()))
    }

    pub(super) fn cut_off(&self, open: Name) -> Rejection {
        self.broken(&format!("the file ends inside <{}>", open.word()))
    }

    /// A sentence about XML that cannot be read on.
    pub(super) fn broken(&self, what: &str) -> Rejection {
        Rejection::new(
            RejectionKind::NotWellFormed,
            format!(
                "The XML is not well-formed {}: {what}. Ask the reporter for the report again.",
                self.flaws.place()
            ),
        )
    }
}

/// Whether the reason lies in the XML, and not in reading the bytes.
fn is_about_xml(kind: RejectionKind) -> bool {
    matches!(kind, RejectionKind::NotWellFormed | RejectionKind::Doctype | RejectionKind::FieldTooLong)
}

/// Bytes that may stand before the report: a whole schema fits.
const CONTENT_BEFORE_BYTES_MAX: u64 = 256 << 10;

fn no_report() -> Rejection {
    Rejection::new(RejectionKind::NoReport, "There is no <feedback> element in it, so it is no aggregate report.")
}
