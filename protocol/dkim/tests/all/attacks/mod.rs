//! What may be wrong with signatures and keys, one case each, with the right answer. The numbers are those of the attack list that
//! the cases were written from (docs/internals/attacks.md). Each signature is made by hand and right but for what the case is about.

mod content;
mod keys;
mod numbers;
mod signatures;

use dkim::Canon;
use dns::Zone;

use crate::common::{Hand, NOW, ed25519, record, rsa, shown, txt, verify, zone};

pub(crate) const HEADER: &str =
    "From: a@legit.test\r\nTo: b@other.test\r\nSubject: hello\r\nContent-Type: text/plain\r\n";
pub(crate) const BODY: &str = "Hi.\r\n\r\nWe lost the game.\r\n";
pub(crate) const RELAXED: (Canon, Canon) = (Canon::Relaxed, Canon::Relaxed);
pub(crate) const TAGS: &str = "v=1; a=rsa-sha256; c=relaxed/relaxed; d=legit.test; s=sel; t=1699999900;\r\n\th=from:to:subject:content-type; bh={bh}; b={b}";
pub(crate) const NAMES: &str = "from:to:subject:content-type";

pub(crate) const GOOD: Hand<'_> = Hand { tags: TAGS, names: NAMES, canon: RELAXED, length: None };

pub(crate) fn standard_zone() -> String {
    txt("sel._domainkey.legit.test", &record(rsa())) + &txt("ed._domainkey.legit.test", &record(ed25519()))
}

/// What comes of a message with one signature.
pub(crate) fn one(message: &[u8], zone: &Zone) -> String {
    let verdicts = verify(message, zone, NOW);
    assert_eq!(verdicts.len(), 1);
    shown(&verdicts[0])
}

pub(crate) fn with_tags(tags: &str) -> String {
    one(&Hand { tags, ..GOOD }.message(rsa(), HEADER, BODY), &zone(&standard_zone()))
}
