//! Who stands for an item: noted when it is taken in, and changed when somebody vouches for it.
//!
//! In: JSON that another room made. Out: the same. Nothing here judges.

use rusqlite::{OptionalExtension, params};

use crate::catalog_read::prefix;
use crate::maintain::in_transaction;
use crate::{Error, Ledger, RawKey};

impl Ledger {
    /// What was noted of who stands for an item; nothing if nothing was.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn standing(&self, key: &RawKey) -> Result<Option<String>, Error> {
        self.inner.catalog.read(|c| {
            let sql = "SELECT standing FROM item WHERE prefix = ?1 AND key = ?2";
            let noted = c.prepare_cached(sql)?.query_row(params![prefix(key), key.0], |r| r.get(0)).optional()?;
            Ok(noted.flatten())
        })
    }

    /// Notes who stands for an item of which nothing counts, and makes it pending again. Says whether there was such an item: one that
    /// was refused, and has no report that counts.
    ///
    /// # Errors
    /// What writing the catalog gives; then nothing is changed.
    pub fn reconsider(&self, key: &RawKey, standing: &str) -> Result<bool, Error> {
        let writer = self.inner.writer()?;
        let _one = writer.upkeep();
        let mut found = false;
        in_transaction(&self.inner, |c| {
            let sql = "SELECT item.id, item.rejected, item.size FROM item, state
                       WHERE prefix = ?1 AND key = ?2 AND item.epoch = state.epoch AND item.reports = 0 AND item.rejected > 0";
            let row = |r: &rusqlite::Row<'_>| Ok((r.get(0)?, r.get(1)?, r.get(2)?));
            let item: Option<(i64, i64, i64)> = c.query_row(sql, params![prefix(key), key.0], row).optional()?;
            let Some((id, rejected, size)) = item else { return Ok(()) };
            found = true;
            c.execute("DELETE FROM rejection WHERE item = ?1", [id])?;
            c.execute(
                "UPDATE item SET epoch = epoch - 1, rejected = 0, standing = ?2 WHERE id = ?1",
                params![id, standing],
            )?;
            c.execute(
                "UPDATE state SET items = items - 1, item_bytes = item_bytes - ?1, rejected = rejected - ?2,
                     rebuild_to = max(rebuild_to, ?3)",
                [size, rejected, id],
            )?;
            Ok(())
        })?;
        Ok(found)
    }
}
