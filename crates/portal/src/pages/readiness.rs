//! `/readiness`: may the policy be tightened now? Eleven gates with what was measured, and what stands in the way.
//!
//! In: `insight`'s answer, or why there is none. Out: markup. Works without scripts.

use insight::{Gate, GateState, Outlook, Readiness, See};
use maud::{Markup, html};
use report::Policy;

use super::{Here, as_u64};
use crate::api;
use crate::draw::{self, State, state};
use crate::figures::{self, counted, rate};
use crate::frame::{Page, Section};
use crate::links;
use crate::text;
use crate::words;

/// The page. `answer` is what there is to say, or why there is nothing.
pub(crate) fn page(here: Here<'_>, domain: &str, step: Policy, answer: Result<&Readiness, &str>) -> Markup {
    let page = Page {
        section: Section::Readiness,
        title: format!("Are we ready for p={step}?"),
        about: Some(domain.to_owned()),
        crumbs: vec![
            (html! { "Domains" }, Some(links::domains(here.scope()))),
            (html! { (text::text(domain)) }, Some(links::trend(&links::of_domain(here.scope(), domain)))),
            (html! { "Readiness" }, None),
        ],
        lead: html! {
            @match answer {
                Ok(found) => (lead(found)),
                Err(why) => { strong { "This cannot be worked out" } ": " (text::told(why, 600)) "." },
            }
        },
        tabs: links::plan_tabs(domain, "readiness"),
        filters: None,
        exports: answer
            .ok()
            .map(|_| vec![("JSON", api::link(here.ask, &["api", "v1", "readiness"]))])
            .unwrap_or_default(),
        body: html! {
            (form(domain, step))
            @if let Ok(found) = answer { (body(here, found)) }
        },
    };
    page.render(here.around, here.ask)
}

fn lead(found: &Readiness) -> Markup {
    html! {
        strong { (found.words) }
        " Expected harm is " (rate(found.harm.expected)) " legitimate messages a day"
        @if let Some(most) = found.harm.at_most { ", at most " (rate(most)) }
        "."
        @if let Outlook::NotEnoughData { until: Some(day) } = found.result { " Look again on " (figures::weekday_year(day)) "." }
    }
}

fn form(domain: &str, step: Policy) -> Markup {
    html! {
        form.plan method="get" action="/readiness" aria-label="Which domain and step" {
            div.fields {
                label { "Domain" input type="text" name="domain" value=(text::plain(domain)) maxlength="253" required; }
                label {
                    "Step"
                    select name="for" {
                        @for one in [Policy::Quarantine, Policy::Reject] { option value=(one) selected[one == step] { "p=" (one) } }
                    }
                }
                button.btn.main type="submit" { "Look" }
            }
        }
    }
}

fn body(here: Here<'_>, found: &Readiness) -> Markup {
    let (first, last) = found.days;
    let failing = found.gates.iter().filter(|gate| matches!(gate.state, GateState::Fail | GateState::Unknown)).count();
    html! {
        section aria-labelledby="h-gates" {
            div.head { h2 id="h-gates" { "Gates for " (found.step) } span.aside { (counted(as_u64(failing), "blocks", "block")) " · " (figures::span(first, last)) } }
            div.box.scroll {
                table.stack.gates {
                    caption.vh { "Gates" }
                    thead { tr { th scope="col" { "Result" } th scope="col" { "Gate and measured" } th scope="col" { "Needed" } } }
                    tbody { @for gate in &found.gates { (row(here, found, gate)) } }
                }
            }
            p.cap { (text::told(&found.bound, 600)) }
        }
        div.two {
            (parts(here, found))
            (names(found))
        }
    }
}

fn shape(gate: GateState) -> State {
    match gate {
        GateState::Pass => State::Healthy,
        GateState::Warn | GateState::Waived => State::Watch,
        GateState::Fail => State::Act,
        GateState::Unknown | GateState::NotMeasured => State::Unknown,
    }
}

