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
use parquet::data_type::AsBytes;
use parquet::file::metadata::{ColumnChunkMask, PageIndexPolicy};
use parquet::file::page_index::column_index::ColumnIndexMetaData;

use crate::Error;
use crate::aggregate::{Batch, Lane};
use crate::disk::Disk;
use crate::field::Field;
use crate::plan::{Filter, Plan};
use crate::segment_write::{PRUNED, parquet_error};

/// Above this many sources a bloom filter is not asked: it would hardly ever say no to all of them.
const BLOOM_SOURCES_MAX: usize = 16;

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
}

impl Part {
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

    /// Visits all rows that may pass the filter and count, with the fields asked for; those that do not count are marked in the batch.
    pub(crate) fn visit(
        &self,
        plan: &Plan,
        visit: &mut dyn FnMut(&Batch<'_>) -> Result<(), Error>,
    ) -> Result<(), ReadError> {
        let fields = self.fields(&plan.fields);
        for task in self.tasks(plan)? {
            task.read(&fields, plan, &mut |batch| visit(&self.lanes(batch, &fields)))?;
        }
        Ok(())
    }

    /// The row groups with rows that may pass the filter, and which rows those are.
    pub(crate) fn tasks(&self, plan: &Plan) -> Result<Vec<Task>, ReadError> {
        let index = self.segment.index()?;
        let mut tasks = Vec::new();
        for group in 0..index.metadata().num_row_groups() {
            let ranges = candidates(index, group, plan, self.from());
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
            weights: None,
            dead: &self.dead,
            from: self.from(),
        }
    }
}

/// A segment's file. While somebody holds it the file stays.
pub(crate) struct Segment {
    path: PathBuf,
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
    pub(crate) fn new(dir: &Path, disk: &Disk, id: u64) -> Self {
        Self { path: path_in(dir, id), disk: disk.clone(), index: OnceLock::new(), doomed: AtomicBool::new(false) }
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
        let pruned = PRUNED.map(|field| field as usize);
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
    /// Reads the fields of the rows, whole row groups at a time, and hands them on.
    pub(crate) fn read(
        &self,
        fields: &[Field],
        plan: &Plan,
        visit: &mut dyn FnMut(&RecordBatch) -> Result<(), Error>,
    ) -> Result<(), ReadError> {
        let failed = |e| self.segment.failed(e);
        let index = self.segment.index()?.clone();
        let rows = usize::try_from(index.metadata().row_group(self.group).num_rows()).unwrap_or(usize::MAX);
        let mask = ProjectionMask::leaves(index.parquet_schema(), fields.iter().map(|&field| field as usize));
        let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.segment.file()?, index);
        if !self.may_hold_sources(&builder, plan)? {
            return Ok(());
        }
        if self.rows < rows {
            let selection = RowSelection::from_consecutive_ranges(self.ranges.iter().cloned(), rows);
            builder = builder.with_row_selection(selection);
        }
        let reader = builder
            .with_row_groups(vec![self.group])
            .with_projection(mask)
            .with_batch_size(self.rows)
            .build()
            .map_err(failed)?;
        for batch in reader {
            let batch = batch.map_err(|e| failed(e.into()))?;
            visit(&batch).map_err(ReadError::Other)?;
        }
        Ok(())
    }

