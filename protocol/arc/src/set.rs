//! The ARC sets of a message: three fields for each instance, read strictly and put in order.
//!
//! In: a header. Out: the sets from the first to the newest, or why they make no chain. RFC 8617 §4.1, §4.2, §5.2 step 3.

use std::ops::Range;

use authres::Results;
use dkim::{
    Algorithm, Canon, FieldNames, SignatureError, TagList, body_hash, canons, colon_list, name, number,
    optional_number, signature,
};
use message::{Domain, Field, Header};

use crate::validate::Reason;

/// RFC 8617 §5.2 step 1: "The maximum number of ARC Sets that can be attached to a message is 50."
pub const SETS_MAX: usize = 50;

/// `cv=`: what a sealer found of the chain before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChainStatus {
    /// There was none.
    None,
    /// It held.
    Pass,
    /// It did not.
    Fail,
}

impl ChainStatus {
    /// The word in `cv=`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
        }
    }

    fn parse(word: &[u8]) -> Option<Self> {
        [Self::None, Self::Pass, Self::Fail]
            .into_iter()
            .find(|status| word.eq_ignore_ascii_case(status.as_str().as_bytes()))
    }
}

/// One set, as people and policies see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// From 1.
    pub instance: usize,
    /// `d=` of the seal: who says it. It need not be like the identifier in the results.
    pub sealer: Domain,
    /// `s=` of the seal.
    pub selector: Domain,
    /// `cv=`.
    pub status: ChainStatus,
    /// `t=` of the seal, in seconds since 1970.
    pub sealed_at: Option<u64>,
    /// What the sealer found of the message.
    pub results: Results,
    /// Names of the fields that the message signature covers.
    pub signed_names: FieldNames,
}

/// The three fields of an instance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Triple<'h> {
    pub(crate) results: Field<'h>,
    pub(crate) message: Field<'h>,
    pub(crate) seal: Field<'h>,
}

/// ARC-Message-Signature (RFC 8617 §4.1.2): a DKIM signature with an instance for an identity, and no version.
#[derive(Debug)]
pub(crate) struct MessageSignature {
    pub(crate) signing: Signing,
    pub(crate) canon: (Canon, Canon),
    pub(crate) names: FieldNames,
    pub(crate) body_hash: Vec<u8>,
    pub(crate) body_length: Option<u64>,
    pub(crate) expires_at: Option<u64>,
}

/// ARC-Seal (RFC 8617 §4.1.3).
#[derive(Debug)]
pub(crate) struct Seal {
    pub(crate) signing: Signing,
    pub(crate) status: ChainStatus,
}

/// What both have.
#[derive(Debug)]
pub(crate) struct Signing {
    pub(crate) algorithm: Algorithm,
    pub(crate) domain: Domain,
    pub(crate) selector: Domain,
    pub(crate) signature: Vec<u8>,
    pub(crate) place: Range<usize>,
    pub(crate) signed_at: Option<u64>,
}

impl Signing {
    fn read(tags: &TagList<'_>) -> Result<Self, SignatureError> {
        Ok(Self {
            algorithm: Algorithm::parse(tags.get("a").ok_or(SignatureError::Missing("a"))?)?,
            domain: name(tags, "d")?,
            selector: name(tags, "s")?,
            signature: signature(tags)?,
            place: tags.place("b").ok_or(SignatureError::Missing("b"))?,
            signed_at: optional_number(tags, "t")?,
        })
    }
}

impl MessageSignature {
    pub(crate) fn read(field: &Field<'_>) -> Result<Self, SignatureError> {
        let tags = TagList::parse(field.value)?;
        let list = tags.get("h").ok_or(SignatureError::Missing("h"))?;
        // Empty names are passed over: RFC 8617 has none, but sealers wrote them and they sign nothing.
        let listed: Vec<&[u8]> = colon_list(list).filter(|name| !name.is_empty()).collect();
        let names =
            if listed.is_empty() { Some(FieldNames::default()) } else { FieldNames::parse(&listed.join(&b':')) };
        let names = names.ok_or(SignatureError::SignedNames)?;
        // RFC 8617 §4.1.2: ARC-Seal fields "MUST NOT" be covered: later sealers add them.
        if names.contains(b"arc-seal") {
            return Err(SignatureError::SignedNames);
        }
        Ok(Self {
            signing: Signing::read(&tags)?,
            // RFC 8617 §4.1.2 leaves c= as DKIM has it, where a missing one means simple; sealers and the public suite take it for
            // relaxed, and nobody else leaves it out.
            canon: if tags.get("c").is_some() { canons(&tags)? } else { (Canon::Relaxed, Canon::Relaxed) },
            names,
            body_hash: body_hash(&tags)?,
            body_length: optional_number(&tags, "l")?,
            expires_at: optional_number(&tags, "x")?,
        })
    }
}

