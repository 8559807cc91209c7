//! Alerts, notices that are to be sent of them, and what people said to them.
//!
//! In: JSON that other rooms made, by cause and channel. Out: the same. An alert and the notices about it are written in one transaction,
//! and a notice is marked as sent after its channel took it: whatever is killed in between, it is sent, and at most once more. Written on
//! a connection of its own, as decisions are: also by a command beside the process that takes reports in.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};

use crate::catalog_read::unsigned;
use crate::{Error, Ledger};

/// Seconds for which resolved alerts are kept: a year, and a month to compare with.
const RESOLVED_KEPT: i64 = 400 * 86_400;
/// Seconds for which notices are kept after they were sent or given up.
const NOTICES_KEPT: i64 = 90 * 86_400;

/// An alert as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertEntry {
    /// Its number, ascending.
    pub id: u64,
    /// What is wrong where. Of one cause, one alert is open at a time.
    pub cause: String,
    /// When it was opened, in seconds since 1970 UTC.
    pub opened: i64,
    /// When it was resolved; `None` while it is open.
    pub resolved: Option<i64>,
    /// JSON.
    pub state: String,
}

/// A notice as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeEntry {
    /// Its number, ascending.
    pub id: u64,
    /// The channel it goes to.
    pub channel: String,
    /// Not to be sent before, in seconds since 1970 UTC.
    pub due: i64,
    /// How often it was tried.
    pub tries: u32,
    /// When the channel took it.
    pub sent: Option<i64>,
    /// When it was given up.
    pub given_up: Option<i64>,
    /// Why the last try failed.
    pub problem: Option<String>,
    /// JSON.
    pub notice: String,
}

/// What somebody said to an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertWord {
    /// Its number, ascending.
    pub id: u64,
    /// When, in seconds since 1970 UTC.
    pub at: i64,
    /// JSON.
    pub word: String,
}

/// All that a change of alerts rests on, as of one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AlertsThen {
    /// Open ones, and those resolved lately; the oldest first.
    pub alerts: Vec<AlertEntry>,
    /// What people said, the oldest first.
    pub words: Vec<AlertWord>,
    /// Notices not sent yet.
    pub unsent: Vec<NoticeEntry>,
    /// Numbers kept beside them, by name.
    pub marks: BTreeMap<String, i64>,
}

/// What a change of alerts writes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AlertChange {
    /// New alerts: cause, opened, state.
    pub open: Vec<(String, i64, String)>,
    /// Alerts that were there, with another state, or resolved or open again.
    pub put: Vec<AlertEntry>,
    /// Notices to be sent: channel, when, JSON.
    pub notices: Vec<(String, i64, String)>,
    /// Unsent notices that need not be sent any more.
    pub drop: Vec<u64>,
    /// Numbers to keep.
    pub marks: Vec<(String, i64)>,
}

const ALERT: &str = "SELECT id, cause, opened, resolved, state FROM alert";
const NOTICE: &str = "SELECT id, channel, due, tries, sent, given_up, problem, notice FROM notice";

impl Ledger {
    /// Changes alerts and adds notices in one transaction. `change` gets what is there: open alerts, those resolved after `since`, what people
    /// said, what is unsent. Nobody else changes any of it meanwhile.
    ///
    /// # Errors
    /// What writing the catalog gives; then nothing is changed.
    pub fn change_alerts(
        &self,
        since: i64,
        now: i64,
        change: impl FnOnce(&AlertsThen) -> AlertChange,
    ) -> Result<(), Error> {
        self.aside(|c| {
            let then = then(c, since)?;
            write(c, &change(&then))?;
            c.execute("DELETE FROM alert WHERE resolved < ?1", [now - RESOLVED_KEPT])?;
            c.execute("DELETE FROM notice WHERE coalesce(sent, given_up) < ?1", [now - NOTICES_KEPT])?;
            Ok(())
        })
    }

