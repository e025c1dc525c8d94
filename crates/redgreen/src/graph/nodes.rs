//! The numbering of nodes: those of the image first, then the others as they come.

use super::Graph;
use crate::{
    Key, Node, Provider, Query, QueryId,
    image::{key_hash, node_hash},
    paged::Paged,
};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::{
    cell::RefCell,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

const SHARDS: usize = 64;

/// The nodes that the image does not have. They are never removed; a resident process gets rid of
/// those it no longer needs by opening anew.
pub(super) struct NewNodes {
    base: u32,
    next: AtomicU32,
    /// Hash to number. Equal hashes of different keys sit at the next free hashes.
    shards: [Mutex<FxHashMap<u64, u32>>; SHARDS],
    names: Paged<OnceLock<(u16, Box<[u8]>)>>,
}

impl NewNodes {
    pub fn new(base: u32) -> NewNodes {
        NewNodes {
            base,
            next: AtomicU32::new(base),
            shards: std::array::from_fn(|_| Mutex::default()),
            names: Paged::default(),
        }
    }
    fn name(&self, node: u32) -> (u16, &[u8]) {
        let name = self.names.get(node - self.base).get();
        let (kind, key) = name.expect("invariant: a number is given out after its name is set");
        (*kind, key)
    }
    fn shard(&self, hash: u64) -> &Mutex<FxHashMap<u64, u32>> {
        &self.shards[(hash >> 32) as usize % SHARDS]
    }
    fn find_or_add(&self, hash: u64, kind: u16, key: &[u8], add: bool) -> Option<u32> {
        let mut shard = self.shard(hash).lock();
        let mut at = hash;
        while let Some(&node) = shard.get(&at) {
            if self.name(node) == (kind, key) {
                return Some(node);
            }
            at = at.wrapping_add(1);
        }
        if !add {
            return None;
        }
        let node = self.next.fetch_add(1, Relaxed);
        self.names.get(node - self.base).get_or_init(|| (kind, key.into()));
        shard.insert(at, node);
        Some(node)
    }
}

impl Graph {
    /// The number of a node, given out if it has none yet.
    pub(super) fn node<Q: Provider>(&self, key: &Q::Key) -> u32 {
        thread_local! { static BUFFER: RefCell<Vec<u8>> = RefCell::default(); }
        let kind = self.registry.number(Q::ID);
        let kind = kind.unwrap_or_else(|| panic!("`{}` is not in the registry", Q::NAME));
        BUFFER.with(|buffer| {
            let mut bytes = buffer.take();
            bytes.clear();
            key.encode(&mut bytes);
            let node = self.number(kind, &bytes);
            buffer.replace(bytes);
            node
        })
    }
    fn number(&self, kind: u16, key: &[u8]) -> u32 {
        let hash = node_hash(kind, key_hash(key));
        let old = self.image.as_ref().and_then(|image| image.find(hash, kind, key));
        old.or_else(|| self.new_nodes.find_or_add(hash, kind, key, true))
            .expect("invariant: a node that is not found is added")
    }
    /// The number of a node that has one.
    pub(super) fn find(&self, node: &Node) -> Option<u32> {
        let kind = self.registry.number(node.query)?;
        let hash = node_hash(kind, key_hash(&node.key));
        let old = self.image.as_ref().and_then(|image| image.find(hash, kind, &node.key));
        old.or_else(|| self.new_nodes.find_or_add(hash, kind, &node.key, false))
    }
    /// A query by its identity.
    pub(crate) fn query_named(&self, id: QueryId) -> Option<&Query> {
        self.registry.named(id)
    }
    pub(crate) fn kind(&self, node: u32) -> u16 {
        match self.image_of(node) {
            Some(image) => image.kind(node),
            None => self.new_nodes.name(node).0,
        }
    }
    pub(crate) fn key(&self, node: u32) -> &[u8] {
        match self.image_of(node) {
            Some(image) => image.key(node),
            None => self.new_nodes.name(node).1,
        }
    }
    /// Numbers given out so far, the image's included.
    pub(crate) fn node_count(&self) -> u32 {
        self.new_nodes.next.load(Relaxed)
    }
    /// Query and key as people read them.
    pub(crate) fn show(&self, node: u32) -> (&'static str, String) {
        let query = self.query(node);
        (query.name, (query.show)(self.key(node)).unwrap_or_else(|| "?".into()))
    }
}
