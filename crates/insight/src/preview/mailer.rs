//! One thread's eyes on the cells: what each author domain asks for, which names are aligned with it, and what SPF says, now and then.
//!
//! In: a [`World`] and cells. Out: for each cell how its messages fare now and would fare. Names are judged once by the evaluators of
//! messages (`dmarc::verdict`, `spf::compile`) and remembered, so that a cell costs a few look-ups in tables.

use std::collections::HashMap;

use authres::ResultWord;
use dmarc::{Identifier, Method, PolicySource, Rules, Verdict, Walker};
use dns::{Lookup, Name, Suffixes};
use message::Domain;
use report::{Outcome, Text};
use spf::{Compiled, Limits, SpfResult};

use super::world::{World, spf_text};
use crate::flows::{Cell, Own, Spf, address};

/// Which tag of a record decides about an author domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tag {
    /// `p`: the domain has the record itself.
    P,
    /// `sp`: a name below, that exists.
    Sp,
    /// `np`: a name below, that does not exist.
    Np,
    /// No record applies.
    Nothing,
}

impl Tag {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::P, Self::Sp, Self::Np, Self::Nothing];

    /// The tag as in a record.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::P => "p",
            Self::Sp => "sp",
            Self::Np => "np",
            Self::Nothing => "no record",
        }
    }
}

/// What is asked of receivers about failing mail of an author domain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Asked {
    pub(crate) tag: Tag,
    /// The share that would be quarantined or rejected.
    pub(crate) stopped: f64,
    /// The share that would be rejected.
    pub(crate) rejected: f64,
}

const NOTHING: Asked = Asked { tag: Tag::Nothing, stopped: 0.0, rejected: 0.0 };

/// An author domain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Author {
    /// Whether mail in its name is part of the preview.
    pub(crate) counts: bool,
    pub(crate) now: Asked,
    pub(crate) then: Asked,
}

/// How the messages of a cell fare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "five independent answers about the same messages")]
pub(crate) struct Fares {
    /// DMARC passes by what the reporter says.
    pub(crate) reported: bool,
    /// It passes by the records as they are.
    pub(crate) replayed: bool,
    /// It would pass.
    pub(crate) then: bool,
    /// SPF by the new record depends on the message; it was taken as reported.
    pub(crate) undecided: bool,
    /// Aligned DKIM, then.
    pub(crate) dkim: bool,
}

/// Places of the table of alignments: more than a domain has author and signing names in use.
const TABLE: usize = 1 << 12;
const EMPTY: u64 = u64::MAX;

/// SPF of one name, now and then.
type Pair = Option<Box<(Compiled, Compiled)>>;

/// What a thread knows.
pub(crate) struct Mailer<'w> {
    world: &'w World,
    suffixes: Suffixes,
    counts: &'w (dyn Fn(&str) -> bool + Sync),
    numbers: HashMap<Text, u32>,
    pub(crate) names: Vec<Text>,
    authors: Vec<Option<Author>>,
    /// `None` not looked at yet.
    checked: Vec<Option<Pair>>,
    /// By author and name: what they are, and whether aligned now and then.
    dkim: Vec<(u64, bool, bool)>,
    spf: Vec<(u64, bool, bool)>,
}

impl<'w> Mailer<'w> {
    pub(crate) fn new(world: &'w World, counts: &'w (dyn Fn(&str) -> bool + Sync)) -> Self {
        Self {
            world,
            suffixes: Suffixes::default(),
            counts,
            numbers: HashMap::from([(Text::default(), 0)]),
            names: vec![Text::default()],
            authors: vec![None],
            checked: vec![None],
            dkim: vec![(EMPTY, false, false); TABLE],
            spf: vec![(EMPTY, false, false); TABLE],
        }
    }

