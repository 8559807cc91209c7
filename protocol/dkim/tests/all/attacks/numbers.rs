//! How much work a message can cause: signatures that are verified, queries that are asked.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{BODY, GOOD, HEADER, TAGS, standard_zone};
use crate::common::{Hand, NOW, record, rsa, shown, txt, zone};
use dkim::Limits;
use dns::{Lookup, Name, RecordType, Response, Zone};
use message::{HeaderLimits, split};

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
