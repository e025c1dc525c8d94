//! What a shared library offers to those that are linked with it.

use crate::{
    LinkError, Result,
    elf::{LE, MACHINE},
};
use object::{
    LittleEndian,
    elf::{self, FileHeader64},
    read::elf::{
        Dyn as _, FileHeader as _, GnuHashTable, SectionTable, Sym as _, SymbolTable, VersionTable,
    },
};

type Header = FileHeader64<LittleEndian>;

/// A shared library, read where it lies.
pub struct Library<'a> {
    /// The name by which it is found when a program starts.
    pub name: &'a [u8],
    symbols: SymbolTable<'a, Header>,
    hash: GnuHashTable<'a, Header>,
    versions: Option<VersionTable<'a, Header>>,
}

/// A symbol of a library.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Export<'a> {
    /// The version that new programs use.
    pub version: Option<&'a [u8]>,
    /// There is one in each thread.
    pub thread_local: bool,
}

impl<'a> Library<'a> {
    /// Reads the tables of a library. `file` is its name if it has none of its own.
    ///
    /// # Errors
    /// If it is damaged, made for another machine, or too old to have a table of hashes.
    pub fn parse(file: &'a str, data: &'a [u8]) -> Result<Self> {
        let damaged = |what: object::read::Error| LinkError::Damaged(file.into(), what.to_string());
        let unsupported = |what: &str| LinkError::Unsupported(file.into(), what.into());
        let header = Header::parse(data).map_err(damaged)?;
        header.endian().map_err(damaged)?;
        if header.e_type.get(LE) != elf::ET_DYN || header.e_machine.get(LE) != MACHINE {
            return Err(unsupported("it is not a shared library for this machine"));
        }
        let sections = header.sections(LE, data).map_err(damaged)?;
        let symbols = sections.symbols(LE, data, elf::SHT_DYNSYM).map_err(damaged)?;
        let (hash, _) = sections
            .gnu_hash(LE, data)
            .map_err(damaged)?
            .ok_or_else(|| unsupported("it has no .gnu.hash"))?;
        let versions = sections.versions(LE, data).map_err(damaged)?;
        let name = own_name(&sections, data).map_err(damaged)?;
        let name = name.unwrap_or(file.as_bytes());
        Ok(Library { name, symbols, hash, versions })
    }

    /// What it exports under a name.
    pub fn find(&self, name: &[u8]) -> Option<Export<'a>> {
        let none = VersionTable::default();
        let versions = self.versions.as_ref().unwrap_or(&none);
        let hash = elf::gnu_hash(name);
        let (index, symbol) = self.hash.find(LE, name, hash, None, &self.symbols, versions)?;
        if symbol.is_undefined(LE) {
            return None;
        }
        let version = versions.version(versions.version_index(LE, index).index()).ok()?;
        Some(Export {
            version: version.map(|version| version.name()),
            thread_local: symbol.st_type() == elf::STT_TLS,
        })
    }

    /// The symbols that it expects of others.
    pub fn expected(&self) -> impl Iterator<Item = &'a [u8]> {
        self.symbols
            .iter()
            .filter(|symbol| symbol.is_undefined(LE))
            .filter_map(|symbol| self.symbols.symbol_name(LE, symbol).ok())
            .filter(|name| !name.is_empty())
    }
}

fn own_name<'a>(
    sections: &SectionTable<'a, Header>,
    data: &'a [u8],
) -> std::result::Result<Option<&'a [u8]>, object::read::Error> {
    let Some((entries, strings)) = sections.dynamic(LE, data)? else { return Ok(None) };
    let strings = sections.strings(LE, data, strings)?;
    match entries.iter().find(|entry| entry.d_tag(LE) == elf::DT_SONAME) {
        Some(entry) => entry.string(LE, strings).map(Some),
        None => Ok(None),
    }
}
