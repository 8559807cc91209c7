//! Waivers: who answers for a step that a gate speaks against, until when. Added one after the other; nothing is ever changed.
//!
//! In: JSON of whoever judges readiness. Out: the same, in order. The ledger does not look into it.

use rusqlite::Row;

use crate::{Error, Ledger};

/// A waiver as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaiverEntry {
    /// Its number, ascending.
    pub id: u64,
    /// When, in seconds since 1970 UTC.
    pub at: i64,
    /// JSON.
    pub waiver: String,
}

impl Ledger {
    /// Adds a waiver and gives its number.
    ///
    /// # Errors
    /// What writing the catalog gives.
    pub fn add_waiver(&self, at: i64, waiver: &str) -> Result<u64, Error> {
        self.append("INSERT INTO waiver (at, waiver) VALUES (?1, ?2)", at, waiver)
    }

    /// All waivers in the order in which they were given.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn waivers(&self) -> Result<Vec<WaiverEntry>, Error> {
        self.inner.catalog.read(|c| {
            let row = |r: &Row<'_>| {
                Ok(WaiverEntry { id: crate::catalog_read::unsigned(r, 0)?, at: r.get(1)?, waiver: r.get(2)? })
            };
            c.prepare_cached("SELECT id, at, waiver FROM waiver ORDER BY id")?.query_map([], row)?.collect()
        })
    }
}
