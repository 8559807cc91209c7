//! `/alerts`: what has become wrong, and what is to be done about it.

use insight::{AlertLine, AlertState, Alerts, Severity};
use maud::{Markup, html};

use super::{Here, as_u64};
use crate::api;
use crate::draw::{State, state};
use crate::figures::{self, counted};
use crate::frame::{Page, Section, moment_near};
use crate::text;
use crate::url::{Url, is_segment};

/// The page.
pub(crate) fn page(here: Here<'_>, answer: &Alerts) -> Markup {
    let of = |wanted: &[AlertState]| -> Vec<&AlertLine> {
        answer.lines.iter().filter(|line| wanted.contains(&line.state)).collect()
    };
    let open = of(&[AlertState::Open]);
    let known = of(&[AlertState::Acknowledged, AlertState::Silenced]);
    let over = of(&[AlertState::Resolved]);
    let page = Page {
        section: Section::Alerts,
        title: "What has become wrong?".to_owned(),
        about: None,
        crumbs: vec![(html! { "Alerts" }, None)],
        lead: lead(here, answer),
        tabs: vec![],
        filters: None,
        exports: vec![("JSON", api::link(here.ask, &["api", "v1", "alerts"]))],
        body: html! {
            (unsent(here, answer))
            (section(here, "h-open", "Open", &open, "No alert is open."))
            @if !known.is_empty() { (section(here, "h-known", "Acknowledged or silenced", &known, "")) }
            @if !over.is_empty() { (section(here, "h-over", "Over, in the last two weeks", &over, "")) }
            p.cap {
                @if !here.around.says { code { "lamppost alerts acknowledge N" } " says that somebody knows, " code { "lamppost alerts silence N" } " that nobody wants to hear of it for some days. " }
                "Channels and thresholds are set under " code { "[alerts]" } "."
            }
        },
    };
    page.render(here.around, here.ask)
}

fn lead(here: Here<'_>, answer: &Alerts) -> Markup {
    html! {
        @match answer.judged {
            None if here.around.days.is_none() => { "The ledger is empty: nothing can have become wrong yet. Take reports in: " code { "lamppost import PATH…" } ", or let them " a href=(Url::path(&["reports", "sources"])) { "arrive by themselves" } "." },
            None => { "Nothing has been judged yet: the rules are asked by " code { "lamppost serve" } " and " code { "lamppost alerts" } "." },
            Some(day) => {
                @match (answer.red, answer.amber) {
                    (0, 0) => "Nothing that nobody knows of. ",
                    (0, amber) => { strong { (counted(as_u64(amber), "amber alert is", "amber alerts are")) } " open. " },
                    (red, 0) => { strong { (counted(as_u64(red), "red alert is", "red alerts are")) } " open. " },
                    (red, amber) => { strong { (counted(as_u64(red), "red alert", "red alerts")) } " and " (counted(as_u64(amber), "amber one", "amber ones")) " are open. " },
                }
                "Days up to " (figures::day_year(day)) " are judged: later ones are still coming in."
            }
        }
    }
}

/// What channels have not been told.
fn unsent(here: Here<'_>, answer: &Alerts) -> Markup {
    let failed: Vec<_> = answer.unsent.iter().filter(|notice| notice.problem.is_some()).collect();
    html! {
        @if let Some(notice) = failed.first() {
            p.note {
                (counted(as_u64(failed.len()), "notice", "notices")) " could not be sent; the next is tried again " (moment_near(notice.due, here.around.now)) ". "
                (text::text(&notice.channel)) ": " (text::cut(notice.problem.as_deref().unwrap_or_default(), 300))
            }
        }
    }
}

fn section(here: Here<'_>, id: &'static str, title: &str, lines: &[&AlertLine], none: &str) -> Markup {
    html! {
        section aria-labelledby=(id) {
            div.head { h2 id=(id) { (title) } }
            div.box {
                @if lines.is_empty() { p.pad { (none) } }
                @for line in lines { (one(here, line)) }
            }
        }
    }
}

