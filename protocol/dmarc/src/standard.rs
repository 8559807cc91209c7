//! The two generations of DMARC, and what is set for both.

use dns::Suffixes;

/// By which standard is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Standard {
    /// RFC 9989: the organizational domain is found by walking the DNS tree.
    #[default]
    Rfc9989,
    /// RFC 7489: the organizational domain is found by public suffix list; policies are sampled by `pct`.
    Rfc7489,
}

impl Standard {
    /// The name in JSON and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rfc9989 => "rfc9989",
            Self::Rfc7489 => "rfc7489",
        }
    }

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Rfc9989 => Self::Rfc7489,
            Self::Rfc7489 => Self::Rfc9989,
        }
    }
}

/// What a verdict depends on beside message and DNS.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// By which standard.
    pub standard: Standard,
    /// The public suffix list, for RFC 7489.
    pub suffixes: &'a Suffixes,
    /// Where the message lies among 100, from 0: RFC 7489 applies the policy if this is less than `pct`. See [`sample`].
    pub sample: u8,
}

/// A number from 0 to 99 that depends on these bytes alone, so that a verdict by `pct` can be had again.
///
/// Whoever writes the bytes can choose the number. Where that matters, mix in something that strangers do not know, or take a random
/// number and keep it with the verdict.
#[must_use]
pub fn sample(bytes: &[u8]) -> u8 {
    // FNV-1a, then its bits mixed: fast, the same everywhere, and even enough for percents.
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    u8::try_from((hash ^ (hash >> 33)) % 100).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_even_and_stay() {
        let mut counts = [0_u32; 100];
        for number in 0..20_000_u32 {
            counts[usize::from(sample(format!("<{number}@example.com>").as_bytes()))] += 1;
        }
        assert!(counts.iter().all(|count| (120..300).contains(count)), "{counts:?}");
        assert_eq!(sample(b"Message-ID: <a@example.com>\r\n"), sample(b"Message-ID: <a@example.com>\r\n"));
    }
}
