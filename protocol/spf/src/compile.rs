//! Works out a domain's SPF for all addresses at once.
//!
//! In: a source of DNS answers and a domain. Out: a [`Compiled`]. Records are evaluated as `check_host()` does (RFC 7208 §4), but with sets
//! of addresses in place of one: what a term matches is cut out and decided, the rest goes on. What has been spent of the limits differs
//! from set to set, because an address that an included record decides early has asked less than one it does not; so each set carries
//! its own count. A term that depends on the message decides nothing: whoever comes that far stays open.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::pin::Pin;
use std::sync::Arc;

use dns::{Data, Lookup, Name, RecordType, Response};

use crate::compiled::{Compiled, Decision, Dependence, Outcome, Step, Table, Trouble};
use crate::ranges::{Range, Ranges, network};
use crate::spec::Values;
use crate::tree::Spent;
use crate::{DomainSpec, DualPrefix, Limits, Mechanism, Record, Selection, SpfResult, Term, TermKind};

/// Works out what SPF says about every address as a client of this domain.
pub async fn compile<L: Lookup>(lookup: &L, domain: &Name, limits: &Limits) -> Compiled {
    let mut compiler = Compiler {
        lookup,
        limits,
        top: domain.clone(),
        v6: false,
        answers: HashMap::new(),
        decisions: Interner::default(),
        ttl: Some(u32::MAX),
    };
    let v4 = compiler.family(false).await;
    let v6 = compiler.family(true).await;
    let (domain, ttl) = (domain.clone(), compiler.ttl);
    let v4 = table(v4, |address| u32::try_from(address).unwrap_or(u32::MAX));
    Compiled { domain, decisions: compiler.decisions.all, v4, v6: table(v6, |address| address), ttl }
}

/// Runs in the order of their addresses, equal neighbours joined.
fn table<T>(mut runs: Vec<(Range, u32)>, start: impl Fn(u128) -> T) -> Table<T> {
    runs.sort_unstable();
    let mut table = Table { starts: Vec::new(), decisions: Vec::new() };
    for ((from, _), decision) in runs {
        if table.decisions.last() != Some(&decision) {
            table.starts.push(start(from));
            table.decisions.push(decision);
        }
    }
    table
}

/// Decisions, each kept once.
#[derive(Default)]
struct Interner {
    all: Vec<Decision>,
    known: HashMap<Decision, u32>,
}

impl Interner {
    fn number(&mut self, decision: Decision) -> u32 {
        let next = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        *self.known.entry(decision).or_insert_with_key(|decision| {
            self.all.push(decision.clone());
            next
        })
    }
}

struct Compiler<'a, L> {
    lookup: &'a L,
    limits: &'a Limits,
    /// The domain of the sender, for `%{o}`.
    top: Name,
    /// Which family is worked out.
    v6: bool,
    /// Each question is asked once, so that all sets see the same DNS.
    answers: HashMap<(Name, RecordType), Response>,
    decisions: Interner,
    ttl: Option<u32>,
}

/// Addresses that are still undecided, and what has been spent on them.
#[derive(Clone)]
struct Part {
    addresses: Ranges,
    spent: Spent,
}

/// Addresses that a record decided about.
struct Piece {
    addresses: Vec<Range>,
    spent: Spent,
    decision: Decision,
}

/// What became of addresses in one record.
#[derive(Default)]
struct Walked {
    pieces: Vec<Piece>,
    left: Vec<Part>,
}

/// The record that is walked, for the steps of paths.
struct Here<'r> {
    domain: &'r Name,
    record: &'r Record,
}

impl Here<'_> {
    fn step(&self, at: u16, term: &Term) -> Step {
        Step { domain: self.domain.clone(), term: at, text: self.record.text_of(term).into() }
    }
}

