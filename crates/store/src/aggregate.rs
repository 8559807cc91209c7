//! Groups and sums rows, batch by batch: the inner loop of every question.
//!
//! Each worker has an [`Aggregate`] of its own, with codes of its own; at the end they are merged. Memory is what the groups take:
//! 8 bytes for two columns of the key, 8 for each measure, 16 more for each measure that counts different values.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::{HashSet, HashTable};
use report::{Disposition, Outcome};

use crate::batch::{Batch, index};
use crate::codes::Codes;
use crate::field::Field;
use crate::plan::{Plan, day_bits};
use crate::{Column, Error, Measure};

/// Lines an answer may have in all. The sources of a year of a large company are some millions; this many take 1 to 5 GB.
pub(crate) const GROUPS_MAX: usize = 40_000_000;
const NONE: u32 = u32::MAX;

/// The groups found so far.
pub(crate) struct Aggregate<'p> {
    plan: &'p Plan,
    /// The codes of the columns that are grouped by or counted, in the plan's order.
    pub(crate) codes: Vec<Codes>,
    /// Keys of all groups, `plan.width` words each: two codes a word.
    keys: Vec<u64>,
    /// Measures of all groups, one word each.
    pub(crate) sums: Vec<u64>,
    pub(crate) groups: usize,
    /// Groups by key, where the key has two columns or more.
    table: HashTable<u32>,
    /// Groups by code, where it has one.
    direct: Vec<u32>,
    state: FixedState,
    /// By measure: those that count different values and are not settled by the key.
    distinct: Vec<Option<Distinct>>,
}

/// Different values in each group.
#[derive(Default)]
struct Distinct {
    /// By group: codes below 128, which with days and reporters are nearly all.
    first: Vec<u128>,
    /// Group and code of the others.
    rest: HashSet<u64, FixedState>,
}

impl Distinct {
    /// Counts the codes that are new in the group; they are given as bits below 128, or one by one.
    fn insert(&mut self, group: u32, code: u32) -> u64 {
        if code < 128 {
            return self.insert_bits(group, 1 << code);
        }
        u64::from(self.rest.insert(u64::from(group) << 32 | u64::from(code)))
    }

    fn insert_bits(&mut self, group: u32, bits: u128) -> u64 {
        if self.first.len() <= group as usize {
            self.first.resize(group as usize + 1, 0);
        }
        let seen = &mut self.first[group as usize];
        let new = bits & !*seen;
        *seen |= bits;
        u64::from(new.count_ones())
    }

    /// Takes over what another worker found: its groups and codes have these numbers here. `new` gets the group and how many codes are
    /// new in it.
    fn adopt(&mut self, theirs: &Self, groups: &[u32], codes: &[u32], mut new: impl FnMut(u32, u64)) {
        for (&group, &bits) in groups.iter().zip(&theirs.first) {
            let (mut left, mut ours) = (bits, 0);
            while left != 0 {
                let code = codes[left.trailing_zeros() as usize];
                left &= left - 1;
                if code < 128 {
                    ours |= 1 << code;
                } else {
                    new(group, self.insert(group, code));
                }
            }
            new(group, self.insert_bits(group, ours));
        }
        for &pair in &theirs.rest {
            let (group, code) = (groups[half(pair, 32) as usize], codes[half(pair, 0) as usize]);
            new(group, self.insert(group, code));
        }
    }
}

/// 32 bits of a word.
fn half(word: u64, shift: u32) -> u32 {
    u32::try_from(word >> shift & u64::from(u32::MAX)).unwrap_or(NONE)
}

impl<'p> Aggregate<'p> {
    pub(crate) fn new(plan: &'p Plan) -> Self {
        let distinct = |measure: &Measure| match measure {
            Measure::Distinct(column) => (!plan.group.contains(column)).then(Distinct::default),
            _ => None,
        };
        Self {
            plan,
            codes: plan.coded.iter().map(|&column| Codes::new(column)).collect(),
            keys: Vec::new(),
            sums: Vec::new(),
            groups: 0,
            table: HashTable::new(),
            direct: Vec::new(),
            state: FixedState::default(),
            distinct: plan.measures.iter().map(distinct).collect(),
        }
    }

    /// Adds the rows of a batch that pass the filter.
    pub(crate) fn add(&mut self, batch: &Batch<'_>) -> Result<(), Error> {
        self.add_rows(batch, &batch.select(self.plan))
    }

    /// Adds these rows of a batch.
    pub(crate) fn add_rows(&mut self, batch: &Batch<'_>, rows: &[u32]) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let codes: Vec<Vec<u32>> = self
            .plan
            .coded
            .iter()
            .zip(&mut self.codes)
            .map(|(&column, codes)| codes.of_rows(column, batch, rows))
            .collect();
        let groups = self.group(&codes, rows.len())?;
        self.add_messages(batch, rows, &groups);
        for at in 0..self.plan.measures.len() {
            self.add_other(at, batch, rows, &groups, &codes);
        }
        Ok(())
    }

