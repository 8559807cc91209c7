//! What was published in DNS: every answer that a name gave, from the first time it was seen to the last.
//!
//! In: answers that another room got, with the moment they were got. Out: the history. A line is added only when the answer is another
//! one; else the newest line is seen once more. A question that fails says nothing about what is published: failures have lines of
//! their own, beside the answers, and end none. Nobody can ask for yesterday's DNS again: `rebuild` leaves all this as it is, and
//! backups have it. The ledger asks no DNS, and does not look into values.

use rusqlite::{Connection, OptionalExtension, Row, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::catalog_read::unsigned;
use crate::{Error, Ledger};

/// Bytes of one value. The longest records of use are DKIM keys of 4096 bits and SPF records of thousands of bytes; what is longer is
/// cut, so that a stranger's name cannot fill the disk.
const VALUE_BYTES_MAX: usize = 16 << 10;
/// Lines of one name and type. A name whose answer is another one each hour has a year's worth; then its oldest line goes.
const LINES_MAX: i64 = 10_000;

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PublishedState {
    /// There is something.
    Found,
    /// There is nothing: no such records, or no such name.
    Nothing,
    /// The question failed. What is published is not known by it.
    Failed,
}

/// An answer that was got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Whom it was asked for: a domain of ours.
    pub domain: String,
    /// What for: `spf`, `dmarc`, `dkim`, `mx`.
    pub kind: String,
    /// The name that was asked about.
    pub name: String,
    /// The type of the records: `TXT`, `MX`, `A`, `AAAA`.
    pub record_type: String,
    /// What came of it.
    pub state: PublishedState,
    /// The records, one a line and in an order of their own, so that the same records are the same text; of a failure, which.
    pub value: String,
}

/// A line of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedEntry {
    /// Its number, ascending.
    pub id: u64,
    /// What was got.
    pub look: Look,
    /// When it was first seen, in seconds since 1970 UTC.
    pub first_seen: i64,
    /// When it was last seen.
    pub last_seen: i64,
    /// Whether it is what the last look at this name and type gave.
    pub newest: bool,
}

/// Which lines.
#[derive(Debug, Clone, Copy, Default)]
pub struct PublishedFilter<'a> {
    /// Asked for this domain.
    pub domain: Option<&'a str>,
    /// For this purpose.
    pub kind: Option<&'a str>,
    /// Seen first at this moment or later.
    pub since: Option<i64>,
    /// Seen first at this moment or before.
    pub until: Option<i64>,
}

/// What came of noting looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Noted {
    /// Lines added: an answer that is another one than before, or the first.
    pub added: u64,
    /// Answers as before.
    pub same: u64,
    /// Looks older than what is known already: left out.
    pub late: u64,
}

impl Ledger {
    /// Notes answers that were got at one moment, all in one transaction. An answer older than the newest about the same name and type
    /// is left out.
    ///
    /// # Errors
    /// What writing the catalog gives.
    pub fn note_published<'a>(&self, at: i64, looks: impl IntoIterator<Item = &'a Look>) -> Result<Noted, Error> {
        self.aside(|c| {
            let mut noted = Noted::default();
            looks.into_iter().try_for_each(|look| note(c, at, look, &mut noted))?;
            Ok(noted)
        })
    }

    /// Lines of the history, in the order of domain, kind, name and type, and there by age.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn published(&self, filter: &PublishedFilter<'_>) -> Result<Vec<PublishedEntry>, Error> {
        self.inner.catalog.read(|c| {
            let sql = "SELECT id, domain, kind, name, type, state, value, first_seen, last_seen,
                           NOT EXISTS (SELECT 1 FROM published AS other WHERE other.domain = published.domain
                               AND other.kind = published.kind AND other.name = published.name
                               AND other.type = published.type AND (other.last_seen, other.id) > (published.last_seen, published.id))
                       FROM published
                       WHERE (?1 IS NULL OR domain = ?1) AND (?2 IS NULL OR kind = ?2)
                           AND first_seen BETWEEN coalesce(?3, first_seen) AND coalesce(?4, first_seen)
                       ORDER BY domain, kind, name, type, first_seen, id";
            let of = params![filter.domain, filter.kind, filter.since, filter.until];
            c.prepare_cached(sql)?.query_map(of, entry)?.collect()
        })
    }

    /// When this was last looked at for each domain: the domain and the newest look, by domain.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn published_looks(&self, kind: &str) -> Result<Vec<(String, i64)>, Error> {
        self.inner.catalog.read(|c| {
            let sql = "SELECT domain, max(last_seen) FROM published WHERE kind = ?1 GROUP BY domain ORDER BY domain";
            c.prepare_cached(sql)?.query_map([kind], |r| Ok((r.get(0)?, r.get(1)?)))?.collect()
        })
    }
}

