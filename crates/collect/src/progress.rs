//! What can be watched while items are taken in, and what is known at the end.

use std::collections::BTreeMap;

use report::{FlawKind, Rejection};

/// Somebody who watches. Both calls come from the thread that called in, and should return soon: nothing is taken in meanwhile.
pub trait Progress {
    /// Something was taken in; called about every thousand rows or every few dozen small items.
    fn advanced(&self, state: &State<'_>) {
        let _ = state;
    }

    /// Something was refused.
    fn rejected(&self, rejected: &Rejected) {
        let _ = rejected;
    }
}

/// Nobody watches.
impl Progress for () {}

/// How far it has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State<'a> {
    /// What is being done.
    pub phase: Phase,
    /// Files to read, as far as could be seen beforehand. Standard input is one.
    pub files: u64,
    /// Bytes of these, as far as could be seen beforehand.
    pub bytes: u64,
    /// Items done: files, or messages of a mailbox, so there may be more of them than files.
    pub items_done: u64,
    /// Bytes of these.
    pub bytes_done: u64,
    /// Reports read.
    pub reports: u64,
    /// Rows read.
    pub rows: u64,
    /// Refused items and members of items.
    pub rejected: u64,
    /// The item that is being taken in.
    pub current: &'a str,
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Looking which files there are.
    Looking,
    /// Finishing what an earlier run could not.
    Resuming,
    /// Reading and taking in.
    Importing,
    /// Bringing the rest to disk.
    Committing,
}

/// Something that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The file; with `#17` behind it, the seventeenth message of a mailbox.
    pub origin: String,
    /// The member of an archive or the attachment of a mail, where the item held several.
    pub member: Option<String>,
    /// Why.
    pub rejection: Rejection,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    /// Files read or tried; standard input is one.
    pub files: u64,
    /// Items taken in: files, or messages of a mailbox.
    pub items: u64,
    /// Items that an earlier run had kept and not finished; their reports are counted here too.
    pub resumed: u64,
    /// Reports read, duplicates and conflicts included.
    pub reports: u64,
    /// Reports that count now and did not before.
    pub new: u64,
    /// Reports that had been taken in before.
    pub duplicates: u64,
    /// Reports that took the place of another with the same identity; they are among the new ones.
    pub conflicts: u64,
    /// Failure reports that are samples now and were not before.
    pub samples: u64,
    /// Failure reports that had been taken in before.
    pub samples_repeated: u64,
    /// Files, items and members of items that were refused.
    pub rejected: u64,
    /// Rows of the new reports.
    pub rows: u64,
    /// Messages of the new reports. Saturates.
    pub messages: u64,
    /// Flaws of the new reports: kinds, summed over reports.
    pub flaws: u64,
    /// In how many of the new reports each kind of flaw was.
    pub flaw_kinds: BTreeMap<FlawKind, u64>,
    /// How long it took.
    pub seconds: f64,
    /// What was refused, in order; the first [`Summary::REJECTIONS_MAX`] of it. The ledger knows all whose bytes could be read.
    pub rejections: Vec<Rejected>,
}

impl Summary {
    /// Rejections listed at most: more than anybody reads, and little memory. All are counted, and [`Progress::rejected`] and the
    /// ledger have all of them.
    pub const REJECTIONS_MAX: usize = 10_000;
}
