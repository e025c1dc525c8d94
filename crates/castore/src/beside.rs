//! Files of others in the directory of a store, which count for its cap.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

/// How much lies beside the store. It is asked for only where it may matter.
#[derive(Default)]
pub(crate) struct Beside {
    measure: Option<Box<dyn Fn() -> u64 + Send + Sync>>,
    bytes: AtomicU64,
}

impl fmt::Debug for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Beside").field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}

impl Beside {
    pub fn new(measure: Box<dyn Fn() -> u64 + Send + Sync>) -> Beside {
        Beside { measure: Some(measure), ..Beside::default() }
    }

    /// Measures, if all together took more than half of the cap when it was last known.
    pub fn look(&self, stored: u64, max_size: u64) {
        if let Some(measure) = &self.measure
            && stored.saturating_add(self.bytes()) > max_size / 2
        {
            self.bytes.store(measure(), Ordering::Relaxed);
        }
    }

    /// What was measured last.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}
