//! Looking ahead, in a real browser and without scripts: from the trend to a flow, to the preview of `p=quarantine`, to the gates and why
//! they block; and the same from the API and the command line.

use std::path::Path;
use std::process::Command;

use e2e::audit::complaints;
use e2e::browser::{Browser, Look};
use e2e::{Server, company, finish, get, lamppost, must_not_skip};
use serde_json::Value;
use tempfile::TempDir;

#[test]
fn from_the_trend_to_the_gates_and_why_they_block() {
    let Some(mut browser) = Browser::start() else {
        must_not_skip("Chromium is not installed: `cargo xtask test --install`");
        return;
    };
    browser.look(Look { width: 1440, height: 900, dark: false });
    browser.scripts(false);
    let folder = TempDir::new().expect("a temporary folder");
    let server = company(folder.path(), 45);
    browser.take_events();

    browser.open(&format!("{}domains/halden.example/trend?view=class", server.address));
    browser.follow("tfoot a[href*='class=unknown']");
    browser.says(&["Which streams of mail are in our name?", "Unknown"]);
    browser.follow("nav a[href^='/preview']");
    browser.says(&[
        "What if we published p=quarantine?",
        "Harm by class",
        "In 95 of 100 cases the mean",
        "Copy as change request",
    ]);
    browser.eval("document.querySelector('form.plan [name=p]').value = 'quarantine'");
    browser.eval("document.querySelector('form.plan [name=np]').value = 'reject'");
    browser.follow("form.plan button");
    assert!(browser.url().contains("p=quarantine") && browser.url().contains("np=reject"), "{}", browser.url());
    browser.says(&["p=quarantine, np=reject", "By the tag that decides"]);
    browser.follow("a[href^='/readiness']:is(.btn)");
    browser.says(&["Are we ready for p=quarantine?", "Blocked by", "G5", "Why?", "lamppost waive G5", "np=reject"]);
    browser.follow("tr#G5 a[href^='/flows/']");
    browser.says(&["What the verdict rests on"]);
    let complaints = complaints(&browser.take_events(), &server.address);
    assert!(complaints.is_empty(), "{complaints:#?}");
    on_every_way(&server, folder.path());
}

/// API and commands say the same; a waiver given on the command line is seen in the portal.
fn on_every_way(server: &Server, folder: &Path) {
    let run = |args: &[&str]| {
        let mut command = Command::new(lamppost());
        command.current_dir(folder).args(["--data", "ledger"]).args(args);
        finish(command).expect(0)
    };
    let told =
        run(&["preview", "--domain", "halden.example", "--policy", "reject", "--adkim", "s", "--format", "json"])
            .json();
    let api = get(&server.address, "/api/v1/preview?domain=halden.example&p=reject&adkim=s").json();
    // The command has judged anew what came since; the server learns about sources meanwhile, so that more may have come by now.
    let but_for_news = |mut answer: Value| {
        assert!(answer.as_object_mut().and_then(|answer| answer.remove("stale")).is_some(), "{answer}");
        answer
    };
    let api = but_for_news(api);
    assert_eq!(api, but_for_news(told));
    assert!(api["harm"]["at_most"].as_f64().expect("a bound") > api["harm"]["expected"].as_f64().expect("a number"));
    let _ = run(&["waive", "G5", "--domain", "halden.example", "--owner", "M. Okafor", "--expires", "2099-12-31"]);
    let gates = get(&server.address, "/api/v1/readiness?domain=halden.example").json();
    let gate = gates["gates"].as_array().expect("gates").iter().find(|gate| gate["id"] == "G5").expect("G5");
    assert_eq!((gate["state"].as_str(), gate["waiver"]["owner"].as_str()), (Some("waived"), Some("M. Okafor")));
    let text = run(&["readiness", "--domain", "halden.example"]).stdout;
    assert!(text.contains("M. Okafor answers for it until 2099-12-31"), "{text}");
    let wrong = get(&server.address, "/api/v1/preview?domain=halden.example&remove_include=nosuch.example");
    assert_eq!(wrong.status, 400);
    let page = get(&server.address, "/preview?domain=halden.example&remove_include=nosuch.example");
    assert!(page.status == 200 && page.text().contains("This cannot be worked out"), "the form stays, with the reason");
}
