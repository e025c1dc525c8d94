//! Queries as data: what the graph needs to know to force a node from its key.

use crate::{Blob, Db, Fingerprint, Key, Stamp, Store, buffer, graph::NewNodes};
use rustc_hash::FxHashMap;
use serde::{Serialize, de::DeserializeOwned};
use smallvec::SmallVec;
use std::{any::Any, fmt, hash::Hash, sync::Arc};

/// What inputs are read from; see [`Graph::world`](crate::Graph::world).
pub type World = Arc<dyn Any + Send + Sync>;

/// A result whose type is known to its query alone.
pub(crate) type AnyValue = Box<dyn Any + Send + Sync>;

/// A query as a type; [`queries!`](crate::queries) writes the implementations.
pub trait Provider: 'static {
    /// What it is asked by.
    type Key: Key;
    /// What it answers.
    type Value: Send + Sync + 'static;
    /// Its name, unique in a registry.
    const NAME: &'static str;
    /// The hash of its name.
    const ID: QueryId = QueryId::of(Self::NAME);
    /// The answer.
    fn run(db: &dyn Db, key: &Self::Key) -> Self::Value;
}

/// An input as a type: a query whose answer comes from the world. It calls no queries, and does not
/// panic: what cannot be read has a value that says so.
pub trait InputProvider: Provider {
    /// What tells whether the input may have changed.
    fn stamp(db: &dyn Db, key: &Self::Key) -> Stamp;
}

/// What identifies a query in all processes: a hash of its name.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, serde::Deserialize,
)]
pub struct QueryId(pub u64);

impl QueryId {
    /// FNV-1a of the name.
    pub const fn of(name: &str) -> QueryId {
        let (bytes, mut hash, mut at) = (name.as_bytes(), 0xcbf2_9ce4_8422_2325u64, 0);
        while at < bytes.len() {
            hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
            at += 1;
        }
        QueryId(hash)
    }
}

/// What happens to the result of a query.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// It comes from the world; its stamp is kept.
    Input,
    /// It is not kept: cheap to compute again. Only its fingerprint is.
    Transient,
    /// It is not kept, nor looked at: it counts as changed when something that it read has changed.
    /// For large results whose readers would rarely be spared, since hashing them costs more.
    Relay,
    /// It is kept in the image: a small firewall, such as a signature.
    Inline,
    /// It is kept in the store, its digest in the image.
    Stored,
}

/// A query: everything that depends on its types, as function pointers.
#[derive(Clone, Copy)]
pub struct Query {
    pub(crate) name: &'static str,
    pub(crate) id: QueryId,
    pub(crate) kind: Kind,
    /// `None`: these bytes are no key.
    pub(crate) run: fn(&dyn Db, KeyRef<'_>) -> Option<AnyValue>,
    /// Prepares a result for being recorded.
    pub(crate) seal: fn(&mut AnyValue, &dyn Store) -> Seal,
    pub(crate) fingerprint: fn(&AnyValue) -> Fingerprint,
    /// Reads what `seal` keeps.
    pub(crate) load: fn(&[u8]) -> Option<AnyValue>,
    pub(crate) show: fn(KeyRef<'_>) -> Option<String>,
    pub(crate) stamp: fn(&dyn Db, KeyRef<'_>) -> Option<Stamp>,
    /// Appends the bytes of a key that is a value.
    pub(crate) encode: fn(&AnyKey, &mut Vec<u8>),
    /// The number of a new node with a key of these bytes.
    pub(crate) find: fn(&NewNodes, u16, &[u8]) -> Option<u32>,
}

/// A key whose type its query alone knows.
pub(crate) type AnyKey = dyn Any + Send + Sync;

/// The key of a node: the value that it was asked by, or what an image has of it.
#[derive(Clone, Copy)]
pub(crate) enum KeyRef<'a> {
    Value(&'a AnyKey),
    Bytes(&'a [u8]),
}

impl KeyRef<'_> {
    /// Passes the key of a query of this type; `None`: these bytes are no key.
    fn with<Q: Provider, R>(self, with: impl FnOnce(&Q::Key) -> R) -> Option<R> {
        match self {
            KeyRef::Value(key) => {
                Some(with(key.downcast_ref().expect("invariant: a key is of its query's type")))
            }
            KeyRef::Bytes(bytes) => Some(with(&Q::Key::decode(bytes)?)),
        }
    }
}

/// What is recorded of a result.
pub(crate) struct Seal {
    pub fingerprint: Fingerprint,
    /// What the image keeps of it, which is little most often.
    pub kept: Option<SmallVec<[u8; 64]>>,
}

impl Query {
    const fn new<Q: Provider>(
        kind: Kind,
        fingerprint: fn(&AnyValue) -> Fingerprint,
        seal: fn(&mut AnyValue, &dyn Store) -> Seal,
        load: fn(&[u8]) -> Option<AnyValue>,
    ) -> Query {
        Query {
            name: Q::NAME,
            id: Q::ID,
            kind,
            run: |db, key| key.with::<Q, _>(|key| Box::new(Q::run(db, key)) as AnyValue),
            seal,
            fingerprint,
            load,
            show: |key| key.with::<Q, _>(Q::Key::to_string),
            stamp: |_, _| None,
            encode: |key, out| {
                let key = key.downcast_ref::<Q::Key>();
                key.expect("invariant: a key is of its query's type").encode(out);
            },
            find: |nodes, kind, bytes| nodes.find(kind, &Q::Key::decode(bytes)?),
        }
    }
    const fn hashed<Q: Provider<Value: Hash>>(kind: Kind) -> Query {
        let seal: fn(&mut AnyValue, &dyn Store) -> Seal =
            |value, _| Seal { fingerprint: hash_of::<Q::Value>(value), kept: None };
        Query::new::<Q>(kind, hash_of::<Q::Value>, seal, |_| None)
    }
    /// An input.
    pub const fn input<Q: InputProvider<Value: Hash>>() -> Query {
        let mut query = Query::hashed::<Q>(Kind::Input);
        query.stamp = |db, key| key.with::<Q, _>(|key| Q::stamp(db, key));
        query
    }
    /// A query whose result is not kept.
    pub const fn transient<Q: Provider<Value: Hash>>() -> Query {
        Query::hashed::<Q>(Kind::Transient)
    }
    /// A query whose result is not kept, and whose fingerprint is made of those of what it read.
    pub const fn relay<Q: Provider<Value: Hash>>() -> Query {
        Query::hashed::<Q>(Kind::Relay)
    }
    /// A query whose result is kept in the image. Its fingerprint is that of the bytes kept, so
    /// that results of equal fingerprint give equal images.
    pub const fn inline<Q: Provider<Value: Serialize + DeserializeOwned>>() -> Query {
        let fingerprint: fn(&AnyValue) -> Fingerprint =
            |value| encoded::<Q::Value, _>(value, Fingerprint::of_bytes);
        let seal: fn(&mut AnyValue, &dyn Store) -> Seal = |value, _| {
            encoded::<Q::Value, _>(value, |bytes| Seal {
                fingerprint: Fingerprint::of_bytes(bytes),
                kept: Some(SmallVec::from_slice(bytes)),
            })
        };
        Query::new::<Q>(Kind::Inline, fingerprint, seal, decode::<Q::Value>)
    }
    /// A query whose result is kept in the store.
    pub const fn stored<Q: Provider<Value = Blob>>() -> Query {
        Query::new::<Q>(Kind::Stored, hash_of::<Blob>, seal_blob, |bytes| {
            Blob::load(bytes).map(|blob| Box::new(blob) as AnyValue)
        })
    }
}

fn typed<V: 'static>(value: &AnyValue) -> &V {
    // Without the dereference the box itself would be asked for its type.
    (**value).downcast_ref().expect("invariant: a query seals the type it returns")
}

fn hash_of<V: Hash + 'static>(value: &AnyValue) -> Fingerprint {
    Fingerprint::of(typed::<V>(value))
}

/// Passes the bytes of an inline result.
fn encoded<V: Serialize + 'static, R>(value: &AnyValue, with: impl FnOnce(&[u8]) -> R) -> R {
    buffer::with(|bytes| {
        let config = bincode::config::standard();
        bincode::serde::encode_into_std_write(typed::<V>(value), bytes, config)
            .expect("invariant: an inline result holds nothing that bincode cannot write");
        with(bytes)
    })
}

