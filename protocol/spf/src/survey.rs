//! What a domain owner wants to know about the whole tree of records, not only up to the first match.
//!
//! In: a source of DNS answers and a domain. Out: every record of the tree, what each term spends of the limits (RFC 7208 §4.6.4), and
//! findings with the term that each is about. Not: severities and advice, which are for those who show them.

use std::pin::Pin;

use dns::{Data, Lookup, Name, RecordType, Response};

use crate::compiled::Step;
use crate::matching::exchangers;
use crate::ranges::{Range, Ranges, network};
use crate::{DomainSpec, Limits, Mechanism, Qualifier, Record, Selection, SyntaxError, TermKind};

/// Lookups after which the survey stops: far beyond the limit of ten, so that the owner sees by how much a tree exceeds it, yet bounded.
const LOOKUPS_MAX: u16 = 100;

/// Records within records; ten lookups lead no deeper than ten.
const DEPTH_MAX: usize = 12;

/// RFC 7208 §3.4: "the combined length of the DNS name and the text of all the records of a given type is under 450 octets".
const ANSWER_OCTETS_MAX: usize = 450;

/// A network with fewer bits is wide: a /16 has 65,536 addresses, which is more than any one sender needs.
const WIDE_V4_BITS: u8 = 16;

/// The same for IPv6: providers are given a /32 as a whole.
const WIDE_V6_BITS: u8 = 32;

/// What was seen of a domain's SPF.
#[derive(Debug, Clone)]
pub struct Survey {
    /// The records in the order of evaluation; the first is the domain's own.
    pub records: Vec<SurveyedRecord>,
    /// The terms that ask DNS, in the order of evaluation: the tenth is the last that is allowed.
    pub asking: Vec<Step>,
    /// Whether the survey ended before the tree did.
    pub cut: bool,
    /// What there is to say.
    pub findings: Vec<Finding>,
    limits: Limits,
}

/// A record of the tree.
#[derive(Debug, Clone)]
pub struct SurveyedRecord {
    /// Where.
    pub domain: Name,
    /// The term that leads here; none for the first.
    pub by: Option<Step>,
    /// Its text, as bytes.
    pub text: Box<[u8]>,
    /// Octets of the name and all TXT records beside it.
    pub answer_octets: usize,
}

/// Something about the tree that its owner may want to change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// A record has mistakes: its domain, all of them.
    Faulty(Name, Vec<SyntaxError>),
    /// A name has more than one SPF record.
    Several(Name),
    /// A name has no SPF record: the domain itself, or what a term leads to.
    NoRecord(Name, Option<Step>),
    /// DNS failed on this question.
    DnsFailed(Name, RecordType),
    /// This term is one too many that asks DNS: the eleventh.
    TooManyLookups(Step),
    /// This question of a term has no answer: a void lookup for the clients of that family.
    Void(Step, Name, RecordType),
    /// So many questions without an answer for clients of one family (`A`: IPv4) would be too many.
    TooManyVoids(RecordType, u16),
    /// An `mx` with so many hosts, more than are allowed.
    TooManyMxHosts(Step, usize),
    /// The term leads to a record that leads to it.
    Loop(Step),
    /// Everybody passes.
    PassAll(Step),
    /// Nobody fails: `?all`, or neither `all` nor `redirect` at the end.
    NobodyFails(Name),
    /// `ptr`, or the macro `p`. RFC 7208 §5.5: "This mechanism SHOULD NOT be published."
    Ptr(Step),
    /// A network with very many addresses: so many bits of prefix.
    Wide(Step, u8),
    /// Everything that the first term names, the second has named before.
    Covered(Step, Step),
    /// Some of what the first term names, the second has named before.
    Overlap(Step, Step),
    /// A term behind `all`, or a `redirect` beside one, which is never evaluated.
    NeverReached(Step),
    /// The address of a network has bits behind its prefix.
    HostBits(Step),
    /// A modifier that nobody knows, named like a mechanism: `ip4=…` for `ip4:…`.
    MechanismAsModifier(Step),
    /// The name and the texts beside the record have so many octets: the answer may not fit into one packet.
    LongAnswer(Name, usize),
}

impl Survey {
    /// How many terms ask DNS in the whole tree; ten are allowed.
    #[must_use]
    pub fn lookups(&self) -> usize {
        self.asking.len()
    }

    /// Within what limits it was made.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }
}

/// Looks at the whole tree of a domain's records.
pub async fn survey<L: Lookup>(lookup: &L, domain: &Name, limits: &Limits) -> Survey {
    let all = |last| Ranges::of((0, last));
    let survey = Survey { records: Vec::new(), asking: Vec::new(), cut: false, findings: Vec::new(), limits: *limits };
    let free = [all(u128::from(u32::MAX)), all(u128::MAX)];
    let mut surveyor =
        Surveyor { lookup, survey, free, named: [Vec::new(), Vec::new()], voids: [0, 0], path: Vec::new() };
    surveyor.walk(domain.clone(), None).await;
    let Surveyor { mut survey, voids, .. } = surveyor;
    for (kind, voids) in [RecordType::A, RecordType::Aaaa].into_iter().zip(voids) {
        if voids > limits.voids_max {
            survey.findings.push(Finding::TooManyVoids(kind, voids));
        }
    }
    survey
}

