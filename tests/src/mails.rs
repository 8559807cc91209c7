//! Report mails in the shapes in which they come, with what a ledger must say once all of them are in.
//!
//! In: a number for each mail. Out: its bytes, and what it holds; [`Expected`] adds that up and holds a ledger against it. Of fifty mails
//! in a row forty-two bring something new; the others are duplicates in other bytes or in the same, a conflict, and what cannot be read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use store::{Ledger, ReportFilter};

/// A report as the generator knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    id: String,
    variant: u32,
    rows: u64,
    messages: u64,
}

/// A mail, and what is in it.
#[derive(Debug, Clone)]
pub struct Mail {
    /// With CR LF.
    pub bytes: Vec<u8>,
    reports: Vec<Held>,
    refused: u64,
}

/// Rows of a report, and the XML of it. `variant` changes the content, and neither rows nor messages: of two variants it does not
/// matter which came last.
fn report(number: u32, suffix: &str, variant: u32, rows: u32) -> (String, Held) {
    let id = format!("{number}{suffix}");
    let mut xml = format!(
        "<?xml version=\"1.0\"?>\r\n<feedback>\r\n<report_metadata><org_name>reporter.example</org_name>\r\n\
         <email>noreply@reporter.example</email><report_id>{id}</report_id>\r\n<date_range><begin>1700006400</begin>\
         <end>1700092799</end></date_range>\r\n</report_metadata>\r\n<policy_published><domain>b.example</domain>\
         <p>none</p></policy_published>\r\n"
    );
    let mut messages = 0;
    for row in 0..rows {
        let count = (number + row) % 7 + 1;
        messages += u64::from(count);
        // Writing to a text does not fail.
        let _ = write!(
            xml,
            "<record><row><source_ip>192.0.2.{}</source_ip>\r\n<count>{count}</count><policy_evaluated>\
             <disposition>none</disposition><dkim>fail</dkim>\r\n<spf>fail</spf></policy_evaluated></row>\r\n\
             <identifiers><header_from>b.example</header_from></identifiers>\r\n<auth_results><spf>\
             <domain>{row}.b.example</domain><result>fail</result></spf></auth_results></record>\r\n",
            (number + row + variant * 100) % 250
        );
    }
    xml.push_str("</feedback>\r\n");
    (xml, Held { id, variant, rows: u64::from(rows), messages })
}

fn head(number: u32, suffix: &str) -> String {
    format!(
        "From: Reports <noreply@reporter.example>\r\nTo: rua@b.example\r\nMessage-ID: <{number}{suffix}@reporter.example>\r\n\
         Subject: Report Domain: b.example Submitter: reporter.example Report-ID: {number}\r\nMIME-Version: 1.0\r\n"
    )
}

/// RFC 4648 §4, in lines as RFC 2045 §6.8 has them.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len() * 4 / 3 + bytes.len() / 28 + 4);
    for (at, three) in bytes.chunks(3).enumerate() {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at) & 63) as usize];
            out.push(if at <= three.len() { char::from(letter) } else { '=' });
        }
        if at % 19 == 18 {
            out.push_str("\r\n");
        }
    }
    out
}

/// Packed as gzip.
///
/// # Panics
/// Never: memory does not fail.
#[must_use]
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory does not fail");
    encoder.finish().expect("memory does not fail")
}

/// Packed as zip.
///
/// # Panics
/// Never: memory does not fail.
#[must_use]
pub fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("a short name");
        writer.write_all(bytes).expect("memory does not fail");
    }
    writer.finish().expect("memory does not fail").into_inner()
}

/// So many white spaces behind the beginning of a report, as gzip: a thousandth of it when it is packed.
#[must_use]
pub fn bomb(bytes: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let mut left = bytes;
    let _ = encoder.write_all(b"<feedback>");
    while left > 0 {
        let piece = left.min(1 << 20);
        let _ = encoder.write_all(&vec![b' '; piece]);
        left -= piece;
    }
    encoder.finish().unwrap_or_default()
}

