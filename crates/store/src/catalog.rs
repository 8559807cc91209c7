//! The catalog: one SQLite file with everything that is not rows or raw bytes, and the only judge of what has happened.
//!
//! Opens it, brings its schema forward, and hands out connections: one that writes, a handful that read. `schema.sql`, and the
//! scripts of later versions, say what is in it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::Error;

/// What brings the catalog of the version before to the next.
#[derive(Clone, Copy)]
struct Step {
    script: &'static str,
    /// What SQL alone cannot do; after the script.
    act: fn(&Connection) -> rusqlite::Result<()>,
}

/// The schema, one step a version. A step is added at the end and never changed.
const MIGRATIONS: &[Step] = &[
    Step { script: include_str!("schema.sql"), act: |_| Ok(()) },
    Step { script: include_str!("schema-2.sql"), act: crate::trend::pack_version_1 },
    Step { script: include_str!("schema-3.sql"), act: |_| Ok(()) },
    Step { script: include_str!("schema-4.sql"), act: |_| Ok(()) },
    Step { script: include_str!("schema-5.sql"), act: |_| Ok(()) },
    Step { script: include_str!("schema-6.sql"), act: |_| Ok(()) },
    Step { script: include_str!("schema-7.sql"), act: |_| Ok(()) },
    Step { script: include_str!("schema-8.sql"), act: |_| Ok(()) },
    Step { script: include_str!("schema-9.sql"), act: |_| Ok(()) },
    Step { script: include_str!("schema-10.sql"), act: |_| Ok(()) },
    Step { script: include_str!("schema-11.sql"), act: |_| Ok(()) },
];
/// Idle connections kept for reading: one for each of the few requests that run at a time.
const IDLE: usize = 8;

pub(crate) struct Catalog {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Catalog {
    pub(crate) fn path_in(dir: &Path) -> PathBuf {
        dir.join("catalog.sqlite")
    }

    /// The catalog in `dir`, which is there and of the present version.
    pub(crate) fn new(dir: &Path) -> Self {
        Self { path: Self::path_in(dir), idle: Mutex::default() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What went wrong with a statement.
    pub(crate) fn failed(&self, source: rusqlite::Error) -> Error {
        failed(&self.path, source)
    }

    /// Reads in one transaction: everything `read` sees is of one moment.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>) -> Result<T, Error> {
        self.outside(|connection| {
            let moment = connection.unchecked_transaction()?;
            read(&moment)
        })
    }

    /// Hands out a connection that reads, outside any transaction.
    pub(crate) fn outside<T>(&self, act: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        let taken = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match taken {
            Some(connection) => connection,
            None => reader(&self.path)?,
        };
        let result = act(&connection).map_err(|e| self.failed(e));
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE {
            idle.push(connection);
        }
        result
    }
}

fn failed(path: &Path, source: rusqlite::Error) -> Error {
    match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => Error::DiskFull {
            path: path.to_owned(),
            source: std::io::Error::new(std::io::ErrorKind::StorageFull, source),
        },
        _ => Error::Catalog { path: path.to_owned(), source },
    }
}

/// The connection of the one writer. Makes the catalog, or brings it forward.
pub(crate) fn writer(dir: &Path) -> Result<Connection, Error> {
    let path = Catalog::path_in(dir);
    let open = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags)?;
        connection.busy_timeout(Duration::from_secs(30))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // With FULL a commit is on disk when it returns.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "cache_size", -65_536)?;
        // A checkpoint every 16 MiB rather than every 4.
        connection.pragma_update(None, "wal_autocheckpoint", 4_096)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    };
    let mut connection = open().map_err(|e| failed(&path, e))?;
    migrate(&mut connection, dir, MIGRATIONS)?;
    Ok(connection)
}

/// A connection that writes beside the one writer: for tables of which nobody holds anything in memory.
pub(crate) fn beside(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(Duration::from_secs(30))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        Ok(connection)
    };
    open().map_err(|e| failed(path, e))
}

fn reader(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        // Readers of a WAL share its index through a file they may have to write; on a read-only disk SQLite manages without.
        let connection = Connection::open_with_flags(path, flags).or_else(|_| {
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        })?;
        connection.busy_timeout(Duration::from_secs(30))?;
        connection.pragma_update(None, "query_only", true)?;
        connection.pragma_update(None, "cache_size", -16_384)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    };
    open().map_err(|e| failed(path, e))
}

