//! All of it on a ledger: facts, rules, one alert a cause, and one transaction that writes alerts and what is to be sent of them.
//!
//! In: the ledger, settings, the moment, sources of reports that fail. Out: the ledger's alerts. Asking twice at one moment changes nothing
//! the second time.

use report::Day;
use store::Ledger;

use super::digest::{self, digest};
use super::facts::{Facts, SourceTrouble};
use super::finding::Finding;
use super::gather::gather;
use super::state::{Delivery, Moment, NoticeKind, SAME, change, notice};
use super::thresholds::Thresholds;
use super::{authentication, causes, lookalikes, mail, records, reports};
use crate::Error;

/// The day up to which data was judged.
pub(crate) const JUDGED: &str = "judged";
/// When the rules were last asked.
pub(crate) const LOOKED: &str = "looked";
/// When the last digest was made.
const DIGEST: &str = "digest";

/// What alerts are made by.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Watching {
    /// When something is worth an alert.
    pub thresholds: Thresholds,
    /// Whom to tell.
    pub delivery: Delivery,
}

/// Asks all rules and brings the ledger's alerts up to date, with what is to be sent; also the digest, when a week is over. `now` is the
/// moment, in seconds since 1970 UTC.
///
/// # Errors
/// When the ledger cannot be read or written; then nothing is changed.
pub fn watch_over(ledger: &Ledger, watching: &Watching, now: i64, sources: &[SourceTrouble]) -> Result<(), Error> {
    let then = ledger.alerts(now - SAME)?;
    let before = then.marks.get(JUDGED).and_then(|day| i32::try_from(*day).ok()).map(Day);
    let at = &watching.thresholds;
    let facts = gather(ledger, at, now, before, sources)?;
    let (found, until) = if let Some(mut facts) = facts {
        let open = then.alerts.iter().filter(|alert| alert.resolved.is_none());
        facts.open = open.map(|alert| alert.cause.clone()).collect();
        (findings(&facts, at), Some(facts.judged.1))
    } else {
        // An empty ledger has sources that may fail, and names like ours, all the same.
        let lookalikes =
            if at.on(super::AlertRule::Lookalike) { lookalikes::gather(ledger, now, None)? } else { Vec::new() };
        (findings(&Facts { now, sources: sources.to_vec(), lookalikes, ..Facts::default() }, at), None)
    };
    let due = digest::due(then.marks.get(DIGEST).copied(), now);
    let week = if due == digest::Due::Now { Some(digest(ledger, now)?) } else { None };
    let moment = Moment { now, until, before, delivery: &watching.delivery, off: &at.off };
    ledger.change_alerts(now - SAME, now, |then| {
        let mut change = change(then, &found, &moment);
        if let Some(until) = until {
            // A clock that went back, or days that were retained away, must not judge the same days for ever.
            change.marks.push((JUDGED.to_owned(), i64::from(until.0)));
        }
        change.marks.push((LOOKED.to_owned(), now));
        if due != digest::Due::Later {
            change.marks.push((DIGEST.to_owned(), now));
        }
        // Another process may have made it in the meantime.
        if let Some(week) = week.filter(|_| digest::due(then.marks.get(DIGEST).copied(), now) == digest::Due::Now) {
            let notice = notice(NoticeKind::Digest, now, Vec::new(), Some(week));
            let wants = watching.delivery.channels.iter().filter(|channel| channel.digest);
            if let Ok(text) = serde_json::to_string(&notice) {
                change.notices.extend(wants.map(|channel| (channel.name.clone(), now, text.clone())));
            }
        }
        change
    })?;
    Ok(())
}

/// What the rules find, one for each cause.
pub(crate) fn findings(facts: &Facts, at: &Thresholds) -> Vec<Finding> {
    let rules = [mail::rules, authentication::rules, reports::rules, records::rules, lookalikes::rules];
    let all = rules.iter().flat_map(|rules| rules(facts, at)).filter(|finding| at.on(finding.rule));
    causes::independent(all.collect(), facts)
}
