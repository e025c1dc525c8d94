//! Where an executable begins, as an object, so that no start files are needed.

use crate::{
    Result,
    dynamic::symbol,
    elf::{Contents, Kind, LE, Object, Section},
    interner::Interner,
    relocate::{START, START_RELOCATIONS},
};
use object::{
    I64, LittleEndian, U64,
    elf::{self, Rela64, SymbolInfo, SymbolSection},
    pod::bytes_of_slice,
};
use std::{ops::Range, sync::Arc};

/// The name of what is executed first.
pub const ENTRY: &[u8] = b"_start";

/// Names of the symbols, each at its [`NAMES`].
const STRINGS: &[u8] = b"\0_start\0main\0__libc_start_main\0";
const NAMES: [u32; 3] = [1, 8, 13];

/// The object, without its contents' names, and the bytes that it is in.
pub fn file() -> (Vec<u8>, Contents) {
    let [start, main, call] = NAMES;
    let global = |kind| SymbolInfo::new(elf::STB_GLOBAL, kind);
    let undefined = |name, info| symbol(name, info, elf::SHN_UNDEF, 0);
    let size = START.len() as u64;
    let symbols = [
        undefined(0, SymbolInfo(0)),
        symbol(start, global(elf::STT_FUNC), SymbolSection(1), size),
        undefined(main, global(elf::STT_NOTYPE)),
        undefined(call, global(elf::STT_NOTYPE)),
    ];
    let relocations = START_RELOCATIONS.iter().map(|&(offset, kind, symbol, addend)| Rela64 {
        r_offset: U64::new(LE, offset),
        r_info: U64::new(LE, (symbol as u64) << 32 | u64::from(kind.0)),
        r_addend: I64::new(LE, addend),
    });
    let relocations: Vec<Rela64<LittleEndian>> = relocations.collect();
    let mut data = Vec::new();
    let mut add = |bytes: &[u8]| {
        let start = data.len();
        data.extend_from_slice(bytes);
        start..data.len()
    };
    let section = |kind, data: Range<usize>| Section {
        kind,
        align: 16,
        size: data.len() as u64,
        data,
        priority: 0,
    };
    let contents = Contents {
        sections: vec![section(None, 0..0), section(Some(Kind::Code), add(START))],
        symbols: add(bytes_of_slice(&symbols)),
        strings: add(STRINGS),
        relocations: vec![(1, add(bytes_of_slice(&relocations)))],
        ..Contents::default()
    };
    (data, contents)
}

/// The object of these.
///
/// # Errors
/// None, if they are from [`file()`].
pub fn object<'a>(data: &'a [u8], contents: Contents, names: &mut Interner) -> Result<Object<'a>> {
    let contents = Arc::new(contents.with_names("", data, names)?);
    Ok(Object::new("", data, contents).expect("invariant: all its tables are in it"))
}
