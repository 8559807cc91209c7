//! The two encodings inside of tags: base64 with folding white space, and DKIM's quoted-printable (RFC 6376 §2.11, RFC 4648 §4).
//!
//! In: a tag's value. Out: bytes, or nothing where it is not the encoding. Strict: no other characters are passed over.

/// 64 for what is no digit of base64, 65 for white space.
const DIGITS: [u8; 256] = {
    let mut table = [64; 256];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut digit, mut value) = (0, 0);
    while digit < 64 {
        table[alphabet[digit] as usize] = value;
        digit += 1;
        value += 1;
    }
    let white = b" \t\r\n";
    let mut at = 0;
    while at < white.len() {
        table[white[at] as usize] = WHITE;
        at += 1;
    }
    table
};

const WHITE: u8 = 65;

/// What a digit is worth in each of four places, its bits ready to be put together in the upper three bytes of a word; in the lowest
/// byte whether it is none.
const FOUR_DIGITS: [[u32; 256]; 4] = {
    let mut places = [[1; 256]; 4];
    let mut byte = 0;
    while byte < 256 {
        let mut place = 0;
        while place < 4 && DIGITS[byte] < 64 {
            places[place][byte] = u32::from_le_bytes([DIGITS[byte], 0, 0, 0]) << (26 - 6 * place);
            place += 1;
        }
        byte += 1;
    }
    places
};

/// Decodes base64. White space is passed over; padding may be missing but not wrong.
#[must_use]
pub fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut bits, mut digits, mut text) = (0_u32, 0_usize, text);
    while let Some((&character, after)) = text.split_first() {
        // Sixteen digits at a time, as long as nothing comes between them.
        if digits.is_multiple_of(4)
            && let Some((sixteen, after)) = text.split_first_chunk::<16>()
        {
            let mut twelve = [0; 12];
            let mut any = 0;
            for (three, four) in twelve.as_chunks_mut::<3>().0.iter_mut().zip(sixteen.as_chunks::<4>().0) {
                let places = four.iter().zip(&FOUR_DIGITS);
                let word = places.fold(0, |word, (digit, place)| word | place[usize::from(*digit)]);
                any |= word;
                three.copy_from_slice(&word.to_be_bytes()[..3]);
            }
            if any & u32::from(u8::MAX) == 0 {
                bytes.extend_from_slice(&twelve);
                digits += 16;
                text = after;
                continue;
            }
        }
        text = after;
        let value = DIGITS[usize::from(character)];
        match value {
            0..=63 => {
                bits = bits << 6 | u32::from(value);
                digits += 1;
                if digits.is_multiple_of(4) {
                    bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
                    bits = 0;
                }
            }
            WHITE => {}
            _ if character == b'=' => return padded(bytes, bits, digits, 1, text),
            _ => return None,
        }
    }
    padded(bytes, bits, digits, 0, &[])
}

/// The end: at most three digits over, and after the first of `signs` only padding that fits them.
fn padded(mut bytes: Vec<u8>, bits: u32, digits: usize, mut signs: usize, after: &[u8]) -> Option<Vec<u8>> {
    let over = digits % 4;
    let mut rest = after.iter().filter(|b| DIGITS[usize::from(**b)] != WHITE);
    signs += rest.clone().count();
    if rest.any(|b| *b != b'=') || over == 1 || (signs > 0 && signs != (4 - over) % 4) {
        return None;
    }
    match over {
        2 => bytes.push((bits >> 4).to_be_bytes()[3]),
        3 => bytes.extend_from_slice(&(bits >> 2).to_be_bytes()[2..]),
        _ => {}
    }
    Some(bytes)
}

/// Encodes base64 with padding.
#[must_use]
pub fn to_base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
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
        for length in 0..20_u8 {
            let bytes: Vec<u8> = (0..length).map(|n| n.wrapping_mul(73)).collect();
            assert_eq!(base64(to_base64(&bytes).as_bytes()), Some(bytes));
        }
    }

    #[test]
    fn quoted_printable_of_dkim() {
        assert_eq!(quoted_printable(b"a=40b =\n=20c").as_deref(), None, "a soft line break is not part of it");
        assert_eq!(quoted_printable(b"a=3Db\r\n c").as_deref(), Some(&b"a=bc"[..]));
        assert_eq!(quoted_printable(b"a=4").as_deref(), None);
    }
}
