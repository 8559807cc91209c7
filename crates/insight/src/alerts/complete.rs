//! Which days are judged: reports about a day come in over days, and a rule that looks too early finds what is not there.
//!
//! In: who reported on which day, how much. Out: the newest day of which enough has come in. Enough is four fifths of what those who
//! usually report on such a day usually bring; after three days it is whatever came, because no more will.

use std::collections::BTreeMap;

use report::{Day, Text};

/// Days after which a day is judged by what there is.
const WAIT: i32 = 3;
/// Days before a day that say what is usual on it.
const USUAL: i32 = 28;
/// Who was silent for so long is waited for no longer.
const GIVEN_UP: i32 = 7;
/// Of the usual messages, in per cent.
const ENOUGH: u64 = 80;

/// Messages by day and reporter.
pub(crate) type Heard = BTreeMap<Day, BTreeMap<Text, u64>>;

/// The newest day that is complete enough; `None` where there is none.
pub(crate) fn complete_until(heard: &Heard, newest: Day) -> Option<Day> {
    let first = *heard.keys().next()?;
    let mut day = newest;
    while day >= first {
        if newest.0 - day.0 >= WAIT || is_complete(heard, day) {
            return Some(day);
        }
        day = day.plus(-1);
    }
    None
}

fn is_complete(heard: &Heard, day: Day) -> bool {
    let mut usual: BTreeMap<&Text, Vec<u64>> = BTreeMap::new();
    let before = heard.range(day.plus(-USUAL)..day).filter(|(other, _)| other.is_weekend() == day.is_weekend());
    let mut alike = 0;
    for (_, reporters) in before {
        alike += 1;
        for (reporter, messages) in reporters {
            usual.entry(reporter).or_default().push(*messages);
        }
    }
    let lately = |reporter: &Text| heard.range(day.plus(-GIVEN_UP)..).any(|(_, heard)| heard.contains_key(reporter));
    let (mut expected, mut there) = (0_u64, 0_u64);
    for (reporter, mut messages) in usual {
        // Who reports on fewer than half of such days is not waited for.
        if messages.len() * 2 < alike || !lately(reporter) {
            continue;
        }
        messages.sort_unstable();
        let median = messages[messages.len() / 2];
        expected += median;
        if heard.get(&day).is_some_and(|reporters| reporters.contains_key(reporter)) {
            there += median;
        }
    }
    expected > 0 && there * 100 >= expected * ENOUGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_judged_when_they_have_come_in() {
        // Reporters with their messages; which of them have reported on the last days, the newest last.
        let all: [(&str, u64); 4] = [("large", 600), ("middle", 300), ("small", 90), ("tiny", 10)];
        let whole = "large middle small tiny";
        let cases: [(&str, &[&str], i32); 8] = [
            ("all there", &[whole, whole], 100),
            ("a tiny one is missing", &[whole, "large middle small"], 100),
            ("the large one is still to come", &[whole, "middle small tiny"], 99),
            ("a day with one report by somebody who is fast", &[whole, "tiny"], 99),
            ("two days are coming in", &[whole, "large", "small"], 98),
            ("after three days nothing more comes", &["middle", "small", "small", "small"], 97),
            ("who has been silent for a week is not waited for", &["middle small tiny"; 9], 100),
            ("the large one has just fallen silent: three days later", &["middle small tiny"; 3], 97),
        ];
        for (why, last, expected) in cases {
            let mut heard = Heard::new();
            let many = i32::try_from(last.len()).unwrap();
            for day in 60..=100 {
                let names = if day > 100 - many { last[usize::try_from(day - 101 + many).unwrap()] } else { whole };
                let there = all.iter().filter(|(name, _)| names.split(' ').any(|word| word == *name));
                heard.insert(Day(day), there.map(|(name, n)| (Text::new(name), *n)).collect());
            }
            assert_eq!(complete_until(&heard, Day(100)), Some(Day(expected)), "{why}");
        }
        assert_eq!(complete_until(&Heard::new(), Day(1)), None);
    }
}
