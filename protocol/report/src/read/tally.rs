//! Sums over the rows of one report.

use std::net::IpAddr;

use foldhash::{HashSet, HashSetExt};

use crate::{Disposition, Row, Totals};

/// Adds rows up.
pub(super) struct Tally {
    pub(super) totals: Totals,
    sources: HashSet<IpAddr>,
    sources_max: usize,
    last: Option<IpAddr>,
}

impl Tally {
    pub(super) fn new(sources_max: usize) -> Self {
        Self { totals: Totals::default(), sources: HashSet::new(), sources_max, last: None }
    }

    pub(super) fn add(&mut self, row: &Row) {
        let totals = &mut self.totals;
        let add = |sum: &mut u64, on: bool| *sum = sum.saturating_add(if on { row.count } else { 0 });
        totals.rows += 1;
        add(&mut totals.messages, true);
        add(&mut totals.dkim_aligned, row.dkim_aligned);
        add(&mut totals.spf_aligned, row.spf_aligned);
        add(&mut totals.dmarc_pass, row.dkim_aligned || row.spf_aligned);
        let disposition = match row.disposition {
            Disposition::None => &mut totals.disposition.none,
            Disposition::Pass => &mut totals.disposition.pass,
            Disposition::Quarantine => &mut totals.disposition.quarantine,
            Disposition::Reject => &mut totals.disposition.reject,
        };
        add(disposition, true);
        // Rows of one source mostly stand together.
        if self.last != Some(row.source) && self.sources.len() < self.sources_max {
            self.last = Some(row.source);
            self.sources.insert(row.source);
            totals.sources = self.sources.len() as u64;
        }
    }
}
