//! What a relocatable ELF object contains.

use crate::{
    LinkError, Result,
    interner::{Interner, NameId},
    relocate::{self, Need, WORD},
};
use object::{
    LittleEndian,
    elf::{self, FileHeader64, Rela64, STT_SECTION, SectionHeader64, Sym64},
    pod::{Pod, slice_from_bytes},
    read::elf::{FileHeader as _, Rela as _, SectionHeader as _, SectionTable, Sym as _},
};
use std::{ops::Range, sync::Arc};

/// The only byte order of the machines that Cm has code for.
pub const LE: LittleEndian = LittleEndian;
type Header = FileHeader64<LittleEndian>;

/// A relocatable object, read where it lies.
pub struct Object<'a> {
    /// For messages.
    pub name: &'a str,
    /// The file.
    pub data: &'a [u8],
    /// What is where in it.
    pub contents: Arc<Contents>,
    pub(crate) symbols: Symbols<'a>,
}

/// What is where in an object: all that is found out before other objects are looked at.
#[derive(Default)]
pub struct Contents {
    /// By their index in the file.
    pub sections: Vec<Section>,
    /// Where the table of symbols is.
    pub(crate) symbols: Range<usize>,
    /// Where their names are.
    pub(crate) strings: Range<usize>,
    /// Of the sections that take part in execution: where their relocations are.
    pub(crate) relocations: Vec<(usize, Range<usize>)>,
    /// By symbol; `None`: no other object sees it.
    pub(crate) names: Vec<Option<NameId>>,
    /// What relocations need of symbols, each once, in the order of their first use.
    pub(crate) needs: Vec<(Need, u32)>,
    /// How many relocations are whole addresses.
    pub(crate) words: usize,
}

/// The symbols of an object, by their index in the file.
#[derive(Clone, Copy, Default)]
pub struct Symbols<'a> {
    /// As they are in the file, and checked.
    pub entries: &'a [Sym64<LittleEndian>],
    /// Their names, each with a zero behind it.
    pub strings: &'a [u8],
}

/// The relocations of a section that takes part in execution.
#[derive(Clone, Copy)]
pub struct Relocations<'a> {
    /// Index of the section.
    pub section: usize,
    /// As they are in the file.
    pub entries: &'a [Rela64<LittleEndian>],
}

/// Input sections of one kind lie together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// Only read.
    Constant,
    /// Tables for unwinding the stack.
    Unwind,
    /// Executed.
    Code,
    /// Never written after relocation.
    Relocated,
    /// Addresses of functions to call before `main`.
    Before,
    /// Addresses of functions to call after `main`.
    After,
    /// Written.
    Data,
    /// Written, and zero at first.
    Zero,
}

/// A section.
#[derive(Debug)]
pub struct Section {
    /// `None`: it takes no part in execution.
    pub kind: Option<Kind>,
    /// A power of two.
    pub align: u64,
    /// Size in memory.
    pub size: u64,
    /// Where in the file it is; empty if it is all zeros.
    pub data: Range<usize>,
    /// Order among sections of this kind, if it is not that of the objects.
    pub priority: u32,
}

/// A place that depends on the address of a symbol.
#[derive(Clone, Copy, Debug)]
pub struct Relocation {
    /// From the start of the section.
    pub offset: u64,
    /// What is filled in.
    pub kind: elf::RelocationType,
    /// Index in the object's symbols.
    pub symbol: usize,
    /// Added to the symbol's address.
    pub addend: i64,
}

/// A name, or a local place.
#[derive(Clone, Copy)]
pub struct Symbol<'a> {
    entry: &'a Sym64<LittleEndian>,
    strings: &'a [u8],
}

/// Whether other objects see a symbol, and who prevails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Binding {
    /// Seen by none.
    Local,
    /// Gives way to others.
    Weak,
    /// Seen by all.
    Global,
}

/// Where a symbol is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// In another object.
    Undefined,
    /// A number.
    Absolute(u64),
    /// In a section, at an offset.
    Defined(u16, u64),
}

