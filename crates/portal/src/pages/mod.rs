//! The pages: one file each, a pure function from an answer to a document. And the few pieces that several of them share.
//!
//! In: an answer of `insight`, what was asked, what is around. Out: markup. No SQL, no I/O, no clock.

pub(crate) mod alerts;
pub(crate) mod api;
pub(crate) mod arrivals;
mod behind;
pub(crate) mod collecting;
pub(crate) mod deciding;
pub(crate) mod dkim;
pub(crate) mod dns;
pub(crate) mod empty;
pub(crate) mod error;
pub(crate) mod explorer;
pub(crate) mod flow;
pub(crate) mod flows;
mod judged;
pub(crate) mod lists;
pub(crate) mod lookalikes;
pub(crate) mod one_report;
pub(crate) mod owners;
pub(crate) mod portfolio;
pub(crate) mod preview;
pub(crate) mod quality;
pub(crate) mod readiness;
mod records;
pub(crate) mod report_list;
pub(crate) mod reputation;
pub(crate) mod rows;
pub(crate) mod samples;
pub(crate) mod search;
pub(crate) mod source;
pub(crate) mod spf;
mod spike;
#[cfg(test)]
mod tests;
pub(crate) mod today;
pub(crate) mod trend;
mod trend_chart;
mod trend_classes;
mod trend_dns;
mod trend_table;
pub(crate) mod upload;

use std::net::IpAddr;

use insight::Scope;
use maud::{Markup, html};
use report::{Day, Outcome};

use crate::around::Around;
use crate::ask::Ask;
use crate::figures::{self, count};
use crate::links;
use crate::text;
use crate::url::Url;
use crate::words;

/// What every page is drawn with besides its answer.
#[derive(Clone, Copy)]
pub(crate) struct Here<'a> {
    /// What is around it.
    pub(crate) around: &'a Around,
    /// What was asked.
    pub(crate) ask: &'a Ask,
}

impl Here<'_> {
    /// The filters in force.
    pub(crate) fn scope(&self) -> &Scope {
        &self.ask.scope
    }
}

/// A count that leads to its rows.
fn n(url: &Url, number: u64) -> Markup {
    html! { a.n href=(url) { (count(number)) } }
}

/// A bold count in a lead that leads to its rows.
fn strong(url: &Url, words: &str) -> Markup {
    html! { a.n href=(url) { strong { (words) } } }
}

/// A column head that sorts: the current one with an arrow, a second click turns it round.
fn sort_head(name: &str, class: Option<&str>, key: &SortKey<'_>) -> Markup {
    // `falling` is what the reader sees: the usual direction of the key, or the other.
    let falling = key.falls != (key.current && key.reversed);
    html! {
        th scope="col" class=[class] aria-sort=[key.current.then_some(if falling { "descending" } else { "ascending" })] {
            a href=(key.url) {
                (name)
                @if key.current { span aria-hidden="true" { (if falling { " ↓" } else { " ↑" }) } }
            }
        }
    }
}

/// A sort key as a column head needs it.
struct SortKey<'a> {
    /// Where a click leads.
    url: &'a Url,
    /// Whether the table is sorted by it.
    current: bool,
    /// Whether it is turned round.
    reversed: bool,
    /// Whether its usual direction is the largest first.
    falls: bool,
}

/// Which lines of how many, and the way to the others. Nothing where all are shown.
fn pager(ask: &Ask, path: &[&str], shown: usize, total: usize, what: &str) -> Markup {
    let limit = ask.lines();
    let first = ask.offset.min(total);
    let before = (ask.offset > 0).then(|| Ask { offset: ask.offset.saturating_sub(limit), ..ask.clone() }.here(path));
    let after = (first + shown < total).then(|| Ask { offset: first + shown, ..ask.clone() }.here(path));
    html! {
        @if before.is_some() || after.is_some() {
            nav.pages aria-label="Pages" {
                span { (count(as_u64(first + usize::from(shown > 0)))) " to " (count(as_u64(first + shown))) " of " (count(as_u64(total))) " " (what) }
                span.to {
                    @if let Some(url) = before { a href=(url) rel="prev" { "‹ Previous" } }
                    @if let Some(url) = after { a href=(url) rel="next" { "Next ›" } }
                }
            }
        }
    }
}

/// A form that narrows a list to names with some text in them, and keeps whatever else is asked.
fn search_within(ask: &Ask, path: &[&str], label: &str, placeholder: &str) -> Markup {
    let kept = ask.pairs().into_iter().filter(|(name, _)| !matches!(*name, "q" | "offset"));
    html! {
        form.inline method="get" action=(Url::path(path)) {
            label.vh for="within" { (label) }
            input id="within" type="search" name="q" value=[ask.q.as_ref()] placeholder=(placeholder) autocomplete="off" maxlength="300";
            @for (name, value) in kept { input type="hidden" name=(name) value=(value); }
            button { "Find" }
        }
    }
}

