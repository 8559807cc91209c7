//! Which flow each kept cell belongs to: runs of flows in the order in which a day's cells are kept.
//!
//! In: the flow of each cell while flows are judged. Out: a few bytes for each day, from which whoever goes through the cells again (a
//! preview) knows the flow of each without judging anything. Cells are sorted by source, so most runs are long.

use std::collections::HashMap;

use report::Day;

use super::pack::{Reader, Writer};

/// The flows of all cells of one organizational domain, day by day.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lanes(Vec<(Day, Runs)>);

/// Flows, each with how many cells in a row belong to it.
pub(crate) type Runs = Vec<(u32, u32)>;

impl Lanes {
    /// The next cell of a day belongs to this flow. Days come one after the other.
    pub(crate) fn add(&mut self, day: Day, flow: u32) {
        if self.0.last().is_none_or(|(last, _)| *last != day) {
            self.0.push((day, Vec::new()));
        }
        let Some((_, runs)) = self.0.last_mut() else { return };
        match runs.last_mut() {
            Some((same, cells)) if *same == flow => *cells += 1,
            _ => runs.push((flow, 1)),
        }
    }

    /// As bytes, with flows by another number.
    pub(crate) fn pack(&self, place: impl Fn(u32) -> u32) -> Vec<u8> {
        let mut out = Writer::default();
        let mut before = 0;
        for (day, runs) in &self.0 {
            out.number(u64::from(day.0.wrapping_sub(before).cast_unsigned()));
            before = day.0;
            out.number(runs.len() as u64);
            for (flow, cells) in runs {
                out.number(u64::from(place(*flow)));
                out.number(u64::from(*cells));
            }
        }
        out.0
    }
}

/// The inverse of [`Lanes::pack`], by day; `None` where the bytes are damaged.
pub(crate) fn unpack(bytes: &[u8]) -> Option<HashMap<Day, Runs>> {
    let (mut reader, mut days, mut before) = (Reader(bytes), HashMap::new(), 0_i32);
    while !reader.0.is_empty() {
        before = before.wrapping_add(u32::try_from(reader.number()?).ok()?.cast_signed());
        let mut runs = Runs::new();
        for _ in 0..reader.number()? {
            runs.push((u32::try_from(reader.number()?).ok()?, u32::try_from(reader.number()?).ok()?));
        }
        days.insert(Day(before), runs);
    }
    Some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_come_back_as_they_were_under_their_new_numbers() {
        let mut lanes = Lanes::default();
        for (day, flow) in [(20_000, 3), (20_000, 3), (20_000, 0), (20_000, 3), (20_002, 1), (20_002, 1)] {
            lanes.add(Day(day), flow);
        }
        let packed = lanes.pack(|flow| flow + 100);
        let back = unpack(&packed).unwrap();
        assert_eq!(back[&Day(20_000)], [(103, 2), (100, 1), (103, 1)]);
        assert_eq!(back[&Day(20_002)], [(101, 2)]);
        assert_eq!(back.len(), 2, "a day without cells is not there");
        // Whatever is cut off is noticed, except between two days.
        assert_eq!((0..packed.len()).filter(|end| unpack(&packed[..*end]).is_some()).count(), 2);
    }
}
