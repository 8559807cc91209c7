//! What the tests that kill, cut off and crowd share: how large they are, a generator with a seed, and waiting.
//!
//! In: `LAMPPOST_FULL=1` for the sizes that releases are held to, `LAMPPOST_KILL_SEED` for other moments. Out: numbers and waits. Nothing
//! here sleeps: it waits for something that has a deadline, or for a message that never comes.

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use crate::DEADLINE;

/// A test's size: the small one that every run has, or the full one if `LAMPPOST_FULL=1` asks for it. Says which, and how to get the
/// other.
#[must_use]
pub fn size<T: Copy + std::fmt::Debug>(what: &str, small: T, full: T) -> T {
    if is_full() {
        eprintln!("{what}: {full:?}, the full size");
        return full;
    }
    eprintln!("{what}: {small:?}; LAMPPOST_FULL=1 asks for {full:?}");
    small
}

/// Whether the full sizes are asked for.
#[must_use]
pub fn is_full() -> bool {
    std::env::var("LAMPPOST_FULL").is_ok_and(|value| value == "1")
}

/// The seed of all moments that are left to chance.
///
/// # Panics
/// When `LAMPPOST_KILL_SEED` is no number.
#[must_use]
pub fn seed() -> u64 {
    setting("LAMPPOST_KILL_SEED", 1)
}

/// A number that a variable of the environment may set.
///
/// # Panics
/// When it is set to no number.
#[must_use]
pub fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// A generator that gives the same numbers for the same seed (an LCG with the constants of PCG).
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Lets so much time pass: when something is to happen at a moment that was drawn.
pub fn pause(long: Duration) {
    let (_never, pause) = channel::<()>();
    let _ = pause.recv_timeout(long);
}

/// Looks again and again until it holds.
///
/// # Panics
/// When that takes longer than [`DEADLINE`]; ten times as long at full size.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    let deadline = if is_full() { DEADLINE * 10 } else { DEADLINE };
    while !holds() {
        assert!(begun.elapsed() < deadline, "it never came about that {what}");
        pause(Duration::from_millis(50));
    }
}