/// The newest line of a name and type, among answers or among failures.
fn newest(c: &Connection, look: &Look, failures: bool) -> rusqlite::Result<Option<(i64, i64, i64, String)>> {
    let sql = "SELECT id, last_seen, state, value FROM published
               WHERE domain = ?1 AND kind = ?2 AND name = ?3 AND type = ?4 AND (state = 2) = ?5
               ORDER BY last_seen DESC, id DESC LIMIT 1";
    let row = |r: &Row<'_>| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?));
    c.prepare_cached(sql)?
        .query_row(params![look.domain, look.kind, look.name, look.record_type, failures], row)
        .optional()
}

fn note(c: &Connection, at: i64, look: &Look, noted: &mut Noted) -> rusqlite::Result<()> {
    let (answer, failure) = (newest(c, look, false)?, newest(c, look, true)?);
    let seen = |line: &Option<(i64, i64, i64, String)>| line.as_ref().map_or(i64::MIN, |(_, last, ..)| *last);
    if at < seen(&answer).max(seen(&failure)) {
        noted.late += 1;
        return Ok(());
    }
    let value = cut(&look.value);
    let same = match look.state {
        // One failure lasts until there is an answer, whatever it is called each time.
        PublishedState::Failed => failure.filter(|(_, last, ..)| *last > seen(&answer)),
        state => answer.filter(|(_, _, was, text)| *was == code(state) && text == value),
    };
    if let Some((id, ..)) = same {
        c.prepare_cached("UPDATE published SET last_seen = ?2 WHERE id = ?1")?.execute(params![id, at])?;
        noted.same += 1;
        return Ok(());
    }
    let insert = "INSERT INTO published (domain, kind, name, type, state, value, first_seen, last_seen)
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)";
    let line = params![look.domain, look.kind, look.name, look.record_type, code(look.state), value, at];
    c.prepare_cached(insert)?.execute(line)?;
    let drop_oldest = "DELETE FROM published WHERE id IN (SELECT id FROM published
                           WHERE domain = ?1 AND kind = ?2 AND name = ?3 AND type = ?4
                           ORDER BY last_seen DESC, id DESC LIMIT -1 OFFSET ?5)";
    c.prepare_cached(drop_oldest)?.execute(params![look.domain, look.kind, look.name, look.record_type, LINES_MAX])?;
    noted.added += 1;
    Ok(())
}

/// No more than may be kept, at a border of characters.
fn cut(value: &str) -> &str {
    &value[..value.floor_char_boundary(VALUE_BYTES_MAX)]
}

const fn code(state: PublishedState) -> i64 {
    match state {
        PublishedState::Found => 0,
        PublishedState::Nothing => 1,
        PublishedState::Failed => 2,
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<PublishedEntry> {
    let state = match row.get(5)? {
        0 => PublishedState::Found,
        1 => PublishedState::Nothing,
        2 => PublishedState::Failed,
        other => return Err(rusqlite::Error::IntegralValueOutOfRange(5, other)),
    };
    let look = Look {
        domain: row.get(1)?,
        kind: row.get(2)?,
        name: row.get(3)?,
        record_type: row.get(4)?,
        state,
        value: row.get(6)?,
    };
    let (first_seen, last_seen, newest) = (row.get(7)?, row.get(8)?, row.get(9)?);
    Ok(PublishedEntry { id: unsigned(row, 0)?, look, first_seen, last_seen, newest })
}
