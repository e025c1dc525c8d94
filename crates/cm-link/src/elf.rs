//! What a relocatable ELF object contains.

use crate::{LinkError, Result};
use object::{
    LittleEndian, SymbolIndex,
    elf::{self, FileHeader64, Rela64, SectionHeader64, Sym64},
    read::elf::{
        FileHeader as _, Rela as _, SectionHeader as _, SectionTable, Sym as _, SymbolTable,
    },
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
    /// By their index in the file.
    pub symbols: Vec<Symbol<'a>>,
    /// Relocations of sections that take part in execution, by section.
    pub relocations: Vec<(usize, Vec<Relocation>)>,
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
#[derive(Debug)]
pub struct Symbol<'a> {
    /// May be empty.
    pub name: &'a [u8],
    /// Whether other objects see it, and who prevails.
    pub binding: Binding,
    /// Not seen by shared libraries.
    pub hidden: bool,
    /// Function, variable, …
    pub kind: elf::SymbolType,
    /// In bytes.
    pub size: u64,
    /// Where it is.
    pub place: Place,
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
    Defined(usize, u64),
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
            if let Some((list, _)) = section.rela(LE, data).map_err(damaged)? {
                relocations.push((section.sh_info(LE) as usize, list));
            }
        }
        let taken = |section: &usize| sections.get(*section).is_some_and(|s| s.kind.is_some());
        let relocations = relocations
            .into_iter()
            .filter(|(section, _)| taken(section))
            .map(|(section, list)| (section, list.iter().map(read_relocation).collect()))
            .collect();
        let table = table.symbols(LE, data, elf::SHT_SYMTAB).map_err(damaged)?;
        let mut symbols = Vec::with_capacity(table.len());
        for (index, symbol) in table.enumerate() {
            let read = read_symbol(&table, index, symbol).map_err(damaged)?;
            symbols.push(read.map_err(unsupported)?);
        }
        Ok(Object { name, sections, symbols, relocations })
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

fn read_relocation(relocation: &Rela64<LittleEndian>) -> Relocation {
    Relocation {
        offset: relocation.r_offset(LE),
        kind: relocation.r_type(LE, false),
        symbol: relocation.r_sym(LE, false) as usize,
        addend: relocation.r_addend(LE),
    }
}

fn read_symbol<'a>(
    table: &SymbolTable<'a, Header>,
    index: SymbolIndex,
    symbol: &Sym64<LittleEndian>,
) -> Read<Symbol<'a>> {
    let binding = match symbol.st_bind() {
        elf::STB_LOCAL => Binding::Local,
        elf::STB_WEAK => Binding::Weak,
        _ => Binding::Global,
    };
    let place = match symbol.st_shndx(LE) {
        elf::SHN_UNDEF => Place::Undefined,
        elf::SHN_ABS => Place::Absolute(symbol.st_value(LE)),
        elf::SHN_COMMON => return Ok(Err("it has tentative definitions of C")),
        _ => match table.symbol_section(LE, symbol, index)? {
            Some(section) => Place::Defined(section.0, symbol.st_value(LE)),
            None => Place::Undefined,
        },
    };
    let kind = symbol.st_type();
    if kind == elf::STT_GNU_IFUNC || kind == elf::STT_TLS {
        return Ok(Err("it has functions or variables whose address is found when it runs"));
    }
    Ok(Ok(Symbol {
        name: table.symbol_name(LE, symbol)?,
        binding,
        hidden: symbol.st_visibility() != elf::STV_DEFAULT,
        kind,
        size: symbol.st_size(LE),
        place,
    }))
}
