//! What was recorded of executions in this process.

use crate::{
    Fingerprint,
    image::{NONE, Row},
    paged::Paged,
};
use crossbeam_utils::CachePadded;
use parking_lot::Mutex;
use std::sync::{
    OnceLock,
    atomic::{AtomicU32, Ordering::*},
};

/// What is recorded of an execution, and all that an image says of the node: it is written down when
/// nothing of it is in a cache any more, so that what is needed together lies together.
pub(super) struct Record {
    pub fingerprint: Fingerprint,
    /// The dependencies, then the bytes of what is kept and of the key.
    words: Box<[u32]>,
    dependencies: u32,
    /// In bytes; `NONE`: nothing is kept.
    kept: u32,
    key: u32,
    kind: u16,
}

impl Record {
    /// `key`: empty if the image has it.
    pub fn new(row: Row<'_>) -> Record {
        let Row { kind, key, fingerprint, dependencies, kept } = row;
        let bytes = [kept.unwrap_or_default(), key];
        let count = dependencies.len();
        let len = bytes.iter().map(|part| part.len()).sum::<usize>();
        let mut words = Vec::with_capacity(count + len.div_ceil(size_of::<u32>()));
        words.extend_from_slice(dependencies);
        words.resize(words.capacity(), 0);
        let (first, rest) =
            bytemuck::cast_slice_mut(&mut words[count..]).split_at_mut(bytes[0].len());
        first.copy_from_slice(bytes[0]);
        rest[..key.len()].copy_from_slice(key);
        Record {
            fingerprint,
            words: words.into(),
            dependencies: count as u32,
            kept: kept.map_or(NONE, |kept| kept.len() as u32),
            key: key.len() as u32,
            kind,
        }
    }
    /// What it was made of.
    pub fn row(&self) -> Row<'_> {
        Row {
            kind: self.kind,
            key: self.key(),
            fingerprint: self.fingerprint,
            dependencies: self.dependencies(),
            kept: self.kept(),
        }
    }
    /// In the order of the first reading.
    pub fn dependencies(&self) -> &[u32] {
        &self.words[..self.dependencies as usize]
    }
    /// What the image keeps: the value, its digest in the store, or the stamp of an input.
    pub fn kept(&self) -> Option<&[u8]> {
        (self.kept != NONE).then(|| &self.bytes()[..self.kept as usize])
    }
    /// The bytes of the key; empty if the image has it.
    pub fn key(&self) -> &[u8] {
        let start = if self.kept == NONE { 0 } else { self.kept as usize };
        &self.bytes()[start..][..self.key as usize]
    }
    fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.words[self.dependencies as usize..])
    }
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
    given: CachePadded<AtomicU32>,
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
    use crate::{Fingerprint, image::Row};

    #[test]
    fn a_record_gives_what_it_was_made_of() {
        let keys: [&[u8]; 3] = [b"", b"k", b"a longer key"];
        let all_kept: [Option<&[u8]>; 4] = [None, Some(b""), Some(b"kep"), Some(b"what is kept")];
        for (key, kept) in keys.into_iter().flat_map(|key| all_kept.map(|kept| (key, kept))) {
            for dependencies in [&[][..], &[7], &[3, 1, 2]] {
                let fingerprint = Fingerprint(5);
                let record = Record::new(Row { kind: 4, key, fingerprint, dependencies, kept });
                let row = record.row();
                assert_eq!((row.kind, row.fingerprint, row.key), (4, fingerprint, key));
                assert_eq!((row.kept, row.dependencies), (kept, dependencies));
            }
        }
    }

    #[test]
    fn what_is_outdated_stays_until_it_is_forgotten_and_makes_room_then() {
        let mut records = Records::default();
        let places: [Place; 3] = Default::default();
        assert!(records.at(&places[0]).is_none());
        for round in 0..5 {
            let before = records.at(&places[0]);
            for (place, number) in places.iter().zip(10 * round..) {
                let fingerprint = Fingerprint(number);
                let row = Row { kind: 0, key: b"", fingerprint, dependencies: &[], kept: None };
                records.put(place, Record::new(row));
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
