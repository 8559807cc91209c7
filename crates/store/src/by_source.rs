//! The second order of a segment: what it holds sorted by source, equal rows added up, in a file beside it.
//!
//! A source is spread over all author domains and days; here all there is of it in a segment lies on a page or two. The file is made
//! with a compacted segment, entered by the same transaction and removed with it. It has no reports: where rows of a segment were
//! superseded, the segment itself is asked. It has no rows of its own: `lamppost check` holds it against the segment.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use crate::Error;
use crate::batch::{Batch, index};
use crate::field::{Field, SortedBy};
use crate::plan::{Filter, Plan};
use crate::segment::Part;
use crate::segment_write::Order;
use crate::stage::Stage;

/// Networks this wide or wider are not few sources: a /15 of IPv4, a /31 of IPv6. What is allocated to one sender is narrower.
const V4_WIDE: u128 = 1 << 17;
const V6_WIDE: u128 = 1 << 97;

/// Up to this many sources are looked for one by one; more are on nearly every page.
pub(crate) const SOURCES_FEW: usize = 2_000;

/// What makes rows of one source equal: texts, outcome and disposition, day.
type Key = ([u32; 9], u8, u8, i32);

/// The texts that tell rows apart; the organizational domain follows from the domain.
const TEXTS: [Field; 9] = [
    Field::Domain,
    Field::Dkim,
    Field::DkimDomain,
    Field::DkimResult,
    Field::Spf,
    Field::SpfDomain,
    Field::SpfResult,
    Field::Overrides,
    Field::Reporter,
];

/// The lines of the file for these rows of the stage: the first of those that are equal stands for all of them.
pub(crate) fn order(stage: &Stage, rows: &[u32]) -> Order {
    let key = |row: u32| -> Key {
        let at = row as usize;
        let texts = TEXTS.map(|field| stage.text_code(field, at));
        (texts, stage.outcome[at] as u8, stage.disposition[at] as u8, stage.day[at])
    };
    let mut by_source: Vec<(u128, u32)> = rows.iter().map(|&row| (stage.source[row as usize], row)).collect();
    by_source.sort_unstable();
    let mut order = Order { sorted: SortedBy::Source, rows: Vec::new(), groups: Vec::new(), sums: Vec::new() };
    let mut keys: Vec<(Key, u32)> = Vec::new();
    for of_source in by_source.chunk_by(|a, b| a.0 == b.0) {
        keys.clear();
        keys.extend(of_source.iter().map(|&(_, row)| (key(row), row)));
        keys.sort_unstable();
        for equal in keys.chunk_by(|a, b| a.0 == b.0) {
            order.add_line(equal.iter().map(|&(_, row)| (row, stage.messages[row as usize])));
        }
    }
    order.groups.push(order.rows.len());
    order
}

impl Order {
    /// Adds a line that stands for these rows, with their messages. A sum that 64 bits do not hold takes another line: lines add up to
    /// what rows do, whatever a report claims.
    fn add_line(&mut self, rows: impl Iterator<Item = (u32, u64)>) {
        let mut open: Option<(u64, u64)> = None;
        for (row, more) in rows {
            let sum = open.and_then(|(rows, messages)| Some((rows + 1, messages.checked_add(more)?)));
            if sum.is_none() {
                self.sums.extend(open);
                self.rows.push(row);
            }
            open = sum.or(Some((1, more)));
        }
        self.sums.extend(open);
    }
}

/// Whether files sorted by source answer this: it is about few sources, and about nothing that only segments have.
pub(crate) fn suits(fields: &[Field], filters: &[Filter]) -> bool {
    let narrow = |&(first, last): &(u128, u128)| {
        let wide = if first >> 32 == 0xffff { V4_WIDE } else { V6_WIDE };
        last - first < wide - 1
    };
    let few = |filter: &Filter| match filter {
        Filter::Sources { sources, keep: true } => sources.len() <= SOURCES_FEW,
        Filter::Ranges { ranges, keep: true } => ranges.len() <= SOURCES_FEW && ranges.iter().all(narrow),
        _ => false,
    };
    fields.iter().all(|field| SortedBy::Source.fields().contains(field)) && filters.iter().any(few)
}

/// Whether a segment and its file sorted by source hold the same, by a sum over all rows of both that no difference leaves alone.
pub(crate) fn agrees(part: &Part) -> Result<bool, Error> {
    let Some(by_source) = &part.by_source else { return Ok(true) };
    // The file is as the segment was written: marks that came later are on neither.
    let mut whole = Part { segment: part.segment.clone(), dead: [].into(), by_source: None, ..part.clone() };
    whole.entry.cut = false;
    let of_segment = sum(&whole)?;
    whole.segment = by_source.clone();
    Ok(of_segment == sum(&whole)?)
}

/// Rows and messages, each times a number that stands for everything else on the line.
fn sum(part: &Part) -> Result<(u64, u64), Error> {
    let plan = Plan::reading(SortedBy::Source.fields(), None, Vec::new());
    let state = FixedState::default();
    let (mut rows, mut messages) = (0_u64, 0_u64);
    let mut add = |batch: &Batch<'_>| {
        let mut keys: Vec<u64> = batch.days().iter().map(|day| state.hash_one(day)).collect();
        let mut mix = |lane: &[i32], values: Vec<u64>| {
            for (key, &value) in keys.iter_mut().zip(lane) {
                *key = state.hash_one((*key, values[index(value)]));
            }
        };
        let (lane, addresses) = batch.sources();
        mix(lane, addresses.iter().map(|address| state.hash_one(address)).collect());
        for &field in &plan.fields {
            if let Some((lane, texts)) = batch.texts(field) {
                mix(lane, texts.iter().map(|text| state.hash_one(text)).collect());
            }
        }
        for (row, (key, &of_row)) in keys.iter().zip(batch.numbers(Field::Messages)).enumerate() {
            let weight = batch.weights.map_or(1, |weights| weights[row]);
            rows = rows.wrapping_add(key.wrapping_mul(weight));
            messages = messages.wrapping_add(key.wrapping_mul(of_row));
        }
        Ok(())
    };
    part.visit(&plan, &mut add).map_err(|error| error.of(&part.segment))?;
    Ok((rows, messages))
}
