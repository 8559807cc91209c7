//! The two encodings inside of tags: base64 with folding white space, and DKIM's quoted-printable (RFC 6376 §2.11, RFC 4648 §4).
//!
//! In: a tag's value. Out: bytes, or nothing where it is not the encoding. Strict: no other characters are passed over.

use crate::tags::without_white;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What a digit is worth in each of four places, its bits ready to be put together in the upper three bytes of a word; in the lowest
/// byte whether it is none.
const FOUR_DIGITS: [[u32; 256]; 4] = {
    let mut places = [[1; 256]; 4];
    let mut digit = 0;
    while digit < ALPHABET.len() {
        let mut place = 0;
        while place < 4 {
            places[place][ALPHABET[digit] as usize] =
                u32::from_le_bytes([digit.to_le_bytes()[0], 0, 0, 0]) << (26 - 6 * place);
            place += 1;
        }
        digit += 1;
    }
    places
};

/// Decodes base64. White space is passed over; padding may be missing but not wrong.
#[must_use]
pub fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut text = without_white(text);
    let padding = if text.ends_with(b"==") { 2 } else { usize::from(text.ends_with(b"=")) };
    let digits = text.len() - padding;
    if padding > 0 && !text.len().is_multiple_of(4) || digits % 4 == 1 {
        return None;
    }
    // Digits that are worth nothing fill the last ones up; what they decode to is cut off.
    text.truncate(digits);
    text.resize(digits.next_multiple_of(BLOCK_DIGITS), ALPHABET[0]);
    let mut any = 0;
    for block in 0..text.len() / BLOCK_DIGITS {
        let Some(sixteen) = text[block * BLOCK_DIGITS..].first_chunk::<BLOCK_DIGITS>() else { break };
        let mut twelve = [0; 12];
        for (three, four) in twelve.as_chunks_mut::<3>().0.iter_mut().zip(sixteen.as_chunks::<4>().0) {
            let places = four.iter().zip(&FOUR_DIGITS);
            let word = places.fold(0, |word, (digit, place)| word | place[usize::from(*digit)]);
            any |= word;
            three.copy_from_slice(&word.to_be_bytes()[..3]);
        }
        // They are shorter than what they are decoded from, so that they overwrite none that is still to be read.
        text[block * 12..][..12].copy_from_slice(&twelve);
    }
    text.truncate(digits * 3 / 4);
    (any & u32::from(u8::MAX) == 0).then_some(text)
}

/// Digits that are decoded together.
const BLOCK_DIGITS: usize = 16;

/// Encodes base64 with padding.
#[must_use]
pub fn to_base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut word = [0; 4];
        word[1..=chunk.len()].copy_from_slice(chunk);
        let word = u32::from_be_bytes(word);
        for place in 0..4 {
            let digit = word >> (18 - 6 * place) & 63;
            text.push(if place <= chunk.len() { char::from(ALPHABET[digit as usize]) } else { '=' });
        }
    }
    text
}

/// Decodes DKIM's quoted-printable: `=XX`, and white space that means nothing.
pub(crate) fn quoted_printable(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(&byte) = rest.next() {
        match byte {
            // RFC 2045 §6.7: "hex-octet = "=" 2(DIGIT / "A" / … / "F")".
            b'=' => {
                let mut digit = || char::from(*rest.next()?).to_digit(16);
                let value = digit()? << 4 | digit()?;
                bytes.push(value.to_be_bytes()[3]);
            }
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => bytes.push(byte),
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_strict_about_all_but_white_space() {
        let cases: &[(&str, &str, Option<&[u8]>)] = &[
            ("RFC 4648 §10", "Zm9vYmFy", Some(b"foobar")),
            ("one pad", "Zm9vYmE=", Some(b"fooba")),
            ("two pads", "Zm9vYg==", Some(b"foob")),
            ("white space", " Zm9v\r\n\tYg =\t=\r\n", Some(b"foob")),
            ("no padding", "Zm9vYg", Some(b"foob")),
            ("nothing", "", Some(b"")),
            ("only white space", " \r\n\t", Some(b"")),
            ("white space between all digits", "Z m\t9\nv\rY\r\n g\r\n\t=\r\n =", Some(b"foob")),
            ("bits that are left over", "Zm9vYh==", Some(b"foob")),
            ("32 digits in two lines", "QUJDREVGR0hJSktM\r\n\tTU5PUFFSU1RVVldY", Some(b"ABCDEFGHIJKLMNOPQRSTUVWX")),
            ("a fold after a few digits", "QU\r\n\tJDREVGR0hJSktMTU5PUFFSU1RVVldY", Some(b"ABCDEFGHIJKLMNOPQRSTUVWX")),
            ("another character in the first of many", "!UJDREVGR0hJSktMTU5PUFFSU1RVVldY", None),
            ("padding in the middle of many", "QUJDREVGR0hJSkt=\r\n\tTU5PUFFSU1RVVldY", None),
            ("padding where nothing is missing", "Zm9vYmFy=", None),
            ("a whole group of padding", "Zm9v====", None),
            ("two pads alone", "==", None),
            ("NUL", "Zm9\0", None),
            ("one pad too few", "Zm9vYg=", None),
            ("padding too many", "Zm9v=", None),
            ("only padding", "=", None),
            ("text after the padding", "Zm9vYg==Zm9v", None),
            ("one digit over", "Zm9vY", None),
            ("another character", "Zm9v!", None),
            ("the other alphabet", "Zm9v-_==", None),
        ];
        for (why, text, bytes) in cases {
            assert_eq!(base64(text.as_bytes()).as_deref(), *bytes, "{why}");
        }
        assert_eq!(base64(b"Zm9v\xff"), None);
        for length in 0..80_u8 {
            let bytes: Vec<u8> = (0..length).map(|n| n.wrapping_mul(73)).collect();
            let text = to_base64(&bytes);
            assert_eq!(base64(text.as_bytes()).as_ref(), Some(&bytes));
            for place in 0..text.len() {
                let (before, after) = text.split_at(place);
                assert_eq!(
                    base64(format!("{before}\r\n {after}").as_bytes()).as_ref(),
                    Some(&bytes),
                    "a fold at {place}"
                );
                let strange = format!("{before}*{}", &after[1..]);
                assert_eq!(base64(strange.as_bytes()), None, "no digit at {place} of {length} bytes");
            }
        }
    }

    #[test]
    fn quoted_printable_of_dkim() {
        assert_eq!(quoted_printable(b"a=40b =\n=20c").as_deref(), None, "a soft line break is not part of it");
        assert_eq!(quoted_printable(b"a=3Db\r\n c").as_deref(), Some(&b"a=bc"[..]));
        assert_eq!(quoted_printable(b"a=4").as_deref(), None);
    }
}
