//! The truth of a model company before and after the days that a ledger has: what mail was, how it fares, which streams changed.
//!
//! In: the folders of one company generated twice, the second time with more days. Out: cells with what came in each time, and for every
//! stream whether something happened to it in the later days that nobody could know of before.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::path::Path;

use ::scenario::{Behind, Class};
use anyhow::{Context, bail};
use dmarc::{Identifier, Method, Rules, Walker};
use dns::{Name, Overlay, Zone};
use insight::WhatIf;
use message::{Domain, ReversePath};
use report::{Day, Text};
use serde_json::Value;
use spf::{Client, Limits};

/// Days of mail before the end that say that a stream goes on.
const GOES_ON: usize = 7;
/// Days at the end of the later ones without any mail that say that a stream has ended.
const SILENT: i32 = 10;

/// A cell of the truth.
pub(super) struct Came {
    pub(super) domain: Text,
    pub(super) source: IpAddr,
    pub(super) dkim: Text,
    pub(super) spf: Text,
    pub(super) behind: Vec<Part>,
}

/// A stream's part of a cell.
pub(super) struct Part {
    pub(super) flow: Text,
    pub(super) class: Class,
    /// Messages in the days that the ledger has.
    pub(super) before: u64,
    /// Messages in the days after them.
    pub(super) after: u64,
}

type Key = (Text, IpAddr, Text, Text, Text, Text);

/// The later truth, told apart into what is in the earlier one and what came after: more days do not change what was before.
pub(super) fn came(folder: &Path, later: &Path) -> anyhow::Result<Vec<Came>> {
    let mut before: HashMap<(Key, Text, Class), u64> = HashMap::new();
    let key = |cell: &::scenario::Cell| -> Key {
        let [dkim, spf, envelope, overrides] = [&cell.dkim, &cell.spf, &cell.envelope_from, &cell.overrides];
        (cell.domain.clone(), cell.source, dkim.clone(), spf.clone(), envelope.clone(), overrides.clone())
    };
    for cell in ::scenario::truth_cells(folder)? {
        let key = key(&cell);
        for Behind { flow, class, messages, .. } in cell.truth {
            *before.entry((key.clone(), flow, class)).or_default() += messages;
        }
    }
    let mut came = Vec::new();
    for cell in ::scenario::truth_cells(later)? {
        let key = key(&cell);
        let part = |Behind { flow, class, messages, .. }| {
            let before = before.get(&(key.clone(), Text::clone(&flow), class)).copied().unwrap_or(0).min(messages);
            Part { flow, class, before, after: messages - before }
        };
        let behind = cell.truth.into_iter().map(part).collect();
        came.push(Came { domain: cell.domain, source: cell.source, dkim: cell.dkim, spf: cell.spf, behind });
    }
    Ok(came)
}

/// The first and the last day that a folder is about.
fn days(folder: &Path) -> anyhow::Result<(Day, Day)> {
    let path = folder.join("company.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let company: Value = serde_json::from_str(&text)?;
    let day = |name: &str| company[name].as_str().and_then(|day| day.parse::<Day>().ok());
    day("first_day").zip(day("last_day")).with_context(|| format!("{} has no days", path.display()))
}

/// The days before and the days after.
pub(super) struct Span {
    pub(super) first: Day,
    pub(super) last: Day,
    pub(super) later: Day,
}

impl Span {
    pub(super) fn read(folder: &Path, later: &Path) -> anyhow::Result<Self> {
        let ((first, last), (_, end)) = (days(folder)?, days(later)?);
        if end <= last {
            bail!(
                "{} ends on {end}, no later than {} on {last}: generate it with more --days",
                later.display(),
                folder.display()
            );
        }
        Ok(Self { first, last, later: end })
    }

    pub(super) fn before(&self) -> f64 {
        f64::from(self.last.0 - self.first.0 + 1)
    }

    pub(super) fn after(&self) -> f64 {
        f64::from(self.later.0 - self.last.0)
    }
}

/// Streams to which something happened in the later days that nobody could know of before: they began, ended, broke or were mended.
pub(super) fn changed(later: &Path, span: &Span) -> anyhow::Result<HashSet<Text>> {
    let path = later.join("truth.jsonl");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut changed = HashSet::new();
    for line in text.lines() {
        let stream: Value = serde_json::from_str(line)?;
        let day = |value: &Value| value.as_str().and_then(|day| day.parse::<Day>().ok());
        let active: Vec<Day> = stream["days"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|of| of["reported"].as_u64() > Some(0))
            .filter_map(|of| day(&of["day"]))
            .collect();
        let phases = stream["phases"].as_array().into_iter().flatten().filter_map(|phase| day(&phase["from"]));
        let another_phase = phases.into_iter().any(|from| from > span.last && from <= span.later);
        let began = active.first().is_some_and(|first| *first > span.last);
        let went_on = active.iter().filter(|day| **day > span.last.plus(-28) && **day <= span.last).count() >= GOES_ON;
        let ended = went_on && active.last().is_some_and(|last| *last <= span.later.plus(-SILENT));
        if another_phase || began || ended {
            changed.insert(Text::new(stream["id"].as_str().unwrap_or_default()));
        }
    }
    Ok(changed)
}

/// `pass mfrom example.com; none helo …` as results with domains.
pub(super) fn checks(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("; ").filter_map(|one| Some((one.split(' ').next()?, one.split(' ').next_back()?)))
}

/// `pass d=example.com s=s1; …` as results with domains.
fn signatures(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("; ").filter_map(|one| {
        let mut words = one.split(' ');
        Some((words.next()?, words.find_map(|word| word.strip_prefix("d="))?))
    })
}

/// Whether a receiver that obeys would quarantine or reject it.
pub(super) fn stopped<'z>(
    cell: &Came,
    what_if: &WhatIf,
    spf_changes: bool,
    dns: &Overlay<'z, &'z Zone>,
    walker: &mut Walker<'_, Overlay<'z, &'z Zone>>,
    rules: &Rules<'_>,
) -> bool {
    let Ok(author) = Domain::parse(cell.domain.as_bytes()) else { return false };
    let mut identifiers = Vec::new();
    let mut add = |method, domain: &str| {
        let domain = Name::parse(domain).ok();
        identifiers.push(Identifier { method, domain, result: authres::ResultWord::Pass });
    };
    for (_, domain) in signatures(&cell.dkim).filter(|(result, _)| *result == "pass") {
        add(Method::Dkim, domain);
    }
    for (result, domain) in checks(&cell.spf) {
        let passes = if spf_changes && domain == what_if.domain && result == "pass" {
            let client = Client::new(cell.source, domain);
            let path = format!("somebody@{domain}");
            let path = ReversePath::parse(Some(path.as_bytes()));
            let found = dns::now(spf::check_mail_from(dns, &client, &path, &Limits::default()));
            found.result == spf::SpfResult::Pass
        } else {
            result == "pass"
        };
        if passes {
            add(Method::Spf, domain);
        }
    }
    let verdict = dns::now(dmarc::verdict(&author, &identifiers, walker, rules));
    verdict.requested_disposition.is_some_and(|asked| asked != dmarc::Policy::None)
}
