//! Writes staged rows as one segment: a Parquet file, sorted so that questions read little of it.
//!
//! Rows are put in row groups by day, and sorted by organizational domain, author domain, source and day inside each. A day has a row group of its own
//! where it has enough rows; smaller days that follow each other share one.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::builder::StringBuilder;
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, Date32Array, DictionaryArray, FixedSizeBinaryArray, Int32Array, RecordBatch, StringArray, UInt64Array,
};
use arrow_buffer::Buffer;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use report::{Disposition, Outcome};

use crate::Error;
use crate::disk::{Disk, DiskFile};
use crate::field::{Field, SortedBy};
use crate::segment::SegmentEntry;
use crate::stage::Stage;
use crate::trend::{DISPOSITIONS, OUTCOMES};

/// How rows are laid out in a segment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    /// Most rows of a row group: what is held in memory while it is written, and the unit of parallel reading. Files sorted by source have one
    /// row group: a question about a few sources reads little of each, and what it costs to begin reading is most of what it takes.
    pub(crate) group_rows_max: usize,
    /// Fewest rows worth a row group of their own.
    pub(crate) group_rows_min: usize,
    /// Rows of a page: the finest step in which a question can pass rows over.
    pub(crate) page_rows: usize,
}

impl Default for Layout {
    fn default() -> Self {
        Self { group_rows_max: 262_144, group_rows_min: 2_048, page_rows: 4_096 }
    }
}

/// In files sorted by source pages have so many times fewer rows: all there is of one source is mostly on one.
const SOURCE_PAGES: usize = 4;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

/// The order of the rows in the file, and where its row groups end.
pub(crate) struct Order {
    pub(crate) sorted: SortedBy,
    pub(crate) rows: Vec<u32>,
    pub(crate) groups: Vec<usize>,
    /// Where a row stands for several: how many, and their messages.
    pub(crate) sums: Vec<(u64, u64)>,
}

/// Sorts the rows `from..` of the stage, leaving out those of dead reports.
pub(crate) fn order(stage: &mut Stage, from: usize, layout: Layout) -> Order {
    let alive = |row: &usize| !stage.reports[stage.report[*row] as usize].dead;
    let rows: Vec<usize> = (from..stage.len()).filter(alive).collect();
    let mut domains: Vec<u32> = rows.iter().map(|&row| stage.domains()[row]).collect();
    domains.sort_unstable();
    domains.dedup();
    stage.resolve_org_domains(&domains);
    domains.sort_unstable_by_key(|&domain| (stage.org_domain(domain), stage.names.text(domain)));
    let mut rank = vec![0_u32; stage.names.len()];
    for (position, &domain) in (0..).zip(&domains) {
        rank[domain as usize] = position;
    }
    let groups = group_days(rows.iter().map(|&row| stage.day[row]), layout.group_rows_min);
    let mut keys: Vec<(u64, u128, i32, u32)> = rows
        .iter()
        .map(|&row| {
            let group = groups.get(&stage.day[row]).copied().unwrap_or_default();
            let rank = rank[stage.domains()[row] as usize];
            (
                u64::from(group) << 32 | u64::from(rank),
                stage.source[row],
                stage.day[row],
                u32::try_from(row).unwrap_or(u32::MAX),
            )
        })
        .collect();
    keys.sort_unstable();
    let mut ends: Vec<usize> = (1..keys.len()).filter(|&at| keys[at].0 >> 32 != keys[at - 1].0 >> 32).collect();
    ends.push(keys.len());
    let rows = keys.into_iter().map(|key| key.3).collect();
    Order { sorted: SortedBy::Domain, rows, groups: ends, sums: Vec::new() }
}

/// Gives each day the number of its row group.
fn group_days(days: impl Iterator<Item = i32>, enough: usize) -> BTreeMap<i32, u32> {
    let mut counts = BTreeMap::<i32, usize>::new();
    let mut previous = None;
    for day in days {
        match &mut previous {
            Some((last, count)) if *last == day => *count += 1,
            other => {
                if let Some((last, count)) = other.replace((day, 1)) {
                    *counts.entry(last).or_default() += count;
                }
            }
        }
    }
    if let Some((last, count)) = previous {
        *counts.entry(last).or_default() += count;
    }
    let (mut group, mut filled) = (0, 0);
    let mut groups = BTreeMap::new();
    for (day, count) in counts {
        if filled > 0 && (filled >= enough || count >= enough) {
            group += 1;
            filled = 0;
        }
        filled += count;
        groups.insert(day, group);
    }
    groups
}

