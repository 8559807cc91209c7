//! Random numbers that are the same on every machine and in every version: `SplitMix64` (Steele, Lea, Flood 2014).
//!
//! Whole numbers only, so that no rounding differs between machines.

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

impl Rng {
    /// The stream of a seed and of what it is for: streams for different purposes do not disturb each other.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        // FNV-1a over the purpose, folded into the seed.
        let hash = purpose
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let mut rng = Self(seed ^ hash);
        rng.next();
        rng
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `n` − 1; 0 for `n` = 0.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        u64::try_from((u128::from(self.next()) * u128::from(n)) >> 64).unwrap_or(0)
    }

    /// True so many times in a thousand.
    pub(crate) fn permille(&mut self, n: u64) -> bool {
        self.below(1_000) < n
    }

    /// One of these.
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        let at = usize::try_from(self.below(of.len() as u64)).unwrap_or(0);
        of.get(at)
    }

    /// `n × part ⁄ whole`, rounded up or down at random so that many roundings do not lean to one side.
    pub(crate) fn share(&mut self, n: u64, part: u64, whole: u64) -> u64 {
        let whole = whole.max(1);
        let exact = u128::from(n) * u128::from(part);
        let down = u64::try_from(exact / u128::from(whole)).unwrap_or(u64::MAX);
        let rest = u64::try_from(exact % u128::from(whole)).unwrap_or(0);
        down + u64::from(self.below(whole) < rest)
    }

    /// `n` give or take a tenth of it, the middle more often than the edges.
    pub(crate) fn about(&mut self, n: u64) -> u64 {
        let permille = 850 + self.below(101) + self.below(101) + self.below(101);
        self.share(n, permille, 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_fixed_and_separate() {
        let first =
            |purpose| (0..3).map(|_| 0).scan(Rng::new(1, purpose), |rng, _| Some(rng.next())).collect::<Vec<u64>>();
        assert_eq!(first("a"), first("a"));
        assert_ne!(first("a"), first("b"));
    }

    #[test]
    fn shares_add_up_over_time() {
        let mut rng = Rng::new(7, "test");
        let sum: u64 = (0..10_000).map(|_| rng.share(1, 1, 3)).sum();
        assert!((3_150..3_520).contains(&sum), "{sum}");
        assert_eq!(rng.share(9, 1, 3), 3);
        assert_eq!(rng.below(0), 0);
    }
}
