//! `/trend` and `/domains/{domain}/trend`: what happened to mail in our name?

use insight::{ClassTrend, Trend, TrendDay};
use maud::{Markup, html};
use report::{Day, Disposition, Outcome, Text};

use super::{Here, as_u64, judged, spike, strong, trend_chart, trend_classes, trend_dns, trend_table};
use crate::api;
use crate::ask::{Ask, View};
use crate::draw::{self, Size};
use crate::figures::{self, as_f64, count, counted, percent_sign, rate, short};
use crate::filters::{self, Filters};
use crate::frame::{Page, Section};
use crate::links;
use crate::text;
use crate::url::Url;
use crate::words::{self, Class};

/// The page. Both answers are over the same days.
pub(crate) fn page(here: Here<'_>, answer: &Trend, classes: &ClassTrend) -> Markup {
    let scope = here.scope();
    let by_class = here.ask.view == View::Class;
    let path = path(answer.domain.as_ref());
    let segments: Vec<_> = path.iter().map(String::as_str).collect();
    let mut crumbs = vec![(html! { "Domains" }, Some(links::domains(scope)))];
    if let Some(domain) = &answer.domain {
        crumbs.push((text::text(domain), Some(links::trend(&links::of_domain(&insight::Scope::default(), domain)))));
    }
    crumbs.push((html! { "Trend" }, None));
    let json: &[&str] = if by_class { &["api", "v1", "trend", "classes"] } else { &["api", "v1", "trend"] };
    let page = Page {
        section: Section::Trend,
        title: "What happened to mail in our name?".to_owned(),
        about: answer.domain.as_ref().map(ToString::to_string),
        crumbs,
        lead: if by_class && answer.totals.messages > 0 {
            trend_classes::lead(here, classes)
        } else {
            lead(here, answer)
        },
        tabs: tabs(here, "Trend"),
        filters: Some(Filters {
            action: Url::path(&["trend"]),
            here: path.clone(),
            fields: if by_class { filters::OF_FLOWS } else { filters::ALL },
        }),
        exports: vec![("CSV", here.ask.here(&["trend.csv"])), ("JSON", api::link(here.ask, json))],
        body: html! {
            (super::cut_period(here))
            @if answer.totals.messages == 0 && here.scope().outcomes.is_empty() { (super::nothing(here, &["trend"], "messages")) }
            @else {
                @if by_class { (judged::stale(classes.stale)) }
                div.trend {
                    (chart(here, answer, classes, &segments))
                    @if by_class {
                        (trend_classes::table(here, answer, classes, &segments))
                        (trend_classes::spikes(here, classes))
                    } @else {
                        (trend_table::section(here, answer, &segments))
                        (spikes(here, answer, classes))
                    }
                    (policies(here, answer))
                    (trend_dns::section(here, answer))
                }
            }
        },
    };
    page.render(here.around, here.ask)
}

/// The three views of one domain, or of all.
pub(super) fn tabs(here: Here<'_>, current: &str) -> Vec<(&'static str, Url, bool)> {
    let scope = here.scope();
    vec![
        ("Trend", links::trend(scope), current == "Trend"),
        ("Sources", links::sources(scope), current == "Sources"),
        ("Rows", links::rows(scope), current == "Rows"),
    ]
}

/// Where the page is.
fn path(domain: Option<&Text>) -> Vec<String> {
    match domain {
        Some(domain) if crate::url::is_segment(domain) => vec!["domains".into(), domain.to_string(), "trend".into()],
        _ => vec!["trend".into()],
    }
}

/// Failing messages a day at the beginning and at the end of the period.
struct Pace {
    before: f64,
    now: f64,
    /// The days of `before`.
    first: (Day, Day),
    /// The days of `now`.
    last: (Day, Day),
}

