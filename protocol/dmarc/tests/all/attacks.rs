//! Signatures, chains and sizes at the level of the verdict. The numbers are those of the attack list.

use std::sync::atomic::{AtomicUsize, Ordering};

use arc::{Sealer, evidence};
use authres::{Method, ResultWord, Results};
use dkim::{BodyHasher, SigningKey};
use dmarc::{Envelope, Evaluation, Relation, Settings, Standard};
use dns::{Lookup, Name, RecordType, Response, Zone};
use message::{Domain, HeaderLimits, split};

use crate::common::{NOW, Sent, key, key_record, signed, zone};

const HEADER: &str = "From: admin@legit.test\r\nTo: b@other.test\r\nContent-Type: text/plain\r\n";
const BODY: &str = "Hi.\r\n\r\nWe lost the game.\r\n";
const NAMES: &str = "from:to:content-type";

/// legit.test asks to reject; every domain that signs has the same key.
fn signing_zone() -> String {
    let mut text = concat!(
        "_dmarc.legit.test. 60 IN TXT \"v=DMARC1; p=reject\"\n",
        "legit.test. 60 IN TXT \"v=spf1 -all\"\n",
        "attack.test. 60 IN TXT \"v=spf1 ip4:192.0.2.9 -all\"\n",
        "_dmarc.strict.test. 60 IN TXT \"v=DMARC1; p=reject; adkim=s\"\n",
        "_dmarc.example.co.uk. 60 IN TXT \"v=DMARC1; p=reject\"\n",
        ";@ servfail late._domainkey.legit.test.\n",
        ";@ servfail late._domainkey.attack.test.\n",
    )
    .to_owned();
    for domain in
        ["legit.test", "mail.legit.test", "attack.test", "test", "co.uk", "sub.strict.test", "s1.test", "s2.test"]
    {
        text.push_str(&key_record(&format!("sel._domainkey.{domain}"), key()));
    }
    text
}

fn outcome(evaluation: &Evaluation) -> String {
    let dkim: Vec<_> = evaluation.dkim.iter().map(|verdict| verdict.result.as_str()).collect();
    let asked = evaluation.dmarc.requested_disposition.map_or("-", dmarc::Policy::as_str);
    format!("dkim={} dmarc={} asked={asked}", dkim.join(","), evaluation.dmarc.result)
}

fn evaluated(message: impl Into<Vec<u8>>) -> Evaluation {
    Sent::by_attacker(message).evaluate(&zone(&signing_zone()), &Settings::default())
}

#[test]
fn signatures() {
    let by = |domain: &str| signed(domain, "", NAMES, None, HEADER, BODY);
    let of =
        |author: &str, domain: &str| signed(domain, "", NAMES, None, &HEADER.replace("admin@legit.test", author), BODY);
    let whole = u64::try_from(BODY.len()).unwrap();
    let content_type = "Content-Type: multipart/mixed; boundary=x\r\n";
    let unsigned_type = signed("legit.test", "", "from:to", Some(whole), HEADER, BODY);
    let cases = [
        ("D1 signed by the author domain", by("legit.test"), "dkim=pass dmarc=pass asked=none"),
        ("signed by a host of it", by("mail.legit.test"), "dkim=pass dmarc=pass asked=none"),
        ("signed by the attacker", by("attack.test"), "dkim=pass dmarc=fail asked=reject"),
        ("D22 signed by the public suffix", by("test"), "dkim=pass dmarc=fail asked=reject"),
        ("strict alignment, signed below", of("a@strict.test", "sub.strict.test"), "dkim=pass dmarc=fail asked=reject"),
        (
            "D8 l= and something behind it",
            signed("legit.test", "", NAMES, Some(whole), HEADER, BODY) + "Buy!\r\n",
            "dkim=policy dmarc=fail asked=reject",
        ),
        (
            "D8 l= and nothing behind it",
            signed("legit.test", "", NAMES, Some(whole), HEADER, BODY),
            "dkim=pass dmarc=pass asked=none",
        ),
        ("D9 l=0", signed("legit.test", "", NAMES, Some(0), HEADER, BODY), "dkim=policy dmarc=fail asked=reject"),
        (
            "D10 l= beyond the body",
            signed("legit.test", "", NAMES, Some(9_999), HEADER, BODY),
            "dkim=permerror dmarc=fail asked=reject",
        ),
        (
            "D35 l=, another Content-Type on top, and a part in front of the signed one",
            format!("{content_type}{unsigned_type}--x\r\n\r\nBuy!\r\n--x--\r\n"),
            "dkim=policy dmarc=fail asked=reject",
        ),
        (
            "D2 From is not signed",
            signed("legit.test", "", "to:content-type", None, HEADER, BODY),
            "dkim=permerror dmarc=fail asked=reject",
        ),
        (
            "D4 expired",
            signed("legit.test", " t=1600000000; x=1600000001;", NAMES, None, HEADER, BODY),
            "dkim=policy dmarc=fail asked=reject",
        ),
        (
            "D31 a quote in d=",
            signed("legit.test'a.attack.test", "", NAMES, None, HEADER, BODY),
            "dkim=permerror dmarc=fail asked=reject",
        ),
        (
            "From was changed after signing",
            by("legit.test").replace("admin@", "root@"),
            "dkim=fail dmarc=fail asked=reject",
        ),
        (
            "T15 the author's own key cannot be fetched",
            by("legit.test").replace("s=sel", "s=late"),
            "dkim=temperror dmarc=temperror asked=-",
        ),
        (
            "D28 the attacker's key cannot be fetched, which is no reason to wait",
            by("attack.test").replace("s=sel", "s=late"),
            "dkim=temperror dmarc=fail asked=reject",
        ),
    ];
    for (why, message, expected) in cases {
        let evaluation = evaluated(message);
        assert_eq!(outcome(&evaluation), expected, "{why}\n{}", evaluation.to_text());
    }
}

