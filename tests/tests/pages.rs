//! The pages about the program itself, over a `serve` that runs: sources of reports, what is expected of reporters, reputation, owners; and
//! the same as JSON, as metrics and from the command line.

use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::audit::{audit, complaints};
use e2e::browser::{Browser, Look};
use e2e::{DEADLINE, Finished, Server, finish, get, lamppost, must_not_skip};
use serde_json::Value;
use tempfile::TempDir;

/// The first day of reports.
const FIRST: i64 = 1_766_448_000;
/// Days of reports: enough for every reporter to have a rhythm.
const DAYS: i64 = 45;

const CONFIGURATION: &str = r#"
data = "ledger"
[[source.folder]]
name = "drop"
path = "in"
after = "delete"
poll_seconds = 1
[[source.imap]]
name = "mailbox"
host = "127.0.0.1"
port = 1
tls = "none"
user = "dmarc-reports@contoso.example"
password = { file = "secret" }
[organisation]
domains = ["contoso.example"]
[[enrichment.file]]
name = "drop-list"
path = "drop.txt"
hard = true
[[enrichment.list]]
id = "dnswl"
terms_accepted = true
[directory]
people = ["people.csv"]
lists = ["lists.csv"]
"#;

const PEOPLE: &str = "name,mail,aliases,department,manager
Ada Lovelace,ada.lovelace@contoso.example,al@contoso.example,Engines,charles.babbage@contoso.example
Charles Babbage,charles.babbage@contoso.example,,Engines,
Stuart Visser,stuart.visser@contoso.example,,Sales,ada.lovelace@contoso.example
Nobody at all,,,,
";
const LISTS: &str = "name,mail,aliases,owners,members
Visual Studio Subscriptions,vss-admins@contoso.example,,ada.lovelace@contoso.example;Somebody Gone,12
";

const ZONE: &str = r"
$TTL 300
1.2.0.192.in-addr.arpa. PTR mail.contoso.example.
mail.contoso.example.   A   192.0.2.1
2.2.0.192.in-addr.arpa. PTR o1.ptr.sendgrid.net.
o1.ptr.sendgrid.net.    A   198.51.100.1
;@ servfail 3.2.0.192.in-addr.arpa.
";

/// A report about a day, with three sources that fail.
fn report(reporter: &str, day: i64) -> String {
    let begin = FIRST + day * 86_400;
    let rows: String = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
        .map(|address| {
            format!(
                "<record><row><source_ip>{address}</source_ip><count>3</count><policy_evaluated><disposition>none</disposition>\
                 <dkim>fail</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>contoso.example</header_from>\
                 </identifiers><auth_results><spf><domain>contoso.example</domain><result>fail</result></spf></auth_results></record>"
            )
        })
        .concat();
    format!(
        "<?xml version=\"1.0\"?>\n<feedback><report_metadata><org_name>{reporter}</org_name><email>dmarc@{reporter}</email>\
         <report_id>{day}</report_id><date_range><begin>{begin}</begin><end>{}</end></date_range></report_metadata>\
         <policy_published><domain>contoso.example</domain><p>none</p></policy_published>{rows}</feedback>\n",
        begin + 86_399
    )
}

fn run_in(folder: &Path, args: &[&str]) -> Finished {
    let mut command = Command::new(lamppost());
    command.current_dir(folder).args(args);
    finish(command)
}

/// A company with everything configured: two reporters, one of them silent for the last six days; names and grades learned.
fn company(folder: &Path) {
    let put = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("a temporary folder");
    for directory in ["in", "reports"] {
        std::fs::create_dir(folder.join(directory)).expect("a temporary folder");
    }
    for day in 0..DAYS {
        put(&format!("reports/steady-{day}.xml"), &report("steady.example", day));
        if day < DAYS - 6 {
            put(&format!("reports/gone-{day}.xml"), &report("gone.example", day));
        }
    }
    put("lamppost.toml", CONFIGURATION);
    put("secret", "hunter2\n");
    put("people.csv", PEOPLE);
    put("lists.csv", LISTS);
    put("dns.zone", ZONE);
    put("drop.txt", "192.0.2.2/32 ; SBL1\nno network at all\n");
    let _ = run_in(folder, &["import", "reports"]).expect(0);
    let _ = run_in(folder, &["enrich", "--zone", "dns.zone"]).expect(0);
}

/// Asks again and again until the answer is as it should be.
fn until(server: &Server, path: &str, good: impl Fn(&Value) -> bool) -> Value {
    let end = std::time::Instant::now() + DEADLINE;
    loop {
        let answer = get(&server.address, path).json();
        if good(&answer) {
            return answer;
        }
        assert!(std::time::Instant::now() < end, "{path} stays {answer}");
        std::thread::yield_now();
    }
}