/// Means over complete days: those that are still coming in do not count, and a spike is told by itself.
fn pace(answer: &Trend) -> Option<Pace> {
    let late = |day: &TrendDay| answer.incomplete.iter().any(|late| late.day == day.day);
    let whole: Vec<&TrendDay> = answer.days.iter().filter(|day| !late(day)).collect();
    let span = (whole.len() / 3).min(14) / 7 * 7; // whole weeks, so that weekends weigh the same
    let (head, tail) = (whole.get(..span)?, whole.get(whole.len() - span..)?);
    let mean = |days: &[&TrendDay]| {
        let usual: Vec<_> = days.iter().filter(|day| !answer.spikes.iter().any(|spike| spike.day == day.day)).collect();
        let sum = usual.iter().fold(0, |sum: u64, day| sum.saturating_add(day.counts.outcome.neither));
        as_f64(sum) / as_f64(as_u64(usual.len()).max(1))
    };
    let ends = |days: &[&TrendDay]| Some((days.first()?.day, days.last()?.day));
    Some(Pace { before: mean(head), now: mean(tail), first: ends(head)?, last: ends(tail)? })
}

fn lead(here: Here<'_>, answer: &Trend) -> Markup {
    let totals = &answer.totals;
    let scope = here.scope();
    let failing = totals.outcome.neither;
    if totals.messages == 0 {
        return html! { "No messages were reported for these filters" @if let (Some(first), Some(last)) = (answer.days.first(), answer.days.last()) { ", " (figures::span(first.day, last.day)) } "." };
    }
    html! {
        @match pace(answer) {
            _ if failing == 0 => { "Every one of the " (strong(&links::sources(scope), &counted(totals.messages, "message", "messages"))) " passes DMARC." },
            Some(pace) => {
                @let failing_in = |days: (Day, Day), words: &str| strong(&links::sources(&links::failing(&links::within(scope, days.0, days.1))), words);
                @let now = failing_in(pace.last, &format!("{} a day", rate(pace.now)));
                @let before = failing_in(pace.first, &rate(pace.before));
                @if pace.now < pace.before * 0.9 { "Failing mail fell from " (before) " to " (now) }
                @else if pace.now > pace.before * 1.1 { "Failing mail rose from " (before) " to " (now) }
                @else { "Failing mail stays at about " (now) }
                "; " (strong(&links::sources(&links::passing(scope)), &percent_sign(totals.dmarc_pass, totals.messages))) " of all mail passes."
            },
            None => {
                (strong(&links::sources(&links::failing(scope)), &count(failing))) " of " (strong(&links::sources(scope), &counted(totals.messages, "message", "messages"))) " fail DMARC."
            },
        }
        @if let Some(spike) = answer.spikes.first() {
            " On " (strong(&Url::on_page("h-spike"), &figures::day(spike.day))) " "
            @if spike.one_campaign { "one campaign added " } @else { "failing mail rose by " }
            (super::n(&links::sources(&links::failing(&links::within(scope, spike.day, spike.day))), spike.failing.saturating_sub(spike.usual))) "."
        }
    }
}

fn chart(here: Here<'_>, answer: &Trend, classes: &ClassTrend, path: &[&str]) -> Markup {
    let by = |view: View| Ask { view, ..here.ask.clone() }.to(path);
    let view = here.ask.view;
    let drawn = |size| match view {
        View::Class => trend_classes::chart(here, answer, classes, size),
        _ => trend_chart::chart(here, answer, size),
    };
    html! {
        section aria-labelledby="h-chart" {
            div.head {
                h2 id="h-chart" { (counted(as_u64(answer.days.len()), "day", "days")) ", by " (view.word()) }
                span.aside {
                    span.switch {
                        @for (other, name) in [(View::Outcome, "Outcome"), (View::Class, "Class"), (View::Disposition, "Disposition")] {
                            a href=(by(other)) aria-current=[(other == view).then_some("true")] { (name) }
                        }
                    }
                }
            }
            @match view {
                View::Outcome => (outcome_legend(here, answer, path)),
                View::Class => (trend_classes::legend(here, classes, path)),
                View::Disposition => (disposition_legend(here, answer, path)),
            }
            figure.box.chart-box {
                (draw::for_each_screen(drawn))
            }
            @for size in Size::ALL { p class=(format!("cap {}", size.class())) { (trend_chart::caption(&drawn(size))) } }
            @for late in &answer.incomplete {
                p.cap { strong { (figures::weekday(late.day)) " is still coming in:" } " " (trend_chart::arrived(late)) "." }
            }
        }
    }
}

