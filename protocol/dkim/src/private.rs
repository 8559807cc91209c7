//! Private keys: the signer's half of a key record.
//!
//! In: PEM text, or base64 of an Ed25519 seed. Out: a key that signs, and the record to publish for it. RFC 8301 §3.2, RFC 8463 §4;
//! PKCS #8 is RFC 5958, PKCS #1 is RFC 8017.

use std::fmt;

use aws_lc_rs::digest::Digest;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};

use crate::encoding::{base64, to_base64};
use crate::signature::Algorithm;

/// A key to sign with.
pub struct SigningKey(Pair);

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

/// Why some text is no key, or a key does not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SigningKeyError {
    /// Neither PEM nor base64 of 32 bytes.
    #[error("the private key is neither PEM (PKCS #8 or PKCS #1) nor base64 of an Ed25519 seed")]
    Format,
    /// PEM of something else, or of a broken or too short key.
    #[error("the private key is not accepted: RSA of 2048 to 8192 bits and Ed25519 are")]
    Rejected,
    /// The library failed, as when there is no memory.
    #[error("the cryptographic library failed")]
    Library,
}

impl SigningKey {
    /// Reads a key: PEM with `PRIVATE KEY` (RSA or Ed25519) or `RSA PRIVATE KEY`, or base64 of an Ed25519 seed alone.
    ///
    /// # Errors
    /// Where it is no key that may sign: RFC 8301 §3.2: "Signers MUST use RSA keys of at least 1024 bits", and "SHOULD use RSA
    /// keys of at least 2048 bits"; here it is must.
    pub fn read(text: &str) -> Result<Self, SigningKeyError> {
        let Some((label, der)) = pem(text) else {
            let seed = base64(text.as_bytes()).filter(|seed| seed.len() == 32).ok_or(SigningKeyError::Format)?;
            let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| SigningKeyError::Rejected)?;
            return Ok(Self(Pair::Ed25519(Box::new(pair))));
        };
        let rsa = match label {
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(&der),
            _ => RsaKeyPair::from_pkcs8(&der),
        };
        let pair = rsa.map(|pair| Pair::Rsa(Box::new(pair)));
        let pair = pair.or_else(|_| Ed25519KeyPair::from_pkcs8(&der).map(|pair| Pair::Ed25519(Box::new(pair))));
        pair.map(Self).map_err(|_| SigningKeyError::Rejected)
    }

    /// Makes a new key: RSA with 2048 bits, which every verifier accepts and one TXT record holds, or Ed25519.
    ///
    /// # Errors
    /// Where the library fails.
    pub fn generate(algorithm: Algorithm) -> Result<Self, SigningKeyError> {
        let pair = match algorithm {
            Algorithm::RsaSha256 => RsaKeyPair::generate(KeySize::Rsa2048).map(|pair| Pair::Rsa(Box::new(pair))),
            Algorithm::Ed25519Sha256 => Ed25519KeyPair::generate().map(|pair| Pair::Ed25519(Box::new(pair))),
        };
        pair.map(Self).map_err(|_| SigningKeyError::Library)
    }

    /// The key as PEM of PKCS #8. Keep it secret.
    ///
    /// # Errors
    /// Where the library fails.
    pub fn to_pem(&self) -> Result<String, SigningKeyError> {
        let der: Result<Pkcs8V1Der<'_>, _> = match &self.0 {
            Pair::Rsa(pair) => pair.as_der(),
            Pair::Ed25519(pair) => pair.as_der(),
        };
        let text = to_base64(der.map_err(|_| SigningKeyError::Library)?.as_ref());
        let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        Ok(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n")))
    }

    /// With what it signs.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            Pair::Rsa(_) => Algorithm::RsaSha256,
            Pair::Ed25519(_) => Algorithm::Ed25519Sha256,
        }
    }

    /// The text of the TXT record to publish.
    ///
    /// # Errors
    /// Where the library fails.
    pub fn public_record(&self) -> Result<String, SigningKeyError> {
        match &self.0 {
            Pair::Rsa(pair) => {
                let der: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| SigningKeyError::Library)?;
                Ok(format!("v=DKIM1; k=rsa; p={}", to_base64(der.as_ref())))
            }
            Pair::Ed25519(pair) => Ok(format!("v=DKIM1; k=ed25519; p={}", to_base64(pair.public_key().as_ref()))),
        }
    }

    /// Signs a SHA-256 hash.
    ///
    /// # Errors
    /// Where the library fails.
    pub fn sign(&self, hash: &Digest) -> Result<Vec<u8>, SigningKeyError> {
        match &self.0 {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let signed = pair.sign_digest(&RSA_PKCS1_SHA256, hash, &mut signature);
                signed.map(|()| signature).map_err(|_| SigningKeyError::Library)
            }
            // RFC 8463 §3: what is signed is the SHA-256 hash.
            Pair::Ed25519(pair) => pair
                .try_sign(hash.as_ref())
                .map(|signed| signed.as_ref().to_vec())
                .map_err(|_| SigningKeyError::Library),
        }
    }
}

impl fmt::Debug for SigningKey {
    /// Nothing of the key itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.algorithm().as_str())
    }
}

/// The label and the bytes of a PEM text (RFC 7468 §2).
fn pem(text: &str) -> Option<(&str, Vec<u8>)> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once("-----END ")?;
    Some((label, base64(body.as_bytes())?))
}
