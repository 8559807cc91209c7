//! `/reputation`: what is known of the sources that fail? Failing sources with a good reputation beside those with a bad one, each with its
//! evidence; and what the grades rest on.
//!
//! In: `insight`'s answer, and how learning goes. Out: markup. Nothing is looked up while a page is shown.

use insight::{GradedSource, Profile, Reputation};
use maud::{Markup, html};

use super::{Here, as_u64, behind, days_between, strong};
use crate::api;
use crate::draw::{self, State, state};
use crate::figures::{self, count, counted, per_day, percent_sign};
use crate::filters::{self, Filters};
use crate::frame::{Page, Section, moment_near};
use crate::links;
use crate::program::{FileState, Learning, ListState};
use crate::text;
use crate::url::Url;

const PATH: &[&str] = &["reputation"];

/// Lines of each side that are shown at once; the rest is a click away.
const FIRST: usize = 12;

/// The page.
pub(crate) fn page(here: Here<'_>, answer: &Reputation, learning: Option<&Learning>) -> Markup {
    let page = Page {
        section: Section::Lists,
        title: "What is known of the sources that fail?".to_owned(),
        about: here.scope().domain.as_ref().map(ToString::to_string),
        crumbs: vec![(html! { "Two lists" }, Some(links::lists(here.scope()))), (html! { "By address" }, None)],
        lead: lead(here, answer),
        tabs: tabs(here, "By address"),
        filters: Some(Filters { action: Url::path(PATH), here: vec!["reputation".to_owned()], fields: filters::ALL }),
        exports: vec![("JSON", api::link(here.ask, &["api", "v1", "reputation"]))],
        body: html! {
            (super::cut_period(here))
            @if answer.sources == 0 { (super::nothing(here, PATH, "failing sources")) }
            @else {
                (bands(here, answer))
                div.two {
                    (side(here, &Side { id: "h-good", title: "Good, and fails", aside: "best first: may be worth saving", lines: &answer.good, all: of_band(answer, "good").0, none: "No failing source has a good reputation." }))
                    (side(here, &Side { id: "h-bad", title: "Bad, and fails", aside: "worst first: likely spoofed", lines: &answer.bad, all: of_band(answer, "suspicious").0, none: "No failing source has a bad reputation." }))
                }
            }
            (known(here, answer, learning))
        },
    };
    page.render(here.around, here.ask)
}

/// What fails, flow by flow and address by address.
pub(super) fn tabs(here: Here<'_>, current: &str) -> Vec<(&'static str, Url, bool)> {
    let scope = here.scope();
    vec![
        ("By flow", links::lists(scope), current == "By flow"),
        ("By address", links::reputation(scope), current == "By address"),
    ]
}

/// Sources of a band, and their failing messages.
fn of_band(answer: &Reputation, band: &str) -> (usize, u64) {
    answer.bands.iter().find(|line| line.band == band).map_or((0, 0), |line| (line.sources, line.failing))
}

fn lead(here: Here<'_>, answer: &Reputation) -> Markup {
    let days = answer.days.map_or(1, days_between);
    let failing = links::sources(&links::failing(here.scope()));
    let ((_, good), (_, bad)) = (of_band(answer, "good"), of_band(answer, "suspicious"));
    let ungraded = of_band(answer, "new").0;
    html! {
        @if answer.sources == 0 { "Nothing fails here, so nothing has to be told apart." }
        @else if good == 0 && bad == 0 {
            "Nothing is known yet about the " (strong(&failing, &counted(as_u64(answer.sources), "source", "sources"))) " that fail."
        } @else {
            "Of what fails, " strong { (per_day(good, days)) } " messages a day come from sources with a good reputation and "
            strong { (per_day(bad, days)) } " from such with a bad one. "
            @if ungraded * 4 > answer.looked_at { "Of many nothing was learned yet. " }
            "What that means for a stricter policy is said by the " a href=(links::lists(here.scope())) { "two lists" } "."
        }
    }
}

/// Failing messages by band.
fn bands(here: Here<'_>, answer: &Reputation) -> Markup {
    let all: u64 = answer.bands.iter().fold(0, |sum, line| sum.saturating_add(line.failing));
    html! {
        section aria-labelledby="h-bands" {
            h2.vh id="h-bands" { "Failing messages by reputation" }
            div.box {
                dl.facts {
                    @for line in &answer.bands {
                        div {
                            dt { (band(&line.band)) }
                            dd { (count(line.failing)) span.sub { (percent_sign(line.failing, all)) " · " (counted(as_u64(line.sources), "source", "sources")) } }
                        }
                    }
                }
            }
            p.cap {
                @if answer.looked_at < answer.sources {
                    "The " (count(as_u64(answer.looked_at))) " that fail most of " (counted(as_u64(answer.sources), "source", "sources")) ": "
                    (percent_sign(all, answer.failing)) " of all failing messages. "
                }
                a href=(links::sources(&links::failing(here.scope()))) { "All sources that fail" }
            }
        }
    }
}

