//! What may be wrong with signatures and keys, one case each, with the right answer. The numbers are those of the attack list that
//! the cases were written from. Each signature is made by hand and right but for what the case is about.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::{Hand, NOW, ed25519, material, record, rsa, shown, txt, verify, zone};
use dkim::{Canon, Limits, SigningKey, to_base64};
use dns::{Lookup, Name, RecordType, Response, Zone};
use message::{HeaderLimits, split};

const HEADER: &str = "From: a@legit.test\r\nTo: b@other.test\r\nSubject: hello\r\nContent-Type: text/plain\r\n";
const BODY: &str = "Hi.\r\n\r\nWe lost the game.\r\n";
const RELAXED: (Canon, Canon) = (Canon::Relaxed, Canon::Relaxed);
const TAGS: &str = "v=1; a=rsa-sha256; c=relaxed/relaxed; d=legit.test; s=sel; t=1699999900;\r\n\th=from:to:subject:content-type; bh={bh}; b={b}";
const NAMES: &str = "from:to:subject:content-type";

const GOOD: Hand<'_> = Hand { tags: TAGS, names: NAMES, canon: RELAXED, length: None };

fn standard_zone() -> String {
    txt("sel._domainkey.legit.test", &record(rsa())) + &txt("ed._domainkey.legit.test", &record(ed25519()))
}

/// What comes of a message with one signature.
fn one(message: &[u8], zone: &Zone) -> String {
    let verdicts = verify(message, zone, NOW);
    assert_eq!(verdicts.len(), 1);
    shown(&verdicts[0])
}

fn with_tags(tags: &str) -> String {
    one(&Hand { tags, ..GOOD }.message(rsa(), HEADER, BODY), &zone(&standard_zone()))
}

