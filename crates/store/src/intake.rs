//! Taking reports in: items one after the other, gathered into a batch that is committed as a whole.
//!
//! In: what was read from kept items. Out: what became of each report, and a [`crate::commit`] when the batch is full. It decides
//! what is new, a duplicate or a conflict; it never splits an item over two commits, and never writes rows of an unfinished report
//! into a segment with others.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use report::failure::Sample;
use report::{Day, Finished, Rejection, Report, Row};

use crate::catalog_read;
use crate::intake_write::merge;
use crate::ledger::{Inner, Ledger, Writer};
use crate::lists;
use crate::segment::path_in;
use crate::staged::{Batching, OpenReport, StagedBatch, StagedItem, StagedRejection, StagedReport, StagedSample};
use crate::telling;
use crate::trend::Deltas;
use crate::{Error, IntakeTotals, RawKey, Taken};

/// A report over more days than this is counted on its first day: sharing it out says nothing, and costs a row for each day.
/// Reporters send daily, a few weekly.
const DAYS_MAX: i32 = 366;

/// Takes reports in, item by item, and commits them in batches of whole items. What is not committed when it is dropped stays
/// pending in the spool. After an error nothing more can be taken in through it.
///
/// The order of calls: `begin_item` (`begin_report` `row`* (`end_report` | `abandon_report`) | `sample` | `reject`)* `end_item`, then
/// `commit` or `finish`. `repeated_item` stands between items.
pub struct Intake {
    pub(crate) inner: Arc<Inner>,
    pub(crate) batching: Batching,
    pub(crate) batch: StagedBatch,
    epoch: i64,
    item: Option<StagedItem>,
    pub(crate) report: Option<OpenReport>,
    totals: IntakeTotals,
    /// An operation failed: what is staged is no longer what it should be.
    broken: bool,
}

impl Ledger {
    /// The staging area and committer. There is one at a time.
    ///
    /// # Errors
    /// [`Error::Misuse`] while another is open.
    pub fn intake(&self) -> Result<Intake, Error> {
        self.intake_with(Batching::default())
    }

    pub(crate) fn intake_with(&self, batching: Batching) -> Result<Intake, Error> {
        let writer = self.inner.writer()?;
        if writer.intake_open.swap(true, Ordering::AcqRel) {
            return Err(Error::Misuse { what: "an intake is open: finish or drop it before opening another" });
        }
        let inner = self.inner.clone();
        let mut intake = Intake {
            inner,
            batching,
            batch: StagedBatch::default(),
            epoch: 0,
            item: None,
            report: None,
            totals: IntakeTotals::default(),
            broken: false,
        };
        intake.epoch = self.inner.catalog.read(catalog_read::epoch)?;
        Ok(intake)
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        if let Ok(writer) = self.inner.writer() {
            writer.intake_open.store(false, Ordering::Release);
        }
        if self.broken {
            // A commit that reports an error may still be found done after a crash. If it was not, the next start tidies up.
            return;
        }
        // What was written and not committed is of no use to anybody.
        let open = self.report.take().map(|open| open.segments).unwrap_or_default();
        for segment in self.batch.segments.iter().chain(&open) {
            drop(self.inner.disk.remove(&path_in(&self.inner.segments_dir(), segment.id)));
        }
    }
}

impl Intake {
    /// Starts an item that [`Ledger::keep`] has kept.
    ///
    /// # Errors
    /// [`Error::Misuse`] out of order or for an item that is not pending, and what reading the catalog gives.
    pub fn begin_item(&mut self, key: &RawKey) -> Result<(), Error> {
        self.sound()?;
        if self.item.is_some() {
            return misuse("an item was begun before the one before it was ended");
        }
        if self.batch.positions.contains_key(key) {
            return misuse("an item was begun twice: its second coming is a repeated item");
        }
        let found = match self.writer()?.spool.waiting(key) {
            Some(waiting) => (None, 0, waiting),
            None => match self.inner.catalog.read(|c| catalog_read::item_to_rebuild(c, key, self.epoch))? {
                Some((id, repeats, waiting)) => (Some(id), repeats, waiting),
                None => return misuse("an item was begun that is not pending"),
            },
        };
        let (existing, repeats, waiting) = found;
        let (reports, rejected, samples) = (0, 0, 0);
        self.item =
            Some(StagedItem { key: *key, existing, repeats, waiting, reports, rejected, samples, standing: None });
        Ok(())
    }

    /// Notes who stands for the item, as JSON that the ledger does not look into. It is kept with the raw copy, also through a rebuild.
    ///
    /// # Errors
    /// [`Error::Misuse`] out of order.
    pub fn standing(&mut self, standing: String) -> Result<(), Error> {
        self.sound()?;
        let Some(item) = &mut self.item else { return misuse("a standing was noted outside an item") };
        item.standing = Some(standing);
        Ok(())
    }

