//! `/spf`: what does our SPF record cost, and what does it buy?

use insight::{HeloInventory, InventoryFinding, SpfInventory, SpfLine, SpfProposal};
use maud::{Markup, html};

use super::{Here, as_u64, records};
use crate::api;
use crate::figures::{self, count, counted, percent_sign};
use crate::filters::{Field, Filters};
use crate::frame::{Page, Section, moment};
use crate::links;
use crate::text;
use crate::url::Url;

/// Squares of the bar of look-ups: ten, and two beyond the limit.
const PIPS: usize = 12;
/// Greeting names shown.
const NAMES_MAX: usize = 60;

/// The page.
pub(crate) fn page(here: Here<'_>, answer: &SpfInventory, helo: &HeloInventory) -> Markup {
    let page = Page {
        section: Section::Spf,
        title: "What does our SPF record cost, and what does it buy?".to_owned(),
        about: Some(answer.domain.clone()),
        crumbs: vec![
            (text::text(&answer.domain), Some(links::trend(&links::of_domain(here.scope(), &answer.domain)))),
            (html! { "SPF" }, None),
        ],
        lead: lead(answer),
        tabs: records::tabs(here.scope(), "SPF"),
        filters: Some(Filters {
            action: Url::path(&["spf"]),
            here: vec!["spf".to_owned()],
            fields: &[Field::Domain, Field::Period],
        }),
        exports: vec![("JSON", api::link(here.ask, &["api", "v1", "inventory", "spf"]))],
        body: html! {
            @if answer.since.is_none() { (records::not_watched()) }
            div.record {
                div {
                    @if !answer.lines.is_empty() { (tree(here, answer)) }
                    (greetings(here, helo))
                }
                div {
                    @if let (Some(record), Some(proposal)) = (&answer.record, &answer.proposal) { (proposed(answer, record, proposal)) }
                    @else if let Some(record) = &answer.record { (as_it_is(record)) }
                    (records::remedies("h-do", "What to do", found(answer, helo)))
                    (beyond(here, answer))
                }
            }
        },
    };
    page.render(here.around, here.ask)
}

fn found<'a>(answer: &'a SpfInventory, helo: &'a HeloInventory) -> Vec<(String, &'a InventoryFinding)> {
    let of_record = answer.findings.iter().map(|finding| (answer.domain.clone(), finding));
    let of_terms = answer.lines.iter().flat_map(|line| line.findings.iter().map(|one| (line.term.clone(), one)));
    let of_names = helo.names.iter().flat_map(|line| line.findings.iter().map(|one| (line.name.clone(), one)));
    of_record.chain(of_terms).chain(of_names).filter(|(_, one)| one.weight != insight::Weight::Note).collect()
}

fn lead(answer: &SpfInventory) -> Markup {
    if answer.since.is_none() {
        return html! { "Nothing is known yet of the SPF record of " (text::text(&answer.domain)) "." };
    }
    if answer.record.is_none() {
        return html! { (text::text(&answer.domain)) " has " strong { "no SPF record" } "." };
    }
    let useless = answer.proposal.as_ref().map_or(0, |proposal| proposal.removed.len());
    html! {
        "The record costs " strong { (answer.lookups) " look-ups of " (answer.lookups_max) }
        @if answer.lookups > answer.lookups_max { ": receivers give up before its end, and met a permanent error on " strong { (count(answer.permerror)) " messages" } }
        ". "
        @match &answer.proposal {
            Some(proposal) => { strong { (counted(as_u64(useless), "term buys", "terms buy")) " nothing." } " Without " (if useless == 1 { "it" } else { "them" }) " the record costs " (proposal.lookups) "." },
            None => "Every term of it lets mail pass.",
        }
        @if answer.assumed { " For the days before the first look, the first record that is known was taken." }
    }
}

