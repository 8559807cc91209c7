//! A reputation as a bar on a scale from −10 to +10, from the middle to the side it leans to.

use maud::{Markup, html};

use super::px;
use crate::figures::signed;

/// Half the scale in the drawing's own units.
const HALF: f64 = 30.0;

/// The bar; a large one with its ends marked, or a small one for tables.
pub(crate) fn grade(grade: f64, large: bool) -> Markup {
    let grade = grade.clamp(-10.0, 10.0);
    let width = (grade.abs() / 10.0 * HALF).max(1.0);
    let x = if grade < 0.0 { HALF - width } else { HALF };
    let spoken = format!("reputation {} on a scale from −10 to +10", signed(grade));
    html! {
        svg.grade.large[large] viewBox="0 0 60 10" role="img" aria-label=(spoken) {
            rect.track y="3" width="60" height="4" {}
            rect class=(if grade < 0.0 { "bad" } else { "good" }) x=(px(x)) y="2" width=(px(width)) height="6" {}
            rect.zero x="29.5" width="1" height="10" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_leans_to_its_side_and_stays_on_the_scale() {
        for (number, x, width) in
            [(0.0, "30", "1"), (10.0, "30", "30"), (-10.0, "0", "30"), (-5.0, "15", "15"), (99.0, "30", "30")]
        {
            let drawn = grade(number, false).into_string();
            assert!(drawn.contains(&format!("x=\"{x}\" y=\"2\" width=\"{width}\"")), "{number}: {drawn}");
        }
        assert!(grade(-3.25, false).into_string().contains("reputation −3.2 on"));
    }
}
