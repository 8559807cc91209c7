//! Who is let in, what every answer carries, and what is said to those who ask for the wrong thing.

use axum::http::Method;

use crate::ledger;
use crate::support::Portal;

fn portal(dir: &tempfile::TempDir) -> Portal {
    Portal::on(ledger::filled(dir.path()), "127.0.0.1:8025")
}

#[test]
fn only_requests_that_name_this_machine_are_answered() {
    let dir = tempfile::tempdir().unwrap();
    let portal = portal(&dir);
    let cases = [
        ("127.0.0.1:8025", 200),
        ("localhost:8025", 200),
        ("[::1]:8025", 200),
        ("evil.example:8025", 421),
        ("127.0.0.1:80", 421),
        ("", 421),
    ];
    for (host, status) in cases {
        for url in ["/domains", "/api/v1/trend", "/assets/x"] {
            let answer = portal.ask(Method::GET, url, &[("host", host)]);
            let expected = if url == "/assets/x" && status == 200 { 404 } else { status };
            assert_eq!(answer.status.as_u16(), expected, "{host} {url}");
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let elsewhere = Portal::on(ledger::empty(dir.path()), "192.0.2.1:8025");
    let answer = elsewhere.ask(Method::GET, "/domains", &[("host", "dmarc.contoso.example")]);
    assert_eq!(answer.status.as_u16(), 200, "where it is not on loopback, its name is somebody else's to choose");
}

#[test]
fn another_site_may_link_here_and_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let portal = portal(&dir);
    for (site, mode, status) in [
        ("cross-site", "no-cors", 403),
        ("cross-site", "cors", 403),
        ("cross-site", "navigate", 200),
        ("same-origin", "cors", 200),
        ("none", "navigate", 200),
    ] {
        let answer = portal.ask(Method::GET, "/api/v1/flaws", &[("sec-fetch-site", site), ("sec-fetch-mode", mode)]);
        assert_eq!(answer.status.as_u16(), status, "{site} {mode}");
    }
}

#[test]
fn every_answer_carries_its_policy() {
    let dir = tempfile::tempdir().unwrap();
    let portal = portal(&dir);
    for url in [
        "/",
        "/domains",
        "/nothing",
        "/domains?days=x",
        "/api/v1/trend",
        "/api/v1/nothing",
        "/api/openapi.json",
        "/reports/1/raw",
        "/rows.csv",
    ] {
        let answer = portal.get(url);
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "style-src 'self'",
            "script-src 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.contains(part), "{url}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{url}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{url}");
        assert_eq!(answer.header("cache-control"), "no-store", "{url}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{url}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{url}");
    }
}

#[test]
fn wrong_requests_are_told_what_is_right() {
    let dir = tempfile::tempdir().unwrap();
    let portal = portal(&dir);
    let cases = [
        ("/domains?days=0", 400, "a number from 1 to 3660, or all"),
        ("/sources?group=asn", 400, "address, network, spf_domain"),
        ("/rows?nosuch=1", 400, "There is no parameter"),
        ("/sources/nothing", 400, "IPv4 or IPv6 address"),
        ("/reports/x", 400, "number of a report"),
        ("/reports/999999", 404, "report 999999"),
        ("/reports/999999/raw", 404, "report 999999"),
        ("/nothing/%3Cb%3E", 404, "There is no page"),
        ("/assets/style.css", 404, "Reload the page"),
    ];
    for (url, status, says) in cases {
        let answer = portal.get(url);
        assert_eq!(answer.status.as_u16(), status, "{url}");
        assert!(answer.text().contains(says), "{url}: {}", answer.text());
        assert!(!answer.text().contains("<b>"), "{url}");
    }
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let answer = portal.ask(method, "/domains", &[]);
        assert_eq!(answer.status.as_u16(), 405);
        assert!(answer.header("allow").contains("GET"));
    }
}

#[test]
fn a_request_has_no_body() {
    let dir = tempfile::tempdir().unwrap();
    let portal = portal(&dir);
    for method in [Method::GET, Method::POST] {
        let answer = portal.ask_with_body(method, "/domains", "x".into());
        assert_eq!(answer.status.as_u16(), 413, "{}", answer.text());
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
    }
}

#[test]
fn a_head_is_a_get_without_a_body() {
    let dir = tempfile::tempdir().unwrap();
    let portal = portal(&dir);
    for url in ["/domains", "/api/v1/trend", "/rows.csv"] {
        let (head, get) = (portal.ask(Method::HEAD, url, &[]), portal.get(url));
        assert_eq!(head.status, get.status);
        assert_eq!(head.header("content-type"), get.header("content-type"));
        assert!(head.body.is_empty() && !get.body.is_empty(), "{url}");
    }
}

#[test]
fn pages_are_compressed_for_those_who_can_read_that() {
    let dir = tempfile::tempdir().unwrap();
    let portal = portal(&dir);
    let plain = portal.get("/trend");
    let packed = portal.ask(Method::GET, "/trend", &[("accept-encoding", "gzip")]);
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.body.len() * 4 < plain.body.len(), "{} of {}", packed.body.len(), plain.body.len());
}

#[test]
fn strangers_bytes_are_only_ever_saved() {
    let dir = tempfile::tempdir().unwrap();
    let portal = portal(&dir);
    let raw = portal.get("/reports/1/raw");
    assert_eq!(raw.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(raw.header("content-disposition"), "attachment; filename=\"report-1.xml.txt\"");
    assert!(raw.text().contains("<feedback"), "it is the report as it came");
    let csv = portal.get("/sources.csv?group=reporter&limit=100");
    assert!(csv.header("content-disposition").starts_with("attachment"));
    assert!(csv.text().contains("\"'=HYPERLINK("), "a formula is guarded: {}", csv.text());
}

#[test]
fn assets_may_be_kept_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let portal = portal(&dir);
    let page = portal.get("/api").text();
    for link in crate::support::attributes(&page, "href")
        .into_iter()
        .chain(crate::support::attributes(&page, "src"))
        .filter(|link| link.starts_with("/assets/"))
    {
        let answer = portal.get(&link);
        assert_eq!(answer.status.as_u16(), 200, "{link}");
        assert!(answer.header("cache-control").contains("immutable"), "{link}");
    }
}

#[test]
fn what_a_form_sends_becomes_an_address_to_pass_on() {
    let dir = tempfile::tempdir().unwrap();
    let portal = portal(&dir);
    let cases = [
        ("/sources?domain=&days=30&since=&until=&reporter=", "/sources?days=30"),
        ("/trend?domain=contoso.example&days=30", "/domains/contoso.example/trend?days=30"),
        ("/search?q=203.0.113.7", "/sources/203.0.113.7"),
        ("/search?q=203.0.113.7%2F24", "/sources?network=203.0.113.0%2F24"),
        ("/search?q=CONTOSO.example", "/domains/contoso.example/trend"),
        ("/sources/%2Fevil.example?days=", "/sources/%2Fevil.example"),
    ];
    for (url, expected) in cases {
        let answer = portal.get(url);
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, expected), "{url}");
    }
    assert!(portal.get("/search?q=conto").text().contains("email.contoso.example"));
    assert!(portal.get("/search?q=nowhere").text().contains("No domain and no reporter"));
}