fn as_u64(n: usize) -> u64 {
    n as u64
}

/// An outcome as square and name.
fn outcome_chip(outcome: Outcome) -> Markup {
    crate::draw::chip(words::outcome(outcome))
}

/// Nothing of a kind: `none`, and `no` where the kind stands behind it on a narrow screen.
fn none() -> Markup {
    html! { span.faint { "no" span.ne { "ne" } } }
}

/// What a report is called: its number is a name and not a count.
fn report_name(id: u64) -> String {
    format!("report {id}")
}

/// An address as a link to its page.
fn address(address: IpAddr, scope: &Scope) -> Markup {
    html! { a.n href=(links::source(address, scope)) { code { (address) } } }
}

/// A day with its weekday; the year where it is not the newest's.
fn day(day: Day, newest: Option<Day>) -> String {
    let year = |day: Day| day.date().map(jiff::civil::Date::year);
    if newest.is_none_or(|newest| year(newest) == year(day)) { figures::day(day) } else { figures::day_year(day) }
}

/// How long a period is, in words: `90 days`, `Tue 19 Jan 2027`.
fn length(days: (Day, Day)) -> String {
    if days.0 == days.1 {
        figures::weekday_year(days.0)
    } else {
        figures::counted(u64::try_from(days.1.0.saturating_sub(days.0.0).saturating_add(1)).unwrap_or(0), "day", "days")
    }
}

/// Days from first to last, both included.
fn days_between(days: (Day, Day)) -> usize {
    usize::try_from(days.1.0.saturating_sub(days.0.0).saturating_add(1)).unwrap_or(1).max(1)
}

/// A name from a report; a dash where the reports name none.
fn name_or_dash(name: &str) -> Markup {
    html! { @if name.is_empty() || name == "-" { span.faint { "not named" } } @else { (text::text(name)) } }
}

/// What to do while the ledger holds nothing: on pages that have something of their own to say even so.
fn fill(here: Here<'_>) -> Markup {
    html! {
        section {
            div.box.pad {
                p { "The ledger is empty. Take reports in: " code { "lamppost import PATH…" } }
                p.row {
                    @if here.around.uploads { a.btn href=(Url::path(&["reports", "upload"])) { "Hand files in" } }
                    a.btn href=(Url::path(&["reports", "sources"])) { "Let them arrive by themselves" }
                }
            }
        }
    }
}

/// What to do where a filter leaves nothing.
fn nothing(here: Here<'_>, path: &[&str], what: &str) -> Markup {
    let scope = here.scope();
    let all = Ask { scope: Scope { period: insight::Period::All, ..Scope::default() }, ..Ask::default() };
    let longer = Ask { scope: Scope { period: insight::Period::All, ..scope.clone() }, ..here.ask.clone() };
    let unknown = [(&scope.domain, &here.around.domains), (&scope.reporter, &here.around.reporters)];
    let unknown = unknown.into_iter().filter_map(|(name, known)| name.as_ref().filter(|name| !known.contains(name)));
    if here.around.days.is_none() {
        return fill(here);
    }
    html! {
        section {
            div.box.pad {
                p { "No " (what) " match these filters" @if let Some(days) = here.around.resolve(scope.period) { ", " (figures::span(days.0, days.1)) } "." }
                @if let Some((first, last)) = here.around.days {
                    p.small.faint { "The ledger holds " (figures::span(first, last)) "." }
                    p.row {
                        @for name in unknown { a.btn href=(Url::path(&["search"]).with("q", name)) { "Search for " (text::cut(name, 40)) } }
                        @if scope.period != insight::Period::All { a.btn href=(longer.to(path)) { "The same, all days" } }
                        a.btn href=(all.to(path)) { "Everything" }
                    }
                }
            }
        }
    }
}

/// Says so where a period is longer than what one answer holds.
fn cut_period(here: Here<'_>) -> Markup {
    let asked = here
        .around
        .resolve(here.scope().period)
        .filter(|days| days_between(*days) > insight::DAYS_MAX.unsigned_abs() as usize);
    html! {
        @if let Some((first, last)) = asked {
            section { div.box.pad { p {
                strong { "Only the newest " (count(u64::from(insight::DAYS_MAX.unsigned_abs()))) " days are counted" }
                " of " (figures::span(first, last)) ". Name an earlier last day to see what lies before "
                (figures::day_year(last.plus(1 - insight::DAYS_MAX))) "."
            } } }
        }
    }
}