    /// The number of a name.
    pub(crate) fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(0);
        self.names.push(Text::new(name));
        self.numbers.insert(Text::new(name), number);
        self.authors.push(None);
        self.checked.push(None);
        number
    }

    /// What is asked about the mail of an author domain.
    pub(crate) fn author(&mut self, author: u32) -> Author {
        if let Some(known) = self.authors[author as usize] {
            return known;
        }
        let name = self.names[author as usize].clone();
        let counts = (self.counts)(&name);
        let found = if counts {
            let now = asked(&name, &self.world.now, self.world.standard, &self.suffixes);
            let then = asked(&name, &self.world.then(), self.world.standard, &self.suffixes);
            Author { counts, now, then }
        } else {
            Author { counts, now: NOTHING, then: NOTHING }
        };
        self.authors[author as usize] = Some(found);
        found
    }

    /// How a cell fares. `signed`: its flow would get an aligned signature.
    pub(crate) fn fares(&mut self, cell: &Cell, signed: bool) -> Fares {
        let outcome = cell.shape.outcome();
        let said_dkim = matches!(outcome, Outcome::Both | Outcome::DkimOnly);
        let said_spf = matches!(outcome, Outcome::Both | Outcome::SpfOnly);
        let verified = cell.shape.own() == Own::Pass;
        let (dkim_now, dkim_then) =
            if verified { self.aligned(Method::Dkim, cell.author, cell.own_domain) } else { (false, false) };
        let passed = cell.shape.spf() == Spf::Pass;
        let (would, undecided) = self.would_pass(cell, passed);
        let (spf_now, spf_then) = if (passed || would) && cell.spf != 0 {
            self.aligned(Method::Spf, cell.author, cell.spf)
        } else {
            (false, false)
        };
        let (spf_now, spf_then) = (passed && spf_now, would && spf_then);
        // What the records say differently changes what the reporter said; what they say alike leaves it.
        let dkim = signed || if dkim_now == dkim_then { said_dkim } else { dkim_then };
        let spf = if spf_now == spf_then { said_spf } else { spf_then };
        Fares { reported: said_dkim || said_spf, replayed: dkim_now || spf_now, then: dkim || spf, undecided, dkim }
    }

    /// Whether SPF would pass, and whether that depends on the message.
    fn would_pass(&mut self, cell: &Cell, passed: bool) -> (bool, bool) {
        if !self.world.spf_changes || cell.spf == 0 {
            return (passed, false);
        }
        let at = cell.spf as usize;
        if self.checked[at].is_none() {
            let pair = compiled(&self.names[at], self.world);
            self.checked[at] = Some(pair);
        }
        let Some(Some(pair)) = &self.checked[at] else { return (passed, false) };
        let source = address(cell.source);
        match (pair.0.answer(source).result(), pair.1.answer(source).result()) {
            (Some(now), Some(then)) if now == then => (passed, false),
            (_, Some(then)) => (then == SpfResult::Pass, false),
            (now, None) => (passed, now.is_some()),
        }
    }

    /// Whether a name is aligned with an author domain, now and then.
    fn aligned(&mut self, method: Method, author: u32, name: u32) -> (bool, bool) {
        let key = u64::from(author) << 32 | u64::from(name);
        let place = usize::try_from((key ^ (key >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52).unwrap_or(0);
        let table = if method == Method::Dkim { &self.dkim } else { &self.spf };
        let (known, now, then) = table[place];
        if known == key {
            return (now, then);
        }
        let (of, domain) = (&self.names[author as usize], &self.names[name as usize]);
        let now = related(of, domain, method, &self.world.now, self.world.standard, &self.suffixes);
        let then = related(of, domain, method, &self.world.then(), self.world.standard, &self.suffixes);
        let table = if method == Method::Dkim { &mut self.dkim } else { &mut self.spf };
        table[place] = (key, now, then);
        (now, then)
    }
}

fn rules(standard: dmarc::Standard, suffixes: &Suffixes, sample: u8) -> Rules<'_> {
    Rules { standard, suffixes, sample }
}

fn judge<L: Lookup>(author: &str, identifiers: &[Identifier], dns: &L, rules: &Rules<'_>) -> Option<Verdict> {
    let author = Domain::parse(author.as_bytes()).ok()?;
    Some(dns::now(dmarc::verdict(&author, identifiers, &mut Walker::new(dns), rules)))
}

/// What is asked about failing mail of an author domain.
fn asked<L: Lookup>(author: &str, dns: &L, standard: dmarc::Standard, suffixes: &Suffixes) -> Asked {
    // The two ends of sampling: what happens to mail that is sampled, and to mail that is not.
    let Some(verdict) = judge(author, &[], dns, &rules(standard, suffixes, 0)) else { return NOTHING };
    let Some(requested) = verdict.policy else { return NOTHING };
    let tag = match requested.source {
        PolicySource::P | PolicySource::Unreadable => Tag::P,
        PolicySource::Sp => Tag::Sp,
        PolicySource::Np => Tag::Np,
    };
    let record = verdict.discovery.as_ref().and_then(|discovery| discovery.published());
    let inherited = verdict.discovery.as_ref().zip(record.as_ref()).is_some_and(|(d, (at, ..))| **at != d.domain);
    let percent = record
        .and_then(|(_, published, _)| published.record.percent)
        .filter(|_| standard == dmarc::Standard::Rfc7489)
        .unwrap_or(100);
    let sampled = f64::from(percent.min(100)) / 100.0;
    let share = |stops: &dyn Fn(dmarc::Policy) -> bool| {
        let part = |policy: dmarc::Policy, share: f64| if stops(policy) { share } else { 0.0 };
        part(requested.policy, sampled) + part(requested.policy.one_level_lower(), 1.0 - sampled)
    };
    Asked {
        // Without `sp` it is `p` that decides below, and a name that is not there is told apart all the same.
        tag: if tag == Tag::P && inherited { Tag::Sp } else { tag },
        stopped: share(&|policy| policy != dmarc::Policy::None),
        rejected: share(&|policy| policy == dmarc::Policy::Reject),
    }
}

/// Whether a name that passes counts for an author domain.
fn related<L: Lookup>(
    author: &str,
    name: &str,
    method: Method,
    dns: &L,
    standard: dmarc::Standard,
    suffixes: &Suffixes,
) -> bool {
    let identifier = Identifier { method, domain: Name::from_dotted(name.as_bytes()).ok(), result: ResultWord::Pass };
    let verdict = judge(author, std::slice::from_ref(&identifier), dns, &rules(standard, suffixes, 0));
    match verdict.as_ref().and_then(|verdict| verdict.alignments.first()?.relation.as_ref()) {
        Some(relation) => relation.is_aligned(),
        // No record: nobody asks. What would count if there were one.
        None => store::organizational_domain(author) == store::organizational_domain(name),
    }
}

/// SPF of a name worked out now and then; none where it would stay the same.
fn compiled(name: &str, world: &World) -> Pair {
    let name = Name::from_dotted(name.as_bytes()).ok()?;
    let limits = Limits::default();
    let now = dns::now(spf::compile(&world.now, &name, &limits));
    let then = dns::now(spf::compile(&world.then(), &name, &limits));
    let same = now.runs().eq(then.runs()) && now.decisions() == then.decisions();
    let known = spf_text(&world.now, &name).is_some() || spf_text(&world.change, &name).is_some();
    (!same && known).then(|| Box::new((now, then)))
}
