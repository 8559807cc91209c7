//! Stretches of days, gone through on all cores.
//!
//! In: what each core begins with, what it does with a stretch, and what becomes of that in the end. Out: what each core has come to; no order
//! among them. The threads are our own: a page does not wait for a judgement that has the shared ones.

use std::sync::atomic::{AtomicUsize, Ordering};

use report::Day;

use crate::Error;

/// Most threads: more only wait for the disk.
const THREADS_MAX: usize = 8;

/// Does something with each of these items on all cores, whichever comes first, and gives what `end` makes of what each core has come to.
pub(crate) fn each<I: Sync, S, T: Send>(
    items: &[I],
    begin: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &I) -> Result<(), Error> + Sync,
    end: impl Fn(S) -> T + Sync,
) -> Result<Vec<T>, Error> {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX).min(items.len().max(1));
    let one = || -> Result<T, Error> {
        let mut state = begin();
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(&mut state, item)?;
        }
        Ok(end(state))
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(one)).collect();
        let mut found = vec![one()];
        found.extend(others.into_iter().map(|other| match other.join() {
            Ok(found) => found,
            Err(panic) => std::panic::resume_unwind(panic),
        }));
        found.into_iter().collect()
    })
}

/// A period in stretches of so many days.
pub(crate) fn stretches((first, last): (Day, Day), days: i32) -> Vec<(Day, Day)> {
    let mut stretches = Vec::new();
    let mut begin = first;
    while begin <= last {
        let end = begin.plus(days - 1).min(last);
        stretches.push((begin, end));
        begin = end.plus(1);
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_worked_on_once_and_a_failure_is_told() {
        let items: Vec<u64> = (1..=1_000).collect();
        let add = |sum: &mut u64, item: &u64| {
            *sum += item;
            Ok(())
        };
        assert_eq!(each(&items, || 0, add, |sum| sum).unwrap().iter().sum::<u64>(), 500_500);
        assert_eq!(each(&[], || 7, add, |sum| sum).unwrap(), [7], "nothing to do");
        let wrong = |_: &mut u64, item: &u64| match item {
            500 => Err(crate::preview::wrong("that one")),
            _ => Ok(()),
        };
        assert!(each(&items, || 0, wrong, |sum| sum).is_err());
    }

    #[test]
    fn stretches_hold_every_day_once() {
        let of = |first, last, days| stretches((Day(first), Day(last)), days);
        assert_eq!(of(10, 16, 3), [(Day(10), Day(12)), (Day(13), Day(15)), (Day(16), Day(16))]);
        assert_eq!(of(10, 10, 5), [(Day(10), Day(10))]);
        assert_eq!(of(11, 10, 5), []);
    }
}
