//! The large chart: stacked columns in panels with scales of their own over one row of days.
//!
//! In: a [`Chart`], numbers already in the order in which they stack. Out: one SVG in which every column is a link with a title.
//! All axes begin at 0. Above the panels a band can say what held from when to when, with a pin at each change.

use maud::{Markup, html};
use report::Day;

use super::scale::{height_of, steps};
use super::size::{LETTER, Size};
use super::{bar_to, px};
use crate::figures::{as_f64, count, month_name};
use crate::url::Url;
use crate::words::Class;

const LEFT: f64 = 4.0;
/// Height of the band and its pins.
const BAND: f64 = 48.0;
/// From the top of a panel to its plot: room for its title.
const TITLE: f64 = 22.0;
/// Under a plot.
const BELOW: f64 = 12.0;
/// A column is no wider than this: seven days are bars and not blocks.
const BAR_MAX: f64 = 56.0;
/// Columns narrower than this cannot be pointed at with a finger.
const TOUCHED: f64 = 9.0;

/// A chart as numbers.
#[derive(Debug)]
pub(crate) struct Chart {
    /// Where it will be seen.
    pub(crate) size: Size,
    /// What it shows.
    pub(crate) title: String,
    /// The sentence one would say on the telephone.
    pub(crate) about: String,
    /// Left to right.
    pub(crate) columns: Vec<Column>,
    /// Top to bottom.
    pub(crate) panels: Vec<Panel>,
    /// What held from when, in order of time; empty draws no band.
    pub(crate) bands: Vec<Band>,
    /// What happened beside the numbers, below the columns; in order.
    pub(crate) marks: Vec<Mark>,
    /// The one annotation.
    pub(crate) note: Option<Note>,
}

/// One column: a day, or some days.
#[derive(Debug)]
pub(crate) struct Column {
    /// Its first day.
    pub(crate) first: Day,
    /// Where it leads.
    pub(crate) link: Url,
    /// Its numbers in words.
    pub(crate) about: String,
    /// Its reports are still coming in.
    pub(crate) incomplete: bool,
}

/// One panel with its own scale.
#[derive(Debug)]
pub(crate) struct Panel {
    /// Short title with the unit.
    pub(crate) title: String,
    /// Height of the plot.
    pub(crate) height: f64,
    /// Most steps on its axis.
    pub(crate) steps: u64,
    /// From the baseline up.
    pub(crate) layers: Vec<Layer>,
}

/// One class over all columns.
#[derive(Debug)]
pub(crate) struct Layer {
    /// How it is drawn.
    pub(crate) class: Class,
    /// One value a column.
    pub(crate) values: Vec<u64>,
}

/// Something that held from one column on.
#[derive(Debug)]
pub(crate) struct Band {
    /// First column.
    pub(crate) from: usize,
    /// What it was.
    pub(crate) text: String,
    /// Number of its pin; none for what held from the beginning.
    pub(crate) pin: Option<usize>,
}

/// Something that happened in the days of a column.
#[derive(Debug)]
pub(crate) struct Mark {
    /// The column.
    pub(crate) column: usize,
    /// In words, a line each.
    pub(crate) about: String,
    /// Where more is said.
    pub(crate) link: Url,
}

/// The annotation: at the top of one column of the first panel.
#[derive(Debug)]
pub(crate) struct Note {
    /// The column.
    pub(crate) column: usize,
    /// The first line is the statement, the others qualify it.
    pub(crate) lines: Vec<String>,
}

impl Panel {
    /// The tallest column.
    pub(crate) fn max(&self) -> u64 {
        let columns = self.layers.iter().map(|layer| layer.values.len()).max().unwrap_or(0);
        (0..columns).map(|column| self.at(column)).max().unwrap_or(0)
    }

    fn at(&self, column: usize) -> u64 {
        self.layers.iter().fold(0, |sum, layer| sum.saturating_add(layer.values.get(column).copied().unwrap_or(0)))
    }

    /// Pixels a message.
    pub(crate) fn scale(&self) -> f64 {
        let (step, n) = steps(self.max(), self.steps);
        self.height / (as_f64(step) * as_f64(n))
    }
}

