//! `/sources/{ip}`: what is this address, and what did it send?

use insight::{AuthenticationLine, Dispositions, FlowLine, GroupBy, Samples, Scope, Source, SourceDay, parse_network};
use maud::{Markup, html};
use report::Disposition;

use super::{Here, as_u64, explorer, n, outcome_chip, strong};
use crate::api;
use crate::ask::Ask;
use crate::draw::{self, Chart, Column, Layer, Panel, Size};
use crate::figures::{self, count, counted, percent, percent_sign};
use crate::filters::{Field, Filters};
use crate::frame::{Page, Section};
use crate::links;
use crate::text;
use crate::url::Url;
use crate::words;

/// Reporters named beside the chart; all are a click away.
const REPORTERS_MAX: usize = 8;

/// The page.
pub(crate) fn page(here: Here<'_>, answer: &Source, flows: &[FlowLine], samples: &Samples) -> Markup {
    let address = answer.address.to_string();
    let scope = alone(here, answer);
    let page = Page {
        section: Section::Explorer,
        title: format!("What did {address} send?"),
        about: None,
        crumbs: vec![
            (html! { "Sources" }, Some(links::sources(&Scope { network: None, ..here.scope().clone() }))),
            (html! { code { (address) } }, None),
        ],
        lead: lead(answer, &scope),
        tabs: vec![],
        filters: Some(Filters {
            action: Url::path(&["sources", &address]),
            here: vec!["sources".to_owned(), address.clone()],
            fields: &[Field::Domain, Field::Period, Field::Reporter, Field::Outcome, Field::Disposition],
        }),
        exports: vec![
            ("Rows as CSV", links::rows_csv(&scope)),
            ("JSON", api::link(here.ask, &["api", "v1", "sources", &address])),
        ],
        body: html! {
            (super::cut_period(here))
            (facts(here, answer, &scope))
            div.side {
                (timeline(answer, &scope))
                div {
                    (reporters(answer, &scope))
                    (overrides(answer))
                }
            }
            (super::judged::of_source(here, flows))
            (super::behind::section(answer))
            (authentication(answer, &scope))
            (super::samples::of_source(samples, &scope))
        },
    };
    page.render(here.around, here.ask)
}

/// The filters in force, for this address.
fn alone(here: Here<'_>, answer: &Source) -> Scope {
    let full = if answer.address.is_ipv4() { 32 } else { 128 };
    links::from_network(here.scope(), (answer.address, full))
}

fn lead(answer: &Source, scope: &Scope) -> Markup {
    let (all, failing) = (answer.outcomes.messages(), answer.outcomes.failing());
    let named = answer.authentications.first().map(|line| line.domain.as_str()).filter(|domain| !domain.is_empty());
    html! {
        @match (all, answer.first_day, answer.last_day) {
            (0, None, _) | (0, _, None) => "No report in the ledger names this address.",
            (0, Some(first), Some(last)) => { "Nothing in this period. The ledger knows it from " (figures::span(first, last)) "." },
            _ => {
                (strong(&links::rows(scope), &counted(all, "message", "messages")))
                @if let Some(domain) = named { ", most of them in the name of " a href=(links::trend(&links::of_domain(&Scope { network: None, ..scope.clone() }, domain))) { (text::text(domain)) } }
                "; "
                @if failing == 0 { "all of it passes DMARC." }
                @else if failing == all { (strong(&links::rows(&links::failing(scope)), "all of it fails")) " DMARC." }
                @else { (strong(&links::rows(&links::failing(scope)), &percent_sign(failing, all))) " of it fails DMARC." }
            },
        }
    }
}

