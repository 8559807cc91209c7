//! A message on its way in: where its header ends, what is odd about it, and that the places where it is cut change nothing.

use message::{
    AnomalyKind, Body, BodyFacts, Header, HeaderError, HeaderLimits, HeaderReader, LineEnds, Progress, split,
};
use proptest::prelude::*;

type Read = (Header<'static>, Vec<u8>, BodyFacts);

/// Reads a message in pieces that end where the `cuts` say.
fn read(message: &[u8], cuts: &[usize]) -> Result<Read, HeaderError> {
    let mut places: Vec<_> = cuts.iter().map(|cut| cut % (message.len() + 1)).collect();
    places.push(message.len());
    places.sort_unstable();
    let mut reader = Some(HeaderReader::new(HeaderLimits::default()));
    let mut done: Option<(Header<'static>, Body)> = None;
    let (mut from, mut text) = (0, Vec::new());
    for to in places {
        let mut piece = &message[from..to];
        from = to;
        if let Some(open) = reader.as_mut() {
            match open.feed(piece)? {
                Progress::More => continue,
                Progress::Done { header, body, rest } => {
                    piece = &piece[rest..];
                    done = Some((header, body));
                    reader = None;
                }
            }
        }
        if let Some((_, body)) = done.as_mut() {
            body.feed(piece, |bytes| text.extend_from_slice(bytes));
        }
    }
    let (header, body) = match reader {
        Some(open) => open.finish()?,
        None => done.expect("the header ended"),
    };
    let facts = body.finish(|bytes| text.extend_from_slice(bytes));
    Ok((header, text, facts))
}

/// `name=value|…`, then the anomalies, then the body.
fn shown(message: &[u8]) -> String {
    let (header, body, facts) = read(message, &[]).expect("within the limits");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let fields: Vec<_> =
        header.fields().map(|f| format!("{}={}", text(f.name), text(f.value).escape_debug())).collect();
    let odd: Vec<_> = header.anomalies().iter().map(|a| format!("{}@{}x{}", a.kind, a.at, a.count)).collect();
    let alone = if facts.bare_cr + facts.bare_lf > 0 {
        format!(" cr{} lf{}", facts.bare_cr, facts.bare_lf)
    } else {
        String::new()
    };
    assert_eq!(facts.bytes, body.len() as u64);
    format!("{} [{}] {}{alone}", fields.join("|"), odd.join(" "), text(&body).escape_debug())
}

const CASES: &[(&str, &[u8], &str)] = &[
    ("CRLF", b"A: 1\r\nB:2\r\n\r\nx\r\n", r"A= 1\r\n|B=2\r\n [] x\r\n"),
    ("LF is made into CRLF, once", b"A: 1\n 2\n\nx\ny\n", r"A= 1\r\n 2\r\n [] x\r\ny\r\n"),
    ("LF with a CRLF in it", b"A: 1\nB: 2\r\n\r\nx\r\ny\n", r"A= 1\r\n|B= 2\r\n [mixed_line_ends@10x2] x\r\ny\r\n"),
    (
        "a lone LF in a CRLF header ends no line",
        b"A: 1\r\nB: 2\nC: 3\r\n\r\n",
        r"A= 1\r\n|B= 2\nC: 3\r\n [bare_lf@10x1] ",
    ),
    ("a lone CR", b"A: 1\r\nB: 2\rC: 3\r\n\r\n", r"A= 1\r\n|B= 2\rC: 3\r\n [bare_cr@10x1] "),
    ("E11 NUL", b"A: \x00\x00\r\n\r\n", r"A= \0\0\r\n [nul@3x2] "),
    ("white space before the colon", b"A : 1\r\nB\t :2\r\n\r\n", r"A= 1\r\n|B=2\r\n [space_before_colon@0x2] "),
    ("a first line that continues nothing", b" x: 1\r\n y\r\nA: 1\r\n\r\n", r"A= 1\r\n [first_line_continuation@0x2] "),
    ("a folded name", b"A: 1\r\nB\r\n : 2\r\n 3\r\n\r\n", r"A= 1\r\n|B= 2\r\n 3\r\n [folded_name@6x1] "),
    ("a folded name with a space", b"B \r\n\t: 2\r\n\r\n", r"B= 2\r\n [folded_name@0x1] "),
    ("a name whose colon never comes", b"A: 1\r\nB\r\n 2\r\n\r\nx", r"A= 1\r\n [missing_colon@6x1] B\r\n 2\r\n\r\nx"),
    (
        "a name whose colon never comes, then a field",
        b"A: 1\r\nB\r\nC: 2\r\n\r\nx",
        r"A= 1\r\n [missing_colon@6x1] B\r\nC: 2\r\n\r\nx",
    ),
    ("a name without colon at the empty line", b"A: 1\r\nB\r\n\r\nx", r"A= 1\r\n [missing_colon@6x1] B\r\n\r\nx"),
    (
        "a line without colon ends the header",
        b"A: 1\r\nno field\r\nC: 2\r\n",
        r"A= 1\r\n [missing_colon@6x1] no field\r\nC: 2\r\n",
    ),
    (
        "a name with a space in it ends the header",
        b"A: 1\r\nFr om: 2\r\n\r\n",
        r"A= 1\r\n [bad_name@6x1] Fr om: 2\r\n\r\n",
    ),
    ("a name with 8 bits", "A: 1\r\n\u{e9}: 2\r\n\r\n".as_bytes(), "A= 1\\r\\n [bad_name@6x1] \u{e9}: 2\\r\\n\\r\\n"),
    ("no name", b"A: 1\r\n: 2\r\n\r\n", r"A= 1\r\n [bad_name@6x1] : 2\r\n\r\n"),
    (
        "a lone LF after the header is no empty line",
        b"A: 1\r\n\nB: 2\r\n\r\n",
        r"A= 1\r\n [bad_name@6x1] \nB: 2\r\n\r\n cr0 lf1",
    ),
    ("no empty line", b"A: 1\r\nB: 2\r\n", r"A= 1\r\n|B= 2\r\n [missing_blank_line@12x1] "),
    ("cut inside the last field", b"A: 1\r\nB: 2", r"A= 1\r\n|B= 2\r\n [missing_blank_line@12x1] "),
    ("cut between CR and LF", b"A: 1\r\nB: 2\r", r"A= 1\r\n|B= 2\r\n [missing_blank_line@12x1] "),
    ("cut inside a name", b"A: 1\r\nB", r"A= 1\r\n [missing_colon@6x1] B\r\n"),
    ("an mbox line", b"From a@b Thu Jan 1 00:00\nA: 1\n\nx", r"A= 1\r\n [mbox_line@0x1] x"),
    ("no header", b"\r\nx", r" [] x"),
    ("nothing", b"", r" [missing_blank_line@0x1] "),
    (
        "E10 LF dot LF, and a second message: one message, and it says how many lone LFs there are",
        b"From: a@x\r\n\r\nx\n.\nMAIL FROM:<a@legit.test>\r\nDATA\r\nFrom: b@y\r\n\r\n",
        r"From= a@x\r\n [] x\n.\nMAIL FROM:<a@legit.test>\r\nDATA\r\nFrom: b@y\r\n\r\n cr0 lf2",
    ),
    (
        "E10 CR dot CRLF",
        b"From: a@x\r\n\r\nx\r.\r\nMAIL FROM:<a@legit.test>\r\n",
        r"From= a@x\r\n [] x\r.\r\nMAIL FROM:<a@legit.test>\r\n cr1 lf0",
    ),
    (
        "E10 LF dot CRLF",
        b"From: a@x\r\n\r\nx\n.\r\nMAIL FROM:<a@legit.test>\r\n",
        r"From= a@x\r\n [] x\n.\r\nMAIL FROM:<a@legit.test>\r\n cr0 lf1",
    ),
    (
        "E10 CR dot CR",
        b"From: a@x\r\n\r\nx\r.\rMAIL FROM:<a@legit.test>\r\n",
        r"From= a@x\r\n [] x\r.\rMAIL FROM:<a@legit.test>\r\n cr2 lf0",
    ),
    (
        "E10 the same in the header: no empty line for us, and it is named",
        b"From: a@x\r\nSubject: y\n\n.\nMAIL FROM:<a@legit.test>\r\n\r\nz",
        r"From= a@x\r\n|Subject= y\n\n.\nMAIL FROM:<a@legit.test>\r\n [bare_lf@21x3] z",
    ),
    (
        "a body with lone line ends: it could smuggle",
        b"A: 1\r\n\r\nx\n.\r\ny\r.\r\n\n",
        r"A= 1\r\n [] x\n.\r\ny\r.\r\n\n cr1 lf2",
    ),
    ("an LF body with a CRLF and a lone CR", b"A: 1\n\nx\r\ny\rz\n\n", r"A= 1\r\n [] x\r\ny\rz\r\n\r\n cr1 lf0"),
    ("a body that ends in CR", b"A: 1\r\n\r\nx\r", r"A= 1\r\n [] x\r cr1 lf0"),
];

#[test]
fn header_and_body() {
    for (why, message, expected) in CASES {
        assert_eq!(shown(message), *expected, "{why}");
        for cut in 0..=message.len() {
            assert_eq!(read(message, &[cut]), read(message, &[]), "{why}, cut at {cut}");
        }
    }
    println!("{} cases of headers", CASES.len());
}

#[test]
fn places_and_line_ends() {
    let message = b"A: 1\n 2\nFrom : x\n\n";
    let (header, _, _) = split(message, &HeaderLimits::default()).unwrap();
    assert_eq!(header.line_ends(), LineEnds::Lf);
    assert_eq!(header.bytes(), b"A: 1\r\n 2\r\nFrom : x\r\n");
    let from = header.named("FROM").next().unwrap();
    assert_eq!((from.at, from.name, from.value, from.raw), (10, &b"From"[..], &b" x\r\n"[..], &b"From : x\r\n"[..]));
    assert!(header.has(AnomalyKind::SpaceBeforeColon));
}

#[test]
fn limits_are_named() {
    let limits = HeaderLimits { bytes: 100, fields: 3 };
    let long = [b'a'; 200];
    assert_eq!(split(&long, &limits).err(), Some(HeaderError::Bytes(100)));
    assert_eq!(split(b"A:\r\nA:\r\nA:\r\nA:\r\n\r\n", &limits).err(), Some(HeaderError::Fields(3)));
    assert!(split(&[b"A:\r\nA:\r\nA:\r\n\r\n".as_slice(), &long].concat(), &limits).is_ok(), "the body has no limit");
}

proptest! {
    /// Text of the characters that matter, cut anywhere, comes out the same.
    #[test]
    fn where_it_is_cut_changes_nothing(message in "[aF: \t\r\n\u{0}]{0,60}", long in 0..3_usize, cuts in prop::collection::vec(any::<usize>(), 0..6)) {
        let message = format!("{message}{}", "b\r\nc d\n".repeat(long * 3_000));
        prop_assert_eq!(read(message.as_bytes(), &cuts), read(message.as_bytes(), &[]));
    }

    /// A file with LF is read as the same message as one with CRLF.
    #[test]
    fn lf_and_crlf_are_one_message(message in "(A: [a \t]{0,9}\n){1,3}\n[ab \t\n]{0,60}") {
        let (lf, crlf) = (read(message.as_bytes(), &[]).unwrap(), read(message.replace('\n', "\r\n").as_bytes(), &[]).unwrap());
        prop_assert_eq!(lf.0.bytes(), crlf.0.bytes());
        prop_assert_eq!((lf.1, lf.2), (crlf.1, crlf.2));
    }

    /// Whatever comes in, every line of the header ends in CRLF, and fields lie in it in order without overlap.
    #[test]
    fn fields_lie_in_order(message in prop::collection::vec(prop::sample::select(b"aF:- \t\r\n\0\xff".to_vec()), 0..80)) {
        let (header, _, _) = read(&message, &[]).unwrap();
        let mut end = 0;
        for field in header.fields() {
            prop_assert!(field.at == end && field.raw.ends_with(b"\r\n") && !field.name.is_empty());
            prop_assert!(field.raw.ends_with(field.value) && field.raw.starts_with(field.name));
            end = field.at + field.raw.len();
            prop_assert_eq!(&header.bytes()[field.at..end], field.raw);
        }
        prop_assert_eq!(header.bytes().len(), end);
    }
}
