//! Which names and days the ledger knows: what a filter can offer.

use std::collections::BTreeMap;

use report::{Day, Text};
use store::{Column, Direction, Key, Ledger, Measure, Question, ReportFilter, Value};

use crate::Error;

/// What a filter can offer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// First and last day with a row; `None` while the ledger is empty.
    pub days: Option<(Day, Day)>,
    /// Author domains, most messages first.
    pub domains: Vec<Text>,
    /// How many there are in all.
    pub domains_total: usize,
    /// Reporters, most messages first.
    pub reporters: Vec<Text>,
    /// When the newest report was taken in, seconds since 1970 UTC.
    pub last_received: Option<i64>,
}

/// The names and days of the whole ledger, at most `most` of each kind. Read from daily sums and the catalog, not from rows.
///
/// # Errors
/// When the ledger cannot be read.
pub fn known(ledger: &Ledger, most: usize) -> Result<Known, Error> {
    let Some(days) = ledger.span()? else { return Ok(Known::default()) };
    let question = Question {
        group: vec![Column::Domain],
        measures: vec![Measure::Messages],
        order: vec![(Key::Measure(Measure::Messages), Direction::Descending)],
        limit: Some(most),
        ..Question::default()
    };
    let answer = ledger.ask(&question)?;
    let name = |line: &store::Line| match line.key.first() {
        Some(Value::Text(name)) => Some(name.clone()),
        _ => None,
    };
    let mut heard: BTreeMap<Text, u64> = BTreeMap::new();
    for arrival in ledger.arrivals(None)? {
        let messages = heard.entry(arrival.reporter).or_default();
        *messages = messages.saturating_add(arrival.messages);
    }
    let mut reporters: Vec<_> = heard.into_iter().collect();
    reporters.sort_by_key(|(_, messages)| std::cmp::Reverse(*messages));
    let (newest, _) = ledger.reports(&ReportFilter::default(), 0, 1)?;
    Ok(Known {
        days: Some(days),
        domains: answer.lines.iter().filter_map(name).collect(),
        domains_total: answer.groups,
        reporters: reporters.into_iter().map(|(name, _)| name).take(most).collect(),
        last_received: newest.first().map(|report| report.received),
    })
}
