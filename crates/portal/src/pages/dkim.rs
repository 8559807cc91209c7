//! `/dkim`: which keys sign in our name, and which of them must go?

use insight::{DkimInventory, DkimKeyLine, InventoryFinding, KeyState, Weight};
use maud::{Markup, html};

use super::{Here, as_u64, records};
use crate::api;
use crate::figures::{self, count, counted, percent_sign};
use crate::filters::{Field, Filters};
use crate::frame::{Page, Section, moment};
use crate::links;
use crate::text;
use crate::url::Url;

/// The page.
pub(crate) fn page(here: Here<'_>, answer: &DkimInventory) -> Markup {
    let page = Page {
        section: Section::Dkim,
        title: "Which keys sign in our name?".to_owned(),
        about: here.scope().domain.as_ref().map(ToString::to_string),
        crumbs: vec![(html! { "DKIM" }, None)],
        lead: lead(answer),
        tabs: records::tabs(here.scope(), "DKIM"),
        filters: Some(Filters {
            action: Url::path(&["dkim"]),
            here: vec!["dkim".to_owned()],
            fields: &[Field::Domain, Field::Period],
        }),
        exports: vec![
            ("CSV", here.ask.here(&["dkim.csv"])),
            ("JSON", api::link(here.ask, &["api", "v1", "inventory", "dkim"])),
        ],
        body: html! {
            @if answer.looked_at.is_none() { (records::not_watched()) }
            @if answer.keys.is_empty() { (super::nothing(here, &["dkim"], "keys")) } @else {
                (keys(here, answer))
                (records::remedies("h-do", "What to do", found(answer)))
            }
        },
    };
    page.render(here.around, here.ask)
}

fn found(answer: &DkimInventory) -> Vec<(String, &InventoryFinding)> {
    let of = |key: &DkimKeyLine| format!("{} of {}", key.selector, key.domain);
    answer.keys.iter().flat_map(|key| key.findings.iter().map(move |finding| (of(key), finding))).collect()
}

fn lead(answer: &DkimInventory) -> Markup {
    let act = answer.keys.iter().filter(|key| key.findings.iter().any(|one| one.weight == Weight::Act)).count();
    let oldest = answer.keys.iter().filter(|key| key.messages > 0).max_by_key(|key| key.age_days);
    html! {
        strong { (counted(as_u64(answer.keys.len()), "key", "keys")) } "; "
        strong { (percent_sign(answer.signed, answer.messages)) } " of the mail carries a signature of ours. "
        @if act == 0 { "No action required." } @else { strong { (counted(as_u64(act), "key", "keys")) } " must be replaced. " }
        @if let Some(key) = oldest && let Some(days) = key.age_days && days >= 365 {
            "The oldest that signs, " (text::code(&key.selector)) " of " (text::text(&key.domain)) ", has been in use for " (age(days)) " at least."
        }
    }
}

/// An age in words.
fn age(days: i32) -> String {
    let unit = |n: i32, one: &str, many: &str| counted(u64::from(n.unsigned_abs()), one, many);
    match days {
        730.. => unit(days / 365, "year", "years"),
        60.. => unit(days * 12 / 365, "month", "months"),
        _ => unit(days, "day", "days"),
    }
}

fn keys(here: Here<'_>, answer: &DkimInventory) -> Markup {
    html! {
        section aria-labelledby="h-keys" {
            div.head {
                h2 id="h-keys" { "Keys" }
                @if let Some(at) = answer.looked_at { span.aside { "DNS looked at " (moment(at)) } }
            }
            div.box.scroll {
                table.stack {
                    caption.vh { "Keys, most messages first" }
                    thead { tr {
                        th scope="col" { "Selector" } th scope="col" { "Key" } th.num scope="col" { "Messages" } th.num scope="col" { "Share" }
                        th.num scope="col" { "Verified" } th scope="col" { "First seen" } th scope="col" { "Last in mail" } th scope="col" { "Signs" } th scope="col" { "Findings" }
                    } }
                    tbody { @for key in &answer.keys { (line(here, answer, key)) } }
                }
            }
        }
    }
}

fn line(here: Here<'_>, answer: &DkimInventory, key: &DkimKeyLine) -> Markup {
    let signed = insight::Scope { dkim_domain: Some(key.domain.as_str().into()), ..here.scope().clone() };
    let first = [key.first_in_dns, key.first_in_mail].into_iter().flatten().min();
    html! {
        tr {
            th.name scope="row" { code { (text::text(&key.selector)) } span.sub { (text::text(&key.domain)) } }
            td { (state(key)) }
            td.num data-l="messages" { a.n href=(links::sources(&signed)) { (count(key.messages)) } }
            td.num data-l="of what is signed" { (percent_sign(key.messages, answer.signed)) }
            td.num data-l="verified" { @if key.messages > 0 { (percent_sign(key.passing, key.messages)) } }
            td.nowrap data-l="first seen" { @if let Some(day) = first { (figures::day_year(day)) } }
            td.nowrap data-l="last in mail" { @if let Some(day) = key.last_in_mail { (figures::day_year(day)) } }
            td { @for flow in key.flows.iter().take(2) { span.flag { (flow.class.label()) } " " } }
            td.wide { (records::flags(&key.findings)) }
        }
    }
}

fn state(key: &DkimKeyLine) -> Markup {
    html! {
        @match (key.state, &key.key_type, key.bits) {
            (KeyState::Published, Some(kind), Some(bits)) => { (if kind == "rsa" { "RSA" } else { "Ed25519" }) " " (bits) },
            (KeyState::Published, ..) => "published",
            (KeyState::Revoked, ..) => "revoked",
            (KeyState::Broken, ..) => "broken",
            (KeyState::Missing, ..) => "missing",
            (KeyState::Unknown, ..) => span.faint { "not looked at" },
        }
    }
}
