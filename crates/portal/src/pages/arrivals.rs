//! `/reports`: who reports, and has everything come that usually does?

use insight::{Arrivals, Expected, ExpectedLine, Punctuality, ReporterLine};
use maud::{Markup, html};
use report::{Day, Dialect};

use super::{Here, as_u64, day, days_between, length, name_or_dash, strong};
use crate::api;
use crate::ask::Ask;
use crate::draw::{self, State, state};
use crate::figures::{self, count, counted};
use crate::filters::{Field, Filters};
use crate::frame::{Page, Section, moment_near};
use crate::links;
use crate::url::Url;

const PATH: &[&str] = &["reports"];

/// The page.
pub(crate) fn page(here: Here<'_>, answer: &Arrivals, expected: &Expected) -> Markup {
    let now = Now::of(answer, expected);
    let page = Page {
        section: Section::Reports,
        title: "Who reports to us?".to_owned(),
        about: None,
        crumbs: vec![(html! { "Reports" }, None)],
        lead: lead(here, answer, &now),
        tabs: tabs(here, "Arrivals"),
        filters: Some(Filters { action: Url::path(PATH), here: vec!["reports".to_owned()], fields: &[Field::Period] }),
        exports: vec![
            ("CSV", here.ask.here(&["reports.csv"])),
            ("JSON", api::link(here.ask, &["api", "v1", "arrivals"])),
        ],
        body: html! {
            (super::cut_period(here))
            (counters(here, answer))
            (due(here, &now))
            @if here.around.uploads { (super::upload::form("Take reports in")) }
            section aria-labelledby="h-reporters" {
                div.head {
                    h2 id="h-reporters" { "Reporters" }
                    span.aside { "one cell a day they report on; " span.gap { "a low line" } " is a day without a report" }
                }
                @if answer.reporters.is_empty() { (super::nothing(here, PATH, "reports")) }
                @else { div.box.scroll { (table(here, answer, &now)) } }
            }
        },
    };
    page.render(here.around, here.ask)
}

/// The views of reports.
pub(super) fn tabs(here: Here<'_>, current: &str) -> Vec<(&'static str, Url, bool)> {
    let to = |path: &[&str]| Ask { flaw: None, ..here.ask.clone() }.to(path);
    let mut tabs = vec![
        ("Arrivals", links::reports(here.scope()), current == "Arrivals"),
        ("List", links::report_list(here.scope()), current == "List"),
        ("Flaws", to(&["reports", "flaws"]), current == "Flaws"),
        ("Rejected", to(&["reports", "rejected"]), current == "Rejected"),
        ("Conflicts", to(&["reports", "conflicts"]), current == "Conflicts"),
        ("Sources of reports", to(&["reports", "sources"]), current == "Sources of reports"),
    ];
    if here.around.uploads {
        tabs.push(("Upload", Url::path(&["reports", "upload"]), current == "Upload"));
    }
    tabs
}

/// What should be in by now; nothing where the page is about days gone by.
struct Now<'a> {
    /// Reporters with a rhythm that miss something, those that are silent first.
    behind: Vec<&'a ExpectedLine>,
    /// Reporters that miss nothing.
    on_time: usize,
    /// Reporters of which nothing can be expected: without a rhythm, or too new for one.
    free: usize,
    /// The last day whose reports should be in.
    until: Option<Day>,
}

impl<'a> Now<'a> {
    fn of(answer: &Arrivals, expected: &'a Expected) -> Self {
        let shown = answer.days.is_some_and(|(_, last)| Some(last) >= expected.newest);
        let lines = if shown { &expected.reporters[..] } else { &[] };
        let of = |states: &[Punctuality]| lines.iter().filter(|line| states.contains(&line.state)).count();
        Self {
            behind: lines.iter().filter(|line| line.missing_days > 0).collect(),
            on_time: of(&[Punctuality::OnTime]),
            free: of(&[Punctuality::Irregular, Punctuality::New]),
            until: expected.until.filter(|_| shown && !lines.is_empty()),
        }
    }

    fn silent(&self) -> impl Iterator<Item = (&'a ExpectedLine, Day)> {
        self.behind.iter().filter_map(|line| Some((*line, line.silent_since?)))
    }

    /// Since when a reporter is silent that should not be.
    fn silent_since(&self, reporter: &str) -> Option<Day> {
        self.silent().find(|(line, _)| line.reporter == reporter).map(|(_, since)| since)
    }
}

