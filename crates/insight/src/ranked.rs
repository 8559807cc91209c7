//! The addresses of a domain ranked by one sum, from the cells that are kept: millions of rows of a quarter are a few hundred thousand
//! addresses, of which a page shows fifty.
//!
//! In: a scope and an order. Out: the addresses of one page, and how many there are. Cells of a day are sorted by address, so some days are
//! gone through side by side, a range of addresses after the other: what is summed stays near. Days that have changed since cells were made
//! are asked of the rows.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::net::IpAddr;

use report::{Day, Text};
use store::{Column, Ledger, Measure, Question, Value};

use crate::counts::number;
use crate::day_by_day;
use crate::flows::day::CELLS;
use crate::flows::pack::{Packed, Skimmed};
use crate::flows::{Kept, Map, address};
use crate::scope::length;
use crate::{Error, GroupBy, Scope, SortBy, SourceOrder, cores};

/// Days of which the rows are asked, at most: from there on rows answer all of it.
const OTHERS_MAX: usize = 7;
/// Days gone through side by side: few enough for all cores to have some, and many, as an address is seen on several.
const TOGETHER: i32 = 23;
/// Addresses of a day in one range: with those of the other days, few enough to stay near.
const RANGE: usize = 256;

/// Messages, and those that fail.
type Sums = (u64, u64);
/// Addresses of one range, each once.
type OfRange = Vec<(u128, Sums)>;
/// What decides about the order, the least first.
type Place = (u64, Reverse<u64>, u128);

/// The addresses of a page, and how many there are in all; `None` where cells do not tell.
pub(crate) fn ranked(
    ledger: &Ledger,
    scope: &Scope,
    days: (Day, Day),
    order: SourceOrder,
) -> Result<Option<(Vec<IpAddr>, usize)>, Error> {
    let Some(domain) = &scope.domain else { return Ok(None) };
    let (period, subdomains) = (scope.period, scope.subdomains);
    let all = Scope { period, domain: Some(domain.clone()), subdomains, ..Scope::default() };
    let summed = matches!(order.sort, SortBy::Failing | SortBy::Messages | SortBy::Passing);
    if *scope != all || order.group != GroupBy::Address || !summed {
        return Ok(None);
    }
    let (kept, others): day_by_day::Days = CELLS.kept(ledger, days)?;
    if kept.is_empty() || others.iter().map(|stretch| length(*stretch)).sum::<usize>() > OTHERS_MAX {
        return Ok(None);
    }
    let organization = store::organizational_domain(domain);
    let author = (!subdomains).then_some(domain);
    let newest = kept.iter().max().copied().unwrap_or_default();
    let ends = ends(&Kept::read(ledger, &organization, (newest, newest))?);
    let work = |found: &mut Vec<Vec<OfRange>>, stretch: &(Day, Day)| {
        let cells = Kept::read(ledger, &organization, *stretch)?;
        found.push(summed_together(&cells, &kept, author, &ends));
        Ok(())
    };
    let of_cores = cores::each(&cores::stretches(days, TOGETHER), Vec::new, work, |found| found)?;
    let mut found: Vec<Vec<OfRange>> = vec![Vec::new(); ends.len() + 1];
    for ranges in of_cores.into_iter().flatten() {
        found.iter_mut().zip(ranges).for_each(|(lists, sums)| lists.push(sums));
    }
    for stretch in others {
        let rows = of_rows(ledger, scope.question(stretch))?;
        for one in rows {
            found[ends.partition_point(|end| *end <= one.0)].push(vec![one]);
        }
    }
    page(&found, order).map(Some)
}

/// Where each range of addresses but the last ends, as a day has them.
fn ends(day: &Kept) -> Vec<u128> {
    let mut ends = Vec::new();
    for (_, bytes) in day.days() {
        let Some(mut packed) = Packed::open(bytes, |_| 0) else { continue };
        let sources = std::iter::from_fn(|| packed.cells.skim()).map(|cell| cell.source);
        ends.extend(sources.step_by(RANGE).skip(1));
    }
    ends.dedup();
    ends
}

/// Sums the cells of some days by address.
fn summed_together(cells: &Kept, kept: &HashSet<Day>, author: Option<&Text>, ends: &[u128]) -> Vec<OfRange> {
    let open = |(_, bytes)| Packed::open(bytes, |name| u32::from(author.is_some_and(|author| name == author)));
    let mut days: Vec<(Packed<'_>, Option<Skimmed>)> =
        cells.days().filter(|(day, _)| kept.contains(day)).filter_map(open).map(|packed| (packed, None)).collect();
    let next = |packed: &mut Packed<'_>| {
        // What is damaged is made anew when its day changes, or by a rebuild; until then the day ends there.
        packed.count = packed.count.checked_sub(1)?;
        packed.cells.skim()
    };
    for (packed, head) in &mut days {
        *head = next(packed);
    }
    let mut table = Map::<u128, Sums>::default();
    let ends = ends.iter().copied().map(Some).chain([None]);
    let of_range = |end: Option<u128>| {
        for (packed, head) in &mut days {
            while let Some(cell) = head.take_if(|cell| end.is_none_or(|end| cell.source < end)) {
                let kind = packed.kinds.get(cell.kind as usize);
                if let Some(kind) = kind.filter(|kind| author.is_none() || kind.author() == 1) {
                    let sums = table.entry(cell.source).or_default();
                    sums.0 = sums.0.saturating_add(cell.messages);
                    sums.1 = sums.1.saturating_add(if kind.passes() { 0 } else { cell.messages });
                }
                *head = next(packed);
            }
        }
        table.drain().collect()
    };
    ends.map(of_range).collect()
}

