//! Room for new entries: evicting those used longest ago, and moving what is left together.
//!
//! All files of the store are counted, those that somebody is about to write among them, and room
//! is made before it is taken, so the store never takes more than its cap. A part of the cap is
//! set aside for moving entries.

use crate::{
    Store,
    hold::{held_since, is_alone},
    home::is_absent,
    index::{Header, Index, Segment, Trouble},
    place::{Found, look},
    rebuild::random,
    segment::{EntryHeader, HEADER, START, SegmentFile},
    sync,
    transaction::Transaction,
};
use std::{io, os::unix::fs::FileExt, path::Path, sync::Arc};

/// What came of asking for room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Room {
    /// There is room.
    Made,
    /// Some was made; ask again in another step.
    Again,
    /// What is there is held, or there never is that much.
    None,
}

/// So many entries are evicted in one step, so that others need not wait long.
const MOST_EVICTED: usize = 500;

impl Store {
    /// The length of a segment. One that is larger than this holds a single entry.
    pub(crate) fn segment_len(&self) -> u64 {
        (self.config.max_size / 128).max(1 << 12)
    }

    /// What the store takes at most, except while entries are moved.
    fn limit(&self) -> u64 {
        let set_aside = 2 * self.segment_len() + self.beside.bytes();
        self.config.max_size.saturating_sub(set_aside)
    }

    /// Whether the cap allows more than an empty store.
    pub(crate) fn has_room_for_any(&self) -> bool {
        Index::blank(0, 1).size() + START + HEADER <= self.limit()
    }

    /// Sees to it that so many more bytes and entries fit.
    pub(crate) fn make_room(
        &self,
        step: &mut Transaction,
        bytes: u64,
        entries: u32,
    ) -> Result<Room, Trouble> {
        let bytes = bytes.saturating_add(START);
        let needed = |index: &Index| {
            let taken = index.header.stored.saturating_add(index.header.reserved);
            index.size_with(entries).saturating_add(taken).saturating_add(bytes)
        };
        self.beside.look(needed(&step.index), self.config.max_size);
        if needed(&step.index) <= self.limit() {
            return Ok(self.grow_if_needed(step, entries));
        }
        let bytes = bytes.saturating_add(step.index.header.reserved);
        if step.index.size_with(entries).saturating_add(bytes) > self.limit() {
            return self.shrink_index(step, bytes, entries);
        }
        for segment in step.index.segments()? {
            if needed(&step.index) > self.limit() {
                self.reclaim(step, segment.id)?;
            }
        }
        let held = held_since(&self.home, step.opened.hold, &mut step.index);
        for _ in 0..MOST_EVICTED {
            if needed(&step.index) <= self.limit() {
                return Ok(self.grow_if_needed(step, entries));
            }
            match step.index.oldest()? {
                Some((number, entry)) if entry.used < held => {
                    let segment = step.index.remove(number)?;
                    step.index.header.totals.evicted += 1;
                    self.reclaim(step, segment.id)?;
                }
                _ => return Ok(Room::None),
            }
        }
        Ok(Room::Again)
    }

    /// Evicts entries so that the index, which was made for a larger cap, needs less room itself.
    fn shrink_index(
        &self,
        step: &mut Transaction,
        bytes: u64,
        entries: u32,
    ) -> Result<Room, Trouble> {
        if Index::least_size(entries).saturating_add(bytes) > self.limit() {
            return Ok(Room::None);
        }
        let mut evicted = 0;
        self.evict(step, 0, 0, &mut evicted)?;
        step.resize = step.index.smaller_capacity();
        if evicted == 0 && step.resize.is_none() { Ok(Room::None) } else { Ok(Room::Again) }
    }

    fn grow_if_needed(&self, step: &mut Transaction, entries: u32) -> Room {
        if step.index.size_with(entries) == step.index.size() {
            return Room::Made;
        }
        step.resize = Some(step.index.capacity_for_more(entries));
        Room::Again
    }

