//! The `ValiMail` suite (MIT): validation, scenarios 1 to 5, and signing.
#![expect(clippy::disallowed_methods, reason = "the suite is files")]

use std::path::PathBuf;

use arc::{SealError, Sealer};
use authres::{ResultWord, Results};
use aws_lc_rs::digest::{SHA256, digest};
use dkim::{Algorithm, BodyHasher, Canon, Key, SigningKey, TagList, base64, write_own};
use dns::Zone;
use message::{HeaderLimits, split};
use saphyr::{LoadableYamlNode, Yaml};

use crate::common::{name, shown, validate, zone};

/// The scenarios of a file; none where it is not there.
fn scenarios(file: &str) -> Option<String> {
    let folder = std::env::var_os("LAMPPOST_SUITES")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/suites")), PathBuf::from);
    let path = folder.join("arc").join(file);
    if let Ok(text) = std::fs::read_to_string(&path) {
        return Some(text);
    }
    assert_ne!(std::env::var("LAMPPOST_CI").as_deref(), Ok("1"), "no suite at {}", path.display());
    eprintln!("SKIPPED: no suite at {}: set LAMPPOST_SUITES", path.display());
    None
}

fn text<'y>(node: &'y Yaml<'_>, key: &str) -> &'y str {
    node.as_mapping_get(key).and_then(|value| value.as_str()).unwrap_or_default()
}

/// The key records of a scenario. Those that are broken over lines in the file are one string.
fn records(scenario: &Yaml<'_>) -> Vec<(String, String)> {
    let records = scenario.as_mapping_get("txt-records").and_then(|records| records.as_mapping());
    let records = records.into_iter().flatten();
    records.filter_map(|(name, text)| Some((name.as_str()?.to_owned(), text.as_str()?.replace('\n', "")))).collect()
}

fn suite_zone(scenario: &Yaml<'_>) -> Zone {
    zone(records(scenario))
}

fn tests<'y, 'i>(scenario: &'y Yaml<'i>) -> impl Iterator<Item = (&'y str, &'y Yaml<'i>)> {
    let tests = scenario.as_mapping_get("tests").and_then(|tests| tests.as_mapping());
    tests.into_iter().flatten().filter_map(|(name, test)| Some((name.as_str()?, test)))
}

#[test]
fn validation() {
    let Some(yaml) = scenarios("validation-1-5.yml") else { return };
    let (mut run, mut unstated, mut wrong) = (0, 0, Vec::new());
    for scenario in Yaml::load_from_str(&yaml).unwrap() {
        let zone = suite_zone(&scenario);
        for (name, test) in tests(&scenario) {
            let message = text(test, "message").replace('\n', "\r\n");
            let found = validate(message.as_bytes(), &zone);
            let expected = match text(test, "cv") {
                "None" => ResultWord::None,
                "Pass" => ResultWord::Pass,
                "Fail" => ResultWord::Fail,
                // Three have no stated result: a seal with cv=fail. RFC 8617 §5.2 steps 2 and 3 make them failures.
                other => {
                    assert_eq!(other, "", "{name}");
                    unstated += 1;
                    ResultWord::Fail
                }
            };
            run += 1;
            if found.result != expected {
                wrong.push((name.to_owned(), expected, shown(&found)));
            }
        }
    }
    println!("{run} cases of ARC validation, {unstated} of them without a stated result");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!((run, unstated), (111, 3));
}

/// What our fields of that identifier say, all together.
fn merged(message: &str, authserv_id: &str) -> Results {
    let (header, _, _) = split(message.as_bytes(), &HeaderLimits::default()).expect("a header");
    let all = header.named("Authentication-Results").map(|field| authres::parse(field.value).0);
    let methods = all.filter(|results| results.authserv_id == authserv_id).flat_map(|results| results.methods);
    Results { methods: methods.collect(), ..Results::by(authserv_id) }
}

/// A field in relaxed form with its signature taken out.
fn without_signature(raw: &str) -> String {
    let text = format!("{}\r\n\r\n", raw.trim_end());
    let (header, _, _) = split(text.as_bytes(), &HeaderLimits::default()).expect("a field");
    let field = header.field(0).expect("a field");
    let mut out = Vec::new();
    let place = TagList::parse(field.value).ok().and_then(|tags| tags.place("b")).unwrap_or(0..0);
    write_own(&field, &place, Canon::Relaxed, &mut out);
    String::from_utf8(out).expect("text")
}

