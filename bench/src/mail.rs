//! Signed messages of several sizes, and what their verification cannot do without.
//!
//! In: a size and the lines of a body. Out: a message with an rsa-2048 signature; the arithmetic alone that its verification takes.

use std::hint::black_box;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use dkim::{BodyCanon, Canon, Signer, base64, sign};
use message::{HeaderLimits, split};

/// A header as mail has it after a few relays.
pub const HEADER: &str = "Received: from mail.legit.example (mail.legit.example [192.0.2.1])\r\n\tby mx.other.example (Postfix) with ESMTPS id 4Cx1Yz2Wq3z9sRK\r\n\tfor <b@other.example>; Tue, 14 Nov 2023 22:13:20 +0000 (UTC)\r\nReceived: from [192.0.2.77] (client.legit.example [192.0.2.77])\r\n\tby mail.legit.example (Postfix) with ESMTPSA id 4Cx1Yz0Lm5z1xYt\r\n\tfor <b@other.example>; Tue, 14 Nov 2023 22:13:19 +0000 (UTC)\r\nMessage-ID: <5f1c6f0e-0f39-4c5e-9a0c-8f54f0b9b3d1@legit.example>\r\nDate: Tue, 14 Nov 2023 22:13:18 +0000\r\nMIME-Version: 1.0\r\nUser-Agent: Mail Program/115.4\r\nSubject: Minutes of the meeting, and what we said of the budget\r\nTo: \"Berta Example\" <b@other.example>\r\nCc: \"C. Example\" <c@other.example>, d@other.example\r\nReferences: <1@other.example> <2@legit.example>\r\nIn-Reply-To: <2@legit.example>\r\nFrom: \"Anna Example\" <a@legit.example>\r\nContent-Type: text/plain; charset=UTF-8; format=flowed\r\nContent-Transfer-Encoding: 8bit\r\n";

/// Lines of a body: an attachment, prose, and HTML with indentation.
pub const KINDS: [(&str, &str); 3] = [
    ("base64", "TG9yZW0gaXBzdW0gZG9sb3Igc2l0IGFtZXQsIGNvbnNlY3RldHVyIGFkaXBpc2NpbmcgZWxpdC4g\r\n"),
    ("prose", "The quick brown fox jumps over the lazy dog, and then it comes back again to\r\n"),
    ("HTML", "        <td class=\"cell\"  style=\"padding: 0 4px;\">\r\n            <a href=\"#\">more of it</a>\r\n"),
];

/// When the messages are signed, in seconds since 1970.
pub const SIGNED_AT: u64 = 1_700_000_000;

/// A message of so many kilobytes with these lines as its body, signed.
pub fn message(signer: &Signer, kilobytes: usize, line: &str) -> Vec<u8> {
    let body = line.repeat((kilobytes * 1_000 - HEADER.len()).div_ceil(line.len()));
    let message = [HEADER, "\r\n", &body].concat();
    let (header, intake, rest) = split(message.as_bytes(), &HeaderLimits::default()).expect("a header");
    let field = sign(signer, &header, (intake, rest), SIGNED_AT).expect("a signature");
    [field.as_bytes(), message.as_bytes()].concat()
}

/// The public key of a key record.
pub fn public_key(record: &str) -> ParsedPublicKey {
    let material = base64(record.split_once("p=").expect("p=").1.as_bytes()).expect("base64");
    ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, material).expect("a key")
}

/// What cannot be spared: the canonical body through SHA-256, and one verification of an rsa-sha256 signature. As RFC 8017 §8.2.2 has it,
/// that takes the bytes that were signed – here the canonical header – and begins with their hash.
pub struct Floor<'k> {
    public: &'k ParsedPublicKey,
    body: Vec<u8>,
    header: Vec<u8>,
    signature: Vec<u8>,
}

impl<'k> Floor<'k> {
    /// What it is called.
    pub const NAME: &'static str = "rsa-sha256 and SHA-256 of the body";

    /// For a message whose signature is its first field.
    pub fn of(message: &[u8], public: &'k ParsedPublicKey) -> Self {
        let (header, _, rest) = split(message, &HeaderLimits::default()).expect("a header");
        let field = header.field(0).expect("a field");
        let signature = dkim::Signature::parse(field.value).expect("a signature");
        let fields = dkim::SignedFields::new(&header);
        let header = fields.input(&signature.signed_names, Canon::Relaxed, &field, &signature.signature_place);
        let mut body = Vec::new();
        let mut canon = BodyCanon::new(Canon::Relaxed);
        canon.feed(rest, |bytes| body.extend_from_slice(bytes));
        canon.finish(|bytes| body.extend_from_slice(bytes));
        Self { public, body, header, signature: signature.signature }
    }

    /// Whether the signature is right.
    pub fn run(&self) -> bool {
        black_box(digest(&SHA256, black_box(&self.body)));
        self.public.verify_sig(black_box(&self.header), &self.signature).is_ok()
    }
}