impl Chart {
    /// The drawing.
    pub(crate) fn draw(&self) -> Markup {
        let top = if self.bands.is_empty() { 0.0 } else { BAND };
        let mut y = top;
        let mut tops = Vec::new();
        for panel in &self.panels {
            tops.push(y + TITLE);
            y += TITLE + panel.height + BELOW;
        }
        let floor = y - BELOW;
        let size = self.size.class();
        let (title, about) = (format!("chart-{size}"), format!("chart-{size}-about"));
        html! {
            svg class=(size) viewBox=(format!("0 0 {} {}", px(self.size.width()), px(floor + 38.0))) role="group" aria-labelledby=(format!("{title} {about}")) {
                title id=(title) { (self.title) }
                desc id=(about) { (self.about) }
                (self.band())
                @for (panel, top) in self.panels.iter().zip(&tops) { (self.coming_in(panel, *top)) }
                @for (panel, top) in self.panels.iter().zip(&tops) { (self.grid(panel, *top)) }
                (self.changes(floor))
                @for (panel, top) in self.panels.iter().zip(&tops) { (self.columns_of(panel, *top)) }
                @for (panel, top) in self.panels.iter().zip(&tops) { text.ttl x=(px(LEFT)) y=(px(top - 8.0)) { (panel.title) } }
                @if let (Some(top), 1..) = (tops.first(), self.late()) { text.end.late x=(px(self.size.right())) y=(px(top - 8.0)) { "still coming in" } }
                (self.days(floor))
                (self.happened(floor))
                (self.links(top + 8.0, floor))
                @if let (Some(note), Some(panel), Some(top)) = (&self.note, self.panels.first(), tops.first()) { (self.annotation(note, panel, *top)) }
            }
        }
    }

    fn grid(&self, panel: &Panel, top: f64) -> Markup {
        let (left, right, labels) = (px(LEFT), px(self.size.right()), px(self.size.labels()));
        let (step, n) = steps(panel.max(), panel.steps);
        let n = if panel.max() == 0 { 0 } else { n };
        let floor = top + panel.height;
        let at = |index: u64| floor - as_f64(index) / as_f64(n.max(1)) * panel.height;
        html! {
            line.axis x1=(left) x2=(right) y1=(px(floor)) y2=(px(floor)) {}
            text x=(labels) y=(px(floor + 4.0)) { "0" }
            @for index in 1..=n {
                line.grid x1=(left) x2=(right) y1=(px(at(index))) y2=(px(at(index))) {}
                text x=(labels) y=(px(at(index) + 4.0)) { (axis_label(step.saturating_mul(index))) }
            }
            @if panel.max() == 0 { text.none x=(left) y=(px(floor - 8.0)) { "none in this period" } }
        }
    }

    fn pitch(&self) -> f64 {
        (self.size.right() - LEFT) / as_f64(self.columns.len().max(1) as u64)
    }

    fn x(&self, column: usize) -> f64 {
        LEFT + as_f64(column as u64) * self.pitch()
    }

    /// Space between columns: a hair where there are many.
    fn gap(&self) -> f64 {
        (self.pitch() * 0.17).clamp(0.3, 6.0).max(self.pitch() - BAR_MAX)
    }

    /// How many columns at the end are still coming in.
    fn late(&self) -> usize {
        self.columns.iter().rev().take_while(|column| column.incomplete).count()
    }

    /// The ground under the columns that are still coming in.
    fn coming_in(&self, panel: &Panel, top: f64) -> Markup {
        let (x, right) = (self.x(self.columns.len() - self.late()), self.size.right());
        html! {
            @if self.late() > 0 {
                rect.soon x=(px(x)) y=(px(top)) width=(px(right - x)) height=(px(panel.height)) {}
                line.soon-from x1=(px(x)) x2=(px(x)) y1=(px(top)) y2=(px(top + panel.height)) {}
            }
        }
    }

