//! What a relocatable ELF object contains.

use object::{
    LittleEndian, SymbolIndex,
    elf::{self, FileHeader64, Rela64, RelocationType, SectionHeader64, Sym64},
    read::elf::{
        FileHeader as _, Rela as _, SectionHeader as _, SectionTable, Sym as _, SymbolTable,
    },
};

const LE: LittleEndian = LittleEndian;
type Header = FileHeader64<LittleEndian>;
type Error = object::read::Error;

/// A relocatable object, read where it lies.
pub struct Object<'a> {
    /// For messages.
    pub name: &'a str,
    data: &'a [u8],
    sections: SectionTable<'a, Header>,
    symbols: SymbolTable<'a, Header>,
}

/// Sections of one kind lie together and get the same protection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Code,
    /// Never written after relocation.
    Constant,
    Data,
}

/// A section that takes part in execution.
pub struct Section<'a> {
    pub index: usize,
    pub kind: Kind,
    pub align: usize,
    pub size: usize,
    /// Empty if it is all zeros.
    pub data: &'a [u8],
}

/// A place that depends on the address of a symbol.
pub struct Relocation {
    pub offset: usize,
    pub kind: RelocationType,
    pub symbol: usize,
    pub addend: i64,
}

/// Where a symbol is.
pub enum Place {
    Undefined,
    Absolute(u64),
    /// Section and offset.
    Defined(usize, u64),
}

/// A name, or a local place.
pub struct Symbol<'a> {
    pub name: &'a [u8],
    pub local: bool,
    pub weak: bool,
    pub place: Place,
}

impl<'a> Object<'a> {
    /// Reads the tables of an object.
    pub fn parse(name: &'a str, data: &'a [u8]) -> Result<Self, Error> {
        let header = Header::parse(data)?;
        header.endian()?;
        let sections = header.sections(LE, data)?;
        let symbols = sections.symbols(LE, data, elf::SHT_SYMTAB)?;
        Ok(Object { name, data, sections, symbols })
    }

    /// The sections that take part in execution.
    pub fn sections(&self) -> impl Iterator<Item = Result<Section<'a>, Error>> {
        let allocated = |(_, section): &(_, &SectionHeader64<_>)| {
            section.sh_flags(LE).0 & elf::SHF_ALLOC.0 != 0
        };
        self.sections.enumerate().filter(allocated).map(|(index, section)| {
            let flags = section.sh_flags(LE).0;
            let name = self.sections.section_name(LE, section)?;
            let kind = if flags & elf::SHF_EXECINSTR.0 != 0 {
                Kind::Code
            } else if flags & elf::SHF_WRITE.0 != 0 && !name.starts_with(b".data.rel.ro") {
                Kind::Data
            } else {
                Kind::Constant
            };
            Ok(Section {
                index: index.0,
                kind,
                align: (section.sh_addralign(LE) as usize).max(1),
                size: section.sh_size(LE) as usize,
                data: section.data(LE, self.data)?,
            })
        })
    }

    /// The relocations of all sections, by section.
    pub fn relocations(
        &self,
    ) -> impl Iterator<Item = Result<(usize, &'a [Rela64<LittleEndian>]), Error>> {
        self.sections.iter().filter_map(|section| match section.rela(LE, self.data) {
            Ok(Some((relocations, _))) => Some(Ok((section.sh_info(LE) as usize, relocations))),
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        })
    }

    /// Number of symbols.
    pub fn symbol_count(&self) -> usize {
        self.symbols.len()
    }

    /// A symbol by index.
    pub fn symbol(&self, index: usize) -> Result<Symbol<'a>, Error> {
        let index = SymbolIndex(index);
        let symbol: &Sym64<_> = self.symbols.symbol(index)?;
        let place = match symbol.st_shndx(LE) {
            elf::SHN_UNDEF => Place::Undefined,
            elf::SHN_ABS => Place::Absolute(symbol.st_value(LE)),
            _ => match self.symbols.symbol_section(LE, symbol, index)? {
                Some(section) => Place::Defined(section.0, symbol.st_value(LE)),
                None => Place::Undefined,
            },
        };
        let binding = symbol.st_bind();
        Ok(Symbol {
            name: self.symbols.symbol_name(LE, symbol)?,
            local: binding == elf::STB_LOCAL,
            weak: binding == elf::STB_WEAK,
            place,
        })
    }
}

/// The parts of a relocation.
pub fn relocation(relocation: &Rela64<LittleEndian>) -> Relocation {
    Relocation {
        offset: relocation.r_offset(LE) as usize,
        kind: relocation.r_type(LE, false),
        symbol: relocation.r_sym(LE, false) as usize,
        addend: relocation.r_addend(LE),
    }
}
