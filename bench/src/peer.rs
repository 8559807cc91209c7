//! mail-auth, which finds every record it needs parsed in its cache and never asks anybody.
//!
//! In: names and what mail-auth makes of their records. Out: its authenticator with a cache in memory. One thread only.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::Instant;

use mail_auth::{MessageAuthenticator, ResolverCache, Txt};

/// mail-auth and its cache.
pub struct Peer {
    /// Never asked for what is in the cache.
    pub authenticator: MessageAuthenticator,
    /// The records.
    pub cache: Cache,
}

/// TXT records by name.
pub struct Cache(RefCell<HashMap<Box<str>, Txt>>);

impl ResolverCache<Box<str>, Txt> for Cache {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.borrow().get(name).cloned()
    }

    fn remove<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.borrow_mut().remove(name)
    }

    fn insert(&self, key: Box<str>, value: Txt, _: Instant) {
        self.0.borrow_mut().insert(key, value);
    }
}

impl Peer {
    /// With these records, by names without the final dot.
    pub fn new(records: impl IntoIterator<Item = (String, Txt)>) -> Self {
        let cache = records.into_iter().map(|(name, record)| (format!("{name}.").into(), record)).collect();
        let authenticator = MessageAuthenticator::new_cloudflare().expect("a resolver that is never asked");
        Self { authenticator, cache: Cache(RefCell::new(cache)) }
    }
}