    fn band(&self) -> Markup {
        let ends = self.bands.iter().skip(1).map(|band| self.x(band.from)).chain([self.size.right()]);
        let mut taken = LEFT; // where the text of the band before ends
        let drawn: Vec<_> = self
            .bands
            .iter()
            .zip(ends)
            .map(|(band, end)| {
                let x = self.x(band.from);
                let label = match fitting(&band.text, end - x - 12.0) {
                    Some(text) => Some((x + 6.0, "", text)),
                    // No room of its own: it is told at the end of the band before.
                    None => {
                        fitting(&band.text, x - taken - 80.0).map(|text| (x - 6.0, "end", format!("then {text} →")))
                    }
                };
                if let Some((at, "", text)) = &label {
                    taken = at + as_f64(text.chars().count() as u64) * LETTER;
                } else {
                    taken = end;
                }
                (band, x, (end - x).max(0.0), label)
            })
            .collect();
        html! {
            @for (index, (band, x, width, _)) in drawn.iter().enumerate() {
                rect class=(format!("band b{}", index % 3 + 1)) x=(px(*x)) y="1" width=(px(*width)) height="18" { title { (band.text) } }
            }
            @for (_, _, _, label) in &drawn {
                @if let Some((x, anchor, text)) = label { text class=(anchor) x=(px(*x)) y="14" { (text) } }
            }
            @if !drawn.is_empty() { text x=(px(self.size.labels())) y="14" { "policy" } }
        }
    }

    fn changes(&self, floor: f64) -> Markup {
        let mut free = f64::MIN;
        let pins: Vec<_> = self
            .bands
            .iter()
            .filter_map(|band| Some((self.x(band.from), band.pin?)))
            .map(|(x, number)| {
                let shown = x - free >= 19.0;
                if shown {
                    free = x;
                }
                (x, shown.then_some(number))
            })
            .collect();
        html! {
            @for (x, number) in pins {
                line.change x1=(px(x)) x2=(px(x)) y1=(if number.is_some() { "43" } else { "20" }) y2=(px(floor)) {}
                @if let Some(number) = number {
                    circle.pin cx=(px(x)) cy="35" r="8" {}
                    text.pin-n x=(px(x)) y="38.6" { (number) }
                }
            }
        }
    }

    fn columns_of(&self, panel: &Panel, top: f64) -> Markup {
        let (step, n) = steps(panel.max(), panel.steps);
        let axis = step.saturating_mul(n);
        let width = self.pitch() - self.gap();
        let mut feet = vec![top + panel.height; self.columns.len()];
        let paths: Vec<_> = panel
            .layers
            .iter()
            .map(|layer| {
                let mut path = String::new();
                for (column, value) in layer.values.iter().enumerate().filter(|(_, value)| **value > 0) {
                    let Some(foot) = feet.get_mut(column) else { continue };
                    let height = height_of(*value, axis, panel.height);
                    // Half a pixel of paper between two classes that are both tall enough to spare it.
                    let drawn = if height > 3.0 { height - 0.5 } else { height };
                    bar_to(&mut path, (self.x(column) + self.gap() / 2.0, *foot), width, drawn);
                    *foot -= height;
                }
                (layer.class, path)
            })
            .filter(|(_, path)| !path.is_empty())
            .collect();
        html! {
            @for (class, path) in paths {
                path class=(class.fill) d=(path) {}
                @if let Some(pattern) = class.pattern { path fill=(format!("url(#{pattern})")) d=(path) {} }
            }
        }
    }

    /// A triangle below each column in whose days something happened.
    fn happened(&self, floor: f64) -> Markup {
        let shape = |mark: &Mark| {
            let x = self.x(mark.column) + self.pitch() / 2.0;
            format!("M{} {}l4.5 7h-9z", px(x), px(floor + 1.0))
        };
        html! {
            @for mark in &self.marks {
                a href=(mark.link) aria-label=(mark.about) { path.mark d=(shape(mark)) { title { (mark.about) } } }
            }
        }
    }

