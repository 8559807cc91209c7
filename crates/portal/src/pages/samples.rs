//! `/samples` and `/samples/{id}`: which messages failed, and what did one of them look like?
//!
//! Everything here is what a stranger wrote, passed on by another. Who should have read the messages is not kept, and so not shown.

use insight::{HeaderLine, LocalParts, SampleDetail, SampleLine, Samples, Scope};
use maud::{Markup, html};

use super::{Here, as_u64, n, name_or_dash, pager, strong};
use crate::api;
use crate::ask::Ask;
use crate::figures::{self, count, counted};
use crate::filters::{Field, Filters};
use crate::frame::{Page, Section, moment};
use crate::links;
use crate::text;
use crate::url::Url;

const PATH: &[&str] = &["samples"];

/// Authors named above the list; the command and the API have all.
pub(crate) const AUTHORS_MAX: usize = 10;

/// Samples shown on a source's own page.
pub(crate) const OF_SOURCE_MAX: usize = 5;

/// The list.
pub(crate) fn page(here: Here<'_>, answer: &Samples, authors: &LocalParts) -> Markup {
    let page = Page {
        section: Section::Samples,
        title: "Which messages failed?".to_owned(),
        about: here.scope().domain.as_ref().map(ToString::to_string),
        crumbs: vec![(html! { "Samples" }, None)],
        lead: lead(here, answer),
        tabs: vec![],
        filters: Some(Filters {
            action: Url::path(PATH),
            here: vec!["samples".to_owned()],
            fields: &[Field::Domain, Field::Period, Field::Network],
        }),
        exports: vec![
            ("CSV", here.ask.here(&["samples.csv"])),
            ("JSON", api::link(here.ask, &["api", "v1", "samples"])),
        ],
        body: html! {
            @if answer.lines.is_empty() { (nothing(here)) }
            @else {
                (authors_section(here, authors))
                section aria-labelledby="h-samples" {
                    div.head { h2 id="h-samples" { "Samples" } span.aside { "the newest first; recipients are not kept" } }
                    div.box {
                        div.scroll { (table(here.scope(), &answer.lines, true)) }
                        (pager(here.ask, PATH, answer.lines.len(), answer.lines_total, "samples"))
                    }
                }
            }
        },
    };
    page.render(here.around, here.ask)
}

fn lead(here: Here<'_>, answer: &Samples) -> Markup {
    html! {
        (strong(&Url::on_page("main"), &counted(as_u64(answer.lines_total), "sample", "samples")))
        @if let Some(domain) = &here.scope().domain { " in the name of " (text::text(domain)) }
        @if let Some(local_part) = &here.ask.local_part { ", written as " (text::code(local_part)) " (" a href=(Ask { local_part: None, ..here.ask.clone() }.to(PATH)) { "show all" } ")" }
        @if let Some(days) = answer.days { ", " (figures::span(days.0, days.1)) }
        ": single messages that failed, as receivers tell of them in failure reports."
    }
}

/// What to do where there is none.
fn nothing(here: Here<'_>) -> Markup {
    let all = Ask { scope: Scope { period: insight::Period::All, ..Scope::default() }, ..Ask::default() };
    html! {
        @if here.around.days.is_none() { (super::fill(here)) }
        section {
            div.box.pad {
                p { "No samples match these filters." }
                p.small.faint { "Few receivers send failure reports, and only to domains whose DMARC record names an address for them (" code { "ruf=" } "). They come in by the same ways as aggregate reports. Samples are forgotten after 30 days unless " code { "retention.samples_days" } " says otherwise." }
                @if here.ask.scope != all.scope || here.ask.local_part.is_some() { p.row { a.btn href=(all.to(PATH)) { "All samples" } } }
            }
        }
    }
}

