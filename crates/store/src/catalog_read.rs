//! What is read from the catalog by the ledger itself: state, segments, identities, items.

use report::Day;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::segment::SegmentEntry;
use crate::spool::{Place, Waiting};
use crate::{Counters, KeptState, RawKey};

/// The parts of the state that a writer counts on in memory.
pub(crate) struct Start {
    pub(crate) next_report: u64,
    pub(crate) next_segment: u64,
    pub(crate) checkpoint: Place,
}

pub(crate) fn unsigned(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    row.get(at).map(i64::cast_unsigned)
}

pub(crate) fn start(c: &Connection) -> rusqlite::Result<Start> {
    let sql = "SELECT next_report, next_segment, checkpoint_pack, checkpoint_offset FROM state";
    c.query_row(sql, [], |r| {
        let checkpoint = Place { pack: r.get(2)?, offset: unsigned(r, 3)? };
        Ok(Start { next_report: unsigned(r, 0)?, next_segment: unsigned(r, 1)?, checkpoint })
    })
}

pub(crate) fn epoch(c: &Connection) -> rusqlite::Result<i64> {
    c.query_row("SELECT epoch FROM state", [], |r| r.get(0))
}

/// The first 8 bytes of a key, as the catalog's index has them.
pub(crate) fn prefix(key: &RawKey) -> i64 {
    let mut first = [0; 8];
    first.copy_from_slice(&key.0[..8]);
    i64::from_be_bytes(first)
}

/// What is known of an item; `None` if the catalog has never seen it.
pub(crate) fn item_state(c: &Connection, key: &RawKey) -> rusqlite::Result<Option<KeptState>> {
    let sql = "SELECT item.reports, item.rejected, item.samples, item.epoch = state.epoch FROM item, state WHERE prefix = ?1 AND key = ?2";
    c.prepare_cached(sql)?
        .query_row(params![prefix(key), key.0], |r| {
            let (reports, rejected, samples) = (unsigned(r, 0)?, unsigned(r, 1)?, unsigned(r, 2)?);
            let known = KeptState::Known { reports, rejected, samples };
            Ok(if r.get(3)? { known } else { KeptState::Pending })
        })
        .optional()
}

/// Number, repetitions and place of an item whose outcome was forgotten.
pub(crate) fn item_to_rebuild(
    c: &Connection,
    key: &RawKey,
    epoch: i64,
) -> rusqlite::Result<Option<(i64, i64, Waiting)>> {
    let sql = "SELECT id, repeats, pack, offset, size, received, origin FROM item
               WHERE prefix = ?1 AND key = ?2 AND epoch < ?3";
    c.prepare_cached(sql)?
        .query_row(params![prefix(key), key.0, epoch], |r| {
            let waiting = Waiting {
                place: Place { pack: r.get(2)?, offset: unsigned(r, 3)? },
                size: unsigned(r, 4)?,
                received: r.get(5)?,
                origin: r.get::<_, String>(6)?.into(),
            };
            Ok((r.get(0)?, r.get(1)?, waiting))
        })
        .optional()
}

/// Number, reports, rejections and failure reports of an item that was taken in.
pub(crate) fn item_taken(c: &Connection, key: &RawKey, epoch: i64) -> rusqlite::Result<Option<(i64, u64, u64, u64)>> {
    c.prepare_cached("SELECT id, reports, rejected, samples FROM item WHERE prefix = ?1 AND key = ?2 AND epoch = ?3")?
        .query_row(params![prefix(key), key.0, epoch], |r| {
            Ok((r.get(0)?, unsigned(r, 1)?, unsigned(r, 2)?, unsigned(r, 3)?))
        })
        .optional()
}

/// Whether a failure report is known.
pub(crate) fn has_sample(c: &Connection, content: &[u8; 32]) -> rusqlite::Result<bool> {
    c.prepare_cached("SELECT 1 FROM sample WHERE content = ?1")?.exists([content])
}

