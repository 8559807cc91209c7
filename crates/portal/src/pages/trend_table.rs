//! The trend's table: the chart's numbers by day, week or month, newest first.

use insight::{Dispositions, Outcomes, Trend, TrendDay};
use maud::{Markup, html};
use report::{Day, Disposition, Outcome};

use super::{Here, as_u64, n};
use crate::ask::{Ask, By, View};
use crate::figures::{self, counted, percent};
use crate::links;
use crate::url::Url;
use crate::words;

/// Lines drawn; the CSV and the API have all.
pub(super) const LINES_MAX: usize = 400;

/// The section beside the chart.
pub(super) fn section(here: Here<'_>, answer: &Trend, path: &[&str]) -> Markup {
    let by = here.ask.by.unwrap_or_else(|| usual(answer.days.len()));
    let lines = group(&answer.days, |day| day.day, by);
    html! {
        section aria-labelledby="h-table" {
            div.head {
                h2 id="h-table" { "The same, by " (by.word()) }
                span.aside { (switch(here, by, path)) }
            }
            div.box { div.scroll { (table(here, answer, by, &lines)) } }
            @if lines.len() > LINES_MAX { p.cap { "The newest " (LINES_MAX) " of " (lines.len()) "; CSV and JSON have all." } }
        }
    }
}

/// What a line covers, to be chosen.
pub(super) fn switch(here: Here<'_>, by: By, path: &[&str]) -> Markup {
    html! {
        span.switch {
            @for other in By::ALL {
                a href=(Ask { by: Some(other), ..here.ask.clone() }.to(path)) aria-current=[(other == by).then_some("true")] { (other.word()) }
            }
        }
    }
}

/// What the first column is called.
pub(super) fn head(by: By) -> &'static str {
    match by {
        By::Day => "Day",
        By::Week => "Week of",
        By::Month => "Month",
    }
}

/// What reads best for a period of this many days: about a dozen lines.
pub(super) fn usual(days: usize) -> By {
    match days {
        0..=16 => By::Day,
        17..=140 => By::Week,
        _ => By::Month,
    }
}

/// The days of each line, oldest line first.
pub(super) fn group<T>(days: &[T], on: fn(&T) -> Day, by: By) -> Vec<&[T]> {
    let key = |day: Day| match by {
        By::Day => (i64::from(day.0), 0),
        By::Week => (i64::from(day.0) - i64::from(day.since_monday()), 0),
        By::Month => day.date().map_or((i64::from(day.0), 0), |date| (i64::from(date.year()), i64::from(date.month()))),
    };
    days.chunk_by(|a, b| key(on(a)) == key(on(b))).collect()
}

/// The columns after the first: head, its long form, how to count, and what it leads to.
type Counted = (&'static str, &'static str, fn(&Sum) -> u64, fn(&insight::Scope) -> Url);

fn columns(view: View) -> [Counted; 2] {
    match view {
        View::Outcome | View::Class => [
            (
                "Unaligned",
                "fails, but authenticated as another domain",
                |sum| sum.outcomes.unaligned,
                |s| links::sources(&links::with_outcomes(s, &[Outcome::Unaligned])),
            ),
            (
                "Unauth.",
                "unauthenticated: fails, and nothing authenticated it",
                |sum| sum.outcomes.unauthenticated,
                |s| links::sources(&links::with_outcomes(s, &[Outcome::Unauthenticated])),
            ),
        ],
        View::Disposition => [
            (
                "Quarant.",
                "quarantined: put aside by the receiver",
                |sum| sum.dispositions.quarantine,
                |s| links::sources(&links::meeting(s, Disposition::Quarantine)),
            ),
            (
                "Rejected",
                "refused by the receiver",
                |sum| sum.dispositions.reject,
                |s| links::sources(&links::meeting(s, Disposition::Reject)),
            ),
        ],
    }
}

