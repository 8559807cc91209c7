//! `/lists`: who fails in our name, ours or not? Good sources that fail beside bad ones, and whether it looks safe to tighten.

use insight::{ListLine, ListSide, Tighten, TwoLists};
use maud::{Markup, html};

use super::{Here, judged, n, reputation, strong};
use crate::api;
use crate::draw::{self, State, state};
use crate::figures::{self, count, counted, rate, signed};
use crate::filters::{Field, Filters};
use crate::frame::{Page, Section};
use crate::links;
use crate::params::OF_FLOWS;
use crate::text;
use crate::url::Url;

const PATH: &[&str] = &["lists"];

/// Lines of each side that are shown at once; the rest is a click away.
const FIRST: usize = 12;

/// The page.
pub(crate) fn page(here: Here<'_>, answer: &TwoLists) -> Markup {
    let fails = answer.good.failing + answer.bad.failing + answer.neither.failing > 0;
    let page = Page {
        section: Section::Lists,
        title: "Who fails in our name: ours, or not?".to_owned(),
        about: here.scope().domain.as_ref().map(ToString::to_string),
        crumbs: vec![(html! { "Flows" }, Some(links::flows(here.scope(), &[]))), (html! { "Two lists" }, None)],
        lead: lead(answer),
        tabs: reputation::tabs(here, "By flow"),
        filters: Some(Filters {
            action: Url::path(PATH),
            here: vec!["lists".to_owned()],
            fields: &[Field::Domain, Field::Period],
        }),
        exports: vec![
            ("CSV", here.ask.at(&["lists.csv"], &OF_FLOWS)),
            ("JSON", api::link(here.ask, &["api", "v1", "lists"])),
        ],
        body: html! {
            (super::cut_period(here))
            (judged::stale(answer.stale))
            @if !fails { (super::nothing(here, PATH, "failing flows")) }
            @else {
                (verdict(here, answer))
                div.two {
                    (side(here, answer, &Side { id: "h-good", title: "Good sources that fail", aside: "what a stricter policy would hurt", of: &answer.good, none: "Nothing good fails." }))
                    (side(here, answer, &Side { id: "h-bad", title: "Bad sources that fail", aside: "what a stricter policy would stop", of: &answer.bad, none: "Nothing bad was sent." }))
                }
                (neither(here, answer))
            }
        },
    };
    page.render(here.around, here.ask)
}

fn lead(answer: &TwoLists) -> Markup {
    html! {
        @if answer.days.is_none() { "Nothing was reported yet." }
        @else {
            "Good sources that fail: " (strong(&Url::on_page("h-good"), &format!("{} a day", rate(answer.good.a_day))))
            ". Bad sources that fail: " (strong(&Url::on_page("h-bad"), &format!("{} a day", rate(answer.bad.a_day)))) ". "
            @match answer.verdict {
                Tighten::LooksSafe => strong { "It looks safe to tighten." },
                Tighten::NotYet => strong { "Not yet safe to tighten." },
                Tighten::NotEnoughData => "There are too few days to say whether it is safe to tighten.",
            }
        }
    }
}

/// Whether it looks safe, and what stands in the way.
fn verdict(here: Here<'_>, answer: &TwoLists) -> Markup {
    let (how, word) = match answer.verdict {
        Tighten::LooksSafe => (State::Healthy, "Looks safe"),
        Tighten::NotYet => (State::Act, "Not yet"),
        Tighten::NotEnoughData => (State::Unknown, "Not enough data"),
    };
    let delivered = |side: &ListSide| html! { span.sub { (count(side.delivered)) " held back by nobody" } };
    let classes = |url: &Url, side: &ListSide| html! { (n(url, side.failing)) (delivered(side)) };
    html! {
        section aria-labelledby="h-verdict" {
            h2.vh id="h-verdict" { "Whether it looks safe to tighten" }
            div.box {
                dl.facts {
                    div { dt { "To tighten" } dd { (state(how, word)) span.sub { "limit " (rate(answer.limit_a_day)) " good ones a day" } } }
                    div { dt { "Good, failing" } dd { (classes(&Url::on_page("h-good"), &answer.good)) } }
                    div { dt { "Bad, failing" } dd { (classes(&Url::on_page("h-bad"), &answer.bad)) } }
                    div { dt { "Neither" } dd { (classes(&links::flows(here.scope(), &[insight::FlowClass::Unknown]), &answer.neither)) } }
                    div { dt { "Wanted in all" } dd { (n(&links::flows(here.scope(), &super::trend_classes::WANTED), answer.wanted)) span.sub { "passing or not" } } }
                }
                @if !answer.obstacles.is_empty() {
                    ul.pad.mishaps { @for obstacle in &answer.obstacles { li { (text::cut(obstacle, 300)) } } }
                }
            }
            p.cap {
                @if let Some((first, last)) = answer.days { (figures::span(first, last)) ", without days that are still coming in. " }
                "Good is what somebody wanted sent, and what nobody knows but comes from addresses of good standing."
            }
        }
    }
}