/// The suite's key has 1024 bits, with which nothing is signed here. So each set is sealed with another key, and must be the
/// suite's to the letter but for the signatures; and the suite's signatures must be right over it, which is the same as making them.
#[test]
fn signing() {
    let Some(yaml) = scenarios("sign.yml") else { return };
    let (mut run, mut with_set) = (0, 0);
    for scenario in Yaml::load_from_str(&yaml).unwrap() {
        let zone = suite_zone(&scenario);
        let key = Key::parse(records(&scenario)[0].1.as_bytes()).unwrap();
        let mut sealer = Sealer::new(
            name(text(&scenario, "domain")),
            name(text(&scenario, "sel")),
            SigningKey::generate(Algorithm::RsaSha256).unwrap(),
        );
        for (case, test) in tests(&scenario) {
            run += 1;
            let message = text(test, "message").replace('\n', "\r\n");
            sealer.signed = text(test, "sig-headers").split(':').collect();
            let now = u64::try_from(test.as_mapping_get("t").unwrap().as_integer().unwrap()).unwrap();
            let set = seal(&sealer, &message, &merged(&message, text(test, "srv-id")), &zone, now);
            if text(test, "AS").is_empty() {
                assert_eq!(set, Err(SealError::AlreadyFailed), "{case}");
                continue;
            }
            let names = ["ARC-Seal", "ARC-Message-Signature", "ARC-Authentication-Results"];
            // The file breaks lines for the reader's sake; the signers did not.
            let one_line =
                |text: &str| text.split(';').map(|tag| tag.split_whitespace().collect()).collect::<Vec<String>>();
            let given = [
                one_line(text(test, "AS")).join("; "),
                one_line(text(test, "AMS")).join("; "),
                text(test, "AAR").trim_end().replace('\n', "\r\n\t"),
            ];
            let fields = set.unwrap().fields;
            for ((field, name), given) in fields.iter().zip(names).zip(&given) {
                assert_eq!(without_signature(field), without_signature(&format!("{name}: {given}")), "{case}");
            }
            let [seal, own, results] = [0, 1, 2].map(|at| format!("{}: {}\r\n", names[at], given[at]));
            let whole = [&seal, &own, &results, &message].map(String::as_str).concat();
            if seal.contains("cv=fail") {
                failed_seal_is_right(&key, [&results, &own, &seal]);
                assert_eq!(shown(&validate(whole.as_bytes(), &zone)).split(' ').next(), Some("fail"), "{case}");
            } else {
                assert_eq!(validate(whole.as_bytes(), &zone).result, ResultWord::Pass, "{case}");
            }
            with_set += 1;
        }
    }
    println!("{run} cases of ARC signing, {with_set} of them with a set");
    assert_eq!((run, with_set), (17, 16));
}

fn seal(sealer: &Sealer, message: &str, results: &Results, zone: &Zone, now: u64) -> Result<arc::Sealed, SealError> {
    let (header, body, rest) = split(message.as_bytes(), &HeaderLimits::default()).expect("a header");
    let chain = validate(message.as_bytes(), zone);
    let mut bodies = BodyHasher::new();
    let sealing = sealer.begin(&header, &mut bodies);
    let (mut stream, bytes) = (body, rest);
    stream.feed(bytes, |piece| bodies.feed(piece));
    stream.finish(|piece| bodies.feed(piece));
    sealing.finish(&chain, results, &bodies.finish(), now)
}

/// RFC 8617 §5.1.2: a seal with cv=fail covers its own set alone; written out here once more, by hand.
fn failed_seal_is_right(key: &Key, set: [&str; 3]) {
    let text = set.concat() + "\r\n";
    let (header, _, _) = split(text.as_bytes(), &HeaderLimits::default()).expect("three fields");
    let mut input = Vec::new();
    let fields: Vec<_> = header.fields().collect();
    for field in &fields[..2] {
        Canon::Relaxed.field(field.raw, field.name, field.value, &mut input);
    }
    let tags = TagList::parse(fields[2].value).expect("tags");
    write_own(&fields[2], &tags.place("b").expect("b="), Canon::Relaxed, &mut input);
    let signature = base64(tags.get("b").expect("b=")).expect("base64");
    assert!(key.verifies(Algorithm::RsaSha256, &digest(&SHA256, &input), &signature));
}
