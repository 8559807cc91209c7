//! The opener of containers: what is found in which item, and which limit refuses it.
//!
//! Zip archives are written by the `zip` crate, so that the reading side is checked against somebody else's understanding.

#![expect(clippy::unwrap_used, reason = "what a test builds for itself does not fail")]

use std::fmt::Write as _;
use std::io::{self, BufRead, Cursor, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use report::package::{Found, PackageLimits, open};
use report::{Rejection, RejectionKind};
use zip::write::SimpleFileOptions;

const XML: &[u8] = b"<feedback><version>1.0</version></feedback>";

/// Everything found, in order: `member: XML` or `member: Kind`. XML longer than 100 bytes shows as its length.
fn found_within(item: &[u8], limits: &PackageLimits) -> Vec<String> {
    let mut all = Vec::new();
    open(&mut Cursor::new(item), limits, &mut |found| all.push(describe(found))).expect("bytes in memory do not fail");
    all
}

fn found(item: &[u8]) -> Vec<String> {
    found_within(item, &PackageLimits::default())
}

fn describe(found: Found<'_>) -> String {
    match found {
        Found::Rejected { member, rejection } => format!("{}: {:?}", member.unwrap_or("-"), rejection.kind),
        Found::Failure { member, .. } => format!("{}: a failure report", member.unwrap_or("-")),
        Found::Report { member, xml } => {
            let member = member.unwrap_or("-").to_owned();
            let mut text = Vec::new();
            match xml.read_to_end(&mut text) {
                Err(error) => format!("{member}: {:?} after {}", Rejection::carried(error).unwrap().kind, text.len()),
                Ok(length) if length > 100 => format!("{member}: {length} bytes"),
                Ok(_) => format!("{member}: {}", String::from_utf8_lossy(&text)),
            }
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    zip_with(members, SimpleFileOptions::default())
}

fn zip_with(members: &[(&str, &[u8])], options: SimpleFileOptions) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (index, group) in bytes.chunks(3).enumerate() {
        let value = group.iter().fold(0_u32, |v, &b| v << 8 | u32::from(b)) << (8 * (3 - group.len()));
        for position in 0..4 {
            let digit = value >> (18 - 6 * position) & 63;
            let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
            text.push(if position > group.len() { '=' } else { char::from(alphabet[digit as usize]) });
        }
        if index % 19 == 18 {
            text.push_str("\r\n");
        }
    }
    text
}

/// A mail with these attachments: media type, name, bytes.
fn mail(attachments: &[(&str, &str, &[u8])]) -> Vec<u8> {
    let mut text = "From: a@example.org\r\nSubject: report\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"==b\"\r\n\r\n\
        This is MIME.\r\n--==b\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
        .to_owned();
    for (media_type, name, bytes) in attachments {
        let _ = write!(
            text,
            "--==b\r\nContent-Type: {media_type}; name=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
            base64(bytes)
        );
    }
    (text + "--==b--\r\n").into_bytes()
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

const SEPARATOR: &[u8] = b"From a@b Thu Jan  1 00:00:00 1970\n";

fn shown(member: &str) -> String {
    format!("{member}: {}", String::from_utf8_lossy(XML))
}

fn utf16(mark: bool) -> Vec<u8> {
    let text = std::str::from_utf8(XML).unwrap();
    mark.then_some(0xfeff).into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[test]
fn single_reports_are_found_in_every_wrapping() {
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("XML", XML.to_vec(), "-"),
        ("gzip", gzip(XML), "-"),
        ("gzip in gzip (tierpod)", gzip(&gzip(XML)), "-"),
        ("gzip in several members", join(&[&gzip(&XML[..9]), &gzip(b""), &gzip(&XML[9..])]), "-"),
        ("gzip and trailing junk (Mimecast)", join(&[&gzip(XML), b"\0\0junk"]), "-"),
        ("gzip and junk that looks like gzip", join(&[&gzip(XML), b"\x1f\x8b junk"]), "-"),
        ("gzip and half a magic number", join(&[&gzip(XML), b"\x1f"]), "-"),
        ("zip", zip(&[("a.xml", XML)]), "a.xml"),
        ("zip without compression", zip_with(&[("a.xml", XML)], stored), "a.xml"),
        ("zip64 fields", zip_with(&[("a.xml", XML)], stored.large_file(true)), "a.xml"),
        ("gzip in zip", zip(&[("a.xml.gz", &gzip(XML))]), "a.xml.gz"),
        ("zip in gzip", gzip(&zip(&[("a.xml", XML)])), "a.xml"),
        ("zip in zip", zip(&[("b.zip", &zip(&[("a.xml", XML)]))]), "b.zip/a.xml"),
        ("zip with something in front", join(&[b"PK00", &zip(&[("a.xml", XML)])]), "a.xml"),
        ("zip with junk behind", join(&[&zip(&[("a.xml", XML)]), &[7; 70_000]]), "a.xml"),
        ("zip with its own signature behind", join(&[&zip(&[("a.xml", XML)]), b"PK\x05\x06 what"]), "a.xml"),
        ("a name that climbs out, shown and never used", zip(&[("../../etc/a.xml", XML)]), "../../etc/a.xml"),
        ("a name with a line feed", zip(&[("a\n.xml", XML)]), "a\u{fffd}.xml"),
        ("folders and other files beside it", zip(&[("d/", b""), ("d/readme", b"read me"), ("d/a", XML)]), "d/a"),
        ("mail, gzip", mail(&[("application/gzip", "a.xml.gz", &gzip(XML))]), "a.xml.gz"),
        ("mail, gzip called zip (GMX)", mail(&[("application/zip", "a.zip", &gzip(XML))]), "a.zip"),
        ("mail, zip called octet-stream", mail(&[("application/octet-stream", "x", &zip(&[("a", XML)]))]), "x/a"),
        ("mail, XML called text", mail(&[("text/plain", "a.txt", XML)]), "a.txt"),
        (
            "mail, signature image and HTML beside it",
            { mail(&[("image/png", "s.png", b"\x89PNG\r\n"), ("text/html", "h", b"<p>x<p>"), ("a/b", "r", XML)]) },
            "r",
        ),
        ("mail in a mail, called octet-stream", mail(&[("a/b", "m", &mail(&[("a/b", "x.gz", &gzip(XML))]))]), "m/x.gz"),
        ("mail in gzip", gzip(&mail(&[("a/b", "x.gz", &gzip(XML))])), "x.gz"),
        ("mail in zip", zip(&[("m.eml", &mail(&[("a/b", "x.gz", &gzip(XML))]))]), "m.eml/x.gz"),
        ("mbox line in front", join(&[SEPARATOR, &mail(&[("a/b", "x", XML)])]), "message 1/x"),
        (
            "the whole mail is the attachment",
            { format!("Subject: x\r\nContent-Transfer-Encoding: base64\r\n\r\n{}", base64(&gzip(XML))).into_bytes() },
            "-",
        ),
        ("base64 that no header speaks of", format!("Subject: x\n\n{}", base64(&gzip(XML))).into_bytes(), "-"),
        ("base64 alone", base64(&zip(&[("a", XML)])).into_bytes(), "a"),
    ];
    for (why, item, member) in &cases {
        assert_eq!(found(item), [shown(member)], "{why}");
    }
    println!("{} wrappings", cases.len());
}

#[test]
fn bytes_reach_the_reader_as_they_are() {
    for (why, item) in [
        ("byte order mark", join(&[b"\xef\xbb\xbf", XML])),
        ("white space first", join(&[b"\r\n ", XML])),
        ("UTF-16 with a mark", utf16(true)),
        ("UTF-16 without one", utf16(false)),
        ("longer than what is sniffed", join(&[XML, &[b' '; 10_000]])),
    ] {
        for packed in [item.clone(), gzip(&item), zip(&[("a", &item)])] {
            let mut read = Vec::new();
            open(&mut &packed[..], &PackageLimits::default(), &mut |found| {
                let Found::Report { xml, .. } = found else { panic!("{why}") };
                xml.read_to_end(&mut read).unwrap();
            })
            .unwrap();
            assert_eq!(read, item, "{why}");
        }
    }
}

#[test]
fn several_reports_and_bad_neighbours() {
    let second = b"<feedback>2</feedback>";
    assert_eq!(found(&zip(&[("a", XML), ("b", second)])), [shown("a"), "b: <feedback>2</feedback>".into()]);
    let two = mail(&[("a/b", "1.gz", &gzip(XML)), ("a/b", "2.gz", &gzip(XML))]);
    assert_eq!(found(&two), [shown("1.gz"), shown("2.gz")]);
    let mailbox =
        join(&[SEPARATOR, &two, SEPARATOR, b"Subject: x\n\nhello\n\n", SEPARATOR, &mail(&[("a/b", "3", XML)])]);
    let expected = [shown("message 1/1.gz"), shown("message 1/2.gz"), shown("message 3/3")];
    assert_eq!(found(&mailbox), expected);
    assert_eq!(found(&gzip(&mailbox)), expected);
    // One that is broken does not cost the other.
    let cut = &gzip(&[b"<feedback>".as_slice(), &[b'x'; 9_000]].concat())[..40];
    let mixed = mail(&[("a/b", "1.gz", cut), ("a/b", "2.zip", b"PK\x03\x04nothing"), ("a/b", "3.gz", &gzip(XML))]);
    assert_eq!(found(&mixed)[1..], ["2.zip: Damaged".to_owned(), shown("3.gz")]);
    assert!(found(&mixed)[0].starts_with("1.gz: Damaged"), "{:?}", found(&mixed));
}

#[test]
fn what_holds_no_report_says_what_it_holds() {
    let mut said = String::new();
    for (item, expected) in [
        (b"".to_vec(), "There is nothing in it."),
        (b"Subject: x\n\nhello\n".to_vec(), "only text"),
        (mail(&[("image/png", "x", b"\x89PNG"), ("text/html", "h", b"<html>")]), "only text, an image, an HTML page"),
        (zip(&[]), "an archive without members"),
        (zip(&[("d/", b"")]), "an archive without members"),
        (b"7z\xbc\xaf\x27\x1c".to_vec(), "unpack it first"),
        (gzip(b"hello"), "only text"),
    ] {
        let mut calls = 0;
        open(&mut &item[..], &PackageLimits::default(), &mut |found| {
            let Found::Rejected { member: None, rejection } = found else { panic!("{expected}") };
            assert_eq!(rejection.kind, RejectionKind::NoReport);
            said = rejection.message;
            calls += 1;
        })
        .unwrap();
        assert!(said.contains(expected), "“{said}” says nothing of “{expected}”");
        assert_eq!(calls, 1);
    }
}

#[test]
fn damage_is_named() {
    let mut state = 1_u64;
    let random: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0] | 0x80
    })
    .take(20_000)
    .collect();
    let long = join(&[b"<feedback>", &random]);
    let gz = gzip(&long);
    let zipped = zip(&[("a", &long)]);
    let mut checksum = gz.clone();
    *checksum.iter_mut().nth_back(5).unwrap() ^= 1;
    let mut middle = zipped.clone();
    middle[9_000..9_200].fill(0xff);
    let directory = zipped.len() - 22;
    for (why, item) in [
        ("gzip cut off", gz[..gz.len() / 2].to_vec()),
        ("gzip cut off before its checksum", gz[..gz.len() - 4].to_vec()),
        ("gzip with another checksum", checksum),
        ("zip with other bytes inside", middle),
    ] {
        let all = found(&item);
        assert_eq!(all.len(), 1, "{why}");
        assert!(all[0].contains("Damaged after"), "{why}: {all:?}");
    }
    for (why, item) in [
        ("gzip of which only the magic is left", gz[..5].to_vec()),
        ("zip without its end", zipped[..directory].to_vec()),
        ("zip without its directory", zipped[..directory - 30].to_vec()),
    ] {
        assert_eq!(found(&item), ["-: Damaged"], "{why}");
    }
}

