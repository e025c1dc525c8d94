//! What a store gives out.

use crate::{
    Digest, Hasher,
    index::{Entry, Kind},
    mapped::{Lent, Window},
    pack,
    segment::{EntryHeader, HEADER, SegmentFile},
    sync::step,
};
use std::{fmt, io, ops::Deref, os::unix::fs::FileExt, sync::Arc};

/// The contents of a blob, in memory or in the mapped file of the store. They have been verified.
#[derive(Clone)]
pub struct Bytes(Held);

#[derive(Clone)]
enum Held {
    Memory(Arc<[u8]>),
    Mapped(Lent),
}

impl Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Held::Memory(bytes) => bytes,
            Held::Mapped(lent) => lent,
        }
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<Arc<[u8]>> for Bytes {
    fn from(bytes: Arc<[u8]>) -> Bytes {
        Bytes(Held::Memory(bytes))
    }
}

/// Copies what is mapped.
impl From<Bytes> for Arc<[u8]> {
    fn from(bytes: Bytes) -> Arc<[u8]> {
        match bytes.0 {
            Held::Memory(bytes) => bytes,
            Held::Mapped(lent) => Arc::from(&lent[..]),
        }
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if matches!(self.0, Held::Mapped(_)) { "mapped" } else { "in memory" };
        write!(f, "Bytes({}, {place})", self.len())
    }
}

/// Why an entry could not be read.
pub(crate) enum Unread {
    /// It may be good, but cannot be had now.
    Unavailable,
    /// What is there is not the entry; some of it.
    Bad(Vec<u8>),
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Unread {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Unread::Bad(Vec::new()),
            _ => Unread::Unavailable,
        }
    }
}

/// Entries up to this length are read with their headers, in one call.
const SMALL: u64 = 1 << 13;
/// So much of an entry can be in memory before its header has been looked at, which says how long it
/// really is.
pub(crate) const UNSEEN: u64 = 1 << 17;

/// Reads and verifies an entry. It stays in its file if the start of it, up to `UNSEEN` bytes, has been
/// brought into a window.
pub(crate) fn read_entry(
    segment: &SegmentFile,
    window: Option<&Arc<Window>>,
    entry: &Entry,
    kind: Kind,
    key: &Digest,
) -> Result<Bytes, Unread> {
    step();
    let window = window.filter(|window| window.covers(entry.offset, HEADER));
    let start = match window {
        Some(window) => {
            let mut header = vec![0; HEADER as usize];
            window.copy(entry.offset, &mut header);
            header
        }
        None => read_start(segment, entry)?,
    };
    let header = start.first_chunk().and_then(|bytes| segment.decode(bytes));
    let header = header
        .filter(|header| header.kind == kind && header.key == *key && header.total() == entry.len);
    let Some(header) = header else { return Err(Unread::Bad(Vec::new())) };
    let (offset, len) = (entry.offset + HEADER, header.len);
    let lent = window
        .filter(|window| entry.len <= UNSEEN || window.bring(offset, len))
        .and_then(|window| Lent::of(window, offset, len));
    let stored = match (lent, start.get(HEADER as usize..(HEADER + len) as usize)) {
        (Some(lent), _) => Stored::hashed(Bytes(Held::Mapped(lent)), &header),
        (None, Some(bytes)) => Stored::hashed(Bytes::from(Arc::from(bytes)), &header),
        (None, None) => Stored::read(segment, offset, &header)?,
    };
    let Stored { mut bytes, mut digest } = stored;
    if header.packed {
        bytes = unpack(&bytes).ok_or_else(|| Unread::Bad(bytes.to_vec()))?.into();
        digest = Digest::of(&bytes);
    }
    let sound = digest == header.contents && (kind == Kind::Record || digest == *key);
    if sound { Ok(bytes) } else { Err(Unread::Bad(bytes.to_vec())) }
}

/// The header of an entry, and all of it if it is small.
fn read_start(segment: &SegmentFile, entry: &Entry) -> io::Result<Vec<u8>> {
    let len = if entry.len <= SMALL { entry.len.max(HEADER) } else { HEADER };
    let mut start = vec![0; len as usize];
    let read = segment.read_up_to(&mut start, entry.offset)?;
    start.truncate(read);
    Ok(start)
}

/// The contents as they are in the segment, with their digest unless they are packed.
struct Stored {
    bytes: Bytes,
    digest: Digest,
}

impl Stored {
    fn hashed(bytes: Bytes, header: &EntryHeader) -> Stored {
        let digest = if header.packed { header.contents } else { Digest::of(&bytes) };
        Stored { bytes, digest }
    }

    /// Piece by piece, so that what is hashed is still in the processor's cache.
    fn read(segment: &SegmentFile, mut offset: u64, header: &EntryHeader) -> io::Result<Stored> {
        // No memory for what is not there.
        if offset.saturating_add(header.len) > segment.file.metadata()?.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, header.len as usize).collect();
        let room = Arc::get_mut(&mut bytes).expect("invariant: it is not shared yet");
        let mut hasher = Hasher::default();
        for piece in room.chunks_mut(1 << 17) {
            segment.file.read_exact_at(piece, offset)?;
            if !header.packed {
                hasher.update(piece);
            }
            offset += piece.len() as u64;
        }
        Ok(Stored { bytes: bytes.into(), digest: hasher.finish() })
    }
}

fn unpack(packed: &[u8]) -> Option<Arc<[u8]>> {
    let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, pack::len(packed)?).collect();
    let room = Arc::get_mut(&mut bytes).expect("invariant: it is not shared yet");
    pack::unpack(packed, room).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Name,
        segment::{MAX_LEN, START, key_start},
    };

    /// The most memory that this process has had so far, in kilobytes.
    fn most_memory() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// An entry that is as large as can be, but for its contents.
    #[test]
    fn no_memory_is_taken_for_what_is_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let segment = SegmentFile::create(&dir.path().join("1"), 1, [3; 16]).unwrap();
        let (key, kind) = (Digest::of(b"key"), Kind::Blob);
        for (len, packed) in [(MAX_LEN, false), (MAX_LEN, true), (1 << 20, false)] {
            let header = EntryHeader {
                kind,
                name: Name::OTHER,
                key,
                contents: key,
                packed,
                len,
                sequence: 1,
                cost: 0,
            };
            segment.file.write_all_at(&header.encode(&segment.nonce), START).unwrap();
            let entry = Entry::new(kind, key_start(&key), 0);
            let entry = Entry { segment: 1, offset: START, len: header.total(), ..entry };
            let window = segment.window(entry.offset + entry.len).unwrap();
            for window in [None, Some(&window)] {
                let read = read_entry(&segment, window, &entry, kind, &key);
                assert!(matches!(read, Err(Unread::Bad(_))), "{len}");
            }
        }
        assert!(most_memory() < 1 << 20, "{} KB", most_memory());
    }
}
