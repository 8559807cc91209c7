//! The full verdict on a message: SPF, DKIM and DMARC with warm records, against mail-auth doing the same three, and against what the
//! arithmetic alone takes.
//!
//! Both sides begin with the bytes of the message and the envelope, and end with a DMARC pass. Ours checks the HELO name, the ARC
//! chain and what is odd about the message besides, and keeps a trace of everything. SPF takes two includes. Processor time of one
//! thread is measured, so that a busy machine does not matter. One line of JSON a measurement; see `cargo xtask bench`.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use authres::ResultWord;
use bench::mail::{self, Floor, KINDS, SIGNED_AT, public_key};
use bench::peer::Peer;
use bench::timing::microseconds;
use dkim::{Algorithm, Signer, SigningKey};
use dmarc::{Envelope, Evaluation, Settings, evaluate};
use dns::{Data, Name, Zone, now};
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::dmarc::Dmarc;
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::spf::Spf;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{AuthenticatedMessage, DkimResult, DmarcResult, DnsError, Error, Parameters, Txt};
use message::Domain;

const KEY: &str = "sel._domainkey.legit.example";
const HELO: &str = "mail.legit.example";
const FROM: &str = "bounces@legit.example";
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 77));

const SPF: [(&str, &str); 3] = [
    ("legit.example", "v=spf1 ip4:192.0.2.0/24 include:_spf.office.example include:spf.mailer.example -all"),
    ("_spf.office.example", "v=spf1 ip4:203.0.113.0/25 ip4:203.0.113.192/26 ip6:2001:db8:1::/48 -all"),
    ("spf.mailer.example", "v=spf1 ip4:233.252.0.0/24 ip4:198.51.100.0/25 ~all"),
];
const DMARC: (&str, &str) = ("_dmarc.legit.example", "v=DMARC1; p=reject; rua=mailto:dmarc@legit.example");

/// Names that are asked for and are not there.
const NOTHING: [&str; 2] = ["_dmarc.example", HELO];

fn main() {
    let key = SigningKey::generate(Algorithm::RsaSha256).expect("a key");
    let record = key.public_record().expect("a record");
    let name = |text: &str| Domain::parse(text.as_bytes()).expect("a name");
    let signer = Signer::new(name("legit.example"), name("sel"), key);
    let (zone, peer) = (zone(&record), peer(&record));
    let settings = Settings::default();
    let public = public_key(&record);
    for (kind, line) in KINDS {
        for kilobytes in [2, 10, 100] {
            let message = mail::message(&signer, kilobytes, line);
            let floor = Floor::of(&message, &public);
            assert!(
                ours(&message, &zone, &settings) && theirs(&message, &peer) && floor.run(),
                "all must find it right"
            );
            let [ours, peer, limit] = microseconds([
                &mut || _ = black_box(ours(&message, &zone, &settings)),
                &mut || _ = black_box(theirs(&message, &peer)),
                &mut || _ = black_box(floor.run()),
            ]);
            let line = serde_json::json!({
                "what": format!("verdict, {kilobytes} KB of {kind}"), "unit": "µs",
                "ours": ours, "peer": peer, "peer_name": "mail-auth", "limit": limit, "limit_name": Floor::NAME,
                "goal": "1.3 times the limit, less than mail-auth", "met": ours <= 1.3 * limit && ours < peer,
            });
            println!("{line}");
        }
    }
    kept(&mail::message(&signer, 2, KINDS[0].1), &zone, &settings);
}

/// What the trace costs at most. It cannot be switched off; an evaluation puts it and the results into place, and this makes a copy of
/// both, and drops it.
fn kept(message: &[u8], zone: &Zone, settings: &Settings) {
    let evaluation = evaluated(message, zone, settings);
    let [copied] = microseconds([&mut || drop(black_box(evaluation.clone()))]);
    let what = "verdict, all that is kept of it copied and dropped";
    println!("{}", serde_json::json!({"what": what, "unit": "µs", "ours": copied}));
}

fn zone(key: &str) -> Zone {
    let mut zone = Zone::new();
    for (name, text) in SPF.into_iter().chain([DMARC, (KEY, key)]) {
        zone.add(&Name::parse(name).expect("a name"), 300, Data::Txt(text.as_bytes().into()));
    }
    zone
}

fn evaluated(message: &[u8], zone: &Zone, settings: &Settings) -> Evaluation {
    let envelope = Envelope { ip: CLIENT, helo: HELO, mail_from: Some(FROM.as_bytes()), receiver: "mx.example.org" };
    now(evaluate(message, &envelope, zone, SIGNED_AT + 100, settings))
}

fn ours(message: &[u8], zone: &Zone, settings: &Settings) -> bool {
    let evaluation = evaluated(message, zone, settings);
    let both = evaluation.dmarc.spf_aligned() && evaluation.dmarc.dkim_aligned();
    black_box(&evaluation).dmarc.result == ResultWord::Pass && both
}

fn peer(key: &str) -> Peer {
    let spf = SPF.map(|(name, text)| (name, Txt::Spf(Arc::new(Spf::parse(text.as_bytes()).expect("a record")))));
    let key = Txt::DomainKey(Arc::new(DomainKey::parse(key.as_bytes()).expect("a record")));
    let policy = Txt::Dmarc(Arc::new(Dmarc::parse(DMARC.1.as_bytes()).expect("a record")));
    let nothing = || {
        Txt::Error(Error::Dns(DnsError::RecordNotFound(mail_auth::hickory_resolver::proto::op::ResponseCode::NXDomain)))
    };
    let nothing = NOTHING.map(|name| (name, nothing()));
    let all = spf.into_iter().chain([(KEY, key), (DMARC.0, policy)]).chain(nothing);
    Peer::new(all.map(|(name, record)| (name.to_owned(), record)))
}

fn theirs(message: &[u8], peer: &Peer) -> bool {
    let (authenticator, cache) = (&peer.authenticator, &peer.cache);
    let message = AuthenticatedMessage::parse(message).expect("a message");
    let dkim = now(authenticator.verify_dkim(Parameters::new(&message).with_txt_cache(cache)));
    let helo = SpfParameters::verify_ehlo(CLIENT, HELO, "mx.example.org");
    black_box(now(authenticator.verify_spf(Parameters::new(helo).with_txt_cache(cache))));
    let path = SpfParameters::verify_mail_from(CLIENT, HELO, "mx.example.org", FROM);
    let spf = now(authenticator.verify_spf(Parameters::new(path).with_txt_cache(cache)));
    let parameters = DmarcParameters {
        message: &message,
        dkim_output: &dkim,
        dkim2_output: None,
        rfc5321_mail_from_domain: "legit.example",
        spf_output: &spf,
    };
    let dmarc = now(authenticator.verify_dmarc(Parameters::new(parameters).with_txt_cache(cache)));
    let signed = dkim.len() == 1 && *dkim[0].result() == DkimResult::Pass;
    signed && *dmarc.dkim_result() == DmarcResult::Pass && *dmarc.spf_result() == DmarcResult::Pass
}
