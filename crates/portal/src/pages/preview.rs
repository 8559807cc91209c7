//! `/preview`: what if we published other records? Harm and benefit a day, by class, flow, name and receiver, and the bound in words.
//!
//! In: `insight`'s answer, or why there is none. Out: markup. The plan is a form that stands in the URL; works without scripts.

use insight::{Estimate, Preview, PreviewFlow, Receivers, WhatIf};
use maud::{Markup, html};
use report::{Alignment, Policy};

use super::{Here, as_u64};
use crate::api;
use crate::draw::{self, State, state, whisker};
use crate::figures::{self, count, counted, rate};
use crate::frame::{Page, Section};
use crate::links;
use crate::text;
use crate::words;

/// Flows of a list that are shown at once; the rest is a click away.
const FIRST: usize = 10;

/// The page. `answer` is the preview, or why there is none.
pub(crate) fn page(here: Here<'_>, what_if: &WhatIf, answer: Result<&Preview, &str>) -> Markup {
    let answered = answer.ok();
    let page = Page {
        section: Section::Preview,
        title: format!("What if we published {}?", text::plain(&what_if.words())),
        about: Some(what_if.domain.clone()),
        crumbs: vec![
            (html! { "Domains" }, Some(links::domains(here.scope()))),
            (
                html! { (text::text(&what_if.domain)) },
                Some(links::trend(&links::of_domain(here.scope(), &what_if.domain))),
            ),
            (html! { "Preview" }, None),
        ],
        lead: html! {
            @match answer {
                Ok(preview) => (lead(preview)),
                Err(why) => { strong { "This cannot be worked out" } ": " (text::told(why, 600)) "." },
            }
        },
        tabs: links::plan_tabs(&what_if.domain, "preview"),
        filters: None,
        exports: answered.map(|_| vec![("JSON", api::link(here.ask, &["api", "v1", "preview"]))]).unwrap_or_default(),
        body: html! {
            (form(here, what_if))
            @if let Some(preview) = answered { (body(here, what_if, preview)) }
        },
    };
    page.render(here.around, here.ask)
}

fn lead(preview: &Preview) -> Markup {
    let harm = preview.harm;
    html! {
        @if harm.expected < 0.05 && harm.seen < 0.05 { strong { "No legitimate mail would be stopped" } ", as far as reporters see it" }
        @else { "Expected harm is " strong { (rate(harm.expected)) " legitimate messages a day" } }
        @match harm.at_most {
            Some(most) => { ", at most " strong { (rate(most)) } "." },
            None => ". There are too few days of reports to say how much it may be at most.",
        }
        " " (rate(preview.spoofed.expected)) " spoofed messages a day would be stopped; over the days replayed, "
        strong { (rate(preview.spoofed_delivered_now)) } " a day were delivered."
    }
}