/// Why, what is replaced in the tags, what comes of it.
type Changed = (&'static str, &'static [(&'static str, &'static str)], &'static str);

const SIGNATURES: &[Changed] = &[
    ("D1 nothing wrong", &[], "pass 2048"),
    ("D2 From is not signed", &[("h=from:", "h=")], "permerror: the signature does not cover From"),
    (
        "D3 d= twice",
        &[("d=legit.test", "d=attack.test; d=legit.test")],
        "permerror: the signature cannot be read: a tag is there twice",
    ),
    ("D4 expired", &[("t=1699999900", "t=1699999900; x=1699999999")], "policy 2048: the signature has expired (x=)"),
    ("D4 about to expire", &[("t=1699999900", "t=1699999900; x=1700000000")], "pass 2048"),
    (
        "D5 x= is t=",
        &[("t=1699999900", "t=1699999900; x=1699999900")],
        "permerror: the signature expired before it was made (x= is not after t=)",
    ),
    ("D6 made tomorrow", &[("t=1699999900", "t=1700086400")], "policy 2048: the signature was made in the future (t=)"),
    ("D6 made in five minutes: clocks differ", &[("t=1699999900", "t=1700000300")], "pass 2048"),
    ("D7 rsa-sha1", &[("rsa-sha256", "rsa-sha1")], "permerror: rsa-sha1 is not accepted any more"),
    ("D18 no v=", &[("v=1; ", "")], "permerror: the signature has no v="),
    ("D19 no a=", &[("a=rsa-sha256; ", "")], "permerror: the signature has no a="),
    ("no d=", &[("d=legit.test; ", "")], "permerror: the signature has no d="),
    ("no s=", &[("s=sel; ", "")], "permerror: the signature has no s="),
    ("no bh=", &[("bh={bh}; ", "")], "permerror: the signature has no bh="),
    ("no h=", &[("h=from:to:subject:content-type; ", "")], "permerror: the signature has no h="),
    ("v=2", &[("v=1", "v=2")], "permerror: the signature's v= is not 1"),
    ("unknown a=", &[("rsa-sha256", "rsa-sha512")], "permerror: the signature's a= is not known"),
    ("unknown c=", &[("relaxed/relaxed", "nofws/relaxed")], "permerror: the signature's c= is not known"),
    ("c= with three words", &[("relaxed/relaxed", "relaxed/relaxed/x")], "permerror: the signature's c= is not known"),
    ("words in upper case", &[("relaxed/relaxed", "Relaxed/RELAXED"), ("rsa-sha256", "RSA-SHA256")], "pass 2048"),
    (
        "D20 i= elsewhere",
        &[("d=legit.test", "d=legit.test; i=a@attack.test")],
        "permerror: the signature's i= is not within its d=",
    ),
    (
        "D20 i= that only ends like d=",
        &[("d=legit.test", "d=legit.test; i=a@notlegit.test")],
        "permerror: the signature's i= is not within its d=",
    ),
    ("D20 i= below d=", &[("d=legit.test", "d=legit.test; i=a=40b@mail.LEGIT.test")], "pass 2048"),
    (
        "D20 i= without @",
        &[("d=legit.test", "d=legit.test; i=legit.test")],
        "permerror: the signature's i= is not an identity",
    ),
    (
        "D26 unknown q=",
        &[("d=legit.test", "d=legit.test; q=http")],
        "permerror: the signature's q= offers no way to the key that is known",
    ),
    ("D26 unknown q= beside the known", &[("d=legit.test", "d=legit.test; q=foo/bar : dns/txt")], "pass 2048"),
    ("D27 tag names have case", &[("v=1", "V=1")], "permerror: the signature has no v="),
    (
        "D30 an empty name in h=",
        &[("from:to", "from::to")],
        "permerror: the signature's h= is not a list of field names",
    ),
    (
        "D30 h= that ends in a colon",
        &[("content-type;", "content-type:;")],
        "permerror: the signature's h= is not a list of field names",
    ),
    (
        "D31 a quote in d=",
        &[("d=legit.test", "d=legit.test'a.attack.test")],
        "permerror: the signature's d= is not a domain name: the domain name has a character that no name may have",
    ),
    (
        "D31 a parenthesis in d=",
        &[("d=legit.test", "d=legit.test(.attack.test")],
        "permerror: the signature's d= is not a domain name: the domain name has a character that no name may have",
    ),
    (
        "D31 a double quote in d=",
        &[("d=legit.test", "d=legit.test\".attack.test")],
        "permerror: the signature's d= is not a domain name: the domain name has a character that no name may have",
    ),
    (
        "D32 NUL in s=",
        &[("s=sel", "s=sel\0.attack")],
        "permerror: the signature cannot be read: a tag has a value with a character that may not be in it",
    ),
    (
        "s= with an empty label",
        &[("s=sel", "s=a..b")],
        "permerror: the signature's s= is not a domain name: the domain name has an empty label",
    ),
    (
        "D38 b= and bh= folded, with white space in them",
        &[("b={b}", "b= \r\n\t {b} \r\n\t ;"), ("bh={bh}", "bh = \r\n {bh} ")],
        "pass 2048",
    ),
    ("b= is not base64", &[("b={b}", "b={b}!")], "permerror: the signature's b= is not base64 of its length"),
    ("b= is empty", &[("b={b}", "b=; z={b}")], "permerror: the signature's b= is not base64 of its length"),
    ("bh= is a shorter hash", &[("bh={bh}", "bh=AAAA")], "permerror: the signature's bh= is not base64 of its length"),
    ("t= is no number", &[("t=1699999900", "t=now")], "permerror: the signature's t= is not a number"),
    ("x= beyond all numbers", &[("t=1699999900", "t=1; x=99999999999999999999999999")], "pass 2048"),
    ("an unknown tag", &[("v=1;", "v=1; zz=;")], "pass 2048"),
    ("an empty tag", &[("v=1;", "v=1;;")], "permerror: the signature cannot be read: a part of the tag list is no tag"),
    (
        "no tag list",
        &[(TAGS, "b={b}; rubbish")],
        "permerror: the signature cannot be read: a part of the tag list is no tag",
    ),
    (
        "the algorithm of another key",
        &[("s=sel", "s=ed")],
        "permerror 256: the key is not of the kind that the signature was made with",
    ),
    ("no key", &[("s=sel", "s=gone")], "permerror: there is no TXT record at the key's name"),
];

#[test]
fn signatures() {
    let changed = |replaced: &[(&str, &str)]| replaced.iter().fold(TAGS.to_owned(), |tags, (a, b)| tags.replace(a, b));
    let found = SIGNATURES.iter().map(|(why, replaced, expected)| (why, with_tags(&changed(replaced)), *expected));
    let wrong: Vec<_> = found.filter(|(_, found, expected)| found != expected).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let long = TAGS.replace("s=sel", &format!("s={}", ["a".repeat(60).as_str(); 4].join(".")));
    assert_eq!(with_tags(&long), "permerror: the key's name is too long for the DNS");
    println!("{} cases of signatures", SIGNATURES.len() + 1);
}

#[test]
fn ed25519_signatures() {
    let tags = TAGS.replace("rsa-sha256", "ed25519-sha256").replace("s=sel", "s=ed");
    let hand = Hand { tags: &tags, ..GOOD };
    assert_eq!(one(&hand.message(ed25519(), HEADER, BODY), &zone(&standard_zone())), "pass 256", "D1");
    let other = SigningKey::generate(dkim::Algorithm::Ed25519Sha256).unwrap();
    let forged = one(&hand.message(&other, HEADER, BODY), &zone(&standard_zone()));
    assert_eq!(forged, "fail 256: the signed header fields were changed, or the signature is not by this key");
}

/// An RSA public key of some bits that nobody has the other half of.
fn modulus(bits: usize, exponent: &[u8]) -> String {
    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).expect("short").to_be_bytes();
        [&[tag, 0x82, length[0], length[1]], content].concat()
    }
    let mut number = vec![0xff; bits.div_ceil(8)];
    number[0] = 0xff_u8 >> ((8 - bits % 8) % 8);
    if number[0] >= 0x80 {
        number.insert(0, 0);
    }
    // Short lengths in the long form are not DER: only the modulus and the whole need it.
    let exponent = [&[2, u8::try_from(exponent.len()).expect("short")], exponent].concat();
    to_base64(&element(0x30, &[element(2, &number), exponent].concat()))
}

