//! Which files beside the store may be used: an image says what the results of queries are, as
//! records do, so it must be the user's own. Where signatures are required, the digest of each file
//! is bound to its name in the store, where it is signed.

use crate::CacheSettings;
use camino::Utf8Path;
use castore::{Digest, Name};
use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

/// The files of a cache.
#[derive(Default)]
pub struct Vouched {
    /// `None`: there is no cache.
    cache: Option<Arc<castore::Store>>,
    /// `None`: signatures are not required.
    store: Option<Arc<castore::Store>>,
    /// There is a key to sign with.
    signs: bool,
    /// Files that were not used.
    refused: AtomicU64,
    warned: AtomicBool,
}

fn graph() -> Name {
    Name::new("graph").expect("invariant: a short name")
}

impl Vouched {
    /// Over the store of a cache.
    pub fn new(cache: Option<&CacheSettings>, store: Option<Arc<castore::Store>>) -> Vouched {
        let Some(cache) = cache.filter(|cache| cache.signatures_required()) else {
            return Vouched { cache: store, ..Vouched::default() };
        };
        let signatures = cache.signatures.as_ref();
        let signs = signatures.is_some_and(|signatures| signatures.pair.is_some());
        Vouched { cache: store.clone(), store, signs, ..Vouched::default() }
    }

    /// Whether a file may be used. What is not there may: nothing comes of it.
    pub fn accepts(&self, path: &Utf8Path) -> bool {
        if self.cache.as_ref().is_some_and(|cache| !cache.admits(path.as_std_path())) {
            return false;
        }
        let Some(store) = &self.store else { return true };
        let Ok(bytes) = fs::read(path) else { return true };
        let known = store.lookup(graph(), key(path));
        let accepted = known.is_some_and(|digests| digests == [Digest::of(&bytes)]);
        if !accepted {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        accepted
    }

    /// Whether the patch of an image may be used, as far as it fits. Nobody signs those: where signatures are
    /// required, images are written as a whole.
    pub fn accepts_patch(&self, image: &Utf8Path) -> bool {
        let patch = redgreen::patch_path(image.as_std_path());
        self.store.is_none() && self.cache.as_ref().is_none_or(|cache| cache.admits(&patch))
    }

    /// Signs files that have just been written.
    pub fn vouch(&self, paths: &[&Utf8Path]) {
        let Some(store) = self.store.as_ref().filter(|_| self.signs) else { return };
        for path in paths {
            if let Ok(bytes) = fs::read(path) {
                store.bind(graph(), key(path), &[Digest::of(&bytes)]);
            }
        }
        // A file that nobody vouches for costs the next process time.
        let _ = store.commit();
    }

    /// Says once that something was not used, or will not be.
    pub fn warn(&self) {
        let Some(store) = &self.store else { return };
        let unused = store.stats().untrusted + self.refused.load(Ordering::Relaxed);
        if (unused == 0 && self.signs) || self.warned.swap(true, Ordering::Relaxed) {
            return;
        }
        if unused > 0 {
            eprintln!(
                "warning: {unused} entries of the cache were not used: no trusted key has signed them"
            );
        }
        if !self.signs {
            eprintln!(
                "warning: nothing is kept in the cache: there is no key to sign it with; make one: cm cache key generate"
            );
        }
    }
}

/// Directories may be moved, names tell files apart.
fn key(path: &Utf8Path) -> &[u8] {
    path.file_name().unwrap_or_default().as_bytes()
}
