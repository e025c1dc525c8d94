//! castore as the store of redgreen, and what is written to it while other work goes on.

use castore::{Digest, Name};
use parking_lot::Mutex;
use std::sync::Arc;

/// A store on disk. What it cannot keep stays in memory while this process runs: the next one
/// finds it gone, and computes it again.
pub struct Durable(Arc<castore::Store>);

impl Durable {
    /// Wraps a store.
    pub fn new(store: Arc<castore::Store>) -> Durable {
        Durable(store)
    }
}

impl redgreen::Store for Durable {
    fn put(&self, bytes: &[u8]) -> redgreen::Digest {
        self.0.put(Name::OTHER, bytes).0
    }
    fn get(&self, digest: &redgreen::Digest) -> Option<Arc<[u8]>> {
        self.0.get(&Digest(*digest))
    }
}

/// Writes what was put into a store while other work goes on.
#[derive(Default)]
pub struct Writer(Arc<Mutex<Option<castore::Error>>>);

/// Less than this is written faster than another thread is woken.
const MUCH: u64 = 1 << 18;

impl Writer {
    /// Begins to write what was put so far, if that takes time.
    pub fn begin(&self, store: &Arc<castore::Store>) {
        if store.collected_bytes() >= MUCH {
            let (store, failure) = (store.clone(), self.0.clone());
            // A thread of the pool has memory at hand; a new one would have to get its own.
            rayon::spawn(move || {
                // Held meanwhile, so that `finish` sees how it ended.
                let mut failure = failure.lock();
                *failure = store.commit().err();
            });
        }
    }

    /// Writes the rest, when what was begun is written.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn finish(&self, store: &castore::Store) -> Result<(), castore::Error> {
        let rest = store.commit();
        self.0.lock().take().map_or(rest, Err)
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
        let store = Arc::new(castore::Store::open(dir.path().join("cache")));
        let writable = Durable::new(store.clone());
        assert_eq!(writable.put(b"bytes"), digest);
        let much = vec![7; MUCH as usize];
        let large = writable.put(&much);
        let writer = Writer::default();
        writer.begin(&store);
        let last = writable.put(b"last");
        writer.finish(&store).expect("written");
        let reopened = castore::Store::open(store.root());
        for digest in [digest, large, last] {
            assert!(reopened.get(&Digest(digest)).is_some());
        }
        assert!(Writer::default().finish(&unwritable.0).is_err());
    }
}
