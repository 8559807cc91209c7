//! Failure reports in plain text: Exim and what is built on it write them so, and some gateways write a sentence in place of fields.
//!
//! In: the text of a mail. Out: the fields that stand in it, under the names of the standard, and the header of the message that
//! failed where it is quoted in the text.

use memchr::memmem;

use super::fields::Fields;

/// How the text of an Exim report begins.
pub(super) const SENTENCE: &str = "A message claiming to be from you has failed";

/// What stands above the quoted header, in Exim's words.
const QUOTED: &[u8] = b"------ This is a copy of";

/// Names that the header of a message begins with where nothing stands above it.
const FIRST_NAMES: [&[u8]; 8] = [
    b"received",
    b"return-path",
    b"from",
    b"dkim-signature",
    b"authentication-results",
    b"received-spf",
    b"date",
    b"delivered-to",
];

/// Exim's names, and what they mean.
const NAMES: [(&str, &str); 6] = [
    ("sender-domain", "reported-domain"),
    ("sender-ip-address", "source-ip"),
    ("received-date", "arrival-date"),
    ("spf-alignment", "spf-alignment"),
    ("dkim-alignment", "dkim-alignment"),
    ("dmarc-results", "dmarc-results"),
];

/// The header that a text report quotes; nothing where the text is no such report.
pub(super) fn original(text: &[u8]) -> Option<&[u8]> {
    let report = &text[memmem::find(text, SENTENCE.as_bytes())?..];
    Some(quoted(report).map_or(&[], |(_, header)| header))
}

/// The text before the quoted header, and that header.
fn quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    // Whichever comes first: in one text both kinds of line ends may be met.
    let blank = |text: &[u8]| [&b"\n\n"[..], b"\n\r\n"].iter().filter_map(|ends| memmem::find(text, ends)).min();
    if let Some(at) = memmem::find(text, QUOTED) {
        let after = &text[at..];
        let header = blank(after).map_or(&[][..], |end| after[end..].trim_ascii_start());
        return Some((&text[..at], message::raw_header(header)));
    }
    let mut at = 0;
    for line in text.split_inclusive(|&b| b == b'\n') {
        let name = line.split(|&b| b == b':').next().filter(|name| name.len() < line.len());
        if name.is_some_and(|name| FIRST_NAMES.iter().any(|first| name.eq_ignore_ascii_case(first))) {
            return Some((&text[..at], message::raw_header(&text[at..])));
        }
        at += line.len();
    }
    None
}

/// Takes the fields that stand in a text.
pub(super) fn fields(text: &[u8], fields: &mut Fields<'_>) {
    let before = quoted(text).map_or(text, |(before, _)| before);
    let text = String::from_utf8_lossy(before);
    for line in text.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let name = name.trim().to_ascii_lowercase().replace(' ', "-");
        let meant = NAMES.iter().find(|(theirs, _)| *theirs == name).map_or(name.as_str(), |(_, ours)| ours);
        fields.take(meant, value.trim());
    }
    // "… received from IP 192.0.2.1 on Thu, 8 Mar 2005 14:00:00 EDT."
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((_, rest)) = flat.split_once("received from IP ")
        && let Some((address, rest)) = rest.split_once(' ')
    {
        fields.take_if_missing("source-ip", address.trim_end_matches(['.', ',']));
        if let Some(date) = rest.strip_prefix("on ") {
            let date = date.split_once(". ").map_or(date, |(date, _)| date);
            fields.take_if_missing("arrival-date", date.trim_end_matches('.'));
        }
    }
}