fn tree(here: Here<'_>, answer: &SpfInventory) -> Markup {
    let mut cut = false;
    let rows: Vec<(bool, &SpfLine)> = answer
        .lines
        .iter()
        // Of an included record only what passes counts: its end says nothing (RFC 7208 §5.2).
        .filter(|line| {
            line.depth == 0 || !line.term.trim_start_matches(['+', '-', '~', '?']).eq_ignore_ascii_case("all")
        })
        .map(|line| {
            let first = !cut && line.spent > answer.lookups_max;
            cut |= first;
            (first, line)
        })
        .collect();
    html! {
        section aria-labelledby="h-tree" {
            div.head {
                h2 id="h-tree" { "What it costs and what it buys" }
                @if let Some(days) = answer.days { span.aside { (super::length(days)) " of reports" } }
            }
            div.box.scroll {
                table.stack.tree {
                    caption.vh { "The terms in the order of evaluation" }
                    thead { tr {
                        th scope="col" { "Term" } th.num scope="col" { "Cost" } th scope="col" { "Spent so far" }
                        th.num scope="col" { "Messages" } th.num scope="col" { "Aligned" } th scope="col" { span.vh { "Findings" } }
                    } }
                    tbody {
                        @for (first_beyond, line) in rows {
                            @if first_beyond { tr.cut { th colspan="6" scope="rowgroup" { "Permanent error here: look-up " (answer.lookups_max + 1) ". Mail that matches nothing above has no SPF." } } }
                            (term(here, line))
                        }
                    }
                    tfoot { tr {
                        th scope="row" { "in all" } td.num data-l="look-ups" { (answer.lookups) } td { (answer.lookups) " of " (answer.lookups_max) }
                        td.num data-l="messages in our name" { (count(answer.messages)) } td.num { @if answer.voids > 0 { (answer.voids) " void" } } td {}
                    } }
                }
            }
            p.cap { "Messages in our name from addresses that a term lets pass, on the record of their day; aligned: of these, passed for " (text::text(&answer.domain)) " itself." }
        }
    }
}

fn term(here: Here<'_>, line: &SpfLine) -> Markup {
    let depth = line.depth.min(3);
    let class = if depth > 0 { format!("name i{depth}") } else { "name".to_owned() };
    // A network of the record can be looked at by itself.
    let network = line
        .term
        .trim_start_matches(['+', '?', '~', '-'])
        .split_once(':')
        .filter(|(name, _)| matches!(*name, "ip4" | "ip6"));
    let network = network.and_then(|(_, network)| insight::parse_network(network));
    html! {
        tr {
            th class=(class) scope="row" { span.term { (text::text(&line.term)) } }
            td.num data-l=(if line.cost == 1 { "look-up" } else { "look-ups" }) { (line.cost) }
            td { (pips(line)) }
            td.num data-l="messages" {
                @match (line.counted, network) {
                    (true, Some(network)) => a.n href=(links::sources(&links::from_network(here.scope(), network))) { (count(line.messages)) },
                    (true, None) => (count(line.messages)),
                    (false, _) => "",
                }
            }
            td.num data-l="aligned" { @if line.counted && line.messages > 0 { (percent_sign(line.aligned, line.messages)) } }
            td { (records::flags(&line.findings)) }
        }
    }
}

/// Look-ups spent up to a term, as squares: ten, a line, and what is beyond.
fn pips(line: &SpfLine) -> Markup {
    let about = format!("{} of 10 look-ups after this term", line.spent);
    let x = |n: usize| n * 8 + if n >= 10 { 4 } else { 0 };
    let class = |n: usize| match n + 1 {
        _ if n >= line.spent => "p",
        number if number > 10 => "over",
        number if number == line.spent && line.cost > 0 => "mine",
        _ => "used",
    };
    html! {
        svg.pips viewBox="0 0 104 10" role="img" aria-label=(about) {
            @for n in 0..PIPS { rect class=(class(n)) x=(format!("{}.5", x(n))) y="1.5" width="6" height="7" rx="1" {} }
            line.lim x1="81.7" x2="81.7" y1="0" y2="10" {}
        }
    }
}

fn as_it_is(record: &str) -> Markup {
    html! {
        section aria-labelledby="h-record" {
            div.head { h2 id="h-record" { "The record" } }
            div.box.pad { div.diff { span { (text::visible(record)) } } }
        }
    }
}

