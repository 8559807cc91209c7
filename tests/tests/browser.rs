//! The portal in a real browser: the way from all domains to one raw report, with and without scripts, on a wide screen and on a
//! phone, light and dark, and full of other people's markup.

use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::audit::{audit, complaints};
use e2e::browser::{Browser, Look};
use e2e::{Server, finish, get, lamppost, must_not_skip, request, suites};
use serde_json::Value;
use tempfile::TempDir;

const WIDE: Look = Look { width: 1440, height: 900, dark: false };
const PHONE: Look = Look { width: 390, height: 844, dark: false };
const LOOKS: [(&str, Look); 4] = [
    ("wide-light", WIDE),
    ("wide-dark", Look { dark: true, ..WIDE }),
    ("phone-light", PHONE),
    ("phone-dark", Look { dark: true, ..PHONE }),
];

fn browser() -> Option<Browser> {
    let Some(mut browser) = Browser::start() else {
        must_not_skip("Chromium is not installed: `cargo xtask test --install`");
        return None;
    };
    browser.look(WIDE);
    Some(browser)
}

/// Where pictures go: `target/e2e`.
fn pictures() -> PathBuf {
    lamppost().parent().and_then(Path::parent).expect("target/<profile>/lamppost").join("e2e")
}

/// A number as pages print it.
fn printed(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn path_of(url: &str, address: &str) -> String {
    format!("/{}", url.strip_prefix(address).unwrap_or_else(|| panic!("{url} is not at {address}")))
}

/// What the walk passes: the addresses of its pages, for the audits afterwards.
struct Walk<'a> {
    browser: &'a mut Browser,
    server: &'a Server,
    pages: Vec<(&'static str, String)>,
}

impl Walk<'_> {
    /// Notes where we are, and checks what every page must have.
    fn arrive(&mut self, name: &'static str, parts: &[&str]) {
        let url = self.browser.url();
        let path = path_of(&url, &self.server.address);
        let text = self.browser.text("main");
        for part in parts {
            assert!(
                text.contains(part),
                "{name} ({path}) does not say “{part}”:\n{}",
                text.get(..3000).unwrap_or(&text)
            );
        }
        let complaints = complaints(&self.browser.take_events(), &self.server.address);
        assert!(complaints.is_empty(), "{name} ({path}): {complaints:#?}");
        assert_eq!(get(&self.server.address, &path).status, 200, "{path}");
        self.pages.push((name, path));
    }

    fn api(&self, path: &str) -> Value {
        let answer = get(&self.server.address, path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }
}

fn sum(outcomes: &Value) -> u64 {
    outcomes.as_object().map_or(0, |map| map.values().filter_map(Value::as_u64).sum())
}

/// All domains → the largest → its spike → the sources of that day → one of them → its rows → a report → its raw XML.
fn walk(browser: &mut Browser, server: &Server) -> Vec<(&'static str, String)> {
    let mut walk = Walk { browser, server, pages: Vec::new() };
    walk.browser.take_events();
    walk.browser.open(&server.address);
    walk.arrive("today", &["What needs me?", "Worst first", "received of expected"]);
    walk.browser.follow("nav a[href^='/domains']");
    let portfolio = walk.api("/api/v1/portfolio");
    let largest = portfolio["domains"]
        .as_array()
        .and_then(|lines| lines.iter().max_by_key(|line| sum(&line["outcomes"])))
        .unwrap_or_else(|| panic!("no domains: {portfolio}"));
    let domain = largest["domain"].as_str().expect("a name").to_owned();
    walk.arrive("portfolio", &["Whose mail do we see?", &domain, &printed(sum(&largest["outcomes"]))]);

    walk.browser.follow(&format!("table a[href^='/domains/{domain}/trend']"));
    let trend = walk.api(&format!("/api/v1/trend?domain={domain}"));
    let days = trend["days"].as_array().expect("days");
    let spike = &trend["spikes"][0];
    let day = spike["day"].as_str().unwrap_or_else(|| panic!("no spike in the trend of {domain}: {}", trend["spikes"]));
    walk.arrive(
        "trend",
        &["What happened to mail in our name?", &printed(spike["failing"].as_u64().expect("a number"))],
    );
    let bars = walk.browser.eval("document.querySelectorAll('svg a[href^=\"/sources\"]').length");
    assert_eq!(bars, days.len(), "a link for each day of the chart");

    walk.browser.follow(&format!("svg a[href*='since={day}'][href*='until={day}']"));
    let on_day = days.iter().find(|on| on["day"] == day).expect("the spike is one of the days");
    let messages = printed(on_day["messages"].as_u64().expect("a number"));
    let sentence = spike["sentence"].as_str().expect("an explanation");
    walk.arrive("spike", &[&messages, sentence.get(..40).unwrap_or(sentence), "Why?"]);

    let sources = walk.api(&format!("/api/v1/sources?domain={domain}&since={day}&until={day}"));
    let address = sources["lines"][0]["key"].as_str().expect("a source").to_owned();
    walk.browser.follow(&format!("table a[href^='/sources/{address}']"));
    walk.arrive("source", &[&address]);

    walk.browser.follow("main a[href^='/rows']");
    walk.arrive("rows", &[&address, &domain]);
    let report = walk.browser.eval("document.querySelector(\"main a[href^='/reports/']\")?.getAttribute('href')");
    let report = report.as_str().expect("a row leads to its report").to_owned();

    walk.browser.follow(&format!("main a[href='{report}']"));
    walk.arrive("report", &[&domain]);
    walk.browser.follow("main a[href$='/xml']");
    walk.arrive("xml", &["<feedback", &domain]); // its beginning; all of it is in the download
    let raw = walk.browser.eval("document.querySelector(\"main a[href$='/raw']\")?.getAttribute('href')");
    let raw = get(&server.address, raw.as_str().expect("the XML can be had as it came"));
    assert_eq!((raw.status, raw.header("x-content-type-options")), (200, "nosniff"));
    assert!(raw.header("content-type").starts_with("text/plain"), "{}", raw.header("content-type"));
    assert!(raw.text().contains("<feedback") && raw.text().contains(&address), "{}", raw.text());
    walk.pages
}

#[test]
fn from_all_domains_to_one_raw_report() {
    let Some(mut browser) = browser() else { return };
    let folder = TempDir::new().unwrap();
    let server = Server::start(["demo", "--port", "0", "--scale", "0.1"], folder.path());
    let mut pages = walk(&mut browser, &server);
    browser.scripts(false);
    let without = walk(&mut browser, &server);
    assert_eq!(pages, without, "the same way without scripts");
    browser.scripts(true);

    let flow = get(&server.address, "/api/v1/flows?class=own_misconfigured&limit=1").json()["lines"][0].clone();
    let samples = get(&server.address, "/api/v1/samples").json();
    let sample = samples["lines"][0]["id"].as_u64().expect("the model company's reporters tell of single messages");
    pages.extend([
        ("trend-by-class", "/trend?view=class".to_owned()),
        ("flows", "/flows".to_owned()),
        ("flow", format!("/flows/{}", flow["id"].as_str().expect("an id"))),
        ("decisions", "/decisions".to_owned()),
        ("lists", "/lists".to_owned()),
        ("samples", "/samples".to_owned()),
        ("sample", format!("/samples/{sample}")),
        ("arrivals", "/reports".to_owned()),
        ("report-list", "/reports/list".to_owned()),
        ("flaws", "/reports/flaws".to_owned()),
        ("rejected", "/reports/rejected".to_owned()),
        ("conflicts", "/reports/conflicts".to_owned()),
        ("no-sources-of-reports", "/reports/sources".to_owned()),
        ("no-reputation", "/reputation".to_owned()),
        ("no-directory", "/owners?q=visualstudio".to_owned()),
        ("networks", "/sources?group=network".to_owned()),
        ("search", "/search?q=nothing.example".to_owned()),
        ("wrong", "/trend?days=no".to_owned()),
        ("all-trend", "/trend".to_owned()),
        ("api", "/api".to_owned()),
        ("nowhere", "/nowhere".to_owned()),
    ]);
    let mut found = Vec::new();
    for (look_name, look) in LOOKS {
        browser.look(look);
        for (name, path) in &pages {
            browser.open(&format!("{}{}", server.address, &path[1..]));
            let at = format!("{name}, {look_name} ({path})");
            browser.screenshot(&pictures().join(format!("{name}-{look_name}.png")));
            found.extend(audit(&mut browser).into_iter().map(|finding| format!("{at}: {finding}")));
            let complaints = complaints(&browser.take_events(), &server.address);
            // That a page is not there, and that a period is none, is the point of two of them.
            let complaints = complaints.into_iter().filter(|text| !(text.contains("404") || text.contains("400")));
            found.extend(complaints.map(|complaint| format!("{at}: {complaint}")));
        }
    }
    println!("{} pages, {} looks", pages.len(), LOOKS.len());
    assert!(found.is_empty(), "{} findings:\n{}", found.len(), found.join("\n"));
}

/// What the model company's folder does not come with: sources of reports, one of which cannot work, and a password for it.
const SOURCES: &str = r#"
[watch]
enabled = false
[[source.folder]]
name = "drop"
path = "in"
poll_seconds = 1
[[source.imap]]
name = "mailbox"
host = "127.0.0.1"
port = 1
tls = "none"
user = "dmarc-reports@halden.example"
password = { file = "secret" }
"#;

/// Names that exist and could be taken for the company's.
const ALIKE: &str = r#"
$TTL 300
ha1den.example. NS ns.park.example.
ha1den.example. A 192.0.2.80
ha1den.example. MX 10 mx.ha1den.example.
ha1den.example. TXT "v=spf1 mx -all"
haldern.example. NS ns.park.example.
halden-login.example. NS ns.evil.example.
halden-login.example. MX 10 mx.evil.example.
"#;

/// The model company with everything there are pages about: profiles of its sources, the history of its DNS, names like its own,
/// alerts, single messages, a directory, and sources of reports. A trouble planted or two among its days.
fn company(folder: &Path) -> Server {
    let put = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("a temporary folder");
    let run = |args: &[&str]| {
        let mut command = Command::new(lamppost());
        command.current_dir(folder).args(args);
        let _ = finish(command).expect(0);
    };
    run(&["scenario", "generate", "--out", ".", "--days", "60", "--scale", "0.05", "--incidents"]);
    let settings = std::fs::read_to_string(folder.join("lamppost.toml")).expect("a company comes with its settings");
    put("lamppost.toml", &(settings + SOURCES));
    put("secret", "hunter2\n");
    put("alike.zone", ALIKE);
    std::fs::create_dir(folder.join("in")).expect("a temporary folder");
    run(&["import", "reports", "failures"]);
    run(&["enrich", "--zone", "dns/names.zone", "--zone", "dns/current.zone"]);
    let history = std::fs::read_dir(folder.join("dns/history")).expect("a company comes with its zones");
    let mut days: Vec<String> = history
        .filter_map(|entry| entry.ok()?.path().file_stem().map(|day| day.to_string_lossy().into_owned()))
        .collect();
    days.sort_unstable();
    for day in &days {
        run(&["watch", "--zone", &format!("dns/history/{day}.zone"), "--zone", "dns/names.zone", "--at", day]);
    }
    run(&["lookalikes", "halden.example", "--zone", "alike.zone", "--keep"]);
    run(&["alerts"]);
    Server::start(["serve", "--listen", "127.0.0.1:0"], folder)
}

/// Both widths and both schemes, each once: what holds for one width holds in either scheme.
const EXTREMES: [(&str, Look); 2] = [LOOKS[0], LOOKS[3]];

/// Opens each page in two looks with everything folded unfolded, and tells what is wrong with it. Pages are a name, a path, and what
/// they must say to be about something.
fn look_at(browser: &mut Browser, server: &Server, pages: &[(&str, &str, &str)]) -> Vec<String> {
    let mut found = Vec::new();
    browser.take_events();
    for (look_name, look) in EXTREMES {
        browser.look(look);
        for (name, path, says) in pages {
            browser.open(&format!("{}{}", server.address, &path[1..]));
            let at = format!("{name}, {look_name} ({path})");
            let text = browser.text("main");
            if !text.contains(says) {
                found.push(format!("{at} does not say “{says}”:\n{}", text.get(..1500).unwrap_or(&text)));
            }
            browser.eval("document.querySelectorAll('main details').forEach((one) => { one.open = true; })");
            browser.screenshot(&pictures().join(format!("{name}-{look_name}.png")));
            found.extend(audit(browser).into_iter().map(|finding| format!("{at}: {finding}")));
            let said = complaints(&browser.take_events(), &server.address);
            found.extend(said.into_iter().map(|complaint| format!("{at}: {complaint}")));
        }
    }
    eprintln!("{} pages, {} looks", pages.len(), EXTREMES.len());
    found
}

/// The pages about what was judged, what lies ahead, records, names and collecting, over a company that has all of it.
#[test]
fn pages_are_whole_where_there_is_much_to_say() {
    let Some(mut browser) = browser() else { return };
    let folder = TempDir::new().unwrap();
    let server = company(folder.path());
    let people = std::fs::read_to_string(folder.path().join("people.csv")).expect("a company comes with its people");
    let person = people.lines().nth(1).and_then(|line| line.split(',').nth(1)).expect("a person with an address");
    let sample = get(&server.address, "/api/v1/samples?days=all").json()["lines"][0]["id"].clone();
    let (owner, sample) = (format!("/owners?q={person}"), format!("/samples/{sample}"));
    let long = "a".repeat(60);
    let (long_name, long_word) =
        (format!("/preview?domain={long}.{long}.{long}.example"), format!("/owners?q={long}{long}"));
    let plan =
        "/preview?domain=halden.example&p=reject&np=reject&adkim=s&remove_include=_spf.bigoffice.example&days=all";
    let pages = [
        ("judged-today", "/", "Worst first"),
        ("alerts", "/alerts", "What to do:"),
        ("preview", "/preview?domain=halden.example", "Harm by class"),
        ("preview-of-much", plan, "By the tag that decides"),
        ("preview-of-nothing", "/preview?domain=nosuch.example", "This cannot be worked out"),
        ("preview-of-a-long-name", long_name.as_str(), "This cannot be worked out"),
        ("owner-of-a-long-name", long_word.as_str(), "Nobody in the directory"),
        ("readiness", "/readiness?domain=halden.example&for=reject", "Blocked by"),
        ("readiness-of-nothing", "/readiness?domain=nosuch.example", "This cannot be worked out"),
        ("lookalikes", "/lookalikes", "ha1den.example"),
        ("dkim", "/dkim", "What to do"),
        ("spf", "/spf?domain=halden.example", "What it costs and what it buys"),
        ("dns", "/dns", "What stood where"),
        ("trend-with-dns", "/domains/halden.example/trend?view=class", "What changed in DNS"),
        ("reputation-known", "/reputation", "Good, and fails"),
        ("owner-found", owner.as_str(), "Who has it"),
        ("samples-all", "/samples?days=all", "Who they were written as"),
        ("sample-of-them", sample.as_str(), "What the reporter says"),
        ("sources-of-reports", "/reports/sources", "mailbox"),
    ];
    let found = look_at(&mut browser, &server, &pages);
    assert!(found.is_empty(), "{} findings:\n{}", found.len(), found.join("\n"));
}

/// Right after installation: whatever is clicked, the page says what to do next, and the menu says where one is.
#[test]
fn an_empty_ledger_says_everywhere_what_to_do_next() {
    let Some(mut browser) = browser() else { return };
    let folder = TempDir::new().unwrap();
    let server = Server::start(["serve", "--listen", "127.0.0.1:0"], folder.path());
    let links = |browser: &mut Browser, selector: &str| -> Vec<String> {
        let all =
            browser.eval(&format!("[...document.querySelectorAll({selector:?})].map((a) => a.getAttribute('href'))"));
        all.as_array().expect("links").iter().filter_map(|href| href.as_str().map(str::to_owned)).collect()
    };
    browser.open(&server.address);
    let places = links(&mut browser, "nav[aria-label=Main] a");
    assert!(places.len() > 12, "{places:?}");
    let mut pages = places.clone();
    for place in &places {
        browser.open(&format!("{}{}", server.address, &place[1..]));
        let here =
            browser.eval("document.querySelector('nav[aria-label=Main] [aria-current=page]')?.getAttribute('href')");
        assert_eq!(here.as_str(), Some(place.as_str()), "the menu marks where one is");
        pages.extend(links(&mut browser, "nav[aria-label=Views] a"));
    }
    pages.sort_unstable();
    pages.dedup();
    let mut found = Vec::new();
    for path in &pages {
        browser.open(&format!("{}{}", server.address, &path[1..]));
        let next = browser.eval("document.querySelectorAll('main code, main .btn, main button').length");
        if next.as_u64() == Some(0) {
            found.push(format!("{path} does not say what to do: {}", browser.text("main")));
        }
    }
    let pages: Vec<_> =
        pages.iter().map(|path| (format!("empty{}", path.replace(['/', '?', '='], "-")), path)).collect();
    let pages: Vec<_> = pages.iter().map(|(name, path)| (name.as_str(), path.as_str(), "")).collect();
    found.extend(look_at(&mut browser, &server, &pages));
    assert!(found.is_empty(), "{} findings:\n{}", found.len(), found.join("\n"));
}

#[test]
fn keys_lead_where_they_say() {
    let Some(mut browser) = browser() else { return };
    let folder = TempDir::new().unwrap();
    let server = Server::start(["demo", "--port", "0", "--days", "10", "--scale", "0.02"], folder.path());
    browser.open(&server.address);
    browser.press("/");
    let focused = browser.eval("document.activeElement.matches('form[role=search] input')");
    assert_eq!(focused, true, "/ goes to the search");
    let domain = get(&server.address, "/api/v1/portfolio").json()["domains"][0]["domain"].clone();
    let domain = domain.as_str().expect("a domain");
    browser.type_text(domain);
    browser.press_and_wait("Enter");
    assert!(browser.text("main").contains(domain), "search finds a domain: {}", browser.url());
}

/// A portal over nothing but hostile reports: names full of markup, paths, formulas.
#[test]
fn markup_in_reports_stays_text() {
    let (Some(mut browser), Some(suites)) = (browser(), suites()) else { return };
    let folder = TempDir::new().unwrap();
    let ledger = folder.path().join("ledger");
    let mut command = Command::new(lamppost());
    command.arg("--data").arg(&ledger).arg("import").arg(suites.join("malformed"));
    let _ = finish(command).expect(3);
    let args = ["serve", "--listen", "127.0.0.1:0", "--data"].map(Into::into);
    let server = Server::start(args.into_iter().chain([ledger.into_os_string()]), folder.path());
    browser.take_events();
    let all = "?days=all&limit=200";
    let mut paths = vec!["/trend?days=all".to_owned(), "/reports/flaws?days=all".to_owned()];
    paths.extend(
        ["/domains", "/sources", "/rows", "/reports/list", "/reports/rejected"].map(|path| format!("{path}{all}")),
    );
    paths.push("/reports?days=all".to_owned());
    let list = get(&server.address, &format!("/api/v1/reports{all}")).json();
    let ids = list["lines"].as_array().expect("reports").iter().filter_map(|line| line["id"].as_u64());
    paths.extend(ids.flat_map(|id| [format!("/reports/{id}"), format!("/reports/{id}/xml")]));
    assert!(paths.len() > 20, "{paths:?}");
    let mut seen = false;
    for path in &paths {
        browser.open(&format!("{}{}", server.address, &path[1..]));
        let complaints = complaints(&browser.take_events(), &server.address);
        assert!(complaints.is_empty(), "{path}: {complaints:#?}");
        assert_eq!(
            browser.eval("document.querySelectorAll('script:not([src]), img, iframe, object, [onerror]').length"),
            0
        );
        seen |= browser.text("main").contains("<script>alert(1)</script>");
    }
    assert!(seen, "the markup of one report is shown, as text");
    println!("{} pages of hostile reports", paths.len());
}

/// What every answer carries, and whom the portal does not answer.
#[test]
fn answers_are_guarded() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(["demo", "--port", "0", "--days", "10", "--scale", "0.02"], folder.path());
    let paths =
        ["/domains", "/trend", "/sources", "/rows", "/reports", "/nowhere", "/api/v1/portfolio", "/domains.csv"];
    for path in paths {
        let answer = get(&server.address, path);
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
    }
    // A page elsewhere may make a name of its own resolve to loopback; the browser then sends that name.
    for host in ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""] {
        let answer = request(&server.address, "/domains", &[("Host", host)]);
        assert!((400..500).contains(&answer.status), "{host}: {}", answer.status);
        assert!(!answer.text().contains("<table"), "{host} is told nothing");
    }
}
