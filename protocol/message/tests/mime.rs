//! The MIME walk: which leaves come out of which message, decoded how, and which limit ends it.

use std::fmt::Write as _;

use message::{Error, Limits, parts};

/// Every leaf as `media type|name|bytes`.
fn leaves(message: &[u8], limits: &Limits) -> (Vec<String>, Result<(), Error>) {
    let mut seen = Vec::new();
    let result = parts(message, limits, &mut |part| {
        let name = part.name.unwrap_or_else(|| "-".into());
        seen.push(format!("{}|{name}|{}", part.media_type, String::from_utf8_lossy(&part.bytes)));
        true
    });
    (seen, result)
}

/// Why the case is there, the message, its leaves.
const CASES: &[(&str, &str, &[&str])] = &[
    ("no MIME at all", "From: a\n\nhello\n", &["text/plain|-|hello\n"]),
    ("no header at all", "\nhello", &["text/plain|-|hello"]),
    (
        "the whole message is the attachment (Google)",
        "Content-Type: Application/ZIP; name=\"a.zip\"\nContent-Transfer-Encoding: BASE64\n\naGVsbG8=\n",
        &["application/zip|a.zip|hello"],
    ),
    (
        "two parts, CRLF: the line end before a delimiter belongs to it",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: text/xml\r\n\r\n<x/>\r\n\r\n--b--\r\nepilogue",
        &["text/plain|-|one", "text/xml|-|<x/>\r\n"],
    ),
    (
        "one boundary is the beginning of the other",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=\"b-1\"\n\n--b-1\n\none\n--b-1\n\ntwo\n--b-1--\n--b\n\nthree\n--b--\n",
        &["text/plain|-|one", "text/plain|-|two", "text/plain|-|three"],
    ),
    (
        "white space after the delimiter; a delimiter inside a line is none",
        "Content-Type: multipart/mixed; boundary=b\n\n--b \t\n\nx --b\n --b\n--b--",
        &["text/plain|-|x --b\n --b"],
    ),
    (
        "cut off before the closing delimiter",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n",
        &["text/plain|-|one\n"],
    ),
    (
        "a delimiter that never comes",
        "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\naGVsbG8=",
        &["multipart/mixed|-|hello"],
    ),
    ("no boundary", "Content-Type: multipart/mixed\n\nx", &["multipart/mixed|-|x"]),
    (
        "a message as attachment, and one inside of that",
        "Content-Type: message/rfc822\n\nContent-Type: message/rfc822\nSubject: x\n\nContent-Type: text/csv; name=n\n\na,b",
        &["text/csv|n|a,b"],
    ),
    (
        "a message that is base64, against RFC 2046 §5.2.1",
        "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nQ29udGVudC1UeXBlOiBhL2IKCmM=",
        &["a/b|-|c"],
    ),
    (
        "messages without a label in a digest",
        "Content-Type: multipart/digest; boundary=b\n\n--b\n\nContent-Type: a/b\n\n1\n--b\n\nContent-Type: c/d\n\n2\n--b--",
        &["a/b|-|1", "c/d|-|2"],
    ),
    (
        "encoded word as a name",
        "Content-Disposition: attachment; filename=\"=?utf-8?B?YS54bWwuZ3o=?=\"\n\n",
        &["text/plain|a.xml.gz|"],
    ),
    (
        "RFC 2231 name in pieces, with a charset",
        "Content-Disposition: attachment;\n filename*0*=utf-8''%C3%BC-;\n filename*1=\"b.gz\"\n\n",
        &["text/plain|\u{fc}-b.gz|"],
    ),
    (
        "the name of the label where the disposition has none",
        "Content-Disposition: attachment\nContent-Type: a/b; name=c\n\n",
        &["a/b|c|"],
    ),
    ("Trustwave's spelling", "ContentType: application/gzip; name=x.gz\n\n1", &["application/gzip|x.gz|1"]),
    (
        "quoted-printable",
        "Content-Transfer-Encoding: Quoted-Printable\n\n<a b=3D\"1\"/>=\n<c/>",
        &["text/plain|-|<a b=\"1\"/><c/>"],
    ),
    (
        "base64 with a footer",
        "Content-Transfer-Encoding: base64\n\naGVs\nbG8=\n\n-- \na footer\n",
        &["text/plain|-|hello"],
    ),
    ("a comment after the encoding", "Content-Transfer-Encoding: base64 (x)\n\naGVsbG8=", &["text/plain|-|hello"]),
    ("no empty line before the body", "Content-Transfer-Encoding: base64\naGVsbG8=\n", &["text/plain|-|hello"]),
    ("nothing", "", &["text/plain|-|"]),
];

