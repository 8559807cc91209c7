//! A bar with a whisker: what is expected, and the most it may be.

use maud::{Markup, html};

use super::px;
use crate::figures::rate;
use crate::words::Class;

/// Width in its own units.
const WIDTH: f64 = 160.0;

/// What is expected as a bar, the bound as a whisker; `largest` fills the width.
pub(crate) fn whisker(expected: f64, most: Option<f64>, largest: f64, class: Class) -> Markup {
    let scale =
        |value: f64| if largest > 0.0 { (value / largest * (WIDTH - 2.0)).clamp(0.0, WIDTH - 2.0) } else { 0.0 };
    let bar = if expected > 0.0 { scale(expected).max(1.0) } else { 0.0 };
    let label = match most {
        Some(most) => format!("{} a day, at most {}", rate(expected), rate(most)),
        None => format!("{} a day, no bound", rate(expected)),
    };
    html! {
        svg.whisker viewBox="0 0 160 12" preserveAspectRatio="none" role="img" aria-label=(label) {
            rect class=(class.fill) y="2" width=(px(bar)) height="8" {}
            @if let Some(pattern) = class.pattern { rect y="2" width=(px(bar)) height="8" fill=(format!("url(#{pattern})")) {} }
            @if let Some(most) = most.map(scale).filter(|most| *most > bar) {
                path.reach d=(format!("M{} 6H{}M{} 3V9", px(bar), px(most), px(most))) {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whisker_ends_at_the_bound_and_nothing_is_drawn_outside() {
        let class = crate::words::outcome(report::Outcome::Unaligned);
        let drawn = whisker(10.0, Some(40.0), 40.0, class).into_string();
        assert!(drawn.contains("10 a day, at most 40") && drawn.contains("M39.5 6H158"), "{drawn}");
        assert!(whisker(0.0, None, 0.0, class).into_string().contains("width=\"0\""), "nothing is no bar");
        assert!(!whisker(50.0, Some(60.0), 40.0, class).into_string().contains("H16"), "beyond the largest it is cut");
    }
}
