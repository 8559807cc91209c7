//! Key records: the public keys that domains publish for their signatures, and what they may be used for.
//!
//! In: the TXT records at `selector._domainkey.domain`. Out: keys ready to verify with, or why a record is none. A [`KeySet`] is
//! made once for each DNS answer and kept with it. RFC 6376 §3.6.1, RFC 8301 §3.2, RFC 8463 §4.

use std::fmt;

use aws_lc_rs::digest::Digest;
use aws_lc_rs::signature::{ED25519, ParsedPublicKey, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY};
use dns::Data;

use crate::encoding::base64;
use crate::signature::Algorithm;
use crate::tags::{TagError, TagList, colon_list};

/// A key record of more bytes is not read: an RSA key of 8192 bits has 1,400 characters.
const RECORD_BYTES_MAX: usize = 16 << 10;

/// RFC 6376 §3.6.2.2: with several records at one name "the results are undefined". Here two are tried, so that a key that is
/// being replaced in place does no harm, and a name full of them does no work.
const KEYS_TRIED_MAX: usize = 2;

/// RFC 8301 §3.2: "Verifiers MUST NOT consider signatures using RSA keys of less than 1024 bits as valid signatures."
const RSA_BITS_MIN: usize = 1024;

/// RFC 8301 §3.2 asks verifiers for up to 4096 bits; beyond 8192 a signature costs a millisecond and nobody uses it.
const RSA_BITS_MAX: usize = 8192;

/// RFC 8301 §3.2: "Signers … SHOULD use RSA keys of at least 2048 bits."
const RSA_BITS_STRONG: usize = 2048;

/// The keys at one name.
#[derive(Debug)]
pub struct KeySet {
    keys: Vec<Result<Key, KeyError>>,
}

/// One public key and its restrictions.
#[expect(clippy::struct_excessive_bools, reason = "four independent statements of the record")]
pub struct Key {
    public: ParsedPublicKey,
    kind: KeyKind,
    bits: usize,
    /// `h=` allows SHA-256.
    sha256: bool,
    /// `s=` allows mail.
    email: bool,
    /// `t=y`.
    testing: bool,
    /// `t=s`.
    exact_domain: bool,
}

/// What kind of key it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// `k=rsa`, or no `k=`.
    Rsa,
    /// `k=ed25519`.
    Ed25519,
}

/// Why a record gives no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No TXT record at the name.
    #[error("there is no TXT record at the key's name")]
    NoRecord,
    /// A record that is no tag list.
    #[error("the key record cannot be read: {0}")]
    Syntax(#[from] TagError),
    /// More bytes than are read.
    #[error("the key record has more than {RECORD_BYTES_MAX} bytes")]
    TooLong,
    /// `v=` is not `DKIM1`, or not first.
    #[error("the key record's v= is not DKIM1 in first place")]
    Version,
    /// No `p=`.
    #[error("the key record has no p=")]
    NoKey,
    /// `p=` is empty.
    #[error("the key is revoked: its p= is empty")]
    Revoked,
    /// An unknown `k=`.
    #[error("the key is of a kind that is not known (k=)")]
    UnknownKind,
    /// `p=` is not base64, or not a key.
    #[error("the key record's p= holds no public key of its kind")]
    Malformed,
    /// Fewer bits than any verifier may accept.
    #[error("the RSA key has {0} bits; at least {RSA_BITS_MIN} are needed")]
    TooShort(usize),
    /// More bits than are worked with.
    #[error("the RSA key has {0} bits; at most {RSA_BITS_MAX} are accepted")]
    TooLarge(usize),
}

impl KeySet {
    /// Reads the keys of an answer.
    #[must_use]
    pub fn read(records: &[Data]) -> Self {
        let texts = records.iter().filter_map(|data| match data {
            Data::Txt(text) => Some(text),
            _ => None,
        });
        let mut keys: Vec<_> = texts.map(|text| Key::parse(text)).take(16).collect();
        // Text that is no key record, such as that of a wildcard, must not hide one that is.
        keys.sort_by_key(Result::is_err);
        keys.truncate(KEYS_TRIED_MAX);
        Self { keys }
    }

    /// The keys to be tried, at least one or an error that says why there is none.
    pub fn keys(&self) -> impl Iterator<Item = Result<&Key, KeyError>> {
        let none = self.keys.is_empty().then_some(Err(KeyError::NoRecord));
        self.keys.iter().map(|key| key.as_ref().map_err(|error| *error)).chain(none)
    }
}

