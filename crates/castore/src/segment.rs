//! Segments: files in which entries lie one after the other, each described by a header of its own,
//! so that an index can be made from them.
//!
//! ```text
//! magic, 16 bytes | number | nonce, 16 bytes | zeros up to 64 bytes
//! then entries, each at a multiple of 64:
//!     magic | kind | packed | name | key | digest of the contents | length | sequence number |
//!     cost | checksum
//!     the contents, and zeros
//! ```
//!
//! The nonce is a part of every checksum: contents that look like an entry are none, since whoever
//! made them did not know it. A header is never changed once it is written. What lies between
//! entries (somebody was killed while writing) is passed over.

use crate::{
    Digest, Hasher, Name,
    index::{KeyStart, Kind},
    mapped::Window,
    place::{self, Owners},
    sync::{Mutex, step},
};
use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::Path,
    sync::{Arc, PoisonError},
};

/// Where entries can begin.
pub(crate) const ALIGN: u64 = 64;
/// Bytes before the first entry.
pub(crate) const START: u64 = 64;
/// Bytes before the contents of an entry.
pub(crate) const HEADER: u64 = 128;
/// No entry is larger.
pub(crate) const MAX_LEN: u64 = 1 << 32;

const FILE_MAGIC: &[u8; 16] = b"castore segment4";
const MAGIC: &[u8; 4] = b"caE4";

/// What describes an entry in its segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct EntryHeader {
    pub kind: Kind,
    pub name: Name,
    pub key: Digest,
    /// The digest of the contents; of a blob it is the key.
    pub contents: Digest,
    /// They are compressed here, see `pack`.
    pub packed: bool,
    /// The length of the contents as they are here.
    pub len: u64,
    /// Of two entries of the same key, the one with the larger number is newer.
    pub sequence: u64,
    /// How long it took to make, in microseconds.
    pub cost: u32,
}

impl EntryHeader {
    /// Bytes of the segment that the entry takes.
    pub fn total(&self) -> u64 {
        total(self.len)
    }

    /// The key, for the index.
    pub fn key_start(&self) -> KeyStart {
        key_start(&self.key)
    }

    pub fn encode(&self, nonce: &Nonce) -> [u8; HEADER as usize] {
        let mut bytes = [0; HEADER as usize];
        bytes[..4].copy_from_slice(MAGIC);
        bytes[4] = self.kind.byte();
        bytes[5] = u8::from(self.packed);
        bytes[8..24].copy_from_slice(self.name.bytes());
        bytes[24..56].copy_from_slice(&self.key.0);
        bytes[56..88].copy_from_slice(&self.contents.0);
        bytes[88..96].copy_from_slice(&self.len.to_le_bytes());
        bytes[96..104].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[104..108].copy_from_slice(&self.cost.to_le_bytes());
        let checksum = checksum(nonce, &bytes);
        bytes[CHECKED..].copy_from_slice(&checksum);
        bytes
    }

    pub fn decode(nonce: &Nonce, bytes: &[u8; HEADER as usize]) -> Option<EntryHeader> {
        if bytes[..4] != *MAGIC || bytes[CHECKED..] != checksum(nonce, bytes) {
            return None;
        }
        let number = |at: usize| bytes[at..].first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
        let header = EntryHeader {
            kind: Kind::from_byte(bytes[4])?,
            name: Name::from_bytes(*bytes[8..].first_chunk()?)?,
            key: Digest(*bytes[24..].first_chunk()?),
            contents: Digest(*bytes[56..].first_chunk()?),
            len: number(88)?,
            sequence: number(96)?,
            packed: bytes[5] == 1,
            cost: u32::from_le_bytes(*bytes[104..].first_chunk()?),
        };
        (header.len <= MAX_LEN).then_some(header)
    }
}

/// Where the checksum of a header is.
const CHECKED: usize = HEADER as usize - 16;

fn checksum(nonce: &Nonce, header: &[u8; HEADER as usize]) -> [u8; 16] {
    let mut hasher = Hasher::default();
    hasher.update(nonce);
    hasher.update(&header[..CHECKED]);
    key_start(&hasher.finish())
}

