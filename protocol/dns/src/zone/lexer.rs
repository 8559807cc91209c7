//! Master-file text as entries of words (RFC 1035 §5.1): comments gone, parentheses joined over lines, places kept.
//!
//! In: text. Out: one entry at a time, each word with the bytes it stands at. Not: what the words mean.

use std::ops::Range;

use super::error::{Problem, ZoneError};

/// One word, or one string in quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word<'a> {
    /// As it stands there: escapes not resolved, quotes taken off.
    pub(super) text: &'a str,
    pub(super) quoted: bool,
    /// In bytes of the whole text, with the quotes.
    pub(super) span: Range<usize>,
}

/// What stands on one line, or on several that parentheses join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) words: Vec<Word<'a>>,
    /// It begins with a blank: the owner is that of the entry before.
    pub(super) indented: bool,
    /// It is a comment that begins with `;@`.
    pub(super) directive: bool,
    /// Of its first byte.
    pub(super) start: usize,
}

/// Reads entries from text.
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        // Editors of some systems put a byte order mark there.
        Self { text, at: if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 } }
    }

    /// The next entry that has words; none at the end.
    pub(super) fn entry(&mut self) -> Result<Option<Entry<'a>>, ZoneError> {
        while self.at < self.text.len() {
            let entry = self.line()?;
            if !entry.words.is_empty() {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    fn line(&mut self) -> Result<Entry<'a>, ZoneError> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut entry =
            Entry { words: Vec::new(), indented: matches!(bytes[start], b' ' | b'\t'), directive: false, start };
        let mut opened: Option<usize> = None;
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b'\n' => {
                    self.at += 1;
                    if opened.is_none() {
                        return Ok(entry);
                    }
                }
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'(' if opened.is_some() => return Err(self.error(self.at..self.at + 1, Problem::NestedParenthesis)),
                b'(' => {
                    opened = Some(self.at);
                    self.at += 1;
                }
                b')' if opened.is_none() => return Err(self.error(self.at..self.at + 1, Problem::StrayParenthesis)),
                b')' => {
                    opened = None;
                    self.at += 1;
                }
                b';' if bytes[self.at..].starts_with(b";@") => {
                    if opened.is_some() || !entry.words.is_empty() {
                        return Err(self.error(self.at..self.at + 2, Problem::DirectiveInside));
                    }
                    self.at += 2;
                    entry.directive = true;
                }
                b';' => self.at = self.end_of_line(),
                b'"' => {
                    let word = self.quoted()?;
                    entry.words.push(word);
                }
                _ => {
                    let word = self.bare();
                    entry.words.push(word);
                }
            }
        }
        match opened {
            Some(at) => Err(self.error(at..at + 1, Problem::UnclosedParenthesis)),
            None => Ok(entry),
        }
    }

    fn end_of_line(&self) -> usize {
        self.text[self.at..].find('\n').map_or(self.text.len(), |length| self.at + length)
    }

    fn quoted(&mut self) -> Result<Word<'a>, ZoneError> {
        let (start, end) = (self.at, self.end_of_line());
        let bytes = self.text.as_bytes();
        let mut at = start + 1;
        while at < end {
            match bytes[at] {
                b'"' => {
                    self.at = at + 1;
                    return Ok(Word { text: &self.text[start + 1..at], quoted: true, span: start..self.at });
                }
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        Err(self.error(start..start + 1, Problem::UnclosedQuote))
    }

    fn bare(&mut self) -> Word<'a> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'(' | b')' | b'"' => break,
                // What is escaped belongs to the word, except the end of the line.
                b'\\' if bytes.get(self.at + 1).is_some_and(|next| !matches!(next, b'\n' | b'\r')) => self.at += 2,
                _ => self.at += 1,
            }
        }
        Word { text: &self.text[start..self.at], quoted: false, span: start..self.at }
    }

    pub(super) fn error(&self, span: Range<usize>, problem: Problem) -> ZoneError {
        ZoneError::new(self.text, span, problem)
    }
}
