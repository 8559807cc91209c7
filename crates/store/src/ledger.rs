//! The door of the ledger: one writer, any number of readers.

use std::io::{BufRead, Read};
use std::path::Path;
use std::sync::Arc;

use report::{Day, Finished, Rejection, Report, Row};

use crate::{
    Answer, Arrival, Checked, Compacted, ConflictEntry, Counters, Error, FlawEntry, IntakeTotals, Kept, Pending,
    PolicyOfDay, Question, RawKey, RejectionEntry, ReportEntry, ReportFilter, Retained, Taken,
};

/// The ledger in one data directory. Cheap to clone; may be shared between threads.
#[derive(Clone)]
pub struct Ledger {
    _inner: Arc<()>,
}

impl Ledger {
    /// Opens the ledger as its one writer: makes it if there is none, brings an older one forward, and removes what a crash left behind.
    pub fn open(_dir: &Path) -> Result<Self, Error> {
        todo!()
    }

    /// Opens the ledger for reading, also while another process writes.
    pub fn read(_dir: &Path) -> Result<Self, Error> {
        todo!()
    }

    /// Keeps a raw copy of an item, unless the same bytes are there already. Streams: memory stays bounded whatever the size.
    /// May be called from several threads. The copy is on disk for good after the next [`Self::sync_spool`] or commit.
    pub fn keep(&self, _item: &mut dyn Read, _origin: &str, _received: i64) -> Result<Kept, Error> {
        todo!()
    }

    /// Brings every raw copy kept so far to disk. After this a mailbox or an HTTP client may be answered.
    pub fn sync_spool(&self) -> Result<(), Error> {
        todo!()
    }

    /// The staging area and committer. There is one at a time.
    pub fn intake(&self) -> Result<Intake, Error> {
        todo!()
    }

    /// Raw items without a committed outcome, in the order in which they came: after a crash, or after [`Self::forget_derived`].
    pub fn pending(&self) -> Result<Vec<Pending>, Error> {
        todo!()
    }

    /// First half of a rebuild: in one transaction forgets everything but the raw copies, which become pending again.
    pub fn forget_derived(&self) -> Result<(), Error> {
        todo!()
    }

    /// The bytes of an item as they were received.
    pub fn raw(&self, _key: &RawKey) -> Result<Box<dyn BufRead + Send>, Error> {
        todo!()
    }

    /// Answers a question: from the rollup where it suffices, else from the segments.
    pub fn ask(&self, _question: &Question) -> Result<Answer, Error> {
        todo!()
    }

    /// First and last day with a row.
    pub fn span(&self) -> Result<Option<(Day, Day)>, Error> {
        todo!()
    }

    /// Policies as reporters saw them, by day, then policy domain, then most reports first.
    pub fn policies(&self, _policy_domain: Option<&str>, _days: Option<(Day, Day)>) -> Result<Vec<PolicyOfDay>, Error> {
        todo!()
    }

    /// Who reported on which day, by day, then reporter.
    pub fn arrivals(&self, _days: Option<(Day, Day)>) -> Result<Vec<Arrival>, Error> {
        todo!()
    }

    /// A page of reports, the newest taken in first, and how many there are in all. Superseded ones are among them.
    pub fn reports(
        &self,
        _filter: &ReportFilter,
        _offset: usize,
        _limit: usize,
    ) -> Result<(Vec<ReportEntry>, usize), Error> {
        todo!()
    }

    /// One report by its number.
    pub fn report(&self, _id: u64) -> Result<Option<ReportEntry>, Error> {
        todo!()
    }

    /// The other reports with the same identity as this one, oldest first.
    pub fn conflicts_of(&self, _id: u64) -> Result<Vec<u64>, Error> {
        todo!()
    }

    /// A page of rejections, the newest first, and how many there are in all.
    pub fn rejections(&self, _offset: usize, _limit: usize) -> Result<(Vec<RejectionEntry>, usize), Error> {
        todo!()
    }

    /// A page of conflicts, the newest first, and how many there are in all.
    pub fn conflicts(&self, _offset: usize, _limit: usize) -> Result<(Vec<ConflictEntry>, usize), Error> {
        todo!()
    }

    /// Flaws by kind and reporter, most reports first.
    pub fn flaws(&self, _days: Option<(Day, Day)>) -> Result<Vec<FlawEntry>, Error> {
        todo!()
    }

    /// What the ledger holds, and what it has seen since it began.
    pub fn counters(&self) -> Result<Counters, Error> {
        todo!()
    }

    /// Merges small segments into one a day and drops rows that no longer count. Answers do not change. May run beside an intake.
    pub fn compact(&self) -> Result<Compacted, Error> {
        todo!()
    }

    /// Forgets every day before `oldest`: rows, reports, rollups, and raw copies all of whose reports are forgotten.
    pub fn retain(&self, _oldest: Day) -> Result<Retained, Error> {
        todo!()
    }

    /// Makes a consistent copy in the new directory `to`, while the ledger is in use. The copy opens as a ledger.
    pub fn backup(&self, _to: &Path) -> Result<(), Error> {
        todo!()
    }

    /// Reads everything and compares what must agree: files with the catalog, rollups with rows, raw copies with their names.
    pub fn check(&self) -> Result<Checked, Error> {
        todo!()
    }
}

/// Takes reports in, item by item, and commits them in batches of whole items. What is not committed when it is dropped stays
/// pending in the spool.
///
/// The order of calls: `begin_item` (`begin_report` `row`* (`end_report` | `abandon_report`) | `reject`)* `end_item`, then
/// `commit` or `finish`. `repeated_item` stands between items.
pub struct Intake {
    _inner: (),
}

impl Intake {
    /// Starts an item that [`Ledger::keep`] has kept.
    pub fn begin_item(&mut self, _key: &RawKey) -> Result<(), Error> {
        todo!()
    }

    /// Starts a report of the item; `member` names it where the item holds several.
    pub fn begin_report(&mut self, _report: &Report, _member: Option<&str>) -> Result<(), Error> {
        todo!()
    }

    /// Stages a row of the report.
    pub fn row(&mut self, _row: &Row) -> Result<(), Error> {
        todo!()
    }

    /// Ends the report and says what became of it. It counts with the next commit.
    pub fn end_report(&mut self, _finished: &Finished) -> Result<Taken, Error> {
        todo!()
    }

    /// Takes back the rows staged since `begin_report` and records why.
    pub fn abandon_report(&mut self, _rejection: &Rejection) -> Result<(), Error> {
        todo!()
    }

    /// Records that the item, or a member of it, could not be taken in.
    pub fn reject(&mut self, _member: Option<&str>, _rejection: &Rejection) -> Result<(), Error> {
        todo!()
    }

    /// Counts an item whose bytes had come before: its reports are duplicates.
    pub fn repeated_item(&mut self, _key: &RawKey) -> Result<(), Error> {
        todo!()
    }

    /// Ends the item. Commits if the batch is full.
    pub fn end_item(&mut self) -> Result<(), Error> {
        todo!()
    }

    /// Makes everything up to the last ended item durable and visible: spool, then segments, then one transaction.
    pub fn commit(&mut self) -> Result<(), Error> {
        todo!()
    }

    /// Commits, and says what was taken in since the intake began.
    pub fn finish(self) -> Result<IntakeTotals, Error> {
        todo!()
    }
}