/// What rows say.
fn of_rows(ledger: &Ledger, mut question: Question) -> Result<OfRange, Error> {
    question.group = vec![Column::Source];
    question.measures = vec![Measure::Messages, Measure::Failing];
    let line = |line: store::Line| match (&line.key[..], &line.measures[..]) {
        ([Value::Address(source)], [messages, failing]) => {
            Some((crate::flows::day::number(*source), (number(messages), number(failing))))
        }
        _ => None,
    };
    Ok(ledger.ask(&question)?.lines.into_iter().filter_map(line).collect())
}

/// The addresses of a page by what was found of each range.
fn page(found: &[Vec<OfRange>], order: SourceOrder) -> Result<(Vec<IpAddr>, usize), Error> {
    let place = |(source, (messages, failing)): (u128, Sums)| -> Place {
        let by = match order.sort {
            SortBy::Failing => failing,
            SortBy::Passing => messages.saturating_sub(failing),
            _ => messages,
        };
        (if order.descending { u64::MAX - by } else { by }, Reverse(messages), source)
    };
    let until = order.offset.saturating_add(order.limit);
    let first = |places: &mut Vec<Place>| {
        if places.len() > until {
            places.select_nth_unstable(until);
            places.truncate(until);
        }
    };
    let merge = |(places, total): &mut (Vec<Place>, usize), lists: &Vec<OfRange>| {
        let most = lists.iter().map(Vec::len).max().unwrap_or_default();
        let mut sums = Map::<u128, Sums>::default();
        sums.reserve(most);
        for (source, more) in lists.iter().flatten() {
            let sum = sums.entry(*source).or_default();
            *sum = (sum.0.saturating_add(more.0), sum.1.saturating_add(more.1));
        }
        *total += sums.len();
        places.extend(sums.into_iter().map(place));
        first(places);
        Ok(())
    };
    let of_cores = cores::each(found, Default::default, merge, |found| found)?;
    let total = of_cores.iter().map(|(_, total)| total).sum();
    let mut places: Vec<Place> = of_cores.into_iter().flat_map(|(places, _)| places).collect();
    places.sort_unstable();
    let page = places.into_iter().skip(order.offset).take(order.limit);
    Ok((page.map(|(.., source)| address(source)).collect(), total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flows::cell::{Cell, Names, Shape};
    use crate::flows::pack::pack;

    #[test]
    fn every_address_is_summed_in_the_range_it_lies_in() {
        let mut names = Names::default();
        let (ours, below) = (names.number("example.com"), names.number("shop.example.com"));
        let cell = |source: u128, author, n: u64| Cell {
            source,
            author,
            shape: Shape(if n.is_multiple_of(2) { 0 } else { 5 }),
            messages: [n, 0, 1, 0],
            ..Cell::default()
        };
        let packed = [&[1_u128, 5, 9, 300][..], &[], &[5, 6, 9], &[300, 301]].map(|sources| {
            let cells: Vec<Cell> = sources
                .iter()
                .flat_map(|source| [cell(*source, ours, 7), cell(*source, ours, 4), cell(*source, below, 100)])
                .collect();
            pack(&names, &cells)
        });
        let kept = Kept::of((1..).map(Day).zip(packed.iter().map(Vec::as_slice)));
        let days: HashSet<Day> = [1, 2, 3].map(Day).into();
        let all = |ends: &[u128], author: Option<&Text>| {
            let ranges = summed_together(&kept, &days, author, ends);
            assert_eq!(ranges.len(), ends.len() + 1);
            for (n, sources) in ranges.iter().enumerate() {
                let inside = |at: u128| n == 0 || ends[n - 1] <= at;
                let before = |at: u128| n == ends.len() || at < ends[n];
                assert!(sources.iter().all(|(at, _)| inside(*at) && before(*at)), "{ends:?} {sources:?}");
            }
            let mut all: Vec<(u128, Sums)> = ranges.into_iter().flatten().collect();
            all.sort_unstable();
            all
        };
        let author = Text::new("example.com");
        let once = |source| (source, (13, 8));
        let twice = |source| (source, (26, 16));
        let expected = [once(1), twice(5), once(6), twice(9), once(300)];
        assert!(
            Shape(5).outcome() == report::Outcome::Unauthenticated && Shape(0).passes(),
            "what the shapes stand for"
        );
        for ends in [&[][..], &[5], &[2, 6, 9], &[0, 400], &[300]] {
            assert_eq!(all(ends, Some(&author)), expected, "{ends:?}; the fourth day is not kept");
            assert_eq!(all(ends, None)[0], (1, (114, 8)), "with all names below");
        }
    }
}
