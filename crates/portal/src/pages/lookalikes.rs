//! `/lookalikes`: which names could be taken for ours? Those that exist with their score and its parts, those that were in our mail, and
//! what changed.
//!
//! In: `insight`'s answer. Out: markup. Nothing is looked up while a page is shown, and no name here is a link to where it leads.

use insight::{LookalikeChangeLine, LookalikeLine, Lookalikes, SeenLookalike};
use maud::{Markup, html};
use report::Day;

use super::{Here, as_u64, day};
use crate::api;
use crate::figures::{count, counted};
use crate::frame::{Page, Section, moment_near};
use crate::text;
use crate::url::Url;

/// Lines of a list that are shown at once; the rest is a click away.
const FIRST: usize = 25;
/// From so many points on a name deserves a look.
const HIGH: u8 = insight::LOOKALIKE_ALERT;

/// How looking is switched on.
const EXAMPLE: &str = "[lookalikes]\nwatch = true\ndomains = [\"example.com\"]\n";

/// The page.
pub(crate) fn page(here: Here<'_>, answer: &Lookalikes) -> Markup {
    let csv =
        Url::path(&["lookalikes.csv"]).with_all(here.scope().domain.as_ref().map(|name| ("domain", name.to_string())));
    let page = Page {
        section: Section::Lookalikes,
        title: "Which names could be taken for ours?".to_owned(),
        about: here.scope().domain.as_ref().map(ToString::to_string),
        crumbs: vec![(html! { "Look-alikes" }, None)],
        lead: lead(answer),
        tabs: vec![],
        filters: None,
        exports: vec![("CSV", csv), ("JSON", api::link(here.ask, &["api", "v1", "lookalikes"]))],
        body: html! {
            @if answer.watched.is_empty() && answer.lines.is_empty() { (how_to()) }
            @else { (existing(here, &answer.lines)) }
            (in_mail(here, &answer.in_mail))
            @if !answer.changes.is_empty() { (changes(here, &answer.changes)) }
            @if !answer.watched.is_empty() { (watched(here, answer)) }
        },
    };
    page.render(here.around, here.ask)
}

fn lead(answer: &Lookalikes) -> Markup {
    let exist = answer.lines.iter().filter(|line| line.state.is_some()).count();
    let high = answer.lines.iter().filter(|line| line.state.is_some() && line.score >= HIGH).count();
    html! {
        @if exist == 0 && answer.watched.is_empty() { "Nobody has looked yet which names exist that could be taken for ours. " }
        @else if exist == 0 { "None of the names that were looked at exists. " }
        @else {
            strong { (counted(as_u64(exist), "name", "names")) } " that could be taken for ours " @if exist == 1 { "exists. " } @else { "exist. " }
            @if high == 0 { @if exist == 1 { "It does not stand out. " } @else { "None of them stands out. " } }
            @else if high == 1 { strong { "One" } " deserves a look: it looks like ours and is set up for mail, is new, or was in our mail. " }
            @else { strong { (count(as_u64(high))) } " deserve a look: they look like ours and are set up for mail, are new, or were in our mail. " }
        }
        @match answer.in_mail.len() {
            0 => "None was seen in the mail that reports tell of.",
            1 => { strong { "One" } " was seen in the mail that reports tell of." },
            n => { strong { (count(as_u64(n))) } " were seen in the mail that reports tell of." },
        }
    }
}

fn how_to() -> Markup {
    html! {
        section aria-labelledby="h-how" {
            div.head { h2 id="h-how" { "Switch it on" } }
            div.box.pad {
                p { "A name has thousands of look-alikes, and nearly none of them exists. Which do, only DNS can say, and nothing is asked of it unless you want it: in lamppost.toml" }
                pre.example { (EXAMPLE) }
                p { "or once, by hand: " code { "lamppost lookalikes example.com --resolve --keep" } "." }
            }
        }
    }
}

fn existing(here: Here<'_>, lines: &[LookalikeLine]) -> Markup {
    let (first, rest) = lines.split_at(lines.len().min(FIRST));
    html! {
        section aria-labelledby="h-exist" {
            div.head { h2 id="h-exist" { "Those that exist" } span.aside { "highest score first; from " (HIGH) " on worth a look" } }
            div.box.list {
                @if first.is_empty() { p.pad.faint { "None of the names that were looked at exists." } }
                @else { (names(here, "Names that exist", first)) }
                @if !rest.is_empty() {
                    details.why.pad {
                        summary { (counted(as_u64(rest.len()), "more", "more")) }
                        (names(here, "More names that exist", rest))
                    }
                }
            }
        }
    }
}

fn names(here: Here<'_>, caption: &str, lines: &[LookalikeLine]) -> Markup {
    html! {
        table.stack {
            caption.vh { (caption) }
            thead { tr {
                th scope="col" { "Name" } th.num scope="col" { "Score" } th scope="col" { "In DNS" } th scope="col" { "Like" } th.num scope="col" { "First seen" }
            } }
            tbody { @for line in lines { (row(here, line)) } }
        }
    }
}

fn row(here: Here<'_>, line: &LookalikeLine) -> Markup {
    html! {
        tr {
            th.name scope="row" {
                (text::cut(&line.unicode, 60))
                @if line.unicode != line.name { span.sub { (text::cut(&line.name, 70)) } }
                span.sub { (text::cut(&line.families.join(", "), 200)) }
            }
            td.num data-l="score" { @if line.score >= HIGH { strong { (line.score) } } @else { (line.score) } }
            td.wide {
                (in_dns(line))
                details.why {
                    summary { "Why, and what to do" }
                    div.reason { (reasons(line)) }
                }
            }
            td data-l="is imitated" { (text::cut(&line.domain, 60)) }
            td.num data-l="first seen" {
                @if let Some(first) = line.first_seen { (seen_day(here, first)) }
                @if line.appeared { span.sub { "not there before" } }
            }
        }
    }
}

