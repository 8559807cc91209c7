//! `/reports/flaws`, `/reports/rejected`, `/reports/conflicts`: what was odd, what was refused, what came twice.

use insight::{ConflictLine, Conflicts, Flaws, Rejections, ReportLine};
use maud::{Markup, html};

use super::{Here, arrivals, as_u64, name_or_dash, pager};
use crate::api;
use crate::ask::flaw_word;
use crate::figures::{self, counted};
use crate::filters::{Field, Filters};
use crate::frame::{Page, Section, moment};
use crate::links;
use crate::text;
use crate::url::Url;

/// Which oddities do reports have?
pub(crate) fn flaws(here: Here<'_>, answer: &Flaws) -> Markup {
    let kinds = answer.lines.iter().map(|line| line.kind.as_str()).collect::<std::collections::BTreeSet<_>>().len();
    let lead = html! {
        @if here.around.days.is_none() { "Nothing yet: no report has come." }
        @else if answer.lines.is_empty() { "Nothing: every report of the period is written as the standard says." }
        @else { strong { (counted(as_u64(kinds), "kind", "kinds")) } " of flaw" @if let Some(reporter) = &here.scope().reporter { " in reports from " (text::text(reporter)) } ". A flawed report counts all the same; where the reader had to choose, it says how." }
    };
    let body = html! {
        @if !answer.lines.is_empty() {
            section aria-labelledby="h-flaws" {
                h2.vh id="h-flaws" { "Flaws" }
                div.box.scroll {
                    table.stack {
                        caption.vh { "Flaws by kind and reporter, most reports first" }
                        thead { tr { th scope="col" { "What was found" } th scope="col" { "Reporter" } th.num scope="col" aria-sort="descending" { "Reports" } th scope="col" { "As written" } th scope="col" { "For example in" } } }
                        tbody {
                            @for line in &answer.lines {
                                tr {
                                    th scope="row" { (kind(&line.kind)) }
                                    td { a.n href=(links::sources(&links::by_reporter(here.scope(), &line.reporter))) { (name_or_dash(&line.reporter)) } }
                                    td.num data-l="reports" { (super::n(&links::report_list(&links::by_reporter(here.scope(), &line.reporter)).with("flaw", &line.kind), line.reports)) }
                                    td.wide { @match &line.example { Some(example) => (text::code(example)), None => span.faint { "nothing" } } }
                                    td.nowrap { a href=(links::report(line.report)) { (super::report_name(line.report)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    framed(here, "What is odd about the reports?", "Flaws", "flaws", lead, &body, &[Field::Period, Field::Reporter])
}

/// A kind of flaw: what it means, and its word in the API.
pub(super) fn kind(word: &str) -> Markup {
    let known = report::FlawKind::ALL.iter().find(|kind| flaw_word(**kind) == word);
    html! {
        @match known {
            Some(kind) => { (text::sentence(kind.meaning())) span.sub { code { (word) } } },
            None => code { (word) },
        }
    }
}

/// What could not be taken in?
pub(crate) fn rejections(here: Here<'_>, answer: &Rejections) -> Markup {
    let lead = html! {
        @if answer.lines_total == 0 { "Nothing: everything that came held reports that could be read." }
        @else { strong { (counted(as_u64(answer.lines_total), "item", "items")) } " could not be taken in. The raw copy of each is kept and is read again by " code { "lamppost rebuild" } "." }
    };
    let body = html! {
        @if !answer.lines.is_empty() {
            section aria-labelledby="h-rejected" {
                h2.vh id="h-rejected" { "Rejected" }
                div.box {
                    div.scroll {
                        table.stack {
                            caption.vh { "Rejected items, the newest first" }
                            thead { tr { th scope="col" { "Item" } th scope="col" { "Reason" } th.num scope="col" { "Size" } th scope="col" { "Came" } th scope="col" { "SHA-256" } } }
                            tbody {
                                @for line in &answer.lines {
                                    tr {
                                        th.name scope="row" { (text::cut(&line.origin, 90)) @if let Some(member) = &line.member { span.sub { "member " (text::cut(member, 90)) } } }
                                        td.wide { (text::cut(&line.message, 300)) span.sub { code { (line.kind) } } }
                                        td.num { (figures::bytes(line.item_bytes)) }
                                        td.nowrap { (moment(line.received)) }
                                        td { code title=(line.item) { (line.item.get(..12).unwrap_or(&line.item)) "…" } }
                                    }
                                }
                            }
                        }
                    }
                    (pager(here.ask, &["reports", "rejected"], answer.lines.len(), answer.lines_total, "items"))
                }
            }
        }
    };
    framed(here, "What could not be taken in?", "Rejected", "rejected", lead, &body, &[])
}

/// Which reports came with two contents?
pub(crate) fn conflicts(here: Here<'_>, answer: &Conflicts) -> Markup {
    let lead = html! {
        @if answer.lines_total == 0 { "None: no report came again with other content." }
        @else { strong { (counted(as_u64(answer.lines_total), "report", "reports")) } " came again under the same name with other content. The newest counts; both raw copies are kept." }
    };
    let body = html! {
        @if !answer.lines.is_empty() {
            section aria-labelledby="h-conflicts" {
                h2.vh id="h-conflicts" { "Conflicts" }
                div.box {
                    div.scroll {
                        table.stack {
                            caption.vh { "Conflicts, the newest first" }
                            thead { tr { th scope="col" { "Reporter" } th scope="col" { "Policy domain" } th scope="col" { "Report ID" } th scope="col" { "Counts" } th scope="col" { "Superseded" } } }
                            tbody { @for line in &answer.lines { (conflict(line)) } }
                        }
                    }
                    (pager(here.ask, &["reports", "conflicts"], answer.lines.len(), answer.lines_total, "conflicts"))
                }
            }
        }
    };
    framed(here, "Which reports contradict each other?", "Conflicts", "conflicts", lead, &body, &[])
}

fn conflict(line: &ConflictLine) -> Markup {
    let one = |line: &ReportLine| {
        html! {
            a href=(links::report(line.id)) { (super::report_name(line.id)) }
            span.sub { a.n href=(links::report(line.id)) { (counted(line.messages, "message", "messages")) ", " (counted(line.rows, "row", "rows")) } }
            span.sub { (moment(line.received)) }
        }
    };
    html! {
        tr {
            th scope="row" { (name_or_dash(&line.counts.reporter)) }
            td { (name_or_dash(&line.counts.policy_domain)) }
            td.wide.name { (text::clip(&line.counts.report_id)) }
            td { (one(&line.counts)) }
            td { (one(&line.superseded)) }
        }
    }
}

fn framed(
    here: Here<'_>,
    title: &str,
    tab: &'static str,
    name: &'static str,
    lead: Markup,
    body: &Markup,
    fields: &'static [Field],
) -> Markup {
    let route = if name == "rejected" { "rejections" } else { name };
    let page = Page {
        section: Section::Reports,
        title: title.to_owned(),
        about: None,
        crumbs: vec![(html! { "Reports" }, Some(links::reports(here.scope()))), (html! { (tab) }, None)],
        lead,
        tabs: arrivals::tabs(here, tab),
        filters: Some(Filters {
            action: Url::path(&["reports", name]),
            here: vec!["reports".to_owned(), name.to_owned()],
            fields,
        }),
        exports: vec![("JSON", api::link(here.ask, &["api", "v1", route]))],
        body: html! { @if fields.contains(&Field::Period) { (super::cut_period(here)) } (body) @if here.around.days.is_none() { (super::fill(here)) } },
    };
    page.render(here.around, here.ask)
}
