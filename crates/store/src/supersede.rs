//! What rows add to the trend, read back from segments: to take superseded reports off it, and to check it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use report::{Disposition, Outcome, Text};

use crate::Error;
use crate::batch::{Batch, index};
use crate::field::{Field, SortedBy};
use crate::ledger::Inner;
use crate::plan::{Filter, Plan};
use crate::segment::{Part, Segment};
use crate::staged::StagedBatch;
use crate::trend::Deltas;

/// Rows that no longer count: in which segment, of which report.
pub(crate) type Tombstones = Vec<(u64, u64)>;

/// Where the rows of the reports are that a batch supersedes, and what they added to the trend, negated.
pub(crate) fn rows(inner: &Arc<Inner>, batch: &StagedBatch) -> Result<(Tombstones, Deltas), Error> {
    let (mut tombstones, mut taken_off) = (Tombstones::new(), Deltas::new());
    if batch.replaced.is_empty() && batch.dead_written.is_empty() {
        return Ok((tombstones, taken_off));
    }
    let mut by_segment: BTreeMap<u64, (Part, HashSet<u64>)> = BTreeMap::new();
    let mut candidates = |part: &Part, reports: &[u64]| {
        let entry = part.entry;
        for &report in reports.iter().filter(|&&id| (entry.first_report..=entry.last_report).contains(&id)) {
            by_segment.entry(entry.id).or_insert_with(|| (part.clone(), HashSet::new())).1.insert(report);
        }
    };
    for part in &inner.snapshot()? {
        candidates(part, &batch.replaced);
    }
    for &entry in &batch.segments {
        let segment = Segment::new(&inner.segments_dir(), SortedBy::Domain, &inner.disk, entry.id);
        let part = Part { segment: Arc::new(segment), entry, dead: [].into(), by_source: None };
        candidates(&part, &batch.dead_written);
    }
    for (part, reports) in by_segment.into_values() {
        let found = trend(&part, Some(&reports), &mut taken_off)?;
        tombstones.extend(found.into_iter().map(|report| (part.entry.id, report)));
    }
    Ok((tombstones, taken_off.into_iter().map(|(key, sum)| (key, sum.negative())).collect()))
}

/// Adds up what the rows of a segment add to the trend, all or those of certain reports; gives the reports that have rows there.
pub(crate) fn trend(part: &Part, reports: Option<&HashSet<u64>>, sums: &mut Deltas) -> Result<HashSet<u64>, Error> {
    let filter = |reports: &HashSet<u64>| Filter::Reports { reports: reports.clone(), keep: true };
    let fields = [Field::Day, Field::Report, Field::Domain, Field::Messages, Field::Disposition, Field::Outcome];
    let plan = Plan::reading(&fields, None, reports.map(filter).into_iter().collect());
    let mut found = HashSet::new();
    let mut add = |batch: &Batch<'_>| {
        let (days, ids, messages) = (batch.days(), batch.numbers(Field::Report), batch.numbers(Field::Messages));
        let text =
            |field: Field, row: usize| batch.texts(field).map_or("", |(keys, texts)| texts.value(index(keys[row])));
        for row in batch.select(&plan) {
            let row = row as usize;
            found.insert(ids[row]);
            let outcome = Outcome::from_word(text(Field::Outcome, row)).unwrap_or(Outcome::Both);
            let disposition = Disposition::from_word(text(Field::Disposition, row)).unwrap_or_default();
            let key = (days[row], Text::new(text(Field::Domain, row)), outcome, disposition);
            sums.entry(key).or_default().add(messages[row]);
        }
        Ok(())
    };
    part.visit(&plan, &mut add).map_err(|error| error.of(&part.segment))?;
    Ok(found)
}