fn authors_section(here: Here<'_>, authors: &LocalParts) -> Markup {
    html! {
        section aria-labelledby="h-authors" {
            div.head {
                h2 id="h-authors" { "Who they were written as" }
                @if authors.lines_total > authors.lines.len() { span.aside { "the " (authors.lines.len()) " with most messages of " (count(as_u64(authors.lines_total))) } }
            }
            div.box.scroll {
                table.stack {
                    caption.vh { "Authors by messages" }
                    thead { tr { th scope="col" { "Author" } th.num scope="col" aria-sort="descending" { "Messages" } th.num scope="col" { "Samples" } th.num scope="col" { "Sources" } th.num scope="col" { "First" } th.num scope="col" { "Last" } } }
                    tbody {
                        @for line in &authors.lines {
                            @let url = written_as(here, &line.local_part, &line.domain);
                            tr {
                                th.name scope="row" { a.n href=(url) { (address(&line.local_part, &line.domain)) } }
                                td.num data-l="messages" { (n(&url, line.messages)) }
                                td.num data-l="samples" { (n(&url, line.samples)) }
                                td.num data-l="sources" { (count(line.sources)) }
                                td.num data-l="first" { (figures::day(line.first_day)) }
                                td.num data-l="last" { (figures::day(line.last_day)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The samples of one author. Where the local part is not known, those of its domain.
fn written_as(here: Here<'_>, local_part: &str, domain: &str) -> Url {
    let local_part = Some(local_part.to_owned()).filter(|part| !part.is_empty());
    let scope = Scope { domain: Some(domain.into()), subdomains: false, ..here.scope().clone() };
    Ask { scope, local_part, ..here.ask.clone() }.to(PATH)
}

/// An author: the domain may be too long for its column, the local part is what tells.
fn address(local_part: &str, domain: &str) -> Markup {
    html! { @if local_part.is_empty() { span.faint { "not known" } } @else { strong { (text::cut(local_part, 64)) } } span.faint { "@" } (text::text(domain)) }
}

fn table(scope: &Scope, lines: &[SampleLine], sources: bool) -> Markup {
    html! {
        table.stack {
            caption.vh { "Samples" }
            thead {
                tr {
                    th scope="col" { "Arrived" } th scope="col" { "Author and subject" }
                    @if sources { th scope="col" { "Source" } }
                    th scope="col" { "What failed" } th scope="col" { "Receiver" } th.num scope="col" { "Messages" }
                }
            }
            tbody { @for line in lines { (row(scope, line, sources)) } }
        }
    }
}

fn row(scope: &Scope, line: &SampleLine, sources: bool) -> Markup {
    let url = links::sample(line.id);
    html! {
        tr {
            td.nowrap { a.n href=(url) { @match line.arrived { Some(arrived) => (moment(arrived)), None => (figures::day_year(line.day)) } } }
            th.name scope="row" {
                a href=(url) { (address(&line.local_part, &line.domain)) }
                span.sub { @match &line.subject { Some(subject) => (text::clip(subject)), None => span.faint { "no subject" } } }
            }
            @if sources { td { (source(line, scope)) } }
            td { (failed(line)) span.sub { (via(line)) } }
            td.name { (delivery(line.delivery.as_deref())) span.sub { "at " (name_or_dash(&line.reporter)) } }
            td.num data-l="messages" { (n(&url, line.incidents)) }
        }
    }
}

fn source(line: &SampleLine, scope: &Scope) -> Markup {
    html! {
        @match line.source.as_deref().and_then(|source| source.parse().ok()) {
            Some(address) => (super::address(address, scope)),
            None => span.faint { "not named" },
        }
    }
}

/// Which mechanisms gave no aligned identity, or what the reporter calls it.
fn failed(line: &SampleLine) -> Markup {
    let word = |name: &'static str, failed: Option<bool>| failed.map(|failed| (name, failed));
    let words = [word("DKIM", line.dkim_failed), word("SPF", line.spf_failed)];
    html! {
        @if words.iter().all(Option::is_none) { (text::text(&line.auth_failure)) }
        @for (index, (name, failed)) in words.into_iter().flatten().enumerate() {
            @if index > 0 { ", " }
            (name) " " @if failed { "failed" } @else { span.faint { "aligned" } }
        }
    }
}

/// Whose signature and whose envelope it had.
fn via(line: &SampleLine) -> Markup {
    html! {
        @if let Some(signature) = line.dkim.first() { "d=" (text::cut(&signature.domain, 60)) " " }
        @match line.envelope_from.as_deref() { Some("") => "envelope <>", Some(domain) => { "envelope " (text::cut(domain, 60)) }, None => "" }
    }
}

fn delivery(word: Option<&str>) -> Markup {
    html! {
        @match word {
            Some("delivered") => "Delivered",
            Some("spam") => "Put aside as junk",
            Some("policy") => "Put aside by policy",
            Some("reject") => "Refused",
            Some(_) => "Something else",
            None => span.faint { "not said" },
        }
    }
}

/// The samples of a source, on its own page. Nothing where there are none.
pub(super) fn of_source(answer: &Samples, scope: &Scope) -> Markup {
    html! {
        @if !answer.lines.is_empty() {
            section aria-labelledby="h-samples" {
                div.head { h2 id="h-samples" { "Messages that failed" } span.aside { "from failure reports; recipients are not kept" } }
                div.box.scroll { (table(scope, &answer.lines, false)) }
                @if answer.lines_total > answer.lines.len() { p.cap { a href=(links::samples(scope)) { "All " (count(as_u64(answer.lines_total))) " samples" } } }
            }
        }
    }
}

/// One sample.
pub(crate) fn one(here: Here<'_>, answer: &SampleDetail) -> Markup {
    let line = &answer.line;
    let page = Page {
        section: Section::Samples,
        title: "What was this message?".to_owned(),
        about: line.subject.clone(),
        crumbs: vec![(html! { "Samples" }, Some(links::samples(here.scope()))), (html! { "Sample " (line.id) }, None)],
        lead: html! {
            "A message in the name of " a href=(links::trend(&links::of_domain(here.scope(), &line.domain))) { (text::text(&line.domain)) }
            @if !line.local_part.is_empty() { ", written as " strong { (text::cut(&line.local_part, 64)) } }
            ", which " (name_or_dash(&line.reporter)) " reported as failed. Who should have read it is not kept."
        },
        tabs: vec![],
        filters: Some(Filters { action: Url::path(PATH), here: vec!["samples".to_owned()], fields: &[] }),
        exports: vec![("JSON", Url::path(&["api", "v1", "samples", &line.id.to_string()]))],
        body: html! {
            (facts(here, answer))
            (header(&answer.header))
            (said(answer))
            (origin(answer))
        },
    };
    page.render(here.around, here.ask)
}

fn facts(here: Here<'_>, answer: &SampleDetail) -> Markup {
    let line = &answer.line;
    html! {
        section aria-labelledby="h-facts" {
            h2.vh id="h-facts" { "Overview" }
            div.box {
                dl.facts {
                    div { dt { "Arrived" } dd { @match line.arrived { Some(arrived) => (moment(arrived)), None => (figures::day_year(line.day)) } } }
                    div { dt { "Source" } dd { (source(line, here.scope())) @if let Some(port) = answer.source_port { span.sub { "port " (port) } } } }
                    div { dt { "What failed" } dd { (failed(line)) span.sub { "reported as " (text::text(&line.auth_failure)) } } }
                    div { dt { "What the receiver did" } dd { (delivery(line.delivery.as_deref())) span.sub { (counted(line.incidents, "message", "messages")) } } }
                }
            }
        }
    }
}

fn header(fields: &[HeaderLine]) -> Markup {
    html! {
        section aria-labelledby="h-header" {
            div.head { h2 id="h-header" { "Header" } span.aside { "fields that say how it came; ***@ stands for whoever is not the author" } }
            div.box.pad {
                @if fields.is_empty() { p.faint { "The report came without the message's header." } }
                @else { dl.kv { @for field in fields { dt { (text::cut(&field.name, 40)) } dd { (text::cut(&field.value, 600)) } } } }
            }
        }
    }
}

fn said(answer: &SampleDetail) -> Markup {
    let line = &answer.line;
    let list = |texts: &[String]| html! { @for (index, one) in texts.iter().enumerate() { @if index > 0 { ", " } (text::text(one)) } };
    html! {
        section aria-labelledby="h-said" {
            div.head { h2 id="h-said" { "What the reporter says" } }
            div.box.pad {
                dl.kv {
                    @for results in &answer.authentication_results { dt { "Results" } dd { (text::cut(results, 600)) } }
                    @for signature in &line.dkim { dt { "Signature" } dd { "d=" (text::text(&signature.domain)) @if !signature.selector.is_empty() { " s=" (text::text(&signature.selector)) } } }
                    @if let Some(identity) = &answer.dkim_identity { dt { "Signed for" } dd { (text::text(identity)) } }
                    @if let Some(domain) = &line.spf_domain { dt { "SPF" } dd { "for " (text::text(domain)) } }
                    @if let Some(domain) = &line.envelope_from { dt { "Envelope sender" } dd { @if domain.is_empty() { "<>, the null path of bounces" } @else { span.faint { "somebody at " } (text::text(domain)) } } }
                    @if !answer.envelope_to.is_empty() { dt { "Recipients" } dd { span.faint { "somebody at " } (list(&answer.envelope_to)) } }
                    @if !answer.reported_domains.is_empty() { dt { "About" } dd { (list(&answer.reported_domains)) } }
                    @if !answer.uri_hosts.is_empty() { dt { "Links to" } dd { (list(&answer.uri_hosts)) } }
                    @if let Some(agent) = &answer.user_agent { dt { "Written by" } dd { (text::text(agent)) } }
                }
                @if !answer.flaws.is_empty() {
                    p.small { "What was odd about the report:" }
                    ul.small { @for flaw in &answer.flaws { li { (text::sentence(flaw.kind.meaning())) } } }
                }
            }
        }
    }
}

fn origin(answer: &SampleDetail) -> Markup {
    html! {
        section aria-labelledby="h-origin" {
            div.head { h2 id="h-origin" { "Where it came from" } }
            div.box.pad {
                dl.kv {
                    dt { "Item" } dd { (text::cut(&answer.origin, 300)) }
                    @if let Some(member) = &answer.member { dt { "Member" } dd { (text::cut(member, 300)) } }
                    dt { "Received" } dd { (moment(answer.received)) }
                    dt title="of the item's bytes as received" { "SHA-256" } dd { code { (answer.item) } }
                }
            }
        }
    }
}
