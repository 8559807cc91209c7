//! The trend rollup in the catalog: messages and rows by day, author domain, outcome and disposition, kept by the transactions that
//! change them.
//!
//! One line a day and author domain holds all outcomes and dispositions, packed, so that a year of thousands of domains is read in
//! a fraction of a second; a second table has the sums over all domains. Sums are exact in both directions whatever a report claims.

use std::collections::{BTreeMap, HashMap};

use report::{Disposition, Outcome, Text};
use rusqlite::{Connection, OptionalExtension, params};

/// Messages and rows to be added to a sum, or subtracted from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sum {
    pub(crate) rows: i64,
    pub(crate) messages: i128,
}

/// What a sum is about.
pub(crate) type TrendKey = (i32, Text, Outcome, Disposition);
/// Changes of the rollup.
pub(crate) type Deltas = HashMap<TrendKey, Sum>;
/// A day's sums of one author domain, or of all, by [`class`].
pub(crate) type Sums = BTreeMap<u8, Sum>;

/// As numbered in the catalog: by position.
pub(crate) const OUTCOMES: [Outcome; 6] = Outcome::ALL;
/// As numbered in the catalog: by position.
pub(crate) const DISPOSITIONS: [Disposition; 4] =
    [Disposition::None, Disposition::Pass, Disposition::Quarantine, Disposition::Reject];

/// An outcome and a disposition as one number.
fn class(outcome: Outcome, disposition: Disposition) -> u8 {
    outcome as u8 * 4 + disposition as u8
}

impl Sum {
    pub(crate) fn add(&mut self, messages: u64) {
        self.rows += 1;
        self.messages += i128::from(messages);
    }

    pub(crate) fn plus(&mut self, other: Self) {
        self.rows += other.rows;
        self.messages += other.messages;
    }

    pub(crate) fn negative(self) -> Self {
        Self { rows: -self.rows, messages: -self.messages }
    }

    /// Messages as far as 64 bits can say.
    pub(crate) fn saturated(self) -> u64 {
        u64::try_from(self.messages.max(0)).unwrap_or(u64::MAX)
    }

    /// Messages as the catalog adds them up elsewhere: a high part and a low one of 32 bits, each far from overflowing. Those of a
    /// negative sum are the same, negated, so that taking off leaves nothing behind in either.
    pub(crate) fn halves(self) -> (i64, i64) {
        let (size, sign) = (self.messages.abs(), if self.messages < 0 { -1 } else { 1 });
        let low = size & i128::from(u32::MAX);
        (sign * i64::try_from(size >> 32).unwrap_or(i64::MAX), sign * i64::try_from(low).unwrap_or_default())
    }
}

/// Messages from their halves; saturates.
pub(crate) fn messages(high: i64, low: i64) -> u64 {
    Sum { rows: 0, messages: (i128::from(high) << 32) + i128::from(low) }.saturated()
}

/// Adds the changes to the rollup. `domains` remembers the numbers of author domains.
pub(crate) fn apply(c: &Connection, deltas: &Deltas, domains: &mut HashMap<Text, i64>) -> rusqlite::Result<()> {
    let mut lines: BTreeMap<(i32, i64), Sums> = BTreeMap::new();
    let mut days: BTreeMap<i32, Sums> = BTreeMap::new();
    for ((day, domain, outcome, disposition), sum) in deltas {
        let (id, class) = (domain_id(c, domains, domain)?, class(*outcome, *disposition));
        lines.entry((*day, id)).or_default().entry(class).or_default().plus(*sum);
        days.entry(*day).or_default().entry(class).or_default().plus(*sum);
    }
    let mut select = c.prepare_cached("SELECT sums FROM trend WHERE day = ?1 AND domain = ?2")?;
    let mut put = c.prepare_cached("INSERT OR REPLACE INTO trend VALUES (?1, ?2, ?3)")?;
    let mut delete = c.prepare_cached("DELETE FROM trend WHERE day = ?1 AND domain = ?2")?;
    for ((day, domain), more) in lines {
        let old: Option<Vec<u8>> = select.query_row(params![day, domain], |r| r.get(0)).optional()?;
        match added(old, more) {
            Some(sums) => put.execute(params![day, domain, sums])?,
            None => delete.execute(params![day, domain])?,
        };
    }
    let mut select = c.prepare_cached("SELECT sums FROM trend_day WHERE day = ?1")?;
    let mut put = c.prepare_cached("INSERT OR REPLACE INTO trend_day VALUES (?1, ?2)")?;
    let mut delete = c.prepare_cached("DELETE FROM trend_day WHERE day = ?1")?;
    for (day, more) in days {
        let old: Option<Vec<u8>> = select.query_row([day], |r| r.get(0)).optional()?;
        match added(old, more) {
            Some(sums) => put.execute(params![day, sums])?,
            None => delete.execute([day])?,
        };
    }
    Ok(())
}

