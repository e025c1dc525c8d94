//! Making the index anew from the segments.

use crate::{
    Store,
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

impl Store {
    /// Replaces the contents of the index by what the segments hold, in the order in which it was
    /// written. Nothing is ever added to these segments: somebody may be about to write into them.
    pub(crate) fn rebuild(&self, file: &File) -> Result<(), Trouble> {
        let mut segments: BTreeMap<u32, Segment> = BTreeMap::new();
        let mut newest: BTreeMap<(Kind, KeyStart), Place> = BTreeMap::new();
        for id in self.home.segment_ids() {
            let slot = id % crate::index::SEGMENTS;
            let free =
                slot != 0 && segments.keys().all(|other| other % crate::index::SEGMENTS != slot);
            match SegmentFile::open(&self.home.segment(id), id, true, self.home.owners())? {
                Some(segment) if free && !is_hollow(&segment.file.metadata()?) => {
                    let len = segment.file.metadata()?.len();
                    segment.scan(len, &mut |offset, header| {
                        let key = (header.kind, header.key_start());
                        let older = newest.get(&key).map_or(0, |place| place.header.sequence);
                        if header.sequence >= older {
                            newest.insert(key, Place { header, segment: id, offset });
                        }
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
        let mut places: Vec<Place> = newest.into_values().collect();
        places.sort_by_key(|place| (place.header.sequence, place.segment, place.offset));
        let mut index = Index::blank(random(), places.len() as u32);
        index.header.next_segment = segments.keys().next_back().map_or(1, |last| last + 1);
        segments.values().try_for_each(|segment| index.put_segment(*segment))?;
        for Place { header, segment, offset } in places {
            let entry = Entry::new(header.kind, header.key_start(), start(&header.contents.0));
            let entry = Entry { segment, offset, len: header.total(), cost: header.cost, ..entry };
            index.insert(entry, header.name)?;
        }
        index.write_anew(file)
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
