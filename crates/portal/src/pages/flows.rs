//! `/flows`: which streams of mail are there in our name, and what is each?

use insight::{ClassCounts, FlowClass, FlowLine, FlowSort, Flows};
use maud::{Markup, html};

use super::{Here, SortKey, as_u64, judged, n, pager, search_within, sort_head, strong};
use crate::api;
use crate::ask::{Ask, flow_sort_word};
use crate::draw;
use crate::figures::{self, count, counted, percent, percent_sign, short};
use crate::filters::{self, Filters};
use crate::frame::{Page, Section};
use crate::links;
use crate::params::{FLOWS, filters_and};
use crate::text;
use crate::url::Url;
use crate::words;

const PATH: &[&str] = &["flows"];

/// The page.
pub(crate) fn page(here: Here<'_>, answer: &Flows) -> Markup {
    let scope = here.scope();
    let page = Page {
        section: Section::Flows,
        title: "Which streams of mail are in our name?".to_owned(),
        about: scope.domain.as_ref().map(ToString::to_string),
        crumbs: vec![(html! { "Flows" }, None)],
        lead: lead(here, answer),
        tabs: vec![],
        filters: Some(Filters { action: Url::path(PATH), here: vec!["flows".to_owned()], fields: filters::OF_FLOWS }),
        exports: vec![
            ("CSV", here.ask.at(&["flows.csv"], &filters_and(FLOWS))),
            ("JSON", api::link(here.ask, &["api", "v1", "flows"])),
        ],
        body: html! {
            (super::cut_period(here))
            (judged::stale(answer.stale))
            section aria-labelledby="h-flows" {
                div.head {
                    h2 id="h-flows" { "Flows" }
                    (search_within(here.ask, PATH, "Only flows whose name has", "name or id"))
                    span.aside { a href=(links::decisions()) { "What was decided" } }
                }
                (legend(here, &answer.classes))
                @if answer.lines.is_empty() { (super::nothing(here, PATH, "flows")) }
                @else {
                    div.box.list {
                        div.scroll { (table(here, answer)) }
                        (pager(here.ask, PATH, answer.lines.len(), answer.lines_total, "flows"))
                    }
                }
            }
        },
    };
    page.render(here.around, here.ask)
}

fn lead(here: Here<'_>, answer: &Flows) -> Markup {
    let all = answer.classes.messages();
    let legitimate = |of: &ClassCounts| {
        FlowClass::ALL
            .iter()
            .filter(|class| class.is_legitimate())
            .fold(0_u64, |sum, class| sum.saturating_add(of.get(*class)))
    };
    let of =
        |class: FlowClass| strong(&links::flows(here.scope(), &[class]), &percent_sign(answer.classes.get(class), all));
    html! {
        @if all == 0 { "None that match, as far as the reports say." }
        @else {
            (strong(&Url::on_page("h-flows"), &counted(as_u64(answer.lines_total), "flow", "flows"))) " with "
            (counted(all, "message", "messages"))
            @if let Some(days) = answer.days { ", " (figures::span(days.0, days.1)) }
            ". " (strong(&Url::on_page("h-flows"), &percent_sign(legitimate(&answer.classes), all))) " of it somebody wanted sent; "
            (count(legitimate(&answer.failing))) " of that fail. "
            (of(FlowClass::Spoofer)) " was sent without any right, and of "
            (of(FlowClass::Unknown)) " nobody knows yet."
        }
    }
}

/// The classes with their messages; each is a filter.
fn legend(here: Here<'_>, counts: &ClassCounts) -> Markup {
    let chosen = &here.ask.classes;
    html! {
        div.legend {
            @for class in FlowClass::ALL {
                @let on = chosen.is_empty() || chosen.contains(&class);
                @let only = if chosen.as_slice() == [class] { Vec::new() } else { vec![class] };
                @let url = Ask { classes: only, ..here.ask.clone() }.to(PATH);
                a href=(url) role="button" aria-pressed=(if on { "true" } else { "false" }) title=(words::class(class).about) {
                    (draw::swatch(words::class(class))) (class.label())
                    @if on { " " span.v { (short(counts.get(class))) } }
                }
            }
        }
    }
}

fn table(here: Here<'_>, answer: &Flows) -> Markup {
    let head = |name: &str, class: Option<&str>, sort: FlowSort| {
        let current = here.ask.flow_sort == sort;
        let url = Ask { flow_sort: sort, reversed: current && !here.ask.reversed, ..here.ask.clone() }.to(PATH);
        let falls = !matches!(sort, FlowSort::Name | FlowSort::Class);
        sort_head(name, class, &SortKey { url: &url, current, reversed: here.ask.reversed, falls })
    };
    html! {
        table.stack.flows {
            caption.vh { "Flows by " (flow_sort_word(here.ask.flow_sort).replace('_', " ")) }
            thead {
                tr {
                    (head("Flow", None, FlowSort::Name))
                    (head("Class", None, FlowSort::Class))
                    (head("Messages", Some("num"), FlowSort::Messages))
                    (head("Fail", Some("num"), FlowSort::Failing))
                    th.num scope="col" { "Fail %" }
                    (head("Addresses", Some("num hide-m"), FlowSort::Sources))
                    (head("First", Some("num hide-m"), FlowSort::FirstDay))
                    (head("Last", Some("num"), FlowSort::LastDay))
                }
            }
            tbody { @for line in &answer.lines { (row(here, line, answer)) } }
        }
    }
}

fn row(here: Here<'_>, line: &FlowLine, answer: &Flows) -> Markup {
    let url = links::flow(&line.id, here.scope());
    let newest = answer.days.map(|(_, last)| last);
    html! {
        tr {
            th.name scope="row" {
                a href=(url) { (text::cut(&line.name, 90)) }
                span.sub {
                    "in the name of " (text::text(&line.organizational_domain))
                    @if line.together > 1 { ", " (count(line.together)) " small ones together" }
                }
            }
            td.wide {
                (judged::chip(line.class, line.confidence))
                (judged::why(line, here.scope()))
                @if let Some(diagnosis) = line.diagnosis { span.sub { (diagnosis.label()) } }
            }
            td.num data-l="messages" { (n(&url, line.messages)) }
            td.num data-l="fail" { (n(&url, line.failing)) }
            td.num data-l="% fail" { a.n href=(url) { (percent(line.failing, line.messages)) } }
            td.num.hide-m data-l="addresses" { (n(&url, line.sources)) }
            td.num.hide-m data-l="first" { (super::day(line.first_day, newest)) }
            td.num data-l="last" { (super::day(line.last_day, newest)) }
        }
    }
}
