//! What the tests share: cases as blocks of lines, settings, keys, and messages that are signed by hand.

use std::path::PathBuf;
use std::sync::OnceLock;

use aws_lc_rs::digest::{SHA256, digest};
use dkim::{BodyHasher, Canon, FieldNames, SignedFields, SigningKey, folded_base64, to_base64};
use dmarc::{AmbiguousAuthor, Envelope, Evaluation, Settings, Standard, evaluate};
use dns::Zone;
use message::{HeaderLimits, split};

/// When it is, in all tests: 14 November 2023.
pub(crate) const NOW: u64 = 1_700_000_000;

/// The folder of the cases.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/dmarc"))
}

/// `\DDD` is an octet.
pub(crate) fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|digits| *first == b'\\' && digits.iter().all(u8::is_ascii_digit));
        if let Some(digits) = digits {
            out.push(std::str::from_utf8(digits).expect("digits").parse().expect("an octet"));
            rest = &after[3..];
        } else {
            out.push(*first);
            rest = after;
        }
    }
    out
}

/// A client and its message, as a block of a file says.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) ip: String,
    pub(crate) helo: String,
    pub(crate) mail_from: Option<Vec<u8>>,
    pub(crate) message: Vec<u8>,
}

impl Sent {
    /// By the attacker, from his own host.
    pub(crate) fn by_attacker(message: impl Into<Vec<u8>>) -> Self {
        Self {
            ip: "192.0.2.9".to_owned(),
            helo: "attack.test".to_owned(),
            mail_from: Some(b"<any@attack.test>".to_vec()),
            message: message.into(),
        }
    }

    pub(crate) fn evaluate(&self, zone: &Zone, settings: &Settings) -> Evaluation {
        let envelope = Envelope {
            ip: self.ip.parse().expect("an address"),
            helo: &self.helo,
            mail_from: self.mail_from.as_deref(),
            receiver: "mx.receiver.test",
        };
        dns::now(evaluate(&self.message, &envelope, zone, NOW, settings))
    }
}

/// Reads the questions of a block.
pub(crate) fn read(block: &str) -> (Sent, Settings) {
    let mut sent = Sent::by_attacker("");
    let mut settings = Settings { sample: Some(99), ..Settings::default() };
    for line in block.lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "client" => {
                let columns: Vec<&str> = rest.split(" | ").collect();
                columns[0].clone_into(&mut sent.ip);
                sent.helo = String::from_utf8(unescape(columns[1])).expect("UTF-8");
                sent.mail_from = (columns[2] != "MISSING").then(|| unescape(columns[2]));
            }
            "header" => sent.message = [&unescape(rest), b"\r\n\r\nHi.\r\n".as_slice()].concat(),
            "settings" => rest.split(' ').for_each(|word| set(&mut settings, word)),
            _ => {}
        }
    }
    (sent, settings)
}

fn set(settings: &mut Settings, word: &str) {
    match word.split_once('=').unwrap_or((word, "")) {
        ("rfc7489", _) => settings.standard = Standard::Rfc7489,
        ("both", _) => settings.both = true,
        ("strictest", _) => settings.ambiguous_author = AmbiguousAuthor::Strictest,
        ("sample", number) => settings.sample = Some(number.parse().expect("a number")),
        other => panic!("what is {other:?}?"),
    }
}

/// The key of RFC 8463's Appendix A: the same signatures each time.
pub(crate) fn key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::read("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=").expect("a key"))
}

pub(crate) fn zone(text: &str) -> Zone {
    Zone::parse(text).expect("a zone")
}

/// A line of master-file text for a key record, in strings of at most 200 characters.
pub(crate) fn key_record(name: &str, key: &SigningKey) -> String {
    let record = key.public_record().expect("a record");
    let strings = record.as_bytes().chunks(200).map(|part| format!("\"{}\"", String::from_utf8_lossy(part)));
    format!("{name}. 60 IN TXT {}\n", strings.collect::<Vec<_>>().join(" "))
}

/// A message with a signature on top that is made by hand: `d=`, further tags, `h=`, and how much of the body it covers.
pub(crate) fn signed(domain: &str, tags: &str, names: &str, length: Option<u64>, header: &str, body: &str) -> String {
    let mut bodies = BodyHasher::new();
    let id = bodies.request(Canon::Relaxed, length);
    bodies.feed(body.as_bytes());
    let hash = to_base64(bodies.finish().get(id).expect("a hash").digest());
    let length = length.map(|length| format!(" l={length};")).unwrap_or_default();
    let field = format!(
        "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d={domain}; s=sel;{length}{tags}\r\n\th={names}; bh={hash}; b="
    );
    let unsigned = format!("{field}\r\n{header}\r\n");
    let (parsed, _, _) = split(unsigned.as_bytes(), &HeaderLimits::default()).expect("a header");
    let own = parsed.field(0).expect("a field");
    let end = field.len() - "DKIM-Signature:".len();
    let names = FieldNames::parse(names.as_bytes()).expect("names");
    let input = SignedFields::new(&parsed).input(&names, Canon::Relaxed, &own, &(end..end));
    let signature = key().sign(&digest(&SHA256, &input)).expect("a signature");
    format!("{field}{}\r\n{header}\r\n{body}", folded_base64(&signature))
}
