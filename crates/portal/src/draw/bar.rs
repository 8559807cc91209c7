//! Bars that lie down: the outcomes of one line side by side, and a plain share.

use insight::Outcomes;
use maud::{Markup, html};
use report::Outcome;

use super::px;
use crate::figures::{as_f64, count, percent};
use crate::words;

/// Width of a bar in its own units.
const WIDTH: f64 = 96.0;

/// The outcomes of one line: passing from the left, failing up to the right edge.
pub(crate) fn outcome_bar(outcomes: &Outcomes) -> Markup {
    let all = outcomes.messages();
    let order = words::PASSING.into_iter().chain(words::FAILING);
    let parts = pieces(order.map(|outcome| (outcome, outcomes.get(outcome))), all);
    html! {
        svg.obar viewBox="0 0 96 10" preserveAspectRatio="none" role="img" aria-label=(spoken(outcomes)) {
            rect.track width="96" height="10" {}
            @for (outcome, x, width) in parts {
                @let class = words::outcome(outcome);
                rect class=(class.fill) x=(px(x)) width=(px(width)) height="10" {}
                @if let Some(pattern) = class.pattern { rect x=(px(x)) width=(px(width)) height="10" fill=(format!("url(#{pattern})")) {} }
            }
        }
    }
}

/// Where each part begins and how wide it is; what is not 0 is at least one unit wide.
fn pieces(parts: impl Iterator<Item = (Outcome, u64)>, all: u64) -> Vec<(Outcome, f64, f64)> {
    let parts: Vec<_> = parts.filter(|(_, n)| *n > 0).collect();
    let raw: Vec<f64> = parts.iter().map(|(_, n)| (as_f64(*n) / as_f64(all.max(1)) * WIDTH).max(1.2)).collect();
    let squeeze = WIDTH / raw.iter().sum::<f64>().max(WIDTH);
    let mut x = 0.0;
    parts
        .iter()
        .zip(raw)
        .map(|((outcome, _), width)| {
            let piece = (*outcome, x, width * squeeze);
            x += width * squeeze;
            piece
        })
        .collect()
}

/// The bar in words.
fn spoken(outcomes: &Outcomes) -> String {
    let all = outcomes.messages();
    let named: Vec<_> = words::PASSING
        .into_iter()
        .chain(words::FAILING)
        .map(|outcome| (words::outcome(outcome).name, outcomes.get(outcome)))
        .filter(|(_, n)| *n > 0)
        .map(|(name, n)| format!("{} {} %", name.to_lowercase(), percent(n, all)))
        .collect();
    if named.is_empty() { "no messages".to_owned() } else { format!("{} messages: {}", count(all), named.join(", ")) }
}

/// A share in ink.
pub(crate) fn share_bar(part: u64, whole: u64, label: &str) -> Markup {
    let width = if part == 0 || whole == 0 { 0.0 } else { (as_f64(part) / as_f64(whole) * WIDTH).clamp(1.0, WIDTH) };
    html! {
        svg.share viewBox="0 0 96 8" preserveAspectRatio="none" role="img" aria-label=(format!("{label}: {} %", percent(part, whole))) {
            rect.track width="96" height="8" {}
            rect.fill width=(px(width)) height="8" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_fill_the_bar_and_none_vanishes() {
        let outcomes = Outcomes { both: 1_000_000, unauthenticated: 1, ..Outcomes::default() };
        let parts = pieces([(Outcome::Both, outcomes.both), (Outcome::Unauthenticated, 1)].into_iter(), 1_000_001);
        assert_eq!(parts.len(), 2);
        assert!(parts[1].2 > 1.0, "one in a million is seen");
        assert!((parts[1].1 + parts[1].2 - WIDTH).abs() < 1e-6, "and the bar is not overdrawn");
        assert!(outcome_bar(&Outcomes::default()).into_string().contains("no messages"));
    }
}