    /// The group of each row.
    fn group(&mut self, codes: &[Vec<u32>], rows: usize) -> Result<Vec<u32>, Error> {
        let columns = self.plan.group.len();
        let mut groups = Vec::with_capacity(rows);
        if columns == 0 {
            self.find_or_add(&[])?;
            groups.resize(rows, 0);
            return Ok(groups);
        }
        if columns == 1 {
            self.direct.resize(self.codes[0].len(), NONE);
            for &code in &codes[0] {
                if self.direct[code as usize] == NONE {
                    self.direct[code as usize] = self.add_group(&[u64::from(code)])?;
                }
                groups.push(self.direct[code as usize]);
            }
            return Ok(groups);
        }
        let width = self.plan.width;
        let mut keys = vec![0_u64; rows * width];
        for (at, codes) in codes.iter().take(columns).enumerate() {
            let (word, shift) = place(at);
            for (key, &code) in keys.chunks_exact_mut(width).zip(codes) {
                key[word] |= u64::from(code) << shift;
            }
        }
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
        let width = self.plan.width;
        let hash = hash(&self.state, key);
        let keys = &self.keys;
        let of = |group: u32| &keys[group as usize * width..][..width];
        if let Some(&group) = self.table.find(hash, |&group| of(group) == key) {
            return Ok(group);
        }
        let group = self.add_group(key)?;
        let (keys, state) = (&self.keys, &self.state);
        let of = |group: u32| &keys[group as usize * width..][..width];
        self.table.insert_unique(hash, group, |&group| self::hash(state, of(group)));
        Ok(group)
    }

    fn add_group(&mut self, key: &[u64]) -> Result<u32, Error> {
        if self.groups >= GROUPS_MAX {
            return Err(too_many());
        }
        let group = u32::try_from(self.groups).unwrap_or(NONE);
        self.groups += 1;
        self.keys.extend_from_slice(key);
        self.sums.extend(self.plan.measures.iter().map(|measure| match measure {
            Measure::FirstDay => u64::MAX,
            Measure::Distinct(column) => u64::from(self.plan.group.contains(column)),
            _ => 0,
        }));
        Ok(group)
    }

    /// Adds up messages: in one pass those by outcome, in one those that pass or fail, in one those by disposition.
    fn add_messages(&mut self, batch: &Batch<'_>, rows: &[u32], groups: &[u32]) {
        let messages = batch.numbers(Field::Messages);
        let stride = self.plan.measures.len();
        let families: [(Field, Family); 3] = [
            (Field::Outcome, |m| matches!(m, Measure::Outcome(_))),
            (Field::Outcome, |m| matches!(m, Measure::Passing | Measure::Failing)),
            (Field::Disposition, |m| matches!(m, Measure::Disposition(_))),
        ];
        for (field, of_family) in families {
            if !self.plan.measures.iter().any(of_family) {
                continue;
            }
            let Some((keys, texts)) = batch.texts(field) else { continue };
            // For what each row points at: the measure it adds to, if any.
            let target = |text: Option<&str>| {
                let adds = |m: &Measure| of_family(m) && counts(*m, text.unwrap_or_default());
                self.plan.measures.iter().position(adds)
            };
            let targets: Vec<Option<usize>> = texts.iter().map(target).collect();
            for (&row, &group) in rows.iter().zip(groups) {
                if let Some(at) = targets[index(keys[row as usize])] {
                    let sum = &mut self.sums[group as usize * stride + at];
                    *sum = sum.saturating_add(messages[row as usize]);
                }
            }
        }
    }

