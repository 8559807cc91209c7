//! `/sources`, the explorer: who sends in our name?

use std::net::IpAddr;

use insight::{GroupBy, Scope, SortBy, SourceLine, Sources, Spike, parse_network};
use maud::{Markup, html};
use report::{Day, Outcome, Text};

use super::{Here, SortKey, as_u64, days_between, length, n, name_or_dash, pager, sort_head, spike, strong, trend};
use crate::api;
use crate::ask::Ask;
use crate::draw;
use crate::figures::{self, count, counted, per_day, percent_sign};
use crate::filters::{self, Filters};
use crate::frame::{Page, Section};
use crate::links;
use crate::text;
use crate::url::Url;
use crate::words;

const PATH: &[&str] = &["sources"];

/// The page. `explained` is what made the day stand out, where the period is one day.
pub(crate) fn page(here: Here<'_>, answer: &Sources, explained: Option<&Spike>) -> Markup {
    let scope = here.scope();
    let mut crumbs = vec![(html! { "Domains" }, Some(links::domains(scope)))];
    if let Some(domain) = &scope.domain {
        crumbs.push((text::text(domain), Some(links::trend(scope))));
    }
    crumbs.push((html! { "Sources" }, None));
    let page = Page {
        section: Section::Explorer,
        title: "Who sends in our name?".to_owned(),
        about: scope.domain.as_ref().map(ToString::to_string),
        crumbs,
        lead: lead(here, answer),
        tabs: trend::tabs(here, "Sources"),
        filters: Some(Filters { action: Url::path(PATH), here: vec!["sources".to_owned()], fields: filters::ALL }),
        exports: vec![
            ("CSV", here.ask.here(&["sources.csv"])),
            ("JSON", api::link(here.ask, &["api", "v1", "sources"])),
        ],
        body: html! {
            (super::cut_period(here))
            @if let Some(spike) = explained {
                section aria-labelledby="h-spike" {
                    div.head { h2 id="h-spike" { "What was different on this day" } }
                    div.box.pad { (spike::explanation(spike, scope, false)) }
                }
            }
            section aria-labelledby="h-sources" {
                h2.vh id="h-sources" { "Sources by " (words::group(answer.order.group).0) }
                (groups(here))
                @if answer.lines.is_empty() { (super::nothing(here, PATH, "sources")) }
                @else {
                    div.box.list {
                        div.scroll { (table(here, answer)) }
                        (pager(here.ask, PATH, answer.lines.len(), answer.lines_total, words::group(answer.order.group).2))
                    }
                }
            }
        },
    };
    page.render(here.around, here.ask)
}

fn lead(here: Here<'_>, answer: &Sources) -> Markup {
    let scope = here.scope();
    let (all, failing) = (answer.totals.messages(), answer.totals.failing());
    let many = if answer.lines_total == 1 {
        words::group(answer.order.group).1.to_lowercase()
    } else {
        words::group(answer.order.group).2.to_owned()
    };
    html! {
        @if all == 0 { "Nobody, as far as the reports say" @if let Some(days) = answer.days { ", " (figures::span(days.0, days.1)) } "." }
        @else {
            (strong(&Url::on_page("h-sources"), &format!("{}\u{a0}{many}", count(as_u64(answer.lines_total))))) " sent "
            (strong(&links::rows(scope), &counted(all, "message", "messages")))
            @if let Some(days) = answer.days { @if days.0 == days.1 { " on " (figures::weekday_year(days.0)) } @else { " in " (length(days)) } }
            @if failing == 0 { "; all of it passes DMARC." }
            @else { "; " (strong(&links::rows(&links::failing(scope)), &count(failing))) " of it, " a.n href=(links::rows(&links::failing(scope))) { (percent_sign(failing, all)) } ", fails DMARC." }
        }
    }
}

