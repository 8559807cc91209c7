//! What the tests share: keys, zones, and signatures made by hand, so that they can be wrong in every way and still be signed.

use std::sync::OnceLock;

use aws_lc_rs::digest::{SHA256, digest};
use dkim::{Algorithm, BodyHasher, Canon, FieldNames, SignedFields, SigningKey, Verdict, folded_base64, to_base64};
use dns::Zone;
use message::{HeaderLimits, split};

/// When it is, in all tests: 14 November 2023.
pub(crate) const NOW: u64 = 1_700_000_000;

pub(crate) fn rsa() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate(Algorithm::RsaSha256).expect("a key"))
}

pub(crate) fn ed25519() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate(Algorithm::Ed25519Sha256).expect("a key"))
}

pub(crate) fn record(key: &SigningKey) -> String {
    key.public_record().expect("a record")
}

/// `p=` of a key's record.
pub(crate) fn material(key: &SigningKey) -> String {
    record(key).split_once("p=").expect("p=").1.to_owned()
}

/// A line of master-file text for a TXT record, in strings of at most 200 characters.
pub(crate) fn txt(name: &str, record: &str) -> String {
    let strings = record.as_bytes().chunks(200).map(|part| {
        let escape = |byte: &u8| match byte {
            b'"' | b'\\' => format!("\\{}", char::from(*byte)),
            b' '..=b'~' => char::from(*byte).to_string(),
            other => format!("\\{other:03}"),
        };
        format!("\"{}\"", part.iter().map(escape).collect::<String>())
    });
    format!("{name}. 60 IN TXT {}\n", strings.collect::<Vec<_>>().join(" "))
}

pub(crate) fn zone(text: &str) -> Zone {
    Zone::parse(text).expect("a zone")
}

/// How a signature made by hand is made.
#[derive(Clone, Copy)]
pub(crate) struct Hand<'a> {
    /// The tags, with `{bh}` for the body hash and `{b}` for the signature.
    pub(crate) tags: &'a str,
    /// The names that are signed, whatever `h=` says.
    pub(crate) names: &'a str,
    pub(crate) canon: (Canon, Canon),
    pub(crate) length: Option<u64>,
}

impl Hand<'_> {
    /// The message with its signature on top. `later` is put between signing and sending: what follows the signature's field then.
    pub(crate) fn message(self, key: &SigningKey, header: &str, body: &str) -> Vec<u8> {
        let field = self.field(key, header, body);
        [&field, header, "\r\n", body].concat().into_bytes()
    }

    /// The field alone.
    pub(crate) fn field(self, key: &SigningKey, header: &str, body: &str) -> String {
        let mut bodies = BodyHasher::new();
        let id = bodies.request(self.canon.1, self.length);
        bodies.feed(body.as_bytes());
        let hash = to_base64(bodies.finish().get(id).expect("a hash").digest());
        let field = format!("DKIM-Signature: {}\r\n", self.tags.replace("{bh}", &hash));
        let unsigned = [&field.replace("{b}", ""), header, "\r\n"].concat();
        let (parsed, _, _) = split(unsigned.as_bytes(), &HeaderLimits::default()).expect("a header");
        let own = parsed.field(0).expect("a field");
        let name = "DKIM-Signature:".len();
        let (before, after) = field.split_once("{b}").expect("a place for b=");
        let start = before.trim_end().len() - name;
        let white = before.len() - before.trim_end().len() + after.find(';').unwrap_or(0);
        // RFC 6376 §3.7: "including all surrounding whitespace".
        let place = start..start + white;
        let names = FieldNames::parse(self.names.as_bytes()).expect("names");
        let input = SignedFields::new(&parsed).input(&names, self.canon.0, &own, &place);
        let signature = key.sign(&digest(&SHA256, &input)).expect("a signature");
        field.replace("{b}", &folded_base64(&signature))
    }
}

/// What comes of a message.
pub(crate) fn verify(message: &[u8], zone: &Zone, now: u64) -> Vec<Verdict> {
    let (header, body, rest) = split(message, &HeaderLimits::default()).expect("a header");
    dns::now(dkim::verify(&header, (body, rest), zone, now, dkim::Limits::default()))
}

/// `result bits [flags]: reason`.
pub(crate) fn shown(verdict: &Verdict) -> String {
    let bits = verdict.key_bits.map(|bits| format!(" {bits}")).unwrap_or_default();
    let flags: Vec<_> = verdict.flags.iter().map(|flag| flag.name()).collect();
    let flags = if flags.is_empty() { String::new() } else { format!(" [{}]", flags.join(" ")) };
    let reason = verdict.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    assert_eq!(verdict.usable_for_dmarc(), verdict.reason.is_none());
    format!("{}{bits}{flags}{reason}", verdict.result)
}
