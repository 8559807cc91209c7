//! Groups and sums rows, batch by batch: the inner loop of every question.
//!
//! Each worker has an [`Aggregate`] of its own, with codes of its own for texts; at the end they are merged. Memory is what the
//! groups take: key and measures of each, and one entry for each different value that is counted.

use std::hash::BuildHasher;

use arrow_array::{Array, StringArray};
use foldhash::fast::FixedState;
use hashbrown::{HashSet, HashTable};
use report::{Disposition, Outcome};

use crate::field::Field;
use crate::names::Names;
use crate::plan::{Filter, Plan, Slot, day_bits, network};
use crate::{Column, Error, Measure};

/// Groups an answer may have before it is cut short with an error; a list of a year's sources of a large company has some
/// millions, and this many take about 4 GB with the widest keys.
const GROUPS_MAX: usize = 40_000_000;

/// A column of a batch.
pub(crate) enum Lane<'a> {
    Days(&'a [i32]),
    Numbers(&'a [u64]),
    /// 16 bytes each.
    Sources(&'a [u8]),
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
}

/// The groups found so far.
pub(crate) struct Aggregate<'p> {
    plan: &'p Plan,
    pub(crate) names: Names,
    /// Keys of all groups, `plan.width` words each.
    pub(crate) keys: Vec<u64>,
    /// Measures of all groups, one word each.
    pub(crate) sums: Vec<u64>,
    pub(crate) groups: usize,
    table: HashTable<u32>,
    state: FixedState,
    /// For each measure that counts different values: those seen, with their group.
    distinct: Vec<Option<HashSet<(u32, u128), FixedState>>>,
    /// The same over all groups.
    distinct_all: Vec<Option<HashSet<u128, FixedState>>>,
}

impl<'p> Aggregate<'p> {
    pub(crate) fn new(plan: &'p Plan) -> Self {
        let distinct = |m: &Measure| matches!(m, Measure::Distinct(_));
        Self {
            plan,
            names: Names::default(),
            keys: Vec::new(),
            sums: Vec::new(),
            groups: 0,
            table: HashTable::new(),
            state: FixedState::default(),
            distinct: plan.measures.iter().map(|m| distinct(m).then(HashSet::default)).collect(),
            distinct_all: plan.measures.iter().map(|m| distinct(m).then(HashSet::default)).collect(),
        }
    }

    /// Adds the rows of a batch that pass the filter.
    pub(crate) fn add(&mut self, batch: &Batch<'_>) -> Result<(), Error> {
        let rows = select(self.plan, batch);
        if rows.is_empty() {
            return Ok(());
        }
        let groups = self.group(batch, &rows)?;
        for at in 0..self.plan.measures.len() {
            self.measure(at, batch, &rows, &groups);
        }
        Ok(())
    }

    /// The group of each row.
    fn group(&mut self, batch: &Batch<'_>, rows: &[u32]) -> Result<Vec<u32>, Error> {
        let width = self.plan.width;
        let mut keys = vec![0_u64; rows.len() * width];
        for &(column, slot) in &self.plan.group {
            match slot {
                Slot::Half { word, shift } => {
                    let values = self.values32(batch, column, rows);
                    for (key, value) in keys.chunks_exact_mut(width).zip(values) {
                        key[word] |= u64::from(value) << shift;
                    }
                }
                Slot::Word(word) => {
                    let numbers = numbers(batch, column.field());
                    for (key, &row) in keys.chunks_exact_mut(width).zip(rows) {
                        key[word] = numbers[row as usize];
                    }
                }
                Slot::Pair(word) => {
                    for (key, &row) in keys.chunks_exact_mut(width).zip(rows) {
                        let value = source(batch, row, column);
                        (key[word], key[word + 1]) = (high(value), low(value));
                    }
                }
            }
        }
        if width == 0 {
            self.find_or_add(&[])?;
            return Ok(vec![0; rows.len()]);
        }
        let mut groups = Vec::with_capacity(rows.len());
        let mut last: Option<(&[u64], u32)> = None;
        for key in keys.chunks_exact(width) {
            // Segments are sorted, so that rows of one group often follow each other.
            let group = match last {
                Some((same, group)) if same == key => group,
                _ => self.find_or_add(key)?,
            };
            last = Some((key, group));
            groups.push(group);
        }
        Ok(groups)
    }

    fn find_or_add(&mut self, key: &[u64]) -> Result<u32, Error> {
        let Self { plan, keys, sums, groups, table, state, .. } = self;
        let width = plan.width;
        let hash = hash(state, key);
        let key_of = |group: u32| group as usize * width..(group as usize + 1) * width;
        if let Some(&group) = table.find(hash, |&group| keys[key_of(group)] == *key) {
            return Ok(group);
        }
        if *groups >= GROUPS_MAX {
            let what = format!("the answer has more than {GROUPS_MAX} lines: ask about fewer days, or group by less");
            return Err(Error::Question { what });
        }
        let group = u32::try_from(*groups).unwrap_or(u32::MAX);
        *groups += 1;
        keys.extend_from_slice(key);
        sums.extend(plan.measures.iter().map(|m| if *m == Measure::FirstDay { u64::MAX } else { 0 }));
        table.insert_unique(hash, group, |&group| self::hash(state, &keys[key_of(group)]));
        Ok(group)
    }

    /// Texts as codes of this aggregate, days as bits.
    fn values32(&mut self, batch: &Batch<'_>, column: Column, rows: &[u32]) -> Vec<u32> {
        match &batch.lanes[column.field() as usize] {
            Some(Lane::Days(days)) => rows.iter().map(|&row| day_bits(days[row as usize])).collect(),
            Some(Lane::Texts { keys, texts }) => {
                // Only texts of rows that count get a code.
                let mut codes = vec![u32::MAX; texts.len()];
                let code = |&row: &u32| {
                    let key = index(keys[row as usize]);
                    if codes[key] == u32::MAX {
                        codes[key] = self.names.code(texts.value(key));
                    }
                    codes[key]
                };
                rows.iter().map(code).collect()
            }
            _ => vec![0; rows.len()],
        }
    }

    fn measure(&mut self, at: usize, batch: &Batch<'_>, rows: &[u32], groups: &[u32]) {
        let stride = self.plan.measures.len();
        let cell = |group: u32| group as usize * stride + at;
        let messages = || numbers(batch, Field::Messages);
        match self.plan.measures[at] {
            Measure::Messages => {
                let messages = messages();
                for (&row, &group) in rows.iter().zip(groups) {
                    let sum = &mut self.sums[cell(group)];
                    *sum = sum.saturating_add(messages[row as usize]);
                }
            }
            Measure::Rows => {
                for (&row, &group) in rows.iter().zip(groups) {
                    let sum = &mut self.sums[cell(group)];
                    *sum = sum.saturating_add(batch.weights.map_or(1, |weights| weights[row as usize]));
                }
            }
            Measure::Outcome(_) | Measure::Passing | Measure::Failing | Measure::Disposition(_) => {
                let Some((keys, counts)) = counted(batch, self.plan.measures[at]) else { return };
                let messages = messages();
                for (&row, &group) in rows.iter().zip(groups) {
                    if counts[index(keys[row as usize])] {
                        let sum = &mut self.sums[cell(group)];
                        *sum = sum.saturating_add(messages[row as usize]);
                    }
                }
            }
            Measure::FirstDay | Measure::LastDay => {
                let Some(Lane::Days(days)) = &batch.lanes[Field::Day as usize] else { return };
                let first = self.plan.measures[at] == Measure::FirstDay;
                for (&row, &group) in rows.iter().zip(groups) {
                    let (day, sum) = (u64::from(day_bits(days[row as usize])), &mut self.sums[cell(group)]);
                    *sum = if first { day.min(*sum) } else { day.max(*sum) };
                }
            }
            Measure::Distinct(column) => self.measure_distinct(at, column, batch, rows, groups),
        }
    }

    fn measure_distinct(&mut self, at: usize, column: Column, batch: &Batch<'_>, rows: &[u32], groups: &[u32]) {
        let values: Vec<u128> = match column.field() {
            Field::Source => rows.iter().map(|&row| source(batch, row, column)).collect(),
            Field::Report => {
                let numbers = numbers(batch, Field::Report);
                rows.iter().map(|&row| u128::from(numbers[row as usize])).collect()
            }
            _ => self.values32(batch, column, rows).into_iter().map(u128::from).collect(),
        };
        let cell = |group: u32| group as usize * self.plan.measures.len() + at;
        let (Some(seen), Some(all)) = (&mut self.distinct[at], &mut self.distinct_all[at]) else { return };
        let mut last = None;
        for (&group, value) in groups.iter().zip(values) {
            if last == Some((group, value)) {
                continue;
            }
            last = Some((group, value));
            if seen.insert((group, value)) {
                self.sums[cell(group)] += 1;
                all.insert(value);
            }
        }
    }

    /// Takes over what another worker found.
    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), Error> {
        let (width, stride) = (self.plan.width, self.plan.measures.len());
        let mut codes = vec![u32::MAX; other.names.len()];
        let mut key = vec![0; width];
        let mut groups = Vec::with_capacity(other.groups);
        for theirs in 0..other.groups {
            key.copy_from_slice(&other.keys[theirs * width..(theirs + 1) * width]);
            for &(column, slot) in &self.plan.group {
                if let (true, Slot::Half { word, shift }) = (column.field().is_text(), slot) {
                    let old = u32::try_from(key[word] >> shift & u64::from(u32::MAX)).unwrap_or(u32::MAX);
                    let new = recode(&mut self.names, &other.names, &mut codes, old);
                    key[word] = key[word] & !(u64::from(u32::MAX) << shift) | u64::from(new) << shift;
                }
            }
            let ours = self.find_or_add(&key)?;
            groups.push(ours);
            for at in 0..stride {
                let theirs = other.sums[theirs * stride + at];
                let sum = &mut self.sums[ours as usize * stride + at];
                *sum = match self.plan.measures[at] {
                    Measure::FirstDay => theirs.min(*sum),
                    Measure::LastDay => theirs.max(*sum),
                    Measure::Distinct(_) => *sum,
                    _ => sum.saturating_add(theirs),
                };
            }
        }
        for (at, measure) in self.plan.measures.iter().enumerate() {
            let Measure::Distinct(column) = *measure else { continue };
            let (Some(seen), Some(all), Some(theirs)) =
                (&mut self.distinct[at], &mut self.distinct_all[at], &other.distinct[at])
            else {
                continue;
            };
            for &(group, value) in theirs {
                let value = if column.field().is_text() {
                    let old = u32::try_from(value).unwrap_or(u32::MAX);
                    u128::from(recode(&mut self.names, &other.names, &mut codes, old))
                } else {
                    value
                };
                let ours = groups[group as usize];
                if seen.insert((ours, value)) {
                    self.sums[ours as usize * stride + at] += 1;
                    all.insert(value);
                }
            }
        }
        Ok(())
    }

    /// The measures over all groups.
    pub(crate) fn totals(&self) -> Vec<u64> {
        let stride = self.plan.measures.len();
        let total = |(at, measure): (usize, &Measure)| {
            let all = (0..self.groups).map(|group| self.sums[group * stride + at]);
            match measure {
                Measure::FirstDay => all.min().unwrap_or(u64::MAX),
                Measure::LastDay => all.max().unwrap_or(0),
                Measure::Distinct(_) => self.distinct_all[at].as_ref().map_or(0, |seen| seen.len() as u64),
                _ => all.fold(0, u64::saturating_add),
            }
        };
        self.plan.measures.iter().enumerate().map(total).collect()
    }
}

