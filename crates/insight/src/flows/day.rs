//! The cells of a day: worked out by one question over the day, kept in the catalogue, and made anew only when the day has changed.
//!
//! In: the ledger. Out: packed cells by organizational domain. All reporters are summed here, once a day; whoever classifies reads what is
//! kept and never a row.

use std::collections::BTreeMap;

use report::{Day, Disposition, Outcome, Text};
use store::{Column, Groups, Ledger, Measure, Question, Value, organizational_domain};

use super::Map;
use super::cell::{Cell, Names, RowTexts, read};
use super::pack::{pack, unpack};
use crate::Error;
use crate::day_by_day::DayByDay;

/// Where they are kept.
pub(crate) const CELLS: DayByDay = DayByDay { values: "cells", done: "cells-of-day", form: 2 };

const GROUP: [Column; 8] = [
    Column::Domain,
    Column::Source,
    Column::Dkim,
    Column::Spf,
    Column::EnvelopeFrom,
    Column::Overrides,
    Column::Outcome,
    Column::Disposition,
];

/// The cells of one organizational domain on one day.
#[derive(Default)]
pub(crate) struct OfOrganization {
    names: Names,
    cells: Vec<Cell>,
    /// By everything but messages.
    places: Map<Cell, usize>,
}

// Cells are told apart by everything but messages and reporters, which are zero where this is used.
impl std::hash::Hash for Cell {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.author, self.source, self.own_domain, self.own_selector, self.other, self.spf, self.shape).hash(state);
    }
}

/// Makes sure that the cells of all days from that one on are kept, and gives the days, ascending.
pub(crate) fn refresh(ledger: &Ledger, since: Day) -> Result<Vec<Day>, Error> {
    let days: Vec<(Day, i64)> = ledger.day_versions()?.into_iter().filter(|(day, _)| *day >= since).collect();
    crate::heard::refresh(ledger, &days)?;
    CELLS.refresh(ledger, &days, |day| of_day(ledger, day))?;
    Ok(days.into_iter().map(|(day, _)| day).collect())
}

/// The packed cells of an organizational domain, day by day. They are in one piece: memory of that size goes back to the system.
#[derive(Default)]
pub(crate) struct Kept {
    bytes: Vec<u8>,
    /// Where each day ends.
    ends: Vec<(Day, usize)>,
}

impl Kept {
    pub(crate) fn read(ledger: &Ledger, organization: &str, days: (Day, Day)) -> Result<Self, Error> {
        let mut kept = Self::default();
        ledger.each_derived_about(
            CELLS.values,
            organization,
            i64::from(days.0.0)..=i64::from(days.1.0),
            |derived| {
                kept.push(Day(i32::try_from(derived.number).unwrap_or(i32::MAX)), &derived.bytes);
            },
        )?;
        Ok(kept)
    }

    /// Packed cells that come from elsewhere.
    pub(crate) fn of<'a>(days: impl IntoIterator<Item = (Day, &'a [u8])>) -> Self {
        let mut kept = Self::default();
        days.into_iter().for_each(|(day, bytes)| kept.push(day, bytes));
        kept
    }

    fn push(&mut self, day: Day, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.ends.push((day, self.bytes.len()));
    }

    /// What is packed, day by day.
    pub(crate) fn days(&self) -> impl Iterator<Item = (Day, &[u8])> {
        let mut begin = 0;
        self.ends.iter().map(move |(day, end)| (*day, &self.bytes[std::mem::replace(&mut begin, *end)..*end]))
    }

    /// All cells, day by day. `name` gives a name its number in `state`.
    pub(crate) fn visit<S>(
        &self,
        state: &mut S,
        name: impl Fn(&mut S, &str) -> u32,
        mut visit: impl FnMut(&mut S, Day, &Cell),
    ) {
        for (day, bytes) in self.days() {
            // What is damaged is made anew when its day changes, or by a rebuild; the day is left out until then.
            let _damaged = unpack(bytes, state, &name, |state, cell| visit(state, day, cell));
        }
    }
}

fn question(day: Day) -> Question {
    let measures = vec![Measure::Messages, Measure::Distinct(Column::Reporter)];
    Question { days: Some((day, day)), group: GROUP.to_vec(), measures, ..Question::default() }
}

