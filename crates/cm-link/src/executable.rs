//! Executables: position-independent, every import bound when the program starts, everything but
//! data protected before `main`.

use crate::{
    LinkError, Result,
    dynamic::Tables,
    elf::{LE, MACHINE, Object},
    image::{Fixup, Image, Of, Place},
    layout::{Layout, Part, Range, SEGMENTS, Segment, align},
    library::Library,
    relocate::{self, LOADER, PAGE},
    sections::{DYNSTR, DYNSYM, Section, Sections},
    start, symbols,
};
use object::{
    I64, LittleEndian, U16, U32, U64,
    elf::{
        self, Dyn64, DynamicTag, FileHeader64, Ident, ProgramFlags, ProgramHeader64, ProgramType,
        Rela64, SectionHeader64, Sym64,
    },
    pod::{Pod, bytes_of_slice},
};

/// Links objects and libraries to an executable.
///
/// # Errors
/// If names are undefined or defined twice, or an object or library cannot be used.
pub fn executable(objects: &[(&str, &[u8])], libraries: &[Library]) -> Result<Vec<u8>> {
    let parsed = objects.iter().map(|&(name, data)| Object::parse(name, data));
    let objects = std::iter::once(Ok(start::object())).chain(parsed).collect::<Result<Vec<_>>>()?;
    let image = Image::new(objects)?;
    let tables = Tables::new(&image, libraries)?;
    let head = Head::new(&tables, image.max_fixups());
    let dynamic = (tables.libraries.len() + DYNAMIC_ENTRIES) * size_of::<Dyn>();
    let layout = image.layout(head.end as usize, dynamic, PAGE)?;
    check_initializers(&layout, libraries)?;
    let mut bytes = vec![0; layout.filled() as usize];
    let mut place = Place { bytes: &mut bytes, base: 0, imports: None };
    let fixups = image.write(&layout, &mut place)?;
    let mut file = File { bytes, image: &image, layout: &layout, tables, head };
    let relocations = file.write_relocations(fixups);
    let sections = file.sections(&relocations);
    file.write_dynamic(&relocations);
    file.write_tables(&sections);
    let programs = file.programs();
    file.put(PROGRAMS_START, &programs);
    file.write_symbols(sections, programs.len() as u16);
    Ok(file.bytes)
}

/// Since version 2.34 the GNU C library calls the initializers of programs itself; before, the start
/// files did.
fn check_initializers(layout: &Layout, libraries: &[Library]) -> Result<()> {
    let old = |library: &Library| {
        let main = library.find(b"__libc_start_main");
        main.is_some_and(|export| export.version != Some(b"GLIBC_2.34"))
    };
    if layout.part(Part::Before).is_empty() || !libraries.iter().any(old) {
        return Ok(());
    }
    let what = "this C library leaves initializers to start files".to_owned();
    Err(LinkError::Unsupported("the program".to_owned(), what))
}

type Dyn = Dyn64<LittleEndian>;
type Rela = Rela64<LittleEndian>;
type Sym = Sym64<LittleEndian>;
type Program = ProgramHeader64<LittleEndian>;
type Header = FileHeader64<LittleEndian>;
type SectionHeader = SectionHeader64<LittleEndian>;

/// Entries of `.dynamic` beside those of libraries.
const DYNAMIC_ENTRIES: usize = 20;

/// Program headers, at most: `PHDR`, `INTERP`, four segments, `DYNAMIC`, `GNU_RELRO`, `GNU_STACK`.
const PROGRAMS: usize = 9;
const PROGRAMS_START: u64 = size_of::<Header>() as u64;

/// What lies before the sections of objects.
struct Head {
    interp: Range,
    hash: Range,
    symbols: Range,
    strings: Range,
    versions: Range,
    needs: Range,
    relocations: Range,
    end: u64,
}

impl Head {
    fn new(tables: &Tables, fixups: usize) -> Head {
        let mut end = (size_of::<Header>() + PROGRAMS * size_of::<Program>()) as u64;
        let mut next = |len: usize| {
            let start = align(end, 8);
            end = start + len as u64;
            Range { start, end }
        };
        Head {
            interp: next(LOADER.len() + 1),
            hash: next(tables.hash.len()),
            symbols: next(size_of_val(&tables.symbols[..])),
            strings: next(tables.strings.len()),
            versions: next(tables.versions.len()),
            needs: next(tables.needs.len()),
            relocations: next(fixups * size_of::<Rela>()),
            end,
        }
    }
}

/// A file in the making.
struct File<'a, 'i> {
    bytes: Vec<u8>,
    image: &'a Image<'i>,
    layout: &'a Layout,
    tables: Tables,
    head: Head,
}

/// Relocations that were written.
struct Relocations {
    range: Range,
    relative: usize,
}

impl File<'_, '_> {
    /// Writes into the image.
    fn put<T: Pod>(&mut self, at: u64, values: &[T]) {
        let values = bytes_of_slice(values);
        self.bytes[at as usize..][..values.len()].copy_from_slice(values);
    }

