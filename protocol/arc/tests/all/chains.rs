//! Chains made here: what holds, what breaks them, what they are worth. The numbers are those of the attack list.

use arc::{Evidence, SETS_MAX, SealError, Sealer, Validation, Validator, evidence};
use authres::{Method, ResultWord, Results};
use dkim::BodyHasher;
use dns::Zone;
use message::{HeaderLimits, HeaderReader, Progress, split};
use proptest::prelude::*;

use crate::common::{NOW, copy, key, name, shown, validate, zone};

const MESSAGE: &str = "From: a@author.test\r\nTo: b@list.test\r\nSubject: hello\r\nDKIM-Signature: x\r\n\r\nHi.\r\n";

/// Every sealer has the same key.
fn any_sealer_zone() -> Zone {
    let record = key().public_record().expect("a record");
    zone((0..60).map(|n| (format!("sel._domainkey.s{n}.test"), record.clone())))
}

fn sealed_by(sealer: usize, message: &str) -> Result<String, SealError> {
    let sealer = Sealer::new(name(&format!("s{sealer}.test")), name("sel"), copy(key()));
    let results = Results::by(format!("mx.{}", sealer.domain)).with(Method::new("dmarc", ResultWord::Pass).property(
        "header",
        "from",
        "author.test",
    ));
    let (header, body, rest) = split(message.as_bytes(), &HeaderLimits::default()).expect("a header");
    let chain = validate(message.as_bytes(), &any_sealer_zone());
    let mut bodies = BodyHasher::new();
    let sealing = sealer.begin(&header, &mut bodies);
    let (mut stream, bytes) = (body, rest);
    stream.feed(bytes, |piece| bodies.feed(piece));
    stream.finish(|piece| bodies.feed(piece));
    Ok(sealing.finish(&chain, &results, &bodies.finish(), NOW)?.fields.concat() + message)
}

/// A message that crossed servers s1, s2, …
fn crossed(servers: usize) -> String {
    (1..=servers).fold(MESSAGE.to_owned(), |message, server| sealed_by(server, &message).expect("a set"))
}

fn result(message: &str) -> String {
    shown(&validate(message.as_bytes(), &any_sealer_zone()))
}

#[test]
fn chains_hold_up_to_fifty() {
    assert_eq!(result(MESSAGE), "none 0");
    assert_eq!(result(&crossed(1)), "pass 1 oldest 0");
    assert_eq!(result(&crossed(3)), "pass 3 oldest 0");
    let full = crossed(SETS_MAX);
    assert_eq!(result(&full), "pass 50 oldest 0");
    assert_eq!(sealed_by(51, &full).unwrap_err(), SealError::Full);
    let more = full.replacen("i=50", "i=51", 3);
    assert_eq!(result(&more), "fail 0: the chain has an instance above 50", "C4");
    assert_eq!(
        result(&crossed(2).replace("i=2", "i=99999999999999999999")),
        "fail 0: the chain has an instance above 50"
    );
}

#[test]
fn what_was_changed_on_the_way() {
    let one = crossed(1);
    let listed =
        sealed_by(2, &one.replace("Subject: hello", "Subject: [list] hello").replace("Hi.", "Hi.\r\n-- \r\nfooter"))
            .unwrap();
    // The seal of s2 says that the chain had failed, as it had.
    assert_eq!(result(&listed), "fail 2: the newest sealer found the chain broken already (cv=fail)");
    assert_eq!(sealed_by(3, &listed).unwrap_err(), SealError::AlreadyFailed);
    // A list validates, then changes, then seals: its own signature is over what it sends.
    let changed = |message: String| message.replace("Subject: hello", "Subject: [list] hello");
    let (header, body, rest) = split(one.as_bytes(), &HeaderLimits::default()).unwrap();
    let chain = dns::now(arc::validate(&header, (body, rest), &any_sealer_zone(), NOW));
    let after = changed(one);
    let (header, mut body, rest) = split(after.as_bytes(), &HeaderLimits::default()).unwrap();
    let sealer = Sealer::new(name("s2.test"), name("sel"), copy(key()));
    let mut bodies = BodyHasher::new();
    let sealing = sealer.begin(&header, &mut bodies);
    body.feed(rest, |piece| bodies.feed(piece));
    let set = sealing.finish(&chain, &Results::by("s2.test"), &bodies.finish(), NOW).unwrap();
    let after = set.fields.concat() + &after;
    assert_eq!((set.instance, result(&after).as_str()), (2, "pass 2 oldest 2"), "since instance 2 nothing was changed");
}