/// What is seen of a row by those who look at a day's cells.
pub(crate) struct Seen<'a> {
    pub(crate) texts: RowTexts<'a>,
    pub(crate) source: std::net::IpAddr,
    pub(crate) disposition: Disposition,
    pub(crate) messages: u64,
    pub(crate) reporters: u64,
}

/// Goes through what a day's rows say, each combination once.
pub(crate) fn rows(ledger: &Ledger, day: Day, mut visit: impl FnMut(&Seen<'_>)) -> Result<(), Error> {
    Ok(ledger.groups(&question(day), |groups| {
        let texts: Vec<Vec<Text>> = (0..GROUP.len()).map(|at| values(groups, at)).collect();
        for group in 0..groups.len() {
            let text = |at: usize| texts[at][groups.code(group, at) as usize].as_str();
            let Value::Address(source) = groups.value(1, groups.code(group, 1)) else { continue };
            visit(&Seen {
                texts: RowTexts {
                    author: text(0),
                    dkim: text(2),
                    spf: text(3),
                    envelope_from: text(4),
                    overrides: text(5),
                    outcome: Outcome::from_word(text(6)).unwrap_or(Outcome::Unauthenticated),
                },
                source,
                disposition: Disposition::from_word(text(7)).unwrap_or_default(),
                messages: groups.sum(group, 0),
                reporters: groups.sum(group, 1),
            });
        }
    })?)
}

/// The texts of a column by code; empty for addresses.
fn values(groups: &Groups<'_>, at: usize) -> Vec<Text> {
    if GROUP[at] == Column::Source {
        return Vec::new();
    }
    let value = |code| match groups.value(at, code) {
        Value::Text(text) => text,
        _ => Text::default(),
    };
    (0..u32::try_from(groups.values(at)).unwrap_or(u32::MAX)).map(value).collect()
}

/// The packed cells of a day, by organizational domain.
fn of_day(ledger: &Ledger, day: Day) -> Result<BTreeMap<Text, Vec<u8>>, Error> {
    let mut found: Map<Text, OfOrganization> = Map::default();
    let mut organizations: Map<Text, Text> = Map::default();
    rows(ledger, day, |seen| {
        let author = seen.texts.author;
        let organization =
            organizations.entry(Text::new(author)).or_insert_with(|| organizational_domain(author)).clone();
        found.entry(organization).or_default().add(seen);
    })?;
    Ok(found.into_iter().map(|(organization, all)| (organization, all.packed())).collect())
}

impl OfOrganization {
    pub(crate) fn add(&mut self, seen: &Seen<'_>) {
        let mut cell = read(&seen.texts, &mut self.names);
        cell.source = number(seen.source);
        let place = *self.places.entry(cell).or_insert(self.cells.len());
        if place == self.cells.len() {
            self.cells.push(cell);
        }
        let sum = &mut self.cells[place];
        let at = match seen.disposition {
            Disposition::None => 0,
            Disposition::Pass => 1,
            Disposition::Quarantine => 2,
            Disposition::Reject => 3,
        };
        sum.messages[at] = sum.messages[at].saturating_add(seen.messages);
        // The same reporters again, where texts differ in what a cell does not tell apart: at least this many.
        sum.reporters = sum.reporters.max(u32::try_from(seen.reporters).unwrap_or(u32::MAX));
    }

    pub(crate) fn packed(mut self) -> Vec<u8> {
        // Sorted, so that the same day gives the same bytes.
        let names = &self.names;
        let order = |c: &Cell| {
            let name = |n: u32| names.name(n).clone();
            (c.source, name(c.author), name(c.own_domain), name(c.own_selector), name(c.other), name(c.spf), c.shape)
        };
        self.cells.sort_by_cached_key(order);
        let mut sorted = Names::default();
        let cells: Vec<Cell> = self
            .cells
            .iter()
            .map(|cell| {
                let mut of = |number: u32| sorted.number(names.name(number));
                Cell {
                    author: of(cell.author),
                    own_domain: of(cell.own_domain),
                    own_selector: of(cell.own_selector),
                    other: of(cell.other),
                    spf: of(cell.spf),
                    ..*cell
                }
            })
            .collect();
        pack(&sorted, &cells)
    }
}

/// An address as 16 bytes.
pub(crate) fn number(address: std::net::IpAddr) -> u128 {
    match address {
        std::net::IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        std::net::IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The inverse of [`number`].
pub(crate) fn address(number: u128) -> std::net::IpAddr {
    std::net::Ipv6Addr::from_bits(number).to_canonical()
}
