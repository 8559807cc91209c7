//! Any bytes as a tag list and as the value of a DKIM-Signature field.

#![no_main]

use dkim::{Limits, Signature, TagList};
use dns::{Data, Name, Zone, now};
use libfuzzer_sys::fuzz_target;
use message::{HeaderLimits, split};

/// The key of RFC 8463's example.
const RECORD: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

fuzz_target!(|bytes: &[u8]| {
    if let Ok(tags) = TagList::parse(bytes) {
        for name in ["v", "a", "b", "bh", "d", "h", "s"] {
            let (Some(value), Some(place)) = (tags.get(name), tags.place(name)) else { continue };
            assert!(bytes[place].windows(value.len().max(1)).any(|part| part == value) || value.is_empty());
        }
    }
    let mut zone = Zone::new();
    if let Ok(signature) = Signature::parse(bytes) {
        assert!(signature.signed_names.contains(b"from"));
        assert_eq!(signature.body_hash.len(), 32);
        assert!(bytes.get(signature.signature_place).is_some());
        if let Ok(name) = dkim::key_name(&signature.selector, &signature.domain) {
            zone.add(&name, 60, Data::Txt(RECORD.as_bytes().into()));
        }
    }
    zone.exists(&Name::parse("test").expect("a name"));
    let message = [b"DKIM-Signature:", bytes, b"\r\nFrom: a@legit.test\r\n\r\nHi.\r\n"].concat();
    let Ok((header, body, rest)) = split(&message, &HeaderLimits::default()) else { return };
    for verdict in now(dkim::verify(&header, (body, rest), &zone, 1_700_000_000, Limits::default())) {
        assert!(!verdict.usable_for_dmarc(), "a stranger has signed with a key that nobody here has");
    }
});