impl Key {
    /// Reads a key record.
    ///
    /// # Errors
    /// Why it gives no key.
    pub fn parse(record: &[u8]) -> Result<Self, KeyError> {
        if record.len() > RECORD_BYTES_MAX {
            return Err(KeyError::TooLong);
        }
        let tags = TagList::parse(record)?;
        // RFC 6376 §3.6.1: v= "MUST be the first tag in the record" and its value "DKIM1"; a record without it is one too.
        if let Some(version) = tags.get("v")
            && (version != b"DKIM1" || tags.first_name() != b"v")
        {
            return Err(KeyError::Version);
        }
        let material = tags.get("p").ok_or(KeyError::NoKey)?;
        // RFC 6376 §3.6.1: "An empty value means that this public key has been revoked."
        if material.is_empty() {
            return Err(KeyError::Revoked);
        }
        let bytes = base64(material).ok_or(KeyError::Malformed)?;
        // Quoted literals of ABNF have no case (RFC 5234 §2.3): `k=RSA` is meant.
        let is_kind = |word: &str| tags.get("k").is_some_and(|kind| kind.eq_ignore_ascii_case(word.as_bytes()));
        let (kind, public, bits) = match tags.get("k") {
            kind if kind.is_none() || is_kind("rsa") => {
                let bits = rsa_bits(&bytes).ok_or(KeyError::Malformed)?;
                if bits < RSA_BITS_MIN {
                    return Err(KeyError::TooShort(bits));
                }
                if bits > RSA_BITS_MAX {
                    return Err(KeyError::TooLarge(bits));
                }
                let public = ParsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, &bytes);
                (KeyKind::Rsa, public, bits)
            }
            // RFC 8463 §4: p= is the public key "encoded in base64": 32 bytes, without any ASN.1 around them.
            _ if is_kind("ed25519") && bytes.len() == 32 => {
                (KeyKind::Ed25519, ParsedPublicKey::new(&ED25519, &bytes), 256)
            }
            _ if is_kind("ed25519") => return Err(KeyError::Malformed),
            _ => return Err(KeyError::UnknownKind),
        };
        let lists = |tag, word: &[u8]| {
            tags.get(tag).is_some_and(|list| colon_list(list).any(|item| item.eq_ignore_ascii_case(word)))
        };
        Ok(Self {
            public: public.map_err(|_| KeyError::Malformed)?,
            kind,
            bits,
            sha256: tags.get("h").is_none() || lists("h", b"sha256"),
            email: tags.get("s").is_none() || lists("s", b"*") || lists("s", b"email"),
            testing: lists("t", b"y"),
            exact_domain: lists("t", b"s"),
        })
    }

    /// What kind of key it is.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Bits of the modulus, or 256.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// Whether it is shorter than signers should use (RFC 8301 §3.2).
    #[must_use]
    pub fn is_weak(&self) -> bool {
        self.kind == KeyKind::Rsa && self.bits < RSA_BITS_STRONG
    }

    /// `h=`: whether it may be used with SHA-256, the only hash there is (RFC 8301 §3.1).
    #[must_use]
    pub fn allows_sha256(&self) -> bool {
        self.sha256
    }

    /// `s=`: whether it may be used for mail.
    #[must_use]
    pub fn allows_email(&self) -> bool {
        self.email
    }

    /// `t=y`: the domain is testing.
    #[must_use]
    pub fn is_testing(&self) -> bool {
        self.testing
    }

    /// `t=s`: `i=` must be at `d=` itself.
    #[must_use]
    pub fn is_for_exact_domain(&self) -> bool {
        self.exact_domain
    }

    /// Whether the signature over the hash is by this key.
    #[must_use]
    pub fn verifies(&self, algorithm: Algorithm, hash: &Digest, signature: &[u8]) -> bool {
        match (algorithm, self.kind) {
            (Algorithm::RsaSha256, KeyKind::Rsa) => self.public.verify_digest_sig(hash, signature).is_ok(),
            // RFC 8463 §3: the SHA-256 hash is the message that is signed.
            (Algorithm::Ed25519Sha256, KeyKind::Ed25519) => self.public.verify_sig(hash.as_ref(), signature).is_ok(),
            _ => false,
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?}, {} bits)", self.kind, self.bits)
    }
}

/// Bits of the modulus of an RSA key, which stands alone (RFC 8017 appendix A.1.1) or inside of a `SubjectPublicKeyInfo` (RFC 5280
/// §4.1), as RFC 6376 §3.6.1 says and as its examples do.
fn rsa_bits(der: &[u8]) -> Option<usize> {
    let (0x30, sequence, []) = element(der)? else { return None };
    let (tag, first, rest) = element(sequence)?;
    match tag {
        // INTEGER: the modulus.
        0x02 => {
            let significant = &first[first.iter().position(|&b| b != 0)?..];
            Some(significant.len() * 8 - significant[0].leading_zeros() as usize)
        }
        // SEQUENCE: the algorithm. The BIT STRING after it holds the key.
        0x30 => match element(rest)? {
            (0x03, [0, key @ ..], []) if key.first() == Some(&0x30) => {
                let (0x30, inner, []) = element(key)? else { return None };
                if inner.first() == Some(&0x02) { rsa_bits(key) } else { None }
            }
            _ => None,
        },
        _ => None,
    }
}

/// One element of DER: tag, content, and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => (usize::from(*rest.first()?), &rest[1..]),
        0x82 => (usize::from(u16::from_be_bytes(rest.get(..2)?.try_into().ok()?)), &rest[2..]),
        _ => return None,
    };
    let (content, after) = rest.split_at_checked(length)?;
    Some((tag, content, after))
}
