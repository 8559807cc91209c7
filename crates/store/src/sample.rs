//! Samples: what is kept of failure reports, which say something about single messages.
//!
//! In: nothing; they come through [`crate::Intake`] and are committed with the item they came in. Out: pages of them, and who wrote
//! them. They are worked out again by a rebuild, and forgotten by a retention of their own, counted from the day they were received:
//! what they say of people is not kept for longer than it is needed.

use std::net::IpAddr;

use report::failure::Sample;
use report::{Day, Text};
use rusqlite::types::Value as Sql;
use rusqlite::{OptionalExtension, Row, params_from_iter};

use crate::catalog_read::unsigned;
use crate::maintain::{in_transaction, take_out_garbage, throw_away};
use crate::stage::number;
use crate::{Error, Ledger, RawKey, spool};

/// Which samples are asked for. Everything unset means no limit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SampleFilter {
    /// Days on which the messages arrived, both included.
    pub days: Option<(Day, Day)>,
    /// Author domain.
    pub domain: Option<Text>,
    /// With `domain`: names below its organizational domain too.
    pub subdomains: bool,
    /// The author's local part, whatever its case.
    pub local_part: Option<Text>,
    /// Sources.
    pub network: Option<(IpAddr, u8)>,
}

/// A sample as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleEntry {
    /// Its number. A rebuild may give it another one.
    pub id: u64,
    /// The day on which the message arrived.
    pub day: Day,
    /// What it says.
    pub sample: Sample,
    /// The raw copy of the item it came in.
    pub item: RawKey,
    /// The member of the item, where it held several.
    pub member: Option<String>,
    /// Where the item came from.
    pub origin: String,
    /// When it was received, seconds since 1970 UTC.
    pub received: i64,
}

/// A local part that messages were written as, and how often samples say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalPart {
    /// Author domain.
    pub domain: Text,
    /// In lower case; empty where it is not known.
    pub local_part: Text,
    /// Samples.
    pub samples: u64,
    /// Messages that they stand for. Saturates.
    pub incidents: u64,
    /// Different sources.
    pub sources: u64,
    /// First day.
    pub first_day: Day,
    /// Last day.
    pub last_day: Day,
}

const SAMPLE: &str = "SELECT sample.id, day, sample, item.key, member, item.origin, item.received
    FROM sample JOIN item ON item.id = item";

