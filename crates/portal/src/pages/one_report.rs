//! `/reports/{id}`: one report — its header, its flaws, its rows, and the XML it was written as.

use insight::{RawXml, ReportDetail, Rows, Scope};
use maud::{Markup, html};
use report::Flaw;

use super::{Here, arrivals, name_or_dash, pager, report_list, rows, strong};
use crate::figures::{self, count, counted};
use crate::frame::{Page, Section, moment};
use crate::links;
use crate::text;
use crate::url::Url;

/// Lines of XML shown; the whole is a click away.
const XML_LINES: usize = 4_000;

/// The page.
pub(crate) fn page(here: Here<'_>, answer: &ReportDetail, shown: &Rows) -> Markup {
    let id = answer.line.id.to_string();
    let path = ["reports", id.as_str()];
    let page = Page {
        section: Section::Reports,
        title: "What does this report say?".to_owned(),
        about: Some(format!("report {id}")),
        crumbs: crumbs(here, answer, None),
        lead: lead(answer),
        tabs: tabs(&id, "Report"),
        filters: None,
        exports: vec![],
        body: html! {
            (notices(answer))
            div.two {
                (header(answer))
                (origin(answer))
            }
            (flaws(&answer.flaws))
            section aria-labelledby="h-rows" {
                div.head { h2 id="h-rows" { "Rows" } span.aside { "days are UTC; a row that spans two is shared between them" } }
                @if shown.lines.is_empty() { div.box.pad { p { "This report has no rows." } } }
                @else { div.box { div.scroll { (rows::table(here, &shown.lines, false)) } (pager(here.ask, &path, shown.lines.len(), shown.lines_total, "rows")) } }
            }
        },
    };
    page.render(here.around, here.ask)
}

/// `/reports/{id}/xml`: the XML with line numbers.
pub(crate) fn xml(here: Here<'_>, answer: &ReportDetail, raw: &RawXml) -> Markup {
    let id = answer.line.id.to_string();
    let (lines, broken) = lines(&raw.bytes);
    let page = Page {
        section: Section::Reports,
        title: "How was this report written?".to_owned(),
        about: Some(format!("report {id}")),
        crumbs: crumbs(here, answer, Some("XML")),
        lead: html! {
            "The XML as it was received, as text."
            @if broken { " It came with almost no line breaks: for reading it is broken between elements." }
            @if raw.cut || lines.len() > XML_LINES { " Only its beginning is shown." }
        },
        tabs: tabs(&id, "XML"),
        filters: None,
        exports: vec![],
        body: html! {
            section aria-labelledby="h-xml" {
                div.head {
                    h2 id="h-xml" { "XML" }
                    span.aside { a href=(Url::path(&["reports", &id, "raw"])) { "Download as text" } }
                }
                div.box { ol.xml tabindex="0" aria-labelledby="h-xml" { @for line in lines.iter().take(XML_LINES) { li { code { (text::visible(line)) } } } } }
            }
        },
    };
    page.render(here.around, here.ask)
}

/// The lines, and whether they are ours: a report in one line of a megabyte is broken between elements.
fn lines(bytes: &[u8]) -> (Vec<String>, bool) {
    /// Characters of a line that can still be read.
    const LONG: usize = 2_000;
    let written = String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace('\t', "  ");
    if written.lines().all(|line| line.len() <= LONG) {
        return (written.lines().map(str::to_owned).collect(), false);
    }
    let broken = written.replace("><", ">\n<");
    let cut = |line: &str| {
        line.chars().collect::<Vec<_>>().chunks(LONG).map(|part| part.iter().collect()).collect::<Vec<String>>()
    };
    (broken.lines().flat_map(cut).collect(), true)
}

fn crumbs(here: Here<'_>, answer: &ReportDetail, last: Option<&str>) -> Vec<(Markup, Option<Url>)> {
    let own = html! { "Report " (answer.line.id) };
    let mut crumbs = vec![
        (html! { "Reports" }, Some(links::reports(here.scope()))),
        (html! { "List" }, Some(links::report_list(here.scope()))),
        (own, last.map(|_| links::report(answer.line.id))),
    ];
    if let Some(last) = last {
        crumbs.push((html! { (last) }, None));
    }
    crumbs
}

fn tabs(id: &str, current: &str) -> Vec<(&'static str, Url, bool)> {
    vec![
        ("Report", Url::path(&["reports", id]), current == "Report"),
        ("XML", Url::path(&["reports", id, "xml"]), current == "XML"),
    ]
}

fn lead(answer: &ReportDetail) -> Markup {
    let line = &answer.line;
    html! {
        (name_or_dash(&line.reporter)) " reports " (strong(&Url::on_page("h-rows"), &counted(line.messages, "message", "messages")))
        " in " (strong(&Url::on_page("h-rows"), &counted(line.rows, "row", "rows"))) ", " (report_list::interval(line.begin, line.end))
        ", under the policy of " a href=(links::trend(&links::of_domain(&Scope::default(), &line.policy_domain))) { (name_or_dash(&line.policy_domain)) } "."
    }
}

