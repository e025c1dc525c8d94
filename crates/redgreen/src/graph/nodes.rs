//! The numbering of nodes: those of the image first, then the others as they come.

use super::Graph;
use crate::{
    Key, Node, Provider, Query, QueryId, buffer,
    image::{Row, node_hash},
    paged::Paged,
    query::{AnyKey, KeyRef},
};
use crossbeam_utils::CachePadded;
use parking_lot::Mutex;
use rustc_hash::{FxHashMap, FxHasher};
use std::{
    borrow::Cow,
    hash::{Hash, Hasher},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

const SHARDS: usize = 64;

/// The nodes that the image does not have. They are never removed; a resident process gets rid of
/// those it no longer needs by opening anew.
pub(crate) struct NewNodes {
    base: u32,
    next: CachePadded<AtomicU32>,
    /// Hash to number. Equal hashes of different keys sit at the next free hashes.
    shards: [CachePadded<Mutex<FxHashMap<u64, u32>>>; SHARDS],
    names: Paged<OnceLock<Name>>,
}

/// The name of a node that this process has given a number. Its key is looked for and passed on as
/// it is; its bytes are in the record.
struct Name {
    kind: u16,
    key: Box<AnyKey>,
}

impl NewNodes {
    pub fn new(base: u32) -> NewNodes {
        NewNodes {
            base,
            next: AtomicU32::new(base).into(),
            shards: std::array::from_fn(|_| CachePadded::default()),
            names: Paged::default(),
        }
    }
    fn name(&self, node: u32) -> &Name {
        let name = self.names.get(node - self.base).get();
        name.expect("invariant: a number is given out after its name is set")
    }
    /// The number of a node that has one.
    pub fn find<K: Key>(&self, kind: u16, key: &K) -> Option<u32> {
        let hash = hash(kind, key);
        self.known(&self.shard(hash).lock(), hash, kind, key).ok()
    }
    /// The number of a node, given out if it has none yet.
    fn number<K: Key>(&self, kind: u16, key: &K) -> u32 {
        let hash = hash(kind, key);
        let mut shard = self.shard(hash).lock();
        self.known(&shard, hash, kind, key).unwrap_or_else(|free| {
            let node = self.next.fetch_add(1, Relaxed);
            let name = || Name { kind, key: Box::new(key.clone()) };
            self.names.get(node - self.base).get_or_init(name);
            shard.insert(free, node);
            node
        })
    }
    fn shard(&self, hash: u64) -> &Mutex<FxHashMap<u64, u32>> {
        &self.shards[(hash >> 32) as usize % SHARDS]
    }
    /// The number of a node; `Err` has the hash at which it would be.
    fn known<K: Key>(
        &self,
        shard: &FxHashMap<u64, u32>,
        hash: u64,
        kind: u16,
        key: &K,
    ) -> Result<u32, u64> {
        let mut at = hash;
        while let Some(&node) = shard.get(&at) {
            let name = self.name(node);
            if name.kind == kind && name.key.downcast_ref() == Some(key) {
                return Ok(node);
            }
            at = at.wrapping_add(1);
        }
        Err(at)
    }
}

/// Of this process alone, so it need not be the same anywhere else.
fn hash<K: Key>(kind: u16, key: &K) -> u64 {
    let mut hasher = FxHasher::default();
    (kind, key).hash(&mut hasher);
    hasher.finish()
}

impl Graph {
    /// The number of a node, given out if it has none yet.
    pub(super) fn node<Q: Provider>(&self, key: &Q::Key) -> u32 {
        let kind = self.registry.number(Q::ID);
        let kind = kind.unwrap_or_else(|| panic!("`{}` is not in the registry", Q::NAME));
        self.in_image(kind, |bytes| key.encode(bytes))
            .unwrap_or_else(|| self.new_nodes.number(kind, key))
    }
    /// The number of a node that has one.
    pub(super) fn find(&self, node: &Node) -> Option<u32> {
        let kind = self.registry.number(node.query)?;
        self.in_image(kind, |bytes| bytes.extend(&node.key))
            .or_else(|| (self.registry.query(kind).find)(&self.new_nodes, kind, &node.key))
    }
    /// The number that the image has given a node, whose key is written by `encode`.
    fn in_image(&self, kind: u16, encode: impl FnOnce(&mut Vec<u8>)) -> Option<u32> {
        let image = self.image.as_ref()?;
        buffer::with(|bytes| {
            encode(bytes);
            image.find(node_hash(kind, bytes), kind, bytes)
        })
    }
    /// A query by its identity.
    pub(crate) fn query_named(&self, id: QueryId) -> Option<&Query> {
        self.registry.named(id)
    }
    pub(crate) fn kind(&self, node: u32) -> u16 {
        match self.image_of(node) {
            Some(image) => image.kind(node),
            None => self.new_nodes.name(node).kind,
        }
    }
    /// The query, and the bytes of the key.
    pub(crate) fn name(&self, node: u32) -> (u16, Cow<'_, [u8]>) {
        if let Some(Row { kind, key, .. }) = self.row(node) {
            return (kind, key.into());
        }
        let mut bytes = Vec::new();
        self.encode_key(node, &mut bytes);
        (self.kind(node), bytes.into())
    }
    /// Appends the bytes of a key that the image does not have.
    pub(super) fn encode_key(&self, node: u32, out: &mut Vec<u8>) {
        let Name { kind, key } = self.new_nodes.name(node);
        (self.registry.query(*kind).encode)(&**key, out);
    }
    /// The key as it is at hand.
    pub(super) fn key_ref(&self, node: u32) -> KeyRef<'_> {
        match self.image_of(node) {
            Some(image) => KeyRef::Bytes(image.key(node)),
            None => KeyRef::Value(&*self.new_nodes.name(node).key),
        }
    }
    /// Numbers given out so far, the image's included.
    pub(crate) fn node_count(&self) -> u32 {
        self.new_nodes.next.load(Relaxed)
    }
    /// Query and key as people read them.
    pub(crate) fn show(&self, node: u32) -> (&'static str, String) {
        let query = self.query(node);
        (query.name, (query.show)(self.key_ref(node)).unwrap_or_else(|| "?".into()))
    }
}
