//! Names that are made to be taken for ours: all that come from a domain by known tricks, and whether a name seen in mail is one.
//!
//! | module | holds |
//! | --- | --- |
//! | `family` | the tricks, and sets of them |
//! | `brand` | a domain of ours, taken apart: label and public suffix |
//! | `skeleton` | what a name looks like (UTS 39 §4), and its scripts |
//! | `glyph` | characters and sequences that look like a letter |
//! | `keyboard` | keys beside each other |
//! | `distance` | how far two names are apart for the eye and the fingers |
//! | `words` | words and top-level domains that lures use |
//! | `generate`, `edits`, `scripts` | all candidates of a domain |
//! | `recognise` | one name against our domains |
//! | `score` | how much a candidate deserves attention |
//!
//! In: names. Out: names, families, numbers. Nothing here asks DNS: whether a candidate exists is looked up elsewhere.

mod brand;
mod distance;
mod edits;
mod family;
mod generate;
mod glyph;
mod keyboard;
mod recognise;
mod score;
mod scripts;
mod skeleton;
mod words;

pub use brand::{Brand, BrandError, unicode_of};
pub use distance::SIMILARITY_MAX;
pub use family::{Families, Family};
pub use generate::{Candidate, Limits, Words, generate};
pub use recognise::{How, Likeness, Ours, RecogniseLimits};
pub use score::{ALERT_SCORE, Evidence, Part, Score, score};
pub use skeleton::{Script, skeleton};
pub use words::{LURE_WORDS, TOP_LEVEL_DOMAINS};