    fn days(&self, floor: f64) -> Markup {
        html! {
            @for label in self.day_labels() {
                text class=(label.anchor) x=(px(label.x)) y=(px(floor + 17.0)) { (label.text) }
                @if let Some(year) = label.year { text class=(label.anchor) x=(px(label.x)) y=(px(floor + 31.0)) { (year) } }
            }
        }
    }

    fn day_labels(&self) -> Vec<DayLabel> {
        let mut labels: Vec<DayLabel> = Vec::new();
        let mut year = None;
        for (column, here) in self.columns.iter().enumerate() {
            let Some(date) = here.first.date() else { continue };
            let next = self.columns.get(column + 1).map_or_else(|| here.first.plus(1), |next| next.first);
            if !marks(here.first, next, self.columns.len(), self.size) {
                continue;
            }
            let x = self.x(column) + self.pitch() / 2.0;
            let text =
                if self.columns.len() > 200 { month_name(date).to_owned() } else { crate::figures::day(here.first) };
            let room = as_f64(text.chars().count() as u64) * LETTER;
            if labels.last().is_some_and(|last| x - last.x < room + 8.0) {
                continue;
            }
            let anchor = if x < room / 2.0 {
                ""
            } else if x > self.size.right() + 30.0 - room / 2.0 {
                "end"
            } else {
                "mid"
            };
            let changed = year.is_some_and(|year| year != date.year());
            year = Some(date.year());
            labels.push(DayLabel { x, text, year: changed.then(|| date.year().to_string()), anchor });
        }
        labels
    }

    fn links(&self, top: f64, floor: f64) -> Markup {
        html! {
            @if self.size == Size::Wide || self.pitch() >= TOUCHED { g.hits {
                @for (index, column) in self.columns.iter().enumerate() {
                    a href=(column.link) tabindex="-1" {
                        rect.hit x=(px(self.x(index))) y=(px(top)) width=(px(self.pitch())) height=(px(floor - top)) {}
                        title { (column.about) }
                    }
                }
            } }
        }
    }

    fn annotation(&self, note: &Note, panel: &Panel, top: f64) -> Markup {
        let x = self.x(note.column) + self.pitch() / 2.0;
        let tall = as_f64(panel.at(note.column)) * panel.scale();
        let y = (top + panel.height - tall + 4.0).min(top + panel.height - 34.0).max(top + 4.0);
        let longest = note.lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
        let to_the_right = x + 18.0 + as_f64(longest as u64) * LETTER < self.size.right();
        let (from, to, at, anchor) = if to_the_right {
            (x + self.pitch() / 2.0 + 1.0, x + self.pitch() / 2.0 + 11.0, x + self.pitch() / 2.0 + 15.0, "note")
        } else {
            (x - self.pitch() / 2.0 - 1.0, x - self.pitch() / 2.0 - 11.0, x - self.pitch() / 2.0 - 15.0, "note end")
        };
        html! {
            path.leader d=(format!("M{} {}H{}", px(from), px(y), px(to))) {}
            @for (index, line) in note.lines.iter().enumerate() {
                text class=(if index == 0 { anchor.to_owned() } else { format!("{anchor} note-2") }) x=(px(at)) y=(px(y + 4.0 + as_f64(index as u64) * 14.0)) { (line) }
            }
        }
    }
}

/// A label under the columns.
struct DayLabel {
    x: f64,
    text: String,
    year: Option<String>,
    anchor: &'static str,
}

/// Whether a column is worth a label: every day of a fortnight, every Monday of a month, every second one of a quarter, else the
/// first of a month. On a phone there is room for half as many.
fn marks(first: Day, next: Day, columns: usize, size: Size) -> bool {
    let weeks = match (columns, size) {
        (0..=14, _) => return true,
        (15..=45, Size::Wide) => 1,
        (15..=45, Size::Narrow) | (46..=140, Size::Wide) => 2,
        (46..=140, Size::Narrow) => 4,
        _ => 0,
    };
    (first.0..next.0.max(first.0 + 1)).any(|day| {
        if weeks == 0 {
            Day(day).date().is_some_and(|date| date.day() == 1)
        } else {
            Day(day).since_monday() == 0 && (day / 7) % weeks == 0
        }
    })
}

