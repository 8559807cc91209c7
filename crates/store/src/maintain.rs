//! Upkeep: rebuild, compaction, retention.

use report::Day;

use crate::ledger::Ledger;
use crate::{Checked, Compacted, Error, Retained};

impl Ledger {
    /// First half of a rebuild: in one transaction forgets everything but the raw copies, which become pending again.
    pub fn forget_derived(&self) -> Result<(), Error> {
        let writer = self.inner.writer()?;
        let _maintenance = writer.maintenance();
        let segments = self.inner.catalog.read(crate::catalog_read::segments)?;
        let mut connection = writer.connection();
        let mut forget = || -> rusqlite::Result<()> {
            let transaction = connection.transaction()?;
            transaction.execute_batch(
                "DELETE FROM report; DELETE FROM report_flaw; DELETE FROM rejection; DELETE FROM conflict;
                 DELETE FROM segment; DELETE FROM tombstone;
                 DELETE FROM trend; DELETE FROM policy_seen; DELETE FROM arrival; DELETE FROM flaw;
                 UPDATE state SET epoch = epoch + 1, rebuild_to = (SELECT coalesce(max(id), 0) FROM item),
                     items = 0, item_bytes = 0, reports = 0, rows = 0, messages_high = 0, messages_low = 0,
                     duplicates = 0, conflicts = 0, rejected = 0, flawed = 0",
            )?;
            transaction.commit()
        };
        forget().map_err(|e| self.inner.catalog.failed(e))?;
        let ids: Vec<u64> = segments.iter().map(|(entry, _)| entry.id).collect();
        self.inner.doom(&ids);
        Ok(())
    }

    /// Merges small segments into one a day and drops rows that no longer count. Answers do not change. May run beside an intake.
    pub fn compact(&self) -> Result<Compacted, Error> {
        Err(Error::Misuse { what: "not yet" })
    }

    /// Forgets every day before `oldest`: rows, reports, rollups, and raw copies all of whose reports are forgotten.
    pub fn retain(&self, _oldest: Day) -> Result<Retained, Error> {
        Err(Error::Misuse { what: "not yet" })
    }

    /// Makes a consistent copy in the new directory `to`, while the ledger is in use. The copy opens as a ledger.
    pub fn backup(&self, _to: &std::path::Path) -> Result<(), Error> {
        Err(Error::Misuse { what: "not yet" })
    }

    /// Reads everything and compares what must agree: files with the catalog, rollups with rows, raw copies with their names.
    pub fn check(&self) -> Result<Checked, Error> {
        Err(Error::Misuse { what: "not yet" })
    }
}
