//! The cells of one organizational domain on one day as bytes, and back.
//!
//! Numbers in groups of seven bits, low ones first; names once each, and so what cells of several addresses have alike. What is damaged gives
//! no cells rather than wrong ones.

use super::Map;
use super::cell::{Cell, Names, Own, Shape};

/// The first byte of the form written here. Other bytes are read as no cells, which are then worked out again.
const FORM: u8 = 2;

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
            4 => of_v4(u32::from_be_bytes(self.bytes(4)?.try_into().ok()?)),
            _ => u128::from_be_bytes(self.bytes(16)?.try_into().ok()?),
        })
    }
}

/// An IPv4 address as the ledger holds it, in 16 bytes.
const V4: u128 = 0xffff << 32;

/// The inverse of [`v4`].
fn of_v4(bits: u32) -> u128 {
    V4 | u128::from(bits)
}

/// The bits of an address that is one of IPv4.
pub(crate) fn v4(address: u128) -> Option<u32> {
    address.checked_sub(V4).and_then(|rest| u32::try_from(rest).ok())
}

/// Packs cells, which name their names in `names`.
pub(crate) fn pack(names: &Names, cells: &[Cell]) -> Vec<u8> {
    let mut out = Writer(vec![FORM]);
    write_names(names, &mut out);
    let mut kinds: Vec<Kind> = Vec::new();
    let mut places: Map<Kind, u64> = Map::default();
    let place = |cell: &Cell| {
        let kind = Kind::of(cell);
        *places.entry(kind).or_insert_with(|| {
            kinds.push(kind);
            kinds.len() as u64 - 1
        })
    };
    let of_cells: Vec<u64> = cells.iter().map(place).collect();
    out.number(kinds.len() as u64);
    for kind in kinds {
        for number in kind.0 {
            out.number(u64::from(number));
        }
    }
    out.number(cells.len() as u64);
    for (cell, kind) in cells.iter().zip(of_cells) {
        out.address(cell.source);
        out.number(kind);
        let said = (0..).zip(cell.messages).filter(|(_, n)| *n > 0);
        out.number(said.clone().fold(u64::from(cell.reporters) << DISPOSITIONS, |mask, (at, _)| mask | 1 << at));
        said.for_each(|(_, n)| out.number(n));
    }
    out.0
}

/// Dispositions that messages are told by.
const DISPOSITIONS: u32 = 4;
const DISPOSITION_BITS: u64 = (1 << DISPOSITIONS) - 1;

/// What cells of several addresses have alike: author, domain and selector of the own signature, others' signature, SPF, shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Kind([u32; 6]);

impl Kind {
    fn of(cell: &Cell) -> Self {
        Self([cell.author, cell.own_domain, cell.own_selector, cell.other, cell.spf, cell.shape.0])
    }

    pub(crate) fn author(&self) -> u32 {
        self.0[0]
    }

    /// The domain that SPF is about.
    pub(crate) fn spf(&self) -> u32 {
        self.0[4]
    }

    pub(crate) fn shape(&self) -> Shape {
        Shape(self.0[5])
    }

    /// Domain and selector of the signature of the author's organizational domain, if there is one.
    pub(crate) fn own(&self) -> Option<(u32, u32)> {
        let [_, domain, selector, _, _, shape] = self.0;
        (Shape(shape).own() != Own::Absent).then_some((domain, selector))
    }
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
    /// What cells have alike, by the numbers that its names were given.
    pub(crate) kinds: Vec<Kind>,
    /// The cells, one after the other.
    pub(crate) cells: Reader<'a>,
    /// How many there are.
    pub(crate) count: u64,
}

impl<'a> Packed<'a> {
    /// Reads all but the cells; `number` gives each name the number that it has from now on. `None` if the bytes are of another form or damaged.
    pub(crate) fn open(bytes: &'a [u8], number: impl FnMut(&'a str) -> u32) -> Option<Self> {
        let (&form, rest) = bytes.split_first()?;
        if form != FORM {
            return None;
        }
        let mut cells = Reader(rest);
        let numbers: Vec<u32> = std::iter::once(0).chain(names(&mut cells)?.into_iter().map(number)).collect();
        let mut kinds = Vec::new();
        for _ in 0..cells.number()? {
            let mut name = || cells.small().and_then(|at| numbers.get(at as usize).copied());
            kinds.push(Kind([name()?, name()?, name()?, name()?, name()?, cells.small()?]));
        }
        let count = cells.number()?;
        Some(Self { kinds, cells, count })
    }
}

/// What most cells are read for.
pub(crate) struct Skimmed {
    pub(crate) source: u128,
    /// The place of its kind.
    pub(crate) kind: u32,
    pub(crate) messages: u64,
}

impl Reader<'_> {
    /// The next cell, of which only this is wanted.
    #[inline]
    pub(crate) fn skim(&mut self) -> Option<Skimmed> {
        let (source, kind, head) = (self.address()?, self.small()?, self.number()?);
        let mut messages = 0_u64;
        for _ in 0..(head & DISPOSITION_BITS).count_ones() {
            messages = messages.saturating_add(self.number()?);
        }
        Some(Skimmed { source, kind, messages })
    }

    /// The next cell.
    #[inline]
    pub(crate) fn cell(&mut self, kinds: &[Kind]) -> Option<Cell> {
        let source = self.address()?;
        let Kind([author, own_domain, own_selector, other, spf, shape]) = *kinds.get(self.small()? as usize)?;
        let head = self.number()?;
        let mut messages = [0; DISPOSITIONS as usize];
        for (at, slot) in messages.iter_mut().enumerate() {
            if head >> at & 1 == 1 {
                *slot = self.number()?;
            }
        }
        let reporters = u32::try_from(head >> DISPOSITIONS).ok()?;
        Some(Cell { author, source, own_domain, own_selector, other, spf, shape: Shape(shape), reporters, messages })
    }
}

/// Unpacks names, then cells one by one; both are handed over with `state`. `None` if the bytes are of another form or damaged.
pub(crate) fn unpack<S>(
    bytes: &[u8],
    state: &mut S,
    name: impl Fn(&mut S, &str) -> u32,
    mut visit: impl FnMut(&mut S, &Cell),
) -> Option<()> {
    let Packed { kinds, mut cells, count } = Packed::open(bytes, |text| name(state, text))?;
    for _ in 0..count {
        visit(state, &cells.cell(&kinds)?);
    }
    Some(())
}
