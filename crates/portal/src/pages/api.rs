//! `/api`: what programs can ask, and how.

use maud::{Markup, html};

use super::Here;
use crate::frame::{Page, Section};
use crate::params::Param;
use crate::url::Url;

/// One route as this page shows it.
pub(crate) struct Shown {
    /// `GET`, mostly.
    pub(crate) method: &'static str,
    /// `/api/v1/sources/{ip}`.
    pub(crate) path: &'static str,
    /// What it answers.
    pub(crate) about: &'static str,
    /// What it takes.
    pub(crate) params: Vec<&'static Param>,
}

/// The page.
pub(crate) fn page(here: Here<'_>, routes: &[Shown]) -> Markup {
    let page = Page {
        section: Section::Api,
        title: "What can a program ask?".to_owned(),
        about: None,
        crumbs: vec![(html! { "API" }, None)],
        lead: html! { "Everything a page shows, with the same parameters and the same numbers, as JSON. The description for programs is " a href=(Url::path(&["api", "openapi.json"])) { "openapi.json" } "." },
        tabs: vec![],
        filters: None,
        exports: vec![],
        body: html! {
            section aria-labelledby="h-routes" {
                div.head { h2 id="h-routes" { "Routes" } span.aside { "an error is application/problem+json and says what is allowed" } }
                div.box.scroll {
                    table.stack {
                        caption.vh { "Routes" }
                        thead { tr { th scope="col" { "Route" } th scope="col" { "Answers" } th scope="col" { "Parameters" } } }
                        tbody {
                            @for route in routes {
                                tr {
                                    th.nowrap scope="row" { code { (route.method) " " (route.path) } }
                                    td.wide { (route.about) }
                                    td.wide { @for (index, param) in route.params.iter().enumerate() { @if index > 0 { ", " } code { (param.name) } } @if route.params.is_empty() { span.faint { "none" } } }
                                }
                            }
                        }
                    }
                }
            }
            (parameters(routes))
        },
    };
    page.render(here.around, here.ask)
}

fn parameters(routes: &[Shown]) -> Markup {
    let mut all: Vec<&Param> = Vec::new();
    for param in routes.iter().flat_map(|route| &route.params) {
        if !all.iter().any(|known| known.name == param.name && known.allowed == param.allowed) {
            all.push(param);
        }
    }
    html! {
        section aria-labelledby="h-params" {
            div.head { h2 id="h-params" { "Parameters" } span.aside { "named as on the command line" } }
            div.box.scroll {
                table.stack {
                    caption.vh { "Parameters" }
                    thead { tr { th scope="col" { "Name" } th scope="col" { "Means" } th scope="col" { "Allowed" } } }
                    tbody { @for param in all { tr { th scope="row" { code { (param.name) } } td.wide { (param.about) } td.wide { (param.allowed) } } } }
                }
            }
        }
    }
}