fn form(here: Here<'_>, what_if: &WhatIf) -> Markup {
    let policy = |name: &'static str, label: &'static str, now: Option<Policy>| {
        select(
            name,
            label,
            &[("", "as it is"), ("none", "none"), ("quarantine", "quarantine"), ("reject", "reject")],
            now.map_or("", Policy::word),
        )
    };
    let mode = |name: &'static str, label: &'static str, now: Option<Alignment>| {
        select(name, label, &[("", "as it is"), ("r", "relaxed"), ("s", "strict")], now.map_or("", Alignment::word))
    };
    let opened = what_if.adkim.is_some()
        || what_if.aspf.is_some()
        || what_if.spf.is_some()
        || what_if.pct.is_some()
        || what_if.testing.is_some()
        || what_if.change.is_some()
        || what_if.receivers != Receivers::default()
        || !(what_if.remove_includes.is_empty() && what_if.add_ranges.is_empty() && what_if.dkim_for.is_empty());
    html! {
        form.plan method="get" action="/preview" aria-label="What would be different" {
            div.fields {
                label { "Domain" input type="text" name="domain" value=(text::plain(&what_if.domain)) maxlength="253" required; }
                (policy("p", "Policy: p", what_if.p))
                (policy("sp", "Subdomains: sp", what_if.sp))
                (policy("np", "Names that do not exist: np", what_if.np))
                (period(here))
                button.btn.main type="submit" { "Try" }
            }
            details.more open[opened] {
                summary { "Alignment, SPF, DKIM, receivers" }
                div.fields {
                    (mode("adkim", "DKIM alignment: adkim", what_if.adkim))
                    (mode("aspf", "SPF alignment: aspf", what_if.aspf))
                    (select("standard", "Receivers by", &[("", "RFC 9989"), ("rfc7489", "RFC 7489")], if what_if.receivers == Receivers::Rfc7489 { "rfc7489" } else { "" }))
                    (select("t", "Testing: t", &[("", "as it is"), ("y", "y"), ("n", "n")], what_if.testing.map_or("", |t| if t { "y" } else { "n" })))
                    label { "Share: pct" input type="number" name="pct" min="0" max="100" value=[what_if.pct]; }
                }
                div.fields.wide {
                    label { "SPF without these includes" input type="text" name="remove_include" value=(what_if.remove_includes.join(", ")) placeholder="_spf.example.net" maxlength="1000"; }
                    label { "SPF with these networks" input type="text" name="add_range" value=(what_if.add_ranges.join(", ")) placeholder="192.0.2.0/24" maxlength="1000"; }
                    label { "Aligned DKIM for these flows" input type="text" name="dkim_for" value=(what_if.dkim_for.join(", ")) placeholder="ids of flows" maxlength="1000"; }
                    label.long { "Another SPF record" input type="text" name="spf" value=[what_if.spf.as_deref()] placeholder="v=spf1 … -all" maxlength="1000"; }
                    label.long { "Other records in the zone" textarea name="change" rows="2" maxlength="1000" placeholder="name TXT \"…\"" { (what_if.change.as_deref().unwrap_or("")) } }
                }
            }
        }
    }
}

fn period(here: Here<'_>) -> Markup {
    let now = match here.scope().period {
        insight::Period::Last(days) if here.scope().period != insight::Period::default() => days.to_string(),
        insight::Period::All => "all".to_owned(),
        _ => String::new(),
    };
    select(
        "days",
        "Replay",
        &[("", "30 days"), ("14", "14 days"), ("60", "60 days"), ("91", "91 days"), ("all", "all days")],
        &now,
    )
}

fn select(name: &'static str, label: &'static str, options: &[(&'static str, &'static str)], now: &str) -> Markup {
    let known = options.iter().any(|(value, _)| *value == now);
    html! {
        label {
            (label)
            select name=(name) {
                @for (value, words) in options { option value=(value) selected[*value == now] { (words) } }
                @if !known { option value=(now) selected { (now) } }
            }
        }
    }
}

fn body(here: Here<'_>, what_if: &WhatIf, preview: &Preview) -> Markup {
    html! {
        (facts(preview))
        div.two {
            div {
                (classes(preview))
                (flows(here, what_if, "h-flows", "Flows that would be harmed", &preview.flows, preview.flows_total))
                @if !preview.unknown_flows.is_empty() {
                    (flows(here, what_if, "h-unknown", "Unknown flows that would be stopped", &preview.unknown_flows, preview.unknown_flows.len()))
                }
                (owners(preview))
            }
            div {
                (record(what_if, preview))
                (tags(preview))
                (names(here, preview))
                (reporters(here, preview))
                (agreement(preview))
                (request(preview))
            }
        }
    }
}

