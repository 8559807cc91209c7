//! The hashes of a body, all that are asked for in one pass: signatures that want the same form and length share one.
//!
//! In: requests, then the body in pieces, lines ending in CRLF. Out: a hash for each request, and how long the canonical body was.
//! RFC 6376 §3.7, §5.4: `bh=`, `l=`.

use aws_lc_rs::digest::{Context, Digest, SHA256};

use crate::canon::{BodyCanon, Canon};

/// A body on its way to its hashes.
#[derive(Default)]
pub struct BodyHasher {
    /// The canonical forms that are asked for.
    forms: [Option<BodyCanon>; 2],
    hashes: Vec<Counted>,
}

/// The hash over the beginning of a canonical form.
struct Counted {
    canon: Canon,
    context: Context,
    /// `l=`: bytes of the canonical body that are hashed.
    limit: Option<u64>,
    seen: u64,
}

/// Which hash was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyHashId(usize);

/// The hash of a body.
#[derive(Debug, Clone, Copy)]
pub struct BodyHash {
    digest: Digest,
    /// Bytes of the whole canonical body, also where fewer were hashed.
    pub length: u64,
}

impl BodyHash {
    /// SHA-256.
    #[must_use]
    pub fn digest(&self) -> &[u8] {
        self.digest.as_ref()
    }
}

/// All hashes of a body.
#[derive(Debug, Clone, Default)]
pub struct BodyHashes {
    hashes: Vec<BodyHash>,
}

impl BodyHasher {
    /// Nothing asked for yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for the hash of the body in one form, whole or its first `limit` bytes. To be called before the body is fed.
    pub fn request(&mut self, canon: Canon, limit: Option<u64>) -> BodyHashId {
        let same = |hash: &Counted| hash.canon == canon && hash.limit == limit;
        let at = self.hashes.iter().position(same).unwrap_or_else(|| {
            self.forms[canon as usize].get_or_insert_with(|| BodyCanon::new(canon));
            // Nearly every message has one.
            self.hashes.reserve_exact(1);
            self.hashes.push(Counted { canon, context: Context::new(&SHA256), limit, seen: 0 });
            self.hashes.len() - 1
        });
        BodyHashId(at)
    }

    /// Takes the next piece of the body.
    pub fn feed(&mut self, piece: &[u8]) {
        let Self { forms, hashes } = self;
        for form in forms.iter_mut().flatten() {
            let canon = form.canon();
            form.feed(piece, |bytes| update(hashes, canon, bytes));
        }
    }

    /// The body has ended.
    #[must_use]
    pub fn finish(self) -> BodyHashes {
        let Self { forms, mut hashes } = self;
        for form in forms.into_iter().flatten() {
            let canon = form.canon();
            form.finish(|bytes| update(&mut hashes, canon, bytes));
        }
        // The memory of the requests is too large to be kept for the results.
        let mut finished = Vec::with_capacity(hashes.len());
        finished.extend(hashes.into_iter().map(|hash| BodyHash { digest: hash.context.finish(), length: hash.seen }));
        BodyHashes { hashes: finished }
    }
}

/// Takes the next bytes of a canonical form.
fn update(hashes: &mut [Counted], canon: Canon, bytes: &[u8]) {
    hashes.iter_mut().filter(|hash| hash.canon == canon).for_each(|hash| hash.update(bytes));
}

impl Counted {
    fn update(&mut self, bytes: &[u8]) {
        let length = bytes.len() as u64;
        let left = self.limit.map_or(length, |limit| limit.saturating_sub(self.seen).min(length));
        // At most the length of the slice.
        self.context.update(&bytes[..usize::try_from(left).unwrap_or(bytes.len())]);
        self.seen += length;
    }
}

impl BodyHashes {
    /// The hash that was asked for by this request of the same hasher; nothing for one of another.
    #[must_use]
    pub fn get(&self, id: BodyHashId) -> Option<&BodyHash> {
        self.hashes.get(id.0)
    }
}
