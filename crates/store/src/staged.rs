//! What an intake gathers until the next commit: items, reports, rejections, rows, and what they change.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use report::failure::Sample;
use report::{Day, Flaw, Rejection, Report};

use crate::RawKey;
use crate::segment::SegmentEntry;
use crate::spool::Waiting;
use crate::stage::Stage;
use crate::trend::Deltas;

/// When a batch is committed, and when rows go to disk before it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batching {
    /// Reports of a batch: some megabytes of headers.
    pub(crate) reports: usize,
    /// Rows held in memory: some 25 MB, one row group.
    pub(crate) rows: usize,
    /// Bytes of texts held in memory. Reports with a new text in every field fill it long before the rows.
    pub(crate) text_bytes: usize,
    /// Age of a batch: how long a report may take to become visible under a steady trickle.
    pub(crate) age: Duration,
}

impl Default for Batching {
    fn default() -> Self {
        Self { reports: 10_000, rows: 262_144, text_bytes: 48 << 20, age: Duration::from_secs(5) }
    }
}

/// What the next commit makes visible.
#[derive(Default)]
pub(crate) struct StagedBatch {
    pub(crate) stage: Stage,
    pub(crate) items: Vec<StagedItem>,
    pub(crate) positions: HashMap<RawKey, usize>,
    pub(crate) reports: Vec<StagedReport>,
    /// The newest report of each identity.
    pub(crate) newest: HashMap<(i32, [u8; 16]), usize>,
    pub(crate) rejections: Vec<StagedRejection>,
    pub(crate) samples: Vec<StagedSample>,
    /// The hashes of these.
    pub(crate) sample_contents: HashSet<[u8; 32]>,
    /// (counts, superseded), oldest first.
    pub(crate) conflicts: Vec<(u64, u64)>,
    /// Committed reports that are superseded.
    pub(crate) replaced: Vec<u64>,
    /// Reports of this batch that are superseded though their rows are in segments already.
    pub(crate) dead_written: Vec<u64>,
    /// Committed items that came again: how often.
    pub(crate) repeats: HashMap<i64, i64>,
    pub(crate) duplicates: u64,
    pub(crate) segments: Vec<SegmentEntry>,
    pub(crate) deltas: Deltas,
    /// Rows staged since the last commit.
    pub(crate) rows: usize,
    pub(crate) begun: Option<Instant>,
}

pub(crate) struct StagedItem {
    pub(crate) key: RawKey,
    /// Its number, if the catalog has it: during a rebuild.
    pub(crate) existing: Option<i64>,
    /// How often it came again before: known during a rebuild.
    pub(crate) repeats: i64,
    pub(crate) waiting: Waiting,
    pub(crate) reports: u64,
    pub(crate) rejected: u64,
    pub(crate) samples: u64,
    /// Who stands for it; nothing leaves what was noted before.
    pub(crate) standing: Option<String>,
}

pub(crate) struct StagedReport {
    pub(crate) id: u64,
    /// Position in the stage; rows are there as long as it is not [`Self::written`].
    pub(crate) slot: u32,
    /// Its rows are in a segment.
    pub(crate) written: bool,
    pub(crate) report: Report,
    pub(crate) member: Option<String>,
    pub(crate) days: (Day, Day),
    pub(crate) key: [u8; 16],
    pub(crate) content: [u8; 32],
    pub(crate) rows: u64,
    pub(crate) messages: u64,
    pub(crate) bad_rows: u64,
    pub(crate) flaws: Vec<Flaw>,
    /// Position in the batch.
    pub(crate) item: usize,
    pub(crate) superseded_by: u64,
    /// The report of this batch with the same identity before it.
    pub(crate) older: Option<usize>,
}

pub(crate) struct StagedRejection {
    pub(crate) item: usize,
    pub(crate) member: Option<String>,
    pub(crate) rejection: Rejection,
}

pub(crate) struct StagedSample {
    pub(crate) item: usize,
    pub(crate) member: Option<String>,
    pub(crate) content: [u8; 32],
    pub(crate) day: Day,
    pub(crate) sample: Sample,
}

/// The report whose rows are coming.
pub(crate) struct OpenReport {
    pub(crate) report: Report,
    pub(crate) member: Option<String>,
    pub(crate) days: (Day, Day),
    /// Given when its rows are first written to a segment, or at its end.
    pub(crate) id: Option<u64>,
    pub(crate) slot: u32,
    /// Its rows start here in the stage.
    pub(crate) mark: usize,
    pub(crate) rows: u64,
    pub(crate) messages: u64,
    /// Segments with nothing but its rows, and what they add up to.
    pub(crate) segments: Vec<SegmentEntry>,
    pub(crate) deltas: Deltas,
}
