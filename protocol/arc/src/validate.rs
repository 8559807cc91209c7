//! Whether a chain holds (RFC 8617 §5.2).
//!
//! In: the header, the hashes of the body, the DNS, the time. Out: a [`Validation`]. All keys are fetched at once; the newest message
//! signature and every seal must be right. A key that cannot be had now is a failure: there is no other word for it in ARC.

use std::sync::Arc;

use authres::ResultWord;
use aws_lc_rs::digest::{Digest, SHA256, digest};
use dkim::{
    BodyHashId, BodyHasher, BodyHashes, Canon, KeyError, KeySet, SignatureError, SignedFields, key_name, keys,
    write_own,
};
use dns::{Lookup, Name};
use message::Header;

use crate::set::{ChainStatus, MessageSignature, SETS_MAX, Seal, Set, Signing, Triple, results, triples};

/// What came of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validation {
    /// `None`, `Pass` or `Fail`.
    pub result: ResultWord,
    /// Why, where it is a failure.
    pub reason: Option<Reason>,
    /// The sets, from the first to the newest, as far as they could be read; empty where they make no chain at all. They are
    /// worth nothing unless the result is a pass.
    pub sets: Vec<Set>,
    /// The oldest instance whose message signature is still right, 0 where all are: since then the message was not changed (RFC 8617
    /// §5.2 step 5). Only with a pass.
    pub oldest_pass: Option<usize>,
}

/// Why a chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// A field without a number from 1.
    #[error("a field of the chain has no instance (i=)")]
    Instance,
    /// An instance above 50.
    #[error("the chain has an instance above {SETS_MAX}")]
    TooManySets,
    /// A field twice.
    #[error("instance {0} has one of its fields twice")]
    Repeated(usize),
    /// A field that is not there.
    #[error("instance {0} has not all of its three fields")]
    Incomplete(usize),
    /// The newest sealer found it broken.
    #[error("the newest sealer found the chain broken already (cv=fail)")]
    SealedAsFailed,
    /// `cv=` that cannot be at that place.
    #[error("instance {0} has a cv= that cannot be there")]
    Status(usize),
    /// The message signature.
    #[error("the message signature of instance {0}: {1}")]
    Message(usize, dkim::Reason),
    /// A seal.
    #[error("the seal of instance {0}: {1}")]
    Seal(usize, dkim::Reason),
}

impl Reason {
    /// Whether it may be otherwise later: a key could not be fetched.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Message(_, dkim::Reason::KeyUnavailable(_)) | Self::Seal(_, dkim::Reason::KeyUnavailable(_))
        )
    }
}

/// The chain of one message, waiting for its body.
pub struct Validator<'h> {
    header: &'h Header<'h>,
    chain: Result<Vec<Link<'h>>, Reason>,
}

/// One set, with all that must be checked of it.
struct Link<'h> {
    triple: Triple<'h>,
    message: Result<(MessageSignature, BodyHashId), SignatureError>,
    seal: Result<Seal, SignatureError>,
}

