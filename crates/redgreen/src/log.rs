//! What happened in a build.

use crossbeam_utils::CachePadded;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

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

/// When and where a query ran, if that was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Span {
    /// Microseconds from the opening of the graph.
    pub start: u32,
    /// The same, when it ended.
    pub end: u32,
    /// A number of the thread, from zero.
    pub thread: u32,
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
    pub span: Span,
}

/// The events since the log was last taken.
#[derive(Default)]
pub(crate) struct Log {
    /// Every execution writes it, on whatever processor.
    pub executed: CachePadded<Mutex<Vec<Entry>>>,
    pub inputs_changed: Mutex<Vec<u32>>,
    /// Nodes whose results were taken from the image.
    pub loaded: Mutex<Vec<u32>>,
    pub green: AtomicU64,
    pub unstable: AtomicU64,
    /// Since when time is measured, if it is.
    clock: OnceLock<Instant>,
}

impl Log {
    pub fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }
    /// Measures how long queries run from now on.
    pub fn measure(&self) {
        self.clock.get_or_init(Instant::now);
    }
    pub fn is_measured(&self) -> bool {
        self.clock.get().is_some()
    }
    /// Microseconds; 0 if nobody wants to know.
    pub fn now(&self) -> u32 {
        self.clock.get().map_or(0, |start| start.elapsed().as_micros() as u32)
    }
    /// What began at `start` ends now.
    pub fn span(&self, start: u32) -> Span {
        if !self.is_measured() {
            return Span::default();
        }
        Span { start, end: self.now(), thread: thread_number() }
    }
}

fn thread_number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    thread_local! { static NUMBER: u32 = NEXT.fetch_add(1, Relaxed); }
    NUMBER.with(|number| *number)
}
