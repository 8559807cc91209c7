//! Places in a text where something stands, found many bytes at a time.
//!
//! In: a text, and a test of two neighbours without a branch in it. Out: the places of those that pass, in order. A header has a few
//! hundred such places in thousands of bytes, and looking at the bytes one by one would cost more than all else that is done with it.

use std::ops::Range;

/// Bytes that are tested in one go.
const BLOCK_BYTES: usize = 64;

/// The places in a part of a text of all bytes for which `is` of them and the byte after is 1, not 0. The byte after may lie behind
/// the part; after the last of the text comes an `x`.
#[inline]
pub fn places(text: &[u8], part: Range<usize>, is: impl Fn(u8, u8) -> u8) -> impl Iterator<Item = usize> {
    let (mut at, mut next, mut marked) = (part.start, part.start, 0);
    std::iter::from_fn(move || {
        while marked == 0 {
            if next >= part.end {
                return None;
            }
            at = next;
            next += BLOCK_BYTES;
            let rest = &text[at..];
            marked = if let Some(block) = rest.first_chunk() {
                tested(block, &is)
            } else {
                let mut room = [b'x'; BLOCK_BYTES + 1];
                room[..rest.len()].copy_from_slice(rest);
                tested(&room, &is)
            };
            let behind = next.saturating_sub(part.end);
            marked &= u64::MAX >> behind;
        }
        let place = at + marked.trailing_zeros() as usize;
        marked &= marked - 1;
        Some(place)
    })
}

/// Tests a block, and looks at the byte after it.
fn tested(block: &[u8; BLOCK_BYTES + 1], is: impl Fn(u8, u8) -> u8) -> u64 {
    let mut marks = [0; BLOCK_BYTES];
    marks.iter_mut().zip(block.iter().zip(&block[1..])).for_each(|(mark, (&a, &b))| *mark = is(a, b));
    bits(&marks)
}

/// Marks of 0 and 1 as bits, the first one lowest.
#[must_use]
pub fn bits(marks: &[u8; BLOCK_BYTES]) -> u64 {
    if marks.iter().fold(0, |any, mark| any | mark) == 0 {
        return 0;
    }
    // The product has the eight marks side by side in its highest byte.
    let gathered = |word: &[u8; 8]| u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    marks.as_chunks::<8>().0.iter().rev().fold(0, |bits, word| bits << 8 | gathered(word))
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
                let found: Vec<_> = places(&text, 0..length, |b, _| u8::from(b == b'+')).collect();
                assert_eq!(found, [at], "of {length}");
                let found: Vec<_> = places(&text, 0..length, |_, b| u8::from(b == b'+')).collect();
                assert_eq!(found, Vec::from_iter(at.checked_sub(1)), "before {at} of {length}");
            }
            let text: Vec<u8> = (0..length).map(|n| b'a' + u8::try_from(n * n % 7).unwrap()).collect();
            for part in [0..length, 0..length / 2, length / 3..length, length / 3..length / 2] {
                let expected: Vec<_> = part.clone().filter(|at| text[*at] < b'c').collect();
                let found: Vec<_> = places(&text, part.clone(), |b, _| u8::from(b < b'c')).collect();
                assert_eq!(found, expected, "{part:?} of {length}");
            }
            let ends = places(&text, 0..length, |_, b| u8::from(b == b'x')).count();
            assert_eq!(ends, usize::from(length > 0), "the end");
        }
    }
}
