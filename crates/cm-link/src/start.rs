//! Where an executable begins, as an object, so that no start files are needed.

use crate::{
    elf::{Binding, Kind, Object, Place, Relocation, Section, Symbol},
    relocate::{START, START_RELOCATIONS},
};
use object::elf::{STT_FUNC, STT_NOTYPE};

/// The name of what is executed first.
pub const ENTRY: &[u8] = b"_start";

/// The object.
pub fn object() -> Object<'static> {
    let symbol = |name, kind, size, place| Symbol {
        name,
        binding: Binding::Global,
        hidden: false,
        kind,
        size,
        place,
    };
    let section = |kind, data: &'static [u8]| Section {
        kind,
        align: 16,
        size: data.len() as u64,
        data,
        priority: 0,
    };
    let relocations = START_RELOCATIONS
        .iter()
        .map(|&(offset, kind, symbol, addend)| Relocation { offset, kind, symbol, addend })
        .collect();
    Object {
        name: "",
        sections: vec![section(None, &[]), section(Some(Kind::Code), START)],
        symbols: vec![
            Symbol { binding: Binding::Local, ..symbol(b"", STT_NOTYPE, 0, Place::Undefined) },
            symbol(ENTRY, STT_FUNC, START.len() as u64, Place::Defined(1, 0)),
            symbol(b"main", STT_NOTYPE, 0, Place::Undefined),
            symbol(b"__libc_start_main", STT_NOTYPE, 0, Place::Undefined),
        ],
        relocations: vec![(1, relocations)],
    }
}
