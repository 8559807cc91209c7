//! The same bytes in other pieces, in a smaller window, in another encoding, or without end: what is read stays the same, and bounded.

use std::io::{self, BufRead, Read};

use proptest::prelude::*;
use report::{Limits, RejectionKind};

use crate::corners::{BASE, texts};
use crate::support::{file, manifest, read, read_within, suites};

/// Bytes given out in pieces of changing size.
struct Pieces<'a> {
    rest: &'a [u8],
    sizes: std::iter::Cycle<std::slice::Iter<'a, usize>>,
    piece: usize,
}

impl<'a> Pieces<'a> {
    fn new(bytes: &'a [u8], sizes: &'a [usize]) -> Self {
        Self { rest: bytes, sizes: sizes.iter().cycle(), piece: 0 }
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(to)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Pieces<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.piece == 0 {
            self.piece = self.sizes.next().copied().unwrap_or(1);
        }
        Ok(&self.rest[..self.piece.min(self.rest.len())])
    }

    fn consume(&mut self, count: usize) {
        self.rest = &self.rest[count..];
        self.piece -= count;
    }
}

/// A window that just holds the longest text or tag of the corner cases, so that it has to slide all the time.
const SMALL_WINDOW: usize = 256;

proptest! {
    // Each case reads all corner cases.
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn pieces_and_window_change_nothing(sizes in prop::collection::vec(1_usize..40, 1..5), window in SMALL_WINDOW..2_000) {
        let limits = Limits { field_bytes: window, ..Limits::default() };
        for text in texts() {
            prop_assert_eq!(read_within(Pieces::new(text.as_bytes(), &sizes), &limits), read(text.as_bytes()), "{}", text);
        }
    }
}

#[test]
fn every_cut_of_a_real_report_reads_the_same() {
    let Some(suites) = suites() else { return };
    let mut ran = 0;
    for expected in manifest(&suites).iter().step_by(20) {
        let bytes = file(&suites.join("reports").join(&expected.file));
        let whole = read(bytes.as_slice());
        for sizes in [&[1][..], &[2, 3], &[1000, 1]] {
            let limits = Limits { field_bytes: 512, ..Limits::default() };
            assert_eq!(read_within(Pieces::new(&bytes, sizes), &limits), whole, "{}", expected.file);
        }
        ran += 1;
    }
    println!("{ran} real reports in pieces");
    assert!(ran > 80, "only {ran} ran");
}

#[test]
fn truncated_anywhere_it_is_refused_or_says_so() {
    let whole = read(BASE.as_bytes()).unwrap();
    let end = BASE.find("</feedback>").unwrap();
    for cut in 0..end {
        match read(&BASE.as_bytes()[..cut]) {
            // All rows are there; only the end tag is not.
            Ok(cut_off) => {
                assert!(BASE[..cut].trim_end().ends_with("</record>"), "cut at {cut}");
                assert_eq!(cut_off.rows, whole.rows);
                assert_eq!(cut_off.finished.flaws.len(), 1, "cut at {cut}");
            }
            Err(rejection) => assert!(
                matches!(rejection.kind, RejectionKind::NotWellFormed | RejectionKind::NoReport),
                "cut at {cut}: {rejection:?}"
            ),
        }
    }
}

#[test]
fn encodings_read_the_same() {
    let whole = read(BASE.replace(">Reporter<", ">Bücher & Söhne €<").as_bytes()).unwrap();
    let text = BASE.replace(">Reporter<", ">Bücher &amp; Söhne €<");
    let utf16 = |to_bytes: fn(u16) -> [u8; 2], mark: bool| -> Vec<u8> {
        let mark = mark.then_some('\u{feff}').into_iter();
        let units: Vec<u16> = mark.chain(text.chars()).collect::<String>().encode_utf16().collect();
        units.into_iter().flat_map(to_bytes).collect()
    };
    let windows = text.replace("UTF-8", "windows-1252");
    let (windows_1252, _, _) = encoding_rs::WINDOWS_1252.encode(&windows);
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("UTF-16 with a mark, little end first", utf16(u16::to_le_bytes, true), ""),
        ("UTF-16 with a mark, big end first", utf16(u16::to_be_bytes, true), ""),
        ("UTF-16 without a mark", utf16(u16::to_le_bytes, false), "EncodingWithoutMark"),
        ("UTF-16 without a mark, big end first", utf16(u16::to_be_bytes, false), "EncodingWithoutMark"),
        ("windows-1252", windows_1252.to_vec(), ""),
        ("UTF-8 under the label windows-1252", windows.clone().into_bytes(), ""),
    ];
    for (why, bytes, flaw) in cases {
        for sizes in [&[1][..], &[7, 2], &[100_000]] {
            let got = read(Pieces::new(&bytes, sizes)).unwrap_or_else(|rejection| panic!("{why}: {rejection}"));
            assert_eq!((&got.report, &got.rows), (&whole.report, &whole.rows), "{why}");
            assert_eq!(got.finished.identity, whole.finished.identity, "{why}");
            let kinds: Vec<String> = got.finished.flaws.iter().map(|flaw| format!("{:?}", flaw.kind)).collect();
            assert_eq!(kinds.join(" "), flaw, "{why}");
        }
    }
}

