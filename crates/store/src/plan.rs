//! A question, checked and laid out: which columns are read, how a group's key is packed, what is computed for each group.
//!
//! Pure: a [`Question`] in, a [`Plan`] out, or the sentence why it cannot be asked.

use std::collections::HashSet;
use std::net::IpAddr;

use report::{Day, Text};

use crate::field::Field;
use crate::stage::number;
use crate::{Column, Condition, Error, Key, Measure, Question, Test, Value, by_source, organizational_domain};

/// A question ready to be run over batches of rows.
pub(crate) struct Plan {
    pub(crate) days: Option<(i32, i32)>,
    pub(crate) filters: Vec<Filter>,
    /// What follows from the filters and is only used to pass pages over.
    pub(crate) hints: Vec<Filter>,
    pub(crate) group: Vec<Column>,
    /// Columns whose values get codes: those grouped by, then those whose different values are counted.
    pub(crate) coded: Vec<Column>,
    /// 64-bit words of a group's key: two codes each.
    pub(crate) width: usize,
    /// The measures computed, each once: those asked for, then those only sorted by.
    pub(crate) measures: Vec<Measure>,
    /// Fields that are read, ascending.
    pub(crate) fields: Vec<Field>,
    /// Those of them that say whether a row is wanted.
    pub(crate) tested: Vec<Field>,
    /// The filter may leave few rows of those on the pages that are read.
    pub(crate) sharp: bool,
    /// It is best answered from files sorted by source.
    pub(crate) by_source: bool,
    /// It is about many sources: groups are kept in several parts.
    pub(crate) split: bool,
}

/// A condition in the form in which it is tested.
pub(crate) enum Filter {
    Text {
        field: Field,
        texts: HashSet<Text>,
        keep: bool,
    },
    Days {
        days: HashSet<i32>,
        keep: bool,
    },
    Reports {
        reports: HashSet<u64>,
        keep: bool,
    },
    /// One of these addresses, ascending, or none of them.
    Sources {
        sources: Vec<u128>,
        keep: bool,
    },
    /// One of these ranges, or none of them: ascending, none touches another.
    Ranges {
        ranges: Vec<(u128, u128)>,
        keep: bool,
    },
}

impl Filter {
    pub(crate) fn field(&self) -> Field {
        match self {
            Self::Text { field, .. } => *field,
            Self::Days { .. } => Field::Day,
            Self::Reports { .. } => Field::Report,
            Self::Sources { .. } | Self::Ranges { .. } => Field::Source,
        }
    }
}

fn wrong<T>(what: impl Into<String>) -> Result<T, Error> {
    Err(Error::Question { what: what.into() })
}

/// Checks and lays out.
pub(crate) fn plan(question: &Question) -> Result<Plan, Error> {
    let mut columns = question.group.clone();
    columns.sort_unstable();
    columns.dedup();
    if columns.len() != question.group.len() {
        return wrong("a column is grouped by twice");
    }
    let mut measures: Vec<Measure> = Vec::new();
    let mut once = |measure: Measure| {
        if !measures.contains(&measure) {
            measures.push(measure);
        }
    };
    question.measures.iter().copied().for_each(&mut once);
    for (key, _) in &question.order {
        match key {
            Key::Measure(measure) => once(*measure),
            Key::Column(column) if question.group.contains(column) => {}
            Key::Column(_) => return wrong("it is sorted by a column that it is not grouped by"),
        }
    }
    let mut coded = question.group.clone();
    for measure in &measures {
        if let Measure::Distinct(column) = measure
            && !coded.contains(column)
        {
            coded.push(*column);
        }
    }
    let filters = question.filter.iter().map(filter).collect::<Result<Vec<_>, _>>()?;
    let mut fields: Vec<Field> = coded.iter().map(|column| column.field()).collect();
    fields.extend(filters.iter().map(Filter::field));
    fields.extend(question.days.map(|_| Field::Day));
    fields.extend(measures.iter().filter_map(|&measure| measured(measure)));
    if measures
        .iter()
        .any(|m| !matches!(m, Measure::Rows | Measure::FirstDay | Measure::LastDay | Measure::Distinct(_)))
    {
        fields.push(Field::Messages);
    }
    fields.sort_unstable();
    fields.dedup();
    let days = question.days.map(|(first, last)| (first.0, last.0));
    let hints = filters.iter().filter_map(hint).collect();
    let group = question.group.clone();
    let width = group.len().div_ceil(2);
    let tested = tested(&filters, days);
    // Days and domains lie together, so that hardly any others are on their pages.
    let together = |field| matches!(field, Field::Day | Field::Domain | Field::OrgDomain);
    let sharp = !tested.iter().all(|&field| together(field));
    let by_source = by_source::suits(&fields, &filters);
    let split = !by_source && group.iter().any(|column| matches!(column, Column::Source | Column::Network));
    Ok(Plan { days, filters, hints, group, coded, width, measures, fields, tested, sharp, by_source, split })
}

