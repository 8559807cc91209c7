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
pub(crate) struct Ranges(pub(crate) Vec<u128>);

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
    pub(crate) fn of_days<S: Summing>(&self, cells: &Kept, summing: &S, state: &mut S::State) -> Vec<S::Sums> {
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