/// Why, what is replaced in a chain of two, what comes of it.
type Broken = (&'static str, &'static [(&'static str, &'static str)], &'static str);

const BROKEN: &[Broken] = &[
    (
        "C2 the body",
        &[("Hi.", "Ho.")],
        "fail 2: the message signature of instance 2: the body was changed; the signed header fields were not",
    ),
    (
        "C2 a signed field",
        &[("Subject: hello", "Subject: hullo")],
        "fail 2: the message signature of instance 2: the signed header fields were changed, or the signature is not by this key",
    ),
    (
        "the results of the first set",
        &[("i=1; mx.s1.test", "i=1; mx.s9.test")],
        "fail 2: the seal of instance 2: the signed header fields were changed, or the signature is not by this key",
    ),
    ("C4 a gap", &[("i=2", "i=3")], "fail 0: instance 2 has not all of its three fields"),
    ("C4 an instance twice", &[("i=2", "i=1")], "fail 0: instance 1 has one of its fields twice"),
    ("instance 0", &[("i=1", "i=0")], "fail 0: a field of the chain has no instance (i=)"),
    ("an instance that is no number", &[("i=1", "i=one")], "fail 0: a field of the chain has no instance (i=)"),
    (
        "no results",
        &[("ARC-Authentication-Results: i=2", "X: i=2")],
        "fail 0: instance 2 has not all of its three fields",
    ),
    ("cv=none on top", &[("cv=pass", "cv=none")], "fail 2: instance 2 has a cv= that cannot be there"),
    ("cv=pass at the bottom", &[("cv=none", "cv=pass")], "fail 2: instance 1 has a cv= that cannot be there"),
    ("cv=fail at the bottom", &[("cv=none", "cv=fail")], "fail 2: instance 1 has a cv= that cannot be there"),
    ("cv= unknown", &[("cv=pass", "cv=maybe")], "fail 1: the seal of instance 2: the signature has no cv="),
    ("C4 instance 51", &[("i=2", "i=51")], "fail 0: the chain has an instance above 50"),
    ("C5 a tag twice", &[("cv=pass;", "cv=pass; cv=pass;")], "fail 0: a field of the chain has no instance (i=)"),
    ("C5 no a=", &[("a=ed25519-sha256;", "")], "fail 0: the seal of instance 1: the signature has no a="),
    (
        "C5 no a= in message signatures",
        &[("ARC-Message-Signature: a=ed25519-sha256;", "ARC-Message-Signature:")],
        "fail 0: the message signature of instance 2: the signature has no a=",
    ),
    (
        "C5 rsa-sha1 in message signatures",
        &[("ARC-Message-Signature: a=ed25519-sha256;", "ARC-Message-Signature: a=rsa-sha1;")],
        "fail 0: the message signature of instance 2: rsa-sha1 is not accepted any more",
    ),
    (
        "C5 a tag of message signatures twice",
        &[("bh=", "t=1; bh=")],
        "fail 0: a field of the chain has no instance (i=)",
    ),
    ("C5 no bh=", &[("bh=", "zz=")], "fail 0: the message signature of instance 2: the signature has no bh="),
    ("C5 no d=", &[("d=s2.test; h=", "h=")], "fail 1: the message signature of instance 2: the signature has no d="),
    ("C5 no s=", &[("s=sel; t=", "t=")], "fail 0: the message signature of instance 2: the signature has no s="),
    (
        "C5 no h= in message signatures",
        &[("; h=", "; zz=")],
        "fail 0: the message signature of instance 2: the signature has no h=",
    ),
    (
        "C5 rsa-sha1",
        &[("a=ed25519-sha256;", "a=rsa-sha1;")],
        "fail 0: the seal of instance 1: rsa-sha1 is not accepted any more",
    ),
    (
        "C5 h= covers seals",
        &[("h=from:", "h=arc-seal:from:")],
        "fail 0: the message signature of instance 2: the signature's h= is not a list of field names",
    ),
    (
        "C5 a seal with h=",
        &[("cv=pass;", "cv=pass; h=from;")],
        "fail 1: the seal of instance 2: the signature's h= is not a list of field names",
    ),
    (
        "a seal by a domain without a key",
        &[("s2.test; i=2", "nobody.test; i=2")],
        "fail 2: the seal of instance 2: there is no TXT record at the key's name",
    ),
];

#[test]
fn what_breaks_a_chain() {
    let whole = crossed(2);
    let found = BROKEN.iter().map(|(why, replaced, expected)| {
        let message = replaced.iter().fold(whole.clone(), |message, (a, b)| message.replace(a, b));
        assert_ne!(message, whole, "{why}: nothing was replaced");
        (why, result(&message), *expected)
    });
    let wrong: Vec<_> = found.filter(|(_, found, expected)| found != expected).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    println!("{} broken chains", BROKEN.len());
}

/// C6: the sets of one message on another.
#[test]
fn a_replayed_set() {
    let sets = crossed(1).replace(MESSAGE, "");
    let other = MESSAGE.replace("Hi.", "Pay here.").replace("hello", "urgent");
    assert!(result(&(sets + &other)).starts_with("fail 1: the message signature of instance 1"));
}

#[test]
fn keys_that_cannot_be_had() {
    let silent = Zone::parse(";@ servfail sel._domainkey.s1.test\n").unwrap();
    let validation = validate(crossed(1).as_bytes(), &silent);
    assert_eq!(
        (validation.result, validation.reason.as_ref().is_some_and(arc::Reason::is_temporary)),
        (ResultWord::Fail, true)
    );
    assert!(!validate(crossed(1).as_bytes(), &Zone::new()).reason.unwrap().is_temporary());
}

fn believed<'v>(validation: &'v Validation, trusted: &[&str]) -> Option<Evidence<'v>> {
    let trusted: Vec<_> = trusted.iter().map(|domain| name(domain)).collect();
    evidence(validation, &trusted)
}

