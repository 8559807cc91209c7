//! Sets of addresses as disjoint ranges of numbers, from which pieces are cut.
//!
//! In: inclusive ranges of `u128`; IPv4 addresses are the numbers below 2^32 in a set of their own. Out: what was cut, and what is left.
//! Cutting costs the logarithm of the ranges that are left, so a record with thousands of networks is no trouble.

use std::collections::BTreeMap;

/// An inclusive range.
pub(crate) type Range = (u128, u128);

/// Disjoint ranges, by their first address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ranges {
    ranges: BTreeMap<u128, u128>,
}

impl Ranges {
    /// One range.
    pub(crate) fn of((start, end): Range) -> Self {
        Self { ranges: BTreeMap::from([(start, end)]) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Range> + '_ {
        self.ranges.iter().map(|(start, end)| (*start, *end))
    }

    /// Takes out what lies in a range, and returns it.
    pub(crate) fn cut(&mut self, (start, end): Range) -> Vec<Range> {
        let first = self.ranges.range(..=start).next_back().map_or(start, |(first, _)| *first);
        let touched: Vec<Range> =
            self.ranges.range(first..=end).map(|(from, to)| (*from, *to)).filter(|(_, to)| *to >= start).collect();
        let mut out = Vec::with_capacity(touched.len());
        for (from, to) in touched {
            self.ranges.remove(&from);
            if from < start {
                // `start` is larger than something, so it is not zero.
                self.ranges.insert(from, start - 1);
            }
            if to > end {
                self.ranges.insert(end + 1, to);
            }
            out.push((from.max(start), to.min(end)));
        }
        out
    }

    /// Adds ranges that are disjoint from all there are.
    pub(crate) fn add(&mut self, ranges: impl IntoIterator<Item = Range>) {
        self.ranges.extend(ranges);
    }
}

/// The addresses that have the first `prefix` of `width` bits in common with `address`.
pub(crate) fn network(address: u128, prefix: u8, width: u8) -> Range {
    let host_bits = u32::from(width.saturating_sub(prefix));
    let mask = 1u128.checked_shl(host_bits).map_or(u128::MAX, |size| size - 1);
    (address & !mask, address | mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutting() {
        // What there is, what is cut, what comes out, what is left.
        type Case = (&'static [Range], Range, &'static [Range], &'static [Range]);
        let cases: [Case; 7] = [
            (&[(0, 9)], (3, 5), &[(3, 5)], &[(0, 2), (6, 9)]),
            (&[(0, 9)], (0, 9), &[(0, 9)], &[]),
            (&[(3, 5)], (0, 9), &[(3, 5)], &[]),
            (&[(0, 2), (4, 6), (8, 9)], (2, 8), &[(2, 2), (4, 6), (8, 8)], &[(0, 1), (9, 9)]),
            (&[(4, 6)], (0, 3), &[], &[(4, 6)]),
            (&[(4, 6)], (7, 9), &[], &[(4, 6)]),
            (&[(0, u128::MAX)], (u128::MAX, u128::MAX), &[(u128::MAX, u128::MAX)], &[(0, u128::MAX - 1)]),
        ];
        for (before, cut, out, left) in cases {
            let mut ranges = Ranges::default();
            ranges.add(before.iter().copied());
            assert_eq!(ranges.cut(cut), out, "{before:?} {cut:?}");
            assert_eq!(ranges.iter().collect::<Vec<_>>(), left, "{before:?} {cut:?}");
        }
    }

    #[test]
    fn networks() {
        assert_eq!(network(0xc000_0209, 24, 32), (0xc000_0200, 0xc000_02ff));
        assert_eq!(network(0xc000_0209, 0, 32), (0, u128::from(u32::MAX)));
        assert_eq!(network(0xc000_0209, 32, 32), (0xc000_0209, 0xc000_0209));
        assert_eq!(network(1, 0, 128), (0, u128::MAX));
        assert_eq!(network(1, 128, 128), (1, 1));
    }
}
