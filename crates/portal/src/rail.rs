//! The rail: every page that a reader begins with, by what it is about. A page of its own adds a line to [`GROUPS`] and nothing else.
//!
//! In: where the reader is and which filters are in force. Out: markup. On a desk the rail stands beside the page; where there is no room
//! for it it folds into a menu, which opens without a script.

use insight::Scope;
use maud::{Markup, html};

use crate::around::Around;
use crate::figures;
use crate::links;
use crate::url::Url;

/// Where in the rail a page belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// What needs somebody.
    Today,
    /// The portfolio.
    Domains,
    /// The trend.
    Trend,
    /// Flows, one flow, decisions.
    Flows,
    /// What has become wrong.
    Alerts,
    /// Sources and rows.
    Explorer,
    /// Messages that failed.
    Samples,
    /// Reports and what became of them.
    Reports,
    /// Good sources that fail beside bad ones, and what is known of sources that fail.
    Lists,
    /// Keys.
    Dkim,
    /// An SPF record.
    Spf,
    /// What changed in DNS.
    Dns,
    /// What other records would do.
    Preview,
    /// Whether a policy may be tightened.
    Readiness,
    /// Names that could be taken for ours.
    Lookalikes,
    /// Who is behind a local part.
    Owners,
    /// The API's page.
    Api,
    /// Search results and errors: nowhere in the rail.
    Nowhere,
}

/// One place in the rail.
struct Item {
    section: Section,
    name: &'static str,
    url: fn(&Scope) -> Url,
    /// Pressed after `g`.
    key: Option<&'static str>,
}

const fn item(section: Section, name: &'static str, key: Option<&'static str>, url: fn(&Scope) -> Url) -> Item {
    Item { section, name, url, key }
}

/// All places, in the order in which one goes through them. A group without a name stands first.
const GROUPS: [(&str, &[Item]); 6] = [
    (
        "",
        &[
            item(Section::Today, "Today", Some("h"), |_| Url::path(&[])),
            item(Section::Alerts, "Alerts", Some("a"), |_| links::alerts()),
            item(Section::Domains, "Domains", Some("d"), links::domains),
        ],
    ),
    (
        "Mail",
        &[
            item(Section::Trend, "Trend", Some("t"), links::trend),
            item(Section::Flows, "Flows", Some("f"), |scope| links::flows(scope, &[])),
            item(Section::Explorer, "Sources", Some("e"), links::sources),
            item(Section::Lists, "Two lists", Some("l"), links::lists),
            item(Section::Samples, "Samples", Some("s"), links::samples),
        ],
    ),
    (
        "Names",
        &[
            item(Section::Owners, "Owners", Some("o"), |_| Url::path(&["owners"])),
            item(Section::Lookalikes, "Look-alikes", Some("k"), |_| Url::path(&["lookalikes"])),
        ],
    ),
    (
        "Records",
        &[
            item(Section::Dkim, "DKIM", None, links::dkim),
            item(Section::Spf, "SPF", None, links::spf),
            item(Section::Dns, "DNS history", None, links::dns),
        ],
    ),
    (
        "Plan",
        &[
            item(Section::Preview, "Preview", Some("v"), |scope| links::plan(scope, "preview")),
            item(Section::Readiness, "Readiness", Some("y"), |scope| links::plan(scope, "readiness")),
        ],
    ),
    (
        "Ledger",
        &[
            item(Section::Reports, "Reports", Some("r"), links::reports),
            item(Section::Api, "API", None, |_| Url::path(&["api"])),
        ],
    ),
];

/// The keys that lead to a place, with its name.
pub(crate) fn keys() -> Vec<(&'static str, &'static str)> {
    GROUPS.iter().flat_map(|(_, items)| *items).filter_map(|item| Some((item.key?, item.name))).collect()
}

/// What a place is called in the rail, if it stands there.
pub(crate) fn name(section: Section) -> Option<&'static str> {
    GROUPS.iter().flat_map(|(_, items)| *items).find(|item| item.section == section).map(|item| item.name)
}

/// The rail.
pub(crate) fn rail(current: Section, around: &Around, scope: &Scope) -> Markup {
    html! {
        header.rail {
            a.brand href="/" { (logo()) "lamppost" }
            details.menu {
                summary { "Menu" @if let Some(name) = name(current) { span.here { (name) } } }
                nav aria-label="Main" {
                    @for (name, items) in GROUPS {
                        div.group {
                            @if !name.is_empty() { p { (name) } }
                            ul { @for item in items { (line(item, current, around, scope)) } }
                        }
                    }
                }
            }
        }
    }
}

fn line(item: &Item, current: Section, around: &Around, scope: &Scope) -> Markup {
    let count = Some(around.domains_total).filter(|count| item.section == Section::Domains && *count > 0);
    html! {
        li {
            a href=((item.url)(scope)) aria-current=[(item.section == current).then_some("page")] data-go=[item.key] {
                (item.name)
                @if let Some(count) = count { span.count { (figures::count(count as u64)) } }
            }
        }
    }
}

/// The lamp post.
pub(crate) fn logo() -> Markup {
    html! {
        svg.logo viewBox="0 0 18 22" aria-hidden="true" focusable="false" {
            path.light d="M4.4 6.4h7.2l3.2 6H1.2z" {}
            path.post d="M8 21V3.6C8 2.1 9 1.2 10.5 1.2H14M4.8 21h6.4" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_leads_to_one_place() {
        let keys = keys();
        for (key, name) in &keys {
            let others: Vec<_> = keys.iter().filter(|(other, _)| other == key).map(|(_, name)| name).collect();
            assert_eq!(others, [name], "g {key}");
        }
        assert!(keys.len() > 10, "most places have a key: {keys:?}");
    }
}