    /// Open alerts, and those resolved after `since`, the oldest first, with what belongs to them.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn alerts(&self, since: i64) -> Result<AlertsThen, Error> {
        self.inner.catalog.read(|c| then(c, since))
    }

    /// Adds what somebody said, and gives its number.
    ///
    /// # Errors
    /// What writing the catalog gives.
    pub fn add_alert_word(&self, at: i64, word: &str) -> Result<u64, Error> {
        self.append("INSERT INTO alert_word (at, word) VALUES (?1, ?2)", at, word)
    }

    /// Takes notices that are due, at most `limit`, the oldest first. Until `until` nobody else gets them: whoever takes them sends them and
    /// says so. If he is killed before, they are due again then.
    ///
    /// # Errors
    /// What writing the catalog gives.
    pub fn claim_notices(&self, now: i64, until: i64, limit: usize) -> Result<Vec<NoticeEntry>, Error> {
        self.aside(|c| {
            let sql = format!("{NOTICE} WHERE sent IS NULL AND given_up IS NULL AND due <= ?1 ORDER BY id LIMIT ?2");
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut found: Vec<NoticeEntry> =
                c.prepare(&sql)?.query_map([now, limit], notice)?.collect::<Result<_, _>>()?;
            let mut claim = c.prepare("UPDATE notice SET due = ?2, tries = tries + 1 WHERE id = ?1")?;
            for notice in &mut found {
                notice.tries += 1;
                claim.execute(params![notice.id.cast_signed(), until])?;
            }
            Ok(found)
        })
    }

    /// Marks a notice as sent.
    ///
    /// # Errors
    /// What writing the catalog gives.
    pub fn notice_sent(&self, id: u64, at: i64) -> Result<(), Error> {
        let sql = "UPDATE notice SET sent = ?2, problem = NULL WHERE id = ?1";
        self.aside(|c| c.execute(sql, params![id.cast_signed(), at]).map(drop))
    }

    /// Notes why a notice could not be sent, and when to try again; never, where there is no such time.
    ///
    /// # Errors
    /// What writing the catalog gives.
    pub fn notice_failed(&self, id: u64, problem: &str, again: Option<i64>, at: i64) -> Result<(), Error> {
        let sql = "UPDATE notice SET problem = ?2, due = coalesce(?3, due), given_up = CASE WHEN ?3 IS NULL THEN ?4 END WHERE id = ?1";
        self.aside(|c| c.execute(sql, params![id.cast_signed(), problem, again, at]).map(drop))
    }

    /// The newest notices, at most `limit`.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn notices(&self, limit: usize) -> Result<Vec<NoticeEntry>, Error> {
        self.inner.catalog.read(|c| {
            let sql = format!("{NOTICE} ORDER BY id DESC LIMIT ?1");
            c.prepare_cached(&sql)?.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], notice)?.collect()
        })
    }
}

fn then(c: &Connection, since: i64) -> rusqlite::Result<AlertsThen> {
    let sql = format!("{ALERT} WHERE resolved IS NULL OR resolved > ?1 ORDER BY id");
    let alerts = c.prepare_cached(&sql)?.query_map([since], alert)?.collect::<Result<_, _>>()?;
    let word = |r: &Row<'_>| Ok(AlertWord { id: unsigned(r, 0)?, at: r.get(1)?, word: r.get(2)? });
    let sql = "SELECT id, at, word FROM alert_word ORDER BY id";
    let words = c.prepare_cached(sql)?.query_map([], word)?.collect::<Result<_, _>>()?;
    let sql = format!("{NOTICE} WHERE sent IS NULL AND given_up IS NULL ORDER BY id");
    let unsent = c.prepare_cached(&sql)?.query_map([], notice)?.collect::<Result<_, _>>()?;
    let mark = |r: &Row<'_>| Ok((r.get(0)?, r.get(1)?));
    let marks =
        c.prepare_cached("SELECT name, value FROM alert_mark")?.query_map([], mark)?.collect::<Result<_, _>>()?;
    Ok(AlertsThen { alerts, words, unsent, marks })
}

fn write(c: &Connection, change: &AlertChange) -> rusqlite::Result<()> {
    let mut open = c.prepare("INSERT INTO alert (cause, opened, state) VALUES (?1, ?2, ?3)")?;
    for (cause, opened, state) in &change.open {
        open.execute(params![cause, opened, state])?;
    }
    let mut put = c.prepare("UPDATE alert SET resolved = ?2, state = ?3 WHERE id = ?1")?;
    for alert in &change.put {
        put.execute(params![alert.id.cast_signed(), alert.resolved, alert.state])?;
    }
    let mut send = c.prepare("INSERT INTO notice (channel, due, notice) VALUES (?1, ?2, ?3)")?;
    for (channel, due, notice) in &change.notices {
        send.execute(params![channel, due, notice])?;
    }
    let mut drop = c.prepare("DELETE FROM notice WHERE id = ?1 AND sent IS NULL")?;
    for id in &change.drop {
        drop.execute([id.cast_signed()])?;
    }
    let mut mark = c.prepare("INSERT OR REPLACE INTO alert_mark VALUES (?1, ?2)")?;
    for (name, value) in &change.marks {
        mark.execute(params![name, value])?;
    }
    Ok(())
}

fn alert(r: &Row<'_>) -> rusqlite::Result<AlertEntry> {
    Ok(AlertEntry { id: unsigned(r, 0)?, cause: r.get(1)?, opened: r.get(2)?, resolved: r.get(3)?, state: r.get(4)? })
}

fn notice(r: &Row<'_>) -> rusqlite::Result<NoticeEntry> {
    Ok(NoticeEntry {
        id: unsigned(r, 0)?,
        channel: r.get(1)?,
        due: r.get(2)?,
        tries: r.get(3)?,
        sent: r.get(4)?,
        given_up: r.get(5)?,
        problem: r.get(6)?,
        notice: r.get(7)?,
    })
}
