//! The addresses of a domain ranked by one sum, from the cells that are kept: millions of rows of a quarter are a few hundred thousand
//! addresses, of which a page shows fifty.
//!
//! In: a scope and an order. Out: the addresses of one page, and how many there are. Days that have changed since cells were made are asked of
//! the rows.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::net::IpAddr;

use report::{Day, Text};
use store::{Column, Ledger, Measure, Question, Value};

use crate::by_address::{Ranges, Summing};
use crate::counts::number;
use crate::day_by_day;
use crate::flows::day::CELLS;
use crate::flows::pack::{Kind, Skimmed};
use crate::flows::{Map, address};
use crate::scope::length;
use crate::{Error, GroupBy, Scope, SortBy, SourceOrder, cores};

/// Days of which the rows are asked, at most: from there on rows answer all of it.
const OTHERS_MAX: usize = 7;

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
    let newest = kept.iter().max().copied().unwrap_or_default();
    let ranges = Ranges::of_day(ledger, &organization, newest)?;
    let cells = Cells { kept, author: (!subdomains).then_some(domain) };
    let mut found = ranges.summed(ledger, &organization, days, &cells)?.by_range;
    for stretch in others {
        let rows = of_rows(ledger, scope.question(stretch))?;
        for one in rows {
            found[ranges.place(one.0)].push(vec![one]);
        }
    }
    page(&found, order).map(Some)
}

/// The cells of these days, of one author domain or of all.
struct Cells<'a> {
    kept: HashSet<Day>,
    author: Option<&'a Text>,
}

impl Summing for Cells<'_> {
    type State = Map<u128, Sums>;
    type Sums = OfRange;

    fn begin(&self) -> Self::State {
        Map::default()
    }

    fn wants(&self, day: Day) -> bool {
        self.kept.contains(&day)
    }

    fn number(&self, name: &str) -> u32 {
        u32::from(self.author.is_none_or(|author| name == author))
    }

    fn add(&self, state: &mut Self::State, _: Day, cell: &Skimmed, kind: &Kind) {
        if kind.author() == 1 {
            let sums = state.entry(cell.source).or_default();
            sums.0 = sums.0.saturating_add(cell.messages);
            sums.1 = sums.1.saturating_add(if kind.shape().passes() { 0 } else { cell.messages });
        }
    }

    fn end(&self, state: &mut Self::State) -> Self::Sums {
        state.drain().collect()
    }
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
    use crate::flows::Kept;
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
            let cells = Cells { kept: days.clone(), author };
            let ranges = Ranges(ends.to_vec()).of_days(&kept, &cells, &mut cells.begin());
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
