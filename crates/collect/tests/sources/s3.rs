//! Object storage: a server on loopback that plays S3, checks every signature by its own arithmetic, and fails as real ones do.

mod server;

use std::time::Duration;

use collect::Secret;
use collect::sources::Settings;
use collect::sources::s3::{After, Settings as S3};

use crate::{Bench, mail, report, until};
use server::{SECRET, Server};

fn settings(place: &std::path::Path, server: &Server, adjust: impl FnOnce(&mut S3)) -> Settings {
    std::fs::write(place.join("secret"), format!("{SECRET}\n")).unwrap();
    let mut s3 = S3 {
        name: "bucket".to_owned(),
        endpoint: Some(server.url()),
        region: "eu-test-1".to_owned(),
        bucket: "reports".to_owned(),
        access_key: server::ACCESS.to_owned(),
        secret_key: Some(Secret::File(place.join("secret"))),
        poll_seconds: 1,
        ..S3::default()
    };
    adjust(&mut s3);
    Settings { s3: vec![s3], ..Settings::default() }
}

async fn bench(server: &Server, adjust: impl FnOnce(&mut S3)) -> Bench {
    Bench::new(|place| settings(place, server, adjust)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_keys_are_taken_once_and_left() {
    let server = Server::start().await;
    for n in 0..25 {
        server.put(&format!("in/{n:02} ä+%.xml"), report(n, 1));
    }
    server.put("in/", Vec::new());
    server.put("elsewhere/x.xml", report(99, 99));
    server.put("in/../../other", report(98, 98));
    let bench = bench(&server, |s3| s3.prefix = "in/".to_owned()).await;
    until("all are kept", || bench.collecting.health()[0].items == 25).await;
    let seen = server.count("GET");
    until("it looks again", || server.count("LIST") > 8).await;
    assert_eq!(server.count("GET"), seen, "what stays is fetched once");
    // Other bytes under a key, and a new key.
    server.put("in/00 ä+%.xml", report(100, 1));
    server.put("in/zz.xml", report(101, 1));
    until("both are kept", || bench.collecting.health()[0].items == 27).await;
    assert_eq!(server.keys().len(), 29, "nothing is changed there: {:?}", server.keys());
    assert_eq!((server.count("PUT"), server.count("DELETE")), (0, 0));
    let health = bench.collecting.health()[0].clone();
    assert_eq!((health.errors, health.refused, health.repeated), (0, 1, 0), "{health:?}");
    assert!(health.refusals[0].message.contains("its key is none that can be asked for"), "{health:?}");
    bench.settled(27, 27, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_fetches_nothing_again() {
    let server = Server::start().await;
    for n in 0..12 {
        server.put(&format!("{n}.xml"), report(n, 1));
    }
    let place = tempfile::TempDir::new().unwrap();
    let dir = place.path().join("ledger");
    for round in 0_u64..3 {
        let settings = settings(place.path(), &server, |_| {});
        // The one before lets go of it a moment after it has stopped.
        until("the ledger is free", || store::Ledger::open(&dir).is_ok()).await;
        let ledger = store::Ledger::open(&dir).unwrap();
        let judge = std::sync::Arc::new(crate::Named);
        let collecting = collect::Collecting::start(ledger.clone(), &dir, &settings, judge, Vec::new()).await.unwrap();
        server.put("again.xml", report(1_000 + u32::try_from(round).unwrap(), 1));
        let lists = server.count("LIST");
        until("all is kept", || server.count("GET") == 13 + round && collecting.health()[0].items >= 1).await;
        until("it has looked once more", || server.count("LIST") > lists + 4).await;
        assert_eq!(server.count("GET"), 13 + round, "only what is new is fetched");
        collecting.stop().await;
        drop(ledger);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_or_moved_is_on_disk_before() {
    for after in [After::Delete, After::Move] {
        let server = Server::start().await;
        for n in 0..9 {
            server.put(&format!("in/{n} ü.xml"), report(n, 1));
        }
        server.put("in/nonsense", b"no report".to_vec());
        // Of an earlier day: it stays.
        server.put("done/3 ü.xml", report(77, 77));
        let bench = bench(&server, |s3| (s3.prefix, s3.after) = ("in/".to_owned(), after)).await;
        until("nothing is left", || !server.keys().iter().any(|key| key.starts_with("in/"))).await;
        let done = server.keys().iter().filter(|key| key.starts_with("done/")).count();
        assert_eq!(done, if after == After::Move { 11 } else { 1 }, "{:?}", server.keys());
        assert_eq!(server.bytes("done/3 ü.xml"), report(77, 77), "nothing is overwritten");
        bench.settled(9, 9, 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_meanwhile_is_not_deleted_unread() {
    let server = Server::start().await;
    server.put("a.xml", report(1, 1));
    // The object is another one by the time that it would be deleted.
    server.replace_after_get("a.xml", report(2, 1));
    let bench = bench(&server, |s3| s3.after = After::Delete).await;
    until("both were taken", || server.keys().is_empty()).await;
    assert_eq!(server.count("GET"), 2);
    bench.settled(2, 2, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_cut_short_and_a_busy_server_cost_time_and_nothing_else() {
    let server = Server::start().await;
    for n in 0..5 {
        server.put(&format!("{n}.xml"), report(n, 1));
    }
    let large = [report(5, 1), vec![b' '; 700_000]].concat();
    server.put("large.xml", large);
    server.cut_short("2.xml");
    server.cut_short("large.xml");
    server.busy(3);
    let bench = bench(&server, |s3| s3.after = After::Delete).await;
    until("everything was taken", || server.keys().is_empty()).await;
    let health = bench.collecting.health()[0].clone();
    assert!(health.errors >= 2, "{health:?}");
    bench.settled(6, 6, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_say_what_to_do() {
    type Adjust = fn(&mut S3);
    let cases: [(&str, Adjust, &str); 5] = [
        ("a wrong secret", |s3| s3.secret_key = Some(Secret::Env("PATH".to_owned())), "`secret_key` is not the one"),
        ("an unknown key", |s3| s3.access_key = "AKIAOTHER".to_owned(), "does not know `access_key` AKIAOTHER"),
        ("another bucket", |s3| s3.bucket = "others".to_owned(), "no bucket \"others\""),
        ("another region", |s3| s3.region = "us-east-1".to_owned(), "set `region = \"eu-test-1\"`"),
        ("nobody there", |s3| s3.endpoint = Some("http://127.0.0.1:1".to_owned()), "check `endpoint`"),
    ];
    let server = Server::start().await;
    server.put("a.xml", report(1, 1));
    for (why, adjust, expected) in cases {
        let bench = bench(&server, adjust).await;
        until("it says so", || bench.collecting.health()[0].last_error.is_some()).await;
        let said = bench.collecting.health()[0].last_error.clone().unwrap().message;
        assert!(said.contains(expected), "{why}: {said}");
        assert!(!said.contains(SECRET) && !said.contains("Signature="), "{why}: {said}");
        bench.settled(0, 0, 0).await;
    }
    assert_eq!(server.count("GET"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_forbidden_holds_up_no_other() {
    let server = Server::start().await;
    for name in ["a.xml", "b.xml", "c.xml"] {
        server.put(name, report(u32::from(name.as_bytes()[0]), 1));
    }
    server.put("large.xml", vec![b'x'; 5_000]);
    server.forbid("b.xml");
    let bench = bench(&server, |s3| s3.object_bytes_max = 4_000).await;
    until("the others are taken", || bench.collecting.health()[0].items == 2).await;
    until("it is said", || bench.collecting.health()[0].last_error.is_some()).await;
    let health = bench.collecting.health()[0].clone();
    let said = &health.last_error.unwrap().message;
    assert!(said.starts_with("b.xml: ") && said.contains("grant s3:GetObject"), "{said}");
    assert!(health.refusals[0].message.contains("5000 bytes, more than 4000"), "{:?}", health.refusals);
    server.allow("b.xml");
    until("it is taken too", || bench.collecting.health()[0].items == 3).await;
    bench.settled(3, 3, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_from_anybody_is_judged() {
    let server = Server::start().await;
    server.put("ses/1", mail(1, 1));
    let mut seen = Vec::new();
    for of_mail in [true, false] {
        let place = tempfile::TempDir::new().unwrap();
        let ledger = store::Ledger::open(&place.path().join("ledger")).unwrap();
        let settings = settings(place.path(), &server, |s3| s3.mail = of_mail);
        let judge = std::sync::Arc::new(Nobody);
        let dir = place.path().join("ledger");
        let collecting = collect::Collecting::start(ledger.clone(), &dir, &settings, judge, Vec::new()).await.unwrap();
        until("it is looked at", || {
            let counters = ledger.counters().unwrap();
            counters.reports + counters.rejected == 1
        })
        .await;
        seen.push(ledger.counters().unwrap().reports);
        tokio::time::timeout(Duration::from_mins(1), collecting.stop()).await.unwrap();
    }
    assert_eq!(seen, [0, 1], "what anybody may have sent counts only if it is judged to be genuine");
}

/// Believes nobody.
#[derive(Debug)]
struct Nobody;

impl collect::Judge for Nobody {
    fn judge(&self, _: &[u8], _: &collect::Session) -> collect::Standing {
        collect::Standing::Unauthenticated { domain: None, why: "nobody is believed here".to_owned() }
    }
}