/// The start of a digest.
pub(crate) fn key_start(digest: &Digest) -> KeyStart {
    *digest.0.first_chunk().expect("invariant: digests are longer")
}

/// Bytes of a segment that contents of this length take, with their header.
pub(crate) fn total(len: u64) -> u64 {
    (HEADER + len).next_multiple_of(ALIGN)
}

pub(crate) type Nonce = [u8; 16];

/// An open segment.
#[derive(Debug)]
pub(crate) struct SegmentFile {
    pub file: File,
    pub nonce: Nonce,
    /// It belongs to the user who runs this process.
    is_own: bool,
    /// All of it in memory, as far as it was written when it was mapped.
    window: Mutex<Option<Arc<Window>>>,
}

impl SegmentFile {
    /// A new segment in place of what has its name: nobody knows of it, but somebody may have it
    /// mapped still.
    pub fn create(path: &Path, id: u32, nonce: Nonce) -> io::Result<SegmentFile> {
        step();
        let file = place::create_file(path)?;
        let mut bytes = [0; START as usize];
        bytes[..16].copy_from_slice(FILE_MAGIC);
        bytes[16..20].copy_from_slice(&id.to_le_bytes());
        bytes[24..40].copy_from_slice(&nonce);
        file.write_all_at(&bytes, 0)?;
        Ok(SegmentFile { file, nonce, is_own: true, window: Mutex::default() })
    }

    /// The segment of that number; `None`: the file is something else.
    pub fn open(
        path: &Path,
        id: u32,
        writable: bool,
        owners: &Owners,
    ) -> io::Result<Option<SegmentFile>> {
        let file = match place::open_file(path, writable, owners) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(None),
            result => result?,
        };
        let mut bytes = [0; START as usize];
        match file.read_exact_at(&mut bytes, 0) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            result => result?,
        }
        let sound = bytes[..16] == *FILE_MAGIC && bytes[16..20] == id.to_le_bytes();
        let nonce = *bytes[24..].first_chunk().expect("invariant: 64 bytes");
        let is_own = place::is_own(&file.metadata()?);
        Ok(sound.then_some(SegmentFile { file, nonce, is_own, window: Mutex::default() }))
    }

    /// Whether a file is a segment of another version of this format.
    pub fn is_outdated(path: &Path) -> bool {
        let (format, version) = FILE_MAGIC.split_at(FILE_MAGIC.len() - 1);
        let mut magic = [0; FILE_MAGIC.len()];
        let read = place::open_any_file(path).and_then(|file| file.read_exact_at(&mut magic, 0));
        read.is_ok() && magic.starts_with(format) && !magic.ends_with(version)
    }

    /// What the bytes of a header say.
    pub fn decode(&self, bytes: &[u8; HEADER as usize]) -> Option<EntryHeader> {
        EntryHeader::decode(&self.nonce, bytes)
    }

    /// Fills as much of `bytes` as there is at an offset; gives how much that is.
    pub fn read_up_to(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        read_up_to(&self.file, bytes, offset)
    }

    /// The file in memory, as far as `end` at least if it is that long. `None`: it cannot be mapped, or
    /// it belongs to others, who could change what has been verified.
    pub fn window(&self, end: u64) -> Option<Arc<Window>> {
        if !self.is_own {
            return None;
        }
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let mapped = window.as_ref().map_or(0, |window| window.len());
        if mapped < end {
            let len = self.file.metadata().ok()?.len();
            // It is mapped anew when it has grown.
            if mapped < len {
                *window = Window::of(&self.file, len).map(Arc::new);
            }
        }
        window.clone()
    }

    /// The header at an offset; `None`: there is none.
    pub fn header(&self, offset: u64) -> io::Result<Option<EntryHeader>> {
        let mut bytes = [0; HEADER as usize];
        match self.file.read_exact_at(&mut bytes, offset) {
            Ok(()) => Ok(EntryHeader::decode(&self.nonce, &bytes)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All entries that lie below `end`, with their offsets.
    pub fn scan(&self, end: u64, found: &mut dyn FnMut(u64, EntryHeader)) -> io::Result<()> {
        let mut piece = Piece { file: &self.file, start: 0, bytes: Vec::new() };
        let mut offset = START;
        while offset + HEADER <= end {
            // The file may be shorter than the index says.
            let Some(bytes) = piece.at(offset)? else { break };
            offset += match EntryHeader::decode(&self.nonce, bytes) {
                Some(header) if offset + HEADER + header.len <= end => {
                    found(offset, header);
                    header.total()
                }
                _ => ALIGN,
            };
        }
        Ok(())
    }
}

/// A part of a file, since a system call for every header would be slow.
struct Piece<'a> {
    file: &'a File,
    start: u64,
    bytes: Vec<u8>,
}

impl Piece<'_> {
    const LEN: u64 = 1 << 16;

    /// The bytes of a header that might be at `offset`; `None`: the file ends before.
    fn at(&mut self, offset: u64) -> io::Result<Option<&[u8; HEADER as usize]>> {
        let end = self.start + self.bytes.len() as u64;
        if offset < self.start || offset + HEADER > end {
            self.start = offset;
            self.bytes.resize(Piece::LEN as usize, 0);
            let read = read_up_to(self.file, &mut self.bytes, offset)?;
            self.bytes.truncate(read);
        }
        Ok(self.bytes[(offset - self.start) as usize..].first_chunk())
    }
}