fn facts(preview: &Preview) -> Markup {
    let untouched = (preview.legitimate - preview.harm.seen).max(0.0);
    let share =
        figures::percent_sign(figures::rounded(untouched * 1000.0), figures::rounded(preview.legitimate * 1000.0));
    let (first, last) = preview.days;
    html! {
        section aria-labelledby="h-facts" {
            h2.vh id="h-facts" { "In short" }
            div.box {
                dl.facts {
                    div { dt { "legitimate a day stopped" } dd { (rate(preview.harm.expected)) span.sub { (at_most(&preview.harm)) } } }
                    div { dt { "spoofed a day stopped" } dd { (rate(preview.spoofed.expected)) span.sub { (rate(preview.spoofed_delivered_now)) " a day were delivered" } } }
                    div { dt { "unknown a day stopped" } dd { (rate(preview.unknown.expected)) span.sub { (at_most(&preview.unknown)) } } }
                    div { dt { "legitimate a day untouched" } dd { (rate(untouched)) span.sub { (share) " of " (rate(preview.legitimate)) } } }
                }
            }
            p.cap { "Replayed over " (figures::span(first, last)) ". " (text::told(&preview.bound, 600)) }
        }
    }
}

fn at_most(of: &Estimate) -> Markup {
    html! { @match of.at_most { Some(most) => { "at most " (rate(most)) }, None => "too few days for a bound" } }
}

fn classes(preview: &Preview) -> Markup {
    let top = |line: &insight::PreviewClass| {
        line.stopped.at_most.unwrap_or(0.0).max(line.stopped.expected).max(line.stopped.seen)
    };
    let legitimate = || preview.classes.iter().filter(|line| line.class.is_legitimate());
    let largest = legitimate().map(top).fold(0.0, f64::max);
    html! {
        section aria-labelledby="h-classes" {
            div.head { h2 id="h-classes" { "Harm by class" } span.aside { "messages a day; the whisker ends at the bound" } }
            div.box.scroll {
                table.stack {
                    caption.vh { "What would be stopped, by class" }
                    thead { tr { th scope="col" { "Class" } th scope="col" { span.vh { "Drawn" } } th.num scope="col" { "Seen" } th.num scope="col" { "Expected" } th.num scope="col" { "At most" } } }
                    tbody {
                        @for line in &preview.classes {
                            tr {
                                th.name scope="row" { (draw::chip(words::class(line.class))) span.sub { (count(line.flows_stopped)) " of " (counted(line.flows, "flow", "flows")) } }
                                td.wide { @if line.class.is_legitimate() { (whisker(line.stopped.expected, line.stopped.at_most, largest, words::class(line.class))) } }
                                td.num data-l="seen" { (rate(line.stopped.seen)) }
                                td.num data-l="expected" { (rate(line.stopped.expected)) }
                                td.num data-l="at most" { (bound(&line.stopped)) }
                            }
                        }
                        tr.sum {
                            th.name scope="row" { "All legitimate" }
                            td.wide {}
                            td.num data-l="seen" { strong { (rate(preview.harm.seen)) } }
                            td.num data-l="expected" { strong { (rate(preview.harm.expected)) } }
                            td.num data-l="at most" { strong { (bound(&preview.harm)) } }
                        }
                    }
                }
            }
        }
    }
}

fn bound(of: &Estimate) -> Markup {
    html! { @match of.at_most { Some(most) => (rate(most)), None => span.faint { "?" } } }
}

fn flows(
    here: Here<'_>,
    what_if: &WhatIf,
    id: &'static str,
    title: &'static str,
    lines: &[PreviewFlow],
    total: usize,
) -> Markup {
    let (first, rest) = lines.split_at(lines.len().min(FIRST));
    html! {
        section aria-labelledby=(id) {
            div.head { h2 id=(id) { (title) } span.aside { @if total > lines.len() { "the first " (count(as_u64(lines.len()))) " of " (count(as_u64(total))) } @else { (counted(as_u64(total), "flow", "flows")) } } }
            div.box.list {
                @if lines.is_empty() { p.pad.faint { "None: no legitimate flow would be stopped." } }
                @else { (flow_table(here, what_if, title, first)) }
                @if !rest.is_empty() {
                    details.why.pad {
                        summary { (counted(as_u64(rest.len()), "more", "more")) }
                        (flow_table(here, what_if, "More of them", rest))
                    }
                }
            }
        }
    }
}

