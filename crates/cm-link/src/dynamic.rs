//! What the dynamic linker reads of an executable: names that it takes from libraries and those that
//! it gives to them, with their versions.

use crate::{
    LinkError, Result,
    elf::{Binding, LE, Place},
    image::Image,
    library::Library,
    names::{Bound, Import},
};
use object::{
    LittleEndian, U16, U32, U64,
    elf::{self, GnuHashHeader, Sym64, SymbolInfo, SymbolOther, SymbolSection, Vernaux, Verneed},
    pod::bytes_of,
};
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

type Symbol = Sym64<LittleEndian>;

/// The tables, complete but for the addresses of exports.
pub struct Tables {
    /// `.dynstr`
    pub strings: Vec<u8>,
    /// `.dynsym`
    pub symbols: Vec<Symbol>,
    /// `.gnu.hash`
    pub hash: Vec<u8>,
    /// `.gnu.version`
    pub versions: Vec<u8>,
    /// `.gnu.version_r`
    pub needs: Vec<u8>,
    /// How many libraries `needs` has versions of.
    pub need_count: u32,
    /// Where in `strings` the names of the libraries are.
    pub libraries: Vec<u32>,
    /// Index in `symbols` of each import; `None`: it is weak, and missing.
    pub imports: Vec<Option<u32>>,
    /// What the last of `symbols` stand for.
    pub exports: Vec<Bound>,
}

/// A symbol that libraries shall see.
struct Export<'a> {
    name: &'a [u8],
    hash: u32,
    bound: Bound,
    kind: elf::SymbolType,
    size: u64,
}

/// A version of a library's symbols.
struct Version<'a> {
    name: &'a [u8],
    /// In the table of versions.
    index: u16,
}

impl Tables {
    /// Finds the imports of an image in libraries.
    ///
    /// # Errors
    /// If some are in none.
    pub fn new(image: &Image, libraries: &[Library]) -> Result<Tables> {
        let find = |import: &Import| {
            let mut libraries = libraries.iter().enumerate();
            libraries.find_map(|(index, library)| Some((index, library.find(import.name)?)))
        };
        let found: Vec<_> = image.names.imports.iter().map(find).collect();
        image.names.check(&image.objects, |import| found[import].is_some())?;
        let mut tables = Tables::empty();
        let mut indices = vec![elf::VER_NDX_LOCAL.0];
        let mut versions: Vec<Vec<Version>> = libraries.iter().map(|_| Vec::new()).collect();
        let mut used = vec![false; libraries.len()];
        let mut next = elf::VER_NDX_GLOBAL.0 + 1;
        for (import, found) in image.names.imports.iter().zip(&found) {
            let Some((library, export)) = found else {
                tables.imports.push(None);
                continue;
            };
            if export.thread_local {
                let name = String::from_utf8_lossy(import.name).into_owned();
                return Err(LinkError::Unsupported(name, "it is thread-local".to_owned()));
            }
            used[*library] = true;
            let versions = &mut versions[*library];
            indices.push(match export.version {
                None => elf::VER_NDX_GLOBAL.0,
                Some(name) => {
                    let known = versions.iter().find(|version| version.name == name);
                    known.map(|version| version.index).unwrap_or_else(|| {
                        versions.push(Version { name, index: next });
                        next += 1;
                        next - 1
                    })
                }
            });
            tables.imports.push(Some(tables.symbols.len() as u32));
            let binding = if import.weak { elf::STB_WEAK } else { elf::STB_GLOBAL };
            tables.add_symbol(import.name, SymbolInfo::new(binding, elf::STT_NOTYPE), 0);
        }
        tables.add_exports(exports(image, libraries));
        indices.resize(tables.symbols.len(), elf::VER_NDX_GLOBAL.0);
        tables.versions = indices.iter().flat_map(|index| index.to_le_bytes()).collect();
        for (library, used) in libraries.iter().zip(&used) {
            let name = if *used { tables.add_string(library.name) } else { 0 };
            tables.libraries.push(name);
        }
        tables.add_needs(&versions);
        tables.libraries.retain(|name| *name != 0);
        Ok(tables)
    }

    /// Nothing is imported.
    pub fn empty() -> Tables {
        let null = symbol(0, SymbolInfo(0), elf::SHN_UNDEF, 0);
        Tables {
            strings: vec![0],
            symbols: vec![null],
            hash: Vec::new(),
            versions: Vec::new(),
            needs: Vec::new(),
            need_count: 0,
            libraries: Vec::new(),
            imports: Vec::new(),
            exports: Vec::new(),
        }
    }

    fn add_string(&mut self, text: &[u8]) -> u32 {
        let at = self.strings.len() as u32;
        self.strings.extend_from_slice(text);
        self.strings.push(0);
        at
    }

    fn add_symbol(&mut self, name: &[u8], info: SymbolInfo, size: u64) {
        let name = self.add_string(name);
        self.symbols.push(symbol(name, info, elf::SHN_UNDEF, size));
    }

