//! Where an executable begins, as an object, so that no start files are needed.

use crate::{
    dynamic::symbol,
    elf::{Kind, LE, Object, Relocations, Section, Symbols},
    relocate::{START, START_RELOCATIONS},
};
use object::{
    I64, LittleEndian, U64,
    elf::{self, Rela64, Sym64, SymbolInfo, SymbolSection},
};

/// The name of what is executed first.
pub const ENTRY: &[u8] = b"_start";

/// Names of the symbols, each at its [`NAMES`].
const STRINGS: &[u8] = b"\0_start\0main\0__libc_start_main\0";
const NAMES: [u32; 3] = [1, 8, 13];

/// What the object's tables hold.
pub struct Start {
    symbols: [Sym64<LittleEndian>; 4],
    relocations: Vec<Rela64<LittleEndian>>,
}

impl Start {
    /// The tables.
    pub fn new() -> Start {
        let [start, main, call] = NAMES;
        let global = |kind| SymbolInfo::new(elf::STB_GLOBAL, kind);
        let undefined = |name, info| symbol(name, info, elf::SHN_UNDEF, 0);
        let size = START.len() as u64;
        let relocations = START_RELOCATIONS.iter().map(|&(offset, kind, symbol, addend)| Rela64 {
            r_offset: U64::new(LE, offset),
            r_info: U64::new(LE, (symbol as u64) << 32 | u64::from(kind.0)),
            r_addend: I64::new(LE, addend),
        });
        Start {
            symbols: [
                undefined(0, SymbolInfo(0)),
                symbol(start, global(elf::STT_FUNC), SymbolSection(1), size),
                undefined(main, global(elf::STT_NOTYPE)),
                undefined(call, global(elf::STT_NOTYPE)),
            ],
            relocations: relocations.collect(),
        }
    }

    /// The object.
    pub fn object(&self) -> Object<'_> {
        let section = |kind, data: &'static [u8]| Section {
            kind,
            align: 16,
            size: data.len() as u64,
            data,
            priority: 0,
        };
        Object {
            name: "",
            sections: vec![section(None, &[]), section(Some(Kind::Code), START)],
            symbols: Symbols { entries: &self.symbols, strings: STRINGS },
            relocations: vec![Relocations { section: 1, entries: &self.relocations }],
        }
    }
}
