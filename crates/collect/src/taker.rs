//! Behind the desk: reads what was kept and takes it in, a batch at a time, as the ledger's one writer.
//!
//! In: nothing but the ledger's own list of what is kept and not taken in, so nothing can be forgotten or taken in twice. Out: reports
//! in the ledger, and outcomes for those who wait. When the ledger fails it tries again, later and later; nothing is lost meanwhile.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::desk::Desk;
use crate::health::{Board, Mishap};
use crate::import::{Error, Options, take_some};

/// Items of a round: outcomes come at its end, and its list is held in memory.
const ROUND_ITEMS_MAX: usize = 5_000;

/// How long a round waits for more to come with it: every round writes a segment, and few large ones read faster than many small ones.
const GATHERING: Duration = Duration::from_secs(3);

/// From so many items on it does not wait.
const GATHERED: u64 = 1_000;

/// How often it looks whether it should still wait.
const TICK: Duration = Duration::from_millis(50);

/// After a failure: the first pause and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(5));

/// Works until the sender of `stop` is dropped.
pub(crate) fn work(desk: &Desk, wakes: &Receiver<()>, options: &Options, board: &Board, stop: &Receiver<()>) {
    let mut pause = PAUSES.0;
    while gather(desk, wakes, stop) {
        match round(desk, options, board) {
            Ok(more) => {
                pause = PAUSES.0;
                // Everything counts already: sorting it makes answers faster, and where it fails the next round tries again.
                if let Err(error) = desk.inner.ledger.compact_where_due(|| !stopped(stop, Duration::ZERO)) {
                    board.failed(&error.to_string());
                }
                if more {
                    desk.wake();
                }
            }
            Err(error) => {
                board.failed(&error.to_string());
                tracing::error!("what has arrived is kept and cannot be taken in yet: {error}");
                if stopped(stop, pause) {
                    return;
                }
                pause = (pause * 2).min(PAUSES.1);
                desk.wake();
            }
        }
    }
}

/// Waits until there is something to do, and a little for more. False when it is time to stop.
fn gather(desk: &Desk, wakes: &Receiver<()>, stop: &Receiver<()>) -> bool {
    loop {
        if stopped(stop, Duration::ZERO) {
            return false;
        }
        match wakes.recv_timeout(TICK) {
            Ok(()) => break,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
    let until = Instant::now() + GATHERING;
    while Instant::now() < until && desk.backlog() < GATHERED && !desk.is_in_hurry() {
        if stopped(stop, TICK) {
            return false;
        }
    }
    true
}

/// Waits so long to be told to stop.
fn stopped(stop: &Receiver<()>, long: Duration) -> bool {
    !matches!(stop.recv_timeout(long), Err(RecvTimeoutError::Timeout))
}

/// Takes in what waits, as much as one round may. Says whether there is more.
fn round(desk: &Desk, options: &Options, board: &Board) -> Result<bool, Error> {
    let ledger = &desk.inner.ledger;
    // Before the list of what waits is made: then whatever was brought again is on it, or was taken in before.
    let mut repeats = desk.take_repeats(ROUND_ITEMS_MAX);
    let mut pending = ledger.pending()?;
    let all = pending.len();
    pending.truncate(ROUND_ITEMS_MAX);
    let left = (all - pending.len()) as u64;
    if left > 0 {
        desk.put_back(std::mem::take(&mut repeats));
    }
    if pending.is_empty() && repeats.is_empty() {
        desk.inner.backlog.store(0, Ordering::Relaxed);
        desk.inner.drained.notify_waiters();
        return Ok(false);
    }
    let (summary, outcomes) = match take_some(ledger, options, pending, &repeats) {
        Ok(taken) => taken,
        Err(error) => {
            desk.put_back(repeats);
            return Err(error);
        }
    };
    desk.inner.backlog.store(left, Ordering::Relaxed);
    desk.inner.drained.notify_waiters();
    desk.tell(outcomes.read);
    for (repeat, outcome) in repeats.into_iter().zip(outcomes.repeated) {
        // Who has lost patience is not told.
        let _ = repeat.tell.send(outcome);
    }
    board.taken(&summary);
    for rejected in &summary.rejections {
        let what = rejected.member.as_ref().map_or_else(String::new, |member| format!(" › {member}"));
        let why = rejected.rejection.message.clone();
        board.refused(Mishap::now(format!("{}{what}: {why}", rejected.origin)));
    }
    Ok(left > 0 || desk.has_repeats())
}
