//! Any bytes as a key record, in the answer that a signature is verified with.

#![no_main]

use dkim::{Key, KeyKind, Limits};
use dns::{Data, Name, Zone, now};
use libfuzzer_sys::fuzz_target;
use message::{HeaderLimits, split};

/// A signature with everything right but the signature.
const MESSAGE: &[u8] = b"DKIM-Signature: v=1; a=rsa-sha256; d=legit.test; s=sel; h=from;\r\n bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; c=relaxed/relaxed; b=AAAA\r\nFrom: a@legit.test\r\n\r\n";

fuzz_target!(|bytes: &[u8]| {
    if let Ok(key) = Key::parse(bytes) {
        match key.kind() {
            KeyKind::Rsa => assert!((1024..=8192).contains(&key.bits())),
            KeyKind::Ed25519 => assert_eq!(key.bits(), 256),
        }
    }
    let mut zone = Zone::new();
    let name = Name::parse("sel._domainkey.legit.test").expect("a name");
    zone.add(&name, 60, Data::Txt(bytes.into()));
    let (header, body, rest) = split(MESSAGE, &HeaderLimits::default()).expect("a header");
    let verdicts = now(dkim::verify(&header, (body, rest), &zone, 1_700_000_000, Limits::default()));
    assert!(!verdicts[0].usable_for_dmarc());
});