/// What may be believed: the set whose results count.
#[test]
fn what_a_chain_is_worth() {
    let zone = any_sealer_zone();
    let three = validate(crossed(3).as_bytes(), &zone);
    let cases: &[(&str, &[&str], Option<usize>)] = &[
        ("C1 nobody is trusted", &[], None),
        ("C1 a trusted sealer below one that is not", &["s1.test", "s2.test"], None),
        ("the newest is trusted", &["s3.test"], Some(3)),
        ("C3 the newest and the oldest: what is between is not known", &["s3.test", "s1.test"], Some(3)),
        ("the newest two", &["s2.test", "s3.test"], Some(2)),
        ("all", &["s1.test", "s2.test", "s3.test"], Some(1)),
        ("C7 the identifier of the results is not the sealer", &["mx.s3.test"], None),
    ];
    for (why, trusted, expected) in cases {
        assert_eq!(believed(&three, trusted).map(|evidence| evidence.set.instance), *expected, "{why}");
    }
    let evidence = believed(&three, &["s2.test", "s3.test"]).unwrap();
    assert_eq!(evidence.results().authserv_id, "mx.s2.test");
    assert_eq!(evidence.results().methods[0].value("header", "from"), Some("author.test"));
    assert_eq!(
        evidence.report_comment(),
        "arc=pass as[3].d=s3.test as[3].s=sel as[2].d=s2.test as[2].s=sel as[1].d=s1.test as[1].s=sel",
        "C8"
    );
    let changed = crossed(3).replace("Hi.", "Ho.");
    assert!(believed(&validate(changed.as_bytes(), &zone), &["s1.test", "s2.test", "s3.test"]).is_none(), "C2");
}

/// A message signature that leaves From out says nothing of the author: the set could stand on anybody's mail.
#[test]
fn from_must_be_covered() {
    let mut sealer = Sealer::new(name("s1.test"), name("sel"), copy(key()));
    sealer.signed = ["subject"].into_iter().collect();
    let (header, mut body, rest) = split(MESSAGE.as_bytes(), &HeaderLimits::default()).unwrap();
    let mut bodies = BodyHasher::new();
    let sealing = sealer.begin(&header, &mut bodies);
    body.feed(rest, |piece| bodies.feed(piece));
    let none = validate(MESSAGE.as_bytes(), &Zone::new());
    let set = sealing.finish(&none, &Results::by("s1.test"), &bodies.finish(), NOW).unwrap();
    let validation = validate((set.fields.concat() + MESSAGE).as_bytes(), &any_sealer_zone());
    assert_eq!(shown(&validation), "pass 1 oldest 0");
    assert!(believed(&validation, &["s1.test"]).is_none());
}

/// What comes of a message that is cut at these places.
fn in_pieces(message: &[u8], cuts: &[usize], zone: &Zone) -> Validation {
    let mut places: Vec<_> = cuts.iter().map(|cut| cut % (message.len() + 1)).collect();
    places.extend([0, message.len()]);
    places.sort_unstable();
    let mut pieces = places.windows(2).map(|pair| &message[pair[0]..pair[1]]);
    let mut reader = HeaderReader::new(HeaderLimits::default());
    let begun = pieces.by_ref().find_map(|piece| match reader.feed(piece).expect("within the limits") {
        Progress::More => None,
        Progress::Done { header, body, rest } => Some((header, body, &piece[rest..])),
    });
    let (header, mut body, first) = begun.expect("the header ends");
    let mut bodies = BodyHasher::new();
    let validator = Validator::new(&header, &mut bodies);
    for piece in std::iter::once(first).chain(pieces) {
        body.feed(piece, |bytes| bodies.feed(bytes));
    }
    body.finish(|bytes| bodies.feed(bytes));
    dns::now(validator.finish(&bodies.finish(), zone, NOW))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Where a message is cut changes nothing, whether its chain holds or not.
    #[test]
    fn where_it_is_cut_changes_nothing(
        body in prop::collection::vec(prop::sample::select(vec!["a", " ", "\t", "\r\n", "word", "\r\n\r\n"]), 0..20),
        servers in 1..3_usize,
        changed: bool,
        cuts in prop::collection::vec(any::<usize>(), 0..8),
    ) {
        let message = MESSAGE.replace("Hi.\r\n", &body.concat());
        let message = (1..=servers).fold(message, |message, server| sealed_by(server, &message).unwrap());
        let message = if changed { message + "x" } else { message };
        let whole = validate(message.as_bytes(), &any_sealer_zone());
        prop_assert_eq!(whole.result == ResultWord::Pass, !changed);
        prop_assert_eq!(in_pieces(message.as_bytes(), &cuts, &any_sealer_zone()), whole);
    }
}