/// What its score is made of, what to do about it, and what it publishes.
fn reasons(line: &LookalikeLine) -> Markup {
    let (counts, others): (Vec<_>, Vec<_>) = line.parts.iter().partition(|part| part.points > 0);
    html! {
        p {
            strong { (line.score) " points" } ": "
            @for (index, part) in counts.iter().enumerate() { @if index > 0 { ", " } (text::text(&part.what)) " " (part.points) }
            @for part in &others { "; " span.faint { (text::text(&part.what)) } }
            "."
        }
        ul.steps { @for action in &line.actions { li { (text::told(action, 300)) } } }
        @if let Some(state) = &line.state {
            dl.kv {
                @if let Some(spf) = &state.spf { dt { "SPF" } dd { code { (text::cut(spf, 200)) } } }
                @if let Some(dmarc) = &state.dmarc { dt { "DMARC" } dd { code { (text::cut(dmarc, 200)) } } }
                @if !state.ns.is_empty() { dt { "Name servers" } dd { (text::cut(&state.ns.join(", "), 200)) } }
            }
        }
    }
}

fn in_dns(line: &LookalikeLine) -> Markup {
    html! {
        @match &line.state {
            None => span.faint { "gone" },
            Some(state) => {
                @if state.mx.is_empty() { "no mail" } @else { "mail by " (text::cut(&state.mx.join(", "), 80)) }
                @if state.web { " · has addresses" }
                @if line.in_mail { " · " strong { "in our mail" } }
            },
        }
    }
}

fn seen_day(here: Here<'_>, at: i64) -> String {
    day(Day::of(at), here.around.days.map(|(_, last)| last))
}

fn how(word: &str) -> &'static str {
    match word {
        "domain-inside" => "our whole domain stands within it",
        "same-look" => "looks the same",
        "slip" => "a slip away",
        "with-word" => "our name with a word that lures",
        _ => "our name with another ending",
    }
}

/// Where a name stood.
fn stood(place: &str) -> &'static str {
    match place {
        "envelope" => "envelope sender",
        "dkim" => "signature",
        "spf" => "SPF",
        "link" => "link in a message",
        _ => "failure report",
    }
}

fn in_mail(here: Here<'_>, lines: &[SeenLookalike]) -> Markup {
    html! {
        section aria-labelledby="h-mail" {
            div.head { h2 id="h-mail" { "Seen in our mail" } span.aside { "envelopes, signatures and links that reports tell of, 90 days" } }
            div.box.list {
                @if lines.is_empty() { p.pad.faint { "No name in the mail that reports tell of imitates ours." } }
                @else {
                    table.stack {
                        caption.vh { "Names in our mail that imitate ours" }
                        thead { tr { th scope="col" { "Name" } th scope="col" { "Like" } th scope="col" { "How" } th.num scope="col" { "Messages" } th.num scope="col" { "Last" } } }
                        tbody { @for line in lines.iter().take(FIRST) {
                            tr {
                                th.name scope="row" { (text::cut(&line.name, 70)) @if line.name != line.lookalike { span.sub { "registered: " (text::cut(&line.lookalike, 60)) } } }
                                td data-l="is imitated" { (text::cut(&line.domain, 60)) }
                                td.wide { (how(&line.how)) span.sub { (line.places.iter().map(|place| stood(place)).collect::<Vec<_>>().join(", ")) } }
                                td.num data-l="messages" { (count(line.messages)) }
                                td.num data-l="last" { (day(line.last_day, here.around.days.map(|(_, last)| last))) }
                            }
                        } }
                    }
                    @if lines.len() > FIRST { p.pad.small.faint { "These are " (count(as_u64(FIRST))) " of " (count(as_u64(lines.len()))) "; JSON has all." } }
                }
            }
        }
    }
}

fn changes(here: Here<'_>, lines: &[LookalikeChangeLine]) -> Markup {
    html! {
        section aria-labelledby="h-changes" {
            div.head { h2 id="h-changes" { "What changed" } span.aside { "the newest first" } }
            div.box.list {
                table.stack {
                    caption.vh { "Changes" }
                    thead { tr { th scope="col" { "Name" } th scope="col" { "What" } th.num scope="col" { "Score" } th.num scope="col" { "Seen" } } }
                    tbody { @for line in lines.iter().take(FIRST) {
                        tr {
                            th.name scope="row" { (text::cut(&line.unicode, 60)) span.sub { "like " (text::cut(&line.domain, 60)) } }
                            td.wide { @if line.alert { strong { (text::text(&line.what)) } } @else { (text::text(&line.what)) } }
                            td.num data-l="score" { (line.score) }
                            td.num data-l="seen" { (moment_near(line.at, here.around.now)) }
                        }
                    } }
                }
            }
        }
    }
}

fn watched(here: Here<'_>, answer: &Lookalikes) -> Markup {
    html! {
        section aria-labelledby="h-watched" {
            div.head { h2 id="h-watched" { "How far looking has come" } }
            div.box {
                dl.facts {
                    @for pass in &answer.watched {
                        div {
                            dt { (text::cut(&pass.domain, 60)) }
                            dd {
                                @if pass.place > 0 { (count(pass.place)) " of this pass" } @else { "all looked at" }
                                span.sub { (counted(pass.passes, "whole pass", "whole passes")) " · last " (moment_near(pass.looked_at, here.around.now)) }
                            }
                        }
                    }
                }
            }
            p.cap { "Names that exist are looked at once a day, all others once a week. Certificates and lists of domains are not looked up, and do not count." }
        }
    }
}