fn lead(here: Here<'_>, answer: &Arrivals, now: &Now<'_>) -> Markup {
    let silent: Vec<_> = now.silent().collect();
    if here.around.days.is_none() {
        return html! { "Nobody yet: no report has come." };
    }
    html! {
        (strong(&Url::on_page("h-reporters"), &counted(as_u64(answer.reporters.len()), "reporter", "reporters"))) " sent "
        (strong(&links::report_list(here.scope()), &counted(answer.reports, "report", "reports")))
        @if let Some(days) = answer.days { " about " (length(days)) }
        ". "
        @if answer.reporters.is_empty() || now.until.is_none() {}
        @else if silent.is_empty() && now.on_time + now.behind.len() == 0 { "None has been known for long enough to say what to expect." }
        @else if silent.is_empty() { "Nobody who usually reports has fallen silent." }
        @else if silent.len() > NAMED_MAX { strong { (count(as_u64(silent.len()))) } " that usually report have fallen silent." }
        @else {
            @for (index, (line, since)) in silent.iter().enumerate() {
                @if index > 0 { " " }
                (strong_name(here, line)) " has been silent since " (day(*since, now.until)) "."
            }
        }
    }
}

/// A reporter's name that leads to its reports.
fn strong_name(here: Here<'_>, line: &ExpectedLine) -> Markup {
    let url = links::report_list(&links::by_reporter(here.scope(), &line.reporter));
    html! { a.n href=(url) { strong { (name_or_dash(&line.reporter)) } } }
}

/// Silent reporters that are named; more are counted.
const NAMED_MAX: usize = 3;

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

/// Reporters that are behind what they usually send.
fn due(here: Here<'_>, now: &Now<'_>) -> Markup {
    html! {
        @if let Some(until) = now.until {
            section aria-labelledby="h-due" {
                div.head {
                    h2 id="h-due" { "Expected by now" }
                    span.aside {
                        "reports about days up to " (figures::day(until)) " should be in · "
                        a href=(api::link(here.ask, &["api", "v1", "expected"])) { "JSON" }
                    }
                }
                @if !now.behind.is_empty() { div.box.scroll { (due_table(here, now)) } }
                p.cap {
                    @if now.behind.is_empty() { "Nothing is missing: " } @else { "Besides, " }
                    (counted(as_u64(now.on_time), "reporter has", "reporters have")) " sent all that "
                    @if now.on_time == 1 { "it usually sends" } @else { "they usually send" }
                    @if now.free > 0 { "; of " (counted(as_u64(now.free), "other", "others")) " nothing can be expected: " @if now.free == 1 { "it is new, or reports now and then" } @else { "they are new, or report now and then" } }
                    "."
                }
            }
        }
    }
}

fn due_table(here: Here<'_>, now: &Now<'_>) -> Markup {
    html! {
        table.stack {
            caption.vh { "Reporters that are behind what they usually send, silent ones first" }
            thead {
                tr {
                    th scope="col" { "Reporter" }
                    th scope="col" { "State" }
                    th scope="col" { abbr title="days with a report, of the 28 before those that are judged" { "Usually" } }
                    th.num scope="col" { abbr title="reports to be expected about the judged days: the last week, or since it was last heard of" { "Expected" } }
                    th.num scope="col" { "Received" }
                    th.num scope="col" { "First missing" }
                }
            }
            tbody { @for line in &now.behind { (due_row(here, now, line)) } }
        }
    }
}

fn due_row(here: Here<'_>, now: &Now<'_>, line: &ExpectedLine) -> Markup {
    let scope = links::by_reporter(here.scope(), &line.reporter);
    let judged = links::report_list(&links::within(&scope, line.judged.0, line.judged.1));
    html! {
        tr {
            th.name scope="row" { a href=(links::report_list(&scope)) { (name_or_dash(&line.reporter)) } }
            td {
                @match line.silent_since {
                    Some(since) => { (state(State::Watch, "Silent")) span.sub { "since " (day(since, now.until)) ", last about " (day(line.last_day, now.until)) } },
                    None => (state(State::Watch, "Gaps")),
                }
            }
            td data-l="of 28 days before" { (count(line.usual_days)) span.hide-s { " of 28 days" } span.sub.hide-s { (counted(line.usual_reports, "report", "reports")) } }
            td.num data-l="expected" { (count(line.expected_reports)) span.sub.hide-s { "on " (counted(line.expected_days, "day", "days")) } }
            td.num data-l="received" {
                // Silence is not nought: nothing is known of these days.
                @if line.received_reports == 0 { span.faint { "nothing" } } @else { (super::n(&judged, line.received_reports)) }
            }
            td.num data-l="first missing" { @if let Some(missing) = line.first_missing { (day(missing, now.until)) span.sub.hide-s { (counted(line.missing_days, "day", "days")) " in all" } } }
        }
    }
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

fn table(here: Here<'_>, answer: &Arrivals, now: &Now<'_>) -> Markup {
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
            tbody { @for line in &answer.reporters { (row(here, answer, now, line)) } }
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

fn row(here: Here<'_>, answer: &Arrivals, now: &Now<'_>, line: &ReporterLine) -> Markup {
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
                @if let Some(since) = now.silent_since(&line.reporter) { span.sub.hide-s { "silent since " (day(since, newest)) } }
            }
            td.nowrap data-l="last received" { (moment_near(line.last_received, here.around.now)) }
            td.nowrap { (dialect(line.dialect)) }
        }
    }
}
