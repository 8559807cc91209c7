//! The rows behind a number.

use report::Day;
use store::{Column, Direction, Key, Ledger, Line, Measure, Value};

use crate::counts::{day, disposition, number, outcome, text};
use crate::scope::is;
use crate::{Error, RowLine, Rows, Scope};

const COLUMNS: [Column; 11] = [
    Column::Day,
    Column::Report,
    Column::Reporter,
    Column::Source,
    Column::Domain,
    Column::Outcome,
    Column::Disposition,
    Column::Spf,
    Column::Dkim,
    Column::EnvelopeFrom,
    Column::Overrides,
];

/// The rows of a scope, one page of them: the newest day first, then most messages.
///
/// Rows are gathered a day at a time, so that memory is bounded by the largest day and not by the scope.
///
/// # Errors
/// When the ledger cannot be read.
pub fn rows(ledger: &Ledger, scope: &Scope, offset: usize, limit: usize) -> Result<Rows, Error> {
    page(ledger, scope, None, offset, limit)
}

/// The rows of one report.
///
/// # Errors
/// When the ledger cannot be read.
pub fn report_rows(ledger: &Ledger, id: u64, offset: usize, limit: usize) -> Result<Rows, Error> {
    let scope = Scope { period: crate::Period::All, ..Scope::default() };
    page(ledger, &scope, Some(id), offset, limit)
}

fn page(ledger: &Ledger, scope: &Scope, report: Option<u64>, offset: usize, limit: usize) -> Result<Rows, Error> {
    let mut rows = Rows { lines: Vec::new(), lines_total: 0, messages_total: 0 };
    let Some(days) = scope.period.days(ledger)? else { return Ok(rows) };
    let mut question = scope.question(days);
    question.filter.extend(report.map(|id| is(Column::Report, [Value::Number(id)])));
    question.group = vec![Column::Day];
    question.measures = vec![Measure::Rows, Measure::Messages];
    let answer = ledger.ask(&question)?;
    if let [all, messages] = &answer.totals[..] {
        rows.lines_total = usize::try_from(number(all)).unwrap_or(usize::MAX);
        rows.messages_total = number(messages);
    }
    let mut before = offset;
    for found in answer.lines.iter().rev() {
        if rows.lines.len() >= limit {
            break;
        }
        let stored = usize::try_from(number(&found.measures[0])).unwrap_or(usize::MAX);
        if stored <= before {
            before -= stored;
            continue;
        }
        let on = found.key.first().map(day).unwrap_or_default();
        question.days = Some((on, on));
        rows.lines.extend(of_day(ledger, &question, on, before, limit - rows.lines.len())?);
        before = 0;
    }
    Ok(rows)
}

fn of_day(
    ledger: &Ledger,
    question: &store::Question,
    on: Day,
    offset: usize,
    limit: usize,
) -> Result<Vec<RowLine>, Error> {
    let mut question = question.clone();
    question.group = COLUMNS.to_vec();
    question.measures = vec![Measure::Messages];
    question.order = vec![(Key::Measure(Measure::Messages), Direction::Descending)];
    (question.offset, question.limit) = (offset, Some(limit));
    Ok(ledger.ask(&question)?.lines.iter().filter_map(|found| line(found, on)).collect())
}

fn line(found: &Line, on: Day) -> Option<RowLine> {
    let [_, report, reporter, Value::Address(source), domain, what, done, spf, dkim, sender, overrides] =
        &found.key[..]
    else {
        return None;
    };
    Some(RowLine {
        day: on,
        report: number(report),
        reporter: text(reporter),
        source: *source,
        domain: text(domain),
        messages: number(found.measures.first()?),
        outcome: outcome(what),
        disposition: disposition(done),
        spf: text(spf),
        dkim: text(dkim),
        envelope_from: text(sender),
        overrides: text(overrides),
    })
}
