//! Reports handed in by people while `serve` runs: `lamppost import` beside it, and uploads. The summary is the same as ever, and
//! whichever side is killed, nothing is lost and nothing is taken in twice.
//!
//! The moments of the kills come from a seed, which `LAMPPOST_KILL_SEED` sets; `LAMPPOST_HAND_IN_KILLS` asks for more of them.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what a test builds for itself does not fail")]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use e2e::pace::{Random, pause, seed, setting};
use e2e::{Finished, Server, finish, get, lamppost, post};
use serde_json::Value;
use store::{Answer, Column, Counters, Ledger, Measure, Question};
use tempfile::TempDir;

/// Kills in every run of the tests.
const KILLS: u64 = 12;

fn report(id: usize, count: usize) -> String {
    format!(
        "<feedback><report_metadata><org_name>reporter.example</org_name><email>a@reporter.example</email><report_id>{id}\
         </report_id><date_range><begin>1766448000</begin><end>1766534399</end></date_range></report_metadata><policy_published>\
         <domain>contoso.example</domain><p>none</p></policy_published><record><row><source_ip>192.0.2.{}</source_ip><count>{count}\
         </count><policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>pass</spf></policy_evaluated></row>\
         <identifiers><header_from>contoso.example</header_from></identifiers><auth_results><spf><domain>contoso.example</domain>\
         <result>pass</result></spf></auth_results></record></feedback>",
        id % 250
    )
}

/// Reports, one in five a duplicate, some nonsense, and a mailbox.
fn fill(folder: &Path, files: usize) {
    fs::create_dir(folder).unwrap();
    let mut mailbox = String::new();
    for n in 0..files {
        let (name, text) = match n % 10 {
            3 => (format!("{n:05}.xml"), report(n - 1, n)),
            4 => (format!("{n:05}.xml"), format!("\n{}", report(n - 4, n - 3))),
            7 => (format!("{n:05}.txt"), format!("no report {n}")),
            8 => {
                mailbox += "From a@b.example Thu Jan  1 00:00:00 1970\nSubject: x\nContent-Type: text/xml\n\n";
                mailbox += &report(n, n + 1);
                mailbox += "\n\n";
                continue;
            }
            _ => (format!("{n:05}.xml"), report(n, n + 1)),
        };
        fs::write(folder.join(name), text).unwrap();
    }
    fs::write(folder.join("mailbox"), mailbox).unwrap();
}

fn command(place: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(lamppost());
    command.current_dir(place).args(args);
    command
}

fn serve(place: &Path, data: &str) -> Server {
    Server::start(["--data", data, "serve", "--listen", "127.0.0.1:0"], place)
}

/// The summary of an import without its time.
fn summary(finished: &Finished) -> Value {
    let mut value = finished.json();
    assert!(value["seconds"].take().is_number());
    value
}

/// What a ledger says that does not depend on when it was said.
fn said(data: &Path) -> (Answer, Counters) {
    use Column as C;
    // Whoever was killed has let go of it.
    let ledger = Ledger::open(data).unwrap();
    assert!(ledger.pending().unwrap().is_empty(), "nothing is left over");
    assert_eq!(ledger.check().unwrap().faults, Vec::<String>::new());
    let group = vec![C::Day, C::Reporter, C::Domain, C::Source, C::Disposition, C::Outcome];
    let measures = vec![Measure::Messages, Measure::Rows];
    let answer = ledger.ask(&Question { group, measures, ..Question::default() }).unwrap();
    (answer, Counters { duplicates: 0, segments: 0, segment_bytes: 0, ..ledger.counters().unwrap() })
}

