//! The corpora of `Mail::DKIM` (Perl licence) and dkimpy (its own licence), judged by today's standards, and by those of their time.
#![expect(clippy::disallowed_methods, reason = "the suites are files")]

use std::path::PathBuf;

use dkim::{SignedFields, Signer, SigningKey, SigningKeyError, sign};
use dns::{Data, Fault, Name, Zone};
use message::{Domain, HeaderLimits, split};
use serde_json::Value;

use crate::common::{NOW, shown, txt, verify, zone};
use crate::old;

/// The folder of suites; none where it is not there.
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("LAMPPOST_SUITES")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/suites")), PathBuf::from)
        .join("dkim");
    if folder.is_dir() {
        return Some(folder);
    }
    assert_ne!(std::env::var("LAMPPOST_CI").as_deref(), Ok("1"), "no suites at {}", folder.display());
    eprintln!("SKIPPED: no suites at {}: set LAMPPOST_SUITES", folder.display());
    None
}

fn mail_dkim_zone(text: &str) -> (Zone, Value) {
    let all: Value = serde_json::from_str(text).expect("JSON");
    let mut zone = Zone::new();
    for (name, entry) in all.as_object().expect("names") {
        let name = Name::parse(name).expect("a name");
        match entry["rcode"].as_str() {
            Some("TIMEOUT") => zone.fail(&name, None, Fault::Timeout),
            Some("SERVFAIL") => zone.fail(&name, None, Fault::ServFail),
            _ => {
                for record in entry["TXT"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                    zone.add(&name, 60, Data::Txt(record.as_bytes().into()));
                }
            }
        }
    }
    (zone, all)
}

/// What today's standards refuse, whatever was right once. Read with nothing of ours.
fn is_of_its_time(message: &str) -> bool {
    let lower = message.to_ascii_lowercase();
    let signature = &lower[lower.find("dkim-signature:").expect("a signature")..];
    !signature.contains("v=1") || signature.contains("rsa-sha1")
}

/// Today: what was right passes if its algorithm, key and version still do; what was wrong never passes.
#[test]
fn mail_dkim_today() {
    let Some(folder) = folder() else { return };
    let (zone, _) = mail_dkim_zone(&std::fs::read_to_string(folder.join("mail-dkim.zone.json")).unwrap());
    let (mut run, mut passed, mut refused) = (0, 0, 0);
    for line in std::fs::read_to_string(folder.join("mail-dkim.jsonl")).unwrap().lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let (file, upstream) = (case["file"].as_str().unwrap(), case["expect_upstream"].as_str().unwrap());
        let message = std::fs::read(folder.join("mail-dkim").join(file)).unwrap();
        let verdicts = verify(&message, &zone, NOW);
        let found: Vec<_> = verdicts.iter().map(shown).collect();
        let pass = verdicts.iter().any(dkim::Verdict::usable_for_dmarc);
        run += 1;
        if case["kind"] == "domainkeys-only" {
            assert!(found.is_empty(), "{file}: DomainKeys is not DKIM: {found:?}");
        } else if upstream == "pass" && !is_of_its_time(&String::from_utf8_lossy(&message)) {
            assert!(pass, "{file}: {found:?}");
            passed += 1;
        } else {
            assert!(!pass && !found.is_empty(), "{file}: {upstream}, {found:?}");
            refused += 1;
        }
    }
    println!("{run} files of Mail::DKIM: {passed} pass, {refused} do not, {} are DomainKeys", run - passed - refused);
    assert_eq!((run, passed), (79, 1));
}

/// Files that old eyes do not read, and why.
const UNREAD: [(&str, &str); 8] = [
    ("good_ietf00_1.txt", "the first draft had no bh="),
    ("good_ietf00_2.txt", "the first draft had no bh="),
    ("good_ietf00_3.txt", "the first draft had no bh="),
    ("good_ietf00_4.txt", "the first draft had no bh="),
    ("good_ietf00_5.txt", "the first draft had no bh="),
    ("goodkey_ed25519.txt", "nothing old about it"),
    ("badkey2_ed25519.txt", "nothing old about it"),
    ("badkey3_ed25519.txt", "nothing old about it"),
];