/// Sizes that an archive states are never believed: whatever stands there, the content comes out whole, or the member is refused.
#[test]
fn stated_sizes_do_not_matter() {
    let honest = zip(&[("a", XML)]);
    let directory = honest.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    // Offsets of the compressed and the expanded size, in the local header and in the directory.
    for at in [18, 22, directory + 20, directory + 24] {
        for size in [0_u32, 1, 7, 0x7fff_ffff, 0xffff_fffe] {
            let mut lying = honest.clone();
            lying[at..at + 4].copy_from_slice(&size.to_le_bytes());
            assert_eq!(found(&lying), [shown("a")], "{size} at {at}");
        }
    }
    // The number of members, and the size and place of the directory.
    let end = honest.len() - 22;
    for (at, bytes) in [(end + 10, &[200, 0][..]), (end + 12, &[1, 0, 0, 0]), (end + 16, &[0xff, 0xff, 0xff, 0x7f])] {
        let mut lying = honest.clone();
        lying[at..at + bytes.len()].copy_from_slice(bytes);
        assert_eq!(found(&lying), [shown("a")], "{bytes:?} at {at}");
    }
    // An offset that leads nowhere.
    let mut lost = honest.clone();
    lost[directory + 42..directory + 46].copy_from_slice(&[9, 0, 0, 0]);
    assert_eq!(found(&lost), ["-: Damaged"]);
}

