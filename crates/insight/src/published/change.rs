//! From lines to what changed, in words.
//!
//! In: the lines about each name. Out: one change for each answer that took the place of another. The first answer of a name is a change
//! only where others of its domain had been looked at before: else the history begins there, and nobody knows for how long it had stood.

use std::collections::HashMap;

use report::Day;
use store::{PublishedEntry, PublishedState};

use super::history::{History, Track};
use super::{DnsChange, RecordKind};

/// Terms that a sentence names; of more it says how many.
const NAMED_MAX: usize = 4;
/// Characters of a term that a sentence shows.
const TERM_CHARS_MAX: usize = 60;

impl History {
    /// What changed, the oldest first.
    #[must_use]
    pub fn changes(&self) -> Vec<DnsChange> {
        let mut begun: HashMap<(&str, RecordKind), i64> = HashMap::new();
        for (kind, entry) in &self.entries {
            let first = begun.entry((entry.look.domain.as_str(), *kind)).or_insert(i64::MAX);
            *first = entry.first_seen.min(*first);
        }
        let mut changes = Vec::new();
        for track in self.tracks() {
            let mut before: Option<&PublishedEntry> = None;
            for entry in track.answers() {
                let first = begun.get(&(entry.look.domain.as_str(), track.kind)).copied().unwrap_or(i64::MIN);
                if before.is_some() || (entry.first_seen > first && is_news(&track, entry)) {
                    changes.push(change(&track, before, entry));
                }
                before = Some(entry);
            }
        }
        changes.sort_by(|a, b| (a.at, &a.domain, a.kind, &a.name).cmp(&(b.at, &b.domain, b.kind, &b.name)));
        changes
    }
}

/// Whether the first answer of a name says something. A key at a selector that was not known before does; what an SPF record newly leads
/// to is told by the change of that record.
fn is_news(track: &Track<'_>, entry: &PublishedEntry) -> bool {
    track.kind == RecordKind::Dkim && entry.look.state == PublishedState::Found
}

fn text(entry: &PublishedEntry) -> Option<&str> {
    (entry.look.state == PublishedState::Found).then_some(entry.look.value.as_str())
}

fn change(track: &Track<'_>, before: Option<&PublishedEntry>, after: &PublishedEntry) -> DnsChange {
    let look = &after.look;
    let (was, is) = (before.and_then(text), text(after));
    let (old, new) = (parts(track.kind, &look.record_type, was), parts(track.kind, &look.record_type, is));
    let removed: Vec<String> = old.iter().filter(|part| !new.contains(part)).cloned().collect();
    let added: Vec<String> = new.iter().filter(|part| !old.contains(part)).cloned().collect();
    let own = store::organizational_domain(&look.name) == store::organizational_domain(&look.domain);
    let subject = subject(track.kind, look);
    let what = match (before, was, is) {
        (None, ..) => format!("{subject}: first seen"),
        (Some(_), None, Some(_)) => format!("{subject}: published"),
        (Some(_), _, None) => format!("{subject}: gone"),
        (Some(_), Some(_), Some(_)) if track.kind == RecordKind::Dkim => {
            format!("{subject}: {}", key_change(&new, &old))
        }
        (Some(_), Some(_), Some(_)) => format!("{subject}: {}", difference(&removed, &added)),
    };
    DnsChange {
        at: after.first_seen,
        day: Day::of(after.first_seen),
        domain: look.domain.clone(),
        kind: track.kind,
        name: look.name.clone(),
        record_type: look.record_type.clone(),
        own,
        before: was.map(str::to_owned),
        after: is.map(str::to_owned),
        removed,
        added,
        what,
    }
}

/// What the sentence is about.
fn subject(kind: RecordKind, look: &store::Look) -> String {
    let (name, domain) = (&look.name, &look.domain);
    match (kind, look.record_type.as_str()) {
        (RecordKind::Dkim, _) => {
            let selector = name.strip_suffix(&format!("._domainkey.{domain}")).unwrap_or(name);
            format!("DKIM key {selector} of {domain}")
        }
        (RecordKind::Dmarc, _) => format!("DMARC of {domain}"),
        (RecordKind::Mx, _) => format!("MX of {domain}"),
        (RecordKind::Spf, "TXT") if name == domain => format!("SPF of {domain}"),
        (RecordKind::Spf, "TXT") => format!("SPF of {domain} includes {name}"),
        (RecordKind::Spf, other) => format!("SPF of {domain} uses {name} {other}"),
    }
}

/// The pieces of which a change is told.
fn parts(kind: RecordKind, record_type: &str, value: Option<&str>) -> Vec<String> {
    let Some(value) = value else { return Vec::new() };
    let split: Vec<&str> = match (kind, record_type) {
        (RecordKind::Spf, "TXT") => value.split_whitespace().collect(),
        (RecordKind::Dmarc | RecordKind::Dkim, _) => value.split([';', '\n']).collect(),
        _ => value.lines().collect(),
    };
    split.into_iter().map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// What became of a key.
fn key_change(new: &[String], old: &[String]) -> &'static str {
    let key = |parts: &[String]| parts.iter().find_map(|part| part.strip_prefix("p=")).map(str::to_owned);
    match (key(old), key(new)) {
        (_, Some(now)) if now.is_empty() => "revoked",
        (was, now) if was == now => "its tags changed",
        _ => "another key",
    }
}

fn difference(removed: &[String], added: &[String]) -> String {
    let list = |parts: &[String], verb: &str| match parts.len() {
        0 => None,
        1..=NAMED_MAX => {
            Some(format!("{} {verb}", parts.iter().map(|part| short(part)).collect::<Vec<_>>().join(", ")))
        }
        more => Some(format!("{more} terms {verb}")),
    };
    let both: Vec<String> = [list(removed, "removed"), list(added, "added")].into_iter().flatten().collect();
    if both.is_empty() { "in another order".to_owned() } else { both.join("; ") }
}

fn short(part: &str) -> String {
    match part.char_indices().nth(TERM_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &part[..at]),
        None => part.to_owned(),
    }
}
