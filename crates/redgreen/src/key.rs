//! Keys of queries.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{fmt, fmt::Display, hash::Hash};

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
            .expect("invariant: a key holds nothing that bincode cannot write");
    }
    fn decode(bytes: &[u8]) -> Option<Self> {
        let config = bincode::config::standard();
        let (key, read) = bincode::serde::decode_from_slice(bytes, config).ok()?;
        (read == bytes.len()).then_some(key)
    }
}

/// The key of a query that there is once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Root;

impl Display for Root {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}