    /// Adds exports, which come last and by bucket, and makes the table of their hashes.
    fn add_exports(&mut self, mut exports: Vec<Export>) {
        let base = self.symbols.len() as u32;
        let buckets = (exports.len() as u32 / 4).max(1);
        let blooms = (exports.len() / 8 + 1).next_power_of_two();
        exports.sort_by_key(|export| (export.hash % buckets, export.name));
        let mut bloom = vec![0u64; blooms];
        let mut first = vec![0u32; buckets as usize];
        let mut chain = Vec::new();
        for (index, export) in exports.iter().enumerate() {
            let (hash, bucket) = (export.hash, export.hash % buckets);
            let word = &mut bloom[hash as usize / 64 % blooms];
            *word |= 1 << (hash % 64) | 1 << ((hash >> BLOOM_SHIFT) % 64);
            let start = &mut first[bucket as usize];
            *start = if *start == 0 { base + index as u32 } else { *start };
            let next = exports.get(index + 1);
            let last = next.is_none_or(|next| next.hash % buckets != bucket);
            chain.push(hash & !1 | u32::from(last));
            self.add_symbol(
                export.name,
                SymbolInfo::new(elf::STB_GLOBAL, export.kind),
                export.size,
            );
            self.exports.push(export.bound);
        }
        let header = GnuHashHeader::<LittleEndian> {
            bucket_count: U32::new(LE, buckets),
            symbol_base: U32::new(LE, base),
            bloom_count: U32::new(LE, blooms as u32),
            bloom_shift: U32::new(LE, BLOOM_SHIFT),
        };
        self.hash.extend_from_slice(bytes_of(&header));
        self.hash.extend(bloom.iter().flat_map(|word| word.to_le_bytes()));
        self.hash.extend(first.iter().chain(&chain).flat_map(|word| word.to_le_bytes()));
    }

    /// The versions that are needed of each library.
    fn add_needs(&mut self, versions: &[Vec<Version>]) {
        let count = versions.iter().filter(|versions| !versions.is_empty()).count();
        for (library, versions) in versions.iter().enumerate() {
            if versions.is_empty() {
                continue;
            }
            self.need_count += 1;
            let size = size_of::<Verneed<LittleEndian>>() as u32;
            let each = size_of::<Vernaux<LittleEndian>>() as u32;
            let last = self.need_count as usize == count;
            let next = if last { 0 } else { size + each * versions.len() as u32 };
            let need = Verneed::<LittleEndian> {
                vn_version: U16::new(LE, elf::VER_NEED_CURRENT),
                vn_cnt: U16::new(LE, versions.len() as u16),
                vn_file: U32::new(LE, self.libraries[library]),
                vn_aux: U32::new(LE, size),
                vn_next: U32::new(LE, next),
            };
            self.needs.extend_from_slice(bytes_of(&need));
            for (number, version) in versions.iter().enumerate() {
                let last = number + 1 == versions.len();
                let name = self.add_string(version.name);
                let version = Vernaux::<LittleEndian> {
                    vna_hash: U32::new(LE, elf::hash(version.name)),
                    vna_flags: U16::new(LE, elf::VersionFlags(0)),
                    vna_other: U16::new(LE, elf::VersionIndex(version.index)),
                    vna_name: U32::new(LE, name),
                    vna_next: U32::new(LE, if last { 0 } else { each }),
                };
                self.needs.extend_from_slice(bytes_of(&version));
            }
        }
    }
}

const BLOOM_SHIFT: u32 = 26;

/// A symbol without a value.
pub fn symbol(name: u32, info: SymbolInfo, section: SymbolSection, size: u64) -> Symbol {
    Sym64 {
        st_name: U32::new(LE, name),
        st_info: info,
        st_other: SymbolOther(0),
        st_shndx: U16::new(LE, section),
        st_value: U64::new(LE, 0),
        st_size: U64::new(LE, size),
    }
}

/// The symbols that libraries know too: they use the program's instead of their own.
fn exports<'a>(image: &Image<'a>, libraries: &[Library]) -> Vec<Export<'a>> {
    let expected: FxHashSet<&[u8]> = libraries.iter().flat_map(Library::expected).collect();
    let mut exports = BTreeMap::new();
    for object in &image.objects {
        for symbol in object.symbols.iter() {
            let shared = symbol.binding() != Binding::Local && !symbol.is_hidden();
            if !shared || !matches!(symbol.place(), Place::Defined(..)) {
                continue;
            }
            let name = symbol.name();
            let known = expected.contains(name) || libraries.iter().any(|l| l.find(name).is_some());
            if let (true, Some(bound)) = (known, image.names.get(name)) {
                let hash = elf::gnu_hash(name);
                let (kind, size) = (symbol.kind(), symbol.size());
                let export = Export { name, hash, bound, kind, size };
                exports.insert(name, export);
            }
        }
    }
    exports.into_values().collect()
}
