//! Axes: round steps for a largest value, and the buckets of a period that has more days than a drawing has columns.

use crate::figures::as_f64;

/// The steps of an axis that begins at 0: the step, and the number of steps that hold `max`.
pub(crate) fn steps(max: u64, most: u64) -> (u64, u64) {
    if max == 0 {
        return (1, 1);
    }
    let mut power: u64 = 1;
    loop {
        for factor in [1, 2, 5] {
            let step = power.saturating_mul(factor);
            let n = max.div_ceil(step);
            if n <= most {
                return (step, n.max(1));
            }
        }
        if power > u64::MAX / 10 {
            return (max, 1);
        }
        power *= 10;
    }
}

/// How many neighbours share one column so that at most `most` columns are drawn.
pub(crate) fn per_bucket(len: usize, most: usize) -> usize {
    len.div_ceil(most.max(1)).max(1)
}

/// Sums of `size` neighbours each. The newest bucket is full; the oldest takes what is left over.
pub(crate) fn buckets(values: &[u64], size: usize) -> Vec<u64> {
    let size = size.max(1);
    let odd = values.len() % size;
    let (first, rest) = values.split_at(odd);
    let sum = |chunk: &[u64]| chunk.iter().fold(0_u64, |sum, value| sum.saturating_add(*value));
    let head = (!first.is_empty()).then(|| sum(first));
    head.into_iter().chain(rest.chunks(size).map(sum)).collect()
}

/// `value` of `max` as a part of `height`; what is not 0 is seen.
pub(crate) fn height_of(value: u64, max: u64, height: f64) -> f64 {
    if value == 0 || max == 0 { 0.0 } else { (as_f64(value) / as_f64(max) * height).max(0.8) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_steps_that_hold_the_largest() {
        let cases = [
            (0, (1, 1)),
            (1, (1, 1)),
            (4, (1, 4)),
            (7, (2, 4)),
            (24_300, (5_000, 5)),
            (59_000, (20_000, 3)),
            (100, (20, 5)),
            (101, (50, 3)),
        ];
        for (max, expected) in cases {
            assert_eq!(steps(max, 5), expected, "{max}");
        }
        let (step, n) = steps(u64::MAX, 5);
        assert!(u128::from(step) * u128::from(n) >= u128::from(u64::MAX));
    }

    #[test]
    fn buckets_keep_the_sum_and_end_with_a_whole_one() {
        assert_eq!(buckets(&[1, 2, 3, 4, 5], 2), [1, 5, 9]);
        assert_eq!(buckets(&[], 3), [] as [u64; 0]);
        assert_eq!(buckets(&[7], 3), [7]);
        assert_eq!(per_bucket(365, 90), 5);
        assert_eq!(per_bucket(0, 90), 1);
    }
}
