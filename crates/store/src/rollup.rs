//! The trend rollup: messages and rows by day, author domain, outcome and disposition, kept by the transactions that change them.
//!
//! As lines of the same shape as rows it goes through the same aggregate as segments do, so that both ways give the same answer.

use std::collections::HashMap;

use arrow_array::StringArray;
use report::{Disposition, Outcome, Text};
use rusqlite::{Connection, params};

use crate::aggregate::{Aggregate, Batch, Lane};
use crate::field::Field;
use crate::plan::{Filter, Plan};
use crate::{Column, Error, Measure, Question};

/// Messages and rows to be added to a line of the rollup, or subtracted from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sum {
    pub(crate) rows: i64,
    /// Counts as halves of 32 bits, added up apart: exact in both directions whatever a report claims.
    pub(crate) high: i64,
    pub(crate) low: i64,
}

/// What a line of the rollup is about.
pub(crate) type TrendKey = (i32, Text, Outcome, Disposition);
/// Changes of the rollup.
pub(crate) type Deltas = HashMap<TrendKey, Sum>;

impl Sum {
    pub(crate) fn add(&mut self, messages: u64) {
        self.rows += 1;
        self.high += (messages >> 32).cast_signed();
        self.low += (messages & u64::from(u32::MAX)).cast_signed();
    }

    pub(crate) fn plus(&mut self, other: Self) {
        self.rows += other.rows;
        self.high += other.high;
        self.low += other.low;
    }

    pub(crate) fn negative(self) -> Self {
        Self { rows: -self.rows, high: -self.high, low: -self.low }
    }
}

/// Messages from their halves; saturates.
pub(crate) fn messages(high: i64, low: i64) -> u64 {
    let whole = (i128::from(high) << 32) + i128::from(low);
    u64::try_from(whole.max(0)).unwrap_or(u64::MAX)
}

/// Whether the rollup holds all that is needed to answer.
pub(crate) fn suffices(question: &Question, plan: &Plan) -> bool {
    let column = |c: Column| {
        matches!(c, Column::Day | Column::Domain | Column::OrgDomain | Column::Outcome | Column::Disposition)
    };
    question.group.iter().all(|&c| column(c))
        && question.filter.iter().all(|condition| column(condition.column))
        && plan.measures.iter().all(|measure| match measure {
            Measure::Distinct(c) => column(*c),
            _ => true,
        })
}

/// Adds the changes to the rollup. `domains` remembers the numbers of author domains.
pub(crate) fn apply(
    connection: &Connection,
    deltas: &Deltas,
    domains: &mut HashMap<Text, i64>,
) -> rusqlite::Result<()> {
    let mut upsert = connection.prepare_cached(
        "INSERT INTO trend VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO UPDATE SET rows = rows + excluded.rows,
             messages_high = messages_high + excluded.messages_high, messages_low = messages_low + excluded.messages_low",
    )?;
    let mut ordered: Vec<_> = deltas.iter().collect();
    // Neighbours in the table one after the other.
    ordered.sort_unstable_by(|a, b| a.0.cmp(b.0));
    let mut taken_away = false;
    for ((day, domain, outcome, disposition), sum) in ordered {
        let id = domain_id(connection, domains, domain)?;
        upsert.execute(params![day, id, *outcome as u8, *disposition as u8, sum.rows, sum.high, sum.low])?;
        taken_away |= sum.rows < 0;
    }
    if taken_away {
        let mut days: Vec<i32> = deltas.keys().map(|key| key.0).collect();
        days.sort_unstable();
        days.dedup();
        let mut empty = connection.prepare_cached("DELETE FROM trend WHERE day = ?1 AND rows = 0")?;
        for day in days {
            empty.execute([day])?;
        }
    }
    Ok(())
}

fn domain_id(connection: &Connection, known: &mut HashMap<Text, i64>, name: &Text) -> rusqlite::Result<i64> {
    if let Some(&id) = known.get(name) {
        return Ok(id);
    }
    connection
        .prepare_cached("INSERT INTO domain (name, organizational) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute([name.as_str(), crate::organizational_domain(name).as_str()])?;
    let id =
        connection.prepare_cached("SELECT id FROM domain WHERE name = ?1")?.query_row([name.as_str()], |r| r.get(0))?;
    if known.len() > 100_000 {
        known.clear();
    }
    known.insert(name.clone(), id);
    Ok(id)
}

/// The whole rollup.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Deltas> {
    let names = crate::check::domain_names(connection)?;
    let mut all = Deltas::new();
    let mut select =
        connection.prepare("SELECT day, domain, outcome, disposition, rows, messages_high, messages_low FROM trend")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let name = names.get(&row.get(1)?).cloned().unwrap_or_default();
        let outcome = OUTCOMES.get(usize::from(row.get::<_, u8>(2)?)).copied().unwrap_or(Outcome::Unauthenticated);
        let disposition = DISPOSITIONS.get(usize::from(row.get::<_, u8>(3)?)).copied().unwrap_or_default();
        let sum = Sum { rows: row.get(4)?, high: row.get(5)?, low: row.get(6)? };
        all.insert((row.get(0)?, name, outcome, disposition), sum);
    }
    Ok(all)
}

/// Lines handed to the aggregate at a time.
const LINES: usize = 65_536;

/// The author domains of lines, with their organizational domains: texts held once, lines point at them.
#[derive(Default)]
struct Lines {
    positions: HashMap<i64, i32>,
    names: Vec<String>,
    organizational: Vec<String>,
    day: Vec<i32>,
    domain: Vec<i32>,
    outcome: Vec<i32>,
    disposition: Vec<i32>,
    rows: Vec<u64>,
    messages: Vec<u64>,
}

