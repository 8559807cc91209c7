//! A mailbox in one file: the messages in it, one after another, as a stream.
//!
//! In: an mbox file in either of its common dialects, mboxo and mboxrd (RFC 4155 describes the file, not the quoting). Out: each
//! message as it was delivered: without the `From ` line in front, without the empty line behind, and with one `>` taken off
//! quoted `From ` lines. Memory is one line, and of a longer line 64 KiB.

use std::io::{self, BufRead, Read};

/// A longer line comes out in pieces. RFC 5322 §2.1.1 allows 998 characters.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// Whether these bytes, the first of a file, begin a mailbox: a separator line, and a header field after it.
#[must_use]
pub fn begins_mailbox(beginning: &[u8]) -> bool {
    memchr::memchr(b'\n', beginning).is_some_and(|end| is_separator(&beginning[..end]))
        && crate::looks_like_message(beginning)
}

/// Whether a line separates messages: `From `, an address, and a time as `ctime` writes it. A line of a text may begin with
/// `From ` too; it does not end in a time and a year.
fn is_separator(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"From ") else { return false };
    let mut words = rest.split(|&b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')).filter(|word| !word.is_empty()).skip(1);
    let is_time =
        |word: &[u8]| word.len() >= 4 && word.contains(&b':') && word.iter().all(|b| matches!(b, b'0'..=b':'));
    let is_year = |word: &[u8]| word.len() == 4 && word.iter().all(u8::is_ascii_digit);
    // A zone may stand between the time and the year, or an offset behind it.
    words.any(is_time) && words.any(is_year)
}

/// The messages of a mailbox. [`Mailbox::next_message`] goes to the next one; reading gives its bytes and ends where it does.
pub struct Mailbox<R> {
    input: R,
    /// What is given out now.
    line: Vec<u8>,
    /// How much of it was given out.
    given: usize,
    /// An empty line, held back because it is not part of the message if a separator follows.
    empty_line: Vec<u8>,
    /// Where the message that is read stands.
    place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the middle of a message, and there at the beginning of a line or not.
    Inside { line_start: bool },
    /// The separator of the next message was read.
    Between,
    /// Nothing comes any more.
    End,
}

impl<R: BufRead> Mailbox<R> {
    /// Reads from the beginning of a mailbox. What stands before the first separator is passed over.
    pub fn new(input: R) -> Self {
        let place = Place::Inside { line_start: true };
        Self { input, line: Vec::new(), given: 0, empty_line: Vec::new(), place }
    }

    /// Goes to the next message, passing over what was not read of the one before. False after the last.
    ///
    /// # Errors
    /// Those of the file.
    pub fn next_message(&mut self) -> io::Result<bool> {
        while matches!(self.place, Place::Inside { .. }) {
            self.advance()?;
        }
        self.line.clear();
        self.given = 0;
        if self.place == Place::Between {
            self.place = Place::Inside { line_start: true };
            return Ok(true);
        }
        Ok(false)
    }