fn proposed(answer: &SpfInventory, record: &str, proposal: &SpfProposal) -> Markup {
    html! {
        section aria-labelledby="h-prop" {
            div.head { h2 id="h-prop" { "Without what buys nothing" } span.aside { "ask the owners of the terms before" } }
            div.box {
                div.pad { div.diff { del { "− " (text::visible(record)) } ins { "+ " (text::visible(&proposal.record)) } } }
                dl.facts {
                    div { dt { "Look-ups" } dd { (proposal.lookups) span.sub { " was " (answer.lookups) } } }
                    div { dt { "Bytes" } dd { (proposal.bytes) span.sub { " was " (answer.bytes) } } }
                    div { dt { "Room left" } dd { (answer.lookups_max.saturating_sub(proposal.lookups)) span.sub { " was " (answer.lookups_max.saturating_sub(answer.lookups)) } } }
                }
            }
            div.box.pad.replay {
                p { strong { (count(proposal.loses)) } " messages of the period would lose an aligned SPF pass." }
                p { strong { (count(proposal.loses_unaligned)) } " come from these addresses and never passed aligned: DMARC stays as it is for them." }
            }
        }
    }
}

fn greetings(here: Here<'_>, helo: &HeloInventory) -> Markup {
    html! {
        @if !helo.names.is_empty() {
            section aria-labelledby="h-helo" {
                div.head { h2 id="h-helo" { "Greetings" } span.aside { "bounces have no envelope sender: the name in HELO is checked" } }
                div.box.scroll {
                    table.stack {
                        caption.vh { "Names that hosts greet with, those without SPF first" }
                        thead { tr { th scope="col" { "Name" } th scope="col" { "Address" } th.num scope="col" { "Messages" } th.num scope="col" { "Pass" } th scope="col" { span.vh { "Findings" } } } }
                        tbody {
                            @for line in helo.names.iter().take(NAMES_MAX) {
                                tr {
                                    th.name scope="row" { code { (text::text(&line.name)) } }
                                    td { @if let Some(source) = line.sources.first() { (super::address(source.address, here.scope())) @if line.sources_total > 1 { span.sub { "and " (line.sources_total - 1) " more" } } } }
                                    td.num data-l="messages" { (count(line.messages)) }
                                    td.num data-l="pass" { (percent_sign(line.pass, line.messages)) }
                                    td { (records::flags(&line.findings)) }
                                }
                            }
                        }
                    }
                }
                @if helo.foreign > 0 { p.cap { (count(helo.foreign)) " more bounces were judged by somebody else's name: those cannot align." } }
            }
        }
    }
}

/// What the tree does not show.
fn beyond(here: Here<'_>, answer: &SpfInventory) -> Markup {
    html! {
        @if !answer.unexplained.is_empty() {
            section aria-labelledby="h-unexplained" {
                div.head { h2 id="h-unexplained" { "Passed, but not by the record" } span.aside { (counted(as_u64(answer.unexplained_total), "source", "sources")) } }
                div.box.scroll {
                    table.stack {
                        caption.vh { "Sources that pass in reports but not by the record of their day" }
                        thead { tr { th scope="col" { "Source" } th.num scope="col" { "Passed" } th scope="col" { "The record says" } } }
                        tbody { @for source in &answer.unexplained {
                            tr { th scope="row" { (super::address(source.address, here.scope())) } td.num data-l="passed" { (count(source.passed)) } td.wide.name { (text::text(&source.record_says)) } }
                        } }
                    }
                }
                p.cap { "A receiver that follows DNS late, one that does not count look-ups, or a record that changed in the middle of a day." }
            }
        }
        @if !answer.uncounted.is_empty() {
            section aria-labelledby="h-uncounted" {
                div.head { h2 id="h-uncounted" { "Not counted" } }
                ul.box.problems { @for term in &answer.uncounted { li { p { (text::code(&term.term)) " of " (text::text(&term.domain)) ": " (text::text(&term.why)) "." } } } }
            }
        }
        @if let (Some(at), Some(since)) = (answer.looked_at, answer.record_since) {
            p.cap { "This record was first seen on " (figures::day_year(report::Day::of(since))) "; DNS was last looked at " (moment(at)) ". " a href=(links::dns(&links::of_domain(here.scope(), &answer.domain))) { "Its history" } }
        }
    }
}