    /// Starts a report of the item; `member` names it where the item holds several.
    ///
    /// # Errors
    /// [`Error::Misuse`] out of order.
    pub fn begin_report(&mut self, report: &Report, member: Option<&str>) -> Result<(), Error> {
        self.sound()?;
        if self.item.is_none() || self.report.is_some() {
            return misuse("a report was begun outside an item, or inside another report");
        }
        let (first, last) = report.interval.days();
        let days = if last.0.saturating_sub(first.0) >= DAYS_MAX { (first, first) } else { (first, last) };
        self.report = Some(OpenReport {
            slot: self.batch.stage.add_report(report),
            report: report.clone(),
            member: member.map(str::to_owned),
            days,
            id: None,
            mark: self.batch.stage.len(),
            rows: 0,
            messages: 0,
            segments: Vec::new(),
            deltas: Deltas::new(),
        });
        Ok(())
    }

    /// Stages a row of the report.
    ///
    /// # Errors
    /// [`Error::Misuse`] out of order, and what the disk or the catalog gives; nothing more can be taken in through this then.
    pub fn row(&mut self, row: &Row) -> Result<(), Error> {
        self.sound()?;
        let Some(open) = &mut self.report else { return misuse("a row came outside a report") };
        open.rows += 1;
        open.messages = open.messages.saturating_add(row.count);
        let (slot, interval, days) = (open.slot, open.report.interval, open.days);
        let stage = &mut self.batch.stage;
        if days.0 == days.1 || row.count == 0 {
            stage.add_row(slot, row, [(days.0, row.count)]);
        } else {
            stage.add_row(slot, row, interval.share(row.count, telling::salt(row)));
        }
        if stage.len() - open.mark >= self.batching.rows || stage.text_bytes() >= self.batching.text_bytes {
            self.write_open_report().inspect_err(|_| self.broken = true)?;
        }
        Ok(())
    }

    /// Ends the report and says what became of it. It counts with the next commit.
    ///
    /// # Errors
    /// [`Error::Misuse`] out of order, and what the disk or the catalog gives; nothing more can be taken in through this then.
    pub fn end_report(&mut self, finished: &Finished) -> Result<Taken, Error> {
        self.sound()?;
        let Some(open) = self.report.take() else { return misuse("a report was ended that was not begun") };
        self.end(open, finished).inspect_err(|_| self.broken = true)
    }

    fn end(&mut self, mut open: OpenReport, finished: &Finished) -> Result<Taken, Error> {
        if let Some(item) = &mut self.item {
            item.reports += 1;
        }
        self.totals.reports += 1;
        let identity = (open.days.0.0, finished.identity.key);
        let current = match self.look_up(identity, &finished.identity.content)? {
            Known::Same { id } => {
                self.take_back(&open)?;
                self.batch.duplicates += 1;
                self.totals.duplicates += 1;
                return Ok(Taken::Duplicate { id });
            }
            Known::Other { id } => Some(id),
            Known::Not => None,
        };
        let id = match open.id {
            Some(id) => id,
            None => self.writer()?.next_report.fetch_add(1, Ordering::Relaxed),
        };
        self.batch.stage.reports[open.slot as usize].id = id;
        if let Some(replaces) = current {
            self.supersede(identity, replaces, id);
            self.totals.conflicts += 1;
        }
        self.totals.new += 1;
        self.totals.rows += open.rows;
        self.totals.messages = self.totals.messages.saturating_add(open.messages);
        self.totals.flaws += finished.flaws.len() as u64;
        self.batch.rows += self.batch.stage.len() - open.mark;
        let written = !open.segments.is_empty();
        if written {
            // The rest goes to a segment of its own too, so that the report is all in the stage or all in segments.
            self.write_rows(open.mark, &mut open.segments, &mut open.deltas)?;
            self.batch.rows += self.batching.rows;
        }
        self.batch.segments.append(&mut open.segments);
        merge(&mut self.batch.deltas, open.deltas);
        let position = self.batch.reports.len();
        let older = self.batch.newest.insert(identity, position);
        self.batch.reports.push(StagedReport {
            id,
            slot: open.slot,
            written,
            report: open.report,
            member: open.member,
            days: open.days,
            key: finished.identity.key,
            content: finished.identity.content,
            rows: open.rows,
            messages: open.messages,
            bad_rows: finished.bad_rows,
            flaws: finished.flaws.clone(),
            item: self.batch.items.len(),
            superseded_by: 0,
            older,
        });
        if self.batch.stage.len() >= self.batching.rows {
            self.write_finished()?;
        }
        Ok(current.map_or(Taken::New { id }, |replaces| Taken::Conflict { id, replaces }))
    }

