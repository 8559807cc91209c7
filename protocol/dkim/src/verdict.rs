//! What came of one signature: the result, the reason, and what people should know of a pass.
//!
//! In: the facts that verification found. Out: values with words for them. RFC 8601 §2.7.1 says which word means what.

use authres::ResultWord;

use crate::key::KeyError;
use crate::signature::{Signature, SignatureError};

/// What came of one DKIM-Signature field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Which field it is, counted from 0 among all fields of the header.
    pub field: usize,
    /// What the field says, if it is a signature.
    pub signature: Option<Signature>,
    /// `d=` of a field that is none, where it could be read; not to be relied upon.
    pub claimed_domain: Option<message::Domain>,
    /// The result: none of `None` and `SoftFail`.
    pub result: ResultWord,
    /// Why, unless it is a pass.
    pub reason: Option<Reason>,
    /// Bits of the key, if one was found.
    pub key_bits: Option<usize>,
    /// What people should know.
    pub flags: Vec<Flag>,
    /// Seconds since it was made, if it says when; negative if that is in the future.
    pub age: Option<i64>,
}

/// What people should know of a signature, whatever came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Flag {
    /// The key has `t=y`: the domain says it is testing. RFC 6376 §3.6.1 asks not to treat its mail "differently from unsigned
    /// email, even should the signature fail to verify"; nobody's mail is, and a pass is a pass.
    Testing,
    /// The RSA key has less than 2048 bits.
    WeakKey,
    /// The signature has `l=`: anything may be added to the body.
    BodyLength,
    /// Content-Type is there and not signed: with `l=`, the meaning of the signed body can be turned.
    ContentTypeUnsigned,
    /// A field that a message has once is there more often than it is signed: some program may show the unsigned one.
    UnsignedRepetition(&'static str),
}

impl Flag {
    /// The name in logs and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Testing => "testing",
            Self::WeakKey => "weak_key",
            Self::BodyLength => "body_length",
            Self::ContentTypeUnsigned => "content_type_unsigned",
            Self::UnsignedRepetition(_) => "unsigned_repetition",
        }
    }
}

/// Why a signature did not pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The field is no signature.
    #[error("{0}")]
    Signature(#[from] SignatureError),
    /// Selector and domain together are too long for a name.
    #[error("the key's name is too long for the DNS")]
    KeyName,
    /// There is no usable key.
    #[error("{0}")]
    Key(#[from] KeyError),
    /// The DNS did not answer.
    #[error("the key could not be fetched: {0}")]
    KeyUnavailable(Box<str>),
    /// `k=` of the key and `a=` of the signature do not fit.
    #[error("the key is not of the kind that the signature was made with")]
    KeyKind,
    /// `h=` of the key leaves out SHA-256.
    #[error("the key may not be used with SHA-256 (its h= says so)")]
    KeyHash,
    /// `s=` of the key leaves out mail.
    #[error("the key may not be used for mail (its s= says so)")]
    KeyService,
    /// `t=s` of the key, and `i=` below `d=`.
    #[error("the key is for its exact domain only (t=s), and i= is below it")]
    KeyExactDomain,
    /// The body is another one.
    #[error("{}", if *.header_intact { "the body was changed; the signed header fields were not" } else { "the body was changed" })]
    BodyHash {
        /// Whether the signature over the header is right all the same: then only the body was changed.
        header_intact: bool,
    },
    /// The signed header fields, or the signature, are others.
    #[error("the signed header fields were changed, or the signature is not by this key")]
    Header,
    /// `l=` is more than there is.
    #[error("the signature covers more body than there is (l=)")]
    BodyLengthBeyond,
    /// `l=` leaves content unsigned.
    #[error("the signature leaves the end of the body unsigned (l=)")]
    BodyPartlySigned,
    /// `x=` is past.
    #[error("the signature has expired (x=)")]
    Expired,
    /// `t=` is to come.
    #[error("the signature was made in the future (t=)")]
    InFuture,
    /// Too many signatures.
    #[error("the message has more signatures than are verified")]
    Limit,
}

impl Reason {
    /// The result that follows: temporary or permanent, one line each.
    #[must_use]
    pub fn result(&self) -> ResultWord {
        match self {
            Self::Signature(_)
            | Self::KeyName
            | Self::Key(_)
            | Self::KeyKind
            | Self::KeyHash
            | Self::KeyService
            | Self::KeyExactDomain
            | Self::BodyLengthBeyond => ResultWord::PermError,
            Self::KeyUnavailable(_) => ResultWord::TempError,
            Self::BodyHash { .. } | Self::Header => ResultWord::Fail,
            // RFC 8601 §2.7.1 policy: "some aspect of the signature or signatures was not acceptable to the ADMD".
            Self::BodyPartlySigned | Self::Expired | Self::InFuture => ResultWord::Policy,
            // Neutral: "were not otherwise able to be processed".
            Self::Limit => ResultWord::Neutral,
        }
    }
}

impl Verdict {
    pub(crate) fn unread(field: usize, reason: Reason, signature: Option<Signature>) -> Self {
        let result = reason.result();
        let reason = Some(reason);
        Self { field, signature, claimed_domain: None, result, reason, key_bits: None, flags: Vec::new(), age: None }
    }

    /// Whether DMARC may take this signature's domain as authenticated: a pass over the whole body.
    #[must_use]
    pub fn usable_for_dmarc(&self) -> bool {
        self.result == ResultWord::Pass
    }

    /// The domain that takes responsibility, or that the field claims for it.
    #[must_use]
    pub fn domain(&self) -> Option<&message::Domain> {
        self.signature.as_ref().map(|signature| &signature.domain).or(self.claimed_domain.as_ref())
    }
}