    /// Makes the next line ready to be given out, or finds that the message has ended.
    fn advance(&mut self) -> io::Result<()> {
        self.line.clear();
        self.given = 0;
        let line_start = self.place == Place::Inside { line_start: true };
        (&mut self.input).take(LINE_BYTES_MAX).read_until(b'\n', &mut self.line)?;
        if self.line.is_empty() {
            self.place = Place::End;
            self.empty_line.clear();
            return Ok(());
        }
        // Some writers forget the empty line in front of a separator, so it is not asked for.
        if line_start && is_separator(&self.line) {
            self.place = Place::Between;
            self.line.clear();
            self.empty_line.clear();
            return Ok(());
        }
        self.place = Place::Inside { line_start: self.line.ends_with(b"\n") };
        if line_start && matches!(&self.line[..], b"\n" | b"\r\n") {
            std::mem::swap(&mut self.line, &mut self.empty_line);
            return Ok(());
        }
        let quotes = self.line.iter().take_while(|&&b| b == b'>').count();
        if line_start && quotes > 0 && self.line[quotes..].starts_with(b"From ") {
            self.line.remove(0);
        }
        if !self.empty_line.is_empty() {
            self.line.splice(..0, self.empty_line.drain(..));
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Mailbox<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.line.len() {
            if !matches!(self.place, Place::Inside { .. }) {
                return Ok(0);
            }
            self.advance()?;
        }
        let count = (&self.line[self.given..]).read(into)?;
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(file: &str) -> Vec<String> {
        let mut mailbox = Mailbox::new(file.as_bytes());
        let mut all = Vec::new();
        while mailbox.next_message().expect("memory") {
            let mut text = String::new();
            mailbox.read_to_string(&mut text).expect("memory");
            all.push(text);
        }
        all
    }

    const SEPARATOR: &str = "From a@b.example Thu Jan  1 00:00:00 1970\n";

    #[test]
    fn messages_come_out_as_delivered() {
        let cases: &[(&str, &str, &[&str])] = &[
            ("one", "#A: 1\n\nx\n\n", &["A: 1\n\nx\n"]),
            ("two", "#A: 1\n\nx\n\n#B: 2\n\ny\n", &["A: 1\n\nx\n", "B: 2\n\ny\n"]),
            ("CRLF", "#A: 1\r\n\r\nx\r\n\r\n#B: 2\r\n\r\n", &["A: 1\r\n\r\nx\r\n", "B: 2\r\n"]),
            ("empty lines of the message stay", "#A: 1\n\n\n\nx\n\n\n#B: 2\n", &["A: 1\n\n\n\nx\n\n", "B: 2\n"]),
            ("no empty line in front of the separator", "#A: 1\n\nx\n#B: 2\n", &["A: 1\n\nx\n", "B: 2\n"]),
            (
                "quoted once and twice",
                "#A: 1\n\n>From x\n>>From y\n> From z\n",
                &["A: 1\n\nFrom x\n>From y\n> From z\n"],
            ),
            (
                "a sentence is no separator",
                "#A: 1\n\n\nFrom now on, 10:00 is late\n",
                &["A: 1\n\n\nFrom now on, 10:00 is late\n"],
            ),
            ("no line end at the end", "#A: 1\n\nx", &["A: 1\n\nx"]),
            ("an empty message", "##B: 2\n", &["", "B: 2\n"]),
            ("something in front", "note\n#A: 1\n", &["A: 1\n"]),
            ("nothing", "", &[]),
        ];
        for (why, file, expected) in cases {
            assert_eq!(messages(&file.replace('#', SEPARATOR)), *expected, "{why}");
        }
    }

    #[test]
    fn what_is_not_read_is_passed_over() {
        let mut mailbox =
            Mailbox::new(b"From a Thu Jan  1 00:00:00 1970\nA\n\nFrom b Thu Jan  1 00:00:00 1970\nB\n".as_slice());
        assert!(mailbox.next_message().expect("memory"));
        assert!(mailbox.next_message().expect("memory"));
        let mut text = [0; 9];
        assert_eq!((mailbox.read(&mut text).expect("memory"), text[0]), (2, b'B'));
        assert!(!mailbox.next_message().expect("memory"));
        assert!(!mailbox.next_message().expect("memory"), "the end stays the end");
    }

    #[test]
    fn a_line_longer_than_the_buffer_is_one_line() {
        let long = format!("{}From x Thu Jan  1 00:00:00 1970\n>From y\n", "x".repeat(64 << 10));
        assert_eq!(messages(&format!("{SEPARATOR}{long}")), [long.replace("\n>", "\n")]);
    }

    #[test]
    fn separators_are_told_from_text() {
        for line in [
            "From a@b.example Thu Jan  1 00:00:00 1970",
            "From MAILER-DAEMON Fri Jul  8 12:08:34 2011\r\n",
            "From - Sat Jan 03 01:05:34 1996",
            "From a@b  Thu Jan  1 00:00:00 UTC 1970",
            "From a@b Thu Jan  1 00:00:00 1970 +0000",
            "From a@b Thu Jan  1 00:00 1970",
        ] {
            assert!(is_separator(line.as_bytes()), "{line}");
        }
        for line in [
            "From",
            "From a@b",
            "From 10:00 to 12:00 in 24 hours",
            "From: a Thu Jan 1 00:00:00 1970",
            ">From a@b x 00:00:00 1970",
        ] {
            assert!(!is_separator(line.as_bytes()), "{line}");
        }
        assert!(begins_mailbox(format!("{SEPARATOR}Subject: x\n").as_bytes()));
        assert!(!begins_mailbox(SEPARATOR.as_bytes()));
        assert!(!begins_mailbox(b"From a@b\nSubject: x\n"));
    }
}