#[test]
fn what_runs_is_told_on_every_way() {
    let folder = TempDir::new().expect("a temporary folder");
    company(folder.path());
    let server = Server::start(["serve", "--listen", "127.0.0.1:0"], folder.path());
    std::fs::write(folder.path().join("in/one.xml"), report("new.example", DAYS - 1)).expect("a temporary folder");
    std::fs::write(folder.path().join("in/two.txt"), "Dear customer").expect("a temporary folder");

    let told = until(&server, "/api/v1/collecting", |told| {
        told["taking"]["items"] == 2 && told["sources"][1]["activity"] == "failing"
    });
    let (drop, mailbox) = (&told["sources"][0], &told["sources"][1]);
    assert_eq!((&drop["name"], &drop["items"], &drop["endpoint"]), (&"drop".into(), &2.into(), &"in".into()));
    assert_eq!(mailbox["endpoint"], "dmarc-reports@contoso.example at 127.0.0.1: INBOX");
    assert!(mailbox["last_error"]["message"].as_str().is_some_and(|why| why.contains("127.0.0.1")), "{mailbox}");
    assert!(!told.to_string().contains("hunter2"));

    let _ = until(&server, "/api/v1/owners", |told| told["directory"]["loaded"].is_number());
    let metrics = get(&server.address, "/metrics").text();
    for line in [
        "lamppost_source_up{source=\"mailbox\",kind=\"imap\"} 0",
        "lamppost_source_items_total{source=\"drop\",kind=\"folder\"} 2",
        "lamppost_directory_entries 4",
        "lamppost_list_questions_daily{list=\"dnswl\"} 50000",
    ] {
        assert!(metrics.lines().any(|there| there == line), "{line}:\n{metrics}");
    }
    assert!(!metrics.contains("steady.example"), "no text from reports is in metrics");

    let learning = until(&server, "/api/v1/learning", |told| told["ended"].is_number());
    assert_eq!((&learning["files"][0]["entries"], &learning["files"][0]["skipped"]), (&1.into(), &1.into()));
    assert_eq!(
        (&learning["lists"][0]["state"], &learning["lists"][0]["questions_today"]),
        (&"untested".into(), &0.into())
    );
}

#[test]
fn answers_are_the_same_from_portal_and_commands() {
    let folder = TempDir::new().expect("a temporary folder");
    company(folder.path());
    let commands = |args: &[&str]| run_in(folder.path(), &[args, &["--format", "json"]].concat()).expect(0).json();
    let (expected, reputation) = (commands(&["reports", "expected"]), commands(&["reputation"]));
    let owner = commands(&["owner", "visualstudio@contoso.example"]);

    let lines = expected["reporters"].as_array().expect("reporters");
    let states: Vec<_> = lines.iter().map(|line| (line["reporter"].as_str(), line["state"].as_str())).collect();
    assert_eq!(states, [(Some("gone.example"), Some("silent")), (Some("steady.example"), Some("on_time"))]);
    assert_eq!(lines[0]["silent_since"], lines[0]["first_missing"]);
    assert!(lines[0]["missing_days"].as_u64().is_some_and(|days| (3..=4).contains(&days)), "{}", lines[0]);

    let side = |name: &str| -> Vec<_> {
        reputation[name].as_array().expect("a side").iter().map(|line| line["address"].clone()).collect()
    };
    assert_eq!((side("good"), side("bad")), (vec!["192.0.2.1".into()], vec!["192.0.2.2".into()]), "{reputation}");
    assert_eq!((&reputation["sources"], &reputation["failing"]), (&3.into(), &(3 * 3 * (2 * DAYS - 6)).into()));
    // The zone file knows nothing of the list, so the list failed its test and says nothing about anybody.
    let gap = &reputation["gaps"][0];
    assert!(gap["gap"].as_str().is_some_and(|gap| gap.starts_with("dnswl: ")) && gap["sources"] == 3, "{reputation}");

    assert_eq!(
        (&owner["exact"], &owner["candidates"][0]["mail"]),
        (&false.into(), &"vss-admins@contoso.example".into())
    );
    let text = run_in(folder.path(), &["owner", "al", "nosuchthing"]).expect(0).stdout;
    assert!(
        text.contains("Ada Lovelace <ada.lovelace@contoso.example>") && text.contains("no name is like it"),
        "{text}"
    );
    assert!(text.contains("reports to Charles Babbage"), "{text}");

    let server = Server::start(["serve", "--listen", "127.0.0.1:0"], folder.path());
    assert_eq!(get(&server.address, "/api/v1/expected").json(), expected);
    assert_eq!(get(&server.address, "/api/v1/reputation").json(), reputation);
    let asked = "/api/v1/owners?q=visualstudio%40contoso.example";
    assert_eq!(until(&server, asked, |told| !told["answer"].is_null())["answer"], owner);
}

