//! Answers from the trend rollup.
//!
//! Its lines have the shape of rows and go through the same aggregate as segments do, so that both ways give the same answer.

use std::collections::HashMap;

use arrow_array::StringArray;
use report::{Disposition, Outcome};
use rusqlite::Connection;

use crate::aggregate::Aggregate;
use crate::batch::{Batch, Lane};
use crate::field::Field;
use crate::plan::{Filter, Plan};
use crate::trend::{DISPOSITIONS, OUTCOMES, unpack};
use crate::{Column, Error, Measure, Question};

/// Lines handed to the aggregate at a time.
const LINES: usize = 65_536;
/// Up to this many author domains, each is looked up by itself instead of going through all.
const DOMAINS_FEW: usize = 50;

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

/// Answers a plan from the rollup.
pub(crate) fn scan<'p>(c: &Connection, plan: &'p Plan) -> rusqlite::Result<Result<Aggregate<'p>, Error>> {
    let mut read = Reading { found: Aggregate::new(plan), lines: Lines::default() };
    let (first, last) = plan.days.unwrap_or((i32::MIN, i32::MAX));
    let by_domain = plan.fields.iter().any(|field| matches!(field, Field::Domain | Field::OrgDomain));
    let done = if !by_domain {
        read.all_domains(c, first, last)?
    } else if let Some(domains) = wanted_domains(c, plan)? {
        read.domains(c, first, last, &domains)?
    } else {
        read.each_domain(c, first, last)?
    };
    Ok(done.and_then(|()| read.finish()))
}

/// The numbers of the author domains that can pass the filter, where it names them and they are few.
fn wanted_domains(c: &Connection, plan: &Plan) -> rusqlite::Result<Option<Vec<i64>>> {
    for filter in &plan.filters {
        let Filter::Text { field, texts, keep: true } = filter else { continue };
        let column = match field {
            Field::Domain => "name",
            Field::OrgDomain => "organizational",
            _ => continue,
        };
        if texts.len() <= DOMAINS_FEW {
            let mut ids = Vec::new();
            let mut select = c.prepare(&format!("SELECT id FROM domain WHERE {column} = ?1"))?;
            for text in texts {
                ids.extend(select.query_map([text.as_str()], |r| r.get(0))?.collect::<Result<Vec<i64>, _>>()?);
            }
            return Ok((ids.len() <= DOMAINS_FEW).then_some(ids));
        }
    }
    Ok(None)
}

/// The rollup on its way into the aggregate.
struct Reading<'p> {
    found: Aggregate<'p>,
    lines: Lines,
}

/// Lines of the rollup, column by column; author domains are held once.
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

impl<'p> Reading<'p> {
    fn all_domains(&mut self, c: &Connection, first: i32, last: i32) -> rusqlite::Result<Result<(), Error>> {
        let mut select = c.prepare_cached("SELECT day, sums FROM trend_day WHERE day BETWEEN ?1 AND ?2")?;
        let mut rows = select.query([first, last])?;
        while let Some(row) = rows.next()? {
            if let Err(error) = self.add(row.get(0)?, 0, row.get_ref(1)?.as_blob()?) {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }

    fn each_domain(&mut self, c: &Connection, first: i32, last: i32) -> rusqlite::Result<Result<(), Error>> {
        let mut select = c.prepare_cached("SELECT day, domain, sums FROM trend WHERE day BETWEEN ?1 AND ?2")?;
        let mut rows = select.query([first, last])?;
        while let Some(row) = rows.next()? {
            let domain = self.lines.domain(c, row.get(1)?)?;
            if let Err(error) = self.add(row.get(0)?, domain, row.get_ref(2)?.as_blob()?) {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }

    /// The table is sorted by day: a domain's lines are looked up day by day.
    fn domains(
        &mut self,
        c: &Connection,
        first: i32,
        last: i32,
        domains: &[i64],
    ) -> rusqlite::Result<Result<(), Error>> {
        let mut days = c.prepare_cached("SELECT day FROM trend_day WHERE day BETWEEN ?1 AND ?2")?;
        let mut select = c.prepare_cached("SELECT sums FROM trend WHERE day = ?1 AND domain = ?2")?;
        let mut rows = days.query([first, last])?;
        while let Some(row) = rows.next()? {
            let day: i32 = row.get(0)?;
            for &id in domains {
                let mut line = select.query(rusqlite::params![day, id])?;
                let Some(line) = line.next()? else { continue };
                let domain = self.lines.domain(c, id)?;
                if let Err(error) = self.add(day, domain, line.get_ref(0)?.as_blob()?) {
                    return Ok(Err(error));
                }
            }
        }
        Ok(Ok(()))
    }

    fn add(&mut self, day: i32, domain: i32, packed: &[u8]) -> Result<(), Error> {
        let lines = &mut self.lines;
        unpack(packed, |class, sum| {
            lines.day.push(day);
            lines.domain.push(domain);
            lines.outcome.push(i32::from(class / 4));
            lines.disposition.push(i32::from(class % 4));
            lines.rows.push(sum.rows.unsigned_abs());
            lines.messages.push(sum.saturated());
        });
        if lines.day.len() >= LINES { self.hand_on() } else { Ok(()) }
    }

    fn hand_on(&mut self) -> Result<(), Error> {
        let Self { found, lines } = self;
        let names = StringArray::from_iter_values(&lines.names);
        let organizational = StringArray::from_iter_values(&lines.organizational);
        let outcomes = StringArray::from_iter_values(OUTCOMES.map(Outcome::word));
        let dispositions = StringArray::from_iter_values(DISPOSITIONS.map(Disposition::word));
        let mut lanes = [const { None }; 22];
        lanes[Field::Day as usize] = Some(Lane::Days(&lines.day));
        lanes[Field::Messages as usize] = Some(Lane::Numbers(&lines.messages));
        lanes[Field::Domain as usize] = Some(Lane::Texts { keys: &lines.domain, texts: &names });
        lanes[Field::OrgDomain as usize] = Some(Lane::Texts { keys: &lines.domain, texts: &organizational });
        lanes[Field::Outcome as usize] = Some(Lane::Texts { keys: &lines.outcome, texts: &outcomes });
        lanes[Field::Disposition as usize] = Some(Lane::Texts { keys: &lines.disposition, texts: &dispositions });
        let weights = Some(&lines.rows[..]);
        found.add(&Batch { rows: lines.day.len(), lanes, weights, dead: &[], from: i32::MIN, chosen: false })?;
        for column in [&mut lines.day, &mut lines.domain, &mut lines.outcome, &mut lines.disposition] {
            column.clear();
        }
        lines.rows.clear();
        lines.messages.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<Aggregate<'p>, Error> {
        self.hand_on()?;
        Ok(self.found)
    }
}

impl Lines {
    /// The position of an author domain's name.
    fn domain(&mut self, c: &Connection, id: i64) -> rusqlite::Result<i32> {
        if let Some(&position) = self.positions.get(&id) {
            return Ok(position);
        }
        let (name, organizational) = c
            .prepare_cached("SELECT name, organizational FROM domain WHERE id = ?1")?
            .query_row([id], |r| Ok((r.get(0)?, r.get(1)?)))?;
        let position = i32::try_from(self.names.len()).unwrap_or(i32::MAX);
        self.positions.insert(id, position);
        self.names.push(name);
        self.organizational.push(organizational);
        Ok(position)
    }
}