impl<'h> Validator<'h> {
    /// Reads the chain of a header, and asks `bodies` for the hashes it needs.
    #[must_use]
    pub fn new(header: &'h Header<'h>, bodies: &mut BodyHasher) -> Self {
        let mut link = |triple: Triple<'h>| {
            let message = MessageSignature::read(&triple.message).map(|signature| {
                let body = bodies.request(signature.canon.1, signature.body_length);
                (signature, body)
            });
            Link { triple, message, seal: Seal::read(&triple.seal) }
        };
        let chain = triples(header).map(|triples| triples.into_iter().map(&mut link).collect());
        Self { header, chain }
    }

    /// What comes of the chain. `now` is in seconds since 1970.
    pub async fn finish<L: Lookup>(self, bodies: &BodyHashes, lookup: &L, now: u64) -> Validation {
        let failed =
            |reason, sets| Validation { result: ResultWord::Fail, reason: Some(reason), sets, oldest_pass: None };
        let links = match self.chain {
            Ok(links) if links.is_empty() => {
                return Validation { result: ResultWord::None, reason: None, sets: Vec::new(), oldest_pass: None };
            }
            Ok(links) => links,
            Err(reason) => return failed(reason, Vec::new()),
        };
        let sets: Vec<_> = links.iter().enumerate().map_while(|(at, link)| link.set(at + 1)).collect();
        if let Err(reason) = statuses(&links) {
            return failed(reason, sets);
        }
        let signings = links.iter().flat_map(Link::signings);
        let mut names: Vec<Name> = Vec::new();
        for name in signings.filter_map(|signing| key_name(&signing.selector, &signing.domain).ok()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let sets_of_keys = keys(lookup, &names).await;
        let check =
            Check { fields: SignedFields::new(self.header), links: &links, bodies, names, keys: sets_of_keys, now };
        match check.chain() {
            Ok(oldest) => Validation { result: ResultWord::Pass, reason: None, sets, oldest_pass: Some(oldest) },
            Err(reason) => failed(reason, sets),
        }
    }
}

impl Link<'_> {
    fn set(&self, instance: usize) -> Option<Set> {
        let (seal, (message, _)) = (self.seal.as_ref().ok()?, self.message.as_ref().ok()?);
        Some(Set {
            instance,
            sealer: seal.signing.domain.clone(),
            selector: seal.signing.selector.clone(),
            status: seal.status,
            sealed_at: seal.signing.signed_at,
            results: results(&self.triple.results),
            signed_names: message.names.clone(),
        })
    }

    fn signings(&self) -> impl Iterator<Item = &Signing> {
        let message = self.message.as_ref().ok().map(|(message, _)| &message.signing);
        message.into_iter().chain(self.seal.as_ref().ok().map(|seal| &seal.signing))
    }
}

/// RFC 8617 §5.2 steps 2 and 3.
fn statuses(links: &[Link<'_>]) -> Result<(), Reason> {
    let newest = links.last().and_then(|link| link.seal.as_ref().ok());
    // Step 2: where the newest set says "fail", nothing more is looked at.
    if newest.is_some_and(|seal| seal.status == ChainStatus::Fail) {
        return Err(Reason::SealedAsFailed);
    }
    for (at, link) in links.iter().enumerate() {
        let seal = link.seal.as_ref().map_err(|error| Reason::Seal(at + 1, (*error).into()))?;
        // "The "cv" value for all ARC-Seal header fields is not "fail". For ARC Sets with instance values > 1, the values are "pass".
        // For the ARC Set with instance value = 1, the value is "none"."
        let expected = if at == 0 { ChainStatus::None } else { ChainStatus::Pass };
        if seal.status != expected {
            return Err(Reason::Status(at + 1));
        }
    }
    Ok(())
}

struct Check<'c, 'h> {
    fields: SignedFields<'h>,
    links: &'c [Link<'h>],
    bodies: &'c BodyHashes,
    names: Vec<Name>,
    keys: Vec<Result<Arc<KeySet>, dkim::Reason>>,
    now: u64,
}

impl Check<'_, '_> {
    /// RFC 8617 §5.2 steps 4 to 6; answers with the oldest instance whose message signature is right.
    fn chain(&self) -> Result<usize, Reason> {
        let newest = self.links.len();
        self.message(newest).map_err(|reason| Reason::Message(newest, reason))?;
        for instance in (1..=newest).rev() {
            self.seal(instance).map_err(|reason| Reason::Seal(instance, reason))?;
        }
        let changed = (1..newest).rev().find(|instance| self.message(*instance).is_err());
        Ok(changed.map_or(0, |instance| instance + 1))
    }