#[test]
fn key_records() {
    let key = material(rsa());
    let (p, f4) = (format!("p={key}"), &[1, 0, 1]);
    let not_key = "permerror: the key record's p= holds no public key of its kind";
    let cases: &[(&str, String, &str)] = &[
        ("nothing but p=", p.clone(), "pass 2048"),
        (
            "D11 RSA of 512 bits",
            format!("p={}", modulus(512, f4)),
            "permerror: the RSA key has 512 bits; at least 1024 are needed",
        ),
        (
            "D11 RSA of 1023 bits",
            format!("p={}", modulus(1023, f4)),
            "permerror: the RSA key has 1023 bits; at least 1024 are needed",
        ),
        (
            "D37 RSA of 8193 bits",
            format!("p={}", modulus(8193, f4)),
            "permerror: the RSA key has 8193 bits; at most 8192 are accepted",
        ),
        ("D37 RSA with exponent 1", format!("p={}", modulus(2048, &[1])), not_key),
        ("D37 RSA with exponent 2", format!("p={}", modulus(2048, &[2])), not_key),
        ("D37 RSA cut short", format!("p={}", &key[..key.len() - 8]), not_key),
        ("D37 RSA with more behind", format!("p={}AAAA", key.trim_end_matches('=')), not_key),
        ("D37 not base64", "p=!!!!".into(), not_key),
        ("D37 a number", "p=AgEB".into(), not_key),
        (
            "D37 a record of 20 KB",
            format!("n={}; {p}", "x".repeat(20_000)),
            "permerror: the key record has more than 16384 bytes",
        ),
        ("D13 h=sha1", format!("h=sha1; {p}"), "permerror 2048: the key may not be used with SHA-256 (its h= says so)"),
        ("D13 h=sha1:sha256", format!("h=sha1 : sha256; {p}"), "pass 2048"),
        ("D14 s=tlsrpt", format!("s=tlsrpt; {p}"), "permerror 2048: the key may not be used for mail (its s= says so)"),
        ("D14 s=tlsrpt:email", format!("s=tlsrpt:email; {p}"), "pass 2048"),
        ("D14 s=*", format!("s=*; {p}"), "pass 2048"),
        ("D15 p= empty", "v=DKIM1; p=".into(), "permerror: the key is revoked: its p= is empty"),
        ("no p=", "v=DKIM1; k=rsa".into(), "permerror: the key record has no p="),
        (
            "D16 v= not first",
            format!("k=rsa; v=DKIM1; {p}"),
            "permerror: the key record's v= is not DKIM1 in first place",
        ),
        ("v=dkim1", format!("v=dkim1; {p}"), "permerror: the key record's v= is not DKIM1 in first place"),
        ("D23 k= of another kind", format!("k=ed25519; {p}"), not_key),
        ("k= unknown", format!("k=dsa; {p}"), "permerror: the key is of a kind that is not known (k=)"),
        ("k=RSA", format!("k=RSA; {p}"), "pass 2048"),
        ("D24 t=y", format!("t=y; {p}"), "pass 2048 [testing]"),
        ("g= of old times", format!("g=nobody; {p}"), "pass 2048"),
        ("white space in p=", format!("p={} \t{}", &key[..50], &key[50..]), "pass 2048"),
        ("a tag twice", format!("{p}; {p}"), "permerror: the key record cannot be read: a tag is there twice"),
        (
            "not a key record",
            "hello world".into(),
            "permerror: the key record cannot be read: a part of the tag list is no tag",
        ),
        (
            "NUL",
            format!("v=DKIM1; n=\0; {p}"),
            "permerror: the key record cannot be read: a tag has a value with a character that may not be in it",
        ),
    ];
    let message = GOOD.message(rsa(), HEADER, BODY);
    let found = cases.iter().map(|(why, record, expected)| {
        (why, one(&message, &zone(&txt("sel._domainkey.legit.test", record))), *expected)
    });
    let wrong: Vec<_> = found.filter(|(_, found, expected)| found != expected).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    println!("{} cases of key records", cases.len());
}

