//! `/flows/{flow}`: what is this stream of mail, why do we think so, and what is to be done about it?

use insight::{Decision, DkimSeen, Flow, FlowClass, FlowDay, FlowPhase, FlowResult, FlowSource, Scope, SpfSeen};
use maud::{Markup, html};

use super::{Here, as_u64, deciding, judged, n, strong};
use crate::api;
use crate::draw::{self, Band, Chart, Column, Layer, Panel, Size};
use crate::figures::{self, count, counted, per_day, percent, percent_sign};
use crate::filters::{Field, Filters};
use crate::frame::{Page, Section};
use crate::links;
use crate::text;
use crate::url::Url;
use crate::words;

/// Addresses shown at once; the rest of those kept is a click away.
const FIRST: usize = 20;

/// The page.
pub(crate) fn page(here: Here<'_>, answer: &Flow) -> Markup {
    let line = &answer.flow;
    let id = line.id.as_str();
    let page = Page {
        section: Section::Flows,
        title: "What is this stream of mail?".to_owned(),
        about: Some(line.name.clone()),
        crumbs: vec![(html! { "Flows" }, Some(links::flows(here.scope(), &[]))), (text::cut(&line.name, 60), None)],
        lead: lead(here, answer),
        tabs: vec![],
        filters: Some(Filters {
            action: Url::path(&["flows", id]),
            here: vec!["flows".to_owned(), id.to_owned()],
            fields: &[Field::Domain, Field::Period],
        }),
        exports: vec![("JSON", api::link(here.ask, &["api", "v1", "flows", id]))],
        body: html! {
            (super::cut_period(here))
            (judged::stale(answer.stale))
            (facts(here, answer))
            div.beside {
                div {
                    (problem(answer))
                    (evidence(answer))
                    (days(here, answer))
                }
                div {
                    (deciding::section(here, answer))
                    (history(&answer.decisions, here))
                }
            }
            (results(answer))
            (addresses(here, answer))
        },
    };
    page.render(here.around, here.ask)
}

fn lead(here: Here<'_>, answer: &Flow) -> Markup {
    let line = &answer.flow;
    html! {
        strong { (text::cut(&line.name, 120)) } " sends in the name of "
        a href=(links::trend(&links::of_domain(&Scope { period: here.scope().period, ..Scope::default() }, &line.organizational_domain))) { (text::text(&line.organizational_domain)) }
        ". " @match line.class {
            FlowClass::Own => "It is ours, and it passes.",
            FlowClass::OwnMisconfigured => "It is ours, and it does not pass: it can be mended.",
            FlowClass::ThirdParty => "A service sends it for us, and it passes.",
            FlowClass::ThirdPartyUnaligned => "A service sends it for us, and it does not pass: it can be set up.",
            FlowClass::ForwarderIntact => "Somebody passes our mail on, and our signature survives.",
            FlowClass::ForwarderBroken => "Somebody passes our mail on and alters it. No SPF entry would help; a policy that is obeyed would hurt.",
            FlowClass::Spoofer => "It is sent without any right. A stricter policy stops it.",
            FlowClass::Unknown => "Nobody knows yet what it is. That is a question and no threat.",
        }
        @if line.messages == 0 { " Nothing of it was seen in this period." }
    }
}

fn facts(here: Here<'_>, answer: &Flow) -> Markup {
    let line = &answer.flow;
    let days = answer.by_day.len();
    html! {
        section aria-labelledby="h-facts" {
            h2.vh id="h-facts" { "Overview" }
            div.box {
                dl.facts {
                    div { dt { "Class" } dd { (judged::chip(line.class, line.confidence)) span.sub { "rule " code { (line.rule) } } } }
                    div { dt { "Messages" } dd { (strong(&Url::on_page("h-days"), &count(line.messages))) span.sub { (per_day(line.messages, days)) " a day" } } }
                    div { dt { "Fail DMARC" } dd { (strong(&Url::on_page("h-results"), &count(line.failing))) span.sub { (percent_sign(line.failing, line.messages)) } } }
                    div { dt { "Addresses" } dd { (strong(&Url::on_page("h-addresses"), &count(line.sources))) span.sub { "in " (counted(line.networks, "network", "networks")) } } }
                    div { dt { "First seen" } dd { (figures::day_year(line.first_day)) span.sub { "active on " (counted(u64::from(line.active_days), "day", "days")) } } }
                    div { dt { "Last seen" } dd { (figures::day_year(line.last_day)) span.sub { "by up to " (counted(u64::from(line.reporters), "reporter", "reporters")) " a day" } } }
                }
            }
            p.cap {
                "Flow " code { (line.id) } ". Author domains: "
                @for (index, domain) in line.domains.iter().take(6).enumerate() {
                    @if index > 0 { ", " }
                    a href=(links::trend(&links::of_domain(&Scope { period: here.scope().period, ..Scope::default() }, domain))) { (text::text(domain)) }
                }
                @if line.domains.len() > 6 { " and " (count(as_u64(line.domains.len() - 6))) " more" }
                "."
            }
        }
    }
}