fn row(here: Here<'_>, found: &Readiness, gate: &Gate) -> Markup {
    let open = matches!(gate.state, GateState::Fail | GateState::Unknown);
    html! {
        tr id=(gate.id) {
            td { (state(shape(gate.state), gate.state.label())) }
            th.name.wide scope="row" {
                code { (gate.id) } " " (gate.title)
                span.sub { (text::told(&gate.measured, 300)) }
                details.why open[open] {
                    summary { "Why?" }
                    div.reason {
                        @for line in &gate.why { p { (text::told(line, 600)) } }
                        @if !gate.flows.is_empty() { (flows(here, gate)) }
                        @if let Some(waiver) = &gate.waiver {
                            p {
                                strong { (text::cut(waiver.owner.as_deref().unwrap_or("nobody"), 80)) } " answers for it"
                                @if let Some(day) = waiver.expires { " until " (figures::day_year(day)) }
                                @if let Some(note) = &waiver.note { ": " (text::cut(note, 300)) }
                            }
                        } @else if open {
                            p.faint { "To go on all the same: " code { "lamppost waive " (gate.id) " --domain " (text::text(&found.domain)) " --owner NAME --expires DAY" } }
                        }
                        (see(here, found, gate.see))
                    }
                }
            }
            td data-l="needed" { (text::told(&gate.needed, 200)) }
        }
    }
}

fn flows(here: Here<'_>, gate: &Gate) -> Markup {
    html! {
        table.tight {
            caption.vh { "Flows" }
            thead.vh { tr { th scope="col" { "Flow" } th scope="col" { "Class" } th scope="col" { "Figure" } } }
            tbody { @for flow in &gate.flows { tr {
                th scope="row" { a href=(links::flow(&flow.id, here.scope())) { (text::cut(&flow.name, 80)) } }
                td { (draw::chip(words::class(flow.class))) }
                td { (text::told(&flow.figure, 80)) }
            } } }
        }
    }
}

fn see(here: Here<'_>, found: &Readiness, to: See) -> Markup {
    let scope = links::of_domain(here.scope(), &found.domain);
    html! {
        @match to {
            See::Reports => p { a href=(links::reports(here.scope())) { "Which reports came" } },
            See::Flows => p { a href=(links::flows(&scope, &[])) { "All flows" } },
            See::Preview => p { a href=(links::preview(here.scope(), &insight::WhatIf { domain: found.domain.clone(), p: Some(found.step), ..insight::WhatIf::default() })) { "The preview of p=" (found.step) } },
            See::Dns => p { "The same by hand: " code { "lamppost lint " (text::text(&found.domain)) } },
            See::Nowhere => {},
        }
    }
}

fn parts(here: Here<'_>, found: &Readiness) -> Markup {
    html! {
        section aria-labelledby="h-parts" {
            div.head { h2 id="h-parts" { "One part at a time" } span.aside { "the safest first" } }
            div.box.scroll {
                table.stack {
                    caption.vh { "Parts of the record" }
                    thead { tr { th scope="col" { "Part" } th scope="col" { "Safe" } th.num scope="col" { "At most" } th.num scope="col" { "Spoofed" } } }
                    tbody { @for part in &found.parts { tr {
                        th.name scope="row" { code { (part.set) } span.sub { (part.words) } }
                        td { @if part.safe { (state(State::Healthy, "Yes")) } @else { (state(State::Act, "Not yet")) } }
                        td.num data-l="harm at most" { @match part.harm.at_most { Some(most) => (rate(most)), None => "?" } span.sub { "of " (rate(part.limit)) " allowed" } }
                        td.num data-l="spoofed" { (rate(part.spoofed)) }
                    } } }
                }
            }
            p.cap { a href=(links::preview(here.scope(), &insight::WhatIf { domain: found.domain.clone(), np: Some(Policy::Reject), ..insight::WhatIf::default() })) { "Preview np=reject" } }
        }
    }
}

fn names(found: &Readiness) -> Markup {
    html! {
        section aria-labelledby="h-names" {
            div.head { h2 id="h-names" { "By name" } span.aside { "each could have a record of its own" } }
            div.box.scroll {
                @if found.names.is_empty() { p.pad.faint { "No legitimate mail was seen." } }
                @else {
                    table.stack {
                        caption.vh { "Author domains" }
                        thead { tr { th scope="col" { "Name" } th.num scope="col" { "Legitimate" } th.num scope="col" { "Harm" } th.num scope="col" { "Spoofed" } } }
                        tbody { @for name in &found.names { tr {
                            th.name scope="row" { a href=(links::readiness(&name.domain, found.step)) { (text::text(&name.domain)) } }
                            td.num data-l="legitimate" { (rate(name.legitimate)) }
                            td.num data-l="harm" { (rate(name.harm)) }
                            td.num data-l="spoofed" { (rate(name.spoofed)) }
                        } } }
                    }
                }
            }
        }
    }
}