#[test]
fn encrypted_and_unknown_members_are_named() {
    let plain = zip(&[("a", XML), ("b", XML)]);
    let directory = plain.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    let mut encrypted = plain.clone();
    encrypted[directory + 8] |= 1;
    assert_eq!(found(&encrypted), ["a: Encrypted".to_owned(), shown("b")]);
    for (method, kind) in [(99, "Encrypted"), (12, "UnsupportedCompression"), (77, "UnsupportedCompression")] {
        let mut other = plain.clone();
        other[directory + 10] = method;
        assert_eq!(found(&other), [format!("a: {kind}"), shown("b")]);
    }
}

#[test]
fn limits_refuse_by_name() {
    let limits =
        PackageLimits { members: 3, depth: 2, held_bytes: 2_000, expanded_bytes: 5_000, ..PackageLimits::default() };
    let many = |count| zip(&[("1", XML), ("2", XML), ("3", XML), ("4", XML)][..count]);
    assert_eq!(found_within(&many(3), &limits).len(), 3);
    assert_eq!(found_within(&many(4), &limits), ["-: MemberLimit"], "refused before a member is read");
    // An end record that states fewer does not help.
    let mut lying = many(4);
    let end = lying.len() - 22;
    lying[end + 8..end + 12].copy_from_slice(&[1, 0, 1, 0]);
    assert_eq!(found_within(&lying, &limits)[3], "-: MemberLimit");
    let members = join(&[&gzip(XML), &gzip(b" "), &gzip(b" "), &gzip(b" ")]);
    assert_eq!(found_within(&members, &limits), ["-: MemberLimit"]);

    assert_eq!(found_within(&gzip(&gzip(XML)), &limits), [shown("-")]);
    assert_eq!(found_within(&gzip(&gzip(&gzip(XML))), &limits), ["-: NestingLimit"]);
    let deep = format!("Subject: x\n{}\nx", "Content-Type: message/rfc822\n\n".repeat(20));
    assert_eq!(found(deep.as_bytes()), ["-: NestingLimit"]);
    let parts = format!("Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\n\n".repeat(1_001));
    assert_eq!(found(parts.as_bytes()), ["-: MemberLimit"]);

    let wide = join(&[b"Subject: x\n\n", &[b'x'; 2_000]]);
    assert_eq!(found_within(&wide, &limits), ["-: ContainerSizeLimit"]);
    let attachment = mail(&[("a/b", "x", &[b'x'; 900])]);
    assert_eq!(
        found_within(&attachment, &limits),
        ["-: ContainerSizeLimit"],
        "the mail and its decoded attachment together"
    );

    let large = join(&[XML, &[b' '; 5_000]]);
    assert_eq!(found_within(&gzip(&large), &limits), ["-: ExpandedSizeLimit"]);
    let both = zip(&[("a", &large[..3_000]), ("b", &large[..3_000])]);
    assert_eq!(found_within(&both, &limits), ["a: 3000 bytes", "b: ExpandedSizeLimit"], "all members together");
    let plain = join(&[XML, &vec![b' '; 50_000]]);
    let mut slow = io::BufReader::with_capacity(1_000, &plain[..]);
    let mut all = Vec::new();
    open(&mut slow, &limits, &mut |found| all.push(describe(found))).unwrap();
    assert_eq!(all.len(), 1);
    assert!(all[0].starts_with("-: ExpandedSizeLimit after"), "{all:?}");
}

