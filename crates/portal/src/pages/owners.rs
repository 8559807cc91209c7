//! `/owners`: who sends as this address? A field to ask the directory, and what it answers.
//!
//! In: what was asked, the answer, and how the directory is loaded. Out: markup. Works without scripts: the field is a form.

use insight::{ContactLine, OwnerAnswer, OwnerLine};
use maud::{Markup, html};

use super::{Here, as_u64};
use crate::api;
use crate::call::OwnersFound;
use crate::figures::{count, counted};
use crate::frame::{Page, Section, moment_near};
use crate::program::DirectoryState;
use crate::text;

/// Candidates that are shown at once; the rest is a click away.
const FIRST: usize = 5;

/// A directory from files and from a server, as they stand in the configuration.
const EXAMPLE: &str = "\
[directory]
people = [\"/srv/directory/people.csv\"]
lists = [\"/srv/directory/lists.csv\"]

[[directory.ldap]]
url = \"ldaps://dc.example.com\"
bind_dn = \"cn=lamppost,dc=example,dc=com\"
password = { file = \"/run/secrets/ldap\" }
bases = [\"dc=example,dc=com\"]
";

/// The page.
pub(crate) fn page(here: Here<'_>, found: &OwnersFound) -> Markup {
    let asked = found.answer.as_ref().map(|answer| answer.asked.as_str()).or(here.ask.q.as_deref()).unwrap_or("");
    let page = Page {
        section: Section::Owners,
        title: if asked.is_empty() {
            "Who sends as this address?".to_owned()
        } else {
            format!("Who sends as {}?", named(asked))
        },
        about: None,
        crumbs: vec![(html! { "Owners" }, None)],
        lead: lead(found),
        tabs: vec![],
        filters: None,
        exports: vec![],
        body: html! {
            @match &found.directory {
                None => (how_to()),
                Some(state) => {
                    (field(asked))
                    @if let Some(answer) = &found.answer { (candidates(here, answer)) }
                    (loaded(here, state))
                },
            }
        },
    };
    page.render(here.around, here.ask)
}

/// A local part alone with the sign that makes it one; cut, and with nothing hidden in it.
fn named(asked: &str) -> String {
    let short: String = asked.chars().take(80).collect();
    let plain = text::plain(&short);
    if plain.contains('@') { plain } else { format!("{plain}@") }
}

fn lead(found: &OwnersFound) -> Markup {
    html! {
        @match (&found.directory, &found.answer) {
            (None, _) => "No directory is configured, so nobody can be named here.",
            (Some(state), _) if state.loaded.is_none() => {
                @if state.problem.is_some() { "The directory could not be loaded yet." } @else { "The directory is being loaded: ask again in a moment." }
            },
            (Some(state), None) => { "Type a local part or an address as you would into an address book: " strong { (counted(state.entries, "entry", "entries")) } " are searched, lists and their owners among them." },
            (Some(_), Some(answer)) => (told(answer)),
        }
    }
}

/// The answer in a sentence.
fn told(answer: &OwnerAnswer) -> Markup {
    html! {
        @match (answer.exact, &answer.candidates[..]) {
            (true, [one, ..]) => {
                strong { (text::text(&one.name)) }
                @if one.kind == "list" {
                    ", a list of " (counted(u64::from(one.members), "member", "members"))
                    @match &one.owners[..] {
                        [] => "; the directory names nobody who answers for it.",
                        [owner] => { "; " strong { (text::text(&owner.name)) } " answers for it." },
                        [owner, others @ ..] => { "; " strong { (text::text(&owner.name)) } " and " (counted(as_u64(others.len()), "other", "others")) " answer for it." },
                    }
                } @else {
                    @if let Some(department) = &one.department { ", " (text::text(department)) }
                    @if let Some(manager) = &one.manager { "; reports to " strong { (text::text(&manager.name)) } }
                    "."
                }
            },
            (_, []) => "Nobody in the directory has this address, and no name is like it.",
            (_, some) => { "Nobody in the directory has this address. " strong { (counted(as_u64(some.len()), "entry is", "entries are")) } " like it, the likeliest first." },
        }
    }
}

fn field(asked: &str) -> Markup {
    html! {
        form.inline.ask method="get" action="/owners" role="search" aria-label="Ask the directory" {
            label for="who" { "Local part or address" }
            input id="who" type="search" name="q" value=(asked) placeholder="visualstudio@" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="320";
            button { "Ask" }
        }
    }
}

fn candidates(here: Here<'_>, answer: &OwnerAnswer) -> Markup {
    let (first, rest) = answer.candidates.split_at(answer.candidates.len().min(FIRST));
    html! {
        @if !first.is_empty() {
            section aria-labelledby="h-found" {
                div.head { h2 id="h-found" { @if answer.exact { "Who has it" } @else { "Who it may be" } } span.aside { a href=(api::link(here.ask, &["api", "v1", "owners"])) { "JSON" } } }
                div.box.scroll { (table("Candidates, the likeliest first", first)) }
                @if !rest.is_empty() {
                    details.why {
                        summary { (counted(as_u64(rest.len()), "more that is less likely", "more that are less likely")) }
                        div.box.scroll { (table("Further candidates", rest)) }
                    }
                }
            }
        }
    }
}

fn table(caption: &str, lines: &[OwnerLine]) -> Markup {
    html! {
        table.stack {
            caption.vh { (caption) }
            thead { tr { th scope="col" { "Name" } th scope="col" { "Address" } th scope="col" { "Whom to ask" } th scope="col" { "Why" } th.num scope="col" { abbr title="from 0 to 1,000; whoever has the address has 1,000" { "Score" } } } }
            tbody {
                @for line in lines {
                    tr {
                        th.name scope="row" {
                            (text::text(&line.name))
                            span.sub { @if line.kind == "list" { "list of " (counted(u64::from(line.members), "member", "members")) } @else { "person" @if let Some(department) = &line.department { ", " (text::text(department)) } } }
                        }
                        td.name { (text::code(&line.mail)) }
                        td.wide { (whom(line)) }
                        td.wide { (text::cut(&line.why, 200)) span.sub { (matched(&line.matched)) } }
                        td.num data-l="points" { (count(u64::from(line.score))) }
                    }
                }
            }
        }
    }
}

/// The owners of a list, the manager of a person.
fn whom(line: &OwnerLine) -> Markup {
    let contact = |contact: &ContactLine| {
        html! {
            div {
                (text::text(&contact.name))
                @if let Some(mail) = contact.mail.as_ref().filter(|mail| **mail != contact.name) { span.sub { (text::text(mail)) } }
            }
        }
    };
    html! {
        @if line.kind == "list" {
            @for owner in &line.owners { (contact(owner)) }
            @if line.owners.is_empty() { span.faint { "no owner known" } }
        } @else {
            @match &line.manager { Some(manager) => (contact(manager)), None => span.faint { "no manager known" } }
        }
    }
}

fn matched(word: &str) -> &'static str {
    match word {
        "address" => "its address",
        "alias" => "an alias",
        "subaddress" => "without what follows the +",
        _ => "similar",
    }
}

/// How the directory is loaded.
fn loaded(here: Here<'_>, state: &DirectoryState) -> Markup {
    let now = here.around.now;
    html! {
        section aria-labelledby="h-directory" {
            div.head { h2 id="h-directory" { "The directory" } }
            div.box.pad {
                dl.kv {
                    dt { "From" }
                    dd { @for place in &state.from { div { (text::code(place)) } } }
                    dt { "Entries" }
                    dd { (count(state.entries)) @if state.loaded.is_none() { span.faint { ", none loaded yet" } } }
                    dt { "Loaded" }
                    dd {
                        @match state.loaded { Some(at) => (moment_near(at, now)), None => span.faint { "not yet" } }
                        @if state.loading { span.faint { ", being loaded" } }
                    }
                    @if let Some(problem) = &state.problem {
                        dt { "Failed" }
                        dd { (moment_near(problem.at, now)) ": " (text::cut(&problem.message, 400)) span.sub { "It is tried again by itself. " @if state.loaded.is_some() { "What was loaded before is still asked." } } }
                    }
                    @if state.flaws > 0 {
                        dt { "Left out or mended" }
                        dd {
                            (counted(state.flaws, "entry", "entries"))
                            details.why { summary { "Which?" } ul.mishaps { @for flaw in &state.first_flaws { li { (text::cut(flaw, 300)) } } } }
                        }
                    }
                }
            }
        }
    }
}

/// How to get a directory.
fn how_to() -> Markup {
    html! {
        section aria-labelledby="h-how" {
            div.head { h2 id="h-how" { "Give it a directory" } }
            div.box.pad {
                p { "People and distribution lists, from files or from a directory server, in " code { "lamppost.toml" } "; one of the two is enough. Then start " code { "lamppost serve" } " anew:" }
                pre.example { (EXAMPLE) }
                p.cap { "Files begin with a line of column names: " code { "name, mail, aliases, department, manager" } " for people, " code { "name, mail, aliases, owners, members" } " for lists. " code { "lamppost owner ADDRESS" } " asks the same directory." }
            }
        }
    }
}
