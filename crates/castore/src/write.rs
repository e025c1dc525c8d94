//! Writing what was collected.

use crate::{
    Error, Store,
    collected::{Item, Key},
    index::{Entry, Index, Kind, Trouble},
    pack,
    rebuild::start,
    room::Room,
    segment::{EntryHeader, HEADER, SegmentFile, key_start, total},
    sync::step,
    transaction::Transaction,
};
use std::{
    os::unix::fs::FileExt,
    sync::{Arc, PoisonError, atomic::Ordering},
};

/// Entries that are written together, in the order in which they were put.
type Chunk = Vec<(Key, Item)>;

/// As many entries are written at once, so that others need not wait long.
const MOST_ENTRIES: usize = 1000;

/// Where a chunk goes.
enum Plan {
    /// It is there already.
    Nothing,
    /// There is no room.
    Refused,
    /// The store must be looked at again.
    Again,
    Place(Place),
}

struct Place {
    epoch: u64,
    segment: u32,
    file: Arc<SegmentFile>,
    offset: u64,
    /// The number of the first entry in the order of writing.
    sequence: u64,
    /// The entries that are not there yet.
    fresh: Vec<usize>,
}

impl Store {
    /// Writes what was put and bound since the last time, which stays in memory until the next
    /// time: what was made is likely to be used soon. What cannot be kept, for want of room or of
    /// permission, can be got from this store nevertheless for as long as it is open.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn commit(&self) -> Result<(), Error> {
        let _one_at_a_time = self.committing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.config.read_only {
            self.collected().queue.clear();
            return Ok(());
        }
        self.fit();
        self.collected().forget_written();
        loop {
            let mut chunk = self.collected().take(MOST_ENTRIES, self.segment_len());
            self.pack(&mut chunk);
            if chunk.is_empty() {
                return Ok(());
            }
            if self.has_room_for_any() && self.write(&chunk)? {
                self.collected().note_written(&chunk);
            } else {
                self.refused.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            }
        }
    }

    /// Compresses what gets smaller, if that is asked for.
    fn pack(&self, chunk: &mut Chunk) {
        let Some(level) = self.config.compression else { return };
        for (_, item) in chunk.iter_mut().filter(|((kind, _), _)| *kind == Kind::Blob) {
            item.packed = pack::pack(&item.bytes, level).map(Into::into);
        }
    }

    /// `false`: there is no room.
    fn write(&self, chunk: &Chunk) -> Result<bool, Error> {
        // Another process may take the room that was made, or empty the store meanwhile.
        for _ in 0..1000 {
            let place = match self.transact(true, |step| self.plan(step, chunk))? {
                Some(Plan::Place(place)) => place,
                Some(Plan::Nothing) => return Ok(true),
                Some(Plan::Again) => continue,
                Some(Plan::Refused) | None => return Ok(false),
            };
            write_entries(chunk, &place)
                .map_err(Error::io("write", self.home.segment(place.segment)))?;
            if self.transact(true, |step| self.publish(step, chunk, &place))? == Some(true) {
                self.written.fetch_add(place.fresh.len() as u64, Ordering::Relaxed);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Finds a place for what is not there yet.
    fn plan(&self, step: &mut Transaction, chunk: &Chunk) -> Result<Plan, Trouble> {
        if step.read_only {
            let error = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
            return Err(Trouble::Io(error));
        }
        let mut fresh = Vec::new();
        let trusted = !self.has_seen_damage();
        for (number, ((kind, key), item)) in chunk.iter().enumerate() {
            match step.index.find(*kind, &key_start(key))? {
                Some((at, entry)) if trusted && entry.contents == start(&item.contents.0) => {
                    step.index.touch(at)?;
                }
                _ => fresh.push(number),
            }
        }
        if fresh.is_empty() {
            return Ok(Plan::Nothing);
        }
        let bytes = fresh.iter().map(|number| total(chunk[*number].1.stored().len() as u64)).sum();
        match self.make_room(step, bytes, fresh.len() as u32)? {
            Room::Made => {}
            Room::Again => return Ok(Plan::Again),
            Room::None => {
                step.index.header.totals.refused += fresh.len() as u64;
                return Ok(Plan::Refused);
            }
        }
        let Some((segment, offset)) = self.place(step, bytes)? else { return Ok(Plan::Refused) };
        let Some(file) = self.segment(step, segment)? else {
            // Somebody has deleted the file: nothing more goes there.
            step.index.header.active = 0;
            return Ok(Plan::Again);
        };
        let sequence = step.index.tick();
        step.index.header.clock += fresh.len() as u64;
        let epoch = step.index.header.epoch;
        Ok(Plan::Place(Place { epoch, segment, file, offset, sequence, fresh }))
    }

    /// Makes what was written known. `false`: its place is gone meanwhile.
    fn publish(
        &self,
        step: &mut Transaction,
        chunk: &Chunk,
        place: &Place,
    ) -> Result<bool, Trouble> {
        let more = place.fresh.len() as u32;
        let index = &mut step.index;
        if index.header.epoch != place.epoch || index.segment(place.segment)?.is_none() {
            return Ok(false);
        }
        if index.size_with(more) != index.size() {
            return Ok(false);
        }
        let mut offset = place.offset;
        for ((kind, key), item) in place.fresh.iter().map(|number| &chunk[*number]) {
            let entry = Entry::new(*kind, key_start(key), start(&item.contents.0));
            let len = total(item.stored().len() as u64);
            let cost = item.cost;
            let entry = Entry { segment: place.segment, offset, len, cost, ..entry };
            offset += len;
            replace(index, entry, item, !self.has_seen_damage())?;
        }
        index.header.totals.written += u64::from(more);
        let misses = self.misses_untold.swap(0, Ordering::Relaxed);
        index.header.totals.misses += misses;
        index.header.latest = self.latest();
        Ok(true)
    }
}

/// Adds an entry in place of another of its key. Of equal blobs the first one stays, if it is
/// `trusted`.
fn replace(index: &mut Index, entry: Entry, item: &Item, trusted: bool) -> Result<(), Trouble> {
    match index.find(entry.kind, &entry.key)? {
        Some((number, old))
            if trusted && entry.kind == Kind::Blob && old.contents == entry.contents =>
        {
            return index.touch(number);
        }
        Some((number, _)) => {
            index.remove(number)?;
        }
        None => {}
    }
    index.insert(entry, item.name)
}

/// Writes entries one after the other.
fn write_entries(chunk: &Chunk, place: &Place) -> std::io::Result<()> {
    /// So many bytes are written at once. More of them would be copied through memory that is not
    /// in any cache, and that the system has to clear first.
    const ENOUGH: usize = 1 << 17;
    let (file, nonce) = (&place.file.file, &place.file.nonce);
    let mut buffer = Vec::with_capacity(2 * ENOUGH);
    let mut offset = place.offset;
    let flush = |buffer: &mut Vec<u8>, offset: &mut u64| {
        step();
        file.write_all_at(buffer, *offset)?;
        *offset += buffer.len() as u64;
        buffer.clear();
        std::io::Result::Ok(())
    };
    for (sequence, number) in (place.sequence..).zip(&place.fresh) {
        let ((kind, key), item) = &chunk[*number];
        let (kind, name, key, contents) = (*kind, item.name, *key, item.contents);
        let (bytes, packed, cost) = (item.stored(), item.packed.is_some(), item.cost);
        let len = bytes.len() as u64;
        let header = EntryHeader { kind, name, key, contents, packed, len, sequence, cost };
        buffer.extend(header.encode(nonce));
        if bytes.len() < ENOUGH {
            buffer.extend(bytes);
        } else {
            flush(&mut buffer, &mut offset)?;
            file.write_all_at(bytes, offset)?;
            offset += len;
        }
        buffer.resize(buffer.len() + (header.total() - HEADER - len) as usize, 0);
        if buffer.len() >= ENOUGH {
            flush(&mut buffer, &mut offset)?;
        }
    }
    flush(&mut buffer, &mut offset)
}