/// Segments are sorted by organizational domain first: a name says on which pages to look for it.
fn hint(filter: &Filter) -> Option<Filter> {
    let Filter::Text { field: Field::Domain, texts, keep: true } = filter else { return None };
    let texts = texts.iter().map(|name| organizational_domain(name)).collect();
    Some(Filter::Text { field: Field::OrgDomain, texts, keep: true })
}

fn tested(filters: &[Filter], days: Option<(i32, i32)>) -> Vec<Field> {
    let mut tested: Vec<Field> = filters.iter().map(Filter::field).collect();
    tested.extend(days.map(|_| Field::Day));
    tested.sort_unstable();
    tested.dedup();
    tested
}

impl Plan {
    /// Puts in order what was added to the fields that are read.
    pub(crate) fn widened(&mut self) {
        self.fields.sort_unstable();
        self.fields.dedup();
        self.by_source = by_source::suits(&self.fields, &self.filters);
    }

    /// A plan that only reads: these fields, of rows that pass.
    pub(crate) fn reading(fields: &[Field], days: Option<(i32, i32)>, filters: Vec<Filter>) -> Self {
        let tested = tested(&filters, days);
        let (hints, group, coded, measures) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let fields = fields.to_vec();
        let (sharp, by_source, split) = (false, false, false);
        Self { days, filters, hints, group, coded, width: 0, measures, fields, tested, sharp, by_source, split }
    }
}

/// The field a measure looks at, messages apart.
fn measured(measure: Measure) -> Option<Field> {
    match measure {
        Measure::Messages | Measure::Rows | Measure::Distinct(_) => None,
        Measure::Outcome(_) | Measure::Passing | Measure::Failing => Some(Field::Outcome),
        Measure::Disposition(_) => Some(Field::Disposition),
        Measure::FirstDay | Measure::LastDay => Some(Field::Day),
    }
}

fn filter(condition: &Condition) -> Result<Filter, Error> {
    let (values, keep) = match &condition.test {
        Test::In(values) => (values, true),
        Test::NotIn(values) => (values, false),
        Test::Within(address, length) => {
            if condition.column != Column::Source {
                return wrong("only a source lies within a network");
            }
            return Ok(Filter::Ranges { ranges: vec![range(*address, *length)?], keep: true });
        }
    };
    let column = condition.column;
    let mut made = match column {
        Column::Day => Filter::Days { days: HashSet::new(), keep },
        Column::Report => Filter::Reports { reports: HashSet::new(), keep },
        Column::Source => Filter::Sources { sources: Vec::new(), keep },
        Column::Network => Filter::Ranges { ranges: Vec::new(), keep },
        _ => Filter::Text { field: column.field(), texts: HashSet::new(), keep },
    };
    for value in values {
        match (&mut made, value) {
            (Filter::Days { days, .. }, Value::Day(day)) => drop(days.insert(day.0)),
            (Filter::Reports { reports, .. }, Value::Number(number)) => drop(reports.insert(*number)),
            (Filter::Sources { sources, .. }, Value::Address(address)) => sources.push(number(*address)),
            (Filter::Ranges { ranges, .. }, Value::Network(address, length)) => ranges.push(range(*address, *length)?),
            (Filter::Text { texts, .. }, Value::Text(text)) => drop(texts.insert(text.clone())),
            _ => return wrong(format!("{column:?} is compared with {value:?}, which is of another kind")),
        }
    }
    match &mut made {
        Filter::Sources { sources, .. } => {
            sources.sort_unstable();
            sources.dedup();
        }
        Filter::Ranges { ranges, .. } => merge(ranges),
        _ => {}
    }
    Ok(made)
}

