//! How long short jobs take, in time of this thread's processor: what else runs on the machine does not count.
//!
//! In: jobs. Out: microseconds.

use std::time::Duration;

use cpu_time::ThreadTime;

/// Processor time of each job in microseconds: the median of several runs, one after the other, so that what slows the machine slows all.
pub fn microseconds<const N: usize>(mut jobs: [&mut dyn FnMut(); N]) -> [f64; N] {
    let run = Duration::from_millis(40);
    let counts: Vec<u32> = jobs
        .iter_mut()
        .map(|job| {
            let start = ThreadTime::now();
            (0..10).for_each(|_| job());
            let once = start.elapsed().as_secs_f64() / 10.0;
            (run.as_secs_f64() / once).ceil() as u32
        })
        .collect();
    let mut times: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
    for _ in 0..15 {
        for ((job, times), count) in jobs.iter_mut().zip(&mut times).zip(&counts) {
            let start = ThreadTime::now();
            (0..*count).for_each(|_| job());
            times.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(*count));
        }
    }
    times.map(|mut times| {
        times.sort_unstable_by(f64::total_cmp);
        times[times.len() / 2]
    })
}