#[test]
fn leaves_come_out_in_order() {
    for (why, message, expected) in CASES {
        let (seen, result) = leaves(message.as_bytes(), &Limits::default());
        assert_eq!(result, Ok(()), "{why}");
        assert_eq!(seen, *expected, "{why}");
    }
}

#[test]
fn a_limit_ends_the_walk_with_its_name() {
    let limits = Limits { parts: 5, depth: 3, decoded_bytes: 10 };
    let many = format!("Content-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\nx\n".repeat(4));
    assert_eq!(leaves(many.as_bytes(), &limits).1, Ok(()));
    let more = format!("{many}--b\n\nx\n");
    let (seen, result) = leaves(more.as_bytes(), &limits);
    assert_eq!((seen.len(), result), (4, Err(Error::Parts(5))), "what came before the limit has been seen");

    let deep = |levels: usize| format!("{}\n\nx", "Content-Type: message/rfc822\n\n".repeat(levels));
    assert_eq!(leaves(deep(3).as_bytes(), &limits).1, Ok(()));
    assert_eq!(leaves(deep(4).as_bytes(), &limits).1, Err(Error::Depth(3)));

    let encoded = |body: &str| format!("Content-Transfer-Encoding: base64\n\n{body}");
    assert_eq!(leaves(encoded("aGVsbG8=").as_bytes(), &limits).1, Ok(()));
    assert_eq!(leaves(encoded("aGVsbG8gaGVsbG8=").as_bytes(), &limits).1, Err(Error::DecodedBytes(10)));
    // Two of eight bytes, one after the other, are not held at the same time; one inside the other are.
    let twice = "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Transfer-Encoding: base64\n\naGVsbG9oZQ==\n--b\nContent-Transfer-Encoding: base64\n\naGVsbG9oZQ==\n--b--";
    assert_eq!(leaves(twice.as_bytes(), &limits), (vec!["text/plain|-|hellohe".to_owned(); 2], Ok(())));
}

#[test]
fn the_visitor_can_stop() {
    let mut seen = 0;
    let message = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n1\n--b\n\n2\n--b--";
    let result = parts(message, &Limits::default(), &mut |_| {
        seen += 1;
        false
    });
    assert_eq!((seen, result), (1, Ok(())));
}

/// Ten megabytes of delimiters, of fields and of nesting take no more than a few passes over them: the test itself would take
/// minutes if the walk were quadratic.
#[test]
fn hostile_messages_cost_little() {
    let unlimited = Limits { parts: usize::MAX, depth: 12, decoded_bytes: 64 << 20 };
    let delimiters = format!("Content-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\n".repeat(2_000_000));
    assert_eq!(leaves(delimiters.as_bytes(), &Limits::default()).1, Err(Error::Parts(1_000)));
    let mut count = 0_u32;
    let counted = parts(delimiters.as_bytes(), &unlimited, &mut |_| {
        count += 1;
        true
    });
    assert_eq!((count, counted), (2_000_000, Ok(())));
    assert_eq!(leaves("a:\n".repeat(3_000_000).as_bytes(), &unlimited).0.len(), 1);
    assert_eq!(leaves("Content-Type: a/b\n".repeat(500_000).as_bytes(), &unlimited).0.len(), 1);
    let mut nested = String::new();
    for i in 0..200_000 {
        write!(nested, "Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n").unwrap();
    }
    assert_eq!(leaves(nested.as_bytes(), &unlimited).1, Err(Error::Depth(12)));
}
