//! Text for a terminal: numbers as people read them, and no control characters from strangers.

use report::Outcome;

/// One cell of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Text, maybe a stranger's.
    Text(String),
    /// A count.
    Count(u64),
    /// A number that is a name.
    Id(u64),
    /// A part of a whole.
    Share(u64, u64),
    /// What came of messages, by its word; in colour where there is one.
    Outcome(Outcome),
    /// Numbers over time, drawn small. Only for people.
    Days(Vec<u64>),
    /// One of many numbers, drawn beside the largest. Only for people.
    Bar(u64, u64),
}

/// Cells longer than this are cut in text; CSV has them whole.
const CELL_MAX: usize = 60;
/// Characters of a drawing.
pub(crate) const DRAWN: usize = 16;

impl Cell {
    /// As people read it.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Text(text) => shown(text),
            Self::Count(n) => insight::commas(*n),
            Self::Id(n) => n.to_string(),
            Self::Share(part, whole) => percent(*part, *whole),
            Self::Outcome(outcome) => outcome.word().replace('_', " "),
            Self::Days(values) => sparks(values),
            Self::Bar(value, max) => bar(*value, *max),
        }
    }

    /// The colour of what passes is cool, of what others answer for warm, as in the portal. The word says the same.
    pub(crate) fn colour(&self) -> Option<&'static str> {
        match self {
            Self::Outcome(Outcome::Both | Outcome::DkimOnly | Outcome::SpfOnly) => Some("36"),
            Self::Outcome(Outcome::Forwarded) => Some("34"),
            Self::Outcome(Outcome::Unaligned) => Some("33"),
            Self::Outcome(Outcome::Unauthenticated) => Some("35"),
            _ => None,
        }
    }

    /// As a program reads it: counts without commas, shares from 0 to 1.
    pub(crate) fn csv(&self) -> String {
        match self {
            Self::Text(text) => report::csv_cell(text).into_owned(),
            Self::Count(n) | Self::Id(n) => n.to_string(),
            Self::Outcome(outcome) => outcome.word().to_owned(),
            Self::Days(_) | Self::Bar(..) | Self::Share(_, 0) => String::new(),
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

/// Text as a cell shows it, at most [`CELL_MAX`] characters of it.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(CELL_MAX) {
        Some((end, _)) => whole(&text[..end]) + "…",
        None => whole(text),
    }
}

/// Text as a terminal may show it: what is unseen is made visible.
pub(crate) fn whole(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            c if message::is_unseen(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Eight heights; a dot where there is nothing.
fn sparks(values: &[u64]) -> String {
    const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let each = values.len().div_ceil(DRAWN).max(1);
    let odd = values.len() % each;
    let (first, rest) = values.split_at(odd); // the newest character is a whole one
    let head = Some(first).filter(|days| !days.is_empty());
    let sums: Vec<u64> = head
        .into_iter()
        .chain(rest.chunks(each))
        .map(|days| days.iter().fold(0, |a: u64, b| a.saturating_add(*b)))
        .collect();
    let max = sums.iter().copied().max().unwrap_or(0).max(1);
    let height = |n: u64| usize::try_from(u128::from(n) * 8 / u128::from(max)).unwrap_or(8).clamp(1, 8);
    sums.iter().map(|n| if *n == 0 { '·' } else { HEIGHTS[height(*n) - 1] }).collect()
}

/// A bar of eighths of a character.
fn bar(value: u64, max: u64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let whole = u128::from(max.max(1));
    let eighths = (u128::from(value) * 8 * DRAWN as u128).div_ceil(whole).min(8 * DRAWN as u128);
    let eighths = usize::try_from(eighths).unwrap_or(8 * DRAWN);
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

/// `82.4 %`; a dash where there is nothing to share. Whole only where it is exact: one failure in a million is 99.9.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let rounded = (u128::from(part) * 1_000 + u128::from(whole) / 2) / u128::from(whole);
    let tenths = if part == 0 || part >= whole { rounded } else { rounded.clamp(1, 999) };
    format!("{}.{} %", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_cannot_move_the_cursor() {
        assert_eq!(shown(&"ü".repeat(61)), "ü".repeat(60) + "…", "a cell is cut");
        assert_eq!(whole(&"ü".repeat(61)), "ü".repeat(61), "a sentence is not");
        assert_eq!(shown("\u{1b}[2Jhi\u{202e}\r\n"), "\\u{1b}[2Jhi\\u{202e}\\u{d}\\u{a}");
        assert_eq!(shown(&"a".repeat(99)).chars().count(), CELL_MAX + 1);
    }

    #[test]
    fn shares_are_rounded_and_never_divide_by_zero() {
        assert_eq!([percent(16_336, 16_344), percent(1, 100_000)], ["99.9 %", "0.1 %"], "whole only where exact");
        assert_eq!([percent(1, 3), percent(0, 5), percent(5, 5), percent(0, 0)], ["33.3 %", "0.0 %", "100.0 %", "–"]);
    }

    #[test]
    fn drawings_keep_what_is_little() {
        assert_eq!(sparks(&[0, 1, 800, 400]), "·▁█▄");
        assert_eq!(sparks(&[1; 90]).chars().count(), 15, "six days a character");
        assert_eq!(sparks(&[]), "");
        assert_eq!((bar(0, 9), bar(1, 1_000_000), bar(9, 9)), (String::new(), "▏".to_owned(), "█".repeat(DRAWN)));
        assert_eq!(bar(u64::MAX, u64::MAX).chars().count(), DRAWN);
    }
}
