//! Writes images.

use super::{
    NONE,
    header::{ALIGNMENT, Header, Identity, SECTIONS, Section},
    node_hash,
};
use crate::Fingerprint;

/// An image in the making. Nodes are added in the order of the image.
pub(crate) struct Builder {
    sections: [Vec<u8>; SECTIONS],
    /// By node: where the search for it begins.
    hashes: Vec<u64>,
}

/// What an image says of a node.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    pub kind: u16,
    pub key: &'a [u8],
    pub fingerprint: Fingerprint,
    pub dependencies: &'a [u32],
    pub kept: Option<&'a [u8]>,
}

impl Builder {
    /// With room for so many nodes.
    pub fn new(nodes: usize) -> Builder {
        let mut sections = [const { Vec::new() }; SECTIONS];
        for (section, bytes) in [
            (Section::Fingerprints, size_of::<Fingerprint>()),
            (Section::Kinds, size_of::<u16>()),
            (Section::DependencyOffsets, size_of::<u32>()),
            (Section::KeyOffsets, size_of::<u32>()),
            (Section::ValueIndices, size_of::<u32>()),
            // What is usual of these; memory that is not touched costs nothing.
            (Section::Dependencies, 16),
            (Section::KeyBytes, 16),
            (Section::ValueBytes, 32),
        ] {
            sections[section as usize].reserve(nodes * bytes);
        }
        let hashes = Vec::with_capacity(nodes);
        let mut builder = Builder { sections, hashes };
        // Offsets begin with a zero.
        for section in [Section::DependencyOffsets, Section::KeyOffsets, Section::ValueOffsets] {
            builder.put_number(section, 0);
        }
        builder
    }

    fn put(&mut self, section: Section, bytes: &[u8]) {
        self.sections[section as usize].extend_from_slice(bytes);
    }
    /// Numbers that are too large are found out in the end, by the lengths of the sections.
    fn put_number(&mut self, section: Section, number: usize) {
        self.put(section, &(number as u32).to_ne_bytes());
    }
    fn len(&self, section: Section) -> usize {
        self.sections[section as usize].len()
    }
    fn count(&self, section: Section) -> usize {
        self.len(section) / size_of::<u32>()
    }

    /// Adds the next nodes. Their dependencies have these places in the image.
    ///
    /// Column by column: what rows refer to is in no cache most often, and such a loop waits for several
    /// of them at once.
    pub fn extend(&mut self, rows: &[Row<'_>], places: &[u32]) {
        for row in rows {
            self.hashes.push(node_hash(row.kind, row.key));
            self.put(Section::KeyBytes, row.key);
            self.put_number(Section::KeyOffsets, self.len(Section::KeyBytes));
        }
        for row in rows {
            self.put(Section::Kinds, &row.kind.to_ne_bytes());
            self.put(Section::Fingerprints, &row.fingerprint.0.to_ne_bytes());
        }
        for row in rows {
            for &read in row.dependencies {
                self.put_number(Section::Dependencies, places[read as usize] as usize);
            }
            self.put_number(Section::DependencyOffsets, self.count(Section::Dependencies));
        }
        for row in rows {
            let value = row.kept.map_or(NONE, |kept| self.value(kept));
            self.put(Section::ValueIndices, &value.to_ne_bytes());
        }
    }
    /// Adds a node that is in the image to the inputs.
    pub fn input(&mut self, place: u32) {
        self.put(Section::Inputs, &place.to_ne_bytes());
    }

    fn value(&mut self, kept: &[u8]) -> u32 {
        let number = self.count(Section::ValueOffsets) as u32 - 1;
        self.put(Section::ValueBytes, kept);
        self.put_number(Section::ValueOffsets, self.len(Section::ValueBytes));
        number
    }

    /// The hash table of the nodes, which has open addressing.
    fn table(&self) -> Vec<u8> {
        // At most half full, so that searches are short.
        let slots = (self.hashes.len() * 2).next_power_of_two().max(2);
        let mut table = vec![0xFF; slots * size_of::<u32>()];
        let entries = table.as_chunks_mut::<4>().0;
        for (node, hash) in (0u32..).zip(&self.hashes) {
            let mut at = *hash as usize & (slots - 1);
            while entries[at] != NONE.to_ne_bytes() {
                at = (at + 1) & (slots - 1);
            }
            entries[at] = node.to_ne_bytes();
        }
        table
    }

    /// The parts of the file, one after the other; `None` if some array is beyond four billion entries.
    pub fn finish(mut self, identity: Identity, registry: u64, roots: u64) -> Option<Vec<Vec<u8>>> {
        let count = |count: usize| u32::try_from(count).ok().filter(|&count| count != NONE);
        let mut header = Header {
            identity,
            registry,
            roots,
            length: 0,
            checksum: 0,
            nodes: count(self.hashes.len())?,
            edges: count(self.count(Section::Dependencies))?,
            key_bytes: count(self.len(Section::KeyBytes))?,
            table: count((self.hashes.len() * 2).next_power_of_two().max(2))?,
            values: count(self.count(Section::ValueOffsets) - 1)?,
            value_bytes: count(self.len(Section::ValueBytes))?,
            inputs: count(self.count(Section::Inputs))?,
        };
        self.sections[Section::Table as usize] = self.table();
        for section in &mut self.sections {
            section.resize(section.len().next_multiple_of(ALIGNMENT), 0);
        }
        header.length = header.sections()?.1 as u64;
        header.checksum = header.checksum_of(self.sections.iter().map(Vec::as_slice));
        let mut parts = Vec::with_capacity(1 + SECTIONS);
        parts.push(header.to_bytes().to_vec());
        parts.extend(self.sections);
        Some(parts)
    }
}
