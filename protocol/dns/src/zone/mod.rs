//! The one fake resolver: answers from records in memory, and misbehaves where told to (RFC 1034 §4.3.2, RFC 4592, RFC 8020).
//!
//! In: records, or master-file text. Out: what a recursive resolver would say about them. A name that is not there is NXDOMAIN, a name
//! with other types or with names below it is NODATA. Not: delegations, DNSSEC, classes other than IN.

mod error;
mod lexer;
mod read;
mod within;
mod write;

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

pub use error::{Problem, ZoneError};
pub use within::Within;

use crate::name::{NAME_OCTETS_MAX, above};
use crate::{Data, Lookup, Name, RecordType, Records, Response};

/// Aliases followed for one question, as many as common resolvers follow.
pub(crate) const ALIASES_MAX: usize = 12;

/// Names and their records, for tests, for `--zone` and for what-if.
#[derive(Debug, Clone, Default)]
pub struct Zone {
    nodes: HashMap<Name, Node, foldhash::quality::RandomState>,
}

/// What is at one name. Every ancestor of a name has a node too: an "empty non-terminal" exists (RFC 4592 §2.2.2).
#[derive(Debug, Clone, Default)]
struct Node {
    sets: Vec<Set>,
    faults: Vec<(Option<RecordType>, Fault)>,
    delay: Duration,
    /// A zone begins here: how long answers without records may be kept (RFC 2308 §5).
    negative_ttl: Option<u32>,
}

/// The records of one type at one name.
#[derive(Debug, Clone)]
struct Set {
    kind: RecordType,
    ttl: u32,
    /// None: they were taken away, so that nothing shows through from below an overlay.
    data: Vec<Data>,
    answer: OnceLock<Records>,
}

/// How a question goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The server says SERVFAIL.
    ServFail,
    /// No answer comes in time.
    Timeout,
}

/// One step towards an answer.
pub(crate) enum Step {
    /// This is the answer.
    Answer(Response),
    /// The name is an alias of this one, for so many seconds.
    Alias(Name, u32),
    /// The zone has the name, or names below it, but no such records.
    Empty,
    /// The zone knows nothing about the name.
    Absent,
}

impl Zone {
    /// No names at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one record. Records of one type at one name share the smallest time to live (RFC 2181 §5.2).
    pub fn add(&mut self, name: &Name, ttl: u32, data: Data) {
        let kind = data.kind();
        let node = self.node(name);
        if let Some(set) = node.set_mut(kind) {
            set.ttl = set.ttl.min(ttl);
            set.data.push(data);
            set.answer = OnceLock::new();
        } else {
            node.sets.push(Set { kind, ttl, data: vec![data], answer: OnceLock::new() });
        }
    }

    /// Says that a name has no records of this type, whatever an [`crate::Overlay`] finds below; those added so far go.
    pub fn take_away(&mut self, name: &Name, kind: RecordType) {
        let node = self.node(name);
        node.sets.retain(|set| set.kind != kind);
        node.sets.push(Set { kind, ttl: u32::MAX, data: Vec::new(), answer: OnceLock::new() });
    }

    /// Says that a name exists, with or without records.
    pub fn exists(&mut self, name: &Name) {
        self.node(name);
    }

    /// Lets questions about a name go wrong: those for one type, or all.
    pub fn fail(&mut self, name: &Name, kind: Option<RecordType>, fault: Fault) {
        self.node(name).faults.push((kind, fault));
    }

    /// Lets questions about a name take so long, as [`Zone::within`] counts.
    pub fn delay(&mut self, name: &Name, delay: Duration) {
        self.node(name).delay = delay;
    }

    /// Says how long answers without records may be kept, from this name on down: the SOA record of a zone.
    pub fn negative_ttl(&mut self, name: &Name, seconds: u32) {
        self.node(name).negative_ttl = Some(seconds);
    }

