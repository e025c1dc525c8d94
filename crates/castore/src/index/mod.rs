//! The index: from keys to places in segments, in the order of use. Every method is a part of a
//! transaction; its caller holds the lock of the file.

mod layout;
pub(crate) mod pages;
mod uses;

use layout::{
    ENTRIES_PER_PAGE, ENTRY_LEN, NAME_LEN, NAMES, NAMES_AT, NAMES_PER_PAGE, NO_ENTRY, SEGMENT_LEN,
    SEGMENTS_AT, SEGMENTS_PER_PAGE, SLOTS_PER_PAGE, STEP, TABLE_AT, USES_AT, USES_PAGES,
    entries_at, page_count,
};
pub(crate) use layout::{Entry, HOLDS, Header, KeyStart, Kind, SEGMENTS, Segment};
pub use layout::{Latest, Totals, Usage};
use pages::{Pages, SIZE};
pub(crate) use pages::{Source, Trouble};
use uses::{MOST_USES, Use};

use crate::{Name, sync::step};
use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    time::{SystemTime, UNIX_EPOCH},
};

/// Files are shorter, and so is what is in them.
const MAX_LEN: u64 = 1 << 48;

/// An index in a transaction. Dropping it leaves the file as it was.
pub(crate) struct Index<'f> {
    pages: Pages<'f>,
    opened: Header,
    /// Those that are noted, and not in the order of use.
    uses: Vec<Use>,
    /// Changes to it are a part of the transaction like all others.
    pub header: Header,
}

/// No more entries have the same hash, unless the index is damaged.
const LONGEST_CHAIN: u32 = 1000;

impl<'f> Index<'f> {
    /// The index in a file, with what an interrupted transaction left to be done.
    pub fn open(source: Source<'f>) -> Result<Index<'f>, Trouble> {
        let mut pages = Pages::of(source);
        let mut header = Header::read(pages.read(0)?)?;
        let count = page_count(header.capacity);
        if pages.recover(count, header.transaction + 1, header.epoch)? {
            header = Header::read(pages.read(0)?)?;
        }
        let uses = uses::read(source, seed(&header), header.clock)?;
        Ok(Index { pages, opened: header.clone(), uses, header })
    }

    /// Puts the uses that are noted into the order of use. What looks at that order, or changes
    /// anything, comes after it.
    pub fn settle(&mut self) -> Result<(), Trouble> {
        for Use { number, used, latest } in std::mem::take(&mut self.uses) {
            self.header.clock = self.header.clock.max(used);
            self.count_hit(number, used, latest)?;
        }
        Ok(())
    }

    fn count_hit(&mut self, number: u32, used: u64, latest: Latest) -> Result<(), Trouble> {
        let cost = self.touch_at(number, used)?;
        self.header.totals.hits += 1;
        self.header.totals.saved += u64::from(cost);
        self.header.latest = latest;
        Ok(())
    }

    /// Makes entries those used last, one after the other, as some that were found. Where nothing else
    /// is to be changed, and there is room, that is noted, no more.
    pub fn hit(&mut self, found: &[(u32, Latest)]) -> Result<(), Trouble> {
        let times = self.next_time()..;
        let new = times.zip(found).map(|(used, &(number, latest))| Use { number, used, latest });
        let new: Vec<Use> = new.collect();
        if self.uses.len() + new.len() > MOST_USES || self.is_changed() {
            self.uses.extend(new);
            return self.settle();
        }
        let Some(source) = self.pages.source().filter(|_| !new.is_empty()) else { return Ok(()) };
        // An entry is used nevertheless if that cannot be noted, on a full disk perhaps.
        let _ = uses::write(source, seed(&self.header), self.uses.len(), &new);
        Ok(())
    }

    /// Whether there is anything to be written.
    pub fn is_changed(&self) -> bool {
        self.pages.is_changed() || self.header != self.opened
    }

    /// Whether a file began to be an index of this version: a new one is empty.
    pub fn is_of_this_format(file: &File) -> bool {
        let mut magic = [0; Header::MAGIC.len()];
        file.read_exact_at(&mut magic, 0).is_ok() && magic == *Header::MAGIC
    }

    /// An index without entries that has room for some.
    pub fn blank(epoch: u64, entries: u32) -> Index<'f> {
        let capacity = capacity_for(entries);
        let header = Header::blank(epoch, capacity);
        Index { pages: Pages::blank(), opened: header.clone(), uses: Vec::new(), header }
    }

