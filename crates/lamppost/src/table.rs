//! Tables: aligned text that fits its terminal, or CSV.
//!
//! In: columns, lines of cells, and a [`Look`]. Out: text. On a terminal the head is bold, outcomes have a colour, and long texts
//! are cut until the table fits; numbers, days and addresses never are. Where that is not enough, columns give way in an order
//! that the table names, and the last line says which. Anywhere else nothing is cut to fit, drawn or coloured.

use std::io::{self, IsTerminal, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::term::Cell;

/// How a column is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text, cut where room is short.
    Left,
    /// Text that is never cut: days, addresses, words.
    Fixed,
    /// Numbers.
    Right,
    /// Drawings, on terminals alone.
    Drawn,
}

/// Where a table is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// Characters in a line of the terminal; `None` where there is none.
    pub(crate) width: Option<usize>,
    /// Bold and colours.
    pub(crate) colour: bool,
}

impl Look {
    /// What standard output is. <https://no-color.org>: `NO_COLOR` switches colours off, whatever it says.
    pub(crate) fn of_stdout() -> Self {
        let terminal = io::stdout().is_terminal();
        let width = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)).filter(|width| *width > 0);
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        Self { width: width.filter(|_| terminal), colour: terminal && !dumb && std::env::var_os("NO_COLOR").is_none() }
    }
}

/// A table that is printed as aligned text or as CSV.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<(&'static str, Align)>,
    lines: Vec<Vec<Cell>>,
    yielding: &'static [&'static str],
}

/// A text is not cut below this: less of it says nothing.
const TEXT_MIN: usize = 12;
/// Between two columns.
const GAP: usize = 2;

impl Table {
    pub(crate) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self { columns: columns.to_vec(), lines: Vec::new(), yielding: &[] }
    }

    /// Names the columns that give way where a terminal is too narrow, the first one first.
    pub(crate) fn yielding(mut self, heads: &'static [&'static str]) -> Self {
        self.yielding = heads;
        self
    }

    pub(crate) fn line(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.lines.push(cells.into_iter().collect());
    }

    /// As people read it, for where standard output goes.
    pub(crate) fn text(&self, out: &mut impl Write) -> io::Result<()> {
        self.fitted(out, Look::of_stdout())
    }

    fn fitted(&self, out: &mut impl Write, look: Look) -> io::Result<()> {
        let texts: Vec<Vec<String>> = self.lines.iter().map(|line| line.iter().map(Cell::text).collect()).collect();
        let natural = |n: usize| {
            let cells = texts.iter().filter_map(|line| line.get(n)).map(|text| text.width());
            cells.chain([self.columns.get(n).map_or(0, |(head, _)| head.len())]).max().unwrap_or(0)
        };
        let drawn =
            |n: &usize| look.width.is_some() || self.columns.get(*n).is_some_and(|(_, align)| *align != Align::Drawn);
        let mut shown: Vec<(usize, usize)> = (0..self.columns.len()).filter(drawn).map(|n| (n, natural(n))).collect();
        let left_out = look.width.map_or_else(Vec::new, |width| self.fit(&mut shown, width));
        let head: Vec<String> = self.columns.iter().map(|(head, _)| (*head).to_owned()).collect();
        self.print(out, &head, &shown, &|_| look.colour.then_some("1"))?;
        for (line, cells) in texts.iter().zip(&self.lines) {
            self.print(out, line, &shown, &|n| cells.get(n).and_then(Cell::colour).filter(|_| look.colour))?;
        }
        if !left_out.is_empty() {
            writeln!(
                out,
                "Left out for want of room: {}. A wider terminal or --format csv shows all.",
                left_out.join(", ")
            )?;
        }
        Ok(())
    }

    /// Cuts texts and leaves columns out until the rest fits; gives back what was left out.
    fn fit(&self, shown: &mut Vec<(usize, usize)>, width: usize) -> Vec<&'static str> {
        let align = |n: usize| self.columns.get(n).map_or(Align::Fixed, |(_, align)| *align);
        let least =
            |(n, natural): &(usize, usize)| if align(*n) == Align::Left { (*natural).min(TEXT_MIN) } else { *natural };
        let gaps = |shown: &[(usize, usize)]| GAP * shown.len().saturating_sub(1);
        let mut left_out = Vec::new();
        for head in self.yielding {
            if shown.iter().map(least).sum::<usize>() + gaps(shown) <= width {
                break;
            }
            let Some(place) =
                shown.iter().position(|(n, _)| self.columns.get(*n).is_some_and(|(name, _)| name == head))
            else {
                continue;
            };
            let (n, _) = shown.remove(place);
            if align(n) != Align::Drawn {
                left_out.push(*head);
            }
        }
        // The widest text gives first.
        loop {
            let over = (shown.iter().map(|(_, width)| width).sum::<usize>() + gaps(shown)).saturating_sub(width);
            let texts = shown.iter_mut().filter(|(n, width)| align(*n) == Align::Left && *width > TEXT_MIN);
            match texts.max_by_key(|(_, width)| *width) {
                Some((_, widest)) if over > 0 => *widest -= 1,
                _ => break,
            }
        }
        left_out
    }

    fn print(
        &self,
        out: &mut impl Write,
        line: &[String],
        shown: &[(usize, usize)],
        style: &dyn Fn(usize) -> Option<&'static str>,
    ) -> io::Result<()> {
        let mut text = String::new();
        let mut pending = 0; // spaces that are only written if something follows
        for (n, width) in shown {
            let (Some(cell), Some((_, align))) = (line.get(*n), self.columns.get(*n)) else { continue };
            let cell = cut(cell, *width);
            let room = width.saturating_sub(cell.width());
            let (before, after) = if *align == Align::Right { (room, 0) } else { (0, room) };
            pending += before;
            if !cell.is_empty() {
                text.push_str(&" ".repeat(pending));
                pending = 0;
                match style(*n) {
                    Some(style) => text.extend(["\u{1b}[", style, "m", &*cell, "\u{1b}[0m"]),
                    None => text.push_str(&cell),
                }
            }
            pending += after + GAP;
        }
        writeln!(out, "{text}")
    }

    pub(crate) fn csv(&self, out: &mut impl Write) -> io::Result<()> {
        let kept: Vec<usize> =
            self.columns.iter().enumerate().filter(|(_, (_, align))| *align != Align::Drawn).map(|(n, _)| n).collect();
        let head: Vec<String> = kept.iter().map(|n| self.columns[*n].0.replace(' ', "_").to_lowercase()).collect();
        write!(out, "{}\r\n", head.join(","))?;
        for line in &self.lines {
            let cells: Vec<String> = kept.iter().filter_map(|n| line.get(*n)).map(Cell::csv).collect();
            write!(out, "{}\r\n", cells.join(","))?;
        }
        Ok(())
    }
}

