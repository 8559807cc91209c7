//! Rebuild and retention: forgetting, in one transaction each.

use report::Day;
use rusqlite::{Connection, TransactionBehavior, params};

use crate::ledger::{Inner, Known, Ledger};
use crate::spool::{self, own_name, pack_name};
use crate::{Error, RawKey, Retained};

impl Ledger {
    /// First half of a rebuild: in one transaction forgets everything but the raw copies, which become pending again.
    ///
    /// # Errors
    /// What the disk or the catalog gives; then nothing is forgotten.
    pub fn forget_derived(&self) -> Result<(), Error> {
        let writer = self.inner.writer()?;
        let _one = writer.upkeep();
        let _maintenance = writer.maintenance();
        let segments = self.inner.catalog.read(crate::catalog_read::segments)?;
        in_transaction(&self.inner, |c| {
            c.execute_batch(
                "DELETE FROM report; DELETE FROM report_flaw; DELETE FROM rejection; DELETE FROM conflict;
                 DELETE FROM reporter; DELETE FROM policy; DELETE FROM domain; DELETE FROM segment; DELETE FROM tombstone;
                 UPDATE day_version SET version = version + 1; DELETE FROM derived;
                 DELETE FROM trend; DELETE FROM trend_day; DELETE FROM policy_seen; DELETE FROM arrival; DELETE FROM flaw;
                 DELETE FROM sample;
                 UPDATE state SET epoch = epoch + 1, rebuild_to = (SELECT coalesce(max(id), 0) FROM item),
                     items = 0, item_bytes = 0, reports = 0, rows = 0, messages_high = 0, messages_low = 0,
                     duplicates = 0, conflicts = 0, rejected = 0, flawed = 0, samples = 0",
            )
        })?;
        *writer.known() = Known::default();
        let ids: Vec<u64> = segments.iter().map(|(entry, _)| entry.id).collect();
        self.inner.doom(&ids);
        Ok(())
    }

    /// Forgets every day before `oldest`: rows, reports that end before it, rollups, and raw copies nothing is left of. The space of
    /// rows in segments that hold later days too comes back with the next compaction.
    ///
    /// # Errors
    /// What the disk or the catalog gives; then nothing is forgotten, or all of it with files left to be removed at the next start.
    pub fn retain(&self, oldest: Day) -> Result<Retained, Error> {
        let writer = self.inner.writer()?;
        let _one = writer.upkeep();
        let _maintenance = writer.maintenance();
        let (packs, _) = spool::list(&self.inner.spool_dir())?;
        let mut retained = Retained::default();
        let mut gone = Vec::new();
        in_transaction(&self.inner, |c| {
            let before = |(day, rows)| if day < oldest.0 { rows } else { 0 };
            retained.rows = crate::trend::rows_by_day(c)?.into_iter().map(before).sum();
            gone = forget_segments(c, oldest)?;
            retained.reports = forget_reports(c, oldest)?;
            retained.packs = forget_items(c, oldest, &packs)?;
            Ok(())
        })?;
        self.inner.doom(&gone);
        take_out_garbage(&self.inner)?;
        Ok(retained)
    }
}

