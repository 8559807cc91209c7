//! Answers a plan from segments: parts of row groups, handed out to as many workers as there are cores.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::aggregate::Aggregate;
use crate::plan::Plan;
use crate::segment::{Part, ReadError, Task};

/// Groups and sums all rows of these segments that pass the filter.
pub(crate) fn scan<'p>(snapshot: &[Part], plan: &'p Plan) -> Result<Aggregate<'p>, ReadError> {
    let inside = |part: &&Part| {
        plan.days.is_none_or(|(first, last)| part.entry.first_day <= last && part.entry.last_day >= first)
    };
    let parts: Vec<Part> = snapshot.iter().filter(inside).map(|part| part.serving(plan)).collect();
    let mut tasks: Vec<(&Part, Task)> = Vec::new();
    for part in &parts {
        tasks.extend(part.tasks(plan)?.into_iter().map(|task| (part, task)));
    }
    // Large ones first, so that no worker is left with a large one at the end.
    tasks.sort_by_key(|(_, task)| std::cmp::Reverse(task.rows));
    let workers = rayon::current_num_threads().min(tasks.len()).max(1);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(workers));
    let work = || {
        let result = run(&tasks, &next, plan);
        if result.is_err() {
            next.store(tasks.len(), Ordering::Relaxed);
        }
        done.lock().unwrap_or_else(PoisonError::into_inner).push(result);
    };
    rayon::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(|_| work());
        }
        work();
    });
    let mut found: Option<Aggregate<'p>> = None;
    for one in done.into_inner().unwrap_or_else(PoisonError::into_inner) {
        let one = one?;
        found = Some(match found {
            None => one,
            Some(other) => {
                let (mut more, fewer) = if one.groups > other.groups { (one, other) } else { (other, one) };
                more.merge(&fewer).map_err(ReadError::Other)?;
                more
            }
        });
    }
    Ok(found.unwrap_or_else(|| Aggregate::new(plan)))
}

fn run<'p>(tasks: &[(&Part, Task)], next: &AtomicUsize, plan: &'p Plan) -> Result<Aggregate<'p>, ReadError> {
    let mut found = Aggregate::new(plan);
    while let Some((part, task)) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
        part.visit_task(task, plan, &mut |batch| found.add(batch))?;
    }
    Ok(found)
}
