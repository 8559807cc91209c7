//! Sealing: a set of our own on top of whatever chain there is (RFC 8617 §5.1).
//!
//! In: the header, what came of its chain, our results, the hashes of the body, the time. Out: three fields to be put on top of the
//! message together. A chain that was sealed as failed gets no more sets; one that fails here is sealed as failed.

use authres::{ResultWord, Results};
use dkim::{
    BodyHashId, BodyHasher, BodyHashes, Canon, FieldNames, SignedFields, SigningKey, SigningKeyError, folded_base64,
    folded_names, to_base64,
};
use message::{Domain, Field, Header};

use crate::set::{ChainStatus, SETS_MAX, Triple, highest_instance, triples};
use crate::validate::{Reason, Validation, seal_hash};

/// Fields that the message signature covers where they are there. Not Authentication-Results, which the next server removes.
const SIGNED: [&str; 12] = [
    "from",
    "to",
    "cc",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
    "dkim-signature",
];

/// With what, and as whom, chains are sealed.
#[derive(Debug)]
pub struct Sealer {
    /// `d=`.
    pub domain: Domain,
    /// `s=`.
    pub selector: Domain,
    /// The key; the algorithm follows from it.
    pub key: SigningKey,
    /// Names of fields to be signed as often as they are there, in lower case and in this order.
    pub signed: FieldNames,
}

/// The fields of a new set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Its instance.
    pub instance: usize,
    /// ARC-Seal, ARC-Message-Signature, ARC-Authentication-Results, in the order in which they go on top, each with its final CRLF.
    pub fields: [String; 3],
}

/// Why no set was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The chain was sealed as failed.
    #[error("the chain was sealed as failed already; no more sets may be added (RFC 8617 §5.1)")]
    AlreadyFailed,
    /// 50 sets.
    #[error("the chain has {SETS_MAX} sets already")]
    Full,
    /// The body hash of another request, or none.
    #[error("the body was not hashed for this seal")]
    NoBodyHash,
    /// The key did not sign.
    #[error(transparent)]
    Key(#[from] SigningKeyError),
}

/// A set that waits for the body.
#[derive(Debug)]
pub struct Sealing<'s, 'h> {
    sealer: &'s Sealer,
    fields: SignedFields<'h>,
    names: FieldNames,
    body: BodyHashId,
}

impl Sealer {
    /// A sealer that signs what a recipient sees.
    #[must_use]
    pub fn new(domain: Domain, selector: Domain, key: SigningKey) -> Self {
        Self { domain, selector, key, signed: SIGNED.into_iter().collect() }
    }

    /// Begins to seal a message: asks `bodies` for the hash it needs.
    #[must_use]
    pub fn begin<'s, 'h>(&'s self, header: &'h Header<'h>, bodies: &mut BodyHasher) -> Sealing<'s, 'h> {
        let fields = SignedFields::new(header);
        let mut names = FieldNames::default();
        for name in self.signed.iter() {
            names.push(name, fields.count(name));
        }
        Sealing { sealer: self, fields, names, body: bodies.request(Canon::Relaxed, None) }
    }
}

/// A field that is being written, and where its signature goes.
struct Draft {
    name: &'static str,
    before: String,
    after: String,
}

impl Draft {
    fn text(&self, signature: &str) -> String {
        format!("{}: {}{signature}{}\r\n", self.name, self.before, self.after)
    }

    fn place(&self) -> std::ops::Range<usize> {
        let at = 1 + self.before.len();
        at..at
    }
}

fn field<'f>(name: &'static str, text: &'f str) -> Field<'f> {
    Field { name: name.as_bytes(), value: &text.as_bytes()[name.len() + 1..], raw: text.as_bytes(), at: 0 }
}

const RESULTS: &str = "ARC-Authentication-Results";
const MESSAGE: &str = "ARC-Message-Signature";
const SEAL: &str = "ARC-Seal";

impl Sealing<'_, '_> {
    /// The new set. `chain` is what came of the chain of the same message, `results` what we found of it, with our identifier.
    ///
    /// # Errors
    /// Where no set may be added, or the key does not sign.
    pub fn finish(
        &self,
        chain: &Validation,
        results: &Results,
        bodies: &BodyHashes,
        now: u64,
    ) -> Result<Sealed, SealError> {
        let status = match (chain.result, &chain.reason) {
            // RFC 8617 §5.1: a chain that was sealed as failed gets no more sets.
            (_, Some(Reason::SealedAsFailed)) => return Err(SealError::AlreadyFailed),
            (ResultWord::None, _) => ChainStatus::None,
            (ResultWord::Pass, _) => ChainStatus::Pass,
            _ => ChainStatus::Fail,
        };
        let instance = highest_instance(self.fields.header()) + 1;
        if instance > SETS_MAX {
            return Err(SealError::Full);
        }
        let results = format!("{RESULTS}: i={instance}; {}\r\n", results.value(RESULTS.len() + 8));
        let message = self.message(instance, bodies, now)?;
        let seal = self.seal(instance, status, now, &results, &message)?;
        Ok(Sealed { instance, fields: [seal, message, results] })
    }

    fn message(&self, instance: usize, bodies: &BodyHashes, now: u64) -> Result<String, SealError> {
        let Sealer { domain, selector, key, .. } = self.sealer;
        let body = bodies.get(self.body).ok_or(SealError::NoBodyHash)?;
        // A space before `i=`, though a line begins there: dkimpy, with which mailing lists validate, looks for it.
        let draft = Draft {
            name: MESSAGE,
            before: format!("a={};\r\n\tb=", key.algorithm().as_str()),
            after: format!(
                ";\r\n\tbh={}; c=relaxed/relaxed;\r\n\td={domain}; h={};\r\n\t i={instance}; s={selector}; t={now}",
                to_base64(body.digest()),
                folded_names(&self.names),
            ),
        };
        let unsigned = draft.text("");
        let hash = self.fields.hash(&self.names, Canon::Relaxed, &field(MESSAGE, &unsigned), &draft.place());
        Ok(draft.text(&folded_base64(&key.sign(&hash)?)))
    }

    fn seal(
        &self,
        instance: usize,
        status: ChainStatus,
        now: u64,
        results: &str,
        message: &str,
    ) -> Result<String, SealError> {
        let Sealer { domain, selector, key, .. } = self.sealer;
        let draft = Draft {
            name: SEAL,
            before: format!("a={};\r\n\tb=", key.algorithm().as_str()),
            after: format!(";\r\n\tcv={}; d={domain}; i={instance}; s={selector};\r\n\tt={now}", status.as_str()),
        };
        let unsigned = draft.text("");
        let own =
            Triple { results: field(RESULTS, results), message: field(MESSAGE, message), seal: field(SEAL, &unsigned) };
        // RFC 8617 §5.1.2: a seal with cv=fail covers only its own set, as the others may be out of order.
        let mut sets =
            if status == ChainStatus::Fail { Vec::new() } else { triples(self.fields.header()).unwrap_or_default() };
        sets.push(own);
        let hash = seal_hash(&sets, &draft.place());
        Ok(draft.text(&folded_base64(&key.sign(&hash)?)))
    }
}
