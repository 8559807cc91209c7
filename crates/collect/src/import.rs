//! The doors: files into the ledger, what was left over into the ledger, and everything once more.

use std::io;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;

use report::Limits;
use report::package::PackageLimits;
use store::{Ledger, Pending};

use crate::carrier::{Judge, is_mail};
use crate::clock::now;
use crate::desk::Repeat;
use crate::feed::{Content, Files, Item, feed_pending, survey};
use crate::pipeline;
use crate::progress::{Phase, Progress, Summary};
use crate::take::{Outcomes, Taking};

/// What ends an import. What was committed before stays; what was kept and not committed is finished by the next one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] store::Error),
    /// The system gives no thread.
    #[error("cannot start a thread: {0}; raise the limit on processes or memory")]
    Thread(io::Error),
}

/// How to import. The defaults suit everybody; tests set the rest.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Threads that read items beside the one that feeds and the one that takes in; as many as there are processors, and at most
    /// eight, if not set. The outcome does not depend on it.
    pub readers: Option<NonZero<usize>>,
    /// What an item may cost.
    pub package: PackageLimits,
    /// What a report may hold.
    pub report: Limits,
    /// Who says whose mail it is that reports came in; without it none is believed that was not judged before. Files that are
    /// imported, and what comes with a token of ours, need no judge.
    pub judge: Option<Arc<dyn Judge>>,
    /// Our own domains: reports that come by mail about others are refused. Empty: all are taken.
    pub domains: Vec<String>,
}

/// Takes in everything below `paths`: files, folders, Maildirs, mailboxes, and `-` for standard input. Begins with what an earlier run
/// left over.
///
/// # Errors
/// Only the ledger's. Files that cannot be read are among [`Summary::rejections`].
pub fn import(
    ledger: &Ledger,
    paths: &[PathBuf],
    options: &Options,
    progress: &dyn Progress,
) -> Result<Summary, Error> {
    let received = now();
    let options = &until_now(options, received);
    let mut taking = Taking::new(ledger, progress)?;
    let resumed = take_pending(ledger, options, &mut taking)?;
    let (files, bytes) = survey(paths);
    taking.enter(Phase::Importing, files, bytes);
    pipeline::run(ledger, options, &mut taking, |out| Files { ledger, received, out }.feed(paths))?;
    taking.finish(files, resumed)
}

/// Takes in what was kept and whose outcome was never committed, because the program was stopped in between.
///
/// # Errors
/// Only the ledger's.
pub fn resume(ledger: &Ledger, options: &Options, progress: &dyn Progress) -> Result<Summary, Error> {
    let mut taking = Taking::new(ledger, progress)?;
    let resumed = take_pending(ledger, &until_now(options, now()), &mut taking)?;
    taking.finish(0, resumed)
}

/// Works everything out again from the raw copies: rows, reports, rollups, rejections.
///
/// # Errors
/// Only the ledger's. If it is stopped in between, [`resume`] goes on with it.
pub fn rebuild(ledger: &Ledger, progress: &dyn Progress) -> Result<Summary, Error> {
    ledger.forget_derived()?;
    resume(ledger, &Options::default(), progress)
}

/// How far a reporter's clock or time zone may be ahead of ours.
const AHEAD_SECONDS: i64 = 2 * 86_400;

/// The options, with reports about days to come refused.
fn until_now(options: &Options, now: i64) -> Options {
    let ahead = now.saturating_add(AHEAD_SECONDS);
    let failure =
        report::failure::Limits { latest: options.package.failure.latest.min(ahead), ..options.package.failure };
    Options {
        package: PackageLimits { failure, ..options.package },
        report: Limits { latest: options.report.latest.min(ahead), ..options.report.clone() },
        ..options.clone()
    }
}

/// Takes in some of what was kept and has no outcome yet, then counts what was brought again, and says what was found in each.
pub(crate) fn take_some(
    ledger: &Ledger,
    options: &Options,
    pending: Vec<Pending>,
    repeats: &[Repeat],
) -> Result<(Summary, Outcomes), Error> {
    let mut taking = Taking::new(ledger, &())?.with_outcomes();
    let again = |repeat: &Repeat| Item {
        origin: repeat.origin.clone(),
        size: repeat.receipt.size,
        content: Content::Repeated(repeat.receipt.key),
    };
    pipeline::run(ledger, &until_now(options, now()), &mut taking, |mut out| {
        feed_pending(ledger, pending, &mut out)?;
        repeats.iter().try_for_each(|repeat| out.send(again(repeat)))?;
        Ok(out.flush()?)
    })?;
    let outcomes = taking.outcomes();
    // They count only now.
    Ok((taking.finish(0, 0)?, outcomes))
}

fn take_pending(ledger: &Ledger, options: &Options, taking: &mut Taking<'_>) -> Result<u64, Error> {
    let mut pending = ledger.pending()?;
    if options.judge.is_none() {
        // Mail that nobody has judged waits for `serve`, which does.
        let judged = |item: &Pending| ledger.standing(&item.key).is_ok_and(|standing| standing.is_some());
        pending.retain(|item| !is_mail(&item.origin) || judged(item));
    }
    if pending.is_empty() {
        return Ok(0);
    }
    taking.enter(Phase::Resuming, pending.len() as u64, pending.iter().map(|item| item.size).sum());
    pipeline::run(ledger, options, taking, |mut out| feed_pending(ledger, pending, &mut out))?;
    Ok(taking.items_done())
}
