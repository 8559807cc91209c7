//! What DNS answers: record data, whole answers with their time to live, and the ways of having none (RFC 1035 §3.3, RFC 2308).
//!
//! In: values from a resolver or a zone. Out: the same, cheap to clone, with room for what an evaluator made of them once.

use std::any::Any;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use crate::Name;

/// The types that mail authentication asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RecordType {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// Text.
    Txt,
    /// A mail exchanger.
    Mx,
    /// The name of an address.
    Ptr,
    /// An alias.
    Cname,
    /// A name server.
    Ns,
}

impl RecordType {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::A, Self::Aaaa, Self::Txt, Self::Mx, Self::Ptr, Self::Cname, Self::Ns];

    /// As in master files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Txt => "TXT",
            Self::Mx => "MX",
            Self::Ptr => "PTR",
            Self::Cname => "CNAME",
            Self::Ns => "NS",
        }
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RecordType {
    type Err = ();

    /// In any case.
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| text.eq_ignore_ascii_case(kind.as_str())).ok_or(())
    }
}

/// The data of one record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Data {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// Text: its strings joined, RFC 7208 §3.3: "concatenated together without adding spaces".
    Txt(Box<[u8]>),
    /// A mail exchanger: preference and host.
    Mx(u16, Name),
    /// The name of an address.
    Ptr(Name),
    /// An alias: what it stands for.
    Cname(Name),
    /// A name server.
    Ns(Name),
}

impl Data {
    /// Its type.
    #[must_use]
    pub const fn kind(&self) -> RecordType {
        match self {
            Self::A(_) => RecordType::A,
            Self::Aaaa(_) => RecordType::Aaaa,
            Self::Txt(_) => RecordType::Txt,
            Self::Mx(..) => RecordType::Mx,
            Self::Ptr(_) => RecordType::Ptr,
            Self::Cname(_) => RecordType::Cname,
            Self::Ns(_) => RecordType::Ns,
        }
    }
}

/// The records of one answer, all of the type that was asked for. Cheap to clone.
#[derive(Clone)]
pub struct Records {
    shared: Arc<Shared>,
    ttl: u32,
}

struct Shared {
    data: Box<[Data]>,
    dnssec: Option<bool>,
    parsed: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl Records {
    /// An answer with its time to live in seconds; `dnssec` says whether the resolver validated it, where it knows.
    #[must_use]
    pub fn new(data: impl Into<Box<[Data]>>, ttl: u32, dnssec: Option<bool>) -> Self {
        Self { shared: Arc::new(Shared { data: data.into(), dnssec, parsed: OnceLock::new() }), ttl }
    }

    /// The same answer with another time to live: how a cache counts down without losing what was parsed.
    #[must_use]
    pub fn with_ttl(mut self, ttl: u32) -> Self {
        self.ttl = ttl;
        self
    }

    /// The records, in the order of the answer.
    #[must_use]
    pub fn records(&self) -> &[Data] {
        &self.shared.data
    }

    /// Seconds that the answer may be kept.
    #[must_use]
    pub const fn ttl(&self) -> u32 {
        self.ttl
    }

    /// Whether the answer was validated by DNSSEC, where that is known.
    #[must_use]
    pub fn dnssec(&self) -> Option<bool> {
        self.shared.dnssec
    }

    /// What `parse` makes of the records, made once for as long as this answer is kept by anybody.
    ///
    /// There is one place per answer: the first type asked for keeps it, another type is parsed anew each time. An answer belongs to
    /// one evaluator (SPF's name, a selector's, `_dmarc`), so this does not happen in practice.
    pub fn parsed<T: Send + Sync + 'static>(&self, parse: impl FnOnce(&[Data]) -> T) -> Arc<T> {
        if let Some(kept) = self.shared.parsed.get() {
            return Arc::clone(kept).downcast().unwrap_or_else(|_| Arc::new(parse(&self.shared.data)));
        }
        let made = Arc::new(parse(&self.shared.data));
        // Where another thread came first its value stays; both are made of the same records.
        let _ = self.shared.parsed.set(Arc::clone(&made) as Arc<dyn Any + Send + Sync>);
        made
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").field("data", &self.shared.data).field("ttl", &self.ttl).finish_non_exhaustive()
    }
}

impl PartialEq for Records {
    /// The same records with the same time to live.
    fn eq(&self, other: &Self) -> bool {
        self.shared.data == other.shared.data && self.ttl == other.ttl && self.shared.dnssec == other.shared.dnssec
    }
}

impl Eq for Records {}

/// What came of a question. Aliases have been followed: `Found` holds records of the type that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// There are such records, at least one.
    Found(Records),
    /// The name does not exist, nor anything below it (RFC 8020).
    NxDomain {
        /// Seconds that this may be kept (RFC 2308 §5).
        ttl: u32,
    },
    /// The name exists, or something below it does; it has no such records.
    NoData {
        /// Seconds that this may be kept (RFC 2308 §5).
        ttl: u32,
    },
    /// The question failed: SERVFAIL, REFUSED, a broken answer, a loop of aliases; in words.
    ServFail(Arc<str>),
    /// No answer in the time that the caller allowed.
    Timeout,
}

impl Response {
    /// The records, if there are any.
    #[must_use]
    pub fn records(&self) -> &[Data] {
        match self {
            Self::Found(records) => records.records(),
            _ => &[],
        }
    }

    /// Seconds that the answer may be kept; failures may not.
    #[must_use]
    pub const fn ttl(&self) -> Option<u32> {
        match self {
            Self::Found(records) => Some(records.ttl()),
            Self::NxDomain { ttl } | Self::NoData { ttl } => Some(*ttl),
            Self::ServFail(_) | Self::Timeout => None,
        }
    }

    /// The same answer, to be kept for no longer than `seconds`.
    #[must_use]
    pub fn at_most(self, seconds: u32) -> Self {
        match self {
            Self::Found(records) => {
                let ttl = records.ttl().min(seconds);
                Self::Found(records.with_ttl(ttl))
            }
            Self::NxDomain { ttl } => Self::NxDomain { ttl: ttl.min(seconds) },
            Self::NoData { ttl } => Self::NoData { ttl: ttl.min(seconds) },
            failed => failed,
        }
    }
}
