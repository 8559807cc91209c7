//! Report mails as large reporters send them.
//!
//! In: a number and the bytes of a report. Out: a mail with them attached, lines ending in LF, and the name of the attachment.

use std::fmt::Write;

/// The host whose results on the mail can be trusted.
pub const TRUSTED: &str = "mx.example.com";

/// A file name as the bytes want it.
pub fn name(number: u64, bytes: &[u8]) -> String {
    if bytes.starts_with(b"<") { format!("{number}.xml") } else { format!("{number}.xml.gz") }
}

/// A mail with the report attached.
pub fn mail(number: u64, bytes: &[u8]) -> String {
    let name = name(number, bytes);
    let mut text = format!(
        "Authentication-Results: {TRUSTED}; dmarc=pass header.from=example.org\nFrom: dmarc@example.org\nTo: reports@example.com\n\
         Subject: Report Domain: example.com Submitter: example.org Report-ID: {number}\nDate: Wed, 15 Nov 2023 00:05:00 +0000\n\
         Message-ID: <{number}@example.org>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"=b\"\n\n--=b\n\
         Content-Type: text/plain; charset=utf-8\n\nThis is a DMARC aggregate report.\n--=b\n\
         Content-Type: application/octet-stream; name=\"{name}\"\nContent-Transfer-Encoding: base64\n\
         Content-Disposition: attachment; filename=\"{name}\"\n\n"
    );
    base64(bytes, &mut text);
    let _ = writeln!(text, "--=b--");
    text
}

/// RFC 4648 §4, in lines of 76.
fn base64(bytes: &[u8], text: &mut String) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for line in bytes.chunks(57) {
        for group in line.chunks(3) {
            let value = group.iter().fold(0_u32, |value, &b| value << 8 | u32::from(b)) << (8 * (3 - group.len()));
            for position in 0..4 {
                let digit = (value >> (18 - 6 * position) & 63) as usize;
                text.push(if position > group.len() { '=' } else { char::from(ALPHABET[digit]) });
            }
        }
        text.push('\n');
    }
}
