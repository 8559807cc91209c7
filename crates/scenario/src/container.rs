//! What reports travel in: XML as it is, gzip, zip, and mails with an attachment.
//!
//! In: XML and its file name. Out: the bytes of one file. The same input gives the same bytes: no clock, no names of this machine.

use std::io::{self, Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use report::Report;
use zip::write::SimpleFileOptions;

/// How a reporter packs its reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packed {
    /// Not at all.
    Xml,
    Gzip,
    Zip,
    /// All reports of a day in one archive.
    ZipOfDay,
    /// A mail with a gzip attachment.
    MailGzip,
    /// A mail with a zip attachment.
    MailZip,
    /// A mail with a gzip attachment that says it is `application/octet-stream`.
    MailOctets,
}

/// gzip (RFC 1952) without a name or a time.
pub(crate) fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 8 + 64), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// A zip archive; its entries are dated 1980, the earliest a zip can say.
pub(crate) fn zip<'a>(entries: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> io::Result<Vec<u8>> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .compression_level(Some(1))
        .last_modified_time(zip::DateTime::default());
    for (name, bytes) in entries {
        archive.start_file(name, options)?;
        archive.write_all(bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

/// A report mail as the standards ask for it, with `attachment` called `name`.
pub(crate) fn mail(
    report: &Report,
    rua: &str,
    submitter: &str,
    media_type: &str,
    name: &str,
    attachment: &[u8],
) -> Vec<u8> {
    let sent = jiff::Timestamp::from_second(report.interval.end.saturating_add(5_400)).unwrap_or_default();
    let date = jiff::fmt::rfc2822::to_string(&sent.to_zoned(jiff::tz::TimeZone::UTC)).unwrap_or_default();
    let (domain, id) = (&report.policy.domain, &report.report_id);
    let boundary = "=_report_parts";
    let mut text = format!(
        "From: {organization} <{email}>\r\n\
         To: {rua}\r\n\
         Date: {date}\r\n\
         Message-ID: <{begin}.{domain}.{end}@{submitter}>\r\n\
         Subject: Report Domain: {domain} Submitter: {submitter} Report-ID: {id}\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\
         \r\n\
         --{boundary}\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\
         \r\n\
         This is a DMARC aggregate report for {domain}.\r\n\
         \r\n\
         --{boundary}\r\n\
         Content-Type: {media_type}; name=\"{name}\"\r\n\
         Content-Disposition: attachment; filename=\"{name}\"\r\n\
         Content-Transfer-Encoding: base64\r\n\
         \r\n",
        organization = report.reporter.organization,
        email = report.reporter.email,
        begin = report.interval.begin,
        end = report.interval.end,
    );
    base64(attachment, &mut text);
    text.push_str("--");
    text.push_str(boundary);
    text.push_str("--\r\n");
    text.into_bytes()
}

/// Base64 (RFC 4648 §4) without line breaks.
pub(crate) fn base64_line(bytes: &[u8]) -> String {
    let mut out = String::new();
    base64(bytes, &mut out);
    out.replace("\r\n", "")
}

/// Base64 (RFC 4648 §4) in lines of 76 characters.
pub(crate) fn base64(bytes: &[u8], out: &mut String) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for line in bytes.chunks(57) {
        for three in line.chunks(3) {
            let word = three.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
            for n in 0..4 {
                let six = usize::try_from(word >> (18 - 6 * n) & 63).unwrap_or(0);
                out.push(if n <= three.len() { char::from(ALPHABET[six]) } else { '=' });
            }
        }
        out.push_str("\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_the_standard_shows_it() {
        // RFC 4648 §10.
        for (text, expected) in [
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            let mut out = String::new();
            base64(text.as_bytes(), &mut out);
            assert_eq!(out, format!("{expected}\r\n"));
        }
        let mut out = String::new();
        base64(&[0; 58], &mut out);
        assert_eq!(out.lines().map(str::len).collect::<Vec<_>>(), [76, 4]);
    }
}