fn problem(answer: &Flow) -> Markup {
    html! {
        @if let (Some(problem), Some(remedy)) = (&answer.problem, &answer.remedy) {
            section aria-labelledby="h-problem" {
                div.head { h2 id="h-problem" { "What is wrong, and what to do" } }
                div.box.pad { p { strong { (text::sentence(problem)) } "." } p { (text::sentence(remedy)) } }
            }
        }
    }
}

fn evidence(answer: &Flow) -> Markup {
    let line = &answer.flow;
    let all = line.outcomes.messages();
    html! {
        section aria-labelledby="h-why" {
            div.head { h2 id="h-why" { "Why?" } span.aside { "over all days, " (figures::span(line.first_day, line.last_day)) } }
            div.box.pad {
                p { (judged::because(line)) }
                @if !answer.evidence.is_empty() {
                    div.scroll { table.evidence {
                        caption.vh { "What the verdict rests on" }
                        thead { tr { th scope="col" { "What was seen" } th.num scope="col" { "Messages" } th.num scope="col" { abbr title="of all messages of the flow" { "%" } } } }
                        tbody {
                            @for one in &answer.evidence {
                                tr { th scope="row" { (text::cut(&one.text, 300)) } td.num { (count(one.messages)) } td.num { (percent(one.messages, all)) } }
                            }
                        }
                    } }
                }
            }
        }
    }
}

fn days(here: Here<'_>, answer: &Flow) -> Markup {
    html! {
        section aria-labelledby="h-days" {
            div.head {
                h2 id="h-days" { "Day by day" }
                span.aside { (figures::span(answer.days.0, answer.days.1)) }
            }
            figure.box.chart-box { (draw::for_each_screen(|size| chart(here, answer, size))) }
            @if answer.flow.phases.len() > 1 { (phases(&answer.flow.phases)) }
        }
    }
}

fn chart(here: Here<'_>, answer: &Flow, size: Size) -> Chart {
    let each = answer.by_day.len().div_ceil(size.columns_max()).max(1);
    let groups: Vec<&[FlowDay]> = answer.by_day.chunks(each).collect();
    let sum =
        |days: &[FlowDay], of: fn(&FlowDay) -> u64| days.iter().fold(0_u64, |sum, day| sum.saturating_add(of(day)));
    let passing = |day: &FlowDay| day.messages.saturating_sub(day.failing);
    // What fails has the colour of what the flow is; one that passes now had another before.
    let fails = match answer.flow.class {
        FlowClass::Own | FlowClass::ThirdParty | FlowClass::ForwarderIntact => {
            words::class(FlowClass::OwnMisconfigured)
        }
        class => words::class(class),
    };
    let passes = words::Class { name: "Passes", ..words::outcome(report::Outcome::Both) };
    let layers = vec![
        Layer { class: passes, values: groups.iter().map(|days| sum(days, passing)).collect() },
        Layer { class: fails, values: groups.iter().map(|days| sum(days, |day| day.failing)).collect() },
    ];
    let column = |days: &&[FlowDay]| {
        let ends = days.first().zip(days.last()).map(|(first, last)| (first.day, last.day)).unwrap_or_default();
        Column {
            first: ends.0,
            link: links::flow(&answer.flow.id, &links::within(here.scope(), ends.0, ends.1)),
            about: format!(
                "{}\n{} fail\n{} pass",
                figures::span(ends.0, ends.1),
                count(sum(days, |day| day.failing)),
                count(sum(days, passing))
            ),
            incomplete: false,
        }
    };
    let mut bands: Vec<Band> = Vec::new();
    for (from, days) in groups.iter().enumerate() {
        let Some(class) = days.last().map(|day| day.class.label()) else { continue };
        if bands.last().is_none_or(|band| band.text != class) {
            bands.push(Band { from, text: class.to_owned(), pin: None });
        }
    }
    let title = if each == 1 { "Messages a day".to_owned() } else { format!("Messages in {each} days") };
    Chart {
        size,
        title: format!("Mail of {} by day", text::plain(&answer.flow.name)),
        about: format!(
            "Stacked columns: {} pass, {} fail. Above them what the flow was at the time.",
            count(answer.flow.messages.saturating_sub(answer.flow.failing)),
            count(answer.flow.failing)
        ),
        columns: groups.iter().map(column).collect(),
        panels: vec![Panel { title, height: if size == Size::Wide { 170.0 } else { 120.0 }, steps: 4, layers }],
        bands: if bands.len() > 1 { bands } else { Vec::new() },
        marks: Vec::new(),
        note: None,
    }
}