/// Answers a plan from the rollup.
pub(crate) fn scan<'p>(connection: &Connection, plan: &'p Plan) -> rusqlite::Result<Result<Aggregate<'p>, Error>> {
    let mut found = Aggregate::new(plan);
    let mut lines = Lines::default();
    let (first, last) = plan.days.unwrap_or((i32::MIN, i32::MAX));
    let names = wanted_domains(connection, plan)?;
    let only = names.as_ref().map(|ids| {
        let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
        format!(" AND domain IN ({})", ids.join(","))
    });
    let mut select = connection.prepare(&format!(
        "SELECT day, domain, outcome, disposition, rows, messages_high, messages_low
         FROM trend WHERE day BETWEEN ?1 AND ?2{}",
        only.unwrap_or_default()
    ))?;
    let mut name = connection.prepare_cached("SELECT name, organizational FROM domain WHERE id = ?1")?;
    let mut rows = select.query([first, last])?;
    while let Some(row) = rows.next()? {
        let id = row.get(1)?;
        let position = if let Some(&position) = lines.positions.get(&id) {
            position
        } else {
            let (domain, organizational) = name.query_row([id], |r| Ok((r.get(0)?, r.get(1)?)))?;
            lines.add_domain(id, domain, organizational)
        };
        lines.day.push(row.get(0)?);
        lines.domain.push(position);
        lines.outcome.push(row.get(2)?);
        lines.disposition.push(row.get(3)?);
        lines.rows.push(row.get::<_, i64>(4)?.cast_unsigned());
        lines.messages.push(messages(row.get(5)?, row.get(6)?));
        if lines.day.len() == LINES
            && let Err(error) = lines.hand_on(&mut found)
        {
            return Ok(Err(error));
        }
    }
    Ok(lines.hand_on(&mut found).map(|()| found))
}

/// The numbers of the author domains that can pass the filter, where it names them and they are few.
fn wanted_domains(connection: &Connection, plan: &Plan) -> rusqlite::Result<Option<Vec<i64>>> {
    const FEW: usize = 100;
    for filter in &plan.filters {
        let Filter::Text { field, texts, keep: true } = filter else { continue };
        let column = match field {
            Field::Domain => "name",
            Field::OrgDomain => "organizational",
            _ => continue,
        };
        if texts.len() <= FEW {
            let mut ids = Vec::new();
            let mut select = connection.prepare(&format!("SELECT id FROM domain WHERE {column} = ?1"))?;
            for text in texts {
                ids.extend(select.query_map([text.as_str()], |r| r.get(0))?.collect::<Result<Vec<i64>, _>>()?);
            }
            return Ok(Some(ids));
        }
    }
    Ok(None)
}

impl Lines {
    fn add_domain(&mut self, id: i64, name: String, organizational: String) -> i32 {
        let position = i32::try_from(self.names.len()).unwrap_or(i32::MAX);
        self.positions.insert(id, position);
        self.names.push(name);
        self.organizational.push(organizational);
        position
    }

    fn hand_on(&mut self, found: &mut Aggregate<'_>) -> Result<(), Error> {
        let names = StringArray::from_iter_values(&self.names);
        let organizational = StringArray::from_iter_values(&self.organizational);
        let outcomes = StringArray::from_iter_values(OUTCOMES.map(Outcome::word));
        let dispositions = StringArray::from_iter_values(DISPOSITIONS.map(Disposition::word));
        let mut lanes = [const { None }; 22];
        lanes[Field::Day as usize] = Some(Lane::Days(&self.day));
        lanes[Field::Messages as usize] = Some(Lane::Numbers(&self.messages));
        lanes[Field::Domain as usize] = Some(Lane::Texts { keys: &self.domain, texts: &names });
        lanes[Field::OrgDomain as usize] = Some(Lane::Texts { keys: &self.domain, texts: &organizational });
        lanes[Field::Outcome as usize] = Some(Lane::Texts { keys: &self.outcome, texts: &outcomes });
        lanes[Field::Disposition as usize] = Some(Lane::Texts { keys: &self.disposition, texts: &dispositions });
        found.add(&Batch { rows: self.day.len(), lanes, weights: Some(&self.rows), dead: &[], from: i32::MIN })?;
        for column in [&mut self.day, &mut self.domain, &mut self.outcome, &mut self.disposition] {
            column.clear();
        }
        self.rows.clear();
        self.messages.clear();
        Ok(())
    }
}

/// As numbered in the catalog: by position.
pub(crate) const OUTCOMES: [Outcome; 6] = Outcome::ALL;
/// As numbered in the catalog: by position.
pub(crate) const DISPOSITIONS: [Disposition; 4] =
    [Disposition::None, Disposition::Pass, Disposition::Quarantine, Disposition::Reject];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_the_catalog_never_change() {
        for (at, outcome) in OUTCOMES.into_iter().enumerate() {
            assert_eq!(outcome as usize, at, "{outcome:?}");
        }
        for (at, disposition) in DISPOSITIONS.into_iter().enumerate() {
            assert_eq!(disposition as usize, at, "{disposition:?}");
        }
    }

    #[test]
    fn sums_are_exact_both_ways() {
        let mut sum = Sum::default();
        for count in [u64::MAX, u64::MAX, 1, 5_000_000_000] {
            sum.add(count);
        }
        assert_eq!(messages(sum.high, sum.low), u64::MAX, "more than can be said saturates");
        let mut back = Sum::default();
        back.add(u64::MAX);
        back.add(u64::MAX);
        let back = back.negative();
        assert_eq!(messages(sum.high + back.high, sum.low + back.low), 5_000_000_001, "and comes back exactly");
    }
}
