//! Every page, drawn from fixtures: whole, safe with a stranger's text in every field, and pointing only to itself.

use insight::GroupBy;

use super::Here;
use crate::around::Around;
use crate::ask::{Ask, By, View};
use crate::call::OwnersFound;
use crate::fixtures::Fixture;
use crate::program::Collecting;
use crate::{api, pages};

/// Every page by name.
fn all(fixture: &Fixture, around: &Around, ask: &Ask) -> Vec<(String, String)> {
    let here = Here { around, ask };
    let mut pages: Vec<(&str, maud::Markup)> = vec![
        ("portfolio", pages::portfolio::page(here, &fixture.portfolio())),
        ("trend", pages::trend::page(here, &fixture.trend(), &fixture.class_trend())),
        ("today", pages::today::page(here, &fixture.today(), &fixture.collecting(), &fixture.alerts())),
        ("alerts", pages::alerts::page(here, &fixture.alerts())),
        ("lists", pages::lists::page(here, &fixture.lists())),
        ("flows", pages::flows::page(here, &fixture.flows())),
        ("lookalikes", pages::lookalikes::page(here, &fixture.lookalikes())),
        ("no-lookalikes", pages::lookalikes::page(here, &insight::Lookalikes::default())),
        ("flow", pages::flow::page(here, &fixture.flow())),
        ("decisions", pages::deciding::page(here, &fixture.decisions())),
        ("no-decisions", pages::deciding::page(here, &[])),
        ("source", pages::source::page(here, &fixture.source(), &fixture.flow_lines(), &fixture.samples())),
        ("samples", pages::samples::page(here, &fixture.samples(), &fixture.local_parts())),
        ("sample", pages::samples::one(here, &fixture.sample())),
        ("rows", pages::rows::page(here, &fixture.rows())),
        ("arrivals", pages::arrivals::page(here, &fixture.arrivals(), &fixture.expected())),
        ("report-list", pages::report_list::page(here, &fixture.reports())),
        ("report", pages::one_report::page(here, &fixture.report(), &fixture.rows())),
        ("xml", pages::one_report::xml(here, &fixture.report(), &fixture.raw())),
        ("flaws", pages::quality::flaws(here, &fixture.flaws())),
        ("rejections", pages::quality::rejections(here, &fixture.rejections())),
        ("conflicts", pages::quality::conflicts(here, &fixture.conflicts())),
        ("reputation", pages::reputation::page(here, &fixture.reputation(), Some(&fixture.learning()))),
        ("no-learning", pages::reputation::page(here, &fixture.reputation(), None)),
        ("collecting", pages::collecting::page(here, &fixture.collecting())),
        ("no-sources", pages::collecting::page(here, &Collecting::default())),
        ("owners", pages::owners::page(here, &fixture.owners(false))),
        ("owner", pages::owners::page(here, &fixture.owners(true))),
        ("no-directory", pages::owners::page(here, &OwnersFound { directory: None, answer: None })),
        ("empty", pages::empty::page(here, crate::frame::Section::Trend)),
        ("upload", pages::upload::page(here, &[])),
        ("uploaded", pages::upload::page(here, &fixture.uploaded())),
        (
            "error",
            pages::error::page(
                here,
                "What was meant?",
                &(fixture.say)("“x” is no value for days."),
                "Mend the address.",
            ),
        ),
        ("api", pages::api::page(here, &api::shown(&api::routes()))),
    ];
    for (name, group) in
        [("sources", GroupBy::Address), ("networks", GroupBy::Network), ("spf-domains", GroupBy::SpfDomain)]
    {
        pages.push((name, pages::explorer::page(here, &fixture.sources(group), Some(&fixture.spike()))));
    }
    let wanted = (fixture.say)("contoso");
    let found = pages::search::Found {
        wanted: &wanted,
        domains: around.domains.iter().collect(),
        reporters: around.reporters.iter().collect(),
    };
    pages.push(("search", pages::search::page(here, &found)));
    pages.into_iter().map(|(name, page)| (name.to_owned(), page.into_string())).collect()
}

/// The values of every attribute with this name.
fn attributes<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let needle = format!(" {name}=\"");
    page.match_indices(&needle).filter_map(|(at, _)| page[at + needle.len()..].split('"').next()).collect()
}

/// What no page may ever hold, whatever the text in it.
fn is_safe(name: &str, page: &str) {
    assert!(page.starts_with("<!DOCTYPE html>"), "{name}");
    for forbidden in [" style=", "<style", "javascript:", " onerror", " onclick", "<img", "<iframe", "<base"] {
        assert!(!page.contains(forbidden), "{name} holds {forbidden}");
    }
    assert_eq!(page.matches("<script").count(), 1, "{name} has exactly the one script that is ours");
    for attribute in ["href", "src", "action"] {
        for url in attributes(page, attribute) {
            let own = url.starts_with('#') || (url.starts_with('/') && !url.starts_with("//"));
            assert!(own, "{name}: {attribute}={url}");
            assert!(!url.contains(['<', '>', '\'', ' ', '\\']), "{name}: {attribute}={url}");
        }
    }
    for tag in page.split('<').filter_map(|tag| tag.split('>').next()) {
        let mut names: Vec<&str> =
            tag.split('"').step_by(2).filter_map(|part| part.strip_suffix('=')?.rsplit(' ').next()).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "{name}: an attribute stands twice in <{tag}>");
    }
    assert!(!page.contains("NaN") && !page.contains("inf\""), "{name} draws a number that is none");
}