fn decode<V: DeserializeOwned + Send + Sync + 'static>(bytes: &[u8]) -> Option<AnyValue> {
    let config = bincode::config::standard();
    let (value, read) = bincode::serde::decode_from_slice::<V, _>(bytes, config).ok()?;
    (read == bytes.len()).then(|| Box::new(value) as AnyValue)
}

fn seal_blob(value: &mut AnyValue, store: &dyn Store) -> Seal {
    let (blob, digest) = typed::<Blob>(value).clone().seal(store);
    *value = Box::new(blob);
    Seal { fingerprint: hash_of::<Blob>(value), kept: Some(SmallVec::from_slice(&digest)) }
}

/// The queries of one crate.
pub struct Group(pub &'static [Query]);

/// All queries of a program. A clone is the same registry.
#[derive(Clone)]
pub struct Registry(Arc<Table>);

struct Table {
    queries: Vec<Query>,
    index: FxHashMap<QueryId, u16>,
    hash: u64,
}

impl Registry {
    /// Assembles groups.
    ///
    /// # Panics
    /// If two queries have the same name, or there are 65,536 of them.
    pub fn new(groups: &[&Group]) -> Registry {
        let queries: Vec<Query> = groups.iter().flat_map(|group| group.0).copied().collect();
        let mut index = FxHashMap::default();
        for (at, query) in queries.iter().enumerate() {
            let at = u16::try_from(at).expect("a registry holds fewer than 65,536 queries");
            let twin = index.insert(query.id, at);
            assert!(twin.is_none(), "two queries are named `{}`", query.name);
        }
        let names: Vec<_> = queries.iter().map(|query| (query.name, query.kind as u8)).collect();
        let hash = Fingerprint::of(&names).0 as u64;
        Registry(Arc::new(Table { queries, index, hash }))
    }
    pub(crate) fn len(&self) -> usize {
        self.0.queries.len()
    }
    /// Of the names and kinds: images of another registry do not fit.
    pub(crate) fn hash(&self) -> u64 {
        self.0.hash
    }
    pub(crate) fn query(&self, number: u16) -> &Query {
        &self.0.queries[usize::from(number)]
    }
    pub(crate) fn number(&self, id: QueryId) -> Option<u16> {
        self.0.index.get(&id).copied()
    }
    /// All queries, in order.
    pub(crate) fn ids(&self) -> Vec<QueryId> {
        self.0.queries.iter().map(|query| query.id).collect()
    }
    /// The query with this name.
    pub(crate) fn named(&self, id: QueryId) -> Option<&Query> {
        self.number(id).map(|number| self.query(number))
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.queries.iter().map(|query| query.name)).finish()
    }
}

/// The name of a node: a query and the bytes of a key. `queries!` makes a module `node` with one
/// constructor for each query.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Node {
    pub(crate) query: QueryId,
    pub(crate) key: Vec<u8>,
}

impl Node {
    /// The node of a query for a key.
    pub fn of<Q: Provider>(key: &Q::Key) -> Node {
        let mut bytes = Vec::new();
        key.encode(&mut bytes);
        Node { query: Q::ID, key: bytes }
    }
}