    /// Evicts everything that was used before a time, and until the store takes no more than a
    /// size. `false`: there is more to do.
    pub(crate) fn evict(
        &self,
        step: &mut Transaction,
        max_size: u64,
        before: u64,
        evicted: &mut u64,
    ) -> Result<bool, Trouble> {
        if step.read_only {
            return Ok(true);
        }
        self.beside.look(u64::MAX, 0);
        let held = held_since(&self.home, step.opened.hold, &mut step.index);
        for _ in 0..MOST_EVICTED {
            // The index can be made smaller when all is done.
            let entries = step.index.header.entries;
            let rest = step.index.header.stored.saturating_add(self.beside.bytes());
            let size = Index::least_size(entries).saturating_add(rest);
            match step.index.oldest()? {
                Some((number, entry))
                    if entry.used < held && (size > max_size || entry.used < before) =>
                {
                    let segment = step.index.remove(number)?;
                    *evicted += 1;
                    step.index.header.totals.evicted += 1;
                    self.reclaim_any(step, segment.id)?;
                    if step.doomed_bytes > 0 {
                        // With the room of that file, others can be moved together.
                        return Ok(false);
                    }
                }
                _ => {
                    let is_tight = step.index.size().saturating_add(rest) > max_size;
                    let least = step.index.least_capacity().filter(|_| is_tight);
                    step.resize = least.or_else(|| step.index.smaller_capacity());
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// A cap may have been lowered since the store was filled: evicts what is too much, before any of
    /// it is used. Where there is no room for a store at all, it is deleted. Once is enough, and it is
    /// done when something is first looked up or written; whoever comes meanwhile waits for it.
    pub fn fit(&self) {
        if !self.config.read_only {
            self.fitted.call_once_force(|_| self.fit_all());
        }
    }

    fn fit_all(&self) {
        let mut before = 0;
        let mut fit_step = |step: &mut Transaction| {
            before = self.taken(step).max(before);
            step.bound = before;
            self.fit_step(step)
        };
        // What cannot be done now is left to whoever comes next.
        while let Ok(Some(false)) = self.transact(false, &mut fit_step) {}
    }

    /// `false`: there is more to do.
    fn fit_step(&self, step: &mut Transaction) -> Result<bool, Trouble> {
        let max_size = self.config.max_size;
        self.beside.look(step.index.size().saturating_add(step.index.header.stored), max_size);
        if step.read_only || self.taken(step) <= max_size {
            return Ok(true);
        }
        let done = self.evict(step, max_size, 0, &mut 0)?;
        if done
            && !self.has_room_for_any()
            && step.index.header.entries == 0
            && is_alone(&self.home, step.opened.hold, &mut step.index)
        {
            self.home.delete();
        }
        Ok(done)
    }

    /// What all files take, with those beside the store.
    fn taken(&self, step: &Transaction) -> u64 {
        let Header { stored, reserved, .. } = step.index.header;
        let beside = self.beside.bytes().saturating_add(reserved);
        step.index.size().saturating_add(stored).saturating_add(beside)
    }

    /// Gives the room of a segment back of which enough is unused, unless others may be about to write
    /// there.
    pub(crate) fn reclaim(&self, step: &mut Transaction, id: u32) -> Result<(), Trouble> {
        let is_filled = |segment: Segment| segment.id == id && segment.live > 0;
        let active = step.index.header.active;
        match step.index.segment(active)? {
            Some(segment) if is_filled(segment) => Ok(()),
            _ => self.reclaim_any(step, id),
        }
    }

    /// The same of any segment: whoever is about to write there has to do it again elsewhere.
    pub(crate) fn reclaim_any(&self, step: &mut Transaction, id: u32) -> Result<(), Trouble> {
        let Some(segment) = step.index.segment(id)? else { return Ok(()) };
        if segment.live == 0 {
            return step.drop_segment(segment);
        }
        let wasted = segment.len - segment.live.min(segment.len);
        if wasted < segment.len / 4 {
            return Ok(());
        }
        match self.compact(step, segment) {
            // The disk is full, or the segment cannot be read; what is in it can be evicted still.
            Err(Trouble::Io(_)) => Ok(()),
            result => result,
        }
    }

    /// Moves the entries of a segment to another one.
    fn compact(&self, step: &mut Transaction, segment: Segment) -> Result<(), Trouble> {
        // Files that are no longer needed are there until the step ends.
        let needed = (segment.live + START).saturating_add(step.doomed_bytes);
        if self.taken(step).saturating_add(needed) > self.config.max_size.max(step.bound) {
            return Ok(());
        }
        let Some(from) = self.segment(step, segment.id)? else { return Ok(()) };
        let mut found: Vec<(u64, EntryHeader)> = Vec::new();
        from.scan(segment.len, &mut |offset, header| found.push((offset, header)))?;
        if step.index.header.active == segment.id {
            step.index.header.active = 0;
        }
        let Some((to, mut offset)) = self.place(step, segment.live)? else { return Ok(()) };
        let target = self.segment(step, to)?.ok_or(Trouble::Damaged)?;
        let mut remaining = segment.live;
        for (at, header) in found {
            let Some((number, entry)) = step.index.find(header.kind, &header.key_start())? else {
                continue;
            };
            if (entry.segment, entry.offset) != (segment.id, at) || entry.len != header.total() {
                continue;
            }
            remaining = remaining.checked_sub(entry.len).ok_or(Trouble::Damaged)?;
            copy(&from, &target, (at, offset), &header)?;
            step.index.relocate(number, to, offset)?;
            offset += entry.len;
        }
        match step.index.segment(segment.id)? {
            Some(segment) if segment.live == 0 => step.drop_segment(segment),
            // Entries whose headers are damaged: they are found out when they are read.
            _ => Ok(()),
        }
    }

    /// A place for so many bytes: the number of a segment, and where in it. `None`: there are too
    /// many segments.
    pub(crate) fn place(
        &self,
        step: &mut Transaction,
        bytes: u64,
    ) -> Result<Option<(u32, u64)>, Trouble> {
        let active = step.index.header.active;
        if let Some(segment) = step.index.segment(active)?
            && segment.len + bytes <= self.segment_len().max(START)
        {
            return Ok(Some((active, step.index.extend_segment(active, bytes)?)));
        }
        let Some(id) = step.index.add_segment(START)? else { return Ok(None) };
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&random().to_le_bytes());
        nonce[8..].copy_from_slice(&random().to_le_bytes());
        let file = SegmentFile::create(&self.home.segment(id), id, nonce)?;
        step.keep_open(id, Arc::new(file));
        if START + bytes < self.segment_len() {
            step.index.header.active = id;
        }
        Ok(Some((id, step.index.extend_segment(id, bytes)?)))
    }

    /// An open segment; `None`: its file is gone or something else.
    pub(crate) fn segment(
        &self,
        step: &mut Transaction,
        id: u32,
    ) -> io::Result<Option<Arc<SegmentFile>>> {
        if let Some(segment) = step.open_segment(id) {
            return Ok(Some(segment));
        }
        match SegmentFile::open(&self.home.segment(id), id, !step.read_only, self.home.owners()) {
            Ok(Some(segment)) => {
                let segment = Arc::new(segment);
                step.keep_open(id, segment.clone());
                Ok(Some(segment))
            }
            Ok(None) => Ok(None),
            // Anything but a file is in its place, or nothing.
            Err(error) if is_gone(&error, &self.home.segment(id)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn is_gone(error: &io::Error, path: &Path) -> bool {
    is_absent(error) || matches!(look(path), Found::Dir | Found::Other | Found::Hidden)
}

/// Copies an entry. Its contents are not looked at: whoever reads them does.
fn copy(
    from: &SegmentFile,
    to: &SegmentFile,
    (at, offset): (u64, u64),
    header: &EntryHeader,
) -> io::Result<()> {
    sync::step();
    to.file.write_all_at(&header.encode(&to.nonce), offset)?;
    let mut buffer = vec![0; header.len.min(1 << 18) as usize];
    let mut done = 0;
    while done < header.len {
        let part = &mut buffer[..(header.len - done).min(1 << 18) as usize];
        from.file.read_exact_at(part, at + HEADER + done)?;
        to.file.write_all_at(part, offset + HEADER + done)?;
        done += part.len() as u64;
    }
    Ok(())
}
