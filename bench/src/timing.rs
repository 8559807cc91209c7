//! How long short jobs take, in time of this thread's processor: what else runs on the machine does not count.
//!
//! In: jobs. Out: microseconds.

use std::time::Duration;

use cpu_time::ThreadTime;

/// Processor time of each job in microseconds: the least of many short runs, the jobs in turn. The work is always the same, and whatever
/// else the machine does only ever adds to it.
pub fn microseconds<const N: usize>(mut jobs: [&mut dyn FnMut(); N]) -> [f64; N] {
    let run = Duration::from_millis(8);
    let counts: Vec<u32> = jobs
        .iter_mut()
        .map(|job| {
            let start = ThreadTime::now();
            (0..10).for_each(|_| job());
            let once = start.elapsed().as_secs_f64() / 10.0;
            (run.as_secs_f64() / once).ceil() as u32
        })
        .collect();
    let mut least = [f64::INFINITY; N];
    for _ in 0..75 {
        for ((job, least), count) in jobs.iter_mut().zip(&mut least).zip(&counts) {
            let start = ThreadTime::now();
            (0..*count).for_each(|_| job());
            *least = least.min(start.elapsed().as_secs_f64() * 1e6 / f64::from(*count));
        }
    }
    least
}
