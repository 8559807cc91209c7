//! `check`, `spf` and `lint` as a user meets them, with DNS from zone files: verdicts with their reasons, hermetic and repeatable.

use std::io::Write as _;
use std::process::{Command, Stdio};

use e2e::{Finished, finish, lamppost};
use serde_json::Value;
use tempfile::TempDir;

const ZONE: &str = r#"
$TTL 300
legit.test.            TXT "v=spf1 include:_spf.legit.test -all"
_spf.legit.test.       TXT "v=spf1 include:_nets.legit.test -all"
_nets.legit.test.      TXT "v=spf1 ip4:192.0.2.0/28 -all"
mail.legit.test.       A   192.0.2.1
mail.legit.test.       TXT "v=spf1 a -all"
_dmarc.legit.test.     TXT "v=DMARC1; p=reject; rua=mailto:dmarc@legit.test"
broken.test.           TXT "v=spf1 include:deep.broken.test -all"
deep.broken.test.      TXT "v=spf1 include:nowhere.broken.test -all"
slow.test.             TXT "v=spf1 include:dead.test -all"
_dmarc.slow.test.      TXT "v=DMARC1; p=reject"
;@ timeout dead.test. TXT
"#;

const MESSAGE: &str = "From: Anna <anna@legit.test>\r\nTo: b@other.test\r\nSubject: Minutes\r\n\r\nHello\r\n";

struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a temporary folder");
        put("dns.zone", ZONE);
        put("legit.eml", MESSAGE);
        Self(folder)
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).expect("a temporary folder");
    }

    fn run(&self, args: &[&str]) -> Finished {
        let mut command = Command::new(lamppost());
        command.current_dir(self.0.path()).args(args);
        finish(command)
    }

    fn check(&self, file: &str, ip: &str, from: &str, rest: &[&str]) -> Value {
        let sender = ["--ip", ip, "--helo", "mail.legit.test", "--mail-from", from];
        let usual = ["check", file, "--zone", "dns.zone", "--at", "2026-05-01T12:00:00Z", "--format", "json"];
        self.run(&[&usual, &sender[..], rest].concat()).expect(0).json()
    }
}

#[test]
fn a_verdict_has_the_documented_fields() {
    let verdict = Desk::new().check("legit.eml", "192.0.2.5", "anna@legit.test", &["--authserv-id", "mx.other.test"]);
    assert_eq!(verdict["spf"]["identity"], "mailfrom");
    assert_eq!(verdict["spf"]["domain"], "legit.test");
    assert_eq!(verdict["spf"]["result"], "pass");
    assert_eq!(verdict["spf"]["lookups"], 2);
    assert_eq!(verdict["spf"]["void_lookups"], 0);
    assert_eq!(verdict["spf"]["explanation"], Value::Null);
    assert!(verdict["spf"]["trace"].is_object());
    assert_eq!(verdict["spf_helo"]["domain"], "mail.legit.test");
    assert_eq!(verdict["spf_helo"]["result"], "fail", "192.0.2.5 is not mail.legit.test");
    assert_eq!(verdict["dkim"], Value::Array(Vec::new()));
    assert_eq!(verdict["arc"]["result"], "none");
    assert_eq!(verdict["arc"]["instances"], 0);
    assert_eq!(verdict["from"]["verdict"], "ok");
    let dmarc = &verdict["dmarc"];
    for (field, expected) in [
        ("standard", "rfc9989"),
        ("author_domain", "legit.test"),
        ("organizational_domain", "legit.test"),
        ("policy_domain", "legit.test"),
        ("policy", "reject"),
        ("result", "pass"),
        ("requested_disposition", "none"),
    ] {
        assert_eq!(dmarc[field], expected, "{field}");
    }
    assert_eq!(
        (&dmarc["test_mode"], &dmarc["spf_aligned"], &dmarc["dkim_aligned"]),
        (&false.into(), &true.into(), &false.into())
    );
    assert!(dmarc["discovery"].as_array().is_some_and(|steps| !steps.is_empty()));
    let field = verdict["authentication_results"].as_str().expect("a field");
    assert!(field.contains("mx.other.test") && field.contains("dmarc=pass"), "{field}");
}

#[test]
fn mail_of_a_stranger_is_told_from_that_of_the_domain() {
    let desk = Desk::new();
    desk.put("two.eml", "From: anna@legit.test\r\nFrom: x@attack.test\r\n\r\nHello\r\n");
    // Who sends; the outcome; what the owner asks for.
    let cases = [
        ("legit.eml", "192.0.2.5", "anna@legit.test", "pass", Some("none"), "its own address"),
        ("legit.eml", "198.51.100.1", "anna@legit.test", "fail", Some("reject"), "a stranger's"),
        (
            "legit.eml",
            "192.0.2.1",
            "<>",
            "pass",
            Some("none"),
            "a bounce: SPF of the HELO name, in the same organization",
        ),
        ("legit.eml", "198.51.100.1", "<>", "fail", Some("reject"), "a stranger's bounce"),
        ("two.eml", "192.0.2.5", "anna@legit.test", "permerror", None, "two authors"),
    ];
    for (file, ip, from, result, disposition, why) in cases {
        let verdict = desk.check(file, ip, from, &[]);
        assert_eq!(verdict["dmarc"]["result"], result, "{why}");
        assert_eq!(verdict["dmarc"]["requested_disposition"].as_str(), disposition, "{why}");
    }
    assert_eq!(desk.check("two.eml", "192.0.2.5", "anna@legit.test", &[])["from"]["verdict"], "refuse");
}