fn facts(here: Here<'_>, answer: &Source, scope: &Scope) -> Markup {
    let active = answer.days.iter().filter(|day| day.outcomes.messages() > 0).count();
    let network =
        parse_network(&answer.network).map(|network| links::sources(&links::from_network(here.scope(), network)));
    let (all, failing) = (links::rows(scope), links::rows(&links::failing(scope)));
    let on = |day| links::rows(&links::within(&Scope { network: scope.network, ..Scope::default() }, day, day));
    html! {
        section aria-labelledby="h-facts" {
            h2.vh id="h-facts" { "Overview" }
            div.box {
                dl.facts {
                    div { dt { "Messages" } dd { (n(&all, answer.outcomes.messages())) span.sub { a.n href=(links::trend(scope)) { "on " (active) " of " (counted(as_u64(answer.days.len()), "day", "days")) } } } }
                    div { dt { "Fail DMARC" } dd { (n(&failing, answer.outcomes.failing())) span.sub { a.n href=(failing) { (percent_sign(answer.outcomes.failing(), answer.outcomes.messages())) } } } }
                    div { dt { "What receivers did" } dd { (dispositions(&answer.dispositions, scope)) } }
                    div {
                        dt { "Network" }
                        dd {
                            @match &network { Some(url) => a.n href=(url) { (text::text(&answer.network)) }, None => (text::text(&answer.network)) }
                            span.sub {
                                @match &network {
                                    _ if answer.neighbours == 0 => "no other address seen in it",
                                    Some(url) => { a.n href=(url) { (counted(answer.neighbours, "other address", "other addresses")) } " in it" },
                                    None => { (counted(answer.neighbours, "other address", "other addresses")) " in it" },
                                }
                            }
                        }
                    }
                    @for (name, day) in [("First seen", answer.first_day), ("Last seen", answer.last_day)] {
                        @if let Some(day) = day { div { dt { (name) } dd { a.n href=(on(day)) { (figures::day_year(day)) } span.sub { "in the whole ledger" } } } }
                    }
                }
            }
        }
    }
}

/// What receivers did, the commonest first.
fn dispositions(counts: &Dispositions, scope: &Scope) -> Markup {
    let mut met: Vec<(Disposition, u64)> = words::STOPPED
        .into_iter()
        .chain(words::DELIVERED)
        .map(|d| (d, words::met(counts, d)))
        .filter(|(_, n)| *n > 0)
        .collect();
    met.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    html! {
        @if met.is_empty() { "—" }
        @for (index, (disposition, number)) in met.iter().enumerate() {
            @let named = words::disposition(*disposition).name.to_lowercase();
            @if index == 0 { (n(&links::rows(&links::meeting(scope, *disposition)), *number)) " " span.small { (named) } }
            @else { span.sub { (n(&links::rows(&links::meeting(scope, *disposition)), *number)) " " (named) } }
        }
    }
}

fn timeline(answer: &Source, scope: &Scope) -> Markup {
    html! {
        section aria-labelledby="h-days" {
            div.head {
                h2 id="h-days" { "Day by day" }
                span.aside { @if let (Some(first), Some(last)) = (answer.days.first(), answer.days.last()) { (figures::span(first.day, last.day)) } }
            }
            (legend(answer, scope))
            figure.box.chart-box { (draw::for_each_screen(|size| chart(answer, scope, size))) }
        }
    }
}

fn legend(answer: &Source, scope: &Scope) -> Markup {
    let present = words::PASSING.into_iter().chain(words::FAILING).filter(|outcome| answer.outcomes.get(*outcome) > 0);
    html! {
        div.legend {
            @for outcome in present {
                @let class = words::outcome(outcome);
                a href=(links::rows(&explorer::only(scope, outcome))) title=(class.about) { (draw::swatch(class)) (class.name) " " span.v { (figures::short(answer.outcomes.get(outcome))) } }
            }
        }
    }
}

fn chart(answer: &Source, scope: &Scope, size: Size) -> Chart {
    let each = answer.days.len().div_ceil(size.columns_max()).max(1);
    let groups: Vec<&[SourceDay]> = answer.days.chunks(each).collect();
    let sum =
        |days: &[SourceDay], outcome| days.iter().fold(0_u64, |sum, day| sum.saturating_add(day.outcomes.get(outcome)));
    let order = words::PASSING.into_iter().chain(words::FAILING);
    let layers: Vec<Layer> = order
        .map(|outcome| Layer {
            class: words::outcome(outcome),
            values: groups.iter().map(|days| sum(days, outcome)).collect(),
        })
        .collect();
    let columns = groups
        .iter()
        .map(|days| {
            let (first, last) = (
                days.first().map_or_else(Default::default, |d| d.day),
                days.last().map_or_else(Default::default, |d| d.day),
            );
            let fails = words::FAILING.iter().fold(0_u64, |all, o| all.saturating_add(sum(days, *o)));
            let passes = words::PASSING.iter().fold(0_u64, |all, o| all.saturating_add(sum(days, *o)));
            Column {
                first,
                link: links::rows(&links::within(scope, first, last)),
                about: format!("{}\n{} fail\n{} pass", figures::span(first, last), count(fails), count(passes)),
                incomplete: false,
            }
        })
        .collect();
    let title = if each == 1 { "Messages a day".to_owned() } else { format!("Messages in {each} days") };
    let height = if size == Size::Wide { 190.0 } else { 120.0 };
    Chart {
        size,
        title: format!("Mail from {} by day", answer.address),
        about: format!(
            "Stacked columns: {} pass, {} fail.",
            count(answer.outcomes.passing()),
            count(answer.outcomes.failing())
        ),
        columns,
        panels: vec![Panel { title, height, steps: 4, layers }],
        bands: vec![],
        marks: Vec::new(),
        note: None,
    }
}

