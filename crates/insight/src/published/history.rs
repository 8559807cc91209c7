//! The lines of a domain, or of all: which still stand, which stood at the end of a day, and DNS as it was then.
//!
//! In: lines of the ledger. Out: plain data, and a [`Lookup`] over what is known. A question that nobody asked then is answered as one
//! that failed: nothing is guessed.

use std::collections::HashMap;
use std::sync::Arc;

use dns::{Data, Lookup, Name, RecordType, Records, Response};
use report::Day;
use store::{Ledger, PublishedEntry, PublishedFilter, PublishedState};

use super::value::value_records;
use super::{PublishedLine, RecordAsOf, RecordKind};
use crate::Error;

/// Seconds that an answer of the past may be kept: any number will do, as nothing of it is cached.
const TTL: u32 = 3_600;

/// All lines that were kept.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// By domain, kind, name and type; there by age.
    pub(super) entries: Vec<(RecordKind, PublishedEntry)>,
}

/// The lines about one name and type.
pub(super) struct Track<'a> {
    pub(super) kind: RecordKind,
    pub(super) entries: Vec<&'a PublishedEntry>,
}

impl<'a> Track<'a> {
    /// The answers, failures left out.
    pub(super) fn answers(&self) -> impl DoubleEndedIterator<Item = &'a PublishedEntry> + '_ {
        self.entries.iter().copied().filter(|entry| entry.look.state != PublishedState::Failed)
    }

    /// What stood at a moment; the first that is known where nobody had looked yet.
    fn at(&self, moment: i64) -> Option<(&'a PublishedEntry, bool)> {
        let then = self.answers().rfind(|entry| entry.first_seen <= moment).map(|entry| (entry, false));
        then.or_else(|| self.answers().next().map(|entry| (entry, true)))
    }

    /// When the name was last asked about, whatever came of it.
    fn looked_at(&self) -> i64 {
        self.entries.iter().map(|entry| entry.last_seen).max().unwrap_or(i64::MIN)
    }
}

