//! The frame around every page: rail, path, search, filter bar, title with its answer, footer.
//!
//! In: a [`Page`] with its body, what is [`Around`] it, and what was asked. Out: a whole document. No script and no style stands
//! in it; the filter bar is a form that sends its state in the URL.

use maud::{DOCTYPE, Markup, html};

use crate::around::Around;
use crate::ask::Ask;
use crate::assets;
use crate::draw;
use crate::figures;
use crate::filters::{Filters, filter_bar};
use crate::rail;
pub(crate) use crate::rail::Section;
use crate::text;
use crate::url::Url;

/// One page before it is framed.
pub(crate) struct Page {
    /// Where it belongs.
    pub(crate) section: Section,
    /// The question it answers.
    pub(crate) title: String,
    /// What it is about, for the window's title; from a report as it may be.
    pub(crate) about: Option<String>,
    /// The way here; the last one is the page itself.
    pub(crate) crumbs: Vec<(Markup, Option<Url>)>,
    /// The answer in a sentence or two.
    pub(crate) lead: Markup,
    /// Sister views: name, place, whether it is this one.
    pub(crate) tabs: Vec<(&'static str, Url, bool)>,
    /// The filter bar, where one makes sense.
    pub(crate) filters: Option<Filters>,
    /// The same as data.
    pub(crate) exports: Vec<(&'static str, Url)>,
    /// Everything else.
    pub(crate) body: Markup,
}

impl Page {
    /// The whole document.
    pub(crate) fn render(&self, around: &Around, ask: &Ask) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                (self.head())
                body {
                    a.skip href="#main" { "Skip to the answer" }
                    (draw::patterns())
                    div.frame {
                        (rail::rail(self.section, around, &ask.scope))
                        div.page {
                            (self.top())
                            @if let Some(filters) = self.bar() { (filter_bar(filters, around, ask, &self.exports)) }
                            main id="main" {
                                h1 { (self.title) }
                                p.lead { (self.lead) }
                                (self.tab_row())
                                (self.body)
                            }
                            (footer(around))
                        }
                    }
                    (keys())
                }
            }
        }
    }

    /// The filter bar, where any filter means something.
    fn bar(&self) -> Option<&Filters> {
        self.filters.as_ref().filter(|filters| !filters.fields.is_empty())
    }

    fn head(&self) -> Markup {
        let title = match &self.about {
            Some(about) => format!("{} · {} · lamppost", self.title, text::plain(about)),
            None => format!("{} · lamppost", self.title),
        };
        html! {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="icon" href=(assets::ICON.url()) type="image/svg+xml";
                link rel="stylesheet" href=(assets::STYLE.url());
                script type="module" src=(assets::SCRIPT.url()) {}
            }
        }
    }

    fn top(&self) -> Markup {
        html! {
            div.top {
                nav.crumbs aria-label="Breadcrumb" {
                    ol {
                        @for (name, url) in &self.crumbs {
                            li {
                                @match url {
                                    Some(url) => a href=(url) { (name) },
                                    None => span aria-current="page" { (name) },
                                }
                            }
                        }
                    }
                }
                @if self.bar().is_none() && !self.exports.is_empty() {
                    span.exports { @for (name, url) in &self.exports { a href=(url) { (name) } } }
                }
                form.find method="get" action="/search" role="search" {
                    label.vh for="q" { "Search for an address, a network, a domain or a reporter" }
                    input id="q" type="search" name="q" placeholder="Address, network, domain" autocomplete="off" maxlength="300" data-focus="/";
                    kbd aria-hidden="true" { "/" }
                }
            }
        }
    }

    fn tab_row(&self) -> Markup {
        html! {
            @if !self.tabs.is_empty() {
                nav.tabs aria-label="Views" {
                    @for (name, url, current) in &self.tabs { a href=(url) aria-current=[current.then_some("page")] { (name) } }
                }
            }
        }
    }
}

/// A moment, with the machine's form beside it.
pub(crate) fn moment(seconds: i64) -> Markup {
    html! {
        @match figures::machine(seconds) {
            Some(machine) => time datetime=(machine) { (figures::moment(seconds)) },
            None => (figures::moment(seconds)),
        }
    }
}

/// A moment of the recent past: of today the time alone.
pub(crate) fn moment_near(seconds: i64, now: i64) -> Markup {
    html! {
        @match figures::machine(seconds) {
            Some(machine) => time datetime=(machine) { (figures::moment_near(seconds, now)) },
            None => (figures::moment(seconds)),
        }
    }
}

fn footer(around: &Around) -> Markup {
    html! {
        footer.foot {
            span {
                (moment(around.now))
                @if let Some(received) = around.last_received { " · last report " (moment_near(received, around.now)) }
            }
            span.keys-hint { kbd { "/" } " search" }
            span.keys-hint { kbd { "[" } " " kbd { "]" } " earlier, later" }
            span.keys-hint { kbd { "w" } " open every Why" }
            span.keys-hint { kbd { "?" } " all keys" }
        }
    }
}

/// What the keys do. Opened by the script alone: without it there are no keys.
fn keys() -> Markup {
    let own: [(&[&str], &str); 4] = [
        (&["/"], "search"),
        (&["["], "the days before these"),
        (&["]"], "the days after these"),
        (&["w"], "open or close every Why"),
    ];
    html! {
        dialog.keys id="keys" aria-labelledby="keys-title" {
            h2 id="keys-title" { "Keys" }
            dl {
                @for (pressed, does) in own {
                    dt { @for key in pressed { kbd { (key) } " " } }
                    dd { (does) }
                }
                @for (key, name) in rail::keys() {
                    dt { kbd { "g" } " " kbd { (key) } }
                    dd { (name.to_lowercase()) }
                }
            }
            form method="dialog" { button { "Close" } }
        }
    }
}
