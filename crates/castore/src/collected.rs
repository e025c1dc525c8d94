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
    /// Their compressed form, if it is written instead.
    pub packed: Option<Arc<[u8]>>,
    /// How long it took to make, in microseconds.
    pub cost: u32,
    /// It is in the queue.
    queued: bool,
}

impl Item {
    pub fn new(name: Name, contents: Digest, bytes: Arc<[u8]>) -> Item {
        Item { name, contents, bytes, packed: None, cost: 0, queued: true }
    }

    /// What is written.
    pub fn stored(&self) -> &[u8] {
        self.packed.as_deref().unwrap_or(&self.bytes)
    }
}

/// Entries in memory.
#[derive(Default, Debug)]
pub(crate) struct Collected {
    pub items: BTreeMap<Key, Item>,
    /// Those that are yet to be written, in the order in which they came.
    pub queue: VecDeque<Key>,
    /// Those that have been written. They are forgotten only when more is written, since what was
    /// made is likely to be used next.
    written: Vec<(Key, Digest)>,
}

impl Collected {
    pub fn add(&mut self, key: Key, item: Item) {
        let old = self.items.insert(key, item);
        if old.is_none_or(|old| !old.queued) {
            self.queue.push_back(key);
        }
    }

    /// Keeps an item that is never written.
    pub fn remember(&mut self, key: Key, item: Item) {
        self.items.insert(key, Item { queued: false, ..item });
    }

    /// The next entries to be written: at most so many, and no more than so many bytes of a
    /// segment unless one alone takes more. They stay here as well.
    pub fn take(&mut self, most: usize, bytes: u64) -> Vec<(Key, Item)> {
        let mut chunk = Vec::new();
        let mut sum = 0;
        while let Some(key) = self.queue.front()
            && let Some(item) = self.items.get_mut(key)
        {
            sum += total(item.bytes.len() as u64);
            if chunk.len() == most || sum > bytes && !chunk.is_empty() {
                break;
            }
            item.queued = false;
            chunk.push((*key, item.clone()));
            self.queue.pop_front();
        }
        chunk
    }

    /// Notes that these have been written.
    pub fn note_written(&mut self, chunk: &[(Key, Item)]) {
        self.written.extend(chunk.iter().map(|(key, item)| (*key, item.contents)));
    }

    /// Forgets what has been written, unless it was put anew with other contents.
    pub fn forget_written(&mut self) {
        for (key, contents) in std::mem::take(&mut self.written) {
            if self.items.get(&key).is_some_and(|now| !now.queued && now.contents == contents) {
                self.items.remove(&key);
            }
        }
    }
}