/// What the catalog will say of the segment; rows and bytes are known once it is written.
pub(crate) fn entry(stage: &Stage, order: &Order, id: u64, level: u8) -> SegmentEntry {
    let mut entry = SegmentEntry {
        id,
        level,
        first_day: i32::MAX,
        last_day: i32::MIN,
        first_report: u64::MAX,
        last_report: 0,
        rows: 0,
        bytes: 0,
        by_source: 0,
        cut: false,
    };
    for &row in &order.rows {
        let (day, report) = (stage.day[row as usize], stage.reports[stage.report[row as usize] as usize].id);
        entry.first_day = entry.first_day.min(day);
        entry.last_day = entry.last_day.max(day);
        entry.first_report = entry.first_report.min(report);
        entry.last_report = entry.last_report.max(report);
    }
    entry
}

/// Writes the rows in that order to a new file and brings it to disk.
pub(crate) fn write(disk: &Disk, layout: Layout, path: &Path, stage: &Stage, order: &Order) -> Result<Written, Error> {
    let trouble = Trouble::default();
    let file = Noting { file: disk.create(path)?, trouble: trouble.clone() };
    let written = fill(file, layout, stage, order);
    let (written, file) = written.map_err(|error| match lock(&trouble).take() {
        Some(error) => Error::io("write", path, error),
        None => parquet_error("write", path, error),
    })?;
    file.sync()?;
    Ok(written)
}

/// The first error a file met while the Parquet library, which passes on only its text, wrote to it.
type Trouble = Arc<Mutex<Option<io::Error>>>;

fn lock(trouble: &Trouble) -> MutexGuard<'_, Option<io::Error>> {
    trouble.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file that notes its trouble.
struct Noting {
    file: DiskFile,
    trouble: Trouble,
}

