//! A persisted red-green dependency graph over salsa.
//!
//! **salsa memoizes, redgreen validates.** salsa gives memo tables, one execution per query across
//! threads, cycle detection, cancellation and interning. Which memo is valid is decided by the
//! [`Graph`] alone, in the same way for a result of an earlier process and of an earlier revision.
//!
//! A node of the graph is a query and a key. For every node the graph knows the fingerprint of the
//! result, the nodes that were read, in order, and, for durable queries, the result itself. The
//! graph of a finished build is written to one file, the image, which the next process maps and
//! uses without decoding it. The image is canonical: after any sequence of edits it is, byte for
//! byte, the image of a clean build.
//!
//! # What an author of queries must observe
//!
//! * A query is a pure function of its key and of the queries it calls. The outside world is read
//!   by inputs only, through [`Graph::world`].
//! * A query is total: the key of something that is gone gives a result that says so.
//! * Keys are stable names, not numbers of this process; see [`Key`].
//! * A query must not call itself, directly or through others: that panics with the cycle spelt
//!   out (a cycle that closes across threads panics with salsa's message). There is no recovery,
//!   since a result must not depend on where a cycle was entered.
//! * Threads are started by the driver, outside queries, each with a clone of the [`Database`].
//!
//! # What a driver does
//!
//! Open a [`Database`]; run the build in [`Database::attempt`]; take a [`Snapshot`] and write it;
//! take the [`BuildLog`] for `why`; write a [`RootRecord`], by which the next
//! process sees without a graph that nothing has changed. `examples/sheet.rs` shows all of it.
//!
//! The graph interrupts a build by unwinding, with [`std::panic::resume_unwind`], which runs no panic
//! hook, so nothing is printed: [`Database::attempt`] catches it.

#![deny(missing_docs)]

/// The example of the README runs as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod atomic_file;
mod blob;
mod buffer;
mod database;
mod fingerprint;
mod frames;
mod graph;
mod image;
mod key;
mod log;
mod macros;
#[cfg(feature = "mutation")]
pub mod mutation;
mod packed;
mod paged;
mod query;
mod root_record;
mod stamp;
mod why;

pub use atomic_file::{replace as replace_file, replace_executable};
pub use blob::{Blob, Digest, MemoryStore, Store};
pub use database::{Database, Db, Edit, Interrupted, Observer, Options};
pub use fingerprint::{Fingerprint, StableHasher};
pub use frames::Frames;
pub use graph::{
    Draft, Graph, NodeReport, SaveError, Snapshot, SnapshotFile, fingerprint_of, get, image_bytes,
    image_report, is_in_doubt, is_stale, unrecorded,
};
pub use image::{Identity, patch_path, without_stamps};
pub use key::{Key, Root};
pub use log::Span;
pub use packed::BuildLog;
pub use query::{Group, InputProvider, Kind, Node, Provider, Query, QueryId, Registry, World};
pub use root_record::{Damaged, RecordedInput, RootRecord};
pub use stamp::Stamp;
pub use why::{BuildRecord, Counts, Execution, NodeName, Reason};
