//! DKIM: one rsa-2048 signature over messages of several sizes, with warm keys, against mail-auth and against what the arithmetic
//! alone takes; and the memory that a message of 25 MB needs.
//!
//! Both sides begin with the bytes of the message and end with a verdict. The limit is one RSA verification with a parsed key and
//! SHA-256 over the canonical body. Processor time of one thread is measured, so that a busy machine does not matter; the bodies are
//! of three kinds, because relaxed canonicalization has more to do where white space is to be changed. One line of JSON a
//! measurement; see `cargo xtask bench`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hash;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use cpu_time::ThreadTime;
use dkim::{Algorithm, BodyCanon, BodyHasher, Canon, Limits, Signer, SigningKey, Verifier, base64, sign, verify};
use dns::{Data, Name, Zone, now};
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::{AuthenticatedMessage, MessageAuthenticator, Parameters, ResolverCache, Txt};
use message::{Domain, HeaderLimits, HeaderReader, Progress, split};

/// Runs of each; the median counts.
const RUNS: usize = 15;

/// Processor time of one run of each, roughly.
const RUN_MILLISECONDS: u64 = 40;

const NAME: &str = "sel._domainkey.legit.example";

/// A header as mail has it after a few relays.
const HEADER: &str = "Received: from mail.legit.example (mail.legit.example [192.0.2.1])\r\n\tby mx.other.example (Postfix) with ESMTPS id 4Cx1Yz2Wq3z9sRK\r\n\tfor <b@other.example>; Tue, 14 Nov 2023 22:13:20 +0000 (UTC)\r\nReceived: from [192.0.2.77] (client.legit.example [192.0.2.77])\r\n\tby mail.legit.example (Postfix) with ESMTPSA id 4Cx1Yz0Lm5z1xYt\r\n\tfor <b@other.example>; Tue, 14 Nov 2023 22:13:19 +0000 (UTC)\r\nMessage-ID: <5f1c6f0e-0f39-4c5e-9a0c-8f54f0b9b3d1@legit.example>\r\nDate: Tue, 14 Nov 2023 22:13:18 +0000\r\nMIME-Version: 1.0\r\nUser-Agent: Mail Program/115.4\r\nSubject: Minutes of the meeting, and what we said of the budget\r\nTo: \"Berta Example\" <b@other.example>\r\nCc: \"C. Example\" <c@other.example>, d@other.example\r\nReferences: <1@other.example> <2@legit.example>\r\nIn-Reply-To: <2@legit.example>\r\nFrom: \"Anna Example\" <a@legit.example>\r\nContent-Type: text/plain; charset=UTF-8; format=flowed\r\nContent-Transfer-Encoding: 8bit\r\n";

/// Lines of a body: an attachment, prose, and HTML with indentation.
const KINDS: [(&str, &str); 3] = [
    ("base64", "TG9yZW0gaXBzdW0gZG9sb3Igc2l0IGFtZXQsIGNvbnNlY3RldHVyIGFkaXBpc2NpbmcgZWxpdC4g\r\n"),
    ("prose", "The quick brown fox jumps over the lazy dog, and then it comes back again to\r\n"),
    ("HTML", "        <td class=\"cell\"  style=\"padding: 0 4px;\">\r\n            <a href=\"#\">more of it</a>\r\n"),
];

fn main() {
    let key = SigningKey::generate(Algorithm::RsaSha256).expect("a key");
    let record = key.public_record().expect("a record");
    let name = |text: &str| Domain::parse(text.as_bytes()).expect("a name");
    let signer = Signer::new(name("legit.example"), name("sel"), key);
    let mut zone = Zone::new();
    zone.add(&Name::parse(NAME).expect("a name"), 300, Data::Txt(record.as_bytes().into()));
    let peer = Peer::new(&record);
    let material = base64(record.split_once("p=").expect("p=").1.as_bytes()).expect("base64");
    let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, material).expect("a key");
    for (kind, line) in KINDS {
        for kilobytes in [2, 10, 100] {
            let message = signed(&signer, &line.repeat((kilobytes * 1_000 - HEADER.len()).div_ceil(line.len())));
            assert!(ours(&message, &zone) && peer.verify(&message), "both must find it right");
            let floor = Floor::of(&message, &public);
            assert!(floor.run());
            let [ours, theirs, limit] = medians([
                &mut || _ = black_box(ours(&message, &zone)),
                &mut || _ = black_box(peer.verify(&message)),
                &mut || _ = black_box(floor.run()),
            ]);
            let line = serde_json::json!({
                "what": format!("DKIM verification, rsa-2048, {kilobytes} KB of {kind}"), "unit": "µs",
                "ours": ours, "peer": theirs, "peer_name": "mail-auth", "limit": limit, "limit_name": "RSA and SHA-256",
            });
            println!("{line}");
        }
    }
    memory(&signer, &zone);
}

