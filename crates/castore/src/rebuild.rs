//! Making the index anew from the segments.

use crate::{
    Store,
    bytes::read_entry,
    index::{Entry, Index, KeyStart, Kind, Segment, Trouble},
    segment::{EntryHeader, SegmentFile},
};
use std::{
    collections::BTreeMap,
    fs::{File, Metadata},
    hash::{BuildHasher, Hasher, RandomState},
    os::unix::fs::MetadataExt,
};

/// Where an entry was found.
struct Place {
    header: EntryHeader,
    segment: u32,
    offset: u64,
}

impl Place {
    fn key(&self) -> (Kind, KeyStart) {
        (self.header.kind, self.header.key_start())
    }
    /// In the order of writing.
    fn order(&self) -> (u64, u32, u64) {
        (self.header.sequence, self.segment, self.offset)
    }
    fn entry(&self) -> Entry {
        let Place { header, segment, offset } = self;
        let entry = Entry::new(header.kind, header.key_start(), start(&header.contents.0));
        let (len, cost) = (header.total(), header.cost);
        Entry { segment: *segment, offset: *offset, len, cost, ..entry }
    }
}

impl Store {
    /// Replaces the contents of the index by what the segments hold, in the order in which it was
    /// written. Nothing is ever added to these segments: somebody may be about to write into them.
    pub(crate) fn rebuild(&self, file: &File) -> Result<(), Trouble> {
        let mut segments: BTreeMap<u32, Segment> = BTreeMap::new();
        let mut places: Vec<Place> = Vec::new();
        for id in self.home.segment_ids() {
            let slot = id % crate::index::SEGMENTS;
            let free =
                slot != 0 && segments.keys().all(|other| other % crate::index::SEGMENTS != slot);
            match self.open_segment(id)? {
                Some(segment) if free && !is_hollow(&segment.file.metadata()?) => {
                    let len = segment.file.metadata()?.len();
                    segment.scan(len, &mut |offset, header| {
                        places.push(Place { header, segment: id, offset });
                    })?;
                    segments.insert(id, Segment { id, len, live: 0 });
                }
                // What an earlier version left is not damaged, and of no use.
                _ if SegmentFile::is_outdated(&self.home.segment(id)) => {
                    let _ = std::fs::remove_file(self.home.segment(id));
                }
                _ => self.home.quarantine(&self.home.segment(id)),
            }
        }
        places.sort_by_key(|place| (place.key(), place.order()));
        let twins = places.chunk_by(|one, other| one.key() == other.key());
        let mut chosen: Vec<&Place> = twins.map(|twins| self.newest(twins)).collect();
        chosen.sort_by_key(|place| place.order());
        let mut index = Index::blank(random(), chosen.len() as u32);
        index.header.next_segment = segments.keys().next_back().map_or(1, |last| last + 1);
        segments.values().try_for_each(|segment| index.put_segment(*segment))?;
        for place in chosen {
            index.insert(place.entry(), place.header.name)?;
        }
        index.write_anew(file)
    }

    /// Of entries of one key, in the order of writing, the last that is whole: somebody may have been killed
    /// while he wrote one that another had written already.
    fn newest<'p>(&self, twins: &'p [Place]) -> &'p Place {
        let (last, earlier) = twins.split_last().expect("invariant: chunks are not empty");
        if earlier.is_empty() || self.is_whole(last) {
            return last;
        }
        earlier.iter().rev().find(|place| self.is_whole(place)).unwrap_or(last)
    }

    fn is_whole(&self, place: &Place) -> bool {
        let Ok(Some(segment)) = self.open_segment(place.segment) else { return false };
        let Place { header, .. } = place;
        read_entry(&segment, None, &place.entry(), header.kind, &header.key).is_ok()
    }

    fn open_segment(&self, id: u32) -> std::io::Result<Option<SegmentFile>> {
        SegmentFile::open(&self.home.segment(id), id, true, self.home.owners())
    }
}

/// Whether most of a file is not there: nobody reads through a terabyte of zeros.
fn is_hollow(meta: &Metadata) -> bool {
    meta.len() / 2 > meta.blocks() * 512 + (1 << 20)
}

/// The start of a digest, for comparing.
pub(crate) fn start(digest: &[u8; 32]) -> u64 {
    u64::from_le_bytes(*digest.first_chunk().expect("invariant: digests are longer"))
}

/// A number that nobody can guess.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use crate::{
        Digest, Name, Store,
        segment::{ALIGN, EntryHeader, START},
    };
    use std::{fs, os::unix::fs::FileExt};

    /// Writes the header of the first entry once more, behind all others, as that of contents which are so
    /// much longer, and nothing of them.
    fn begin_again(store: &Store, longer: u64) {
        let id = store.home.segment_ids()[0];
        let segment = store.open_segment(id).unwrap().unwrap();
        let end = segment.file.metadata().unwrap().len().next_multiple_of(ALIGN);
        let header = segment.header(START).unwrap().unwrap();
        let (len, sequence) = (header.len + longer, header.sequence + end);
        let header = EntryHeader { len, sequence, ..header };
        segment.file.write_all_at(&header.encode(&segment.nonce), end).unwrap();
        segment.file.set_len(end + header.total()).unwrap();
    }

    #[test]
    fn an_entry_that_was_begun_does_not_hide_one_that_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let contents = b"contents".repeat(1000);
        let digest = Digest::of(&contents);
        let store = Store::open(dir.path());
        assert_eq!(store.put(Name::OTHER, contents.clone()), digest);
        store.commit().unwrap();
        begin_again(&store, 0);
        begin_again(&store, 64);
        fs::remove_file(dir.path().join("cas/index")).unwrap();
        let store = Store::open(dir.path());
        assert_eq!(store.get(&digest).as_deref(), Some(&contents[..]));
        assert_eq!(store.stats().quarantined, 0);
    }
}
