//! Compaction: many small segments become few large ones, sorted by day, without the rows that no longer count.
//!
//! It goes through the days in ascending order, some at a time. Each step reads what the segments to be replaced hold of these days,
//! writes it to new ones, and in one transaction enters the new ones and cuts the days off the old ones. So it can stop anywhere,
//! needs little space, and readers see every row exactly once. Answers do not change.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use rusqlite::{Connection, TransactionBehavior, params};

use crate::commit::insert_segment;
use crate::field::{Field, SortedBy};
use crate::ledger::{Inner, Ledger};
use crate::plan::Plan;
use crate::segment::{Part, SegmentEntry, path_in};
use crate::segment_write::{self, Order};
use crate::stage::Stage;
use crate::{Compacted, Error, by_source};

/// Rows of a segment worth writing in a large ledger, as many as are sorted in memory: about 100 MB.
const ROWS: u64 = 1_000_000;
/// The same in a small one, of which a question opens few in any case.
const ROWS_MIN: u64 = 200_000;
/// Segments that a question may as well open: a ledger gets larger ones rather than more.
const SEGMENTS: u64 = 32;
/// The form of what compaction writes now. Segments of an earlier one are written anew with the next compaction: since 2, addresses are
/// written out and pages are small, so that a question about one domain, or a few sources, reads little else.
const LEVEL: u8 = 2;
/// A compacted segment with fewer rows is merged again with what comes later.
const SMALL_ROWS: u64 = 262_144;
/// So many segments that were not compacted make questions slow: each costs about a millisecond to open.
const DUE_SEGMENTS: usize = 16;
/// So many rows that were not compacted: a source is looked for in all of them, in about 30 milliseconds.
const DUE_ROWS: u64 = 262_144;
/// Bytes of texts held in memory before what there is of a day is written.
const TEXT_BYTES: usize = 64 << 20;

impl Ledger {
    /// Merges small segments into large ones sorted by day, and drops rows that no longer count. Answers do not change. May run
    /// beside an intake and beside readers.
    ///
    /// # Errors
    /// What the disk or the catalog gives. What was merged before stays so; the rest is as it was.
    pub fn compact(&self) -> Result<Compacted, Error> {
        compact(&self.inner, self.segment_rows()?)
    }

    /// Compacts if it pays: when many segments, or many rows, are as they were committed. Meant for the end of an import: what is
    /// smaller is read quickly as it is. Goes on from step to step, each some seconds long, as long as `goes_on` says so; what is left is
    /// due the next time.
    ///
    /// # Errors
    /// As [`Self::compact`].
    pub fn compact_where_due(&self, goes_on: impl Fn() -> bool) -> Result<Option<Compacted>, Error> {
        let parts = self.inner.snapshot()?;
        let (mut count, mut rows) = (0, 0);
        for part in parts.iter().filter(|part| !finished(part)) {
            (count, rows) = (count + 1, rows + part.entry.rows);
        }
        if count < DUE_SEGMENTS && rows < DUE_ROWS {
            return Ok(None);
        }
        compact_while(&self.inner, self.segment_rows()?, &goes_on).map(Some)
    }

    fn segment_rows(&self) -> Result<u64, Error> {
        Ok((self.counters()?.rows / SEGMENTS).clamp(ROWS_MIN, ROWS))
    }
}

/// Compacts, with segments of about that many rows.
pub(crate) fn compact(inner: &Inner, rows: u64) -> Result<Compacted, Error> {
    compact_while(inner, rows, &|| true)
}

/// The same, as long as `goes_on` says so after each step.
pub(crate) fn compact_while(inner: &Inner, rows: u64, goes_on: &dyn Fn() -> bool) -> Result<Compacted, Error> {
    let _one = inner.writer()?.upkeep();
    let inputs = inputs(inner, rows)?;
    let (Some(first), Some(last)) =
        (inputs.iter().map(|p| p.entry.first_day).min(), inputs.iter().map(|p| p.entry.last_day).max())
    else {
        return Ok(Compacted::default());
    };
    let mut work = Work { inner, inputs, rows, stage: Stage::default(), slots: HashMap::new(), written: Vec::new() };
    let done = work.run(first, last, goes_on);
    // Written and not entered: of no use to anybody.
    work.discard();
    done
}

/// A compaction under way.
struct Work<'a> {
    inner: &'a Inner,
    inputs: Vec<Part>,
    rows: u64,
    stage: Stage,
    /// Positions of reports in the stage.
    slots: HashMap<u64, u32>,
    /// Segments written and not entered yet.
    written: Vec<SegmentEntry>,
}