/// A mail around attachments: type, name, bytes.
#[must_use]
pub fn with_attachments(head: &str, attachments: &[(&str, &str, &[u8])]) -> String {
    let mut text = format!(
        "{head}Content-Type: multipart/mixed; boundary=\"=b\"\r\n\r\n--=b\r\nContent-Type: text/plain\r\n\r\nA report is attached.\r\n"
    );
    for (kind, name, bytes) in attachments {
        let _ = write!(
            text,
            "--=b\r\nContent-Type: {kind}; name=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment; filename=\"{name}\"\r\n\r\n{}\r\n",
            base64(bytes)
        );
    }
    text.push_str("--=b--\r\n");
    text
}

/// One text of many.
#[must_use]
pub fn joined(numbers: std::ops::Range<u32>, text: impl Fn(u32) -> String) -> String {
    numbers.map(text).collect::<Vec<_>>().concat()
}

fn quoted_printable(text: &str) -> String {
    let mut out = String::new();
    for line in text.split("\r\n") {
        let mut column = 0;
        for c in line.chars() {
            if column > 70 {
                out.push_str("=\r\n");
                column = 0;
            }
            if c == '=' {
                out.push_str("=3D");
            } else {
                out.push(c);
            }
            column += 3;
        }
        out.push_str("\r\n");
    }
    out
}

/// The mail of this number.
#[must_use]
pub fn mail(number: u32) -> Mail {
    let kind = number % 50;
    let rows = 1 + number % 4;
    let plain = head(number, "");
    let packed = |name: &str, mime: &str, bytes: &[u8]| with_attachments(&plain, &[(mime, name, bytes)]);
    let (xml, held) = report(number, "", 0, rows);
    let whole = |text: String| Mail { bytes: text.into_bytes(), reports: vec![held.clone()], refused: 0 };
    let body = |kind: &str, text: &str| format!("{plain}Content-Type: {kind}\r\n\r\n{text}\r\n");
    match kind {
        25..=30 => whole(packed("report.zip", "application/zip", &zip(&[("report.xml", xml.as_bytes())]))),
        31..=33 => whole(body("text/xml", &xml)),
        34 | 35 => whole(packed("report.pdf", "application/octet-stream", &gzip(xml.as_bytes()))),
        36 => whole(format!(
            "{plain}Content-Type: text/xml\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{}",
            quoted_printable(&xml)
        )),
        37 => {
            let inner =
                with_attachments(&head(number, "-inner"), &[("application/gzip", "r.xml.gz", &gzip(xml.as_bytes()))]);
            whole(format!(
                "{plain}Content-Type: multipart/mixed; boundary=\"=f\"\r\n\r\n--=f\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--=f--\r\n"
            ))
        }
        38 | 39 => two(number, rows, kind == 39),
        40 => {
            let text = xml.replace("<?xml version=\"1.0\"?>", "<?xml version=\"1.0\" encoding=\"UTF-16\"?>");
            let wide: Vec<u8> = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
            whole(packed("report.xml", "application/xml", &wide))
        }
        // The same identity with another content, and the same content in other bytes.
        41 | 42 => {
            let of = number - 30;
            let (xml, held) = report(of, "", u32::from(kind == 41), 1 + of % 4);
            Mail { bytes: body("application/xml", &xml).into_bytes(), reports: vec![held], refused: 0 }
        }
        // The same bytes.
        43 => mail(number - 33),
        44 => {
            let (xml, held) = report(number, "", 0, if number % 500 == 44 { 300 } else { 40 });
            // Larger than what is fetched at once.
            let padding = if number % 500 == 44 { "padding padding padding\r\n".repeat(48_000) } else { String::new() };
            Mail {
                bytes: body("text/xml", &format!("{xml}\r\n{padding}")).into_bytes(),
                reports: vec![held],
                refused: 0,
            }
        }
        45 => {
            let cut = &gzip(&vec![b'<'; 400])[..15];
            let text = with_attachments(
                &plain,
                &[("application/gzip", "r.xml.gz", &gzip(xml.as_bytes())), ("application/gzip", "s.xml.gz", cut)],
            );
            Mail { refused: 1, ..whole(text) }
        }
        46 => refused(format!("{plain}\r\nDear postmaster, nothing is attached.\r\n")),
        47 => refused(poison(number, &plain, &xml)),
        48 => whole(packed("report.xml.gz", "application/gzip", &gzip(&gzip(xml.as_bytes())))),
        49 => refused(body("text/xml", &xml.replace("1700006400", "4102444800").replace("1700092799", "4102531199"))),
        _ => whole(packed("report.xml.gz", "application/gzip", &gzip(xml.as_bytes()))),
    }
}