fn flow_table(here: Here<'_>, what_if: &WhatIf, caption: &str, lines: &[PreviewFlow]) -> Markup {
    html! {
        table.stack.harmed {
            caption.vh { (caption) }
            thead { tr { th scope="col" { "Flow" } th.num scope="col" { "Seen" } th.num scope="col" { "Expected" } th.num scope="col" { "At most" } } }
            tbody { @for flow in lines { (flow_row(here, what_if, flow)) } }
        }
    }
}

fn flow_row(here: Here<'_>, what_if: &WhatIf, flow: &PreviewFlow) -> Markup {
    let mut signed = what_if.clone();
    if !signed.dkim_for.contains(&flow.id) {
        signed.dkim_for.push(flow.id.clone());
    }
    html! {
        tr {
            th.name scope="row" {
                a href=(links::flow(&flow.id, here.scope())) { (text::cut(&flow.name, 90)) }
                span.sub {
                    (draw::chip(words::class(flow.class)))
                    @if let Some(diagnosis) = flow.diagnosis { " · " (diagnosis.label()) }
                }
                span.sub {
                    @match &flow.owner { Some(owner) => { "decided by " (text::cut(owner, 60)) }, None => "nobody named yet" }
                    " · " a href=(links::preview(here.scope(), &signed)) { "with DKIM?" }
                    @if flow.known_forwarded >= 0.05 { " · receivers knew " (rate(flow.known_forwarded)) " a day as forwarded" }
                }
            }
            td.num data-l="seen" { (rate(flow.stopped.seen)) span.faint { " of " (rate(flow.messages)) } }
            td.num data-l="expected" { (rate(flow.stopped.expected)) }
            td.num data-l="at most" { (bound(&flow.stopped)) }
        }
    }
}

fn owners(preview: &Preview) -> Markup {
    html! {
        @if preview.owners.iter().any(|owner| owner.owner.is_some()) {
            section aria-labelledby="h-owners" {
                div.head { h2 id="h-owners" { "Harm by owner" } span.aside { "who decided about a flow" } }
                div.box.scroll {
                    table.stack {
                        caption.vh { "Harm by owner" }
                        thead { tr { th scope="col" { "Owner" } th.num scope="col" { "Flows" } th.num scope="col" { "Expected" } th.num scope="col" { "At most" } } }
                        tbody { @for line in &preview.owners { tr {
                            th.name scope="row" { @match &line.owner { Some(owner) => (text::cut(owner, 80)), None => span.faint { "nobody named yet" } } }
                            td.num data-l="flows" { (count(line.flows)) }
                            td.num data-l="expected" { (rate(line.stopped.expected)) }
                            td.num data-l="at most" { (bound(&line.stopped)) }
                        } } }
                    }
                }
            }
        }
    }
}

fn record(what_if: &WhatIf, preview: &Preview) -> Markup {
    let step = match what_if.p {
        Some(Policy::Reject) => Policy::Reject,
        _ => Policy::Quarantine,
    };
    html! {
        section aria-labelledby="h-record" {
            div.head { h2 id="h-record" { "The records" } span.aside { "now known from " (preview.record_known_from) } }
            div.box.pad {
                @if preview.changed.is_empty() { p.faint { "No record changes." } }
                @for change in &preview.changed {
                    p.small { code { (text::text(&change.name)) } " TXT" }
                    div.diff {
                        del { "− " @match &change.before { Some(before) => (text::cut(before, 2000)), None => "not known" } }
                        ins { "+ " (text::cut(&change.after, 2000)) }
                    }
                }
            }
            p.row { a.btn href=(links::readiness(&what_if.domain, step)) { "Are we ready for p=" (step) "? The gates" } }
        }
    }
}

