//! `/rows`: the rows behind a number, each with its report.

use insight::{RowLine, Rows};
use maud::{Markup, html};

use super::{Here, as_u64, n, outcome_chip, pager, source, strong, trend};
use crate::api;
use crate::figures::{self, counted};
use crate::filters::{self, Filters};
use crate::frame::{Page, Section};
use crate::links;
use crate::text;
use crate::url::Url;
use crate::words;

const PATH: &[&str] = &["rows"];

/// The page.
pub(crate) fn page(here: Here<'_>, answer: &Rows) -> Markup {
    let scope = here.scope();
    let page = Page {
        section: Section::Explorer,
        title: "What do the reports say, row by row?".to_owned(),
        about: scope.domain.as_ref().map(ToString::to_string),
        crumbs: vec![(html! { "Sources" }, Some(links::sources(scope))), (html! { "Rows" }, None)],
        lead: html! {
            (strong(&Url::on_page("h-rows"), &counted(as_u64(answer.lines_total), "row", "rows")))
            " with " (strong(&links::sources(scope), &counted(answer.messages_total, "message", "messages")))
            @if let Some(days) = here.around.resolve(scope.period) { ", " (figures::span(days.0, days.1)) }
            ", the newest day first. Every row leads to the report it stands in."
        },
        tabs: trend::tabs(here, "Rows"),
        filters: Some(Filters { action: Url::path(PATH), here: vec!["rows".to_owned()], fields: filters::ALL }),
        exports: vec![("CSV", here.ask.here(&["rows.csv"])), ("JSON", api::link(here.ask, &["api", "v1", "rows"]))],
        body: html! {
            (super::cut_period(here))
            section aria-labelledby="h-rows" {
                h2.vh id="h-rows" { "Rows" }
                @if answer.lines.is_empty() { (super::nothing(here, PATH, "rows")) }
                @else {
                    div.box {
                        div.scroll { (table(here, &answer.lines, true)) }
                        (pager(here.ask, PATH, answer.lines.len(), answer.lines_total, "rows"))
                    }
                }
            }
        },
    };
    page.render(here.around, here.ask)
}

/// Rows as a table; in a report the reporter goes without saying.
pub(super) fn table(here: Here<'_>, lines: &[RowLine], reported: bool) -> Markup {
    html! {
        table.stack.rows {
            caption.vh { "Rows" }
            thead {
                tr {
                    th scope="col" { "Day" }
                    th scope="col" { "Source" }
                    th.num scope="col" { "Messages" }
                    th scope="col" { "Outcome and receiver" }
                    th scope="col" { "Author domain" }
                    th scope="col" { "SPF and DKIM" }
                    @if reported { th scope="col" { "Reported by" } }
                }
            }
            tbody { @for line in lines { (row(here, line, reported)) } }
        }
    }
}

fn row(here: Here<'_>, line: &RowLine, reported: bool) -> Markup {
    let scope = links::of_domain(here.scope(), &line.domain);
    let sender = match line.envelope_from.as_str() {
        "-" => None,
        "" => Some(html! { "<>" }),
        domain => Some(text::text(domain)),
    };
    html! {
        tr {
            td title=(figures::weekday_year(line.day)) { (figures::day_year(line.day)) }
            th.name scope="row" { (super::address(line.source, here.scope())) }
            td.num data-l="messages" { (n(&links::report(line.report), line.messages)) }
            td {
                (outcome_chip(line.outcome))
                span.sub { (words::disposition(line.disposition).name) @if !line.overrides.is_empty() { ", because " (text::cut(&line.overrides.replace(',', ", "), 60)) } }
            }
            td.name { a.n href=(links::trend(&scope)) { (text::text(&line.domain)) } @if let Some(sender) = sender { span.sub { "envelope " (sender) } } }
            td.wide { div.auths { span.k { "SPF" } div { (source::results(&line.spf)) } span.k { "DKIM" } div { (source::results(&line.dkim)) } } }
            @if reported { td.name { (super::name_or_dash(&line.reporter)) span.sub { a href=(links::report(line.report)) { (super::report_name(line.report)) } } } }
        }
    }
}
