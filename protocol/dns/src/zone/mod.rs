//! The one fake resolver: answers from records in memory, and misbehaves where told to (RFC 1034 §4.3.2, RFC 4592, RFC 8020).
//!
//! In: records, or master-file text. Out: what a recursive resolver would say about them. A name that is not there is NXDOMAIN, a name
//! with other types or with names below it is NODATA. Not: delegations, DNSSEC, classes other than IN.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, OnceLock};

use crate::{Data, Lookup, Name, RecordType, Records, Response};

/// Aliases followed for one question, as many as common resolvers follow.
pub(crate) const ALIASES_MAX: usize = 12;

/// Names and their records, for tests, for `--zone` and for what-if.
#[derive(Debug, Clone, Default)]
pub struct Zone {
    nodes: HashMap<Name, Node>,
}

/// What is at one name. Every ancestor of a name has a node too: an "empty non-terminal" exists (RFC 4592 §2.2.2).
#[derive(Debug, Clone, Default)]
struct Node {
    sets: Vec<Set>,
    faults: Vec<(Option<RecordType>, Fault)>,
}

/// The records of one type at one name.
#[derive(Debug, Clone)]
struct Set {
    kind: RecordType,
    ttl: u32,
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
        if let Some(set) = node.sets.iter_mut().find(|set| set.kind == kind) {
            set.ttl = set.ttl.min(ttl);
            set.data.push(data);
            set.answer = OnceLock::new();
        } else {
            node.sets.push(Set { kind, ttl, data: vec![data], answer: OnceLock::new() });
        }
    }

    /// Lets questions about a name go wrong: those for one type, or all.
    pub fn fail(&mut self, name: &Name, kind: Option<RecordType>, fault: Fault) {
        self.node(name).faults.push((kind, fault));
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
        let mut ttl = u32::MAX;
        let mut at = name.clone();
        for _ in 0..=ALIASES_MAX {
            let response = match self.step(&at, kind) {
                Step::Answer(response) => response,
                Step::Alias(target, alias_ttl) => {
                    ttl = ttl.min(alias_ttl);
                    at = target;
                    continue;
                }
                Step::Empty => Response::NoData { ttl: 0 },
                Step::Absent => Response::NxDomain { ttl: 0 },
            };
            return response.at_most(ttl);
        }
        too_many_aliases(name)
    }

    /// What this zone says about a name without following aliases.
    pub(crate) fn step(&self, name: &Name, kind: RecordType) -> Step {
        let Some(node) = self.nodes.get(name).or_else(|| self.wildcard(name)) else {
            return Step::Absent;
        };
        if let Some((_, fault)) = node.faults.iter().find(|(only, _)| only.is_none_or(|only| only == kind)) {
            return Step::Answer(match fault {
                Fault::ServFail => Response::ServFail(Arc::from("SERVFAIL, as the zone says")),
                Fault::Timeout => Response::Timeout,
            });
        }
        let find = |kind| node.sets.iter().find(|set| set.kind == kind);
        if let Some(set) = find(kind) {
            return Step::Answer(Response::Found(set.records()));
        }
        match find(RecordType::Cname).and_then(|set| set.data.first().map(|data| (data, set.ttl))) {
            Some((Data::Cname(target), ttl)) => Step::Alias(target.clone(), ttl),
            _ => Step::Empty,
        }
    }

    /// RFC 4592 §3.3.1: the source of synthesis is `*` below the closest encloser, and only there.
    fn wildcard(&self, name: &Name) -> Option<&Node> {
        let encloser = name.ancestors().skip(1).find(|ancestor| self.nodes.contains_key(ancestor))?;
        self.nodes.get(&encloser.child("*").ok()?)
    }
}

pub(crate) fn too_many_aliases(name: &Name) -> Response {
    Response::ServFail(Arc::from(format!("more than {ALIASES_MAX} aliases (CNAME) behind {name}")))
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
