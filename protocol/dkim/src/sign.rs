//! Signing: a DKIM-Signature field over a message, with over-signing, so that nothing can be added to what was signed.
//!
//! In: the header, the hashes of the body, a [`Signer`], the time. Out: the field, folded, to be put on top of the message.
//! RFC 6376 §5; RFC 8301 §3.1 and RFC 8463 §3 for the algorithms. Not: which mail to sign, and when to change keys.

use message::{Domain, Field, Header};

use crate::body::{BodyHashId, BodyHasher, BodyHashes};
use crate::canon::Canon;
use crate::encoding::to_base64;
use crate::field_names::FieldNames;
use crate::input::SignedFields;
use crate::private::{SigningKey, SigningKeyError};

/// The name of the field.
const FIELD_NAME: &str = "DKIM-Signature";

/// Fields that are signed where they are there. RFC 6376 §5.4.1: "those fields that constitute the "core" of the message content".
const SIGNED: [&str; 19] = [
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "content-disposition",
    "content-id",
    "content-description",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "auto-submitted",
];

/// Fields that are named once more than they are there, so that one that is added breaks the signature. Not those that lists put
/// in: Sender, List-…; nor Reply-To, which some of them set.
const OVERSIGNED: [&str; 9] =
    ["from", "to", "cc", "subject", "date", "message-id", "mime-version", "content-type", "content-transfer-encoding"];

/// Characters of base64 on a line.
const BASE64_LINE: usize = 72;

/// With what, and as whom, mail is signed.
#[derive(Debug)]
pub struct Signer {
    /// `d=`.
    pub domain: Domain,
    /// `s=`.
    pub selector: Domain,
    /// The key; the algorithm follows from it.
    pub key: SigningKey,
    /// `c=`, for the header.
    pub header_canon: Canon,
    /// `c=`, for the body.
    pub body_canon: Canon,
    /// Names of fields to be signed as often as they are there.
    pub signed: FieldNames,
    /// Names of fields to be signed once more than that.
    pub oversigned: FieldNames,
    /// Seconds until the signature expires; `None`: no `x=`.
    pub lifetime_seconds: Option<u64>,
}

/// Why a message was not signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// There is no From, which must be signed.
    #[error("the message has no From field; a signature must cover one")]
    NoFrom,
    /// The body hash of another request, or none.
    #[error("the body was not hashed for this signature")]
    NoBodyHash,
    /// The key did not sign.
    #[error(transparent)]
    Key(#[from] SigningKeyError),
}

/// A signature that waits for the body.
#[derive(Debug)]
pub struct Signing<'s, 'h> {
    signer: &'s Signer,
    fields: SignedFields<'h>,
    names: FieldNames,
    body: BodyHashId,
}

impl Signer {
    /// A signer with the fields that should be signed and over-signed, relaxed on both sides, without expiry.
    #[must_use]
    pub fn new(domain: Domain, selector: Domain, key: SigningKey) -> Self {
        Self {
            domain,
            selector,
            key,
            header_canon: Canon::Relaxed,
            body_canon: Canon::Relaxed,
            signed: SIGNED.into_iter().collect(),
            oversigned: OVERSIGNED.into_iter().collect(),
            lifetime_seconds: None,
        }
    }

    /// Begins to sign a message: asks `bodies` for the hash it needs.
    ///
    /// # Errors
    /// Where the message has no From.
    pub fn begin<'s, 'h>(
        &'s self,
        header: &'h Header<'h>,
        bodies: &mut BodyHasher,
    ) -> Result<Signing<'s, 'h>, SignError> {
        let fields = SignedFields::new(header);
        // RFC 6376 §5.4: "The From header field MUST be signed".
        if fields.count(b"from") == 0 {
            return Err(SignError::NoFrom);
        }
        let mut names = FieldNames::default();
        // From must be signed, whatever was chosen.
        let has_from = self.signed.contains(b"from") || self.oversigned.contains(b"from");
        names.push(b"from", usize::from(!has_from));
        let others = self.oversigned.iter().filter(|name| !self.signed.contains(name));
        for name in self.signed.iter().chain(others) {
            // RFC 6376 §5.4.2: signing a name as often as it is there signs each of its fields.
            names.push(name, fields.count(name) + usize::from(self.oversigned.contains(name)));
        }
        Ok(Signing { signer: self, fields, names, body: bodies.request(self.body_canon, None) })
    }
}

impl Signing<'_, '_> {
    /// The field, with its final CRLF. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// Where the key does not sign, or these are the hashes of another body.
    pub fn finish(&self, bodies: &BodyHashes, now: u64) -> Result<String, SignError> {
        let Signer { domain, selector, key, header_canon, body_canon, lifetime_seconds, .. } = self.signer;
        let body = bodies.get(self.body).ok_or(SignError::NoBodyHash)?;
        let expires = lifetime_seconds.map(|seconds| format!(" x={};", now + seconds)).unwrap_or_default();
        let mut text = format!(
            "{FIELD_NAME}: v=1; a={}; c={}/{}; d={domain};\r\n\ts={selector}; t={now};{expires}\r\n\th={};\r\n\tbh={};\r\n\tb=",
            key.algorithm().as_str(),
            header_canon.as_str(),
            body_canon.as_str(),
            folded_names(&self.names),
            to_base64(body.digest()),
        );
        let unsigned = format!("{text}\r\n");
        let value = &unsigned.as_bytes()[FIELD_NAME.len() + 1..];
        let own = Field { name: FIELD_NAME.as_bytes(), value, raw: unsigned.as_bytes(), at: 0 };
        let end = value.len() - 2;
        let hash = self.fields.hash(&self.names, *header_canon, &own, &(end..end));
        text.push_str(&folded_base64(&key.sign(&hash)?));
        text.push_str("\r\n");
        Ok(text)
    }
}

/// Names with colons, on lines of some length.
#[must_use]
pub fn folded_names(names: &FieldNames) -> String {
    let mut text = String::new();
    let mut column = 0;
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            text.push(':');
            if column > 60 {
                text.push_str("\r\n\t ");
                column = 0;
            }
        }
        let name = String::from_utf8_lossy(name);
        column += name.len() + 1;
        text.push_str(&name);
    }
    text
}

/// Base64 on lines of some length.
#[must_use]
pub fn folded_base64(bytes: &[u8]) -> String {
    let text = to_base64(bytes);
    let lines: Vec<_> = text.as_bytes().chunks(BASE64_LINE).map(String::from_utf8_lossy).collect();
    lines.join("\r\n\t ")
}

/// Signs a message that is in memory. `body` is what [`message::split`] answers.
///
/// # Errors
/// Why it was not signed.
pub fn sign(signer: &Signer, header: &Header, body: (message::Body, &[u8]), now: u64) -> Result<String, SignError> {
    let mut bodies = BodyHasher::new();
    let signing = signer.begin(header, &mut bodies)?;
    let (mut stream, bytes) = body;
    stream.feed(bytes, |piece| bodies.feed(piece));
    stream.finish(|piece| bodies.feed(piece));
    signing.finish(&bodies.finish(), now)
}