struct Side<'a> {
    id: &'static str,
    title: &'static str,
    aside: &'static str,
    of: &'a ListSide,
    none: &'static str,
}

fn side(here: Here<'_>, answer: &TwoLists, side: &Side<'_>) -> Markup {
    let (first, rest) = side.of.lines.split_at(side.of.lines.len().min(FIRST));
    html! {
        section aria-labelledby=(side.id) {
            div.head { h2 id=(side.id) { (side.title) } span.aside { (side.aside) } }
            div.box.list {
                @if first.is_empty() { p.pad.faint { (side.none) } }
                @else {
                    (lines(here, answer, side.title, first, Some(side.of)))
                    @if !rest.is_empty() {
                        details.why.pad {
                            summary { (counted(rest.len() as u64, "more", "more")) }
                            (lines(here, answer, "More of them", rest, None))
                        }
                    }
                }
            }
        }
    }
}

fn lines(here: Here<'_>, answer: &TwoLists, caption: &str, lines: &[ListLine], total: Option<&ListSide>) -> Markup {
    html! {
        table.stack.listed {
            caption.vh { (caption) }
            thead { tr { th scope="col" { "Flow" } th scope="col" { "Class" } th.num scope="col" { "A day" } th scope="col" { "Days" } } }
            tbody { @for line in lines { (row(here, answer, line)) } }
            @if let Some(all) = total {
                tfoot { tr {
                    th scope="row" { (counted(all.flows, "flow", "flows")) ", " (counted(all.sources, "address", "addresses")) }
                    td {}
                    td.num data-l="a day" { (rate(all.a_day)) }
                    td { (draw::day_bars(&all.by_day)) }
                } }
            }
        }
    }
}

fn row(here: Here<'_>, answer: &TwoLists, line: &ListLine) -> Markup {
    let scope =
        answer.days.map_or_else(|| here.scope().clone(), |(first, last)| links::within(here.scope(), first, last));
    let url = links::flow(&line.flow, &scope);
    html! {
        tr {
            th.name scope="row" {
                a href=(url) { (text::cut(&line.name, 80)) }
                @if here.scope().domain.is_none() { span.sub { "in the name of " (text::text(&line.organizational_domain)) } }
                span.sub {
                    @match line.address {
                        Some(address) if line.sources == 1 => a.n href=(links::source(address, &scope)) { (address) },
                        _ => (counted(line.sources, "address", "addresses")),
                    }
                    @if let Some(grade) = line.grade { " · " (draw::grade(grade, false)) " " (signed(grade)) }
                }
            }
            td.wide {
                (judged::chip(line.class, line.confidence))
                details.why {
                    summary { "Why?" }
                    div.reason { p { code { (line.rule) } " " (text::cut(&line.why, 300)) "." } p { a href=(url) { "All evidence, and the decision" } } }
                }
                @if let Some(diagnosis) = line.diagnosis { span.sub { (diagnosis.label()) } }
            }
            td.num data-l="a day" { a.n href=(url) title=(format!("{} in all", count(line.failing))) { (rate(line.a_day)) } }
            td { (draw::day_bars(&line.by_day)) }
        }
    }
}

fn neither(here: Here<'_>, answer: &TwoLists) -> Markup {
    html! {
        @if answer.neither.failing > 0 {
            p.cap {
                "On neither list: " (rate(answer.neither.a_day)) " a day from " (counted(answer.neither.sources, "address", "addresses"))
                " of which nobody knows what they are, "
                a href=(links::flows(here.scope(), &[insight::FlowClass::Unknown])) { "to be sorted" } "."
            }
        }
    }
}