fn recode(ours: &mut Names, theirs: &Names, codes: &mut [u32], old: u32) -> u32 {
    let new = &mut codes[old as usize];
    if *new == u32::MAX {
        *new = ours.code(theirs.text(old));
    }
    *new
}

fn hash(state: &FixedState, key: &[u64]) -> u64 {
    match key {
        &[one] => state.hash_one(one),
        &[one, two] => state.hash_one(u128::from(one) << 64 | u128::from(two)),
        more => state.hash_one(more),
    }
}

/// The rows of a batch that pass the filter.
pub(crate) fn select(plan: &Plan, batch: &Batch<'_>) -> Vec<u32> {
    let mut rows: Vec<u32> = (0..u32::try_from(batch.rows).unwrap_or(u32::MAX)).collect();
    let (first, last) = plan.days.unwrap_or((i32::MIN, i32::MAX));
    let first = first.max(batch.from);
    if let (true, Some(Lane::Days(days))) = (first > i32::MIN || last < i32::MAX, &batch.lanes[Field::Day as usize]) {
        rows.retain(|&row| (first..=last).contains(&days[row as usize]));
    }
    if !batch.dead.is_empty() {
        let reports = numbers(batch, Field::Report);
        rows.retain(|&row| batch.dead.binary_search(&reports[row as usize]).is_err());
    }
    for filter in &plan.filters {
        match (filter, &batch.lanes[filter.field() as usize]) {
            (Filter::Text { texts, keep, .. }, Some(Lane::Texts { keys, texts: dictionary })) => {
                let passes: Vec<bool> =
                    dictionary.iter().map(|text| texts.contains(text.unwrap_or_default()) == *keep).collect();
                rows.retain(|&row| passes[index(keys[row as usize])]);
            }
            (Filter::Days { days: wanted, keep }, Some(Lane::Days(days))) => {
                rows.retain(|&row| wanted.contains(&days[row as usize]) == *keep);
            }
            (Filter::Reports { reports, keep }, Some(Lane::Numbers(numbers))) => {
                rows.retain(|&row| reports.contains(&numbers[row as usize]) == *keep);
            }
            (Filter::Sources { sources, keep }, _) => {
                rows.retain(|&row| sources.contains(&source(batch, row, Column::Source)) == *keep);
            }
            (Filter::Ranges { ranges, keep }, _) => rows.retain(|&row| {
                let source = source(batch, row, Column::Source);
                ranges.iter().any(|&(first, last)| (first..=last).contains(&source)) == *keep
            }),
            _ => {}
        }
    }
    rows
}