fn authentication(answer: &Source, scope: &Scope) -> Markup {
    let all = answer.outcomes.messages();
    html! {
        section aria-labelledby="h-auth" {
            div.head { h2 id="h-auth" { "What it claimed, and what came of it" } @if answer.authentications.len() >= 50 { span.aside { "the 50 commonest" } } }
            div.box.scroll {
                table.stack.claims {
                    caption.vh { "Combinations of author domain, SPF and DKIM" }
                    thead {
                        tr {
                            th scope="col" { "Author domain" } th scope="col" { "SPF" } th scope="col" { "DKIM" } th scope="col" { "Outcome" }
                            th.num scope="col" aria-sort="descending" { "Messages" } th.num scope="col" { "%" } th.num scope="col" { "First" } th.num scope="col" { "Last" }
                        }
                    }
                    tbody { @for line in &answer.authentications { (authenticated(line, scope, all)) } }
                }
            }
        }
    }
}

fn authenticated(line: &AuthenticationLine, scope: &Scope, all: u64) -> Markup {
    let claimed = explorer::only(&links::of_domain(scope, &line.domain), line.outcome);
    let rows = links::rows(&claimed);
    let on = |day| html! { a.n href=(links::rows(&links::within(&claimed, day, day))) { (figures::day(day)) } };
    html! {
        tr {
            th scope="row" { a.n href=(links::trend(&links::of_domain(&Scope { network: None, ..scope.clone() }, &line.domain))) { (text::text(&line.domain)) } }
            td.wide { (results(&line.spf)) }
            td.wide { (results(&line.dkim)) }
            td { (outcome_chip(line.outcome)) }
            td.num data-l="messages" { (n(&rows, line.messages)) }
            td.num data-l="%" { a.n href=(rows) { (percent(line.messages, all)) } }
            td.num data-l="first" { (on(line.first_day)) }
            td.num data-l="last" { (on(line.last_day)) }
        }
    }
}

/// A list of results, one a line.
pub(super) fn results(list: &str) -> Markup {
    html! {
        @if list.is_empty() || list == "-" { span.faint { "none" } }
        @for one in list.split("; ").filter(|one| !one.is_empty() && *one != "-").take(10) { span.auth { (text::text(one)) } }
        @if list.split("; ").count() > 10 { span.sub { "and " (list.split("; ").count() - 10) " more" } }
    }
}

fn reporters(answer: &Source, scope: &Scope) -> Markup {
    html! {
        section aria-labelledby="h-reporters" {
            div.head { h2 id="h-reporters" { "Who reported it" } }
            div.box {
                table {
                    caption.vh { "Reporters" }
                    thead { tr { th scope="col" { "Reporter" } th.num scope="col" aria-sort="descending" { "Messages" } } }
                    tbody {
                        @for line in answer.reporters.iter().take(REPORTERS_MAX) {
                            tr { th.name scope="row" { a.n href=(links::rows(&links::by_reporter(scope, &line.name))) { (super::name_or_dash(&line.name)) } } td.num { (n(&links::rows(&links::by_reporter(scope, &line.name)), line.messages)) } }
                        }
                    }
                }
            }
            @if answer.reporters.len() > REPORTERS_MAX { p.cap { a href=(Ask { scope: scope.clone(), group: GroupBy::Reporter, ..Ask::default() }.to(&["sources"])) { "All reporters" } } }
        }
    }
}

fn overrides(answer: &Source) -> Markup {
    html! {
        section aria-labelledby="h-overrides" {
            div.head { h2 id="h-overrides" { "Why receivers overrode the policy" } }
            div.box {
                @if answer.overrides.is_empty() { p.pad.small.faint { "No receiver gave a reason to depart from the policy." } }
                @else {
                    table {
                        caption.vh { "Overrides" }
                        thead { tr { th scope="col" { "Reason" } th.num scope="col" aria-sort="descending" { "Messages" } } }
                        tbody { @for line in &answer.overrides { tr { th scope="row" { (text::text(&line.name)) } td.num { (count(line.messages)) } } } }
                    }
                }
            }
        }
    }
}
