//! What the tests share: zones and verdicts as text.

use std::sync::OnceLock;

use arc::Validation;
use dkim::{Algorithm, SigningKey};
use dns::{Data, Name, Zone};
use message::{Domain, HeaderLimits, split};

/// When it is, in all tests: 14 November 2023.
pub(crate) const NOW: u64 = 1_700_000_000;

pub(crate) fn key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate(Algorithm::Ed25519Sha256).expect("a key"))
}

pub(crate) fn copy(key: &SigningKey) -> SigningKey {
    SigningKey::read(&key.to_pem().expect("PEM")).expect("a key")
}

pub(crate) fn name(text: &str) -> Domain {
    Domain::parse(text.as_bytes()).expect("a name")
}

/// A zone with text records.
pub(crate) fn zone(records: impl IntoIterator<Item = (String, String)>) -> Zone {
    let mut zone = Zone::new();
    for (name, text) in records {
        zone.add(&Name::parse(&name).expect("a name"), 60, Data::Txt(text.as_bytes().into()));
    }
    zone
}

pub(crate) fn validate(message: &[u8], zone: &Zone) -> Validation {
    let (header, body, rest) = split(message, &HeaderLimits::default()).expect("a header");
    dns::now(arc::validate(&header, (body, rest), zone, NOW))
}

/// `result sets oldest: reason`.
pub(crate) fn shown(validation: &Validation) -> String {
    let reason = validation.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let oldest = validation.oldest_pass.map(|oldest| format!(" oldest {oldest}")).unwrap_or_default();
    format!("{} {}{oldest}{reason}", validation.result, validation.sets.len())
}