/// Where an item's raw copy is.
pub(crate) fn item_place(c: &Connection, key: &RawKey) -> rusqlite::Result<Option<Place>> {
    c.prepare_cached("SELECT pack, offset FROM item WHERE prefix = ?1 AND key = ?2")?
        .query_row(params![prefix(key), key.0], |r| Ok(Place { pack: r.get(0)?, offset: unsigned(r, 1)? }))
        .optional()
}

/// A committed report with a certain identity.
pub(crate) struct SameIdentity {
    pub(crate) id: u64,
    pub(crate) content: Vec<u8>,
    pub(crate) superseded_by: u64,
}

pub(crate) fn same_identity(c: &Connection, day: i32, key: &[u8; 16]) -> rusqlite::Result<Vec<SameIdentity>> {
    c.prepare_cached("SELECT id, content, superseded_by FROM report WHERE day = ?1 AND key = ?2")?
        .query_map(params![day, key], |r| {
            Ok(SameIdentity { id: unsigned(r, 0)?, content: r.get(1)?, superseded_by: unsigned(r, 2)? })
        })?
        .collect()
}

/// All segments, with the reports in each whose rows no longer count, ascending.
pub(crate) fn segments(c: &Connection) -> rusqlite::Result<Vec<(SegmentEntry, Vec<u64>)>> {
    let sql = "SELECT id, level, first_day, last_day, first_report, last_report, rows, bytes, cut, by_source
               FROM segment ORDER BY id";
    let mut all: Vec<(SegmentEntry, Vec<u64>)> = c
        .prepare_cached(sql)?
        .query_map([], |r| {
            let entry = SegmentEntry {
                id: unsigned(r, 0)?,
                level: r.get(1)?,
                first_day: r.get(2)?,
                last_day: r.get(3)?,
                first_report: unsigned(r, 4)?,
                last_report: unsigned(r, 5)?,
                rows: unsigned(r, 6)?,
                bytes: unsigned(r, 7)?,
                cut: r.get(8)?,
                by_source: unsigned(r, 9)?,
            };
            Ok((entry, Vec::new()))
        })?
        .collect::<Result<_, _>>()?;
    let mut dead = c.prepare_cached("SELECT segment, report FROM tombstone ORDER BY segment, report")?;
    let mut rows = dead.query([])?;
    while let Some(row) = rows.next()? {
        let (segment, report) = (unsigned(row, 0)?, unsigned(row, 1)?);
        if let Ok(at) = all.binary_search_by_key(&segment, |(entry, _)| entry.id) {
            all[at].1.push(report);
        }
    }
    Ok(all)
}

/// Files of the spool that are still to be removed.
pub(crate) fn garbage(c: &Connection) -> rusqlite::Result<Vec<String>> {
    c.prepare("SELECT name FROM garbage")?.query_map([], |r| r.get(0))?.collect()
}

/// First and last day with a row that counts.
pub(crate) fn span(c: &Connection) -> rusqlite::Result<Option<(Day, Day)>> {
    c.query_row("SELECT min(day), max(day) FROM trend_day", [], |r| {
        Ok(r.get::<_, Option<i32>>(0)?.zip(r.get(1)?).map(|(first, last)| (Day(first), Day(last))))
    })
}

pub(crate) fn counters(c: &Connection) -> rusqlite::Result<Counters> {
    let sql =
        "SELECT items, item_bytes, reports, rows, messages_high, messages_low, duplicates, conflicts, rejected, flawed,
                      (SELECT count(*) FROM segment), (SELECT coalesce(sum(bytes + by_source), 0) FROM segment), samples FROM state";
    c.query_row(sql, [], |r| {
        Ok(Counters {
            items: unsigned(r, 0)?,
            item_bytes: unsigned(r, 1)?,
            reports: unsigned(r, 2)?,
            rows: unsigned(r, 3)?,
            messages: crate::trend::messages(r.get(4)?, r.get(5)?),
            duplicates: unsigned(r, 6)?,
            conflicts: unsigned(r, 7)?,
            rejected: unsigned(r, 8)?,
            flawed: unsigned(r, 9)?,
            segments: unsigned(r, 10)?,
            segment_bytes: unsigned(r, 11)?,
            samples: unsigned(r, 12)?,
        })
    })
}