#[test]
fn what_is_not_in_the_encoding_is_replaced_and_noted() {
    let mut bytes = BASE.replace(">Reporter<", ">R#D<").into_bytes();
    let at = bytes.iter().position(|b| *b == b'#').unwrap();
    bytes[at] = 0x91;
    let whole = read(bytes.as_slice()).unwrap();
    assert_eq!(whole.report.reporter.organization, "R\u{fffd}D");
    assert_eq!(whole.finished.flaws[0].kind, report::FlawKind::InvalidUtf8);

    let units: Vec<u16> =
        format!("\u{feff}{BASE}").encode_utf16().map(|u| if u == 0x52 { 0xd800 } else { u }).collect();
    let bytes: Vec<u8> = units.into_iter().flat_map(u16::to_le_bytes).collect();
    let whole = read(bytes.as_slice()).unwrap();
    assert_eq!(whole.report.reporter.organization, "\u{fffd}eporter");
    assert_eq!(whole.finished.flaws[0].kind, report::FlawKind::InvalidUtf8);
}

/// A beginning, then one byte over and over, counting what was taken.
struct Endless<'a> {
    start: &'a [u8],
    filler: Vec<u8>,
    at: usize,
    taken: u64,
}

impl Read for Endless<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(to)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Endless<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(if self.start.is_empty() { &self.filler[self.at..] } else { self.start })
    }

    fn consume(&mut self, count: usize) {
        self.taken += count as u64;
        if self.start.is_empty() {
            self.at = (self.at + count) % self.filler.len();
        } else {
            self.start = &self.start[count..];
        }
    }
}

#[test]
fn what_never_ends_is_refused_after_little() {
    use RejectionKind::{FieldTooLong, HeaderAfterRows, NoReport, PartTooLong, TooDeep, TooManyResults};
    let long = format!("<dkim><domain>{}</domain></dkim>", "a".repeat(4_000));
    let cases: &[(&str, &str, &[u8], RejectionKind)] = &[
        ("a text", "<feedback><report_metadata><org_name>", b"a", FieldTooLong),
        ("a text of references", "<feedback><report_metadata><org_name>", b"&lt;", FieldTooLong),
        ("a text in pieces", "<feedback><report_metadata><org_name>", b"a<!-- -->", FieldTooLong),
        ("CDATA", "<feedback><report_metadata><org_name><![CDATA[", b"a", FieldTooLong),
        ("a name", "<feedback><", b"a", FieldTooLong),
        ("an attribute", "<feedback a='", b"<", NoReport),
        ("stray brackets in a text", "<feedback><report_metadata><org_name>", b"<a", FieldTooLong),
        ("stray end tags in a text", "<feedback><report_metadata><org_name>", b"</", FieldTooLong),
        ("nesting", "<feedback>", b"<a>", TooDeep),
        ("errors", "<feedback><report_metadata>", b"<error>a</error>", TooManyResults),
        ("signatures", "<feedback><record><auth_results>", b"<dkim><domain>a</domain></dkim>", TooManyResults),
        ("long signatures", "<feedback><record><auth_results>", long.as_bytes(), PartTooLong),
        ("rows before the header", "<feedback>", b"<record><row/></record>", HeaderAfterRows),
        ("junk", "", b"<a>", NoReport),
        ("text", "", b"a", NoReport),
    ];
    for (why, start, filler, kind) in cases {
        // Pieces of a real size: whole fillers, repeated.
        let mut endless =
            Endless { start: start.as_bytes(), filler: filler.repeat(8_192 / filler.len() + 1), at: 0, taken: 0 };
        let rejection = read(&mut endless).expect_err(why);
        assert_eq!(rejection.kind, *kind, "{why}: {rejection}");
        assert!(endless.taken < 1_500_000, "{why}: {} bytes were taken", endless.taken);
    }
}

#[test]
fn what_may_be_long_is_read_over_up_to_the_size_limit() {
    let limits = Limits { xml_bytes: 3_000_000, ..Limits::default() };
    for (why, start, filler) in [
        ("a comment", "<feedback><!--", "a"),
        ("white space", "<feedback>", " "),
        ("text between elements", "<feedback>", "a"),
        ("an extension", "<feedback><extension>", "<a>text</a>"),
        ("after the report", BASE, "<"),
    ] {
        let mut endless =
            Endless { start: start.as_bytes(), filler: filler.repeat(8_192).into_bytes(), at: 0, taken: 0 };
        let rejection = read_within(&mut endless, &limits).expect_err(why);
        assert_eq!(rejection.kind, RejectionKind::ExpandedSizeLimit, "{why}: {rejection}");
    }
}

#[test]
fn a_rejection_inside_an_io_error_comes_out_as_itself() {
    struct Failing(Option<io::Error>);
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            self.0.take().map_or(Ok(0), Err)
        }
    }
    let carried = report::Rejection::new(RejectionKind::Encrypted, "a padlock is on it");
    for (error, kind) in
        [(io::Error::from(carried), RejectionKind::Encrypted), (io::Error::other("dust"), RejectionKind::Unreadable)]
    {
        let start = &BASE.as_bytes()[..BASE.len() - 30];
        let input = io::BufReader::new(start.chain(Failing(Some(error))));
        assert_eq!(read(input).unwrap_err().kind, kind);
    }
}

#[test]
fn rows_may_be_many() {
    let row = &BASE[BASE.find("<record>").unwrap()..BASE.find("</feedback>").unwrap()];
    let header = &BASE[..BASE.find("<record>").unwrap()];
    let text = format!("{header}{}</feedback>", row.repeat(100_000));
    let whole = read_within(text.as_bytes(), &Limits { rows: 100_000, ..Limits::default() }).unwrap();
    assert_eq!((whole.finished.totals.rows, whole.finished.totals.messages), (100_000, 200_000));
    assert_eq!(whole.finished.totals.sources, 1);
    let rejection = read_within(text.as_bytes(), &Limits { rows: 99_999, ..Limits::default() }).unwrap_err();
    assert_eq!(rejection.kind, RejectionKind::TooManyRows);
}
