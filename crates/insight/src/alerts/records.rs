//! Rules about what is known beside reports: records in DNS as they were watched, and lists that have an address of ours.
//!
//! In: facts. Out: findings.

use std::collections::{BTreeMap, BTreeSet};

use store::{Ledger, PublishedEntry, PublishedFilter, PublishedState};

use super::facts::{Facts, RecordFact, RecordKind, RecordTrouble};
use super::finding::{AlertRule, Finding, Severity};
use super::thresholds::Thresholds;
use crate::Error;

/// A change is told for so many seconds: it needs no mending, and somebody should know.
const CHANGED: i64 = 3 * 86_400;
/// RFC 7208 §4.6.4: "SPF implementations MUST limit the total number of those terms to 10 during SPF evaluation".
const LOOKUPS: u32 = 10;
/// How deep records that include one another are followed, and how many look-ups are counted.
const DEEP: u32 = 30;
/// Seconds of a month.
const MONTH: i64 = 30 * 86_400 + 43_200;
/// Longest part of a record that is shown.
const SHOWN: usize = 300;

pub(crate) fn rules(facts: &Facts, at: &Thresholds) -> Vec<Finding> {
    let mut found: Vec<Finding> = facts.records.iter().filter_map(|record| of_record(facts, at, record)).collect();
    found.extend(facts.listed.iter().map(|listed| Finding {
        rule: AlertRule::Listed,
        severity: Severity::Red,
        domain: listed.domain.clone(),
        subject: format!("{} {}", listed.address, listed.list),
        day: None,
        sentence: format!(
            "{}, from which {} sends, is on the list {} since {}.",
            listed.address, listed.domain, listed.list, listed.day
        ),
        evidence: vec![listed.said.clone()],
        remedy: "Find out what it sent, stop it, and ask the list to take it off.".to_owned(),
        link: format!("/sources/{}", listed.address),
        messages: 0,
    }));
    found
}

fn of_record(facts: &Facts, at: &Thresholds, record: &RecordFact) -> Option<Finding> {
    let what = match record.kind {
        RecordKind::Dmarc => "DMARC record",
        RecordKind::Spf => "SPF record",
        RecordKind::Dkim => "DKIM key",
    };
    let name = &record.name;
    let (severity, sentence, remedy) = match &record.trouble {
        RecordTrouble::Gone => (
            Severity::Red,
            format!("The {what} at {name} is gone."),
            "Publish it again, as it was.".to_owned(),
        ),
        RecordTrouble::Multiple => (
            Severity::Red,
            format!("There are several records where one {what} may be, at {name}: receivers take none of them."),
            "Leave one, and remove the others.".to_owned(),
        ),
        RecordTrouble::Changed if facts.now - record.since <= CHANGED => (
            if record.kind == RecordKind::Dmarc { Severity::Red } else { Severity::Amber },
            format!("The {what} at {name} was changed."),
            "See that it was meant.".to_owned(),
        ),
        RecordTrouble::OverLimit(lookups) => (
            Severity::Red,
            format!("With what it includes now, the SPF record of {name} needs {lookups} look-ups, and ten are allowed."),
            format!("`lamppost lint {}` shows what each term costs.", record.domain),
        ),
        RecordTrouble::Old(months) if *months >= at.key_months => (
            Severity::Amber,
            format!("The DKIM key at {name} is in use and has not changed for {months} months."),
            "Rotate it: publish a new one under another selector, sign with it, and revoke this one when nothing is signed with it.".to_owned(),
        ),
        RecordTrouble::Changed | RecordTrouble::Old(_) => return None,
    };
    let rule = match (&record.trouble, record.kind) {
        (RecordTrouble::Old(_), _) => AlertRule::KeyAge,
        (RecordTrouble::OverLimit(_), _) => AlertRule::SpfInclude,
        (_, RecordKind::Dmarc) => AlertRule::DmarcRecord,
        (_, RecordKind::Spf) => AlertRule::SpfRecord,
        (_, RecordKind::Dkim) => AlertRule::DkimRecord,
    };
    let part = |text: &str| -> String {
        if text.is_empty() { "nothing".to_owned() } else { text.chars().take(SHOWN).collect() }
    };
    let both = [format!("before: {}", part(&record.before)), format!("now: {}", part(&record.after))];
    Some(Finding {
        rule,
        severity,
        domain: record.domain.clone(),
        subject: record.name.clone(),
        day: None,
        sentence,
        evidence: if matches!(record.trouble, RecordTrouble::Old(_)) { Vec::new() } else { both.into() },
        remedy,
        link: format!("/domains/{}/trend", record.domain),
        messages: 0,
    })
}

