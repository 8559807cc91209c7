//! The API: the document says what the program does, and every answer has the shape it says.

use serde_json::Value;

use crate::ledger;
use crate::schema;
use crate::support::Portal;

fn document(portal: &Portal) -> Value {
    portal.get("/api/openapi.json").json()
}

/// An address for a path of the document.
fn filled_in(portal: &Portal, path: &str) -> String {
    let flow = || portal.get("/api/v1/flows").json()["lines"][0]["id"].as_str().unwrap_or("none").to_owned();
    let path = if path.contains("{flow}") { path.replace("{flow}", &flow()) } else { path.to_owned() };
    path.replace("{ip}", "203.0.113.7").replace("{id}", "3").replace("{day}", ledger::CAMPAIGN)
}

#[test]
fn every_route_of_the_document_answers_in_the_shape_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let portal = Portal::on(ledger::filled(dir.path()), "127.0.0.1:8025");
    let document = document(&portal);
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() >= 13, "{}", paths.len());
    for (path, item) in paths {
        let schema = &item["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{path} says what it answers");
        let answer = portal.get(&filled_in(&portal, path));
        assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.text());
        assert_eq!(answer.header("content-type"), "application/json", "{path}");
        let faults = schema::faults(&document, schema, &answer.json());
        assert!(faults.is_empty(), "{path}: {faults:#?}");
    }
}

#[test]
fn an_empty_ledger_answers_in_the_same_shape() {
    let dir = tempfile::tempdir().unwrap();
    let portal = Portal::on(ledger::empty(dir.path()), "127.0.0.1:8025");
    let document = document(&portal);
    for (path, item) in document["paths"].as_object().unwrap() {
        let answer = portal.get(&filled_in(&portal, path));
        // Nothing can be said of what is not there, nor of what would become of it.
        if ["{id}", "{flow}", "/preview", "/readiness"].iter().any(|one| path.contains(one)) {
            assert_eq!(answer.status.as_u16(), 404, "{path}");
            continue;
        }
        assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.text());
        let schema = &item["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        let faults = schema::faults(&document, schema, &answer.json());
        assert!(faults.is_empty(), "{path}: {faults:#?}");
    }
}

#[test]
fn every_parameter_of_the_document_is_taken_and_refused_as_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let portal = Portal::on(ledger::filled(dir.path()), "127.0.0.1:8025");
    let document = document(&portal);
    let problem = &document["components"]["schemas"]["Problem"];
    let mut tried = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let url = filled_in(&portal, path);
        for parameter in item["get"]["parameters"].as_array().unwrap().iter().filter(|p| p["in"] == "query") {
            let name = parameter["name"].as_str().unwrap();
            if matches!(name, "remove_include" | "add_range" | "dkim_for") {
                continue; // what may be named depends on the record and the flows that are known
            }
            let good = example(name);
            let answer = portal.get(&format!("{url}?{name}={good}"));
            assert_eq!(answer.status.as_u16(), 200, "{url}?{name}={good}: {}", answer.text());
            tried += 1;
            if matches!(
                name,
                "domain" | "reporter" | "spf_domain" | "dkim_domain" | "q" | "local_part" | "spf" | "change"
            ) {
                continue; // any text is one
            }
            let answer = portal.get(&format!("{url}?{name}=%21"));
            assert_eq!(answer.status.as_u16(), 400, "{url}?{name}=!");
            assert_eq!(answer.header("content-type"), "application/problem+json");
            let said = answer.json();
            assert!(schema::faults(&document, problem, &said).is_empty());
            assert_eq!(said["parameter"], name);
            assert!(said["detail"].as_str().unwrap().contains("Allowed:"), "{said}");
        }
        let answer = portal.get(&format!("{url}?nosuch=1"));
        assert_eq!((answer.status.as_u16(), &answer.json()["parameter"]), (400, &Value::from("nosuch")), "{url}");
    }
    println!("{tried} parameters tried");
    assert!(tried > 60);
}

/// A good value for each parameter.
fn example(name: &str) -> &'static str {
    match name {
        "domain" => "contoso.example",
        "subdomains" => "yes",
        "days" => "all",
        "since" | "until" => ledger::CAMPAIGN,
        "reporter" => "bigmail.example",
        "network" => "203.0.113.0/24",
        "outcome" => "failing",
        "disposition" => "quarantine",
        "group" => "network",
        "sort" => "messages",
        "order" => "reverse",
        "offset" | "limit" => "1",
        "policy" => "unseen",
        "flaw" => "missing_selector",
        "local_part" => "visualstudio",
        "class" => "spoofer,unknown",
        "p" | "sp" | "np" | "for" => "reject",
        "adkim" | "aspf" => "s",
        "pct" => "50",
        "t" => "y",
        "spf" => "v%3Dspf1%20-all",
        "change" => "contoso.example.%20TXT%20%22v%3Dspf1%20-all%22",
        "standard" => "rfc7489",
        _ => "example",
    }
}

#[test]
fn pages_and_api_give_the_same_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let portal = Portal::on(ledger::filled(dir.path()), "127.0.0.1:8025");
    let trend = portal.get("/api/v1/trend?domain=contoso.example&days=30").json();
    let page = portal.get("/domains/contoso.example/trend?days=30").text();
    let messages = trend["totals"]["messages"].as_u64().unwrap();
    assert!(messages > 10_000, "{messages}");
    assert!(page.contains(&insight::commas(messages)), "{messages}");
    let sources = portal.get("/api/v1/sources?days=all&limit=1000").json();
    let lines = sources["lines"].as_array().unwrap();
    assert_eq!(lines.len() as u64, sources["lines_total"].as_u64().unwrap());
    let rows = portal.get("/api/v1/rows?days=all&limit=1").json();
    let whole: u64 = ["both", "dkim_only", "spf_only", "forwarded", "unaligned", "unauthenticated"]
        .iter()
        .map(|o| sources["totals"][o].as_u64().unwrap())
        .sum();
    assert_eq!(rows["messages_total"].as_u64().unwrap(), whole);
    let paged = portal.get("/api/v1/rows?days=all&offset=1&limit=2").json();
    assert_eq!(paged["lines"].as_array().unwrap().len(), 2);
    assert_eq!(paged["lines_total"], rows["lines_total"]);
}
