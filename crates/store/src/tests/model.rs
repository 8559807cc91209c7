//! What the ledger should hold, kept the simple way: a list of reports, and their rows in a table of an in-memory SQLite.

use std::collections::HashMap;

use report::{Day, Row};
use rusqlite::{Connection, params, types::ValueRef};

use super::support::Whole;
use crate::stage::number;
use crate::telling::{self, UNKNOWN};
use crate::{Answer, Column, Line, Measure, Question, Taken, Value, organizational_domain, plan};

/// The reports that count, by identity.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) counts: HashMap<[u8; 16], (u64, Whole)>,
    /// Contents seen for each identity.
    seen: HashMap<[u8; 16], Vec<[u8; 32]>>,
    pub(crate) conflicts: u64,
    pub(crate) duplicates: u64,
}

impl Model {
    /// Takes a report in, and holds what the ledger says came of it against what should have.
    pub(crate) fn take(&mut self, whole: &Whole, taken: Taken) {
        let identity = whole.finished().identity;
        let seen = self.seen.entry(identity.key).or_default();
        match (self.counts.get(&identity.key), taken) {
            (None, Taken::New { id }) => drop(self.counts.insert(identity.key, (id, whole.clone()))),
            (Some((old, _)), Taken::Duplicate { id }) if seen.contains(&identity.content) => {
                assert_eq!(*old, id);
                self.duplicates += 1;
            }
            (Some((old, _)), Taken::Conflict { id, replaces }) if !seen.contains(&identity.content) => {
                assert_eq!(*old, replaces);
                self.counts.insert(identity.key, (id, whole.clone()));
                self.conflicts += 1;
            }
            (known, taken) => panic!("{taken:?} though known is {:?}", known.map(|k| k.0)),
        }
        seen.push(identity.content);
    }

    /// Takes a report in under this number, whatever the ledger says.
    pub(crate) fn put(&mut self, whole: &Whole, id: u64) {
        let identity = whole.finished().identity;
        let seen = self.seen.entry(identity.key).or_default();
        if !seen.contains(&identity.content) {
            self.counts.insert(identity.key, (id, whole.clone()));
            seen.push(identity.content);
        }
    }

    /// Forgets everything before a day.
    pub(crate) fn retain(&mut self, oldest: Day) {
        self.counts.retain(|_, (_, whole)| whole.report.interval.days().1 >= oldest);
        self.seen.retain(|key, _| self.counts.contains_key(key));
    }

    /// All rows that count, as a table.
    pub(crate) fn table(&self, oldest: Day) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        let names: Vec<&str> = crate::field::Field::ALL.iter().map(|field| field.name()).collect();
        connection.execute(&format!("CREATE TABLE rows ({})", names.join(", ")), []).unwrap();
        let places = vec!["?"; names.len()].join(", ");
        let mut insert = connection.prepare(&format!("INSERT INTO rows VALUES ({places})")).unwrap();
        for (id, whole) in self.counts.values() {
            for row in &whole.rows {
                for (day, messages) in whole.report.interval.share(row.count, telling::salt(row)) {
                    if day >= oldest {
                        self::insert(&mut insert, *id, whole, row, day, messages);
                    }
                }
            }
        }
        drop(insert);
        connection
    }
}

fn insert(statement: &mut rusqlite::Statement<'_>, id: u64, whole: &Whole, row: &Row, day: Day, messages: u64) {
    let list = |fill: &dyn Fn(&mut String)| {
        let mut text = String::new();
        fill(&mut text);
        text
    };
    let (dkim, spf) = (telling::dkim(row), telling::spf(row));
    let unknown = |text: Option<&str>| text.unwrap_or(UNKNOWN).to_owned();
    let organizational = organizational_domain(&row.author_domain);
    let values = params![
        day.to_string(),
        id.cast_signed(),
        whole.report.reporter.organization.as_str(),
        row.author_domain.as_str(),
        organizational.as_str(),
        whole.report.policy.domain.as_str(),
        number(row.source).to_be_bytes(),
        messages.cast_signed(),
        row.disposition.word(),
        row.outcome().word(),
        unknown(dkim.map(|d| d.domain.as_str())),
        unknown(dkim.and_then(|d| d.selector.as_deref())),
        unknown(dkim.map(|d| d.result.word())),
        list(&|out| telling::dkim_list(&row.dkim, out)),
        unknown(spf.map(|s| s.domain.as_str())),
        unknown(spf.map(|s| s.result.word())),
        list(&|out| telling::spf_list(&row.spf, out)),
        unknown(row.envelope_from.as_deref()),
        unknown(row.envelope_to.as_deref()),
        list(&|out| telling::overrides(&row.overrides, out)),
        list(&|out| telling::comments(&row.overrides, out)),
        telling::policy(&whole.report.policy),
    ];
    statement.execute(values).unwrap();
}

/// The answer SQLite gives to the rendered question.
pub(crate) fn answer(table: &Connection, question: &Question) -> Answer {
    let sql = question.sql().unwrap();
    let measures = |row: &rusqlite::Row<'_>, from: usize| -> Vec<Value> {
        (from..).zip(&question.measures).map(|(at, m)| measure(row.get_ref(at).unwrap(), *m)).collect()
    };
    let mut statement = table.prepare(&sql.lines).unwrap();
    let line = |row: &rusqlite::Row<'_>| {
        let key = question.group.iter().enumerate().map(|(at, c)| key(row.get_ref(at).unwrap(), *c)).collect();
        Ok(Line { key, measures: measures(row, question.group.len()) })
    };
    let lines = statement.query_map([], line).unwrap().map(Result::unwrap).collect();
    let groups: i64 = table.query_row(&sql.groups, [], |r| r.get(0)).unwrap();
    let totals = table.query_row(&sql.totals, [], |r| Ok(measures(r, 0))).unwrap();
    Answer { lines, groups: usize::try_from(groups).unwrap(), totals }
}

fn measure(value: ValueRef<'_>, measure: Measure) -> Value {
    match (measure, value) {
        (Measure::FirstDay | Measure::LastDay, ValueRef::Null) => Value::Absent,
        (Measure::FirstDay | Measure::LastDay, day) => Value::Day(day.as_str().unwrap().parse().unwrap()),
        (_, number) => Value::Number(number.as_i64().unwrap().cast_unsigned()),
    }
}

fn key(value: ValueRef<'_>, column: Column) -> Value {
    let address = || u128::from_str_radix(value.as_str().unwrap(), 16).unwrap();
    match column {
        Column::Day => Value::Day(value.as_str().unwrap().parse().unwrap()),
        Column::Report => Value::Number(value.as_i64().unwrap().cast_unsigned()),
        Column::Source => Value::Address(plan::address(address())),
        Column::Network => plan::network_value(address()),
        _ => Value::Text(value.as_str().unwrap().into()),
    }
}
