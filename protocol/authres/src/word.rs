//! The words in which SPF, DKIM, DMARC and ARC say what came of a check.
//!
//! In: a word. Out: the same as a value, and back. RFC 8601 §2.7 registers them per method; each method uses some of them.

use std::fmt;

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResultWord {
    /// There was nothing to check.
    None,
    /// Checked, and nothing can be said.
    Neutral,
    /// Checked and right.
    Pass,
    /// Checked and wrong.
    Fail,
    /// Probably wrong (SPF).
    SoftFail,
    /// Right, but not acceptable to us.
    Policy,
    /// Could not be checked now; later it may be.
    TempError,
    /// Cannot be checked, nor later.
    PermError,
}

impl ResultWord {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::None,
        Self::Neutral,
        Self::Pass,
        Self::Fail,
        Self::SoftFail,
        Self::Policy,
        Self::TempError,
        Self::PermError,
    ];

    /// The word, in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Neutral => "neutral",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::Policy => "policy",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }

    /// Reads a word, in any case.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| word.eq_ignore_ascii_case(known.as_str()))
    }
}

impl fmt::Display for ResultWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for word in ResultWord::ALL {
            assert_eq!(ResultWord::parse(&word.to_string().to_uppercase()), Some(word));
        }
        assert_eq!(ResultWord::parse("hardfail"), None, "a word of the first drafts");
    }
}
