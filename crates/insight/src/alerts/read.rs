//! Alerts as they are shown, and what people say to them.
//!
//! In: the ledger. Out: [`Alerts`]. What is said is added to a list and never changed; the newest word about an alert holds.

use std::collections::BTreeMap;

use report::Day;
use serde::{Deserialize, Serialize};
use store::{AlertEntry, AlertWord, Ledger};

use super::answers::{AlertLine, AlertSaid, AlertState, Alerts, NewWord, UnsentNotice, Word};
use super::finding::Severity;
use super::run::{JUDGED, LOOKED};
use super::state::State;
use crate::Error;

/// Seconds for which resolved alerts are shown, unless all are asked for.
const SHOWN: i64 = 14 * 86_400;
/// Longest note, and name of who says so, in bytes.
const TEXT_MAX: usize = 2_000;

/// What was said, as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    alert: u64,
    cause: String,
    word: Word,
    until: Option<i64>,
    note: Option<String>,
    who: Option<String>,
}

/// What people said of one cause, in force.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    acknowledged: Option<u64>,
    silenced: Option<i64>,
    said: Vec<(u64, AlertSaid)>,
}

impl Standing {
    /// Whether channels are not told of it.
    pub(crate) fn is_quiet(&self, entry: Option<&AlertEntry>, now: i64) -> bool {
        self.silenced.is_some_and(|until| now < until)
            || self.acknowledged.is_some_and(|of| entry.is_some_and(|entry| entry.id == of))
    }
}

/// What was said, by cause.
pub(crate) fn standing(words: &[AlertWord]) -> BTreeMap<String, Standing> {
    let mut all: BTreeMap<String, Standing> = BTreeMap::new();
    for word in words {
        let Ok(kept) = serde_json::from_str::<Kept>(&word.word) else { continue };
        let standing = all.entry(kept.cause).or_default();
        match kept.word {
            Word::Acknowledge => standing.acknowledged = Some(kept.alert),
            Word::Silence => standing.silenced = kept.until,
            Word::Undo => (standing.acknowledged, standing.silenced) = (None, None),
        }
        let said = AlertSaid { at: word.at, word: kept.word, until: kept.until, note: kept.note, who: kept.who };
        standing.said.push((kept.alert, said));
    }
    all
}

/// Open alerts, and those resolved in the last two weeks, or all that are kept.
///
/// # Errors
/// When the ledger cannot be read.
pub fn alerts(ledger: &Ledger, now: i64, all: bool) -> Result<Alerts, Error> {
    let then = ledger.alerts(if all { i64::MIN } else { now - SHOWN })?;
    let standings = standing(&then.words);
    let none = Standing::default();
    let mut lines: Vec<AlertLine> = (then.alerts.iter())
        .filter_map(|entry| line(entry, standings.get(&entry.cause).unwrap_or(&none), now))
        .collect();
    let order = |line: &AlertLine| {
        (line.state == AlertState::Resolved, line.state, std::cmp::Reverse((line.severity, line.opened, line.id)))
    };
    lines.sort_by_key(order);
    let count =
        |severity| lines.iter().filter(|line| line.state == AlertState::Open && line.severity == severity).count();
    let day = |number: &i64| i32::try_from(*number).ok().map(Day);
    let unsent = then.unsent.iter().map(|notice| UnsentNotice {
        channel: notice.channel.clone(),
        due: notice.due,
        tries: notice.tries,
        problem: notice.problem.clone(),
    });
    Ok(Alerts {
        judged: then.marks.get(JUDGED).and_then(day),
        looked: then.marks.get(LOOKED).copied(),
        red: count(Severity::Red),
        amber: count(Severity::Amber),
        unsent: unsent.collect(),
        lines,
    })
}

fn line(entry: &AlertEntry, standing: &Standing, now: i64) -> Option<AlertLine> {
    let state: State = serde_json::from_str(&entry.state).ok()?;
    let stands = match entry.resolved {
        Some(_) => AlertState::Resolved,
        None if standing.acknowledged == Some(entry.id) => AlertState::Acknowledged,
        None if standing.silenced.is_some_and(|until| now < until) => AlertState::Silenced,
        None => AlertState::Open,
    };
    let said = standing.said.iter().rev().filter(|(of, _)| *of == entry.id);
    Some(AlertLine {
        id: entry.id,
        cause: entry.cause.clone(),
        rule: state.rule,
        title: state.rule.label().to_owned(),
        severity: state.severity,
        state: stands,
        domain: state.domain,
        sentence: state.sentence,
        evidence: state.evidence,
        remedy: state.remedy,
        link: state.link,
        first_day: state.days.map(|days| days.0),
        last_day: state.days.map(|days| days.1),
        opened: entry.opened,
        seen: state.seen,
        resolved: entry.resolved,
        told: state.told_at,
        back: state.back,
        words: said.map(|(_, said)| said.clone()).collect(),
    })
}

/// Adds what somebody says to an alert.
///
/// # Errors
/// [`Error::Decision`] if it makes no sense, and when the ledger cannot be written.
pub fn say(ledger: &Ledger, new: &NewWord, now: i64) -> Result<u64, Error> {
    let wrong = |what: &str| Err(Error::Decision { what: what.to_owned() });
    let then = ledger.alerts(i64::MIN)?;
    let Some(entry) = then.alerts.iter().find(|entry| entry.id == new.alert) else {
        return wrong("there is no alert with this number: `lamppost alerts` lists them");
    };
    if new.word != Word::Silence && entry.resolved.is_some() {
        return wrong("the alert is over already");
    }
    if new.word == Word::Silence && new.until.is_none_or(|until| until <= now) {
        return wrong("a silence needs an end that is still to come");
    }
    if [&new.note, &new.who].into_iter().flatten().any(|text| text.len() > TEXT_MAX) {
        return wrong("the note, or the name of who says so, is longer than 2,000 bytes");
    }
    let kept = Kept {
        alert: new.alert,
        cause: entry.cause.clone(),
        word: new.word,
        until: new.until,
        note: new.note.clone(),
        who: new.who.clone(),
    };
    let text = serde_json::to_string(&kept).map_err(|e| Error::Decision { what: e.to_string() })?;
    Ok(ledger.add_alert_word(now, &text)?)
}