/// Sums with changes added, packed; `None` if nothing is left.
fn added(old: Option<Vec<u8>>, more: Sums) -> Option<Vec<u8>> {
    let mut sums = Sums::new();
    unpack(&old.unwrap_or_default(), |class, sum| {
        sums.insert(class, sum);
    });
    for (class, sum) in more {
        sums.entry(class).or_default().plus(sum);
    }
    sums.retain(|_, sum| sum.rows != 0);
    (!sums.is_empty()).then(|| pack(&sums))
}

/// For each class its number, rows and messages; the latter two in groups of seven bits, low ones first.
fn pack(sums: &Sums) -> Vec<u8> {
    let mut packed = Vec::with_capacity(sums.len() * 6);
    for (&class, sum) in sums {
        packed.push(class);
        for number in [i128::from(sum.rows), sum.messages] {
            let mut left = number.max(0).cast_unsigned();
            while left >= 0x80 {
                packed.push(low_bits(left) | 0x80);
                left >>= 7;
            }
            packed.push(low_bits(left));
        }
    }
    packed
}

fn low_bits(number: u128) -> u8 {
    number.to_le_bytes()[0] & 0x7f
}

/// The inverse of [`pack`].
pub(crate) fn unpack(packed: &[u8], mut visit: impl FnMut(u8, Sum)) {
    let mut bytes = packed.iter().copied();
    while let Some(class) = bytes.next() {
        let mut number = || {
            let (mut number, mut shift) = (0_u128, 0);
            for byte in bytes.by_ref() {
                number |= u128::from(byte & 0x7f) << shift;
                shift += 7;
                // 18 groups hold 126 bits, more than any sum has.
                if byte < 0x80 || shift >= 126 {
                    break;
                }
            }
            number.cast_signed()
        };
        let rows = i64::try_from(number()).unwrap_or(i64::MAX);
        visit(class, Sum { rows, messages: number() });
    }
}

/// Packs a trend of the catalog's first version, which had a line for each outcome and disposition and none over all domains.
pub(crate) fn pack_version_1(c: &Connection) -> rusqlite::Result<()> {
    let mut put = c.prepare("INSERT INTO trend VALUES (?1, ?2, ?3)")?;
    let mut put_day = c.prepare("INSERT INTO trend_day VALUES (?1, ?2)")?;
    let mut select = c.prepare(
        "SELECT day, domain, outcome, disposition, rows, messages_high, messages_low FROM trend_1 ORDER BY day, domain",
    )?;
    let mut rows = select.query([])?;
    let (mut at, mut line, mut of_day) = (None, Sums::new(), Sums::new());
    loop {
        let row = rows.next()?;
        let key = |row: &rusqlite::Row<'_>| -> rusqlite::Result<(i32, i64)> { Ok((row.get(0)?, row.get(1)?)) };
        let next = row.map(key).transpose()?;
        if let Some((day, domain)) = at.filter(|_| at != next) {
            put.execute(params![day, domain, pack(&std::mem::take(&mut line))])?;
            if next.is_none_or(|(next, _)| next != day) {
                put_day.execute(params![day, pack(&std::mem::take(&mut of_day))])?;
            }
        }
        let Some(row) = row else { break };
        at = next;
        let messages = (i128::from(row.get::<_, i64>(5)?) << 32) + i128::from(row.get::<_, i64>(6)?);
        let (class, sum) = (row.get::<_, u8>(2)? * 4 + row.get::<_, u8>(3)?, Sum { rows: row.get(4)?, messages });
        line.entry(class).or_default().plus(sum);
        of_day.entry(class).or_default().plus(sum);
    }
    drop(rows);
    drop(select);
    c.execute_batch("DROP TABLE trend_1")
}