fn phases(phases: &[FlowPhase]) -> Markup {
    html! {
        div.box.scroll {
            table.stack {
                caption.vh { "Phases, in order of time" }
                thead { tr { th scope="col" { "From" } th scope="col" { "To" } th scope="col" { "It was" } th.num scope="col" { "Messages" } th.num scope="col" { "Fail" } } }
                tbody {
                    @for phase in phases {
                        tr {
                            th scope="row" { (figures::day_year(phase.first_day)) }
                            td { (figures::day_year(phase.last_day)) }
                            td { (draw::chip(words::class(phase.class))) }
                            td.num data-l="messages" { (count(phase.messages)) }
                            td.num data-l="fail" { (count(phase.failing)) }
                        }
                    }
                }
            }
        }
    }
}

fn spf(seen: SpfSeen) -> &'static str {
    match seen {
        SpfSeen::Aligned => "passes, aligned",
        SpfSeen::Elsewhere => "passes for another name",
        SpfSeen::Fails => "fails",
        SpfSeen::Nothing => "says nothing",
        SpfSeen::Error => "in error",
    }
}

fn dkim(seen: DkimSeen) -> &'static str {
    match seen {
        DkimSeen::Aligned => "aligned",
        DkimSeen::Broken => "ours, broken",
        DkimSeen::Elsewhere => "somebody else's",
        DkimSeen::Nothing => "none",
    }
}

/// SPF against DKIM.
fn results(answer: &Flow) -> Markup {
    let of = |spf: SpfSeen, dkim: DkimSeen| answer.results.iter().find(|one| one.spf == spf && one.dkim == dkim);
    let seen = |spf: &SpfSeen| answer.results.iter().any(|one| one.spf == *spf);
    let cell = |one: Option<&FlowResult>| {
        html! {
            @match one {
                Some(one) => {
                    (count(one.messages))
                    span.sub { @if one.failing == 0 { "pass" } @else if one.failing == one.messages { "fail" } @else { (count(one.failing)) " fail" } }
                },
                None => span.faint { "—" },
            }
        }
    };
    html! {
        section aria-labelledby="h-results" {
            div.head { h2 id="h-results" { "SPF against DKIM" } span.aside { "messages over all days" } }
            div.box.scroll {
                table.matrix {
                    caption.vh { "Messages by SPF result and DKIM result" }
                    thead { tr { th scope="col" { "SPF" } @for seen in DkimSeen::ALL { th.num scope="col" { "DKIM " (dkim(seen)) } } } }
                    tbody {
                        @for one in SpfSeen::ALL.into_iter().filter(seen) {
                            tr { th scope="row" { (spf(one)) } @for other in DkimSeen::ALL { td.num { (cell(of(one, other))) } } }
                        }
                        @if answer.results.is_empty() { tr { th scope="row" { "not known" } @for _ in DkimSeen::ALL { td.num { (cell(None)) } } } }
                    }
                }
            }
        }
    }
}

fn addresses(here: Here<'_>, answer: &Flow) -> Markup {
    let (first, rest) = answer.addresses.split_at(answer.addresses.len().min(FIRST));
    html! {
        section aria-labelledby="h-addresses" {
            div.head {
                h2 id="h-addresses" { "Addresses" }
                span.aside {
                    @if as_u64(answer.addresses.len()) < answer.flow.sources { "the " (count(as_u64(answer.addresses.len()))) " with most messages of " (count(answer.flow.sources)) }
                    @else { (counted(answer.flow.sources, "address", "addresses")) ", over all days" }
                }
            }
            div.box {
                (address_table(here, "Addresses with most messages", first))
                @if !rest.is_empty() {
                    details.why.pad { summary { (counted(as_u64(rest.len()), "more", "more")) } (address_table(here, "More addresses", rest)) }
                }
            }
        }
    }
}

fn address_table(here: Here<'_>, caption: &str, lines: &[FlowSource]) -> Markup {
    let scope = Scope { period: here.scope().period, ..Scope::default() };
    html! {
        table {
            caption.vh { (caption) }
            thead { tr { th scope="col" { "Address" } th.num scope="col" { "Messages" } th.num scope="col" { "Fail" } } }
            tbody {
                @for line in lines {
                    @let rows = links::rows(&links::from_network(&scope, (line.address, if line.address.is_ipv4() { 32 } else { 128 })));
                    tr {
                        th.name scope="row" { (super::address(line.address, &scope)) }
                        td.num { (n(&rows, line.messages)) }
                        td.num { (n(&rows, line.failing)) }
                    }
                }
            }
        }
    }
}

fn history(decisions: &[Decision], here: Here<'_>) -> Markup {
    html! {
        section aria-labelledby="h-history" {
            div.head { h2 id="h-history" { "What was decided" } span.aside { a href=(links::decisions()) { "all decisions" } } }
            div.box {
                @if decisions.is_empty() { p.pad.small.faint { "Nothing: the rules have spoken." } }
                @else { ul.log { @for decision in decisions { li { (deciding::entry(here, decision)) } } } }
            }
        }
    }
}
