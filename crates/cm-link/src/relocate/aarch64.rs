//! 64-bit ARM.

use super::{Dynamic, FAR, Fault, Need, OUTSIDE, Site, Target, distance, unknown, write};
use object::elf::*;

/// The largest pages of memory that systems have.
pub const PAGE: u64 = 1 << 16;

/// The dynamic linker.
pub const LOADER: &str = "/lib/ld-linux-aarch64.so.1";

/// Bytes of a stub.
pub const STUB: usize = 16;

/// `adrp x16, cell; ldr x16, [x16, :lo12:cell]; br x16`
pub fn stub(address: u64, cell: u64) -> [u8; STUB] {
    let page = (cell & !0xfff).wrapping_sub(address & !0xfff) as i64 >> 12;
    let adrp = 0x9000_0010 | page_bits(page);
    let load = 0xf940_0210 | ((cell & 0xfff) as u32 >> 3) << 10;
    let mut code = [0; STUB];
    for (place, word) in code.chunks_exact_mut(4).zip([adrp, load, 0xd61f_0200, 0]) {
        place.copy_from_slice(&u32::to_le_bytes(word));
    }
    code
}

/// `_start`: calls `__libc_start_main(main, argc, argv, 0, 0, x0, stack)`.
pub const START: &[u8] = &[
    0x1d, 0x00, 0x80, 0xd2, // mov x29, #0
    0x1e, 0x00, 0x80, 0xd2, // mov x30, #0
    0xe5, 0x03, 0x00, 0xaa, // mov x5, x0
    0xe1, 0x03, 0x40, 0xf9, // ldr x1, [sp]
    0xe2, 0x23, 0x00, 0x91, // add x2, sp, #8
    0xe6, 0x03, 0x00, 0x91, // mov x6, sp
    0x00, 0x00, 0x00, 0x90, // adrp x0, main
    0x00, 0x00, 0x00, 0x91, // add x0, x0, :lo12:main
    0x03, 0x00, 0x80, 0xd2, // mov x3, #0
    0x04, 0x00, 0x80, 0xd2, // mov x4, #0
    0x00, 0x00, 0x00, 0x94, // bl __libc_start_main
    0x00, 0x00, 0x20, 0xd4, // brk #0
];

/// Offset, kind, symbol (`main` or `__libc_start_main`) and addend.
pub const START_RELOCATIONS: &[(u64, RelocationType, usize, i64)] = &[
    (24, R_AARCH64_ADR_PREL_PG_HI21, 2, 0),
    (28, R_AARCH64_ADD_ABS_LO12_NC, 2, 0),
    (40, R_AARCH64_CALL26, 3, 0),
];

/// What the dynamic linker applies.
pub fn dynamic() -> Dynamic {
    Dynamic { relative: R_AARCH64_RELATIVE.0, cell: R_AARCH64_GLOB_DAT.0, word: R_AARCH64_ABS64.0 }
}

/// A whole address.
pub const WORD: RelocationType = R_AARCH64_ABS64;

/// What a relocation needs.
pub fn need(kind: RelocationType) -> Need {
    match kind {
        R_AARCH64_ADR_GOT_PAGE | R_AARCH64_LD64_GOT_LO12_NC => Need::Slot,
        R_AARCH64_CALL26 | R_AARCH64_JUMP26 => Need::Stub,
        _ => Need::Nothing,
    }
}

fn page_bits(page: i64) -> u32 {
    (page as u32 & 3) << 29 | (page as u32 >> 2 & 0x7_ffff) << 5
}

/// Fills in one place.
pub fn apply(
    kind: RelocationType,
    site: &Site,
    target: &Target,
    at: &mut [u8],
) -> Result<(), Fault> {
    match kind {
        WORD => return write(at, target.word(site.addend).to_le_bytes()),
        R_AARCH64_NONE => return Ok(()),
        R_AARCH64_PREL64 => return write(at, distance(site, target.address()?).to_le_bytes()),
        R_AARCH64_PREL32 => {
            let value = i32::try_from(distance(site, target.address()?)).map_err(|_| FAR)?;
            return write(at, value.to_le_bytes());
        }
        _ => {}
    }
    let word = u32::from_le_bytes(*at.first_chunk().ok_or(OUTSIDE)?);
    let to = match need(kind) {
        Need::Slot => site.slot,
        Need::Stub => target.callable()?,
        Need::Nothing => target.address()?,
    };
    let to = to.wrapping_add_signed(site.addend);
    let low = |scale: u32| ((to & 0xfff) as u32 >> scale) << 10;
    let word = match kind {
        R_AARCH64_CALL26 | R_AARCH64_JUMP26 => {
            let words = to.wrapping_sub(site.address) as i64 >> 2;
            if !(-(1 << 25)..1 << 25).contains(&words) {
                return Err(FAR);
            }
            word | words as u32 & 0x3ff_ffff
        }
        R_AARCH64_ADR_PREL_PG_HI21 | R_AARCH64_ADR_GOT_PAGE => {
            let pages = (to & !0xfff).wrapping_sub(site.address & !0xfff) as i64 >> 12;
            if !(-(1 << 20)..1 << 20).contains(&pages) {
                return Err(FAR);
            }
            word | page_bits(pages)
        }
        R_AARCH64_ADD_ABS_LO12_NC | R_AARCH64_LDST8_ABS_LO12_NC => word | low(0),
        R_AARCH64_LDST16_ABS_LO12_NC => word | low(1),
        R_AARCH64_LDST32_ABS_LO12_NC => word | low(2),
        R_AARCH64_LDST64_ABS_LO12_NC | R_AARCH64_LD64_GOT_LO12_NC => word | low(3),
        R_AARCH64_LDST128_ABS_LO12_NC => word | low(4),
        kind => return Err(unknown(kind)),
    };
    write(at, word.to_le_bytes())
}
