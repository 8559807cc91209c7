//! The cells of one organizational domain cut into parts by address: each has all days of some neighbourhoods.
//!
//! In: kept cells, and where to cut. Out: the cells of one part after the other. What is worked out of sources and networks needs one part at a
//! time, so memory is what one part takes, however many addresses there are. Cells of a day are sorted by source: a part is a slice of it.

use rayon::prelude::*;
use report::Day;

use super::Map;
use super::cell::Cell;
use super::day::Kept;
use super::knowledge::neighbourhood;
use super::pack::{Kind, Packed, Reader};
use super::vocabulary::Vocabulary;

/// Cells of a part: a tenth as many sources perhaps, of each of which half a kilobyte is known. More where one neighbourhood has more.
pub(crate) const CELLS: u64 = 250_000;

/// How many cells there are around each address.
#[derive(Debug, Default)]
pub(crate) struct Crowding(Map<u128, u64>);

impl Crowding {
    pub(crate) fn add(&mut self, cell: &Cell) {
        *self.0.entry(neighbourhood(cell.source)).or_default() += 1;
    }

    /// The first addresses of all parts but the first, of so many cells each.
    pub(crate) fn cuts(self, part: u64) -> Vec<u128> {
        let mut all: Vec<(u128, u64)> = self.0.into_iter().collect();
        all.sort_unstable();
        let (mut cuts, mut cells) = (Vec::new(), 0);
        for (first, more) in all {
            if cells >= part {
                cuts.push(first);
                cells = 0;
            }
            cells += more;
        }
        cuts
    }
}

/// One day: the numbers of its names, and where each part begins and the last one ends.
#[derive(Default)]
struct OfDay {
    numbers: Vec<u32>,
    begins: Vec<usize>,
}

/// Cells in parts.
pub(crate) struct Parts {
    /// The names and keys of all of them.
    pub(crate) words: Vocabulary,
    kept: Kept,
    days: Vec<OfDay>,
    count: usize,
}

impl Parts {
    /// Goes through the cells once, for their names and keys, and for where each part begins.
    pub(crate) fn new(kept: Kept, cuts: &[u128]) -> Self {
        let mut words = Vocabulary::default();
        let of_day = |(_, bytes)| OfDay::new(bytes, cuts, &mut words);
        let days = kept.days().map(of_day).collect();
        Self { words, kept, days, count: cuts.len() + 1 }
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Lets go of the cells.
    pub(crate) fn into_words(self) -> Vocabulary {
        self.words
    }

    /// The cells of a part, day by day.
    pub(crate) fn visit(&self, part: usize, mut visit: impl FnMut(Day, &Cell)) {
        for ((day, bytes), of) in self.kept.days().zip(&self.days) {
            let Some(&[begin, end]) = of.begins.get(part..part + 2) else { continue };
            // What cells have alike is read again for each part: kept for all days it takes more than the cells of a part.
            let mut numbers = of.numbers.iter().copied();
            let open = |_| numbers.next().unwrap_or(0);
            let Some(Packed { kinds, .. }) = (begin < end).then(|| Packed::open(bytes, open)).flatten() else {
                continue;
            };
            let mut cells = Reader(&bytes[begin..end]);
            while let Some(cell) = cells.cell(&kinds) {
                visit(day, &cell);
            }
        }
    }

    /// Works on all parts, on all cores but never on more parts at once than there are cores, and takes what comes of each in their order.
    pub(crate) fn each<T: Send>(&self, work: impl Fn(usize) -> T + Sync, mut take: impl FnMut(T)) {
        let all: Vec<usize> = (0..self.count).collect();
        for some in all.chunks(rayon::current_num_threads()) {
            let done: Vec<T> = some.par_iter().map(|part| work(*part)).collect();
            done.into_iter().for_each(&mut take);
        }
    }
}

impl OfDay {
    /// What is damaged is made anew when its day changes, or by a rebuild; until then the day ends where the damage begins.
    fn new(bytes: &[u8], cuts: &[u128], words: &mut Vocabulary) -> Self {
        let mut numbers = Vec::new();
        let number = |name: &str| {
            numbers.push(words.name_number(name));
            numbers[numbers.len() - 1]
        };
        let packed = Packed::open(bytes, number);
        let Some(Packed { kinds, mut cells, count }) = packed else { return Self::default() };
        for (domain, selector) in kinds.iter().filter_map(Kind::own) {
            words.key_number(domain, selector);
        }
        let place = |cells: &Reader<'_>| bytes.len() - cells.0.len();
        let mut begins = vec![place(&cells)];
        let mut end = place(&cells);
        for _ in 0..count {
            let Some(cell) = cells.cell(&kinds) else { break };
            while cuts.get(begins.len() - 1).is_some_and(|cut| *cut <= cell.source) {
                begins.push(end);
            }
            end = place(&cells);
        }
        begins.resize(cuts.len() + 2, end);
        Self { numbers, begins }
    }
}

#[cfg(test)]
mod tests {
    use super::super::cell::{Names, Shape};
    use super::super::pack::pack;
    use super::*;

