//! Looking for bytes in short texts, eight at a time.
//!
//! Texts and tags of a report have a dozen bytes, for which setting up a vector search costs more than it saves. The first byte found is
//! exact; borrows and carries in the arithmetic can only reach bytes behind it.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The highest bit of each byte of `x` that is less than `n` (at most 128), exact up to the first.
#[inline]
fn less(x: u64, n: u8) -> u64 {
    x.wrapping_sub(ONES * u64::from(n)) & !x & HIGHS
}

/// The same for bytes equal to `b`.
#[inline]
fn equal(x: u64, b: u8) -> u64 {
    less(x ^ (ONES * u64::from(b)), 1)
}

/// Where the first byte is that `eight` marks with its highest bit.
#[inline]
fn position(text: &[u8], eight: impl Fn(u64) -> u64) -> Option<usize> {
    let (chunks, rest) = text.as_chunks::<8>();
    for (at, chunk) in chunks.iter().enumerate() {
        let found = eight(u64::from_le_bytes(*chunk));
        if found != 0 {
            return Some(at * 8 + (found.trailing_zeros() / 8) as usize);
        }
    }
    // Zeros behind the end may be found, too, but not before what is there.
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let found = eight(u64::from_le_bytes(last));
    let at = (found.trailing_zeros() / 8) as usize;
    (at < rest.len()).then_some(chunks.len() * 8 + at)
}

/// The first `<` or `>`.
#[inline]
pub(super) fn bracket(text: &[u8]) -> Option<usize> {
    position(text, |x| equal(x, b'<') | equal(x, b'>'))
}

/// The first byte that is not printable ASCII, or a `<` or `&`.
#[inline]
pub(super) fn not_plain(text: &[u8]) -> Option<usize> {
    position(text, |x| {
        let del_and_beyond = (x.wrapping_add(ONES) | x) & HIGHS;
        less(x, 0x20) | del_and_beyond | equal(x, b'<') | equal(x, b'&')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_found_wherever_it_stands() {
        for len in 0..20 {
            for at in 0..len {
                for b in 0..=255_u8 {
                    // What follows may be anything.
                    for after in [b'x', b'<', 0, 0xff] {
                        let mut text = vec![b'x'; len];
                        text[at + 1..].fill(after);
                        text[at] = b;
                        let expected = |is: fn(u8) -> bool| text.iter().position(|&b| is(b));
                        assert_eq!(bracket(&text), expected(|b| b == b'<' || b == b'>'), "{text:?}");
                        let odd = |b: u8| !(0x20..0x7f).contains(&b) || b == b'<' || b == b'&';
                        assert_eq!(not_plain(&text), expected(odd), "{text:?}");
                    }
                }
            }
        }
    }
}
