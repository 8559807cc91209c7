//! White space, comments and quotes, as structured header fields have them (RFC 5322 §3.2.2, §3.2.4), read so that nothing is an
//! error: what does not end, ends with the field and is noted.
//!
//! In: bytes. Out: pieces of them. A lone CR or LF, or a NUL, is white space here: some reader will take it so.

/// Comments within comments that are told apart; deeper ones end the field.
const DEPTH_MAX: usize = 20;

pub(crate) struct Lexer<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
    /// A quote or comment did not end.
    pub(crate) open: bool,
    /// A lone CR or LF, a NUL or another control character was met.
    pub(crate) strange: bool,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, open: false, strange: false }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Takes this byte if it is next.
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    /// Passes over white space and comments; answers with the text of the first comment.
    pub(crate) fn white(&mut self) -> Option<String> {
        let mut comment = None;
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' => self.at += 1,
                b'\r' | b'\n' | 0 => self.line_end(),
                b'(' => {
                    let text = self.comment();
                    comment.get_or_insert(text);
                }
                _ => break,
            }
        }
        comment
    }

    /// Passes over a line end; the one that ends the field, and those that white space follows, are as they should be.
    fn line_end(&mut self) {
        let rest = &self.bytes[self.at..];
        let folded = rest == b"\r\n" || (rest.starts_with(b"\r\n") && matches!(rest.get(2), Some(b' ' | b'\t')));
        self.strange |= !folded;
        self.at += if folded { 2 } else { 1 };
    }

    fn comment(&mut self) -> String {
        let mut text = Vec::new();
        let mut depth = 0;
        loop {
            let Some(byte) = self.peek() else {
                self.open = true;
                break;
            };
            match byte {
                b'(' if depth < DEPTH_MAX => {
                    depth += 1;
                    if depth > 1 {
                        text.push(byte);
                    }
                }
                b'(' => {
                    self.open = true;
                    self.at = self.bytes.len();
                    break;
                }
                b')' => {
                    depth -= 1;
                    if depth > 0 {
                        text.push(byte);
                    }
                }
                b'\\' => text.extend(self.escaped()),
                b'\r' | b'\n' | 0 => {
                    self.line_end();
                    continue;
                }
                _ => text.push(byte),
            }
            self.at += 1;
            if depth == 0 {
                break;
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The byte after a backslash; leaves the position at it.
    fn escaped(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at + 1).copied();
        self.at += usize::from(byte.is_some());
        byte
    }

    /// A quoted string, at its opening quote.
    pub(crate) fn quoted(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        self.at += 1;
        loop {
            let Some(byte) = self.peek() else {
                self.open = true;
                return text;
            };
            match byte {
                b'"' => {
                    self.at += 1;
                    return text;
                }
                b'\\' => text.extend(self.escaped()),
                b'\r' | b'\n' | 0 => {
                    self.line_end();
                    continue;
                }
                _ => {
                    self.strange |= byte.is_ascii_control() && byte != b'\t';
                    text.push(byte);
                }
            }
            self.at += 1;
        }
    }

    /// Bytes up to white space, a comment, a quote or one of `ends`.
    pub(crate) fn run(&mut self, ends: &[u8]) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        let stop = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n' | 0 | b'(' | b'"') || ends.contains(b);
        let length = rest.iter().position(stop).unwrap_or(rest.len());
        self.strange |= rest[..length].iter().any(u8::is_ascii_control);
        self.at += length;
        &rest[..length]
    }
}