/// What a band is called.
fn band(word: &str) -> &'static str {
    match word {
        "good" => "Good, or a forwarder",
        "neutral" => "Known, neither good nor bad",
        "suspicious" => "Bad",
        "new" => "Nothing learned yet",
        _ => "Could not be learned",
    }
}

/// One of the two lists.
struct Side<'a> {
    id: &'static str,
    title: &'static str,
    aside: &'static str,
    lines: &'a [GradedSource],
    /// Sources of this side among those looked at.
    all: usize,
    none: &'static str,
}

fn side(here: Here<'_>, side: &Side<'_>) -> Markup {
    let (first, rest) = side.lines.split_at(side.lines.len().min(FIRST));
    html! {
        section aria-labelledby=(side.id) {
            div.head { h2 id=(side.id) { (side.title) } span.aside { (side.aside) } }
            div.box.list {
                @if first.is_empty() { p.pad.faint { (side.none) } }
                @else { (lines(here, side.title, first)) }
                @if !rest.is_empty() {
                    details.why.pad {
                        summary { (counted(as_u64(rest.len()), "more", "more")) }
                        (lines(here, "More of them", rest))
                    }
                }
                @if side.all > side.lines.len() { p.pad.small.faint { "These are " (count(as_u64(side.lines.len()))) " of " (count(as_u64(side.all))) "." } }
            }
        }
    }
}

fn lines(here: Here<'_>, caption: &str, lines: &[GradedSource]) -> Markup {
    html! {
        table.stack.graded {
            caption.vh { (caption) }
            thead { tr { th scope="col" { "Source" } th scope="col" { "Reputation" } th.num scope="col" { "Fail" } th.num scope="col" { "Last" } } }
            tbody { @for line in lines { (row(here, line)) } }
        }
    }
}

fn row(here: Here<'_>, line: &GradedSource) -> Markup {
    let full = if line.address.is_ipv4() { 32 } else { 128 };
    let scope = links::from_network(here.scope(), (line.address, full));
    let failing = links::failing(&scope);
    let profile = &line.profile;
    html! {
        tr {
            th.name scope="row" {
                (super::address(line.address, here.scope()))
                span.sub {
                    @if let Some(name) = behind::name(profile) { (text::cut(name, 60)) }
                    @else if let Some(claimed) = profile.claimed.first() { "claims " (text::cut(claimed, 60)) }
                    @else { "no name" }
                }
            }
            td.wide {
                @match profile.grade {
                    Some(grade) => { (draw::grade(grade, true)) " " strong { (figures::signed(grade)) } },
                    None => span.faint { "by its name alone" @if let Some(code) = &profile.name_grade { " (" (code) ")" } },
                }
                @if profile.evidence.is_empty() {
                    @if let Some(why) = &profile.name_reason { span.sub { (text::cut(why, 160)) } }
                } @else { (evidence(profile)) }
            }
            td.num data-l="fail" { (super::n(&links::rows(&failing), line.failing)) }
            td.num data-l="last" { (super::day(line.last_day, here.around.days.map(|(_, last)| last))) }
        }
    }
}

/// The evidence, on demand; a list, because a column is narrow.
fn evidence(profile: &Profile) -> Markup {
    html! {
        details.why {
            summary { "Why?" }
            ul.mishaps {
                @for one in &profile.evidence {
                    li {
                        strong { (figures::signed(one.value)) } " " (text::text(&one.source)) ": " (text::cut(&one.detail, 160))
                        span.faint { ", " (figures::day_year(one.day)) @if one.hard { "; nothing outweighs it" } }
                    }
                }
            }
        }
    }
}

/// What the grades rest on, and how complete they are.
fn known(here: Here<'_>, answer: &Reputation, learning: Option<&Learning>) -> Markup {
    html! {
        section aria-labelledby="h-known" {
            div.head { h2 id="h-known" { "What the grades rest on" } span.aside { "nothing is looked up while you look" } }
            div.box.pad {
                dl.kv {
                    dt { "Profiles" }
                    dd { (profiles(answer)) }
                    dt { "Learning" }
                    dd { (progress(here, learning)) }
                    @if !answer.gaps.is_empty() {
                        dt { "Not learned" }
                        dd {
                            details.why {
                                summary { (counted(as_u64(answer.gaps.len()), "reason", "reasons")) }
                                ul.mishaps { @for gap in &answer.gaps { li { (counted(as_u64(gap.sources), "source", "sources")) ": " (text::cut(&gap.gap, 200)) } } }
                            }
                        }
                    }
                }
            }
        }
        @if let Some(learning) = learning.filter(|learning| learning.enabled) { (evidence_sources(here, learning)) }
    }
}