/// Two reports in one mail: as two attachments, or in one archive.
fn two(number: u32, rows: u32, archive: bool) -> Mail {
    let ((one, first), (other, second)) = (report(number, "-1", 0, rows), report(number, "-2", 0, rows + 1));
    let plain = head(number, "");
    let text = if archive {
        let packed = zip(&[("1.xml", one.as_bytes()), ("2.xml", other.as_bytes())]);
        with_attachments(&plain, &[("application/zip", "reports.zip", &packed)])
    } else {
        let (one, other) = (gzip(one.as_bytes()), gzip(other.as_bytes()));
        with_attachments(&plain, &[("application/gzip", "1.xml.gz", &one), ("application/gzip", "2.xml.gz", &other)])
    };
    Mail { bytes: text.into_bytes(), reports: vec![first, second], refused: 0 }
}

fn refused(text: String) -> Mail {
    Mail { bytes: text.into_bytes(), reports: Vec::new(), refused: 1 }
}

/// What cannot be read, in turn; each is refused once.
fn poison(number: u32, plain: &str, xml: &str) -> String {
    let packed = |bytes: &[u8]| with_attachments(plain, &[("application/gzip", "report.xml.gz", bytes)]);
    match number / 50 % 8 {
        0 => {
            let whole = gzip(xml.as_bytes());
            packed(&whole[..whole.len() / 2])
        }
        1 => format!("{plain}Content-Type: text/xml\r\n\r\n{}\r\n", &xml[..xml.len() - 60]),
        2 => packed(&bomb(100 << 20)),
        3 => {
            let entities = joined(1..10, |n| format!("<!ENTITY e{n} \"{}\">", format!("&e{};", n - 1).repeat(10)));
            let text = format!("<!DOCTYPE feedback [<!ENTITY e0 \"ha\">{entities}]>\r\n<feedback>&e9;</feedback>\r\n");
            format!("{plain}Content-Type: text/xml\r\n\r\n{text}")
        }
        4 => {
            let deep =
                joined(0..300, |n| format!("Content-Type: multipart/mixed; boundary=\"b{n}\"\r\n\r\n--b{n}\r\n"));
            format!("{plain}{deep}\r\nnothing\r\n")
        }
        5 => format!("{plain}Content-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!! %%%%\r\n"),
        6 => format!("{plain}\r\n"),
        _ => format!("{plain}X-Long: {}\r\n\r\nnothing\r\n", "x".repeat(300_000)),
    }
}

/// What a ledger must say once all mails are in, however often and in whichever order they came.
#[derive(Debug, Default)]
pub struct Expected {
    /// Mails, each time they were added.
    pub mails: u64,
    /// A mail server on the way writes on each of them, so that none has the bytes of another.
    relayed: bool,
    items: BTreeSet<[u8; 32]>,
    refused_items: BTreeSet<[u8; 32]>,
    reports: BTreeMap<String, (BTreeSet<u32>, u64, u64)>,
    duplicates: u64,
    refused: u64,
}

/// What a ledger says, in the numbers that do not depend on how often something was read: items, reports, rows, messages, duplicates,
/// conflicts, rejections.
pub type Said = [u64; 7];

impl Expected {
    /// Of mails that a mail server passes on, which writes on each of them when it came.
    #[must_use]
    pub fn relayed() -> Self {
        Self { relayed: true, ..Self::default() }
    }

