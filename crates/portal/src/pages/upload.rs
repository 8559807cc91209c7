//! `/reports/upload`: reports taken in by hand, and what became of them.

use maud::{Markup, html};

use super::{Here, arrivals, as_u64, strong};
use crate::figures::{self, counted};
use crate::frame::{Page, Section};
use crate::links;
use crate::text;
use crate::upload::{self, Became};
use crate::url::Url;

/// The form, and below it what became of the files that were just handed in.
pub(crate) fn page(here: Here<'_>, files: &[Became]) -> Markup {
    let page = Page {
        section: Section::Reports,
        title: if files.is_empty() { "Which reports are to be taken in?" } else { "What became of the files?" }
            .to_owned(),
        about: None,
        crumbs: vec![(html! { "Reports" }, Some(links::reports(here.scope()))), (html! { "Upload" }, None)],
        lead: lead(here, files),
        tabs: arrivals::tabs(here, "Upload"),
        filters: None,
        exports: vec![],
        body: html! {
            @if !files.is_empty() {
                section aria-labelledby="h-files" {
                    h2.vh id="h-files" { "Files" }
                    div.box.scroll { (table(files)) }
                }
            }
            (form(if files.is_empty() { "Choose files" } else { "Choose more" }))
        },
    };
    page.render(here.around, here.ask)
}

/// The form, as a section of any page.
pub(super) fn form(title: &str) -> Markup {
    html! {
        section aria-labelledby="h-upload" {
            div.head { h2 id="h-upload" { (title) } span.aside { "XML, gzip, zip, mail or mailbox, in any mixture" } }
            div.box.pad {
                form.inline.upload method="post" action=(upload::PAGE) enctype="multipart/form-data" {
                    label.vh for="files" { "Files with reports" }
                    input id="files" type="file" name="file" multiple required;
                    button { "Take in" }
                }
                p.cap { "What is in them counts as yours: whoever hands a file in vouches for it. What came before does not count twice." }
            }
        }
    }
}

fn lead(here: Here<'_>, files: &[Became]) -> Markup {
    let sum = |of: fn(&Became) -> u64| files.iter().fold(0_u64, |sum, file| sum.saturating_add(of(file)));
    let (new, before, rejected) = (sum(|file| file.new), sum(|file| file.duplicates), sum(|file| file.rejected));
    html! {
        @if files.is_empty() { "Reports as they came from receivers, aggregate reports and failure reports; they are kept as they are, and read at once." }
        @else {
            "In " (counted(as_u64(files.len()), "file", "files")) ": "
            (strong(&links::report_list(here.scope()), &counted(new, "new report", "new reports")))
            @if before > 0 { ", " (counted(before, "report that was there", "reports that were there")) }
            @if rejected > 0 { ", " (strong(&Url::path(&["reports", "rejected"]), &counted(rejected, "refusal", "refusals"))) }
            "."
        }
    }
}

fn table(files: &[Became]) -> Markup {
    html! {
        table.stack {
            caption.vh { "Files, in the order in which they came" }
            thead { tr { th scope="col" { "File" } th.num scope="col" { "Size" } th scope="col" { "What became of it" } th scope="col" { "Reports" } } }
            tbody { @for file in files { (row(file)) } }
        }
    }
}

fn row(file: &Became) -> Markup {
    let named = as_u64(file.named.len());
    html! {
        tr {
            th.name scope="row" { @if file.name.is_empty() { "the file" } @else { (text::cut(&file.name, 90)) } }
            td.num data-l="size" { (figures::bytes(file.bytes)) }
            td.wide {
                (told(file))
                @for refusal in &file.refusals {
                    span.sub { @if let Some(member) = &refusal.member { (text::cut(member, 90)) ": " } (text::cut(&refusal.message, 300)) }
                }
            }
            td {
                @for id in &file.named { a.n href=(links::report(*id)) { (super::report_name(*id)) } " " }
                @if file.reports > named && named > 0 { "and " (figures::count(file.reports - named)) " more" }
            }
        }
    }
}

/// What became of a file, in words.
fn told(file: &Became) -> String {
    let mut parts = Vec::new();
    let plain = file.new - file.conflicts.min(file.new);
    if plain > 0 {
        parts.push(counted(plain, "new report", "new reports"));
    }
    if file.conflicts > 0 {
        parts.push(counted(
            file.conflicts,
            "report with other content than before",
            "reports with other content than before",
        ));
    }
    if file.duplicates > 0 {
        parts.push(counted(file.duplicates, "report that was there", "reports that were there"));
    }
    if file.samples > 0 {
        parts.push(counted(file.samples, "failure report", "failure reports"));
    }
    if file.rejected > 0 {
        parts.push(if file.reports == 0 && file.samples == 0 {
            "refused".to_owned()
        } else {
            counted(file.rejected, "refusal", "refusals")
        });
    }
    if file.waiting {
        parts.push("kept, and still being read".to_owned());
    }
    if parts.is_empty() {
        parts.push("nothing in it".to_owned());
    }
    parts.join(", ")
}