fn domain_id(c: &Connection, known: &mut HashMap<Text, i64>, name: &Text) -> rusqlite::Result<i64> {
    if let Some(&id) = known.get(name) {
        return Ok(id);
    }
    c.prepare_cached("INSERT INTO domain (name, organizational) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute([name.as_str(), crate::organizational_domain(name).as_str()])?;
    let id = c.prepare_cached("SELECT id FROM domain WHERE name = ?1")?.query_row([name.as_str()], |r| r.get(0))?;
    if known.len() > 100_000 {
        known.clear();
    }
    known.insert(name.clone(), id);
    Ok(id)
}

/// The whole rollup, and beside it the sums over all domains.
pub(crate) fn all(c: &Connection) -> rusqlite::Result<(Deltas, Deltas)> {
    let (mut by_domain, mut by_day) = (Deltas::new(), Deltas::new());
    let add = |to: &mut Deltas, day: i32, name: &str, packed: &[u8]| {
        unpack(packed, |class, sum| {
            let outcome = OUTCOMES.get(usize::from(class / 4)).copied().unwrap_or(Outcome::Unauthenticated);
            let disposition = DISPOSITIONS[usize::from(class % 4)];
            to.entry((day, Text::new(name), outcome, disposition)).or_default().plus(sum);
        });
    };
    let mut select = c.prepare("SELECT day, name, sums FROM trend LEFT JOIN domain ON domain.id = domain")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let name = row.get_ref(1)?.as_str_or_null()?.unwrap_or_default();
        add(&mut by_domain, row.get(0)?, name, row.get_ref(2)?.as_blob()?);
    }
    let mut select = c.prepare("SELECT day, sums FROM trend_day")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        add(&mut by_day, row.get(0)?, "", row.get_ref(1)?.as_blob()?);
    }
    Ok((by_domain, by_day))
}

/// Rows of each day that has any, ascending.
pub(crate) fn rows_by_day(c: &Connection) -> rusqlite::Result<Vec<(i32, u64)>> {
    let mut select = c.prepare_cached("SELECT day, sums FROM trend_day ORDER BY day")?;
    let mut rows = select.query([])?;
    let mut days = Vec::new();
    while let Some(row) = rows.next()? {
        let mut count = 0;
        unpack(row.get_ref(1)?.as_blob()?, |_, sum| count += sum.rows.unsigned_abs());
        days.push((row.get(0)?, count));
    }
    Ok(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_the_catalog_never_change() {
        for (at, outcome) in OUTCOMES.into_iter().enumerate() {
            assert_eq!(outcome as usize, at, "{outcome:?}");
        }
        for (at, disposition) in DISPOSITIONS.into_iter().enumerate() {
            assert_eq!(disposition as usize, at, "{disposition:?}");
        }
        assert_eq!(class(Outcome::Unauthenticated, Disposition::Reject), 23);
    }

    #[test]
    fn sums_are_exact_both_ways() {
        let mut sum = Sum::default();
        for count in [u64::MAX, u64::MAX, 1, 5_000_000_000] {
            sum.add(count);
        }
        assert_eq!(sum.saturated(), u64::MAX, "more than can be said saturates");
        let mut back = Sum::default();
        back.add(u64::MAX);
        back.add(u64::MAX);
        let (high, low) = sum.halves();
        let (back_high, back_low) = back.negative().halves();
        assert_eq!(messages(high + back_high, low + back_low), 5_000_000_001, "and comes back exactly");
        sum.plus(back.negative());
        assert_eq!(sum, Sum { rows: 2, messages: 5_000_000_001 });
    }

    #[test]
    fn packed_and_unpacked() {
        let numbers = [0, 1, 127, 128, 16_383, 16_384, i128::from(u64::MAX), i128::from(u64::MAX) * 1_000_000];
        let sum = |messages: i128| Sum { rows: i64::try_from(messages.min(i128::from(i64::MAX))).unwrap(), messages };
        let sums: Sums = (0..).zip(numbers.map(sum)).collect();
        let mut back = Sums::new();
        unpack(&pack(&sums), |class, sum| {
            back.insert(class, sum);
        });
        assert_eq!(back, sums);
        // Whatever a damaged catalog holds, this ends.
        for damaged in [&[3, 0x80][..], &[0xff; 60], &[1], &[]] {
            unpack(damaged, |_, _| {});
        }
    }
}
