//! The keys of signatures, from the DNS: each name asked for once, all of them at the same time.
//!
//! In: selectors and domains. Out: a [`KeySet`] each, parsed once for as long as the answer is cached, or why there is none.
//! RFC 6376 §3.6.2, §6.1.2.

use std::sync::Arc;

use dns::{Lookup, Name, RecordType, Response};
use message::Domain;

use crate::join;
use crate::key::{KeyError, KeySet};
use crate::verdict::Reason;

/// The name of a key.
///
/// # Errors
/// Where it is longer than names may be.
pub fn key_name(selector: &Domain, domain: &Domain) -> Result<Name, Reason> {
    // RFC 6376 §3.6.2.1: "All DKIM keys are stored in a subdomain named "_domainkey"."
    let labels = [selector.as_str().as_bytes(), b"_domainkey", domain.as_str().as_bytes()];
    Name::from_dotted_parts(&labels).map_err(|_| Reason::KeyName)
}

/// Fetches the keys at these names.
pub async fn keys<L: Lookup>(lookup: &L, names: &[Name]) -> Vec<Result<Arc<KeySet>, Reason>> {
    if let [name] = names {
        return vec![key_set(lookup.lookup(name, RecordType::Txt).await)];
    }
    let answers = join::all(names.iter().map(|name| lookup.lookup(name, RecordType::Txt))).await;
    answers.into_iter().map(key_set).collect()
}

fn key_set(answer: Response) -> Result<Arc<KeySet>, Reason> {
    match answer {
        Response::Found(records) => Ok(records.parsed(KeySet::read)),
        // RFC 6376 §6.1.2: "If the query for the public key fails because the corresponding key record does not exist, the Verifier
        // MUST … return PERMFAIL (no key for signature)."
        Response::NxDomain { .. } | Response::NoData { .. } => Err(Reason::Key(KeyError::NoRecord)),
        // §6.1.2: "If the query for the public key fails to respond, the Verifier MAY seek a later verification attempt by returning
        // TEMPFAIL (key unavailable)."
        Response::ServFail(why) => Err(Reason::KeyUnavailable((*why).into())),
        Response::Timeout => Err(Reason::KeyUnavailable("no answer in time".into())),
    }
}
