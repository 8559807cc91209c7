//! What is shown while the ledger holds nothing: how to fill it.

use maud::{Markup, html};

use super::Here;
use crate::frame::{Page, Section};
use crate::rail;
use crate::url::Url;

/// The page, in the place of another.
pub(crate) fn page(here: Here<'_>, section: Section) -> Markup {
    let page = Page {
        section,
        title: "Where are the reports?".to_owned(),
        about: None,
        crumbs: vec![(html! { (rail::name(section).unwrap_or("Start")) }, None)],
        lead: html! { "The ledger is empty. Aggregate reports are what receivers send to the " code { "rua" } " address of a DMARC record; import what you have." },
        tabs: vec![],
        filters: None,
        exports: vec![],
        body: html! {
            section aria-labelledby="h-import" {
                div.head { h2 id="h-import" { "Import reports" } }
                div.box.pad {
                    p { "Files, directories, mbox and Maildir, with reports as XML, gzip, zip or mail, in any mixture:" }
                    p.row { code { "lamppost import PATH…" } }
                    p { "Or let them arrive by themselves, from a mailbox, a folder or a mail server: " a href=(Url::path(&["reports", "sources"])) { "sources of reports" } "." }
                    p.cap { "The portal may stay open meanwhile: reload this page when the first reports are in." }
                }
            }
            @if here.around.uploads { (super::upload::form("Or hand them in here")) }
            section aria-labelledby="h-demo" {
                div.head { h2 id="h-demo" { "Or look around first" } }
                div.box.pad {
                    p { "A model company with invented mail, in a directory of its own:" }
                    p.row { code { "lamppost demo" } }
                }
            }
            section aria-labelledby="h-none" {
                div.head { h2 id="h-none" { "No reports yet?" } }
                div.box.pad { p { "Publish a record that asks for them. Reports begin to arrive within a day or two:" } p.row { code { "_dmarc.example.com. TXT \"v=DMARC1; p=none; rua=mailto:dmarc@example.com\"" } } }
            }
        },
    };
    page.render(here.around, here.ask)
}
