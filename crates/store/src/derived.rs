//! What other rooms work out from rows and keep, so that it is worked out once for each change; and what people decided.
//!
//! In: bytes with the version of what they were made from, and JSON. Out: the same. The ledger does not look into them. Both are written
//! on a connection of their own: also by a command while another process takes reports in.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use report::Day;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::{Error, Ledger, catalog};

/// Level of compression: these are small, written often, and read often.
const LEVEL: i32 = 1;
/// No derived value expands to more than this: a damaged one must not take all memory.
const EXPANDED_MAX: usize = 1 << 30;

/// Where a derived value is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DerivedKey<'a> {
    /// What it is.
    pub kind: &'a str,
    /// What it is about.
    pub name: &'a str,
    /// And which of several.
    pub number: i64,
}

/// A derived value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived {
    /// Which of several.
    pub number: i64,
    /// The version of what it was made from.
    pub version: i64,
    /// The value.
    pub bytes: Vec<u8>,
}

/// A decision as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionEntry {
    /// Its number, ascending.
    pub id: u64,
    /// When, in seconds since 1970 UTC.
    pub at: i64,
    /// JSON.
    pub decision: String,
}

/// Values that were decoded once, by their type.
#[derive(Default)]
pub(crate) struct Decoded(Mutex<HashMap<(TypeId, String), (i64, Held)>>);

type Held = Arc<dyn Any + Send + Sync>;