/// Larger alignments than that of a page cannot be kept in memory.
const MAX_ALIGN: u64 = 4096;

impl<'a> Object<'a> {
    /// Reads an object.
    ///
    /// # Errors
    /// If it is damaged, or made for another machine, or holds what is not supported.
    pub fn parse(name: &'a str, data: &'a [u8], names: &mut Interner) -> Result<Self> {
        let contents = Contents::parse(name, data, names)?;
        let damaged = || LinkError::Damaged(name.into(), "it ends too early".into());
        Object::new(name, data, Arc::new(contents)).ok_or_else(damaged)
    }

    /// An object with known contents. `None`: they are not its own.
    pub fn new(name: &'a str, data: &'a [u8], contents: Arc<Contents>) -> Option<Self> {
        let strings = data.get(contents.strings.clone())?;
        let symbols = Symbols { entries: entries(data, &contents.symbols)?, strings };
        let same = symbols.entries.len() == contents.names.len();
        same.then_some(Object { name, data, contents, symbols })
    }

    /// What a section contains, if it is not all zeros.
    pub fn bytes(&self, section: &Section) -> &'a [u8] {
        self.data.get(section.data.clone()).unwrap_or_default()
    }

    /// The relocations of all sections that take part in execution.
    pub fn relocations(&self) -> impl Iterator<Item = Relocations<'a>> {
        let lists = self.contents.relocations.iter();
        lists.map(|(section, range)| Relocations {
            section: *section,
            entries: entries(self.data, range).unwrap_or_default(),
        })
    }
}

impl Contents {
    fn parse(name: &str, data: &[u8], names: &mut Interner) -> Result<Self> {
        let damaged = |what: object::read::Error| LinkError::Damaged(name.into(), what.to_string());
        let unsupported = |what: &str| LinkError::Unsupported(name.into(), what.into());
        let header = Header::parse(data).map_err(damaged)?;
        header.endian().map_err(damaged)?;
        if header.e_type.get(LE) != elf::ET_REL || header.e_machine.get(LE) != MACHINE {
            return Err(unsupported("it is not an object for this machine"));
        }
        let table = header.sections(LE, data).map_err(damaged)?;
        let mut sections = Vec::with_capacity(table.len());
        let mut relocations = Vec::new();
        for section in table.iter() {
            let read = read_section(&table, section, data).map_err(damaged)?;
            sections.push(read.map_err(unsupported)?);
            if section.rela(LE, data).map_err(damaged)?.is_some() {
                relocations.push((section.sh_info(LE) as usize, place(section)));
            }
        }
        let taken =
            |section: usize| sections.get(section).is_some_and(|s: &Section| s.kind.is_some());
        relocations.retain(|(section, _)| taken(*section));
        let (symbols, strings) = find_symbols(&table, data).map_err(damaged)?;
        let contents = Contents { sections, symbols, strings, relocations, ..Contents::default() };
        contents.with_names(name, data, names)
    }

    /// Looks at the symbols and the relocations.
    pub fn with_names(mut self, name: &str, data: &[u8], names: &mut Interner) -> Result<Self> {
        let damaged = |what: &str| LinkError::Damaged(name.into(), what.into());
        let strings = data.get(self.strings.clone()).unwrap_or_default();
        let symbols =
            Symbols { entries: entries(data, &self.symbols).unwrap_or_default(), strings };
        if !symbols.have_names() {
            return Err(damaged("a symbol's name is not in the file"));
        }
        let unsupported = |what: &str| LinkError::Unsupported(name.into(), what.into());
        symbols.check().map_err(unsupported)?;
        let shared = symbols.iter().map(|symbol| symbol.shared_name());
        self.names = shared.map(|name| name.map(|name| names.intern(name))).collect();
        let mut known = vec![[false; 2]; self.names.len()];
        for (_, range) in &self.relocations {
            let entries = entries(data, range).unwrap_or_default();
            for relocation in (Relocations { section: 0, entries }).iter() {
                let Some(known) = known.get_mut(relocation.symbol) else {
                    return Err(damaged("a relocation refers to no symbol"));
                };
                self.words += usize::from(relocation.kind == WORD);
                let need = relocate::need(relocation.kind);
                let known = match need {
                    Need::Nothing => continue,
                    Need::Slot => &mut known[0],
                    Need::Stub => &mut known[1],
                };
                if !std::mem::replace(known, true) {
                    self.needs.push((need, relocation.symbol as u32));
                }
            }
        }
        Ok(self)
    }
}

