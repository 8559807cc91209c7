//! Canonicalization: the standard's examples, a slow and obvious version beside the fast one, and bodies cut anywhere.

use dkim::{BodyCanon, BodyHasher, Canon};
use proptest::prelude::*;

fn canonical(canon: Canon, pieces: &[&[u8]]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut body = BodyCanon::new(canon);
    for piece in pieces {
        body.feed(piece, |bytes| text.extend_from_slice(bytes));
    }
    body.finish(|bytes| text.extend_from_slice(bytes));
    text
}

/// RFC 6376 §3.4.3 and §3.4.4 word by word, over a whole body.
fn obvious(canon: Canon, body: &[u8]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = vec![Vec::new()];
    let mut at = 0;
    while at < body.len() {
        if body[at..].starts_with(b"\r\n") {
            lines.push(Vec::new());
            at += 2;
        } else {
            lines.last_mut().expect("a line").push(body[at]);
            at += 1;
        }
    }
    if canon == Canon::Relaxed {
        for line in &mut lines {
            let mut short = Vec::new();
            for &byte in line.iter() {
                let white = matches!(byte, b' ' | b'\t');
                if !(white && short.last() == Some(&b' ')) {
                    short.push(if white { b' ' } else { byte });
                }
            }
            if short.last() == Some(&b' ') {
                short.pop();
            }
            *line = short;
        }
    }
    while lines.len() > 1 && lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    if canon == Canon::Relaxed && lines == [Vec::<u8>::new()] {
        return Vec::new();
    }
    lines.iter().flat_map(|line| [line.as_slice(), b"\r\n"].concat()).collect()
}

#[test]
fn bodies() {
    let cases: &[(&str, &str, &str, &str)] = &[
        ("RFC 6376 §3.4.5", " C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"),
        ("no body", "", "\r\n", ""),
        ("one line end", "\r\n", "\r\n", ""),
        ("only line ends", "\r\n\r\n\r\n", "\r\n", ""),
        ("only white space", " \t\r\n \r\n", " \t\r\n \r\n", ""),
        ("no line end at the end", "a", "a\r\n", "a\r\n"),
        ("white space at the end, no line end", "a \t", "a \t\r\n", "a\r\n"),
        ("lines of white space at the end", "a\r\n \r\n\t\r\n", "a\r\n \r\n\t\r\n", "a\r\n"),
        ("empty lines inside stay", "a\r\n\r\n\r\nb\r\n", "a\r\n\r\n\r\nb\r\n", "a\r\n\r\n\r\nb\r\n"),
        ("tabs alone", "a\tb\r\n\tc\r\n", "a\tb\r\n\tc\r\n", "a b\r\n c\r\n"),
        ("white space before a line end", "a \r\nb\t\r\n", "a \r\nb\t\r\n", "a\r\nb\r\n"),
        ("a lone CR is text", "a \rb\r\r\nc\r", "a \rb\r\r\nc\r\r\n", "a \rb\r\r\nc\r\r\n"),
        ("a lone LF is text", "a \nb\n\n", "a \nb\n\n\r\n", "a \nb\n\n\r\n"),
    ];
    for (why, body, simple, relaxed) in cases {
        for (canon, expected) in [(Canon::Simple, simple), (Canon::Relaxed, relaxed)] {
            let found = canonical(canon, &[body.as_bytes()]);
            assert_eq!(String::from_utf8_lossy(&found), **expected, "{why}, {}", canon.as_str());
            assert_eq!(
                obvious(canon, body.as_bytes()),
                expected.as_bytes(),
                "{why}, {}, the obvious way",
                canon.as_str()
            );
        }
    }
}

#[test]
fn fields() {
    let cases: &[(&str, &str, &str, &str)] = &[
        ("RFC 6376 §3.4.5, A", "A", ": X\r\n", "a:X\r\n"),
        ("RFC 6376 §3.4.5, B", "B", " : Y\t\r\n\tZ  \r\n", "b:Y Z\r\n"),
        ("nothing", "X-Empty", ":\r\n", "x-empty:\r\n"),
        ("only white space", "X-Empty", ": \t\r\n \r\n", "x-empty:\r\n"),
        ("folded with much of it", "Subject", ":  a \r\n\t  b\t\tc\r\n", "subject:a b c\r\n"),
        ("a lone CR is text", "A", ": a\rb \r c\r\n", "a:a\rb \r c\r\n"),
        ("8 bits", "A", ": \u{fc}  \u{fc}\r\n", "a:\u{fc} \u{fc}\r\n"),
        ("colons in the value", "A", ": b : c\r\n", "a:b : c\r\n"),
        ("no space after the colon", "A", ":b\r\n", "a:b\r\n"),
    ];
    for (why, name, rest, relaxed) in cases {
        let raw = format!("{name}{rest}");
        let value = rest.split_once(':').unwrap().1;
        let mut out = Vec::new();
        Canon::Relaxed.field(raw.as_bytes(), name.as_bytes(), value.as_bytes(), &mut out);
        assert_eq!(String::from_utf8_lossy(&out), *relaxed, "{why}");
        out.clear();
        Canon::Simple.field(raw.as_bytes(), name.as_bytes(), value.as_bytes(), &mut out);
        assert_eq!(out, raw.as_bytes(), "{why}");
    }
}