fn groups(here: Here<'_>) -> Markup {
    html! {
        div.row {
            span.small.faint id="group-by" { "Group by" }
            span.switch role="group" aria-labelledby="group-by" {
                @for group in words::GROUPS {
                    a href=(Ask { group, ..here.ask.clone() }.to(PATH)) aria-current=[(group == here.ask.group).then_some("true")] { (words::group(group).0) }
                }
            }
        }
    }
}

fn table(here: Here<'_>, answer: &Sources) -> Markup {
    let group = answer.order.group;
    let head = |name: &str, class: Option<&str>, sort: SortBy| {
        let current = here.ask.sort == sort;
        let url = Ask { sort, reversed: current && !here.ask.reversed, ..here.ask.clone() }.to(PATH);
        sort_head(name, class, &SortKey { url: &url, current, reversed: here.ask.reversed, falls: sort != SortBy::Key })
    };
    let days = answer.days.map_or(1, days_between);
    html! {
        table.stack.sources.one-day[days == 1] {
            caption.vh { "Sources by " (words::group(group).0) }
            thead {
                tr {
                    (head(words::group(group).1, None, SortBy::Key))
                    (head("Fail", Some("num"), SortBy::Failing))
                    (head("Messages", Some("num"), SortBy::Messages))
                    (head("Pass", Some("num"), SortBy::Passing))
                    th.bar scope="col" { "Outcomes" }
                    th scope="col" { abbr title="the SPF and DKIM result that most of its messages have" { "Most often" } }
                    (head("Reporters", Some("num"), SortBy::Reporters))
                    @if days > 1 {
                        (head("First", Some(class_of(here, SortBy::FirstDay)), SortBy::FirstDay))
                        (head("Last", Some("num"), SortBy::LastDay))
                        (head("Active", Some(class_of(here, SortBy::ActiveDays)), SortBy::ActiveDays))
                        th scope="col" { "Days" }
                    }
                }
            }
            tbody { @for line in &answer.lines { (row(here, answer, line)) } }
            (foot(here, answer, days))
        }
    }
}

