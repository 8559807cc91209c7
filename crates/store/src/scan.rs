//! Answers a plan from segments: parts of row groups, handed out to as many workers as there are cores.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::Error;
use crate::aggregate::Aggregate;
use crate::field::Field;
use crate::plan::Plan;
use crate::segment::{ReadError, Segment, Task, lanes};

/// The segments of one moment, and in each the reports whose rows no longer count.
pub(crate) struct Snapshot {
    pub(crate) segments: Vec<(Arc<Segment>, Arc<[u64]>)>,
}

/// Groups and sums all rows of the snapshot that pass the filter.
pub(crate) fn scan<'p>(snapshot: &Snapshot, plan: &'p Plan) -> Result<Aggregate<'p>, ReadError> {
    let mut tasks: Vec<(Task, &[u64])> = Vec::new();
    for (segment, dead) in &snapshot.segments {
        let inside = |(first, last)| segment.entry.first_day <= last && segment.entry.last_day >= first;
        if plan.days.is_none_or(inside) {
            tasks.extend(segment.tasks(plan)?.into_iter().map(|task| (task, &**dead)));
        }
    }
    // Large ones first, so that no worker is left with a large one at the end.
    tasks.sort_by_key(|(task, _)| std::cmp::Reverse(task.rows));
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
            Some(mut all) => {
                all.merge(&one).map_err(ReadError::Other)?;
                all
            }
        });
    }
    Ok(found.unwrap_or_else(|| Aggregate::new(plan)))
}

fn run<'p>(tasks: &[(Task, &[u64])], next: &AtomicUsize, plan: &'p Plan) -> Result<Aggregate<'p>, ReadError> {
    let mut found = Aggregate::new(plan);
    let mut with_report = plan.fields.clone();
    if !with_report.contains(&Field::Report) {
        with_report.push(Field::Report);
        with_report.sort_unstable();
    }
    while let Some((task, dead)) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
        let first = task.segment().entry.first_report;
        let last = task.segment().entry.last_report;
        debug_assert!(dead.iter().all(|id| (first..=last).contains(id)));
        let fields = if dead.is_empty() { &plan.fields } else { &with_report };
        task.read(fields, plan, &mut |batch| found.add(&lanes(batch, fields, dead)).map_err(Error::from))?;
    }
    Ok(found)
}
