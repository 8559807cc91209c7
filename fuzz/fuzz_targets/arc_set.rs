//! Any bytes as a message with a chain; then the same sealed.

#![no_main]

use arc::{Sealer, validate};
use authres::{ResultWord, Results};
use dkim::{BodyHasher, SigningKey};
use dns::{Data, Name, Zone, now};
use libfuzzer_sys::fuzz_target;
use message::{Domain, HeaderLimits, split};

const NOW: u64 = 1_700_000_000;

/// The test key of RFC 8032 §7.1, which RFC 8463 uses too.
const SEED: &str = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";

fuzz_target!(|bytes: &[u8]| {
    let Ok((header, body, rest)) = split(bytes, &HeaderLimits::default()) else { return };
    let key = SigningKey::read(SEED).expect("a key");
    let mut zone = Zone::new();
    let record = key.public_record().expect("a record");
    zone.add(&Name::parse("s._domainkey.ours.test").expect("a name"), 60, Data::Txt(record.as_bytes().into()));
    let chain = now(validate(&header, (body.clone(), rest), &zone, NOW));
    assert!(chain.sets.len() <= arc::SETS_MAX);
    assert_ne!(chain.result, ResultWord::Pass, "a stranger has sealed with a key that nobody here has");

    let name = |text: &str| Domain::parse(text.as_bytes()).expect("a name");
    let sealer = Sealer::new(name("ours.test"), name("s"), key);
    let mut bodies = BodyHasher::new();
    let sealing = sealer.begin(&header, &mut bodies);
    let mut stream = body;
    let mut text = Vec::new();
    stream.feed(rest, |piece| text.extend_from_slice(piece));
    stream.finish(|piece| text.extend_from_slice(piece));
    bodies.feed(&text);
    let Ok(set) = sealing.finish(&chain, &Results::by("mx.ours.test"), &bodies.finish(), NOW) else { return };
    let message = [set.fields.concat().as_bytes(), header.bytes(), b"\r\n", &text].concat();
    let (header, body, rest) = split(&message, &HeaderLimits::default()).expect("not much longer");
    let again = now(validate(&header, (body, rest), &zone, NOW));
    let expected = if chain.result == ResultWord::None { ResultWord::Pass } else { ResultWord::Fail };
    assert_eq!(again.result, expected, "{:?}", again.reason);
});
