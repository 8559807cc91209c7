//! Which rows of a row group may pass a filter, by the smallest and largest values of its pages. Reads no rows.

use std::ops::Range;

use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::file::page_index::column_index::ColumnIndexMetaData;

use crate::by_source::SOURCES_FEW;
use crate::field::{Field, SortedBy};
use crate::plan::{Filter, Plan, any_between, any_meets};

/// The rows of a row group on pages that may hold what is wanted.
pub(crate) fn candidates(
    index: &ArrowReaderMetadata,
    group: usize,
    plan: &Plan,
    from: i32,
    sorted: SortedBy,
) -> Vec<Range<usize>> {
    let rows = usize::try_from(index.metadata().row_group(group).num_rows()).unwrap_or(0);
    let mut ranges: Vec<_> = std::iter::once(0..rows).collect();
    let (first, last) = plan.days.unwrap_or((i32::MIN, i32::MAX));
    let first = first.max(from);
    if first > i32::MIN || last < i32::MAX {
        prune(index, group, sorted.position(Field::Day), &mut ranges, &|page| match page {
            Bounds::Day(min, max) => min <= last && max >= first,
            _ => true,
        });
    }
    for filter in plan.filters.iter().chain(&plan.hints).filter(|filter| few(filter)) {
        let column = sorted.position(filter.field());
        prune(index, group, column, &mut ranges, &|page| may_pass(filter, &page));
    }
    ranges
}

/// Whether a filter is worth holding against every page.
fn few(filter: &Filter) -> bool {
    match filter {
        Filter::Sources { sources, .. } => sources.len() <= SOURCES_FEW,
        Filter::Ranges { ranges, .. } => ranges.len() <= SOURCES_FEW,
        Filter::Text { .. } | Filter::Days { .. } | Filter::Reports { .. } => true,
    }
}

/// Smallest and largest value of a page.
enum Bounds<'a> {
    Day(i32, i32),
    Bytes(&'a [u8], &'a [u8]),
    Sources(u128, u128),
}

fn may_pass(filter: &Filter, page: &Bounds<'_>) -> bool {
    match (filter, page) {
        (Filter::Text { texts, keep: true, .. }, Bounds::Bytes(min, max)) => {
            texts.iter().any(|text| *min <= text.as_bytes() && text.as_bytes() <= *max)
        }
        (Filter::Days { days, keep: true }, Bounds::Day(min, max)) => days.iter().any(|day| min <= day && day <= max),
        (Filter::Sources { sources, keep: true }, Bounds::Sources(min, max)) => any_between(sources, *min, *max),
        (Filter::Ranges { ranges, keep: true }, Bounds::Sources(min, max)) => any_meets(ranges, *min, *max),
        _ => true,
    }
}

/// Takes out of `ranges` the rows of pages that fail the test. Without an index nothing is taken out.
fn prune(
    index: &ArrowReaderMetadata,
    group: usize,
    column: usize,
    ranges: &mut Vec<Range<usize>>,
    test: &dyn Fn(Bounds<'_>) -> bool,
) {
    let metadata = index.metadata();
    let pages = metadata.page_index_for_row_group(group);
    let (Some(bounds), Some(places)) = (pages.column_index(column), pages.offset_index(column)) else {
        return;
    };
    let places = places.page_locations();
    let rows = usize::try_from(metadata.row_group(group).num_rows()).unwrap_or(0);
    let start =
        |page: usize| places.get(page).map_or(rows, |place| usize::try_from(place.first_row_index).unwrap_or(0));
    let passes = |page: usize| match bounds {
        ColumnIndexMetaData::INT32(i) => match (i.min_value(page), i.max_value(page)) {
            (Some(&min), Some(&max)) => test(Bounds::Day(min, max)),
            _ => true,
        },
        ColumnIndexMetaData::BYTE_ARRAY(i) => match (i.min_value(page), i.max_value(page)) {
            (Some(min), Some(max)) => test(Bounds::Bytes(min, max)),
            _ => true,
        },
        ColumnIndexMetaData::FIXED_LEN_BYTE_ARRAY(i) => {
            let source = |bytes: Option<&[u8]>| bytes?.try_into().ok().map(u128::from_be_bytes);
            match (source(i.min_value(page)), source(i.max_value(page))) {
                (Some(min), Some(max)) => test(Bounds::Sources(min, max)),
                _ => true,
            }
        }
        _ => true,
    };
    let wanted: Vec<Range<usize>> =
        (0..places.len()).filter(|&page| passes(page)).map(|page| start(page)..start(page + 1)).collect();
    *ranges = intersect(ranges, &wanted);
}

/// What lies in both; each list is ascending and without overlaps.
fn intersect(a: &[Range<usize>], b: &[Range<usize>]) -> Vec<Range<usize>> {
    let (mut out, mut i, mut j) = (Vec::<Range<usize>>::new(), 0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        let both = x.start.max(y.start)..x.end.min(y.end);
        if !both.is_empty() {
            match out.last_mut() {
                Some(last) if last.end == both.start => last.end = both.end,
                _ => out.push(both),
            }
        }
        if x.end < y.end { i += 1 } else { j += 1 }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_intersect() {
        type Ends<'a> = &'a [(usize, usize)];
        let cases: &[(Ends, Ends, Ends)] = &[
            (&[(0, 10)], &[], &[]),
            (&[(0, 10)], &[(0, 10)], &[(0, 10)]),
            (&[(0, 10)], &[(2, 3), (5, 7)], &[(2, 3), (5, 7)]),
            (&[(0, 10)], &[(2, 5), (5, 7)], &[(2, 7)]),
            (&[(0, 4), (6, 10)], &[(2, 8)], &[(2, 4), (6, 8)]),
            (&[(0, 4), (6, 10)], &[(4, 6)], &[]),
        ];
        let ranges = |ends: Ends| ends.iter().map(|&(start, end)| start..end).collect::<Vec<_>>();
        for &(a, b, both) in cases {
            assert_eq!(intersect(&ranges(a), &ranges(b)), ranges(both), "{a:?} {b:?}");
            assert_eq!(intersect(&ranges(b), &ranges(a)), ranges(both), "{b:?} {a:?}");
        }
    }
}
