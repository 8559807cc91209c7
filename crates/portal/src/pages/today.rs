//! `/`, Today: what needs me?

use insight::{
    Alerts, FlowClass, Period, Punctuality, Scope, Today, TodayCard, TodayDomain, TodayKind, TodayReporter, TodayState,
};
use maud::{Markup, html};

use super::{Here, as_u64, judged, strong};
use crate::api;
use crate::draw::{self, State, state};
use crate::figures::{self, as_f64, count, counted, percent, rate};
use crate::filters::Filters;
use crate::frame::{Page, Section};
use crate::links;
use crate::program::{Activity, Collecting};
use crate::text;
use crate::url::Url;
use crate::words;

/// Domains shown at once; the rest is a click away.
const FIRST: usize = 10;

/// The page.
pub(crate) fn page(here: Here<'_>, answer: &Today, collecting: &Collecting, alerts: &Alerts) -> Markup {
    let page = Page {
        section: Section::Today,
        title: "What needs me?".to_owned(),
        about: None,
        crumbs: vec![(html! { "Today" }, None)],
        lead: lead(answer),
        tabs: vec![],
        filters: Some(Filters { action: Url::path(&[]), here: vec![], fields: &[] }),
        exports: vec![("JSON", api::link(here.ask, &["api", "v1", "today"]))],
        body: html! {
            (judged::stale(answer.stale))
            (super::alerts::on_today(alerts))
            (domains(answer))
            div.beside {
                div { (cards(answer)) }
                div {
                    (reporters(answer))
                    (pipe(here, answer, collecting))
                    (quiet(answer))
                }
            }
        },
    };
    page.render(here.around, here.ask)
}

fn lead(answer: &Today) -> Markup {
    let named: f64 = answer.cards.iter().filter(|card| card.kind != TodayKind::Unknown).map(|card| card.a_day).sum();
    html! {
        (answer.sentence) " "
        @if answer.days.is_none() { "Take reports in: " code { "lamppost import PATH…" } }
        @else if answer.at_risk_a_day > 0.0 {
            (strong(&links::flows(&scope(answer), &super::trend_classes::WANTED), &format!("{} wanted messages a day", rate(answer.at_risk_a_day)))) " fail"
            @if named > 0.0 && !answer.cards.is_empty() { "; what stands below is " (rate(named.min(answer.at_risk_a_day))) " of them" }
            "."
        }
    }
}

/// The days that are judged.
fn scope(answer: &Today) -> Scope {
    answer
        .days
        .map_or_else(Scope::default, |(first, last)| Scope { period: Period::Days(first, last), ..Scope::default() })
}

fn domains(answer: &Today) -> Markup {
    let (first, rest) = answer.domains.split_at(answer.domains.len().min(FIRST));
    html! {
        @if !answer.domains.is_empty() {
            section aria-labelledby="h-domains" {
                div.head {
                    h2 id="h-domains" { "Domains" }
                    span.aside { @if let Some((first, last)) = answer.days { (figures::span(first, last)) "; lines over 12 weeks" } }
                }
                div.box.list {
                    (domain_table(answer, "Domains, those that need somebody first", first))
                    @if !rest.is_empty() { details.why.pad { summary { (counted(as_u64(rest.len()), "more", "more")) } (domain_table(answer, "More domains", rest)) } }
                    @if answer.domains_total > answer.domains.len() { p.pad.small.faint { "These are " (answer.domains.len()) " of " (count(as_u64(answer.domains_total))) "; " a href=(links::domains(&Scope::default())) { "all domains" } "." } }
                }
            }
        }
    }
}

fn domain_table(answer: &Today, caption: &str, lines: &[TodayDomain]) -> Markup {
    html! {
        table.stack.today {
            caption.vh { (caption) }
            thead { tr {
                th scope="col" { "State" }
                th scope="col" { "Domain" }
                th scope="col" { "Because" }
                th.num scope="col" { abbr title="share of wanted messages that pass; the line is week by week" { "Pass %" } }
                th.num scope="col" { abbr title="messages sent without any right; the line is week by week" { "Spoofed a day" } }
                th.num scope="col" { abbr title="spoofed messages that no receiver held back; the line is week by week" { "Delivered a day" } }
            } }
            tbody { @for line in lines { (domain_row(answer, line)) } }
        }
    }
}

