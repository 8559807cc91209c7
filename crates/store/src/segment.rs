//! A segment that is read: its file, its index, and the rows of a row group that a question may need.
//!
//! In: a [`Plan`]. Out: batches of rows. Pages that cannot hold a wanted day, author domain or source are passed over unread.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int32Type, UInt64Type};
use arrow_array::{Array, RecordBatch, StringArray};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::file::metadata::{ColumnChunkMask, PageIndexPolicy};

use crate::Error;
use crate::batch::{Batch, Lane};
use crate::disk::Disk;
use crate::field::{Field, SortedBy};
use crate::plan::Plan;
use crate::prune::candidates;
use crate::segment_write::parquet_error;

/// One row in so many must be wanted, or fewer, to read the other columns for these rows only: picking rows out has its price too.
const CHOSEN_WORTH: usize = 8;
/// Rows that are laid out in memory at a time, at most.
const BATCH_ROWS: usize = 262_144;

/// A segment as the catalog lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentEntry {
    pub(crate) id: u64,
    pub(crate) level: u8,
    pub(crate) first_day: i32,
    pub(crate) last_day: i32,
    pub(crate) first_report: u64,
    pub(crate) last_report: u64,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// Bytes of the file beside it that is sorted by source; 0 where there is none.
    pub(crate) by_source: u64,
    /// Rows before `first_day` do not count: they were moved to another segment, or forgotten.
    pub(crate) cut: bool,
}

/// A segment at one moment: its file, and what in it counts.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) segment: Arc<Segment>,
    pub(crate) entry: SegmentEntry,
    /// Reports whose rows do not count, ascending.
    pub(crate) dead: Arc<[u64]>,
    /// The file beside it that is sorted by source.
    pub(crate) by_source: Option<Arc<Segment>>,
}

impl Part {
    /// The file of the two that serves a question best.
    pub(crate) fn serving(&self, plan: &Plan) -> Self {
        match &self.by_source {
            // It does not know of reports, so neither of those whose rows do not count.
            Some(by_source) if plan.by_source && self.dead.is_empty() => {
                Self { segment: by_source.clone(), ..self.clone() }
            }
            _ => self.clone(),
        }
    }

    /// The fields to be read in addition to tell which rows count.
    pub(crate) fn fields(&self, asked: &[Field]) -> Vec<Field> {
        let mut fields = asked.to_vec();
        fields.extend(self.entry.cut.then_some(Field::Day));
        fields.extend((!self.dead.is_empty()).then_some(Field::Report));
        fields.sort_unstable();
        fields.dedup();
        fields
    }

    /// The first day that counts.
    pub(crate) fn from(&self) -> i32 {
        if self.entry.cut { self.entry.first_day } else { i32::MIN }
    }

