//! Any bytes as a header, cut anywhere, and as the names of an envelope.

#![no_main]

use libfuzzer_sys::fuzz_target;
use message::{Ambiguity, Domain, HeaderLimits, HeaderReader, Progress, ReversePath, author, helo, split};

/// The header as one piece and as two give it.
fn cut(bytes: &[u8], at: usize) -> Option<message::Header<'static>> {
    let mut reader = HeaderReader::new(HeaderLimits::default());
    for piece in [&bytes[..at], &bytes[at..]] {
        if let Progress::Done { header, .. } = reader.feed(piece).ok()? {
            return Some(header);
        }
    }
    reader.finish().ok().map(|(header, _)| header)
}

fuzz_target!(|bytes: &[u8]| {
    let Ok((header, mut body, rest)) = split(bytes, &HeaderLimits::default()) else { return };
    body.feed(rest, |_| {});
    assert_eq!(cut(bytes, bytes.len() / 2).as_ref(), Some(&header));
    let mut end = 0;
    for field in header.fields() {
        assert!(field.at >= end && field.raw.ends_with(b"\r\n"));
        end = field.at + field.raw.len();
    }
    match author(&header) {
        Ok(author) => {
            assert_eq!(Domain::parse(author.domain.as_str().as_bytes()), Ok(author.domain));
            assert_eq!(header.named("from").count(), 1);
            // Another one in front leaves it open whose mail it is. The field's own line ends are CRLF.
            let twice = [b"From: x@attack.test\r\n", header.bytes(), b"\r\n"].concat();
            let (twice, _, _) = split(&twice, &HeaderLimits::default()).expect("not much longer");
            assert_eq!(message::author(&twice).map_err(|refusal| refusal.ambiguity), Err(Ambiguity::Repeated));
        }
        Err(refusal) => assert!(refusal.candidates.len() <= 10),
    }
    if let Ok(name) = helo(bytes) {
        assert_eq!(helo(name.as_str().as_bytes()), Ok(name));
    }
    if let Some(domain) = ReversePath::parse(Some(bytes)).domain() {
        assert!(domain.is_multi_label());
    }
});