impl<'a> Symbols<'a> {
    /// All of them.
    pub fn iter(self) -> impl Iterator<Item = Symbol<'a>> {
        self.entries.iter().map(move |entry| Symbol { entry, strings: self.strings })
    }

    /// The one with this index.
    pub fn get(self, index: usize) -> Option<Symbol<'a>> {
        self.entries.get(index).map(|entry| Symbol { entry, strings: self.strings })
    }

    /// Every name begins in the strings, and ends there.
    fn have_names(self) -> bool {
        let known = |entry: &Sym64<LittleEndian>| {
            usize::try_from(entry.st_name.get(LE)).is_ok_and(|start| start < self.strings.len())
        };
        self.strings.ends_with(b"\0") && self.entries.iter().all(known) || self.entries.is_empty()
    }

    /// What is not supported is the error.
    fn check(self) -> std::result::Result<(), &'static str> {
        for symbol in self.entries {
            match symbol.st_shndx(LE) {
                elf::SHN_COMMON => return Err("it has tentative definitions of C"),
                elf::SHN_XINDEX => return Err("it has more than 65,000 sections"),
                _ => {}
            }
            if matches!(symbol.st_type(), elf::STT_GNU_IFUNC | elf::STT_TLS) {
                return Err("it has functions or variables whose address is found when it runs");
            }
        }
        Ok(())
    }
}

impl<'a> Symbol<'a> {
    /// May be empty.
    pub fn name(self) -> &'a [u8] {
        let start = self.entry.st_name.get(LE) as usize;
        let rest = self.strings.get(start..).unwrap_or_default();
        &rest[..memchr::memchr(0, rest).unwrap_or(rest.len())]
    }

    /// Its name, if other objects may see it.
    fn shared_name(self) -> Option<&'a [u8]> {
        let shared = self.binding() != Binding::Local && self.kind() != STT_SECTION;
        Some(self.name()).filter(|name| shared && !name.is_empty())
    }

    /// Whether other objects see it, and who prevails.
    pub fn binding(self) -> Binding {
        match self.entry.st_bind() {
            elf::STB_LOCAL => Binding::Local,
            elf::STB_WEAK => Binding::Weak,
            _ => Binding::Global,
        }
    }

    /// Not seen by shared libraries.
    pub fn is_hidden(self) -> bool {
        self.entry.st_visibility() != elf::STV_DEFAULT
    }

    /// Function, variable, …
    pub fn kind(self) -> elf::SymbolType {
        self.entry.st_type()
    }

    /// In bytes.
    pub fn size(self) -> u64 {
        self.entry.st_size(LE)
    }

    /// Where it is.
    pub fn place(self) -> Place {
        let section = self.entry.st_shndx(LE);
        match section.index() {
            Some(index) => Place::Defined(index, self.entry.st_value(LE)),
            None if section == elf::SHN_ABS => Place::Absolute(self.entry.st_value(LE)),
            None => Place::Undefined,
        }
    }
}

impl<'a> Relocations<'a> {
    /// All of them.
    pub fn iter(self) -> impl Iterator<Item = Relocation> + use<'a> {
        self.entries.iter().map(|entry| Relocation {
            offset: entry.r_offset(LE),
            kind: entry.r_type(LE, false),
            symbol: entry.r_sym(LE, false) as usize,
            addend: entry.r_addend(LE),
        })
    }
}

