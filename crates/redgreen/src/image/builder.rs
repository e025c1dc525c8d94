//! Writes images.

use super::{
    NONE,
    header::{HEADER_BYTES, Header, Identity, SECTIONS},
    key_hash,
};
use crate::Fingerprint;

/// An image in the making. Nodes are added in the order of the image.
pub(crate) struct Builder {
    fingerprints: Vec<[u8; 16]>,
    kinds: Vec<u16>,
    hashes: Vec<u64>,
    key_indices: Vec<u32>,
    dependency_offsets: Vec<u32>,
    dependencies: Vec<u32>,
    key_offsets: Vec<u32>,
    key_bytes: Vec<u8>,
    value_indices: Vec<u32>,
    value_offsets: Vec<u32>,
    value_bytes: Vec<u8>,
    inputs: Vec<u32>,
}

/// A node to be added.
pub(crate) struct Row<'a> {
    pub kind: u16,
    pub is_input: bool,
    /// From [`Builder::key`].
    pub key_index: u32,
    pub key: &'a [u8],
    pub fingerprint: Fingerprint,
    /// In numbers of the new image.
    pub dependencies: &'a mut dyn Iterator<Item = u32>,
    pub kept: Option<&'a [u8]>,
}

impl Builder {
    pub fn new() -> Builder {
        Builder {
            fingerprints: Vec::new(),
            kinds: Vec::new(),
            hashes: Vec::new(),
            key_indices: Vec::new(),
            dependency_offsets: vec![0],
            dependencies: Vec::new(),
            key_offsets: vec![0],
            key_bytes: Vec::new(),
            value_indices: Vec::new(),
            value_offsets: vec![0],
            value_bytes: Vec::new(),
            inputs: Vec::new(),
        }
    }
    /// The number that the next node gets.
    pub fn next(&self) -> u32 {
        self.kinds.len() as u32
    }
    /// Adds a key, which several nodes may share, and returns its index.
    pub fn key(&mut self, key: &[u8]) -> u32 {
        self.key_bytes.extend_from_slice(key);
        self.key_offsets.push(self.key_bytes.len() as u32);
        self.key_offsets.len() as u32 - 2
    }
    pub fn push(&mut self, row: Row<'_>) {
        if row.is_input {
            self.inputs.push(self.next());
        }
        self.hashes.push(key_hash(row.kind, row.key));
        self.kinds.push(row.kind);
        self.key_indices.push(row.key_index);
        self.fingerprints.push(row.fingerprint.0.to_ne_bytes());
        self.dependencies.extend(row.dependencies);
        self.dependency_offsets.push(self.dependencies.len() as u32);
        let value = row.kept.map_or(NONE, |kept| {
            self.value_bytes.extend_from_slice(kept);
            self.value_offsets.push(self.value_bytes.len() as u32);
            self.value_offsets.len() as u32 - 2
        });
        self.value_indices.push(value);
    }

    /// The bytes of the file; `None` if some array is beyond four billion entries.
    pub fn finish(self, identity: Identity, registry: u64, roots: u64) -> Option<Vec<u8>> {
        let table = self.table();
        let count = |length: usize| u32::try_from(length).ok().filter(|&count| count != NONE);
        let mut header = Header {
            identity,
            registry,
            roots,
            length: 0,
            checksum: 0,
            nodes: count(self.kinds.len())?,
            edges: count(self.dependencies.len())?,
            keys: count(self.key_offsets.len() - 1)?,
            key_bytes: count(self.key_bytes.len())?,
            table: count(table.len())?,
            values: count(self.value_offsets.len() - 1)?,
            value_bytes: count(self.value_bytes.len())?,
            inputs: count(self.inputs.len())?,
        };
        let (sections, length) = header.sections()?;
        header.length = length as u64;
        let contents: [Vec<u8>; SECTIONS] = [
            self.fingerprints.into_flattened(),
            self.kinds.iter().flat_map(|kind| kind.to_ne_bytes()).collect(),
            numbers(&self.key_indices),
            numbers(&self.dependency_offsets),
            numbers(&self.dependencies),
            numbers(&self.key_offsets),
            self.key_bytes,
            numbers(&table),
            numbers(&self.value_indices),
            numbers(&self.value_offsets),
            self.value_bytes,
            numbers(&self.inputs),
        ];
        let mut file = vec![0; length];
        for (section, content) in sections.into_iter().zip(contents) {
            file[section].copy_from_slice(&content);
        }
        header.checksum = header.checksum_of(&file[HEADER_BYTES..]);
        file[..HEADER_BYTES].copy_from_slice(&header.to_bytes());
        Some(file)
    }

    /// A hash table with open addressing, at most half full.
    fn table(&self) -> Vec<u32> {
        let capacity = (self.hashes.len() * 2).next_power_of_two().max(2);
        let mut table = vec![NONE; capacity];
        for (node, hash) in (0..).zip(&self.hashes) {
            let mut at = *hash as usize & (capacity - 1);
            while table[at] != NONE {
                at = (at + 1) & (capacity - 1);
            }
            table[at] = node;
        }
        table
    }
}

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_ne_bytes()).collect()
}