/// The text, or as much of it as fits with an ellipsis.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut used = 1; // the ellipsis
    let kept = text.chars().take_while(|c| {
        used += c.width().unwrap_or(0);
        used <= width
    });
    kept.chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::Align::{Drawn, Fixed, Left, Right};
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&[
            ("Source", Fixed),
            ("Messages", Right),
            ("SPF", Left),
            ("Outcome", Fixed),
            ("Days", Drawn),
            ("First day", Fixed),
        ])
        .yielding(&["Days", "First day", "SPF"]);
        let line = |source: &str, n: u64, spf: &str| {
            [
                source.into(),
                n.into(),
                spf.into(),
                Cell::Outcome(report::Outcome::Unaligned),
                Cell::Days(vec![1, 0, 8]),
                "2025-12-23".into(),
            ]
        };
        table.line(line("192.0.2.1", 1_234_567, "pass bounce.northwind-esp.example"));
        table.line(line("2001:db8::1", 7, ""));
        table
    }

    fn printed(width: Option<usize>, colour: bool) -> String {
        let mut out = Vec::new();
        table().fitted(&mut out, Look { width, colour }).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_file_gets_everything_and_nothing_drawn() {
        assert_eq!(
            printed(None, false),
            "Source        Messages  SPF                                Outcome    First day\n\
             192.0.2.1    1,234,567  pass bounce.northwind-esp.example  unaligned  2025-12-23\n\
             2001:db8::1          7                                     unaligned  2025-12-23\n"
        );
    }

    #[test]
    fn a_terminal_gets_what_fits_and_is_told_what_does_not() {
        let wide = printed(Some(100), false);
        assert!(wide.contains("▁·█") && !wide.contains('…') && !wide.contains("Left out"), "{wide}");
        let less = printed(Some(80), false);
        assert!(
            less.contains("pass bounce.northwind-")
                && less.contains('…')
                && less.contains("2025-12-23")
                && less.contains('█'),
            "{less}"
        );
        let narrow = printed(Some(50), false);
        assert!(narrow.contains("Left out for want of room: First day."), "{narrow}");
        for (width, text) in [(100, &wide), (80, &less), (50, &narrow)] {
            for line in text.lines().filter(|line| !line.starts_with("Left out")) {
                assert!(line.width() <= width, "{width}: {line}");
            }
            assert!(text.contains("1,234,567") && text.contains("2001:db8::1"), "numbers and addresses are whole");
        }
    }

    #[test]
    fn colours_are_around_words_and_not_around_room() {
        let text = printed(Some(100), true);
        assert!(text.starts_with("\u{1b}[1mSource\u{1b}[0m"), "{text}");
        assert!(text.contains("\u{1b}[33munaligned\u{1b}[0m"), "{text}");
        assert!(!printed(Some(100), false).contains('\u{1b}'));
    }

    #[test]
    fn wide_letters_take_two_places() {
        assert_eq!(cut("東京メール", 7), "東京メ…");
        assert_eq!(cut("mail", 4), "mail");
    }

    #[test]
    fn csv_is_for_programs() {
        let mut out = Vec::new();
        let mut table = Table::new(&[("Name", Left), ("Last day", Fixed), ("Pass", Right), ("Days", Drawn)]);
        table.line(["=1+1".into(), 1_234_567.into(), Cell::Share(1, 8), Cell::Days(vec![1])]);
        table.csv(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "name,last_day,pass\r\n\"'=1+1\",1234567,0.125000\r\n");
    }
}