    /// Writes what has changed.
    pub fn commit(mut self) -> Result<(), Trouble> {
        if !self.is_changed() {
            return Ok(());
        }
        debug_assert!(self.uses.is_empty(), "they are forgotten with this");
        self.header.transaction += 1;
        let header = self.header;
        header.write(self.pages.write(0)?);
        Ok(self.pages.commit(page_count(header.capacity), header.transaction, header.epoch)?)
    }

    /// Makes this the contents of a file. One who is interrupted leaves a file that is damaged.
    pub fn write_anew(mut self, file: &File) -> Result<(), Trouble> {
        self.header.write(self.pages.write(0)?);
        step();
        file.set_len(0)?;
        step();
        let len = u64::from(page_count(self.header.capacity)) * SIZE as u64;
        let written = allocate(file, len).and_then(|()| self.pages.write_anew(file));
        written.inspect_err(|_| {
            let _ = file.set_len(0);
        })?;
        Ok(())
    }

    /// What the file takes at most: its pages, and in the journal as many or what the
    /// largest transaction changes.
    pub fn size(&self) -> u64 {
        size(self.header.capacity)
    }

    /// What it would take with room for so many more entries.
    pub fn size_with(&self, more: u32) -> u64 {
        size(self.capacity_with(more))
    }

    fn capacity_with(&self, more: u32) -> u32 {
        let needed = self.header.entries.saturating_add(more);
        if needed <= self.header.capacity {
            return self.header.capacity;
        }
        capacity_for(needed.max(self.header.capacity.saturating_mul(2)))
    }

    /// How many entries there should be room for after so many more have come.
    pub fn capacity_for_more(&self, more: u32) -> u32 {
        self.capacity_with(more)
    }

    /// How many entries there should be room for, if there is room for many that are gone.
    pub fn smaller_capacity(&self) -> Option<u32> {
        let capacity = capacity_for(self.header.entries.saturating_mul(2));
        (capacity <= self.header.capacity / 4).then_some(capacity)
    }

    /// How many entries there should be room for where all room is needed; `None`: no fewer than now.
    pub fn least_capacity(&self) -> Option<u32> {
        Some(capacity_for(self.header.entries)).filter(|least| *least < self.header.capacity)
    }

    /// What an index for so many entries takes.
    pub fn least_size(entries: u32) -> u64 {
        size(capacity_for(entries))
    }

