//! A persisted red-green dependency graph over salsa.

use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use serde::{Serialize, de::DeserializeOwned};
use std::{any::Any, fmt::Display, hash::Hash, sync::Arc};

/// The database handle that queries get.
pub trait Db: Send {
    /// The graph behind it.
    fn graph(&self) -> &Graph;
}

/// The key of a query: a stable name, never a number of this process. Its `serde` form is its
/// identity in the image, its `Display` form is what people read. Implemented for every fitting type.
pub trait Key: Clone + Eq + Hash + Display + Send + Sync + 'static {
    /// Appends the bytes that stand for the key.
    fn encode(&self, out: &mut Vec<u8>);
    /// Reverses `encode`; `None` for bytes it never writes.
    fn decode(bytes: &[u8]) -> Option<Self>;
}

impl<T> Key for T
where
    T: Serialize + DeserializeOwned + Clone + Eq + Hash + Display + Send + Sync + 'static,
{
    fn encode(&self, out: &mut Vec<u8>) {
        bincode::serde::encode_into_std_write(self, out, bincode::config::standard())
            .expect("a key holds nothing that bincode cannot write");
    }
    fn decode(bytes: &[u8]) -> Option<Self> {
        let config = bincode::config::standard();
        let (key, read) = bincode::serde::decode_from_slice(bytes, config).ok()?;
        (read == bytes.len()).then_some(key)
    }
}

/// The key of a query that there is once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, serde::Deserialize)]
pub struct Root;

impl Display for Root {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

/// The graph.
pub struct Graph {
    world: Arc<dyn Any + Send + Sync>,
    memos: Mutex<FxHashMap<(&'static str, Vec<u8>), &'static (dyn Any + Send + Sync)>>,
}

impl Graph {
    /// An empty graph.
    pub fn new(world: Arc<dyn Any + Send + Sync>) -> Graph {
        Graph { world, memos: Mutex::default() }
    }
    /// The world that inputs are read from.
    pub fn world<W: Any>(&self) -> &W {
        self.world.downcast_ref().expect("the world has the type the inputs were written for")
    }
}

/// The wrapper behind every query.
pub fn get<'db, K: Key, V: Send + Sync + 'static>(
    db: &'db dyn Db,
    name: &'static str,
    key: &K,
    run: fn(&dyn Db, &K) -> V,
) -> &'db V {
    let mut bytes = Vec::new();
    key.encode(&mut bytes);
    let id = (name, bytes);
    let found = db.graph().memos.lock().get(&id).copied();
    let memo = found.unwrap_or_else(|| {
        let value: &'static (dyn Any + Send + Sync) = Box::leak(Box::new(run(db, key)));
        db.graph().memos.lock().insert(id, value);
        value
    });
    memo.downcast_ref().expect("a query name belongs to one type")
}

/// Declares queries.
#[macro_export]
macro_rules! queries {
    ($(#[$gm:meta])* pub static $group:ident; $($rest:tt)*) => { $crate::queries!(@ $($rest)*); };
    (@ $(#[$m:meta])* input fn $name:ident($K:ty) -> $V:ty = $run:path, $stamp:path; $($rest:tt)*) => {
        $(#[$m])* pub fn $name<'db>(db: &'db dyn $crate::Db, key: $K) -> &'db $V {
            $crate::get(db, stringify!($name), &key, $run)
        }
        $crate::queries!(@ $($rest)*);
    };
    (@ $(#[$m:meta])* $kind:ident fn $name:ident($K:ty) -> $V:ty = $run:path; $($rest:tt)*) => {
        $(#[$m])* pub fn $name<'db>(db: &'db dyn $crate::Db, key: $K) -> &'db $V {
            $crate::get(db, stringify!($name), &key, $run)
        }
        $crate::queries!(@ $($rest)*);
    };
    (@) => {};
}

/// Bytes in the store.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Blob(Arc<[u8]>);

impl Blob {
    /// To be stored.
    pub fn new(bytes: Vec<u8>) -> Blob {
        Blob(bytes.into())
    }
    /// The bytes.
    pub fn bytes(&self, _db: &dyn Db) -> Arc<[u8]> {
        self.0.clone()
    }
}
