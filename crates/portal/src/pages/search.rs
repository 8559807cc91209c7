//! `/search`: what was meant? An address or a network leads on at once; for a text, the domains and reporters that contain it.

use maud::{Markup, html};
use report::Text;

use super::{Here, as_u64};
use crate::figures::counted;
use crate::frame::{Page, Section};
use crate::links;
use crate::text;

/// What was found, each list cut.
pub(crate) struct Found<'a> {
    /// As searched for.
    pub(crate) wanted: &'a str,
    /// Author domains.
    pub(crate) domains: Vec<&'a Text>,
    /// Reporters.
    pub(crate) reporters: Vec<&'a Text>,
}

/// The page.
pub(crate) fn page(here: Here<'_>, found: &Found<'_>) -> Markup {
    let total = found.domains.len() + found.reporters.len();
    let page = Page {
        section: Section::Nowhere,
        title: "What is it called?".to_owned(),
        about: Some(found.wanted.to_owned()),
        crumbs: vec![(html! { "Search" }, None)],
        lead: html! {
            @if found.wanted.is_empty() { "Type a part of the name of a domain or a reporter, or an address or a network such as 192.0.2.0/24." }
            @else if total == 0 { "No domain and no reporter has " (text::cut(found.wanted, 80)) " in its name. An address or a network such as 192.0.2.0/24 leads to its sources." }
            @else { strong { (counted(as_u64(total), "name", "names")) } @if total == 1 { " contains " } @else { " contain " } (text::cut(found.wanted, 80)) "." }
        },
        tabs: vec![],
        filters: None,
        exports: vec![],
        body: html! {
            div.two {
                (list("h-domains", "Domains", &found.domains, |name| links::trend(&links::of_domain(here.scope(), name))))
                (list("h-reporters", "Reporters", &found.reporters, |name| links::sources(&links::by_reporter(here.scope(), name))))
            }
        },
    };
    page.render(here.around, here.ask)
}

fn list(id: &str, title: &str, names: &[&Text], link: impl Fn(&str) -> crate::url::Url) -> Markup {
    html! {
        @if !names.is_empty() {
            section aria-labelledby=(id) {
                div.head { h2 id=(id) { (title) } }
                div.box { table { caption.vh { (title) } tbody { @for name in names { tr { th scope="row" { a href=(link(name)) { (text::clip(name)) } } } } } } }
            }
        }
    }
}
