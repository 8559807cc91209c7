//! Elements with text, indented for people, into a buffer that is handed on when it is full.
//!
//! In: names of the standard and anybody's text. Out: well-formed XML 1.0. It knows no reports.

use std::io::{self, Write};

/// Bytes gathered before they are handed on.
const GATHERED_BYTES: usize = 32 << 10;

const INDENT: &str = "            ";

/// XML on its way out.
pub(super) struct Xml<'a> {
    out: &'a mut dyn Write,
    gathered: Vec<u8>,
}

impl<'a> Xml<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, gathered: Vec::with_capacity(GATHERED_BYTES + 4096) }
    }

    /// Our own markup, as it is.
    pub(super) fn raw(&mut self, markup: &str) {
        self.gathered.extend_from_slice(markup.as_bytes());
    }

    fn tag(&mut self, depth: usize, before: &str, name: &str) {
        self.raw(&INDENT[..depth * 2]);
        self.raw(before);
        self.raw(name);
    }

    /// `<name>` on a line of its own.
    pub(super) fn open(&mut self, depth: usize, name: &str) {
        self.tag(depth, "<", name);
        self.raw(">\n");
    }

    /// `</name>` on a line of its own.
    pub(super) fn close(&mut self, depth: usize, name: &str) {
        self.tag(depth, "</", name);
        self.raw(">\n");
    }

    /// `<name>text</name>`.
    pub(super) fn leaf(&mut self, depth: usize, name: &str, text: &str) {
        self.tag(depth, "<", name);
        self.raw(">");
        escape(&mut self.gathered, text);
        self.raw("</");
        self.raw(name);
        self.raw(">\n");
    }

    /// [`Xml::leaf`], if there is a text.
    pub(super) fn option(&mut self, depth: usize, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.leaf(depth, name, text);
        }
    }

    /// [`Xml::leaf`] of a number or an address: something whose text is harmless.
    pub(super) fn number(&mut self, depth: usize, name: &str, number: impl std::fmt::Display) {
        self.tag(depth, "<", name);
        self.raw(">");
        // Writing to memory does not fail, and numbers and addresses do not refuse to be shown.
        let _ = write!(self.gathered, "{number}</{name}>");
        self.raw("\n");
    }

    /// Passes on what has been gathered, if it is much.
    pub(super) fn hand_on(&mut self) -> io::Result<()> {
        if self.gathered.len() >= GATHERED_BYTES {
            self.out.write_all(&self.gathered)?;
            self.gathered.clear();
        }
        Ok(())
    }

    pub(super) fn finish(self) -> io::Result<()> {
        self.out.write_all(&self.gathered)
    }
}

/// Appends `text` as character data.
fn escape(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    if !bytes.iter().any(|b| is_special(*b)) {
        out.extend_from_slice(bytes);
        return;
    }
    for c in text.chars() {
        let mut utf8 = [0; 4];
        let written = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            // XML 1.0 §2.4: `]]>` must not stand in character data.
            '>' => "&gt;",
            // XML 1.0 §2.11: a bare carriage return would be read as a line feed.
            '\r' => "&#13;",
            '\t' | '\n' => c.encode_utf8(&mut utf8),
            // XML 1.0 §2.2: the other control characters and these two are no characters, not even as a reference.
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => "\u{fffd}",
            _ => c.encode_utf8(&mut utf8),
        };
        out.extend_from_slice(written.as_bytes());
    }
}

/// Bytes after which a text must be looked at character by character. U+FFFE and U+FFFF begin with 0xEF.
fn is_special(byte: u8) -> bool {
    byte < b' ' || matches!(byte, b'&' | b'<' | b'>' | 0xef)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_becomes_character_data() {
        let cases = [
            ("plain", "mail.example", "mail.example"),
            ("quotes need no escape outside attributes", "a\"b'c", "a\"b'c"),
            ("markup", "<b>&amp;</b>", "&lt;b&gt;&amp;amp;&lt;/b&gt;"),
            ("the end of a CDATA section", "]]>", "]]&gt;"),
            ("an entity declaration", "<!ENTITY x \"y\">", "&lt;!ENTITY x \"y\"&gt;"),
            ("control characters", "\0\u{1}\u{1b}[31m\u{1f}", "\u{fffd}\u{fffd}\u{fffd}[31m\u{fffd}"),
            ("tab and line feed stay, a carriage return is kept as one", "\t\n\r", "\t\n&#13;"),
            ("no characters", "\u{fffe}\u{ffff}", "\u{fffd}\u{fffd}"),
            ("neighbours of those", "\u{fffd}\u{10000}\u{efff}\u{e000}", "\u{fffd}\u{10000}\u{efff}\u{e000}"),
            ("DEL and C1 are characters", "\u{7f}\u{85}\u{9f}", "\u{7f}\u{85}\u{9f}"),
        ];
        for (why, text, expected) in cases {
            let mut out = Vec::new();
            escape(&mut out, text);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{why}");
        }
    }
}
