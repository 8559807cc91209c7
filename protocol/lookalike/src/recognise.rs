//! Whether a name that was seen in mail is made to be taken for one of ours.
//!
//! In: our domains, and a name as a stranger chose it. Out: which domain of ours it imitates and how, or nothing. Built to be silent where
//! in doubt: other companies have names too, and the shorter ours is, the more of them are one letter away. What is ours, what is below it,
//! and what the caller knows as somebody's is never a look-alike.

use std::collections::HashSet;
use std::fmt;

use dns::{Name, Suffixes};

use crate::brand::{Brand, unicode};
use crate::distance::{cost, similarity};
use crate::generate::{BESIDE, OTHER_SUFFIX};
use crate::skeleton::skeleton;
use crate::words::LURE_WORDS;

/// What is compared at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecogniseLimits {
    /// Domains of ours. Each is compared with every name; the largest portfolios have some thousands, nearly all of them parked.
    pub domains: usize,
    /// Names that are known to be somebody's.
    pub known: usize,
}

impl Default for RecogniseLimits {
    fn default() -> Self {
        Self { domains: 2_000, known: 100_000 }
    }
}

/// How a name imitates another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum How {
    /// Our whole domain stands within it: `paypal.com.spam.net`.
    Inside,
    /// It cannot be told apart, or hardly: the same skeleton, or the same letters with marks.
    SameLook,
    /// It is a slip away.
    Slip,
    /// Our label with a word that lures: `paypal-login.com`.
    WithWord,
    /// Our label with another public suffix.
    OtherSuffix,
}

impl How {
    /// What it says.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inside => "domain-inside",
            Self::SameLook => "same-look",
            Self::Slip => "slip",
            Self::WithWord => "with-word",
            Self::OtherSuffix => "other-suffix",
        }
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a name imitates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Likeness {
    /// The domain of ours.
    pub domain: Name,
    /// The registrable domain of the name.
    pub lookalike: Name,
    /// How.
    pub how: How,
    /// How alike it is, up to [`crate::SIMILARITY_MAX`].
    pub similarity: u8,
}

/// Words that ask for something: they may follow our label without a hyphen.
const STRONG_WORDS: [&str; 20] = [
    "account", "accounts", "auth", "billing", "confirm", "helpdesk", "invoice", "invoices", "login", "payment",
    "payments", "payroll", "refund", "reset", "secure", "security", "signin", "support", "update", "verify",
];

/// Domains that have their customers' domains as names below them by design: `example-com.20230601.gappssmtp.com`.
const TENANTS: [&str; 16] = [
    "gappssmtp.com",
    "outlook.com",
    "onmicrosoft.com",
    "office365.com",
    "pphosted.com",
    "mimecast.com",
    "iphmx.com",
    "psmtp.com",
    "amazonses.com",
    "sendgrid.net",
    "mailgun.org",
    "messagelabs.com",
    "barracudanetworks.com",
    "trendmicro.com",
    "hornetsecurity.com",
    "mailcontrol.com",
];

/// Our label with another suffix, and a label with a common word, is another company's where ours is shorter.
const CHARS_ENOUGH: usize = 6;

/// Our domains, ready to be compared.
#[derive(Debug)]
pub struct Ours {
    suffixes: Suffixes,
    domains: Vec<Domain>,
    known: HashSet<Name>,
}

#[derive(Debug)]
struct Domain {
    brand: Brand,
    chars: usize,
    skeleton: String,
    /// As it stands within another name: with dots, and with hyphens in their place.
    inside: [String; 2],
}

impl Ours {
    /// From our domains, subdomains among them; those that nobody can register are left out. `known` are names that are somebody's: those
    /// and what is below them are never look-alikes.
    #[must_use]
    pub fn new<'a>(
        ours: impl IntoIterator<Item = &'a Name>,
        known: impl IntoIterator<Item = Name>,
        limits: &RecogniseLimits,
    ) -> Self {
        let suffixes = Suffixes::default();
        let mut seen = HashSet::new();
        let brands = ours.into_iter().filter_map(|name| Brand::new(name, &suffixes).ok());
        let domains: Vec<Domain> = brands
            .filter(|brand| seen.insert(brand.name().clone()))
            .take(limits.domains)
            .map(|brand| {
                let whole = format!("{}.{}", brand.label(), brand.suffix());
                let inside = [skeleton(&whole), skeleton(&whole.replace('.', "-"))];
                Domain { chars: brand.label().chars().count(), skeleton: skeleton(brand.label()), inside, brand }
            })
            .collect();
        let tenants = TENANTS.iter().filter_map(|name| Name::parse(name).ok());
        let known = known.into_iter().take(limits.known).chain(tenants).chain(seen).collect();
        Self { suffixes, domains, known }
    }

    /// What a name imitates, if it does: the most alike of our domains.
    #[must_use]
    pub fn recognise(&self, name: &Name) -> Option<Likeness> {
        let lookalike = self.suffixes.registrable(name)?;
        if name.ancestors().any(|name| self.known.contains(&name)) {
            return None;
        }
        let seen = Seen::new(name, &lookalike);
        let all =
            self.domains.iter().filter_map(|ours| seen.imitates(ours).map(|(how, likeness)| (likeness, how, ours)));
        let best = all.max_by(|a, b| (a.0, b.1, b.2.brand.name()).cmp(&(b.0, a.1, a.2.brand.name())));
        best.map(|(similarity, how, ours)| Likeness { domain: ours.brand.name().clone(), lookalike, how, similarity })
    }
}

