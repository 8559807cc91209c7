//! Key records: what they allow, what they are not, and DNS that answers otherwise or not at all.

use super::{BODY, GOOD, HEADER, TAGS, one};
use crate::common::{Hand, NOW, ed25519, material, record, rsa, shown, txt, verify, zone};
use dkim::{SigningKey, to_base64};

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

/// D12: the RSA key of RFC 8463's example has 1024 bits.
#[test]
fn rfc_8463_example() {
    let message = include_bytes!("../data/rfc8463.eml");
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
