//! Four header fields of a message as text for people, and whether some bytes are a message at all.
//!
//! In: a message, or its first few kilobytes. Out: text with encoded words and charsets undone (RFC 2047), cut to a length that
//! a log line can bear. Not for verdicts: of repeated fields the first is taken, and nothing is checked.

use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;

use crate::header::{fields, split};

/// No field shown to people needs more than this many bytes; a longer one is cut.
const SHOWN_BYTES_MAX: usize = 1_000;

/// Header fields that tell a message from other text with colons in it. Every message has one of these near its top:
/// RFC 5322 §3.6 asks for From and Date, and relays put Received or Return-Path above them.
const COMMON_FIELDS: [&[u8]; 12] = [
    b"from",
    b"to",
    b"subject",
    b"date",
    b"received",
    b"return-path",
    b"delivered-to",
    b"message-id",
    b"mime-version",
    b"content-type",
    b"x-original-to",
    b"dkim-signature",
];

/// What people call a message by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Envelope {
    /// `Subject`.
    pub subject: Option<String>,
    /// `From`, as it stands, with display names.
    pub from: Option<String>,
    /// `Message-ID`, as it stands, with its angle brackets.
    pub message_id: Option<String>,
    /// `Date`, as it stands.
    pub date: Option<String>,
}

impl Envelope {
    /// Reads the four fields from a message, or from the beginning of one.
    #[must_use]
    pub fn of(message: &[u8]) -> Self {
        let mut envelope = Self::default();
        for field in fields(split(message.trim_ascii_start()).0) {
            let slot = match field.name {
                name if name.eq_ignore_ascii_case(b"subject") => &mut envelope.subject,
                name if name.eq_ignore_ascii_case(b"from") => &mut envelope.from,
                name if name.eq_ignore_ascii_case(b"message-id") => &mut envelope.message_id,
                name if name.eq_ignore_ascii_case(b"date") => &mut envelope.date,
                _ => continue,
            };
            if slot.is_none() {
                *slot = Some(field_text(field.value));
            }
        }
        envelope
    }
}

/// A field's value as one line of text: unfolded, encoded words and charsets undone (RFC 2047), the first 1,000 bytes of it.
#[must_use]
pub fn field_text(value: &[u8]) -> String {
    let mut value = value[..value.len().min(SHOWN_BYTES_MAX)].to_vec();
    // The library takes a value as complete at its line end.
    value.push(b'\n');
    match MessageStream::new(&value).parse_unstructured() {
        HeaderValue::Text(text) => text.into_owned(),
        _ => String::new(),
    }
}

/// A date as header fields have it (RFC 5322 §3.3, §4.3), in seconds since 1970 UTC. Wrong weekdays and comments do not matter.
#[must_use]
pub fn date(value: &[u8]) -> Option<i64> {
    let mut value = value[..value.len().min(SHOWN_BYTES_MAX)].to_vec();
    value.push(b'\n');
    match MessageStream::new(&value).parse_date() {
        HeaderValue::DateTime(date) if date.is_valid() => Some(date.to_timestamp()),
        _ => None,
    }
}

/// Whether these bytes, the first of something, begin a mail message: a header field first, and among the fields one that nearly
/// every message has.
#[must_use]
pub fn looks_like_message(beginning: &[u8]) -> bool {
    let (header, _) = split(beginning.trim_ascii_start());
    fields(header).any(|field| {
        COMMON_FIELDS.iter().any(|common| field.name.eq_ignore_ascii_case(common)) || field.name.starts_with(b"X-MS-")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_fields_as_text() {
        let message = b"\r\nReceived: from a by b\r\nSubject: =?utf-8?Q?Report_f=C3=BCr?=\r\n example.com\r\nFROM: \"A, B\" <a@b.example>\r\n\
            Message-Id: <1@b.example>\r\nDate: Wed, 15 Nov 2023 00:00:00 +0000\r\nSubject: second\r\n\r\nSubject: body\r\n";
        let expected = Envelope {
            subject: Some("Report f\u{fc}r example.com".into()),
            from: Some("\"A, B\" <a@b.example>".into()),
            message_id: Some("<1@b.example>".into()),
            date: Some("Wed, 15 Nov 2023 00:00:00 +0000".into()),
        };
        assert_eq!(Envelope::of(message), expected);
        assert_eq!(Envelope::of(b"no header"), Envelope::default());
        assert_eq!(Envelope::of(b"Subject: cut in the mid").subject.as_deref(), Some("cut in the mid"));
    }

    #[test]
    fn dates_in_seconds() {
        let cases = [
            ("Thu, 8 Mar 2005 14:00:00 EDT", Some(1_110_304_800), "a name for a zone, a wrong weekday"),
            ("8 Oct 2011 20:15:58 +0000 (GMT)", Some(1_318_104_958), "no weekday, a comment"),
            ("Tue,  5 Oct 2021 17:37:02 +1300 (NZDT)", Some(1_633_408_622), "two spaces"),
            ("Fri, 28 Sep 2018\r\n 16:48:42 +0800", Some(1_538_124_522), "folded"),
            ("yesterday", None, "no date"),
            ("", None, "nothing"),
            ("Thu, 99 Mar 2005 14:00:00 +0000", None, "no such day"),
        ];
        for (text, expected, why) in cases {
            assert_eq!(date(text.as_bytes()), expected, "{why}");
        }
    }

    #[test]
    fn messages_are_told_from_other_text() {
        let cases: &[(&str, &str, bool)] = &[
            ("ordinary", "Received: x\nSubject: y\n\nz", true),
            ("mbox line in front", "From a@b Thu Jan  1 00:00:00 1970\nReturn-Path: <>\n\n", true),
            ("blank lines in front", "\n\nFrom: a@b\n\n", true),
            ("header longer than the beginning", "X-A: 1\n 2\nDelivered-To: a", true),
            ("no field that a message has", "key: value\nother: 1\n", false),
            ("YAML with a subject further down", "- a\nsubject: b\n", false),
            ("XML", "<?xml version=\"1.0\"?><feedback>", false),
            ("prose", "Dear Sir: hello\n", false),
            ("nothing", "", false),
        ];
        for (why, text, expected) in cases {
            assert_eq!(looks_like_message(text.as_bytes()), *expected, "{why}");
        }
    }
}