#[test]
fn exact_domains() {
    let zone = zone(&txt("sel._domainkey.legit.test", &format!("t=s; p={}", material(rsa()))));
    let below = TAGS.replace("d=legit.test", "d=legit.test; i=@mail.legit.test");
    let exact = TAGS.replace("d=legit.test", "d=legit.test; i=x@Legit.Test");
    let message = |tags| Hand { tags, ..GOOD }.message(rsa(), HEADER, BODY);
    let refused = "permerror 2048: the key is for its exact domain only (t=s), and i= is below it";
    assert_eq!(one(&message(&below), &zone), refused, "D21");
    assert_eq!(one(&message(&exact), &zone), "pass 2048", "D21 at the domain itself");
}

/// Zone text, what comes of a good message.
#[test]
fn answers() {
    let (name, good) = ("sel._domainkey.legit.test", record(rsa()));
    let other = record(&SigningKey::generate(dkim::Algorithm::RsaSha256).unwrap());
    let tenfold: Vec<_> = good.as_bytes().chunks(good.len().div_ceil(10)).map(String::from_utf8_lossy).collect();
    assert_eq!(tenfold.len(), 10);
    let pass = "pass 2048";
    let cases: &[(&str, String, &str)] = &[
        ("D17 two keys, the second is the one", txt(name, &other) + &txt(name, &good), pass),
        ("D17 text beside the key", txt(name, "v=spf1 -all") + &txt(name, &good), pass),
        (
            "D17 two keys, neither is the one",
            txt(name, &other) + &txt(name, &record(ed25519())),
            "fail 2048: the signed header fields were changed, or the signature is not by this key",
        ),
        (
            "D28 the server fails",
            format!(";@ servfail {name} TXT\n"),
            "temperror: the key could not be fetched: SERVFAIL, as the zone says",
        ),
        (
            "D28 no answer",
            format!(";@ timeout {name} TXT\n"),
            "temperror: the key could not be fetched: no answer in time",
        ),
        ("D29 no such name", txt("other.legit.test", "x"), "permerror: there is no TXT record at the key's name"),
        (
            "D29 no TXT there",
            format!("{name}. 60 IN A 192.0.2.1\n"),
            "permerror: there is no TXT record at the key's name",
        ),
        ("D39 an alias", format!("{name}. 60 IN CNAME key.provider.test.\n") + &txt("key.provider.test", &good), pass),
        ("D39 ten strings", format!("{name}. 60 IN TXT \"{}\"\n", tenfold.join("\" \"")), pass),
        ("D39 4 KB", txt(name, &format!("v=DKIM1; n={}; p={}", "x".repeat(4_000), material(rsa()))), pass),
    ];
    let message = GOOD.message(rsa(), HEADER, BODY);
    let found = cases.iter().map(|(why, text, expected)| (why, one(&message, &zone(text)), *expected));
    let wrong: Vec<_> = found.filter(|(_, found, expected)| found != expected).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let changed = String::from_utf8(message).unwrap().replace("lost", "won");
    let late = one(changed.as_bytes(), &zone(&format!(";@ servfail {name} TXT\n")));
    assert_eq!(late, "fail: the body was changed", "no use in coming back for a key");
}

