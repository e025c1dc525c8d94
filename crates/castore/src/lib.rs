//! Content-addressed store: digest to bytes, verified on every read.
//!
//! A [`Store`] is a directory that any number of processes use at once without a lock:
//!
//! ```text
//! CACHEDIR.TAG      tells backup programs to leave the directory out
//! cas/ab/cdef…      the blobs, named by their SHA-256
//! refs/NAME/ab/cd…  records: SHA-256 of a key -> digests, with a checksum of their own
//! quarantine/       what was found where an entry should be, and was not one
//! tmp/              files being written
//! ```
//!
//! The store is a cache. What it holds can be lost at any time and must be able to be made again,
//! so a bad entry is moved aside, counted and reported as absent, never as a failure. Only writing
//! can fail, and the caller decides what that means. The store knows nothing of what its bytes mean.

mod digest;
mod error;
mod place;
mod record;
mod store;

pub use digest::{Digest, Hasher, ParseDigestError};
pub use error::Error;
pub use store::{Stats, Store};