    /// First those to the address of the image, which the dynamic linker applies at once.
    fn write_relocations(&mut self, fixups: Vec<Fixup>) -> Relocations {
        let kinds = relocate::dynamic();
        let imports = &self.tables.imports;
        let rela = |fixup: &Fixup| {
            let (symbol, kind) = match fixup.of {
                Of::Image => (0, kinds.relative),
                Of::Cell(import) => (imports[import]?, kinds.cell),
                Of::Import(import) => (imports[import]?, kinds.word),
            };
            Some(Rela {
                r_offset: U64::new(LE, fixup.at),
                r_info: U64::new(LE, u64::from(symbol) << 32 | u64::from(kind)),
                r_addend: I64::new(LE, fixup.addend),
            })
        };
        let (mut relative, mut others): (Vec<_>, Vec<_>) =
            fixups.into_iter().partition(|fixup| fixup.of == Of::Image);
        relative.sort_unstable();
        others.sort_unstable();
        let list: Vec<_> = relative.iter().chain(&others).filter_map(rela).collect();
        let start = self.head.relocations.start;
        self.put(start, &list);
        let range = Range { start, end: start + size_of_val(&list[..]) as u64 };
        Relocations { range, relative: relative.len() }
    }

    fn write_dynamic(&mut self, relocations: &Relocations) {
        let mut entries: Vec<Dyn> = Vec::new();
        let mut add = |tag: DynamicTag, value: u64| {
            entries.push(Dyn { d_tag: I64::new(LE, tag), d_val: U64::new(LE, value) });
        };
        for name in &self.tables.libraries {
            add(elf::DT_NEEDED, u64::from(*name));
        }
        let arrays = [
            (Part::Before, elf::DT_INIT_ARRAY, elf::DT_INIT_ARRAYSZ),
            (Part::After, elf::DT_FINI_ARRAY, elf::DT_FINI_ARRAYSZ),
        ];
        for (part, start, size) in arrays {
            let range = self.layout.part(part);
            if !range.is_empty() {
                add(start, range.start);
                add(size, range.len());
            }
        }
        let head = &self.head;
        add(elf::DT_GNU_HASH, head.hash.start);
        add(elf::DT_STRTAB, head.strings.start);
        add(elf::DT_STRSZ, head.strings.len());
        add(elf::DT_SYMTAB, head.symbols.start);
        add(elf::DT_SYMENT, size_of::<Sym>() as u64);
        if !relocations.range.is_empty() {
            add(elf::DT_RELA, relocations.range.start);
            add(elf::DT_RELASZ, relocations.range.len());
            add(elf::DT_RELAENT, size_of::<Rela>() as u64);
            add(elf::DT_RELACOUNT, relocations.relative as u64);
        }
        if !head.needs.is_empty() {
            add(elf::DT_VERSYM, head.versions.start);
            add(elf::DT_VERNEED, head.needs.start);
            add(elf::DT_VERNEEDNUM, u64::from(self.tables.need_count));
        }
        add(elf::DT_FLAGS, elf::DF_BIND_NOW.0);
        add(elf::DT_FLAGS_1, elf::DF_1_NOW.0 | elf::DF_1_PIE.0);
        // For debuggers.
        add(elf::DT_DEBUG, 0);
        // The last is DT_NULL.
        debug_assert!(entries.len() < self.tables.libraries.len() + DYNAMIC_ENTRIES);
        self.put(self.layout.part(Part::Dynamic).start, &entries);
    }

    fn write_tables(&mut self, sections: &Sections) {
        let Tables { symbols, exports, .. } = &mut self.tables;
        let first = symbols.len() - exports.len();
        for (symbol, bound) in symbols[first..].iter_mut().zip(exports) {
            symbols::define(symbol, self.image, self.layout, sections, *bound);
        }
        let tables = std::mem::replace(&mut self.tables, Tables::empty());
        self.put(self.head.hash.start, &tables.hash);
        self.put(self.head.symbols.start, &tables.symbols);
        self.put(self.head.strings.start, &tables.strings);
        self.put(self.head.versions.start, &tables.versions);
        self.put(self.head.needs.start, &tables.needs);
        self.put(self.head.interp.start, LOADER.as_bytes());
        self.tables = tables;
    }

    /// The sections that are in memory when the program runs.
    fn sections(&self, relocations: &Relocations) -> Sections {
        let mut sections = Sections::new();
        let head = &self.head;
        let first_global = 1;
        let table = |range, ty, link, info, size| Section {
            ty,
            flags: elf::SHF_ALLOC,
            range,
            link,
            info,
            size,
            align: 8,
        };
        let needs = self.tables.need_count;
        let tables = [
            (".interp", table(head.interp, elf::SHT_PROGBITS, 0, 0, 0)),
            (".gnu.hash", table(head.hash, elf::SHT_GNU_HASH, DYNSYM, 0, 0)),
            (
                ".dynsym",
                table(head.symbols, elf::SHT_DYNSYM, DYNSTR, first_global, size_of::<Sym>()),
            ),
            (".dynstr", table(head.strings, elf::SHT_STRTAB, 0, 0, 0)),
            (".gnu.version", table(head.versions, elf::SHT_GNU_VERSYM, DYNSYM, 0, 2)),
            (".gnu.version_r", table(head.needs, elf::SHT_GNU_VERNEED, DYNSTR, needs, 0)),
            (".rela.dyn", table(relocations.range, elf::SHT_RELA, DYNSYM, 0, size_of::<Rela>())),
        ];
        for (name, table) in tables {
            sections.add(name, table);
        }
        sections.add_parts(self.layout);
        sections
    }

