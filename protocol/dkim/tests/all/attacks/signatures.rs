//! The tags of a signature: what is missing, wrong, twice or somebody else's.

use super::{BODY, GOOD, HEADER, TAGS, one, standard_zone, with_tags};
use crate::common::{Hand, NOW, ed25519, record, rsa, shown, txt, verify, zone};
use dkim::SigningKey;

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
