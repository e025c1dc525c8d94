//! Where things are in the pages of an index, and how they are written.
//!
//! ```text
//! page 0            header
//! pages 1, 2        names of kinds, with the number and bytes of their entries
//! 24 pages          segments, each at its number modulo 504
//! 8 pages           uses that are noted, see `uses`
//! capacity / 126    hash table: for each hash the first entry, plus one; zero is none
//! capacity / 7      entries: what the store finds by a key, linked three times: to others of the
//!                   same hash, and to the next used before and after
//! ```

use super::pages::{DATA, Trouble};
use crate::Name;

/// No number that is counted up gets there, so sums need not be checked.
pub(super) const MOST: u64 = 1 << 62;

pub(super) const NO_ENTRY: u32 = u32::MAX;

pub(super) const NAMES_AT: u32 = 1;
pub(super) const NAME_LEN: usize = 32;
pub(super) const NAMES_PER_PAGE: usize = DATA / NAME_LEN;
pub(super) const NAMES: usize = 2 * NAMES_PER_PAGE;

pub(super) const SEGMENTS_AT: u32 = 3;
pub(super) const SEGMENT_LEN: usize = 24;
pub(super) const SEGMENTS_PER_PAGE: usize = DATA / SEGMENT_LEN;
/// As many segments there can be.
pub(crate) const SEGMENTS: u32 = 24 * SEGMENTS_PER_PAGE as u32;

pub(super) const USES_AT: u32 = SEGMENTS_AT + 24;
/// Pages for uses.
pub(super) const USES_PAGES: u32 = 8;

pub(super) const TABLE_AT: u32 = USES_AT + USES_PAGES;
pub(super) const SLOTS_PER_PAGE: u32 = (DATA / 4) as u32;
pub(super) const ENTRY_LEN: usize = 72;
pub(super) const ENTRIES_PER_PAGE: u32 = (DATA / ENTRY_LEN) as u32;

/// The capacity of an index is a multiple of this, so that its pages are full.
pub(super) const STEP: u32 = SLOTS_PER_PAGE;

/// How many processes can hold entries at once.
pub(crate) const HOLDS: usize = 32;

/// The number of pages of an index for so many entries.
pub(super) fn page_count(capacity: u32) -> u32 {
    entries_at(capacity) + capacity / ENTRIES_PER_PAGE
}

pub(super) fn entries_at(capacity: u32) -> u32 {
    TABLE_AT + capacity / SLOTS_PER_PAGE
}

/// Reads numbers and byte strings one after the other.
pub(super) struct Reader<'a>(pub &'a [u8]);

impl Reader<'_> {
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let (first, rest) = self.0.split_first_chunk().expect("invariant: layouts fit into pages");
        self.0 = rest;
        *first
    }
    pub fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.bytes())
    }
    pub fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.bytes())
    }
}

/// Writes them.
pub(super) struct Writer<'a>(pub &'a mut [u8]);

impl Writer<'_> {
    pub fn bytes(&mut self, bytes: &[u8]) {
        let (first, rest) = std::mem::take(&mut self.0).split_at_mut(bytes.len());
        first.copy_from_slice(bytes);
        self.0 = rest;
    }
    pub fn u64s<const N: usize>(&mut self, values: [u64; N]) {
        values.iter().for_each(|value| self.bytes(&value.to_le_bytes()));
    }
    pub fn u32s<const N: usize>(&mut self, values: [u32; N]) {
        values.iter().for_each(|value| self.bytes(&value.to_le_bytes()));
    }
}

/// Page 0.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    /// The number of the last transaction.
    pub transaction: u64,
    /// Random: an index that was made anew has another.
    pub epoch: u64,
    /// The latest time of use that was given out: nanoseconds since 1970, but never twice the same.
    pub clock: u64,
    /// How many entries there is room for.
    pub capacity: u32,
    /// Entries from here on have never been used.
    pub unused: u32,
    /// The first entry that is free; they are linked by `chain`.
    pub free: u32,
    /// The entry used last.
    pub newest: u32,
    /// The entry used longest ago.
    pub oldest: u32,
    /// How many entries there are.
    pub entries: u32,
    /// The segment that is being filled; 0 is none.
    pub active: u32,
    /// The number of the next segment.
    pub next_segment: u32,
    /// The bytes of all segments.
    pub stored: u64,
    /// Bytes that are about to be written beside the store.
    pub reserved: u64,
    /// What happened since the store was made.
    pub totals: Totals,
    /// What happened last.
    pub latest: Latest,
    /// Since when each holder holds what is used; 0 is nobody.
    pub holds: [u64; HOLDS],
}

/// What happened in a store since it was made, through all processes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Totals {
    /// Entries found.
    pub hits: u64,
    /// Entries not found, as far as processes told.
    pub misses: u64,
    /// Entries written.
    pub written: u64,
    /// Entries that made room for others.
    pub evicted: u64,
    /// Entries that were damaged.
    pub quarantined: u64,
    /// Entries for which there was no room.
    pub refused: u64,
    /// Microseconds that it had taken to make what was found.
    pub saved: u64,
}