/// A run of one byte in every wrapping is refused, and the report with the highest ratio there can be is not.
#[test]
fn bombs_are_told_from_large_reports() {
    let bomb = join(&[b"<feedback><!--", &vec![b' '; 20 << 20]]);
    let refused = |item: &[u8]| {
        let all = found(item);
        assert_eq!(all.len(), 1);
        let (_, after) = all[0].split_once("ExpandedSizeLimit after ").unwrap_or_else(|| panic!("{all:?}"));
        assert!(after.parse::<usize>().unwrap() < 8 << 20, "{after} bytes came out");
    };
    refused(&gzip(&bomb));
    refused(&zip(&[("a", &bomb)]));
    refused(&mail(&[("a/b", "x.zip", &zip(&[("a.gz", &gzip(&bomb))]))]));
    refused(&join(&[&gzip(XML), &gzip(&bomb)]));
    // A ratio of a thousand, twice.
    let twice = found(&gzip(&gzip(&join(&[b"<feedback>", &vec![b' '; 200 << 20]]))));
    assert!(twice[0].contains("ExpandedSizeLimit"), "{twice:?}");

    let row = format!("<record>{}</record>", "<x>192.0.2.1</x>".repeat(20));
    let repeated = [b"<feedback>".as_slice(), row.repeat(20_000).as_bytes(), b"</feedback>"].concat();
    let packed = gzip(&repeated);
    let ratio = repeated.len() / packed.len();
    assert!(ratio > 150, "{ratio} to 1 is no hard case");
    assert_eq!(found(&packed), [format!("-: {} bytes", repeated.len())], "one row for ever, {ratio} to 1");
}