/// A body of 20 MB of empty lines, then text: what is open is counted, not kept.
#[test]
fn open_line_ends_take_no_memory() {
    let piece = "\r\n".repeat(50_000);
    let mut body = BodyCanon::new(Canon::Relaxed);
    let (mut written, mut largest) = (0, 0);
    let mut count = |bytes: &[u8]| {
        written += bytes.len();
        largest = largest.max(bytes.len());
    };
    body.feed(b"a", &mut count);
    for _ in 0..200 {
        body.feed(piece.as_bytes(), &mut count);
    }
    body.feed(b"b", &mut count);
    body.finish(&mut count);
    assert_eq!((written, largest <= 512), (1 + 20_000_000 + 3, true));
}

/// Text of what matters, long enough to cross the blocks that are looked at in one go.
fn any_body() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => "[ab \t]{0,12}".prop_map(String::into_bytes),
        3 => Just(b"\r\n".to_vec()),
        1 => prop::sample::select(vec![b" ".to_vec(), b"\t".to_vec(), b"\r".to_vec(), b"\n".to_vec(), b" \r\n".to_vec()]),
        1 => (100..600_usize).prop_map(|length| vec![b'x'; length]),
        1 => (1..90_usize).prop_map(|words| b"word and ".repeat(words)),
    ];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

/// RFC 6376 §3.4.2 step by step: unfold, one space for each run of white space, none at the ends.
fn obvious_value(value: &[u8]) -> Vec<u8> {
    let (mut unfolded, mut rest) = (Vec::new(), value);
    while let Some((first, after)) = rest.split_first() {
        let fold = rest.strip_prefix(b"\r\n");
        unfolded.extend(fold.is_none().then_some(*first));
        rest = fold.unwrap_or(after);
    }
    let words = unfolded.split(|b| matches!(b, b' ' | b'\t')).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(&b' ')
}

fn any_value() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => "[ab \t]{0,12}".prop_map(String::into_bytes),
        2 => prop::sample::select(vec!["\r\n", "\r\n\t", " \r\n  ", "\r", "\n", " \r", "\r\n\r\n "]).prop_map(|s| s.as_bytes().to_vec()),
        1 => (50..70_usize).prop_map(|length| vec![b'x'; length]),
        1 => (1..40_usize).prop_map(|words| b"word and ".repeat(words)),
    ];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Values that are folded anywhere, with white space anywhere.
    #[test]
    fn values(value in any_value()) {
        let mut written = Vec::new();
        Canon::Relaxed.field(b"", b"A", &value, &mut written);
        prop_assert_eq!(written, [b"a:", &obvious_value(&value)[..], b"\r\n"].concat());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// The fast version, fed in pieces cut anywhere, is the obvious one.
    #[test]
    fn cut_anywhere(body in any_body(), cuts in prop::collection::vec(any::<usize>(), 0..6), relaxed: bool) {
        let canon = if relaxed { Canon::Relaxed } else { Canon::Simple };
        let mut places: Vec<_> = cuts.iter().map(|cut| cut % (body.len() + 1)).collect();
        places.extend([0, body.len()]);
        places.sort_unstable();
        let pieces: Vec<_> = places.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect();
        prop_assert_eq!(canonical(canon, &pieces), obvious(canon, &body));
    }

    /// Each hash of a body that several ask for is the one that each would get alone, and counts the whole body.
    #[test]
    fn hashes_are_shared(body in any_body(), limits in prop::collection::vec(prop::option::of(0..200_u64), 1..6), cut: usize) {
        let mut all = BodyHasher::new();
        let asked: Vec<_> = limits.iter().map(|limit| (*limit, all.request(Canon::Relaxed, *limit))).collect();
        let (first, second) = body.split_at(cut % (body.len() + 1));
        all.feed(first);
        all.feed(second);
        let all = all.finish();
        let canonical = obvious(Canon::Relaxed, &body);
        for (limit, id) in asked {
            let signed = limit.map_or(canonical.len(), |limit| canonical.len().min(usize::try_from(limit).unwrap()));
            let expected = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &canonical[..signed]);
            let found = all.get(id).unwrap();
            prop_assert_eq!((found.digest(), found.length), (expected.as_ref(), canonical.len() as u64));
        }
    }
}
