//! From groups to an [`Answer`]: sorted, one page cut out, codes turned back into values.

use std::cmp::Ordering;

use crate::aggregate::Aggregate;
use crate::plan::{Plan, Slot, address, day_of_bits, network_value};
use crate::{Answer, Column, Direction, Key, Line, Measure, Question, Value};

/// Makes the answer to the question.
pub(crate) fn answer(question: &Question, plan: &Plan, mut found: Aggregate<'_>) -> Answer {
    let mut totals = found.totals();
    if question.group.is_empty() {
        // One line of totals, also of nothing.
        found.groups = 1;
        found.sums.clone_from(&totals);
    }
    let groups = found.groups;
    let wanted = question.limit.unwrap_or(groups).min(groups.saturating_sub(question.offset));
    let page = page(question, plan, &found, wanted);
    totals.truncate(question.measures.len());
    let stride = plan.measures.len();
    let line = |&group: &u32| {
        let group = group as usize;
        Line {
            key: plan.group.iter().map(|&(column, slot)| key_value(plan, &found, group, column, slot)).collect(),
            measures: measures(question, &found.sums[group * stride..][..question.measures.len()]),
        }
    };
    Answer { lines: page.iter().map(line).collect(), groups, totals: measures(question, &totals) }
}

/// The groups on the page asked for, in order.
fn page(question: &Question, plan: &Plan, found: &Aggregate<'_>, wanted: usize) -> Vec<u32> {
    if wanted == 0 {
        return Vec::new();
    }
    let mut all: Vec<u32> = (0..u32::try_from(found.groups).unwrap_or(u32::MAX)).collect();
    let order = |a: &u32, b: &u32| compare(question, plan, found, *a, *b);
    let end = question.offset + wanted;
    if end < all.len() {
        all.select_nth_unstable_by(end - 1, order);
        all.truncate(end);
    }
    all.sort_unstable_by(order);
    all.split_off(question.offset)
}

fn compare(question: &Question, plan: &Plan, found: &Aggregate<'_>, a: u32, b: u32) -> Ordering {
    let stride = plan.measures.len();
    for (key, direction) in &question.order {
        let ordering = match key {
            Key::Measure(measure) => {
                let at = plan.measures.iter().position(|m| m == measure).unwrap_or_default();
                found.sums[a as usize * stride + at].cmp(&found.sums[b as usize * stride + at])
            }
            Key::Column(column) => compare_column(plan, found, a, b, *column),
        };
        let ordering = if *direction == Direction::Descending { ordering.reverse() } else { ordering };
        if ordering.is_ne() {
            return ordering;
        }
    }
    // The group columns make the order total.
    plan.group
        .iter()
        .map(|&(column, _)| compare_column(plan, found, a, b, column))
        .find(|o| o.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn compare_column(plan: &Plan, found: &Aggregate<'_>, a: u32, b: u32, column: Column) -> Ordering {
    let Some(&(_, slot)) = plan.group.iter().find(|(c, _)| *c == column) else { return Ordering::Equal };
    let (a, b) = (raw(plan, found, a as usize, slot), raw(plan, found, b as usize, slot));
    if column.field().is_text() && a != b {
        return found.names.text(code(a)).cmp(found.names.text(code(b)));
    }
    // Days, numbers and addresses are packed so that they sort as they are.
    a.cmp(&b)
}

/// What the slot of a group's key holds.
fn raw(plan: &Plan, found: &Aggregate<'_>, group: usize, slot: Slot) -> u128 {
    let key = &found.keys[group * plan.width..(group + 1) * plan.width];
    match slot {
        Slot::Half { word, shift } => u128::from(key[word] >> shift & u64::from(u32::MAX)),
        Slot::Word(word) => u128::from(key[word]),
        Slot::Pair(word) => u128::from(key[word]) << 64 | u128::from(key[word + 1]),
    }
}

fn code(raw: u128) -> u32 {
    u32::try_from(raw).unwrap_or_default()
}

fn key_value(plan: &Plan, found: &Aggregate<'_>, group: usize, column: Column, slot: Slot) -> Value {
    let raw = raw(plan, found, group, slot);
    let number = || u64::try_from(raw).unwrap_or_default();
    match column {
        Column::Day => Value::Day(day_of_bits(number())),
        Column::Report => Value::Number(number()),
        Column::Source => Value::Address(address(raw)),
        Column::Network => network_value(raw),
        _ => Value::Text(found.names.text(code(raw)).clone()),
    }
}

fn measures(question: &Question, sums: &[u64]) -> Vec<Value> {
    let value = |(measure, &sum): (&Measure, &u64)| match measure {
        // Nothing has neither a first nor a last day.
        Measure::FirstDay if sum == u64::MAX => Value::Absent,
        Measure::LastDay if sum == 0 => Value::Absent,
        Measure::FirstDay | Measure::LastDay => Value::Day(day_of_bits(sum)),
        _ => Value::Number(sum),
    };
    question.measures.iter().zip(sums).map(value).collect()
}
