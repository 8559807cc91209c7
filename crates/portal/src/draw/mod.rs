//! Drawings: SVG made on the server from the numbers beside it, with classes only.
//!
//! In: numbers. Out: markup without one style attribute, script or foreign reference. Whatever a colour says, a pattern or a
//! position says again, and a text says in words.

mod bar;
mod chart;
mod grade;
mod scale;
mod size;
mod spark;
mod state;
mod whisker;

pub(crate) use bar::{outcome_bar, share_bar};
pub(crate) use chart::{Band, Chart, Column, Layer, Mark, Note, Panel};
pub(crate) use grade::grade;
pub(crate) use size::Size;
pub(crate) use spark::{day_bars, line, strip};
pub(crate) use state::{State, state};
pub(crate) use whisker::whisker;

use std::fmt::Write as _;

use maud::{Markup, html};

use crate::words::Class;

/// The patterns every drawing of a page refers to.
pub(crate) fn patterns() -> Markup {
    html! {
        svg.defs aria-hidden="true" focusable="false" {
            defs {
                pattern id="p-rise" width="4" height="4" patternUnits="userSpaceOnUse" { path.mk d="M-1 1 1-1M0 4 4 0M3 5 5 3" {} }
                pattern id="p-fall" width="4" height="4" patternUnits="userSpaceOnUse" { path.mk d="M-1 3 1 5M0 0 4 4M3-1 5 1" {} }
                pattern id="p-bars" width="4" height="4" patternUnits="userSpaceOnUse" { path.mk d="M0 2H4" {} }
                pattern id="p-soon" width="6" height="6" patternUnits="userSpaceOnUse" { path.skh d="M-1 1 1-1M0 6 6 0M5 7 7 5" {} }
                pattern id="p-grain" width="3" height="3" patternUnits="userSpaceOnUse" { path.mkd d="M0 0h1v1H0zM1.5 1.5h1v1h-1z" {} }
                pattern id="p-dots" width="5" height="5" patternUnits="userSpaceOnUse" { circle.mkd cx="2.5" cy="2.5" r="1.1" {} }
            }
        }
    }
}

/// A chart for each screen; the style sheet shows the one that fits.
pub(crate) fn for_each_screen(chart: impl Fn(Size) -> Chart) -> Markup {
    html! { div.chart { @for size in Size::ALL { (chart(size).draw()) } } }
}

/// The small square that stands before a class's name.
pub(crate) fn swatch(class: Class) -> Markup {
    html! {
        svg.sw viewBox="0 0 11 11" aria-hidden="true" focusable="false" {
            rect class=(class.fill) width="11" height="11" rx="2" {}
            @if let Some(pattern) = class.pattern { rect width="11" height="11" rx="2" fill=(format!("url(#{pattern})")) {} }
        }
    }
}

/// A class by square and name.
pub(crate) fn chip(class: Class) -> Markup {
    html! { span.chip title=(class.about) { (swatch(class)) (class.name) } }
}

/// Adds an upright bar to a path: its foot, its width, its height.
fn bar_to(path: &mut String, (x, foot): (f64, f64), width: f64, height: f64) {
    // Writing to a `String` cannot fail.
    let _ = write!(path, "M{} {}v-{}h{}v{}z", px(x), px(foot), px(height), px(width), px(height));
}

/// One decimal is a tenth of a pixel: enough, and short.
fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}
