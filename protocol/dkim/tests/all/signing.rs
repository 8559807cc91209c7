//! Signing: what is signed verifies, in every form, and what was not meant breaks it.

use dkim::{Algorithm, Canon, SignError, Signer, SigningKey, SigningKeyError, TagList, sign};
use message::{Domain, HeaderLimits, split};
use proptest::prelude::*;

use crate::common::{NOW, ed25519, record, rsa, shown, txt, verify, zone};

const HEADER: &str =
    "Received: from x\r\nFrom: a@legit.test\r\nTo: b@other.test\r\nSubject: hello\r\nSubject: again\r\n";

fn name(text: &str) -> Domain {
    Domain::parse(text.as_bytes()).expect("a name")
}

fn copy(key: &SigningKey) -> SigningKey {
    SigningKey::read(&key.to_pem().expect("PEM")).expect("a key")
}

fn signer(key: &SigningKey) -> Signer {
    Signer::new(name("legit.test"), name("sel"), copy(key))
}

/// The message with its signature on top.
fn signed(signer: &Signer, message: &[u8]) -> Result<Vec<u8>, SignError> {
    let (header, body, rest) = split(message, &HeaderLimits::default()).expect("a header");
    Ok([sign(signer, &header, (body, rest), NOW)?.as_bytes(), message].concat())
}

#[test]
fn a_field_of_ours() {
    let mut signer = signer(ed25519());
    signer.lifetime_seconds = Some(3600);
    let message = signed(&signer, [HEADER, "\r\nHi.\r\n"].concat().as_bytes()).unwrap();
    let (header, _, _) = split(&message, &HeaderLimits::default()).unwrap();
    let field = header.field(0).unwrap();
    let tags = TagList::parse(field.value).unwrap();
    let names = dkim::FieldNames::parse(tags.get("h").unwrap()).unwrap();
    let names: Vec<_> = names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    assert_eq!(
        names.join(" "),
        "from from to to cc subject subject subject date message-id mime-version content-type content-transfer-encoding",
        "each field as often as it is there, and once more where one must not be added"
    );
    assert_eq!((tags.get("t"), tags.get("x")), (Some(&b"1700000000"[..]), Some(&b"1700003600"[..])));
    assert!(
        field.raw.split(|b| *b == b'\n').all(|line| line.len() < 100),
        "folded: {}",
        String::from_utf8_lossy(field.raw)
    );
}

#[test]
fn what_is_added_breaks_it() {
    let zone = zone(&txt("sel._domainkey.legit.test", &record(rsa())));
    let message = signed(&signer(rsa()), [HEADER, "\r\nHi.\r\n"].concat().as_bytes()).unwrap();
    assert_eq!(shown(&verify(&message, &zone, NOW)[0]), "pass 2048");
    for added in [
        "From: x@attack.test",
        "Subject: pay",
        "To: x",
        "Cc: x",
        "Content-Type: text/html",
        "Date: x",
        "MIME-Version: 1",
    ] {
        let message = [format!("{added}\r\n").as_bytes(), &message].concat();
        assert!(shown(&verify(&message, &zone, NOW)[0]).starts_with("fail 2048"), "{added}");
    }
    for added in ["Received: y", "List-Id: z", "Reply-To: list@other.test", "Sender: list@other.test"] {
        let message = [format!("{added}\r\n").as_bytes(), &message].concat();
        assert_eq!(shown(&verify(&message, &zone, NOW)[0]), "pass 2048", "what lists add: {added}");
    }
}

#[test]
fn what_is_not_signed() {
    assert_eq!(signed(&signer(ed25519()), b"To: a@b.test\r\n\r\n").unwrap_err(), SignError::NoFrom);
    let cases = [
        ("nothing", "", SigningKeyError::Format),
        ("base64 of something else", "AAAA", SigningKeyError::Format),
        (
            "PEM of something else",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            SigningKeyError::Rejected,
        ),
        ("PEM cut short", "-----BEGIN PRIVATE KEY-----\nAAAA\n", SigningKeyError::Format),
    ];
    for (why, text, expected) in cases {
        assert_eq!(SigningKey::read(text).unwrap_err(), expected, "{why}");
    }
    assert_eq!(format!("{:?}", ed25519()), "SigningKey(ed25519-sha256)", "nothing of a key in logs");
}

#[test]
fn keys_are_read_back() {
    for key in [rsa(), ed25519()] {
        assert_eq!(record(&copy(key)), record(key));
        assert_eq!(copy(key).algorithm(), key.algorithm());
    }
    assert_ne!(record(&SigningKey::generate(Algorithm::Ed25519Sha256).unwrap()), record(ed25519()));
}

fn any_field() -> impl Strategy<Value = String> {
    let name =
        prop::sample::select(vec!["Subject", "TO", "cc", "X-Other", "Date", "Content-Type", "Received", "message-ID"]);
    let value = prop::collection::vec(
        prop::sample::select(vec!["a", "\u{fc}", " ", "\t", ":", ";", "\r\n ", "\r\n\t", "=", "long-word"]),
        0..12,
    );
    (name, "[ \t]{0,2}", value).prop_map(|(name, space, value)| format!("{name}{space}:{}\r\n", value.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    /// Whatever the message, in all four forms and with both algorithms: it verifies; with one byte of what counts changed, it does not.
    #[test]
    fn what_is_signed_verifies(
        fields in prop::collection::vec(any_field(), 0..6),
        body in prop::collection::vec(prop::sample::select(vec!["a", " ", "\t", "\r\n", "word", "\r", "\n", "\u{fc}"]), 0..20),
        forms: (bool, bool),
        algorithm: bool,
    ) {
        let canon = |relaxed| if relaxed { Canon::Relaxed } else { Canon::Simple };
        let mut signer = signer(if algorithm { rsa() } else { ed25519() });
        (signer.header_canon, signer.body_canon) = (canon(forms.0), canon(forms.1));
        // CRLF for sure: the first line decides how lines end.
        let message = ["From: a@legit.test\r\n", &fields.concat(), "\r\n", &body.concat()].concat();
        let zone = zone(&txt("sel._domainkey.legit.test", &record(&signer.key)));
        let signed = signed(&signer, message.as_bytes()).unwrap();
        let verdict = &verify(&signed, &zone, NOW)[0];
        prop_assert!(verdict.usable_for_dmarc(), "{}: {}", shown(verdict), String::from_utf8_lossy(&signed));

        let text = String::from_utf8(signed).unwrap();
        let changed = text.replace("a@legit.test\r\n", "b@legit.test\r\n");
        prop_assert_eq!(&verify(changed.as_bytes(), &zone, NOW)[0].result.to_string(), "fail");
        let longer = [text.as_bytes(), b"x"].concat();
        prop_assert_eq!(&verify(&longer, &zone, NOW)[0].result.to_string(), "fail");
    }
}
