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