#[test]
fn body_lengths() {
    let tags = |length: u64| TAGS.replace("d=legit.test", &format!("d=legit.test; l={length}"));
    let whole = BODY.len() as u64;
    let partly = "policy 2048 [body_length]: the signature leaves the end of the body unsigned (l=)";
    let cases: &[(&str, u64, &str, &str)] = &[
        ("all of it", whole, "", "pass 2048 [body_length]"),
        ("D8 something was appended", whole, "An attachment.\r\n", partly),
        ("D8 empty lines were appended", whole, "\r\n\r\n", "pass 2048 [body_length]"),
        ("D9 l=0", 0, "", partly),
        (
            "D10 more than there is",
            whole + 1,
            "",
            "permerror 2048 [body_length]: the signature covers more body than there is (l=)",
        ),
    ];
    for (why, length, appended, expected) in cases {
        let (tags, signed) = (tags(*length), Some((*length).min(whole)));
        let mut message = Hand { tags: &tags, length: signed, ..GOOD }.message(rsa(), HEADER, BODY);
        message.extend_from_slice(appended.as_bytes());
        assert_eq!(one(&message, &zone(&standard_zone())), *expected, "{why}");
    }
    let negative = TAGS.replace("d=legit.test", "d=legit.test; l=-1");
    assert_eq!(with_tags(&negative), "permerror: the signature's l= is not a number");
}

/// D35: l= short, Content-Type unsigned, another boundary put in front. Never a pass, and both flags.
#[test]
fn the_meaning_of_the_body_is_not_turned() {
    let length = BODY.len() as u64;
    let tags = TAGS.replace("d=legit.test", &format!("d=legit.test; l={length}")).replace(":content-type", "");
    let hand = Hand { tags: &tags, names: "from:to:subject", length: Some(length), ..GOOD };
    let field = hand.field(rsa(), HEADER, BODY);
    let turned = HEADER.replace("text/plain", "multipart/mixed; boundary=attack");
    let message = [&field, &turned, "\r\n", BODY, "--attack\r\n\r\nPay here.\r\n--attack--\r\n"].concat();
    let expected =
        "policy 2048 [body_length content_type_unsigned]: the signature leaves the end of the body unsigned (l=)";
    assert_eq!(one(message.as_bytes(), &zone(&standard_zone())), expected);
}

/// D34: fields that are added to a message on its way.
#[test]
fn added_fields() {
    let over = TAGS.replace("h=from:", "h=from:from:subject:");
    let names = NAMES.replace("from:", "from:from:subject:");
    let cases: &[(&str, &Hand<'_>, &str, &str)] = &[
        ("a second Subject on top", &GOOD, "Subject: pay\r\n", "pass 2048 [unsigned_repetition]"),
        ("a second From on top", &GOOD, "From: x@attack.test\r\n", "pass 2048 [unsigned_repetition]"),
        ("a second Content-Type", &GOOD, "content-type: text/html\r\n", "pass 2048 [unsigned_repetition]"),
        ("a second Received", &GOOD, "Received: x\r\nReceived: y\r\n", "pass 2048"),
        ("a Cc that was not there", &GOOD, "Cc: c@other.test\r\n", "pass 2048"),
        (
            "over-signed: a second Subject on top",
            &Hand { tags: &over, names: &names, ..GOOD },
            "Subject: pay\r\n",
            "fail 2048: the signed header fields were changed, or the signature is not by this key",
        ),
        ("over-signed: nothing added", &Hand { tags: &over, names: &names, ..GOOD }, "", "pass 2048"),
    ];
    for (why, hand, added, expected) in cases {
        let field = hand.field(rsa(), HEADER, BODY);
        let message = [added, field.as_str(), HEADER, "\r\n", BODY].concat();
        assert_eq!(one(message.as_bytes(), &zone(&standard_zone())), *expected, "{why}");
    }
    // RFC 6376 §5.4.2: of several fields the lowest counts first.
    let twice = [GOOD.field(rsa(), HEADER, BODY).as_str(), HEADER, "Subject: below\r\n\r\n", BODY].concat();
    assert_eq!(
        one(twice.as_bytes(), &zone(&standard_zone())),
        "fail 2048 [unsigned_repetition]: the signed header fields were changed, or the signature is not by this key"
    );
}

/// Counts what is asked.
struct Counting<'z>(&'z Zone, AtomicUsize);

