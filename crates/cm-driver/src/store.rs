//! castore as the store of redgreen.

use castore::Digest;
use std::sync::Arc;

/// A store on disk. What it cannot keep, it forgets: the graph computes it again.
pub struct Durable {
    store: Arc<castore::Store>,
    /// Bytes that could not be written; this process still needs them.
    kept: redgreen::MemoryStore,
}

impl Durable {
    /// Wraps a store.
    pub fn new(store: Arc<castore::Store>) -> Durable {
        Durable { store, kept: redgreen::MemoryStore::default() }
    }
}

impl redgreen::Store for Durable {
    fn put(&self, bytes: &[u8]) -> redgreen::Digest {
        match self.store.put(bytes) {
            Ok(digest) => digest.0,
            Err(_) => self.kept.put(bytes),
        }
    }
    fn get(&self, digest: &redgreen::Digest) -> Option<Arc<[u8]>> {
        match self.store.get(&Digest(*digest)) {
            Some(bytes) => Some(bytes.into()),
            None => self.kept.get(digest),
        }
    }
}
