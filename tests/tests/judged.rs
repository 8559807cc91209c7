//! What is judged, in a real browser and without scripts: from the trend by class to a flow, its reasons, and a decision that is then seen on
//! every page, in the API and from the command line.

use std::path::Path;
use std::process::Command;

use e2e::audit::complaints;
use e2e::browser::{Browser, Look};
use e2e::{Server, company, finish, get, lamppost, must_not_skip};
use serde_json::Value;
use tempfile::TempDir;

/// The messages of a class on every way there is: API, page of flows, command.
fn messages(server: &Server, folder: &Path, class: &str) -> [u64; 2] {
    let api = get(&server.address, "/api/v1/trend/classes?days=all").json();
    let mut command = Command::new(lamppost());
    command.current_dir(folder).args(["--data", "ledger", "flows", "--days", "0", "--format", "json"]);
    let told = finish(command).expect(0).json();
    let number = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("{class}: {value}"));
    [number(&api["totals"][class]), number(&told["classes"][class])]
}

#[test]
fn from_the_trend_to_a_decision_that_is_seen_everywhere() {
    let Some(mut browser) = Browser::start() else {
        must_not_skip("Chromium is not installed: `cargo xtask test --install`");
        return;
    };
    browser.look(Look { width: 1440, height: 900, dark: false });
    browser.scripts(false);
    let folder = TempDir::new().expect("a temporary folder");
    let server = company(folder.path(), 60);
    let open = |browser: &mut Browser, path: &str| browser.open(&format!("{}{}", server.address, &path[1..]));
    browser.take_events();

    open(&mut browser, "/trend");
    browser.follow(".switch a[href*='view=class']");
    browser.says(&["by class", "Spoofer", "are sent without any right"]);
    browser.follow("tfoot a[href*='class=unknown']");
    browser.says(&["Which streams of mail are in our name?", "Unknown", "Why?"]);
    let flows = get(&server.address, "/api/v1/flows?class=unknown&limit=1000").json();
    let lines = flows["lines"].as_array().expect("flows");
    let flow = lines.iter().find(|flow| flow["together"] == 1).expect("an unknown flow that stands for itself");
    let id = flow["id"].as_str().expect("an id").to_owned();
    browser.follow(&format!("table a[href^='/flows/{id}']"));
    browser.says(&["Why?", "What the verdict rests on", "SPF against DKIM", "Say what it is", "Addresses"]);
    let address = browser.text("table th.name a[href^='/sources/']");

    let before = messages(&server, folder.path(), "third_party_unaligned");
    assert_eq!(before[0], before[1]);
    browser.eval("document.querySelector('form.decide select').value = 'third_party'");
    browser.eval("document.querySelector('form.decide [name=note]').value = 'the <b>survey</b> tool'");
    browser.eval("document.querySelector('form.decide [name=who]').value = 'M. Okafor'");
    browser.follow("form.decide button");
    assert!(browser.url().ends_with(&format!("/flows/{id}")), "{}", browser.url());
    let class = get(&server.address, &format!("/api/v1/flows/{id}")).json()["flow"]["class"].clone();
    let (word, label) = match class.as_str() {
        Some("third_party") => ("third_party", "Third party"),
        Some("third_party_unaligned") => ("third_party_unaligned", "Third party, unaligned"),
        _ => panic!("the flow is {class}"),
    };
    browser.says(&[label, "D0", "the <b>survey</b> tool", "M. Okafor", "Take back"]);

    open(&mut browser, &format!("/flows?class={word}"));
    assert!(!browser.text(&format!("table a[href^='/flows/{id}']")).is_empty(), "the list of flows has it");
    open(&mut browser, &format!("/sources/{}", address.trim()));
    browser.says(&["What it is taken for", label]);
    open(&mut browser, "/decisions");
    browser.says(&["M. Okafor", "Third party"]);
    if word == "third_party_unaligned" {
        let after = messages(&server, folder.path(), word);
        assert!(after[0] > before[0] && after[0] == after[1], "{before:?} {after:?}");
    }
    let mut command = Command::new(lamppost());
    command.current_dir(folder.path()).args(["--data", "ledger", "flow", &id, "--format", "json"]);
    assert_eq!(finish(command).expect(0).json()["flow"]["class"], class);

    open(&mut browser, &format!("/flows/{id}"));
    browser.follow("form.undo button");
    browser.says(&["Taken back", "Unknown"]);
    assert_eq!(messages(&server, folder.path(), "third_party_unaligned"), before);
    let complaints = complaints(&browser.take_events(), &server.address);
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn today_and_the_two_lists_say_the_same_on_every_way() {
    let folder = TempDir::new().expect("a temporary folder");
    let server = company(folder.path(), 60);
    for (name, page) in [("today", "/"), ("lists", "/lists")] {
        let api = get(&server.address, &format!("/api/v1/{name}")).json();
        let mut command = Command::new(lamppost());
        command.current_dir(folder.path()).args(["--data", "ledger", name, "--format", "json"]);
        assert_eq!(finish(command).expect(0).json(), api, "{name}");
        assert_eq!(get(&server.address, page).status, 200);
        let mut command = Command::new(lamppost());
        command.current_dir(folder.path()).args(["--data", "ledger", name]);
        let text = finish(command).expect(0).stdout;
        let sentence = api["sentence"].as_str().expect("a sentence");
        assert!(text.contains(sentence), "`lamppost {name}` lacks “{sentence}”:\n{text}");
    }
    let lists = get(&server.address, "/api/v1/lists").json();
    let sum = |side: &str| lists[side]["failing"].as_u64().expect("a number");
    let days = lists["days"].as_array().expect("days");
    let period = format!("since={}&until={}", days[0].as_str().unwrap_or(""), days[1].as_str().unwrap_or(""));
    let trend = get(&server.address, &format!("/api/v1/trend?{period}")).json();
    let failing = trend["totals"]["outcome"]["neither"].as_u64().expect("a number");
    assert_eq!(sum("good") + sum("bad") + sum("neither"), failing, "what fails is on one of the lists, or on neither");
}
