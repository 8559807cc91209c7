//! DKIM: one rsa-2048 signature over messages of several sizes, with warm keys, against mail-auth and against what the arithmetic
//! alone takes; and the memory that a message of 25 MB needs.
//!
//! Both sides begin with the bytes of the message and end with a verdict. The limit is one RSA verification with a parsed key and
//! SHA-256 over the canonical body. Processor time of one thread is measured, so that a busy machine does not matter; the bodies are
//! of three kinds, because relaxed canonicalization has more to do where white space is to be changed. One line of JSON a
//! measurement; see `cargo xtask bench`.

use std::hint::black_box;
use std::sync::Arc;

use bench::mail::{self, Floor, HEADER, KINDS, SIGNED_AT, public_key};
use bench::peer::Peer;
use bench::timing::microseconds;
use dkim::{Algorithm, BodyHasher, Limits, Signer, SigningKey, Verifier, verify};
use dns::{Data, Name, Zone, now};
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::{AuthenticatedMessage, Parameters, Txt};
use message::{Domain, HeaderLimits, HeaderReader, Progress, split};

fn main() {
    let key = SigningKey::generate(Algorithm::RsaSha256).expect("a key");
    let record = key.public_record().expect("a record");
    let name = |text: &str| Domain::parse(text.as_bytes()).expect("a name");
    let signer = Signer::new(name("legit.example"), name("sel"), key);
    let mut zone = Zone::new();
    zone.add(&Name::parse(NAME).expect("a name"), 300, Data::Txt(record.as_bytes().into()));
    let parsed = DomainKey::parse(record.as_bytes()).expect("a record");
    let peer = Peer::new([(NAME.to_owned(), Txt::DomainKey(Arc::new(parsed)))]);
    let public = public_key(&record);
    for (kind, line) in KINDS {
        for kilobytes in [2, 10, 100] {
            let message = mail::message(&signer, kilobytes, line);
            assert!(ours(&message, &zone) && theirs(&peer, &message), "both must find it right");
            let floor = Floor::of(&message, &public);
            assert!(floor.run());
            let [ours, peer, limit] = microseconds([
                &mut || _ = black_box(ours(&message, &zone)),
                &mut || _ = black_box(theirs(&peer, &message)),
                &mut || _ = black_box(floor.run()),
            ]);
            let line = serde_json::json!({
                "what": format!("DKIM verification, rsa-2048, {kilobytes} KB of {kind}"), "unit": "µs",
                "ours": ours, "peer": peer, "peer_name": "mail-auth", "limit": limit, "limit_name": Floor::NAME,
            });
            println!("{line}");
        }
    }
    memory(&signer, &zone);
}

const NAME: &str = "sel._domainkey.legit.example";

fn ours(message: &[u8], zone: &Zone) -> bool {
    let (header, body, rest) = split(message, &HeaderLimits::default()).expect("a header");
    let verdicts = now(verify(&header, (body, rest), zone, SIGNED_AT + 100, Limits::default()));
    verdicts.iter().all(dkim::Verdict::usable_for_dmarc) && verdicts.len() == 1
}

fn theirs(peer: &Peer, message: &[u8]) -> bool {
    let message = AuthenticatedMessage::parse(message).expect("a message");
    let output = now(peer.authenticator.verify_dkim(Parameters::new(&message).with_txt_cache(&peer.cache)));
    output.len() == 1 && *output[0].result() == mail_auth::DkimResult::Pass
}

/// A message of 25 MB, fed in pieces of 64 KiB as a socket gives them: how far the process grows.
fn memory(signer: &Signer, zone: &Zone) {
    let line = KINDS[1].1;
    let piece = line.repeat((64 << 10) / line.len());
    let pieces = 25_000_000 / piece.len() + 1;
    let sized = |bodies: &mut BodyHasher| (0..pieces).for_each(|_| bodies.feed(piece.as_bytes()));

    let message = [HEADER, "\r\n"].concat();
    let (header, _, _) = split(message.as_bytes(), &HeaderLimits::default()).expect("a header");
    let mut bodies = BodyHasher::new();
    let signing = signer.begin(&header, &mut bodies).expect("a From");
    sized(&mut bodies);
    let field = signing.finish(&bodies.finish(), SIGNED_AT).expect("a signature");

    let before = peak_kilobytes();
    let mut reader = HeaderReader::new(HeaderLimits::default());
    let start = [field.as_bytes(), message.as_bytes()].concat();
    let Ok(Progress::Done { header, mut body, .. }) = reader.feed(&start) else { panic!("the header is whole") };
    let mut bodies = BodyHasher::new();
    let verifier = Verifier::new(&header, Limits::default(), &mut bodies);
    for _ in 0..pieces {
        body.feed(piece.as_bytes(), |bytes| bodies.feed(bytes));
    }
    body.finish(|bytes| bodies.feed(bytes));
    let verdicts = now(verifier.finish(&bodies.finish(), zone, SIGNED_AT + 100));
    assert!(verdicts.iter().all(dkim::Verdict::usable_for_dmarc) && verdicts.len() == 1);
    let grown = peak_kilobytes() - before;
    let line = serde_json::json!({
        "what": "DKIM verification of 25 MB in pieces, memory", "unit": "KB", "ours": grown, "limit": 2_000, "limit_name": "allowed",
        "goal": "2 MB", "met": grown < 2_000,
    });
    println!("{line}");
}

/// The most that this process has had in memory.
fn peak_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    line.trim().trim_end_matches(" kB").trim().parse().expect("a number")
}
