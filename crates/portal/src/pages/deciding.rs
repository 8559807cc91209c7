//! The form by which people say what a flow is, and what they said: on the page of the flow, and `/decisions` with all of it.

use insight::{Decision, Flow, FlowClass, Scope, Target};
use maud::{Markup, html};

use super::{Here, as_u64};
use crate::api;
use crate::draw;
use crate::figures::{self, counted};
use crate::filters::Filters;
use crate::frame::{Page, Section};
use crate::links;
use crate::text;
use crate::url::Url;
use crate::words;

/// The section on the page of a flow.
pub(super) fn section(here: Here<'_>, answer: &Flow) -> Markup {
    html! {
        section aria-labelledby="h-decide" {
            div.head { h2 id="h-decide" { "Say what it is" } }
            div.box.pad {
                @if here.around.decides { (form(answer)) }
                @else { p.small { "This portal only shows. Decide with " code { "lamppost decide " (answer.flow.id) " CLASS" } "." } }
            }
        }
    }
}

fn form(answer: &Flow) -> Markup {
    let line = &answer.flow;
    let one = line.together <= 1;
    let network = answer.addresses.first().map(|source| source.address.to_string());
    html! {
        form.decide method="post" action=(Url::path(&["decisions"])) {
            input type="hidden" name="flow" value=(line.id);
            label { span { "It is" }
                select name="class" required {
                    option value="" selected { "choose" }
                    @for class in FlowClass::ALL { option value=(class.word()) { (class.label()) } }
                }
            }
            fieldset {
                legend { "This holds for" }
                @if one { label.radio { input type="radio" name="about" value="flow" checked; " this flow, whatever addresses it gets" } }
                label.radio { input type="radio" name="about" value="network" checked[!one]; " all flows of which most comes from" }
                input name="network" aria-label="Address or network" placeholder=(network.as_deref().unwrap_or("192.0.2.0/24")) autocomplete="off" spellcheck="false" maxlength="60";
            }
            label { span { "Why" } input name="note" maxlength="2000" autocomplete="off"; }
            label { span { "Who decides" } input name="who" maxlength="200" autocomplete="name"; }
            label { span { "Until" } input type="date" name="expires"; }
            div.row { button.btn.main { "Decide" } span.small.faint { "Whether it passes is seen by itself. It can be taken back." } }
        }
        @if !one { p.small.faint { "Many small flows stand here together; only networks can be decided about." } }
    }
}

/// One decision in a few lines, with the way to take it back.
pub(super) fn entry(here: Here<'_>, decision: &Decision) -> Markup {
    html! {
        div.entry {
            p {
                @match decision.class { Some(class) => (draw::chip(words::class(class))), None => span.small { "Taken back" } }
                " " (about(&decision.target))
                @if !decision.in_force { " " span.flag { "no longer in force" } }
            }
            p.small.faint {
                (figures::day_year(report::Day::of(decision.at)))
                @if let Some(who) = &decision.who { " by " (text::cut(who, 80)) }
                @if let Some(day) = decision.expires { ", until " (figures::day_year(day)) }
                @if let Some(note) = &decision.note { ": " (text::cut(note, 600)) }
            }
            @if decision.in_force && here.around.decides { (undo(decision)) }
        }
    }
}

fn about(target: &Target) -> Markup {
    html! {
        @match target {
            Target::Flow(id) => { "flow " a.n href=(links::flow(id, &Scope::default())) { code { (text::cut(id, 20)) } } },
            Target::Network(network) => { "from " code { (text::cut(network, 60)) } },
        }
    }
}

fn undo(decision: &Decision) -> Markup {
    html! {
        form.undo method="post" action=(Url::path(&["decisions"])) {
            input type="hidden" name="undo" value=(decision.id);
            @if let Target::Flow(id) = &decision.target { input type="hidden" name="flow" value=(id); }
            button { "Take back" span.vh { " decision " (decision.id) } }
        }
    }
}

/// The page of all decisions.
pub(crate) fn page(here: Here<'_>, answer: &[Decision]) -> Markup {
    let in_force = answer.iter().filter(|decision| decision.in_force).count();
    let page = Page {
        section: Section::Flows,
        title: "What was decided about flows?".to_owned(),
        about: None,
        crumbs: vec![(html! { "Flows" }, Some(links::flows(here.scope(), &[]))), (html! { "Decisions" }, None)],
        lead: html! {
            @if answer.is_empty() { "Nothing yet: every flow is what the rules take it for. The page of a flow has a form." }
            @else { (counted(as_u64(answer.len()), "decision", "decisions")) ", of which " strong { (counted(as_u64(in_force), "is", "are")) } " in force. They are only ever added; one that is taken back stays in the list." }
        },
        tabs: vec![],
        filters: Some(Filters { action: Url::path(&["decisions"]), here: vec!["decisions".to_owned()], fields: &[] }),
        exports: vec![
            ("CSV", Url::path(&["decisions.csv"])),
            ("JSON", api::link(here.ask, &["api", "v1", "decisions"])),
        ],
        body: html! {
            @if !answer.is_empty() {
                section aria-labelledby="h-decisions" {
                    h2.vh id="h-decisions" { "Decisions, the newest first" }
                    div.box { ul.log { @for decision in answer { li { (entry(here, decision)) } } } }
                }
            }
        },
    };
    page.render(here.around, here.ask)
}
