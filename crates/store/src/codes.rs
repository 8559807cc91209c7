//! The values of a column as small dense numbers, counted from 0 in order of first sight: what groups are keyed by and what different
//! values are counted by.

use std::hash::{BuildHasher, Hash};

use arrow_array::Array;
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use report::Day;

use crate::batch::{Batch, index};
use crate::names::Names;
use crate::plan::{address, network, network_value};
use crate::{Column, Value};

const NONE: u32 = u32::MAX;
/// Days of a batch that lie further apart than this are looked up one by one.
const DAYS_APART: usize = 1 << 16;

/// Values and their codes.
#[derive(Debug, Clone)]
pub(crate) struct Interner<T> {
    values: Vec<T>,
    table: HashTable<u32>,
    state: FixedState,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { values: Vec::new(), table: HashTable::new(), state: FixedState::default() }
    }
}

impl<T: Copy + Eq + Hash> Interner<T> {
    fn code(&mut self, value: T) -> u32 {
        let Self { values, table, state } = self;
        let hash = state.hash_one(value);
        if let Some(&code) = table.find(hash, |&code| values[code as usize] == value) {
            return code;
        }
        let code = u32::try_from(values.len()).unwrap_or(NONE);
        values.push(value);
        table.insert_unique(hash, code, |&code| state.hash_one(values[code as usize]));
        code
    }
}

/// The codes of one column.
pub(crate) enum Codes {
    Days(Interner<i32>),
    Reports(Interner<u64>),
    Sources(Interner<u128>),
    /// By the first address of each network.
    Networks(Interner<u128>),
    Texts(Names),
}

impl Codes {
    pub(crate) fn new(column: Column) -> Self {
        match column {
            Column::Day => Self::Days(Interner::default()),
            Column::Report => Self::Reports(Interner::default()),
            Column::Source => Self::Sources(Interner::default()),
            Column::Network => Self::Networks(Interner::default()),
            _ => Self::Texts(Names::default()),
        }
    }

    /// How many different values there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Days(days) => days.values.len(),
            Self::Reports(reports) => reports.values.len(),
            Self::Sources(addresses) | Self::Networks(addresses) => addresses.values.len(),
            Self::Texts(texts) => texts.len(),
        }
    }

    /// The codes of the rows' values. Only values of these rows get one.
    pub(crate) fn of_rows(&mut self, column: Column, batch: &Batch<'_>, rows: &[u32]) -> Vec<u32> {
        match self {
            Self::Days(codes) => of_days(codes, batch.days(), rows),
            Self::Reports(codes) => {
                let reports = batch.numbers(column.field());
                rows.iter().map(|&row| codes.code(reports[row as usize])).collect()
            }
            Self::Sources(codes) => {
                let (keys, addresses) = batch.sources();
                through(keys, rows, addresses.len(), |key| codes.code(addresses[key]))
            }
            Self::Networks(codes) => {
                let (keys, addresses) = batch.sources();
                through(keys, rows, addresses.len(), |key| codes.code(network(addresses[key])))
            }
            Self::Texts(codes) => match batch.texts(column.field()) {
                Some((keys, texts)) => through(keys, rows, texts.len(), |key| codes.code(texts.value(key))),
                None => vec![0; rows.len()],
            },
        }
    }

    /// A code for each code of another worker.
    pub(crate) fn adopt(&mut self, theirs: &Self) -> Vec<u32> {
        match (self, theirs) {
            (Self::Days(ours), Self::Days(theirs)) => theirs.values.iter().map(|&v| ours.code(v)).collect(),
            (Self::Reports(ours), Self::Reports(theirs)) => theirs.values.iter().map(|&v| ours.code(v)).collect(),
            (Self::Sources(ours), Self::Sources(theirs)) | (Self::Networks(ours), Self::Networks(theirs)) => {
                theirs.values.iter().map(|&v| ours.code(v)).collect()
            }
            (Self::Texts(ours), Self::Texts(theirs)) => theirs.iter().map(|text| ours.code(text)).collect(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn value(&self, code: u32) -> Value {
        let at = code as usize;
        match self {
            Self::Days(days) => Value::Day(Day(days.values[at])),
            Self::Reports(reports) => Value::Number(reports.values[at]),
            Self::Sources(addresses) => Value::Address(address(addresses.values[at])),
            Self::Networks(addresses) => network_value(addresses.values[at]),
            Self::Texts(texts) => Value::Text(texts.text(code).clone()),
        }
    }

    /// Compares the value of a code with that of a code of `other`: days and numbers as such, addresses by their 16 bytes, texts by their
    /// bytes.
    pub(crate) fn compare(&self, a: u32, other: &Self, b: u32) -> std::cmp::Ordering {
        let (x, y) = (a as usize, b as usize);
        match (self, other) {
            (Self::Days(ours), Self::Days(theirs)) => ours.values[x].cmp(&theirs.values[y]),
            (Self::Reports(ours), Self::Reports(theirs)) => ours.values[x].cmp(&theirs.values[y]),
            (Self::Sources(ours), Self::Sources(theirs)) | (Self::Networks(ours), Self::Networks(theirs)) => {
                ours.values[x].cmp(&theirs.values[y])
            }
            (Self::Texts(ours), Self::Texts(theirs)) => ours.text(a).cmp(theirs.text(b)),
            // Codes of one column are of one kind.
            _ => std::cmp::Ordering::Equal,
        }
    }
}

/// Codes by way of what the rows point at; each of those is looked up once.
fn through(keys: &[i32], rows: &[u32], different: usize, mut code: impl FnMut(usize) -> u32) -> Vec<u32> {
    let mut codes = vec![NONE; different];
    let mut of = |&row: &u32| {
        let key = index(keys[row as usize]);
        if codes[key] == NONE {
            codes[key] = code(key);
        }
        codes[key]
    };
    rows.iter().map(&mut of).collect()
}

/// Codes of days, which in a batch are few and close to each other.
fn of_days(codes: &mut Interner<i32>, days: &[i32], rows: &[u32]) -> Vec<u32> {
    let range = rows.iter().map(|&row| days[row as usize]).fold((i32::MAX, i32::MIN), |(a, b), d| (a.min(d), b.max(d)));
    let apart = range.1.checked_sub(range.0).and_then(|apart| usize::try_from(apart).ok()).unwrap_or(usize::MAX);
    if apart >= DAYS_APART {
        return rows.iter().map(|&row| codes.code(days[row as usize])).collect();
    }
    let place = |row: u32| (days[row as usize] - range.0).cast_unsigned() as usize;
    let mut known = vec![NONE; apart + 1];
    for &row in rows {
        if known[place(row)] == NONE {
            known[place(row)] = codes.code(days[row as usize]);
        }
    }
    rows.iter().map(|&row| known[place(row)]).collect()
}