/// The version of the catalog in `dir`, for a reader; `None` if there is no catalog.
pub(crate) fn check_version(dir: &Path) -> Result<Option<()>, Error> {
    let path = Catalog::path_in(dir);
    if !path.exists() {
        return Ok(None);
    }
    let connection = reader(&path)?;
    let found = version(&connection).map_err(|e| failed(&path, e))?;
    let known = latest(MIGRATIONS);
    match found {
        0 => Ok(None),
        _ if found > known => Err(Error::Newer { dir: dir.to_owned(), found, known }),
        _ if found < known => Err(Error::Older { dir: dir.to_owned(), found, known }),
        _ => Ok(Some(())),
    }
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn latest(migrations: &[Step]) -> i64 {
    i64::try_from(migrations.len()).unwrap_or(i64::MAX)
}

/// Brings the schema forward, all steps in one transaction, with a copy of the catalog beside it before.
fn migrate(connection: &mut Connection, dir: &Path, migrations: &[Step]) -> Result<(), Error> {
    let path = Catalog::path_in(dir);
    let sqlite = |e| failed(&path, e);
    let (found, known) = (version(connection).map_err(sqlite)?, latest(migrations));
    if found > known {
        return Err(Error::Newer { dir: dir.to_owned(), found, known });
    }
    if found == known {
        return Ok(());
    }
    if found > 0 {
        let copy = dir.join(format!("catalog-before-version-{known}.sqlite"));
        tracing::info!(
            "bringing the catalog from version {found} to {known}; a copy of it is kept in {}",
            copy.display()
        );
        match std::fs::remove_file(&copy) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::io("replace", &copy, e)),
            _ => {}
        }
        copy_to(connection, &copy).map_err(sqlite)?;
    }
    let steps = migrations.iter().skip(usize::try_from(found).unwrap_or(0));
    let run = |transaction: Transaction<'_>| {
        for step in steps {
            transaction.execute_batch(step.script)?;
            (step.act)(&transaction)?;
        }
        transaction.pragma_update(None, "user_version", known)?;
        transaction.commit()
    };
    connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(run).map_err(sqlite)
}

/// Writes a consistent copy of the catalog, without holding up the writer.
pub(crate) fn copy_to(connection: &Connection, to: &Path) -> rusqlite::Result<()> {
    connection.execute("VACUUM INTO ?1", [to.to_string_lossy()]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalog_moves_forward_in_one_step_with_a_copy_before() {
        let dir = tempfile::tempdir().unwrap();
        drop(writer(dir.path()).unwrap());
        let path = Catalog::path_in(dir.path());
        let mut connection = Connection::open(&path).unwrap();
        connection.execute("UPDATE state SET duplicates = 7", []).unwrap();

        let now = latest(MIGRATIONS);
        let step = |script| Step { script, act: |_| Ok(()) };
        let good = step("ALTER TABLE state ADD COLUMN more INTEGER NOT NULL DEFAULT 3");
        let halfway = Step { script: "UPDATE state SET more = 4", act: |_| Err(rusqlite::Error::InvalidQuery) };
        for bad in [step("no SQL"), halfway] {
            let broken = [MIGRATIONS, &[good, bad]].concat();
            assert!(migrate(&mut connection, dir.path(), &broken).is_err());
            assert_eq!(version(&connection).unwrap(), now, "a step that fails leaves the old version");
            assert!(connection.execute("UPDATE state SET more = 1", []).is_err(), "and nothing of the steps before it");
        }

        migrate(&mut connection, dir.path(), &[MIGRATIONS, &[good]].concat()).unwrap();
        assert_eq!(version(&connection).unwrap(), now + 1);
        let row: (i64, i64) =
            connection.query_row("SELECT duplicates, more FROM state", [], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
        assert_eq!(row, (7, 3));
        let copy = dir.path().join(format!("catalog-before-version-{}.sqlite", now + 1));
        let before = Connection::open(copy).unwrap();
        assert_eq!(version(&before).unwrap(), now, "the copy is of the old version");
        assert_eq!(before.query_row("SELECT duplicates FROM state", [], |r| r.get::<_, i64>(0)).unwrap(), 7);

        drop((connection, before));
        let newer = |error| matches!(error, Error::Newer { found, known, .. } if (found, known) == (now + 1, now));
        assert!(newer(writer(dir.path()).err().unwrap()));
        assert!(newer(check_version(dir.path()).err().unwrap()));
    }
}
