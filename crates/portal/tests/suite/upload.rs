//! Files handed in: from a page of ours, by a program, and from where nobody may.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::Method;
use portal::{Became, Inbox, Incoming, Later, Options};

use crate::ledger;
use crate::schema::faults;
use crate::support::{Answer, Portal, attributes};

type Files = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// Remembers what was handed in to the end.
#[derive(Default, Clone)]
struct Noted(Files);

struct Coming(Files, String, Vec<u8>);

impl Inbox for Noted {
    fn begin(&self, name: &str) -> Box<dyn Incoming> {
        Box::new(Coming(self.0.clone(), name.to_owned(), Vec::new()))
    }
}

impl Incoming for Coming {
    fn write(&mut self, piece: Vec<u8>) -> Later<'_, ()> {
        self.2.extend(piece);
        Box::pin(std::future::ready(()))
    }

    fn finish(self: Box<Self>) -> Later<'static, Later<'static, Became>> {
        let Self(files, name, bytes) = *self;
        let size = bytes.len() as u64;
        files.lock().unwrap().push((name.clone(), bytes));
        let became = Became { name, bytes: size, reports: 1, new: 1, named: vec![1], ..Became::default() };
        let later: Later<'static, Became> = Box::pin(std::future::ready(became));
        Box::pin(std::future::ready(later))
    }
}

impl Noted {
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

fn portal(dir: &tempfile::TempDir) -> (Portal, Noted) {
    let noted = Noted::default();
    let address = "127.0.0.1:8025".parse().unwrap();
    let options = Options { inbox: Some(Arc::new(noted.clone())), ..Options::at(address) };
    (Portal::as_said(ledger::filled(dir.path()), options), noted)
}

const FORM: &str = "multipart/form-data; boundary=xyz";

/// A form with these files, and fields without a file around them.
fn form(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = b"--xyz\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\n\r\n".to_vec();
    for (name, bytes) in files {
        let head = format!(
            "--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--xyz--\r\n");
    body
}

fn post(portal: &Portal, url: &str, fields: &[(&str, &str)], body: Vec<u8>) -> Answer {
    portal.send(Method::POST, url, fields, Body::from(body))
}

#[test]
fn a_form_is_shown_and_what_it_sends_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let (portal, noted) = portal(&dir);
    for url in ["/reports", "/reports/upload"] {
        let page = portal.get(url).text();
        assert!(page.contains("enctype=\"multipart/form-data\"") && page.contains("method=\"post\""), "{url}");
        assert!(attributes(&page, "action").contains(&"/reports/upload".to_owned()), "{url}");
        assert!(attributes(&page, "type").contains(&"file".to_owned()), "{url}");
    }
    let large = vec![b'x'; 3 << 20];
    let body = form(&[("a.xml", b"<feedback/>"), ("<b>\u{202e}.zip", &large), ("empty", b"")]);
    let fields = [("content-type", FORM), ("sec-fetch-site", "same-origin"), ("origin", "null")];
    let answer = post(&portal, "/reports/upload", &fields, body);
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    let page = answer.text();
    assert!(page.contains("What became of the files?") && page.contains("2\u{a0}new reports"), "{page}");
    assert!(page.contains("It is empty."), "a file that is nothing is not passed over");
    assert!(!page.contains("<b>") && !page.contains('\u{202e}'), "a name is a stranger's text");
    assert!(attributes(&page, "href").contains(&"/reports/1".to_owned()), "what it became can be looked at");
    let files = noted.files();
    assert_eq!((files.len(), files[0].1.as_slice(), files[1].1.len()), (2, &b"<feedback/>"[..], 3 << 20));
}

#[test]
fn a_program_gets_the_same_as_its_schema_says() {
    let dir = tempfile::tempdir().unwrap();
    let (portal, noted) = portal(&dir);
    let document = portal.get("/api/openapi.json").json();
    let operation = &document["paths"]["/api/v1/reports"]["post"];
    let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
    let cases: [(&str, &str, Vec<u8>, &[&str]); 3] = [
        ("several files", FORM, form(&[("a", b"1"), ("b", b"2")]), &["a", "b"]),
        ("one file as it is", "application/gzip", b"1".to_vec(), &[""]),
        ("what curl says of it", "application/x-www-form-urlencoded", b"1".to_vec(), &[""]),
    ];
    for (why, kind, body, names) in cases {
        let answer = post(&portal, "/api/v1/reports", &[("content-type", kind)], body);
        assert_eq!(answer.status.as_u16(), 200, "{why}: {}", answer.text());
        let value = answer.json();
        assert_eq!(faults(&document, schema, &value), Vec::<String>::new(), "{why}");
        let got: Vec<&str> =
            value["files"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap()).collect();
        assert_eq!(got, names, "{why}");
        assert_eq!(noted.files().len(), names.len(), "{why}");
    }
    assert!(portal.get("/api/v1/reports").json()["lines"].is_array(), "asking is as it was");
}

#[test]
fn nothing_is_taken_from_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let (portal, noted) = portal(&dir);
    let foreign: [&[(&str, &str)]; 4] = [
        &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")],
        &[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "navigate")],
        &[("origin", "https://evil.example")],
        &[("host", "evil.example:8025")],
    ];
    for fields in foreign {
        for url in ["/reports/upload", "/api/v1/reports"] {
            let all = [fields, &[("content-type", FORM)]].concat();
            let answer = post(&portal, url, &all, form(&[("a", b"1")]));
            assert!([403, 421].contains(&answer.status.as_u16()), "{fields:?} {url}: {}", answer.status);
            assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
        }
    }
    assert_eq!(noted.files(), vec![]);
}

