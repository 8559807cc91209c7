//! Addresses in a text without their local parts.
//!
//! In: a text. Out: the same, in which `***@example.com` stands for `somebody@example.com`. RFC 6590 has reporters put a keyed hash
//! there; we need to recognise nobody, and so keep nothing. Bounce addresses that hold a recipient's lose it too, because their
//! local part does.

use std::borrow::Cow;

/// What stands for a local part.
const REDACTED: &str = "***";

/// What may stand before `=` and an address without belonging to it, in Authentication-Results and Received fields.
const BEFORE: [&str; 13] = [
    "smtp.mailfrom",
    "smtp.mail",
    "smtp.rcptto",
    "smtp.rcpttodomain",
    "smtp.auth",
    "header.from",
    "header.i",
    "header.sender",
    "envelope-from",
    "envelope-to",
    "mailfrom",
    "x-sender",
    "identity",
];

/// Times a text is gone over at most. What is left of one address can look like a part of another; so deep nobody writes.
const PASSES_MAX: usize = 16;

/// Takes the local parts of all addresses out of a text.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut out = pass(text);
    for _ in 1..PASSES_MAX {
        let next = pass(&out).into_owned();
        if next == out {
            break;
        }
        out = Cow::Owned(next);
    }
    out
}

/// Once through a text, from each sign to the next.
fn pass(text: &str) -> Cow<'_, str> {
    // As long as an encoded word begins further on, `=40` may be a sign.
    let last_word = text.rfind("=?");
    let (mut out, mut done) = (String::new(), 0);
    while let Some((at, length)) = sign(text, done, last_word.is_some_and(|last| done <= last)) {
        let begins = done + begin(&text[done..at]);
        out.push_str(&text[done..begins]);
        if begins < at {
            out.push_str(REDACTED);
        }
        out.push_str(&text[at..at + length]);
        done = at + length;
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

/// The next sign between a local part and a domain; escaped ones as URIs and encoded words that nobody could read have them.
fn sign(text: &str, from: usize, in_word: bool) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    (from..bytes.len()).find_map(|at| match bytes[at] {
        b'@' => Some((at, 1)),
        b'%' if bytes[at..].starts_with(b"%40") => Some((at, 3)),
        b'=' if in_word && bytes[at..].starts_with(b"=40") => Some((at, 3)),
        _ => None,
    })
}

/// Where the local part before the sign begins.
fn begin(before: &str) -> usize {
    if let Some(inner) = before.strip_suffix('"') {
        // RFC 5322 §3.4.1: a local part may be in quotes. What has no opening one is no such thing.
        return inner.rfind('"').unwrap_or(inner.len());
    }
    let part =
        |c: char| c.is_alphanumeric() || !c.is_ascii() && !c.is_whitespace() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let begins =
        before.rfind(|c: char| !part(c)).map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let run = &before[begins..];
    match run.split_once('=') {
        Some((name, _)) if BEFORE.iter().any(|known| known.eq_ignore_ascii_case(name)) => begins + name.len() + 1,
        _ => begins,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_to_take_out() {
        for text in ["x\"y\"@z.example", "x\"@z.example", "header.i=\"a b\"@z.example", "a%40b@c", "\"a\"\"b\"@c"] {
            let once = redact(text);
            assert_eq!(redact(&once), once, "{text}");
        }
        assert_eq!(redact("header.i=\"a b\"@z.example"), "header.i=***@z.example");
        assert_eq!(redact("x\"y\"@z.example"), "***@z.example");
    }

    #[test]
    fn no_local_part_is_left() {
        let cases = [
            ("no address", "nothing to hide", "nothing to hide"),
            ("bare", "somebody@example.com", "***@example.com"),
            ("in brackets", "for <some.body+tag@example.com>; Tue", "for <***@example.com>; Tue"),
            ("two", "a@b.example, c@d.example", "***@b.example, ***@d.example"),
            ("in quotes", "to \"some body\"@example.com", "to ***@example.com"),
            ("a property", "spf=pass smtp.mailfrom=a@b.example x", "spf=pass smtp.mailfrom=***@b.example x"),
            (
                "a bounce address with the recipient's in it",
                "smtp.mailfrom=bounces+11-xsj399=163.example@email.example",
                "smtp.mailfrom=***@email.example",
            ),
            ("a bounce address alone", "<alice=rcpt.example@esp.example>", "<***@esp.example>"),
            ("the null path", "from <> to", "from <> to"),
            ("a domain alone", "header.i=@example.com", "header.i=@example.com"),
            (
                "escaped, in a URI: more goes than must",
                "https://x.example/?u=alice%40example.com",
                "https:***%40example.com",
            ),
            ("not ASCII", "an jürgen@example.com", "an ***@example.com"),
            ("in an encoded word that is broken", "for =?utf-8?q?some=body=40example.com", "for ***=40example.com"),
            ("a lone quote", "\"@example.com", "***@example.com"),
            ("an encoded word from the first character on", "=?q?some=40example.com", "***=40example.com"),
        ];
        for (why, text, expected) in cases {
            assert_eq!(redact(text), expected, "{why}");
        }
    }
}
