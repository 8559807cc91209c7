//! Canonicalization: the form of header fields and body that is hashed, so that harmless changes on the way do no harm
//! (RFC 6376 §3.4).
//!
//! In: fields as they stand, and the body in pieces cut anywhere, lines ending in CRLF. Out: the canonical bytes, in pieces. The
//! body is never held: only white space and line ends whose fate is open are counted until it is decided.

/// One of the two algorithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Canon {
    /// Nothing may change but empty lines at the end of the body.
    #[default]
    Simple,
    /// White space may change, and the case of field names.
    Relaxed,
}

impl Canon {
    /// The word in `c=`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Relaxed => "relaxed",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &[u8]) -> Option<Self> {
        [Self::Simple, Self::Relaxed].into_iter().find(|canon| word.eq_ignore_ascii_case(canon.as_str().as_bytes()))
    }

    /// Writes one header field, with its final CRLF.
    pub fn field(self, raw: &[u8], name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        match self {
            // RFC 6376 §3.4.1: it "does not change header fields in any way".
            Self::Simple => out.extend_from_slice(raw),
            Self::Relaxed => {
                relaxed_name(name, out);
                relaxed_value(value, out);
                out.extend_from_slice(b"\r\n");
            }
        }
    }
}

/// RFC 6376 §3.4.2: "Convert all header field names … to lowercase", "Delete any WSP characters remaining before and after the
/// colon".
pub(crate) fn relaxed_name(name: &[u8], out: &mut Vec<u8>) {
    out.extend(name.iter().map(u8::to_ascii_lowercase));
    out.push(b':');
}

