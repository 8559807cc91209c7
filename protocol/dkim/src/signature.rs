//! A DKIM-Signature field, read strictly: every tag that decides anything, or the reason why the field is no signature.
//!
//! In: the value of the field. Out: a [`Signature`]. Nothing is asked of the DNS here, so what cannot be right costs no query.
//! RFC 6376 §3.5, §6.1.1; RFC 8301 §3.1; RFC 8463 §3; RFC 8616 §5.

use std::ops::Range;

use message::{Domain, DomainError};

use crate::canon::Canon;
use crate::encoding::{base64, quoted_printable};
use crate::field_names::FieldNames;
use crate::tags::{TagError, TagList, colon_list, number};

/// Bytes of `b=` when decoded: an RSA key of 8192 bits signs with 1024.
const SIGNATURE_BYTES_MAX: usize = 1024;

/// A SHA-256 hash.
const BODY_HASH_BYTES: usize = 32;

/// With what it is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// `rsa-sha256`.
    RsaSha256,
    /// `ed25519-sha256`.
    Ed25519Sha256,
}

impl Algorithm {
    /// The word in `a=`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RsaSha256 => "rsa-sha256",
            Self::Ed25519Sha256 => "ed25519-sha256",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// What is not verified, with rsa-sha1 by name.
    pub fn parse(word: &[u8]) -> Result<Self, SignatureError> {
        let is = |known: &str| word.eq_ignore_ascii_case(known.as_bytes());
        let known = [Self::RsaSha256, Self::Ed25519Sha256].into_iter().find(|algorithm| is(algorithm.as_str()));
        // RFC 8301 §3.1: "rsa-sha1 MUST NOT be used for signing or verifying."
        known.ok_or(if is("rsa-sha1") { SignatureError::Sha1 } else { SignatureError::Algorithm })
    }
}

/// What a DKIM-Signature field says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// `a=`.
    pub algorithm: Algorithm,
    /// `c=`, for the header.
    pub header_canon: Canon,
    /// `c=`, for the body.
    pub body_canon: Canon,
    /// `d=`: who takes responsibility.
    pub domain: Domain,
    /// `s=`: under which name the key is found.
    pub selector: Domain,
    /// `i=`: the agent or user, as local part and domain; the local part may be empty.
    pub identity: (String, Domain),
    /// `h=`: names of signed fields.
    pub signed_names: FieldNames,
    /// `bh=`.
    pub body_hash: Vec<u8>,
    /// `b=`.
    pub signature: Vec<u8>,
    /// Where everything between the `=` and the `;` of `b=` lies in the value.
    pub signature_place: Range<usize>,
    /// `l=`: bytes of the canonical body that are signed.
    pub body_length: Option<u64>,
    /// `t=`: when it was signed, in seconds since 1970.
    pub signed_at: Option<u64>,
    /// `x=`: until when it is good, likewise.
    pub expires_at: Option<u64>,
}