fn signed(signer: &Signer, body: &str) -> Vec<u8> {
    let message = [HEADER, "\r\n", body].concat();
    let (header, intake, rest) = split(message.as_bytes(), &HeaderLimits::default()).expect("a header");
    let field = sign(signer, &header, (intake, rest), 1_700_000_000).expect("a signature");
    [field.as_bytes(), message.as_bytes()].concat()
}

fn ours(message: &[u8], zone: &Zone) -> bool {
    let (header, body, rest) = split(message, &HeaderLimits::default()).expect("a header");
    let verdicts = now(verify(&header, (body, rest), zone, 1_700_000_100, Limits::default()));
    verdicts.iter().all(dkim::Verdict::usable_for_dmarc) && verdicts.len() == 1
}

/// What cannot be spared: the canonical body through SHA-256, and one RSA verification.
struct Floor<'k> {
    public: &'k ParsedPublicKey,
    body: Vec<u8>,
    /// The header's canonical bytes are few; their hash is taken as known.
    hash: aws_lc_rs::digest::Digest,
    signature: Vec<u8>,
}

impl<'k> Floor<'k> {
    fn of(message: &[u8], public: &'k ParsedPublicKey) -> Self {
        let (header, _, rest) = split(message, &HeaderLimits::default()).expect("a header");
        let field = header.field(0).expect("a field");
        let signature = dkim::Signature::parse(field.value).expect("a signature");
        let fields = dkim::SignedFields::new(&header);
        let hash = fields.hash(&signature.signed_names, Canon::Relaxed, &field, &signature.signature_place);
        let mut body = Vec::new();
        let mut canon = BodyCanon::new(Canon::Relaxed);
        canon.feed(rest, |bytes| body.extend_from_slice(bytes));
        canon.finish(|bytes| body.extend_from_slice(bytes));
        Self { public, body, hash, signature: signature.signature }
    }

    fn run(&self) -> bool {
        black_box(digest(&SHA256, black_box(&self.body)));
        self.public.verify_digest_sig(black_box(&self.hash), &self.signature).is_ok()
    }
}

/// mail-auth, which finds the key in its cache.
struct Peer {
    authenticator: MessageAuthenticator,
    cache: Cache,
}

struct Cache(RefCell<HashMap<Box<str>, Txt>>);

impl ResolverCache<Box<str>, Txt> for Cache {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.borrow().get(name).cloned()
    }

    fn remove<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.borrow_mut().remove(name)
    }

    fn insert(&self, key: Box<str>, value: Txt, _: Instant) {
        self.0.borrow_mut().insert(key, value);
    }
}

impl Peer {
    fn new(record: &str) -> Self {
        let key = Txt::DomainKey(Arc::new(DomainKey::parse(record.as_bytes()).expect("a record")));
        let cache = HashMap::from([(format!("{NAME}.").into(), key)]);
        let authenticator = MessageAuthenticator::new_cloudflare().expect("a resolver that is never asked");
        Self { authenticator, cache: Cache(RefCell::new(cache)) }
    }

    fn verify(&self, message: &[u8]) -> bool {
        let message = AuthenticatedMessage::parse(message).expect("a message");
        let output = now(self.authenticator.verify_dkim(Parameters::new(&message).with_txt_cache(&self.cache)));
        output.len() == 1 && *output[0].result() == mail_auth::DkimResult::Pass
    }
}

/// Microseconds of each: the median of several runs, one after the other, so that what slows the machine slows all.
fn medians<const N: usize>(mut jobs: [&mut dyn FnMut(); N]) -> [f64; N] {
    let run = Duration::from_millis(RUN_MILLISECONDS);
    let counts: Vec<u32> = jobs
        .iter_mut()
        .map(|job| {
            let start = ThreadTime::now();
            (0..10).for_each(|_| job());
            let once = start.elapsed().as_secs_f64() / 10.0;
            (run.as_secs_f64() / once).ceil() as u32
        })
        .collect();
    let mut times: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
    for _ in 0..RUNS {
        for ((job, times), count) in jobs.iter_mut().zip(&mut times).zip(&counts) {
            let start = ThreadTime::now();
            (0..*count).for_each(|_| job());
            times.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(*count));
        }
    }
    times.map(|mut times| {
        times.sort_unstable_by(f64::total_cmp);
        times[times.len() / 2]
    })
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
    let field = signing.finish(&bodies.finish(), 1_700_000_000).expect("a signature");

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
    let verdicts = now(verifier.finish(&bodies.finish(), zone, 1_700_000_100));
    assert!(verdicts.iter().all(dkim::Verdict::usable_for_dmarc) && verdicts.len() == 1);
    let grown = peak_kilobytes() - before;
    let line = serde_json::json!({
        "what": "DKIM verification of 25 MB in pieces, memory", "unit": "KB", "ours": grown, "limit": 2_000, "limit_name": "allowed",
    });
    println!("{line}");
}

/// The most that this process has had in memory.
fn peak_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    line.trim().trim_end_matches(" kB").trim().parse().expect("a number")
}
