//! Which flow each kept cell belongs to: runs of flows in the order in which a day's cells are kept.
//!
//! In: the flow of each cell while flows are judged. Out: a few bytes for each day, from which whoever goes through the cells again (a
//! preview) knows the flow of each without judging anything. Cells are sorted by source, so most runs are long.

use std::collections::HashMap;

use report::Day;

use super::pack::{Reader, Writer};

/// The flows of all cells of one organizational domain, day by day.
#[derive(Default)]
pub(crate) struct Lanes {
    /// The day that is open.
    day: Day,
    runs: Runs,
    /// Those before it.
    packed: Writer,
    before: i32,
}

/// Flows, each with how many cells in a row belong to it.
pub(crate) type Runs = Vec<(u32, u32)>;

impl Lanes {
    /// The next cell of a day belongs to this flow. Days come one after the other.
    pub(crate) fn add(&mut self, day: Day, flow: u32) {
        if self.day != day {
            self.close();
            self.day = day;
        }
        match self.runs.last_mut() {
            Some((same, cells)) if *same == flow => *cells += 1,
            _ => self.runs.push((flow, 1)),
        }
    }

    fn close(&mut self) {
        if self.runs.is_empty() {
            return;
        }
        self.packed.number(u64::from(self.day.0.wrapping_sub(self.before).cast_unsigned()));
        self.before = self.day.0;
        self.packed.number(self.runs.len() as u64);
        for (flow, cells) in self.runs.drain(..) {
            self.packed.number(u64::from(flow));
            self.packed.number(u64::from(cells));
        }
    }

    /// As bytes.
    pub(crate) fn packed(mut self) -> Vec<u8> {
        self.close();
        self.packed.0
    }
}

/// Packed lanes, and before them the number by which each flow is known from now on.
pub(crate) fn renumbered(packed: &[u8], places: &[u32]) -> Vec<u8> {
    let mut out = Writer::default();
    out.number(places.len() as u64);
    for place in places {
        out.number(u64::from(*place));
    }
    out.0.extend_from_slice(packed);
    out.0
}

/// The inverse of [`renumbered`], by day; `None` where the bytes are damaged.
pub(crate) fn unpack(bytes: &[u8]) -> Option<HashMap<Day, Runs>> {
    let (mut reader, mut days, mut before) = (Reader(bytes), HashMap::new(), 0_i32);
    let mut places = Vec::new();
    for _ in 0..reader.number()? {
        places.push(reader.small()?);
    }
    while !reader.0.is_empty() {
        before = before.wrapping_add(reader.small()?.cast_signed());
        let mut runs = Runs::new();
        for _ in 0..reader.number()? {
            runs.push((*places.get(reader.small()? as usize)?, reader.small()?));
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
        let packed = lanes.packed();
        let kept = renumbered(&packed, &[100, 101, 102, 103]);
        let back = unpack(&kept).unwrap();
        assert_eq!(back[&Day(20_000)], [(103, 2), (100, 1), (103, 1)]);
        assert_eq!(back[&Day(20_002)], [(101, 2)]);
        assert_eq!(back.len(), 2, "a day without cells is not there");
        assert_eq!(unpack(&renumbered(&packed, &[100])), None, "a flow without a number");
        // Whatever is cut off is noticed, except before, between and after the days.
        assert_eq!((0..=kept.len()).filter(|end| unpack(&kept[..*end]).is_some()).count(), 3);
    }
}
