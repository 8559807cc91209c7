//! Input made to exhaust memory or time: what it must not cost, measured in a process of its own.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what a test builds for itself does not fail, and it says what it cost"
)]

use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Made, Place, counted, gzip, write_row};
use report::RejectionKind as Kind;

/// What an import may take, whatever the input.
const MEMORY_MAX: u64 = 200 << 20;

/// Generous, because test machines are shared and nothing is optimised; a second would do.
const TIME_MAX: Duration = Duration::from_mins(1);

/// What a child says of its import.
#[derive(Debug)]
struct Told {
    reports: u64,
    rows: u64,
    /// Kinds of rejection, and how many.
    refused: Vec<String>,
    rejected: u64,
    peak: u64,
    time: Duration,
}

const CHILD: &str = "COLLECT_TEST_IMPORTS";

/// The test that is the child: imports what it is told to, and says what came of it.
#[test]
fn child() {
    let Some(input) = std::env::var_os(CHILD) else { return };
    let place = Place::new();
    let summary = place.import(Path::new(&input));
    let kinds: Vec<_> = summary.rejections.iter().take(10).map(|r| format!("{:?}", r.rejection.kind)).collect();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap().trim().trim_end_matches(" kB").to_owned();
    let kinds = kinds.join(",");
    println!("TOLD {} {} {} {peak} {kinds}", summary.reports, summary.rows, summary.rejected);
}

/// Imports a file, or what `write` writes to standard input, in another process.
fn import_apart(input: &Path, write: impl FnOnce(&mut dyn Write)) -> Told {
    let begun = Instant::now();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "hostile::child", "--nocapture"])
        .env(CHILD, input)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = BufWriter::with_capacity(1 << 20, child.stdin.take().unwrap());
    write(&mut stdin);
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = said.lines().find_map(|line| line.split_once("TOLD ")).unwrap_or_else(|| panic!("{said}")).1;
    let mut words = told.split(' ');
    let mut number = || words.next().unwrap().parse::<u64>().unwrap();
    let (reports, rows, rejected, peak) = (number(), number(), number(), number() * 1024);
    let refused = words.next().unwrap().split(',').map(str::to_owned).collect();
    Told { reports, rows, refused, rejected, peak, time: begun.elapsed() }
}

fn import_file(bytes: &[u8]) -> Told {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("input");
    std::fs::write(&file, bytes).unwrap();
    let told = import_apart(&file, |_| ());
    println!("{told:?}");
    assert!(told.peak < MEMORY_MAX && told.time < TIME_MAX, "{told:?}");
    told
}

