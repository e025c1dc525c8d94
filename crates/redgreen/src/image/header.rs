//! The header of an image and where its sections are.

use std::ops::Range;
use xxhash_rust::xxh3::Xxh3;

/// Also tells byte orders apart: numbers are written as the machine has them.
const MAGIC: u64 = u64::from_le_bytes(*b"REDGREEN");
/// Of the layout; to be raised whenever the meaning of any byte changes.
const FORMAT: u64 = 2;

/// The last is always zero: sections are aligned.
const WORDS: usize = 18;
pub(super) const HEADER_BYTES: usize = WORDS * 8;
/// The word of the checksum, which counts as zero when the checksum is computed.
const CHECKSUM_WORD: usize = 9;
/// Sections begin at multiples of this.
pub(super) const ALIGNMENT: usize = 16;

/// For whom an image is: who reads or writes with another identity finds nothing.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, Debug, Default, serde::Serialize, serde::Deserialize,
)]
pub struct Identity {
    /// The build of the program: any change of any query must change it.
    pub build: u128,
    /// Target and options, as far as they are not inputs.
    pub options: u128,
}

/// The arrays of an image, in the order of the file.
#[derive(Clone, Copy)]
pub(super) enum Section {
    Fingerprints,
    Kinds,
    DependencyOffsets,
    Dependencies,
    KeyOffsets,
    KeyBytes,
    Table,
    ValueIndices,
    ValueOffsets,
    ValueBytes,
    Inputs,
}

pub(super) const SECTIONS: usize = Section::Inputs as usize + 1;

/// What the file begins with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Header {
    pub identity: Identity,
    /// Of the names and kinds of all queries.
    pub registry: u64,
    /// Of the nodes that the graph was saved for.
    pub roots: u64,
    /// Bytes of the file.
    pub length: u64,
    pub checksum: u64,
    pub nodes: u32,
    pub edges: u32,
    pub key_bytes: u32,
    pub table: u32,
    pub values: u32,
    pub value_bytes: u32,
    pub inputs: u32,
}

