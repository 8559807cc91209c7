//! The names that are worth watching in DNS: author domains, envelope and greeting names below them, and keys that signed.
//!
//! In: the cells of the last year. Out: names, those of most mail first and no more than a round can ask about. Names come from reports and
//! may be a stranger's invention: whoever asks bounds how much.

use std::collections::{BTreeMap, HashMap};

use report::Text;
use store::Ledger;

use super::cells::{meant, visit};
use crate::Error;
use crate::flows::Map;
use crate::flows::cell::{Cell, Own};

/// Days back from the newest in the ledger: as long as flows are judged.
const DAYS: i32 = 400;
/// Author domains: far beyond what a large company has, and below what a spoofer can invent.
const DOMAINS_MAX: usize = 2_000;
/// Selectors of one domain: a signer has a handful, a company with many services some dozens.
const SELECTORS_MAX: usize = 200;

/// What to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WatchTargets {
    /// Author domains and their organizational domains: SPF, DMARC and MX.
    pub domains: Vec<String>,
    /// Other names below them that SPF was about: envelope and greeting names.
    pub spf_names: Vec<String>,
    /// Selectors of each domain that signed, most mail first.
    pub selectors: BTreeMap<String, Vec<String>>,
}

/// Messages by names, which are numbers.
#[derive(Default)]
struct Numbered {
    authors: Map<u32, u64>,
    checked: Map<u32, u64>,
    keys: Map<(u32, u32), u64>,
}

/// The names that mail of the last year was about; `declared` domains are always among them.
///
/// # Errors
/// When the ledger cannot be read.
pub fn watch_targets(ledger: &Ledger, declared: &[String]) -> Result<WatchTargets, Error> {
    let mut authors: HashMap<Text, u64> = HashMap::new();
    let mut names: HashMap<Text, u64> = HashMap::new();
    let mut keys: HashMap<(Text, Text), u64> = HashMap::new();
    if let Some((_, last)) = ledger.span()? {
        let days = (last.plus(1 - DAYS), last);
        for organization in meant(ledger, None, days)? {
            let each = |seen: &mut Numbered, _, cell: &Cell| {
                let total = cell.total();
                *seen.authors.entry(cell.author).or_default() += total;
                *seen.checked.entry(cell.spf).or_default() += total;
                if cell.shape.own() != Own::Absent && cell.own_selector != 0 {
                    *seen.keys.entry((cell.own_domain, cell.own_selector)).or_default() += total;
                }
            };
            let parts = visit(ledger, &organization, days, |_| Numbered::default(), each, |seen| seen)?;
            for (seen, known) in parts {
                let name = |number: u32| known.name(number).clone();
                for (author, messages) in seen.authors {
                    *authors.entry(name(author)).or_default() += messages;
                }
                for (checked, messages) in seen.checked {
                    let below = name(checked);
                    if !below.is_empty() && store::organizational_domain(&below) == organization {
                        *names.entry(below).or_default() += messages;
                    }
                }
                for ((domain, selector), messages) in seen.keys {
                    *keys.entry((name(domain), name(selector))).or_default() += messages;
                }
            }
        }
    }
    let mut targets = WatchTargets::default();
    for domain in declared.iter().cloned().chain(by_messages(authors)) {
        for name in [store::organizational_domain(&domain).to_string(), domain] {
            if targets.domains.len() < DOMAINS_MAX && !targets.domains.contains(&name) {
                targets.domains.push(name);
            }
        }
    }
    targets.spf_names = by_messages(names).filter(|name| !targets.domains.contains(name)).take(DOMAINS_MAX).collect();
    let mut keys: Vec<_> = keys.into_iter().collect();
    keys.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    for ((domain, selector), _) in keys {
        let selectors = targets.selectors.entry(domain.to_string()).or_default();
        if selectors.len() < SELECTORS_MAX {
            selectors.push(selector.to_string());
        }
    }
    Ok(targets)
}

fn by_messages(names: HashMap<Text, u64>) -> impl Iterator<Item = String> {
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    names.into_iter().map(|(name, _)| name.to_string())
}