fn notices(answer: &ReportDetail) -> Markup {
    html! {
        @if let Some(id) = answer.line.superseded_by {
            section { div.box.pad { p { strong { "This report does not count." } " The same name came again with other content: " a href=(links::report(id)) { (super::report_name(id)) } " counts instead." } } }
        } @else if !answer.conflicts_with.is_empty() {
            section { div.box.pad { p { "The same name came with other content before; this report counts instead of "
                @for (index, id) in answer.conflicts_with.iter().enumerate() { @if index > 0 { ", " } a href=(links::report(*id)) { (super::report_name(*id)) } } "." } } }
        }
    }
}

fn header(answer: &ReportDetail) -> Markup {
    let header = &answer.header;
    let reporter = &header.reporter;
    html! {
        section aria-labelledby="h-header" {
            div.head { h2 id="h-header" { "Header" } }
            div.box.pad {
                dl.kv {
                    dt { "Reporter" } dd { (name_or_dash(&reporter.organization)) }
                    @if !reporter.email.is_empty() { dt { "Contact" } dd { (text::text(&reporter.email)) } }
                    @if let Some(extra) = &reporter.extra_contact { dt { "More contact" } dd { (text::cut(extra, 300)) } }
                    @if let Some(generator) = &reporter.generator { dt { "Written by" } dd { (text::text(generator)) } }
                    dt { "Report ID" } dd { (text::cut(&header.report_id, 300)) }
                    dt { "Begin" } dd { (moment(header.interval.begin)) }
                    dt { "End" } dd { (moment(header.interval.end)) }
                    dt { "Policy" } dd { @if answer.policy.is_empty() { span.faint { "none named" } } @else { (text::code(&answer.policy)) } " at " (name_or_dash(&header.policy.domain)) }
                    dt { "Written as" } dd { (arrivals::dialect(header.dialect)) @if let Some(version) = &header.version { ", version " (text::text(version)) } }
                    @for error in &header.errors { dt { "Error" } dd { (text::cut(error, 300)) } }
                }
            }
        }
    }
}

fn origin(answer: &ReportDetail) -> Markup {
    html! {
        section aria-labelledby="h-origin" {
            div.head { h2 id="h-origin" { "Where it came from" } }
            div.box.pad {
                dl.kv {
                    dt { "Item" } dd { (text::cut(&answer.origin, 300)) }
                    @if let Some(member) = &answer.member { dt { "Member" } dd { (text::cut(member, 300)) } }
                    dt { "Taken in" } dd { (moment(answer.line.received)) }
                    dt { "Size" } dd { (figures::bytes(answer.item_bytes)) " as received" }
                    dt title="of the item's bytes as received" { "SHA-256" } dd { code { (answer.item) } }
                    dt title="SHA-256 of what the report says, however it was packed or indented" { "Content" } dd { code { (answer.content) } }
                }
            }
        }
    }
}

fn flaws(flaws: &[Flaw]) -> Markup {
    html! {
        section aria-labelledby="h-flaws" {
            div.head { h2 id="h-flaws" { "Flaws" } span.aside { "what was odd and how it was taken; the report counts all the same" } }
            div.box {
                @if flaws.is_empty() { p.pad.small.faint { "None: it is written as the standard says." } }
                @else {
                    table.stack {
                        caption.vh { "Flaws" }
                        thead { tr { th scope="col" { "What was found" } th scope="col" { "First in" } th scope="col" { "As written" } th.num scope="col" { "Times" } } }
                        tbody {
                            @for flaw in flaws {
                                tr {
                                    th scope="row" { (super::quality::kind(&crate::ask::flaw_word(flaw.kind))) }
                                    td { (text::text(&flaw.place)) }
                                    td.wide { @match &flaw.value { Some(value) => (text::code(value)), None => span.faint { "nothing" } } }
                                    td.num data-l="times" { (count(flaw.count.get())) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_in_one_line_is_broken_between_elements_and_no_line_is_endless() {
        assert_eq!(lines(b"<a>\r\n\t<b/>\n</a>"), (vec!["<a>".into(), "  <b/>".into(), "</a>".into()], false));
        let one = format!("<a><b>{}</b><c/></a>", "x".repeat(5_000));
        let (shown, broken) = lines(one.as_bytes());
        assert!(broken && shown.len() == 6, "{}", shown.len());
        assert!(shown.iter().all(|line| line.len() <= 2_000));
        assert!(lines(b"\xff\xfe<a/>").0[0].contains('\u{fffd}'));
    }
}
