//! Section headers of an executable. The loader ignores them; tools do not.

use crate::{
    elf::LE,
    layout::{Layout, PARTS, Part, Range, Segment},
};
use object::{
    LittleEndian, U32, U64,
    elf::{self, SectionFlags, SectionHeader64, SectionType, SymbolSection},
};

/// Index of `.dynsym`.
pub const DYNSYM: u32 = 3;
/// Index of `.dynstr`.
pub const DYNSTR: u32 = 4;
/// Index of `.rela.dyn`.
pub const RELA: u32 = 7;

/// The headers so far.
pub struct Sections {
    /// The first is empty.
    pub headers: Vec<SectionHeader64<LittleEndian>>,
    /// Their names.
    pub names: Vec<u8>,
    parts: [u16; PARTS.len()],
}

/// What a header says beside the name.
pub struct Section {
    /// What it holds.
    pub ty: SectionType,
    /// How it is used.
    pub flags: SectionFlags,
    /// Where it is: offset and, if it is in memory, address.
    pub range: Range,
    /// Depends on the type.
    pub link: u32,
    /// Depends on the type.
    pub info: u32,
    /// Of an entry, if it is a table.
    pub size: usize,
    /// Of its address.
    pub align: u64,
}

impl Sections {
    /// None but the empty one.
    pub fn new() -> Sections {
        let mut sections =
            Sections { headers: Vec::new(), names: Vec::new(), parts: Default::default() };
        let (ty, flags) = (elf::SHT_NULL, SectionFlags(0));
        let range = Range::default();
        sections.add("", Section { ty, flags, range, link: 0, info: 0, size: 0, align: 0 });
        sections
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        self.headers.len() as u32
    }

    /// One more.
    pub fn add(&mut self, name: &str, section: Section) {
        let at = self.names.len() as u32;
        self.names.extend_from_slice(name.as_bytes());
        self.names.push(0);
        let allocated = section.flags.0 & elf::SHF_ALLOC.0 != 0;
        self.headers.push(SectionHeader64 {
            sh_name: U32::new(LE, at),
            sh_type: U32::new(LE, section.ty),
            sh_flags: U64::new(LE, section.flags),
            sh_addr: U64::new(LE, if allocated { section.range.start } else { 0 }),
            sh_offset: U64::new(LE, section.range.start),
            sh_size: U64::new(LE, section.range.len()),
            sh_link: U32::new(LE, section.link),
            sh_info: U32::new(LE, section.info),
            sh_addralign: U64::new(LE, section.align),
            sh_entsize: U64::new(LE, section.size as u64),
        });
    }

    /// The parts of an image that are not empty.
    pub fn add_parts(&mut self, layout: &Layout) {
        for part in PARTS {
            let range = layout.part(part);
            let Some((name, ty)) = describe(part) else { continue };
            if range.is_empty() {
                continue;
            }
            self.parts[part as usize] = self.headers.len() as u16;
            let flags = match part.segment() {
                Segment::Read => elf::SHF_ALLOC.0,
                Segment::Execute => elf::SHF_ALLOC.0 | elf::SHF_EXECINSTR.0,
                Segment::Relocated | Segment::Write => elf::SHF_ALLOC.0 | elf::SHF_WRITE.0,
            };
            let (link, size) = match part {
                Part::Dynamic => (DYNSTR, 16),
                Part::Table | Part::Before | Part::After => (0, 8),
                _ => (0, 0),
            };
            let align = 1 << range.start.trailing_zeros().min(4);
            let flags = SectionFlags(flags);
            self.add(name, Section { ty, flags, range, link, info: 0, size, align });
        }
    }

    /// The header of a part, for symbols.
    pub fn index(&self, part: Part) -> SymbolSection {
        SymbolSection(self.parts[part as usize])
    }

    /// Gives a section another size.
    pub fn resize(&mut self, index: u32, size: u64) {
        self.headers[index as usize].sh_size = U64::new(LE, size);
    }
}

fn describe(part: Part) -> Option<(&'static str, SectionType)> {
    Some(match part {
        Part::Head => return None,
        Part::Constant => (".rodata", elf::SHT_PROGBITS),
        Part::Unwind => (".eh_frame", elf::SHT_PROGBITS),
        Part::Code => (".text", elf::SHT_PROGBITS),
        Part::Stubs => (".plt", elf::SHT_PROGBITS),
        Part::Relocated => (".data.rel.ro", elf::SHT_PROGBITS),
        Part::Before => (".init_array", elf::SHT_INIT_ARRAY),
        Part::After => (".fini_array", elf::SHT_FINI_ARRAY),
        Part::Dynamic => (".dynamic", elf::SHT_DYNAMIC),
        Part::Table => (".got", elf::SHT_PROGBITS),
        Part::Data => (".data", elf::SHT_PROGBITS),
        Part::Zero => (".bss", elf::SHT_NOBITS),
    })
}