#[test]
fn what_cannot_be_taken_is_told_why() {
    let dir = tempfile::tempdir().unwrap();
    let (portal, noted) = portal(&dir);
    let half = form(&[("a", b"12345")]);
    let cases: [(&str, &str, Vec<u8>, u16); 5] = [
        ("no file chosen", FORM, form(&[("", b"")]), 400),
        ("no file at all", FORM, form(&[]), 400),
        ("a form cut short", FORM, half[..half.len() - 20].to_vec(), 400),
        ("a form without its boundary", "multipart/form-data", form(&[("a", b"1")]), 400),
        ("an empty body", "application/xml", Vec::new(), 400),
    ];
    for (why, kind, body, status) in cases {
        let fields = [("content-type", kind)];
        let answer = post(&portal, "/api/v1/reports", &fields, body.clone());
        assert_eq!(answer.status.as_u16(), status, "{why}: {}", answer.text());
        assert_eq!(answer.header("content-type"), "application/problem+json", "{why}");
        assert!(answer.json()["detail"].as_str().is_some_and(|detail| detail.len() > 20), "{why}");
        let page = post(&portal, "/reports/upload", &fields, body);
        assert_eq!((page.status.as_u16(), page.header("content-type")), (status, "text/html; charset=utf-8"), "{why}");
    }
    assert_eq!(noted.files(), vec![], "half a file is none");
    let many: Vec<(String, Vec<u8>)> = (0..1_001).map(|n| (n.to_string(), vec![b'x'])).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let answer = post(&portal, "/api/v1/reports", &[("content-type", FORM)], form(&many));
    assert_eq!(answer.status.as_u16(), 413);
    // Elsewhere there is nothing to hand in.
    for (url, status) in [("/reports", 413), ("/api/v1/trend", 413), ("/domains", 413)] {
        assert_eq!(post(&portal, url, &[], b"x".to_vec()).status.as_u16(), status, "{url}");
    }
}

#[test]
fn a_portal_that_only_shows_has_no_form() {
    let dir = tempfile::tempdir().unwrap();
    let portal = Portal::on(ledger::filled(dir.path()), "127.0.0.1:8025");
    assert!(!portal.get("/reports").text().contains("multipart/form-data"));
    assert_eq!(portal.get("/reports/upload").status.as_u16(), 404);
    for url in ["/reports/upload", "/api/v1/reports"] {
        let answer = post(&portal, url, &[("content-type", FORM)], form(&[("a", b"1")]));
        assert_eq!(answer.status.as_u16(), 413, "{url}");
    }
    let dir = tempfile::tempdir().unwrap();
    let (empty, inbox) = (ledger::empty(dir.path()), Noted::default());
    let options = Options { inbox: Some(Arc::new(inbox)), ..Options::at("127.0.0.1:8025".parse().unwrap()) };
    let page = Portal::as_said(empty, options).get("/domains").text();
    assert!(page.contains("multipart/form-data"), "the first reports may come this way");
}
