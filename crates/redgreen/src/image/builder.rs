//! Writes images.

use super::{
    NONE,
    header::{HEADER_BYTES, Header, Identity, SECTIONS, Section},
    key_hash,
};
use crate::Fingerprint;
use std::ops::Range;

/// How much goes into an image.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sizes {
    pub nodes: u64,
    pub edges: u64,
    pub keys: u64,
    pub key_bytes: u64,
    pub values: u64,
    pub value_bytes: u64,
    pub inputs: u64,
}

/// An image in the making: every section grows at its place in the file. Keys and nodes are added in
/// the order of the image.
pub(crate) struct Builder {
    header: Header,
    file: Vec<u8>,
    sections: [Range<usize>; SECTIONS],
    /// Where each section goes on.
    at: [usize; SECTIONS],
    /// So many are there.
    nodes: u32,
    dependencies: u32,
    key_bytes: u32,
    values: u32,
    value_bytes: u32,
}

/// A node to be added.
pub(crate) struct Row<'a> {
    pub kind: u16,
    pub is_input: bool,
    /// The number of the key, as keys were added.
    pub key_index: u32,
    pub key: &'a [u8],
    pub fingerprint: Fingerprint,
    /// In numbers of the new image.
    pub dependencies: &'a mut dyn Iterator<Item = u32>,
    pub kept: Option<&'a [u8]>,
}

impl Builder {
    /// `None` if some array is beyond four billion entries.
    pub fn new(identity: Identity, registry: u64, roots: u64, sizes: Sizes) -> Option<Builder> {
        let count = |length: u64| u32::try_from(length).ok().filter(|&count| count != NONE);
        let mut header = Header {
            identity,
            registry,
            roots,
            length: 0,
            checksum: 0,
            nodes: count(sizes.nodes)?,
            edges: count(sizes.edges)?,
            keys: count(sizes.keys)?,
            key_bytes: count(sizes.key_bytes)?,
            // At most half full, so that searches are short.
            table: count((sizes.nodes * 2).next_power_of_two().max(2))?,
            values: count(sizes.values)?,
            value_bytes: count(sizes.value_bytes)?,
            inputs: count(sizes.inputs)?,
        };
        let (sections, length) = header.sections()?;
        header.length = length as u64;
        let mut file = vec![0; length];
        file[sections[Section::Table as usize].clone()].fill(0xFF);
        let mut at = std::array::from_fn(|section| sections[section].start);
        // Offsets begin with a zero.
        for section in [Section::DependencyOffsets, Section::KeyOffsets, Section::ValueOffsets] {
            at[section as usize] += size_of::<u32>();
        }
        let (nodes, dependencies, key_bytes, values, value_bytes) = (0, 0, 0, 0, 0);
        Some(Builder {
            header,
            file,
            sections,
            at,
            nodes,
            dependencies,
            key_bytes,
            values,
            value_bytes,
        })
    }

    fn put(&mut self, section: Section, bytes: &[u8]) {
        let at = &mut self.at[section as usize];
        self.file[*at..][..bytes.len()].copy_from_slice(bytes);
        *at += bytes.len();
    }
    fn put_number(&mut self, section: Section, number: u32) {
        self.put(section, &number.to_ne_bytes());
    }

    /// Adds a key, which several nodes may share.
    pub fn key(&mut self, key: &[u8]) {
        self.put(Section::KeyBytes, key);
        self.key_bytes += key.len() as u32;
        self.put_number(Section::KeyOffsets, self.key_bytes);
    }

    pub fn push(&mut self, row: Row<'_>) {
        let node = self.nodes;
        self.nodes += 1;
        if row.is_input {
            self.put_number(Section::Inputs, node);
        }
        self.enter(key_hash(row.kind, row.key), node);
        self.put(Section::Kinds, &row.kind.to_ne_bytes());
        self.put_number(Section::KeyIndices, row.key_index);
        self.put(Section::Fingerprints, &row.fingerprint.0.to_ne_bytes());
        for dependency in row.dependencies {
            self.put_number(Section::Dependencies, dependency);
            self.dependencies += 1;
        }
        self.put_number(Section::DependencyOffsets, self.dependencies);
        let value = row.kept.map_or(NONE, |kept| self.value(kept));
        self.put_number(Section::ValueIndices, value);
    }

    fn value(&mut self, kept: &[u8]) -> u32 {
        self.put(Section::ValueBytes, kept);
        self.value_bytes += kept.len() as u32;
        self.put_number(Section::ValueOffsets, self.value_bytes);
        self.values += 1;
        self.values - 1
    }

    /// Enters a node into the hash table, which has open addressing.
    fn enter(&mut self, hash: u64, node: u32) {
        let table = &mut self.file[self.sections[Section::Table as usize].clone()];
        let slots = table.as_chunks_mut::<4>().0;
        let mask = slots.len() - 1;
        let mut at = hash as usize & mask;
        while slots[at] != NONE.to_ne_bytes() {
            at = (at + 1) & mask;
        }
        slots[at] = node.to_ne_bytes();
    }

    /// The bytes of the file.
    ///
    /// # Panics
    /// If not everything was added that was announced.
    pub fn finish(mut self) -> Vec<u8> {
        self.at[Section::Table as usize] = self.sections[Section::Table as usize].end;
        let full = self.at.iter().zip(&self.sections).all(|(at, section)| *at == section.end);
        assert!(full, "invariant: an image holds what was counted");
        self.header.checksum = self.header.checksum_of(&self.file[HEADER_BYTES..]);
        self.file[..HEADER_BYTES].copy_from_slice(&self.header.to_bytes());
        self.file
    }
}
