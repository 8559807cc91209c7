//! DKIM: signatures over messages, by domains (RFC 6376, with RFC 8301, RFC 8463 and RFC 8616).
//!
//! | module | holds |
//! | --- | --- |
//! | `verify` | all signatures of a message: [`Verifier`] |
//! | `verdict` | what came of each: result, reason, flags |
//! | `signature` | the DKIM-Signature field |
//! | `key` | key records |
//! | `fetch` | keys from the DNS, all at once |
//! | `sign`, `private` | signing, and the keys for it |
//! | `input`, `field_names` | the header as a signature covers it |
//! | `canon` | canonicalization of fields and body |
//! | `body` | body hashes, shared between signatures |
//! | `tags` | tag lists |
//! | `encoding` | base64 and DKIM's quoted-printable |
//! | `join` | several futures at once |
//!
//! In: a header, a body in pieces, DNS answers, the time. Out: verdicts, or a field to be put on top. No I/O, no clock. ARC is made
//! of the same parts, which are public for it.

mod body;
mod canon;
mod encoding;
mod fetch;
mod field_names;
mod input;
mod join;
mod key;
mod private;
mod sign;
mod signature;
mod tags;
mod verdict;
mod verify;

pub use body::{BodyHash, BodyHashId, BodyHasher, BodyHashes};
pub use canon::{BodyCanon, Canon};
pub use encoding::{base64, to_base64};
pub use fetch::{key_name, keys};
pub use field_names::FieldNames;
pub use input::{SignedFields, write_own};
pub use key::{Key, KeyError, KeyKind, KeySet};
pub use private::{SigningKey, SigningKeyError};
pub use sign::{SignError, Signer, Signing, folded_base64, folded_names, sign};
pub use signature::{Algorithm, Signature, SignatureError, body_hash, canons, name, optional_number, signature};
pub use tags::{TagError, TagList, colon_list, number, without_white};
pub use verdict::{Flag, Reason, Verdict};
pub use verify::{Limits, Verifier, verify};