#[test]
fn a_public_suffix_vouches_for_nobody() {
    let message = signed("co.uk", "", NAMES, None, &HEADER.replace("legit.test", "example.co.uk"), BODY);
    for standard in [Standard::Rfc9989, Standard::Rfc7489] {
        let settings = Settings { standard, ..Settings::default() };
        let evaluation = Sent::by_attacker(message.clone()).evaluate(&zone(&signing_zone()), &settings);
        assert_eq!(outcome(&evaluation), "dkim=pass dmarc=fail asked=reject", "D22, {}", standard.as_str());
    }
}

fn name(text: &str) -> Domain {
    Domain::parse(text.as_bytes()).expect("a name")
}

/// The message with one more set on top that says DMARC had passed.
fn sealed(sealer: &str, said_by: &str, message: &str) -> String {
    let copy = SigningKey::read(&key().to_pem().expect("PEM")).expect("a key");
    let sealer = Sealer::new(name(sealer), name("sel"), copy);
    let passed = Method::new("dmarc", ResultWord::Pass).property("header", "from", "legit.test");
    let results = Results::by(said_by).with(passed);
    let (header, mut body, rest) = split(message.as_bytes(), &HeaderLimits::default()).expect("a header");
    let chain = evaluated(message).arc;
    let mut bodies = BodyHasher::new();
    let sealing = sealer.begin(&header, &mut bodies);
    body.feed(rest, |piece| bodies.feed(piece));
    body.finish(|piece| bodies.feed(piece));
    sealing.finish(&chain, &results, &bodies.finish(), NOW).expect("a set").fields.concat() + message
}

#[test]
fn chains() {
    let plain = format!("{HEADER}\r\n{BODY}");
    let one = sealed("s1.test", "mx.s1.test", &plain);
    let two = sealed("s2.test", "mx.s2.test", &one);
    let other = one.replace("We lost", "We won");
    let trusted = [name("s2.test")];
    // Why, the message, what comes of its chain, and whose words a receiver that trusts s2.test may believe.
    let cases = [
        ("no chain", plain.clone(), "none", None),
        ("C1 nobody is trusted", one.clone(), "pass", None),
        ("C2 a trusted sealer, and the body was changed", two.replace("We lost", "We won"), "fail", None),
        ("C3 trusted above one that is not", two.clone(), "pass", Some("mx.s2.test")),
        ("C4 a gap", two.replace("i=1;", "i=3;"), "fail", None),
        ("C4 an instance twice", one.replacen(&plain, "", 1) + &one, "fail", None),
        ("C5 a tag twice", two.replacen("cv=pass;", "cv=pass; cv=pass;", 1), "fail", None),
        ("C6 the sets of one message on another", other, "fail", None),
        ("C7 the identifier is another's", sealed("s1.test", "s2.test", &plain), "pass", None),
    ];
    for (why, message, chain, believed) in cases {
        let evaluation = evaluated(message);
        let found = evidence(&evaluation.arc, &trusted);
        assert_eq!(evaluation.arc.result.as_str(), chain, "{why}: {:?}", evaluation.arc.reason);
        assert_eq!(found.map(|found| found.results().authserv_id.as_str()), believed, "{why}");
        // Whatever a chain says, it is evidence for the receiver and no pass.
        assert_eq!(outcome(&evaluation), "dkim= dmarc=fail asked=reject", "{why}");
    }
    let evaluation = evaluated(two);
    let found = evidence(&evaluation.arc, &trusted).expect("evidence");
    assert_eq!(
        found.report_comment(),
        "arc=pass as[2].d=s2.test as[2].s=sel as[1].d=s1.test as[1].s=sel",
        "C8 what a report says of it"
    );
}

#[test]
fn huge_from_fields() {
    let long = format!("From: {}@legit.test\r\n\r\n", "a".repeat(1 << 20));
    let many =
        format!("From: {}\r\n\r\n", (0..10_000).map(|n| format!("a@d{n}.test")).collect::<Vec<_>>().join(",\r\n "));
    let fields = format!("{}From: a@legit.test\r\n\r\n", "X: y\r\n".repeat(5_000));
    let cases = [
        ("F30 1 MB", long, "header_too_long"),
        ("F30 10,000 addresses", many, "too_long"),
        ("5,000 fields", fields, "too_many_fields"),
    ];
    for (why, message, reason) in cases {
        let evaluation = evaluated(message);
        let json = evaluation.to_json("mx.test");
        assert_eq!(json["from"]["verdict"], "refuse", "{why}");
        assert_eq!(json["from"]["reason"], reason, "{why}");
        assert_eq!(json["dmarc"]["result"], "permerror", "{why}");
    }
}

