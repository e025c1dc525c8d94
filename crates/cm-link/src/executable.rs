//! Executables: position-independent, every import bound when the program starts, everything but
//! data protected before `main`.

use crate::{
    LinkError, Result,
    dynamic::Tables,
    elf::{LE, MACHINE},
    image::{Fixup, Image, Of, Place},
    layout::{Layout, Part, Range, SEGMENTS, Segment, align},
    library::Library,
    memory::{Input, Memory},
    relocate::{self, LOADER, PAGE},
    sections::{DYNSTR, DYNSYM, RELA, Section, Sections},
    start::{self, ENTRY},
    symbols,
};
use object::{
    I64, LittleEndian, U16, U32, U64,
    elf::{
        self, Dyn64, DynamicTag, FileHeader64, Ident, ProgramFlags, ProgramHeader64, ProgramType,
        Rela64, SectionHeader64, Sym64,
    },
    pod::{Pod, bytes_of_slice, slice_from_bytes_mut},
};
use std::{iter, sync::Arc};

/// Links named objects and libraries to an executable.
///
/// # Errors
/// If names are undefined or defined twice, or an object or library cannot be used.
pub fn executable(objects: &[(&str, &[u8])], libraries: &[Library]) -> Result<Arc<[u8]>> {
    let input = |&(name, bytes)| Input { name, bytes, digest: None };
    let objects: Vec<_> = objects.iter().map(input).collect();
    executable_again(&mut Memory::default(), None, &objects, libraries)
}

/// The same with what is remembered of objects, in a room of zeros, if it has the length of the file: one for
/// the executable of before may be made while objects are.
///
/// # Errors
/// As those of [`executable`].
pub fn executable_again(
    memory: &mut Memory,
    room: Option<Arc<[u8]>>,
    objects: &[Input],
    libraries: &[Library],
) -> Result<Arc<[u8]>> {
    let (data, contents) = start::file();
    let mut inputs = memory.objects(objects)?;
    inputs.insert(0, start::object(&data, contents, &mut memory.names)?);
    let image = Image::new(inputs, &memory.names)?;
    let tables = Tables::new(&image, libraries)?;
    let head = Head::new(&tables, image.max_fixups());
    let dynamic = (tables.libraries.len() + DYNAMIC_ENTRIES) * size_of::<Dyn>();
    let layout = image.layout(head.end as usize, dynamic, PAGE)?;
    check_initializers(&layout, libraries)?;
    let mut sections = head.sections(tables.need_count);
    sections.add_parts(&layout);
    let tail = Tail::new(&image, &layout, &mut sections);
    // Fresh memory costs more than all the rest, so there is no more of it than the file needs.
    let end = tail.end() as usize;
    let room = room.filter(|room| room.len() == end);
    let mut file = room.unwrap_or_else(|| iter::repeat_n(0, end).collect());
    // A copy, should somebody else know it.
    let bytes = Arc::make_mut(&mut file);
    let filled = &mut bytes[..layout.filled() as usize];
    let fixups = image.write(&layout, &mut Place { bytes: filled, base: 0, imports: None })?;
    File { bytes, image: &image, layout: &layout, tables, head, sections, tail }.write(fixups);
    Ok(file)
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

/// Places so many bytes behind others.
fn place(end: &mut u64, len: usize) -> Range {
    let start = align(*end, 8);
    *end = start + len as u64;
    Range { start, end: *end }
}

/// Makes tables with these flags, of a range, type, link, info, and size of entries.
fn table_with(
    flags: elf::SectionFlags,
) -> impl Fn(Range, elf::SectionType, u32, u32, usize) -> Section {
    move |range, ty, link, info, size| Section { ty, flags, range, link, info, size, align: 8 }
}

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
        let mut next = |len| place(&mut end, len);
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

    /// The sections of what it holds.
    fn sections(&self, needs: u32) -> Sections {
        let mut sections = Sections::new();
        let first_global = 1;
        let table = table_with(elf::SHF_ALLOC);
        let tables = [
            (".interp", table(self.interp, elf::SHT_PROGBITS, 0, 0, 0)),
            (".gnu.hash", table(self.hash, elf::SHT_GNU_HASH, DYNSYM, 0, 0)),
            (
                ".dynsym",
                table(self.symbols, elf::SHT_DYNSYM, DYNSTR, first_global, size_of::<Sym>()),
            ),
            (".dynstr", table(self.strings, elf::SHT_STRTAB, 0, 0, 0)),
            (".gnu.version", table(self.versions, elf::SHT_GNU_VERSYM, DYNSYM, 0, 2)),
            (".gnu.version_r", table(self.needs, elf::SHT_GNU_VERNEED, DYNSTR, needs, 0)),
            (".rela.dyn", table(self.relocations, elf::SHT_RELA, DYNSYM, 0, size_of::<Rela>())),
        ];
        for (name, table) in tables {
            sections.add(name, table);
        }
        sections
    }
}

/// What lies behind the image, and is not in memory when the program runs.
struct Tail {
    room: symbols::Room,
    symbols: Range,
    strings: Range,
    names: Range,
    headers: Range,
}

