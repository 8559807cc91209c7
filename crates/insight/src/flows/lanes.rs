//! Which flow each kept cell belongs to: runs of flows in the order in which a day's cells are kept.
//!
//! In: the flow of each cell while flows are judged. Out: a few bytes for each day, from which whoever goes through the cells again (a
//! preview) knows the flow of each without judging anything. Cells are sorted by source, so most runs are long.

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
    /// The next cells of a day belong to this flow. Days come one after the other.
    pub(crate) fn add(&mut self, day: Day, flow: u32, cells: u32) {
        if self.day != day {
            self.close();
            self.day = day;
        }
        match self.runs.last_mut() {
            Some((same, sum)) if *same == flow => *sum += cells,
            _ => self.runs.push((flow, cells)),
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

/// The next day of packed lanes.
fn next(reader: &mut Reader<'_>, before: &mut i32) -> Option<(Day, Runs)> {
    *before = before.wrapping_add(reader.small()?.cast_signed());
    let mut runs = Runs::new();
    for _ in 0..reader.number()? {
        runs.push((reader.small()?, reader.small()?));
    }
    Some((Day(*before), runs))
}

/// The packed lanes of parts as those of all: of each day the parts one after the other. With each part come the numbers by which its flows
/// are known together.
pub(crate) fn joined(parts: &[(Vec<u8>, Vec<u32>)]) -> Vec<u8> {
    let mut all = Lanes::default();
    let mut readers: Vec<(Reader<'_>, i32)> = parts.iter().map(|(packed, _)| (Reader(packed), 0)).collect();
    let mut heads: Vec<_> = readers.iter_mut().map(|(reader, before)| next(reader, before)).collect();
    while let Some(day) = heads.iter().flatten().map(|(day, _)| *day).min() {
        for ((head, (reader, before)), (_, numbers)) in heads.iter_mut().zip(&mut readers).zip(parts) {
            if let Some((_, runs)) = head.take_if(|(of, _)| *of == day) {
                for (flow, cells) in runs {
                    all.add(day, numbers[flow as usize], cells);
                }
                *head = next(reader, before);
            }
        }
    }
    all.packed()
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

/// Packed lanes, day by day; the last one is `None` where the bytes are damaged.
pub(crate) fn days(packed: &[u8]) -> impl Iterator<Item = Option<(Day, Runs)>> {
    let (mut reader, mut before) = (Some(Reader(packed)), 0_i32);
    std::iter::from_fn(move || {
        let mut rest = reader.take().filter(|rest| !rest.0.is_empty())?;
        let day = next(&mut rest, &mut before);
        reader = day.is_some().then_some(rest);
        Some(day)
    })
}

/// The inverse of [`renumbered`], day by day; the last one is `None` where the bytes are damaged.
pub(crate) fn unpack(bytes: &[u8]) -> Option<impl Iterator<Item = Option<(Day, Runs)>>> {
    let mut reader = Reader(bytes);
    let mut places = Vec::new();
    for _ in 0..reader.number()? {
        places.push(reader.small()?);
    }
    let renamed = move |(day, mut runs): (Day, Runs)| {
        for (flow, _) in &mut runs {
            *flow = *places.get(*flow as usize)?;
        }
        Some((day, runs))
    };
    Some(days(reader.0).map(move |day| day.and_then(&renamed)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn runs_come_back_as_they_were_under_their_new_numbers() {
        let mut lanes = Lanes::default();
        for (day, flow) in [(20_000, 3), (20_000, 3), (20_000, 0), (20_000, 3), (20_002, 1), (20_002, 1)] {
            lanes.add(Day(day), flow, 1);
        }
        let packed = lanes.packed();
        let kept = renumbered(&packed, &[100, 101, 102, 103]);
        let all = |bytes: &[u8]| unpack(bytes)?.collect::<Option<HashMap<Day, Runs>>>();
        let back = all(&kept).unwrap();
        assert_eq!(back[&Day(20_000)], [(103, 2), (100, 1), (103, 1)]);
        assert_eq!(back[&Day(20_002)], [(101, 2)]);
        assert_eq!(back.len(), 2, "a day without cells is not there");
        assert_eq!(all(&renumbered(&packed, &[100])), None, "a flow without a number");
        // Whatever is cut off is noticed, except before, between and after the days.
        assert_eq!((0..=kept.len()).filter(|end| all(&kept[..*end]).is_some()).count(), 3);
    }

    #[test]
    fn parts_of_a_day_come_one_after_the_other() {
        let lanes = |all: &[(i32, u32, u32)]| {
            let mut lanes = Lanes::default();
            for (day, flow, cells) in all {
                lanes.add(Day(*day), *flow, *cells);
            }
            lanes.packed()
        };
        let parts = [
            (lanes(&[(10, 0, 2), (10, 1, 1), (12, 1, 5)]), vec![7, 8]),
            (lanes(&[]), vec![]),
            (lanes(&[(10, 0, 3), (11, 0, 1), (12, 1, 1), (12, 0, 1)]), vec![8, 9]),
        ];
        let expected = lanes(&[(10, 7, 2), (10, 8, 4), (11, 8, 1), (12, 8, 5), (12, 9, 1), (12, 8, 1)]);
        assert_eq!(joined(&parts), expected, "a flow that goes on in the next part is one run");
    }
}
