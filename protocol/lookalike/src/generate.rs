//! All look-alikes of a domain: each once, with every family that makes it, and with how alike it is.
//!
//! In: a [`Brand`], words and suffixes, limits. Out: candidates, the most alike first, then by name: the same each time. Only names that
//! can be registered: letters, digits and hyphens, with A-labels for all else (RFC 5890 §2.3.1).

use std::collections::HashMap;

use dns::Name;

use crate::brand::{Brand, unicode};
use crate::distance::{cost, similarity};
use crate::edits::{each_edit, each_joined, each_with_word};
use crate::family::{Families, Family};
use crate::glyph::each_step;
use crate::scripts::each_script;
use crate::skeleton::skeleton;
use crate::words::{LURE_WORDS, TOP_LEVEL_DOMAINS};

/// What one domain may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Candidates. Names of 20 letters have some 30,000, nearly all with two look-alikes; beyond this those are left out.
    pub candidates: usize,
    /// Words tried beside the label. The built-in ones are fewer than a hundred; each makes four names or more.
    pub words: usize,
    /// Other suffixes tried. There are some 1,500 top-level domains in all.
    pub suffixes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { candidates: 60_000, words: 1_000, suffixes: 2_000 }
    }
}

/// Words and suffixes to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// Words that lure.
    pub words: Vec<String>,
    /// Public suffixes.
    pub suffixes: Vec<String>,
}

impl Default for Words {
    fn default() -> Self {
        let own = |all: &[&str]| all.iter().map(|word| (*word).to_owned()).collect();
        Self { words: own(&LURE_WORDS), suffixes: own(&TOP_LEVEL_DOMAINS) }
    }
}

/// A name that could be taken for ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// As it is asked for.
    pub name: Name,
    /// As people see it.
    pub unicode: String,
    /// How it is made.
    pub families: Families,
    /// How alike it is, up to [`crate::SIMILARITY_MAX`].
    pub similarity: u8,
}

/// All candidates of a domain.
#[must_use]
pub fn generate(brand: &Brand, words: &Words, limits: &Limits) -> Vec<Candidate> {
    let mut found = Found { brand, limits, names: HashMap::new() };
    let (label, suffix) = (brand.label(), brand.suffix());
    each_edit(label, &mut |family, label| found.label(family, &label));
    each_script(label, &mut |family, label| found.label(family, &label));
    for (at, c) in label.char_indices().skip(1) {
        let (head, tail) = label.split_at(at);
        if c != '-' && !head.ends_with('-') {
            found.name(Family::Subdomain, &format!("{head}.{tail}.{suffix}"));
        }
    }
    each_joined(label, suffix, &mut |name| found.name(Family::Various, &name));
    for word in words.words.iter().take(limits.words) {
        each_with_word(label, word, &mut |label| found.label(Family::Dictionary, &label));
    }
    for other in words.suffixes.iter().take(limits.suffixes) {
        found.name(Family::TldSwap, &format!("{label}.{other}"));
    }
    let mut once = Vec::new();
    each_step(label, |changed| once.push(changed));
    once.sort_unstable();
    once.dedup();
    for changed in &once {
        found.label(Family::Homoglyph, changed);
    }
    for changed in once {
        if found.full() {
            break;
        }
        each_step(&changed, |twice| found.label(Family::Homoglyph, &twice));
    }
    found.candidates()
}

/// What was found so far.
struct Found<'a> {
    brand: &'a Brand,
    limits: &'a Limits,
    names: HashMap<String, Families>,
}

impl Found<'_> {
    fn full(&self) -> bool {
        self.names.len() >= self.limits.candidates
    }

    /// A label before the own suffix.
    fn label(&mut self, family: Family, label: &str) {
        self.name(family, &format!("{label}.{}", self.brand.suffix()));
    }

    fn name(&mut self, family: Family, name: &str) {
        if let Some(families) = self.names.get_mut(name) {
            families.insert(family);
        } else if !self.full() {
            self.names.insert(name.to_owned(), [family].into_iter().collect());
        }
    }

    fn candidates(self) -> Vec<Candidate> {
        let Self { brand, names, .. } = self;
        let ours = skeleton(brand.label());
        let mut all: Vec<Candidate> = names
            .into_iter()
            .filter(|(text, _)| text.split('.').all(is_label))
            .filter_map(|(text, mut families)| {
                let name = Name::from_unicode(&text).ok().filter(|name| name != brand.name())?;
                // Where the text has no A-label of its own it would be another name.
                (text.is_ascii() || unicode(&name) == text).then_some(())?;
                let label = text.strip_suffix(brand.suffix()).and_then(|label| label.strip_suffix('.'));
                if label.is_some_and(|label| skeleton(label) == ours) {
                    families.insert(Family::SameSkeleton);
                }
                let similarity = likeness(brand, &text, label, families);
                Some(Candidate { name, unicode: text, families, similarity })
            })
            .collect();
        all.sort_unstable_by(|a, b| (b.similarity, &a.unicode).cmp(&(a.similarity, &b.unicode)));
        all
    }
}

/// Whether a registry would give it away: RFC 5891 §4.2.3.1 forbids hyphens at the ends, and in third and fourth place.
fn is_label(label: &str) -> bool {
    let edge = label.starts_with('-') || label.ends_with('-');
    let reserved = label.chars().skip(2).take(2).eq(['-', '-']);
    !label.is_empty() && !edge && !reserved
}

/// Another suffix: the label is ours.
pub(crate) const OTHER_SUFFIX: u16 = 50;
/// The suffix or `www` within the label.
const JOINED: u16 = 45;
/// A word beside the label.
pub(crate) const BESIDE: u16 = 90;

fn likeness(brand: &Brand, text: &str, label: Option<&str>, families: Families) -> u8 {
    let length = brand.label().chars().count();
    let mut least = label.and_then(|label| cost(brand.label(), label, 400)).unwrap_or(u16::MAX);
    for (family, cost) in [(Family::TldSwap, OTHER_SUFFIX), (Family::Various, JOINED)] {
        if families.contains(family) {
            least = least.min(cost);
        }
    }
    if families.contains(Family::Dictionary) && text.contains(brand.label()) {
        least = least.min(BESIDE);
    }
    similarity(least, length)
}
