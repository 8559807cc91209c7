//! From groups to an [`Answer`]: sorted, one page cut out, codes turned back into values.

use std::cmp::Ordering;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::aggregate::Aggregate;
use crate::plan::{Plan, day_of_bits};
use crate::split::{Split, totals};
use crate::{Answer, Column, Direction, Key, Line, Measure, Question, Value};

/// A group: which part it is in, and which of that part's it is.
#[derive(Clone, Copy)]
struct Group<'a> {
    part: &'a Aggregate<'a>,
    at: u32,
}

/// Makes the answer to the question.
pub(crate) fn answer(question: &Question, plan: &Plan, mut found: Split<'_>) -> Answer {
    let totals = totals(plan, &found);
    if question.group.is_empty()
        && let [all] = &mut found[..]
    {
        // One line of totals, also of nothing.
        all.groups = 1;
        all.sums.clone_from(&totals);
    }
    let groups = found.iter().map(|part| part.groups).sum::<usize>();
    let wanted = question.limit.unwrap_or(groups).min(groups.saturating_sub(question.offset));
    let stride = plan.measures.len();
    let line = |group: &Group<'_>| {
        let (part, at) = (group.part, group.at as usize);
        let value = |column: usize| part.codes[column].value(part.code(at, column));
        let key = (0..plan.group.len()).map(value).collect();
        Line { key, measures: measures(question, plan, &part.sums[at * stride..][..stride]) }
    };
    let lines = page(question, plan, &found, wanted).iter().map(line).collect();
    Answer { lines, groups, totals: measures(question, plan, &totals) }
}

/// The groups on the page asked for, in order.
fn page<'a>(question: &Question, plan: &Plan, found: &'a [Aggregate<'a>], wanted: usize) -> Vec<Group<'a>> {
    if wanted == 0 {
        return Vec::new();
    }
    let end = question.offset + wanted;
    let order = |a: &Group<'_>, b: &Group<'_>| compare(question, plan, a, b);
    let first = |mut all: Vec<Group<'a>>| {
        if end < all.len() {
            all.select_nth_unstable_by(end - 1, order);
            all.truncate(end);
        }
        all
    };
    // What is not among the first of its part is not among the first of all.
    let of_part = |part: &'a Aggregate<'a>| {
        first((0..u32::try_from(part.groups).unwrap_or(u32::MAX)).map(|at| Group { part, at }).collect())
    };
    let mut all = first(found.par_iter().map(of_part).collect::<Vec<_>>().concat());
    all.sort_unstable_by(order);
    all.split_off(question.offset)
}

fn compare(question: &Question, plan: &Plan, a: &Group<'_>, b: &Group<'_>) -> Ordering {
    for (key, direction) in &question.order {
        let ordering = match key {
            Key::Measure(measure) => {
                let (stride, at) = (plan.measures.len(), measure_at(plan, *measure));
                let sum = |group: &Group<'_>| group.part.sums[group.at as usize * stride + at];
                sum(a).cmp(&sum(b))
            }
            Key::Column(column) => compare_column(plan, a, b, *column),
        };
        let ordering = if *direction == Direction::Descending { ordering.reverse() } else { ordering };
        if ordering.is_ne() {
            return ordering;
        }
    }
    // The group columns make the order total.
    let columns = plan.group.iter().map(|&column| compare_column(plan, a, b, column));
    columns.into_iter().find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
}

fn compare_column(plan: &Plan, a: &Group<'_>, b: &Group<'_>, column: Column) -> Ordering {
    let Some(at) = plan.group.iter().position(|&grouped| grouped == column) else { return Ordering::Equal };
    let code = |group: &Group<'_>| group.part.code(group.at as usize, at);
    a.part.codes[at].compare(code(a), &b.part.codes[at], code(b))
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