/// A name from outside.
struct Seen {
    labels: Vec<String>,
    /// The skeleton of the whole name.
    skeleton: String,
    label: String,
    label_skeleton: String,
    suffix: String,
}

impl Seen {
    fn new(name: &Name, registrable: &Name) -> Self {
        let text = unicode(name);
        let whole = unicode(registrable);
        let (label, suffix) = whole.split_once('.').unwrap_or((&whole, ""));
        let (label, suffix) = (label.to_owned(), suffix.to_owned());
        let labels = text.split('.').map(str::to_owned).collect();
        Self { labels, skeleton: skeleton(&text), label_skeleton: skeleton(&label), label, suffix }
    }

    fn imitates(&self, ours: &Domain) -> Option<(How, u8)> {
        if self.has_inside(ours) {
            return Some((How::Inside, similarity(crate::distance::INSIDE, ours.chars)));
        }
        let (brand, chars) = (&ours.brand, ours.chars);
        let other = if self.suffix == brand.suffix() { 0 } else { OTHER_SUFFIX };
        if self.label == brand.label() {
            // Not ours, so that the suffix is another one.
            return (chars >= CHARS_ENOUGH).then(|| (How::OtherSuffix, similarity(other, chars)));
        }
        let same = self.label_skeleton == ours.skeleton;
        if same && (chars >= 5 || (chars >= 3 && !self.label.is_ascii())) {
            let cost = cost(brand.label(), &self.label, 200).unwrap_or(0);
            return Some((How::SameLook, similarity(cost + other, chars)));
        }
        if let Some(near) = cost(brand.label(), &self.label, room(chars)).filter(|near| near + other <= room(chars)) {
            return Some((How::Slip, similarity(near + other, chars)));
        }
        let worded = self.labels.iter().any(|label| with_word(label, brand.label(), chars));
        worded.then(|| (How::WithWord, similarity(BESIDE, chars)))
    }

    /// Whether our whole domain stands in the name, at the beginning of a label, and something that is not ours behind it.
    fn has_inside(&self, ours: &Domain) -> bool {
        let text = &self.skeleton;
        ours.inside.iter().any(|whole| {
            text.match_indices(whole.as_str()).any(|(at, _)| {
                let before = text[..at].chars().next_back();
                let after = text[at + whole.len()..].chars().next();
                let begins = match before {
                    None | Some('.') => true,
                    Some('-') => ours.chars >= 4,
                    _ => false,
                };
                begins && matches!(after, Some('.' | '-'))
            })
        })
    }
}

/// How far a label of another company may not be from ours, in hundredths of a wrong letter. Short names are one letter away from many;
/// there only what the eye does not see counts.
const fn room(chars: usize) -> u16 {
    match chars {
        0..=4 => 0,
        5 => 40,
        6..=7 => 60,
        8..=11 => 100,
        _ => 150,
    }
}

/// Whether a label is ours with words that lure, and nothing else.
fn with_word(label: &str, ours: &str, chars: usize) -> bool {
    if chars < 3 {
        return false;
    }
    let joined = label.strip_prefix(ours).into_iter().chain(label.strip_suffix(ours));
    if chars >= 4 && joined.into_iter().any(|word| STRONG_WORDS.contains(&word)) {
        return true;
    }
    let rest = match (label.strip_prefix(ours), label.strip_suffix(ours)) {
        (Some(rest), _) if rest.starts_with('-') => rest,
        (_, Some(rest)) if rest.ends_with('-') => rest,
        _ => return false,
    };
    let mut words = rest.split('-').filter(|word| !word.is_empty()).peekable();
    let lures = |word: &str| {
        STRONG_WORDS.contains(&word)
            || (chars >= CHARS_ENOUGH && (LURE_WORDS.contains(&word) || word.bytes().all(|b| b.is_ascii_digit())))
    };
    words.peek().is_some() && words.all(lures)
}