#[test]
fn every_page_is_whole_and_safe() {
    let fixture = Fixture { say: str::to_owned };
    let around = fixture.around();
    let asks = [
        Ask::default(),
        Ask { view: View::Disposition, by: Some(By::Day), ..Ask::default() },
        Ask { view: View::Class, classes: vec![insight::FlowClass::Spoofer], ..Ask::default() },
        Ask { offset: 50, limit: Some(2), reversed: true, ..Ask::default() },
    ];
    for ask in &asks {
        for (name, page) in all(&fixture, &around, ask) {
            is_safe(&name, &page);
            for needed in ["<h1>", "id=\"main\"", "aria-label=\"Main\"", "</html>", "<title>"] {
                assert!(page.contains(needed), "{name} lacks {needed}");
            }
            assert_eq!(page.matches("<h1>").count(), 1, "{name}");
            assert_eq!(
                page.matches("<table").count(),
                page.matches("<caption").count(),
                "{name}: every table says what it is"
            );
            let ids = attributes(&page, "id");
            let mut unique = ids.clone();
            unique.sort_unstable();
            unique.dedup();
            assert_eq!(ids.len(), unique.len(), "{name}: {ids:?}");
            for labelled in attributes(&page, "aria-labelledby").iter().flat_map(|list| list.split(' ')) {
                assert!(ids.contains(&labelled), "{name}: nothing is called {labelled}");
            }
        }
    }
}

/// What becomes of every text.
type Say = fn(&str) -> String;

#[test]
fn no_strangers_text_gets_out_of_its_place() {
    let hostile: [(&str, Say); 9] = [
        ("markup", |_| "<script>alert(1)</script>".into()),
        ("an attribute", |_| "\" onerror=\"alert(1)\" style=\"x".into()),
        ("an image", |_| "<img src=x onerror=alert(1)>".into()),
        ("a scheme", |_| "javascript:alert(1)".into()),
        ("a host", |_| "//evil.example/".into()),
        ("a way up", |_| "..".into()),
        ("direction and control", |_| "a\u{202e}b\u{0}\u{7}\u{200b}c".into()),
        ("nothing", |_| String::new()),
        ("very much", |_| "ü<&\"'".repeat(170)),
    ];
    for (why, say) in hostile {
        let fixture = Fixture { say };
        let around = fixture.around();
        let mut ask = Ask { q: Some(say("x")), local_part: Some(say("x")), ..Ask::default() };
        ask.scope.domain = Some(say("x").into());
        ask.scope.reporter = Some(say("x").into());
        ask.scope.spf_domain = Some(say("x").into());
        ask.scope.dkim_domain = Some(say("x").into());
        for (name, page) in all(&fixture, &around, &ask) {
            let context = format!("{name} with {why}");
            let page = if why == "a scheme" {
                page.replace("javascript:alert(1)<", "<").replace("value=\"javascript:alert(1)\"", "")
            } else {
                page
            };
            // What was escaped may name these things; what stands in a tag may not.
            let tags_only = in_tags(&page);
            assert!(!tags_only.contains("onerror") && !tags_only.contains("style="), "{context}");
            assert!(!tags_only.contains("<img") && !page.contains("<script>"), "{context}");
            for url in ["href", "src", "action"].iter().flat_map(|name| attributes(&page, name)) {
                assert!(url.starts_with('#') || (url.starts_with('/') && !url.starts_with("//")), "{context}: {url}");
                assert!(!url.contains("/../") && !url.ends_with("/.."), "{context}: {url}");
            }
            let loose = |c: char| matches!(c, '\u{202e}' | '\u{200b}' | '\u{0}' | '\u{7}');
            let shown = without_values(&page);
            assert!(!shown.contains(loose), "{context}: a hidden character is hidden");
            assert!(page.len() < 3_000_000, "{context}: {} bytes", page.len());
        }
    }
}

/// The tags of a page with the values of their attributes cut out: there a stranger's text would be markup.
fn in_tags(page: &str) -> String {
    let (mut out, mut tag, mut value) = (String::new(), false, false);
    for c in page.chars() {
        match c {
            '<' if !tag => tag = true,
            '"' if tag => value = !value,
            '>' if tag && !value => {
                tag = false;
                out.push('>');
            }
            _ => {}
        }
        if tag && !value {
            out.push(c);
        }
    }
    out
}

/// A page without the `value` of its fields: those hold what was asked, as it was asked.
fn without_values(page: &str) -> String {
    let mut out = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once(" value=\"") {
        out.push_str(before);
        rest = after.split_once('"').map_or("", |(_, after)| after);
    }
    out + rest
}

#[test]
fn pages_can_be_looked_at() {
    // `LOOK=directory cargo test -p portal looked` leaves every page there, to be opened in a browser.
    let Some(directory) = std::env::var_os("LOOK").map(std::path::PathBuf::from) else {
        println!("skipped: LOOK names no directory to write the pages to");
        return;
    };
    let fixture = Fixture { say: str::to_owned };
    let around = fixture.around();
    let mut ask = Ask::default();
    let mut pages = all(&fixture, &around, &ask);
    ask.view = View::Disposition;
    ask.scope.domain = Some("contoso.example".into());
    let here = Here { around: &around, ask: &ask };
    pages.push((
        "trend-disposition".to_owned(),
        pages::trend::page(here, &fixture.trend(), &fixture.class_trend()).into_string(),
    ));
    for asset in crate::assets::all() {
        let path = directory.join(asset.url().trim_start_matches('/'));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, asset.text).unwrap();
    }
    for (name, page) in pages {
        std::fs::write(directory.join(format!("{name}.html")), page).unwrap();
    }
}
