//! The tricks by which a name is made to be taken for another, and sets of them.

use std::fmt;

/// One trick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Family {
    /// One more letter or digit at the end of the label or of a part of it.
    Addition,
    /// A character with one bit flipped, as broken memory does.
    Bitsquatting,
    /// The whole label in Cyrillic letters that look the same.
    Cyrillic,
    /// A word that lures, before, behind, or instead of a part.
    Dictionary,
    /// Characters or sequences of them that look alike, up to two.
    Homoglyph,
    /// A hyphen more or less.
    Hyphenation,
    /// A key beside the one that was meant, too.
    Insertion,
    /// Letters of two scripts in one label (UTS 39 §5).
    MixedScript,
    /// A character less.
    Omission,
    /// An `s` or `es` more.
    Plural,
    /// A character twice.
    Repetition,
    /// A key beside the one that was meant.
    Replacement,
    /// The same skeleton: not to be told apart by sight in many typefaces (UTS 39 §4).
    SameSkeleton,
    /// A dot more.
    Subdomain,
    /// Another public suffix.
    TldSwap,
    /// Two neighbours exchanged.
    Transposition,
    /// The suffix or `www` within the label.
    Various,
    /// A vowel for a vowel.
    VowelSwap,
    /// The whole label in one other script (UTS 39 §4, whole-script confusables).
    WholeScript,
}

impl Family {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 19] = [
        Self::Addition,
        Self::Bitsquatting,
        Self::Cyrillic,
        Self::Dictionary,
        Self::Homoglyph,
        Self::Hyphenation,
        Self::Insertion,
        Self::MixedScript,
        Self::Omission,
        Self::Plural,
        Self::Repetition,
        Self::Replacement,
        Self::SameSkeleton,
        Self::Subdomain,
        Self::TldSwap,
        Self::Transposition,
        Self::Various,
        Self::VowelSwap,
        Self::WholeScript,
    ];

    /// Its name, as the field calls it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Addition => "addition",
            Self::Bitsquatting => "bitsquatting",
            Self::Cyrillic => "cyrillic",
            Self::Dictionary => "dictionary",
            Self::Homoglyph => "homoglyph",
            Self::Hyphenation => "hyphenation",
            Self::Insertion => "insertion",
            Self::MixedScript => "mixed-script",
            Self::Omission => "omission",
            Self::Plural => "plural",
            Self::Repetition => "repetition",
            Self::Replacement => "replacement",
            Self::SameSkeleton => "same-skeleton",
            Self::Subdomain => "subdomain",
            Self::TldSwap => "tld-swap",
            Self::Transposition => "transposition",
            Self::Various => "various",
            Self::VowelSwap => "vowel-swap",
            Self::WholeScript => "whole-script",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of families.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Families(u32);

impl Families {
    /// With one more.
    pub fn insert(&mut self, family: Family) {
        self.0 |= 1 << family as u8;
    }

    /// Whether it is among them.
    #[must_use]
    pub const fn contains(self, family: Family) -> bool {
        self.0 & (1 << family as u8) != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those in it, in the order of [`Family::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Family> {
        Family::ALL.into_iter().filter(move |family| self.contains(*family))
    }
}

impl FromIterator<Family> for Families {
    fn from_iter<I: IntoIterator<Item = Family>>(families: I) -> Self {
        let mut set = Self::default();
        families.into_iter().for_each(|family| set.insert(family));
        set
    }
}
