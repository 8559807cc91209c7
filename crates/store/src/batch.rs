//! Rows as they come out of a segment or a rollup, column by column, and which of them a question wants.

use arrow_array::StringArray;

use crate::field::Field;
use crate::plan::{Filter, Plan, any_between, any_meets};

/// A column of a batch.
pub(crate) enum Lane<'a> {
    Days(&'a [i32]),
    Numbers(&'a [u64]),
    /// Each row points at an address; rows next to each other at the same one.
    Sources {
        keys: Vec<i32>,
        addresses: Vec<u128>,
    },
    /// Each row points at a text.
    Texts {
        keys: &'a [i32],
        texts: &'a StringArray,
    },
}

/// Rows of a segment, or lines of a rollup.
pub(crate) struct Batch<'a> {
    pub(crate) rows: usize,
    /// By field; those that are not read are missing.
    pub(crate) lanes: [Option<Lane<'a>>; 22],
    /// How many rows each line stands for; 1 where absent.
    pub(crate) weights: Option<&'a [u64]>,
    /// Reports whose rows do not count, ascending.
    pub(crate) dead: &'a [u64],
    /// Rows before this day do not count.
    pub(crate) from: i32,
    /// All rows were found to be wanted before.
    pub(crate) chosen: bool,
}

impl<'a> Batch<'a> {
    /// A column of days; empty if it was not read.
    pub(crate) fn days(&self) -> &'a [i32] {
        match self.lanes[Field::Day as usize] {
            Some(Lane::Days(days)) => days,
            _ => &[],
        }
    }

    /// A column of numbers; empty if it was not read.
    pub(crate) fn numbers(&self, field: Field) -> &'a [u64] {
        match self.lanes[field as usize] {
            Some(Lane::Numbers(numbers)) => numbers,
            _ => &[],
        }
    }

    /// What each row of a text column points at, and the texts; `None` if it was not read.
    pub(crate) fn texts(&self, field: Field) -> Option<(&'a [i32], &'a StringArray)> {
        match self.lanes[field as usize] {
            Some(Lane::Texts { keys, texts }) => Some((keys, texts)),
            _ => None,
        }
    }

    /// What each row points at, and the addresses; empty if they were not read.
    pub(crate) fn sources(&self) -> (&[i32], &[u128]) {
        match &self.lanes[Field::Source as usize] {
            Some(Lane::Sources { keys, addresses }) => (keys, addresses),
            _ => (&[], &[]),
        }
    }

    /// The rows that count and pass the filter.
    pub(crate) fn select(&self, plan: &Plan) -> Vec<u32> {
        let mut rows: Vec<u32> = (0..u32::try_from(self.rows).unwrap_or(u32::MAX)).collect();
        if self.chosen {
            return rows;
        }
        let (first, last) = plan.days.unwrap_or((i32::MIN, i32::MAX));
        let first = first.max(self.from);
        if first > i32::MIN || last < i32::MAX {
            let days = self.days();
            rows.retain(|&row| (first..=last).contains(&days[row as usize]));
        }
        if !self.dead.is_empty() {
            let reports = self.numbers(Field::Report);
            rows.retain(|&row| self.dead.binary_search(&reports[row as usize]).is_err());
        }
        for filter in &plan.filters {
            self.filter(filter, &mut rows);
        }
        rows
    }

    fn filter(&self, filter: &Filter, rows: &mut Vec<u32>) {
        // Texts and addresses are tested once each, however many rows point at them.
        let (keys, passes): (_, Vec<bool>) = match filter {
            Filter::Text { field, texts: wanted, keep } => {
                let Some((keys, texts)) = self.texts(*field) else { return };
                (keys, texts.iter().map(|text| wanted.contains(text.unwrap_or_default()) == *keep).collect())
            }
            Filter::Sources { sources: wanted, keep } => {
                let (keys, addresses) = self.sources();
                (keys, addresses.iter().map(|&address| any_between(wanted, address, address) == *keep).collect())
            }
            Filter::Ranges { ranges, keep } => {
                let (keys, addresses) = self.sources();
                (keys, addresses.iter().map(|&address| any_meets(ranges, address, address) == *keep).collect())
            }
            Filter::Days { days: wanted, keep } => {
                let days = self.days();
                return rows.retain(|&row| wanted.contains(&days[row as usize]) == *keep);
            }
            Filter::Reports { reports: wanted, keep } => {
                let reports = self.numbers(Field::Report);
                return rows.retain(|&row| wanted.contains(&reports[row as usize]) == *keep);
            }
        };
        if passes.iter().all(|passes| *passes) {
            return;
        }
        rows.retain(|&row| passes[index(keys[row as usize])]);
    }
}

/// What a row points at, as an index: never negative, as nothing is null.
pub(crate) fn index(key: i32) -> usize {
    key.cast_unsigned() as usize
}
