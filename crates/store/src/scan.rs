//! Answers a plan from segments: parts of row groups, handed out to as many workers as there are cores.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::plan::Plan;
use crate::segment::{Part, ReadError, Task};
use crate::split::{self, Split};

/// Groups and sums all rows of these segments that pass the filter.
pub(crate) fn scan<'p>(snapshot: &[Part], plan: &'p Plan) -> Result<Split<'p>, ReadError> {
    let found = scan_together(snapshot, plan, std::slice::from_ref(plan))?;
    Ok(found.into_iter().next().unwrap_or_default())
}

/// The same for several plans at once: `reading` has their days and filters and all of their fields.
pub(crate) fn scan_together<'p>(
    snapshot: &[Part],
    reading: &Plan,
    plans: &'p [Plan],
) -> Result<Vec<Split<'p>>, ReadError> {
    let inside = |part: &&Part| {
        reading.days.is_none_or(|(first, last)| part.entry.first_day <= last && part.entry.last_day >= first)
    };
    let parts: Vec<Part> = snapshot.iter().filter(inside).map(|part| part.serving(reading)).collect();
    let mut tasks: Vec<(&Part, Task)> = Vec::new();
    for part in &parts {
        tasks.extend(part.tasks(reading)?.into_iter().map(|task| (part, task)));
    }
    // Large ones first, so that no worker is left with a large one at the end.
    tasks.sort_by_key(|(_, task)| std::cmp::Reverse(task.rows));
    let workers = rayon::current_num_threads().min(tasks.len()).max(1);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(workers));
    let work = || {
        let result = run(&tasks, &next, reading, plans);
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
    let mut of_plans: Vec<Vec<Split<'p>>> = plans.iter().map(|_| Vec::new()).collect();
    for of_worker in done.into_inner().unwrap_or_else(PoisonError::into_inner) {
        for (of_plan, found) in of_plans.iter_mut().zip(of_worker?) {
            of_plan.push(found);
        }
    }
    let merge = |(plan, found)| split::merged(plan, found).map_err(ReadError::Other);
    plans.iter().zip(of_plans).map(merge).collect()
}

/// The work of one worker: what it found, by plan.
fn run<'p>(
    tasks: &[(&Part, Task)],
    next: &AtomicUsize,
    reading: &Plan,
    plans: &'p [Plan],
) -> Result<Vec<Split<'p>>, ReadError> {
    let mut found: Vec<Split<'p>> = plans.iter().map(split::new).collect();
    while let Some((part, task)) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
        part.visit_task(task, reading, &mut |batch| {
            found.iter_mut().zip(plans).try_for_each(|(found, plan)| split::add(found, plan, batch))
        })?;
    }
    Ok(found)
}