fn one(here: Here<'_>, line: &AlertLine) -> Markup {
    let now = here.around.now;
    html! {
        article.card {
            div {
                p { (shape(line)) }
                p.small.faint { "No. " (line.id) }
            }
            div {
                h3 {
                    (line.title)
                    " " span.small.faint {
                        @if !line.domain.is_empty() { (text::text(&line.domain)) " · " }
                        "since " (moment_near(line.opened, now))
                        @if let Some(resolved) = line.resolved { ", over since " (moment_near(resolved, now)) }
                        @if line.back > 0 { ", came back " (counted(u64::from(line.back), "time", "times")) }
                    }
                }
                p { (text::told(&line.sentence, 600)) }
                @if !line.evidence.is_empty() {
                    ul.evidence { @for evidence in &line.evidence { li { (text::told(evidence, 400)) } } }
                }
                @if line.state != AlertState::Resolved { p { strong { "What to do: " } (text::told(&line.remedy, 600)) } }
                @for said in &line.words {
                    p.small.faint {
                        (moment_near(said.at, now)) ", " (text::text(said.who.as_deref().unwrap_or("somebody"))) ": "
                        (word(said.word))
                        @if let Some(until) = said.until { " until " (moment_near(until, now)) }
                        @if let Some(note) = &said.note { ". " (text::cut(note, 300)) }
                    }
                }
                p.row { a.btn href=(place(&line.link)) { "Look" } code.small.faint { (line.rule.word()) } }
                @if here.around.says { (forms(line)) }
            }
        }
    }
}

/// What can be said to it now.
fn forms(line: &AlertLine) -> Markup {
    let said = matches!(line.state, AlertState::Acknowledged | AlertState::Silenced);
    html! {
        @if said {
            form.undo method="post" action=(crate::links::alerts()) {
                input type="hidden" name="alert" value=(line.id);
                button name="word" value="undo" { "Take back" span.vh { " what was said to alert " (line.id) } }
            }
        } @else if line.state == AlertState::Open {
            details.why {
                summary { "Acknowledge or silence" span.vh { " alert " (line.id) } }
                form.decide method="post" action=(crate::links::alerts()) {
                    input type="hidden" name="alert" value=(line.id);
                    label { span { "Why" } input name="note" maxlength="2000" autocomplete="off"; }
                    label { span { "Who" } input name="who" maxlength="200" autocomplete="name"; }
                    label { span { "Days of silence" } input type="number" name="days" min="1" max="366" value="7"; }
                    div.row {
                        button.btn.main name="word" value="acknowledge" { "Acknowledge" }
                        button.btn name="word" value="silence" { "Silence" }
                    }
                    p.small.faint { "Acknowledged: nobody is told of it until it is over. Silenced: nobody is told of its cause for so many days. Both can be taken back." }
                }
            }
        }
    }
}

fn word(word: insight::Word) -> &'static str {
    match word {
        insight::Word::Acknowledge => "acknowledged",
        insight::Word::Silence => "silenced",
        insight::Word::Undo => "taken back",
    }
}

/// Its state as a shape and a word.
pub(crate) fn shape(line: &AlertLine) -> Markup {
    match (line.state, line.severity) {
        (AlertState::Resolved, _) => state(State::Healthy, "Over"),
        (AlertState::Acknowledged, _) => state(State::Unknown, "Acknowledged"),
        (AlertState::Silenced, _) => state(State::Unknown, "Silenced"),
        (AlertState::Open, Severity::Red) => state(State::Act, "Red"),
        (AlertState::Open, Severity::Amber) => state(State::Watch, "Amber"),
    }
}

/// A path of ours, built anew from its parts: what stands in it came from a report, and must not lead elsewhere.
pub(crate) fn place(link: &str) -> Url {
    let (path, query) = link.split_once('?').unwrap_or((link, ""));
    let segments: Vec<&str> = path.split('/').filter(|segment| is_segment(segment)).collect();
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.fold(Url::path(&segments), |url, (name, value)| url.with_pair(name, value))
}

/// On Today: how many alerts are open, and the first of them.
pub(crate) fn on_today(answer: &Alerts) -> Markup {
    let open = answer.red + answer.amber;
    html! {
        @if open > 0 {
            section aria-labelledby="h-alerts" {
                div.head { h2 id="h-alerts" { "Alerts" } span.aside { a href=(crate::links::alerts()) { (counted(as_u64(open), "is open", "are open")) } } }
                ul.box.log {
                    @for line in answer.lines.iter().filter(|line| line.state == AlertState::Open).take(3) {
                        li.alert { (shape(line)) p { a href=(place(&line.link)) { (line.title) } " " span.small.faint { (text::told(&line.sentence, 200)) } } }
                    }
                }
            }
        }
    }
}
