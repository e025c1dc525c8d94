//! What happened in a build.

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Why a query ran.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Why {
    /// There was no record of it.
    New,
    /// Something it had read changed.
    Changed(u32),
    /// Its record is valid, but a transient result had to be made again.
    ValueNeeded,
    /// Its result was gone from the store.
    Lost,
}

/// One execution.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub node: u32,
    pub why: Why,
    /// The query that asked, if it was a query.
    pub reader: Option<u32>,
    /// Its result is not that of its last record.
    pub changed: bool,
}

/// The events since the log was last taken.
#[derive(Default)]
pub(crate) struct Log {
    pub executed: Mutex<Vec<Entry>>,
    pub inputs_changed: Mutex<Vec<u32>>,
    pub green: AtomicU64,
    pub loaded: AtomicU64,
    pub unstable: AtomicU64,
}

impl Log {
    pub fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }
}
