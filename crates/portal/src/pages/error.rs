//! What is shown where a page cannot be: what happened, and what to do.

use maud::{Markup, html};

use super::Here;
use crate::frame::{Page, Section};
use crate::text;
use crate::url::Url;

/// The page for one failure: a title, what happened (may quote the request), what to do.
pub(crate) fn page(here: Here<'_>, title: &str, what: &str, todo: &str) -> Markup {
    let page = Page {
        section: Section::Nowhere,
        title: title.to_owned(),
        about: None,
        crumbs: vec![(html! { "Today" }, Some(Url::path(&[]))), (html! { (title) }, None)],
        lead: text::cut(what, 600),
        tabs: vec![],
        filters: None,
        exports: vec![],
        body: html! { section { div.box.pad { p { (todo) } p.row { a.btn href="/" { "Go to Today" } } } } },
    };
    page.render(here.around, here.ask)
}