fn domain_row(answer: &Today, line: &TodayDomain) -> Markup {
    let of = Scope { subdomains: true, ..links::of_domain(&scope(answer), &line.organizational_domain) };
    let (how, word) = domain_state(line.state);
    let spoofs = links::flows(&of, &[FlowClass::Spoofer]);
    let weeks = |of: fn(&insight::TodayWeek) -> u64| line.weeks.iter().map(of).collect::<Vec<_>>();
    let seen = weeks(|week| week.wanted.saturating_add(week.unauthorised));
    // In tenths of a per cent, so that the line has room to fall.
    let passing = weeks(|week| {
        let passes = week.wanted.saturating_sub(week.wanted_failing);
        figures::rounded(as_f64(passes) / as_f64(week.wanted.max(1)) * 1_000.0)
    });
    html! {
        tr {
            td.nowrap { (state(how, word)) }
            th.name scope="row" { a href=(links::trend(&of)) { (text::clip(&line.organizational_domain)) } }
            td.wide { (text::told(&text::begun(&line.because), 160)) }
            td.num data-l="% pass" { (with_line(
                &draw::line(&passing, &weeks(|week| week.wanted), "share of wanted messages that pass, by week"),
                &links::flows(&of, &super::trend_classes::WANTED),
                &percent(line.wanted.saturating_sub(line.wanted_failing), line.wanted),
            )) }
            td.num data-l="spoofed a day" { (with_line(&draw::line(&weeks(|week| week.unauthorised), &seen, "spoofed messages, by week"), &spoofs, &rate(line.unauthorised_a_day))) }
            td.num data-l="delivered a day" { (with_line(&draw::line(&weeks(|week| week.delivered), &seen, "delivered spoofs, by week"), &spoofs, &rate(line.delivered_a_day))) }
        }
    }
}

/// A number behind the line that led to it.
fn with_line(line: &Markup, url: &Url, number: &str) -> Markup {
    html! { span.with-line { (line) a.n href=(url) { (number) } } }
}

fn domain_state(state: TodayState) -> (State, &'static str) {
    match state {
        TodayState::Act => (State::Act, "Act"),
        TodayState::Watch => (State::Watch, "Watch"),
        TodayState::NotEnoughData => (State::Unknown, "Not enough data"),
        TodayState::Healthy => (State::Healthy, "Healthy"),
    }
}

fn cards(answer: &Today) -> Markup {
    html! {
        section aria-labelledby="h-cards" {
            div.head { h2 id="h-cards" { "Worst first" } span.aside { "by wanted messages at risk" } }
            div.box {
                @if answer.cards.is_empty() { p.pad { "No action required." } }
                @for card in &answer.cards { (one(answer, card)) }
                @if answer.cards_total > answer.cards.len() {
                    p.pad.small.faint { (counted(as_u64(answer.cards_total - answer.cards.len()), "smaller matter", "smaller matters")) " not shown; " a href=(links::lists(&scope(answer))) { "the two lists" } " have all flows that fail." }
                }
            }
        }
    }
}

fn one(answer: &Today, card: &TodayCard) -> Markup {
    let url = place(answer, card);
    html! {
        article.card {
            p.big {
                @match card.kind {
                    TodayKind::Reporters => span.faint { "—" },
                    _ => a.n href=(url) { (rate(card.a_day)) },
                }
                span.sub {
                    @match card.kind {
                        TodayKind::Reporters => "not known",
                        TodayKind::Unknown => "a day, of nobody knows whom",
                        _ => "wanted messages a day at risk",
                    }
                }
            }
            div {
                h3 {
                    (text::cut(&card.title, 200))
                    " " span.small.faint {
                        @if let Some(domain) = &card.organizational_domain { (text::text(domain)) }
                        @if let Some(day) = card.since { @if card.organizational_domain.is_some() { " · " } @if card.kind == TodayKind::Spike { "on " } @else { "since " } (figures::day(day)) }
                    }
                }
                @if let Some(class) = card.class { p { (draw::chip(words::class(class))) } }
                p { (text::told(&card.text, 600)) }
                p { (text::told(&card.remedy, 600)) }
                p.row {
                    a.btn href=(url) { (act(card)) }
                    @for flow in card.flows.iter().skip(usize::from(card.flows_total == 1)) { a.small href=(links::flow(&flow.flow, &Scope::default())) { (text::cut(&flow.name, 50)) } }
                }
                @if let Some(flow) = card.flows.first().filter(|flow| !flow.rule.is_empty()) {
                    details.why { summary { "Why?" } div.reason { p { code { (flow.rule) } " " (text::cut(&flow.why, 300)) "." } p { a href=(links::flow(&flow.flow, &Scope::default())) { "All evidence, and the decision" } } } }
                }
            }
        }
    }
}