impl Tail {
    /// Its sections come last.
    fn new(image: &Image, layout: &Layout, sections: &mut Sections) -> Tail {
        let mut end = layout.filled();
        let mut next = |len| place(&mut end, len);
        let table = table_with(elf::SectionFlags(0));
        let room = symbols::Room::of(image, layout);
        let symbols = next((room.locals.entries + room.globals.entries) * size_of::<Sym>());
        let (link, info) = (sections.count() + 1, room.locals.entries as u32);
        sections.add(".symtab", table(symbols, elf::SHT_SYMTAB, link, info, size_of::<Sym>()));
        let strings = next(room.locals.strings + room.globals.strings);
        sections.add(".strtab", table(strings, elf::SHT_STRTAB, 0, 0, 0));
        let own = ".shstrtab";
        let names = next(sections.names.len() + own.len() + 1);
        sections.add(own, table(names, elf::SHT_STRTAB, 0, 0, 0));
        let headers = next(size_of_val(&sections.headers[..]));
        Tail { room, symbols, strings, names, headers }
    }

    /// The end of the file.
    fn end(&self) -> u64 {
        self.headers.end
    }
}

/// A file in the making.
struct File<'a, 'i> {
    bytes: &'a mut [u8],
    image: &'a Image<'i>,
    layout: &'a Layout,
    tables: Tables,
    head: Head,
    sections: Sections,
    tail: Tail,
}

/// Relocations that were written.
struct Relocations {
    range: Range,
    relative: usize,
}

/// Writes into a file.
fn put<T: Pod>(bytes: &mut [u8], at: u64, values: &[T]) {
    let values = bytes_of_slice(values);
    bytes[at as usize..][..values.len()].copy_from_slice(values);
}

impl File<'_, '_> {
    /// Writes all but what the objects contain.
    fn write(mut self, fixups: Vec<Fixup>) {
        let relocations = self.write_relocations(fixups);
        self.sections.resize(RELA, relocations.range.len());
        self.write_dynamic(&relocations);
        self.write_tables();
        self.write_tail();
        let programs = self.programs();
        put(self.bytes, PROGRAMS_START, &programs);
        let header = self.header(programs.len() as u16);
        put(self.bytes, 0, &[header]);
    }

    /// First those to the address of the image, which the dynamic linker applies at once.
    fn write_relocations(&mut self, mut fixups: Vec<Fixup>) -> Relocations {
        let kinds = relocate::dynamic();
        let imports = &self.tables.imports;
        let rela = |fixup: &Fixup| {
            let (symbol, kind) = match fixup.of {
                Of::Image => (0, kinds.relative),
                Of::Cell(import) => (imports[import as usize]?, kinds.cell),
                Of::Import(import) => (imports[import as usize]?, kinds.word),
            };
            Some(Rela {
                r_offset: U64::new(LE, fixup.at),
                r_info: U64::new(LE, u64::from(symbol) << 32 | u64::from(kind)),
                r_addend: I64::new(LE, fixup.addend),
            })
        };
        fixups.sort_unstable_by_key(|fixup| (fixup.of != Of::Image, *fixup));
        let relative = fixups.partition_point(|fixup| fixup.of == Of::Image);
        let start = self.head.relocations.start;
        let mut end = start;
        for rela in fixups.iter().filter_map(rela) {
            put(self.bytes, end, &[rela]);
            end += size_of::<Rela>() as u64;
        }
        Relocations { range: Range { start, end }, relative }
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
        put(self.bytes, self.layout.part(Part::Dynamic).start, &entries);
    }

    fn write_tables(&mut self) {
        let Tables { symbols, exports, .. } = &mut self.tables;
        let first = symbols.len() - exports.len();
        for (symbol, bound) in symbols[first..].iter_mut().zip(exports) {
            symbols::define(symbol, self.image, self.layout, &self.sections, *bound);
        }
        let (head, tables) = (&self.head, &self.tables);
        put(self.bytes, head.hash.start, &tables.hash);
        put(self.bytes, head.symbols.start, &tables.symbols);
        put(self.bytes, head.strings.start, &tables.strings);
        put(self.bytes, head.versions.start, &tables.versions);
        put(self.bytes, head.needs.start, &tables.needs);
        put(self.bytes, head.interp.start, LOADER.as_bytes());
    }

    /// What only tools read: symbols and section headers.
    fn write_tail(&mut self) {
        let (symbols, strings) = (self.tail.symbols, self.tail.strings);
        let (head, tail) = self.bytes.split_at_mut(strings.start as usize);
        let entries = slice_from_bytes_mut(
            &mut head[symbols.start as usize..],
            symbols.len() as usize / size_of::<Sym>(),
        );
        let (entries, _) = entries.expect("invariant: entries have no alignment");
        let strings = &mut tail[..strings.len() as usize];
        symbols::write(self.image, self.layout, &self.sections, &self.tail.room, entries, strings);
        put(self.bytes, self.tail.names.start, &self.sections.names);
        put(self.bytes, self.tail.headers.start, &self.sections.headers);
    }

    fn header(&self, programs: u16) -> Header {
        let count = self.sections.count() as u16;
        let entry = self.image.names.get(ENTRY);
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
            e_shoff: U64::new(LE, self.tail.headers.start),
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