fn is_wsp(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// RFC 6376 §3.4.2: "Unfold", "Convert all sequences of one or more WSP characters to a single SP", "Delete all WSP characters at
/// the end of each unfolded header field value", and those after the colon. Without a line end.
pub(crate) fn relaxed_value(value: &[u8], out: &mut Vec<u8>) {
    let begin = out.len();
    let mut at = 0;
    while at < value.len() {
        let run = value[at..].iter().position(|b| matches!(b, b' ' | b'\t' | b'\r')).unwrap_or(value.len() - at);
        out.extend_from_slice(&value[at..at + run]);
        at += run;
        let mut white = false;
        loop {
            match value.get(at) {
                Some(b' ' | b'\t') => {
                    white = true;
                    at += 1;
                }
                Some(b'\r') if value.get(at + 1) == Some(&b'\n') => at += 2,
                _ => break,
            }
        }
        if white && out.len() > begin && at < value.len() {
            out.push(b' ');
        }
        // A lone CR is text.
        if value.get(at) == Some(&b'\r') {
            out.push(b'\r');
            at += 1;
        }
    }
}

/// Bytes looked at in one go for anything that the relaxed form changes.
const BLOCK_BYTES: usize = 256;

/// Line ends that are written together when text follows many of them.
const LINE_ENDS: [u8; 512] = {
    let mut ends = [b'\r'; 512];
    let mut at = 1;
    while at < ends.len() {
        ends[at] = b'\n';
        at += 2;
    }
    ends
};

/// A body on its way to its canonical form.
#[derive(Debug, Clone)]
pub struct BodyCanon {
    canon: Canon,
    /// Line ends that came in and were not written: they count only if text follows.
    lines: u64,
    /// White space after them, relaxed only.
    white: bool,
    /// A CR whose LF has not come.
    cr: bool,
    /// Something was written.
    any: bool,
    /// Where small pieces are put together.
    small: Vec<u8>,
}

impl BodyCanon {
    /// The beginning of a body.
    #[must_use]
    pub fn new(canon: Canon) -> Self {
        Self { canon, lines: 0, white: false, cr: false, any: false, small: Vec::new() }
    }

    /// Takes the next piece, and calls with canonical bytes.
    pub fn feed(&mut self, piece: &[u8], mut out: impl FnMut(&[u8])) {
        // Where text ends in this piece; what follows is open.
        let relaxed = self.canon == Canon::Relaxed;
        let open = piece.iter().rev().take_while(|b| matches!(b, b'\r' | b'\n') || (relaxed && is_wsp(**b))).count();
        let text = piece.len() - open;
        let mut at = 0;
        while at < text {
            if self.is_open() {
                at += self.bytes(&piece[at..text], true, &mut out);
                continue;
            }
            let clean = if relaxed { clean_blocks(&piece[at..text]) } else { text - at };
            if clean > 0 {
                out(&piece[at..at + clean]);
                self.any = true;
                at += clean;
            } else {
                let end = text.min(at + BLOCK_BYTES);
                at += self.bytes(&piece[at..end], false, &mut out);
            }
        }
        self.bytes(&piece[text..], false, &mut out);
    }

    /// The body has ended.
    pub fn finish(mut self, mut out: impl FnMut(&[u8])) {
        if self.cr {
            self.cr = false;
            self.text(b'\r', &mut out);
            self.flush_small(&mut out);
        }
        // RFC 6376 §3.4.3: "converts "*CRLF" at the end of the body to a single "CRLF"", also where there is no body. §3.4.4: "If
        // the body is non-empty but does not end with a CRLF, a CRLF is added"; an empty one stays empty.
        if self.any || self.canon == Canon::Simple {
            out(&LINE_ENDS[..2]);
        }
    }

    fn is_open(&self) -> bool {
        self.lines > 0 || self.white || self.cr
    }

    /// Goes through bytes one by one; all of them, or up to where nothing is open any more. Answers how many.
    fn bytes(&mut self, bytes: &[u8], until_closed: bool, out: &mut impl FnMut(&[u8])) -> usize {
        let mut taken = bytes.len();
        for (at, &byte) in bytes.iter().enumerate() {
            if self.cr {
                self.cr = false;
                if byte == b'\n' {
                    // RFC 6376 §3.4.4: "Ignore all whitespace at the end of lines."
                    self.white = false;
                    self.lines += 1;
                    continue;
                }
                self.text(b'\r', out);
            }
            match byte {
                b'\r' => self.cr = true,
                b' ' | b'\t' if self.canon == Canon::Relaxed => self.white = true,
                _ => {
                    self.text(byte, out);
                    if until_closed {
                        taken = at + 1;
                        break;
                    }
                }
            }
        }
        self.flush_small(out);
        taken
    }

    /// Writes a byte of text, and before it what it makes count.
    fn text(&mut self, byte: u8, out: &mut impl FnMut(&[u8])) {
        if self.lines > 0 {
            self.flush_small(out);
            self.any = true;
            let mut bytes = self.lines * 2;
            while bytes > 0 {
                let some = bytes.min(LINE_ENDS.len() as u64);
                out(&LINE_ENDS[..usize::try_from(some).unwrap_or(LINE_ENDS.len())]);
                bytes -= some;
            }
            self.lines = 0;
        }
        // RFC 6376 §3.4.4: "Reduce all sequences of WSP within a line to a single SP character."
        if std::mem::take(&mut self.white) {
            self.small.push(b' ');
        }
        self.small.push(byte);
    }

    fn flush_small(&mut self, out: &mut impl FnMut(&[u8])) {
        if !self.small.is_empty() {
            out(&self.small);
            self.small.clear();
            self.any = true;
        }
    }
}

/// How many bytes from the beginning, in blocks, the relaxed form leaves as they are.
fn clean_blocks(text: &[u8]) -> usize {
    let mut clean = 0;
    for block in text.chunks(BLOCK_BYTES) {
        let next = text.get(clean + 1..(clean + block.len() + 1).min(text.len())).unwrap_or_default();
        // Without a branch in it, this runs at the speed of memory.
        let changes = block.iter().zip(next).fold(0, |changes, (&a, &b)| changes | changed(a, b));
        let last = block.len() > next.len() && is_wsp(block[block.len() - 1]);
        if changes > 0 || last {
            break;
        }
        clean += block.len();
    }
    clean
}

/// 1 if the relaxed form may change the first of two neighbours: a tab, or a space before white space or a CR.
fn changed(first: u8, second: u8) -> u8 {
    u8::from(first == b'\t')
        | (u8::from(first == b' ') & (u8::from(second == b' ') | u8::from(second == b'\t') | u8::from(second == b'\r')))
}
