//! What a relocatable ELF object contains.

use crate::{LinkError, Result};
use object::{
    LittleEndian,
    elf::{self, FileHeader64, Rela64, SectionHeader64, Sym64},
    read::elf::{FileHeader as _, Rela as _, SectionHeader as _, SectionTable, Sym as _},
};

/// The only byte order of the machines that Cm has code for.
pub const LE: LittleEndian = LittleEndian;
type Header = FileHeader64<LittleEndian>;

/// A relocatable object, read where it lies.
pub struct Object<'a> {
    /// For messages.
    pub name: &'a str,
    /// By their index in the file.
    pub sections: Vec<Section<'a>>,
    pub(crate) symbols: Symbols<'a>,
    pub(crate) relocations: Vec<Relocations<'a>>,
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
pub struct Section<'a> {
    /// `None`: it takes no part in execution.
    pub kind: Option<Kind>,
    /// A power of two.
    pub align: u64,
    /// Size in memory.
    pub size: u64,
    /// Empty if it is all zeros.
    pub data: &'a [u8],
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
    pub fn parse(name: &'a str, data: &'a [u8]) -> Result<Self> {
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
            if let Some((entries, _)) = section.rela(LE, data).map_err(damaged)? {
                relocations.push(Relocations { section: section.sh_info(LE) as usize, entries });
            }
        }
        let taken = |section: usize| sections.get(section).is_some_and(|s| s.kind.is_some());
        relocations.retain(|list| taken(list.section));
        let symbols = read_symbols(&table, data).map_err(damaged)?;
        if !symbols.have_names() {
            let what = "a symbol's name is not in the file".to_owned();
            return Err(LinkError::Damaged(name.into(), what));
        }
        symbols.check().map_err(unsupported)?;
        Ok(Object { name, sections, symbols, relocations })
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

fn read_section<'a>(
    table: &SectionTable<'a, Header>,
    section: &SectionHeader64<LittleEndian>,
    file: &'a [u8],
) -> Read<Section<'a>> {
    let flags = section.sh_flags(LE).0;
    let ty = section.sh_type(LE);
    let mut read = Section { kind: None, align: 1, size: 0, data: &[], priority: 0 };
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
    read.data = section.data(LE, file)?;
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

fn read_symbols<'a>(
    table: &SectionTable<'a, Header>,
    file: &'a [u8],
) -> std::result::Result<Symbols<'a>, object::read::Error> {
    let symbols = table.symbols(LE, file, elf::SHT_SYMTAB)?;
    if symbols.is_empty() {
        return Ok(Symbols::default());
    }
    let strings = table.section(symbols.string_section())?.data(LE, file)?;
    Ok(Symbols { entries: symbols.symbols(), strings })
}