impl Header {
    pub fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let halves = |n: u128| [n as u64, (n >> 64) as u64];
        let [build_low, build_high] = halves(self.identity.build);
        let [options_low, options_high] = halves(self.identity.options);
        let words: [u64; WORDS] = [
            MAGIC,
            FORMAT,
            build_low,
            build_high,
            options_low,
            options_high,
            self.registry,
            self.roots,
            self.length,
            self.checksum,
            self.nodes.into(),
            self.edges.into(),
            self.key_bytes.into(),
            self.table.into(),
            self.values.into(),
            self.value_bytes.into(),
            self.inputs.into(),
            0,
        ];
        let mut bytes = [0; HEADER_BYTES];
        for (to, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *to = word.to_ne_bytes();
        }
        bytes
    }

    /// Whether an image is of another format, or of a machine with another order of bytes.
    pub fn is_foreign(file: &[u8]) -> bool {
        let word =
            |at: usize| file.get(at..)?.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes));
        let magic = word(0);
        magic == Some(MAGIC.swap_bytes())
            || magic == Some(MAGIC) && word(8).is_some_and(|format| format != FORMAT)
    }

    /// `None`: this is no image of this format.
    pub fn read(file: &[u8]) -> Option<Header> {
        let bytes: &[u8; HEADER_BYTES] = file.first_chunk()?;
        let mut words = [0; WORDS];
        for (word, from) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *word = u64::from_ne_bytes(*from);
        }
        let whole = |low: u64, high: u64| u128::from(high) << 64 | u128::from(low);
        let count = |at: usize| u32::try_from(words[at]).ok();
        if words[..2] != [MAGIC, FORMAT] || words[WORDS - 1] != 0 {
            return None;
        }
        Some(Header {
            identity: Identity {
                build: whole(words[2], words[3]),
                options: whole(words[4], words[5]),
            },
            registry: words[6],
            roots: words[7],
            length: words[8],
            checksum: words[CHECKSUM_WORD],
            nodes: count(10)?,
            edges: count(11)?,
            key_bytes: count(12)?,
            table: count(13)?,
            values: count(14)?,
            value_bytes: count(15)?,
            inputs: count(16)?,
        })
    }

    /// Where the sections are; `None` if they are not exactly a file of `length` bytes.
    pub fn layout(&self, length: usize) -> Option<[Range<usize>; SECTIONS]> {
        let (sections, end) = self.sections()?;
        (end == length).then_some(sections)
    }

    /// Where the sections are, and the length of the file. `None`: too large for this machine.
    pub fn sections(&self) -> Option<([Range<usize>; SECTIONS], usize)> {
        // In the order of `Section`: entries, and bytes of one.
        let sizes: [(u32, usize); SECTIONS] = [
            (self.nodes, 16),
            (self.nodes, 2),
            (self.nodes.checked_add(1)?, 4),
            (self.edges, 4),
            (self.nodes.checked_add(1)?, 4),
            (self.key_bytes, 1),
            (self.table, 4),
            (self.nodes, 4),
            (self.values.checked_add(1)?, 4),
            (self.value_bytes, 1),
            (self.inputs, 4),
        ];
        let mut end = HEADER_BYTES;
        let mut ranges = [const { 0..0 }; SECTIONS];
        for (range, (entries, size)) in ranges.iter_mut().zip(sizes) {
            let start = end.checked_next_multiple_of(ALIGNMENT)?;
            end = start.checked_add((entries as usize).checked_mul(size)?)?;
            *range = start..end;
        }
        Some((ranges, end.checked_next_multiple_of(ALIGNMENT)?))
    }

    /// The checksum of a file with this header, and a body of these parts.
    pub fn checksum_of<'a>(self, body: impl IntoIterator<Item = &'a [u8]>) -> u64 {
        let mut hash = Xxh3::new();
        hash.update(&Header { checksum: 0, ..self }.to_bytes());
        body.into_iter().for_each(|part| hash.update(part));
        hash.digest()
    }
}

/// The bytes of an image with the stamps of its inputs, and the checksum, put to zero: what two
/// builds of equal files in different places have in common. `None`: this is no image.
pub fn without_stamps(image: &[u8]) -> Option<Vec<u8>> {
    let header = Header::read(image)?;
    let sections = header.layout(image.len())?;
    let section = |section: Section| sections[section as usize].clone();
    let number = |section: Range<usize>, index: u32| -> Option<u32> {
        let numbers = image[section].as_chunks::<4>().0;
        Some(u32::from_ne_bytes(*numbers.get(index as usize)?))
    };
    let mut bytes = image.to_vec();
    bytes[CHECKSUM_WORD * 8..][..8].fill(0);
    for input in 0..header.inputs {
        let node = number(section(Section::Inputs), input)?;
        let value = number(section(Section::ValueIndices), node)?;
        let from = number(section(Section::ValueOffsets), value)? as usize;
        let to = number(section(Section::ValueOffsets), value.checked_add(1)?)? as usize;
        bytes[section(Section::ValueBytes)].get_mut(from..to)?.fill(0);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{Header, Identity};

    #[test]
    fn a_header_survives_its_bytes() {
        let header = Header {
            identity: Identity { build: 1 << 100 | 5, options: 7 },
            registry: 1,
            roots: 2,
            length: 3,
            checksum: 4,
            nodes: 5,
            edges: 6,
            key_bytes: 7,
            table: 8,
            values: 9,
            value_bytes: 10,
            inputs: 11,
        };
        let bytes = header.to_bytes();
        assert_eq!(Header::read(&bytes), Some(header));
        assert_eq!(Header::read(&bytes[1..]), None);
        assert_eq!(Header::read(&[0; 200]), None);
    }

    #[test]
    fn counts_beyond_memory_are_no_layout() {
        let header = Header { nodes: u32::MAX, ..Header::default() };
        assert_eq!(header.sections(), None);
    }
}
