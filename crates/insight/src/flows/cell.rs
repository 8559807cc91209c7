//! A cell: what all reporters together say about one source, one author domain and one combination of results on one day.
//!
//! In: the texts of a row. Out: a [`Cell`] with the names it mentions as numbers and the rest as a few bits, and the packed form in which
//! the cells of a day are kept. Who signed with which key is identity, how the checks came out is shape; nothing is judged here.

use report::{Outcome, Text};
use store::organizational_domain;

use super::Map;

/// How a signature of the author's organizational domain came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Own {
    /// There is none.
    Absent,
    /// It verified.
    Pass,
    /// It is there and did not verify.
    Broken,
    /// It could not be looked at for now.
    Temporary,
}

/// How SPF came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spf {
    /// The report does not say.
    Unsaid,
    Pass,
    Fail,
    SoftFail,
    Neutral,
    None,
    TempError,
    PermError,
}

impl Spf {
    const ALL: [Self; 8] = [
        Self::Unsaid,
        Self::Pass,
        Self::Fail,
        Self::SoftFail,
        Self::Neutral,
        Self::None,
        Self::TempError,
        Self::PermError,
    ];

    fn of(word: &str) -> Self {
        match word {
            "pass" => Self::Pass,
            "fail" => Self::Fail,
            "softfail" => Self::SoftFail,
            "neutral" => Self::Neutral,
            "none" => Self::None,
            "temperror" => Self::TempError,
            "permerror" => Self::PermError,
            _ => Self::Unsaid,
        }
    }
}

/// Whose name SPF was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The report names none.
    Nobody,
    /// The author domain itself, or its organizational domain.
    Ours,
    /// Another name below the same organizational domain.
    Below,
    /// Somebody else's.
    Foreign,
}

impl Whose {
    const ALL: [Self; 4] = [Self::Nobody, Self::Ours, Self::Below, Self::Foreign];
}

/// The shape of a cell, packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Shape(pub(crate) u32);

const NULL_SENDER: u32 = 1 << 10;
const HELO: u32 = 1 << 11;
const OTHER_BROKEN: u32 = 1 << 12;
const OTHER_LIKE_SPF: u32 = 1 << 13;
const SAYS_FORWARDED: u32 = 1 << 14;
const LOCAL_POLICY: u32 = 1 << 15;

impl Shape {
    pub(crate) fn outcome(self) -> Outcome {
        Outcome::ALL.get((self.0 & 7) as usize).copied().unwrap_or(Outcome::Unauthenticated)
    }

    pub(crate) fn own(self) -> Own {
        [Own::Absent, Own::Pass, Own::Broken, Own::Temporary][(self.0 >> 3 & 3) as usize]
    }

    pub(crate) fn spf(self) -> Spf {
        Spf::ALL[(self.0 >> 5 & 7) as usize]
    }

    pub(crate) fn whose(self) -> Whose {
        Whose::ALL[(self.0 >> 8 & 3) as usize]
    }

    /// The bounce path `<>`, or a check of the greeting.
    pub(crate) fn bounce(self) -> bool {
        self.0 & (NULL_SENDER | HELO) != 0
    }

    /// Who signed and who stands in the envelope are one organization.
    pub(crate) fn other_like_spf(self) -> bool {
        self.0 & OTHER_LIKE_SPF != 0
    }

    /// The receiver says it was forwarded or came through a list.
    pub(crate) fn says_forwarded(self) -> bool {
        self.0 & SAYS_FORWARDED != 0
    }

    pub(crate) fn passes(self) -> bool {
        self.outcome().passes()
    }

    pub(crate) fn spf_aligned(self) -> bool {
        matches!(self.outcome(), Outcome::Both | Outcome::SpfOnly)
    }
}

/// One cell. Names are numbers in a list beside it; 0 is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Cell {
    /// The author domain.
    pub(crate) author: u32,
    /// The address, in 16 bytes.
    pub(crate) source: u128,
    /// Domain and selector of the signature of the author's organizational domain: the one that verified, else the first.
    pub(crate) own_domain: u32,
    pub(crate) own_selector: u32,
    /// Domain of somebody else's signature that verified.
    pub(crate) other: u32,
    /// Domain that SPF was about.
    pub(crate) spf: u32,
    pub(crate) shape: Shape,
    /// How many reporters have it.
    pub(crate) reporters: u32,
    /// Messages by disposition: none, pass, quarantine, reject.
    pub(crate) messages: [u64; 4],
}

impl Cell {
    pub(crate) fn total(&self) -> u64 {
        self.messages.iter().fold(0, |sum, n| sum.saturating_add(*n))
    }

    /// Receivers quarantined or rejected the larger part.
    pub(crate) fn was_stopped(&self) -> bool {
        (self.messages[2] + self.messages[3]) * 2 > self.total()
    }
}

/// Names by number; number 0 is no name.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    list: Vec<Text>,
    numbers: Map<Text, u32>,
}

impl Default for Names {
    fn default() -> Self {
        Self { list: vec![Text::default()], numbers: Map::from_iter([(Text::default(), 0)]) }
    }
}

impl Names {
    pub(crate) fn number(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = u32::try_from(self.list.len()).unwrap_or(0);
        let name = Text::new(name);
        self.list.push(name.clone());
        self.numbers.insert(name, number);
        number
    }

    pub(crate) fn name(&self, number: u32) -> &Text {
        &self.list[if (number as usize) < self.list.len() { number as usize } else { 0 }]
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }
}

/// One signature or one SPF check of the ledger's text.
struct Item<'a> {
    result: &'a str,
    domain: &'a str,
    selector: &'a str,
    helo: bool,
}