    fn add_other(&mut self, at: usize, batch: &Batch<'_>, rows: &[u32], groups: &[u32], codes: &[Vec<u32>]) {
        let stride = self.plan.measures.len();
        let cell = |group: u32| group as usize * stride + at;
        match self.plan.measures[at] {
            Measure::Messages => {
                let messages = batch.numbers(Field::Messages);
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
            Measure::FirstDay => {
                let days = batch.days();
                for (&row, &group) in rows.iter().zip(groups) {
                    let sum = &mut self.sums[cell(group)];
                    *sum = u64::from(day_bits(days[row as usize])).min(*sum);
                }
            }
            Measure::LastDay => {
                let days = batch.days();
                for (&row, &group) in rows.iter().zip(groups) {
                    let sum = &mut self.sums[cell(group)];
                    *sum = u64::from(day_bits(days[row as usize])).max(*sum);
                }
            }
            Measure::Distinct(column) => {
                let (Some(seen), Some(of)) = (&mut self.distinct[at], coded(self.plan, column)) else { return };
                // Rows of one group often follow each other: what they have is gathered first.
                let (mut open, mut bits) = (NONE, 0_u128);
                for (&group, &code) in groups.iter().zip(&codes[of]) {
                    if group != open {
                        if bits != 0 {
                            self.sums[cell(open)] += seen.insert_bits(open, bits);
                        }
                        (open, bits) = (group, 0);
                    }
                    if code < 128 {
                        bits |= 1 << code;
                    } else {
                        self.sums[cell(group)] += seen.insert(group, code);
                    }
                }
                if bits != 0 {
                    self.sums[cell(open)] += seen.insert_bits(open, bits);
                }
            }
            // Done in one pass before.
            Measure::Outcome(_) | Measure::Passing | Measure::Failing | Measure::Disposition(_) => {}
        }
    }

    /// Takes over what another worker found.
    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), Error> {
        let stride = self.plan.measures.len();
        let recoded: Vec<Vec<u32>> =
            self.codes.iter_mut().zip(&other.codes).map(|(ours, theirs)| ours.adopt(theirs)).collect();
        let mut groups = Vec::with_capacity(other.groups);
        let mut key = vec![0; self.plan.width];
        for theirs in 0..other.groups {
            key.fill(0);
            for (at, recoded) in recoded.iter().take(self.plan.group.len()).enumerate() {
                let (word, shift) = place(at);
                key[word] |= u64::from(recoded[other.code(theirs, at) as usize]) << shift;
            }
            let ours = self.group_of(&key)?;
            groups.push(ours);
            for (at, measure) in self.plan.measures.iter().enumerate() {
                let theirs = other.sums[theirs * stride + at];
                let sum = &mut self.sums[ours as usize * stride + at];
                *sum = match measure {
                    Measure::FirstDay => theirs.min(*sum),
                    Measure::LastDay => theirs.max(*sum),
                    Measure::Distinct(_) => *sum,
                    _ => sum.saturating_add(theirs),
                };
            }
        }
        for (at, measure) in self.plan.measures.iter().enumerate() {
            let Measure::Distinct(column) = *measure else { continue };
            let (Some(ours), Some(theirs), Some(of)) =
                (&mut self.distinct[at], &other.distinct[at], coded(self.plan, column))
            else {
                continue;
            };
            let sums = &mut self.sums;
            ours.adopt(theirs, &groups, &recoded[of], |group, new| sums[group as usize * stride + at] += new);
        }
        Ok(())
    }

    fn group_of(&mut self, key: &[u64]) -> Result<u32, Error> {
        if self.plan.group.len() != 1 {
            return self.find_or_add(key);
        }
        let code = half(key[0], 0) as usize;
        self.direct.resize(self.codes[0].len(), NONE);
        if self.direct[code] == NONE {
            self.direct[code] = self.add_group(key)?;
        }
        Ok(self.direct[code])
    }

    /// The code of a group's value in its `at`-th column.
    pub(crate) fn code(&self, group: usize, at: usize) -> u32 {
        let (word, shift) = place(at);
        half(self.keys[group * self.plan.width + word], shift)
    }

    /// The measures over all groups.
    pub(crate) fn totals(&self) -> Vec<u64> {
        let stride = self.plan.measures.len();
        let total = |(at, measure): (usize, &Measure)| {
            let all = (0..self.groups).map(|group| self.sums[group * stride + at]);
            match measure {
                Measure::FirstDay => all.min().unwrap_or(u64::MAX),
                Measure::LastDay => all.max().unwrap_or(0),
                // Every value of a row that counts has a code, and nothing else has.
                Measure::Distinct(column) => coded(self.plan, *column).map_or(0, |of| self.codes[of].len() as u64),
                _ => all.fold(0, u64::saturating_add),
            }
        };
        self.plan.measures.iter().enumerate().map(total).collect()
    }
}

/// Which measures are added up together: a row adds to one of them at most.
type Family = fn(&Measure) -> bool;

/// Where the code of a group's `at`-th column stands in its key.
fn place(at: usize) -> (usize, u32) {
    (at / 2, if at.is_multiple_of(2) { 0 } else { 32 })
}

/// The position of a column's codes.
fn coded(plan: &Plan, column: Column) -> Option<usize> {
    plan.coded.iter().position(|&coded| coded == column)
}

fn hash(state: &FixedState, key: &[u64]) -> u64 {
    match key {
        &[one] => state.hash_one(one),
        &[one, two] => state.hash_one(u128::from(one) << 64 | u128::from(two)),
        more => state.hash_one(more),
    }
}

/// The answer has too many lines.
pub(crate) fn too_many() -> Error {
    let what = format!("the answer has more than {GROUPS_MAX} lines: ask about fewer days, or group by less");
    Error::Question { what }
}

/// Whether messages of this outcome or disposition add to the measure.
fn counts(measure: Measure, word: &str) -> bool {
    match measure {
        Measure::Outcome(outcome) => word == outcome.word(),
        Measure::Passing => Outcome::from_word(word).is_some_and(Outcome::passes),
        Measure::Failing => !Outcome::from_word(word).is_some_and(Outcome::passes),
        Measure::Disposition(disposition) => word == Disposition::word(disposition),
        _ => false,
    }
}