/// What happened through the last [`Store`](crate::Store) that found or wrote something, since it
/// was opened or [released](crate::Store::release).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Latest {
    /// Entries found.
    pub hits: u64,
    /// Entries not found.
    pub misses: u64,
    /// Microseconds that it had taken to make what was found.
    pub saved: u64,
}

impl Header {
    /// The format and its version.
    pub const MAGIC: &[u8; 8] = b"casindx\x05";

    pub fn blank(epoch: u64, capacity: u32) -> Header {
        Header {
            transaction: 1,
            epoch,
            clock: 1,
            capacity,
            unused: 0,
            free: NO_ENTRY,
            newest: NO_ENTRY,
            oldest: NO_ENTRY,
            entries: 0,
            active: 0,
            next_segment: 1,
            stored: 0,
            reserved: 0,
            totals: Totals::default(),
            latest: Latest::default(),
            holds: [0; HOLDS],
        }
    }

    pub fn read(page: &[u8]) -> Result<Header, Trouble> {
        let mut reader = Reader(page);
        if reader.bytes() != *Header::MAGIC {
            return Err(Trouble::Damaged);
        }
        let header = Header {
            transaction: reader.u64(),
            epoch: reader.u64(),
            clock: reader.u64(),
            capacity: reader.u32(),
            unused: reader.u32(),
            free: reader.u32(),
            newest: reader.u32(),
            oldest: reader.u32(),
            entries: reader.u32(),
            active: reader.u32(),
            next_segment: reader.u32(),
            stored: reader.u64(),
            reserved: reader.u64(),
            totals: Totals {
                hits: reader.u64(),
                misses: reader.u64(),
                written: reader.u64(),
                evicted: reader.u64(),
                quarantined: reader.u64(),
                refused: reader.u64(),
                saved: reader.u64(),
            },
            latest: Latest { hits: reader.u64(), misses: reader.u64(), saved: reader.u64() },
            holds: std::array::from_fn(|_| reader.u64()),
        };
        let sound = header.capacity > 0
            && header.capacity.is_multiple_of(STEP)
            && header.unused <= header.capacity
            && header.entries <= header.unused
            && header.next_segment < 1 << 31
            && header.numbers().iter().all(|number| *number < MOST);
        if sound { Ok(header) } else { Err(Trouble::Damaged) }
    }

    /// What is counted up.
    fn numbers(&self) -> [u64; 12] {
        let Totals { hits, misses, written, evicted, quarantined, refused, saved } = self.totals;
        let counts = [hits, misses, written, evicted, quarantined, refused, saved];
        let [a, b, c, d, e, f, g] = counts;
        let Header { transaction, clock, stored, reserved, .. } = *self;
        [transaction, clock, stored, reserved, self.latest.saved, a, b, c, d, e, f, g]
    }

    pub fn write(&self, page: &mut [u8]) {
        let mut writer = Writer(page);
        writer.bytes(Header::MAGIC);
        writer.u64s([self.transaction, self.epoch, self.clock]);
        writer.u32s([self.capacity, self.unused, self.free, self.newest]);
        writer.u32s([self.oldest, self.entries, self.active, self.next_segment]);
        writer.u64s([self.stored, self.reserved]);
        let Totals { hits, misses, written, evicted, quarantined, refused, saved } = self.totals;
        writer.u64s([hits, misses, written, evicted, quarantined, refused, saved]);
        let Latest { hits, misses, saved } = self.latest;
        writer.u64s([hits, misses, saved]);
        writer.u64s(self.holds);
    }
}

/// Blobs and records have keys of their own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Kind {
    Blob,
    Record,
}

impl Kind {
    pub fn from_byte(byte: u8) -> Option<Kind> {
        match byte {
            1 => Some(Kind::Blob),
            2 => Some(Kind::Record),
            _ => None,
        }
    }
    pub fn byte(self) -> u8 {
        match self {
            Kind::Blob => 1,
            Kind::Record => 2,
        }
    }
}

/// The start of a key. Keys are digests, so this is as good as all of it.
pub(crate) type KeyStart = [u8; 16];

/// An entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    pub kind: Kind,
    pub key: KeyStart,
    /// The start of the digest of its bytes.
    pub contents: u64,
    /// The segment in which it is.
    pub segment: u32,
    /// Where it is in the segment.
    pub offset: u64,
    /// How many bytes of the segment it takes.
    pub len: u64,
    /// When it was last used, by the clock of the header.
    pub used: u64,
    /// Its name, as a number in the table of names.
    pub name: u8,
    /// How long it took to make, in microseconds.
    pub cost: u32,
    /// The entry used before; these links are the index's own.
    pub older: u32,
    /// The entry used after.
    pub newer: u32,
    /// Another entry of the same hash.
    pub chain: u32,
}