/// A source of answers that counts.
struct Counted<'z> {
    zone: &'z Zone,
    asked: AtomicUsize,
}

impl Lookup for Counted<'_> {
    fn lookup(&self, name: &Name, kind: RecordType) -> impl Future<Output = Response> + Send {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.zone.lookup(name, kind)
    }
}

#[test]
fn questions_are_bounded() {
    let deep = "a.b.c.d.e.f.g.h.i.j.legit.test";
    let header = HEADER.replace("legit.test", deep);
    let mut message = format!("{header}\r\n{BODY}");
    // Each lies below the author's organizational domain and has its own walk.
    let domains: Vec<_> = (0..100).map(|n| format!("x{n}.c.d.e.f.g.legit.test")).collect();
    let mut text = signing_zone();
    for domain in &domains {
        let one = signed(domain, "", NAMES, None, &header, BODY);
        let (field, _) = one.split_once("From:").expect("a header");
        message = field.to_owned() + &message;
        text.push_str(&key_record(&format!("sel._domainkey.{domain}"), key()));
    }
    let zone = zone(&text);
    let counted = Counted { zone: &zone, asked: AtomicUsize::new(0) };
    let envelope = Envelope {
        ip: "192.0.2.9".parse().unwrap(),
        helo: "attack.test",
        mail_from: Some(b"<a@attack.test>"),
        receiver: "mx",
    };
    let evaluation = dns::now(dmarc::evaluate(message.as_bytes(), &envelope, &counted, NOW, &Settings::default()));
    let related = |alignment: &&dmarc::Alignment| alignment.relation == Some(Relation::SameOrganization);
    assert_eq!(evaluation.dmarc.alignments.iter().filter(related).count(), 10, "{}", evaluation.to_text());
    let signatures = 10;
    let (author, sender, shared) = (8, 2, 7);
    let asked = counted.asked.load(Ordering::Relaxed);
    // Keys, the author's walk, SPF; then for each signature its own name and what of its walk nobody had asked about.
    assert!(asked <= signatures + author + sender + signatures + shared, "{asked} questions");
    println!("{asked} questions for a message with 100 signatures and an author of 12 labels");
}

/// How many questions a message costs whose author domain has this record or lies below one that has.
fn questions(author: &str, record: &str, settings: &Settings) -> usize {
    let zone = zone(&format!("_dmarc.legit.test. 60 IN TXT \"{record}\"\nnews.legit.test. 60 IN A 192.0.2.1\n"));
    let counted = Counted { zone: &zone, asked: AtomicUsize::new(0) };
    let message = format!("From: a@{author}\r\n\r\n");
    let envelope =
        Envelope { ip: "192.0.2.9".parse().expect("an address"), helo: "one-label", mail_from: None, receiver: "mx" };
    dns::now(dmarc::evaluate(message.as_bytes(), &envelope, &counted, NOW, settings));
    counted.asked.load(Ordering::Relaxed)
}

#[test]
fn no_question_too_many() {
    let (new, old) = (Standard::Rfc9989, Standard::Rfc7489);
    let cases = [
        ("the whole walk", "legit.test", "v=DMARC1; p=reject", new, 2),
        ("psd=n ends it", "legit.test", "v=DMARC1; p=reject; psd=n", new, 1),
        ("np does not matter to the record's own domain", "legit.test", "v=DMARC1; p=reject; np=none", new, 2),
        ("np is what sp is", "news.legit.test", "v=DMARC1; p=reject; sp=none; np=none", new, 3),
        (
            "np matters, and an answer about _dmarc does not say it",
            "news.legit.test",
            "v=DMARC1; p=reject; np=none",
            new,
            4,
        ),
        ("the older one asks once where there is a record", "legit.test", "v=DMARC1; p=reject", old, 1),
        ("and twice where there is none", "news.legit.test", "v=DMARC1; p=reject; np=none", old, 2),
    ];
    for (why, author, record, standard, expected) in cases {
        let settings = Settings { standard, ..Settings::default() };
        assert_eq!(questions(author, record, &settings), expected, "{why}");
    }
    let reject = "v=DMARC1; p=reject";
    let both = |standard| Settings { standard, both: true, ..Settings::default() };
    assert_eq!(questions("legit.test", reject, &both(new)), 2, "the older one asks about nothing more");
    assert_eq!(questions("news.legit.test", reject, &both(old)), 3, "the newer one goes on to the top");
    let ambiguous_author = dmarc::AmbiguousAuthor::Strictest;
    let strictest = |standard| Settings { standard, ambiguous_author, ..Settings::default() };
    assert_eq!(
        questions("x.legit.test, b@y.legit.test", reject, &strictest(new)),
        4,
        "what two walks share is asked once"
    );
    assert_eq!(questions("x.legit.test, b@y.legit.test", reject, &strictest(old)), 3, "and so by the list");
}
