//! Profiles of sources: what is known of an address beyond what reports say of it, by the day it was learned.
//!
//! In: addresses with JSON that another room made; the ledger does not look into it. Out: the same. Profiles are learned and cannot be
//! worked out again: `rebuild` leaves them as they are, and backups have them.

use std::collections::HashMap;
use std::net::IpAddr;

use report::Day;
use rusqlite::{OptionalExtension, params};

use crate::stage::number;
use crate::{Error, Ledger};

/// A profile as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileEntry {
    /// The day it was learned.
    pub day: Day,
    /// JSON.
    pub profile: String,
}

impl Ledger {
    /// Keeps profiles, all in one transaction. One of the same address and day is replaced.
    ///
    /// # Errors
    /// What writing the catalog gives; without the writer's lock, that.
    pub fn put_profiles<'a>(&self, profiles: impl IntoIterator<Item = (IpAddr, Day, &'a str)>) -> Result<(), Error> {
        let writer = self.inner.writer()?;
        let failed = |e| self.inner.catalog.failed(e);
        let mut connection = writer.connection();
        let transaction = connection.transaction().map_err(failed)?;
        {
            let mut put =
                transaction.prepare_cached("INSERT OR REPLACE INTO profile VALUES (?1, ?2, ?3)").map_err(failed)?;
            for (address, day, profile) in profiles {
                put.execute(params![key(address), day.0, profile]).map_err(failed)?;
            }
        }
        transaction.execute("UPDATE state SET profiles_put = profiles_put + 1", []).map_err(failed)?;
        transaction.commit().map_err(failed)
    }

    /// The newest profile of each of these addresses that has one.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn profiles(&self, addresses: &[IpAddr]) -> Result<HashMap<IpAddr, ProfileEntry>, Error> {
        self.inner.catalog.read(|c| {
            let sql = "SELECT day, profile FROM profile WHERE address = ?1 ORDER BY day DESC LIMIT 1";
            let mut select = c.prepare_cached(sql)?;
            let mut found = HashMap::new();
            for &address in addresses {
                if let Some(entry) = select.query_row([key(address)], entry).optional()? {
                    found.insert(address, entry);
                }
            }
            Ok(found)
        })
    }

    /// Goes through the newest profile of every address that has one.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn each_profile(&self, mut visit: impl FnMut(IpAddr, &str)) -> Result<(), Error> {
        self.inner.catalog.read(|c| {
            // SQLite gives the other columns of the row that has the maximum.
            let mut select = c.prepare("SELECT address, max(day), profile FROM profile GROUP BY address")?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                let address: [u8; 16] = row.get(0)?;
                visit(crate::plan::address(u128::from_be_bytes(address)), row.get_ref(2)?.as_str()?);
            }
            Ok(())
        })
    }

    /// All profiles of an address, the newest first.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn profile_history(&self, address: IpAddr) -> Result<Vec<ProfileEntry>, Error> {
        self.inner.catalog.read(|c| {
            let sql = "SELECT day, profile FROM profile WHERE address = ?1 ORDER BY day DESC";
            c.prepare_cached(sql)?.query_map([key(address)], entry)?.collect()
        })
    }

    /// Those of the addresses that have no profile learned on this day or later, in their order.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn without_profile(&self, addresses: &[IpAddr], since: Day) -> Result<Vec<IpAddr>, Error> {
        self.inner.catalog.read(|c| {
            let mut select = c.prepare_cached("SELECT 1 FROM profile WHERE address = ?1 AND day >= ?2 LIMIT 1")?;
            let mut without = Vec::new();
            for &address in addresses {
                if !select.exists(params![key(address), since.0])? {
                    without.push(address);
                }
            }
            Ok(without)
        })
    }
}

fn key(address: IpAddr) -> [u8; 16] {
    number(address).to_be_bytes()
}

fn entry(row: &rusqlite::Row<'_>) -> rusqlite::Result<ProfileEntry> {
    Ok(ProfileEntry { day: Day(row.get(0)?), profile: row.get(1)? })
}