/// In their time: the canonical forms of header and body are those that the signers hashed, or, where upstream says so, are not.
#[test]
fn mail_dkim_in_its_time() {
    let Some(folder) = folder() else { return };
    let (_, zone) = mail_dkim_zone(&std::fs::read_to_string(folder.join("mail-dkim.zone.json")).unwrap());
    let (mut right, mut wrong, mut unread) = (0, 0, Vec::new());
    for line in std::fs::read_to_string(folder.join("mail-dkim.jsonl")).unwrap().lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let (file, upstream) = (case["file"].as_str().unwrap(), case["expect_upstream"].as_str().unwrap());
        // `invalid` is about tags and keys, not about forms.
        if case["kind"] != "dkim" || upstream == "invalid" {
            continue;
        }
        let message = std::fs::read(folder.join("mail-dkim").join(file)).unwrap();
        let (header, body, rest) = split(&message, &HeaderLimits::default()).unwrap();
        let fields = SignedFields::new(&header);
        let results: Vec<_> = header
            .named("DKIM-Signature")
            .filter_map(|field| {
                let tags = dkim::TagList::parse(field.value).ok()?;
                let text = |tag| Some(String::from_utf8_lossy(tags.get(tag)?).to_lowercase());
                let name = format!("{}._domainkey.{}", text("s")?, text("d")?);
                old::verifies(&fields, &field, (&body, rest), zone[name]["TXT"][0].as_str()?)
            })
            .collect();
        if results.is_empty() {
            unread.push(file.to_owned());
        } else if upstream == "pass" {
            assert!(results.contains(&(true, true)), "{file}: {results:?}");
            right += 1;
        } else {
            assert!(!results.contains(&(true, true)), "{file}: {results:?}");
            wrong += 1;
        }
    }
    assert_eq!(unread, UNREAD.map(|(file, _)| file));
    println!("{right} files of Mail::DKIM were right in their time, {wrong} wrong, {} not read", unread.len());
}

const RFC_8463: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// A message, the keys in its zone, what comes of its signatures.
type Verification = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

const BRISBANE: (&str, &str) = ("brisbane._domainkey.football.example.com", RFC_8463);
const FOOTBALL: &str = "test._domainkey.football.example.com";

const VERIFICATIONS: &[Verification] = &[
    ("rfc6376.signed.msg", &[BRISBANE, (FOOTBALL, "test.txt")], &["pass 256", "pass 1024 [weak_key]"]),
    ("rfc6376.signed.msg", &[BRISBANE, (FOOTBALL, "test2.txt")], &["pass 256", "pass 1024 [weak_key]"]),
    (
        "rfc6376.signed.msg",
        &[(FOOTBALL, "test_bad.txt")],
        &[
            "permerror: there is no TXT record at the key's name",
            "permerror: the key record's p= holds no public key of its kind",
        ],
    ),
    (
        "rfc6376.signed.rsa.msg",
        &[(FOOTBALL, "badversion.txt")],
        &["permerror: the key record's v= is not DKIM1 in first place"],
    ),
    ("rfc6376.signed.rsa.msg", &[(FOOTBALL, "badk.txt")], &["permerror: the key is of a kind that is not known (k=)"]),
    (
        "rfc6376.signed.rsa.msg",
        &[(FOOTBALL, "test_tlsrpt.txt")],
        &["permerror 1024 [weak_key]: the key may not be used for mail (its s= says so)"],
    ),
    ("rfc6376.signed.rsa.msg", &[(FOOTBALL, "test.txt")], &["pass 1024 [weak_key]"]),
    (
        "rfc6376.signed.rsa.msg",
        &[(FOOTBALL, "1024_testkey_wo_markers.pub.txt")],
        &["fail 1024 [weak_key]: the signed header fields were changed, or the signature is not by this key"],
    ),
    (
        "rfc6376.signed.rsa.msg",
        &[(FOOTBALL, "1024_testkey_wo_markers.pub.rsa.txt")],
        &["fail 1024 [weak_key]: the signed header fields were changed, or the signature is not by this key"],
    ),
    (
        "rfc6376.signed.no_t.msg",
        &[(FOOTBALL, "test.txt")],
        &["fail 1024 [weak_key]: the signed header fields were changed, or the signature is not by this key"],
    ),
    ("ed25519test2.msg", &[("sed._domainkey.test.ex", "eximtest.dns")], &["pass 256"]),
    (
        "test.message.baddomain",
        &[("test._domainkey.legitimate.com", "test.txt")],
        &["permerror: the signature's d= is not a domain name: the domain name has a character that no name may have"],
    ),
    ("message.mbox", &[], &["permerror: there is no TXT record at the key's name"]),
    ("test2.message", &[], &["permerror: there is no TXT record at the key's name"]),
];

