//! The groups of a question in parts, by source: each worker fills parts of its own, and then parts are merged side by side.
//!
//! One table of a million sources is filled by all workers and then merged by one alone; in parts all do both. What is not grouped by
//! source, or is about few sources, is one part.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::aggregate::{Aggregate, GROUPS_MAX, too_many};
use crate::batch::{Batch, index};
use crate::codes::Codes;
use crate::plan::{Plan, network};
use crate::{Column, Error, Measure};

/// Parts of what is grouped by source.
const PARTS: usize = 1 << PARTS_BITS;
const PARTS_BITS: u32 = 4;

/// The groups found, in parts that share none; nor do they share a source.
pub(crate) type Split<'p> = Vec<Aggregate<'p>>;

/// Parts without groups.
pub(crate) fn new(plan: &Plan) -> Split<'_> {
    (0..if plan.split { PARTS } else { 1 }).map(|_| Aggregate::new(plan)).collect()
}

/// Adds the rows of a batch that pass the filter, each to its part.
pub(crate) fn add(found: &mut [Aggregate<'_>], plan: &Plan, batch: &Batch<'_>) -> Result<(), Error> {
    if let [all] = found {
        return all.add(batch);
    }
    let (keys, addresses) = batch.sources();
    let networks = !plan.group.contains(&Column::Source);
    let part = |&address: &u128| spread(if networks { network(address) } else { address }, PARTS_BITS);
    let of: Vec<usize> = addresses.iter().map(part).collect();
    let mut rows = vec![Vec::new(); found.len()];
    for row in batch.select(plan) {
        rows[of[index(keys[row as usize])]].push(row);
    }
    found.iter_mut().zip(&rows).try_for_each(|(part, rows)| part.add_rows(batch, rows))?;
    if found.iter().map(|part| part.groups).sum::<usize>() > GROUPS_MAX { Err(too_many()) } else { Ok(()) }
}

/// Spreads addresses, as 16 bytes, evenly over two to the power of `bits` parts: near ones too, and those of one network of IPv6, which may hold
/// a fifth of all there are.
#[must_use]
pub fn spread(address: u128, bits: u32) -> usize {
    // The product brings what differs to the top.
    let folded = u64::try_from((address ^ address >> 64) & u128::from(u64::MAX)).unwrap_or(0);
    usize::try_from(folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - bits)).unwrap_or(0)
}

/// What several workers found of one plan, as one.
pub(crate) fn merged<'p>(plan: &'p Plan, of_workers: Vec<Split<'p>>) -> Result<Split<'p>, Error> {
    let mut parts: Vec<Vec<Aggregate<'p>>> = new(plan).iter().map(|_| Vec::new()).collect();
    for of_worker in of_workers {
        for (part, one) in parts.iter_mut().zip(of_worker) {
            part.push(one);
        }
    }
    let merge = |of_part: Vec<Aggregate<'p>>| {
        let mut all = Aggregate::new(plan);
        for mut one in of_part {
            if one.groups > all.groups {
                std::mem::swap(&mut all, &mut one);
            }
            all.merge(&one)?;
        }
        Ok(all)
    };
    parts.into_par_iter().map(merge).collect()
}

/// The measures over all groups.
pub(crate) fn totals(plan: &Plan, found: &[Aggregate<'_>]) -> Vec<u64> {
    let of_parts: Vec<Vec<u64>> = found.iter().map(Aggregate::totals).collect();
    let total = |(at, measure): (usize, &Measure)| {
        let all = of_parts.iter().map(|of_part| of_part[at]);
        match measure {
            Measure::FirstDay => all.min().unwrap_or(u64::MAX),
            Measure::LastDay => all.max().unwrap_or(0),
            Measure::Distinct(column) if found.len() > 1 && *column != Column::Source => {
                let of = plan.coded.iter().position(|coded| coded == column).unwrap_or_default();
                let mut different = Codes::new(*column);
                for part in found {
                    different.adopt(&part.codes[of]);
                }
                different.len() as u64
            }
            _ => all.fold(0, u64::saturating_add),
        }
    };
    plan.measures.iter().enumerate().map(total).collect()
}
