//! What each flow sent on a day, summed over its addresses: all that a preview looks at while no SPF record changes.
//!
//! In: kept cells and the flow of each. Out: packed sums by organizational domain and day, a fraction of the cells they are made from. They
//! are written with each judgement, whose numbers of flows they have.

use report::{Day, Text};
use store::Ledger;

use super::Map;
use super::cell::{Cell, Names, Shape};
use super::day::Kept;
use super::lanes::{self, Runs};
use super::pack::{Reader, Writer, names, unpack, write_names};
use super::snapshot::packed_lanes;
use crate::{Error, cores};

/// Kind of the derived values.
const SUMS: &str = "flow-sums";
/// Bytes that are gathered before they are written: a transaction for each of thousands of domains would take longer than all else.
const TOGETHER: usize = 32 << 20;
/// Cells of days that are summed at the same time: some megabytes of them, and of the flows they belong to.
const CELLS_AT_ONCE: u64 = 1 << 20;

/// What a sum is of: a flow, and cells of it that fare alike whatever policy is previewed. Those that were mostly stopped are told from
/// those that were not.
type Key = (u32, Cell, bool);

/// Sums the cells of all days that are judged, and forgets the sums before.
pub(super) fn write(ledger: &Ledger, organizations: &[Text], version: i64) -> Result<(), Error> {
    ledger.drop_derived(SUMS, i64::MIN..=i64::MAX)?;
    let mut gathered: Vec<(&Text, i64, Vec<u8>)> = Vec::new();
    let put = |gathered: &mut Vec<(&Text, i64, Vec<u8>)>| {
        let values = gathered.iter().map(|(name, day, bytes)| (name.as_str(), *day, version, bytes.as_slice()));
        let done = ledger.put_derived(SUMS, values);
        gathered.clear();
        done
    };
    let mut bytes = 0;
    for organization in organizations {
        // Another process may have summed a day anew that came in meanwhile: then cells tell what is left out.
        for (day, sums) in of_organization(ledger, organization)?.unwrap_or_default() {
            bytes += sums.len();
            gathered.push((organization, i64::from(day.0), sums));
        }
        if bytes >= TOGETHER {
            put(&mut gathered)?;
            bytes = 0;
        }
    }
    Ok(put(&mut gathered)?)
}

type OfDays = Vec<(Day, Vec<u8>)>;

/// The sums of all days of an organizational domain; `None` if its cells are not those that were judged. Some days are unpacked at a time: all
/// of a year would be many times what is kept of them.
fn of_organization(ledger: &Ledger, organization: &str) -> Result<Option<OfDays>, Error> {
    let packed = packed_lanes(ledger, organization)?;
    let Some(mut days) = lanes::unpack(&packed) else { return Ok(None) };
    let mut all = Vec::new();
    loop {
        let (mut lanes, mut cells) = (Vec::new(), 0);
        while cells < CELLS_AT_ONCE
            && let Some(day) = days.next()
        {
            let Some((day, runs)) = day else { return Ok(None) };
            cells += runs.iter().map(|(_, cells)| u64::from(*cells)).sum::<u64>();
            lanes.push((day, runs));
        }
        let (Some((first, _)), Some((last, _))) = (lanes.first(), lanes.last()) else { return Ok(Some(all)) };
        let kept = Kept::read(ledger, organization, (*first, *last))?;
        let cells: Map<Day, &[u8]> = kept.days().collect();
        let work = |found: &mut Vec<(Day, Option<Vec<u8>>)>, (day, runs): &(Day, Runs)| {
            found.push((*day, cells.get(day).and_then(|cells| of_day(cells, runs))));
            Ok(())
        };
        for (day, sums) in cores::each(&lanes, Vec::new, work, |found| found)?.into_iter().flatten() {
            let Some(sums) = sums else { return Ok(None) };
            all.push((day, sums));
        }
    }
}

/// The sums of a day; `None` if its cells are not those that were judged.
fn of_day(cells: &[u8], runs: &Runs) -> Option<Vec<u8>> {
    let mut flows = runs.iter().flat_map(|(flow, cells)| std::iter::repeat_n(*flow, *cells as usize));
    let mut found: (Names, Map<Key, [u64; 4]>) = Default::default();
    let mut fits = true;
    // What is damaged does not fit either.
    let whole = unpack(
        cells,
        &mut found,
        |(names, _), name| names.number(name),
        |(_, sums), cell| {
            let flow = flows.next();
            fits &= flow.is_some();
            let of = Cell { source: 0, own_selector: 0, other: 0, reporters: 0, messages: [0; 4], ..*cell };
            let sum = sums.entry((flow.unwrap_or_default(), of, cell.was_stopped())).or_default();
            sum.iter_mut().zip(cell.messages).for_each(|(sum, more)| *sum = sum.saturating_add(more));
        },
    );
    if whole.is_none() || !fits || flows.next().is_some() {
        return None;
    }
    let (names, sums) = found;
    let mut sums: Vec<(Key, [u64; 4])> = sums.into_iter().collect();
    let name = |number: u32| names.name(number);
    sums.sort_unstable_by_key(|((flow, of, stopped), _)| {
        (*flow, name(of.author), name(of.own_domain), name(of.spf), of.shape, *stopped)
    });
    Some(pack(&names, &sums))
}

fn pack(names: &Names, sums: &[(Key, [u64; 4])]) -> Vec<u8> {
    let mut out = Writer::default();
    write_names(names, &mut out);
    for of_flow in sums.chunk_by(|((a, ..), _), ((b, ..), _)| a == b) {
        out.number(u64::from(of_flow[0].0.0));
        out.number(of_flow.len() as u64);
        for ((_, of, _), messages) in of_flow {
            for number in [of.author, of.own_domain, of.spf, of.shape.0] {
                out.number(u64::from(number));
            }
            out.sparse(messages);
        }
    }
    out.0
}

/// The packed sums of an organizational domain on those of these days on which it has mail; none where they are not of this judgement.
pub(crate) fn read(
    ledger: &Ledger,
    organization: &str,
    (first, last): (Day, Day),
    judged: i64,
) -> Result<Vec<(Day, Vec<u8>)>, Error> {
    let found = ledger.derived_about(SUMS, organization, i64::from(first.0)..=i64::from(last.0))?;
    if found.iter().any(|sums| sums.version != judged) {
        return Ok(Vec::new());
    }
    let day = |number: i64| Day(i32::try_from(number).unwrap_or(i32::MAX));
    Ok(found.into_iter().map(|sums| (day(sums.number), sums.bytes)).collect())
}

/// Goes through packed sums: the place of each one's flow, and the sum as a cell without address, selector and others' signatures. `None` if
/// the bytes are damaged.
pub(crate) fn visit<S>(
    bytes: &[u8],
    state: &mut S,
    name: impl Fn(&mut S, &str) -> u32,
    mut visit: impl FnMut(&mut S, u32, &Cell),
) -> Option<()> {
    let mut reader = Reader(bytes);
    let names = names(&mut reader)?;
    let numbers: Vec<u32> = std::iter::once(0).chain(names.into_iter().map(|text| name(state, text))).collect();
    while !reader.0.is_empty() {
        let flow = reader.small()?;
        for _ in 0..reader.number()? {
            let mut next = || reader.small().and_then(|at| numbers.get(at as usize).copied());
            let [author, own_domain, spf] = [next()?, next()?, next()?];
            let (shape, messages) = (Shape(reader.small()?), reader.sparse()?);
            visit(state, flow, &Cell { author, own_domain, spf, shape, messages, ..Cell::default() });
        }
    }
    Some(())
}