    /// Visits all rows that may pass the filter and count; those that do not count are marked in the batch.
    pub(crate) fn visit(
        &self,
        plan: &Plan,
        visit: &mut dyn FnMut(&Batch<'_>) -> Result<(), Error>,
    ) -> Result<(), ReadError> {
        self.tasks(plan)?.iter().try_for_each(|task| self.visit_task(task, plan, visit))
    }

    /// Visits the rows of a task.
    ///
    /// Where a filter may leave few of them, the filtered columns are read first, and the others only for the rows that are left.
    pub(crate) fn visit_task(
        &self,
        task: &Task,
        plan: &Plan,
        visit: &mut dyn FnMut(&Batch<'_>) -> Result<(), Error>,
    ) -> Result<(), ReadError> {
        let fields = self.fields(&plan.fields);
        let tested = self.fields(&plan.tested);
        if plan.sharp && tested.len() < fields.len() {
            let mut chosen = Vec::new();
            let mut passed = 0;
            task.read(&tested, &mut |batch| {
                chosen.extend(self.lanes(batch, &tested).select(plan).into_iter().map(|row| passed + row as usize));
                passed += batch.num_rows();
                Ok(())
            })?;
            if chosen.is_empty() {
                return Ok(());
            }
            if chosen.len() * CHOSEN_WORTH <= task.rows {
                let task = task.narrowed(&chosen);
                return task.read(&plan.fields, &mut |batch| {
                    visit(&Batch { chosen: true, ..self.lanes(batch, &plan.fields) })
                });
            }
        }
        task.read(&fields, &mut |batch| visit(&self.lanes(batch, &fields)))
    }

    /// The row groups with rows that may pass the filter, and which rows those are.
    pub(crate) fn tasks(&self, plan: &Plan) -> Result<Vec<Task>, ReadError> {
        let index = self.segment.index()?;
        let mut tasks = Vec::new();
        for group in 0..index.metadata().num_row_groups() {
            let ranges = candidates(index, group, plan, self.from(), self.segment.sorted);
            let rows = ranges.iter().map(Range::len).sum();
            if rows > 0 {
                tasks.push(Task { segment: self.segment.clone(), group, ranges, rows });
            }
        }
        Ok(tasks)
    }

    /// Lays the columns of a record batch out for the aggregate. `fields` are those projected, ascending.
    pub(crate) fn lanes<'a>(&'a self, batch: &'a RecordBatch, fields: &[Field]) -> Batch<'a> {
        Batch {
            rows: batch.num_rows(),
            lanes: lanes(batch, fields),
            weights: self.segment.weights(batch),
            dead: &self.dead,
            from: self.from(),
            chosen: false,
        }
    }
}

/// A segment's file. While somebody holds it the file stays.
pub(crate) struct Segment {
    path: PathBuf,
    sorted: SortedBy,
    disk: Disk,
    index: OnceLock<ArrowReaderMetadata>,
    doomed: AtomicBool,
}

impl Drop for Segment {
    fn drop(&mut self) {
        if self.doomed.load(Ordering::Relaxed)
            && let Err(error) = self.disk.remove(&self.path)
        {
            // It is an orphan now; the next start removes it.
            tracing::warn!("{error}");
        }
    }
}

pub(crate) fn path_in(dir: &Path, id: u64) -> PathBuf {
    dir.join(format!("{id:010}.parquet"))
}

/// What can happen on the way to a segment's rows.
pub(crate) enum ReadError {
    /// The file is gone: it was merged into another after the list of segments was read.
    Gone,
    Other(Error),
}

impl ReadError {
    /// As an error about this segment, where it cannot be gone.
    pub(crate) fn of(self, segment: &Segment) -> Error {
        match self {
            Self::Gone => Error::Segment { path: segment.path.clone(), what: "the file is missing".to_owned() },
            Self::Other(error) => error,
        }
    }
}

impl Segment {
    /// A file in a directory of files in that order.
    pub(crate) fn new(dir: &Path, sorted: SortedBy, disk: &Disk, id: u64) -> Self {
        let (path, disk) = (path_in(dir, id), disk.clone());
        Self { path, sorted, disk, index: OnceLock::new(), doomed: AtomicBool::new(false) }
    }

    /// How many rows each line stands for, where that is written.
    fn weights<'a>(&self, batch: &'a RecordBatch) -> Option<&'a [u64]> {
        let column = batch.columns().last().filter(|_| self.sorted == SortedBy::Source)?;
        column.as_primitive_opt::<UInt64Type>().map(|rows| &rows.values()[..])
    }

    /// The file is to be removed when nobody reads it any more.
    pub(crate) fn doom(&self) {
        self.doomed.store(true, Ordering::Relaxed);
    }

    fn file(&self) -> Result<File, ReadError> {
        File::open(&self.path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => ReadError::Gone,
            _ => ReadError::Other(Error::io("open", &self.path, e)),
        })
    }

    fn failed(&self, error: parquet::errors::ParquetError) -> ReadError {
        ReadError::Other(parquet_error("read", &self.path, error))
    }

    /// The file's own index, read once.
    pub(crate) fn index(&self) -> Result<&ArrowReaderMetadata, ReadError> {
        if let Some(index) = self.index.get() {
            return Ok(index);
        }
        let pruned = self.sorted.pruned().iter().map(|&field| self.sorted.position(field));
        let options = ArrowReaderOptions::new()
            .with_page_index_policy(PageIndexPolicy::Optional)
            .with_column_index_mask(ColumnChunkMask::columns(pruned));
        let index = ArrowReaderMetadata::load(&self.file()?, options).map_err(|e| self.failed(e))?;
        Ok(self.index.get_or_init(|| index))
    }
}