    /// The same index with room for so many entries; `None`: it has just that.
    pub fn resized(&mut self, capacity: u32) -> Result<Option<Index<'f>>, Trouble> {
        if capacity == self.header.capacity {
            return Ok(None);
        }
        let mut grown = Index::blank(self.header.epoch, capacity);
        for page in NAMES_AT..USES_AT {
            grown.pages.write(page)?.copy_from_slice(self.pages.read(page)?);
        }
        let mut next = self.header.oldest;
        let mut steps = 0;
        while next != NO_ENTRY {
            let entry = self.entry(next)?;
            next = entry.newer;
            grown.link(entry)?;
            steps += 1;
            if steps > self.header.entries {
                return Err(Trouble::Damaged);
            }
        }
        let Header { capacity, unused, free, newest, oldest, entries, .. } = grown.header;
        grown.header = Header {
            capacity,
            unused,
            free,
            newest,
            oldest,
            entries,
            transaction: self.header.transaction + 2,
            ..self.header.clone()
        };
        Ok(Some(grown))
    }

    /// A time later than all before.
    pub fn tick(&mut self) -> u64 {
        self.header.clock = self.next_time();
        self.header.clock
    }

    fn next_time(&self) -> u64 {
        let last = self.uses.last().map_or(self.header.clock, |last| last.used);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // A clock that was wrong for a time does not stop ours for long: one tick is added.
        (last + 1).max(now.as_nanos() as u64)
    }

    fn slot(&self, kind: Kind, key: &KeyStart) -> (u32, usize) {
        let (start, _) = key.split_first_chunk().expect("invariant: keys have 16 bytes");
        let hash = u64::from_le_bytes(*start) ^ u64::from(kind.byte());
        let slot = (hash % u64::from(self.header.capacity)) as u32;
        (TABLE_AT + slot / SLOTS_PER_PAGE, (slot % SLOTS_PER_PAGE) as usize * 4)
    }

    fn first(&mut self, (page, at): (u32, usize)) -> Result<u32, Trouble> {
        let bytes = &self.pages.read(page)?[at..at + 4];
        let value = u32::from_le_bytes(bytes.try_into().expect("invariant: four bytes"));
        Ok(value.wrapping_sub(1))
    }

    fn set_first(&mut self, (page, at): (u32, usize), number: u32) -> Result<(), Trouble> {
        let value = number.wrapping_add(1).to_le_bytes();
        self.pages.write(page)?[at..at + 4].copy_from_slice(&value);
        Ok(())
    }

    fn place(&self, number: u32) -> Result<(u32, usize), Trouble> {
        if number >= self.header.unused {
            return Err(Trouble::Damaged);
        }
        let page = entries_at(self.header.capacity) + number / ENTRIES_PER_PAGE;
        Ok((page, (number % ENTRIES_PER_PAGE) as usize * ENTRY_LEN))
    }

    /// An entry by its number.
    pub fn entry(&mut self, number: u32) -> Result<Entry, Trouble> {
        let (page, at) = self.place(number)?;
        let entry = Entry::read(&self.pages.read(page)?[at..at + ENTRY_LEN]);
        // No file is that long.
        let sound = |entry: &Entry| entry.offset < MAX_LEN && entry.len < MAX_LEN;
        entry.filter(sound).ok_or(Trouble::Damaged)
    }

    fn set_entry(&mut self, number: u32, entry: &Entry) -> Result<(), Trouble> {
        let (page, at) = self.place(number)?;
        entry.write(&mut self.pages.write(page)?[at..at + ENTRY_LEN]);
        Ok(())
    }

    /// The entry of a key.
    pub fn find(&mut self, kind: Kind, key: &KeyStart) -> Result<Option<(u32, Entry)>, Trouble> {
        let mut number = self.first(self.slot(kind, key))?;
        for _ in 0..LONGEST_CHAIN {
            if number == NO_ENTRY {
                return Ok(None);
            }
            let entry = self.entry(number)?;
            if entry.kind == kind && entry.key == *key {
                return Ok(Some((number, entry)));
            }
            number = entry.chain;
        }
        Err(Trouble::Damaged)
    }

    /// The entry that was used longest ago.
    pub fn oldest(&mut self) -> Result<Option<(u32, Entry)>, Trouble> {
        match self.header.oldest {
            NO_ENTRY => Ok(None),
            number => Ok(Some((number, self.entry(number)?))),
        }
    }

    /// The entry used next after this one.
    pub fn newer(&mut self, entry: &Entry) -> Result<Option<(u32, Entry)>, Trouble> {
        match entry.newer {
            NO_ENTRY => Ok(None),
            number => Ok(Some((number, self.entry(number)?))),
        }
    }

    /// Makes an entry the one used last.
    pub fn touch(&mut self, number: u32) -> Result<(), Trouble> {
        let used = self.tick();
        self.touch_at(number, used).map(drop)
    }

    /// The same at a time later than all before. Gives how long the entry took to make.
    fn touch_at(&mut self, number: u32, used: u64) -> Result<u32, Trouble> {
        let mut entry = self.entry(number)?;
        if self.header.newest != number {
            self.unlink(number, &entry)?;
            self.append(number, &mut entry)?;
        }
        entry.used = used;
        self.set_entry(number, &entry)?;
        Ok(entry.cost)
    }

    /// Takes an entry out of the order of use.
    fn unlink(&mut self, number: u32, entry: &Entry) -> Result<(), Trouble> {
        match entry.older {
            NO_ENTRY if self.header.oldest == number => self.header.oldest = entry.newer,
            NO_ENTRY => return Err(Trouble::Damaged),
            older => self.relink(older, |entry| &mut entry.newer, number, entry.newer)?,
        }
        match entry.newer {
            NO_ENTRY if self.header.newest == number => self.header.newest = entry.older,
            NO_ENTRY => return Err(Trouble::Damaged),
            newer => self.relink(newer, |entry| &mut entry.older, number, entry.older)?,
        }
        Ok(())
    }

    /// Makes a link of an entry lead to another than the one to which it must lead.
    fn relink(
        &mut self,
        number: u32,
        link: fn(&mut Entry) -> &mut u32,
        from: u32,
        to: u32,
    ) -> Result<(), Trouble> {
        let mut entry = self.entry(number)?;
        if std::mem::replace(link(&mut entry), to) != from {
            return Err(Trouble::Damaged);
        }
        self.set_entry(number, &entry)
    }

    /// Puts an entry at the end of the order of use. It is not written.
    fn append(&mut self, number: u32, entry: &mut Entry) -> Result<(), Trouble> {
        (entry.older, entry.newer) = (self.header.newest, NO_ENTRY);
        match self.header.newest {
            NO_ENTRY => self.header.oldest = number,
            newest => {
                let mut neighbour = self.entry(newest)?;
                neighbour.newer = number;
                self.set_entry(newest, &neighbour)?;
            }
        }
        self.header.newest = number;
        Ok(())
    }

    /// Adds an entry as the one used last, under a name, and counts its bytes to its segment.
    /// There must be room for it, and no other of its key.
    pub fn insert(&mut self, mut entry: Entry, name: Name) -> Result<(), Trouble> {
        entry.used = self.tick();
        entry.name = self.name_number(name)?;
        self.count(&entry, true)?;
        self.link(entry)
    }

    /// Adds an entry to the table and to the order of use.
    fn link(&mut self, mut entry: Entry) -> Result<(), Trouble> {
        let number = match self.header.free {
            NO_ENTRY if self.header.unused < self.header.capacity => {
                self.header.unused += 1;
                self.header.unused - 1
            }
            NO_ENTRY => return Err(Trouble::Damaged),
            free => {
                let (page, at) = self.place(free)?;
                let bytes = &self.pages.read(page)?[at..at + ENTRY_LEN];
                if Entry::read(bytes).is_some() {
                    return Err(Trouble::Damaged);
                }
                self.header.free = Entry::read_free(bytes);
                free
            }
        };
        let slot = self.slot(entry.kind, &entry.key);
        entry.chain = self.first(slot)?;
        self.set_first(slot, number)?;
        self.append(number, &mut entry)?;
        self.header.entries += 1;
        self.set_entry(number, &entry)
    }

    /// Removes an entry. Gives its segment as it is now.
    pub fn remove(&mut self, number: u32) -> Result<Segment, Trouble> {
        let entry = self.entry(number)?;
        self.unlink(number, &entry)?;
        self.unchain(number, &entry)?;
        let (page, at) = self.place(number)?;
        let free = self.header.free;
        Entry::write_free(&mut self.pages.write(page)?[at..at + ENTRY_LEN], free);
        self.header.free = number;
        self.header.entries = self.header.entries.checked_sub(1).ok_or(Trouble::Damaged)?;
        self.count(&entry, false)
    }

    /// Takes an entry out of those of the same hash.
    fn unchain(&mut self, number: u32, entry: &Entry) -> Result<(), Trouble> {
        let slot = self.slot(entry.kind, &entry.key);
        let mut at = self.first(slot)?;
        if at == number {
            return self.set_first(slot, entry.chain);
        }
        for _ in 0..LONGEST_CHAIN {
            let mut other = self.entry(at)?;
            if other.chain == number {
                other.chain = entry.chain;
                return self.set_entry(at, &other);
            }
            at = other.chain;
        }
        Err(Trouble::Damaged)
    }

    /// Puts an entry elsewhere. Gives the segment where it was, as it is now.
    pub fn relocate(&mut self, number: u32, segment: u32, offset: u64) -> Result<Segment, Trouble> {
        let mut entry = self.entry(number)?;
        let old = self.count(&entry, false)?;
        (entry.segment, entry.offset) = (segment, offset);
        self.count(&entry, true)?;
        self.set_entry(number, &entry)?;
        Ok(old)
    }

    /// Counts the bytes of an entry to its segment and name, or no longer.
    fn count(&mut self, entry: &Entry, added: bool) -> Result<Segment, Trouble> {
        let add = |sum: u64, value: u64| {
            let sum = if added { sum.checked_add(value) } else { sum.checked_sub(value) };
            sum.ok_or(Trouble::Damaged)
        };
        let mut segment = self.segment(entry.segment)?.ok_or(Trouble::Damaged)?;
        segment.live = add(segment.live, entry.len)?;
        self.set_segment(entry.segment, segment)?;
        let number = usize::from(entry.name);
        let mut usage = self.usage(number)?.ok_or(Trouble::Damaged)?;
        usage.entries = add(usage.entries, 1)?;
        usage.bytes = add(usage.bytes, entry.len)?;
        self.set_usage(number, &usage)?;
        Ok(segment)
    }

    /// The segment of a number; `None`: it is gone.
    pub fn segment(&mut self, id: u32) -> Result<Option<Segment>, Trouble> {
        let segment = self.segment_at(id % SEGMENTS)?;
        Ok((id != 0 && segment.id == id).then_some(segment))
    }

    fn segment_at(&mut self, slot: u32) -> Result<Segment, Trouble> {
        let (page, at) = segment_place(slot);
        let segment = Segment::read(&self.pages.read(page)?[at..at + SEGMENT_LEN]);
        // No file is that long, and nothing holds more than there is.
        let sound = segment.len < MAX_LEN && segment.live <= segment.len;
        if sound { Ok(segment) } else { Err(Trouble::Damaged) }
    }

    fn set_segment(&mut self, id: u32, segment: Segment) -> Result<(), Trouble> {
        let (page, at) = segment_place(id % SEGMENTS);
        segment.write(&mut self.pages.write(page)?[at..at + SEGMENT_LEN]);
        Ok(())
    }

    /// All segments.
    pub fn segments(&mut self) -> Result<Vec<Segment>, Trouble> {
        let segments = (0..SEGMENTS).map(|slot| self.segment_at(slot));
        segments.filter(|segment| !matches!(segment, Ok(Segment { id: 0, .. }))).collect()
    }

    /// Adds a segment of some bytes; `None`: there are too many.
    pub fn add_segment(&mut self, len: u64) -> Result<Option<u32>, Trouble> {
        let first = self.header.next_segment;
        for id in first..first.saturating_add(SEGMENTS) {
            if id % SEGMENTS != 0 && self.segment_at(id % SEGMENTS)?.id == 0 {
                self.header.next_segment = id + 1;
                self.put_segment(Segment { id, len, live: 0 })?;
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Adds a segment that is found again.
    pub fn put_segment(&mut self, segment: Segment) -> Result<(), Trouble> {
        self.header.stored = self.header.stored.checked_add(segment.len).ok_or(Trouble::Damaged)?;
        self.set_segment(segment.id, segment)
    }

    /// Makes a segment longer, and gives where it ended.
    pub fn extend_segment(&mut self, id: u32, by: u64) -> Result<u64, Trouble> {
        let mut segment = self.segment(id)?.ok_or(Trouble::Damaged)?;
        let end = segment.len;
        segment.len = end.checked_add(by).ok_or(Trouble::Damaged)?;
        self.header.stored = self.header.stored.checked_add(by).ok_or(Trouble::Damaged)?;
        self.set_segment(id, segment)?;
        Ok(end)
    }

    /// Forgets a segment in which there is nothing.
    pub fn drop_segment(&mut self, segment: Segment) -> Result<(), Trouble> {
        self.header.stored = self.header.stored.checked_sub(segment.len).ok_or(Trouble::Damaged)?;
        if self.header.active == segment.id {
            self.header.active = 0;
        }
        self.set_segment(segment.id, Segment::default())
    }

    fn usage(&mut self, number: usize) -> Result<Option<Usage>, Trouble> {
        if number >= NAMES {
            return Err(Trouble::Damaged);
        }
        let (page, at) = name_place(number);
        Ok(Usage::read(&self.pages.read(page)?[at..at + NAME_LEN]))
    }

    fn set_usage(&mut self, number: usize, usage: &Usage) -> Result<(), Trouble> {
        let (page, at) = name_place(number);
        usage.write(&mut self.pages.write(page)?[at..at + NAME_LEN]);
        Ok(())
    }

    /// The number of a name; when there are too many, the last one stands for all others.
    fn name_number(&mut self, name: Name) -> Result<u8, Trouble> {
        for number in 0..NAMES {
            match self.usage(number)? {
                Some(usage) if usage.name == name => return Ok(number as u8),
                Some(_) => {}
                None => {
                    let name = if number + 1 == NAMES { Name::OTHER } else { name };
                    self.set_usage(number, &Usage { name, entries: 0, bytes: 0 })?;
                    return Ok(number as u8);
                }
            }
        }
        Ok((NAMES - 1) as u8)
    }

    /// What there is, by name.
    pub fn usages(&mut self) -> Result<Vec<Usage>, Trouble> {
        let usages = (0..NAMES).filter_map(|number| self.usage(number).transpose());
        usages.collect()
    }
}

fn capacity_for(entries: u32) -> u32 {
    entries.max(1).next_multiple_of(STEP)
}

fn size(capacity: u32) -> u64 {
    /// Pages that the largest transaction changes.
    const MOST_CHANGED: u32 = 1 << 12;
    let pages = page_count(capacity);
    // Uses are not written through the journal.
    let journal = (pages - USES_PAGES).min(MOST_CHANGED);
    (u64::from(pages) + u64::from(journal)) * (SIZE + 8) as u64
}

/// What tells notes made after one transaction from those made after another.
fn seed(header: &Header) -> u64 {
    header.epoch ^ header.transaction
}

fn segment_place(slot: u32) -> (u32, usize) {
    let (page, at) = (slot as usize / SEGMENTS_PER_PAGE, slot as usize % SEGMENTS_PER_PAGE);
    (SEGMENTS_AT + page as u32, at * SEGMENT_LEN)
}

fn name_place(number: usize) -> (u32, usize) {
    let (page, at) = (number / NAMES_PER_PAGE, number % NAMES_PER_PAGE);
    (NAMES_AT + page as u32, at * NAME_LEN)
}

/// Makes a file this long, with room on the disk for all of it: where holes are filled when they are
/// read, as on tmpfs, a full disk would end those who have mapped them.
fn allocate(file: &File, len: u64) -> io::Result<()> {
    file.set_len(len)?;
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, len) {
        // Such a file system fills no holes for who reads them.
        Ok(()) | Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn as_io(trouble: Trouble) -> io::Error {
    match trouble {
        Trouble::Damaged => io::Error::other("the index is damaged"),
        Trouble::Io(error) => error,
    }
}