impl History {
    /// The lines of a domain, or of all.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn read(ledger: &Ledger, domain: Option<&str>) -> Result<Self, Error> {
        let found = ledger.published(&PublishedFilter { domain, ..PublishedFilter::default() })?;
        let kept = found.into_iter().filter_map(|entry| Some((RecordKind::from_word(&entry.look.kind)?, entry)));
        Ok(Self { entries: kept.collect() })
    }

    /// Whether nobody ever looked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The first look.
    #[must_use]
    pub fn since(&self) -> Option<i64> {
        self.entries.iter().map(|(_, entry)| entry.first_seen).min()
    }

    /// The last look.
    #[must_use]
    pub fn looked_at(&self) -> Option<i64> {
        self.entries.iter().map(|(_, entry)| entry.last_seen).max()
    }

    /// The domains that were looked at, sorted.
    #[must_use]
    pub fn domains(&self) -> Vec<&str> {
        let mut domains: Vec<&str> = self.entries.iter().map(|(_, entry)| entry.look.domain.as_str()).collect();
        domains.dedup();
        domains
    }

    /// Lines by name and type.
    pub(super) fn tracks(&self) -> impl Iterator<Item = Track<'_>> {
        let key = |entry: &PublishedEntry| {
            let look = &entry.look;
            (look.domain.clone(), look.name.clone(), look.record_type.clone())
        };
        let chunks = self.entries.chunk_by(move |a, b| a.0 == b.0 && key(&a.1) == key(&b.1));
        chunks.filter_map(|chunk| {
            let kind = chunk.first()?.0;
            Some(Track { kind, entries: chunk.iter().map(|(_, entry)| entry).collect() })
        })
    }

    /// The last look of each domain and kind.
    fn looks(&self) -> HashMap<(&str, RecordKind), i64> {
        let mut looks = HashMap::new();
        for (kind, entry) in &self.entries {
            let last = looks.entry((entry.look.domain.as_str(), *kind)).or_insert(i64::MIN);
            *last = entry.last_seen.max(*last);
        }
        looks
    }

    /// All lines: by domain, kind and name, the newest first.
    #[must_use]
    pub fn lines(&self) -> Vec<PublishedLine> {
        let looks = self.looks();
        let mut lines = Vec::new();
        for track in self.tracks() {
            let newest_answer = track.answers().next_back().map(|entry| entry.id);
            // A name that nothing leads to any more is asked about no longer.
            let asked = |look: &store::Look| {
                looks.get(&(look.domain.as_str(), track.kind)).is_none_or(|last| track.looked_at() >= *last)
            };
            for entry in track.entries.iter().rev() {
                let look = &entry.look;
                lines.push(PublishedLine {
                    domain: look.domain.clone(),
                    kind: track.kind,
                    name: look.name.clone(),
                    record_type: look.record_type.clone(),
                    state: look.state,
                    value: look.value.clone(),
                    first_seen: entry.first_seen,
                    last_seen: entry.last_seen,
                    still: asked(look) && (entry.newest || newest_answer == Some(entry.id)),
                });
            }
        }
        lines
    }

    /// The line that stood at the end of a day about a name and type.
    #[must_use]
    pub fn at(&self, domain: &str, kind: RecordKind, name: &str, record_type: &str, day: Day) -> Option<RecordAsOf> {
        let meant = |look: &store::Look| look.domain == domain && look.name == name && look.record_type == record_type;
        let entries: Vec<&PublishedEntry> =
            self.entries.iter().filter(|(of, entry)| *of == kind && meant(&entry.look)).map(|(_, e)| e).collect();
        let (entry, assumed) = Track { kind, entries }.at(end(day))?;
        Some(RecordAsOf {
            name: entry.look.name.clone(),
            state: entry.look.state,
            value: entry.look.value.clone(),
            first_seen: entry.first_seen,
            last_seen: entry.last_seen,
            assumed,
        })
    }

    /// The record of a domain at the end of a day; see [`super::record_as_of`].
    #[must_use]
    pub fn record(&self, domain: &str, kind: RecordKind, day: Day) -> Option<RecordAsOf> {
        match kind {
            RecordKind::Spf => self.at(domain, kind, domain, "TXT", day),
            RecordKind::Dmarc => self.at(domain, kind, &format!("_dmarc.{domain}"), "TXT", day),
            RecordKind::Mx => self.at(domain, kind, domain, "MX", day),
            RecordKind::Dkim => None,
        }
    }

    /// DNS as it was at the end of a day, as far as it is known.
    #[must_use]
    pub fn as_of(&self, day: Day) -> AsOf {
        let mut answers = HashMap::new();
        for track in self.tracks() {
            let Some((entry, _)) = track.at(end(day)) else { continue };
            let look = &entry.look;
            let (Ok(name), Ok(kind)) = (Name::parse(&look.name), look.record_type.parse::<RecordType>()) else {
                continue;
            };
            let records = value_records(kind, &look.value);
            // What is asked for one domain may be asked for another a little later, with another answer: any of them will do.
            answers.entry((name, kind)).or_insert(records);
        }
        AsOf { answers }
    }

    /// The moments at which something in DNS began to be otherwise: between two of them DNS is the same on all days.
    #[must_use]
    pub fn turns(&self) -> Vec<Day> {
        let mut days: Vec<Day> = self.entries.iter().map(|(_, entry)| Day::of(entry.first_seen)).collect();
        days.sort_unstable();
        days.dedup();
        days
    }
}

/// The last second of a day.
fn end(day: Day) -> i64 {
    day.plus(1).begin() - 1
}

/// DNS as it was at the end of a day: what was asked then. Anything else is answered as a question that failed.
#[derive(Debug, Clone, Default)]
pub struct AsOf {
    answers: HashMap<(Name, RecordType), Vec<Data>>,
}

impl AsOf {
    /// Whether anything is known about a name and type.
    #[must_use]
    pub fn knows(&self, name: &Name, kind: RecordType) -> bool {
        self.answers.contains_key(&(name.clone(), kind))
    }

    /// All records, by name and type.
    pub(crate) fn records(&self) -> impl Iterator<Item = (&Name, RecordType, &[Data])> {
        self.answers.iter().map(|((name, kind), records)| (name, *kind, records.as_slice()))
    }
}

impl Lookup for AsOf {
    async fn lookup(&self, name: &Name, kind: RecordType) -> Response {
        match self.answers.get(&(name.clone(), kind)) {
            None => Response::ServFail(Arc::from("nobody had asked")),
            Some(records) if records.is_empty() => Response::NoData { ttl: TTL },
            Some(records) => Response::Found(Records::new(records.clone(), TTL, None)),
        }
    }
}
