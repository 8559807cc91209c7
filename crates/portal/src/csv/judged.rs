//! Tables of what was judged and decided: flows, classes day by day, decisions.

use insight::{ClassTrend, Decision, Diagnosis, FlowClass, Flows, Target, TwoLists};

use super::{Cell, Table};

/// The word for what is wrong, as JSON has it.
fn word(diagnosis: Diagnosis) -> String {
    serde_json::to_value(diagnosis).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Flows.
pub(crate) fn flows(answer: &Flows) -> String {
    let mut table = Table::new(&[
        "flow",
        "class",
        "confidence",
        "rule",
        "name",
        "organizational_domain",
        "messages",
        "failing",
        "addresses",
        "networks",
        "first_day",
        "last_day",
        "active_days",
        "problem",
        "why",
    ]);
    for line in &answer.lines {
        let (first, last) = (line.first_day.to_string(), line.last_day.to_string());
        table.line(&[
            Cell::Text(&line.id),
            Cell::Text(line.class.word()),
            Cell::Number(u64::from(line.confidence)),
            Cell::Text(&line.rule),
            Cell::Text(&line.name),
            Cell::Text(&line.organizational_domain),
            Cell::Number(line.messages),
            Cell::Number(line.failing),
            Cell::Number(line.sources),
            Cell::Number(line.networks),
            Cell::Text(&first),
            Cell::Text(&last),
            Cell::Number(u64::from(line.active_days)),
            Cell::Text(&line.diagnosis.map(word).unwrap_or_default()),
            Cell::Text(&line.why),
        ]);
    }
    table.0
}

/// Classes, day by day: all messages, then those that fail.
pub(crate) fn class_trend(answer: &ClassTrend) -> String {
    let failing = FlowClass::ALL.map(|class| format!("{}_failing", class.word()));
    let mut heads = vec!["day", "messages"];
    heads.extend(FlowClass::ALL.map(FlowClass::word));
    heads.extend(failing.iter().map(String::as_str));
    let mut table = Table::new(&heads);
    for day in &answer.days {
        let on = day.day.to_string();
        let mut cells = vec![Cell::Text(&on), Cell::Number(day.classes.messages())];
        cells.extend(FlowClass::ALL.map(|class| Cell::Number(day.classes.get(class))));
        cells.extend(FlowClass::ALL.map(|class| Cell::Number(day.failing.get(class))));
        table.line(&cells);
    }
    table.0
}

/// Decisions.
pub(crate) fn decisions(answer: &[Decision]) -> String {
    let mut table = Table::new(&["decision", "at", "about", "class", "in_force", "expires", "who", "note"]);
    for decision in answer {
        let at = crate::figures::machine(decision.at).unwrap_or_default();
        let (Target::Flow(about) | Target::Network(about)) = &decision.target;
        let expires = decision.expires.map(|day| day.to_string()).unwrap_or_default();
        table.line(&[
            Cell::Number(decision.id),
            Cell::Text(&at),
            Cell::Text(about),
            Cell::Text(decision.class.map_or("", FlowClass::word)),
            Cell::Text(if decision.in_force { "yes" } else { "no" }),
            Cell::Text(&expires),
            Cell::Text(decision.who.as_deref().unwrap_or_default()),
            Cell::Text(decision.note.as_deref().unwrap_or_default()),
        ]);
    }
    table.0
}

/// Both lists, and what stands on neither.
pub(crate) fn lists(answer: &TwoLists) -> String {
    let heads = ["list", "flow", "class", "confidence", "rule", "name", "organizational_domain", "addresses"];
    let tail = ["failing", "delivered", "problem", "why"];
    let mut table = Table::new(&[&heads[..], &tail].concat());
    for (list, side) in [("good", &answer.good), ("bad", &answer.bad), ("neither", &answer.neither)] {
        for line in &side.lines {
            table.line(&[
                Cell::Text(list),
                Cell::Text(&line.flow),
                Cell::Text(line.class.word()),
                Cell::Number(u64::from(line.confidence)),
                Cell::Text(&line.rule),
                Cell::Text(&line.name),
                Cell::Text(&line.organizational_domain),
                Cell::Number(line.sources),
                Cell::Number(line.failing),
                Cell::Number(line.delivered),
                Cell::Text(&line.diagnosis.map(word).unwrap_or_default()),
                Cell::Text(&line.why),
            ]);
        }
    }
    table.0
}
