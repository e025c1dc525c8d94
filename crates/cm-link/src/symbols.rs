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

/// A table and its strings.
pub struct Symbols {
    /// Local ones first.
    pub table: Vec<Sym64<LittleEndian>>,
    /// How many are local.
    pub locals: u32,
    /// The names.
    pub strings: Vec<u8>,
}

impl Symbols {
    /// The symbols of all objects.
    pub fn of(image: &Image, layout: &Layout, sections: &Sections) -> Symbols {
        let null = symbol(0, SymbolInfo(0), elf::SHN_UNDEF, 0);
        let mut symbols = Symbols { table: vec![null], locals: 0, strings: vec![0] };
        let mut globals = Vec::new();
        for (object, input) in image.objects.iter().enumerate() {
            for (symbol, &bound) in input.symbols.iter().zip(&image.names.bound[object]) {
                // Another object may define the name in place of this one.
                let own = matches!(bound, Bound::Section(spot) if spot.object == object);
                if !own || symbol.place == Place::Undefined || is_temporary(symbol) {
                    continue;
                }
                // What is hidden has been bound for good.
                if symbol.binding == Binding::Local || symbol.hidden {
                    symbols.add(image, layout, sections, symbol, bound);
                } else {
                    globals.push((symbol, bound));
                }
            }
        }
        for (at, import) in image.stubs(layout) {
            let name = [image.names.imports[import].name, b"@plt"].concat();
            let info = SymbolInfo::new(elf::STB_LOCAL, elf::STT_FUNC);
            let name = symbols.add_string(&name);
            let mut stub = symbol(name, info, sections.index(Part::Stubs), STUB as u64);
            stub.st_value = U64::new(LE, at);
            symbols.table.push(stub);
        }
        symbols.locals = symbols.table.len() as u32;
        for (symbol, bound) in globals {
            symbols.add(image, layout, sections, symbol, bound);
        }
        symbols
    }

    fn add_string(&mut self, text: &[u8]) -> u32 {
        let at = self.strings.len() as u32;
        self.strings.extend_from_slice(text);
        self.strings.push(0);
        at
    }

    fn add(
        &mut self,
        image: &Image,
        layout: &Layout,
        sections: &Sections,
        input: &Symbol,
        bound: Bound,
    ) {
        let binding = match input.binding {
            Binding::Global if !input.hidden => elf::STB_GLOBAL,
            Binding::Weak if !input.hidden => elf::STB_WEAK,
            _ => elf::STB_LOCAL,
        };
        let name = self.add_string(input.name);
        let info = SymbolInfo::new(binding, input.kind);
        let mut new = symbol(name, info, elf::SHN_UNDEF, input.size);
        define(&mut new, image, layout, sections, bound);
        self.table.push(new);
    }
}

/// Not for people to see.
fn is_temporary(symbol: &Symbol) -> bool {
    symbol.name.is_empty()
        || symbol.name.starts_with(b".L")
        || symbol.kind == elf::STT_SECTION
        || symbol.kind == elf::STT_FILE
}

/// Says where a symbol is.
pub fn define(
    symbol: &mut Sym64<LittleEndian>,
    image: &Image,
    layout: &Layout,
    sections: &Sections,
    bound: Bound,
) {
    let Some(offset) = image.offset(layout, bound) else { return };
    let part = match bound {
        Bound::Section(spot) => {
            image.objects[spot.object].sections[spot.section].kind.map(Part::of)
        }
        _ => None,
    };
    symbol.st_value = U64::new(LE, offset);
    symbol.st_shndx = U16::new(LE, part.map_or(elf::SHN_ABS, |part| sections.index(part)));
}