/// The text, or as much of it as the room holds: whole tags only.
fn fitting(text: &str, room: f64) -> Option<String> {
    let fits = |text: &str| as_f64(text.chars().count() as u64) * LETTER <= room;
    if fits(text) {
        return Some(text.to_owned());
    }
    let mut cut = text;
    while let Some((head, _)) = cut.rsplit_once(';') {
        if fits(head) {
            return Some(head.to_owned());
        }
        cut = head;
    }
    None
}

/// Axis labels have room for seven characters.
fn axis_label(n: u64) -> String {
    if n < 1_000_000 { count(n) } else { crate::figures::short(n) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words;
    use report::Outcome;

    fn chart(values: Vec<u64>, bands: Vec<Band>, note: Option<Note>) -> String {
        sized(Size::Wide, values, bands, note)
    }

    fn sized(size: Size, values: Vec<u64>, bands: Vec<Band>, note: Option<Note>) -> String {
        let first: Day = "2026-10-21".parse().unwrap();
        let columns = (0..values.len())
            .map(|n| Column {
                first: first.plus(i32::try_from(n).unwrap()),
                link: Url::path(&["sources"]),
                about: format!("day {n}"),
                incomplete: n == 2 && values.len() == 3,
            })
            .collect();
        let layers = vec![Layer { class: words::outcome(Outcome::Unaligned), values }];
        let panel = Panel { title: "Failing".into(), height: 200.0, steps: 5, layers };
        Chart {
            size,
            title: "t".into(),
            about: "a".into(),
            columns,
            panels: vec![panel],
            bands,
            marks: Vec::new(),
            note,
        }
        .draw()
        .into_string()
    }

    #[test]
    fn each_column_is_a_link_and_the_largest_fills_its_step() {
        let drawn = chart(vec![10, 0, 20], vec![], None);
        assert_eq!(drawn.matches("class=\"hit\"").count(), 3);
        assert!(drawn.contains("v-199.5"), "20 of 20 is the whole height: {drawn}");
        assert!(drawn.contains("v-99.5"), "10 of 20 is half of it");
        assert!(drawn.contains("url(#p-fall)"), "the pattern says what the colour says");
        assert!(drawn.contains("still coming in"), "the last column is incomplete, and that is said");
        assert!(!chart(vec![10, 20], vec![], None).contains("coming in"));
    }

    #[test]
    fn a_phone_gets_links_where_a_finger_can_hit_them() {
        for (columns, links) in [(7, 7), (90, 0)] {
            let drawn = sized(Size::Narrow, vec![5; columns], vec![], None);
            assert_eq!(drawn.matches("class=\"hit\"").count(), links, "{columns} columns");
        }
        let ends = |text: &str| text.matches("class=\"mid\"").count();
        assert!(ends(&sized(Size::Narrow, vec![5; 90], vec![], None)) < 7, "labels keep their distance");
    }

    #[test]
    fn nothing_at_all_is_said_in_words() {
        for values in [vec![], vec![0, 0]] {
            let drawn = chart(values, vec![], None);
            assert!(
                drawn.contains("none in this period") && !drawn.contains("NaN") && !drawn.contains("inf"),
                "{drawn}"
            );
        }
    }

    #[test]
    fn notes_stay_inside_and_bands_keep_whole_tags() {
        let mut values = vec![1; 90];
        values[88] = 500;
        let note = Note { column: 88, lines: vec!["Sat 17 Jan: +499 in one day".into()] };
        let drawn = chart(
            values,
            vec![
                Band { from: 0, text: "p=none; sp=none; adkim=r".into(), pin: None },
                Band { from: 2, text: "p=reject".into(), pin: Some(1) },
            ],
            Some(note),
        );
        assert!(drawn.contains("note end"), "a note at the right edge is written to the left");
        assert!(drawn.contains("class=\"pin\""));
        assert_eq!(fitting("p=none; sp=none; adkim=r", 15.0 * LETTER).as_deref(), Some("p=none; sp=none"));
        assert_eq!(fitting("p=none", 5.0), None);
    }
}
