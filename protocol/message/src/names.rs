//! Names of header fields, measured and compared eight bytes at a time: each is looked at several times for every message.
//!
//! In: bytes. Out: how many of them are a name, and whether two names are the same. RFC 5322 §1.2.2, §3.6.8.

/// A one in each byte.
const ALL: u64 = u64::MAX / 255;

/// RFC 5322 §3.6.8: "field-name = 1*ftext", printable US-ASCII except ":".
const fn is_ftext(b: u8) -> bool {
    matches!(b, b'!'..=b'9' | b';'..=b'~')
}

/// How long the name is that begins here.
pub(crate) fn name_length(line: &[u8]) -> usize {
    let mut length = 0;
    // Eight bytes at a time. Each of the three tests may carry from a byte that ends the name into later ones, never into earlier ones.
    for eight in line.as_chunks::<8>().0 {
        let text = u64::from_le_bytes(*eight);
        let colon = text ^ (ALL * u64::from(b':'));
        let white = text.wrapping_sub(ALL * u64::from(b'!')) & !text;
        let ends = (white | colon.wrapping_sub(ALL) & !colon | text | text.wrapping_add(ALL)) & ALL << 7;
        if ends != 0 {
            return length + ends.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    let rest = &line[length..];
    length + rest.iter().position(|&b| !is_ftext(b)).unwrap_or(rest.len())
}

/// Whether two names of fields are the same; case does not matter.
#[inline]
#[must_use]
pub fn same_name(name: &[u8], other: &[u8]) -> bool {
    if name.len() != other.len() {
        return false;
    }
    // What is left behind words of eight bytes is the last one, which may begin in another; of less than eight bytes, two of four.
    match (name.last_chunk(), other.last_chunk(), name.last_chunk(), other.last_chunk()) {
        (Some(last), Some(other_last), ..) => {
            let words = name.as_chunks::<8>().0.iter().zip(other.as_chunks::<8>().0);
            words
                .chain([(last, other_last)])
                .all(|(a, b)| lower(u64::from_le_bytes(*a)) == lower(u64::from_le_bytes(*b)))
        }
        (.., Some(last), Some(other_last)) => {
            let both = |name: &[u8], last: &[u8; 4]| {
                let first = name.first_chunk().map_or(0, |first| u32::from_le_bytes(*first));
                lower(u64::from(first) << 32 | u64::from(u32::from_le_bytes(*last)))
            };
            both(name, last) == both(other, other_last)
        }
        _ => name.iter().zip(other).all(|(a, b)| a.eq_ignore_ascii_case(b)),
    }
}

/// Eight bytes in lower case.
fn lower(text: u64) -> u64 {
    // The highest bit of a byte says whether the lower seven are at least an `A`, and whether they are more than a `Z`.
    let seven = text & (ALL * 0x7f);
    let from_a = seven + ALL * u64::from(0x80 - b'A');
    let above_z = seven + ALL * u64::from(0x7f - b'Z');
    text | (from_a & !above_z & !text & ALL << 7) >> 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_any_case() {
        for a in 0..=u8::MAX {
            for b in 0..=u8::MAX {
                let (first, second) =
                    ([a, b'x', a, b'-', b'A', b'z', a, b'Z', a], [b, b'X', a, b'-', b'a', b'Z', a, b'z', b]);
                for length in 1..first.len() {
                    let (first, second) = (&first[..length], &second[..length]);
                    assert_eq!(same_name(first, second), first.eq_ignore_ascii_case(second), "{first:?} {second:?}");
                }
            }
        }
        assert!(same_name(b"", b"") && !same_name(b"from", b"fro") && !same_name(b"dkim-signature", b"dkim-signaturf"));
    }

    #[test]
    fn a_name_ends_at_any_byte_that_is_none_of_it() {
        for byte in 0..=u8::MAX {
            for at in 0..20 {
                // What comes behind must not be taken for an end in front of it.
                for behind in [b'x', b':', 0, 0xff] {
                    let mut line = [b'~'; 24];
                    line[at] = byte;
                    line[at + 1..].fill(behind);
                    let expected = line.iter().position(|b| !is_ftext(*b)).unwrap_or(line.len());
                    assert_eq!(name_length(&line), expected, "{byte} at {at}");
                    assert_eq!(name_length(&line[..=at]), expected.min(at + 1), "{byte} at {at}, the last");
                }
            }
        }
    }
}