impl<L: Lookup> Compiler<'_, L> {
    async fn family(&mut self, v6: bool) -> Vec<(Range, u32)> {
        self.v6 = v6;
        let all = Ranges::of((0, if v6 { u128::MAX } else { u128::from(u32::MAX) }));
        let walked = self.walk(self.top.clone(), vec![Part { addresses: all, spent: Spent::default() }], false).await;
        let nothing = Decision { outcome: Outcome::Result(SpfResult::Neutral), path: Vec::new() };
        let left = walked.left.into_iter().map(|part| Piece {
            addresses: part.addresses.iter().collect(),
            spent: part.spent,
            decision: nothing.clone(),
        });
        let mut runs = Vec::new();
        for piece in walked.pieces.into_iter().chain(left) {
            let number = self.decisions.number(piece.decision);
            runs.extend(piece.addresses.into_iter().map(|range| (range, number)));
        }
        runs
    }

    /// Evaluates the record of a domain for all these addresses. Boxed, because records include records; ten deep at most.
    fn walk<'s>(
        &'s mut self,
        domain: Name,
        mut parts: Vec<Part>,
        counts: bool,
    ) -> Pin<Box<dyn Future<Output = Walked> + Send + 's>> {
        Box::pin(async move {
            let mut walked = Walked::default();
            // RFC 7208 §4.3: what is no multi-label name has no record.
            if domain.labels().nth(1).is_none() {
                walked.stop_all(&mut parts, SpfResult::None, Trouble::NoRecord, Vec::new());
                return walked;
            }
            let response = self.ask(&domain, RecordType::Txt).await;
            if counts && is_void(&response) {
                for part in &mut parts {
                    part.spent.voids += 1;
                }
            }
            let selection = match &response {
                Response::Found(records) => Selection::cached(records),
                Response::NxDomain { .. } | Response::NoData { .. } => Arc::new(Selection::Nothing),
                Response::ServFail(_) | Response::Timeout => {
                    walked.stop_all(&mut parts, SpfResult::TempError, Trouble::DnsFailed, Vec::new());
                    return walked;
                }
            };
            let (result, trouble) = match &*selection {
                Selection::Record(record) => {
                    self.record(&Here { domain: &domain, record }, parts, &mut walked).await;
                    return walked;
                }
                Selection::Nothing => (SpfResult::None, Trouble::NoRecord),
                Selection::Faulty { .. } => (SpfResult::PermError, Trouble::Faulty),
                Selection::Several(_) => (SpfResult::PermError, Trouble::Several),
            };
            walked.stop_all(&mut parts, result, trouble, Vec::new());
            walked
        })
    }

    async fn record(&mut self, here: &Here<'_>, mut parts: Vec<Part>, walked: &mut Walked) {
        for (term, at) in here.record.terms.iter().zip(0..) {
            let TermKind::Directive(qualifier, mechanism) = &term.kind else { continue };
            if parts.is_empty() {
                return;
            }
            let matched = |step: Step| Decision { outcome: Outcome::Result(qualifier.result()), path: vec![step] };
            match mechanism {
                Mechanism::All => walked.decide_all(&mut parts, &matched(here.step(at, term))),
                Mechanism::Ip4(address, prefix) if !self.v6 => {
                    let range = network(address.to_bits().into(), *prefix, 32);
                    walked.decide(&mut parts, range, || matched(here.step(at, term)));
                }
                Mechanism::Ip6(address, prefix) if self.v6 => {
                    let range = network(address.to_bits(), *prefix, 128);
                    walked.decide(&mut parts, range, || matched(here.step(at, term)));
                }
                Mechanism::Ip4(..) | Mechanism::Ip6(..) => {}
                Mechanism::Include(spec) => {
                    let Some(inner) = self.enter(here, (at, term), spec, &mut parts, walked).await else { continue };
                    // RFC 7208 §5.2: of the included record only pass is a match.
                    for piece in inner.pieces {
                        match piece.decision.outcome {
                            Outcome::Result(SpfResult::Pass) => {
                                let outcome = Outcome::Result(qualifier.result());
                                walked.pieces.push(piece.under(outcome, here.step(at, term)));
                            }
                            Outcome::Result(_) => join(&mut parts, piece.addresses, piece.spent),
                            outcome => walked.pieces.push(piece.under(outcome, here.step(at, term))),
                        }
                    }
                    for part in inner.left {
                        join(&mut parts, part.addresses.iter().collect(), part.spent);
                    }
                }
                _ => self.asking(here, (at, term), mechanism, &mut parts, walked).await,
            }
        }
        if let Some((at, spec)) = here.record.redirect()
            && let Some(term) = here.record.terms.get(usize::from(at))
            && !parts.is_empty()
            && let Some(inner) = self.enter(here, (at, term), spec, &mut parts, walked).await
        {
            for piece in inner.pieces {
                let outcome = piece.decision.outcome;
                walked.pieces.push(piece.under(outcome, here.step(at, term)));
            }
            parts = inner.left;
        }
        walked.left = parts;
    }

    /// The record of an `include` or `redirect` for these addresses; takes them all. None where the term decides without a record.
    async fn enter(
        &mut self,
        here: &Here<'_>,
        (at, term): (u16, &Term),
        spec: &DomainSpec,
        parts: &mut Vec<Part>,
        walked: &mut Walked,
    ) -> Option<Walked> {
        let path = || vec![here.step(at, term)];
        self.count(parts, walked, path);
        let target = match self.target(Some(spec), here.domain) {
            Ok(Some(target)) => target,
            Ok(None) => {
                walked.stop_all(parts, SpfResult::PermError, Trouble::NoRecord, path());
                return None;
            }
            Err(dependence) => {
                walked.decide_all(parts, &Decision { outcome: Outcome::Depends(dependence), path: path() });
                return None;
            }
        };
        if parts.is_empty() {
            return None;
        }
        let mut inner = self.walk(target, std::mem::take(parts), true).await;
        for piece in &mut inner.pieces {
            // RFC 7208 §5.2, §6.1: none becomes permerror.
            if let Outcome::Error(result @ SpfResult::None, _) = &mut piece.decision.outcome {
                *result = SpfResult::PermError;
            }
        }
        Some(inner)
    }

    /// `a`, `mx`, `ptr` and `exists`.
    async fn asking(
        &mut self,
        here: &Here<'_>,
        (at, term): (u16, &Term),
        mechanism: &Mechanism,
        parts: &mut Vec<Part>,
        walked: &mut Walked,
    ) {
        let TermKind::Directive(qualifier, _) = term.kind else { return };
        let path = || vec![here.step(at, term)];
        let matched = || Decision { outcome: Outcome::Result(qualifier.result()), path: path() };
        self.count(parts, walked, path);
        let target = match self.target(mechanism.target(), here.domain) {
            Ok(Some(target)) => target,
            Ok(None) => return,
            Err(dependence) => {
                return walked.decide_all(parts, &Decision { outcome: Outcome::Depends(dependence), path: path() });
            }
        };
        match mechanism {
            Mechanism::Ptr(_) => {
                walked.decide_all(parts, &Decision { outcome: Outcome::Depends(Dependence::Ptr), path: path() });
            }
            Mechanism::Exists(_) => {
                let found = self.asked(&target, RecordType::A, parts, walked, path).await;
                if !found.is_empty() {
                    walked.decide_all(parts, &matched());
                }
            }
            Mechanism::A(_, prefix) => {
                for range in self.addresses(&target, *prefix, parts, walked, path).await {
                    walked.decide(parts, range, matched);
                }
            }
            Mechanism::Mx(_, prefix) => {
                let found = self.asked(&target, RecordType::Mx, parts, walked, path).await;
                if found.len() > self.limits.mx_hosts_max {
                    return walked.stop_all(parts, SpfResult::PermError, Trouble::TooManyMxHosts, path());
                }
                for host in crate::matching::exchangers(&found) {
                    for range in self.addresses(host, *prefix, parts, walked, path).await {
                        walked.decide(parts, range, matched);
                    }
                }
            }
            Mechanism::All | Mechanism::Include(_) | Mechanism::Ip4(..) | Mechanism::Ip6(..) => {}
        }
    }

    /// The networks of a name's addresses.
    async fn addresses(
        &mut self,
        name: &Name,
        prefix: DualPrefix,
        parts: &mut Vec<Part>,
        walked: &mut Walked,
        path: impl Fn() -> Vec<Step>,
    ) -> Vec<Range> {
        let kind = if self.v6 { RecordType::Aaaa } else { RecordType::A };
        let found = if parts.is_empty() { Vec::new() } else { self.asked(name, kind, parts, walked, path).await };
        let range = |data: &Data| match data {
            Data::A(address) => Some(network(address.to_bits().into(), prefix.v4, 32)),
            Data::Aaaa(address) => Some(network(address.to_bits(), prefix.v6, 128)),
            _ => None,
        };
        found.iter().filter_map(range).collect()
    }

    /// Asks for a term; what fails or is void decides about the parts as it does in an evaluation.
    async fn asked(
        &mut self,
        name: &Name,
        kind: RecordType,
        parts: &mut Vec<Part>,
        walked: &mut Walked,
        path: impl Fn() -> Vec<Step>,
    ) -> Vec<Data> {
        let response = self.ask(name, kind).await;
        if matches!(response, Response::ServFail(_) | Response::Timeout) {
            walked.stop_all(parts, SpfResult::TempError, Trouble::DnsFailed, path());
        }
        if is_void(&response) {
            for part in parts.iter_mut() {
                part.spent.voids += 1;
            }
            let over = |part: &Part| part.spent.voids > self.limits.voids_max;
            walked.stop(parts, over, Trouble::TooManyVoids, path);
        }
        response.records().to_vec()
    }

    async fn ask(&mut self, name: &Name, kind: RecordType) -> Response {
        if let Some(known) = self.answers.get(&(name.clone(), kind)) {
            return known.clone();
        }
        let response = self.lookup.lookup(name, kind).await;
        self.ttl = self.ttl.zip(response.ttl()).map(|(least, ttl)| least.min(ttl));
        self.answers.insert((name.clone(), kind), response.clone());
        response
    }

    /// RFC 7208 §4.6.4: counts a term for each part; those that have no lookup left end here.
    fn count(&self, parts: &mut Vec<Part>, walked: &mut Walked, path: impl Fn() -> Vec<Step>) {
        walked.stop(parts, |part| part.spent.lookups >= self.limits.lookups_max, Trouble::TooManyLookups, path);
        for part in parts.iter_mut() {
            part.spent.lookups += 1;
        }
    }

    /// The name a term is about, none where it is no name; or what it depends on.
    fn target(&self, spec: Option<&DomainSpec>, domain: &Name) -> Result<Option<Name>, Dependence> {
        let Some(spec) = spec else { return Ok(Some(domain.clone())) };
        if let Some(letter) = spec.letters().find(|letter| !b"dov".contains(letter)) {
            return Err(Dependence::Macro(letter));
        }
        let mut sender_domain = Vec::new();
        crate::spec::write_name(&self.top, &mut sender_domain);
        let sender_domain = String::from_utf8_lossy(&sender_domain);
        // Any address of the family: only `%{v}` looks at it.
        let ip = if self.v6 { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) };
        let values = Values {
            local_part: "",
            sender_domain: &sender_domain,
            domain,
            ip,
            validated: None,
            helo: "",
            receiver: "",
            time: 0,
        };
        Ok(spec.name(&values))
    }
}

