//! Results that are kept in a store outside the image.

use crate::{Db, graph::Cause};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};
use xxhash_rust::xxh3::xxh3_128_with_seed;

/// What a store finds bytes by.
pub type Digest = [u8; 32];

/// Where stored results are: a map from digests to bytes that may lose anything at any time.
pub trait Store: Send + Sync {
    /// Keeps the bytes, if it can, and returns their digest either way.
    fn put(&self, bytes: &[u8]) -> Digest;
    /// The bytes of a digest, verified; `None` if they are gone or damaged.
    fn get(&self, digest: &Digest) -> Option<Arc<[u8]>>;
}

/// A store in memory, for tests and for building without a cache.
#[derive(Default)]
pub struct MemoryStore(Mutex<FxHashMap<Digest, Arc<[u8]>>>);

impl MemoryStore {
    /// Forgets some bytes; tests use it to see builds heal.
    pub fn remove(&self, digest: &Digest) {
        self.0.lock().remove(digest);
    }
    /// All digests, sorted.
    pub fn digests(&self) -> Vec<Digest> {
        let mut digests: Vec<Digest> = self.0.lock().keys().copied().collect();
        digests.sort_unstable();
        digests
    }
}

impl Store for MemoryStore {
    fn put(&self, bytes: &[u8]) -> Digest {
        let mut digest = [0; 32];
        for (seed, half) in digest.as_chunks_mut::<16>().0.iter_mut().enumerate() {
            *half = xxh3_128_with_seed(bytes, seed as u64).to_le_bytes();
        }
        self.0.lock().entry(digest).or_insert_with(|| bytes.into());
        digest
    }
    fn get(&self, digest: &Digest) -> Option<Arc<[u8]>> {
        self.0.lock().get(digest).cloned()
    }
}

/// The result of a `stored` query: bytes in the store. The graph holds the digest; the bytes are
/// read when somebody asks for them, and not before.
#[derive(Clone, Debug)]
pub struct Blob(Contents);

#[derive(Clone, Debug)]
enum Contents {
    /// Made by a query that has not returned yet.
    Unsealed(Arc<[u8]>),
    /// Computed by this process: the bytes are at hand even if the store could not keep them.
    Fresh(Digest, Arc<[u8]>),
    /// Vouched for by the graph.
    Stored(Digest),
}

impl Blob {
    /// A result to be stored; only for a `stored` query to return.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Blob {
        Blob(Contents::Unsealed(bytes.into()))
    }
    /// A result that the query itself has put into the store of the database, under this digest.
    pub fn kept(digest: Digest, bytes: impl Into<Arc<[u8]>>) -> Blob {
        Blob(Contents::Fresh(digest, bytes.into()))
    }
    /// The bytes. If the store has lost them this does not return: it unwinds to
    /// [`Database::attempt`](crate::Database::attempt), which has the query run again.
    pub fn bytes(&self, db: &dyn Db) -> Arc<[u8]> {
        match &self.0 {
            Contents::Unsealed(bytes) | Contents::Fresh(_, bytes) => bytes.clone(),
            Contents::Stored(digest) => {
                let found = db.graph().store().get(digest);
                found.unwrap_or_else(|| db.graph().interrupt(Cause::Lost(*digest)))
            }
        }
    }
    /// The digest in the store; `None` before the query has returned.
    pub fn digest(&self) -> Option<Digest> {
        match &self.0 {
            Contents::Unsealed(_) => None,
            Contents::Fresh(digest, _) | Contents::Stored(digest) => Some(*digest),
        }
    }

    pub(crate) fn seal(self, store: &dyn Store) -> (Blob, Digest) {
        match self.0 {
            Contents::Unsealed(bytes) => {
                let digest = store.put(&bytes);
                (Blob(Contents::Fresh(digest, bytes)), digest)
            }
            Contents::Fresh(digest, _) | Contents::Stored(digest) => (self, digest),
        }
    }
    pub(crate) fn load(bytes: &[u8]) -> Option<Blob> {
        Some(Blob(Contents::Stored(bytes.try_into().ok()?)))
    }
}

impl PartialEq for Blob {
    /// By digest; by bytes before there is one.
    fn eq(&self, other: &Blob) -> bool {
        match (&self.0, &other.0) {
            (Contents::Unsealed(a), Contents::Unsealed(b)) => a == b,
            _ => self.digest() == other.digest(),
        }
    }
}
impl Eq for Blob {}
impl Hash for Blob {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            Contents::Unsealed(bytes) => bytes.hash(state),
            Contents::Fresh(digest, _) | Contents::Stored(digest) => digest.hash(state),
        }
    }
}