/// Members that share their compressed bytes: each has a modest ratio, all together do not.
#[test]
fn overlapping_members_are_metered_together() {
    let row = "<x>192.0.2.1</x>".repeat(20);
    let kernel = [b"<feedback>".as_slice(), row.repeat(4_000).as_bytes()].concat();
    let single = zip(&[("a", &kernel)]);
    let directory = single.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    let end = single.len() - 22;
    let mut item = single[..directory].to_vec();
    for _ in 0..2_000 {
        item.extend_from_slice(&single[directory..end]);
    }
    let mut record = single[end..].to_vec();
    record[8..12].copy_from_slice(&[0xd0, 7, 0xd0, 7]);
    record[12..16].copy_from_slice(&u32::try_from(2_000 * (end - directory)).unwrap().to_le_bytes());
    item.extend_from_slice(&record);
    let all = found(&item);
    assert_eq!(all.len(), 2_000);
    let whole = all.iter().filter(|one| one.ends_with("bytes")).count();
    assert!(whole * kernel.len() <= 300 * item.len() + (2 << 20), "{whole} of 2000 came out");
    assert!(all[1_999].contains("ExpandedSizeLimit"));
}

/// An error of the item's own reader is neither the data's fault nor a rejection.
#[test]
fn the_disk_s_errors_come_out_as_they_are() {
    struct Failing<'a>(&'a [u8]);
    impl Read for Failing<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.fill_buf()?.read(into)?;
            self.consume(count);
            Ok(count)
        }
    }
    impl BufRead for Failing<'_> {
        fn fill_buf(&mut self) -> io::Result<&[u8]> {
            if self.0.is_empty() { Err(io::ErrorKind::HostUnreachable.into()) } else { Ok(self.0) }
        }
        fn consume(&mut self, amount: usize) {
            self.0 = &self.0[amount..];
        }
    }
    let long = gzip(&(0..90_000_u32).flat_map(|i| format!("<feedback>{i}").into_bytes()).collect::<Vec<_>>());
    for item in [&b"<feedback>"[..], &long, &zip(&[("a", XML)]), &mail(&[("a/b", "x", XML)]), b""] {
        let mut rejected = 0;
        let result = open(&mut Failing(item), &PackageLimits::default(), &mut |found| match found {
            Found::Rejected { .. } => rejected += 1,
            Found::Failure { .. } => panic!("there is none in it"),
            Found::Report { xml, .. } => {
                let error = io::copy(xml, &mut io::sink()).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::HostUnreachable);
            }
        });
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::HostUnreachable);
        assert_eq!(rejected, 0);
    }
}
