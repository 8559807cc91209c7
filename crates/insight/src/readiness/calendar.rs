//! G10: whether today is a day for a change.

use report::Day;

use super::answers::{GateState, See};
use super::assemble::{Draft, Ground};

/// Days looked ahead for one on which a change could be made: two freezes in a row.
const AHEAD: i32 = 120;

pub(super) fn gate(ground: &Ground<'_>) -> Draft {
    let freeze = &ground.thresholds.freeze;
    let frozen = |day: Day| freeze.iter().find(|freeze| freeze.from <= day && day <= freeze.to);
    let good = |day: Day| is_tuesday_to_thursday(day) && frozen(day).is_none();
    let today = ground.today;
    let mut why = Vec::new();
    if let Some(freeze) = frozen(today) {
        why.push(format!("{} to {} nothing is changed, says the configuration.", freeze.from, freeze.to));
    }
    if !is_tuesday_to_thursday(today) {
        why.push(
            "After a change on Tuesday to Thursday somebody is there the day after, and before the weekend.".to_owned(),
        );
    }
    let passes = good(today);
    if !passes && let Some(next) = (1..AHEAD).map(|n| today.plus(n)).find(|day| good(*day)) {
        why.push(format!("The next day for it is {}.", named(next)));
    }
    if freeze.is_empty() {
        why.push("No freeze is configured (`[[readiness.freeze]]`).".to_owned());
    }
    why.push(
        "Lower the record's TTL to 300 seconds a day before, and raise it again after three quiet days.".to_owned(),
    );
    Draft {
        id: "G10",
        title: "Calendar",
        state: if passes { GateState::Pass } else { GateState::Fail },
        measured: named(today),
        needed: "Tuesday to Thursday, outside of freezes".to_owned(),
        why,
        flows: Vec::new(),
        see: See::Nowhere,
    }
}

fn is_tuesday_to_thursday(day: Day) -> bool {
    use jiff::civil::Weekday::{Thursday, Tuesday, Wednesday};
    day.date().is_some_and(|date| matches!(date.weekday(), Tuesday | Wednesday | Thursday))
}

fn named(day: Day) -> String {
    use jiff::civil::Weekday;
    let weekday = day.date().map_or("", |date| match date.weekday() {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    });
    format!("{weekday} {day}")
}
