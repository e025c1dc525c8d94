//! What was recorded of executions in this process.

use crate::{Fingerprint, paged::Paged};
use parking_lot::Mutex;
use std::sync::{
    OnceLock,
    atomic::{AtomicU32, Ordering::*},
};

/// The result of an execution.
pub(super) struct Record {
    pub fingerprint: Fingerprint,
    /// What the image keeps: the value, its digest in the store, or the stamp of an input.
    pub kept: Option<Box<[u8]>>,
    /// In the order of the first reading.
    pub dependencies: Box<[u32]>,
}

/// The record of a node, which another one may take the place of at any time.
#[derive(Default)]
pub(super) struct Place(AtomicU32);

/// Records, one after the other in the order in which the executions ended: whoever walks along the
/// dependencies finds one near the other. They are read without a lock and stay where they are, those that
/// others have replaced as well, until somebody has the graph to himself.
#[derive(Default)]
pub(super) struct Records {
    /// From number 1 on.
    records: Paged<OnceLock<Record>>,
    /// How many numbers have been given out.
    count: AtomicU32,
    /// Numbers whose records nobody needs.
    outdated: Mutex<Vec<u32>>,
    /// Numbers without a record.
    free: Mutex<Vec<u32>>,
}

impl Records {
    /// The record at a place; `None`: there is none.
    pub fn at(&self, place: &Place) -> Option<&Record> {
        match place.0.load(Acquire) {
            0 => None,
            number => self.records.peek(number)?.get(),
        }
    }
    /// Puts a record in a place.
    pub fn put(&self, place: &Place, record: Record) {
        let free = self.free.lock().pop();
        let number = free.unwrap_or_else(|| self.count.fetch_add(1, Relaxed) + 1);
        let new = self.records.get(number).set(record);
        assert!(new.is_ok(), "invariant: a free number has no record");
        match place.0.swap(number, AcqRel) {
            0 => {}
            old => self.outdated.lock().push(old),
        }
    }
    /// Frees the records that others have replaced.
    pub fn forget_outdated(&mut self) {
        let free = self.free.get_mut();
        for number in self.outdated.get_mut().drain(..) {
            self.records.get_mut(number).take();
            free.push(number);
        }
    }
}
