//! `/dns`: what changed in our DNS, and when?

use std::collections::HashSet;

use insight::{DnsChange, DnsHistory, PublishedLine};
use maud::{Markup, html};
use store::PublishedState;

use super::{Here, as_u64, records};
use crate::api;
use crate::figures::{self, count, counted};
use crate::filters::{Field, Filters};
use crate::frame::{Page, Section, moment};
use crate::links;
use crate::text;
use crate::url::Url;

/// Changes shown; the rest is in the exports.
const CHANGES_MAX: usize = 200;
/// Lines shown.
const LINES_MAX: usize = 400;
/// Changes, and lines, that are shown at once; the rest is a click away.
const FIRST: usize = 25;

/// The page.
pub(crate) fn page(here: Here<'_>, answer: &DnsHistory) -> Markup {
    let page = Page {
        section: Section::Dns,
        title: "What changed in our DNS?".to_owned(),
        about: answer.domain.clone(),
        crumbs: vec![(html! { "DNS history" }, None)],
        lead: lead(answer),
        tabs: records::tabs(here.scope(), "DNS history"),
        filters: Some(Filters { action: Url::path(&["dns"]), here: vec!["dns".to_owned()], fields: &[Field::Domain] }),
        exports: vec![("CSV", here.ask.here(&["dns.csv"])), ("JSON", api::link(here.ask, &["api", "v1", "dns"]))],
        body: html! {
            @if answer.since.is_none() { (records::not_watched()) } @else {
                (changes(here, answer))
                (lines(answer))
            }
        },
    };
    page.render(here.around, here.ask)
}

fn lead(answer: &DnsHistory) -> Markup {
    html! {
        @match (answer.since, answer.looked_at) {
            (Some(since), Some(at)) => {
                @if answer.changes.is_empty() { "Nothing has changed" } @else { strong { (counted(as_u64(answer.changes.len()), "change", "changes")) } }
                " since " (figures::day_year(report::Day::of(since))) "; last looked at " (moment(at)) "."
            },
            _ => "Nothing is known yet of what is published.",
        }
    }
}

fn changes(here: Here<'_>, answer: &DnsHistory) -> Markup {
    // A link from the trend leads to the first change of its day.
    let mut days = HashSet::new();
    let shown: Vec<(bool, &DnsChange)> =
        answer.changes.iter().take(CHANGES_MAX).map(|change| (days.insert(change.day), change)).collect();
    let (first, rest) = shown.split_at(shown.len().min(FIRST));
    html! {
        @if !answer.changes.is_empty() {
            section aria-labelledby="h-changes" {
                div.head { h2 id="h-changes" { "Changes" } span.aside { "the newest first; each was published between the look before and this" } }
                div.box {
                    ul.problems { @for (begins, change) in first { (one(here, change, *begins)) } }
                    @if !rest.is_empty() {
                        details.why.pad {
                            summary { (counted(as_u64(rest.len()), "more", "more")) }
                            ul.problems { @for (begins, change) in rest { (one(here, change, *begins)) } }
                        }
                    }
                }
                @if answer.changes.len() > CHANGES_MAX { p.cap { "The newest " (CHANGES_MAX) ". The exports have all." } }
            }
        }
    }
}

fn one(here: Here<'_>, change: &DnsChange, begins: bool) -> Markup {
    let around =
        links::within(&links::of_domain(here.scope(), &change.domain), change.day.plus(-14), change.day.plus(14));
    html! {
        li id=[begins.then(|| format!("on-{}", change.day))] {
            p {
                a.n href=(links::trend(&around)) title="the trend around that day" { (figures::day_year(change.day)) } " "
                span.flag { (change.kind.label()) } " " (text::text(&change.what)) "."
                @if !change.own { " " span.flag.warn { "somebody else's record" } }
            }
            details.why {
                summary { "Before and after" }
                div.diff {
                    @if let Some(before) = &change.before { @for line in before.lines() { del { "− " (text::visible(line)) } } }
                    @if let Some(after) = &change.after { @for line in after.lines() { ins { "+ " (text::visible(line)) } } }
                    @else { ins { "nothing" } }
                }
            }
        }
    }
}

fn lines(answer: &DnsHistory) -> Markup {
    let shown = answer.lines.get(..LINES_MAX).unwrap_or(&answer.lines);
    let (first, rest) = shown.split_at(shown.len().min(FIRST));
    html! {
        section aria-labelledby="h-lines" {
            div.head { h2 id="h-lines" { "What stood where" } span.aside { "by name, the newest first" } }
            div.box.list {
                (table("Every answer that was seen, with when", first))
                @if !rest.is_empty() {
                    details.why.pad {
                        summary { (counted(as_u64(rest.len()), "more", "more")) }
                        (table("More answers", rest))
                    }
                }
            }
            @if answer.lines.len() > LINES_MAX { p.cap { "The first " (LINES_MAX) " of " (count(as_u64(answer.lines.len()))) ". Choose a domain to see all of it; the exports have everything." } }
        }
    }
}

fn table(caption: &str, lines: &[PublishedLine]) -> Markup {
    html! {
        table.stack.published {
            caption.vh { (caption) }
            thead { tr { th scope="col" { "Name" } th scope="col" { "For" } th scope="col" { "Seen from" } th scope="col" { "To" } th scope="col" { "Value" } } }
            tbody { @for line in lines { (row(line)) } }
        }
    }
}

fn row(line: &PublishedLine) -> Markup {
    html! {
        tr {
            th.name scope="row" { code { (text::text(&line.name)) } span.sub { (line.record_type) } }
            td { span.flag { (line.kind.label()) } }
            td.nowrap data-l="to" { (figures::day_year(report::Day::of(line.first_seen))) }
            td.nowrap { @if line.still { strong { "now" } span.sub { (figures::day_year(report::Day::of(line.last_seen))) } } @else { (figures::day_year(report::Day::of(line.last_seen))) } }
            td.wide.value {
                @match line.state {
                    PublishedState::Found => @for text in line.value.lines() { code { (text::cut(text, 90)) } br; },
                    PublishedState::Nothing => span.faint { "nothing" },
                    PublishedState::Failed => span.flag.warn { "DNS failed: " (text::text(&line.value)) },
                }
            }
        }
    }
}
