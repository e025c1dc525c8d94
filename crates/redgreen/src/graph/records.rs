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
    /// Numbers up to this one are in use, or `free`.
    count: u32,
    free: Vec<u32>,
    /// How many have been given out since: the free ones, then those after `count`.
    given: AtomicU32,
    /// Numbers whose records nobody needs.
    outdated: Mutex<Vec<u32>>,
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
        let given = self.given.fetch_add(1, Relaxed);
        let after = || self.count + given - self.free.len() as u32 + 1;
        let number = self.free.get(given as usize).copied().unwrap_or_else(after);
        let new = self.records.get(number).set(record);
        assert!(new.is_ok(), "invariant: a free number has no record");
        match place.0.swap(number, AcqRel) {
            0 => {}
            old => self.outdated.lock().push(old),
        }
    }
    /// Frees the records that others have replaced.
    pub fn forget_outdated(&mut self) {
        let given = std::mem::take(self.given.get_mut());
        let reused = self.free.len().min(given as usize);
        self.free.drain(..reused);
        self.count += given - reused as u32;
        for number in self.outdated.get_mut().drain(..) {
            self.records.get_mut(number).take();
            self.free.push(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, Record, Records};
    use crate::Fingerprint;

    #[test]
    fn what_is_outdated_stays_until_it_is_forgotten_and_makes_room_then() {
        let mut records = Records::default();
        let places: [Place; 3] = Default::default();
        assert!(records.at(&places[0]).is_none());
        for round in 0..5 {
            let before = records.at(&places[0]);
            for (place, number) in places.iter().zip(10 * round..) {
                let fingerprint = Fingerprint(number);
                records.put(place, Record { fingerprint, kept: None, dependencies: [].into() });
            }
            let of = |record: Option<&Record>| record.map(|record| record.fingerprint.0);
            assert_eq!(of(before), (round > 0).then(|| 10 * (round - 1)));
            let now = places.each_ref().map(|place| of(records.at(place)));
            assert_eq!(now, [0, 1, 2].map(|number| Some(10 * round + number)));
            records.forget_outdated();
        }
        // Three in use, and three that were.
        assert_eq!((records.count, records.free.len()), (6, 3));
    }
}