impl Lookup for Counting<'_> {
    fn lookup(&self, name: &Name, kind: RecordType) -> impl Future<Output = Response> + Send {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.lookup(name, kind)
    }
}

#[test]
fn a_hundred_signatures() {
    let names: Vec<_> = (0..120).map(|n| format!("s{n}")).collect();
    let zone = zone(
        &names.iter().map(|name| txt(&format!("{name}._domainkey.legit.test"), &record(rsa()))).collect::<String>(),
    );
    let broken = "DKIM-Signature: v=1; rubbish\r\n";
    let fields = names.iter().map(|name| {
        let tags = TAGS.replace("s=sel", &format!("s={name}"));
        Hand { tags: &tags, ..GOOD }.field(rsa(), HEADER, BODY)
    });
    let message = [&broken.repeat(5), &fields.collect::<String>(), HEADER, "\r\n", BODY].concat();
    let (header, body, rest) = split(message.as_bytes(), &HeaderLimits::default()).unwrap();
    let lookup = Counting(&zone, AtomicUsize::new(0));
    let verdicts = dns::now(dkim::verify(&header, (body, rest), &lookup, NOW, Limits::default()));
    let words: Vec<_> = verdicts.iter().map(|verdict| verdict.result.as_str()).collect();
    let expected = [vec!["permerror"; 5], vec!["pass"; 10], vec!["neutral"; 85]].concat();
    assert_eq!(
        (words, lookup.1.into_inner()),
        (expected, 10),
        "D33: ten are verified, broken ones cost nothing, the rest is named"
    );
    assert_eq!(shown(&verdicts[99]), "neutral: the message has more signatures than are verified");
}

#[test]
fn one_query_for_one_key() {
    let zone = zone(&standard_zone());
    let field = GOOD.field(rsa(), HEADER, BODY);
    let message = [&field.repeat(3), HEADER, "\r\n", BODY].concat();
    let (header, body, rest) = split(message.as_bytes(), &HeaderLimits::default()).unwrap();
    let lookup = Counting(&zone, AtomicUsize::new(0));
    let verdicts = dns::now(dkim::verify(&header, (body, rest), &lookup, NOW, Limits::default()));
    assert!(verdicts.iter().all(dkim::Verdict::usable_for_dmarc) && verdicts.len() == 3);
    assert_eq!(lookup.1.into_inner(), 1);
}

#[test]
fn what_was_changed_is_told_apart() {
    let message = String::from_utf8(GOOD.message(rsa(), HEADER, BODY)).unwrap();
    let cases = [
        (
            "the body",
            message.replace("lost", "won"),
            "fail 2048: the body was changed; the signed header fields were not",
        ),
        (
            "the header",
            message.replace("hello", "hullo"),
            "fail 2048: the signed header fields were changed, or the signature is not by this key",
        ),
        ("both", message.replace("lost", "won").replace("hello", "hullo"), "fail 2048: the body was changed"),
        (
            "white space and case, which relaxed forgives",
            message.replace("We lost", "We  \tlost").replace("Subject: hello", "SUBJECT :\t hello \t"),
            "pass 2048",
        ),
        ("an unsigned field", format!("X-Spam: no\r\n{message}"), "pass 2048"),
    ];
    for (why, message, expected) in cases {
        assert_eq!(one(message.as_bytes(), &zone(&standard_zone())), expected, "{why}");
    }
}

