//! Interning of immutable values for the whole process.
//!
//! An [`Interned`] is a pointer: copying, comparing and hashing into look-up tables cost one word.
//! Its `Hash` writes a fingerprint of the *contents*, so stable hashes do not depend on the order
//! of interning. Interned values are never freed; their number is bounded by the distinct types
//! and names that the process has seen.

use crate::content;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{
    borrow::Borrow,
    hash::{Hash, Hasher},
    ops::Deref,
    sync::{LazyLock, Mutex, MutexGuard},
};

const SHARDS: usize = 16;

/// The table behind one interned type; see [`Intern::table`].
pub struct Table<T: 'static> {
    shards: [Mutex<Shard<T>>; SHARDS],
}

/// The last entry whose hash ends in the key.
type Shard<T> = FxHashMap<u64, &'static Entry<T>>;

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { shards: Default::default() }
    }
}

impl<T> Table<T> {
    fn shard(&self, hash: u128) -> MutexGuard<'_, Shard<T>> {
        let shard = &self.shards[(hash >> 64) as usize % SHARDS];
        shard.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

struct Entry<T: 'static> {
    hash: u128,
    value: T,
    /// Another entry under the same key of the shard.
    next: Option<&'static Entry<T>>,
}

/// A type whose values can be interned.
pub trait Intern: Hash + Eq + Send + Sync + Sized + 'static {
    /// The process-wide table of this type.
    fn table() -> &'static LazyLock<Table<Self>>;
    /// Writes an interned value, as a value of its own unless the type knows better.
    ///
    /// # Errors
    /// Those of the serializer.
    fn write<S: Serializer>(value: Interned<Self>, s: S) -> Result<S::Ok, S::Error>
    where
        Self: Serialize,
    {
        value.get().serialize(s)
    }
    /// Reads what [`write`](Self::write) wrote.
    ///
    /// # Errors
    /// Those of the deserializer.
    fn read<'de, D: Deserializer<'de>>(d: D) -> Result<Interned<Self>, D::Error>
    where
        Self: Deserialize<'de>,
    {
        Self::deserialize(d).map(Interned::new)
    }
}

/// An interned value of type `T`: equal values have equal addresses.
pub struct Interned<T: 'static>(&'static Entry<T>);

impl<T: Intern> Interned<T> {
    /// Interns `value`.
    pub fn new(value: T) -> Self {
        let hash = content::hash(&value);
        let mut shard = T::table().shard(hash);
        let known = find(&shard, hash, |known| *known == value);
        known.unwrap_or_else(|| add(&mut shard, hash, value))
    }
    /// Interns what `value` is turned into, if it is not known; both have the same hash.
    pub fn of<B: Hash + Eq + ?Sized>(value: &B) -> Self
    where
        T: Borrow<B> + for<'a> From<&'a B>,
    {
        let hash = content::hash(value);
        let mut shard = T::table().shard(hash);
        let known = find(&shard, hash, |known| known.borrow() == value);
        known.unwrap_or_else(|| add(&mut shard, hash, T::from(value)))
    }
}

fn find<T>(shard: &Shard<T>, hash: u128, is_it: impl Fn(&T) -> bool) -> Option<Interned<T>> {
    let first = shard.get(&(hash as u64)).copied();
    let mut entries = std::iter::successors(first, |entry| entry.next);
    entries.find(|entry| is_it(&entry.value)).map(Interned)
}

fn add<T>(shard: &mut Shard<T>, hash: u128, value: T) -> Interned<T> {
    let next = shard.get(&(hash as u64)).copied();
    let entry = Box::leak(Box::new(Entry { hash, value, next }));
    shard.insert(hash as u64, entry);
    Interned(entry)
}

impl<T> Interned<T> {
    /// The interned value, for the life of the process.
    pub fn get(self) -> &'static T {
        &self.0.value
    }
}

impl<T> Clone for Interned<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Interned<T> {}
impl<T> Deref for Interned<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0.value
    }
}
impl<T> PartialEq for Interned<T> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}
impl<T> Eq for Interned<T> {}
impl<T> Hash for Interned<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(self.0.hash);
    }
}
impl<T: Ord> Ord for Interned<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        if self == other { std::cmp::Ordering::Equal } else { self.0.value.cmp(&other.0.value) }
    }
}
impl<T: Ord> PartialOrd for Interned<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T: std::fmt::Debug> std::fmt::Debug for Interned<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.value.fmt(f)
    }
}
impl<T: std::fmt::Display> std::fmt::Display for Interned<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.value.fmt(f)
    }
}
impl<T: Intern + Serialize> Serialize for Interned<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        T::write(*self, s)
    }
}
impl<'de, T: Intern + Deserialize<'de>> Deserialize<'de> for Interned<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        T::read(d)
    }
}

/// Declares the table of an interned type, and how its values are written and read if not like others.
#[macro_export]
macro_rules! interned {
    ($type:ty $(, { $($method:item)* })?) => {
        impl $crate::Intern for $type {
            fn table() -> &'static std::sync::LazyLock<$crate::intern::Table<Self>> {
                static TABLE: std::sync::LazyLock<$crate::intern::Table<$type>> =
                    std::sync::LazyLock::new(Default::default);
                &TABLE
            }
            $($($method)*)?
        }
    };
}