/// Where a card leads: to its flow, or to all of them.
fn place(answer: &Today, card: &TodayCard) -> Url {
    let of = match (&card.organizational_domain, card.since) {
        (_, Some(day)) if card.kind == TodayKind::Spike => links::within(&Scope::default(), day, day),
        (Some(domain), _) => Scope { subdomains: true, ..links::of_domain(&scope(answer), domain) },
        _ => scope(answer),
    };
    match (card.kind, card.flows.as_slice()) {
        (TodayKind::Reporters, _) => links::reports(&Scope::default()),
        (TodayKind::Spike, _) => links::flows(&of, &[]),
        (_, [flow]) if card.flows_total == 1 => links::flow(&flow.flow, &Scope::default()),
        _ => links::flows(&of, &card.class.into_iter().collect::<Vec<_>>()),
    }
}

fn act(card: &TodayCard) -> String {
    match card.kind {
        TodayKind::Reporters => "See who has reported".to_owned(),
        TodayKind::Spike => "See the flows of the day".to_owned(),
        _ if card.flows_total == 1 => "See the flow".to_owned(),
        _ => format!("See the {} flows", count(card.flows_total)),
    }
}

fn reporters(answer: &Today) -> Markup {
    html! {
        section aria-labelledby="h-reporters" {
            div.head { h2 id="h-reporters" { "Reports" } span.aside { "received of expected" } }
            div.box {
                @if answer.reporters.is_empty() { p.pad.small.faint { "No reporter has a rhythm yet." } }
                @else {
                    table {
                        caption.vh { "Reports received of those to be expected" }
                        thead { tr { th scope="col" { "Reporter" } th scope="col" { span.vh { "Share as a bar" } } th.num scope="col" { "Reports" } } }
                        tbody { @for line in &answer.reporters { (reporter(line)) } }
                    }
                }
            }
        }
    }
}

fn reporter(line: &TodayReporter) -> Markup {
    let url = line.reporter.as_ref().map_or_else(
        || links::reports(&Scope::default()),
        |name| links::report_list(&links::by_reporter(&Scope::default(), name)),
    );
    html! {
        tr {
            th.name scope="row" {
                @match &line.reporter { Some(name) => (super::name_or_dash(name)), None => (counted(line.reporters, "other", "others")) }
                @match (line.state, line.silent_since) {
                    (Punctuality::Silent, Some(day)) => span.sub { (state(State::Act, "Silent")) " since " (figures::day(day)) },
                    (Punctuality::Silent, None) => span.sub { (state(State::Watch, "Some are silent")) },
                    (Punctuality::Gaps, _) => span.sub { (state(State::Watch, "Days are missing")) },
                    _ => {},
                }
            }
            td.received { (draw::share_bar(line.received.min(line.expected), line.expected, "received")) }
            td.num { a.n href=(url) { (count(line.received)) " of " (count(line.expected)) } }
        }
    }
}

/// How what comes in fares.
fn pipe(here: Here<'_>, answer: &Today, collecting: &Collecting) -> Markup {
    let failing: Vec<_> = collecting.sources.iter().filter(|source| source.activity == Activity::Failing).collect();
    html! {
        section aria-labelledby="h-pipe" {
            div.head { h2 id="h-pipe" { "What comes in" } }
            div.box.pad {
                @for source in &failing {
                    p { (state(State::Act, "Fails")) " " a href=(Url::path(&["reports", "sources"])) { (text::cut(&source.name, 60)) } @if let Some(mishap) = &source.last_error { span.sub { (text::cut(&mishap.message, 160)) } } }
                }
                dl.kv {
                    @if let Some((_, last)) = answer.days { dt { "Judged up to" } dd { (figures::weekday_year(last)) } }
                    @if let Some((_, newest)) = here.around.days { dt { "Newest day" } dd { (figures::weekday_year(newest)) } }
                    @if let Some(received) = here.around.last_received { dt { "Last report" } dd { (crate::frame::moment_near(received, here.around.now)) } }
                    @if !collecting.sources.is_empty() {
                        dt { "Sources of reports" }
                        dd { a.n href=(Url::path(&["reports", "sources"])) { (count(as_u64(collecting.sources.len() - failing.len()))) " of " (count(as_u64(collecting.sources.len()))) " work" } }
                        dt { "Waiting" } dd { (count(collecting.backlog)) }
                    }
                }
            }
        }
    }
}

fn quiet(answer: &Today) -> Markup {
    html! {
        @if !answer.quiet.is_empty() {
            section aria-labelledby="h-quiet" {
                div.head { h2 id="h-quiet" { "No action required" } }
                div.box { ul.log { @for line in &answer.quiet { li { p.small { (text::cut(line, 200)) } } } } }
            }
        }
    }
}
