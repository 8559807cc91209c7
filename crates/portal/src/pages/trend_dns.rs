//! What changed in DNS over the days of a trend: marks below the chart's columns, and the same as a list.

use insight::{DnsChange, Trend};
use maud::{Markup, html};
use report::Day;

use super::Here;
use crate::draw::Mark;
use crate::figures;
use crate::links;
use crate::text;
use crate::url::Url;

/// Changes listed; the page about them has all.
const LISTED_MAX: usize = 12;

fn place(here: Here<'_>, change: &DnsChange) -> Url {
    links::dns(&links::of_domain(here.scope(), &change.domain)).at(&format!("on-{}", change.day))
}

/// One mark for each column with a change.
pub(super) fn marks(here: Here<'_>, answer: &Trend, columns: &[(Day, Day)]) -> Vec<Mark> {
    let mut marks: Vec<Mark> = Vec::new();
    for change in &answer.dns {
        let Some(column) = columns.iter().position(|(first, last)| *first <= change.day && change.day <= *last) else {
            continue;
        };
        let about = format!("{}: {}", figures::day(change.day), text::plain(&change.what));
        match marks.last_mut().filter(|mark| mark.column == column) {
            Some(mark) => mark.about = format!("{}\n{about}", mark.about),
            None => marks.push(Mark { column, about, link: place(here, change) }),
        }
    }
    marks
}

/// The changes in words.
pub(super) fn section(here: Here<'_>, answer: &Trend) -> Markup {
    html! {
        @if !answer.dns.is_empty() {
            section aria-labelledby="h-dns" {
                div.head { h2 id="h-dns" { "What changed in DNS" } span.aside { "▴ below the chart" } }
                ul.box.problems {
                    @for change in answer.dns.iter().rev().take(LISTED_MAX) {
                        li { p { a.n href=(place(here, change)) { (figures::day(change.day)) } " " (text::text(&change.what)) "." } }
                    }
                }
                @if answer.dns.len() > LISTED_MAX { p.cap { "The newest " (LISTED_MAX) " of " (answer.dns.len()) ". " a href=(links::dns(here.scope())) { "All of them" } } }
            }
        }
    }
}
