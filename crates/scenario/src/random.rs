//! Randomness that is the same on every machine: `SplitMix64` and what is drawn from it.
//!
//! In: a seed and the place the numbers are for. Out: numbers. Only additions, multiplications, divisions and square roots are done on
//! floating-point numbers, which IEEE 754 defines to the last bit; `exp` and `ln` are not, so the one exponential needed is worked out
//! here. Not for secrets.

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

/// One step of `SplitMix64` (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014) as a hash.
pub(crate) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A text as a number (FNV-1a, then mixed).
pub(crate) fn hash(text: &str) -> u64 {
    mix(text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)))
}

impl Random {
    /// The stream for one place: the same seed and place give the same numbers, whatever else is drawn.
    pub(crate) fn at(seed: u64, place: &[u64]) -> Self {
        Self(place.iter().fold(mix(seed), |state, part| mix(state ^ mix(*part))))
    }

    pub(crate) fn next(&mut self) -> u64 {
        let number = mix(self.0);
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        number
    }

    /// A number below `end`; 0 if `end` is 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// An index below `len`, which must not be 0.
    #[expect(clippy::cast_possible_truncation, reason = "below `len`, which is a usize")]
    pub(crate) fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// From 0 (possible) to 1 (not possible).
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Nearly a standard normal number: the sum of twelve uniform ones less six (Irwin–Hall), between −6 and 6.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// A Poisson number; from a mean of 30 on the nearest normal one.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "floats turn into whole numbers on purpose; they saturate"
    )]
    pub(crate) fn poisson(&mut self, mean: f64) -> u64 {
        if mean >= 30.0 {
            return (mean + mean.sqrt() * self.normal() + 0.5).max(0.0) as u64;
        }
        let mut left = self.unit();
        // P(at least one) = 1 − e^−mean < mean: most small means end here.
        if left >= mean {
            return 0;
        }
        left = 1.0 - left;
        let mut probability = exp_of_minus(mean);
        let mut number: u32 = 0;
        while left > probability && number < 200 {
            left -= probability;
            number += 1;
            probability *= mean / f64::from(number);
        }
        u64::from(number)
    }

    /// Shares `count` out over `weights` at random; the parts add up to `count`.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts are far below 2^52"
    )]
    pub(crate) fn share(&mut self, count: u64, weights: &[f64], parts: &mut Vec<u64>) {
        let total: f64 = weights.iter().sum();
        parts.clear();
        parts.resize(weights.len(), 0);
        let mut left = count;
        // Nine tenths as the weights say, so that a large count is not drawn message by message; the rest by chance.
        if count > 64 {
            for (part, weight) in parts.iter_mut().zip(weights) {
                *part = (count as f64 * 0.9 * weight / total) as u64;
                left -= *part;
            }
        }
        for _ in 0..left {
            let at = self.unit() * total;
            parts[position(weights, at)] += 1;
        }
    }
}

/// The index at which the running sum of `weights` passes `at`; the last one if none does.
pub(crate) fn position(weights: &[f64], at: f64) -> usize {
    let mut sum = 0.0;
    weights
        .iter()
        .position(|weight| {
            sum += weight;
            at < sum
        })
        .unwrap_or(weights.len().saturating_sub(1))
}

/// e^−x for 0 ≤ x ≤ 30: six terms of the series at x/1024, then squared ten times. Off by less than 10⁻⁹ of itself.
fn exp_of_minus(x: f64) -> f64 {
    let y = x / 1024.0;
    let mut e = 1.0 - y * (1.0 - y / 2.0 * (1.0 - y / 3.0 * (1.0 - y / 4.0 * (1.0 - y / 5.0 * (1.0 - y / 6.0)))));
    for _ in 0..10 {
        e *= e;
    }
    e
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_those_of_splitmix64() {
        // The first outputs for seed 1234567 as the algorithm's authors publish them.
        let mut random = Random(1_234_567);
        assert_eq!(
            [random.next(), random.next(), random.next()],
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn poisson_has_its_mean_and_spread() {
        for (place, mean) in (0..).zip([0.01, 0.4, 3.0, 12.5, 29.9, 30.0, 400.0]) {
            let mut random = Random::at(7, &[place]);
            let n = 20_000;
            let draws: Vec<f64> = (0..n).map(|_| f64::from(u32::try_from(random.poisson(mean)).unwrap())).collect();
            let average = draws.iter().sum::<f64>() / f64::from(n);
            let variance = draws.iter().map(|d| (d - average) * (d - average)).sum::<f64>() / f64::from(n);
            assert!((average / mean - 1.0).abs() < 0.04 / mean.min(1.0), "mean {mean}: {average}");
            assert!((variance / mean - 1.0).abs() < 0.2, "mean {mean}: variance {variance}");
        }
    }

    #[test]
    fn the_exponential_is_one() {
        for x in [0.0, 0.001, 0.5, 1.0, 10.0, 29.9] {
            assert!((exp_of_minus(x) / (-x).exp() - 1.0).abs() < 1e-9, "{x}");
        }
    }

    #[test]
    fn shares_add_up_and_follow_the_weights() {
        let mut random = Random::at(1, &[]);
        let mut parts = Vec::new();
        for count in [0, 1, 63, 64, 65, 10_000] {
            random.share(count, &[0.5, 0.3, 0.2, 0.0], &mut parts);
            assert_eq!(parts.iter().sum::<u64>(), count);
            assert_eq!(parts[3], 0);
        }
        assert!(parts[0].abs_diff(5_000) < 200 && parts[2].abs_diff(2_000) < 200, "{parts:?}");
    }
}
