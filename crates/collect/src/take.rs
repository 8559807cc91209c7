//! Reports into the ledger, in the order of the items, and the tally of what became of them.
//!
//! In: batches of events, one group's after another. Out: calls to the ledger's intake, which commits when it sees fit, never in the
//! middle of an item. What cannot be taken in was made a rejection before; an error here is the ledger's own.

use std::time::Instant;

use crossbeam_channel::{Receiver, Sender};
use report::{Finished, Flaw, Rejection};
use serde::{Deserialize, Serialize};
use store::{Intake, Ledger, RawKey, Taken};

use crate::import::Error;
use crate::parse::{Batch, Event};
use crate::progress::{Phase, Progress, Rejected, State, Summary};

/// What was found in one item.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// Reports in it, duplicates and conflicts included.
    pub reports: u64,
    /// Reports that count now and did not before.
    pub new: u64,
    /// Reports that had been taken in before.
    pub duplicates: u64,
    /// Reports that took the place of another with the same identity; they are among the new ones.
    pub conflicts: u64,
    /// Failure reports in it, those that had come before included.
    pub samples: u64,
    /// Of these, those that had come before.
    pub samples_repeated: u64,
    /// Rows of the new reports.
    pub rows: u64,
    /// Messages of the new reports. Saturates.
    pub messages: u64,
    /// Flaws of the new reports: kinds, summed over reports.
    pub flaws: u64,
    /// The numbers in the ledger of the first [`Self::NAMED_MAX`] reports; of a duplicate, of the report that counts.
    pub named: Vec<u64>,
    /// Rejections of it or of its members.
    pub rejected: u64,
    /// The first [`Self::REJECTIONS_MAX`] of these: the member, where it held several, and why.
    pub rejections: Vec<(Option<String>, Rejection)>,
}

impl Outcome {
    /// Rejections named at most; who sends an archive of nonsense need not be told of every member.
    pub const REJECTIONS_MAX: usize = 20;

    /// Reports named at most.
    pub const NAMED_MAX: usize = 20;

    /// Of an item that was taken in before.
    pub(crate) fn known(reports: u64, samples: u64, rejected: u64) -> Self {
        Self { reports, duplicates: reports, samples, samples_repeated: samples, rejected, ..Self::default() }
    }
}

/// What was found in the items of a round.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    /// Of those that were read.
    pub(crate) read: Vec<(RawKey, Outcome)>,
    /// Of those that had come before, in their order.
    pub(crate) repeated: Vec<Outcome>,
}

/// Takes in what was read.
pub(crate) struct Taking<'a> {
    intake: Intake,
    progress: &'a dyn Progress,
    begun: Instant,
    state: State<'static>,
    /// The item being taken in, and the member of it.
    origin: String,
    member: Option<String>,
    /// Refused without a raw copy: the ledger does not know of these.
    unreadable: u64,
    summary: Summary,
    /// What was found in each item, if somebody wants to know, and in the one being taken in.
    outcomes: Option<Outcomes>,
    open: (RawKey, Outcome),
}

impl<'a> Taking<'a> {
    pub(crate) fn new(ledger: &Ledger, progress: &'a dyn Progress) -> Result<Self, Error> {
        let state = State {
            phase: Phase::Looking,
            files: 0,
            bytes: 0,
            items_done: 0,
            bytes_done: 0,
            reports: 0,
            rows: 0,
            rejected: 0,
            current: "",
        };
        let mut taking = Self {
            intake: ledger.intake()?,
            progress,
            begun: Instant::now(),
            state,
            origin: String::new(),
            member: None,
            unreadable: 0,
            summary: Summary::default(),
            outcomes: None,
            open: (RawKey([0; 32]), Outcome::default()),
        };
        taking.enter(Phase::Looking, 0, 0);
        Ok(taking)
    }

    /// Remembers what was found in each item.
    pub(crate) fn with_outcomes(self) -> Self {
        Self { outcomes: Some(Outcomes::default()), ..self }
    }

    /// What was found in each item. It counts once [`Self::finish`] has succeeded.
    pub(crate) fn outcomes(&mut self) -> Outcomes {
        self.outcomes.take().unwrap_or_default()
    }

    /// Begins another phase, in which so many files and bytes are expected.
    pub(crate) fn enter(&mut self, phase: Phase, files: u64, bytes: u64) {
        (self.state.phase, self.state.files, self.state.bytes) = (phase, files, bytes);
        (self.state.items_done, self.state.bytes_done) = (0, 0);
        self.origin.clear();
        self.tell();
    }

    /// Items done in this phase.
    pub(crate) fn items_done(&self) -> u64 {
        self.state.items_done
    }

    /// Takes in what comes out of one group.
    pub(crate) fn group(&mut self, batches: Receiver<Batch>, give_back: &Sender<Batch>) -> Result<(), Error> {
        for mut batch in batches {
            self.batch(&mut batch)?;
            if batch.clear() {
                // Where nobody has room for it, it is freed.
                let _ = give_back.try_send(batch);
            }
            self.tell();
        }
        Ok(())
    }

