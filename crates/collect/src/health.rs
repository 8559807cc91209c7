//! How each source is doing: plain values for pages and metrics.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Summary;
use crate::clock::now;
use crate::desk::Receipt;

/// Refusals remembered for each source; the ledger has all whose bytes are kept.
const REFUSED_MAX: usize = 50;

/// Bytes of a message from elsewhere that are remembered.
const TEXT_BYTES_MAX: usize = 500;

/// What a source is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activity {
    /// It has not got anywhere yet.
    #[default]
    Starting,
    /// It listens, or waits for the next look.
    Waiting,
    /// It is taking items.
    Working,
    /// It failed and will try again.
    Failing,
    /// It was told to stop.
    Stopped,
}

/// Something that went wrong, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mishap {
    /// Seconds since 1970 UTC.
    pub at: i64,
    /// What, for people. Parts of it may be a stranger's text; control characters are taken out.
    pub message: String,
}

impl Mishap {
    /// One that happens now.
    pub(crate) fn now(message: impl Into<String>) -> Self {
        let mut message = message.into();
        message.truncate(message.floor_char_boundary(TEXT_BYTES_MAX));
        Self { at: now(), message: message.replace(char::is_control, " ") }
    }
}

/// How one source is doing, since the program started.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Health {
    /// Its name in the configuration.
    pub name: String,
    /// Its kind, as in the configuration: `imap`, `lmtp`, …
    pub kind: &'static str,
    /// What it is doing.
    pub activity: Activity,
    /// When it last got through: looked into the mailbox or took an item. Seconds since 1970 UTC.
    pub last_success: Option<i64>,
    /// When it last took an item that was new. Seconds since 1970 UTC.
    pub last_item: Option<i64>,
    /// The newest failure, also where it was overcome since.
    pub last_error: Option<Mishap>,
    /// Failures.
    pub errors: u64,
    /// Items kept, repeated ones included.
    pub items: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Items whose bytes had come before.
    pub repeated: u64,
    /// Items put aside or refused.
    pub refused: u64,
    /// The newest of these, the newest first.
    pub refusals: VecDeque<Mishap>,
    /// Items that wait at the source, where it can be seen.
    pub backlog: Option<u64>,
}

/// Where a source writes down how it is doing. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<Mutex<Health>>);

impl Board {
    pub(crate) fn new(name: &str, kind: &'static str) -> Self {
        Self(Arc::new(Mutex::new(Health { name: name.to_owned(), kind, ..Health::default() })))
    }

    fn write(&self) -> MutexGuard<'_, Health> {
        // Every change is complete before anything can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How it is doing now.
    #[must_use]
    pub fn read(&self) -> Health {
        self.write().clone()
    }

    pub(crate) fn is(&self, activity: Activity) {
        self.write().activity = activity;
    }

    /// It got through, and so many items wait.
    pub(crate) fn reached(&self, activity: Activity, backlog: Option<u64>) {
        let mut health = self.write();
        (health.activity, health.backlog, health.last_success) = (activity, backlog, Some(now()));
    }

    pub(crate) fn kept(&self, receipts: &[Receipt]) {
        let mut health = self.write();
        health.last_success = Some(now());
        for receipt in receipts {
            health.items += 1;
            health.bytes += receipt.size;
            if receipt.state == store::KeptState::New {
                health.last_item = Some(now());
            } else {
                health.repeated += 1;
            }
        }
    }

    pub(crate) fn refused(&self, mishap: Mishap) {
        let mut health = self.write();
        health.refused += 1;
        health.refusals.push_front(mishap);
        health.refusals.truncate(REFUSED_MAX);
    }

    pub(crate) fn failed(&self, message: &str) {
        let mut health = self.write();
        health.errors += 1;
        health.activity = Activity::Failing;
        health.last_error = Some(Mishap::now(message));
    }

    /// What the taker took in.
    pub(crate) fn taken(&self, summary: &Summary) {
        let mut health = self.write();
        health.activity = Activity::Waiting;
        health.last_success = Some(now());
        if summary.new > 0 {
            health.last_item = Some(now());
        }
        health.items += summary.items;
    }
}