/// For a measure of certain outcomes or dispositions: the column's keys, and which dictionary entries count.
fn counted<'a>(batch: &Batch<'a>, measure: Measure) -> Option<(&'a [i32], Vec<bool>)> {
    let wanted = |text: &str| match measure {
        Measure::Outcome(outcome) => text == outcome.word(),
        Measure::Passing => Outcome::from_word(text).is_some_and(Outcome::passes),
        Measure::Failing => !Outcome::from_word(text).is_some_and(Outcome::passes),
        Measure::Disposition(disposition) => text == Disposition::word(disposition),
        _ => false,
    };
    let field = if matches!(measure, Measure::Disposition(_)) { Field::Disposition } else { Field::Outcome };
    match batch.lanes[field as usize] {
        Some(Lane::Texts { keys, texts }) => {
            Some((keys, texts.iter().map(|text| wanted(text.unwrap_or_default())).collect()))
        }
        _ => None,
    }
}

fn numbers<'a>(batch: &Batch<'a>, field: Field) -> &'a [u64] {
    match batch.lanes[field as usize] {
        Some(Lane::Numbers(numbers)) => numbers,
        _ => &[],
    }
}

/// The source of a row, or the network around it.
fn source(batch: &Batch<'_>, row: u32, column: Column) -> u128 {
    let Some(Lane::Sources(bytes)) = &batch.lanes[Field::Source as usize] else { return 0 };
    let address = source_at(bytes, row as usize);
    if column == Column::Network { network(address) } else { address }
}

/// The address of a row.
pub(crate) fn source_at(bytes: &[u8], row: usize) -> u128 {
    let mut address = [0; 16];
    address.copy_from_slice(&bytes[row * 16..][..16]);
    u128::from_be_bytes(address)
}

/// A dictionary key as an index: never negative, as nothing is null.
fn index(key: i32) -> usize {
    key.cast_unsigned() as usize
}

fn high(value: u128) -> u64 {
    u64::try_from(value >> 64).unwrap_or_default()
}

fn low(value: u128) -> u64 {
    u64::try_from(value & u128::from(u64::MAX)).unwrap_or_default()
}