    /// Takes back the rows staged since `begin_report` and records why.
    ///
    /// # Errors
    /// [`Error::Misuse`] out of order, and what the disk or the catalog gives; nothing more can be taken in through this then.
    pub fn abandon_report(&mut self, rejection: &Rejection) -> Result<(), Error> {
        self.sound()?;
        let Some(open) = self.report.take() else { return misuse("a report was abandoned that was not begun") };
        self.take_back(&open).inspect_err(|_| self.broken = true)?;
        self.reject(open.member.as_deref(), rejection)
    }

    /// Records that the item, or a member of it, could not be taken in.
    ///
    /// # Errors
    /// [`Error::Misuse`] out of order.
    pub fn reject(&mut self, member: Option<&str>, rejection: &Rejection) -> Result<(), Error> {
        self.sound()?;
        let (Some(item), None) = (&mut self.item, &self.report) else {
            return misuse("a rejection came outside an item, or inside a report");
        };
        item.rejected += 1;
        self.totals.rejected += 1;
        let member = member.map(str::to_owned);
        self.batch.rejections.push(StagedRejection {
            item: self.batch.items.len(),
            member,
            rejection: rejection.clone(),
        });
        Ok(())
    }

    /// Takes in what is kept of a failure report; `content` is its identity. Says whether it is new.
    ///
    /// # Errors
    /// [`Error::Misuse`] out of order, and what reading the catalog gives.
    pub fn sample(&mut self, sample: &Sample, content: &[u8; 32], member: Option<&str>) -> Result<bool, Error> {
        self.sound()?;
        let (Some(item), None) = (&mut self.item, &self.report) else {
            return misuse("a sample came outside an item, or inside a report");
        };
        item.samples += 1;
        let known = self.batch.sample_contents.contains(content)
            || self.inner.catalog.read(|c| catalog_read::has_sample(c, content))?;
        if known {
            self.totals.samples_repeated += 1;
            return Ok(false);
        }
        self.totals.samples += 1;
        self.batch.sample_contents.insert(*content);
        self.batch.samples.push(StagedSample {
            item: self.batch.items.len(),
            member: member.map(str::to_owned),
            content: *content,
            day: Day::of(sample.arrived.unwrap_or(item.waiting.received)),
            sample: sample.clone(),
        });
        Ok(true)
    }

    /// Counts an item whose bytes had come before: its reports are duplicates. Gives back why it, or members of it, were refused
    /// then, because that holds again.
    ///
    /// # Errors
    /// [`Error::Misuse`] out of order, and what the disk or the catalog gives; nothing more can be taken in through this then.
    pub fn repeated_item(&mut self, key: &RawKey) -> Result<Vec<(Option<String>, Rejection)>, Error> {
        self.sound()?;
        if self.item.is_some() {
            return misuse("a repeated item came inside another");
        }
        let mut refused = Vec::new();
        let (reports, samples) = if let Some(&position) = self.batch.positions.get(key) {
            let item = &mut self.batch.items[position];
            item.repeats += 1;
            if item.rejected > 0 {
                let of_item = self.batch.rejections.iter().filter(|r| r.item == position);
                refused.extend(of_item.map(|r| (r.member.clone(), r.rejection.clone())));
            }
            (item.reports, item.samples)
        } else if let Some((id, reports, rejected, samples)) =
            self.inner.catalog.read(|c| catalog_read::item_taken(c, key, self.epoch))?
        {
            *self.batch.repeats.entry(id).or_default() += 1;
            if rejected > 0 {
                refused = self.inner.catalog.read(|c| lists::rejections_of(c, id))?;
            }
            (reports, samples)
        } else {
            // It waits for its outcome: nobody knows yet what is in it.
            (0, 0)
        };
        self.totals.samples_repeated += samples;
        self.batch.begun.get_or_insert_with(Instant::now);
        self.batch.duplicates += reports;
        self.totals.items += 1;
        self.totals.reports += reports;
        self.totals.duplicates += reports;
        self.totals.rejected += refused.len() as u64;
        Ok(refused)
    }