/// Columns that a small desk does without, unless the table is sorted by them.
fn class_of(here: Here<'_>, sort: SortBy) -> &'static str {
    if here.ask.sort == sort { "num" } else { "num hide-m" }
}

fn foot(here: Here<'_>, answer: &Sources, days: usize) -> Markup {
    let scope = here.scope();
    let (all, failing, passing) =
        (links::rows(scope), links::rows(&links::failing(scope)), links::rows(&links::passing(scope)));
    let totals = &answer.totals;
    html! {
        tfoot {
            tr {
                th scope="row" { (count(as_u64(answer.lines_total))) " " (words::group(answer.order.group).2) }
                td.num data-l="fail" { (n(&failing, totals.failing())) (a_day(totals.failing(), days)) }
                td.num data-l="messages" { (n(&all, totals.messages())) (a_day(totals.messages(), days)) }
                td.num data-l="pass" { a.n href=(passing) { (percent_sign(totals.passing(), totals.messages())) } }
                td { (draw::outcome_bar(totals)) }
                td {} td {}
                @if days > 1 { td class=(class_of(here, SortBy::FirstDay)) {} td {} td class=(class_of(here, SortBy::ActiveDays)) {} td {} }
            }
        }
    }
}

/// The rate under a total of several days.
fn a_day(total: u64, days: usize) -> Markup {
    html! { @if days > 1 { span.sub { (per_day(total, days)) " a day" } } }
}

fn row(here: Here<'_>, answer: &Sources, line: &SourceLine) -> Markup {
    let group = answer.order.group;
    let scope = narrowed(here.scope(), group, &line.key);
    let to = |link: &dyn Fn(&Scope) -> Url, shown: Markup| html! { @match &scope { Some(scope) => a.n href=(link(scope)) { (shown) }, None => (shown) } };
    let rows = |of: fn(&Scope) -> Scope, shown: String| to(&|scope| links::rows(&of(scope)), html! { (shown) });
    let on = |day: Day| {
        to(
            &|scope| links::rows(&links::within(scope, day, day)),
            html! { (super::day(day, answer.days.map(|(_, last)| last))) },
        )
    };
    let reporters = |scope: &Scope| Ask { scope: scope.clone(), group: GroupBy::Reporter, ..Ask::default() }.to(PATH);
    let (all, failing) = (line.outcomes.messages(), line.outcomes.failing());
    html! {
        tr {
            th.name scope="row" { (key(here, group, line)) @if let Some(profile) = &line.profile { (super::behind::short(profile)) } @if let Some(flow) = &line.flow { (super::judged::of_line(flow, here.scope())) } }
            td.num data-l="fail" { (rows(links::failing, count(failing))) }
            td.num data-l="messages" { (rows(Scope::clone, count(all))) }
            td.num data-l="pass" { (rows(links::passing, percent_sign(line.outcomes.passing(), all))) }
            td.bar { (draw::outcome_bar(&line.outcomes)) }
            td.wide { (most_often(line)) }
            td.num data-l=(if line.reporters == 1 { "reporter" } else { "reporters" }) { (to(&reporters, html! { (count(line.reporters)) })) }
            @if line.by_day.len() > 1 {
                td class=(class_of(here, SortBy::FirstDay)) data-l="first" { (on(line.first_day)) }
                td.num data-l="last" { (on(line.last_day)) }
                td class=(class_of(here, SortBy::ActiveDays)) data-l=(if line.active_days == 1 { "active day" } else { "active days" }) { (to(&links::trend, html! { (count(line.active_days)) })) }
                td { (draw::day_bars(&line.by_day)) }
            }
        }
    }
}

/// What the line stands for, and where that leads.
fn key(here: Here<'_>, group: GroupBy, line: &SourceLine) -> Markup {
    if let (GroupBy::Address, Ok(address)) = (group, line.key.parse::<IpAddr>()) {
        return super::address(address, here.scope());
    }
    let inner = narrowed(here.scope(), group, &line.key)
        .map(|scope| Ask { scope, group: GroupBy::Address, ..here.ask.clone() }.to(PATH));
    html! {
        @match &inner {
            Some(url) => a.n href=(url) { (key_text(group, &line.key)) },
            None => (key_text(group, &line.key)),
        }
        @let addresses = counted(line.addresses, "address", "addresses");
        span.sub { @match &inner { Some(url) => a.n href=(url) { (addresses) }, None => (addresses) } }
    }
}

fn key_text(group: GroupBy, key: &str) -> Markup {
    match group {
        GroupBy::Address | GroupBy::Network => text::code(key),
        _ if key.is_empty() || key == "-" => name_or_dash(key),
        _ => text::clip(key),
    }
}

/// The scope of one line; `None` where no filter can say it.
fn narrowed(scope: &Scope, group: GroupBy, key: &str) -> Option<Scope> {
    let named = (!key.is_empty()).then(|| Text::new(key));
    Some(match group {
        GroupBy::Address | GroupBy::Network => links::from_network(scope, parse_network(key)?),
        GroupBy::SpfDomain => Scope { spf_domain: Some(named?), ..scope.clone() },
        GroupBy::DkimDomain => Scope { dkim_domain: Some(named?), ..scope.clone() },
        GroupBy::Reporter => links::by_reporter(scope, &named?),
        GroupBy::Domain => links::of_domain(scope, &named?),
    })
}

fn most_often(line: &SourceLine) -> Markup {
    html! {
        @for (name, value) in [("SPF", &line.spf), ("DKIM", &line.dkim)] {
            @if !value.is_empty() {
                span.auth { span.k { (name) } " " @if value == "-" { span.faint { "none" } } @else { (text::clip(value)) } }
            }
        }
    }
}

/// Outcomes that fail, for links elsewhere.
pub(super) fn only(scope: &Scope, outcome: Outcome) -> Scope {
    links::with_outcomes(scope, &[outcome])
}