    fn packed(sources: &[u128]) -> Vec<u8> {
        let mut names = Names::default();
        let author = names.number("example.com");
        let cell = |source: &u128| Cell { source: *source, author, shape: Shape(1), ..Cell::default() };
        pack(&names, &sources.iter().map(cell).collect::<Vec<_>>())
    }

    /// Days from the first on.
    fn kept(days: &[Vec<u8>]) -> Kept {
        Kept::of((1..).map(Day).zip(days.iter().map(Vec::as_slice)))
    }

    fn sources(parts: &Parts, part: usize) -> Vec<(i32, u128)> {
        let mut found = Vec::new();
        parts.visit(part, |day, cell| found.push((day.0, cell.source)));
        found
    }

    #[test]
    fn each_cell_is_in_the_part_of_its_address_and_in_no_other() {
        let days = [&[5, 10, 10, 19, 20, 35][..], &[], &[40, 41], &[10]].map(packed);
        let parts = Parts::new(kept(&days), &[10, 20, 30]);
        assert_eq!(parts.len(), 4);
        assert_eq!(sources(&parts, 0), [(1, 5)], "a cut begins a part, and does not end one");
        assert_eq!(sources(&parts, 1), [(1, 10), (1, 10), (1, 19), (4, 10)]);
        assert_eq!(sources(&parts, 2), [(1, 20)]);
        assert_eq!(sources(&parts, 3), [(1, 35), (3, 40), (3, 41)], "a day that begins late");
    }

    #[test]
    fn a_damaged_day_ends_where_the_damage_begins() {
        let mut cut_off = packed(&[5, 10, 20]);
        cut_off.truncate(cut_off.len() - 3);
        let parts = Parts::new(kept(&[cut_off, vec![99], packed(&[5])]), &[10]);
        assert_eq!(sources(&parts, 0), [(1, 5), (3, 5)]);
        assert_eq!(sources(&parts, 1), [(1, 10)]);
    }

    #[test]
    fn neighbourhoods_are_never_cut() {
        let mut crowding = Crowding::default();
        let cell = |source: u128| Cell { source: (0xffff << 32) + source, ..Cell::default() };
        for source in 0..30 {
            // Two neighbourhoods have all, one of them twice as many.
            crowding.add(&cell(if source % 3 == 0 { 0x0a01_0000 } else { 0x0a02_0000 + source % 0x1_0000 }));
        }
        crowding.add(&cell(0x0a03_0001));
        crowding.add(&cell(0x0a04_0001));
        assert_eq!(crowding.cuts(10), [(0xffff << 32) + 0x0a02_0000, (0xffff << 32) + 0x0a03_0000]);
        assert_eq!(Crowding::default().cuts(10), [0_u128; 0]);
    }
}