/// `pass d=example.com s=s1; fail d=…`
fn signatures(text: &str) -> impl Iterator<Item = Item<'_>> {
    text.split("; ").filter(|one| !one.is_empty()).map(|one| {
        let mut words = one.split(' ');
        let result = words.next().unwrap_or_default();
        let (mut domain, mut selector) = ("", "");
        for word in words {
            domain = word.strip_prefix("d=").unwrap_or(domain);
            selector = word.strip_prefix("s=").unwrap_or(selector);
        }
        Item { result, domain, selector, helo: false }
    })
}

/// `pass mfrom example.com; none helo …`
fn checks(text: &str) -> impl Iterator<Item = Item<'_>> {
    text.split("; ").filter(|one| !one.is_empty()).map(|one| {
        let mut words = one.split(' ');
        let result = words.next().unwrap_or_default();
        let rest: Vec<&str> = words.collect();
        let helo = rest.first() == Some(&"helo") && rest.len() > 1;
        Item { result, domain: rest.last().copied().unwrap_or_default(), selector: "", helo }
    })
}

/// The texts of a row that a cell is made of, as the ledger's columns have them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowTexts<'a> {
    pub(crate) author: &'a str,
    pub(crate) dkim: &'a str,
    pub(crate) spf: &'a str,
    pub(crate) envelope_from: &'a str,
    pub(crate) overrides: &'a str,
    pub(crate) outcome: Outcome,
}

/// What the texts say, without source and messages.
pub(crate) fn read(texts: &RowTexts<'_>, names: &mut Names) -> Cell {
    let organization = organizational_domain(texts.author);
    let ours = |domain: &str| organizational_domain(domain) == organization;
    let mut cell = Cell { author: names.number(texts.author), ..Cell::default() };
    let mut bits = place(&Outcome::ALL, &texts.outcome);

    let spf = telling(texts.spf, &ours);
    let mut spf_organization = None;
    if let Some(check) = &spf {
        let whose = match check.domain {
            "" | "-" => Whose::Nobody,
            domain if domain == texts.author || *domain == *organization => Whose::Ours,
            domain if ours(domain) => Whose::Below,
            domain => {
                spf_organization = Some(organizational_domain(domain));
                Whose::Foreign
            }
        };
        let result = Spf::of(check.result);
        bits |= place(&Spf::ALL, &result) << 5;
        bits |= place(&Whose::ALL, &whose) << 8;
        if whose != Whose::Nobody {
            cell.spf = names.number(check.domain);
        }
        if check.helo {
            bits |= HELO;
        }
        // Some reporters write an empty envelope sender where they know none: then SPF was about the author domain.
        if texts.envelope_from.is_empty() && whose != Whose::Nobody && check.domain != texts.author {
            bits |= NULL_SENDER;
        }
    }
    bits |= signed(texts, &mut cell, names, &ours, spf_organization.as_deref());
    for kind in texts.overrides.split(',') {
        match kind {
            "forwarded" | "trusted_forwarder" | "mailing_list" => bits |= SAYS_FORWARDED,
            "local_policy" => bits |= LOCAL_POLICY,
            _ => {}
        }
    }
    if texts.outcome == Outcome::Forwarded {
        bits |= SAYS_FORWARDED;
    }
    cell.shape = Shape(bits);
    cell
}

/// The number of a word among all.
fn place<T: PartialEq>(all: &[T], one: &T) -> u32 {
    all.iter().position(|other| other == one).and_then(|at| u32::try_from(at).ok()).unwrap_or(0)
}

/// The SPF check that tells most: a pass for us, a pass, the envelope sender's, the first.
fn telling<'a>(text: &'a str, ours: &dyn Fn(&str) -> bool) -> Option<Item<'a>> {
    let rank = |check: &Item<'_>| match (check.result == "pass", check.helo) {
        (true, _) if ours(check.domain) => 0,
        (true, false) => 1,
        (true, true) => 2,
        (false, false) => 3,
        (false, true) => 4,
    };
    checks(text).min_by_key(rank)
}

/// Fills in who signed, and gives the bits about it.
fn signed(
    texts: &RowTexts<'_>,
    cell: &mut Cell,
    names: &mut Names,
    ours: &dyn Fn(&str) -> bool,
    spf_organization: Option<&str>,
) -> u32 {
    let mut bits = 0;
    let mut own: Option<(Item<'_>, u32)> = None;
    let mut other: Option<(&str, bool)> = None;
    for signature in signatures(texts.dkim) {
        if signature.domain.is_empty() || signature.domain == "-" || signature.result == "none" {
            continue;
        }
        let passed = signature.result == "pass";
        if ours(signature.domain) {
            let state = if passed {
                1
            } else if signature.result == "temperror" {
                3
            } else {
                2
            };
            // One that verified tells more than one that did not, and the author domain's more than a name's beside it.
            let rank = |state: u32, domain: &str| u32::from(state == 1) * 2 + u32::from(domain == texts.author);
            if own.as_ref().is_none_or(|(known, was)| rank(state, signature.domain) > rank(*was, known.domain)) {
                own = Some((signature, state));
            }
        } else if passed {
            let like_spf = spf_organization.is_some_and(|o| *organizational_domain(signature.domain) == *o);
            if other.is_none_or(|(_, was)| like_spf && !was) {
                other = Some((signature.domain, like_spf));
            }
        } else {
            bits |= OTHER_BROKEN;
        }
    }
    if let Some((signature, state)) = own {
        cell.own_domain = names.number(signature.domain);
        cell.own_selector = names.number(signature.selector);
        bits |= state << 3;
    }
    if let Some((domain, like_spf)) = other {
        cell.other = names.number(domain);
        if like_spf {
            bits |= OTHER_LIKE_SPF;
        }
    }
    bits
}
