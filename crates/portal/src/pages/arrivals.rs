//! `/reports`: who reports, and does anything fail to arrive?

use insight::{Arrivals, ReporterLine};
use maud::{Markup, html};
use report::Dialect;

use super::{Here, as_u64, day, days_between, length, name_or_dash, strong};
use crate::api;
use crate::ask::Ask;
use crate::draw;
use crate::figures::{count, counted};
use crate::filters::{Field, Filters};
use crate::frame::{Page, Section, moment_near};
use crate::links;
use crate::url::Url;

const PATH: &[&str] = &["reports"];

/// The page.
pub(crate) fn page(here: Here<'_>, answer: &Arrivals) -> Markup {
    let page = Page {
        section: Section::Reports,
        title: "Who reports to us?".to_owned(),
        about: None,
        crumbs: vec![(html! { "Reports" }, None)],
        lead: lead(here, answer),
        tabs: tabs(here, "Arrivals"),
        filters: Some(Filters { action: Url::path(PATH), here: vec!["reports".to_owned()], fields: &[Field::Period] }),
        exports: vec![
            ("CSV", here.ask.here(&["reports.csv"])),
            ("JSON", api::link(here.ask, &["api", "v1", "arrivals"])),
        ],
        body: html! {
            (super::cut_period(here))
            (counters(here, answer))
            section aria-labelledby="h-reporters" {
                div.head {
                    h2 id="h-reporters" { "Reporters" }
                    span.aside { "one cell a day they report on; " span.gap { "a low line" } " is a day without a report" }
                }
                @if answer.reporters.is_empty() { (super::nothing(here, PATH, "reports")) }
                @else { div.box.scroll { (table(here, answer)) } }
            }
        },
    };
    page.render(here.around, here.ask)
}

/// The views of reports.
pub(super) fn tabs(here: Here<'_>, current: &str) -> Vec<(&'static str, Url, bool)> {
    let to = |path: &[&str]| Ask { flaw: None, ..here.ask.clone() }.to(path);
    vec![
        ("Arrivals", links::reports(here.scope()), current == "Arrivals"),
        ("List", links::report_list(here.scope()), current == "List"),
        ("Flaws", to(&["reports", "flaws"]), current == "Flaws"),
        ("Rejected", to(&["reports", "rejected"]), current == "Rejected"),
        ("Conflicts", to(&["reports", "conflicts"]), current == "Conflicts"),
    ]
}

fn lead(here: Here<'_>, answer: &Arrivals) -> Markup {
    let quiet: Vec<_> = answer.reporters.iter().filter(|line| silent(answer, line) > LATE_DAYS).collect();
    html! {
        (strong(&Url::on_page("h-reporters"), &counted(as_u64(answer.reporters.len()), "reporter", "reporters"))) " sent "
        (strong(&links::report_list(here.scope()), &counted(answer.reports, "report", "reports")))
        @if let Some(days) = answer.days { " about " (length(days)) }
        ". "
        @if answer.reporters.is_empty() {}
        @else if quiet.is_empty() { "Nobody has fallen silent." }
        @else if quiet.len() > NAMED_MAX { strong { (count(as_u64(quiet.len()))) } " of them have been silent for more than " (LATE_DAYS) " days." }
        @else {
            @for (index, line) in quiet.iter().enumerate() {
                @if index > 0 { " " }
                (strong_name(here, line)) " has been silent for " (counted(as_u64(silent(answer, line)), "day", "days")) "."
            }
        }
    }
}

/// A reporter's name that leads to its reports.
fn strong_name(here: Here<'_>, line: &ReporterLine) -> Markup {
    let url = links::report_list(&links::by_reporter(here.scope(), &line.reporter));
    html! { a.n href=(url) { strong { (name_or_dash(&line.reporter)) } } }
}

/// Silent reporters that are named; more are counted.
const NAMED_MAX: usize = 3;
/// Reports come a day or two after the day they are about.
const LATE_DAYS: usize = 2;

/// The days of a line up to the newest that anybody has reported on: what nobody has sent yet is no gap.
fn heard<'a>(answer: &Arrivals, line: &'a ReporterLine) -> &'a [u64] {
    let reported = |line: &ReporterLine| line.by_day.iter().rposition(|n| *n > 0).map_or(0, |last| last + 1);
    let days = answer.reporters.iter().map(reported).max().unwrap_or(0);
    line.by_day.get(..days).unwrap_or_default()
}