fn table(here: Here<'_>, answer: &Trend, by: By, lines: &[&[TrendDay]]) -> Markup {
    let columns = columns(here.ask.view);
    let spike = answer.spikes.first().map(|spike| spike.day);
    let total = Sum::of(&answer.days);
    let failing = links::sources(&links::failing(here.scope()));
    html! {
        table.tight {
            caption.vh { "Messages by " (by.word()) ", newest first" }
            thead {
                tr {
                    th scope="col" aria-sort="descending" { (head(by)) }
                    th.num.hide-s scope="col" { "All" }
                    th.num scope="col" { "Fail" }
                    th.num scope="col" { abbr title="share of messages that fail" { "%" } }
                    @for (name, about, ..) in &columns { th.num scope="col" { abbr title=(about) { (name) } } }
                }
            }
            tbody {
                @for (index, days) in lines.iter().rev().take(LINES_MAX).enumerate() {
                    @if let (Some(first), Some(last)) = (days.first(), days.last()) {
                        @let sum = Sum::of(days);
                        @let scope = links::within(here.scope(), first.day, last.day);
                        tr class=[days.iter().any(|day| Some(day.day) == spike).then_some("on")] {
                            th.nowrap scope="row" {
                                (label(first.day, by, index.checked_sub(1).and_then(|above| Some(lines.iter().rev().nth(above)?.first()?.day))))
                                @if late(answer, days) { " " span.faint title="fewer reporters than usual have reported yet: the numbers will rise" { "so far" } }
                                @else if by == By::Week && days.len() < 7 { " " span.faint { (days.len()) " d" } }
                            }
                            td.num.hide-s { (n(&links::sources(&scope), sum.outcomes.messages())) }
                            td.num { (n(&links::sources(&links::failing(&scope)), sum.outcomes.failing())) }
                            td.num { a.n href=(links::sources(&links::failing(&scope))) { (percent(sum.outcomes.failing(), sum.outcomes.messages())) } }
                            @for (_, _, of, link) in &columns { td.num { (n(&link(&scope), of(&sum))) } }
                        }
                    }
                }
            }
            tfoot {
                tr {
                    th scope="row" { (counted(as_u64(answer.days.len()), "day", "days")) }
                    td.num.hide-s { (n(&links::sources(here.scope()), total.outcomes.messages())) }
                    td.num { (n(&failing, total.outcomes.failing())) }
                    td.num { a.n href=(failing) { (percent(total.outcomes.failing(), total.outcomes.messages())) } }
                    @for (_, _, of, link) in &columns { td.num { (n(&link(here.scope()), of(&total))) } }
                }
            }
        }
    }
}

/// Whether any of these days is still coming in.
fn late(answer: &Trend, days: &[TrendDay]) -> bool {
    days.iter().any(|day| answer.incomplete.iter().any(|late| late.day == day.day))
}

/// The line's days. The year stands only where it differs from the line above.
pub(super) fn label(first: Day, by: By, above: Option<Day>) -> Markup {
    let year = |day: Day| day.date().map(jiff::civil::Date::year);
    let turned = above.filter(|above| year(*above) != year(first)).and(year(first));
    let name = match by {
        By::Day => figures::weekday(first),
        By::Week => figures::day(first.plus(-first.since_monday())),
        By::Month => return html! { (figures::month_year(first)) },
    };
    html! {
        (name)
        @if let Some(year) = turned { " " span.faint { (year) } }
    }
}

/// Sums over some days.
struct Sum {
    outcomes: Outcomes,
    dispositions: Dispositions,
}

impl Sum {
    fn of(days: &[TrendDay]) -> Self {
        let mut sum = Self { outcomes: Outcomes::default(), dispositions: Dispositions::default() };
        for TrendDay { counts, .. } in days {
            for outcome in Outcome::ALL {
                sum.outcomes.add(outcome, counts.outcomes().get(outcome));
            }
            for disposition in words::STOPPED.into_iter().chain(words::DELIVERED) {
                sum.dispositions.add(disposition, words::met(&counts.disposition, disposition));
            }
        }
        sum
    }
}
