//! The cells of one organizational domain on one day as bytes, and back.
//!
//! Numbers in groups of seven bits, low ones first; names once each. What is damaged gives no cells rather than wrong ones.

use super::cell::{Cell, Names, Shape};

/// The first byte of the form written here. Other bytes are read as no cells, which are then worked out again.
const FORM: u8 = 1;

/// Writes numbers.
#[derive(Debug, Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.0.push(number.to_le_bytes()[0]);
    }

    /// Numbers of which most are zero: which are not, and those.
    pub(crate) fn sparse(&mut self, numbers: &[u64]) {
        let mask = numbers.iter().enumerate().fold(0, |mask, (at, n)| mask | (u64::from(*n > 0) << at));
        self.number(mask);
        numbers.iter().filter(|n| **n > 0).for_each(|n| self.number(*n));
    }

    /// An address by how far it lies behind the one before, however large.
    pub(crate) fn step(&mut self, from: u128, to: u128) {
        let mut step = to.wrapping_sub(from);
        while step >= 0x80 {
            self.0.push(step.to_le_bytes()[0] | 0x80);
            step >>= 7;
        }
        self.0.push(step.to_le_bytes()[0]);
    }

    /// An address in full: the first bytes of many repeat, which the packing of the whole sees.
    pub(crate) fn address(&mut self, address: u128) {
        if let Some(v4) = v4(address) {
            self.0.push(4);
            self.0.extend_from_slice(&v4.to_be_bytes());
        } else {
            self.0.push(6);
            self.0.extend_from_slice(&address.to_be_bytes());
        }
    }
}

/// Reads numbers; `None` at the end and where they are damaged.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    #[inline]
    pub(crate) fn number(&mut self) -> Option<u64> {
        // Most numbers are small.
        let (&first, rest) = self.0.split_first()?;
        if first < 0x80 {
            self.0 = rest;
            return Some(u64::from(first));
        }
        self.large()
    }

    fn large(&mut self) -> Option<u64> {
        let (mut number, mut shift) = (0_u64, 0);
        loop {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(number);
            }
            shift += 7;
        }
    }

    #[inline]
    pub(crate) fn small(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// The inverse of [`Writer::sparse`].
    pub(crate) fn sparse<const N: usize>(&mut self) -> Option<[u64; N]> {
        let (mask, mut numbers) = (self.number()?, [0; N]);
        for (at, slot) in numbers.iter_mut().enumerate() {
            if mask >> at & 1 == 1 {
                *slot = self.number()?;
            }
        }
        Some(numbers)
    }

    /// The inverse of [`Writer::step`].
    pub(crate) fn step(&mut self, from: u128) -> Option<u128> {
        let (mut step, mut shift) = (0_u128, 0);
        loop {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            step |= u128::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(from.wrapping_add(step));
            }
            shift += 7;
        }
    }

    #[inline]
    pub(crate) fn address(&mut self) -> Option<u128> {
        Some(match *self.bytes(1)?.first()? {
            4 => V4 | u128::from(u32::from_be_bytes(self.bytes(4)?.try_into().ok()?)),
            _ => u128::from_be_bytes(self.bytes(16)?.try_into().ok()?),
        })
    }
}

/// An IPv4 address as the ledger holds it, in 16 bytes.
const V4: u128 = 0xffff << 32;

/// The bits of an address that is one of IPv4.
pub(crate) fn v4(address: u128) -> Option<u32> {
    address.checked_sub(V4).and_then(|rest| u32::try_from(rest).ok())
}

/// Packs cells, which name their names in `names`.
pub(crate) fn pack(names: &Names, cells: &[Cell]) -> Vec<u8> {
    let mut out = Writer(vec![FORM]);
    write_names(names, &mut out);
    out.number(cells.len() as u64);
    for cell in cells {
        out.address(cell.source);
        for number in
            [cell.author, cell.own_domain, cell.own_selector, cell.other, cell.spf, cell.shape.0, cell.reporters]
        {
            out.number(u64::from(number));
        }
        out.sparse(&cell.messages);
    }
    out.0
}

/// Packs names but for number 0.
pub(crate) fn write_names(names: &Names, out: &mut Writer) {
    out.number(names.len() as u64 - 1);
    for number in 1..names.len() {
        let name = names.name(u32::try_from(number).unwrap_or(0));
        out.number(name.len() as u64);
        out.0.extend_from_slice(name.as_bytes());
    }
}

/// The inverse of [`write_names`].
pub(crate) fn names<'a>(reader: &mut Reader<'a>) -> Option<Vec<&'a str>> {
    let mut names = Vec::new();
    for _ in 0..reader.number()? {
        let length = usize::try_from(reader.number()?).ok()?;
        names.push(std::str::from_utf8(reader.bytes(length)?).ok()?);
    }
    Some(names)
}

/// The packed cells of a day.
pub(crate) struct Packed<'a> {
    /// Names but for number 0, which is no name.
    pub(crate) names: Vec<&'a str>,
    /// The cells, one after the other.
    pub(crate) cells: Reader<'a>,
    /// How many there are.
    pub(crate) count: u64,
}

impl<'a> Packed<'a> {
    /// Reads the names; `None` if the bytes are of another form or damaged.
    pub(crate) fn open(bytes: &'a [u8]) -> Option<Self> {
        let (&form, rest) = bytes.split_first()?;
        if form != FORM {
            return None;
        }
        let mut cells = Reader(rest);
        let names = names(&mut cells)?;
        let count = cells.number()?;
        Some(Self { names, cells, count })
    }
}

impl Reader<'_> {
    /// The next cell, with the number that each of its names has in `numbers`.
    pub(crate) fn cell(&mut self, numbers: &[u32]) -> Option<Cell> {
        let source = self.address()?;
        let mut next = || self.small().and_then(|at| numbers.get(at as usize).copied());
        let [author, own_domain, own_selector, other, spf] = [next()?, next()?, next()?, next()?, next()?];
        let (shape, reporters, messages) = (Shape(self.small()?), self.small()?, self.sparse()?);
        Some(Cell { author, source, own_domain, own_selector, other, spf, shape, reporters, messages })
    }
}

/// Unpacks names, then cells one by one; both are handed over with `state`. `None` if the bytes are of another form or damaged.
pub(crate) fn unpack<S>(
    bytes: &[u8],
    state: &mut S,
    name: impl Fn(&mut S, &str) -> u32,
    mut visit: impl FnMut(&mut S, &Cell),
) -> Option<()> {
    let Packed { names, mut cells, count } = Packed::open(bytes)?;
    let numbers: Vec<u32> = std::iter::once(0).chain(names.into_iter().map(|text| name(state, text))).collect();
    for _ in 0..count {
        visit(state, &cells.cell(&numbers)?);
    }
    Some(())
}
