//! The image: one file of flat arrays, used from the mapping without decoding.
//!
//! Nodes are in depth-first post-order from the roots, following dependencies in recorded order. So
//! every dependency has a smaller number than its readers, "what does a changed input reach" is one
//! forward sweep, and no reverse edges are stored. The order depends on nothing but the graph,
//! hence the image of an incremental build equals that of a clean build.

mod builder;
mod header;
mod mapped;
mod patch;

pub(crate) use builder::{Builder, Row};
pub use header::{Identity, without_stamps};

use crate::{Damaged, Fingerprint, Kind, Registry, Stamp};
use bytemuck::AnyBitPattern;
use header::{HEADER_BYTES, Header, SECTIONS, Section};
use mapped::Mapped;
pub(crate) use patch::Patch;
pub use patch::path as patch_path;
use std::{fs::File, io::Read, ops::Range, path::Path};
use xxhash_rust::xxh3::xxh3_64;

/// No node, no value.
pub(crate) const NONE: u32 = u32::MAX;

/// The hash by which nodes are found.
pub(crate) fn node_hash(kind: u16, key: &[u8]) -> u64 {
    xxh3_64(key) ^ (u64::from(kind) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// An image that has been checked: every index in it is in bounds.
pub(crate) struct Image {
    file: Mapped,
    /// Of the file, but for the checksum if there is a patch.
    pub header: Header,
    patch: Patch,
    sections: [Range<usize>; SECTIONS],
}

impl Image {
    /// Maps an image. One that another build wrote, or for other options, is a miss: `None`.
    pub fn open(
        path: &Path,
        patched: bool,
        identity: Identity,
        registry: &Registry,
    ) -> Result<Option<Image>, Damaged> {
        Image::open_if(path, patched, registry, |found| found == identity)
    }
    /// The same for every identity that is `wanted`.
    pub fn open_if(
        path: &Path,
        patched: bool,
        registry: &Registry,
        wanted: impl FnOnce(Identity) -> bool,
    ) -> Result<Option<Image>, Damaged> {
        let Some(mut file) = Mapped::open(path)? else { return Ok(None) };
        let bytes = file.bytes();
        if Header::is_foreign(bytes) {
            return Ok(None);
        }
        let header = Header::read(bytes).ok_or(Damaged)?;
        let sections = header.layout(bytes.len()).ok_or(Damaged)?;
        if header.length != bytes.len() as u64
            || header.checksum_of([&bytes[HEADER_BYTES..]]) != header.checksum
        {
            return Err(Damaged);
        }
        if !wanted(header.identity) || header.registry != registry.hash() {
            return Ok(None);
        }
        let mut patch = Patch::of(header.checksum);
        if let Some(found) =
            patched.then(|| Patch::load(path, header.checksum)).transpose()?.flatten()
        {
            // Indices and offsets are never patched, so what is sound stays so.
            let allowed = [Section::Fingerprints, Section::ValueBytes];
            let allowed = allowed.map(|section| sections[section as usize].clone());
            file = file.changed(|bytes| found.apply(bytes, &allowed))?;
            patch = found;
        }
        let image = Image { file, header, patch, sections };
        if image.is_sound(registry) { Ok(Some(image)) } else { Err(Damaged) }
    }

    fn section<T: AnyBitPattern>(&self, section: Section) -> &[T] {
        self.file.slice(self.sections[section as usize].clone())
    }

    /// Number of nodes.
    pub fn len(&self) -> u32 {
        self.header.nodes
    }
    pub fn row(&self, node: u32) -> Row<'_> {
        Row {
            kind: self.kind(node),
            key: self.key(node),
            fingerprint: self.fingerprint(node),
            dependencies: self.dependencies(node),
            kept: self.kept(node),
        }
    }
    pub fn fingerprint(&self, node: u32) -> Fingerprint {
        let all: &[[u8; 16]] = self.section(Section::Fingerprints);
        Fingerprint(u128::from_ne_bytes(all[node as usize]))
    }
    pub fn kind(&self, node: u32) -> u16 {
        self.section::<u16>(Section::Kinds)[node as usize]
    }
    pub fn key(&self, node: u32) -> &[u8] {
        let range = between(self.section(Section::KeyOffsets), node);
        &self.section::<u8>(Section::KeyBytes)[range]
    }
    pub fn dependencies(&self, node: u32) -> &[u32] {
        let range = between(self.section(Section::DependencyOffsets), node);
        &self.section(Section::Dependencies)[range]
    }
    /// What was kept of the result: the value, its digest in the store, or the stamp of an input.
    pub fn kept(&self, node: u32) -> Option<&[u8]> {
        let index = self.section::<u32>(Section::ValueIndices)[node as usize];
        if index == NONE {
            return None;
        }
        Some(
            &self.section(Section::ValueBytes)[between(self.section(Section::ValueOffsets), index)],
        )
    }
    /// The inputs, ascending.
    pub fn inputs(&self) -> &[u32] {
        self.section(Section::Inputs)
    }
    pub fn find(&self, hash: u64, kind: u16, key: &[u8]) -> Option<u32> {
        let table: &[u32] = self.section(Section::Table);
        let mask = table.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let node = table[at];
            if node == NONE {
                return None;
            }
            if self.kind(node) == kind && self.key(node) == key {
                return Some(node);
            }
            at = (at + 1) & mask;
        }
    }
    /// Marks everything that reads a marked node, directly or not; nodes below `from` are left out.
    pub fn sweep(&self, marked: &mut [bool], from: u32) {
        let offsets: &[u32] = self.section(Section::DependencyOffsets);
        let dependencies: &[u32] = self.section(Section::Dependencies);
        for node in from as usize..self.len() as usize {
            let own = &dependencies[offsets[node] as usize..offsets[node + 1] as usize];
            if own.iter().any(|&read| marked[read as usize]) {
                marked[node] = true;
            }
        }
    }

    /// What this image and other results for some nodes differ in from the file; `None` if they need
    /// more or less room than those before.
    pub fn patched<'a>(
        &self,
        changes: impl Iterator<Item = (u32, Fingerprint, Option<&'a [u8]>)>,
    ) -> Option<Patch> {
        let mut patch = self.patch.clone();
        let mut put = |at: usize, bytes: &[u8]| {
            if self.file.bytes()[at..][..bytes.len()] != *bytes {
                patch.put(at, bytes.to_vec());
            }
        };
        for (node, fingerprint, kept) in changes {
            let bytes = fingerprint.0.to_ne_bytes();
            put(self.start(Section::Fingerprints) + node as usize * bytes.len(), &bytes);
            let index = self.section::<u32>(Section::ValueIndices)[node as usize];
            let Some(kept) = kept else { if index == NONE { continue } else { return None } };
            if self.kept(node)?.len() != kept.len() {
                return None;
            }
            let at = self.section::<u32>(Section::ValueOffsets)[index as usize] as usize;
            put(self.start(Section::ValueBytes) + at, kept);
        }
        Some(patch)
    }
    fn start(&self, section: Section) -> usize {
        self.sections[section as usize].start
    }
    /// Whether the file at a path is still the one that was opened.
    pub fn is_at(&self, path: &Path) -> bool {
        let mut start = [0; HEADER_BYTES];
        let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
        read.is_ok() && start == self.file.bytes()[..HEADER_BYTES]
    }
    /// Length of the file.
    pub fn file_len(&self) -> usize {
        self.file.bytes().len()
    }
    /// Does something with the parts of this image with a patch in it, from the header on. Most of them are
    /// in the mapping still.
    pub fn with_parts<R>(&self, patch: &Patch, with: impl FnOnce(&[&[u8]]) -> R) -> R {
        let (file, mut body, mut next) = (self.file.bytes(), Vec::new(), HEADER_BYTES);
        for (at, bytes) in patch.pieces() {
            body.extend([&file[next..at], bytes]);
            next = at + bytes.len();
        }
        body.push(&file[next..]);
        let checksum = self.header.checksum_of(body.iter().copied());
        let header = Header { checksum, ..self.header }.to_bytes();
        with(&[&[&header[..]], &body[..]].concat())
    }

    /// The checksum tells damage; this tells forgery, so that no index below can be out of bounds.
    fn is_sound(&self, registry: &Registry) -> bool {
        let Header { edges, key_bytes, values, value_bytes, .. } = self.header;
        let kinds: &[u16] = self.section(Section::Kinds);
        all(kinds, |kind| usize::from(kind) < registry.len())
            && ascending(self.section(Section::KeyOffsets), key_bytes)
            && ascending(self.section(Section::ValueOffsets), value_bytes)
            && ascending(self.section(Section::DependencyOffsets), edges)
            && self.dependencies_come_first()
            && all(self.section(Section::ValueIndices), |x: u32| x < values || x == NONE)
            && self.table_is_sound()
            && self.inputs_are_sound(registry)
    }
    fn dependencies_come_first(&self) -> bool {
        let dependencies: &[u32] = self.section(Section::Dependencies);
        let offsets: &[u32] = self.section(Section::DependencyOffsets);
        offsets.windows(2).zip(0..).all(|(at, node)| {
            dependencies[at[0] as usize..at[1] as usize].iter().all(|&read| read < node)
        })
    }
    fn table_is_sound(&self) -> bool {
        let table: &[u32] = self.section(Section::Table);
        table.len().is_power_of_two()
            && table.contains(&NONE)
            && all(table, |node| node < self.len() || node == NONE)
    }
    fn inputs_are_sound(&self, registry: &Registry) -> bool {
        let kinds: &[u16] = self.section(Section::Kinds);
        let of_inputs: Vec<bool> = (0..registry.len())
            .map(|kind| registry.query(kind as u16).kind == Kind::Input)
            .collect();
        let is_input = |kind: u16| of_inputs[usize::from(kind)];
        let inputs = self.inputs();
        inputs.iter().all(|&node| {
            node < self.len()
                && is_input(self.kind(node))
                && self.kept(node).is_some_and(|stamp| stamp.len() == Stamp::BYTES)
        }) && inputs.is_sorted_by(|a, b| a < b)
            && kinds.iter().filter(|kind| is_input(**kind)).count() == inputs.len()
    }
}

/// Whether something holds for all numbers. It looks at every one of them, which is faster here than to ask
/// each time whether to go on.
fn all<T: AnyBitPattern>(numbers: &[T], holds: impl Fn(T) -> bool) -> bool {
    numbers.iter().fold(true, |so_far, number| so_far & holds(*number))
}

fn between(offsets: &[u32], index: u32) -> Range<usize> {
    offsets[index as usize] as usize..offsets[index as usize + 1] as usize
}

fn ascending(offsets: &[u32], end: u32) -> bool {
    let in_order = || offsets.windows(2).fold(true, |so_far, at| so_far & (at[0] <= at[1]));
    offsets.first() == Some(&0) && offsets.last() == Some(&end) && in_order()
}