/// The machine that this linker links for: the one it runs on.
pub const MACHINE: elf::Machine =
    if cfg!(target_arch = "aarch64") { elf::EM_AARCH64 } else { elf::EM_X86_64 };

/// What is not supported is the inner error.
type Read<T> = std::result::Result<std::result::Result<T, &'static str>, object::read::Error>;

fn read_section(
    table: &SectionTable<Header>,
    section: &SectionHeader64<LittleEndian>,
    file: &[u8],
) -> Read<Section> {
    let flags = section.sh_flags(LE).0;
    let ty = section.sh_type(LE);
    let mut read = Section { kind: None, align: 1, size: 0, data: 0..0, priority: 0 };
    if ty == elf::SHT_GROUP {
        return Ok(Err("it has groups of sections"));
    }
    // What notes say concerns the object, not the program.
    if flags & elf::SHF_ALLOC.0 == 0 || ty == elf::SHT_NOTE {
        return Ok(Ok(read));
    }
    let name = table.section_name(LE, section)?;
    let unsupported = match ty {
        elf::SHT_PREINIT_ARRAY => Some("it has functions to call before all others"),
        _ if flags & elf::SHF_TLS.0 != 0 => Some("it has thread-local variables"),
        _ if name.starts_with(b".ctors") || name.starts_with(b".dtors") => Some("it has .ctors"),
        _ => None,
    };
    read.align = section.sh_addralign(LE).max(1);
    read.size = section.sh_size(LE);
    section.data(LE, file)?;
    read.data = place(section);
    if let Some(what) = unsupported {
        return Ok(Err(what));
    }
    if !read.align.is_power_of_two() || read.align > MAX_ALIGN {
        return Ok(Err("a section is aligned to more than a page"));
    }
    let writable = flags & elf::SHF_WRITE.0 != 0;
    read.kind = Some(if flags & elf::SHF_EXECINSTR.0 != 0 {
        Kind::Code
    } else if ty == elf::SHT_INIT_ARRAY {
        Kind::Before
    } else if ty == elf::SHT_FINI_ARRAY {
        Kind::After
    } else if writable && name.starts_with(b".data.rel.ro") {
        Kind::Relocated
    } else if ty == elf::SHT_NOBITS {
        Kind::Zero
    } else if writable {
        Kind::Data
    } else if name == b".eh_frame" {
        Kind::Unwind
    } else {
        Kind::Constant
    });
    if matches!(read.kind, Some(Kind::Before | Kind::After)) {
        read.priority = priority(name);
    }
    Ok(Ok(read))
}

/// `.init_array.00100` comes before `.init_array.00200`, and all of them before `.init_array`.
fn priority(name: &[u8]) -> u32 {
    let number = name.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    std::str::from_utf8(number).ok().and_then(|text| text.parse().ok()).unwrap_or(u32::MAX)
}

/// Where the table of symbols is, and where their names are.
fn find_symbols(
    table: &SectionTable<Header>,
    file: &[u8],
) -> std::result::Result<(Range<usize>, Range<usize>), object::read::Error> {
    let symbols = table.symbols(LE, file, elf::SHT_SYMTAB)?;
    if symbols.is_empty() {
        return Ok((0..0, 0..0));
    }
    let strings = table.section(symbols.string_section())?;
    strings.data(LE, file)?;
    Ok((place(table.section(symbols.section())?), place(strings)))
}

/// Where the bytes of a section are in the file, which has them.
fn place(section: &SectionHeader64<LittleEndian>) -> Range<usize> {
    let range = section.file_range(LE);
    range.map_or(0..0, |(start, size)| start as usize..(start + size) as usize)
}

/// The entries of a table. `None`: it is not in the file.
fn entries<'a, T: Pod>(file: &'a [u8], range: &Range<usize>) -> Option<&'a [T]> {
    let bytes = file.get(range.clone())?;
    let (entries, _) = slice_from_bytes(bytes, bytes.len() / size_of::<T>()).ok()?;
    Some(entries)
}
