//! The mailbox list of a From field, strictly: RFC 5322 §3.4 with the UTF-8 of RFC 6532, and no more.
//!
//! In: the value of the field. Out: its mailboxes, or the place where it stops being a list. Domains come out as bytes; what they
//! are worth is judged in `domain`. Of the obsolete forms of RFC 5322 §4 three are read, because they leave one domain only and
//! real mail has them: a source route in front of the address, dots in an unquoted display name, and dots anywhere in the local
//! part. Brackets and `@` in an unquoted display name are read and flagged. Everything else ends in a refusal.

use std::borrow::Cow;

/// Comments within comments. RFC 5322 sets no limit; nobody reads the second level.
const COMMENT_DEPTH_MAX: usize = 8;

/// Mailboxes read of one field. RFC 5322 sets no limit; more than one is refused anyway, and the rest adds nothing.
const MAILBOXES_MAX: usize = 100;

/// Room for the tokens of most fields: a display name, and an address with a few labels.
const TOKENS_USUAL: usize = 16;

/// Why a value is no mailbox list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub struct SyntaxError {
    /// What was found.
    pub what: &'static str,
    /// Where: bytes from the beginning of the value.
    pub at: usize,
}

/// A mailbox as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Mailbox<'a> {
    /// The words in front of the address, quotes undone.
    pub(crate) display: Cow<'a, [u8]>,
    /// The local part, quotes undone.
    pub(crate) local: Cow<'a, [u8]>,
    /// The domain, or the address literal with its brackets.
    pub(crate) domain: &'a [u8],
    /// The display name has characters in it that only a quoted one may have.
    pub(crate) unquoted: bool,
    /// A source route stood in front.
    pub(crate) route: bool,
    /// The local part has dots where none may be.
    pub(crate) irregular_local: bool,
}

/// What a From field holds.
#[derive(Debug, Default)]
pub(crate) struct List<'a> {
    pub(crate) mailboxes: Vec<Mailbox<'a>>,
    /// Elements of the list that are encoded words and nothing else, as they stand.
    pub(crate) stray_words: Vec<&'a [u8]>,
    /// The text of all comments.
    pub(crate) comments: Vec<u8>,
    /// Whether any group was in it.
    pub(crate) group: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind<'a> {
    Atom(&'a [u8]),
    Quoted(Cow<'a, [u8]>),
    /// `[…]`, brackets included.
    Literal(&'a [u8]),
    Special(u8),
}

#[derive(Debug, Clone)]
struct Token<'a> {
    kind: Kind<'a>,
    at: usize,
    /// White space or a comment stood before it.
    spaced: bool,
}

/// Reads the value of a From field.
pub(crate) fn list(value: &[u8]) -> Result<List<'_>, SyntaxError> {
    let mut list = List::default();
    let tokens = Lexer { value, at: 0 }.tokens(&mut list.comments)?;
    let mut parser = Parser { value, tokens: &tokens, at: 0, list };
    parser.list()?;
    Ok(parser.list)
}

/// RFC 5322 §3.2.3 atext, and the UTF-8 that RFC 6532 §3.2 adds.
const ATEXT: [bool; 256] = {
    let signs = b"!#$%&'*+-/=?^_`{|}~";
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        let [b, ..] = usize::to_le_bytes(byte);
        table[byte] = b.is_ascii_alphanumeric() || b >= 0x80;
        byte += 1;
    }
    let mut at = 0;
    while at < signs.len() {
        table[signs[at] as usize] = true;
        at += 1;
    }
    table
};

pub(crate) fn is_atext(b: u8) -> bool {
    ATEXT[usize::from(b)]
}

struct Lexer<'a> {
    value: &'a [u8],
    at: usize,
}

