//! Cells of a period summed by address: some days side by side, a range of addresses after the other, so that what is summed stays near.
//!
//! In: the cells that are kept, which are sorted by address on each day, and a [`Summing`]. Out: what that makes of each range of
//! addresses, a list for each stretch of days, and what each core has come to.

use report::Day;
use store::Ledger;

use crate::flows::Kept;
use crate::flows::pack::{Kind, Packed, Skimmed};
use crate::{Error, cores};

/// Days gone through side by side: few enough for all cores to have some, and many, as an address is seen on several.
const TOGETHER: i32 = 23;
/// Addresses of a day in one range: with those of the other days, few enough to stay near.
const RANGE: usize = 256;

/// What is done with cells.
pub(crate) trait Summing: Sync {
    /// What a core has at hand.
    type State: Send;
    /// What becomes of a range of addresses on a stretch of days.
    type Sums: Send;

    /// What a core begins with.
    fn begin(&self) -> Self::State;
    /// Whether a day counts.
    fn wants(&self, day: Day) -> bool;
    /// The number that a name has among kinds.
    fn number(&self, name: &str) -> u32;
    /// Adds a cell. Those of a range come day by day, and each day's by address.
    fn add(&self, state: &mut Self::State, day: Day, cell: &Skimmed, kind: &Kind);
    /// A range ends; nothing of it is left in the state.
    fn end(&self, state: &mut Self::State) -> Self::Sums;
}

/// What the cells of a period come to.
pub(crate) struct Summed<S: Summing> {
    /// By range: what became of it on each stretch of days.
    pub(crate) by_range: Vec<Vec<S::Sums>>,
    /// What each core has come to.
    pub(crate) states: Vec<S::State>,
}

/// Ranges of addresses: where each but the last ends.
pub(crate) struct Ranges(Vec<u128>);

impl Ranges {
    /// Those that hold about as many addresses each on that day.
    pub(crate) fn of_day(ledger: &Ledger, organization: &str, day: Day) -> Result<Self, Error> {
        let mut ends = Vec::new();
        for (_, bytes) in Kept::read(ledger, organization, (day, day))?.days() {
            let Some(mut packed) = Packed::open(bytes, |_| 0) else { continue };
            let sources = std::iter::from_fn(|| packed.cells.skim()).map(|cell| cell.source);
            ends.extend(sources.step_by(RANGE).skip(1));
        }
        ends.dedup();
        Ok(Self(ends))
    }

    /// The place of the range that an address lies in.
    pub(crate) fn place(&self, source: u128) -> usize {
        self.0.partition_point(|end| *end <= source)
    }

    /// Goes through all days on all cores.
    pub(crate) fn summed<S: Summing>(
        &self,
        ledger: &Ledger,
        organization: &str,
        days: (Day, Day),
        summing: &S,
    ) -> Result<Summed<S>, Error> {
        let work = |(state, found): &mut (S::State, Vec<Vec<S::Sums>>), stretch: &(Day, Day)| {
            let cells = Kept::read(ledger, organization, *stretch)?;
            found.push(self.of_days(&cells, summing, state));
            Ok(())
        };
        let begin = || (summing.begin(), Vec::new());
        let of_cores = cores::each(&cores::stretches(days, TOGETHER), begin, work, |found| found)?;
        let (states, found): (Vec<_>, Vec<_>) = of_cores.into_iter().unzip();
        let mut by_range: Vec<Vec<S::Sums>> = (0..=self.0.len()).map(|_| Vec::new()).collect();
        for ranges in found.into_iter().flatten() {
            by_range.iter_mut().zip(ranges).for_each(|(of_range, sums)| of_range.push(sums));
        }
        Ok(Summed { by_range, states })
    }

    /// Goes through some days side by side.
    fn of_days<S: Summing>(&self, cells: &Kept, summing: &S, state: &mut S::State) -> Vec<S::Sums> {
        let open = |(day, bytes)| Some((day, Packed::open(bytes, |name| summing.number(name))?, None));
        let mut days: Vec<(Day, Packed<'_>, Option<Skimmed>)> =
            cells.days().filter(|(day, _)| summing.wants(*day)).filter_map(open).collect();
        let next = |packed: &mut Packed<'_>| {
            // What is damaged is made anew when its day changes, or by a rebuild; until then the day ends there.
            packed.count = packed.count.checked_sub(1)?;
            packed.cells.skim()
        };
        for (_, packed, head) in &mut days {
            *head = next(packed);
        }
        let of_range = |end: Option<u128>| {
            for (day, packed, head) in &mut days {
                while let Some(cell) = head.take_if(|cell| end.is_none_or(|end| cell.source < end)) {
                    if let Some(kind) = packed.kinds.get(cell.kind as usize) {
                        summing.add(state, *day, &cell, kind);
                    }
                    *head = next(packed);
                }
            }
            summing.end(state)
        };
        self.0.iter().copied().map(Some).chain([None]).map(of_range).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::flows::cell::{Cell, Names};
    use crate::flows::pack::pack;

    /// All but the fourth day.
    struct Sums;

    impl Summing for Sums {
        type State = BTreeMap<(u128, u32), u64>;
        type Sums = BTreeMap<(u128, u32), u64>;

        fn begin(&self) -> Self::State {
            BTreeMap::new()
        }

        fn wants(&self, day: Day) -> bool {
            day != Day(4)
        }

        fn number(&self, name: &str) -> u32 {
            if name == "example.com" { 7 } else { 8 }
        }

        fn add(&self, state: &mut Self::State, _: Day, cell: &Skimmed, kind: &Kind) {
            *state.entry((cell.source, kind.author())).or_default() += cell.messages;
        }

        fn end(&self, state: &mut Self::State) -> Self::Sums {
            std::mem::take(state)
        }
    }

    #[test]
    fn every_address_is_summed_in_the_range_it_lies_in() {
        let mut names = Names::default();
        let (ours, below) = (names.number("example.com"), names.number("shop.example.com"));
        let cell = |source, author, n| Cell { source, author, messages: [n, 0, 1, 0], ..Cell::default() };
        let packed = [&[1_u128, 5, 9, 300][..], &[], &[5, 6, 9], &[300, 301]].map(|sources| {
            let cells: Vec<Cell> =
                sources.iter().flat_map(|source| [cell(*source, ours, 4), cell(*source, below, 100)]).collect();
            pack(&names, &cells)
        });
        let kept = Kept::of((1..).map(Day).zip(packed.iter().map(Vec::as_slice)));
        let once = |source| [((source, 7), 5), ((source, 8), 101)];
        let twice = |source| [((source, 7), 10), ((source, 8), 202)];
        let expected: BTreeMap<_, _> =
            [once(1), twice(5), once(6), twice(9), once(300)].into_iter().flatten().collect();
        for ends in [&[][..], &[5], &[2, 6, 9], &[0, 400], &[300]] {
            let ranges = Ranges(ends.to_vec());
            let found = ranges.of_days(&kept, &Sums, &mut BTreeMap::new());
            assert_eq!(found.len(), ends.len() + 1);
            for (n, sums) in found.iter().enumerate() {
                assert!(sums.keys().all(|(source, _)| ranges.place(*source) == n), "{ends:?} {sums:?}");
            }
            assert_eq!(found.into_iter().flatten().collect::<BTreeMap<_, _>>(), expected, "{ends:?}");
        }
    }
}
