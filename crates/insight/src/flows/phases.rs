//! Phases: the times in which a flow passes, or does not. A printer that failed until it was set up has two.
//!
//! In: messages and failures day by day. Out: phases without gaps. A phase ends where the larger part of a day's mail fares otherwise, and
//! goes on doing so: one bad day is no phase.

use report::Day;

use super::features::DayCount;

/// Active days that a change must last.
const LASTS: usize = 3;

/// A time in which a flow stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Phase {
    pub(crate) first: Day,
    pub(crate) last: Day,
    pub(crate) messages: u64,
    pub(crate) failing: u64,
}

/// The phases of days in ascending order.
pub(crate) fn phases(days: &[DayCount]) -> Vec<Phase> {
    // Runs of days on which most fails, or most passes: whether it fails, first place, one behind the last.
    let mut runs: Vec<(bool, usize, usize)> = Vec::new();
    for (at, day) in days.iter().enumerate() {
        let fails = day.failing * 2 > day.messages;
        match runs.last_mut() {
            Some((same, _, end)) if *same == fails => *end = at + 1,
            _ => runs.push((fails, at, at + 1)),
        }
    }
    // Short ones are part of what is around them; the first run may be short only if all of it is.
    let mut lasting: Vec<(bool, usize, usize)> = Vec::new();
    for run in runs {
        match lasting.last_mut() {
            Some(before) if before.0 == run.0 || run.2 - run.1 < LASTS => before.2 = run.2,
            Some(before) if before.2 - before.1 < LASTS => *before = (run.0, before.1, run.2),
            _ => lasting.push(run),
        }
    }
    let sum = |of: &[DayCount], what: fn(&DayCount) -> u64| of.iter().map(what).sum();
    lasting
        .into_iter()
        .map(|(_, from, to)| {
            let of = &days[from..to];
            Phase {
                first: of[0].day,
                last: of[of.len() - 1].day,
                messages: sum(of, |day| day.messages),
                failing: sum(of, |day| day.failing),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Why; days that pass or fail; first and last day of each phase.
    type Case<'a> = (&'a str, &'a str, &'a [(i32, i32)]);

    #[test]
    fn a_phase_is_a_lasting_change() {
        let cases: [Case<'_>; 8] = [
            ("nothing", "", &[]),
            ("all the same", "pppp", &[(0, 3)]),
            ("set up for good", "ffffpppp", &[(0, 3), (4, 7)]),
            ("one bad day", "pppfppp", &[(0, 6)]),
            ("two good days are no phase yet", "ffffpp", &[(0, 5)]),
            ("three are", "ffffppp", &[(0, 3), (4, 6)]),
            ("a short beginning", "pffff", &[(0, 4)]),
            ("a key gone wrong for three days", "ppppfffpppp", &[(0, 3), (4, 6), (7, 10)]),
        ];
        for (why, days, expected) in cases {
            let days: Vec<DayCount> = (0..)
                .zip(days.chars())
                .map(|(day, c)| (Day(day), if c == 'f' { 9 } else { 0 }))
                .map(|(day, failing)| DayCount { day, messages: 10, failing, delivered: 0 })
                .collect();
            let found: Vec<(i32, i32)> = phases(&days).iter().map(|phase| (phase.first.0, phase.last.0)).collect();
            assert_eq!(found, expected, "{why}");
        }
    }
}