    /// Ends the item. Commits if the batch is full.
    ///
    /// # Errors
    /// [`Error::Misuse`] out of order, and what the disk or the catalog gives; nothing more can be taken in through this then.
    pub fn end_item(&mut self) -> Result<(), Error> {
        self.sound()?;
        if self.report.is_some() {
            return misuse("an item was ended inside a report");
        }
        let Some(item) = self.item.take() else { return misuse("an item was ended that was not begun") };
        self.totals.items += 1;
        // During a rebuild what is known of its repetitions counts again.
        self.batch.duplicates += item.reports * item.repeats.unsigned_abs();
        self.batch.positions.insert(item.key, self.batch.items.len());
        self.batch.items.push(item);
        let begun = *self.batch.begun.get_or_insert_with(Instant::now);
        let batch = &self.batch;
        let full = batch.items.len() >= self.batching.reports
            || batch.reports.len() >= self.batching.reports
            || batch.rows >= self.batching.rows
            || batch.stage.text_bytes() >= self.batching.text_bytes
            || begun.elapsed() >= self.batching.age;
        if full { self.commit() } else { Ok(()) }
    }

    /// Makes everything up to the last ended item durable and visible: spool, then segments, then one transaction.
    ///
    /// # Errors
    /// [`Error::Misuse`] out of order, and what the disk or the catalog gives; nothing more can be taken in through this then.
    pub fn commit(&mut self) -> Result<(), Error> {
        self.sound()?;
        if self.item.is_some() {
            return misuse("a commit came inside an item");
        }
        if self.batch.items.is_empty() && self.batch.repeats.is_empty() {
            return Ok(());
        }
        self.commit_batch().inspect_err(|_| self.broken = true)
    }

    fn commit_batch(&mut self) -> Result<(), Error> {
        self.writer()?.spool.sync()?;
        self.write_finished()?;
        if !self.batch.segments.is_empty() {
            self.inner.disk.sync_dir(&self.inner.segments_dir())?;
        }
        crate::commit::commit(&self.inner, &self.batch, self.epoch)?;
        let mut stage = std::mem::take(&mut self.batch.stage);
        stage.clear(self.batching.text_bytes / 2);
        self.batch = StagedBatch { stage, ..StagedBatch::default() };
        Ok(())
    }

    /// What was taken in since the intake began; the last of it is not committed yet.
    #[must_use]
    pub const fn totals(&self) -> &IntakeTotals {
        &self.totals
    }

    /// Commits, and says what was taken in since the intake began.
    ///
    /// # Errors
    /// [`Error::Misuse`] out of order, and what the disk or the catalog gives; nothing more can be taken in through this then.
    pub fn finish(mut self) -> Result<IntakeTotals, Error> {
        self.commit()?;
        Ok(self.totals)
    }

    fn sound(&self) -> Result<(), Error> {
        if self.broken {
            return misuse("this intake failed before: drop it and open another; what was not committed is pending");
        }
        Ok(())
    }

    pub(crate) fn writer(&self) -> Result<&Writer, Error> {
        self.inner.writer()
    }

    fn look_up(&self, identity: (i32, [u8; 16]), content: &[u8; 32]) -> Result<Known, Error> {
        let staged = self.batch.newest.get(&identity).map(|&newest| &self.batch.reports[newest]);
        let mut one = staged;
        while let Some(report) = one {
            if report.content == *content {
                return Ok(Known::Same { id: staged.map_or(report.id, |newest| newest.id) });
            }
            one = report.older.map(|older| &self.batch.reports[older]);
        }
        let (day, key) = identity;
        let committed = self.inner.catalog.read(|c| catalog_read::same_identity(c, day, &key))?;
        let counts = committed.iter().find(|known| known.superseded_by == 0).map(|known| known.id);
        let newest = staged.map(|newest| newest.id).or(counts);
        if let Some(same) = committed.iter().find(|known| known.content == content[..]) {
            return Ok(Known::Same { id: newest.unwrap_or(same.id) });
        }
        Ok(newest.map_or(Known::Not, |id| Known::Other { id }))
    }

    /// The report `id` takes the place of `replaces`.
    fn supersede(&mut self, identity: (i32, [u8; 16]), replaces: u64, id: u64) {
        let batch = &mut self.batch;
        batch.conflicts.push((id, replaces));
        match batch.newest.get(&identity).map(|&at| &mut batch.reports[at]) {
            Some(staged) => {
                staged.superseded_by = id;
                if staged.written {
                    batch.dead_written.push(staged.id);
                } else {
                    batch.stage.reports[staged.slot as usize].dead = true;
                }
            }
            None => batch.replaced.push(replaces),
        }
    }
}

enum Known {
    /// The same content came before; this one counts.
    Same {
        id: u64,
    },
    /// The same identity came before with other content; this one counts so far.
    Other {
        id: u64,
    },
    Not,
}

fn misuse<T>(what: &'static str) -> Result<T, Error> {
    Err(Error::Misuse { what })
}
