//! `/reports/sources`: do all our reports come in? Each source of reports, how it fares, and what to do where it does not.
//!
//! In: how the sources fare, as the program that serves the portal tells it. Out: markup. Addresses are shown, secrets never come here.

use maud::{Markup, html};

use super::{Here, arrivals, as_u64};
use crate::api;
use crate::draw::{State, state};
use crate::figures::{self, count, counted};
use crate::frame::{Page, Section, moment_near};
use crate::links;
use crate::program::{Activity, Collecting, Mishap, SourceHealth};
use crate::text;

/// A source without anything new for so long is worth a look: reports come every day.
const QUIET_SECONDS: i64 = 2 * 86_400;
/// Refusals of one source that are shown; all are in the list of what was rejected.
const REFUSALS_MAX: usize = 10;

/// A mailbox and a folder, as they stand in the configuration.
const EXAMPLE: &str = "\
[[source.imap]]
name = \"mailbox\"
host = \"imap.example.com\"
user = \"dmarc-reports@example.com\"
password = { file = \"/run/secrets/imap\" }

[[source.folder]]
name = \"drop\"
path = \"/srv/reports\"
";

/// The page.
pub(crate) fn page(here: Here<'_>, answer: &Collecting) -> Markup {
    let page = Page {
        section: Section::Reports,
        title: "Do all our reports come in?".to_owned(),
        about: None,
        crumbs: vec![(html! { "Reports" }, Some(links::reports(here.scope()))), (html! { "Sources of reports" }, None)],
        lead: lead(here, answer),
        tabs: arrivals::tabs(here, "Sources of reports"),
        filters: None,
        exports: vec![],
        body: html! {
            @if answer.sources.is_empty() { (how_to()) }
            @else {
                (waiting(here, answer))
                section aria-labelledby="h-sources" {
                    div.head { h2 id="h-sources" { "Sources" } span.aside { "since the program started · " a href=(api::link(here.ask, &["api", "v1", "collecting"])) { "JSON" } } }
                    div.box.scroll { (table(here, answer)) }
                }
                (trouble(here, answer))
            }
        },
    };
    page.render(here.around, here.ask)
}

/// How a source fares, in a word.
fn standing(source: &SourceHealth, now: i64) -> (State, &'static str) {
    let quiet = source.last_item.is_some_and(|at| now.saturating_sub(at) > QUIET_SECONDS);
    match source.activity {
        Activity::Failing => (State::Act, "Fails"),
        Activity::Stopped => (State::Watch, "Stopped"),
        Activity::Starting => (State::Unknown, "Starts"),
        Activity::Waiting if quiet => (State::Watch, "Quiet"),
        Activity::Waiting => (State::Healthy, "Waits"),
        Activity::Working => (State::Healthy, "Works"),
    }
}

fn lead(here: Here<'_>, answer: &Collecting) -> Markup {
    let now = here.around.now;
    let failing: Vec<_> = answer.sources.iter().filter(|source| source.activity == Activity::Failing).collect();
    let newest = answer.sources.iter().filter_map(|source| source.last_item).max();
    let stuck = answer.taking.as_ref().is_some_and(|taking| taking.activity == Activity::Failing);
    html! {
        @if answer.sources.is_empty() {
            "Reports come in when somebody runs " code { "lamppost import" } ": no source is configured from which they arrive by themselves."
        } @else {
            @if failing.is_empty() {
                "Nothing fails: " strong { (counted(as_u64(answer.sources.len()), "source", "sources")) } @if answer.sources.len() == 1 { " is" } @else { " are" } " at work. "
            } @else {
                strong { (count(as_u64(failing.len()))) " of " (counted(as_u64(answer.sources.len()), "source", "sources")) } @if failing.len() == 1 { " fails" } @else { " fail" } ": "
                @for (index, source) in failing.iter().enumerate() { @if index > 0 { ", " } strong { (source.name) } }
                ". It is tried again by itself, every five minutes at most. "
            }
            @if stuck { "What arrives is safe, but " strong { "cannot be taken into the ledger" } ". " }
            @match newest {
                Some(at) => { "Something new last came " (ago(at, now)) "." },
                None => "Nothing new has come since the program started.",
            }
        }
    }
}

/// How long ago something was.
fn ago(at: i64, now: i64) -> String {
    let seconds = u64::try_from(now.saturating_sub(at)).unwrap_or(0);
    let (number, one, many) = match seconds {
        0..=89 => return "just now".to_owned(),
        90..=5_399 => ((seconds + 30) / 60, "minute", "minutes"),
        5_400..=172_799 => ((seconds + 1_800) / 3_600, "hour", "hours"),
        _ => ((seconds + 43_200) / 86_400, "day", "days"),
    };
    format!("{} ago", counted(number, one, many))
}

/// What has been kept and waits to be counted.
fn waiting(here: Here<'_>, answer: &Collecting) -> Markup {
    let of = |number: fn(&SourceHealth) -> u64| answer.sources.iter().map(number).fold(0, u64::saturating_add);
    html! {
        section aria-labelledby="h-pipe" {
            h2.vh id="h-pipe" { "What came" }
            div.box {
                dl.facts {
                    div { dt { "Items taken" } dd { (count(of(|s| s.items))) span.sub { (figures::bytes(of(|s| s.bytes))) } } }
                    div { dt { "Came before" } dd { (count(of(|s| s.repeated))) span.sub { "the same bytes; counted once" } } }
                    div { dt { "Refused or put aside" } dd { a.n href=(crate::url::Url::path(&["reports", "rejected"])) { (count(of(|s| s.refused).saturating_add(answer.taking.as_ref().map_or(0, |taking| taking.refused)))) } span.sub { "each with its reason" } } }
                    div { dt { "Kept, not yet counted" } dd { (count(answer.backlog)) span.sub { "on disk; a matter of seconds" } } }
                    @if let Some(taking) = &answer.taking {
                        div { dt { "Taking in" } dd { span.small { (state(standing(taking, here.around.now).0, if taking.activity == Activity::Failing { "Fails" } else { "In order" })) } @if let Some(at) = taking.last_success { span.sub { (ago(at, here.around.now)) } } } }
                    }
                }
            }
        }
    }
}

fn table(here: Here<'_>, answer: &Collecting) -> Markup {
    html! {
        table.stack {
            caption.vh { "Sources of reports" }
            thead {
                tr {
                    th scope="col" { "Source" }
                    th scope="col" { "State" }
                    th scope="col" { abbr title="when it last looked into its mailbox or folder, or took an item" { "Got through" } }
                    th scope="col" { "Last new item" }
                    th.num scope="col" { abbr title="items that wait at the source, where that can be seen" { "Waiting" } }
                    th.num scope="col" { "Items" }
                    th.num scope="col" { "Bytes" }
                    th.num scope="col" { abbr title="items whose bytes had come before: counted once" { "Again" } }
                    th.num scope="col" { "Refused" }
                    th.num scope="col" { "Failures" }
                }
            }
            tbody { @for source in &answer.sources { (row(here, source)) } }
        }
    }
}

fn row(here: Here<'_>, source: &SourceHealth) -> Markup {
    let now = here.around.now;
    let (how, word) = standing(source, now);
    let when = |at: Option<i64>| {
        html! {
            @match at {
                Some(at) => { (ago(at, now)) span.sub.hide-s { (moment_near(at, now)) } },
                None => span.faint { "not yet" },
            }
        }
    };
    let number = |n: u64| html! { @if n == 0 { (super::none()) } @else { (count(n)) } };
    html! {
        tr {
            th.name scope="row" { (source.name) span.sub { (source.kind) @if !source.endpoint.is_empty() { " · " (text::cut(&source.endpoint, 90)) } } }
            td { (state(how, word)) }
            td data-l="got through" { (when(source.last_success)) }
            td data-l="last new item" { (when(source.last_item)) }
            td.num data-l="waiting" { @match source.backlog { Some(waiting) => (count(waiting)), None => abbr.faint title="cannot be seen from here" { "—" } } }
            td.num data-l="items" { (number(source.items)) }
            td.num data-l="data" { @if source.bytes > 0 { (figures::bytes(source.bytes)) } @else { (super::none()) } }
            td.num data-l="repeats" { (number(source.repeated)) }
            td.num data-l="refused" { (number(source.refused)) }
            td.num data-l="failures" { (number(source.errors)) }
        }
    }
}

/// What went wrong, newest first, and what to do.
fn trouble(here: Here<'_>, answer: &Collecting) -> Markup {
    let with_trouble = answer.sources.iter().chain(&answer.taking);
    let with_trouble: Vec<_> = with_trouble.filter(|s| s.last_error.is_some() || !s.refusals.is_empty()).collect();
    html! {
        @if !with_trouble.is_empty() {
            section aria-labelledby="h-trouble" {
                div.head { h2 id="h-trouble" { "What went wrong" } span.aside { "the log has every failure" } }
                div.box.list {
                    @for source in with_trouble { (of_source(here, source)) }
                }
            }
        }
    }
}

fn of_source(here: Here<'_>, source: &SourceHealth) -> Markup {
    let failing = source.activity == Activity::Failing;
    let line = |mishap: &Mishap| html! { span.faint { (moment_near(mishap.at, here.around.now)) " " } (text::cut(&mishap.message, 400)) };
    html! {
        div.pad.trouble {
            h3 { @if source.kind == "ledger" { "Taking into the ledger" } @else { (source.name) } }
            @if let Some(error) = &source.last_error {
                p { (line(error)) }
                p.small.faint {
                    @if failing { (remedy(&source.kind)) }
                    @else { "That is over: it has got through since, or tries again in a moment." }
                }
            }
            @if !source.refusals.is_empty() {
                details.why {
                    summary { (counted(source.refused, "item", "items")) " refused or put aside" }
                    ul.mishaps { @for mishap in source.refusals.iter().take(REFUSALS_MAX) { li { (line(mishap)) } } }
                    p.small.faint {
                        @if source.refusals.len() > REFUSALS_MAX || source.refused > as_u64(source.refusals.len()) { "These are the newest. " }
                        "Whatever was kept is listed under " a href=(crate::url::Url::path(&["reports", "rejected"])) { "Rejected" } "; what was refused at the door comes again."
                    }
                }
            }
        }
    }
}

/// What to look at where a source of this kind fails.
fn remedy(kind: &str) -> Markup {
    match kind {
        "imap" => {
            html! { "Look at " code { "host" } ", " code { "user" } " and " code { "password" } " or " code { "oauth" } " of this " code { "[[source.imap]]" } "; secrets are read again with every attempt, so a new one needs no restart." }
        }
        "folder" => {
            html! { "Look at whether the folder is there, and whether the program may read it and move files in it." }
        }
        "s3" => {
            html! { "Look at endpoint, bucket and credentials of this " code { "[[source.s3]]" } ", and at what they are allowed." }
        }
        "ledger" => {
            html! { "Nothing is lost: raw copies are on disk and are taken in as soon as this is mended. Look at the disk of the data directory: room, permissions, errors in the system's log." }
        }
        _ => html! { "Look at address and port, and at the certificate where there is one; the log says more." },
    }
}

/// How reports can arrive by themselves.
fn how_to() -> Markup {
    html! {
        section aria-labelledby="h-how" {
            div.head { h2 id="h-how" { "Let them arrive by themselves" } }
            div.box.pad {
                p { "Name where they are in " code { "lamppost.toml" } " and start " code { "lamppost serve" } " anew. A mailbox and a watched folder, for example:" }
                pre.example { (EXAMPLE) }
                p.cap { "SMTP, LMTP and HTTP can be handed reports as well: " code { "lamppost config reference" } " prints every key with its default, " code { "lamppost config check" } " says whether yours are in order." }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_from_now() {
        let cases = [
            (0, "just now"),
            (89, "just now"),
            (90, "2\u{a0}minutes ago"),
            (5_399, "90\u{a0}minutes ago"),
            (5_400, "2\u{a0}hours ago"),
            (172_799, "48\u{a0}hours ago"),
            (172_800, "2\u{a0}days ago"),
            (-5, "just now"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(ago(1_000_000, 1_000_000 + seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn a_source_is_judged_by_what_it_does_and_when_something_came() {
        let cases = [
            ("it fails", Activity::Failing, Some(0), State::Act),
            ("it waits, something came", Activity::Waiting, Some(0), State::Healthy),
            ("it waits, nothing came for days", Activity::Waiting, Some(QUIET_SECONDS + 1), State::Watch),
            ("it waits, nothing came yet", Activity::Waiting, None, State::Healthy),
            ("it works on what came late", Activity::Working, Some(QUIET_SECONDS + 1), State::Healthy),
            ("it has not begun", Activity::Starting, None, State::Unknown),
            ("it was stopped", Activity::Stopped, Some(0), State::Watch),
        ];
        for (why, activity, age, expected) in cases {
            let source =
                SourceHealth { activity, last_item: age.map(|age| 10_000_000 - age), ..SourceHealth::new("a", "imap") };
            assert_eq!(standing(&source, 10_000_000).0, expected, "{why}");
        }
    }
}
