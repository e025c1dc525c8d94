//! Shared values that are hashed once.

use crate::content;
use std::{
    fmt,
    hash::{Hash, Hasher},
    ops::Deref,
    sync::{Arc, OnceLock},
};

/// A shared value that is hashed at most once, however many results of queries hold it: the signature and
/// the body of a function are in the tree of its file and in results of their own, and hashing them is most
/// of what recording costs while queries run.
pub struct Hashed<T>(Arc<Inner<T>>);

struct Inner<T> {
    value: T,
    hash: OnceLock<u128>,
}

impl<T> Hashed<T> {
    /// Shares a value.
    pub fn new(value: T) -> Hashed<T> {
        Hashed(Arc::new(Inner { value, hash: OnceLock::new() }))
    }
}

impl<T> Clone for Hashed<T> {
    fn clone(&self) -> Self {
        Hashed(self.0.clone())
    }
}

impl<T> Deref for Hashed<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T: Hash> Hash for Hashed<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(*self.0.hash.get_or_init(|| content::hash(&self.0.value)));
    }
}

impl<T: PartialEq> PartialEq for Hashed<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.value == other.0.value
    }
}

impl<T: Eq> Eq for Hashed<T> {}

impl<T: fmt::Debug> fmt::Debug for Hashed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.value.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::Hashed;
    use std::{
        cell::Cell,
        hash::{BuildHasher, Hash, Hasher, RandomState},
    };

    #[test]
    fn a_value_is_hashed_once_and_by_its_contents() {
        struct Counted(&'static [u32], Cell<u32>);
        impl Hash for Counted {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.1.set(self.1.get() + 1);
                self.0.hash(state);
            }
        }
        let hasher = RandomState::new();
        let value = |numbers| Hashed::new(Counted(numbers, Cell::default()));
        let (one, same, other) = (value(&[1, 2]), value(&[1, 2]), value(&[1, 3]));
        assert_eq!(hasher.hash_one(&one), hasher.hash_one(same));
        assert_ne!(hasher.hash_one(one.clone()), hasher.hash_one(other));
        assert_eq!(one.1.get(), 1);
    }
}
