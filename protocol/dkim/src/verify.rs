//! Verification of all signatures of a message.
//!
//! In: the header, the hashes of the body, the DNS, the time. Out: a [`Verdict`] for each DKIM-Signature field, in their order. The
//! verifier says which body hashes it needs before the body comes, so that the body may stream past. RFC 6376 §6.1.

use authres::ResultWord;
use dns::{Lookup, Name};
use message::{Domain, Field, Header};

use crate::body::{BodyHashId, BodyHasher, BodyHashes};
use crate::fetch::{key_name, keys};
use crate::input::SignedFields;
use crate::key::{Key, KeyKind, KeySet};
use crate::signature::{Algorithm, Signature};
use crate::tags::TagList;
use crate::verdict::{Flag, Reason, Verdict};

/// How much is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Signatures whose key is fetched. Lists and forwarders add some; ten of them is more than honest mail has, and each costs the
    /// DNS a query and the processor a public-key operation.
    pub signatures: usize,
    /// DKIM-Signature fields that get a verdict at all; each costs a parse and memory.
    pub fields: usize,
    /// Seconds that `t=` may lie in the future, because clocks differ.
    pub skew_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { signatures: 10, fields: 100, skew_seconds: 300 }
    }
}

/// The signatures of one message, waiting for its body.
pub struct Verifier<'h> {
    fields: SignedFields<'h>,
    candidates: Vec<Candidate<'h>>,
    limits: Limits,
}

struct Candidate<'h> {
    index: usize,
    field: Field<'h>,
    parsed: Result<Ready, Box<Verdict>>,
}

/// A signature that is worth a query.
struct Ready {
    signature: Signature,
    key_name: Name,
    body: BodyHashId,
}

impl<'h> Verifier<'h> {
    /// Reads the signatures of a header, and asks `bodies` for the hashes they need.
    #[must_use]
    pub fn new(header: &'h Header<'h>, limits: Limits, bodies: &mut BodyHasher) -> Self {
        let fields = header.numbered("dkim-signature");
        let mut ready = 0;
        // Room for one: most messages have no more.
        let mut candidates = Vec::with_capacity(1);
        for (index, field) in fields.take(limits.fields) {
            let parsed = read(index, &field, ready < limits.signatures, bodies);
            ready += usize::from(parsed.is_ok());
            candidates.push(Candidate { index, field, parsed });
        }
        Self { fields: SignedFields::new(header), candidates, limits }
    }

    /// The verdicts, in the order of the fields. `now` is in seconds since 1970.
    pub async fn finish<L: Lookup>(self, bodies: &BodyHashes, lookup: &L, now: u64) -> Vec<Verdict> {
        let mut names: Vec<Name> = Vec::new();
        for ready in self.candidates.iter().filter_map(|candidate| candidate.parsed.as_ref().ok()) {
            if !names.contains(&ready.key_name) {
                names.push(ready.key_name.clone());
            }
        }
        let sets = keys(lookup, &names).await;
        let Self { fields, candidates, limits } = self;
        let judge = |candidate: Candidate<'_>| match candidate.parsed {
            Err(verdict) => *verdict,
            Ok(ready) => {
                let set = names.iter().position(|name| *name == ready.key_name).and_then(|at| sets.get(at));
                let check = Check { fields: &fields, field: candidate.field, bodies, now, limits };
                check.verdict(candidate.index, ready, set)
            }
        };
        candidates.into_iter().map(judge).collect()
    }
}

fn read(index: usize, field: &Field<'_>, within_limit: bool, bodies: &mut BodyHasher) -> Result<Ready, Box<Verdict>> {
    let unread = |reason, signature| Box::new(Verdict::unread(index, reason, signature));
    let signature = Signature::parse(field.value).map_err(|error| {
        let mut verdict = unread(error.into(), None);
        let domain = TagList::parse(field.value).ok().and_then(|tags| Domain::parse(tags.get("d")?).ok());
        verdict.claimed_domain = domain;
        verdict
    })?;
    if !within_limit {
        return Err(unread(Reason::Limit, Some(signature)));
    }
    let key_name = match key_name(&signature.selector, &signature.domain) {
        Ok(name) => name,
        Err(reason) => return Err(unread(reason, Some(signature))),
    };
    let body = bodies.request(signature.body_canon, signature.body_length);
    Ok(Ready { signature, key_name, body })
}

/// Everything that one signature is checked against.
struct Check<'c, 'h> {
    fields: &'c SignedFields<'h>,
    field: Field<'c>,
    bodies: &'c BodyHashes,
    now: u64,
    limits: Limits,
}