    /// Adds a mail that is delivered.
    pub fn add(&mut self, mail: &Mail) {
        self.mails += 1;
        let key = if self.relayed { Sha256::digest(self.mails.to_le_bytes()) } else { Sha256::digest(&mail.bytes) };
        let key = key.into();
        if !self.items.insert(key) {
            return;
        }
        self.refused += mail.refused;
        if mail.refused > 0 {
            self.refused_items.insert(key);
        }
        for held in &mail.reports {
            let (variants, _, _) =
                self.reports.entry(held.id.clone()).or_insert_with(|| (BTreeSet::new(), held.rows, held.messages));
            if !variants.insert(held.variant) {
                self.duplicates += 1;
            }
        }
    }

    /// The numbers of it.
    #[must_use]
    pub fn numbers(&self) -> Said {
        let sum = |of: fn(&(BTreeSet<u32>, u64, u64)) -> u64| self.reports.values().map(of).sum::<u64>();
        [
            self.items.len() as u64,
            self.reports.len() as u64,
            sum(|report| report.1),
            sum(|report| report.2),
            self.duplicates,
            sum(|report| report.0.len() as u64 - 1),
            self.refused,
        ]
    }

    /// Opens a ledger that nobody uses any more, and holds it against what was delivered: the numbers, every report, every item that
    /// was refused, and the ledger's own check.
    ///
    /// # Panics
    /// When anything differs.
    pub fn audit(&self, path: &Path) {
        let ledger = Ledger::open(path).expect("nobody uses it");
        assert!(ledger.pending().expect("it can be read").is_empty(), "nothing is left over");
        assert_eq!(
            numbers(&ledger),
            Some(self.numbers()),
            "items, reports, rows, messages, duplicates, conflicts, rejections"
        );
        let (entries, _) = ledger.reports(&ReportFilter::default(), 0, 1_000_000).expect("it can be read");
        let counted = entries.iter().filter(|entry| entry.superseded_by.is_none());
        let found: BTreeMap<String, (u64, u64)> =
            counted.map(|entry| (entry.report.report_id.to_string(), (entry.rows, entry.messages))).collect();
        let expected: BTreeMap<String, (u64, u64)> =
            self.reports.iter().map(|(id, report)| (id.clone(), (report.1, report.2))).collect();
        assert!(found == expected, "{:?}", difference(&found, &expected));
        let (refused, _) = ledger.rejections(0, 1_000_000).expect("it can be read");
        let refused: BTreeSet<[u8; 32]> = refused.into_iter().map(|entry| entry.item.0).collect();
        let same = if self.relayed { refused.len() == self.refused_items.len() } else { refused == self.refused_items };
        assert!(same, "{} items refused, {} expected", refused.len(), self.refused_items.len());
        assert_eq!(ledger.check().expect("it can be checked").faults, Vec::<String>::new());
    }
}

fn difference(
    found: &BTreeMap<String, (u64, u64)>,
    expected: &BTreeMap<String, (u64, u64)>,
) -> (Option<String>, Option<String>) {
    let missing = expected.iter().find(|(id, sums)| found.get(*id) != Some(sums)).map(|(id, _)| id.clone());
    let strange = found.keys().find(|id| !expected.contains_key(*id)).cloned();
    (missing, strange)
}

/// What a ledger says, also while somebody writes it; nothing before it is there.
#[must_use]
pub fn said(path: &Path) -> Option<Said> {
    numbers(&Ledger::read(path).ok()?)
}

fn numbers(ledger: &Ledger) -> Option<Said> {
    let c = ledger.counters().ok()?;
    Some([c.items, c.reports, c.rows, c.messages, c.duplicates, c.conflicts, c.rejected])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_fifty_mails_each_is_what_it_says() {
        let mut expected = Expected::default();
        for number in 0..50 {
            expected.add(&mail(number));
        }
        // 43 has bytes that came before; 38 and 39 have two reports each; 41 and 42 have one that came before; 46, 47 and 49 none.
        let [items, reports, _, _, duplicates, conflicts, refused] = expected.numbers();
        assert_eq!([items, reports, duplicates, conflicts, refused], [49, 46, 1, 1, 4]);
        assert_eq!(expected.mails, 50);
    }
}