/// A zip archive of so many members of a few bytes, by hand; its end record states `stated` of them.
fn many_members(members: u32, stated: u16) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for number in 0..members {
        let name = format!("{number:07}");
        let at = u32::try_from(bytes.len()).unwrap();
        bytes.extend_from_slice(b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0");
        bytes.extend_from_slice(&[0; 12]);
        bytes.extend_from_slice(&[7, 0, 0, 0]);
        bytes.extend_from_slice(name.as_bytes());
        directory.extend_from_slice(b"PK\x01\x02\x14\0\x14\0\0\0\0\0\0\0\0\0");
        directory.extend_from_slice(&[0; 12]);
        directory.extend_from_slice(&[7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        directory.extend_from_slice(&at.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let (at, size) = (u32::try_from(bytes.len()).unwrap(), u32::try_from(directory.len()).unwrap());
    bytes.extend_from_slice(&directory);
    bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    bytes.extend_from_slice(&[stated.to_le_bytes(), stated.to_le_bytes()].concat());
    bytes.extend_from_slice(&[size.to_le_bytes(), at.to_le_bytes()].concat());
    bytes.extend_from_slice(&[0, 0]);
    bytes
}

#[test]
fn a_million_members_are_refused() {
    for stated in [0xffff, 16_960, 1] {
        let told = import_file(&many_members(1_000_000, stated));
        assert_eq!((told.rejected, &told.refused[..]), (1, &["MemberLimit".to_owned()][..]), "{told:?}");
    }
}

#[test]
fn a_bomb_is_refused_in_every_wrapping() {
    let bomb = gzip(&[b"<feedback><!--".as_slice(), &vec![b' '; 300 << 20]].concat());
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file("bomb.xml.gz", zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(&bomb).unwrap();
    let archive = archive.finish().unwrap().into_inner();
    let mut mail =
        b"Subject: x\nContent-Type: application/zip; name=b.zip\nContent-Transfer-Encoding: binary\n\n".to_vec();
    mail.extend_from_slice(&archive);
    for item in [&bomb, &archive, &mail, &gzip(&bomb)] {
        let told = import_file(item);
        assert_eq!(told.refused, ["ExpandedSizeLimit"], "{told:?}");
    }
}

/// A gigabyte of text in one element, through standard input.
#[test]
fn an_endless_text_is_refused() {
    let told = import_apart(Path::new("-"), |out| {
        let _ = out.write_all(b"<feedback><report_metadata><org_name>");
        let piece = vec![b'x'; 1 << 20];
        for _ in 0..1_024 {
            let _ = out.write_all(&piece);
        }
        let _ = out.write_all(b"</org_name></report_metadata></feedback>");
    });
    println!("{told:?}");
    assert_eq!(told.refused, ["FieldTooLong"], "{told:?}");
    assert!(told.peak < MEMORY_MAX && told.time < TIME_MAX, "{told:?}");
}

/// Rows of nearly a megabyte each: as much as one row may have, many times.
#[test]
fn rows_of_a_megabyte_pass_in_little_memory() {
    let mut signatures = String::new();
    for number in 0..900 {
        let _ = write!(
            signatures,
            "<dkim><domain>d{number}.example</domain><result>fail</result><human_result>{}</human_result></dkim>",
            "why not ".repeat(125)
        );
    }
    let empty = Made { rows: Vec::new(), ..Made::default() }.xml();
    let (head, tail) = empty.split_at(empty.len() - "</feedback>\n".len());
    let mut xml = head.to_owned();
    for number in 0..300_u32 {
        let mut row = String::new();
        write_row(&mut row, &format!("192.0.2.{}", number % 250), 1, "contoso.example");
        xml += &row.replace("<auth_results>", &format!("<auth_results>{signatures}"));
    }
    xml += tail;
    let told = import_file(&gzip(xml.as_bytes()));
    assert_eq!((told.reports, told.rows, told.rejected), (1, 300, 0), "{told:?}");
    // The same rows in front of the header, which have to be held until it comes.
    let rows = &xml[head.len()..xml.len() - tail.len()];
    let (opening, header) = head.split_once("<report_metadata>").unwrap();
    let turned = format!("{opening}{rows}<report_metadata>{header}{tail}");
    let told = import_file(&gzip(turned.as_bytes()));
    assert_eq!(told.reports + told.rejected, 1, "{told:?}");
}

/// The largest legitimate mail: a report of a hundred thousand rows as a zip archive in base64.
#[test]
fn a_large_report_in_a_mail_is_taken_in() {
    let mut xml = Made { rows: Vec::new(), ..Made::default() }.xml().replace("</feedback>\n", "");
    for number in 0..100_000_u64 {
        let source = format!("10.{}.{}.{}", number >> 16, number >> 8 & 255, number & 255);
        write_row(&mut xml, &source, number % 7 + 1, "contoso.example");
    }
    xml += "</feedback>";
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file("r.xml", zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(xml.as_bytes()).unwrap();
    let archive = archive.finish().unwrap().into_inner();
    let mut mail =
        b"Subject: x\nContent-Type: application/zip; name=b.zip\nContent-Transfer-Encoding: binary\n\n".to_vec();
    mail.extend_from_slice(&archive);
    let told = import_file(&mail);
    assert_eq!((told.reports, told.rows, told.rejected), (1, 100_000, 0), "{told:?}");
}

/// A mail of so many header fields, parts and levels as fit into thirty megabytes.
#[test]
fn mails_of_nothing_but_structure_cost_little() {
    let mut nested = String::from("Subject: x\n");
    for number in 0..300_000 {
        let _ = write!(nested, "Content-Type: multipart/mixed; boundary=b{number}\n\n--b{number}\n");
    }
    for (mail, kind) in [
        (format!("Subject: x\n{}", "a:\n".repeat(10_000_000)), "NoReport"),
        (
            format!("Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\n".repeat(6_000_000)),
            "MemberLimit",
        ),
        (nested, "NestingLimit"),
    ] {
        let told = import_file(mail.as_bytes());
        assert_eq!(told.refused, [kind], "{told:?}");
    }
}

#[test]
fn a_mailbox_of_a_hundred_thousand_messages() {
    const SEPARATOR: &str = "From a@b.example Thu Jan  1 00:00:00 1970\n";
    let told = import_apart(Path::new("-"), |out| {
        for number in 0..100_000_u32 {
            let body = if number % 10 == 0 {
                crate::support::mail("x", &Made { id: &number.to_string(), ..Made::default() }.xml())
            } else {
                format!("Subject: {number}\n\nhello\n")
            };
            let _ = writeln!(out, "{SEPARATOR}{body}");
        }
    });
    println!("{told:?}");
    assert_eq!((told.reports, told.rows, told.rejected), (10_000, 10_000, 90_000), "{told:?}");
    assert!(told.peak < MEMORY_MAX, "{told:?}");
}

#[test]
fn a_folder_of_fifty_thousand_files() {
    let folder = tempfile::TempDir::new().unwrap();
    for number in 0..50_000_u32 {
        let path = folder.path().join(format!("{number}.xml"));
        if number % 5 == 0 {
            std::fs::write(path, Made { id: &number.to_string(), ..Made::default() }.xml()).unwrap();
        } else {
            std::fs::write(path, format!("file {number}")).unwrap();
        }
    }
    let told = import_apart(folder.path(), |_| ());
    println!("{told:?}");
    assert_eq!((told.reports, told.rows, told.rejected), (10_000, 10_000, 40_000), "{told:?}");
    assert!(told.peak < MEMORY_MAX, "{told:?}");
}

/// All rejections are counted and known to the ledger; the summary lists as many as anybody reads.
#[test]
fn the_summary_does_not_grow_without_end() {
    let place = Place::new();
    let mut mailbox = String::new();
    for number in 0..12_000 {
        let _ = write!(mailbox, "From a@b.example Thu Jan  1 00:00:00 1970\nSubject: {number}\n\nhello\n\n");
    }
    place.file("mailbox", mailbox);
    let summary = place.import_all();
    assert_eq!((summary.items, summary.rejected, summary.rejections.len()), (12_000, 12_000, 10_000));
    assert!(summary.rejections.iter().all(|r| r.rejection.kind == Kind::NoReport));
    assert_eq!(place.ledger.rejections(0, 1).unwrap().1, 12_000);
    assert_eq!(counted(&place.ledger), (0, 0));
}