    /// Appends what only tools read: symbols and section headers.
    fn write_symbols(&mut self, mut sections: Sections, programs: u16) {
        let symbols = symbols::Symbols::of(self.image, self.layout, &sections);
        let table = |range, ty, link, info, size| Section {
            ty,
            flags: elf::SectionFlags(0),
            range,
            link,
            info,
            size,
            align: 8,
        };
        let range = self.append(&symbols.table);
        let link = sections.count() + 1;
        let size = size_of::<Sym>();
        sections.add(".symtab", table(range, elf::SHT_SYMTAB, link, symbols.locals, size));
        let range = self.append(&symbols.strings);
        sections.add(".strtab", table(range, elf::SHT_STRTAB, 0, 0, 0));
        let names = sections.names_with(".shstrtab");
        let range = self.append(&names);
        sections.add(".shstrtab", table(range, elf::SHT_STRTAB, 0, 0, 0));
        let headers = self.append(&sections.headers);
        let count = sections.count() as u16;
        let header = self.header(programs, headers.start, count);
        self.put(0, &[header]);
    }

    /// Writes behind the image.
    fn append<T: Pod>(&mut self, values: &[T]) -> Range {
        let start = align(self.bytes.len() as u64, 8);
        self.bytes.resize(start as usize, 0);
        self.bytes.extend_from_slice(bytes_of_slice(values));
        Range { start, end: self.bytes.len() as u64 }
    }

    fn header(&self, programs: u16, sections: u64, count: u16) -> Header {
        let entry = self.image.names.get(start::ENTRY);
        let entry = entry.and_then(|bound| self.image.offset(self.layout, bound)).unwrap_or(0);
        Header {
            e_ident: Ident {
                magic: elf::ELFMAG,
                class: elf::ELFCLASS64,
                data: elf::ELFDATA2LSB,
                version: elf::EV_CURRENT,
                os_abi: elf::ELFOSABI_NONE,
                abi_version: 0,
                padding: [0; 7],
            },
            e_type: U16::new(LE, elf::ET_DYN),
            e_machine: U16::new(LE, MACHINE),
            e_version: U32::new(LE, u32::from(elf::EV_CURRENT.0)),
            e_entry: U64::new(LE, entry),
            e_phoff: U64::new(LE, PROGRAMS_START),
            e_shoff: U64::new(LE, sections),
            e_flags: U32::new(LE, elf::FileFlags(0)),
            e_ehsize: U16::new(LE, size_of::<Header>() as u16),
            e_phentsize: U16::new(LE, size_of::<Program>() as u16),
            e_phnum: U16::new(LE, programs),
            e_shentsize: U16::new(LE, size_of::<SectionHeader>() as u16),
            e_shnum: U16::new(LE, count),
            e_shstrndx: U16::new(LE, elf::SymbolSection(count - 1)),
        }
    }

    fn programs(&self) -> Vec<Program> {
        let program = |ty: ProgramType, flags, range: Range, filled: u64, align: u64| Program {
            p_type: U32::new(LE, ty),
            p_flags: U32::new(LE, flags),
            p_offset: U64::new(LE, range.start),
            p_vaddr: U64::new(LE, range.start),
            p_paddr: U64::new(LE, range.start),
            p_filesz: U64::new(LE, filled.min(range.end).saturating_sub(range.start)),
            p_memsz: U64::new(LE, range.len()),
            p_align: U64::new(LE, align),
        };
        let (read, all) = (elf::PF_R, u64::MAX);
        let write = ProgramFlags(elf::PF_R.0 | elf::PF_W.0);
        let end = PROGRAMS_START + (PROGRAMS * size_of::<Program>()) as u64;
        let own = Range { start: PROGRAMS_START, end };
        let mut programs = vec![
            program(elf::PT_PHDR, read, own, all, 8),
            program(elf::PT_INTERP, read, self.head.interp, all, 1),
        ];
        for segment in SEGMENTS {
            let mut range = self.layout.segment(segment);
            let flags = match segment {
                Segment::Read => read,
                Segment::Execute => ProgramFlags(elf::PF_R.0 | elf::PF_X.0),
                Segment::Relocated | Segment::Write => write,
            };
            if segment == Segment::Write {
                range.end = self.layout.part(Part::Zero).end;
                if range.is_empty() {
                    continue;
                }
            }
            programs.push(program(elf::PT_LOAD, flags, range, self.layout.filled(), PAGE));
        }
        let relocated = self.layout.segment(Segment::Relocated);
        programs.extend([
            program(elf::PT_DYNAMIC, write, self.layout.part(Part::Dynamic), all, 8),
            program(elf::PT_GNU_RELRO, read, relocated, all, 1),
            program(elf::PT_GNU_STACK, write, Range::default(), all, 16),
        ]);
        programs
    }
}