#[test]
fn age_and_names() {
    let zone = zone(&standard_zone());
    let verdict = &verify(&GOOD.message(rsa(), HEADER, BODY), &zone, NOW)[0];
    assert_eq!(verdict.age, Some(100), "D36: how old it is");
    let old = &verify(&GOOD.message(rsa(), HEADER, BODY), &zone, NOW + 30 * 86_400)[0];
    assert_eq!((old.age, shown(old).as_str()), (Some(100 + 30 * 86_400), "pass 2048"), "D36: a pass all the same");
    let signature = verdict.signature.as_ref().unwrap();
    assert_eq!((signature.domain.as_str(), signature.selector.as_str()), ("legit.test", "sel"));
    let no_d = TAGS.replace("a=rsa-sha256", "a=rsa-sha1");
    let claimed = &verify(&Hand { tags: &no_d, ..GOOD }.message(rsa(), HEADER, BODY), &zone, NOW)[0];
    assert_eq!(claimed.domain().map(message::Domain::as_str), Some("legit.test"));
}

/// D22: a public suffix may sign; that it is nobody's is for alignment to say. U-labels are looked up as A-labels.
#[test]
fn domains() {
    let text = txt("sel._domainkey.test", &record(rsa())) + &txt("sel._domainkey.xn--bcher-kva.test", &record(rsa()));
    for (domain, why) in
        [("test", "D22"), ("b\u{fc}cher.test", "RFC 8616"), ("B\u{dc}CHER.test", "RFC 8616, upper case")]
    {
        let tags = TAGS.replace("d=legit.test", &format!("d={domain}"));
        assert_eq!(one(&Hand { tags: &tags, ..GOOD }.message(rsa(), HEADER, BODY), &zone(&text)), "pass 2048", "{why}");
    }
}

/// D40: odd fields are canonicalized as RFC 6376 says, in both forms.
#[test]
fn odd_fields() {
    let odd = format!(
        "From: a@legit.test\r\nTo : b@other.test\r\nSUBJECT\t:\thell\u{fc}  \u{fc}\r\n\t {}\r\nContent-Type:\r\n text/plain\r\n",
        "long ".repeat(400)
    );
    for canon in [(Canon::Simple, Canon::Simple), (Canon::Relaxed, Canon::Simple), RELAXED] {
        let tags = TAGS.replace("relaxed/relaxed", &format!("{}/{}", canon.0.as_str(), canon.1.as_str()));
        let message = Hand { tags: &tags, canon, ..GOOD }.message(rsa(), &odd, BODY);
        assert_eq!(one(&message, &zone(&standard_zone())), "pass 2048", "{canon:?}");
    }
}

/// D38: bodies at the edges, in both forms.
#[test]
fn odd_bodies() {
    for body in
        ["", "\r\n", "\r\n\r\n", "x", "x\r\n\r\n", " \t\r\n", "x\r\n \t", "\tx  y\t\r\n\r\n \r\n", "lone\rcr and\nlf"]
    {
        for canon in [Canon::Simple, Canon::Relaxed] {
            let tags = TAGS.replace("relaxed/relaxed", &format!("relaxed/{}", canon.as_str()));
            let message = Hand { tags: &tags, canon: (Canon::Relaxed, canon), ..GOOD }.message(rsa(), HEADER, body);
            assert_eq!(one(&message, &zone(&standard_zone())), "pass 2048", "{body:?} {canon:?}");
        }
    }
}

/// D12: the RSA key of RFC 8463's example has 1024 bits.
#[test]
fn rfc_8463_example() {
    let message = include_bytes!("data/rfc8463.eml");
    let rsa = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx\
               /byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";
    let text = txt("test._domainkey.football.example.com", rsa)
        + &txt(
            "brisbane._domainkey.football.example.com",
            "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        );
    let found: Vec<_> = verify(message, &zone(&text), NOW).iter().map(shown).collect();
    assert_eq!(found, ["pass 256", "pass 1024 [weak_key]"]);
}