/// Runs a change of the catalog as one transaction.
pub(crate) fn in_transaction(
    inner: &Inner,
    change: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> Result<(), Error> {
    let mut connection = inner.writer()?.connection();
    let failed = |e| inner.catalog.failed(e);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    change(&transaction).map_err(failed)?;
    inner.disk.before_commit(inner.catalog.path())?;
    transaction.commit().map_err(failed)
}

/// Segments before the day go, those over it are cut. Gives those that go.
fn forget_segments(c: &Connection, oldest: Day) -> rusqlite::Result<Vec<u64>> {
    let gone = c
        .prepare("SELECT id FROM segment WHERE last_day < ?1")?
        .query_map([oldest.0], |r| crate::catalog_read::unsigned(r, 0))?
        .collect::<Result<Vec<_>, _>>()?;
    c.execute("DELETE FROM segment WHERE last_day < ?1", [oldest.0])?;
    c.execute("UPDATE segment SET first_day = ?1, cut = 1 WHERE first_day < ?1", [oldest.0])?;
    c.execute("DELETE FROM tombstone WHERE segment NOT IN (SELECT id FROM segment)", [])?;
    c.execute("DELETE FROM trend WHERE day < ?1", [oldest.0])?;
    c.execute("DELETE FROM trend_day WHERE day < ?1", [oldest.0])?;
    c.execute("UPDATE day_version SET version = version + 1 WHERE day < ?1", [oldest.0])?;
    Ok(gone)
}

/// Reports that end before the day go, with all that was counted for them. Gives how many.
fn forget_reports(c: &Connection, oldest: Day) -> rusqlite::Result<u64> {
    let day = [oldest.0];
    // Counts are u64 in the bits of an i64; the halves are cut out as they are added up elsewhere.
    c.execute(
        "UPDATE state SET reports = reports - gone.n, rows = rows - gone.r, flawed = flawed - gone.f,
             messages_high = messages_high - gone.high, messages_low = messages_low - gone.low
         FROM (SELECT count(*) AS n, coalesce(sum(rows), 0) AS r, coalesce(sum(flaws IS NOT NULL), 0) AS f,
                      coalesce(sum((messages >> 32) & 0xffffffff), 0) AS high, coalesce(sum(messages & 0xffffffff), 0) AS low
               FROM report WHERE last_day < ?1 AND superseded_by = 0) AS gone",
        day,
    )?;
    c.execute("CREATE TEMP TABLE IF NOT EXISTS forgotten (item INTEGER PRIMARY KEY)", [])?;
    c.execute("DELETE FROM forgotten", [])?;
    c.execute("INSERT OR IGNORE INTO forgotten SELECT item FROM report WHERE last_day < ?1", day)?;
    c.execute("DELETE FROM report_flaw WHERE report IN (SELECT id FROM report WHERE last_day < ?1)", day)?;
    let reports = c.execute("DELETE FROM report WHERE last_day < ?1", day)?;
    c.execute("DELETE FROM conflict WHERE superseded NOT IN (SELECT id FROM report)", [])?;
    // What is left of earlier days are the first days of reports that reach over the cut: few enough to be counted anew.
    for table in ["policy_seen", "arrival", "flaw"] {
        c.execute(&format!("DELETE FROM {table} WHERE day < ?1"), day)?;
    }
    c.execute(
        "INSERT INTO policy_seen SELECT day, policy, count(*) FROM report
         WHERE day < ?1 AND superseded_by = 0 GROUP BY day, policy",
        day,
    )?;
    c.execute(
        "INSERT INTO arrival SELECT report.day, organization, count(*), sum(flaws IS NOT NULL),
                sum((messages >> 32) & 0xffffffff), sum(messages & 0xffffffff), max(item.received), dialect
         FROM report JOIN reporter ON reporter.id = reporter JOIN item ON item.id = item
         WHERE report.day < ?1 AND superseded_by = 0 GROUP BY report.day, organization",
        day,
    )?;
    c.execute(
        "INSERT INTO flaw SELECT report.day, organization, kind, count(*), max(report.id)
         FROM report JOIN reporter ON reporter.id = reporter JOIN report_flaw ON report_flaw.report = report.id
         WHERE report.day < ?1 AND superseded_by = 0 GROUP BY report.day, organization, kind",
        day,
    )?;
    Ok(reports as u64)
}

/// Items nothing is left of go: those whose reports have gone, and old ones that never had any of their own. Gives how many packs
/// are to be removed.
fn forget_items(c: &Connection, oldest: Day, packs: &[u32]) -> rusqlite::Result<u64> {
    c.execute(
        "INSERT OR IGNORE INTO forgotten SELECT item.id FROM item, state
         WHERE received < ?1 AND item.epoch = state.epoch AND item.id NOT IN (SELECT item FROM report)",
        [oldest.begin()],
    )?;
    // Samples have a retention of their own.
    c.execute(
        "DELETE FROM forgotten WHERE item IN (SELECT item FROM report) OR item IN (SELECT item FROM sample)",
        [],
    )?;
    throw_away(c, packs)
}

/// Throws the items away that are listed as forgotten. Gives how many packs are to be removed.
pub(crate) fn throw_away(c: &Connection, packs: &[u32]) -> rusqlite::Result<u64> {
    c.execute(
        "UPDATE state SET items = items - gone.n, item_bytes = item_bytes - gone.bytes
         FROM (SELECT count(*) AS n, coalesce(sum(size), 0) AS bytes FROM item
               WHERE id IN (SELECT item FROM forgotten)) AS gone",
        [],
    )?;
    let mut throw_away = c.prepare("INSERT OR IGNORE INTO garbage VALUES (?1)")?;
    let own: Vec<[u8; 32]> = c
        .prepare("SELECT key FROM item WHERE pack = 0 AND id IN (SELECT item FROM forgotten)")?
        .query_map([], |r| r.get(0))?
        .collect::<Result<_, _>>()?;
    for key in own {
        throw_away.execute([own_name(&RawKey(key))])?;
    }
    c.execute("DELETE FROM rejection WHERE item IN (SELECT item FROM forgotten)", [])?;
    c.execute("DELETE FROM item WHERE id IN (SELECT item FROM forgotten)", [])?;
    c.execute("DELETE FROM forgotten", [])?;
    // A pack before the checkpoint holds nothing that waits: it can go if it holds nothing that is listed.
    let mut lives =
        c.prepare("SELECT EXISTS (SELECT 1 FROM item WHERE pack = ?1) OR ?1 >= checkpoint_pack FROM state")?;
    let mut dropped = 0;
    for &pack in packs {
        if !lives.query_row(params![pack], |r| r.get::<_, bool>(0))? {
            throw_away.execute([pack_name(pack)])?;
            dropped += 1;
        }
    }
    Ok(dropped)
}

/// Removes files of the spool that were forgotten.
pub(crate) fn take_out_garbage(inner: &Inner) -> Result<(), Error> {
    let writer = inner.writer()?;
    let connection = writer.connection();
    let failed = |e| inner.catalog.failed(e);
    let names = crate::catalog_read::garbage(&connection).map_err(failed)?;
    if names.is_empty() {
        return Ok(());
    }
    writer.spool.remove(&names)?;
    connection.execute("DELETE FROM garbage", []).map(drop).map_err(failed)
}
