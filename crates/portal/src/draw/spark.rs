//! Small drawings in tables: a line, day bars, and a strip of what arrived. No axis, no colour; a gap is a gap and not a 0.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::scale::{buckets, height_of, per_bucket};
use super::{bar_to, px};
use crate::figures::{as_f64, count};

const WIDTH: f64 = 84.0;
const HEIGHT: f64 = 20.0;
/// Bars narrower than this cannot be told apart.
const BARS_MAX: usize = 42;

/// A line through `values`, broken where `seen` is 0 (nothing was reported, which is not the same as nothing failed), with a
/// dot at the newest point.
pub(crate) fn line(values: &[u64], seen: &[u64], label: &str) -> Markup {
    let size = per_bucket(values.len(), 60);
    let (values, seen) = (buckets(values, size), buckets(seen, size));
    let max = values.iter().copied().max().unwrap_or(0);
    let step = WIDTH / as_f64(values.len().saturating_sub(1).max(1) as u64);
    let at = |index: usize, value: u64| {
        (as_f64(index as u64) * step, HEIGHT - 2.0 - as_f64(value) / as_f64(max.max(1)) * (HEIGHT - 4.0))
    };
    let (mut path, mut pen, mut last) = (String::new(), false, None);
    for (index, value) in values.iter().enumerate() {
        if seen.get(index).copied().unwrap_or(0) == 0 {
            pen = false;
            continue;
        }
        let (x, y) = at(index, *value);
        path.push(if pen { 'L' } else { 'M' });
        let _ = write!(path, "{} {}", px(x), px(y));
        if !pen {
            path.push_str("h.1"); // a single day between two gaps is a point
        }
        pen = true;
        last = Some((x, y));
    }
    html! {
        svg.spark viewBox="0 0 84 20" role="img" aria-label=(label) {
            path.ln d=(path) {}
            @if let Some((x, y)) = last { circle.dot cx=(px(x)) cy=(px(y)) r="1.8" {} }
        }
    }
}

/// A bar for each day; a day without messages has none.
pub(crate) fn day_bars(values: &[u64]) -> Markup {
    let size = per_bucket(values.len(), BARS_MAX);
    let bars = buckets(values, size);
    let max = bars.iter().copied().max().unwrap_or(0);
    let active = values.iter().filter(|n| **n > 0).count();
    let label = format!("messages on {active} of {} days, at most {} in {size} day", values.len(), count(max));
    let pitch = WIDTH / as_f64(bars.len().max(1) as u64);
    let width = (pitch * 0.7).clamp(1.0, 6.0);
    let mut path = String::new();
    for (index, value) in bars.iter().enumerate().filter(|(_, value)| **value > 0) {
        let height = height_of(*value, max, HEIGHT - 2.0).max(1.5);
        bar_to(&mut path, (as_f64(index as u64) * pitch, HEIGHT), width, height);
    }
    html! {
        svg.spark viewBox="0 0 84 20" role="img" aria-label=(label) {
            line.floor x1="0" x2="84" y1="20" y2="20" {}
            path.bars d=(path) {}
        }
    }
}

/// What arrived, day by day: a bar where something came, a low line of another colour where nothing did, dots before the first.
pub(crate) fn strip(values: &[u64], label: &str) -> Markup {
    const CELLS_MAX: usize = 92;
    let size = per_bucket(values.len(), CELLS_MAX);
    let cells = buckets(values, size);
    let pitch = (276.0 / as_f64(cells.len().max(1) as u64)).min(14.0);
    let width = (pitch - 1.0).max(1.0);
    let max = cells.iter().copied().max().unwrap_or(0);
    let (mut came, mut missing) = (String::new(), String::new());
    // Before the first report nothing was to be expected.
    let first = cells.iter().position(|n| *n > 0).unwrap_or(cells.len());
    for (index, value) in cells.iter().enumerate().skip(first) {
        let x = as_f64(index as u64) * pitch;
        if *value == 0 {
            let _ = write!(missing, "M{} 14.5h{}", px(x), px(width));
        } else {
            let height = height_of(*value, max, 12.0).max(4.0);
            bar_to(&mut came, (x, 14.0), width, height);
        }
    }
    let drawn = px(as_f64(cells.len() as u64) * pitch);
    html! {
        svg.strip viewBox=(format!("0 0 {drawn} 18")) width=(drawn) height="18" role="img" aria-label=(label) {
            @if first > 0 { line.before x1="0" x2=(px(as_f64(first as u64) * pitch - 1.0)) y1="14.5" y2="14.5" {} }
            path.came d=(came) {}
            path.missing d=(missing) {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_not_a_zero() {
        let broken = line(&[5, 0, 0, 5], &[9, 9, 0, 9], "x").into_string();
        assert_eq!(broken.matches('M').count(), 2, "the line lifts off where nothing was reported");
        let whole = line(&[5, 0, 0, 5], &[9, 9, 9, 9], "x").into_string();
        assert_eq!(whole.matches('M').count(), 1);
        let strip = strip(&[1, 0, 3], "x").into_string();
        assert_eq!(strip.matches("14.5h").count(), 1, "one day is missing");
        assert_eq!(strip.matches("14v-").count(), 2);
        let late = super::strip(&[0, 0, 1], "x").into_string();
        assert!(!late.contains("14.5h") && late.contains("before"), "nothing is missing before the first report");
        assert_eq!(day_bars(&[0, 3, 0, 1]).into_string().matches("20v-").count(), 2);
    }

    #[test]
    fn no_days_at_all_draw_nothing() {
        for drawn in [line(&[], &[], "x"), day_bars(&[]), strip(&[], "x")] {
            assert!(!drawn.into_string().contains("NaN"));
        }
    }
}