impl Ledger {
    /// The version of each day that has rows, ascending: another number means other rows.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn day_versions(&self) -> Result<Vec<(Day, i64)>, Error> {
        self.inner.catalog.read(|c| {
            let sql = "SELECT day, version FROM day_version WHERE day IN (SELECT day FROM trend_day) ORDER BY day";
            c.prepare_cached(sql)?.query_map([], |r| Ok((Day(r.get(0)?), r.get(1)?)))?.collect()
        })
    }

    /// A number that grows with every change of rows of these days, or of any.
    pub(crate) fn version_of(&self, days: Option<(Day, Day)>) -> Result<i64, Error> {
        let (first, last) = days.map_or((i32::MIN, i32::MAX), |(first, last)| (first.0, last.0));
        let sql = "SELECT coalesce(sum(version), 0) FROM day_version WHERE day BETWEEN ?1 AND ?2";
        self.inner.catalog.read(|c| c.prepare_cached(sql)?.query_row([first, last], |r| r.get(0)))
    }

    /// A number that is another one after every change of rows or of profiles.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn generation(&self) -> Result<i64, Error> {
        self.inner.catalog.read(|c| {
            // Both only ever grow.
            let sql = "SELECT (SELECT coalesce(sum(version), 0) FROM day_version) + (SELECT profiles_put FROM state)";
            c.prepare_cached(sql)?.query_row([], |r| r.get(0))
        })
    }

    /// Keeps derived values of one kind, each with name, number and version, in one transaction; those under the same keys are replaced.
    ///
    /// # Errors
    /// What writing the catalog gives.
    pub fn put_derived<'a>(
        &self,
        kind: &str,
        values: impl IntoIterator<Item = (&'a str, i64, i64, impl AsRef<[u8]>)>,
    ) -> Result<(), Error> {
        self.put(kind, values, false)
    }

    /// The same, and forgets all others of that kind in the same transaction.
    ///
    /// # Errors
    /// What writing the catalog gives.
    pub fn replace_derived<'a>(
        &self,
        kind: &str,
        values: impl IntoIterator<Item = (&'a str, i64, i64, impl AsRef<[u8]>)>,
    ) -> Result<(), Error> {
        self.put(kind, values, true)
    }

    fn put<'a>(
        &self,
        kind: &str,
        values: impl IntoIterator<Item = (&'a str, i64, i64, impl AsRef<[u8]>)>,
        all: bool,
    ) -> Result<(), Error> {
        let failed = |e| Error::io("pack", self.inner.catalog.path(), e);
        let mut compressor = zstd::bulk::Compressor::new(LEVEL).map_err(failed)?;
        let mut packed = Vec::new();
        for (name, number, version, bytes) in values {
            packed.push((name, number, version, compressor.compress(bytes.as_ref()).map_err(failed)?));
        }
        self.aside(|c| {
            if all {
                c.execute("DELETE FROM derived WHERE kind = ?1", [kind])?;
            }
            let mut put = c.prepare("INSERT OR REPLACE INTO derived VALUES (?1, ?2, ?3, ?4, ?5)")?;
            for (name, number, version, bytes) in &packed {
                put.execute(params![kind, name, number, version, bytes])?;
            }
            Ok(())
        })
    }

    /// Forgets derived values of one kind whose number lies in the range.
    ///
    /// # Errors
    /// What writing the catalog gives.
    pub fn drop_derived(&self, kind: &str, numbers: std::ops::RangeInclusive<i64>) -> Result<(), Error> {
        self.aside(|c| {
            c.execute(
                "DELETE FROM derived WHERE kind = ?1 AND number BETWEEN ?2 AND ?3",
                params![kind, numbers.start(), numbers.end()],
            )
            .map(drop)
        })
    }

    /// One derived value.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn derived(&self, key: DerivedKey<'_>) -> Result<Option<Derived>, Error> {
        let found = self.inner.catalog.read(|c| {
            let sql = "SELECT number, version, bytes FROM derived WHERE kind = ?1 AND name = ?2 AND number = ?3";
            c.prepare_cached(sql)?.query_row(params![key.kind, key.name, key.number], packed).optional()
        })?;
        Ok(found.and_then(unpacked))
    }

    /// The version of one derived value, without reading it.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn derived_version(&self, key: DerivedKey<'_>) -> Result<Option<i64>, Error> {
        self.inner.catalog.read(|c| {
            let sql = "SELECT version FROM derived WHERE kind = ?1 AND name = ?2 AND number = ?3";
            c.prepare_cached(sql)?.query_row(params![key.kind, key.name, key.number], |r| r.get(0)).optional()
        })
    }

    /// All derived values of a kind about one name, by number.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn derived_about(
        &self,
        kind: &str,
        name: &str,
        numbers: std::ops::RangeInclusive<i64>,
    ) -> Result<Vec<Derived>, Error> {
        let mut all = Vec::new();
        self.each_derived_about(kind, name, numbers, |derived| all.push(derived))?;
        Ok(all)
    }

    /// The same, handed over one by one.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn each_derived_about(
        &self,
        kind: &str,
        name: &str,
        numbers: std::ops::RangeInclusive<i64>,
        mut visit: impl FnMut(Derived),
    ) -> Result<(), Error> {
        self.inner.catalog.read(|c| {
            let sql = "SELECT number, version, bytes FROM derived
                       WHERE kind = ?1 AND name = ?2 AND number BETWEEN ?3 AND ?4 ORDER BY number";
            let key = params![kind, name, numbers.start(), numbers.end()];
            for found in c.prepare_cached(sql)?.query_map(key, packed)? {
                unpacked(found?).into_iter().for_each(&mut visit);
            }
            Ok(())
        })
    }

    /// A derived value, decoded once for each of its versions and then held as long as the ledger is open. `None` where there is none, or
    /// `decode` makes nothing of it.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn decoded<T: Any + Send + Sync>(
        &self,
        key: DerivedKey<'_>,
        decode: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<Option<Arc<T>>, Error> {
        let Some(version) = self.derived_version(key)? else { return Ok(None) };
        let held_as = (TypeId::of::<T>(), format!("{}/{}/{}", key.kind, key.name, key.number));
        let held = |map: &HashMap<_, (i64, Held)>| {
            map.get(&held_as).filter(|(of, _)| *of == version).map(|(_, value)| Arc::clone(value))
        };
        let mut value = held(&self.inner.decoded.0.lock().unwrap_or_else(PoisonError::into_inner));
        if value.is_none() {
            let Some(found) = self.derived(key)? else { return Ok(None) };
            let Some(made) = decode(&found.bytes) else { return Ok(None) };
            let made: Held = Arc::new(made);
            let mut map = self.inner.decoded.0.lock().unwrap_or_else(PoisonError::into_inner);
            map.insert(held_as, (found.version, Arc::clone(&made)));
            value = Some(made);
        }
        Ok(value.and_then(|value| value.downcast::<T>().ok()))
    }

    /// Adds a decision and gives its number.
    ///
    /// # Errors
    /// What writing the catalog gives.
    pub fn add_decision(&self, at: i64, decision: &str) -> Result<u64, Error> {
        self.append("INSERT INTO decision (at, decision) VALUES (?1, ?2)", at, decision)
    }

    /// All decisions in the order in which they were made.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn decisions(&self) -> Result<Vec<DecisionEntry>, Error> {
        self.inner.catalog.read(|c| {
            let row = |r: &rusqlite::Row<'_>| {
                Ok(DecisionEntry { id: crate::catalog_read::unsigned(r, 0)?, at: r.get(1)?, decision: r.get(2)? })
            };
            c.prepare_cached("SELECT id, at, decision FROM decision ORDER BY id")?.query_map([], row)?.collect()
        })
    }

    /// Adds a line of a moment and JSON to a table that is only added to, and gives its number.
    pub(crate) fn append(&self, insert: &str, at: i64, json: &str) -> Result<u64, Error> {
        self.aside(|c| {
            c.execute(insert, params![at, json])?;
            Ok(c.last_insert_rowid().cast_unsigned())
        })
    }

    /// A transaction beside the writer's; gives what the change gives. It touches no table that the writer holds anything of in memory.
    pub(crate) fn aside<T>(&self, change: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        let mut connection = catalog::beside(self.inner.catalog.path())?;
        let failed = |e| self.inner.catalog.failed(e);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let changed = change(&transaction).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(changed)
    }
}

fn packed(row: &rusqlite::Row<'_>) -> rusqlite::Result<Derived> {
    Ok(Derived { number: row.get(0)?, version: row.get(1)?, bytes: row.get(2)? })
}

/// What cannot be unpacked counts as not there: it can be made again.
fn unpacked(mut derived: Derived) -> Option<Derived> {
    let size = zstd::zstd_safe::get_frame_content_size(&derived.bytes).ok().flatten()?;
    let size = usize::try_from(size).ok().filter(|size| *size <= EXPANDED_MAX)?;
    derived.bytes = zstd::bulk::decompress(&derived.bytes, size).ok()?;
    Some(derived)
}

/// Counts up the versions of days whose rows change.
pub(crate) fn changed(c: &Connection, days: impl IntoIterator<Item = i32>) -> rusqlite::Result<()> {
    let sql = "INSERT INTO day_version VALUES (?1, 1) ON CONFLICT DO UPDATE SET version = version + 1";
    let mut count = c.prepare_cached(sql)?;
    for day in days {
        count.execute([day])?;
    }
    Ok(())
}
