//! Places in a text where something stands, found many bytes at a time.
//!
//! In: a text, and a test of two neighbours. Out: the places of those that pass, in order. A header has a few hundred such places in
//! thousands of bytes, and looking at the bytes one by one would cost more than all else that is done with it.

use std::ops::Range;

use wide::u8x64;

/// Bytes side by side; a test answers with a byte that is all ones where it passes, and all zeros where not.
pub type Bytes = u8x64;

/// Bytes that are tested in one go.
pub const BLOCK_BYTES: usize = 64;

/// Where bytes are this one.
#[inline]
#[must_use]
pub fn are(bytes: Bytes, byte: u8) -> Bytes {
    bytes.simd_eq(Bytes::splat(byte))
}

/// Where bytes are this one or a smaller one.
#[inline]
#[must_use]
pub fn at_most(bytes: Bytes, byte: u8) -> Bytes {
    bytes.simd_le(Bytes::splat(byte))
}

/// The places in a part of a text of all bytes for which `is` of them and the byte after is true. The byte after may lie behind the
/// part; after the last of the text comes an `x`.
#[inline]
pub fn places(text: &[u8], part: Range<usize>, is: impl Fn(Bytes, Bytes) -> Bytes) -> impl Iterator<Item = usize> {
    let (mut at, mut next, mut marked) = (part.start, part.start, 0);
    std::iter::from_fn(move || {
        while marked == 0 {
            if next >= part.end {
                return None;
            }
            at = next;
            next += BLOCK_BYTES;
            marked = marks(&text[at..], &is);
            let behind = next.saturating_sub(part.end);
            marked &= u64::MAX >> behind;
        }
        let place = at + marked.trailing_zeros() as usize;
        marked &= marked - 1;
        Some(place)
    })
}

/// Which of the first 64 bytes pass, the first in the lowest bit. After the last of a text come several `x`.
#[inline]
pub fn marks(text: &[u8], is: impl Fn(Bytes, Bytes) -> Bytes) -> u64 {
    let mut room = [b'x'; BLOCK_BYTES + 1];
    let block = text.first_chunk().unwrap_or_else(|| {
        room[..text.len()].copy_from_slice(text);
        &room
    });
    let (Some(these), Some(next)) = (block.first_chunk(), block.last_chunk()) else { return 0 };
    is(Bytes::new(*these), Bytes::new(*next)).to_bitmask()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_a_plain_search() {
        // One mark at each place of texts around the size of blocks, then many.
        for length in [0, 1, 2, 63, 64, 65, 66, 127, 128, 129, 130, 200] {
            for at in 0..length {
                let mut text = vec![b'-'; length];
                text[at] = b'+';
                let found: Vec<_> = places(&text, 0..length, |b, _| are(b, b'+')).collect();
                assert_eq!(found, [at], "of {length}");
                let found: Vec<_> = places(&text, 0..length, |_, b| are(b, b'+')).collect();
                assert_eq!(found, Vec::from_iter(at.checked_sub(1)), "before {at} of {length}");
            }
            let text: Vec<u8> = (0..length).map(|n| b'a' + u8::try_from(n * n % 7).unwrap()).collect();
            for part in [0..length, 0..length / 2, length / 3..length, length / 3..length / 2] {
                let expected: Vec<_> = part.clone().filter(|at| text[*at] < b'c').collect();
                let found: Vec<_> = places(&text, part.clone(), |b, _| at_most(b, b'b')).collect();
                assert_eq!(found, expected, "{part:?} of {length}");
            }
            let ends = places(&text, 0..length, |_, b| are(b, b'x')).count();
            assert_eq!(ends, usize::from(length > 0), "the end");
        }
    }
}
