//! What was put and is not written yet, or could not be.

use crate::{Digest, Name, index::Kind, segment::total};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

pub(crate) type Key = (Kind, Digest);

/// An entry in memory.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub name: Name,
    /// The digest of the bytes.
    pub contents: Digest,
    pub bytes: Arc<[u8]>,
}

/// Entries in memory.
#[derive(Default, Debug)]
pub(crate) struct Collected {
    pub items: BTreeMap<Key, Item>,
    /// Those that are yet to be written, in the order in which they came.
    pub queue: VecDeque<Key>,
}

impl Collected {
    pub fn add(&mut self, key: Key, item: Item) {
        let old = self.items.insert(key, item.clone());
        if old.is_none_or(|old| old.contents != item.contents) {
            self.queue.push_back(key);
        }
    }

    /// The next entries to be written: at most so many, and no more than so many bytes of a
    /// segment unless one alone takes more. They stay here as well.
    pub fn take(&mut self, most: usize, bytes: u64) -> Vec<(Key, Item)> {
        let mut chunk = Vec::new();
        let mut sum = 0;
        while let Some(key) = self.queue.front()
            && let Some(item) = self.items.get(key)
        {
            sum += total(item.bytes.len() as u64);
            if chunk.len() == most || sum > bytes && !chunk.is_empty() {
                break;
            }
            chunk.push((*key, item.clone()));
            self.queue.pop_front();
        }
        chunk
    }

    /// Forgets what has been written, unless it was put anew with other contents.
    pub fn forget(&mut self, written: &[(Key, Item)]) {
        for (key, item) in written {
            if self.items.get(key).is_some_and(|now| now.contents == item.contents) {
                self.items.remove(key);
            }
        }
    }
}
