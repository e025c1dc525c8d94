//! castore as the store of redgreen.

use castore::Digest;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A store on disk. What it cannot keep stays in memory while this process runs: the next one
/// finds it gone, and computes it again.
pub struct Durable {
    store: Arc<castore::Store>,
    kept: Mutex<FxHashMap<Digest, Arc<[u8]>>>,
}

impl Durable {
    /// Wraps a store.
    pub fn new(store: Arc<castore::Store>) -> Durable {
        Durable { store, kept: Mutex::default() }
    }
}

impl redgreen::Store for Durable {
    fn put(&self, bytes: &[u8]) -> redgreen::Digest {
        let digest = self.store.put(bytes).unwrap_or_else(|_| {
            // Digests are in the image, so they must not tell where bytes are kept.
            let digest = Digest::of(bytes);
            self.kept.lock().entry(digest).or_insert_with(|| bytes.into());
            digest
        });
        digest.0
    }
    fn get(&self, digest: &redgreen::Digest) -> Option<Arc<[u8]>> {
        let digest = Digest(*digest);
        let kept = || self.kept.lock().get(&digest).cloned();
        self.store.get(&digest).map(Into::into).or_else(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redgreen::Store;

    #[test]
    fn what_cannot_be_written_has_the_same_digest() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("file");
        std::fs::write(&file, "a file in place of the directory").expect("written");
        let unwritable = Durable::new(Arc::new(castore::Store::open(file)));
        let digest = unwritable.put(b"bytes");
        assert_eq!(digest, Digest::of(b"bytes").0);
        assert_eq!(unwritable.get(&digest).as_deref(), Some(&b"bytes"[..]));
        assert_eq!(unwritable.get(&[0; 32]), None);
        let writable = Durable::new(Arc::new(castore::Store::open(dir.path().join("cache"))));
        assert_eq!(writable.put(b"bytes"), digest);
    }
}
