//! Every link of the portal leads somewhere, and every page there keeps the rules.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::ledger;
use crate::support::{Portal, attributes};

/// Requests at most: far more than there are kinds of link.
const REQUESTS_MAX: usize = 2_000;
/// Links of one kind that are followed.
const EACH: usize = 3;

/// What kinds of link it is: its path with numbers and names cut out, with each of its parameters.
fn kinds(url: &str) -> Vec<String> {
    const KNOWN: [&str; 22] = [
        "",
        "api",
        "assets",
        "domains",
        "trend",
        "sources",
        "rows",
        "samples",
        "reports",
        "list",
        "flaws",
        "rejected",
        "conflicts",
        "xml",
        "raw",
        "search",
        "reputation",
        "owners",
        "lookalikes",
        "flows",
        "decisions",
        "lists",
    ];
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let known =
        |part: &str| if KNOWN.contains(&part) || part.contains(".csv") { part.to_owned() } else { "*".to_owned() };
    let path = path.split('/').map(known).collect::<Vec<_>>().join("/");
    query.split('&').map(|pair| format!("{path}?{}", pair.split('=').next().unwrap_or(""))).collect()
}

#[test]
fn every_link_leads_to_an_answer_that_keeps_the_rules() {
    let dir = tempfile::tempdir().unwrap();
    let portal = Portal::on(ledger::filled(dir.path()), "127.0.0.1:8025");
    let mut queue: VecDeque<(String, String)> = VecDeque::from([("/".to_owned(), "the beginning".to_owned())]);
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut followed: BTreeMap<String, usize> = BTreeMap::new();
    let mut pages = 0;
    while let Some((url, from)) = queue.pop_front() {
        let kinds = kinds(&url);
        let enough = kinds.iter().all(|kind| followed.get(kind).is_some_and(|times| *times >= EACH));
        if enough || !seen.insert(url.clone()) {
            continue;
        }
        for kind in kinds {
            *followed.entry(kind).or_default() += 1;
        }
        assert!(seen.len() < REQUESTS_MAX, "there is no end to the links");
        let answer = portal.get(&url);
        let said = || String::from_utf8_lossy(&answer.body).chars().take(300).collect::<String>();
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{url}");
        if answer.status.as_u16() == 303 {
            queue.push_back((answer.header("location").to_owned(), url));
            continue;
        }
        assert_eq!(answer.status.as_u16(), 200, "{url} on {from}: {}", said());
        let kind = answer.header("content-type");
        if kind.starts_with("application/json") {
            answer.json();
        } else if kind.starts_with("text/html") {
            pages += 1;
            let page = answer.text();
            keeps_the_rules(&url, &page);
            for attribute in ["href", "src"] {
                for link in attributes(&page, attribute).into_iter().filter(|link| !link.starts_with('#')) {
                    assert!(link.starts_with('/') && !link.starts_with("//"), "{link} on {url}");
                    let twice =
                        link.starts_with("/domains/") && (link.contains("?domain=") || link.contains("&domain="));
                    assert!(!twice, "{link} on {url} names its domain twice");
                    queue.push_back((link, url.clone()));
                }
            }
        } else {
            let saved = answer.header("content-disposition").starts_with("attachment");
            assert!(saved || url.starts_with("/assets/"), "{url}: {kind}");
        }
    }
    println!("{} links of {} kinds, {pages} pages", seen.len(), followed.len());
    assert!(pages > 60, "only {pages} pages were found");
    for place in [
        "/sources/203.0.113.7",
        "/samples/",
        "/reports/flaws",
        "/reports/rejected",
        "/reports/sources",
        "/reputation",
        "/owners",
        "/lookalikes",
        "/api",
        "/flows/",
        "/decisions",
        "/lists",
        "/domains/contoso.example/trend",
    ] {
        assert!(seen.iter().any(|url| url.starts_with(place)), "nothing leads to {place}");
    }
}

fn keeps_the_rules(url: &str, page: &str) {
    for forbidden in [" style=", "<style", "<script>alert", "href=\"javascript", "<img"] {
        assert!(!page.contains(forbidden), "{url} holds {forbidden}");
    }
    assert_eq!(page.matches("<script").count(), 1, "{url}");
    assert_eq!(page.matches("<h1>").count(), 1, "{url}");
    // The value of a field is sent as it is; everything else is shown as it is.
    let fields = attributes(page, "value").len();
    let hidden = |c: char| matches!(c, '\u{202e}' | '\u{200b}');
    let shown = page
        .split(" value=\"")
        .enumerate()
        .map(|(n, part)| if n == 0 { part } else { part.split_once('"').map_or("", |p| p.1) });
    assert!(!shown.take(fields + 1).any(|part| part.contains(hidden)), "{url} hides a character");
    let tables = (page.matches("<table").count(), page.matches("<caption").count());
    assert_eq!(tables.0, tables.1, "{url}");
}