const fn is_void(response: &Response) -> bool {
    matches!(response, Response::NxDomain { .. } | Response::NoData { .. })
}

/// Adds addresses to the part that has spent as much, so that there are never more parts than ways to spend.
fn join(parts: &mut Vec<Part>, addresses: Vec<Range>, spent: Spent) {
    if let Some(part) = parts.iter_mut().find(|part| part.spent == spent) {
        part.addresses.add(addresses);
        return;
    }
    let mut ranges = Ranges::default();
    ranges.add(addresses);
    parts.push(Part { addresses: ranges, spent });
}

impl Piece {
    /// The same as seen from the record that led here.
    fn under(mut self, outcome: Outcome, step: Step) -> Self {
        self.decision.path.insert(0, step);
        self.decision.outcome = outcome;
        self
    }
}

impl Walked {
    /// Decides about what lies in a range.
    fn decide(&mut self, parts: &mut Vec<Part>, range: Range, decision: impl Fn() -> Decision) {
        for part in parts.iter_mut() {
            let addresses = part.addresses.cut(range);
            if !addresses.is_empty() {
                self.pieces.push(Piece { addresses, spent: part.spent, decision: decision() });
            }
        }
        parts.retain(|part| !part.addresses.is_empty());
    }

    /// Decides about all that is left.
    fn decide_all(&mut self, parts: &mut Vec<Part>, decision: &Decision) {
        for part in parts.drain(..) {
            let addresses = part.addresses.iter().collect();
            self.pieces.push(Piece { addresses, spent: part.spent, decision: decision.clone() });
        }
    }

    /// Ends in an error for some parts.
    fn stop(
        &mut self,
        parts: &mut Vec<Part>,
        which: impl Fn(&Part) -> bool,
        trouble: Trouble,
        path: impl Fn() -> Vec<Step>,
    ) {
        let mut stopped: Vec<Part> = parts.extract_if(.., |part| which(part)).collect();
        if !stopped.is_empty() {
            self.stop_all(&mut stopped, SpfResult::PermError, trouble, path());
        }
    }

    /// Ends in an error for all that is left.
    fn stop_all(&mut self, parts: &mut Vec<Part>, result: SpfResult, trouble: Trouble, path: Vec<Step>) {
        self.decide_all(parts, &Decision { outcome: Outcome::Error(result, trouble), path });
    }
}