    /// The same zone as one who waits no longer than `budget` in all sees it.
    #[must_use]
    pub fn within(&self, budget: Duration) -> Within<'_> {
        Within::new(self, budget)
    }

    /// Whether a record of this type may stand at a name (RFC 1034 §3.6.2: nothing beside an alias).
    fn may_have(&self, name: &Name, kind: RecordType) -> bool {
        let Some(node) = self.nodes.get(name) else { return true };
        let present = |set: &&Set| !set.data.is_empty();
        match kind {
            RecordType::Cname => node.sets.iter().filter(present).count() == 0,
            _ => !node.sets.iter().filter(present).any(|set| set.kind == RecordType::Cname),
        }
    }

    fn node(&mut self, name: &Name) -> &mut Node {
        if !self.nodes.contains_key(name) {
            for ancestor in name.ancestors().skip(1) {
                if self.nodes.contains_key(&ancestor) {
                    break;
                }
                self.nodes.insert(ancestor, Node::default());
            }
        }
        self.nodes.entry(name.clone()).or_default()
    }

    /// The answer to one question.
    #[must_use]
    pub fn answer(&self, name: &Name, kind: RecordType) -> Response {
        self.answer_and_delay(name, kind).0
    }

    fn answer_and_delay(&self, name: &Name, kind: RecordType) -> (Response, Duration) {
        let (mut ttl, mut delay) = (u32::MAX, Duration::ZERO);
        let mut alias: Option<Name> = None;
        for _ in 0..=ALIASES_MAX {
            let at = alias.as_ref().unwrap_or(name);
            let node = self.find(at);
            delay = node.map_or(delay, |node| delay.saturating_add(node.delay));
            let response = match self.step_at(node, at, kind) {
                Step::Answer(response) => response,
                Step::Alias(target, alias_ttl) => {
                    ttl = ttl.min(alias_ttl);
                    alias = Some(target);
                    continue;
                }
                Step::Empty => Response::NoData { ttl: self.ttl_of_nothing(at) },
                Step::Absent => Response::NxDomain { ttl: self.ttl_of_nothing(at) },
            };
            return (response.at_most(ttl), delay);
        }
        (too_many_aliases(name), delay)
    }

    /// What this zone says about a name without following aliases.
    pub(crate) fn step(&self, name: &Name, kind: RecordType) -> Step {
        self.step_at(self.find(name), name, kind)
    }

    fn step_at(&self, node: Option<&Node>, name: &Name, kind: RecordType) -> Step {
        let Some(node) = node else {
            return Step::Absent;
        };
        if let Some((_, fault)) = node.faults.iter().find(|(only, _)| only.is_none_or(|only| only == kind)) {
            return Step::Answer(match fault {
                Fault::ServFail => Response::ServFail(Arc::from("SERVFAIL, as the zone says")),
                Fault::Timeout => Response::Timeout,
            });
        }
        match node.set(kind) {
            Some(set) if set.data.is_empty() => {
                return Step::Answer(Response::NoData { ttl: self.ttl_of_nothing(name) });
            }
            Some(set) => return Step::Answer(Response::Found(set.records())),
            None => {}
        }
        match node.set(RecordType::Cname).and_then(|set| set.data.first().map(|data| (data, set.ttl))) {
            Some((Data::Cname(target), ttl)) => Step::Alias(target.clone(), ttl),
            _ => Step::Empty,
        }
    }

    /// RFC 2308 §3: without an SOA record such an answer is not kept.
    fn ttl_of_nothing(&self, name: &Name) -> u32 {
        let ttl = |wire: &[u8]| self.nodes.get(wire)?.negative_ttl;
        ttl(name.wire()).or_else(|| above(name.wire()).find_map(ttl)).unwrap_or(0)
    }

    fn find(&self, name: &Name) -> Option<&Node> {
        self.nodes.get(name).or_else(|| self.wildcard(name))
    }

    /// RFC 4592 §3.3.1: the source of synthesis is `*` below the closest encloser, and only there.
    fn wildcard(&self, name: &Name) -> Option<&Node> {
        let encloser = above(name.wire()).find(|ancestor| self.nodes.contains_key(*ancestor))?;
        let mut source = [0; NAME_OCTETS_MAX];
        let (star, below) = source.split_at_mut(2);
        star.copy_from_slice(b"\x01*");
        below.get_mut(..encloser.len())?.copy_from_slice(encloser);
        self.nodes.get(&source[..2 + encloser.len()])
    }
}

pub(crate) fn too_many_aliases(name: &Name) -> Response {
    Response::ServFail(Arc::from(format!("more than {ALIASES_MAX} aliases (CNAME) behind {name}")))
}

impl Node {
    fn set(&self, kind: RecordType) -> Option<&Set> {
        self.sets.iter().find(|set| set.kind == kind)
    }

    fn set_mut(&mut self, kind: RecordType) -> Option<&mut Set> {
        self.sets.iter_mut().find(|set| set.kind == kind)
    }
}

impl Set {
    fn records(&self) -> Records {
        let make = || {
            // RFC 2181 §5: a set has no two equal records.
            let mut seen = HashSet::new();
            let data: Vec<Data> = self.data.iter().filter(|data| seen.insert(*data)).cloned().collect();
            Records::new(data, self.ttl, None)
        };
        self.answer.get_or_init(make).clone()
    }
}

impl Lookup for Zone {
    fn lookup(&self, name: &Name, kind: RecordType) -> impl Future<Output = Response> + Send {
        std::future::ready(self.answer(name, kind))
    }
}