impl Write for Noting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes).inspect_err(|e| {
            lock(&self.trouble).get_or_insert_with(|| io::Error::new(e.kind(), e.to_string()));
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn fill(file: Noting, layout: Layout, stage: &Stage, order: &Order) -> Result<(Written, DiskFile), ParquetError> {
    let mut writer = ArrowWriter::try_new(file, order.sorted.schema(), Some(properties(layout, order.sorted)))?;
    let mut scratch = Scratch::default();
    let mut start = 0;
    for &end in &order.groups {
        while start < end {
            let stop = end.min(start + layout.group_rows_max);
            writer.write(&batch(stage, order, start..stop, &mut scratch)?)?;
            if order.sorted == SortedBy::Domain {
                writer.flush()?;
            }
            start = stop;
        }
    }
    let file = writer.into_inner()?.file;
    Ok((Written { rows: order.rows.len() as u64, bytes: file.length()? }, file))
}

fn properties(layout: Layout, sorted: SortedBy) -> WriterProperties {
    let (group_rows, page_rows) = match sorted {
        SortedBy::Domain => (Some(layout.group_rows_max), layout.page_rows),
        SortedBy::Source => (None, layout.page_rows.div_ceil(SOURCE_PAGES)),
    };
    let path = |field: Field| ColumnPath::from(field.name());
    let level = ZstdLevel::try_new(3).unwrap_or_default();
    let mut properties = WriterProperties::builder()
        .set_created_by("lamppost".to_owned())
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(group_rows)
        .set_data_page_row_count_limit(page_rows)
        .set_write_batch_size(page_rows)
        // Large enough for every text of a row group: a dictionary that overflows is both larger and slower to read.
        .set_dictionary_page_size_limit(16 << 20)
        .set_statistics_enabled(EnabledStatistics::None)
        // Numbers in a random order of reports: as small as a dictionary, without one.
        .set_column_dictionary_enabled(path(Field::Report), false)
        .set_column_encoding(path(Field::Report), Encoding::DELTA_BINARY_PACKED)
        // Ascending addresses: packed they are as small as a dictionary, of which a question about one domain would read all.
        .set_column_dictionary_enabled(path(Field::Source), false);
    for &field in sorted.pruned() {
        properties = properties.set_column_statistics_enabled(path(field), EnabledStatistics::Page);
    }
    properties.build()
}

/// What is used again from row group to row group.
#[derive(Default)]
struct Scratch {
    /// Position in the dictionary of a column by code.
    positions: Vec<i32>,
}

fn batch(
    stage: &Stage,
    order: &Order,
    range: Range<usize>,
    scratch: &mut Scratch,
) -> Result<RecordBatch, ParquetError> {
    let at = |row: &u32| *row as usize;
    let rows = &order.rows[range.clone()];
    let sums = order.sums.get(range);
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(Field::ALL.len());
    for &field in order.sorted.fields() {
        columns.push(match field {
            Field::Day => Arc::new(Date32Array::from_iter_values(rows.iter().map(|row| stage.day[at(row)]))),
            Field::Report => {
                let id = |row: &u32| stage.reports[stage.report[at(row)] as usize].id;
                Arc::new(UInt64Array::from_iter_values(rows.iter().map(id)))
            }
            Field::Messages => Arc::new(match sums {
                Some(sums) => UInt64Array::from_iter_values(sums.iter().map(|(_, messages)| *messages)),
                None => UInt64Array::from_iter_values(rows.iter().map(|row| stage.messages[at(row)])),
            }),
            Field::Source => {
                let mut bytes = Vec::with_capacity(rows.len() * 16);
                for row in rows {
                    bytes.extend_from_slice(&stage.source[at(row)].to_be_bytes());
                }
                Arc::new(FixedSizeBinaryArray::try_new(16, Buffer::from_vec(bytes), None)?)
            }
            Field::Outcome => Arc::new(words(rows, |row| stage.outcome[row] as u8, &OUTCOMES.map(Outcome::word))?),
            Field::Disposition => {
                Arc::new(words(rows, |row| stage.disposition[row] as u8, &DISPOSITIONS.map(Disposition::word))?)
            }
            text => Arc::new(dictionary(stage, rows, text, &mut scratch.positions)?),
        });
    }
    if let Some(sums) = sums {
        columns.push(Arc::new(UInt64Array::from_iter_values(sums.iter().map(|(rows, _)| *rows))));
    }
    Ok(RecordBatch::try_new(order.sorted.schema(), columns)?)
}

/// A column of few words that are known beforehand.
fn words(
    rows: &[u32],
    position: impl Fn(usize) -> u8,
    words: &[&str],
) -> Result<DictionaryArray<Int32Type>, ParquetError> {
    let keys = Int32Array::from_iter_values(rows.iter().map(|&row| i32::from(position(row as usize))));
    Ok(DictionaryArray::try_new(keys, Arc::new(StringArray::from_iter_values(words)))?)
}

/// One text column with the texts that are in it, each once.
fn dictionary(
    stage: &Stage,
    rows: &[u32],
    field: Field,
    positions: &mut Vec<i32>,
) -> Result<DictionaryArray<Int32Type>, ParquetError> {
    positions.clear();
    positions.resize(stage.names.len(), -1);
    let mut values = StringBuilder::new();
    let mut used = 0;
    let mut keys = Vec::with_capacity(rows.len());
    for &row in rows {
        let code = stage.text_code(field, row as usize);
        let position = &mut positions[code as usize];
        if *position < 0 {
            values.append_value(stage.names.text(code));
            *position = used;
            used += 1;
        }
        keys.push(*position);
    }
    Ok(DictionaryArray::try_new(Int32Array::from(keys), Arc::new(values.finish()))?)
}

/// What the Parquet library says, with a full disk recognised.
pub(crate) fn parquet_error(act: &'static str, path: &Path, error: ParquetError) -> Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(source) => Error::io(act, path, *source),
            Err(other) => Error::Segment { path: path.to_owned(), what: other.to_string() },
        },
        other => Error::Segment { path: path.to_owned(), what: other.to_string() },
    }
}
