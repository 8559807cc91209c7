//! The same questions as SQL, for engines that read the segments by themselves.
//!
//! In: a [`Question`]. Out: text over a table `rows` whose columns are those of a segment. Only what DuckDB and SQLite both
//! understand is used: days are written as `'2025-12-23'`, addresses are 16 bytes written with `unhex`. Runs nothing.

use std::fmt::Write as _;

use report::{Disposition, Outcome};

use crate::plan::{Filter, plan};
use crate::{Column, Direction, Error, Key, Measure, Question};

/// A question as three statements; each has the question's group columns, then its measures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sql {
    /// The lines of the page, in order.
    pub lines: String,
    /// How many groups there are in all.
    pub groups: String,
    /// The measures over everything that passes the filter.
    pub totals: String,
}

impl Question {
    /// The question as SQL over a table `rows` with the columns of a segment, as DuckDB and SQLite read it.
    ///
    /// Sources come as 32 hexadecimal digits, networks as their first address in that form. Sums are the engine's own and may
    /// overflow where an [`crate::Answer`] saturates.
    ///
    /// # Errors
    /// As [`crate::Ledger::ask`] has for a question that cannot be asked.
    pub fn sql(&self) -> Result<Sql, Error> {
        let plan = plan(self)?;
        let mut conditions: Vec<String> = plan.filters.iter().map(condition).collect();
        if let Some((first, last)) = self.days {
            conditions.push(format!("day BETWEEN '{first}' AND '{last}'"));
        }
        let filter = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
        let keys: Vec<String> = self.group.iter().map(|&column| key(column)).collect();
        let measures: Vec<String> = self.measures.iter().map(|&m| measure(m)).collect();
        let selected = [&keys[..], &measures[..]].concat();
        // Something has to be asked for; an aggregate makes one line of any number of rows.
        let selected = if selected.is_empty() { "count(*)".to_owned() } else { selected.join(", ") };
        let group = if keys.is_empty() { String::new() } else { format!(" GROUP BY {}", keys.join(", ")) };
        let order = self.order.iter().map(|(key, direction)| {
            let key = match key {
                Key::Column(column) => self::key(*column),
                Key::Measure(measure) => self::measure(*measure),
            };
            format!("{key} {}", if *direction == Direction::Descending { "DESC" } else { "ASC" })
        });
        // Ends in the whole key, so that no two lines are equal and every engine cuts the same pages.
        let order: Vec<String> = order.chain(keys.iter().map(|key| format!("{key} ASC"))).collect();
        let mut lines = format!("SELECT {selected} FROM rows{filter}{group}");
        if !order.is_empty() {
            let _infallible = write!(lines, " ORDER BY {}", order.join(", "));
        }
        let limit = self.limit.map_or(i64::MAX, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
        let _infallible = write!(lines, " LIMIT {limit} OFFSET {}", self.offset);
        let totals = if measures.is_empty() { "count(*)".to_owned() } else { measures.join(", ") };
        Ok(Sql {
            lines,
            groups: format!("SELECT count(*) FROM (SELECT count(*) FROM rows{filter}{group})"),
            totals: format!("SELECT {totals} FROM rows{filter}"),
        })
    }
}

fn key(column: Column) -> String {
    match column {
        Column::Source => "hex(source)".to_owned(),
        Column::Network => {
            "CASE WHEN hex(source) LIKE '00000000000000000000FFFF%' THEN substr(hex(source), 1, 30) || '00' \
                            ELSE substr(hex(source), 1, 12) || '00000000000000000000' END"
                .to_owned()
        }
        other => other.field().name().to_owned(),
    }
}

fn measure(measure: Measure) -> String {
    let sum = |condition: String| format!("coalesce(sum(CASE WHEN {condition} THEN messages ELSE 0 END), 0)");
    let outcomes = |passes: bool| {
        let words = Outcome::ALL.into_iter().filter(|o| o.passes() == passes).map(|o| format!("'{}'", o.word()));
        format!("outcome IN ({})", words.collect::<Vec<_>>().join(", "))
    };
    match measure {
        Measure::Messages => "coalesce(sum(messages), 0)".to_owned(),
        Measure::Rows => "count(*)".to_owned(),
        Measure::Outcome(outcome) => sum(format!("outcome = '{}'", outcome.word())),
        Measure::Disposition(disposition) => sum(format!("disposition = '{}'", Disposition::word(disposition))),
        Measure::Passing => sum(outcomes(true)),
        Measure::Failing => sum(outcomes(false)),
        Measure::FirstDay => "min(day)".to_owned(),
        Measure::LastDay => "max(day)".to_owned(),
        Measure::Distinct(column) => format!("count(DISTINCT {})", key(column)),
    }
}

fn condition(filter: &Filter) -> String {
    let list = |column: &str, keep: bool, mut values: Vec<String>| {
        if values.is_empty() {
            return if keep { "1 = 0" } else { "1 = 1" }.to_owned();
        }
        values.sort_unstable();
        format!("{column} {} ({})", if keep { "IN" } else { "NOT IN" }, values.join(", "))
    };
    match filter {
        Filter::Text { field, texts, keep } => {
            list(field.name(), *keep, texts.iter().map(|text| format!("'{}'", text.replace('\'', "''"))).collect())
        }
        Filter::Days { days, keep } => {
            list("day", *keep, days.iter().map(|day| format!("'{}'", report::Day(*day))).collect())
        }
        Filter::Reports { reports, keep } => list("report", *keep, reports.iter().map(u64::to_string).collect()),
        Filter::Sources { sources, keep } => {
            list("source", *keep, sources.iter().map(|&source| bytes(source)).collect())
        }
        Filter::Ranges { ranges, keep } => {
            let inside = |&(first, last): &(u128, u128)| format!("source BETWEEN {} AND {}", bytes(first), bytes(last));
            let any: Vec<String> = ranges.iter().map(inside).collect();
            match (any.is_empty(), keep) {
                (true, keep) => list("", *keep, Vec::new()),
                (false, true) => format!("({})", any.join(" OR ")),
                (false, false) => format!("NOT ({})", any.join(" OR ")),
            }
        }
    }
}

fn bytes(address: u128) -> String {
    format!("unhex('{address:032X}')")
}
