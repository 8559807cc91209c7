//! Reading a stranger's Authentication-Results: whatever can be understood, and what was wrong with it.
//!
//! In: the value of a field. Out: [`Results`] and the [`Flaw`]s. Fields in the wild leave out the identifier (Outlook), the kind of
//! a property (`action=none`), or end in a semicolon (Yahoo): they are read. Believing them is another matter. RFC 8601 §2.2.

use crate::lexer::Lexer;
use crate::results::{Method, Property, Results, is_keyword};

/// Bytes of a field that are read. The longest real ones, with some hundred DKIM results, have about 10 KB.
const VALUE_BYTES_MAX: usize = 32 << 10;

/// Methods that are read of one field; a message has at most a hundred signatures that anybody reports.
const METHODS_MAX: usize = 128;

/// Properties that are read of one method; real ones have six.
const PROPERTIES_MAX: usize = 32;

/// What was wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Flaw {
    /// It does not say who says so.
    NoAuthservId,
    /// Who says so is followed by something that is no version.
    AuthservIdRest,
    /// A quoted string or comment does not end.
    Open,
    /// A lone CR or LF, a NUL, or another control character.
    StrangeBytes,
    /// A part that is no `method=result`; it was left out.
    Method,
    /// A property that is none; it was left out.
    Property,
    /// More bytes, methods or properties than are read.
    TooLong,
}

/// Reads the value of a field.
#[must_use]
pub fn parse(value: &[u8]) -> (Results, Vec<Flaw>) {
    let mut reader = Reader { lexer: Lexer::new(value), flaws: Vec::new() };
    if value.len() > VALUE_BYTES_MAX {
        reader.flaws.push(Flaw::TooLong);
        reader.lexer.bytes = &value[..VALUE_BYTES_MAX];
    }
    let results = reader.results();
    let mut flaws = reader.flaws;
    flaws.extend(reader.lexer.open.then_some(Flaw::Open));
    flaws.extend(reader.lexer.strange.then_some(Flaw::StrangeBytes));
    flaws.sort_unstable();
    flaws.dedup();
    (results, flaws)
}

struct Reader<'a> {
    lexer: Lexer<'a>,
    flaws: Vec<Flaw>,
}

impl Reader<'_> {
    fn results(&mut self) -> Results {
        let mut results = Results::default();
        self.lexer.white();
        let start = self.lexer.at;
        let id = self.word(b";=");
        self.lexer.white();
        if matches!(self.lexer.peek(), Some(b'=' | b'/')) {
            // A method stands where the identifier belongs.
            self.flaws.push(Flaw::NoAuthservId);
            self.lexer.at = start;
            self.method_into(&mut results);
        } else {
            results.authserv_id = id.unwrap_or_default();
            if results.authserv_id.is_empty() {
                self.flaws.push(Flaw::NoAuthservId);
            }
            results.version = self.number();
            self.lexer.white();
        }
        if !matches!(self.lexer.peek(), None | Some(b';')) {
            self.flaws.push(Flaw::AuthservIdRest);
            self.skip();
        }
        while self.lexer.take(b';') {
            self.lexer.white();
            self.method_into(&mut results);
        }
        results
    }

    fn method_into(&mut self, results: &mut Results) {
        match self.method() {
            Ok(Some(_)) if results.methods.len() == METHODS_MAX => self.flaws.push(Flaw::TooLong),
            Ok(Some(method)) => results.methods.push(method),
            Ok(None) => {}
            Err(flaw) => self.flaws.push(flaw),
        }
        self.skip();
    }

    /// A method with its result and properties; none where there is only `none` or nothing.
    fn method(&mut self) -> Result<Option<Method>, Flaw> {
        let Some(name) = self.keyword(b";=/") else {
            return if self.lexer.peek().is_none() { Ok(None) } else { Err(Flaw::Method) };
        };
        self.lexer.white();
        let version = if self.lexer.take(b'/') { Some(self.number().ok_or(Flaw::Method)?) } else { None };
        self.lexer.white();
        if !self.lexer.take(b'=') {
            let nothing = name == "none" && matches!(self.lexer.peek(), None | Some(b';'));
            return if nothing { Ok(None) } else { Err(Flaw::Method) };
        }
        self.lexer.white();
        let result = self.keyword(b";").ok_or(Flaw::Method)?;
        let mut method = Method { name, version, result, ..Method::default() };
        loop {
            let comment = self.lexer.white();
            method.comment = method.comment.or(comment);
            if matches!(self.lexer.peek(), None | Some(b';')) {
                return Ok(Some(method));
            }
            let before = self.lexer.at;
            match self.property() {
                Some(found) if found.kind.is_empty() && found.name == "reason" => {
                    method.reason = method.reason.or(Some(found.value));
                }
                Some(_) if method.properties.len() == PROPERTIES_MAX => self.flaws.push(Flaw::TooLong),
                Some(found) => method.properties.push(found),
                None => {
                    self.flaws.push(Flaw::Property);
                    if self.lexer.at == before {
                        self.lexer.at += 1;
                    }
                }
            }
        }
    }

    fn property(&mut self) -> Option<Property> {
        let mut kind = String::new();
        let mut name = self.keyword(b";=.")?;
        self.lexer.white();
        if self.lexer.take(b'.') {
            self.lexer.white();
            kind = std::mem::replace(&mut name, self.keyword(b";=.")?);
            self.lexer.white();
        }
        if !self.lexer.take(b'=') {
            return None;
        }
        self.lexer.white();
        Some(Property { kind, name, value: self.word(b";")? })
    }

    /// A word in lower case, if it is one.
    fn keyword(&mut self, ends: &[u8]) -> Option<String> {
        let text = std::str::from_utf8(self.lexer.run(ends)).ok()?;
        is_keyword(text).then(|| text.to_ascii_lowercase())
    }

    /// A word as it stands or quoted, or both glued together.
    fn word(&mut self, ends: &[u8]) -> Option<String> {
        let mut text = Vec::new();
        let mut any = false;
        loop {
            if self.lexer.peek() == Some(b'"') {
                text.extend(self.lexer.quoted());
                any = true;
                continue;
            }
            let run = self.lexer.run(ends);
            any |= !run.is_empty();
            text.extend_from_slice(run);
            if self.lexer.peek() != Some(b'"') {
                break;
            }
        }
        any.then(|| String::from_utf8_lossy(&text).into_owned())
    }

    fn number(&mut self) -> Option<u32> {
        self.lexer.white();
        let start = self.lexer.at;
        let number = std::str::from_utf8(self.lexer.run(b";=")).ok().and_then(|text| text.parse().ok());
        if number.is_none() {
            self.lexer.at = start;
        }
        number
    }

    /// Goes on to the next semicolon outside quotes and comments, or to the end.
    fn skip(&mut self) {
        loop {
            self.lexer.white();
            match self.lexer.peek() {
                None | Some(b';') => return,
                Some(b'"') => {
                    self.lexer.quoted();
                }
                Some(_) => {
                    self.lexer.run(b";");
                }
            }
        }
    }
}