#[test]
fn pages_speak_of_the_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let portal = Portal::on(ledger::filled(dir.path()), "127.0.0.1:8025");
    let campaign = format!("/sources?domain=contoso.example&since={0}&until={0}", ledger::CAMPAIGN);
    let cases: [(&str, &[&str]); 29] = [
        ("/lookalikes", &["Nobody has looked yet", "Switch it on", "lamppost lookalikes example.com"]),
        ("/domains", &["contoso.example", "email.contoso.example", "Whose mail do we see?"]),
        (
            "/domains/contoso.example/trend",
            &["one campaign", "198.51.100.0/24", "p=quarantine", "Show the sources of 10 Dec"],
        ),
        ("/", &["What needs me?", "contoso.example", "received of expected", "Worst first"]),
        ("/lists", &["Who fails in our name", "Good sources that fail", "Bad sources that fail", "tighten", "a day"]),
        ("/flows", &["Which streams of mail are in our name?", "Spoofer", "Why?", "name or id"]),
        ("/flows?class=unknown&days=7", &["Unknown", "forwarder"]),
        (
            "/domains/contoso.example/trend?view=class",
            &["by class", "are sent without any right", "Show the flows of 10 Dec"],
        ),
        ("/decisions", &["Nothing yet"]),
        (&campaign, &["What was different on this day", "198.51.100.0/24", "198.51.100.6"]),
        ("/domains?policy=quarantine", &["2\u{a0}domains", "p=quarantine", "inherited"]),
        ("/domains?policy=reject", &["No domains match"]),
        ("/domains/conto/trend", &["No messages match", "Search for"]),
        ("/sources?until=2024-01-01", &["No sources match", "The same, all days"]),
        ("/sources?group=dkim_domain", &["northwind-esp.example", "not named"]),
        ("/sources/198.51.100.1", &["northwind-esp.example", "5\u{a0}other addresses"]),
        ("/rows?network=198.51.100.1", &["pass d=northwind-esp.example s=k1", "Unaligned"]),
        ("/samples", &["4\u{a0}samples", "visualstudio", "recipients are not kept"]),
        ("/samples?local_part=VisualStudio", &["1\u{a0}sample<", "show all"]),
        ("/samples?network=192.0.2.99", &["No samples match", "All samples"]),
        ("/samples/1", &["reported as failed", "***@"]),
        ("/sources/203.0.113.7", &["Messages that failed"]),
        ("/reports", &["postbox.example", "4\u{a0}days", "Expected by now", "have sent all that they usually send"]),
        ("/reports/sources", &["no source is configured", "[[source.imap]]", "lamppost config check"]),
        ("/reputation", &["Nothing is known yet", "none yet", "lamppost enrich"]),
        ("/owners?q=visualstudio", &["No directory is configured", "[[directory.ldap]]"]),
        ("/reports/flaws", &["missing_selector"]),
        ("/reports/rejected", &["no-report.txt", "no_report"]),
        ("/reports/conflicts", &["bigmail.example", "superseded"]),
    ];
    for (url, expected) in cases {
        let page = portal.get(url).text();
        for text in expected {
            assert!(page.to_lowercase().contains(&text.to_lowercase()), "{url} lacks {text}");
        }
    }
}

#[test]
fn an_empty_ledger_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let portal = Portal::on(ledger::empty(dir.path()), "127.0.0.1:8025");
    for url in
        ["/domains", "/trend", "/trend?view=class", "/flows", "/sources", "/reputation", "/rows", "/sources/192.0.2.1"]
    {
        let answer = portal.get(url);
        assert_eq!(answer.status.as_u16(), 200, "{url}");
        assert!(answer.text().contains("lamppost import"), "{url}");
    }
    assert!(portal.get("/samples").text().contains("No samples match"));
    for url in ["/reports", "/reports/list"] {
        assert!(portal.get(url).text().contains("The ledger is empty"), "{url}");
    }
    for url in [
        "/reports/flaws",
        "/reports/rejected",
        "/reports/conflicts",
        "/api",
        "/search?q=x",
        "/trend.csv",
        "/reports/sources",
        "/owners",
    ] {
        assert_eq!(portal.get(url).status.as_u16(), 200, "{url}");
    }
}