impl Work<'_> {
    fn run(&mut self, mut first: i32, last: i32, goes_on: &dyn Fn() -> bool) -> Result<Compacted, Error> {
        let mut done = Compacted::default();
        let days = self.inner.catalog.read(crate::trend::rows_by_day)?;
        let from = first;
        let mut days = days.into_iter().filter(|(day, _)| (from..=last).contains(day)).peekable();
        loop {
            // Days that are read together: opening a segment costs more than reading a few rows of it.
            let (mut filled, mut end) = (0, first);
            while let Some(&(day, count)) = days.peek() {
                if filled > 0 && filled + count > self.rows {
                    break;
                }
                (filled, end) = (filled + count, day);
                days.next();
            }
            let at_end = days.peek().is_none();
            // Days on which nothing counts any more go with the last step.
            let end = if at_end { last } else { end };
            self.read((first, end))?;
            if at_end || self.stage.len() as u64 >= self.rows / 2 || !self.written.is_empty() {
                self.write()?;
                done.rows += self.written.iter().map(|entry| entry.rows).sum::<u64>();
                done.after += self.written.len() as u64;
                done.before += self.swap(end)?;
            }
            if at_end || !goes_on() {
                return Ok(done);
            }
            first = end.saturating_add(1);
        }
    }

    /// Stages what the inputs hold of these days.
    fn read(&mut self, days: (i32, i32)) -> Result<(), Error> {
        let plan = Plan::reading(&Field::ALL, Some(days), Vec::new());
        let inputs: Vec<Part> =
            self.inputs.iter().filter(|p| p.entry.first_day <= days.1 && p.entry.last_day >= days.0).cloned().collect();
        for part in inputs {
            let read = part.visit(&plan, &mut |batch| {
                self.stage.add_batch(batch, &batch.select(&plan), &mut self.slots);
                if self.stage.len() as u64 >= self.rows || self.stage.text_bytes() >= TEXT_BYTES {
                    self.write()?;
                }
                Ok(())
            });
            read.map_err(|error| error.of(&part.segment))?;
        }
        Ok(())
    }

    /// Writes what is staged to a new segment.
    fn write(&mut self) -> Result<(), Error> {
        let order = segment_write::order(&mut self.stage, 0, self.inner.layout);
        if !order.rows.is_empty() {
            let id = self.inner.writer()?.next_segment.fetch_add(1, Ordering::Relaxed);
            self.written.push(segment_write::entry(&self.stage, &order, id, LEVEL));
            let write = |order: &Order| {
                let path = path_in(&self.inner.rows_dir(order.sorted), id);
                segment_write::write(&self.inner.disk, self.inner.layout, &path, &self.stage, order)
            };
            let size = write(&order)?;
            let by_source = write(&by_source::order(&self.stage, &order.rows))?;
            if let Some(entry) = self.written.last_mut() {
                (entry.rows, entry.bytes, entry.by_source) = (size.rows, size.bytes, by_source.bytes);
            }
        }
        self.stage.clear(TEXT_BYTES / 4);
        self.slots.clear();
        Ok(())
    }

    /// Enters the new segments and cuts the days up to `end` off the old ones. Gives how many of these are used up.
    fn swap(&mut self, end: i32) -> Result<u64, Error> {
        let inner = self.inner;
        let writer = inner.writer()?;
        for sorted in SortedBy::BOTH {
            inner.disk.sync_dir(&inner.rows_dir(sorted))?;
        }
        // Nothing may be superseded between looking for marks and entering the new segments.
        let _maintenance = writer.maintenance();
        let mut connection = writer.connection();
        let failed = |e| inner.catalog.failed(e);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let gone = change(&transaction, &self.inputs, end, &self.written).map_err(failed)?;
        inner.disk.before_commit(inner.catalog.path())?;
        // From here on the files stay whatever happens: a commit that reports an error may still be found done after a crash.
        self.written.clear();
        transaction.commit().map_err(failed)?;
        self.inputs.retain(|part| part.entry.last_day > end);
        inner.doom(&gone);
        Ok(gone.len() as u64)
    }

    fn discard(&mut self) {
        for entry in self.written.drain(..) {
            for sorted in SortedBy::BOTH {
                drop(self.inner.disk.remove(&path_in(&self.inner.rows_dir(sorted), entry.id)));
            }
        }
    }
}

/// Whether a segment is as compaction leaves it.
fn finished(part: &Part) -> bool {
    part.entry.level >= LEVEL && part.by_source.is_some() && part.dead.is_empty() && !part.entry.cut
}

/// The segments to be replaced: all that were only committed, those that are small, those with rows that do not count, and those of
/// an earlier form.
fn inputs(inner: &Inner, rows: u64) -> Result<Vec<Part>, Error> {
    let small = SMALL_ROWS.min(rows / 2);
    let mut parts = inner.snapshot()?;
    parts.retain(|part| part.entry.rows < small || !finished(part));
    let done = parts.iter().all(finished);
    if done && parts.len() < 2 {
        parts.clear();
    }
    Ok(parts)
}

/// The changes of the catalog. Gives the segments that are used up.
fn change(c: &Connection, inputs: &[Part], end: i32, written: &[SegmentEntry]) -> rusqlite::Result<Vec<u64>> {
    let mut gone = Vec::new();
    for entry in written {
        insert_segment(c, entry)?;
    }
    let mut marks = c.prepare_cached("SELECT report FROM tombstone WHERE segment = ?1")?;
    let mut mark = c.prepare_cached("INSERT OR IGNORE INTO tombstone VALUES (?1, ?2)")?;
    for part in inputs.iter().filter(|part| part.entry.first_day <= end) {
        let id = part.entry.id.cast_signed();
        // Reports superseded since the inputs were listed: their rows were copied, and count no more there either.
        for report in marks.query_map([id], |r| r.get::<_, i64>(0))?.collect::<Result<Vec<_>, _>>()? {
            if part.dead.binary_search(&report.cast_unsigned()).is_err() {
                for entry in written {
                    if (entry.first_report..=entry.last_report).contains(&report.cast_unsigned()) {
                        mark.execute([entry.id.cast_signed(), report])?;
                    }
                }
            }
        }
        if part.entry.last_day <= end {
            c.prepare_cached("DELETE FROM segment WHERE id = ?1")?.execute([id])?;
            c.prepare_cached("DELETE FROM tombstone WHERE segment = ?1")?.execute([id])?;
            gone.push(part.entry.id);
        } else {
            c.prepare_cached("UPDATE segment SET first_day = ?2, cut = 1 WHERE id = ?1")?
                .execute(params![id, end.saturating_add(1)])?;
        }
    }
    Ok(gone)
}