#[test]
fn a_nested_include_that_fails_shows_the_path() {
    let desk = Desk::new();
    desk.put("broken.eml", "From: a@broken.test\r\n\r\nHello\r\n");
    let sender = ["--ip", "192.0.2.1", "--helo", "mail.legit.test", "--mail-from", "a@broken.test"];
    let text = desk.run(&[&["check", "broken.eml", "--zone", "dns.zone"], &sender[..]].concat()).expect(0).stdout;
    for part in ["permerror", "include:deep.broken.test", "include:nowhere.broken.test", "deep.broken.test TXT", "^^^"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let alone = desk.run(&[&["spf", "--zone", "dns.zone"], &sender[..]].concat()).expect(0).stdout;
    assert!(alone.contains("`include:nowhere.broken.test` of deep.broken.test leads to no SPF record"), "{alone}");
}

#[test]
fn dns_that_does_not_answer_is_a_temporary_error_at_once() {
    let desk = Desk::new();
    desk.put("slow.eml", "From: a@slow.test\r\n\r\nHello\r\n");
    let verdict = desk.check("slow.eml", "192.0.2.1", "a@slow.test", &[]);
    assert_eq!((&verdict["spf"]["result"], &verdict["dmarc"]["result"]), (&"temperror".into(), &"temperror".into()));
}

#[test]
fn both_generations_are_told_apart() {
    let desk = Desk::new();
    desk.put("sampled.zone", "legit.test. TXT \"v=spf1 -all\"\n_dmarc.legit.test. TXT \"v=DMARC1; p=reject; pct=0\"\n");
    let sender = ["--ip", "198.51.100.1", "--mail-from", "a@legit.test", "--standard", "both"];
    let both = desk.run(&[&["check", "legit.eml", "--zone", "sampled.zone", "--format", "json"], &sender[..]].concat());
    let both = both.expect(0).json();
    assert_eq!(both["dmarc"]["requested_disposition"], "reject", "RFC 9989 has no pct");
    assert_eq!(both["dmarc_rfc7489"]["requested_disposition"], "quarantine", "RFC 7489 §6.6.4: the next lower policy");
}

#[test]
fn a_message_may_come_from_standard_input() {
    let desk = Desk::new();
    let mut command = Command::new(lamppost());
    command.current_dir(desk.0.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.args(["check", "-", "--ip", "192.0.2.5", "--mail-from", "anna@legit.test", "--zone", "dns.zone"]);
    let mut child = command.spawn().expect("it starts");
    child.stdin.take().expect("it is piped").write_all(MESSAGE.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success() && text.contains("pass"), "{text}");
}

#[test]
fn lint_names_the_eleventh_lookup_and_what_spent_the_ten() {
    let desk = Desk::new();
    let includes: Vec<String> = (1..=11).map(|n| format!("include:i{n}.test")).collect();
    let mut zone = vec![
        format!("many.test. TXT \"v=spf1 {} -all\"", includes.join(" ")),
        "_dmarc.many.test. TXT \"v=DMARC1; p=reject; rua=mailto:a@many.test\"".to_owned(),
    ];
    zone.extend((1..=11).map(|n| format!("i{n}.test. TXT \"v=spf1 ip4:198.51.100.{n} -all\"")));
    desk.put("many.zone", &zone.join("\n"));
    let text = desk.run(&["lint", "many.test", "--zone", "many.zone"]).expect(0).stdout;
    assert!(text.contains("`include:i11.test` of many.test is lookup 11, and 10 are allowed"), "{text}");
    let numbered = |n: usize| text.lines().any(|line| line.trim_start().starts_with(&format!("{n} include:i{n}.test")));
    assert!((1..=11).all(numbered), "{text}");
    let json =
        desk.run(&["lint", "many.test", "legit.test", "--zone", "many.zone", "--format", "json"]).expect(0).stdout;
    let lines: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["findings"][0]["id"], "spf-too-many-lookups");
}

#[test]
fn mistakes_are_told_with_their_remedy() {
    let desk = Desk::new();
    desk.put("bad.zone", "legit.test. TXT \"unfinished\n");
    let cases: [(i32, &[&str], &str); 7] = [
        (1, &["check", "gone.eml", "--ip", "192.0.2.1", "--zone", "dns.zone"], "gone.eml"),
        (1, &["check", "legit.eml", "--ip", "192.0.2.1", "--zone", "gone.zone"], "gone.zone"),
        (1, &["check", "legit.eml", "--ip", "192.0.2.1", "--zone", "bad.zone"], "bad.zone: line 1"),
        (2, &["check", "legit.eml", "--zone", "dns.zone"], "--ip"),
        (2, &["check", "legit.eml", "--ip", "192.0.2.1", "--at", "yesterday"], "a time, as"),
        (2, &["spf", "--ip", "192.0.2.1", "--resolver", "here"], "an address, as"),
        (1, &["lint", "a..b", "--zone", "dns.zone"], "`a..b` is no domain"),
    ];
    for (code, args, expected) in cases {
        let finished = desk.run(args).expect(code);
        assert!(finished.stderr.contains(expected), "{args:?}: {}", finished.stderr);
    }
}
