//! From groups to an [`Answer`]: sorted, one page cut out, codes turned back into values.

use std::cmp::Ordering;

use crate::aggregate::Aggregate;
use crate::plan::{Plan, day_of_bits};
use crate::{Answer, Column, Direction, Key, Line, Measure, Question, Value};

/// Makes the answer to the question.
pub(crate) fn answer(question: &Question, plan: &Plan, mut found: Aggregate<'_>) -> Answer {
    let totals = found.totals();
    if question.group.is_empty() {
        // One line of totals, also of nothing.
        found.groups = 1;
        found.sums.clone_from(&totals);
    }
    let groups = found.groups;
    let wanted = question.limit.unwrap_or(groups).min(groups.saturating_sub(question.offset));
    let stride = plan.measures.len();
    let line = |&group: &u32| {
        let group = group as usize;
        let value = |at: usize| found.codes[at].value(found.code(group, at));
        let key = (0..plan.group.len()).map(value).collect();
        Line { key, measures: measures(question, plan, &found.sums[group * stride..][..stride]) }
    };
    let lines = page(question, plan, &found, wanted).iter().map(line).collect();
    Answer { lines, groups, totals: measures(question, plan, &totals) }
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
    for (key, direction) in &question.order {
        let ordering = match key {
            Key::Measure(measure) => {
                let (stride, at) = (plan.measures.len(), measure_at(plan, *measure));
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
    let columns = plan.group.iter().map(|&column| compare_column(plan, found, a, b, column));
    columns.into_iter().find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
}

fn compare_column(plan: &Plan, found: &Aggregate<'_>, a: u32, b: u32, column: Column) -> Ordering {
    let Some(at) = plan.group.iter().position(|&grouped| grouped == column) else { return Ordering::Equal };
    let (a, b) = (found.code(a as usize, at), found.code(b as usize, at));
    if a == b { Ordering::Equal } else { found.codes[at].compare(a, b) }
}

fn measure_at(plan: &Plan, measure: Measure) -> usize {
    plan.measures.iter().position(|&m| m == measure).unwrap_or_default()
}

/// The measures asked for, as values.
fn measures(question: &Question, plan: &Plan, sums: &[u64]) -> Vec<Value> {
    let value = |&measure: &Measure| {
        let sum = sums[measure_at(plan, measure)];
        match measure {
            // Nothing has neither a first nor a last day.
            Measure::FirstDay if sum == u64::MAX => Value::Absent,
            Measure::LastDay if sum == 0 => Value::Absent,
            Measure::FirstDay | Measure::LastDay => Value::Day(day_of_bits(sum)),
            _ => Value::Number(sum),
        }
    };
    question.measures.iter().map(value).collect()
}
