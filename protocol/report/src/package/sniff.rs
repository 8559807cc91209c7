//! What some bytes are, told by how they begin and never by a name or a label.
//!
//! In: the first few kilobytes of an item, an attachment or a member of an archive. Out: how to open it, or a word for what it is
//! instead, which ends up in the sentence of a rejection.

/// How many bytes are looked at: enough for the header of a mail that passed a dozen relays to show a field every mail has.
pub(super) const SNIFFED_BYTES: usize = 4096;

/// How to go on with some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// XML that may be an aggregate report.
    Report,
    /// RFC 1952.
    Gzip,
    /// PKWARE's archive.
    Zip,
    /// A mail message.
    Mail,
    /// Many, in one file.
    Mailbox,
    /// Base64 of one of the above, without a header that says so.
    Base64,
    /// No report can be in it: what it is instead.
    Other(&'static str),
}

/// Beginnings that tell what is no report, for the sentence of the rejection.
const OTHERS: [(&[u8], &str); 10] = [
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive, which is not read (unpack it first)"),
    (b"Rar!\x1a\x07", "a RAR archive, which is not read (unpack it first)"),
    (b"\xfd7zXZ\0", "xz data, which is not read (unpack it first)"),
    (b"BZh", "bzip2 data, which is not read (unpack it first)"),
    (b"\x28\xb5\x2f\xfd", "zstd data, which is not read (unpack it first)"),
    (
        b"\x78\x9f\x3e\x22",
        "a TNEF attachment, which is not read (ask the sender for plain MIME instead of winmail.dat)",
    ),
    (b"%PDF-", "a PDF"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
];

/// Base64 of the beginnings of gzip, zip, `<?xml `, and `<feedback`.
const BASE64: [&[u8]; 4] = [b"H4sI", b"UEsDB", b"PD94bWwg", b"PGZlZWRiYWNr"];

/// Tells what `beginning`, the first [`SNIFFED_BYTES`] of something, is.
pub(super) fn kind(beginning: &[u8]) -> Kind {
    if beginning.starts_with(b"\x1f\x8b") {
        return Kind::Gzip;
    }
    // "PK00" is written in front by archivers that once thought of spanning several disks.
    if [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08", b"PK00"].iter().any(|magic| beginning.starts_with(*magic)) {
        return Kind::Zip;
    }
    if let Some(kind) = markup(beginning) {
        return kind;
    }
    let text = beginning.trim_ascii_start();
    if message::begins_mailbox(text) {
        return Kind::Mailbox;
    }
    if message::looks_like_message(text) {
        return Kind::Mail;
    }
    if BASE64.iter().any(|start| text.starts_with(start)) {
        return Kind::Base64;
    }
    if let Some((_, what)) = OTHERS.iter().find(|(magic, _)| beginning.starts_with(magic)) {
        return Kind::Other(what);
    }
    // RFC 8460 §4.4: the reports that mail servers send about TLS come to the same mailboxes.
    if text.starts_with(b"{") {
        let tls = text.windows(10).any(|w| w == b"\"policies\"");
        return Kind::Other(if tls { "a TLS report, which is another kind" } else { "JSON" });
    }
    match text {
        [] if beginning.len() < SNIFFED_BYTES => Kind::Other("nothing at all"),
        _ if text.iter().any(|&b| b < b' ' && !b.is_ascii_whitespace()) => {
            Kind::Other("binary data of an unknown kind")
        }
        _ => Kind::Other("text"),
    }
}

/// XML, HTML or other markup in any encoding whose characters are bytes or 16-bit units of ASCII.
fn markup(beginning: &[u8]) -> Option<Kind> {
    // UTF-16 shows as every other byte zero; without these it can be looked at like the rest.
    let narrow: Vec<u8>;
    let text = match beginning {
        [0xff, 0xfe, rest @ ..] | [0xfe, 0xff, rest @ ..] => {
            narrow = rest.iter().copied().filter(|&b| b != 0).collect();
            &narrow[..]
        }
        [b'<', 0, ..] | [0, b'<', ..] => {
            narrow = beginning.iter().copied().filter(|&b| b != 0).collect();
            &narrow[..]
        }
        [0xef, 0xbb, 0xbf, rest @ ..] => rest,
        all => all,
    };
    let text = text.trim_ascii_start();
    if !text.starts_with(b"<") {
        return None;
    }
    let has = |word: &[u8]| text.windows(word.len()).any(|w| w.eq_ignore_ascii_case(word));
    let root: [&[u8]; 3] = [b"<feedback", b":feedback", b"<!doctype feedback"];
    Some(if root.into_iter().any(has) {
        Kind::Report
    } else if has(b"<html") || has(b"<!doctype html") {
        Kind::Other("an HTML page")
    } else if text.starts_with(b"<?xml") {
        Kind::Report
    } else {
        Kind::Other("markup that is no aggregate report")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_tell_what_they_are() {
        let cases: &[(&str, &[u8], Kind)] = &[
            ("gzip", b"\x1f\x8b\x08\0", Kind::Gzip),
            ("zip", b"PK\x03\x04\x14\0", Kind::Zip),
            ("an empty zip", b"PK\x05\x06\0\0", Kind::Zip),
            ("XML", b"<?xml version=\"1.0\"?><feedback>", Kind::Report),
            ("no declaration", b"<feedback>", Kind::Report),
            ("a prefix", b"<d:feedback xmlns:d=\"x\">", Kind::Report),
            ("white space first", b"\r\n\t <?xml version=\"1.0\"?>", Kind::Report),
            ("a byte order mark", b"\xef\xbb\xbf\n<feedback>", Kind::Report),
            ("UTF-16LE with a mark", b"\xff\xfe<\0f\0e\0e\0d\0b\0a\0c\0k\0>\0", Kind::Report),
            ("UTF-16BE with a mark", b"\xfe\xff\0<\0f\0e\0e\0d\0b\0a\0c\0k\0>", Kind::Report),
            ("UTF-16LE without a mark", b"<\0?\0x\0m\0l\0 \0", Kind::Report),
            ("a schema in front of the report", b"<xs:schema></xs:schema><feedback>", Kind::Report),
            ("a document type in front of it", b"<!DOCTYPE feedback [<!ENTITY a \"a\">]>", Kind::Report),
            ("other XML: the reader says what", b"<?xml version=\"1.0\"?><rss>", Kind::Report),
            ("HTML", b"<!DOCTYPE html><HTML>", Kind::Other("an HTML page")),
            ("XHTML", b"<?xml version=\"1.0\"?><html xmlns=\"x\">", Kind::Other("an HTML page")),
            (
                "HTML that speaks of it",
                b"<div><p>Your feedback: none</p>",
                Kind::Other("markup that is no aggregate report"),
            ),
            ("a piece of HTML", b"<p>Please find attached", Kind::Other("markup that is no aggregate report")),
            ("mail", b"Received: from a\r\n", Kind::Mail),
            ("mbox", b"From a@b Thu Jan  1 00:00:00 1970\nSubject: x\n", Kind::Mailbox),
            ("a mail with half an mbox line", b"From a@b\nSubject: x\n", Kind::Mail),
            ("base64 of gzip", b"\nH4sIAAAA\n", Kind::Base64),
            ("base64 of zip", b"UEsDBBQA", Kind::Base64),
            ("base64 of XML", b"PD94bWwgdmVyc2lvbj0i", Kind::Base64),
            ("text", b"Dear postmaster,\n", Kind::Other("text")),
            ("JSON", b"{\"organization-name\":", Kind::Other("JSON")),
            ("a TLS report", b"\n{\"policies\":[{", Kind::Other("a TLS report, which is another kind")),
            ("nothing", b"", Kind::Other("nothing at all")),
            ("only white space", b" \n", Kind::Other("nothing at all")),
            ("noise", b"\x01\x02\x03", Kind::Other("binary data of an unknown kind")),
        ];
        for (why, bytes, expected) in cases {
            assert_eq!(kind(bytes), *expected, "{why}");
        }
    }
}