impl<'a> Lexer<'a> {
    fn tokens(mut self, comments: &mut Vec<u8>) -> Result<Vec<Token<'a>>, SyntaxError> {
        let mut tokens = Vec::with_capacity(TOKENS_USUAL);
        loop {
            let before = self.at;
            self.white(comments)?;
            let (at, spaced) = (self.at, self.at > before);
            let Some(&byte) = self.value.get(at) else { return Ok(tokens) };
            let kind = match byte {
                b'"' => Kind::Quoted(self.quoted()?),
                b'[' => self.literal(),
                b'<' | b'>' | b',' | b';' | b':' | b'@' | b'.' => {
                    self.at += 1;
                    Kind::Special(byte)
                }
                _ if is_atext(byte) => {
                    let rest = &self.value[at..];
                    let end = rest.iter().position(|&b| !is_atext(b)).unwrap_or(rest.len());
                    self.at += end;
                    Kind::Atom(&rest[..end])
                }
                0 => return Err(self.error("a NUL")),
                b'\r' | b'\n' => return Err(self.error("a line end inside the field")),
                b'\\' => return Err(self.error("a backslash outside quotes")),
                _ => return Err(self.error("a character that may not stand there")),
            };
            tokens.push(Token { kind, at, spaced });
        }
    }

    fn error(&self, what: &'static str) -> SyntaxError {
        SyntaxError { what, at: self.at }
    }

    /// Length of folding white space here: a space, a tab, or a CRLF with one of them after it.
    fn folding(&self) -> usize {
        match &self.value[self.at..] {
            [b' ' | b'\t', ..] => 1,
            [b'\r', b'\n', b' ' | b'\t', ..] => 3,
            // The end of the field.
            [b'\r', b'\n'] => 2,
            _ => 0,
        }
    }

    /// RFC 5322 §3.2.2 CFWS.
    fn white(&mut self, comments: &mut Vec<u8>) -> Result<(), SyntaxError> {
        loop {
            match self.folding() {
                0 if self.value.get(self.at) == Some(&b'(') => self.comment(comments)?,
                0 => return Ok(()),
                length => self.at += length,
            }
        }
    }

    fn comment(&mut self, text: &mut Vec<u8>) -> Result<(), SyntaxError> {
        let start = self.at;
        let mut depth = 0;
        loop {
            let folding = self.folding();
            if folding > 0 {
                text.push(b' ');
                self.at += folding;
                continue;
            }
            match self.value.get(self.at) {
                Some(b'(') => depth += 1,
                Some(b')') => depth -= 1,
                Some(b'\\') if self.value.get(self.at + 1).is_some_and(|b| !b.is_ascii_control()) => {
                    text.push(self.value[self.at + 1]);
                    self.at += 1;
                }
                None => return Err(SyntaxError { what: "a comment that does not end", at: start }),
                Some(b'\\' | 0..=31 | 127) => return Err(self.error("a control character in a comment")),
                Some(&byte) => text.push(byte),
            }
            self.at += 1;
            if depth > COMMENT_DEPTH_MAX {
                return Err(self.error("comments too deep inside each other"));
            }
            if depth == 0 {
                text.push(b' ');
                return Ok(());
            }
        }
    }

    fn quoted(&mut self) -> Result<Cow<'a, [u8]>, SyntaxError> {
        let start = self.at;
        self.at += 1;
        // Nearly all stand as they are meant.
        let rest = &self.value[self.at..];
        let plain = rest.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=8 | 10..=31 | 127)).unwrap_or(rest.len());
        self.at += plain;
        if rest.get(plain) == Some(&b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(&rest[..plain]));
        }
        let mut text = rest[..plain].to_vec();
        loop {
            // RFC 5322 §3.2.4: the CRLF of a fold is "semantically "invisible"", the white space is not.
            if self.folding() == 3 {
                self.at += 2;
            }
            match self.value.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(text));
                }
                Some(b'\\') if self.value.get(self.at + 1).is_some_and(|b| *b == b'\t' || !b.is_ascii_control()) => {
                    text.push(self.value[self.at + 1]);
                    self.at += 1;
                }
                None => return Err(SyntaxError { what: "a quoted string that does not end", at: start }),
                Some(b'\r') if self.folding() == 2 => {
                    return Err(SyntaxError { what: "a quoted string that does not end", at: start });
                }
                Some(b'\\' | 0..=8 | 10..=31 | 127) => return Err(self.error("a control character in quotes")),
                Some(&byte) => text.push(byte),
            }
            self.at += 1;
        }
    }

    /// `[` to `]` with nothing in it that could belong to an address; else the bracket alone.
    fn literal(&mut self) -> Kind<'a> {
        let rest = &self.value[self.at..];
        let inner = rest[1..].iter().take_while(|b| is_atext(**b) || matches!(b, b'.' | b':')).count();
        if rest.get(inner + 1) == Some(&b']') {
            self.at += inner + 2;
            Kind::Literal(&rest[..inner + 2])
        } else {
            self.at += 1;
            Kind::Special(b'[')
        }
    }
}