    fn message(&self, instance: usize) -> Result<(), dkim::Reason> {
        let link = &self.links[instance - 1];
        let (signature, body) = link.message.as_ref().map_err(|error| dkim::Reason::from(*error))?;
        let hash =
            self.fields.hash(&signature.names, signature.canon.0, &link.triple.message, &signature.signing.place);
        let header_intact = self.verifies(&signature.signing, &hash)?;
        let body = self.bodies.get(*body).ok_or(dkim::Reason::BodyHash { header_intact })?;
        match signature.body_length {
            Some(length) if length > body.length => return Err(dkim::Reason::BodyLengthBeyond),
            Some(length) if length < body.length => return Err(dkim::Reason::BodyPartlySigned),
            _ if body.digest() != signature.body_hash => return Err(dkim::Reason::BodyHash { header_intact }),
            _ => {}
        }
        if signature.expires_at.is_some_and(|expires| self.now > expires) {
            return Err(dkim::Reason::Expired);
        }
        if header_intact { Ok(()) } else { Err(dkim::Reason::Header) }
    }

    fn seal(&self, instance: usize) -> Result<(), dkim::Reason> {
        let seal = self.links[instance - 1].seal.as_ref().map_err(|error| dkim::Reason::from(*error))?;
        let triples: Vec<_> = self.links[..instance].iter().map(|link| link.triple).collect();
        let hash = seal_hash(&triples, &seal.signing.place);
        if self.verifies(&seal.signing, &hash)? { Ok(()) } else { Err(dkim::Reason::Header) }
    }

    /// Whether one of the keys at the signature's name made it.
    fn verifies(&self, signing: &Signing, hash: &Digest) -> Result<bool, dkim::Reason> {
        let name = key_name(&signing.selector, &signing.domain)?;
        let set = self.names.iter().position(|other| *other == name).and_then(|at| self.keys.get(at));
        let set = set.ok_or(dkim::Reason::Key(KeyError::NoRecord))?.as_ref().map_err(Clone::clone)?;
        let mut first = None;
        for key in set.keys() {
            let outcome = key.map_err(dkim::Reason::Key).and_then(|key| {
                if !key.allows_sha256() {
                    Err(dkim::Reason::KeyHash)
                } else if !key.allows_email() {
                    Err(dkim::Reason::KeyService)
                } else {
                    Ok(key.verifies(signing.algorithm, hash, &signing.signature))
                }
            });
            if matches!(outcome, Ok(true)) {
                return Ok(true);
            }
            first.get_or_insert(outcome);
        }
        first.unwrap_or(Ok(false))
    }
}

/// The hash that the seal of the last of these sets signs.
///
/// RFC 8617 §5.1.1: all sets "in increasing instance order", each as results, message signature, seal, in relaxed form; the last
/// seal without its signature and without a final line end.
pub(crate) fn seal_hash(triples: &[Triple<'_>], place: &std::ops::Range<usize>) -> Digest {
    let mut input = Vec::with_capacity(4 << 10);
    for (at, triple) in triples.iter().enumerate() {
        for field in [&triple.results, &triple.message] {
            Canon::Relaxed.field(field.raw, field.name, field.value, &mut input);
        }
        if at + 1 == triples.len() {
            write_own(&triple.seal, place, Canon::Relaxed, &mut input);
        } else {
            Canon::Relaxed.field(triple.seal.raw, triple.seal.name, triple.seal.value, &mut input);
        }
    }
    digest(&SHA256, &input)
}

/// Validates the chain of a message that is in memory. `body` is what [`message::split`] answers.
pub async fn validate<L: Lookup>(
    header: &Header<'_>,
    body: (message::Body, &[u8]),
    lookup: &L,
    now: u64,
) -> Validation {
    let mut bodies = BodyHasher::new();
    let validator = Validator::new(header, &mut bodies);
    let (mut stream, bytes) = body;
    stream.feed(bytes, |piece| bodies.feed(piece));
    stream.finish(|piece| bodies.feed(piece));
    validator.finish(&bodies.finish(), lookup, now).await
}
