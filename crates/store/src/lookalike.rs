//! Names that could be taken for ours and that exist: what was seen of each, every change, and how far looking has come.
//!
//! In: states that another room got from DNS, as JSON that the ledger does not look into. Out: the same, with the moments. Names that never
//! existed have no line. Nobody can ask for yesterday's DNS again: `rebuild` leaves all this as it is, and backups have it.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::catalog_read::unsigned;
use crate::{Error, Ledger};

/// Bytes of a state that are kept: a stranger's zone cannot fill the disk.
const STATE_BYTES_MAX: usize = 8 << 10;
/// Names of one domain. Those of the longest names have 60,000 candidates, of which a few hundred exist; where a wildcard in a suffix
/// makes all of them exist, this is enough to see it.
const NAMES_MAX: i64 = 10_000;
/// Changes that are kept; beyond that the oldest go.
const CHANGES_MAX: i64 = 100_000;

/// What was seen of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookalikeLook {
    /// The name.
    pub name: String,
    /// What there is, as JSON; nothing where the name does not exist. A question that failed is no look.
    pub state: Option<String>,
}

/// How far looking has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LookalikePass {
    /// Candidates of this pass that were looked at.
    pub place: u64,
    /// Passes that were finished: after one, a name that appears was not there before.
    pub passes: u64,
    /// When something was looked at last, seconds since 1970 UTC.
    pub looked_at: i64,
}

/// A name that exists, or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookalikeEntry {
    /// The domain of ours that it is like.
    pub domain: String,
    /// The name.
    pub name: String,
    /// What there was when it was last looked at; nothing if it is gone.
    pub state: Option<String>,
    /// Whether it was looked for before it was first seen, so that its age is known.
    pub absent_before: bool,
    /// When it was first seen, seconds since 1970 UTC.
    pub first_seen: i64,
    /// When it last existed.
    pub last_seen: i64,
    /// When it was last looked at.
    pub looked_at: i64,
}

/// A change of a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookalikeChange {
    /// Its number, ascending.
    pub id: u64,
    /// The domain of ours.
    pub domain: String,
    /// The name.
    pub name: String,
    /// When it was seen.
    pub at: i64,
    /// What there was before; nothing if it was not there, or not known.
    pub was: Option<String>,
    /// What there is now; nothing if it is gone.
    pub became: Option<String>,
}

impl Ledger {
    /// Notes looks at candidates of a domain, and how far looking has come with them, all in one transaction. Says how many states are
    /// other ones than before.
    ///
    /// # Errors
    /// What writing the catalog gives.
    pub fn note_lookalikes(
        &self,
        domain: &str,
        looks: &[LookalikeLook],
        pass: Option<LookalikePass>,
        at: i64,
    ) -> Result<u64, Error> {
        self.aside(|c| {
            let mut changed = 0;
            let passes: i64 = c
                .prepare_cached("SELECT passes FROM lookalike_pass WHERE domain = ?1")?
                .query_row([domain], |r| r.get(0))
                .optional()?
                .unwrap_or(0);
            for look in looks {
                changed += u64::from(note(c, domain, look, passes > 0, at)?);
            }
            if let Some(pass) = pass {
                c.prepare_cached("INSERT OR REPLACE INTO lookalike_pass VALUES (?1, ?2, ?3, ?4)")?.execute(params![
                    domain,
                    pass.place.cast_signed(),
                    pass.passes.cast_signed(),
                    pass.looked_at
                ])?;
            }
            let oldest = "DELETE FROM lookalike_change WHERE id <= (SELECT max(id) - ?1 FROM lookalike_change)";
            c.prepare_cached(oldest)?.execute([CHANGES_MAX])?;
            Ok(changed)
        })
    }