impl Check<'_, '_> {
    fn verdict(&self, index: usize, ready: Ready, set: Option<&Result<std::sync::Arc<KeySet>, Reason>>) -> Verdict {
        let signature = ready.signature;
        let (mut flags, mut key_bits) = (self.flags(&signature), None);
        let mut outcome = Err(Reason::Header);
        match set {
            Some(Ok(set)) => {
                for (tried, key) in set.keys().enumerate() {
                    let found = key
                        .map_err(Reason::Key)
                        .and_then(|key| self.with_key(&signature, ready.body, key).map(|()| key));
                    if found.is_ok() || tried == 0 {
                        let key = key.ok();
                        key_bits = key.map(Key::bits);
                        flags.retain(|flag| !matches!(flag, Flag::Testing | Flag::WeakKey));
                        flags.extend(key.filter(|key| key.is_testing()).map(|_| Flag::Testing));
                        flags.extend(key.filter(|key| key.is_weak()).map(|_| Flag::WeakKey));
                        outcome = found.map(|_| ());
                    }
                    if outcome.is_ok() {
                        break;
                    }
                }
            }
            Some(Err(reason)) => outcome = Err(reason.clone()),
            None => {}
        }
        // A body that was changed is changed, whether or not the key can be had.
        if let Err(Reason::KeyUnavailable(_)) = outcome {
            outcome = self.body(&signature, ready.body).and(outcome);
        }
        let reason = outcome.and_then(|()| self.acceptable(&signature, ready.body)).err();
        let age = signature
            .signed_at
            .map(|signed| i64::try_from(self.now).unwrap_or(i64::MAX).saturating_sub_unsigned(signed));
        flags.sort_unstable();
        Verdict {
            field: index,
            signature: Some(signature),
            claimed_domain: None,
            result: reason.as_ref().map_or(ResultWord::Pass, Reason::result),
            reason,
            key_bits,
            flags,
            age,
        }
    }

    fn flags(&self, signature: &Signature) -> Vec<Flag> {
        let names = &signature.signed_names;
        let repetitions = self.fields.unsigned_repetitions(names);
        let mut flags: Vec<_> = repetitions.into_iter().map(Flag::UnsignedRepetition).collect();
        flags.extend(signature.body_length.map(|_| Flag::BodyLength));
        let content_type = b"content-type".as_slice();
        if !names.contains(content_type) && self.fields.count(content_type) > 0 {
            flags.push(Flag::ContentTypeUnsigned);
        }
        flags
    }

    /// RFC 6376 §6.1.2, §6.1.3.
    fn with_key(&self, signature: &Signature, body: BodyHashId, key: &Key) -> Result<(), Reason> {
        let kind = match signature.algorithm {
            Algorithm::RsaSha256 => KeyKind::Rsa,
            Algorithm::Ed25519Sha256 => KeyKind::Ed25519,
        };
        if key.kind() != kind {
            return Err(Reason::KeyKind);
        }
        if !key.allows_sha256() {
            return Err(Reason::KeyHash);
        }
        if !key.allows_email() {
            return Err(Reason::KeyService);
        }
        // RFC 6376 §3.6.1, t=s: "the "i=" domain MUST NOT be a subdomain of "d="".
        if key.is_for_exact_domain() && signature.identity.1 != signature.domain {
            return Err(Reason::KeyExactDomain);
        }
        let hash =
            self.fields.hash(&signature.signed_names, signature.header_canon, &self.field, &signature.signature_place);
        let header_intact = key.verifies(signature.algorithm, &hash, &signature.signature);
        match self.body(signature, body) {
            Err(Reason::BodyHash { .. }) => Err(Reason::BodyHash { header_intact }),
            Err(other) => Err(other),
            Ok(()) if header_intact => Ok(()),
            Ok(()) => Err(Reason::Header),
        }
    }

    fn body(&self, signature: &Signature, body: BodyHashId) -> Result<(), Reason> {
        let Some(hash) = self.bodies.get(body) else { return Err(Reason::BodyHash { header_intact: false }) };
        // RFC 6376 §3.5: "l= … This value MUST NOT be larger than the actual number of octets in the canonicalized message body."
        if signature.body_length.is_some_and(|length| length > hash.length) {
            return Err(Reason::BodyLengthBeyond);
        }
        if hash.digest() == signature.body_hash { Ok(()) } else { Err(Reason::BodyHash { header_intact: false }) }
    }

    /// What is right, and still not taken.
    fn acceptable(&self, signature: &Signature, body: BodyHashId) -> Result<(), Reason> {
        // RFC 6376 §3.5, x=: "Signatures MAY be considered invalid if the verification time at the Verifier is past the expiration
        // date." They are.
        if signature.expires_at.is_some_and(|expires| self.now > expires) {
            return Err(Reason::Expired);
        }
        if signature.signed_at.is_some_and(|signed| signed > self.now.saturating_add(self.limits.skew_seconds)) {
            return Err(Reason::InFuture);
        }
        // RFC 6376 §8.2 tells of what can be done with content after l=; nothing of it is authenticated.
        let length = self.bodies.get(body).map_or(0, |hash| hash.length);
        if signature.body_length.is_some_and(|signed| signed < length) {
            return Err(Reason::BodyPartlySigned);
        }
        Ok(())
    }
}

/// Verifies a message that is in memory. `body` is what [`message::split`] answers.
pub async fn verify<L: Lookup>(
    header: &Header<'_>,
    body: (message::Body, &[u8]),
    lookup: &L,
    now: u64,
    limits: Limits,
) -> Vec<Verdict> {
    let mut bodies = BodyHasher::new();
    let verifier = Verifier::new(header, limits, &mut bodies);
    let (mut stream, bytes) = body;
    stream.feed(bytes, |piece| bodies.feed(piece));
    stream.finish(|piece| bodies.feed(piece));
    verifier.finish(&bodies.finish(), lookup, now).await
}