struct Surveyor<'a, L> {
    lookup: &'a L,
    survey: Survey,
    /// What no term has named yet, IPv4 and IPv6.
    free: [Ranges; 2],
    /// What terms have named, in order.
    named: [Vec<(Range, Step)>; 2],
    /// Void lookups of IPv4 and of IPv6 clients.
    voids: [u16; 2],
    /// The domains that lead here.
    path: Vec<Name>,
}

impl<L: Lookup> Surveyor<'_, L> {
    /// Looks at the record of a domain and all that it leads to. Boxed, because records include records.
    fn walk<'s>(&'s mut self, domain: Name, by: Option<Step>) -> Pin<Box<dyn Future<Output = ()> + Send + 's>> {
        Box::pin(async move {
            let response = self.lookup.lookup(&domain, RecordType::Txt).await;
            let Response::Found(records) = &response else {
                let failed = matches!(response, Response::ServFail(_) | Response::Timeout);
                let finding =
                    if failed { Finding::DnsFailed(domain, RecordType::Txt) } else { Finding::NoRecord(domain, by) };
                return self.survey.findings.push(finding);
            };
            let answer_octets = domain.wire_len() + records.records().iter().map(text_octets).sum::<usize>();
            let mut seen = |text: &[u8]| {
                let record =
                    SurveyedRecord { domain: domain.clone(), by: by.clone(), text: text.into(), answer_octets };
                self.survey.records.push(record);
            };
            let selection = Selection::cached(records);
            match &*selection {
                Selection::Nothing => return self.survey.findings.push(Finding::NoRecord(domain, by)),
                Selection::Several(texts) => {
                    for text in texts {
                        seen(text);
                    }
                    return self.survey.findings.push(Finding::Several(domain));
                }
                Selection::Faulty { text, errors } => {
                    seen(text);
                    return self.survey.findings.push(Finding::Faulty(domain, errors.clone()));
                }
                Selection::Record(record) => seen(record.text().as_bytes()),
            }
            if answer_octets > ANSWER_OCTETS_MAX {
                self.survey.findings.push(Finding::LongAnswer(domain.clone(), answer_octets));
            }
            self.path.push(domain.clone());
            if let Selection::Record(record) = &*selection {
                self.terms(&domain, record, by.is_none()).await;
            }
            self.path.pop();
        })
    }

    async fn terms(&mut self, domain: &Name, record: &Record, own: bool) {
        let mut ended = false;
        for (term, at) in record.terms.iter().zip(0..) {
            let step = Step { domain: domain.clone(), term: at, text: record.text_of(term).into() };
            match &term.kind {
                TermKind::Directive(..) if ended => self.survey.findings.push(Finding::NeverReached(step)),
                TermKind::Directive(qualifier, Mechanism::All) => {
                    ended = true;
                    match qualifier {
                        Qualifier::Pass => self.survey.findings.push(Finding::PassAll(step)),
                        Qualifier::Neutral if own => self.survey.findings.push(Finding::NobodyFails(domain.clone())),
                        _ => {}
                    }
                }
                TermKind::Directive(_, mechanism) => self.mechanism(domain, step, mechanism).await,
                TermKind::Redirect(_) if record.has_all => self.survey.findings.push(Finding::NeverReached(step)),
                TermKind::Unknown { name, .. } if is_mechanism(name) => {
                    self.survey.findings.push(Finding::MechanismAsModifier(step));
                }
                TermKind::Redirect(_) | TermKind::Explanation(_) | TermKind::Unknown { .. } => {}
            }
        }
        match record.redirect() {
            Some((at, spec)) => {
                let text = record.terms.get(usize::from(at)).map_or("", |term| record.text_of(term)).into();
                self.lead(domain, Step { domain: domain.clone(), term: at, text }, spec).await;
            }
            None if own && !record.has_all => self.survey.findings.push(Finding::NobodyFails(domain.clone())),
            None => {}
        }
    }

    async fn mechanism(&mut self, domain: &Name, step: Step, mechanism: &Mechanism) {
        let uses_names =
            matches!(mechanism, Mechanism::Ptr(_)) || mechanism.target().is_some_and(|spec| spec.has(b'p'));
        if uses_names {
            self.survey.findings.push(Finding::Ptr(step.clone()));
        }
        match mechanism {
            Mechanism::Include(spec) => return self.lead(domain, step, spec).await,
            Mechanism::Ip4(address, prefix) => {
                let range = network(address.to_bits().into(), *prefix, 32);
                return self.network(&step, 0, range, (u128::from(address.to_bits()), *prefix));
            }
            Mechanism::Ip6(address, prefix) => {
                let range = network(address.to_bits(), *prefix, 128);
                return self.network(&step, 1, range, (address.to_bits(), *prefix));
            }
            _ => {}
        }
        if !self.count(&step) {
            return;
        }
        let Some(target) = target(mechanism.target(), domain) else { return };
        match mechanism {
            Mechanism::Exists(_) => {
                self.ask(&step, &target, RecordType::A, [true, true]).await;
            }
            Mechanism::A(_, prefix) => self.addresses(&step, &target, [prefix.v4, prefix.v6]).await,
            Mechanism::Mx(_, prefix) => {
                let found = self.ask(&step, &target, RecordType::Mx, [true, true]).await;
                if found.len() > self.survey.limits.mx_hosts_max {
                    return self.survey.findings.push(Finding::TooManyMxHosts(step, found.len()));
                }
                for host in exchangers(&found) {
                    self.addresses(&step, host, [prefix.v4, prefix.v6]).await;
                }
            }
            _ => {}
        }
    }

    /// An `include` or a `redirect`.
    async fn lead(&mut self, domain: &Name, step: Step, spec: &DomainSpec) {
        if !self.count(&step) {
            return;
        }
        let Some(target) = target(Some(spec), domain) else { return };
        if self.path.contains(&target) || self.path.len() >= DEPTH_MAX {
            return self.survey.findings.push(Finding::Loop(step));
        }
        self.walk(target, Some(step)).await;
    }

    /// Counts a term that asks DNS; whether the survey goes on.
    fn count(&mut self, step: &Step) -> bool {
        if self.survey.asking.len() >= usize::from(LOOKUPS_MAX) {
            self.survey.cut = true;
            return false;
        }
        if self.survey.asking.len() == usize::from(self.survey.limits.lookups_max) {
            self.survey.findings.push(Finding::TooManyLookups(step.clone()));
        }
        self.survey.asking.push(step.clone());
        true
    }

    /// Asks for a term; where there is no answer it is void for the clients of these families.
    async fn ask(&mut self, step: &Step, name: &Name, kind: RecordType, families: [bool; 2]) -> Vec<Data> {
        let response = self.lookup.lookup(name, kind).await;
        match &response {
            Response::NxDomain { .. } | Response::NoData { .. } => {
                for (voids, counts) in self.voids.iter_mut().zip(families) {
                    *voids = voids.saturating_add(counts.into());
                }
                self.survey.findings.push(Finding::Void(step.clone(), name.clone(), kind));
            }
            Response::ServFail(_) | Response::Timeout => {
                self.survey.findings.push(Finding::DnsFailed(name.clone(), kind));
            }
            Response::Found(_) => {}
        }
        response.records().to_vec()
    }

    /// The addresses of a name, of both families.
    async fn addresses(&mut self, step: &Step, name: &Name, [v4, v6]: [u8; 2]) {
        for data in self.ask(step, name, RecordType::A, [true, false]).await {
            if let Data::A(address) = data {
                let bits = u128::from(address.to_bits());
                self.network(step, 0, network(bits, v4, 32), (network(bits, v4, 32).0, v4));
            }
        }
        for data in self.ask(step, name, RecordType::Aaaa, [false, true]).await {
            if let Data::Aaaa(address) = data {
                let bits = address.to_bits();
                self.network(step, 1, network(bits, v6, 128), (network(bits, v6, 128).0, v6));
            }
        }
    }

    /// A network that a term names.
    fn network(&mut self, step: &Step, family: usize, range: Range, (address, bits): (u128, u8)) {
        let findings = &mut self.survey.findings;
        if bits < [WIDE_V4_BITS, WIDE_V6_BITS][family] {
            findings.push(Finding::Wide(step.clone(), bits));
        }
        if address != range.0 {
            findings.push(Finding::HostBits(step.clone()));
        }
        let fresh = self.free[family].cut(range);
        let (start, end) = range;
        if fresh != [range]
            && let Some((_, before)) = self.named[family].iter().find(|((from, to), _)| *from <= end && start <= *to)
            && before != step
        {
            let finding = if fresh.is_empty() { Finding::Covered } else { Finding::Overlap };
            findings.push(finding(step.clone(), before.clone()));
        }
        self.named[family].push((range, step.clone()));
    }
}

/// The name that a term is about, where it is the same for every message.
fn target(spec: Option<&DomainSpec>, domain: &Name) -> Option<Name> {
    let Some(spec) = spec else { return Some(domain.clone()) };
    spec.letters().all(|letter| letter == b'd').then(|| spec.name_for(domain)).flatten()
}

fn is_mechanism(name: &str) -> bool {
    ["all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn text_octets(data: &Data) -> usize {
    match data {
        Data::Txt(text) => text.len(),
        _ => 0,
    }
}
