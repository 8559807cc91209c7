//! The message after DATA: dots taken off, its end found (RFC 5321 §4.5.2), bare line feeds refused.
//!
//! In: bytes as they arrive, in pieces. Out: the message's own bytes, and where it ended.

use memchr::memchr2;

/// Where in a line the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At its beginning.
    Start,
    /// After a dot at its beginning, which was taken off.
    Dot,
    /// After such a dot and a CR.
    DotCr,
    /// Inside of it.
    Inside,
    /// After a CR inside of it, which was not passed on yet.
    Cr,
}

/// What a piece of input led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// All of it belongs to the message, and there is more.
    More,
    /// The message ended.
    End,
    /// A line feed without its carriage return.
    BareLf,
}

/// Reads one message.
#[derive(Debug)]
pub(crate) struct Data {
    place: Place,
}

impl Data {
    /// What follows the CR LF of the DATA command.
    pub(crate) fn new() -> Self {
        Self { place: Place::Start }
    }

    /// Reads on, appends the message's own bytes to `body`, and says how much of the input was used.
    pub(crate) fn read(&mut self, input: &[u8], body: &mut Vec<u8>) -> (usize, Found) {
        let mut at = 0;
        while let Some(&byte) = input.get(at) {
            match (self.place, byte) {
                (Place::DotCr, b'\n') => {
                    self.place = Place::Start;
                    return (at + 1, Found::End);
                }
                (Place::Cr, b'\n') => {
                    body.extend_from_slice(b"\r\n");
                    self.place = Place::Start;
                    at += 1;
                }
                (_, b'\n') => return (at + 1, Found::BareLf),
                (Place::DotCr | Place::Cr, _) => {
                    // The CR before was a bare one: no line ends with it. It stays in the message, where it does no harm.
                    body.push(b'\r');
                    self.place = Place::Inside;
                }
                (Place::Dot, b'\r') => {
                    self.place = Place::DotCr;
                    at += 1;
                }
                (Place::Start, b'.') => {
                    self.place = Place::Dot;
                    at += 1;
                }
                (_, b'\r') => {
                    self.place = Place::Cr;
                    at += 1;
                }
                _ => {
                    let rest = &input[at..];
                    let run = memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
                    body.extend_from_slice(&rest[..run]);
                    self.place = Place::Inside;
                    at += run;
                }
            }
        }
        (at, Found::More)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `input` cut into two at every place; all must agree.
    fn read(input: &[u8]) -> (Vec<u8>, usize, Found) {
        let whole = {
            let mut body = Vec::new();
            let (used, found) = Data::new().read(input, &mut body);
            (body, used, found)
        };
        for cut in 0..=input.len() {
            let (mut data, mut body) = (Data::new(), Vec::new());
            let (mut used, mut found) = data.read(&input[..cut], &mut body);
            if found == Found::More {
                let (more, then) = data.read(&input[cut..], &mut body);
                (used, found) = (used + more, then);
            }
            assert_eq!((body, used, found), whole, "cut at {cut}");
        }
        whole
    }

    #[test]
    fn ends_and_dots() {
        let cases: [(&str, &[u8], &[u8], Found); 15] = [
            ("nothing in it", b".\r\n", b"", Found::End),
            ("as usual", b"a\r\nb\r\n.\r\n", b"a\r\nb\r\n", Found::End),
            ("a dot is taken off", b"..\r\n.\r\n", b".\r\n", Found::End),
            ("also where the client forgot to double it", b".a\r\n.\r\n", b"a\r\n", Found::End),
            ("dots inside stay", b"a.b.\r\n.\r\n", b"a.b.\r\n", Found::End),
            ("no end", b"a\r\n.", b"a\r\n", Found::More),
            ("LF dot LF is no end", b"a\n.\nMAIL", b"a", Found::BareLf),
            ("LF dot CR LF is no end", b"a\n.\r\n", b"a", Found::BareLf),
            ("CR LF dot LF is no end", b"a\r\n.\n", b"a\r\n", Found::BareLf),
            ("CR dot CR is no end", b"a\r.\r\r\n.\r\n", b"a\r.\r\r\n", Found::End),
            ("CR LF dot CR is no end", b"a\r\n.\rb\r\n.\r\n", b"a\r\n\rb\r\n", Found::End),
            ("CR CR LF ends a line", b"a\r\r\n.\r\n", b"a\r\r\n", Found::End),
            ("CR LF dot CR CR LF is no end", b".\r\r\n.\r\n", b"\r\r\n", Found::End),
            ("a CR at a line's beginning", b"\ra\r\n.\r\n", b"\ra\r\n", Found::End),
            ("NUL is a byte like others", b"\0\r\n.\r\n", b"\0\r\n", Found::End),
        ];
        for (why, input, body, found) in cases {
            let (got, _, end) = read(input);
            assert_eq!((got.as_slice(), end), (body, found), "{why}");
        }
        assert_eq!(read(b"a\r\n.\r\nQUIT\r\n").1, 6, "what follows is not the message's");
    }

    proptest::proptest! {
        /// What a correct client stuffs comes out as it was.
        #[test]
        fn what_is_stuffed_comes_out(lines in proptest::collection::vec("[.a\r]{0,6}", 0..8)) {
            let mut message = String::new();
            let mut sent = String::new();
            for line in &lines {
                let line = line.trim_end_matches('\r');
                message.extend([line, "\r\n"]);
                if line.starts_with('.') {
                    sent.push('.');
                }
                sent.extend([line, "\r\n"]);
            }
            sent += ".\r\n";
            let (body, used, found) = read(sent.as_bytes());
            assert_eq!((body, used, found), (message.into_bytes(), sent.len(), Found::End));
        }
    }
}
