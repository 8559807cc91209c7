//! Rows of an intake on their way from the stage to segments, and what they add to the trend.

use std::sync::atomic::Ordering;

use crate::Error;
use crate::intake::Intake;
use crate::segment::{SegmentEntry, path_in};
use crate::segment_write::{self, Order};
use crate::stage::Stage;
use crate::staged::OpenReport;
use crate::trend::{Deltas, Sum};

impl Intake {
    /// Forgets the rows of the open report.
    pub(crate) fn take_back(&mut self, open: &OpenReport) -> Result<(), Error> {
        self.batch.stage.truncate(open.mark);
        for segment in &open.segments {
            self.inner.disk.remove(&path_in(&self.inner.segments_dir(), segment.id))?;
        }
        Ok(())
    }

    /// Writes the rows of the open report to a segment of their own, and those of finished ones too if texts fill the memory.
    pub(crate) fn write_open_report(&mut self) -> Result<(), Error> {
        let Some(mut open) = self.report.take() else { return Ok(()) };
        let id = match open.id {
            Some(id) => id,
            None => self.writer()?.next_report.fetch_add(1, Ordering::Relaxed),
        };
        open.id = Some(id);
        self.batch.stage.reports[open.slot as usize].id = id;
        let written = self.write_rows(open.mark, &mut open.segments, &mut open.deltas);
        let heavy = self.batch.stage.text_bytes() >= self.batching.text_bytes;
        let result = written.and_then(|()| if heavy { self.write_finished() } else { Ok(()) });
        if heavy {
            // All texts were forgotten, and the positions of reports with them.
            open.slot = self.batch.stage.add_report(&open.report);
            self.batch.stage.reports[open.slot as usize].id = id;
            open.mark = 0;
        }
        self.report = Some(open);
        result
    }

    /// Writes the staged rows of finished reports to a segment.
    pub(crate) fn write_finished(&mut self) -> Result<(), Error> {
        let (mut segments, mut deltas) = (Vec::new(), Deltas::new());
        self.write_rows(0, &mut segments, &mut deltas)?;
        self.batch.segments.append(&mut segments);
        merge(&mut self.batch.deltas, deltas);
        for report in &mut self.batch.reports {
            report.written = true;
        }
        self.batch.stage.clear(self.batching.text_bytes / 2);
        Ok(())
    }

    /// Writes the staged rows from `from` on to a new segment and takes them off the stage.
    pub(crate) fn write_rows(
        &mut self,
        from: usize,
        segments: &mut Vec<SegmentEntry>,
        deltas: &mut Deltas,
    ) -> Result<(), Error> {
        let stage = &mut self.batch.stage;
        let order = segment_write::order(stage, from, self.inner.layout);
        if !order.rows.is_empty() {
            let id = self.inner.writer()?.next_segment.fetch_add(1, Ordering::Relaxed);
            let path = path_in(&self.inner.segments_dir(), id);
            let entry = segment_write::entry(stage, &order, id, 0);
            segments.push(entry);
            let written = segment_write::write(&self.inner.disk, self.inner.layout, &path, stage, &order)?;
            if let Some(last) = segments.last_mut() {
                (last.rows, last.bytes) = (written.rows, written.bytes);
            }
            sum_up(stage, &order, deltas);
        }
        stage.truncate(from);
        Ok(())
    }
}

pub(crate) fn merge(into: &mut Deltas, more: Deltas) {
    if into.is_empty() {
        *into = more;
        return;
    }
    for (key, sum) in more {
        into.entry(key).or_default().plus(sum);
    }
}

/// Adds the rows, in the order of the segment, to the trend: neighbours mostly belong to the same line of it.
fn sum_up(stage: &Stage, order: &Order, deltas: &mut Deltas) {
    let mut open: Option<((i32, u32, report::Outcome, report::Disposition), Sum)> = None;
    let mut close = |((day, domain, outcome, disposition), sum): ((i32, u32, _, _), Sum)| {
        deltas.entry((day, stage.names.text(domain).clone(), outcome, disposition)).or_default().plus(sum);
    };
    for &row in &order.rows {
        let row = row as usize;
        let key = (stage.day[row], stage.domains()[row], stage.outcome[row], stage.disposition[row]);
        match &mut open {
            Some((same, sum)) if *same == key => sum.add(stage.messages[row]),
            other => {
                let mut sum = Sum::default();
                sum.add(stage.messages[row]);
                if let Some(done) = other.replace((key, sum)) {
                    close(done);
                }
            }
        }
    }
    if let Some(done) = open {
        close(done);
    }
}