    /// Commits, and says what was done.
    pub(crate) fn finish(mut self, files: u64, resumed: u64) -> Result<Summary, Error> {
        let State { files: all, bytes, items_done, bytes_done, .. } = self.state;
        self.enter(Phase::Committing, all, bytes);
        (self.state.items_done, self.state.bytes_done) = (items_done, bytes_done);
        self.tell();
        let totals = self.intake.finish()?;
        Ok(Summary {
            files,
            items: totals.items,
            resumed,
            reports: totals.reports,
            new: totals.new,
            duplicates: totals.duplicates,
            conflicts: totals.conflicts,
            samples: totals.samples,
            samples_repeated: totals.samples_repeated,
            rejected: totals.rejected + self.unreadable,
            rows: totals.rows,
            messages: totals.messages,
            flaws: totals.flaws,
            seconds: self.begun.elapsed().as_secs_f64(),
            ..self.summary
        })
    }

    fn batch(&mut self, batch: &mut Batch) -> Result<(), Error> {
        let mut rows = batch.rows[..batch.used].iter();
        for event in batch.events.drain(..) {
            match event {
                Event::Item { key, origin, standing } => {
                    self.intake.begin_item(&key)?;
                    if let Some(standing) = standing {
                        self.intake.standing(standing)?;
                    }
                    self.open = (key, Outcome::default());
                    self.origin = origin;
                }
                Event::Report(report, member) => {
                    self.intake.begin_report(&report, member.as_deref())?;
                    self.member = member;
                }
                Event::Rows(count) => {
                    for row in rows.by_ref().take(count) {
                        self.intake.row(row)?;
                    }
                    self.state.rows += count as u64;
                }
                Event::End(finished) => self.end(&finished)?,
                Event::Abandon(rejection) => {
                    self.intake.abandon_report(&rejection)?;
                    let member = self.member.take();
                    self.reject(member, rejection);
                }
                Event::Sample(member, sample, content) => {
                    let before = self.intake.totals().samples_repeated;
                    self.intake.sample(&sample, &content, member.as_deref())?;
                    let outcome = &mut self.open.1;
                    outcome.samples += 1;
                    outcome.samples_repeated += self.intake.totals().samples_repeated - before;
                }
                Event::Reject(member, rejection) => {
                    self.intake.reject(member.as_deref(), &rejection)?;
                    self.reject(member, rejection);
                }
                Event::ItemEnd(size) => {
                    self.intake.end_item()?;
                    let open = std::mem::replace(&mut self.open, (RawKey([0; 32]), Outcome::default()));
                    if let Some(outcomes) = &mut self.outcomes {
                        outcomes.read.push(open);
                    }
                    self.item_done(size);
                }
                Event::Repeated { key, origin, size } => {
                    self.origin = origin;
                    self.repeated(key)?;
                    self.item_done(size);
                }
                Event::Unreadable(origin, rejection) => {
                    self.unreadable += 1;
                    self.origin = origin;
                    self.reject(None, rejection);
                    self.item_done(0);
                }
                Event::Failed(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// An item that came earlier in the same run, or is waiting from one before.
    fn repeated(&mut self, key: RawKey) -> Result<(), Error> {
        self.open = (key, Outcome::default());
        let before = self.intake.totals();
        let (reports, samples) = (before.reports, before.samples_repeated);
        for (member, rejection) in self.intake.repeated_item(&key)? {
            self.reject(member, rejection);
        }
        let after = self.intake.totals();
        let (reports, samples) = (after.reports - reports, after.samples_repeated - samples);
        self.state.reports += reports;
        if let Some(outcomes) = &mut self.outcomes {
            let open = std::mem::take(&mut self.open.1);
            let again = Outcome { reports, duplicates: reports, samples, samples_repeated: samples, ..open };
            outcomes.repeated.push(again);
        }
        Ok(())
    }

    fn end(&mut self, finished: &Finished) -> Result<(), Error> {
        self.state.reports += 1;
        let taken = self.intake.end_report(finished)?;
        let outcome = &mut self.open.1;
        outcome.reports += 1;
        let (Taken::New { id } | Taken::Duplicate { id } | Taken::Conflict { id, .. }) = taken;
        if outcome.named.len() < Outcome::NAMED_MAX {
            outcome.named.push(id);
        }
        match taken {
            Taken::New { .. } => outcome.new += 1,
            Taken::Duplicate { .. } => outcome.duplicates += 1,
            Taken::Conflict { .. } => (outcome.new, outcome.conflicts) = (outcome.new + 1, outcome.conflicts + 1),
        }
        if !matches!(taken, Taken::Duplicate { .. }) {
            outcome.rows += finished.totals.rows;
            outcome.messages = outcome.messages.saturating_add(finished.totals.messages);
            outcome.flaws += finished.flaws.len() as u64;
            for Flaw { kind, .. } in &finished.flaws {
                *self.summary.flaw_kinds.entry(*kind).or_default() += 1;
            }
        }
        Ok(())
    }

    fn item_done(&mut self, size: u64) {
        self.state.items_done += 1;
        self.state.bytes_done += size;
    }

    fn reject(&mut self, member: Option<String>, rejection: Rejection) {
        self.state.rejected += 1;
        let outcome = &mut self.open.1;
        outcome.rejected += 1;
        if outcome.rejections.len() < Outcome::REJECTIONS_MAX {
            outcome.rejections.push((member.clone(), rejection.clone()));
        }
        let rejected = Rejected { origin: self.origin.clone(), member, rejection };
        self.progress.rejected(&rejected);
        if self.summary.rejections.len() < Summary::REJECTIONS_MAX {
            self.summary.rejections.push(rejected);
        }
    }

    fn tell(&self) {
        self.progress.advanced(&State { current: &self.origin, ..self.state });
    }
}