    /// The names that exist or did, by domain and name.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn lookalikes(&self, domain: Option<&str>) -> Result<Vec<LookalikeEntry>, Error> {
        self.inner.catalog.read(|c| {
            let sql = "SELECT domain, name, state, absent_before, first_seen, last_seen, looked_at FROM lookalike
                       WHERE ?1 IS NULL OR domain = ?1 ORDER BY domain, name";
            c.prepare_cached(sql)?.query_map([domain], entry)?.collect()
        })
    }

    /// Changes at this moment or later, the newest first.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn lookalike_changes(&self, since: Option<i64>, limit: usize) -> Result<Vec<LookalikeChange>, Error> {
        self.inner.catalog.read(|c| {
            let sql = "SELECT id, domain, name, at, was, became FROM lookalike_change
                       WHERE ?1 IS NULL OR at >= ?1 ORDER BY at DESC, id DESC LIMIT ?2";
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            c.prepare_cached(sql)?.query_map(params![since, limit], change)?.collect()
        })
    }

    /// How far looking has come, by domain.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn lookalike_passes(&self) -> Result<Vec<(String, LookalikePass)>, Error> {
        self.inner.catalog.read(|c| {
            let sql = "SELECT domain, place, passes, looked_at FROM lookalike_pass ORDER BY domain";
            let pass = |r: &Row<'_>| {
                let pass = LookalikePass { place: unsigned(r, 1)?, passes: unsigned(r, 2)?, looked_at: r.get(3)? };
                Ok((r.get(0)?, pass))
            };
            c.prepare_cached(sql)?.query_map([], pass)?.collect()
        })
    }

    /// How far looking has come for a domain; nothing where nobody has looked.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn lookalike_pass(&self, domain: &str) -> Result<Option<LookalikePass>, Error> {
        self.inner.catalog.read(|c| {
            let sql = "SELECT place, passes, looked_at FROM lookalike_pass WHERE domain = ?1";
            let pass = |r: &Row<'_>| {
                Ok(LookalikePass { place: unsigned(r, 0)?, passes: unsigned(r, 1)?, looked_at: r.get(2)? })
            };
            c.prepare_cached(sql)?.query_row([domain], pass).optional()
        })
    }
}

/// Notes one look; says whether the state is another one.
fn note(c: &Connection, domain: &str, look: &LookalikeLook, looked_before: bool, at: i64) -> rusqlite::Result<bool> {
    let select = "SELECT state FROM lookalike WHERE domain = ?1 AND name = ?2";
    let known: Option<Option<String>> =
        c.prepare_cached(select)?.query_row(params![domain, look.name], |r| r.get(0)).optional()?;
    let state = look.state.as_deref().map(|state| &state[..state.floor_char_boundary(STATE_BYTES_MAX)]);
    let was = match &known {
        None if state.is_none() => return Ok(false),
        None => {
            let insert = "INSERT INTO lookalike SELECT ?1, ?2, ?3, ?4, ?5, ?5, ?5
                          WHERE (SELECT count(*) FROM lookalike WHERE domain = ?1) < ?6";
            let added =
                c.prepare_cached(insert)?.execute(params![domain, look.name, state, looked_before, at, NAMES_MAX])?;
            if added == 0 {
                return Ok(false);
            }
            None
        }
        Some(was) => {
            let update = "UPDATE lookalike SET state = ?3, looked_at = ?4,
                              last_seen = CASE WHEN ?3 IS NULL THEN last_seen ELSE ?4 END
                          WHERE domain = ?1 AND name = ?2";
            c.prepare_cached(update)?.execute(params![domain, look.name, state, at])?;
            if was.as_deref() == state {
                return Ok(false);
            }
            was.as_deref()
        }
    };
    let insert = "INSERT INTO lookalike_change (domain, name, at, was, became) VALUES (?1, ?2, ?3, ?4, ?5)";
    c.prepare_cached(insert)?.execute(params![domain, look.name, at, was, state])?;
    Ok(true)
}

fn entry(r: &Row<'_>) -> rusqlite::Result<LookalikeEntry> {
    Ok(LookalikeEntry {
        domain: r.get(0)?,
        name: r.get(1)?,
        state: r.get(2)?,
        absent_before: r.get(3)?,
        first_seen: r.get(4)?,
        last_seen: r.get(5)?,
        looked_at: r.get(6)?,
    })
}

fn change(r: &Row<'_>) -> rusqlite::Result<LookalikeChange> {
    Ok(LookalikeChange {
        id: unsigned(r, 0)?,
        domain: r.get(1)?,
        name: r.get(2)?,
        at: r.get(3)?,
        was: r.get(4)?,
        became: r.get(5)?,
    })
}
