//! `/reports/list`: which reports came?

use insight::{ReportLine, Reports};
use maud::{Markup, html};

use super::{Here, arrivals, as_u64, name_or_dash, pager};
use crate::api;
use crate::ask::{Ask, flaw_word};
use crate::figures::counted;
use crate::filters::{Field, Filters};
use crate::frame::{Page, Section, moment_near};
use crate::links;
use crate::text;
use crate::url::Url;

const PATH: &[&str] = &["reports", "list"];

/// The page.
pub(crate) fn page(here: Here<'_>, answer: &Reports) -> Markup {
    let page = Page {
        section: Section::Reports,
        title: "Which reports came?".to_owned(),
        about: None,
        crumbs: vec![(html! { "Reports" }, Some(links::reports(here.scope()))), (html! { "List" }, None)],
        lead: html! {
            strong { (counted(as_u64(answer.lines_total), "report", "reports")) }
            @if let Some(domain) = &here.scope().domain { " about the policy of " (text::text(domain)) }
            @if let Some(reporter) = &here.scope().reporter { " from " (text::text(reporter)) }
            @if let Some(flaw) = here.ask.flaw { " with the flaw " code { (flaw_word(flaw)) } " (" a href=(Ask { flaw: None, ..here.ask.clone() }.to(PATH)) { "show all" } ")" }
            ", the newest taken in first."
        },
        tabs: arrivals::tabs(here, "List"),
        filters: Some(Filters {
            action: Url::path(PATH),
            here: vec!["reports".to_owned(), "list".to_owned()],
            fields: &[Field::Domain, Field::Period, Field::Reporter],
        }),
        exports: vec![("JSON", api::link(here.ask, &["api", "v1", "reports"]))],
        body: html! {
            section aria-labelledby="h-list" {
                h2.vh id="h-list" { "Reports" }
                @if answer.lines.is_empty() { (super::nothing(here, PATH, "reports")) }
                @else { div.box { div.scroll { (table(here, &answer.lines)) } (pager(here.ask, PATH, answer.lines.len(), answer.lines_total, "reports")) } }
            }
        },
    };
    page.render(here.around, here.ask)
}

fn table(here: Here<'_>, lines: &[ReportLine]) -> Markup {
    html! {
        table.stack {
            caption.vh { "Reports, the newest taken in first" }
            thead {
                tr {
                    th scope="col" { "Report" } th scope="col" { "Reporter" } th scope="col" { "Policy domain" } th scope="col" { "About" }
                    th.num scope="col" { "Rows" } th.num scope="col" { "Messages" } th.num scope="col" { "Flaws" } th scope="col" { "Taken in" }
                }
            }
            tbody { @for line in lines { (row(here, line)) } }
        }
    }
}

fn row(here: Here<'_>, line: &ReportLine) -> Markup {
    let url = links::report(line.id);
    html! {
        tr {
            th.name scope="row" {
                a href=(url) { (line.id) }
                span.sub { (text::clip(&line.report_id)) }
            }
            td { a.n href=(links::report_list(&links::by_reporter(here.scope(), &line.reporter))) { (name_or_dash(&line.reporter)) } @if let Some(id) = line.superseded_by { " " a.flag.warn href=(links::report(id)) title="other content came later under the same name and counts instead" { "superseded" } } }
            td { a.n href=(links::trend(&links::of_domain(here.scope(), &line.policy_domain))) { (name_or_dash(&line.policy_domain)) } }
            td.nowrap { (interval(line.begin, line.end)) }
            td.num data-l="rows" { (super::n(&url, line.rows)) }
            td.num data-l="messages" { (super::n(&url, line.messages)) }
            td.num data-l="flaws" { @if line.flaws == 0 { (super::none()) } @else { (super::n(&url, line.flaws)) } }
            td.nowrap data-l="taken in" { (moment_near(line.received, here.around.now)) }
        }
    }
}

/// The time a report is about: a day where it is one.
pub(super) fn interval(begin: i64, end: i64) -> Markup {
    let (first, last) = report::Interval { begin, end }.days();
    html! { time title=(format!("{} to {}", crate::figures::moment(begin), crate::figures::moment(end))) { (crate::figures::span(first, last)) } }
}
