//! The reports themselves: which came, what was odd, what was refused.

use std::collections::BTreeMap;

use report::Text;
use store::{Arrival, Ledger, ReportEntry};

use crate::scope::{length, place};
use crate::{
    Arrivals, ConflictLine, Conflicts, Error, FlawLine, Flaws, Period, RejectionLine, Rejections, ReportDetail,
    ReportFilter, ReportLine, ReporterLine, Reports, policy_text,
};

/// Who sent reports about the days of a period, and when.
///
/// # Errors
/// When the ledger cannot be read.
pub fn arrivals(ledger: &Ledger, period: Period) -> Result<Arrivals, Error> {
    let counters = ledger.counters()?;
    let mut arrivals = Arrivals {
        days: period.days(ledger)?,
        reporters: Vec::new(),
        reports: 0,
        duplicates: counters.duplicates,
        rejected: counters.rejected,
        conflicts: counters.conflicts,
    };
    let Some(days) = arrivals.days else { return Ok(arrivals) };
    let mut reporters: BTreeMap<Text, ReporterLine> = BTreeMap::new();
    for arrival in ledger.arrivals(Some(days))? {
        let line = reporters.entry(arrival.reporter.clone()).or_insert_with(|| unheard(&arrival, length(days)));
        add(line, &arrival);
        if let Some(place) = place(days, arrival.day) {
            line.by_day[place] += arrival.reports;
        }
        arrivals.reports += arrival.reports;
    }
    arrivals.reporters = reporters.into_values().collect();
    arrivals.reporters.sort_by(|a, b| b.messages.cmp(&a.messages).then_with(|| a.reporter.cmp(&b.reporter)));
    Ok(arrivals)
}

fn unheard(arrival: &Arrival, days: usize) -> ReporterLine {
    ReporterLine {
        reporter: arrival.reporter.to_string(),
        reports: 0,
        messages: 0,
        flawed: 0,
        by_day: vec![0; days],
        last_day: arrival.day,
        last_received: arrival.last_received,
        dialect: arrival.dialect,
    }
}

fn add(line: &mut ReporterLine, arrival: &Arrival) {
    line.reports += arrival.reports;
    line.messages = line.messages.saturating_add(arrival.messages);
    line.flawed += arrival.flawed;
    line.last_day = line.last_day.max(arrival.day);
    if arrival.last_received >= line.last_received {
        line.last_received = arrival.last_received;
        line.dialect = arrival.dialect;
    }
}

/// A page of reports, the newest taken in first.
///
/// # Errors
/// When the ledger cannot be read.
pub fn reports(ledger: &Ledger, filter: &ReportFilter, offset: usize, limit: usize) -> Result<Reports, Error> {
    let filter = store::ReportFilter {
        days: filter.days,
        reporter: filter.reporter.clone(),
        policy_domain: filter.policy_domain.clone(),
        flaw: filter.flaw,
        item: None,
    };
    let (entries, lines_total) = ledger.reports(&filter, offset, limit)?;
    Ok(Reports { lines: entries.iter().map(line).collect(), lines_total })
}

fn line(entry: &ReportEntry) -> ReportLine {
    ReportLine {
        id: entry.id,
        reporter: entry.report.reporter.organization.to_string(),
        report_id: entry.report.report_id.to_string(),
        policy_domain: entry.report.policy.domain.to_string(),
        begin: entry.report.interval.begin,
        end: entry.report.interval.end,
        rows: entry.rows,
        messages: entry.messages,
        flaws: entry.flaws.len() as u64,
        received: entry.received,
        superseded_by: entry.superseded_by,
    }
}

/// One report; `None` if there is none with that number.
///
/// # Errors
/// When the ledger cannot be read.
pub fn report(ledger: &Ledger, id: u64) -> Result<Option<ReportDetail>, Error> {
    let Some(entry) = ledger.report(id)? else { return Ok(None) };
    Ok(Some(ReportDetail {
        line: line(&entry),
        policy: policy_text(&entry.report.policy),
        header: entry.report,
        flaws: entry.flaws,
        origin: entry.origin,
        member: entry.member,
        item: entry.item.to_string(),
        item_bytes: entry.item_bytes,
        content: store::RawKey(entry.content).to_string(),
        conflicts_with: ledger.conflicts_of(id)?,
    }))
}

/// A page of what could not be taken in, the newest first.
///
/// # Errors
/// When the ledger cannot be read.
pub fn rejections(ledger: &Ledger, offset: usize, limit: usize) -> Result<Rejections, Error> {
    let (entries, lines_total) = ledger.rejections(offset, limit)?;
    let lines = entries.into_iter().map(|entry| RejectionLine {
        origin: entry.origin,
        member: entry.member,
        kind: word(&entry.rejection.kind),
        message: entry.rejection.message,
        received: entry.received,
        item: entry.item.to_string(),
        item_bytes: entry.item_bytes,
    });
    Ok(Rejections { lines: lines.collect(), lines_total })
}

/// A page of reports whose identity came with two contents, the newest first.
///
/// # Errors
/// When the ledger cannot be read.
pub fn conflicts(ledger: &Ledger, offset: usize, limit: usize) -> Result<Conflicts, Error> {
    let (entries, lines_total) = ledger.conflicts(offset, limit)?;
    let lines = entries.iter().map(|e| ConflictLine { counts: line(&e.counts), superseded: line(&e.superseded) });
    Ok(Conflicts { lines: lines.collect(), lines_total })
}

/// Which flaws the reports about a period have.
///
/// # Errors
/// When the ledger cannot be read.
pub fn flaws(ledger: &Ledger, period: Period) -> Result<Flaws, Error> {
    let Some(days) = period.days(ledger)? else { return Ok(Flaws { lines: Vec::new() }) };
    let lines = ledger.flaws(Some(days))?.into_iter().map(|entry| FlawLine {
        kind: word(&entry.kind),
        reporter: entry.reporter.to_string(),
        reports: entry.reports,
        example: entry.example.value.map(|value| value.to_string()),
        report: entry.report,
    });
    Ok(Flaws { lines: lines.collect() })
}

/// The word that stands for a kind in JSON.
pub(crate) fn word(kind: &impl serde::Serialize) -> String {
    match serde_json::to_value(kind) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}