/// How many have one, and how old these are.
fn profiles(answer: &Reputation) -> Markup {
    let without = of_band(answer, "new").0;
    let with = answer.looked_at.saturating_sub(without);
    html! {
        (count(as_u64(with))) " of " (counted(as_u64(answer.looked_at), "failing source", "failing sources")) " have one"
        @if without > 0 { ", " (count(as_u64(without))) " none yet" }
        @match (answer.oldest, answer.newest) {
            (Some(oldest), Some(newest)) if oldest == newest => { span.sub { "learned on " (figures::day_year(newest)) } },
            (Some(oldest), Some(newest)) => { span.sub { "learned between " (figures::day_year(oldest)) " and " (figures::day_year(newest)) "; renewed after 30 days" } },
            _ => {},
        }
    }
}

fn progress(here: Here<'_>, learning: Option<&Learning>) -> Markup {
    let now = here.around.now;
    html! {
        @match learning {
            Some(learning) if learning.enabled => {
                @if let Some(problem) = &learning.problem { div { (state(State::Act, "Fails")) " " (text::cut(problem, 300)) } }
                @if learning.running { (count(learning.done)) " of " (counted(learning.sources, "new source", "new sources")) " done" }
                @else if let Some(ended) = learning.ended {
                    "last " (moment_near(ended, now)) ": " (counted(learning.done, "source", "sources"))
                    @if let Some(next) = learning.next { ", next " (moment_near(next, now)) }
                }
                @else if learning.problem.is_none() { "about to begin" }
                @if learning.with_gaps > 0 { span.sub { "about " (count(learning.with_gaps)) " of them something could not be learned" } }
            },
            _ => span.faint { "switched off here: " code { "lamppost enrich" } " does it at once, and " code { "lamppost serve" } " once an hour with " code { "enrichment.enabled = true" } },
        }
    }
}

/// Lists and files with their state.
fn evidence_sources(here: Here<'_>, learning: &Learning) -> Markup {
    let files: Vec<(&FileState, &'static str)> = learning
        .files
        .iter()
        .map(|file| (file, "list of networks"))
        .chain(learning.networks.iter().map(|file| (file, "networks and countries")))
        .collect();
    html! {
        section aria-labelledby="h-lists" {
            div.head { h2 id="h-lists" { "Lists and files" } span.aside { "your own reports always count beside these" } }
            div.box.scroll {
                @if learning.lists.is_empty() && files.is_empty() {
                    p.pad.faint { "None: grades rest on your own reports alone. Name lists as files under " code { "[[enrichment.file]]" } "; lists over DNS are printed with their terms by " code { "lamppost config lists" } "." }
                } @else {
                    table.stack {
                        caption.vh { "Lists over DNS, and files" }
                        thead { tr { th scope="col" { "List" } th scope="col" { "State" } th.num scope="col" { "Today" } th.num scope="col" { abbr title="questions that may be sent on one day" { "Budget" } } th.num scope="col" { "Entries" } th scope="col" { "Passed over" } } }
                        tbody {
                            @for list in &learning.lists { (list_row(here, list)) }
                            @for (file, what) in files { (file_row(file, what)) }
                        }
                    }
                }
            }
        }
    }
}

fn list_row(here: Here<'_>, list: &ListState) -> Markup {
    let (how, word) = match list.state.as_str() {
        "ready" if list.questions_today >= list.questions_daily => (State::Watch, "Budget spent"),
        "ready" => (State::Healthy, "Tested"),
        "off" => (State::Watch, "Off"),
        "testing" => (State::Unknown, "Being tested"),
        _ => (State::Unknown, "Not asked yet"),
    };
    html! {
        tr {
            th.name scope="row" { (list.title) span.sub { code { (list.id) } " over DNS" } }
            td {
                (state(how, word))
                @if let Some(why) = &list.why { span.sub { (text::cut(why, 200)) @if let Some(until) = list.until { ", until " (moment_near(until, here.around.now)) } } }
            }
            td.num data-l="questions today" { (count(list.questions_today)) }
            td.num data-l="a day" { (count(list.questions_daily)) span.sub { (percent_sign(list.questions_today, list.questions_daily)) " used" } }
            td.num {}
            td {}
        }
    }
}

fn file_row(file: &FileState, what: &str) -> Markup {
    html! {
        tr {
            th.name scope="row" { (text::cut(&file.name, 90)) span.sub { (what) @if let Some(made) = file.made { ", made " (figures::day_year(report::Day::of(made))) } } }
            td {
                @match &file.problem {
                    Some(problem) => { (state(State::Act, "Cannot be used")) span.sub { (text::cut(problem, 200)) } },
                    None => (state(State::Healthy, "Read")),
                }
            }
            td.num {}
            td.num {}
            td.num data-l="entries" { @if let Some(entries) = file.entries { (count(entries)) } }
            td.wide {
                @if file.skipped > 0 {
                    details.why {
                        summary { (counted(file.skipped, "line", "lines")) }
                        ul.mishaps { @for line in &file.first_skipped { li { (text::cut(line, 200)) } } }
                    }
                }
            }
        }
    }
}