/// Part of a segment to be looked at.
pub(crate) struct Task {
    segment: Arc<Segment>,
    group: usize,
    ranges: Vec<Range<usize>>,
    pub(crate) rows: usize,
}

impl Task {
    /// Reads the fields of the rows and hands them on.
    fn read(
        &self,
        fields: &[Field],
        visit: &mut dyn FnMut(&RecordBatch) -> Result<(), Error>,
    ) -> Result<(), ReadError> {
        let failed = |e| self.segment.failed(e);
        let index = self.segment.index()?.clone();
        let rows = usize::try_from(index.metadata().row_group(self.group).num_rows()).unwrap_or(usize::MAX);
        let sorted = self.segment.sorted;
        let weights = (sorted == SortedBy::Source).then_some(sorted.fields().len());
        let columns = fields.iter().map(|&field| sorted.position(field)).chain(weights);
        let mask = ProjectionMask::leaves(index.parquet_schema(), columns);
        let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.segment.file()?, index);
        if self.rows < rows {
            let selection = RowSelection::from_consecutive_ranges(self.ranges.iter().cloned(), rows);
            builder = builder.with_row_selection(selection);
        }
        let reader = builder
            .with_row_groups(vec![self.group])
            .with_projection(mask)
            .with_batch_size(self.rows.min(BATCH_ROWS))
            .build()
            .map_err(failed)?;
        for batch in reader {
            let batch = batch.map_err(|e| failed(e.into()))?;
            visit(&batch).map_err(ReadError::Other)?;
        }
        Ok(())
    }

    /// The same part of the segment, with only those of its rows, given ascending.
    fn narrowed(&self, chosen: &[usize]) -> Self {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let mut of = self.ranges.iter();
        let mut within = of.next().cloned().unwrap_or_default();
        let mut passed = 0;
        for &row in chosen {
            while row - passed >= within.len() {
                passed += within.len();
                let Some(next) = of.next() else { break };
                within = next.clone();
            }
            let at = within.start + (row - passed);
            match ranges.last_mut() {
                Some(last) if last.end == at => last.end += 1,
                _ => ranges.push(at..at + 1),
            }
        }
        Self { segment: self.segment.clone(), group: self.group, ranges, rows: chosen.len() }
    }
}

fn lanes<'a>(batch: &'a RecordBatch, fields: &[Field]) -> [Option<Lane<'a>>; 22] {
    let mut lanes = [const { None }; 22];
    for (&field, column) in fields.iter().zip(batch.columns()) {
        lanes[field as usize] = match field {
            Field::Day => column.as_primitive_opt::<Date32Type>().map(|days| Lane::Days(days.values())),
            Field::Report | Field::Messages => {
                column.as_primitive_opt::<UInt64Type>().map(|numbers| Lane::Numbers(numbers.values()))
            }
            Field::Source => column.as_fixed_size_binary_opt().map(|bytes| addresses(bytes.value_data())),
            _ => column.as_dictionary_opt::<Int32Type>().and_then(|dictionary| {
                let texts = dictionary.values().as_any().downcast_ref::<StringArray>()?;
                Some(Lane::Texts { keys: dictionary.keys().values(), texts })
            }),
        };
    }
    lanes
}

/// Addresses of 16 bytes each. In both orders those of one source follow each other, and are looked at once.
fn addresses<'a>(bytes: &[u8]) -> Lane<'a> {
    let (bytes, _) = bytes.as_chunks::<16>();
    let (mut keys, mut addresses) = (Vec::with_capacity(bytes.len()), Vec::new());
    let (mut key, mut last) = (-1, None);
    for address in bytes {
        if last != Some(address) {
            addresses.push(u128::from_be_bytes(*address));
            (key, last) = (key + 1, Some(address));
        }
        keys.push(key);
    }
    Lane::Sources { keys, addresses }
}