fn tags(preview: &Preview) -> Markup {
    html! {
        section aria-labelledby="h-tags" {
            div.head { h2 id="h-tags" { "By the tag that decides" } span.aside { "each can be tightened by itself" } }
            div.box.scroll {
                table.stack {
                    caption.vh { "Harm by the tag that decides" }
                    thead { tr { th scope="col" { "Tag" } th.num scope="col" { "Names" } th.num scope="col" { "Harm" } th.num scope="col" { "At most" } th.num scope="col" { "Spoofed" } } }
                    tbody { @for line in &preview.tags { tr {
                        th.name scope="row" { code { (line.tag.word()) } }
                        td.num data-l="names" { (count(line.domains)) }
                        td.num data-l="harm" { (rate(line.harm.expected)) span.faint { " of " (rate(line.legitimate)) } }
                        td.num data-l="at most" { (bound(&line.harm)) }
                        td.num data-l="spoofed" { (rate(line.spoofed.expected)) }
                    } } }
                }
            }
        }
    }
}

fn names(here: Here<'_>, preview: &Preview) -> Markup {
    let harmed: Vec<&insight::PreviewDomain> = preview.domains.iter().filter(|line| line.harm >= 0.05).collect();
    html! {
        @if harmed.len() > 1 {
            section aria-labelledby="h-names" {
                div.head { h2 id="h-names" { "By author domain" } span.aside { "over the days replayed" } }
                div.box.scroll {
                    table.stack {
                        caption.vh { "Harm by author domain" }
                        thead { tr { th scope="col" { "Name" } th.num scope="col" { "Harm" } th.num scope="col" { "Spoofed" } } }
                        tbody { @for line in harmed.iter().take(12) { tr {
                            th.name scope="row" { a href=(links::trend(&links::of_domain(here.scope(), &line.domain))) { (text::text(&line.domain)) } span.sub { "decided by " (line.tag.word()) } }
                            td.num data-l="harm" { (rate(line.harm)) span.faint { " of " (rate(line.legitimate)) } }
                            td.num data-l="spoofed" { (rate(line.spoofed)) }
                        } } }
                    }
                }
            }
        }
    }
}

fn reporters(here: Here<'_>, preview: &Preview) -> Markup {
    html! {
        section aria-labelledby="h-receivers" {
            div.head { h2 id="h-receivers" { "Receivers" } span.aside { "what they did where a policy asked for something" } }
            div.box.scroll {
                table.stack {
                    caption.vh { "Receivers that obey, and that do not" }
                    thead { tr { th scope="col" { "Receiver" } th.num scope="col" { "Fail" } th scope="col" { "Obeys" } } }
                    tbody { @for line in preview.reporters.iter().take(10) { tr {
                        th.name scope="row" { (text::cut(&line.reporter, 60)) }
                        td.num data-l="fail" { (super::n(&links::rows(&links::failing(&links::by_reporter(here.scope(), &line.reporter))), line.failing)) }
                        td { @match line.obeys {
                            Some(true) => { (state(State::Healthy, "Yes")) span.sub { (figures::percent_sign(line.obeyed, line.asked)) " of " (count(line.asked)) } },
                            Some(false) => { (state(State::Watch, "No")) span.sub { (figures::percent_sign(line.obeyed, line.asked)) " of " (count(line.asked)) } },
                            None => (state(State::Unknown, "Not asked yet")),
                        } }
                    } } }
                }
            }
        }
    }
}

fn agreement(preview: &Preview) -> Markup {
    html! {
        section aria-labelledby="h-agree" {
            div.head { h2 id="h-agree" { "How far to believe it" } span.aside { "the records as they are, replayed, beside what was reported" } }
            div.box.pad {
                ul.mishaps { @for line in &preview.agreement { li { strong { (count(line.messages)) } " " (text::told(&line.words, 300)) } } }
                @for note in &preview.notes { p.small { (text::told(note, 600)) } }
            }
        }
    }
}

fn request(preview: &Preview) -> Markup {
    html! {
        section aria-labelledby="h-request" {
            div.head { h2 id="h-request" { "Copy as change request" } }
            div.box.pad {
                label.vh for="request" { "Text of the change request" }
                textarea.request id="request" readonly rows="14" { @for line in preview.change_request.lines() { (text::plain(line)) "\n" } }
            }
        }
    }
}