#[test]
fn an_import_beside_serve_says_what_it_always_says() {
    let place = TempDir::new().unwrap();
    let place = place.path();
    fill(&place.join("in"), 200);
    let import = |data: &str, more: &[&str]| {
        finish(command(place, &[&["--data", data, "import", "in", "gone.xml"], more].concat()))
    };
    let alone: Vec<Finished> = (0..2).map(|_| import("alone", &["--format", "json"]).expect(3)).collect();
    let server = serve(place, "beside");
    for (round, alone) in alone.iter().enumerate() {
        let beside = import("beside", &["--format", "json"]).expect(3);
        assert_eq!(summary(&beside), summary(alone), "round {round}");
    }
    let text = import("beside", &[]).expect(3).stdout;
    let alone = import("alone", &[]).expect(3).stdout;
    let lines = |text: &str| {
        text.lines()
            .filter(|line| !line.contains(" s: ") && !line.contains("ledger is in"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(lines(&text), lines(&alone), "for people too, every rejection by name");
    drop(server);
    assert_eq!(said(&place.join("beside")), said(&place.join("alone")));
}

#[test]
fn where_nobody_takes_files_it_says_so() {
    let place = TempDir::new().unwrap();
    let place = place.path();
    fill(&place.join("in"), 10);
    // Somebody who holds the ledger and is no `serve`.
    let ledger = Ledger::open(&place.join("data")).unwrap();
    let refused = finish(command(place, &["--data", "data", "import", "in"])).expect(1);
    assert!(refused.stderr.contains("takes no files now"), "{}", refused.stderr);
    drop(ledger);
    let _ = finish(command(place, &["--data", "data", "import", "in"])).expect(3);
}

#[test]
fn uploads_are_taken_in_and_told_of() {
    let place = TempDir::new().unwrap();
    let server = serve(place.path(), "data");
    let page = get(&server.address, "/domains").text();
    assert!(page.contains("action=\"/reports/upload\""), "an empty ledger offers it too");
    let file = |name: &str, text: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n{text}\r\n")
    };
    let mailbox =
        |text: &str| format!("From a@b.example Thu Jan  1 00:00:00 1970\nContent-Type: text/xml\n\n{text}\n\n");
    let body = [
        file("one.xml", &report(1, 1)),
        file("again.xml", &report(1, 1)),
        file("packed differently.xml", &format!("\n{}", report(1, 1))),
        file("other.xml", &report(1, 5)),
        file("two.mbox", &[mailbox(&report(2, 2)), mailbox("no report"), mailbox(&report(3, 3))].concat()),
        file("nonsense.bin", "no report"),
    ]
    .concat()
        + "--b--\r\n";
    let kind = ("Content-Type", "multipart/form-data; boundary=b");
    let answer = post(&server.address, "/api/v1/reports", &[kind], body.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let files = answer.json()["files"].take();
    let told: Vec<[u64; 5]> = files
        .as_array()
        .unwrap()
        .iter()
        .map(|file| ["reports", "new", "duplicates", "conflicts", "rejected"].map(|key| file[key].as_u64().unwrap()))
        .collect();
    assert_eq!(
        told,
        [[1, 1, 0, 0, 0], [1, 0, 1, 0, 0], [1, 0, 1, 0, 0], [1, 1, 0, 1, 0], [2, 2, 0, 0, 1], [0, 0, 0, 0, 1]]
    );
    assert_eq!(
        (&files[0]["named"], &files[4]["named"]),
        (&serde_json::json!([1]), &serde_json::json!([3, 4])),
        "{files}"
    );
    assert_eq!(files[4]["refusals"][0]["member"], "#2", "{files}");
    assert!(files[5]["refusals"][0]["message"].as_str().unwrap().contains("no report in it"), "{files}");
    // As a browser sends it, and as a page elsewhere would have it sent.
    let own = [kind, ("Sec-Fetch-Site", "same-origin"), ("Origin", "null")];
    let page = post(&server.address, "/reports/upload", &own, body.as_bytes());
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(
        page.text().contains("reports that were there") && page.text().contains("href=\"/reports/3\""),
        "{}",
        page.text()
    );
    let foreign = [kind, ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate")];
    assert_eq!(post(&server.address, "/reports/upload", &foreign, body.as_bytes()).status, 403);
    let counted = get(&server.address, "/api/v1/reports").json();
    assert_eq!(counted["lines_total"], 4, "{counted}");
    drop(server);
    assert_eq!(said(&place.path().join("data")).1.messages, 5 + 2 + 3);
}

fn begin(place: &Path, data: &str) -> Child {
    let mut command = command(place, &["--data", data, "import", "--format", "json", "in"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Waits so long for a child to end.
fn ended_within(child: &mut Child, patience: Duration) -> bool {
    let end = Instant::now() + patience;
    loop {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        pause(Duration::from_millis(1));
    }
}

#[test]
fn killed_on_either_side_nothing_is_lost_or_doubled() {
    let place = TempDir::new().unwrap();
    let place = place.path();
    fill(&place.join("in"), 1_500);
    let begun = Instant::now();
    let _ = finish(command(place, &["--data", "alone", "import", "in"])).expect(3);
    let expected = said(&place.join("alone"));
    // Beside `serve` it takes longer; so the moments lie in all of it.
    let whole = begun.elapsed() * 2;
    let seed = seed();
    let mut random = Random(seed);
    let (mut kills, mut of_serve, mut ledgers) = (0, 0, 0);
    while kills < setting("LAMPPOST_HAND_IN_KILLS", KILLS) {
        let data = format!("killed-{ledgers}");
        ledgers += 1;
        for _ in 0..4 {
            let server = serve(place, &data);
            let mut import = begin(place, &data);
            let share = u32::try_from(random.below(1_000)).unwrap();
            if ended_within(&mut import, whole * share / 1_000) {
                continue;
            }
            kills += 1;
            if random.below(2) == 0 {
                of_serve += 1;
                drop(server);
                // It says that it could not go on, and ends; or it had just been told of everything, and then everything is there.
                let code = import.wait().unwrap().code();
                if code != Some(1) {
                    assert_eq!(code, Some(3), "seed {seed}, kill {kills}");
                    let _server = serve(place, &data);
                    let again =
                        finish(command(place, &["--data", &data, "import", "--format", "json", "in"])).expect(3);
                    assert_eq!(summary(&again)["new"], 0, "seed {seed}, kill {kills}");
                }
            } else {
                import.kill().unwrap();
                import.wait().unwrap();
            }
        }
        let server = serve(place, &data);
        let last = finish(command(place, &["--data", &data, "import", "--format", "json", "in"])).expect(3);
        let last = summary(&last);
        assert_eq!(last["reports"], last["new"].as_u64().unwrap() + last["duplicates"].as_u64().unwrap(), "{last}");
        drop(server);
        assert!(
            said(&place.join(&data)) == expected,
            "seed {seed}, after {kills} kills: {:?}",
            said(&place.join(&data)).1
        );
    }
    eprintln!("{kills} kills, {of_serve} of serve, {ledgers} ledgers, seed {seed}");
}