impl Ledger {
    /// A page of samples, the newest messages first, and how many there are in all.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn samples(
        &self,
        filter: &SampleFilter,
        offset: usize,
        limit: usize,
    ) -> Result<(Vec<SampleEntry>, usize), Error> {
        let (conditions, mut values) = conditions(filter);
        self.inner.catalog.read(|c| {
            let count = format!("SELECT count(*) FROM sample WHERE {conditions}");
            let total = c.prepare_cached(&count)?.query_row(params_from_iter(&values), |r| unsigned(r, 0))?;
            let whole = |n: usize| Sql::Integer(i64::try_from(n).unwrap_or(i64::MAX));
            values.extend([whole(limit), whole(offset)]);
            // A sample whose time is not known comes after those of its day whose is.
            let page = format!(
                "{SAMPLE} WHERE {conditions} ORDER BY day DESC, sample ->> '$.arrived' DESC, sample.id DESC LIMIT ? OFFSET ?"
            );
            let page =
                c.prepare_cached(&page)?.query_map(params_from_iter(&values), entry)?.collect::<Result<_, _>>()?;
            Ok((page, usize::try_from(total).unwrap_or(usize::MAX)))
        })
    }

    /// One sample by its number.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn sample(&self, id: u64) -> Result<Option<SampleEntry>, Error> {
        self.inner.catalog.read(|c| {
            let sql = format!("{SAMPLE} WHERE sample.id = ?1");
            c.prepare_cached(&sql)?.query_row([id.cast_signed()], entry).optional()
        })
    }

    /// Who the messages were written as, most messages first, and how many such there are in all.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn local_parts(&self, filter: &SampleFilter, limit: usize) -> Result<(Vec<LocalPart>, usize), Error> {
        let (conditions, mut values) = conditions(filter);
        self.inner.catalog.read(|c| {
            let count =
                format!("SELECT count(*) FROM (SELECT DISTINCT domain, local_part FROM sample WHERE {conditions})");
            let total = c.prepare_cached(&count)?.query_row(params_from_iter(&values), |r| unsigned(r, 0))?;
            values.push(Sql::Integer(i64::try_from(limit).unwrap_or(i64::MAX)));
            // Incidents are at most 2^32 each, so that their sum stays far inside 64 bits.
            let sql = format!(
                "SELECT domain, local_part, count(*), sum(incidents), count(DISTINCT source), min(day), max(day) FROM sample
                 WHERE {conditions} GROUP BY domain, local_part ORDER BY sum(incidents) DESC, domain, local_part LIMIT ?"
            );
            let line = |r: &Row<'_>| {
                Ok(LocalPart {
                    domain: Text::new(r.get_ref(0)?.as_str()?),
                    local_part: Text::new(r.get_ref(1)?.as_str()?),
                    samples: unsigned(r, 2)?,
                    incidents: unsigned(r, 3)?,
                    sources: unsigned(r, 4)?,
                    first_day: Day(r.get(5)?),
                    last_day: Day(r.get(6)?),
                })
            };
            let page = c.prepare_cached(&sql)?.query_map(params_from_iter(&values), line)?.collect::<Result<_, _>>()?;
            Ok((page, usize::try_from(total).unwrap_or(usize::MAX)))
        })
    }

    /// First and last day with a sample.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn sample_span(&self) -> Result<Option<(Day, Day)>, Error> {
        self.inner.catalog.read(|c| {
            c.query_row("SELECT min(day), max(day) FROM sample", [], |r| {
                let days: (Option<i32>, Option<i32>) = (r.get(0)?, r.get(1)?);
                Ok(days.0.zip(days.1).map(|(first, last)| (Day(first), Day(last))))
            })
        })
    }

    /// Forgets the samples that were received before `oldest` (seconds since 1970 UTC), and the raw copies of items with nothing
    /// else in them. Says how many samples went. A raw copy's bytes leave the disk with the pack they are in.
    ///
    /// # Errors
    /// What the disk or the catalog gives; then nothing is forgotten, or all of it with files left to be removed at the next start.
    pub fn retain_samples(&self, oldest: i64) -> Result<u64, Error> {
        let writer = self.inner.writer()?;
        let _one = writer.upkeep();
        let _maintenance = writer.maintenance();
        let (packs, _) = spool::list(&self.inner.spool_dir())?;
        let mut gone = 0;
        in_transaction(&self.inner, |c| {
            c.execute("CREATE TEMP TABLE IF NOT EXISTS forgotten (item INTEGER PRIMARY KEY)", [])?;
            c.execute("DELETE FROM forgotten", [])?;
            c.execute(
                "INSERT INTO forgotten SELECT item.id FROM item, state
                 WHERE received < ?1 AND item.samples > 0 AND item.epoch = state.epoch",
                [oldest],
            )?;
            gone = c.execute("DELETE FROM sample WHERE item IN (SELECT item FROM forgotten)", [])?;
            c.execute("UPDATE state SET samples = samples - ?1", [i64::try_from(gone).unwrap_or(0)])?;
            c.execute("DELETE FROM forgotten WHERE item IN (SELECT item FROM report)", [])?;
            throw_away(c, &packs).map(drop)
        })?;
        take_out_garbage(&self.inner)?;
        Ok(gone as u64)
    }
}

fn conditions(filter: &SampleFilter) -> (String, Vec<Sql>) {
    let (mut conditions, mut values) = (vec!["TRUE"], Vec::new());
    if let Some((first, last)) = filter.days {
        conditions.push("day BETWEEN ? AND ?");
        values.extend([Sql::Integer(first.0.into()), Sql::Integer(last.0.into())]);
    }
    if let Some(domain) = &filter.domain {
        if filter.subdomains {
            let organizational = crate::organizational_domain(domain);
            conditions.push("(domain = ? OR substr(domain, -length(?)) = ?)");
            let below = Sql::Text(format!(".{organizational}"));
            values.extend([Sql::Text(organizational.to_string()), below.clone(), below]);
        } else {
            conditions.push("domain = ?");
            values.push(Sql::Text(domain.to_string()));
        }
    }
    if let Some(local_part) = &filter.local_part {
        conditions.push("local_part = ?");
        values.push(Sql::Text(local_part.to_lowercase().into()));
    }
    if let Some((address, length)) = filter.network {
        let low = number(address);
        let bits = if address.is_ipv4() { 96 + u32::from(length) } else { u32::from(length) };
        let high = low | u128::MAX.checked_shr(bits).unwrap_or(0);
        conditions.push("source BETWEEN ? AND ?");
        values.extend([low, high].map(|bound| Sql::Blob(bound.to_be_bytes().to_vec())));
    }
    (conditions.join(" AND "), values)
}

fn entry(r: &Row<'_>) -> rusqlite::Result<SampleEntry> {
    let sample = serde_json::from_str(r.get_ref(2)?.as_str()?)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(2, rusqlite::types::Type::Text, Box::new(e)))?;
    Ok(SampleEntry {
        id: unsigned(r, 0)?,
        day: Day(r.get(1)?),
        sample,
        item: RawKey(r.get(3)?),
        member: r.get(4)?,
        origin: r.get(5)?,
        received: r.get(6)?,
    })
}