fn read_up_to(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut read = 0;
    while read < bytes.len() {
        match file.read_at(&mut bytes[read..], offset + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(key: &[u8], len: u64) -> EntryHeader {
        let (name, key) = (Name::OTHER, Digest::of(key));
        EntryHeader {
            kind: Kind::Blob,
            name,
            key,
            contents: key,
            packed: len == 5,
            len,
            sequence: 9,
            cost: 17,
        }
    }

    #[test]
    fn every_changed_byte_of_a_header_is_noticed() {
        let (nonce, header) = ([7; 16], header(b"a", 5));
        let bytes = header.encode(&nonce);
        assert_eq!(EntryHeader::decode(&nonce, &bytes), Some(header));
        assert_eq!(EntryHeader::decode(&[8; 16], &bytes), None);
        for at in 0..bytes.len() {
            let mut bad = bytes;
            bad[at] ^= 1;
            assert_eq!(EntryHeader::decode(&nonce, &bad), None, "byte {at}");
        }
    }

    #[test]
    fn a_scan_finds_what_is_whole_and_passes_over_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("1");
        let segment = SegmentFile::create(&path, 1, [3; 16]).unwrap();
        let put = |key: &[u8], offset: u64, contents: &[u8]| {
            let header = header(key, contents.len() as u64);
            segment.file.write_all_at(&header.encode(&segment.nonce), offset).unwrap();
            segment.file.write_all_at(contents, offset + HEADER).unwrap();
            offset + header.total()
        };
        let first = START;
        let second = put(b"first", first, &[1; 1000]);
        // Contents that look like an entry, in a place where one is lost.
        let forged = header(b"forged", 0).encode(&[0; 16]);
        let third = put(b"second", second, &forged.repeat(1000));
        let end = put(b"third", third, b"");
        let find = |end| {
            let mut found = Vec::new();
            segment.scan(end, &mut |offset, header| found.push((offset, header.key))).unwrap();
            found
        };
        let [a, b, c] = [b"first".as_slice(), b"second", b"third"].map(Digest::of);
        assert_eq!(find(end), [(first, a), (second, b), (third, c)]);
        assert_eq!(find(end - 64), [(first, a), (second, b)]);
        segment.file.write_all_at(b"x", second).unwrap();
        assert_eq!(find(end), [(first, a), (third, c)]);
        segment.file.set_len(third + 10).unwrap();
        assert_eq!(find(end), [(first, a)]);
        assert_eq!(find(1 << 48), [(first, a)], "and nobody looks for more behind the end");
        let owners = Owners::of(dir.path());
        assert!(SegmentFile::open(&path, 2, false, &owners).unwrap().is_none());
        assert!(SegmentFile::open(&path, 1, false, &owners).unwrap().is_some());
    }
}