/// Why a field is no signature that could be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// No tag list.
    #[error("the signature cannot be read: {0}")]
    Syntax(#[from] TagError),
    /// A required tag is missing.
    #[error("the signature has no {0}=")]
    Missing(&'static str),
    /// `v=` is not 1.
    #[error("the signature's v= is not 1")]
    Version,
    /// `a=rsa-sha1`.
    #[error("rsa-sha1 is not accepted any more")]
    Sha1,
    /// Another algorithm.
    #[error("the signature's a= is not known")]
    Algorithm,
    /// `c=` that is none.
    #[error("the signature's c= is not known")]
    Canonicalization,
    /// `b=` or `bh=` is not base64 of the right length.
    #[error("the signature's {0}= is not base64 of its length")]
    Base64(&'static str),
    /// `d=` or `s=` is no name.
    #[error("the signature's {0}= is not a domain name: {1}")]
    Name(&'static str, DomainError),
    /// `h=` is no list of field names.
    #[error("the signature's h= is not a list of field names")]
    SignedNames,
    /// From is not signed.
    #[error("the signature does not cover From")]
    FromUnsigned,
    /// `i=` is not an identity.
    #[error("the signature's i= is not an identity")]
    Identity,
    /// `i=` is not at `d=` or below.
    #[error("the signature's i= is not within its d=")]
    IdentityOutside,
    /// `l=`, `t=` or `x=` is no number.
    #[error("the signature's {0}= is not a number")]
    Number(&'static str),
    /// `x=` is not after `t=`.
    #[error("the signature expired before it was made (x= is not after t=)")]
    ExpiresBeforeSigned,
    /// `q=` without dns/txt.
    #[error("the signature's q= offers no way to the key that is known")]
    QueryMethod,
}

impl Signature {
    /// Reads the value of a DKIM-Signature field.
    ///
    /// # Errors
    /// The first thing that makes it no signature.
    pub fn parse(value: &[u8]) -> Result<Self, SignatureError> {
        let tags = TagList::parse(value)?;
        // RFC 6376 §3.5: "v= … MUST have the value "1"".
        if required(&tags, "v")? != b"1" {
            return Err(SignatureError::Version);
        }
        let domain = name(&tags, "d")?;
        let signed_at = optional_number(&tags, "t")?;
        let expires_at = optional_number(&tags, "x")?;
        // RFC 6376 §3.5: "The value of the "x=" tag MUST be greater than the value of the "t=" tag if both are present."
        if let (Some(signed), Some(expires)) = (signed_at, expires_at)
            && expires <= signed
        {
            return Err(SignatureError::ExpiresBeforeSigned);
        }
        let (header_canon, body_canon) = canons(&tags)?;
        query_method(&tags)?;
        let signed_names = FieldNames::parse(required(&tags, "h")?).ok_or(SignatureError::SignedNames)?;
        // RFC 6376 §5.4: "The From header field MUST be signed".
        if !signed_names.contains(b"from") {
            return Err(SignatureError::FromUnsigned);
        }
        Ok(Self {
            algorithm: Algorithm::parse(required(&tags, "a")?)?,
            header_canon,
            body_canon,
            identity: identity(&tags, &domain)?,
            selector: name(&tags, "s")?,
            domain,
            signed_names,
            body_hash: body_hash(&tags)?,
            signature: signature(&tags)?,
            signature_place: tags.place("b").ok_or(SignatureError::Missing("b"))?,
            body_length: optional_number(&tags, "l")?,
            signed_at,
            expires_at,
        })
    }
}

/// The value of a tag that must be there.
pub(crate) fn required<'a>(tags: &TagList<'a>, tag: &'static str) -> Result<&'a [u8], SignatureError> {
    tags.get(tag).ok_or(SignatureError::Missing(tag))
}

/// `d=` or `s=`.
///
/// # Errors
/// Where it is missing or no name: no query is sent for it.
pub fn name(tags: &TagList<'_>, tag: &'static str) -> Result<Domain, SignatureError> {
    // RFC 8616 §5: U-labels here are looked up, and compared, as A-labels.
    Domain::parse(required(tags, tag)?).map_err(|error| SignatureError::Name(tag, error))
}

/// `c=`: for the header, and for the body.
///
/// # Errors
/// A word that is not known.
pub fn canons(tags: &TagList<'_>) -> Result<(Canon, Canon), SignatureError> {
    let Some(value) = tags.get("c") else { return Ok((Canon::Simple, Canon::Simple)) };
    let mut words = value.splitn(2, |&b| b == b'/');
    let mut canon = || words.next().map(|word| Canon::parse(word).ok_or(SignatureError::Canonicalization)).transpose();
    // RFC 6376 §3.5: "If only one algorithm is named, that algorithm is used for the header and "simple" is used for the body."
    Ok((canon()?.unwrap_or_default(), canon()?.unwrap_or_default()))
}

/// `bh=`.
///
/// # Errors
/// Where it is missing or no SHA-256 hash.
pub fn body_hash(tags: &TagList<'_>) -> Result<Vec<u8>, SignatureError> {
    let hash = base64(required(tags, "bh")?).filter(|hash| hash.len() == BODY_HASH_BYTES);
    hash.ok_or(SignatureError::Base64("bh"))
}

/// `b=`.
///
/// # Errors
/// Where it is missing or no signature of any key that is accepted.
pub fn signature(tags: &TagList<'_>) -> Result<Vec<u8>, SignatureError> {
    let bytes = base64(required(tags, "b")?).filter(|bytes| (1..=SIGNATURE_BYTES_MAX).contains(&bytes.len()));
    bytes.ok_or(SignatureError::Base64("b"))
}

/// `l=`, `t=` or `x=`.
///
/// # Errors
/// Where it is there and no number.
pub fn optional_number(tags: &TagList<'_>, tag: &'static str) -> Result<Option<u64>, SignatureError> {
    tags.get(tag).map(|value| number(value).ok_or(SignatureError::Number(tag))).transpose()
}

fn query_method(tags: &TagList<'_>) -> Result<(), SignatureError> {
    // RFC 6376 §3.5: q= is "a colon-separated list of query methods"; "dns/txt" is the only one.
    let known = tags.get("q").is_none_or(|list| colon_list(list).any(|way| way.eq_ignore_ascii_case(b"dns/txt")));
    if known { Ok(()) } else { Err(SignatureError::QueryMethod) }
}

fn identity(tags: &TagList<'_>, domain: &Domain) -> Result<(String, Domain), SignatureError> {
    // RFC 6376 §3.5: i= is "an empty local-part followed by an "@" followed by the domain from the "d=" tag" where it is missing.
    let Some(value) = tags.get("i") else { return Ok((String::new(), domain.clone())) };
    let decoded = quoted_printable(value).ok_or(SignatureError::Identity)?;
    let sign = memchr::memrchr(b'@', &decoded).ok_or(SignatureError::Identity)?;
    let within = Domain::parse(&decoded[sign + 1..]).map_err(|_| SignatureError::Identity)?;
    // RFC 6376 §3.5: "The domain part of the address MUST be the same as, or a subdomain of, the value of the "d=" tag."
    if !is_within(&within, domain) {
        return Err(SignatureError::IdentityOutside);
    }
    let local = String::from_utf8(decoded[..sign].to_vec()).map_err(|_| SignatureError::Identity)?;
    Ok((local, within))
}

fn is_within(name: &Domain, domain: &Domain) -> bool {
    let rest = name.as_str().strip_suffix(domain.as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}