impl Seal {
    pub(crate) fn read(field: &Field<'_>) -> Result<Self, SignatureError> {
        let tags = TagList::parse(field.value)?;
        // RFC 8617 §4.1.3: a seal has no h= of its own, and no body hash; one that has is not trusted to mean the same.
        if tags.get("h").is_some() || tags.get("bh").is_some() {
            return Err(SignatureError::SignedNames);
        }
        let status = tags.get("cv").ok_or(SignatureError::Missing("cv"))?;
        let status = ChainStatus::parse(status).ok_or(SignatureError::Missing("cv"))?;
        Ok(Self { signing: Signing::read(&tags)?, status })
    }
}

/// The kinds of fields, in the order in which a seal covers them.
const NAMES: [&str; 3] = ["arc-authentication-results", "arc-message-signature", "arc-seal"];

/// The sets in order.
///
/// # Errors
/// Where instances are missing, there twice, or too many.
pub(crate) fn triples<'h>(header: &'h Header<'_>) -> Result<Vec<Triple<'h>>, Reason> {
    let mut found: Vec<[Option<Field<'_>>; 3]> = Vec::new();
    // Nearly every message has none of them.
    let may_be = |name: &[u8]| name.get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case(b"arc-"));
    if !header.names().any(may_be) {
        return Ok(Vec::new());
    }
    for field in header.fields() {
        let Some(kind) = NAMES.iter().position(|name| field.is(name)) else { continue };
        let instance = instance(&field, kind).ok_or(Reason::Instance)?;
        if instance > SETS_MAX {
            return Err(Reason::TooManySets);
        }
        if found.len() < instance {
            found.resize(instance, [None; 3]);
        }
        // RFC 8617 §5.2 step 3: "Each ARC Set contains exactly one each of the three ARC header fields".
        if found[instance - 1][kind].replace(field).is_some() {
            return Err(Reason::Repeated(instance));
        }
    }
    let complete = found.into_iter().enumerate().map(|(at, fields)| match fields {
        [Some(results), Some(message), Some(seal)] => Ok(Triple { results, message, seal }),
        // "The instance values of the ARC Sets form a continuous sequence from 1..N with no gaps or repetition."
        _ => Err(Reason::Incomplete(at + 1)),
    });
    complete.collect()
}

/// The highest instance of any field, however broken the chain.
pub(crate) fn highest_instance(header: &Header) -> usize {
    let instances = header.fields().filter_map(|field| {
        let kind = NAMES.iter().position(|name| field.is(name))?;
        instance(&field, kind)
    });
    instances.max().unwrap_or(0)
}

fn instance(field: &Field<'_>, kind: usize) -> Option<usize> {
    let value = if kind == 0 {
        // RFC 8617 §4.1.1: "arc-info = instance [CFWS] ";" authres-payload".
        let (head, _) = split_results(field.value)?;
        TagList::parse(head).ok()?.get("i")?.to_vec()
    } else {
        TagList::parse(field.value).ok()?.get("i")?.to_vec()
    };
    // RFC 8617 §4.2.1: "position = 1*2DIGIT ; 1 - 50".
    let number = number(&value).filter(|number| *number > 0)?;
    Some(usize::try_from(number).unwrap_or(usize::MAX))
}

/// Cuts the value of ARC-Authentication-Results after its instance.
fn split_results(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = value.iter().position(|&b| b == b';')?;
    Some((&value[..end], &value[end + 1..]))
}

/// What the results of a set say.
pub(crate) fn results(field: &Field<'_>) -> Results {
    split_results(field.value).map(|(_, results)| authres::parse(results).0).unwrap_or_default()
}