/// Puts ranges in order, those that overlap or touch as one.
fn merge(ranges: &mut Vec<(u128, u128)>) {
    ranges.sort_unstable();
    ranges.dedup_by(|next, last| {
        let touches = next.0 <= last.1.saturating_add(1);
        if touches {
            last.1 = last.1.max(next.1);
        }
        touches
    });
}

/// Whether one of these addresses lies between the two, both included.
pub(crate) fn any_between(sources: &[u128], first: u128, last: u128) -> bool {
    sources.get(sources.partition_point(|&source| source < first)).is_some_and(|&source| source <= last)
}

/// Whether one of these ranges has an address between the two, both included.
pub(crate) fn any_meets(ranges: &[(u128, u128)], first: u128, last: u128) -> bool {
    ranges.get(ranges.partition_point(|range| range.1 < first)).is_some_and(|range| range.0 <= last)
}

/// First and last address of a network, as numbers.
fn range(address: IpAddr, length: u8) -> Result<(u128, u128), Error> {
    let bits = match address {
        IpAddr::V4(_) if length <= 32 => 96 + u32::from(length),
        IpAddr::V6(_) if length <= 128 => u32::from(length),
        _ => return wrong(format!("{address}/{length} is no network: the length is beyond the address")),
    };
    let mask = mask(bits);
    let first = number(address) & mask;
    Ok((first, first | !mask))
}

/// A mask of that many leading ones.
fn mask(bits: u32) -> u128 {
    if bits == 0 { 0 } else { u128::MAX << (128 - bits) }
}

/// Whether an address stands for IPv4.
fn is_v4(address: u128) -> bool {
    address >> 32 == 0xffff
}

/// The /24 or /48 around an address.
pub(crate) fn network(address: u128) -> u128 {
    address & if is_v4(address) { mask(96 + 24) } else { mask(48) }
}

/// An address as a value.
pub(crate) fn address(number: u128) -> IpAddr {
    // `to_canonical` makes IPv4 of mapped addresses only.
    std::net::Ipv6Addr::from_bits(number).to_canonical()
}

/// A network as a value.
pub(crate) fn network_value(number: u128) -> Value {
    Value::Network(address(number), if is_v4(number) { 24 } else { 48 })
}

/// A day in 32 bits that sort as days do.
pub(crate) fn day_bits(day: i32) -> u32 {
    day.cast_unsigned() ^ (1 << 31)
}

/// The inverse of [`day_bits`].
pub(crate) fn day_of_bits(bits: u64) -> Day {
    // Only ever 32 bits wide.
    let bits = u32::try_from(bits & u64::from(u32::MAX)).unwrap_or_default();
    Day((bits ^ (1 << 31)).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_become_ones_that_can_be_searched() {
        type Ranges<'a> = &'a [(u128, u128)];
        let cases: &[(&str, Ranges, Ranges)] = &[
            ("none", &[], &[]),
            ("in order", &[(8, 9), (1, 2)], &[(1, 2), (8, 9)]),
            ("one inside another that begins before it", &[(3, 4), (1, 9), (12, 12)], &[(1, 9), (12, 12)]),
            ("one that begins where another does", &[(1, 2), (1, 9)], &[(1, 9)]),
            ("side by side", &[(1, 2), (3, 4), (6, 7)], &[(1, 4), (6, 7)]),
            ("up to the last address", &[(u128::MAX, u128::MAX), (5, u128::MAX)], &[(5, u128::MAX)]),
        ];
        for (why, ranges, expected) in cases {
            let mut merged = ranges.to_vec();
            merge(&mut merged);
            assert_eq!(merged, *expected, "{why}");
            for first in 0..14 {
                for last in first..14 {
                    let meets = ranges.iter().any(|range| range.0 <= last && first <= range.1);
                    assert_eq!(any_meets(&merged, first, last), meets, "{why}: {first} to {last}");
                }
            }
        }
    }

    #[test]
    fn addresses_are_found_between_others() {
        let sources = [3, 5, 9];
        for first in 0..12 {
            for last in first..12 {
                let between = sources.iter().any(|source| (first..=last).contains(source));
                assert_eq!(any_between(&sources, first, last), between, "{first} to {last}");
            }
        }
        assert!(!any_between(&[], 0, u128::MAX), "nothing is between anything");
    }
}