fn outcome_legend(here: Here<'_>, answer: &Trend, path: &[&str]) -> Markup {
    let chosen = &here.scope().outcomes;
    let chip = |outcome: Outcome| {
        let on = chosen.is_empty() || chosen.contains(&outcome);
        let mut outcomes: Vec<_> =
            Outcome::ALL.into_iter().filter(|o| (chosen.is_empty() || chosen.contains(o)) != (*o == outcome)).collect();
        if outcomes.len() == Outcome::ALL.len() {
            outcomes.clear(); // all is the same as no filter, and so is none
        }
        let scope = insight::Scope { outcomes, ..here.scope().clone() };
        let url = Ask { scope, ..here.ask.clone() }.to(path);
        pill(words::outcome(outcome), &url, on, answer.totals.outcomes().get(outcome))
    };
    html! {
        div.legend-row { span.k { "Failing" } div.legend { @for outcome in words::FAILING.into_iter().rev() { (chip(outcome)) } } }
        div.legend-row { span.k { "Passing" } div.legend { @for outcome in words::PASSING { (chip(outcome)) } } }
    }
}

fn disposition_legend(here: Here<'_>, answer: &Trend, path: &[&str]) -> Markup {
    let chosen = here.scope().disposition;
    let chip = |disposition: Disposition| {
        let on = chosen.is_none_or(|chosen| chosen == disposition);
        let next = if chosen == Some(disposition) { None } else { Some(disposition) };
        let scope = insight::Scope { disposition: next, ..here.scope().clone() };
        let url = Ask { scope, ..here.ask.clone() }.to(path);
        pill(words::disposition(disposition), &url, on, words::met(&answer.totals.disposition, disposition))
    };
    html! {
        div.legend-row { span.k { "Stopped" } div.legend { @for disposition in words::STOPPED.into_iter().rev() { (chip(disposition)) } } }
        div.legend-row { span.k { "Delivered" } div.legend { @for disposition in words::DELIVERED { (chip(disposition)) } } }
    }
}

fn pill(class: Class, url: &Url, on: bool, n: u64) -> Markup {
    html! {
        a href=(url) role="button" aria-pressed=(if on { "true" } else { "false" }) title=(class.about) {
            (draw::swatch(class)) (class.name)
            @if on { " " span.v { (short(n)) } }
        }
    }
}

fn spikes(here: Here<'_>, answer: &Trend, classes: &ClassTrend) -> Markup {
    let by_class = Ask { view: View::Class, scope: here.scope().clone(), ..Ask::default() }.to(&["trend"]);
    html! {
        @if !answer.spikes.is_empty() {
            section aria-labelledby="h-spike" {
                div.head { h2 id="h-spike" { (if answer.spikes.len() == 1 { "What the spike was" } else { "What the spikes were" }) } }
                div.box.pad {
                    @for spike in &answer.spikes {
                        (spike::explanation(spike, here.scope(), true))
                        @if let Some(judged) = classes.spikes.iter().find(|judged| judged.day == spike.day) {
                            p.small { "By class: " (text::cut(&judged.sentence, 600)) " " a href=(by_class) { "The trend by class" } }
                        }
                    }
                }
            }
        }
    }
}

fn policies(here: Here<'_>, answer: &Trend) -> Markup {
    html! {
        @if !answer.policies.is_empty() {
            section aria-labelledby="h-policy" {
                div.head {
                    h2 id="h-policy" { "What policy was published" }
                    span.aside { "as reporters saw it in DNS" }
                }
                div.box.scroll {
                    table.stack {
                        caption.vh { "Policies seen, in order of time" }
                        thead { tr { th scope="col" { span.vh { "Number" } } th scope="col" { "Seen from" } th scope="col" { "To" } th scope="col" { "Record" } } }
                        tbody {
                            @for (index, policy) in answer.policies.iter().enumerate() {
                                tr {
                                    th scope="row" { @if index > 0 { span.no { (index) } } @else { span.vh { "at first" } } }
                                    td.nowrap data-l="to" { a.n href=(links::sources(&links::within(here.scope(), policy.from, policy.to))) { (figures::day_year(policy.from)) } }
                                    td.nowrap { (figures::day_year(policy.to)) }
                                    td.wide { (text::code(&policy.record)) span.sub { "at " (text::text(&policy.policy_domain)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