#[test]
fn what_a_page_offers_to_be_copied_is_a_configuration() {
    let folder = TempDir::new().expect("a temporary folder");
    let ledger = folder.path().join("ledger");
    let args = ["serve", "--listen", "127.0.0.1:0", "--data"].map(Into::into);
    let server = Server::start(args.into_iter().chain([ledger.into_os_string()]), folder.path());
    let mut examples = String::new();
    for path in ["/reports/sources", "/owners"] {
        let page = get(&server.address, path).text();
        let example = page.split("<pre class=\"example\">").nth(1).and_then(|rest| rest.split("</pre>").next());
        examples += &example.unwrap_or_else(|| panic!("{path} offers nothing: {page}")).replace("&quot;", "\"");
        examples.push('\n');
    }
    std::fs::write(folder.path().join("lamppost.toml"), &examples).expect("a temporary folder");
    let checked = run_in(folder.path(), &["config", "check"]).expect(0).stdout;
    for key in ["imap.example.com", "/srv/reports", "ldaps://dc.example.com", "people.csv"] {
        assert!(checked.contains(key), "{key}: {checked}");
    }
    let refused = run_in(folder.path(), &["owner", "x"]).expect(1).stderr;
    assert!(refused.contains("people.csv"), "a file that is not there is named: {refused}");
    std::fs::remove_file(folder.path().join("lamppost.toml")).expect("a temporary folder");
    assert!(run_in(folder.path(), &["owner", "x"]).expect(1).stderr.contains("no directory is configured"));
}

const LOOKS: [(&str, u32, u32, bool); 4] = [
    ("wide-light", 1280, 900, false),
    ("wide-dark", 1280, 900, true),
    ("phone-light", 390, 844, false),
    ("phone-dark", 390, 844, true),
];

#[test]
fn they_are_whole_in_a_browser() {
    let Some(mut browser) = Browser::start() else {
        must_not_skip("Chromium is not installed: `cargo xtask test --install`");
        return;
    };
    let folder = TempDir::new().expect("a temporary folder");
    company(folder.path());
    let server = Server::start(["serve", "--listen", "127.0.0.1:0"], folder.path());
    std::fs::write(folder.path().join("in/two.txt"), "Dear customer").expect("a temporary folder");
    let _ = until(&server, "/api/v1/collecting", |told| {
        told["taking"]["refused"] == 1 && told["sources"][1]["activity"] == "failing"
    });
    let _ = until(&server, "/api/v1/owners?q=x", |told| told["directory"]["loaded"].is_number());
    let pictures: PathBuf = lamppost().parent().and_then(Path::parent).expect("target/<profile>/lamppost").join("e2e");
    let mut found = Vec::new();
    for (look, width, height, dark) in LOOKS {
        browser.look(Look { width, height, dark });
        for (name, path, says) in [
            ("collecting", "reports/sources", "mailbox"),
            ("expected", "reports", "gone.example"),
            ("reputation", "reputation", "192.0.2.2"),
            ("owners", "owners?q=visualstudio@contoso.example", "Visual Studio Subscriptions"),
            ("owner", "owners?q=al", "Ada Lovelace"),
            ("owners-asked", "owners", "Type a local part"),
        ] {
            browser.open(&format!("{}{path}", server.address));
            let at = format!("{name}, {look}");
            assert!(browser.text("main").contains(says), "{at}: {}", browser.text("main"));
            browser.eval("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
            browser.screenshot(&pictures.join(format!("{name}-{look}.png")));
            found.extend(audit(&mut browser).into_iter().map(|finding| format!("{at}: {finding}")));
            let said = complaints(&browser.take_events(), &server.address);
            found.extend(said.into_iter().map(|complaint| format!("{at}: {complaint}")));
        }
    }
    assert!(found.is_empty(), "{} findings:\n{}", found.len(), found.join("\n"));
    // Without scripts the field still asks.
    browser.scripts(false);
    browser.open(&format!("{}owners", server.address));
    browser.eval("document.querySelector('#who').focus()");
    browser.type_text("visualstudio@");
    browser.press_and_wait("Enter");
    assert!(browser.text("main").contains("Visual Studio Subscriptions"), "{}", browser.text("main"));
}
