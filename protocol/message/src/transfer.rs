//! Content-Transfer-Encoding undone: base64 and quoted-printable (RFC 2045 §6.7, §6.8).
//!
//! In: a body as it was sent. Out: its bytes. Neither direction fails: what cannot be part of the encoding is passed over
//! (base64) or kept as it is (quoted-printable), so that a footer some list added does not cost the report above it.

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;

/// Decodes base64. Characters outside its alphabet are passed over; padding ends it.
#[must_use]
pub fn base64(text: &[u8]) -> Vec<u8> {
    // The library is several times faster, but gives up at the first strange character.
    base64_decode(text).unwrap_or_else(|| forgiving_base64(text))
}

fn forgiving_base64(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for &character in text {
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            // RFC 2045 §6.8: "The occurrence of any '=' characters may be taken as evidence that the end of the data has been reached".
            b'=' => break,
            // RFC 2045 §6.8: "All line breaks or other characters not found in Table 1 must be ignored by decoding software."
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held).to_be_bytes()[3]);
        }
    }
    bytes
}

/// Decodes quoted-printable. Where it is broken, the text stays as it was sent.
pub(crate) fn quoted_printable(text: &[u8]) -> Vec<u8> {
    quoted_printable_decode(text).unwrap_or_else(|| text.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_through_junk() {
        let cases: &[(&str, &str, &[u8])] = &[
            ("plain", "aGVsbG8=", b"hello"),
            ("wrapped", "aGVs\r\nbG8=\r\n", b"hello"),
            ("tabs and spaces", "aG\tVs bG8=", b"hello"),
            ("no padding", "aGVsbG8", b"hello"),
            ("junk inside", "aG!Vs*bG8=", b"hello"),
            ("a list's footer after the padding", "aGVsbG8=\n\n-- \nfooter", b"hello"),
            ("two pads", "aGVsbA==", b"hell"),
            ("nothing", "", b""),
            ("only junk", "!!!!", b""),
        ];
        for (why, text, bytes) in cases {
            assert_eq!(base64(text.as_bytes()), *bytes, "{why}");
            assert_eq!(forgiving_base64(text.as_bytes()), *bytes, "{why}, the slow way");
        }
    }

    #[test]
    fn quoted_printable_keeps_what_is_broken() {
        assert_eq!(quoted_printable(b"a=3Db=\r\nc"), b"a=bc");
        assert_eq!(quoted_printable(b"a=ZZb"), b"a=ZZb");
    }
}
