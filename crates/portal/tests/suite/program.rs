//! What the running program tells: on its pages, through the API and in metrics; and nothing where it tells nothing.

use std::sync::Arc;

use insight::{OwnerAnswer, OwnerLine};
use portal::program::{
    Activity, Collecting, Directory, DirectoryState, DnsCache, Learning, ListState, Mishap, Program, SourceHealth,
};

use crate::ledger;
use crate::schema;
use crate::support::Portal;

const HOSTILE: &str = "<script>alert(1)</script>\u{202e}";

fn program() -> Program {
    let collecting = || {
        let mailbox = SourceHealth {
            endpoint: "reports at imap.contoso.example: INBOX".to_owned(),
            activity: Activity::Failing,
            last_error: Some(Mishap { at: 1_700_000_000, message: format!("the server said {HOSTILE}") }),
            errors: 4,
            ..SourceHealth::new("mailbox", "imap")
        };
        let drop = SourceHealth {
            activity: Activity::Waiting,
            items: 12,
            refused: 1,
            refusals: vec![Mishap { at: 1_700_000_000, message: format!("{HOSTILE}.zip is no report") }],
            ..SourceHealth::new("drop", "folder")
        };
        let taking = SourceHealth { activity: Activity::Waiting, ..SourceHealth::new("ledger", "ledger") };
        Collecting { sources: vec![mailbox, drop], taking: Some(taking), backlog: 3 }
    };
    let learning = || Learning {
        enabled: true,
        lists: vec![ListState {
            id: "spamhaus-zen".to_owned(),
            title: "Spamhaus ZEN".to_owned(),
            terms: "terms".to_owned(),
            questions_today: 40,
            questions_daily: 50_000,
            state: "off".to_owned(),
            why: Some("it answers with an error".to_owned()),
            until: None,
        }],
        ..Learning::default()
    };
    let state = || DirectoryState { entries: 2, loaded: Some(1_700_000_000), ..DirectoryState::default() };
    let line = OwnerLine {
        kind: "list".to_owned(),
        name: format!("Visual Studio {HOSTILE}"),
        mail: "vss@contoso.example".to_owned(),
        department: None,
        manager: None,
        owners: Vec::new(),
        members: 12,
        matched: "similar".to_owned(),
        why: "is the beginning of its name".to_owned(),
        score: 880,
    };
    let find = move |asked: &str| {
        Some(OwnerAnswer { asked: asked.to_owned(), exact: false, candidates: vec![line.clone(); 7] })
    };
    Program {
        collecting: Some(Arc::new(collecting)),
        learning: Some(Arc::new(learning)),
        directory: Some(Directory { state: Arc::new(state), find: Arc::new(find) }),
        dns: Some(Arc::new(|| vec![DnsCache { name: "reporters", asked: 9, passed_on: 4, failed: 1 }])),
        decide: None,
        say: None,
        readiness: insight::ReadinessThresholds::default(),
    }
}

#[test]
fn pages_show_what_the_program_tells() {
    let dir = tempfile::tempdir().unwrap();
    let portal = Portal::with(ledger::filled(dir.path()), "127.0.0.1:8025", program());
    let cases: [(&str, &[&str]); 3] = [
        (
            "/reports/sources",
            &[
                "1 of 2\u{a0}sources",
                "fails",
                "imap.contoso.example",
                "the server said",
                "password",
                "is no report",
                "Kept, not yet counted",
            ],
        ),
        (
            "/owners?q=visualstudio%40contoso.example",
            &[
                "Who sends as visualstudio@contoso.example?",
                "vss@contoso.example",
                "7\u{a0}entries are",
                "no owner known",
                "2\u{a0}more",
                "880",
            ],
        ),
        ("/reputation", &["Spamhaus ZEN", "it answers with an error", "50,000", "0.1\u{202f}% used"]),
    ];
    for (url, expected) in cases {
        let answer = portal.get(url);
        assert_eq!(answer.status.as_u16(), 200, "{url}");
        let page = answer.text();
        for text in expected {
            assert!(page.contains(text), "{url} lacks {text}: {page}");
        }
        assert!(!page.contains("<script>alert"), "{url}");
    }
}

#[test]
fn the_api_tells_it_in_the_shape_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let portal = Portal::with(ledger::filled(dir.path()), "127.0.0.1:8025", program());
    let document = portal.get("/api/openapi.json").json();
    for (url, path) in [
        ("/api/v1/collecting", "/api/v1/collecting"),
        ("/api/v1/learning", "/api/v1/learning"),
        ("/api/v1/owners?q=visualstudio", "/api/v1/owners"),
    ] {
        let schema = &document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        let said = portal.get(url).json();
        let faults = schema::faults(&document, schema, &said);
        assert!(faults.is_empty(), "{url}: {faults:#?}");
    }
    let said = portal.get("/api/v1/collecting").json();
    assert_eq!((&said["sources"][0]["activity"], &said["backlog"]), (&"failing".into(), &3.into()));
    let said = portal.get("/api/v1/owners?q=visualstudio").json();
    assert_eq!((&said["answer"]["asked"], &said["directory"]["entries"]), (&"visualstudio".into(), &2.into()));
}

#[test]
fn metrics_tell_it_too_and_name_nothing_from_reports() {
    let dir = tempfile::tempdir().unwrap();
    let portal = Portal::with(ledger::filled(dir.path()), "127.0.0.1:8025", program());
    assert_eq!(portal.get("/domains").status.as_u16(), 200);
    assert_eq!(portal.get("/no/such/page?x=%3Cscript%3E").status.as_u16(), 404);
    let answer = portal.get("/metrics");
    assert_eq!(
        (answer.status.as_u16(), answer.header("content-type")),
        (200, "text/plain; version=0.0.4; charset=utf-8")
    );
    let text = answer.text();
    for line in [
        "lamppost_source_up{source=\"mailbox\",kind=\"imap\"} 0",
        "lamppost_source_up{source=\"drop\",kind=\"folder\"} 1",
        "lamppost_source_items_total{source=\"drop\",kind=\"folder\"} 12",
        "lamppost_backlog_items 3",
        "lamppost_list_questions_today{list=\"spamhaus-zen\"} 40",
        "lamppost_list_off{list=\"spamhaus-zen\"} 1",
        "lamppost_directory_entries 2",
        "lamppost_dns_failed_total{cache=\"reporters\"} 1",
        "lamppost_intake_total{outcome=\"rejected\"} 1",
        "lamppost_intake_total{outcome=\"conflict\"} 1",
        "lamppost_http_requests_total{route=\"/domains\",status=\"2xx\"} 1",
        "lamppost_http_requests_total{route=\"other\",status=\"4xx\"} 1",
    ] {
        assert!(text.lines().any(|there| there == line), "{line} is missing:\n{text}");
    }
    for stranger in ["script", "bigmail", "contoso", "such"] {
        assert!(!text.contains(stranger), "{stranger}:\n{text}");
    }
}