struct Parser<'a, 't> {
    value: &'a [u8],
    tokens: &'t [Token<'a>],
    at: usize,
    list: List<'a>,
}

impl<'a> Parser<'a, '_> {
    fn error(&self, what: &'static str) -> SyntaxError {
        let at = self.tokens.get(self.at).map_or(self.value.len(), |token| token.at);
        SyntaxError { what, at }
    }

    fn special(&self) -> Option<u8> {
        match self.tokens.get(self.at)?.kind {
            Kind::Special(byte) => Some(byte),
            _ => None,
        }
    }

    fn list(&mut self) -> Result<(), SyntaxError> {
        if self.tokens.is_empty() {
            return Ok(());
        }
        loop {
            self.element(false)?;
            match self.special() {
                Some(b',') => self.at += 1,
                None if self.at == self.tokens.len() => return Ok(()),
                _ => return Err(self.error("text after an address")),
            }
        }
    }

    /// A mailbox, a group, or a stray encoded word.
    fn element(&mut self, in_group: bool) -> Result<(), SyntaxError> {
        let start = self.at;
        let rest = &self.tokens[start..];
        let length = rest.iter().take_while(|t| !matches!(t.kind, Kind::Special(b'<' | b',' | b';' | b':'))).count();
        let words = &rest[..length];
        self.at = start + length;
        match self.special() {
            Some(b'<') => {
                let mut mailbox = Mailbox::default();
                Self::phrase(words, &mut mailbox)?;
                self.angle(&mut mailbox)?;
                self.push(mailbox)
            }
            Some(b':') if !in_group => self.group(words),
            Some(b':') => Err(self.error("a group inside a group")),
            _ if self.is_stray_word(words) => {
                self.list.stray_words.push(self.text(words));
                Ok(())
            }
            _ => {
                self.at = start;
                let mut mailbox = Mailbox::default();
                self.addr_spec(words.len(), &mut mailbox)?;
                self.push(mailbox)
            }
        }
    }

    fn push(&mut self, mailbox: Mailbox<'a>) -> Result<(), SyntaxError> {
        if self.list.mailboxes.len() == MAILBOXES_MAX {
            return Err(self.error("more mailboxes than anybody has"));
        }
        self.list.mailboxes.push(mailbox);
        Ok(())
    }

    /// RFC 5322 §3.4 group. RFC 6854 lets it stand in From, where it names nobody or several.
    fn group(&mut self, words: &[Token<'a>]) -> Result<(), SyntaxError> {
        Self::phrase(words, &mut Mailbox::default())?;
        self.list.group = true;
        self.at += 1;
        if self.special() == Some(b';') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.element(true)?;
            self.at += 1;
            match self.tokens.get(self.at - 1).map(|token| &token.kind) {
                Some(Kind::Special(b',')) => {}
                Some(Kind::Special(b';')) => return Ok(()),
                _ => {
                    self.at = (self.at - 1).min(self.tokens.len());
                    return Err(self.error("a group that does not end"));
                }
            }
        }
    }

    /// RFC 2047 §5: an encoded word is no part of an address; alone in the list, it is text that lost its address.
    fn is_stray_word(&self, words: &[Token<'a>]) -> bool {
        let text = self.text(words);
        let plain = words.iter().all(|token| matches!(token.kind, Kind::Atom(_) | Kind::Special(b'.')));
        plain && text.len() > 4 && text.starts_with(b"=?") && text.ends_with(b"?=")
    }

    /// The bytes from the first to the last of these tokens, which are atoms and specials.
    fn text(&self, tokens: &[Token<'a>]) -> &'a [u8] {
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return &[] };
        let length = match &last.kind {
            Kind::Atom(text) | Kind::Literal(text) => text.len(),
            _ => 1,
        };
        &self.value[first.at..last.at + length]
    }

    fn phrase(words: &[Token<'a>], mailbox: &mut Mailbox<'a>) -> Result<(), SyntaxError> {
        match words {
            [] => return Ok(()),
            [Token { kind: Kind::Quoted(text), .. }] => {
                mailbox.display.clone_from(text);
                return Ok(());
            }
            _ => {}
        }
        let display = mailbox.display.to_mut();
        for token in words {
            if token.spaced && !display.is_empty() {
                display.push(b' ');
            }
            match &token.kind {
                Kind::Atom(text) => display.extend_from_slice(text),
                Kind::Quoted(text) => display.extend_from_slice(text),
                // RFC 5322 §4.1 obs-phrase: initials with their dots are in every mailbox.
                Kind::Special(b'.') => display.push(b'.'),
                Kind::Special(b'@') => {
                    mailbox.unquoted = true;
                    display.push(b'@');
                }
                Kind::Literal(text) => {
                    mailbox.unquoted = true;
                    display.extend_from_slice(text);
                }
                Kind::Special(_) => {
                    return Err(SyntaxError { what: "a character that a display name may not have", at: token.at });
                }
            }
        }
        Ok(())
    }

    fn angle(&mut self, mailbox: &mut Mailbox<'a>) -> Result<(), SyntaxError> {
        self.at += 1;
        let length = self.tokens[self.at..].iter().take_while(|t| t.kind != Kind::Special(b'>')).count();
        let inner = &self.tokens[self.at..self.at + length];
        if self.at + length == self.tokens.len() {
            return Err(self.error("an address whose bracket does not close"));
        }
        let mut length = length;
        if let Some(colon) = inner.iter().position(|t| t.kind == Kind::Special(b':')) {
            // RFC 5322 §4.4: "the route portion SHOULD be ignored".
            let is_route = |t: &Token<'_>| matches!(t.kind, Kind::Atom(_) | Kind::Special(b'@' | b'.' | b','));
            let begins = matches!(inner[0].kind, Kind::Special(b'@' | b','));
            if !begins || !inner[..colon].iter().all(is_route) {
                return Err(self.error("a colon inside the brackets"));
            }
            mailbox.route = true;
            self.at += colon + 1;
            length -= colon + 1;
        }
        self.addr_spec(length, mailbox)?;
        self.at += 1;
        Ok(())
    }

    /// RFC 5322 §3.4.1, over exactly `length` tokens.
    fn addr_spec(&mut self, length: usize, mailbox: &mut Mailbox<'a>) -> Result<(), SyntaxError> {
        let tokens = &self.tokens[self.at..self.at + length];
        let Some(sign) = tokens.iter().position(|t| t.kind == Kind::Special(b'@')) else {
            return Err(self.error(if tokens.is_empty() {
                "nothing where an address belongs"
            } else {
                "words without an address"
            }));
        };
        let (local, domain) = (&tokens[..sign], &tokens[sign + 1..]);
        if let [Token { kind: Kind::Quoted(text), .. }] = local {
            mailbox.local.clone_from(text);
        } else {
            let text = self.dotted(local, "a local part that is none")?;
            mailbox.irregular_local =
                text.starts_with(b".") || text.ends_with(b".") || text.windows(2).any(|pair| pair == b"..");
            mailbox.local = Cow::Borrowed(text);
        }
        mailbox.domain = match domain {
            [Token { kind: Kind::Literal(text), .. }] => text,
            _ => self.dotted(domain, "a domain that is none")?,
        };
        self.at += length;
        Ok(())
    }

    /// Atoms and dots with nothing between them.
    fn dotted(&self, tokens: &[Token<'a>], what: &'static str) -> Result<&'a [u8], SyntaxError> {
        let fits = |t: &Token<'_>| matches!(t.kind, Kind::Atom(_) | Kind::Special(b'.'));
        let wrong = tokens.iter().enumerate().find(|(i, token)| !fits(token) || (*i > 0 && token.spaced));
        match wrong {
            Some((_, token)) => Err(SyntaxError { what, at: token.at }),
            None if tokens.is_empty() => Err(self.error(what)),
            None => Ok(self.text(tokens)),
        }
    }
}