    /// Asks the bloom filter where single sources are wanted.
    fn may_hold_sources(
        &self,
        builder: &ParquetRecordBatchReaderBuilder<File>,
        plan: &Plan,
    ) -> Result<bool, ReadError> {
        for filter in &plan.filters {
            let Filter::Sources { sources, keep: true } = filter else { continue };
            if sources.len() > BLOOM_SOURCES_MAX {
                continue;
            }
            let bloom = builder.get_row_group_column_bloom_filter(self.group, Field::Source as usize);
            if let Some(bloom) = bloom.map_err(|e| self.segment.failed(e))?
                && !sources.iter().any(|source| bloom.check(source.to_be_bytes().as_bytes()))
            {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The rows of a row group on pages that may hold what is wanted.
fn candidates(index: &ArrowReaderMetadata, group: usize, plan: &Plan, from: i32) -> Vec<Range<usize>> {
    let rows = usize::try_from(index.metadata().row_group(group).num_rows()).unwrap_or(0);
    let mut ranges: Vec<_> = std::iter::once(0..rows).collect();
    let (first, last) = plan.days.unwrap_or((i32::MIN, i32::MAX));
    let first = first.max(from);
    if first > i32::MIN || last < i32::MAX {
        prune(index, group, Field::Day, &mut ranges, &|page| match page {
            Bounds::Day(min, max) => min <= last && max >= first,
            Bounds::Bytes(..) => true,
        });
    }
    for filter in plan.filters.iter().chain(&plan.hints) {
        let field = filter.field();
        prune(index, group, field, &mut ranges, &|page| may_pass(filter, &page));
    }
    ranges
}

/// Smallest and largest value of a page.
enum Bounds<'a> {
    Day(i32, i32),
    Bytes(&'a [u8], &'a [u8]),
}

fn may_pass(filter: &Filter, page: &Bounds<'_>) -> bool {
    match (filter, page) {
        (Filter::Text { texts, keep: true, .. }, Bounds::Bytes(min, max)) => {
            texts.iter().any(|text| *min <= text.as_bytes() && text.as_bytes() <= *max)
        }
        (Filter::Days { days, keep: true }, Bounds::Day(min, max)) => days.iter().any(|day| min <= day && day <= max),
        (Filter::Sources { sources, keep: true }, Bounds::Bytes(min, max)) => {
            sources.iter().any(|source| *min <= &source.to_be_bytes()[..] && &source.to_be_bytes()[..] <= *max)
        }
        (Filter::Ranges { ranges, keep: true }, Bounds::Bytes(min, max)) => {
            ranges.iter().any(|(first, last)| *min <= &last.to_be_bytes()[..] && &first.to_be_bytes()[..] <= *max)
        }
        _ => true,
    }
}

/// Takes out of `ranges` the rows of pages that fail the test. Without an index nothing is taken out.
fn prune(
    index: &ArrowReaderMetadata,
    group: usize,
    field: Field,
    ranges: &mut Vec<Range<usize>>,
    test: &dyn Fn(Bounds<'_>) -> bool,
) {
    let metadata = index.metadata();
    let pages = metadata.page_index_for_row_group(group);
    let (Some(bounds), Some(places)) = (pages.column_index(field as usize), pages.offset_index(field as usize)) else {
        return;
    };
    let places = places.page_locations();
    let rows = usize::try_from(metadata.row_group(group).num_rows()).unwrap_or(0);
    let start =
        |page: usize| places.get(page).map_or(rows, |place| usize::try_from(place.first_row_index).unwrap_or(0));
    let passes = |page: usize| match bounds {
        ColumnIndexMetaData::INT32(i) => match (i.min_value(page), i.max_value(page)) {
            (Some(&min), Some(&max)) => test(Bounds::Day(min, max)),
            _ => true,
        },
        ColumnIndexMetaData::BYTE_ARRAY(i) | ColumnIndexMetaData::FIXED_LEN_BYTE_ARRAY(i) => {
            match (i.min_value(page), i.max_value(page)) {
                (Some(min), Some(max)) => test(Bounds::Bytes(min, max)),
                _ => true,
            }
        }
        _ => true,
    };
    let wanted: Vec<Range<usize>> =
        (0..places.len()).filter(|&page| passes(page)).map(|page| start(page)..start(page + 1)).collect();
    *ranges = intersect(ranges, &wanted);
}

/// What lies in both; each list is ascending and without overlaps.
fn intersect(a: &[Range<usize>], b: &[Range<usize>]) -> Vec<Range<usize>> {
    let (mut out, mut i, mut j) = (Vec::<Range<usize>>::new(), 0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        let both = x.start.max(y.start)..x.end.min(y.end);
        if !both.is_empty() {
            match out.last_mut() {
                Some(last) if last.end == both.start => last.end = both.end,
                _ => out.push(both),
            }
        }
        if x.end < y.end { i += 1 } else { j += 1 }
    }
    out
}

fn lanes<'a>(batch: &'a RecordBatch, fields: &[Field]) -> [Option<Lane<'a>>; 22] {
    let mut lanes = [const { None }; 22];
    for (&field, column) in fields.iter().zip(batch.columns()) {
        lanes[field as usize] = match field {
            Field::Day => column.as_primitive_opt::<Date32Type>().map(|days| Lane::Days(days.values())),
            Field::Report | Field::Messages => {
                column.as_primitive_opt::<UInt64Type>().map(|numbers| Lane::Numbers(numbers.values()))
            }
            Field::Source => column.as_fixed_size_binary_opt().map(|bytes| Lane::Sources(bytes.value_data())),
            _ => column.as_dictionary_opt::<Int32Type>().and_then(|dictionary| {
                let texts = dictionary.values().as_any().downcast_ref::<StringArray>()?;
                Some(Lane::Texts { keys: dictionary.keys().values(), texts })
            }),
        };
    }
    lanes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_intersect() {
        type Ends<'a> = &'a [(usize, usize)];
        let cases: &[(Ends, Ends, Ends)] = &[
            (&[(0, 10)], &[], &[]),
            (&[(0, 10)], &[(0, 10)], &[(0, 10)]),
            (&[(0, 10)], &[(2, 3), (5, 7)], &[(2, 3), (5, 7)]),
            (&[(0, 10)], &[(2, 5), (5, 7)], &[(2, 7)]),
            (&[(0, 4), (6, 10)], &[(2, 8)], &[(2, 4), (6, 8)]),
            (&[(0, 4), (6, 10)], &[(4, 6)], &[]),
        ];
        let ranges = |ends: Ends| ends.iter().map(|&(start, end)| start..end).collect::<Vec<_>>();
        for &(a, b, both) in cases {
            assert_eq!(intersect(&ranges(a), &ranges(b)), ranges(both), "{a:?} {b:?}");
            assert_eq!(intersect(&ranges(b), &ranges(a)), ranges(both), "{b:?} {a:?}");
        }
    }
}