/// What the history of DNS says is wrong now, or was changed.
pub(crate) fn published(ledger: &Ledger) -> Result<Vec<RecordFact>, Error> {
    let lines = ledger.published(&PublishedFilter::default())?;
    let texts = lines.iter().filter(|line| line.look.record_type == "TXT" && line.look.state != PublishedState::Failed);
    let mut histories: BTreeMap<(&str, &str, &str), Vec<&PublishedEntry>> = BTreeMap::new();
    for line in texts {
        histories.entry((&line.look.domain, &line.look.kind, &line.look.name)).or_default().push(line);
    }
    let spf: BTreeMap<&str, &str> = (histories.iter())
        .filter(|((_, kind, _), _)| *kind == "spf")
        .filter_map(|((.., name), history)| Some((*name, history.last()?.look.value.as_str())))
        .collect();
    let mut found = Vec::new();
    for ((domain, kind, name), history) in &histories {
        let kind = match *kind {
            "dmarc" => RecordKind::Dmarc,
            "spf" => RecordKind::Spf,
            "dkim" => RecordKind::Dkim,
            _ => continue,
        };
        let Some((now, before)) = history.split_last() else { continue };
        found.extend(of_history(domain, name, kind, now, before, &spf));
    }
    Ok(found)
}

fn of_history(
    domain: &str,
    name: &str,
    kind: RecordKind,
    now: &PublishedEntry,
    before: &[&PublishedEntry],
    spf: &BTreeMap<&str, &str>,
) -> Vec<RecordFact> {
    let fact = |trouble, before: &str| RecordFact {
        domain: domain.to_owned(),
        name: name.to_owned(),
        kind,
        trouble,
        since: now.first_seen,
        before: before.to_owned(),
        after: now.look.value.clone(),
    };
    let (after, old) =
        (ours(kind, &now.look.value), before.last().map(|line| line.look.value.as_str()).unwrap_or_default());
    let was = ours(kind, old);
    let mut found = Vec::new();
    // What somebody else publishes and we include is theirs to change; what it costs is told below.
    let own = store::organizational_domain(name) == store::organizational_domain(domain);
    match (was.len(), after.len()) {
        _ if !own => {}
        (1.., 0) => found.push(fact(RecordTrouble::Gone, old)),
        (_, 2..) if kind != RecordKind::Dkim => found.push(fact(RecordTrouble::Multiple, old)),
        (1.., 1..) if was != after => found.push(fact(RecordTrouble::Changed, old)),
        _ => {}
    }
    if kind == RecordKind::Spf && name == domain {
        let needs = lookups(name, spf, &mut BTreeSet::new(), 0);
        if needs > LOOKUPS {
            found.push(fact(RecordTrouble::OverLimit(needs), ""));
        }
    }
    if kind == RecordKind::Dkim && !after.is_empty() {
        let months = u32::try_from((now.last_seen - now.first_seen) / MONTH).unwrap_or(0);
        found.push(fact(RecordTrouble::Old(months), ""));
    }
    found
}

/// The records of a kind among those at a name. A DKIM key whose `p=` is empty is none (RFC 6376 §3.6.1: "An empty value means that this
/// public key has been revoked").
fn ours(kind: RecordKind, value: &str) -> Vec<&str> {
    let begins = |line: &str, with: &str| line.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    let revoked = |line: &str| {
        let mut tags = line.split(';').map(str::trim);
        tags.any(|tag| tag.strip_prefix('p').is_some_and(|rest| rest.trim_start() == "="))
    };
    let wanted = |line: &&str| match kind {
        RecordKind::Dmarc => begins(line, "v=DMARC1"),
        RecordKind::Spf => begins(line, "v=spf1 ") || line.eq_ignore_ascii_case("v=spf1"),
        RecordKind::Dkim => line.contains("p=") && !revoked(line),
    };
    value.lines().map(str::trim).filter(wanted).collect()
}

/// The look-ups that a record needs with all that it includes, as far as that was watched; it stops counting well above the limit.
fn lookups<'a>(name: &'a str, spf: &BTreeMap<&'a str, &'a str>, above: &mut BTreeSet<String>, depth: u32) -> u32 {
    let Some(record) = spf.get(name).and_then(|value| ours(RecordKind::Spf, value).first().copied()) else { return 0 };
    if depth > DEEP || !above.insert(name.to_owned()) {
        return 0;
    }
    let mut sum = 0_u32;
    for term in record.split_ascii_whitespace().skip(1) {
        let term = term.trim_start_matches(['+', '-', '~', '?']).to_ascii_lowercase();
        let word = term.split([':', '/', '=']).next().unwrap_or_default();
        let costs = matches!(word, "include" | "a" | "mx" | "ptr" | "exists" | "redirect");
        sum += u32::from(costs);
        let target = term.strip_prefix("include:").or_else(|| term.strip_prefix("redirect="));
        if let Some((target, _)) = target.and_then(|target| spf.get_key_value(target.trim_end_matches('.'))) {
            sum += lookups(target, spf, above, depth + 1);
        }
        if sum > DEEP {
            break;
        }
    }
    above.remove(name);
    sum
}