#[test]
fn dkimpy_verifies() {
    let Some(folder) = folder().map(|folder| folder.join("dkimpy")) else { return };
    for (file, keys, expected) in VERIFICATIONS {
        let record = |key: &str| {
            if key.starts_with("v=") { key.to_owned() } else { std::fs::read_to_string(folder.join(key)).unwrap() }
        };
        let text: String = keys.iter().map(|(name, key)| txt(name, record(key).trim())).collect();
        let found: Vec<_> =
            verify(&std::fs::read(folder.join(file)).unwrap(), &zone(&text), NOW).iter().map(shown).collect();
        assert_eq!(found, *expected, "{file} {keys:?}");
    }
    // Their keys are not given. A body that was changed would be said first.
    let silent = zone(";@ servfail 2007-00._domainkey.kitterman.com\n;@ servfail 20120113._domainkey.gmail.com\n");
    for file in ["message.mbox", "test2.message"] {
        let verdicts = verify(&std::fs::read(folder.join(file)).unwrap(), &silent, NOW);
        assert_eq!(verdicts[0].result, authres::ResultWord::TempError, "{file}: the body is right");
    }
    println!("{} verifications with dkimpy's data", VERIFICATIONS.len() + 2);
}

#[test]
fn dkimpy_signs() {
    let Some(folder) = folder().map(|folder| folder.join("dkimpy")) else { return };
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
    let keys = [
        ("2048_testkey.key", read("2048_testkey_wo_markers.pub.txt")),
        ("2048_testkey.key", read("2048_testkey_wo_markers.pub.rsa.txt")),
        ("2048_testkey_PKCS8.key", read("2048_testkey_PKCS8.key.pub.txt")),
        ("ed25519test.key", read("ed25519test.dns")),
        ("rfc8032_7_1.key", RFC_8463.to_owned()),
    ];
    let messages = ["test.message", "test_extra.message", "rfc6376.msg", "rfc6376.w1258.msg", "ed25519test.msg"];
    let name = |text: &str| Domain::parse(text.as_bytes()).unwrap();
    for (key, record) in &keys {
        let zone = zone(&txt("sel._domainkey.example.com", record.trim()));
        for file in messages {
            let message = std::fs::read(folder.join(file)).unwrap();
            let (header, body, rest) = split(&message, &HeaderLimits::default()).unwrap();
            let signer = Signer::new(name("example.com"), name("sel"), SigningKey::read(&read(key)).unwrap());
            let field = sign(&signer, &header, (body, rest), NOW).unwrap();
            // A message with LF stays one: the first line decides.
            let field = if message.contains(&b'\r') { field } else { field.replace("\r\n", "\n") };
            let whole = [field.as_bytes(), &message].concat();
            assert!(verify(&whole, &zone, NOW)[0].usable_for_dmarc(), "{key} {file}");
        }
    }
    let message = std::fs::read(folder.join("test_nofrom.message")).unwrap();
    let (header, body, rest) = split(&message, &HeaderLimits::default()).unwrap();
    let signer = Signer::new(name("example.com"), name("sel"), SigningKey::read(&read("ed25519test.key")).unwrap());
    assert_eq!(sign(&signer, &header, (body, rest), NOW), Err(dkim::SignError::NoFrom));
    for short in ["1024_testkey.key", "test.private", "test2.private"] {
        assert_eq!(SigningKey::read(&read(short)).unwrap_err(), SigningKeyError::Rejected, "{short} has 1024 bits");
    }
    println!("{} signatures with dkimpy's data", keys.len() * messages.len() + 4);
}