/// Days without a report after the first one with one.
fn gaps(answer: &Arrivals, line: &ReporterLine) -> usize {
    heard(answer, line).iter().skip_while(|n| **n == 0).filter(|n| **n == 0).count()
}

/// Days without a report at the end.
fn silent(answer: &Arrivals, line: &ReporterLine) -> usize {
    heard(answer, line).iter().rev().take_while(|n| **n == 0).count()
}

fn counters(here: Here<'_>, answer: &Arrivals) -> Markup {
    let to = |name: &str| Ask { flaw: None, ..here.ask.clone() }.to(&["reports", name]);
    html! {
        section aria-labelledby="h-pipe" {
            h2.vh id="h-pipe" { "What became of them" }
            div.box {
                dl.facts {
                    div { dt { "Reports in the period" } dd { a.n href=(links::report_list(here.scope())) { (count(answer.reports)) } } }
                    div { dt { "Came again unchanged" } dd { (count(answer.duplicates)) span.sub { "since the ledger began" } } }
                    div { dt { "Same name, other content" } dd { a.n href=(to("conflicts")) { (count(answer.conflicts)) } span.sub { "the newest counts" } } }
                    div { dt { "Could not be taken in" } dd { a.n href=(to("rejected")) { (count(answer.rejected)) } span.sub { "the raw copy is kept" } } }
                }
            }
        }
    }
}

fn table(here: Here<'_>, answer: &Arrivals) -> Markup {
    let days = answer.days.map_or(1, days_between);
    html! {
        table.stack.arrivals {
            caption.vh { "Reporters, most messages first" }
            thead {
                tr {
                    th scope="col" { "Reporter" }
                    th.num scope="col" { "Reports" }
                    th.num scope="col" aria-sort="descending" { "Messages" }
                    th scope="col" { (counted(as_u64(days), "day", "days")) }
                    th.num scope="col" { abbr title="days without a report after the first one with one" { "Gaps" } }
                    th.num scope="col" { "With flaws" }
                    th.num scope="col" { "Newest day" }
                    th scope="col" { "Last received" }
                    th scope="col" { abbr title="the standard by which its newest report is written" { "Written as" } }
                }
            }
            tbody { @for line in &answer.reporters { (row(here, answer, line)) } }
        }
    }
}

/// Which generation a report is of.
pub(super) fn dialect(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Rfc7489 => "RFC 7489",
        Dialect::Rfc9990 => "RFC 9990",
    }
}

fn row(here: Here<'_>, answer: &Arrivals, line: &ReporterLine) -> Markup {
    let scope = links::by_reporter(here.scope(), &line.reporter);
    let (gaps, newest) = (gaps(answer, line), answer.days.map(|(_, last)| last));
    let label = format!("reports on {} of {} days", line.by_day.iter().filter(|n| **n > 0).count(), line.by_day.len());
    html! {
        tr {
            th.name scope="row" { a href=(links::sources(&scope)) { (name_or_dash(&line.reporter)) } }
            td.num data-l="reports" { (super::n(&links::report_list(&scope), line.reports)) }
            td.num data-l="messages" { (super::n(&links::sources(&scope), line.messages)) }
            td.wide { (draw::strip(heard(answer, line), &label)) }
            td.num data-l="gaps" { @if gaps == 0 { (super::none()) } @else { (counted(as_u64(gaps), "day", "days")) } }
            td.num data-l="with flaws" { @if line.flawed == 0 { (super::none()) } @else { (super::n(&Ask { scope: scope.clone(), flaw: None, ..here.ask.clone() }.to(&["reports", "flaws"]), line.flawed)) } }
            td.num data-l="newest day" {
                a.n href=(links::report_list(&links::within(&scope, line.last_day, line.last_day))) { (day(line.last_day, newest)) }
                @if silent(answer, line) > LATE_DAYS { span.sub { "silent for " (counted(as_u64(silent(answer, line)), "day", "days")) } }
            }
            td.nowrap data-l="last received" { (moment_near(line.last_received, here.around.now)) }
            td.nowrap { (dialect(line.dialect)) }
        }
    }
}
