//! Text for a terminal: aligned tables, thousands apart, and no control characters from strangers.

use std::io::{self, Write};

/// How a column is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// One cell of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Text, maybe a stranger's.
    Text(String),
    /// A count.
    Count(u64),
    /// A part of a whole.
    Share(u64, u64),
}

impl Cell {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => shown(text),
            Self::Count(n) => commas(*n),
            Self::Share(part, whole) => percent(*part, *whole),
        }
    }

    /// As a program reads it: counts without commas, shares from 0 to 1.
    fn csv(&self) -> String {
        match self {
            Self::Text(text) => report::csv_cell(text).into_owned(),
            Self::Count(n) => n.to_string(),
            Self::Share(_, 0) => String::new(),
            Self::Share(part, whole) => {
                let millionths = u128::from(*part) * 1_000_000 / u128::from(*whole);
                format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000)
            }
        }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<u64> for Cell {
    fn from(n: u64) -> Self {
        Self::Count(n)
    }
}

/// A table that is printed as aligned text or as CSV.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<(&'static str, Align)>,
    lines: Vec<Vec<Cell>>,
}

/// Cells longer than this are cut in text; CSV has them whole.
const CELL_MAX: usize = 60;

impl Table {
    pub(crate) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self { columns: columns.to_vec(), lines: Vec::new() }
    }

    pub(crate) fn line(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.lines.push(cells.into_iter().collect());
    }

    pub(crate) fn text(&self, out: &mut impl Write) -> io::Result<()> {
        let cells: Vec<Vec<String>> = self.lines.iter().map(|line| line.iter().map(Cell::text).collect()).collect();
        let widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(n, (head, _))| {
                cells
                    .iter()
                    .filter_map(|line| line.get(n))
                    .map(|c| c.chars().count())
                    .chain([head.len()])
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let head: Vec<String> = self.columns.iter().map(|(head, _)| (*head).to_owned()).collect();
        for line in std::iter::once(&head).chain(&cells) {
            let mut text = String::new();
            for ((cell, (_, align)), width) in line.iter().zip(&self.columns).zip(&widths) {
                let pad = " ".repeat(width - cell.chars().count());
                match align {
                    Align::Left => text.extend([cell, &*pad]),
                    Align::Right => text.extend([&*pad, cell]),
                }
                text.push_str("  ");
            }
            writeln!(out, "{}", text.trim_end())?;
        }
        Ok(())
    }

    pub(crate) fn csv(&self, out: &mut impl Write) -> io::Result<()> {
        let head: Vec<String> = self.columns.iter().map(|(head, _)| head.replace(' ', "_").to_lowercase()).collect();
        write!(out, "{}\r\n", head.join(","))?;
        for line in &self.lines {
            let cells: Vec<String> = line.iter().map(Cell::csv).collect();
            write!(out, "{}\r\n", cells.join(","))?;
        }
        Ok(())
    }
}

/// Text as a terminal may show it: control characters, and those that turn the direction of writing, are made visible.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::new();
    for (n, c) in text.chars().enumerate() {
        if n == CELL_MAX {
            out.push('…');
            break;
        }
        match c {
            '\u{0}'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' => {
                out.extend(c.escape_unicode());
            }
            c => out.push(c),
        }
    }
    out
}

/// `1,234,567`.
pub(crate) fn commas(n: u64) -> String {
    insight::commas(n)
}

/// `82.4 %`; a dash where there is nothing to share.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let tenths = (u128::from(part) * 1_000 + u128::from(whole) / 2) / u128::from(whole);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_cannot_move_the_cursor() {
        assert_eq!(shown("\u{1b}[2Jhi\u{202e}\r\n"), "\\u{1b}[2Jhi\\u{202e}\\u{d}\\u{a}");
        assert_eq!(shown(&"a".repeat(99)).chars().count(), CELL_MAX + 1);
    }

    #[test]
    fn tables_are_aligned() {
        let mut table = Table::new(&[("Name", Align::Left), ("Messages", Align::Right)]);
        table.line(["a".into(), 1_234_567.into()]);
        table.line(["longer name".into(), 7.into()]);
        let mut out = Vec::new();
        table.text(&mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "Name          Messages\na            1,234,567\nlonger name          7\n"
        );
    }

    #[test]
    fn csv_is_for_programs() {
        let mut table = Table::new(&[("Name", Align::Left), ("Last day", Align::Right), ("Pass", Align::Right)]);
        table.line(["=1+1".into(), 1_234_567.into(), Cell::Share(1, 8)]);
        let mut out = Vec::new();
        table.csv(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "name,last_day,pass\r\n\"'=1+1\",1234567,0.125000\r\n");
    }

    #[test]
    fn shares_are_rounded_and_never_divide_by_zero() {
        assert_eq!([percent(1, 3), percent(0, 5), percent(5, 5), percent(0, 0)], ["33.3 %", "0.0 %", "100.0 %", "–"]);
    }
}
