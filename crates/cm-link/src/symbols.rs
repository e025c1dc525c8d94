//! The symbols of an executable by which debuggers and profilers name what they see.

use crate::{
    dynamic::symbol,
    elf::{Binding, LE, Place, Symbol},
    image::Image,
    layout::{Layout, Part},
    names::Bound,
    relocate::STUB,
    sections::Sections,
};
use object::{
    LittleEndian, U16, U64,
    elf::{self, Sym64, SymbolInfo},
};
use std::slice::IterMut;

type Entry = Sym64<LittleEndian>;

/// The room that the table and its strings take.
pub struct Room {
    /// Of local symbols, which come first.
    pub locals: Space,
    /// Of the others.
    pub globals: Space,
}

/// The room of some symbols.
#[derive(Clone, Copy)]
pub struct Space {
    /// How many there are.
    pub entries: usize,
    /// Bytes of their names.
    pub strings: usize,
}

impl Room {
    /// For the symbols of all objects.
    pub fn of(image: &Image, layout: &Layout) -> Room {
        // The first entry and the first name are empty.
        let locals = Space { entries: 1, strings: 1 };
        let mut room = Room { locals, globals: Space { entries: 0, strings: 0 } };
        each_kept(image, |kept| {
            let space = if kept.local { &mut room.locals } else { &mut room.globals };
            space.add(kept.name.len());
        });
        for (_, import) in image.stubs(layout) {
            room.locals.add(image.names.imports[import].name.len() + OF_STUBS.len());
        }
        room
    }
}

impl Space {
    fn add(&mut self, name: usize) {
        self.entries += 1;
        self.strings += name + 1;
    }
}

/// Writes the symbols of all objects into their room, which is all zeros.
pub fn write(
    image: &Image,
    layout: &Layout,
    sections: &Sections,
    room: &Room,
    entries: &mut [Entry],
    strings: &mut [u8],
) {
    let (local_entries, global_entries) = entries.split_at_mut(room.locals.entries);
    let (local_strings, global_strings) = strings.split_at_mut(room.locals.strings);
    let mut locals = Writer::new(&mut local_entries[1..], &mut local_strings[1..], 1);
    let mut globals = Writer::new(global_entries, global_strings, room.locals.strings);
    each_kept(image, |Kept { symbol: input, name, bound, local }| {
        let (binding, writer) = match input.binding() {
            _ if local => (elf::STB_LOCAL, &mut locals),
            Binding::Weak => (elf::STB_WEAK, &mut globals),
            _ => (elf::STB_GLOBAL, &mut globals),
        };
        let info = SymbolInfo::new(binding, input.kind());
        let mut new = symbol(writer.name(&[name]), info, elf::SHN_UNDEF, input.size());
        define(&mut new, image, layout, sections, bound);
        writer.push(new);
    });
    for (at, import) in image.stubs(layout) {
        let info = SymbolInfo::new(elf::STB_LOCAL, elf::STT_FUNC);
        let name = locals.name(&[image.names.imports[import].name, OF_STUBS]);
        let mut stub = symbol(name, info, sections.index(Part::Stubs), STUB as u64);
        stub.st_value = U64::new(LE, at);
        locals.push(stub);
    }
}

/// The end of the names of stubs.
const OF_STUBS: &[u8] = b"@plt";

/// A symbol that people want to see.
struct Kept<'a> {
    symbol: Symbol<'a>,
    name: &'a [u8],
    bound: Bound,
    /// In the executable.
    local: bool,
}

fn each_kept<'a>(image: &'a Image, mut visit: impl FnMut(Kept<'a>)) {
    image.names.each(&image.objects, |object, symbol, name, bound| {
        if symbol.place() == Place::Undefined {
            return;
        }
        // Another object may define the name in place of this one.
        let own = matches!(bound, Bound::Section(spot) if spot.object as usize == object);
        let of_file = matches!(symbol.kind(), elf::STT_SECTION | elf::STT_FILE);
        let temporary = of_file || name.is_empty() || name.starts_with(b".L");
        if own && !temporary {
            // What is hidden has been bound for good.
            let local = symbol.binding() == Binding::Local || symbol.is_hidden();
            visit(Kept { symbol, name, bound, local });
        }
    });
}

/// Writes one entry and one name after the other.
struct Writer<'b> {
    entries: IterMut<'b, Entry>,
    strings: &'b mut [u8],
    /// Bytes of the names before, of other writers too.
    end: usize,
}

impl<'b> Writer<'b> {
    fn new(entries: &'b mut [Entry], strings: &'b mut [u8], end: usize) -> Self {
        Writer { entries: entries.iter_mut(), strings, end }
    }

    /// Adds a name that has these parts, and leaves the zero behind it.
    fn name(&mut self, parts: &[&[u8]]) -> u32 {
        let start = self.end;
        for part in parts {
            let room = self.strings.split_off_mut(..part.len());
            room.expect("invariant: there is room for all names").copy_from_slice(part);
            self.end += part.len();
        }
        self.strings.split_off_first_mut();
        self.end += 1;
        start as u32
    }

    fn push(&mut self, entry: Entry) {
        *self.entries.next().expect("invariant: there is room for all entries") = entry;
    }
}

/// Says where a symbol is.
pub fn define(
    symbol: &mut Entry,
    image: &Image,
    layout: &Layout,
    sections: &Sections,
    bound: Bound,
) {
    let Some(offset) = image.offset(layout, bound) else { return };
    let part = match bound {
        Bound::Section(spot) => {
            let object = &image.objects[spot.object as usize];
            object.contents.sections[usize::from(spot.section)].kind.map(Part::of)
        }
        _ => None,
    };
    symbol.st_value = U64::new(LE, offset);
    symbol.st_shndx = U16::new(LE, part.map_or(elf::SHN_ABS, |part| sections.index(part)));
}