impl Entry {
    /// An entry that is in no list yet.
    pub fn new(kind: Kind, key: KeyStart, contents: u64) -> Entry {
        let (older, newer, chain) = (NO_ENTRY, NO_ENTRY, NO_ENTRY);
        let (segment, offset, len, used, name, cost) = (0, 0, 0, 0, 0, 0);
        Entry { kind, key, contents, segment, offset, len, used, name, cost, older, newer, chain }
    }

    /// `None`: it is free.
    pub(super) fn read(bytes: &[u8]) -> Option<Entry> {
        let mut reader = Reader(bytes);
        let (key, contents) = (reader.bytes(), reader.u64());
        let (offset, len, used) = (reader.u64(), reader.u64(), reader.u64());
        let (segment, older, newer, chain) =
            (reader.u32(), reader.u32(), reader.u32(), reader.u32());
        let [kind, name] = reader.bytes();
        let (kind, cost) = (Kind::from_byte(kind)?, reader.u32());
        Some(Entry {
            kind,
            key,
            contents,
            segment,
            offset,
            len,
            used,
            name,
            cost,
            older,
            newer,
            chain,
        })
    }

    pub(super) fn write(&self, bytes: &mut [u8]) {
        let mut writer = Writer(bytes);
        writer.bytes(&self.key);
        writer.u64s([self.contents, self.offset, self.len, self.used]);
        writer.u32s([self.segment, self.older, self.newer, self.chain]);
        writer.bytes(&[self.kind.byte(), self.name]);
        writer.u32s([self.cost]);
    }

    /// A free entry, before another.
    pub(super) fn write_free(bytes: &mut [u8], next: u32) {
        bytes.fill(0);
        bytes[CHAIN_AT..CHAIN_AT + 4].copy_from_slice(&next.to_le_bytes());
    }
    /// What a free entry is before.
    pub(super) fn read_free(bytes: &[u8]) -> u32 {
        Reader(&bytes[CHAIN_AT..]).u32()
    }
}

/// Where `chain` is in an entry.
const CHAIN_AT: usize = 60;

/// A segment.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Segment {
    /// Its number; 0: there is none.
    pub id: u32,
    /// Bytes of the file, also those that somebody is about to write.
    pub len: u64,
    /// Bytes of entries.
    pub live: u64,
}

impl Segment {
    pub(super) fn read(bytes: &[u8]) -> Segment {
        let mut reader = Reader(bytes);
        let (id, _) = (reader.u32(), reader.u32());
        Segment { id, len: reader.u64(), live: reader.u64() }
    }
    pub(super) fn write(&self, bytes: &mut [u8]) {
        let mut writer = Writer(bytes);
        writer.u32s([self.id, 0]);
        writer.u64s([self.len, self.live]);
    }
}

/// How much there is of a kind of entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// The kind.
    pub name: Name,
    /// Blobs and records.
    pub entries: u64,
    /// What they take, with what describes them.
    pub bytes: u64,
}

impl Usage {
    /// `None`: this place in the table is free.
    pub(super) fn read(bytes: &[u8]) -> Option<Usage> {
        let mut reader = Reader(bytes);
        let name = Name::from_bytes(reader.bytes())?;
        Some(Usage { name, entries: reader.u64(), bytes: reader.u64() })
    }
    pub(super) fn write(&self, bytes: &mut [u8]) {
        let mut writer = Writer(bytes);
        writer.bytes(self.name.bytes());
        writer.u64s([self.entries, self.bytes]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_read_as_written() {
        let mut header = Header::blank(7, STEP);
        header.totals = Totals {
            hits: 1,
            misses: 2,
            written: 3,
            evicted: 4,
            quarantined: 5,
            refused: 6,
            saved: 7,
        };
        header.latest = Latest { hits: 8, misses: 9, saved: 10 };
        header.holds[HOLDS - 1] = 9;
        let mut page = [0; DATA];
        header.write(&mut page);
        assert_eq!(Header::read(&page).unwrap(), header);
        page[0] ^= 1;
        assert!(Header::read(&page).is_err());

        // A number from which nothing can be counted up.
        header.totals.written = u64::MAX;
        header.write(&mut page);
        assert!(Header::read(&page).is_err());

        let entry = Entry {
            segment: 3,
            offset: 4,
            len: 5,
            used: 6,
            name: 7,
            cost: 11,
            older: 8,
            newer: 9,
            chain: 10,
            ..Entry::new(Kind::Record, [1; 16], 2)
        };
        let mut bytes = [0; ENTRY_LEN];
        entry.write(&mut bytes);
        assert_eq!(Entry::read(&bytes), Some(entry));
        assert_eq!(Entry::read_free(&bytes), 10);
        Entry::write_free(&mut bytes, 11);
        assert_eq!((Entry::read(&bytes), Entry::read_free(&bytes)), (None, 11));
    }
}
